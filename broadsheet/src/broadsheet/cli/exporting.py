"""`broadsheet export`: papers as citations or records, in a file or on the terminal."""

from __future__ import annotations

import contextlib
import fcntl
import glob
import os
import stat
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
from broadsheet.search.index import RELEVANCE_DEPTH, Index, IndexUnavailable

EVERY = 5.0  # seconds between two lines of progress
_BATCH = 500
_PAGE = 5_000  # papers of a search asked for at once
# What importing makes of a record that names no other source.
_SOURCE = "records"


def export(file: Path, form: str, *, query: str | None = None, edition: str | None = None, force: bool = False) -> None:
    """Write the papers to `file`, or to the terminal where it is ``-``.

    A file appears when all of it is written. Raises Failure when it exists and `force` is not given, when there is no
    such folder or edition, when the search cannot answer or does not list all that it found, and OSError when it
    cannot be written.
    """
    if query is not None and edition is not None:
        raise Failure("--query and --edition cannot be given together. Nothing was written.")
    if query is not None and not query.strip():
        raise Failure("--query is empty. Leave it out to export every paper. Nothing was written.")
    preparing.require_database()
    total, records = _chosen(query, edition)
    write = _WRITERS[form]
    if str(file) == "-":
        count = _written(sys.stdout.buffer, write, records, total)
        sys.stdout.buffer.flush()
        click.echo(_papers(count), err=True)
        return
    with complete_file(file, force=force) as target:
        count = _written(target, write, records, total)
        size = target.tell()
    click.echo(f"{file}: {_papers(count)}, {size / 1e6:,.1f} MB", err=True)


def _papers(count: int) -> str:
    return "1 paper" if count == 1 else f"{count:,} papers"


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
        if index.search(asked, limit=1).total > RELEVANCE_DEPTH and asked.sort is not search.Sort.NEWEST:
            click.echo(f"More than {RELEVANCE_DEPTH:,} papers were found. They come newest first.", err=True)
            asked = replace(asked, sort=search.Sort.NEWEST)
        ids, total = _listed(index, asked)
    except IndexUnavailable as error:
        raise Failure(f"{error} `broadsheet doctor` builds the index again.") from error
    except ValueError as error:
        raise Failure("The index was changed while it was read. Nothing was written. Try again.") from error
    if len(ids) < total:
        raise Failure(
            f"The search found {total:,} papers and listed {len(ids):,}: {total - len(ids):,} are missing. "
            "Nothing was written. Try again, or narrow the search, for example by year."
        )
    return len(ids), _believed(ids)


def _listed(index: Index, asked: search.Query) -> tuple[list[int], int]:
    """The papers that a search lists, page after page, each once, and how many it says there are at least.

    Raises IndexUnavailable, and ValueError when the order of the answer changes meanwhile.
    """
    page = index.search(asked, limit=_PAGE)
    total = page.total
    ids = dict.fromkeys(hit.pk for hit in page.hits)
    while page.next and page.hits:
        page = index.search(asked, limit=_PAGE, after=page.next)
        # While it is read, papers may come and go.
        total = min(total, page.total)
        ids |= dict.fromkeys(hit.pk for hit in page.hits)
    return list(ids), total


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
def complete_file(file: Path, *, force: bool, private: bool = False) -> Iterator[IO[bytes]]:
    """A file beside `file` that takes its place when everything went well, and is gone when not. Raises Failure.

    A link is followed. A file that is replaced keeps its mode; a `private` one is its owner's alone in any case.
    """
    if file.is_symlink():
        file = Path(os.path.realpath(file))
    if not file.parent.is_dir():
        raise Failure(f"There is no folder {file.parent}. Nothing was written. Make it, or name another place.")
    if file.is_dir():
        raise Failure(f"{file} is a folder. Nothing was written. Name a file in it.")
    if os.path.lexists(file) and not file.is_file():
        raise Failure(f"{file} is no regular file. Nothing was written. Name another, or - for the terminal.")
    if file.exists() and not force:
        raise _existing(file)
    _remove_left(file)
    with tempfile.NamedTemporaryFile(
        dir=file.parent, prefix=f".{file.name[:100]}.", suffix=".partial", delete=False
    ) as target:
        partial = Path(target.name)
        with contextlib.suppress(OSError):
            # Says to `_remove_left` that somebody writes it.
            fcntl.flock(target.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            yield target.file
            target.flush()
            os.fchmod(target.fileno(), 0o600 if private else _mode(file))
            os.fsync(target.fileno())
            _place(partial, file, force=force)
        finally:
            with contextlib.suppress(FileNotFoundError):
                partial.unlink()


def _remove_left(file: Path) -> None:
    """Remove what exports to `file` that were killed have left beside it, and nothing that somebody still writes."""
    for left in file.parent.glob(f".{glob.escape(file.name[:100])}.{'[a-z0-9_]' * 8}.partial"):
        with contextlib.suppress(OSError):
            held = os.open(left, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                left.unlink()
            finally:
                os.close(held)


def _mode(file: Path) -> int:
    """The permissions that the complete file gets: those of the one it replaces, else those of any new file."""
    with contextlib.suppress(FileNotFoundError):
        return stat.S_IMODE(file.stat().st_mode) & 0o777
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask


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
