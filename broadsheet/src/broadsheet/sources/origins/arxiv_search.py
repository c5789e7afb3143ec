"""arXiv's search API: works by their identifiers, a hundred at a time. It knows neither licences nor days of lists.

Pages of it come back empty now and then although its own total says that there are more: those are asked for again.
Its order is never relied on. Manual: https://info.arxiv.org/help/api/user-manual.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import BinaryIO
from urllib.parse import urlencode

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.identifiers import Identifier, Scheme
from broadsheet.bibliography.record import Record, Rejected, Version
from broadsheet.fetching.answers import Client, Declined
from broadsheet.sources import arxiv, fields, xml
from broadsheet.sources.base import EXCERPT_BYTES, Page, Unreadable
from broadsheet.sources.text import NOTHING_STORED, printable, shown

BASE = "https://export.arxiv.org/api/query"
# How many identifiers are asked for at once. Longer lists make addresses that some proxies cut off.
BATCH = 100
_ACCEPT = "application/atom+xml, application/xml"
_WHO = "arXiv's search API"
# So often a page is asked for that comes back empty although there is more.
_MOST_ATTEMPTS = 3
_ERRORS = "/api/errors"
_ENTRY_FIELDS = frozenset(
    (
        *("id", "title", "updated", "link", "summary", "category", "published", "comment", "primary_category"),
        *("journal_ref", "author", "doi", "rights"),
    )
)
_EXPECTED = ("id", "title", "summary", "published", "updated", "author", "category")


@dataclass(slots=True)
class _Answer:
    """A page of results. `error` are the words of the API where it answers with an error."""

    items: list[Record | Rejected] = field(default_factory=list)
    total: int | None = None
    error: str = ""
    warnings: tuple[str, ...] = ()


class ArxivSearch:
    """Reads answers of arXiv's search API and asks it for works."""

    name = "arxiv-search"
    title = "arXiv (search API)"
    schemes = frozenset((Scheme.ARXIV,))

    def recognises(self, head: bytes, filename: str) -> bool:
        """Whether it is an Atom feed with the addresses that only arXiv's API has."""
        return xml.root_name(head) == "feed" and b"arxiv.org/api/" in head

    def read(self, stream: BinaryIO, *, filename: str) -> Iterator[Record | Rejected]:
        """Yield one Record or Rejected for each entry. Raises Unreadable before the first, also for an error."""
        found = _read(xml.read(stream, filename=filename), filename=filename)
        if found.error:
            raise _refusal(found)
        return iter(found.items)

    def find(self, client: Client, identifiers: Sequence[Identifier]) -> Iterator[Page]:
        """Ask for works by their arXiv identifiers, `BATCH` at a time. See `Findable.find`.

        Where the API takes one of them for wrong, it names it; the others are asked for again without it. Raises
        Failure and Unreadable.
        """
        wanted = [one.value for one in dict.fromkeys(identifiers) if one.scheme is Scheme.ARXIV]
        for start in range(0, len(wanted), BATCH):
            yield from _find(client, wanted[start : start + BATCH])


def _find(client: Client, wanted: list[str]) -> Iterator[Page]:
    """The pages for one batch. Raises Failure and Unreadable."""
    seen, attempts = 0, 0
    while True:
        found = _ask(client, wanted, seen)
        if found.error:
            without = [value for value in wanted if not _names(found.error, value)]
            if len(without) == len(wanted):
                raise _refusal(found)
            yield Page(
                items=(Rejected(ArxivSearch.name, "identifier", printable(f"the API says: {found.error}")[:500]),),
                last=False,
            )
            if without:
                yield from _find(client, without)
            return
        seen += len(found.items)
        total = min(found.total if found.total is not None else seen, len(wanted))
        attempts = 0 if found.items else attempts + 1
        ends = seen >= total or attempts == _MOST_ATTEMPTS
        warnings = found.warnings
        if ends and seen < total:
            warnings += (f"{_WHO} says that it has {total:,} of the works asked for, and gave {seen:,}.",)
        if found.items or ends:
            yield Page(items=tuple(found.items), total=total, last=ends, warnings=warnings)
        if ends:
            return


def _names(error: str, value: str) -> bool:
    """Whether the words of an error end with this identifier, as in "incorrect id format for abc"."""
    return error.rstrip(".").rpartition(" ")[2] == value


