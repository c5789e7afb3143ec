"""How fast saved records are stored, journal and provenance included.

`python bench_import.py [COUNT]` imports COUNT records (100,000 by default) of real papers into a new SQLite database,
imports them again (nothing changes), and reports records per second, the share of each part, and peak memory.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import corpus
import recording


def main(count: int) -> None:
    """Run the benchmark in a temporary folder and write its record."""
    corpus.require()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["BROADSHEET_DATA"] = folder
        os.environ["DJANGO_SETTINGS_MODULE"] = "broadsheet.config.settings"
        import django

        django.setup()
        recording.write("import", measure(Path(folder), count))


def measure(folder: Path, count: int) -> dict[str, Any]:
    """Records per second of a first and of a repeated import, and what surrounds them."""
    from django.core.management import call_command
    from django.db import connection

    from broadsheet.ingest.actions import import_file
    from broadsheet.papers import queries

    path = folder / "records.jsonl"
    written = corpus.write_records(path, count)
    call_command("migrate", verbosity=0)
    first = _timed(lambda: import_file(path))
    changes = queries.last_change()
    again = _timed(lambda: import_file(path))
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = sum(file.stat().st_size for file in folder.glob("*.sqlite3*"))
    return {
        "records": written,
        "database": connection.vendor,
        "first": {
            "records_per_s": round(written / first["wall_s"]),
            "records_per_cpu_s": round(written / first["cpu_s"]),
            "new": first["result"].new,
            "merged": first["result"].merged,
            "rejected": first["result"].rejected,
            **{name: round(first[name], 2) for name in ("wall_s", "cpu_s")},
        },
        "again": {
            "records_per_s": round(written / again["wall_s"]),
            "unchanged": again["result"].unchanged,
            "journal_entries_written": queries.last_change() - changes,
        },
        "journal_entries": changes,
        "file_mb": round(path.stat().st_size / 1e6, 1),
        "database_mb": round(size / 1e6, 1),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def _timed(action: Any) -> dict[str, Any]:
    wall, cpu = time.monotonic(), time.process_time()
    result = action()
    return {"wall_s": time.monotonic() - wall, "cpu_s": time.process_time() - cpu, "result": result}


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
