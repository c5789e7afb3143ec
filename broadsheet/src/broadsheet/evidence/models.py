"""The tables of evidence. Private: other apps ask `queries` and change through `actions`."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class ClaimRow(models.Model):
    """What a paper claims, in words of the source that read it, and the experiment that could refute it."""

    paper = models.ForeignKey("papers.Paper", on_delete=models.CASCADE, related_name="+")
    source = models.CharField(max_length=64)
    source_key = models.CharField(max_length=255)
    text = models.TextField()
    value = models.TextField()
    runnable = models.CharField(max_length=8)
    experiment = models.TextField()
    peers: models.JSONField[list[str]] = models.JSONField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["source", "source_key"], name="claim_once")]

    def __str__(self) -> str:
        return self.text
