"""What files of citations share: lines of a long file, their encoding, and records that a database can hold."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import BinaryIO

from broadsheet.bibliography.record import Record, Rejected
from broadsheet.sources import fields, text
from broadsheet.sources.base import EXCERPT_BYTES, HEAD_BYTES, Unreadable

# The longest line that is read in one piece, in bytes or letters.
LONGEST_LINE = 1024 * 1024


def verify(stream: BinaryIO, *, filename: str) -> None:
    """One pass over the whole file. Raises Unreadable when it is empty, binary, a web page, or in no line UTF-8.

    Damage in single lines is left to the rejection of what stands there.
    """
    head = stream.read(HEAD_BYTES)
    text.refuse_foreign(head, filename=filename)
    text.refuse_markup(head, filename=filename)
    stream.seek(0)
    refusal: Unreadable | None = None
    while line := stream.readline(LONGEST_LINE):
        if line.isascii() or len(line) >= LONGEST_LINE:
            continue
        try:
            line.decode()
        except UnicodeDecodeError as error:
            refusal = refusal or text.not_utf8(line, error, filename=filename, offset=stream.tell() - len(line))
        else:
            return
    if refusal:
        raise refusal


@contextmanager
def lines(stream: BinaryIO) -> Iterator[Iterator[str]]:
    """The lines of the stream from where it stands, every end of line made one; bytes that are no text are halves of
    letters, by which `bibliography.formats` knows them. A line that is too long comes in pieces."""
    reader = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline=None)
    try:
        yield iter(lambda: reader.readline(LONGEST_LINE), "")
    finally:
        reader.detach()


def storable(items: Iterable[Record | Rejected]) -> Iterator[Record | Rejected]:
    """The items; a record becomes a rejection where no database holds what it says. Categories that could be no part
    of an address are left out."""
    for item in items:
        yield item if isinstance(item, Rejected) else _storable(item)


_CHECKS: dict[str, fields.Read] = {
    "title": fields.words(fields.LONGEST_TITLE),
    "abstract": fields.prose(fields.LONGEST_TEXT),
    "authors": lambda value: fields.listed(fields.words(fields.LONGEST_PHRASE))(list(value)),
    "identifiers": lambda value: fields.listed(_identifier)([known.value for known in value]),
    "submitted": lambda value: value and fields.plausible(value),
    "venue": fields.prose(fields.LONGEST_PHRASE),
    "keywords": lambda value: fields.listed(fields.words(fields.LONGEST_PHRASE))(list(value)),
    "comments": fields.prose(fields.LONGEST_TEXT),
    "license": fields.prose(fields.LONGEST_PHRASE),
}


def _identifier(value: str) -> str:
    if len(value) > fields.LONGEST_IDENTIFIER:
        raise ValueError(f"is one of more than {fields.LONGEST_IDENTIFIER} letters")
    return value


def _storable(record: Record) -> Record | Rejected:
    for name, check in _CHECKS.items():
        try:
            check(getattr(record, name))
        except ValueError as error:
            excerpt = record.title.encode()[:EXCERPT_BYTES]
            return Rejected(record.source, record.source_key[:60], text.printable(f"its {name} {error}"), excerpt)
    if record.categories:
        return replace(record, categories=tuple(name for name in record.categories if _is_section(name)))
    return record


def _is_section(name: str) -> bool:
    try:
        fields.section(name)
    except ValueError:
        return False
    return True
