"""Storing what sources said: who is meant, what is new, what we believe now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone

from broadsheet.bibliography import identifiers, matching, merging
from broadsheet.bibliography.identifiers import Identifier
from broadsheet.bibliography.record import Record
from broadsheet.papers import queries, rules
from broadsheet.papers.actions import writing
from broadsheet.papers.actions.merging import merge_by_rule
from broadsheet.papers.models import Paper, Statement
from broadsheet.storage import among, reserve_ids
from broadsheet.storage import writing as transaction


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a batch of records: each is counted once.

    `new` made a paper; `merged` said something about a paper that was there; `changed` replaced what its source had
    said before; `unchanged` repeated it.
    """

    new: int = 0
    merged: int = 0
    changed: int = 0
    unchanged: int = 0

    def __add__(self, other: Stored) -> Stored:
        return Stored(
            self.new + other.new,
            self.merged + other.merged,
            self.changed + other.changed,
            self.unchanged + other.unchanged,
        )


def store_many(records: Iterable[Record], *, at: datetime | None = None) -> Stored:
    """Store what sources said, in one transaction with the journal. Batches of some 1,000 records are best.

    A record is attached to the paper that one of its identifiers belongs to, else to the one that
    `bibliography.matching` takes for the same work, else it makes a new paper. Where its identifiers belong to several
    papers, those are merged. Storing the same records again changes nothing.
    """
    batch = list(records)
    if not batch:
        return Stored()
    with transaction():
        return _Batch(at or timezone.now()).store(batch)


# A title that more papers share than this ("Introduction", "Reply to comments") says nothing about identity.
_MOST_CANDIDATES = 40


@dataclass
class _Known:
    """What the database holds that a batch could mean: identifiers, titles, and the beliefs behind them.

    An identifier leads to the paper that it was given to, even when that was merged: a statement that names it belongs
    to that paper again when the merge is taken back. Titles lead to papers that are shown.
    """

    papers: dict[Identifier, int]
    titles: dict[int, list[int]]
    beliefs: dict[int, Record]

    @classmethod
    def of(cls, records: list[Record]) -> _Known:
        found = queries.identified({i for record in records for i in record.identifiers})
        titles: dict[int, list[int]] = defaultdict(list)
        keys = {key for record in records for key in _title_keys(record)}
        for paper_id, title, head in _with_title_keys(keys):
            for key in (title, head):
                if key is not None and key in keys:
                    titles[key].append(paper_id)
        titles = {key: ids for key, ids in titles.items() if len(ids) <= _MOST_CANDIDATES}
        roots = queries.canonical({paper_id for ids in titles.values() for paper_id in ids})
        by_title = {key: list(dict.fromkeys(roots[i] for i in ids)) for key, ids in titles.items()}
        return cls(found, by_title, queries.beliefs(set(roots.values())))

    def add(self, paper_id: int, record: Record) -> None:
        """Let later records of the batch find this paper too."""
        self.beliefs.setdefault(paper_id, record)
        for identifier in record.identifiers:
            self.papers.setdefault(identifier, paper_id)
        for key in _title_keys(record):
            ids = self.titles.setdefault(key, [])
            if paper_id not in ids and len(ids) < _MOST_CANDIDATES:
                ids.append(paper_id)

    def owners(self, record: Record) -> list[int]:
        """Papers that an identifier of the record was given to, the one of its best identifier first."""
        known = [i for i in record.identifiers if i in self.papers]
        return list(dict.fromkeys(self.papers[i] for i in sorted(known, key=identifiers.rank)))

    def same_work(self, record: Record) -> int | None:
        """The paper whose text says most clearly that it is the same work, if any does."""
        candidates = {i for key in _title_keys(record) for i in self.titles.get(key, ())}
        verdicts = [(matching.same_work(record, self.beliefs[i]), i) for i in sorted(candidates)]
        matches = [(verdict.score, -paper_id) for verdict, paper_id in verdicts if verdict.same]
        return -max(matches)[1] if matches else None


