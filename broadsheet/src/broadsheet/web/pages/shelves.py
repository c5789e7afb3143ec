"""Shelves: the reader's own and those of groups, to fill and to order; and the public ones, to read."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_POST, require_safe

from broadsheet import links
from broadsheet.accounts import queries as accounts
from broadsheet.accounts.rules import Ground, Person, Refused
from broadsheet.library import actions, queries
from broadsheet.library.rules import MOST_SHELVES, Step
from broadsheet.papers import queries as papers
from broadsheet.web import addresses, cards, paging, viewing
from broadsheet.web.numbers import number_or_404
from broadsheet.web.pages.library import back
from broadsheet.web.pages.listing import refuse_zero_bytes
from broadsheet.web.rendering import page


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a shelf is: name and `page` of the owner, and the `path` at which others read it; empty where none do."""

    name: str
    page: str
    path: str


@dataclass(frozen=True, slots=True)
class Line:
    """A paper on a shelf, who put it there where others do, and whether it can move up or down."""

    card: cards.Card
    by: Person | None


def owner_of(shelf: queries.ShelfView, viewer: Person | None) -> Owner:
    """Whose the shelf is. Raises Http404 when the viewer may not know."""
    if shelf.group_id is not None:
        group = accounts.groups_seen([shelf.group_id], viewer).get(shelf.group_id)
        if group is None:
            raise Http404("There is no such shelf.")
        return Owner(group.name, addresses.group(group.slug), addresses.group_shelf(group.slug, shelf.slug))
    person = accounts.people([shelf.user_id or 0]).get(shelf.user_id or 0)
    if person is None:
        raise Http404("There is no such shelf.")
    path = addresses.person_shelf(person.name, shelf.slug) if shelf.is_public else ""
    return Owner(person.shown, links.PERSON.format(name=person.name), path)


def public(slug: str, *, name: str = "", group: str = "", viewer: Person | None) -> queries.ShelfView:
    """The shelf at an address of a person or a group that the viewer may see. Raises Http404."""
    refuse_zero_bytes(slug, name, group)
    if group:
        found = accounts.group(group, viewer)
        shelf = queries.public_shelf(slug, group_id=found.id) if found else None
    else:
        person = accounts.named(name)
        shelf = queries.public_shelf(slug, person=person) if person else None
    if shelf is None:
        raise Http404("There is no such shelf, or it is not for everybody.")
    return shelf


def shelves(request: HttpRequest) -> HttpResponse:
    """The reader's shelves; makes one that is sent. Raises Refused."""
    person = viewing.person(request)
    if request.method == "POST":
        sent = request.POST
        group, parent = sent.get("group", ""), sent.get("parent", "")
        made = actions.make_shelf(
            by=person,
            name=sent.get("name", ""),
            group=number_or_404(group) if group else None,
            parent=number_or_404(parent) if parent else None,
            is_public=bool(sent.get("is_public")),
        )
        return HttpResponseRedirect(links.SHELF.format(number=made), status=HTTPStatus.SEE_OTHER)
    found = queries.shelves_of(person)
    values = {
        "shelves": found,
        "full": len(found) >= MOST_SHELVES,
        "groups": [
            (group, queries.shelves_of_group(group.id))
            for group in accounts.groups_seen(accounts.groups_of(person.id), person).values()
        ],
        "noindex": True,
    }
    return page(request, "pages/shelves.html", values)


def shelf(request: HttpRequest, number: str) -> HttpResponse:
    """A shelf with what is on it, to order and to change; does what is sent. Raises Http404 and Refused."""
    person = viewing.person(request)
    found = queries.shelf(number_or_404(number), person)
    if found is None:
        raise Http404("There is no such shelf.")
    if request.method == "POST":
        return _change(request, person, found)
    at = paging.page_number(request)
    placed = queries.placed(found.id)
    here = links.SHELF.format(number=found.id)
    part = placed[(at - 1) * paging.PER_PAGE : at * paging.PER_PAGE]
    group = accounts.groups_seen([found.group_id or 0], person).get(found.group_id or 0)
    values = {
        "shelf": found,
        "owner": owner_of(found, person),
        "group": group,
        "may_edit": queries.may_edit(found, person),
        "lines": _lines(person, part, with_people=found.group_id is not None),
        "total": len(placed),
        "pages": paging.pages(at, len(placed), lambda to: addresses.with_query(here, page=to)),
        "places": [
            each
            for each in (queries.shelves_of_group(found.group_id) if found.group_id else queries.shelves_of(person))
            if each.id != found.id
        ],
        "here_address": request.get_full_path(),
        "noindex": True,
    }
    return page(request, "pages/shelf.html", values)


