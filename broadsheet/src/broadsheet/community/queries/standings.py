"""What people did for papers, as the editions read it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from broadsheet.community.queries import comments, picks, votes


@dataclass(frozen=True, slots=True)
class Standing:
    """What ranking counts of a paper: votes that count, people who commented where all can read it, whether a curator
    picked it.
    """

    votes: int = 0
    comments: int = 0
    picked: bool = False


def standings(paper_ids: Collection[int]) -> dict[int, Standing]:
    """What people did for each of these shown papers, in a fixed number of queries; those without are absent."""
    voted = votes.counts(paper_ids)
    talked = {paper_id: people for paper_id, people in comments.commenters(paper_ids).items() if people}
    picked = picks.picked(paper_ids)
    return {
        paper_id: Standing(voted.get(paper_id, 0), talked.get(paper_id, 0), paper_id in picked)
        for paper_id in {*voted, *talked, *picked}
    }
