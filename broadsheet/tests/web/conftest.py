"""A newspaper with the cast's papers in it, and a reader who asks for pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime

import pytest
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import HttpResponse
from django.test import Client

from broadsheet.bibliography.record import Record
from broadsheet.editions.actions import publish_pending
from broadsheet.evidence.actions import store_claims
from broadsheet.evidence.rules import Claim
from broadsheet.evidence.tasks import refresh_index
from broadsheet.ingest.models import DayCheck
from broadsheet.ingest.rules import Line, State
from broadsheet.papers import tasks
from broadsheet.papers.actions import store_many
from broadsheet.web.pages.front import verdicts
from broadsheet.web.pages.sections import sections
from broadsheet.web.pages.status import mail, totals

NOON = datetime(2024, 1, 2, 17, tzinfo=UTC)

Press = Callable[..., None]
Check = Callable[..., None]
Get = Callable[..., HttpResponse]


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    """Every test begins with processes that have answered nobody."""
    sections.forget()
    totals.forget()
    mail.forget()
    verdicts.forget()
    yield
    sections.forget()
    totals.forget()
    mail.forget()
    verdicts.forget()


@pytest.fixture(autouse=True)
def _connection_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Django closes old connections when an answer is closed; a test's own one holds its transaction."""
    monkeypatch.setattr(BaseDatabaseWrapper, "close_if_unusable_or_obsolete", lambda _self: None)


def print_papers(records: Iterable[Record], claims: Iterable[Claim] = (), *, now: datetime = NOON) -> None:
    """Store the records and claims, print the editions and bring the index up to date, as the worker would."""
    store_many(list(records))
    store_claims(claims)
    while publish_pending(now=now).more:
        pass
    index = tasks.open_index()
    try:
        while refresh_index(index).behind:
            pass
    finally:
        index.close()


@pytest.fixture
def press(db: None) -> Press:
    """Prints papers: `press([LANTERN, HARBOUR], claims)`."""
    return print_papers


@pytest.fixture
def check(db: None) -> Check:
    """Stores the audit of a day, as the worker would: `check(DAY, State.COMPLETE, line, reason="…")`."""

    def store(day: date, state: State, *lines: Line, reason: str = "So it is.", failed: tuple[str, ...] = ()) -> None:
        said = {"lines": [asdict(line) for line in lines], "failed": list(failed), "reason": reason, "state": state}
        DayCheck.objects.create(day=day, checked_at=NOON, **said)

    return store


@pytest.fixture
def get(client: Client) -> Get:
    """Asks for an address as a browser would and answers with the response, its text decoded as `.text`."""

    def ask(path: str, **headers: str) -> HttpResponse:
        return client.get(path, headers={"host": "localhost", **headers})

    return ask
