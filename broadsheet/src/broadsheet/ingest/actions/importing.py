"""Bringing papers in from files."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BufferedReader
from itertools import islice
from pathlib import Path

from django.utils import timezone

from broadsheet.bibliography.record import Record, Rejected
from broadsheet.ingest.actions import ledger
from broadsheet.ingest.actions.consistency import consistent
from broadsheet.ingest.models import ImportRun, RejectedRecord
from broadsheet.papers.actions import Stored, store_many
from broadsheet.sources import registry
from broadsheet.sources.base import EXCERPT_BYTES, HEAD_BYTES, Source, Unreadable, read_verified
from broadsheet.sources.text import printable
from broadsheet.storage import loading, writing

# Records stored in one transaction: enough to spread its cost, few enough that other writers wait well under a second.
BATCH = 2000


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is: bytes read of bytes in all, and records stored or rejected so far."""

    filename: str
    done_bytes: int
    total_bytes: int
    records: int


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a file. Every item read is new, merged, changed, unchanged or rejected; `seconds` is wall time."""

    run_id: int
    source: str
    filename: str
    read: int
    new: int
    merged: int
    changed: int
    unchanged: int
    rejected: int
    seconds: float


def import_file(path: Path, *, progress: Callable[[Progress], None] | None = None) -> Report:
    """Recognise a file, read it, and store what it says, some 2,000 records in a transaction.

    Raises Unreadable, with a sentence for the person, when nothing of the file can be used; the database is then as it
    was. An import that was killed has stored whole batches: importing the file again completes it.
    """
    began = time.monotonic()
    with _opened(path) as stream, loading():
        size = path.stat().st_size
        name = printable(path.name)
        source = _recognise(stream, path.name)
        items = consistent(read_verified(source, stream, filename=path.name))
        first = list(islice(items, BATCH))
        if not first:
            raise Unreadable(f"{name} has no papers in it. Nothing was stored.")
        run = ImportRun.objects.create(source=source.name, filename=name, started_at=timezone.now())
        for batch in _batches(first, items):
            _store(run, batch)
            if progress:
                progress(Progress(name, min(stream.tell(), size), size, run.read))
        run.finished_at = timezone.now()
        run.save(update_fields=["finished_at"])
    return Report(
        run.id, source.name, name, run.read, run.new, run.merged, run.changed, run.unchanged, run.rejected,
        time.monotonic() - began,
    )  # fmt: skip


def _opened(path: Path) -> BufferedReader:
    if not path.is_file():
        what = "is no regular file" if path.exists() else "does not exist"
        raise Unreadable(f"{printable(str(path))} {what}. Nothing was stored.")
    try:
        return path.open("rb")
    except OSError as error:
        name = printable(str(path))
        raise Unreadable(
            f"{name} cannot be opened: {error.strerror}. Nothing was stored. Check that you may read it."
        ) from error


def _recognise(stream: BufferedReader, filename: str) -> Source:
    head = stream.read(HEAD_BYTES)
    stream.seek(0)
    source = registry.recognise(head, filename)
    if source is None:
        raise registry.unrecognised(head, filename)
    return source


def _batches(first: list[Record | Rejected], rest: Iterator[Record | Rejected]) -> Iterator[list[Record | Rejected]]:
    batch = first
    while batch:
        yield batch
        batch = list(islice(rest, BATCH))


def _store(run: ImportRun, batch: Sequence[Record | Rejected]) -> None:
    """Store a batch, its rejections and the run's counts in one transaction."""
    records = [item for item in batch if isinstance(item, Record)]
    rejected = [item for item in batch if isinstance(item, Rejected)]
    with writing():
        stored = store_many(ledger.dated(records))
        RejectedRecord.objects.bulk_create(
            RejectedRecord(run=run, position=r.position[:64], reason=r.reason, excerpt=r.excerpt[:EXCERPT_BYTES])
            for r in rejected
        )
        _count(run, len(records) + len(rejected), stored, len(rejected))
        run.save()


def _count(run: ImportRun, read: int, stored: Stored, rejected: int) -> None:
    run.read += read
    run.new += stored.new
    run.merged += stored.merged
    run.changed += stored.changed
    run.unchanged += stored.unchanged
    run.rejected += rejected
