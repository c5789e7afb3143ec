"""Errors that an operator can do something about become a sentence; all others keep their traceback."""

from __future__ import annotations

import errno
import os

import pytest
from django.db.utils import DatabaseError, IntegrityError, OperationalError

from broadsheet.cli.failure import Failure, explain
from broadsheet.config.folder import FolderError
from broadsheet.config.options import SettingsError


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        pytest.param(Failure("It cannot be. Nothing was changed."), "It cannot be. Nothing was changed.", id="our own"),
        pytest.param(FolderError("No."), "No.", id="a folder's"),
        pytest.param(SettingsError(["One.", "Two."]), "One.\nTwo.", id="all of the settings"),
        pytest.param(
            OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/srv/x"),
            "/srv/x: the disk is full. Free some space, or name a folder on another disk with --data.",
            id="a full disk under a file",
        ),
        pytest.param(OSError(errno.EIO, "Input/output error"), "Input/output error.", id="a disk that fails"),
        pytest.param(
            OperationalError("database or disk is full"),
            "The disk is full. What was being written was undone; free some space and try again "
            "(database or disk is full).",
            id="a full disk under SQLite",
        ),
        pytest.param(
            OperationalError("attempt to write a readonly database"),
            "The database can only be read. Make its file and folder writable (attempt to write a readonly database).",
            id="a database that can only be read",
        ),
        pytest.param(
            DatabaseError("file is not a database"),
            "The database file is not a SQLite database. Move it away or restore a backup (file is not a database).",
            id="a file that is no database",
        ),
        pytest.param(
            OperationalError("connection to server at 192.0.2.1 failed: timeout\n\tIs the server running?"),
            "The database does not answer: connection to server at 192.0.2.1 failed: timeout. "
            "See that it runs and that DATABASE_URL is right.",
            id="PostgreSQL out of reach",
        ),
    ],
)
def test_a_sentence(error: Exception, sentence: str) -> None:
    assert explain(error) == sentence


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(ValueError("x"), id="a value that we should have checked"),
        pytest.param(IntegrityError("UNIQUE constraint failed"), id="a rule of the tables that we broke"),
        pytest.param(OSError("without a number"), id="an error of the system that names no cause"),
    ],
)
def test_a_fault_of_ours(error: Exception) -> None:
    assert explain(error) is None
