"""A part of a reader's library: what she asks for is filtered, ordered, counted and cut by the database.

Papers that merged stand apart. An entry of a paper that was merged away, and that of the paper that it went into, are
one line of the list, which says what both say; of these few the lines are made here and take their places among what
the database found. Words, and the order of titles, need the folded text: for them a lean row of each paper is read.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from django.db.models import Count, F, QuerySet, TextField
from django.db.models.functions import Cast, Coalesce

from broadsheet.accounts.rules import Person
from broadsheet.bibliography import tex
from broadsheet.bibliography.folding import fold
from broadsheet.library.models import LibraryEntry, Placement
from broadsheet.library.queries.entries import NEVER, Entry, joined_rows, rows_of
from broadsheet.library.rules import State
from broadsheet.papers import queries as papers
from broadsheet.storage import among, holding


class Sort(StrEnum):
    """The orders of a library, by their names in addresses."""

    ADDED = "added"
    CHANGED = "changed"
    RATING = "rating"
    TITLE = "title"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which part of a library: on a shelf, with a tag, in a state, rated at least so, with these words."""

    shelf: int | None = None
    tag: str = ""
    state: State | None = None
    rating: int | None = None
    words: str = ""
    sort: Sort = Sort.ADDED


@dataclass(frozen=True, slots=True)
class Found:
    """A part of a list of papers, and how many there are in all."""

    ids: tuple[int, ...]
    total: int


class _Line(NamedTuple):
    """A line of the list as it is ordered: the greatest first. The paper saved last comes first among equals."""

    first: Any
    added_at: datetime
    paper_id: int


# What the database orders by before the moment of saving; titles are ordered here.
_COLUMNS = {
    Sort.ADDED: F("added_at"),
    Sort.CHANGED: F("changed_at"),
    Sort.RATING: Coalesce("rating", 0),
    Sort.DAY: F("paper__sort_day"),
}


def find(viewer: Person, wanted: Wanted, *, offset: int = 0, limit: int = 60) -> Found:
    """The papers of the library that are wanted, in the wanted order; ids of shown papers.

    The number of questions is constant.
    """
    on_it = _placed(viewer, wanted.shelf) if wanted.shelf is not None else None
    merged, single = _parted(viewer)
    lines = [each for each in merged if _fits(each, wanted, on_it)]
    rows = _filtered(single, wanted, on_it)
    if words := fold(wanted.words).split():
        lines, rows = _saying(lines, words), _with_words(rows, words)
    if wanted.sort is Sort.TITLE:
        return _by_title(rows, lines, offset, limit)
    return _cut(rows, _lines(lines, wanted.sort), wanted.sort, offset, limit)


def tags(viewer: Person) -> list[tuple[str, int]]:
    """The tags of the library with the number of entries that have each, in the order of letters."""
    said = rows_of(viewer).order_by().annotate(said=Cast("tags", TextField())).values_list("said")
    counted: Counter[str] = Counter()
    for text, count in said.annotate(count=Count("id")):
        for tag in json.loads(text):
            counted[tag] += count
    return sorted(counted.items())


def _placed(viewer: Person, shelf: int) -> set[int]:
    """The shown papers on a shelf of hers."""
    here = Placement.objects.filter(shelf=shelf, shelf__user=viewer.id, shelf__removal=None, removal=None)
    return set(papers.canonical(here.values_list("paper", flat=True)).values())


def _parted(viewer: Person) -> tuple[list[Entry], QuerySet[LibraryEntry]]:
    """The entries that merges of papers touched, as lines of the list, and the rows of all others."""
    moved = rows_of(viewer).order_by().filter(paper__in=papers.merged_away()).values_list("paper", flat=True)
    root_of = papers.canonical(moved)
    if not root_of:
        return [], rows_of(viewer)
    root_of |= {root: root for root in root_of.values()}
    merged = joined_rows(rows_of(viewer).filter(among("paper", root_of)), root_of)
    return list(merged.values()), rows_of(viewer).exclude(among("paper", root_of))


# --- Which ones ------------------------------------------------------------------------------------------------------


def _filtered(rows: QuerySet[LibraryEntry], wanted: Wanted, on_it: set[int] | None) -> QuerySet[LibraryEntry]:
    if wanted.tag:
        rows = rows.filter(holding("tags", wanted.tag))
    if wanted.state is not None:
        rows = rows.filter(state=wanted.state)
    if wanted.rating is not None:
        rows = rows.filter(rating__gte=wanted.rating)
    return rows if on_it is None else rows.filter(among("paper", on_it))


