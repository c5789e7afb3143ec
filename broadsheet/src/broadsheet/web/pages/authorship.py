"""Claiming a paper as one's own, deciding about claims, and what authors add: links, and answers to measurements."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_http_methods, require_POST

from broadsheet import links
from broadsheet.accounts.rules import Ground, Person, Refused, Role
from broadsheet.bibliography import names
from broadsheet.community.actions import authorship as authoring
from broadsheet.community.queries import authorship, picks, submissions
from broadsheet.community.rules.authorship import LinkKind, State
from broadsheet.evidence import queries as evidence
from broadsheet.papers import queries as papers
from broadsheet.web import addresses, cards, viewing
from broadsheet.web.numbers import number_sent
from broadsheet.web.pages import refusals
from broadsheet.web.rendering import page

# Names that the form lists; papers of great collaborations print thousands.
_NAMES = 3_000
_NO_NUMBER = "That number names nothing here. Nothing was changed."
_NO_PAPER = "There is no such paper here. Nothing was changed."
KINDS = {LinkKind.CODE: "code", LinkKind.PROJECT: "the project's page", LinkKind.DATA: "data"}


@dataclass(frozen=True, slots=True)
class Involved:
    """What people have to do with a paper, for its page: who wrote, proposed and picked it, and what authors added.

    `is_author` and `is_curator` say what the viewer may do there; `mine` is her own claim.
    """

    claims: list[authorship.Claim]
    decisions: list[authorship.Claim]
    links: list[authorship.Link]
    removed: list[authorship.Link]
    answers: dict[str, list[authorship.Answer]]
    picks: list[picks.Picked]
    proposals: list[submissions.Proposed]
    is_author: bool
    is_curator: bool
    mine: authorship.Claim | None


def involved(row: papers.Paper, found: evidence.Known, viewer: Person | None) -> Involved:
    """What people have to do with a shown paper, of which this is known."""
    claims = authorship.claims_of(row.id)
    mine = next((claim for claim in claims if viewer and claim.by.id == viewer.id), None)
    is_author = mine is not None and mine.state is State.CONFIRMED
    is_curator = viewer is not None and viewer.is_a(Role.CURATOR)
    digests = [each.digest for finding in found.findings for each in (finding.measured, *finding.others)]
    return Involved(
        claims=claims,
        decisions=authorship.decisions_of(row.id),
        links=authorship.links_of(row.id),
        removed=authorship.removed_links_of(row.id, viewer) if viewer and (is_author or is_curator) else [],
        answers=authorship.answers_to(digests) if digests else {},
        picks=picks.of_paper(row.id),
        proposals=submissions.of_paper(row.id),
        is_author=is_author,
        is_curator=is_curator,
        mine=mine,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def claim(request: HttpRequest) -> HttpResponse:
    """The form in which she says which author of a paper she is; POST claims it, or withdraws a claim of hers.

    Raises Http404 where the paper is not here, and Refused.
    """
    by = viewing.person(request)
    if request.POST.get("what") == "withdraw":
        return _to(authoring.withdraw_claim(by=by, claim_id=number_sent(request, "id", _NO_NUMBER)))
    asked = request.POST if request.method == "POST" else request.GET
    row = papers.find_in_any_spelling(asked.get("paper", "")[:300])
    if row is None:
        raise Http404("There is no such paper here.")
    if request.method != "POST":
        return _form(request, row, by)
    author, note = request.POST.get("author", ""), request.POST.get("note", "")
    try:
        authoring.claim_authorship(by=by, paper_id=row.id, author=author, note=note)
    except Refused as refused:
        if not refused.field:
            raise
        return _form(request, row, by, refused)
    return _to(row.id)


def _form(request: HttpRequest, row: papers.Paper, by: Person, refused: Refused | None = None) -> HttpResponse:
    """The form, and what was typed into it before it was refused."""
    values = {
        "card": cards.Card(row),
        "names": [(name, names.printed(name)) for name in row.authors[:_NAMES] if names.slug(name)],
        "author": request.POST.get("author", "")[:500],
        "note": request.POST.get("note", "")[:20_000],
        "wrong": refused.field if refused else "",
        "sentence": str(refused) if refused else "",
        "orcid": authorship.orcid_of(by.id),
        "domains": authorship.domains_of(by.id),
        "noindex": True,
    }
    return page(request, "pages/claim.html", values, status=HTTPStatus.UNPROCESSABLE_ENTITY if refused else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def claims(request: HttpRequest) -> HttpResponse:
    """The claims that wait for a curator; POST decides about one, with a reason that is public. Raises Refused."""
    by = viewing.person(request)
    if request.method == "POST":
        acts: dict[str, Callable[..., int]] = {
            "confirm": authoring.confirm_claim,
            "refuse": authoring.refuse_claim,
            "undo": authoring.undo_claim,
        }
        act = acts.get(request.POST.get("what", ""))
        if act is None:
            raise Refused("A claim is confirmed, refused or undone. Nothing was changed.", ground=Ground.NOT_UNDERSTOOD)
        act(by=by, claim_id=number_sent(request, "id", _NO_NUMBER), reason=request.POST.get("reason", ""))
        return _back(request, links.CLAIMS)
    waiting = authorship.pending()
    rows = papers.by_ids({each.paper_id for each in waiting})
    told = [(each, cards.Card(rows[each.paper_id])) for each in waiting if each.paper_id in rows]
    return page(request, "pages/claims.html", {"claims": told, "noindex": True})


@require_POST
def author_links(request: HttpRequest) -> HttpResponse:
    """Links something to a paper, removes a link, or undoes that. Raises Refused."""
    by = viewing.person(request)
    what = request.POST.get("what", "")
    if what == "remove":
        authoring.unlink(by=by, link_id=number_sent(request, "id", _NO_NUMBER))
    elif what == "undo":
        authoring.relink(by=by, link_id=number_sent(request, "id", _NO_NUMBER))
    else:
        kind, url = request.POST.get("kind", ""), request.POST.get("url", "")
        authoring.link(by=by, paper_id=_paper(request).id, kind=kind, url=url)
    return _back(request, links.FRONT)


@require_POST
def answers(request: HttpRequest) -> HttpResponse:
    """Answers a measurement of a paper, or removes an answer. Raises Refused."""
    by = viewing.person(request)
    if request.POST.get("what") == "remove":
        authoring.take_answer_back(by=by, answer_id=number_sent(request, "id", _NO_NUMBER))
        return _back(request, links.FRONT)
    row, digest = _paper(request), request.POST.get("measurement", "")
    found = evidence.known([row.id]).get(row.id, evidence.Known())
    if digest not in {each.digest for finding in found.findings for each in (finding.measured, *finding.others)}:
        raise Refused("There is no such measurement of this paper. Nothing was changed.", ground=Ground.NOT_THERE)
    authoring.answer(by=by, paper_id=row.id, measurement=digest, body=request.POST.get("body", ""))
    return _back(request, links.FRONT)


def _paper(request: HttpRequest) -> papers.Paper:
    row = papers.find(request.POST.get("paper", ""))
    if row is None:
        raise Refused(_NO_PAPER, ground=Ground.NOT_THERE)
    return row


def _to(paper_id: int) -> HttpResponse:
    row = papers.by_ids([paper_id])[paper_id]
    return HttpResponseRedirect(f"{addresses.paper(row.key)}#authors", status=HTTPStatus.SEE_OTHER)


def _back(request: HttpRequest, otherwise: str) -> HttpResponse:
    wanted = refusals.local(request, request.POST.get("next", "") or otherwise)
    return HttpResponseRedirect(wanted, status=HTTPStatus.SEE_OTHER)
