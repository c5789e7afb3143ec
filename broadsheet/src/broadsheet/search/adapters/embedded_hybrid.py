"""Looking things up in one generation of an embedded index by words and by meaning at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any

import numpy as np
import tantivy

from broadsheet.search import explaining, fusion
from broadsheet.search.adapters import embedded_schema as schema
from broadsheet.search.adapters.embedded_explaining import Scores
from broadsheet.search.adapters.embedded_reader import (
    Page,
    Reader,
    Row,
    best,
    best_behind,
    column,
    counted,
    placed,
    total_of,
)
from broadsheet.search.dense.store import Found, Vectors
from broadsheet.search.embedding import Floats
from broadsheet.search.explanation import Explanation
from broadsheet.search.fusion import DEPTH, Candidate, Mixture
from broadsheet.search.index import MAX_DEPTH, RELATED_DEPTH, Facet, Hit, Results
from broadsheet.search.lexical import Plan
from broadsheet.search.paging import Order, Place
from broadsheet.search.query import Query, Sort

# Nearest papers that are asked for beyond those that are wanted: some may be gone or have another text by now.
_SPARE = 50

# Filters are applied to the nearest papers, from the first on until enough pass, when that should cost less than to
# compare all that pass: to look one of the nearest up takes `_LOOKING_UP` times as long as to read one that passes.
# They are sought among so many times as many as should do, then among `_MOST`: having more costs little, as looking
# ends with the last that is needed.
_WIDER = 8
_MOST = 10_000
_LOOKING_UP = 11
# Papers that are looked up at a time: of more, each takes longer.
_AT_ONCE = 400
_LAST_DAY = 9999_12_31


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a query means: its vector, the vectors to compare it with, and the cosine below which nothing is related."""

    vector: Floats
    vectors: Vectors
    unrelated: float


@dataclass(frozen=True, slots=True)
class _Paper:
    """What the lexical index says of a candidate."""

    lexical: float
    newest: int
    digest: int


class Answer:
    """The candidates of both sides in the order of `fusion`; behind them come the others that have one of the words."""

    def __init__(self, reader: Reader, query: Query, plan: Plan, meaning: Meaning) -> None:
        self._searcher = searcher = reader.searcher
        self._query, self._plan = query, plan
        self._wanted = schema.query(plan)
        self._found, lexical = best(searcher, self._wanted, 0, DEPTH)
        near = _nearest(searcher, plan, meaning, reader.passing(plan) if schema.has_filters(plan) else None)
        papers, cosines = _candidates(searcher, plan, meaning, near, [row.pk for row in lexical])
        self._candidates = {pk: Candidate(pk, paper.lexical, cosines.get(pk)) for pk, paper in papers.items()}
        self._mixture = Mixture.of(plan, self._candidates.values())
        rows = [Row(self._mixture.score(each), papers[pk].newest, pk) for pk, each in self._candidates.items()]
        self._rows = sorted(rows, key=lambda row: row.key)
        self._others = [row.pk for row in self._rows if self._candidates[row.pk].lexical == 0.0]
        self._least = lexical[-1].score if lexical else 0.0

    def results(self, limit: int, offset: int, place: Place | None, facets: list[Facet]) -> Results:
        """A page of the answer: from an offset on, or behind a place."""
        page, order = self._page(limit, offset, place)
        everything = schema.either(self._wanted, self._others) if self._others else self._wanted
        return Results(
            hits=tuple(Hit(row.pk, self._score(row)) for row in page.rows),
            total=page.total,
            facets=counted(self._searcher, everything, facets),
            corrections=self._plan.corrections,
            next=placed(page, order, self._query),
            by_meaning=not self._plan.attainable,
        )

    def explain(self, pk: int) -> Explanation | None:
        """Why a paper has its score."""
        scores = Scores(self._searcher, self._wanted, pk)
        candidate = self._candidates.get(pk)
        if scores.score is None and candidate is None:
            return None
        words = explaining.by_words(self._query, self._plan, scores.worth, scores.score or 0.0)
        if candidate:
            return explaining.mixed(candidate, self._mixture, self._plan, words)
        return explaining.behind(self._rows[-1].score, self._least, words)

    def _page(self, limit: int, offset: int, place: Place | None) -> tuple[Page, Order]:
        """The rows of a page, those behind the candidates with their scores by words; and the order of the last row."""
        if place:
            seen = self._seen(place)
            if seen is None:
                return self._behind(replace(place, seen=max(place.seen - len(self._rows), 1)), limit), Order.WORDS
            offset, end = seen, seen + min(limit, MAX_DEPTH)
        else:
            end = min(offset + limit, MAX_DEPTH)
        rows = self._rows[offset:end]
        if end <= max(len(self._rows), offset) or self._tail <= 0:
            return Page(self._total, offset, rows), Order.FUSED
        start = max(offset - len(self._rows), 0)
        _left, tail = best(self._searcher, self._excluding, start, end - len(self._rows))
        return Page(self._total, offset, rows + tail), Order.WORDS if tail else Order.FUSED

    def _seen(self, place: Place) -> int | None:
        """How many candidates stand no further back than a place; None when its paper stands behind all of them."""
        for number, row in enumerate(self._rows, 1):
            if row.pk == place.pk:
                return number
        if place.order is Order.WORDS or Scores(self._searcher, self._wanted, place.pk).score is not None:
            return None
        return sum(row.key <= (-place.score, -schema.newest(place.day, place.pk)) for row in self._rows)

    def _behind(self, place: Place, limit: int) -> Page:
        """What stands behind a place among those that only the words found."""
        page = best_behind(self._searcher, self._excluding, place, limit)
        return Page(self._total, len(self._rows) + page.before, page.rows)

    @property
    def _total(self) -> int:
        return self._found + len(self._others)

    @property
    def _tail(self) -> int:
        """How many papers stand behind the candidates."""
        return self._total - len(self._rows)

    @property
    def _excluding(self) -> tantivy.Query:
        return schema.without(self._wanted, [row.pk for row in self._rows])

    def _score(self, row: Row) -> float:
        """The score of a row of a page: of those behind the candidates, no better than the last of these."""
        if row.pk in self._candidates:
            return row.score
        return fusion.behind(self._rows[-1].score, row.score, self._least)


