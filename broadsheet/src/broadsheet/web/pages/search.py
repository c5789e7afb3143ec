"""Results of a search, why each of them was found, and the page that explains how to search."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_safe

from broadsheet import links
from broadsheet.evidence import queries as evidence
from broadsheet.papers import queries as papers
from broadsheet.papers import tasks
from broadsheet.search import highlight
from broadsheet.search.index import MAX_DEPTH, Facet, Index, IndexUnavailable
from broadsheet.search.query import Query, Sort, parse
from broadsheet.web import addresses, cards, excerpts, filters, paging, searching, viewing, wording
from broadsheet.web.following import Kind, button
from broadsheet.web.pages.listing import text_of
from broadsheet.web.rendering import page
from broadsheet.web.searching import Place

log = logging.getLogger("broadsheet.web.search")

PER_PAGE = 20
_EXCERPT = 320
_RELATED = 6


def index() -> Index:
    """The index that the settings name, opened once for each process."""
    return tasks.reader()


def related(paper_id: int) -> list[cards.Card]:
    """The papers nearest in meaning to one, the nearest first, `_RELATED` at most; none when the index cannot tell."""
    try:
        # A few more than are shown: what was merged since, or taken out, is dropped.
        near = index().related(paper_id, limit=_RELATED + 2)
    except IndexUnavailable as error:
        log.warning("related papers cannot be told now: %s", error, exc_info=error.__cause__)
        return []
    return [card for card in cards.load(hit.pk for hit in near) if card.paper.id != paper_id][:_RELATED]


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """The papers that match, 20 on a page; an identifier leads straight to its paper.

    Raises Http404 for a page that the answer does not have.
    """
    typed, query = _asked(request)
    if query.empty:
        values = {"query": typed, "asked": query, "noindex": bool(typed)}
        return page(request, "pages/search_help.html", values, canonical=links.SEARCH)
    if query.identifier and replace(query, identifier=None, sort=Sort.RELEVANCE).empty:
        row = papers.find(query.identifier.key)
        if row:
            return HttpResponseRedirect(addresses.paper(row.key))
        return page(
            request, "pages/search_unknown.html", {"query": typed, "identifier": query.identifier, "noindex": True}
        )
    after = text_of(request, "after")
    place = Place(PER_PAGE, after=after) if after else Place(PER_PAGE, paging.page_number(request))
    facets = () if after else (Facet.CATEGORY, Facet.VENUE, Facet.YEAR)
    try:
        answer = searching.ask(index(), query, place, facets=facets)
    except ValueError as error:
        raise Http404(str(error)) from error
    except IndexUnavailable as error:
        return _unavailable(request, typed, error)
    return _answer(request, typed, answer, place)


@require_safe
def why(request: HttpRequest) -> HttpResponse:
    """Why a search finds a paper where it does: its score, taken apart. Raises Http404 for what cannot be explained."""
    typed, query = _asked(request)
    key = text_of(request, "paper")
    row = papers.find(key)
    if query.empty or row is None:
        raise Http404("This address names no search and no paper that is here.")
    try:
        explanation = index().explain(query, row.id)
    except IndexUnavailable as error:
        return _unavailable(request, typed, error)
    if explanation is None:
        raise Http404("This search does not find this paper.")
    values = {
        "query": typed,
        "sentence": query.in_words(),
        "card": cards.Card(row),
        "explanation": explanation,
        "results": addresses.with_query(links.SEARCH, q=str(query)),
        "noindex": True,
    }
    return page(request, "pages/search_why.html", values)


def _asked(request: HttpRequest) -> tuple[str, Query]:
    """What was typed, and what that asks for; a parameter and the word sort: in the text ask for the same."""
    typed = text_of(request, "q")
    query = parse(typed)
    chosen = _chosen_order(request)
    return typed, replace(query, sort=chosen) if chosen else query


def _chosen_order(request: HttpRequest) -> Sort | None:
    """The order that the address asks for beside the text; None without one, and for what is none."""
    found = text_of(request, "sort")
    return Sort(found) if found in set(Sort) - {Sort.RELEVANCE} else None


def _unavailable(request: HttpRequest, typed: str, error: IndexUnavailable) -> HttpResponse:
    log.warning("search is not possible now: %s", error, exc_info=error.__cause__)
    building = isinstance(error, searching.BeingBuilt)
    values = {"query": typed, "sentence": str(error), "building": building, "noindex": True}
    return page(request, "pages/search_unavailable.html", values, status=503)


def _answer(request: HttpRequest, typed: str, answer: searching.Answer, place: Place) -> HttpResponse:
    query, results = answer.query, answer.results
    # A parameter and the word sort: in the text ask for the same; the text stays as it was typed.
    order = _chosen_order(request)

    def address(of_page: int) -> str:
        return addresses.with_query(links.SEARCH, q=typed, sort=order, page=of_page)

    if place.offset >= MAX_DEPTH:
        raise Http404(
            f"Pages have numbers as far as the {wording.number(MAX_DEPTH)}th paper; from there on, each leads to the "
            "next. Narrow the search instead."
        )
    pages = paging.pages(place.number, min(results.total, MAX_DEPTH), address, per_page=PER_PAGE)
    goes_on = bool(results.next) and (bool(place.after) or place.number == pages.last)
    corrected = [right for _, right in results.corrections]
    attended = cards.attended(viewing.viewer(request), answer.cards)
    values = {
        "query": typed,
        "asked": query,
        "sentence": query.in_words(),
        "follow": button(request, Kind.SEARCH, str(query), name=typed),
        "answer": answer,
        "total": results.total,
        "found": [_marked(card, query, corrected) for card in attended],
        "whys": {card.paper.id: _why(query, card) for card in attended},
        "place": place,
        "pages": pages,
        "first": address(1),
        "following": addresses.with_query(links.SEARCH, q=typed, sort=order, after=results.next) if goes_on else "",
        "chosen": list(filters.chosen(query)),
        "narrowings": [*filters.narrowings(query, results.facets), *_held_up(query, place)],
        "orders": _orders(query),
        "noindex": True,
    }
    return page(request, "pages/search.html", values)


def _held_up(query: Query, place: Place) -> list[tuple[str, list[filters.Narrowing]]]:
    """The link to those of which a claim held up, where some did. Costs a search, on first pages alone."""
    if query.holds is not None or place.after or place.number > 1 or not evidence.latest(1):
        return []
    count = index().search(replace(query, holds=True), limit=0).total
    return [filters.held_up(query, count)] if count else []


def _why(query: Query, card: cards.Card) -> str:
    """The address that tells why a paper is where it is; empty where the order is by day and needs no reason."""
    if query.sort is not Sort.RELEVANCE or not (query.words or query.phrases or query.identifier):
        return ""
    return addresses.with_query(links.WHY, q=str(query), paper=card.paper.key)


def _orders(query: Query) -> list[tuple[str, str, bool]]:
    """Each order that the answer can have: its name, its address, and whether it is the present one."""
    if not (query.words or query.phrases):
        return []
    names = {
        Sort.RELEVANCE: "Best match first",
        Sort.NEWEST: "Newest first",
        Sort.VOTES: "Most votes first",
        Sort.TRENDING: "Trending first",
    }
    return [
        (name, addresses.with_query(links.SEARCH, q=str(replace(query, sort=sort))), query.sort is sort)
        for sort, name in names.items()
    ]


def _marked(card: cards.Card, query: Query, corrected: Sequence[str]) -> cards.Card:
    """The card with what was searched for marked in its title and in the best part of its text."""
    title = cards.plain(card.paper.title)
    text = cards.plain(card.paper.abstract or card.paper.summary)
    spans = highlight.marks(text, query, also=corrected)
    start, end = highlight.excerpt(text, spans, length=_EXCERPT)
    shown = excerpts.marked(text, spans, start, end)
    found = highlight.marks(title, query, also=corrected)
    # Marks are counted in plain text, so a title with marks is printed as plain text; one without keeps its formulae.
    heading = excerpts.marked(title, found) if found else None
    return replace(card, highlight=shown, heading=heading)
