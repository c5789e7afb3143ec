"""Rows of papers, written many at a time. Only the other actions call this, inside a `storage.writing` block."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from django.db import connection
from django.db.models import QuerySet

from broadsheet.bibliography import identifiers, merging
from broadsheet.bibliography.identifiers import Identifier
from broadsheet.bibliography.record import Record
from broadsheet.papers import queries, rules
from broadsheet.papers.models import (
    Authorship,
    FormerKey,
    Paper,
    PaperChange,
    PaperIdentifier,
    Statement,
    Topic,
)
from broadsheet.storage import among, insert_rows, timestamp, update_rows

Kind = PaperChange.Kind


def _insert_papers(beliefs: Mapping[int, Record], keys: Mapping[int, str], at: datetime) -> None:
    insert_rows(
        Paper,
        ("id", "key", *rules.COLUMNS),
        [(paper_id, keys[paper_id], *rules.column_values(belief)) for paper_id, belief in beliefs.items()],
    )
    put_on_lists(beliefs)
    _insert_identifiers(beliefs)
    journal([(paper_id, Kind.CREATED, "", None, "") for paper_id in beliefs], at)


def insert_statements(rows: Iterable[tuple[Record, str, int, int]], at: datetime) -> None:
    """Insert statements given as (record, its JSON, its digest, paper id)."""
    when = timestamp(at)
    insert_rows(
        Statement,
        ("source", "source_key", "paper_id", "said", "digest", "seen_at"),
        [(record.source, record.source_key, paper, said, digest, when) for record, said, digest, paper in rows],
    )


def replace_statements(rows: Iterable[tuple[int, str, int]], at: datetime) -> None:
    """Put newer words, given as (statement id, JSON, digest), in the place of older ones."""
    when = timestamp(at)
    update_rows(
        Statement,
        ("said", "digest", "seen_at"),
        [(said, digest, when, statement) for statement, said, digest in rows],
    )


def journal(entries: Iterable[tuple[int, str, str, int | None, str]], at: datetime) -> None:
    """Append entries given as (paper id, kind, names of fields, other paper id, note)."""
    when = timestamp(at)
    insert_rows(
        PaperChange,
        ("paper_id", "kind", "at", "fields", "other", "note"),
        [(paper, str(kind), when, fields, other, note) for paper, kind, fields, other, note in entries],
    )


def recompute(ids: Collection[int], at: datetime, *, stated: Collection[int] = ()) -> None:
    """Make the stored belief of each paper what its statements, and those of papers merged into it, say together.

    Papers whose belief moves are journalled as updated, those in `stated` whose belief stays as stated.
    """
    beliefs = {
        paper_id: merging.merge([each.record for each in said]).record
        for paper_id, said in queries.statements(ids).items()
    }
    for paper_id, known in queries.identifiers_of(beliefs).items():
        if lost := set(known) - set(beliefs[paper_id].identifiers):
            give_up_identifiers(paper_id, lost, beliefs[paper_id])
    added = {i for belief in beliefs.values() for i in belief.identifiers}
    added -= set(queries.identified(added))
    before: dict[int, Record] = {}
    moved: dict[int, tuple[str, ...]] = {}
    for paper_id, row in Paper.objects.in_bulk(list(beliefs)).items():
        before[paper_id] = queries.as_record(row, ())
        fields = _update(row, before[paper_id], beliefs[paper_id])
        moved[paper_id] = (*fields, "identifiers") if added & set(beliefs[paper_id].identifiers) else fields
    _insert_identifiers(beliefs)
    relisted = [paper_id for paper_id, fields in moved.items() if not _LISTED.isdisjoint(fields)]
    take_off_lists({paper_id: before[paper_id] for paper_id in relisted})
    put_on_lists({paper_id: beliefs[paper_id] for paper_id in relisted})
    kinds = {i: Kind.UPDATED if fields else Kind.STATED for i, fields in moved.items() if fields or i in stated}
    journal([(i, kind, " ".join(moved[i]), None, "") for i, kind in kinds.items()], at)


def take_off_lists(beliefs: Mapping[int, Record]) -> None:
    """Remove papers from the lists of authors and sections, given as what they were listed by."""
    with connection.cursor() as cursor:
        for table, rows in (("papers_authorship", _authorships(beliefs)), ("papers_topic", _topics(beliefs))):
            statement = f"DELETE FROM {table} WHERE slug = %s AND day = %s AND paper_id = %s"  # noqa: S608  # two names
            cursor.executemany(statement, rows)


def put_on_lists(beliefs: Mapping[int, Record]) -> None:
    """Give papers their places in the lists of authors and sections."""
    insert_rows(Authorship, ("slug", "day", "paper_id"), _authorships(beliefs))
    insert_rows(Topic, ("slug", "day", "paper_id"), _topics(beliefs))


def insert_new(beliefs: Mapping[int, Record], at: datetime) -> None:
    """Insert new papers under reserved ids, with keys that no other paper has or had, and journal them."""
    wanted = {paper_id: rules.key_of(belief) for paper_id, belief in beliefs.items()}
    taken = _taken(wanted.values())
    keys: dict[int, str] = {}
    for paper_id, key in wanted.items():
        keys[paper_id] = _free(key, taken)
        taken.add(keys[paper_id])
    _insert_papers(beliefs, keys, at)


def _taken(keys: Iterable[str]) -> set[str]:
    asked = set(keys)
    current = Paper.objects.filter(among("key", asked)).values_list("key", flat=True)
    return {*current, *FormerKey.objects.filter(among("key", asked)).values_list("key", flat=True)}


def _free(key: str, taken: Collection[str]) -> str:
    """The key, or when another work has it (two works may share a title) the key with the first free number."""
    free, number = key, 2
    while free in taken or (free != key and _taken([free])):
        free, number = f"{key}-{number}", number + 1
    return free


def _update(row: Paper, old: Record, belief: Record) -> tuple[str, ...]:
    """Write what differs between the old belief and the new one. Returns the names of what differed."""
    before = dict(zip(rules.COLUMNS, rules.column_values(old), strict=True))
    after = dict(zip(rules.COLUMNS, rules.column_values(belief), strict=True))
    changed = rules.changed_fields(before, after)
    if changed:
        update_rows(Paper, changed, [(*(after[name] for name in changed), row.id)])
    _adopt_key(row, belief)
    return changed


_LISTED = {"authors", "categories", "field", "sort_day"}


def _adopt_key(row: Paper, belief: Record) -> None:
    """Take a better key when an identifier of a better scheme became known; the old one leads here for ever.

    A key that another paper has or had stays with that paper, even when it was merged into this one.
    """
    best, current = identifiers.best(belief.identifiers), identifiers.from_key(row.key)
    if best is None or (current and identifiers.rank(current) <= identifiers.rank(best)):
        return
    held = Paper.objects.filter(key=best.key) | Paper.objects.filter(id__in=_formerly(best.key))
    if held.exclude(id=row.id).exists():
        return
    FormerKey.objects.filter(key=best.key).delete()
    FormerKey.objects.create(key=row.key, paper=row)
    Paper.objects.filter(id=row.id).update(key=best.key)


def _formerly(key: str) -> QuerySet[FormerKey, int]:
    return FormerKey.objects.filter(key=key).values_list("paper_id", flat=True)


def give_up_identifiers(paper_id: int, lost: Collection[Identifier], belief: Record) -> None:
    """Take identifiers from a paper that nobody gives it any more, and its address if that was one of them."""
    row, family = Paper.objects.get(id=paper_id), queries.families([paper_id])[paper_id]
    for identifier in lost:
        rows = PaperIdentifier.objects.filter(scheme=identifier.scheme, value=identifier.value, paper__in=family)
        rows.delete()
        FormerKey.objects.filter(paper=row, key=identifier.key).delete()
    if row.key in {identifier.key for identifier in lost}:
        wanted = rules.key_of(belief)
        FormerKey.objects.filter(paper=row, key=wanted).delete()
        Paper.objects.filter(id=row.id).update(key=_free(wanted, _taken([wanted])))


def _insert_identifiers(beliefs: Mapping[int, Record]) -> None:
    """Identifiers that are there already stay with the paper that they were first given to."""
    insert_rows(
        PaperIdentifier,
        ("scheme", "value", "paper_id"),
        [(str(i.scheme), i.value, paper) for paper, belief in beliefs.items() for i in belief.identifiers],
        ignore=True,
    )


def _authorships(beliefs: Mapping[int, Record]) -> list[tuple[str, str, int]]:
    days = {paper: rules.sort_day(belief).isoformat() for paper, belief in beliefs.items()}
    return [(slug, days[paper], paper) for paper, belief in beliefs.items() for slug in rules.author_slugs(belief)]


def _topics(beliefs: Mapping[int, Record]) -> list[tuple[str, str, int]]:
    days = {paper: rules.sort_day(belief).isoformat() for paper, belief in beliefs.items()}
    return [(slug, days[paper], paper) for paper, belief in beliefs.items() for slug in rules.topics(belief)]