def _ask(client: Client, wanted: list[str], start: int) -> _Answer:
    query = urlencode({"id_list": ",".join(wanted), "start": start, "max_results": BATCH}, safe=",/")
    try:
        body = client.get(f"{BASE}?{query}", accept=_ACCEPT, limit=xml.LIMIT).body
    except Declined as refusal:
        if xml.root_name(refusal.body) != "feed":
            raise
        try:
            return _read(refusal.body, filename=f"The answer of {_WHO}")
        except Unreadable:
            raise refusal from None
    return _read(body, filename=f"The answer of {_WHO}")


def _refusal(found: _Answer) -> Unreadable:
    said = printable(found.error).rstrip(".")[:300]
    return Unreadable(f"{_WHO} answered with an error: {said}. {NOTHING_STORED} Ask for something else.", said)


def _read(data: bytes, *, filename: str) -> _Answer:
    """The page of results. Raises Unreadable for what is cut off, no XML, or another feed."""
    root, parts = xml.parts(data, "entry", filename=filename)
    home = xml.words(xml.child(root, "id"))
    if xml.local(root) != "feed" or "arxiv.org/" not in home or " updates on " in xml.words(xml.child(root, "title")):
        raise Unreadable(
            f"{shown(filename)} is XML, but no answer of {_WHO}. {NOTHING_STORED} Download it again.",
            f"root element {root.tag!r}",
        )
    found = _Answer(total=_number(xml.words(xml.child(root, "totalResults"))))
    seen: Counter[str] = Counter()
    for number, part in enumerate(parts, 1):
        if isinstance(part, xml.Damaged):
            found.items.append(part.rejected(ArxivSearch.name, f"entry {number}"))
        elif _ERRORS in xml.words(xml.child(part, "id")):
            found.error = xml.words(xml.child(part, "summary")) or "unknown"
        else:
            seen.update({"", *map(xml.local, xml.children(part))})
            found.items.append(_item(part, number))
    found.warnings = (
        *arxiv.unknown_fields(_WHO, seen, (*_ENTRY_FIELDS, "")),
        *arxiv.missing_fields(_WHO, seen, _EXPECTED, seen[""]),
    )
    return found


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 10 else None


def _item(entry: xml.Element, number: int) -> Record | Rejected:
    try:
        return arxiv.record(ArxivSearch.name, _said(entry))
    except ValueError as error:
        excerpt = xml.raw(entry).strip().encode("utf-8", "replace")[:EXCERPT_BYTES]
        return Rejected(ArxivSearch.name, f"entry {number}", printable(str(error)), excerpt)


def _said(entry: xml.Element) -> arxiv.Said:
    """What an entry says: of the first version when it came in, of the version that is shown all else.

    Raises ValueError.
    """
    named = arxiv.reference(xml.words(xml.child(entry, "id")))
    first, newest = (_day(xml.words(xml.child(entry, name))) for name in ("published", "updated"))
    versions = [Version(1, first)] if first else []
    if named.version and named.version > 1:
        versions.append(Version(named.version, newest))
    primary = xml.child(entry, "primary_category")
    terms = [str(one.get("term") or "") for one in ([primary] if primary is not None else [])]
    terms += [str(one.get("term") or "") for one in xml.children(entry, "category")]
    said = arxiv.Said(
        identifier=named.identifier.value,
        title=xml.raw(xml.child(entry, "title")),
        authors=arxiv.checked_authors(
            arxiv.one_line(xml.raw(xml.child(one, "name"))) for one in xml.children(entry, "author")
        ),
        abstract=xml.raw(xml.child(entry, "summary")),
        categories=" ".join(terms),
        comments=xml.raw(xml.child(entry, "comment")),
        journal_ref=xml.raw(xml.child(entry, "journal_ref")),
        dois=xml.raw(xml.child(entry, "doi")),
        versions=tuple(versions),
    )
    return replace(said, submitted=first, updated=newest)


def _day(text: str) -> PartialDate | None:
    """The day of a time stamp, in GMT; None where there is none. Raises ValueError."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
        day = at.astimezone(UTC).date() if at.tzinfo else at.date()
    except OverflowError as error:
        raise ValueError(f'"{text[:40]}" is no time') from error
    return fields.plausible(PartialDate.of(day))
