"""Fill the patterns of `links`: the one place where a key, a slug or a label becomes part of an address."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from django.http import HttpRequest
from django.urls import reverse

from broadsheet import links
from broadsheet.bibliography import identifiers

# What RFC 3986 allows in a path besides letters and digits, so that "2401.00001" and "doi:10.1/x(1)" stay readable.
_SAFE = "/:@!$&'()*+,;=~-._"

_EDITIONS = {"day": links.DAY, "week": links.WEEK, "month": links.MONTH}


def base_of(request: HttpRequest) -> str:
    """The scheme and host that were asked, before our own addresses: ``https://papers.example.org``."""
    return request.build_absolute_uri("/").removesuffix("/")


def paper(key: str) -> str:
    """Our page of the paper with this key."""
    return links.PAPER.format(key=quote(key, safe=_SAFE))


def related(key: str) -> str:
    """The list of papers related to the one with this key; it stands on the paper's page and has a feed of its own."""
    return links.RELATED.format(key=quote(key, safe=_SAFE))


def api_paper(key: str, pattern: str = links.API_PAPER) -> str:
    """The paper with this key in our interface for programs, or what stands there about it."""
    return pattern.format(key=quote(key, safe=_SAFE))


def api_edition(label: str) -> str:
    """The edition with this label in our interface for programs."""
    return links.API_EDITION.format(label=quote(label, safe=""))


def author(slug: str) -> str:
    """Our page of the author."""
    return links.AUTHOR.format(slug=quote(slug, safe=""))


def api_section(slug: str) -> str:
    """A section in our interface for programs."""
    return links.API_SECTION.format(slug=quote(slug, safe=""))


def section(slug: str) -> str:
    """The page of a section, which is a field or a category."""
    return links.SECTION.format(slug=quote(slug, safe=""))


def person_shelf(name: str, shelf: str) -> str:
    """A shelf that a person shows to everybody."""
    return links.PERSON_SHELF.format(name=quote(name, safe=""), shelf=quote(shelf, safe=""))


def group(slug: str, pattern: str = links.GROUP) -> str:
    """The page of a group, or one that belongs to it."""
    return pattern.format(group=quote(slug, safe=""))


def group_shelf(slug: str, shelf: str) -> str:
    """A shelf of a group, as its readers see it."""
    return links.GROUP_SHELF.format(group=quote(slug, safe=""), shelf=quote(shelf, safe=""))


def edition(kind: str, label: str) -> str:
    """The page of an edition: its day, week, month, or the first one."""
    pattern = _EDITIONS.get(kind)
    return pattern.format(**{kind: label}) if pattern else links.FIRST_EDITION


def in_form(path: str, form: str) -> str:
    """The address of a list or a paper in another form, as ``atom`` or ``bib``; what is asked of a list is kept."""
    stem, mark, asked = path.partition("?")
    if stem.endswith(links.FRONT):
        stem += "index"
    return links.IN_FORM.format(path=stem, form=form) + mark + asked


def with_query(path: str, **values: str | int | None) -> str:
    """`path` with the values that say something as its query: None, empty text and page 1 are left out."""
    kept = {name: value for name, value in values.items() if value not in (None, "") and (name, value) != ("page", 1)}
    return f"{path}?{urlencode(kept)}" if kept else path


def home(key: str) -> str:
    """Where the work with this key is at home, as in arXiv's page of it; empty for a key that is no identifier's."""
    identifier = identifiers.from_key(key)
    return identifier.url if identifier else ""


def outside(url: str) -> str:
    """An address that a source gave, if it is one of the web; else empty, so that no link of ours runs a script."""
    return url if url.startswith(("https://", "http://")) else ""


def shortened(url: str) -> str:
    """An address as it is printed: without its scheme, and cut after 48 characters."""
    bare = url.partition("://")[2].removeprefix("www.").rstrip("/")
    return bare if len(bare) <= 48 else bare[:47] + "…"


def route(name: str, *values: object) -> str:
    """The path of the route of that name, which another package's view has. Raises NoReverseMatch."""
    return reverse(name, args=values)
