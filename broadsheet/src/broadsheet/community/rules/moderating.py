"""Pure rules of moderation: for what one may flag, what moderators may do to what, and how each deed is undone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from broadsheet.community.rules.commenting import Moderated

__all__ = [
    "DEEDS",
    "EFFECTS",
    "LEADS_TO",
    "LONGEST_WORDS",
    "OPPOSITES",
    "REASONS",
    "TARGETS",
    "Deed",
    "DeedRule",
    "Reason",
    "Ruling",
    "Subject",
    "Target",
    "deeds_for",
    "flaws_of",
    "reasons_for",
]

# Characters that one may write beside a reason, and in an appeal.
LONGEST_WORDS = 2_000


class Target(StrEnum):
    """What lines of the log are about. All but claims, which curators decide, can be moderated."""

    COMMENT = "comment"
    PERSON = "person"
    SUBMISSION = "submission"
    LINK = "link"
    DISCUSSION = "discussion"
    RING = "ring"
    CLAIM = "claim"


TARGETS: dict[Target, str] = {
    Target.COMMENT: "a comment",
    Target.PERSON: "a person",
    Target.SUBMISSION: "a proposed paper",
    Target.LINK: "a link",
    Target.DISCUSSION: "a discussion",
    Target.RING: "votes that were held back",
    Target.CLAIM: "a claim to be an author",
}


class Reason(StrEnum):
    """The closed list of reasons, for flags and for decisions alike."""

    SPAM = "spam"
    ABUSE = "abuse"
    OFF_TOPIC = "off-topic"
    PRIVATE = "private"
    RIGHTS = "rights"
    POSING = "posing"
    NO_PAPER = "no-paper"
    BROKEN = "broken"
    VOTES = "votes"
    MISTAKE = "mistake"
    AUTHORSHIP = "authorship"
    OTHER = "other"


_ANYTHING = frozenset(Target) - {Target.CLAIM}
_TEXTS = frozenset({Target.COMMENT, Target.PERSON, Target.SUBMISSION, Target.LINK})

# The reason, in words, and of what it can be said. A flag for another reason needs words of its own.
REASONS: dict[Reason, tuple[str, frozenset[Target]]] = {
    Reason.SPAM: ("Advertising, or the same thing again and again", _TEXTS),
    Reason.ABUSE: ("An attack on a person or a group of people", _TEXTS | {Target.DISCUSSION}),
    Reason.OFF_TOPIC: ("Has nothing to do with the paper", frozenset({Target.COMMENT, Target.LINK, Target.DISCUSSION})),
    Reason.PRIVATE: ("Tells something private of somebody", frozenset({Target.COMMENT, Target.PERSON, Target.LINK})),
    Reason.RIGHTS: ("Breaks the law or somebody's rights", _TEXTS),
    Reason.POSING: ("Poses as somebody else", frozenset({Target.PERSON, Target.COMMENT})),
    Reason.NO_PAPER: ("Is not a research paper", frozenset({Target.SUBMISSION})),
    Reason.BROKEN: ("The link leads nowhere, or to something else", frozenset({Target.LINK})),
    Reason.VOTES: ("Votes that were arranged", frozenset({Target.PERSON, Target.RING})),
    Reason.MISTAKE: ("The decision before was a mistake", _ANYTHING),
    Reason.AUTHORSHIP: ("Who wrote the paper", frozenset({Target.CLAIM})),
    Reason.OTHER: ("Another reason, in words", _ANYTHING),
}


class Deed(StrEnum):
    """What a moderator does, and what a curator decides about a claim."""

    FOLD = "fold"
    REMOVE = "remove"
    RESTORE = "restore"
    BAR = "bar"
    UNBAR = "unbar"
    LOCK = "lock"
    UNLOCK = "unlock"
    LIFT = "lift"
    HOLD = "hold"
    DISMISS = "dismiss"
    CONFIRM = "confirm"
    REFUSE = "refuse"
    REVOKE = "revoke"


@dataclass(frozen=True, slots=True)
class DeedRule:
    """A deed: the word on its button, what the log says, what it can be done to, and whether its person is told."""

    button: str
    done: str
    targets: frozenset[Target]
    tells: bool = True


DEEDS: dict[Deed, DeedRule] = {
    Deed.FOLD: DeedRule("Fold away", "folded away", frozenset({Target.COMMENT})),
    Deed.REMOVE: DeedRule("Remove", "removed", frozenset({Target.COMMENT, Target.SUBMISSION, Target.LINK})),
    Deed.RESTORE: DeedRule("Restore", "restored", frozenset({Target.COMMENT, Target.SUBMISSION, Target.LINK})),
    Deed.BAR: DeedRule("Bar from writing", "barred", frozenset({Target.PERSON})),
    Deed.UNBAR: DeedRule("Let write again", "let write again", frozenset({Target.PERSON})),
    Deed.LOCK: DeedRule("Close the discussion", "closed", frozenset({Target.DISCUSSION}), tells=False),
    Deed.UNLOCK: DeedRule("Open the discussion", "opened again", frozenset({Target.DISCUSSION}), tells=False),
    Deed.LIFT: DeedRule("Count the votes", "counted after all", frozenset({Target.RING}), tells=False),
    Deed.HOLD: DeedRule("Hold the votes back", "held back again", frozenset({Target.RING}), tells=False),
    Deed.DISMISS: DeedRule("Leave as it is", "looked at, and left as it is,", _TEXTS, tells=False),
    # Decided where claims are, which tells her too.
    Deed.CONFIRM: DeedRule("Confirm", "confirmed", frozenset({Target.CLAIM}), tells=False),
    Deed.REFUSE: DeedRule("Refuse", "refused", frozenset({Target.CLAIM}), tells=False),
    Deed.REVOKE: DeedRule("Undo", "undid", frozenset({Target.CLAIM}), tells=False),
}

# The deed that makes a thing what it was before; those of a comment and of a person follow from their states.
OPPOSITES: dict[Deed, Deed] = {
    Deed.REMOVE: Deed.RESTORE,
    Deed.RESTORE: Deed.REMOVE,
    Deed.LOCK: Deed.UNLOCK,
    Deed.UNLOCK: Deed.LOCK,
    Deed.LIFT: Deed.HOLD,
    Deed.HOLD: Deed.LIFT,
}

# The deed that brings a text into a state.
LEADS_TO: dict[Moderated, Deed] = {
    Moderated.NO: Deed.RESTORE,
    Moderated.FOLDED: Deed.FOLD,
    Moderated.REMOVED: Deed.REMOVE,
}

# What a deed makes of a comment that was in that state; what is not here cannot be done.
EFFECTS: dict[tuple[Moderated, Deed], Moderated] = {
    (Moderated.NO, Deed.FOLD): Moderated.FOLDED,
    (Moderated.REMOVED, Deed.FOLD): Moderated.FOLDED,
    (Moderated.NO, Deed.REMOVE): Moderated.REMOVED,
    (Moderated.FOLDED, Deed.REMOVE): Moderated.REMOVED,
    (Moderated.FOLDED, Deed.RESTORE): Moderated.NO,
    (Moderated.REMOVED, Deed.RESTORE): Moderated.NO,
}


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing that can be flagged or decided about."""

    target: Target
    id: int


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a moderator decides, and why; `until` is the end of a bar."""

    deed: Deed
    reason: Reason
    words: str = ""
    until: datetime | None = None


def reasons_for(target: Target) -> dict[Reason, str]:
    """The reasons that can be said of such a thing, with their words, in the order of a form."""
    return {reason: words for reason, (words, targets) in REASONS.items() if target in targets}


def flaws_of(target: Target) -> dict[Reason, str]:
    """The reasons for which such a thing can be flagged: all but the one that is about decisions."""
    return {reason: words for reason, words in reasons_for(target).items() if reason is not Reason.MISTAKE}


def deeds_for(target: Target) -> dict[Deed, DeedRule]:
    """What can be done to such a thing, in the order of a form."""
    return {deed: rule for deed, rule in DEEDS.items() if target in rule.targets}
