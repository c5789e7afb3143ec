"""Whether a fault was noticed: what an instance said with the fault, beside what the same instance said without it.

The rule is strict. What is said without the fault too says nothing of it: that papers are expected until one o'clock
is so on every evening. It must be said at the first turn that met the fault, or at the first one after the hour for
which a list may be late without anybody being alarmed; not later. And nothing needs to be said only of a fault that
changed nothing: the same is held and the same is said at every turn, to the end.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from broadsheet.ingest.rules.auditing import PATIENCE

_WELL = ("complete", "empty")


class Noticed(StrEnum):
    """Where a fault is spoken of."""

    EDITION = "edition"
    SOURCE = "source"
    LOG = "log"
    HARMLESS = "harmless"
    NO = "no"
    NOT_MET = "not met"


@dataclass(frozen=True, slots=True)
class View:
    """What is said of a day: the state, and the sentences that tell of anything amiss; and how many works it shows."""

    state: str
    sentences: tuple[str, ...]
    held: int

    @property
    def calm(self) -> bool:
        """Whether all is said to be well."""
        return self.state in _WELL and not self.sentences


@dataclass(frozen=True, slots=True)
class Moment:
    """What is said after one turn: of each day (ISO 8601), of the sources, and in the log."""

    at: datetime
    days: Mapping[str, View]
    sources: tuple[str, ...] = ()
    log: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Where a fault is spoken of, in which words, and how many hours after it was met."""

    noticed: Noticed
    sentence: str = ""
    hours: float | None = None


def verdict(met: datetime | None, disturbed: Iterable[Moment], calm: Iterable[Moment]) -> Verdict:
    """What became of a fault that was met at that turn, by comparison with a run without it.

    Both runs have their turns at the same times. `met` is None for a fault that never came to pass.
    """
    if met is None:
        return Verdict(Noticed.NOT_MET)
    usual = {one.at: one for one in calm}
    after = [one for one in disturbed if one.at >= met]
    for one in _in_time(after, met):
        for where, sentences in _told(one, usual[one.at]):
            if sentences:
                return Verdict(where, sentences[0], round((one.at - met).total_seconds() / 3600, 2))
    same = after and all(one == usual[one.at] for one in after)
    return Verdict(Noticed.HARMLESS if same else Noticed.NO)


def _in_time(after: Sequence[Moment], met: datetime) -> Iterable[Moment]:
    """The turns until the first one after the patience."""
    for one in after:
        yield one
        if one.at >= met + PATIENCE:
            return


def _told(one: Moment, usual: Moment) -> list[tuple[Noticed, list[str]]]:
    """The sentences that are not said without the fault, by the place where they stand."""
    of_days = [
        sentence
        for day, view in one.days.items()
        for sentence in _amiss(view)
        if sentence not in _amiss(usual.days.get(day))
    ]
    return [
        (Noticed.EDITION, of_days),
        (Noticed.SOURCE, [sentence for sentence in one.sources if sentence not in usual.sources]),
        (Noticed.LOG, [sentence for sentence in one.log if sentence not in usual.log]),
    ]


def _amiss(view: View | None) -> tuple[str, ...]:
    """The sentences of a day that is not well; of one that nobody looked at, that it is so."""
    if view is None or view.calm:
        return ()
    return view.sentences or (f"{view.state}.",)


def healed_at(moments: Iterable[Moment], days: Iterable[str], *, since: datetime) -> datetime | None:
    """The turn, not before `since`, from which on these days are complete, or empty, for good; None when never.

    A remark of what went wrong may stay with them.
    """
    wanted = list(days)
    healed: datetime | None = None
    for one in moments:
        views = [one.days.get(day) for day in wanted]
        if any(view is None or view.state not in _WELL for view in views):
            healed = None
        elif one.at >= since:
            healed = healed or one.at
    return healed


def written(moments: Sequence[Moment]) -> str:
    """The moments as JSON."""
    return json.dumps([asdict(one) for one in moments], default=_plain)


def _plain(value: date) -> str:
    return value.isoformat()


def read(text: str) -> list[Moment]:
    """What `written` wrote. Raises ValueError or KeyError for anything else."""
    return [_moment(one) for one in json.loads(text)]


def _moment(row: Mapping[str, Any]) -> Moment:
    days = {day: View(view["state"], tuple(view["sentences"]), view["held"]) for day, view in row["days"].items()}
    return Moment(datetime.fromisoformat(row["at"]), days, tuple(row["sources"]), tuple(row["log"]))
