"""What each command prints, keeps and answers, as real processes on a data folder of their own."""

from __future__ import annotations

import json
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

Run = Callable[..., subprocess.CompletedProcess[str]]

LAMP = {"title": "A Lamp for Every Step", "abstract": "We place a lamp on every step.", "arxiv_id": "2401.00001"}
LANTERN = {"title": "Lanterns on Stairs", "abstract": "A lantern is a lamp.", "doi": "10.5555/lantern"}
HARBOUR = {"title": "Harbours Without Water", "authors": ["Ada Example", "Đorđe Primer"], "arxiv_id": "2402.00002"}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The data folder that the commands of a test use."""
    return tmp_path / "data"


@pytest.fixture
def used(data: Path, made: Path) -> Path:
    """The data folder after a first start."""
    shutil.copytree(made, data)
    return data


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    """A file of three papers and a line that is none."""
    path = tmp_path / "papers.jsonl"
    lines = [json.dumps(entry) for entry in (LAMP, LANTERN, HARBOUR)]
    path.write_text("\n".join([*lines, json.dumps({"abstract": "A paper without a title."})]) + "\n", encoding="utf-8")
    return path


class TestHelp:
    def test_it_lists_the_commands(self, broadsheet: Run) -> None:
        done = broadsheet("--help")
        assert done.returncode == 0
        for command in (
            "up",
            "serve",
            "work",
            "import",
            "export",
            "harvest",
            "audit",
            "search",
            "merge",
            "unmerge",
            "statements",
            "split",
            "check",
            "doctor",
            "status",
            "backup",
        ):
            assert f"\n  {command} " in done.stdout

    def test_it_writes_nothing_and_loads_neither_django_nor_the_engine(self, data: Path) -> None:
        script = (
            "import sys; from click.testing import CliRunner; from broadsheet.cli.commands import broadsheet; "
            "CliRunner().invoke(broadsheet, ['--help']); "
            "print([name for name in ('django', 'tantivy', 'gunicorn', 'orjson') if name in sys.modules])"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "[]"
        assert not data.exists()


class TestHarvest:
    @pytest.mark.parametrize(
        ("arguments", "settings", "sentence"),
        [
            pytest.param(
                ["harvest", "arxiv"], {},
                "Nobody said who asks: sources want to know whom to write to. Nothing was asked.", id="no contact",
            ),
            pytest.param(
                ["harvest", "arxiv"], {"BROADSHEET_CONTACT": "me"}, "'me' is no contact.", id="no address",
            ),
            pytest.param(
                ["harvest", "arxive"], {"BROADSHEET_CONTACT": "ada@example.org"},
                "There is no source named 'arxive' that can be harvested.", id="no such source",
            ),
            pytest.param(["audit"], {}, "There is no database", id="an audit before the first start"),
        ],
    )  # fmt: skip
    def test_what_cannot_be_done_is_refused_with_a_sentence(
        self, arguments: list[str], settings: dict[str, str], sentence: str, broadsheet: Run, data: Path
    ) -> None:
        done = broadsheet(*arguments, **settings)
        assert done.returncode == 1
        assert done.stderr.startswith(f"Error: {sentence}")
        assert not data.exists()

    def test_a_day_must_be_one(self, broadsheet: Run) -> None:
        done = broadsheet("harvest", "arxiv", "--since", "yesterday")
        assert done.returncode == 2
        assert "does not match the format '%Y-%m-%d'" in done.stderr

    def test_an_audit_needs_something_that_is_followed(self, broadsheet: Run, used: Path) -> None:
        assert "Nothing is followed that announces days" in broadsheet("audit").stderr
        done = broadsheet("audit", "2026-11-20", BROADSHEET_HARVEST="arxiv:cs")
        assert done.returncode == 1
        assert done.stdout.splitlines()[0] == "Fri 2026-11-20  unverified"


class TestImport:
    def test_it_reports_what_became_of_every_item(self, broadsheet: Run, papers: Path) -> None:
        done = broadsheet("import", papers)
        assert done.returncode == 0, done.stderr
        first, rejected = done.stdout.splitlines()
        assert "(records): 4 read, 3 new, 0 merged, 0 changed, 0 unchanged, 1 rejected in " in first
        assert rejected.startswith("  rejected line 4: ")

    def test_again_it_changes_nothing(self, broadsheet: Run, papers: Path) -> None:
        broadsheet("import", papers)
        assert "0 new, 0 merged, 0 changed, 3 unchanged" in broadsheet("import", papers).stdout

    def test_a_file_that_cannot_be_read_does_not_keep_the_others_out(
        self, broadsheet: Run, papers: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "empty.html").touch()
        done = broadsheet("import", tmp_path / "empty.html", tmp_path / "none.html", papers)
        assert done.returncode == 1
        assert "Error: empty.html is empty." in done.stderr
        assert "none.html" in done.stderr
        assert "2 of 3 files could not be read" in done.stderr
        assert "3 new" in done.stdout

    def test_what_was_imported_is_found_at_once(self, broadsheet: Run, papers: Path) -> None:
        broadsheet("import", papers)
        done = broadsheet("search", "harbours", "water")
        assert done.stdout.startswith("Harbours Without Water\n")
        assert "https://arxiv.org/abs/2402.00002" in done.stdout
        assert "1 of 1 paper." in done.stderr

    def test_the_starter_catalogue_is_not_loaded_for_it(self, broadsheet: Run, papers: Path) -> None:
        broadsheet("import", papers)
        assert "3 from 3 statements" in broadsheet("status").stdout


class TestMerging:
    def test_two_papers_become_one_and_two_again(self, broadsheet: Run, papers: Path) -> None:
        broadsheet("import", papers)
        done = broadsheet(
            "merge", "2401.00001", "doi:10.5555/lantern", "--reason", "The same work under another title."
        )
        assert done.returncode == 0, done.stderr
        assert "broadsheet unmerge doi:10.5555/lantern" in done.stdout
        assert "2 from 3 statements" in broadsheet("status").stdout
        done = broadsheet("unmerge", "doi:10.5555/lantern", "--reason", "They differ.")
        assert done.returncode == 0, done.stderr
        assert "3 from 3 statements" in broadsheet("status").stdout

    def test_an_unknown_key_is_told(self, broadsheet: Run, papers: Path) -> None:
        broadsheet("import", papers)
        done = broadsheet("merge", "2401.00001", "2409.99999", "--reason", "x")
        assert done.returncode == 1
        assert done.stderr.startswith("Error: ")
        assert "2409.99999" in done.stderr


class TestWithoutADatabase:
    @pytest.mark.parametrize(
        "command", [("search", "x"), ("status",), ("backup", "x"), ("unmerge", "x", "--reason", "y")]
    )
    def test_a_sentence_and_no_new_file(self, command: tuple[str, ...], broadsheet: Run, data: Path) -> None:
        done = broadsheet(*command)
        assert done.returncode == 1
        assert "Error: There is no database in" in done.stderr
        assert not data.exists()


class TestBackup:
    def test_it_is_whole_and_for_its_owner_only(self, broadsheet: Run, papers: Path, tmp_path: Path) -> None:
        broadsheet("import", papers)
        done = broadsheet("backup", tmp_path / "copy.sqlite3")
        assert done.returncode == 0, done.stderr
        with closing(sqlite3.connect(tmp_path / "copy.sqlite3")) as copy:
            assert copy.execute("SELECT count(*) FROM papers_paper").fetchone() == (3,)
        assert stat.S_IMODE((tmp_path / "copy.sqlite3").stat().st_mode) == 0o600
        assert not list(tmp_path.glob("copy.sqlite3?*"))

    def test_it_names_a_folder_that_is_not_there(self, broadsheet: Run, papers: Path, tmp_path: Path) -> None:
        broadsheet("import", papers)
        done = broadsheet("backup", tmp_path / "nowhere" / "copy")
        assert done.returncode == 1
        assert "There is no folder" in done.stderr

    def test_it_never_overwrites(self, broadsheet: Run, papers: Path, tmp_path: Path) -> None:
        broadsheet("import", papers)
        (tmp_path / "copy").write_text("precious")
        done = broadsheet("backup", tmp_path / "copy")
        assert done.returncode == 1
        assert "exists already and was left alone" in done.stderr
        assert (tmp_path / "copy").read_text() == "precious"

    def test_for_postgresql_it_names_the_tool(self, broadsheet: Run, tmp_path: Path) -> None:
        done = broadsheet("backup", tmp_path / "copy", DATABASE_URL="postgresql://ada:hunter2@127.0.0.1:1/papers")
        assert done.returncode == 1
        assert "pg_dump" in done.stderr
        assert "hunter2" not in done.stderr


class TestDoctor:
    def test_on_a_new_folder_it_makes_everything(self, broadsheet: Run, data: Path) -> None:
        done = broadsheet("doctor")
        assert "repaired  making the database" in done.stdout
        assert "repaired  loading the starter catalogue" in done.stdout
        assert (data / "broadsheet.sqlite3").exists()

    def test_a_second_time_all_is_fine(self, broadsheet: Run, used: Path) -> None:
        assert used.exists()
        done = broadsheet("doctor")
        assert "repaired" not in done.stdout
        assert done.stdout.count("fine ") == 3

    def test_the_secret_is_closed(self, broadsheet: Run, used: Path) -> None:
        (used / "secret").chmod(0o644)
        assert "repaired  secret" in broadsheet("doctor").stdout
        assert stat.S_IMODE((used / "secret").stat().st_mode) == 0o600

    def test_a_damaged_index_is_built_again(self, broadsheet: Run, used: Path) -> None:
        for path in (used / "index").rglob("*"):
            if path.is_file():
                path.write_bytes(b"damaged")
        done = broadsheet("doctor")
        assert "repaired  index: built again, 273 papers" in done.stdout

    def test_a_damaged_database_is_told_and_not_touched(self, broadsheet: Run, used: Path) -> None:
        database = used / "broadsheet.sqlite3"
        for beside in used.glob("broadsheet.sqlite3-*"):
            beside.unlink()
        content = bytearray(database.read_bytes())
        content[40_000:120_000] = bytes(80_000)
        database.write_bytes(content)
        done = broadsheet("doctor")
        assert done.returncode == 1
        assert "not repaired  database:" in done.stdout
        assert database.read_bytes() == bytes(content)


class TestCheck:
    def test_mistakes_in_the_settings_are_all_told(self, broadsheet: Run, data: Path) -> None:
        done = broadsheet("check", BROADSHEET_PORT="x", BROADSHEET_PROT="1")
        assert done.returncode == 1
        assert done.stdout.count("[broadsheet.E001]") == 2
        assert not data.exists()

    def test_any_other_command_refuses_them_too(self, broadsheet: Run) -> None:
        done = broadsheet("status", BROADSHEET_PORT="x", BROADSHEET_PROT="1")
        assert done.returncode == 1
        assert done.stderr.splitlines() == [
            "Error: There is no setting BROADSHEET_PROT. Did you mean BROADSHEET_PORT?",
            "Error: BROADSHEET_PORT is 'x', which is not a whole number from 0 to 65535. "
            "Write for example BROADSHEET_PORT=8000",
        ]
