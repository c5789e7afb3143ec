"""One process that keeps others running: starts them, restarts what crashes, ends all of them when it ends.

It loads neither Django nor the engine, so that it is small, and nothing that breaks them breaks it.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
PATIENCE = 10.0  # seconds that children get to end by themselves
LONGEST_PAUSE = 60.0  # seconds before a child that keeps crashing is started again
HEALTHY = 60.0  # seconds after which an earlier crash is forgotten


@dataclass(slots=True)
class Child:
    """A process to keep running. `descriptors` are inherited under the same numbers."""

    title: str
    command: Sequence[str]
    descriptors: Sequence[int] = ()
    crashes: int = 0
    starts_at: float = 0.0
    started: float = 0.0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)


class Supervisor:
    """Runs children until told to stop. `say` gets one sentence for each thing that an operator should know."""

    def __init__(self, say: Callable[[str], None], *, pause: float = 1.0) -> None:
        self._say = say
        self._pause = pause
        self._children: list[Child] = []
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        os.set_blocking(self._wake_read, False)
        self.lifeline, self._lifeline_end = os.pipe()
        self._stopped_by: signal.Signals | None = None

    def start(self, child: Child) -> None:
        """Start a child and keep it running from now on."""
        self._children.append(child)
        self._spawn(child)

    def _spawn(self, child: Child) -> None:
        # A process group of its own: Ctrl-C in the terminal reaches the supervisor alone, which ends all in order.
        child.process = subprocess.Popen(
            list(child.command),
            pass_fds=(self.lifeline, *child.descriptors),
            stdin=subprocess.DEVNULL,
            process_group=0,
        )
        child.started = time.monotonic()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Handle signals inside: those of STOPPING set `stopping()`, all of them end a `wait`."""

        def note(number: int, _frame: FrameType | None) -> None:
            if self._stopped_by is None:
                self._stopped_by = signal.Signals(number)

        wakeup = signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        before = {number: signal.signal(number, note) for number in STOPPING}
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(wakeup)

    def stopping(self) -> bool:
        """Whether a signal has asked this process to end."""
        return self._stopped_by is not None

    def wait(self, *descriptors: int, timeout: float | None = None) -> list[int]:
        """Wait for a signal, for one of the descriptors to be readable, or for `timeout` seconds; those readable."""
        ready, _, _ = select.select([self._wake_read, *descriptors], [], [], timeout)
        if self._wake_read in ready:
            while _drained(self._wake_read):
                pass
        return [descriptor for descriptor in ready if descriptor != self._wake_read]

    def ended(self) -> list[tuple[Child, int]]:
        """Children that have ended since they were started, with their exit statuses (negative: the signal)."""
        found = []
        for child in self._children:
            if child.process is not None and (status := child.process.poll()) is not None:
                child.process = None
                found.append((child, status))
        return found

    def keep_running(self) -> None:
        """Restart what crashes until a signal says to stop."""
        while not self.stopping():
            for child, status in self.ended():
                self._schedule(child, status)
            now = time.monotonic()
            waiting = [child for child in self._children if child.process is None]
            for child in waiting:
                if child.starts_at <= now:
                    self._spawn(child)
            later = [child.starts_at - now for child in waiting if child.process is None]
            self.wait(timeout=max(0.01, min(later)) if later else None)

    def _schedule(self, child: Child, status: int) -> None:
        """Decide when a child that ended starts again: at once after a long life, ever later when it keeps crashing."""
        now = time.monotonic()
        child.crashes = 1 if now - child.started > HEALTHY else child.crashes + 1
        pause = min(LONGEST_PAUSE, self._pause * 2 ** (child.crashes - 1))
        child.starts_at = now + pause
        self._say(f"The {child.title} ended unexpectedly ({ending(status)}). It starts again in {pause:g} s.")

    def stop(self) -> None:
        """End all children: ask, wait PATIENCE seconds for them, then kill. Returns when none is left."""
        running = [child for child in self._children if child.process is not None]
        for child in running:
            _send(child, signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE
        for child in running:
            if not _ends(child, max(0.0, deadline - time.monotonic())):
                self._say(f"The {child.title} did not end within {PATIENCE:g} s and was killed.")
                _send(child, signal.SIGKILL)
                _ends(child, None)
        self._children.clear()
        os.close(self._lifeline_end)


def _send(child: Child, number: signal.Signals) -> None:
    if child.process is not None:
        child.process.send_signal(number)


def _ends(child: Child, timeout: float | None) -> bool:
    """Whether the child ends within `timeout` seconds (None: for ever)."""
    if child.process is None:
        return True
    try:
        child.process.wait(timeout)
    except subprocess.TimeoutExpired:
        return False
    return True


def _drained(descriptor: int) -> bool:
    """Read what is there; False when nothing is left."""
    try:
        return bool(os.read(descriptor, 512))
    except BlockingIOError:
        return False


def ending(status: int) -> str:
    """An exit status in words: "exit status 1", "signal SIGKILL"."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"signal {signal.Signals(-status).name}"
    except ValueError:
        return f"signal {-status}"
