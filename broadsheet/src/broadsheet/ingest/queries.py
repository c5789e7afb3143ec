"""Questions about imports."""

from __future__ import annotations

from dataclasses import dataclass

from broadsheet.ingest.models import ImportRun, RejectedRecord

__all__ = ["ImportRun"]


@dataclass(frozen=True, slots=True)
class Rejection:
    """Where in a file something could not be read, why, and how it begins."""

    position: str
    reason: str
    excerpt: bytes


def recent_runs(limit: int = 10) -> list[ImportRun]:
    """The last `limit` imports, newest first. One without `finished_at` is running or was interrupted."""
    return list(ImportRun.objects.order_by("-id")[:limit])


def rejected(run_id: int, limit: int = 50) -> list[Rejection]:
    """The first `limit` rejections of an import, in the order of the file."""
    rows = RejectedRecord.objects.filter(run=run_id).order_by("id")[:limit]
    return [Rejection(row.position, row.reason, bytes(row.excerpt)) for row in rows]
