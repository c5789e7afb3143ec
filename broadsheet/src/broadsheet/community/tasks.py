"""What the worker does for community, one step at a time."""

from __future__ import annotations

from broadsheet.community.actions import commenting, submissions, voting
from broadsheet.fetching.answers import Client


def follow_papers(*, limit: int = 5000) -> bool:
    """Count votes anew for papers that were merged or taken apart; whether there may be more to follow."""
    return voting.follow_papers(limit=limit)


def fetch_submissions(client: Client | None) -> bool:
    """Ask for a few of the papers that people proposed; whether there may be more to ask for."""
    return submissions.fetch_submissions(client) > 0


def purge_comments() -> int:
    """Delete for good the comments that were taken back weeks ago; how many."""
    return commenting.purge_comments()
