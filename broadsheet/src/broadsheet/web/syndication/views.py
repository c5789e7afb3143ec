"""Answers in other forms than pages: feeds and citations of lists, and the list of all feeds."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.http import http_date
from django.views.decorators.http import require_safe

from broadsheet import links
from broadsheet.search.index import IndexUnavailable
from broadsheet.web import addresses, wording
from broadsheet.web.pages.sections import sections
from broadsheet.web.syndication import atom, citations, feeds, freshness, json_feed, lists, opml, rss

log = logging.getLogger("broadsheet.web.syndication")

View = Callable[..., HttpResponse]

# A feed may be this old, in seconds, before whoever kept it asks again; a question costs a reader a line then.
_KEPT_SECONDS = 300
_AGAIN_SECONDS = 60
_MOST_SECTIONS = 500
FEEDS = ("atom", "rss", "json")
_PLAIN = "text/plain; charset=utf-8"


def fresh(request: HttpRequest, body: bytes, kind: str, *, keep: int = _KEPT_SECONDS) -> HttpResponse:
    """An answer that may be kept for `keep` seconds, and says since when it is as it is."""
    headers = {"Cache-Control": f"public, max-age={keep}" if keep else "public, no-cache"}
    headers["Last-Modified"] = http_date(freshness.since(request.build_absolute_uri(), body))
    return HttpResponse(body, content_type=kind, headers=headers)


def forms_of(find: lists.Finder, *, as_feed: lists.Finder | None = None) -> View:
    """The view of a list in the form that its address names. A feed has the list that `as_feed` finds."""

    @require_safe
    def answer(request: HttpRequest, form: str, **names: Any) -> HttpResponse:
        try:
            if form in citations.FORMS:
                return _cited(request, form, find(request, citations.MOST, **names))
            return _fed(request, form, (as_feed or find)(request, feeds.ENTRIES, **names))
        except lists.NothingAsked:
            sentence = f"Name a search: {addresses.in_form(links.SEARCH, form)}?q=graph+networks\n"
            return HttpResponse(sentence, content_type=_PLAIN, status=400)
        except IndexUnavailable as error:
            log.warning("search is not possible now: %s", error, exc_info=error.__cause__)
            again = {"Retry-After": str(_AGAIN_SECONDS)}
            return HttpResponse(f"{error}\n", content_type=_PLAIN, status=503, headers=again)

    return answer


def _fed(request: HttpRequest, form: str, part: lists.Part) -> HttpResponse:
    return written(request, form, feeds.feed(part, base=addresses.base_of(request)))


def written(request: HttpRequest, form: str, made: feeds.Feed) -> HttpResponse:
    """A feed in one of `FEEDS`."""
    site = settings.BROADSHEET_SITE_NAME
    if form == "atom":
        return fresh(request, atom.write(made, site=site), atom.TYPE)
    if form == "rss":
        return fresh(request, rss.write(made), rss.TYPE)
    return fresh(request, json_feed.write(made, site=site), json_feed.TYPE)


def _cited(request: HttpRequest, form: str, part: lists.Part) -> HttpResponse:
    if not part.ids:
        raise Http404("No paper here can be cited.")
    response = downloaded(request, part.ids, form, name=part.name)
    if part.next:
        following = addresses.base_of(request) + addresses.in_form(part.next, form)
        response.headers["Link"] = f'<{following}>; rel="next"; type="{citations.FORMS[form].type}"'
    return response


def downloaded(request: HttpRequest, ids: tuple[int, ...], form: str, *, name: str) -> HttpResponse:
    """Papers as a file of citations, under a name of its own."""
    chosen = citations.FORMS[form]
    response = fresh(request, citations.written(ids, chosen), f"{chosen.type}; charset=utf-8", keep=0)
    response.headers["Content-Disposition"] = f'attachment; filename="{citations.file_name(name, form)}"'
    return response


@require_safe
def subscriptions(request: HttpRequest) -> HttpResponse:
    """The feeds of the editions and of the sections, the biggest first, as OPML."""
    base = addresses.base_of(request)

    def outline(label: str, path: str) -> tuple[str, str, str]:
        return label, base + addresses.in_form(path, "atom"), base + path

    groups = (
        ("Editions", [outline("The newest edition", links.FRONT), outline("All editions", links.EDITIONS)]),
        (
            "Sections",
            [
                outline(wording.section_name(each.slug), addresses.section(each.slug))
                for each in sections()[:_MOST_SECTIONS]
            ],
        ),
    )
    return fresh(request, opml.write(settings.BROADSHEET_SITE_NAME, groups), opml.TYPE)
