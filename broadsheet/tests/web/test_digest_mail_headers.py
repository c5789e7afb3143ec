"""The rules for whoever sends to many, one row each, against a composed and signed mail.

Gmail: https://support.google.com/a/answer/81126, Yahoo: https://senders.yahooinc.com/best-practices/. What belongs to a
server and the domain name system (SPF, DMARC, PTR, TLS) is tested by `broadsheet check-mail`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parsedate_to_datetime
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.template import engines
from django.test import Client
from lxml import html

from broadsheet.following.models import Subscriber, Subscription
from broadsheet.mailing import signing
from broadsheet.mailing.message import Outgoing
from broadsheet.testing.cast import HARBOUR, LANTERN
from broadsheet.web import digests

DAY = "2024-01-02"
NOON = datetime(2024, 1, 2, 17, tzinfo=UTC)
NOW = datetime(2024, 1, 3, 7, 0, 0, tzinfo=UTC)
BASE = "https://papers.example.org"
KEY = "k" * 43
LEAVE = f"{BASE}/mail/{KEY}/leave"
SIGNING = signing.read_key(
    rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
)

Press = Callable[..., None]
Rule = Callable[[EmailMessage], object]


@pytest.fixture
def subscription(press: Press, settings: Any) -> Subscription:
    """Somebody who asked for each day's edition, which has two papers."""
    # The templates take the name of the site when they are first used, and keep it for the tests that come after.
    assert engines["jinja2"].env
    settings.BROADSHEET_ADDRESS = BASE
    settings.DEFAULT_FROM_EMAIL = "broadsheet@papers.example.org"
    settings.BROADSHEET_SITE_NAME = "The Örebro Daily"
    press([LANTERN, HARBOUR])
    reader = Subscriber.objects.create(address="ada@example.org", made_at=NOON, confirmed_at=NOON)
    return Subscription.objects.create(
        subscriber=reader, key=KEY, cadence="day", hour=7, zone="UTC", made_at=NOON, confirmed_at=NOON
    )


@pytest.fixture
def outgoing(subscription: Subscription) -> Outgoing:
    """Her mail."""
    made = digests.Composer().compose(subscription.pk, DAY, NOW)
    assert isinstance(made, Outgoing)
    return made


@pytest.fixture
def content(outgoing: Outgoing) -> bytes:
    """Its bytes, signed."""
    return signing.sign(outgoing.as_bytes(), SIGNING, selector="daily", domain="papers.example.org", at=1704265200)


@pytest.fixture
def mail(content: bytes) -> EmailMessage:
    """The same as a program for mail reads it."""
    return read(content)


def read(content: bytes) -> EmailMessage:
    """The mail as Python's parser reads it."""
    return message_from_bytes(content, policy=SMTP)


def part(mail: EmailMessage, kind: str) -> str:
    """The text of one of the two parts."""
    found = mail.get_body((kind,))
    assert found is not None
    return str(found.get_content())


def links(mail: EmailMessage) -> list[str]:
    """The addresses of the links in the HTML."""
    page: Any = html.fromstring(part(mail, "html"))
    return [str(address) for address in page.xpath("//a/@href")]


def domain(address: str) -> str:
    """What stands behind the @."""
    return address.rpartition("@")[2].rstrip(">")


