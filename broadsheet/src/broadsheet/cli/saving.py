"""`broadsheet backup`: a copy of the database that is whole, while everything runs."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

import click
from django.db import connection

from broadsheet.cli import preparing
from broadsheet.cli.failure import Failure
from broadsheet.config import schema


def backup(file: Path) -> None:
    """Copy the SQLite database to `file`, check the copy, and say how large it is.

    Raises Failure for PostgreSQL, whose own tool does this, for a file that exists, and when the copy is damaged.
    """
    source = schema.sqlite_file()
    if source is None:
        name = connection.settings_dict["NAME"]
        raise Failure(f"This instance uses PostgreSQL, whose own tool makes backups: pg_dump -Fc {name} > FILE")
    preparing.require_database()
    if not file.parent.is_dir():
        raise Failure(f"There is no folder {file.parent}. Nothing was written. Make it, or name another place.")
    if file.exists():
        raise Failure(f"{file} exists already and was left alone. Name another file.")
    partial = file.with_name(file.name + ".partial")
    try:
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError as error:
        raise Failure(f"{partial} is left from a backup that did not finish. Remove it and try again.") from error
    try:
        _copy(source, partial)
        partial.rename(file)
    finally:
        with contextlib.suppress(FileNotFoundError):
            partial.unlink()
    click.echo(f"{file}: {file.stat().st_size / 1e6:,.1f} MB, checked. Settings and the secret are not in it.")


def _copy(source: Path, target: Path) -> None:
    """Copy in one step, during which readers and writers go on (SQLite's online backup), and check the copy."""
    with (
        contextlib.closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as reading,
        contextlib.closing(sqlite3.connect(target)) as writing,
    ):
        try:
            reading.backup(writing)
            # One file is easier to keep than three: no journal beside the copy.
            writing.execute("PRAGMA journal_mode=DELETE")
            found = writing.execute("PRAGMA quick_check(1)").fetchone()[0]
        except sqlite3.Error as error:
            raise Failure(f"The backup failed: {error}. Nothing was kept of it.") from error
    if found != "ok":
        raise Failure(f"The copy is damaged ({found}). Nothing was kept of it. See `broadsheet doctor`.")
    with target.open("rb") as written:
        os.fsync(written.fileno())
