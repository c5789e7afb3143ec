"""Who says that she wrote a paper, and what authors add to it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q


class AuthorClaim(models.Model):
    """A person's word that she is one of a paper's authors, and what was decided (`rules.authorship.State`).

    `author` is the name as the paper prints it, `slug` its form in addresses: places are compared by it. `proof` says
    what spoke for her when she claimed it. The row stays with the paper that it was made for.
    """

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    paper = models.ForeignKey("papers.Paper", on_delete=models.CASCADE, related_name="+", db_index=False)
    author = models.TextField()
    slug = models.CharField(max_length=120)
    way = models.CharField(max_length=8)
    proof = models.TextField()
    note = models.TextField()
    state = models.CharField(max_length=9)
    made_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.TextField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "paper"], condition=Q(state__in=("pending", "confirmed")), name="author_claim_once"
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["paper", "state"], name="author_claim_of_paper"),
            models.Index(fields=["made_at"], name="author_claim_pending", condition=Q(state="pending")),
        ]


class AuthorLink(models.Model):
    """Code, a project's page or data that an author linked to her paper."""

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    paper = models.ForeignKey("papers.Paper", on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=8)
    url = models.TextField()
    linked_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)


class AuthorAnswer(models.Model):
    """What an author answers to a measurement of her paper. `measurement` is the digest of the record."""

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    paper = models.ForeignKey("papers.Paper", on_delete=models.CASCADE, related_name="+")
    measurement = models.CharField(max_length=64)
    body = models.TextField()
    html = models.TextField()
    answered_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "measurement"], condition=Q(removed_at__isnull=True), name="author_answer_once"
            )
        ]
