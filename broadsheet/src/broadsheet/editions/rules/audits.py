"""What is said of how complete an edition is: one line for its head, and what changed after it was closed.

The facts come from the ledger (`ingest.rules.DayAudit`). Every door prints the same words: pages, feeds, interfaces.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import groupby

from broadsheet.ingest.rules import DayAudit, Line, State, days
from broadsheet.ingest.rules.days import ANNOUNCEMENT_ZONE

# What the numbers of an audit count. It stands beside them wherever they stand.
RULE = (
    "A number counts what a section lists on the day as new or as newly cross-listed. What two sections list stands in "
    "both numbers, but in one edition only: that of the first day on which a followed section lists it. A new version "
    "of an older paper is no news and is not counted."
)

# How announcers are called in print.
_ANNOUNCERS = {"arxiv": "arXiv", "biorxiv": "bioRxiv", "medrxiv": "medRxiv", "hugging-face": "Hugging Face"}

# What stands in front of the line, and in tables.
LABELS = {
    State.DOWN: "Source down",
    State.INCOMPLETE: "Incomplete",
    State.UNVERIFIED: "Not verified",
    State.COMPLETE: "Complete",
    State.EMPTY: "Nothing announced",
}

# Sections and days that a line names; more of them are counted.
_NAMED = 3
_SATURDAY = 5


class Change(StrEnum):
    """What can happen to an edition that is closed."""

    ADDED = "added"
    LEFT = "left"
    MERGED = "merged"
    PARTED = "parted"


_CHANGES = {
    Change.ADDED: ("paper added", "papers added"),
    Change.LEFT: (
        "paper taken out, because it belongs to another edition",
        "papers taken out, because they belong to another edition",
    ),
    Change.MERGED: (
        "paper found to be the same work as another one of this edition",
        "papers found to be the same work as others of this edition",
    ),
    Change.PARTED: ("merge of two papers taken back", "merges of two papers taken back"),
}


@dataclass(frozen=True, slots=True)
class Words:
    """A line in two parts: the state in a word or two, empty where there is none to tell, and what is to be said."""

    label: str
    text: str

    @property
    def line(self) -> str:
        """Both parts as one line."""
        return f"{self.label}: {self.text}" if self.label else self.text


def announcer_name(announcer: str) -> str:
    """How an announcer is called in print: ``arXiv`` for ``arxiv``."""
    return _ANNOUNCERS.get(announcer, announcer)


def was_asked(audit: DayAudit) -> bool:
    """Whether any source was asked about the day, so that there is more to say than that nobody knows."""
    return audit.state is not State.UNVERIFIED or bool(audit.lines)


def day_words(audit: DayAudit) -> Words:
    """The line of a day about which something is known."""
    checked = f", checked {clock(audit.checked_at, near=audit.day)}" if audit.checked_at else ""
    if audit.state is State.COMPLETE and _counted(audit.lines):
        return Words(LABELS[State.COMPLETE], f"{_held(_counted(audit.lines))}{checked}.")
    if audit.state is State.INCOMPLETE and _short(audit.lines):
        return Words(LABELS[State.INCOMPLETE], f"{_lacking(_short(audit.lines))}{checked}.")
    if audit.state is State.DOWN:
        return Words(
            LABELS[State.DOWN], f"no answer since {clock(_due_at(audit), near=audit.day)}, when a list was due."
        )
    if audit.state is State.EMPTY:
        return Words("", calendar_words(audit.day) or sentence(audit.reason))
    return Words(LABELS[audit.state], sentence(audit.reason))


def unknown(day: date) -> DayAudit:
    """What is known of a day about which nobody was asked: what the calendar says."""
    why = calendar_words(day)
    return DayAudit(day, State.EMPTY, why) if why else DayAudit(day, State.UNVERIFIED, "No source was asked.")


def calendar_words(day: date) -> str | None:
    """Why arXiv has no list of that day, by its calendar; None where it should have one."""
    why = days.why_empty(day)
    if why and day.weekday() >= _SATURDAY:
        return f"{why}: arXiv announces nothing from Friday evening to Sunday evening."
    return f"arXiv has no list of this day by its calendar: {why}." if why else None


def period_words(known: Sequence[DayAudit]) -> Words | None:
    """The line of several days: the worst state first, and which days are in it. None when no day was asked about."""
    spoken = [audit for audit in known if audit.state is not State.EMPTY]
    if not any(map(was_asked, spoken)):
        return None
    by_state: dict[State, list[date]] = defaultdict(list)
    for audit in spoken:
        by_state[audit.state].append(audit.day)
    states = [state for state in State if by_state[state]]
    if states == [State.COMPLETE]:
        return Words(LABELS[State.COMPLETE], f"{_all_of(spoken)}.")
    first, *others = states
    parts = [_named(by_state[first])]
    parts += [f"{LABELS[state].lower()}: {_named(by_state[state])}" for state in others if state is not State.COMPLETE]
    if by_state[State.COMPLETE]:
        parts.append(f"complete: {_number(len(by_state[State.COMPLETE]), 'other day', 'other days')}")
    return Words(LABELS[first], "; ".join(parts) + ".")


def change_words(kind: Change, number: int) -> str:
    """What happened to a closed edition: ``3 papers added``."""
    return _number(number, *_CHANGES[kind])


def clock(moment: datetime, *, near: date | None = None) -> str:
    """A moment on the announcers' clock: ``19 November 2026, 21:40 Eastern``.

    Its day is left out where it is the day `near`, its year where it is the same.
    """
    local = moment.astimezone(ANNOUNCEMENT_ZONE)
    time = f"{local:%H:%M} Eastern"
    if local.date() == near:
        return time
    year = "" if near and local.year == near.year else f" {local.year}"
    return f"{local.day} {local:%B}{year}, {time}"


def figure(value: int) -> str:
    """A number as it is printed: in groups of three digits from 10,000 up, with narrow no-break spaces between."""
    return f"{value:,}".replace(",", "\u202f") if abs(value) >= 10_000 else str(value)


def lacking(line: Line) -> int:
    """How many works of a section we do not hold, as far as anybody knows."""
    return max((line.announced or 0) - line.held, len(line.missing), 0)


def sentence(text: str) -> str:
    """The text with a full stop at its end."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def joined(parts: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def _due_at(audit: DayAudit) -> datetime:
    """Since when a list of the day should be there: the earliest of those that nobody has told of."""
    keeps_hours = any(line.announcer == "arxiv" for line in audit.lines if line.announced is None)
    return days.appears(audit.day) if keeps_hours else days.feed_appears(audit.day)


