"""What a library says of its reader's interest: which papers she saved and likes, and whether that changed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, QuerySet, Sum

from broadsheet.accounts.rules import Person
from broadsheet.library.models import LibraryEntry, Placement
from broadsheet.papers import queries as papers
from broadsheet.storage import among


@dataclass(frozen=True, slots=True)
class Liked:
    """A shown paper that a reader saved, and when she did."""

    paper_id: int
    added_at: datetime


def liked(viewer: Person, *, shelf: int | None = None, above: int = 0, limit: int) -> list[Liked]:
    """The papers of her library, or of one shelf of hers, the last saved first, each work once; `limit` at most.

    Those that she gave `above` stars or fewer are left out; those without stars are not.
    """
    rows = _liked(viewer, shelf, above).order_by("-added_at", "-id").values_list("paper", "added_at")[:limit]
    saved = list(rows)
    root_of = papers.canonical(paper_id for paper_id, _ in saved)
    found: dict[int, Liked] = {}
    for paper_id, added_at in saved:
        found.setdefault(root_of[paper_id], Liked(root_of[paper_id], added_at))
    return list(found.values())


def mark(viewer: Person, *, shelf: int | None = None) -> str:
    """A text that is another one whenever `liked` may answer something else. Costs one question, with a shelf two."""
    entries = _rows(viewer).aggregate(Count("id"), Sum("id"), Max("changed_at"))
    said = [entries["id__count"], entries["id__sum"], entries["changed_at__max"]]
    if shelf is not None:
        on_it = _on(viewer, shelf).aggregate(Count("id"), Sum("id"), Max("added_at"))
        said += [on_it["id__count"], on_it["id__sum"], on_it["added_at__max"]]
    return " ".join(map(str, said))


def saved_after(entry: int, *, limit: int) -> list[tuple[int, int]]:
    """Entries of all libraries with a number above `entry`, in order: number, and the shown paper."""
    rows = list(LibraryEntry.objects.filter(id__gt=entry).order_by("id").values_list("id", "paper")[:limit])
    root_of = papers.canonical(paper_id for _, paper_id in rows)
    return [(number, root_of[paper_id]) for number, paper_id in rows]


def saved_by_anybody(paper_ids: Collection[int]) -> frozenset[int]:
    """Those of the shown papers that are in somebody's library."""
    root_of = {member: root for root, members in papers.families(paper_ids).items() for member in members}
    rows = LibraryEntry.objects.filter(among("paper", root_of), removal=None).values_list("paper", flat=True)
    return frozenset(root_of[paper_id] for paper_id in rows)


def _rows(viewer: Person) -> QuerySet[LibraryEntry]:
    return LibraryEntry.objects.filter(user=viewer.id, removal=None)


def _on(viewer: Person, shelf: int) -> QuerySet[Placement]:
    return Placement.objects.filter(shelf=shelf, shelf__user=viewer.id, shelf__removal=None, removal=None)


def _liked(viewer: Person, shelf: int | None, above: int) -> QuerySet[LibraryEntry] | QuerySet[Placement]:
    disliked = _rows(viewer).filter(rating__lte=above)
    if shelf is None:
        return _rows(viewer).exclude(rating__isnull=False, rating__lte=above)
    return _on(viewer, shelf).exclude(paper__in=disliked.values("paper"))
