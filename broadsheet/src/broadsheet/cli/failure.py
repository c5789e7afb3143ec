"""How a command fails: one sentence for the person who typed it, and exit status 1."""

from __future__ import annotations

import sys

from broadsheet.config import folder
from broadsheet.config.options import SettingsError


class Failure(Exception):
    """The command cannot do what was asked. The text says what happened, what was kept, and what to do."""


_DATABASE_REASONS = {
    "unable to open database file": "The database cannot be opened. See that the data folder exists and is yours",
    "database or disk is full": "The disk is full. What was being written was undone; free some space and try again",
    "attempt to write a readonly database": "The database can only be read. Make its file and folder writable",
    "disk i/o error": "The disk refused to read or write. What was being written was undone; look at the disk",
    "database is locked": "Another process has been writing for too long. Nothing was changed; try again",
    "file is not a database": "The database file is not a SQLite database. Move it away or restore a backup",
    "database disk image is malformed": "The database file is damaged. Restore a backup; `broadsheet doctor` says more",
    "no such table": "The database is not up to date. Run `broadsheet doctor`",
}


def explain(error: BaseException) -> str | None:
    """The sentence for an error that an operator can do something about; None for one that is a fault of ours."""
    if isinstance(error, Failure | SettingsError | folder.FolderError):
        return str(error)
    if isinstance(error, OSError) and error.errno is not None:
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{folder.reason(error)}."
    return _explain_database(error)


def _explain_database(error: BaseException) -> str | None:
    """Sentences for errors of Django's database layer, which is looked at only where it was loaded."""
    layer = sys.modules.get("django.db.utils")
    if layer is None or not isinstance(error, layer.DatabaseError):
        return None
    first_line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    for beginning, sentence in _DATABASE_REASONS.items():
        if beginning in first_line.lower():
            return f"{sentence} ({first_line})."
    if isinstance(error, layer.OperationalError):
        return f"The database does not answer: {first_line}. See that it runs and that DATABASE_URL is right."
    return None
