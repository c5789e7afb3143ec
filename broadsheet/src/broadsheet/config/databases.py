"""The database that the settings ask for, as Django wants to be told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from broadsheet.config.options import Configuration

FILE_NAME = "broadsheet.sqlite3"

# WAL lets readers read while one writes; NORMAL loses nothing but the last moments at a power cut, and never the
# file (https://www.sqlite.org/pragma.html#pragma_synchronous). cache_size is in KiB when negative, per connection.
_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA cache_size=-4096",
    "PRAGMA mmap_size=33554432",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA journal_size_limit=67108864",
    # 32 MiB: an import touches the same pages of the indexes batch after batch, and writes each back once in a while.
    "PRAGMA wal_autocheckpoint=8192",
)
BUSY_TIMEOUT = 20  # seconds that a writer waits for another


def database(configuration: Configuration) -> dict[str, Any]:
    """Django's DATABASES["default"]: PostgreSQL or SQLite by address, else the SQLite file in the data folder."""
    if not configuration.database_url:
        return _sqlite(configuration.data / FILE_NAME)
    import dj_database_url  # noqa: PLC0415  most instances have no address, and every start counts its imports

    parsed: dict[str, Any] = dict(dj_database_url.parse(configuration.database_url))
    if parsed["ENGINE"] == "django.db.backends.sqlite3":
        return _sqlite(Path(parsed["NAME"]))
    return {**parsed, "CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}


def _sqlite(path: Path) -> dict[str, Any]:
    """A SQLite file. Transactions take the write lock when they begin, so that none fails half-way for it."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "timeout": BUSY_TIMEOUT,
            "transaction_mode": "IMMEDIATE",
            "init_command": ";".join(_PRAGMAS),
        },
    }
