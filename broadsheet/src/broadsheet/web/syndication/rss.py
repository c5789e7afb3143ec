"""A feed as RSS 2.0: https://www.rssboard.org/rss-specification, with the modules that its readers know."""

from __future__ import annotations

import html
from email.utils import format_datetime

from lxml import etree

from broadsheet import __version__
from broadsheet.web.syndication import atom
from broadsheet.web.syndication.bodies import Element
from broadsheet.web.syndication.feeds import ASK_EVERY_MINUTES, EXTENSION, Entry, Feed

TYPE = "application/rss+xml; charset=utf-8"
CONTENT = "http://purl.org/rss/1.0/modules/content/"
DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"


def write(feed: Feed) -> bytes:
    """The document."""
    spaces = {"atom": atom.NAMESPACE, "content": CONTENT, "dc": DUBLIN_CORE, "b": EXTENSION}
    root = etree.Element("rss", version="2.0", nsmap=spaces)
    channel = etree.SubElement(root, "channel")
    _text(channel, "title", feed.title)
    _text(channel, "link", feed.page)
    _text(channel, "description", feed.subtitle or feed.title)
    _text(channel, "language", "en")
    _text(channel, "lastBuildDate", format_datetime(feed.updated, usegmt=True))
    _text(channel, "generator", f"Broadsheet {__version__}")
    _text(channel, "ttl", str(ASK_EVERY_MINUTES))
    for rel, address in (("self", feed.at("rss")), *feed.others("rss")):
        etree.SubElement(channel, f"{{{atom.NAMESPACE}}}link", rel=rel, type="application/rss+xml", href=address)
    if feed.edition:
        channel.append(atom.extension(feed.edition))
    for entry in feed.entries:
        channel.append(_item(entry))
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="utf-8")
    return written


def _item(entry: Entry) -> Element:
    item = etree.Element("item")
    _text(item, "title", entry.title)
    _text(item, "link", entry.url)
    etree.SubElement(item, "guid", isPermaLink="false").text = entry.id
    if entry.published:
        _text(item, "pubDate", format_datetime(entry.published, usegmt=True))
    _text(item, f"{{{atom.NAMESPACE}}}updated", atom.moment(entry.updated))
    for name, _address in entry.authors:
        _text(item, f"{{{DUBLIN_CORE}}}creator", name)
    for _slug, label in entry.categories:
        _text(item, "category", label)
    if entry.doi:
        _text(item, f"{{{DUBLIN_CORE}}}identifier", f"doi:{entry.doi}")
    # Programs read it as HTML, though nothing says so.
    _text(item, "description", html.escape(entry.summary, quote=False))
    _text(item, f"{{{CONTENT}}}encoded", entry.body.html())
    if entry.edition:
        item.append(atom.extension(entry.edition))
    if entry.place is not None:
        atom.place(item, entry.place, late=entry.late)
    return item


def _text(parent: Element, name: str, text: str) -> None:
    etree.SubElement(parent, name).text = text
