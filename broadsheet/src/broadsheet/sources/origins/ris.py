"""Files of RIS, which nearly every reference manager and publisher exports."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from broadsheet.bibliography.formats import ris
from broadsheet.bibliography.record import Record, Rejected
from broadsheet.sources import citations

_ENTRY = re.compile(rb"(?:\A|[\r\n])TY {1,2}- [^\r\n]{1,100}[\r\n]+[A-Z][A-Z0-9] {1,2}-")


class Ris:
    """Reads RIS of any length, entry by entry."""

    name = "ris"
    title = "RIS"

    def recognises(self, head: bytes, filename: str) -> bool:
        """Whether a line with the type of an entry stands above another line with a tag."""
        return bool(_ENTRY.search(head.removeprefix(b"\xef\xbb\xbf")))

    def verify(self, stream: BinaryIO, *, filename: str) -> None:
        """A first pass over the whole file; see `citations.verify`. Raises Unreadable."""
        citations.verify(stream, filename=filename)

    def read(self, stream: BinaryIO, *, filename: str) -> Iterator[Record | Rejected]:
        """Yield one Record or Rejected for each entry. Holds one entry at a time."""
        with citations.lines(stream) as lines:
            yield from citations.storable(ris.read_lines(lines, self.name))
