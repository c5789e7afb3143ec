"""The compact set of numbers is a set, however many there are; what a file says against itself is rejected."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.bibliography.record import Record, Rejected
from broadsheet.ingest.actions import consistency
from broadsheet.ingest.actions.consistency import Numbers, consistent


@given(st.lists(st.integers(-(2**63), 2**63 - 1)), st.lists(st.integers(-20, 20)))
def test_it_holds_what_was_added_and_nothing_else(wide: list[int], narrow: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(consistency, "_RECENT", 4)
        patch.setattr(consistency, "_LONGEST", 16)
        numbers = Numbers()
        for number in [*wide, *narrow]:
            numbers.add(number)
        assert all(number in numbers for number in [*wide, *narrow])
        assert [n for n in range(-30, 30) if n in numbers] == sorted({n for n in [*wide, *narrow] if -30 <= n < 30})


def test_a_million_numbers_take_little_more_than_eight_bytes_each() -> None:
    tracemalloc.start()
    numbers = Numbers()
    for n in range(1_000_000):
        numbers.add(hash((n, "")))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 16_000_000


def record(key: str, title: str) -> Record:
    return Record(source="test", source_key=key, title=title)


def test_the_first_of_two_contradicting_items_is_kept_and_a_repetition_is_none() -> None:
    lamp, other, harbour = record("1", "A Lamp"), record("1", "Another Lamp"), record("2", "Harbours")
    first, second, third, again = consistent(iter([lamp, other, harbour, lamp]))
    assert (first, third, again) == (lamp, harbour, lamp)
    assert isinstance(second, Rejected)
    assert "something else under 1" in second.reason
