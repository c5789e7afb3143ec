"""Pure rules of voting: which votes count, by one table, and how rings are noticed.

A vote is cast and withdrawn by its owner, and held back by rules while they hold. A vote that is held back is shown: to
its owner with the reason, to everybody as a number. `/about/ranking` prints the tables of this module.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """What a vote is worth now."""

    NONE = "none"
    COUNTED = "counted"
    OWN = "own"
    RING = "ring"
    BARRED = "barred"


class Event(StrEnum):
    """What can happen to a vote."""

    CAST = "cast"
    WITHDRAWN = "withdrawn"
    AUTHOR_CONFIRMED = "author confirmed"
    AUTHOR_UNDONE = "author undone"
    RING_FOUND = "ring found"
    RING_LIFTED = "ring lifted"
    BARRED = "barred"
    UNBARRED = "unbarred"
    DELETED = "account deleted"


# The states in which a vote was cast but does not count.
HELD = frozenset({State.OWN, State.RING, State.BARRED})

# What each state is called where its owner, and where everybody reads it.
WORDS: Mapping[State, str] = {
    State.NONE: "You have not voted for it.",
    State.COUNTED: "Your vote counts.",
    State.OWN: "Your vote is held back: you are an author of the paper.",
    State.RING: "Your vote is held back: it came together with others of a ring. A moderator can lift that.",
    State.BARRED: "Your vote is held back until you may write again.",
}


@dataclass(frozen=True, slots=True)
class Move:
    """A line of the table: what follows from an event in a state, and the sentence that says so."""

    state: State
    event: Event
    next: State
    sentence: str


_MOVES = (
    Move(State.NONE, Event.CAST, State.COUNTED, "A vote counts from the moment it is cast."),
    Move(State.COUNTED, Event.WITHDRAWN, State.NONE, "Whoever voted may withdraw her vote at any time."),
    Move(State.OWN, Event.WITHDRAWN, State.NONE, "A vote that is held back may be withdrawn, too."),
    Move(State.RING, Event.WITHDRAWN, State.NONE, "A vote that is held back may be withdrawn, too."),
    Move(State.BARRED, Event.WITHDRAWN, State.NONE, "A vote that is held back may be withdrawn, too."),
    Move(State.COUNTED, Event.AUTHOR_CONFIRMED, State.OWN, "An author's vote for her own paper does not count."),
    Move(State.RING, Event.AUTHOR_CONFIRMED, State.OWN, "That she is an author goes before all other reasons."),
    Move(State.BARRED, Event.AUTHOR_CONFIRMED, State.OWN, "That she is an author goes before all other reasons."),
    Move(State.OWN, Event.AUTHOR_UNDONE, State.COUNTED, "Who is no longer held to be an author votes like others."),
    Move(State.COUNTED, Event.RING_FOUND, State.RING, "Votes of a ring are held back, and shown as held back."),
    Move(State.RING, Event.RING_LIFTED, State.COUNTED, "A moderator who finds no ring lifts it, and the votes count."),
    Move(State.COUNTED, Event.BARRED, State.BARRED, "The votes of who is barred are held back for that time."),
    Move(State.RING, Event.BARRED, State.BARRED, "Being barred goes before being in a ring."),
    Move(State.BARRED, Event.UNBARRED, State.COUNTED, "Who may write again has her votes again."),
    Move(State.COUNTED, Event.DELETED, State.NONE, "With an account go its votes."),
    Move(State.OWN, Event.DELETED, State.NONE, "With an account go its votes."),
    Move(State.RING, Event.DELETED, State.NONE, "With an account go its votes."),
    Move(State.BARRED, Event.DELETED, State.NONE, "With an account go its votes."),
)

# State and event -> what follows. Where there is no line, the event changes nothing. When a reason ends, those that
# still hold are applied again, in the order of `Reasons.events`.
TRANSITIONS: Mapping[tuple[State, Event], Move] = {(move.state, move.event): move for move in _MOVES}


def after(state: State, event: Event) -> State:
    """The state that follows; the same one where the table has no line."""
    move = TRANSITIONS.get((state, event))
    return move.next if move else state


@dataclass(frozen=True, slots=True)
class Reasons:
    """What is true of a vote: whether it is cast, its owner an author of the work, barred, or found in a ring."""

    cast: bool
    author: bool = False
    barred: bool = False
    ring: bool = False

    def events(self) -> tuple[Event, ...]:
        """The events that hold, in the order in which they are applied."""
        told = (
            (self.cast, Event.CAST),
            (self.ring, Event.RING_FOUND),
            (self.barred, Event.BARRED),
            (self.author, Event.AUTHOR_CONFIRMED),
        )
        return tuple(event for holds, event in told if holds)


def judged(reasons: Reasons) -> State:
    """The state of a vote of which this is true: the table, applied from the beginning."""
    state = State.NONE
    for event in reasons.events():
        state = after(state, event)
    return state


# --- Rings -----------------------------------------------------------------------------------------------------------


def _parameter(default: float, unit: str, meaning: str) -> Any:
    return field(default=default, metadata={"unit": unit, "meaning": meaning})


@dataclass(frozen=True, slots=True)
class Rings:
    """The numbers by which rings are noticed, each with its unit and its meaning."""

    window: int = _parameter(10, "minutes", "are the time within which votes for a paper are taken together")
    young: int = _parameter(7, "days", "are how long an account is new")
    new_accounts: int = _parameter(5, "new accounts", "or more that vote together are a sudden ring")
    habit: int = _parameter(30, "days", "are how far back it is looked who votes together with whom")
    habit_accounts: int = _parameter(4, "accounts", "or more that always vote together are a standing ring")
    habit_papers: int = _parameter(5, "papers", "or more must have had votes of all of them within that time")
    habit_share: float = _parameter(0.8, "of all that each of them voted for", "must those papers be")


RINGS = Rings()


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number of the rules as it is printed: value, unit and meaning are one sentence."""

    name: str
    value: float
    unit: str
    meaning: str


