"""What django-allauth asks of us: who may make an account, which names are good, how mail is written and tries counted.

Passwords that are tried are counted three times. For the account and the network together, so that a stranger who
tries somebody's name from elsewhere takes nothing from her. For the network, whatever it tries. And for the account
over all networks, where many machines try one name together: that bound is no lock either, because it does not hold
for a browser in which somebody has signed in to that account before, nor for passkeys, nor for a new password by mail.
What is counted is the name as it was typed, whether anybody has it or not, so that counting betrays nobody.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from secrets import token_urlsafe
from smtplib import SMTPException
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.hashers import make_password
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac

from broadsheet.accounts.rules import SealBroken, name_problem, seal, unseal
from broadsheet.following.actions import subscribing
from broadsheet.web import proxies, rates
from broadsheet.web.pages import refusals

_log = logging.getLogger(__name__)

# A browser in which somebody has signed in before: which names and addresses she may type, as digests that our secret
# signs. It opens nothing; it only says that a try from here is not one of many machines.
KNOWN_COOKIE = "known"
_KNOWN_SALT = "broadsheet.known-browser"
_KNOWN_FOR = 365 * 24 * 3600
_MOST_KNOWN = 6
EVERYWHERE = rates.Policy("sign-in everywhere", 100, 3600, "Passwords that are tried for one account by all networks.")

_WRONG = "The name or the password is not right. Nothing was changed."
_UNSENT = (
    "The mail could not be sent, so nothing can be confirmed now. What you typed is not lost: come back later and try "
    "again. If it stays so, tell the operator of this paper."
)

_SEALED_OTHERWISE = (
    "Your authenticator and your recovery codes cannot be read, because the secret of this paper was changed. Nothing "
    "was changed in your account. Sign in with a passkey, or ask the operator to take the authenticator from it."
)

# What an account is told of itself by mail, by the names that allauth gives the occasions.
_NEWS = {
    "account/email/email_changed": "the mail address of your account was changed",
    "account/email/email_confirm": "a mail address of your account was confirmed",
    "account/email/email_deleted": "a mail address was taken from your account",
    "account/email/password_changed": "the password of your account was changed",
    "account/email/password_reset": "a new password was set by mail",
    "account/email/password_set": "a password was set",
    "mfa/email/recovery_codes_generated": "new recovery codes were made",
    "mfa/email/totp_activated": "an authenticator app was added",
    "mfa/email/totp_deactivated": "the authenticator app was removed",
    "mfa/email/webauthn_added": "a passkey was added",
    "mfa/email/webauthn_removed": "a passkey was removed",
    "socialaccount/email/account_connected": "a way to sign in elsewhere was added",
    "socialaccount/email/account_disconnected": "a way to sign in elsewhere was removed",
}


def sign_up_problem() -> str | None:
    """Why nobody can make an account here now, as a sentence; None when everybody can."""
    if settings.BROADSHEET_SIGN_UP != "open":
        return "Accounts are made by the operator of this paper only."
    if not settings.BROADSHEET_MAIL:
        return "This paper sends no mail, so nobody could confirm an address. Ask its operator for an account."
    return None


@dataclass(frozen=True, slots=True)
class Provider:
    """Another place where people sign in: what it is called, and where its button leads."""

    name: str
    address: str


def providers() -> list[Provider]:
    """The places that the settings name."""
    return [
        Provider(name, reverse(f"{key}_login"))
        for key, name in _PROVIDERS.items()
        if settings.SOCIALACCOUNT_PROVIDERS[key]["APPS"]
    ]


def provider_name(key: str) -> str:
    """What a place is called that allauth knows by that key."""
    return _PROVIDERS.get(key, key)


_PROVIDERS = {"github": "GitHub", "google": "Google", "orcid": "ORCID"}


def shown_name(user: AbstractBaseUser) -> str:
    """The name that allauth's pages and mails call somebody by: that in addresses, which holds no surprises."""
    return str(user.get_username())


