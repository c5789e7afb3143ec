"""arXiv's OAI-PMH server: records with their histories, complete but without days of announcement.

Formats ``arXivRaw`` (asked for: it has the times of all versions), ``arXiv``, ``arXivOld`` and ``oai_dc``. Lists are
asked for from a day on and never until one, and go on by resumption tokens, which hold for the day they were given on.
Sources: https://info.arxiv.org/help/oa, http://www.openarchives.org/OAI/2.0/openarchivesprotocol.htm
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, timedelta
from typing import BinaryIO
from urllib.parse import urlencode

from broadsheet.bibliography import names
from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.identifiers import Identifier, Scheme
from broadsheet.bibliography.record import Record, Rejected, Version
from broadsheet.fetching.answers import Client, Refused
from broadsheet.sources import arxiv, fields, xml
from broadsheet.sources.base import EXCERPT_BYTES, Page, Sighting, Unreadable
from broadsheet.sources.text import NOTHING_STORED, printable

BASE = "https://oaipmh.arxiv.org/oai"
_ACCEPT = "text/xml, application/xml"
_WHO = "arXiv's OAI-PMH server"
_FORMATS = ("arXivRaw", "arXiv", "arXivOld", "dc")
_ROOTS = frozenset(("OAI-PMH", "ListRecords", "GetRecord", "record"))
# A list that breaks off in the middle is begun again so often within one harvest.
_MOST_BEGINNINGS = 3
_PREFIX = "oai:arXiv.org:"

_KNOWN: dict[str, frozenset[str]] = {
    "arXivRaw": frozenset(
        (
            *("id", "submitter", "version", "title", "authors", "categories", "comments", "proxy", "report-no"),
            *("acm-class", "msc-class", "journal-ref", "doi", "license", "abstract"),
        )
    ),
    "arXiv": frozenset(
        (
            *("id", "created", "updated", "authors", "title", "categories", "comments", "proxy", "report-no"),
            *("msc-class", "acm-class", "journal-ref", "doi", "license", "abstract"),
        )
    ),
    "arXivOld": frozenset(
        (
            *("id", "title", "authors", "categories", "comments", "proxy", "report-no", "msc-class", "acm-class"),
            *("journal-ref", "doi", "abstract", "license"),
        )
    ),
    "dc": frozenset(
        ("title", "creator", "subject", "description", "date", "type", "identifier", "rights", "publisher", "language")
    ),
}
_EXPECTED: dict[str, tuple[str, ...]] = {
    "arXivRaw": ("id", "version", "title", "authors", "categories", "abstract"),
    "arXiv": ("id", "created", "title", "authors", "categories", "abstract"),
    "arXivOld": ("id", "title", "authors", "categories", "abstract"),
    "dc": ("title", "creator", "date", "identifier", "description"),
}

_Texts = Mapping[str, list[xml.Element]]


@dataclass(slots=True)
class _List:
    """What one answer holds. `day` is that of the server's clock; `error` its error code, with `said` in its words."""

    items: list[Record | Rejected] = field(default_factory=list)
    sightings: list[Sighting] = field(default_factory=list)
    deleted: list[Identifier] = field(default_factory=list)
    warnings: tuple[str, ...] = ()
    day: date | None = None
    token: str = ""
    total: int | None = None
    error: str = ""
    said: str = ""

    @property
    def length(self) -> int:
        """How many records the server sent."""
        return len(self.items) + len(self.deleted)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a harvest goes on: from a day on; or in a list that runs, with all that is needed to end it well.

    `begun` is the server's day when the list began, from which the next one starts; `issued` the day of the token, and
    `seen` how many records the list had until then (-1: not known).
    """

    since: str = ""
    begun: str = ""
    issued: str = ""
    seen: int = 0
    token: str = ""

    @classmethod
    def of(cls, cursor: str) -> _Place:
        """Read what `str` wrote. Raises Refused for anything else."""
        parts = cursor.split(" ")
        try:
            for day in filter(None, parts[:3]):
                date.fromisoformat(day)
            if len(parts) == 1:
                return cls(since=cursor)
            since, begun, issued, seen, token = parts
            return cls(since, begun, issued, int(seen), token)
        except ValueError as error:
            raise Refused(
                "The place where this harvest stopped last cannot be read, so nothing was asked. Begin again with "
                "--since.",
                f"cursor {printable(cursor[:80])}",
            ) from error

    def __str__(self) -> str:
        if not self.token:
            return self.since
        return " ".join((self.since, self.begun, self.issued, str(self.seen), self.token))


class ArxivOai:
    """Reads and asks arXiv's OAI-PMH server."""

    name = "arxiv-oai"
    title = "arXiv (OAI-PMH)"
    announcer = arxiv.ANNOUNCER
    sets = arxiv.SETS
    schemes = frozenset((Scheme.ARXIV,))

    def recognises(self, head: bytes, filename: str) -> bool:
        """Whether it is an answer of an OAI-PMH server, or a record of one, and of arXiv's."""
        return xml.root_name(head) in _ROOTS and b"arxiv.org" in head.lower()

    def read(self, stream: BinaryIO, *, filename: str) -> Iterator[Record | Rejected]:
        """Yield one Record or Rejected for each record that was not deleted. Raises Unreadable before the first."""
        found = _read(xml.read(stream, filename=filename), filename=filename)
        if found.error and found.error != "noRecordsMatch":
            raise _refusal(found)
        return iter(found.items)

    def pages(self, client: Client, *, set_name: str, cursor: str, since: date | None) -> Iterator[Page]:
        """The records that changed since the cursor, each with a sighting; see `Harvestable.pages`.

        A token that is no longer taken or is of another day, or a list that breaks off, begins the list again.
        Raises Failure and Unreadable.
        """
        wanted = arxiv.oai_set(set_name)
        place = _Place.of(cursor)
        if not cursor and since is not None:
            place = _Place(since=since.isoformat())
        return self._harvest(client, wanted, place)

    def _harvest(self, client: Client, wanted: str, place: _Place) -> Iterator[Page]:
        beginnings = 1
        tokens: set[str] = set()
        kept = place
        while True:
            found = _ask(client, place, wanted)
            if _broke_off(place, found) or (place is kept and _is_of_another_day(place, found)):
                if beginnings == _MOST_BEGINNINGS:
                    raise _refusal(found)
                beginnings += 1
                tokens.clear()
                place = _Place(since=place.since)
                continue
            if found.token in tokens:
                raise Unreadable(
                    f"{_WHO} answered with a list that goes round in circles. {NOTHING_STORED} Harvest again later.",
                    f"token {found.token[:80]!r} came twice",
                )
            tokens |= {found.token} - {""}
            following = _following(place, found)
            yield _page(place, following, found)
            if not following.token:
                return
            place = following

    def find(self, client: Client, identifiers: Sequence[Identifier]) -> Iterator[Page]:
        """Ask for each work by itself, a request each: slow, but with its licence and the times of all versions.

        Raises Failure and Unreadable.
        """
        for identifier in dict.fromkeys(identifiers):
            if identifier.scheme is not Scheme.ARXIV:
                continue
            found = _fetch(
                client, {"verb": "GetRecord", "identifier": _PREFIX + identifier.value, "metadataPrefix": "arXivRaw"}
            )
            if found.error not in ("", "idDoesNotExist"):
                raise _refusal(found)
            yield Page(
                items=tuple(found.items),
                sightings=tuple(found.sightings),
                deleted=tuple(found.deleted),
                warnings=found.warnings,
            )


