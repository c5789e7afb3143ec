"""Where groups have editions posted to, and what became of each message."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q


class Hook(models.Model):
    """An address to which each new edition is posted for a group, in a form, about all of it or some sections.

    The secret that signs follows from `salt` and the secret of the instance. `failures` counts editions in a row that
    could not be posted. After `off_at` nothing is posted; `off_because` says why.
    """

    group = models.ForeignKey("accounts.Group", on_delete=models.CASCADE, related_name="+")
    address = models.CharField(max_length=500)
    form = models.CharField(max_length=12)
    cadence = models.CharField(max_length=8)
    sections: models.JSONField[list[str]] = models.JSONField(default=list)
    salt = models.CharField(max_length=43)
    made_at = models.DateTimeField()
    failures = models.PositiveSmallIntegerField(default=0)
    off_at = models.DateTimeField(null=True)
    off_because = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["group", "address"], name="hook_once_a_group")]


class HookMessage(models.Model):
    """One edition for one hook, or a test where `edition` is empty. At most one row exists for an edition."""

    hook = models.ForeignKey(Hook, on_delete=models.CASCADE, related_name="messages", db_index=False)
    edition = models.CharField(max_length=16, blank=True)
    state = models.CharField(max_length=12)
    attempts = models.PositiveSmallIntegerField(default=0)
    made_at = models.DateTimeField()
    due_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    said = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["hook", "edition"], name="hook_once_an_edition", condition=~Q(edition="")),
        ]
        indexes: ClassVar = [
            models.Index(fields=["hook", "-id"], name="hook_log"),
            models.Index(fields=["due_at"], name="hook_waiting", condition=Q(finished_at__isnull=True)),
        ]
