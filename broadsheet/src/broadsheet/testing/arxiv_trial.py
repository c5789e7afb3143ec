"""An instance of Broadsheet that follows the pretended arXiv over simulated days, and what its ledger said meanwhile.

The code is the real one: the client over real HTTP, the sources, the ledger, the editions. Simulated are the clock and
the pace. Needs Django set up, with an empty database of its own.
"""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, Self

from django.db import connection, connections
from django.db.backends.signals import connection_created
from django.db.utils import OperationalError

from broadsheet.bibliography.identifiers import Identifier, Scheme
from broadsheet.editions import actions as editions
from broadsheet.editions import queries as printed
from broadsheet.editions.rules import Kind
from broadsheet.fetching.client import Client
from broadsheet.ingest import actions, queries
from broadsheet.ingest.rules import DayAudit, State
from broadsheet.papers import queries as papers
from broadsheet.testing.arxiv import Arxiv
from broadsheet.testing.arxiv_calendar import Schedule
from broadsheet.testing.arxiv_client import client_of
from broadsheet.testing.arxiv_scenarios import AWAY, FULL, KILLED, LOCKED, Scenario
from broadsheet.testing.arxiv_verdict import Moment, View
from broadsheet.testing.origin import Origin

# The times of a day, in UTC hours, at which the worker has its turn; some come just after something is due.
HOURS = (0.25, 1.25, 3.0, 4.25, 5.5, 9.0, 14.0, 19.0)
# More steps than this at one moment are made by a worker that never rests.
MOST_STEPS = 3000
# So many days are compared with the truth after each turn.
WATCHED_DAYS = 5
_BUSY_MILLISECONDS = 50


def work(client: Client, now: datetime) -> int:
    """Let the worker do all that is due, and print what follows from it. Returns how many steps it took.

    Raises RuntimeError when it never rests, and OperationalError as the database does.
    """
    steps = 0
    while actions.step(client, now=now):
        steps += 1
        if steps > MOST_STEPS:
            raise RuntimeError(f"More than {MOST_STEPS} steps at {now}.")
    while editions.publish_pending(now=now).more:
        steps += 1
    return steps


@dataclass(frozen=True, slots=True)
class Seen:
    """What was said of a day at a moment, and what was true: how many works were announced by then, and how many of
    them were shown on that day. `troubled` says that something went wrong at this turn.
    """

    at: datetime
    day: date
    said: DayAudit | None
    announced: int
    held: int
    troubled: bool

    @property
    def state(self) -> str:
        """The state that was said, or "not checked"."""
        return str(self.said.state) if self.said else "not checked"

    @property
    def sentences(self) -> tuple[str, ...]:
        """What is said to be amiss: why the list is not complete, and which checks failed."""
        if self.said is None:
            return ()
        good = self.said.state in (State.COMPLETE, State.EMPTY)
        return (*(() if good else (self.said.reason,)), *self.said.failed)

    @property
    def calm(self) -> bool:
        """Whether the reader is told that all is well: the list is complete, or there is none, and no check failed."""
        return self.said is not None and self.said.state in (State.COMPLETE, State.EMPTY) and not self.said.failed

    @property
    def lie(self) -> bool:
        """Whether it was said that the list is complete, or that there is none, and this was not so."""
        if self.said is None:
            return False
        if self.said.state is State.EMPTY:
            return self.announced > 0
        return self.said.state is State.COMPLETE and (self.held < self.announced or not self.announced)


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of the worker: whether something went wrong in it, whether it worked at all, what is said of the sources
    after it, and what the database said that hindered it, which goes to the log.
    """

    at: datetime
    troubled: bool
    worked: bool
    said: tuple[str, ...]
    hindered: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended: works that were announced and are not here, and works on a day that is not theirs; and states."""

    announced: int
    lost: tuple[str, ...]
    misplaced: tuple[str, ...]
    states: Mapping[date, str]


