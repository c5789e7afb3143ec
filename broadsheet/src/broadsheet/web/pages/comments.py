"""Discussions: the part of a paper's page that shows one, and everything that people do in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from http import HTTPStatus

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from broadsheet.accounts import queries as accounts
from broadsheet.accounts.rules import Ground, Person, Refused
from broadsheet.community.actions import commenting
from broadsheet.community.queries import comments
from broadsheet.community.queries.comments import Comment, Discussion
from broadsheet.community.rules import markup
from broadsheet.community.rules.commenting import LIMITS, Draft, Shown
from broadsheet.papers import queries as papers
from broadsheet.web import addresses, cards, viewing
from broadsheet.web.numbers import number_or_zero
from broadsheet.web.pages import refusals
from broadsheet.web.rendering import page

# Where the threads of a page of a discussion begin, in the address of the paper's page.
THREADS = "threads"

_NO_PAPER = "There is no such paper here. Nothing was published."
_NO_COMMENT = "There is no such comment, or it is not yours to see."


@dataclass(frozen=True, slots=True)
class Writing:
    """A form for a comment: what stands in it, what it answers, and what was said against it.

    `groups` are those that it can be for; `preview` is what it would look like; `editing` the comment that is changed.
    """

    paper: papers.Paper
    url: str
    body: str = ""
    answered: Comment | None = None
    editing: Comment | None = None
    groups: tuple[tuple[int, str], ...] = ()
    group: int | None = None
    preview: str = ""
    error: str = ""

    @property
    def place(self) -> str:
        """What tells this form from others on the page."""
        if self.editing:
            return f"edit-{self.editing.id}"
        return f"answer-{self.answered.id}" if self.answered else "write"

    @property
    def title(self) -> str:
        """The paper's title in plain text."""
        return cards.plain(self.paper.title) or self.paper.key

    @property
    def longest(self) -> int:
        """Characters that a comment may have."""
        return LIMITS.longest


@dataclass(frozen=True, slots=True)
class Talk:
    """A discussion with what a page needs to show it: its form, and the addresses of its pages."""

    found: Discussion
    writing: Writing
    start: int

    @property
    def newer(self) -> str:
        """The address of the next page; empty on the last one."""
        return _threads(self.writing.url, self.found.following) if self.found.following else ""

    @property
    def beginning(self) -> str:
        """The address of the first page; empty on that one."""
        return "" if self.found.is_first else f"{self.writing.url}#discussion"


def talk(request: HttpRequest, row: papers.Paper, *, start: int | None = None) -> Talk:
    """The discussion of a shown paper, as the page of it shows it to who asks."""
    viewer = viewing.viewer(request)
    after = number_or_zero(request.GET.get(THREADS, "")) if start is None else start
    found = comments.discussion(row.id, viewer, after=after)
    return Talk(found, _writing(row, viewer), after)


