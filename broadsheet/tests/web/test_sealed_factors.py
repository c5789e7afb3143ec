"""Second factors are stored sealed: a copy of the tables makes no codes, and with another secret nobody gets in."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from broadsheet import links
from broadsheet.accounts import actions, queries
from broadsheet.accounts.rules import Refused, SealBroken, is_sealed, seal, unseal
from broadsheet.testing.people import PASSWORD, ada

SECRET = "JBSWY3DPEHPK3PXP"
SEED = "5eed" * 20


@pytest.fixture
def person(db: None) -> AbstractBaseUser:
    """Ada, with an authenticator and recovery codes, as allauth stores them."""
    cache.clear()
    user: AbstractBaseUser = get_user_model().objects.get(id=ada().id)
    EmailAddress.objects.create(user=user, email="ada@example.org", verified=True, primary=True)
    TOTP.activate(user, SECRET)
    RecoveryCodes.activate(user)
    return user


def stored() -> str:
    return json.dumps([row.data for row in Authenticator.objects.order_by("type")])


def code() -> str:
    return str(format_hotp_value(hotp_value(SECRET, int(time.time()) // 30)))


def sign_in(client: Client, typed: str) -> int:
    """The status of the answer to a code, after the right password."""
    client.post(links.SIGN_IN, {"login": "ada", "password": PASSWORD})
    return client.post(reverse("mfa_authenticate"), {"code": typed}).status_code


@given(text=st.text(max_size=200), secret=st.text(min_size=1, max_size=80), other=st.text(min_size=1, max_size=80))
def test_what_is_sealed_opens_with_the_same_secret_only(text: str, secret: str, other: str) -> None:
    sealed = seal(text, secret)
    assert is_sealed(sealed)
    assert unseal(sealed, secret) == text
    if other != secret:
        with pytest.raises(SealBroken):
            unseal(sealed, other)


@given(at=st.integers(min_value=0), letter=st.sampled_from("Aa0_"))
def test_what_was_changed_does_not_open(at: int, letter: str) -> None:
    """Any sign that is another one, the last ones apart, whose lowest bits base64 does not use."""
    sealed = seal(SECRET, "s")
    start = len("sealed-1:")
    place = start + at % (len(sealed) - start - 4)
    if sealed[place] != letter:
        with pytest.raises(SealBroken):
            unseal(sealed[:place] + letter + sealed[place + 1 :], "s")


def test_the_tables_hold_no_secret(person: AbstractBaseUser, client: Client) -> None:
    assert SECRET not in stored()
    assert stored().count("sealed-1:") == 2
    codes = RecoveryCodes(Authenticator.objects.get(type="recovery_codes")).get_unused_codes()
    assert len(set(codes)) == len(codes) > 5
    assert sign_in(client, code()) == 302
    assert client.get(links.ACCOUNT).status_code == 200


def test_a_recovery_code_signs_in_once(person: AbstractBaseUser) -> None:
    typed = RecoveryCodes(Authenticator.objects.get(type="recovery_codes")).get_unused_codes()[0]
    assert sign_in(Client(), typed) == 302
    assert sign_in(Client(), typed) == 200


def test_what_an_older_version_stored_in_clear_opens_and_is_sealed_once(
    person: AbstractBaseUser, client: Client, settings: Any
) -> None:
    Authenticator.objects.filter(type="totp").update(data={"secret": SECRET})
    Authenticator.objects.filter(type="recovery_codes").update(
        data={"seed": SEED, "used_mask": 5, "migrated_codes": ["11112222", "33334444"]}
    )
    assert sign_in(client, code()) == 302
    assert actions.seal_factors() == 2
    assert actions.seal_factors() == 0
    assert not any(clear in stored() for clear in (SECRET, SEED, "11112222", "33334444"))
    row = Authenticator.objects.get(type="recovery_codes")
    assert row.data["used_mask"] == 5
    assert unseal(row.data["seed"], str(settings.SECRET_KEY)) == SEED
    assert RecoveryCodes(row).get_unused_codes() == ["11112222", "33334444"]
    cache.clear()
    assert sign_in(Client(), code()) == 302


@pytest.mark.parametrize("typed", [pytest.param("", id="the right code"), pytest.param("123456", id="any code")])
def test_with_another_secret_no_code_opens_the_account_and_that_is_said(
    person: AbstractBaseUser, client: Client, settings: Any, typed: str
) -> None:
    settings.SECRET_KEY = "another secret than that of yesterday"
    client.post(links.SIGN_IN, {"login": "ada", "password": PASSWORD})
    answer = client.post(reverse("mfa_authenticate"), {"code": typed or code()})
    assert answer.status_code == 503
    assert "ask the operator to take the authenticator" in answer.content.decode()
    assert client.get(links.ACCOUNT).status_code == 303
    assert queries.factors_sealed_otherwise() == 1
    assert actions.seal_factors() == 0


def test_an_operator_takes_a_lost_authenticator(person: AbstractBaseUser, client: Client) -> None:
    actions.drop_factors(name="Ada")
    assert not Authenticator.objects.exists()
    assert client.post(links.SIGN_IN, {"login": "ada", "password": PASSWORD}).status_code == 302
    assert client.get(links.ACCOUNT).status_code == 200
    for name in ("ada", "nobody-here"):
        with pytest.raises(Refused):
            actions.drop_factors(name=name)


def test_a_passkey_stays(person: AbstractBaseUser) -> None:
    Authenticator.objects.create(user=person, type="webauthn", data={"name": "Key", "credential": {}})
    actions.drop_factors(name="ada")
    assert [row.type for row in Authenticator.objects.all()] == ["webauthn"]
    assert actions.seal_factors() == 0
