"""One JSON document (RFC 8259), as the answers of web services are: read whole, bounded, and its fields one by one.

Origins change their answers without notice. An item that lacks what a record must have is a rejection; any other field
that is not as it was is left out of its record, and `Drift` says so in words for the whole answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from broadsheet.bibliography.record import Rejected
from broadsheet.sources import fields, text
from broadsheet.sources.base import EXCERPT_BYTES, Unreadable

# So many sentences about one answer are enough.
_MOST_WARNINGS = 20
_LONGEST_NAME = 60


def parsed(data: bytes, *, filename: str) -> Any:
    """The value of a document in UTF-8. Raises Unreadable, also for NaN, lone surrogates and 1,000 levels of nesting.

    `filename` serves messages only; of an answer it is the address.
    """
    text.refuse_foreign(data, filename=filename)
    body = data.removeprefix(text.BYTE_ORDER_MARK)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        text.utf8(data, filename=filename)
        raise _refusal(body, error, filename) from error


def _refusal(body: bytes, error: orjson.JSONDecodeError, filename: str) -> Unreadable:
    name = text.shown(filename)
    cause = f"{error}; first bytes {body[:80]!r}"
    if body.lstrip().startswith(b"<"):
        return Unreadable(
            f"{name} is a web page or XML where JSON was expected, perhaps an error page. {text.NOTHING_STORED} "
            "Download it again later.",
            cause,
        )
    if not body.rstrip().endswith((b"]", b"}")):
        return Unreadable(f"{name} is cut off: its end is missing. {text.NOTHING_STORED} Download it again.", cause)
    return Unreadable(
        f"{name} is not JSON: {text.printable(error.msg)} at letter {error.pos}. {text.NOTHING_STORED} "
        "Download it again.",
        cause,
    )


def rejected(source: str, position: str, reason: str, item: Any) -> Rejected:
    """The rejection of an item, with the first bytes of it as JSON. Raises TypeError for one nested too deeply."""
    return Rejected(source, position, text.printable(reason)[:1000], orjson.dumps(item)[:EXCERPT_BYTES])


class Drift:
    """What is not as it should be in the items of one answer: fields left out, new, or gone.

    `known` are the names of all fields that items are known to have; none given means that any may come. `expected` are
    those that at least one of several items has.
    """

    def __init__(self, known: Iterable[str] = (), expected: Iterable[str] = ()) -> None:
        self._known = frozenset(known)
        self._expected = frozenset(expected)
        self._seen: set[str] = set()
        self._items = 0
        self._left_out: Counter[str] = Counter()
        self._reasons: dict[str, str] = {}
        self._notes: Counter[str] = Counter()

    def saw(self, item: Mapping[str, Any]) -> None:
        """Take note of the names of an item's fields."""
        self._items += 1
        self._seen.update(item)

    def note(self, sentence: str) -> None:
        """Add a sentence of its own; the same one again is only counted."""
        self._notes[text.printable(sentence)] += 1

    def optional(self, name: str, value: Any, read: fields.Read, otherwise: Any) -> Any:
        """What `read` makes of a value, or `otherwise` of one that is null, blank or cannot be read."""
        if value is None or value in ("", []):
            return otherwise
        try:
            return read(value)
        except ValueError as error:
            self._left_out[name] += 1
            self._reasons.setdefault(name, str(error))
            return otherwise

    def warnings(self) -> tuple[str, ...]:
        """The sentences, `_MOST_WARNINGS` at most."""
        found = [
            f'The field "{_named(name)}" was left out of {_items(number)}: it {text.printable(self._reasons[name])}.'
            for name, number in self._left_out.items()
        ]
        found += [
            sentence if number == 1 else f"{sentence.removesuffix('.')} ({number:,} times)."
            for sentence, number in self._notes.items()
        ]
        if self._known:
            new = sorted(self._seen - self._known)
            found += [f'The field "{_named(name)}" is new and was not read.' for name in new]
        if self._items > 1:
            gone = sorted(self._expected - self._seen)
            found += [f'The field "{name}" is gone: none of {self._items} items has it.' for name in gone]
        return tuple(found[:_MOST_WARNINGS])


def _named(name: str) -> str:
    return text.printable(name)[:_LONGEST_NAME]


def _items(number: int) -> str:
    return "1 item" if number == 1 else f"{number:,} items"
