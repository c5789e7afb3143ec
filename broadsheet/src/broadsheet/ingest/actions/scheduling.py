"""The worker's schedule: one step at a time, each a page or two, so that it can end between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from broadsheet.bibliography.identifiers import Identifier, Scheme
from broadsheet.fetching.answers import Client
from broadsheet.ingest.actions import auditing, following
from broadsheet.ingest.actions.following import Followed
from broadsheet.ingest.actions.harvesting import LOOK_UP, Stop, find, harvest
from broadsheet.ingest.actions.ledger import announcer_of
from broadsheet.ingest.models import DayCheck, Place
from broadsheet.ingest.rules import State, days, schedule
from broadsheet.ingest.rules.auditing import PATIENCE
from broadsheet.ingest.rules.schedule import Standing
from broadsheet.sources import registry
from broadsheet.sources.base import Findable, Harvestable

PAGES = 2  # of a harvest in one step
LOOKED_UP = 100  # works in one step
# How long ago a first harvest begins.
FIRST = timedelta(days=7)
# The source that shows the lists of the past days, and how far it reaches back for certain.
_SHOWS_THE_WEEK = "arxiv-listing"
_WEEK = timedelta(days=6)
# The longest time between two lists that is usual.
_LONG_WEEKEND = timedelta(days=4)
# How long a day is watched. Who was away for longer asks for the days himself.
HORIZON = timedelta(days=60)
_GOOD = (str(State.COMPLETE), str(State.EMPTY))


def step(client: Client, *, now: datetime, stop: Stop = lambda: False) -> bool:
    """Do the most urgent thing that is due; whether there may be more to do at once. Raises database errors.

    A harvest ends between two pages when `stop()` says so.

    With nothing followed this asks the database nothing.
    """
    wanted = following.followed()
    if not wanted:
        return False
    if due := _due(wanted, now):
        return _ask(due, client, now, stop)
    watch(now=now)
    return back_fill(client, now=now)


def back_fill(client: Client, *, now: datetime) -> bool:
    """Ask again for what the audits miss, for the latest day that is worth it; whether there was one."""
    ready = days.today(now - PATIENCE)
    rows = DayCheck.objects.exclude(state__in=_GOOD).filter(next_at__lte=now, day__range=(ready - HORIZON, ready))
    row = rows.order_by("-day").first()
    if row is None:
        return False
    asked = _fill(row.day, client, now)
    auditing.audit_day(row.day, now=now)
    auditing.note_try(row.day, now=now, asked=asked)
    return True


def _due(wanted: Iterable[Followed], now: datetime) -> Followed | None:
    """The source and set to be asked first, if any is due."""
    standings = _standings()
    due = [one for one in wanted if schedule.is_due(one.source.name, standings[one.source.name, one.set_name], now)]
    return min(due, key=_precedence, default=None)


def _standings() -> Mapping[tuple[str, str], Standing]:
    """How asking each set of each source went; one that was never asked is as new."""
    found = defaultdict(Standing)
    for row in Place.objects.all():
        found[row.source, row.set_name] = Standing(
            row.tried_at, row.answered_at, row.newest, row.unfinished, row.failures, row.resting_until
        )
    return found


def _precedence(one: Followed) -> tuple[int, str, str]:
    order = schedule.PRECEDENCE
    place = order.index(one.source.name) if one.source.name in order else len(order)
    return place, one.source.name, one.set_name


def first_day(now: datetime) -> date:
    """The day with which a set begins that was never harvested: a week ago, or as far back as lists are known.

    Years are for who names a day.
    """
    return min((*following.beginnings().values(), days.today(now) - FIRST))


def _ask(one: Followed, client: Client, now: datetime, stop: Stop) -> bool:
    """Harvest a page or two of it. Where another process does so already there is nothing to do here."""
    done = harvest(
        one.source,
        client,
        set_name=one.set_name,
        first=first_day(now),
        now=now,
        pages=PAGES,
        stop=stop,
        wait=False,
    )
    return done is not None


def watch(*, now: datetime) -> None:
    """Audit the days that nobody looked at yet, and those that are not settled."""
    newest = days.shown(now)
    start = max(min((*following.beginnings().values(), newest)), newest - HORIZON)
    known = dict(DayCheck.objects.filter(day__gte=start).values_list("day", "checked_at"))
    fresh = [day for day in days.last((newest - start).days + 1, newest) if day not in known]
    unsettled = DayCheck.objects.filter(day__gte=start, next_at__isnull=False).exclude(state__in=_GOOD)
    stale = unsettled.filter(checked_at__lte=now - schedule.AGAIN).values_list("day", flat=True)
    if due := {*fresh, *stale}:
        auditing.audit_days(sorted(due), now=now)


# --- Filling what is missing -----------------------------------------------------------------------------------------


def _fill(day: date, client: Client, now: datetime) -> bool:
    """Ask for what the day lacks: for works by name, else for its lists as long as they are shown; whether anybody
    could be asked.

    The records of older days come by OAI-PMH, whose cursor stands where the last harvest ended, however long ago.
    """
    standings = _standings()
    lacking = auditing.missing(day)
    asked = [_look_up(announcer, works[:LOOKED_UP], client, now) for announcer, works in lacking.items()]
    if lacking or day < days.today(now) - _WEEK:
        return any(asked) or not lacking
    for one in following.followed():
        place = (one.source.name, one.set_name)
        if one.source.name == _SHOWS_THE_WEEK and schedule.may_ask_again(standings[place], now):
            # Together with the list before it: an answer that has that one and the next shows that there was none.
            since = day - _LONG_WEEKEND
            asked.append(bool(harvest(one.source, client, set_name=one.set_name, since=since, now=now, wait=False)))
    return any(asked)


def _look_up(announcer: str, works: Sequence[Identifier], client: Client, now: datetime) -> bool:
    """Look works up at one source of the announcer after the other, until all are found; whether any was asked."""
    standings = _standings()
    asked = False
    for finder in _finders(announcer, works[0].scheme):
        if not schedule.may_ask(standings[finder.name, LOOK_UP], now):
            continue
        asked = True
        report = find(finder, client, works, now=now)
        found = auditing.held(works)
        works = [work for work in works if work not in found]
        if not works or report.failure:
            break
    return asked


def _finders(announcer: str, scheme: Scheme) -> list[Findable]:
    """The sources that look works up for an announcer; those that do nothing else know best how to ask for many."""
    found = [source for source in registry.finders(scheme) if announcer_of(source.name) == announcer]
    return sorted(found, key=lambda source: isinstance(source, Harvestable))
