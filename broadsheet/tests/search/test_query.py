"""The query language: what is typed, what it means, and that it is written back."""

from __future__ import annotations

import time
from datetime import date
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from broadsheet.bibliography.identifiers import Identifier, Scheme
from broadsheet.search.query import LONGEST, MOST_TERMS, Query, Sort, parse

ARXIV = Identifier(Scheme.ARXIV, "2401.00001")
DAY = date


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        pytest.param("", {}, id="nothing"),
        pytest.param(" \t\n ", {}, id="blanks"),
        pytest.param("graph networks", {"words": ("graph", "networks")}, id="words"),
        pytest.param("to be or not to be", {"words": ("to", "be", "or", "not", "to", "be")}, id="words twice"),
        pytest.param('"graph networks"', {"phrases": ("graph networks",)}, id="phrase"),
        pytest.param("“graph networks”", {"phrases": ("graph networks",)}, id="typographic quotation marks"),
        pytest.param('"graph networks', {"phrases": ("graph networks",)}, id="phrase never closed"),
        pytest.param('a "b c"d', {"words": ("a", "d"), "phrases": ("b c",)}, id="phrase among words"),
        pytest.param('""  "-"', {}, id="quotation marks around nothing"),
        pytest.param("-survey", {"without": ("survey",)}, id="without a word"),
        pytest.param('-"a survey"', {"without": ("a survey",)}, id="without a phrase"),
        pytest.param("state-of-the-art", {"words": ("state-of-the-art",)}, id="hyphens inside a word"),
        pytest.param("a - b", {"words": ("a", "-", "b")}, id="a dash alone"),
        pytest.param("author:example", {"authors": ("example",)}, id="author"),
        pytest.param('author:"Ada Example"', {"authors": ("Ada Example",)}, id="author in quotation marks"),
        pytest.param('Author: "Ada Example"', {"authors": ("Ada Example",)}, id="a blank after the colon"),
        pytest.param("author:ada author:bela", {"authors": ("ada", "bela")}, id="two authors"),
        pytest.param("author:ada author:ada", {"authors": ("ada",)}, id="the same author twice"),
        pytest.param("-author:ada", {"without_authors": ("ada",)}, id="without an author"),
        pytest.param("category:cs.LG", {"categories": ("cs.LG",)}, id="category"),
        pytest.param("category:cs.LG,math", {"categories": ("cs.LG", "math")}, id="categories with a comma"),
        pytest.param("section:bayesian", {"categories": ("bayesian",)}, id="section is another name of category"),
        pytest.param("-Section:a,b", {"without_categories": ("a", "b")}, id="likewise without"),
        pytest.param("std::vector f:X", {"words": ("std::vector", "f:X")}, id="colons of code and mathematics"),
        pytest.param("https://example.org/a", {"words": ("https://example.org/a",)}, id="an address of no paper"),
        pytest.param("-category:cs.LG", {"without_categories": ("cs.LG",)}, id="without a category"),
        pytest.param('venue:"Example Conference"', {"venues": ("Example Conference",)}, id="venue"),
        pytest.param("-venue:workshop", {"without_venues": ("workshop",)}, id="without a venue"),
        pytest.param("year:2024", {"since": DAY(2024, 1, 1), "until": DAY(2024, 12, 31)}, id="year"),
        pytest.param("year:2023..2024", {"since": DAY(2023, 1, 1), "until": DAY(2024, 12, 31)}, id="years"),
        pytest.param("year:2023-2024", {"since": DAY(2023, 1, 1), "until": DAY(2024, 12, 31)}, id="years with a dash"),
        pytest.param("year:2024..2023", {"since": DAY(2023, 1, 1), "until": DAY(2024, 12, 31)}, id="wrong way round"),
        pytest.param("year:>=2023", {"since": DAY(2023, 1, 1)}, id="from a year on"),
        pytest.param("year:>2023", {"since": DAY(2024, 1, 1)}, id="after a year"),
        pytest.param("year:<2023", {"until": DAY(2022, 12, 31)}, id="before a year"),
        pytest.param("year:<=2023", {"until": DAY(2023, 12, 31)}, id="to a year"),
        pytest.param("year:2023..", {"since": DAY(2023, 1, 1)}, id="open at the end"),
        pytest.param("year:..2023", {"until": DAY(2023, 12, 31)}, id="open at the beginning"),
        pytest.param("date:2024-02", {"since": DAY(2024, 2, 1), "until": DAY(2024, 2, 29)}, id="month"),
        pytest.param("date:2024-05..2024-06", {"since": DAY(2024, 5, 1), "until": DAY(2024, 6, 30)}, id="months"),
        pytest.param("date:2024-05-03", {"since": DAY(2024, 5, 3), "until": DAY(2024, 5, 3)}, id="day"),
        pytest.param("year:>=2023 year:<2025", {"since": DAY(2023, 1, 1), "until": DAY(2024, 12, 31)}, id="narrowed"),
        pytest.param("year:2020 year:2022", {"since": DAY(2022, 1, 1), "until": DAY(2022, 12, 31)}, id="changed mind"),
        pytest.param("has:code", {"has_code": True}, id="with code"),
        pytest.param("-has:code", {"has_code": False}, id="without code"),
        pytest.param("holds:yes", {"holds": True}, id="held up"),
        pytest.param("holds:no", {"holds": False}, id="did not"),
        pytest.param("-holds:yes", {"holds": False}, id="not held up"),
        pytest.param("sort:newest", {"sort": Sort.NEWEST}, id="newest first"),
        pytest.param("sort:newest sort:relevance", {}, id="the last order counts"),
        pytest.param("sort:Votes", {"sort": Sort.VOTES}, id="most votes first"),
        pytest.param("sort:trending", {"sort": Sort.TRENDING}, id="what rises first"),
        pytest.param("2401.00001", {"identifier": ARXIV}, id="arXiv identifier"),
        pytest.param("2401.00001v2", {"identifier": ARXIV}, id="with its version"),
        pytest.param("arXiv: 2401.00001 [cs.LG]", {"identifier": ARXIV}, id="as arXiv prints it"),
        pytest.param("https://arxiv.org/pdf/2401.00001v2.pdf", {"identifier": ARXIV}, id="address"),
        pytest.param('"2401.00001"', {"identifier": ARXIV}, id="in quotation marks"),
        pytest.param("doi:10.1000/Lion.1", {"identifier": Identifier(Scheme.DOI, "10.1000/lion.1")}, id="DOI"),
        pytest.param(
            "Lion, arXiv:2401.00001, 2024", {"identifier": ARXIV, "words": ("Lion,", "2024")}, id="in a citation"
        ),
        pytest.param(
            "2401.00001 2401.00002", {"identifier": ARXIV, "words": ("2401.00002",)}, id="only the first is the one"
        ),
        pytest.param("BERT: words", {"words": ("BERT:", "words")}, id="a colon in a title"),
        pytest.param(r"G\"odel's $x^2$", {"words": (r"G\"odel's", "$x^2$")}, id="TeX stands as typed"),
        pytest.param("ﬁne e\u0301tude", {"words": ("fine", "étude")}, id="compatibility forms"),
        pytest.param("a\u200bb\x00c\ud800", {"words": ("ab", "c?")}, id="invisible and impossible characters"),
    ],
)
def test_typed_text_means(typed: str, expected: dict[str, Any]) -> None:
    query = parse(typed)
    assert query == Query(**expected)
    assert query.unread == ()
    assert not query.shortened
    assert parse(str(query)) == query


