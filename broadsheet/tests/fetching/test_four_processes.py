"""Four real processes share one data folder: the origin never sees more than the pace allows."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import pytest

from broadsheet.testing.origin import Origin, Reply, Request

INTERVAL = 0.15  # seconds; what is tested is the same with three
EACH = 8

_ASKING = """
import sys
from pathlib import Path
from broadsheet.fetching.answers import Failure
from broadsheet.fetching.client import Client
from broadsheet.fetching.pace import Pace

folder, url, name, count = sys.argv[1:]
hosts = ("export", "oaipmh", "rss", "www")
client = Client(
    Path(folder),
    contact="ada@example.org",
    routes={f"https://{host}.arxiv.org": url for host in hosts},
    paces=[Pace("arxiv", ("arxiv.org",), 0.15, 0.15)],
)
sys.stdin.readline()
for number in range(int(count)):
    try:
        client.get(f"https://{hosts[number % 4]}.arxiv.org/{name}", accept="text/xml")
    except Failure as failure:
        print(type(failure).__name__)
"""


def _start(stack: ExitStack, folder: Path, origin: Origin, name: str, count: int = EACH) -> subprocess.Popen[bytes]:
    """A process that asks so many times as soon as a line is written to it."""
    command = [sys.executable, "-c", _ASKING, str(folder), origin.url, name, str(count)]
    process = stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
    stack.callback(process.kill)
    return process


def _go(*processes: subprocess.Popen[bytes]) -> None:
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()


def _gaps(origin: Origin) -> list[float]:
    """The seconds between the arrivals of two requests, at the origin."""
    times = sorted(request.at for request in origin.requests)
    return [later - earlier for earlier, later in pairwise(times)]


@pytest.mark.process
def test_four_processes_ask_one_at_a_time_and_keep_the_interval(tmp_path: Path) -> None:
    with Origin(lambda request: Reply(delay=0.01)) as origin, ExitStack() as stack:
        processes = [_start(stack, tmp_path, origin, str(number)) for number in range(4)]
        _go(*processes)
        assert [process.wait(60) for process in processes] == [0] * 4
    assert Counter(request.path for request in origin.requests) == {f"/{number}": EACH for number in range(4)}
    assert len({request.headers["host"] for request in origin.requests}) == 4
    assert min(_gaps(origin)) >= INTERVAL
    assert origin.most_at_once == 1


@pytest.mark.process
def test_when_one_is_killed_while_it_asks_the_others_go_on_and_keep_the_interval(tmp_path: Path) -> None:
    reached = threading.Event()

    def handler(request: Request) -> Reply:
        if request.path == "/victim":
            reached.set()
            return Reply(delay=20)
        return Reply()

    with Origin(handler) as origin, ExitStack() as stack:
        victim = _start(stack, tmp_path, origin, "victim")
        others = [_start(stack, tmp_path, origin, str(number), 4) for number in range(3)]
        _go(victim)
        assert reached.wait(30)
        _go(*others)
        time.sleep(0.5)
        assert len(origin.requests) == 1, "somebody asked while another one was asking"
        victim.kill()
        killed = time.monotonic()
        assert [process.wait(60) for process in others] == [0] * 3
    assert len(origin.requests) == 13
    assert sorted(request.at for request in origin.requests)[1] - killed >= INTERVAL
    assert min(_gaps(origin)) >= INTERVAL


@pytest.mark.process
def test_when_one_is_told_to_stop_all_of_them_stop(tmp_path: Path) -> None:
    with Origin(lambda request: Reply(429)) as origin, ExitStack() as stack:
        processes = [_start(stack, tmp_path, origin, str(number)) for number in range(4)]
        _go(*processes)
        told = [process.communicate(timeout=60)[0].split() for process in processes]
    assert told == [[b"Resting"] * EACH] * 4
    assert len(origin.requests) == 1


@pytest.mark.process
def test_the_rest_outlives_all_processes(tmp_path: Path) -> None:
    for expected in (1, 0):
        with Origin(lambda request: Reply(503)) as origin, ExitStack() as stack:
            process = _start(stack, tmp_path, origin, "0", 1)
            assert process.communicate(b"\n", timeout=60)[0].split() == [b"Resting"]
        assert len(origin.requests) == expected
