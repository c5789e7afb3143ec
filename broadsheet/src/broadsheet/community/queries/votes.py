"""Every question about votes. Papers are the shown ones: what was merged counts for the paper that it went into."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count

from broadsheet.accounts import queries as accounts
from broadsheet.accounts.rules import Person
from broadsheet.community.models.picks import Pick
from broadsheet.community.models.votes import JournalCursor, Ring, Tally, Vote
from broadsheet.community.rules.voting import HELD, RINGS, WORDS, RingKind, State
from broadsheet.community.rules.voting import Ballot as Cast
from broadsheet.papers import queries as papers
from broadsheet.storage import among
from broadsheet.storage.prepared import Prepared


@dataclass(frozen=True, slots=True)
class Counted:
    """What a page shows of the votes for a paper: those that count, those held back, and what the viewer's own is."""

    votes: int = 0
    held: int = 0
    mine: State = State.NONE

    @property
    def voted(self) -> bool:
        """Whether the viewer has voted, counted or not."""
        return self.mine is not State.NONE

    @property
    def words(self) -> str:
        """What the viewer is told of her vote."""
        return WORDS[self.mine]


@dataclass(frozen=True, slots=True)
class Ballot:
    """A vote that counts, as ranking reads it: for which paper, and when it was cast."""

    paper_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Voted:
    """A person's vote for a shown paper."""

    paper_id: int
    state: State
    at: datetime

    @property
    def words(self) -> str:
        """What she is told of it."""
        return WORDS[self.state]


@dataclass(frozen=True, slots=True)
class FoundRing:
    """A ring that was noticed, for the people who moderate: its votes, and who lifted it and why, where somebody did.

    The names are those of the accounts in it; moderators need them, others do not see them.
    """

    id: int
    paper_id: int
    kind: RingKind
    found_at: datetime
    people: tuple[Person, ...]
    lifted_at: datetime | None
    lifted_because: str


def tallies(paper_ids: Collection[int], viewer: Person | None) -> dict[int, Counted]:
    """What the votes for each of these shown papers are, in three or four queries; in one for a visitor."""
    rows = {row.paper_id: row for row in _TALLIES(paper_ids)}
    mine = _mine(paper_ids, viewer)
    nothing = Tally()
    return {
        paper_id: Counted(
            rows.get(paper_id, nothing).votes, rows.get(paper_id, nothing).held, mine.get(paper_id, State.NONE)
        )
        for paper_id in paper_ids
    }


_TALLIES = Prepared(lambda ids: Tally.objects.filter(among("paper", ids)))


def _mine(paper_ids: Collection[int], viewer: Person | None) -> dict[int, State]:
    if viewer is None or not paper_ids:
        return {}
    root_of = {member: root for root, members in papers.families(paper_ids).items() for member in members}
    votes = Vote.objects.filter(among("paper", root_of), user=viewer.id).exclude(state=State.NONE)
    states: dict[int, set[State]] = defaultdict(set)
    for paper_id, state in votes.values_list("paper_id", "state"):
        states[root_of[paper_id]].add(State(state))
    return {root: best(known) for root, known in states.items()}


def best(states: Collection[State]) -> State:
    """What several votes of one person for one work are together: counted if one of them counts."""
    order = (State.COUNTED, State.OWN, State.BARRED, State.RING)
    return next((state for state in order if state in states), State.NONE)


def counts(paper_ids: Collection[int]) -> dict[int, int]:
    """How many votes count for each shown paper; those without any are absent."""
    rows = Tally.objects.filter(among("paper", paper_ids), votes__gt=0)
    return dict(rows.values_list("paper_id", "votes"))


def most_voted(*, limit: int) -> list[int]:
    """The shown papers with votes that count, those with most first, of equals the latest change of votes."""
    rows = Tally.objects.filter(votes__gt=0).order_by("-votes", "-changed_at", "paper")
    return list(rows.values_list("paper_id", flat=True)[:limit])


def ballots_since(at: datetime, until: datetime | None = None) -> list[Ballot]:
    """The votes that count and were cast from `at` on, and before `until` where it is given; the oldest first.

    Who voted for two papers that are one now voted once, when she did first.
    """
    votes = Vote.objects.filter(cast_at__gte=at, state=State.COUNTED)
    if until is not None:
        votes = votes.filter(cast_at__lt=until)
    rows = list(votes.order_by("cast_at", "id").values_list("paper_id", "user_id", "cast_at"))
    roots = papers.canonical({paper_id for paper_id, _, _ in rows})
    first: dict[tuple[int, int], datetime] = {}
    for paper_id, user_id, cast_at in rows:
        first.setdefault((roots[paper_id], user_id), cast_at)
    return [Ballot(paper_id, cast_at) for (paper_id, _), cast_at in first.items()]


