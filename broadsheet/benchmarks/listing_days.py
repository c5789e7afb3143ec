"""A year of arXiv lists made of the real listing days that lie beside the repository.

Real days keep their works and identifiers. Days of which there is no list, or a small part of one, get as many works as
a real day of the same weekday chosen at random, with titles and abstracts of that day mixed anew, and with identifiers
that rise with the announcement. Cross-lists, replacements and times of submission are invented (`Historian`).
"""

from __future__ import annotations

import json
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from random import Random
from typing import Any

import corpus
from broadsheet.testing.arxiv_calendar import Schedule, cut_off_day
from broadsheet.testing.arxiv_history import Draft, Historian, History

# A list with fewer new works than this was seen in part only.
WHOLE = 90
_BEGIN = date(2026, 2, 2)


def real_days() -> dict[date, list[dict[str, Any]]]:
    """The new works of each real list, in the order of their identifiers. What was seen on a Saturday was Friday's."""
    days: dict[date, list[dict[str, Any]]] = defaultdict(list)
    for entry in _entries():
        day = date.fromisoformat(entry["listed_on"][0])
        day -= timedelta(days=max(0, day.weekday() - 4))
        if day >= _BEGIN and entry["arxiv_id"].startswith(f"{_month(day)}."):
            days[day].append(entry)
    ordered = {day: sorted(entries, key=lambda entry: str(entry["arxiv_id"])) for day, entries in sorted(days.items())}
    return {day: entries for day, entries in ordered.items() if len(entries) >= WHOLE}


def history(first: date, last: date, *, seed: int, scale: float, schedule: Schedule | None = None) -> History:
    """The lists from `first` to `last`, each with `scale` (from 0 to 1) of the works that it would have."""
    historian = Historian(seed=seed, schedule=schedule)
    days = list(historian.history.schedule.days(first, last))
    for day, drafts in _drafts(days, real_days(), Random(seed), scale):  # noqa: S311 - works drawn, no secret
        historian.add_day(day, drafts)
    return historian.finished()


def _drafts(
    days: Sequence[date], real: Mapping[date, list[dict[str, Any]]], choose: Random, scale: float
) -> Iterator[tuple[date, list[Draft]]]:
    by_weekday: dict[int, list[date]] = defaultdict(list)
    for day in real:
        by_weekday[day.weekday()].append(day)
    numbers = _Numbers(days, real, choose)
    for day in days:
        if day in real:
            chosen = _sample(real[day], choose, scale)
            drafts = [_draft(entry, entry, str(entry["arxiv_id"])) for entry in chosen]
        else:
            model = real[choose.choice(by_weekday[day.weekday()])]
            chosen = _sample(model, choose, scale)
            mixed = choose.sample(chosen, len(chosen))
            names = numbers.of(day, len(chosen))
            drafts = [_draft(one, other, name) for one, other, name in zip(chosen, mixed, names, strict=True)]
        yield day, drafts


def _sample(entries: Sequence[dict[str, Any]], choose: Random, scale: float) -> list[dict[str, Any]]:
    number = max(3, round(len(entries) * scale))
    places = sorted(choose.sample(range(len(entries)), min(number, len(entries))))
    return [entries[place] for place in places]


def _draft(one: Mapping[str, Any], other: Mapping[str, Any], identifier: str) -> Draft:
    """A work with the abstract and categories of one entry, and half of its title and all of its authors of another."""
    title = one["title"]
    if one is not other or one["arxiv_id"] != identifier:
        title = f"{_half(one['title'], 0)} {_half(other['title'], 1)}"
    authors = tuple(other["authors"]) or ("Ada Example",)
    comments = one["comments"] or ""
    return Draft(title, one["abstract"], authors, tuple(one["categories"]), comments, identifier)


def _half(title: str, which: int) -> str:
    words = title.split()
    middle = (len(words) + 1) // 2
    return " ".join(words[middle:] if which else words[:middle])


class _Numbers:
    """Identifiers for the days that have no real ones, between those of the real days around them.

    What is counted is the serial number behind the month, of which the identifiers of real days leave room for others.
    """

    def __init__(self, days: Sequence[date], real: Mapping[date, list[dict[str, Any]]], choose: Random) -> None:
        self._choose = choose
        self._given: dict[str, int] = defaultdict(int)
        self._missing = [day for day in days if day not in real]
        self._spans: dict[date, tuple[int, int]] = {}
        for day, entries in real.items():
            serials = [int(str(entry["arxiv_id"])[5:]) for entry in entries]
            odd = len(serials) // 50  # a few works have numbers of another day
            self._spans[day] = serials[odd], serials[-1 - odd]

    def of(self, day: date, count: int) -> list[str]:
        """So many identifiers for a day, in order, above all that were given before. `count` is in works."""
        month = _month(day)
        beside = {other: span for other, span in self._spans.items() if _month(other) == month}
        floor = max([self._given[month], *(high for other, (_, high) in beside.items() if other < day)])
        room, later = 4 * count, [other for other in beside if other > day]
        if later:
            waiting = sum(1 for other in self._missing if day <= other < min(later))
            room = min(room, (beside[min(later)][0] - floor - 1) // waiting)
        serials = sorted(self._choose.sample(range(floor + 1, floor + 1 + room), count))
        self._given[month] = serials[-1]
        return [f"{month}.{serial:05d}" for serial in serials]


def _month(day: date) -> str:
    return f"{cut_off_day(day):%y%m}"


def _entries() -> Iterator[dict[str, Any]]:
    path = corpus.CORPORA / "arxiv_by_day.jsonl.zst"
    with subprocess.Popen(["zstd", "-dcq", str(path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for line in process.stdout:
            yield json.loads(line)
