"""Importing files: what is reported and kept, and that a file which cannot be used leaves the database as it was."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from broadsheet.ingest import queries
from broadsheet.ingest.actions import Progress, import_file
from broadsheet.ingest.models import ImportRun, RejectedRecord
from broadsheet.papers import queries as papers
from broadsheet.papers.models import Paper, PaperChange, Statement
from broadsheet.sources.base import Unreadable

pytestmark = pytest.mark.django_db

SEEDS = {"000": 42, "001": 67, "002": 73, "003": 73, "004": 57}

PAGE = """new

Get trending papers in your email inbox!

Subscribe

Daily Papers

byAK and the research community

Mar 14

A Lamp for Every Step

We place a lamp on every step of a stair. Falls become rare.

Harbours Without Water

We ask what is left of a harbour when the water goes. It is a long answer.
"""


def tables() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Paper, Statement, PaperChange, ImportRun, RejectedRecord))


def records(folder: Path, *entries: dict[str, Any] | str) -> Path:
    path = folder / "papers.jsonl"
    lines = [entry if isinstance(entry, str) else json.dumps(entry) for entry in entries]
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


def test_a_saved_page_becomes_papers(tmp_path: Path) -> None:
    (tmp_path / "page.txt").write_text(PAGE, encoding="utf-8")
    report = import_file(tmp_path / "page.txt")
    assert (report.read, report.new, report.rejected) == (2, 2, 0)
    assert {paper.title for paper in Paper.objects.all()} == {"A Lamp for Every Step", "Harbours Without Water"}


def test_importing_again_under_another_name_changes_nothing(tmp_path: Path) -> None:
    for name in ("page.txt", "the same.txt"):
        (tmp_path / name).write_text(PAGE, encoding="utf-8")
    import_file(tmp_path / "page.txt")
    before = tables()
    report = import_file(tmp_path / "the same.txt")
    assert (report.read, report.unchanged) == (2, 2)
    assert tables()[:3] == before[:3]


def test_what_cannot_be_read_is_kept_with_its_reason_and_the_rest_is_stored(tmp_path: Path) -> None:
    good = {"title": "A Lamp for Every Step", "arxiv_id": "2401.00001"}
    path = records(tmp_path, good, {"title": 7}, {**good, "title": "Harbours", "arxiv_id": "2401.00002"}, "[1]")
    report = import_file(path)
    assert (report.read, report.new, report.rejected) == (4, 2, 2)
    first, second = queries.rejected(report.run_id)
    assert "title" in first.reason
    assert second.excerpt.startswith(b"[1]")


@pytest.mark.parametrize("apart", [0, 2500], ids=["beside each other", "batches apart"])
def test_a_file_that_contradicts_itself_keeps_what_it_said_first(tmp_path: Path, apart: int) -> None:
    lamp = {"title": "A Lamp for Every Step", "source_key": "lamp"}
    between = [{"title": f"Work {n} of its own kind", "source_key": str(n)} for n in range(apart)]
    path = records(tmp_path, lamp, *between, {**lamp, "venue": "elsewhere"}, lamp)
    first = import_file(path)
    assert (first.new, first.unchanged, first.rejected) == (apart + 1, 1, 1)
    assert "something else under lamp" in queries.rejected(first.run_id)[0].reason
    again = import_file(path)
    assert (again.changed, again.unchanged) == (0, apart + 2)


def test_progress_tells_bytes_and_records_and_ends_at_the_size_of_the_file(tmp_path: Path) -> None:
    path = records(tmp_path, *({"title": f"Work {n} of its own kind", "source_key": str(n)} for n in range(2500)))
    heard: list[Progress] = []
    import_file(path, progress=heard.append)
    assert [p.records for p in heard] == [2000, 2500]
    assert heard[-1].done_bytes == heard[-1].total_bytes == path.stat().st_size


def test_the_run_is_remembered_with_its_counts(tmp_path: Path) -> None:
    report = import_file(records(tmp_path, {"title": "A Lamp for Every Step"}))
    (run,) = queries.recent_runs()
    assert (run.id, run.source, run.filename, run.read, run.new) == (report.run_id, "records", "papers.jsonl", 1, 1)
    assert run.finished_at is not None


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, "Nothing was stored", id="binary"),
        pytest.param(PAGE.encode("utf-16"), "Nothing was stored", id="UTF-16"),
        pytest.param(PAGE.replace("lamp", "làmp").encode("latin-1"), "Nothing was stored", id="Latin-1"),
        pytest.param(PAGE.encode()[:-60], "Nothing was stored", id="a page that ends in a sentence"),
        pytest.param(PAGE.encode()[:100], "Nothing was stored", id="a page that ends in its head"),
        pytest.param(b"Dear colleague,\nthe minutes are attached.\n", "no file that Broadsheet knows", id="a letter"),
        pytest.param(b'{"title": "A Lamp"}\n{"title": "Har', "Nothing was stored", id="records cut off"),
    ],
)
def test_a_file_that_cannot_be_used_leaves_the_database_as_it_was(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    import_file(records(tmp_path, {"title": "Something that was there before"}))
    before = tables()
    path = tmp_path / "saved.txt"
    path.write_bytes(content)
    with pytest.raises(Unreadable, match=sentence):
        import_file(path)
    assert tables() == before


def test_a_page_of_500_megabytes_is_refused_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.txt"
    with path.open("wb") as file:
        file.write(PAGE.encode())
        file.truncate(500_000_000)
    with pytest.raises(Unreadable, match="Nothing was stored"):
        import_file(path)
    assert tables() == (0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("absent.txt", "does not exist"), ("folder", "is no regular file"), ("/dev/zero", "is no regular file")],
)
def test_what_is_no_file_is_said_so(tmp_path: Path, name: str, sentence: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(Unreadable, match=sentence):
        import_file(tmp_path / name)


def test_a_name_that_is_no_text_is_remembered_as_far_as_it_is(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff.jsonl"))
    path.write_text('{"title": "A Lamp for Every Step"}\n', encoding="utf-8")
    import_file(path)
    assert queries.recent_runs()[0].filename == "bad?.jsonl"


@pytest.mark.parametrize("name", ["a\x1b[31mb.jsonl", "a\u202eb.jsonl", "a\x9bb.jsonl"])
def test_a_name_that_would_steer_a_terminal_is_told_without_that(tmp_path: Path, name: str) -> None:
    heard: list[Progress] = []
    path = tmp_path / name
    path.write_text('{"title": "A Lamp for Every Step"}\n', encoding="utf-8")
    report = import_file(path, progress=heard.append)
    assert [report.filename.isprintable(), *(one.filename.isprintable() for one in heard)] == [True, True]
    path.write_text("\n\n", encoding="utf-8")
    with pytest.raises(Unreadable) as refusal:
        import_file(path)
    assert refusal.value.sentence.isprintable()


@pytest.mark.shared
def test_the_five_real_pages_are_273_papers_and_the_second_time_nothing_happens(shared_data: Path) -> None:
    pages = sorted((shared_data / "seeds").glob("*.txt"))
    first = [import_file(page) for page in pages]
    assert {report.filename[:3]: report.read for report in first} == SEEDS
    assert sum(report.rejected for report in first) == 0
    assert Paper.objects.filter(merged_into=None).count() == 273
    before = tables()
    again = [import_file(page) for page in pages]
    assert sum(report.unchanged for report in again) == 312
    assert tables()[:3] == before[:3]


@pytest.mark.shared
def test_the_five_pages_meet_the_collection_that_comes_with_the_program(shared_data: Path) -> None:
    from broadsheet import starter

    import_file(starter.CATALOGUE)
    assert Paper.objects.count() == 273
    reports = [import_file(page) for page in sorted((shared_data / "seeds").glob("*.txt"))]
    assert sum(report.new for report in reports) == 0
    assert Paper.objects.count() == 273
    assert all(paper.abstract for paper in Paper.objects.all())
    assert {found.key for found in [papers.find("2101.04442")] if found} == {"2101.04442"}
