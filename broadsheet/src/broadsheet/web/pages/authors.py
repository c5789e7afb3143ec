"""The page of an author."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from broadsheet.bibliography import names
from broadsheet.papers import queries as papers
from broadsheet.web import addresses, cards, viewing
from broadsheet.web.following import Kind, button
from broadsheet.web.pages.listing import listed, refuse_zero_bytes, text_of
from broadsheet.web.rendering import page


@require_safe
def author(request: HttpRequest, slug: str) -> HttpResponse:
    """The papers on which an author of that name stands, the newest first, 60 on a page.

    Raises Http404 when no paper has such an author, or `after` is no place in the list.
    """
    refuse_zero_bytes(slug)
    name = papers.author_name(slug)
    if name is None:
        raise Http404("No paper here has an author of that name.")
    after = text_of(request, "after")
    listing = listed(papers.by_author, slug, after)
    address = addresses.author(slug)
    values = {
        "name": names.printed(name),
        "feed": address,
        "follow": button(request, Kind.AUTHOR, slug, name=names.printed(name)),
        "cards": cards.load_for(viewing.viewer(request), listing.ids),
        "total": listing.total,
        "first": address if after else "",
        "following": addresses.with_query(address, after=listing.next),
        "more": listing.next is not None,
    }
    return page(request, "pages/author.html", values, canonical=addresses.with_query(address, after=after))
