"""What profiles are made of: what a reader wants of hers, and what is kept of papers so that no request reads texts."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q


class Profile(models.Model):
    """What a reader said of a profile: of her whole library, or of one shelf. What it learned is kept nowhere.

    A library without a row here has a profile that is on. `since` and `forgotten` are what it does not learn from:
    papers that were saved before, and these papers.
    """

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+", db_index=False)
    shelf = models.ForeignKey("library.Shelf", null=True, on_delete=models.CASCADE, related_name="+")
    is_on = models.BooleanField(default=True)
    since = models.DateTimeField(null=True)
    forgotten: models.JSONField[list[int]] = models.JSONField(default=list)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "shelf"], name="profile_of_shelf"),
            models.UniqueConstraint(fields=["user"], name="profile_of_library", condition=Q(shelf__isnull=True)),
        ]


class PaperTerms(models.Model):
    """The words of a paper as `rules.profiles.Terms` packs them, those words with blanks between, and its vector.

    Made from the paper and from the index; deleting all rows loses nothing but the time to make them again.
    """

    is_derived: ClassVar = True

    paper = models.OneToOneField("papers.Paper", primary_key=True, on_delete=models.CASCADE, related_name="+")
    terms = models.BinaryField()
    words = models.TextField()
    vector = models.BinaryField(null=True)


class Background(models.Model):
    """What a saved paper is held against: in how many papers each word is, the mean vector, and some of the papers.

    There is one row. `changes` and `entries` are how far the worker has read the journal of papers and the libraries;
    `model` is the fingerprint of what computed the vectors. `version` is another one each time it is made, and empty
    before that, of `papers` papers. `counted` is packed by zlib.
    """

    is_derived: ClassVar = True

    changes = models.BigIntegerField(default=0)
    entries = models.BigIntegerField(default=0)
    model = models.CharField(max_length=200, blank=True)
    version = models.CharField(max_length=32, blank=True)
    made_at = models.DateTimeField(null=True)
    papers = models.PositiveIntegerField(default=0)
    counted = models.BinaryField(default=bytes)
    mean = models.BinaryField(default=bytes)
    sample: models.JSONField[list[int]] = models.JSONField(default=list)
