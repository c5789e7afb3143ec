"""Broadsheet's own open format of records: JSON Lines, with the fields of `bibliography.record.Record` by their names.

What `Record.as_json` writes is such a line. For people and scripts, ``arxiv_id``, ``doi`` and ``url`` may stand in
place of ``identifiers``, and ``source`` and ``source_key`` may be left out. A field that is null counts as left out.
An unknown field rejects its line, since a misspelt name would otherwise lose what it says; a sender's own fields begin
with ``x_`` and are not imported.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, BinaryIO

from broadsheet.bibliography.identifiers import Identifier, Reference, Scheme, best
from broadsheet.bibliography.record import Record, Rejected, Version
from broadsheet.sources import fields, json_lines
from broadsheet.sources.base import digest_key

OWN_PREFIX = "x_"

_FIELDS: dict[str, fields.Read] = {
    "source": fields.source_name,
    "source_key": fields.words(fields.LONGEST_SOURCE_KEY),
    "title": fields.words(fields.LONGEST_TITLE),
    "abstract": fields.prose(fields.LONGEST_TEXT),
    "summary": fields.prose(fields.LONGEST_TEXT),
    "authors": fields.listed(fields.words(fields.LONGEST_PHRASE)),
    "author_count": fields.number,
    "identifiers": fields.listed(fields.identifier),
    "versions": fields.listed(fields.version),
    "submitted": fields.partial_date,
    "announced": fields.day,
    "updated": fields.partial_date,
    "venue": fields.prose(fields.LONGEST_PHRASE),
    "categories": fields.listed(fields.section),
    "field": fields.section_or_nothing,
    "kind": fields.prose(fields.LONGEST_KIND),
    "keywords": fields.listed(fields.words(fields.LONGEST_PHRASE)),
    "comments": fields.prose(fields.LONGEST_TEXT),
    "license": fields.prose(fields.LONGEST_PHRASE),
    "organization": fields.prose(fields.LONGEST_PHRASE),
    "code_url": fields.address,
    "project_url": fields.address,
}
_REFERENCES: dict[str, fields.Read] = {
    "arxiv_id": fields.reference(Scheme.ARXIV),
    "doi": fields.reference(Scheme.DOI),
    "url": fields.reference(),
}
FIELD_NAMES = (*_FIELDS, *_REFERENCES)


class Records:
    """Reads files of records, one JSON object a line."""

    name = "records"
    title = "Broadsheet records (JSON Lines)"
    # The most general format is asked last.
    order = 900

    def recognises(self, head: bytes, filename: str) -> bool:
        """Whether one of the first lines has a title and at least twice as many known as unknown fields."""
        return any("title" in said and _is_mostly_known(said) for said in json_lines.first_objects(head))

    def verify(self, stream: BinaryIO, *, filename: str) -> None:
        """A first pass over the whole file; see `json_lines.verify`. Raises Unreadable."""
        json_lines.verify(stream, filename=filename)

    def read(self, stream: BinaryIO, *, filename: str) -> Iterator[Record | Rejected]:
        """Yield one Record or Rejected for each line that is not blank. Holds one line at a time."""
        return json_lines.read(stream, self.name, record_of)


def record_of(said: dict[str, Any]) -> Record:
    """The record that one object of the format says. Raises json_lines.Fault that names the field."""
    values: dict[str, Any] = {}
    references: list[Reference] = []
    for name, value in said.items():
        if value is None:
            continue
        try:
            if read := _FIELDS.get(name):
                values[name] = read(value)
            elif read := _REFERENCES.get(name):
                references.append(read(value))
            elif not name.startswith(OWN_PREFIX):
                raise json_lines.Fault(_unknown(name[:60]))
        except ValueError as error:
            raise json_lines.Fault(f'the field "{name}" {error}') from error
    if "title" not in values:
        raise json_lines.Fault('the field "title" is missing')
    if references:
        _add_references(values, references)
    values.setdefault("source", Records.name)
    if "source_key" not in values:
        values["source_key"] = _default_key(values)
    return Record(**values)


def _add_references(values: dict[str, Any], references: list[Reference]) -> None:
    """Add identifiers not listed yet, and the version that one of them names where no versions are listed."""
    found = (*values.get("identifiers", ()), *(reference.identifier for reference in references))
    values["identifiers"] = tuple(dict.fromkeys(found))
    numbers = {reference.version for reference in references if reference.version}
    if numbers and "versions" not in values:
        values["versions"] = tuple(Version(number) for number in sorted(numbers))


def _default_key(values: dict[str, Any]) -> str:
    identifiers: tuple[Identifier, ...] = values.get("identifiers", ())
    if identifier := best(identifiers):
        return str(identifier)
    return digest_key(values["title"], values.get("abstract", ""), *values.get("authors", ()))


@lru_cache(maxsize=256)
def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, FIELD_NAMES, n=1)
    hint = f'perhaps "{near[0]}" is meant' if near else f'a field of your own begins with "{OWN_PREFIX}"'
    return f'the field "{name}" is unknown; {hint}'


def _is_mostly_known(said: dict[str, Any]) -> bool:
    foreign = [name for name in said if name not in _FIELDS and name not in _REFERENCES]
    unknown = sum(not name.startswith(OWN_PREFIX) for name in foreign)
    return len(said) - len(foreign) >= 2 * unknown
