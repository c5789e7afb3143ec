"""Questions about the entries of one reader's library."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from django.db.models import QuerySet

from broadsheet.accounts.rules import Person
from broadsheet.bibliography import tex
from broadsheet.bibliography.folding import fold
from broadsheet.library.models import LibraryEntry, Placement
from broadsheet.library.rules import Said, State, joined
from broadsheet.papers import queries as papers
from broadsheet.storage import among

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class Sort(StrEnum):
    """The orders of a library, by their names in addresses."""

    ADDED = "added"
    CHANGED = "changed"
    RATING = "rating"
    TITLE = "title"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Kept:
    """What a list shows of a paper that the reader has saved."""

    state: State
    rating: int | None
    noted: bool


@dataclass(frozen=True, slots=True)
class Member:
    """One of the entries that are shown as one: its number, the paper that was saved, and the note on it."""

    id: int
    paper_id: int
    note: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A paper in a library. `members` are the entries that it is made of, more than one only where papers merged."""

    paper_id: int
    said: Said
    members: tuple[Member, ...]


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


class _Row(NamedTuple):
    """A row as the whole library is read: a table's own objects cost three times as much."""

    id: int
    paper_id: int
    note: str
    state: str
    rating: int | None
    tags: list[str]
    added_at: datetime
    changed_at: datetime


_Kept: TypeAlias = _Row | LibraryEntry


def kept(paper_ids: Collection[int], viewer: Person | None) -> dict[int, Kept]:
    """What the reader keeps of these shown papers; nothing for a visitor. The number of questions is constant."""
    if viewer is None or not paper_ids:
        return {}
    root_of = {member: root for root, members in papers.families(paper_ids).items() for member in members}
    grouped: dict[int, list[Said]] = defaultdict(list)
    for row in _rows(viewer).filter(among("paper", root_of)):
        grouped[root_of[row.paper_id]].append(_said(row))
    found = {root: joined(said) for root, said in grouped.items()}
    return {root: Kept(said.state, said.rating, bool(said.note)) for root, said in found.items()}


def entry(paper_id: int, viewer: Person | None) -> Entry | None:
    """The reader's entry of a shown paper; None where she has none."""
    return entries([paper_id], viewer).get(paper_id)


def entries(paper_ids: Collection[int], viewer: Person | None) -> dict[int, Entry]:
    """The reader's entries of these shown papers."""
    if viewer is None or not paper_ids:
        return {}
    root_of = {member: root for root, members in papers.families(paper_ids).items() for member in members}
    return _joined(_rows(viewer).filter(among("paper", root_of)), root_of)


def everything(viewer: Person) -> list[Entry]:
    """The whole library, the paper that was saved last first."""
    return sorted(_all(viewer).values(), key=_added, reverse=True)


def find(viewer: Person, wanted: Wanted, *, offset: int = 0, limit: int = 60) -> Found:
    """The papers of the library that are wanted, in the wanted order; ids of shown papers.

    The whole library is read for it, and the papers only for words and for orders that need them: of 10,000 entries
    that takes half a second, with words a second (two cores, busy).
    """
    chosen = {root: found for root, found in _all(viewer).items() if _fits(found.said, wanted)}
    if wanted.shelf is not None:
        here = Placement.objects.filter(shelf=wanted.shelf, shelf__user=viewer.id, shelf__removal=None, removal=None)
        on_it = set(papers.canonical(here.values_list("paper", flat=True)).values())
        chosen = {root: found for root, found in chosen.items() if root in on_it}
    words = fold(wanted.words).split()
    rows: Mapping[int, papers.Paper] = {}
    if words or wanted.sort in (Sort.TITLE, Sort.DAY):
        rows = papers.by_ids(chosen)
    if words:
        chosen = {root: found for root, found in chosen.items() if _says(found, rows[root], words)}
    ids = [found.paper_id for found in _ordered(chosen.values(), wanted.sort, rows)]
    return Found(tuple(ids[offset : offset + limit]), len(ids))


def to_read(viewer: Person) -> int:
    """How many entries of the library nobody has begun to read; two papers that were merged count twice."""
    return LibraryEntry.objects.filter(user=viewer.id, removal=None, state=State.UNREAD).count()


def tags(viewer: Person) -> list[tuple[str, int]]:
    """The tags of the library with the number of entries that have each, in the order of letters."""
    counted = Counter(tag for found in _rows(viewer).values_list("tags", flat=True) for tag in found)
    return sorted(counted.items())


def _rows(viewer: Person) -> QuerySet[LibraryEntry]:
    return LibraryEntry.objects.filter(user=viewer.id, removal=None).order_by("added_at", "id")


def _all(viewer: Person) -> dict[int, Entry]:
    columns = ("id", "paper_id", "note", "state", "rating", "tags", "added_at", "changed_at")
    rows = [_Row(*values) for values in _rows(viewer).values_list(*columns)]
    return _joined(rows, papers.canonical(row.paper_id for row in rows))


def _joined(rows: Iterable[_Kept], root_of: Mapping[int, int]) -> dict[int, Entry]:
    grouped: dict[int, list[_Kept]] = defaultdict(list)
    for row in rows:
        grouped[root_of[row.paper_id]].append(row)
    return {
        root: Entry(root, joined([_said(row) for row in its]), tuple(Member(r.id, r.paper_id, r.note) for r in its))
        for root, its in grouped.items()
    }


def _said(row: _Kept) -> Said:
    return Said(row.note, State(row.state), row.rating, tuple(row.tags), row.added_at, row.changed_at)


def _fits(said: Said, wanted: Wanted) -> bool:
    return (
        (not wanted.tag or wanted.tag in said.tags)
        and (wanted.state is None or said.state is wanted.state)
        and (wanted.rating is None or (said.rating or 0) >= wanted.rating)
    )


def _says(found: Entry, row: papers.Paper, words: Iterable[str]) -> bool:
    """Whether each of the folded words begins a word of the title, the authors, the note or the tags."""
    text = fold(" ".join((tex.to_text(row.title), *row.authors, found.said.note, *found.said.tags)))
    return all(f" {word}" in f" {text}" for word in words)


def _ordered(chosen: Iterable[Entry], sort: Sort, rows: Mapping[int, papers.Paper]) -> list[Entry]:
    newest = sorted(chosen, key=_added, reverse=True)
    if sort is Sort.CHANGED:
        return sorted(newest, key=lambda found: found.said.changed_at or _NEVER, reverse=True)
    if sort is Sort.RATING:
        return sorted(newest, key=lambda found: found.said.rating or 0, reverse=True)
    if sort is Sort.TITLE:
        return sorted(newest, key=lambda found: fold(rows[found.paper_id].title))
    if sort is Sort.DAY:
        return sorted(newest, key=lambda found: _day(rows[found.paper_id]), reverse=True)
    return newest


def _added(found: Entry) -> tuple[datetime, int]:
    return (found.said.added_at or _NEVER, found.paper_id)


def _day(row: papers.Paper) -> date:
    return row.sort_day
