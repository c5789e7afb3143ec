"""Where a group has editions posted to: a page for its owners and editors."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone

from broadsheet import links
from broadsheet.accounts.queries import GroupView
from broadsheet.accounts.rules import Ground, Refused
from broadsheet.following.actions import hooks as acting
from broadsheet.following.queries import hooks as queries
from broadsheet.following.rules.hooks import Form, Typed, Way
from broadsheet.following.rules.subscribing import Cadence
from broadsheet.web import addresses, viewing, wording
from broadsheet.web.numbers import number_or_404
from broadsheet.web.pages.groups import seen
from broadsheet.web.pages.sections import sections
from broadsheet.web.rendering import page

FORMS = {
    Form.SLACK: "Slack",
    Form.MATTERMOST: "Mattermost",
    Form.MATRIX: "Matrix, by a bridge for webhooks",
    Form.JSON: "JSON, for a program of yours",
}
CADENCES = {cadence: wording.OFTEN[cadence] for cadence in Cadence}
STATES = {
    Way.WAITING: "waiting",
    Way.CLAIMED: "being posted",
    Way.SENT: "posted",
    Way.NOTHING: "nothing to post",
    Way.FAILED: "not posted",
}


def hooks(request: HttpRequest, group: str) -> HttpResponse:
    """The page; adds, removes, tests and switches on. Raises Http404, and Refused for whoever may not."""
    found = seen(request, group)
    if not found.is_edited_by_viewer:
        raise Refused("Only owners and editors of the group see this.", ground=Ground.NOT_ALLOWED)
    if request.method != "POST":
        return _shown(request, found)
    if request.POST.get("what") == "add":
        return _added(request, found)
    _changed(request, found)
    return HttpResponseRedirect(addresses.group(found.slug, links.GROUP_HOOKS), status=HTTPStatus.SEE_OTHER)


def _added(request: HttpRequest, found: GroupView) -> HttpResponse:
    """The page with the new secret, which is shown only now; or with what was typed and what is wrong with it."""
    typed = _typed(request)
    try:
        number = acting.add_hook(by=viewing.person(request), group=found.id, typed=typed, now=timezone.now())
    except Refused as refused:
        if refused.ground is Ground.NOT_ALLOWED:
            raise
        return _shown(request, found, typed=typed, error=refused)
    return _shown(request, found, secret=queries.secret(number))


def _changed(request: HttpRequest, found: GroupView) -> None:
    person, number = viewing.person(request), number_or_404(request.POST.get("hook", ""))
    match request.POST.get("what"):
        case "remove":
            acting.remove_hook(by=person, group=found.id, hook_id=number)
        case "test":
            acting.send_test(by=person, group=found.id, hook_id=number, now=timezone.now())
        case "on":
            acting.switch_on(by=person, group=found.id, hook_id=number)
        case _:
            raise Refused("Say what to do. Nothing was changed.", ground=Ground.NOT_UNDERSTOOD)


def _typed(request: HttpRequest) -> Typed:
    sent = request.POST
    known = {each.slug for each in sections()}
    return Typed(
        address=sent.get("address", "")[:1000],
        form=sent.get("form", ""),
        cadence=sent.get("cadence", ""),
        sections=tuple(slug for slug in sent.getlist("section")[:200] if slug in known),
    )


def _shown(
    request: HttpRequest,
    found: GroupView,
    *,
    typed: Typed | None = None,
    error: Refused | None = None,
    secret: str = "",
) -> HttpResponse:
    values = {
        "group": found,
        "hooks": queries.hooks_of(found.id),
        "forms": FORMS,
        "cadences": CADENCES,
        "sections": sections(),
        "states": STATES,
        "typed": typed or Typed(),
        "error": str(error or ""),
        "field": error.field if error else "",
        "secret": secret,
        "noindex": True,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK
    where = addresses.group(found.slug, links.GROUP_HOOKS)
    return page(request, "pages/group_hooks.html", values, canonical=where, status=status)
