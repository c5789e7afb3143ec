"""The lists of papers that have a feed: each is found by the address of its page, and read in parts of a stated size.

A list has the same papers in the same order as its page, but for a search: its feed has the newest first, as a reader
of a feed wants to hear of what is new.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from django.http import Http404, HttpRequest

from broadsheet import links
from broadsheet.bibliography import names
from broadsheet.editions import queries as editions
from broadsheet.editions.rules import Kind
from broadsheet.papers import queries as papers
from broadsheet.search.index import MAX_DEPTH
from broadsheet.search.query import Query, Sort, parse
from broadsheet.web import addresses, cards, paging, searching, wording
from broadsheet.web.pages.listing import Question, refuse_zero_bytes, text_of
from broadsheet.web.pages.search import index

# Editions of days that the feed of all editions tells of, and closed ones that the feed of the front page looks at.
EDITIONS = 20
_EARLIER = 3
# Papers in the list of those related to one.
RELATED = 20


@dataclass(frozen=True, slots=True)
class Head:
    """An edition and what is known of how complete it is."""

    edition: editions.Edition
    audit: editions.Audit

    @property
    def name(self) -> str:
        """What it is called: ``20 November 2026``."""
        return wording.edition_name(self.edition.kind, self.edition.label)

    @property
    def path(self) -> str:
        """The address of its page."""
        return addresses.edition(self.edition.kind, self.edition.label)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a list: which papers, of which list, and where the other parts are.

    `name` tells lists apart for ever, `page` is the address of the list's page. `places` are the entries of an edition
    by paper. `heads` are editions that the list tells of, its own first. Addresses of parts are those of the page:
    `first` is empty in the first part.
    """

    name: str
    title: str
    page: str
    ids: tuple[int, ...] = ()
    total: int = 0
    heads: tuple[Head, ...] = ()
    places: Mapping[int, editions.Entry] = field(default_factory=dict)
    here: str = ""
    first: str = ""
    previous: str = ""
    next: str = ""
    last: str = ""

    @property
    def address(self) -> str:
        """The address of this part: that of the page, and the place in the list."""
        return self.here or self.page

    @property
    def edition(self) -> Head | None:
        """The edition that this is a list of."""
        return self.heads[0] if self.heads and self.places else None


Finder = Callable[..., Part]


# --- Editions --------------------------------------------------------------------------------------------------------


def front(request: HttpRequest, limit: int) -> Part:
    """The newest edition, as on the front page, with the closed ones before it that changed lately.

    Raises Http404 when there is none, or no such part of it.
    """
    edition = editions.front()
    if edition is None or not edition.size:
        raise Http404("There is no edition yet.")
    part = _part(request, edition, limit, page=links.FRONT)
    earlier = editions.archive(Kind.DAY, before=edition.start, limit=_EARLIER) if edition.kind is Kind.DAY else []
    changed = [head for head in map(_head, earlier) if head.audit.changes]
    return replace(part, name="front", title="The newest edition", heads=(*part.heads, *changed))


def day(request: HttpRequest, limit: int, *, day: str) -> Part:
    """The edition of a day. Raises Http404 when there is none."""
    return _edition(request, Kind.DAY, day, limit)


def week(request: HttpRequest, limit: int, *, week: str) -> Part:
    """The edition of a week. Raises Http404 when there is none."""
    return _edition(request, Kind.WEEK, week, limit)


def month(request: HttpRequest, limit: int, *, month: str) -> Part:
    """The edition of a month. Raises Http404 when there is none."""
    return _edition(request, Kind.MONTH, month, limit)


def first(request: HttpRequest, limit: int) -> Part:
    """The edition that came with the program. Raises Http404 when there is none."""
    return _edition(request, Kind.FIRST, "first", limit)


def archive(_request: HttpRequest, limit: int) -> Part:
    """The editions of the last days, without their papers."""
    heads = tuple(map(_head, editions.archive(Kind.DAY, limit=min(limit, EDITIONS))))
    return Part("editions", "Editions", links.EDITIONS, heads=heads)


def _edition(request: HttpRequest, kind: Kind, label: str, limit: int) -> Part:
    edition = editions.edition_of(kind, label) if len(label) <= 10 and "\0" not in label else None
    if edition is None:
        raise Http404(f"There is no edition {label[:40]} here.")
    return _part(request, edition, limit, page=addresses.edition(kind, label))


def _part(request: HttpRequest, edition: editions.Edition, limit: int, *, page: str) -> Part:
    number = paging.page_number(request)
    pages = paging.pages(number, edition.size, lambda at: addresses.with_query(page, page=at), per_page=limit)
    entries = editions.entries(edition, offset=(number - 1) * limit, limit=limit)
    head = _head(edition)
    part = Part(
        name=f"edition/{edition.kind}/{edition.label}",
        title=head.name,
        page=page,
        ids=tuple(entry.paper_id for entry in entries),
        total=edition.size,
        heads=(head,),
        places={entry.paper_id: entry for entry in entries},
    )
    return numbered(part, pages)


def _head(edition: editions.Edition) -> Head:
    return Head(edition, editions.audit(edition))


def numbered(part: Part, pages: paging.Pages) -> Part:
    """The part with the addresses of the others, which have numbers."""
    return replace(
        part,
        here=pages.url(pages.number),
        first=pages.url(1) if pages.number > 1 else "",
        previous=pages.url(pages.previous) if pages.previous else "",
        next=pages.url(pages.next) if pages.next else "",
        last=pages.url(pages.last) if pages.last > 1 else "",
    )


