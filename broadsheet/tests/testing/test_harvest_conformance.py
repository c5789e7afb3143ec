"""The laws of harvesting notice who breaks them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import pytest

from broadsheet.bibliography.identifiers import Identifier, Scheme
from broadsheet.bibliography.record import Record
from broadsheet.fetching.answers import Client
from broadsheet.sources.base import Count, Page, Unreadable
from broadsheet.testing import harvest_conformance as laws
from broadsheet.testing.cast import arxiv
from broadsheet.testing.harvest_conformance import FindConformance, Harvest, HarvestConformance

BASE = "https://example.org/papers"
ANSWERS = {
    f"{BASE}?after=": b'{"titles": ["Meadows", "Harbours"], "next": "2"}',
    f"{BASE}?after=2": b'{"titles": ["Lamps"], "next": ""}',
}


class Shelf:
    """A source of another package: pages of titles, each with the place of the next."""

    name = "shelf"
    title = "Shelf"
    announcer = ""
    sets = "nothing"
    schemes = frozenset((Scheme.ARXIV,))

    def pages(self, client: Client, *, set_name: str, cursor: str, since: date | None) -> Iterator[Page]:
        place = cursor
        while True:
            said = _said(client, f"{BASE}?after={place}")
            following = said["next"]
            yield Page(items=_records(said["titles"]), cursor=following or None, last=not following)
            if not following:
                return
            place = following

    def find(self, client: Client, identifiers: Sequence[Identifier]) -> Iterator[Page]:
        for one in identifiers:
            found = _said(client, f"{BASE}/{one.value}")
            yield Page(items=_records(found["titles"], one))


def _said(client: Client, url: str) -> dict[str, Any]:
    answer = client.get(url, accept="application/json")
    try:
        said = json.loads(answer.body)
        return {"titles": list(map(str, said["titles"])), "next": str(said["next"])}
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise Unreadable("The shelf sent something else. Nothing was stored. Try again.", repr(error)) from error


def _records(titles: Sequence[str], *identifiers: Identifier) -> tuple[Record, ...]:
    return tuple(Record(source="shelf", source_key=one, title=one, identifiers=identifiers) for one in titles)


class TestShelf(HarvestConformance):
    source = Shelf()
    answers = ANSWERS


SINGLE = {f"{BASE}/2611.00001": b'{"titles": ["Meadows"], "next": ""}'}


class TestFindOnShelf(FindConformance):
    source = Shelf()
    answers = {**SINGLE, f"{BASE}/2611.00002": b'{"titles": [], "next": ""}'}  # noqa: RUF012  # only read
    identifiers = (arxiv("2611.00001"),)
    absent = (arxiv("2611.00002"),)


class _Endless(Shelf):
    def pages(self, client: Client, **how: Any) -> Iterator[Page]:
        while True:
            yield Page(last=False)


class _Silent(Shelf):
    def pages(self, client: Client, **how: Any) -> Iterator[Page]:
        for page in super().pages(client, **how):
            yield Page(items=page.items, cursor=page.cursor, last=False)


class _Greedy(Shelf):
    def pages(self, client: Client, **how: Any) -> Iterator[Page]:
        yield from list(super().pages(client, **how))


class _Ahead(Shelf):
    """Moves the cursor as if all that follows were stored already."""

    def pages(self, client: Client, **how: Any) -> Iterator[Page]:
        for page in super().pages(client, **how):
            yield Page(items=page.items, cursor="end", last=page.last)
            if how["cursor"] == "end":
                return


class _Skipping(_Ahead):
    def pages(self, client: Client, **how: Any) -> Iterator[Page]:
        if how["cursor"]:
            yield Page()
            return
        yield from super().pages(client, **how)


class _Hasty(Shelf):
    """Remembers an answer before its page is stored, and asks only for what is new."""

    def pages(self, client: Client, **how: Any) -> Iterator[Page]:
        answer = client.get(f"{BASE}?after=2", accept="application/json", conditional=True)
        client.remember(answer)
        yield Page(items=() if answer.unchanged else _records(json.loads(answer.body)["titles"]))


class _Fragile(Shelf):
    def pages(self, client: Client, **how: Any) -> Iterator[Page]:
        answer = client.get(f"{BASE}?after=2", accept="application/json")
        yield Page(items=_records(json.loads(answer.body)["titles"]))


class _Forgetful(Shelf):
    def pages(self, client: Client, **how: Any) -> Iterator[Page]:
        try:
            yield from super().pages(client, **how)
        except Unreadable:
            yield Page(cursor="2")


class _Negative(Shelf):
    def pages(self, client: Client, **how: Any) -> Iterator[Page]:
        yield Page(counts=(Count(date(2026, 11, 20), "cs", None, -1),))


class _Mute(Shelf):
    def pages(self, client: Client, **how: Any) -> Iterator[Page]:
        yield Page(warnings=("bad",))


@pytest.mark.parametrize(
    ("source", "law", "complaint"),
    [
        pytest.param(_Endless(), laws.check_pages_stop, "does not stop", id="never stops"),
        pytest.param(_Silent(), laws.check_pages_stop, "the last page alone", id="does not say which is last"),
        pytest.param(_Negative(), laws.check_pages_stop, "less than nothing", id="counts below zero"),
        pytest.param(_Mute(), laws.check_pages_stop, "no sentence", id="warns without a sentence"),
        pytest.param(_Greedy(), laws.check_waits, "all pages were asked for", id="does not wait"),
        pytest.param(_Skipping(), laws.check_resuming, "this is lost", id="moves the cursor too far"),
        pytest.param(_Hasty(), laws.check_resuming, "this is lost", id="remembers too early"),
        pytest.param(_Forgetful(), laws.check_failures, "this is lost", id="moves on over garbage"),
    ],
)
def test_who_breaks_a_law_is_noticed(source: Shelf, law: Any, complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        law(Harvest(source, ANSWERS))


def test_other_exceptions_than_those_of_the_contract_pass_through() -> None:
    with pytest.raises(ValueError):
        laws.check_failures(Harvest(_Fragile(), ANSWERS))
