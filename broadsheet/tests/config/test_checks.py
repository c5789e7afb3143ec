"""What `broadsheet check` looks at: each problem has an id, a hint, and a place in the documentation."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import shutil
import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import Error, Tags, register
from django.core.checks.registry import registry
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.utils import OperationalError
from django.utils import timezone

from broadsheet.config import checks, folder, options, schema, starter, stored_checks
from broadsheet.config.checks import Seen
from broadsheet.config.options import Configuration
from broadsheet.evidence.tasks import refresh_index
from broadsheet.following.queries import deliveries
from broadsheet.following.queries.deliveries import Trouble
from broadsheet.ingest.actions import import_file
from broadsheet.papers import queries as papers
from broadsheet.papers import tasks
from broadsheet.search.index import IndexUnavailable


@pytest.fixture
def configured(tmp_path: Path) -> Callable[..., Configuration]:
    """The settings of an instance in the folder of the test."""

    def load(**said: str) -> Configuration:
        return options.load(
            {"BROADSHEET_DATA": str(tmp_path / "instance")}
            | {f"BROADSHEET_{name}": text for name, text in said.items()}
        )

    return load


def _complain(**_: object) -> list[Error]:
    """A check of Django's that finds something."""
    return [Error("x", hint="y", id="other.E001")]


def ids(seen: Seen) -> list[str | None]:
    """The ids of the problems, each of which says what to do."""
    assert all(problem.hint for problem in seen.problems)
    return [problem.id for problem in seen.problems]


class TestBeforeTheDatabase:
    def test_a_new_instance_has_no_problem(self, configured: Any) -> None:
        for check in checks.CHECKS:
            assert ids(check.look(configured(PORT="0"))) == []

    def test_looking_makes_nothing(self, configured: Any, tmp_path: Path) -> None:
        for check in checks.CHECKS:
            check.look(configured(PORT="0"))
        assert list(tmp_path.iterdir()) == []

    def test_an_old_python_and_an_old_sqlite(self, configured: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(checks, "OLDEST_PYTHON", (99, 0))
        monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 30, 1))
        assert ids(checks.versions(configured())) == ["broadsheet.E002", "broadsheet.E003"]

    def test_a_file_in_place_of_the_data_folder(self, configured: Any, tmp_path: Path) -> None:
        (tmp_path / "instance").touch()
        assert ids(checks.data_folder(configured())) == ["broadsheet.E004"]

    @pytest.mark.parametrize(
        ("free", "found"),
        [
            pytest.param(10 * folder.SPACE_NEEDED, [], id="enough"),
            pytest.param(2 * folder.SPACE_NEEDED, ["broadsheet.W005"], id="little"),
            pytest.param(folder.SPACE_NEEDED - 1, ["broadsheet.E005"], id="too little to start"),
        ],
    )
    def test_room_on_the_disk(
        self, free: int, found: list[str], configured: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda _path: shutil._ntuple_diskusage(2 * free, free, free))
        assert ids(checks.space(configured())) == found

    @pytest.mark.parametrize(
        ("mode", "found"),
        [
            pytest.param(0o600, [], id="for its owner"),
            pytest.param(0o640, ["broadsheet.W006"], id="for a group"),
            pytest.param(0o604, ["broadsheet.W006"], id="for everyone"),
        ],
    )
    def test_who_can_read_the_secret(self, mode: int, found: list[str], configured: Any) -> None:
        configuration = configured()
        folder.make(configuration.data)
        folder.keep_secret(configuration.data / "secret")
        (configuration.data / "secret").chmod(mode)
        assert ids(checks.secret(configuration)) == found

    @pytest.mark.parametrize(
        ("said", "found"),
        [
            pytest.param({}, [], id="the default"),
            pytest.param({"HOST": "localhost"}, [], id="localhost"),
            pytest.param({"HOST": "::1"}, [], id="IPv6 loopback"),
            pytest.param({"HOST": "127.8.8.8"}, [], id="another loopback address"),
            pytest.param({"HOST": "0.0.0.0"}, ["broadsheet.E007", "broadsheet.E017"], id="every address"),
            pytest.param({"HOST": "papers.example", "ACCOUNTS": "yes"}, ["broadsheet.E007"], id="a name"),
            pytest.param({"HOST": "0.0.0.0", "ALLOWED_HOSTS": "a.example"}, ["broadsheet.E017"], id="without accounts"),
            pytest.param({"ALLOWED_HOSTS": "a.example"}, ["broadsheet.E017"], id="another name, without accounts"),
            pytest.param({"HOST": "0.0.0.0", "ALLOWED_HOSTS": "a.example", "ACCOUNTS": "yes"}, [], id="with both"),
        ],
    )
    def test_who_can_reach_it(self, said: dict[str, str], found: list[str], configured: Any) -> None:
        assert ids(checks.exposure(configured(**said))) == found

    def test_a_busy_port(self, configured: Any) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            assert ids(checks.port(configured(PORT=str(port)))) == ["broadsheet.E008"]
        assert ids(checks.port(configured(PORT=str(port)))) == []

    def test_a_port_that_is_busy_with_ourselves(self, configured: Any) -> None:
        with socket.create_server(("127.0.0.1", 0)) as ours:
            configuration = configured(PORT=str(ours.getsockname()[1]))
            folder.make(configuration.data)
            with folder.lock(configuration.data, folder.UP_LOCK, taken="") as path:
                path.write_text("http://127.0.0.1/")
                assert checks.port(configuration) == Seen("Broadsheet runs at http://127.0.0.1/")


