"""Answers that are dear to compute and may be a moment old: kept for each process until the journal moved on, or for
some seconds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from broadsheet.papers import queries as papers

T = TypeVar("T")

# While papers stream in, an answer may be this old, in seconds, before it is computed again.
AT_MOST_OLD = 30.0


@dataclass(frozen=True, slots=True)
class _Kept(Generic[T]):
    """An answer, the entry of the journal up to which it holds, and when it was given (`time.monotonic`)."""

    journal: int
    at: float
    answer: T

    def good(self, journal: int) -> bool:
        """Whether it need not be asked again now that the journal is there."""
        grown = journal > self.journal
        return journal == self.journal or (grown and time.monotonic() - self.at < AT_MOST_OLD)


class Remembered(Generic[T]):
    """The answer of `ask`, asked again only when the journal has grown and the last answer is `AT_MOST_OLD`.

    One thread asks at a time. Meanwhile the others have the old answer; only where there is none they wait.
    """

    def __init__(self, ask: Callable[[], T]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._kept: _Kept[T] | None = None

    def __call__(self) -> T:
        """The answer. Costs one small query while nothing changes."""
        kept = self._kept
        if kept is None:
            with self._lock:
                return self._renewed()
        if kept.good(papers.last_change()) or not self._lock.acquire(blocking=False):
            return kept.answer
        try:
            return self._renewed()
        finally:
            self._lock.release()

    def _renewed(self) -> T:
        """The answer, asked unless another thread has just done it. Call it with the lock."""
        journal, kept = papers.last_change(), self._kept
        if kept is None or not kept.good(journal):
            kept = self._kept = _Kept(journal, time.monotonic(), self._ask())
        return kept.answer

    def forget(self) -> None:
        """Ask anew the next time."""
        self._kept = None


class ForSeconds(Generic[T]):
    """The answer of `ask`, asked again once it is so many seconds old, by one thread at a time."""

    def __init__(self, ask: Callable[[], T], seconds: float) -> None:
        self._ask = ask
        self._seconds = seconds
        self._lock = threading.Lock()
        self._kept: tuple[float, T] | None = None

    def __call__(self) -> T:
        """The answer. Raises what `ask` raises, and keeps nothing then."""
        with self._lock:
            if self._kept is None or time.monotonic() - self._kept[0] >= self._seconds:
                self._kept = (time.monotonic(), self._ask())
            return self._kept[1]

    def forget(self) -> None:
        """Ask anew the next time."""
        self._kept = None