@dataclass
class Trial:
    """An instance that follows `sections` of the pretended arXiv from `first` to `last`, through a scenario.

    The worker has its turn at these `hours` of each day, in UTC. After each the newest `watched` days are looked at.
    """

    world: Arxiv
    folder: Path
    sections: Sequence[str]
    first: date
    last: date
    scenario: Scenario | None = None
    seed: int = 1
    hours: Sequence[float] = HOURS
    watched: int = WATCHED_DAYS
    seen: list[Seen] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    steps: int = 0

    def __post_init__(self) -> None:
        history = self.world.history
        ever = history.news(self.sections, first=min(history.updates), last=self.last)
        self.truth = {name: day for name, day in ever.items() if day >= self.first}
        # Announced before we looked, and cross-listed since: the later day is right for who knows of no other.
        self._again = {
            name: day
            for name, day in history.news(self.sections, first=self.first, last=self.last).items()
            if name not in self.truth
        }
        self._clock = [self.world.now]
        self._random = Random(self.seed)  # noqa: S311 - when to kill, no secret
        self._full = False
        self._by_day: dict[date, list[str]] = defaultdict(list)
        for name, day in self.truth.items():
            self._by_day[day].append(name)

    def __enter__(self) -> Self:
        self.origin = Origin(self.world).__enter__()
        self.client = client_of(self.folder, self.origin.url, self._clock)
        connection_created.connect(self._opened)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        connection_created.disconnect(self._opened)
        self.origin.__exit__(kind, error, trace)

    def run(self) -> None:
        """Let all the days go by."""
        day = self.first
        while day <= self.last:
            for hour in self.hours:
                self.turn(datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hour))
            day += timedelta(days=1)

    def turn(self, at: datetime) -> None:
        """One turn of the worker at an instant, and a look at what is said then."""
        trouble, skew = self._trouble(at)
        served = len(self.world.served)
        hindered: tuple[str, ...] = ()
        self.world.now, self._clock[0] = at, at + skew
        if trouble != AWAY:
            try:
                with self._in(trouble):
                    self.steps += work(self.client, self._clock[0])
            except OperationalError as error:
                # As the worker does: it logs why, and tries again later with new connections.
                hindered = (str(error),)
                connections.close_all()
        troubled = bool(trouble or skew) or len(self.world.served) > served
        said = (sentence for place in queries.places() for sentence in (place.failure, *place.warnings) if sentence)
        self.turns.append(Turn(at, troubled, trouble != AWAY, tuple(said), hindered))
        self._look(at, troubled=troubled)

    def outcome(self) -> Outcome:
        """Compare what is printed at the end with what was announced."""
        held = papers.identified([Identifier(Scheme.ARXIV, name) for name in self.truth])
        lost = sorted(self.truth.keys() - {identifier.value for identifier in held})
        misplaced = set()
        shown: set[str] = set()
        day = self.first
        while day <= self.last:
            names = set(self._shown(day))
            misplaced |= {name for name in names if day not in (self.truth.get(name), self._again.get(name))}
            shown |= names
            day += timedelta(days=1)
        misplaced |= self.truth.keys() - shown - set(lost)
        states = {day: str(audit.state) for day, audit in queries.audits(sorted(self._by_day)).items()}
        return Outcome(len(self.truth), tuple(lost), tuple(sorted(misplaced)), states)

    def moments(self) -> list[Moment]:
        """What was said after each turn, to compare with another run."""
        days: dict[datetime, dict[str, View]] = defaultdict(dict)
        for seen in self.seen:
            days[seen.at][seen.day.isoformat()] = View(seen.state, seen.sentences, seen.held)
        return [Moment(turn.at, days[turn.at], turn.said, turn.hindered) for turn in self.turns]

    def met(self) -> datetime | None:
        """The first turn that met the fault; for who was away, the first one after that. None: there was no such turn.

        A calendar with a fault is met when a list should have come out that did not.
        """
        if self.scenario is None:
            return None
        begin, end = self.scenario.span()
        if self.scenario.trouble == AWAY:
            return next((turn.at for turn in self.turns if turn.at >= end), None)
        if self.scenario.calendar() != Schedule():
            return next((turn.at for turn in self.turns if turn.at >= begin), None)
        return next((turn.at for turn in self.turns if turn.troubled), None)

    def _shown(self, day: date) -> list[str]:
        """The arXiv identifiers of the works in the edition of a day."""
        edition = printed.edition_of(Kind.DAY, day.isoformat())
        if edition is None:
            return []
        known = papers.identifiers_of([entry.paper_id for entry in printed.entries(edition, limit=100_000)])
        return [one.value for names in known.values() for one in names if one.scheme is Scheme.ARXIV]

    def _look(self, at: datetime, *, troubled: bool) -> None:
        # Of a list that does not come somebody may ask all the same.
        newest = max(self.world.history.schedule.newest(at), Schedule().newest(at))
        days = [newest - timedelta(days=number) for number in range(self.watched)]
        said = queries.audits(days)
        for day in days:
            if day >= self.first:
                names = self._by_day.get(day, [])
                self.seen.append(Seen(at, day, said.get(day), len(names), self._held(day, names), troubled))

    def _held(self, day: date, names: Sequence[str]) -> int:
        """How many of these works are here, on this day."""
        found = papers.identified([Identifier(Scheme.ARXIV, name) for name in names])
        standings = papers.standings(set(found.values()))
        return sum(1 for paper in found.values() if paper in standings and standings[paper].announced == day)

    def _trouble(self, at: datetime) -> tuple[str, timedelta]:
        if self.scenario is None:
            return "", timedelta()
        start, end = self.scenario.span()
        return (self.scenario.trouble, self.scenario.skew) if start <= at < end else ("", timedelta())

    def _in(self, trouble: str) -> AbstractContextManager[None]:
        if trouble == LOCKED:
            return self._locked()
        if trouble == FULL:
            return self._filled()
        if trouble == KILLED:
            self._kill_some()
        return nullcontext()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Somebody else writes all the time."""
        connections.close_all()
        with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield

    @contextmanager
    def _filled(self) -> Iterator[None]:
        """The database cannot grow."""
        self._full = True
        connections.close_all()
        try:
            yield
        finally:
            self._full = False
            connections.close_all()

    def _opened(self, sender: object, **opened: Any) -> None:
        """Wait for nobody on a new connection, and let it take no more room where the disk is full."""
        if opened["connection"].vendor != "sqlite":
            return
        with opened["connection"].cursor() as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")
            if self._full:
                cursor.execute("PRAGMA page_count")
                cursor.execute(f"PRAGMA max_page_count = {cursor.fetchone()[0]}")

    def _kill_some(self) -> None:
        """Start workers, and kill each of them in the middle of what it does."""
        for _ in range(2):
            command = [sys.executable, "-m", "broadsheet.testing.arxiv_worker", str(self.folder), self.origin.url]
            with subprocess.Popen([*command, self._clock[0].isoformat()], stdout=subprocess.PIPE) as process:  # noqa: S603 - our own program
                assert process.stdout is not None
                process.stdout.readline()
                time.sleep(self._random.uniform(0.0, 0.5))
                process.send_signal(signal.SIGKILL)
