"""A harvest that is killed with -9 at any moment: its cursor and what is stored agree, and going on loses nothing."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

PAGES, ON_A_PAGE = 120, 20
KILLS = 6

# Harvests an invented list. Each page has its works, their announcements, a count, and one that cannot be read.
PROGRAM = f"""
import django
django.setup()
from datetime import UTC, date, datetime
from django.core.management import call_command
from broadsheet.bibliography.identifiers import Identifier, Scheme
from broadsheet.bibliography.record import Record, Rejected
from broadsheet.ingest.actions import harvest
from broadsheet.sources.base import Announcement, AnnouncementKind, Count, Page

DAY = date(2026, 11, 20)

class Source:
    name, title, announcer, sets = "arxiv-oai", "An invented origin", "arxiv", "any"

    def pages(self, client, *, set_name, cursor, since):
        for page in range(int(cursor or 0), {PAGES}):
            numbers = range(page * {ON_A_PAGE}, page * {ON_A_PAGE} + {ON_A_PAGE})
            works = [Identifier(Scheme.ARXIV, f"2611.{{number:05}}") for number in numbers]
            records = [
                Record(source=self.name, source_key=work.value, title=f"Meadows {{work.value}}", identifiers=(work,))
                for work in works
            ]
            yield Page(
                items=(*records, Rejected(self.name, f"page {{page}}", "it has no title", b"<record>")),
                announcements=tuple(Announcement(work, DAY, AnnouncementKind.NEW, "cs") for work in works),
                counts=(Count(DAY, "cs", AnnouncementKind.NEW, (page + 1) * {ON_A_PAGE}),),
                cursor=str(page + 1),
                last=page + 1 == {PAGES},
            )

call_command("migrate", verbosity=0)
harvest(Source(), None, set_name="cs", now=datetime(2026, 11, 20, 17, tzinfo=UTC))
"""


_PAGES_STORED = "SELECT coalesce(max(CAST(cursor AS INTEGER)), 0) FROM ingest_place"


def start(folder: Path) -> subprocess.Popen[bytes]:
    kept = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    environment = {
        **kept,
        "BROADSHEET_DATA": str(folder),
        "BROADSHEET_HARVEST": "arxiv:cs",
        "DJANGO_SETTINGS_MODULE": "broadsheet.config.settings",
    }
    return subprocess.Popen([sys.executable, "-c", PROGRAM], env=environment)


def pages_stored(database: Path) -> int:
    """How many pages are stored at this moment; 0 while there is no table."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            return int(connection.execute(_PAGES_STORED).fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def consistent(database: Path) -> int:
    """Check that everything which a page says is stored as often as the cursor says, and return how often that is."""
    with contextlib.closing(sqlite3.connect(database)) as connection:

        def one(question: str) -> int:
            return int(connection.execute(question).fetchone()[0])

        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        if not one("SELECT count(*) FROM sqlite_master WHERE name = 'ingest_place'"):
            return 0  # killed while the tables were made
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        pages = one(_PAGES_STORED)
        works = pages * ON_A_PAGE
        assert one("SELECT count(*) FROM papers_paper WHERE announced = '2026-11-20'") == works
        assert one("SELECT count(*) FROM papers_statement") == works
        assert one("SELECT count(*) FROM ingest_announcement") == works
        assert one("SELECT coalesce(sum(number), 0) FROM ingest_listcount") == works
        assert one("SELECT count(*) FROM ingest_rejectedrecord") == pages
        assert one("SELECT coalesce(sum(new), 0) FROM ingest_importrun") == works
        return pages


def test_killing_the_harvest_again_and_again_loses_nothing(tmp_path: Path) -> None:
    database = tmp_path / "broadsheet.sqlite3"
    chance = random.Random(1)
    before = 0
    for kill in range(KILLS):
        process = start(tmp_path)
        while process.poll() is None and pages_stored(database) < PAGES * kill // KILLS:
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.05))
        process.send_signal(signal.SIGKILL)
        process.wait()
        after = consistent(database) if database.exists() else 0
        assert after >= before
        before = after
    assert 0 < before < PAGES
    assert start(tmp_path).wait() == 0
    assert consistent(database) == PAGES
