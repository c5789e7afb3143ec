"""What one source said about one paper, in its own words: the first of a paper's five shapes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Self

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.identifiers import Identifier


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a paper: its number from 1 up, and the day it was submitted if known."""

    number: int
    submitted: PartialDate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One source's statement about one paper. Text is as printed there, TeX included; absent is empty or None.

    `source` and `source_key` together name the statement: the same pair again replaces what was said before.
    `submitted` is the date of the first version, `announced` the day a reader could first see it listed, `updated`
    the date of the newest version: three dates, never mixed. `categories` begin with the primary one. `field` is the
    section of the newspaper that the source puts it in. `author_count` is for sources that print only how many.
    """

    source: str
    source_key: str
    title: str
    abstract: str = ""
    summary: str = ""
    authors: tuple[str, ...] = ()
    author_count: int | None = None
    identifiers: tuple[Identifier, ...] = ()
    versions: tuple[Version, ...] = ()
    submitted: PartialDate | None = None
    announced: date | None = None
    updated: PartialDate | None = None
    venue: str = ""
    categories: tuple[str, ...] = ()
    field: str = ""
    kind: str = ""
    keywords: tuple[str, ...] = ()
    comments: str = ""
    license: str = ""
    organization: str = ""
    code_url: str = ""
    project_url: str = ""

    def as_json(self) -> dict[str, Any]:
        """A plain dictionary with only what was said; `from_json` reads it back unchanged."""
        result: dict[str, Any] = {"source": self.source, "source_key": self.source_key, "title": self.title}
        for name in _OPTIONAL:
            value = getattr(self, name)
            if value is None or value in ("", ()):
                continue
            convert = _TO_JSON.get(name)
            result[name] = convert(value) if convert else value
        return result

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """Read what `as_json` wrote. Raises KeyError, TypeError or ValueError on anything else."""
        values: dict[str, Any] = {}
        for name, value in said.items():
            convert = _FROM_JSON.get(name)
            values[name] = convert(value) if convert else value
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Rejected:
    """Something in a source that could not be read as a paper: where it stood, why, and its first bytes."""

    source: str
    position: str
    reason: str
    excerpt: bytes = b""


_OPTIONAL = tuple(field.name for field in fields(Record) if field.name not in ("source", "source_key", "title"))

_TO_JSON: dict[str, Any] = {
    "identifiers": lambda value: [str(identifier) for identifier in value],
    "versions": lambda value: [[v.number, v.submitted and str(v.submitted)] for v in value],
    "submitted": str,
    "announced": date.isoformat,
    "updated": str,
    **dict.fromkeys(("authors", "categories", "keywords"), list),
}
_FROM_JSON: dict[str, Any] = {
    "identifiers": lambda value: tuple(Identifier.from_str(text) for text in value),
    "versions": lambda value: tuple(Version(n, PartialDate.parse(day) if day else None) for n, day in value),
    "submitted": PartialDate.parse,
    "announced": date.fromisoformat,
    "updated": PartialDate.parse,
    **dict.fromkeys(("authors", "categories", "keywords"), tuple),
}
