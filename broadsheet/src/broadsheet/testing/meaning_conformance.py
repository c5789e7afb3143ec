"""What a search engine must do that searches by meaning too, as tests. Whoever writes one runs them:

.. code-block:: python

    class TestMyIndex(MeaningConformance):
        def make(self, folder: Path, embedder: Embedder) -> Index:
            return MyIndex(folder, embedder)

The model is a small one whose meanings can be told from the words: those of a group mean the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from broadsheet.search import analysis
from broadsheet.search.document import Document
from broadsheet.search.embedding import Embedder, Floats, ModelMissing
from broadsheet.search.index import RELATED_DEPTH, Embedding, Facet, Index
from broadsheet.search.paging import Place
from broadsheet.search.query import Query, Sort, parse
from broadsheet.testing.index_conformance import CAST, assert_adds_up, keys, near, paper

GROUPS = (("car", "automobile", "vehicle"), ("boat", "ship", "vessel"), ("lamp", "light"))
_MEANS = {analysis.stems(word)[0]: analysis.stems(group[0])[0] for group in GROUPS for word in group}


class Concepts:
    """A model that takes a text for the sum of its words' meanings. Fulfils `Embedder`.

    With a sentence in `gone`, it cannot be used. Models of another `version` have other vectors.
    """

    name = "concepts"
    dimensions = 320
    unrelated = 0.3

    def __init__(self, version: int = 1, gone: str = "") -> None:
        self.fingerprint = f"concepts-{version}"
        self._version = version
        self.gone = gone

    def missing(self) -> str:
        """See `Embedder.missing`."""
        return self.gone

    def encode(self, texts: Sequence[str]) -> Floats:
        """See `Embedder.encode`. Raises ModelMissing."""
        if self.gone:
            raise ModelMissing(self.gone)
        sums = np.array([np.sum([self._word(word) for word in _meant(text)], axis=0) for text in texts], np.float32)
        lengths: Floats = np.linalg.norm(sums, axis=1, keepdims=True)
        return sums / lengths

    def close(self) -> None:
        """See `Embedder.close`: there is nothing to give back."""

    def _word(self, word: str) -> Floats:
        seed = hashlib.sha256(f"{self._version} {word}".encode()).digest()
        return np.random.default_rng(list(seed)).standard_normal(self.dimensions).astype(np.float32)


def _meant(text: str) -> list[str]:
    """What the words of a text mean; never nothing."""
    words = zip(analysis.words(text), analysis.stems(text), strict=True)
    return [_MEANS.get(stem, stem) for word, stem in words if word not in analysis.STOP_WORDS] or [""]


def embed_all(index: Index, documents: Sequence[Document], *, limit: int = 7) -> list[int]:
    """Give every paper that lacks one its vector, as the worker does. Returns the keys in the order they were named."""
    known = {document.pk: document for document in documents}
    named = []
    while wanted := index.unembedded(limit=limit):
        index.embed([known[pk] for pk in wanted])
        named += wanted
    return named


VEHICLES = (
    paper(1, "Automobile brakes", day=date(2024, 1, 1)),
    paper(2, "A car for every street", day=date(2023, 1, 1)),
    paper(3, "Vessels in storms", day=date(2022, 1, 1)),
    paper(4, "Harbours without water", day=date(2021, 1, 1)),
)


class MeaningConformance:
    """The tests for any engine with vectors. A subclass says how to `make` one."""

    def make(self, folder: Path, embedder: Embedder) -> Index:
        """A new index with the model, or what `folder` holds already.

        Raises NotImplementedError here: every engine is made in its own way.
        """
        raise NotImplementedError

    @pytest.fixture
    def embedder(self) -> Concepts:
        """The model."""
        return Concepts()

    @pytest.fixture
    def index(self, tmp_path: Path, embedder: Concepts) -> Iterator[Index]:
        """A new index."""
        made = self.make(tmp_path / "index", embedder)
        yield made
        made.close()

    @pytest.fixture
    def vehicles(self, index: Index) -> Index:
        """An index with four papers and their vectors."""
        index.apply(VEHICLES, [], cursor=4)
        embed_all(index, VEHICLES)
        return index

    # --- Getting vectors ---

    def test_new_index_has_none(self, index: Index) -> None:
        """It says which model it would use, and nothing is related to anything."""
        assert index.embedding() == Embedding("concepts", "", 0)
        assert index.unembedded(limit=9) == []
        assert index.related(1) == []
        assert not index.vectors([1]).by_pk

    def test_papers_are_named_newest_first(self, index: Index) -> None:
        """Those without a day last; each once."""
        papers = [paper(pk, f"lamp {pk}", day=date(2024, 1, 1) + timedelta(days=pk * 7 % 5)) for pk in range(1, 20)]
        papers.append(paper(20, "a lamp of an unknown day"))
        index.apply(papers, [], cursor=20)
        newest_first = keys(index.search(parse("sort:newest"), limit=30))
        assert embed_all(index, papers) == newest_first
        assert index.embedding() == Embedding("concepts", "", 20)

    def test_papers_are_named_until_something_is_kept(self, index: Index) -> None:
        """Whoever dies on the way to `embed` finds them again; of what is passed over, nothing more is heard."""
        index.apply(VEHICLES, [], cursor=4)
        assert index.unembedded(limit=2) == index.unembedded(limit=2) == [1, 2]
        index.embed([VEHICLES[0]])
        assert index.unembedded(limit=2) == [3, 4]
        index.embed([])
        assert index.unembedded(limit=2) == []
        assert index.embedding().papers == 1

    def test_changed_paper_is_named_again(self, vehicles: Index) -> None:
        """When its text is another one; not when only something else is."""
        changed = replace(VEHICLES[2], change=5, title="Lamps in storms")
        vehicles.apply([changed, replace(VEHICLES[3], change=6, has_code=True)], [], cursor=6)
        assert embed_all(vehicles, [changed]) == [3]
        assert vehicles.embedding().papers == 4

    def test_new_paper_comes_before_old_ones(self, index: Index) -> None:
        """Whoever is behind by years still has today's."""
        index.apply(VEHICLES, [], cursor=4)
        assert index.unembedded(limit=1) == [1]
        index.embed(VEHICLES[:1])
        late = paper(9, "Old lamps", day=date(1999, 1, 1))
        index.apply([late], [], cursor=9)
        assert index.unembedded(limit=1) == [9]

    def test_without_the_model_words_are_searched(self, tmp_path: Path) -> None:
        """And the index says why. Nothing is asked for."""
        index = self.make(tmp_path / "index", Concepts(gone="The model is not installed."))
        index.apply(VEHICLES, [], cursor=4)
        assert index.unembedded(limit=9) == []
        assert keys(index.search(parse("automobile"))) == [1]
        assert index.embedding() == Embedding("concepts", "The model is not installed.", 0)
        index.close()

    # --- Finding ---

    def test_meaning_is_found_without_the_word(self, vehicles: Index) -> None:
        """It counts, in the total and by facet; what has the word too comes first; what is unrelated does not come."""
        results = vehicles.search(parse("automobile"), facets=Facet)
        assert (keys(results), results.total) == ([1, 2], 2)
        assert results.facets["year"] == [("2024", 1), ("2023", 1)]
        assert keys(vehicles.search(parse("ships"))) == [3]
        assert vehicles.search(parse("zeppelin")).total == 0

    def test_words_that_no_paper_has(self, vehicles: Index) -> None:
        """The answer says that it was found by meaning; one that has a word of the query does not."""
        assert vehicles.search(parse("ship")).by_meaning
        assert not vehicles.search(parse("vessel")).by_meaning
        assert not vehicles.search(parse("ship street")).by_meaning

    @pytest.mark.parametrize(
        ("typed", "expected"),
        [
            pytest.param("automobile year:2023", [2], id="a year"),
            pytest.param("automobile -street", [1], id="without a word"),
            pytest.param("automobile date:..2022", [], id="none left"),
            pytest.param('"automobile"', [1], id="a quoted word is meant by letters"),
            pytest.param("automobile sort:newest", [1], id="by day there is no nearness"),
            pytest.param("automobile -has:code", [1, 2], id="a flag"),
        ],
    )
    def test_filters_are_exact(self, vehicles: Index, typed: str, expected: list[int]) -> None:
        """What is found by its meaning passes them too."""
        results = vehicles.search(parse(typed))
        assert (keys(results), results.total) == (expected, len(expected))

    def test_identified_paper_comes_first(self, index: Index) -> None:
        """An identifier asks for letters."""
        index.apply(CAST, [], cursor=4)
        embed_all(index, CAST)
        assert keys(index.search(parse("message passing on graphs 2401.00001")))[:2] == [1, 2]

    def test_scores_fall(self, vehicles: Index) -> None:
        """The score says why the order is as it is."""
        scores = [hit.score for hit in vehicles.search(parse("car street harbours storms")).hits]
        assert len(scores) == 4
        assert scores == sorted(scores, reverse=True)

    def test_paper_without_a_vector_is_not_punished(self, index: Index) -> None:
        """The best by words stays the best while its vector is awaited."""
        papers = [paper(1, "Lamp"), *(paper(pk, f"Lamp of kind {pk} and more") for pk in range(2, 9))]
        index.apply(papers, [], cursor=8)
        assert sorted(index.unembedded(limit=9)) == list(range(1, 9))
        index.embed(papers[1:])
        assert keys(index.search(parse("lamp")))[0] == 1

    def test_old_text_has_no_meaning(self, vehicles: Index) -> None:
        """A vector counts only for the text that it was made from."""
        vehicles.apply([replace(VEHICLES[1], change=5, title="Meadows")], [], cursor=5)
        assert keys(vehicles.search(parse("automobile"))) == [1]
        assert vehicles.related(2) == []

    def test_deleted_paper_has_no_meaning(self, vehicles: Index) -> None:
        """It is found by nothing any more."""
        vehicles.apply([], [1], cursor=5)
        assert keys(vehicles.search(parse("automobile"))) == [2]
        assert vehicles.related(1) == []
        assert 1 not in [hit.pk for hit in vehicles.related(2)]

    def test_cleared_index_finds_nothing(self, vehicles: Index) -> None:
        """Until papers come back."""
        vehicles.clear()
        assert vehicles.search(parse("automobile")).total == 0
        assert vehicles.related(1) == []
        vehicles.apply(VEHICLES, [], cursor=4)
        embed_all(vehicles, VEHICLES)
        assert keys(vehicles.search(parse("automobile"))) == [1, 2]

    # --- Related papers ---

    def test_related(self, vehicles: Index) -> None:
        """The nearest first, with its cosine; never the paper itself; no more than wanted."""
        hits = vehicles.related(1)
        assert len(hits) == 3
        assert hits[0].pk == 2
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
        assert vehicles.related(1, limit=1) == hits[:1]
        assert vehicles.related(1, limit=0) == vehicles.related(99) == []

    def test_related_newest_first(self, index: Index) -> None:
        """Of the nearest, which are fifty or as many as wanted; each with its cosine."""
        ships = [paper(pk, "ship " + "storm " * (pk % 2) * pk, day=date(2000 + pk, 1, 1)) for pk in range(1, 56)]
        index.apply([*ships, paper(90, "meadow of stones", day=date(2200, 1, 1))], [], cursor=90)
        embed_all(index, [*ships, paper(90, "meadow of stones")])
        near = index.related(2, limit=RELATED_DEPTH)
        newest = index.related(2, limit=6, sort=Sort.NEWEST)
        assert newest == sorted(near, key=lambda hit: -hit.pk)[:6]
        assert 90 not in [hit.pk for hit in newest]
        assert index.related(2, limit=0, sort=Sort.NEWEST) == index.related(99, sort=Sort.NEWEST) == []
        assert len(index.related(2, limit=60, sort=Sort.NEWEST)) == 55

    def test_vectors(self, vehicles: Index) -> None:
        """Those of the papers asked for that have one, of length one; none of a text that is gone, none of no paper."""
        known = vehicles.vectors([1, 2, 99])
        assert known.model
        assert sorted(known.by_pk) == [1, 2]
        near = next(hit.score for hit in vehicles.related(1) if hit.pk == 2)
        assert float(known.by_pk[1] @ known.by_pk[2]) == pytest.approx(near, abs=0.03)
        vehicles.apply([replace(VEHICLES[1], change=5, title="Meadows")], [1], cursor=5)
        assert not vehicles.vectors([1, 2]).by_pk
        assert not vehicles.vectors([]).by_pk

    # --- Why ---

    @pytest.mark.parametrize(
        "typed", ["automobile", "car street harbours storms", "ships -meadow", "zeppelin lamp car"]
    )
    def test_every_score_is_explained(self, vehicles: Index, typed: str) -> None:
        """The root is the score of the search, and every value comes from those below it."""
        query = parse(typed)
        results = vehicles.search(query)
        for hit in results.hits:
            explained = vehicles.explain(query, hit.pk)
            assert explained is not None
            assert explained.value == near(hit.score)
            assert [part.words for part in explained.details] == ["by words", "by meaning"]
            assert_adds_up(explained)
        assert {pk for pk in range(1, 6) if vehicles.explain(query, pk)} == set(keys(results))

    def test_explanation_behind_the_candidates(self, many: Index) -> None:
        """Of every candidate and of those that only the words found."""
        query = parse("ship water")
        hits = many.search(query, limit=1_000).hits
        kinds = set()
        for hit in hits[:: len(hits) // 30]:
            explained = many.explain(query, hit.pk)
            assert explained is not None
            assert explained.value == near(hit.score)
            assert_adds_up(explained)
            kinds.add(explained.words)
        assert len(kinds) == 2

    def test_paper_without_a_vector_is_explained(self, index: Index) -> None:
        """It says that it has none."""
        papers = [paper(1, "Lamp"), paper(2, "Lamp of another kind")]
        index.apply(papers, [], cursor=2)
        index.unembedded(limit=9)
        index.embed(papers[1:])
        explained = index.explain(parse("lamp"), 1)
        assert explained is not None
        assert_adds_up(explained)
        assert "no vector yet" in explained.details[1].details[1].words

    # --- Pages ---

    @pytest.fixture
    def many(self, index: Index) -> Index:
        """600 papers: 300 about ships, with the word in every second, and 300 with the word and little else in common.

        So the candidates of both sides overlap in part, and many more follow them.
        """
        start = date(2024, 1, 1)
        titles = [f"{'ship' if pk % 2 else 'vessel'} {'ship ' * (pk % 4 == 1)}{pk}" for pk in range(300)]
        titles += [f"ship meadow stone cloud step water harbour number {pk}" for pk in range(300)]
        papers = [paper(pk, title, day=start + timedelta(days=pk * 7 % 13)) for pk, title in enumerate(titles, 1)]
        index.apply(papers, [], cursor=len(papers))
        embed_all(index, papers, limit=250)
        return index

    @pytest.mark.parametrize("typed", ["ship", "ship water", "ship date:2024-01-02.."])
    def test_pages_have_no_gaps_and_no_repeats(self, many: Index, typed: str) -> None:
        """Through the candidates of both sides into what only the words found, pages put together are the whole."""
        whole = many.search(parse(typed), limit=1_000)
        order = keys(whole)
        assert len(order) == len(set(order)) == whole.total
        scores = [hit.score for hit in whole.hits]
        assert scores == sorted(scores, reverse=True)
        for size in (37, 100, 250):
            pages = [many.search(parse(typed), limit=size, offset=offset) for offset in range(0, len(order), size)]
            assert [key for page in pages for key in keys(page)] == order
            assert {page.total for page in pages} == {whole.total}

    @pytest.mark.parametrize("typed", ["ship", "ship water", "ship date:2024-01-02.."])
    def test_pages_that_continue_each_other_are_the_whole(self, many: Index, typed: str) -> None:
        """Through the candidates of both sides into what only the words found."""
        query = parse(typed)
        whole = many.search(query, limit=1_000)
        assert whole.next == ""
        for size in (37, 100, 250):
            pages = [many.search(query, limit=size)]
            while pages[-1].next:
                pages.append(many.search(query, limit=size, after=pages[-1].next))
            assert [hit.pk for page in pages for hit in page.hits] == keys(whole)
            assert {page.total for page in pages} == {whole.total}

    @pytest.mark.parametrize("shown", [30, 180, 260], ids=["among the candidates", "at their end", "behind them"])
    def test_changed_index_goes_on_behind_the_same_paper(self, many: Index, shown: int) -> None:
        """Every score is another one then."""
        query = parse("ship water")
        page = many.search(query, limit=shown)
        new = [paper(pk, f"meadow of number {pk}", change=1_000) for pk in range(2_000, 2_030)]
        many.apply([*new, paper(3_000, "ship water", day=date(2025, 1, 1), change=1_000)], [], cursor=1_000)
        now = keys(many.search(query, limit=1_000))
        place = now.index(keys(page)[-1]) + 1
        assert keys(many.search(query, limit=20, after=page.next)) == now[place : place + 20]

    def test_order_that_is_gone(self, many: Index, embedder: Concepts) -> None:
        """A place among the candidates means nothing without them: a sentence. By words, there is one again."""
        query = parse("ship")
        page = many.search(query, limit=20)
        embedder.gone = "The model has vanished."
        fresh = parse("ship vessel")
        with pytest.raises(ValueError, match=r"Begin again from there\."):
            many.search(fresh, after=self._renamed(page.next, query, fresh))
        assert many.search(fresh).total > 0

    @staticmethod
    def _renamed(place: str, query: Query, other: Query) -> str:
        """The same place in the answer of another query, which nobody has asked yet."""
        return Place.read(place, query).written(other)

    def test_no_page_behind_the_last(self, many: Index) -> None:
        """Empty, and it still knows how many there are."""
        total = many.search(parse("ship")).total
        assert total > 450
        for offset in (total, 10_000, 10**12):
            results = many.search(parse("ship"), offset=offset)
            assert (results.hits, results.total) == ((), total)


class DurableMeaningConformance(MeaningConformance):
    """The tests for an engine that keeps its vectors when the process ends, and lets others read them."""

    def test_opened_again_everything_is_there(self, vehicles: Index, tmp_path: Path) -> None:
        """Nothing has to be embedded again."""
        vehicles.close()
        again = self.make(tmp_path / "index", Concepts())
        assert again.embedding().papers == 4
        assert again.unembedded(limit=9) == []
        assert keys(again.search(parse("automobile"))) == [1, 2]
        again.close()

    def test_vectors_outlive_the_index(self, vehicles: Index) -> None:
        """They cost far more. Papers that come back with the same text have theirs."""
        vehicles.clear()
        vehicles.apply(VEHICLES, [], cursor=4)
        assert vehicles.unembedded(limit=9) == []
        assert keys(vehicles.search(parse("automobile"))) == [1, 2]
