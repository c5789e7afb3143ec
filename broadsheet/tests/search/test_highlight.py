"""Where a text is marked, and which part of it is shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.search import analysis
from broadsheet.search.analysis import Located
from broadsheet.search.highlight import excerpt, marks
from broadsheet.search.query import parse


@pytest.mark.parametrize(
    ("text", "typed", "marked"),
    [
        pytest.param("An optimizer.", "optimizers", ["optimizer"], id="another inflection"),
        pytest.param("Optimizers optimize", "optimizer", ["Optimizers", "optimize"], id="every one"),
        pytest.param("GÖDEL and Gödel", "godel", ["GÖDEL", "Gödel"], id="case and accents"),
        pytest.param("Go\u0308del’s proof", "gödel", ["Go\u0308del"], id="accents in two characters"),
        pytest.param("Kurt Gödel", r"G\"odel", ["Gödel"], id="typed in TeX"),
        pytest.param("ﬁne 가\u11a8 end", "end fine", ["ﬁne", "end"], id="compatibility forms keep their place"),
        pytest.param("½ H₂O lamps, x² lamps’ é lamp", "lamps", ["lamps", "lamps", "lamp"], id="behind other signs"),
        pytest.param("the lion of the sea", "the lion", ["lion"], id="stop words are not marked"),
        pytest.param("to be or not", "to be", ["to", "be"], id="unless there is nothing else"),
        pytest.param("graphs and networks; graph networks", '"graph network"', ["graph networks"], id="phrase"),
        pytest.param("graph networks", 'graph "graph networks"', ["graph networks"], id="word inside a phrase"),
        pytest.param("a b c d", '"a b c" "b c d"', ["a b c d"], id="phrases that overlap"),
        pytest.param("a survey of graphs", "graphs -survey", ["graphs"], id="exclusions are not marked"),
        pytest.param("by Ada in 2024", "author:ada year:2024", [], id="filters are not marked"),
        pytest.param("", "graph", [], id="no text"),
        pytest.param("graph", "", [], id="no query"),
        pytest.param("graph", "$ ... -", [], id="no words"),
    ],
)
def test_marks(text: str, typed: str, marked: list[str]) -> None:
    assert [text[start:end] for start, end in marks(text, parse(typed))] == marked


def test_corrections_are_marked_too() -> None:
    text = "About transformers"
    assert [text[start:end] for start, end in marks(text, parse("transfromers"), also=["transformers"])] == [
        "transformers"
    ]


@given(
    st.text(alphabet=st.characters(codec="utf-8") | st.sampled_from("abé \u0301\u0323ﬁ½\u11a8가\u1161")),
    st.text(max_size=30),
)
def test_marks_are_in_order_apart_and_never_empty(text: str, typed: str) -> None:
    spans = marks(text, parse(f"{typed} {text[:40]}"))
    places = [place for span in spans for place in span]
    assert places == sorted(places)
    assert all(start < end for start, end in spans)
    assert all(0 <= place <= len(text) for place in places)


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_ascii_is_cut_as_the_engine_cuts_it(text: str) -> None:
    located = Located(text)
    assert located.stems == analysis.stems(text)
    words = [text[slice(*located.span(number, number))].lower() for number in range(len(located.stems))]
    assert words == analysis.words(text)


def test_very_long_words_are_none() -> None:
    text = f"{'x' * 64} lamp {'y' * 63}"
    located = Located(text)
    assert located.stems == ["lamp", "y" * 63]
    assert located.span(0, 0) == (65, 69)


TEXT = (
    "One two three four five. " * 20 + "Here the lion sleeps beside another lion. " + "Six seven eight nine ten. " * 20
)


def test_excerpt_shows_the_most_marks_in_whole_words() -> None:
    start, end = excerpt(TEXT, marks(TEXT, parse("lion")), length=100)
    shown = TEXT[start:end]
    assert shown.count("lion") == 2
    assert len(shown) <= 100
    assert TEXT[start - 1] == " "
    assert TEXT[end] == " "


def test_excerpt_without_marks_is_the_beginning() -> None:
    start, end = excerpt(TEXT, [], length=100)
    assert start == 0
    assert TEXT[end] == " "


def test_excerpt_of_a_short_text_is_all_of_it() -> None:
    assert excerpt("short", [(0, 5)], length=100) == (0, 5)


@given(st.text(alphabet="lion abc\n", max_size=400), st.integers(20, 200))
def test_excerpt_is_never_longer_than_wanted(text: str, length: int) -> None:
    spans = marks(text, parse("lion a"))
    start, end = excerpt(text, spans, length=length)
    assert 0 <= start <= end <= len(text)
    assert end - start <= length
    assert end > start or not text
