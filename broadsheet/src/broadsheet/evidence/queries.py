"""Questions about claims."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Count

from broadsheet.evidence.models import ClaimRow
from broadsheet.evidence.rules import Claim
from broadsheet.papers import queries as papers
from broadsheet.storage import among

__all__ = ["Claim"]


def for_papers(ids: Collection[int]) -> dict[int, list[Claim]]:
    """The claims of each shown paper, those of papers merged into it included. Papers without claims are absent."""
    member_of = {member: root for root, members in papers.families(ids).items() for member in members}
    result: dict[int, list[Claim]] = {}
    for row in ClaimRow.objects.filter(among("paper", member_of)).order_by("id"):
        result.setdefault(member_of[row.paper_id], []).append(_claim(row))
    return result


def tally() -> dict[str, int]:
    """How many claims there are for each value of `runnable`."""
    rows = ClaimRow.objects.values("runnable").annotate(claims=Count("id")).order_by("runnable")
    return {row["runnable"]: row["claims"] for row in rows}


def _claim(row: ClaimRow) -> Claim:
    return Claim(
        row.source, row.source_key, row.text, row.value, row.runnable, row.experiment, tuple(row.peers)
    )  # fmt: skip
