"""bioRxiv and medRxiv: the preprints of each day, from the interface of both at ``api.biorxiv.org``.

Read are the answers of ``/details/SERVER/FROM/TO/CURSOR`` and ``/details/SERVER/DOI/na/json`` (help page
https://api.biorxiv.org/, and third-party notes of live answers of July 2026): an object with ``messages`` and a
``collection`` with one item for each version. ``total`` counts the versions of an interval, ``count_new_papers`` its
new preprints; both are text or numbers. A page has 30 items, until about 2025 it had 100: the next one begins after as
many as came. What there is nothing of comes with status 200 and another word than ``ok``.

- A set is a server, ``biorxiv`` or ``medrxiv``; none means both. Announcements have the server as their section, since
  the numbers that it gives are for the server; the category is the record's. The announcer is bioRxiv for both.
- Days are asked for one by one, so that the number of a day is about that day. The day of an announcement is the date
  of the item.
- The items of one DOI are one record, which says what the newest of them says. The date of the first version is the one
  in the DOI (``10.1101/2026.01.16.700001``, from December 2019 on), which is when it came in; the dates of items are
  those of posting. So the record of a new version that comes alone does not lose the first date.
- ``published`` is the DOI in a journal, or ``NA``. Not taken: the institution of one author, the type, the funders.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, BinaryIO
from urllib.parse import quote

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.identifiers import Identifier, Scheme
from broadsheet.bibliography.record import Record, Rejected, Version
from broadsheet.fetching.answers import Client, Missing, Refused
from broadsheet.sources import days, fields, lookups
from broadsheet.sources.base import Announcement, AnnouncementKind, Count, Page
from broadsheet.sources.json_document import Drift

DETAILS = "https://api.biorxiv.org/details"
SERVERS = ("biorxiv", "medrxiv")
# A day had at most 700 versions until 2026; what has more pages than this goes round in circles.
_MOST_PAGES = 200
_MOST_VERSIONS = 1000
# DOIs that these servers gave: Cold Spring Harbor Laboratory until November 2025, openRxiv since.
_PREFIXES = ("10.1101/", "10.64898/")

_OBJECT = re.compile(rb"\s{0,100}\{")
_SIGNS = (b'"messages"', b'"collection"')
_DAY_IN_DOI = re.compile(r"10\.[0-9]{4,9}/([0-9]{4})\.([0-9]{2})\.([0-9]{2})\.[0-9]{1,12}", re.ASCII)
_NOT_SAID = frozenset(("", "na", "n/a"))
_LICENSES = {
    "cc_by": "https://creativecommons.org/licenses/by/4.0/",
    "cc_by_nc": "https://creativecommons.org/licenses/by-nc/4.0/",
    "cc_by_nd": "https://creativecommons.org/licenses/by-nd/4.0/",
    "cc_by_nc_nd": "https://creativecommons.org/licenses/by-nc-nd/4.0/",
    "cc_by_nc_sa": "https://creativecommons.org/licenses/by-nc-sa/4.0/",
    "cc_by_sa": "https://creativecommons.org/licenses/by-sa/4.0/",
    "cc0": "https://creativecommons.org/publicdomain/zero/1.0/",
}
_KNOWN = (
    *("doi", "title", "authors", "author_corresponding", "author_corresponding_institution", "date", "version", "type"),
    *("license", "category", "jatsxml", "abstract", "funder", "published", "server"),
)
_EXPECTED = ("abstract", "authors", "category", "license", "server", "version")

_title = fields.words(fields.LONGEST_TITLE)
_text = fields.prose(fields.LONGEST_TEXT)
_phrase = fields.prose(fields.LONGEST_PHRASE)
_doi = fields.reference(Scheme.DOI)


class Biorxiv:
    """Reads, harvests and looks up preprints of bioRxiv and medRxiv."""

    name = "biorxiv"
    title = "bioRxiv and medRxiv"
    announcer = "biorxiv"
    sets = "a server: biorxiv or medrxiv; none means both"
    schemes = frozenset({Scheme.DOI})

    def recognises(self, head: bytes, filename: str) -> bool:
        """Whether it is an object with messages and a collection."""
        return bool(_OBJECT.match(head)) and all(sign in head for sign in _SIGNS)

    def read(self, stream: BinaryIO, *, filename: str) -> Iterator[Record | Rejected]:
        """Yield one Record for each DOI, and a Rejected for each item that is none. Holds the whole file, `xml.LIMIT`
        bytes at most.

        Raises Unreadable when it is too large, cut off, or no answer of bioRxiv.
        """
        listed = _listed(lookups.load(stream, filename=filename), filename)
        return iter(_statements(listed.items, _drift()))

    def pages(self, client: Client, *, set_name: str, cursor: str, since: date | None) -> Iterator[Page]:
        """The preprints of each day from the cursor's, or `since`, or else the newest, up to the newest.

        Raises fetching.answers.Failure, also for a set that is no server, and Unreadable.
        """
        servers = (set_name,) if set_name else SERVERS
        if not set(servers) <= set(SERVERS):
            raise Refused(
                "The sets of bioRxiv are biorxiv and medrxiv, so nothing was asked. Name one of them with --set.",
                f"set {set_name[:80]!r}",
            )
        start = days.first(cursor, since)
        newest = max(_newest(client, server) for server in servers)
        walk = days.Walk(start or newest, newest)
        yield from _of_day(client, servers, walk)
        while walk.go_on():
            yield from _of_day(client, servers, walk)

    def find(self, client: Client, identifiers: Sequence[Identifier]) -> Iterator[Page]:
        """All versions of each DOI of these servers, in one request or two for each.

        Raises fetching.answers.Failure and Unreadable.
        """
        for identifier in lookups.distinct(identifiers, self.schemes):
            if not identifier.value.startswith(_PREFIXES):
                continue
            for server in SERVERS:
                listed = _asked(client, f"{server}/{quote(identifier.value)}/na/json")
                items = [item for item in listed.items if _identifier(item) == identifier]
                if items:
                    drift = _drift()
                    yield Page(items=tuple(_statements(items, drift)), warnings=drift.warnings())
                    break


def _drift() -> Drift:
    return Drift(_KNOWN, _EXPECTED)


# --- Asking ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Listed:
    """The items of an answer, and what it says of itself."""

    items: list[Any]
    total: int | None = None
    new: int | None = None
    cursor: int | None = None


def _asked(client: Client, path: str) -> _Listed:
    try:
        answer = client.get(f"{DETAILS}/{path}", accept=lookups.JSON)
    except Missing:
        return _Listed([])
    return _listed(lookups.answered(answer), answer.url)


def _newest(client: Client, server: str) -> date:
    """The day of the newest preprint, else that of the answer."""
    answer = client.get(f"{DETAILS}/{server}/1", accept=lookups.JSON)
    listed = _listed(lookups.answered(answer), answer.url)
    return days.newest((day for item in listed.items if (day := _posted(item))), answer)


def _of_day(client: Client, servers: Sequence[str], walk: days.Walk) -> Iterator[Page]:
    """The pages of one day, of one server after the other. The cursor moves when the last of them is through."""
    moved = False
    for server in servers:
        final = server == servers[-1]
        for page in _of_server(client, server, walk):
            moved = moved or bool(page.announcements)
            at_end = final and page.last
            cursor = walk.cursor if at_end and moved else None
            yield replace(page, cursor=cursor, last=at_end and walk.is_last)


def _of_server(client: Client, server: str, walk: days.Walk) -> Iterator[Page]:
    """The pages of one day of one server; the last of them says so."""
    day = walk.day.isoformat()
    offset = 0
    total: int | None = None
    for _ in range(_MOST_PAGES):
        listed = _asked(client, f"{server}/{day}/{day}/{offset}")
        total = total if listed.total is None else listed.total
        if listed.cursor not in (None, offset):
            walk.hold()
            yield Page(warnings=(f"{server} gave the items of {day} from {listed.cursor} on instead of {offset}.",))
            return
        offset += len(listed.items)
        more = bool(listed.items) and (total is None or offset < total)
        lacking = "" if more else _lacking(offset, total, server, walk)
        yield _page(listed, server, walk, more=more, warning=lacking)
        if not more:
            return
    walk.hold()
    yield Page(warnings=(f"{server} does not come to an end with {day}.",))


def _lacking(offset: int, total: int | None, server: str, walk: days.Walk) -> str:
    """A sentence when the day ends before it should; then it is asked for again."""
    if total is not None and offset < total:
        walk.hold()
        return f"{server} gave {offset} of the {total} items of {walk.day}."
    if offset == 0 and days.is_working_day(walk.day) and not walk.is_last:
        walk.hold()
        return f"{server} has nothing of {walk.day}, which is a working day."
    return ""


def _page(listed: _Listed, server: str, walk: days.Walk, *, more: bool, warning: str) -> Page:
    drift = _drift()
    if warning:
        drift.note(warning)
    announced = tuple(one for item in listed.items if (one := _announcement(item, server)))
    of_this_day = all(one.day == walk.day for one in announced)
    if not of_this_day:
        drift.note(f"Some items that {server} gave for {walk.day} are of another day.")
    return Page(
        items=tuple(_statements(listed.items, drift)),
        announcements=announced,
        counts=tuple(_counts(listed, server, walk.day)) if of_this_day and not more else (),
        last=not more,
        total=listed.total,
        warnings=drift.warnings(),
    )


def _counts(listed: _Listed, server: str, day: date) -> Iterator[Count]:
    if listed.total is not None:
        yield Count(day, server, None, listed.total)
    if listed.new is not None:
        yield Count(day, server, AnnouncementKind.NEW, listed.new)


# --- Reading ---------------------------------------------------------------------------------------------------------


def _listed(value: Any, filename: str) -> _Listed:
    """Raises Unreadable when the document has no messages or no collection."""
    said = value if type(value) is dict else {}
    messages, items = said.get("messages"), said.get("collection")
    if type(messages) is not list or type(items) is not list:
        cause = f"it is a {type(value).__name__}"
        raise lookups.wrong_shape(filename, wanted="an answer of bioRxiv", cause=cause)
    first = messages[0] if messages and type(messages[0]) is dict else {}
    total, new, cursor = (_number(first.get(name)) for name in ("total", "count_new_papers", "cursor"))
    return _Listed(items, total, new, cursor)


def _number(value: Any) -> int | None:
    """A whole number, also as text."""
    if type(value) is str and value.isascii() and value.isdigit() and len(value) < 10:
        value = int(value)
    return value if type(value) is int and 0 <= value < 10**9 else None


def _identifier(item: Any) -> Identifier | None:
    try:
        return _doi(item.get("doi")).identifier if type(item) is dict else None
    except ValueError:
        return None


def _posted(item: Any) -> date | None:
    try:
        return fields.day(item.get("date")) if type(item) is dict else None
    except ValueError:
        return None


def _version(value: Any) -> int:
    """A version's number from 1 up. Raises ValueError."""
    return fields.number(_number(value), least=1, most=_MOST_VERSIONS)


