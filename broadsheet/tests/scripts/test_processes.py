"""Nothing that the suite starts outlives it: not after Ctrl-C, not after kill, not when a test forgot it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import children

pytestmark = pytest.mark.process

SCRIPTS = Path(children.__file__).parent
PATIENCE = 30  # seconds; machines are busy


def _python(text: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(SCRIPTS)!r})\n{text}", *arguments]


def _eventually(condition: Callable[[], object]) -> bool:
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return bool(found)


def _alive(pid: int) -> bool:
    """Whether a process runs; one that is dead and not yet collected does not."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@pytest.fixture
def number(tmp_path: Path) -> Callable[[], int]:
    """The process number that a child wrote into the file `pid`; 0 before it did."""
    return lambda: int(text) if (path := tmp_path / "pid").exists() and (text := path.read_text()) else 0


@pytest.fixture
def starter(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A program that runs a child which starts a grandchild in a session of its own and waits for ever."""
    child = (
        "import subprocess, sys, pathlib\n"
        "p = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        f"pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(p.pid))\n"
        "p.wait()"
    )
    parent = (
        "import os, pathlib, children\n"
        "children.adopt_orphans()\n"
        "with children.interruptible():\n"
        f"    children.run([sys.executable, '-c', {child!r}], os.environ, pathlib.Path.cwd())"
    )
    process = subprocess.Popen(_python(parent), start_new_session=True, stderr=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.communicate()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda how: how.name)
def test_an_interrupt_ends_children_and_grandchildren(
    starter: subprocess.Popen[str], number: Callable[[], int], how: signal.Signals
) -> None:
    assert _eventually(number)
    starter.send_signal(how)
    assert starter.wait(PATIENCE) != 0
    assert not _alive(number())


def test_a_forgotten_process_is_seen_and_ended(tmp_path: Path) -> None:
    forgets = "import subprocess; subprocess.Popen(['sleep', '601'], start_new_session=True)"
    program = (
        "import os, pathlib, children\n"
        "children.STRAY_SECONDS = 0.3\n"
        "children.adopt_orphans()\n"
        f"status = children.run([sys.executable, '-W', 'ignore', '-c', {forgets!r}], os.environ, pathlib.Path.cwd())\n"
        "left = children.forgotten(frozenset())\n"
        "print(status, [process.command for process in left], children.strays(frozenset()))"
    )
    said = subprocess.run(_python(program), capture_output=True, text=True, check=True, timeout=PATIENCE)
    assert said.stdout == "0 ['sleep 601'] []\n"


@pytest.mark.parametrize(
    ("code", "status"),
    [
        pytest.param("raise SystemExit(7)", 7, id="status"),
        pytest.param("import os; os.kill(os.getpid(), 9)", -9, id="signal"),
    ],
)
def test_the_status_of_a_program_is_handed_on(code: str, status: int, tmp_path: Path) -> None:
    assert children.run([sys.executable, "-c", code], os.environ, tmp_path) == status
