"""Proposing a paper, what became of one's proposals, and picking papers for the front page."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from broadsheet import links
from broadsheet.accounts.rules import Ground, Refused
from broadsheet.community.actions import picks as picking
from broadsheet.community.actions import submissions as proposing
from broadsheet.community.queries import picks, submissions
from broadsheet.community.rules.submissions import LONGEST_NOTE, State
from broadsheet.editions import queries as editions
from broadsheet.editions.rules import Kind
from broadsheet.papers import queries as papers
from broadsheet.web import addresses, cards, viewing, wording
from broadsheet.web.numbers import number_or_zero, number_sent
from broadsheet.web.pages import refusals
from broadsheet.web.pages.listing import text_of
from broadsheet.web.rendering import page

UNDERSTOOD = "That number names no proposal. Nothing was changed."

_STATES = {
    State.PENDING: "waits",
    State.ARRIVED: "is here",
    State.REFUSED: "was refused",
    State.WITHDRAWN: "withdrawn",
}


@require_http_methods(["GET", "HEAD", "POST"])
def propose(request: HttpRequest) -> HttpResponse:
    """The form to propose a paper. A paper that is here already leads to its page, any other to the list of hers.

    What is refused is said beside its field, and what she typed stays. Raises Refused where no field is wrong.
    """
    if request.method != "POST":
        return _form(request, text_of(request, "paper")[:500], "")
    named, note = request.POST.get("paper", ""), request.POST.get("note", "")
    try:
        done = proposing.propose_paper(by=viewing.person(request), text=named, note=note)
    except Refused as refused:
        if not refused.field:
            raise
        return _form(request, named[:2000], note[:20_000], refused)
    where = addresses.paper(done.key) if done.key else links.PROPOSALS
    if done.submission_id and not done.new:
        where = addresses.with_query(links.PROPOSALS, known=done.submission_id)
    return HttpResponseRedirect(where, status=HTTPStatus.SEE_OTHER)


def _form(request: HttpRequest, named: str, note: str, refused: Refused | None = None) -> HttpResponse:
    values = {
        "named": named,
        "note": note,
        "longest": LONGEST_NOTE,
        "wrong": refused.field if refused else "",
        "sentence": str(refused) if refused else "",
        "noindex": True,
    }
    return page(request, "pages/propose.html", values, status=HTTPStatus.UNPROCESSABLE_ENTITY if refused else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def proposals(request: HttpRequest) -> HttpResponse:
    """What she proposed and what became of it; POST withdraws one that waits. Raises Refused where there is none."""
    by = viewing.person(request)
    if request.method == "POST":
        proposing.withdraw_submission(by=by, submission_id=number_sent(request, "id", UNDERSTOOD))
        return HttpResponseRedirect(links.PROPOSALS, status=HTTPStatus.SEE_OTHER)
    known = text_of(request, "known")
    other = submissions.one(number_or_zero(known))
    found = submissions.by_person(by.id)
    rows = papers.by_ids({each.paper_id for each in found if each.paper_id})
    values = {
        "proposals": [(each, _STATES[each.state], _card(each, rows)) for each in found],
        "other": other if other and other.by.id != by.id and other.state is State.PENDING else None,
        "waits": any(each.state is State.PENDING for each in found),
        "noindex": True,
    }
    return page(request, "pages/proposals.html", values)


def _card(proposed: submissions.Proposed, rows: dict[int, papers.Paper]) -> cards.Card | None:
    row = rows.get(proposed.paper_id) if proposed.paper_id else None
    return cards.Card(row) if row else None


@require_POST
def pick(request: HttpRequest) -> HttpResponse:
    """Puts a paper on the front page, or takes a pick back, and goes back to the page. Raises Refused."""
    by = viewing.person(request)
    if request.POST.get("what") == "undo":
        picking.undo_pick(by=by, pick_id=number_sent(request, "id", "That number names no pick. Nothing was changed."))
    else:
        row = papers.find(request.POST.get("paper", ""))
        if row is None:
            raise Refused("There is no such paper here. Nothing was picked.", ground=Ground.NOT_THERE)
        picking.pick_paper(by=by, paper_id=row.id, day=front_day(), note=request.POST.get("note", ""))
    wanted = refusals.local(request, request.POST.get("next", ""))
    return HttpResponseRedirect(wanted, status=HTTPStatus.SEE_OTHER)


def front_day(edition: editions.Edition | None = None) -> date:
    """The day under which picks stand on the front page: that of its edition, or today's where that is of no day."""
    edition = edition or editions.front()
    if edition is not None and edition.kind is Kind.DAY:
        return edition.start
    return timezone.now().astimezone(wording.EASTERN).date()


def picked_on(day: date) -> dict[int, picks.Picked]:
    """The picks of a day by the paper that they are of."""
    return {each.paper_id: each for each in picks.of_day(day)}
