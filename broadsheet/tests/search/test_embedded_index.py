"""What is true of the embedded engine only: its folder, its processes, and what happens when either breaks."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from broadsheet.search import paging
from broadsheet.search.adapters import embedded, embedded_reader, embedded_schema
from broadsheet.search.adapters.embedded import EmbeddedIndex
from broadsheet.search.index import Facet, IndexLocked, IndexUnavailable
from broadsheet.search.lexical import Plan
from broadsheet.search.query import Query, parse
from broadsheet.testing.index_conformance import CAST, LION, keys, paper


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the index is to be."""
    return tmp_path / "var" / "index"


@pytest.fixture
def filled(folder: Path) -> Iterator[EmbeddedIndex]:
    """An index with the cast, open for writing."""
    index = EmbeddedIndex(folder)
    index.apply(CAST, [], cursor=4)
    yield index
    index.close()


FILTERED = {
    "an author": Plan(authors=((("ada",),),)),
    "a category": Plan(categories=("cs",)),
    "a venue": Plan(venues=(("icml",),)),
    "a first day": Plan(since=20240101),
    "a last day": Plan(until=20240101),
    "code": Plan(has_code=True),
    "a claim that holds": Plan(holds=False),
    "no such word": Plan(without=(("lamp",),)),
    "no such author": Plan(without_authors=((("ada",),),)),
    "no such category": Plan(without_categories=("cs",)),
    "no such venue": Plan(without_venues=(("icml",),)),
}


def test_how_many_papers_pass_is_remembered_for_each_filter() -> None:
    assert all(map(embedded_schema.has_filters, FILTERED.values()))
    told = {embedded_schema.filters_of(plan) for plan in (Plan(), *FILTERED.values())}
    assert len(told) == len(FILTERED) + 1


def test_how_many_papers_pass_is_counted_again_when_papers_came(folder: Path, filled: EmbeddedIndex) -> None:
    reader = embedded_reader.Reader(generation(folder))
    plan = Plan(until=20991231)
    before = reader.passing(plan)
    filled.apply([paper(90, "One more", day=date(2024, 1, 1))], [], cursor=5)
    assert reader.passing(plan) == before
    reader.reload()
    assert reader.passing(plan) == before + 1


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Readers look for news at every question."""
    monkeypatch.setattr(embedded, "RELOAD_AFTER", 0.0)


def generation(folder: Path) -> Path:
    """The files of the live generation."""
    name: str = json.loads((folder / "manifest.json").read_bytes())["generation"]
    return folder / name


def run(code: str, *arguments: object, **options: object) -> subprocess.Popen[str]:
    """Another Python, running this code; its arguments are in `sys.argv`."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)  # type: ignore[call-overload,no-any-return]  # options of Popen, whichever


# --- Readers and the writer -------------------------------------------------------------------------------------------


def test_asking_makes_no_folder(folder: Path) -> None:
    """A reader may come before the first writer."""
    index = EmbeddedIndex(folder)
    assert (index.count(), index.cursor(), index.search(parse("lion")).total) == (0, 0, 0)
    assert not folder.exists()


@pytest.mark.usefixtures("impatient")
def test_reader_sees_commits(folder: Path) -> None:
    """Those of another object, from the first on."""
    reader, writer = EmbeddedIndex(folder), EmbeddedIndex(folder)
    assert reader.count() == 0
    writer.apply([LION], [], cursor=1)
    assert keys(reader.search(parse("lion"))) == [1]
    writer.apply([], [1], cursor=2)
    assert (reader.count(), reader.cursor()) == (0, 2)
    writer.close()


READ_FOR_EVER = """
import pathlib, sys, time
from broadsheet.search.adapters.embedded import EmbeddedIndex
index = EmbeddedIndex(pathlib.Path(sys.argv[1]))
index.count()
print("reading", flush=True)
while index.count() < 5:
    time.sleep(0.01)
print(index.cursor(), time.time(), flush=True)
"""


