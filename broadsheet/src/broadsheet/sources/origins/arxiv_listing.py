"""arXiv's listing pages: which works are listed under which day, and how many there are said to be.

``/list/SECTION/new`` has the newest list with its replacements, ``/list/SECTION/pastweek`` the last five without. A
harvest takes announcements and numbers from them and no records: the page is the witness against which feeds and
OAI-PMH are counted, and a witness that brings its own papers would always agree with itself. From a page that a person
saved and imports, titles, authors and subjects are read like everything else.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import BinaryIO

from broadsheet.bibliography.record import Record, Rejected
from broadsheet.fetching.answers import Answer, Client, Refused
from broadsheet.sources import arxiv, xml
from broadsheet.sources.base import EXCERPT_BYTES, Announcement, AnnouncementKind, Count, Page, Unreadable
from broadsheet.sources.text import NOTHING_STORED, printable, shown

BASE = "https://arxiv.org/list/"
# The most entries that arXiv shows on a page.
SHOW = 2_000
_ACCEPT = "text/html"
# So often a page is asked for that should have entries and has none.
_MOST_ATTEMPTS = 2

_OF_THE_DAY = re.compile(r"Showing new listings for (?P<day>[A-Za-z]{3,9},? [0-9]{1,2} [A-Za-z]{3,9} [0-9]{4})")
_GROUP = re.compile(
    r"(?P<kind>New|Cross|Replace)[A-Za-z -]{0,30}?(?: for (?P<day>[A-Za-z]{3,9},? [0-9]{1,2} [A-Za-z]{3,9} [0-9]{4}))?"
    r" ?\([a-z ,]{1,40}(?P<shown>[0-9]{1,7}) of (?P<total>[0-9]{1,7}) entries ?\)"
)
_RECENT = re.compile(
    r"(?P<day>[A-Z][a-z]{2}, [0-9]{1,2} [A-Z][a-z]{2} [0-9]{4})"
    r"(?: ?\([a-z ,]{1,40}(?P<shown>[0-9]{1,7}) of (?P<total>[0-9]{1,7}) entries ?\))?"
)
_TOTAL = re.compile(r"[Tt]otal of ([0-9]{1,7}) entries")
_CONTEXT = re.compile(r"(?:new|recent)-([a-z-]{2,20}(?:\.[A-Za-z-]{2,20})?)")
_SUBJECT = re.compile(r"\(([a-z-]{2,20}(?:\.[A-Za-z-]{2,20})?)\)")
_KINDS = {"New": AnnouncementKind.NEW, "Cross": AnnouncementKind.CROSS, "Replace": AnnouncementKind.REPLACE}


@dataclass(slots=True)
class _Entry:
    """One entry: the record in it, its first category, and whether it is marked as listed from elsewhere."""

    record: Record
    primary: str
    is_cross: bool


@dataclass(slots=True)
class _Group:
    """Entries under one heading: of a day (None: not said) and a kind (None: of new and cross-listed ones mixed).

    `unread` is the number of those that could not be read.
    """

    day: date | None
    kind: AnnouncementKind | None
    total: int
    entries: list[_Entry] = field(default_factory=list)
    unread: int = 0


@dataclass(slots=True)
class _Listing:
    """A page: the section it says it is of, the day in its heading, the length of the whole list, and its groups."""

    section: str = ""
    day: date | None = None
    total: int | None = None
    groups: list[_Group] = field(default_factory=list)
    items: list[Record | Rejected] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def length(self) -> int:
        """How many entries the page shows."""
        return len(self.items)

    @property
    def rejected(self) -> tuple[Rejected, ...]:
        """The entries that could not be read."""
        return tuple(item for item in self.items if isinstance(item, Rejected))


class ArxivListing:
    """Reads and asks arXiv's listing pages."""

    name = "arxiv-listing"
    title = "arXiv (listing page)"
    announcer = arxiv.ANNOUNCER
    sets = arxiv.SETS

    def recognises(self, head: bytes, filename: str) -> bool:
        """Whether it is a web page with the entries of an arXiv list."""
        return b"arXiv" in head and (b"list-title" in head or b"Showing new listings for " in head)

    def read(self, stream: BinaryIO, *, filename: str) -> Iterator[Record | Rejected]:
        """Yield one Record or Rejected for each entry. Raises Unreadable before the first."""
        return iter(_read(xml.read(stream, filename=filename), filename=filename).items)

    def pages(self, client: Client, *, set_name: str, cursor: str, since: date | None) -> Iterator[Page]:
        """The newest list of each section, and the lists of the days before it since the cursor. See `Harvestable`.

        The cursor is the day of the newest list. It moves when all lists were shown in full, as far as arXiv still
        shows them: the last five. Raises Failure and Unreadable.
        """
        try:
            after = date.fromisoformat(cursor) if cursor else _day_before(since)
        except ValueError as error:
            raise Refused(
                "The place where this harvest stopped last is not a day, so nothing was asked. Begin again with "
                "--since.",
                f"cursor {printable(cursor[:80])}",
            ) from error
        return _harvest(client, arxiv.sections(set_name), after, again=bool(cursor))


