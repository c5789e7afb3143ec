"""`broadsheet export`: what it writes, where, and that importing it elsewhere gives the same papers again."""

from __future__ import annotations

import fcntl
import io
import json
import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from django.core.management import call_command

from broadsheet.bibliography.formats import bibtex, carried, csl, ris
from broadsheet.bibliography.record import Record
from broadsheet.cli import exporting
from broadsheet.cli.commands import broadsheet as command
from broadsheet.cli.failure import Failure
from broadsheet.editions.actions import publish_pending
from broadsheet.evidence.tasks import refresh_index
from broadsheet.papers import actions, queries, tasks
from broadsheet.search import paging
from broadsheet.search.adapters import embedded_reader
from broadsheet.search.index import Index
from broadsheet.search.query import parse
from broadsheet.sources.base import Source, read_verified
from broadsheet.sources.origins.bibtex import Bibtex
from broadsheet.sources.origins.catalogue import Catalogue
from broadsheet.sources.origins.csl_json import CslJson
from broadsheet.sources.origins.records import Records
from broadsheet.sources.origins.ris import Ris
from broadsheet.sources.origins.saved_page import SavedPage
from broadsheet.starter import CATALOGUE
from broadsheet.testing.cast import HARBOUR, LANTERN, MEADOW, said

Run = Callable[..., subprocess.CompletedProcess[str]]

FORMATS: dict[str, tuple[Source, tuple[str, ...]]] = {
    "bibtex": (Bibtex(), bibtex.CARRIED),
    "ris": (Ris(), ris.CARRIED),
    "csl-json": (CslJson(), csl.CARRIED),
}


@pytest.fixture
def three(db: None) -> None:
    """Three papers."""
    actions.store_many([LANTERN, HARBOUR, MEADOW])


def exported(tmp_path: Path, form: str, name: str = "papers", **choice: Any) -> bytes:
    """What an export writes."""
    file = tmp_path / name
    exporting.export(file, form, force=True, **choice)
    return file.read_bytes()


def read(source: Source, data: bytes) -> list[Record]:
    """The records that a source reads; everything must be one."""
    found = list(read_verified(source, io.BytesIO(data), filename="export"))
    records = [one for one in found if isinstance(one, Record)]
    assert len(records) == len(found)
    return records


def said_by(form: str, record: Record, fields: tuple[str, ...]) -> Record:
    """What a format carries of a record; all but BibTeX are plain text."""
    return carried(record, fields, plain=form != "bibtex")


# --- The same records again -------------------------------------------------------------------------------------------


def check_export_and_import(tmp_path: Path) -> None:
    """Export everything, import it into an empty instance, and export that: every paper, and byte for byte the same."""
    before = list(queries.shown())
    files = {form: exported(tmp_path, form) for form in FORMATS}
    for form, (source, fields) in FORMATS.items():
        call_command("flush", verbosity=0, interactive=False)
        actions.store_many(read(source, files[form]))
        after = list(queries.shown())
        assert [said_by(form, one, fields) for one in after] == [said_by(form, one, fields) for one in before], form
        assert exported(tmp_path, form, "again") == files[form], form


def _starter() -> list[Record]:
    """The starter catalogue."""
    with CATALOGUE.open("rb") as stream:
        return read(Catalogue(), stream.read())


@pytest.mark.django_db(transaction=True)
def test_the_starter_catalogue_comes_back(tmp_path: Path) -> None:
    actions.store_many(_starter())
    assert queries.totals().papers == 273
    check_export_and_import(tmp_path)


def _with_accents(shared_data: Path, count: int) -> Iterator[Record]:
    """Papers of all fields with accents in title or authors, as Unicode or as TeX."""
    path = shared_data / "corpora" / "arxiv_all_fields.jsonl.zst"
    with subprocess.Popen(["zstd", "-dcq", str(path)], stdout=subprocess.PIPE) as unpacking:
        assert unpacking.stdout is not None
        yield from islice(_accented(unpacking.stdout), count)
        unpacking.kill()


def _accented(lines: Any) -> Iterator[Record]:
    for line in lines:
        said_there = json.loads(line)
        names = "".join(said_there["authors"] or ())
        if (said_there["title"] + names).isascii() and "\\" not in said_there["title"] + names:
            continue
        fields = {
            "title": "title",
            "abstract": "abstract",
            "authors": "authors",
            "arxiv_id": "arxiv_id",
            "date": "submitted",
        }
        fields |= {"categories": "categories", "comments": "comments"}
        one = {ours: said_there[theirs] for theirs, ours in fields.items() if said_there.get(theirs)}
        yield from (
            r for r in Records().read(io.BytesIO(json.dumps(one).encode()), filename="x") if isinstance(r, Record)
        )


def _saved(shared_data: Path) -> Iterator[Record]:
    """Every item of the saved pages."""
    for page in sorted((shared_data / "seeds").glob("*.txt")):
        with page.open("rb") as stream:
            yield from (one for one in SavedPage().read(stream, filename="x") if isinstance(one, Record))


