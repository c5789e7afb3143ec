"""Clocks and memory of the processes that `bench_search` measures."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, Self


class Spending(Protocol):
    """Something that knows how long its own work took, in seconds."""

    spent: float
    spent_cpu: float


class Stopwatch:
    """How long a block takes, by the wall's clock and by the cores', without what reading the data took."""

    def __init__(self, data: Spending) -> None:
        self._data = data
        self.wall = self.cpu = 0.0

    def __enter__(self) -> Self:
        self.wall, self.cpu = -time.perf_counter() + self._data.spent, -time.process_time() + self._data.spent_cpu
        return self

    def __exit__(self, *_error: object) -> None:
        self.wall += time.perf_counter() - self._data.spent
        self.cpu += time.process_time() - self._data.spent_cpu

    def figures(self, papers: int) -> dict[str, Any]:
        """Seconds, and papers a second."""
        return {
            "s": round(self.wall, 1),
            "cpu_s": round(self.cpu, 1),
            "papers_per_s": round(papers / self.wall),
            "papers_per_cpu_s": round(papers / self.cpu),
        }


def timed(call: Callable[[], Any]) -> tuple[float, float, Any]:
    """Milliseconds by the wall's clock, those of all cores together, and what the call returned."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = call()
    return (time.perf_counter() - wall) * 1000, (time.process_time() - cpu) * 1000, result


def memory(pid: int | str = "self") -> dict[str, float]:
    """What a process holds in memory, in MB: alone (its own copy), and with the files that it has mapped."""
    said = dict(line.split(":") for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    kib = {name: int(value.split()[0]) for name, value in said.items()}
    return {"private_mb": round(kib["Private_Dirty"] * 1.024e-3, 1), "mapped_mb": round(kib["Rss"] * 1.024e-3, 1)}


def disk(folder: Path) -> float:
    """What the files in a folder take, in MB."""
    return round(sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6, 1)
