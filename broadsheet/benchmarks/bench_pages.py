"""How long pages take, how much memory the server needs, and whether queries grow with the rows.

`python bench_pages.py [COUNT]` measures twice: with the collection that comes with the program, and with COUNT papers
(100,000 by default) on top. Each time it starts the real server (`broadsheet up`) on a new data folder and asks for
pages of every kind over one loopback connection, in turn, so that a slow moment of the machine hits all kinds alike.
Times are wall time from request to last byte, in milliseconds. Memory is the sum over all processes of the server, with
pages that they share counted once (``Pss``), looked at four times a second from the start on; the greatest sum counts.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import corpus
import recording

ROUNDS = 150
CHANCE = random.Random(20261122)  # noqa: S311  # which pages to ask for, not a secret


def main(count: int) -> None:
    """Run the benchmark in temporary folders and write its record."""
    corpus.require()
    figures: dict[str, Any] = {}
    for name, papers in (("starter", 0), ("large", count)):
        with tempfile.TemporaryDirectory() as folder:
            figures[name] = measure(Path(folder), papers)
    recording.write("pages", figures)


def measure(folder: Path, papers: int) -> dict[str, Any]:
    """Fill a data folder, start the server on it, and ask."""
    began = time.monotonic()
    if papers:
        records = folder / "records.jsonl"
        corpus.write_records(records, papers)
        run(folder, "import", str(records))
        records.unlink()
    with server(folder) as (port, process), watched(process) as peak:
        wait_until_settled(folder)
        figures = {"papers": status(folder)["papers"], "seconds_to_fill": round(time.monotonic() - began, 1)}
        figures["ms"] = times(port, addresses(folder))
        figures["memory_mb"] = {**memory(process), "peak": round(max(peak) / 1024)}
    figures["second_start_s"] = second_start(folder)
    figures["queries"] = query_counts(folder)
    return figures


def times(port: int, pages: dict[str, Callable[[], str]]) -> dict[str, dict[str, float]]:
    """Percentiles of the time of each kind of page."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    spent: dict[str, list[float]] = {kind: [] for kind in pages}
    for turn in range(ROUNDS + 5):
        for kind, address in pages.items():
            path = address()
            began = time.perf_counter()
            connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
            answer = connection.getresponse()
            answer.read()
            elapsed = 1000 * (time.perf_counter() - began)
            if answer.status != 200:
                sys.exit(f"{path} answered {answer.status}; the benchmark is void.")
            if turn >= 5:
                spent[kind].append(elapsed)
    return {kind: recording.percentiles(values) for kind, values in spent.items()}


def addresses(folder: Path) -> dict[str, Callable[[], str]]:
    """For each kind of page a function that names one of them at random."""
    known = ask(folder, _KNOWN)
    words = sorted({word for title in known["titles"] for word in re.findall(r"[a-z]{4,}", title.lower())})

    def search(number: int) -> str:
        return "/search?q=" + "+".join(CHANCE.sample(words, number))

    return {
        "front": lambda: "/",
        "day": lambda: f"/date/{CHANCE.choice(known['days'])}",
        "week": lambda: f"/week/{CHANCE.choice(known['weeks'])}",
        "month": lambda: f"/month/{CHANCE.choice(known['months'])}",
        "section": lambda: f"/section/{CHANCE.choice(known['sections'])}",
        "author": lambda: f"/author/{CHANCE.choice(known['authors'])}",
        "paper": lambda: f"/papers/{CHANCE.choice(known['keys'])}",
        "search_1_word": lambda: search(1),
        "search_3_words": lambda: search(3),
        "search_title": lambda: "/search?q=" + "+".join(re.findall(r"[A-Za-z]+", CHANCE.choice(known["titles"]))[:12]),
        "editions": lambda: "/editions",
        "sections": lambda: "/sections",
        "status": lambda: "/status",
    }


