"""What a reader follows and hides: the buttons, and the page of all of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from itertools import groupby

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_http_methods, require_POST

from broadsheet import links
from broadsheet.accounts.rules import Ground, Person, Refused
from broadsheet.community.actions import commenting
from broadsheet.following.actions import follows as actions
from broadsheet.following.queries import follows
from broadsheet.following.queries.follows import Followed
from broadsheet.following.rules.follows import (
    BEST_FOUND,
    LONGEST_HIDDEN,
    LONGEST_LABEL,
    MOST_FOLLOWED,
    MOST_SEARCHES,
    Hiding,
    Kind,
)
from broadsheet.following.rules.subscribing import LONGEST_SEARCH
from broadsheet.papers import queries as papers
from broadsheet.web import addresses, cards, viewing, wording
from broadsheet.web.following import Button
from broadsheet.web.numbers import number_or_zero
from broadsheet.web.pages import refusals
from broadsheet.web.rendering import page

HEADINGS = {
    Kind.SECTION: "Sections",
    Kind.AUTHOR: "Authors",
    Kind.GROUP: "Groups and organisations",
    Kind.SEARCH: "Searches",
    Kind.PERSON: "What people pick",
}


@dataclass(frozen=True, slots=True)
class Line:
    """Something that is followed: what it is called, where it is, and the address of its feed without a form."""

    row: Followed
    name: str
    url: str
    feed: str


def line(row: Followed) -> Line:
    """What a list says of a follow. What is gone has no address."""
    name = wording.section_name(row.target) if row.kind is Kind.SECTION else row.name
    return Line(row, name, "" if row.gone else _URLS[row.kind](row.target), links.FOLLOW_FEED.format(secret=row.key))


_URLS: dict[Kind, Callable[[str], str]] = {
    Kind.SECTION: addresses.section,
    Kind.AUTHOR: addresses.author,
    Kind.GROUP: addresses.group,
    Kind.SEARCH: lambda text: addresses.with_query(links.SEARCH, q=text),
    Kind.PERSON: lambda name: links.PERSON.format(name=name),
}


@require_POST
def follow(request: HttpRequest) -> HttpResponse:
    """Follows a list or ends that, and goes back; a form sent without a page gets the button as it is now.

    Raises Refused for what is not here, what cannot be followed, and one too many.
    """
    by = viewing.person(request)
    kind = _kind(request.POST.get("kind", ""))
    target, where = request.POST.get("target", ""), refusals.local(request, request.POST.get("next", ""))
    number = 0
    if request.POST.get("what") == "unfollow":
        actions.unfollow(by=by, follow_id=number_or_zero(request.POST.get("number", "")))
    else:
        number = actions.follow(by=by, kind=kind, target=target, label=request.POST.get("label", ""))
    if not request.headers.get("HX-Request"):
        return HttpResponseRedirect(where, status=HTTPStatus.SEE_OTHER)
    button = Button(kind, target, target, number, where)
    return page(request, "fragments/follow.html", {"follow": button})


def _kind(text: str) -> Kind:
    try:
        return Kind(text)
    except ValueError as error:
        sentence = "This is nothing that can be followed. Nothing was changed."
        raise Refused(sentence, ground=Ground.NOT_UNDERSTOOD) from error


@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """All that she follows and hides, with feeds; sent, one thing of it is changed. Raises Refused."""
    by = viewing.person(request)
    if request.method == "POST":
        _change(request, by)
        return HttpResponseRedirect(links.FOLLOWS, status=HTTPStatus.SEE_OTHER)
    return _page(request, by)


def _change(request: HttpRequest, by: Person) -> None:
    number, what = number_or_zero(request.POST.get("number", "")), request.POST.get("what", "")
    if what in ("digest", "no-digest"):
        actions.set_in_digest(by=by, follow_id=number, on=what == "digest")
    elif what == "unfollow":
        actions.unfollow(by=by, follow_id=number)
    elif what == "unfollow-paper":
        row = papers.find(request.POST.get("paper", ""))
        if row is not None:
            commenting.follow(by=by, paper_id=row.id, on=False)
    else:
        sentence = "This form asks for nothing that is known here. Nothing was changed."
        raise Refused(sentence, ground=Ground.NOT_UNDERSTOOD)


def _page(request: HttpRequest, by: Person, *, error: Refused | None = None) -> HttpResponse:
    lines = [line(row) for row in follows.follows_of(by)]
    values = {
        "kinds": [(HEADINGS[kind], list(its)) for kind, its in groupby(lines, key=lambda each: each.row.kind)],
        "papers": cards.load(follows.followed_papers(by)),
        "hidden": follows.hidings(by),
        "most": MOST_FOLLOWED,
        "most_searches": MOST_SEARCHES,
        "best": BEST_FOUND,
        "longest_search": LONGEST_SEARCH,
        "longest_label": LONGEST_LABEL,
        "longest_hidden": LONGEST_HIDDEN,
        "error": str(error or ""),
        "kind": request.POST.get("kind", Hiding.WORD),
        "value": request.POST.get("value", ""),
        "noindex": True,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK
    return page(request, "pages/follows.html", values, status=status)


@require_POST
def hide(request: HttpRequest) -> HttpResponse:
    """Hides a word, an author or a section from her lists, or shows it again; what is refused comes back as typed."""
    by = viewing.person(request)
    if request.POST.get("what") == "show":
        actions.show(by=by, hidden_id=number_or_zero(request.POST.get("number", "")))
        return _to_hidden()
    try:
        kind = _hiding(request.POST.get("kind", ""))
        actions.hide(by=by, kind=kind, value=request.POST.get("value", ""))
    except Refused as error:
        return _page(request, by, error=error)
    return _to_hidden()


def _to_hidden() -> HttpResponse:
    return HttpResponseRedirect(f"{links.FOLLOWS}#hidden", status=HTTPStatus.SEE_OTHER)


def _hiding(text: str) -> Hiding:
    try:
        return Hiding(text)
    except ValueError as error:
        sentence = "Words, authors and sections can be hidden. Nothing was changed."
        raise Refused(sentence, ground=Ground.NOT_UNDERSTOOD) from error
