"""The tables of discussions."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Comment(models.Model):
    """What somebody wrote beneath a paper. It stays with the paper beneath which it was written, merged or not.

    `thread` is the comment that began the thread, null for that one itself. A comment with a `group` is seen by its
    members only. `moderated` is a value of `rules.commenting.Moderated`, and `because` its reason.
    """

    paper = models.ForeignKey("papers.Paper", on_delete=models.CASCADE, related_name="+", db_index=False)
    author = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    parent = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="replies")
    thread = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="members")
    group = models.ForeignKey("accounts.Group", null=True, on_delete=models.CASCADE, related_name="+", db_index=False)
    body = models.TextField()
    html = models.TextField()
    made_at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)
    moderated = models.CharField(max_length=8, blank=True)
    because = models.CharField(max_length=12, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["paper", "thread", "id"], name="comment_listing"),
            models.Index(fields=["author", "made_at"], name="comment_author"),
            # Most comments have no group. An index on that would tempt SQLite to read them all.
            models.Index(fields=["group"], name="comment_group", condition=models.Q(group__isnull=False)),
            models.Index(fields=["removed_at"], name="comment_removed", condition=models.Q(removed_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"comment {self.pk}"


class CommentRevision(models.Model):
    """What stood in a comment before it was edited, and since when."""

    comment = models.ForeignKey(Comment, on_delete=models.CASCADE, related_name="revisions")
    html = models.TextField()
    made_at = models.DateTimeField()


class Follow(models.Model):
    """That a person wants to hear of comments on a paper. Commenting begins it; `on` is false once she ended it."""

    person = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+", db_index=False)
    paper = models.ForeignKey("papers.Paper", on_delete=models.CASCADE, related_name="+")
    on = models.BooleanField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["person", "paper"], name="follow_once")]


class Mute(models.Model):
    """That a person wants to hear nothing more of another person, or of a thread. One of the two is set."""

    person = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+", db_index=False)
    muted = models.ForeignKey("accounts.User", null=True, on_delete=models.CASCADE, related_name="+")
    thread = models.ForeignKey(Comment, null=True, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person", "muted"], name="mute_person_once"),
            models.UniqueConstraint(fields=["person", "thread"], name="mute_thread_once"),
            models.CheckConstraint(
                condition=models.Q(muted__isnull=False, thread__isnull=True)
                | models.Q(muted__isnull=True, thread__isnull=False),
                name="mute_one_thing",
            ),
        ]