@contextmanager
def server(folder: Path) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """The real server on a free port, ended as a person would end it."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "broadsheet", "up", "--port", str(port), "--data", str(folder)],
        stdout=subprocess.DEVNULL,
    )
    try:
        first_answer(port, process)
        yield port, process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def first_answer(port: int, process: subprocess.Popen[bytes]) -> None:
    """Return when the server answers its first request. Ends the benchmark when it ends instead."""
    while process.poll() is None:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("GET", "/")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.02)
    sys.exit(f"the server ended with {process.returncode}; the benchmark is void.")


def second_start(folder: Path) -> float:
    """Seconds from the command to the first answer, when everything is there already."""
    port = free_port()
    command = [sys.executable, "-m", "broadsheet", "up", "--port", str(port), "--data", str(folder)]
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        first_answer(port, process)
        return round(time.monotonic() - began, 2)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def wait_until_settled(folder: Path) -> None:
    """Return when the index and the editions have read the whole journal."""
    while (now := status(folder))["behind"]:
        print(f"· {now['behind']} entries of the journal to go", flush=True)
        time.sleep(2)


@contextmanager
def watched(process: subprocess.Popen[bytes]) -> Iterator[list[int]]:
    """The proportional memory of the server in KiB, a value for each quarter of a second."""
    seen, ended = [0], threading.Event()

    def watch() -> None:
        while not ended.wait(0.25):
            seen.append(total(process, "smaps_rollup", "Pss"))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield seen
    finally:
        ended.set()
        watcher.join()


def memory(process: subprocess.Popen[bytes]) -> dict[str, int]:
    """Present memory of the server's processes in MiB: with mapped files, and without."""
    return {
        "processes": 1 + len(children(process.pid)),
        "proportional": round(total(process, "smaps_rollup", "Pss") / 1024),
        "private": round(total(process, "status", "RssAnon") / 1024),
    }


def total(process: subprocess.Popen[bytes], file: str, name: str) -> int:
    """The sum in KiB of one line of /proc/PID/<file> over the server's processes; one that ends meanwhile counts 0."""
    try:
        return sum(field(Path(f"/proc/{pid}/{file}"), name) for pid in [process.pid, *children(process.pid)])
    except OSError:
        return 0


def field(path: Path, name: str) -> int:
    """The KiB that a line of a file under /proc gives."""
    match = re.search(rf"^{name}:\s+(\d+) kB", path.read_text(encoding="ascii"), re.MULTILINE)
    return int(match[1]) if match else 0


def children(pid: int) -> list[int]:
    """All descendants of a process."""
    direct = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    return direct + [below for child in direct for below in children(child)]


def query_counts(folder: Path) -> dict[str, int]:
    """Database queries of one page of each kind; `make test` asserts that they do not grow with the rows."""
    return dict(ask(folder, _COUNTS))


def status(folder: Path) -> dict[str, int]:
    """Papers shown, and entries of the journal that the index or the editions have not read."""
    return dict(ask(folder, _STATUS))


def ask(folder: Path, program: str) -> Any:
    """Run a small program against the data folder in a process of its own, and return what it prints as JSON."""
    done = subprocess.run(
        [sys.executable, "-c", _SETUP + program], env=environment(folder), check=True, capture_output=True
    )
    return json.loads(done.stdout)


def run(folder: Path, *arguments: str) -> None:
    """Run a command of Broadsheet on the data folder."""
    command = [sys.executable, "-m", "broadsheet", *arguments]
    subprocess.run(command, env=environment(folder), check=True, stdout=subprocess.DEVNULL)


def environment(folder: Path) -> dict[str, str]:
    """The environment of a program that works on the data folder."""
    return {**os.environ, "BROADSHEET_DATA": str(folder), "DJANGO_SETTINGS_MODULE": "broadsheet.config.settings"}


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


_SETUP = "import django, json, random; django.setup(); random.seed(7)\n"
_STATUS = """
from broadsheet.editions import queries as editions
from broadsheet.papers import queries, tasks
behind = queries.unread(tasks.open_index().cursor())
print(json.dumps({"papers": queries.totals().papers, "behind": behind + editions.behind()}))
"""
_KNOWN = """
from broadsheet.editions.models import Edition
from broadsheet.papers.models import Authorship, Paper, Topic
labels = lambda kind: list(Edition.objects.filter(kind=kind).values_list("label", flat=True))
papers = list(Paper.objects.values_list("key", "title"))
authors = list(Authorship.objects.values_list("slug", flat=True)[:200000])
print(json.dumps({
    "days": labels("day"), "weeks": labels("week"), "months": labels("month"),
    "sections": list(Topic.objects.values_list("slug", flat=True).distinct()),
    "authors": random.sample(authors, min(500, len(authors))),
    "keys": [key for key, _ in random.sample(papers, min(500, len(papers)))],
    "titles": [title for _, title in random.sample(papers, min(500, len(papers)))],
}))
"""
_COUNTS = """
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from broadsheet.editions import queries as editions
from broadsheet.papers.models import Paper
client, counts = Client(SERVER_NAME="localhost"), {}
key = Paper.objects.order_by("id").first().key
pages = {"front": "/", "paper": f"/papers/{key}", "search": "/search?q=model", "editions": "/editions"}
for name, path in pages.items():
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    counts[name] = len(captured)
print(json.dumps(counts))
"""


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