def ring_parameters() -> tuple[Parameter, ...]:
    """The numbers of `RINGS`, for the page that prints them."""
    return tuple(
        Parameter(one.name, getattr(RINGS, one.name), one.metadata["unit"], one.metadata["meaning"])
        for one in fields(Rings)
    )


class RingKind(StrEnum):
    """Why votes are taken for those of a ring."""

    SUDDEN = "sudden"
    STANDING = "standing"


RING_WORDS: Mapping[RingKind, str] = {
    RingKind.SUDDEN: "Several accounts that are only days old voted for one paper within minutes.",
    RingKind.STANDING: "The same accounts voted together, within minutes, for paper after paper, and for little else.",
}


@dataclass(frozen=True, slots=True)
class Ballot:
    """A vote as the rules of rings see it. Those that a moderator cleared are not passed to them."""

    person: int
    paper: int
    at: datetime
    joined_at: datetime


def sudden(newest: Ballot, ballots: Iterable[Ballot], rings: Rings = RINGS) -> frozenset[int]:
    """The people of a sudden ring that the newest vote completes or joins; empty when there is none.

    `ballots` are votes for the same paper. Only new accounts can be in it: old ones that vote at the same time are not.
    """
    people = {each.person for each in (newest, *ballots) if _is_new(each, rings) and _near(each, newest, rings)}
    return frozenset(people) if newest.person in people and len(people) >= rings.new_accounts else frozenset()


def standing(newest: Ballot, ballots: Collection[Ballot], rings: Rings = RINGS) -> frozenset[int]:
    """The people of a standing ring that the newest vote belongs to; empty when there is none.

    `ballots` are the votes, in the time of `rings.habit`, of all who voted for the same paper within the window.
    """
    times: dict[int, dict[int, datetime]] = defaultdict(dict)
    for each in (*ballots, newest):
        times[each.person][each.paper] = each.at
    hers = times[newest.person]
    together = {person: _together(hers, theirs, rings) for person, theirs in times.items()}
    people = {
        person
        for person, papers in together.items()
        if newest.paper in papers
        and len(papers) >= rings.habit_papers
        and len(papers) >= rings.habit_share * max(len(hers), len(times[person]))
    }
    return frozenset(people) if len(people) >= rings.habit_accounts else frozenset()


def _together(one: Mapping[int, datetime], other: Mapping[int, datetime], rings: Rings) -> set[int]:
    """The papers for which both voted within the window."""
    return {
        paper
        for paper, at in one.items()
        if paper in other and abs(other[paper] - at) <= timedelta(minutes=rings.window)
    }


def _is_new(ballot: Ballot, rings: Rings) -> bool:
    return ballot.at - ballot.joined_at < timedelta(days=rings.young)


def _near(ballot: Ballot, newest: Ballot, rings: Rings) -> bool:
    return abs(newest.at - ballot.at) <= timedelta(minutes=rings.window)
