"""Bringing papers in from a file of the reader's own.

What her file says never changes what is believed of a paper that is here. Of one that is new it makes a statement of
the source `SOURCE`, without the reader's own words: keywords become her tags, remarks her note. Its date is the year
alone, so that no file of a reader puts a paper into an edition.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from django.db import transaction
from django.utils import timezone

from broadsheet.accounts.rules import Ground, Person, Refused
from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.record import Record, Rejected
from broadsheet.library.actions.entries import keep_many
from broadsheet.library.actions.shelves import editable, make_shelf, place_many
from broadsheet.library.models import LibraryEntry, LibraryImport, Shelf
from broadsheet.library.rules import (
    LONGEST_NOTE,
    MOST_AT_ONCE,
    MOST_BYTES,
    MOST_ITEMS,
    MOST_SECONDS,
    MOST_TAGS,
    Said,
    State,
    backup,
    joined,
    kept_tags,
)
from broadsheet.papers import queries as papers
from broadsheet.papers.actions import store_many
from broadsheet.sources import registry
from broadsheet.sources.base import HEAD_BYTES, Source, Unreadable, read_verified
from broadsheet.sources.json_lines import Fault
from broadsheet.storage import among

# Under which statements of readers' files are stored: a source of little trust (bibliography.merging).
SOURCE = "saved-by-reader"
# The formats that readers bring. The open format of records is not one: its files say who speaks.
FORMATS = ("zotero", "csl-json", "bibtex", "ris")
OWN_FORM = "Broadsheet library"

# Lines of a report about what was not understood; more are counted.
_MOST_REFUSED = 500
_FILE = "The file"


@dataclass(frozen=True, slots=True)
class _Item:
    """An item of a file: a record with what the reader says of it, or why it is none."""

    place: int
    record: Record | None
    said: Said = field(default_factory=Said)
    refused: tuple[str, str, str] = ("", "", "")


def bring_in(*, by: Person, data: bytes, shelf: int | None = None) -> int:
    """Read a file into the library, onto a shelf if one is named; the number of the report.

    At most MOST_ITEMS items are read, and MOST_SECONDS worked; the report says where that ended it. Raises Refused when
    nothing of the file can be read.
    """
    if len(data) > MOST_BYTES:
        raise Refused(
            f"The file is larger than {MOST_BYTES // 1024 // 1024} MiB. Nothing was stored; send it in parts.",
            ground=Ground.TOO_MUCH,
            field="file",
        )
    if shelf is not None:
        with transaction.atomic():
            editable(by, shelf)
    form, items, shelves = _opened(data)
    row = LibraryImport.objects.create(user_id=by.id, form=form, at=timezone.now(), read=0, entries=[], refused=[])
    _Work(by, row, shelf).run(items, shelves)
    return row.id


class _Work:
    """One file on its way into a library."""

    def __init__(self, by: Person, row: LibraryImport, shelf: int | None) -> None:
        self._by = by
        self._row = row
        self._shelf = shelf
        self._ends = time.monotonic() + MOST_SECONDS
        # Where each item of the file went, for the shelves of a backup.
        self._paper_at: dict[int, int] = {}

    def run(self, items: Iterator[_Item], shelves: Sequence[backup.ShelfItem]) -> None:
        """Store batch after batch, each in one transaction with its part of the report."""
        items = iter(items)
        while self._row.read < MOST_ITEMS and time.monotonic() < self._ends:
            batch = list(islice(items, min(MOST_AT_ONCE, MOST_ITEMS - self._row.read)))
            if not batch:
                break
            try:
                self._batch(batch)
            except Refused as error:
                self._end(f"{error} {self._reached()}")
                return
        else:
            if next(items, None) is not None:
                self._end(f"One file is read to its item {MOST_ITEMS:,}, for {MOST_SECONDS:g} s. {self._reached()}")
        if shelves:
            self._put_up(shelves)

    def _reached(self) -> str:
        return f"Everything from item {self._row.read + 1:,} on was not read; send that part again."

    def _end(self, why: str) -> None:
        self._row.cut = why
        self._row.save(update_fields=["cut"])

    def _batch(self, batch: Sequence[_Item]) -> None:
        known = [item for item in batch if item.record]
        records = [item.record for item in known if item.record]
        with transaction.atomic():
            here = _present(records)
            last = papers.last_change()
            store_many(record for at, record in enumerate(records) if at not in here)
            made = {change.paper_id for change in papers.changes(after=last) if change.kind == "created"}
            found = here | _stored(records, here)
            root_of = papers.canonical(found.values())
            roots = [root_of[found[at]] for at in range(len(records))]
            before = _kept(self._by, roots)
            keep_many(self._by, roots)
            _say(self._by, [(root, item.said) for root, item in zip(roots, known, strict=True)])
            if self._shelf is not None:
                place_many(self._shelf, roots, self._by)
            self._report(batch, known, roots, made, before)

    def _report(
        self,
        batch: Sequence[_Item],
        known: Sequence[_Item],
        roots: Sequence[int],
        made: set[int],
        before: frozenset[int],
    ) -> None:
        row = self._row
        row.read += len(batch)
        row.refused += [list(item.refused) for item in batch if item.record is None]
        listed = {paper for paper, _, _ in row.entries}
        for item, root in zip(known, roots, strict=True):
            self._paper_at[item.place] = root
            if root not in listed:
                listed.add(root)
                row.entries.append([root, int(root not in made), int(root in before)])
        if len(row.refused) > _MOST_REFUSED:
            more = len(row.refused) - _MOST_REFUSED
            row.refused, row.cut = row.refused[:_MOST_REFUSED], f"{more:,} more items were not understood."
        row.save()

    def _put_up(self, shelves: Sequence[backup.ShelfItem]) -> None:
        """Make the shelves of a backup that are not there, and put the papers on them. What is full stays full."""
        by_path: dict[tuple[str, ...], int] = {}
        try:
            with transaction.atomic():
                for each in shelves:
                    outer = by_path.get(each.path[:-1])
                    number = _shelf(self._by, each, outer)
                    by_path[each.path] = number
                    place_many(number, [self._paper_at[at] for at in each.papers if at in self._paper_at], self._by)
        except Refused as error:
            self._end(f"The papers are in, the shelves are not. {error}")


def _opened(data: bytes) -> tuple[str, Iterator[_Item], Sequence[backup.ShelfItem]]:
    """How the form of the file is called, its items, and the shelves of a backup. Raises Refused."""
    try:
        if backup.is_backup(data):
            read = backup.read(data)
            return OWN_FORM, _of_backup(read), read.shelves
        source = _recognised(data)
        items = read_verified(source, io.BytesIO(data), filename=_FILE)
        first = list(islice(items, 1))
    except (Unreadable, Fault) as error:
        sentence = error.sentence if isinstance(error, Unreadable) else f"The file cannot be read: {error}."
        raise Refused(sentence, ground=Ground.NOT_UNDERSTOOD, field="file") from error
    if not first:
        raise Refused(
            "There are no papers in the file. Nothing was stored.", ground=Ground.NOT_UNDERSTOOD, field="file"
        )
    return source.title, _of_source(first, items), ()


def _recognised(data: bytes) -> Source:
    readers = registry.readers()
    for name, source in readers.items():
        if name in FORMATS and source.recognises(data[:HEAD_BYTES], _FILE):
            return source
    raise Refused(
        "This is no BibTeX, RIS, CSL-JSON, export of Zotero, or library of Broadsheet that could be read. Nothing was "
        "stored. Export the papers in one of these forms, and send that.",
        ground=Ground.NOT_UNDERSTOOD,
        field="file",
    )


def _of_source(first: Iterable[Record | Rejected], rest: Iterable[Record | Rejected]) -> Iterator[_Item]:
    for items in (first, rest):
        for place, item in enumerate(items):
            if isinstance(item, Rejected):
                excerpt = item.excerpt.decode("utf-8", "replace")
                yield _Item(place, None, refused=(item.position, item.reason, excerpt))
            else:
                said = Said(note=item.comments[:LONGEST_NOTE].strip(), tags=kept_tags(item.keywords))
                yield _Item(place, _public(item), said)


def _of_backup(read: backup.Backup) -> Iterator[_Item]:
    for place, item in enumerate(read.items):
        if item.record is None:
            yield _Item(place, None, refused=(f"paper {place + 1}", item.why, ""))
        else:
            yield _Item(place, _public(item.record), item.said)


def _public(record: Record) -> Record:
    """The record as a reader's file may state it: bibliography only."""
    return Record(
        source=SOURCE,
        source_key=record.source_key,
        title=record.title,
        abstract=record.abstract,
        authors=record.authors,
        identifiers=record.identifiers,
        submitted=PartialDate(record.submitted.year) if record.submitted else None,
        venue=record.venue,
        kind=record.kind,
    )


