"""`broadsheet status`: what this instance holds, in lines of name and value."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click
from django.conf import settings
from django.utils import timezone

from broadsheet.cli import preparing
from broadsheet.config import folder, schema
from broadsheet.editions import queries as editions
from broadsheet.ingest import queries as ingest
from broadsheet.papers import queries as papers
from broadsheet.papers import tasks
from broadsheet.search.index import Index, IndexUnavailable
from broadsheet.sources import text
from broadsheet.web import wording

RUNS_SHOWN = 5
DAYS_SHOWN = 5


def status() -> None:
    """Print the lines. Raises Failure when there is no database to report of."""
    preparing.require_database()
    for name, value in (*_house(), *_holdings(), *_index(), *_days(), *_sources(), *_runs()):
        click.echo(f"{name:<10} {value}")


def _house() -> list[tuple[str, str]]:
    running = folder.holder(settings.BROADSHEET_DATA, folder.UP_LOCK)
    database = schema.sqlite_file()
    size = f"{_megabytes(database):,.1f} MB, {database}" if database else "PostgreSQL"
    return [
        ("running", f"yes, {running}" if running is not None else "no"),
        ("data", str(settings.BROADSHEET_DATA)),
        ("database", size),
    ]


def _megabytes(database: Path) -> float:
    """Of the file and of what is written beside it until it is brought in."""
    files = (database, database.with_name(database.name + "-wal"))
    return sum(file.stat().st_size for file in files if file.exists()) / 1e6


def _holdings() -> list[tuple[str, str]]:
    totals = papers.totals()
    newest = f", last change {totals.newest:%Y-%m-%d %H:%M} UTC" if totals.newest else ""
    counts = ", ".join(f"{count:,} {kind}" for kind, count in editions.counts().items() if count)
    behind = editions.behind()
    return [
        ("papers", f"{totals.papers:,} from {totals.statements:,} statements of sources"),
        ("journal", f"{totals.changes:,} entries{newest}"),
        ("editions", (counts or "none") + (f"; {behind:,} steps behind" if behind else "")),
    ]


def _index() -> list[tuple[str, str]]:
    try:
        index = tasks.open_index()
        behind = papers.unread(index.cursor())
        state = f"{behind:,} changes behind" if behind else "up to date"
        return [("index", f"{index.count():,} papers, {state}"), ("meaning", _meaning(index))]
    except IndexUnavailable as error:
        return [("index", f"cannot answer: {error}")]


def _meaning(index: Index) -> str:
    """Whether search is by meaning too, and of how many papers."""
    known = index.embedding()
    if not known.model:
        return "search is by words; no model is set"
    return known.missing or f"{min(known.papers, index.count()):,} of {index.count():,} papers, {known.model}"


def _days() -> list[tuple[str, str]]:
    """The last days with their states, where any source is asked."""
    if not ingest.places():
        return []
    return [
        (str(day.day), (f"{day.edition.size:,} papers. " if day.edition else "") + _plain(day.words.line))
        for day in editions.recent(DAYS_SHOWN)
    ]


def _sources() -> list[tuple[str, str]]:
    now = timezone.now()
    return [("source", " ".join(filter(None, _source(place, now)))) for place in ingest.places()]


def _source(place: ingest.Place, now: datetime) -> tuple[str, ...]:
    answered = f"Last answer {place.answered_at:%Y-%m-%d %H:%M} UTC." if place.answered_at else ""
    named = f"{place.source} {place.set_name}".strip()
    return (f"{named}:", *map(_plain, wording.health(place, now)), answered)


def _plain(words: str) -> str:
    """What pages say, for a terminal: with plain blanks, and without what would steer it."""
    return text.printable(words.replace("\u00a0", " ").replace("\u202f", " "))


def _runs() -> list[tuple[str, str]]:
    return [
        (
            "import",
            f"{run.started_at:%Y-%m-%d %H:%M} UTC {run.filename}: {run.read:,} read, {run.new:,} new, "
            f"{run.rejected:,} rejected" + ("" if run.finished_at else ", not finished"),
        )
        for run in ingest.recent_runs(RUNS_SHOWN)
    ]