def votes_between(since: datetime, until: datetime) -> dict[int, int]:
    """How many votes that count were cast in this time for each shown paper that has any. Counted by the database."""
    votes = Vote.objects.filter(cast_at__gte=since, cast_at__lt=until, state=State.COUNTED)
    found = dict(votes.values("paper").annotate(votes=Count("user")).values_list("paper_id", "votes"))
    roots = papers.canonical(found)
    members: dict[int, list[int]] = defaultdict(list)
    for paper_id, root in roots.items():
        members[root].append(paper_id)
    several = {member: root for root, known in members.items() if len(known) > 1 for member in known}
    people: dict[int, set[int]] = defaultdict(set)
    for paper_id, user_id in votes.filter(among("paper", several)).values_list("paper_id", "user_id"):
        people[several[paper_id]].add(user_id)
    return {root: len(people[root]) if root in people else found[known[0]] for root, known in members.items()}


def changed_between(since: datetime, until: datetime) -> set[int]:
    """The papers whose tally or picks changed in this time.

    A change is dated a moment before it can be seen: who asks again and again lets the spans overlap by a minute.
    """
    rows = Tally.objects.filter(changed_at__gte=since, changed_at__lt=until).values_list("paper_id", flat=True)
    picked = Pick.objects.filter(changed_at__gte=since, changed_at__lt=until).values_list("paper_id", flat=True)
    return set(rows) | set(papers.canonical(picked).values())


def voted_by(person_id: int, *, after: int | None = None, limit: int = 60) -> list[Voted]:
    """The papers that a person voted for, those whose vote is held back included, the newest vote first."""
    votes = Vote.objects.filter(user=person_id).exclude(state=State.NONE).order_by("-cast_at", "-id")
    start = after or 0
    rows = list(votes.values_list("paper_id", "state", "cast_at")[start : start + limit])
    roots = papers.canonical({paper_id for paper_id, _, _ in rows})
    return [Voted(roots[paper_id], State(state), cast_at) for paper_id, state, cast_at in rows]


def votes_of(person_ids: Iterable[int], *, since: datetime | None = None) -> dict[int, set[int]]:
    """For each shown paper the people among these whose vote counts for it; only votes cast from `since` on."""
    votes = Vote.objects.filter(among("user", person_ids), state=State.COUNTED)
    if since is not None:
        votes = votes.filter(cast_at__gte=since)
    rows = list(votes.values_list("paper_id", "user_id"))
    roots = papers.canonical({paper_id for paper_id, _ in rows})
    result: dict[int, set[int]] = defaultdict(set)
    for paper_id, user_id in rows:
        result[roots[paper_id]].add(user_id)
    return dict(result)


def counted_again(paper_ids: Collection[int]) -> tuple[int, int]:
    """The people whose vote counts, and those whose vote is held back, for papers that are one work."""
    votes = Vote.objects.filter(among("paper", paper_ids))
    counted = votes.filter(state=State.COUNTED).values("user").distinct().count()
    voted = votes.filter(state__in=(State.COUNTED, *HELD)).values("user").distinct().count()
    return counted, voted - counted


def near(paper_ids: Collection[int], at: datetime) -> list[Cast]:
    """The votes for a work within the window of rings before a moment, without those that a moderator cleared."""
    window = timedelta(minutes=RINGS.window)
    votes = Vote.objects.filter(among("paper", paper_ids), cast_at__range=(at - window, at + window))
    rows = votes.exclude(state=State.NONE).exclude(ring__lifted_at__isnull=False)
    return [Cast(*row) for row in rows.values_list(*_BALLOT)[:_MOST]]


def habits(person_ids: Collection[int], at: datetime) -> list[Cast]:
    """What these people voted for in the time before a moment in which habits are looked at."""
    votes = Vote.objects.filter(
        among("user", person_ids), cast_at__gte=at - timedelta(days=RINGS.habit), cast_at__lte=at
    )
    rows = votes.exclude(state=State.NONE).order_by("-cast_at")
    return [Cast(*row) for row in rows.values_list(*_BALLOT)[:_MOST]]


_BALLOT = ("user_id", "paper_id", "cast_at", "user__joined_at")
# The votes that are looked at for rings, at most, so that nobody pays for a crowd.
_MOST = 2_000


def rings(*, lifted: bool = False, limit: int = 60) -> list[FoundRing]:
    """The rings that were noticed, the newest first; those that were lifted only when they are asked for."""
    rows = list(Ring.objects.filter(lifted_at__isnull=not lifted).order_by("-found_at", "-id")[:limit])
    members: dict[int, list[int]] = defaultdict(list)
    voted = Vote.objects.filter(among("ring", [row.id for row in rows])).order_by("cast_at")
    for ring_id, user_id in voted.values_list("ring_id", "user_id"):
        members[ring_id or 0].append(user_id)
    people = accounts.people({user_id for known in members.values() for user_id in known})
    roots = papers.canonical({row.paper_id for row in rows})
    return [
        FoundRing(
            id=row.id,
            paper_id=roots[row.paper_id],
            kind=RingKind(row.kind),
            found_at=row.found_at,
            people=tuple(people[user_id] for user_id in members[row.id] if user_id in people),
            lifted_at=row.lifted_at,
            lifted_because=row.lifted_because,
        )
        for row in rows
    ]


def behind() -> int:
    """How many entries of the journal of papers the tallies have not followed yet."""
    row = JournalCursor.objects.first()
    return papers.unread(row.seq) if row else 0
