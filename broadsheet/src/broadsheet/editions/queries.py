"""Questions about editions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from broadsheet.editions.models import Edition as Row
from broadsheet.editions.models import EditionChange, EditionEntry, JournalCursor, RisingPaper
from broadsheet.editions.rules import ANNOUNCEMENT_ZONE, DAY_OF_NEWS, RECENT_DAYS, Basis, Kind, audits
from broadsheet.editions.rules.audits import Change, Words
from broadsheet.editions.rules.ranking import PARAMETERS, Part, Trend, faded
from broadsheet.ingest import queries as ingest
from broadsheet.ingest.rules import DayAudit, Line, State
from broadsheet.papers import queries as papers
from broadsheet.storage import among
from broadsheet.storage.prepared import Prepared

# Changes of a closed edition that are looked at, and how many of them are told.
_CHANGES_READ = 1000
_CHANGES_TOLD = 20
# For so long a weekend or a holiday explains that the newest edition is of another day.
_FEW_DAYS = 7


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


@dataclass(frozen=True, slots=True)
class Entry:
    """A paper's place in an edition. Its score is the sum of its parts; `reasons` are their sentences."""

    paper_id: int
    rank: int
    score: float
    parts: tuple[Part, ...]
    basis: Basis
    late: bool

    @property
    def reasons(self) -> list[str]:
        """What speaks for it, in sentences without a full stop."""
        return [part.text for part in self.parts]


