"""The contract of a source: a way to read one kind of file or answer into records.

A source says whether it knows a file by its first bytes, and reads a binary stream item by item. One item that cannot
be read is a `Rejected` and never ends the file. A file of which nothing may be stored is `Unreadable`; a source says so
before its first item, in `read` or in the optional step `verify`, so that a caller may store while it reads.

A source that can also be asked over the network is `Harvestable` (give me what is new), `Findable` (give me these
works), or both; the files that it reads are then the answers of its origin as they come.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from hashlib import blake2b
from typing import BinaryIO, Protocol, runtime_checkable

from broadsheet.bibliography.identifiers import Identifier, Scheme
from broadsheet.bibliography.record import Record, Rejected
from broadsheet.fetching.answers import Client

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


class AnnouncementKind(StrEnum):
    """What an announcement says of a work: it is new, newly listed in one more section, or has a new version."""

    NEW = "new"
    CROSS = "cross"
    REPLACE = "replace"
    REPLACE_CROSS = "replace-cross"


@dataclass(frozen=True, slots=True)
class Announcement:
    """A line of an origin's list of the day. `day` is the day that the list is headed with, `section` its heading."""

    identifier: Identifier
    day: date
    kind: AnnouncementKind
    section: str
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """How many works an origin says it announced in a section on a day; of all kinds together where `kind` is None."""

    day: date
    section: str
    kind: AnnouncementKind | None
    number: int


@dataclass(frozen=True, slots=True)
class Sighting:
    """What an origin without days of announcement tells about one: when the first version came in (with a zone), how
    many versions there are, and the day on which the record was last touched.
    """

    identifier: Identifier
    submitted_at: datetime
    versions: int
    touched: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One answer of an origin, read. What it holds is stored in one transaction together with its cursor.

    `cursor` is where the next harvest goes on once this page is stored, made from what the server sent and never from
    what could be read of it; None leaves it where it was. `last` says that the list ends here. `total` is the length
    of the whole list as the origin states it. `warnings` are sentences about what is not as it should be: a list of
    another day, fields that are new or gone, a page that is empty in the middle.
    """

    items: tuple[Record | Rejected, ...] = ()
    announcements: tuple[Announcement, ...] = ()
    counts: tuple[Count, ...] = ()
    sightings: tuple[Sighting, ...] = ()
    deleted: tuple[Identifier, ...] = ()
    cursor: str | None = None
    last: bool = True
    total: int | None = None
    warnings: tuple[str, ...] = ()


@runtime_checkable
class Harvestable(Protocol):
    """A source that can be asked for what is new."""

    name: str
    title: str
    # Whose announcements these are, as in "arxiv"; several sources may speak for one announcer. Empty for none.
    announcer: str
    # What a set is, for people: "an archive or category of arXiv, as in cs or cs.AI".
    sets: str

    def pages(self, client: Client, *, set_name: str, cursor: str, since: date | None) -> Iterator[Page]:
        """Ask for everything after `cursor`, or from the day `since` on where the cursor is empty; page by page.

        An empty `set_name` means everything. The generator asks for the next page only when it is told to go on, so
        that a page is stored before the next one is fetched. Raises fetching.answers.Failure, and Unreadable for an
        answer of which nothing may be stored; the pages before it stand.
        """


@runtime_checkable
class Findable(Protocol):
    """A source that can be asked for works by their identifiers."""

    name: str
    title: str
    schemes: frozenset[Scheme]

    def find(self, client: Client, identifiers: Sequence[Identifier]) -> Iterator[Page]:
        """Ask for these works, as many in a request as the origin allows. What it does not have is absent.

        Raises as `Harvestable.pages` does.
        """


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
