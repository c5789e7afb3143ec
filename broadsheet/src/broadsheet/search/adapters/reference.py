"""The engine that says what the others must do: slow, obvious, in memory."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from broadsheet.search import analysis, explaining, fusion, lexical, paging
from broadsheet.search.document import Document
from broadsheet.search.embedding import Embedder, Floats
from broadsheet.search.explanation import Explanation, Rule
from broadsheet.search.fusion import Candidate, Mixture
from broadsheet.search.index import (
    MAX_DEPTH,
    MOST_COUNTED,
    RELATED_DEPTH,
    Embedding,
    Facet,
    Hit,
    IndexUnavailable,
    Name,
    PaperVectors,
    Results,
    Suggestion,
)
from broadsheet.search.lexical import Part, Plan, Run
from broadsheet.search.paging import Order, Place
from broadsheet.search.query import Query, Sort
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

    def place(self, order: Order, score: float) -> Place:
        """The place behind the paper."""
        return Place(order, score, self.document.day, self.document.pk, seen=0)

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

    def search(
        self, query: Query, *, limit: int = 20, offset: int = 0, facets: Iterable[Facet] = (), after: str = ""
    ) -> Results:
        """See `Index.search`."""
        place = Place.read(after, query) if after else None
        answer = self._answer(query)
        rows = answer.rows
        if place and place.order not in answer.orders:
            raise paging.order_gone()
        begin = _behind(place, rows) if place else max(offset, 0)
        page = rows[begin : begin + max(limit, 0) if place else min(begin + max(limit, 0), MAX_DEPTH)]
        seen = begin + len(page)
        return Results(
            hits=tuple(Hit(row.pk, answer.score(row)) for row in page),
            total=len(rows),
            facets={str(facet): _counted(facet, [self._papers[row.pk] for row in rows]) for facet in facets},
            corrections=answer.plan.corrections,
            by_meaning=answer.mixture is not None and not answer.plan.attainable,
            next=replace(page[-1], seen=seen).written(query) if page and seen < len(rows) else "",
        )

    def matching(self, query: Query, pks: Collection[int]) -> set[int]:
        """See `Index.matching`."""
        plan = lexical.plan(query, self)
        held = (self._papers[pk] for pk in pks if pk in self._papers)
        return {paper.document.pk for paper in held if _passes(paper, plan) and _has_text(paper, plan)}

    def explain(self, query: Query, pk: int) -> Explanation | None:
        """See `Index.explain`."""
        answer = self._answer(query)
        row = next((row for row in answer.rows if row.pk == pk), None)
        if row is None:
            return None
        if row.order is Order.DAY:
            return explaining.by_day()
        worth = partial(_Statistics(self._papers.values()).worth, self._papers[pk])
        words = explaining.by_words(query, answer.plan, worth, answer.words.get(pk, 0.0))
        if answer.mixture is None:
            return words
        if row.order is Order.FUSED:
            return explaining.mixed(answer.candidates[pk], answer.mixture, answer.plan, words)
        return explaining.behind(answer.last, answer.least, words)

    def _answer(self, query: Query) -> _Answer:
        """Everything that a query finds."""
        plan = lexical.plan(query, self)
        found = [paper for paper in self._papers.values() if _passes(paper, plan) and _has_text(paper, plan)]
        by_day = plan.newest or not plan.has_text
        scores = {paper.document.pk: 0.0 for paper in found}
        if found and not by_day:
            statistics = _Statistics(self._papers.values())
            scores = {paper.document.pk: statistics.score(paper, plan) for paper in found}
        rows = [paper.place(Order.DAY if by_day else Order.WORDS, scores[paper.document.pk]) for paper in found]
        answer = _Answer(plan, (Order.DAY if by_day else Order.WORDS,), sorted(rows, key=lambda row: row.key), scores)
        meaning = fusion.meaning(query)
        if self._embedder and not self._embedder.missing() and self._vectors and meaning:
            return self._fused(answer, self._cosines(self._embedder.encode([meaning])[0]))
        return answer

    def _fused(self, found: _Answer, cosines: dict[int, float]) -> _Answer:
        """The candidates of both sides in the order of `fusion`, then the others that were found."""
        passing = [pk for pk in cosines if _passes(self._papers[pk], found.plan)]
        least = fusion.least_cosine(found.plan, self._embedder.unrelated if self._embedder else 0.0)
        near = sorted((pk for pk in passing if cosines[pk] >= least), key=lambda pk: -cosines[pk])[: fusion.DEPTH]
        best = found.rows[: fusion.DEPTH]
        chosen = dict.fromkeys([*(row.pk for row in best), *near])
        candidates = {pk: Candidate(pk, found.words.get(pk, 0.0), cosines.get(pk)) for pk in chosen}
        mixture = Mixture.of(found.plan, candidates.values())
        rows = [self._papers[pk].place(Order.FUSED, mixture.score(each)) for pk, each in candidates.items()]
        rows.sort(key=lambda row: row.key)
        return replace(
            found,
            orders=(Order.FUSED, Order.WORDS),
            rows=[*rows, *(row for row in found.rows if row.pk not in chosen)],
            candidates=candidates,
            mixture=mixture,
            last=rows[-1].score if rows else 0.0,
            least=best[-1].score if best else 0.0,
        )

    def _cosines(self, vector: Floats) -> dict[int, float]:
        """Of each paper that has a vector of its present text."""
        return {
            pk: float(self._vectors[pk][1] @ vector)
            for pk, paper in self._papers.items()
            if pk in self._vectors and self._vectors[pk][0] == paper.document.digest
        }

    def related(self, pk: int, *, limit: int = 8, sort: Sort = Sort.RELEVANCE) -> list[Hit]:
        """See `Index.related`."""
        if pk not in self._papers or self._vectors.get(pk, (None,))[0] != self._papers[pk].document.digest:
            return []
        cosines = self._cosines(self._vectors[pk][1])
        others = sorted((other for other in cosines if other != pk), key=lambda other: -cosines[other])
        limit = max(limit, 0)
        if sort is Sort.NEWEST:
            others = sorted(others[: max(limit, RELATED_DEPTH)], key=lambda other: self._papers[other].newest)
        return [Hit(other, cosines[other]) for other in others[:limit]]

    def vectors(self, pks: Collection[int]) -> PaperVectors:
        """See `Index.vectors`."""
        if self._embedder is None:
            return PaperVectors()
        present = self._cosines(np.zeros(self._embedder.dimensions, np.float32))
        return PaperVectors(self._embedder.fingerprint, {pk: self._vectors[pk][1] for pk in pks if pk in present})

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

    def suggest_names(self, prefix: str, *, limit: int = 8) -> list[Suggestion]:
        """See `Index.suggest_names`."""
        typed = lexical.beginning(prefix)
        return [found for kind in Name if typed for found in self._names(kind, typed)[: max(limit, 0)]]

    def _names(self, kind: Name, typed: str) -> list[Suggestion]:
        """All names of a kind that go on like this. Spellings that differ in accents and case only are one."""
        spellings: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
        for paper in self._papers.values():
            for text in {text for name in _names_of(paper.document, kind) if (text := lexical.printed(name))}:
                run = tuple(analysis.words(text))
                if any(beginning.startswith(typed) for beginning in lexical.beginnings(run)):
                    spellings[run][text] += 1
        found = [
            Suggestion(kind, min(alike, key=lambda text: (-alike[text], text)), alike.total())
            for alike in spellings.values()
        ]
        return sorted(found, key=lambda one: (-one.papers, one.text))

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


@dataclass(frozen=True, slots=True)
class _Answer:
    """Everything that a query finds, in its order, each as the place behind it; and what the scores were made of.

    `words` are the scores by words. With meaning, there are `candidates`, the score of the `last` of them, and the
    `least` score by words of those that the words found.
    """

    plan: Plan
    orders: tuple[Order, ...]
    rows: list[Place]
    words: dict[int, float]
    candidates: dict[int, Candidate] = field(default_factory=dict)
    mixture: Mixture | None = None
    last: float = 0.0
    least: float = 0.0

    def score(self, row: Place) -> float:
        """The score of a paper of the answer."""
        if self.mixture is None or row.order is Order.FUSED:
            return row.score
        return fusion.behind(self.last, row.score, self.least)


def _behind(place: Place, rows: list[Place]) -> int:
    """How many papers of an answer stand no further back than a place: by relevance, than its paper as it is now."""
    if place.order is not Order.DAY:
        for number, row in enumerate(rows, 1):
            if row.pk == place.pk:
                return number
    return sum(row.key <= place.key for row in rows)


class _Statistics:
    """What BM25 has to know of all papers."""

    def __init__(self, papers: Collection[_Indexed]) -> None:
        self._all = _Field([paper.all for paper in papers])
        self._titles = _Field([paper.title for paper in papers])
        self._heads = _Field([tuple(paper.head) for paper in papers])

    def score(self, paper: _Indexed, plan: Plan) -> float:
        """The sum that `lexical` describes."""
        parts = [(part, self.worth(paper, part)) for part in [*lexical.parts(plan), *lexical.phrase_parts(plan)]]
        return sum(part.weight * worth.value for part, worth in parts if worth)

    def worth(self, paper: _Indexed, part: Part) -> Explanation | None:
        """What a paper has of a part before its weight, None without any of it."""
        match part.field:
            case lexical.Field.ALL:
                return self._all.bm25(part.run, paper.all)
            case lexical.Field.TITLE:
                return self._titles.bm25(part.run, paper.title)
            case lexical.Field.HEAD | lexical.Field.EVERY:
                head = part.field is lexical.Field.HEAD
                field, text = (self._heads, tuple(paper.head)) if head else (self._all, paper.all)
                words = [field.bm25((word,), text) for word in part.run]
                known = tuple(word for word in words if word)
                total = Explanation(sum(word.value for word in known), "all of the words", Rule.SUM, known)
                return total if len(known) == len(part.run) else None
            case lexical.Field.IDENTIFIER:
                return Explanation(1.0, "it is there") if part.run[0] in paper.document.identifiers else None


class _Field:
    """The statistics of one field over all papers, and BM25 with them (Robertson and Zaragoza 2009, Lucene's idf)."""

    def __init__(self, texts: Sequence[Run]) -> None:
        self._number = len(texts)
        self._mean = sum(map(_length, texts)) / len(texts)
        self._having = Counter(stem for text in texts for stem in set(text))

    def bm25(self, run: Run, text: Run) -> Explanation | None:
        """The score of a word, or of words in a row, in one text of the field; None when it is not there."""
        times = _times(run, text)
        if not times:
            return None
        rarity = sum(
            math.log(1 + (self._number - self._having[stem] + 0.5) / (self._having[stem] + 0.5)) for stem in run
        )
        norm = _K1 * (1 - _B + _B * _length(text) / self._mean)
        having = f"{self._having[run[0]]:,} of {self._number:,} papers have it"
        of = having if len(run) == 1 else "that of its words together"
        return explaining.bm25(times, rarity, times / (times + norm), of)


def _length(text: Run) -> int:
    return sum(1 for stem in text if stem)


def _times(run: Run, text: Run) -> int:
    """How often the run stands in the text."""
    return sum(text[start : start + len(run)] == run for start in range(len(text) - len(run) + 1))


def _has_text(paper: _Indexed, plan: Plan) -> bool:
    """Whether a paper has one of the words, or the identifier, and every phrase."""
    if not all(_times(phrase, paper.title if phrase in plan.titled else paper.all) for phrase in plan.phrases):
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


def _names_of(document: Document, kind: Name) -> tuple[str, ...]:
    """The names of a kind that a paper prints."""
    return {Name.AUTHOR: document.authors, Name.CATEGORY: document.categories, Name.VENUE: (document.venue,)}[kind]


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
    if facet is Facet.VENUE:
        values = Counter(venue for paper in found if (venue := lexical.printed(paper.document.venue)))
    else:
        values = Counter(category for paper in found for category in set(paper.document.categories))
    return sorted(values.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_COUNTED]
