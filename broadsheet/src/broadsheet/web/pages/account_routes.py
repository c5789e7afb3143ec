"""The addresses of accounts, each with its rule: our own pages, and those that django-allauth's views answer.

The names of the latter are those that allauth asks for. Nothing of it is reached by another address than these.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from allauth.socialaccount import views as elsewhere
from allauth.socialaccount.providers.github import views as github
from allauth.socialaccount.providers.google import views as google
from allauth.socialaccount.providers.orcid import views as orcid
from allauth.usersessions import views as sessions
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import URLPattern, path, re_path, reverse
from django.utils.http import url_has_allowed_host_and_scheme

from broadsheet import links
from broadsheet.web.access import OPEN, READERS, Rule, Who, guarded
from broadsheet.web.entrance import sign_up_problem
from broadsheet.web.pages import account as own
from broadsheet.web.pages import refusals
from broadsheet.web.rendering import page

View = Callable[..., HttpResponseBase]

_log = logging.getLogger(__name__)

_WITHOUT = (
    "This paper has one reader, who sits at its machine, and nobody signs in here. To give people accounts, set "
    "BROADSHEET_ACCOUNTS=yes and start it again."
)
_NO_SUCH_PLACE = "Nobody signs in to this paper by way of that place. Sign in with a name and a password, or a passkey."
# What is told to nobody: pages with forms and secrets are kept by no cache at all.
_KEPT_BY_NOBODY = "no-store, private"

_VISITORS = Rule(Who.ANYONE, Who.ANYONE)
_LOOKS = Rule(Who.ANYONE)
_SIGN_UP = Rule(Who.ANYONE, Who.ANYONE, policy="sign-up")
_RESETS = Rule(Who.ANYONE, Who.ANYONE, policy="reset")
_TRIES = Rule(Who.ANYONE, Who.ANYONE, "whoever has given the right password just now", policy="sign-in")
_OWN = Rule(Who.READER, Who.READER, "her own account", policy="account")


def with_accounts(view: View) -> View:
    """The view on an instance with accounts; a page that says so on one without. Its answers are kept by no cache."""

    @wraps(view)
    def answer(request: HttpRequest, *values: Any, **names: Any) -> HttpResponseBase:
        if not settings.BROADSHEET_ACCOUNTS:
            return refusals.refused(request, _WITHOUT, status=HTTPStatus.NOT_FOUND)
        return _kept_by_nobody(view)(request, *values, **names)

    return answer


def _kept_by_nobody(view: View) -> View:
    @wraps(view)
    def answer(request: HttpRequest, *values: Any, **names: Any) -> HttpResponseBase:
        response = view(request, *values, **names)
        response.headers["Cache-Control"] = _KEPT_BY_NOBODY
        return response

    return answer


def _sign_up(request: HttpRequest) -> HttpResponseBase:
    """allauth's page, or why nobody can make an account here."""
    if problem := sign_up_problem():
        return page(request, "account/signup_closed.html", {"sentence": problem, "noindex": True})
    answer: HttpResponseBase = account.signup(request)
    return answer


def _there(place: str, view: View) -> View:
    """The view where the settings name that place, else nothing; a page with a link where it would redirect to there.

    Our policy says that forms lead to us only (form-action 'self'), and browsers hold redirects of forms to it too.
    """

    @wraps(view)
    def answer(request: HttpRequest, *values: Any, **names: Any) -> HttpResponseBase:
        if not settings.SOCIALACCOUNT_PROVIDERS[place]["APPS"]:
            return refusals.refused(request, _NO_SUCH_PLACE, status=HTTPStatus.NOT_FOUND)
        response = view(request, *values, **names)
        target = response.headers.get("Location", "")
        if not target or url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}):
            return response
        leaving: HttpResponse = page(request, "socialaccount/leaving.html", {"target": target, "noindex": True})
        leaving.headers["Refresh"] = f"0;url={target}"
        return leaving

    return answer


def _back(place: str, view: View) -> View:
    """The way back from that place. An answer of it that is none of its answers is told as one, not as our failure.

    allauth reads tokens and profiles as the manuals say that they are, and falls over any other. All of it is read
    before anything is stored.
    """

    @wraps(view)
    def answer(request: HttpRequest, *values: Any, **names: Any) -> HttpResponseBase:
        try:
            return view(request, *values, **names)
        except (LookupError, TypeError, ValueError, AttributeError, ImproperlyConfigured):
            _log.exception("signing in at %s ended with an answer that was not understood", place)
            return HttpResponseRedirect(reverse("socialaccount_login_error"), status=HTTPStatus.SEE_OTHER)

    return _there(place, answer)


def _route(below: str, view: View, rule: Rule, name: str) -> URLPattern:
    return path(f"{links.ACCOUNT}{below}".removeprefix("/"), guarded(with_accounts(view), rule), name=name)


