"""The starter catalogue that ships with Broadsheet: JSON Lines, one paper a line, with a summary written for it.

The same lines carry claims and proposed experiments; those belong to the evidence about a paper and are read elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.identifiers import Identifier, Scheme
from broadsheet.bibliography.record import Record, Rejected
from broadsheet.sources import fields, json_lines

_SIGNS = frozenset({"slug", "title", "field", "kind", "summary"})
# How sure the catalogue may be of an arXiv identifier for it to be used.
_SURE = frozenset({"matched", "known"})

_BARE_ADDRESS = re.compile(r"[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,5}/", re.IGNORECASE | re.ASCII)

_FIELDS: dict[str, fields.Read] = {
    "slug": fields.words(fields.LONGEST_SOURCE_KEY),
    "title": fields.words(fields.LONGEST_TITLE),
    "summary": fields.prose(fields.LONGEST_TEXT),
    "authors": fields.listed(fields.words(fields.LONGEST_PHRASE)),
    "n_authors": fields.number,
    "arxiv_id": fields.reference(Scheme.ARXIV),
    "arxiv_id_confidence": fields.prose(40),
    "published": fields.partial_date,
    "published_month": fields.partial_date,
    "venues": fields.listed(fields.words(fields.LONGEST_PHRASE)),
    "field": fields.section_or_nothing,
    "kind": fields.prose(fields.LONGEST_KIND),
    "keywords": fields.listed(fields.words(fields.LONGEST_PHRASE)),
    "code_url": lambda value: fields.address(_mended_address(value)),
}


class Catalogue:
    """Reads catalogues in the form of the starter catalogue."""

    name = "catalogue"
    title = "Starter catalogue"
    order = 200

    def recognises(self, head: bytes, filename: str) -> bool:
        """Whether one of the first lines is an object with the fields that only the catalogue has together."""
        return any(said.keys() >= _SIGNS for said in json_lines.first_objects(head))

    def verify(self, stream: BinaryIO, *, filename: str) -> None:
        """A first pass over the whole file; see `json_lines.verify`. Raises Unreadable."""
        json_lines.verify(stream, filename=filename)

    def read(self, stream: BinaryIO, *, filename: str) -> Iterator[Record | Rejected]:
        """Yield one Record or Rejected for each line that is not blank. Holds one line at a time."""
        return json_lines.read(stream, self.name, record_of)


def record_of(said: dict[str, Any]) -> Record:
    """The record that one object of the catalogue says. Raises json_lines.Fault that names the field."""
    values: dict[str, Any] = {}
    for name, read in _FIELDS.items():
        value = said.get(name)
        if value is not None:
            try:
                values[name] = read(value)
            except ValueError as error:
                raise json_lines.Fault(f'the field "{name}" {error}') from error
    for name in ("slug", "title"):
        if name not in values:
            raise json_lines.Fault(f'the field "{name}" is missing')
    submitted: PartialDate | None = values.get("published") or values.get("published_month")
    return Record(
        source=Catalogue.name,
        source_key=values["slug"],
        title=values["title"],
        summary=values.get("summary", ""),
        authors=values.get("authors", ()),
        author_count=values.get("n_authors"),
        identifiers=_identifiers(values),
        submitted=submitted,
        venue=", ".join(values.get("venues", ())),
        field=values.get("field", ""),
        kind=values.get("kind", ""),
        keywords=values.get("keywords", ()),
        code_url=values.get("code_url", ""),
    )


def _mended_address(value: Any) -> Any:
    """An address as its abstract prints it: without ``https://``, or twice as TeX does it (``ADDRESS{ADDRESS}``)."""
    if type(value) is not str:
        return value
    first = value.partition("{")[0]
    return f"https://{first}" if _BARE_ADDRESS.match(first) else first


def _identifiers(values: dict[str, Any]) -> tuple[Identifier, ...]:
    if "arxiv_id" in values and values.get("arxiv_id_confidence") in _SURE:
        return (values["arxiv_id"].identifier,)
    return ()
