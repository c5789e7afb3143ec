"""Questions about the entries of one reader's library."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple, TypeAlias

from django.db.models import QuerySet

from broadsheet.accounts.rules import Person
from broadsheet.library.models import LibraryEntry
from broadsheet.library.rules import Said, State, joined
from broadsheet.papers import queries as papers
from broadsheet.storage import among

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


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
    for row in rows_of(viewer).filter(among("paper", root_of)):
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
    return joined_rows(rows_of(viewer).filter(among("paper", root_of)), root_of)


def everything(viewer: Person) -> list[Entry]:
    """The whole library, the paper that was saved last first."""
    return sorted(_all(viewer).values(), key=_added, reverse=True)


def to_read(viewer: Person) -> int:
    """How many entries of the library nobody has begun to read; two papers that were merged count twice."""
    return LibraryEntry.objects.filter(user=viewer.id, removal=None, state=State.UNREAD).count()


def rows_of(viewer: Person) -> QuerySet[LibraryEntry]:
    """The rows of the reader's library, the one saved first first."""
    return LibraryEntry.objects.filter(user=viewer.id, removal=None).order_by("added_at", "id")


def _all(viewer: Person) -> dict[int, Entry]:
    columns = ("id", "paper_id", "note", "state", "rating", "tags", "added_at", "changed_at")
    rows = [_Row(*values) for values in rows_of(viewer).values_list(*columns)]
    return joined_rows(rows, papers.canonical(row.paper_id for row in rows))


def joined_rows(rows: Iterable[_Kept], root_of: Mapping[int, int]) -> dict[int, Entry]:
    """The entries that these rows make, by shown paper; `root_of` says which paper is shown for each."""
    grouped: dict[int, list[_Kept]] = defaultdict(list)
    for row in rows:
        grouped[root_of[row.paper_id]].append(row)
    return {
        root: Entry(root, joined([_said(row) for row in its]), tuple(Member(r.id, r.paper_id, r.note) for r in its))
        for root, its in grouped.items()
    }


def _said(row: _Kept) -> Said:
    return Said(row.note, State(row.state), row.rating, tuple(row.tags), row.added_at, row.changed_at)


def _added(found: Entry) -> tuple[datetime, int]:
    return (found.said.added_at or NEVER, found.paper_id)
