"""Dates that are known to the day, the month or the year."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.bibliography.dates import PartialDate

days = st.dates(date(1, 1, 1), date(9999, 12, 31))


@st.composite
def partial_dates(draw: st.DrawFn) -> PartialDate:
    """Dates of every precision."""
    day = draw(days)
    precision = draw(st.integers(1, 3))
    return PartialDate(day.year, day.month if precision > 1 else None, day.day if precision > 2 else None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("2021", PartialDate(2021), id="year"),
        pytest.param("2021-01", PartialDate(2021, 1), id="month"),
        pytest.param("2021-1-4", PartialDate(2021, 1, 4), id="day without zeros"),
        pytest.param(" 2021-01-14 ", PartialDate(2021, 1, 14), id="white space"),
        pytest.param("2021-01-14T20:00:00Z", PartialDate(2021, 1, 14), id="timestamp"),
        pytest.param("2021-01-14 20:00", PartialDate(2021, 1, 14), id="timestamp with a blank"),
    ],
)
def test_reading(text: str, expected: PartialDate) -> None:
    assert PartialDate.parse(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("14 January 2021", id="words"),
        pytest.param("21-01-14", id="two digits of the year"),
        pytest.param("2021-13", id="thirteenth month"),
        pytest.param("2021-02-30", id="a day that no calendar has"),
        pytest.param("2021-00", id="month zero"),
        pytest.param("0000", id="year zero"),
        pytest.param("٢٠٢١", id="digits that are not ASCII"),
    ],
)
def test_what_is_no_date(text: str) -> None:
    with pytest.raises(ValueError):
        PartialDate.parse(text)


def test_a_day_without_a_month_is_no_date() -> None:
    with pytest.raises(ValueError, match="without a month"):
        PartialDate(2021, None, 14)


@given(partial_dates())
def test_its_string_is_read_back(day: PartialDate) -> None:
    assert PartialDate.parse(str(day)) == day


@given(days)
def test_a_whole_day_is_exact(day: date) -> None:
    known = PartialDate.of(day)
    assert (known.exact, known.first, known.last, known.precision) == (day, day, day, 3)


@pytest.mark.parametrize(
    ("day", "first", "last", "precision"),
    [
        pytest.param(PartialDate(2024), date(2024, 1, 1), date(2024, 12, 31), 1, id="year"),
        pytest.param(PartialDate(2024, 2), date(2024, 2, 1), date(2024, 2, 29), 2, id="February of a leap year"),
    ],
)
def test_what_it_can_mean(day: PartialDate, first: date, last: date, precision: int) -> None:
    assert (day.exact, day.first, day.last, day.precision) == (None, first, last, precision)


@pytest.mark.parametrize(
    ("a", "b", "agree"),
    [
        pytest.param("2021", "2021-06-03", True, id="year and day within"),
        pytest.param("2021-06", "2021-06-30", True, id="month and its last day"),
        pytest.param("2021-06", "2021-07-01", False, id="month and the day after"),
        pytest.param("2021", "2022", False, id="two years"),
    ],
)
def test_agreement(a: str, b: str, agree: bool) -> None:
    first, second = PartialDate.parse(a), PartialDate.parse(b)
    assert first.agrees_with(second) is agree
    assert second.agrees_with(first) is agree


@given(partial_dates())
def test_every_date_agrees_with_itself(day: PartialDate) -> None:
    assert day.agrees_with(day)
