"""arXiv's calendar: which list a submission goes into, and on which days there is none."""

from __future__ import annotations

import subprocess
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.ingest.rules import days


def eastern(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=days.ANNOUNCEMENT_ZONE)


@pytest.mark.parametrize(
    ("received", "listed"),
    [
        # The table of https://info.arxiv.org/help/availability.html, in a week without holidays.
        pytest.param("2026-11-09 14:00", "2026-11-11", id="Monday 14:00: Tuesday evening, the list of Wednesday"),
        pytest.param("2026-11-10 13:59:59", "2026-11-11", id="Tuesday before 14:00: the same"),
        pytest.param("2026-11-10 14:00", "2026-11-12", id="Tuesday 14:00: Wednesday evening, Thursday"),
        pytest.param("2026-11-11 14:00", "2026-11-13", id="Wednesday 14:00: Thursday evening, Friday"),
        pytest.param("2026-11-12 14:00", "2026-11-16", id="Thursday 14:00: Sunday evening, Monday"),
        pytest.param("2026-11-13 13:59:59", "2026-11-16", id="Friday before 14:00: the same"),
        pytest.param("2026-11-13 14:00", "2026-11-17", id="Friday 14:00: Monday evening, Tuesday"),
        pytest.param("2026-11-14 12:00", "2026-11-17", id="Saturday: the same"),
        pytest.param("2026-11-15 23:59", "2026-11-17", id="Sunday: the same"),
        pytest.param("2026-11-16 13:59:59", "2026-11-17", id="Monday before 14:00: the same"),
        pytest.param("2026-03-06 14:00", "2026-03-10", id="over the beginning of daylight saving"),
        pytest.param("2026-10-30 14:00", "2026-11-03", id="over the end of daylight saving"),
        pytest.param("2026-07-02 13:00", "2026-07-03", id="before 3 July, a Friday without mailing"),
        pytest.param("2026-07-02 14:00", "2026-07-07", id="what 3 July would have closed waits for Monday's closing"),
        pytest.param("2026-07-06 13:00", "2026-07-07", id="together with what came over the weekend"),
        pytest.param("2026-11-25 14:00", "2026-11-30", id="Thanksgiving, a Thursday: waits for Friday's closing"),
        pytest.param("2026-12-24 13:00", "2026-12-25", id="the list of 25 December is made on the evening before"),
        pytest.param("2026-12-25 10:00", "2026-12-29", id="of 25 December itself nothing is mailed"),
        pytest.param("2026-12-28 14:30", "2026-12-31", id="29 December is skipped too"),
        pytest.param("2025-07-03 15:00", "2025-07-07", id="of a year without a table only weekends are known"),
    ],
)
def test_the_list_that_a_submission_goes_into(received: str, listed: str) -> None:
    assert days.list_of(eastern(received)) == date.fromisoformat(listed)


@pytest.mark.parametrize(
    ("utc", "listed"),
    [
        pytest.param("2026-03-06 18:59", "2026-03-09", id="14:00 is 19:00 UTC in winter"),
        pytest.param("2026-03-06 19:00", "2026-03-10", id="and then the next list begins"),
        pytest.param("2026-03-09 17:59", "2026-03-10", id="14:00 is 18:00 UTC in summer"),
        pytest.param("2026-03-09 18:00", "2026-03-11", id="and then the next list begins in summer"),
    ],
)
def test_the_hour_of_closing_moves_with_daylight_saving(utc: str, listed: str) -> None:
    assert days.list_of(datetime.fromisoformat(utc).replace(tzinfo=UTC)) == date.fromisoformat(listed)


@pytest.mark.parametrize(
    ("day", "why"),
    [
        pytest.param("2026-11-20", None, id="a usual Friday"),
        pytest.param("2026-11-21", "Saturday", id="Saturday"),
        pytest.param("2026-11-22", "Sunday", id="Sunday"),
        # The list that a skipped mailing would have made is missing; that of the day itself came on the evening before.
        pytest.param("2026-01-02", "no mailing on 1 January 2026", id="New Year"),
        pytest.param("2026-01-20", "no mailing on 19 January 2026", id="Martin Luther King Day"),
        pytest.param("2026-06-19", None, id="Juneteenth has a list"),
        pytest.param("2026-06-22", "no mailing on 19 June 2026", id="the Monday after it has none"),
        pytest.param("2026-07-03", None, id="3 July has a list"),
        pytest.param("2026-07-06", "no mailing on 3 July 2026", id="the Monday after it has none "),
        pytest.param("2026-09-08", "no mailing on 7 September 2026", id="Labor Day"),
        pytest.param("2026-11-27", "no mailing on 26 November 2026", id="Thanksgiving"),
        pytest.param("2026-12-25", None, id="25 December has a list"),
        pytest.param("2026-12-28", "no mailing on 25 December 2026", id="the Monday after it"),
        pytest.param("2026-12-30", "no mailing on 29 December 2026", id="29 December"),
        pytest.param("2027-01-01", "no mailing on 31 December 2026", id="31 December"),
        pytest.param("2025-12-26", None, id="a year without a table"),
    ],
)
def test_days_without_a_list_and_why(day: str, why: str | None) -> None:
    assert days.why_empty(date.fromisoformat(day)) == why


