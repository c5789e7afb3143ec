"""Auditing days: gathering the evidence, judging it, and keeping the judgement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta

from django.db.models import Count, Max, Min

from broadsheet.bibliography.identifiers import Identifier, Scheme
from broadsheet.ingest.actions import following
from broadsheet.ingest.actions.ledger import NEWS
from broadsheet.ingest.models import AnnouncedList, Announcement, DayCheck, Estimate, ListCount, Place, Withdrawal
from broadsheet.ingest.rules import DayAudit, State, auditing
from broadsheet.ingest.rules.auditing import Asked, Evidence
from broadsheet.papers import queries as papers
from broadsheet.sources import registry
from broadsheet.storage import among, writing

# After how many back-fills that changed nothing how long is waited for the next one; after the last, for ever.
_PAUSES = tuple(timedelta(minutes=minutes) for minutes in (30, 30, 30, 60, 120, 240, 480, 1440, 1440, 1440, 1440))
_GOOD = frozenset({State.COMPLETE, State.EMPTY})


@dataclass
class _List:
    """The list of a section as it is stored."""

    counts: dict[str, int] = field(default_factory=dict)
    named: dict[Identifier, bool] = field(default_factory=dict)


def audit_day(day: date, *, now: datetime) -> DayAudit:
    """Audit a day from everything that is known now, keep the result, and return it. Its cost grows with the day."""
    return audit_days([day], now=now)[day]


def audit_days(days: Collection[date], *, now: datetime) -> dict[date, DayAudit]:
    """Audit each day as `audit_day` does. Days before anything was followed are not kept."""
    with writing():
        evidence = {day: _evidence(day) for day in days}
        result = {day: auditing.audit(day, known, now=now) for day, known in evidence.items()}
        for day, found in result.items():
            if evidence[day]:
                _keep(found, now)
    return result


def missing(day: date) -> dict[str, list[Identifier]]:
    """The works that were announced for the day and are not held, for each announcer."""
    works: dict[str, set[Identifier]] = defaultdict(set)
    for (announcer, _), known in _lists(day, following.sections_of(day)).items():
        works[announcer] |= {work for work, held in known.named.items() if not held}
    return {announcer: sorted(its) for announcer, its in works.items() if its}


def _keep(found: DayAudit, now: datetime) -> None:
    """Store the audit. One that says something new is worth another back-fill at once."""
    said = {
        "state": str(found.state),
        "reason": found.reason,
        "lines": [{**asdict(line), "missing": list(line.missing)} for line in found.lines],
        "failed": list(found.failed),
    }
    row = DayCheck.objects.filter(day=found.day).first()
    tries = row.tries if row and row.state == said["state"] and row.lines == said["lines"] else 0
    due = None if found.state in _GOOD else now if row is None or not tries else row.next_at
    DayCheck.objects.update_or_create(
        day=found.day, defaults={**said, "checked_at": now, "tries": tries, "next_at": due}
    )


def note_try(day: date, *, now: datetime, asked: bool) -> None:
    """Note that a back-fill of the day was tried, and when the next one is worth while if nothing changes.

    One for which nobody could be `asked` does not count.
    """
    with writing():
        row = DayCheck.objects.get(day=day)
        pause = _PAUSES[row.tries] if asked and row.tries < len(_PAUSES) else None if asked else _PAUSES[0]
        row.next_at = now + pause if pause else None
        row.tries += asked
        row.save(update_fields=["tries", "next_at"])


def _evidence(day: date) -> list[Evidence]:
    """What is known of each followed section of the day. The number of questions depends on the sections only."""
    followed = following.sections_of(day)
    lists = _lists(day, followed)
    asked = _asked(followed)
    estimated = dict(Estimate.objects.filter(day=day).values_list("announcer").annotate(works=Count("id")).order_by())
    passed = _passed_over(day)
    found = []
    for announcer, section in followed:
        known = lists.get((announcer, section), _List())
        found.append(
            Evidence(
                announcer=announcer,
                section=section,
                counts=known.counts,
                named={work.key: held for work, held in known.named.items()},
                asked=asked[announcer, section],
                estimated=estimated.get(announcer, 0),
                passed_over=(announcer, section) in passed,
            )
        )
    return found


def _lists(day: date, followed: Iterable[tuple[str, str]]) -> dict[tuple[str, str], _List]:
    """The followed lists of the day: what each witness counted, and which works are named and held."""
    wanted = set(followed)
    rows = AnnouncedList.objects.filter(day=day).values_list("id", "announcer", "section")
    lists = {number: (announcer, section) for number, announcer, section in rows if (announcer, section) in wanted}
    result = {key: _List() for key in lists.values()}
    for of, source, kind, number in ListCount.objects.filter(among("list", lists)).values_list(
        "list", "source", "kind", "number"
    ):
        if kind in ("", *NEWS):
            counts = result[lists[of]].counts
            counts[source] = counts.get(source, 0) + number
    lines = Announcement.objects.filter(among("list", lists), kind__in=NEWS).values_list("list", "scheme", "value")
    named = [(lists[of], Identifier(Scheme(scheme), value)) for of, scheme, value in lines]
    present = held({work for _, work in named}, by=day)
    for key, work in named:
        result[key].named[work] = work in present
    return result


def held(works: Collection[Identifier], *, by: date = date.max) -> set[Identifier]:
    """Those that a reader of the edition of the day `by`, or of an earlier one, finds there, and those whose records
    their origin deleted.
    """
    owners = papers.identified(works)
    shown = papers.by_ids(set(owners.values()))
    gone = Withdrawal.objects.filter(among("value", [work.value for work in works]))
    return {
        *(work for work, paper in owners.items() if (shown[paper].announced or date.max) <= by),
        *(Identifier(Scheme(scheme), value) for scheme, value in gone.values_list("scheme", "value")),
    }


def _asked(followed: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], list[Asked]]:
    """How asking the sources of each followed section went."""
    result: dict[tuple[str, str], list[Asked]] = defaultdict(list)
    sources = registry.harvesters()
    for place in Place.objects.order_by("source"):
        source = sources.get(place.source)
        if source is None:
            continue
        key = (source.announcer, place.set_name)
        result[key].append(
            Asked(place.source, source.title, place.answered_at, place.newest, place.failure, tuple(place.warnings))
        )
    return result


def _passed_over(day: date) -> set[tuple[str, str]]:
    """The sections of which one answer counted days before and after this one, and not this one."""
    near = timedelta(days=7)
    rows = ListCount.objects.filter(list__day__range=(day - near, day + near))
    spans = rows.values("run", "list__announcer", "list__section").annotate(
        first=Min("list__day"), last=Max("list__day")
    )
    around = {
        (row["run"], row["list__announcer"], row["list__section"])
        for row in spans.order_by()
        if row["first"] < day < row["last"]
    }
    on = set(rows.filter(list__day=day).values_list("run", "list__announcer", "list__section"))
    return {(announcer, section) for _, announcer, section in around - on}
