"""How the digests by mail are doing: in a line for everybody, and mail by mail for operators, who can try again."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from broadsheet import links
from broadsheet.following.actions import delivering
from broadsheet.following.queries import deliveries
from broadsheet.following.queries.deliveries import Standing
from broadsheet.following.rules.delivering import State
from broadsheet.web import viewing, wording
from broadsheet.web.numbers import number_or_zero
from broadsheet.web.rendering import page

_DAYS = 7
_MATTERS = 100

CALLED = {
    State.WAITING: "tried again",
    State.FAILED: "failed",
    State.BOUNCED: "came back",
    State.DOUBTFUL: "may have arrived",
}


@require_http_methods(["GET", "HEAD", "POST"])
def outbox(request: HttpRequest) -> HttpResponse:
    """What became of the mails of the last days, and those to be seen to. Sent, a failed one is tried again."""
    if request.method == "POST":
        number = number_or_zero(request.POST.get("delivery", ""))
        delivering.try_again(by=viewing.person(request), delivery_id=number, now=timezone.now())
        return HttpResponseRedirect(links.STATUS_MAIL, status=HTTPStatus.SEE_OTHER)
    now = timezone.now()
    standing = deliveries.standing(now)
    values = {
        "standing": standing,
        "line": line(standing, now),
        "days": deliveries.days(count=_DAYS),
        "matters": deliveries.matters(limit=_MATTERS),
        "called": CALLED,
        "noindex": True,
    }
    return page(request, "pages/outbox.html", values)


def line(standing: Standing, now: datetime) -> str:
    """How mail goes, in one line; empty where no mail is set up and nobody asked for any."""
    if not sends():
        return "nothing is sent: no mail server is set" if standing.subscribed else ""
    parts = [wording.count(standing.subscribed, "subscription")]
    if standing.sent_at is not None:
        parts.append(f"the last sent {wording.eastern(standing.sent_at, near=now.astimezone(wording.EASTERN).date())}")
    if standing.waiting:
        parts.append(f"{wording.number(standing.waiting)} waiting")
    if standing.troubles:
        parts.append("not all goes out as it should")
    return ", ".join(parts)


def sends() -> bool:
    """Whether the settings say how mail is sent."""
    return bool(settings.BROADSHEET_MAIL or settings.BROADSHEET_MAIL_PROVIDER)
