"""Papers that people proposed."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q


class Submission(models.Model):
    """A paper that somebody proposed by an identifier, and what came of it (`rules.submissions.State`).

    `reason` says why it waits or was refused. `next_at` is when the worker asks for it, None when it does not.
    """

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+", db_index=False)
    scheme = models.CharField(max_length=16)
    value = models.CharField(max_length=255)
    note = models.TextField()
    state = models.CharField(max_length=9)
    reason = models.TextField()
    paper = models.ForeignKey("papers.Paper", null=True, on_delete=models.SET_NULL, related_name="+")
    proposed_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    tries = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["scheme", "value"], condition=Q(state="pending"), name="submission_pending")
        ]
        indexes: ClassVar = [
            models.Index(fields=["user", "-proposed_at"], name="submission_of_person"),
            models.Index(fields=["next_at"], name="submission_due", condition=Q(next_at__isnull=False)),
        ]
