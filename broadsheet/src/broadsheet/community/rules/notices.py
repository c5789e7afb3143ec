"""Pure rules of notices: of what people are told, and whether they may turn it off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from broadsheet.accounts.rules import Person, Role

__all__ = ["KINDS", "LONGEST_MATTER", "MOST_COUNTED", "QUIET", "About", "Kind", "KindRule", "kinds_for"]

# The masthead counts no further.
MOST_COUNTED = 99
# A matter that was told, and goes on after it was read, is not told again for so long.
QUIET = timedelta(days=1)
LONGEST_MATTER = 80  # characters


class Kind(StrEnum):
    """Of what a notice tells."""

    REPLY = "reply"
    COMMENT = "comment"
    MODERATION = "moderation"
    APPEAL = "appeal"
    CLAIM = "claim"
    HOOK = "hook"
    MAIL = "mail"
    INDEX = "index"


@dataclass(frozen=True, slots=True)
class KindRule:
    """A kind in words, whether a person may turn it off, and whom it can reach. What moderators did to her is always
    told.
    """

    words: str
    may_be_off: bool
    role: Role = Role.READER


KINDS: dict[Kind, KindRule] = {
    Kind.REPLY: KindRule("Somebody answered a comment of yours", may_be_off=True),
    Kind.COMMENT: KindRule("Somebody commented on a paper that you follow, wrote or commented on", may_be_off=True),
    Kind.MODERATION: KindRule("A moderator decided something about what you wrote, or about you", may_be_off=False),
    Kind.APPEAL: KindRule("An appeal of yours was decided", may_be_off=False),
    Kind.CLAIM: KindRule("A claim of yours to a paper was decided", may_be_off=True),
    Kind.HOOK: KindRule("A hook of a group that you own was switched off", may_be_off=True),
    Kind.MAIL: KindRule(
        "Mail of this instance does not go out, or readers got none for days", may_be_off=True, role=Role.OPERATOR
    ),
    Kind.INDEX: KindRule("The search index could not be used and was made anew", may_be_off=True, role=Role.OPERATOR),
}


def kinds_for(person: Person) -> dict[Kind, KindRule]:
    """The kinds of which this person can be told."""
    return {kind: rule for kind, rule in KINDS.items() if person.is_a(rule.role)}


@dataclass(frozen=True, slots=True)
class About:
    """What a notice tells: of a comment in a thread, of an act of moderation, or a sentence about a paper.

    `by` is the person who did it, of whom others may want to hear nothing. What has a `matter` is told of it once.
    """

    comment: int | None = None
    thread: int | None = None
    act: int | None = None
    paper: int | None = None
    sentence: str = ""
    matter: str = ""
    by: int | None = None
