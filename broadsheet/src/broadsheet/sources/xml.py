"""XML and HTML of strangers: the only place that parses them.

Nothing is fetched, no document type is loaded, no entity is expanded beyond the five of XML, trees are at most 256
levels deep and files at most `LIMIT` bytes long. Namespaces are ignored: origins change theirs, and no two elements of
one answer differ by it alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple, TypeAlias

from lxml import etree

from broadsheet.bibliography.record import Rejected
from broadsheet.sources import text
from broadsheet.sources.base import EXCERPT_BYTES, Unreadable

# The largest file that is parsed, in bytes. The longest answers seen (a page of arXiv's OAI-PMH) have 8 million.
LIMIT = 32 * 1024 * 1024

Element: TypeAlias = etree._Element  # noqa: SLF001 - the only name under which lxml has the class of its elements

# The most attributes that one tag of a web page may have: libxml2 takes a time that grows with their square.
MOST_ATTRIBUTES = 100

# A damaged document is read part by part only up to so many parts, and so many bytes of namespaces said before them.
MOST_SALVAGED = 100_000
_MOST_HEADS = 16 * 1024 * 1024

_PIECE = 1024 * 1024
_START_TAG = re.compile(rb"<([A-Za-z_][\w.:-]{0,100})(?:\s[^<>]{0,10000})?>")
_DECLARATION = re.compile(r"<\?xml[^<>]{0,5000}>")
_FIRST_TAG = re.compile(rb"\s{0,1000}<(?:[A-Za-z_][\w.-]{0,50}:)?([A-Za-z_][\w.-]{0,100})[\s/>]")
_PROLOG = re.compile(
    rb"\s{0,1000}(?:<\?[^<>]{0,2000}\?>|<!--(?:[^-]|-(?!->)){0,5000}-->|<!DOCTYPE[^<>\[]{0,2000}>)", re.IGNORECASE
)
# What may stand before the first element: a declaration, a document type, comments, instructions of a style sheet.
_MOST_PROLOGS = 20


@dataclass(frozen=True, slots=True)
class Damaged:
    """A part of a document that is no well-formed XML by itself: why, and its first bytes."""

    reason: str
    excerpt: bytes

    def rejected(self, source: str, position: str) -> Rejected:
        """The same as the rejection that `source` yields for it."""
        return Rejected(source, position, self.reason, self.excerpt)


class Parts(NamedTuple):
    """A document whose repeated elements were read one by one: the root, and each of them or why it is damaged.

    `parts` can be gone through once.
    """

    root: Element
    parts: Iterator[Element | Damaged]


def read(stream: BinaryIO, *, filename: str) -> bytes:
    """The whole file, piece by piece. Raises Unreadable when it has more than `LIMIT` bytes or is none of text."""
    pieces: list[bytes] = []
    size = 0
    while piece := stream.read(_PIECE):
        if not pieces:
            text.refuse_foreign(piece, filename=filename)
        size += len(piece)
        if size > LIMIT:
            raise Unreadable(
                f"{text.shown(filename)} has more than {LIMIT:,} bytes. {text.NOTHING_STORED} Split it.",
                f"more than {LIMIT} bytes",
            )
        pieces.append(piece)
    return b"".join(pieces)


def root_name(head: bytes) -> str:
    """The name of the first element of a document that begins with `head`, without namespace; "" if it is no XML."""
    head = head.removeprefix(text.BYTE_ORDER_MARK)
    at = 0
    for _ in range(_MOST_PROLOGS):
        if not (prolog := _PROLOG.match(head, at)):
            break
        at = prolog.end()
    found = _FIRST_TAG.match(head, at)
    return found[1].decode("ascii", "replace") if found else ""


def document(data: bytes, *, filename: str) -> Element:
    """The root of a well-formed document. Raises Unreadable, also for one that declares entities of its own."""
    _refuse_foreign(data, filename)
    try:
        root = _parsed(data)
    except etree.XMLSyntaxError as error:
        raise _refusal(data, error, filename) from error
    return _without_entities(root, data, filename)


def parts(data: bytes, *tags: str, filename: str) -> Parts:
    """A document and its elements named by one of `tags` (not inside each other), so that one that is damaged does not
    cost the others.

    Raises Unreadable when the document is cut off, when what stands around the elements is damaged, and when so many
    are damaged that the whole must be: two or more, and more than one in twenty. A damaged document with more than
    `MOST_SALVAGED` elements is refused too.
    """
    _refuse_foreign(data, filename)
    try:
        root = _parsed(data)
    except etree.XMLSyntaxError as error:
        found = _salvaged(data, tags)
        if found is None:
            raise _refusal(data, error, filename) from error
    else:
        found = Parts(root, descendants(root, *tags))
    _without_entities(found.root, data, filename)
    return found


def html(data: bytes, *, filename: str) -> Element:
    """The root of a web page in UTF-8, however badly formed.

    Raises Unreadable when nothing of it is text, and when one of its tags has more than `MOST_ATTRIBUTES` attributes.
    """
    page = _undeclared(text.utf8(data, filename=filename)).encode()
    if _most_attributes(page) > MOST_ATTRIBUTES:
        raise Unreadable(
            f"{text.shown(filename)} has a tag with more than {MOST_ATTRIBUTES} attributes, which no page of an origin "
            f"has. {text.NOTHING_STORED} Download it again.",
            f"first bytes {data[:80]!r}",
        )
    parser = etree.HTMLParser(no_network=True, huge_tree=False, remove_comments=True, remove_pis=True, encoding="utf-8")
    found: Element | None = etree.fromstring(page, parser)
    if found is None:
        raise Unreadable(
            f"{text.shown(filename)} is no web page. {text.NOTHING_STORED} Save it again.", f"first bytes {data[:80]!r}"
        )
    return found


def local(element: Element) -> str:
    """The element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def children(element: Element, name: str = "") -> list[Element]:
    """The child elements of that name, in any namespace; all of them where no name is given."""
    return [found for found in element.iterchildren("*") if not name or local(found) == name]


