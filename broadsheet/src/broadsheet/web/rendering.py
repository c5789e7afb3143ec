"""From a template and its values to an answer."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render as django_render
from django.utils.cache import patch_vary_headers
from django.utils.functional import SimpleLazyObject

from broadsheet import links
from broadsheet.web import addresses, viewing

# What one person sees is kept by nobody else, and by her browser only to ask whether it is still the newest.
PRIVATE = "private, no-cache"

# Anybody may keep a page, and asks whether it is still the newest each time. The answer carries an ETag made from
# the whole page, so the question costs us the page but the reader nothing.
CACHING = "public, no-cache"


def page(
    request: HttpRequest, template: str, values: Mapping[str, Any], *, canonical: str = "", status: int = 200
) -> HttpResponse:
    """The template filled with `values`. `canonical` is the path of the one address under which the page is known."""
    person = viewing.viewer(request)
    context = {
        "canonical": request.build_absolute_uri(canonical) if canonical else "",
        "twin": addresses.in_form(request.get_full_path(), "md") if status == HTTPStatus.OK else "",
        **values,
    }
    response = django_render(request, template, context, status=status)
    response.headers["Cache-Control"] = PRIVATE if person else CACHING
    patch_vary_headers(response, ("Cookie",))
    return response


def everywhere(request: HttpRequest) -> dict[str, Any]:
    """What every template is given besides the values of its view, those too whose views are not ours.

    Who asks for a host that is not ours is nobody: a page elsewhere may have led a browser here. A page that tells of
    an error is printed without a database too.
    """
    try:
        request.get_host()
        here = request.get_full_path()
        said = {
            "viewer": viewing.viewer(request),
            "accounts": settings.BROADSHEET_ACCOUNTS,
            "sends_mail": settings.BROADSHEET_MAIL,
            # One for the page: Django would make another one for each of its forms.
            "csrf_token": SimpleLazyObject(partial(get_token, request)),
        }
    except (DisallowedHost, DatabaseError):
        return {"viewer": None, "accounts": False, "sends_mail": False, "here": "", "back": "", "way_in": ""}
    return {**said, "here": request.path, "back": here, "way_in": f"{links.SIGN_IN}?next={quote(here)}"}
