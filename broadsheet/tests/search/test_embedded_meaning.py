"""What is true of the embedded engine's vectors only: its folder, another model, its processes, and damage."""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.search import durable
from broadsheet.search.adapters import embedded, embedded_hybrid, embedded_meaning
from broadsheet.search.adapters.embedded import EmbeddedIndex
from broadsheet.search.adapters.reference import ReferenceIndex
from broadsheet.search.dense import calibration, generations, segment, store
from broadsheet.search.document import Document
from broadsheet.search.embedding import ModelMissing
from broadsheet.search.index import IndexLocked, IndexUnavailable
from broadsheet.search.query import parse
from broadsheet.testing.index_conformance import keys, paper
from broadsheet.testing.meaning_conformance import VEHICLES, Concepts, embed_all


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the index is to be."""
    return tmp_path / "index"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Readers look for news at every question, and try again at once what failed."""
    for module in (embedded, store, generations):
        monkeypatch.setattr(module, "RELOAD_AFTER", 0.0)
    monkeypatch.setattr(embedded_meaning, "_RETRY_AFTER", 0.0)


def opened(folder: Path, embedder: Concepts | None = None, *others: Concepts) -> EmbeddedIndex:
    """The index in a folder with a model; `others` can be loaded too."""
    known = {each.name: each for each in (embedder or Concepts(), *others)}

    def load(name: str) -> Concepts:
        if name not in known:
            raise ModelMissing(f"There is no model {name}.")
        return known[name]

    return EmbeddedIndex(folder, model=next(iter(known)), load=load)


class Better(Concepts):
    """Another model."""

    name = "better"

    def __init__(self) -> None:
        super().__init__(version=2)


@pytest.fixture
def filled(folder: Path) -> EmbeddedIndex:
    """An index with four papers and their vectors, closed."""
    index = opened(folder)
    index.apply(VEHICLES, [], cursor=4)
    embed_all(index, VEHICLES)
    index.close()
    return index


def damage(folder: Path) -> None:
    """Make the manifest of the vectors unreadable."""
    (folder / "vectors" / "concepts-1" / "manifest.json").write_bytes(b"{")


# --- Processes --------------------------------------------------------------------------------------------------------


def test_reader_sees_new_vectors(folder: Path) -> None:
    """Those of another object, from the first on."""
    writer, reader = opened(folder), opened(folder)
    writer.apply(VEHICLES, [], cursor=4)
    assert keys(reader.search(parse("automobile"))) == [1]
    embed_all(writer, VEHICLES)
    assert keys(reader.search(parse("automobile"))) == [1, 2]
    writer.close()


def test_second_writer_of_vectors_is_refused(folder: Path, filled: EmbeddedIndex) -> None:
    """Until the first closes; readers are not."""
    filled.unembedded(limit=1)
    other = opened(folder)
    changes: tuple[Callable[[], object], ...] = (lambda: other.unembedded(limit=1), lambda: other.embed(VEHICLES))
    for change in changes:
        with pytest.raises(IndexLocked, match="Another process is writing"):
            change()
    assert keys(other.search(parse("automobile"))) == [1, 2]
    filled.close()
    assert other.unembedded(limit=1) == []
    other.close()


EMBED_FOR_EVER = """
import pathlib, sys
from broadsheet.search.adapters.embedded import EmbeddedIndex
from broadsheet.search.document import Document
from broadsheet.testing.meaning_conformance import Concepts
index = EmbeddedIndex(pathlib.Path(sys.argv[1]), model="concepts", load=lambda _name: Concepts())
while keys := index.unembedded(limit=20):
    index.embed([Document(pk=pk, change=pk, title=f"lamp number {pk}") for pk in keys])
    print(*keys, flush=True)
"""


