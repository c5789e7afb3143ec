"""The tables of notices."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from broadsheet.community.models.comments import Comment
from broadsheet.community.models.moderation import Act


class Notice(models.Model):
    """Something that a person is told: of a comment, of an act of a moderator, or in a sentence about a paper.

    `matter` names what a sentence is about that is told once, such as one breakdown of the mail; empty for all others.
    """

    person = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=12)
    comment = models.ForeignKey(Comment, null=True, on_delete=models.CASCADE, related_name="+")
    act = models.ForeignKey(Act, null=True, on_delete=models.CASCADE, related_name="+")
    paper = models.ForeignKey("papers.Paper", null=True, on_delete=models.CASCADE, related_name="+")
    sentence = models.TextField(blank=True)
    matter = models.CharField(max_length=80, blank=True, default="")
    made_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["person", "kind", "matter"],
                condition=models.Q(read_at__isnull=True) & ~models.Q(matter=""),
                name="notice_once",
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["person", "id"], name="notice_listing"),
            models.Index(fields=["person"], name="notice_unread", condition=models.Q(read_at__isnull=True)),
        ]


class Silence(models.Model):
    """That a person does not want notices of a kind."""

    person = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=12)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["person", "kind"], name="silence_once")]
