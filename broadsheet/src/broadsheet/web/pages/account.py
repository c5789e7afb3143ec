"""A person's own pages: what others see of her, her settings, tokens, data, and leaving."""

from __future__ import annotations

import json
import secrets
from http import HTTPStatus

from allauth.account.adapter import get_adapter
from allauth.account.decorators import reauthentication_required
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth import get_user_model, logout
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.hashers import check_password, make_password
from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.core.validators import validate_email
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from broadsheet import links
from broadsheet.accounts import actions, queries
from broadsheet.accounts.rules import LIFETIMES, LONGEST_ABOUT, LONGEST_SHOWN, SCOPES, Ground, Person, Refused, Role
from broadsheet.community.queries import picks
from broadsheet.library import queries as library
from broadsheet.web import cards, joining
from broadsheet.web.following import Button, Kind, button
from broadsheet.web.rendering import page
from broadsheet.web.viewing import person, viewer

_EXPORT = "broadsheet-account"
# Where the other account stands that is to be joined: who it is, and the digest of the code that its mail holds.
_JOINING = "joining"
_JOINING_FOR = 15 * 60  # seconds
_MOST_CODES = 5
_PAGES = ("GET", "HEAD", "POST")


@require_safe
def profile(request: HttpRequest, name: str) -> HttpResponse:
    """What a person says of herself, since when she is here, and what she does in public. Raises Http404 for nobody."""
    found = queries.profile(name)
    if found is None:
        raise Http404("Nobody here has this name.")
    if name != found.person.name:
        return HttpResponseRedirect(links.PERSON.format(name=found.person.name), status=HTTPStatus.MOVED_PERMANENTLY)
    return page(
        request,
        "pages/account_profile.html",
        {
            "person": found.person,
            "about": found.about,
            "barred_because": "" if found.person.may_write(timezone.now()) else found.barred_because,
            "is_she": viewer(request) == found.person,
            "shelves": library.public_shelves_of(found.person),
            "picks": _picks(found.person.id),
            "follow": _following(request, found.person),
        },
        canonical=links.PERSON.format(name=found.person.name),
    )


def _following(request: HttpRequest, found: Person) -> Button | None:
    """The button that follows what a curator picks; none for others, and for herself."""
    if not found.is_a(Role.CURATOR) or viewer(request) == found:
        return None
    return button(request, Kind.PERSON, found.name, stored=str(found.id), name=f"what {found.shown} picks")


def _picks(person_id: int) -> list[tuple[cards.Card, picks.Picked]]:
    found = picks.by_person(person_id, limit=20)
    shown = {card.paper.id: card for card in cards.load(each.paper_id for each in found)}
    return [(shown[each.paper_id], each) for each in found if each.paper_id in shown]


@require_http_methods(_PAGES)
def settings_page(request: HttpRequest) -> HttpResponse:
    """What one says of oneself, and the way to all other settings."""
    she = person(request)
    if request.method != "POST":
        found = queries.profile(she.name)
        return _settings(request, she, (she.shown, found.about if found else ""))
    shown, about = request.POST.get("shown", ""), request.POST.get("about", "")
    try:
        she = actions.describe(by=she, shown=shown, about=about)
    except Refused as refused:
        return _settings(request, she, (shown, about), problem=refused)
    found = queries.profile(she.name)
    return _settings(request, she, (she.shown, found.about if found else ""), said="What you say is kept.")


def _settings(
    request: HttpRequest, she: Person, texts: tuple[str, str], *, said: str = "", problem: Refused | None = None
) -> HttpResponse:
    shown, about = texts
    return page(
        request,
        "pages/account_settings.html",
        {
            "person": she,
            "shown": shown,
            "about": about,
            "said": said,
            "problem": problem,
            "longest": (LONGEST_SHOWN, LONGEST_ABOUT),
            "has_accounts": settings.BROADSHEET_ACCOUNTS,
        },
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
    )


@require_http_methods(_PAGES)
@reauthentication_required(app="allauth.account", allow_get=True, enabled=lambda _request: settings.BROADSHEET_ACCOUNTS)
def tokens(request: HttpRequest) -> HttpResponse:
    """The person's tokens; a new one is shown this once. Whoever signed in a while ago says once more that it is she.

    A token outlives her session and her password, so a screen that was left alone is not enough to make one.
    """
    she = person(request)
    if request.method != "POST":
        return _tokens(request, she)
    wanted = request.POST
    try:
        secret = actions.make_token(
            by=she,
            name=wanted.get("name", ""),
            scopes=wanted.getlist("scope"),
            lifetime=wanted.get("lifetime", ""),
        )
    except Refused as refused:
        return _tokens(request, she, problem=refused)
    return _tokens(request, she, secret=secret)


def _tokens(request: HttpRequest, she: Person, *, secret: str = "", problem: Refused | None = None) -> HttpResponse:
    return page(
        request,
        "pages/account_tokens.html",
        {
            "tokens": queries.tokens(she.id),
            "scopes": list(SCOPES.items()),
            "lifetimes": list(LIFETIMES),
            "secret": secret,
            "problem": problem,
            "typed": request.POST if problem else {},
            "chosen": request.POST.getlist("scope") if problem else [],
        },
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
    )


@require_POST
def revoke(request: HttpRequest) -> HttpResponse:
    """Take a token out of use. Raises Refused for one that is not hers."""
    given = request.POST.get("token", "")
    if not (given.isascii() and given.isdecimal() and len(given) < 19):
        raise Refused("There is no such token.", ground=Ground.NOT_THERE)
    actions.revoke_token(by=person(request), token_id=int(given))
    return HttpResponseRedirect(links.TOKENS, status=HTTPStatus.SEE_OTHER)


