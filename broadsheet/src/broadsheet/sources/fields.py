"""Values of JSON fields, checked and converted: each function returns what a Record holds, or raises ValueError.

The message stands behind the field's name, as in: the field "title" must be text, but is a number. The limits are far
above what papers have; they keep one absurd value from stopping an import at the database. Where a database column has
a length, the limit is that length: a test compares them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.identifiers import Identifier, Reference, Scheme, parse
from broadsheet.bibliography.record import Version

Read = Callable[[Any], Any]

LONGEST_TITLE = 2_000
LONGEST_TEXT = 200_000
LONGEST_PHRASE = 1_000
LONGEST_ADDRESS = 2_000
MOST_ENTRIES = 20_000
MOST_AUTHORS = 100_000
LONGEST_SOURCE = 64
LONGEST_SOURCE_KEY = 255
LONGEST_SECTION = 64
LONGEST_KIND = 32
# A paper's key has room for 255 letters: the identifier, its scheme before it, and a number where two papers share it.
LONGEST_IDENTIFIER = 240
# No journal is older than 1665. Calendars, indexes and arithmetic with days all hold from here to the next year.
EARLIEST_YEAR = 1600

_SOURCE_NAME = re.compile(rf"[a-z0-9][a-z0-9-]{{0,{LONGEST_SOURCE - 1}}}", re.ASCII)
_NOT_IN_SECTION = re.compile(r"[/\\<>]")
_ADDRESS = re.compile(r"https?://[^\s<>\"\\^`{|}\x00-\x1f\x7f]{1,2000}", re.IGNORECASE)
_TYPES = {str: "text", bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}


def _mismatch(wanted: str, value: Any) -> ValueError:
    return ValueError(f"must be {wanted}, but is {_TYPES.get(type(value), 'nothing')}")


def prose(longest: int) -> Read:
    """A reader of text of at most `longest` letters, which may be empty."""

    def read(value: Any) -> str:
        if type(value) is not str:
            raise _mismatch("text", value)
        if len(value) > longest:
            raise ValueError(f"has more than {longest:,} letters")
        if "\x00" in value:
            raise ValueError("has a zero byte in it")
        return value

    return read


def words(longest: int) -> Read:
    """A reader of text of at most `longest` letters, which may not be blank."""
    inner = prose(longest)

    def read(value: Any) -> str:
        found: str = inner(value)
        if not found or found.isspace():
            raise ValueError("is blank")
        return found

    return read


def listed(entry: Read) -> Read:
    """A reader of a list, each entry of it read by `entry`, into a tuple."""

    def read(value: Any) -> tuple[Any, ...]:
        if type(value) is not list:
            raise _mismatch("a list", value)
        if len(value) > MOST_ENTRIES:
            raise ValueError(f"has more than {MOST_ENTRIES:,} entries")
        try:
            return tuple([entry(one) for one in value])
        except ValueError as error:
            raise ValueError(f"has an entry that {error}") from error

    return read


def number(value: Any, *, least: int = 0, most: int = MOST_AUTHORS) -> int:
    """A whole number from `least` to `most`. Raises ValueError."""
    if type(value) is not int:
        raise _mismatch("a whole number", value)
    if not least <= value <= most:
        raise ValueError(f"must lie between {least} and {most:,}")
    return value


@lru_cache(maxsize=4096)
def _partial_date(value: str) -> PartialDate:
    try:
        return PartialDate.parse(value)
    except ValueError as error:
        raise _no_date(value) from error


def _no_date(value: str) -> ValueError:
    return ValueError(f'is no date: "{value[:40]}"; write 2021, 2021-01 or 2021-01-14')


def latest_year() -> int:
    """The last year that a paper's date may lie in: the next one, as journals print dates ahead (UTC)."""
    return datetime.now(UTC).year + 1


