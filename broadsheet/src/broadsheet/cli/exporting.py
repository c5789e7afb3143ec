"""`broadsheet export`: papers as citations or records, in a file or on the terminal."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

import click
import orjson

from broadsheet.bibliography.formats import bibtex, csl, ris
from broadsheet.bibliography.record import Record
from broadsheet.cli import preparing
from broadsheet.cli.failure import Failure
from broadsheet.editions import queries as editions
from broadsheet.editions.rules import Kind
from broadsheet.papers import queries as papers
from broadsheet.papers import tasks
from broadsheet.search import query as search
from broadsheet.search.index import IndexUnavailable

EVERY = 5.0  # seconds between two lines of progress
_BATCH = 500
# What importing makes of a record that names no other source.
_SOURCE = "records"


def export(file: Path, form: str, *, query: str | None = None, edition: str | None = None, force: bool = False) -> None:
    """Write the papers to `file`, or to the terminal where it is ``-``.

    A file appears when all of it is written. Raises Failure when it exists and `force` is not given, when there is no
    such folder or edition, when the search cannot answer, and OSError when it cannot be written.
    """
    if query is not None and edition is not None:
        raise Failure("--query and --edition cannot be given together. Nothing was written.")
    preparing.require_database()
    total, records = _chosen(query, edition)
    write = _WRITERS[form]
    if str(file) == "-":
        count = _written(sys.stdout.buffer, write, records, total)
        sys.stdout.buffer.flush()
        click.echo(f"{count:,} papers", err=True)
        return
    with _complete(file, force=force) as target:
        count = _written(target, write, records, total)
        size = target.tell()
    click.echo(f"{file}: {count:,} papers, {size / 1e6:,.1f} MB", err=True)


# --- Which papers ----------------------------------------------------------------------------------------------------


def _chosen(query: str | None, edition: str | None) -> tuple[int, Iterator[Record]]:
    """How many papers there are, about, and what we believe of each."""
    if query is not None:
        return _found(query)
    if edition is not None:
        return _printed(edition)
    return papers.totals().papers, papers.shown(batch=_BATCH)


def _found(words: str) -> tuple[int, Iterator[Record]]:
    try:
        index = tasks.open_index()
        asked = search.parse(words)
        total = index.search(asked, limit=1).total
        ids = [
            hit.pk for start in range(0, total, _BATCH) for hit in index.search(asked, limit=_BATCH, offset=start).hits
        ]
    except IndexUnavailable as error:
        raise Failure(f"{error} `broadsheet doctor` builds the index again.") from error
    return len(ids), _believed(ids)


def _printed(label: str) -> tuple[int, Iterator[Record]]:
    for kind in Kind:
        found = editions.edition_of(kind, label)
        if found is not None:
            ids = [entry.paper_id for entry in editions.entries(found, limit=found.size)]
            return len(ids), _believed(ids)
    raise Failure(f"There is no edition {label}. Nothing was written. Labels look like 2026-11-20, 2026-W47, 2026-11.")


def _believed(ids: list[int]) -> Iterator[Record]:
    """What we believe of these papers, each once, in this order."""
    roots = papers.canonical(ids)
    wanted = list(dict.fromkeys(roots[paper_id] for paper_id in ids))
    for start in range(0, len(wanted), _BATCH):
        batch = wanted[start : start + _BATCH]
        known = papers.beliefs(batch)
        yield from (known[paper_id] for paper_id in batch if paper_id in known)


# --- Writing ---------------------------------------------------------------------------------------------------------

_Write = Callable[[Iterable[Record]], Iterator[str]]


def _as_records(records: Iterable[Record]) -> Iterator[str]:
    """One JSON object on each line, with every field that is known."""
    for record in records:
        yield orjson.dumps(replace(record, source=_SOURCE).as_json()).decode() + "\n"


_WRITERS: dict[str, _Write] = {
    "bibtex": bibtex.write,
    "ris": ris.write,
    "csl-json": csl.write,
    "records": _as_records,
}


def _written(target: IO[bytes], write: _Write, records: Iterable[Record], total: int) -> int:
    """Write everything, now and then saying how far; how many papers it was."""
    count = 0
    began = shown = time.monotonic()

    def counted() -> Iterator[Record]:
        nonlocal count, shown
        for record in records:
            yield record
            count += 1
            if count % 100 == 0 and time.monotonic() - shown >= EVERY:
                shown = time.monotonic()
                rate = count / (shown - began)
                left = max(0, total - count) / rate
                click.echo(f"{count:,} of {total:,} papers, {rate:,.0f}/s, about {left:,.0f} s left", err=True)

    for piece in write(counted()):
        target.write(piece.encode())
    return count


@contextlib.contextmanager
def _complete(file: Path, *, force: bool) -> Iterator[IO[bytes]]:
    """A file beside `file` that takes its place when everything went well, and is gone when not. Raises Failure."""
    if not file.parent.is_dir():
        raise Failure(f"There is no folder {file.parent}. Nothing was written. Make it, or name another place.")
    if file.is_dir():
        raise Failure(f"{file} is a folder. Nothing was written. Name a file in it.")
    if file.exists() and not force:
        raise _existing(file)
    with tempfile.NamedTemporaryFile(
        dir=file.parent, prefix=f".{file.name[:100]}.", suffix=".partial", delete=False
    ) as target:
        partial = Path(target.name)
        try:
            yield target.file
            target.flush()
            os.fsync(target.fileno())
            _place(partial, file, force=force)
        finally:
            with contextlib.suppress(FileNotFoundError):
                partial.unlink()


def _place(partial: Path, file: Path, *, force: bool) -> None:
    """Give the complete file its name. Without `force`, a file that came meanwhile is left alone."""
    if force:
        partial.replace(file)
        return
    try:
        os.link(partial, file)
    except FileExistsError as error:
        raise _existing(file) from error
    except OSError:
        # A file system without hard links.
        if file.exists():
            raise _existing(file) from None
        partial.rename(file)


def _existing(file: Path) -> Failure:
    return Failure(f"{file} exists already and was left alone. Name another file, or replace it with --force.")
