"""Pure rules of the stored paper: how a record becomes columns, and what a paper is called."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import orjson

from broadsheet.bibliography import identifiers, matching, names
from broadsheet.bibliography.record import Record

# Sorts after everything that has a date, in both databases.
UNDATED = date(1, 1, 1)

# Columns of a paper that are copied from the belief, in the order in which they are inserted.
TEXT_FIELDS = (
    "title", "abstract", "summary", "venue", "field", "kind", "comments", "license", "organization", "code_url",
    "project_url",
)  # fmt: skip
LIST_FIELDS = ("authors", "categories", "keywords")
COLUMNS = (
    *TEXT_FIELDS, *LIST_FIELDS, "author_count", "submitted", "updated", "announced", "sort_day", "title_key",
    "head_key", "versions",
)  # fmt: skip


def said(record: Record) -> tuple[str, int]:
    """The record as JSON text, and a 64-bit digest that changes when anything in it changes."""
    text = orjson.dumps(record.as_json(), option=orjson.OPT_SORT_KEYS)
    return text.decode(), int.from_bytes(blake2b(text, digest_size=8).digest(), "big", signed=True)


def sort_day(record: Record) -> date:
    """The day that lists sort the paper by: announcement, else the first day that its submission date can mean."""
    if record.announced:
        return record.announced
    return record.submitted.first if record.submitted else UNDATED


def column_values(belief: Record) -> tuple[Any, ...]:
    """The values of COLUMNS, as the database takes them."""
    return (
        *(getattr(belief, name) for name in TEXT_FIELDS),
        *(orjson.dumps(getattr(belief, name)).decode() for name in LIST_FIELDS),
        belief.author_count,
        str(belief.submitted or ""),
        str(belief.updated or ""),
        belief.announced.isoformat() if belief.announced else None,
        sort_day(belief).isoformat(),
        *title_keys(belief.title),
        orjson.dumps(belief.as_json().get("versions", [])).decode() if belief.versions else "[]",
    )


def changed_fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the columns whose values differ, in the order of COLUMNS."""
    return tuple(name for name in COLUMNS if before[name] != after[name])


def key_of(belief: Record) -> str:
    """What the paper is called in addresses: its best identifier, else a name made from its title."""
    best = identifiers.best(belief.identifiers)
    if best:
        return best.key
    title = title_keys(belief.title)[0].to_bytes(8, "big", signed=True)
    return "t-" + base64.b32encode(title).decode().rstrip("=").lower()


@lru_cache(maxsize=4096)
def title_keys(title: str) -> tuple[int, int | None]:
    """The keys by which the same work is looked for: of the title, and of what stands before its subtitle, if any.

    Cached, because storing a batch asks for those of each title several times.
    """
    return matching.title_key(title), matching.head_key(title)


def author_slugs(belief: Record) -> tuple[str, ...]:
    """The addresses of the authors' pages, in the order of the list, each once."""
    return tuple(dict.fromkeys(slug for slug in map(names.slug, belief.authors) if slug))


def topics(belief: Record) -> tuple[str, ...]:
    """The sections that the paper is listed in, the first one first: its field, then its categories."""
    return tuple(dict.fromkeys(slug for slug in (belief.field, *belief.categories) if slug))
