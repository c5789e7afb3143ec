"""Questions about imports, harvests, and what is known of the lists of a day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from broadsheet.bibliography.identifiers import Identifier
from broadsheet.ingest.models import DayCheck, Estimate, ImportRun, Place, RejectedRecord
from broadsheet.ingest.rules import DayAudit, Line, State
from broadsheet.ingest.rules.dating import How
from broadsheet.storage import among
from broadsheet.storage.prepared import Prepared

__all__ = ["ImportRun", "Place"]


@dataclass(frozen=True, slots=True)
class Rejection:
    """Where in a file or an answer something could not be read, why, and how it begins."""

    position: str
    reason: str
    excerpt: bytes


def recent_runs(limit: int = 10) -> list[ImportRun]:
    """The last `limit` imports, newest first. One without `finished_at` is running or was interrupted."""
    return list(ImportRun.objects.filter(harvested=False).order_by("-id")[:limit])


def recent_harvests(limit: int = 10) -> list[ImportRun]:
    """The last `limit` harvests that brought something, newest first."""
    return list(ImportRun.objects.filter(harvested=True).order_by("-id")[:limit])


def rejected(run_id: int, limit: int = 50) -> list[Rejection]:
    """The first `limit` rejections of an import or a harvest, in the order of the file."""
    rows = RejectedRecord.objects.filter(run=run_id).order_by("id")[:limit]
    return [Rejection(row.position, row.reason, bytes(row.excerpt)) for row in rows]


def places() -> list[Place]:
    """How far the harvest of each set of each source is, and how asking it went, by source and set."""
    return list(Place.objects.order_by("source", "set_name"))


def how_dated(day: date, works: Iterable[Identifier]) -> How:
    """How it is known that a work with these identifiers was announced on that day."""
    names = {(str(work.scheme), work.value) for work in works}
    rows = Estimate.objects.filter(among("value", [value for _, value in names]), day=day)
    found = [How(row.how) for row in rows if (row.scheme, row.value) in names]
    return min(found, key=list(How).index, default=How.LISTED)


def audits(days: Iterable[date]) -> dict[date, DayAudit]:
    """The audits of the days as they were last made, in one question. A day that was never checked is absent."""
    return {row.day: _audit(row) for row in _CHECKS([day.isoformat() for day in days])}


_CHECKS = Prepared(lambda days: DayCheck.objects.filter(among("day", days)))


def _audit(row: DayCheck) -> DayAudit:
    lines = tuple(Line(**{**line, "missing": tuple(line["missing"])}) for line in row.lines)
    return DayAudit(row.day, State(row.state), row.reason, lines, tuple(row.failed), row.checked_at)