def _announcement(item: Any, server: str) -> Announcement | None:
    """The line of the day's list that an item is; None for one without DOI, date or version."""
    identifier, day = _identifier(item), _posted(item)
    if identifier is None or day is None:
        return None
    try:
        version = _version(item.get("version"))
    except ValueError:
        return None
    kind = AnnouncementKind.NEW if version == 1 else AnnouncementKind.REPLACE
    return Announcement(identifier, day, kind, server, version)


def _statements(items: Sequence[Any], drift: Drift) -> list[Record | Rejected]:
    """One record for each DOI, where its first version stands, and the rejections in between."""
    merged: dict[str, Record] = {}
    order: list[str | Rejected] = []
    for said in lookups.statements(enumerate(items, 1), Biorxiv.name, _record, drift):
        if isinstance(said, Rejected):
            order.append(said)
            continue
        before = merged.get(said.source_key)
        if before is None:
            order.append(said.source_key)
        merged[said.source_key] = _merged(before, said) if before else said
    return [merged[one] if isinstance(one, str) else one for one in order]


def _merged(one: Record, other: Record) -> Record:
    """What the record of the newer version says, with the versions and dates of both."""
    newer, older = (one, other) if _newest_of(one) > _newest_of(other) else (other, one)
    dated = {version.number: version for version in (*older.versions, *newer.versions) if version.submitted}
    versions = {version.number: version for version in newer.versions} | dated
    firsts = [record.submitted for record in (one, other) if record.submitted]
    return replace(
        newer,
        identifiers=(newer.identifiers[0], *sorted({*newer.identifiers[1:], *older.identifiers[1:]})),
        versions=tuple(versions[number] for number in sorted(versions)),
        submitted=min(firsts, key=lambda day: day.first, default=None),
        updated=newer.updated or older.updated,
    )


