"""Questions about editions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from broadsheet.editions.models import Edition as Row
from broadsheet.editions.models import EditionEntry, JournalCursor
from broadsheet.editions.rules import ANNOUNCEMENT_ZONE, DAY_OF_NEWS, REASONS, RECENT_DAYS, Basis, Kind
from broadsheet.papers import queries as papers


@dataclass(frozen=True, slots=True)
class Edition:
    """A published list. `basis` says how many of its entries are there by which date."""

    id: int
    kind: Kind
    label: str
    number: int
    start: date
    end: date
    published_at: datetime
    open: bool
    size: int
    late: int
    basis: dict[Basis, int]

    @property
    def state(self) -> str:
        """``shipped`` for the edition that comes with the program, else ``unverified``: nobody counted for us yet."""
        return "shipped" if self.kind is Kind.FIRST else "unverified"


@dataclass(frozen=True, slots=True)
class Entry:
    """A paper's place in an edition, with the sentences that say why."""

    paper_id: int
    rank: int
    score: float
    reasons: list[str]
    basis: Basis
    late: bool


@dataclass(frozen=True, slots=True)
class Audit:
    """What is known, and what is not, about the completeness of an edition: one line, and the facts behind it."""

    line: str
    state: str
    facts: list[tuple[str, str]]


def front() -> Edition | None:
    """The edition for the front page: the newest day of news, else the first edition, else the newest of any kind.

    A day of news has announced papers, and is either recent or has several of them (`rules.RECENT_DAYS`,
    `rules.DAY_OF_NEWS`).
    """
    # What is announced in the evening carries the next day's date; a later date is somebody's mistake.
    printed = Row.objects.filter(size__gt=0, start__lte=_today() + timedelta(days=1)).order_by("-start")
    days = printed.filter(kind=Kind.DAY)
    row = (
        days.filter(
            Q(announced__gte=DAY_OF_NEWS) | Q(announced__gt=0, start__gte=_today() - timedelta(days=RECENT_DAYS))
        ).first()
        or printed.filter(kind=Kind.FIRST).first()
        or days.first()
        or printed.filter(kind=Kind.MONTH).first()
    )
    return _edition(row) if row else None


def _today() -> date:
    return timezone.now().astimezone(ANNOUNCEMENT_ZONE).date()


def edition_of(kind: Kind, label: str) -> Edition | None:
    """The edition of a kind and label; None when it was never printed, or is empty again."""
    row = Row.objects.filter(kind=kind, label=label, size__gt=0).first()
    return _edition(row) if row else None


def entries(edition: Edition, *, offset: int = 0, limit: int = 60) -> list[Entry]:
    """A part of the list, in the order of its ranks. A paper merged into another one of the list is not repeated."""
    rows = list(
        EditionEntry.objects.filter(edition=edition.id, rank__gt=offset, rank__lte=offset + limit).order_by("rank")
    )
    roots = papers.canonical(row.paper_id for row in rows)
    moved = {root for paper, root in roots.items() if paper != root}
    shown = set(EditionEntry.objects.filter(edition=edition.id, paper__in=moved).values_list("paper_id", flat=True))
    return [_entry(row, roots[row.paper_id]) for row in rows if row.paper_id not in _repeated(roots, shown)]


def neighbours(edition: Edition) -> tuple[Edition | None, Edition | None]:
    """The editions of the same kind before and after, by the periods that they cover."""
    same = Row.objects.filter(kind=edition.kind, size__gt=0)
    before = same.filter(start__lt=edition.start).order_by("-start").first()
    after = same.filter(start__gt=edition.start).order_by("start").first()
    return (_edition(before) if before else None, _edition(after) if after else None)


def archive(kind: Kind, *, before: date | None = None, limit: int = 60) -> list[Edition]:
    """Editions of a kind, the latest period first; with `before`, those that begin earlier."""
    rows = Row.objects.filter(kind=kind, size__gt=0)
    if before is not None:
        rows = rows.filter(start__lt=before)
    return [_edition(row) for row in rows.order_by("-start")[:limit]]


