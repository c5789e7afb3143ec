"""Flags, the queue of moderators, their public log, and appeals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import TypeVar

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from broadsheet import links
from broadsheet.accounts.rules import Ground, Refused
from broadsheet.community.actions import moderating
from broadsheet.community.queries import moderation, votes
from broadsheet.community.rules.moderating import (
    LONGEST_WORDS,
    TARGETS,
    Deed,
    Reason,
    Ruling,
    Subject,
    Target,
    deeds_for,
    flaws_of,
    reasons_for,
)
from broadsheet.papers import queries as papers
from broadsheet.web import addresses, cards, viewing
from broadsheet.web.numbers import number_or_zero
from broadsheet.web.pages import refusals
from broadsheet.web.rendering import page

_Choice = TypeVar("_Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Where:
    """The paper that something stands on, for a line of a list."""

    title: str
    url: str


@require_safe
def queue(request: HttpRequest) -> HttpResponse:
    """What waits for moderators: what was flagged, appeals, and votes that were held back."""
    by = viewing.person(request)
    matters = moderation.queue(by)
    rings = votes.rings()
    values = {
        "matters": matters,
        "appeals": moderation.appeals(),
        "rings": rings,
        "where": _where({each.paper_id for each in matters if each.paper_id} | {ring.paper_id for ring in rings}),
        "targets": TARGETS,
        "noindex": True,
    }
    return page(request, "pages/moderation.html", values)


@require_safe
def log(request: HttpRequest) -> HttpResponse:
    """Everything that moderators decided, the newest first, for everybody to read."""
    before = number_or_zero(request.GET.get("before", "")) or None
    acts, following = moderation.log(before=before)
    values = {
        "acts": acts,
        "where": _where({act.paper_id for act in acts if act.paper_id}),
        "targets": TARGETS,
        "older": addresses.with_query(links.MODERATION_LOG, before=following) if following else "",
        "newest": links.MODERATION_LOG if before else "",
    }
    return page(request, "pages/moderation_log.html", values, canonical=links.MODERATION_LOG)


@require_http_methods(["GET", "HEAD", "POST"])
def decide(request: HttpRequest) -> HttpResponse:
    """One thing with what was said of it and done to it, and the form to decide. Raises Http404 where there is none."""
    by = viewing.person(request)
    said = request.POST if request.method == "POST" else request.GET
    subject = _subject(said)
    error = ""
    if request.method == "POST":
        try:
            moderating.moderate(by=by, subject=subject, ruling=_ruling(said))
        except Refused as refused:
            error = str(refused)
        else:
            return HttpResponseRedirect(_address(subject), status=HTTPStatus.SEE_OTHER)
    matter = moderation.matter(subject, by)
    if matter is None:
        raise Http404("There is nothing of that kind to decide about.")
    values = {
        "matter": matter,
        "flags": moderation.flags_of(subject),
        "acts": moderation.of_subject(subject),
        "where": _where({matter.paper_id} if matter.paper_id else set()),
        "target": TARGETS[subject.target],
        "choices": deeds_for(subject.target),
        "reasons": reasons_for(subject.target),
        "said": {name: said.get(name, "") for name in ("deed", "reason", "words", "until")},
        "days": _days(),
        "longest": LONGEST_WORDS,
        "error": error,
        "noindex": True,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK
    return page(request, "pages/moderation_decide.html", values, status=status)


@require_POST
def undo(request: HttpRequest) -> HttpResponse:
    """Undoes the last decision about something, and goes back to the log. Raises Refused where it cannot be undone."""
    act = number_or_zero(request.POST.get("act", ""))
    moderating.undo(by=viewing.person(request), act_id=act, words=request.POST.get("words", ""))
    wanted = refusals.local(request, request.POST.get("next", "") or links.MODERATION_LOG)
    return HttpResponseRedirect(wanted, status=HTTPStatus.SEE_OTHER)


@require_http_methods(["GET", "HEAD", "POST"])
def flag(request: HttpRequest) -> HttpResponse:
    """The form that asks moderators to look at something, and what it sends. Raises Http404 where there is nothing."""
    by = viewing.person(request)
    said = request.POST if request.method == "POST" else request.GET
    subject = _subject(said)
    matter = moderation.matter(subject, by)
    if matter is None or subject.target in (Target.DISCUSSION, Target.RING):
        raise Http404("There is nothing of that kind to flag.")
    error, is_sent = "", False
    if request.method == "POST":
        try:
            reason = _chosen(Reason, said.get("reason", "")) or Reason.OTHER
            moderating.flag(by=by, subject=subject, reason=reason, words=said.get("words", ""))
            is_sent = True
        except Refused as refused:
            error = str(refused)
    values = {
        "matter": matter,
        "target": TARGETS[subject.target],
        "reasons": flaws_of(subject.target),
        "where": _where({matter.paper_id} if matter.paper_id else set()),
        "said": {name: said.get(name, "") for name in ("reason", "words")},
        "longest": LONGEST_WORDS,
        "error": error,
        "is_sent": is_sent,
        "noindex": True,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK
    return page(request, "pages/flag.html", values, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def appeal(request: HttpRequest) -> HttpResponse:
    """The form to say something against a decision about oneself. Raises Http404 for decisions about others."""
    by = viewing.person(request)
    said = request.POST if request.method == "POST" else request.GET
    wanted = number_or_zero(said.get("act", ""))
    act = next((act for act, _ in moderation.concerning(by) if act.id == wanted), None)
    if act is None:
        raise Http404("There is no such decision about you.")
    error = ""
    if request.method == "POST":
        try:
            moderating.appeal(by=by, act_id=act.id, words=said.get("words", ""))
        except Refused as refused:
            error = str(refused)
        else:
            return HttpResponseRedirect(f"{links.NOTICES}#decisions", status=HTTPStatus.SEE_OTHER)
    values = {
        "act": act,
        "targets": TARGETS,
        "words": said.get("words", ""),
        "longest": LONGEST_WORDS,
        "error": error,
        "noindex": True,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK
    return page(request, "pages/appeal.html", values, status=status)


@require_POST
def decide_appeal(request: HttpRequest) -> HttpResponse:
    """Grants an appeal or turns it down, with an answer, and goes back to the queue. Raises Refused with the reason."""
    moderating.decide_appeal(
        by=viewing.person(request),
        appeal_id=number_or_zero(request.POST.get("appeal", "")),
        grant=request.POST.get("what") == "grant",
        answer=request.POST.get("answer", ""),
    )
    return HttpResponseRedirect(links.MODERATION, status=HTTPStatus.SEE_OTHER)


def _subject(said: QueryDict) -> Subject:
    """What a form or an address speaks of. Raises Http404 where it speaks of nothing."""
    target = _chosen(Target, said.get("target", ""))
    if target is None:
        raise Http404("There is nothing of that kind.")
    return Subject(target, number_or_zero(said.get("id", "")))


def _ruling(said: QueryDict) -> Ruling:
    """What a form decides. Raises Refused where something was not chosen."""
    deed, reason = _chosen(Deed, said.get("deed", "")), _chosen(Reason, said.get("reason", ""))
    if deed is None or reason is None:
        raise Refused(moderating.UNCHOSEN, ground=Ground.NOT_UNDERSTOOD)
    return Ruling(deed, reason, said.get("words", ""), _end_of(said.get("until", "")) if deed is Deed.BAR else None)


def _chosen(kind: type[_Choice], text: str) -> _Choice | None:
    return kind(text) if text in set(kind) else None


def _end_of(day: str) -> datetime | None:
    """The end of a day as a browser sends it; None for what is no day."""
    try:
        return datetime.combine(datetime.strptime(day, "%Y-%m-%d").date(), time.max, UTC)  # noqa: DTZ007  a day only
    except ValueError:
        return None


def _days() -> tuple[str, str]:
    """The first and the last day until which somebody can be barred."""
    today = timezone.now().date()
    return (today + timedelta(days=1)).isoformat(), (today + moderating.LONGEST_BAR - timedelta(days=1)).isoformat()


def _address(subject: Subject) -> str:
    return addresses.with_query(links.MODERATION_DECIDE, target=subject.target.value, id=subject.id)


def _where(ids: set[int]) -> dict[int, Where]:
    rows = papers.by_ids(ids)
    return {paper: Where(cards.plain(row.title) or row.key, addresses.paper(row.key)) for paper, row in rows.items()}
