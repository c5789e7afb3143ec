"""Digests by mail: asking for them, confirming, changing and leaving, without an account and with one.

Programs follow the links of a mail before its reader does: nothing is changed by looking at a page. The forms of one
subscription need no cookie and no token against forgery, as whoever does not know its secret cannot send them.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from broadsheet import links
from broadsheet.accounts import queries as accounts
from broadsheet.accounts.rules import Person, Refused
from broadsheet.following.actions import subscribing as actions
from broadsheet.following.queries import deliveries
from broadsheet.following.queries import subscribing as queries
from broadsheet.following.queries.subscribing import Subscribed
from broadsheet.following.rules import schedule
from broadsheet.following.rules.subscribing import (
    AGAIN,
    LONGEST_ADDRESS,
    Cadence,
    LeftBy,
    Notices,
    Typed,
    Unfit,
    Wish,
    read_address,
    read_wish,
    shortened_network,
    typed_of,
)
from broadsheet.web import proxies, viewing, wording
from broadsheet.web.digests.asking import in_words
from broadsheet.web.pages import refusals
from broadsheet.web.pages.sections import sections
from broadsheet.web.rendering import page

_log = logging.getLogger(__name__)

_PAGES = ("GET", "HEAD", "POST")
_FORMS = frozenset({"page", "front"})


@dataclass(frozen=True, slots=True)
class _Form:
    """A form as it is printed: what stands in it, what is wrong with its fields, and whether the browser may choose the
    zone.
    """

    typed: Typed
    problems: Mapping[str, str] = field(default_factory=dict)
    is_new: bool = False

    @property
    def status(self) -> HTTPStatus:
        """The status of the answer that prints it."""
        return HTTPStatus.UNPROCESSABLE_ENTITY if self.problems else HTTPStatus.OK


# --- Without an account -----------------------------------------------------------------------------------------------


@csrf_exempt
@require_http_methods(_PAGES)
def subscribe(request: HttpRequest) -> HttpResponse:
    """The form that asks for digests. Sent, a mail goes to the address; the answer is the same for every address."""
    if not settings.BROADSHEET_MAIL:
        status = HTTPStatus.CONFLICT if request.method == "POST" else HTTPStatus.OK
        return page(request, "pages/mail_off.html", {}, canonical=links.SUBSCRIBE, status=status)
    if request.method != "POST":
        return _asking(request, _Form(Typed(), is_new=True))
    if _is_from_elsewhere(request):
        return refusals.refused(request, refusals.FORGED, status=HTTPStatus.FORBIDDEN)
    typed, text = _typed(request), request.POST.get("address", "")
    address, wish, problems = _read(text, typed)
    if address is None or wish is None:
        return _asking(request, _Form(typed, problems), address=text)
    _ask(request, address, wish)
    return _private(page(request, "pages/mail_asked.html", {"address": address, "noindex": True}))


def _is_from_elsewhere(request: HttpRequest) -> bool:
    """Whether the page of another site sent the form; the form on the front page carries no token, so that anybody may
    keep that page.
    """
    origin = request.headers.get("Origin")
    return origin is not None and urlsplit(origin).netloc.lower() != request.get_host().lower()


def _typed(request: HttpRequest) -> Typed:
    """What stands in a form; what a shorter form does not ask is as usual."""
    sent, usual = request.POST, Typed()
    return Typed(
        cadence=sent.get("cadence", usual.cadence)[:20],
        hour=sent.get("hour", usual.hour)[:20],
        zone=sent.get("zone", "")[:80] or usual.zone,
        sections=tuple(slug[:120] for slug in sent.getlist("section")[:200]),
        searches=sent.get("searches", "")[:10_000],
        mine="mine" in sent,
        notices=sent.get("notices", usual.notices)[:20],
    )


def _read(text: str, typed: Typed) -> tuple[str | None, Wish | None, dict[str, str]]:
    """The address and the wish of a form, None for what is wrong, and the sentences that say what is."""
    problems: dict[str, str] = {}
    address, wish = None, None
    try:
        address = read_address(text)
    except Unfit as unfit:
        problems |= unfit.problems
    try:
        wish = _wish(typed)
    except Unfit as unfit:
        problems |= unfit.problems
    return address, wish, problems


def _wish(typed: Typed) -> Wish:
    return read_wish(typed, zones=schedule.zones(), is_section=queries.is_section)


def _ask(request: HttpRequest, address: str, wish: Wish) -> None:
    """Keep what is asked for. The worker sends the mail that asks to confirm: the answer waits for no mail server."""
    form = request.POST.get("form", "")
    consent = {"form": form if form in _FORMS else "page", "from": _network(request)}
    actions.ask(address=address, wish=wish, consent=consent, now=timezone.now())


def _network(request: HttpRequest) -> str:
    return shortened_network(proxies.sender(request))


def _asking(request: HttpRequest, form: _Form, *, address: str = "") -> HttpResponse:
    values = _fields(form) | {"address": address, "twin": ""}
    response = page(request, "pages/mail.html", values, canonical=links.SUBSCRIBE, status=form.status)
    return response if request.method in ("GET", "HEAD") else _private(response)


@csrf_exempt
@require_http_methods(_PAGES)
def confirm(request: HttpRequest, secret: str) -> HttpResponse:
    """One button that begins the subscription. A secret that is wrong, used or too old is answered alike."""
    now = timezone.now()
    if request.method == "POST":
        begun = actions.confirm(secret=secret, network=_network(request), now=now)
        if begun is None:
            return _dead(request)
        return _secret_page(request, "pages/mail_confirmed.html", {"subscribed": _shown(begun)})
    waiting = queries.waiting(secret, now=now)
    if waiting is None:
        return _dead(request)
    values = {"subscribed": _shown(waiting), "address": links.CONFIRM.format(secret=quote(secret, safe=""))}
    return _secret_page(request, "pages/mail_confirm.html", values)


@csrf_exempt
@require_http_methods(_PAGES)
def manage(request: HttpRequest, key: str) -> HttpResponse:
    """What somebody gets, and what became of each mail; the way to change it, to leave it and to come back."""
    found = queries.by_key(key)
    if found is None:
        return _dead(request)
    if request.method != "POST":
        return _managing(request, found, _Form(typed_of(found.wish)))
    now, do = timezone.now(), request.POST.get("do", "")
    if do == "again":
        return _managing(request, found, _Form(typed_of(found.wish)), said=_asked_again(request, found, now))
    typed = _typed(request) if do == "change" else typed_of(found.wish)
    try:
        said = _changed(found, do, typed, now)
    except Unfit as unfit:
        return _managing(request, found, _Form(typed, unfit.problems))
    except Refused as refused:
        return _managing(request, found, _Form(typed, {refused.field: str(refused)}))
    changed = queries.by_key(key)
    return _managing(request, changed, _Form(typed_of(changed.wish)), said=said) if changed else _dead(request)


def _asked_again(request: HttpRequest, found: Subscribed, now: datetime) -> str:
    """Ask a blocked address whether mail arrives again, and say what was done."""
    consent = {"form": AGAIN, "from": _network(request)}
    if not actions.ask_blocked(key=found.key, consent=consent, now=now):
        return (
            "A mail to confirm went there less than a day ago, or nothing is wrong with this address any more. "
            "Look for that mail, or come back tomorrow."
        )
    return "A mail is on its way. Follow its link and press the button; then digests come again."


def _changed(found: Subscribed, do: str, typed: Typed, now: datetime) -> str:
    """Do what a form asks with a subscription, and say what was done. Raises Unfit or Refused, and changes nothing."""
    if do == "leave":
        actions.leave(key=found.key, by=LeftBy.PAGE, now=now)
        return ""
    if do == "back":
        actions.come_back(key=found.key, now=now)
        return "You get it again."
    if do == "change":
        wish = _wish(typed)
        actions.change(key=found.key, wish=wish if found.has_account else _of_nobody(wish), now=now)
        return "Your choice is kept."
    return ""


def _of_nobody(wish: Wish) -> Wish:
    """The wish without what only an account has."""
    return replace(wish, mine=False, notices=Notices.NEVER)


@csrf_exempt
@require_http_methods(_PAGES)
def leave(request: HttpRequest, key: str) -> HttpResponse:
    """One button that ends the subscription, and what mail programs press for their reader (RFC 8058).

    A POST is all it takes, from anywhere, and is answered alike for every key; only a fault of ours is told, with
    status 503, so that the program tries again.
    """
    if request.method != "POST":
        return _secret_page(request, "pages/mail_leave.html", {})
    try:
        actions.leave(key=key, by=_left_by(request), now=timezone.now())
    except DatabaseError:
        _log.exception("a reader could not leave")
        response = refusals.refused(request, _NOT_LEFT, status=HTTPStatus.SERVICE_UNAVAILABLE)
        response.headers["Retry-After"] = "60"
        return response
    return _secret_page(request, "pages/mail_left.html", {})


_NOT_LEFT = "This could not be stored just now, and you still get the mail. Try again in a minute."


def _left_by(request: HttpRequest) -> LeftBy:
    return LeftBy.PAGE if "page" in request.POST else LeftBy.ONE_CLICK


# --- With an account --------------------------------------------------------------------------------------------------


@require_http_methods(_PAGES)
def mine(request: HttpRequest) -> HttpResponse:
    """The digests of an account, and the form for another; its address is confirmed already, so no mail asks again."""
    she = viewing.person(request)
    if request.method != "POST":
        return _mine(request, she, _new_form(she))
    if not settings.BROADSHEET_ACCOUNTS and "mine" in request.POST.getlist("do"):
        actions.claim(by=she, address=request.POST.get("address", "")[:LONGEST_ADDRESS], now=timezone.now())
        return _mine(request, she, _new_form(she), said="Digests to this address can have what you follow now.")
    typed = _typed(request)
    address = _address_of(she)
    if address is None or not settings.BROADSHEET_MAIL:
        return _mine(request, she, _Form(typed))
    try:
        wish = _wish(typed)
        consent = {"form": "account", "from": _network(request)}
        actions.subscribe_reader(by=she, address=address, wish=wish, consent=consent, now=timezone.now())
    except Unfit as unfit:
        return _mine(request, she, _Form(typed, unfit.problems))
    except Refused as refused:
        return _mine(request, she, _Form(typed, {refused.field: str(refused)}))
    return _mine(request, she, _new_form(she), said="Your choice is kept.")


def _new_form(person: Person) -> _Form:
    """The form for a digest of the first cadence of which she has none."""
    has = {each.wish.cadence for each in queries.of_person(person.id) if each.left_at is None}
    return _Form(
        Typed(cadence=next((each for each in Cadence if each not in has), Cadence.DAY), mine=True), is_new=True
    )


def _mine(request: HttpRequest, she: Person, form: _Form, *, said: str = "") -> HttpResponse:
    found = [_shown(each) for each in queries.of_person(she.id)]
    values = _fields(form) | {
        "address": _address_of(she),
        "unclaimed": [] if settings.BROADSHEET_ACCOUNTS else queries.unclaimed(),
        "subscriptions": found,
        "has_all": len([each for each in found if not each["left"]]) == len(Cadence),
        "said": said,
        "twin": "",
    }
    return page(request, "pages/mail_mine.html", values, status=form.status)


def _address_of(person: Person) -> str | None:
    """The address that the person has confirmed for her account, of several the one that gets mail; None without.

    Without accounts it is the one that she has said to be hers.
    """
    used = [each.address for each in queries.of_person(person.id)]
    if not settings.BROADSHEET_ACCOUNTS:
        return next(iter(used), None)
    confirmed = accounts.confirmed_addresses(person.id)
    return next(iter([address for address in used if address in confirmed] + confirmed), None)


# --- What the pages share ---------------------------------------------------------------------------------------------


def _managing(request: HttpRequest, found: Subscribed, form: _Form, *, said: str = "") -> HttpResponse:
    values = _fields(form) | {"subscribed": _shown(found), "said": said, "log": _log_of(found)}
    return _secret_page(request, "pages/mail_manage.html", values, status=form.status)


def _log_of(found: Subscribed) -> list[tuple[str, str]]:
    """The reader's own day of each mail, and what became of it."""
    return [(wording.weekday_text(each.slot), each.words) for each in deliveries.log(found.id)]


