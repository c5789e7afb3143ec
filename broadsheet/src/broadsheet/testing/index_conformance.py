"""What every search engine must do, as tests. Whoever writes one runs them:

.. code-block:: python

    class TestMyIndex(IndexConformance):
        def make(self, folder: Path) -> Index:
            return MyIndex(folder)

An engine that keeps its papers when the process ends inherits from `DurableIndexConformance` instead, which has more
tests. The meaning of each rule is in `broadsheet.search.index.Index`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.search.document import Document
from broadsheet.search.explanation import Explanation, Rule
from broadsheet.search.index import MAX_DEPTH, Facet, Index, Name, Results, Suggestion
from broadsheet.search.lexical import TITLE_WEIGHT
from broadsheet.search.paging import Order, Place
from broadsheet.search.query import Query, parse

LION = Document(
    pk=1,
    change=1,
    title="Lion: a faster optimizer for networks",
    abstract="Sign momentum finds flat minima. We measure the generalisation of trained models.",
    authors=("Ada Bela Example", "Chloé Exemple"),
    identifiers=("arxiv:2401.00001", "doi:10.1000/lion.1"),
    venue="Example Conference 2024",
    categories=("cs.LG", "stat.ML"),
    keywords=("optimisation",),
    day=date(2024, 1, 15),
    has_code=True,
    holds=True,
)
GRAPHS = Document(
    pk=2,
    change=2,
    title="Message passing on graphs, revisited",
    abstract="Graph networks pass messages. A message is a vector.",
    authors=("Bela Beispiel",),
    identifiers=("arxiv:math/0611800",),
    venue="Journal of Examples",
    categories=("math.CO",),
    day=date(2023, 6, 30),
    has_code=True,
)
GOEDEL = Document(
    pk=3,
    change=3,
    title="Gödel numbering after Poincaré",
    abstract="A survey of arithmetic; passing remarks on the message of Gödel.",
    authors=("Đorđe Primer", "Ada Example"),
    categories=("math.LO", "cs.LO"),
    day=date(2023, 6, 30),
)
TO_BE = Document(pk=4, change=4, title="To be or not to be", authors=("Zoë van der Beispiel",), categories=("cs.CL",))
CAST = (LION, GRAPHS, GOEDEL, TO_BE)

# What is typed, and the keys of the papers of the cast that match, in no order.
MATCHES: Sequence[tuple[str, str, set[int]]] = (
    ("a word", "minima", {1}),
    ("at least one of the words", "minima arithmetic", {1, 3}),
    ("no such word", "zeppelin", set()),
    ("another inflection", "optimizers", {1}),
    ("another case", "LION", {1}),
    ("a keyword", "optimisation", {1}),
    ("an author among words", "beispiel", {2, 4}),
    ("stop words do not match alone", "the lion", {1}),
    ("nothing but stop words", "to be or not to be", {4}),
    ("accents need not be typed", "godel", {3}),
    ("accents may be typed", "Gödel", {3}),
    ("accents in two characters", "Go\u0308del", {3}),
    ("accents in TeX", r"G\"odel Poincar\'e", {3}),
    ("a letter with a stroke", "Dorde", {3}),
    ("a phrase", '"graph networks"', {2}),
    ("a phrase is in order", '"networks graph"', set()),
    ("a phrase in another inflection", '"message passing"', {2}),
    ("a phrase does not run from one text into the next", '"revisited message"', set()),
    ("a phrase with stop words", '"not to be"', {4}),
    ("every phrase", '"message passing" "graph networks"', {2}),
    ("a phrase and one of the words", '"message passing" arithmetic vector', {2}),
    ("a phrase and none of the words", '"message passing" arithmetic', set()),
    ("without a word", "message -survey", {2}),
    ("nothing but an exclusion", "-message", {1, 4}),
    ("without a phrase", 'message -"graph networks"', {3}),
    ("without an inflection", "message -optimizers", {2, 3}),
    ("an author by family name", "author:beispiel", {2, 4}),
    ("an author by full name", 'author:"Ada Example"', {1, 3}),
    ("an author by all names", 'author:"Ada Bela Example"', {1}),
    ("an author, family name first", 'author:"Example, Ada"', {1, 3}),
    ("an author without the comma", 'author:"Example Ada"', {1, 3}),
    ("an author by initial", 'author:"A. Example"', {1, 3}),
    ("an author with particles", 'author:"van der Beispiel"', {4}),
    ("an author is one person", 'author:"Bela Exemple"', set()),
    ("an author's accents", "author:chloe author:Đorđe", set()),
    ("both authors", "author:primer author:example", {3}),
    ("not this author", "-author:example", {2, 4}),
    ("a category", "category:cs.LG", {1}),
    ("a category in another case", "category:CS.lg", {1}),
    ("a cross-listed category", "category:stat.ML", {1}),
    ("a whole archive", "category:cs", {1, 3, 4}),
    ("a beginning is no category", "category:cs.L", set()),
    ("any of several categories", "category:cs.LG,math.CO", {1, 2}),
    ("not this category", "-category:cs", {2}),
    ("a category and not another", "category:cs -category:stat.ML", {3, 4}),
    ("a venue by a word", "venue:conference", {1}),
    ("a venue by its name", 'venue:"journal of examples"', {2}),
    ("a venue's words in order", 'venue:"examples journal"', set()),
    ("any of several venues", "venue:conference venue:journal", {1, 2}),
    ("not this venue", "-venue:conference", {2, 3, 4}),
    ("a year", "year:2023", {2, 3}),
    ("a range of years", "year:2023..2024", {1, 2, 3}),
    ("a month", "date:2023-06", {2, 3}),
    ("a day, its end included", "date:2023-01..2023-06-30", {2, 3}),
    ("the day before is out", "date:..2023-06-29", set()),
    ("after a year", "year:>2023", {1}),
    ("from a year on", "year:>=2023", {1, 2, 3}),
    ("before a year", "year:<2024", {2, 3}),
    ("without a day no range matches", "year:1900..2100", {1, 2, 3}),
    ("with code", "has:code", {1, 2}),
    ("without code", "-has:code", {3, 4}),
    ("held up", "holds:yes", {1}),
    ("did not hold up", "holds:no", {2, 3, 4}),
    ("filters narrow each other", "has:code year:2023", {2}),
    ("filters narrow words", "message has:code", {2}),
    ("an identifier", "arXiv:2401.00001v3", {1}),
    ("an address", "https://arxiv.org/abs/math/0611800", {2}),
    ("another identifier of the same paper", "https://doi.org/10.1000/LION.1", {1}),
    ("an unknown identifier", "2401.99999", set()),
    ("an identifier or words", "2401.00001 arithmetic", {1, 3}),
    ("an identifier passes the filters too", "2401.00001 year:2023", set()),
    ("everything", "", {1, 2, 3, 4}),
    ("a word too long to be held", "a" * 300, set()),
)


def keys(results: Results) -> list[int]:
    """The primary keys of an answer, in its order."""
    return [hit.pk for hit in results.hits]


def near(score: float) -> Any:
    """The same score but for rounding, as `Index.explain` promises it."""
    return pytest.approx(score, rel=1e-4, abs=1e-4)


def assert_adds_up(explained: Explanation) -> None:
    """Every value of the tree is the sum or the product of those below it, as it says, and every one has words."""
    values = [each.value for each in explained.details]
    made = {Rule.SUM: sum(values), Rule.PRODUCT: math.prod(values), Rule.GIVEN: explained.value}
    assert explained.value == near(made[explained.rule]), explained
    assert (explained.rule is Rule.GIVEN) == (not values)
    assert explained.words
    for each in explained.details:
        assert_adds_up(each)


def paper(pk: int, title: str = "", *, day: date | None = None, change: int = 0) -> Document:
    """A paper of which only this is known."""
    return Document(pk=pk, change=change or pk, title=title, day=day)


class IndexConformance:
    """The tests for any engine. A subclass says how to `make` one."""

    def make(self, folder: Path) -> Index:
        """A new index, or what `folder` holds already. An engine elsewhere uses the name of the folder as its name.

        Raises NotImplementedError here: every engine is made in its own way.
        """
        raise NotImplementedError

    @pytest.fixture
    def index(self, tmp_path: Path) -> Iterator[Index]:
        """A new index."""
        made = self.make(tmp_path / "index")
        yield made
        made.close()

    @pytest.fixture
    def cast(self, index: Index) -> Index:
        """An index with the cast in it."""
        index.apply(CAST, [], cursor=4)
        return index

    # --- A new index ---

    def test_new_index_is_empty(self, index: Index) -> None:
        """No papers, cursor 0, and every question has an empty answer."""
        assert (index.count(), index.cursor()) == (0, 0)
        assert index.search(parse("anything year:2024"), facets=Facet) == Results(
            (), 0, {"category": [], "year": [], "venue": []}
        )
        assert index.search(Query()).total == 0
        with pytest.raises(ValueError, match=r"\.$"):
            index.search(parse("anything"), after="nonsense")
        assert (index.suggest("any"), index.suggest_names("any")) == ([], [])
        assert index.explain(parse("anything"), 1) is None

    # --- What matches ---

    @pytest.mark.parametrize(("typed", "expected"), [pytest.param(*row[1:], id=row[0]) for row in MATCHES])
    def test_matches(self, cast: Index, typed: str, expected: set[int]) -> None:
        """The papers of the cast that a query finds, and their number."""
        results = cast.search(parse(typed))
        assert set(keys(results)) == expected
        assert results.total == len(expected)

    def test_any_text_is_answered(self, cast: Index) -> None:
        """Hostile input never raises, and an answer keeps its promises."""

        @settings(max_examples=60, deadline=None)
        @given(st.text(max_size=80) | st.lists(st.sampled_from([row[1] for row in MATCHES])).map(" ".join))
        def answered(typed: str) -> None:
            results = cast.search(parse(typed), facets=Facet)
            assert len(set(keys(results))) == len(results.hits) == results.total
            assert len(cast.suggest(typed)) <= 8

        answered()

    # --- Order ---

    def test_best_match_first(self, cast: Index) -> None:
        """More of the words, and the title, count for more."""
        assert keys(cast.search(parse("graph message passing"))) == [2, 3]
        assert keys(cast.search(parse("not to be")))[0] == 4

    def test_scores_fall(self, cast: Index) -> None:
        """The score says why the order is as it is."""
        scores = [hit.score for hit in cast.search(parse("message graph arithmetic")).hits]
        assert scores == sorted(scores, reverse=True)
        assert min(scores) > 0

    def test_rare_word_counts_for_more(self, index: Index) -> None:
        """Of two words, the one that fewer papers have decides."""
        index.apply([*(paper(pk, "common words") for pk in range(1, 9)), paper(9, "zeppelin words")], [], cursor=9)
        assert keys(index.search(parse("common zeppelin")))[0] == 9

    def test_title_before_its_colon_comes_first(self, index: Index) -> None:
        """Whoever types a name wants the paper of that name."""
        papers = [paper(1, "Improving Lion and lion again"), paper(2, "Lion: a study of large cats and of much more")]
        index.apply(papers, [], cursor=2)
        assert keys(index.search(parse("lion")))[0] == 2

    def test_words_in_a_row_in_the_title_come_first(self, index: Index) -> None:
        """A piece of a title finds that title."""
        papers = [paper(1, "Networks of graph attention"), paper(2, "Graph attention networks")]
        index.apply(papers, [], cursor=2)
        assert keys(index.search(parse("graph attention networks"))) == [2, 1]

    def test_having_every_word_counts(self, index: Index) -> None:
        """Beside what each word counts for; who lacks one has nothing of it."""
        index.apply([paper(1, "Harbours in winter, and without water"), paper(2, "Harbours, harbours")], [], cursor=2)
        query = parse("harbours winter")

        def said(pk: int) -> str:
            return str(index.explain(query, pk))

        assert "all of them in the paper" in said(1)
        assert "all of them in the paper" not in said(2)

    def test_identified_paper_comes_first(self, cast: Index) -> None:
        """Whatever else was typed."""
        assert keys(cast.search(parse("message passing on graphs 2401.00001")))[:2] == [1, 2]

    def test_newest_first(self, cast: Index) -> None:
        """By day, papers without a day last, those of one day by key; scores are 0."""
        results = cast.search(parse("sort:newest"))
        assert [(hit.pk, hit.score) for hit in results.hits] == [(1, 0.0), (2, 0.0), (3, 0.0), (4, 0.0)]
        assert keys(cast.search(parse("message sort:newest"))) == [2, 3]

    def test_farthest_days_are_found_and_sorted(self, index: Index) -> None:
        """The calendar ends with the year 9999 and begins with the year 1; a source may say either."""
        days = {1: None, 2: date.min, 3: date(3355, 12, 31), 4: date(9998, 12, 31), 5: date.max}
        largest = 2**38 - 1
        papers = [paper(pk, "lamp", day=day) for pk, day in days.items()]
        index.apply([*papers, paper(largest, "lamp", day=date.max, change=6)], [], cursor=6)
        assert keys(index.search(parse("sort:newest"))) == [5, largest, 4, 3, 2, 1]
        assert keys(index.search(parse("lamp year:9999"))) == [5, largest]
        assert index.search(parse("lamp"), facets=[Facet.YEAR]).facets["year"][0] == ("9999", 2)

    def test_without_words_the_newest_come_first(self, cast: Index) -> None:
        """There is nothing to rank by."""
        assert keys(cast.search(parse("category:cs"))) == [1, 3, 4]

    def test_equals_come_newest_first(self, index: Index) -> None:
        """Papers with the same score: the newest, then the smallest key."""
        days = {1: None, 2: date(2020, 1, 1), 3: date(2024, 1, 1), 4: date(2024, 1, 1)}
        index.apply([paper(pk, "the same title", day=day) for pk, day in days.items()], [], cursor=4)
        assert keys(index.search(parse("same title"))) == [3, 4, 2, 1]

    # --- Which of some papers match ---

    @pytest.mark.parametrize(
        "typed", ["message", "message sort:votes", "category:cs", "", '"message passing"', "-message", "2401.00001"]
    )
    def test_of_some_papers_those_match_that_the_search_finds(self, cast: Index, typed: str) -> None:
        """Among papers that are named, also ones that are not here and many of them."""
        found = set(keys(cast.search(parse(typed), limit=100)))
        for some in ([], [1], [1, 3, 4], [4, 99, 1, 1], list(range(1, 3_000))):
            assert cast.matching(parse(typed), some) == found & set(some)

    @pytest.mark.parametrize("order", ["votes", "trending"])
    def test_an_index_knows_no_votes(self, cast: Index, order: str) -> None:
        """Whoever knows them puts the papers in order; to the index it is the order by day."""
        assert keys(cast.search(parse(f"message sort:{order}"))) == keys(cast.search(parse("message sort:newest")))

    # --- Pages ---

    @pytest.mark.parametrize("typed", ["same", "same sort:newest", "same title", ""])
    def test_pages_have_no_gaps_and_no_repeats(self, index: Index, typed: str) -> None:
        """Pages of any size put together are the whole answer, with many equals among its papers."""
        start = date(2024, 1, 1)
        papers = [
            paper(pk, f"same {'title ' * (pk % 3)}", day=start + timedelta(days=pk * 7 % 11)) for pk in range(1, 61)
        ]
        for first in range(0, 60, 17):
            index.apply(papers[first : first + 17], [], cursor=60)
        whole = keys(index.search(parse(typed), limit=100))
        assert sorted(whole) == list(range(1, 61))
        for size in (1, 7, 20):
            pages = [index.search(parse(typed), limit=size, offset=offset) for offset in range(0, 60, size)]
            assert [key for page in pages for key in keys(page)] == whole
            assert {page.total for page in pages} == {60}

    @pytest.mark.parametrize(
        ("limit", "offset"),
        [
            pytest.param(0, 0, id="no papers wanted"),
            pytest.param(20, 4, id="behind the last"),
            pytest.param(20, MAX_DEPTH, id="too deep"),
            pytest.param(20, 10**12, id="absurdly deep"),
        ],
    )
    def test_pages_that_are_empty(self, cast: Index, limit: int, offset: int) -> None:
        """An empty page still knows how many papers there are."""
        for typed in ("", "category:cs,math"):
            results = cast.search(parse(typed), limit=limit, offset=offset)
            assert (results.hits, results.total) == ((), 4)

    # --- Pages that continue each other ---

    @pytest.mark.parametrize("typed", ["same", "same sort:newest", "same title", "", "same title -other"])
    def test_pages_that_continue_each_other_are_the_whole(self, index: Index, typed: str) -> None:
        """Whatever their size, and beginning behind any page; the last one says that nothing follows."""
        start = date(2024, 1, 1)
        papers = [
            paper(pk, f"same {'title ' * (pk % 3)}", day=start + timedelta(days=pk * 7 % 11)) for pk in range(1, 61)
        ]
        for first in range(0, 60, 17):
            index.apply(papers[first : first + 17], [], cursor=60)
        query = parse(typed)
        whole = index.search(query, limit=100)
        assert whole.next == ""
        for size in (1, 7, 20):
            pages = [index.search(query, limit=size)]
            while pages[-1].next:
                pages.append(index.search(query, limit=size, after=pages[-1].next))
            assert [hit for page in pages for hit in page.hits] == list(whole.hits)
            assert {page.total for page in pages} == {60}
            assert len(pages) == -(-60 // size)
        page = index.search(query, limit=9, offset=13)
        assert index.search(query, limit=5, offset=40, after=page.next).hits == whole.hits[22:27]

    def test_nothing_follows_what_shows_nothing(self, cast: Index) -> None:
        """A page without papers has nothing behind it."""
        for results in (cast.search(Query(), limit=0), cast.search(Query(), offset=4), cast.search(parse("zeppelin"))):
            assert results.next == ""
        page = cast.search(Query(), limit=2)
        assert cast.search(Query(), limit=0, after=page.next) == Results((), 4)

    def test_by_day_a_changed_index_repeats_nothing(self, index: Index) -> None:
        """Papers that came before the place are missed, those behind it are there, and what is gone is no matter."""
        papers = [paper(pk, "lamp", day=date(2024, 1, pk)) for pk in range(1, 11)]
        index.apply(papers, [], cursor=10)
        query = parse("lamp sort:newest")
        page = index.search(query, limit=4)
        assert keys(page) == [10, 9, 8, 7]
        newer = [paper(pk, "lamp", day=date(2024, 2, pk), change=20) for pk in (11, 12)]
        older = paper(13, "lamp", day=date(2024, 1, 4), change=20)
        index.apply([*newer, older], [7, 6], cursor=20)
        rest = index.search(query, limit=4, after=page.next)
        assert (keys(rest), rest.total) == ([5, 4, 13, 3], 11)
        assert keys(index.search(query, limit=4, after=rest.next)) == [2, 1]

    def test_by_relevance_a_changed_index_goes_on_behind_the_same_paper(self, index: Index) -> None:
        """Every score is another one then."""
        papers = [paper(pk, "lamp " * (11 - pk) + "stone " * pk) for pk in range(1, 11)]
        index.apply(papers, [], cursor=10)
        page = index.search(parse("lamp"), limit=4)
        better = paper(30, "lamp lamp lamp lamp", change=20)
        index.apply([better, *(paper(pk, "meadow") for pk in range(40, 60))], [], cursor=20)
        now = keys(index.search(parse("lamp")))
        place = now.index(keys(page)[-1]) + 1
        assert place == 5
        rest = index.search(parse("lamp"), limit=4, after=page.next)
        assert (keys(rest), rest.total) == (now[place : place + 4], 11)

    def test_by_relevance_a_paper_that_is_gone_leaves_its_place(self, index: Index) -> None:
        """Those far behind it follow."""
        papers = [paper(pk, "lamp " * (60 - 10 * pk) + "stone " * 10 * pk) for pk in range(1, 6)]
        index.apply([*papers, *(paper(pk, "meadow") for pk in range(10, 60))], [], cursor=60)
        page = index.search(parse("lamp"), limit=2)
        index.apply([], [keys(page)[-1]], cursor=61)
        rest = index.search(parse("lamp"), limit=2, after=page.next)
        assert set(keys(rest)).isdisjoint(keys(page))
        assert len(rest.hits) == 2

    @pytest.mark.parametrize(
        "after",
        [
            pytest.param("2", id="a number"),
            pytest.param("A" * 44, id="zeros"),
            pytest.param("é" * 44, id="other letters"),
            pytest.param("A" * 100_000, id="long"),
        ],
    )
    def test_place_from_elsewhere(self, cast: Index, index: Index, after: str) -> None:
        """A sentence, whatever it is; also that of another search, which is not a place in this one."""
        with pytest.raises(ValueError, match=r"Begin again from its first page\."):
            cast.search(parse("message"), after=after)
        other = cast.search(parse("graph arithmetic"), limit=1).next
        with pytest.raises(ValueError, match=r"Begin again from its first page\."):
            index.search(parse("message"), after=other)
        assert keys(cast.search(parse("message"))) == [2, 3]

    def test_place_made_by_hand(self, cast: Index) -> None:
        """Whoever writes one himself gets papers of the answer, or a sentence."""

        @settings(max_examples=60, deadline=None)
        @given(
            st.sampled_from(["message graph arithmetic minima", "", "message sort:newest"]),
            st.builds(
                Place,
                st.sampled_from(Order),
                st.floats(),
                st.none() | st.dates(),
                st.integers(0, 5) | st.integers(0, 2**64 - 1),
                st.integers(0, 5) | st.integers(0, 2**40),
            ),
        )
        def answered(typed: str, place: Place) -> None:
            query = parse(typed)
            whole = cast.search(query)
            try:
                page = cast.search(query, limit=2, after=place.written(query))
            except ValueError as error:
                assert str(error).endswith(".")  # noqa: PT017  # nothing has to be raised
            else:
                assert set(keys(page)) <= set(keys(whole))
                assert len(page.hits) <= 2

        answered()

    # --- Why ---

    @pytest.mark.parametrize(
        "typed",
        [
            pytest.param("message", id="a word"),
            pytest.param("message passing on graphs", id="words in a row in the title"),
            pytest.param("lion", id="a word before the colon"),
            pytest.param("lion optimizer nothing", id="a word that nobody has"),
            pytest.param('"message passing" vector remarks', id="a phrase"),
            pytest.param('"graph networks"', id="nothing but a phrase"),
            pytest.param("2401.00001 message", id="an identifier"),
            pytest.param("generalisaton mesage", id="misspelt words"),
            pytest.param("to be or not to be", id="stop words"),
            pytest.param("message has:code", id="a filter"),
        ],
    )
    def test_every_score_is_explained(self, cast: Index, typed: str) -> None:
        """The root is the score of the search, and every value comes from those below it."""
        query = parse(typed)
        results = cast.search(query)
        assert results.hits
        for hit in results.hits:
            explained = cast.explain(query, hit.pk)
            assert explained is not None
            assert explained.value == near(hit.score)
            assert_adds_up(explained)
            assert explained.details
        found = set(keys(results))
        assert [cast.explain(query, pk) for pk in (1, 2, 3, 4, 99, 2**40, -1) if pk not in found] == [None] * (
            7 - len(found)
        )

    def test_explanation_names_words_fields_and_weights(self, cast: Index) -> None:
        """Words as they were typed."""
        explained = cast.explain(parse("optimizers message"), 1)
        assert explained is not None
        (word,) = explained.details
        assert word.words == "“optimizers”"
        assert [field.words for field in word.details] == ["anywhere in the paper", "in the title"]
        assert next(part.value for part in word.details[1].details) == TITLE_WEIGHT

    def test_order_by_day_scores_nothing(self, cast: Index) -> None:
        """And says so."""
        for typed in ("message sort:newest", "category:math"):
            explained = cast.explain(parse(typed), 2)
            assert explained is not None
            assert (explained.value, explained.details) == (0.0, ())
            assert cast.explain(parse(typed), 4) is None

    # --- Facets, corrections, suggestions ---

    def test_facets_count_what_matches(self, cast: Index) -> None:
        """Categories with the most papers first, years with the newest first; only what was asked for."""
        results = cast.search(Query(), facets=Facet)
        assert results.facets == {
            "category": [("cs.CL", 1), ("cs.LG", 1), ("cs.LO", 1), ("math.CO", 1), ("math.LO", 1), ("stat.ML", 1)],
            "year": [("2024", 1), ("2023", 2)],
            "venue": [("Example Conference 2024", 1), ("Journal of Examples", 1)],
        }
        assert cast.search(parse("message"), facets=[Facet.YEAR]).facets == {"year": [("2023", 2)]}
        assert cast.search(Query()).facets == {}

    def test_venues_are_counted_as_printed(self, index: Index) -> None:
        """The 20 with the most papers; blanks do not tell them apart, and what is too long is no venue."""
        named = [f"Venue {number:02}" for number in range(25) for _paper in range(1 + number % 3)]
        named += ["Revue  d'Été ", *["Revue d'Été"] * 3, "x" * 201, " "]
        papers = [replace(paper(pk, "lamp"), venue=venue) for pk, venue in enumerate(named, 1)]
        index.apply(papers, [], cursor=len(papers))
        counted = index.search(parse("lamp"), facets=[Facet.VENUE]).facets["venue"]
        assert counted[:2] == [("Revue d'Été", 4), ("Venue 02", 3)]
        assert len(counted) == 20
        assert counted == sorted(counted, key=lambda pair: (-pair[1], pair[0]))

    def test_misspelt_word_is_searched_in_the_nearest_spelling_too(self, index: Index) -> None:
        """A word that hardly any paper has; the paper that has it stays first."""
        papers = [paper(pk, f"Transformers of kind {pk}") for pk in range(1, 6)]
        index.apply([*papers, paper(6, "Transfromers, as we misspell them")], [], cursor=6)
        results = index.search(parse("transfromers"))
        assert keys(results)[0] == 6
        assert results.total == 6
        assert results.corrections == (("transfromers", "transformers"),)

    @pytest.mark.parametrize(("typed", "meant"), [("kernal", "kernel"), ("gausian", "gaussian")])
    def test_small_collection_corrects_too(self, index: Index, typed: str, meant: str) -> None:
        """A word that no paper has is corrected even to a word of a single title."""
        index.apply([paper(1, "Kernel methods"), paper(2, "A Gaussian process"), paper(3, "Graphs")], [], cursor=3)
        results = index.search(parse(typed))
        assert (results.total, results.corrections) == (1, ((typed, meant),))

    def test_word_of_one_paper_is_not_taken_for_another_rare_word(self, index: Index) -> None:
        """Hardly used is not misspelt when the nearest word is hardly used too."""
        index.apply([paper(1, "Causal graphs"), paper(2, "Casual graphs")], [], cursor=2)
        results = index.search(parse("causal"))
        assert (keys(results), results.corrections) == ([1], ())

    @pytest.mark.parametrize("typed", ["transformers", '"transfromers"', "zeppelin", "kin"])
    def test_what_is_not_corrected(self, index: Index, typed: str) -> None:
        """Known words, phrases, words with nothing near, and words too short to tell."""
        index.apply([paper(pk, f"Transformers of kind {pk}") for pk in range(1, 6)], [], cursor=5)
        assert index.search(parse(typed)).corrections == ()

    @pytest.mark.parametrize(
        ("prefix", "expected"),
        [
            pytest.param("li", [1], id="the beginning of a word"),
            pytest.param("messages", [], id="not another inflection"),
            pytest.param("message pas", [2], id="words, the last unfinished"),
            pytest.param("graphs mess", [2], id="in any order"),
            pytest.param("GÖD", [3], id="case and accents are alike"),
            pytest.param("to", [4], id="a stop word"),
            pytest.param("minima", [], id="only titles"),
            pytest.param("", [], id="nothing typed"),
            pytest.param("...", [], id="no letters"),
        ],
    )
    def test_suggest(self, cast: Index, prefix: str, expected: list[int]) -> None:
        """Papers whose title continues what was typed."""
        assert cast.suggest(prefix) == expected

    def test_suggestions_in_a_row_come_first(self, index: Index) -> None:
        """Then the newest; no more than wanted."""
        papers = [
            paper(1, "Attention for graphs", day=date(2025, 1, 1)),
            paper(2, "Graph attention", day=date(2020, 1, 1)),
            paper(3, "Attention, please: graph theory", day=date(2024, 1, 1)),
        ]
        index.apply(papers, [], cursor=3)
        assert index.suggest("graph att") == [2, 3]
        assert index.suggest("att", limit=2) == [1, 3]

    # --- Names ---

    @pytest.mark.parametrize(
        ("typed", "expected"),
        [
            pytest.param("be", ["Bela Beispiel", "Zoë van der Beispiel", "Ada Bela Example"], id="two letters"),
            pytest.param("b", [], id="one letter"),
            pytest.param("PRIM", ["Đorđe Primer"], id="the family name, in any case"),
            pytest.param("chloe", ["Chloé Exemple"], id="accents need not be typed"),
            pytest.param("Đor", ["Đorđe Primer"], id="accents may be typed"),
            pytest.param("ada", ["Ada Bela Example", "Ada Example"], id="equals by text"),
            pytest.param("ada b", ["Ada Bela Example"], id="an unfinished word"),
            pytest.param("Example, A", ["Ada Bela Example", "Ada Example"], id="family name first"),
            pytest.param("bela ex", ["Ada Bela Example"], id="from the middle on"),
            pytest.param("van der b", ["Zoë van der Beispiel"], id="particles"),
            pytest.param("der zo", [], id="not with words left out"),
            pytest.param("cs", ["cs.CL", "cs.LG", "cs.LO"], id="an archive"),
            pytest.param("cs.l", ["cs.LG", "cs.LO"], id="the beginning of a category"),
            pytest.param("lo", ["cs.LO", "math.LO"], id="the end of a category"),
            pytest.param("conf", ["Example Conference 2024"], id="a venue, from any word on"),
            pytest.param(
                "exam",
                ["Ada Bela Example", "Ada Example", "Example Conference 2024", "Journal of Examples"],
                id="of every kind",
            ),
            pytest.param("", [], id="nothing typed"),
            pytest.param("\x1f\x00", [], id="no letters"),
        ],
    )
    def test_names_are_suggested(self, cast: Index, typed: str, expected: list[str]) -> None:
        """As papers print them: authors, then categories, then venues."""
        found = cast.suggest_names(typed)
        assert sorted(each.text for each in found) == sorted(expected)
        assert [each.kind for each in found] == sorted(each.kind for each in found)
        assert {each.papers for each in found} <= {1}

    def test_names_with_the_most_papers_come_first(self, index: Index) -> None:
        """Of each kind, no more than wanted; one spelling stands for those that differ in accents and case only."""
        by = {"Bela Example": 2, "Béla Example": 3, "Ada Example": 4, "Chloé Example": 1, "CHLOE EXAMPLE": 1}
        written = [name for name, papers in by.items() for _paper in range(papers)]
        papers = [
            replace(paper(pk, "lamp"), authors=(name, name), categories=("ex.A",), venue="Exempla")
            for pk, name in enumerate(written, 1)
        ]
        index.apply(papers, [], cursor=len(papers))
        assert index.suggest_names("ex") == [
            Suggestion(Name.AUTHOR, "Béla Example", 5),
            Suggestion(Name.AUTHOR, "Ada Example", 4),
            Suggestion(Name.AUTHOR, "CHLOE EXAMPLE", 2),
            Suggestion(Name.CATEGORY, "ex.A", 11),
            Suggestion(Name.VENUE, "Exempla", 11),
        ]
        assert [each.text for each in index.suggest_names("ex", limit=1)] == ["Béla Example", "ex.A", "Exempla"]
        assert index.suggest_names("ex", limit=0) == []

    def test_names_of_papers_that_are_gone_are_not_suggested(self, cast: Index) -> None:
        """Nor those that a paper printed before it was changed."""
        cast.apply([replace(LION, change=5, authors=("Ada Example",))], [2], cursor=5)
        assert cast.suggest_names("beis") == [Suggestion(Name.AUTHOR, "Zoë van der Beispiel", 1)]
        assert cast.suggest_names("ada") == [Suggestion(Name.AUTHOR, "Ada Example", 2)]

    # --- Changes ---

    def test_upsert_replaces(self, cast: Index) -> None:
        """The old text is found no more, and there is one paper as before."""
        cast.apply([replace(LION, change=5, title="Tiger: slower", categories=())], [], cursor=5)
        assert (cast.count(), cast.cursor()) == (4, 5)
        assert keys(cast.search(parse("lion"))) == []
        assert keys(cast.search(parse("category:cs.LG"))) == []
        assert keys(cast.search(parse("tiger"))) == [1]

    def test_delete_removes(self, cast: Index) -> None:
        """What is gone is found and counted no more; deleting it again is fine."""
        for _again in range(2):
            cast.apply([], [1, 99], cursor=5)
            assert (cast.count(), cast.cursor()) == (3, 5)
            assert keys(cast.search(parse("lion"))) == []
            assert cast.search(Query()).total == 3

    def test_deleted_wins_over_upserted(self, index: Index) -> None:
        """A key in both is gone afterwards."""
        index.apply(CAST, [2], cursor=4)
        assert index.count() == 3

    def test_deleted_paper_can_come_back(self, cast: Index) -> None:
        """As a later change."""
        cast.apply([], [1], cursor=5)
        cast.apply([replace(LION, change=6)], [], cursor=6)
        assert keys(cast.search(parse("lion"))) == [1]

    @pytest.mark.parametrize("order", [1, -1], ids=["older first", "newer first"])
    def test_older_change_loses_within_a_batch(self, index: Index, order: int) -> None:
        """Whatever their order, the greatest change stays."""
        papers = [paper(1, "older", change=1), paper(1, "newer", change=2)]
        index.apply(papers[::order], [], cursor=2)
        assert index.count() == 1
        assert keys(index.search(parse("newer"))) == [1]
        assert keys(index.search(parse("older"))) == []

    def test_older_change_loses_against_what_is_held(self, index: Index) -> None:
        """A batch that comes late does no harm."""
        index.apply([paper(1, "newer", change=2)], [], cursor=2)
        index.apply([paper(1, "older", change=1)], [], cursor=2)
        assert keys(index.search(parse("newer"))) == [1]
        assert index.count() == 1

    def test_same_changes_again_change_nothing(self, cast: Index) -> None:
        """Applying is idempotent."""
        before = cast.search(Query(), facets=Facet)
        cast.apply(CAST, [], cursor=4)
        assert cast.search(Query(), facets=Facet) == before
        assert (cast.count(), cast.cursor()) == (4, 4)

    def test_cursor_moves_without_papers_and_never_back(self, index: Index) -> None:
        """An entry of the journal that changes no document is read too."""
        index.apply([], [], cursor=7)
        assert (index.count(), index.cursor()) == (0, 7)
        index.apply([], [], cursor=3)
        assert index.cursor() == 7

    def test_failing_source_changes_nothing(self, cast: Index) -> None:
        """An error of whoever gives the papers is passed on, and none of the batch is kept."""

        def papers() -> Iterator[Document]:
            yield paper(9, "half")
            raise LookupError("the database went away")

        with pytest.raises(LookupError):
            cast.apply(papers(), [1], cursor=9)
        assert (cast.count(), cast.cursor()) == (4, 4)
        cast.apply([paper(9, "whole")], [], cursor=9)
        assert (cast.count(), cast.cursor()) == (5, 9)
        assert keys(cast.search(parse("half"))) == []

    def test_clear_forgets_everything(self, cast: Index) -> None:
        """And the index can be filled again."""
        cast.clear()
        assert (cast.count(), cast.cursor(), cast.search(Query()).total) == (0, 0, 0)
        cast.apply([LION], [], cursor=1)
        assert (cast.count(), cast.cursor()) == (1, 1)

    def test_close_is_not_the_end(self, cast: Index) -> None:
        """A closed index answers and takes changes; closing twice is fine."""
        cast.close()
        cast.close()
        assert keys(cast.search(parse("lion"))) == [1]
        cast.apply([], [1], cursor=5)
        assert cast.count() == 3


class DurableIndexConformance(IndexConformance):
    """The tests for an engine that keeps its papers when the process ends, and lets others read them."""

    def test_opened_again_everything_is_there(self, cast: Index, tmp_path: Path) -> None:
        """What was applied is durable, the cursor with it."""
        cast.close()
        again = self.make(tmp_path / "index")
        assert (again.count(), again.cursor()) == (4, 4)
        assert keys(again.search(parse("godel"))) == [3]
        again.close()

    def test_cleared_is_cleared_for_all(self, cast: Index, tmp_path: Path) -> None:
        """Forgetting is durable too."""
        cast.clear()
        cast.close()
        assert self.make(tmp_path / "index").cursor() == 0
