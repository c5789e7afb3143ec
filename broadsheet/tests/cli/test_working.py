"""What the worker does in a round, and what a start prepares."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.db.utils import OperationalError

from broadsheet.bibliography.identifiers import Identifier, Scheme
from broadsheet.bibliography.record import Record
from broadsheet.cli import importing, joining, preparing, repairs
from broadsheet.cli.failure import Failure
from broadsheet.cli.rounds import Rounds
from broadsheet.community.queries import notices
from broadsheet.config import folder, schema, starter
from broadsheet.editions import queries as editions
from broadsheet.ingest import queries as ingest
from broadsheet.ingest.actions import import_file
from broadsheet.papers import queries as papers
from broadsheet.papers import tasks
from broadsheet.papers.actions import store_many
from broadsheet.search.adapters import embedded
from broadsheet.search.index import IndexLocked
from broadsheet.testing.people import operator

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
            importing.follow()
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

    def test_an_idle_worker_does_not_look_for_papers_without_vectors_all_the_time(
        self, rounds: Rounds, lamp: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import_file(lamp)
        while rounds.one():
            pass
        monkeypatch.setattr("broadsheet.papers.tasks.embed_pending", None)
        assert rounds.one() is False

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
            other.apply([], [], cursor=papers.last_change() + 99)
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
        somebody = operator()
        fresh = Rounds()
        while fresh.one():
            pass
        assert in_the_index()[0] == 1
        [told], _ = notices.listed(somebody)
        assert told.sentence.endswith("The worker is building it from the database.")
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
        assert any(sentence.startswith("· 273 papers are in it") for sentence in said)
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


@pytest.fixture
def two_works(tmp_path: Path) -> Path:
    """A file of two papers."""
    path = tmp_path / "two.jsonl"
    entries = [
        {"title": "A Lamp for Every Step", "arxiv_id": "2401.00001", "doi": "10.5555/lamp"},
        {"title": "Harbours Without Water", "arxiv_id": "2402.00002", "doi": "10.5555/harbour"},
    ]
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")
    return path


def lamp_from(source: str, key: str) -> Record:
    """The same paper as a source states it."""
    ids = (Identifier(Scheme.ARXIV, "2401.00001"),)
    return Record(source=source, source_key=key, title="A Lamp for Every Step", identifiers=ids)


class TestJoining:
    def test_the_way_back_names_the_merged_papers_own_key(
        self, two_works: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        import_file(two_works)
        joining.merge("2401.00001", "doi:10.5555/harbour", "One work.")
        assert "To undo it: broadsheet unmerge 2402.00002 --reason" in capsys.readouterr().out
        joining.unmerge("2402.00002", "Two works.")
        assert papers.totals().papers == 2

    def test_statements_are_listed_and_one_becomes_a_paper_of_its_own(
        self, data_folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        store_many([lamp_from("one", "a"), lamp_from("two", "b")])
        joining.statements("2401.00001")
        assert capsys.readouterr().out == "one\ta\tA Lamp for Every Step\ntwo\tb\tA Lamp for Every Step\n"
        joining.split("two", "b", "Another work.")
        key = capsys.readouterr().out.strip().rpartition(" ")[2]
        made = papers.find(key)
        assert made
        assert [said.source for said in papers.statements([made.id])[made.id]] == ["two"]
        assert papers.totals().papers == 2

    @pytest.mark.parametrize(
        ("source", "key", "sentence"),
        [
            pytest.param("two", "b", r"two never said anything under b\. Nothing was changed\.", id="unknown"),
            pytest.param("one", "a", r"nothing to split off\. Nothing was changed\.", id="all that the paper has"),
        ],
    )
    def test_what_cannot_be_split(self, source: str, key: str, sentence: str) -> None:
        store_many([lamp_from("one", "a")])
        with pytest.raises(Failure, match=sentence):
            joining.split(source, key, "Another work.")

    def test_statements_of_no_paper(self) -> None:
        with pytest.raises(Failure, match=r"There is no paper 2409\.99999\."):
            joining.statements("2409.99999")


def _lose_the_lamp(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the engine refuse a paper, as it does with a document that it cannot hold."""
    made = embedded._made
    monkeypatch.setattr(embedded, "_made", lambda paper: None if "Lamp" in paper.title else made(paper))


class TestRepairs:
    def mended(self, capsys: pytest.CaptureFixture[str]) -> str:
        """What mending the index prints first."""
        capsys.readouterr()
        repairs.mend_index()
        return capsys.readouterr().out.splitlines()[0]

    def test_the_index_is_left_to_its_own_repair(self, capsys: pytest.CaptureFixture[str]) -> None:
        repairs.bring_up_to_date()
        assert "index" not in capsys.readouterr().out
        assert in_the_index() == (0, 0)
        assert editions.behind() == 0

    def test_it_is_brought_up_to_date_and_then_fine(self, two_works: Path, capsys: pytest.CaptureFixture[str]) -> None:
        import_file(two_works)
        assert self.mended(capsys) == "repaired  index: brought up to date, 2 papers"
        assert self.mended(capsys) == "fine      index: 2 papers"

    def test_ahead_of_the_journal_it_is_built_again(self, two_works: Path, capsys: pytest.CaptureFixture[str]) -> None:
        import_file(two_works)
        with contextlib.closing(tasks.open_index()) as other:
            other.apply([], [], cursor=papers.last_change() + 99)
        assert self.mended(capsys) == "repaired  index: built again, 2 papers"

    def test_a_paper_that_was_lost_is_brought_back(self, two_works: Path, capsys: pytest.CaptureFixture[str]) -> None:
        import_file(two_works)
        preparing.refresh(lambda _sentence: None)
        found = papers.find("2401.00001")
        assert found
        with contextlib.closing(tasks.open_index()) as other:
            other.apply([], [found.id], cursor=papers.last_change())
        assert self.mended(capsys) == "repaired  index: built again, 2 papers"

    def test_for_a_paper_that_the_engine_cannot_hold_it_is_built_once(
        self, two_works: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import_file(two_works)
        built: list[bool] = []
        refresh = preparing.refresh

        def counted(say: preparing.Say, *, anew: bool = False) -> int:
            built.append(anew)
            return refresh(say, anew=anew)

        monkeypatch.setattr(preparing, "refresh", counted)
        with monkeypatch.context() as refusing:
            _lose_the_lamp(refusing)
            first = self.mended(capsys)
            assert first == "left out  index: 1 of 2 papers are not in it; the log names those"
            assert self.mended(capsys) == first
        assert built == [False, True, False]
        monkeypatch.setattr(repairs, "__version__", "later")
        assert self.mended(capsys) == "repaired  index: built again, 2 papers"

    def test_an_index_that_the_worker_writes_is_not_repaired(
        self, two_works: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        import_file(two_works)
        with contextlib.closing(tasks.open_index()) as other:
            other.apply([], [], cursor=0)
            assert self.mended(capsys).startswith("not repaired  index: the worker of a running Broadsheet")