@dataclass
class _Batch:
    """One batch on its way into the tables."""

    at: datetime
    created: dict[int, list[Record]] = field(default_factory=dict)
    attached: set[int] = field(default_factory=set)
    to_merge: list[tuple[int, int]] = field(default_factory=list)
    inserts: list[tuple[Record, str, int, int]] = field(default_factory=list)

    def store(self, batch: list[Record]) -> Stored:
        unique = {(record.source, record.source_key): (record, *rules.said(record)) for record in batch}
        existing = _existing(unique)
        fresh = [entry for key, entry in unique.items() if key not in existing]
        changed = [
            (existing[key], entry) for key, entry in unique.items() if key in existing and existing[key][2] != entry[2]
        ]
        known = _Known.of([record for record, _, _ in [*fresh, *(entry for _, entry in changed)]])
        self._assign(fresh, known)
        self._insert_new()
        writing.insert_statements(self.inserts, self.at)
        self._replace(changed, known)
        self._settle()
        new = len(self.created)
        return Stored(new, len(fresh) - new, len(changed), len(batch) - len(fresh) - len(changed))

    def _assign(self, fresh: list[tuple[Record, str, int]], known: _Known) -> None:
        ids = iter(reserve_ids(Paper, len(fresh)) if fresh else ())
        for record, said, digest in fresh:
            paper_id = self._paper_of(record, known)
            if paper_id is None:
                paper_id = next(ids)
                self.created[paper_id] = []
            if paper_id in self.created:
                self.created[paper_id].append(record)
            else:
                self.attached.add(paper_id)
            known.add(paper_id, record)
            self.inserts.append((record, said, digest, paper_id))

    def _paper_of(self, record: Record, known: _Known) -> int | None:
        owners = known.owners(record)
        if not owners:
            return known.same_work(record)
        self.to_merge += [(owners[0], other) for other in owners[1:]]
        return owners[0]

    def _insert_new(self) -> None:
        if not self.created:
            return
        beliefs = {
            paper_id: merging.merge(records).record if len(records) > 1 else records[0]
            for paper_id, records in self.created.items()
        }
        writing.insert_new(beliefs, self.at)

    def _replace(self, changed: list[tuple[tuple[int, int, int], tuple[Record, str, int]]], known: _Known) -> None:
        writing.replace_statements([(old[0], entry[1], entry[2]) for old, entry in changed], self.at)
        for (_, paper_id, _), (record, _, _) in changed:
            self.attached.add(paper_id)
            self.to_merge += [(paper_id, other) for other in known.owners(record) if other != paper_id]
            known.add(paper_id, record)

    def _settle(self) -> None:
        if self.attached:
            shown = set(queries.canonical(self.attached).values())
            writing.recompute(shown, self.at, stated=shown)
        for one, other in self.to_merge:
            merge_by_rule(one, other, "the same identifiers", self.at)


def _existing(keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], tuple[int, int, int]]:
    """(statement id, paper id, digest) of the statements that are stored already."""
    by_source: dict[str, list[str]] = defaultdict(list)
    for source, key in keys:
        by_source[source].append(key)
    return {
        (source, key): (statement, paper, digest)
        for source, wanted in by_source.items()
        for statement, key, paper, digest in Statement.objects.filter(
            among("source_key", wanted), source=source
        ).values_list("id", "source_key", "paper_id", "digest")
    }


def _title_keys(record: Record) -> set[int]:
    return {key for key in rules.title_keys(record.title) if key is not None}


def _with_title_keys(keys: set[int]) -> Iterator[tuple[int, int, int | None]]:
    columns = ("id", "title_key", "head_key")
    yield from Paper.objects.filter(among("title_key", keys)).values_list(*columns)
    yield from Paper.objects.filter(among("head_key", keys)).values_list(*columns)
