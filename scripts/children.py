"""Start other programs so that none outlives us: not after Ctrl-C, not after kill, not when a test forgot one."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

POLITE_SECONDS = 10.0
STRAY_SECONDS = 5.0

# prctl(2), Linux only: which signal this process gets when its parent dies, and who inherits orphans.
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Process:
    """A running program: its number and the command line it was started with."""

    pid: int
    command: str


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Inside, SIGTERM and SIGHUP raise SystemExit, so that every `finally` runs and cleans up as after Ctrl-C."""

    def stop(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def adopt_orphans() -> None:
    """From now on a process whose parent ended becomes our child, so that `strays` can see it. Linux only."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def dies_with_us(number: signal.Signals) -> Callable[[], None] | None:
    """For Popen's `preexec_fn`: the child gets this signal when we die. None where the system has no such call."""
    if _LIBC is None:
        return None
    libc = _LIBC  # loaded before the fork: nothing may be imported between fork and exec
    return lambda: libc.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0) and None


def run(
    command: Sequence[str], environment: Mapping[str, str], folder: Path, known: frozenset[int] = frozenset()
) -> int:
    """Run a program to its end and return its exit status (minus the signal's number when a signal ended it).

    When we are interrupted meanwhile, the program and everything it started is ended before the interrupt goes on;
    only our `known` children (process numbers) stay. Raises OSError when the program cannot be started.
    """
    with subprocess.Popen(
        command,
        env=environment,
        cwd=folder,
        start_new_session=True,
        preexec_fn=dies_with_us(signal.SIGTERM),  # noqa: PLW1509  we have no threads
    ) as child:
        try:
            return child.wait()
        except BaseException:
            _end_group(child)
            end(strays(known))
            raise


def _end_group(child: subprocess.Popen[bytes]) -> None:
    """First ask politely, as a terminal would, then stop asking."""
    for number, seconds in ((signal.SIGINT, POLITE_SECONDS), (signal.SIGKILL, POLITE_SECONDS)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(seconds)


def strays(known: frozenset[int]) -> list[Process]:
    """Every living descendant of ours that is not `known` (a process number) and not below a known one."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                parents.setdefault(int(parent), []).append(int(folder.name))
    found, queue = [], [os.getpid()]
    while queue:
        for pid in parents.get(queue.pop(), []):
            if pid not in known:
                queue.append(pid)
                found.append(Process(pid, _command(pid)))
    return found


def _command(pid: int) -> str:
    """The first 120 characters of a process's command line, empty when it is gone."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()[:120]
    return ""


def forgotten(known: frozenset[int]) -> list[Process]:
    """The strays that are still there after a fair time (5 seconds); they are killed."""
    deadline = time.monotonic() + STRAY_SECONDS
    while (left := strays(known)) and time.monotonic() < deadline:
        time.sleep(0.05)
    end(left)
    return left


def end(processes: Sequence[Process]) -> None:
    """Kill them and collect what they leave, so that no zombie keeps their number."""
    for process in processes:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process.pid, signal.SIGKILL)
    for process in processes:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(process.pid, 0)