def _ask(client: Client, place: _Place, wanted: str) -> _List:
    """The next answer of a list. Raises Failure and Unreadable, also for errors that are not about the list's end."""
    asked = {"verb": "ListRecords"}
    if place.token:
        asked["resumptionToken"] = place.token
    else:
        asked["metadataPrefix"] = "arXivRaw"
        if place.since:
            asked["from"] = place.since
        if wanted:
            asked["set"] = wanted
    found = _fetch(client, asked)
    empty = not (found.error or found.length or found.token)
    if not place.token and (empty or found.error not in ("", "noRecordsMatch")):
        raise _refusal(found)
    return found


def _fetch(client: Client, asked: Mapping[str, str]) -> _List:
    """The answer to one request, with the day of the server's clock, unless that is ahead of ours by days."""
    answer = client.get(f"{BASE}?{urlencode(asked)}", accept=_ACCEPT, limit=xml.LIMIT)
    found = _read(answer.body, filename=f"The answer of {_WHO}")
    latest = answer.at.astimezone(UTC).date() + timedelta(days=1)
    if found.day is not None and found.day > latest:
        found.warnings += (f"{_WHO} says that today is {found.day}; it was taken for {latest}.",)
        found.day = latest
    return found


def _broke_off(place: _Place, found: _List) -> bool:
    """Whether a list that was to go on did not: the token was not taken, or nothing came and nothing is to follow."""
    return bool(place.token) and (bool(found.error) or (not found.length and not found.token))


