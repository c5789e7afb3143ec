"""Votes, what they add up to, and the rings that were noticed among them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q


class Ring(models.Model):
    """Votes for a paper that a rule took for those of a ring. A moderator who finds none lifts it."""

    paper = models.ForeignKey("papers.Paper", on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=8)
    found_at = models.DateTimeField(db_index=True)
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    lifted_because = models.TextField(blank=True)


class Vote(models.Model):
    """A person's vote, for the paper as it was when she voted: it is never pointed to another one.

    `state` is what `rules.voting` made of it. `cast_at` is when she first voted, also after she withdrew and voted
    again, so that nobody can make a vote newer.
    """

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+", db_index=False)
    paper = models.ForeignKey("papers.Paper", on_delete=models.CASCADE, related_name="+", db_index=False)
    ring = models.ForeignKey(Ring, null=True, on_delete=models.SET_NULL, related_name="votes", db_index=False)
    state = models.CharField(max_length=8)
    cast_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "paper"], name="vote_once")]
        indexes: ClassVar = [
            models.Index(fields=["paper", "state", "user"], name="vote_counting"),
            models.Index(fields=["cast_at"], name="vote_by_time"),
            models.Index(fields=["ring"], name="vote_of_ring", condition=Q(ring__isnull=False)),
            models.Index(fields=["user"], name="vote_barred", condition=Q(state="barred")),
        ]


class Tally(models.Model):
    """What the votes for a work add up to, counted anew at each change: people whose vote counts, people whose vote is
    held back. It stands with the paper that is shown; the row is also the lock under which votes are counted.
    """

    paper = models.OneToOneField("papers.Paper", primary_key=True, on_delete=models.CASCADE, related_name="+")
    votes = models.PositiveIntegerField(default=0)
    held = models.PositiveIntegerField(default=0)
    changed_at = models.DateTimeField(db_index=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["-votes"], name="tally_most", condition=Q(votes__gt=0))]


class JournalCursor(models.Model):
    """How far the tallies have read the journal of papers. There is one row."""

    seq = models.BigIntegerField()
