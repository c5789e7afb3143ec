"""What providers of mail tell, in the shapes of their own, with proofs that are right and wrong."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.test import Client

from broadsheet.following.models import Delivery, Subscriber, Subscription
from broadsheet.following.rules.delivering import State

pytestmark = pytest.mark.django_db

SECRET = "a-secret-of-thirty-two-letters-0123"
NOW = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def delivery() -> int:
    """The number of a delivery that went to Ada."""
    ada = Subscriber.objects.create(address="ada@example.org", made_at=NOW, confirmed_at=NOW)
    daily = Subscription.objects.create(
        subscriber=ada, key="k" * 43, cadence="day", hour=6, zone="UTC", made_at=NOW, confirmed_at=NOW, next_at=NOW
    )
    return Delivery.objects.create(
        subscription=daily,
        slot=date(2026, 11, 2),
        domain="example.org",
        state=State.SENT,
        made_at=NOW,
        due_at=NOW,
        finished_at=NOW,
    ).id


@pytest.fixture
def provider(settings: Any) -> Any:
    """Makes a provider the one of the settings, as config.settings does."""

    def choose(name: str) -> None:
        own = {"mailgun": "MAILGUN_WEBHOOK_SIGNING_KEY", "mailersend": "MAILERSEND_SIGNING_SECRET"}
        settings.BROADSHEET_MAIL_PROVIDER = name
        settings.BROADSHEET_MAIL_PROVIDER_SECRET = True
        settings.ANYMAIL = {own[name]: SECRET} if name in own else {"WEBHOOK_SECRET": f"broadsheet:{SECRET}"}

    return choose


def tell(name: str, body: Any, *, secret: str = SECRET, **headers: str) -> Any:
    """POST as a provider does: without cookies, and with the check of forged forms on."""
    basic = base64.b64encode(f"broadsheet:{secret}".encode()).decode()
    return Client(enforce_csrf_checks=True).post(
        f"/mail/provider/{name}",
        body if isinstance(body, bytes) else json.dumps(body),
        content_type="application/json",
        headers={"host": "localhost", "authorization": f"Basic {basic}", **headers},
    )


def postmark(kind: str, description: str, delivery: int) -> dict[str, Any]:
    return {
        "RecordType": "SpamComplaint" if kind == "SpamComplaint" else "Bounce",
        "ID": 4323372036854775807,
        "Type": kind,
        "TypeCode": 1,
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        "Metadata": {"delivery": str(delivery)},
        "Description": description,
        "Details": description,
        "Email": "ada@example.org",
        "From": "paper@papers.example.org",
        "BouncedAt": "2026-11-02T06:01:02Z",
    }


def mailgun(event: dict[str, Any], *, key: str = SECRET) -> dict[str, Any]:
    at, token = str(int(time.time())), "t" * 50
    signed = hmac.new(key.encode(), f"{at}{token}".encode(), hashlib.sha256).hexdigest()
    return {"signature": {"timestamp": at, "token": token, "signature": signed}, "event-data": event}


def failed(delivery: int, message: str, *, severity: str = "permanent") -> dict[str, Any]:
    return {
        "event": "failed",
        "severity": severity,
        "reason": "bounce",
        "id": "G9Bn5sl1TC6nu79C8C0bwg",
        "timestamp": 1793600000.1,
        "recipient": "ada@example.org",
        "user-variables": {"delivery": str(delivery)},
        "delivery-status": {"code": 550, "message": message, "description": ""},
        "message": {"headers": {"message-id": "1@papers.example.org"}},
    }


def state() -> tuple[str, bool, bool]:
    """What became of the delivery, whether the address is blocked, and whether its subscription was left."""
    delivery, ada, daily = Delivery.objects.get(), Subscriber.objects.get(), Subscription.objects.get()
    return delivery.state, ada.blocked_at is not None, daily.left_at is not None


@pytest.mark.parametrize(
    ("kind", "description", "expected"),
    [
        pytest.param("HardBounce", "The address does not exist.", ("bounced", True, False), id="hard, its own word"),
        pytest.param("HardBounce", "550 5.7.1 policy", ("bounced", False, False), id="a code is worth more"),
        pytest.param("SoftBounce", "Mailbox full", ("bounced", False, False), id="soft"),
        pytest.param("SpamComplaint", "Marked as spam", ("sent", True, True), id="complaint"),
    ],
)
def test_postmark(provider: Any, delivery: int, kind: str, description: str, expected: tuple[str, bool, bool]) -> None:
    provider("postmark")
    assert tell("postmark", postmark(kind, description, delivery)).status_code == 200
    assert state() == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param("550 5.1.1 The email account does not exist", ("bounced", True, False), id="hard"),
        pytest.param("552 5.2.2 full", ("bounced", False, False), id="soft"),
        pytest.param("no code at all", ("bounced", False, False), id="no certainty"),
    ],
)
def test_mailgun(provider: Any, delivery: int, message: str, expected: tuple[str, bool, bool]) -> None:
    provider("mailgun")
    assert tell("mailgun", mailgun(failed(delivery, message)), authorization="").status_code == 200
    assert state() == expected


def test_what_is_only_put_off_changes_nothing(provider: Any, delivery: int) -> None:
    provider("mailgun")
    event = failed(delivery, "451 4.7.1 greylisted", severity="temporary")
    assert tell("mailgun", mailgun(event), authorization="").status_code == 200
    assert state() == ("sent", False, False)


def test_brevo_names_the_address_only(provider: Any) -> None:
    provider("brevo")
    event = {
        "event": "hard_bounce",
        "email": "ada@example.org",
        "id": 26224,
        "ts_event": 1793600000,
        "message-id": "<1@smtp-relay.example.com>",
        "reason": "server is down",
    }
    assert tell("brevo", event).status_code == 200
    assert Subscriber.objects.get().blocked_at is not None


@pytest.mark.parametrize(
    ("name", "secret", "key"),
    [
        pytest.param("postmark", "wrong", SECRET, id="a wrong password"),
        pytest.param("postmark", "", SECRET, id="none"),
        pytest.param("mailgun", SECRET, "wrong", id="a wrong signature"),
    ],
)
def test_who_is_not_the_provider_is_refused(provider: Any, delivery: int, name: str, secret: str, key: str) -> None:
    provider(name)
    body = postmark("HardBounce", "", delivery) if name == "postmark" else mailgun(failed(delivery, "5.1.1"), key=key)
    assert tell(name, body, secret=secret).status_code == 400
    assert state() == ("sent", False, False)


def test_a_provider_that_is_not_ours_finds_nothing(provider: Any, delivery: int) -> None:
    assert tell("postmark", postmark("HardBounce", "", delivery)).status_code == 404
    provider("mailgun")
    for name in ("postmark", "sendgrid", "os", "../mailgun"):
        assert tell(name, postmark("HardBounce", "", delivery)).status_code == 404
    assert state() == ("sent", False, False)


def test_without_a_secret_nothing_is_taken(provider: Any, delivery: int, settings: Any) -> None:
    provider("postmark")
    settings.BROADSHEET_MAIL_PROVIDER_SECRET = False
    assert tell("postmark", postmark("HardBounce", "", delivery), secret="").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{", id="half of it"),
        pytest.param(b"[]", id="another shape"),
        pytest.param(b'{"RecordType": "Bounce", "Type": 7}', id="wrong types"),
        pytest.param(b"\xff\xfe", id="no text"),
    ],
)
def test_what_cannot_be_read_is_answered_as_such(provider: Any, body: bytes) -> None:
    provider("postmark")
    assert tell("postmark", body).status_code in (200, 400)
    assert state() == ("sent", False, False)


@pytest.mark.parametrize("name", ["brevo", "mailersend", "mailgun", "postmark", "sparkpost"])
def test_every_provider_of_the_settings_is_there_and_wants_a_proof(provider: Any, name: str) -> None:
    provider(name)
    address = f"/mail/provider/{name}"
    assert Client().head(address, headers={"host": "localhost"}).status_code == 200
    assert tell(name, {}, secret="wrong").status_code == 400
