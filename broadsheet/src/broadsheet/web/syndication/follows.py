"""What a reader follows as feeds: found by the secret in their address, without a cookie, and kept by nobody else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import wraps

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from broadsheet.community.queries import picks
from broadsheet.following.queries import follows
from broadsheet.following.queries.follows import Followed
from broadsheet.following.rules.follows import Kind
from broadsheet.library import queries as library
from broadsheet.papers import queries as papers
from broadsheet.search.index import MAX_DEPTH
from broadsheet.search.query import Sort, parse
from broadsheet.web import addresses, paging, searching, viewing
from broadsheet.web.pages.follows import HEADINGS, Line, line
from broadsheet.web.pages.search import index
from broadsheet.web.rendering import PRIVATE
from broadsheet.web.syndication import opml
from broadsheet.web.syndication.lists import Part, listed, numbered
from broadsheet.web.syndication.views import View

# The feeds of groups and people have what was shelved or picked in so many days, and so many papers at most.
_LATELY = timedelta(days=365)
_MOST = 500


def of_follow(request: HttpRequest, limit: int, *, secret: str) -> Part:
    """What is followed, the newest first. Raises Http404 for a secret that nobody has, and IndexUnavailable."""
    found = follows.by_key(secret)
    if found is None or found[1].gone:
        raise Http404("There is no such feed.")
    row = found[1]
    told = line(row)
    part = _PARTS[row.kind](request, limit, row, told.feed)
    return replace(part, name=f"follow/{row.id}", title=told.name, page=told.url)


def _section(request: HttpRequest, limit: int, row: Followed, feed: str) -> Part:
    return listed(request, papers.in_section, row.target, limit, feed)


def _author(request: HttpRequest, limit: int, row: Followed, feed: str) -> Part:
    return listed(request, papers.by_author, row.target, limit, feed)


def _group(request: HttpRequest, limit: int, row: Followed, feed: str) -> Part:
    added = library.added_since(row.number, timezone.now() - _LATELY, limit=_MOST)
    return _counted(request, limit, [each.paper_id for each in added], feed)


def _person(request: HttpRequest, limit: int, row: Followed, feed: str) -> Part:
    return _counted(request, limit, [each.paper_id for each in picks.by_person(row.number, limit=_MOST)], feed)


def _search(request: HttpRequest, limit: int, row: Followed, feed: str) -> Part:
    searching.behind(index())
    number = paging.page_number(request)
    if number * limit > MAX_DEPTH:
        raise Http404("This feed does not go so far back.")
    query = replace(parse(row.target), sort=Sort.NEWEST)
    results = index().search(query, limit=limit, offset=(number - 1) * limit)
    ids = tuple(hit.pk for hit in results.hits)
    return _page(ids, number, min(results.total, MAX_DEPTH // limit * limit), limit, feed)


def _counted(request: HttpRequest, limit: int, ids: list[int], feed: str) -> Part:
    once = list(dict.fromkeys(ids))
    number = paging.page_number(request)
    return _page(tuple(once[(number - 1) * limit : number * limit]), number, len(once), limit, feed)


def _page(ids: tuple[int, ...], number: int, total: int, limit: int, feed: str) -> Part:
    pages = paging.pages(number, total, lambda at: addresses.with_query(feed, page=at), per_page=limit)
    return numbered(Part("", "", feed, ids=ids, total=total), pages)


_Finder = Callable[[HttpRequest, int, Followed, str], Part]
_PARTS: dict[Kind, _Finder] = {
    Kind.SECTION: _section,
    Kind.AUTHOR: _author,
    Kind.GROUP: _group,
    Kind.PERSON: _person,
    Kind.SEARCH: _search,
}


def secret(view: View) -> View:
    """The view of something that only its reader asks for: kept by nobody else, and in no search engine."""

    @wraps(view)
    def answer(request: HttpRequest, **names: str) -> HttpResponse:
        response = view(request, **names)
        response.headers["Cache-Control"] = PRIVATE
        response.headers["X-Robots-Tag"] = "noindex"
        return response

    return answer


@require_safe
def subscriptions(request: HttpRequest) -> HttpResponse:
    """The feeds of all that she follows, as OPML, for her program that reads feeds. It holds their secrets."""
    base = addresses.base_of(request)
    lines = [line(row) for row in follows.follows_of(viewing.person(request)) if not row.gone]

    def outline(each: Line) -> tuple[str, str, str]:
        return each.name, base + addresses.in_form(each.feed, "atom"), base + each.url

    groups = [(HEADINGS[kind], [outline(each) for each in lines if each.row.kind is kind]) for kind in HEADINGS]
    written = opml.write(f"{settings.BROADSHEET_SITE_NAME}: what I follow", [each for each in groups if each[1]])
    headers = {"Content-Disposition": 'attachment; filename="broadsheet-follows.opml"'}
    return HttpResponse(written, content_type=opml.TYPE, headers=headers)
