"""Looking things up in one generation of an embedded index."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import tantivy

from broadsheet.search import analysis, lexical
from broadsheet.search.adapters import embedded_schema as schema
from broadsheet.search.index import MAX_DEPTH, Facet, Hit, Results
from broadsheet.search.lexical import Plan
from broadsheet.search.query import Query
from broadsheet.search.spelling import Speller

_MOST_CATEGORIES = 20
_MOST_YEARS = 200
_MOST_EXPANSIONS = 50
_MOST_SUGGESTION_WORDS = 8
_FEW = 100
# Papers with equal scores are put in order when no more than this many have to be looked at; deeper, any fixed order.
_DEEPEST_TIE = 2 * MAX_DEPTH


class Reader:
    """A view of one generation, as of the last `reload`."""

    def __init__(self, generation: Path) -> None:
        self._index = opened(generation)
        self._searcher = self._index.searcher()
        self._speller: Speller | None = None
        self._spelled = 0

    def reload(self) -> None:
        """See what was committed since."""
        self._index.reload()
        self._searcher = self._index.searcher()

    def count(self) -> int:
        """How many papers there are: all documents but the cursor's."""
        marked = self._searcher.search(schema.term("mark", schema.CURSOR), limit=1)
        return self._searcher.num_docs - total_of(marked)

    def cursor(self) -> int:
        """The journal's cursor."""
        return cursor_of(self._searcher)

    @property
    def searcher(self) -> tantivy.Searcher:
        """The engine's own view."""
        return self._searcher

    def plan(self, query: Query) -> Plan:
        """What is looked up for a query."""
        return lexical.plan(query, self)

    def search(self, plan: Plan, *, limit: int, offset: int, facets: list[Facet]) -> Results:
        """Look up and count, by words alone."""
        searcher = self._searcher
        wanted = schema.query(plan)
        end = min(offset + limit, MAX_DEPTH)
        if plan.newest or not plan.has_text:
            total, hits = newest(searcher, wanted, offset, end)
        else:
            total, hits = best(searcher, wanted, offset, end)
        return Results(hits, total, counted(searcher, wanted, facets), plan.corrections)

    def suggest(self, prefix: str, *, limit: int) -> list[int]:
        """Titles that continue what was typed; of an unfinished word, with the words that most titles use."""
        searcher = self._searcher
        typed = analysis.words(analysis.without_tex(prefix))
        if not typed:
            return []
        *finished, last = typed[-_MOST_SUGGESTION_WORDS:]
        limit = min(limit, MAX_DEPTH)
        found: dict[int, None] = {}
        if finished:
            in_a_row = schema.suggestions_in_a_row(finished, last)
            found = dict.fromkeys(hit.pk for hit in newest(searcher, in_a_row, 0, limit)[1])
        if len(found) < limit:
            beginnings = [word for word, _papers in searcher.terms_with_prefix("title", last, limit=_MOST_EXPANSIONS)]
            wanted = schema.suggestions(finished, beginnings)
            found |= dict.fromkeys(hit.pk for hit in newest(searcher, wanted, 0, limit)[1])
        return list(found)[:limit]

    def papers_with(self, stem: str) -> int:
        """How many papers have the stem in ALL."""
        papers = self._searcher.doc_freq("all", stem)
        # The engine's count includes papers deleted since; among few that decides whether a word is known at all.
        return papers if papers > _FEW else total_of(self._searcher.search(schema.term("all", stem), limit=1))

    def papers_by(self, word: str) -> int:
        """How many papers have the word in a name of their authors, papers deleted since included."""
        return self._searcher.doc_freq("authors", word)

    def nearest(self, word: str, *, rare: bool) -> str | None:
        """The word of titles that `word` most likely was meant to be, or None; with `rare`, even a rare one."""
        papers = self._searcher.num_docs
        if self._speller is None or abs(papers - self._spelled) * 10 > self._spelled:
            self._speller = Speller(self._searcher.terms_with_prefix("title", ""))
            self._spelled = papers
        return self._speller.nearest(word, rare=rare)


def opened(generation: Path) -> tantivy.Index:
    """An index that exists, with its analyzers, that is reloaded when we say so."""
    index = schema.register(tantivy.Index.open(str(generation)))
    index.config_reader("manual")
    return index