@pytest.mark.django_db
class TestWhatIsStored:
    def test_an_instance_after_its_first_start_has_no_problem(self, configured: Any) -> None:
        import_file(starter.CATALOGUE)
        starter.note_loaded()
        with contextlib.closing(tasks.open_index()) as index:
            refresh_index(index)
        for check in (stored_checks.PROGRAM, stored_checks.DATABASE, *stored_checks.CHECKS):
            assert ids(check.look(configured())) == []
        assert stored_checks.usable()

    def test_digests_that_do_not_go_out(self, configured: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        standing = dataclasses.replace(
            deliveries.standing(timezone.now()), incidents=(Trouble("down", "No mail goes out."),)
        )
        monkeypatch.setattr(deliveries, "standing", lambda _now: standing)
        assert ids(stored_checks.digests(configured())) == ["broadsheet.W021"]

    def test_a_database_that_does_not_answer(self, configured: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse() -> None:
            raise OperationalError("connection refused\nmore")

        monkeypatch.setattr(schema, "state", refuse)
        seen = stored_checks.database(configured())
        assert ids(seen) == ["broadsheet.E010"]
        assert seen.problems[0].msg == "The database does not answer: connection refused."
        assert not stored_checks.usable()

    def test_a_newer_database(self, configured: Any) -> None:
        MigrationRecorder(connection).record_applied("papers", "9999_from_later")
        assert ids(stored_checks.database(configured())) == ["broadsheet.E011"]
        assert not stored_checks.usable()

    def test_an_older_database(self, configured: Any) -> None:
        MigrationRecorder(connection).record_unapplied("papers", "0001_initial")
        assert ids(stored_checks.database(configured())) == ["broadsheet.W011"]
        assert not stored_checks.usable()

    def test_an_index_that_cannot_be_read(self, configured: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        class Broken:
            def count(self) -> int:
                raise IndexUnavailable("It is damaged.")

        monkeypatch.setattr(tasks, "open_index", Broken)
        assert ids(stored_checks.index(configured())) == ["broadsheet.E012"]

    def test_an_index_of_another_database(self, configured: Any) -> None:
        with contextlib.closing(tasks.open_index()) as index:
            index.apply([], [], cursor=99)
        assert ids(stored_checks.index(configured())) == ["broadsheet.E013"]

    def test_an_index_that_follows_later_is_no_problem(self, configured: Any) -> None:
        import_file(starter.CATALOGUE)
        seen = stored_checks.index(configured())
        assert seen == Seen(f"0 papers, {papers.unread(0)} changes behind; the worker follows")

    def test_the_starter_catalogue_is_missing(self, configured: Any) -> None:
        assert ids(stored_checks.starter_catalogue(configured())) == ["broadsheet.W014"]
        assert ids(stored_checks.starter_catalogue(configured(STARTER="no"))) == []

    def test_what_django_finds_is_told_too(self, configured: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(registry, "registered_checks", set(registry.registered_checks))
        register(_complain, Tags.models)
        assert ids(stored_checks.program(configured())) == ["other.E001"]


def test_every_id_is_used_once_and_explained(repository: Path) -> None:
    package = repository / "broadsheet" / "src" / "broadsheet"
    used = [
        found
        for path in [*(package / "config").glob("*.py"), *(package / "cli").glob("*.py")]
        for found in re.findall(r"broadsheet\.[EW][0-9]{3}", path.read_text(encoding="utf-8"))
    ]
    assert len(used) == len(set(used))
    text = (repository / "docs" / "operator" / "troubleshooting.md").read_text(encoding="utf-8")
    assert sorted(used) == sorted(re.findall(r"^## .*\[(broadsheet\.[EW][0-9]{3})\]$", text, re.MULTILINE))


_MAIL = {"ACCOUNTS": "yes", "MAIL_HOST": "mail.example", "MAIL_FROM": "paper@example.org"}


@pytest.mark.parametrize(
    ("said", "found"),
    [
        pytest.param({}, [], id="without accounts"),
        pytest.param({"ACCOUNTS": "yes"}, ["broadsheet.W018"], id="without mail"),
        pytest.param({"ACCOUNTS": "yes", "MAIL_HOST": "mail.example"}, ["broadsheet.W018"], id="without a sender"),
        pytest.param({**_MAIL, "ALLOWED_HOSTS": "*"}, ["broadsheet.E019"], id="any host"),
        pytest.param({**_MAIL, "GITHUB_CLIENT": "an-id-of-ours"}, ["broadsheet.W020"], id="half of a place"),
        pytest.param(_MAIL, [], id="with mail"),
    ],
)
def test_accounts(said: dict[str, str], found: list[str], configured: Callable[..., Configuration]) -> None:
    assert ids(checks.accounts(configured(**said))) == found