def related(searcher: tantivy.Searcher, vectors: Vectors, pk: int, *, limit: int, sort: Sort) -> list[Hit]:
    """The papers whose vectors are nearest to that of one."""
    known = vectors.vector(pk)
    papers = _columns(searcher, [pk])
    if known is None or pk not in papers or papers[pk].digest != known[0]:
        return []
    depth = max(limit, RELATED_DEPTH) if sort is Sort.NEWEST else limit
    found = vectors.nearest(known[1], depth + _SPARE)
    papers = _columns(searcher, found.pks.tolist())
    near = [Hit(other, cosine) for other, cosine in _valid(found, papers).items() if other != pk][:depth]
    if sort is Sort.NEWEST:
        near.sort(key=lambda hit: -papers[hit.pk].newest)
    return near[:limit]


def vectors_of(searcher: tantivy.Searcher, vectors: Vectors, pks: Collection[int]) -> dict[int, Floats]:
    """The vectors of those of the papers that have one of their present text."""
    known = vectors.vectors(list(pks))
    papers = _columns(searcher, list(known))
    return {pk: vector for pk, (digest, vector) in known.items() if pk in papers and papers[pk].digest == digest}


def _columns(searcher: tantivy.Searcher, keys: list[int]) -> dict[int, _Paper]:
    """What there is of each of the papers, without a score."""
    found = searcher.search(schema.papers_among(keys), limit=max(len(keys), 1), count=False).hits
    return _papers(searcher, found)


def _papers(searcher: tantivy.Searcher, hits: list[tuple[float, tantivy.DocAddress]]) -> dict[int, _Paper]:
    addresses = [address for _score, address in hits]
    columns = (column(searcher, name, addresses) for name in ("pk", "newest", "digest"))
    rows = zip((score for score, _address in hits), *columns, strict=True)
    return {pk: _Paper(score, newest, digest) for score, pk, newest, digest in rows}


def _candidates(
    searcher: tantivy.Searcher, plan: Plan, meaning: Meaning, near: Found, lexical: list[int]
) -> tuple[dict[int, _Paper], dict[int, float]]:
    """The best papers of both sides, and the cosines of those that have a vector."""
    papers = _looked_up(searcher, plan, [*lexical, *near.pks.tolist()])
    nearest = _valid(near, papers)
    least = fusion.least_cosine(plan, meaning.unrelated)
    chosen = [pk for pk, cosine in nearest.items() if cosine >= least][:DEPTH]
    known = nearest | _valid(meaning.vectors.cosines(meaning.vector, lexical), papers)
    return {pk: papers[pk] for pk in dict.fromkeys([*lexical, *chosen])}, known


