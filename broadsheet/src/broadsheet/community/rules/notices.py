"""Pure rules of notices: of what people are told, and whether they may turn it off."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["KINDS", "MOST_COUNTED", "About", "Kind", "KindRule"]

# The masthead counts no further.
MOST_COUNTED = 99


class Kind(StrEnum):
    """Of what a notice tells."""

    REPLY = "reply"
    COMMENT = "comment"
    MODERATION = "moderation"
    APPEAL = "appeal"
    CLAIM = "claim"


@dataclass(frozen=True, slots=True)
class KindRule:
    """A kind in words, and whether a person may turn it off. What moderators did to her is always told."""

    words: str
    may_be_off: bool


KINDS: dict[Kind, KindRule] = {
    Kind.REPLY: KindRule("Somebody answered a comment of yours", may_be_off=True),
    Kind.COMMENT: KindRule("Somebody commented on a paper that you follow, wrote or commented on", may_be_off=True),
    Kind.MODERATION: KindRule("A moderator decided something about what you wrote, or about you", may_be_off=False),
    Kind.APPEAL: KindRule("An appeal of yours was decided", may_be_off=False),
    Kind.CLAIM: KindRule("A claim of yours to a paper was decided", may_be_off=True),
}


@dataclass(frozen=True, slots=True)
class About:
    """What a notice tells: of a comment in a thread, of an act of moderation, or a sentence about a paper.

    `by` is the person who did it, of whom others may want to hear nothing.
    """

    comment: int | None = None
    thread: int | None = None
    act: int | None = None
    paper: int | None = None
    sentence: str = ""
    by: int | None = None