@pytest.mark.process
def test_killed_worker_goes_on_where_it_was(folder: Path) -> None:
    """What it said was kept is kept, and no paper is embedded twice in the end."""
    papers = [paper(pk, f"lamp number {pk}", day=date(2000, 1, 1) + timedelta(days=pk)) for pk in range(1, 1_501)]
    index = opened(folder)
    index.apply(papers, [], cursor=1_500)
    index.close()
    said: set[int] = set()
    for batches in (3, 8, 1, 5, 12):
        command = [sys.executable, "-c", EMBED_FOR_EVER, str(folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line, _number in zip(process.stdout, range(batches), strict=False):
                said |= set(map(int, line.split()))
            process.kill()
            said |= {int(key) for line in process.stdout for key in line.split()}
        index = opened(folder)
        assert len(said) <= index.embedding().papers <= len(said) + 20
        left = index.unembedded(limit=1_500)
        assert not said & set(left)
        assert len(left) == 1_500 - index.embedding().papers
        said = set(range(1, 1_501)) - set(left)
        index.close()
    assert said == set(range(1_501 - len(said), 1_501))


# --- Another model ----------------------------------------------------------------------------------------------------


def test_new_model_grows_beside_the_old_one(folder: Path, filled: EmbeddedIndex) -> None:
    """Which answers until every paper has a vector of the new one; then it is removed."""
    del filled
    old, new = Concepts(), Better()
    index = opened(folder, new, old)
    assert index.embedding().papers == 4
    wanted = index.unembedded(limit=2)
    index.embed(VEHICLES[:2])
    assert wanted == [1, 2]
    old.gone = "not any more"
    assert keys(index.search(parse("vessel ships"))) == [3]
    old.gone = ""
    assert keys(index.search(parse("automobile"))) == [1, 2]
    assert index.unembedded(limit=9) == [3, 4]
    index.embed(VEHICLES[2:])
    assert json.loads((folder / "vectors" / "live.json").read_bytes()) == {"model": "concepts"}
    assert index.unembedded(limit=9) == []
    assert json.loads((folder / "vectors" / "live.json").read_bytes()) == {"model": "better"}
    assert sorted(path.name for path in (folder / "vectors").iterdir() if path.is_dir()) == ["concepts-2"]
    assert keys(opened(folder, new).search(parse("automobile"))) == [1, 2]
    index.close()


@pytest.mark.parametrize("gone", ["it cannot load", None], ids=["it cannot load", "it has no name any more"])
def test_old_model_that_cannot_answer_is_not_waited_for(folder: Path, filled: EmbeddedIndex, gone: str | None) -> None:
    """The new one's vectors answer at once, however few they are."""
    del filled
    index = opened(folder, Better(), *([Concepts(gone=gone)] if gone else []))
    assert keys(index.search(parse("automobile"))) == [1]
    assert index.unembedded(limit=2) == [1, 2]
    index.embed(VEHICLES[:2])
    assert keys(index.search(parse("automobile"))) == [1, 2]
    index.close()


def test_switched_off(folder: Path, filled: EmbeddedIndex) -> None:
    """Words are searched, and vectors stay where they are."""
    del filled
    index = EmbeddedIndex(folder)
    assert keys(index.search(parse("automobile"))) == [1]
    assert (index.related(1), index.unembedded(limit=9)) == ([], [])
    assert index.embedding().model == ""
    with pytest.raises(IndexUnavailable, match=r"Search by meaning is turned off\."):
        index.embed(VEHICLES)
    assert keys(opened(folder).search(parse("automobile"))) == [1, 2]


def test_model_that_nobody_knows(folder: Path) -> None:
    """A mistake in the settings costs the vectors only, and is told."""

    def load(name: str) -> Concepts:
        raise ModelMissing(f"There is no model {name}.")

    index = EmbeddedIndex(folder, model="wrong", load=load)
    index.apply(VEHICLES, [], cursor=4)
    assert keys(index.search(parse("automobile"))) == [1]
    assert index.unembedded(limit=9) == []
    assert (index.embedding().model, index.embedding().missing) == ("wrong", "There is no model wrong.")
    index.close()


def test_model_that_breaks_later(folder: Path, filled: EmbeddedIndex, caplog: pytest.LogCaptureFixture) -> None:
    """The search goes on by words, says so once in the log, and finds back when the model does."""
    del filled
    model = Concepts()
    index = opened(folder, model)
    model.gone = "The model has vanished."
    for typed in ("automobile", "car"):
        assert len(index.search(parse(typed)).hits) == 1
    assert index.embedding().missing == "The model has vanished."
    assert [record.message for record in caplog.records if record.levelno == logging.WARNING] == [
        "Searching by words only. The model has vanished."
    ]
    model.gone = ""
    assert keys(index.search(parse("automobile"))) == [1, 2]


# --- Damage -----------------------------------------------------------------------------------------------------------


def test_damaged_vectors_cost_no_answer_and_are_made_again(folder: Path, filled: EmbeddedIndex) -> None:
    """Words are searched; the worker begins anew."""
    del filled
    damage(folder)
    index = opened(folder)
    assert keys(index.search(parse("automobile"))) == [1]
    assert index.related(1) == []
    assert "cannot be read" in index.embedding().missing
    assert embed_all(index, VEHICLES) == [1, 2, 3, 4]
    assert keys(index.search(parse("automobile"))) == [1, 2]
    assert index.embedding().missing == ""
    index.close()


def test_one_wrong_bit_is_found_by_the_worker(folder: Path, filled: EmbeddedIndex) -> None:
    """When it begins, and once: what it gives back and takes again in between is not read again."""
    del filled
    (path,) = (folder / "vectors" / "concepts-1").glob("*.vectors")
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    index = opened(folder)
    assert keys(index.search(parse("automobile"))) == [1, 2]
    assert embed_all(index, VEHICLES) == [1, 2, 3, 4]
    assert path.read_bytes() == content
    index.close()


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"papers": "x"}, id="papers are a word"),
        pytest.param({"mean": "0000c07f" * Concepts().dimensions}, id="mean is no number"),
    ],
)
def test_wrong_manifest_is_told_and_made_again(folder: Path, filled: EmbeddedIndex, change: dict[str, object]) -> None:
    """By the state too, which reads the manifest and nothing else."""
    del filled
    path = folder / "vectors" / "concepts-1" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()) | change))
    index = opened(folder)
    assert "the manifest of the vectors cannot be read" in index.embedding().missing
    assert keys(index.search(parse("automobile"))) == [1]
    assert embed_all(index, VEHICLES) == [1, 2, 3, 4]
    assert index.embedding().missing == ""
    index.close()


