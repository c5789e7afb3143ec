"""The whole instance in one file: what comes in again is row for row what went out."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command

from broadsheet.evidence.actions import store_claims
from broadsheet.papers import queries as papers
from broadsheet.papers.actions import merge_papers, store_many
from broadsheet.storage import archive
from broadsheet.testing import people
from broadsheet.testing.cast import HARBOUR, LANTERN, MEADOW, said

pytestmark = pytest.mark.django_db(transaction=True)


def fill() -> None:
    """Papers, one of them merged into another, and two people."""
    store_many([LANTERN, HARBOUR, MEADOW, said("Accents: Schrödinger's 猫\u2028and \x7f")])
    merge_papers(winner_key="2401.00001", loser_key="2401.00002", reason="one work")
    store_claims([])
    people.ada()
    people.operator()


def written() -> tuple[bytes, archive.Manifest]:
    """The archive of what the database holds now."""
    target = io.BytesIO()
    manifest = archive.write(target, made_by="a test")
    return target.getvalue(), manifest


def emptied() -> None:
    """Take every row out of every table, as in a new instance."""
    call_command("flush", verbosity=0, interactive=False)


def changed(content: bytes, change: Callable[[dict[str, bytes]], Any]) -> io.BytesIO:
    """The archive with its members changed."""
    with zipfile.ZipFile(io.BytesIO(content)) as source:
        members = {name: source.read(name) for name in source.namelist()}
    change(members)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as made:
        for name, member in members.items():
            made.writestr(name, member)
    return target


def test_what_comes_in_is_what_went_out() -> None:
    fill()
    content, before = written()
    emptied()
    archive.read(io.BytesIO(content))
    _, after = written()
    assert archive.differences(before, after) == []
    assert before.rows == after.rows > 20


def test_a_difference_of_one_value_is_seen() -> None:
    fill()
    _, before = written()
    people.bela()
    _, after = written()
    assert archive.differences(before, after) == ["accounts.user"]


def test_new_rows_are_numbered_after_those_that_came_in() -> None:
    fill()
    content, _ = written()
    known = {row.key for row in papers.stored_after(0, limit=100)}
    emptied()
    archive.read(io.BytesIO(content))
    store_many([said("A Paper After the Archive")])
    added = papers.stored_after(0, limit=100)
    assert len(added) == len(known) + 1
    assert added[-1].title == "A Paper After the Archive"


def test_an_instance_that_holds_something_is_left_alone() -> None:
    fill()
    content, before = written()
    with pytest.raises(archive.ArchiveRefused, match="holds something already"):
        archive.read(io.BytesIO(content))
    assert archive.differences(before, written()[1]) == []


def _other_row(members: dict[str, bytes]) -> None:
    members["accounts.user.jsonl"] = members["accounts.user.jsonl"].replace(b"Ada Example", b"Eve Example")


def _one_row_less(members: dict[str, bytes]) -> None:
    members["accounts.user.jsonl"] = b"\n".join(members["accounts.user.jsonl"].splitlines()[:-1]) + b"\n"


def _no_json(members: dict[str, bytes]) -> None:
    members["papers.paper.jsonl"] += b"[1, 2\n"


def _nested(members: dict[str, bytes]) -> None:
    lines = members["accounts.user.jsonl"].splitlines()
    row = json.loads(lines[1])
    row[1] = {"a": "dictionary"}
    members["accounts.user.jsonl"] = b"\n".join([lines[0], json.dumps(row).encode(), *lines[2:]]) + b"\n"


def _manifest(members: dict[str, bytes], **values: Any) -> None:
    members["manifest.json"] = json.dumps(json.loads(members["manifest.json"]) | values).encode()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param(_other_row, "are not those", id="a value was changed"),
        pytest.param(_one_row_less, "are not those", id="a row is missing"),
        pytest.param(_no_json, "cannot be read", id="a row is no JSON"),
        pytest.param(_nested, "cannot be read", id="a value that no column holds"),
        pytest.param(lambda members: members.pop("papers.paper.jsonl"), "damaged", id="a table is missing"),
        pytest.param(lambda members: members.pop("manifest.json"), "no archive", id="no manifest"),
        pytest.param(lambda members: members.update({"manifest.json": b"{"}), "cannot be read", id="half a manifest"),
        pytest.param(lambda members: _manifest(members, format="other/1"), "not in the format", id="another format"),
        pytest.param(lambda members: _manifest(members, migrations={}), "tables are others", id="another version"),
        pytest.param(lambda members: _manifest(members, tables=[]), "tables are others", id="no tables"),
        pytest.param(lambda members: _manifest(members, more=1), "cannot be read", id="an unknown key"),
    ],
)
def test_a_changed_archive_is_refused_and_nothing_comes_in(change: Callable[[dict[str, bytes]], Any], why: str) -> None:
    fill()
    content, _ = written()
    emptied()
    empty = written()[1]
    with pytest.raises(archive.ArchiveRefused, match=why):
        archive.read(changed(content, change))
    assert archive.differences(empty, written()[1]) == []


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no archive at all", b"\x00" * 1000])
def test_what_is_no_archive_is_refused(content: bytes) -> None:
    with pytest.raises(archive.ArchiveRefused, match="no archive"):
        archive.read(io.BytesIO(content))
