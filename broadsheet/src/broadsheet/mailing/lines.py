"""Several lines at once, a thread for each. The threads know no database: they ask, and whoever runs them decides."""

from __future__ import annotations

import logging
import queue
import threading
from contextlib import suppress
from dataclasses import dataclass, field

from broadsheet.mailing.outcomes import Carrier, Letter, Line, Lost, Outcome, Unavailable, Unconfirmed

_LOOK_AGAIN = 1.0  # seconds between two looks of a waiting thread at whether anybody will still answer

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Asks:
    """A thread is about to complete the mail `number`, and waits for `allow`."""

    number: int
    _answered: threading.Event = field(default_factory=threading.Event)
    _allowed: bool = False

    def allow(self, *, allowed: bool) -> None:
        """Let the thread complete the mail, or give it up."""
        self._allowed = allowed
        self._answered.set()

    def decided(self, timeout_seconds: float) -> bool:
        """Whether it was decided; waits so long for it."""
        return self._answered.wait(timeout_seconds)

    @property
    def allowed(self) -> bool:
        """Whether the mail may be completed."""
        return self._allowed


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of the mail `number`."""

    number: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Down:
    """The mail `number` was not tried, as no line could be opened."""

    number: int
    error: Unavailable


Event = Asks | Ended | Down


class Lines:
    """Open lines of one carrier. Mails go in by `put`, what becomes of them comes out by `events`, for one caller."""

    def __init__(self, carrier: Carrier, count: int) -> None:
        """`count` is how many lines are open at most. None is opened before there is a mail for it.

        Where a further line is refused, as servers do that count connections, those that are open carry on alone.
        """
        self._carrier = carrier
        self._count = count
        self._mails: queue.SimpleQueue[tuple[int, Letter] | None] = queue.SimpleQueue()
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._closed = False
        self._open = 0
        self._turn = threading.Lock()
        self.busy = 0

    @property
    def full(self) -> bool:
        """Whether another mail would only wait: each line has one, and one more."""
        return self.busy >= 2 * self._count

    def put(self, number: int, letter: Letter) -> None:
        """Have a mail handed over. Its number comes back with what became of it."""
        self.busy += 1
        self._mails.put((number, letter))
        if len(self._threads) < min(self._count, self.busy):
            thread = threading.Thread(target=self._work, name=f"mail-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def events(self, timeout_seconds: float) -> list[Event]:
        """What happened since it was last asked; waits so long for the first of it."""
        found: list[Event] = []
        with suppress(queue.Empty):
            found.append(self._events.get(timeout=timeout_seconds) if timeout_seconds else self._events.get_nowait())
            while True:
                found.append(self._events.get_nowait())
        self.busy -= sum(not isinstance(event, Asks) for event in found)
        return found

    def close(self) -> None:
        """Let the threads end after the mail that they work on, of which none is completed any more. Does not wait."""
        self._closed = True
        for _ in self._threads:
            self._mails.put(None)
        for event in self.events(0):
            if isinstance(event, Asks):
                event.allow(allowed=False)

    def _work(self) -> None:
        line: Line | None = None
        while (given := self._mails.get()) is not None:
            try:
                line = self._usable(line)
            except Unavailable as error:
                line = None
                if self._carried_by_others(given):
                    return
                self._events.put(Down(given[0], error))
            else:
                self._events.put(Ended(given[0], self._hand_over(line, *given)))
        if line is not None:
            line.finish()

    def _usable(self, line: Line | None) -> Line:
        """The line, or a new one where it has ended. Raises Unavailable."""
        if line is not None and line.usable:
            return line
        if line is not None:
            with self._turn:
                self._open -= 1
            line.finish()
        line = self._carrier.open()
        with self._turn:
            self._open += 1
        return line

    def _carried_by_others(self, given: tuple[int, Letter]) -> bool:
        """Leave the mail to the other lines, if there are any, of which there is one less from now on."""
        with self._turn:
            if not self._open or self._closed:
                return False
            self._count -= 1
            self._threads.remove(threading.current_thread())
        self._mails.put(given)
        return True

    def _hand_over(self, line: Line, number: int, letter: Letter) -> Outcome:
        complete = False

        def before_end() -> bool:
            nonlocal complete
            complete = self._asked(number)
            return complete

        try:
            return line.hand_over(letter, before_end)
        except Exception:
            _log.exception("A mail could not be handed over.")
            words = "Something went wrong here; the log has more."
            return Unconfirmed(words) if complete else Lost(words)

    def _asked(self, number: int) -> bool:
        if self._closed:
            return False
        asks = Asks(number)
        self._events.put(asks)
        while not asks.decided(_LOOK_AGAIN) and not self._closed:
            pass
        return asks.allowed
