"""The metadata snapshot of arXiv that is published on Kaggle: JSON Lines, one paper a line, three million of them.

Fields: https://www.kaggle.com/datasets/Cornell-University/arxiv. It is read from a file only, line by line.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from broadsheet.bibliography.record import Record, Rejected, Version
from broadsheet.sources import arxiv, json_lines

_SIGNS = frozenset(("id", "title", "categories", "authors_parsed", "update_date"))
_TYPES: dict[str, type | tuple[type, ...]] = {
    "id": str,
    "title": str,
    "categories": str,
    "abstract": (str, type(None)),
    "comments": (str, type(None)),
    "journal-ref": (str, type(None)),
    "doi": (str, type(None)),
    "license": (str, type(None)),
    "authors": (str, type(None)),
    "authors_parsed": (list, type(None)),
    "versions": (list, type(None)),
}


class ArxivSnapshot:
    """Reads the metadata snapshot of arXiv."""

    name = "arxiv-snapshot"
    title = "arXiv (metadata snapshot)"

    def recognises(self, head: bytes, filename: str) -> bool:
        """Whether one of the first lines is an object with the fields that only the snapshot has together."""
        return any(said.keys() >= _SIGNS for said in json_lines.first_objects(head))

    def verify(self, stream: BinaryIO, *, filename: str) -> None:
        """A first pass over the whole file; see `json_lines.verify`. Raises Unreadable."""
        json_lines.verify(stream, filename=filename)

    def read(self, stream: BinaryIO, *, filename: str) -> Iterator[Record | Rejected]:
        """Yield one Record or Rejected for each line that is not blank. Holds one line at a time."""
        return json_lines.read(stream, self.name, _record_of)


def _record_of(said: dict[str, Any]) -> Record:
    """The record that one object of the snapshot says. Raises json_lines.Fault."""
    try:
        return arxiv.record(
            ArxivSnapshot.name,
            arxiv.Said(
                identifier=said["id"],
                title=said["title"],
                authors=_authors(said),
                abstract=said.get("abstract") or "",
                categories=said["categories"],
                comments=said.get("comments") or "",
                journal_ref=said.get("journal-ref") or "",
                dois=said.get("doi") or "",
                license=said.get("license") or "",
                versions=_versions(said.get("versions") or ()),
            ),
        )
    except ValueError as error:
        raise json_lines.Fault(str(error)) from error
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise json_lines.Fault(_what_is_wrong(said)) from error


def _authors(said: dict[str, Any]) -> tuple[str, ...]:
    """The names by their parts, which arXiv split itself; from the printed list where there are none.

    Raises ValueError, and what comes of parts that are none.
    """
    parsed = said.get("authors_parsed")
    if not parsed:
        return arxiv.authors(said.get("authors") or "")
    if str in map(type, parsed):
        raise TypeError("a name in one piece")
    if "&" in said["authors"]:
        return arxiv.checked_authors(arxiv.name(given=parts[1], family=parts[0], suffix=parts[2]) for parts in parsed)
    return arxiv.checked_authors(
        [name for parts in parsed if (name := " ".join(filter(None, (parts[1], parts[0], parts[2])))) and name != ":"]
    )


def _versions(listed: Any) -> tuple[Version, ...]:
    found = [Version(arxiv.version_number(one["version"]), arxiv.version_day(one["created"])) for one in listed]
    if len(found) > 1:
        found.sort(key=lambda version: version.number)
    return tuple(found)


def _what_is_wrong(said: dict[str, Any]) -> str:
    """Which field is missing or is no such thing; for identifiers that are numbers, why that cannot be mended."""
    if isinstance(said.get("id"), int | float):
        return (
            'the field "id" is a number, and numbers lose digits of identifiers (0704.0100 becomes 704.01); take the '
            "original file"
        )
    for name, wanted in _TYPES.items():
        if not isinstance(said.get(name), wanted):
            return f'the field "{name}" is missing or is not what the snapshot has there'
    return 'the field "authors_parsed" or "versions" is not what the snapshot has there'
