"""ACL Anthology: the proceedings and journals of computational linguistics, from the XML that the Anthology is made of.

One file is a collection: ``2024.acl.xml`` (a venue and a year) or ``P19.xml`` (a letter and a year, until 2019), at
https://github.com/acl-org/acl-anthology/tree/master/data/xml. In it are volumes, each with its ``meta`` and its papers
(schema.rnc beside it; seen: 2024.acl, 2024.tacl, P19, and the tests of acl-anthology-py for notices of retraction).

- A set is the name of a collection. A file that did not change since it was stored is not sent again.
- The identifier is made of collection, volume and paper as the Anthology makes it: ``2024.acl-long.1``, ``P19-1001``.
- ``fixed-case`` protects capitals that are there already, so it is dropped like other styles; ``tex-math`` becomes
  ``$...$``, and a dollar sign of the text ``\\$``.
- Names are written "Last, First", because only the source knows where a family name such as "Van Example" begins.
- The front matter is no paper and editors are no authors. The date is the volume's month and year.
- Revisions are versions; a retraction is a remark; a paper that was removed is deleted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, BinaryIO, TypeAlias

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.identifiers import Identifier, Scheme
from broadsheet.bibliography.record import Record, Rejected, Version
from broadsheet.fetching.answers import Client, Missing, Refused
from broadsheet.sources import fields, lookups, text, xml
from broadsheet.sources.base import EXCERPT_BYTES, Page, Unreadable
from broadsheet.sources.json_document import Drift
from broadsheet.sources.xml import Element

COLLECTIONS = "https://raw.githubusercontent.com/acl-org/acl-anthology/master/data/xml"
_XML = "application/xml, text/xml, text/plain"

_COLLECTION = re.compile(r"[A-Z][0-9]{2}|(?:19|20)[0-9]{2}\.[a-z0-9_]{1,30}", re.ASCII)
_OF_IDENTIFIER = re.compile(r"([A-Z][0-9]{2})-[0-9]{4,5}|((?:19|20)[0-9]{2}\.[a-z0-9_]{1,30})-.{1,50}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,5}", re.ASCII)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = re.compile(r"[A-Za-z]{3,9}")
_STYLES = frozenset(("fixed-case", "b", "i", "url", "span"))
_KNOWN = (
    *("title", "author", "editor", "abstract", "url", "doi", "bibkey", "pages", "attachment", "award", "revision"),
    *("erratum", "video", "pwccode", "pwcdataset", "retracted", "removed", "language", "software", "dataset", "note"),
    *("presentation", "issue", "journal", "month", "year", "publisher", "address", "isbn", "ISBN", "booktitle"),
    *("volume", "href", "mrf", "bibtype", "speaker", "meta", "ingest-date", "journal-issue"),
)
# Volumes of these collections have two digits, and so have their papers: W19-4401.
_WIDE_FROM = {"C69": 0, "D19": 5}

_title = fields.words(fields.LONGEST_TITLE)
_text = fields.prose(fields.LONGEST_TEXT)
_phrase = fields.prose(fields.LONGEST_PHRASE)
_word = fields.words(fields.LONGEST_PHRASE)

Found: TypeAlias = tuple[list[Record | Rejected], list[Identifier]]


class AclAnthology:
    """Reads, harvests and looks up papers of the ACL Anthology."""

    name = "acl-anthology"
    title = "ACL Anthology"
    announcer = ""
    sets = "a collection: a year and a venue, as in 2024.acl, or until 2019 as in P19"
    schemes = frozenset({Scheme.ACL})

    def recognises(self, head: bytes, filename: str) -> bool:
        """Whether its first element is a collection with an identifier."""
        return xml.root_name(head) == "collection" and b"<volume" in head

    def read(self, stream: BinaryIO, *, filename: str) -> Iterator[Record | Rejected]:
        """Yield one Record or Rejected for each paper. Holds the whole file, `xml.LIMIT` bytes at most.

        Raises Unreadable when it is too large, cut off, broken as a whole, or no collection.
        """
        statements, _ = _statements(xml.read(stream, filename=filename), filename, Drift())
        return iter(statements)

    def pages(self, client: Client, *, set_name: str, cursor: str, since: date | None) -> Iterator[Page]:
        """All papers of a collection in one page, none when it did not change, whatever `cursor` and `since` are.

        Raises fetching.answers.Failure, also without a set, and Unreadable.
        """
        if not _COLLECTION.fullmatch(set_name):
            raise Refused(
                "The ACL Anthology is harvested collection by collection, so nothing was asked. Name one with --set, "
                "as in 2024.acl or P19.",
                f"set {set_name[:80]!r}",
            )
        answer = client.get(f"{COLLECTIONS}/{set_name}.xml", accept=_XML, limit=xml.LIMIT, conditional=True)
        if answer.unchanged:
            yield Page()
            return
        drift = Drift(_KNOWN)
        statements, removed = _statements(answer.body, answer.url, drift)
        yield Page(items=tuple(statements), deleted=tuple(removed), warnings=drift.warnings())
        # A damaged file is worth asking for again: its other papers were read without their volumes.
        if all(isinstance(said, Record) for said in statements):
            client.remember(answer)

    def find(self, client: Client, identifiers: Sequence[Identifier]) -> Iterator[Page]:
        """One request for each collection, and of it only the papers asked for.

        Raises fetching.answers.Failure and Unreadable.
        """
        wanted: dict[str, set[Identifier]] = {}
        for identifier in lookups.distinct(identifiers, self.schemes):
            if found := _OF_IDENTIFIER.fullmatch(identifier.value):
                wanted.setdefault(found[1] or found[2], set()).add(identifier)
        for collection, asked in wanted.items():
            try:
                answer = client.get(f"{COLLECTIONS}/{collection}.xml", accept=_XML, limit=xml.LIMIT)
            except Missing:
                continue
            statements, _ = _statements(answer.body, answer.url, Drift())
            items = [said for said in statements if isinstance(said, Record) and asked & set(said.identifiers)]
            yield Page(items=tuple(items))


def _statements(data: bytes, filename: str, drift: Drift) -> Found:
    """What the collection says, paper by paper, and what was removed from it. Raises Unreadable."""
    found = xml.parts(data, "paper", filename=filename)
    collection = found.root.get("id") or ""
    if xml.local(found.root) != "collection" or not _COLLECTION.fullmatch(collection):
        raise Unreadable(
            f"{text.shown(filename)} is XML, but no collection of the ACL Anthology. {text.NOTHING_STORED} Choose "
            "another file.",
            f"the root is {xml.local(found.root)!r} {collection[:40]!r}",
        )
    statements: list[Record | Rejected] = []
    removed: list[Identifier] = []
    reader = _Reader(collection, drift)
    for number, part in enumerate(found.parts, 1):
        position = f"paper {number}"
        if isinstance(part, xml.Damaged):
            statements.append(part.rejected(AclAnthology.name, position))
            continue
        try:
            identifier = reader.identifier(part)
            if xml.child(part, "removed") is not None:
                removed.append(identifier)
            else:
                statements.append(reader.record(part, identifier))
        except ValueError as error:
            excerpt = xml.words(part).encode()[:EXCERPT_BYTES]
            statements.append(Rejected(AclAnthology.name, position, text.printable(str(error))[:1000], excerpt))
    return statements, removed


class _Reader:
    """Reads the papers of one collection."""

    def __init__(self, collection: str, drift: Drift) -> None:
        self._collection = collection
        self._drift = drift
        self._volumes: dict[Element, tuple[str, PartialDate | None]] = {}

    def identifier(self, paper: Element) -> Identifier:
        """Raises ValueError."""
        volume, number = _volume_of(paper), paper.get("id") or ""
        if volume is None:
            # A damaged file was read piece by piece, so that the paper stands outside its volume.
            value = xml.words(xml.child(paper, "url"))
        else:
            value = _identifier(self._collection, volume.get("id") or "", number)
        try:
            return Identifier(Scheme.ACL, value)
        except ValueError as error:
            raise ValueError(f'its number "{number[:40]}" makes no identifier of the Anthology') from error

    def record(self, paper: Element, identifier: Identifier) -> Record:
        """Raises ValueError when it has no title."""
        self._drift.saw({xml.local(part): None for part in xml.children(paper)})
        venue, submitted = self._volume(paper)
        revisions = list(_revisions(paper))
        return Record(
            source=AclAnthology.name,
            source_key=identifier.value,
            title=self._needed_title(paper),
            abstract=self._take(paper, "abstract", _text, self._markup, ""),
            authors=tuple(name for author in xml.children(paper, "author") if (name := self._name(author))),
            identifiers=(identifier, *self._take(paper, "doi", _doi, xml.words, ())),
            versions=tuple(revisions),
            submitted=submitted,
            updated=max((one.submitted for one in revisions if one.submitted), key=_first, default=None),
            venue=venue,
            comments=_retraction(xml.child(paper, "retracted")),
            code_url=self._code(paper),
        )

    def _needed_title(self, paper: Element) -> str:
        try:
            found: str = _title(self._markup(xml.child(paper, "title")))
        except ValueError as error:
            raise ValueError(f"the title {error}") from error
        return found

    def _take(self, paper: Element, name: str, read: fields.Read, plain: Any, otherwise: Any) -> Any:
        return self._drift.optional(name, plain(xml.child(paper, name)), read, otherwise)

    def _name(self, author: Element) -> str:
        first, last = xml.words(xml.child(author, "first")), xml.words(xml.child(author, "last"))
        name = f"{last}, {first}" if first and last else last or first or xml.words(author)
        return str(self._drift.optional("author", name, _word, ""))

    def _code(self, paper: Element) -> str:
        """The address of the code that Papers with Code knew."""
        code = xml.child(paper, "pwccode")
        return "" if code is None else str(self._drift.optional("pwccode", code.get("url"), fields.address, ""))

    def _volume(self, paper: Element) -> tuple[str, PartialDate | None]:
        """The name and the date of the volume that the paper stands in."""
        volume = _volume_of(paper)
        if volume is None:
            return "", None
        if volume not in self._volumes:
            meta = xml.child(volume, "meta")
            venue = self._drift.optional("booktitle", self._markup(xml.child(volume, "meta", "booktitle")), _phrase, "")
            self._volumes[volume] = (venue, None if meta is None else self._drift.optional("year", meta, _date, None))
        return self._volumes[volume]

    def _markup(self, element: Element | None) -> str:
        return "" if element is None else " ".join("".join(self._pieces(element)).split())

    def _pieces(self, element: Element) -> Iterator[str]:
        """The text of an element, styles dropped and formulas between dollar signs."""
        if xml.local(element) == "tex-math":
            yield f"${xml.raw(element)}$"
            return
        yield _escaped(element.text)
        for part in element:
            name = xml.local(part)
            if name and name != "tex-math" and name not in _STYLES:
                self._drift.note(f"The markup <{name[:40]}> is new; its text was taken.")
            yield from self._pieces(part)
            yield _escaped(part.tail)


def _escaped(words: str | None) -> str:
    return (words or "").replace("$", r"\$")


def _volume_of(paper: Element) -> Element | None:
    parent = paper.getparent()
    return parent if parent is not None and xml.local(parent) == "volume" else None


def _identifier(collection: str, volume: str, paper: str) -> str:
    """The identifier as the Anthology makes it; until 2019 of numbers, of which the volume's has one digit or two."""
    if "." in collection:
        return f"{collection}-{volume}.{paper}"
    if not (_NUMBER.fullmatch(volume) and _NUMBER.fullmatch(paper)):
        return ""
    wide = collection[0] == "W" or int(volume) >= _WIDE_FROM.get(collection, 100)
    return f"{collection}-{int(volume):02}{int(paper):02}" if wide else f"{collection}-{int(volume)}{int(paper):03}"


