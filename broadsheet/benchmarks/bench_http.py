"""How many requests a second the server answers, how long they take at half of that, and what it holds in memory.

`python bench_http.py` fills an instance with 100,000 papers, starts the server as `broadsheet serve` does, with its
usual processes, where people have accounts, and asks on loopback:

- *kinds*: the daily list, search and one paper of the interface of Hugging Face; the front page, an edition and its
  Atom feed; an edition of our own interface, of which nothing is kept.
- *repeated*: the same address again and again, as strangers ask it; the server keeps its answers for a moment.
  *conditional*: the same, with the entity tag of the answer, so that nothing is sent (304). *uncached*: addresses at
  random among very many, by readers with a cookie, for whom every answer is made; the front page has only one address.
- *throughput*: wrk (https://github.com/wg/wrk, Debian's package) with 16 connections, as fast as it goes. Its times are
  those of a server that is always busy; times of a server that is not come next.
- *paced*: so many requests a second as half of the target, or of what the server can do where that is less or where
  there is no target, sent on time whether earlier ones are answered or not. A time counts from the moment when the
  request was due, so a server that stops for a second is blamed for all that were due meanwhile. wrk knows no rate, so
  this is a program of our own; it takes its share of the machine and of each time.

Then strangers ask for all kinds together for `--minutes`, every other time for the same few addresses, and memory is
looked at: least squares over the second half tell whether it grows. The server and those who ask share the cores of the
machine, as the record says; `load` is how busy others kept it before.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus
from urllib.request import urlopen

import click

sys.path.insert(0, str(Path(__file__).parent))
import bench_pages
import corpus
import recording

CONNECTIONS = 16
RANDOM_ADDRESSES = 5_000
# Seconds after which a request that was due counts as failed.
PATIENCE = 30.0
# What we want: requests a second of what is kept and of editions that are made, and the 99th percentile of the times at
# half of that, in milliseconds.
TARGETS = {"repeated": 1000, "conditional": 1000, "uncached": 100}
TARGET_P99_MS = 100
LOOKS_AFTER = 10.0  # seconds between two looks at memory
# Requests a second meanwhile.
MIXED_RATE = 40.0
# What a reader sends for whom nothing is kept. It names no session.
COOKIE = {"Cookie": "theme=none"}
# What everybody sends.
USUAL = {"Accept-Encoding": "gzip"}

CHANCE = random.Random(20261122)  # noqa: S311  # which addresses to ask for, not a secret

_SCRIPT = """
local addresses, headers, at = {{}}, {{{headers}}}, 0
for line in io.lines("{addresses}") do addresses[#addresses + 1] = line end
request = function()
  at = at % #addresses + 1
  return wrk.format("GET", addresses[at], headers)
end
done = function(summary, latency)
  local failed = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  local form = 'JSON {{"requests": %d, "us": %d, "p50_us": %d, "p99_us": %d, "refused": %d, "failed": %d}}\\n'
  io.write(string.format(form,
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), summary.errors.status, failed))
end
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of request: the address that is asked repeatedly, addresses at random, and what it is measured against.

    `kept` is whether the server keeps its answers. `edition` is whether it is one of those that have a target when they
    are made anew each time.
    """

    name: str
    same: str
    others: Sequence[str]
    kept: bool = True
    edition: bool = False

    def target(self, way: str) -> int | None:
        """The requests a second that are wanted; None where nobody has said a number."""
        return TARGETS[way] if (self.edition if way == "uncached" else self.kept) else None


@click.command()
@click.option("--papers", default=100_000, help="How many papers the instance holds.")
@click.option("--seconds", default=30.0, help="How long each measurement takes.")
@click.option("--minutes", default=10.0, help="How long the growth of memory is looked at; 0: not at all.")
@click.option(
    "--data", type=click.Path(path_type=Path), help="Keep the instance in this folder, or take it from there."
)
@click.option("--try", "tried", is_flag=True, help="Print the figures and write no record.")
def main(*, papers: int, seconds: float, minutes: float, data: Path | None, tried: bool) -> None:
    """Measure, and write the record."""
    if shutil.which("wrk") is None:
        sys.exit("There is no wrk on this machine: apt-get install wrk")
    corpus.require()
    with tempfile.TemporaryDirectory() as temporary:
        folder = data or Path(temporary)
        fill(folder, papers)
        figures = measure(folder, seconds, minutes)
    if tried:
        print(json.dumps(figures, indent=2))
    else:
        recording.write("http", figures)


def fill(folder: Path, papers: int) -> None:
    """Import the papers into a folder that has none, and let the worker print and index them."""
    if (folder / "broadsheet.sqlite3").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    records = folder / "records.jsonl"
    corpus.write_records(records, papers)
    bench_pages.run(folder, "import", str(records))
    records.unlink()
    with bench_pages.server(folder):
        bench_pages.wait_until_settled(folder)


def measure(folder: Path, seconds: float, minutes: float) -> dict[str, Any]:
    """Every kind in every way, with the memory before and after."""
    load = round(os.getloadavg()[0], 2)
    with serving(folder) as (port, process):
        asked = kinds(folder)
        for kind in asked:
            answer(port, kind.same)
        figures: dict[str, Any] = {
            "papers": bench_pages.status(folder)["papers"],
            "seconds_each": seconds,
            "connections": CONNECTIONS,
            "load": load,
            "targets": {"requests_per_s": TARGETS, "p99_ms": TARGET_P99_MS},
            "memory_mb": {"before": bench_pages.memory(process)},
            "kinds": {kind.name: of_kind(port, kind, seconds) for kind in asked},
        }
        figures["memory_mb"]["after"] = bench_pages.memory(process)
        if minutes:
            figures["growth"] = growth(port, process, asked, minutes)
    figures["errors"] = errors(figures["kinds"]) + figures.get("growth", {}).get("failed", 0)
    figures["summary"] = summary(figures["kinds"])
    return figures


def summary(of_kinds: dict[str, Any]) -> dict[str, Any]:
    """The worst of what has a target, for what is kept and for editions that are made: requests a second, and p99."""
    told = {}
    for name, ways in (("kept", ("repeated", "conditional")), ("made", ("uncached",))):
        measured = [kind[way] for kind in of_kinds.values() for way in ways if kind.get(way, {}).get("target")]
        told[name] = {
            "least_requests_per_s": min(way["requests_per_s"] for way in measured),
            "greatest_p99_ms": max(way["paced"]["p99_ms"] for way in measured),
            "reached": all(way["reached"] for way in measured),
        }
    return told


def errors(of_kinds: dict[str, Any]) -> int:
    """How many requests failed or were refused in all measurements of the kinds."""
    ways = [way for kind in of_kinds.values() for way in kind.values()]
    return sum(way["refused"] + way["failed"] + way["paced"]["failed"] for way in ways)


def of_kind(port: int, kind: Kind, seconds: float) -> dict[str, Any]:
    """The figures of one kind: throughput and paced times of each way of asking."""
    tag = answer(port, kind.same)
    ways: dict[str, tuple[Sequence[str], dict[str, str]]] = {"uncached": (kind.others, COOKIE)}
    if kind.kept:
        ways = {"repeated": ([kind.same], {}), "conditional": ([kind.same], {"If-None-Match": tag}), **ways}
    figures = {}
    for way, (addresses, headers) in ways.items():
        target = kind.target(way)
        found = throughput(port, addresses, headers, seconds)
        rate = min(found["requests_per_s"], target or found["requests_per_s"]) / 2
        found["paced"] = paced(port, addresses, headers, rate, seconds)
        found["target"] = target
        if target is not None:
            found["reached"] = found["requests_per_s"] >= target and found["paced"]["p99_ms"] < TARGET_P99_MS
        figures[way] = found
        print(f"· {kind.name}, {way}: {found}", flush=True)
    return figures


def throughput(port: int, addresses: Sequence[str], headers: dict[str, str], seconds: float) -> dict[str, Any]:
    """Requests a second as fast as wrk sends them, and the times in milliseconds under that load."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "addresses").write_text("\n".join(addresses) + "\n", encoding="ascii")
        said = ", ".join(f"[{json.dumps(name)}] = {json.dumps(text)}" for name, text in {**USUAL, **headers}.items())
        script = Path(folder) / "ask.lua"
        script.write_text(_SCRIPT.format(addresses=f"{folder}/addresses", headers=said), encoding="ascii")
        command = [
            "wrk",
            "-t1",
            f"-c{CONNECTIONS}",
            f"-d{max(1, round(seconds))}s",
            "--timeout",
            "30s",
            "-s",
            str(script),
        ]
        command.append(f"http://127.0.0.1:{port}")
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    line = next(line for line in printed.splitlines() if line.startswith("JSON "))
    found = json.loads(line.removeprefix("JSON "))
    return {
        "requests_per_s": round(found["requests"] / (found["us"] / 1e6), 1),
        "p50_ms": round(found["p50_us"] / 1000, 2),
        "p99_ms": round(found["p99_us"] / 1000, 2),
        "refused": found["refused"],
        "failed": found["failed"],
    }


