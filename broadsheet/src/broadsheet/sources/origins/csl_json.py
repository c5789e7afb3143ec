"""Files of CSL-JSON: what citation processors, doi.org and reference managers export."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from broadsheet.bibliography.formats import csl
from broadsheet.bibliography.record import Record, Rejected
from broadsheet.sources import citations, json_items


class CslJson:
    """Reads lists of CSL items, and objects with such a list under ``items``."""

    name = "csl-json"
    title = "CSL-JSON"

    def recognises(self, head: bytes, filename: str) -> bool:
        """Whether one of the first items has an id, a title, and a type of the Citation Style Language.

        Answers of doi.org have a DOI's address for an id; they are for the source that asks there.
        """
        return any(map(_is_item, json_items.first_objects(head)))

    def verify(self, stream: BinaryIO, *, filename: str) -> None:
        """A first pass over the whole file; see `json_items.verify`. Raises Unreadable."""
        json_items.verify(stream, filename=filename)

    def read(self, stream: BinaryIO, *, filename: str) -> Iterator[Record | Rejected]:
        """Yield one Record or Rejected for each item. Holds one item at a time."""
        yield from citations.storable(self._statements(stream))

    def _statements(self, stream: BinaryIO) -> Iterator[Record | Rejected]:
        for item in json_items.items(stream):
            value = json_items.parsed(item, self.name)
            yield value if isinstance(value, Rejected) else csl.statement(value, self.name, f"item {item.number}")


def _is_item(said: dict[str, Any]) -> bool:
    known = said.get("type")
    is_answer = str(said.get("id", "")).startswith("https://doi.org/")
    return {"id", "title"} <= said.keys() and isinstance(known, str) and known in csl.TYPES and not is_answer
