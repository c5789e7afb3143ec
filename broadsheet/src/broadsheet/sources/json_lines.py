"""JSON Lines (https://jsonlines.org): one object a line, UTF-8, of any length in total and bounded in each line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, NamedTuple, NoReturn

import orjson

from broadsheet.bibliography.record import Record, Rejected
from broadsheet.sources import text
from broadsheet.sources.base import EXCERPT_BYTES, HEAD_BYTES, Unreadable

# The longest line that is read, in bytes.
LONGEST_LINE = 1024 * 1024
# So many lines at the start of a file show whether it is JSON Lines at all.
_FIRST_LINES = 10


class Line(NamedTuple):
    """One line that is not blank: its number from 1, its first `LONGEST_LINE` bytes and one, and whether it ends."""

    number: int
    data: bytes
    ended: bool


class Fault(Exception):
    """Why one line cannot be read; the message is the reason of its rejection."""


def lines(stream: BinaryIO) -> Iterator[Line]:
    """The lines that are not blank. The rest of a line that is too long is read and dropped, piece by piece."""
    number = 0
    while data := stream.readline(LONGEST_LINE + 1):
        number += 1
        if number == 1:
            data = data.removeprefix(text.BYTE_ORDER_MARK)
        ended = data.endswith(b"\n") or (len(data) > LONGEST_LINE and _ends_later(stream))
        if data and not data.isspace():
            yield Line(number, data, ended)


def _ends_later(stream: BinaryIO) -> bool:
    while rest := stream.readline(LONGEST_LINE):
        if rest.endswith(b"\n"):
            return True
    return False


def read(stream: BinaryIO, source: str, convert: Callable[[dict[str, Any]], Record]) -> Iterator[Record | Rejected]:
    """What `convert` makes of each line's object, or the rejection of the line when it raises Fault."""
    for line in lines(stream):
        statement: Record | Rejected
        try:
            statement = convert(parsed(line.data))
        except Fault as fault:
            excerpt = line.data[:EXCERPT_BYTES].rstrip()
            statement = Rejected(source, f"line {line.number}", text.printable(str(fault)), excerpt)
        yield statement


def parsed(data: bytes) -> dict[str, Any]:
    """The JSON object of one line. Raises Fault, also for NaN, lone surrogates and nesting beyond 1,000 levels."""
    if len(data) > LONGEST_LINE:
        raise Fault(f"the line is longer than {LONGEST_LINE:,} bytes")
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise Fault(_json_fault(data, error)) from error
    if type(value) is not dict:
        raise Fault("the line is JSON, but not an object in braces")
    return value


def _json_fault(data: bytes, error: orjson.JSONDecodeError) -> str:
    try:
        data.decode()
    except UnicodeDecodeError as wrong:
        return f"the line is not UTF-8 text: its byte {wrong.start} cannot be read"
    return f"the line is not JSON: {error.msg} at letter {error.pos}"


def first_objects(head: bytes) -> list[dict[str, Any]]:
    """The JSON objects among the first lines of a file's first bytes; unreadable lines are passed over."""
    complete = head if len(head) < HEAD_BYTES else head[: head.rfind(b"\n") + 1]
    found = []
    for line in complete.removeprefix(text.BYTE_ORDER_MARK).split(b"\n", _FIRST_LINES)[:_FIRST_LINES]:
        try:
            found.append(parsed(line))
        except Fault:
            continue
    return found


def verify(stream: BinaryIO, *, filename: str) -> None:
    """One pass over the whole file, about a microsecond a line. Returns when it can be stored line by line.

    Raises Unreadable when the file is empty or binary, when none of its first lines is a JSON object, when it is
    consistently in another encoding than UTF-8 (damage in single lines is left to their rejection), or when it is cut
    off: the last line has no end and is not complete.
    """
    encoding = _Encoding()
    last = Line(0, b"", ended=True)
    objects = 0
    for seen, last in enumerate(lines(stream), 1):
        if not last.data.isascii():
            encoding.look(last, stream)
        if seen == 1 and last.data.lstrip().startswith(b"["):
            break
        if seen <= _FIRST_LINES:
            objects += _is_object(last.data)
        elif not objects:
            break
    if not objects:
        stream.seek(0)
        _refuse_other(stream.read(HEAD_BYTES), encoding, filename)
    encoding.conclude(filename)
    if not last.ended and not _is_object(last.data):
        raise Unreadable(
            f"{text.shown(filename)} is cut off: its last line, number {last.number}, is not complete. "
            f"{text.NOTHING_STORED} Save or download it again.",
            f"last line {last.data[:80]!r}",
        )


def _refuse_other(head: bytes, encoding: _Encoding, filename: str) -> NoReturn:
    """Say why a file whose first lines are no objects cannot be read, as helpfully as its first bytes allow."""
    text.refuse_foreign(head, filename=filename)
    text.refuse_markup(head, filename=filename)
    encoding.conclude(filename)
    raise Unreadable(
        f"{text.shown(filename)} is not one JSON object on each line. {text.NOTHING_STORED} "
        "Write each record in braces on a line of its own, with no list around them.",
        f"first bytes {head[:80]!r}",
    )


def _is_object(data: bytes) -> bool:
    try:
        parsed(data)
    except Fault:
        return False
    return True


class _Encoding:
    """Collects whether the lines that are more than ASCII are UTF-8. One that is shows that the file is."""

    def __init__(self) -> None:
        self.is_utf8 = False
        self.fault: tuple[bytes, UnicodeDecodeError, int] | None = None

    def look(self, line: Line, stream: BinaryIO) -> None:
        """Take note of a line that is not ASCII; `stream` stands right behind it."""
        if self.is_utf8 or len(line.data) > LONGEST_LINE:
            return
        try:
            line.data.decode()
        except UnicodeDecodeError as error:
            self.fault = self.fault or (line.data, error, stream.tell() - len(line.data))
        else:
            self.is_utf8 = True

    def conclude(self, filename: str) -> None:
        """Raise Unreadable when there were such lines and none of them was UTF-8."""
        if self.fault and not self.is_utf8:
            data, error, offset = self.fault
            raise text.not_utf8(data, error, filename=filename, offset=offset) from error