@pytest.mark.parametrize(
    ("typed", "unread", "words"),
    [
        pytest.param("year:banana", ("year:banana",), ("year", "banana"), id="no year"),
        pytest.param("date:2024-13", ("date:2024-13",), ("date", "2024", "13"), id="no month"),
        pytest.param("year:99999999999", ("year:99999999999",), ("year", "99999999999"), id="no such year"),
        pytest.param("date:<0001", ("date:<0001",), ("date", "0001"), id="before all years"),
        pytest.param("-year:2024", ("-year:2024",), ("year", "2024"), id="a range cannot be excluded"),
        pytest.param("has:pictures", ("has:pictures",), ("has", "pictures"), id="has what?"),
        pytest.param("holds:maybe", ("holds:maybe",), ("holds", "maybe"), id="neither yes nor no"),
        pytest.param("sort:random", ("sort:random",), ("sort", "random"), id="no such order"),
        pytest.param("author: graphs author:", ("author:",), ("author",), id="nothing after the colon"),
        pytest.param("author:-", ("author:-",), ("author",), id="nothing to search for"),
        pytest.param("topic:bayesian", ("topic:bayesian",), ("topic", "bayesian"), id="no such filter"),
        pytest.param('topic:"a b"', ('topic:"a',), ("topic", "a", 'b"'), id="no such filter, in quotation marks"),
        pytest.param("2401.00001 arxiv:2401.00002", (), ("arxiv:2401.00002",), id="another identifier is no filter"),
        pytest.param("doi:banana", ("doi:banana",), ("doi", "banana"), id="no identifier"),
        pytest.param("year:2401.00001", ("year:2401.00001",), ("year", "2401", "00001"), id="no identifier either"),
    ],
)
def test_what_cannot_be_read_is_searched_as_words(typed: str, unread: tuple[str, ...], words: tuple[str, ...]) -> None:
    query = parse(typed)
    assert (query.unread, query.words) == (unread, words)


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        pytest.param('sort:newest -b "c d" a year:2023..2023', 'a "c d" -b year:2023 sort:newest', id="one order"),
        pytest.param("date:2024-05-01..2024-05-31", "date:2024-05", id="a month"),
        pytest.param("date:2024-01-01..2025-12-31", "year:2024..2025", id="years"),
        pytest.param("date:2024-01-01..2025-06-15", "date:2024..2025-06-15", id="as short as can be"),
        pytest.param("year:>2023", "year:>=2024", id="open at the end"),
        pytest.param('-"author:x" author:"a b"', '-"author:x" author:"a b"', id="quotation marks where needed"),
        pytest.param("https://doi.org/10.1000/X", "doi:10.1000/x", id="identifier"),
    ],
)
def test_written_in_one_way(typed: str, written: str) -> None:
    assert str(parse(typed)) == written


