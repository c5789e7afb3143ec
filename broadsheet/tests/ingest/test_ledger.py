"""Harvesting into the ledger: what is stored together, which day papers get, what audits and the schedule do then."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from django.db import connection, transaction
from django.db.utils import OperationalError
from django.test.utils import CaptureQueriesContext

from broadsheet.bibliography.identifiers import Identifier, Scheme
from broadsheet.bibliography.record import Record, Rejected
from broadsheet.fetching.answers import Answer, Client, Missing, Resting, Unreachable
from broadsheet.ingest import actions, queries
from broadsheet.ingest.actions import HarvestReport, following, ledger
from broadsheet.ingest.models import (
    AnnouncedList,
    Announcement,
    DayCheck,
    Estimate,
    ImportRun,
    ListCount,
    Place,
    RejectedRecord,
    Withdrawal,
)
from broadsheet.ingest.rules import State
from broadsheet.papers import queries as papers
from broadsheet.papers.models import Paper, Statement
from broadsheet.sources import base, registry
from broadsheet.sources.base import AnnouncementKind, Count, Page, Sighting, Unreadable
from broadsheet.sources.registry import Loaded

pytestmark = pytest.mark.django_db

THURSDAY, FRIDAY, MONDAY = date(2026, 11, 19), date(2026, 11, 20), date(2026, 11, 23)
# Noon in the east of the United States on that Friday.
NOON = datetime(2026, 11, 20, 17, tzinfo=UTC)
ORIGIN = "An invented origin"
NEW, CROSS, REPLACE = AnnouncementKind.NEW, AnnouncementKind.CROSS, AnnouncementKind.REPLACE


def work(number: int, month: str = "2611") -> Identifier:
    return Identifier(Scheme.ARXIV, f"{month}.{number:05}")


def record(number: int, source: str = "arxiv-feed", *, month: str = "2611", **said: Any) -> Record:
    identifier = work(number, month)
    title = f"Meadows, Part {number} of {month}: A Lamp for Every Step"
    return Record(source=source, source_key=identifier.value, title=title, identifiers=(identifier,), **said)


def line(
    number: int, day: date = FRIDAY, kind: AnnouncementKind = NEW, section: str = "cs", *, month: str = "2611"
) -> base.Announcement:
    return base.Announcement(work(number, month), day, kind, section)


def count(number: int, day: date = FRIDAY, kind: AnnouncementKind | None = NEW, section: str = "cs") -> Count:
    return Count(day, section, kind, number)


def sighting(number: int, submitted: str, *, month: str = "2611") -> Sighting:
    at = datetime.fromisoformat(submitted).replace(tzinfo=UTC)
    return Sighting(work(number, month), at, 1, at.date())


@dataclass
class Found:
    """A source that looks works up. `asked` are the works of each request."""

    name: str
    title: str = "An invented look-up"
    schemes: frozenset[Scheme] = frozenset({Scheme.ARXIV})
    works: dict[Identifier, Record] = field(default_factory=dict)
    asked: list[list[Identifier]] = field(default_factory=list)

    def find(self, client: Client, identifiers: Sequence[Identifier]) -> Iterator[Page]:
        self.asked.append(list(identifiers))
        yield Page(items=tuple(self.works[each] for each in identifiers if each in self.works))


@dataclass
class Invented:
    """A source that says what it is told to. Its cursor is the number of pages that were taken.

    `asked` are the set, the cursor and the day of each harvest; `between` happens when a page is stored.
    """

    name: str
    title: str = ORIGIN
    announcer: str = "arxiv"
    sets: str = "any"
    script: dict[str, list[Page | Exception]] = field(default_factory=dict)
    asked: list[tuple[str, str, date | None]] = field(default_factory=list)
    between: Callable[[], None] = lambda: None

    def say(self, *pages: Page | Exception, set_name: str = "cs") -> None:
        self.script.setdefault(set_name, []).extend(pages)

    def pages(self, client: Client, *, set_name: str, cursor: str, since: date | None) -> Iterator[Page]:
        self.asked.append((set_name, cursor, since))
        said = self.script.get(set_name, [])
        for number in range(int(cursor or 0), len(said)):
            page = said[number]
            if isinstance(page, Exception):
                said.pop(number)
                raise page
            yield replace(page, cursor=str(number + 1), last=number + 1 == len(said))
            self.between()


class Nobody:
    """A client that answers with a clock of its own, and nothing else."""

    date = ""

    def get(self, url: str, **_asked: Any) -> Answer:
        return Answer(url, 200, {"date": self.date}, b"", NOON)

    post = get

    def remember(self, answer: Answer) -> None:
        """Nothing to remember."""


@dataclass
class World:
    """The invented sources of arXiv, of which the section cs is followed."""

    listing: Invented
    feed: Invented
    oai: Invented
    search: Found
    client: Nobody

    def harvest(self, source: Invented, **how: Any) -> HarvestReport:
        how = {"set_name": "cs", "now": NOON, **how}
        report = actions.harvest(source, cast(Client, self.client), **how)
        assert report is not None
        return report

    def step(self, now: datetime = NOON) -> bool:
        return actions.step(cast(Client, self.client), now=now)

    def work(self, now: datetime = NOON) -> int:
        steps = 0
        while self.step(now):
            steps += 1
            assert steps < 100
        return steps


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, settings: Any) -> World:
    made = World(
        Invented("arxiv-listing"), Invented("arxiv-feed"), Invented("arxiv-oai"), Found("arxiv-search"), Nobody()
    )
    sources: Any = {source.name: source for source in (made.feed, made.listing, made.oai, made.search)}
    monkeypatch.setattr(registry, "_installed", lambda: Loaded(sources, ()))
    settings.BROADSHEET_HARVEST = (("arxiv", ("cs",)),)
    return made


def days_of_papers() -> dict[str, date | None]:
    return {paper.key: paper.announced for paper in Paper.objects.all()}


class TestAPage:
    def test_records_lists_counts_rejections_and_the_cursor_are_stored_together(self, world: World) -> None:
        broken = Rejected("arxiv-feed", "item 3", "it has no title", b"<item><guid>")
        world.feed.say(Page(items=(record(1), record(2), broken), announcements=(line(1), line(2)), counts=(count(2),)))
        report = world.harvest(world.feed)
        assert (report.items, report.stored.new, report.rejected, report.announced) == (3, 2, 1, 2)
        assert report.finished
        assert days_of_papers() == {"2611.00001": FRIDAY, "2611.00002": FRIDAY}
        assert (Announcement.objects.count(), ListCount.objects.get().number) == (2, 2)
        run = ImportRun.objects.get()
        assert (run.source, run.set_name, run.read, run.new, run.rejected) == ("arxiv-feed", "cs", 3, 2, 1)
        assert run.finished_at
        assert bytes(RejectedRecord.objects.get().excerpt) == b"<item><guid>"
        assert [each.reason for each in queries.rejected(run.id)] == ["it has no title"]
        place = Place.objects.get()
        assert (place.cursor, place.newest, place.unfinished) == ("1", FRIDAY, False)

    def test_nothing_of_a_page_is_stored_when_its_end_fails(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_rows: object) -> None:
            raise OperationalError("database or disk is full")

        world.feed.say(Page(items=(record(1),), announcements=(line(1),)), Page(items=(record(2),)))
        monkeypatch.setattr(RejectedRecord.objects, "bulk_create", full)
        with pytest.raises(OperationalError):
            world.harvest(world.feed)
        monkeypatch.undo()
        assert not Paper.objects.exists()
        assert not Announcement.objects.exists()
        assert not ImportRun.objects.exists()
        assert Place.objects.get().cursor == ""

    def test_the_same_again_changes_nothing(self, world: World) -> None:
        page = Page(items=(record(1), record(2)), announcements=(line(1), line(2)), counts=(count(2),))
        world.feed.say(page, page)
        report = world.harvest(world.feed)
        assert (report.stored.new, report.stored.unchanged, report.announced) == (2, 2, 2)
        assert (Announcement.objects.count(), ListCount.objects.count()) == (2, 1)

    def test_a_later_count_takes_the_place_of_an_earlier_one(self, world: World) -> None:
        world.listing.say(Page(counts=(count(5), count(1, kind=CROSS))), Page(counts=(count(6),)))
        world.harvest(world.listing)
        assert list(ListCount.objects.values_list("kind", "number")) == [("new", 6)]

    def test_how_many_questions_are_asked_does_not_depend_on_the_number_of_works(self, world: World) -> None:
        def questions(first: int, number: int) -> int:
            numbers = range(first, first + number)
            page = Page(
                items=tuple(record(n) for n in numbers),
                announcements=tuple(line(n) for n in numbers),
                counts=(count(number),),
                sightings=tuple(sighting(n, "2026-11-18 10:00") for n in range(first + 500, first + 500 + number)),
            )
            world.feed.say(page)
            with CaptureQueriesContext(connection) as asked:
                world.harvest(world.feed)
            return len(asked)

        questions(1, 3)
        assert questions(1001, 10) == questions(2001, 40)

    def test_a_record_that_was_deleted_keeps_its_paper_and_is_not_missed(self, world: World) -> None:
        world.feed.say(Page(items=(record(1),), announcements=(line(1), line(2))))
        world.oai.say(Page(deleted=(work(1), work(2))))
        world.harvest(world.feed)
        world.harvest(world.oai)
        assert Withdrawal.objects.count() == 2
        assert days_of_papers() == {"2611.00001": FRIDAY}
        assert actions.audit_day(FRIDAY, now=NOON).lines[0].held == 2


class TestTheCursor:
    def test_a_harvest_goes_on_where_the_last_one_stopped(self, world: World) -> None:
        world.oai.say(*(Page(items=(record(n, "arxiv-oai"),)) for n in range(5)))
        assert world.harvest(world.oai, pages=2).finished is False
        assert Place.objects.get().unfinished
        world.harvest(world.oai)
        assert world.oai.asked == [("cs", "", None), ("cs", "2", None)]
        assert Paper.objects.count() == 5
        assert not Place.objects.get().unfinished

    def test_since_begins_again_from_a_day(self, world: World) -> None:
        world.oai.say(Page(items=(record(1, "arxiv-oai"),)))
        world.harvest(world.oai)
        world.harvest(world.oai, since=THURSDAY)
        assert world.oai.asked[1] == ("cs", "", THURSDAY)

    def test_it_moves_by_what_was_sent_and_not_by_what_could_be_read(self, world: World) -> None:
        world.oai.say(Page(items=(Rejected("arxiv-oai", "record 1", "it has no title", b"<record>"),)))
        world.harvest(world.oai)
        assert Place.objects.get().cursor == "1"

    def test_who_is_overtaken_stores_its_page_and_ends(self, world: World) -> None:
        """Two harvests at once that do not see each other's lock, as on two machines with one database."""
        world.oai.say(*(Page(items=(record(n, "arxiv-oai"),)) for n in range(4)))

        def overtake() -> None:
            world.oai.between = lambda: None
            Place.objects.update(cursor="3")

        world.oai.between = overtake
        report = world.harvest(world.oai)
        assert report.overtaken
        assert (report.pages, report.finished) == (2, False)
        assert Paper.objects.count() == 2
        assert Place.objects.get().cursor == "3"
        world.harvest(world.oai)
        assert set(days_of_papers()) == {"2611.00000", "2611.00001", "2611.00003"}

    def test_a_stop_between_two_pages(self, world: World) -> None:
        world.oai.say(*(Page(items=(record(n, "arxiv-oai"),)) for n in range(4)))
        report = world.harvest(world.oai, stop=lambda: Paper.objects.count() == 2)
        assert (report.pages, Place.objects.get().cursor) == (2, "2")

    def test_a_list_that_goes_round_in_circles_is_a_failure(self, world: World) -> None:
        def circle(client: Client, **_asked: Any) -> Iterator[Page]:
            number = 0
            while True:
                number += 1
                yield Page(items=(record(number, "arxiv-oai"),), cursor=f"token {number % 7}", last=False)

        world.oai.pages = circle  # type: ignore[method-assign]  # another list than the scripted one
        report = world.harvest(world.oai)
        assert report.failure == "An invented origin sent a list that goes round in circles."
        assert report.pages < 30
        assert Place.objects.get().failures == 1