def _day_before(since: date | None) -> date:
    return since - timedelta(days=1) if since and since > date.min else date.min


def _harvest(client: Client, sections: tuple[str, ...], after: date, *, again: bool) -> Iterator[Page]:
    """All pages of all sections; `again` when the newest list may be as it was before."""
    sound = True
    for section in sections:
        run = _Run(client, section, after)
        last_section = section == sections[-1]
        clean = True
        for page, ends in run.pages(conditional=again):
            sound, clean = sound and run.sound, clean and not page.warnings
            last = ends and last_section
            moves = last and sound and run.newest is not None
            cursor = run.newest.isoformat() if moves and run.newest else None
            yield replace(page, cursor=cursor, last=last)
        if clean:
            run.remember()


class _Run:
    """The lists of one section: the newest, and where a gap of more than a day lies before it, those of the gap.

    `sound` says that nothing was missing so far, `newest` is the day of the newest list.
    """

    def __init__(self, client: Client, section: str, after: date) -> None:
        self._client = client
        self._section = section
        self._after = after
        self._newest_answer: Answer | None = None
        self.newest: date | None = None
        self.sound = True

    def remember(self) -> None:
        """Tell the client that the newest list is stored, if all of it is."""
        if self.sound and self._newest_answer is not None:
            self._client.remember(self._newest_answer)

    def pages(self, *, conditional: bool) -> Iterator[tuple[Page, bool]]:
        """Each page, and whether it is the section's last."""
        answer = self._get("new", 0, conditional=conditional)
        if answer.unchanged:
            yield Page(), True
            return
        self._newest_answer = answer
        for page, ends in self._newest(answer):
            gap = ends and self.newest is not None and self._after < self.newest - timedelta(days=1)
            yield page, ends and not gap
        if self.newest is not None and self._after < self.newest - timedelta(days=1):
            yield from self._recent(self.newest)

    def _get(self, which: str, skip: int, *, conditional: bool = False) -> Answer:
        url = f"{BASE}{self._section}/{which}?skip={skip}&show={SHOW}"
        return self._client.get(url, accept=_ACCEPT, limit=xml.LIMIT, conditional=conditional)

    def _parsed(self, answer: Answer) -> _Listing:
        """Raises Unreadable, also for the list of another section."""
        listing = _read(answer.body, filename=f"The listing of {self._section} at arXiv")
        if listing.section and listing.section != self._section:
            raise Unreadable(
                f"arXiv sent the listing of {printable(listing.section)} in place of that of {self._section}. "
                f"{NOTHING_STORED} Harvest again later.",
                f"asked for {self._section}, got {listing.section!r}",
            )
        return listing

    def _newest(self, answer: Answer) -> Iterator[tuple[Page, bool]]:
        """The newest list, over as many pages as it has."""
        listing = self._parsed(answer)
        self.newest = listing.day
        tally = _Tally(self._section)
        attempts = 0
        while True:
            tally.add(listing, {listing.day: _KINDS_OF_NEW} if listing.day else {})
            more = listing.day is not None and not tally.is_complete(listing.total)
            warnings = list(listing.warnings)
            ends = not more or attempts == _MOST_ATTEMPTS
            if ends:
                warnings += self._shortcomings(tally, listing)
            announcements, counts = tally.take(finish=ends, whole=tally.length >= (listing.total or 0))
            yield _page(listing, announcements, counts, warnings), ends
            if ends:
                return
            listing = self._parsed(self._get("new", tally.length))
            attempts = 0 if listing.length else attempts + 1
            if listing.day != self.newest:
                self.sound = False
                moved = f"The listing of {self._section} changed its day while it was read. It will be read again."
                yield Page(warnings=(moved,)), True
                return

    def _shortcomings(self, tally: _Tally, listing: _Listing) -> list[str]:
        """What is wrong with the newest list once all of it was asked for."""
        if listing.day is None:
            self.sound = False
            return [f"The listing of {self._section} does not say of which day it is. Nothing was taken from it."]
        found = tally.shortcomings()
        if tally.length < (listing.total or 0):
            found.append(
                f"The listing of {self._section} for {listing.day} says that it has {listing.total:,} entries in all, "
                f"and shows {tally.length:,}."
            )
        self.sound = self.sound and not found
        return found

    def _recent(self, newest: date) -> Iterator[tuple[Page, bool]]:
        """The lists of the days between, newest first, until one is reached that is known already."""
        tally = _Tally(self._section)
        attempts, skip = 0, 0
        while True:
            listing = self._parsed(self._get("pastweek", skip))
            skip += listing.length
            days = [group.day for group in listing.groups if group.day is not None]
            wanted: dict[date, tuple[AnnouncementKind, ...]] = {
                day: _KINDS_OF_RECENT for day in days if self._after < day < newest
            }
            tally.add(listing, wanted)
            reached = bool(days) and min(days) <= self._after
            attempts = 0 if listing.length else attempts + 1
            ends = reached or skip >= (listing.total or 0) or attempts == _MOST_ATTEMPTS
            warnings = list(listing.warnings)
            if ends:
                found = tally.shortcomings()
                if not reached and skip < (listing.total or 0):
                    found.append(
                        f"The listing of {self._section} ended before its {listing.total:,} entries were shown."
                    )
                self.sound = self.sound and not found
                warnings += found
            announcements, counts = tally.take(finish=ends, whole=True)
            yield _page(listing, announcements, counts, warnings), ends
            if ends:
                return


