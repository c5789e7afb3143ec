"""Answers to people who may not do what they asked: each says why, what was kept and what to do."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme

from broadsheet import links
from broadsheet.web.rates import Standing
from broadsheet.web.rendering import page

SHUT = "This page is shut. Its operator finds the reason in the log. Nothing was changed."
FORGED = (
    "This form was not sent from a page of ours, or the page was open for so long that it has expired. Nothing was "
    "changed. Go back, load the page again, and send it once more."
)
TOO_OFTEN = (
    "This was done too often in a short time. Nothing was changed. Come back in {wait} and try again; what you wrote "
    "is still in the page that you came from."
)
ZERO_BYTE = "What was asked for or sent holds a zero byte, which nothing here has. Nothing was changed."
WANTS = {
    "curator": "This is for curators of this paper. Nothing was changed.",
    "moderator": "This is for moderators of this paper. Nothing was changed.",
    "operator": "This is for the operator of this paper. Nothing was changed.",
}


def refused(request: HttpRequest, sentence: str, *, status: int) -> HttpResponse:
    """The page that says why; for a form that was sent without a page (htmx) the sentence alone."""
    if request.headers.get("HX-Request"):
        return HttpResponse(sentence, status=status, content_type="text/plain; charset=utf-8")
    return page(request, "pages/refused.html", {"sentence": sentence, "noindex": True}, status=status)


def too_often(request: HttpRequest, standing: Standing | None = None) -> HttpResponse:
    """The answer to one request too many: status 429, when to come back, and a sentence (RFC 6585, section 4)."""
    wait = standing.wait if standing else 60
    response = refused(request, TOO_OFTEN.format(wait=_in_words(wait)), status=HTTPStatus.TOO_MANY_REQUESTS)
    response.headers["Retry-After"] = str(wait)
    response.headers["Cache-Control"] = "no-store"
    return response


def _in_words(seconds: int) -> str:
    if seconds < 100:
        return f"{seconds} {'second' if seconds == 1 else 'seconds'}"
    return f"{-(-seconds // 60)} minutes"


def forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """What Django's protection against forged forms calls. `reason` is Django's own and goes to its log."""
    del reason
    return refused(request, FORGED, status=HTTPStatus.FORBIDDEN)


def sign_in_first(request: HttpRequest) -> HttpResponse:
    """The way to sign in and back: to the page itself, or to the one on which the form stood."""
    wanted = request.get_full_path() if request.method in ("GET", "HEAD") else request.POST.get("next", "")
    address = f"{links.SIGN_IN}?{urlencode({'next': local(request, wanted)})}"
    if request.headers.get("HX-Request"):
        return HttpResponse(status=HTTPStatus.NO_CONTENT, headers={"HX-Redirect": address})
    return HttpResponseRedirect(address, status=HTTPStatus.SEE_OTHER)


def local(request: HttpRequest, address: str) -> str:
    """The address if it is one of ours, else the front page: nobody is sent elsewhere by a link to us."""
    is_ours = url_has_allowed_host_and_scheme(
        address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return address if is_ours and address.startswith("/") else links.FRONT
