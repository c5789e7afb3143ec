"""Who gets mail: the person at an address, and what she asked for. What was sent to her lies in `deliveries`."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q


class Subscriber(models.Model):
    """A mail address, and whether mail may go there at all.

    Nothing is sent before `confirmed_at`, and nothing after `blocked_at`: the address does not exist, mail came back
    too often, or its reader called our mail spam; `blocked_because` says which. `soft_bounces` counts the mails in a
    row that came back for now, the first of them at `soft_since`. An account's digests go to its account's address.
    """

    address = models.EmailField(max_length=254, unique=True)
    user = models.OneToOneField("accounts.User", null=True, on_delete=models.CASCADE, related_name="+")
    made_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    soft_bounces = models.PositiveSmallIntegerField(default=0)
    soft_since = models.DateTimeField(null=True)
    blocked_at = models.DateTimeField(null=True)
    blocked_because = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.address


class Asked(models.Model):
    """How often a mailbox was asked whether it wants digests, since somebody there said yes, and when last.

    `mailbox` stands for the address and does not tell it. After `refused_at` strangers cannot have it asked again:
    somebody there called that mail spam.
    """

    mailbox = models.CharField(max_length=64, unique=True)
    times = models.PositiveSmallIntegerField(default=0)
    asked_at = models.DateTimeField(null=True)
    refused_at = models.DateTimeField(null=True)


class Subscription(models.Model):
    """What a subscriber asked to be sent: how often, at what hour where, and of what.

    `key` stands in the addresses of its mails; who has it may leave and change it, and nothing else. The digest of the
    confirmation's secret is kept until somebody confirms. `consent` is when, from where and by which form she asked.
    `next_at` is when the next digest is due; None while there is none to come.
    """

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="subscriptions")
    key = models.CharField(max_length=43, unique=True)
    cadence = models.CharField(max_length=8)
    hour = models.PositiveSmallIntegerField()
    zone = models.CharField(max_length=64)
    sections: models.JSONField[list[str]] = models.JSONField(default=list)
    searches: models.JSONField[list[str]] = models.JSONField(default=list)
    mine = models.BooleanField(default=False)
    notices = models.CharField(max_length=8, default="never")
    consent: models.JSONField[dict[str, str]] = models.JSONField(default=dict)
    secret_digest = models.CharField(max_length=64, blank=True, db_index=True)
    secret_until = models.DateTimeField(null=True)
    made_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    left_at = models.DateTimeField(null=True)
    left_by = models.CharField(max_length=16, blank=True)
    next_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["next_at"], name="subscription_due", condition=Q(next_at__isnull=False)),
        ]
