"""Which edition is the news that is sent."""

from __future__ import annotations

from datetime import datetime, timedelta

from broadsheet.editions import queries as editions
from broadsheet.editions.queries import Edition
from broadsheet.editions.rules import Kind
from broadsheet.following.rules.delivering import FRESH
from broadsheet.following.rules.subscribing import Cadence

# Among so many of the latest it is looked for: an empty or a mistaken one may be later.
_LOOKED_AT = 10


def awaited(cadence: Cadence, now: datetime) -> Edition | None:
    """The edition of today that lacks something which its source announced; None where there is no such one."""
    if cadence is not Cadence.DAY:
        return None
    found = editions.archive(Kind.DAY, before=now.date() + timedelta(days=1), limit=1)
    return found[0] if found and editions.unfinished(found) else None


def newest(cadence: Cadence, now: datetime) -> Edition | None:
    """The newest edition of a cadence to which nothing is expected to come; None without one, or where it is no news.

    That is one that is closed, or one of a day whose list is complete: arXiv announces on the evening before the day
    that its list is dated, and a reader wants it with her breakfast of that day, not of the next.
    """
    today = now.date()
    found = editions.archive(Kind(cadence.value), before=today + timedelta(days=1), limit=_LOOKED_AT)
    ready = editions.ready(found)
    edition = next((edition for edition in found if edition.id in ready), None)
    return edition if edition is not None and today - edition.end <= FRESH[cadence] else None
