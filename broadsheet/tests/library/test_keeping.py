"""Saving, noting, shelving, removing and undoing, and what merges of papers do to a library."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broadsheet.accounts.rules import Person, Refused
from broadsheet.library import actions, queries
from broadsheet.library.actions import Words
from broadsheet.library.models import LibraryEntry, Placement, Removal, Shelf
from broadsheet.library.queries import Sort, Wanted
from broadsheet.library.rules import State, Step
from broadsheet.library.tasks import forget_removed
from broadsheet.papers import queries as papers
from broadsheet.papers.actions import merge_papers, store_many, unmerge_papers
from broadsheet.testing.cast import HARBOUR, LANTERN, MEADOW, doi, said
from broadsheet.testing.people import ada, bela

pytestmark = pytest.mark.django_db

PUBLISHED = said(
    "Choosing Steps by Lantern Light", by="journal", key="lantern-published", identifiers=(doi("10.1000/lantern"),)
)


@pytest.fixture(autouse=True)
def ids() -> dict[str, int]:
    store_many([LANTERN, HARBOUR, MEADOW, PUBLISHED])
    return {row.title.split(":")[0].split()[0]: row.id for row in papers.Paper.objects.all()}


@pytest.fixture
def reader() -> Person:
    return ada()


def everything() -> dict[str, list[object]]:
    """All that the tables say, without the removals that were undone."""
    return {
        table.__name__: sorted(map(repr, table.objects.values_list()))  # type: ignore[attr-defined]  # a model
        for table in (LibraryEntry, Shelf, Placement)
    }


def test_a_paper_is_saved_once(ids: dict[str, int], reader: Person) -> None:
    assert actions.keep(by=reader, papers_=[ids["Lantern"], ids["Lantern"]]) == 1
    assert actions.keep(by=reader, papers_=[ids["Lantern"]]) == 0
    assert queries.kept(list(ids.values()), reader) == {ids["Lantern"]: queries.Kept(State.UNREAD, None, False)}
    assert queries.kept(list(ids.values()), bela()) == {}
    assert queries.kept(list(ids.values()), None) == {}


def test_what_a_reader_says_is_kept(ids: dict[str, int], reader: Person) -> None:
    words = Words(state="read", rating="4", tags="Steps, good", notes={None: "Try the bound.\r\n"})
    actions.say(by=reader, paper=ids["Lantern"], words=words)
    found = queries.entry(ids["Lantern"], reader)
    assert found is not None
    assert (found.said.state, found.said.rating, found.said.tags) == (State.READ, 4, ("good", "steps"))
    assert found.said.note == "Try the bound."


def test_what_is_refused_changes_nothing(ids: dict[str, int], reader: Person) -> None:
    with pytest.raises(Refused):
        actions.say(by=reader, paper=ids["Lantern"], words=Words(state="read", rating="7"))
    with pytest.raises(Refused):
        actions.keep(by=reader, papers_=[987_654_321])
    assert not LibraryEntry.objects.exists()


def test_nobody_writes_a_note_of_somebody_else(ids: dict[str, int], reader: Person) -> None:
    actions.say(by=reader, paper=ids["Lantern"], words=Words("read", notes={None: "mine"}))
    entry = LibraryEntry.objects.get()
    actions.say(by=bela(), paper=ids["Lantern"], words=Words("unread", notes={entry.id: "hers"}))
    entry.refresh_from_db()
    assert (entry.note, entry.state) == ("mine", "read")


def test_merged_papers_are_one_entry_and_two_again(ids: dict[str, int], reader: Person) -> None:
    actions.say(by=reader, paper=ids["Lantern"], words=Words("read", "2", "a", {None: "of the preprint"}))
    actions.say(by=reader, paper=ids["Choosing"], words=Words("reading", "5", "b", {None: "of the journal"}))
    before = queries.everything(reader)
    merge_papers(winner_key="2401.00001", loser_key="doi:10.1000/lantern", reason="the published form")
    (found,) = queries.everything(reader)
    assert found.paper_id == ids["Lantern"]
    assert found.said.note == "of the preprint\n\nof the journal"
    assert (found.said.state, found.said.rating, found.said.tags) == (State.READ, 5, ("a", "b"))
    assert queries.kept([ids["Lantern"]], reader)[ids["Lantern"]].state is State.READ
    notes = {member.id: member.note + "!" for member in found.members}
    actions.say(by=reader, paper=ids["Lantern"], words=Words("read", "5", "a, b", notes))
    unmerge_papers(key="doi:10.1000/lantern", reason="it was not")
    after = {entry.paper_id: entry.said.note for entry in queries.everything(reader)}
    assert after == {entry.paper_id: entry.said.note + "!" for entry in before}


def test_merged_papers_have_one_place_on_a_shelf(ids: dict[str, int], reader: Person) -> None:
    shelf = actions.make_shelf(by=reader, name="Steps")
    order = [ids["Harbour"], ids["Choosing"], ids["Meadow"], ids["Lantern"]]
    actions.place(by=reader, shelf=shelf, papers_=order)
    merge_papers(winner_key="2401.00001", loser_key="doi:10.1000/lantern", reason="the published form")
    assert [each.paper_id for each in queries.placed(shelf)] == [ids["Harbour"], ids["Lantern"], ids["Meadow"]]
    assert queries.shelves_of(reader)[0].count == 3
    assert actions.place(by=reader, shelf=shelf, papers_=[ids["Lantern"]]) == 0
    actions.move_on_shelf(by=reader, shelf=shelf, paper=ids["Lantern"], step=Step.UP)
    assert [each.paper_id for each in queries.placed(shelf)] == [ids["Lantern"], ids["Harbour"], ids["Meadow"]]
    unmerge_papers(key="doi:10.1000/lantern", reason="it was not")
    assert {each.paper_id for each in queries.placed(shelf)} == set(order)


def test_removing_a_paper_takes_it_off_the_shelves_and_undo_is_exact(ids: dict[str, int], reader: Person) -> None:
    shelf = actions.make_shelf(by=reader, name="Steps")
    actions.place(by=reader, shelf=shelf, papers_=[ids["Lantern"], ids["Harbour"]])
    actions.say(by=reader, paper=ids["Lantern"], words=Words("read", "3", "x", {None: "a note"}))
    before = everything()
    removal = actions.drop(by=reader, papers_=[ids["Lantern"]])
    assert removal is not None
    assert [entry.paper_id for entry in queries.everything(reader)] == [ids["Harbour"]]
    assert [each.paper_id for each in queries.placed(shelf)] == [ids["Harbour"]]
    actions.undo(by=reader, removal=removal)
    assert everything() == before


def test_removing_a_shelf_takes_what_is_in_it_and_undo_is_exact(ids: dict[str, int], reader: Person) -> None:
    outer = actions.make_shelf(by=reader, name="Outer")
    inner = actions.make_shelf(by=reader, name="Inner", parent=outer)
    other = actions.make_shelf(by=reader, name="Other")
    for shelf in (outer, inner, other):
        actions.place(by=reader, shelf=shelf, papers_=[ids["Lantern"], ids["Harbour"]])
    gone_before = actions.take_off(by=reader, shelf=inner, papers_=[ids["Harbour"]])
    before = everything()
    removal = actions.remove_shelf(by=reader, shelf=outer)
    assert [shelf.id for shelf in queries.shelves_of(reader)] == [other]
    assert len(queries.everything(reader)) == 2
    actions.undo(by=reader, removal=removal)
    assert everything() == before
    assert gone_before is not None
    actions.undo(by=reader, removal=gone_before)
    assert len(queries.placed(inner)) == 2


def test_a_paper_saved_again_is_as_it_was(ids: dict[str, int], reader: Person) -> None:
    actions.say(by=reader, paper=ids["Lantern"], words=Words("read", notes={None: "a note"}))
    removal = actions.drop(by=reader, papers_=[ids["Lantern"]])
    assert actions.keep(by=reader, papers_=[ids["Lantern"]]) == 1
    found = queries.entry(ids["Lantern"], reader)
    assert found is not None
    assert found.said.note == "a note"
    assert removal is not None
    actions.undo(by=reader, removal=removal)
    assert len(queries.everything(reader)) == 1


def test_only_who_removed_it_has_it_back(ids: dict[str, int], reader: Person) -> None:
    actions.keep(by=reader, papers_=[ids["Lantern"]])
    removal = actions.drop(by=reader, papers_=[ids["Lantern"]])
    assert removal is not None
    with pytest.raises(Refused):
        actions.undo(by=bela(), removal=removal)
    assert queries.everything(reader) == []


@pytest.mark.parametrize("limit", ["MOST_ENTRIES", "MOST_SHELVES", "MOST_ON_A_SHELF"])
def test_what_there_is_no_room_for_is_not_brought_back(
    ids: dict[str, int], reader: Person, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = actions.make_shelf(by=reader, name="Lamps")
    actions.place(by=reader, shelf=shelf, papers_=[ids["Lantern"]])
    removal = (
        actions.remove_shelf(by=reader, shelf=shelf)
        if limit == "MOST_SHELVES"
        else actions.drop(by=reader, papers_=[ids["Lantern"]])
    )
    assert removal is not None
    monkeypatch.setattr(f"broadsheet.library.actions.removing.{limit}", 0)
    before = everything()
    with pytest.raises(Refused, match="no room"):
        actions.undo(by=reader, removal=removal)
    assert everything() == before
    monkeypatch.undo()
    actions.undo(by=reader, removal=removal)
    assert everything() != before


@pytest.mark.parametrize(("days", "is_there"), [pytest.param(29, True, id="29 days"), pytest.param(31, False, id="31")])
def test_after_a_month_what_was_removed_is_forgotten(
    ids: dict[str, int], reader: Person, days: int, is_there: bool
) -> None:
    actions.keep(by=reader, papers_=[ids["Lantern"], ids["Harbour"]])
    removal = actions.drop(by=reader, papers_=[ids["Lantern"]])
    Removal.objects.update(at=timezone.now() - timedelta(days=days))
    forget_removed(now=timezone.now())
    assert LibraryEntry.objects.count() == (2 if is_there else 1)
    assert removal is not None
    if not is_there:
        with pytest.raises(Refused):
            actions.undo(by=reader, removal=removal)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        pytest.param(Wanted(), ["Meadow", "Harbour", "Lantern"], id="saved last first"),
        pytest.param(Wanted(tag="steps"), ["Lantern"], id="tag"),
        pytest.param(Wanted(state=State.UNREAD), ["Meadow", "Harbour"], id="state"),
        pytest.param(Wanted(rating=3), ["Lantern"], id="rating"),
        pytest.param(Wanted(words="schrodinger"), ["Harbour"], id="title without accents"),
        pytest.param(Wanted(words="chloe"), ["Lantern"], id="author without accents"),
        pytest.param(Wanted(words="kitchen"), ["Lantern"], id="note"),
        pytest.param(Wanted(words="steps"), ["Lantern"], id="tag as a word"),
        pytest.param(Wanted(words="survey harbour"), [], id="all words"),
        pytest.param(Wanted(sort=Sort.TITLE), ["Harbour", "Lantern", "Meadow"], id="by title"),
        pytest.param(Wanted(sort=Sort.RATING), ["Lantern", "Meadow", "Harbour"], id="by rating"),
    ],
)
def test_finding_inside_the_library(ids: dict[str, int], reader: Person, wanted: Wanted, expected: list[str]) -> None:
    for name in ("Lantern", "Harbour", "Meadow"):
        actions.keep(by=reader, papers_=[ids[name]])
    words = Words("read", "4", "steps", {None: "Read in the kitchen."})
    actions.say(by=reader, paper=ids["Lantern"], words=words)
    actions.keep(by=bela(), papers_=[ids["Choosing"]])
    found = queries.find(reader, wanted)
    assert list(found.ids) == [ids[name] for name in expected]


def test_the_number_of_questions_does_not_grow(ids: dict[str, int], reader: Person) -> None:
    actions.keep(by=reader, papers_=[ids["Lantern"]])
    counted = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as asked:
            queries.kept(list(ids.values()), reader)
            queries.find(reader, Wanted(words="lantern"))
            queries.shelves_of(reader)
        counted.append(len(asked))
        actions.keep(by=reader, papers_=list(ids.values()))
    assert counted[0] == counted[1]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(Step)), max_size=6))
def test_moving_papers_and_shelves_loses_none(
    ids: dict[str, int], reader: Person, moves: list[tuple[int, Step]]
) -> None:
    Shelf.objects.all().delete()
    order = list(ids.values())
    shelves = [actions.make_shelf(by=reader, name=f"S{n}") for n in range(4)]
    actions.place(by=reader, shelf=shelves[0], papers_=order)
    for at, step in moves:
        actions.move_on_shelf(by=reader, shelf=shelves[0], paper=order[at], step=step)
        actions.move_shelf(by=reader, shelf=shelves[at], step=step)
    assert sorted(each.paper_id for each in queries.placed(shelves[0])) == sorted(order)
    assert sorted(each.id for each in queries.shelves_of(reader)) == sorted(shelves)


def test_a_shelf_cannot_be_put_into_itself_or_into_somebody_elses(reader: Person) -> None:
    outer = actions.make_shelf(by=reader, name="Outer")
    inner = actions.make_shelf(by=reader, name="Inner", parent=outer)
    strange = actions.make_shelf(by=bela(), name="Strange")
    for parent in (outer, inner, strange):
        with pytest.raises(Refused):
            actions.change_shelf(by=reader, shelf=outer, name="Outer", is_public=False, parent=parent)
    with pytest.raises(Refused):
        actions.remove_shelf(by=reader, shelf=strange)
