"""Zotero's own exports: its JSON ("Better BibTeX JSON", and answers of its web interface) and Zotero RDF.

What Zotero exports as BibTeX, RIS or CSL-JSON is read as these formats. Notes, attachments and annotations are no works
and are passed over. Fields: https://api.zotero.org/schema
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO

from broadsheet.bibliography import formats, names
from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.formats import Fault
from broadsheet.bibliography.names import Name
from broadsheet.bibliography.record import Record, Rejected
from broadsheet.sources import citations, json_items, xml
from broadsheet.sources.xml import Element

_NO_WORKS = frozenset(("attachment", "note", "annotation"))
_VENUES = (
    *("publicationTitle", "proceedingsTitle", "bookTitle", "conferenceName", "websiteTitle", "blogTitle", "university"),
)
_DATE = re.compile(r"\s*([0-9]{4})(?:[-/]([0-9]{1,2}))?(?:[-/]([0-9]{1,2}))?(?![0-9])", re.ASCII)
_YEAR = re.compile(r"(?<![0-9])[0-9]{4}(?![0-9])", re.ASCII)
_EXTRA_ARXIV = re.compile(r"arxiv(?: id)?:", re.IGNORECASE)
# Element of RDF -> the name that JSON has for it.
_RDF_FIELDS = {"title": "title", "abstract": "abstractNote", "date": "date", "description": "extra"}


class Zotero:
    """Reads exports of Zotero, item by item where they are JSON."""

    name = "zotero"
    title = "Zotero export"

    def recognises(self, head: bytes, filename: str) -> bool:
        """Whether its items have types of Zotero, or its RDF has the namespace of Zotero."""
        if xml.root_name(head) == "RDF":
            return b"http://www.zotero.org/namespaces/export#" in head
        return any("itemType" in _data(item) for item in json_items.first_objects(head))

    def verify(self, stream: BinaryIO, *, filename: str) -> None:
        """A first pass over JSON; see `json_items.verify`. RDF is looked at when it is read. Raises Unreadable."""
        if not _is_xml(stream):
            json_items.verify(stream, filename=filename)

    def read(self, stream: BinaryIO, *, filename: str) -> Iterator[Record | Rejected]:
        """Yield one Record or Rejected for each work. Holds one item of JSON at a time; of RDF, the whole file.

        Raises Unreadable when RDF is damaged or larger than `xml.LIMIT` bytes.
        """
        if _is_xml(stream):
            works = _works_of_rdf(xml.document(xml.read(stream, filename=filename), filename=filename))
        else:
            works = _works_of_json(stream)
        yield from citations.storable(_statements(works))


def _is_xml(stream: BinaryIO) -> bool:
    start = stream.tell()
    head = stream.read(1000)
    stream.seek(start)
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def _works_of_json(stream: BinaryIO) -> Iterator[tuple[str, Any]]:
    """Each item with its position: its fields, or why it cannot be read."""
    for item in json_items.items(stream):
        value = json_items.parsed(item, Zotero.name)
        if not isinstance(value, dict | Rejected):
            value = json_items.rejected(item, Zotero.name, "it is not an object in braces")
        yield f"item {item.number}", _data(value) if isinstance(value, dict) else value


def _data(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields of an item; the web interface has them one level deeper."""
    data = item.get("data")
    return data if isinstance(data, dict) else item


def _statements(works: Iterable[tuple[str, Any]]) -> Iterator[Record | Rejected]:
    for position, said in works:
        if isinstance(said, Rejected):
            yield said
        elif said.get("itemType") not in _NO_WORKS:
            try:
                yield _record(said)
            except Fault as fault:
                yield formats.rejected(Zotero.name, position, str(fault), str(said.get("key", "")))


def _record(said: Mapping[str, Any]) -> Record:
    comments, noted = _extra(_text(said, "extra"))
    identified = ("DOI", "url", "archiveID", "archiveLocation", "number", "reportNumber")
    return formats.record(
        Zotero.name,
        title=formats.line(_text(said, "title")),
        known=formats.references((*(_text(said, name) for name in identified), *noted)),
        abstract=formats.paragraphs(_text(said, "abstractNote")),
        authors=formats.listed(_authors(said.get("creators"))),
        submitted=_date(_text(said, "date")),
        venue=formats.line(next((venue for name in _VENUES if (venue := _text(said, name))), "")),
        keywords=formats.listed(_tags(said.get("tags"))),
        comments=formats.paragraphs(comments),
        license=formats.line(_text(said, "rights")),
    )


