"""Dates as sources print them: sometimes only a month, sometimes only a year."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date
from typing import Self

_ISO = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?(?:[T ].*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A date known to the day, to the month, or to the year.

    Two partial dates are equal when they are known equally well; use `first` and `last` to compare in time.
    """

    year: int
    month: int | None = None
    day: int | None = None

    def __post_init__(self) -> None:
        if self.day is not None and self.month is None:
            raise ValueError("a day without a month is not a date")
        date(self.year, 1 if self.month is None else self.month, 1 if self.day is None else self.day)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``2021``, ``2021-01``, ``2021-01-14`` or an ISO timestamp (its time is dropped).

        Raises ValueError when the text is none of these, or names a day that no calendar has.
        """
        match = _ISO.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"{text!r} is not a date; write 2021, 2021-01 or 2021-01-14")
        year, month, day = (int(part) if part else None for part in match.groups())
        return cls(year or 0, month, day)

    @classmethod
    def of(cls, day: date) -> Self:
        """The same day as `day`, known exactly."""
        return cls(day.year, day.month, day.day)

    @property
    def exact(self) -> date | None:
        """The calendar day, or None when it is not known."""
        return date(self.year, self.month, self.day) if self.month and self.day else None

    @property
    def first(self) -> date:
        """The earliest day that it can mean."""
        return date(self.year, self.month or 1, self.day or 1)

    @property
    def last(self) -> date:
        """The latest day that it can mean."""
        month = self.month or 12
        return date(self.year, month, self.day or calendar.monthrange(self.year, month)[1])

    @property
    def precision(self) -> int:
        """How much is known: 1 the year, 2 the month too, 3 the day too."""
        return 1 + (self.month is not None) + (self.day is not None)

    def agrees_with(self, other: PartialDate) -> bool:
        """Whether both can mean the same day."""
        return self.first <= other.last and other.first <= self.last

    def __str__(self) -> str:
        text = f"{self.year:04}"
        if self.month:
            text += f"-{self.month:02}"
        if self.day:
            text += f"-{self.day:02}"
        return text
