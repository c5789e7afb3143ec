"""`broadsheet harvest`, `broadsheet audit`, and the worker that harvests by itself."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db.utils import OperationalError

from broadsheet.bibliography.identifiers import Identifier, Scheme
from broadsheet.bibliography.record import Record
from broadsheet.cli import auditing, harvesting, rounds
from broadsheet.cli.failure import Failure
from broadsheet.cli.rounds import Rounds
from broadsheet.editions import queries as editions
from broadsheet.editions.rules import Kind
from broadsheet.fetching.answers import Client, Unreachable
from broadsheet.fetching.credentials import Header, Query
from broadsheet.ingest import actions
from broadsheet.ingest.actions import following
from broadsheet.ingest.models import Place
from broadsheet.ingest.rules import days
from broadsheet.papers.models import Paper
from broadsheet.sources import registry
from broadsheet.sources.base import Announcement, AnnouncementKind, Count, Page
from broadsheet.sources.registry import Loaded

pytestmark = pytest.mark.django_db

WORK = Identifier(Scheme.ARXIV, "2611.00001")


class Invented:
    """A source of one page, or of a failure in its place."""

    announcer = "arxiv"
    sets = "any"

    def __init__(self, name: str, said: Page | Exception) -> None:
        self.name = name
        self.title = f"The invented {name}"
        self.said = said
        self.asked: list[tuple[str, date | None]] = []

    def pages(self, client: Client, *, set_name: str, cursor: str, since: date | None) -> Iterator[Page]:
        self.asked.append((set_name, since))
        if isinstance(self.said, Exception):
            raise self.said
        yield self.said


@pytest.fixture
def day() -> date:
    """The day of the newest list."""
    return days.shown(datetime.now(UTC))


@pytest.fixture
def sources(day: date, monkeypatch: pytest.MonkeyPatch, settings: Any) -> dict[str, Invented]:
    """Invented sources in the place of arXiv's, of which cs is followed: a list of one work, and its record."""
    record = Record(source="arxiv-feed", source_key=WORK.value, title="A Lamp for Every Step", identifiers=(WORK,))
    line = Announcement(WORK, day, AnnouncementKind.NEW, "cs")
    count = Count(day, "cs", AnnouncementKind.NEW, 1)
    made = {
        "arxiv-feed": Invented("arxiv-feed", Page(items=(record,), announcements=(line,), counts=(count,), cursor="1")),
        "arxiv-listing": Invented("arxiv-listing", Page(announcements=(line,), counts=(count,), cursor="1")),
        "arxiv-oai": Invented("arxiv-oai", Page(cursor="1")),
    }
    known: Any = made
    monkeypatch.setattr(registry, "_installed", lambda: Loaded(known, ()))
    monkeypatch.setattr(harvesting, "client", lambda: None)
    settings.BROADSHEET_HARVEST = (("arxiv", ("cs",)),)
    settings.BROADSHEET_CONTACT = "ada@example.org"
    return made


