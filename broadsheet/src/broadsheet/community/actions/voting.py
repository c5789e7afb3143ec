"""Casting and withdrawing votes, and counting them anew whenever something about them changes.

A tally is never added to: it is counted again from the votes, under the lock of its row, so that of many people who
vote at the same moment each sees the votes of those before her.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from broadsheet.accounts import queries as accounts
from broadsheet.accounts.rules import Ground, Person, Refused, Role
from broadsheet.community.actions.commenting import refuse_barred
from broadsheet.community.models.votes import JournalCursor, Ring, Tally, Vote
from broadsheet.community.queries import votes as queries
from broadsheet.community.queries.authorship import authors_of
from broadsheet.community.queries.votes import Counted
from broadsheet.community.rules import voting
from broadsheet.community.rules.voting import Ballot, Reasons, RingKind, State
from broadsheet.papers import queries as papers
from broadsheet.storage import among

NO_PAPER = "There is no such paper here, so no vote was changed."
NO_RING = "There is no such ring, or it was lifted already. Nothing was changed."


def cast_vote(*, by: Person, paper_id: int, now: datetime | None = None) -> Counted:
    """Vote for a paper; nothing happens when she has. Returns what the paper's votes are now, as she sees them.

    Raises Refused for a paper that is not here, and for who is barred.
    """
    at = now or timezone.now()
    refuse_barred(by, at, kept="Your votes were not changed.")
    with transaction.atomic():
        family = _locked(paper_id, at)
        rows = list(Vote.objects.filter(among("paper", family), user=by.id))
        if not rows:
            _insert(by, family, at)
        elif all(row.state == State.NONE for row in rows):
            _set(rows, family, at, cast=True)
        return _counted(family, by, at)


def withdraw_vote(*, by: Person, paper_id: int, now: datetime | None = None) -> Counted:
    """Take back her vote for a paper, and those for papers merged into it; nothing happens where there is none.

    Raises Refused for a paper that is not here. Who is barred may withdraw.
    """
    at = now or timezone.now()
    with transaction.atomic():
        family = _locked(paper_id, at)
        Vote.objects.filter(among("paper", family), user=by.id).update(state=State.NONE)
        return _counted(family, by, at)


def judge_papers(paper_ids: Iterable[int], *, now: datetime | None = None) -> None:
    """Judge all votes for these works again, and count them: after an author was confirmed, or papers were merged."""
    at = now or timezone.now()
    for root in sorted(set(papers.canonical(paper_ids).values())):
        with transaction.atomic():
            family = _locked(root, at)
            _set(list(Vote.objects.filter(among("paper", family)).exclude(state=State.NONE)), family, at)
            _count(family, at)


def judge_person(person_id: int, *, now: datetime | None = None) -> None:
    """Judge all votes of a person again: after she was barred, or may write again."""
    voted = Vote.objects.filter(user=person_id).exclude(state=State.NONE)
    judge_papers(set(voted.values_list("paper_id", flat=True)), now=now)


def forget_votes(*, person_id: int, now: datetime | None = None) -> None:
    """Delete the votes of a person and count without them: before her account is deleted."""
    at = now or timezone.now()
    with transaction.atomic():
        voted = set(Vote.objects.filter(user=person_id).values_list("paper_id", flat=True))
        Vote.objects.filter(user=person_id).delete()
        for root in sorted(set(papers.canonical(voted).values())):
            _count(_locked(root, at), at)


def take_over_votes(*, from_id: int, to_id: int, now: datetime | None = None) -> None:
    """Give the votes of one account to another that it goes into; where both voted for a paper, one vote is left."""
    at = now or timezone.now()
    with transaction.atomic():
        theirs = Vote.objects.filter(user=from_id)
        voted = set(theirs.values_list("paper_id", flat=True))
        hers = {row.paper_id: row for row in Vote.objects.filter(among("paper", voted), user=to_id)}
        for row in theirs:
            known = hers.get(row.paper_id)
            if known is None:
                Vote.objects.filter(id=row.id).update(user=to_id)
            elif known.state == State.NONE != row.state:
                Vote.objects.filter(id=known.id).update(state=row.state, ring=row.ring_id)
        theirs.delete()
        judge_papers(voted, now=at)


def lift_ring(*, by: Person, ring_id: int, reason: str, now: datetime | None = None) -> int:
    """Let the votes of a ring count after all. Returns the id of the paper they were for.

    Raises Refused for who is no moderator, and for a ring that is not there or was lifted.
    """
    at = now or timezone.now()
    _refuse_unless_moderator(by)
    lifted = Ring.objects.filter(id=ring_id, lifted_at__isnull=True)
    if not lifted.update(lifted_at=at, lifted_by=by.id, lifted_because=reason):
        raise Refused(NO_RING, ground=Ground.NOT_THERE)
    return _judged_again(ring_id, at)


def restore_ring(*, by: Person, ring_id: int, now: datetime | None = None) -> int:
    """Hold the votes of a lifted ring back again. Returns the id of the paper. Raises Refused as `lift_ring` does."""
    at = now or timezone.now()
    _refuse_unless_moderator(by)
    lifted = Ring.objects.filter(id=ring_id, lifted_at__isnull=False)
    if not lifted.update(lifted_at=None, lifted_by=None, lifted_because=""):
        raise Refused(NO_RING, ground=Ground.NOT_THERE)
    return _judged_again(ring_id, at)


def follow_papers(*, limit: int = 5000, now: datetime | None = None) -> bool:
    """Count anew what the next entries of the journal of papers merged or took apart; whether there may be more.

    Doing it twice changes nothing. Votes whose owners may write again are judged on the way.
    """
    at = now or timezone.now()
    _free(at)
    cursor, _ = JournalCursor.objects.get_or_create(id=1, defaults={"seq": _beginning()})
    changes = papers.changes(after=cursor.seq, limit=limit)
    if not changes:
        return False
    joined = [change for change in changes if change.kind in ("merged", "unmerged")]
    judge_papers({side for change in joined for side in (change.paper_id, change.other) if side}, now=at)
    JournalCursor.objects.filter(id=cursor.id, seq__lt=changes[-1].seq).update(seq=changes[-1].seq)
    return len(changes) == limit


def _beginning() -> int:
    """Where the journal is read from at first: nothing was merged that had votes when there are none yet."""
    return 0 if Vote.objects.exists() else papers.last_change()


def _free(at: datetime) -> None:
    """Judge the votes again of people whose bar has ended."""
    barred = Vote.objects.filter(state=State.BARRED, user__barred_until__lte=at)
    for person_id in set(barred.values_list("user_id", flat=True)):
        judge_person(person_id, now=at)


def _refuse_unless_moderator(by: Person) -> None:
    if not by.is_a(Role.MODERATOR):
        raise Refused("This is for moderators. Nothing was changed.", ground=Ground.NOT_ALLOWED)


def _locked(paper_id: int, at: datetime) -> list[int]:
    """The shown paper that this one is, and those merged into it, with their tallies locked until the transaction ends.

    Papers may be merged while we wait for the lock; then we wait for that of the other, too. Raises Refused for a paper
    that is not here.
    """
    locked: set[int] = set()
    while True:
        row = papers.by_ids([paper_id]).get(paper_id)
        if row is None:
            raise Refused(NO_PAPER, ground=Ground.NOT_THERE)
        family = papers.families([row.id])[row.id]
        if locked.issuperset(family):
            return family
        Tally.objects.bulk_create([Tally(paper_id=row.id, changed_at=at)], ignore_conflicts=True)
        list(Tally.objects.select_for_update().filter(among("paper", family)).order_by("paper"))
        locked.update(family)


def _insert(by: Person, family: Collection[int], at: datetime) -> None:
    """Her first vote for the work, judged with those that came together with it."""
    root = next(iter(family))
    newest = Ballot(by.id, root, at, by.joined_at)
    Vote.objects.create(user_id=by.id, paper_id=root, state=State.COUNTED, cast_at=at)
    _find_ring(newest, family)
    _set(list(Vote.objects.filter(paper=root, user=by.id)), family, at)


def _find_ring(newest: Ballot, family: Collection[int]) -> None:
    """Hold back the votes of a ring that the newest vote completes."""
    ballots = queries.near(family, newest.at)
    kind, people = RingKind.SUDDEN, voting.sudden(newest, ballots)
    if not people and len(ballots) >= voting.RINGS.habit_accounts:
        known = queries.habits({each.person for each in ballots}, newest.at)
        kind, people = RingKind.STANDING, voting.standing(newest, known)
    if not people:
        return
    votes = Vote.objects.filter(among("paper", family), among("user", people)).exclude(state=State.NONE)
    known_ring = votes.filter(ring__lifted_at__isnull=True).exclude(ring=None).values_list("ring", flat=True).first()
    ring_id = known_ring or Ring.objects.create(paper_id=newest.paper, kind=kind, found_at=newest.at).id
    caught = list(votes.filter(ring=None))
    Vote.objects.filter(among("id", [row.id for row in caught])).update(ring=ring_id)
    _set(list(Vote.objects.filter(among("id", [row.id for row in caught]))), family, newest.at)


def _set(rows: Collection[Vote], family: Collection[int], at: datetime, *, cast: bool = False) -> None:
    """Judge votes for one work, and store what changed. `cast`: those that were withdrawn are cast again."""
    if not rows:
        return
    root = next(iter(family))
    authors = authors_of([root]).get(root, set())
    people = accounts.people({row.user_id for row in rows})
    rings = {row.ring_id for row in rows if row.ring_id}
    found = set(Ring.objects.filter(among("id", rings), lifted_at__isnull=True).values_list("id", flat=True))
    for row in rows:
        person = people.get(row.user_id)
        state = voting.judged(
            Reasons(
                cast=cast or row.state != State.NONE,
                author=row.user_id in authors,
                barred=person is None or not person.may_write(at),
                ring=row.ring_id in found,
            )
        )
        if state != row.state:
            Vote.objects.filter(id=row.id).update(state=state)


def _count(family: Collection[int], at: datetime) -> tuple[int, int]:
    """Count the votes of a work anew, and put away the tallies of papers that were merged into it."""
    root, *others = family
    votes, held = queries.counted_again(family)
    Tally.objects.filter(paper=root).exclude(votes=votes, held=held).update(votes=votes, held=held, changed_at=at)
    Tally.objects.filter(among("paper", others)).exclude(votes=0, held=0).update(votes=0, held=0, changed_at=at)
    return votes, held


def _counted(family: Collection[int], by: Person, at: datetime) -> Counted:
    votes, held = _count(family, at)
    mine = Vote.objects.filter(among("paper", family), user=by.id).values_list("state", flat=True)
    return Counted(votes, held, queries.best({State(state) for state in mine}))


def _judged_again(ring_id: int, at: datetime) -> int:
    paper_id = Ring.objects.values_list("paper_id", flat=True).get(id=ring_id)
    judge_papers([paper_id], now=at)
    return papers.canonical([paper_id])[paper_id]