def _lines(viewer: Person | None, part: list[queries.Placed], *, with_people: bool) -> list[Line]:
    shown = {card.paper.id: card for card in cards.load_for(viewer, [each.paper_id for each in part])}
    people = accounts.people({each.added_by for each in part if each.added_by}) if with_people else {}
    return [Line(shown[each.paper_id], people.get(each.added_by or 0)) for each in part if each.paper_id in shown]


def _change(request: HttpRequest, person: Person, found: queries.ShelfView) -> HttpResponse:
    what = request.POST.get("what", "")
    if what == "remove":
        removed = actions.remove_shelf(by=person, shelf=found.id)
        where = addresses.with_query(links.LIBRARY_UNDO, removed=removed, next=links.SHELVES)
        return HttpResponseRedirect(where, status=HTTPStatus.SEE_OTHER)
    if what in set(Step):
        actions.move_shelf(by=person, shelf=found.id, step=Step(what))
        return back(request, otherwise=links.SHELVES)
    parent = request.POST.get("parent", "")
    actions.change_shelf(
        by=person,
        shelf=found.id,
        name=request.POST.get("name", ""),
        is_public=bool(request.POST.get("is_public")),
        parent=number_or_404(parent) if parent else None,
    )
    return back(request, otherwise=links.SHELF.format(number=found.id))


@require_POST
def on_shelf(request: HttpRequest, number: str) -> HttpResponse:
    """Puts a paper on a shelf, takes it off, or moves it there. Raises Refused."""
    person, shelf_id = viewing.person(request), number_or_404(number)
    row = papers.find_in_any_spelling(request.POST.get("paper", "").strip()[:500])
    if row is None:
        raise Refused(
            "This paper is not here. Nothing was changed. Give its identifier, for example 2401.00001 or a DOI; one "
            "that is not here can be proposed.",
            ground=Ground.NOT_THERE,
        )
    what, removed = request.POST.get("what", ""), None
    if what in set(Step):
        actions.move_on_shelf(by=person, shelf=shelf_id, paper=row.id, step=Step(what))
    elif what == "remove":
        removed = actions.take_off(by=person, shelf=shelf_id, papers_=[row.id])
    else:
        actions.place(by=person, shelf=shelf_id, papers_=[row.id])
    return back(request, removed=removed, otherwise=links.SHELF.format(number=shelf_id))


@require_safe
def of_person(request: HttpRequest, name: str, shelf: str) -> HttpResponse:
    """A shelf that a person shows to everybody. Raises Http404."""
    return _public(request, public(shelf, name=name, viewer=viewing.viewer(request)))


@require_safe
def of_group(request: HttpRequest, group: str, shelf: str) -> HttpResponse:
    """A shelf of a group, for whoever may see the group. Raises Http404."""
    return _public(request, public(shelf, group=group, viewer=viewing.viewer(request)))


def _public(request: HttpRequest, found: queries.ShelfView) -> HttpResponse:
    viewer = viewing.viewer(request)
    owner = owner_of(found, viewer)
    at = paging.page_number(request)
    placed = queries.placed(found.id)
    part = placed[(at - 1) * paging.PER_PAGE : at * paging.PER_PAGE]
    canonical = addresses.with_query(owner.path, page=at)
    values = {
        "shelf": found,
        "owner": owner,
        "cards": [line.card for line in _lines(viewer, part, with_people=False)],
        "start": (at - 1) * paging.PER_PAGE + 1,
        "total": len(placed),
        "pages": paging.pages(at, len(placed), lambda to: addresses.with_query(owner.path, page=to)),
        "may_edit": viewer is not None and queries.may_edit(found, viewer),
        "feed": owner.path,
    }
    return page(request, "pages/shelf_public.html", values, canonical=canonical)