def _is_of_another_day(place: _Place, found: _List) -> bool:
    """Whether a token kept from an earlier run is not of the server's day: it counts places in a list that may have
    changed since. Our own clock has no say in it.
    """
    return bool(place.token) and found.day is not None and place.issued != found.day.isoformat()


def _following(place: _Place, found: _List) -> _Place:
    """Where to go on after this answer. Only the end of a complete list moves the day from which on is asked."""
    today = found.day.isoformat() if found.day else ""
    begun = place.begun if place.token else today
    seen = place.seen + found.length
    if found.token:
        return _Place(place.since, begun, today or place.issued, seen, found.token)
    return _Place(since=begun if begun and seen >= (found.total or 0) else place.since)


def _page(place: _Place, following: _Place, found: _List) -> Page:
    warnings = list(found.warnings)
    if found.day is None:
        warnings.append(f"{_WHO} did not say what day it is. The next harvest begins where this one did.")
    if not found.length and found.token:
        warnings.append(f"{_WHO} sent an empty page in the middle of a list. The list was followed to its end.")
    seen = place.seen + found.length
    if not found.token and found.total is not None and seen < found.total:
        warnings.append(f"{_WHO} announced {found.total:,} records and sent {seen:,}. They will be asked for again.")
    return Page(
        items=tuple(found.items),
        sightings=tuple(found.sightings),
        deleted=tuple(found.deleted),
        cursor=str(following) or None,
        last=not found.token,
        total=found.total,
        warnings=tuple(warnings),
    )


def _refusal(found: _List) -> Unreadable:
    what = printable(f"{found.error}: {found.said}" if found.said else found.error)[:300] or "an empty list"
    return Unreadable(
        f"{_WHO} answered with an error, {what.rstrip('.')}. {NOTHING_STORED} Harvest again later.", f"OAI error {what}"
    )


def _read(data: bytes, *, filename: str) -> _List:
    """What an answer holds. Raises Unreadable for one that is cut off, is no XML or is no answer of such a server."""
    root, parts = xml.parts(data, "record", filename=filename)
    if xml.local(root) not in _ROOTS:
        raise Unreadable(
            f"{filename} is XML, but no answer of an OAI-PMH server. {NOTHING_STORED} Download it again.",
            f"root element {root.tag!r}",
        )
    found = _List(day=_day(xml.words(xml.child(root, "responseDate"))))
    seen: dict[str, Counter[str]] = {}
    for number, part in enumerate(parts, 1):
        if isinstance(part, xml.Damaged):
            found.items.append(part.rejected(ArxivOai.name, f"record {number}"))
        else:
            _add(found, part, number, seen)
    _read_end(found, root)
    for form, counts in seen.items():
        found.warnings += arxiv.unknown_fields(f"{_WHO} ({form})", counts, (*_KNOWN[form], ""))
        found.warnings += arxiv.missing_fields(f"{_WHO} ({form})", counts, _EXPECTED[form], counts[""])
    return found


def _read_end(found: _List, root: xml.Element) -> None:
    """Read the error or the resumption token of an answer into `found`."""
    error = xml.child(root, "error")
    if error is not None:
        found.error = str(error.get("code") or "unknown")
        found.said = xml.words(error)
    for token in xml.descendants(root, "resumptionToken"):
        found.token = "".join(xml.raw(token).split())
        size = str(token.get("completeListSize") or "")
        found.total = int(size) if size.isdigit() and len(size) < 10 else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def _add(found: _List, element: xml.Element, number: int, seen: dict[str, Counter[str]]) -> None:
    """Add what one record says to `found`, and the names of its fields to `seen`."""
    header = xml.child(element, "header")
    name = xml.words(xml.child(element, "header", "identifier"))
    try:
        if header is not None and header.get("status") == "deleted":
            found.deleted.append(arxiv.reference(name).identifier)
            return
        form, content = _content(element)
        texts: dict[str, list[xml.Element]] = {}
        for part in xml.children(content):
            texts.setdefault(xml.local(part), []).append(part)
        seen.setdefault(form, Counter()).update(("", *texts))
        said = _SAID[form](texts, element)
        record = arxiv.record(ArxivOai.name, said)
        found.items.append(record)
        if form == "arXivRaw":
            found.sightings.extend(_sightings(record, texts, header))
    except ValueError as error:
        position = f"record {number} ({printable(name[:60])})" if name else f"record {number}"
        excerpt = xml.raw(element).strip().encode("utf-8", "replace")[:EXCERPT_BYTES]
        found.items.append(Rejected(ArxivOai.name, position, printable(str(error)), excerpt))