class Accounts(DefaultAccountAdapter):
    """Accounts with a password."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "account_inactive": "This account is closed.",
        "email_password_mismatch": _WRONG,
        "username_password_mismatch": _WRONG,
        "enter_current_password": "This is not your password.",
        "incorrect_password": "This is not your password.",
        "incorrect_code": "This code is not right, or it has been used. Nothing was changed.",
        "too_many_login_attempts": "Too many codes were tried. Wait five minutes, then try again.",
        "username_taken": "Somebody has this name already. Take another.",
        "unverified_primary_email": "Confirm this address first, by the mail that was sent to it.",
    }

    def is_safe_url(self, url: str | None) -> bool:
        """Whether the way back is a path of ours: text that a browser would read as a relative address is none."""
        return bool(url) and str(url).startswith("/") and bool(super().is_safe_url(url))

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Whether whoever comes may make an account."""
        del request
        return sign_up_problem() is None

    def clean_username(self, username: str, shallow: bool = False) -> str:  # noqa: FBT001, FBT002  allauth's signature
        """The name in small letters. Raises ValidationError with what is wrong with it."""
        name = username.lower() if username.isascii() else username
        if problem := name_problem(name):
            raise ValidationError(problem)
        return str(super().clean_username(name, shallow))

    def save_user(
        self,
        request: HttpRequest,
        user: AbstractBaseUser,
        form: BaseForm,
        commit: bool = True,  # noqa: FBT001, FBT002  allauth's signature
    ) -> AbstractBaseUser:
        """The new user of a form; shown as she is called until she says otherwise."""
        made: AbstractBaseUser = super().save_user(request, user, form, commit=False)
        setattr(made, "shown", made.get_username())  # noqa: B010  the class is not known here
        if commit:
            made.save()
        return made

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address that her list of sessions shows, for which only a proxy on this machine is believed."""
        return str(proxies.sender(request) or "0.0.0.0")  # noqa: S104  a list needs an address; none is bound

    def authenticate(self, request: HttpRequest, **credentials: Any) -> AbstractBaseUser | None:
        """The person with these credentials. What was typed is tried once, as a name or, with an @, as an address.

        Tried as both, it would take twice as long to refuse a wrong password where there is such an account.
        """
        if "@" in str(credentials.get("username", "")):
            credentials["email"] = credentials.pop("username")
        found: AbstractBaseUser | None = super().authenticate(request, **credentials)
        return found

    def send_account_already_exists_mail(self, email: str) -> None:
        """Tell somebody that she has an account already, with as much work as making one would have been."""
        make_password(token_urlsafe())
        super().send_account_already_exists_mail(email)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count the try. Raises ImmediateHttpResponse for one too many, whether there is such an account or not."""
        typed = str(credentials.get("username") or credentials.get("email") or "").strip().lower()[:254]
        standing = rates.spent(request, rates.WRITING["sign-in"], typed, from_here=True)
        if standing is None and _digest(typed) not in _known(request):
            counted = rates.counts.count(EVERYWHERE, typed)
            standing = counted if counted.wait else None
        if standing is not None:
            raise ImmediateHttpResponse(refusals.too_often(request, standing))

    def post_login(self, request: HttpRequest, user: AbstractBaseUser, **kwargs: Any) -> HttpResponse:
        """The answer to somebody who has just signed in; her browser is known from now on."""
        response: HttpResponse = super().post_login(request, user, **kwargs)
        names = [_digest(each.lower()) for each in (user.get_username(), getattr(user, "email", "")) if each]
        kept = [each for each in _known(request) if each not in names]
        response.set_signed_cookie(
            KNOWN_COOKIE,
            " ".join((names + kept)[:_MOST_KNOWN]),
            salt=_KNOWN_SALT,
            max_age=_KNOWN_FOR,
            httponly=True,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )
        return response

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Mark an address as confirmed; digests go there from now on. Returns whether it could be."""
        confirmed = bool(super().confirm_email(request, email_address))
        if confirmed:
            subscribing.move(person_id=email_address.user_id, address=email_address.email.lower(), now=timezone.now())
        return confirmed

    def add_message(self, request: HttpRequest, level: int, *args: Any, **kwargs: Any) -> None:
        """Keep what the next page shall say; that one is signed in or out is seen on the page itself."""
        template = args[0] if args else kwargs.get("message_template")
        if template not in ("account/messages/logged_in.txt", "account/messages/logged_out.txt"):
            super().add_message(request, level, *args, **kwargs)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a mail. Raises ImmediateHttpResponse where the server does not take it."""
        try:
            super().send_mail(template_prefix, email, context)
        except (OSError, SMTPException) as error:
            _log.error("no mail could be sent: %s", type(error).__name__)
            raise ImmediateHttpResponse(refusals.refused(self.request, _UNSENT, status=503)) from error

    def render_mail(
        self,
        template_prefix: str,
        email: str | list[str],
        context: dict[str, Any],
        headers: dict[str, str] | None = None,
    ) -> EmailMessage:
        """A mail of plain text. What an account is told of itself is one text with the occasion in it."""
        values = context | {"site_name": settings.BROADSHEET_SITE_NAME}
        if template_prefix in _NEWS:
            values["occasion"] = _NEWS[template_prefix]
            template_prefix = "account/email/news"
        subject = " ".join(render_to_string(f"{template_prefix}_subject.txt", values).split())
        body = render_to_string(f"{template_prefix}_message.txt", values).strip() + "\n"
        to = [email] if isinstance(email, str) else email
        told = {"Auto-Submitted": "auto-generated"} | (headers or {})  # RFC 3834
        return EmailMessage(subject, body, self.get_from_email(), to, headers=told)


