"""Groups and organisations: their list, their pages, their members, and what they read this week."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from broadsheet import links
from broadsheet.accounts import queries as accounts
from broadsheet.accounts.actions import groups as acting
from broadsheet.accounts.actions.groups import Description
from broadsheet.accounts.queries import GroupView
from broadsheet.accounts.rules import Ground, GroupKind, GroupRole, Person, Refused
from broadsheet.bibliography import names
from broadsheet.community.queries import authorship, comments, votes
from broadsheet.following.queries import hooks
from broadsheet.library import queries as library
from broadsheet.web import addresses, cards, paging, viewing, wording
from broadsheet.web.following import Kind, button
from broadsheet.web.numbers import number_or_404
from broadsheet.web.pages.library import back
from broadsheet.web.pages.listing import refuse_zero_bytes
from broadsheet.web.rendering import page

# Papers that the page of a group names for its votes.
MOST_VOTED = 10
# In a smaller group a sum would tell people outside who voted for what.
SUMS_SHOWN_FROM = 5
WEEK = timedelta(days=7)
_LISTED = 200


@dataclass(frozen=True, slots=True)
class Doing:
    """What a group did with a paper: how many members voted for it, how many comments they made, and which shelves it
    was put on.
    """

    paper_id: int
    votes: int = 0
    comments: int = 0
    shelves: tuple[str, ...] = ()
    at: datetime | None = None

    @property
    def words(self) -> str:
        """It in a line: ``2 votes; 1 comment; put on Steps``."""
        counted = ((self.votes, "vote"), (self.comments, "comment"))
        said = [wording.count(count, noun) for count, noun in counted if count]
        return "; ".join(said + [f"put on {name}" for name in self.shelves])


def seen(request: HttpRequest, group: str) -> GroupView:
    """The group at an address. Raises Http404 when there is none, or it is not the viewer's to see."""
    refuse_zero_bytes(group)
    found = accounts.group(group, viewing.viewer(request))
    if found is None:
        raise Http404("There is no such group.")
    return found


def shows_votes(group: GroupView) -> bool:
    """Whether the viewer may see what the group votes for: members do, others where the sum hides who voted."""
    return group.role is not None or group.members >= SUMS_SHOWN_FROM


def voted(group: GroupView, *, since: datetime | None = None) -> dict[int, int]:
    """How many members voted for each shown paper; nothing where the viewer may not see it."""
    if not shows_votes(group):
        return {}
    return {paper: len(its) for paper, its in votes.votes_of(_people(group), since=since).items()}


def _people(group: GroupView) -> list[int]:
    return [member.person.id for member in accounts.members(group.id)]


def week(group: GroupView, *, now: datetime) -> list[Doing]:
    """What the group did in the seven days before: the papers with most votes, most discussed and newest on a shelf
    first. What members wrote for the group alone is counted for members.
    """
    since = now - WEEK
    counted = voted(group, since=since)
    said = comments.said_by(_people(group), group=group.id if group.role else None, since=since)
    shelves = {shelf.id: shelf.name for shelf in library.shelves_of_group(group.id)}
    placed: dict[int, list[library.Addition]] = defaultdict(list)
    for each in library.added_since(group.id, since):
        placed[each.paper_id].append(each)
    found = [
        Doing(
            paper,
            counted.get(paper, 0),
            said.get(paper, 0),
            tuple(dict.fromkeys(shelves[each.shelf_id] for each in placed.get(paper, ()) if each.shelf_id in shelves)),
            max((each.added_at for each in placed.get(paper, ())), default=None),
        )
        for paper in dict.fromkeys([*counted, *said, *placed])
    ]
    return sorted(found, key=lambda each: (-each.votes, -each.comments, -(each.at or since).timestamp(), each.paper_id))


