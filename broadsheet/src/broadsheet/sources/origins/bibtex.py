"""Files of BibTeX, those that Zotero, JabRef, DBLP or Google Scholar export included."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from broadsheet.bibliography.formats import bibtex
from broadsheet.bibliography.record import Record, Rejected
from broadsheet.sources import citations

_ENTRY = re.compile(
    rb"(?:\A|\n)[ \t]*@[ \t]*(?:article|book|booklet|conference|dataset|electronic|inbook|incollection|inproceedings|"
    rb"manual|mastersthesis|misc|online|patent|phdthesis|preprint|proceedings|report|software|string|techreport|thesis|"
    rb"unpublished|www|comment|preamble)[ \t\r\n]*[{(]",
    re.IGNORECASE,
)
_FIELD = re.compile(rb"\b(?:title|author|year|journal|doi)[ \t]*=", re.IGNORECASE)


class Bibtex:
    """Reads BibTeX of any length, entry by entry."""

    name = "bibtex"
    title = "BibTeX"

    def recognises(self, head: bytes, filename: str) -> bool:
        """Whether a line begins with an entry such as ``@article{`` and a field of one follows."""
        entry = _ENTRY.search(head.removeprefix(b"\xef\xbb\xbf").replace(b"\r", b"\n"))
        return bool(entry and _FIELD.search(head, entry.end()))

    def verify(self, stream: BinaryIO, *, filename: str) -> None:
        """A first pass over the whole file; see `citations.verify`. Raises Unreadable."""
        citations.verify(stream, filename=filename)

    def read(self, stream: BinaryIO, *, filename: str) -> Iterator[Record | Rejected]:
        """Yield one Record or Rejected for each entry. Holds one entry, and what others inherit from."""
        known = _parents(stream)
        with citations.lines(stream) as lines:
            yield from citations.storable(bibtex.read_lines(lines, self.name, known))


def _parents(stream: BinaryIO) -> Mapping[str, bibtex.Fields]:
    """What entries inherit, from a pass of its own over files in which one refers to another."""
    start = stream.tell()
    refers = any(b"crossref" in line.lower() for line in iter(lambda: stream.readline(citations.LONGEST_LINE), b""))
    stream.seek(start)
    if not refers:
        return {}
    with citations.lines(stream) as lines:
        known = bibtex.parents(lines)
    stream.seek(start)
    return known
