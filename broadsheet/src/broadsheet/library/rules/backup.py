"""A whole library as one JSON document: what is written is read back without loss, here or on another instance.

    {"broadsheet_library": 1,
     "papers": [{"record": {…}, "note": "…", "state": "read", "rating": 4, "tags": ["…"],
                 "added_at": "2026-11-22T20:00:00+00:00", "changed_at": "…"}],
     "shelves": [{"path": ["Outer", "Inner"], "is_public": false, "papers": [0, 7]}]}

A record is that of Broadsheet's open format (docs/user/importing.md); a shelf names its papers by their places in
`papers`, in the order of the shelf, and comes after the shelf that it stands in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from broadsheet.accounts.rules import Refused
from broadsheet.bibliography.record import Record
from broadsheet.library.rules import (
    DEEPEST,
    MOST_ON_A_SHELF,
    MOST_SHELVES,
    Said,
    kept_tags,
    read_name,
    read_note,
    read_rating,
    read_state,
)
from broadsheet.sources.json_lines import Fault
from broadsheet.sources.origins.records import record_of

MARK = "broadsheet_library"
VERSION = 1


@dataclass(frozen=True, slots=True)
class Item:
    """A paper of the document and what the reader says of it; `why` is set instead where it was not understood."""

    record: Record | None
    said: Said = field(default_factory=Said)
    why: str = ""


@dataclass(frozen=True, slots=True)
class ShelfItem:
    """A shelf of the document: the names of the shelves that it stands in and its own, and places in `Backup.items`."""

    path: tuple[str, ...]
    is_public: bool
    papers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Backup:
    """A library as it is written down."""

    items: tuple[Item, ...]
    shelves: tuple[ShelfItem, ...]


def is_backup(data: bytes) -> bool:
    """Whether a file begins as one that `write` made."""
    return MARK.encode() in data[:200] and data.lstrip()[:1] == b"{"


def write(items: Sequence[tuple[Record, Said]], shelves: Sequence[ShelfItem]) -> bytes:
    """The document."""
    return orjson.dumps(
        {
            MARK: VERSION,
            "papers": [{"record": record.as_json(), **_told(said)} for record, said in items],
            "shelves": [{"path": each.path, "is_public": each.is_public, "papers": each.papers} for each in shelves],
        },
        option=orjson.OPT_INDENT_2,
    )


def read(data: bytes) -> Backup:
    """What the document says. Raises Fault when it is none; a paper that is not understood says why."""
    try:
        said = orjson.loads(data)
    except ValueError as error:
        raise Fault(f"it is not JSON: {error}") from error
    if not isinstance(said, dict) or said.get(MARK) != VERSION:
        raise Fault(f'it has no "{MARK}": {VERSION} at its beginning')
    listed = said.get("papers", [])
    if not isinstance(listed, list):
        raise Fault('"papers" is not a list')
    return Backup(tuple(map(_item, listed)), tuple(_shelves(said.get("shelves", []), len(listed))))


def _told(said: Said) -> dict[str, Any]:
    return {
        "note": said.note,
        "state": str(said.state),
        "rating": said.rating,
        "tags": said.tags,
        "added_at": said.added_at.astimezone(UTC).isoformat() if said.added_at else None,
        "changed_at": said.changed_at.astimezone(UTC).isoformat() if said.changed_at else None,
    }


def _item(told: Any) -> Item:
    if not isinstance(told, dict) or not isinstance(told.get("record"), dict):
        return Item(None, why='it has no "record"')
    try:
        return Item(record_of(told["record"]), _said(told))
    except (Fault, Refused) as error:
        return Item(None, why=str(error))


def _said(told: Mapping[str, Any]) -> Said:
    tags = told.get("tags") or []
    rating = told.get("rating")
    return Said(
        note=read_note(_text(told, "note")),
        state=read_state(_text(told, "state") or "unread"),
        rating=read_rating("" if rating is None else str(rating)),
        tags=kept_tags(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else (),
        added_at=_moment(told, "added_at"),
        changed_at=_moment(told, "changed_at"),
    )


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name) or ""
    if not isinstance(value, str):
        raise Fault(f'"{name}" is not a text')
    return value


def _moment(told: Mapping[str, Any], name: str) -> datetime | None:
    text = _text(told, name)
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Fault(f'"{name}" is not a moment') from error


def _shelves(told: Any, papers: int) -> Iterator[ShelfItem]:
    """The shelves that are understood; what is none is passed over, as no paper is lost with it."""
    for each in told[:MOST_SHELVES] if isinstance(told, list) else ():
        path = each.get("path") if isinstance(each, dict) else None
        if not isinstance(path, list) or not 1 <= len(path) <= DEEPEST:
            continue
        places = each.get("papers")
        on_it = [at for at in places if type(at) is int and 0 <= at < papers] if isinstance(places, list) else []
        try:
            names = tuple(read_name(name if isinstance(name, str) else "") for name in path)
        except Refused:
            continue
        yield ShelfItem(names, each.get("is_public") is True, tuple(dict.fromkeys(on_it))[:MOST_ON_A_SHELF])
