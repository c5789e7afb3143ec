"""Signposting for scholarly works: typed links, in headers and as sets. https://signposting.org/FAIR/

Level 1 are the links of a paper's page in its ``Link`` header (RFC 8288). Level 2 are the links of the page, and those
of its files back to it, in a link set of their own (RFC 9264).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from broadsheet.web import addresses, cards
from broadsheet.web.metadata import schema
from broadsheet.web.metadata.work import Work
from broadsheet.web.syndication import citations

JSON_TYPE = "application/linkset+json"
TEXT_TYPE = "application/linkset"

# Authors in the header, which caches and proxies hold to some kilobytes; the link set has more.
_IN_HEADER = 10
_IN_SET = 200


@dataclass(frozen=True, slots=True)
class Link:
    """One typed link: from `anchor` to `href`, and the type of what is there."""

    anchor: str
    rel: str
    href: str
    type: str = ""


def header(work: Work) -> str:
    """The links of the page, and where the link sets are, as the value of ``Link``."""
    links = [*_of_page(work, authors=_IN_HEADER), *_sets(work)]
    return ", ".join(_written(link) for link in links)


def back(work: Work) -> str:
    """The value of ``Link`` for a file that describes the paper: that it does."""
    return _written(Link("", "describes", work.page, "text/html"))


def as_json(work: Work) -> bytes:
    """The link set as JSON: RFC 9264, section 4.2."""
    contexts: dict[str, dict[str, list[dict[str, str]]]] = {}
    for link in _all(work):
        target = {"href": link.href, **({"type": link.type} if link.type else {})}
        contexts.setdefault(link.anchor, {}).setdefault(link.rel, []).append(target)
    return orjson.dumps({"linkset": [{"anchor": anchor, **links} for anchor, links in contexts.items()]})


def as_text(work: Work) -> bytes:
    """The link set in the form of the header: RFC 9264, section 4.1."""
    return ",\n".join(f'{_written(link)}; anchor="{link.anchor}"' for link in _all(work)).encode() + b"\n"


def _all(work: Work) -> Iterator[Link]:
    yield from _of_page(work, authors=_IN_SET)
    if work.pdf:
        yield Link(work.pdf, "collection", work.page, "text/html")
    for link in _descriptions(work):
        yield Link(link.href, "describes", work.page, "text/html")


def _of_page(work: Work, *, authors: int) -> Iterator[Link]:
    page = work.page
    if work.cite_as:
        yield Link(page, "cite-as", work.cite_as)
    yield Link(page, "type", "https://schema.org/ScholarlyArticle")
    yield Link(page, "type", "https://schema.org/AboutPage")
    for author in map(cards.author, work.row.authors[:authors]):
        if author.url:
            yield Link(page, "author", work.base + author.url)
    yield from _descriptions(work)
    if work.pdf:
        yield Link(page, "item", work.pdf, "application/pdf")
    if work.license:
        yield Link(page, "license", work.license)


def _descriptions(work: Work) -> Iterator[Link]:
    for form, chosen in citations.FORMS.items():
        yield Link(work.page, "describedby", addresses.in_form(work.page, form), chosen.type)
    yield Link(work.page, "describedby", addresses.in_form(work.page, "jsonld"), schema.TYPE)


def _sets(work: Work) -> Iterator[Link]:
    yield Link(work.page, "linkset", addresses.in_form(work.page, "linkset.json"), JSON_TYPE)
    yield Link(work.page, "linkset", addresses.in_form(work.page, "linkset"), TEXT_TYPE)


def _written(link: Link) -> str:
    kind = f'; type="{link.type}"' if link.type else ""
    return f'<{link.href}>; rel="{link.rel}"{kind}'