def _newest_of(record: Record) -> int:
    return max((version.number for version in record.versions), default=0)


def _record(item: dict[str, Any], drift: Drift) -> Record:
    """What the origin says of one version of a preprint. Raises lookups.Unfit."""

    def take(name: str, read: fields.Read, otherwise: Any) -> Any:
        return drift.optional(name, item.get(name), read, otherwise)

    identifier: Identifier = lookups.needed(item, "doi", _doi).identifier
    posted = take("date", fields.partial_date, None)
    number = take("version", _version, 0)
    category = take("category", _category, "")
    return Record(
        source=Biorxiv.name,
        source_key=identifier.value,
        title=" ".join(lookups.needed(item, "title", _title).split()),
        abstract=take("abstract", _text, "").strip(),
        authors=take("authors", _authors, ()),
        identifiers=tuple(dict.fromkeys((identifier, *take("published", _published, ())))),
        versions=(*(Version(before) for before in range(1, number)), Version(number, posted)) if number else (),
        submitted=_submitted(identifier) or (posted if number == 1 else None),
        updated=posted if number > 1 else None,
        venue=take("server", _phrase, ""),
        categories=(category,) if category else (),
        license=take("license", _license, ""),
    )


def _submitted(identifier: Identifier) -> PartialDate | None:
    """The day in the DOI; None in DOIs without one."""
    found = _DAY_IN_DOI.fullmatch(identifier.value)
    if found is None:
        return None
    try:
        return fields.plausible(PartialDate(*map(int, found.groups())))
    except ValueError:
        return None


def _authors(value: Any) -> tuple[str, ...]:
    """Names such as "Example, A." between semicolons. Raises ValueError."""
    names: Iterable[str] = (" ".join(name.split()) for name in _text(value).split(";"))
    found: tuple[str, ...] = fields.listed(_phrase)([name for name in names if name.strip(" .,")])
    return found


def _published(value: Any) -> tuple[Identifier, ...]:
    """The DOI in a journal, if it has one. Raises ValueError."""
    return () if _is_not_said(value) else (_doi(value).identifier,)


def _category(value: Any) -> str:
    """Raises ValueError."""
    return "" if _is_not_said(value) else fields.section(value)


def _license(value: Any) -> str:
    """Its address, where it is one of Creative Commons; else as the origin calls it. Raises ValueError."""
    said: str = _phrase(value)
    return "" if _is_not_said(said) else _LICENSES.get(said.strip().lower(), said.strip())


def _is_not_said(value: Any) -> bool:
    return type(value) is str and value.strip().lower() in _NOT_SAID
