"""Who may ask what: every address has a rule, and the gate lets nobody past it.

A rule is the role that one needs; what depends on the thing asked for (her own comment, a member of the group) is
decided by the action or query that knows it, and said here in words for the matrix of permissions that tests read.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import ResolverMatch

from broadsheet.accounts.rules import Ground, Person, Refused, Role
from broadsheet.papers import queries as papers
from broadsheet.web import rates, viewing
from broadsheet.web.pages import refusals

_log = logging.getLogger(__name__)

View = Callable[..., HttpResponseBase]


class Who(StrEnum):
    """Whom a page is for: `ANYONE` needs no account, the others have at least that role."""

    ANYONE = "anyone"
    READER = Role.READER.value
    CURATOR = Role.CURATOR.value
    MODERATOR = Role.MODERATOR.value
    OPERATOR = Role.OPERATOR.value


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may look (GET, HEAD) and who may change (POST and others); None where nothing can be changed.

    `further` says in words what the view decides beside that, for example "its author or a moderator". `policy` is the
    name of the rates under which changes are counted, for the person and for her network; see web.rates.WRITING.
    """

    reads: Who
    writes: Who | None = None
    further: str = ""
    policy: str = ""


OPEN = Rule(Who.ANYONE)
READERS = Rule(Who.READER, Who.READER, policy="account")

_MARK = "broadsheet_rule"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_STATUS = {
    Ground.NOT_ALLOWED: HTTPStatus.FORBIDDEN,
    Ground.NOT_THERE: HTTPStatus.NOT_FOUND,
    Ground.NOT_UNDERSTOOD: HTTPStatus.UNPROCESSABLE_ENTITY,
    Ground.TOO_MUCH: HTTPStatus.TOO_MANY_REQUESTS,
    Ground.TAKEN: HTTPStatus.CONFLICT,
}

# Views of other packages, by the names of their routes; whole namespaces end in a colon.
FOREIGN: dict[str, Rule] = {"admin:": Rule(Who.OPERATOR, Who.OPERATOR)}


def guarded(view: View, rule: Rule) -> View:
    """The view with its rule, which the gate reads."""

    @wraps(view)
    def answer(request: HttpRequest, *values: Any, **names: Any) -> HttpResponseBase:
        return view(request, *values, **names)

    setattr(answer, _MARK, rule)
    return answer


def rule_of(view: View, match: ResolverMatch) -> Rule | None:
    """The rule of a view; None where nobody has written one, and the gate is shut."""
    own: Rule | None = getattr(view, _MARK, None)
    if own is not None:
        return own
    return FOREIGN.get(match.view_name) or FOREIGN.get(f"{match.namespace}:")


class Gate:
    """Middleware: asks the rule of the view before the view, and makes pages of what actions refuse."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The answer of the view, or why there is none."""
        if request.method not in _SAFE:
            return self.get_response(request)
        with papers.remembering_families():
            return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: View, _values: tuple[Any, ...], names: dict[str, Any]
    ) -> HttpResponseBase | None:
        """None where the person may pass, else the answer that says why not. An address without a rule is shut."""
        if not request.path.startswith(_PROGRAMS) and _holds_zero_bytes(request, names):
            return refusals.refused(request, refusals.ZERO_BYTE, status=HTTPStatus.NOT_FOUND)
        return refusal(request, view, request.resolver_match) if request.resolver_match else None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """The page of what an action refused; other errors go on."""
        if not isinstance(error, Refused):
            return None
        return refusals.refused(request, str(error), status=_STATUS[error.ground])


# Programs are told in their own way what is wrong with what they sent.
_PROGRAMS = ("/api/", "/mcp")


def _holds_zero_bytes(request: HttpRequest, names: dict[str, Any]) -> bool:
    """Whether an address or a form holds a zero byte: nothing that we store has one, and PostgreSQL refuses to look."""
    sent = () if request.method in _SAFE else (text for _, texts in request.POST.lists() for text in texts)
    return any("\0" in str(text) for text in (*names.values(), *sent))


def refusal(request: HttpRequest, view: View, match: ResolverMatch) -> HttpResponse | None:
    """Why the person may not ask this view; None where she may. Whoever calls a view for another view asks here too."""
    rule = rule_of(view, match)
    if rule is None:
        _log.error("%s has no rule in broadsheet.web.access and is shut", match.route)
        return refusals.refused(request, refusals.SHUT, status=HTTPStatus.FORBIDDEN)
    needed = rule.reads if request.method in _SAFE else rule.writes
    refused = None if needed is None or needed is Who.ANYONE else _unless(request, needed, viewing.viewer(request))
    if refused is None and rule.policy and request.method not in _SAFE:
        return _counted(request, rates.WRITING[rule.policy])
    return refused


def _counted(request: HttpRequest, policy: rates.Policy) -> HttpResponse | None:
    """The answer to one change too many; None for one that may be made. Alone on this machine nobody is counted."""
    person = viewing.viewer(request) if settings.BROADSHEET_ACCOUNTS else None
    standing = rates.spent(request, policy, rates.of_person(person.id) if person else "")
    return refusals.too_often(request, standing) if standing else None


def _unless(request: HttpRequest, needed: Who, person: Person | None) -> HttpResponse | None:
    if person is None:
        return refusals.sign_in_first(request)
    if person.is_a(Role(needed.value)):
        return None
    return refusals.refused(request, refusals.WANTS[needed.value], status=HTTPStatus.FORBIDDEN)
