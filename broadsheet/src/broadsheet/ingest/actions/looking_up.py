"""Looking one work up: at one source of its kind of identifier after the other, until one of them has it."""

from __future__ import annotations

from datetime import datetime

from broadsheet.bibliography.identifiers import Identifier
from broadsheet.fetching.answers import Client
from broadsheet.ingest.actions.harvesting import LOOK_UP, find
from broadsheet.ingest.models import Place
from broadsheet.ingest.rules import schedule
from broadsheet.ingest.rules.schedule import Standing
from broadsheet.papers import queries as papers
from broadsheet.sources import registry

RESTS = "rests at the moment, because it asked for that or did not answer"
HAS_NOT = "does not have it"


def look_up(work: Identifier, client: Client, *, now: datetime) -> tuple[str, ...]:
    """Ask for a work and store what is said of it. Returns nothing once it is held, else why not, by each source.

    Sources that need a key are not asked, and those that rest are left alone. Raises database errors.
    """
    said = []
    for finder in registry.finders(work.scheme):
        if getattr(finder, "needs_key", None):
            continue
        place = Place.objects.filter(source=finder.name, set_name=LOOK_UP).first()
        if place and not schedule.may_ask(_standing(place), now):
            said.append(f"{finder.title} {RESTS}")
            continue
        failure = find(finder, client, [work], now=now).failure
        if papers.identified([work]):
            return ()
        said.append(failure.rstrip(".") if failure else f"{finder.title} {HAS_NOT}")
    return tuple(said)


def _standing(row: Place) -> Standing:
    return Standing(row.tried_at, row.answered_at, row.newest, row.unfinished, row.failures, row.resting_until)
