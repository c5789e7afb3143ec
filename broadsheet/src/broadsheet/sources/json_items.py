"""JSON files that are one long list of objects: read object by object, in bounded memory.

The list is the document itself, or stands under ``items`` in the document's object, as reference managers export it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any, BinaryIO, NamedTuple

import orjson

from broadsheet.bibliography.record import Rejected
from broadsheet.sources import text
from broadsheet.sources.base import EXCERPT_BYTES, HEAD_BYTES, Unreadable

# The longest object that is read, in bytes.
LONGEST_ITEM = 1024 * 1024
_PIECE = 256 * 1024
_OUTSIDE = re.compile(rb'["{}\[\]]')
_INSIDE = re.compile(rb'["\\]')
_MEMBER = b"items"
_LONGEST_NAME = 100
_BLANKS = b" \t\r\n"


class Item(NamedTuple):
    """One object of the list: its number from 1, its bytes, and the first of them when it is too long."""

    number: int
    data: bytes
    is_too_long: bool


def items(stream: BinaryIO) -> Iterator[Item]:
    """The objects of the list as they stand, up to where the list or the file ends."""
    return _Scan(stream).items()


def verify(stream: BinaryIO, *, filename: str) -> None:
    """One pass over the whole file. Raises Unreadable when it holds no such list, or is cut off."""
    head = stream.read(HEAD_BYTES)
    text.refuse_foreign(head, filename=filename)
    text.refuse_markup(head, filename=filename)
    stream.seek(0)
    scan = _Scan(stream)
    for _ in scan.items():
        pass
    if not scan.found:
        raise Unreadable(
            f"{text.shown(filename)} is no list of items in JSON. {text.NOTHING_STORED} Export the items again.",
            f"first bytes {head[:80]!r}",
        )
    if not scan.ended:
        raise Unreadable(
            f"{text.shown(filename)} is cut off: its list has no end. {text.NOTHING_STORED} Save or export it again.",
            "the list of items has no end",
        )


def parsed(item: Item, source: str) -> Any:
    """The value of an item, or its rejection by `source` when it is no JSON, too long, or nested too deeply."""
    if item.is_too_long:
        return rejected(item, source, f"it is longer than {LONGEST_ITEM:,} bytes")
    try:
        return orjson.loads(item.data)
    except orjson.JSONDecodeError as error:
        return rejected(item, source, f"it is not JSON: {error.msg} at letter {error.pos}")


def rejected(item: Item, source: str, reason: str) -> Rejected:
    """The rejection of an item."""
    return Rejected(source, f"item {item.number}", text.printable(reason), item.data[:EXCERPT_BYTES])


def first_objects(head: bytes, count: int = 3) -> list[dict[str, Any]]:
    """The first objects of the list in a file that begins with `head`; those that are no JSON are passed over."""
    if head.removeprefix(text.BYTE_ORDER_MARK).lstrip(_BLANKS)[:1] not in (b"[", b"{"):
        return []
    found = []
    for item in items(BytesIO(head)):
        if item.number > count:
            break
        value = parsed(item, "")
        if isinstance(value, dict):
            found.append(value)
    return found


class _Scan:
    """Goes through a document once, bracket by bracket. Strings are passed over, so that nothing in them counts."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.found = False
        self.ended = False
        self._depth = 0
        # How deep the brackets of the list's own items stand.
        self._inner = 0
        self._in_string = False
        self._is_escaped = False
        # The last name of a member in the document's own object.
        self._name = b""
        self._kept: list[bytes] | None = None
        self._size = 0
        self._number = 0

    def items(self) -> Iterator[Item]:
        """Every object of the list, and every list in it."""
        data = self._stream.read(_PIECE).removeprefix(text.BYTE_ORDER_MARK)
        if data.lstrip(_BLANKS)[:1] not in (b"[", b"{"):
            return
        while data and not self.ended:
            yield from self._through(data)
            data = self._stream.read(_PIECE)

    def _through(self, data: bytes) -> Iterator[Item]:
        """One piece of the document: keep what belongs to an item, and yield those that end here."""
        at, start = 0, 0
        while not self.ended:
            if self._in_string:
                at = self._string(data, at)
                if self._in_string:
                    break
            match = _OUTSIDE.search(data, at)
            if match is None:
                break
            at = match.end()
            if match[0] == b'"':
                self._in_string = True
                self._name = b""
            elif match[0] in (b"{", b"["):
                if self._open(match[0]):
                    start = match.start()
            elif self._close():
                self._keep(data[start:at])
                yield self._item()
        if self._kept is not None:
            self._keep(data[start:])

    def _string(self, data: bytes, at: int) -> int:
        """Go to the end of the string that is open here, or of the piece."""
        begin = at
        if self._is_escaped:
            at, self._is_escaped = at + 1, False
        while match := _INSIDE.search(data, at):
            at = match.end()
            if match[0] == b'"':
                self._in_string = False
                if self._depth == 1:
                    self._name += data[begin : match.start()][:_LONGEST_NAME]
                return at
            if at >= len(data):
                self._is_escaped = True
                break
            at += 1
        if self._depth == 1:
            self._name += data[begin:][:_LONGEST_NAME]
        return len(data)

    def _open(self, bracket: bytes) -> bool:
        """Go one level deeper; whether an item begins here."""
        begins = self.found and self._depth == self._inner
        if not self.found and bracket == b"[" and (self._depth == 0 or (self._depth == 1 and self._name == _MEMBER)):
            self.found = True
            self._inner = self._depth + 1
        self._depth += 1
        if begins:
            self._kept, self._size = [], 0
        return begins

    def _close(self) -> bool:
        """Go one level up; whether an item ends here. The list or the document may end, too."""
        self._depth -= 1
        if self.found and self._depth < self._inner:
            self.ended = True
            return False
        if self._depth <= 0:
            self.ended = True
        return self._kept is not None and self._depth == self._inner

    def _keep(self, data: bytes) -> None:
        if self._kept is not None and self._size <= LONGEST_ITEM:
            self._kept.append(data[: LONGEST_ITEM + 1])
        self._size += len(data)

    def _item(self) -> Item:
        data = b"".join(self._kept or ())
        self._kept = None
        self._number += 1
        return Item(self._number, data, self._size > LONGEST_ITEM)
