"""The tables of moderation: what was flagged, what was decided, and what was said against it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Act(models.Model):
    """A line of the public log. Lines are added and never changed; what undoes one is a line of its own.

    `target` and `target_id` say what it was done to (`rules.moderating.Target`), `person` whom it concerns, `before`
    what state the target had. The names of accounts that were deleted go; the line stays.
    """

    deed = models.CharField(max_length=12)
    target = models.CharField(max_length=12)
    target_id = models.BigIntegerField()
    paper = models.ForeignKey("papers.Paper", null=True, on_delete=models.SET_NULL, related_name="+")
    person = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.CharField(max_length=12)
    words = models.TextField(blank=True)
    before = models.CharField(max_length=40, blank=True)
    until = models.DateTimeField(null=True)
    made_at = models.DateTimeField()
    undoes = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="undone_by")

    class Meta:
        indexes: ClassVar = [models.Index(fields=["target", "target_id", "id"], name="act_target")]

    def __str__(self) -> str:
        return f"{self.deed} {self.target} {self.target_id}"


class Flag(models.Model):
    """That somebody asks moderators to look at something. Open until an act answers it; once by each person."""

    target = models.CharField(max_length=12)
    target_id = models.BigIntegerField()
    by = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    reason = models.CharField(max_length=12)
    words = models.TextField(blank=True)
    made_at = models.DateTimeField()
    answer = models.ForeignKey(Act, null=True, on_delete=models.PROTECT, related_name="answered")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["by", "target", "target_id"], name="flag_once", condition=models.Q(answer__isnull=True)
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["target", "target_id"], name="flag_open", condition=models.Q(answer__isnull=True))
        ]


class Appeal(models.Model):
    """What the person whom an act concerns says against it, and what was answered. Once for each act."""

    act = models.OneToOneField(Act, on_delete=models.CASCADE, related_name="appeal")
    by = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    words = models.TextField()
    made_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    granted = models.BooleanField(null=True)
    answer = models.TextField(blank=True)


class Lock(models.Model):
    """A discussion that moderators closed: nothing is added to it."""

    paper = models.OneToOneField("papers.Paper", on_delete=models.CASCADE, related_name="+")
    act = models.ForeignKey(Act, on_delete=models.PROTECT, related_name="+")
