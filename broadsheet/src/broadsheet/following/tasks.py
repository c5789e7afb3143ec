"""What a worker does for mail, one step at a time."""

from __future__ import annotations

from datetime import datetime

from broadsheet.following.actions import delivering
from broadsheet.following.actions.delivering import forget_old
from broadsheet.following.actions.profiles import keep_papers
from broadsheet.following.actions.sending import Sender
from broadsheet.following.actions.subscribing import forget_unconfirmed

__all__ = ["Sender", "forget_old", "forget_unconfirmed", "keep_papers", "queue_due"]


def queue_due(*, now: datetime) -> bool:
    """Put a part of what is due into the outbox; whether there may be more."""
    return delivering.queue_due(now=now, limit=_AT_ONCE) == _AT_ONCE


_AT_ONCE = 1000