@dataclass(frozen=True, slots=True)
class Changed:
    """What happened to an edition after it was closed, in words, and when it last did on that day."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the calendar: its edition if there is one, and what is known of how complete that is.

    Where nobody was `asked`, and no calendar tells, nothing is. `failed` are the sentences of checks that failed.
    """

    day: date
    edition: Edition | None
    state: State
    words: Words
    asked: bool
    failed: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The state in a word or two."""
        return audits.LABELS[self.state]


@dataclass(frozen=True, slots=True)
class Audit:
    """What is known, and what is not, about the completeness of an edition, in the words that every door prints.

    `state` is ``shipped`` for the edition that comes with the program, else a State of the ledger. A day has its
    `sections`: what is held of what each announced. A week or a month has its `days`. `failed` are sentences,
    `checked_at` is the last time that anybody looked, `facts` are names and values, and `rule` says what the numbers
    of the sections count.
    """

    state: str
    words: Words
    facts: list[tuple[str, str]]
    sections: tuple[Line, ...] = ()
    days: tuple[Day, ...] = ()
    failed: tuple[str, ...] = ()
    checked_at: datetime | None = None
    changes: tuple[Changed, ...] = ()
    rule: str = ""

    @property
    def line(self) -> str:
        """All of it in one line."""
        return self.words.line


@dataclass(frozen=True, slots=True)
class Listed:
    """A paper in a list of several days: the edition of the day that has it, and its place there."""

    edition: Edition
    entry: Entry


@dataclass(frozen=True, slots=True)
class Verdict:
    """How complete an edition of a day is, as its page says it in one line. `state` is the one of its `Audit`."""

    state: str
    line: str


def front() -> Edition | None:
    """The edition for the front page: the newest day of news, else the first edition, else the newest of any kind.

    A day of news has announced papers, and is either recent or has several of them (`rules.RECENT_DAYS`,
    `rules.DAY_OF_NEWS`).
    """
    # What is announced in the evening carries the next day's date; a later date is somebody's mistake.
    latest = _today() + timedelta(days=1)
    row = (
        _NEWS(latest, _today() - timedelta(days=RECENT_DAYS))
        or _LATEST(latest, Kind.FIRST)
        or _LATEST(latest, Kind.DAY)
        or _LATEST(latest, Kind.MONTH)
    )
    return _edition(row[0]) if row else None


_LATEST = Prepared(
    lambda latest, kind: Row.objects.filter(kind=kind, size__gt=0, start__lte=latest).order_by("-start")[:1]
)
_NEWS = Prepared(
    lambda latest, recent: (
        Row.objects.filter(kind=Kind.DAY, size__gt=0, start__lte=latest)
        .filter(Q(announced__gte=DAY_OF_NEWS) | Q(announced__gt=0, start__gte=recent))
        .order_by("-start")[:1]
    )
)


def _today() -> date:
    return timezone.now().astimezone(ANNOUNCEMENT_ZONE).date()


def edition_of(kind: Kind, label: str) -> Edition | None:
    """The edition of a kind and label; None when it was never printed, or is empty again."""
    if "\0" in label:  # PostgreSQL refuses to look for one
        return None
    row = _LABELLED(kind, label)
    return _edition(row[0]) if row else None


_LABELLED = Prepared(lambda kind, label: Row.objects.filter(kind=kind, label=label, size__gt=0))


def entries(edition: Edition, *, offset: int = 0, limit: int = 60) -> list[Entry]:
    """A part of the list, in the order of its ranks. A paper merged into another one of the list is not repeated."""
    rows = _ENTRIES(edition.id, offset=offset, limit=limit)
    moved = papers.canonical(row.paper_id for row in rows if row.merged_into)
    if not moved:
        return [_entry(row, row.paper_id) for row in rows]
    own = EditionEntry.objects.filter(among("paper", moved.values()), edition=edition.id)
    shown = set(own.values_list("paper_id", flat=True))
    roots = {row.paper_id: moved.get(row.paper_id, row.paper_id) for row in rows}
    repeated = _repeated(roots, shown)
    return [_entry(row, roots[row.paper_id]) for row in rows if row.paper_id not in repeated]


_ENTRIES = Prepared(
    lambda edition, offset, limit: (
        EditionEntry.objects.filter(edition=edition, rank__isnull=False)
        .order_by("rank")
        .annotate(merged_into=F("paper__merged_into"))[offset : offset + limit]
    )
)


def papers_of(edition: Edition) -> list[int]:
    """The shown papers of an edition in the order of its list, each once, without the rest of their entries."""
    printed = EditionEntry.objects.filter(edition=edition.id, rank__isnull=False).order_by("rank")
    ids = list(printed.values_list("paper_id", flat=True))
    roots = papers.canonical(ids)
    return list(dict.fromkeys(roots[paper_id] for paper_id in ids))


def entries_among(edition: Edition, paper_ids: Collection[int]) -> dict[int, Entry]:
    """The entries of some shown papers in an edition, by paper; what was merged into a paper stands for it there."""
    roots = {member: root for root, members in papers.families(paper_ids).items() for member in members}
    rows = EditionEntry.objects.filter(among("paper", roots), edition=edition.id, rank__isnull=False).order_by("rank")
    result: dict[int, Entry] = {}
    for row in sorted(rows, key=lambda row: row.paper_id != roots[row.paper_id]):
        result.setdefault(roots[row.paper_id], _entry(row, roots[row.paper_id]))
    return result


def listed(
    *, since: date | None = None, until: date | None = None, offset: int = 0, limit: int = 60, best_first: bool = False
) -> list[Listed]:
    """Papers of the editions of days, the latest day first and each in its order; `best_first`: most points first.

    `since` and `until` are inclusive. A paper that was merged into one with a day of its own stands at that day only,
    so that one part of the list has no paper of another part, and each has `limit` of them while there are so many.
    """
    days = Row.objects.filter(kind=Kind.DAY, size__gt=0, start__lte=_today() + timedelta(days=1)).order_by("-start")
    if since is not None:
        days = days.filter(start__gte=since)
    if until is not None:
        days = days.filter(start__lte=until)
    reached, moved, repeated = _reached(days, None if best_first else offset + limit)
    if not best_first:
        reached, offset = _window(reached, repeated, offset, limit)
    order = ["-score"] * best_first + ["-edition__start", "rank"]
    by_id = {row.id: _edition(row) for row in reached}
    entries_ = EditionEntry.objects.filter(among("edition", by_id), rank__isnull=False).order_by(*order)
    if repeated:
        entries_ = entries_.exclude(among("id", repeated))
    return [
        Listed(by_id[entry.edition_id], _entry(entry, moved.get(entry.id, (0, entry.paper_id))[1]))
        for entry in entries_[offset : offset + limit]
    ]


def _reached(days: QuerySet[Row], wanted: int | None) -> tuple[list[Row], dict[int, tuple[int, int]], dict[int, int]]:
    """As many of the days as show so many papers, or all of them; with their `_moved` and `_at_another_day`."""
    most = wanted
    while True:
        reached = list(days) if most is None else _holding(days, most)
        moved = _moved(row.id for row in reached)
        repeated = _at_another_day(moved)
        size = sum(row.size for row in reached)
        if wanted is None or most is None or size < most or size - len(repeated) >= wanted:
            return reached, moved, repeated
        most *= 2


def _holding(days: QuerySet[Row], entries_: int) -> list[Row]:
    """As many of the days as hold so many entries, those included that are not shown because their papers moved."""
    reached, size = [], 0
    for row in days[:entries_]:
        reached.append(row)
        size += row.size
        if size >= entries_:
            break
    return reached


def _moved(editions: Iterable[int]) -> dict[int, tuple[int, int]]:
    """The entries of merged papers in these editions, in their order: the edition of each and the paper it is now."""
    rows = list(
        EditionEntry.objects.filter(among("edition", editions), rank__isnull=False, paper__merged_into__isnull=False)
        .order_by("-edition__start", "rank")
        .values_list("id", "edition_id", "paper_id")
    )
    roots = papers.canonical(paper for _, _, paper in rows) if rows else {}
    return {entry: (edition, roots[paper]) for entry, edition, paper in rows}


def _at_another_day(moved: dict[int, tuple[int, int]]) -> dict[int, int]:
    """The entries of merged papers that are shown elsewhere, with their editions: at the day of the paper that they
    are now, or, where that has none, at the latest day of those that became it.
    """
    roots = {root for _, root in moved.values()}
    places_ = EditionEntry.objects.filter(among("paper", roots), rank__isnull=False, edition__kind=Kind.DAY)
    shown = set(places_.values_list("paper_id", flat=True)) if roots else set()
    repeated = {}
    for entry, (edition, root) in moved.items():
        if root in shown:
            repeated[entry] = edition
        shown.add(root)
    return repeated


def _window(days: list[Row], repeated: dict[int, int], offset: int, limit: int) -> tuple[list[Row], int]:
    """The days of which the list from `offset` on shows a paper, and the offset within the first of them."""
    hidden = Counter(repeated.values())
    first, seen = 0, 0
    inside: list[Row] = []
    for row in days:
        size = row.size - hidden[row.id]
        if seen + size > offset and seen < offset + limit:
            first = first if inside else seen
            inside.append(row)
        seen += size
    return inside, offset - first


def trending(*, now: datetime | None = None, limit: int = 60) -> list[Trend]:
    """The papers that rise most, as they were last counted, with what is left of their votes by now.

    All votes fade alike, so the order needs no new count. One whose last vote has faded away is left out, and of papers
    that became one since, the higher stands.
    """
    at = now or timezone.now()
    rows = list(RisingPaper.objects.order_by("rank"))
    roots = papers.canonical({row.paper_id for row in rows})
    counted = {row.rank: Trend(roots[row.paper_id], row.votes, row.weight, row.usual, row.last_at) for row in rows}
    first = {trend.paper_id: rank for rank, trend in sorted(counted.items(), reverse=True)}
    now_left = [faded(counted[row.rank], at - row.counted_at) for row in rows if first[roots[row.paper_id]] == row.rank]
    return [trend for trend in now_left if at - trend.last <= timedelta(days=PARAMETERS.trending_days)][:limit]


def neighbours(edition: Edition) -> tuple[Edition | None, Edition | None]:
    """The editions of the same kind before and after, by the periods that they cover."""
    return around(edition.kind, edition.start)


def around(kind: Kind, start: date) -> tuple[Edition | None, Edition | None]:
    """The editions of a kind before and after the one that begins, or would begin, on that day."""
    before, after = _BEFORE(kind, start), _AFTER(kind, start)
    return (_edition(before[0]) if before else None, _edition(after[0]) if after else None)


_BEFORE = Prepared(
    lambda kind, start: Row.objects.filter(kind=kind, size__gt=0, start__lt=start).order_by("-start")[:1]
)
_AFTER = Prepared(lambda kind, start: Row.objects.filter(kind=kind, size__gt=0, start__gt=start).order_by("start")[:1])


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
    """What can be said about the edition's completeness now, without claiming more than was checked."""
    if edition.kind is Kind.FIRST:
        line = f"{_papers(edition.size)} that come with Broadsheet. A collection to begin with, not a day's news."
        return Audit("shipped", Words("", line), _facts(edition))
    days = _days(edition)
    words = audits.period_words(days)
    if words is None:
        line = _unchecked(edition, days)
        return Audit(State.UNVERIFIED, Words("", line), [*_facts(edition), _UNKNOWN], changes=_changes(edition))
    one = edition.kind is Kind.DAY
    return Audit(
        state=min((day.state for day in days), key=list(State).index),
        words=audits.day_words(days[0]) if one else words,
        facts=_facts(edition),
        sections=days[0].lines if one else (),
        days=() if one else tuple(_spoken(days)),
        failed=days[0].failed if one else (),
        checked_at=max((day.checked_at for day in days if day.checked_at), default=None),
        changes=_changes(edition),
        rule=audits.RULE,
    )


