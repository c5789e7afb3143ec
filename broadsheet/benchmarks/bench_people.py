"""How long pages take when people are there, and what taking a whole instance elsewhere costs.

`python bench_people.py [COUNT]` fills an instance with COUNT papers (100,000), ten thousand people, a million votes,
100,000 comments and libraries (crowd.py), starts the real server on it and asks for pages of every kind over one
loopback connection, in turn: as a visitor and as people who are signed in. Times are wall time from request to last
byte, in milliseconds; visitors' answers are asked for with a cookie that means nothing, so that none comes from the
store of answers. Then the instance is exported as an archive, taken in by a new one and exported again: the record says
how long each took, how large the file is, and which tables differ. `--data FOLDER` keeps the instance and uses it
again.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any
from zipfile import ZipFile

sys.path.insert(0, str(Path(__file__).parent))
import bench_pages
import corpus
import crowd
import recording

ROUNDS = 150
WARM = 5
TARGET_MS = 50  # what a page may take on the server at 100,000 papers


def main() -> None:
    """Run the benchmark and write its records."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=100_000)
    parser.add_argument("--data", type=Path)
    wanted = parser.parse_args()
    os.environ["BROADSHEET_ACCOUNTS"] = "yes"
    with tempfile.TemporaryDirectory() as folder:
        data = wanted.data or Path(folder) / "data"
        known = filled(data, wanted.count)
        recording.write("people", {"target_ms": TARGET_MS, **known["counts"], **pages(data, known)})
        recording.write("archive", {**known["counts"], **round_trip(data, Path(folder))})


def filled(data: Path, count: int) -> dict[str, Any]:
    """The instance with its papers and people, made when it is not there yet; what can be asked for of it."""
    kept = data / "crowd.json"
    if not kept.exists():
        corpus.require()
        data.mkdir(parents=True, exist_ok=True)
        records = data / "records.jsonl"
        corpus.write_records(records, count)
        bench_pages.run(data, "import", str(records))
        records.unlink()
        program = [sys.executable, str(Path(__file__).with_name("crowd.py")), str(data)]
        made = subprocess.run(program, check=True, capture_output=True).stdout
        kept.write_bytes(made)
    known: dict[str, Any] = json.loads(kept.read_bytes())
    missing = {field.name for field in fields(crowd.Known)} - known.keys()
    if missing:
        sys.exit(f"{kept} lacks {', '.join(missing)}: remove the folder.")
    return known


def pages(data: Path, known: dict[str, Any]) -> dict[str, Any]:
    """Percentiles of the time of each kind of page, for visitors and for people."""
    with bench_pages.server(data) as (port, process):
        bench_pages.wait_until_settled(data)
        kinds = addresses(data, known)
        return {
            "visitor_ms": times(port, kinds, lambda: "a=1"),
            "person_ms": times(port, kinds | own(known), lambda: f"session={crowd.CHANCE.choice(known['sessions'])}"),
            "memory_mb": bench_pages.memory(process),
        }


def addresses(data: Path, known: dict[str, Any]) -> dict[str, Callable[[], str]]:
    """For each kind of page that everybody sees a function that names one of them at random."""
    usual = bench_pages.addresses(data)
    names = ("front", "day", "section", "author", "paper", "search_3_words")
    return {name: usual[name] for name in names} | {
        "busiest_paper": lambda: f"/papers/{known['busiest']}",
        "person": lambda: f"/people/{crowd.CHANCE.choice(known['people'])}",
        "shelf": lambda: f"/people/{crowd.CHANCE.choice(known['shelves'])}/shelves/lamps",
        "trending": lambda: "/trending",
        "modlog": lambda: "/moderation/log",
    }


def own(_known: dict[str, Any]) -> dict[str, Callable[[], str]]:
    """The pages that only a person who is signed in has."""
    paths = {"library": "/library", "notices": "/notices", "votes": "/votes"}
    return {name: lambda path=path: path for name, path in paths.items()}  # type: ignore[misc]  # each has its own path


def times(port: int, kinds: dict[str, Callable[[], str]], cookie: Callable[[], str]) -> dict[str, dict[str, float]]:
    """Percentiles of the time of each kind of page, asked for with a cookie."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    spent: dict[str, list[float]] = {kind: [] for kind in kinds}
    for turn in range(ROUNDS + WARM):
        for kind, address in kinds.items():
            path = address()
            began = time.perf_counter()
            connection.request("GET", path, headers={"Accept-Encoding": "gzip", "Cookie": cookie()})
            answer = connection.getresponse()
            answer.read()
            elapsed = 1000 * (time.perf_counter() - began)
            if answer.status != 200:
                sys.exit(f"{path} answered {answer.status}; the benchmark is void.")
            if turn >= WARM:
                spent[kind].append(elapsed)
    return {kind: recording.percentiles(values) for kind, values in spent.items()}


def round_trip(data: Path, folder: Path) -> dict[str, Any]:
    """Export, take in elsewhere, export again: seconds, size, and the tables in which the two archives differ."""
    first, second, other = folder / "first.zip", folder / "second.zip", folder / "other"
    figures = {
        "export_s": timed(data, "export", str(first), "--format", "archive"),
        "import_s": timed(other, "import-archive", str(first)),
        "again_s": timed(other, "export", str(second), "--format", "archive"),
    }
    tables, again = manifest(first), manifest(second)
    return {
        **figures,
        "archive_mb": round(first.stat().st_size / 1e6, 1),
        "database_mb": round((data / "broadsheet.sqlite3").stat().st_size / 1e6, 1),
        "tables": len(tables),
        "rows": sum(table["rows"] for table in tables.values()),
        "different_tables": sorted(name for name in {**tables, **again} if tables.get(name) != again.get(name)),
    }


def timed(data: Path, *arguments: str) -> float:
    """Seconds that a command takes."""
    began = time.monotonic()
    bench_pages.run(data, *arguments)
    return round(time.monotonic() - began, 1)


def manifest(archive: Path) -> dict[str, Any]:
    """The tables of an archive by name, each with its columns, rows and digest."""
    with ZipFile(archive) as opened:
        said = json.loads(opened.read("manifest.json"))
    return {table["name"]: table for table in said["tables"]}


if __name__ == "__main__":
    main()