def child(element: Element, *path: str) -> Element | None:
    """The first child of that name, of that one the first child of the next name, and so on; None if one is absent."""
    for name in path:
        for found in element.iterchildren("*"):
            if local(found) == name:
                element = found
                break
        else:
            return None
    return element


def descendants(element: Element, *names: str) -> Iterator[Element]:
    """The element itself and those below it, of one of these names, in any namespace, in the order of the document."""
    return element.iter(*(f"{{*}}{name}" for name in names))


def raw(element: Element | None) -> str:
    """All text in the element, as it stands there; "" for None."""
    if element is None:
        return ""
    if not len(element):
        return element.text or ""
    return "".join(str(part) for part in element.itertext())


def words(element: Element | None) -> str:
    """All text in the element on one line, with single blanks; "" for None."""
    return " ".join(raw(element).split())


def _parsed(data: bytes) -> Element:
    """Raises XMLSyntaxError."""
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    return etree.fromstring(data, parser)


class _Attributes:
    """Counts the attributes of each tag while libxml2 reads a page, without a tree."""

    def __init__(self) -> None:
        self.most = 0

    def start(self, _tag: str, attributes: Mapping[str, str]) -> None:
        """A tag was read."""
        self.most = max(self.most, len(attributes))

    def close(self) -> int:
        """The most attributes that one tag has."""
        return self.most


def _most_attributes(page: bytes) -> int:
    """How many attributes the tag with the most of them has.

    Only libxml2 itself knows what it takes for a tag: quotes, comments and scripts can hide one from any other reader.
    """
    target: Any = _Attributes()
    parser = etree.HTMLParser(target=target, no_network=True, huge_tree=False, encoding="utf-8")
    most: Any = etree.fromstring(page, parser)
    return int(most)


def _refuse_foreign(data: bytes, filename: str) -> None:
    """Refuse what is no text, and documents that plainly declare entities of their own. Raises Unreadable."""
    text.refuse_foreign(data[:_PIECE], filename=filename)
    opening = _START_TAG.search(data)
    if b"<!ENTITY" in data[: opening.start() if opening else len(data)]:
        raise _own_entities(data, filename)


