"""Dates, numbers and names of things in the words that the pages print."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from broadsheet.bibliography import taxonomy
from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.taxonomy import CATEGORIES
from broadsheet.editions.rules import ANNOUNCEMENT_ZONE, audits
from broadsheet.ingest.queries import Place

# arXiv's announcements are timed in US Eastern: https://info.arxiv.org/help/availability.html
EASTERN = ANNOUNCEMENT_ZONE

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


# What a section is called.
section_name = taxonomy.section_name


def long_day(day: date) -> str:
    """A calendar day with its weekday: ``Friday, 20 November 2026``."""
    return f"{_WEEKDAYS[day.weekday()]}, {day.day} {_MONTHS[day.month - 1]} {day.year}"


def weekday_text(day: date) -> str:
    """A day in a table of the last ones, the year left out: ``Friday, 20 November``."""
    return f"{_WEEKDAYS[day.weekday()]}, {day.day} {_MONTHS[day.month - 1]}"


def day_text(day: date | PartialDate | str | None) -> str:
    """A date as far as it is known: ``14 January 2021``, ``January 2021``, ``2021``; empty for none.

    Text is read as PartialDate reads it; text that is no date is printed as it is.
    """
    if isinstance(day, str):
        try:
            day = PartialDate.parse(day) if day else None
        except ValueError:
            return str(day)
    if day is None:
        return ""
    words = [str(day.year)]
    if day.month:
        words.insert(0, _MONTHS[day.month - 1])
        if day.day:
            words.insert(0, str(day.day))
    return " ".join(words)


def eastern(moment: datetime, *, near: date | None = None) -> str:
    """A moment on the clock by which arXiv announces, the zone named: ``20 November 2026, 21:14 Eastern``.

    Its day is left out where it is the day `near`, its year where it is the same.
    """
    return audits.clock(moment, near=near)


def utc(moment: datetime) -> str:
    """A moment in Coordinated Universal Time: ``21 November 2026, 02:14:09 UTC``."""
    local = moment.astimezone(ZoneInfo("UTC"))
    return f"{day_text(local.date())}, {local:%H:%M:%S} UTC"


def number(value: int) -> str:
    """An integer with thin groups of three digits: ``100 000`` with narrow no-break spaces, ``9999`` without."""
    return audits.figure(value)


# How often an edition of a kind is printed, and a digest of it sent.
OFTEN = {"day": "every day", "week": "every week", "month": "every month"}


def count(value: int, one: str, many: str = "") -> str:
    """A number with its noun: ``1 paper``, ``273 papers``."""
    return f"{number(value)}\u00a0{one if value == 1 else many or one + 's'}"


def health(place: Place, now: datetime) -> tuple[str, str]:
    """How asking a source for one of its sets goes: in a few words, and what was said last where it does not go."""
    if place.resting_until and place.resting_until > now:
        return f"Resting until {eastern(place.resting_until)}.", place.failure
    if place.failure:
        return (
            f"Failed {count(place.failures, 'time')} in a row." if place.failures > 1 else "Failed.",
            place.failure,
        )
    return ("Answers." if place.answered_at else "Not asked yet."), ""


def category_name(code: str) -> str:
    """A category of arXiv with its code: ``Machine Learning (cs.LG)``; the code alone where it has no name."""
    name = CATEGORIES.get(code)
    if name is None:
        return code
    return f"{name[:-1]}, {code})" if name.endswith(")") else f"{name} ({code})"


def edition_name(kind: str, label: str) -> str:
    """What an edition is called: ``20 November 2026``, ``Week 47 of 2026``, ``November 2026``, ``First edition``."""
    if kind == "week":
        year, _, week = label.partition("-W")
        return f"Week {int(week)} of {year}"
    return "First edition" if kind == "first" else day_text(label)
