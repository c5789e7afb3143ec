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
from pathlib import Path
from random import Random
from typing import Any

import corpus
from broadsheet.testing.arxiv_calendar import Schedule, cut_off_day
from broadsheet.testing.arxiv_history import Draft, Historian, History

# A list with fewer new works than this was seen in part only.
WHOLE = 90
_BEGIN = date(2026, 2, 2)
_KEPT = ("arxiv_id", "title", "abstract", "authors", "categories", "comments")

# The new works of each list, as the corpus has them.
Days = dict[date, list[dict[str, Any]]]


def sampled(*, seed: int, scale: float) -> Days:
    """The new works of each real list in the order of their identifiers, as many as `scale` (from 0 to 1) of them.

    What was seen on a Saturday was in Friday's list.
    """
    days: dict[date, list[dict[str, Any]]] = defaultdict(list)
    for entry in _entries():
        day = date.fromisoformat(entry["listed_on"][0])
        day -= timedelta(days=max(0, day.weekday() - 4))
        if day >= _BEGIN and entry["arxiv_id"].startswith(f"{_month(day)}."):
            days[day].append({name: entry[name] for name in _KEPT})
    choose = Random(seed)  # noqa: S311 - works drawn, no secret
    result = {}
    for day, entries in sorted(days.items()):
        if len(entries) >= WHOLE:
            drawn = choose.sample(entries, max(3, round(len(entries) * scale)))
            result[day] = sorted(drawn, key=lambda entry: str(entry["arxiv_id"]))
    return result


def save(days: Days, path: Path) -> None:
    """Write lists for other processes to load."""
    path.write_text(json.dumps({day.isoformat(): entries for day, entries in days.items()}), encoding="utf-8")


def load(path: Path) -> Days:
    """Read what `save` wrote."""
    saved = json.loads(path.read_text(encoding="utf-8"))
    return {date.fromisoformat(day): entries for day, entries in saved.items()}


def history(real: Days, first: date, last: date, *, seed: int, schedule: Schedule | None = None) -> History:
    """The lists from `first` to `last`: the real ones where there are any, and others like them."""
    historian = Historian(seed=seed, schedule=schedule)
    days = list(historian.history.schedule.days(first, last))
    for day, drafts in _drafts(days, real, Random(seed)):  # noqa: S311 - as above
        historian.add_day(day, drafts)
    return historian.finished()


def _drafts(days: Sequence[date], real: Days, choose: Random) -> Iterator[tuple[date, list[Draft]]]:
    numbers = _Numbers(days, real, choose)
    for day in days:
        if day in real:
            drafts = [_draft(entry, entry, str(entry["arxiv_id"])) for entry in real[day]]
        else:
            model = real[choose.choice([other for other in real if other.weekday() == day.weekday()])]
            mixed = choose.sample(model, len(model))
            names = numbers.of(day, len(model))
            drafts = [_draft(one, other, name) for one, other, name in zip(model, mixed, names, strict=True)]
        yield day, drafts


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

    def __init__(self, days: Sequence[date], real: Days, choose: Random) -> None:
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
