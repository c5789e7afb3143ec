"""Pure rules of commenting: how much may be said by whom, and what is seen of a comment that was taken back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from broadsheet.community.rules import markup

__all__ = ["LIMITS", "PURGED_AFTER", "Allowance", "Draft", "Limits", "Moderated", "Shown", "allowance", "objection"]

# Whoever removed her comment may take that back for so long; then the text is deleted for good.
PURGED_AFTER = timedelta(days=30)


class Moderated(StrEnum):
    """What moderators decided of a comment: nothing; that it is folded away, and opens by a click; that it is gone."""

    NO = ""
    FOLDED = "folded"
    REMOVED = "removed"


class Shown(StrEnum):
    """How a comment is seen by one reader: open; as a line that says why; or folded, for another reason each."""

    OPEN = "open"
    WITHDRAWN = "withdrawn"
    FOLDED = "folded"
    REMOVED = "removed"
    MUTED = "muted"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one person may say. An account is new until it is `new_days` old and has `new_comments` comments."""

    new_days: int = 3
    new_comments: int = 5
    new_hourly: int = 5
    hourly: int = 30
    new_links: int = 2
    links: int = 20
    longest: int = markup.LONGEST


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Draft:
    """A comment that somebody wants to publish: its text, the comment that it answers, and the group that it is for."""

    body: str
    parent: int | None = None
    group: int | None = None


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one person may do now: comments within an hour, and links in one comment."""

    is_new: bool
    hourly: int
    links: int


def allowance(joined_at: datetime, comments: int, now: datetime) -> Allowance:
    """What a person who joined then and has written so many comments may do."""
    is_new = now - joined_at < timedelta(days=LIMITS.new_days) or comments < LIMITS.new_comments
    if is_new:
        return Allowance(is_new, LIMITS.new_hourly, LIMITS.new_links)
    return Allowance(is_new, LIMITS.hourly, LIMITS.links)


def objection(text: str, allowed: Allowance) -> str:
    """Why this text cannot be a comment; empty when it can. The sentence says what was kept and what to do."""
    if not text.strip():
        return "There is nothing in the comment yet. Write something and send it again."
    if len(text) > LIMITS.longest:
        over = len(text) - LIMITS.longest
        return (
            f"The comment is {over:,} characters too long; {LIMITS.longest:,} are the most. "
            "Nothing was published; your text is kept below. Shorten it and send it again."
        )
    links = markup.links_in(text)
    if links > allowed.links:
        of_new = " from a new account" if allowed.is_new else ""
        return (
            f"The comment has {links} links; {allowed.links} are the most in a comment{of_new}. "
            "Nothing was published; your text is kept below."
        )
    return ""
