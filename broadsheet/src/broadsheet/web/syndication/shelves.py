"""Shelves as lists that have feeds and citations: of people who show them to everybody, and of groups."""

from __future__ import annotations

from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import patch_vary_headers

from broadsheet import links
from broadsheet.library import queries
from broadsheet.web import addresses, paging, viewing
from broadsheet.web.pages import groups, shelves
from broadsheet.web.rendering import PRIVATE
from broadsheet.web.syndication.lists import Part, numbered
from broadsheet.web.syndication.views import View


def of_person(request: HttpRequest, limit: int, *, name: str, shelf: str) -> Part:
    """A shelf that a person shows to everybody, in its order. Raises Http404."""
    return _part(request, limit, shelves.public(shelf, name=name, viewer=viewing.viewer(request)))


def of_group(request: HttpRequest, limit: int, *, group: str, shelf: str) -> Part:
    """A shelf of a group, for whoever may see the group. Raises Http404."""
    return _part(request, limit, shelves.public(shelf, group=group, viewer=viewing.viewer(request)))


def _part(request: HttpRequest, limit: int, found: queries.ShelfView) -> Part:
    owner = shelves.owner_of(found, viewing.viewer(request))
    number = paging.page_number(request)
    ids = tuple(each.paper_id for each in queries.placed(found.id))
    pages = paging.pages(number, len(ids), lambda at: addresses.with_query(owner.path, page=at), per_page=limit)
    part = Part(
        name=owner.path.removeprefix("/"),
        title=f"{found.name} ({owner.name})",
        page=owner.path,
        ids=ids[(number - 1) * limit : number * limit],
        total=len(ids),
    )
    return numbered(part, pages)


def week_of_group(request: HttpRequest, limit: int, *, group: str) -> Part:
    """What a group did in the last seven days, as on its page. Raises Http404."""
    found = groups.seen(request, group)
    path = addresses.group(found.slug, links.GROUP_WEEK)
    number = paging.page_number(request)
    ids = tuple(each.paper_id for each in groups.week(found, now=timezone.now()))
    pages = paging.pages(number, len(ids), lambda at: addresses.with_query(path, page=at), per_page=limit)
    part = Part(
        name=path.removeprefix("/"),
        title=f"This week in {found.name}",
        page=path,
        ids=ids[(number - 1) * limit : number * limit],
        total=len(ids),
    )
    return numbered(part, pages)


def personal(view: View) -> View:
    """The view of a list that some may see and others not: what a signed-in person gets is kept by nobody else."""

    @wraps(view)
    def answer(request: HttpRequest, **names: str) -> HttpResponse:
        response = view(request, **names)
        if viewing.viewer(request) is not None:
            response.headers["Cache-Control"] = PRIVATE
        patch_vary_headers(response, ("Cookie",))
        return response

    return answer