def _digest(typed: str) -> str:
    return salted_hmac(_KNOWN_SALT, typed, algorithm="sha256").hexdigest()[:32]


def _known(request: HttpRequest) -> list[str]:
    try:
        kept = request.get_signed_cookie(KNOWN_COOKIE, "", salt=_KNOWN_SALT, max_age=_KNOWN_FOR)
    except signing.BadSignature:
        return []
    return (kept or "").split()


class Elsewhere(DefaultSocialAccountAdapter):
    """Accounts of people who sign in at GitHub, Google or ORCID. The first time they choose their name here."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Whether whoever comes may make an account."""
        del request, sociallogin
        return sign_up_problem() is None

    def is_auto_signup_allowed(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Never: a name that stands in addresses is chosen, not guessed."""
        del request, sociallogin
        return False

    def save_user(
        self, request: HttpRequest, sociallogin: SocialLogin, form: BaseForm | None = None
    ) -> AbstractBaseUser:
        """The new user, shown as she is called until she says otherwise."""
        user: AbstractBaseUser = super().save_user(request, sociallogin, form)
        setattr(user, "shown", user.get_username())  # noqa: B010  the class is not known here
        user.save()
        return user


class Factors(DefaultMFAAdapter):
    """Passkeys, authenticators and recovery codes."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": "This code is not right, or it has been used. Nothing was changed.",
        "unverified_email": "Confirm your mail address first.",
    }

    def encrypt(self, text: str) -> str:
        """A secret of an authenticator, or the seed of recovery codes, as it is stored."""
        return seal(text, settings.SECRET_KEY)

    def decrypt(self, encrypted_text: str) -> str:
        """What `encrypt` stored. Raises ImmediateHttpResponse where the secret of the instance is another one now."""
        try:
            return unseal(encrypted_text, settings.SECRET_KEY)
        except SealBroken as error:
            _log.error("an authenticator cannot be read: it was sealed with another secret than that of this instance")
            if self.request is None:
                raise
            raise ImmediateHttpResponse(refusals.refused(self.request, _SEALED_OTHERWISE, status=503)) from error

    def get_totp_label(self, user: AbstractBaseUser) -> str:
        """What an authenticator app lists the account as: its name, not its address."""
        return shown_name(user)

    def _get_site_name(self) -> str:
        return str(settings.BROADSHEET_SITE_NAME)

    def generate_authenticator_name(self, user: AbstractBaseUser, type: Authenticator.Type) -> str:  # noqa: A002  allauth's
        """A name for a new passkey, with its number."""
        count = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return f"Passkey {count + 1}"