def _nearest(searcher: tantivy.Searcher, plan: Plan, meaning: Meaning, number: int | None) -> Found:
    """Papers near in meaning, the nearest first, of which enough pass the filters.

    `number` is about how many papers pass, None without filters.
    """
    wanted = DEPTH + _SPARE
    if number is None:
        return meaning.vectors.nearest(meaning.vector, wanted)
    expected = DEPTH * searcher.num_docs // max(number, 1)
    windows = (min(_WIDER * expected, _MOST), _MOST) if _LOOKING_UP * expected < number else ()
    for window in dict.fromkeys(windows):
        found = _first_passing(searcher, plan, meaning.vectors.nearest(meaning.vector, window + _SPARE))
        # What means something else may have other categories and times: then too few of the nearest pass. That fewer
        # came than were asked for does not mean that these were all: vectors that were replaced are left out.
        if len(found.pks) >= DEPTH or window >= meaning.vectors.count():
            return found
    exactly = total_of(searcher.search(schema.passing(plan), limit=1, count=True))
    passing = searcher.search(schema.passing(plan), limit=max(exactly, 1), count=True)
    # Not by `column`: there may be 300,000 of them, and every paper has a key.
    keys: Sequence[Any] = searcher.fast_field_values("pk", list(map(itemgetter(1), passing.hits)))
    return meaning.vectors.nearest(meaning.vector, wanted, among=keys)


def _first_passing(searcher: tantivy.Searcher, plan: Plan, near: Found) -> Found:
    """The first of some papers that pass the filters and have a vector of their present text, `DEPTH` at most.

    Looking a paper up is what costs, and those near in meaning often have a category or a time in common.
    """
    kept: list[int] = []
    for begin in range(0, len(near.pks), _AT_ONCE):
        keys = near.pks[begin : begin + _AT_ONCE].tolist()
        passing = _passing(searcher, plan, keys)
        digests = near.digests[begin : begin + _AT_ONCE].tolist()
        rows = enumerate(zip(keys, digests, strict=True), begin)
        kept += (row for row, (pk, digest) in rows if passing.get(pk) == digest)
        if len(kept) >= DEPTH:
            break
    chosen = np.array(kept[:DEPTH], np.int64)
    return Found(near.pks[chosen], near.digests[chosen], near.cosines[chosen])


def _passing(searcher: tantivy.Searcher, plan: Plan, keys: list[int]) -> dict[int, int]:
    """Those of the papers that pass the filters, with their digests.

    Days are compared here: a range would be looked for from end to end.
    """
    wanted = schema.passing_among(replace(plan, since=None, until=None), keys)
    addresses = [address for _score, address in searcher.search(wanted, limit=len(keys), count=False).hits]
    since, until = plan.since or 0, plan.until or _LAST_DAY
    # A paper without a day has 0 in the column, and passes where no day is asked for.
    least = 1 if plan.since or plan.until else 0
    rows = zip(*(column(searcher, name, addresses) for name in ("pk", "digest", "date")), strict=True)
    return {pk: digest for pk, digest, day in rows if max(since, least) <= day <= until}


def _looked_up(searcher: tantivy.Searcher, plan: Plan, keys: Iterable[int]) -> dict[int, _Paper]:
    """Those of the papers that there are and that pass the filters."""
    wanted = list(dict.fromkeys(keys))
    # Counting makes tantivy add up scores in the same way as where the best are looked for.
    hits = searcher.search(schema.scored(plan, wanted), limit=max(len(wanted), 1), count=True).hits
    return _papers(searcher, hits)


def _valid(found: Found, papers: dict[int, _Paper]) -> dict[int, float]:
    """The cosines of those papers that are still there, with the text that their vector was made from."""
    rows = zip(found.pks.tolist(), found.digests.tolist(), found.cosines.tolist(), strict=True)
    return {pk: cosine for pk, digest, cosine in rows if pk in papers and papers[pk].digest == digest}