def test_checksums_are_compared_once(folder: Path, filled: EmbeddedIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker gives back what it holds whenever it is idle; reading gigabytes then would cost it seconds."""
    del filled
    read: list[Path] = []
    checksum = segment.checksum

    def noted(path: Path) -> int:
        read.append(path)
        return checksum(path)

    monkeypatch.setattr(segment, "checksum", noted)
    index = opened(folder)
    for _time in range(3):
        assert index.unembedded(limit=9) == []
        index.close()
    assert len(read) == 1


def test_vectors_that_vanish(folder: Path, filled: EmbeddedIndex) -> None:
    """While they are open for reading; the worker makes them again."""
    reader = opened(folder)
    assert keys(reader.search(parse("automobile"))) == [1, 2]
    shutil.rmtree(folder / "vectors")
    assert keys(reader.search(parse("automobile"))) == [1]
    filled.close()
    again = opened(folder)
    assert embed_all(again, VEHICLES) == [1, 2, 3, 4]
    assert keys(reader.search(parse("automobile"))) == [1, 2]
    again.close()


def test_damaged_name_of_what_answers(folder: Path, filled: EmbeddedIndex) -> None:
    """It is written anew."""
    del filled
    (folder / "vectors" / "live.json").write_bytes(b"[]")
    index = opened(folder)
    assert keys(index.search(parse("automobile"))) == [1]
    embed_all(index, VEHICLES)
    assert keys(index.search(parse("automobile"))) == [1, 2]
    index.close()


def test_no_room_for_vectors(folder: Path, filled: EmbeddedIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence says why, nothing is taken for damage, and the same papers are named again."""
    changed = [paper(pk, "Lamps of every kind", change=9) for pk in (1, 2)]
    filled.apply(changed, [], cursor=9)

    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(durable, "replace", full)
        wanted = filled.unembedded(limit=9)
        with pytest.raises(IndexUnavailable, match=r"cannot be written: No space left on device\. Nothing") as caught:
            filled.embed(changed)
        assert not caught.value.rebuild_needed
    assert filled.unembedded(limit=9) == wanted
    filled.embed(changed)
    assert filled.unembedded(limit=9) == []
    filled.close()


# --- Filters of every size, and the reference -------------------------------------------------------------------------

WORDS = ("car", "automobile", "ship", "vessel", "lamp", "light", "meadow", "stone")
TEXTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map(" ".join)


@pytest.mark.parametrize(
    ("looking_up", "at_once", "most"),
    [
        pytest.param(10**9, 400, 10_000, id="all that pass are compared"),
        pytest.param(0, 400, 10_000, id="filters are applied to the nearest"),
        pytest.param(0, 3, 10_000, id="filters are applied to a few of the nearest at a time"),
        pytest.param(0, 400, 2, id="too few of the nearest pass"),
    ],
)
def test_same_answers_as_the_reference(
    folder: Path, monkeypatch: pytest.MonkeyPatch, looking_up: int, at_once: int, most: int
) -> None:
    """The same papers, and the same nearness, whichever way the filters are applied."""
    monkeypatch.setattr(embedded_hybrid, "_LOOKING_UP", looking_up)
    monkeypatch.setattr(embedded_hybrid, "_AT_ONCE", at_once)
    monkeypatch.setattr(embedded_hybrid, "_MOST", most)
    index = opened(folder)

    @settings(max_examples=25, deadline=None)
    @given(
        st.lists(st.tuples(TEXTS, st.booleans(), st.integers(2020, 2024)), min_size=1, max_size=25),
        st.sets(st.integers(1, 25), max_size=4),
        TEXTS,
        st.sampled_from(
            ("", " has:code", " -has:code", " year:2021..2023", " year:..2022", " -stone", " -stone year:2022")
        ),
    )
    def same(made: list[tuple[str, bool, int]], gone: set[int], typed: str, filtered: str) -> None:
        papers = [
            Document(pk=pk, change=pk, title=title, has_code=code, day=date(year, 1, 1))
            for pk, (title, code, year) in enumerate(made, 1)
        ]
        index.clear()
        reference = ReferenceIndex(Concepts())
        for each in (index, reference):
            each.apply(papers, [], cursor=len(papers))
            embed_all(each, papers)
            each.apply([], gone, cursor=len(papers) + 1)
        ours, theirs = (each.search(parse(typed + filtered), limit=100) for each in (index, reference))
        assert set(keys(ours)) == set(keys(theirs))
        assert ours.total == theirs.total
        asked = papers[0].pk
        near, there = index.related(asked, limit=30), reference.related(asked, limit=30)
        assert {hit.pk for hit in near} == {hit.pk for hit in there}
        assert [hit.score for hit in near] == pytest.approx([hit.score for hit in there], abs=0.02)

    same()
    index.close()


def test_a_filter_finds_by_meaning_what_stands_behind_papers_that_were_changed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Vectors that were replaced are no sign that all were looked at, though fewer than were asked for come back."""
    monkeypatch.setattr(embedded_hybrid, "_LOOKING_UP", 0)
    monkeypatch.setattr(embedded_hybrid, "_MOST", 1_500)
    monkeypatch.setattr(calibration, "FACTORS", (10,))
    monkeypatch.setattr(calibration, "_ENOUGH", 0.0)
    index = opened(folder)
    near = [Document(pk=pk, change=1, title=f"Car {pk}", categories=("cs.AA",)) for pk in range(1, 2_301)]
    wanted = [
        Document(pk=pk, change=1, title=f"Vehicle of stone {pk}", categories=("math.BB",)) for pk in range(2_301, 2_601)
    ]
    index.apply([*near, *wanted], [], cursor=1)
    embed_all(index, [*near, *wanted], limit=2_600)
    query = parse("automobile category:math.BB")
    assert index.search(query, limit=100).total == 100
    changed = [
        Document(pk=pk, change=2, title=f"A car {pk}, corrected", categories=("cs.AA",)) for pk in range(1, 2_301, 4)
    ]
    index.apply(changed, [], cursor=2)
    embed_all(index, changed, limit=2_600)
    assert index.search(query, limit=100).total == 100
    index.close()


def test_nearly_the_same_scores_as_the_reference(folder: Path) -> None:
    """Eight bits, and the one document that holds the cursor, change little where there are many papers."""
    index, reference = opened(folder), ReferenceIndex(Concepts())
    papers = [paper(pk, " ".join(WORDS[pk * step % 8] for step in range(1, 2 + pk % 4))) for pk in range(1, 301)]
    for each in (index, reference):
        each.apply(papers, [], cursor=300)
        embed_all(each, papers, limit=100)
    for typed in ("car", "ship stone", "light meadow lamp"):
        scores = [hit.score for hit in index.search(parse(typed), limit=90).hits]
        expected = [hit.score for hit in reference.search(parse(typed), limit=90).hits]
        assert scores == pytest.approx(expected, abs=0.03)
    index.close()


def test_papers_far_from_the_newest_are_reached(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Page by page, with more changed papers than count as news."""
    monkeypatch.setattr(embedded_meaning, "_PAGE", 7)
    monkeypatch.setattr(embedded_meaning, "_MANY_CHANGED", 5)
    index = opened(folder)
    days = np.random.default_rng(1).permutation(60)
    papers = [paper(pk, f"lamp {pk}", day=date(2024, 1, 1) + timedelta(days=int(days[pk]))) for pk in range(60)]
    index.apply(papers[:40], [], cursor=40)
    first = index.unembedded(limit=4)
    index.embed([papers[pk] for pk in first])
    index.apply(papers[40:], [], cursor=60)
    named = first + embed_all(index, papers, limit=4)
    assert sorted(named) == list(range(60))
    newest = sorted(set(range(60)) - set(first), key=lambda pk: -days[pk])
    assert named[4:] == newest
    index.close()
