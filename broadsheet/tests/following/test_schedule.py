"""When a digest is due: at the reader's hour, once on each of her days, wherever she lives and whatever clocks do."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from broadsheet.editions.rules.lists import closes_at, month, week
from broadsheet.following.rules.schedule import next_due, slot, zone_of, zones
from broadsheet.following.rules.subscribing import Cadence

DAY = timedelta(days=1)
BEGIN, END = date(2026, 1, 15), date(2027, 1, 15)


def days_of(zone: str, hour: int, begin: date, end: date) -> list[datetime]:
    """Every moment at which a daily digest is due from the one date to the other, in the zone's own time."""
    found: list[datetime] = []
    moment = datetime.combine(begin, time(), UTC) - 2 * DAY
    while True:
        moment = next_due(Cadence.DAY, hour, zone, moment)
        if slot(zone, moment) > end:
            return found
        if slot(zone, moment) >= begin:
            found.append(moment.astimezone(zone_of(zone)))


# Zone, hour, and every day of a year on which the clock does not show just that hour, with what it shows instead.
# An hour that comes twice is met the first time: its offset is that of summer.
READERS = [
    pytest.param(
        "Europe/Berlin", 2, {date(2026, 3, 29): "03:00 +0200", date(2026, 10, 25): "02:00 +0200"}, id="Berlin"
    ),
    pytest.param(
        "Europe/London", 1, {date(2026, 3, 29): "02:00 +0100", date(2026, 10, 25): "01:00 +0100"}, id="London"
    ),
    pytest.param("America/New_York", 2, {date(2026, 3, 8): "03:00 -0400"}, id="New York, spring"),
    pytest.param("America/Los_Angeles", 1, {date(2026, 11, 1): "01:00 -0700"}, id="Los Angeles, autumn"),
    pytest.param("America/St_Johns", 2, {date(2026, 3, 8): "03:00 -0230"}, id="St John's, a half hour off"),
    pytest.param("America/Santiago", 0, {date(2026, 9, 6): "01:00 -0300"}, id="Santiago, south, at midnight"),
    pytest.param("Africa/Cairo", 0, {date(2026, 4, 24): "01:00 +0300"}, id="Cairo, at midnight"),
    pytest.param("Asia/Beirut", 23, {date(2026, 10, 24): "23:00 +0300"}, id="Beirut, the last hour twice"),
    pytest.param("America/Nuuk", 23, {date(2026, 3, 28): "22:00 -0200"}, id="Nuuk, the day ends an hour early"),
    pytest.param("Australia/Lord_Howe", 2, {date(2026, 10, 4): "02:30 +1100"}, id="Lord Howe, by half an hour"),
    pytest.param("Asia/Kolkata", 7, {}, id="Kolkata, never changed, a half hour off"),
    pytest.param("Asia/Kathmandu", 7, {}, id="Kathmandu, a quarter off"),
    pytest.param("Asia/Tokyo", 0, {}, id="Tokyo, never changed"),
    pytest.param("Pacific/Kiritimati", 7, {}, id="Kiritimati, first over the date line"),
    pytest.param("Pacific/Pago_Pago", 7, {}, id="Pago Pago, last over the date line"),
]


@pytest.mark.parametrize(("zone", "hour", "odd"), READERS)
def test_a_reader_gets_her_mail_at_her_hour_once_a_day_for_a_year(zone: str, hour: int, odd: dict[date, str]) -> None:
    moments = days_of(zone, hour, BEGIN, END)
    assert [moment.date() for moment in moments] == [BEGIN + n * DAY for n in range((END - BEGIN).days + 1)]
    shown = {moment.date(): f"{moment:%H:%M %z}" for moment in moments}
    changes = {day: said for day, said in shown.items() if day in odd or not said.startswith(f"{hour:02}:00 ")}
    assert changes == odd


def test_twelve_zones_and_two_changes_are_in_the_table() -> None:
    assert len({param.values[0] for param in READERS}) >= 12
    for zone in ("Europe/Berlin", "America/New_York", "America/Santiago", "Australia/Lord_Howe", "America/Nuuk"):
        moments = days_of(zone, 7, BEGIN, END)
        changes = sum(one.utcoffset() != other.utcoffset() for one, other in itertools.pairwise(moments))
        assert changes == 2, zone


def test_the_documentation_says_when_mail_is_due(repository: Path) -> None:
    told = (repository / "docs" / "user" / "mail.md").read_text(encoding="utf-8")
    lines = re.findall(r"(?m)^\| (\w+/\w+) \| (\d\d):00 \| (\S+) \| (\d\d:\d\d [+-]\d{4}) \|$", told)
    assert len({zone for zone, *_ in lines}) >= 12
    for zone, hour, day, due in lines:
        [moment] = days_of(zone, int(hour), date.fromisoformat(day), date.fromisoformat(day))
        assert f"{moment:%H:%M %z}" == due, (zone, day)