def verdicts(printed: Collection[Edition]) -> dict[int, Verdict]:
    """How complete each of these editions of days is, by its id. One question for all of them."""
    known = ingest.audits(edition.start for edition in printed)
    result = {}
    for edition in printed:
        day = known.get(edition.start) or audits.unknown(edition.start)
        shown = [day] if day.lines or edition.start <= _today() else []
        if audits.period_words(shown) is None:
            result[edition.id] = Verdict(State.UNVERIFIED, _unchecked(edition, shown))
        else:
            result[edition.id] = Verdict(day.state, audits.day_words(day).line)
    return result


def ready(printed: Collection[Edition]) -> frozenset[int]:
    """The ids of those of the editions to which nothing is expected to come: closed, or of a day and complete."""
    closed = {edition.id for edition in printed if not edition.open}
    open_days = [edition for edition in printed if edition.open and edition.kind is Kind.DAY]
    known = verdicts(open_days) if open_days else {}
    return frozenset(closed | {number for number, verdict in known.items() if verdict.state == State.COMPLETE})


def unfinished(printed: Collection[Edition]) -> frozenset[int]:
    """The ids of those of the editions that are open and lack something that their source announced, or may."""
    open_days = [edition for edition in printed if edition.open and edition.kind is Kind.DAY]
    known = verdicts(open_days) if open_days else {}
    missing = (State.INCOMPLETE, State.DOWN)
    return frozenset(number for number, verdict in known.items() if verdict.state in missing)


