"""Voting for a paper, and the list of what a person voted for."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_POST, require_safe

from broadsheet import links
from broadsheet.accounts.rules import Ground, Refused
from broadsheet.community.actions import voting
from broadsheet.community.queries import votes
from broadsheet.community.queries.votes import Counted
from broadsheet.papers import queries as papers
from broadsheet.web import addresses, cards, viewing
from broadsheet.web.pages import refusals
from broadsheet.web.rendering import page

CAST = "cast"
WITHDRAW = "withdraw"
LISTED = 60


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the fragment needs of a card."""

    paper: papers.Paper
    title_text: str
    url: str
    tally: Counted


@require_POST
def vote(request: HttpRequest) -> HttpResponse:
    """Casts or withdraws a vote, and goes back to the page; a form sent without a page gets the new count.

    Raises Refused for a paper that is not here, for anything but cast and withdraw, and for who is barred.
    """
    by = viewing.person(request)
    row = papers.find(request.POST.get("paper", ""))
    if row is None:
        raise Refused(voting.NO_PAPER, ground=Ground.NOT_THERE)
    what = request.POST.get("what", "")
    if what not in (CAST, WITHDRAW):
        raise Refused("A vote is cast or withdrawn. Nothing was changed.", ground=Ground.NOT_UNDERSTOOD)
    act = voting.cast_vote if what == CAST else voting.withdraw_vote
    tally = act(by=by, paper_id=row.id)
    if not request.headers.get("HX-Request"):
        wanted = refusals.local(request, request.POST.get("next", ""))
        return HttpResponseRedirect(wanted, status=HTTPStatus.SEE_OTHER)
    card = _Shown(row, cards.plain(row.title) or row.key, addresses.paper(row.key), tally)
    where = refusals.local(request, request.POST.get("next", ""))
    return page(request, "fragments/vote.html", {"card": card, "where": where})


@require_safe
def voted(request: HttpRequest) -> HttpResponse:
    """What she voted for, the newest first, with the state of each vote. Only she sees it."""
    by = viewing.person(request)
    start = _start(request.GET.get("after", ""))
    found = votes.voted_by(by.id, after=start, limit=LISTED + 1)
    rows = papers.by_ids({each.paper_id for each in found})
    values = {
        "votes": [(each, cards.Card(rows[each.paper_id])) for each in found[:LISTED] if each.paper_id in rows],
        "older": addresses.with_query(links.VOTES, after=start + LISTED) if len(found) > LISTED else "",
        "newest": links.VOTES if start else "",
        "noindex": True,
    }
    return page(request, "pages/votes.html", values)


def _start(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 0
