"""`broadsheet harvest`: asking a source now, with progress and a report; and the client that asks."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import date

import click
from django.conf import settings
from django.utils import timezone

from broadsheet.cli import preparing
from broadsheet.cli.failure import Failure
from broadsheet.cli.importing import follow
from broadsheet.config import folder, options
from broadsheet.config.checks import contact_problem
from broadsheet.fetching.client import Client
from broadsheet.fetching.credentials import Header, Query
from broadsheet.ingest import actions as ingest
from broadsheet.ingest.actions import Followed, HarvestProgress, HarvestReport
from broadsheet.ingest.rules.schedule import PRECEDENCE
from broadsheet.sources.text import printable

EVERY = 5.0  # seconds between two lines of progress
# How many times what is missing is asked for after a harvest; the worker goes on with the rest.
FILLINGS = 20


def client() -> Client:
    """The client of this instance. Raises Failure when nobody said who asks."""
    configuration = options.load()
    if problem := contact_problem(configuration.contact):
        raise Failure(f"{problem} Nothing was asked. Set BROADSHEET_CONTACT to your mail address.")
    credentials: dict[str, Header | Query] = {}
    if configuration.semantic_scholar_key:
        credentials["api.semanticscholar.org"] = Header("x-api-key", configuration.semantic_scholar_key)
    if configuration.openalex_key:
        credentials["api.openalex.org"] = Query("api_key", configuration.openalex_key)
    if configuration.openreview_token:
        for host in ("api2.openreview.net", "api.openreview.net"):
            credentials[host] = Header("Authorization", f"Bearer {configuration.openreview_token}")
    return Client(configuration.data / "fetching", contact=configuration.contact, credentials=credentials)


def harvest(name: str, since: date | None, sets: Sequence[str]) -> None:
    """Harvest and report; exits with status 1 when a source did not answer.

    Raises Failure for a name that nothing goes by and without a contact, FolderError, or a database error.
    """
    try:
        wanted = _wanted(name, sets)
    except LookupError as error:
        raise Failure(f"{error.args[0]} Nothing was asked.") from error
    asking = client()
    folder.make(settings.BROADSHEET_DATA)
    preparing.prepare(_say, with_starter=False)
    reports = [_harvest(one, asking, since) for one in wanted]
    if any(one.source.announcer == name for one in wanted):
        _fill(asking)
    follow()
    if any(report.failure for report in reports):
        sys.exit(1)


def _wanted(name: str, sets: Sequence[str]) -> list[Followed]:
    """The sources and sets to ask, in the order in which the schedule asks them."""
    sources = ingest.harvesters_of(name)
    said = dict(settings.BROADSHEET_HARVEST)
    result = []
    for source in sources:
        followed = said.get(name) or said.get(source.name) or said.get(source.announcer) or ("",)
        result += [Followed(source, set_name) for set_name in sets or followed]
    return sorted(result, key=lambda one: _place(one.source.name))


def _place(source: str) -> int:
    return PRECEDENCE.index(source) if source in PRECEDENCE else len(PRECEDENCE)


def _harvest(one: Followed, asking: Client, since: date | None) -> HarvestReport:
    """Harvest one set, after whoever harvests the same announcer now."""
    report = _ask(one, asking, since, wait=False)
    if report is None:
        _say(f"{_named(one)}: another process harvests it now; this one waits.")
        report = _ask(one, asking, since, wait=True)
    assert report is not None
    click.echo(_line(report))
    for warning in dict.fromkeys(report.warnings):
        click.echo(f"  {printable(warning)}")
    if report.failure:
        click.echo(f"Error: {report.failure}", err=True)
    return report


def _ask(one: Followed, asking: Client, since: date | None, *, wait: bool) -> HarvestReport | None:
    first = ingest.first_day(timezone.now())
    return ingest.harvest(
        one.source, asking, set_name=one.set_name, since=since, first=first, progress=_lines(), wait=wait
    )


def _fill(asking: Client) -> None:
    """Ask for what is missing on days that can be complete by now."""
    ingest.watch(now=timezone.now())
    for _ in range(FILLINGS):
        if not ingest.back_fill(asking, now=timezone.now()):
            return
        _say("· asked for what was missing")


def _named(one: Followed) -> str:
    return f"{one.source.name} {one.set_name}".strip()


def _line(report: HarvestReport) -> str:
    """arxiv-feed cs: 1 page, 1,020 read, 700 new, ..., 812 announced in 2.1 s (486/s), to its end"""
    stored = report.stored
    counts = ", ".join(
        f"{number:,} {word}"
        for number, word in (
            (report.pages, "page" if report.pages == 1 else "pages"),
            (report.items, "read"),
            (stored.new, "new"),
            (stored.merged, "merged"),
            (stored.changed, "changed"),
            (stored.unchanged, "unchanged"),
            (report.rejected, "rejected"),
            (report.announced, "announced"),
        )
    )
    rate = report.items / report.seconds if report.seconds else 0.0
    end = "" if report.finished else ", overtaken by another harvest" if report.overtaken else ", not to its end"
    return f"{report.source} {report.set_name}".strip() + f": {counts} in {report.seconds:.1f} s ({rate:,.0f}/s){end}"


def _lines() -> Callable[[HarvestProgress], None]:
    """A line at most every EVERY seconds: how far, how fast, and how long it may still take."""
    began = shown = time.monotonic()

    def show(progress: HarvestProgress) -> None:
        nonlocal shown
        now = time.monotonic()
        if now - shown < EVERY:
            return
        shown = now
        rate = progress.items / (now - began)
        named = f"{progress.source} {progress.set_name}".strip()
        said = [f"page {progress.pages:,}", f"{progress.items:,}{_of(progress)} records", f"{rate:,.0f}/s"]
        _say(f"{named}: {', '.join([*said, *_left(progress, rate)])}")

    return show


def _of(progress: HarvestProgress) -> str:
    return f" of {progress.total:,}" if progress.total and progress.total >= progress.items else ""


def _left(progress: HarvestProgress, rate: float) -> Iterable[str]:
    if progress.total and progress.total > progress.items and rate:
        yield f"about {max(1, round((progress.total - progress.items) / rate / 60)):,} min left"


def _say(sentence: str) -> None:
    click.echo(sentence, err=True)
