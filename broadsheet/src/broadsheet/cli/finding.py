"""`broadsheet search`: the same question as on the search page, for a terminal."""

from __future__ import annotations

import click

from broadsheet.bibliography import tex
from broadsheet.cli import preparing
from broadsheet.cli.failure import Failure
from broadsheet.papers import queries, tasks
from broadsheet.search import query
from broadsheet.search.index import IndexUnavailable


def search(words: str, limit: int) -> None:
    """Print key and title of what is found, and how many there are. Raises Failure when the index cannot answer."""
    preparing.require_database()
    try:
        results = tasks.open_index().search(query.parse(words), limit=limit)
    except IndexUnavailable as error:
        raise Failure(f"{error} `broadsheet doctor` builds the index again.") from error
    rows = queries.by_ids([hit.pk for hit in results.hits])
    for hit in results.hits:
        if (row := rows.get(hit.pk)) is not None:
            click.echo(f"{row.key}\t{tex.to_text(row.title)}")
    click.echo(f"{min(limit, results.total):,} of {results.total:,} papers", err=True)
