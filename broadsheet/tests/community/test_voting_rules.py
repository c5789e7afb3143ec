"""The table of votes, and the rules by which rings are noticed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.community.rules import voting
from broadsheet.community.rules.voting import RINGS, Ballot, Event, Reasons, State, after, judged

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
LONG_AGO = NOON - timedelta(days=400)
YESTERDAY = NOON - timedelta(days=1)


class TestTheTable:
    @pytest.mark.parametrize(
        ("events", "expected"),
        [
            pytest.param((), State.NONE, id="nothing happened"),
            pytest.param((Event.CAST,), State.COUNTED, id="a vote counts at once"),
            pytest.param((Event.CAST, Event.CAST), State.COUNTED, id="a second time is no second vote"),
            pytest.param((Event.CAST, Event.WITHDRAWN), State.NONE, id="withdrawn"),
            pytest.param((Event.CAST, Event.WITHDRAWN, Event.CAST), State.COUNTED, id="cast again"),
            pytest.param((Event.WITHDRAWN,), State.NONE, id="nothing to withdraw"),
            pytest.param((Event.CAST, Event.AUTHOR_CONFIRMED), State.OWN, id="an author's own paper"),
            pytest.param((Event.CAST, Event.AUTHOR_CONFIRMED, Event.AUTHOR_UNDONE), State.COUNTED, id="no author"),
            pytest.param((Event.CAST, Event.RING_FOUND), State.RING, id="in a ring"),
            pytest.param((Event.CAST, Event.RING_FOUND, Event.RING_LIFTED), State.COUNTED, id="the ring was none"),
            pytest.param((Event.CAST, Event.BARRED), State.BARRED, id="barred"),
            pytest.param((Event.CAST, Event.BARRED, Event.UNBARRED), State.COUNTED, id="may write again"),
            pytest.param((Event.CAST, Event.RING_FOUND, Event.AUTHOR_CONFIRMED), State.OWN, id="author before ring"),
            pytest.param((Event.CAST, Event.BARRED, Event.RING_FOUND), State.BARRED, id="barred before ring"),
            pytest.param((Event.CAST, Event.BARRED, Event.WITHDRAWN), State.NONE, id="who is barred may withdraw"),
            pytest.param((Event.CAST, Event.DELETED), State.NONE, id="gone with the account"),
        ],
    )
    def test_what_follows(self, events: tuple[Event, ...], expected: State) -> None:
        state = State.NONE
        for event in events:
            state = after(state, event)
        assert state is expected

    def test_every_line_changes_something_and_has_a_sentence(self) -> None:
        for (state, event), move in voting.TRANSITIONS.items():
            assert (move.state, move.event) == (state, event)
            assert move.next is not state
            assert move.sentence.endswith(".")

    def test_a_deleted_account_has_no_vote_in_any_state(self) -> None:
        assert {after(state, Event.DELETED) for state in State} == {State.NONE}

    @given(st.builds(Reasons, cast=st.booleans(), author=st.booleans(), barred=st.booleans(), ring=st.booleans()))
    def test_a_vote_counts_only_when_it_was_cast_and_nothing_holds_it_back(self, reasons: Reasons) -> None:
        assert (judged(reasons) is State.COUNTED) == (
            reasons.cast and not (reasons.author or reasons.barred or reasons.ring)
        )
        assert (judged(reasons) is State.NONE) == (not reasons.cast)

    def test_the_order_in_which_reasons_came_does_not_matter(self) -> None:
        for order in permutations((Event.RING_FOUND, Event.BARRED, Event.AUTHOR_CONFIRMED)):
            state = State.COUNTED
            for event in order:
                state = after(state, event)
            assert state is judged(Reasons(cast=True, author=True, barred=True, ring=True))

    def test_every_state_has_words_for_its_owner(self) -> None:
        assert set(voting.WORDS) == set(State)


def ballots(count: int, *, joined: datetime, apart: timedelta = timedelta(minutes=1), paper: int = 1) -> list[Ballot]:
    """Votes of people 1, 2, 3, … for one paper, the last at noon."""
    return [Ballot(n + 1, paper, NOON - (count - 1 - n) * apart, joined) for n in range(count)]


class TestSuddenRings:
    @pytest.mark.parametrize(
        ("votes", "expected"),
        [
            pytest.param(ballots(5, joined=YESTERDAY), {1, 2, 3, 4, 5}, id="five new accounts within minutes"),
            pytest.param(ballots(4, joined=YESTERDAY), set(), id="four are too few"),
            pytest.param(ballots(50, joined=LONG_AGO, apart=timedelta(seconds=1)), set(), id="a reading group"),
            pytest.param(ballots(5, joined=YESTERDAY, apart=timedelta(hours=1)), set(), id="over hours"),
            pytest.param(
                [Ballot(9, 1, NOON, LONG_AGO), *ballots(5, joined=YESTERDAY)],
                {1, 2, 3, 4, 5},
                id="an old account beside them is not in it",
            ),
        ],
    )
    def test_who_is_in_it(self, votes: list[Ballot], expected: set[int]) -> None:
        assert voting.sudden(votes[-1], votes[:-1]) == expected

    def test_an_old_account_completes_none(self) -> None:
        assert voting.sudden(Ballot(9, 1, NOON, LONG_AGO), ballots(5, joined=YESTERDAY)) == frozenset()

    @given(st.permutations(ballots(6, joined=YESTERDAY)))
    def test_the_order_of_the_others_does_not_matter(self, votes: list[Ballot]) -> None:
        newest = max(votes, key=lambda each: each.at)
        assert voting.sudden(newest, votes) == {1, 2, 3, 4, 5, 6}


def habit(people: int, papers: int, *, apart: timedelta = timedelta(minutes=1)) -> list[Ballot]:
    """So many people who voted for so many papers together, one paper a day, the last today."""
    return [
        Ballot(person, paper, NOON - timedelta(days=papers - paper) + person * apart, LONG_AGO)
        for paper in range(1, papers + 1)
        for person in range(1, people + 1)
    ]


class TestStandingRings:
    @pytest.mark.parametrize(
        ("votes", "expected"),
        [
            pytest.param(habit(4, 5), {1, 2, 3, 4}, id="four people, five papers, always together"),
            pytest.param(habit(3, 9), set(), id="three are too few"),
            pytest.param(habit(4, 4), set(), id="four papers are too few"),
            pytest.param(habit(4, 9, apart=timedelta(hours=1)), set(), id="the same papers at other times"),
            pytest.param(
                [*[Ballot(p, 100 + n, NOON - timedelta(days=n), LONG_AGO) for p in range(1, 5) for n in range(9)],
                 *habit(4, 5)],
                {1, 2, 3, 4},
                id="papers at the same minute of the same day",
            ),
            pytest.param(
                [*[Ballot(p, 100 * p + n, NOON - timedelta(days=n), LONG_AGO) for p in range(1, 5) for n in range(9)],
                 *habit(4, 5)],
                set(),
                id="people who mostly vote for other papers, as a reading group does",
            ),
        ],
    )  # fmt: skip
    def test_who_is_in_it(self, votes: list[Ballot], expected: set[int]) -> None:
        assert voting.standing(votes[-1], votes[:-1]) == expected


def test_the_numbers_of_the_rules_are_printed_with_their_units() -> None:
    printed = [(each.name, each.value, each.unit) for each in voting.ring_parameters()]
    assert len(printed) == 7
    assert printed[0] == ("window", RINGS.window, "minutes")
