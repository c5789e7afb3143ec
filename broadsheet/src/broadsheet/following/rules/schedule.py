"""When a digest is due: at an hour of the reader's own day, where she lives, through daylight saving.

A day's digest is due every day, a week's on Tuesday, a month's on the 2nd. Editions close at midnight in US Eastern
time; by Tuesday, and by the 2nd, that midnight is past in every zone, so that what is sent is the list that stays.

Each date of the reader has one hour. Where clocks go forward over it, the digest is due at the first moment after the
gap; where they go back and the hour comes twice, at the first. Where the day ends inside the gap, as in Nuuk, it is due
at the last hour before. A date that a zone left out, as Apia did with 2011-12-30, has none.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from broadsheet.following.rules.subscribing import Cadence

HOURS = range(24)
TUESDAY = 1  # as date.weekday() counts
DAY_OF_MONTH = 2

_DAY = timedelta(days=1)
# What lies beside the zones in some systems' folders and is none: the machine's own settings.
_NO_ZONES = frozenset({"localtime", "posixrules", "Factory"})


@cache
def zones() -> frozenset[str]:
    """The names of all zones that this machine knows (https://www.iana.org/time-zones), old names too."""
    return frozenset(name for name in available_timezones() if name not in _NO_ZONES)


@cache
def zone_of(name: str) -> tzinfo:
    """The zone of that name. One that this machine does not know, as after a move to an older one, is UTC."""
    return ZoneInfo(name) if name in zones() else UTC


def slot(zone: str, due: datetime) -> date:
    """The reader's own date on which a digest is due."""
    return due.astimezone(zone_of(zone)).date()


def next_due(cadence: Cadence, hour: int, zone: str, after: datetime) -> datetime:
    """The first moment after `after`, in UTC, at which a digest is due. `hour` is 0 to 23 on the reader's clock."""
    where = zone_of(zone)
    day = after.astimezone(where).date()
    while True:
        due = _moment(day, hour, where) if _is_of(cadence, day) else None
        if due is not None and due > after:
            return due
        day += _DAY


def _is_of(cadence: Cadence, day: date) -> bool:
    """Whether a digest is due on that date."""
    match cadence:
        case Cadence.DAY:
            return True
        case Cadence.WEEK:
            return day.weekday() == TUESDAY
        case Cadence.MONTH:
            return day.day == DAY_OF_MONTH


def _moment(day: date, hour: int, where: tzinfo) -> datetime | None:
    """When it is that hour of the day in a zone, or the nearest to it; None for a date that the zone left out."""
    for each in range(hour, -1, -1):
        moment = _first_not_before(datetime.combine(day, time(each)), where)
        if moment.astimezone(where).date() == day:
            return moment
    return None


def _first_not_before(wall: datetime, where: tzinfo) -> datetime:
    """The first moment at which the clocks of a zone show that time or, where they never do, a later one."""
    here = wall.replace(tzinfo=where)
    moment = here.astimezone(UTC)
    if _shown(moment, where) == wall:
        return moment
    # In the gap, `fold` says by which of the two offsets a time is read (PEP 495): the change lies between them.
    early = here.replace(fold=1).astimezone(UTC)
    low, high = 0, int((moment - early).total_seconds())
    while low < high:
        middle = (low + high) // 2
        if _shown(early + timedelta(seconds=middle), where) >= wall:
            high = middle
        else:
            low = middle + 1
    return early + timedelta(seconds=low)


def _shown(moment: datetime, where: tzinfo) -> datetime:
    """What the clocks of a zone show at a moment."""
    return moment.astimezone(where).replace(tzinfo=None)
