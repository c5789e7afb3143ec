"""What the pretended arXiv has announced, and when: the truth that a ledger is compared with.

It keeps what arXiv itself keeps, a table of updates (this work was new, was cross-listed, was replaced, in this list)
and the state of each work after each change, and derives feeds and listing pages from them as arXiv's own programs do.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from random import Random

from broadsheet.sources.base import AnnouncementKind
from broadsheet.testing import cast
from broadsheet.testing.arxiv_calendar import Schedule, cut_off_day

LICENSES = (
    "http://arxiv.org/licenses/nonexclusive-distrib/1.0/",
    "http://creativecommons.org/licenses/by/4.0/",
    "http://creativecommons.org/licenses/by-nc-sa/4.0/",
)
# Feeds and lists leave out replacements from this version on.
MANY_VERSIONS = 6


@dataclass(frozen=True, slots=True)
class Draft:
    """A work before it is announced. Without an `identifier` it gets the next one."""

    title: str
    abstract: str
    authors: tuple[str, ...]
    categories: tuple[str, ...]
    comments: str = ""
    identifier: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """A work after a change: `at` is the time stamp that the change bears, `seen_at` when it can be harvested."""

    at: datetime
    seen_at: datetime
    categories: tuple[str, ...]
    versions: int
    doi: str = ""
    deleted: bool = False


@dataclass(slots=True)
class Work:
    """A work with all that will happen to it. `submitted_at` has the time of each version."""

    identifier: str
    draft: Draft
    license: str
    announced: date
    submitted_at: list[datetime]
    states: list[State]

    def state(self, at: datetime) -> State | None:
        """How it can be harvested at an instant; None before its announcement."""
        return next((state for state in reversed(self.states) if state.seen_at <= at), None)


@dataclass(frozen=True, slots=True)
class Update:
    """A line of a list: what happened to a work, which version it has now, and in which categories it is news."""

    day: date
    identifier: str
    action: str
    version: int
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """An update as one section shows it."""

    work: Work
    kind: AnnouncementKind
    version: int


@dataclass(frozen=True, slots=True)
class Shares:
    """How often what happens, as shares of the number of new works: real ones are of this size."""

    held: float = 0.06
    crossed: float = 0.08
    replaced: float = 0.35
    touched: float = 0.05


@dataclass
class History:
    """All works and updates of a span of days."""

    schedule: Schedule = field(default_factory=Schedule)
    works: dict[str, Work] = field(default_factory=dict)
    updates: dict[date, list[Update]] = field(default_factory=dict)
    changes: list[tuple[datetime, str]] = field(default_factory=list)

    def listed(self, day: date, section: str, *, page: bool) -> list[Listed]:
        """What a feed, or with `page` a listing page, shows of the list of a day.

        As arXiv does it: a work stands once, new before cross-listed before replaced; a page leaves out works that
        were cross-listed inside of the archive that it is of.
        """
        best: dict[str, Update] = {}
        for update in self.updates.get(day, ()):
            if any(is_in(category, section) for category in update.categories):
                best.setdefault(update.identifier, update)
        lines = []
        for update in best.values():
            work = self.works[update.identifier]
            primary = is_in(work.draft.categories[0], section)
            kind = _kind(update.action, primary=primary)
            if not (page and primary and update.action == "cross") and _shown(update):
                lines.append(Listed(work, kind, update.version))
        return lines

    def announced(self, day: date, section: str) -> dict[str, AnnouncementKind]:
        """The works that the feed of a section announces on a day, by their identifiers."""
        return {line.work.identifier: line.kind for line in self.listed(day, section, page=False)}

    def news(self, sections: Collection[str], *, first: date, last: date) -> dict[str, date]:
        """On which day each work is news to those who follow these sections from `first` on: the first on which one
        of them lists it as new or cross.
        """
        days: dict[str, date] = {}
        for day in self.schedule.days(first, last):
            for section in sections:
                for identifier, kind in self.announced(day, section).items():
                    if kind in (AnnouncementKind.NEW, AnnouncementKind.CROSS):
                        days.setdefault(identifier, day)
        return days

    def changed(self, since: date | None, at: datetime) -> Iterator[tuple[Work, State]]:
        """What harvesting from a day on gives at an instant, in the order of the time stamps."""
        start = datetime(since.year, since.month, since.day, tzinfo=UTC) if since else datetime.min.replace(tzinfo=UTC)
        found: dict[str, State] = {}
        for stamp, identifier in self.changes[bisect_left(self.changes, (start, "")) :]:
            if stamp > at:
                break
            state = self.works[identifier].state(at)
            if state is not None and state.at >= start:
                found[identifier] = state
        for identifier, state in sorted(found.items(), key=lambda pair: (pair[1].at, pair[0])):
            yield self.works[identifier], state

    def delete(self, identifier: str, at: datetime) -> None:
        """Take a work out of the harvest from an instant on: a record of which only the header is left."""
        states = self.works[identifier].states
        states.append(replace(states[-1], at=at, seen_at=at, deleted=True))
        insort(self.changes, (at, identifier))


def is_in(category: str, section: str) -> bool:
    """Whether a category belongs to a section, which is a category or an archive."""
    return category == section or category.startswith(f"{section}.")


def _kind(action: str, *, primary: bool) -> AnnouncementKind:
    if action == "replace":
        return AnnouncementKind.REPLACE if primary else AnnouncementKind.REPLACE_CROSS
    return AnnouncementKind.NEW if action == "new" and primary else AnnouncementKind.CROSS


def _shown(update: Update) -> bool:
    return update.action != "replace" or update.version < MANY_VERSIONS


class Historian:
    """Makes a history day by day. The same seed and the same drafts make the same history."""

    def __init__(self, *, seed: int, schedule: Schedule | None = None, shares: Shares | None = None) -> None:
        self.history = History(schedule or Schedule())
        self._shares = shares or Shares()
        self._random = Random(seed)  # noqa: S311 - invented events, no secret
        self._numbers: dict[str, int] = defaultdict(int)
        self._recent: list[str] = []
        self._categories: list[str] = []

    def add_day(self, day: date, drafts: Sequence[Draft]) -> None:
        """Announce works, with cross-lists and replacements of earlier ones, and changes that no list speaks of."""
        self._categories = sorted({*self._categories, *(name for draft in drafts for name in draft.categories)})
        earlier = list(self._recent)
        for draft, submitted in zip(drafts, self._submissions(day, len(drafts)), strict=True):
            self._announce(day, draft, submitted)
        self._cross(day, self._some(earlier, len(drafts) * self._shares.crossed))
        self._replace(day, self._some(earlier, len(drafts) * self._shares.replaced))
        self._touch(day, self._some(earlier, len(drafts) * self._shares.touched))
        self._recent = self._recent[-2000:]

    def finished(self) -> History:
        """The history, ready to be asked."""
        self.history.changes = sorted(
            (state.at, work.identifier) for work in self.history.works.values() for state in work.states
        )
        return self.history

    def _submissions(self, day: date, count: int) -> list[datetime]:
        """When the works of a list came in: most in its window, some held back for days; in the order of numbers."""
        start, end = self.history.schedule.window(day)
        seconds = int((end - start).total_seconds())
        regular = sorted(start + timedelta(seconds=self._random.randrange(seconds)) for _ in range(count))
        return [
            at - timedelta(days=self._random.randint(1, 6)) if self._random.random() < self._shares.held else at
            for at in regular
        ]

    def _announce(self, day: date, draft: Draft, submitted: datetime) -> None:
        identifier = draft.identifier or self._next_identifier(day)
        if identifier in self.history.works:
            return
        state = self._state(day, draft.categories, 1)
        license_url = self._random.choice(LICENSES)
        self.history.works[identifier] = Work(identifier, draft, license_url, day, [submitted], [state])
        self._update(Update(day, identifier, "new", 1, draft.categories))
        self._recent.append(identifier)

    def _next_identifier(self, day: date) -> str:
        month = f"{cut_off_day(day):%y%m}"
        self._numbers[month] += self._random.randint(1, 4)
        return f"{month}.{self._numbers[month]:05d}"

    def _cross(self, day: date, identifiers: Iterable[str]) -> None:
        for identifier in identifiers:
            work = self.history.works[identifier]
            added = self._random.choice(self._categories)
            if added not in work.states[-1].categories:
                versions = work.states[-1].versions
                work.states.append(self._state(day, (*work.states[-1].categories, added), versions))
                self._update(Update(day, identifier, "cross", versions, (added,)))

    def _replace(self, day: date, identifiers: Iterable[str]) -> None:
        start, end = self.history.schedule.window(day)
        for identifier in identifiers:
            work = self.history.works[identifier]
            categories, version = work.states[-1].categories, work.states[-1].versions + 1
            work.submitted_at.append(start + (end - start) * self._random.random())
            work.states.append(self._state(day, categories, version))
            self._update(Update(day, identifier, "replace", version, categories))

    def _touch(self, day: date, identifiers: Iterable[str]) -> None:
        """Give works a DOI in the hours after a list: their time stamp moves, and nothing is announced."""
        for identifier in identifiers:
            states = self.history.works[identifier].states
            at = self.history.schedule.harvestable_at(day) + timedelta(minutes=self._random.randrange(1, 900))
            states.append(replace(states[-1], at=at, seen_at=at, doi=f"10.5555/{identifier}"))

    def _state(self, day: date, categories: tuple[str, ...], versions: int) -> State:
        schedule = self.history.schedule
        return State(schedule.announced_at(day), schedule.harvestable_at(day), categories, versions)

    def _update(self, update: Update) -> None:
        self.history.updates.setdefault(update.day, []).append(update)

    def _some(self, identifiers: Sequence[str], expected: float) -> list[str]:
        """About `expected` of the identifiers, each once."""
        number = min(len(identifiers), int(expected + self._random.random()))
        return self._random.sample(identifiers, number)


_TITLES = (
    "A Lamp for Every Step",
    "Harbours Without Water",
    "Meadows",
    "What the $\\ell_2$ Norm Forgets",
    "Tides & Ties",
)
_AUTHORS = ((cast.ADA,), ("Chlo\\'e Exemple", cast.BELA), ("\\DJ or\\dj e Primer", cast.ADA, cast.BELA))
_CATEGORIES = (
    ("cs.AI",), ("cs.LG", "stat.ML"), ("cs.CL", "cs.AI"), ("stat.ML", "cs.LG"), ("math.OC", "cs.LG"), ("cs.CL",),
    ("hep-th",), ("cs.AI", "cs.CL", "math.OC"),
)  # fmt: skip


def invented(first: date, last: date, *, seed: int = 1, per_day: int = 12, schedule: Schedule | None = None) -> History:
    """A small world of invented works, about `per_day` of them in a list, that needs no data from anywhere."""
    historian = Historian(seed=seed, schedule=schedule)
    choose = Random(seed)  # noqa: S311 - as above
    number = 0
    for day in historian.history.schedule.days(first, last):
        drafts = []
        for _ in range(choose.randint(per_day // 2, per_day + per_day // 2)):
            number += 1
            drafts.append(_invented(number, choose))
        historian.add_day(day, drafts)
    return historian.finished()


def _invented(number: int, choose: Random) -> Draft:
    title = f"{choose.choice(_TITLES)}: Part {number}"
    abstract = f"We look at case {number}. It holds if $a < b$ & nothing else does."
    return Draft(title, abstract, choose.choice(_AUTHORS), choose.choice(_CATEGORIES), f"{number} pages")
