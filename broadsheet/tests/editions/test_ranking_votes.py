"""From people's votes and picks to the order of open editions, and to what is rising."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext

from broadsheet.accounts import queries as accounts
from broadsheet.bibliography.record import Record
from broadsheet.community.actions import voting
from broadsheet.community.models.picks import Pick
from broadsheet.editions import actions, queries
from broadsheet.editions.models import Edition, EditionEntry, UsualVotes
from broadsheet.editions.rules import Kind
from broadsheet.papers import queries as papers
from broadsheet.papers.actions import merge_papers, store_many
from broadsheet.testing.cast import arxiv, said

pytestmark = pytest.mark.django_db

DAY = date(2024, 1, 2)
NOON = datetime(2024, 1, 2, 17, tzinfo=UTC)
SOON = timedelta(minutes=6)
CLOSED = timedelta(days=40)


def works(count: int) -> list[Record]:
    return [
        said(f"Work {n} on a subject of its own", key=str(n), identifiers=(arxiv(f"2401.1{n:04}"),), announced=DAY)
        for n in range(count)
    ]


def number(key: str) -> int:
    row = papers.find(key)
    assert row is not None
    return row.id


def vote(key: str, people: int = 1, at: datetime = NOON) -> None:
    """So many people, who have been here for long, vote an hour apart, the last of them at that time."""
    for n in range(people):
        joined = {"shown": f"Reader {n}", "joined_at": NOON - timedelta(days=400)}
        user, _ = get_user_model().objects.get_or_create(name=f"reader{n}", defaults=joined)
        voting.cast_vote(by=accounts.as_person(user), paper_id=number(key), now=at - timedelta(hours=people - 1 - n))


def publish(now: datetime) -> int:
    """All that is to be done at this time; how many editions were printed."""
    editions = 0
    while (step := actions.publish_pending(now=now)).more:
        editions += step.editions
    return editions


def follow(now: datetime) -> int:
    """A look at the votes and all that follows; how many editions were printed."""
    actions.follow_votes(now=now)
    return publish(now)


def order(label: str = "2024-01-02", kind: Kind = Kind.DAY) -> list[str]:
    edition = queries.edition_of(kind, label)
    assert edition is not None
    rows = queries.entries(edition)
    keys = papers.by_ids([row.paper_id for row in rows])
    return [keys[row.paper_id].key[-1] for row in rows]


@pytest.fixture(autouse=True)
def _three_papers() -> None:
    store_many(works(3))
    publish(NOON)
    assert order() == ["2", "1", "0"]


def test_votes_move_a_paper_up_while_its_edition_is_open() -> None:
    vote("2401.10000")
    assert order() == ["2", "1", "0"], "not for each vote"
    assert follow(NOON + SOON) == 3
    assert order() == ["0", "2", "1"]
    assert order("2024-01", Kind.MONTH) == ["0", "2", "1"]


def test_days_are_ranked_again_after_minutes_and_longer_editions_after_an_hour() -> None:
    vote("2401.10000")
    assert follow(NOON + timedelta(minutes=1)) == 3
    vote("2401.10001", 2, NOON + timedelta(minutes=2))
    assert follow(NOON + timedelta(minutes=3)) == 0, "too early for all"
    assert follow(NOON + timedelta(minutes=7)) == 1
    assert order() == ["1", "0", "2"]
    assert order("2024-W01", Kind.WEEK) == ["0", "2", "1"]
    assert follow(NOON + timedelta(minutes=62)) == 2
    assert order("2024-W01", Kind.WEEK) == ["1", "0", "2"]


def test_a_look_that_finds_nothing_writes_nothing() -> None:
    vote("2401.10000")
    follow(NOON + SOON)
    follow(NOON + timedelta(hours=2))
    with CaptureQueriesContext(connection) as captured:
        assert actions.follow_votes(now=NOON + timedelta(hours=4)) == 0
    assert all(query["sql"].startswith("SELECT") for query in captured.captured_queries)


def test_a_vote_that_is_withdrawn_counts_no_more() -> None:
    vote("2401.10000")
    follow(NOON + SOON)
    voter = accounts.as_person(get_user_model().objects.get(name="reader0"))
    voting.withdraw_vote(by=voter, paper_id=number("2401.10000"), now=NOON + 2 * SOON)
    follow(NOON + 3 * SOON)
    assert order() == ["2", "1", "0"]


def test_a_closed_edition_keeps_its_order_whatever_the_votes() -> None:
    before = list(EditionEntry.objects.order_by("id").values())
    vote("2401.10000", 5, NOON + CLOSED)
    assert follow(NOON + CLOSED + SOON) == 0
    assert list(EditionEntry.objects.order_by("id").values()) == before
    assert not Edition.objects.filter(pending=True).exists()


def test_a_pick_goes_to_the_head_and_the_complete_list_stays_below() -> None:
    vote("2401.10000", 5)
    curator = get_user_model().objects.create(name="curator", joined_at=NOON)
    Pick.objects.create(
        paper_id=number("2401.10001"), user=curator, day=DAY, note="Read it.", picked_at=NOON, changed_at=NOON
    )
    follow(NOON + SOON)
    assert order() == ["1", "0", "2"]


def test_each_entry_explains_its_place_with_sentences_and_points_that_add_up() -> None:
    vote("2401.10000", 3)
    follow(NOON + SOON)
    edition = queries.edition_of(Kind.DAY, "2024-01-02")
    assert edition is not None
    first = queries.entries(edition)[0]
    assert first.reasons == ["3 readers voted for it (usual in its field: 3.0)"]
    assert [(part.name, part.points, part.number) for part in first.parts] == [("votes", 2.0, 3)]
    assert first.score == 2.0


def test_what_is_usual_stays_for_the_day() -> None:
    vote("2401.10000", 9)
    follow(NOON + SOON)
    assert UsualVotes.objects.get().fields == {}, "votes of today are not counted yet"
    vote("2401.10001", 1, NOON + timedelta(days=1))
    follow(NOON + timedelta(days=1, hours=2))
    row = UsualVotes.objects.get()
    assert row.day == DAY + timedelta(days=1)
    elsewhere = (9 + 10 * 3) / 11
    assert row.elsewhere == pytest.approx(elsewhere)
    assert list(row.fields.values()) == [pytest.approx((9 + 10 * elsewhere) / 11)]


def test_what_rises_is_counted_by_the_worker_and_fades_when_it_is_asked_for() -> None:
    vote("2401.10000", 2)
    vote("2401.10001", 3)
    follow(NOON + SOON)
    now, later = (queries.trending(now=NOON + SOON + timedelta(days=days)) for days in (0, 2))
    assert [trend.paper_id for trend in now] == [number("2401.10001"), number("2401.10000")]
    assert [trend.paper_id for trend in later] == [trend.paper_id for trend in now]
    assert later[0].weight == pytest.approx(now[0].weight / 2)
    assert now[0].why == "3 votes lately, worth 3.0 now; usual in its field: 3.0"
    assert len(queries.trending(now=NOON, limit=1)) == 1
    assert queries.trending(now=NOON + timedelta(days=15)) == []


def test_papers_that_became_one_rise_once() -> None:
    vote("2401.10000", 2)
    vote("2401.10001", 3)
    follow(NOON + SOON)
    merge_papers(winner_key="2401.10000", loser_key="2401.10001", reason="the same")
    assert [(trend.paper_id, trend.votes) for trend in queries.trending(now=NOON)] == [(number("2401.10000"), 3)]


def test_the_number_of_queries_does_not_grow_with_the_votes() -> None:
    counts = []
    vote("2401.10000")
    follow(NOON + SOON)
    for hours, people in ((1, 2), (4, 8)):
        for key in ("2401.10000", "2401.10001", "2401.10002")[: 1 if people == 2 else 3]:
            vote(key, people, NOON + timedelta(hours=hours))
        with CaptureQueriesContext(connection) as captured:
            follow(NOON + timedelta(hours=hours + 1))
        counts.append(len(captured))
    assert counts[1] == counts[0]
