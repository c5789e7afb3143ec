"""Answers that are dear to compute and may be a moment old: kept for each process until the journal moved on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from broadsheet.papers import queries as papers

T = TypeVar("T")

# While papers stream in, an answer may be this old, in seconds, before it is computed again.
AT_MOST_OLD = 30.0


class Remembered(Generic[T]):
    """The answer of `ask`, asked again only when the journal has grown and the last answer is `AT_MOST_OLD`."""

    def __init__(self, ask: Callable[[], T]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._kept: tuple[int, float, T] | None = None

    def __call__(self) -> T:
        """The answer. Costs one small query while nothing changes."""
        journal = papers.last_change()
        kept = self._kept
        if kept and (kept[0] == journal or (journal > kept[0] and time.monotonic() - kept[1] < AT_MOST_OLD)):
            return kept[2]
        with self._lock:
            answer = self._ask()
            self._kept = (journal, time.monotonic(), answer)
        return answer

    def forget(self) -> None:
        """Ask anew the next time."""
        self._kept = None
