"""Pure rules of the ledger: when an announcement is due, which day a work belongs to, and what an audit says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class State(StrEnum):
    """What can be said about the list of a day. The order of the members is from worst to best."""

    DOWN = "source-down"
    INCOMPLETE = "incomplete"
    UNVERIFIED = "unverified"
    COMPLETE = "complete"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Line:
    """What we hold of what was announced in one section. `announced` is None where no witness counted; `how` names the
    witness, as in "listing total". `missing` are the keys of the first few works that we do not hold.
    """

    announcer: str
    section: str
    announced: int | None
    how: str
    held: int
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DayAudit:
    """The audit of a day: its state, a sentence that says why, a line for each section, the checks that failed, as
    sentences, and when it was last checked (None: never).
    """

    day: date
    state: State
    reason: str
    lines: tuple[Line, ...] = ()
    failed: tuple[str, ...] = ()
    checked_at: datetime | None = None
