"""The tables of editions. Private: other apps ask `queries` and change through `actions`."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models


class Edition(models.Model):
    """A list as it was published: of a day, an ISO week, a month, or the first one that comes with the program.

    `number` counts the editions of a kind in the order of their publication. Until `closes_at` ranks may still move;
    afterwards they stand, and what comes late is added at the end and marked. It is `pending` while it has entries that
    were not printed yet.
    """

    kind = models.CharField(max_length=8)
    label = models.CharField(max_length=10)
    number = models.PositiveIntegerField()
    start = models.DateField()
    end = models.DateField()
    published_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    size = models.PositiveIntegerField()
    announced = models.PositiveIntegerField()
    submitted = models.PositiveIntegerField()
    by_month = models.PositiveIntegerField()
    shipped = models.PositiveIntegerField()
    late = models.PositiveIntegerField()
    pending = models.BooleanField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["kind", "label"], name="edition_once")]
        indexes: ClassVar = [
            models.Index(fields=["kind", "-start"], name="edition_by_start"),
            models.Index(fields=["-end"], name="edition_pending", condition=models.Q(pending=True)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.label}"


class EditionEntry(models.Model):
    """A paper's place in an edition, and why it has it. `late` entries came after the edition was closed.

    An entry without a rank has not been printed yet, and is shown nowhere. `reasons` are the parts of its score as
    `rules.ranking.Part` stores them; the first editions kept only names.
    """

    edition = models.ForeignKey(Edition, on_delete=models.CASCADE, related_name="+", db_index=False)
    paper = models.ForeignKey("papers.Paper", on_delete=models.CASCADE, related_name="+", db_index=True)
    rank = models.PositiveIntegerField(null=True)
    score = models.FloatField()
    reasons: models.JSONField[list[Any]] = models.JSONField()
    basis = models.CharField(max_length=9)
    late = models.BooleanField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["edition", "rank"], name="entry_rank_once"),
            models.UniqueConstraint(fields=["edition", "paper"], name="entry_paper_once"),
        ]


class EditionChange(models.Model):
    """Something that changed an edition after it was closed: what (`rules.audits.Change`), and to how many papers."""

    edition = models.ForeignKey(Edition, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()
    kind = models.CharField(max_length=8)
    number = models.PositiveIntegerField()


class JournalCursor(models.Model):
    """How far the editions have read the journal of papers. There is one row."""

    seq = models.BigIntegerField()


class VoteCursor(models.Model):
    """Until when the editions of a kind have followed the votes. There is one row for each kind that has."""

    kind = models.CharField(max_length=8, primary_key=True)
    until = models.DateTimeField()


class UsualVotes(models.Model):
    """How many votes are usual for a paper that has any: field by field, and elsewhere, as counted on a day.

    There is one row. It stays for its day, so that a vote changes what votes are compared with only tomorrow.
    """

    day = models.DateField()
    fields: models.JSONField[dict[str, float]] = models.JSONField()
    elsewhere = models.FloatField()


class RisingPaper(models.Model):
    """A place among the papers that rise, with what was left of its votes at `counted_at` (`rules.ranking.Trend`)."""

    rank = models.PositiveIntegerField(primary_key=True)
    paper = models.ForeignKey("papers.Paper", on_delete=models.CASCADE, related_name="+")
    votes = models.PositiveIntegerField()
    weight = models.FloatField()
    usual = models.FloatField()
    last_at = models.DateTimeField()
    counted_at = models.DateTimeField()
