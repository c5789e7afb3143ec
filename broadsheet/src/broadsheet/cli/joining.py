"""`broadsheet merge`, `unmerge`, `statements` and `split`: two papers that are one work, and two works in one paper."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import click

from broadsheet.bibliography import tex
from broadsheet.cli import preparing
from broadsheet.cli.failure import Failure
from broadsheet.papers import actions
from broadsheet.papers import queries as papers


def merge(kept: str, merged: str, reason: str) -> None:
    """Merge and say how to undo it. Raises Failure when the papers cannot be merged."""
    preparing.require_database()
    with _refusals():
        key = actions.merge_papers(winner_key=kept, loser_key=merged, reason=reason)
    click.echo(f"{key} is now part of {kept}. To undo it: broadsheet unmerge {key} --reason …")


def unmerge(key: str, reason: str) -> None:
    """Undo a merge. Raises Failure when there is none to undo."""
    preparing.require_database()
    with _refusals():
        actions.unmerge_papers(key=key, reason=reason)
    click.echo(f"{key} is a paper of its own again.")


def statements(key: str) -> None:
    """Print source, source's key and title of each statement about a paper. Raises Failure when there is no paper."""
    preparing.require_database()
    paper = papers.find(key)
    if paper is None:
        raise Failure(f"There is no paper {key}.")
    for said in papers.statements([paper.id])[paper.id]:
        click.echo(f"{said.source}\t{said.source_key}\t{tex.to_text(said.record.title)}")


def split(source: str, key: str, reason: str) -> None:
    """Make a statement a paper of its own. Raises Failure when it is unknown or all that its paper has."""
    preparing.require_database()
    with _refusals():
        made = actions.split_statement(source=source, source_key=key, reason=reason)
    click.echo(f"What {source} says under {key} is now a paper of its own: {made}")


@contextlib.contextmanager
def _refusals() -> Iterator[None]:
    """Turn a refusal into a Failure with its sentence."""
    try:
        yield
    except actions.MergeRefused as error:
        raise Failure(f"{error} Nothing was changed.") from error
