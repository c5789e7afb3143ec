"""Keeps the search index fresh from the journal."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache, partial
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


def reader() -> Index:
    """The index that the settings name, opened once for each process, to ask and not to write."""
    return _opened(str(settings.BROADSHEET_INDEX))


@lru_cache(maxsize=1)
def _opened(_folder: str) -> Index:
    return open_index()


Holding = Callable[[Collection[int]], Collection[int]]
"""Of shown papers, those of which a claim held up when run. The app that knows stands above this one."""


def refresh_index(index: Index, *, holding: Holding, limit: int = 8000) -> Refreshed:
    """Bring the next `limit` journal entries into the index, durably.

    Safe to repeat and to interrupt anywhere: documents are made from the papers as they are now, and the index stores
    its own place in the journal together with them. `evidence.tasks` says what is `holding`. Raises IndexUnavailable.
    """
    cursor = index.cursor()
    entries = queries.changes(after=cursor, limit=limit)
    if not entries:
        return Refreshed(0, 0)
    newest = {side: entry.seq for entry in entries for side in _touched(entry)}
    shown = queries.by_ids(newest.keys())
    known = queries.identifiers_of({row.id for row in shown.values()})
    held = frozenset(holding(known.keys()))
    # The entries of one paper, and of those merged into it, rise; the last of them is the newest.
    last = {row.id: newest[asked] for asked, row in sorted(shown.items(), key=lambda pair: newest[pair[0]])}
    rows = {row.id: row for row in shown.values()}
    upserts = {pk: _document(rows[pk], known[pk], change=change, holds=pk in held) for pk, change in last.items()}
    gone = [asked for asked in newest if asked not in upserts]
    index.apply(upserts.values(), gone, cursor=entries[-1].seq)
    return Refreshed(len(entries), queries.unread(entries[-1].seq))


def _touched(entry: queries.Change) -> tuple[int, ...]:
    """The papers whose documents an entry can change: both sides of a merge that is undone, as each keeps its own."""
    return (entry.paper_id,) if entry.other is None else (entry.paper_id, entry.other)


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


def _document(row: Paper, identifiers: Iterable[Identifier], *, change: int, holds: bool = False) -> Document:
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
        holds=holds,
    )
