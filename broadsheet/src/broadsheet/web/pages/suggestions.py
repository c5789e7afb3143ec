"""What somebody may want who has typed a part of a search: papers by their titles, and names that narrow the search."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from broadsheet import links
from broadsheet.bibliography.taxonomy import CATEGORIES
from broadsheet.search.index import Index, IndexUnavailable, Name, Suggestion
from broadsheet.search.query import parse
from broadsheet.web import addresses, cards, filters, wording
from broadsheet.web.pages.listing import text_of
from broadsheet.web.pages.search import index

log = logging.getLogger("broadsheet.web.search")

# A browser asks again at every key, and often for the same: going back a letter costs nothing for so many seconds.
CACHING = "public, max-age=60"

LONGEST = 200
_SHORTEST = 2
_PAPERS = 4
_NAMES = 2
# Of one kind of name, when the field of the query language says that nothing else is wanted.
_NAMES_ONLY = 7

# How many of the last words may be the beginning of a name, and the fewest letters of one word alone.
_MOST_WORDS = 3
_SHORTEST_WORD = 3

_KINDS = {Name.AUTHOR: "Author", Name.CATEGORY: "Section", Name.VENUE: "Venue"}
_FIELD = re.compile(r'(?:^|\s)(author|category|section|venue):\s?"?([^":]*)$', re.IGNORECASE)

Found = dict[str, str]


@require_safe
def suggestions(request: HttpRequest) -> HttpResponse:
    """Suggestions for the text ``q``, as JSON; none when the index cannot answer. Costs one query of the database."""
    typed = " ".join(text_of(request, "q").split())[:LONGEST]
    try:
        found = list(_suggested(index(), typed)) if len(typed) >= _SHORTEST else []
    except IndexUnavailable as error:
        log.info("no suggestions now: %s", error)
        found = []
    response = JsonResponse({"query": typed, "suggestions": found})
    response.headers["Cache-Control"] = CACHING
    return response


def _suggested(known: Index, typed: str) -> Iterator[Found]:
    """Papers with such titles, then names; only names of one kind behind the field of that kind."""
    field = _FIELD.search(typed)
    if field:
        kind = Name.CATEGORY if field[1].lower() == "section" else Name(field[1].lower())
        yield from _names(known, typed[: field.start()], field[2], kind)
        return
    yield from _papers(known.suggest(typed, limit=_PAPERS))
    words = typed.split(" ")
    for number in range(min(len(words), _MOST_WORDS), 0, -1):
        end = " ".join(words[-number:])
        if len(words) > 1 and len(end) < _SHORTEST_WORD:
            break
        named = list(_names(known, " ".join(words[:-number]), end))
        yield from named
        if named:
            break


def _papers(ids: list[int]) -> Iterator[Found]:
    """Papers by their titles, which lead to their pages."""
    for card in cards.load(ids):
        first = [author.name for author in card.authors[:1]]
        others = " and others" if card.more_authors or len(card.authors) > 1 else ""
        year = str(card.paper.announced or card.paper.submitted)[:4]
        note = ", ".join([*(name + others for name in first), *filter(None, [year])])
        yield {"kind": "Paper", "text": card.title_text, "note": note, "url": card.url}


def _names(known: Index, before: str, end: str, only: Name | None = None) -> Iterator[Found]:
    """Names that go on like `end`, which lead to the search for what stands `before` narrowed by them."""
    limit = _NAMES if only is None else _NAMES_ONLY
    found = known.suggest_names(end, limit=limit) if len(end) >= _SHORTEST else []
    if only in (None, Name.CATEGORY):
        found += _by_their_names(known, end, {name.text for name in found}, limit)
    query = parse(before)
    for name in found:
        narrowed = filters.narrowed(query, name.kind, name.text)
        # What cannot be written in the query language cannot stand in an address.
        if only in (None, name.kind) and parse(str(narrowed)) == narrowed:
            yield {
                "kind": _KINDS[name.kind],
                "text": _printed(name),
                "note": wording.count(name.papers, "paper"),
                "url": addresses.with_query(links.SEARCH, q=str(narrowed)),
            }


def _printed(name: Suggestion) -> str:
    """A category of arXiv by its name and its code, a section by its name."""
    if name.kind is not Name.CATEGORY:
        return name.text
    return wording.category_name(name.text) if name.text in CATEGORIES else wording.section_name(name.text)


def _by_their_names(known: Index, end: str, taken: set[str], limit: int) -> Iterator[Suggestion]:
    """Categories whose names have a word that begins like `end`: readers know them by those, the index by codes."""
    if len(end) < _SHORTEST_WORD:
        return
    wanted = re.compile(rf"\b{re.escape(end)}", re.IGNORECASE)
    codes = [code for code, name in CATEGORIES.items() if wanted.search(name) and code not in taken][:limit]
    for code in codes:
        for name in known.suggest_names(code, limit=1):
            if name.kind is Name.CATEGORY and name.text == code:
                yield name
