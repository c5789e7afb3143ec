"""The table of all endpoints, and the routes that are made of it."""

from __future__ import annotations

import re
from typing import Any

from django.urls import URLPattern, re_path
from django.views.decorators.csrf import csrf_exempt

from broadsheet import links
from broadsheet.web.access import Rule, Who, guarded
from broadsheet.web.api import about, editions, evidence, export, following, lists, papers, people, search, status
from broadsheet.web.api.endpoint import Endpoint, nothing_here, view

# The order matters where one address could be another: what is special comes before what is general.
ENDPOINTS: tuple[Endpoint[Any], ...] = about.endpoints(
    (
        *search.ENDPOINTS,
        *export.ENDPOINTS,
        *evidence.ENDPOINTS,
        *people.ENDPOINTS,
        *following.ENDPOINTS,
        *papers.ENDPOINTS,
        *editions.ENDPOINTS,
        *lists.ENDPOINTS,
        *status.ENDPOINTS,
    )
)

# Identifiers and names of sections hold slashes.
# Programs say who they are by a token, which each endpoint asks for; cookies of browsers count for nothing here, so
# that no page elsewhere can use them.
_RULE = Rule(Who.ANYONE, Who.ANYONE, "the scope of its token, endpoint by endpoint")

_NAMES = {"key": r"[\s\S]+", "slug": r"[\s\S]+", "label": "[^/]+", "number": "[0-9]{1,15}"}


def _route(path: str, endpoints: list[Endpoint[Any]]) -> URLPattern:
    stem = re.sub(r"\\\{(\w+)\\\}", _group, re.escape(path.removeprefix("/")))
    return re_path(rf"^{stem}\Z", guarded(csrf_exempt(view(endpoints)), _RULE))


def _group(match: re.Match[str]) -> str:
    return f"(?P<{match[1]}>{_NAMES[match[1]]})"


def _by_path() -> dict[str, list[Endpoint[Any]]]:
    found: dict[str, list[Endpoint[Any]]] = {}
    for endpoint in ENDPOINTS:
        found.setdefault(endpoint.path, []).append(endpoint)
    return found


urlpatterns = [
    *(_route(path, endpoints) for path, endpoints in _by_path().items()),
    re_path(rf"^{re.escape(links.API.removeprefix('/'))}(?:/[\s\S]*)?\Z", guarded(csrf_exempt(nothing_here), _RULE)),
]
