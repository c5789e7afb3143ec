"""What several entries of one work are together, how lists are ordered, and how shelves stand in each other."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.accounts.rules import Refused
from broadsheet.bibliography.record import Record
from broadsheet.library import rules
from broadsheet.library.rules import Said, State, Step, backup

DAYS = [datetime(2026, 11, day, tzinfo=UTC) for day in range(1, 10)]


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        pytest.param([Said("a", State.READ, 3, ("x",))], Said("a", State.READ, 3, ("x",)), id="one says what it says"),
        pytest.param(
            [Said("later", added_at=DAYS[2]), Said("earlier", added_at=DAYS[1])],
            Said("earlier\n\nlater", added_at=DAYS[1]),
            id="both notes, the earliest first",
        ),
        pytest.param([Said("same"), Said("same")], Said("same"), id="the same note once"),
        pytest.param([Said("a"), Said("  ")], Said("a"), id="no empty note"),
        pytest.param(
            [Said(state=State.READING), Said(state=State.READ), Said()], Said(state=State.READ), id="furthest state"
        ),
        pytest.param(
            [Said(rating=5, changed_at=DAYS[1]), Said(rating=2, changed_at=DAYS[2]), Said(changed_at=DAYS[3])],
            Said(rating=2, changed_at=DAYS[3]),
            id="the rating given last",
        ),
        pytest.param([Said(tags=("b", "a")), Said(tags=("c", "a"))], Said(tags=("a", "b", "c")), id="all tags"),
    ],
)
def test_entries_of_one_work_are_joined(entries: list[Said], expected: Said) -> None:
    assert rules.joined(entries) == expected


said = st.builds(
    Said,
    note=st.sampled_from(["", "one", "two", "three"]),
    state=st.sampled_from(State),
    rating=st.none() | st.integers(1, 5),
    tags=st.lists(st.sampled_from("abc"), unique=True).map(lambda tags: tuple(sorted(tags))),
    added_at=st.sampled_from(DAYS),
    changed_at=st.sampled_from(DAYS),
)


@given(st.lists(said, min_size=1, max_size=5), st.randoms())
def test_joining_does_not_depend_on_the_order_and_loses_no_note(entries: list[Said], random: object) -> None:
    shuffled = list(entries)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # a random.Random
    found = rules.joined(entries)
    assert rules.joined(shuffled) == found
    assert all(entry.note in found.note and set(entry.tags) <= set(found.tags) for entry in entries)


def test_nothing_cannot_be_joined() -> None:
    with pytest.raises(ValueError, match="no entries"):
        rules.joined([])


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        pytest.param(Step.UP, [2, 1, 3, 4], id="up"),
        pytest.param(Step.DOWN, [1, 3, 2, 4], id="down"),
        pytest.param(Step.FIRST, [2, 1, 3, 4], id="first"),
        pytest.param(Step.LAST, [1, 3, 4, 2], id="last"),
    ],
)
def test_an_item_moves(step: Step, expected: list[int]) -> None:
    assert rules.moved([1, 2, 3, 4], 2, step) == expected


@given(st.lists(st.integers(), unique=True), st.integers(), st.sampled_from(Step))
def test_moving_is_a_permutation_that_keeps_the_order_of_the_others(order: list[int], item: int, step: Step) -> None:
    found = rules.moved(order, item, step)
    assert sorted(found) == sorted(order)
    assert [each for each in found if each != item] == [each for each in order if each != item]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=60))
def test_no_sequence_of_moves_makes_a_cycle_or_goes_too_deep(moves: list[tuple[int, int]]) -> None:
    parents: dict[int, int | None] = dict.fromkeys(range(8))
    for shelf, parent in moves:
        where = parent if parent in parents else None
        if shelf not in parents:
            continue
        try:
            rules.check_parent(parents, shelf, where)
        except Refused:
            continue
        parents[shelf] = where
    printed = rules.tree(parents, list(parents))
    assert sorted(shelf for shelf, _ in printed) == sorted(parents)
    assert all(depth < rules.DEEPEST for _, depth in printed)


@given(st.dictionaries(st.integers(0, 9), st.none() | st.integers(0, 12), max_size=10))
def test_shelves_are_printed_once_after_the_one_they_stand_in(parents: dict[int, int | None]) -> None:
    """Whatever stands in the table, printing ends; what is in a cycle, which no action makes, is left out."""
    printed = [shelf for shelf, _ in rules.tree(parents, sorted(parents))]
    assert len(printed) == len(set(printed))
    for shelf in printed:
        if parents[shelf] in parents:
            assert printed.index(parents[shelf]) < printed.index(shelf)  # type: ignore[arg-type]  # it is in parents


@pytest.mark.parametrize(
    ("parents", "shelf", "parent"),
    [
        pytest.param({1: None}, 1, 1, id="in itself"),
        pytest.param({1: None, 2: 1, 3: 2}, 1, 3, id="in one that stands in it"),
        pytest.param({1: None, 2: 1, 3: 2, 4: 3, 5: 4}, None, 5, id="a sixth level"),
        pytest.param({1: None, 2: 1, 3: 2, 4: 3, 6: None, 7: 6}, 6, 4, id="too high for the place"),
    ],
)
def test_a_place_for_a_shelf_is_refused(parents: dict[int, int | None], shelf: int | None, parent: int) -> None:
    with pytest.raises(Refused):
        rules.check_parent(parents, shelf, parent)


def test_what_stands_in_a_shelf() -> None:
    assert rules.inside({1: None, 2: 1, 3: 2, 4: None, 5: 1}, 1) == [1, 2, 5, 3]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", (), id="none"),
        pytest.param("To Read,  optimisers , to  read", ("optimisers", "to read"), id="small letters, each once"),
        pytest.param("a\x00b, \u202ec", ("ab", "c"), id="nothing unseen"),
    ],
)
def test_tags_are_read(text: str, expected: tuple[str, ...]) -> None:
    assert rules.read_tags(text) == expected


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda: rules.read_tags("x" * 41), id="long tag"),
        pytest.param(lambda: rules.read_tags(",".join(map(str, range(21)))), id="many tags"),
        pytest.param(lambda: rules.read_rating("6"), id="rating"),
        pytest.param(lambda: rules.read_state("burnt"), id="state"),
        pytest.param(lambda: rules.read_note("x" * 20_001), id="long note"),
        pytest.param(lambda: rules.read_name(" \u200b "), id="empty name"),
        pytest.param(lambda: rules.read_name("x" * 121), id="long name"),
    ],
)
def test_what_is_wrong_is_refused(call: object) -> None:
    with pytest.raises(Refused, match=r"Nothing was changed\."):
        call()  # type: ignore[operator]  # a function


def test_addresses_of_shelves_are_not_taken_twice() -> None:
    assert rules.slug_of("Deep Nets!", ()) == "deep-nets"
    assert rules.slug_of("Deep nets", {"deep-nets", "deep-nets-2"}) == "deep-nets-3"
    assert rules.slug_of("深い", ()) == "shelf"


words = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=30).map(str.strip)


@given(
    st.lists(st.tuples(words.filter(bool), said), max_size=4),
    st.lists(st.lists(st.integers(0, 3), unique=True, max_size=4), max_size=3),
)
def test_what_was_written_is_read_back(papers: list[tuple[str, Said]], shelves: list[list[int]]) -> None:
    items = [
        (Record(source="belief", source_key=str(at), title=f"T {at}", keywords=(word,)), kept)
        for at, (word, kept) in enumerate(papers)
    ]
    listed = [
        backup.ShelfItem((f"S {at}",), bool(at % 2), tuple(place for place in places if place < len(items)))
        for at, places in enumerate(shelves)
    ]
    data = backup.write(items, listed)
    assert backup.is_backup(data)
    found = backup.read(data)
    assert [(item.record.title if item.record else "", item.said) for item in found.items] == [
        (record.title, kept) for record, kept in items
    ]
    assert list(found.shelves) == listed


@pytest.mark.parametrize(
    ("paper", "why"),
    [
        pytest.param({}, 'it has no "record"', id="no record"),
        pytest.param([], 'it has no "record"', id="a list"),
        pytest.param({"record": {"title": 7}}, "title", id="no title"),
        pytest.param({"record": {"title": "A"}, "rating": 9}, "A rating is a number", id="rating"),
        pytest.param({"record": {"title": "A"}, "state": "burnt"}, "A paper is unread", id="state"),
        pytest.param({"record": {"title": "A"}, "added_at": "soon"}, '"added_at" is not a moment', id="moment"),
        pytest.param({"record": {"title": "A"}, "note": ["x"]}, '"note" is not a text', id="note"),
    ],
)
def test_a_paper_that_is_not_understood_says_why(paper: object, why: str) -> None:
    (found,) = backup.read(orjson.dumps({"broadsheet_library": 1, "papers": [paper]})).items
    assert found.record is None
    assert why in found.why
