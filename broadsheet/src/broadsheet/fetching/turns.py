"""Taking turns at an origin: one request at a time over all processes of a data folder, and the pace between them.

Each group of hosts has one file. Who holds its lock (flock) asks; the kernel gives the lock back when a process dies,
however it dies. The file says when the last request was, and until when the origin is left alone. It is one record of
fixed length with a checksum, written in place, so that a torn one is seen; then a whole interval is waited.

The interval counts from the moment at which an answer began to come, or the attempt ended: by then the request had
surely reached the origin, however long the connection took, so that the origin never sees two requests closer
together. Time is measured by two clocks, the calendar's and the monotonic one; where they disagree, or one went back,
the one that says that less time went by is believed. Nobody waits for more than an interval for the sake of a clock,
as each process also believes what it has watched itself.
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from broadsheet.fetching.pace import LONGEST, SLOWEST, Pace

_RECORD_BYTES = 512
# How often a lock that somebody else holds is tried again, in seconds; the shorter, the closer the requests follow.
_LOOK_AGAIN = 0.1


class Busy(Exception):
    """It was not our turn within the time that we wait. The text says for how long that was."""


class Unwritable(Exception):
    """The folder of the pace cannot be written, so that nothing may be asked. The text says why."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the file of a group says.

    The last request was at `wall` (seconds since 1970) and `ticks` (seconds of the monotonic clock); `asking` stands
    while it is on its way. `until` (since 1970) is the end of the rest and `rest` its length, `refusals` how often the
    origin refused in a row, `interval` the pace that it asked for by its headers (0: none).
    """

    wall: float = 0.0
    ticks: float = 0.0
    asking: bool = False
    until: float = 0.0
    rest: float = 0.0
    refusals: int = 0
    interval: float = 0.0


@dataclass(frozen=True, slots=True)
class Clocks:
    """The clocks of the pace: seconds since 1970, monotonic seconds, and how to let time go by."""

    wall: Callable[[], float] = time.time
    ticks: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Turn:
    """Our turn to send one request. Each step of it is noted in the file before the next is made."""

    def __init__(self, descriptor: int, standing: Standing, clocks: Clocks, now: Callable[[], datetime]) -> None:
        self._descriptor = descriptor
        self._clocks = clocks
        self._now = now
        self.standing = standing
        self._sent = False
        self._reached = False

    def until(self) -> datetime | None:
        """When the rest of this origin ends; None when it is not resting.

        Where the clock went back since, the rest starts again, once, with the length that it had. Raises Unwritable.
        """
        now = self._now()
        if self.standing.until - now.timestamp() > self.standing.rest:
            self._note(replace(self.standing, until=now.timestamp() + self.standing.rest))
        return rest_of(self.standing, now)

    def asking(self) -> None:
        """Note that the request goes out now. Raises Unwritable; then it must not."""
        self._sent = True
        self._note(self._stamped(asking=True))

    def answering(self) -> None:
        """Note that the answer begins to come."""
        self._reached = True
        self._note(self._stamped(asking=True))

    def answered(self, *, interval: float | None) -> None:
        """Note that the origin answered in peace; `interval` is the pace in seconds that it asks for, if it does."""
        kept = self.standing.interval if interval is None else interval
        self._note(replace(self.standing, until=0.0, rest=0.0, refusals=0, interval=kept))

    def refused(self, seconds: float) -> datetime:
        """Note that the origin is left alone for this long. Returns until when."""
        until = self._now() + timedelta(seconds=seconds)
        refusals = min(self.standing.refusals + 1, 1000)
        self._note(replace(self.standing, until=until.timestamp(), rest=seconds, refusals=refusals))
        with suppress(OSError):
            os.fsync(self._descriptor)  # a rest survives a power cut, too, where the disk can do that
        return until

    def over(self) -> None:
        """Note that nothing is on its way any more. A full disk is no reason to hide what the request ended with."""
        if not self._sent:
            return
        ended = replace(self.standing, asking=False) if self._reached else self._stamped(asking=False)
        with suppress(Unwritable):
            self._note(ended)

    def _stamped(self, *, asking: bool) -> Standing:
        return replace(self.standing, wall=self._clocks.wall(), ticks=self._clocks.ticks(), asking=asking)

    def _note(self, standing: Standing) -> None:
        try:
            written = os.pwrite(self._descriptor, packed(standing), 0)
        except OSError as error:
            raise Unwritable(str(error)) from error
        if written != _RECORD_BYTES:
            raise Unwritable("Only a part of the record could be written.")
        self.standing = standing


class Turns:
    """The turns at all origins. `folder` is made when it is missing; `now` is the clock that rests are counted by."""

    def __init__(self, folder: Path, *, now: Callable[[], datetime], clocks: Clocks | None = None) -> None:
        self._folder = folder
        self._now = now
        self._clocks = clocks or Clocks()

    @contextmanager
    def turn(self, pace: Pace, *, wait: float) -> Iterator[Turn]:
        """Wait until it is our turn at this origin, for at most `wait` seconds, and hold it.

        A resting origin is not waited for: see `Turn.until`. Raises Busy and Unwritable.
        """
        descriptor, standing = self._lock(pace, self._clocks.ticks() + wait, wait)
        try:
            turn = Turn(descriptor, standing, self._clocks, self._now)
            try:
                yield turn
            finally:
                turn.over()
        finally:
            _release(descriptor)

    def _lock(self, pace: Pace, deadline: float, wait: float) -> tuple[int, Standing]:
        """Take the lock when nobody has it and the interval is over. It is not held while we wait, so all may go on."""
        watched: Standing | None = None
        since = self._clocks.ticks()
        while True:
            pause = _LOOK_AGAIN
            descriptor = self._try(pace)
            if descriptor is not None:
                try:
                    standing = self._read(descriptor)
                    if standing != watched:
                        watched, since = standing, self._clocks.ticks()
                    pause = self._left(standing, pace, since)
                    if pause <= 0 or rest_of(standing, self._now()):
                        return descriptor, standing
                except BaseException:
                    _release(descriptor)
                    raise
                _release(descriptor)
            # Those who wait for the same moment wake up in another order each time.
            pause += random.uniform(0, min(pause, _LOOK_AGAIN) / 4)  # noqa: S311 - nothing secret
            left = deadline - self._clocks.ticks()
            if left <= 0:
                raise Busy(f"It was not our turn at {pace.name} within {wait:.0f} seconds.")
            self._clocks.sleep(min(pause, left))

    def _left(self, standing: Standing, pace: Pace, since: float) -> float:
        """How many seconds are left of the interval."""
        interval = max(standing.interval or pace.interval, pace.least)
        wall, ticks = self._clocks.wall() - standing.wall, self._clocks.ticks() - standing.ticks
        gone = 0.0 if standing.asking else max(min(wall, ticks), 0.0)
        return interval - max(gone, self._clocks.ticks() - since)

    def _try(self, pace: Pace) -> int | None:
        """The file of the group, open and locked; None when somebody else has the lock, or took the file away."""
        path = self._folder / f"{pace.name}.lock"
        try:
            descriptor = self._open(path)
        except OSError as error:
            raise Unwritable(str(error)) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        except (BlockingIOError, FileNotFoundError):
            pass
        except OSError as error:
            os.close(descriptor)
            raise Unwritable(str(error)) from error
        os.close(descriptor)
        return None

    def _open(self, path: Path) -> int:
        try:
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:
            self._folder.mkdir(parents=True, exist_ok=True)
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def _read(self, descriptor: int) -> Standing:
        try:
            data = os.pread(descriptor, _RECORD_BYTES + 1, 0)
        except OSError as error:
            raise Unwritable(str(error)) from error
        if not data:
            return Standing()
        # What cannot be read was written by somebody who died: perhaps a request is on its way.
        return unpacked(data) or Standing(asking=True)


def _release(descriptor: int) -> None:
    """Give the lock back, also where a child of this process has the same file open."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


def rest_of(standing: Standing, now: datetime) -> datetime | None:
    """The end of the rest, if it is not over; never further away than the rest is long, whatever the clock says."""
    left = min(standing.until - now.timestamp(), standing.rest)
    return now + timedelta(seconds=left) if left > 0 else None


def packed(standing: Standing) -> bytes:
    """The record of a group: JSON behind its checksum, filled up to a fixed length."""
    text = json.dumps(asdict(standing), separators=(",", ":")).encode()
    line = b"%08x %s" % (zlib.crc32(text), text)
    return line.ljust(_RECORD_BYTES - 1) + b"\n"


def unpacked(data: bytes) -> Standing | None:
    """What a record says, in sane bounds; None where it is torn, or none of ours."""
    checksum, _, text = data.strip().partition(b" ")
    try:
        if int(checksum, 16) != zlib.crc32(text):
            return None
        said = json.loads(text, parse_constant=_refuse)
        found = Standing(**{name: type(default)(said[name]) for name, default in asdict(Standing()).items()})
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None
    return replace(found, rest=min(found.rest, LONGEST), interval=min(found.interval, SLOWEST))


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not a number.")


def utc() -> datetime:
    """The time of day, in UTC."""
    return datetime.now(UTC)
