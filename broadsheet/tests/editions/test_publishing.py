"""From the journal of papers to printed editions: what is stored, what may still move, and what never does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.record import Record
from broadsheet.editions import actions, queries
from broadsheet.editions.actions import Published
from broadsheet.editions.rules import ANNOUNCEMENT_ZONE, Kind
from broadsheet.papers import queries as papers
from broadsheet.papers.actions import merge_papers, store_many, unmerge_papers
from broadsheet.testing.cast import ADA, HARBOUR, LANTERN, MEADOW, arxiv, said

pytestmark = pytest.mark.django_db

NOON = datetime(2024, 1, 2, 17, tzinfo=UTC)


def publish(now: datetime = NOON, limit: int = 5000) -> Published:
    """All steps until nothing is left, added up."""
    total = Published(0, 0, 0)
    while (step := actions.publish_pending(now=now, limit=limit)).more:
        total = Published(total.read + step.read, total.editions + step.editions, total.late + step.late)
    return total


def printed(kind: Kind, label: str) -> list[str]:
    edition = queries.edition_of(kind, label)
    assert edition is not None
    rows = queries.entries(edition)
    keys = papers.by_ids([row.paper_id for row in rows])
    return [keys[row.paper_id].key for row in rows]


def works(count: int, day: date, start: int = 0) -> list[Record]:
    return [
        said(f"Work {n} on a subject of its own", key=str(n), identifiers=(arxiv(f"2401.1{n:04}"),), announced=day)
        for n in range(start, start + count)
    ]


def test_papers_are_printed_in_the_editions_of_their_day_week_and_month() -> None:
    store_many([LANTERN, HARBOUR, MEADOW])
    assert publish() == Published(read=3, editions=4, late=0)
    assert printed(Kind.DAY, "2024-01-02") == ["2401.00001", "2401.00002"]
    assert printed(Kind.WEEK, "2024-W01") == ["2401.00001", "2401.00002"]
    assert printed(Kind.MONTH, "2024-01") == ["2401.00001", "2401.00002"]
    assert printed(Kind.MONTH, "2006-11") == ["math/0611800"]


def test_publishing_again_changes_nothing() -> None:
    store_many([LANTERN, HARBOUR])
    publish()
    assert publish(NOON + timedelta(hours=1)) == Published(0, 0, 0)
    assert queries.behind() == 0


def test_an_open_edition_is_ranked_as_a_whole_whatever_the_order_of_arrival() -> None:
    store_many([HARBOUR])
    publish()
    store_many([LANTERN])
    publish(NOON + timedelta(hours=2))
    assert printed(Kind.DAY, "2024-01-02") == ["2401.00001", "2401.00002"]


def test_a_closed_edition_keeps_its_ranks_and_takes_late_papers_at_the_end() -> None:
    store_many([HARBOUR])
    publish()
    store_many([LANTERN])
    assert publish(NOON + timedelta(days=40)).late == 3
    edition = queries.edition_of(Kind.DAY, "2024-01-02")
    assert edition is not None
    assert [(entry.rank, entry.late) for entry in queries.entries(edition)] == [(1, False), (2, True)]
    assert printed(Kind.DAY, "2024-01-02") == ["2401.00002", "2401.00001"]
    assert (edition.size, edition.late) == (2, 1)


def test_a_paper_whose_announcement_becomes_known_moves_while_the_edition_is_open() -> None:
    store_many([replace(LANTERN, announced=None)])
    publish()
    assert printed(Kind.DAY, "2023-12-29") == ["2401.00001"]
    store_many([LANTERN])
    publish(NOON + timedelta(hours=1))
    assert queries.edition_of(Kind.DAY, "2023-12-29") is None
    assert printed(Kind.DAY, "2024-01-02") == ["2401.00001"]


def test_a_merged_paper_is_printed_once_and_twice_again_when_the_merge_is_taken_back() -> None:
    store_many([LANTERN, HARBOUR])
    publish()
    merge_papers(winner_key="2401.00001", loser_key="2401.00002", reason="an example")
    assert printed(Kind.DAY, "2024-01-02") == ["2401.00001"], "even before the editions have read the journal"
    publish(NOON + timedelta(hours=1))
    assert printed(Kind.DAY, "2024-01-02") == ["2401.00001"]
    unmerge_papers(key="2401.00002", reason="they were two")
    publish(NOON + timedelta(hours=2))
    assert printed(Kind.DAY, "2024-01-02") == ["2401.00001", "2401.00002"]


BARE = {"authors": (ADA,), "key": "m", "identifiers": (arxiv("2401.00009"),)}


@pytest.mark.parametrize(
    ("also", "line"),
    [
        pytest.param([HARBOUR], "2 papers. All dated by announcement.", id="announced"),
        pytest.param(
            [said("Bare", **BARE)], "2 papers. 1 dated by announcement; 1 known to the month only.", id="month"
        ),
        pytest.param(
            [said("Bare", key="d", submitted=PartialDate(2024, 1))],
            "2 papers. 1 dated by announcement; 1 dated by submission, the announcement not being known.",
            id="submitted",
        ),
        pytest.param([], "1 paper. Dated by announcement.", id="one"),
    ],
)
def test_an_edition_says_by_which_dates_its_papers_are_there(also: list[Record], line: str) -> None:
    store_many([LANTERN, *also])
    publish()
    january = queries.edition_of(Kind.MONTH, "2024-01")
    assert january is not None
    assert queries.audit(january).line == f"{line} Not checked against the sources' own counts."


def test_an_edition_that_was_enlisted_and_never_printed_is_not_late() -> None:
    store_many([LANTERN, HARBOUR])
    assert actions.publish_pending(now=NOON).read == 2
    assert publish(NOON + timedelta(days=2)).late == 0
    edition = queries.edition_of(Kind.DAY, "2024-01-02")
    assert edition is not None
    assert edition.published_at == NOON + timedelta(days=2)


def test_a_source_that_speaks_twice_is_one_source() -> None:
    store_many([LANTERN, said(LANTERN.title, key="again", abstract=LANTERN.abstract)])
    publish()
    edition = queries.edition_of(Kind.DAY, "2024-01-02")
    assert edition is not None
    assert queries.entries(edition)[0].reasons == ["code is available"]


def test_the_collection_that_comes_with_the_program_is_the_first_edition() -> None:
    store_many([said("A paper of the collection", by="catalogue"), LANTERN])
    publish()
    first = queries.edition_of(Kind.FIRST, "first")
    assert first is not None
    assert first.size == 1
    assert "not a day's news" in queries.audit(first).line


def test_the_front_page_prefers_announced_news_to_the_collection_and_that_to_other_days() -> None:
    store_many([replace(MEADOW, announced=None, submitted=LANTERN.submitted)])
    publish()
    front = queries.front()
    assert front is not None
    assert front.kind is Kind.DAY
    store_many([said("A paper of the collection", by="catalogue")])
    publish()
    front = queries.front()
    assert front is not None
    assert front.kind is Kind.FIRST
    store_many([LANTERN])
    publish()
    front = queries.front()
    assert front is not None
    assert front.kind is Kind.FIRST, "one old paper is not a day of news"
    store_many(works(12, date(2024, 1, 3)))
    publish()
    front = queries.front()
    assert front is not None
    assert front.label == "2024-01-03"


def test_a_day_that_has_not_come_is_not_the_front_page() -> None:
    store_many([said("A paper of the collection", by="catalogue"), *works(20, date(2099, 1, 1))])
    publish()
    front = queries.front()
    assert front is not None
    assert front.kind is Kind.FIRST


def test_a_merge_adds_nothing_to_a_closed_edition_and_the_audit_tells_it() -> None:
    store_many([LANTERN, HARBOUR])
    publish()
    merge_papers(winner_key="2401.00001", loser_key="2401.00002", reason="an example")
    assert publish(NOON + timedelta(days=40)).late == 0
    edition = queries.edition_of(Kind.DAY, "2024-01-02")
    assert edition is not None
    assert edition.size == 2
    assert ("Merged into another paper since", "1") in queries.audit(edition).facts


def test_a_recent_day_is_news_however_few_papers_it_has() -> None:
    today = datetime.now(ANNOUNCEMENT_ZONE).date()
    store_many([said("A paper of the collection", by="catalogue"), *works(1, today - timedelta(days=3))])
    publish()
    front = queries.front()
    assert front is not None
    assert front.kind is Kind.DAY


def test_neighbours_are_the_published_editions_before_and_after() -> None:
    store_many([*works(1, date(2024, 1, 2)), *works(1, date(2024, 1, 5), 1), *works(1, date(2024, 2, 9), 2)])
    publish()
    middle = queries.edition_of(Kind.DAY, "2024-01-05")
    assert middle is not None
    before, after = queries.neighbours(middle)
    assert (before and before.label, after and after.label) == ("2024-01-02", "2024-02-09")
    assert queries.neighbours(before)[0] is None if before else False


def test_a_long_journal_is_read_in_parts() -> None:
    store_many(works(7, date(2024, 1, 2)))
    steps = [actions.publish_pending(now=NOON, limit=3) for _ in range(5)]
    assert [(step.read, step.editions) for step in steps] == [(3, 0), (3, 0), (1, 0), (0, 3), (0, 0)]
    assert len(printed(Kind.DAY, "2024-01-02")) == 7


def test_the_number_of_queries_does_not_grow_with_the_papers() -> None:
    store_many([MEADOW])
    publish()
    counts = []
    for size, start, day in ((5, 0, date(2024, 3, 4)), (40, 100, date(2024, 4, 8))):
        store_many(works(size, day, start))
        with CaptureQueriesContext(connection) as captured:
            publish()
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_authors_do_not_matter_for_an_edition() -> None:
    store_many([said("A work without a date", authors=(ADA,))])
    assert publish().editions == 0
    assert queries.front() is None
