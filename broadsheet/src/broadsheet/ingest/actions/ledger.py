"""The ledger: what was announced, by whom, on which day, and which day each work therefore belongs to.

All of this is called inside the transaction that stores the page which says it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial

from django.db.models import Min

from broadsheet.bibliography import identifiers
from broadsheet.bibliography.identifiers import Identifier, Scheme
from broadsheet.bibliography.record import Record
from broadsheet.ingest.models import AnnouncedList, Announcement, Estimate, ImportRun, ListCount, Withdrawal
from broadsheet.ingest.rules import dating
from broadsheet.papers import queries as papers
from broadsheet.papers.actions import Stored, store_many
from broadsheet.sources import registry
from broadsheet.sources.base import Announcement as Announced
from broadsheet.sources.base import AnnouncementKind, Count, Page, Sighting
from broadsheet.storage import among, insert_rows, timestamp, update_rows

# What dates a work. A replacement is a version, not news.
NEWS = (AnnouncementKind.NEW, AnnouncementKind.CROSS)
# The announcer whose identifiers rise with the days of a month.
_NUMBERS_RISE = "arxiv"

# How long after the end of a month a list may come that was closed in it, holidays included.
_WEEKEND = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Noted:
    """What a page added: the days whose lists or papers changed, and how many works it announced as news."""

    days: frozenset[date]
    announced: int
    stored: Stored


def note(page: Page, *, announcer: str, source: str, run: ImportRun, at: datetime) -> Noted:
    """Write down what a page announces, and store its records on the days that they belong to."""
    records = [item for item in page.items if isinstance(item, Record)]
    if not announcer:
        return Noted(frozenset(), 0, store_many(records, at=at))
    lists = _lists(announcer, page)
    announced = _announce(lists, page.announcements, run)
    _count(lists, page.counts, source, run, at)
    _withdraw(announcer, page.deleted, at)
    subjects = [_subject(record, announcer, page) for record in records]
    works = {subject for subject in subjects if subject}
    news = {line.identifier for line in announced if line.kind in NEWS}
    moved = _estimate(announcer, page.sightings, works, news)
    days = days_of(announcer, works | news)
    stored = store_many(map(partial(_dated, days), records, subjects), at=at)
    changed = _date_again(announcer, moved | {work: day for work, day in days.items() if work in news}, at)
    touched = {line.day for line in announced} | {count.day for count in page.counts} | {*days.values()} | changed
    return Noted(frozenset(touched), len(news), stored)


def days_of(announcer: str, works: Collection[Identifier]) -> dict[Identifier, date]:
    """The day that each work belongs to: that of the first list which names it as new or cross, else its estimate."""
    values = [work.value for work in works]
    guessed = Estimate.objects.filter(among("value", values), announcer=announcer, day__isnull=False)
    found = {
        _identifier(scheme, value): day
        for scheme, value, day in guessed.values_list("scheme", "value", "day")
        if day is not None
    }
    found.update(listed(announcer, values))
    return {work: found[work] for work in works if work in found}


def listed(announcer: str, values: Iterable[str]) -> dict[Identifier, date]:
    """The day of the first list that names each work as new or cross; a work that none names is absent."""
    rows = Announcement.objects.filter(among("value", values), kind__in=NEWS, list__announcer=announcer)
    first = rows.values_list("scheme", "value").annotate(day=Min("list__day")).order_by()
    return {_identifier(scheme, value): day for scheme, value, day in first}


def dated(records: Sequence[Record]) -> list[Record]:
    """The records of a file, each with the day that the ledger knows for it. Two questions for each announcer."""
    announcers = {source: announcer_of(source) for source in {record.source for record in records}}
    subjects = [identifiers.best(record.identifiers) if announcers[record.source] else None for record in records]
    works: dict[str, set[Identifier]] = defaultdict(set)
    for record, subject in zip(records, subjects, strict=True):
        if subject:
            works[announcers[record.source]].add(subject)
    days = {announcer: days_of(announcer, its) for announcer, its in works.items()}
    return [
        _dated(days[announcers[record.source]], record, subject) if subject else record
        for record, subject in zip(records, subjects, strict=True)
    ]


def announcer_of(source: str) -> str:
    """Whose announcements the source of that name speaks of; empty for none.

    One that only looks works up, or reads files, belongs to the announcer that is the first word of its name.
    """
    harvesters = registry.harvesters()
    if source in harvesters:
        return harvesters[source].announcer
    word = source.partition("-")[0]
    return word if any(one.announcer == word for one in harvesters.values()) else ""


def _lists(announcer: str, page: Page) -> dict[tuple[date, str], int]:
    """The rows of the lists that the page speaks of, made where they were missing."""
    wanted = {(line.day, line.section) for line in page.announcements}
    wanted |= {(count.day, count.section) for count in page.counts}
    if not wanted:
        return {}
    insert_rows(
        AnnouncedList,
        ("announcer", "day", "section"),
        [(announcer, day.isoformat(), section) for day, section in sorted(wanted)],
        ignore=True,
    )
    rows = AnnouncedList.objects.filter(announcer=announcer, day__in={day for day, _ in wanted})
    return {(row.day, row.section): row.id for row in rows}


def _announce(lists: Mapping[tuple[date, str], int], lines: Iterable[Announced], run: ImportRun) -> list[Announced]:
    """Write down the lines that are new, and return them."""
    known = set(
        Announcement.objects.filter(among("list", set(lists.values()))).values_list("list", "scheme", "value", "kind")
    )
    fresh: dict[tuple[int, str, str, str], Announced] = {}
    for line in lines:
        key = (lists[line.day, line.section], str(line.identifier.scheme), line.identifier.value, str(line.kind))
        if key not in known:
            fresh.setdefault(key, line)
    insert_rows(
        Announcement,
        ("list_id", "scheme", "value", "kind", "version", "run_id"),
        [(*key, line.version, run.id) for key, line in fresh.items()],
        ignore=True,
    )
    return list(fresh.values())


def _count(
    lists: Mapping[tuple[date, str], int], counts: Iterable[Count], source: str, run: ImportRun, at: datetime
) -> None:
    """Put what the source counts now in the place of what it counted before."""
    said = {(lists[count.day, count.section], str(count.kind or "")): count.number for count in counts}
    ListCount.objects.filter(among("list", {of for of, _ in said}), source=source).delete()
    when = timestamp(at)
    insert_rows(
        ListCount,
        ("list_id", "source", "kind", "number", "at", "run_id"),
        [(of, source, kind, number, when, run.id) for (of, kind), number in said.items()],
    )


def _withdraw(announcer: str, deleted: Iterable[Identifier], at: datetime) -> None:
    insert_rows(
        Withdrawal,
        ("announcer", "scheme", "value", "at"),
        [(announcer, str(work.scheme), work.value, timestamp(at)) for work in deleted],
        ignore=True,
    )


def _subject(record: Record, announcer: str, page: Page) -> Identifier | None:
    """The identifier by which the announcer knows the work."""
    if announcer == _NUMBERS_RISE:
        return next((each for each in record.identifiers if each.scheme is Scheme.ARXIV), None)
    named = {line.identifier for line in page.announcements}
    return next((each for each in record.identifiers if each in named), identifiers.best(record.identifiers))


def _dated(days: Mapping[Identifier, date], record: Record, subject: Identifier | None) -> Record:
    day = days.get(subject) if subject else None
    return record if day is None or record.announced == day else replace(record, announced=day)


def _identifier(scheme: str, value: str) -> Identifier:
    return Identifier(Scheme(scheme), value)


# --- Works that no list named ----------------------------------------------------------------------------------------


def _estimate(
    announcer: str, sightings: Iterable[Sighting], held: Collection[Identifier], news: Collection[Identifier]
) -> dict[Identifier, date]:
    """Estimate the days of works that no list named, and those of works whose neighbours became known.

    Returns the days that are other than before.
    """
    if announcer != _NUMBERS_RISE:
        return {}
    seen = {sighting.identifier: sighting for sighting in sightings}
    wanted = [work for work in {*seen, *held} if dating.month_of(work.value)]
    named = listed(announcer, [work.value for work in wanted])
    waiting = {work: seen.get(work) for work in wanted if work not in named}
    _remember(announcer, waiting)
    Estimate.objects.filter(among("value", [work.value for work in news]), announcer=announcer).delete()
    months = {month for work in {*waiting, *news} if (month := dating.month_of(work.value))}
    return _reckon(announcer, months, waiting)


def _remember(announcer: str, works: Mapping[Identifier, Sighting | None]) -> None:
    """Keep what is known of works that wait for a day."""
    rows = Estimate.objects.filter(among("value", [work.value for work in works]), announcer=announcer)
    known = dict(rows.values_list("value", "received_at"))
    later = [
        (timestamp(sighting.submitted_at), work.value)
        for work, sighting in works.items()
        if sighting and work.value in known and known[work.value] != sighting.submitted_at
    ]
    update_rows(Estimate, ("received_at",), later, key="value")
    insert_rows(
        Estimate,
        ("announcer", "scheme", "value", "month", "received_at", "how"),
        [
            (
                announcer, str(work.scheme), work.value, dating.month_of(work.value) or "",
                timestamp(sighting.submitted_at) if sighting else None, "",
            )
            for work, sighting in works.items()
            if work.value not in known
        ],
    )  # fmt: skip


def _reckon(announcer: str, months: Collection[str], waiting: Collection[Identifier]) -> dict[Identifier, date]:
    """Estimate the works of these months anew; the days that are other than before.

    In months before the first list there are no neighbours to learn from, and only those that wait are looked at.
    """
    first = AnnouncedList.objects.filter(announcer=announcer).aggregate(day=Min("day"))["day"]
    living = {month for month in months if first and (span := _span(month)) and span[1] >= first}
    rows = [
        *Estimate.objects.filter(among("month", living), announcer=announcer),
        *Estimate.objects.filter(among("value", [work.value for work in waiting]), announcer=announcer).exclude(
            among("month", living)
        ),
    ]
    by_month: dict[str, dict[str, Estimate]] = defaultdict(dict)
    for row in rows:
        by_month[row.month][row.value] = row
    witnesses = _witnesses(announcer, living & by_month.keys())
    moved: dict[Identifier, date] = {}
    updates = []
    for month, known in by_month.items():
        found = dating.estimates(witnesses.get(month, {}), {value: row.received_at for value, row in known.items()})
        for value, guess in found.items():
            row = known[value]
            if (row.day, row.how) != (guess.day, guess.how):
                updates.append((guess.day.isoformat(), str(guess.how), row.id))
            if row.day != guess.day:
                moved[_identifier(row.scheme, value)] = guess.day
    update_rows(Estimate, ("day", "how"), updates)
    return moved


def _witnesses(announcer: str, months: Collection[str]) -> dict[str, dict[str, date]]:
    """The listed new works of each month of identifiers, and their days."""
    result: dict[str, dict[str, date]] = defaultdict(dict)
    spans = [span for month in months if (span := _span(month))]
    if not spans:
        return result
    rows = Announcement.objects.filter(
        kind=AnnouncementKind.NEW,
        list__announcer=announcer,
        list__day__range=(min(first for first, _ in spans), max(end for _, end in spans)),
    )
    for value, day in rows.values_list("value", "list__day"):
        month = dating.month_of(value)
        if month and month in months:
            first = result[month].get(value)
            result[month][value] = min(day, first) if first else day
    return result


def _span(month: str) -> tuple[date, date] | None:
    """The days whose lists can hold new works of a month of identifiers."""
    if not month.isdigit():
        return None
    first = date(2000 + int(month[:2]), int(month[2:]), 1)
    return first, (first + timedelta(days=32)).replace(day=1) + _WEEKEND


def _date_again(announcer: str, days: Mapping[Identifier, date], at: datetime) -> set[date]:
    """Store again what sources of the announcer said of works whose day became known or better.

    Returns the days that papers left or came to.
    """
    held = papers.identified(days)
    if not held:
        return set()
    roots = papers.canonical(held.values())
    said = papers.statements(set(roots.values()))
    again = []
    touched = set()
    for work, paper in held.items():
        for each in said[roots[paper]]:
            record = each.record
            mine = work in record.identifiers and announcer_of(record.source) == announcer
            if mine and record.announced != days[work]:
                touched |= {days[work], *([record.announced] if record.announced else [])}
                again.append(replace(record, announced=days[work]))
    store_many(again, at=at)
    return touched
