"""One engine in a process of its own: `python search_run.py build|ask ENGINE DATA FOLDER COUNT SECONDS`.

Prints one JSON line. Each question is asked once, after others of its kind have warmed everything up; nothing that was
remembered of a question can answer it. SECONDS limits the time for each kind in each way of asking.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import recording
from search_data import FILTERED, Data, Question
from timing import disk, memory, timed

# Of each kind, so many questions, or this part of them, are asked to warm up, and all others for their time.
_WARM = 50
_WARM_PART = 5
_TEXTS = ("1 word", "2-4 words", "author and words", "phrase", "misspelt", "sentence", *FILTERED)
_KINDS = {
    "words": _TEXTS,
    "both": tuple(kind for kind in _TEXTS if kind != "category, newest"),
    "meaning": tuple(kind for kind in _TEXTS if kind not in ("category, newest", "phrase")),
    "scan": ("2-4 words",),
    "titles": ("suggestion",),
    "suggest": ("suggestion",),
    "related": ("related",),
}
_PACKAGES = {
    "broadsheet": ("tantivy", "numpy", "onnxruntime"),
    "lancedb": ("lancedb",),
    "milvus-lite": ("milvus-lite", "pymilvus", "faiss-cpu"),
    "bm25s": ("bm25s", "numba", "PyStemmer"),
    "arxiv-sanity-lite": ("scikit-learn", "scipy"),
}


def main(part: str, engine: str, place: tuple[Data, Path, int], seconds: float) -> dict[str, Any]:
    """Build or ask. `place`: the data, the folder of the engine, and how many papers."""
    data, folder, count = place
    before = memory()
    made = _engine(engine)(folder, data, count)
    if part == "build":
        return {
            "settings": made.SETTINGS,
            "versions": _versions(engine),
            "cannot": made.CANNOT,
            **made.build(),
            "disk_mb": disk(folder),
        }
    figures: dict[str, Any] = {"memory_before": before}
    for way in made.WAYS:
        figures[way] = asked(made, way, [each for each in data.questions() if each.pk <= count], seconds)
        figures[way]["memory"] = memory()
    return figures


def asked(engine: Any, way: str, questions: Sequence[Question], seconds: float) -> dict[str, Any]:
    """The figures of one way of asking: by kind, and of kinds with and without filters together."""
    begun = time.perf_counter()
    engine.prepare(way)
    figures: dict[str, Any] = {}
    pools: dict[str, list[tuple[float, float, int]]] = {}
    first = None
    for kind in _KINDS[way]:
        if kind in engine.CANNOT:
            figures[kind] = {"cannot": engine.CANNOT[kind]}
            continue
        some = [question for question in questions if question.kind == kind]
        if first is None:
            engine.ask(some[0])
            first = (time.perf_counter() - begun) * 1000
        warm = min(_WARM, len(some) // _WARM_PART)
        _within(engine.ask, some[:warm], seconds / 4)
        rows = _within(engine.ask, some[warm:], seconds)
        figures[kind] = _figures(rows, len(some) - warm)
        pools.setdefault("filtered" if kind in FILTERED else "unfiltered", []).extend(rows)
    if way in ("words", "both", "meaning"):
        figures |= {name: _figures(rows) for name, rows in pools.items()}
        figures["all"] = _figures([row for rows in pools.values() for row in rows])
    figures["opened_and_first_ms"] = round(first or 0.0, 1)
    return figures


def _within(ask: Callable[[Question], int], questions: Sequence[Question], seconds: float) -> list[Any]:
    """What each question took, (wall, cores, found), as far as the time reaches; one at least."""
    rows: list[Any] = []
    end = time.perf_counter() + seconds
    for question in questions:
        rows.append(timed(lambda: ask(question)))  # noqa: B023  # called at once
        if time.perf_counter() > end:
            break
    return rows


def _figures(rows: Sequence[tuple[float, float, int]], wanted: int | None = None) -> dict[str, Any]:
    figures: dict[str, Any] = {
        "asked": len(rows),
        "found": round(sum(found for _wall, _cpu, found in rows) / len(rows), 1),
        "wall_ms": recording.percentiles([wall for wall, _cpu, _found in rows]),
        "cpu_ms": recording.percentiles([cpu for _wall, cpu, _found in rows]),
    }
    if wanted is not None and len(rows) < wanted:
        figures["stopped"] = f"after {len(rows)} of {wanted}: out of time"
    return figures


def _engine(name: str) -> Any:
    if name == "broadsheet":
        from engine_broadsheet import Broadsheet

        return Broadsheet
    from peers import PEERS

    return PEERS[name]


def _versions(engine: str) -> dict[str, str]:
    if engine == "fts5":
        import sqlite3

        return {"sqlite": sqlite3.sqlite_version}
    return {name: importlib.metadata.version(name) for name in _PACKAGES[engine]}


if __name__ == "__main__":
    part, engine, data_folder, engine_folder, papers, seconds = sys.argv[1:]
    place = Data(Path(data_folder)), Path(engine_folder), int(papers)
    print(json.dumps(main(part, engine, place, float(seconds))))
