"""What stands inside an entry, as XHTML with MathML: built as a tree, so that no text of a source can break it.

The same tree is XML with its namespaces for Atom, and HTML for RSS and JSON Feed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from copy import deepcopy
from functools import lru_cache
from typing import TypeAlias

from lxml import etree

from broadsheet.bibliography import tex
from broadsheet.web import excerpts

Element: TypeAlias = etree._Element  # noqa: SLF001 - the only name under which lxml has the class of its elements

XHTML = "http://www.w3.org/1999/xhtml"
MATHML = "http://www.w3.org/1998/Math/MathML"

# What is drawn of an abstract, in characters of its source; the longest honest ones have half of it.
_LONGEST = 4_000

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)

# Gives every element its namespace, as the parts come without.
_NAMESPACES = etree.XSLT(
    etree.XML(
        f"""<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
        <xsl:template match="*"><xsl:element name="{{local-name()}}" namespace="{XHTML}">
        <xsl:copy-of select="@*"/><xsl:apply-templates/></xsl:element></xsl:template>
        <xsl:template match="math|math//*"><xsl:element name="{{local-name()}}" namespace="{MATHML}">
        <xsl:copy-of select="@*"/><xsl:apply-templates/></xsl:element></xsl:template>
        </xsl:stylesheet>"""
    )
)


def legal(text: str) -> str:
    """`text` without the characters that no XML may hold: controls, halves of surrogate pairs, non-characters.

    XML 1.0, section 2.2: https://www.w3.org/TR/xml/#charsets
    """
    return text if text.isascii() and text.isprintable() else _ILLEGAL.sub("", text)


class Body:
    """Paragraphs of an entry, put together one by one."""

    def __init__(self) -> None:
        self._root = etree.Element("div")

    def say(self, text: str) -> Body:
        """A paragraph of plain text; none for a blank one."""
        if text.strip():
            etree.SubElement(self._root, "p").text = legal(text)
        return self

    def print(self, text: str) -> Body:
        """The paragraphs of a text with TeX in it, to its first 4,000 characters or so."""
        for paragraph in _paragraphs(text):
            self._root.append(deepcopy(paragraph))
        return self

    def list(self, texts: Iterable[str]) -> Body:
        """Plain texts as the items of a list; none where there are no texts."""
        items = [legal(text) for text in texts]
        if items:
            parent = etree.SubElement(self._root, "ul")
            for item in items:
                etree.SubElement(parent, "li").text = item
        return self

    def link(self, links: Iterable[tuple[str, str]]) -> Body:
        """A paragraph of links: names and addresses."""
        parent = etree.Element("p")
        for name, address in links:
            if len(parent):
                parent[-1].tail = " · "
            etree.SubElement(parent, "a", href=legal(address)).text = legal(name)
        if len(parent):
            self._root.append(parent)
        return self

    def html(self) -> str:
        """The paragraphs as HTML, without an element around them."""
        return "".join(etree.tostring(child, method="html", encoding="unicode") for child in self._root)

    def xhtml(self) -> Element:
        """The one ``div`` that RFC 4287, section 3.1.1.3, asks for, every element in its namespace."""
        return _NAMESPACES(self._root).getroot()


@lru_cache(maxsize=1024)
def _paragraphs(text: str) -> tuple[Element, ...]:
    """Each paragraph as an element. Remembered: drawing mathematics is what a feed costs most."""
    shown = excerpts.cut(text, _LONGEST)
    return tuple(_paragraph(part) for part in tex.paragraphs(shown, links=True))


def _paragraph(markup: str) -> Element:
    """What `bibliography.tex` made, as an element; as its text alone, if that were ever no well-formed XML."""
    try:
        return etree.fromstring(f"<p>{legal(markup)}</p>", _PARSER)
    except etree.XMLSyntaxError:
        plain = etree.Element("p")
        plain.text = legal(tex.to_text(markup))
        return plain
