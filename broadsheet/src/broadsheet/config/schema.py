"""How far the database's tables are, compared with what this program knows."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

from django.db import connection
from django.db.migrations.loader import MigrationLoader

from broadsheet import __version__


@dataclass(frozen=True, slots=True)
class State:
    """Migrations by name ("papers.0002_topics"): `missing` are known, not applied; `newer` are applied, unknown."""

    missing: tuple[str, ...]
    newer: tuple[str, ...]
    empty: bool


def state() -> State:
    """Compare the database with the program. Changes nothing. Raises Django's database errors."""
    loader = MigrationLoader(connection)
    known = set(loader.disk_migrations)
    # A squashed migration is applied when all that it replaces is.
    replaced = set(itertools.chain.from_iterable(each.replaces for each in loader.disk_migrations.values()))
    applied = set(loader.applied_migrations)
    return State(
        missing=_names(known - applied),
        newer=_names(applied - known - replaced),
        empty=not applied,
    )


def _names(found: set[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(sorted(f"{app}.{name}" for app, name in found))


def newer_sentence(found: State) -> str:
    """What to tell an operator whose database is ahead of the program."""
    return (
        f"The database was written by a newer Broadsheet than this one ({__version__}): it knows {found.newer[0]}"
        f"{' and more' if len(found.newer) > 1 else ''}. Nothing was changed. Install the newer version again, or "
        "restore a backup that this version made."
    )


def sqlite_file() -> Path | None:
    """The database's file; None for PostgreSQL and for a database in memory."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor != "sqlite" or name == ":memory:" or name.startswith("file:"):
        return None
    return Path(name)
