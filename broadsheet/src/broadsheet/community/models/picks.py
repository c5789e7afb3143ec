"""Papers that curators put on the front page."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q


class Pick(models.Model):
    """A paper that a curator put on the front page of a day, with her reason. One that was taken back keeps its row."""

    paper = models.ForeignKey("papers.Paper", on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    day = models.DateField(db_index=True)
    note = models.TextField()
    picked_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["paper", "day"], condition=Q(undone_at__isnull=True), name="pick_once")
        ]
