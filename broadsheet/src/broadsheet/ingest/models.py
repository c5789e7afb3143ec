"""The tables of ingest. Private: other apps ask `queries` and change through `actions`."""

from __future__ import annotations

from django.db import models


class ImportRun(models.Model):
    """One file on its way in. Its counts move in the transaction that stores the records they count."""

    source = models.CharField(max_length=64)
    filename = models.TextField()
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    read = models.PositiveIntegerField(default=0)
    new = models.PositiveIntegerField(default=0)
    merged = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.filename} by {self.source}"


class RejectedRecord(models.Model):
    """Something in a file that could not be read as a paper, with the bytes that show why."""

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="+")
    position = models.CharField(max_length=64)
    reason = models.TextField()
    excerpt = models.BinaryField()
