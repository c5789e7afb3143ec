"""Dear answers are asked once, by one thread, and never make a reader wait who can have an old one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from broadsheet.web.remembered import AT_MOST_OLD, ForSeconds, Remembered

PATIENCE = 10.0  # seconds


class World:
    """The journal and the clock as the answer sees them."""

    journal = 1
    now = 0.0


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """A journal and a clock that the test moves."""
    made = World()
    monkeypatch.setattr("broadsheet.web.remembered.papers.last_change", lambda: made.journal)
    monkeypatch.setattr("broadsheet.web.remembered.time.monotonic", lambda: made.now)
    return made


class Asked:
    """A question that counts how often it is asked, and waits while the gate is closed."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self.times = 0
        self.began = threading.Event()
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self) -> int:
        self.times = next(self._numbers)
        self.began.set()
        assert self.gate.wait(PATIENCE)
        return self.times


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """Two readers."""
    with ThreadPoolExecutor(2) as pool:
        yield pool


@pytest.mark.parametrize(
    ("journal", "later", "times"),
    [
        pytest.param(1, AT_MOST_OLD * 9, 1, id="nothing changed: kept for ever"),
        pytest.param(2, AT_MOST_OLD - 1, 1, id="the journal grew a moment ago: kept"),
        pytest.param(2, AT_MOST_OLD, 2, id="the journal grew and the answer is old: asked"),
        pytest.param(0, 0.0, 2, id="the journal is shorter, as after a backup was restored: asked"),
    ],
)
def test_when_it_is_asked_again(world: World, journal: int, later: float, times: int) -> None:
    answer = Remembered(Asked())
    answer()
    world.journal, world.now = journal, later
    assert answer() == times


def test_two_that_come_first_ask_once(world: World, threads: ThreadPoolExecutor) -> None:
    ask = Asked()
    ask.gate.clear()
    answer = Remembered(ask)
    first = threads.submit(answer)
    assert ask.began.wait(PATIENCE)
    second = threads.submit(answer)
    ask.gate.set()
    assert (first.result(PATIENCE), second.result(PATIENCE)) == (1, 1)
    assert ask.times == 1


def test_while_one_asks_the_other_has_the_old_answer(world: World, threads: ThreadPoolExecutor) -> None:
    ask = Asked()
    answer = Remembered(ask)
    answer()
    world.journal, world.now = 2, AT_MOST_OLD
    ask.began.clear()
    ask.gate.clear()
    first = threads.submit(answer)
    assert ask.began.wait(PATIENCE)
    assert threads.submit(answer).result(PATIENCE) == 1
    ask.gate.set()
    assert first.result(PATIENCE) == 2
    assert ask.times == 2


def test_a_question_that_fails_is_asked_again(world: World) -> None:
    asked = iter([0, 7])

    def ask() -> int:
        if number := next(asked):
            return number
        raise ValueError("no")

    answer = Remembered(ask)
    with pytest.raises(ValueError, match="no"):
        answer()
    assert answer() == 7


def test_for_some_seconds_an_answer_holds_whatever_happens(world: World) -> None:
    numbers = count(1)
    kept = ForSeconds(lambda: next(numbers), 10.0)
    assert kept() == 1
    world.journal, world.now = 2, 9.9
    assert kept() == 1
    world.now = 10.0
    assert kept() == 2
    kept.forget()
    assert kept() == 3


def test_what_cannot_be_answered_is_asked_again(world: World) -> None:
    answers = iter([None, 7])

    def ask() -> int:
        answer = next(answers)
        if answer is None:
            raise OSError("not now")
        return answer

    kept = ForSeconds(ask, 10.0)
    with pytest.raises(OSError, match="not now"):
        kept()
    assert kept() == 7
