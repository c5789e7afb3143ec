"""The laws of sources that are asked over the network, as functions and as classes of tests to inherit. Needs pytest.

A package that offers such a source tests it with recorded answers, by their addresses::

    class TestMyHarvest(HarvestConformance):
        source = MySource()
        answers = {
            "https://example.org/papers?page=1": Path("tests/first.json").read_bytes(),
            "https://example.org/papers?page=2": Path("tests/second.json").read_bytes(),
        }
        set_name = "theory"


    class TestMyLookUp(FindConformance):
        source = MySource()
        answers = {"https://example.org/paper/2401.00001": Path("tests/one.json").read_bytes()}
        identifiers = (Identifier.from_str("arxiv:2401.00001"),)

The answers hold everything that the source asks for, also after the last page, or `otherwise` is what the origin says
to every other question. Several requests for one address get the same answer. The order of a query's fields does not
matter. `posted` are the answers to requests with a body.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

import pytest

from broadsheet.bibliography.identifiers import Identifier, Scheme
from broadsheet.bibliography.record import Record
from broadsheet.fetching.answers import LIMIT, Answer, Client, Failure, Missing, Unreachable
from broadsheet.sources.base import Findable, Harvestable, Page, Unreadable
from broadsheet.testing.source_conformance import check_statements

# No recorded harvest has as many pages; a source that makes more of it never stops.
MOST_PAGES = 200
# The time at which recorded answers come.
AT = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)

# What may come in place of an answer, by what it is.
GARBAGE: Mapping[str, Callable[[bytes], bytes]] = {
    "nothing": lambda _: b"",
    "an error page": lambda _: (
        b"<!DOCTYPE html>\n<html><head><title>502</title></head><body>Bad Gateway</body></html>\n"
    ),
    "the first half": lambda whole: whole[: len(whole) // 2],
    "all but the end": lambda whole: whole[:-20],
    "zeros": lambda _: bytes(1000),
    "binary": lambda whole: bytes(255 - byte for byte in whole[:1000]),
    "another encoding": lambda whole: whole.decode("utf-8", "replace").encode("utf-16"),
    "a list": lambda _: b"[]",
    "an object": lambda _: b"{}",
    "empty XML": lambda _: b'<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"/>',
    "nested too deep": lambda _: b"[" * 5000,
}


class _Source(Protocol):
    """What sources that harvest and sources that find have in common."""

    name: str
    title: str


@dataclass
class Recorded:
    """A client that answers from a table, and can do so wrongly. `asked` are the addresses in the order of asking.

    `spoil` changes the answer to one request, by its number from 0; it may raise a Failure.
    """

    answers: Mapping[str, bytes]
    otherwise: bytes | None = None
    posted: Mapping[str, bytes] = field(default_factory=dict)
    spoil: tuple[int, Callable[[bytes], bytes]] | None = None
    asked: list[str] = field(default_factory=list)
    remembered: set[str] = field(default_factory=set)

    def get(
        self,
        url: str,
        *,
        accept: str,
        limit: int = LIMIT,
        conditional: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """The recorded answer, or 304 for a conditional request whose answer was remembered. Raises Missing for an
        address without an answer, and AssertionError for a request without `accept`.
        """
        answer = self._answer(self.answers, url, accept)
        return replace(answer, status=304, body=b"") if conditional and url in self.remembered else answer

    def post(
        self, url: str, body: bytes, *, content_type: str, accept: str, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """The recorded answer to a request with a body. Raises as `get` does."""
        return self._answer(self.posted, url, accept)

    def remember(self, answer: Answer) -> None:
        """From now on a conditional request for this address gets 304."""
        self.remembered.add(answer.url)

    def _answer(self, table: Mapping[str, bytes], url: str, accept: str) -> Answer:
        assert accept, f"{url} was asked without saying what is accepted"
        number = len(self.asked)
        self.asked.append(url)
        bodies = {_place(address): body for address, body in table.items()}
        body = bodies.get(_place(url), self.otherwise)
        if body is None:
            raise Missing(f"There is no recorded answer for {url}.")
        if self.spoil and self.spoil[0] == number:
            body = self.spoil[1](body)
        return Answer(url, 200, {}, body, AT)


def _place(url: str) -> tuple[Any, ...]:
    """An address without the order of its query's fields."""
    parts = urlsplit(url)
    return (parts.scheme, parts.netloc, parts.path, tuple(sorted(parse_qsl(parts.query, keep_blank_values=True))))


def unreachable(_whole: bytes) -> bytes:
    """In place of an answer: nothing comes. Raises Unreachable."""
    raise Unreachable("Nobody answered.")


