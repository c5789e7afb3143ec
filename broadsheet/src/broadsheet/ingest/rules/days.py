"""When arXiv announces: from the time of submission to the day that a list is headed with.

A day of announcement is a label in US Eastern time, never an instant. Source of the schedule:
https://info.arxiv.org/help/availability.html
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

# Announcements are made in this zone, whatever the reader's is: https://info.arxiv.org/help/availability.html
ANNOUNCEMENT_ZONE = ZoneInfo("America/New_York")

FREEZE = time(14)  # what was received before it on a working day goes into the next list
APPEARS = time(20)  # when a list appears, on the evening before the day that it is headed with

# Days on which no mailing is made: what was received until FREEZE of such a day waits for the next list. So it is the
# list after the day that does not appear: of 19 June 2026, a Friday, the list was made, and of Monday the 22nd none
# was; the numbers of both are in that of the 23rd. Of a year without a row only the weekends are known.
# 2026: https://info.arxiv.org/help/availability.html, section on deferred mailings
NO_MAILING: dict[int, frozenset[tuple[int, int]]] = {
    2026: frozenset({(1, 1), (1, 19), (6, 19), (7, 3), (9, 7), (11, 26), (12, 25), (12, 29), (12, 31)}),
}

_DAY = timedelta(days=1)
_FRIDAY = 4


def list_of(received: datetime) -> date:
    """The day of the list that a submission goes into which was received at that time (with a zone).

    Moderation may hold it longer, so this is the earliest day. Raises OverflowError at the end of the calendar.
    """
    local = received.astimezone(ANNOUNCEMENT_ZONE)
    freeze = local.date() if local.time() < FREEZE else local.date() + _DAY
    while freeze.weekday() > _FRIDAY or no_mailing(freeze):
        freeze += _DAY
    return freeze + (3 * _DAY if freeze.weekday() == _FRIDAY else _DAY)


def no_mailing(day: date) -> bool:
    """Whether arXiv said before that it makes no mailing of what it received until the afternoon of that day."""
    return (day.month, day.day) in NO_MAILING.get(day.year, ())


def why_empty(day: date) -> str | None:
    """Why no list is headed with that day, as "Saturday" or "no mailing on 3 July 2026"; None where one should be."""
    if day.weekday() > _FRIDAY:
        return f"{day:%A}"
    return _no_mailing_on(closed(day)) if no_mailing(closed(day)) else None


def closed(day: date) -> date:
    """The working day on whose afternoon the list of a day is closed: the day before it, for a Monday's the Friday.

    Identifiers carry its month.
    """
    return day - (3 * _DAY if day.weekday() == 0 else _DAY)


def why_perhaps_empty(day: date) -> str | None:
    """The reason to believe a listing that shows no list of that day: it is itself a day without mailing. Else None."""
    return _no_mailing_on(day) if no_mailing(day) else None


def _no_mailing_on(day: date) -> str:
    return f"no mailing on {day.day} {day:%B %Y}"


def appears(day: date) -> datetime:
    """When the list that is headed with that day appears: at 20:00 Eastern on the evening before."""
    return datetime.combine(day - _DAY, APPEARS, ANNOUNCEMENT_ZONE)


def feed_appears(day: date) -> datetime:
    """When the feeds of that day are made: at midnight Eastern. https://info.arxiv.org/help/rss.html"""
    return datetime.combine(day, time(), ANNOUNCEMENT_ZONE)


def shown(now: datetime) -> date:
    """The day that the newest list is headed with at that time (with a zone)."""
    local = now.astimezone(ANNOUNCEMENT_ZONE)
    day = local.date() + _DAY if local.time() >= APPEARS else local.date()
    while why_empty(day):
        day -= _DAY
    return day


def today(now: datetime) -> date:
    """The day that it is in US Eastern time."""
    return now.astimezone(ANNOUNCEMENT_ZONE).date()


def last(count: int, until: date) -> Iterator[date]:
    """The `count` days up to `until`, weekends included, the latest first."""
    return (until - number * _DAY for number in range(count))
