"""Taking turns: the interval, the rest, clocks that jump, records that are torn, processes that die."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.fetching.pace import LONGEST, SLOWEST, Pace
from broadsheet.fetching.turns import Busy, Clocks, Standing, Turns, Unwritable, packed, rest_of, unpacked

PACE = Pace("origin", (), 3.0, 3.0)
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@dataclass
class World:
    """Time that goes by only when somebody sleeps, and jumps when the test says so."""

    wall: float = NOON.timestamp()
    ticks: float = 5000.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.wall += seconds
        self.ticks += seconds

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.wall, UTC)

    def turns(self, folder: Path) -> Turns:
        """As a new process sees it."""
        return Turns(folder, now=self.now, clocks=Clocks(lambda: self.wall, lambda: self.ticks, self.sleep))

    def ask(self, folder: Path, *, taking: float = 0.0) -> float:
        """Ask once, with an answer that takes so many seconds to begin. Returns for how long was waited before."""
        before = sum(self.slept)
        with self.turns(folder).turn(PACE, wait=1000) as turn:
            waited = sum(self.slept) - before
            turn.asking()
            self.sleep(taking)
            turn.answering()
            turn.answered(interval=None)
        return waited


@pytest.fixture
def world() -> World:
    return World()


def _file(folder: Path) -> Path:
    return folder / "origin.lock"


def test_the_first_request_waits_for_nobody(world: World, tmp_path: Path) -> None:
    assert world.ask(tmp_path / "new" / "folder") == 0


def test_the_next_one_waits_for_the_rest_of_the_interval(world: World, tmp_path: Path) -> None:
    world.ask(tmp_path)
    world.sleep(1)
    assert 1.99 <= world.ask(tmp_path) <= 2.03


def test_the_interval_counts_from_the_beginning_of_the_answer(world: World, tmp_path: Path) -> None:
    """By then the request has reached the origin; when it did, we cannot know."""
    world.ask(tmp_path, taking=20)
    assert 2.99 <= world.ask(tmp_path) <= 3.03


def test_after_a_long_time_nothing_is_waited_for(world: World, tmp_path: Path) -> None:
    world.ask(tmp_path)
    world.sleep(60)
    assert world.ask(tmp_path) == 0


@pytest.mark.parametrize(
    ("wall", "ticks"),
    [
        pytest.param(-3600.0, 0.0, id="the calendar went back an hour"),
        pytest.param(-1e9, 0.0, id="the calendar went back to 1995"),
        pytest.param(3600.0, 0.0, id="the calendar went forward"),
        pytest.param(0.0, -4999.0, id="the machine was started again at once"),
        pytest.param(0.0, 4000.0, id="another machine counts otherwise"),
        pytest.param(-3600.0, -4999.0, id="both went back"),
        pytest.param(-3600.0, 4000.0, id="one back, one forward"),
    ],
)
def test_no_clock_makes_the_interval_shorter_or_twice_as_long(
    wall: float, ticks: float, world: World, tmp_path: Path
) -> None:
    world.ask(tmp_path)
    world.wall += wall
    world.ticks += ticks
    assert 2.99 <= world.ask(tmp_path) <= 3.03


def test_a_clock_that_goes_back_again_and_again_stops_nobody(world: World, tmp_path: Path) -> None:
    world.ask(tmp_path)
    for _ in range(5):
        world.wall -= 1000
        assert world.ask(tmp_path) <= 3.03


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda data: data[:40], id="torn"),
        pytest.param(lambda data: data[:60] + bytes(452), id="half of zeros"),
        pytest.param(lambda data: data.replace(b"5000", b"4000"), id="changed"),
        pytest.param(lambda data: b"[" * 512, id="nested"),
        pytest.param(lambda data: os.urandom(512), id="random"),
        pytest.param(lambda data: packed(Standing(asking=True)), id="of one who died while asking"),
    ],
)
def test_after_a_record_that_cannot_be_trusted_a_whole_interval_is_waited(
    spoil: object, world: World, tmp_path: Path
) -> None:
    world.ask(tmp_path)
    world.sleep(100)
    assert callable(spoil)
    _file(tmp_path).write_bytes(spoil(_file(tmp_path).read_bytes()))
    assert 2.99 <= world.ask(tmp_path) <= 3.03
    world.sleep(100)
    assert world.ask(tmp_path) == 0


def test_a_request_that_ends_badly_counts_from_its_end(world: World, tmp_path: Path) -> None:
    def interrupted() -> None:
        with world.turns(tmp_path).turn(PACE, wait=10) as turn:
            turn.asking()
            world.sleep(30)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert 2.99 <= world.ask(tmp_path) <= 3.03


def test_whoever_waits_can_be_interrupted_and_leaves_nothing_behind(world: World, tmp_path: Path) -> None:
    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    world.ask(tmp_path)
    turns = Turns(tmp_path, now=world.now, clocks=Clocks(lambda: world.wall, lambda: world.ticks, interrupted))
    with pytest.raises(KeyboardInterrupt), turns.turn(PACE, wait=10):
        pass
    assert 2.99 <= world.ask(tmp_path) <= 3.03


def test_a_turn_in_which_nothing_was_sent_counts_for_nothing(world: World, tmp_path: Path) -> None:
    with world.turns(tmp_path).turn(PACE, wait=10):
        pass
    assert world.ask(tmp_path) == 0


def test_a_rest_is_known_to_every_process_and_ends(world: World, tmp_path: Path) -> None:
    with world.turns(tmp_path).turn(PACE, wait=10) as turn:
        turn.asking()
        until = turn.refused(300)
    assert until == world.now() + timedelta(seconds=300)
    with world.turns(tmp_path).turn(PACE, wait=10) as turn:
        assert turn.until() == until
        assert turn.standing.refusals == 1
    assert world.slept == []
    world.sleep(301)
    with world.turns(tmp_path).turn(PACE, wait=10) as turn:
        assert turn.until() is None
        assert turn.standing.refusals == 1
        turn.asking()
        turn.answered(interval=None)
    with world.turns(tmp_path).turn(PACE, wait=10) as turn:
        assert turn.standing.refusals == 0


def test_after_a_clock_that_went_back_a_rest_starts_again_once(world: World, tmp_path: Path) -> None:
    with world.turns(tmp_path).turn(PACE, wait=10) as turn:
        turn.asking()
        turn.refused(300)
    world.wall -= 10**8
    with world.turns(tmp_path).turn(PACE, wait=10) as turn:
        assert turn.until() == world.now() + timedelta(seconds=300)
    world.sleep(301)
    with world.turns(tmp_path).turn(PACE, wait=10) as turn:
        assert turn.until() is None


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        pytest.param(10.0, 10.0, id="slower"),
        pytest.param(1.0, 3.0, id="faster than the rule allows"),
    ],
)
def test_the_pace_that_an_origin_asked_for_is_kept(said: float, seconds: float, world: World, tmp_path: Path) -> None:
    with world.turns(tmp_path).turn(PACE, wait=10) as turn:
        turn.asking()
        turn.answered(interval=said)
    assert seconds - 0.01 <= world.ask(tmp_path) <= seconds + 0.03
    assert seconds - 0.01 <= world.ask(tmp_path) <= seconds + 0.03


def test_whoever_waits_too_long_gives_up(world: World, tmp_path: Path) -> None:
    with (
        world.turns(tmp_path).turn(PACE, wait=10),
        pytest.raises(Busy, match="within 20 seconds"),
        world.turns(tmp_path).turn(PACE, wait=20),
    ):
        pass
    assert sum(world.slept) == pytest.approx(20)


def test_a_lock_file_that_was_deleted_is_made_again(world: World, tmp_path: Path) -> None:
    world.ask(tmp_path)
    _file(tmp_path).unlink()
    assert world.ask(tmp_path) == 0
    assert _file(tmp_path).exists()


def test_where_the_pace_cannot_be_noted_nothing_is_asked(world: World, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unwritable), world.turns(tmp_path / "file").turn(PACE, wait=10):
        pass


def test_a_full_disk_is_noticed_before_the_request_goes_out(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with world.turns(tmp_path).turn(PACE, wait=10) as turn:
        monkeypatch.setattr(os, "pwrite", full)
        with pytest.raises(Unwritable, match="No space left"):
            turn.asking()


_TIMES = st.floats(0, 1e11)


@given(st.builds(Standing, _TIMES, _TIMES, st.booleans(), _TIMES, st.floats(0, LONGEST), st.integers(0, 1000), _TIMES))
def test_a_record_says_what_was_noted(standing: Standing) -> None:
    data = packed(standing)
    assert len(data) == 512
    found = unpacked(data)
    assert found is not None
    assert found.interval == min(standing.interval, SLOWEST)
    assert (found.wall, found.until, found.asking) == (standing.wall, standing.until, standing.asking)


@given(st.binary(max_size=600))
def test_any_bytes_are_a_record_or_none(data: bytes) -> None:
    assert unpacked(data) is None


@given(st.floats(0, 1e11), st.floats(0, LONGEST), st.floats(0, 1e11))
def test_no_rest_is_longer_than_it_was_said_to_be(until: float, rest: float, now: float) -> None:
    moment = datetime.fromtimestamp(now, UTC)
    found = rest_of(Standing(until=until, rest=rest), moment)
    assert found is None or found - moment <= timedelta(seconds=rest, microseconds=1)


def test_threads_of_one_process_take_turns_as_well(tmp_path: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        turns = Turns(tmp_path, now=lambda: datetime.now(UTC))
        for _ in range(5):
            with turns.turn(Pace("origin", (), 0.001, 0.001), wait=60) as turn:
                inside.append(1)
                most.append(len(inside))
                turn.asking()
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 20


_HOLDER = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from broadsheet.fetching.pace import Pace
from broadsheet.fetching.turns import Turns

with Turns(Path(sys.argv[1]), now=lambda: datetime.now(UTC)).turn(Pace("origin", (), 0.3, 0.3), wait=10) as turn:
    turn.asking()
    print("asking", flush=True)
    time.sleep(60)
"""


@pytest.mark.process
def test_the_lock_of_a_killed_process_is_free_and_its_request_counts(tmp_path: Path) -> None:
    pace = Pace("origin", (), 0.3, 0.3)
    turns = Turns(tmp_path, now=lambda: datetime.now(UTC))
    with subprocess.Popen([sys.executable, "-c", _HOLDER, str(tmp_path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"asking\n"
        with pytest.raises(Busy), turns.turn(pace, wait=0.3):
            pass
        holder.kill()
        holder.wait()
    killed = time.monotonic()
    with turns.turn(pace, wait=10) as turn:
        assert time.monotonic() - killed >= 0.3
        assert turn.standing.asking
    with turns.turn(pace, wait=10):
        pass