def _own(pattern: str, view: View, rule: Rule) -> URLPattern:
    return path(pattern.removeprefix("/"), guarded(_kept_by_nobody(view), rule))


urlpatterns = [
    path(links.PERSON.format(name="<str:name>").removeprefix("/"), guarded(own.profile, OPEN)),
    _own(links.ACCOUNT, own.settings_page, _OWN),
    _own(links.TOKENS, own.tokens, _OWN),
    _own(links.REVOKE, own.revoke, Rule(Who.READER, Who.READER, "the owner of the token", policy="account")),
    _own(links.MY_DATA, own.my_data, READERS),
    _own(links.DELETE, own.leave, _OWN),
    _own(links.MERGE, own.merge, Rule(Who.READER, Who.READER, "the owner of both accounts", policy="reset")),
    _route("/sign-in", account.login, _VISITORS, "account_login"),
    _route("/sign-up", _sign_up, _SIGN_UP, "account_signup"),
    _route("/sign-out", account.logout, _VISITORS, "account_logout"),
    _route("/closed", account.account_inactive, _LOOKS, "account_inactive"),
    _route("/confirm", account.reauthenticate, READERS, "account_reauthenticate"),
    _route("/confirm/code", mfa.reauthenticate, READERS, "mfa_reauthenticate"),
    _route("/confirm/passkey", passkeys.reauthenticate_webauthn, READERS, "mfa_reauthenticate_webauthn"),
    _route("/address", account.email, _OWN, "account_email"),
    _route("/address/sent", account.email_verification_sent, _VISITORS, "account_email_verification_sent"),
    _route("/address/confirm/<str:key>", account.confirm_email, _VISITORS, "account_confirm_email"),
    _route("/password", account.password_change, _OWN, "account_change_password"),
    _route("/password/first", account.password_set, _OWN, "account_set_password"),
    _route("/forgotten", account.password_reset, _RESETS, "account_reset_password"),
    _route("/forgotten/sent", account.password_reset_done, _LOOKS, "account_reset_password_done"),
    _route("/forgotten/done", account.password_reset_from_key_done, _LOOKS, "account_reset_password_from_key_done"),
    re_path(
        rf"^{links.FORGOTTEN.removeprefix('/')}/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>[^/]+)$",
        guarded(with_accounts(account.password_reset_from_key), _RESETS),
        name="account_reset_password_from_key",
    ),
    _route("/second", mfa.authenticate, _TRIES, "mfa_authenticate"),
    _route("/passkey", passkeys.login_webauthn, _TRIES, "mfa_login_webauthn"),
    _route("/keys", mfa.index, READERS, "mfa_index"),
    _route("/keys/authenticator", totp.activate_totp, _OWN, "mfa_activate_totp"),
    _route("/keys/authenticator/remove", totp.deactivate_totp, _OWN, "mfa_deactivate_totp"),
    _route("/keys/recovery", recovery.view_recovery_codes, READERS, "mfa_view_recovery_codes"),
    _route("/keys/recovery/new", recovery.generate_recovery_codes, _OWN, "mfa_generate_recovery_codes"),
    _route("/keys/recovery/codes.txt", recovery.download_recovery_codes, READERS, "mfa_download_recovery_codes"),
    _route("/keys/passkeys", passkeys.list_webauthn, READERS, "mfa_list_webauthn"),
    _route("/keys/passkeys/new", passkeys.add_webauthn, _OWN, "mfa_add_webauthn"),
    _route("/keys/passkeys/<int:pk>/remove", passkeys.remove_webauthn, _OWN, "mfa_remove_webauthn"),
    _route("/keys/passkeys/<int:pk>/name", passkeys.edit_webauthn, _OWN, "mfa_edit_webauthn"),
    _route("/sessions", sessions.list_usersessions, _OWN, "usersessions_list"),
    _route("/elsewhere", elsewhere.connections, _OWN, "socialaccount_connections"),
    _route("/elsewhere/sign-up", elsewhere.signup, _SIGN_UP, "socialaccount_signup"),
    _route("/elsewhere/cancelled", elsewhere.login_cancelled, _LOOKS, "socialaccount_login_cancelled"),
    _route("/elsewhere/failed", elsewhere.login_error, _LOOKS, "socialaccount_login_error"),
    _route("/elsewhere/github", _there("github", github.oauth2_login), _VISITORS, "github_login"),
    _route("/elsewhere/github/back", _back("github", github.oauth2_callback), _LOOKS, "github_callback"),
    _route("/elsewhere/google", _there("google", google.oauth2_login), _VISITORS, "google_login"),
    _route("/elsewhere/google/back", _back("google", google.oauth2_callback), _LOOKS, "google_callback"),
    _route("/elsewhere/orcid", _there("orcid", orcid.oauth2_login), _VISITORS, "orcid_login"),
    _route("/elsewhere/orcid/back", _back("orcid", orcid.oauth2_callback), _LOOKS, "orcid_callback"),
]
