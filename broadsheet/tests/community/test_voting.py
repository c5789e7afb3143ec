"""Votes as they are stored: one for each person and work, counted anew, through merges and back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext

from broadsheet.accounts import queries as accounts
from broadsheet.accounts.rules import Person, Refused
from broadsheet.community import queries as community
from broadsheet.community import tasks
from broadsheet.community.actions import voting
from broadsheet.community.models.authorship import AuthorClaim
from broadsheet.community.models.votes import JournalCursor, Tally
from broadsheet.community.queries import votes
from broadsheet.community.queries.votes import Counted
from broadsheet.community.rules.voting import RINGS, RingKind, State
from broadsheet.papers import queries as papers
from broadsheet.papers.actions import merge_papers, store_many, unmerge_papers
from broadsheet.testing import people
from broadsheet.testing.cast import HARBOUR, LANTERN, MEADOW

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)

Vote = Callable[..., Counted]


@pytest.fixture(autouse=True)
def _papers() -> None:
    store_many([LANTERN, HARBOUR, MEADOW])


def number(key: str) -> int:
    row = papers.find(key)
    assert row is not None
    return row.id


def lantern() -> int:
    return number("2401.00001")


def harbour() -> int:
    return number("2401.00002")


def cast(person: Person, paper_id: int, at: datetime = NOON) -> Counted:
    return voting.cast_vote(by=person, paper_id=paper_id, now=at)


def reader(name: str, joined: datetime = NOON - timedelta(days=400)) -> Person:
    """Somebody who never signs in, so that no password need be made for her."""
    user, _ = get_user_model().objects.get_or_create(name=name, defaults={"shown": name, "joined_at": joined})
    return accounts.as_person(user)


def barred(person: Person, until: datetime | None) -> Person:
    get_user_model().objects.filter(id=person.id).update(barred_until=until)
    return people.reader(person.name)


def shown(paper_id: int, viewer: Person | None = None) -> Counted:
    return votes.tallies([paper_id], viewer)[paper_id]


class TestOnePersonOneVote:
    def test_a_vote_counts_and_is_hers(self) -> None:
        ada = people.ada()
        assert cast(ada, lantern()) == Counted(1, 0, State.COUNTED)
        assert shown(lantern(), ada) == Counted(1, 0, State.COUNTED)
        assert shown(lantern(), people.bela()) == Counted(1, 0, State.NONE)
        assert shown(lantern()) == Counted(1, 0, State.NONE)
        assert shown(harbour(), ada) == Counted()

    def test_voting_twice_is_one_vote(self) -> None:
        cast(people.ada(), lantern())
        assert cast(people.ada(), lantern()).votes == 1

    def test_withdrawing_takes_it_back_and_does_nothing_the_second_time(self) -> None:
        cast(people.ada(), lantern())
        cast(people.bela(), lantern())
        for _ in range(2):
            assert voting.withdraw_vote(by=people.ada(), paper_id=lantern()) == Counted(1, 0, State.NONE)

    def test_voting_again_makes_a_vote_no_newer(self) -> None:
        cast(people.ada(), lantern())
        voting.withdraw_vote(by=people.ada(), paper_id=lantern(), now=NOON)
        cast(people.ada(), lantern(), NOON + timedelta(days=3))
        assert [each.at for each in votes.voted_by(people.ada().id)] == [NOON]

    def test_a_paper_that_is_not_here_is_refused(self) -> None:
        with pytest.raises(Refused, match="no such paper"):
            cast(people.ada(), 10**9)
        assert not Tally.objects.exists()

    def test_who_is_barred_may_not_vote_but_withdraw(self) -> None:
        cast(people.ada(), lantern())
        ada = barred(people.ada(), NOON + timedelta(days=2))
        with pytest.raises(Refused, match=r"until 22 November 2026.*Your votes were not changed"):
            cast(ada, harbour())
        assert voting.withdraw_vote(by=ada, paper_id=lantern()) == Counted()


class TestMerges:
    def test_who_voted_for_both_counts_once_and_taking_apart_gives_both_back(self) -> None:
        winner, loser = lantern(), harbour()
        for person, paper in ((people.ada(), winner), (people.ada(), loser), (people.bela(), loser)):
            cast(person, paper)
        tasks.follow_papers()
        key = merge_papers(winner_key="2401.00001", loser_key="2401.00002", reason="one work")
        tasks.follow_papers()
        assert shown(winner, people.ada()) == Counted(2, 0, State.COUNTED)
        unmerge_papers(key=key, reason="two works")
        tasks.follow_papers()
        assert (shown(winner).votes, shown(loser).votes) == (1, 2)

    def test_following_the_journal_twice_changes_nothing(self) -> None:
        cast(people.ada(), harbour())
        merge_papers(winner_key="2401.00001", loser_key="2401.00002", reason="one work")
        tasks.follow_papers()
        before = list(Tally.objects.order_by("paper").values())
        JournalCursor.objects.update(seq=0)
        tasks.follow_papers()
        assert list(Tally.objects.order_by("paper").values()) == before

    def test_withdrawing_from_the_merged_paper_withdraws_both_and_casting_again_gives_both_back(self) -> None:
        winner, loser = lantern(), harbour()
        cast(people.ada(), winner)
        cast(people.ada(), loser)
        key = merge_papers(winner_key="2401.00001", loser_key="2401.00002", reason="one work")
        assert voting.withdraw_vote(by=people.ada(), paper_id=winner) == Counted()
        assert cast(people.ada(), loser) == Counted(1, 0, State.COUNTED)
        unmerge_papers(key=key, reason="two works")
        tasks.follow_papers()
        assert (shown(winner).votes, shown(loser).votes) == (1, 1)

    def test_a_vote_for_a_merged_paper_is_one_for_the_shown_one(self) -> None:
        winner, loser = lantern(), harbour()
        merge_papers(winner_key="2401.00001", loser_key="2401.00002", reason="one work")
        assert cast(people.ada(), loser).votes == 1
        assert shown(winner).votes == 1

    def test_an_instance_without_votes_does_not_read_its_whole_journal(self) -> None:
        assert tasks.follow_papers() is False
        assert votes.behind() == 0

    def test_the_journal_is_read_in_steps(self) -> None:
        cast(people.ada(), lantern())
        JournalCursor.objects.create(seq=0, id=1)
        assert votes.behind() == 3
        assert tasks.follow_papers(limit=2) is True
        assert tasks.follow_papers(limit=2) is False
        assert votes.behind() == 0


def confirmed(person: Person, paper_id: int) -> AuthorClaim:
    return AuthorClaim.objects.create(
        user_id=person.id, paper_id=paper_id, author=person.shown, slug=person.name, way="curator", state="confirmed",
        made_at=NOON,
    )  # fmt: skip


class TestHeldBack:
    def test_an_authors_vote_for_her_own_paper_is_held_back_and_she_is_told(self) -> None:
        confirmed(people.ada(), lantern())
        assert cast(people.ada(), lantern()) == Counted(0, 1, State.OWN)
        assert shown(lantern()) == Counted(0, 1)

    def test_it_is_held_back_for_the_work_under_all_its_papers(self) -> None:
        confirmed(people.ada(), harbour())
        cast(people.ada(), lantern())
        merge_papers(winner_key="2401.00001", loser_key="2401.00002", reason="one work")
        tasks.follow_papers()
        voting.judge_papers([lantern()])
        assert shown(lantern()) == Counted(0, 1)

    def test_it_counts_again_when_she_is_no_author_after_all(self) -> None:
        claim = confirmed(people.ada(), lantern())
        cast(people.ada(), lantern())
        claim.delete()
        voting.judge_papers([lantern()])
        assert shown(lantern()) == Counted(1, 0)

    def test_votes_of_who_is_barred_wait_until_she_may_write_again(self) -> None:
        cast(people.ada(), lantern())
        barred(people.ada(), NOON + timedelta(days=2))
        voting.judge_person(people.ada().id, now=NOON)
        assert shown(lantern(), people.ada()) == Counted(0, 1, State.BARRED)
        voting.follow_papers(now=NOON + timedelta(days=1))
        assert shown(lantern()) == Counted(0, 1)
        voting.follow_papers(now=NOON + timedelta(days=3))
        assert shown(lantern()) == Counted(1, 0)

    def test_deleting_an_account_takes_its_votes_along(self) -> None:
        cast(people.ada(), lantern())
        cast(people.bela(), lantern())
        voting.forget_votes(person_id=people.ada().id)
        assert shown(lantern()) == Counted(1, 0)

    def test_two_accounts_that_become_one_have_one_vote(self) -> None:
        cast(people.ada(), lantern())
        cast(people.bela(), lantern())
        cast(people.bela(), harbour())
        voting.take_over_votes(from_id=people.bela().id, to_id=people.ada().id)
        assert (shown(lantern()).votes, shown(harbour(), people.ada())) == (1, Counted(1, 0, State.COUNTED))


def crowd(count: int, paper_id: int, *, joined: datetime = NOON - timedelta(days=1), start: int = 0) -> list[Person]:
    """So many readers who vote for a paper, one a minute."""
    found = [reader(f"reader{start + n}", joined) for n in range(count)]
    for n, person in enumerate(found):
        cast(person, paper_id, NOON + timedelta(minutes=n))
    return found


class TestRings:
    def test_a_sudden_ring_is_held_back_from_its_first_vote_on(self) -> None:
        crowd(RINGS.new_accounts - 1, lantern())
        assert shown(lantern()) == Counted(4, 0)
        crowd(1, lantern(), start=20)
        assert shown(lantern()) == Counted(0, 5)
        ring, *others = votes.rings()
        assert (ring.kind, ring.paper_id, len(ring.people), others) == (RingKind.SUDDEN, lantern(), 5, [])

    def test_the_votes_of_others_are_not_touched(self) -> None:
        cast(people.reader("old", "Old"), lantern(), NOON - timedelta(days=3))
        crowd(7, lantern())
        assert (shown(lantern()).votes, shown(lantern()).held) == (1, 7)
        assert len(votes.rings()) == 1

    def test_a_moderator_lifts_it_once_and_may_take_that_back(self) -> None:
        crowd(5, lantern())
        ring = votes.rings()[0]
        assert voting.lift_ring(by=people.moderator(), ring_id=ring.id, reason="a class of students") == lantern()
        assert shown(lantern()) == Counted(5, 0)
        assert (votes.rings(), votes.rings(lifted=True)[0].lifted_because) == ([], "a class of students")
        with pytest.raises(Refused, match="lifted already"):
            voting.lift_ring(by=people.moderator(), ring_id=ring.id, reason="")
        voting.restore_ring(by=people.moderator(), ring_id=ring.id)
        assert shown(lantern()) == Counted(0, 5)

    def test_a_reader_lifts_none(self) -> None:
        crowd(5, lantern())
        ring = votes.rings()[0].id
        with pytest.raises(Refused, match="for moderators"):
            voting.lift_ring(by=people.ada(), ring_id=ring, reason="")
        with pytest.raises(Refused, match="for moderators"):
            voting.restore_ring(by=people.ada(), ring_id=ring)

    def test_who_was_cleared_is_not_caught_again_by_the_next_vote(self) -> None:
        crowd(5, lantern())
        voting.lift_ring(by=people.moderator(), ring_id=votes.rings()[0].id, reason="students")
        crowd(1, lantern(), start=30)
        assert shown(lantern()) == Counted(6, 0)

    def test_accounts_that_always_vote_together_are_noticed_however_old_they_are(self) -> None:
        records = [
            LANTERN.__class__(source="testimony", source_key=f"w{n}", title=f"Work {n} of its own") for n in range(5)
        ]
        store_many(records)
        works = [row.id for row in papers.stored_after(0, limit=100)][-5:]
        accounts = [reader(f"friend{n}") for n in range(4)]
        for day, work in enumerate(works):
            for person in accounts:
                cast(person, work, NOON + timedelta(days=day))
        assert [shown(work).votes for work in works] == [4, 4, 4, 4, 0]
        assert votes.rings()[0].kind is RingKind.STANDING


class TestQuestions:
    def test_ranking_reads_votes_that_count(self) -> None:
        crowd(5, lantern())
        cast(reader("old"), lantern())
        cast(reader("old"), harbour())
        assert community.standings([lantern(), harbour(), number("math/0611800")]) == {
            lantern(): community.Standing(votes=1),
            harbour(): community.Standing(votes=1),
        }
        assert {ballot.paper_id for ballot in community.ballots_since(NOON)} == {lantern(), harbour()}
        assert community.votes_between(NOON, NOON + timedelta(days=1)) == {lantern(): 1, harbour(): 1}
        assert community.ballots_since(NOON + timedelta(days=1)) == []
        assert community.ballots_since(NOON, NOON) == []

    def test_ranking_sees_a_merged_paper_once_for_each_person(self) -> None:
        cast(people.ada(), lantern())
        cast(people.ada(), harbour(), NOON + timedelta(hours=1))
        merge_papers(winner_key="2401.00001", loser_key="2401.00002", reason="one work")
        assert community.ballots_since(NOON) == [community.Ballot(lantern(), NOON)]
        assert community.votes_between(NOON, NOON + timedelta(days=1)) == {lantern(): 1}

    def test_what_changed_in_a_time(self) -> None:
        cast(people.ada(), lantern())
        voting.withdraw_vote(by=people.ada(), paper_id=lantern(), now=NOON + timedelta(hours=2))
        hour = timedelta(hours=1)
        assert community.changed_between(NOON, NOON + hour) == set()
        assert community.changed_between(NOON + hour, NOON + 3 * hour) == {lantern()}

    def test_who_of_these_people_votes_for_what(self) -> None:
        ada, bela = people.ada(), people.bela()
        cast(ada, lantern())
        cast(bela, lantern())
        cast(bela, harbour(), NOON - timedelta(days=9))
        assert votes.votes_of([ada.id, bela.id]) == {lantern(): {ada.id, bela.id}, harbour(): {bela.id}}
        assert votes.votes_of([bela.id], since=NOON) == {lantern(): {bela.id}}

    def test_tallies_take_as_many_queries_for_two_papers_as_for_three(self) -> None:
        cast(people.ada(), lantern())

        def asked(*ids: int) -> int:
            with CaptureQueriesContext(
                connection,
            ) as seen:
                votes.tallies(ids, people_ada)
            return len(seen)

        people_ada = people.ada()
        assert asked(lantern(), harbour()) == asked(lantern(), harbour(), number("math/0611800")) <= 3
