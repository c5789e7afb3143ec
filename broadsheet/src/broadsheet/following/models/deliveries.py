"""The outbox: one row for each mail that is to go or did go, and how the one who takes mail answered last."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q


class Delivery(models.Model):
    """One digest for one subscription: what became of it, and when it is tried again.

    `slot` is the reader's own day for which it was due. At most one row exists for a slot, and at most one for an
    edition, so that nobody is sent the same twice. A subscription that waits to be confirmed has the mail that asks,
    whose `edition` is ``asks``. `claimed_by` is the sender that works on it; a claim that is older
    than any work takes is void. `said` is the sentence that the reader sees in her log, or what the server said.
    """

    subscription = models.ForeignKey(
        "following.Subscription", on_delete=models.CASCADE, related_name="deliveries", db_index=False
    )
    slot = models.DateField()
    edition = models.CharField(max_length=16, blank=True)
    domain = models.CharField(max_length=253)
    state = models.CharField(max_length=12)
    attempts = models.PositiveSmallIntegerField(default=0)
    made_at = models.DateTimeField()
    due_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)
    claimed_by = models.CharField(max_length=64, blank=True)
    finished_at = models.DateTimeField(null=True, db_index=True)
    papers = models.PositiveIntegerField(default=0)
    said = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["subscription", "slot"], name="delivery_once_a_slot"),
            models.UniqueConstraint(
                fields=["subscription", "edition"], name="delivery_once_an_edition", condition=~Q(edition="")
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["state", "due_at"], name="delivery_waiting", condition=Q(finished_at__isnull=True)),
            models.Index(fields=["-slot"], name="delivery_slot"),
        ]


class Post(models.Model):
    """How the server or provider that takes mail answered last; one row at most.

    `down_since` is when nobody could be reached for the first time since `answered_at`, and `said` why. `warned_at` is
    when the operator was last told that mail does not go out.
    """

    answered_at = models.DateTimeField(null=True)
    down_since = models.DateTimeField(null=True)
    said = models.TextField(blank=True)
    warned_at = models.DateTimeField(null=True)