def _counted(lines: Iterable[Line]) -> list[Line]:
    return [line for line in lines if line.announced is not None]


def _short(lines: Iterable[Line]) -> list[Line]:
    return [line for line in lines if lacking(line)]


def _due(line: Line) -> int:
    """How many works we should hold of a section, as far as anybody knows."""
    return line.held + lacking(line) if line.announced is None else line.announced


def _held(lines: Sequence[Line]) -> str:
    """What we hold of what was announced: section by section where they are few, else together."""
    if len(lines) > _NAMED:
        by = joined(list(dict.fromkeys(announcer_name(line.announcer) for line in lines)))
        return (
            f"{_sum(line.held for line in lines)} of {_sum(map(_due, lines))} listings in {len(lines)} sections of {by}"
        )
    return "; ".join(
        ", ".join(f"{_of(line.held, line)}{'' if place else by}{_in(line)}" for place, line in enumerate(own))
        for by, own in _by_announcer(lines).items()
    )


def _by_announcer(lines: Iterable[Line]) -> Mapping[str, list[Line]]:
    """The lines under `` announced by arXiv``, in the order in which they come."""
    own: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        own[f" announced by {announcer_name(line.announcer)}"].append(line)
    return own


def _lacking(lines: Sequence[Line]) -> str:
    """What we do not hold of what was announced."""
    total = sum(map(lacking, lines))
    if len(lines) > _NAMED:
        said = f"{figure(total)} of {_sum(map(_due, lines))} listings in {len(lines)} sections"
    else:
        said = joined([f"{_of(lacking(line), line)}{_in(line)}" for line in lines])
    return f"{said} {'is' if total == 1 else 'are'} missing"


def _of(part: int, line: Line) -> str:
    return f"{figure(part)} of {figure(_due(line))}"


def _in(line: Line) -> str:
    return f" in {line.section}" if line.section else ""


def _sum(numbers: Iterable[int]) -> str:
    return figure(sum(numbers))


def _all_of(audits: Sequence[DayAudit]) -> str:
    known = [audit.checked_at for audit in audits if audit.checked_at]
    checked = f", last checked {clock(max(known))}" if known else ""
    which = f"each of the {len(audits)} days" if len(audits) > 1 else "the one day"
    return f"{which} on which something was announced{checked}"


def _named(some: Sequence[date]) -> str:
    """Days of one year by name, months written once; counted where they are many."""
    if len(some) > _NAMED + 1:
        return f"{len(some)} days"
    months = groupby(sorted(some), key=lambda day: (day.year, day.month))
    return ", ".join(
        f"{joined([str(day.day) for day in own])} {date(year, month, 1):%B}" for (year, month), own in months
    )


def _number(value: int, one: str, many: str) -> str:
    return f"{figure(value)} {one if value == 1 else many}"
