"""The engine that says what the others must do: slow, obvious, in memory."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from broadsheet.search import analysis, fusion, lexical
from broadsheet.search.document import Document
from broadsheet.search.embedding import Embedder, Floats
from broadsheet.search.index import MAX_DEPTH, Embedding, Facet, Hit, IndexUnavailable, Results
from broadsheet.search.lexical import Plan, Run
from broadsheet.search.query import Query
from broadsheet.search.spelling import Speller

# BM25's saturation and length normalisation: Lucene's and tantivy's.
_K1 = 1.2
_B = 0.75

# Between two texts of one field, so that no phrase runs over the end of one.
_GAP = ("",)


@dataclass(frozen=True, slots=True)
class _Indexed:
    """A document with its texts taken apart. A field is the sequence of its stems or words."""

    document: Document
    all: Run
    title: Run
    head: frozenset[str]
    title_words: Run
    names: tuple[Run, ...]
    categories: frozenset[str]
    venue: Run

    @classmethod
    def of(cls, document: Document) -> _Indexed:
        """Take a document apart."""
        everything = [tuple(analysis.stems(text)) for text in lexical.everything(document)]
        return cls(
            document=document,
            all=tuple(stem for text in everything for stem in (*text, *_GAP)),
            title=tuple(analysis.stems(document.title)),
            head=frozenset(analysis.words(lexical.head_of(document.title))),
            title_words=tuple(analysis.words(document.title)),
            names=tuple(form for name in document.authors for form in lexical.name_forms(name)),
            categories=frozenset(lexical.category_keys(document.categories)),
            venue=tuple(analysis.words(document.venue)),
        )

    @property
    def newest(self) -> tuple[int, int]:
        """Sorts the newest first, then the smallest key."""
        return -(lexical.day_number(self.document.day) or 0), self.document.pk


class ReferenceIndex:
    """Every answer by looking at every paper. Fulfils `Index`; holds nothing after the process ends."""

    def __init__(self, embedder: Embedder | None = None) -> None:
        self._papers: dict[int, _Indexed] = {}
        self._cursor = 0
        self._embedder = embedder
        self._vectors: dict[int, tuple[int, Floats]] = {}
        self._named: dict[int, int] = {}
        self._asked: list[int] = []
        self._begun: int | None = None

    def apply(self, upserts: Iterable[Document], deletes: Iterable[int], *, cursor: int) -> None:
        """See `Index.apply`."""
        papers = dict(self._papers)
        for document in upserts:
            held = papers.get(document.pk)
            if held is None or held.document.change <= document.change:
                papers[document.pk] = _Indexed.of(document)
        for pk in deletes:
            papers.pop(pk, None)
        self._papers, self._cursor = papers, max(self._cursor, cursor)

    def cursor(self) -> int:
        """See `Index.cursor`."""
        return self._cursor

    def count(self) -> int:
        """See `Index.count`."""
        return len(self._papers)

    def clear(self) -> None:
        """See `Index.clear`."""
        self._papers, self._cursor = {}, 0
        self._named, self._asked, self._begun = {}, [], None

    def close(self) -> None:
        """See `Index.close`: it has no lock and its memory is the index."""

    def search(self, query: Query, *, limit: int = 20, offset: int = 0, facets: Iterable[Facet] = ()) -> Results:
        """See `Index.search`."""
        plan = lexical.plan(query, self)
        found = [paper for paper in self._papers.values() if _passes(paper, plan) and _has_text(paper, plan)]
        scores = {paper.document.pk: 0.0 for paper in found}
        if found and plan.has_text and not plan.newest:
            scores = self._scores(found, plan)
        found.sort(key=lambda paper: (-scores[paper.document.pk], paper.newest))
        meaning = fusion.meaning(query)
        if self._embedder and self._vectors and meaning:
            found, scores = self._fused(plan, found, scores, self._cosines(self._embedder.encode([meaning])[0]))
        page = found[max(offset, 0) : min(max(offset, 0) + max(limit, 0), MAX_DEPTH)]
        return Results(
            hits=tuple(Hit(paper.document.pk, scores[paper.document.pk]) for paper in page),
            total=len(found),
            facets={str(facet): _counted(facet, found) for facet in facets},
            corrections=plan.corrections,
        )

    def _fused(
        self, plan: Plan, found: list[_Indexed], scores: dict[int, float], cosines: dict[int, float]
    ) -> tuple[list[_Indexed], dict[int, float]]:
        """The candidates of both sides in the order of `fusion`, then the others that were found; all their scores."""
        passing = [pk for pk in cosines if _passes(self._papers[pk], plan)]
        least = self._embedder.unrelated if self._embedder else 0.0
        near = sorted((pk for pk in passing if cosines[pk] >= least), key=lambda pk: -cosines[pk])[: fusion.DEPTH]
        best = [paper.document.pk for paper in found[: fusion.DEPTH]]
        chosen = dict.fromkeys([*best, *near])
        fused = fusion.scores(plan, [fusion.Candidate(pk, scores.get(pk, 0.0), cosines.get(pk)) for pk in chosen])
        order = sorted(chosen, key=lambda pk: (-fused[pk], self._papers[pk].newest))
        tail = [paper for paper in found if paper.document.pk not in chosen]
        if tail:
            floor, highest = fused[order[-1]], scores[best[-1]]
            fused |= {paper.document.pk: floor + (scores[paper.document.pk] / highest - 1.0) for paper in tail}
        return [*(self._papers[pk] for pk in order), *tail], fused

    def _cosines(self, vector: Floats) -> dict[int, float]:
        """Of each paper that has a vector of its present text."""
        return {
            pk: float(self._vectors[pk][1] @ vector)
            for pk, paper in self._papers.items()
            if pk in self._vectors and self._vectors[pk][0] == paper.document.digest
        }

    def related(self, pk: int, *, limit: int = 8) -> list[Hit]:
        """See `Index.related`."""
        if pk not in self._papers or self._vectors.get(pk, (None,))[0] != self._papers[pk].document.digest:
            return []
        cosines = self._cosines(self._vectors[pk][1])
        others = sorted((other for other in cosines if other != pk), key=lambda other: -cosines[other])
        return [Hit(other, cosines[other]) for other in others[: max(limit, 0)]]

    def unembedded(self, *, limit: int) -> list[int]:
        """See `Index.unembedded`."""
        if self._embedder is None or self._embedder.missing():
            return []
        if self._begun is None:
            self._begun = self._cursor
        begun = self._begun
        present = self._cosines(np.zeros(self._embedder.dimensions, np.float32))
        lacking = [
            paper
            for pk, paper in self._papers.items()
            if pk not in present and self._named.get(pk, -1) < paper.document.change
        ]
        lacking.sort(key=lambda paper: (paper.document.change <= begun, paper.newest))
        self._asked = self._asked or [paper.document.pk for paper in lacking[:limit]]
        return self._asked[:limit]

    def embed(self, documents: Iterable[Document]) -> None:
        """See `Index.embed`. Raises IndexUnavailable without a model."""
        if self._embedder is None:
            raise IndexUnavailable("Search by meaning is turned off.")
        made = {one.pk: (one.digest, self._embedder.encode([one.meaning])[0]) for one in documents}
        self._vectors |= made
        self._named |= {pk: self._papers[pk].document.change for pk in self._asked if pk in self._papers}
        self._asked = []

    def embedding(self) -> Embedding:
        """See `Index.embedding`."""
        if self._embedder is None:
            return Embedding()
        return Embedding(self._embedder.name, self._embedder.missing(), len(self._vectors))

    def suggest(self, prefix: str, *, limit: int = 8) -> list[int]:
        """See `Index.suggest`."""
        *finished, last = analysis.words(analysis.without_tex(prefix)) or [""]
        if not last:
            return []
        found = [
            paper
            for paper in self._papers.values()
            if set(finished) <= set(paper.title_words) and any(word.startswith(last) for word in paper.title_words)
        ]
        in_a_row = {paper.document.pk: _begins_in_a_row(finished, last, paper.title_words) for paper in found}
        found.sort(key=lambda paper: (-in_a_row[paper.document.pk], paper.newest))
        return [paper.document.pk for paper in found[: max(limit, 0)]]

    def papers_with(self, stem: str) -> int:
        """How many papers have the stem in ALL."""
        return sum(stem in paper.all for paper in self._papers.values())

    def papers_by(self, word: str) -> int:
        """How many papers have the word in a name of their authors."""
        return sum(any(word in name for name in paper.names) for paper in self._papers.values())

    def nearest(self, word: str, *, rare: bool) -> str | None:
        """The word of titles that `word` most likely was meant to be, or None; with `rare`, even a rare one."""
        counted = Counter(word for paper in self._papers.values() for word in set(paper.title_words))
        return Speller(counted.items()).nearest(word, rare=rare)

    def _scores(self, found: list[_Indexed], plan: Plan) -> dict[int, float]:
        """The score of each paper: the sum that `lexical` describes."""
        everything = _Field([paper.all for paper in self._papers.values()])
        titles = _Field([paper.title for paper in self._papers.values()])
        heads = _Field([tuple(paper.head) for paper in self._papers.values()])
        scores = {}
        for paper in found:
            score = sum(weight * everything.bm25((stem,), paper.all) for stem, weight in plan.terms)
            score += sum(lexical.TITLE_WEIGHT * w * titles.bm25((stem,), paper.title) for stem, w in plan.terms)
            score += sum(everything.bm25(phrase, paper.all) for phrase in plan.phrases)
            if plan.title_phrase:
                score += lexical.PHRASE_WEIGHT * titles.bm25(plan.title_phrase, paper.title)
            if plan.head and paper.head.issuperset(plan.head):
                score += lexical.HEAD_WEIGHT * sum(heads.bm25((word,), tuple(paper.head)) for word in plan.head)
            if plan.identifier in paper.document.identifiers:
                score += lexical.IDENTIFIED
            scores[paper.document.pk] = score
        return scores


class _Field:
    """The statistics of one field over all papers, and BM25 with them (Robertson and Zaragoza 2009, Lucene's idf)."""

    def __init__(self, texts: Sequence[Run]) -> None:
        self._number = len(texts)
        self._mean = sum(map(_length, texts)) / len(texts)
        self._having = Counter(stem for text in texts for stem in set(text))

    def bm25(self, run: Run, text: Run) -> float:
        """The score of a word, or of words in a row, in one text of the field."""
        times = _times(run, text)
        if not times:
            return 0.0
        rarity = sum(
            math.log(1 + (self._number - self._having[stem] + 0.5) / (self._having[stem] + 0.5)) for stem in run
        )
        norm = _K1 * (1 - _B + _B * _length(text) / self._mean)
        return rarity * times * (_K1 + 1) / (times + norm)


def _length(text: Run) -> int:
    return sum(1 for stem in text if stem)


def _times(run: Run, text: Run) -> int:
    """How often the run stands in the text."""
    return sum(text[start : start + len(run)] == run for start in range(len(text) - len(run) + 1))


def _has_text(paper: _Indexed, plan: Plan) -> bool:
    """Whether a paper has one of the words, or the identifier, and every phrase."""
    if not all(_times(phrase, paper.all) for phrase in plan.phrases):
        return False
    if not plan.terms and plan.identifier is None:
        return True
    return plan.identifier in paper.document.identifiers or any(stem in paper.all for stem, _weight in plan.terms)


def _passes(paper: _Indexed, plan: Plan) -> bool:
    """Whether a paper passes every filter."""
    document = paper.document
    day = lexical.day_number(document.day)
    return (
        all(_named(paper, author) for author in plan.authors)
        and not any(_named(paper, author) for author in plan.without_authors)
        and (not plan.categories or not paper.categories.isdisjoint(plan.categories))
        and paper.categories.isdisjoint(plan.without_categories)
        and (not plan.venues or any(_times(venue, paper.venue) for venue in plan.venues))
        and not any(_times(venue, paper.venue) for venue in plan.without_venues)
        and not any(_times(run, paper.all) for run in plan.without)
        and (plan.since is None or (day is not None and day >= plan.since))
        and (plan.until is None or (day is not None and day <= plan.until))
        and plan.has_code in (None, document.has_code)
        and plan.holds in (None, document.holds)
    )


def _named(paper: _Indexed, author: tuple[Run, ...]) -> bool:
    """Whether one of the paper's names has one of the runs."""
    return any(_times(run, name) for run in author for name in paper.names)


def _begins_in_a_row(finished: list[str], last: str, title: Run) -> bool:
    """Whether the words stand in a row in the title, the last one perhaps unfinished."""
    for start in range(len(title) - len(finished)):
        end = start + len(finished)
        if list(title[start:end]) == finished and title[end].startswith(last):
            return True
    return False


def _counted(facet: Facet, found: list[_Indexed]) -> list[tuple[str, int]]:
    """How many of the papers have each value."""
    if facet is Facet.YEAR:
        years = Counter(str(paper.document.day.year) for paper in found if paper.document.day)
        return sorted(years.items(), reverse=True)
    categories = Counter(category for paper in found for category in set(paper.document.categories))
    return sorted(categories.items(), key=lambda pair: (-pair[1], pair[0]))[:20]
