"""Which day a work belongs to: that of the first list that names it as new or cross, else the best estimate.

arXiv gives a number when it announces, so numbers rise with the days of a month. That dates a work that no list named:
it lies between its neighbours. How well this does on real lists is tested in tests/ingest/test_dating.py.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from broadsheet.ingest.rules import days

# So many of the works behind must have come in as late as one did, or else its time of submission is not believed
# where it says something of the works behind it.
_SUPPORT_WITHIN = 4  # works

_MONTH = re.compile(r"(\d{4})\.|([a-z-]+/\d{4})", re.ASCII)


class How(StrEnum):
    """How the day of a work is known, from the best to the worst."""

    LISTED = "listed"
    ORDER = "order"
    CALENDAR = "calendar"


@dataclass(frozen=True, slots=True)
class Dated:
    """The day on which a work was announced, and how that is known."""

    day: date
    how: How


def month_of(value: str) -> str | None:
    """The part of an arXiv identifier that is the month of its announcement: ``2611`` or ``math/0611``; else None."""
    match = _MONTH.match(value)
    return (match[1] or match[2]) if match else None


def place(value: str) -> tuple[int, str]:
    """What identifiers of one month are sorted by. Longer ones are later; none ever passes through a number."""
    return len(value), value


def witnesses_order(value: str, day: date) -> bool:
    """Whether a work that was listed on that day got its number for that list, which has the month of its closing.

    An old work that is listed again years later, in one more section, did not.
    """
    return month_of(value) in {f"{each.year % 100:02}{each.month:02}" for each in (day, days.closed(day))}


def estimates(listed: Mapping[str, date], received: Mapping[str, datetime | None]) -> dict[str, Dated]:
    """The days of the works in `received` that are not in `listed`, all of one month of identifiers.

    `listed` has the day of the first list of each work, `received` the time of submission (with a zone) where it is
    known. A work was announced no earlier than the calendar allows for its submission and for that of the works with
    smaller numbers, and between the days of its listed neighbours. What nothing is known of is absent.
    """
    witnesses = sorted((place(value), day) for value, day in listed.items() if witnesses_order(value, day))
    places = [key for key, _ in witnesses]
    wanted = sorted(received.keys() - listed.keys(), key=place)
    result: dict[str, Dated] = {}
    for value, bound in zip(wanted, _bounds([_earliest(received[value]) for value in wanted]), strict=True):
        at = bisect(places, place(value))
        below = witnesses[at - 1][1] if at else None
        above = witnesses[at][1] if at < len(witnesses) else None
        if found := _between(below, above, bound):
            result[value] = found
    return result


def _earliest(received: datetime | None) -> date | None:
    try:
        return days.list_of(received) if received else None
    except OverflowError:
        return None


def _bounds(earliest: list[date | None]) -> Iterator[date | None]:
    """For works in order: the earliest day that their own submission and that of the works before them allow.

    What a work says of those behind it counts only if one of the next few came in as late: one wrong number must not
    move a whole day.
    """
    bound: date | None = None
    for position, own in enumerate(earliest):
        yield _latest((own, bound))
        behind = earliest[position + 1 : position + 1 + _SUPPORT_WITHIN]
        if own and any(other and other >= own for other in behind):
            bound = _latest((own, bound))


def _latest(known: Iterable[date | None]) -> date | None:
    return max((day for day in known if day), default=None)


def _between(below: date | None, above: date | None, bound: date | None) -> Dated | None:
    day = _latest((bound, below if bound or above else None))
    if day is None:
        return None
    day = min(day, above) if above else day
    return Dated(day, How.ORDER if below and above else How.CALENDAR)