@pytest.mark.shared
@pytest.mark.django_db(transaction=True)
def test_everything_that_was_imported_comes_back(tmp_path: Path, shared_data: Path) -> None:
    actions.store_many(_starter())
    actions.store_many(list(_saved(shared_data)))
    actions.store_many(list(_with_accents(shared_data, 500)))
    assert queries.totals().papers > 750
    check_export_and_import(tmp_path)


@pytest.mark.shared
@pytest.mark.parametrize("form", FORMATS)
def test_five_thousand_papers_with_accents_come_back(form: str, shared_data: Path) -> None:
    source, fields = FORMATS[form]
    records = [*_starter(), *_saved(shared_data), *_with_accents(shared_data, 5000)]
    text = "".join(exporting._WRITERS[form](records))
    back = read(source, text.encode())
    assert [said_by(form, one, fields) for one in back] == [said_by(form, one, fields) for one in records]
    assert "".join(exporting._WRITERS[form](back)) == text


@pytest.mark.django_db(transaction=True)
def test_records_carry_everything(tmp_path: Path) -> None:
    actions.store_many([LANTERN, HARBOUR, said("Meadows", summary="Short.", field="bandits", kind="survey")])
    before = list(queries.shown())
    data = exported(tmp_path, "records")
    call_command("flush", verbosity=0, interactive=False)
    actions.store_many(read(Records(), data))
    assert list(queries.shown()) == before


# --- What is written --------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(("form", "empty"), [("bibtex", b""), ("ris", b""), ("csl-json", b"[]\n"), ("records", b"")])
def test_nothing_is_an_empty_file(form: str, empty: bytes, tmp_path: Path) -> None:
    assert exported(tmp_path, form) == empty


def test_papers_come_in_the_order_in_which_they_were_stored(three: None, tmp_path: Path) -> None:
    titles = [json.loads(line)["title"] for line in exported(tmp_path, "records").splitlines()]
    assert titles == [LANTERN.title, HARBOUR.title, MEADOW.title]


def test_a_paper_that_was_merged_is_written_once(three: None, tmp_path: Path) -> None:
    actions.merge_papers(winner_key="2401.00001", loser_key="2401.00002", reason="the same")
    assert exported(tmp_path, "ris").count(b"TY  - ") == 2


@pytest.fixture
def index(three: None) -> Iterator[Index]:
    """The index of the three papers."""
    opened = tasks.open_index()
    while refresh_index(opened).behind:
        pass
    yield opened
    opened.close()


def test_those_of_a_search(index: Index, tmp_path: Path) -> None:
    assert exported(tmp_path, "ris", query="transport").count(b"TY  - ") == 1