def cursor_of(searcher: tantivy.Searcher) -> int:
    """How far the journal was read into what the searcher sees; 0 when nothing was applied yet."""
    found = searcher.search(schema.term("mark", schema.CURSOR), limit=1, count=False).hits
    values = column(searcher, "cursor", [address for _score, address in found])
    return values[0] if values else 0


def total_of(found: tantivy.SearchResult) -> int:
    """How many documents match in all."""
    total: int = found.count  # type: ignore[attr-defined]  # the attribute exists; the package's stub lacks it
    return total


def column(searcher: tantivy.Searcher, name: str, addresses: list[tantivy.DocAddress]) -> list[int]:
    """The numbers that a field has in some documents; 0 where it has none."""
    return [int(value or 0) for value in searcher.fast_field_values(name, addresses)]


def newest(searcher: tantivy.Searcher, wanted: tantivy.Query, offset: int, end: int) -> tuple[int, tuple[Hit, ...]]:
    """How many match, and the page from `offset` to before `end`, the newest first."""
    # tantivy sets aside memory for limit and offset before it looks: an offset from outside must never reach it.
    offset = min(offset, end)
    found = searcher.search(wanted, limit=max(end - offset, 1), offset=offset, order_by_field="newest")
    addresses = [address for _value, address in found.hits][: end - offset]
    return total_of(found), tuple(Hit(pk, 0.0) for pk in column(searcher, "pk", addresses))


def best(searcher: tantivy.Searcher, wanted: tantivy.Query, offset: int, end: int) -> tuple[int, tuple[Hit, ...]]:
    """How many match, and the page from `offset` to before `end`, the best first, of equals the newest.

    tantivy puts equals in an order of its own, so all papers with the scores of the page are fetched and sorted.
    """
    depth = end + 30
    while True:
        # Counting makes tantivy add up scores in one way whatever the depth, so that pages fit together.
        found = searcher.search(wanted, limit=depth, count=True)
        hits = found.hits
        all_seen = len(hits) < depth or hits[-1][0] < hits[end - 1][0]
        if end <= offset or all_seen or depth >= _DEEPEST_TIE:
            break
        depth = min(depth * 8, _DEEPEST_TIE)
    return total_of(found), tuple(_page(searcher, hits, offset, min(end, len(hits)), all_seen=all_seen))


def _page(
    searcher: tantivy.Searcher, hits: list[tuple[float, tantivy.DocAddress]], offset: int, end: int, *, all_seen: bool
) -> Iterator[Hit]:
    """The hits from `offset` to before `end`, equals in order; without `all_seen`, the last equals as they come."""
    if end <= offset:
        return
    begin, stop = offset, end
    while begin and hits[begin - 1][0] == hits[offset][0]:
        begin -= 1
    while stop < len(hits) and hits[stop][0] == hits[end - 1][0]:
        stop += 1
    chosen = hits[begin:stop]
    addresses = [address for _score, address in chosen]
    order = column(searcher, "newest", addresses)
    keys = column(searcher, "pk", addresses)
    rows = list(zip((score for score, _address in chosen), order, keys, strict=True))
    unordered = None if all_seen else hits[end - 1][0]
    rows.sort(key=lambda row: (-row[0], 0 if row[0] == unordered else -row[1]))
    for score, _order, pk in rows[offset - begin : end - begin]:
        yield Hit(pk, score)


def counted(searcher: tantivy.Searcher, wanted: tantivy.Query, facets: list[Facet]) -> dict[str, list[tuple[str, int]]]:
    """The counts that were asked for."""
    if not facets:
        return {}
    sizes = {Facet.CATEGORY: _MOST_CATEGORIES, Facet.YEAR: _MOST_YEARS}
    asked = {
        str(facet): {"terms": {"field": str(facet), "size": sizes[facet], "segment_size": 1_000}} for facet in facets
    }
    counts = {
        name: [(str(bucket["key"]), int(bucket["doc_count"])) for bucket in result["buckets"]]
        for name, result in searcher.aggregate(wanted, asked).items()
    }
    for name, pairs in counts.items():
        if name == Facet.YEAR:
            pairs.sort(reverse=True)
        else:
            pairs.sort(key=lambda pair: (-pair[1], pair[0]))
    return counts
