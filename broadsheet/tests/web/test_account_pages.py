"""Every page of accounts that django-allauth answers: in our dress, without inline scripts, kept by nobody."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from broadsheet.config.headers import POLICY
from broadsheet.testing.people import PASSWORD, ada, signed_in
from broadsheet.web.pages import account_routes

ROUTES = sorted(pattern.name for pattern in account_routes.urlpatterns if pattern.name)
INLINE = re.compile(r"<[^>]*\sstyle=|<style|<[^>]*\son[a-z]+=|<script(?![^>]*\ssrc=)", re.IGNORECASE)
# What answers something else than a page: a file, or the way to another site and back.
NO_PAGE = frozenset({"mfa_download_recovery_codes"})


@pytest.fixture(autouse=True)
def _places(settings: Any) -> None:
    """GitHub, Google and ORCID know this paper."""
    app = {"client_id": "an-id-of-ours", "secret": "a-secret-of-ours"}
    settings.SOCIALACCOUNT_PROVIDERS = {key: {"APPS": [app]} for key in ("github", "google", "orcid")}
    settings.BROADSHEET_MAIL = True


@pytest.fixture
def reader(client: Client, db: None) -> Client:
    """Ada, who has a confirmed address, an authenticator and recovery codes, and has just said that it is she."""
    signed_in(client, ada())
    user = get_user_model().objects.get(name="ada")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": "JBSWY3DPEHPK3PXP"})
    RecoveryCodes.activate(user)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return client


def _values(name: str) -> dict[str, object]:
    user = ada()
    row = get_user_model().objects.get(id=user.id)
    if name == "account_confirm_email":
        address, _ = EmailAddress.objects.get_or_create(user=row, email="new@example.org")
        return {"key": EmailConfirmationHMAC.create(address).key}
    if name == "account_reset_password_from_key":
        return {"uidb36": user_pk_to_url_str(row), "key": "never-given"}
    if name in ("mfa_remove_webauthn", "mfa_edit_webauthn"):
        made = Authenticator.objects.create(user=row, type="webauthn", data={"name": "Key", "credential": {}})
        return {"pk": made.pk}
    return {}


def _look(page: str, name: str) -> None:
    assert 'class="skip"' in page, f"{name} is not in our dress"
    assert not INLINE.search(page), f"{name}: {INLINE.search(page)}"
    assert "allauth" not in page


@pytest.mark.django_db
@pytest.mark.parametrize("name", ROUTES)
def test_a_visitor_gets_a_page_of_ours_or_the_way_to_one(client: Client, name: str) -> None:
    response = client.get(reverse(name, kwargs=_values(name)))
    assert response.status_code in (200, 302, 303, 401)
    assert response.headers["Content-Security-Policy"] == POLICY
    if response.status_code in (302, 303):
        assert response.headers["Location"].startswith("/")
    else:
        assert "no-store" in response.headers["Cache-Control"]
        _look(response.content.decode(), name)


@pytest.mark.parametrize("name", ROUTES)
def test_a_reader_gets_a_page_of_ours_or_the_way_to_one(reader: Client, name: str) -> None:
    response = reader.get(reverse(name, kwargs=_values(name)))
    assert response.status_code in (200, 302, 303, 401), response.content[:2000]
    if response.status_code == 200 and name not in NO_PAGE:
        assert "no-store" in response.headers["Cache-Control"]
        _look(response.content.decode(), name)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ROUTES)
def test_without_accounts_none_of_it_is_there(client: Client, settings: Any, name: str) -> None:
    values = _values(name)
    settings.BROADSHEET_ACCOUNTS = False
    response = client.get(reverse(name, kwargs=values), REMOTE_ADDR="192.0.2.1")
    assert response.status_code in (404, 303)