def test_a_date_that_a_zone_left_out_has_no_mail() -> None:
    days = [moment.date() for moment in days_of("Pacific/Apia", 7, date(2011, 12, 28), date(2012, 1, 1))]
    assert days == [date(2011, 12, 28), date(2011, 12, 29), date(2011, 12, 31), date(2012, 1, 1)]


def test_a_date_that_a_zone_had_twice_has_one_mail() -> None:
    days = [moment.date() for moment in days_of("Pacific/Kwajalein", 7, date(1969, 9, 28), date(1969, 10, 3))]
    assert len(days) == len(set(days))


@pytest.mark.parametrize(
    ("cadence", "after", "due"),
    [
        pytest.param(Cadence.DAY, "2026-11-23T06:00", "2026-11-23T07:00", id="later on the same day"),
        pytest.param(Cadence.DAY, "2026-11-23T07:00", "2026-11-24T07:00", id="not again at the same moment"),
        pytest.param(Cadence.WEEK, "2026-11-23T06:00", "2026-11-24T07:00", id="a week on Tuesday"),
        pytest.param(Cadence.WEEK, "2026-11-24T07:00", "2026-12-01T07:00", id="the next week"),
        pytest.param(Cadence.MONTH, "2026-11-23T06:00", "2026-12-02T07:00", id="a month on the 2nd"),
        pytest.param(Cadence.MONTH, "2026-12-02T07:00", "2027-01-02T07:00", id="the next month, and year"),
    ],
)
def test_what_is_due_next(cadence: Cadence, after: str, due: str) -> None:
    found = next_due(cadence, 7, "UTC", datetime.fromisoformat(after).replace(tzinfo=UTC))
    assert found == datetime.fromisoformat(due).replace(tzinfo=UTC)


@pytest.mark.parametrize("hour", [0, 7, 23])
def test_a_week_and_a_month_have_closed_when_they_are_due_in_every_zone(hour: int) -> None:
    after = datetime(2026, 10, 20, tzinfo=UTC)
    for zone in sorted(zones()):
        due = next_due(Cadence.WEEK, hour, zone, after)
        last = week(slot(zone, due) - 7 * DAY)
        assert closes_at(last.end, datetime.combine(last.start, time(), UTC)) <= due, zone
        due = next_due(Cadence.MONTH, hour, zone, after)
        last = month(slot(zone, due).replace(day=1) - DAY)
        assert closes_at(last.end, datetime.combine(last.start, time(), UTC)) <= due, zone


moments = st.datetimes(
    datetime.fromisoformat("1980-01-01"), datetime.fromisoformat("2045-01-01"), timezones=st.just(UTC)
)
some_zones = st.sampled_from(sorted(zones()))


@given(after=moments, zone=some_zones, hour=st.integers(0, 23), cadence=st.sampled_from(Cadence))
@example(datetime(2026, 3, 28, 23, 30, tzinfo=UTC), "America/Nuuk", 23, Cadence.DAY)
@example(datetime(2006, 10, 29, 2, 31, tzinfo=UTC), "America/St_Johns", 0, Cadence.DAY)
def test_the_next_is_later_and_on_another_date_and_none_lies_between(
    after: datetime, zone: str, hour: int, cadence: Cadence
) -> None:
    first = next_due(cadence, hour, zone, after)
    second = next_due(cadence, hour, zone, first)
    assert after < first < second
    assert first.tzinfo is UTC
    assert slot(zone, first) < slot(zone, second)
    halfway = after + (first - after) / 2
    assert next_due(cadence, hour, zone, halfway) == first
    longest = {Cadence.DAY: 1, Cadence.WEEK: 7, Cadence.MONTH: 31}[cadence]
    # A zone that left a date out has one more between; no zone left out two in a row.
    assert (slot(zone, second) - slot(zone, first)).days <= longest + {Cadence.DAY: 1, Cadence.WEEK: 7}.get(cadence, 31)


@given(zone=some_zones, hour=st.integers(0, 23), first=st.dates(date(2000, 1, 1), date(2040, 1, 1)))
@example("Pacific/Apia", 7, date(2011, 12, 20))
def test_no_date_is_left_out_and_none_comes_twice(zone: str, hour: int, first: date) -> None:
    found = days_of(zone, hour, first, first + 40 * DAY)
    dates = [moment.date() for moment in found]
    assert len(dates) == len(set(dates))
    missing = {first + n * DAY for n in range(41)} - set(dates)
    # Only a date that no clock of the zone ever showed: Apia and Fakaofo went over the date line.
    assert all(
        zone_of(zone).utcoffset(datetime.combine(day, time()))
        != zone_of(zone).utcoffset(datetime.combine(day, time(fold=1)))
        for day in missing
    )


def test_a_zone_that_is_not_known_any_more_is_utc() -> None:
    after = datetime(2026, 11, 23, tzinfo=UTC)
    assert next_due(Cadence.DAY, 7, "Atlantis/Capital", after) == datetime(2026, 11, 23, 7, tzinfo=UTC)
