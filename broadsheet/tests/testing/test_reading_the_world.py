"""Our sources of arXiv read what the pretended arXiv writes, all of it, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

from broadsheet.bibliography.identifiers import Identifier, Scheme
from broadsheet.bibliography.record import Record
from broadsheet.fetching.answers import Client
from broadsheet.sources.base import AnnouncementKind, Page
from broadsheet.sources.origins.arxiv_feed import ArxivFeed
from broadsheet.sources.origins.arxiv_listing import ArxivListing
from broadsheet.sources.origins.arxiv_oai import ArxivOai
from broadsheet.sources.origins.arxiv_search import ArxivSearch
from broadsheet.testing.arxiv import Arxiv
from broadsheet.testing.arxiv_client import client_of
from broadsheet.testing.arxiv_history import invented
from broadsheet.testing.origin import Origin

NOW = datetime(2026, 3, 12, 12, tzinfo=UTC)
TODAY = date(2026, 3, 12)


@pytest.fixture(scope="module")
def world() -> Arxiv:
    return Arxiv(invented(date(2026, 2, 23), date(2026, 3, 20), seed=3, per_day=20), NOW, page_size=25)


@pytest.fixture(scope="module")
def client(world: Arxiv, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with Origin(world) as origin:
        yield client_of(tmp_path_factory.mktemp("client"), origin.url, [NOW])


def records(pages: list[Page]) -> dict[str, Record]:
    assert [warning for page in pages for warning in page.warnings] == []
    items = [item for page in pages for item in page.items]
    assert all(isinstance(item, Record) for item in items)
    return {item.source_key: item for item in items if isinstance(item, Record)}


def test_oai_brings_every_record_that_changed(world: Arxiv, client: Client) -> None:
    pages = list(ArxivOai().pages(client, set_name="cs", cursor="", since=date(2026, 3, 9)))
    expected = {
        work.identifier: work
        for work, state in world.history.changed(date(2026, 3, 9), NOW)
        if any(category.startswith("cs.") for category in state.categories)
    }
    found = records(pages)
    assert len(pages) > 2
    assert found.keys() == expected.keys()
    for name, record in found.items():
        assert record.title == expected[name].draft.title
        assert record.authors == expected[name].draft.authors
        assert record.license == expected[name].license


@pytest.mark.parametrize("section", ["cs", "cs.AI", "stat.ML", "hep-th"])
def test_the_feed_brings_the_list_of_its_day(world: Arxiv, client: Client, section: str) -> None:
    pages = list(ArxivFeed().pages(client, set_name=section, cursor="", since=None))
    told = {(line.identifier.value, line.kind) for page in pages for line in page.announcements if line.day == TODAY}
    assert told == set(world.history.announced(TODAY, section).items())
    assert records(pages).keys() == {name for name, _ in told}


@pytest.mark.parametrize("section", ["cs", "cs.AI", "stat.ML", "hep-th"])
def test_the_listing_page_counts_its_list(world: Arxiv, client: Client, section: str) -> None:
    pages = list(ArxivListing().pages(client, set_name=section, cursor="", since=None))
    listed = [line.kind for line in world.history.listed(TODAY, section, page=True)]
    counts = {count.kind: count.number for page in pages for count in page.counts if count.day == TODAY}
    assert counts.get(AnnouncementKind.NEW, 0) == listed.count(AnnouncementKind.NEW)
    assert counts.get(AnnouncementKind.CROSS, 0) == listed.count(AnnouncementKind.CROSS)


def test_the_page_of_the_week_dates_its_works(world: Arxiv, client: Client) -> None:
    pages = list(ArxivListing().pages(client, set_name="cs", cursor="", since=date(2026, 3, 9)))
    told = {
        (line.identifier.value, line.day)
        for page in pages
        for line in page.announcements
        if line.kind in (AnnouncementKind.NEW, AnnouncementKind.CROSS)
    }
    for day in world.history.schedule.days(date(2026, 3, 9), TODAY):
        lines = world.history.listed(day, "cs", page=True)
        news = {line.work.identifier for line in lines if line.kind in (AnnouncementKind.NEW, AnnouncementKind.CROSS)}
        assert {name for name, known in told if known == day} == news


def test_the_search_finds_works_by_their_identifiers(world: Arxiv, client: Client) -> None:
    names = list(world.history.works)[:30]
    wanted = [Identifier(Scheme.ARXIV, name) for name in names]
    assert records(list(ArxivSearch().find(client, wanted))).keys() == set(names)
