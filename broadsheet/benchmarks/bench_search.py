"""How fast Broadsheet's index and five others are built and asked, and what they cost, at 100,000 to 3,000,000 papers.

`python bench_search.py [--sizes 100000,1000000,3000000] [--engines broadsheet,fts5,...] [--folder FOLDER] [--core N]`

The papers are real as far as there are real ones; beyond, they are made of real text (`enlarged` says how). Vectors are
real ones of the product's model, as many as the folder has that VECTORS names (`embed_papers` computes them), and for
the other papers made of real ones. Data are written once and read by all. Every engine gets the same questions
(`search_questions`), made with a seed from real papers, in a process of its own that is bound to one core (Broadsheet
builds its words with all cores, as its worker does; seconds of all cores are counted); its memory is looked at twice a
second. What is typed is really encoded.

Ways of asking: "words" gives the keys of 20 papers; "meaning" encodes what is typed and finds the nearest; "both" is
the page that a reader gets: encoding, both sides fused, 20 titles and abstracts fetched, and marked where the engine
can; "titles" that begin as typed, and with "suggest" names of authors, categories and venues too; "related" papers.

An engine that would exceed the limits of time or memory at a size, judging by a smaller size, is not started; one that
exceeds them is ended; both are recorded with the reason. A run with other sizes or engines adds to the record when it
was made of the same data. The peers need their own environment: `make bench-search` makes it, `--peers` names it.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import corpus
import recording
from making_data import say
from search_data import Data
from timing import memory

ROOT = Path(__file__).resolve().parents[2]
ENGINES = ("broadsheet", "fts5", "lancedb", "milvus-lite", "bm25s", "arxiv-sanity-lite")
SIZES = (100_000, 1_000_000, 3_000_000)
TARGETS = {
    "both, p99 ms": {100_000: 25, 1_000_000: 60, 3_000_000: 120},
    "suggest, p99 ms": {100_000: 10, 1_000_000: 20, 3_000_000: 25},
    "papers a second": dict.fromkeys(SIZES, 5_000),
    "reader, private MB": dict.fromkeys(SIZES, 150),
}
# Libraries that start a thread for each core, whatever core they are bound to.
_ONE_THREAD = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "RAYON_NUM_THREADS",
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one engine may take at one size: seconds to build, seconds for each kind of question, and MB of memory."""

    build_s: float
    kind_s: float
    memory_mb: float


def main(said: argparse.Namespace) -> None:
    """Make the data, run every engine at every size, write the record after each."""
    corpus.require()
    _bind(said.core)
    folder = Path(tempfile.mkdtemp(prefix="bench-search.", dir=said.folder)) if not said.data else Path(said.data)
    data = folder / "data"
    limits = Limits(said.build_minutes * 60, said.seconds, said.memory_gb * 1000)
    try:
        if not (data / "about.json").is_file() or Data(data).papers < max(said.sizes):
            shutil.rmtree(data, ignore_errors=True)
            making = [sys.executable, str(Path(__file__).with_name("making_data.py"))]
            subprocess.run([*making, str(data), str(max(said.sizes))], check=True)
        figures = _begun(Data(data).about, limits)
        for size in said.sizes:
            for engine in said.engines:
                run = figures["sizes"].setdefault(str(size), {})
                reason = _hopeless(engine, size, figures["sizes"], limits)
                run[engine] = {"not_run": reason} if reason else one(engine, size, folder, limits, said)
                say(f"{engine} at {size:,}: {_short(run[engine])}")
                with contextlib.redirect_stdout(io.StringIO()):
                    recording.write("search", figures)
        show(figures)
        recording.write("search", figures)
    finally:
        if not said.data:
            shutil.rmtree(folder, ignore_errors=True)


