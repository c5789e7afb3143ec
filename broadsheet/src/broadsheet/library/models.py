"""The tables of library. Private: other apps ask `queries` and change through `actions`."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q


class Removal(models.Model):
    """One click that removed something. Rows that point here are gone for everybody; taking them off it is the undo.

    `kind` and `count` are what the page says was removed. Where it was of a group, its editors may undo it too.
    """

    by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    group = models.ForeignKey("accounts.Group", null=True, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=16)
    count = models.PositiveIntegerField()
    at = models.DateTimeField(db_index=True)


# Almost nothing is removed: an index on that column for all rows would tempt SQLite to read them all.


class LibraryEntry(models.Model):
    """A paper in somebody's library, as it was saved: a merge of papers moves no entry. The note is private."""

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+", db_index=False)
    paper = models.ForeignKey("papers.Paper", on_delete=models.CASCADE, related_name="+")
    note = models.TextField(blank=True)
    state = models.CharField(max_length=8)
    rating = models.PositiveSmallIntegerField(null=True)
    tags: models.JSONField[list[str]] = models.JSONField(default=list)
    added_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    removal = models.ForeignKey(Removal, null=True, on_delete=models.CASCADE, related_name="entries", db_index=False)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "paper"], name="library_once")]
        indexes: ClassVar = [
            models.Index(fields=["user", "added_at", "paper"], name="entry_listing", condition=Q(removal__isnull=True)),
            models.Index(fields=["removal"], name="entry_removal", condition=Q(removal__isnull=False)),
        ]


class Shelf(models.Model):
    """A list of papers that somebody ordered: of a person or of a group, inside another or not.

    A shelf of a group is seen by whoever sees the group; `is_public` is about shelves of people.
    """

    user = models.ForeignKey("accounts.User", null=True, on_delete=models.CASCADE, related_name="+")
    group = models.ForeignKey("accounts.Group", null=True, on_delete=models.CASCADE, related_name="+")
    parent = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=120)
    slug = models.CharField(max_length=80)
    position = models.PositiveIntegerField()
    is_public = models.BooleanField(default=False)
    made_at = models.DateTimeField()
    removal = models.ForeignKey(Removal, null=True, on_delete=models.CASCADE, related_name="shelves", db_index=False)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(user__isnull=False, group__isnull=True) | Q(user__isnull=True, group__isnull=False),
                name="shelf_of_one",
            ),
            models.UniqueConstraint(fields=["user", "slug"], condition=Q(user__isnull=False), name="shelf_of_person"),
            models.UniqueConstraint(fields=["group", "slug"], condition=Q(group__isnull=False), name="shelf_of_group"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["removal"], name="shelf_removal", condition=Q(removal__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.slug


class Placement(models.Model):
    """A paper's place on a shelf, as it was put there: a merge of papers moves no placement."""

    shelf = models.ForeignKey(Shelf, on_delete=models.CASCADE, related_name="placements", db_index=False)
    paper = models.ForeignKey("papers.Paper", on_delete=models.CASCADE, related_name="+")
    position = models.PositiveIntegerField()
    added_at = models.DateTimeField()
    added_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    removal = models.ForeignKey(Removal, null=True, on_delete=models.CASCADE, related_name="placements", db_index=False)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["shelf", "paper"], name="placed_once")]
        indexes: ClassVar = [
            models.Index(fields=["removal"], name="placed_removal", condition=Q(removal__isnull=False)),
        ]


class LibraryImport(models.Model):
    """What came of a file that somebody brought in: counts, and a line for each item that was not understood.

    `entries` are the papers in the order of the file as [paper, whether it was here, whether it was in the library].
    `cut` says why reading ended early; empty where it did not.
    """

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    form = models.CharField(max_length=40)
    at = models.DateTimeField()
    read = models.PositiveIntegerField()
    entries: models.JSONField[list[list[int]]] = models.JSONField()
    refused: models.JSONField[list[list[str]]] = models.JSONField()
    cut = models.TextField(blank=True)