def index(request: HttpRequest) -> HttpResponse:
    """The groups that the viewer may see; makes one that is sent, and keeps what was typed when it is refused."""
    viewer, error = viewing.viewer(request), None
    if request.method == "POST":
        person = viewing.person(request)
        try:
            acting.make_group(by=person, slug=request.POST.get("slug", ""), described=_described(request))
        except Refused as refused:
            error = refused
        else:
            where = addresses.group(request.POST["slug"].strip().lower())
            return HttpResponseRedirect(where, status=HTTPStatus.SEE_OTHER)
    values = {
        "groups": accounts.groups(viewer, limit=_LISTED),
        "left": accounts.left_by(viewer, since=timezone.now() - acting.BACK_FOR) if viewer else [],
        "error": str(error or ""),
        "field": error.field if error else "",
        "slug": request.POST.get("slug", ""),
        "form": _described(request) if error else Description("", GroupKind.GROUP),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK
    return page(request, "pages/groups.html", values, canonical=links.GROUPS, status=status)


def group(request: HttpRequest, group: str) -> HttpResponse:
    """The page of a group; changes what it says of itself. Raises Http404 and Refused."""
    found = seen(request, group)
    error = None
    if request.method == "POST":
        try:
            acting.change_group(by=viewing.person(request), group=found.id, described=_described(request))
        except Refused as refused:
            if refused.ground is not Ground.NOT_UNDERSTOOD:
                raise
            error = refused
        else:
            return HttpResponseRedirect(addresses.group(found.slug), status=HTTPStatus.SEE_OTHER)
    return _shown(request, found, error=error)


def _shown(request: HttpRequest, found: GroupView, *, error: Refused | None = None, secret: str = "") -> HttpResponse:
    viewer = viewing.viewer(request)
    owns = found.role is GroupRole.OWNER
    liked = sorted(voted(found).items(), key=lambda pair: (-pair[1], -pair[0]))[:MOST_VOTED]
    shown = {card.paper.id: card for card in cards.load_for(viewer, [paper for paper, _ in liked])}
    members = accounts.members(found.id)
    join = request.build_absolute_uri(links.JOIN.format(secret=secret)) if secret else ""
    values = {
        "follow": button(request, Kind.GROUP, found.slug, stored=str(found.id), name=found.name),
        "group": found,
        "owns": owns,
        "members": members,
        "authors": _authors(found, members),
        "shelves": library.shelves_of_group(found.id),
        "voted": [(shown[paper], count) for paper, count in liked if paper in shown],
        "shows_votes": shows_votes(found),
        "roles": [str(role) for role in GroupRole],
        "invitations": accounts.open_invitations(found.id) if owns else [],
        "gone": accounts.gone(found.id, since=timezone.now() - acting.BACK_FOR) if owns else [],
        "join": join,
        "error": str(error or ""),
        "field": error.field if error else "",
        "form": _described(request) if error else found,
        "is_any_hook_off": found.is_edited_by_viewer and hooks.is_any_off(found.id),
        "noindex": found.is_private,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK
    return page(request, "pages/group.html", values, canonical=addresses.group(found.slug), status=status)


def _authors(found: GroupView, members: list[accounts.Member]) -> list[tuple[str, str]]:
    """The names under which members of an organisation are confirmed as authors of papers, with their pages; of a
    group, none.
    """
    if found.kind is not GroupKind.ORGANISATION:
        return []
    known = authorship.names_of([member.person.id for member in members])
    return [(names.printed(each.author), addresses.author(each.slug)) for each in known]


def _described(request: HttpRequest) -> Description:
    sent = request.POST
    return Description(
        name=sent.get("name", ""),
        kind=sent.get("kind", ""),
        about=sent.get("about", ""),
        website=sent.get("website", ""),
        is_private=bool(sent.get("is_private")),
    )


@require_POST
def members(request: HttpRequest, group: str) -> HttpResponse:
    """Leaving, coming back, and what owners do with members. Raises Refused, and Http404 for no group of hers."""
    person = viewing.person(request)
    what = request.POST.get("what", "")
    if what == "come-back":
        return _come_back(request, person, group)
    found = seen(request, group)
    other = number_or_404(request.POST.get("person", "") or "0")
    if what == "leave":
        acting.leave(by=person, group=found.id)
        return HttpResponseRedirect(f"{links.GROUPS}#left", status=HTTPStatus.SEE_OTHER)
    if what == "remove":
        acting.remove_member(by=person, group=found.id, person=other)
    elif what == "put-back":
        acting.put_back(by=person, group=found.id, person=other)
    elif what == "role":
        acting.set_role(by=person, group=found.id, person=other, role=request.POST.get("role", ""))
    else:
        raise Refused("Say what to do. Nothing was changed.", ground=Ground.NOT_UNDERSTOOD)
    return back(request, otherwise=f"{addresses.group(found.slug)}#members")


def _come_back(request: HttpRequest, person: Person, group: str) -> HttpResponse:
    """Into a group that she left, which she may not see any more where it is private."""
    left = {each.slug: each.id for each in accounts.left_by(person, since=timezone.now() - acting.BACK_FOR)}
    if group not in left:
        raise Http404("There is no such group.")
    acting.come_back(by=person, group=left[group])
    return back(request, otherwise=addresses.group(group))


@require_POST
def invitations(request: HttpRequest, group: str) -> HttpResponse:
    """Makes an invitation and shows its address once, or takes one back. Raises Refused and Http404."""
    person = viewing.person(request)
    found = seen(request, group)
    if request.POST.get("what") == "take-back":
        acting.take_back(by=person, group=found.id, invitation=number_or_404(request.POST.get("invitation", "")))
        return back(request, otherwise=f"{addresses.group(found.slug)}#invitations")
    secret = acting.invite(
        by=person,
        group=found.id,
        role=request.POST.get("role", ""),
        days=number_or_404(request.POST.get("days", "")),
        uses=number_or_404(request.POST.get("uses", "")),
    )
    return _shown(request, found, secret=secret)


def join(request: HttpRequest, secret: str) -> HttpResponse:
    """Where an invitation leads: which group it is, and a button. Raises Http404 for one that lets nobody in."""
    person = viewing.person(request)
    found = accounts.invited(secret[:100], person)
    if found is None:
        raise Http404("This invitation has expired, is used up or was taken back. Ask for another.")
    view, role = found
    if request.method == "POST":
        acting.join(by=person, secret=secret[:100])
        return HttpResponseRedirect(addresses.group(view.slug), status=HTTPStatus.SEE_OTHER)
    values = {"group": view, "role": str(role), "secret": secret, "noindex": True, "twin": ""}
    return page(request, "pages/group_join.html", values)


@require_safe
def this_week(request: HttpRequest, group: str) -> HttpResponse:
    """What the group voted for and put on its shelves in the last seven days. Raises Http404."""
    found = seen(request, group)
    doings = week(found, now=timezone.now())
    at = paging.page_number(request)
    here = addresses.group(found.slug, links.GROUP_WEEK)
    part = doings[(at - 1) * paging.PER_PAGE : at * paging.PER_PAGE]
    shown = {card.paper.id: card for card in cards.load_for(viewing.viewer(request), [each.paper_id for each in part])}
    values = {
        "group": found,
        "doings": [(shown[each.paper_id], each.words) for each in part if each.paper_id in shown],
        "total": len(doings),
        "pages": paging.pages(at, len(doings), lambda to: addresses.with_query(here, page=to)),
        "feed": here,
        "shows_votes": shows_votes(found),
        "noindex": found.is_private,
    }
    return page(request, "pages/group_week.html", values, canonical=addresses.with_query(here, page=at))
