"""What the journal costs in a harvest, and how fast it can be read.

`python bench_journal.py [COUNT]` stores COUNT records (100,000 by default) of real papers in batches of 2,000, takes
the CPU time of writing the journal apart from the rest, and then reads the whole journal as the search index does.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import corpus
import recording

BATCH = 2000


def main(count: int) -> None:
    """Run the benchmark in a temporary folder and write its record."""
    corpus.require()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["BROADSHEET_DATA"] = folder
        os.environ["DJANGO_SETTINGS_MODULE"] = "broadsheet.config.settings"
        import django

        django.setup()
        recording.write("journal", measure(count))


def measure(count: int) -> dict[str, Any]:
    """Seconds spent with and without the journal, and entries read per second."""
    from django.core.management import call_command

    from broadsheet.papers import queries
    from broadsheet.papers.actions import store_many, writing

    call_command("migrate", verbosity=0)
    write = writing.journal
    spent = {"journal": 0.0, "all": 0.0}

    def timed(*arguments: Any) -> None:
        began = time.process_time()
        write(*arguments)
        spent["journal"] += time.process_time() - began

    writing.journal = timed
    for batch in batches(count):
        began = time.process_time()
        store_many(batch)
        spent["all"] += time.process_time() - began
    writing.journal = write
    total = spent["all"]
    began, read, after = time.process_time(), 0, 0
    while entries := queries.changes(after=after, limit=2000):
        read, after = read + len(entries), entries[-1].seq
    reading = time.process_time() - began
    return {
        "records": count,
        "store_cpu_s": round(total, 2),
        "records_per_cpu_s": round(count / total),
        "journal_cpu_s": round(spent["journal"], 2),
        "journal_share_percent": round(100 * spent["journal"] / total, 1),
        "journal_entries": read,
        "entries_read_per_cpu_s": round(read / reading),
    }


def batches(count: int) -> Iterator[list[Any]]:
    """Records of the corpora in batches of BATCH."""
    from broadsheet.sources.origins.records import record_of

    papers = corpus.papers(count)
    while batch := [record_of(paper) for paper in islice(papers, BATCH)]:
        yield batch


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