def _unchecked(edition: Edition, days: Sequence[DayAudit]) -> str:
    """The line of an edition of which nobody has counted anything."""
    empty = edition.kind is Kind.DAY and days and days[0].state is State.EMPTY and days[0].checked_at
    reason = audits.day_words(days[0]).text if empty else _UNCHECKED
    return f"{_papers(edition.size)}. {_dated(edition)} {reason}"


_UNCHECKED = "Not checked against the sources' own counts."
_UNKNOWN = ("Number announced", "not known: no source has been asked")


def _days(edition: Edition) -> list[DayAudit]:
    """The audits of the days that an edition covers, the earliest first; of days to come only those with a list."""
    wanted = [edition.start + timedelta(days=number) for number in range((edition.end - edition.start).days + 1)]
    known = ingest.audits(day for day in wanted if day <= _today() + timedelta(days=1))
    return [
        known.get(day) or audits.unknown(day)
        for day in wanted
        if day <= _today() or (day in known and known[day].lines)
    ]


def absence(day: date) -> Day | None:
    """Why a day has no edition, as far as the calendar or a source that was asked can tell; None where nobody can."""
    found = _day(day, None, ingest.audits([day]).get(day))
    return found if found.asked else None


def missed(shown: Edition | None) -> Day | None:
    """What became of today's list, where the newest edition, `shown`, is not today's. None when nobody can tell.

    That a day is empty by calendar is told beside an edition of the days before it, and beside no other.
    """
    day = _today()
    newest = shown.start if shown and shown.kind is Kind.DAY else date.min
    if newest >= day or _printed([day]):
        return None
    found = absence(day)
    return None if found and found.state is State.EMPTY and newest < day - timedelta(days=_FEW_DAYS) else found


