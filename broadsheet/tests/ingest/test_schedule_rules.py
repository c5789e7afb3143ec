"""When a source is asked again: by the calendar of its announcements, and by how asking it went."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from broadsheet.ingest.rules import days
from broadsheet.ingest.rules.schedule import Standing, is_due, may_ask, may_ask_again

LISTING, FEED, OAI = "arxiv-listing", "arxiv-feed", "arxiv-oai"
THURSDAY, FRIDAY, MONDAY = date(2026, 11, 19), date(2026, 11, 20), date(2026, 11, 23)


def eastern(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=days.ANNOUNCEMENT_ZONE).astimezone(UTC)


def answered(text: str, newest: date | None = None) -> Standing:
    return Standing(tried_at=eastern(text), answered_at=eastern(text), newest=newest)


@pytest.mark.parametrize(
    ("source", "standing", "now", "due"),
    [
        pytest.param(LISTING, Standing(), "2026-11-20 12:00", True, id="never asked"),
        pytest.param(
            LISTING, answered("2026-11-18 20:10", THURSDAY), "2026-11-19 20:04", False,
            id="listing: 5 minutes",
        ),
        pytest.param(
            LISTING, answered("2026-11-18 20:10", THURSDAY), "2026-11-19 20:05", True,
            id="listing: it is there",
        ),
        pytest.param(
            LISTING, answered("2026-11-19 20:10", FRIDAY), "2026-11-20 19:00", False,
            id="listing: it was seen",
        ),
        pytest.param(LISTING, answered("2026-11-19 20:10", FRIDAY), "2026-11-21 20:30", False, id="listing: Saturday"),
        pytest.param(
            LISTING, answered("2026-11-19 20:10", FRIDAY), "2026-11-22 20:05", True,
            id="listing: Sunday evening",
        ),
        pytest.param(
            LISTING, answered("2026-11-19 20:10", THURSDAY), "2026-11-19 20:30", False,
            id="stale: not at once",
        ),
        pytest.param(LISTING, answered("2026-11-19 20:10", THURSDAY), "2026-11-19 20:40", True, id="stale: later"),
        pytest.param(
            LISTING, answered("2026-07-02 20:10", date(2026, 7, 3)), "2026-07-05 20:30", False,
            id="no mailing on 3 July",
        ),
        pytest.param(
            FEED, answered("2026-11-19 00:10", THURSDAY), "2026-11-19 23:00", False,
            id="feed: not with the listing",
        ),
        pytest.param(FEED, answered("2026-11-19 00:10", THURSDAY), "2026-11-20 00:05", True, id="feed: after midnight"),
        pytest.param(FEED, answered("2026-11-20 00:10", FRIDAY), "2026-11-20 12:00", False, id="feed: it was read"),
        pytest.param(
            FEED, answered("2026-11-20 00:10", FRIDAY), "2026-11-21 12:00", False,
            id="feed: empty on Saturday",
        ),
        pytest.param(
            FEED, answered("2026-07-03 00:10", date(2026, 7, 3)), "2026-07-06 12:00", False,
            id="feed: no mailing",
        ),
        pytest.param(
            FEED, answered("2026-11-20 00:10", THURSDAY), "2026-11-20 00:40", True,
            id="feed: stale, soon again",
        ),
        pytest.param(
            FEED, answered("2026-11-20 04:00", THURSDAY), "2026-11-20 04:40", False,
            id="feed: stale for long, seldom",
        ),
        pytest.param(FEED, answered("2026-11-20 04:00", THURSDAY), "2026-11-20 06:00", True, id="feed: but again"),
        pytest.param(
            OAI, answered("2026-11-19 22:40"), "2026-11-20 22:30", False,
            id="OAI-PMH: before the night's update",
        ),
        pytest.param(OAI, answered("2026-11-19 22:40"), "2026-11-20 22:35", True, id="OAI-PMH: after it"),
        pytest.param(OAI, answered("2026-11-18 22:40"), "2026-11-20 10:00", True, id="OAI-PMH: a night was missed"),
        pytest.param(
            OAI, answered("2026-03-07 23:00"), "2026-03-08 22:35", True,
            id="OAI-PMH: the day clocks go forward",
        ),
        pytest.param(
            "biorxiv", answered("2026-11-20 10:00"), "2026-11-20 12:59", False,
            id="others: within three hours",
        ),
        pytest.param("biorxiv", answered("2026-11-20 10:00"), "2026-11-20 13:00", True, id="others: after three hours"),
        pytest.param("biorxiv", answered("2026-11-20 10:00"), "2026-11-20 05:00", True, id="a clock was put back"),
    ],
)  # fmt: skip
def test_when_a_source_is_due(source: str, standing: Standing, now: str, due: bool) -> None:
    assert is_due(source, standing, eastern(now)) is due


def test_a_list_that_goes_on_is_due_at_once() -> None:
    standing = Standing(eastern("2026-11-20 12:00"), eastern("2026-11-20 12:00"), FRIDAY, unfinished=True)
    assert is_due(OAI, standing, eastern("2026-11-20 12:00"))


@pytest.mark.parametrize(
    ("failures", "minutes"),
    [
        pytest.param(1, 5, id="once"),
        pytest.param(2, 10, id="twice"),
        pytest.param(3, 20, id="three times"),
        pytest.param(4, 30, id="four times"),
        pytest.param(40, 30, id="forty times"),
    ],
)
def test_after_failures_it_is_asked_later_and_later(failures: int, minutes: int) -> None:
    tried = eastern("2026-11-20 12:00")
    standing = Standing(tried_at=tried, failures=failures, unfinished=True)
    for source in (LISTING, FEED, OAI, "biorxiv"):
        assert not is_due(source, standing, tried + timedelta(minutes=minutes, seconds=-1))
        assert is_due(source, standing, tried + timedelta(minutes=minutes))


def test_who_rests_is_not_asked_by_anybody() -> None:
    tried = eastern("2026-11-20 12:00")
    standing = Standing(tried_at=tried, failures=1, resting_until=tried + timedelta(hours=2))
    assert not may_ask(standing, tried + timedelta(minutes=119))
    assert may_ask(standing, tried + timedelta(hours=2))


def test_out_of_turn_nobody_is_asked_twice_in_half_an_hour() -> None:
    tried = eastern("2026-11-20 12:00")
    standing = Standing(tried_at=tried, answered_at=tried)
    assert may_ask(standing, tried)
    assert not may_ask_again(standing, tried + timedelta(minutes=29))
    assert may_ask_again(standing, tried + timedelta(minutes=30))