def _fields(form: _Form) -> dict[str, Any]:
    """What the fields of a wish need."""
    typed, listed = form.typed, [each.slug for each in sections()]
    return {
        "typed": typed,
        "problems": dict(form.problems),
        "guessed": form.is_new,
        "often": wording.OFTEN,
        "notices_by_mail": _NOTICES,
        "hours": [(str(hour), f"{hour:02}:00") for hour in schedule.HOURS],
        "zones": _zones(typed.zone),
        "listed": listed + [slug for slug in typed.sections if slug not in listed],
    }


_NOTICES = {
    Notices.NEVER: "Not by mail",
    Notices.WITH: "With the digest",
    Notices.ALONE: "Alone, without the papers of the edition",
}


# Regions of the zones' own names; what stands outside of them are old names, which are taken but not offered.
_REGIONS = (
    *("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"),
)


def _zones(chosen: str) -> dict[str, list[tuple[str, str]]]:
    """The zones for a list, by region: names, and how they are printed. The chosen one is in it, whatever its name."""
    found: dict[str, list[tuple[str, str]]] = {"UTC": [("UTC", "UTC")]}
    for name in sorted(schedule.zones()):
        region, _, place = name.partition("/")
        if region in _REGIONS:
            found.setdefault(region, []).append((name, place.replace("_", " ").replace("/", ", ")))
        elif name == chosen and name != "UTC":
            found["UTC"].append((name, name))
    return found


