"""`broadsheet merge` and `broadsheet unmerge`: two papers that are one work, and the way back."""

from __future__ import annotations

import click

from broadsheet.cli import preparing
from broadsheet.cli.failure import Failure
from broadsheet.papers import actions


def merge(kept: str, merged: str, reason: str) -> None:
    """Merge and say how to undo it. Raises Failure when the papers cannot be merged."""
    preparing.require_database()
    try:
        actions.merge_papers(winner_key=kept, loser_key=merged, reason=reason)
    except actions.MergeRefused as error:
        raise Failure(f"{error} Nothing was changed.") from error
    click.echo(f"{merged} is now part of {kept}. To undo it: broadsheet unmerge {merged} --reason …")


def unmerge(key: str, reason: str) -> None:
    """Undo a merge. Raises Failure when there is none to undo."""
    preparing.require_database()
    try:
        actions.unmerge_papers(key=key, reason=reason)
    except actions.MergeRefused as error:
        raise Failure(f"{error} Nothing was changed.") from error
    click.echo(f"{key} is a paper of its own again.")
