"""The names and the words of titles that most papers have, of those that begin alike: kept, so that nobody counts them.

Two letters begin hundreds of thousands of names where there are millions of papers, and an engine that is asked for the
most used ones reads all of them. The writer does that now and then, a little after each commit, and leaves a file that
readers look into. They count again what they show: the file only says what is worth counting. Without the file, or with
a damaged one, they read the dictionary.
"""

from __future__ import annotations

import json
import logging
import string
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import tantivy

from broadsheet.search import durable
from broadsheet.search.adapters import embedded_schema as schema
from broadsheet.search.index import Name

_FILE = "names.json"
_LARGEST = 100_000_000  # bytes

# Names of these kinds are terms of the index.
_KINDS = (Name.AUTHOR, Name.VENUE)
_LETTERS = string.ascii_lowercase + string.digits
_BEHIND = f"{_LETTERS} "
# Where more names or words than this begin alike, the `KEPT` that most papers have are kept.
_MANY = 4_000
KEPT = 50

# The file is made from so many papers on, and anew when they have trebled.
_FEWEST = 50_000
_GROWTH = 3
# How long the writer reads the dictionary after a commit, in seconds.
_AT_ONCE = 0.2

log = logging.getLogger("broadsheet.search")

Counted = list[tuple[str, int]]


class Frequent:
    """What the file of a generation says: the most used terms of a field by how they begin. Empty without a file."""

    def __init__(self, generation: Path) -> None:
        self._path = generation / _FILE
        self._read: tuple[int, int] | None = None
        # One text for each beginning takes a fifth of the memory of a list of terms.
        self._names: dict[str, str] = {}
        self.papers = 0
        self.reload()

    def terms(self, searcher: tantivy.Searcher, field: str, beginning: str, limit: int) -> Counted:
        """Terms of a field that begin like this, each with how many papers had it at some time, the most used first."""
        found = self._names.get(_key(field, beginning)) if limit <= KEPT else None
        if found is None:
            return searcher.terms_with_prefix(field, beginning, limit=limit)
        rows = (line.rpartition("\t") for line in found.split("\n")[:limit])
        return [(term, int(papers)) for term, _tab, papers in rows]

    def reload(self) -> None:
        """See what was written since."""
        try:
            stat = self._path.stat()
            stamp = stat.st_ino, stat.st_mtime_ns
            if stamp == self._read:
                return
            self._read = stamp
            with self._path.open("rb") as file:
                self.papers, self._names = _parsed(file.read(_LARGEST))
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("The file of frequent names is not used: %r", error)
            self.papers, self._names = 0, {}


def written(papers: int, names: dict[str, str]) -> bytes:
    """The content of the file: a checksum of the rest (CRC-32), how many papers there were, and the names."""
    rest = json.dumps({"papers": papers, "names": names}, ensure_ascii=False).encode()
    return b"%08x\n%s" % (zlib.crc32(rest), rest)


def _parsed(content: bytes) -> tuple[int, dict[str, str]]:
    """How many papers there were, and the names. Raises ValueError for anything else than `written`."""
    checksum, _line, rest = content.partition(b"\n")
    if checksum != b"%08x" % zlib.crc32(rest):
        raise ValueError("it is not what was written")
    said = json.loads(rest)
    return said["papers"], said["names"]


class Counting:
    """Makes the file for the writer of a generation, a little at a time."""

    def __init__(self, generation: Path) -> None:
        self._path = generation / _FILE
        self._papers = Frequent(generation).papers
        self._walk: Iterator[None] | None = None
        self._found: dict[str, str] = {}
        self._searcher: tantivy.Searcher

    def go_on(self, searcher: tantivy.Searcher) -> None:
        """Read some of the dictionary, when the file is due; write the file when all is read. Raises OSError."""
        papers = searcher.num_docs
        if self._walk is None:
            if papers < max(_FEWEST, _GROWTH * self._papers):
                return
            self._papers, self._found, self._walk = papers, {}, self._walked()
        self._searcher = searcher
        end = time.monotonic() + _AT_ONCE
        for _beginning in self._walk:
            if time.monotonic() > end:
                return
        self._walk = None
        durable.replace(self._path, written(self._papers, self._found))

    def _walked(self) -> Iterator[None]:
        """Look at one beginning after the other, and where many names begin so, at those of one letter more."""
        waiting = [("title", letter) for letter in _LETTERS]
        waiting += (
            ("name", schema.names_that_begin(kind, first + second))
            for kind in _KINDS
            for first in _LETTERS
            for second in _BEHIND
        )
        while waiting:
            field, beginning = waiting.pop()
            found = self._searcher.terms_with_prefix(field, beginning, limit=_MANY + 1)
            if len(found) > _MANY:
                lines = (f"{term}\t{papers}" for term, papers in found[:KEPT])
                self._found[_key(field, beginning)] = "\n".join(lines)
                waiting += ((field, beginning + letter) for letter in _BEHIND)
            yield


def _key(field: str, beginning: str) -> str:
    return f"{field} {beginning}"