def _text(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    return value if isinstance(value, str) else ""


def _authors(creators: Any) -> Iterator[str]:
    """The creators who are authors: in two parts, or whole, as organisations are."""
    for creator in creators if isinstance(creators, list) else ():
        if not isinstance(creator, dict) or creator.get("creatorType", "author") != "author":
            continue
        family, given = formats.line(_text(creator, "lastName")), formats.line(_text(creator, "firstName"))
        known = Name(given, family) if family else Name("", formats.line(_text(creator, "name")) or given)
        yield formats.author(names.spelt(known))


def _tags(tags: Any) -> Iterator[str]:
    for tag in tags if isinstance(tags, list) else ():
        yield tag if isinstance(tag, str) else _text(tag, "tag") if isinstance(tag, dict) else ""


def _date(written: str) -> PartialDate | None:
    """A day, month or year that the date begins with; else the year in it, as in ``March 2024``."""
    if match := _DATE.match(written):
        return formats.partial_date(part for part in match.groups() if part)
    year = _YEAR.search(written[:200])
    return formats.partial_date((year[0],)) if year else None


def _extra(written: str) -> tuple[str, list[str]]:
    """The field for everything else: its lines that name arXiv, and the others."""
    kept: list[str] = []
    found: list[str] = []
    for line in written.split("\n"):
        (found if _EXTRA_ARXIV.match(line) else kept).append(line)
    return "\n".join(kept), [f"arXiv:{line.partition(':')[2].strip()}" for line in found]


# --- RDF -------------------------------------------------------------------------------------------------------------


def _works_of_rdf(root: Element) -> Iterator[tuple[str, Any]]:
    """The works as the fields that JSON has for them; journals and books that they are part of are no works."""
    described = {_about(element): element for element in xml.children(root)}
    for number, element in enumerate(xml.children(root), 1):
        kind = xml.words(xml.child(element, "itemType"))
        if kind:
            yield f"item {number}", _fields(element, kind, described)


def _fields(element: Element, kind: str, described: Mapping[str, Element]) -> dict[str, Any]:
    said: dict[str, Any] = {"itemType": kind, "key": _about(element)}
    for name, field in _RDF_FIELDS.items():
        said[field] = xml.raw(xml.child(element, name))
    said["creators"] = [
        {"lastName": xml.words(xml.child(person, "surname")), "firstName": xml.words(_given(person))}
        for authors in xml.children(element, "authors")
        for person in xml.descendants(authors, "Person")
    ]
    said["tags"] = [xml.words(subject) for subject in xml.children(element, "subject")]
    said["rights"] = xml.words(xml.child(element, "rights"))
    whole = xml.child(element, "isPartOf")
    if whole is not None:
        inside = next(iter(xml.children(whole)), None)
        said["publicationTitle"] = xml.words(
            xml.child(inside if inside is not None else described.get(_resource(whole), whole), "title")
        )
        said["number"] = _doi_of(xml.children(inside, "identifier") if inside is not None else [])
    identified = [*xml.children(element, "identifier")]
    said["DOI"] = _doi_of(identified)
    said["url"] = next((words for one in identified if (words := xml.words(one)).startswith("http")), "")
    return said


def _given(person: Element) -> Element | None:
    given = xml.child(person, "givenName")
    return xml.child(person, "givenname") if given is None else given


def _doi_of(identified: Iterable[Element]) -> str:
    return next((words[4:] for one in identified if (words := xml.words(one)).startswith("DOI ")), "")


def _about(element: Element) -> str:
    return next((str(value) for name, value in element.attrib.items() if str(name).endswith("about")), "")


def _resource(element: Element) -> str:
    return next((str(value) for name, value in element.attrib.items() if str(name).endswith("resource")), "")
