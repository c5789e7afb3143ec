"""How long a digest is, and what is said where there is none. Knows no database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from broadsheet.editions.rules import Kind
from broadsheet.following.rules.follows import section_said

# Papers in one digest; of the front page where nothing was chosen; and of one thing that was chosen, at least and at
# most.
MOST = 40
FRONT = 10
FEWEST_OF_A_PART = 3
MOST_OF_A_PART = 20
# What follows after all that a reader follows: papers near her library, and of the front page.
NEAR = 10
BESIDES = 5
# Papers of a part that are looked at, so that some are left where she hides many.
LOOKED_AT = 200
REASONS = 3
MOST_NOTICES = 10

_PERIODS = {Kind.DAY: "day", Kind.WEEK: "week", Kind.MONTH: "month"}


def share(parts: int) -> int:
    """How many papers each of so many parts has at most."""
    return min(MOST_OF_A_PART, max(FEWEST_OF_A_PART, MOST // max(1, parts)))


def edition_said(kind: Kind, label: str, start: date) -> str:
    """An edition in a sentence: ``the edition of 20 November 2026``."""
    match kind:
        case Kind.DAY:
            return f"the edition of {start.day} {start:%B %Y}"
        case Kind.WEEK:
            year, _, week = label.partition("-W")
            return f"the edition of week {int(week)} of {year}"
        case Kind.MONTH:
            return f"the edition of {start:%B %Y}"
    return "the first edition"


def wanted_said(sections: Sequence[str], searches: Sequence[str]) -> str:
    """What was chosen, where nothing of it was found: ``in cs.LG or cs.AI, or matching “lamps”``."""
    said = [f"in {_any_of([section_said(slug) for slug in sections])}"] if sections else []
    said += [f"matching {_any_of([f'“{text}”' for text in searches])}"] if searches else []
    return ", or ".join(said)


def _any_of(names: Sequence[str]) -> str:
    return " or ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def no_edition(kind: Kind, why: str) -> str:
    """Why nothing was sent where no edition was printed; `why` is what the calendar or a source says of today."""
    said = f"No new edition of the {_PERIODS.get(kind, 'paper')} was printed."
    return f"{said} {why}" if why else said


def nothing_found(wanted: str, edition: str, trouble: str) -> str:
    """Why nothing was sent where an edition has nothing that was chosen; `trouble`: what is wrong with its sources."""
    said = f"Nothing {wanted} is in {edition}."
    return f"{said} {trouble}" if trouble else said


def all_hidden(count: int, edition: str) -> str:
    """Why nothing was sent where all of it is hidden."""
    return f"{left_out(count)[:-1]}, and nothing else that you asked for is in {edition}."


def left_out(count: int) -> str:
    """How many papers of a digest a reader's own settings hide."""
    return f"{count} {'paper is' if count == 1 else 'papers are'} left out by your settings."


def said(*reasons: Collection[str]) -> tuple[str, ...]:
    """The first reasons of all, each once."""
    return tuple(dict.fromkeys(reason for some in reasons for reason in some if reason))[:REASONS]
