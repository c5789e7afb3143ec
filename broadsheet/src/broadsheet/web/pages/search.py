"""Results of a search, and the page that explains how to search."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_safe
from markupsafe import Markup, escape

from broadsheet import links
from broadsheet.papers import queries as papers
from broadsheet.papers import tasks
from broadsheet.search import highlight
from broadsheet.search.index import MAX_DEPTH, Facet, Index, IndexUnavailable, Results
from broadsheet.search.query import Query, Sort, parse
from broadsheet.web import addresses, cards, paging, wording
from broadsheet.web.pages.listing import text_of
from broadsheet.web.rendering import page

log = logging.getLogger("broadsheet.web.search")

PER_PAGE = 20
_EXCERPT = 320
_FACETS = 8

# An index that lacks this many entries of the journal is being built, and a reader should know; with fewer it is only
# a moment behind.
_FAR_BEHIND = 500


@dataclass(frozen=True, slots=True)
class Narrowing:
    """A link that narrows the search: its name, how many papers are left, and the address."""

    name: str
    count: int
    url: str


def index() -> Index:
    """The index that the settings name, opened once for each process."""
    return _opened(str(settings.BROADSHEET_INDEX))


@lru_cache(maxsize=1)
def _opened(_folder: str) -> Index:
    return tasks.open_index()


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """The papers that match, 20 on a page; an identifier leads straight to its paper."""
    typed = text_of(request, "q")
    query = parse(typed)
    if text_of(request, "sort") == Sort.NEWEST:
        query = replace(query, sort=Sort.NEWEST)
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
    number = paging.page_number(request)
    try:
        behind = _behind(index())
        results = index().search(
            query, limit=PER_PAGE, offset=(number - 1) * PER_PAGE, facets=(Facet.CATEGORY, Facet.YEAR)
        )
    except IndexUnavailable as error:
        log.warning("search is not possible now: %s", error, exc_info=error.__cause__)
        values = {"query": typed, "sentence": str(error), "building": isinstance(error, _BeingBuilt), "noindex": True}
        return page(request, "pages/search_unavailable.html", values, status=503)
    return _answer(request, typed, query, _Found(results, number, behind))


@dataclass(frozen=True, slots=True)
class _Found:
    """One page of an answer, its number, and how many entries of the journal the index lacks if they are many."""

    results: Results
    number: int
    behind: int


class _BeingBuilt(IndexUnavailable):
    """The index holds nothing yet although there are papers; it fills by itself."""


def _behind(known: Index) -> int:
    """How many entries of the journal the index lacks when they are many, else 0. Raises _BeingBuilt when it is empty.

    The difference of the numbers is never less than the count, and is far cheaper.
    """
    cursor = known.cursor()
    most = papers.last_change() - cursor
    empty = most > 0 and known.count() == 0
    behind = papers.unread(cursor) if empty or most > _FAR_BEHIND else 0
    if empty and behind:
        everything = papers.unread(0)
        raise _BeingBuilt(
            f"The index is being built: {wording.number(everything - behind)} of "
            f"{wording.count(everything, 'change')} are in it. Try again in a minute."
        )
    return behind if behind > _FAR_BEHIND else 0


def _answer(request: HttpRequest, typed: str, query: Query, found: _Found) -> HttpResponse:
    results, number = found.results, found.number
    # A parameter and the word sort: in the text ask for the same; the text stays as it was typed.
    newest = Sort.NEWEST if text_of(request, "sort") == Sort.NEWEST else None

    def address(of_page: int) -> str:
        return addresses.with_query(links.SEARCH, q=typed, sort=newest, page=of_page)

    if (number - 1) * PER_PAGE >= MAX_DEPTH:
        raise Http404(f"An answer is shown to its {wording.number(MAX_DEPTH)}th paper. Narrow the search instead.")
    pages = paging.pages(number, min(results.total, MAX_DEPTH), address, per_page=PER_PAGE)
    corrected = [right for _, right in results.corrections]
    loaded = {card.paper.id: card for card in cards.load(hit.pk for hit in results.hits)}
    values = {
        "query": typed,
        "asked": query,
        "sentence": query.in_words(),
        "results": results,
        "behind": found.behind,
        "cards": [_marked(card, query, corrected) for card in loaded.values()],
        "missing": len(results.hits) - len(loaded),
        "pages": pages,
        "start": (number - 1) * PER_PAGE + 1,
        "categories": _narrowings(query, results.facets.get(Facet.CATEGORY, []), "category"),
        "years": _narrowings(query, results.facets.get(Facet.YEAR, []), "year"),
        "by_relevance": addresses.with_query(links.SEARCH, q=str(replace(query, sort=Sort.RELEVANCE))),
        "by_date": addresses.with_query(links.SEARCH, q=str(replace(query, sort=Sort.NEWEST))),
        "noindex": True,
    }
    return page(request, "pages/search.html", values)


def _marked(card: cards.Card, query: Query, corrected: Sequence[str]) -> cards.Card:
    """The card with what was searched for marked in its title and in the best part of its text."""
    title = cards.plain(card.paper.title)
    text = cards.plain(card.paper.abstract or card.paper.summary)
    spans = highlight.marks(text, query, also=corrected)
    start, end = highlight.excerpt(text, spans, length=_EXCERPT)
    shown = _with_marks(text, spans, start, end)
    found = highlight.marks(title, query, also=corrected)
    # Marks are counted in plain text, so a title with marks is printed as plain text; one without keeps its formulae.
    heading = _with_marks(title, found, 0, len(title)) if found else None
    return replace(card, highlight=shown, heading=heading)


def _with_marks(text: str, spans: Sequence[highlight.Span], start: int, end: int) -> Markup:
    """The part of a text from `start` to `end` as HTML, with an ellipsis where it was cut."""
    parts = [Markup("… ")] if start else []
    place = start
    for first, last in spans:
        if first < place or last > end:
            continue
        parts += [escape(text[place:first]), Markup("<mark>{}</mark>").format(text[first:last])]
        place = last
    parts.append(escape(text[place:end]))
    return Markup("").join([*parts, *([Markup(" …")] if end < len(text) else [])])


def _narrowings(query: Query, counted: Sequence[tuple[str, int]], field: str) -> list[Narrowing]:
    """Links that add one category or year to the search; none when it has one already, or when there is no choice."""
    chosen = query.categories if field == "category" else query.since or query.until
    if chosen or len(counted) < 2:
        return []
    return [
        Narrowing(
            wording.section_name(value) if field == "category" else value,
            count,
            addresses.with_query(links.SEARCH, q=f"{query} {field}:{value}"),
        )
        for value, count in counted[:_FACETS]
    ]