class TestHarvest:
    def test_an_announcer_stands_for_all_its_sources(
        self, sources: dict[str, Invented], day: date, capsys: pytest.CaptureFixture[str]
    ) -> None:
        harvesting.harvest("arxiv", None, ())
        lines = capsys.readouterr().out.splitlines()
        assert [line.partition(":")[0] for line in lines] == ["arxiv-listing cs", "arxiv-feed cs", "arxiv-oai cs"]
        assert "1 page, 1 read, 1 new, 0 merged, 0 changed, 0 unchanged, 0 rejected, 0 announced in " in lines[1]
        assert Paper.objects.get().announced == day
        edition = editions.edition_of(Kind.DAY, day.isoformat())
        assert edition is not None
        assert edition.size == 1

    def test_one_source_with_sets_and_a_day(self, sources: dict[str, Invented], day: date) -> None:
        harvesting.harvest("arxiv-oai", day, ("cs.AI", "math"))
        assert sources["arxiv-oai"].asked == [("cs.AI", day), ("math", day)]
        assert sources["arxiv-feed"].asked == []

    def test_who_is_not_followed_is_asked_for_everything(self, sources: dict[str, Invented], settings: Any) -> None:
        settings.BROADSHEET_HARVEST = ()
        harvesting.harvest("arxiv-oai", None, ())
        a_week_ago = days.today(datetime.now(UTC)) - timedelta(days=7)
        assert sources["arxiv-oai"].asked == [("", a_week_ago)]
        harvesting.harvest("arxiv-oai", None, ())
        assert sources["arxiv-oai"].asked[1] == ("", None)

    def test_a_source_that_does_not_answer_is_told_and_the_others_are_asked(
        self, sources: dict[str, Invented], capsys: pytest.CaptureFixture[str]
    ) -> None:
        sources["arxiv-listing"].said = Unreachable("arxiv.org gave no answer.")
        with pytest.raises(SystemExit) as ended:
            harvesting.harvest("arxiv", None, ())
        assert ended.value.code == 1
        said = capsys.readouterr()
        assert "Error: arxiv.org gave no answer.\n" in said.err
        assert "arxiv-listing cs: 0 pages, 0 read" in said.out
        assert ", not to its end\n" in said.out
        assert Paper.objects.count() == 1

    def test_a_name_that_nothing_goes_by(self, sources: dict[str, Invented]) -> None:
        with pytest.raises(Failure, match=r"no source named 'arxive'.*There are: arxiv, .*Nothing was asked\."):
            harvesting.harvest("arxive", None, ())

    def test_it_waits_for_who_harvests_already(
        self, sources: dict[str, Invented], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        taken = following.alone("arxiv", wait=False)
        taken.__enter__()
        asked = actions.harvest

        def harvest(*arguments: Any, wait: bool = True, **how: Any) -> Any:
            if wait:
                taken.__exit__(None, None, None)
            return asked(*arguments, wait=wait, **how)

        monkeypatch.setattr(actions, "harvest", harvest)
        harvesting.harvest("arxiv-oai", None, ())
        assert "arxiv-oai cs: another process harvests it now; this one waits.\n" in capsys.readouterr().err
        assert len(sources["arxiv-oai"].asked) == 1


class TestProgress:
    def test_a_line_now_and_then_with_the_rate_and_an_estimate(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        clock = [0.0]
        monkeypatch.setattr(time, "monotonic", lambda: clock[0])
        show = harvesting._lines()
        for seconds, items in ((4, 1000), (10, 4000), (12, 5000), (40, 8000)):
            clock[0] = seconds
            show(actions.HarvestProgress("arxiv-oai", "cs", items // 1000, items, 100_000 if seconds < 40 else None))
        assert capsys.readouterr().err.splitlines() == [
            "arxiv-oai cs: page 4, 4,000 of 100,000 records, 400/s, about 4 min left",
            "arxiv-oai cs: page 8, 8,000 records, 200/s",
        ]


class TestAudit:
    def test_a_day_that_is_complete(
        self, sources: dict[str, Invented], day: date, capsys: pytest.CaptureFixture[str]
    ) -> None:
        harvesting.harvest("arxiv", None, ())
        capsys.readouterr()
        auditing.audit(day, as_json=False)
        assert capsys.readouterr().out.splitlines() == [
            f"{day:%a} {day}  complete",
            "    All announced papers are here: 1 in cs (listing total).",
            "    arxiv cs  1 of 1  listing total",
        ]

    def test_a_day_that_is_not_ends_with_status_1(
        self, sources: dict[str, Invented], day: date, capsys: pytest.CaptureFixture[str]
    ) -> None:
        sources["arxiv-feed"].said = Unreachable("rss.arxiv.org gave no answer.")
        with pytest.raises(SystemExit):
            harvesting.harvest("arxiv", None, ())
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            auditing.audit(day, as_json=False)
        assert ended.value.code == 1
        lines = capsys.readouterr().out.splitlines()
        assert lines[2:] == [
            "    arxiv cs  0 of 1  listing total  missing: 2611.00001",
            "    failed: rss.arxiv.org gave no answer.",
        ]

    def test_the_last_ten_days_as_json(
        self, sources: dict[str, Invented], day: date, capsys: pytest.CaptureFixture[str]
    ) -> None:
        harvesting.harvest("arxiv", None, ())
        capsys.readouterr()
        with pytest.raises(SystemExit):
            auditing.audit(None, as_json=True)
        said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [each["day"] for each in said] == [str(day - timedelta(days=number)) for number in range(10)]
        assert said[0]["state"] == "complete"
        assert said[0]["sections"] == [
            {"announcer": "arxiv", "section": "cs", "held": 1, "announced": 1, "how": "listing total", "missing": []}
        ]
        assert said[1]["reason"] == "No source that announces is followed."

    def test_who_follows_nothing_is_told_so(self, sources: dict[str, Invented], settings: Any) -> None:
        settings.BROADSHEET_HARVEST = ()
        with pytest.raises(Failure, match="Set BROADSHEET_HARVEST"):
            auditing.audit(None, as_json=False)


class TestTheWorker:
    @pytest.fixture
    def worker(self, sources: dict[str, Invented], monkeypatch: pytest.MonkeyPatch) -> Iterator[Rounds]:
        monkeypatch.setattr(harvesting, "client", object)
        made = Rounds()
        yield made
        made._index.close()

    def test_it_harvests_what_is_followed_and_then_looks_seldom(
        self, worker: Rounds, sources: dict[str, Invented], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        turns = 0
        while worker.one():
            turns += 1
            assert turns < 50
        assert Paper.objects.count() == 1
        asked = [len(source.asked) for source in sources.values()]
        assert min(asked) == 1
        monkeypatch.setattr(actions, "step", lambda *_a, **_b: pytest.fail("it looked again at once"))
        assert worker.one() is False

    def test_without_a_contact_it_says_so_and_does_everything_else(
        self, settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings.BROADSHEET_HARVEST = (("arxiv", ("cs",)),)
        monkeypatch.delenv("BROADSHEET_CONTACT", raising=False)
        made = Rounds()
        assert made._client is None
        assert "Nothing was asked. Set BROADSHEET_CONTACT to your mail address." in caplog.text
        assert made.one() is False
        made._index.close()

    def test_a_locked_database_is_for_the_worker_to_wait_for(
        self, worker: Rounds, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def locked(*_arguments: object, **_how: object) -> bool:
            raise OperationalError("database is locked")

        monkeypatch.setattr(actions, "step", locked)
        with pytest.raises(rounds.IN_THE_WAY):
            worker.one()

    def test_a_folder_that_cannot_be_written_is_told(
        self, worker: Rounds, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def full(*_arguments: object, **_how: object) -> bool:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(actions, "step", full)
        assert worker.one() is False
        assert "Nothing was harvested: the disk is full." in caplog.text

    def test_it_asks_nobody_when_nothing_is_followed(self, settings: Any) -> None:
        made = Rounds()
        assert made.one() is False
        assert not Place.objects.exists()
        made._index.close()


def test_each_key_is_sent_to_the_hosts_that_it_is_for(data_folder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made: dict[str, Any] = {}
    monkeypatch.setattr(harvesting, "Client", lambda folder, **given: made.update(given))
    for name in ("SEMANTIC_SCHOLAR_KEY", "OPENALEX_KEY", "OPENREVIEW_TOKEN"):
        monkeypatch.setenv(f"BROADSHEET_{name}", f"the-{name.lower()}")
    monkeypatch.setenv("BROADSHEET_CONTACT", "ada@example.org")
    monkeypatch.setenv("BROADSHEET_DATA", str(data_folder))
    harvesting.client()
    assert made["credentials"] == {
        "api.semanticscholar.org": Header("x-api-key", "the-semantic_scholar_key"),
        "api.openalex.org": Query("api_key", "the-openalex_key"),
        "api2.openreview.net": Header("Authorization", "Bearer the-openreview_token"),
        "api.openreview.net": Header("Authorization", "Bearer the-openreview_token"),
    }
