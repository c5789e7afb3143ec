"""What a worker does for libraries: forgetting what was removed long ago."""

from __future__ import annotations

from datetime import datetime

from broadsheet.library.actions import purge


def forget_removed(*, now: datetime) -> int:
    """Forget for good what can no longer be undone; how many clicks that were. Safe to repeat."""
    return purge(now=now)
