"""A snapshot of three million records: how fast it is stored, in how much memory, through kills, and a second time.

`python bench_snapshot.py [COUNT]` writes a pretended snapshot (see `snapshot`), imports it in a process of its own that
is killed with -9 at three random moments and begun again each time, checks the database, and imports it once more. A
kill is followed by reading the file from its start: what is stored already passes by unchanged.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import corpus
import recording
import snapshot

KILLS = 3
POLL_S = 0.5


def main(count: int) -> None:
    """Run the benchmark in a temporary folder and write its record."""
    corpus.require()
    with tempfile.TemporaryDirectory() as folder:
        recording.write("snapshot", measure(Path(folder), count))


def measure(folder: Path, count: int) -> dict[str, Any]:
    """The figures of the first import with its kills, of the check, and of the second import."""
    path = folder / "snapshot.jsonl"
    size = snapshot.write(path, count)
    chance = random.Random(snapshot.SEED)  # noqa: S311  # moments of kills, not secrecy
    stops = sorted(chance.randrange(count // 20, count) for _ in range(KILLS))
    runs = [_run(folder, path, until=stop) for stop in stops]
    runs.append(_run(folder, path))
    again = _run(folder, path)
    stored = [before["papers"] for before in [{"papers": 0}, *runs]]
    fresh_s = sum(run["wall_s"] for run in runs) - sum(run["repeated_s"] for run in runs)
    return {
        "records": count,
        "made_of": "real titles, abstracts, names and categories, resampled; identifiers, versions and DOIs invented",
        "file_mb": round(size / 1e6),
        "database_mb": round(sum(file.stat().st_size for file in folder.glob("*.sqlite3*")) / 1e6),
        "records_per_s": round(count / fresh_s),
        "kills_at_records": stops,
        "stored_at_each_kill": stored[1:-1],
        "seconds_until_new_records_after_each_kill": [round(run["repeated_s"], 1) for run in runs[1:]],
        "first_import_s": round(sum(run["wall_s"] for run in runs)),
        "peak_rss_mb": max(run["peak_mb"] for run in [*runs, again]),
        "papers": runs[-1]["papers"],
        "check": _check(folder, count),
        "again": {"records_per_s": round(count / again["wall_s"]), "journal_entries_written": again["journal_written"]},
    }


def _run(folder: Path, path: Path, *, until: int | None = None) -> dict[str, Any]:
    """Import in a process of its own; with `until`, kill it when so many papers are stored."""
    before, journal = _counted(folder)
    began = time.monotonic()
    repeated_s = peak_mb = 0.0
    command = [sys.executable, __file__, "--import", str(path)]
    with subprocess.Popen(command, env={**os.environ, "BROADSHEET_DATA": str(folder)}) as process:
        while process.poll() is None:
            time.sleep(POLL_S)
            papers, _ = _counted(folder)
            repeated_s = repeated_s or (time.monotonic() - began if papers > before else 0.0)
            peak_mb = max(peak_mb, _peak_mb(process.pid))
            if until and papers >= until:
                process.send_signal(signal.SIGKILL)
                process.wait()
    if process.returncode not in (0, -signal.SIGKILL):
        sys.exit("the import failed")
    papers, entries = _counted(folder)
    return {
        "wall_s": time.monotonic() - began,
        "repeated_s": repeated_s if before else 0.0,
        "peak_mb": round(peak_mb),
        "papers": papers,
        "journal_written": entries - journal,
    }


def _counted(folder: Path) -> tuple[int, int]:
    """Papers and journal entries at this moment, by the last number given: counting millions would disturb."""
    with contextlib.suppress(sqlite3.OperationalError), contextlib.closing(_opened(folder)) as connection:
        numbers = dict(connection.execute("SELECT name, seq FROM sqlite_sequence"))
        return numbers.get("papers_paper", 0), numbers.get("papers_paperchange", 0)
    return 0, 0


def _opened(folder: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{folder / 'broadsheet.sqlite3'}?mode=ro", uri=True)


def _peak_mb(pid: int) -> float:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0


def _check(folder: Path, count: int) -> str:
    """What must hold after the kills: a sound file, and a statement and a journal entry for every paper."""
    with contextlib.closing(_opened(folder)) as connection:

        def one(question: str) -> Any:
            return connection.execute(question).fetchone()[0]

        sound = one("PRAGMA quick_check") == "ok"
        statements = one("SELECT count(*) FROM papers_statement")
        papers = one("SELECT count(*) FROM papers_paper")
        created = one("SELECT count(DISTINCT paper_id) FROM papers_paperchange WHERE kind = 'created'")
    return "ok" if sound and statements == count and papers == created else "FAILED"


def _import(path: Path) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "broadsheet.config.settings"
    import django

    django.setup()
    from django.core.management import call_command

    from broadsheet.ingest.actions import import_file

    call_command("migrate", verbosity=0)
    import_file(path)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--import"]:
        _import(Path(sys.argv[2]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 3_000_000)