class TestFailures:
    @pytest.mark.parametrize(
        ("failure", "sentence"),
        [
            pytest.param(Unreachable("arxiv.org gave no answer."), "arxiv.org gave no answer.", id="no answer"),
            pytest.param(Missing("It has nothing there."), "It has nothing there.", id="nothing there"),
            pytest.param(Unreadable("It is cut off."), "It is cut off.", id="unreadable"),
            pytest.param(ValueError("no"), f"{ORIGIN} could not be read: ValueError.", id="a fault of the source"),
        ],
    )  # fmt: skip
    def test_the_sentence_stands_beside_the_source_and_the_pages_before_it_stand(
        self, failure: Exception, sentence: str, world: World
    ) -> None:
        world.oai.say(Page(items=(record(1, "arxiv-oai"),)), failure, Page(items=(record(2, "arxiv-oai"),)))
        report = world.harvest(world.oai)
        assert (report.failure, report.finished) == (sentence, False)
        place = Place.objects.get()
        assert (place.failure, place.failures, place.cursor) == (sentence, 1, "1")
        assert ImportRun.objects.get().error == sentence
        assert world.harvest(world.oai).finished
        place.refresh_from_db()
        assert (place.failure, place.failures) == ("", 0)
        assert Paper.objects.count() == 2

    def test_a_rest_is_kept_until_its_end(self, world: World) -> None:
        until = NOON + timedelta(hours=2)
        world.feed.say(Resting("arXiv asked for a rest.", until=until))
        world.harvest(world.feed)
        assert Place.objects.get().resting_until == until

    def test_a_database_error_is_no_failure_of_the_origin(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        def locked(*_arguments: object, **_options: object) -> None:
            raise OperationalError("database is locked")

        world.feed.say(Page(items=(record(1),)))
        monkeypatch.setattr(ledger, "note", locked)
        with pytest.raises(OperationalError):
            world.harvest(world.feed)
        assert Place.objects.get().failure == ""

    @pytest.mark.parametrize(
        ("said", "warning"),
        [
            pytest.param("Fri, 20 Nov 2026 17:00:30 GMT", [], id="in time"),
            pytest.param("Fri, 20 Nov 2026 11:00:00 GMT", ["360 minutes ahead of"], id="ahead"),
            pytest.param("Fri, 20 Nov 2026 17:30:00 GMT", ["30 minutes behind"], id="behind"),
            pytest.param("yesterday", [], id="no date"),
        ],
    )  # fmt: skip
    def test_a_clock_that_is_wrong_is_noticed(self, said: str, warning: list[str], world: World) -> None:
        def pages(client: Client, **_asked: Any) -> Iterator[Page]:
            client.get("https://arxiv.org/", accept="text/html")
            yield Page()

        world.client.date = said
        world.feed.pages = pages  # type: ignore[method-assign]  # it asks the client
        world.harvest(world.feed)
        sentences = [f"This machine's clock is {way} that of {ORIGIN}. Set it right." for way in warning]
        assert Place.objects.get().warnings == sentences


class TestDays:
    def test_the_first_list_that_names_a_work_as_news_dates_it(self, world: World) -> None:
        world.feed.say(
            Page(items=(record(1),), announcements=(line(1, THURSDAY),)),
            Page(items=(record(1),), announcements=(line(1, FRIDAY, CROSS, "math"),)),
        )
        world.harvest(world.feed)
        assert days_of_papers() == {"2611.00001": THURSDAY}

    def test_a_paper_that_is_listed_in_two_sections_appears_once(self, world: World) -> None:
        page = Page(items=(record(1),), announcements=(line(1), line(1, FRIDAY, CROSS, "math")))
        world.feed.say(page)
        world.harvest(world.feed)
        assert Paper.objects.count() == 1
        assert Announcement.objects.count() == 2

    def test_a_replacement_is_a_version_and_no_news(self, world: World) -> None:
        replaced = (line(1, kind=REPLACE), line(2, kind=REPLACE))
        world.feed.say(
            Page(items=(record(1),), announcements=(line(1, THURSDAY),)),
            Page(items=(record(1, comments="Revised"), record(2)), announcements=replaced),
        )
        report = world.harvest(world.feed)
        assert report.announced == 1
        assert days_of_papers() == {"2611.00001": THURSDAY, "2611.00002": None}

    def test_a_list_that_comes_after_the_record_dates_it(self, world: World) -> None:
        world.oai.say(Page(items=(record(1, "arxiv-oai"),), sightings=(sighting(1, "2026-11-16 10:00"),)))
        world.listing.say(Page(announcements=(line(1, FRIDAY),), counts=(count(1),)))
        world.harvest(world.oai)
        assert days_of_papers() == {"2611.00001": date(2026, 11, 17)}
        assert Estimate.objects.get().how == "calendar"
        world.harvest(world.listing)
        assert days_of_papers() == {"2611.00001": FRIDAY}
        assert not Estimate.objects.exists()

    def test_every_statement_of_the_announcer_gets_the_better_day(self, world: World) -> None:
        world.oai.say(Page(items=(record(1, "arxiv-oai"),), sightings=(sighting(1, "2026-11-16 10:00"),)))
        world.feed.say(Page(items=(record(1, comments="5 pages"),), announcements=(line(1, FRIDAY, CROSS),)))
        world.harvest(world.oai)
        world.harvest(world.feed)
        paper = Paper.objects.get()
        assert {each.record.announced for each in papers.statements([paper.id])[paper.id]} == {FRIDAY}
        assert paper.announced == FRIDAY

    def test_a_work_between_listed_ones_gets_their_day(self, world: World) -> None:
        world.oai.say(Page(items=(record(5, "arxiv-oai"),), sightings=(sighting(5, "2026-11-16 10:00"),)))
        world.listing.say(Page(announcements=(line(1), line(9))))
        world.harvest(world.oai)
        world.harvest(world.listing)
        assert days_of_papers() == {"2611.00005": FRIDAY}
        assert Estimate.objects.get().how == "order"

    def test_old_works_that_are_listed_anew_do_not_date_their_neighbours(self, world: World) -> None:
        seen = sighting(5, "2024-01-09 10:00", month="2401")
        world.oai.say(Page(items=(record(5, "arxiv-oai", month="2401"),), sightings=(seen,)))
        world.listing.say(Page(announcements=(line(4, month="2401", kind=CROSS), line(6, month="2401", kind=CROSS))))
        world.harvest(world.listing)
        world.harvest(world.oai)
        assert days_of_papers() == {"2401.00005": date(2024, 1, 10)}

    def test_what_other_announcers_say_is_left_alone(self, world: World) -> None:
        blog = record(1, "reading-list", announced=THURSDAY)
        other = Invented("reading-list", announcer="")
        other.say(Page(items=(blog,)))
        world.harvest(other)
        world.feed.say(Page(items=(record(1),), announcements=(line(1),)))
        world.harvest(world.feed)
        assert days_of_papers() == {"2611.00001": THURSDAY}
        paper = Paper.objects.get()
        said = {each.source: each.record.announced for each in papers.statements([paper.id])[paper.id]}
        assert said == {"reading-list": THURSDAY, "arxiv-feed": FRIDAY}

    def test_a_file_that_is_imported_gets_the_days_that_are_known(self, world: World) -> None:
        world.listing.say(Page(announcements=(line(7),)))
        world.oai.say(Page(sightings=(sighting(2, "2026-11-17 10:00"),)))
        world.harvest(world.listing)
        world.harvest(world.oai)
        records = [record(7, "arxiv-snapshot"), record(2, "arxiv-oai"), record(3), record(7, "reading-list")]
        assert [each.announced for each in ledger.dated(records)] == [FRIDAY, date(2026, 11, 18), None, None]


class TestAudits:
    def test_of_what_was_never_checked_nothing_is_known(self, world: World) -> None:
        assert queries.audits([FRIDAY]) == {}

    def test_a_day_is_judged_after_each_harvest(self, world: World) -> None:
        world.listing.say(Page(announcements=(line(1), line(2)), counts=(count(2), count(0, kind=CROSS))))
        world.feed.say(Page(items=(record(1),), announcements=(line(1),), counts=(count(1),)))
        world.harvest(world.listing)
        world.harvest(world.feed)
        found = queries.audits([FRIDAY])[FRIDAY]
        assert found.state is State.INCOMPLETE
        assert found.lines[0].missing == ("2611.00002",)
        assert found.failed == ("The feed count of cs is 1 of 2.",)
        assert found.checked_at == NOON
        world.feed.say(Page(items=(record(2),), announcements=(line(2),)))
        world.harvest(world.feed)
        assert queries.audits([FRIDAY])[FRIDAY].state is State.COMPLETE

    def test_a_paper_that_somebody_else_told_of_is_held_only_on_its_day(self, world: World) -> None:
        other = Invented("reading-list", announcer="")
        other.say(Page(items=(record(1, "reading-list"),)))
        world.listing.say(Page(announcements=(line(1),), counts=(count(1),)))
        world.harvest(other)
        world.harvest(world.listing)
        assert queries.audits([FRIDAY])[FRIDAY].lines[0].held == 0

    def test_sections_that_are_not_followed_say_nothing(self, world: World) -> None:
        world.listing.say(Page(announcements=(line(1, section="math"),), counts=(count(1, section="math"),)))
        world.harvest(world.listing)
        assert [each.section for each in actions.audit_day(FRIDAY, now=NOON).lines] == ["cs"]

    def test_of_who_is_followed_as_a_whole_each_list_is_judged(self, world: World, settings: Any) -> None:
        settings.BROADSHEET_HARVEST = (("arxiv", ()),)
        world.listing.say(Page(counts=(count(0), count(0, section="math"))), set_name="")
        world.harvest(world.listing, set_name="")
        assert [each.section for each in actions.audit_day(FRIDAY, now=NOON).lines] == ["cs", "math"]

    def test_days_before_anything_was_followed_are_not_judged(self, world: World) -> None:
        world.listing.say(Page(counts=(count(0),)))
        world.harvest(world.listing)
        actions.audit_days([THURSDAY, FRIDAY], now=NOON)
        assert set(queries.audits([THURSDAY, FRIDAY])) == {FRIDAY}

    def test_a_list_that_the_week_passes_over_did_not_exist(self, world: World) -> None:
        world.listing.say(Page(counts=(count(0, date(2026, 11, 18)), count(0, FRIDAY))))
        world.harvest(world.listing)
        assert actions.audit_day(THURSDAY, now=NOON).state is State.EMPTY

    def test_how_many_questions_an_audit_asks_does_not_depend_on_the_list(self, world: World) -> None:
        def questions(first: int, number: int) -> int:
            numbers = range(first, first + number)
            world.feed.say(Page(items=tuple(map(record, numbers)), announcements=tuple(map(line, numbers))))
            world.harvest(world.feed)
            with CaptureQueriesContext(connection) as asked:
                actions.audit_day(FRIDAY, now=NOON)
            return len(asked)

        assert questions(1, 3) == questions(101, 60)


class TestTheSchedule:
    def test_who_follows_nothing_asks_nothing(self, world: World, settings: Any) -> None:
        settings.BROADSHEET_HARVEST = ()
        with CaptureQueriesContext(connection) as asked:
            assert world.step() is False
        assert len(asked) == 0

    def test_a_day_from_its_list_to_its_papers(self, world: World) -> None:
        """20:00 the list, 22:30 the records of OAI-PMH, midnight the feed; then nothing until the next evening."""
        evening = datetime(2026, 11, 20, 1, 10, tzinfo=UTC)
        world.listing.say(Page(announcements=(line(1), line(2)), counts=(count(2),)))
        world.work(evening)
        assert [len(source.asked) for source in (world.listing, world.feed, world.oai)] == [1, 1, 1]
        assert queries.audits([FRIDAY])[FRIDAY].state is State.UNVERIFIED
        world.oai.say(Page(items=(record(1, "arxiv-oai"),), sightings=(sighting(1, "2026-11-18 10:00"),)))
        world.work(evening + timedelta(hours=2, minutes=45))
        assert len(world.oai.asked) == 2
        world.feed.say(Page(items=(record(2),), announcements=(line(2),), counts=(count(2),)))
        world.work(evening + timedelta(hours=4, minutes=15))
        assert queries.audits([FRIDAY])[FRIDAY].state is State.COMPLETE
        assert days_of_papers() == {"2611.00001": FRIDAY, "2611.00002": FRIDAY}
        before = [len(source.asked) for source in (world.listing, world.feed, world.oai)]
        assert world.work(NOON) == 0
        assert before == [len(source.asked) for source in (world.listing, world.feed, world.oai)]

    def test_a_long_list_is_harvested_a_few_pages_at_a_step(self, world: World) -> None:
        world.oai.say(*(Page(items=(record(n, "arxiv-oai"),)) for n in range(7)))
        world.work()
        assert [cursor for _, cursor, _ in world.oai.asked] == ["", "2", "4", "6"]

    def test_the_first_harvest_of_records_begins_a_week_ago(self, world: World) -> None:
        world.work()
        assert world.oai.asked[0] == ("cs", "", date(2026, 11, 13))

    def test_who_failed_is_asked_again_later(self, world: World) -> None:
        world.listing.say(Unreachable("No answer."), Unreachable("No answer."))
        world.work()
        assert len(world.listing.asked) == 1
        world.work(NOON + timedelta(minutes=4))
        assert len(world.listing.asked) == 1
        world.work(NOON + timedelta(minutes=6))
        assert len(world.listing.asked) == 2

    def test_who_rests_is_left_alone(self, world: World) -> None:
        world.listing.say(Resting("Rest.", until=NOON + timedelta(hours=3)))
        world.work()
        world.work(NOON + timedelta(hours=2))
        assert len(world.listing.asked) == 1
        world.work(NOON + timedelta(hours=3, minutes=1))
        assert len(world.listing.asked) == 2

    def test_what_is_missing_by_name_is_looked_up(self, world: World) -> None:
        world.listing.say(Page(announcements=(line(1), line(2)), counts=(count(2),)))
        world.search.works = {work(n): record(n, "arxiv-search") for n in (1, 2)}
        world.work()
        assert world.search.asked == [[work(1), work(2)]]
        assert queries.audits([FRIDAY])[FRIDAY].state is State.COMPLETE
        assert days_of_papers() == {"2611.00001": FRIDAY, "2611.00002": FRIDAY}

    def test_what_nobody_has_is_asked_for_less_and_less(self, world: World) -> None:
        world.listing.say(Page(announcements=(line(1),), counts=(count(1),)))
        for hours in range(0, 24 * 10, 3):
            world.work(NOON + timedelta(hours=hours))
        assert 8 <= len(world.search.asked) <= 12
        assert DayCheck.objects.get(day=FRIDAY).next_at is None
        assert queries.audits([FRIDAY])[FRIDAY].state is State.INCOMPLETE

    def test_a_day_whose_list_was_not_seen_is_asked_for_with_the_list_before_it(self, world: World) -> None:
        world.listing.say(Page(counts=(count(0, date(2026, 11, 18)),)), Page(counts=(count(0),)))
        world.harvest(world.listing, pages=1, now=NOON - timedelta(days=2))
        world.work()
        world.work(NOON + timedelta(minutes=31))
        _, _, since = world.listing.asked[-1]
        assert since is not None
        assert since <= THURSDAY - timedelta(days=3)

    def test_one_process_at_a_time_harvests_an_announcer(self, world: World, data_folder: Path) -> None:
        world.listing.say(Page(counts=(count(0),)))
        with following.alone("arxiv", wait=False) as free:
            assert free
            assert world.step() is False
            assert actions.harvest(world.oai, cast(Client, world.client), set_name="cs", wait=False) is None
        assert world.listing.asked == []
        assert world.step() is True

    def test_who_keeps_no_calendar_is_asked_every_three_hours(
        self, world: World, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = Invented("reading-list", announcer="")
        sources: Any = {other.name: other}
        monkeypatch.setattr(registry, "_installed", lambda: Loaded(sources, ()))
        settings.BROADSHEET_HARVEST = (("reading-list", ()),)
        for minutes in range(0, 361, 15):
            world.work(NOON + timedelta(minutes=minutes))
        assert len(other.asked) == 3


def test_names_stand_for_a_source_or_for_all_of_an_announcer(world: World) -> None:
    assert {source.name for source in actions.harvesters_of("arxiv")} == {"arxiv-feed", "arxiv-listing", "arxiv-oai"}
    assert [source.name for source in actions.harvesters_of("arxiv-oai")] == ["arxiv-oai"]
    with pytest.raises(LookupError, match=r"no source named 'arxive'.*There are: arxiv, arxiv-feed"):
        actions.harvesters_of("arxive")


@pytest.mark.django_db(transaction=True)
def test_two_harvests_at_once_take_turns(world: World) -> None:
    """Both end, every record is there once, and the second goes on where the first stopped."""
    world.oai.say(*(Page(items=tuple(record(10 * page + n, "arxiv-oai") for n in range(10))) for page in range(6)))
    reports: list[HarvestReport] = []

    def run() -> None:
        try:
            reports.append(world.harvest(world.oai))
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(report.pages for report in reports) == [0, 6]
    assert all(report.finished for report in reports)
    assert (Paper.objects.count(), Statement.objects.count()) == (60, 60)


@pytest.mark.django_db(transaction=True)
def test_a_database_that_somebody_else_writes_to_is_waited_for_or_told(world: World, settings: Any) -> None:
    if connection.vendor != "sqlite":
        with transaction.atomic():
            world.feed.say(Page(items=(record(1),)))
            world.harvest(world.feed)
        return
    world.feed.say(Page(items=(record(1),)))
    Place.objects.create(source="arxiv-feed", set_name="cs")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 10")
    with closing(connection.copy()) as other:
        other.set_autocommit(True)
        with other.cursor() as cursor:
            cursor.execute("BEGIN IMMEDIATE")
            with pytest.raises(OperationalError, match="locked"):
                world.harvest(world.feed)
            cursor.execute("ROLLBACK")
    assert not Paper.objects.exists()
    assert world.harvest(world.feed).stored.new == 1


def test_everything_in_the_ledger_goes_with_its_list(world: World) -> None:
    world.listing.say(Page(announcements=(line(1),), counts=(count(1),)))
    world.harvest(world.listing)
    AnnouncedList.objects.all().delete()
    assert (Announcement.objects.count(), ListCount.objects.count()) == (0, 0)