PIECES = st.sampled_from(
    (
        *(
            "author:",
            "category:",
            "section:",
            "topic:",
            "venue:",
            "year:",
            "date:",
            "has:",
            "holds:",
            "sort:",
            "arXiv:",
            "doi:",
            "acl:",
        ),
        *('"', "“", "-", "\\", " ", "  ", ",", ";", ":", "(", "..", ">=", "$x^2$", "code", "yes", "newest", "2024"),
        *("-05", "cs.LG", "[cs.LG]", "2401.00001", "10.1145/3", "P19-1001", "abcdefg", "é", "e\u0301", "ﬁ", "ﷺ"),
    )
)
TYPED = st.one_of(
    st.text(),
    st.lists(PIECES, max_size=40).map(" ".join),
    st.lists(st.one_of(PIECES, st.text(max_size=3)), max_size=60).map("".join),
)


@given(TYPED)
@example("“10.0000/0“ARXIV")
@example("AUTHOR:AUTHOR:“")
@example("ﷺ" * 900)
@example("category:" + "a," * 300)
@example('author:"' + "x" * 980)
def test_any_text_is_read_and_written_back(typed: str) -> None:
    query = parse(typed)
    written = str(query)
    again = parse(written)
    assert again == query
    assert str(again) == written
    assert not again.unread
    assert not again.shortened
    assert query.in_words()


@pytest.mark.parametrize("long", ["word " * 300, "a " * 499, "w" * 1001, "category:" + "a.b," * 200, "ﷺ " * 200])
def test_length_is_bounded(long: str) -> None:
    query = parse(long)
    assert query.shortened
    assert len(str(query)) <= LONGEST
    assert len(query.words) + len(query.categories) <= MOST_TERMS


def test_a_word_is_not_cut_in_two() -> None:
    assert set(parse("example " * 126).words) == {"example"}


@pytest.mark.parametrize("piece", ['"', "\\", "-", "a:", "year:", 'author:"', "(", "$", "..", "ﷺ", "https://"])
def test_hostile_text_is_read_in_bounded_time(piece: str) -> None:
    begun = time.process_time()
    parse(piece * (10_000 // len(piece)))
    assert time.process_time() - begun < 1


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        pytest.param("", "all papers", id="everything"),
        pytest.param("sort:newest", "papers newest first", id="only an order"),
        pytest.param("graph", "papers with “graph”", id="a word"),
        pytest.param("graph networks", "papers with any of “graph”, “networks”", id="words"),
        pytest.param(
            '"a b" "c d" -x author:Ada author:Bela category:cs,math venue:ECN year:2024 has:code',
            "papers with the phrases “a b” and “c d”, by Ada and Bela, in cs or math, at ECN, of 2024, with code, "
            "without “x”",
            id="filters",
        ),
        pytest.param("2401.00001 lion", "papers with the identifier arxiv:2401.00001, or with “lion”", id="identifier"),
        pytest.param("date:2024-05..2024-06-15", "papers from 2024-05 to 2024-06-15", id="a range"),
        pytest.param("date:2024-05-03", "papers from 2024-05-03", id="a day"),
        pytest.param("year:>=2023 -has:code", "papers since 2023, without code", id="since"),
        pytest.param("year:<2023 holds:yes", "papers until 2022, with a claim that held up when run", id="until"),
        pytest.param(
            "-author:Ada -category:cs -venue:ECN holds:no",
            "papers without a claim that held up when run, not by Ada, not in cs, not at ECN",
            id="exclusions",
        ),
    ],
)
def test_said_in_words(typed: str, said: str) -> None:
    assert parse(typed).in_words() == said


def test_empty_asks_for_nothing() -> None:
    assert parse("").empty
    assert parse("sort:newest").empty
    assert not parse("has:code").empty


def test_text_is_the_words_as_typed() -> None:
    assert parse('graph "a b" networks year:2024').text == "graph networks"
