"""People, dates and identifiers as CSL-JSON has them, and Crossref, which took its shapes from there.

Source: https://github.com/citation-style-language/schema (csl-data.json), and the recorded answers of Crossref, which
has texts as lists, empty dates as ``[[null]]``, names of one part, and people without any name.
"""

from __future__ import annotations

from typing import Any

from broadsheet.bibliography import names
from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.identifiers import Identifier, Scheme, parse
from broadsheet.bibliography.names import Name
from broadsheet.sources import fields, markup

# Titles with formulas are long before their markup is taken out.
_LONGEST_MARKUP = 20_000

_raw = fields.prose(_LONGEST_MARKUP)
_raw_text = fields.prose(2 * fields.LONGEST_TEXT)
_text = fields.prose(fields.LONGEST_TEXT)
_phrase = fields.prose(fields.LONGEST_PHRASE)


def first_line(value: Any) -> str:
    """A text, or the first of a list of texts that is not blank, without markup on one line. Raises ValueError."""
    for one in value if type(value) is list else [value]:
        if line := markup.line(_raw(one)):
            return line
    return ""


def title(value: Any) -> str:
    """A title, not blank. Raises ValueError."""
    if value is None or value == []:
        raise ValueError("is missing")
    found: str = fields.words(fields.LONGEST_TITLE)(first_line(value))
    return found


def phrase(value: Any) -> str:
    """A short text such as the name of a journal. Raises ValueError."""
    found: str = _phrase(first_line(value))
    return found


def abstract(value: Any) -> str:
    """An abstract without markup, in paragraphs. Raises ValueError."""
    found: str = _text(markup.paragraphs(_raw_text(value)))
    return found


def people(value: Any) -> tuple[str, ...]:
    """The authors of a list of people and organisations; those without any name are passed over. Raises ValueError."""
    if type(value) is not list or len(value) > fields.MOST_ENTRIES:
        raise ValueError("is no list of people")
    return tuple(name for one in value if (name := _person(one)))


def _person(value: Any) -> str:
    if type(value) is not dict:
        raise ValueError("has a person who is no object")
    if not _is_author(value.get("role")):
        return ""
    parts = (_part(value, part) for part in ("dropping-particle", "non-dropping-particle", "family"))
    if family := " ".join(part for part in parts if part):
        return names.spelt(Name(_part(value, "given"), family, _part(value, "suffix")))
    whole = _part(value, "literal") or _part(value, "name") or _part(value, "given")
    return names.spelt(Name("", whole)) if whole else ""


def _is_author(roles: Any) -> bool:
    """Whether the roles that Crossref gives a person, if any, have that of the author."""
    if type(roles) is not list or not roles:
        return True
    return any(type(role) is dict and role.get("role") in ("author", None) for role in roles)


def _part(person: dict[str, Any], name: str) -> str:
    value = person.get(name)
    return "" if value is None else phrase(value)


def date(value: Any) -> PartialDate | None:
    """A date of the form ``{"date-parts": [[2021, 1, 14]]}``, as far as it is known; of a span, the start.

    None where the origin says that it is not known. Raises ValueError.
    """
    if type(value) is not dict:
        raise ValueError("is no object")
    parts = value.get("date-parts")
    if type(parts) is not list or not parts or type(parts[0]) is not list or len(parts[0]) > 3:
        raise ValueError("has no date-parts")
    known = [_number(part) for part in parts[0] if part is not None and part != ""]
    return fields.plausible(PartialDate(*known)) if known else None


def _number(value: Any) -> int:
    if type(value) is str and value.isascii() and value.isdigit() and len(value) <= 4:
        return int(value)
    return fields.number(value, most=9999)


def doi(value: Any) -> Identifier:
    """A DOI; one that arXiv gave is the arXiv identifier that it names. Raises ValueError."""
    if type(value) is not str or not value:
        raise ValueError("is missing" if value in (None, "") else "is no text")
    found: Identifier = fields.reference(Scheme.DOI)(value).identifier
    return found


def others(values: list[str]) -> list[Identifier]:
    """The identifiers among these texts that a record may have."""
    found = (parse(value) for value in values)
    return [one.identifier for one in found if one and len(one.identifier.value) <= fields.LONGEST_IDENTIFIER]
