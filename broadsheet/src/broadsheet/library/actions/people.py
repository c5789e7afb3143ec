"""What becomes of a library when two accounts become one."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Max

from broadsheet.library.models import LibraryEntry, LibraryImport, Placement, Removal, Shelf
from broadsheet.library.rules import MOST_TAGS, Said, State, joined, slug_of


def take_over(*, from_id: int, to_id: int) -> None:
    """Give the library of one person to another: entries of one paper are joined, shelves stand behind her own.

    What had been removed goes along and can still be undone. Limits are not looked at: nothing is lost.
    """
    with transaction.atomic():
        _entries(from_id, to_id)
        _shelves(from_id, to_id)
        Placement.objects.filter(added_by=from_id).update(added_by=to_id)
        Removal.objects.filter(by=from_id).update(by=to_id)
        LibraryImport.objects.filter(user=from_id).update(user=to_id)


def forget(*, person_id: int) -> None:
    """Delete what a person removed of her own, before her account goes. What she removed of groups stays undoable."""
    Removal.objects.filter(by=person_id, group=None).delete()


def _entries(from_id: int, to_id: int) -> None:
    kept = {row.paper_id: row for row in LibraryEntry.objects.filter(user=to_id)}
    moving = []
    for row in LibraryEntry.objects.filter(user=from_id).order_by("id"):
        other = kept.get(row.paper_id)
        if other is None:
            moving.append(row.id)
        elif row.removal_id is None:
            _join(other, row)
    LibraryEntry.objects.filter(id__in=moving).update(user=to_id)
    LibraryEntry.objects.filter(user=from_id).delete()


def _join(row: LibraryEntry, other: LibraryEntry) -> None:
    live = [each for each in (row, other) if each.removal_id is None]
    said = joined(
        [
            Said(each.note, State(each.state), each.rating, tuple(each.tags), each.added_at, each.changed_at)
            for each in live
        ]
    )
    row.note, row.state, row.rating, row.tags = said.note, said.state, said.rating, list(said.tags[:MOST_TAGS])
    row.added_at, row.changed_at = said.added_at or row.added_at, said.changed_at or row.changed_at
    row.removal = None
    row.save()


def _shelves(from_id: int, to_id: int) -> None:
    mine = Shelf.objects.filter(user=to_id)
    taken = set(mine.values_list("slug", flat=True))
    last = mine.aggregate(last=Max("position"))["last"]
    start = 0 if last is None else last + 1
    for place, row in enumerate(Shelf.objects.filter(user=from_id).order_by("position", "id"), start=start):
        row.user_id, row.position, row.slug = to_id, place, slug_of(row.slug, taken)
        taken.add(row.slug)
        row.save(update_fields=["user", "position", "slug"])