@dataclass(frozen=True, slots=True)
class Told:
    """What pages say together, without their order: by it two harvests are compared."""

    said: frozenset[object]

    @classmethod
    def of(cls, pages: Iterable[Page]) -> Told:
        """Everything that these pages hold except warnings, totals and cursors."""
        return cls(
            frozenset(
                one
                for page in pages
                for one in (*page.items, *page.announcements, *page.counts, *page.sightings, *page.deleted)
            )
        )

    def lacks(self, other: Told) -> frozenset[object]:
        """What the other says and this does not."""
        return other.said - self.said


@dataclass(frozen=True, slots=True)
class Harvest:
    """A question to a harvestable source: of whom, of what, from where on, and the answers that it gets."""

    source: Harvestable
    answers: Mapping[str, bytes]
    set_name: str = ""
    since: date | None = None
    otherwise: bytes | None = None

    def client(self, spoil: tuple[int, Callable[[bytes], bytes]] | None = None) -> Recorded:
        """A client with these answers."""
        return Recorded(self.answers, self.otherwise, spoil=spoil)

    def pages(self, client: Client, cursor: str = "") -> Iterator[Page]:
        """The pages after `cursor`, at most `MOST_PAGES` and one."""
        found = self.source.pages(client, set_name=self.set_name, cursor=cursor, since=self.since)
        return islice(found, MOST_PAGES + 1)

    def whole(self, cursor: str = "") -> list[Page]:
        """All pages after `cursor`. Raises what the source raises, and AssertionError when it does not stop."""
        pages = list(self.pages(self.client(), cursor))
        assert len(pages) <= MOST_PAGES, f"does not stop: more than {MOST_PAGES} pages"
        return pages

    def stored(self, client: Client, cursor: str = "") -> tuple[list[Page], str, Exception | None]:
        """The pages until the end or a failure, the cursor as it is then, and the failure (Failure or Unreadable)."""
        pages: list[Page] = []
        failure: Exception | None = None
        try:
            for page in self.pages(client, cursor):
                pages.append(page)
                cursor = cursor if page.cursor is None else page.cursor
        except (Failure, Unreadable) as error:
            failure = error
        return pages, cursor, failure


def check_page(source: _Source, page: Page) -> None:
    """What the page holds is sound: statements, days, numbers, zones, and whole sentences. Raises AssertionError."""
    if page.items:
        check_statements(source, list(page.items))  # type: ignore[arg-type]  # asks the source for its name only
    for one in page.announcements:
        assert one.section, f"an announcement without a section: {one}"
        assert one.version is None or one.version >= 1, f"an announcement of version {one.version}"
    for count in page.counts:
        assert count.number >= 0, f"less than nothing was announced: {count}"
        assert count.section, f"a count without a section: {count}"
    for sighting in page.sightings:
        assert sighting.submitted_at.tzinfo is not None, f"a time without a zone: {sighting}"
        assert sighting.versions >= 1, f"a work without a version: {sighting}"
    for warning in page.warnings:
        assert warning.endswith("."), f"no sentence: {warning!r}"
        assert warning.isprintable(), f"a warning that could steer a terminal: {warning!r}"
    assert page.cursor is None or page.cursor.isprintable(), f"a cursor that logs cannot show: {page.cursor!r}"


def check_pages_stop(harvest: Harvest) -> None:
    """The harvest ends, its last page says so, and no other does. Raises AssertionError."""
    pages = harvest.whole()
    assert pages, "a harvest has one page at least, even if it is empty"
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True], "the last page alone is the last"
    for page in pages:
        check_page(harvest.source, page)


def check_waits(harvest: Harvest) -> None:
    """The next page is asked for only when the one before was taken. Raises AssertionError."""
    client = harvest.client()
    asked = [len(client.asked) for _ in harvest.pages(client)]
    assert asked == sorted(asked), "requests were taken back"
    if len(asked) > 1:
        assert asked[0] < len(client.asked), "all pages were asked for before the first was given"


def check_repeatable(harvest: Harvest) -> None:
    """The same harvest twice gives the same pages and cursors. Raises AssertionError."""
    assert harvest.whole() == harvest.whole(), "a repeated harvest says something else"


def check_resuming(harvest: Harvest) -> None:
    """Who is killed after any page, stored or just not stored, and goes on from the cursor loses nothing.

    The client is the same before and after: what was not stored must not be remembered. Raises AssertionError.
    """
    count = len(harvest.whole())
    whole = Told.of(harvest.whole())
    for taken in range(count + 1):
        for stored in {taken, max(0, taken - 1)}:
            client = harvest.client()
            found = harvest.pages(client)
            pages = list(islice(found, taken))[:stored]
            del found
            cursor = next((page.cursor for page in reversed(pages) if page.cursor is not None), "")
            rest, _, failure = harvest.stored(client, cursor)
            where = f"resumed at {cursor!r} with {stored} pages stored of {taken} taken"
            assert failure is None, f"{where}, it failed: {failure!r}"
            lost = Told.of([*pages, *rest]).lacks(whole)
            assert not lost, f"{where}, this is lost: {sorted(map(str, lost))[:3]}"


