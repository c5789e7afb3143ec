"""Publishing editions from the journal of papers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson
from django.db.models import Count, Max, Q
from django.utils import timezone

from broadsheet.editions import rules
from broadsheet.editions.models import Edition, EditionEntry, JournalCursor
from broadsheet.editions.rules import Basis, Facts, Kind, Period, Ranked
from broadsheet.evidence import queries as evidence
from broadsheet.papers import queries as papers
from broadsheet.storage import among, insert_rows, timestamp, update_rows, writing

# The source whose papers make the first edition.
STARTER = "catalogue"


# Entries that one call prints at most, unless a single edition has more: about a second of work.
SHEETS = 10_000


@dataclass(frozen=True, slots=True)
class Published:
    """What one call did: entries of the journal read, editions printed, late papers added to closed ones."""

    read: int
    editions: int
    late: int

    @property
    def more(self) -> bool:
        """Whether there may be more to do: a call that did nothing has nothing left."""
        return bool(self.read or self.editions)


def publish_pending(*, now: datetime | None = None, limit: int = 5000) -> Published:
    """Do one step, in one transaction: enlist the next `limit` entries of the journal, or else print editions.

    Editions are printed when the journal has been read to its end, the latest first, so that a long harvest ranks each
    of them once. Open editions are ranked anew; closed ones keep their ranks and get what is late at the end.
    """
    at = now or timezone.now()
    with writing():
        cursor, _ = JournalCursor.objects.get_or_create(id=1, defaults={"seq": 0})
        changes = papers.changes(after=cursor.seq, limit=limit)
        if not changes:
            return _print(at)
        _enlist({change.paper_id for change in changes}, at)
        cursor.seq = changes[-1].seq
        cursor.save(update_fields=["seq"])
        return Published(len(changes), 0, 0)


def _enlist(changed: set[int], at: datetime) -> None:
    """Put changed papers on the lists that they belong on, and take them off open ones that they left."""
    shown = set(papers.canonical(changed).values())
    wanted = _wanted(_facts(shown), at)
    rows = {_period(row): row for row in _editions_for(wanted, at)}
    places = {(rows[period].id, paper): basis for period, known in wanted.items() for paper, basis in known.items()}
    for place in _standing_already(shown, {row.id for row in rows.values() if not _is_open(row, at)}):
        places.pop(place, None)
    left = [
        (entry, edition)
        for entry, edition, paper, basis in EditionEntry.objects.filter(
            Q(edition__closes_at__gt=at) | Q(edition__size=0), among("paper", changed | shown)
        ).values_list("id", "edition", "paper", "basis")
        if places.get((edition, paper)) != basis
    ]
    EditionEntry.objects.filter(among("id", [entry for entry, _ in left])).delete()
    insert_rows(
        EditionEntry,
        ("edition_id", "paper_id", "rank", "score", "reasons", "basis", "late"),
        [(edition, paper, None, 0, "[]", str(basis), False) for (edition, paper), basis in places.items()],
        ignore=True,
    )
    pending = {*(row.id for row in rows.values()), *(edition for _, edition in left)}
    Edition.objects.filter(among("id", pending)).update(pending=True)


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
            sources=len(standing.stated_by),
            runnable=best.get(paper_id, ""),
            shipped=STARTER in standing.stated_by,
        )
        for paper_id, standing in papers.standings(ids).items()
    }


_PREFERRED = ("yes", "partly", "no")


def _wanted(facts: Mapping[int, Facts], at: datetime) -> dict[Period, dict[int, Basis]]:
    """The editions that the papers belong in."""
    wanted: dict[Period, dict[int, Basis]] = defaultdict(dict)
    shipped = {paper: Basis.SHIPPED for paper, known in facts.items() if known.shipped}
    for paper, known in facts.items():
        for period, basis in rules.periods(known):
            wanted[period][paper] = basis
    if shipped:
        wanted[_first_period(at)] = shipped
    return wanted


def _first_period(at: datetime) -> Period:
    row = Edition.objects.filter(kind=Kind.FIRST).first()
    day = row.start if row else at.astimezone(rules.ANNOUNCEMENT_ZONE).date()
    return Period(Kind.FIRST, "first", day, day)


def _standing_already(shown: Collection[int], closed: Collection[int]) -> set[tuple[int, int]]:
    """(edition, paper) where a paper merged into that one has a place that was printed and stays."""
    member_of = {member: root for root, family in papers.families(shown).items() for member in family[1:]}
    entries = EditionEntry.objects.filter(among("edition", closed), among("paper", member_of))
    return {(edition, member_of[paper]) for edition, paper in entries.values_list("edition", "paper")}


@dataclass
class _Sheet:
    """An edition about to be printed: all its papers if it is open, only the late ones if it is closed."""

    row: Edition
    papers: dict[int, Basis]
    is_open: bool

    @property
    def late(self) -> int:
        return self.row.late + (0 if self.is_open else len(self.papers))

    def ranked(self, facts: Mapping[int, Facts]) -> list[Ranked]:
        first = 1 if self.is_open else self.row.size + 1
        return rules.rank((facts[paper] for paper in self.papers), first=first)


def _print(at: datetime) -> Published:
    """Rank and number pending editions, as many as one call should."""
    sheets = _sheets(at)
    facts = _facts({paper for sheet in sheets for paper in sheet.papers})
    EditionEntry.objects.filter(among("edition", [sheet.row.id for sheet in sheets if sheet.is_open])).delete()
    EditionEntry.objects.filter(among("edition", [sheet.row.id for sheet in sheets]), rank__isnull=True).delete()
    _insert_entries(sheets, facts)
    _recount(sheets, at)
    return Published(0, len(sheets), sum(len(sheet.papers) for sheet in sheets if not sheet.is_open))


def _sheets(at: datetime) -> list[_Sheet]:
    """The pending editions that this call prints, the latest first, with the papers to be ranked."""
    pending = Edition.objects.filter(pending=True).order_by("-end", "id")[:1000]
    sizes = EditionEntry.objects.filter(among("edition", [row.id for row in pending])).values("edition")
    counts = dict(sizes.annotate(entries=Count("id")).values_list("edition", "entries"))
    sheets: dict[int, _Sheet] = {}
    entries = 0
    for row in pending:
        entries += counts.get(row.id, 0)
        if sheets and entries > SHEETS:
            break
        sheets[row.id] = _Sheet(row, {}, is_open=_is_open(row, at))
    found = EditionEntry.objects.filter(among("edition", sheets))
    for edition, paper, basis, rank in found.values_list("edition", "paper", "basis", "rank"):
        if sheets[edition].is_open or rank is None:
            sheets[edition].papers[paper] = Basis(basis)
    return list(sheets.values())


def _is_open(row: Edition, at: datetime) -> bool:
    """Whether ranks may still move; those of an edition that was never printed may, however late it is."""
    return at < row.closes_at or row.size == 0


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
                published_at=at, closes_at=rules.closes_at(period.end, at),
                size=0, announced=0, submitted=0, by_month=0, shipped=0, late=0, pending=True,
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
    update_rows(
        Edition,
        (*_COUNTS, "late", "published_at", "closes_at", "pending"),
        [(*_counts(sheet), sheet.late, *_times(sheet.row, at), False, sheet.row.id) for sheet in sheets],
    )


def _times(row: Edition, at: datetime) -> tuple[str, str]:
    """When the edition was first printed, and when it closes."""
    if row.size:
        return timestamp(row.published_at), timestamp(row.closes_at)
    return timestamp(at), timestamp(rules.closes_at(row.end, at))


_COUNTS = ("size", "announced", "submitted", "by_month", "shipped")


def _counts(sheet: _Sheet) -> list[int]:
    basis = Counter(sheet.papers.values())
    printed = (
        len(sheet.papers), basis[Basis.ANNOUNCED], basis[Basis.SUBMITTED], basis[Basis.MONTH], basis[Basis.SHIPPED],
    )  # fmt: skip
    before = [0 if sheet.is_open else getattr(sheet.row, name) for name in _COUNTS]
    return [old + new for old, new in zip(before, printed, strict=True)]
