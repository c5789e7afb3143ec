"""What this paper is, how it ranks, its keys, and the papers saved on the reader's device."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from broadsheet import links
from broadsheet.community.rules import voting
from broadsheet.editions.rules import ranking as rules
from broadsheet.web.rendering import page


@dataclass(frozen=True, slots=True)
class Judged:
    """A way of ordering a morning's list, and its nDCG@10 against the votes of the evening, from 0 to 1."""

    name: str
    record: str
    ndcg: float


@dataclass(frozen=True, slots=True)
class Backtest:
    """What the page tells of `make bench-ranking`; a test holds it to the benchmark's record."""

    days: int
    papers: int
    first: date
    last: date
    orders: tuple[Judged, ...]


BACKTEST = Backtest(
    days=368,
    papers=5474,
    first=date(2024, 7, 26),
    last=date(2025, 12, 31),
    orders=(
        Judged("At random", "random", 0.58),
        Judged("As above, before anybody has voted", "rule", 0.63),
        Judged("The newest first", "newest", 0.64),
        Judged("By words of title and abstract that were liked before", "text", 0.71),
        Judged("The most authors first", "team", 0.72),
        Judged("By authors whose papers were liked before", "authors", 0.74),
        Judged("By all of that together", "all", 0.77),
    ),
)


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    """What Broadsheet is and whose words it prints."""
    return page(request, "pages/about.html", {}, canonical=links.ABOUT)


@require_safe
def ranking(request: HttpRequest) -> HttpResponse:
    """The formulas by which papers are ordered and votes are counted, from the tables that do so."""
    values = {
        "reasons": list(rules.REASONS.values()),
        "value": rules.PARAMETERS,
        "parameters": rules.printed_parameters(),
        "history": rules.HISTORY,
        "transitions": list(voting.TRANSITIONS.values()),
        "rings": list(voting.RING_WORDS.values()),
        "ring_parameters": voting.ring_parameters(),
        "backtest": BACKTEST,
    }
    return page(request, "pages/ranking.html", values, canonical=links.RANKING)


@require_safe
def keys(request: HttpRequest) -> HttpResponse:
    """The keys, and the switch that turns them off."""
    return page(request, "pages/keys.html", {}, canonical=links.SHORTCUTS)


@require_safe
def saved(request: HttpRequest) -> HttpResponse:
    """The place where the browser shows what it keeps; the server knows nothing of it."""
    return page(request, "pages/saved.html", {}, canonical=links.SAVED)
