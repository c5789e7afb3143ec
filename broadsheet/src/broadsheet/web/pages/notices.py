"""What a person is told, of what she wants to be told, and whom she has muted."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_http_methods

from broadsheet import links
from broadsheet.accounts.rules import Person, Role
from broadsheet.community.actions import notices as actions
from broadsheet.community.queries import comments, moderation
from broadsheet.community.queries import notices as queries
from broadsheet.community.rules.notices import MOST_COUNTED, kinds_for
from broadsheet.papers import queries as papers
from broadsheet.web import addresses, cards, excerpts, viewing
from broadsheet.web.numbers import number_or_zero
from broadsheet.web.rendering import page

_EXCERPT = 160


@dataclass(frozen=True, slots=True)
class Told:
    """A notice with the title and the address of the paper that it is about, and the beginning of the comment."""

    notice: queries.Notice
    title: str
    url: str
    excerpt: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """What the masthead counts for a person: notices, and for moderators what waits for them; empty for none."""

    notices: str
    moderation: str


def waiting(person: Person) -> Waiting:
    """What waits for her, in one question, for moderators in three."""
    unread = queries.unread(person)
    told = f"{MOST_COUNTED}+" if unread > MOST_COUNTED else str(unread or "")
    if not person.is_a(Role.MODERATOR):
        return Waiting(told, "")
    for_her = moderation.waiting()
    return Waiting(told, str(for_her.flagged + for_her.appeals or ""))


@require_http_methods(["GET", "HEAD", "POST"])
def notices(request: HttpRequest) -> HttpResponse:
    """Her notices, the newest first, and what was decided about her. Sent, they are marked as read."""
    by = viewing.person(request)
    if request.method == "POST":
        actions.mark_read(by=by, upto=number_or_zero(request.POST.get("upto", "")))
        return HttpResponseRedirect(links.NOTICES, status=HTTPStatus.SEE_OTHER)
    before = number_or_zero(request.GET.get("before", "")) or None
    found, following = queries.listed(by, before=before)
    values = {
        "notices": _told(found),
        "upto": found[0].id if found else 0,
        "has_new": any(not each.is_read for each in found),
        "older": addresses.with_query(links.NOTICES, before=following) if following else "",
        "newest": links.NOTICES if before else "",
        "decisions": moderation.concerning(by) if before is None else [],
        "noindex": True,
    }
    return page(request, "pages/notices.html", values)


@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest) -> HttpResponse:
    """Of what she wants to be told, and the people whom she has muted. Sent, it is kept."""
    by = viewing.person(request)
    if request.method == "POST":
        wanted = set(request.POST.getlist("kind"))
        actions.set_silence(
            by=by, kinds=[kind for kind, rule in kinds_for(by).items() if rule.may_be_off and kind not in wanted]
        )
        return HttpResponseRedirect(f"{links.NOTICE_SETTINGS}?kept=1", status=HTTPStatus.SEE_OTHER)
    values = {
        "kinds": kinds_for(by),
        "silenced": queries.silenced(by),
        "muted": comments.muted_people(by),
        "kept": "kept" in request.GET,
        "noindex": True,
    }
    return page(request, "pages/notice_settings.html", values)


def _told(found: list[queries.Notice]) -> list[Told]:
    wanted = {each.paper_id for each in found if each.paper_id}
    rows = papers.by_ids(wanted)
    told = []
    for each in found:
        row = rows.get(each.paper_id or 0)
        title = (cards.plain(row.title) or row.key) if row else ""
        text = " ".join(each.comment.body.split()) if each.comment else ""
        told.append(Told(each, title, addresses.paper(row.key) if row else "", excerpts.cut(text, _EXCERPT)))
    return told
