"""The tables of ingest. Private: other apps ask `queries` and change through `actions`."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models


class ImportRun(models.Model):
    """One file, or one harvest, on its way in. Its counts move in the transaction that stores what they count.

    `filename` is that of a file; `set_name` is the part of an origin that was asked for. `error` is the sentence that
    ended a harvest early.
    """

    source = models.CharField(max_length=64)
    filename = models.TextField()
    set_name = models.CharField(max_length=64, default="")
    harvested = models.BooleanField(default=False)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    read = models.PositiveIntegerField(default=0)
    new = models.PositiveIntegerField(default=0)
    merged = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    error = models.TextField(default="")

    class Meta:
        indexes: ClassVar = [models.Index(fields=["harvested", "-id"], name="run_by_kind")]

    def __str__(self) -> str:
        return f"{self.filename or self.set_name} by {self.source}"


class RejectedRecord(models.Model):
    """Something in a file or an answer that could not be read as a paper, with the bytes that show why."""

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="+")
    position = models.CharField(max_length=64)
    reason = models.TextField()
    excerpt = models.BinaryField()


class AnnouncedList(models.Model):
    """The list of a day in one section of an announcer, as far as anybody told of it."""

    announcer = models.CharField(max_length=64)
    section = models.CharField(max_length=64)
    day = models.DateField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["day", "announcer", "section"], name="list_once")]

    def __str__(self) -> str:
        return f"{self.announcer} {self.section} {self.day}"


class Announcement(models.Model):
    """A line of a list: a work, and what was said of it. `run` is the harvest that brought it first.

    A year of computer science on arXiv is some 600,000 rows of 92 bytes each, indexes included.
    """

    list = models.ForeignKey(AnnouncedList, on_delete=models.CASCADE, related_name="+", db_index=False)
    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=13)
    scheme = models.CharField(max_length=16)
    value = models.CharField(max_length=255)
    version = models.PositiveIntegerField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["list", "value", "scheme", "kind"], name="announcement_once")
        ]
        indexes: ClassVar = [models.Index(fields=["value"], name="announcement_value")]


class ListCount(models.Model):
    """How many works of a kind a source counted in a list, when it last said so; `kind` is empty for all together."""

    list = models.ForeignKey(AnnouncedList, on_delete=models.CASCADE, related_name="+", db_index=False)
    source = models.CharField(max_length=64)
    kind = models.CharField(max_length=13)
    number = models.PositiveIntegerField()
    at = models.DateTimeField()
    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="+", db_index=False)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["list", "source", "kind"], name="count_once")]


class Estimate(models.Model):
    """The day of a work that no list named: by the order of numbers or by the calendar, and what that rests on."""

    announcer = models.CharField(max_length=64)
    scheme = models.CharField(max_length=16)
    value = models.CharField(max_length=255)
    month = models.CharField(max_length=32)
    received_at = models.DateTimeField(null=True)
    day = models.DateField(null=True)
    how = models.CharField(max_length=8)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["value", "scheme", "announcer"], name="estimate_once")]
        indexes: ClassVar = [
            models.Index(fields=["announcer", "month"], name="estimate_month"),
            models.Index(fields=["day"], name="estimate_day"),
        ]


class Withdrawal(models.Model):
    """A record that its origin deleted. What it said before stays; an audit does not miss it."""

    announcer = models.CharField(max_length=64)
    scheme = models.CharField(max_length=16)
    value = models.CharField(max_length=255)
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["value", "scheme", "announcer"], name="withdrawal_once")
        ]


class Place(models.Model):
    """How far the harvest of one set of a source is, and how asking it went.

    `cursor` is where the next harvest goes on. It moves in the transaction that stores what was before it. `unfinished`
    says that the list goes on behind it; `pages` counts those of this list, and `milestone` is a cursor in it that must
    not come again. `newest` is the newest day of which the source told.
    """

    source = models.CharField(max_length=64)
    set_name = models.CharField(max_length=64)
    cursor = models.TextField(default="")
    unfinished = models.BooleanField(default=False)
    pages = models.PositiveIntegerField(default=0)
    milestone = models.TextField(default="")
    newest = models.DateField(null=True)
    tried_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    failure = models.TextField(default="")
    failures = models.PositiveIntegerField(default=0)
    resting_until = models.DateTimeField(null=True)
    warnings: models.JSONField[list[str]] = models.JSONField(default=list)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["source", "set_name"], name="place_once")]

    def __str__(self) -> str:
        return f"{self.source} {self.set_name}".strip()


class DayCheck(models.Model):
    """The audit of a day as it was last made. `tries` counts the back-fills since anything changed; `next_at` is when
    another one is worth while, empty for never.
    """

    day = models.DateField(unique=True)
    state = models.CharField(max_length=16)
    reason = models.TextField()
    lines: models.JSONField[list[dict[str, Any]]] = models.JSONField()
    failed: models.JSONField[list[str]] = models.JSONField()
    checked_at = models.DateTimeField()
    tries = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.day} {self.state}"
