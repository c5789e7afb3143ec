"""From a template and its values to an answer."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render as django_render

from broadsheet.web import addresses

# Anybody may keep a page, and asks whether it is still the newest each time. The answer carries an ETag made from
# the whole page, so the question costs us the page but the reader nothing.
CACHING = "public, no-cache"


def page(
    request: HttpRequest, template: str, values: Mapping[str, Any], *, canonical: str = "", status: int = 200
) -> HttpResponse:
    """The template filled with `values`. `canonical` is the path of the one address under which the page is known."""
    context = {
        "here": request.path,
        "canonical": request.build_absolute_uri(canonical) if canonical else "",
        "twin": addresses.in_form(request.get_full_path(), "md") if status == HTTPStatus.OK else "",
        **values,
    }
    response = django_render(request, template, context, status=status)
    response.headers["Cache-Control"] = CACHING
    return response
