"""`broadsheet import`: papers from files, with progress and a report."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from django.conf import settings

from broadsheet.cli import preparing
from broadsheet.config import folder
from broadsheet.ingest import queries
from broadsheet.ingest.actions import Progress, Report, import_file
from broadsheet.search.index import IndexUnavailable
from broadsheet.sources.base import Unreadable

EVERY = 5.0  # seconds between two lines of progress where there is no terminal
REJECTED_SHOWN = 20


def import_files(files: Sequence[Path]) -> None:
    """Import each file and report; exits with status 1 when one could not be read.

    Raises FolderError, Failure or a database error when nothing can be stored at all.
    """
    folder.make(settings.BROADSHEET_DATA)
    preparing.prepare(_say, with_starter=False)
    unread = [path for path in files if not _import(path)]
    follow()
    if unread:
        if len(files) > 1:
            names = ", ".join(map(str, unread))
            click.echo(f"{len(unread)} of {len(files)} files could not be read: {names}", err=True)
        sys.exit(1)


def _say(sentence: str) -> None:
    click.echo(sentence, err=True)


def _import(path: Path) -> bool:
    try:
        with _progress() as progress:
            report = import_file(path, progress=progress)
    except Unreadable as error:
        click.echo(f"Error: {error.sentence}", err=True)
        return False
    click.echo(_line(report))
    for rejection in queries.rejected(report.run_id, REJECTED_SHOWN):
        click.echo(f"  rejected {rejection.position}: {rejection.reason}")
    if report.rejected > REJECTED_SHOWN:
        click.echo(f"  and {report.rejected - REJECTED_SHOWN:,} more, listed on the status page")
    return True


def _line(report: Report) -> str:
    """page.html (saved-page): 73 read, 70 new, 3 merged, 0 changed, 0 unchanged, 0 rejected in 0.1 s (730/s)"""
    parts = ("read", "new", "merged", "changed", "unchanged", "rejected")
    counts = ", ".join(f"{getattr(report, part):,} {part}" for part in parts)
    rate = report.read / report.seconds if report.seconds else 0.0
    return f"{report.filename} ({report.source}): {counts} in {report.seconds:.1f} s ({rate:,.0f}/s)"


@contextmanager
def _progress() -> Iterator[Callable[[Progress], None]]:
    """How to show progress here: a bar on a terminal, now and then a line with the rate elsewhere."""
    if not sys.stderr.isatty():
        yield _lines()
        return
    with click.progressbar(length=1, label="reading", file=sys.stderr, show_pos=False) as bar:

        def show(progress: Progress) -> None:
            bar.length = max(1, progress.total_bytes)
            bar.label = f"{progress.filename[:40]} {progress.records:,} records"
            bar.update(progress.done_bytes - bar.pos)

        yield show


def _lines() -> Callable[[Progress], None]:
    """A line at most every EVERY seconds: how far, how many, how fast."""
    began = shown = time.monotonic()

    def show(progress: Progress) -> None:
        nonlocal shown
        now = time.monotonic()
        if now - shown < EVERY:
            return
        shown = now
        share = 100 * progress.done_bytes // max(1, progress.total_bytes)
        rate = progress.records / (now - began)
        click.echo(f"{progress.filename}: {share} %, {progress.records:,} records, {rate:,.0f}/s", err=True)

    return show


def follow() -> None:
    """Let the editions and the index follow at once. Where a worker runs it does that, and this finds nothing to do."""
    preparing.publish(_say)
    try:
        preparing.refresh(_say)
    except IndexUnavailable as error:
        if folder.holder(settings.BROADSHEET_DATA, folder.UP_LOCK) is not None:
            _say("The running Broadsheet brings the search index up to date.")
        else:
            _say(f"The papers are stored. The search index follows later: {error}")
