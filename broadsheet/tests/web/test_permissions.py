"""The matrix of permissions: every address × GET and POST × everybody, generated from the configuration of addresses.

A new page without a rule fails here, and so does one whose rule depends on the thing itself and that has no case below.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern
from django.utils.regex_helper import normalize

from broadsheet import links
from broadsheet.accounts.rules import Person, Role
from broadsheet.testing import people
from broadsheet.testing.cast import HARBOUR, LANTERN
from broadsheet.web import access
from broadsheet.web.access import Rule, Who

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Address:
    """An address of the configuration: its route, one path that it answers, and its rule."""

    route: str
    path: str
    rule: Rule | None


# What stands for the names in routes.
SAMPLES = {
    "key": "2401.00001",
    "arxiv_id": "2401.00001",
    "slug": "cs.LG",
    "day": "2024-01-02",
    "week": "2024-W01",
    "month": "2024-01",
    "label": "2024-01-02",
    "form": "atom",
    "path": "about",
    "name": "ada",
}


# Addresses that programs ask with a token of their own: cookies of browsers count for nothing there.
_BY_TOKEN = ("/api/", "/mcp")
# Addresses that look at no cookie: whoever has the secret of a mail may, from anywhere (RFC 8058). The form that asks
# for mail looks where it comes from; test_mail_pages tells of both.
_BY_SECRET = ("/mail",)


def _patterns(
    found: list[URLPattern | URLResolver], before: str = "", space: str = ""
) -> Iterator[tuple[str, URLPattern, str]]:
    for each in found:
        route = before + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from _patterns(each.url_patterns, route, each.namespace or space)
        else:
            yield route, each, space


def _path(route: str, pattern: URLPattern) -> str:
    if isinstance(pattern.pattern, RoutePattern):
        return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda match: SAMPLES.get(match[1], "1"), route)
    form, names = normalize(route)[0]
    said = next((forms for forms in re.findall(r"\(\?P<form>([^)|]+)", route)), "atom").replace("\\", "")
    return "/" + str(form) % ({name: SAMPLES.get(name, "1") for name in names} | {"form": said})


def addresses() -> list[Address]:
    """All addresses of the instance but those of Django's admin, whose own site asks who may enter."""
    found = []
    for route, pattern, space in _patterns(get_resolver().url_patterns):
        if space == "admin":
            continue
        own = getattr(pattern.callback, access._MARK, None)
        found.append(Address(route, _path(route, pattern), own or access.FOREIGN.get(pattern.name or "")))
    return found


def test_what_readers_change_is_counted() -> None:
    """An address that takes forms from every reader has a policy that says how often."""
    uncounted = [
        each.path for each in addresses() if each.rule and each.rule.writes is Who.READER and not each.rule.policy
    ]
    assert uncounted == []


EVERYBODY: dict[str, Callable[[], Person] | None] = {
    "visitor": None,
    "reader": people.bela,
    "author": people.ada,
    "curator": people.curator,
    "moderator": people.moderator,
    "operator": people.operator,
    "outsider": people.chloe,
}


def _may(who: Who, person: Person | None) -> bool:
    return who is Who.ANYONE or (person is not None and person.is_a(Role(who.value)))


def test_every_address_has_a_rule() -> None:
    assert [each.route for each in addresses() if each.rule is None] == []


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("name", EVERYBODY)
def test_everybody_gets_what_the_rules_say_and_nothing_else(press: Any, name: str, method: str) -> None:
    """Who may is answered somehow (a page, a missing thing, a wrong form); who may not is sent away."""
    press([LANTERN, HARBOUR])
    make = EVERYBODY[name]
    person = make() if make else None
    wrong = []
    for address in addresses():
        assert address.rule is not None
        needed = address.rule.reads if method == "GET" else address.rule.writes
        client = people.signed_in(Client(), person) if person else Client()
        client.raise_request_exception = False
        answer = client.generic(method, address.path)
        answer.close()  # what is exported as it is read has a place until it was read
        sent_to_sign_in = answer.headers.get("Location", "").startswith(links.SIGN_IN) and person is None
        if needed is None:
            as_said = answer.status_code == 405 or (answer.status_code < 500 and answer.status_code != 200)
        elif _may(needed, person):
            as_said = answer.status_code < 500 and (answer.status_code != 403 or bool(address.rule.further))
        else:
            as_said = sent_to_sign_in if person is None else answer.status_code == 403
        if not as_said:
            wrong.append(
                f"{method} {address.path} by {name}: {answer.status_code} {answer.headers.get('Location', '')}"
            )
    assert wrong == []


def test_a_form_from_elsewhere_is_taken_nowhere(press: Any) -> None:
    """Every address that takes forms, signed in and without the token of the page: the protection is never off."""
    press([LANTERN])
    client = people.signed_in(Client(enforce_csrf_checks=True, raise_request_exception=False), people.operator())
    taken = []
    for address in addresses():
        rule = address.rule
        if rule is None or rule.writes is None or address.path.startswith(_BY_TOKEN + _BY_SECRET):
            continue
        answer = client.post(address.path, {"paper": "2401.00001", "what": "cast"})
        if answer.status_code != 403:
            taken.append(f"{address.path}: {answer.status_code}")
    assert taken == []