def _fits(found: Entry, wanted: Wanted, on_it: set[int] | None) -> bool:
    said = found.said
    return (
        (not wanted.tag or wanted.tag in said.tags)
        and (wanted.state is None or said.state is wanted.state)
        and (wanted.rating is None or (said.rating or 0) >= wanted.rating)
        and (on_it is None or found.paper_id in on_it)
    )


def _with_words(rows: QuerySet[LibraryEntry], words: Sequence[str]) -> QuerySet[LibraryEntry]:
    """Those of the rows in which each of the folded words begins one of the title, the authors, the note or the tags.

    The lists are read as the text that the database keeps: taking each apart would cost more than all the rest.
    """
    told = rows.annotate(people=Cast("paper__authors", TextField()), marks=Cast("tags", TextField()))
    read = told.order_by().values_list("paper_id", "paper__title", "people", "note", "marks")
    return rows.filter(
        among("paper", [each[0] for each in read if _says((each[1], _items(each[2]), each[3], _items(each[4])), words)])
    )


def _saying(merged: Sequence[Entry], words: Sequence[str]) -> list[Entry]:
    """The same of lines of papers that merged."""
    rows = papers.by_ids([each.paper_id for each in merged])
    said = {root: (row.title, " ".join(row.authors)) for root, row in rows.items()}
    return [each for each in merged if _says((*said[each.paper_id], each.said.note, " ".join(each.said.tags)), words)]


def _says(texts: Iterable[str], words: Iterable[str]) -> bool:
    """Whether each of the folded words begins a word of the texts, of which the first is the title."""
    title, *others = texts
    text = f" {fold(' '.join((tex.to_text(title), *others)))}"
    return all(f" {word}" in text for word in words)


def _items(listed: str) -> str:
    """The items of a list as JSON; where none has a sign in disguise, what stands between them is no letter."""
    return " ".join(json.loads(listed)) if "\\" in listed else listed


# --- In which order --------------------------------------------------------------------------------------------------


def _lines(merged: Sequence[Entry], sort: Sort) -> list[_Line]:
    """The lines of papers that merged, the first one first."""
    days: dict[int, date] = {}
    if sort is Sort.DAY:
        days = {root: row.sort_day for root, row in papers.by_ids([each.paper_id for each in merged]).items()}
    return sorted((_line(each, sort, days.get(each.paper_id)) for each in merged), reverse=True)


def _line(found: Entry, sort: Sort, day: date | None) -> _Line:
    said = found.said
    added_at = said.added_at or NEVER
    first = {Sort.ADDED: added_at, Sort.CHANGED: said.changed_at, Sort.RATING: said.rating or 0, Sort.DAY: day}[sort]
    return _Line(first, added_at, found.paper_id)


def _cut(rows: QuerySet[LibraryEntry], merged: list[_Line], sort: Sort, offset: int, limit: int) -> Found:
    """The part that begins at `offset`: no more rows come before it than it says, and no fewer than that less the
    lines of papers that merged.
    """
    start = max(0, offset - len(merged))
    ordered = rows.annotate(first=_COLUMNS[sort]).order_by("-first", "-added_at", "-paper_id")
    window = [_Line(*each) for each in ordered.values_list("first", "added_at", "paper_id")[start : offset + limit]]
    before = sum(line > window[0] for line in merged) if window and start else 0
    part = sorted([*window, *merged[before:]], reverse=True)[offset - start - before :][:limit]
    return Found(tuple(line.paper_id for line in part), rows.count() + len(merged))


def _by_title(rows: QuerySet[LibraryEntry], merged: Sequence[Entry], offset: int, limit: int) -> Found:
    """The same in the order of titles as they are folded; of two that fold alike the paper that came later is first."""
    shown = papers.by_ids([each.paper_id for each in merged])
    lines = [(each.paper_id, shown[each.paper_id].title) for each in merged]
    lines += rows.order_by().values_list("paper_id", "paper__title")
    lines.sort(reverse=True)
    lines.sort(key=lambda line: fold(line[1]))
    return Found(tuple(paper_id for paper_id, _ in lines[offset : offset + limit]), len(lines))
