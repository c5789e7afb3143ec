"""The feeds of an instance as OPML 2.0, for programs that read feeds: http://opml.org/spec2.opml"""

from __future__ import annotations

from collections.abc import Iterable

from lxml import etree

from broadsheet.web.syndication.bodies import legal

TYPE = "text/x-opml; charset=utf-8"


def write(title: str, groups: Iterable[tuple[str, Iterable[tuple[str, str, str]]]]) -> bytes:
    """The document. A group has a name and its feeds, each as name, address of the feed, address of the page."""
    root = etree.Element("opml", version="2.0")
    etree.SubElement(etree.SubElement(root, "head"), "title").text = legal(title)
    body = etree.SubElement(root, "body")
    for name, listed in groups:
        group = etree.SubElement(body, "outline", text=legal(name), title=legal(name))
        for label, feed, page in listed:
            text = legal(label)
            etree.SubElement(group, "outline", type="rss", text=text, title=text, xmlUrl=feed, htmlUrl=page)
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="utf-8")
    return written
