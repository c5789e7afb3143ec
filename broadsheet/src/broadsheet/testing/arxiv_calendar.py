"""When the pretended arXiv announces. Lists carry the date of the day after the evening on which they come out.

The rules are those of https://info.arxiv.org/help/availability.html. What a day without a mailing means is taken from
the lists of 2026: it is the working day whose evening is skipped, and the list that is missing is the one of the next
listing day. Friday 19 June 2026 had a list and Monday 22 June had none; 3 and 6 July, 7 and 8 September likewise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

EASTERN = ZoneInfo("America/New_York")
# The days of 2026 on which arXiv says that it makes no mailing.
NO_MAILING = frozenset(
    date(2026, month, day)
    for month, day in ((1, 1), (1, 19), (6, 19), (7, 3), (9, 7), (11, 26), (12, 25), (12, 29), (12, 31))
)
_DAY = timedelta(days=1)
_FRIDAY = 4


def eastern(day: date, hour: int, minute: int = 0) -> datetime:
    """The instant of an hour of a day in US Eastern time, in UTC."""
    return datetime.combine(day, time(hour, minute), EASTERN).astimezone(UTC)


def cut_off_day(day: date) -> date:
    """The working day on which a list is closed at 14:00: the day before it, or Friday for that of Monday."""
    return day - (3 * _DAY if day.weekday() == 0 else _DAY)


@dataclass(frozen=True, slots=True)
class Schedule:
    """The calendar, with what happens out of turn: lists that are `skipped`, and how much too `late` others come."""

    skipped: frozenset[date] = frozenset()
    late: Mapping[date, timedelta] = field(default_factory=dict)

    def has_list(self, day: date) -> bool:
        """Whether a list carries this date."""
        return day.weekday() <= _FRIDAY and cut_off_day(day) not in NO_MAILING and day not in self.skipped

    def days(self, first: date, last: date) -> Iterator[date]:
        """The dates of the lists from `first` to `last`."""
        day = first
        while day <= last:
            if self.has_list(day):
                yield day
            day += _DAY

    def window(self, day: date) -> tuple[datetime, datetime]:
        """Between which instants a work came in that is in this list, if nobody held it."""
        before = day - _DAY
        while not self.has_list(before):
            before -= _DAY
        return eastern(cut_off_day(before), 14), eastern(cut_off_day(day), 14)

    def announced_at(self, day: date) -> datetime:
        """When the list of a day comes out: at 20:00 on the evening before, unless it is late."""
        return eastern(day - _DAY, 20) + self.late.get(day, timedelta())

    def harvestable_at(self, day: date) -> datetime:
        """When what this list says can be harvested: about two and a half hours after it is out."""
        return self.announced_at(day) + timedelta(hours=2, minutes=30)

    def newest(self, at: datetime) -> date:
        """The date of the list that was the last to come out by an instant."""
        day = at.astimezone(EASTERN).date() + _DAY
        while not (self.has_list(day) and self.announced_at(day) <= at):
            day -= _DAY
        return day
