"""The places between pages, as text."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.search.index import RELEVANCE_DEPTH
from broadsheet.search.paging import LARGEST_PK, Order, Place
from broadsheet.search.query import Query, parse

PLACE = Place(Order.WORDS, 3.25, date(2024, 1, 2), 7, 20)
PLACES = st.builds(
    Place,
    st.sampled_from(Order),
    st.floats(allow_nan=False, allow_infinity=False),
    st.none() | st.dates(),
    st.integers(0, LARGEST_PK),
    st.integers(1, RELEVANCE_DEPTH - 1),
)


@given(PLACES)
def test_what_is_written_is_read(place: Place) -> None:
    assert Place.read(place.written(parse("lamp")), parse("lamp")) == place


def test_query_may_be_written_in_another_way() -> None:
    written = PLACE.written(parse("section:cs.LG   lamp"))
    assert Place.read(written, parse("lamp category:cs.LG")) == PLACE


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(replace(PLACE, score=float("nan")), id="no number"),
        pytest.param(replace(PLACE, score=float("inf")), id="no end"),
        pytest.param(replace(PLACE, pk=LARGEST_PK + 1), id="a key that cannot be"),
        pytest.param(replace(PLACE, seen=0), id="behind no paper"),
        pytest.param(replace(PLACE, order=Order.DAY, seen=LARGEST_PK + 1), id="behind more papers than there can be"),
    ],
)
def test_place_that_cannot_be_is_refused(place: Place) -> None:
    with pytest.raises(ValueError, match=r"^This does not lead to a page of this search\. Begin again .*\.$"):
        Place.read(place.written(Query()), Query())


@pytest.mark.parametrize("typed", ["lamps", "lamp sort:newest", "lamp year:2024", ""])
def test_place_of_another_query_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match=r"^This does not lead to a page of this search\."):
        Place.read(PLACE.written(parse("lamp")), parse(typed))


@given(st.text(max_size=60) | st.binary(min_size=33, max_size=33).map(lambda b: base64.urlsafe_b64encode(b).decode()))
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        Place.read(text, Query())


def test_by_relevance_pages_end() -> None:
    """By day they do not."""
    assert replace(PLACE, seen=RELEVANCE_DEPTH).written(Query()) == ""
    assert replace(PLACE, order=Order.DAY, seen=10 * RELEVANCE_DEPTH).written(Query())


def test_key_sorts_as_answers_do() -> None:
    """Candidates before what only the words found; the best, the newest, the smallest key first; without a day last."""
    best = Place(Order.FUSED, 0.1, None, 9, 1)
    order = [
        *(best, replace(PLACE, score=9.0, day=None), PLACE, replace(PLACE, pk=8)),
        *(replace(PLACE, day=date(2023, 12, 31), pk=1), replace(PLACE, day=None, pk=1)),
    ]
    shuffled = [order[place] for place in (3, 0, 5, 1, 4, 2)]
    assert sorted(shuffled, key=lambda place: place.key) == order
