"""Several lines at once: each mail ends once, and nothing is completed without leave."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from broadsheet.mailing.lines import Asks, Down, Ended, Event, Lines
from broadsheet.mailing.message import Outgoing
from broadsheet.mailing.outcomes import Accepted, BeforeEnd, Letter, Lost, Outcome, Unavailable, Unconfirmed, Withheld

LETTER = Letter(Outgoing("b@papers.example", "ada@example.org", "x", "x", "x", (), "<1@x>"), "")


class Carrier:
    """Opens lines until there are `most`; each does with a mail what it is told."""

    def __init__(self, hand: Callable[[BeforeEnd], Outcome], most: int = 99) -> None:
        self.hand, self.most, self.opened, self.finished = hand, most, 0, 0
        self.usable = True

    def open(self) -> Carrier:
        """Another line. Raises Unavailable."""
        if self.opened >= self.most:
            raise Unavailable("Too many connections.")
        self.opened += 1
        return self

    def hand_over(self, _letter: Letter, before_end: BeforeEnd) -> Outcome:
        """As told."""
        return self.hand(before_end)

    def finish(self) -> None:
        """Counted."""
        self.finished += 1


def taken(before_end: BeforeEnd) -> Outcome:
    """What a server does that is well."""
    return Accepted("Ok") if before_end() else Withheld()


def run(lines: Lines, mails: int, *, allowed: bool = True) -> list[Event]:
    """Hand so many over and collect what comes of them."""
    for number in range(mails):
        lines.put(number, LETTER)
    ends: list[Event] = []
    until = time.monotonic() + 20
    while len(ends) < mails and time.monotonic() < until:
        for event in lines.events(0.1):
            if isinstance(event, Asks):
                event.allow(allowed=allowed)
            else:
                ends.append(event)
    return ends


def test_each_mail_ends_once() -> None:
    lines = Lines(Carrier(taken), 3)
    ends = run(lines, 30)
    assert sorted(end.number for end in ends) == list(range(30))
    assert lines.busy == 0
    lines.close()


def test_what_is_not_allowed_is_withheld() -> None:
    lines = Lines(Carrier(taken), 2)
    assert {type(end.outcome) for end in run(lines, 4, allowed=False) if isinstance(end, Ended)} == {Withheld}
    lines.close()


def test_no_line_at_all_is_told() -> None:
    lines = Lines(Carrier(taken, most=0), 2)
    assert {type(end) for end in run(lines, 3)} == {Down}
    lines.close()


def test_a_server_that_takes_few_connections_gets_all_mails_over_those() -> None:
    carrier = Carrier(taken, most=1)
    lines = Lines(carrier, 4)
    assert [end for end in run(lines, 1) if isinstance(end, Ended)]
    assert {type(end) for end in run(lines, 20)} == {Ended}
    lines.close()


@pytest.mark.parametrize(
    ("asks_first", "expected"),
    [pytest.param(False, Lost, id="before the end"), pytest.param(True, Unconfirmed, id="after it")],
)
def test_a_fault_of_ours_is_lost_or_doubtful(asks_first: bool, expected: type[Outcome]) -> None:
    def broken(before_end: BeforeEnd) -> Outcome:
        if asks_first:
            before_end()
        raise RuntimeError("a fault of ours")

    lines = Lines(Carrier(broken), 1)
    (end,) = run(lines, 1)
    assert isinstance(end, Ended)
    assert isinstance(end.outcome, expected)
    lines.close()


def test_after_the_end_nothing_is_completed() -> None:
    asked = threading.Event()
    answers: list[bool] = []

    def slow(before_end: BeforeEnd) -> Outcome:
        asked.set()
        answers.append(before_end())
        return Withheld()

    lines = Lines(Carrier(slow), 1)
    lines.put(1, LETTER)
    assert asked.wait(10)
    lines.close()
    until = time.monotonic() + 10
    while not answers and time.monotonic() < until:
        time.sleep(0.01)
    assert answers == [False]


def test_lines_are_left_in_good_order() -> None:
    carrier = Carrier(taken)
    lines = Lines(carrier, 2)
    run(lines, 6)
    lines.close()
    until = time.monotonic() + 10
    while carrier.finished < carrier.opened and time.monotonic() < until:
        time.sleep(0.01)
    assert 0 < carrier.opened == carrier.finished
