"""What this paper is, how it ranks, its keys, and the papers saved on the reader's device."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from broadsheet import links
from broadsheet.editions.rules import REASONS
from broadsheet.web.rendering import page


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    """What Broadsheet is and whose words it prints."""
    return page(request, "pages/about.html", {}, canonical=links.ABOUT)


@require_safe
def ranking(request: HttpRequest) -> HttpResponse:
    """The formula by which editions are ordered, from the table that orders them."""
    return page(request, "pages/ranking.html", {"reasons": list(REASONS.values())}, canonical=links.RANKING)


@require_safe
def keys(request: HttpRequest) -> HttpResponse:
    """The keys, and the switch that turns them off."""
    return page(request, "pages/keys.html", {}, canonical=links.SHORTCUTS)


@require_safe
def saved(request: HttpRequest) -> HttpResponse:
    """The place where the browser shows what it keeps; the server knows nothing of it."""
    return page(request, "pages/saved.html", {}, canonical=links.SAVED)
