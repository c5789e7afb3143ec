"""One process that keeps others running: in order, with crashes, and to the last child."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from broadsheet.cli.supervisor import ending

pytestmark = pytest.mark.process

# A supervisor of one child. The child follows its parent by both ropes, by the pipe only, or by none.
SUPERVISOR = """
import sys
from broadsheet.cli.supervisor import Child, Supervisor

def say(sentence):
    print(sentence, flush=True)

supervisor = Supervisor(say, pause=0.05)
with supervisor.listening():
    try:
        supervisor.start(Child("helper", [sys.executable, "-c", sys.argv[1], str(supervisor.lifeline)]))
        supervisor.keep_running()
        say("Stopping.")
    finally:
        supervisor.stop()
say("Stopped.")
"""
CRASHES = "import sys; sys.exit(3)"
WAITS = "import signal, os; print('child', os.getpid(), flush=True); signal.pause()"
BY_PIPE = """
import os, sys, time
from broadsheet.cli import lifeline
lifeline.hold(int(sys.argv[1]), end=lifeline.end_self)
print("child", os.getpid(), flush=True)
time.sleep(60)
"""
BY_KERNEL = """
import os, signal
from broadsheet.cli import lifeline
lifeline.follow_parent(os.getppid())
print("child", os.getpid(), flush=True)
signal.pause()
"""
DEAF = """
import os, signal, sys, time
from broadsheet.cli import lifeline
signal.signal(signal.SIGTERM, signal.SIG_IGN)
lifeline.hold(int(sys.argv[1]), end=lambda: None)
print("child", os.getpid(), flush=True)
time.sleep(60)
"""


@pytest.fixture
def supervise(start: Any) -> Any:
    """Start a supervisor of one child that runs this program."""
    return lambda program: start("-c", SUPERVISOR, program)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_child_and_then_the_supervisor(supervise: Any, alive: Any, number: signal.Signals) -> None:
    running = supervise(WAITS)
    child = int(running.says(r"child (\d+)")[1])
    os.kill(running.pid, number)
    assert running.ends() == 0
    assert not alive(child)
    running.says(r"^Stopped\.$")


def test_a_child_that_crashes_is_started_again_later_and_later(supervise: Any) -> None:
    running = supervise(CRASHES)
    for pause in ("0.05", "0.1", "0.2", "0.4"):
        running.says(rf"The helper ended unexpectedly \(exit status 3\)\. It starts again in {pause} s\.")
    os.kill(running.pid, signal.SIGTERM)
    assert running.ends() == 0


def test_a_child_that_is_killed_is_started_again(supervise: Any) -> None:
    running = supervise(WAITS)
    first = int(running.says(r"child (\d+)")[1])
    os.kill(first, signal.SIGKILL)
    running.says("ended unexpectedly .signal SIGKILL.")
    running.lines.clear()
    assert int(running.says(r"child (\d+)")[1]) != first


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(BY_KERNEL, id="the kernel's rope"),
        pytest.param(BY_PIPE, id="the pipe"),
        pytest.param(DEAF, id="the pipe, of a child that does not listen to SIGTERM"),
    ],
)
def test_no_child_outlives_a_supervisor_that_was_killed(
    supervise: Any, program: str, alive: Any, eventually: Any
) -> None:
    running = supervise(program)
    child = int(running.says(r"child (\d+)")[1])
    os.kill(running.pid, signal.SIGKILL)
    running.ends()
    eventually(lambda: not alive(child), within=30)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        pytest.param(1, "exit status 1", id="by itself"),
        pytest.param(-9, "signal SIGKILL", id="by a signal"),
        pytest.param(-63, "signal 63", id="by a signal without a name"),
    ],
)
def test_how_an_end_is_told(status: int, words: str) -> None:
    assert ending(status) == words
