"""arXiv's feeds of the day, RSS and Atom: what is announced in a section, of which kind, with licences.

A feed holds one list only and is built at midnight US Eastern time; it is empty on days without a list. The day of its
announcements is the feed's own date, and only entries of that date are announced by it. Specification:
https://info.arxiv.org/help/rss_specifications.md
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import BinaryIO

from broadsheet.bibliography.record import Record, Rejected, Version
from broadsheet.fetching.answers import Client
from broadsheet.sources import arxiv, xml
from broadsheet.sources.base import EXCERPT_BYTES, Announcement, AnnouncementKind, Count, Page, Unreadable
from broadsheet.sources.text import NOTHING_STORED, printable

BASE = "https://rss.arxiv.org/atom/"
_ACCEPT = "application/atom+xml, application/rss+xml, application/xml"
# A feed holds at most so many entries. One that holds as many does not say how many there were.
MOST_ENTRIES = 2_000

_TITLE = re.compile(
    r"(?P<sections>[A-Za-z-]{2,20}(?:\.[A-Za-z-]{2,20})?(?:, [A-Za-z.-]{2,40}){0,200}) updates on arXiv\.org"
)
_INTRODUCTION = re.compile(
    r"\s{0,20}arXiv:(?P<id>\S{7,40})\s{1,20}Announce Type: (?P<kind>[a-z-]{2,20})\s{1,20}(?:Abstract: )?"
)
_WEEKEND = ("Saturday", "Sunday")
_ENTRY_FIELDS = frozenset(
    (
        *("id", "title", "updated", "link", "summary", "category", "published", "announce_type", "rights", "creator"),
        *("DOI", "journal_reference", "guid", "description", "pubDate", "author", "content"),
    )
)
_EXPECTED = ("title", "announce_type", "rights", "creator", "category")


@dataclass(frozen=True, slots=True)
class _Entry:
    """What one entry announces, and the record in it. `day` is the entry's own, None where it names none."""

    record: Record
    version: int | None
    kind: AnnouncementKind
    day: date | None


@dataclass(slots=True)
class _Feed:
    """A feed: its section, its own day (None where it names none), and its entries in order."""

    section: str
    day: date | None
    skipped_days: frozenset[str]
    entries: list[_Entry] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    items: list[Record | Rejected] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


class ArxivFeed:
    """Reads and asks arXiv's feeds."""

    name = "arxiv-feed"
    title = "arXiv (RSS and Atom)"
    announcer = arxiv.ANNOUNCER
    sets = arxiv.SETS

    def recognises(self, head: bytes, filename: str) -> bool:
        """Whether it is a feed with the title that arXiv's feeds have."""
        return xml.root_name(head) in ("feed", "rss") and b" updates on arXiv.org<" in head

    def read(self, stream: BinaryIO, *, filename: str) -> Iterator[Record | Rejected]:
        """Yield one Record or Rejected for each entry. Raises Unreadable before the first."""
        return iter(_read(xml.read(stream, filename=filename), filename=filename).items)

    def pages(self, client: Client, *, set_name: str, cursor: str, since: date | None) -> Iterator[Page]:
        """The list of the day, one page for each section; the cursor is its day. See `Harvestable.pages`.

        A feed has no past: `since` changes nothing. Where the cursor says that a feed was stored before, an unchanged
        one is not fetched again. Raises Failure and Unreadable.
        """
        return self._harvest(client, arxiv.sections(set_name), cursor)

    def _harvest(self, client: Client, sections: tuple[str, ...], cursor: str) -> Iterator[Page]:
        for section in sections:
            answer = client.get(BASE + section, accept=_ACCEPT, limit=xml.LIMIT, conditional=bool(cursor))
            last = section == sections[-1]
            if answer.unchanged:
                yield Page(last=last)
                continue
            feed = _read(answer.body, filename=f"The feed of {section} at arXiv")
            if feed.section != section:
                raise Unreadable(
                    f"arXiv sent the feed of {printable(feed.section)} in place of that of {section}. {NOTHING_STORED} "
                    "Harvest again later.",
                    f"asked for {section}, got {feed.section!r}",
                )
            page = _page(feed, last=last)
            yield page
            # What was not as it should be is said again until it is mended.
            if not page.warnings:
                client.remember(answer)


def _page(feed: _Feed, *, last: bool) -> Page:
    """What a feed says. It counts only what it holds in full, and announces only what has its own day."""
    warnings = list(feed.warnings)
    day = feed.day
    if day is None:
        warnings.append(f"The feed of {feed.section} does not say of which day it is. Nothing is announced by it.")
        return Page(items=tuple(feed.items), last=last, warnings=tuple(warnings))
    timely = list({entry.record.source_key: entry for entry in feed.entries if entry.day == day}.values())
    others = Counter(entry.day for entry in feed.entries if entry.day != day)
    for other, number in sorted(others.items(), key=str):
        of = f"of {other}" if other else "without a day"
        warnings.append(f"The feed of {feed.section} is of {day}, but {number:,} of its entries are {of}.")
    if not feed.items and f"{day:%A}" not in feed.skipped_days:
        warnings.append(f"The feed of {feed.section} for {day:%A}, {day} is empty.")
    counts: tuple[Count, ...] = ()
    if len(feed.items) >= MOST_ENTRIES:
        warnings.append(
            f"The feed of {feed.section} has {len(feed.items):,} entries, as many as fit; more may be missing."
        )
    elif feed.items and not feed.rejected and not others:
        kinds = Counter(entry.kind for entry in timely)
        counts = tuple(Count(day, feed.section, kind, kinds[kind]) for kind in AnnouncementKind)
    return Page(
        items=tuple(feed.items),
        announcements=tuple(
            Announcement(entry.record.identifiers[0], day, entry.kind, feed.section, entry.version) for entry in timely
        ),
        counts=counts,
        cursor=day.isoformat() if last else None,
        last=last,
        warnings=tuple(warnings),
    )