# --- Sections, authors, related papers -------------------------------------------------------------------------------


def section(request: HttpRequest, limit: int, *, slug: str) -> Part:
    """The papers of a section, the newest first. Raises Http404 when it has none."""
    refuse_zero_bytes(slug)
    part = listed(request, papers.in_section, slug, limit, addresses.section(slug))
    if not part.total:
        raise Http404(f"No paper here belongs to a section called “{slug[:80]}”.")
    return replace(part, name=f"section/{slug}", title=wording.section_name(slug))


def author(request: HttpRequest, limit: int, *, slug: str) -> Part:
    """The papers on which an author of that name stands, the newest first. Raises Http404 when there is none."""
    refuse_zero_bytes(slug)
    name = papers.author_name(slug)
    if name is None:
        raise Http404("No paper here has an author of that name.")
    part = listed(request, papers.by_author, slug, limit, addresses.author(slug))
    return replace(part, name=f"author/{slug}", title=names.printed(name))


def listed(request: HttpRequest, ask: Question, slug: str, limit: int, page: str) -> Part:
    """A part of a list that is read with a cursor, its addresses those of `page`. Raises Http404 for no such place."""
    after = text_of(request, "after")
    try:
        listing = ask(slug, after=after or None, limit=limit)
    except (ValueError, OverflowError) as error:
        raise Http404("This address names no place in the list.") from error
    return Part(
        name="",
        title="",
        page=page,
        ids=tuple(listing.ids),
        total=listing.total,
        here=addresses.with_query(page, after=after),
        first=page if after else "",
        next=addresses.with_query(page, after=listing.next) if listing.next else "",
    )


def related(_request: HttpRequest, limit: int, *, key: str) -> Part:
    """The papers nearest in meaning to one, the newest first.

    Raises Http404 when the paper is not here, IndexUnavailable when the index cannot answer.
    """
    row = papers.find(key)
    if row is None:
        raise Http404(f"There is no paper {key[:80]} here.")
    hits = index().related(row.id, limit=min(limit, RELATED), sort=Sort.NEWEST)
    title = cards.Card(paper=row).title_text
    ids = tuple(hit.pk for hit in hits)
    return Part(
        name=f"related/{row.key}",
        title=f"Related to “{title}”",
        page=addresses.paper(row.key),
        here=addresses.related(row.key),
        ids=ids,
        total=len(ids),
    )


# --- Search ----------------------------------------------------------------------------------------------------------


class NothingAsked(Exception):
    """A search without words and filters finds everything and nothing."""


def search_newest(request: HttpRequest, limit: int) -> Part:
    """What a search finds, the newest first: the list of its feed. Raises as `search` does."""
    return _search(request, limit, newest=True)


def search(request: HttpRequest, limit: int) -> Part:
    """What a search finds, in the order that it asks for: the list of its citations.

    Raises NothingAsked, IndexUnavailable, also while the index is built, and Http404 when there is no such part.
    """
    return _search(request, limit, newest=False)


def _search(request: HttpRequest, limit: int, *, newest: bool) -> Part:
    typed, chosen = text_of(request, "q"), text_of(request, "sort")
    query = parse(typed)
    if query.empty:
        raise NothingAsked
    if newest or chosen == Sort.NEWEST:
        query = replace(query, sort=Sort.NEWEST)

    def address(**place: str | int) -> str:
        sort = Sort.NEWEST if chosen == Sort.NEWEST else None
        return addresses.with_query(links.SEARCH, q=typed, sort=sort, **place)

    part = Part(f"search/{typed}", f"Search: {typed}", address())
    known = _by_identifier(part, query)
    if known:
        return known
    searching.behind(index())
    after = text_of(request, "after")
    return _continued(part, query, limit, after, address) if after else _found(request, part, query, limit, address)


def _by_identifier(part: Part, query: Query) -> Part | None:
    """The one paper, where nothing but an identifier is searched for; it may not be in the index yet."""
    if query.identifier is None or not replace(query, identifier=None, sort=Sort.RELEVANCE).empty:
        return None
    row = papers.find(query.identifier.key)
    return replace(part, ids=(row.id,), total=1) if row else part


def _found(request: HttpRequest, part: Part, query: Query, limit: int, address: Callable[..., str]) -> Part:
    """A part by its number. The last one that has a number leads to one that begins behind a paper."""
    number = paging.page_number(request)
    if number * limit > MAX_DEPTH:
        raise Http404(
            f"Parts have numbers as far as the {wording.number(MAX_DEPTH)}th paper; from there on, each leads to the "
            "next."
        )
    results = index().search(query, limit=limit, offset=(number - 1) * limit)
    deepest = min(results.total, MAX_DEPTH // limit * limit)
    pages = paging.pages(number, deepest, lambda at: address(page=at), per_page=limit)
    found = numbered(replace(part, ids=tuple(hit.pk for hit in results.hits), total=results.total), pages)
    if results.total <= deepest:
        return found
    following = found.next or (address(after=results.next) if results.next else "")
    return replace(found, next=following, last="")


def _continued(part: Part, query: Query, limit: int, after: str, address: Callable[..., str]) -> Part:
    """The part behind the one whose `Results.next` is `after`. Raises Http404 when that is no place in the answer."""
    try:
        results = index().search(query, limit=limit, after=after)
    except ValueError as error:
        raise Http404(str(error)) from error
    return replace(
        part,
        ids=tuple(hit.pk for hit in results.hits),
        total=results.total,
        here=address(after=after),
        first=address(),
        next=address(after=results.next) if results.next else "",
    )