def one(engine: str, size: int, folder: Path, limits: Limits, said: argparse.Namespace) -> dict[str, Any]:
    """What one engine does at one size."""
    place = folder / f"{engine}-{size}"
    python = sys.executable if engine == "broadsheet" else str(said.peers)
    begun = datetime.now(UTC).strftime("%Y-%m-%dT%H:%MZ")
    figures: dict[str, Any] = {"begun": begun}
    try:
        for part, seconds in (("build", limits.build_s), ("ask", 60 * limits.build_s)):
            say(f"{engine} at {size:,}: {part} ...")
            command = [python, str(Path(__file__).with_name("search_run.py")), part, engine, str(folder / "data")]
            result = watched([*command, str(place), str(size), str(limits.kind_s)], seconds, limits.memory_mb)
            figures[part] = result
            if "failed" in result:
                break
    finally:
        if not said.keep:
            shutil.rmtree(place, ignore_errors=True)
    return figures


def watched(command: list[str], seconds: float, memory_mb: float) -> dict[str, Any]:
    """The figures that a process prints, with its greatest memory. It is ended beyond the limits: `failed` says so."""
    environment = os.environ | dict.fromkeys(_ONE_THREAD, "1") | {"PYTHONPATH": str(ROOT / "broadsheet" / "src")}
    begun = time.monotonic()
    greatest = {"private_mb": 0.0, "mapped_mb": 0.0}
    failed = ""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, stdout=out, stderr=errors, env=environment)
        try:
            while process.poll() is None:
                time.sleep(0.5)
                held = _held(process.pid)
                greatest = {name: max(value, held.get(name, 0.0)) for name, value in greatest.items()}
                if held.get("private_mb", 0.0) > memory_mb:
                    failed = f"more than {memory_mb / 1000:g} GB of memory after {time.monotonic() - begun:.0f} s"
                elif time.monotonic() - begun > seconds:
                    failed = f"not done after {seconds / 60:g} minutes"
                if failed:
                    process.kill()
        finally:
            process.kill()
            process.wait()
        out.seek(0)
        errors.seek(0)
        lines, complaint = out.read().decode().splitlines(), errors.read().decode("utf-8", "replace")
    figures: dict[str, Any] = {"greatest_memory": greatest, "took_s": round(time.monotonic() - begun)}
    if process.returncode == 0:
        return json.loads(lines[-1]) | figures
    if not failed:
        print(complaint, file=sys.stderr)
        failed = f"ended with an error: {complaint.strip().splitlines()[-1][:200] if complaint.strip() else 'none'}"
    return {"failed": failed} | figures


def _held(pid: int) -> dict[str, float]:
    """The memory of a process together with those that it started; nothing when it has just ended."""
    total: dict[str, float] = {}
    try:
        for each in (pid, *_children(pid)):
            for name, value in memory(each).items():
                total[name] = total.get(name, 0.0) + value
    except (OSError, ValueError, KeyError):
        return {}
    return total


def _children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _hopeless(engine: str, size: int, sizes: Mapping[str, Any], limits: Limits) -> str:
    """Why an engine need not be started at a size, in a sentence, judging by the greatest smaller size; else ""."""
    smaller = [int(each) for each in sizes if int(each) < size and engine in sizes[each]]
    if not smaller:
        return ""
    last = max(smaller)
    before = sizes[str(last)][engine]
    if "not_run" in before or "failed" in before.get("build", {}):
        return f"not run: it was not built at {last:,} papers"
    took = before["build"]["took_s"] * size / last
    held = before["build"]["greatest_memory"]["private_mb"] * size / last
    if took > limits.build_s:
        would = f"{took / 60:.0f} minutes, the limit is {limits.build_s / 60:g}"
        return f"not run: judging by {last:,} papers, building would take {would}"
    if held > limits.memory_mb:
        would = f"{held / 1000:.1f} GB, the limit is {limits.memory_mb / 1000:g}"
        return f"not run: judging by {last:,} papers, building would take {would}"
    return ""


def _begun(about: dict[str, Any], limits: Limits) -> dict[str, Any]:
    """The figures so far: those of the last run when they were made of the same data on the same machine."""
    begun: dict[str, Any] = {
        "data": about,
        "threads": "each engine in a process of its own, bound to one core; Broadsheet builds its words with all cores",
        "limits": {
            "build_minutes": limits.build_s / 60,
            "seconds_for_each_kind": limits.kind_s,
            "memory_gb": limits.memory_mb / 1000,
        },
        "targets": {name: {str(size): value for size, value in each.items()} for name, each in TARGETS.items()},
        "sizes": {},
    }
    path = recording.RECORDS / "search.json"
    if path.is_file():
        record = json.loads(path.read_text(encoding="utf-8"))
        former = record["figures"]
        if record["machine"] == recording.machine() and _same(former.get("data", {}), about):
            begun["sizes"] = former["sizes"]
    return begun


