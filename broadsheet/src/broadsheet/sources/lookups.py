"""What origins that are asked for works by their identifiers share: bounded JSON, items one by one, batches.

An item without what a record must have is a rejection; any other field that is not as it should be is left out of its
record, and the warnings of the page say so (see `json_document.Drift`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, BinaryIO, TypeAlias
from urllib.parse import quote_plus

from broadsheet.bibliography.identifiers import Identifier
from broadsheet.bibliography.record import Record, Rejected
from broadsheet.fetching.answers import Answer, Client
from broadsheet.sources import fields, json_document, text, xml
from broadsheet.sources.base import Page, Unreadable
from broadsheet.sources.json_document import Drift

JSON = "application/json"
# 30 million bytes of empty lists take 900 million in memory. The fullest recorded answers have an opening bracket on 34
# bytes and a comma on 13, which makes these numbers for `xml.LIMIT` bytes. At both limits a document takes 450 million.
MOST_CONTAINERS = 1_000_000
MOST_VALUES = 3_000_000

Convert: TypeAlias = Callable[[dict[str, Any], Drift], Record]


class Unfit(Exception):
    """Why an item is no record; the message is the reason of its rejection."""


def load(stream: BinaryIO, *, filename: str) -> Any:
    """The value of a file of JSON. Raises Unreadable."""
    return parsed(xml.read(stream, filename=filename), filename=filename)


def asked(client: Client, url: str, *, accept: str = JSON) -> Answer:
    """The answer of an address, if it has at most `xml.LIMIT` bytes. Raises fetching.answers.Failure."""
    return client.get(url, accept=accept, limit=xml.LIMIT)


def answered(answer: Answer) -> Any:
    """The value of an answer. Raises Unreadable, also for one of more than `xml.LIMIT` bytes."""
    if len(answer.body) > xml.LIMIT:
        raise _too_large(answer.url, f"{len(answer.body):,} bytes")
    return parsed(answer.body, filename=answer.url)


def parsed(data: bytes, *, filename: str) -> Any:
    """The value of a document, unless it would take far more memory than any answer. Raises Unreadable."""
    containers = data.count(b"{") + data.count(b"[")
    if containers > MOST_CONTAINERS or data.count(b",") > MOST_VALUES:
        raise _too_large(filename, f"{containers:,} brackets")
    return json_document.parsed(data, filename=filename)


def _too_large(filename: str, cause: str) -> Unreadable:
    return Unreadable(
        f"{text.shown(filename)} holds far more than an answer can. {text.NOTHING_STORED} Choose another file.", cause
    )


def wrong_shape(filename: str, *, wanted: str, cause: str) -> Unreadable:
    """The refusal of JSON that is not what `wanted` says, as in "an answer of Crossref about works"."""
    return Unreadable(
        f"{text.shown(filename)} is JSON, but not {wanted}. {text.NOTHING_STORED} Choose another file.", cause
    )


def needed(item: dict[str, Any], name: str, read: fields.Read) -> Any:
    """What `read` makes of a field that a record must have. Raises Unfit."""
    try:
        return read(item.get(name))
    except ValueError as error:
        raise Unfit(f'the field "{name}" {error}') from error


def statements(
    items: Iterable[tuple[int, Any]], source: str, convert: Convert, drift: Drift
) -> Iterator[Record | Rejected]:
    """What `convert` makes of each numbered item, or its rejection when it is no object or raises Unfit."""
    for number, item in items:
        if type(item) is not dict:
            yield _rejected(source, number, "it is no object in braces", item)
            continue
        try:
            statement: Record | Rejected = convert(item, drift)
        except Unfit as reason:
            statement = _rejected(source, number, str(reason), item)
        else:
            drift.saw(item)
        yield statement


def _rejected(source: str, number: int, reason: str, item: Any) -> Rejected:
    position = f"item {number}"
    try:
        return json_document.rejected(source, position, reason, item)
    except TypeError:
        # JSON may be nested deeper than orjson writes it.
        return Rejected(source, position, text.printable(reason)[:1000])


def page(items: Sequence[Any], source: str, convert: Convert, drift: Drift) -> Page:
    """All items of an answer as a page."""
    found = tuple(statements(enumerate(items, 1), source, convert, drift))
    return Page(items=found, warnings=drift.warnings())


def batches(values: Iterable[str], *, most: int, letters: int) -> Iterator[list[str]]:
    """The values in their order, at most `most` in a batch, and so few that an address with them stays short.

    `letters` is the limit for all of a batch together, as they are written in an address. One that is longer by itself
    is a batch of its own.
    """
    batch: list[str] = []
    length = 0
    for value in values:
        size = len(quote_plus(value))
        if batch and (len(batch) >= most or length + size > letters):
            yield batch
            batch, length = [], 0
        batch.append(value)
        length += size
    if batch:
        yield batch


def distinct(identifiers: Iterable[Identifier], schemes: frozenset[Any]) -> list[Identifier]:
    """Those of `schemes`, each once, in their order."""
    return [identifier for identifier in dict.fromkeys(identifiers) if identifier.scheme in schemes]