RULES: dict[str, Rule] = {
    "RFC 5322 3.6: From, Date and To are there once": lambda mail: (
        [len(mail.get_all(name, [])) for name in ("From", "Date", "To", "Subject", "Message-ID")] == [1] * 5
    ),
    "RFC 5322 3.6.1: the date is the moment of composing, with its zone": lambda mail: (
        parsedate_to_datetime(mail["Date"]) == NOW
    ),
    "RFC 5322 3.6.4: the Message-ID is unique and of our domain": lambda mail: re.fullmatch(
        r"<digest\.[0-9a-f]{32}@papers\.example\.org>", mail["Message-ID"]
    ),
    "RFC 5322 2.1.1: no line is longer than 998": lambda mail: max(map(len, mail.as_bytes().split(b"\r\n"))) <= 998,
    "RFC 5322 3.6.2: one sender, so no Sender beside From": lambda mail: (
        len(mail["From"].addresses) == 1 and mail["Sender"] is None
    ),
    "RFC 2045: version and type": lambda mail: (
        mail["MIME-Version"] == "1.0" and mail.get_content_type() == "multipart/alternative"
    ),
    "RFC 2047: a name that is not ASCII comes through": lambda mail: (
        mail["From"].addresses[0].display_name == "The Örebro Daily"
    ),
    "RFC 2369 3.2: where to leave": lambda mail: mail["List-Unsubscribe"] == f"<{LEAVE}>",
    "RFC 8058 3.1: one click, by https, named in the other header": lambda mail: (
        mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        and mail["List-Unsubscribe"].startswith("<https://")
    ),
    "RFC 8058 3.1: the address says who leaves what, and nobody can guess it": lambda mail: (
        KEY in mail["List-Unsubscribe"]
    ),
    "RFC 2919 3: the list has a name for ever, below our domain": lambda mail: mail["List-Id"].endswith(
        "<day.papers.example.org>"
    ),
    "RFC 3834 5: no machine shall answer a machine": lambda mail: (
        mail["Auto-Submitted"] == "auto-generated" and mail["Precedence"] == "bulk"
    ),
    "RFC 6376 3.5: From is signed by its own domain, so DMARC finds them aligned": lambda mail: (
        f"d={domain(mail['From'].addresses[0].addr_spec)};" in mail["DKIM-Signature"]
    ),
    "RFC 8301 3.1: SHA-256": lambda mail: "a=rsa-sha256" in mail["DKIM-Signature"],
    "RFC 8058 4: both headers of leaving are signed": lambda mail: (
        {"list-unsubscribe", "list-unsubscribe-post"} <= signed(mail)
    ),
    "RFC 6376 5.4: what readers see is signed": lambda mail: (
        {"from", "to", "subject", "date", "message-id"} <= signed(mail)
    ),
    "Gmail: a link to leave stands in the body": lambda mail: LEAVE in links(mail) and LEAVE in part(mail, "plain"),
    "Gmail: From is no address of Gmail's": lambda mail: domain(str(mail["From"])) != "gmail.com",
    "Gmail: shorter than what it cuts off": lambda mail: len(mail.as_bytes()) < 102_000,
    "Gmail: the subject says what is inside, and is no answer": lambda mail: (
        "Lantern" in mail["Subject"] and not re.match(r"(?i)(re|fwd?):", mail["Subject"])
    ),
    "Gmail: links are seen for what they are, none is hidden or tracked": lambda mail: (
        all(re.match(rf"{BASE}/|https://arxiv\.org/|https://example\.org/", address) for address in links(mail))
        and "display:none" not in part(mail, "html").replace(" ", "")
    ),
    "Yahoo: one address in To, none in Cc and Bcc": lambda mail: (
        [each.addr_spec for each in mail["To"].addresses] == ["ada@example.org"]
        and mail["Cc"] is None
        and mail["Bcc"] is None
    ),
    "Yahoo: who sends it stands in the body": lambda mail: "broadsheet@papers.example.org" in part(mail, "plain"),
    "privacy: no picture that tells who reads": lambda mail: "<img" not in part(mail, "html"),
    "privacy: nothing of the program's insides": lambda mail: (
        not {"Received", "X-Mailer", "User-Agent"} & set(mail.keys())
    ),
}


def signed(mail: EmailMessage) -> set[str]:
    """The names of the headers that the signature covers."""
    found = re.search(r"h=([^;]+);", mail["DKIM-Signature"])
    assert found is not None
    return {name.strip().lower() for name in found[1].split(":")}


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_the_mail_keeps_the_rule(mail: EmailMessage, rule: Rule) -> None:
    assert rule(mail)


def ask(name: bytes, timeout: int = 5) -> bytes:
    """The domain name system, as dkimpy asks it."""
    assert name == b"daily._domainkey.papers.example.org."
    return SIGNING.record.encode()


def test_the_signature_is_verified_by_others(content: bytes) -> None:
    assert dkim.verify(content, dnsfunc=ask)


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        pytest.param(b"/leave>", b"/stay>", id="where to leave"),
        pytest.param(b"One-Click", b"Two-Clicks", id="how to leave"),
        pytest.param(b"day.papers", b"eve.papers", id="the list"),
        pytest.param(b"To: ada@", b"To: bea@", id="the reader"),
        pytest.param(b"2401.00001", b"2401.00009", id="a link"),
    ],
)
def test_what_was_changed_on_the_way_is_not(content: bytes, was: bytes, becomes: bytes) -> None:
    assert was in content
    assert not dkim.verify(content.replace(was, becomes), dnsfunc=ask)


def test_without_https_there_is_no_one_click(subscription: Subscription, settings: Any) -> None:
    settings.BROADSHEET_ADDRESS = "http://localhost:8000"
    made = digests.Composer().compose(subscription.pk, DAY)
    assert isinstance(made, Outgoing)
    assert "List-Unsubscribe" in dict(made.headers)
    assert "List-Unsubscribe-Post" not in dict(made.headers)


def test_the_date_is_now(subscription: Subscription) -> None:
    made = digests.Composer().compose(subscription.pk, DAY)
    assert isinstance(made, Outgoing)
    assert abs(parsedate_to_datetime(dict(made.headers)["Date"]) - datetime.now(UTC)) < timedelta(minutes=1)


def test_the_addresses_in_the_mail_are_ours(mail: EmailMessage, client: Client) -> None:
    ours = {link for link in links(mail) if link.startswith(BASE)}
    assert {f"{BASE}/date/{DAY}", f"{BASE}/papers/2401.00001", LEAVE} <= ours
    for address in ours:
        path = address.removeprefix(BASE).partition("#")[0]
        assert client.get(path, headers={"host": "localhost"}).status_code == 200, path