def _without_entities(root: Element, data: bytes, filename: str) -> Element:
    """The root again. Raises Unreadable when its document declares entities, however they were hidden."""
    declared: Any = root.getroottree().docinfo.internalDTD
    if declared is not None and declared.entities():
        raise _own_entities(data, filename)
    return root


def _own_entities(data: bytes, filename: str) -> Unreadable:
    return Unreadable(
        f"{text.shown(filename)} declares entities of its own, which no answer of an origin does. "
        f"{text.NOTHING_STORED} Download it again.",
        f"first bytes {data[:80]!r}",
    )


def _refusal(data: bytes, error: etree.XMLSyntaxError, filename: str) -> Unreadable:
    """What to say of a document that is not well-formed: cut off, a web page, in another encoding, or broken."""
    name = text.shown(filename)
    cause = f"{error}; first bytes {data[:80]!r}"
    opening = _START_TAG.search(data)
    if opening is None or root_name(data).lower() == "html":
        return Unreadable(
            f"{name} is not XML, perhaps an error page. {text.NOTHING_STORED} Download it again later.", cause
        )
    if not data.rstrip().endswith(b"</" + opening[1] + b">"):
        return Unreadable(f"{name} is cut off: its end is missing. {text.NOTHING_STORED} Download it again.", cause)
    said = text.printable(str(error.msg or error))[:200]
    return Unreadable(f"{name} is not well-formed XML: {said}. {text.NOTHING_STORED} Download it again.", cause)


def _salvaged(data: bytes, tags: tuple[str, ...]) -> Parts | None:
    """The document read piece by piece, or None when it is cut off or too damaged for that."""
    opening = _START_TAG.search(data)
    if opening is None or not data.rstrip().endswith(b"</" + opening[1] + b">"):
        return None
    spans = _spans(data, tags)
    if not spans or len(spans) > MOST_SALVAGED:
        return None
    try:
        root = _parsed(data[: spans[0][0]] + data[spans[-1][1] :])
    except etree.XMLSyntaxError:
        return None
    head = _head(root)
    if len(head) * len(spans) > _MOST_HEADS:
        return None
    # Read once to count and once more to give out: kept, each part would hold a document of its own.
    damaged = sum(isinstance(part, Damaged) for part in _each(data, spans, head))
    return None if damaged >= 2 and damaged * 20 > len(spans) else Parts(root, _each(data, spans, head))


def _head(root: Element) -> bytes:
    """A start tag ``<parts>`` that declares the namespaces of the root, and has nothing else of it."""
    known: Any = {prefix: uri for prefix, uri in root.nsmap.items() if uri}
    return etree.tostring(etree.Element("parts", nsmap=known)).removesuffix(b"/>") + b">"


def _each(data: bytes, spans: Iterable[tuple[int, int]], head: bytes) -> Iterator[Element | Damaged]:
    """The elements at these places, one at a time."""
    return (_part(data[start:end], head) for start, end in spans)


def _spans(data: bytes, tags: tuple[str, ...]) -> list[tuple[int, int]]:
    """Where each element of these names begins and ends; one whose end is missing ends where the next one begins."""
    names = b"|".join(re.escape(tag.encode()) for tag in tags)
    marks = re.compile(rb"<(/?)(?:[A-Za-z_][\w.-]{0,50}:)?(?:" + names + rb")(?:\s[^<>]{0,10000})?>")
    spans: list[tuple[int, int]] = []
    start: int | None = None
    for mark in marks.finditer(data):
        if mark[1]:
            if start is not None:
                spans.append((start, mark.end()))
            start = None
        else:
            if start is not None:
                spans.append((start, mark.start()))
            start = mark.start()
    return spans


def _part(data: bytes, head: bytes) -> Element | Damaged:
    """One element parsed by itself, inside a root that declares the namespaces."""
    try:
        return _parsed(head + data + b"</parts>")[0]
    except etree.XMLSyntaxError as error:
        reason = text.printable(f"it is not well-formed XML: {error.msg or error}")[:300]
        return Damaged(reason, data[:EXCERPT_BYTES])


def _undeclared(page: str) -> str:
    """The page without an XML declaration at its start: libxml2 would believe the encoding that it names."""
    return _DECLARATION.sub("", page, count=1) if page.lstrip().startswith("<?xml") else page