def _page(
    listing: _Listing, announcements: tuple[Announcement, ...], counts: tuple[Count, ...], warnings: list[str]
) -> Page:
    return Page(
        items=listing.rejected,
        announcements=announcements,
        counts=counts,
        total=listing.total,
        warnings=tuple(warnings),
    )


_KINDS_OF_NEW = tuple(AnnouncementKind)
_KINDS_OF_RECENT = (AnnouncementKind.NEW, AnnouncementKind.CROSS)


class _Tally:
    """What the pages of a list say together: announcements once each, and numbers when a day is complete."""

    def __init__(self, section: str) -> None:
        self._section = section
        self._kinds: dict[date, tuple[AnnouncementKind, ...]] = {}
        self._totals: dict[tuple[date, AnnouncementKind | None], int] = {}
        self._lines: dict[tuple[date, AnnouncementKind | None], dict[str, Announcement]] = {}
        self._unread: Counter[tuple[date, AnnouncementKind | None]] = Counter()
        self._fresh: list[Announcement] = []
        self.length = 0

    def add(self, listing: _Listing, wanted: dict[date, tuple[AnnouncementKind, ...]]) -> None:
        """Add a page; `wanted` are the days that count, each with the kinds that its list would have."""
        self.length += listing.length
        self._kinds |= wanted
        for group in listing.groups:
            day = group.day or listing.day
            if day is None or day not in wanted:
                continue
            place = (day, group.kind)
            self._totals[place] = group.total
            self._unread[place] += group.unread
            lines = self._lines.setdefault(place, {})
            for entry in group.entries:
                if entry.record.source_key not in lines:
                    line = Announcement(entry.record.identifiers[0], day, self._kind(group, entry), self._section)
                    lines[entry.record.source_key] = line
                    self._fresh.append(line)

    def _kind(self, group: _Group, entry: _Entry) -> AnnouncementKind:
        """The kind of an entry, more exactly than its heading says it."""
        if group.kind is None:
            return AnnouncementKind.CROSS if entry.is_cross else AnnouncementKind.NEW
        if group.kind is AnnouncementKind.REPLACE and not arxiv.is_primary_in(self._section, entry.primary):
            return AnnouncementKind.REPLACE_CROSS
        return group.kind

    def is_complete(self, total: int | None) -> bool:
        """Whether as many entries were shown as the headings, and the page as a whole, say there are."""
        return not self.shortcomings() and self.length >= (total or 0)

    def _shown(self, place: tuple[date, AnnouncementKind | None]) -> int:
        return len(self._lines[place]) + self._unread[place]

    def shortcomings(self) -> list[str]:
        """A sentence for each group that says that it has more entries than were shown."""
        return [
            f"The listing of {self._section} for {place[0]} says that it has {total:,} entries"
            f"{f' ({place[1]})' if place[1] else ''}, and shows {self._shown(place):,}."
            for place, total in self._totals.items()
            if self._shown(place) < total
        ]

    def take(self, *, finish: bool, whole: bool) -> tuple[tuple[Announcement, ...], tuple[Count, ...]]:
        """The announcements since the last time, and at the end the numbers that are sure.

        `whole` says that no entry of the list was left out, so that a kind without a heading has none.
        """
        announcements = tuple(self._fresh)
        self._fresh.clear()
        return announcements, tuple(self._counts(whole=whole)) if finish else ()

    def _counts(self, *, whole: bool) -> Iterator[Count]:
        for day, kinds in self._kinds.items():
            places = [place for place in self._totals if place[0] == day]
            read = whole and all(len(self._lines[place]) >= self._totals[place] for place in places)
            seen = Counter(line.kind for place in places for line in self._lines[place].values())
            for kind in kinds:
                if read:
                    yield Count(day, self._section, kind, seen[kind])
                elif kind in _KINDS_OF_RECENT and (day, kind) in places:
                    yield Count(day, self._section, kind, self._totals[day, kind])


