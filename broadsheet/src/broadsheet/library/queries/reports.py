"""What was removed and can be had back, and what came of files that were brought in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from broadsheet.accounts import queries as accounts
from broadsheet.accounts.rules import Person
from broadsheet.library.models import LibraryImport, Removal
from broadsheet.library.rules import UNDO_FOR
from broadsheet.papers import queries as papers
from broadsheet.storage import among


@dataclass(frozen=True, slots=True)
class Removed:
    """A click that removed something and can be undone: what kind of thing, and how many."""

    id: int
    kind: str
    count: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a file. Every item read is in one of the four: `found` here already, `new`, or `refused`;
    `had` are those of the first two that were in the library before. Lists hold shown papers; `refused`
    positions, reasons and the beginnings of the items.
    """

    id: int
    form: str
    at: datetime
    read: int
    found: tuple[int, ...]
    new: tuple[int, ...]
    had: frozenset[int]
    refused: tuple[tuple[str, str, str], ...]
    cut: str


def removed(viewer: Person, *, number: int | None = None) -> list[Removed]:
    """What the person may still have back, the newest first: what she removed, and what others did in her groups."""
    edited = [
        group.id
        for group in accounts.groups_seen(accounts.groups_of(viewer.id), viewer).values()
        if group.is_edited_by_viewer
    ]
    rows = Removal.objects.filter(
        Q(group=None, by=viewer.id) | among("group", edited), at__gte=timezone.now() - UNDO_FOR
    )
    rows = rows.filter(id=number) if number is not None else rows
    return [Removed(row.id, row.kind, row.count, row.at) for row in rows.order_by("-id")[:50]]


def reports(viewer: Person) -> list[Report]:
    """The last files that the person brought in, the newest first."""
    return [_report(row) for row in LibraryImport.objects.filter(user=viewer.id).order_by("-id")[:20]]


def report(number: int, viewer: Person) -> Report | None:
    """The report of one file that the person brought in; None where there is none of hers."""
    row = LibraryImport.objects.filter(id=number, user=viewer.id).first()
    return _report(row) if row else None


def _report(row: LibraryImport) -> Report:
    root_of = papers.canonical(paper for paper, _, _ in row.entries)
    return Report(
        id=row.id,
        form=row.form,
        at=row.at,
        read=row.read,
        found=tuple(root_of[paper] for paper, was_here, _ in row.entries if was_here),
        new=tuple(root_of[paper] for paper, was_here, _ in row.entries if not was_here),
        had=frozenset(root_of[paper] for paper, _, was_kept in row.entries if was_kept),
        refused=tuple((position, reason, excerpt) for position, reason, excerpt in row.refused),
        cut=row.cut,
    )
