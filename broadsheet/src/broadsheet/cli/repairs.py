"""The repairs of `broadsheet doctor` that need the database. Needs Django set up.

Each prints one line that begins with "fine", "repaired" or "not repaired".
"""

from __future__ import annotations

import click
from django.db import connection
from django.db.utils import DatabaseError

from broadsheet.cli import preparing
from broadsheet.config import schema
from broadsheet.papers import queries as papers
from broadsheet.papers import tasks
from broadsheet.search.index import IndexLocked, IndexUnavailable

DAMAGES_SHOWN = 10


def examine_database() -> bool:
    """Look for damage in a SQLite file; False when there is any. What is damaged is never touched."""
    file = schema.sqlite_file()
    if file is None or not file.exists():
        return True
    try:
        found = _damages()
    except DatabaseError as error:
        found = [str(error)]
    if not found:
        click.echo("fine      database: no damage found")
        return True
    click.echo(f"not repaired  database: {file} is damaged. Stop Broadsheet and put a backup in its place.")
    for damage in found[:DAMAGES_SHOWN]:
        click.echo(f"          {damage}")
    return False


def _damages() -> list[str]:
    """What SQLite's own examinations find, one sentence each."""
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA integrity_check({DAMAGES_SHOWN})")
        found = [str(row[0]) for row in cursor.fetchall() if row[0] != "ok"]
        cursor.execute("PRAGMA foreign_key_check")
        found += [f"{table}, row {row}: belongs to nothing in {parent}" for table, row, parent, _ in cursor.fetchall()]
    return found


def bring_up_to_date() -> None:
    """Secret, tables, starter catalogue and editions. Raises Failure when the database is newer than this program."""
    said: list[str] = []
    preparing.prepare(said.append)
    for sentence in said:
        click.echo(f"repaired  {sentence.removeprefix('· ')}")
    if not said:
        click.echo("fine      tables, starter catalogue and editions are up to date")


def mend_index() -> None:
    """Build the index again when it cannot be read or does not hold as many papers as the database."""
    stored = papers.totals().papers
    try:
        if tasks.open_index().count() == stored:
            click.echo(f"fine      index: {stored:,} papers")
            return
    except IndexUnavailable as error:
        click.echo(f"          index: {error}")
    try:
        preparing.refresh(_quiet, anew=True)
        click.echo(f"repaired  index: built again, {tasks.open_index().count():,} papers")
    except IndexLocked:
        click.echo("not repaired  index: the worker of a running Broadsheet writes to it. Stop that and try again.")
    except (IndexUnavailable, OSError) as error:
        click.echo(f"not repaired  index: {error}")


def _quiet(_sentence: str) -> None:
    """Say nothing: the line at the end says it."""
