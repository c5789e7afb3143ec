"""What happens to followed papers, in words. Knows no database."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum

# News are told of so many papers in one digest, and so many measurements of each.
MOST_PAPERS = 10
MOST_MEASURED = 3
# So long news stand on the desk; and who was never sent a digest is told of the same.
LOOKED_BACK = timedelta(days=7)
# A digest that comes after a longer pause tells no more than what happened in this time.
FURTHEST = timedelta(days=35)
# A version that is so much older than the time that is told of is none that is new: a source has only told of it now.
LATE_BY = timedelta(days=60)


class What(StrEnum):
    """What happened to a paper."""

    VERSION = "version"
    CODE = "code"
    MEASURED = "measured"
    COMMENTS = "comments"


def version_said(number: int, day: date) -> str:
    """A new version in a sentence, without a full stop."""
    return f"Version {number}, of {day.day} {day:%B %Y}"


def measured_said(verdict: str) -> str:
    """What a measurement came to, in a sentence, without a full stop."""
    return f"Measured: {verdict}"


def comments_said(count: int, last: str) -> str:
    """New comments in a sentence, without a full stop. `last` is who wrote the last one, empty for nobody any more."""
    by = last or "somebody whose account is gone"
    return f"A comment by {by}" if count == 1 else f"{count} comments, the last by {by}"


CODE_SAID = "Code was found"
