"""The papers that rise: the last days' votes, faded, and compared inside their fields."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from broadsheet import links
from broadsheet.editions import queries as editions
from broadsheet.web import cards, paging, viewing
from broadsheet.web.hiding import Sieve
from broadsheet.web.rendering import page


@require_safe
def trending(request: HttpRequest) -> HttpResponse:
    """The papers that rise most, as many as a page holds, each with the reason for its place."""
    rising = editions.trending(limit=paging.PER_PAGE)
    why = {trend.paper_id: trend.why for trend in rising}
    sieve = Sieve(request)
    shown = sieve.shown(cards.load_for(viewing.viewer(request), why))
    return page(request, "pages/trending.html", {"cards": shown, "why": why, "sieve": sieve}, canonical=links.TRENDING)