def _doi(value: str) -> tuple[Identifier, ...]:
    """Raises ValueError."""
    return (fields.reference(Scheme.DOI)(value).identifier,)


def _date(meta: Element) -> PartialDate:
    """The year of a volume, and its month where one is named. Raises ValueError."""
    year = fields.partial_date(xml.words(xml.child(meta, "year")))
    named = _MONTH.match(xml.words(xml.child(meta, "month")))
    month = named[0][:3].lower() if named else ""
    return PartialDate(year.year, _MONTHS.index(month) + 1) if month in _MONTHS else year


def _revisions(paper: Element) -> Iterator[Version]:
    """The versions of a paper that was revised; the first is what was printed."""
    for revision in xml.children(paper, "revision"):
        number = revision.get("id") or ""
        if _NUMBER.fullmatch(number) and int(number):
            yield Version(int(number), _day(revision.get("date") or ""))


def _day(value: str) -> PartialDate | None:
    try:
        return fields.partial_date(value)
    except ValueError:
        return None


def _first(day: PartialDate) -> date:
    return day.first


def _retraction(notice: Element | None) -> str:
    if notice is None:
        return ""
    when = notice.get("date") or ""
    said = f"Retracted {when}: {xml.words(notice)}" if when else f"Retracted: {xml.words(notice)}"
    return said[: fields.LONGEST_PHRASE].rstrip(": ")