@require_http_methods(["GET", "HEAD", "POST"])
def comment(request: HttpRequest) -> HttpResponse:
    """The form for a comment or an answer; sent, it is published, or shown with its preview or its fault.

    Raises Refused for a paper or a comment that is not there.
    """
    by = viewing.person(request)
    said = request.POST if request.method == "POST" else request.GET
    row = papers.find(said.get("paper", ""))
    if row is None:
        raise Refused(_NO_PAPER, ground=Ground.NOT_THERE)
    answered = _visible(number_or_zero(said.get("reply", "")), by) if said.get("reply") else None
    group = number_or_zero(said.get("group", "")) or None
    writing = _writing(row, by, answered=answered, group=group)
    if request.method != "POST":
        quoted = _quoted(answered) if answered and said.get("quote") else ""
        return _form(request, replace(writing, body=quoted))
    body = said.get("body", "")
    if said.get("what") == "preview":
        return _form(request, replace(writing, body=body, preview=markup.to_html(body)))
    try:
        draft = Draft(body, answered.id if answered else None, group)
        made = commenting.post_comment(by=by, paper_id=row.id, draft=draft)
    except Refused as error:
        return _form(request, replace(writing, body=body, error=str(error)), status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return _back(request, made, by)


@require_safe
def one(request: HttpRequest, number: str) -> HttpResponse:
    """From the lasting address of a comment to its place on the paper's page. Raises Http404 when it is not there."""
    place = comments.place(number_or_zero(number), viewing.viewer(request))
    if place is None:
        raise Http404(_NO_COMMENT)
    return HttpResponseRedirect(_place(number_or_zero(number), place))


@require_safe
def history(request: HttpRequest, number: str) -> HttpResponse:
    """What stood in a comment before it was edited. Raises Http404 where the comment cannot be read."""
    found = comments.one(number_or_zero(number), viewing.viewer(request))
    if found is None or not found.html:
        raise Http404(_NO_COMMENT)
    row = papers.by_ids([found.paper_id])[found.paper_id]
    values = {
        "comment": found,
        "revisions": comments.history(found.id),
        "title": cards.plain(row.title) or row.key,
        "url": addresses.paper(row.key),
        "noindex": True,
    }
    return page(request, "pages/comment_history.html", values)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, number: str) -> HttpResponse:
    """The form to edit one's own comment, and what it sends. Raises Refused for a comment of somebody else."""
    by = viewing.person(request)
    found = comments.one(number_or_zero(number), by)
    if found is None or not found.is_mine:
        raise Refused(commenting.NOT_THERE, ground=Ground.NOT_THERE)
    row = papers.by_ids([found.paper_id])[found.paper_id]
    writing = replace(_writing(row, by), editing=found)
    if request.method != "POST":
        return _form(request, replace(writing, body=found.body))
    body = request.POST.get("body", "")
    if request.POST.get("what") == "preview":
        return _form(request, replace(writing, body=body, preview=markup.to_html(body)))
    try:
        commenting.edit_comment(by=by, comment_id=found.id, body=body)
    except Refused as error:
        return _form(request, replace(writing, body=body, error=str(error)), status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return _back(request, found.id, by)


@require_POST
def remove(request: HttpRequest, number: str) -> HttpResponse:
    """Takes one's own comment back, or undoes that. Raises Refused for a comment of somebody else."""
    by = viewing.person(request)
    change = commenting.restore_comment if request.POST.get("what") == "restore" else commenting.remove_comment
    change(by=by, comment_id=number_or_zero(number))
    return _back(request, number_or_zero(number), by)


@require_POST
def follow(request: HttpRequest) -> HttpResponse:
    """Hear of new comments on a paper, or no longer. Raises Refused for a paper that is not there."""
    by = viewing.person(request)
    row = papers.find(request.POST.get("paper", ""))
    if row is None:
        raise Refused(_NO_PAPER, ground=Ground.NOT_THERE)
    commenting.follow(by=by, paper_id=row.id, on=request.POST.get("what") != "unfollow")
    if request.headers.get("HX-Request"):
        return _fragment(request, row, number_or_zero(request.POST.get(THREADS, "")))
    return HttpResponseRedirect(f"{addresses.paper(row.key)}#discussion", status=HTTPStatus.SEE_OTHER)


@require_POST
def mute(request: HttpRequest) -> HttpResponse:
    """Mutes a person or a thread, or ends that, and goes back. Raises Refused for what is not there."""
    by = viewing.person(request)
    what = request.POST.get("what", "")
    on = not what.startswith("unmute")
    if what.endswith("-thread"):
        commenting.mute_thread(by=by, comment_id=number_or_zero(request.POST.get("thread", "")), on=on)
    else:
        commenting.mute_person(by=by, person_id=number_or_zero(request.POST.get("person", "")), on=on)
    row = papers.find(request.POST.get("paper", "")) if request.headers.get("HX-Request") else None
    if row:
        return _fragment(request, row, number_or_zero(request.POST.get(THREADS, "")))
    wanted = refusals.local(request, request.POST.get("next", ""))
    return HttpResponseRedirect(wanted, status=HTTPStatus.SEE_OTHER)


def _back(request: HttpRequest, number: int, by: Person) -> HttpResponse:
    """To the comment in its discussion; for a form sent without a page, the discussion itself."""
    place = comments.place(number, by)
    if place is None:
        raise Http404(_NO_COMMENT)
    if request.headers.get("HX-Request"):
        return _fragment(request, papers.by_ids([place.paper_id])[place.paper_id], place.after)
    return HttpResponseRedirect(_place(number, place), status=HTTPStatus.SEE_OTHER)


def _fragment(request: HttpRequest, row: papers.Paper, start: int) -> HttpResponse:
    answer = page(request, "fragments/discussion.html", {"talk": talk(request, row, start=start)})
    answer.headers["HX-Retarget"] = "#discussion"
    answer.headers["HX-Reswap"] = "outerHTML"
    return answer


def _form(request: HttpRequest, writing: Writing, *, status: int = HTTPStatus.OK) -> HttpResponse:
    """The page of the form; for a form sent without a page, the form alone, to stand where it stood."""
    if request.headers.get("HX-Request"):
        return page(request, "fragments/writing.html", {"writing": writing})
    return page(request, "pages/comment_form.html", {"writing": writing, "noindex": True}, status=status)


def _place(number: int, place: comments.Place) -> str:
    row = papers.by_ids([place.paper_id])[place.paper_id]
    return _threads(addresses.paper(row.key), place.after, f"comment-{number}")


def _threads(url: str, after: int | None, anchor: str = "discussion") -> str:
    return f"{addresses.with_query(url, **{THREADS: after or None})}#{anchor}"


def _writing(
    row: papers.Paper, viewer: Person | None, *, answered: Comment | None = None, group: int | None = None
) -> Writing:
    mine = accounts.groups_seen(accounts.groups_of(viewer.id), viewer) if viewer and not answered else {}
    return Writing(
        paper=row,
        url=addresses.paper(row.key),
        answered=answered,
        groups=tuple(sorted(((one.id, one.name) for one in mine.values()), key=lambda pair: pair[1])),
        group=group,
    )


def _visible(number: int, by: Person) -> Comment:
    found = comments.one(number, by)
    if found is None or found.shown in (Shown.WITHDRAWN, Shown.REMOVED):
        raise Refused("The comment that you want to answer is not there any more.", ground=Ground.NOT_THERE)
    return found


def _quoted(answered: Comment) -> str:
    """The text of a comment as a quotation, and a line for the answer."""
    return "".join(f"> {line}".rstrip() + "\n" for line in answered.body.split("\n")) + "\n"
