"""Proposing papers: what is understood, what waits, what is fetched, and what is refused with a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from broadsheet.accounts.rules import Refused
from broadsheet.bibliography.identifiers import Identifier, Scheme
from broadsheet.bibliography.record import Record
from broadsheet.community.actions import submissions as proposing
from broadsheet.community.actions.submissions import Outcome, propose_paper
from broadsheet.community.queries import submissions
from broadsheet.community.queries.submissions import Proposed
from broadsheet.community.rules import submissions as rules
from broadsheet.community.rules.submissions import State
from broadsheet.fetching.answers import Answer, Client, Unreachable
from broadsheet.papers import queries as papers
from broadsheet.papers.actions import merge_papers, store_many
from broadsheet.sources import registry
from broadsheet.sources.base import Page
from broadsheet.sources.registry import Loaded
from broadsheet.testing import people
from broadsheet.testing.cast import HARBOUR, LANTERN

pytestmark = pytest.mark.django_db

NOON = datetime(2024, 1, 20, 12, tzinfo=UTC)
ORIGIN = "An invented look-up"


@dataclass
class LookUp:
    """A source that has some works; `broken` is what it raises instead of answering."""

    works: dict[Identifier, Record] = field(default_factory=dict)
    broken: Exception | None = None
    name: str = "testimony"
    title: str = ORIGIN
    schemes: frozenset[Scheme] = frozenset({Scheme.ARXIV, Scheme.DOI})
    asked: list[Identifier] = field(default_factory=list)

    def find(self, _client: Client, identifiers: Sequence[Identifier]) -> Iterator[Page]:
        self.asked += identifiers
        if self.broken:
            raise self.broken
        yield Page(items=tuple(self.works[each] for each in identifiers if each in self.works))


class Nobody:
    """A client that answers with nothing."""

    def get(self, url: str, **_asked: Any) -> Answer:
        return Answer(url, 200, {}, b"", NOON)

    def post(self, url: str, body: bytes, **_asked: Any) -> Answer:
        return Answer(url, 200, {}, body, NOON)

    def remember(self, answer: Answer) -> None:
        del answer


@pytest.fixture
def origin(monkeypatch: pytest.MonkeyPatch) -> LookUp:
    """The only source of this instance. It has the lantern."""
    source = LookUp({LANTERN.identifiers[0]: LANTERN})
    loaded = Loaded({source.name: source}, ())
    monkeypatch.setattr(registry, "_installed", lambda: loaded)
    return source


Fetch = Callable[..., int]


def fetch(at: datetime = NOON) -> int:
    return proposing.fetch_submissions(Nobody(), now=at)


def propose(text: str, note: str = "", at: datetime = NOON) -> Outcome:
    return propose_paper(by=people.ada(), text=text, note=note, now=at)


def only() -> Proposed:
    [found] = submissions.by_person(people.ada().id)
    return found


class TestProposing:
    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("2401.00002", id="bare"),
            pytest.param("https://arxiv.org/abs/2401.00002v3", id="an address with a version"),
            pytest.param("https://doi.org/10.1000/harbour.7", id="its DOI"),
            pytest.param("  https://huggingface.co/papers/2401.00002 ", id="another site's page of it"),
        ],
    )
    def test_a_paper_that_is_here_is_shown_and_nothing_is_stored(self, text: str) -> None:
        store_many([HARBOUR])
        assert propose(text) == Outcome(key="2401.00002")
        assert submissions.by_person(people.ada().id) == []

    @pytest.mark.parametrize("text", ["", "a paper", "https://example.org/paper", "x" * 3000, "2401", "\0"])
    def test_what_is_no_identifier_is_refused_beside_its_field(self, text: str) -> None:
        with pytest.raises(Refused, match="no identifier and no address") as refused:
            propose(text)
        assert refused.value.field == "paper"

    def test_what_waits_is_not_proposed_twice_by_anybody(self) -> None:
        first = propose("2401.00001", "Read the proof.")
        again = propose_paper(by=people.bela(), text="https://arxiv.org/pdf/2401.00001", now=NOON)
        assert (first.new, again) == (True, Outcome(submission_id=first.submission_id, new=False))
        assert (only().state, only().note, only().identifier.value) == (State.PENDING, "Read the proof.", "2401.00001")

    def test_a_note_is_bounded_and_without_characters_that_deceive(self) -> None:
        with pytest.raises(Refused, match="longer than 500 characters") as refused:
            propose("2401.00001", "x" * 501)
        assert refused.value.field == "note"
        propose("2401.00001", "good\u202e\u200b news")
        assert only().note == "good news"

    def test_a_person_may_propose_so_many_a_day(self, settings: Any) -> None:
        settings.BROADSHEET_SUBMISSIONS_PER_DAY = 2
        propose("2401.00011")
        propose("2401.00012")
        with pytest.raises(Refused, match="2 papers within 24 hours"):
            propose("2401.00013")
        assert propose("2401.00013", at=NOON + timedelta(days=1, minutes=1)).new
        settings.BROADSHEET_SUBMISSIONS_PER_DAY = 0
        with pytest.raises(Refused, match="Nobody may propose"):
            propose_paper(by=people.bela(), text="2401.00014", now=NOON)

    def test_who_is_barred_may_not(self) -> None:
        people.ada()
        get_user_model().objects.update(barred_until=NOON + timedelta(days=1))
        with pytest.raises(Refused, match="Nothing was proposed"):
            propose("2401.00001")

    def test_she_withdraws_what_waits_and_nobody_else_does(self) -> None:
        number = propose("2401.00001").submission_id or 0
        with pytest.raises(Refused, match="No proposal of yours"):
            proposing.withdraw_submission(by=people.bela(), submission_id=number)
        proposing.withdraw_submission(by=people.ada(), submission_id=number)
        assert only().state is State.WITHDRAWN
        with pytest.raises(Refused, match="No proposal of yours"):
            proposing.withdraw_submission(by=people.ada(), submission_id=number)
        assert fetch() == 0


class TestFetching:
    def test_it_is_fetched_and_shown_with_who_proposed_it(self, origin: LookUp) -> None:
        propose("2401.00001", "Read the proof.")
        assert fetch() == 1
        row = papers.find("2401.00001")
        assert row is not None
        assert (only().state, only().paper_id, only().next_at) == (State.ARRIVED, row.id, None)
        assert [each.by.name for each in submissions.of_paper(row.id)] == ["ada"]
        assert fetch() == 0

    def test_one_that_came_by_another_way_meanwhile_is_not_asked_for(self, origin: LookUp) -> None:
        propose("2401.00001")
        store_many([LANTERN])
        fetch()
        assert (only().state, origin.asked) == (State.ARRIVED, [])

    def test_it_follows_a_merge(self, origin: LookUp) -> None:
        propose("2401.00001")
        fetch()
        store_many([HARBOUR])
        merge_papers(winner_key="2401.00002", loser_key="2401.00001", reason="one work")
        winner = papers.find("2401.00001")
        assert winner is not None
        assert (only().paper_id, len(submissions.of_paper(winner.id))) == (winner.id, 1)

    @pytest.mark.parametrize(
        ("broken", "reason"),
        [
            pytest.param(None, f"{ORIGIN} does not have it. It is asked for again.", id="nobody has it"),
            pytest.param(Unreachable("No answer came."), "No answer came. It is asked for again.", id="no network"),
        ],
    )
    def test_it_waits_with_the_reason_and_is_asked_for_again_later(
        self, origin: LookUp, broken: Exception | None, reason: str
    ) -> None:
        origin.broken, origin.works = broken, {}
        propose("2401.00001")
        fetch()
        assert (only().state, only().reason, only().tries) == (State.PENDING, reason, 1)
        assert only().next_at == NOON + timedelta(minutes=1)
        assert fetch(NOON + timedelta(seconds=59)) == 0
        origin.broken, origin.works = None, {LANTERN.identifiers[0]: LANTERN}
        fetch(NOON + timedelta(hours=1))
        assert only().state is State.ARRIVED

    def test_after_the_last_attempt_it_is_refused_with_the_reason(self, origin: LookUp) -> None:
        origin.works = {}
        propose("2401.00001")
        at = NOON
        while (next_at := only().next_at) is not None:
            assert next_at - at <= timedelta(days=1)
            at = next_at
            fetch(at)
        assert only().state is State.REFUSED
        assert only().reason == f"It was asked for 10 times in vain. The last time: {ORIGIN} does not have it."
        assert timedelta(days=3) < at - NOON < timedelta(days=7)
        assert propose("2401.00001", at=at).new

    def test_a_source_that_rests_is_left_alone(self, origin: LookUp) -> None:
        origin.broken = Unreachable("No answer came.")
        propose("2401.00001")
        propose("2401.00003")
        fetch()
        assert len(origin.asked) == 1

    def test_without_somebody_who_asks_it_waits_and_says_so(self) -> None:
        propose("2401.00001")
        proposing.fetch_submissions(None, now=NOON)
        assert (only().state, only().reason, only().tries) == (State.PENDING, rules.NO_CLIENT, 0)

    def test_an_identifier_that_no_source_knows_says_so(self, origin: LookUp) -> None:
        origin.schemes = frozenset({Scheme.DOI})
        propose("2401.00001")
        fetch()
        assert only().reason == "No source that we ask knows such identifiers."


class TestTheWindow:
    def test_an_arxiv_identifier_of_an_old_month_is_refused_at_once(self, settings: Any) -> None:
        settings.BROADSHEET_SUBMISSION_WINDOW = 30
        with pytest.raises(Refused, match="at most 30 days old"):
            propose("2311.00001")
        assert propose("2312.00001").new

    def test_any_other_is_refused_when_its_day_is_known(self, origin: LookUp, settings: Any) -> None:
        settings.BROADSHEET_SUBMISSION_WINDOW = 10
        number = Identifier(Scheme.DOI, "10.1000/old.1")
        origin.works = {number: replace(HARBOUR, identifiers=(number,), announced=date(2024, 1, 2))}
        propose("10.1000/old.1")
        fetch()
        assert only().state is State.REFUSED
        assert "more than 10 days old" in only().reason
        assert submissions.of_paper(only().paper_id or 0) == []

    @pytest.mark.parametrize(
        ("text", "day"),
        [
            pytest.param("2401.00001", date(2024, 1, 31), id="new"),
            pytest.param("2312.00001", date(2023, 12, 31), id="December"),
            pytest.param("math/0611800", date(2006, 11, 30), id="old"),
            pytest.param("hep-th/9901001", date(1999, 1, 31), id="of the last century"),
        ],
    )
    def test_the_last_day_of_an_arxiv_identifier(self, text: str, day: date) -> None:
        assert rules.latest_day(Identifier(Scheme.ARXIV, text)) == day

    def test_a_doi_tells_no_day(self) -> None:
        assert rules.latest_day(Identifier(Scheme.DOI, "10.1000/182")) is None
