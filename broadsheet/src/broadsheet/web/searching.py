"""One search as every surface tells it: the page and the command say the same, in the same sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from broadsheet import links
from broadsheet.community.queries import votes
from broadsheet.editions import queries as editions
from broadsheet.evidence import queries as evidence
from broadsheet.papers import queries as papers
from broadsheet.search import analysis
from broadsheet.search.index import MAX_DEPTH, Facet, Hit, Index, IndexUnavailable, Results
from broadsheet.search.query import Query, Sort, parse
from broadsheet.web import addresses, cards, wording

# An index that lacks this many entries of the journal is being built, and a reader should know; with fewer it is only
# a moment behind.
FAR_BEHIND = 500

# In an order by votes, so many papers are looked at, those with most votes.
MOST_VOTED = MAX_DEPTH

# In numbers, and between them and what they count, stand blanks at which no line may end.
_BLANKS = str.maketrans({"\u00a0": " ", "\u202f": " "})


class BeingBuilt(IndexUnavailable):
    """The index holds nothing yet although there are papers; it fills by itself."""


@dataclass(frozen=True, slots=True)
class Remark:
    """A sentence about a search. A link may follow it, or stand in it when there is an `end`."""

    text: str
    label: str = ""
    url: str = ""
    end: str = ""

    def __str__(self) -> str:
        """The sentence for a terminal: with the words of a link that is a part of it, without one that follows."""
        return plain(f"{self.text} {self.label}{self.end}" if self.end else self.text)


def plain(text: str) -> str:
    """The text with plain blanks, as a terminal and a program want it."""
    return text.translate(_BLANKS)


@dataclass(frozen=True, slots=True)
class Place:
    """A page of `size` papers in an answer: by its number, or behind the page whose `Results.next` is `after`."""

    size: int
    number: int = 1
    after: str = ""

    @property
    def offset(self) -> int:
        """How many papers stand before it, where that is known."""
        return (self.number - 1) * self.size


@dataclass(frozen=True, slots=True)
class Answer:
    """One page of an answer: what was found, the papers that could be loaded of it, and what is to be said of it.

    `behind` says how many entries of the journal the index lacks, where they are many; `missing` how many papers of
    this page the index has and the database has not.
    """

    query: Query
    results: Results
    cards: Sequence[cards.Card]
    behind: int = 0

    @property
    def missing(self) -> int:
        """How many papers of this page the index found and the database does not know."""
        return len(self.results.hits) - len(self.cards)

    @property
    def of_the_index(self) -> bool:
        """Whether the index put it in order, and can say why: not where votes did."""
        return self.query.sort not in _BY_PEOPLE

    @property
    def remarks(self) -> list[Remark]:
        """What a reader should know of how this was searched, in order."""
        return [*_of_the_text(self.query), *_of_the_answer(self.query, self.results, self.behind)]


def ask(index: Index, query: Query, place: Place, *, facets: Iterable[Facet] = ()) -> Answer:
    """Search and load. Raises IndexUnavailable, and ValueError with a sentence when `place` is not in the answer.

    BeingBuilt is raised instead of answering from an index that is still empty.
    """
    lacking = behind(index)
    if query.sort in _BY_PEOPLE:
        results = _by_people(index, query, place)
        return Answer(query, results, cards.load(hit.pk for hit in results.hits), lacking)
    results = index.search(query, limit=place.size, offset=place.offset, after=place.after, facets=facets)
    return Answer(query, results, cards.load(hit.pk for hit in results.hits), lacking)


def _by_people(index: Index, query: Query, place: Place) -> Results:
    """A page of the papers that match and that people voted for, in the order of their votes.

    The index knows no votes, so it is asked which of the papers with votes match. Raises ValueError when the place is
    none in such an answer.
    """
    voted = _BY_PEOPLE[query.sort]()
    matching = index.matching(query, voted)
    found = [paper_id for paper_id in voted if paper_id in matching]
    if place.after and not (place.after.isascii() and place.after.isdecimal() and len(place.after) < 6):
        raise ValueError("This address names no place in the answer. Search again.")
    start = int(place.after) if place.after else place.offset
    end = start + place.size
    hits = tuple(Hit(paper_id, 0.0) for paper_id in found[start:end])
    return Results(hits, len(found), next=str(end) if end < len(found) else "")


def _voted() -> list[int]:
    return votes.most_voted(limit=MOST_VOTED)


def _rising() -> list[int]:
    return [trend.paper_id for trend in editions.trending(limit=MOST_VOTED)]


_BY_PEOPLE: dict[Sort, Callable[[], list[int]]] = {Sort.VOTES: _voted, Sort.TRENDING: _rising}


def meant(query: Query, corrections: Iterable[tuple[str, str]]) -> Query:
    """The query with every word that was corrected in the spelling that was searched too."""
    spelled = dict(corrections)
    words: list[str] = []
    for word in query.words:
        parts = analysis.words(analysis.without_tex(word))
        changed = any(part in spelled for part in parts)
        words += [spelled.get(part, part) for part in parts] if changed else [word]
    return replace(query, words=tuple(words))


def behind(known: Index) -> int:
    """How many entries of the journal the index lacks when they are many, else 0. Raises BeingBuilt when it is empty.

    The difference of the numbers is never less than the count, and is far cheaper.
    """
    cursor = known.cursor()
    most = papers.last_change() - cursor
    empty = most > 0 and known.count() == 0
    lacking = papers.unread(cursor) if empty or most > FAR_BEHIND else 0
    if empty and lacking:
        everything = papers.unread(0)
        raise BeingBuilt(
            f"The index is being built: {wording.number(everything - lacking)} of "
            f"{wording.count(everything, 'change')} are in it. Try again in a minute."
        )
    return lacking if lacking > FAR_BEHIND else 0


def _of_the_text(query: Query) -> Iterable[Remark]:
    """What was not read of what somebody typed."""
    if query.unread:
        parts = ", ".join(f"“{part}”" for part in query.unread)
        yield Remark(f"Not understood as a filter, and searched as words: {parts}.", "How to search", links.SEARCH)
    if query.shortened:
        yield Remark(
            "Only the beginning of the search was read: it is longer than 1,000 characters or has more than 40 terms."
        )


def _of_the_answer(query: Query, results: Results, lacking: int) -> Iterable[Remark]:
    """What was searched otherwise than typed, and what may be missing."""
    if results.corrections:
        yield _spelling(query, results.corrections)
    if query.sort in _BY_PEOPLE:
        yield Remark(
            "Only papers that people voted for are listed in this order.",
            "All, newest first",
            addresses.with_query(links.SEARCH, q=str(replace(query, sort=Sort.NEWEST))),
        )
    if results.by_meaning and results.total:
        yield Remark("No paper here has these words. What follows was found by its meaning.")
    if lacking:
        are = "is" if lacking == 1 else "are"
        yield Remark(
            f"The index is being brought up to date, and {wording.count(lacking, 'change')} {are} not in it yet: "
            "papers may be missing here.",
            "How far it is",
            links.STATUS,
        )
    if query.holds is not None and not evidence.latest(1):
        yield Remark("No claim has been measured here yet, so no paper is known to hold up or not.")
    if query.identifier and not results.total:
        yield Remark(f"Nobody has imported {query.identifier} into this instance. Its home is {query.identifier.url}")


def _spelling(query: Query, corrections: Sequence[tuple[str, str]]) -> Remark:
    """Which words hardly any paper has, what was searched with them, and the search that was probably meant."""
    typed = " or ".join(f"“{word}”" for word, _ in corrections)
    searched = " and ".join(f"“{word}”" for _, word in corrections)
    was = "was" if len(corrections) == 1 else "were"
    said = f"Hardly any paper says {typed}; {searched} {was} searched too."
    wanted = str(meant(query, corrections))
    if parse(wanted) == query:
        return Remark(said)
    return Remark(f"{said} Did you mean", wanted, addresses.with_query(links.SEARCH, q=wanted), "?")
