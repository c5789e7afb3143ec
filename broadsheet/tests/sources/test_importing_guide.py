"""The page for users on importing says what the sources do: its example is read, its list of fields is complete."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from broadsheet.bibliography.record import Record
from broadsheet.sources import registry
from broadsheet.sources.base import read_verified
from broadsheet.sources.origins.records import FIELD_NAMES, Records


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    return (repository / "docs/user/importing.md").read_text(encoding="utf-8")


def test_the_example_of_records_is_read(page: str) -> None:
    example = re.search(r"```jsonl\n(.*?)```", page, re.DOTALL)
    assert example is not None
    statements = list(read_verified(Records(), io.BytesIO(example[1].encode()), filename="example"))
    assert [type(said) for said in statements] == [Record] * 3


def test_every_field_is_in_the_table_and_no_other(page: str) -> None:
    table = page[page.index("| Field | Value | Meaning |") :].split("\n\n", 1)[0]
    assert set(re.findall(r"(?m)^\| `(\w+)` \|", table)) == set(FIELD_NAMES)


def test_every_source_is_named(page: str) -> None:
    assert all(f"`{name}`" in page for name in registry.sources())
