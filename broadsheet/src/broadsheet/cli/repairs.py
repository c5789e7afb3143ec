"""The repairs of `broadsheet doctor` that need the database. Needs Django set up.

Each prints one line that begins with "fine", "repaired", "left out" or "not repaired".
"""

from __future__ import annotations

from pathlib import Path

import click
from django.conf import settings
from django.db import connection
from django.db.utils import DatabaseError

from broadsheet import __version__
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
    preparing.prepare_all_but_index(said.append)
    for sentence in said:
        click.echo(f"repaired  {sentence.removeprefix('· ')}")
    if not said:
        click.echo("fine      tables, starter catalogue and editions are up to date")


def mend_index() -> None:
    """Bring the index to the end of the journal; build it again where it cannot be read, is ahead or lacks papers.

    Papers that are still not in it after that are told, and do not have it built again until their number changes.
    """
    try:
        _report(_mended())
    except IndexLocked:
        click.echo("not repaired  index: the worker of a running Broadsheet writes to it. Stop that and try again.")
    except (IndexUnavailable, OSError) as error:
        click.echo(f"not repaired  index: {error}")


def _mended() -> str:
    """What was done to the index, in words; nothing, when nothing had to be. Raises IndexUnavailable."""
    try:
        if tasks.open_index().cursor() <= papers.last_change():
            followed = preparing.refresh(_quiet)
            if _absent() in (0, _known_absent()):
                return "brought up to date, " if followed else ""
    except IndexLocked:
        raise
    except IndexUnavailable as error:
        click.echo(f"          index: {error}")
    preparing.refresh(_quiet, anew=True)
    return "built again, "


def _report(done: str) -> None:
    """Print how the index is now, and note how many papers building it again cannot bring in."""
    absent = _absent()
    if absent:
        _mark().write_text(_noted(absent), encoding="utf-8")
        click.echo(
            f"left out  index: {absent:,} of {papers.totals().papers:,} papers are not in it; the log names those"
        )
        click.echo("          that it cannot hold when it is built. All other papers are found.")
        return
    _mark().unlink(missing_ok=True)
    click.echo(f"{'repaired' if done else 'fine':8}  index: {done}{tasks.open_index().count():,} papers")


def _absent() -> int:
    """How many papers more the database holds than the index."""
    return papers.totals().papers - tasks.open_index().count()


def _known_absent() -> int | None:
    """How many papers were not in the index when this version last built it for their sake; None when it never did."""
    try:
        version, _, number = _mark().read_text(encoding="utf-8").strip().rpartition(" ")
        return int(number) if version == __version__ else None
    except (FileNotFoundError, ValueError):
        return None


def _noted(absent: int) -> str:
    """The text of the mark. With the version, because a newer program may hold what this one cannot."""
    return f"{__version__} {absent}\n"


def _mark() -> Path:
    """The file beside the index that says how many papers it cannot hold."""
    index = Path(settings.BROADSHEET_INDEX)
    return index.with_name(f"{index.name}-left-out")


def _quiet(_sentence: str) -> None:
    """Say nothing: the line at the end says it."""
