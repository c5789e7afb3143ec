"""What the worker does in a round, and what a start prepares."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.db.utils import OperationalError

from broadsheet.cli import importing, preparing
from broadsheet.cli.failure import Failure
from broadsheet.cli.rounds import Rounds
from broadsheet.config import folder, schema, starter
from broadsheet.editions import queries as editions
from broadsheet.ingest import queries as ingest
from broadsheet.ingest.actions import import_file
from broadsheet.papers import queries as papers
from broadsheet.papers import tasks
from broadsheet.search.index import IndexLocked

pytestmark = pytest.mark.django_db


@pytest.fixture
def lamp(tmp_path: Path) -> Path:
    """A file of one paper."""
    path = tmp_path / "one.jsonl"
    path.write_text(json.dumps({"title": "A Lamp for Every Step", "arxiv_id": "2401.00001"}) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def rounds() -> Any:
    """A worker's rounds, given back at the end."""
    made = Rounds()
    yield made
    made._index.close()


def in_the_index() -> tuple[int, int]:
    """How many papers the index holds, and how far it is in the journal."""
    index = tasks.open_index()
    return index.count(), index.cursor()


class TestImporting:
    @pytest.mark.parametrize(
        ("running", "said"),
        [
            pytest.param(True, "The running Broadsheet brings the search index up to date.", id="beside `up`"),
            pytest.param(False, "The papers are stored. The search index follows later: Busy.", id="alone"),
        ],
    )
    def test_an_index_that_somebody_else_writes(
        self,
        running: bool,
        said: str,
        data_folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        def refuse(_say: object) -> int:
            raise IndexLocked("Busy.")

        monkeypatch.setattr(preparing, "refresh", refuse)
        held = folder.lock(data_folder, folder.UP_LOCK, taken="") if running else contextlib.nullcontext()
        with held:
            importing._follow()
        assert capsys.readouterr().err == f"{said}\n"


class TestRounds:
    def test_nothing_to_do(self, rounds: Rounds) -> None:
        assert rounds.one() is False

    def test_looking_for_news_asks_the_database_a_few_questions(
        self, rounds: Rounds, lamp: Path, django_assert_max_num_queries: Any
    ) -> None:
        import_file(lamp)
        while rounds.one():
            pass
        with django_assert_max_num_queries(6):
            assert rounds.one() is False

    def test_news_are_indexed_and_printed(self, rounds: Rounds, lamp: Path) -> None:
        import_file(lamp)
        while rounds.one():
            pass
        assert in_the_index() == (1, papers.last_change())
        assert editions.behind() == 0

    def test_an_idle_worker_lets_others_write_to_the_index(self, rounds: Rounds, lamp: Path) -> None:
        import_file(lamp)
        rounds.one()
        with contextlib.closing(tasks.open_index()) as other:
            other.apply([], [], cursor=papers.last_change())

    def test_an_index_that_another_process_writes_is_in_the_way(self, rounds: Rounds, lamp: Path) -> None:
        import_file(lamp)
        with contextlib.closing(tasks.open_index()) as other:
            other.apply([], [], cursor=0)
            with pytest.raises(IndexLocked):
                rounds.one()
        rounds.one()
        assert in_the_index()[0] == 1

    def test_an_index_that_is_ahead_of_the_journal_is_built_again(self, rounds: Rounds, lamp: Path) -> None:
        with contextlib.closing(tasks.open_index()) as other:
            other.apply([], [], cursor=99)
        import_file(lamp)
        while rounds.one():
            pass
        assert in_the_index() == (1, papers.last_change())

    def test_a_damaged_index_is_built_again(
        self, rounds: Rounds, lamp: Path, data_folder: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        import_file(lamp)
        rounds.one()
        for path in (data_folder / "index").rglob("*"):
            if path.is_file():
                path.write_bytes(b"damaged")
        fresh = Rounds()
        while fresh.one():
            pass
        assert in_the_index()[0] == 1
        assert re.search(r"Building it from the database\. Cause: \w+\(", caplog.text)

    def test_a_database_that_does_not_answer_is_in_the_way(
        self, rounds: Rounds, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse() -> int:
            raise OperationalError("database is locked")

        monkeypatch.setattr(editions, "behind", refuse)
        monkeypatch.setattr("django.db.connections.close_all", lambda: None)
        with pytest.raises(OperationalError):
            rounds.one()


class TestPreparing:
    def test_a_new_instance_gets_everything(self, data_folder: Path) -> None:
        said: list[str] = []
        preparing.prepare(said.append)
        assert (data_folder / "secret").exists()
        assert starter.loaded()
        assert in_the_index() == (273, papers.last_change())
        assert editions.behind() == 0
        assert len(said) == 4

    def test_a_second_time_nothing_is_done_and_nothing_said(self) -> None:
        preparing.prepare(lambda _sentence: None)
        before = papers.last_change(), len(ingest.recent_runs())
        said: list[str] = []
        preparing.prepare(said.append)
        assert said == []
        assert (papers.last_change(), len(ingest.recent_runs())) == before

    def test_another_catalogue_is_loaded_beside_what_is_there(self) -> None:
        preparing.prepare(lambda _sentence: None)
        starter.mark().write_text("of an older version\n")
        said: list[str] = []
        preparing.prepare(said.append)
        assert "· 273 papers are in it" in said
        assert papers.totals().papers == 273

    def test_the_catalogue_is_left_out_where_it_is_not_wanted(self, settings: Any) -> None:
        settings.BROADSHEET_STARTER = False
        preparing.prepare(lambda _sentence: None)
        assert papers.totals().papers == 0

    def test_a_long_way_to_the_end_of_the_journal_is_left_to_the_worker(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(preparing, "LATER", 272)
        said: list[str] = []
        preparing.prepare(said.append, patient=False)
        assert said[-1].startswith(f"· {papers.unread(0):,} changes are not in the index and the editions yet")
        assert in_the_index() == (0, 0)

    def test_it_stops_between_two_steps(self) -> None:
        with pytest.raises(preparing.Stopped):
            preparing.prepare(lambda _sentence: None, stop=lambda: True)
        assert papers.totals().papers == 0

    def test_a_newer_database_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(schema, "state", lambda: schema.State((), ("papers.9999_later", "x.2"), empty=False))
        with pytest.raises(Failure, match=r"it knows papers\.9999_later and more\. Nothing was changed\."):
            preparing.prepare(lambda _sentence: None)

    def test_search_that_does_not_work_does_not_keep_the_pages_away(self, lamp: Path) -> None:
        import_file(lamp)
        said: list[str] = []
        with contextlib.closing(tasks.open_index()) as other:
            other.apply([], [], cursor=0)
            preparing.catch_up(said.append)
        assert said[-1].startswith("· the search index is being written by another process")