@pytest.mark.parametrize(
    ("now", "shown"),
    [
        pytest.param("2026-11-19 19:59", "2026-11-19", id="Thursday before 20:00"),
        pytest.param("2026-11-19 20:00", "2026-11-20", id="Thursday 20:00: Friday's list"),
        pytest.param("2026-11-21 12:00", "2026-11-20", id="Saturday: still Friday's"),
        pytest.param("2026-11-22 20:00", "2026-11-23", id="Sunday 20:00: Monday's"),
        pytest.param("2026-07-06 12:00", "2026-07-03", id="the Monday after 3 July: still Friday's"),
        pytest.param("2026-07-06 20:00", "2026-07-07", id="and on its evening Tuesday's"),
        pytest.param("2026-03-08 20:00", "2026-03-09", id="the day on which clocks go forward"),
        pytest.param("2026-11-01 19:59", "2026-10-30", id="the day on which clocks go back, before 20:00"),
    ],
)
def test_the_newest_list_at_a_time(now: str, shown: str) -> None:
    assert days.shown(eastern(now)) == date.fromisoformat(shown)


def test_lists_appear_at_eight_in_the_evening_and_feeds_at_midnight() -> None:
    assert days.appears(date(2026, 3, 9)).astimezone(UTC) == datetime(2026, 3, 9, 0, tzinfo=UTC)
    assert days.appears(date(2026, 3, 6)).astimezone(UTC) == datetime(2026, 3, 6, 1, tzinfo=UTC)
    assert days.feed_appears(date(2026, 3, 9)).astimezone(UTC) == datetime(2026, 3, 9, 4, tzinfo=UTC)
    assert days.feed_appears(date(2026, 11, 2)).astimezone(UTC) == datetime(2026, 11, 2, 5, tzinfo=UTC)


MOMENTS = st.integers(0, 5 * 365 * 24 * 3600).map(lambda s: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=s))


@given(MOMENTS)
def test_every_submission_goes_into_a_list_that_exists_and_appears_later(received: datetime) -> None:
    day = days.list_of(received)
    assert days.why_empty(day) is None
    assert received < days.appears(day)
    assert day - received.date() <= timedelta(days=8)


@given(MOMENTS, st.timedeltas(timedelta(), timedelta(days=20)))
def test_who_comes_later_is_never_listed_before(received: datetime, later: timedelta) -> None:
    assert days.list_of(received) <= days.list_of(received + later)


@given(MOMENTS)
def test_the_newest_list_is_one_that_exists_and_has_appeared(now: datetime) -> None:
    day = days.shown(now)
    assert days.why_empty(day) is None
    assert days.appears(day) <= now
    following = day + timedelta(days=1)
    while days.why_empty(following):
        following += timedelta(days=1)
    assert days.appears(following) > now


def test_the_real_lists_around_19_june_2026(shared_data: Path) -> None:
    """Friday the 19th had a list. On Monday the 22nd there was none, and Tuesday's has the numbers of both."""
    command = ["zstd", "-dcq", str(shared_data / "corpora" / "arxiv_by_day.jsonl.zst")]
    lists: dict[date, set[str]] = defaultdict(set)
    with subprocess.Popen(command, stdout=subprocess.PIPE) as unpacking:
        assert unpacking.stdout is not None
        for line in unpacking.stdout:
            said = orjson.loads(line)
            lists[date.fromisoformat(min(said["listed_on"]))].add(said["arxiv_id"])
    first, last = date(2026, 6, 15), date(2026, 7, 1)
    listed = {day for day in lists if first <= day <= last}
    expected = {day for day in days.last(17, last) if days.why_empty(day) is None}
    assert listed == expected
    assert date(2026, 6, 19) in listed
    assert date(2026, 6, 22) not in listed
