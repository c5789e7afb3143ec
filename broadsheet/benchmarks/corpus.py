"""A hundred thousand real papers as saved records, made from the corpora that lie beside the repository."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

SHARED = Path(os.environ.get("BROADSHEET_SHARED") or Path(__file__).resolve().parents[3] / "shared" / "data")
CORPORA = SHARED / "corpora"


def require() -> None:
    """End the benchmark with a sentence when the corpora are not there."""
    if not CORPORA.is_dir():
        sys.exit(f"The corpora are not at {CORPORA}; set BROADSHEET_SHARED to the folder that holds them.")


def papers(count: int) -> Iterator[dict[str, Any]]:
    """`count` papers in Broadsheet's record format: those listed by day first, then those of all fields."""
    yield from islice(_all(), count)


def write_records(path: Path, count: int) -> int:
    """Write `count` papers as JSON Lines. Returns how many were written."""
    written = 0
    with path.open("w", encoding="utf-8") as lines:
        for written, paper in enumerate(papers(count), 1):  # noqa: B007  # the last number is the answer
            lines.write(json.dumps(paper, ensure_ascii=False) + "\n")
    return written


def _all() -> Iterator[dict[str, Any]]:
    seen = set()
    for name in ("arxiv_by_day", "arxiv_all_fields"):
        for entry in _lines(CORPORA / f"{name}.jsonl.zst"):
            if entry["arxiv_id"] not in seen:
                seen.add(entry["arxiv_id"])
                yield _record(entry)


def _record(entry: dict[str, Any]) -> dict[str, Any]:
    record = {
        "source_key": entry["id"],
        "arxiv_id": entry["arxiv_id"],
        "title": entry["title"],
        "abstract": entry["abstract"],
        "authors": entry["authors"],
        "categories": entry["categories"],
        "comments": entry["comments"],
    }
    if entry.get("listed_on"):
        record["announced"] = entry["listed_on"][0]
    else:
        record["submitted"] = entry["date"]
    return {name: value for name, value in record.items() if value}


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with subprocess.Popen(["zstd", "-dcq", str(path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for line in process.stdout:
            yield json.loads(line)
        process.stdout.close()
        process.wait()
