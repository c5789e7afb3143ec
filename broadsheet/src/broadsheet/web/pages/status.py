"""How this instance is doing, in words."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from broadsheet import links
from broadsheet.editions import queries as editions
from broadsheet.evidence import queries as evidence
from broadsheet.ingest import queries as ingest
from broadsheet.papers import queries as papers
from broadsheet.search.index import IndexUnavailable
from broadsheet.sources import registry
from broadsheet.web import wording
from broadsheet.web.pages.papers import source_title
from broadsheet.web.pages.search import index
from broadsheet.web.remembered import Remembered
from broadsheet.web.rendering import page

_RUNS = 10
_REJECTED = 20

# Counting reads whole indexes of the database.
totals = Remembered(papers.totals)


@dataclass(frozen=True, slots=True)
class Import:
    """An import as the page tells it: the row, the source's title, how it ended, and what was rejected."""

    run: ingest.ImportRun
    source: str
    outcome: str
    rejected: list[ingest.Rejection]


@require_safe
def status(request: HttpRequest) -> HttpResponse:
    """Papers, journal, index, editions, sources and imports, and what nobody knows."""
    values = {
        "totals": totals(),
        "index": _index_line(),
        "behind": editions.behind(),
        "counts": editions.counts(),
        "front": editions.front(),
        "claims": evidence.tally(),
        "sources": [(source.name, source.title) for source in registry.sources().values()],
        "problems": registry.problems(),
        "imports": [_import(run) for run in ingest.recent_runs(_RUNS)],
    }
    return page(request, "pages/status.html", values, canonical=links.STATUS)


def _index_line() -> str:
    """How many papers the index holds and how far it is behind the journal."""
    try:
        held, cursor = index().count(), index().cursor()
    except IndexUnavailable as error:
        return str(error)
    behind = papers.unread(cursor)
    lag = "up to date" if behind <= 0 else f"{wording.count(behind, 'change')} behind; it is being brought up to date"
    return f"{wording.count(held, 'paper')}, {lag}"


def _import(run: ingest.ImportRun) -> Import:
    outcome = "" if run.finished_at else "running, or interrupted: import the file again to complete it"
    rejected = ingest.rejected(run.id, _REJECTED) if run.rejected else []
    return Import(run, source_title(run.source), outcome, rejected)