@require_safe
def my_data(request: HttpRequest) -> HttpResponse:
    """Everything that this instance holds about the person, as one JSON file."""
    she = person(request)
    told = {
        "format": _EXPORT,
        "version": 1,
        "site": settings.BROADSHEET_SITE_NAME,
        "made_at": timezone.now(),
        "tables": queries.everything_about(she.id),
    }
    text = json.dumps(told, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1)
    response = HttpResponse(text, content_type="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="{she.name}.json"'
    return response


@require_http_methods(_PAGES)
@reauthentication_required(app="allauth.account", enabled=lambda _request: settings.BROADSHEET_ACCOUNTS)
def leave(request: HttpRequest) -> HttpResponse:
    """Say what deletion takes away, and delete. Whoever signed in a while ago says once more that it is she.

    Raises Refused on an instance without accounts.
    """
    she = person(request)
    if not settings.BROADSHEET_ACCOUNTS:
        raise Refused(
            "This paper has one reader, you. Delete its data folder to delete everything.", ground=Ground.NOT_ALLOWED
        )
    typed = request.POST.get("name", "")
    if request.method != "POST" or typed.strip().lower() != she.name:
        wrong = request.method == "POST"
        status = HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK
        return page(request, "pages/account_leave.html", {"person": she, "wrong": wrong}, status=status)
    joining.delete(she)
    logout(request)
    return page(request, "pages/account_gone.html", {"viewer": None})


@require_http_methods(_PAGES)
@reauthentication_required(app="allauth.account", enabled=lambda _request: settings.BROADSHEET_ACCOUNTS)
def merge(request: HttpRequest) -> HttpResponse:
    """Make one account of this one and another of the same person, who proves that the other is hers."""
    she = person(request)
    if request.method != "POST":
        return _merging(request, she)
    asked = request.POST.get("do", "")
    try:
        if asked == "mail":
            _mail_code(request, she, request.POST.get("login", ""))
            return _merging(request, she, mailed=True)
        other = _by_code(request) if asked == "code" else _by_password(request)
        joining.merge(kept=she, gone=other)
    except Refused as refused:
        return _merging(request, she, problem=refused, mailed=asked == "code")
    request.session.pop(_JOINING, None)
    return _merging(request, she, done=other.name)


def _merging(
    request: HttpRequest, she: Person, *, problem: Refused | None = None, mailed: bool = False, done: str = ""
) -> HttpResponse:
    return page(
        request,
        "pages/account_merge.html",
        {"person": she, "problem": problem, "mailed": mailed, "done": done, "login": request.POST.get("login", "")},
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
    )


_NOT_SHOWN_TO_BE_HERS = (
    "Name, password or code of the other account is not right. Nothing was changed. An account with an authenticator "
    "or a passkey needs its code too, or the code that is sent by mail."
)


def _by_password(request: HttpRequest) -> Person:
    """The other account, by its password and second factor. Raises Refused, always with the same words."""
    login = request.POST.get("login", "").strip()
    user = get_adapter().authenticate(
        request, username=login, email=login, password=request.POST.get("password", "") or "-"
    )
    if user is None or (is_mfa_enabled(user) and not _second(request, user)):
        raise Refused(_NOT_SHOWN_TO_BE_HERS, ground=Ground.NOT_UNDERSTOOD)
    return queries.as_person(user)


def _second(request: HttpRequest, user: AbstractBaseUser) -> bool:
    return bool(AuthenticateForm(user=user, data={"code": request.POST.get("code", "")}).is_valid())


def _mail_code(request: HttpRequest, she: Person, login: str) -> None:
    """Send a code to the address of the other account; for one that nobody has the page is the same."""
    login = login.strip().lower()
    code = f"{secrets.randbelow(10**10):010}"
    field = "email" if "@" in login else "name"
    user = get_user_model().objects.filter(**{field: login}, is_active=True).exclude(id=she.id).first()
    # A second factor is asked for by the way of the password; a mail alone must not walk past it.
    address = queries.confirmed_addresses(user.pk) if user and not is_mfa_enabled(user) else []
    request.session[_JOINING] = {
        "other": user.pk if user and address else 0,
        "code": make_password(code),
        "until": timezone.now().timestamp() + _JOINING_FOR,
        "tries": 0,
    }
    if user and address:
        told = {"into": she.name, "user": user, "code": code}
        get_adapter().send_mail("account/email/merge_code", address[0], told)
    elif field == "email" and not _email_problem(login):
        way = request.build_absolute_uri(links.SIGN_UP)
        get_adapter().send_mail("account/email/unknown_account", login, {"signup_url": way})


def _email_problem(address: str) -> bool:
    try:
        validate_email(address)
    except ValidationError:
        return True
    return False


def _by_code(request: HttpRequest) -> Person:
    """The other account, by the code that its mail holds. Raises Refused, always with the same words."""
    kept = request.session.get(_JOINING) or {}
    kept["tries"] = kept.get("tries", 0) + 1
    if kept["tries"] > _MOST_CODES or kept.get("until", 0) < timezone.now().timestamp():
        request.session.pop(_JOINING, None)
        raise Refused("This code is too old, or too many were tried. Ask for another.", ground=Ground.TOO_MUCH)
    request.session[_JOINING] = kept
    fits = check_password("".join(request.POST.get("code", "").split()), kept["code"])
    user = get_user_model().objects.filter(id=kept["other"], is_active=True).first()
    if not fits or user is None or is_mfa_enabled(user):
        raise Refused(_NOT_SHOWN_TO_BE_HERS, ground=Ground.NOT_UNDERSTOOD)
    return queries.as_person(user)
