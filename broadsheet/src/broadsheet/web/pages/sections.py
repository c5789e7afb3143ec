"""Sections: fields of the newspaper and categories of the sources."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from broadsheet import links
from broadsheet.bibliography.taxonomy import CATEGORIES
from broadsheet.papers import queries as papers
from broadsheet.web import addresses, cards, viewing, wording
from broadsheet.web.following import Kind, button
from broadsheet.web.hiding import Sieve
from broadsheet.web.pages.listing import listed, refuse_zero_bytes, text_of
from broadsheet.web.remembered import Remembered
from broadsheet.web.rendering import page

# Counting them reads every topic of every paper.
sections = Remembered(papers.sections)


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """All sections with their sizes."""
    return page(request, "pages/sections.html", {"sections": sections()}, canonical=links.SECTIONS)


@require_safe
def section(request: HttpRequest, slug: str) -> HttpResponse:
    """The papers of a section, the newest first, 60 on a page.

    Raises Http404 when it has none, or `after` is no place in the list.
    """
    refuse_zero_bytes(slug)
    after = text_of(request, "after")
    listing = listed(papers.in_section, slug, after)
    if not listing.total:
        raise Http404(f"No paper here belongs to a section called “{slug[:80]}”.")
    address = addresses.section(slug)
    sieve = Sieve(request, section=slug)
    values = {
        "slug": slug,
        "feed": address,
        "heading": wording.section_name(slug),
        "listed_by_arxiv": slug in CATEGORIES,
        "follow": button(request, Kind.SECTION, slug, name=wording.section_name(slug)),
        "cards": sieve.shown(cards.load_for(viewing.viewer(request), listing.ids)),
        "sieve": sieve,
        "total": listing.total,
        "first": address if after else "",
        "following": addresses.with_query(address, after=listing.next, hidden=sieve.asked),
        "more": listing.next is not None,
    }
    return page(request, "pages/section.html", values, canonical=addresses.with_query(address, after=after))