def plausible(found: PartialDate) -> PartialDate:
    """The same date. Raises ValueError when no paper has it: before `EARLIEST_YEAR` or after `latest_year`."""
    latest = latest_year()
    if not EARLIEST_YEAR <= found.year <= latest:
        raise ValueError(f"must lie between {EARLIEST_YEAR}-01-01 and {latest}-12-31, but is {found}")
    return found


def partial_date(value: Any) -> PartialDate:
    """A year, a month or a day; of a time stamp, the day. Raises ValueError, also for dates that no paper has."""
    if type(value) is not str:
        raise _mismatch("a date in quotes", value)
    return plausible(_partial_date(value))


def day(value: Any) -> date:
    """A whole day. Raises ValueError, also for a month or a year."""
    exact = partial_date(value).exact
    if exact is None:
        raise ValueError(f'must be a whole day such as 2021-01-14, but is "{value[:40]}"')
    return exact


def version(value: Any) -> Version:
    """A pair of a version's number from 1 up and the day of its submission or null. Raises ValueError."""
    if type(value) is not list or len(value) != 2:
        raise ValueError("must be a pair of a number and a date or null")
    submitted = None if value[1] is None else partial_date(value[1])
    return Version(number(value[0], least=1, most=10_000), submitted)


def address(value: Any) -> str:
    """An address on the web. Raises ValueError for schemes other than http and https, as it is printed as a link."""
    if type(value) is not str:
        raise _mismatch("text", value)
    if len(value) > LONGEST_ADDRESS or not _ADDRESS.fullmatch(value):
        raise ValueError(f'is no http or https address: "{value[:80]}"')
    return value


def source_name(value: Any) -> str:
    """The name of the source that a record comes from. Raises ValueError."""
    if type(value) is not str or not _SOURCE_NAME.fullmatch(value):
        raise ValueError(f"must be lower-case letters, digits and hyphens, {LONGEST_SOURCE} at most")
    return value


_section_words = words(LONGEST_SECTION)


def section(value: Any) -> str:
    """A category or a section of the newspaper, which is a part of an address: ``/section/cs.LG``.

    Raises ValueError for what servers and browsers would take for another address, or print as something else. Marks
    such as ``&`` and ``;`` may stand in it, as in the classes of ACM and AMS: addresses quote them.
    """
    name: str = _section_words(value)
    if not name.isprintable() or name != name.strip() or not name.strip(".") or _NOT_IN_SECTION.search(name):
        raise ValueError(
            f'cannot be part of an address: "{name}"; write it without slashes, angle brackets, control characters and '
            "white space around it, and not of dots alone"
        )
    return name


def section_or_nothing(value: Any) -> str:
    """Like `section`, and the empty text stays empty."""
    return "" if value == "" else section(value)


def identifier(value: Any) -> Identifier:
    """An identifier, as ``scheme:value`` or in any other form that is not ambiguous. Raises ValueError."""
    if type(value) is not str:
        raise _mismatch("text", value)
    try:
        found = Identifier.from_str(value)
    except ValueError:
        return reference()(value).identifier
    return _storable(found)


def _storable(found: Identifier) -> Identifier:
    if len(found.value) > LONGEST_IDENTIFIER:
        raise ValueError(f"is an identifier of more than {LONGEST_IDENTIFIER} letters")
    return found


def reference(scheme: Scheme | None = None) -> Callable[[Any], Reference]:
    """A reader of any form of an identifier, of any scheme or of one only."""
    kind = {None: "identifier of a paper", Scheme.ARXIV: "arXiv identifier", Scheme.DOI: "DOI"}[scheme]

    def read(value: Any) -> Reference:
        if type(value) is not str:
            raise _mismatch("text", value)
        found = parse(value)
        # A DOI given by arXiv is read as the arXiv identifier that it names.
        arxiv_for_doi = scheme is Scheme.DOI and found is not None and found.identifier.scheme is Scheme.ARXIV
        if found is None or (scheme is not None and found.identifier.scheme is not scheme and not arxiv_for_doi):
            raise ValueError(f'is no {kind}: "{value[:80]}"')
        _storable(found.identifier)
        return found

    return read
