"""OpenReview: the submissions of a conference, from both generations of its API.

In version 2 (``api2.openreview.net``: ICLR from 2024, NeurIPS and ICML from 2023) a field of a note is
``content.title.value``, in version 1 (``api.openreview.net``, venues before) it is ``content.title``. Sources:
openreview-py ``api/client.py``, its pull requests 3041 and 2846 for authors as objects, and third-party notes and
scrubbed recordings of both versions of September 2026.

- A set is the identifier of a venue, as in ``ICLR.cc/2026/Conference``. Version 2 is asked for the notes whose
  ``venueid`` it is: what was accepted. A venue that has none there is asked of version 1 by its invitation
  ``Blind_Submission``, then ``Submission`` and ``submission``: all that was submitted and is public. There the
  ``venueid`` says nothing about acceptance, so only the printed ``venue`` is taken, in both versions.
- A list is asked for whole each time, since a note gets its venue long after it was made. The cursor is the number of
  the question and an offset, and goes back to the start with the last page.
- Only notes and fields that everyone may read are kept, also where a key opens more. Reviews and comments are notes
  too, and are passed over.
- A paper is known by the identifier of its forum. Its date is that of the note (``cdate``, else ``tcdate``). Records
  that OpenReview took from DBLP know only the year.
- Not taken: TL;DR, which is neither the abstract nor ours; the version of a note, which counts edits of any kind.

Since the middle of 2026 guests get a test for browsers instead of notes, as a web page with status 200 or as status
403 (openreview-web, pull requests 2818 and 2843): a harvest needs the token of an account, sent to both hosts. There
are 500 requests an hour.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, BinaryIO
from urllib.parse import urlencode

import orjson

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.identifiers import Identifier, Scheme, parse
from broadsheet.bibliography.record import Record, Rejected
from broadsheet.fetching.answers import Answer, Client, Missing, Refused
from broadsheet.sources import fields, lookups
from broadsheet.sources.base import Page, Unreadable
from broadsheet.sources.json_document import Drift

VERSION_2 = "https://api2.openreview.net"
VERSION_1 = "https://api.openreview.net"
# The most notes that the origin gives at once.
PER_PAGE = 1000
# So many identifiers are looked up at once.
_PER_LOOKUP = 100
# No venue had 30,000 submissions until 2026; what has more pages than this goes round in circles.
_MOST_PAGES = 200

_OBJECT = re.compile(rb"\s{0,100}\{")
_SIGNS = (b'"notes"', b'"content"')
_VENUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.&+-]{0,99}(?:/[A-Za-z0-9_.&+-]{1,100}){0,9}", re.ASCII)
_CURSOR = re.compile(r"([0-3]) ([0-9]{1,9})", re.ASCII)
_SEPARATOR = re.compile(r"\s{0,9}[,;]\s{0,9}")
_AND = re.compile(r"\s{1,9}and\s{1,9}")
# Notes that OpenReview took from DBLP carry the first of January of their year.
_YEAR_ONLY = "dblp.org/"

_text = fields.prose(fields.LONGEST_TEXT)
_phrase = fields.prose(fields.LONGEST_PHRASE)
_title = fields.words(fields.LONGEST_TITLE)
_word = fields.words(fields.LONGEST_PHRASE)


class OpenReview:
    """Reads, harvests and looks up notes of OpenReview that are papers."""

    name = "openreview"
    title = "OpenReview"
    announcer = ""
    sets = "the identifier of a venue, as in ICLR.cc/2026/Conference"
    schemes = frozenset({Scheme.OPENREVIEW})

    def recognises(self, head: bytes, filename: str) -> bool:
        """Whether it is an object with notes that have a content."""
        return bool(_OBJECT.match(head)) and all(sign in head for sign in _SIGNS)

    def read(self, stream: BinaryIO, *, filename: str) -> Iterator[Record | Rejected]:
        """Yield one Record or Rejected for each public paper. Holds the whole file, `xml.LIMIT` bytes at most.

        Raises Unreadable when it is too large, cut off, or no answer of OpenReview.
        """
        notes = _notes(lookups.load(stream, filename=filename), filename).notes
        return lookups.statements(_papers(notes), self.name, _record, Drift())

    def pages(self, client: Client, *, set_name: str, cursor: str, since: date | None) -> Iterator[Page]:
        """All papers of a venue, whatever `since` is. Raises fetching.answers.Failure, also without a set, and
        Unreadable.
        """
        if not _VENUE.fullmatch(set_name):
            raise Refused(
                "OpenReview is harvested venue by venue, so nothing was asked. Name one with --set, as in "
                "ICLR.cc/2026/Conference.",
                f"set {set_name[:80]!r}",
            )
        at = _place(cursor)
        for number in range(at.question, len(_QUESTIONS)):
            place = at if number == at.question else _Place(number, 0)
            listed = _asked(client, set_name, place)
            if listed.notes or listed.total or place.offset:
                yield from _list(client, set_name, place, listed)
                return
        yield Page(cursor="", total=0, warnings=(f"OpenReview shows no papers of the venue {set_name}.",))

    def find(self, client: Client, identifiers: Sequence[Identifier]) -> Iterator[Page]:
        """Many at once from version 2, and one by one from version 1 what is not there.

        Raises fetching.answers.Failure and Unreadable.
        """
        wanted = [identifier.value for identifier in lookups.distinct(identifiers, self.schemes)]
        for chunk in lookups.batches(wanted, most=_PER_LOOKUP, letters=10_000):
            body = orjson.dumps({"ids": chunk})
            answer = client.post(f"{VERSION_2}/notes/search", body, content_type=lookups.JSON, accept=lookups.JSON)
            listed = _answered(answer).named(chunk)
            yield _page(listed)
            known = {note["id"] for note in listed.notes}
            yield from _of_version_1(client, [value for value in chunk if value not in known])


# --- Asking ----------------------------------------------------------------------------------------------------------

# Where the papers of a venue can be, in the order of asking: a host, and the fields of its query with %s for the venue.
# The order of the list is that of numbers given at submission, so that a note that is changed meanwhile does not move.
# Version 1 is not known to take it.
_QUESTIONS: tuple[tuple[str, dict[str, str]], ...] = (
    (VERSION_2, {"content.venueid": "%s", "sort": "number:asc"}),
    (VERSION_1, {"invitation": "%s/-/Blind_Submission"}),
    (VERSION_1, {"invitation": "%s/-/Submission"}),
    (VERSION_1, {"invitation": "%s/-/submission"}),
)


@dataclass(frozen=True, slots=True)
class _Place:
    """A place in a list: the number of the question that gives it, and how many notes came before."""

    question: int
    offset: int

    def __str__(self) -> str:
        return f"{self.question} {self.offset}"


@dataclass(frozen=True, slots=True)
class _Listed:
    """The notes of an answer, and how many the whole list has if the origin says so."""

    notes: list[Any]
    total: int | None

    def named(self, wanted: Sequence[str]) -> _Listed:
        """Those of these identifiers only."""
        return _Listed([note for note in self.notes if type(note) is dict and note.get("id") in wanted], None)


def _place(cursor: str) -> _Place:
    """Raises Refused."""
    if not cursor:
        return _Place(0, 0)
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise Refused(
            "The place where this harvest stopped last cannot be read, so nothing was asked. Begin again with --since.",
            f"cursor {cursor[:80]!r}",
        )
    return _Place(int(found[1]), int(found[2]))


def _asked(client: Client, venue: str, place: _Place) -> _Listed:
    host, question = _QUESTIONS[place.question]
    # Version 2 counts only where an offset is given.
    query = {name: value.replace("%s", venue) for name, value in question.items()}
    query |= {"limit": str(PER_PAGE), "offset": str(place.offset)}
    return _answered(client.get(f"{host}/notes?{urlencode(query)}", accept=lookups.JSON))


def _list(client: Client, venue: str, place: _Place, listed: _Listed) -> Iterator[Page]:
    """The pages from `place` on, of which `listed` is the first. How far it went is what the origin sent."""
    for _ in range(_MOST_PAGES):
        place = _Place(place.question, place.offset + len(listed.notes))
        more = bool(listed.notes) and (listed.total is None or place.offset < listed.total)
        if not more and listed.total is not None and place.offset < listed.total:
            warning = f"The list ends after {place.offset:,} notes, while OpenReview counts {listed.total:,}."
            yield Page(cursor="", total=listed.total, warnings=(warning,))
            return
        yield _page(listed, cursor=str(place) if more else "", last=not more)
        if not more:
            return
        before, listed = listed, _asked(client, venue, place)
        if listed.notes and listed.notes == before.notes:
            break
    yield Page(cursor="", warnings=(f"OpenReview sends the same notes again, not those after {place.offset:,}.",))


def _page(listed: _Listed, *, cursor: str | None = None, last: bool = True) -> Page:
    drift = Drift()
    items = tuple(lookups.statements(_papers(listed.notes), OpenReview.name, _record, drift))
    gone = tuple(identifier for note in listed.notes if (identifier := _deleted(note)))
    return Page(items=items, deleted=gone, cursor=cursor, last=last, total=listed.total, warnings=drift.warnings())


def _of_version_1(client: Client, values: Sequence[str]) -> Iterator[Page]:
    for value in values:
        try:
            answer = client.get(f"{VERSION_1}/notes?{urlencode({'id': value})}", accept=lookups.JSON)
        except Missing:
            continue
        yield _page(_answered(answer).named([value]))


# --- Reading ---------------------------------------------------------------------------------------------------------


def _answered(answer: Answer) -> _Listed:
    """Raises Unreadable, also for the test that guests get."""
    if answer.body[:100].lstrip().startswith(b"<"):
        raise Unreadable(
            "OpenReview answered with a page that tests for a browser, as it does to guests. Nothing was stored. Give "
            "this instance a token of an account at OpenReview.",
            f"{answer.url}: {answer.body[:80]!r}",
        )
    return _notes(lookups.answered(answer), answer.url)


def _notes(value: Any, filename: str) -> _Listed:
    """Raises Unreadable when the document has no notes."""
    notes = value.get("notes") if type(value) is dict else None
    if type(notes) is not list:
        cause = f"it is a {type(value).__name__}"
        raise lookups.wrong_shape(filename, wanted="an answer of OpenReview with notes", cause=cause)
    count = value.get("count")
    return _Listed(notes, count if type(count) is int and count >= 0 else None)


def _papers(notes: Sequence[Any]) -> Iterator[tuple[int, Any]]:
    """The notes that are public papers, or no notes at all, with their numbers."""
    for number, note in enumerate(notes, 1):
        if type(note) is not dict or (_is_paper(note) and _is_public(note) and not note.get("ddate")):
            yield number, note


def _is_public(note: Mapping[str, Any]) -> bool:
    """Whether everyone may read it; where it does not say who may, it came to a guest."""
    readers = note.get("readers")
    return type(readers) is not list or "everyone" in readers


def _is_paper(note: Mapping[str, Any]) -> bool:
    """Whether it begins a forum: answers to it are reviews, decisions and comments."""
    return not note.get("replyto") and note.get("forum") in (None, note.get("id"))


def _deleted(note: Any) -> Identifier | None:
    """The identifier of a paper whose note has a date of deletion."""
    if type(note) is not dict or not note.get("ddate") or not _is_paper(note):
        return None
    try:
        return _identifier(note.get("id"))
    except ValueError:
        return None


def _value(content: Any, *names: str) -> Any:
    """The first of these fields that the content has and everyone may read, in either version; None for none."""
    for name in names:
        said = content.get(name) if type(content) is dict else None
        if type(said) is dict:
            said = said.get("value") if _is_public(said) else None
        if said not in (None, "", []):
            return said
    return None


def _record(note: dict[str, Any], drift: Drift) -> Record:
    """What a note says of a paper. Raises lookups.Unfit."""
    content = note.get("content")

    def take(read: fields.Read, otherwise: Any, name: str) -> Any:
        return drift.optional(f"content.{name}", _value(content, name), read, otherwise)

    identifier: Identifier = lookups.needed(note, "id", _identifier)
    authors = take(_authors, (), "authors")
    return Record(
        source=OpenReview.name,
        source_key=identifier.value,
        title=" ".join(lookups.needed({"content.title": _value(content, "title")}, "content.title", _title).split()),
        abstract=take(_text, "", "abstract").strip(),
        authors=() if authors == ("Anonymous",) else authors,
        identifiers=tuple(dict.fromkeys((identifier, *_elsewhere(note)))),
        submitted=_submitted(note, drift),
        venue=take(_phrase, "", "venue").strip(),
        keywords=take(_keywords, (), "keywords"),
        license=drift.optional("license", note.get("license"), _phrase, ""),
        code_url=take(_code, "", "code"),
    )


def _identifier(value: Any) -> Identifier:
    """Raises ValueError."""
    if type(value) is not str:
        raise ValueError("is missing")
    try:
        return Identifier(Scheme.OPENREVIEW, value)
    except ValueError as error:
        raise ValueError(f'is no identifier of OpenReview: "{value[:80]}"') from error


def _authors(value: Any) -> tuple[str, ...]:
    """Names, each as text or as an object with a full name. Raises ValueError.

    Old notes have one text for all; what stands between their names cannot be known, so only a single name is taken.
    """
    listed = [value] if type(value) is str and not _SEPARATOR.search(value) else value
    if type(listed) is not list:
        raise ValueError("must be a list")
    names = [one.get("fullname") or one.get("name") if type(one) is dict else one for one in listed]
    return tuple(" ".join(part.split()) for name in names if name for part in _AND.split(_word(name)) if part.strip())


def _keywords(value: Any) -> tuple[str, ...]:
    """A list, or one text with commas or semicolons. Raises ValueError."""
    listed = _SEPARATOR.split(_text(value)) if type(value) is str else value
    words: tuple[str, ...] = fields.listed(_phrase)(listed)
    return tuple(word.strip() for word in words if word.strip())


def _code(value: Any) -> str:
    """The address of the code; "" for a file beside the paper or a remark, which have none. Raises ValueError."""
    said: str = _text(value)
    return fields.address(said) if said.startswith(("http://", "https://")) else ""


def _elsewhere(note: Mapping[str, Any]) -> Iterator[Identifier]:
    """The paper's identifiers elsewhere: those named as such, and addresses of the text at arXiv or under a DOI."""
    external = note.get("externalIds")
    content = note.get("content")
    said = [*(external if type(external) is list else ()), _value(content, "html"), _value(content, "pdf")]
    for one in said:
        found = parse(one) if type(one) is str else None
        if found and found.identifier.scheme in (Scheme.ARXIV, Scheme.DOI):
            yield found.identifier


def _submitted(note: Mapping[str, Any], drift: Drift) -> PartialDate | None:
    said = note.get("cdate") or note.get("tcdate")
    found: PartialDate | None = drift.optional("cdate", said, _day, None)
    venue = _value(note.get("content"), "venueid")
    from_dblp = type(venue) is str and venue.startswith(_YEAR_ONLY)
    return PartialDate(found.year) if found and from_dblp else found


def _day(value: Any) -> PartialDate:
    """The day (UTC) of milliseconds since 1970. Raises ValueError."""
    if type(value) is not int:
        raise ValueError("must be a whole number of milliseconds")
    try:
        moment = datetime.fromtimestamp(value / 1000, UTC)
    except (OverflowError, OSError) as error:
        raise ValueError(f"is no time: {value}") from error
    return fields.plausible(PartialDate.of(moment.date()))