def check_failures(harvest: Harvest) -> None:
    """A request that fails or gets garbage costs nothing: Failure or Unreadable, and a later harvest has it all.

    Raises AssertionError; anything else that the source raises passes through.
    """
    client = harvest.client()
    whole = Told.of(harvest.pages(client))
    for number in range(len(client.asked)):
        for kind, spoil in [*GARBAGE.items(), ("no answer", unreachable)]:
            pages, cursor, failure = harvest.stored(harvest.client((number, spoil)))
            if isinstance(failure, Unreadable):
                assert failure.sentence.endswith("."), f"no sentence: {failure.sentence!r}"
                assert "Nothing was stored" in failure.sentence, f"does not say what was kept: {failure.sentence!r}"
            for page in pages:
                check_page(harvest.source, page)
            lost = Told.of([*pages, *harvest.whole(cursor)]).lacks(whole)
            assert not lost, f"request {number} got {kind}; then this is lost: {sorted(map(str, lost))[:3]}"


class HarvestConformance:
    """Inherit, set `source` and `answers`, and pytest runs every law of a harvestable source."""

    source: Harvestable
    answers: Mapping[str, bytes]
    set_name: str = ""
    since: date | None = None
    otherwise: bytes | None = None

    @pytest.fixture
    def harvest(self) -> Harvest:
        """The recorded harvest."""
        return Harvest(self.source, self.answers, self.set_name, self.since, self.otherwise)

    def test_it_says_whom_it_asks_and_for_what(self) -> None:
        """It is harvestable, and its texts for people are there."""
        assert isinstance(self.source, Harvestable)
        assert self.source.announcer == "" or self.source.announcer.replace("-", "a").isalnum()
        assert self.source.sets.strip()

    def test_its_pages_stop(self, harvest: Harvest) -> None:
        """See `check_pages_stop`."""
        check_pages_stop(harvest)

    def test_it_asks_for_a_page_when_the_one_before_was_taken(self, harvest: Harvest) -> None:
        """See `check_waits`."""
        check_waits(harvest)

    def test_a_repeated_harvest_gives_the_same(self, harvest: Harvest) -> None:
        """See `check_repeatable`."""
        check_repeatable(harvest)

    def test_who_resumes_from_any_cursor_loses_nothing(self, harvest: Harvest) -> None:
        """See `check_resuming`."""
        check_resuming(harvest)

    def test_garbage_and_failures_cost_nothing(self, harvest: Harvest) -> None:
        """See `check_failures`."""
        check_failures(harvest)


class FindConformance:
    """Inherit, set `source`, `answers` and `identifiers`, and pytest runs every law of a source that finds works.

    `absent` are identifiers that the origin does not have; the answers know about those, too.
    """

    source: Findable
    answers: Mapping[str, bytes] = {}
    posted: Mapping[str, bytes] = {}
    identifiers: Sequence[Identifier]
    absent: Sequence[Identifier] = ()
    otherwise: bytes | None = None

    def _found(self, spoil: tuple[int, Callable[[bytes], bytes]] | None = None) -> tuple[list[Page], list[str]]:
        client = Recorded(self.answers, self.otherwise, self.posted, spoil)
        return list(self.source.find(client, (*self.identifiers, *self.absent))), client.asked

    def test_it_says_what_it_finds(self) -> None:
        """It is findable, and names the schemes of the identifiers that it takes."""
        assert isinstance(self.source, Findable)
        assert self.source.schemes
        assert all(isinstance(scheme, Scheme) for scheme in self.source.schemes)

    def test_it_finds_what_there_is_and_nothing_else(self) -> None:
        """Every work asked for comes once, with its identifier; what the origin does not have is absent."""
        pages, _ = self._found()
        for page in pages:
            check_page(self.source, page)
        records = [item for page in pages for item in page.items if isinstance(item, Record)]
        for identifier in self.identifiers:
            assert any(identifier in record.identifiers for record in records), f"{identifier} was not found"
        for identifier in self.absent:
            assert not any(identifier in record.identifiers for record in records), f"{identifier} was found"
        assert len(records) == len(self.identifiers), "something was found that nobody asked for, or twice"

    def test_nothing_is_asked_for_nothing(self) -> None:
        """Without identifiers there is no request."""
        client = Recorded({})
        assert list(self.source.find(client, ())) == []
        assert client.asked == []

    def test_the_same_question_gets_the_same_answer(self) -> None:
        """Asked twice, it says the same."""
        assert self._found() == self._found()

    def test_garbage_is_refused(self) -> None:
        """Any request that gets garbage or nothing gives Failure, Unreadable or sound pages, never anything else."""
        _, asked = self._found()
        for number in range(len(asked)):
            for spoil in (*GARBAGE.values(), unreachable):
                try:
                    pages, _ = self._found((number, spoil))
                except (Failure, Unreadable):
                    continue
                for page in pages:
                    check_page(self.source, page)