def paced(port: int, addresses: Sequence[str], headers: dict[str, str], rate: float, seconds: float) -> dict[str, Any]:
    """The times in milliseconds at a fixed rate, each counted from when its request was due."""
    times, failed = asyncio.run(_Pacer(port, addresses, headers).run(rate, seconds))
    ordered = sorted(times) or [float("nan")]
    at = {f"p{p}_ms": ordered[min(len(ordered) - 1, len(ordered) * p // 100)] for p in (50, 99)}
    return {"requests_per_s": round(rate, 1), "failed": failed, **{name: round(ms, 2) for name, ms in at.items()}}


class _Pacer:
    """Sends requests when they are due, over as many connections as that needs."""

    def __init__(self, port: int, addresses: Sequence[str], headers: dict[str, str]) -> None:
        self._port = port
        said = {"Host": f"127.0.0.1:{port}", **USUAL, **headers}
        head = "".join(f"{name}: {text}\r\n" for name, text in said.items())
        self._requests = [f"GET {address} HTTP/1.1\r\n{head}\r\n".encode() for address in addresses]
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self.times: list[float] = []
        self.failed = 0

    async def run(self, rate: float, seconds: float) -> tuple[list[float], int]:
        """The time of each request in milliseconds, and how many had none or a wrong answer."""
        begin, asked = time.perf_counter(), set()
        for number in range(max(1, int(rate * seconds))):
            due = begin + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            asked.add(asyncio.create_task(self._ask(self._requests[number % len(self._requests)], due)))
        await asyncio.gather(*asked)
        for _reader, writer in self._free:
            writer.close()
        return self.times, self.failed

    async def _ask(self, request: bytes, due: float) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                fine = await self._answered(request)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError):
            fine = False
        if fine:
            self.times.append(1000 * (time.perf_counter() - due))
        else:
            self.failed += 1

    async def _answered(self, request: bytes) -> bool:
        """Whether the request was answered as it should be. A connection that the server closed is made anew, once."""
        while self._free:
            reader, writer = self._free.pop()
            try:
                return await self._exchange(reader, writer, request)
            except (OSError, asyncio.IncompleteReadError):
                writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        return await self._exchange(reader, writer, request)

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> bool:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        status = int(head[9:12])
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        if length and status != 304:
            await reader.readexactly(int(length[1]))
        if b"\r\nConnection: close" in head or (length is None and status != 304):
            writer.close()
        else:
            self._free.append((reader, writer))
        return status in {200, 304}


def growth(port: int, process: subprocess.Popen[bytes], asked: Sequence[Kind], minutes: float) -> dict[str, Any]:
    """Memory in MiB while strangers ask for all kinds at a fixed rate: over time, and MiB a minute in the second half.

    Every other request is for the address of its kind that is asked repeatedly.
    """
    others = [(kind.same, address) for kind in asked for address in kind.others[:500]]
    CHANCE.shuffle(others)
    addresses = [address for pair in others for address in pair]
    looks: list[tuple[float, int]] = []
    begin, failed, times = time.monotonic(), 0, []
    while (now := time.monotonic() - begin) < minutes * 60:
        looks.append((now / 60, bench_pages.memory(process)["private"]))
        found = paced(port, addresses, {}, MIXED_RATE, LOOKS_AFTER)
        failed += found["failed"]
        times.append(found["p99_ms"])
        step = int(MIXED_RATE * LOOKS_AFTER) % len(addresses)
        addresses = addresses[step:] + addresses[:step]
    looks.append(((time.monotonic() - begin) / 60, bench_pages.memory(process)["private"]))
    last = looks[len(looks) // 2 :]
    steady = len(last) > 1
    slope = statistics.linear_regression([at for at, _ in last], [mb for _, mb in last]).slope if steady else 0.0
    return {
        "minutes": minutes,
        "requests_per_s": MIXED_RATE,
        "failed": failed,
        "median_p99_ms": statistics.median(times),
        "begin_mb": looks[0][1],
        "middle_mb": last[0][1],
        "end_mb": looks[-1][1],
        "mb_over_time": [[round(at, 1), mb] for at, mb in looks[:: max(1, len(looks) // 20)]],
        "mb_per_minute_in_the_second_half": round(slope, 3),
    }


def kinds(folder: Path) -> list[Kind]:
    """What is asked, with addresses at random of the instance's own days, papers and words."""
    known = bench_pages.ask(folder, _KNOWN)
    words = sorted({word for title in known["titles"] for word in re.findall(r"[a-z]{4,}", title.lower())})
    days, keys = known["days"], [quote(key, safe="/:") for key in known["keys"]]

    def many(make: Any) -> list[str]:
        return [make() for _ in range(RANDOM_ADDRESSES)]

    def search() -> str:
        return "/api/papers/search?q=" + quote_plus(" ".join(CHANCE.sample(words, 2)))

    def page() -> str:
        return f"/date/{CHANCE.choice(days)}?page=1"

    return [
        Kind(
            "daily_papers",
            "/api/daily_papers",
            many(lambda: f"/api/daily_papers?date={CHANCE.choice(days)}"),
            edition=True,
        ),
        Kind("papers_search", search(), many(search)),
        Kind("paper", f"/api/papers/{keys[0]}", many(lambda: f"/api/papers/{CHANCE.choice(keys)}")),
        Kind("front_page", "/", ["/"], edition=True),
        Kind("atom_feed", "/index.atom", many(lambda: f"/date/{CHANCE.choice(days)}.atom")),
        Kind("edition", f"/date/{days[0]}", many(page), edition=True),
        Kind(
            "api_edition",
            f"/api/v1/editions/{days[0]}",
            many(lambda: f"/api/v1/editions/{CHANCE.choice(days)}"),
            kept=False,
        ),
    ]


def answer(port: int, address: str) -> str:
    """Ask once, so that what is made at first is made; the entity tag. Ends the benchmark when nothing is answered."""
    with urlopen(f"http://127.0.0.1:{port}{address}", timeout=120) as response:
        response.read()
        return str(response.headers["ETag"])


@contextmanager
def serving(folder: Path) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """`broadsheet serve` on a free port, ended as a supervisor would end it. No worker runs beside it."""
    port = bench_pages.free_port()
    command = [sys.executable, "-m", "broadsheet", "serve", "--port", str(port)]
    # Without accounts the pages would be those of whoever sits at this machine, and none would be kept.
    environment = {**bench_pages.environment(folder), "PYTHONUNBUFFERED": "1", "BROADSHEET_ACCOUNTS": "yes"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        bench_pages.first_answer(port, process)
        yield port, process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


_KNOWN = """
from broadsheet.editions.models import Edition
from broadsheet.papers.models import Paper
days = list(Edition.objects.filter(kind="day", size__gt=0).order_by("-size").values_list("label", flat=True)[:400])
papers = list(Paper.objects.filter(merged_into__isnull=True).values_list("key", "title"))
print(json.dumps({
    "days": days,
    "keys": [key for key, _ in random.sample(papers, min(5000, len(papers)))],
    "titles": [title for _, title in random.sample(papers, min(500, len(papers)))],
}))
"""


if __name__ == "__main__":
    os.environ.setdefault("BROADSHEET_STARTER", "no")
    main()
