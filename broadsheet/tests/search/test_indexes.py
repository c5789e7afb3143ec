"""The conformance suite on the engines that we ship, and one engine against the other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.search.adapters.embedded import EmbeddedIndex
from broadsheet.search.adapters.reference import ReferenceIndex
from broadsheet.search.document import Document
from broadsheet.search.embedding import Embedder
from broadsheet.search.index import Facet, Index
from broadsheet.search.query import parse
from broadsheet.testing.index_conformance import DurableIndexConformance, IndexConformance, assert_adds_up
from broadsheet.testing.meaning_conformance import DurableMeaningConformance, MeaningConformance


class TestReferenceIndex(IndexConformance):
    def make(self, folder: Path) -> Index:
        del folder  # it is in memory
        return ReferenceIndex()


class TestEmbeddedIndex(DurableIndexConformance):
    def make(self, folder: Path) -> Index:
        return EmbeddedIndex(folder)


class TestReferenceIndexWithVectors(MeaningConformance):
    def make(self, folder: Path, embedder: Embedder) -> Index:
        del folder
        return ReferenceIndex(embedder)


class TestEmbeddedIndexWithVectors(DurableMeaningConformance):
    def make(self, folder: Path, embedder: Embedder) -> Index:
        return EmbeddedIndex(folder, model=embedder.name, load=lambda _name: embedder)


WORDS = ("graph", "graphs", "lion", "optimizer", "the", "of", "gödel", "neural", "nerual", "two-word")
TEXTS = st.lists(st.sampled_from((*WORDS, "lion:")), max_size=8).map(" ".join)
DOCUMENTS = st.builds(
    Document,
    pk=st.integers(1, 40),
    change=st.integers(1, 9),
    title=TEXTS,
    abstract=TEXTS,
    authors=st.lists(st.sampled_from(("Ada Bela Example", "Bela Beispiel", "Chloé Exemple")), max_size=2).map(tuple),
    identifiers=st.sampled_from(((), ("arxiv:2401.00001",), ("arxiv:2401.00002", "acl:P19-1001"))),
    venue=st.sampled_from(("", "Example Conference", "Conference of Examples")),
    categories=st.sets(st.sampled_from(("cs.LG", "cs.CL", "math.CO"))).map(lambda found: tuple(sorted(found))),
    day=st.none() | st.dates(date(2022, 11, 1), date(2024, 2, 1)),
    has_code=st.booleans(),
    holds=st.booleans(),
)
QUERIES = st.lists(
    st.sampled_from(
        (
            *WORDS,
            *(
                '"lion graph"',
                '"the lion"',
                "-lion",
                '-"graph of"',
                "author:bela",
                'author:"Bela Exemple"',
                "-author:ada",
            ),
            *("category:cs", "category:cs.CL", "-category:math", "venue:conference", 'venue:"example conference"'),
            *("year:2023", "date:2022-12..2023-03", "year:>2023", "has:code", "holds:no", "2401.00001", "P19-1001"),
        )
    ),
    max_size=5,
).map(" ".join)


class TestAgainstTheReference:
    """Both engines after the same changes, asked the same."""

    @pytest.fixture
    def embedded(self, tmp_path: Path) -> Iterator[EmbeddedIndex]:
        index = EmbeddedIndex(tmp_path)
        yield index
        index.close()

    def test_same_papers_match_and_are_counted(self, embedded: EmbeddedIndex) -> None:
        """And without words, they come in the same order."""

        @settings(max_examples=25, deadline=None)
        @given(
            st.lists(st.tuples(st.lists(DOCUMENTS, max_size=15), st.sets(st.integers(1, 40), max_size=3)), max_size=3),
            st.lists(QUERIES, min_size=1, max_size=20),
        )
        def same(batches: list[tuple[list[Document], set[int]]], queries: list[str]) -> None:
            embedded.clear()
            reference = ReferenceIndex()
            for cursor, (upserts, deletes) in enumerate(batches, 1):
                embedded.apply(upserts, deletes, cursor=cursor)
                reference.apply(upserts, deletes, cursor=cursor)
            assert (embedded.count(), embedded.cursor()) == (reference.count(), reference.cursor())
            for typed in queries:
                query = parse(typed)
                ours = embedded.search(query, limit=100, facets=Facet)
                theirs = reference.search(query, limit=100, facets=Facet)
                assert {hit.pk for hit in ours.hits} == {hit.pk for hit in theirs.hits}, typed
                assert (ours.total, ours.facets) == (theirs.total, theirs.facets), typed
                if not query.words and not query.phrases:
                    assert ours.hits == theirs.hits, typed
                assert embedded.suggest(typed, limit=100) == reference.suggest(typed, limit=100), typed
                for beginning in (typed, typed[:3]):
                    names = embedded.suggest_names(beginning, limit=100)
                    assert names == reference.suggest_names(beginning, limit=100), beginning
                for pk in {hit.pk for hit in ours.hits[:3]} | {1}:
                    why, there = embedded.explain(query, pk), reference.explain(query, pk)
                    assert (why is None) == (there is None), typed
                    if why:
                        assert_adds_up(why)

        same()

    def test_scores_are_nearly_the_same(self, embedded: EmbeddedIndex) -> None:
        """The one document that holds the cursor makes the embedded engine's papers look a little rarer."""
        papers = [
            Document(pk=pk, change=pk, title=f"{WORDS[pk % 7]} {WORDS[pk % 9]}", abstract=" ".join(WORDS[pk % 8 :][:3]))
            for pk in range(1, 201)
        ]
        embedded.clear()
        embedded.apply(papers, [], cursor=200)
        reference = ReferenceIndex()
        reference.apply(papers, [], cursor=200)
        for typed in ("lion", "optimizer neural", "gödel two-word", '"graph lion" gödel'):
            scores = {hit.pk: hit.score for hit in embedded.search(parse(typed), limit=300).hits}
            expected = {hit.pk: hit.score for hit in reference.search(parse(typed), limit=300).hits}
            assert scores == pytest.approx(expected, rel=0.05)
