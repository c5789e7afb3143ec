"""A feed as Atom: RFC 4287, with the links of RFC 5005 to its other parts, and our extension."""

from __future__ import annotations

from datetime import datetime

from lxml import etree

from broadsheet import __version__
from broadsheet.web.syndication.bodies import Element
from broadsheet.web.syndication.feeds import EXTENSION, Entry, Feed, State

TYPE = "application/atom+xml; charset=utf-8"
NAMESPACE = "http://www.w3.org/2005/Atom"


def write(feed: Feed, *, site: str) -> bytes:
    """The document. `site` is what the newspaper is called."""
    root = etree.XML(_EMPTY)
    _text(root, "id", feed.id)
    _text(root, "title", feed.title)
    if feed.subtitle:
        _text(root, "subtitle", feed.subtitle)
    _text(root, "updated", moment(feed.updated))
    _text(etree.SubElement(root, _name("author")), "name", site)
    _link(root, "self", feed.at("atom"), "application/atom+xml")
    _link(root, "alternate", feed.page, "text/html")
    for rel, address in feed.others("atom"):
        _link(root, rel, address, "application/atom+xml")
    etree.SubElement(root, _name("generator"), version=__version__).text = "Broadsheet"
    if feed.edition:
        root.append(extension(feed.edition))
    for entry in feed.entries:
        root.append(_entry(entry))
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="utf-8")
    return written


def moment(at: datetime) -> str:
    """A moment in Coordinated Universal Time as RFC 3339 writes it: ``2024-01-02T05:00:00Z``."""
    return at.replace(microsecond=0).isoformat().replace("+00:00", "Z")


def _entry(entry: Entry) -> Element:
    element = etree.Element(_name("entry"))
    _text(element, "id", entry.id)
    _text(element, "title", entry.title)
    _text(element, "updated", moment(entry.updated))
    if entry.published:
        _text(element, "published", moment(entry.published))
    for name, address in entry.authors:
        author = etree.SubElement(element, _name("author"))
        _text(author, "name", name)
        if address:
            _text(author, "uri", address)
    _link(element, "alternate", entry.url, "text/html")
    for link in entry.links:
        _link(element, link.rel, link.href, link.type)
    for slug, label in entry.categories:
        etree.SubElement(element, _name("category"), term=slug, label=label)
    if entry.summary:
        _text(element, "summary", entry.summary)
    etree.SubElement(element, _name("content"), type="xhtml").append(entry.body.xhtml())
    if entry.edition:
        element.append(extension(entry.edition))
    if entry.place is not None:
        place(element, entry.place, late=entry.late)
    return element


def extension(state: State) -> Element:
    """Our element ``edition``: what is known of one, its sentence as the text."""
    element = etree.Element(
        f"{{{EXTENSION}}}edition",
        {
            "kind": state.kind,
            "label": state.label,
            "number": str(state.number),
            "state": state.state,
            "size": str(state.size),
            "late": str(state.late),
            "open": _yes(state.open),
            **({"checked": moment(state.checked)} if state.checked else {}),
            **({"changed": moment(state.changed)} if state.changed else {}),
        },
        nsmap={"b": EXTENSION},
    )
    element.text = state.line
    return element


def place(parent: Element, rank: int, *, late: bool) -> None:
    """Our element ``place``: where in an edition a paper stands."""
    etree.SubElement(parent, f"{{{EXTENSION}}}place", rank=str(rank), late=_yes(late))


def _yes(said: object) -> str:
    return "true" if said else "false"


def _text(parent: Element, name: str, text: str) -> None:
    etree.SubElement(parent, _name(name)).text = text


def _link(parent: Element, rel: str, href: str, kind: str) -> None:
    etree.SubElement(parent, _name("link"), rel=rel, type=kind, href=href)


def _name(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


# Declares the namespaces once, for all that comes into it.
_EMPTY = f'<feed xmlns="{NAMESPACE}" xmlns:b="{EXTENSION}" xml:lang="en"/>'