class TestManyFound:
    """An answer longer than a page of the index, and longer than an offset or an order reaches."""

    @pytest.fixture(autouse=True)
    def small(self, index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
        """Pages of two papers."""
        monkeypatch.setattr(exporting, "_PAGE", 2)

    @pytest.mark.parametrize("query", ["category:cs.LG", "lantern harbour meadow"])
    def test_every_page_of_the_answer_is_written(self, query: str, tmp_path: Path) -> None:
        opened = tasks.open_index()
        total = opened.search(parse(query), limit=1).total
        assert total > 0
        assert len(exported(tmp_path, "records", query=query).splitlines()) == total

    def test_no_paper_is_asked_for_by_an_offset(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(embedded_reader, "MAX_DEPTH", 2)
        assert len(exported(tmp_path, "records", query="lantern harbour meadow").splitlines()) == 3

    def test_an_answer_too_long_to_be_listed_by_relevance_comes_newest_first(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for module in (exporting, paging):
            monkeypatch.setattr(module, "RELEVANCE_DEPTH", 2)
        assert len(exported(tmp_path, "records", query="lantern harbour meadow").splitlines()) == 3
        assert "newest first" in capsys.readouterr().err

    def test_papers_that_are_missing_are_a_failure(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(paging, "RELEVANCE_DEPTH", 2)
        with pytest.raises(Failure, match="found 3 papers and listed 2: 1 are missing"):
            exporting.export(tmp_path / "x", "ris", query="lantern harbour meadow")
        assert not (tmp_path / "x").exists()


def test_those_of_an_edition_in_its_order(three: None, tmp_path: Path) -> None:
    while publish_pending().more:
        pass
    assert exported(tmp_path, "ris", edition="2024-01-02").count(b"TY  - ") == 2


def test_many_are_read_in_batches(three: None, tmp_path: Path) -> None:
    assert [one.title for one in queries.shown(batch=2)] == [one.title for one in queries.shown()]


# --- Where it is written ----------------------------------------------------------------------------------------------


def run(*arguments: str | Path) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(command, ["export", *map(str, arguments)])


def test_the_terminal_gets_it_without_a_file(three: None) -> None:
    done = run("--format", "bibtex")
    assert done.exit_code == 0, done.output
    assert done.stdout.count("@misc{") == 3
    assert "3 papers" in done.stderr


def test_a_file_that_exists_is_left_alone_without_force(three: None, tmp_path: Path) -> None:
    file = tmp_path / "papers.bib"
    file.write_text("mine", encoding="utf-8")
    done = run(file, "--format", "bibtex")
    assert (done.exit_code, file.read_text(encoding="utf-8")) == (1, "mine")
    assert "left alone" in done.stderr
    assert run(file, "--format", "bibtex", "--force").exit_code == 0
    assert file.read_text(encoding="utf-8").startswith("@misc{")
    assert list(tmp_path.glob(".*")) == []


def test_a_file_that_comes_meanwhile_is_left_alone(
    three: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "papers.bib"

    def slow(records: Any) -> Iterator[str]:
        file.write_text("mine", encoding="utf-8")
        yield from bibtex.write(records)

    monkeypatch.setitem(exporting._WRITERS, "bibtex", slow)
    with pytest.raises(Failure, match="left alone"):
        exporting.export(file, "bibtex")
    assert file.read_text(encoding="utf-8") == "mine"
    assert list(tmp_path.glob(".*")) == []


def test_a_failure_leaves_nothing_behind(three: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(records: Any) -> Iterator[str]:
        yield "@misc"
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(exporting._WRITERS, "bibtex", broken)
    with pytest.raises(OSError, match="No space"):
        exporting.export(tmp_path / "papers.bib", "bibtex")
    assert [path for path in tmp_path.iterdir() if path.is_file()] == []


def test_what_is_no_regular_file_is_left_alone(three: None, tmp_path: Path) -> None:
    pipe, loop = tmp_path / "pipe", tmp_path / "loop"
    os.mkfifo(pipe)
    loop.symlink_to(loop)
    for name in (pipe, loop):
        done = run(name, "--format", "ris", "--force")
        assert (done.exit_code, "is no regular file" in done.stderr) == (1, True), done.output
    assert pipe.is_fifo()
    assert loop.is_symlink()


def test_a_link_is_followed_and_the_mode_kept(three: None, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    file, link = tmp_path / "there" / "papers.ris", tmp_path / "link"
    file.touch()
    file.chmod(0o604)
    link.symlink_to(file)
    assert run(link, "--format", "ris", "--force").exit_code == 0
    assert link.is_symlink()
    assert file.read_text(encoding="utf-8").startswith("TY  - ")
    assert stat.S_IMODE(file.stat().st_mode) == 0o604


def test_a_new_file_has_the_mode_of_any_other(three: None, tmp_path: Path) -> None:
    (tmp_path / "any").touch()
    assert run(tmp_path / "papers.ris", "--format", "ris").exit_code == 0
    assert (tmp_path / "papers.ris").stat().st_mode == (tmp_path / "any").stat().st_mode


def test_what_a_killed_export_left_is_removed_and_what_is_being_written_is_not(three: None, tmp_path: Path) -> None:
    left, written, other = (
        tmp_path / f".{name}.partial" for name in ("p.ris.abcd_123", "p.ris.efgh4567", "q.ris.abcd_123")
    )
    for file in (left, written, other):
        file.touch()
    with written.open("r+b") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert run(tmp_path / "p.ris", "--format", "ris").exit_code == 0
    assert [file.exists() for file in (left, written, other)] == [False, True, True]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(("nowhere/x.bib", "--format", "bibtex"), "There is no folder", id="no such folder"),
        pytest.param((".", "--format", "bibtex"), "is a folder", id="a folder"),
        pytest.param(
            ("-", "--format", "bibtex", "--edition", "1999-01-01"), "There is no edition", id="no such edition"
        ),
        pytest.param(("-", "--format", "ris", "--edition", "x", "--query", "y"), "together", id="two choices"),
        pytest.param(("-", "--format", "ris", "--query", " "), "--query is empty", id="an empty search"),
    ],
)
def test_refusals(three: None, tmp_path: Path, arguments: tuple[str, ...], sentence: str) -> None:
    first = arguments[0] if arguments[0] == "-" else tmp_path / arguments[0]
    done = run(first, *arguments[1:])
    assert done.exit_code == 1
    assert sentence in done.stderr
    assert done.stdout == ""


def test_a_format_must_be_named_and_known(three: None) -> None:
    assert run("-").exit_code == 2
    assert run("-", "--format", "endnote").exit_code == 2


def test_progress_is_told(three: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "EVERY", 0.0)
    actions.store_many([said(f"Meadow {number}", key=str(number)) for number in range(200)])
    done = run(tmp_path / "papers.ris", "--format", "ris")
    assert "100 of 203 papers" in done.stderr
    assert "203 papers" in done.stderr.splitlines()[-1]


@pytest.mark.process
def test_the_file_of_a_real_export_is_recognised_by_the_import(broadsheet: Run, made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path / "data")
    for form in FORMATS:
        assert broadsheet("export", tmp_path / form, "--format", form).returncode == 0
        done = broadsheet("import", tmp_path / form, data=tmp_path / f"data-{form}")
        assert f"({form}): 273 read, 273 new" in done.stdout, done.stdout + done.stderr
