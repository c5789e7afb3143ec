"""The contract of a source: a way to read one kind of file or answer into records.

A source says whether it knows a file by its first bytes, and reads a binary stream item by item. One item that cannot
be read is a `Rejected` and never ends the file. A file of which nothing may be stored is `Unreadable`; a source says so
before its first item, in `read` or in the optional step `verify`, so that a caller may store while it reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from typing import BinaryIO, Protocol, runtime_checkable

from broadsheet.bibliography.record import Record, Rejected

# How much of a file `recognises` is shown, in bytes.
HEAD_BYTES = 65_536
# How much of a rejected item is kept, in bytes.
EXCERPT_BYTES = 200


class Unreadable(Exception):
    """A file of which nothing may be stored.

    `sentence` is for the person: what happened, what was kept (nothing), what to do. `cause` is for the log.
    """

    def __init__(self, sentence: str, cause: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.cause = cause or sentence


class Source(Protocol):
    """What every source offers. `broadsheet.testing.source_conformance` holds the laws as tests.

    A source may also have a whole number `order`: where two recognise the same file, the smaller one reads it
    (100 where it is not given).
    """

    @property
    def name(self) -> str:
        """How commands and records name it: lower-case letters, digits and hyphens, the same as its entry point."""

    @property
    def title(self) -> str:
        """How people name it, as in "Saved Daily Papers page"."""

    def recognises(self, head: bytes, filename: str) -> bool:
        """Whether a file that begins with `head` (at most `HEAD_BYTES`) is for this source. Never raises."""

    def read(self, stream: BinaryIO, *, filename: str) -> Iterator[Record | Rejected]:
        """The items in the order of the file. Loads no more than it must; `filename` serves messages only.

        Raises Unreadable, before the first item, when nothing of the file may be stored.
        """


@runtime_checkable
class Verifying(Protocol):
    """The optional step of a source that reads files too long to load: a cheap first pass over the whole file."""

    def verify(self, stream: BinaryIO, *, filename: str) -> None:
        """Return when the file may be stored item by item, else raise Unreadable. Leaves the stream at its end."""


def read_verified(source: Source, stream: BinaryIO, *, filename: str) -> Iterator[Record | Rejected]:
    """Verify, where the source has that step, go back to the start, and read. The stream must be seekable.

    Raises Unreadable before the first item, never later.
    """
    if isinstance(source, Verifying):
        source.verify(stream, filename=filename)
        stream.seek(0)
    yield from source.read(stream, filename=filename)


def digest_key(*parts: str) -> str:
    """A `source_key` made of what an item says, every letter of it: 32 hexadecimal digits, stable for ever."""
    return blake2b("\x1f".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
