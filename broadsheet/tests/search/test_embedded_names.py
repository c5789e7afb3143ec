"""The file of the most used names beside an embedded index: what it changes, and when it is made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from broadsheet.search import durable
from broadsheet.search.adapters import embedded, embedded_names
from broadsheet.search.adapters.embedded import EmbeddedIndex
from broadsheet.search.document import Document


def paper(pk: int, title: str, *authors: str) -> Document:
    return Document(pk=pk, change=pk, title=title, authors=authors)


# Ada A1 has one paper, Ada A2 two, and so on.
AUTHORS = [f"Ada A{number}" for number in range(1, 7)]
PAPERS = [
    paper(10 * number + copy, f"Lamp {number} {copy}", name)
    for number, name in enumerate(AUTHORS, 1)
    for copy in range(number)
]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is due from the first paper on, and says what begins like more than three."""
    monkeypatch.setattr(embedded_names, "_FEWEST", 1)
    monkeypatch.setattr(embedded_names, "_MANY", 3)
    monkeypatch.setattr(embedded, "RELOAD_AFTER", 0.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the index is to be."""
    return tmp_path / "index"


def written(folder: Path) -> Path:
    """The file of the only generation."""
    return folder / "g000001" / "names.json"


def suggested(index: EmbeddedIndex, typed: str, *, limit: int = 8) -> list[tuple[str, int]]:
    return [(one.text, one.papers) for one in index.suggest_names(typed, limit=limit)]


def test_the_most_used_names_come_with_the_papers_of_now(folder: Path) -> None:
    index = EmbeddedIndex(folder)
    index.apply(PAPERS, [], cursor=1)
    assert written(folder).is_file()
    assert suggested(index, "ad", limit=2) == [("Ada A6", 6), ("Ada A5", 5)]
    index.apply([], [60, 61, 62, 63, 64], cursor=2)
    assert suggested(index, "ad", limit=2)[0] == ("Ada A5", 5)
    index.close()


def test_what_the_file_does_not_say_is_read_from_the_dictionary(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few that begin so, and more that are wanted than are kept."""
    monkeypatch.setattr(embedded_names, "KEPT", 2)
    index = EmbeddedIndex(folder)
    index.apply(PAPERS, [], cursor=1)
    assert suggested(index, "a4") == [("Ada A4", 4)]
    assert [papers for _name, papers in suggested(index, "ad")] == [6, 5, 4, 3, 2, 1]
    index.close()


def test_a_reader_sees_the_file_when_it_is_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And titles are suggested by its words."""
    monkeypatch.setattr(embedded_names, "_FEWEST", 1_000)
    writer, reader = EmbeddedIndex(folder), EmbeddedIndex(folder)
    writer.apply(PAPERS, [], cursor=1)
    assert suggested(reader, "ad", limit=1) == [("Ada A6", 6)]
    assert not written(folder).exists()
    monkeypatch.setattr(embedded_names, "_FEWEST", 1)
    writer.apply([paper(90, "Lanterns, lakes, larks, ladders")], [], cursor=2)
    said = json.loads(written(folder).read_bytes().partition(b"\n")[2])
    assert said["papers"] == len(PAPERS) + 2
    assert said["names"]["title l"].startswith("lamp\t21\n")
    # A file that names nobody shows that it is looked into.
    written(folder).write_bytes(embedded_names.written(22, {"name aad": "aada nobody\x1f0\t9"}))
    assert suggested(reader, "ad") == []
    assert len(reader.suggest("l")) == 8
    writer.close()


def test_it_is_made_a_little_after_each_commit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_names, "_AT_ONCE", 0.0)
    monkeypatch.setattr(embedded_names, "_LETTERS", "a")
    monkeypatch.setattr(embedded_names, "_BEHIND", "ad")
    index = EmbeddedIndex(folder)
    index.apply(PAPERS, [], cursor=1)
    commits = 1
    while not written(folder).exists():
        commits += 1
        index.apply([], [], cursor=commits)
    assert commits > 3
    index.close()


def test_it_is_made_anew_when_papers_have_trebled(folder: Path) -> None:
    index = EmbeddedIndex(folder)
    index.apply(PAPERS, [], cursor=1)
    first = written(folder).read_bytes()
    more = [paper(100 + number, "Meadows", "Bela Beispiel") for number in range(60)]
    index.apply(more[:30], [], cursor=2)
    assert written(folder).read_bytes() == first
    index.apply(more, [], cursor=3)
    assert written(folder).read_bytes() != first
    index.close()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\xff", id="no text"),
        pytest.param(b"00000000\n{}", id="another checksum"),
        pytest.param(embedded_names.written(1, {"name aad": "aada a1"})[:-1], id="cut off"),
        pytest.param(embedded_names.written(1, {"name aad": "aada a1"}).replace(b"a1", b"a2"), id="changed"),
    ],
)
def test_damaged_file_is_not_used(folder: Path, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    index = EmbeddedIndex(folder)
    index.apply(PAPERS, [], cursor=1)
    written(folder).write_bytes(content)
    assert suggested(index, "ad", limit=1) == [("Ada A6", 6)]
    assert "frequent names is not used" in caplog.text
    index.close()


def test_disk_without_room_for_it_keeps_the_commit(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    index = EmbeddedIndex(folder)
    index.apply([], [], cursor=1)
    monkeypatch.setattr(durable, "replace", full)
    index.apply(PAPERS, [], cursor=2)
    assert (index.count(), index.cursor()) == (len(PAPERS), 2)
    assert "could not be written" in caplog.text
    index.close()
