"""What this instance follows: the sources that it asks, and the sections that its audits speak of."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from django.conf import settings
from django.db.models import Min

from broadsheet.ingest.models import AnnouncedList
from broadsheet.sources import registry
from broadsheet.sources.base import Harvestable


@dataclass(frozen=True, slots=True)
class Followed:
    """A source, and one of its sets that is asked for."""

    source: Harvestable
    set_name: str


def harvesters_of(name: str) -> tuple[Harvestable, ...]:
    """The sources that a name stands for: that one, or all that speak for an announcer of that name.

    Raises LookupError with a sentence that lists the names.
    """
    known = registry.harvesters()
    found = tuple(source for source in known.values() if source.announcer == name)
    if found:
        return found
    if name in known:
        return (known[name],)
    names = sorted({*known, *(source.announcer for source in known.values() if source.announcer)})
    raise LookupError(f"There is no source named {name!r} that can be harvested. There are: {', '.join(names)}.")


def followed() -> list[Followed]:
    """Every source and set that the settings ask for; what is not installed is left out."""
    result: dict[tuple[str, str], Followed] = {}
    for name, sets in settings.BROADSHEET_HARVEST:
        try:
            sources = harvesters_of(name)
        except LookupError:
            continue
        for source in sources:
            for set_name in sets or ("",):
                result.setdefault((source.name, set_name), Followed(source, set_name))
    return list(result.values())


def sections() -> list[tuple[str, str]]:
    """The announcers and sections whose lists are followed; an empty section stands for all of the announcer."""
    pairs = {(one.source.announcer, one.set_name) for one in followed() if one.source.announcer}
    return sorted(pairs)


def sections_of(day: date) -> list[tuple[str, str]]:
    """The sections to audit on a day: those that are followed, and had begun to be by then.

    Of an announcer that is followed as a whole it is those that have a list.
    """
    followed = sections()
    wanted = [pair for pair in followed if pair[1]]
    for announcer in {announcer for announcer, section in followed if not section}:
        rows = AnnouncedList.objects.filter(day=day, announcer=announcer).values_list("announcer", "section")
        wanted += list(rows) or [(announcer, "")]
    begun = beginnings()
    return sorted({pair for pair in wanted if begun.get(pair, day) <= day})


def beginnings() -> dict[tuple[str, str], date]:
    """The day of the first list that is known of each section; that of an announcer's first one under no section."""
    result: dict[tuple[str, str], date] = {}
    rows = AnnouncedList.objects.values_list("announcer", "section").annotate(first=Min("day")).order_by()
    for announcer, section, first in rows:
        result[announcer, section] = first
        result[announcer, ""] = min(first, result.get((announcer, ""), first))
    return result


@contextmanager
def alone(name: str, *, wait: bool) -> Iterator[bool]:
    """Whether no other process of this data folder harvests what goes by that name; if it may `wait`, until then.

    The lock ends with the process, however that ends. Raises OSError when the folder cannot be written.
    """
    path = Path(settings.BROADSHEET_DATA) / f"harvest-{name}.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        os.close(descriptor)
        yield False
        return
    try:
        yield True
    finally:
        os.close(descriptor)
