"""Publishing editions from the journal of papers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson
from django.db.models import Max
from django.utils import timezone

from broadsheet.editions import queries, rules
from broadsheet.editions.models import Edition, EditionEntry, JournalCursor
from broadsheet.editions.rules import Basis, Facts, Kind, Period, Ranked
from broadsheet.evidence import queries as evidence
from broadsheet.papers import queries as papers
from broadsheet.storage import insert_rows, writing

# The source whose papers make the first edition.
STARTER = "catalogue"


@dataclass(frozen=True, slots=True)
class Published:
    """What one call did: entries of the journal read, editions printed or changed, late papers added to closed ones."""

    read: int
    editions: int
    late: int


def publish_pending(*, now: datetime | None = None, limit: int = 5000) -> Published:
    """Bring the next `limit` entries of the journal into the editions, in one transaction with the cursor.

    Open editions are ranked anew; closed ones keep their ranks and get what is late at the end. Again changes nothing.
    """
    at = now or timezone.now()
    with writing():
        cursor, _ = JournalCursor.objects.get_or_create(id=1, defaults={"seq": 0})
        changes = papers.changes(after=cursor.seq, limit=limit)
        if not changes:
            return Published(0, 0, 0)
        changed = {change.paper_id for change in changes}
        touched = set(papers.canonical(changed).values())
        wanted = _wanted(_facts(touched))
        late = _publish(wanted, gone_from=changed | touched, at=at)
        cursor.seq = changes[-1].seq
        cursor.save(update_fields=["seq"])
        return Published(len(changes), len(wanted), late)


def _facts(ids: Collection[int]) -> dict[int, Facts]:
    claims = evidence.for_papers(ids)
    best = {paper: min((claim.runnable for claim in claims[paper]), key=_PREFERRED.index) for paper in claims}
    return {
        paper_id: Facts(
            paper_id=paper_id,
            key=standing.key,
            announced=standing.announced,
            submitted=standing.submitted,
            section=standing.section,
            has_code=standing.has_code,
            has_summary=standing.has_summary,
            sources=standing.sources,
            runnable=best.get(paper_id, ""),
            shipped=STARTER in standing.stated_by,
        )
        for paper_id, standing in papers.standings(ids).items()
    }


_PREFERRED = ("yes", "partly", "no")


def _wanted(facts: Mapping[int, Facts]) -> dict[Period, dict[int, Basis]]:
    """The editions that the papers belong in."""
    wanted: dict[Period, dict[int, Basis]] = defaultdict(dict)
    shipped = {paper: Basis.SHIPPED for paper, known in facts.items() if known.shipped}
    for paper, known in facts.items():
        for period, basis in rules.periods(known):
            wanted[period][paper] = basis
    if shipped:
        wanted[_first_period()] = shipped
    return wanted


def _first_period() -> Period:
    row = Edition.objects.filter(kind=Kind.FIRST).first()
    day = row.start if row else timezone.now().astimezone(rules.ANNOUNCEMENT_ZONE).date()
    return Period(Kind.FIRST, "first", day, day)


@dataclass
class _Sheet:
    """An edition about to be printed: all its papers if it is open, only the late ones if it is closed."""

    row: Edition
    papers: dict[int, Basis]
    is_open: bool

    def ranked(self, facts: Mapping[int, Facts]) -> list[Ranked]:
        first = 1 if self.is_open else self.row.size + 1
        return rules.rank((facts[paper] for paper in self.papers), first=first)


def _publish(wanted: Mapping[Period, Mapping[int, Basis]], *, gone_from: Collection[int], at: datetime) -> int:
    """Write the wanted papers into their editions, and take papers out of open editions that they left."""
    rows = {row.id: row for row in _editions_for(wanted, at)}
    holding = EditionEntry.objects.filter(paper__in=gone_from).values("edition")
    rows.update({row.id: row for row in Edition.objects.filter(id__in=holding, closes_at__gt=at)})
    have = queries.members(rows)
    sheets = [_sheet(row, have[row.id], wanted.get(_period(row), {}), gone_from, at) for row in rows.values()]
    facts = _facts({paper for sheet in sheets for paper in sheet.papers})
    EditionEntry.objects.filter(edition__in=[sheet.row.id for sheet in sheets if sheet.is_open]).delete()
    _insert_entries(sheets, facts)
    _recount(sheets, at)
    return sum(len(sheet.papers) for sheet in sheets if not sheet.is_open)


def _sheet(
    row: Edition, have: Mapping[int, Basis], wanted: Mapping[int, Basis], gone_from: Collection[int], at: datetime
) -> _Sheet:
    if at < row.closes_at:
        return _Sheet(row, {**{p: basis for p, basis in have.items() if p not in gone_from}, **wanted}, is_open=True)
    return _Sheet(row, {p: basis for p, basis in wanted.items() if p not in have}, is_open=False)


def _period(row: Edition) -> Period:
    return Period(Kind(row.kind), row.label, row.start, row.end)


def _editions_for(wanted: Collection[Period], at: datetime) -> list[Edition]:
    """The rows of the editions, those made that were not there yet."""
    found = _existing(wanted)
    missing = sorted(set(wanted) - {_period(row) for row in found})
    if not missing:
        return found
    numbers = Counter({row["kind"]: row["last"] for row in Edition.objects.values("kind").annotate(last=Max("number"))})
    rows = []
    for period in missing:
        numbers[period.kind] += 1
        rows.append(
            Edition(
                kind=period.kind, label=period.label, number=numbers[period.kind], start=period.start, end=period.end,
                published_at=at, changed_at=at, closes_at=rules.closes_at(period.end, at),
                size=0, announced=0, submitted=0, by_month=0, shipped=0, late=0,
            )
        )  # fmt: skip
    Edition.objects.bulk_create(rows)
    return found + _existing(missing)


def _existing(periods: Collection[Period]) -> list[Edition]:
    labels: dict[Kind, list[str]] = defaultdict(list)
    for period in periods:
        labels[period.kind].append(period.label)
    return [row for kind, known in labels.items() for row in Edition.objects.filter(kind=kind, label__in=known)]


def _insert_entries(sheets: Iterable[_Sheet], facts: Mapping[int, Facts]) -> None:
    insert_rows(
        EditionEntry,
        ("edition_id", "paper_id", "rank", "score", "reasons", "basis", "late"),
        [
            (
                sheet.row.id, ranked.paper_id, ranked.rank, ranked.score, orjson.dumps(ranked.reasons).decode(),
                str(sheet.papers[ranked.paper_id]), not sheet.is_open,
            )
            for sheet in sheets
            for ranked in sheet.ranked(facts)
        ],
    )  # fmt: skip


def _recount(sheets: Iterable[_Sheet], at: datetime) -> None:
    """Bring the counts of the editions in line with their entries."""
    changed = []
    for sheet in sheets:
        row, basis = sheet.row, Counter(sheet.papers.values())
        if sheet.is_open:
            row.size = row.announced = row.submitted = row.by_month = row.shipped = 0
        row.size += len(sheet.papers)
        row.announced += basis[Basis.ANNOUNCED]
        row.submitted += basis[Basis.SUBMITTED]
        row.by_month += basis[Basis.MONTH]
        row.shipped += basis[Basis.SHIPPED]
        row.late += 0 if sheet.is_open else len(sheet.papers)
        if sheet.papers or sheet.is_open:
            row.changed_at = at
            changed.append(row)
    fields = ["size", "announced", "submitted", "by_month", "shipped", "late", "changed_at"]
    Edition.objects.bulk_update(changed, fields, batch_size=100)
