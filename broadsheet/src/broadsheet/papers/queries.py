"""Every question about stored papers. An id of a merged paper is answered with the paper that it was merged into."""

from __future__ import annotations

import base64
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime

import orjson
from django.db.models import Count, Q, QuerySet

from broadsheet.bibliography import identifiers, merging, names
from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.identifiers import Identifier, Scheme
from broadsheet.bibliography.record import Record, Version
from broadsheet.papers.models import (
    Authorship,
    FormerKey,
    Paper,
    PaperChange,
    PaperIdentifier,
    Statement,
    Topic,
)
from broadsheet.storage import among
from broadsheet.storage.prepared import Prepared

__all__ = ["Paper"]


@dataclass(frozen=True, slots=True)
class Said:
    """A source's statement about a paper, and when we last heard it."""

    source: str
    source_key: str
    seen_at: datetime
    record: Record


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a paper's history. `other` is the paper on the other side of a merge."""

    seq: int
    paper_id: int
    kind: str
    at: datetime
    fields: tuple[str, ...]
    other: int | None
    note: str


@dataclass(frozen=True, slots=True)
class Detail:
    """Everything that a paper's own page shows."""

    paper: Paper
    identifiers: tuple[Identifier, ...]
    versions: tuple[Version, ...]
    statements: tuple[Said, ...]
    merged: merging.Merged
    history: tuple[Change, ...]
    merged_from: tuple[Paper, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a long list, newest first. `next` leads to the following page, None at the end."""

    ids: list[int]
    next: str | None
    total: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What ranking asks of a paper. `stated_by` names the sources that say something of it."""

    paper_id: int
    key: str
    announced: date | None
    submitted: PartialDate | None
    section: str
    has_code: bool
    has_summary: bool
    stated_by: frozenset[str]


@dataclass(frozen=True, slots=True)
class SectionCount:
    """How many papers a section holds."""

    slug: str
    count: int


@dataclass(frozen=True, slots=True)
class Totals:
    """What the store holds: papers shown, statements of sources, entries of the journal and the last one's time."""

    papers: int
    statements: int
    changes: int
    newest: datetime | None


def canonical(ids: Iterable[int]) -> dict[int, int]:
    """For each id the id of the paper that stands for it now: itself, unless it was merged away."""
    result = {paper_id: paper_id for paper_id in ids}
    pending = set(result)
    while pending:
        steps = dict(
            Paper.objects.filter(among("id", pending), merged_into__isnull=False).values_list("id", "merged_into_id")
        )
        if not steps:
            break
        result = {asked: steps.get(now, now) for asked, now in result.items()}
        pending = set(steps.values())
    return result


def merged_away() -> QuerySet[Paper, int]:
    """The ids of the papers that went into others, as a condition in questions of other tables: too many to be read.

    SQLite answers it from the small index of those papers; by a join it would look at each paper of the other table.
    """
    return Paper.objects.filter(merged_into__isnull=False).order_by().values_list("id", flat=True)


# Inside `remembering_families`, what was asked already.
_FAMILIES: ContextVar[dict[int, list[int]] | None] = ContextVar("families", default=None)


@contextmanager
def remembering_families() -> Iterator[None]:
    """Inside, the family of each paper is asked once, and what is merged meanwhile is not seen.

    For one answer to a reader: a list asks for the families of the same papers for its claims, comments and votes.
    """
    token = _FAMILIES.set({})
    try:
        yield
    finally:
        _FAMILIES.reset(token)


def families(ids: Iterable[int]) -> dict[int, list[int]]:
    """For each shown paper its own id, then the ids of the papers merged into it, directly or by way of others."""
    wanted = list(ids)
    known = _FAMILIES.get()
    if known is None:
        return _families(wanted)
    if unknown := [paper_id for paper_id in wanted if paper_id not in known]:
        known |= _families(unknown)
    return {paper_id: known[paper_id].copy() for paper_id in wanted}


def _families(ids: Iterable[int]) -> dict[int, list[int]]:
    result = {paper_id: [paper_id] for paper_id in ids}
    owner = {paper_id: paper_id for paper_id in result}
    pending = list(result)
    while pending:
        absorbed, pending = _ABSORBED(pending), []
        for paper_id, into in absorbed:
            owner[paper_id] = owner[into]
            result[owner[into]].append(paper_id)
            pending.append(paper_id)
    return result


_ABSORBED = Prepared(
    lambda ids: Paper.objects.filter(among("merged_into", ids)).order_by("id").values_list("id", "merged_into_id")
)


def by_ids(ids: Collection[int]) -> dict[int, Paper]:
    """The shown paper for each id. Ids that do not exist are absent."""
    rows = _rows(ids)
    moved = {paper_id for paper_id, row in rows.items() if row.merged_into_id}
    if moved:
        roots = canonical(moved)
        winners = _rows(roots.values())
        rows.update({paper_id: winners[root] for paper_id, root in roots.items()})
    return rows


def _rows(ids: Iterable[int]) -> dict[int, Paper]:
    """The rows of these ids, merged away or not. Django's `in_bulk` makes a statement of its own for each number."""
    return {row.id: row for row in _ROWS(set(ids))}


_ROWS = Prepared(lambda ids: Paper.objects.filter(among("id", ids)))


def find(key: str) -> Paper | None:
    """The shown paper that `key` leads to: its key, a former key, any of its identifiers, or a merged paper's."""
    if "\0" in key:
        return None  # PostgreSQL holds no zero byte, and answers with an error
    row = Paper.objects.filter(key=key).first() or _by_identifier(key) or _by_former_key(key)
    return by_ids([row.id])[row.id] if row and row.merged_into_id else row


def find_in_any_spelling(key: str) -> Paper | None:
    """The shown paper that `key` leads to, as `find` does, or that is meant by an identifier in another spelling, or
    with a version.
    """
    row = find(key)
    if row is None and (found := identifiers.parse(key)):
        row = find(found.identifier.key)
    return row


def identified(wanted: Iterable[Identifier]) -> dict[Identifier, int]:
    """The id of the paper that each identifier was given to, merged or not. One query for each scheme."""
    by_scheme: dict[str, list[str]] = defaultdict(list)
    for identifier in wanted:
        by_scheme[identifier.scheme].append(identifier.value)
    result: dict[Identifier, int] = {}
    for scheme, values in by_scheme.items():
        rows = PaperIdentifier.objects.filter(among("value", values), scheme=scheme).values_list("value", "paper_id")
        result.update({Identifier(Scheme(scheme), value): paper_id for value, paper_id in rows})
    return result


def stated(source: str, source_keys: Iterable[str]) -> dict[str, int]:
    """The id of the paper that each statement of `source` was first attached to, by the source's own key."""
    rows = Statement.objects.filter(among("source_key", source_keys), source=source)
    return dict(rows.values_list("source_key", "paper_id"))


def beliefs(ids: Collection[int]) -> dict[int, Record]:
    """What we believe of each paper, as a record whose source is ``belief``; for comparing with other records."""
    known = identifiers_of(ids)
    return {paper_id: as_record(row, known[paper_id]) for paper_id, row in _rows(known).items()}


def identifiers_of(ids: Iterable[int]) -> dict[int, list[Identifier]]:
    """The identifiers of each shown paper, sorted, those of papers merged into it included."""
    roots = families(ids)
    member_of = {member: root for root, members in roots.items() for member in members}
    result: dict[int, list[Identifier]] = {paper_id: [] for paper_id in roots}
    rows = PaperIdentifier.objects.filter(among("paper", member_of)).values_list("paper_id", "scheme", "value")
    for paper_id, scheme, value in rows:
        result[member_of[paper_id]].append(Identifier(Scheme(scheme), value))
    return {paper_id: sorted(known) for paper_id, known in result.items()}


def as_record(row: Paper, known: Iterable[Identifier]) -> Record:
    """The stored belief in the shape of a record."""
    return Record(
        source="belief",
        source_key=row.key,
        title=row.title,
        abstract=row.abstract,
        summary=row.summary,
        authors=tuple(row.authors),
        author_count=row.author_count,
        identifiers=tuple(sorted(known)),
        versions=_versions(row),
        submitted=_partial(row.submitted),
        announced=row.announced,
        updated=_partial(row.updated),
        venue=row.venue,
        categories=tuple(row.categories),
        field=row.field,
        kind=row.kind,
        keywords=tuple(row.keywords),
        comments=row.comments,
        license=row.license,
        organization=row.organization,
        code_url=row.code_url,
        project_url=row.project_url,
    )


def statements(ids: Collection[int]) -> dict[int, list[Said]]:
    """What sources said of each paper and of the papers merged into it, in the order in which it was first stored."""
    member_of = {member: root for root, members in families(ids).items() for member in members}
    result: dict[int, list[Said]] = {paper_id: [] for paper_id in ids}
    for row in Statement.objects.filter(among("paper", member_of)).order_by("id"):
        record = Record.from_json(orjson.loads(row.said))
        result[member_of[row.paper_id]].append(Said(row.source, row.source_key, row.seen_at, record))
    return result


def detail(paper_id: int) -> Detail:
    """Everything about one shown paper. Raises KeyError when there is none of that id."""
    paper = by_ids([paper_id])[paper_id]
    members = families([paper.id])[paper.id]
    said = statements([paper.id])[paper.id]
    known = PaperIdentifier.objects.filter(paper__in=members).values_list("scheme", "value")
    return Detail(
        paper=paper,
        identifiers=tuple(sorted(Identifier(Scheme(scheme), value) for scheme, value in known)),
        versions=_versions(paper),
        statements=tuple(said),
        merged=merging.merge([each.record for each in said]),
        history=tuple(_history(members)),
        merged_from=tuple(Paper.objects.filter(id__in=members[1:]).order_by("id")),
    )


def standings(ids: Collection[int]) -> dict[int, Standing]:
    """What ranking asks of each shown paper. Ids that do not exist are absent."""
    member_of = {member: root for root, members in families(ids).items() for member in members}
    spoken: dict[int, list[str]] = defaultdict(list)
    for paper_id, source in Statement.objects.filter(among("paper", member_of)).values_list("paper_id", "source"):
        spoken[member_of[paper_id]].append(source)
    columns = ("id", "key", "announced", "submitted", "field", "categories", "code_url", "summary")
    result = {}
    for paper_id, key, announced, submitted, field, categories, code, summary in Paper.objects.filter(
        among("id", ids)
    ).values_list(*columns):
        result[paper_id] = Standing(
            paper_id=paper_id,
            key=key,
            announced=announced,
            submitted=_partial(submitted),
            section=field or next(iter(categories), ""),
            has_code=bool(code),
            has_summary=bool(summary),
            stated_by=frozenset(spoken[paper_id]),
        )
    return result


def titles(ids: Iterable[int]) -> dict[int, str]:
    """The title of each of these shown papers, TeX included, without the rest of it."""
    return dict(Paper.objects.filter(among("id", ids)).values_list("id", "title"))


def sections_of(ids: Iterable[int]) -> dict[int, tuple[str, ...]]:
    """The sections and categories of each of these shown papers, the first one first, without the rest of it."""
    rows = Paper.objects.filter(among("id", ids)).values_list("id", "field", "categories")
    return {
        paper_id: tuple(dict.fromkeys(slug for slug in (field, *categories) if slug))
        for paper_id, field, categories in rows
    }


def authored(slugs: Iterable[str], ids: Iterable[int]) -> dict[int, set[str]]:
    """Which of the authors stand on each of these shown papers; papers of none of them are left out."""
    rows = Authorship.objects.filter(among("slug", slugs), among("paper", ids)).values_list("paper_id", "slug")
    found: dict[int, set[str]] = defaultdict(set)
    for paper_id, slug in rows:
        found[paper_id].add(slug)
    return dict(found)


def changes(*, after: int = 0, limit: int | None = None) -> list[Change]:
    """Entries of the journal with a number above `after`, in order, at most `limit`."""
    return [_change(row) for row in PaperChange.objects.filter(id__gt=after).order_by("id")[:limit]]


def moved(ids: Collection[int], *, since: datetime, until: datetime) -> dict[int, list[Change]]:
    """What of the shown papers, and of those merged into them, became another after `since` and up to `until`, in
    order. Papers of which nothing did are absent.
    """
    root_of = {member: root for root, members in families(ids).items() for member in members}
    rows = PaperChange.objects.filter(
        among("paper", root_of), kind=PaperChange.Kind.UPDATED, at__gt=since, at__lte=until
    ).order_by("id")
    found: dict[int, list[Change]] = defaultdict(list)
    for row in rows:
        found[root_of[row.paper_id]].append(_change(row))
    return dict(found)


def _history(members: Collection[int]) -> list[Change]:
    """What happened to a paper and to those merged into it, merges that were undone since included."""
    rows = PaperChange.objects.filter(Q(paper__in=members) | Q(other__in=members)).order_by("id")
    return [_change(row) for row in rows]


def _change(row: PaperChange) -> Change:
    return Change(row.id, row.paper_id, row.kind, row.at, tuple(row.fields.split()), row.other, row.note)


def last_change() -> int:
    """The number of the newest entry of the journal; 0 when it is empty."""
    return next(iter(_LAST_CHANGE()), 0)


_LAST_CHANGE = Prepared(lambda: PaperChange.objects.order_by("-id").values_list("id", flat=True)[:1])


def unread(after: int) -> int:
    """How many entries of the journal have a number above `after`. Counted, because numbers may have gaps."""
    return PaperChange.objects.filter(id__gt=after).count()


def kept_apart(one: int, other: int) -> bool:
    """Whether somebody took apart these two shown papers, or any two that were merged into them.

    No rule may merge them again, on whatever detour; people may.
    """
    sides = families([one, other])
    side_of = {member: root for root, members in sides.items() for member in members}
    last: dict[frozenset[int], str] = {}
    decisions = PaperChange.objects.filter(among("paper", side_of), among("other", side_of)).order_by("id")
    for change in decisions:
        last[frozenset((change.paper_id, change.other or 0))] = change.kind
    return any(
        kind == PaperChange.Kind.UNMERGED and len({side_of[paper_id] for paper_id in pair}) == 2
        for pair, kind in last.items()
    )


def in_section(slug: str, *, after: str | None = None, limit: int = 60) -> Listing:
    """Papers of a section or category, newest first. `after` is a Listing's `next`; ValueError when it is none."""
    return _listing(Topic.objects.filter(slug=slug), after, limit)


def by_author(slug: str, *, after: str | None = None, limit: int = 60) -> Listing:
    """Papers on which an author of that slug stands, newest first. Paged as `in_section`."""
    return _listing(Authorship.objects.filter(slug=slug), after, limit)


def author_name(slug: str) -> str | None:
    """The author's name as it is printed most often on the newest papers; None when nobody has that slug."""
    ids = by_author(slug, limit=20).ids
    spellings = Counter(
        names.printed(name) for paper in by_ids(ids).values() for name in paper.authors if names.slug(name) == slug
    )
    return spellings.most_common(1)[0][0] if spellings else None


def sections() -> list[SectionCount]:
    """All sections and categories, the biggest first. Reads every topic: cache it where pages are made."""
    rows = Topic.objects.values("slug").annotate(papers=Count("id")).order_by("-papers", "slug")
    return [SectionCount(row["slug"], row["papers"]) for row in rows]


def totals() -> Totals:
    """Counts for the status page. Reads whole indexes."""
    newest = PaperChange.objects.order_by("-id").first()
    return Totals(
        papers=Paper.objects.filter(merged_into__isnull=True).count(),
        statements=Statement.objects.count(),
        changes=PaperChange.objects.count(),
        newest=newest.at if newest else None,
    )


def _listing(rows: QuerySet[Topic] | QuerySet[Authorship], after: str | None, limit: int) -> Listing:
    total = rows.count()
    if after is not None:
        day, paper_id = _read_cursor(after)
        rows = rows.filter(day__lte=day).exclude(day=day, paper__gte=paper_id)
    found = list(rows.order_by("-day", "-paper_id").values_list("day", "paper_id")[: limit + 1])
    page = list(dict.fromkeys(found[:limit]))
    following = _cursor(*page[-1]) if len(found) > limit else None
    return Listing([paper_id for _, paper_id in page], following, total)


def _cursor(day: date, paper_id: int) -> str:
    return base64.urlsafe_b64encode(f"{day.isoformat()},{paper_id}".encode()).decode().rstrip("=")


def _read_cursor(text: str) -> tuple[date, int]:
    if len(text) > 64:
        raise ValueError("this is not a place in a list")
    padded = text.encode() + b"=" * (-len(text) % 4)
    day, _, paper_id = base64.urlsafe_b64decode(padded).decode("ascii").partition(",")
    return date.fromisoformat(day), int(paper_id)


def _by_identifier(key: str) -> Paper | None:
    identifier = identifiers.from_key(key)
    paper_id = identified([identifier]).get(identifier) if identifier else None
    return Paper.objects.get(id=paper_id) if paper_id else None


def _by_former_key(key: str) -> Paper | None:
    former = FormerKey.objects.filter(key=key).select_related("paper").first()
    return former.paper if former else None


def _versions(row: Paper) -> tuple[Version, ...]:
    return tuple(Version(number, _partial(submitted or "")) for number, submitted in row.versions)


def _partial(text: str) -> PartialDate | None:
    return PartialDate.parse(text) if text else None


def stored_after(paper_id: int, *, limit: int) -> list[Paper]:
    """The shown papers that were stored after the one with this id, in that order; 0 stands before the first."""
    return list(Paper.objects.filter(merged_into__isnull=True, id__gt=paper_id).order_by("id")[:limit])


def shown(*, batch: int = 500) -> Iterator[Record]:
    """What we believe of every shown paper, in the order in which they were first stored; `batch` of them in memory."""
    last = 0
    while ids := list(
        Paper.objects.filter(merged_into__isnull=True, id__gt=last).order_by("id").values_list("id", flat=True)[:batch]
    ):
        known = beliefs(ids)
        yield from (known[paper_id] for paper_id in ids if paper_id in known)
        last = ids[-1]
