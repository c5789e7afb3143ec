"""Removing with a way back, and forgetting for good when its time is over."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from broadsheet.accounts.rules import Ground, Person, Refused
from broadsheet.library import queries
from broadsheet.library.models import LibraryEntry, LibraryImport, Placement, Removal, Shelf
from broadsheet.library.rules import UNDO_FOR


def removal(*, by: Person, kind: str, count: int, group: int | None = None) -> Removal:
    """A new removal, for rows to point to. Call inside a transaction."""
    return Removal.objects.create(by_id=by.id, group_id=group, kind=kind, count=count, at=timezone.now())


def undo(*, by: Person, removal: int) -> None:
    """Bring back exactly what one click removed, within UNDO_FOR; what is there again already stays as it is.

    A shelf whose outer shelf is gone by now stands outside. Raises Refused.
    """
    if not queries.removed(by, number=removal):
        raise Refused("This is back already, or it is too long ago. Nothing was changed.", ground=Ground.NOT_THERE)
    with transaction.atomic():
        for table in (LibraryEntry, Shelf, Placement):
            rows = table._default_manager.filter(removal=removal)  # noqa: SLF001  # Django's name for it
            rows.update(removal=None)
        Shelf.objects.filter(removal=None, parent__removal__isnull=False).update(parent=None)
        Removal.objects.filter(id=removal).delete()


def purge(*, now: datetime) -> int:
    """Forget for good what was removed longer than UNDO_FOR ago, and the reports of files as old; how many clicks."""
    with transaction.atomic():
        old = Removal.objects.filter(at__lt=now - UNDO_FOR)
        count = old.count()
        old.delete()
        LibraryImport.objects.filter(at__lt=now - UNDO_FOR).delete()
    return count
