"""Signatures of mails: dkimpy, which others verify with, agrees with them, and with nothing that was changed."""

from __future__ import annotations

import base64
import binascii
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import dkim
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.mailing.message import Outgoing
from broadsheet.mailing.signing import Key, UnusableKey, read_key, sign

MAIL = Outgoing(
    sender="Broadsheet <daily@papers.example.org>",
    to="ada@example.org",
    subject="20 November: A  Lamp for Every Step",
    text="A line that goes on \nin the next one.\n\n\n",
    html="<p>ℝ²</p>\n",
    headers=(
        ("Date", "Fri, 20 Nov 2026 07:00:00 +0000"),
        ("List-Id", "Broadsheet <day.papers.example.org>"),
        ("List-Unsubscribe", "<https://papers.example.org/mail/k/leave>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    ),
    message_id="<digest.1@papers.example.org>",
)


def pem(key: Any) -> bytes:
    """A private key as a file holds it."""
    return bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


RSA = read_key(pem(rsa.generate_private_key(65537, 2048)))
ED25519 = read_key(pem(ed25519.Ed25519PrivateKey.generate()))


def signed(mail: Outgoing = MAIL, key: Key = RSA) -> bytes:
    """The mail with a signature of 2026-11-20."""
    return sign(mail.as_bytes(), key, selector="broadsheet", domain="papers.example.org", at=1795158000)


def verifies(content: bytes, key: Key = RSA) -> bool:
    """Whether dkimpy finds the signature good, with the key where the domain name system would have it."""

    def ask(name: bytes, timeout: int = 5) -> bytes:
        assert name == b"broadsheet._domainkey.papers.example.org."
        return key.record.encode()

    return bool(dkim.verify(content, dnsfunc=ask))


class _VerifyKey:
    """PyNaCl's key, of which dkimpy uses this much, by the curve of `cryptography`."""

    def __init__(self, public: bytes, encoder: Any) -> None:
        self._key = ed25519.Ed25519PublicKey.from_public_bytes(base64.b64decode(public))

    def verify(self, message: bytes, signature: bytes) -> None:
        """Raises InvalidSignature."""
        self._key.verify(signature, message)


@pytest.fixture(autouse=True)
def _curve(monkeypatch: pytest.MonkeyPatch) -> None:
    """dkimpy needs a curve from elsewhere to verify Ed25519."""
    shim = SimpleNamespace(
        signing=SimpleNamespace(VerifyKey=_VerifyKey),
        encoding=SimpleNamespace(Base64Encoder=None),
        exceptions=SimpleNamespace(BadSignatureError=InvalidSignature, ValueError=ValueError),
    )
    monkeypatch.setattr(dkim, "nacl", shim, raising=False)


@pytest.mark.parametrize("key", [pytest.param(RSA, id="rsa"), pytest.param(ED25519, id="ed25519")])
class TestBothKinds:
    def test_others_can_verify_it(self, key: Key) -> None:
        assert verifies(signed(key=key), key)

    @pytest.mark.parametrize(
        ("was", "becomes"),
        [
            pytest.param(b"ada@example.org", b"bea@example.org", id="to"),
            pytest.param(b"20 November", b"21 November", id="subject"),
            pytest.param(b"daily@", b"nobody@", id="from"),
            pytest.param(b"07:00:00", b"08:00:00", id="date"),
            pytest.param(b"digest.1", b"digest.2", id="message id"),
            pytest.param(b"<day.papers", b"<eve.papers", id="list id"),
            pytest.param(b"/mail/k/leave", b"/mail/x/leave", id="list unsubscribe"),
            pytest.param(b"One-Click", b"Two-Click", id="list unsubscribe post"),
            pytest.param(b"in the next one", b"in the last one", id="text"),
            pytest.param(b"<p>", b"<b>", id="html"),
            pytest.param(b"alternative", b"mixed", id="content type"),
        ],
    )
    def test_nothing_can_be_changed(self, key: Key, was: bytes, becomes: bytes) -> None:
        content = signed(key=key)
        assert was in content
        assert not verifies(content.replace(was, becomes), key)

    @pytest.mark.parametrize("header", [b"Subject: Win\r\n", b"From: Eve <eve@example.org>\r\n"])
    def test_no_second_one_can_be_added(self, key: Key, header: bytes) -> None:
        assert not verifies(header + signed(key=key), key)
        assert verifies(b"Received: by a server\r\n" + signed(key=key), key)

    def test_blanks_may_change_on_the_way(self, key: Key) -> None:
        content = signed(key=key).replace(b"Subject: ", b"Subject:\t  ").replace(b"\r\nDate: ", b"\r\nDATE: \t ")
        assert verifies(content, key)


@given(text=st.text(st.characters(codec="utf-8"), max_size=300))
def test_any_text_can_be_signed(text: str) -> None:
    assert verifies(signed(replace(MAIL, text=text + "\n")))


@given(body=st.lists(st.sampled_from([b" ", b"\t", b"\r\n", b"a", b"b "]), max_size=40).map(b"".join))
def test_any_blanks_are_read_as_others_read_them(body: bytes) -> None:
    content = b"From: a@papers.example.org\r\nSubject: x\r\n\r\n" + body + b"\r\n"
    made = sign(content, RSA, selector="broadsheet", domain="papers.example.org", at=1795158000)
    assert verifies(made)


def test_the_headers_that_leave_a_list_are_signed() -> None:
    head = signed().partition(b"\r\nFrom:")[0].lower()
    assert b"list-unsubscribe:" in head
    assert b"list-unsubscribe-post:" in head


def test_the_record_is_what_the_domain_name_system_holds() -> None:
    kind, _, public = RSA.record.removeprefix("v=DKIM1; k=").partition("; p=")
    assert kind == "rsa"
    assert isinstance(serialization.load_der_public_key(base64.b64decode(public)), rsa.RSAPublicKey)
    assert len(base64.b64decode(ED25519.record.partition("p=")[2])) == 32  # RFC 8463, section 4


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"", "no private key", id="empty"),
        pytest.param(b"\xff" * 100, "no private key", id="bytes"),
        pytest.param(b"x" * 100_000, "larger than any key", id="large"),
        pytest.param(pem(rsa.generate_private_key(65537, 1024)), "has 1024 bits", id="too short"),
        pytest.param(pem(ec.generate_private_key(ec.SECP256R1())), "neither one of RSA nor", id="another curve"),
    ],
)
def test_a_key_that_is_of_no_use_is_refused_in_a_sentence(content: bytes, said: str) -> None:
    with pytest.raises(UnusableKey, match=said):
        read_key(content)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"From: a@example.org", id="no body"),
        pytest.param(b"Subject: x\r\n\r\nx", id="nobody"),
        pytest.param(b"From: a\r\nFrom: b\r\n\r\nx", id="two"),
    ],
)
def test_what_is_no_mail_cannot_be_signed(content: bytes) -> None:
    with pytest.raises(ValueError, match="cannot be signed"):
        sign(content, RSA, selector="s", domain="d.example.org", at=0)


def test_a_signature_is_base64_in_short_lines() -> None:
    first = signed().partition(b"\r\nFrom:")[0]
    assert all(len(line) <= 78 for line in first.split(b"\r\n")[2:])
    assert binascii.a2b_base64(first.rpartition(b"b=")[2].replace(b"\r\n ", b""), strict_mode=True)
