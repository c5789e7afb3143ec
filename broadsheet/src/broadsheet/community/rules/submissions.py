"""Pure rules of submissions: what happens to a proposed paper, when it is asked for again, and how old it may be."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum

from broadsheet.bibliography.identifiers import Identifier, Scheme

LONGEST_NOTE = 500  # characters


class State(StrEnum):
    """What became of a proposal."""

    PENDING = "pending"
    ARRIVED = "arrived"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


# How long after each attempt the next one is made. After the last the proposal is refused.
_PAUSES = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(hours=12),
    timedelta(days=1),
    timedelta(days=1),
    timedelta(days=1),
)

NO_CLIENT = (
    "No source can be asked: whoever runs this instance has not said who asks (the setting contact). It is tried again."
)
# A proposal that waits because nobody can be asked is no attempt, and is looked at so often.
WAITING = timedelta(minutes=10)


def pause(tries: int) -> timedelta | None:
    """How long to wait after so many attempts, at least one; None when it is given up."""
    return _PAUSES[tries - 1] if tries <= len(_PAUSES) else None


def why_waiting(said: tuple[str, ...]) -> str:
    """The reason of a proposal that nobody had yet, from what each source said."""
    return f"{'; '.join(said)}. It is asked for again." if said else "No source that we ask knows such identifiers."


def why_refused(said: tuple[str, ...]) -> str:
    """The reason of a proposal that is given up."""
    return f"It was asked for {len(_PAUSES) + 1} times in vain. The last time: {'; '.join(said)}."


def too_old(day: date | None, today: date, window: int) -> bool:
    """Whether a paper of that day is older than so many days. One whose day nobody knows is not, nor with 0 any."""
    return bool(window) and day is not None and (today - day).days > window


def latest_day(identifier: Identifier) -> date | None:
    """The last day on which a work of that identifier can have appeared, where the identifier tells; else None.

    arXiv gives identifiers by the month of announcement: https://info.arxiv.org/help/arxiv_identifier.html
    """
    if identifier.scheme is not Scheme.ARXIV:
        return None
    digits = identifier.value.rpartition("/")[2][:4]
    year, month = int(digits[:2]), int(digits[2:])
    year += 1900 if "/" in identifier.value and year > 90 else 2000
    after = date(year + month // 12, month % 12 + 1, 1)
    return after - timedelta(days=1)
