"""A process that `up` started ends when `up` ends, however that happens.

Two ropes. The kernel's: on Linux it sends SIGTERM to a child whose parent died (PR_SET_PDEATHSIG, prctl(2)). And a
pipe that only the parent can write to: when the last writer is gone, reading it returns, on every system.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
GRACE = 3.0  # seconds between being asked to end and being ended


def follow_parent(parent: int) -> None:
    """Have the kernel send SIGTERM when process `parent` dies; now, when it has died already. Linux only."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)


def hold(lifeline: int, *, end: Callable[[], None]) -> None:
    """Watch the pipe in a thread. When its writer is gone call `end`, and leave no later than GRACE seconds after."""

    def watch() -> None:
        while os.read(lifeline, 1):
            pass
        end()
        threading.Event().wait(GRACE)
        os._exit(1)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()


def end_self() -> None:
    """Ask this process to end, as whoever started it would."""
    os.kill(os.getpid(), signal.SIGTERM)
