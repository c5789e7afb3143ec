"""An import that is killed with -9 at any moment: the database opens, the journal is whole, running again completes."""

from __future__ import annotations

import contextlib
import json
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

RECORDS = 12_000
ROUNDS = 10


def environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    return {**kept, "BROADSHEET_DATA": str(folder / "data"), "BROADSHEET_STARTER": "no"}


def start(path: Path, folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "broadsheet", "import", str(path)]
    return subprocess.Popen(command, env=environment(folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def stored(database: Path) -> int:
    """How many papers there are at this moment; 0 while there is no table."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM papers_paper").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def kill_after(papers: int, process: subprocess.Popen[bytes], database: Path, *, pause: float) -> None:
    """Kill the import `pause` seconds after it has stored so many papers, wherever it is then."""
    while process.poll() is None and stored(database) < papers:
        time.sleep(0.005)
    time.sleep(pause)
    process.send_signal(signal.SIGKILL)
    process.wait()


def consistent(database: Path) -> int:
    """Check what must hold after any kill, and return the number of papers."""
    with sqlite3.connect(database) as connection:

        def one(question: str) -> object:
            return connection.execute(question).fetchone()[0]

        assert one("PRAGMA integrity_check") == "ok"
        if one("SELECT count(*) FROM sqlite_master WHERE name = 'ingest_rejectedrecord'") == 0:
            return 0  # killed while the tables were made
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        papers = one("SELECT count(*) FROM papers_paper")
        assert one("SELECT count(DISTINCT paper_id) FROM papers_paperchange WHERE kind = 'created'") == papers
        assert one("SELECT count(DISTINCT paper_id) FROM papers_statement") == papers
        assert one("SELECT coalesce(max(id), 0) FROM papers_paperchange") == one(
            "SELECT count(*) FROM papers_paperchange"
        )
        assert one("SELECT coalesce(sum(new), 0) FROM ingest_importrun") == papers
        assert isinstance(papers, int)
        return papers


def test_killing_the_import_ten_times_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "papers.jsonl"
    with path.open("w", encoding="utf-8") as lines:
        for n in range(RECORDS):
            entry = {
                "title": f"Work {n} on a subject of its own",
                "arxiv_id": f"2401.{n:05}",
                "authors": ["Ada Example"],
            }
            lines.write(json.dumps(entry) + "\n")
    chance = random.Random(20261122)
    database = tmp_path / "data" / "broadsheet.sqlite3"
    seen = []
    for _ in range(ROUNDS):
        for file in (tmp_path / "data").glob("broadsheet.sqlite3*"):
            file.unlink()
        kill_after(chance.randrange(RECORDS - 2000), start(path, tmp_path), database, pause=chance.uniform(0, 0.2))
        seen.append(consistent(database) if database.exists() and database.stat().st_size else 0)
    assert any(0 < papers < RECORDS for papers in seen), f"no kill hit the middle of an import: {seen}"
    assert start(path, tmp_path).wait() == 0
    assert consistent(database) == RECORDS
    assert start(path, tmp_path).wait() == 0
    assert consistent(database) == RECORDS
