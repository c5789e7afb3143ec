"""Picks: curators put papers on the front page of a day, with a note, and take them off again."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from broadsheet.accounts.rules import Person, Refused
from broadsheet.bibliography.record import Record
from broadsheet.community import queries as community
from broadsheet.community.actions import picks as picking
from broadsheet.community.queries import picks
from broadsheet.papers import queries as papers
from broadsheet.papers.actions import merge_papers, store_many, unmerge_papers
from broadsheet.testing import people
from broadsheet.testing.cast import HARBOUR, LANTERN, said

pytestmark = pytest.mark.django_db

DAY = date(2026, 11, 20)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _papers() -> None:
    store_many([LANTERN, HARBOUR])


def number(key: str) -> int:
    row = papers.find(key)
    assert row is not None
    return row.id


def pick(key: str = "2401.00001", by: Person | None = None, note: str = "", day: date = DAY) -> int:
    return picking.pick_paper(by=by or people.curator(), paper_id=number(key), day=day, note=note, now=NOON)


def test_a_pick_stands_with_name_and_note_on_its_day() -> None:
    pick(note="The first\nwith a \u202eproof.")
    [found] = picks.of_day(DAY)
    assert (found.by.name, found.note, found.paper_id) == ("dorde", "The first with a proof.", number("2401.00001"))
    assert picks.of_day(date(2026, 11, 21)) == []
    assert community.standings([number("2401.00001")])[number("2401.00001")].picked


def test_picking_it_again_changes_nothing() -> None:
    assert pick() == pick(by=people.moderator(), note="Me too.")


def test_readers_pick_nothing() -> None:
    with pytest.raises(Refused, match="for curators"):
        pick(by=people.ada())
    number = pick()
    with pytest.raises(Refused, match="for curators"):
        picking.undo_pick(by=people.ada(), pick_id=number)


def test_a_pick_is_taken_back_once_and_may_be_made_again() -> None:
    first = pick()
    picking.undo_pick(by=people.moderator(), pick_id=first)
    assert picks.of_day(DAY) == []
    assert community.standings([number("2401.00001")]) == {}
    with pytest.raises(Refused, match="no such pick"):
        picking.undo_pick(by=people.curator(), pick_id=first)
    assert pick() != first


def test_a_front_page_has_room_for_so_many() -> None:
    works: list[Record] = [said(f"Work {n} of its own", key=str(n)) for n in range(6)]
    store_many(works)
    rows = papers.stored_after(0, limit=100)[-6:]
    for row in rows[:5]:
        picking.pick_paper(by=people.curator(), paper_id=row.id, day=DAY)
    with pytest.raises(Refused, match="5 papers are picked"):
        picking.pick_paper(by=people.curator(), paper_id=rows[5].id, day=DAY)


@pytest.mark.parametrize(("note", "sentence"), [pytest.param("x" * 281, "longer than 280", id="a long note")])
def test_what_is_refused(note: str, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        pick(note=note)


def test_a_paper_that_is_not_here_cannot_be_picked() -> None:
    with pytest.raises(Refused, match="no such paper"):
        picking.pick_paper(by=people.curator(), paper_id=10**9, day=DAY)


def test_two_picked_papers_that_become_one_are_one_pick_until_they_are_two_again() -> None:
    pick("2401.00001", note="first")
    pick("2401.00002", note="second")
    key = merge_papers(winner_key="2401.00001", loser_key="2401.00002", reason="one work")
    assert [each.note for each in picks.of_day(DAY)] == ["first"]
    unmerge_papers(key=key, reason="two works")
    assert [each.note for each in picks.of_day(DAY)] == ["first", "second"]


def test_a_work_stands_where_its_first_pick_stood() -> None:
    store_many([said("Meadows", key="meadows")])
    [meadows] = [row.id for row in papers.stored_after(0, limit=100) if row.title == "Meadows"]
    pick("2401.00001", note="first")
    picking.pick_paper(by=people.curator(), paper_id=meadows, day=DAY, note="second", now=NOON)
    pick("2401.00002", note="third")
    merge_papers(winner_key="2401.00001", loser_key="2401.00002", reason="one work")
    assert [each.note for each in picks.of_day(DAY)] == ["first", "second"]


def test_what_changed_says_that_it_was_picked() -> None:
    pick()
    later = datetime(2026, 11, 20, 13, tzinfo=UTC)
    assert community.changed_between(NOON, later) == {number("2401.00001")}
    assert [each.day for each in picks.by_person(people.curator().id)] == [DAY]
