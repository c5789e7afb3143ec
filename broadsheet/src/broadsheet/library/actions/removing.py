"""Removing with a way back, and forgetting for good when its time is over."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Count, Max
from django.utils import timezone

from broadsheet.accounts.rules import Ground, Person, Refused
from broadsheet.library import queries
from broadsheet.library.models import LibraryEntry, LibraryImport, Placement, Removal, Shelf
from broadsheet.library.rules import MOST_ENTRIES, MOST_ON_A_SHELF, MOST_SHELVES, UNDO_FOR


def removal(*, by: Person, kind: str, count: int, group: int | None = None) -> Removal:
    """A new removal, for rows to point to. Call inside a transaction."""
    return Removal.objects.create(by_id=by.id, group_id=group, kind=kind, count=count, at=timezone.now())


def undo(*, by: Person, removal: int) -> None:
    """Bring back exactly what one click removed, within UNDO_FOR; what is there again already stays as it is.

    A shelf whose outer shelf is gone by now stands outside. Raises Refused, also where what came meanwhile leaves too
    little room; then nothing is brought back, and the way back stays.
    """
    if not queries.removed(by, number=removal):
        raise Refused("This is back already, or it is too long ago. Nothing was changed.", ground=Ground.NOT_THERE)
    with transaction.atomic():
        restored = Removal.objects.get(id=removal)
        shelves = set(Placement.objects.filter(removal=removal).values_list("shelf", flat=True))
        for table in (LibraryEntry, Shelf, Placement):
            rows = table._default_manager.filter(removal=removal)  # noqa: SLF001  # Django's name for it
            rows.update(removal=None)
        _look_for_room(by, restored.group_id, shelves)
        Shelf.objects.filter(removal=None, parent__removal__isnull=False).update(parent=None)
        Removal.objects.filter(id=removal).delete()


def _look_for_room(by: Person, group: int | None, shelves: set[int]) -> None:
    """Raise Refused where more is there than a library, its shelves or one of these shelves hold."""
    owner = {"group": group} if group else {"user": by.id}
    papers = LibraryEntry.objects.filter(user=by.id, removal=None).count()
    fullest = (
        Placement.objects.filter(shelf__in=shelves, removal=None).values("shelf").annotate(papers=Count("id"))
    ).aggregate(most=Max("papers"))["most"]
    if (
        papers > MOST_ENTRIES
        or Shelf.objects.filter(**owner, removal=None).count() > MOST_SHELVES
        or (fullest or 0) > MOST_ON_A_SHELF
    ):
        raise Refused(
            "So much came since that there is no room for it any more. Nothing was changed; take something out first.",
            ground=Ground.TOO_MUCH,
        )


def purge(*, now: datetime) -> int:
    """Forget for good what was removed longer than UNDO_FOR ago, and the reports of files as old; how many clicks."""
    with transaction.atomic():
        old = Removal.objects.filter(at__lt=now - UNDO_FOR)
        count = old.count()
        old.delete()
        LibraryImport.objects.filter(at__lt=now - UNDO_FOR).delete()
    return count