def recent(count: int = 10) -> list[Day]:
    """The last days of the calendar with their editions and states, the latest first; tomorrow once it is printed."""
    days = [_today() + timedelta(days=1 - number) for number in range(count + 1)]
    printed, known = _printed(days), ingest.audits(days)
    rows = [_day(day, printed.get(day), known.get(day)) for day in days]
    return rows[:count] if days[0] in printed else rows[1:]


def _spoken(days: list[DayAudit]) -> list[Day]:
    """The days of which there is something to tell: an edition, or what a source said when it was asked."""
    printed = _printed([known.day for known in days])
    told = [known for known in days if known.day in printed or (audits.was_asked(known) and known.state != State.EMPTY)]
    return [_day(known.day, printed.get(known.day), known) for known in told]


def _printed(days: list[date]) -> dict[date, Edition]:
    return {row.start: _edition(row) for row in _PRINTED([day.isoformat() for day in days])}


_PRINTED = Prepared(lambda days: Row.objects.filter(among("start", days), kind=Kind.DAY, size__gt=0))


def _day(day: date, edition: Edition | None, known: DayAudit | None) -> Day:
    known = known or audits.unknown(day)
    return Day(day, edition, known.state, audits.day_words(known), asked=audits.was_asked(known), failed=known.failed)


def marks(listed: Iterable[Edition]) -> dict[date, str]:
    """The days of these editions of days that something is wrong with, and their states in words."""
    known = ingest.audits([edition.start for edition in listed if edition.kind is Kind.DAY])
    wrong = (State.DOWN, State.INCOMPLETE)
    return {day: audits.LABELS[audit.state].lower() for day, audit in known.items() if audit.state in wrong}


def _changes(edition: Edition) -> tuple[Changed, ...]:
    """What changed the edition after it was closed, day by day, the latest first."""
    rows = _CHANGES(edition.id)
    together: dict[tuple[date, str], tuple[datetime, int]] = {}
    for row in rows:
        day = row.at.astimezone(ANNOUNCEMENT_ZONE).date()
        latest, number = together.get((day, row.kind), (row.at, 0))
        together[day, row.kind] = (latest, number + row.number)
    told = [
        Changed(latest, audits.change_words(Change(kind), number)) for (_, kind), (latest, number) in together.items()
    ]
    return tuple(told[:_CHANGES_TOLD])


_CHANGES = Prepared(lambda edition: EditionChange.objects.filter(edition=edition).order_by("-id")[:_CHANGES_READ])


def _papers(number: int) -> str:
    return f"{audits.figure(number)} {'paper' if number == 1 else 'papers'}"


def _facts(edition: Edition) -> list[tuple[str, str]]:
    return [
        ("Dated by announcement", audits.figure(edition.basis[Basis.ANNOUNCED])),
        ("Dated by submission, announcement unknown", audits.figure(edition.basis[Basis.SUBMITTED])),
        ("Known to the month only", audits.figure(edition.basis[Basis.MONTH])),
        ("Come with the program", audits.figure(edition.basis[Basis.SHIPPED])),
        ("Arrived after the edition closed", audits.figure(edition.late)),
        ("Merged into another paper since", audits.figure(_merged(edition))),
    ]


def _merged(edition: Edition) -> int:
    return next(iter(_MERGED(edition.id)), 0)


_MERGED = Prepared(
    lambda edition: (
        EditionEntry.objects.filter(edition=edition, paper__merged_into__isnull=False)
        .values_list("edition")
        .annotate(merged=Count("id"))
        .values_list("merged", flat=True)
    )
)


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
    return "; ".join(f"{audits.figure(edition.basis[basis])} {_DATED[basis]}" for basis in there) + "."


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
        parts=tuple(map(Part.read, row.reasons)),
        basis=Basis(row.basis),
        late=row.late,
    )
