"""Keeps the search index fresh from the journal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from django.conf import settings

from broadsheet.bibliography import names, tex
from broadsheet.bibliography.identifiers import Identifier
from broadsheet.papers import queries, rules
from broadsheet.papers.queries import Paper
from broadsheet.search.adapters.embedded import EmbeddedIndex
from broadsheet.search.document import Document
from broadsheet.search.embedding import choice
from broadsheet.search.index import Index


@dataclass(frozen=True, slots=True)
class Refreshed:
    """How many journal entries were read into the index, and how many are still to be read."""

    applied: int
    behind: int


@dataclass(frozen=True, slots=True)
class Embedded:
    """How many papers got a vector, and whether there are more that need one."""

    done: int
    more: bool


def open_index() -> Index:
    """The index that the settings name. Opening never fails; a broken index says so when it is asked."""
    models = Path(settings.BROADSHEET_DATA) / "models"
    load = partial(choice.embedder, folder=models)
    if settings.BROADSHEET_SEARCH_URL:
        from broadsheet.search.adapters import cluster  # noqa: PLC0415  only who has a cluster needs it

        address = cluster.Address.read(settings.BROADSHEET_SEARCH_URL)
        return cluster.ClusterIndex(address, model=settings.BROADSHEET_MODEL, load=load, end=queries.last_change)
    return EmbeddedIndex(Path(settings.BROADSHEET_INDEX), model=settings.BROADSHEET_MODEL, load=load)


def refresh_index(index: Index, *, limit: int = 2000) -> Refreshed:
    """Bring the next `limit` journal entries into the index, durably.

    Safe to repeat and to interrupt anywhere: documents are made from the papers as they are now, and the index stores
    its own place in the journal together with them. Raises IndexUnavailable.
    """
    cursor = index.cursor()
    entries = queries.changes(after=cursor, limit=limit)
    if not entries:
        return Refreshed(0, 0)
    newest = {entry.paper_id: entry.seq for entry in entries}
    shown = queries.by_ids(newest.keys())
    known = queries.identifiers_of({row.id for row in shown.values()})
    upserts = {row.id: _document(row, known[row.id], change=newest[asked]) for asked, row in shown.items()}
    gone = [asked for asked in newest if asked not in upserts]
    index.apply(upserts.values(), gone, cursor=entries[-1].seq)
    return Refreshed(len(entries), queries.unread(entries[-1].seq))


def embed_pending(index: Index, *, limit: int = 32) -> Embedded:
    """Compute the vectors of the next `limit` papers that need one, durably: about a second of one core.

    Those changed lately come first, then the newest. Safe to repeat and to interrupt anywhere: a vector counts for the
    text that it was made from. Does nothing where the model is turned off or missing. Raises IndexUnavailable.
    """
    wanted = index.unembedded(limit=limit)
    if not wanted:
        return Embedded(0, more=False)
    rows = queries.by_ids(wanted)
    # One that was merged away since is another paper now; the journal will say so to the index.
    present = [rows[pk] for pk in wanted if pk in rows and rows[pk].id == pk]
    index.embed(_document(row, (), change=0) for row in present)
    return Embedded(len(present), more=True)


def _document(row: Paper, identifiers: Iterable[Identifier], *, change: int) -> Document:
    return Document(
        pk=row.id,
        change=change,
        title=tex.to_text(row.title),
        abstract=tex.to_text(row.abstract or row.summary),
        authors=tuple(names.printed(name) for name in row.authors),
        identifiers=tuple(map(str, identifiers)),
        venue=row.venue,
        categories=rules.topics(queries.as_record(row, ())),
        keywords=tuple(map(tex.to_text, row.keywords)),
        day=None if row.sort_day == rules.UNDATED else row.sort_day,
        has_code=bool(row.code_url),
    )