def _read(data: bytes, *, filename: str) -> _Listing:
    """The page. Raises Unreadable for what is cut off or no listing page."""
    root = xml.html(data, filename=filename)
    if not data.rstrip().lower().endswith(b"</html>"):
        raise Unreadable(
            f"{shown(filename)} is cut off: its end is missing. {NOTHING_STORED} Download it again.",
            f"last bytes {data[-80:]!r}",
        )
    listing = _Listing(section=_section(root))
    reader = _Reader(listing)
    for element in root.iter("h3", "dt", "dd"):
        reader.add(element)
    if not reader.headings and not listing.items:
        raise Unreadable(
            f"{shown(filename)} is a web page, but no listing of arXiv. {NOTHING_STORED} Download it again.",
            f"first bytes {data[:80]!r}",
        )
    if total := _TOTAL.search(" ".join(xml.words(one) for one in root.iter("div") if one.get("class") == "paging")):
        listing.total = int(total[1])
    return listing


def _section(root: xml.Element) -> str:
    """The section that the page's own links name, or ""."""
    for link in root.iter("a"):
        if found := _CONTEXT.fullmatch(str(link.get("id") or "")):
            return found[1]
    return ""


class _Reader:
    """Reads headings and entries of a page in their order into a `_Listing`."""

    def __init__(self, listing: _Listing) -> None:
        self._listing = listing
        self._group: _Group | None = None
        self._term: xml.Element | None = None
        self.headings = 0

    def add(self, element: xml.Element) -> None:
        """Take the next heading, or the next half of an entry."""
        name = xml.local(element)
        if name == "h3":
            self._heading(xml.words(element))
        elif name == "dt":
            self._term = element
        elif self._term is not None:
            self._entry(self._term, element)
            self._term = None

    def _heading(self, text: str) -> None:
        if found := _OF_THE_DAY.fullmatch(text):
            self._listing.day = self._day(found["day"])
        elif found := _GROUP.fullmatch(text):
            day = self._day(found["day"]) if found["day"] else None
            self._listing.day = self._listing.day or day
            self._open(_Group(day, _KINDS[found["kind"]], int(found["total"])))
        elif found := _RECENT.fullmatch(text):
            self._open(_Group(self._day(found["day"]), None, int(found["total"] or 0)))
        else:
            self._group = None
            self._listing.warnings.append(
                f'The listing has a heading that is not understood: "{printable(text[:80])}".'
            )
            return
        self.headings += 1

    def _open(self, group: _Group) -> None:
        self._group = group
        self._listing.groups.append(group)

    def _day(self, text: str) -> date | None:
        try:
            return arxiv.listed_day(text)
        except ValueError as error:
            self._listing.warnings.append(f"The listing has a heading whose date is wrong: {error}.")
            return None

    def _entry(self, term: xml.Element, description: xml.Element) -> None:
        listing = self._listing
        try:
            entry = _entry(term, description)
        except ValueError as error:
            position = f"entry {listing.length + 1}"
            excerpt = xml.words(term).encode("utf-8", "replace")[:EXCERPT_BYTES]
            listing.items.append(Rejected(ArxivListing.name, position, printable(str(error)), excerpt))
            if self._group is not None:
                self._group.unread += 1
            return
        listing.items.append(entry.record)
        if self._group is not None:
            self._group.entries.append(entry)


def _entry(term: xml.Element, description: xml.Element) -> _Entry:
    """Raises ValueError."""
    link = next((one for one in term.iter("a") if one.get("title") == "Abstract"), None)
    if link is None:
        raise ValueError("it has no link to an abstract")
    parts: dict[str, xml.Element] = {}
    for part in description.iter("div"):
        for word in str(part.get("class") or "").split():
            parts.setdefault(word, part)
    names = [xml.words(one) for one in parts["list-authors"].iter("a")] if "list-authors" in parts else []
    subjects = _SUBJECT.findall(_described(parts.get("list-subjects")))
    abstract = next((xml.words(one) for one in description.iter("p") if "mathjax" in str(one.get("class") or "")), "")
    said = arxiv.Said(
        identifier=xml.words(link),
        title=_described(parts.get("list-title")),
        authors=arxiv.checked_authors(names),
        abstract=abstract,
        categories=" ".join(subjects),
        comments=_described(parts.get("list-comments")),
        journal_ref=_described(parts.get("list-journal-ref")),
    )
    record = arxiv.record(ArxivListing.name, said)
    return _Entry(record, subjects[0] if subjects else "", "(cross-list from" in xml.words(term))


def _described(element: xml.Element | None) -> str:
    """The text of a field without the word that stands before it."""
    text = xml.words(element)
    if element is None:
        return text
    label = next((xml.words(one) for one in element.iter("span") if one.get("class") == "descriptor"), "")
    return text.removeprefix(label).strip()