def counts() -> dict[Kind, int]:
    """How many editions of each kind were published."""
    return {kind: Row.objects.filter(kind=kind, size__gt=0).count() for kind in Kind}


def sizes(kind: Kind, last: int = 60) -> list[tuple[str, int]]:
    """Label and size of the `last` latest editions of a kind, the earliest of them first."""
    rows = Row.objects.filter(kind=kind, size__gt=0).order_by("-start").values_list("label", "size")[:last]
    return list(reversed(rows))


def places(paper_id: int) -> list[tuple[Edition, Entry]]:
    """Where a shown paper, or one merged into it, stands in editions, the earliest first."""
    members = papers.families([paper_id])[paper_id]
    rows = (
        EditionEntry.objects.filter(paper__in=members, rank__isnull=False)
        .select_related("edition")
        .order_by("edition__start", "id")
    )
    return [(_edition(row.edition), _entry(row, paper_id)) for row in rows]


def behind() -> int:
    """How much is to be done: entries of the journal that were not read, and editions that were not printed."""
    row = JournalCursor.objects.first()
    return papers.unread(row.seq if row else 0) + Row.objects.filter(pending=True).count()


def audit(edition: Edition) -> Audit:
    """What can be said about the edition's completeness today, without claiming more than was checked."""
    count = f"{edition.size:,} {'paper' if edition.size == 1 else 'papers'}"
    if edition.kind is Kind.FIRST:
        line = f"{count} that come with Broadsheet. A collection to begin with, not a day's news."
    else:
        line = f"{count}. {_dated(edition)} Not checked against the sources' own counts."
    facts = [
        ("Dated by announcement", f"{edition.basis[Basis.ANNOUNCED]:,}"),
        ("Dated by submission, announcement unknown", f"{edition.basis[Basis.SUBMITTED]:,}"),
        ("Known to the month only", f"{edition.basis[Basis.MONTH]:,}"),
        ("Come with the program", f"{edition.basis[Basis.SHIPPED]:,}"),
        ("Arrived after the edition closed", f"{edition.late:,}"),
        ("Merged into another paper since", f"{_merged(edition):,}"),
        ("Number announced", "not known: no source has been asked"),
    ]
    return Audit(line, edition.state, facts)


def _merged(edition: Edition) -> int:
    return EditionEntry.objects.filter(edition=edition.id, paper__merged_into__isnull=False).count()


# How the line tells which date put papers into the edition.
_DATED = {
    Basis.ANNOUNCED: "dated by announcement",
    Basis.SUBMITTED: "dated by submission, the announcement not being known",
    Basis.MONTH: "known to the month only",
    Basis.SHIPPED: "of the collection",
}


def _dated(edition: Edition) -> str:
    there = [basis for basis in _DATED if edition.basis[basis]]
    if len(there) == 1:
        return f"All {_DATED[there[0]]}." if edition.size > 1 else f"{_DATED[there[0]].capitalize()}."
    return "; ".join(f"{edition.basis[basis]:,} {_DATED[basis]}" for basis in there) + "."


def _repeated(roots: dict[int, int], shown: set[int]) -> set[int]:
    """Papers whose winner has a place of its own, and all but the first of those that share a winner without one."""
    seen: set[int] = set()
    repeated = set()
    for paper, root in roots.items():
        if paper != root and (root in shown or root in seen):
            repeated.add(paper)
        seen.add(root)
    return repeated


def _edition(row: Row) -> Edition:
    return Edition(
        id=row.id,
        kind=Kind(row.kind),
        label=row.label,
        number=row.number,
        start=row.start,
        end=row.end,
        published_at=row.published_at,
        open=timezone.now() < row.closes_at,
        size=row.size,
        late=row.late,
        basis={
            Basis.ANNOUNCED: row.announced,
            Basis.SUBMITTED: row.submitted,
            Basis.MONTH: row.by_month,
            Basis.SHIPPED: row.shipped,
        },
    )


def _entry(row: EditionEntry, paper_id: int) -> Entry:
    return Entry(
        paper_id=paper_id,
        rank=row.rank or 0,
        score=row.score,
        reasons=[REASONS[name].text for name in row.reasons],
        basis=Basis(row.basis),
        late=row.late,
    )