def _shown(found: Subscribed) -> dict[str, Any]:
    """A subscription as pages print it."""
    where = schedule.zone_of(found.wish.zone)
    due = found.next_at.astimezone(where) if found.next_at else None
    return {
        "address": found.address,
        "manage": links.MANAGE.format(key=found.key),
        "leave": links.LEAVE.format(key=found.key),
        "wish": in_words(found.wish),
        "often": wording.OFTEN[found.wish.cadence],
        "has_account": found.has_account,
        "is_on": found.is_on,
        "left": wording.day_text(found.left_at.astimezone(where).date()) if found.left_at else "",
        "blocked_because": found.blocked_because,
        "next": f"{wording.weekday_text(due.date())}, {due:%H:%M}" if due else "",
        "zone": found.wish.zone,
    }


def _dead(request: HttpRequest) -> HttpResponse:
    """The answer to a link that does nothing, the same whatever the reason."""
    return _secret_page(request, "pages/mail_dead.html", {}, status=HTTPStatus.NOT_FOUND)


def _secret_page(request: HttpRequest, template: str, values: Mapping[str, Any], *, status: int = 200) -> HttpResponse:
    """A page whose address is a secret: it is listed nowhere, and told to no page that it links to."""
    response = page(request, template, {**values, "noindex": True, "twin": ""}, status=status)
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex"
    return _private(response)


def _private(response: HttpResponse) -> HttpResponse:
    response.headers["Cache-Control"] = "no-store, private"
    return response