@pytest.mark.process
def test_another_process_sees_a_new_paper_soon(filled: EmbeddedIndex, folder: Path) -> None:
    """It looks once a second, so within two; a busy machine is given ten."""
    assert embedded.RELOAD_AFTER <= 1.0
    process = run(READ_FOR_EVER, folder)
    assert process.stdout is not None
    assert process.stdout.readline() == "reading\n"
    filled.apply([paper(5, "new")], [], cursor=9)
    written = time.time()
    out, err = process.communicate(timeout=60)
    assert err == ""
    cursor, seen = out.split()
    assert cursor == "9"
    assert float(seen) - written < 10


def test_reader_looks_for_news_once_a_second(
    filled: EmbeddedIndex, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not at every question; but then it does."""
    clock = [1000.0]
    monkeypatch.setattr(embedded.time, "monotonic", lambda: clock[0])
    reader = EmbeddedIndex(folder)
    assert reader.count() == 4
    filled.apply([], [1], cursor=5)
    clock[0] += 0.9
    assert reader.count() == 4
    clock[0] += 0.2
    assert reader.count() == 3


@pytest.mark.usefixtures("impatient")
def test_reader_follows_into_the_next_generation(filled: EmbeddedIndex, folder: Path) -> None:
    """Also while the old files are being removed."""
    reader = EmbeddedIndex(folder)
    assert reader.count() == 4
    for _round in range(3):
        filled.clear()
        assert (reader.count(), reader.cursor()) == (0, 0)
        filled.apply(CAST, [], cursor=4)
        assert reader.count() == 4
    assert [entry.name for entry in folder.iterdir() if entry.is_dir()] == [generation(folder).name]


def test_second_writer_is_refused(filled: EmbeddedIndex, folder: Path) -> None:
    """In this process or another, until the first closes; readers are not."""
    other = EmbeddedIndex(folder)
    changes: tuple[Callable[[], None], ...] = (lambda: other.apply([], [], cursor=9), other.clear)
    for change in changes:
        with pytest.raises(IndexLocked, match=r"Another process is writing .*\."):
            change()
    code = "import sys, pathlib; from broadsheet.search.adapters.embedded import EmbeddedIndex as E\n"
    code += "i = E(pathlib.Path(sys.argv[1])); print(i.count()); i.apply([], [], cursor=9)"
    process = run(code, folder)
    out, err = process.communicate(timeout=60)
    assert out == "4\n"
    assert "IndexLocked" in err
    assert other.count() == 4
    filled.close()
    other.apply([], [1], cursor=5)
    assert other.count() == 3
    other.close()


def test_failed_batch_lets_the_next_writer_in(filled: EmbeddedIndex, folder: Path) -> None:
    """An error on the way gives the lock back."""
    with pytest.raises(ZeroDivisionError):
        filled.apply((paper(1 // 0) for _ in range(1)), [], cursor=5)
    other = EmbeddedIndex(folder)
    other.apply([], [1], cursor=5)
    other.close()


def test_large_batch_is_one_commit(folder: Path) -> None:
    """More papers than are taken at a time."""
    index = EmbeddedIndex(folder)
    papers = [paper(pk, f"paper number {pk}") for pk in range(1, 1_302)]
    index.apply([*papers, *papers[:700]], [1], cursor=1)
    assert (index.count(), index.search(parse("number")).total) == (1_300, 1_300)
    index.close()


@pytest.mark.parametrize(
    ("changed", "cause"),
    [
        pytest.param({"change": 2**64}, "OverflowError", id="a number of more than 64 bits"),
        pytest.param({"title": "half a \ud800 letter"}, "UnicodeEncodeError", id="text that is no text"),
        pytest.param({"has_code": "perhaps"}, "TypeError", id="a value of another type"),
    ],
)
def test_document_that_cannot_be_held_is_left_out(
    changed: dict[str, Any], cause: str, filled: EmbeddedIndex, caplog: pytest.LogCaptureFixture
) -> None:
    """Logged with its key and the cause; the others go on, and what was held of it before is out of date."""
    filled.apply([replace(LION, **{"change": 5, **changed}), paper(9, "whole")], [], cursor=5)
    assert (filled.count(), filled.cursor()) == (4, 5)
    assert keys(filled.search(parse("whole"))) == [9]
    assert keys(filled.search(parse("lion"))) == []
    assert f"Paper {LION.pk} is left out of the search index, which cannot hold it: {cause}" in caplog.text


# --- Depth ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["lamp", "lamp sort:newest", ""])
def test_pages_go_on_behind_where_offsets_end(folder: Path, monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    """By day for ever, by relevance to a depth of their own."""
    monkeypatch.setattr(embedded_reader, "MAX_DEPTH", 20)
    monkeypatch.setattr(paging, "RELEVANCE_DEPTH", 41)
    index = EmbeddedIndex(folder)
    index.apply([paper(pk, "lamp " * (pk % 5 + 1), day=date(2024, 1, pk % 9 + 1)) for pk in range(1, 61)], [], cursor=1)
    query = parse(typed)
    found, page = [], index.search(query, limit=8, offset=16)
    assert len(page.hits) == 4
    while True:
        found += keys(page)
        if not page.next:
            break
        page = index.search(query, limit=8, after=page.next)
        assert page.total == 60
    assert len(set(found)) == len(found) == (28 if typed == "lamp" else 44)
    assert index.search(query, limit=8, offset=20).hits == ()
    index.close()


@pytest.mark.parametrize("longest", [3, 8, 20, 100])
def test_pages_fit_however_many_papers_are_alike(folder: Path, monkeypatch: pytest.MonkeyPatch, longest: int) -> None:
    """More of them than are put in order, fewer, and both in one answer: no gaps, no repeats, one order."""
    monkeypatch.setattr(embedded_reader, "_LONGEST_TIE", longest)
    monkeypatch.setattr(embedded_reader, "_MARGIN", 1)
    index = EmbeddedIndex(folder)
    titles = ["lamp"] * 31 + ["lamp lamp stone"] * 9 + ["lamp meadow"] * 3 + ["lamp stone cloud meadow"] * 17
    days = [date(2024, 1, pk * 7 % 13 + 1) for pk in range(60)]
    papers = [paper(pk, titles[pk * 7 % 60], day=days[pk], change=1) for pk in range(60)]
    for begin in range(0, 60, 19):
        index.apply(papers[begin : begin + 19], [], cursor=1)
    query = parse("lamp")
    whole = index.search(query, limit=60)
    for size in (1, 4, 7, 25):
        pages = [index.search(query, limit=size, offset=offset) for offset in range(0, 60, size)]
        assert [hit for page in pages for hit in page.hits] == list(whole.hits)
        page = index.search(query, limit=size)
        found = list(page.hits)
        while page.next:
            page = index.search(query, limit=size, after=page.next)
            found += page.hits
        assert found == list(whole.hits)
    alike: dict[float, list[int]] = {}
    for hit in whole.hits:
        alike.setdefault(hit.score, []).append(hit.pk)
    for run in alike.values():
        if len(run) <= longest:
            assert run == sorted(run, key=lambda pk: (-days[pk].toordinal(), pk))
    index.close()


# --- Death ------------------------------------------------------------------------------------------------------------

WRITE_FOR_EVER = """
import pathlib, sys
from broadsheet.search.adapters.embedded import EmbeddedIndex
from broadsheet.search.document import Document
index = EmbeddedIndex(pathlib.Path(sys.argv[1]))
cursor = index.cursor()
while True:
    cursor += 1
    papers = [Document(pk=10 * cursor + i, change=cursor, title=f"batch b{cursor} paper") for i in range(10)]
    index.apply(papers, [], cursor=cursor)
    print(cursor, flush=True)
"""


@pytest.mark.process
def test_killed_writer_loses_nothing_acknowledged_and_leaves_nothing_half(folder: Path) -> None:
    """kill -9 at some moment, several times: the cursor says exactly which batches are there, each of them whole."""
    acknowledged = 0
    for moment in (0.0, 0.01, 0.03, 0.07, 0.013):
        process = run(WRITE_FOR_EVER, folder)
        assert process.stdout is not None
        for line in process.stdout:
            acknowledged = int(line)
            if acknowledged % 4 == 0:
                break
        time.sleep(moment)
        process.kill()
        rest, _errors = process.communicate(timeout=60)
        acknowledged = max([acknowledged, *map(int, rest.split())])
        index = EmbeddedIndex(folder)
        cursor = index.cursor()
        assert acknowledged <= cursor <= acknowledged + 1
        assert index.count() == 10 * cursor
        assert index.search(parse(f"b{cursor}"), limit=1).total == 10
        acknowledged = cursor


@pytest.mark.process
def test_killed_while_clearing_leaves_an_index(folder: Path, filled: EmbeddedIndex) -> None:
    """The old one or a new one, and it can be written."""
    filled.close()
    code = "import sys, pathlib; from broadsheet.search.adapters.embedded import EmbeddedIndex as E\n"
    code += "i = E(pathlib.Path(sys.argv[1])); print('go', flush=True)\nwhile True: i.clear()"
    for moment in (0.01, 0.03, 0.05):
        process = run(code, folder)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(moment)
        process.kill()
        process.communicate(timeout=60)
        index = EmbeddedIndex(folder)
        assert index.count() in (0, 4)
        index.apply(CAST, [], cursor=4)
        assert index.count() == 4
        index.close()


# --- Damage -----------------------------------------------------------------------------------------------------------


def empty_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_bytes(b"")


def manifest_is_a_list(folder: Path) -> None:
    (folder / "manifest.json").write_bytes(b"[1, 2]")


def manifest_leads_outside(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_bytes())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"generation": "../elsewhere"}))


def manifest_is_binary(folder: Path) -> None:
    (folder / "manifest.json").write_bytes(os.urandom(20_000))


def another_format(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_bytes())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"format": 99}))


def another_engine(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_bytes())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"engine": "0.1"}))


def another_schema(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_bytes())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"schema": "0"}))


def generation_is_gone(folder: Path) -> None:
    shutil.rmtree(generation(folder))


def generation_is_empty(folder: Path) -> None:
    for file in generation(folder).iterdir():
        file.unlink()


def meta_is_damaged(folder: Path) -> None:
    (generation(folder) / "meta.json").write_bytes(b"{")


def segment_is_cut(folder: Path) -> None:
    for file in generation(folder).glob("*.idx"):
        file.write_bytes(file.read_bytes()[:10])


def segment_is_noise(folder: Path) -> None:
    for file in generation(folder).glob("*.term"):
        file.write_bytes(os.urandom(len(file.read_bytes())))


def segment_is_gone(folder: Path) -> None:
    for file in generation(folder).glob("*.fast"):
        file.unlink()


DAMAGES = (
    *(empty_manifest, manifest_is_a_list, manifest_leads_outside, manifest_is_binary),
    *(another_format, another_engine, another_schema),
    *(generation_is_gone, generation_is_empty, meta_is_damaged, segment_is_cut, segment_is_noise, segment_is_gone),
)


def refused(ask: Callable[[], object]) -> IndexUnavailable | None:
    """How a question was refused, None when it was answered."""
    try:
        ask()
    except IndexUnavailable as error:
        return error
    return None


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_damaged_index_says_so_and_is_rebuilt_by_clear(
    folder: Path, filled: EmbeddedIndex, damage: Callable[[Path], None]
) -> None:
    """Every question and the writer get a sentence that asks for a rebuild; after `clear` all is well."""
    filled.close()
    damage(folder)
    index = EmbeddedIndex(folder)
    questions = (
        lambda: index.search(parse("lion message"), facets=Facet),
        lambda: index.suggest("lio"),
        lambda: index.suggest_names("exa"),
        lambda: index.explain(parse("lion"), 1),
        index.count,
        index.cursor,
        lambda: index.apply(CAST, [], cursor=5),
    )
    refusals = [refusal for ask in questions if (refusal := refused(ask))]
    assert refusals
    for refusal in refusals:
        assert refusal.rebuild_needed, refusal
        assert str(refusal).endswith("It has to be built again.")
    index.clear()
    assert (index.count(), index.cursor()) == (0, 0)
    index.apply(CAST, [], cursor=4)
    assert keys(index.search(parse("lion"))) == [1]
    index.close()


@pytest.mark.usefixtures("impatient")
def test_vanished_index_says_so_and_is_rebuilt_by_clear(folder: Path, filled: EmbeddedIndex) -> None:
    """For readers and the writer that had it open. A program that starts now finds a new index."""
    reader = EmbeddedIndex(folder)
    assert reader.count() == 4
    shutil.rmtree(folder)
    for ask in (reader.count, lambda: reader.search(Query()), lambda: filled.apply([LION], [], cursor=5)):
        for _again in range(2):
            with pytest.raises(IndexUnavailable, match=r"has vanished\. It has to be built again\.") as caught:
                ask()
            assert caught.value.rebuild_needed
    assert EmbeddedIndex(folder).cursor() == 0
    filled.clear()
    filled.apply(CAST, [], cursor=4)
    assert reader.count() == 4


def test_folder_that_cannot_be_is_no_damage(tmp_path: Path) -> None:
    """A file stands where the folder should be: somebody has to look, rebuilding does not help."""
    (tmp_path / "var").write_text("a file")
    index = EmbeddedIndex(tmp_path / "var" / "index")
    for ask in (index.count, lambda: index.search(parse("lion")), index.clear, lambda: index.apply([], [], cursor=1)):
        with pytest.raises(IndexUnavailable, match=r"cannot be \w+: Not a directory\.") as caught:
            ask()
        assert not caught.value.rebuild_needed


AS_NOBODY = """
import os, pathlib, sys
from broadsheet.search.adapters.embedded import EmbeddedIndex
from broadsheet.search.index import IndexUnavailable
from broadsheet.search.query import parse
from broadsheet.testing.index_conformance import CAST
index = EmbeddedIndex(pathlib.Path(sys.argv[1]))
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
for ask in (lambda: index.search(parse("lion")).total, lambda: index.apply(CAST, [], cursor=9), index.clear):
    try:
        print(ask())
    except IndexUnavailable as error:
        print(error.rebuild_needed, error)
"""


@pytest.mark.process
def test_read_only_folder(folder: Path, filled: EmbeddedIndex, tmp_path: Path) -> None:
    """Nothing can be written, and the sentence says why. Nothing is taken for damage."""
    filled.close()
    parents = [parent for parent in folder.parents if parent.owner() == folder.owner() and parent != Path("/")]
    modes = {parent: parent.stat().st_mode for parent in parents}
    try:
        for parent in parents:
            parent.chmod(0o755)
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        process = run(AS_NOBODY, folder, cwd="/")
        out, err = process.communicate(timeout=60)
    finally:
        for parent, mode in modes.items():
            parent.chmod(mode)
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
    assert err == ""
    assert (
        out.splitlines()[1:]
        == ["False The search index cannot be written: Permission denied. Nothing of this change was kept."] * 2
    )
    assert tmp_path in parents


FULL_DISK = """
import pathlib, resource, sys
from broadsheet.search.adapters.embedded import EmbeddedIndex
from broadsheet.search.document import Document
from broadsheet.search.index import IndexUnavailable
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
index = EmbeddedIndex(pathlib.Path(sys.argv[1]))
papers = [Document(pk=pk, change=pk, title=" ".join(f"w{pk * i % 9973}" for i in range(60))) for pk in range(9, 2_000)]
for _again in range(2):
    try:
        index.apply(papers, [], cursor=9)
    except IndexUnavailable as error:
        print(error.rebuild_needed, error)
print(index.count(), index.cursor())
"""


@pytest.mark.process
def test_no_room_on_the_disk(folder: Path, filled: EmbeddedIndex) -> None:
    """A limit on the size of files stands for the full disk. What was there stays, and works again afterwards."""
    filled.close()
    process = run(FULL_DISK, folder)
    out, err = process.communicate(timeout=60)
    *refusals, state = out.splitlines()
    assert len(refusals) == 2, err
    assert all(line.startswith("False The search index cannot be written: ") for line in refusals)
    assert state == "4 4"
    index = EmbeddedIndex(folder)
    index.apply([], [1], cursor=5)
    assert (index.count(), index.cursor()) == (3, 5)
    index.close()


def test_content_of_documents_has_a_version() -> None:
    """Papers that become other documents make old indexes wrong: raise `embedded_schema.CONTENT` when this fails."""
    made = [embedded_schema.document(each).to_dict() for each in CAST]
    digest = hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()
    assert (embedded_schema.CONTENT, digest[:16]) == (5, "9c4c8eedec83b6e0")
