"""Harvests day by day: where they begin, and where they go on when a day lacked something."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.fetching.answers import Answer, Refused
from broadsheet.sources import days

DAY = date(2026, 11, 16)


@pytest.mark.parametrize(
    ("cursor", "since", "first"),
    [
        pytest.param("2026-11-16", None, DAY, id="cursor"),
        pytest.param("2026-11-16", date(2020, 1, 1), DAY, id="the cursor goes before --since"),
        pytest.param("", DAY, DAY, id="since"),
        pytest.param("", None, None, id="neither"),
    ],
)
def test_the_first_day_is_the_cursor_s(cursor: str, since: date | None, first: date | None) -> None:
    assert days.first(cursor, since) == first


def test_a_cursor_that_is_no_day_is_refused() -> None:
    with pytest.raises(Refused, match="is not a day"):
        days.first("next", None)


@pytest.mark.parametrize(
    ("said", "newest"),
    [
        pytest.param([DAY, DAY - timedelta(days=1)], DAY, id="the latest"),
        pytest.param([DAY + timedelta(days=5)], DAY + timedelta(days=5), id="our clock is behind"),
        pytest.param([date(2031, 1, 1), DAY], DAY, id="a wrong date among others"),
        pytest.param([], DAY, id="none"),
    ],
)
def test_the_newest_day_is_one_that_an_answer_names(said: list[date], newest: date) -> None:
    answer = Answer("https://example.org/", 200, {}, b"", datetime(2026, 11, 16, 12, tzinfo=UTC))
    assert days.newest(said, answer) == newest


def test_a_walk_takes_every_day_once() -> None:
    walk = days.Walk(DAY, DAY + timedelta(days=2))
    cursors = [walk.cursor]
    while walk.go_on():
        cursors.append(walk.cursor)
    assert cursors == ["2026-11-16", "2026-11-17", "2026-11-18"]
    assert walk.is_last


def test_a_walk_that_begins_after_its_end_is_one_day_long() -> None:
    walk = days.Walk(DAY, DAY - timedelta(days=3))
    assert walk.is_last
    assert not walk.go_on()


@given(st.lists(st.booleans(), min_size=1, max_size=30))
def test_a_walk_goes_on_at_its_first_lacking_day_of_the_last_week(lacking: list[bool]) -> None:
    end = DAY + timedelta(days=len(lacking) - 1)
    walk = days.Walk(DAY, end)
    for is_lacking in lacking:
        if is_lacking:
            walk.hold()
        cursor = walk.cursor
        walk.go_on()
    known = [DAY + timedelta(days=number) for number, is_lacking in enumerate(lacking) if is_lacking]
    held = [day for day in known if end - day <= days.PATIENCE]
    assert cursor == str(min(held, default=end))


def test_saturday_and_sunday_are_no_working_days() -> None:
    week = [DAY + timedelta(days=number) for number in range(7)]
    assert [days.is_working_day(day) for day in week] == [True] * 5 + [False] * 2
