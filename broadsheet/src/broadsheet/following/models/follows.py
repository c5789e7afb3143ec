"""What a reader follows, and what she does not want to see."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Follow(models.Model):
    """Something that a reader follows: `kind` says what it is, `target` which one.

    The target is a slug, the text of a search, or the number of a group or a person. `label` is the name that she gave
    a search, and an author's name as it is printed; what else is followed has its name where it is kept. Papers that
    are followed are rows of community, which tells of them. `key` is the secret in the address of its feed.
    """

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=12)
    target = models.CharField(max_length=400)
    label = models.CharField(max_length=400)
    key = models.CharField(max_length=43, unique=True)
    in_digest = models.BooleanField(default=True)
    made_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "kind", "target"], name="followed_once")]


class Hidden(models.Model):
    """A word, an author or a section that a reader does not want to see in lists.

    `value` is what is compared: a folded word, or a slug. `label` is what she typed, or an author's printed name.
    """

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=12)
    value = models.CharField(max_length=200)
    label = models.CharField(max_length=200)
    made_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "kind", "value"], name="hidden_once")]