def _read(data: bytes, *, filename: str) -> _Feed:
    """The feed. Raises Unreadable for what is cut off, no XML, or another feed."""
    root, parts = xml.parts(data, "entry", "item", filename=filename)
    channel = xml.child(root, "channel") if xml.local(root) == "rss" else root
    title = _TITLE.fullmatch(xml.words(xml.child(channel, "title"))) if channel is not None else None
    if channel is None or title is None or xml.local(root) not in ("feed", "rss"):
        raise Unreadable(
            f"{filename} is XML, but no feed of arXiv. {NOTHING_STORED} Download it again.",
            f"root element {root.tag!r}",
        )
    skipped = frozenset(xml.words(one) for one in xml.descendants(channel, "day"))
    feed = _Feed(title["sections"].replace(", ", "+"), _day_of(channel), skipped or frozenset(_WEEKEND))
    seen: Counter[str] = Counter()
    for number, part in enumerate(parts, 1):
        said = _entry_or_rejected(part, number, seen)
        if isinstance(said, Rejected):
            feed.rejected.append(said)
            feed.items.append(said)
        else:
            feed.entries.append(said)
            feed.items.append(said.record)
    name = f"The feed of {feed.section}"
    feed.warnings.extend(arxiv.unknown_fields(name, seen, (*_ENTRY_FIELDS, "")))
    feed.warnings.extend(arxiv.missing_fields(name, seen, _EXPECTED, seen[""]))
    return feed


def _entry_or_rejected(part: xml.Element | xml.Damaged, number: int, seen: Counter[str]) -> _Entry | Rejected:
    """What one entry says; the names of its fields are counted in `seen`."""
    if isinstance(part, xml.Damaged):
        return part.rejected(ArxivFeed.name, f"entry {number}")
    texts: dict[str, list[str]] = {}
    for child in xml.children(part):
        value = str(child.get("term") or "") or xml.raw(child)
        texts.setdefault(xml.local(child), []).append(value)
    seen.update(("", *texts))
    try:
        return _entry(texts)
    except ValueError as error:
        excerpt = xml.raw(part).strip().encode("utf-8", "replace")[:EXCERPT_BYTES]
        return Rejected(ArxivFeed.name, f"entry {number}", printable(str(error)), excerpt)


def _entry(texts: dict[str, list[str]]) -> _Entry:
    """Raises ValueError."""
    first = {name: values[0] for name, values in texts.items()}
    named = arxiv.reference((first.get("id") or first.get("guid") or first.get("link") or "").strip())
    text = first.get("summary") or first.get("description") or ""
    introduction = _INTRODUCTION.match(text)
    kind = (first.get("announce_type") or (introduction["kind"] if introduction else "")).strip()
    if kind not in _KINDS:
        raise ValueError(f'it is announced as "{printable(kind[:20])}", which is no kind of announcement')
    said = arxiv.Said(
        identifier=named.identifier.value,
        title=first.get("title", ""),
        authors=arxiv.authors(", ".join(texts.get("creator", ()))),
        abstract=text[introduction.end() :] if introduction else text,
        categories=" ".join(texts.get("category", ())),
        journal_ref=first.get("journal_reference", ""),
        dois=first.get("DOI", ""),
        license=first.get("rights", ""),
        versions=(Version(named.version),) if named.version else (),
    )
    day = _day(first.get("published") or first.get("pubDate") or "")
    return _Entry(arxiv.record(ArxivFeed.name, said), named.version, AnnouncementKind(kind), day)


_KINDS = frozenset(kind.value for kind in AnnouncementKind)


def _day_of(channel: xml.Element) -> date | None:
    """The feed's own day. Atom has only when it was built, which is the same day in US Eastern time."""
    for name in ("pubDate", "updated", "lastBuildDate"):
        if (day := _day(xml.words(xml.child(channel, name)))) is not None:
            return day
    return None


def _day(text: str) -> date | None:
    """The day that a time stamp means in US Eastern time.

    Midnight as it is printed by a clock in the east of the United States, whichever of its two offsets it names, is
    the beginning of the day that is printed.
    """
    text = text.strip()
    try:
        at = parsedate_to_datetime(text) if "," in text else datetime.fromisoformat(text)
    except ValueError:
        return None
    if at.utcoffset() in (timedelta(hours=-4), timedelta(hours=-5)):
        return at.date()
    try:
        return arxiv.eastern_day(at) if at.tzinfo else None
    except OverflowError:
        return None
