"""Origins that are asked day by day: the day to begin with, and where to go on another time.

Another harvest goes on at the last day for which the origin sent anything, that day included, as its list may have
grown. So no wrong clock of ours can skip a day. A day for which less came than should have holds the harvest: it is
asked for again for a week.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, timedelta

from broadsheet.fetching.answers import Answer, Refused

# So long is a day asked for again that had nothing where something was due.
PATIENCE = timedelta(days=7)
_SATURDAY = 5


def first(cursor: str, since: date | None) -> date | None:
    """The day to begin with: that of the cursor, else `since`. Raises Refused for a cursor that is no day."""
    if not cursor:
        return since
    try:
        return date.fromisoformat(cursor)
    except ValueError as error:
        raise Refused(
            "The place where this harvest stopped last is not a day, so nothing was asked. Begin again with --since.",
            f"cursor {cursor[:80]!r}",
        ) from error


def newest(said: Iterable[date], answer: Answer) -> date:
    """The latest of the days that an answer names, but none that lies more than a week ahead of our clock.

    Without such a day it is that of the answer (UTC). So a wrong date costs a few requests, and a wrong clock nothing.
    """
    today = answer.at.astimezone(UTC).date()
    return max((day for day in said if day <= today + PATIENCE), default=today)


def is_working_day(day: date) -> bool:
    """Whether it is Monday to Friday."""
    return day.weekday() < _SATURDAY


class Walk:
    """A walk from one day to another, both included, that knows what cursor each day's pages have."""

    def __init__(self, start: date, end: date) -> None:
        self.day = start
        self.end = max(start, end)
        self._held: date | None = None

    @property
    def is_last(self) -> bool:
        """Whether no day follows this one."""
        return self.day == self.end

    @property
    def cursor(self) -> str:
        """Where to go on once this day is stored: at this day, or at the first that holds the walk."""
        return (self._held or self.day).isoformat()

    def hold(self) -> None:
        """Ask for this day again another time, unless the walk ends more than `PATIENCE` after it."""
        if self._held is None and self.end - self.day <= PATIENCE:
            self._held = self.day

    def go_on(self) -> bool:
        """Take the next day. Returns False where there is none."""
        if self.is_last:
            return False
        self.day += timedelta(days=1)
        return True
