"""What may still change in an edition that is closed, and that it says what changed and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.record import Record
from broadsheet.editions import actions, queries
from broadsheet.editions.queries import Edition
from broadsheet.editions.rules import Basis, Kind
from broadsheet.papers import queries as papers
from broadsheet.papers.actions import merge_papers, store_many, unmerge_papers
from broadsheet.testing.cast import HARBOUR, LANTERN, MEADOW, arxiv, said

pytestmark = pytest.mark.django_db

NOON = datetime(2024, 1, 2, 17, tzinfo=UTC)
LATER = NOON + timedelta(days=40)


def publish(now: datetime) -> None:
    while actions.publish_pending(now=now).more:
        pass


def the_day(label: str = "2024-01-02") -> Edition:
    edition = queries.edition_of(Kind.DAY, label)
    assert edition is not None
    return edition


def places(label: str = "2024-01-02") -> list[tuple[int, str]]:
    """Ranks and keys."""
    rows = queries.entries(the_day(label))
    keys = papers.by_ids([row.paper_id for row in rows])
    return [(row.rank, keys[row.paper_id].key) for row in rows]


def changes(label: str = "2024-01-02") -> list[tuple[datetime, str]]:
    return [(change.at, change.text) for change in queries.audit(the_day(label)).changes]


def works(count: int, day: date = date(2024, 1, 2), start: int = 0) -> list[Record]:
    return [
        said(f"Work {n} on a subject of its own", key=str(n), identifiers=(arxiv(f"2401.1{n:04}"),), announced=day)
        for n in range(start, start + count)
    ]


def test_an_open_edition_changes_without_a_word() -> None:
    store_many(works(3))
    publish(NOON)
    store_many(works(2, start=3))
    publish(NOON + timedelta(hours=1))
    assert changes() == []


def test_late_papers_are_told_with_their_number_and_the_time() -> None:
    store_many(works(3))
    publish(NOON)
    store_many(works(2, start=3))
    publish(LATER)
    assert changes() == [(LATER, "2 papers added")]


def test_what_happened_on_one_day_is_told_together_with_the_last_time() -> None:
    store_many(works(3))
    publish(NOON)
    for hour in range(3):
        store_many(works(2, start=3 + 2 * hour))
        publish(LATER + timedelta(hours=hour))
    store_many(works(1, start=20))
    publish(LATER + timedelta(days=3))
    assert changes() == [(LATER + timedelta(days=3), "1 paper added"), (LATER + timedelta(hours=2), "6 papers added")]


def test_a_paper_that_belongs_to_another_day_leaves_its_place_empty_and_moves_nobody() -> None:
    store_many(works(3))
    publish(NOON)
    moved = replace(works(3)[1], announced=date(2024, 1, 3))
    store_many([moved])
    publish(LATER)
    assert places() == [(1, "2401.10002"), (3, "2401.10000")]
    assert changes() == [(LATER, "1 paper taken out, because it belongs to another edition")]
    assert places("2024-01-03") == [(1, "2401.10001")]
    assert the_day().size == 2
    month = queries.edition_of(Kind.MONTH, "2024-01")
    assert month is not None
    assert month.size == 3, "it is of the same month"
    assert queries.audit(month).changes == ()


def test_after_a_paper_left_the_next_late_one_gets_a_rank_of_its_own() -> None:
    store_many(works(3))
    publish(NOON)
    store_many([replace(works(3)[2], announced=date(2024, 1, 3))])
    publish(LATER)
    store_many(works(1, start=7))
    publish(LATER + timedelta(days=1))
    assert places() == [(2, "2401.10001"), (3, "2401.10000"), (4, "2401.10007")]
    assert (the_day().size, the_day().late) == (3, 1)


def test_a_late_paper_that_leaves_again_is_late_no_more() -> None:
    store_many(works(2))
    publish(NOON)
    store_many(works(1, start=7))
    publish(LATER)
    store_many([replace(works(1, start=7)[0], announced=date(2024, 1, 3))])
    publish(LATER + timedelta(hours=1))
    assert (the_day().size, the_day().late) == (2, 0)


def test_an_edition_with_gaps_in_its_ranks_still_has_pages_of_equal_length() -> None:
    store_many(works(130))
    publish(NOON)
    store_many([replace(each, announced=date(2024, 1, 3)) for each in works(20, start=110)])
    publish(LATER)
    edition = the_day()
    pages = [queries.entries(edition, offset=offset, limit=60) for offset in (0, 60, 120)]
    assert [len(page) for page in pages] == [60, 50, 0]
    assert pages[1][-1].rank == 130


def test_all_papers_gone_there_is_no_edition() -> None:
    store_many([replace(LANTERN, announced=None)])
    publish(NOON)
    assert the_day("2023-12-29").basis[Basis.SUBMITTED] == 1
    store_many([LANTERN])
    publish(LATER)
    assert queries.edition_of(Kind.DAY, "2023-12-29") is None
    assert places() == [(1, "2401.00001")]


def test_a_date_that_is_known_better_changes_what_a_closed_edition_counts_it_under() -> None:
    undated = replace(LANTERN, announced=None, submitted=PartialDate(2024, 1, 2))
    store_many([undated, HARBOUR])
    publish(NOON)
    assert (the_day().basis[Basis.SUBMITTED], the_day().basis[Basis.ANNOUNCED]) == (1, 1)
    store_many([LANTERN])
    publish(LATER)
    assert (the_day().basis[Basis.SUBMITTED], the_day().basis[Basis.ANNOUNCED]) == (0, 2)
    assert [entry.basis for entry in queries.entries(the_day())] == [Basis.ANNOUNCED, Basis.ANNOUNCED]
    assert changes() == [], "nobody came and nobody left"


def test_a_merge_is_told_and_so_is_taking_it_back() -> None:
    store_many([LANTERN, HARBOUR])
    publish(NOON)
    merge_papers(winner_key="2401.00001", loser_key="2401.00002", reason="an example")
    publish(LATER)
    told = "1 paper found to be the same work as another one of this edition"
    assert changes() == [(LATER, told)]
    assert len(places()) == 1
    unmerge_papers(key="2401.00002", reason="they were two")
    publish(LATER + timedelta(days=1))
    assert changes()[0] == (LATER + timedelta(days=1), "1 merge of two papers taken back")
    assert len(places()) == 2


def test_a_merge_with_a_paper_of_an_earlier_day_takes_the_later_place_away() -> None:
    later = replace(HARBOUR, announced=date(2024, 1, 3))
    store_many([LANTERN, later])
    publish(NOON)
    merge_papers(winner_key="2401.00001", loser_key="2401.00002", reason="an example")
    kept = papers.find("2401.00001")
    assert kept is not None
    assert kept.announced == date(2024, 1, 2)
    publish(LATER)
    assert queries.edition_of(Kind.DAY, "2024-01-03") is None
    assert places() == [(1, "2401.00001")]


def test_a_replacement_is_no_news() -> None:
    store_many([LANTERN])
    publish(NOON)
    store_many([replace(LANTERN, updated=PartialDate(2024, 2, 20), abstract="We choose them anew.")])
    publish(LATER)
    assert places() == [(1, "2401.00001")]
    assert changes() == []
    assert queries.edition_of(Kind.DAY, "2024-02-20") is None


def test_reading_the_journal_twice_writes_nothing_down_twice() -> None:
    store_many(works(3))
    publish(NOON)
    store_many(works(2, start=3))
    publish(LATER)
    publish(LATER + timedelta(days=1))
    store_many([replace(MEADOW, venue="Test Conference"), replace(works(1)[0], venue="Test Conference")])
    publish(LATER + timedelta(days=2))
    assert changes() == [(LATER, "2 papers added")]


def test_the_number_of_queries_does_not_grow_with_the_papers_that_leave() -> None:
    store_many([*works(5, start=100), *works(40, date(2024, 1, 9), start=200)])
    publish(NOON)
    store_many(works(1, date(2024, 2, 6), start=300))
    publish(LATER)  # what is usual is counted once a day
    counts = []
    for moved in (works(5, date(2024, 3, 5), start=100), works(40, date(2024, 4, 9), start=200)):
        store_many(moved)
        with CaptureQueriesContext(connection) as captured:
            publish(LATER)
        counts.append(len(captured))
    assert counts[0] == counts[1]