def _same(one_set: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two sets of data begin with the same papers and ask the same."""
    return all(one_set.get(name) == other.get(name) for name in ("seed", "real_papers", "real_vectors", "questions"))


def show(figures: dict[str, Any]) -> None:
    """Print Broadsheet's figures beside the targets, on the error stream: the last line of the output is the record."""
    for size, run in figures["sizes"].items():
        ours = run.get("broadsheet", {})
        if "ask" not in ours or "failed" in ours["ask"]:
            continue
        measured = {
            "both, p99 ms": ours["ask"]["both"]["all"]["wall_ms"]["p99"],
            "suggest, p99 ms": ours["ask"]["suggest"]["suggestion"]["wall_ms"]["p99"],
            "papers a second": ours["build"]["words"]["papers_per_s"],
            "reader, private MB": ours["ask"]["both"]["memory"]["private_mb"],
        }
        for name, value in measured.items():
            say(f"{int(size):>9,} {name:20} {value:>8} target {TARGETS[name].get(int(size), '-')}")


def _short(figures: dict[str, Any]) -> str:
    if "not_run" in figures:
        return str(figures["not_run"])
    build, ask = figures["build"], figures.get("ask", {})
    if "failed" in build:
        return f"build {build['failed']}"
    if "failed" in ask:
        return f"built in {build['took_s']} s, asking {ask['failed']}"
    ways = {name: each for name, each in ask.items() if isinstance(each, dict) and "opened_and_first_ms" in each}
    p99 = {
        name: next(each[kind]["wall_ms"] for kind in ("all", "suggestion", "related", "2-4 words") if kind in each)
        for name, each in ways.items()
    }
    said = ", ".join(f"{name} p50 {each['p50']:.1f} p99 {each['p99']:.1f} ms" for name, each in p99.items())
    return f"built in {build['took_s']} s, {build['disk_mb']:.0f} MB, asked in {ask['took_s']} s: {said}"


def _bind(core: int | None) -> None:
    """Bind this process and those it starts to one core: the one named, else the last one that it may use."""
    os.sched_setaffinity(0, {core if core is not None else max(os.sched_getaffinity(0))})


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(description="Measure Broadsheet's index and others on the same questions.")
    options.add_argument("--sizes", default=",".join(map(str, SIZES)), help="numbers of papers")
    options.add_argument("--engines", default=",".join(ENGINES), help="which of: " + ", ".join(ENGINES))
    options.add_argument("--folder", help="where the temporary folder is made; 30 GB for three million papers")
    options.add_argument("--data", help="a folder that is kept with the data, for several runs")
    options.add_argument("--keep", action="store_true", help="keep what the engines built in the folder of --data")
    options.add_argument("--peers", default=ROOT / "build" / "peers" / "bin" / "python", type=Path, help="their python")
    options.add_argument("--core", type=int, help="the core to use, from 0")
    options.add_argument("--build-minutes", type=float, default=15, help="limit for each engine and size")
    options.add_argument("--seconds", type=float, default=10, help="limit for each kind of question")
    options.add_argument("--memory-gb", type=float, default=10, help="limit of private memory")
    said = options.parse_args()
    said.sizes = sorted(int(size) for size in said.sizes.split(","))
    said.engines = said.engines.split(",")
    unknown = set(said.engines) - set(ENGINES)
    if unknown:
        options.error(f"There is no engine {', '.join(sorted(unknown))}. Known: {', '.join(ENGINES)}.")
    if set(said.engines) - {"broadsheet"} and not said.peers.is_file():
        options.error(f"The other engines are not installed at {said.peers}. Run make bench-peers first.")
    return said


if __name__ == "__main__":
    main(_options())
