"""Publishing editions from the journal of papers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import NamedTuple

import orjson
from django.db.models import Count, Max
from django.utils import timezone

from broadsheet.community.queries import votes
from broadsheet.community.queries.standings import standings
from broadsheet.editions import rules
from broadsheet.editions.models import (
    Edition,
    EditionChange,
    EditionEntry,
    JournalCursor,
    RisingPaper,
    UsualVotes,
    VoteCursor,
)
from broadsheet.editions.rules import Basis, Facts, Kind, Period, Ranked
from broadsheet.editions.rules.audits import Change
from broadsheet.editions.rules.ranking import PARAMETERS, Part, Trend, Usual, Vote, trending, usual_votes
from broadsheet.evidence import queries as evidence
from broadsheet.ingest.actions.ledger import announcer_of
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
        _enlist(changes, at)
        cursor.seq = changes[-1].seq
        cursor.save(update_fields=["seq"])
        return Published(len(changes), 0, 0)


# How often at most the open editions of a kind are ranked anew because of votes: a month's has tens of thousands of
# papers at a large instance, which takes seconds, and nobody looks there for the news of the last five minutes.
FOLLOWED = {
    Kind.DAY: timedelta(minutes=5),
    Kind.FIRST: timedelta(minutes=5),
    Kind.WEEK: timedelta(hours=1),
    Kind.MONTH: timedelta(hours=1),
}
# No edition is open for longer.
_LONGEST = timedelta(days=32)
# A change may be seen so much later than it is dated.
_OVERLAP = timedelta(minutes=1)
# Places among the rising papers that are kept.
RISING = 200


def follow_votes(*, now: datetime | None = None) -> int:
    """Have open editions ranked anew whose papers' votes or picks changed, and count anew what is rising.

    No edition is ranked for a single vote: each kind is looked at again after the time in FOLLOWED. A look that finds
    nothing writes nothing. Closed editions are left alone. Returns how many editions `publish_pending` has to print.
    """
    at = now or timezone.now()
    return sum(_follow(kind, every, at) for kind, every in FOLLOWED.items())


def _follow(kind: Kind, every: timedelta, at: datetime) -> int:
    row = VoteCursor.objects.filter(kind=kind).first()
    if row and row.until <= at < row.until + every:
        return 0
    changed = votes.changed_between((row.until if row else at - _LONGEST) - _OVERLAP, at)
    if not changed:
        return 0
    rising = _rising(at) if kind is Kind.DAY else None
    with writing():
        VoteCursor.objects.update_or_create(kind=kind, defaults={"until": at})
        if rising is not None:
            _keep_rising(rising, at)
        holding = EditionEntry.objects.filter(
            among("paper", changed), edition__kind=kind, edition__closes_at__gt=at
        ).values_list("edition", flat=True)
        return Edition.objects.filter(among("id", set(holding)), pending=False).update(pending=True)


def _rising(at: datetime) -> list[Trend]:
    cast = [Vote(each.paper_id, each.at) for each in votes.ballots_since(at - timedelta(days=PARAMETERS.trending_days))]
    known = papers.standings({vote.paper_id for vote in cast})
    section_of = {paper: standing.section for paper, standing in known.items()}
    return trending(cast, section_of, now=at, usual=_usual(at), limit=RISING)


def _keep_rising(rising: Sequence[Trend], at: datetime) -> None:
    RisingPaper.objects.all().delete()
    insert_rows(
        RisingPaper,
        ("rank", "paper_id", "votes", "weight", "usual", "last_at", "counted_at"),
        [
            (rank, one.paper_id, one.votes, one.weight, one.usual, timestamp(one.last), timestamp(at))
            for rank, one in enumerate(rising, 1)
        ],
    )


def _usual(at: datetime) -> Usual:
    """What is usual today; counted once a day, from the votes of the days before."""
    midnight = datetime.combine(at.astimezone(rules.ANNOUNCEMENT_ZONE).date(), time(), rules.ANNOUNCEMENT_ZONE)
    row = UsualVotes.objects.filter(id=1).first()
    if row and row.day == midnight.date():
        return Usual(row.fields, row.elsewhere)
    cast = votes.votes_between(midnight - timedelta(days=PARAMETERS.usual_days), midnight)
    known = papers.standings(cast)
    counted = usual_votes((known[paper].section, number) for paper, number in cast.items() if paper in known)
    kept = {"day": midnight.date(), "fields": dict(counted.fields), "elsewhere": counted.elsewhere}
    UsualVotes.objects.update_or_create(id=1, defaults=kept)
    return counted


class _Place(NamedTuple):
    """A place that a paper has in an edition. Without a rank it was not printed yet."""

    id: int
    edition: int
    paper: int
    basis: str
    rank: int | None
    late: bool


def _enlist(changes: Sequence[papers.Change], at: datetime) -> None:
    """Put changed papers on the lists that they belong on, and take them off those that they left."""
    root_of = _roots(changes)
    wanted = _wanted(_facts(set(root_of.values())), at)
    rows = {_period(row): row for row in _editions_for(wanted, at)}
    places = {(rows[period].id, paper): basis for period, known in wanted.items() for paper, basis in known.items()}
    standing = [_Place(*row) for row in EditionEntry.objects.filter(among("paper", root_of)).values_list(*_COLUMNS)]
    editions = Edition.objects.in_bulk({place.edition for place in standing})
    fixed = {place.id for place in standing if place.rank and not _is_open(editions[place.edition], at)}
    printed = [place for place in standing if place.id in fixed]
    left = [
        place for place in standing if place.id not in fixed and places.get((place.edition, place.paper)) != place.basis
    ]
    EditionEntry.objects.filter(among("id", [place.id for place in left])).delete()
    _correct(_Closed(editions, printed, root_of, places), changes, at)
    taken = {(place.edition, root_of[place.paper]) for place in printed}
    added = [(*place, None, 0, "[]", str(basis), False) for place, basis in places.items() if place not in taken]
    insert_rows(
        EditionEntry, ("edition_id", "paper_id", "rank", "score", "reasons", "basis", "late"), added, ignore=True
    )
    pending = {place.edition for place in left} | {edition for edition, *_ in added}
    Edition.objects.filter(among("id", pending)).update(pending=True)


_COLUMNS = _Place._fields


def _roots(changes: Sequence[papers.Change]) -> dict[int, int]:
    """For each paper that changed, and each that was merged with it, the one that stands for it now."""
    touched = {side for change in changes for side in (change.paper_id, change.other) if side is not None}
    families = papers.families(papers.canonical(touched).values())
    return {member: root for root, members in families.items() for member in members}


@dataclass(frozen=True, slots=True)
class _Closed:
    """Closed editions, the printed places there of papers that changed, and the places that those should have."""

    editions: Mapping[int, Edition]
    printed: Sequence[_Place]
    root_of: Mapping[int, int]
    wanted: Mapping[tuple[int, int], Basis]

    def moves(self) -> list[tuple[_Place, Basis | None]]:
        """The places that are wrong now, each with the basis that it should have; None where it should not be."""
        known = [(place, self.wanted.get((place.edition, self.root_of[place.paper]))) for place in self.printed]
        return [(place, basis) for place, basis in known if basis != place.basis]

    def happened(self, changes: Sequence[papers.Change]) -> Counter[tuple[int, Change]]:
        """In which editions papers became one, or two again, and how often."""
        where: dict[int | None, set[int]] = defaultdict(set)
        for place in self.printed:
            where[place.paper].add(place.edition)
        return Counter(
            (edition, _MERGES[change.kind])
            for change in changes
            if change.kind in _MERGES
            for edition in where[change.paper_id] & where[change.other]
        )


_MERGES = {"merged": Change.MERGED, "unmerged": Change.PARTED}


def _correct(closed: _Closed, changes: Sequence[papers.Change], at: datetime) -> None:
    """Take papers off closed editions in which they do not belong, and note what happened there.

    Those that stay keep their ranks; where a better date puts them there now, they are counted under it.
    """
    happened, moves = closed.happened(changes), closed.moves()
    EditionEntry.objects.filter(among("id", [place.id for place, basis in moves if basis is None])).delete()
    update_rows(EditionEntry, ("basis",), [(str(basis), place.id) for place, basis in moves if basis is not None])
    for place, basis in moves:
        row = closed.editions[place.edition]
        _count(row, place.basis, -1)
        if basis is None:
            row.late -= place.late
            happened[place.edition, Change.LEFT] += 1
        else:
            _count(row, basis, 1)
    columns = (*_COUNTS, "late")
    changed = [closed.editions[edition] for edition in {place.edition for place, _ in moves}]
    update_rows(Edition, columns, [(*(getattr(row, name) for name in columns), row.id) for row in changed])
    _note(happened, at)


def _count(row: Edition, basis: str, change: int) -> None:
    """Count a place more, or less, in an edition."""
    for name in ("size", _COUNT_OF[Basis(basis)]):
        setattr(row, name, getattr(row, name) + change)


def _note(happened: Mapping[tuple[int, Change], int], at: datetime) -> None:
    """Write down what changed closed editions."""
    rows = [(edition, timestamp(at), str(kind), number) for (edition, kind), number in happened.items()]
    insert_rows(EditionChange, ("edition_id", "at", "kind", "number"), rows)


def _facts(ids: Collection[int]) -> dict[int, Facts]:
    claims = evidence.for_papers(ids)
    known = papers.standings(ids)
    names = {name for standing in known.values() for name in standing.stated_by}
    voices = {name: announcer_of(name) or name for name in names}
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
            sources=len({voices[name] for name in standing.stated_by}),
            runnable=best.get(paper_id, ""),
            shipped=STARTER in standing.stated_by,
        )
        for paper_id, standing in known.items()
    }


def _with_people(facts: Mapping[int, Facts]) -> dict[int, Facts]:
    """The same, with what people did for the papers."""
    known = standings(facts)
    return {
        paper: replace(one, votes=done.votes, comments=done.comments, picked=done.picked)
        if (done := known.get(paper))
        else one
        for paper, one in facts.items()
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


@dataclass
class _Sheet:
    """An edition about to be printed: all its papers if it is open, only the late ones if it is closed.

    `last` is the last rank that was given in it.
    """

    row: Edition
    papers: dict[int, Basis]
    is_open: bool
    last: int

    @property
    def late(self) -> int:
        return self.row.late + (0 if self.is_open else len(self.papers))

    def ranked(self, facts: Mapping[int, Facts], usual: Usual) -> list[Ranked]:
        first = 1 if self.is_open else self.last + 1
        return rules.rank((facts[paper] for paper in self.papers), first=first, usual=usual)


def _print(at: datetime) -> Published:
    """Rank and number pending editions, as many as one call should."""
    sheets = _sheets(at)
    facts = _with_people(_facts({paper for sheet in sheets for paper in sheet.papers}))
    EditionEntry.objects.filter(among("edition", [sheet.row.id for sheet in sheets if sheet.is_open])).delete()
    EditionEntry.objects.filter(among("edition", [sheet.row.id for sheet in sheets]), rank__isnull=True).delete()
    _insert_entries(sheets, facts, _usual(at) if sheets else Usual({}))
    _recount(sheets, at)
    late = {(sheet.row.id, Change.ADDED): len(sheet.papers) for sheet in sheets if sheet.papers and not sheet.is_open}
    _note(late, at)
    return Published(0, len(sheets), sum(late.values()))


def _sheets(at: datetime) -> list[_Sheet]:
    """The pending editions that this call prints, the latest first, with the papers to be ranked."""
    pending = Edition.objects.filter(pending=True).order_by("-end", "id")[:1000]
    sizes = EditionEntry.objects.filter(among("edition", [row.id for row in pending])).values("edition")
    known = {row["edition"]: row for row in sizes.annotate(entries=Count("id"), last=Max("rank"))}
    sheets: dict[int, _Sheet] = {}
    entries = 0
    for row in pending:
        counted = known.get(row.id, {"entries": 0, "last": 0})
        entries += counted["entries"]
        if sheets and entries > SHEETS:
            break
        sheets[row.id] = _Sheet(row, {}, is_open=_is_open(row, at), last=counted["last"] or 0)
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


def _insert_entries(sheets: Iterable[_Sheet], facts: Mapping[int, Facts], usual: Usual) -> None:
    insert_rows(
        EditionEntry,
        ("edition_id", "paper_id", "rank", "score", "reasons", "basis", "late"),
        [
            (
                sheet.row.id, ranked.paper_id, ranked.rank, ranked.score, _stored(ranked.parts),
                str(sheet.papers[ranked.paper_id]), not sheet.is_open,
            )
            for sheet in sheets
            for ranked in sheet.ranked(facts, usual)
        ],
    )  # fmt: skip


def _stored(parts: Iterable[Part]) -> str:
    return orjson.dumps([part.stored() for part in parts]).decode()


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


# The column of an edition that counts the papers which are there by that date.
_COUNT_OF = {
    Basis.ANNOUNCED: "announced",
    Basis.SUBMITTED: "submitted",
    Basis.MONTH: "by_month",
    Basis.SHIPPED: "shipped",
}
_COUNTS = ("size", *_COUNT_OF.values())


def _counts(sheet: _Sheet) -> list[int]:
    basis = Counter(sheet.papers.values())
    printed = (len(sheet.papers), *(basis[each] for each in _COUNT_OF))
    before = [0 if sheet.is_open else getattr(sheet.row, name) for name in _COUNTS]
    return [old + new for old, new in zip(before, printed, strict=True)]