def _present(records: Sequence[Record]) -> dict[int, int]:
    """The papers that are here already, by the places of records: one of the identifiers is known, or the statement."""
    owners = papers.identified({known for record in records for known in record.identifiers})
    stated = papers.stated(SOURCE, {record.source_key for record in records})
    result = {}
    for at, record in enumerate(records):
        ids = [owners[known] for known in record.identifiers if known in owners]
        if ids or record.source_key in stated:
            result[at] = ids[0] if ids else stated[record.source_key]
    return result


def _stored(records: Sequence[Record], here: Mapping[int, int]) -> dict[int, int]:
    """The papers that the other records were attached to when they were stored."""
    wanted = {at: record.source_key for at, record in enumerate(records) if at not in here}
    stated = papers.stated(SOURCE, wanted.values())
    return {at: stated[key] for at, key in wanted.items()}


def _kept(by: Person, roots: Iterable[int]) -> frozenset[int]:
    """Those of the shown papers that are in the library."""
    root_of = {member: root for root, members in papers.families(roots).items() for member in members}
    rows = LibraryEntry.objects.filter(among("paper", root_of), user=by.id, removal=None)
    return frozenset(root_of[paper] for paper in rows.values_list("paper", flat=True))


def _say(by: Person, told: Sequence[tuple[int, Said]]) -> None:
    """Add what the file says to the entries: nothing that stands there is lost, and saying it again changes nothing."""
    said: dict[int, list[Said]] = {}
    for root, each in told:
        said.setdefault(root, []).append(each)
    root_of = {member: root for root, members in papers.families(said).items() for member in members}
    rows = list(LibraryEntry.objects.filter(among("paper", root_of), user=by.id, removal=None).order_by("id"))
    first = {root_of[row.paper_id]: row for row in reversed(rows)}
    now = timezone.now()
    for root, row in first.items():
        _add(row, joined(said[root]), fresh=row.changed_at == row.added_at, now=now)
    fields = ["note", "state", "rating", "tags", "added_at", "changed_at"]
    LibraryEntry.objects.bulk_update(first.values(), fields, batch_size=100)


def _add(row: LibraryEntry, said: Said, *, fresh: bool, now: datetime) -> None:
    before = (row.note, row.state, row.rating, row.tags)
    if said.note and said.note not in row.note:
        row.note = f"{row.note}\n\n{said.note}".strip()[:LONGEST_NOTE]
    row.state = joined([Said(state=State(row.state)), Said(state=said.state)]).state
    row.rating = row.rating or said.rating
    row.tags = sorted({*row.tags, *said.tags})[:MOST_TAGS]
    if said.added_at and fresh:
        row.added_at = min(said.added_at, now)
        row.changed_at = min(said.changed_at or said.added_at, now)
    elif (row.note, row.state, row.rating, row.tags) != before:
        row.changed_at = now


def _shelf(by: Person, wanted: backup.ShelfItem, outer: int | None) -> int:
    """The reader's shelf of that name at that place; made where there is none."""
    name = wanted.path[-1]
    found = Shelf.objects.filter(user=by.id, parent=outer, name=name, removal=None).order_by("id").first()
    return found.id if found else make_shelf(by=by, name=name, parent=outer, is_public=wanted.is_public)
