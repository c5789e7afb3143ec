"""When a source is to be asked again: by the calendar of its announcements, and by how asking it went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from broadsheet.ingest.rules import days

# How long after its time a list is looked for, so that it is there.
_HEADWAY = timedelta(minutes=5)
# How often a list that should be there is looked for again.
AGAIN = timedelta(minutes=30)
# How often a feed that did not change by then is looked for: that of a small section may stay empty.
_LATE = timedelta(hours=3)
_SELDOM = timedelta(hours=2)
# How often a source without a calendar is asked.
_USUAL = timedelta(hours=3)
# After so many failures in a row so long is waited; the last stands for all that follow.
_AFTER_FAILURES = tuple(timedelta(minutes=minutes) for minutes in (5, 10, 20, 30))
# arXiv's OAI-PMH server is brought up to date at this time: https://info.arxiv.org/help/oa/index.html
_UPDATED = time(22, 30)


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the harvest of a set is: when it was tried and answered, the newest day told of, whether its list goes
    on, how often it failed in a row, and until when its origin rests.
    """

    tried_at: datetime | None = None
    answered_at: datetime | None = None
    newest: date | None = None
    unfinished: bool = False
    failures: int = 0
    resting_until: datetime | None = None


def is_due(source: str, at: Standing, now: datetime) -> bool:
    """Whether a set of that source is to be asked at the time `now` (with a zone)."""
    if not may_ask(at, now):
        return False
    return at.unfinished or bool(at.failures) or at.tried_at is None or _WHEN.get(source, _usually)(at, now)


def may_ask(at: Standing, now: datetime) -> bool:
    """Whether a set may be asked at all: its origin does not rest, and has been left alone for a while if it failed."""
    if at.resting_until and now < at.resting_until:
        return False
    pause = _AFTER_FAILURES[min(at.failures, len(_AFTER_FAILURES)) - 1] if at.failures else timedelta()
    return _waited(at, now, pause)


def may_ask_again(at: Standing, now: datetime) -> bool:
    """Whether a set may be asked out of turn: also not so soon after it was asked in turn."""
    return may_ask(at, now) and _waited(at, now, AGAIN)


def _listing(at: Standing, now: datetime) -> bool:
    day = days.shown(now - _HEADWAY)
    return _lacks(at, day) and _waited(at, now, AGAIN)


def _feed(at: Standing, now: datetime) -> bool:
    """A feed holds its day's list until midnight, and nothing else."""
    day = days.today(now - _HEADWAY)
    pause = AGAIN if now < days.feed_appears(day) + _LATE else _SELDOM
    return not days.why_empty(day) and _lacks(at, day) and _waited(at, now, pause)


def _nightly(at: Standing, now: datetime) -> bool:
    local = (now - _HEADWAY).astimezone(days.ANNOUNCEMENT_ZONE)
    night = local.date() if local.time() >= _UPDATED else local.date() - timedelta(days=1)
    updated = datetime.combine(night, _UPDATED, days.ANNOUNCEMENT_ZONE) + _HEADWAY
    return at.answered_at is None or at.answered_at < updated


def _usually(at: Standing, now: datetime) -> bool:
    return _waited(at, now, _USUAL)


def _lacks(at: Standing, day: date) -> bool:
    return at.newest is None or at.newest < day


def _waited(at: Standing, now: datetime, pause: timedelta) -> bool:
    """Whether so long went by since the last attempt; also where that lies ahead, because a clock was put back."""
    return at.tried_at is None or now >= at.tried_at + pause or now < at.tried_at - pause


_WHEN = {"arxiv-listing": _listing, "arxiv-feed": _feed, "arxiv-oai": _nightly}
# The order in which sources are asked that are due at the same time; the others come last.
PRECEDENCE = ("arxiv-listing", "arxiv-feed", "arxiv-oai")