def _content(element: xml.Element) -> tuple[str, xml.Element]:
    """The format of a record and its element. Raises ValueError."""
    metadata = xml.child(element, "metadata")
    if metadata is None:
        raise ValueError("it has no metadata")
    for content in xml.children(metadata):
        if (form := xml.local(content)) in _FORMATS:
            return form, content
    raise ValueError("its metadata have none of the formats arXivRaw, arXiv, arXivOld and oai_dc")


def _text(texts: _Texts, name: str) -> str:
    return xml.raw(texts[name][0]) if name in texts else ""


def _common(texts: _Texts) -> arxiv.Said:
    return arxiv.Said(
        identifier=_text(texts, "id"),
        title=_text(texts, "title"),
        abstract=_text(texts, "abstract"),
        categories=_text(texts, "categories"),
        comments=_text(texts, "comments"),
        journal_ref=_text(texts, "journal-ref"),
        dois=_text(texts, "doi"),
        license=_text(texts, "license"),
    )


def _said_raw(texts: _Texts, _element: xml.Element) -> arxiv.Said:
    versions = sorted(map(_version, texts.get("version", ())), key=lambda version: version.number)
    return replace(_common(texts), authors=arxiv.authors(_text(texts, "authors")), versions=tuple(versions))


def _version(element: xml.Element) -> Version:
    """Raises ValueError."""
    day = arxiv.version_day(xml.words(xml.child(element, "date")))
    return Version(arxiv.version_number(str(element.get("version") or "")), day)


def _said_split(texts: _Texts, _element: xml.Element) -> arxiv.Said:
    people = xml.children(texts["authors"][0], "author") if "authors" in texts else ()
    authors = arxiv.checked_authors(
        arxiv.name(
            given=xml.raw(xml.child(one, "forenames")),
            family=xml.raw(xml.child(one, "keyname")),
            suffix=xml.raw(xml.child(one, "suffix")),
        )
        for one in people
    )
    created, updated = _date(_text(texts, "created")), _date(_text(texts, "updated"))
    return replace(_common(texts), authors=authors, submitted=created, updated=updated or created)


def _said_dublin_core(texts: _Texts, element: xml.Element) -> arxiv.Said:
    """Comments are marked by their first word, DOIs by their prefix; categories are only in the sets of the header."""
    sets = [xml.words(one) for one in xml.descendants(element, "setSpec")]
    days = sorted(filter(None, (_date(xml.words(one)) for one in texts.get("date", ()))), key=lambda day: day.first)
    abstract, comments = "", ""
    for one in texts.get("description", ()):
        text = xml.raw(one)
        if abstract or text.startswith("Comment:"):
            comments = text.removeprefix("Comment:")
        else:
            abstract = text
    places = [xml.words(one) for one in texts.get("identifier", ())]
    home = next((place for place in places if "arxiv.org/abs/" in place), "")
    return arxiv.Said(
        identifier=home or xml.words(xml.child(element, "header", "identifier")),
        title=_text(texts, "title"),
        authors=arxiv.checked_authors(names.printed(arxiv.one_line(xml.raw(one))) for one in texts.get("creator", ())),
        abstract=abstract,
        categories=arxiv.of_oai_sets(sets),
        comments=comments,
        journal_ref=next((place for place in places if place != home and not place.startswith("doi:")), ""),
        dois=" ".join(place for place in places if place.startswith("doi:")),
        license=_text(texts, "rights"),
        submitted=days[0] if days else None,
        updated=days[-1] if days else None,
    )


_SAID: dict[str, Callable[[_Texts, xml.Element], arxiv.Said]] = {
    "arXivRaw": _said_raw,
    "arXiv": _said_split,
    "arXivOld": lambda texts, _: replace(_common(texts), authors=arxiv.authors(_text(texts, "authors"))),
    "dc": _said_dublin_core,
}


def _date(text: str) -> PartialDate | None:
    """A day as ``2014-01-09``; None for none. Raises ValueError."""
    return fields.plausible(PartialDate.parse(text)) if text.strip() else None


def _sightings(record: Record, texts: _Texts, header: xml.Element | None) -> Iterator[Sighting]:
    """One, when the time of the first version and the day of the last change are known."""
    touched = _day(xml.words(xml.child(header, "datestamp"))) if header is not None else None
    first = next((one for one in texts.get("version", ()) if one.get("version") == "v1"), None)
    if touched is not None and first is not None:
        at = arxiv.moment(xml.words(xml.child(first, "date")))
        yield Sighting(record.identifiers[0], at, record.versions[-1].number, touched)
