"""Real processes for the tests of the command line."""

from __future__ import annotations

import functools
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

import pytest

PATIENCE = 180.0  # seconds; a busy machine is not a failed test


def _environment(data: Path, **more: str) -> dict[str, str]:
    """The environment of a program that knows nothing of this one's settings, and searches by words."""
    kept = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith(("BROADSHEET_", "DJANGO_")) and name != "DATABASE_URL"
    }
    return {**kept, "BROADSHEET_DATA": str(data), "BROADSHEET_MODEL": "none", **more}


def _run(*arguments: str | Path, data: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    command = [sys.executable, "-m", "broadsheet", *map(str, arguments)]
    return subprocess.run(
        command, env=_environment(data, **more), capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def _alive(pid: int) -> bool:
    """Whether the process runs: it exists and is not only waiting to be collected."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def _descendants(pid: int) -> dict[int, str]:
    """Command lines of the processes below `pid`, children before their children."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text(encoding="ascii").rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
    found: dict[int, str] = {}
    below = {pid}
    while below:
        below = {child for child, parent in parents.items() if parent in below}
        found |= {child: Path(f"/proc/{child}/cmdline").read_text().replace("\0", " ") for child in below}
    return found


def _eventually(true: Callable[[], object], *, within: float = PATIENCE) -> None:
    """Wait until it is true; fail when it is not within so many seconds."""
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, "it did not become true in time"
        time.sleep(0.05)


@dataclass
class Running:
    """A process whose lines are collected as they come."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)
    _new: queue.Queue[str | None] = field(default_factory=queue.Queue)

    def __post_init__(self) -> None:
        threading.Thread(target=self._collect, daemon=True).start()

    def _collect(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._new.put(line.rstrip("\n"))
        self._new.put(None)

    @property
    def pid(self) -> int:
        """Its number."""
        return self.process.pid

    def says(self, pattern: str) -> re.Match[str]:
        """Wait for a line that matches, and return the match."""
        deadline = time.monotonic() + PATIENCE
        for line in self.lines:
            if match := re.search(pattern, line):
                return match
        while True:
            try:
                new = self._new.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                new = None
            assert new is not None, f"it never said {pattern!r}, but: " + "\n".join(self.lines)
            self.lines.append(new)
            if match := re.search(pattern, new):
                return match

    def ends(self, within: float = PATIENCE) -> int:
        """Wait for its end; the exit status."""
        return self.process.wait(within)

    def child(self, words: str) -> int:
        """The number of the process below it, the nearest, whose command line has these words.

        Numbers of processes begin anew when they run out, so that a child can have a smaller one than its parent.
        """
        return next(pid for pid, command in _descendants(self.pid).items() if words in command)

    def commands(self) -> list[str]:
        """The command lines of all processes below it."""
        return list(_descendants(self.pid).values())

    def children(self) -> list[int]:
        """The numbers of all processes below it."""
        return list(_descendants(self.pid))


@pytest.fixture
def start() -> Iterator[Callable[..., Running]]:
    """Start programs, and see that none is left."""
    started: list[Running] = []

    def begin(*command: str | Path, env: Mapping[str, str] | None = None) -> Running:
        process = subprocess.Popen(
            [sys.executable, *map(str, command)],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        running = Running(process)
        started.append(running)
        return running

    yield begin
    for running in started:
        left = running.children() if running.process.poll() is None else []
        for pid in (running.pid, *left):
            if _alive(pid):
                os.kill(pid, signal.SIGKILL)
        running.process.wait()
        assert running.process.stdout is not None
        running.process.stdout.close()


@pytest.fixture
def up(start: Callable[..., Running], tmp_path: Path) -> Callable[..., tuple[Running, str]]:
    """Start `broadsheet up` on a free port; returns it and its address once it answers."""

    def begin(*options: str | Path, data: Path = tmp_path / "data", **more: str) -> tuple[Running, str]:
        env = _environment(data, PYTHONUNBUFFERED="1", **more)
        running = start("-m", "broadsheet", "up", "--port", "0", *options, env=env)
        return running, running.says(r"Broadsheet is at (http://\S+)")[1]

    return begin


@pytest.fixture(scope="session")
def alive() -> Callable[[int], bool]:
    """Whether a process runs."""
    return _alive


@pytest.fixture(scope="session")
def eventually() -> Callable[..., None]:
    """Wait until something is true."""
    return _eventually


@pytest.fixture
def broadsheet(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a command to its end, on the data folder of this test unless another is named."""
    return functools.partial(_run, data=tmp_path / "data")


@pytest.fixture(scope="session")
def instance() -> Callable[[Path], dict[str, str]]:
    """The environment of a program that is started on a data folder and writes its lines at once."""
    return functools.partial(_environment, PYTHONUNBUFFERED="1")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the starter catalogue. Copy it; it is shared."""
    folder = tmp_path_factory.mktemp("made") / "data"
    done = _run("doctor", data=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="session")
def answer() -> Callable[[str], bytes]:
    """What a reader gets from an address of ours."""

    def read(address: str) -> bytes:
        with urlopen(address, timeout=PATIENCE) as response:
            return bytes(response.read())

    return read
