"""Looking things up in one generation of an embedded index by words and by meaning at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import tantivy

from broadsheet.search import fusion
from broadsheet.search.adapters import embedded_schema as schema
from broadsheet.search.adapters.embedded_reader import best, column, counted, total_of
from broadsheet.search.dense.store import Found, Vectors
from broadsheet.search.embedding import Floats
from broadsheet.search.fusion import DEPTH, Candidate
from broadsheet.search.index import Facet, Hit, Results
from broadsheet.search.lexical import Plan

# Nearest papers that are asked for beyond those that are wanted: some may be gone or have another text by now.
_SPARE = 50

# Filters are applied to the nearest papers, twice as many of them as should leave enough, when that is no more than
# this; else all papers that pass are compared, when they are few; else filters are applied to the most.
_CHEAP = 2_000
_FEW = 20_000
_MOST = 10_000


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


def search(searcher: tantivy.Searcher, plan: Plan, meaning: Meaning, page: range, facets: list[Facet]) -> Results:
    """The candidates of both sides in the order of `fusion`, then the other papers with one of the words.

    `page` names the places in that order that are wanted.
    """
    wanted = schema.query(plan)
    total, lexical = best(searcher, wanted, 0, DEPTH)
    papers, cosines = _candidates(searcher, plan, meaning, [hit.pk for hit in lexical])
    scores = fusion.scores(plan, [Candidate(pk, paper.lexical, cosines.get(pk)) for pk, paper in papers.items()])
    order = sorted(papers, key=lambda pk: (-scores[pk], -papers[pk].newest))
    others = [pk for pk in order if papers[pk].lexical == 0.0]
    hits = [Hit(pk, scores[pk]) for pk in order[page.start : page.stop]]
    if page.stop > max(len(order), page.start) and total > len(order) - len(others):
        behind = schema.without(wanted, order)
        _left, tail = best(searcher, behind, max(page.start - len(order), 0), page.stop - len(order))
        # By words alone: behind the last candidate, and no better than the last that the words found.
        floor, highest = scores[order[-1]], lexical[-1].score
        hits += [Hit(hit.pk, floor + min(0.0, hit.score / highest - 1.0)) for hit in tail]
    everything = schema.either(wanted, others) if others else wanted
    return Results(tuple(hits), total + len(others), counted(searcher, everything, facets), plan.corrections)


def related(searcher: tantivy.Searcher, vectors: Vectors, pk: int, *, limit: int) -> list[Hit]:
    """The papers whose vectors are nearest to that of one."""
    known = vectors.vector(pk)
    if known is None or digests(searcher, [pk]).get(pk) != known[0]:
        return []
    found = _present(searcher, vectors.nearest(known[1], limit + _SPARE))
    return [Hit(other, cosine) for other, cosine in found.items() if other != pk][:limit]


def digests(searcher: tantivy.Searcher, keys: list[int]) -> dict[int, int]:
    """What tells the present text of each paper that there is from another."""
    found = searcher.search(schema.papers_among(keys), limit=max(len(keys), 1), count=False).hits
    addresses = [address for _score, address in found]
    return dict(zip(column(searcher, "pk", addresses), column(searcher, "digest", addresses), strict=True))


def _candidates(
    searcher: tantivy.Searcher, plan: Plan, meaning: Meaning, lexical: list[int]
) -> tuple[dict[int, _Paper], dict[int, float]]:
    """The best papers of both sides, and the cosines of those that have a vector."""
    near = _nearest(searcher, plan, meaning)
    papers = _looked_up(searcher, plan, [*lexical, *near.pks.tolist()])
    nearest = _valid(near, papers)
    chosen = [pk for pk, cosine in nearest.items() if cosine >= meaning.unrelated][:DEPTH]
    known = nearest | _valid(meaning.vectors.cosines(meaning.vector, lexical), papers)
    return {pk: papers[pk] for pk in dict.fromkeys([*lexical, *chosen])}, known


def _nearest(searcher: tantivy.Searcher, plan: Plan, meaning: Meaning) -> Found:
    """Papers near in meaning, the nearest first, of which enough pass the filters."""
    wanted = DEPTH + _SPARE
    if not schema.has_filters(plan):
        return meaning.vectors.nearest(meaning.vector, wanted)
    number = total_of(searcher.search(schema.passing(plan), limit=1, count=True))
    enough = 2 * wanted * searcher.num_docs // max(number, 1)
    if enough <= _CHEAP or number > _FEW:
        return meaning.vectors.nearest(meaning.vector, min(enough, _MOST))
    passing = searcher.search(schema.passing(plan), limit=max(number, 1), count=True)
    keys = column(searcher, "pk", [address for _score, address in passing.hits])
    return meaning.vectors.nearest(meaning.vector, wanted, among=keys)


def _looked_up(searcher: tantivy.Searcher, plan: Plan, keys: Iterable[int]) -> dict[int, _Paper]:
    """Those of the papers that there are and that pass the filters."""
    wanted = list(dict.fromkeys(keys))
    # Counting makes tantivy add up scores in the same way as where the best are looked for.
    hits = searcher.search(schema.scored(plan, wanted), limit=max(len(wanted), 1), count=True).hits
    addresses = [address for _score, address in hits]
    columns = (column(searcher, name, addresses) for name in ("pk", "newest", "digest"))
    rows = zip((score for score, _address in hits), *columns, strict=True)
    return {pk: _Paper(score, newest, digest) for score, pk, newest, digest in rows}


def _valid(found: Found, papers: dict[int, _Paper]) -> dict[int, float]:
    """The cosines of those papers that are still there, with the text that their vector was made from."""
    rows = zip(found.pks.tolist(), found.digests.tolist(), found.cosines.tolist(), strict=True)
    return {pk: cosine for pk, digest, cosine in rows if pk in papers and papers[pk].digest == digest}


def _present(searcher: tantivy.Searcher, found: Found) -> dict[int, float]:
    """The same, of all papers."""
    present = digests(searcher, found.pks.tolist())
    rows = zip(found.pks.tolist(), found.digests.tolist(), found.cosines.tolist(), strict=True)
    return {pk: cosine for pk, digest, cosine in rows if present.get(pk) == digest}
