"""Handing mail to a server: what is said on the wire, and what is known when the wire is cut at any moment."""

from __future__ import annotations

import base64
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.mailing import smtp
from broadsheet.mailing.message import Outgoing
from broadsheet.mailing.outcomes import (
    Accepted,
    Letter,
    Lost,
    NotTaken,
    Outcome,
    Stage,
    Unavailable,
    Unconfirmed,
    Unsendable,
    Withheld,
)

# What a server does at a step instead of answering.
CUT = "cut the connection"

GREETING = "220 mail.example ready"
EHLO = "250-mail.example\r\n250-SIZE 200000\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 STARTTLS"
ANSWERS = {
    "greeting": GREETING, "EHLO": EHLO, "MAIL": "250 2.1.0 Ok", "RCPT": "250 2.1.5 Ok", "DATA": "354 Go on",
    "end": "250 2.0.0 Ok: queued as 1A2B", "RSET": "250 Ok", "QUIT": "221 Bye",
}  # fmt: skip


def letter(to: str = "ada@example.org", text: str = "Good morning.\n") -> Letter:
    """A mail of ours."""
    mail = Outgoing("Broadsheet <b@papers.example>", to, "Papers", text, "<p>x</p>\n", (), "<1@papers.example>")
    return Letter(mail, "bounces+1@papers.example")


@dataclass
class Script:
    """A server that answers each step as written, for one connection after the other, and keeps what it was told."""

    answers: dict[str, str]
    commands: list[str] = field(default_factory=list)
    mails: list[bytes] = field(default_factory=list)
    half: list[bytes] = field(default_factory=list)
    connections: int = 0
    _lines: list[smtp.Session] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            with connection, connection.makefile("rb") as lines:
                try:
                    self._talk(connection, lines)
                except OSError:
                    continue

    def _talk(self, connection: socket.socket, lines: Any) -> None:
        if not self._answer(connection, "greeting"):
            return
        while line := lines.readline():
            command = line.decode().strip()
            self.commands.append(command)
            verb = command.split(":")[0].split()[0].upper()
            if not self._answer(connection, verb):
                return
            if verb == "DATA" and self.answers["DATA"].startswith("354") and not self._content(connection, lines):
                return

    def _content(self, connection: socket.socket, lines: Any) -> bool:
        content = b""
        while (line := lines.readline()) not in (b".\r\n", b""):
            content += line
        if not line:
            self.half.append(content)
            return False
        self.mails.append(content)
        return self._answer(connection, "end")

    def _answer(self, connection: socket.socket, step: str) -> bool:
        answer = self.answers[step]
        if answer == CUT:
            return False
        connection.sendall(answer.encode() + b"\r\n")
        return True

    def line(self, **values: Any) -> smtp.Session:
        """A connection to it, closed with the test."""
        self._lines.append(self.server(**values).open())
        return self._lines[-1]

    def close(self) -> None:
        """Take no more connections, and end those that there are."""
        self._socket.close()
        for line in self._lines:
            line.close()

    def server(self, **values: Any) -> smtp.Server:
        """How it is asked."""
        told: dict[str, Any] = {"host": "127.0.0.1", "port": self.port, "tls": "none", "timeout_seconds": 5}
        return smtp.Server(**(told | values))


@pytest.fixture
def script() -> Iterator[Callable[..., Script]]:
    """Start scripted servers."""
    made: list[Script] = []

    def start(**answers: str) -> Script:
        made.append(Script(ANSWERS | answers))
        return made[-1]

    yield start
    for one in made:
        one.close()


class TestTaken:
    def test_a_mail_and_what_the_server_says(self, script: Any) -> None:
        server = script()
        line = server.line()
        assert line.hand_over(letter(), lambda: True) == Accepted("2.0.0 Ok: queued as 1A2B")
        line.finish()
        assert b"Subject: Papers\r\n" in server.mails[0]
        size = len(letter().mail.as_bytes())
        told = [command.lower() for command in server.commands[1:]]
        assert told == [
            f"mail from:<bounces+1@papers.example> size={size}", "rcpt to:<ada@example.org>", "data", "quit",
        ]  # fmt: skip

    def test_one_connection_carries_many(self, script: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(smtp, "MAILS_FOR_A_LINE", 3)
        server = script()
        line = server.line()
        for _ in range(3):
            assert line.usable
            line.hand_over(letter(), lambda: True)
        assert not line.usable
        assert (server.connections, len(server.mails)) == (1, 3)

    def test_the_content_is_there_before_the_end_is_asked_for(self, script: Any) -> None:
        server = script()
        line = server.line()
        at_the_end: list[int] = []

        def note() -> bool:
            at_the_end.append(len(server.mails))
            return True

        line.hand_over(letter(), note)
        assert (at_the_end, len(server.mails)) == ([0], 1)

    @pytest.mark.parametrize(
        ("to", "told"),
        [
            pytest.param("ada@müller.example", "rcpt to:<ada@xn--mller-kva.example>", id="a domain in Unicode"),
            pytest.param("chloé@example.org", "rcpt to:<chloé@example.org>", id="a name in Unicode"),
        ],
    )
    def test_addresses_that_are_not_ascii(self, script: Any, to: str, told: str) -> None:
        server = script()
        assert isinstance(server.line().hand_over(letter(to), lambda: True), Accepted)
        assert told in [command.lower() for command in server.commands]
        assert ("SMTPUTF8" in server.commands[1]) is (told.isascii() is False)

    def test_a_name_that_the_server_cannot_take(self, script: Any) -> None:
        server = script(EHLO="250 mail.example")
        line = server.line()
        assert isinstance(line.hand_over(letter("chloé@example.org"), lambda: True), Unsendable | Lost)
        assert not line.usable

    def test_an_address_cannot_bring_a_command_of_its_own(self, script: Any) -> None:
        server = script()
        line = server.line()
        assert not isinstance(line.hand_over(letter("a@b.c>\r\nRCPT TO:<x@y.z"), lambda: True), Accepted)
        assert not [command for command in server.commands if command.startswith("RCPT TO:<x@y.z")]


class TestCut:
    """Where the connection ends is what decides whether the mail may be tried again."""

    @pytest.mark.parametrize(
        ("step", "expected", "asked"),
        [
            pytest.param("MAIL", Lost, False, id="before the sender"),
            pytest.param("RCPT", Lost, False, id="before the recipient"),
            pytest.param("DATA", Lost, False, id="before the content"),
            pytest.param("end", Unconfirmed, True, id="after the end, before the reply"),
        ],
    )
    def test_a_connection_that_ends(self, script: Any, step: str, expected: type[Outcome], asked: bool) -> None:
        server = script(**{step: CUT})
        line = server.line()
        calls: list[int] = []

        def note() -> bool:
            calls.append(1)
            return True

        assert isinstance(line.hand_over(letter(), note), expected)
        assert bool(calls) is asked
        assert not line.usable

    def test_what_is_withheld_never_ends(self, script: Any) -> None:
        server = script()
        line = server.line()
        assert line.hand_over(letter(), lambda: False) == Withheld()
        assert (server.mails, line.usable) == ([], False)

    def test_a_silent_server_is_not_waited_for_without_end(self, script: Any) -> None:
        server = script(end="250-")
        line = server.line(timeout_seconds=0.2)
        assert isinstance(line.hand_over(letter(), lambda: True), Unconfirmed)


class TestRefused:
    @pytest.mark.parametrize(
        ("step", "answer", "expected"),
        [
            pytest.param("MAIL", "550 5.7.1 Not you", (Stage.SENDER, 550, "5.7.1", "Not you"), id="the sender"),
            pytest.param("RCPT", "550 5.1.1 <x> Unknown", (Stage.RECIPIENT, 550, "5.1.1", "<x> Unknown"), id="reader"),
            pytest.param("RCPT", "450 Greylisted.", (Stage.RECIPIENT, 450, "", "Greylisted"), id="without a status"),
            pytest.param("DATA", "451 4.3.0 Later", (Stage.SENDER, 451, "4.3.0", "Later"), id="before the content"),
            pytest.param("end", "554 5.7.1 Spam", (Stage.CONTENT, 554, "5.7.1", "Spam"), id="the content"),
            pytest.param(
                "RCPT", "550-5.1.1 One\r\n550-5.1.1 two\r\n550 5.1.1 \x1b[2Jthree",
                (Stage.RECIPIENT, 550, "5.1.1", "One 5.1.1 two 5.1.1 ?[2Jthree"), id="of many lines",
            ),
        ],
    )  # fmt: skip
    def test_what_is_refused_and_in_which_words(
        self, script: Any, step: str, answer: str, expected: tuple[Stage, int, str, str]
    ) -> None:
        server = script(**{step: answer})
        line = server.line()
        assert line.hand_over(letter(), lambda: True) == NotTaken(*expected)
        assert line.usable

    def test_the_next_mail_goes_over_the_same_connection(self, script: Any) -> None:
        server = script(RCPT="550 5.1.1 Unknown")
        line = server.line()
        line.hand_over(letter(), lambda: True)
        server.answers["RCPT"] = "250 Ok"
        assert isinstance(line.hand_over(letter(), lambda: True), Accepted)
        assert server.connections == 1

    def test_a_server_that_closes_is_left(self, script: Any) -> None:
        line = script(RCPT="421 4.7.0 Too much").line()
        assert isinstance(line.hand_over(letter(), lambda: True), NotTaken)
        assert not line.usable

    def test_a_mail_that_is_too_large_is_not_begun(self, script: Any) -> None:
        server = script(EHLO="250-mail.example\r\n250 SIZE 100")
        outcome = server.line().hand_over(letter(), lambda: True)
        assert isinstance(outcome, NotTaken)
        assert (outcome.code, outcome.status) == (552, "5.3.4")
        assert "DATA" not in [command.upper() for command in server.commands]

    @pytest.mark.parametrize(
        "answer",
        [
            pytest.param("hello", id="no reply of SMTP"),
            pytest.param("2" * 10_000, id="a line without end"),
            pytest.param("\r\n".join(["250-x"] * 80), id="a reply without end"),
        ],
    )
    def test_nonsense_ends_the_connection(self, script: Any, answer: str) -> None:
        line = script(MAIL=answer).line()
        assert isinstance(line.hand_over(letter(), lambda: True), Lost)
        assert not line.usable

    def test_words_are_of_bounded_length(self) -> None:
        assert len(smtp.said(b"x" * 9000)) == smtp.LONGEST_SAID


class TestUnavailable:
    def test_nobody_listens(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        with pytest.raises(Unavailable, match=f"port {port} does not answer"):
            smtp.Server("127.0.0.1", port, "none").open()

    @pytest.mark.parametrize(
        ("answers", "values", "words"),
        [
            pytest.param({"greeting": "554 5.7.1 Go away"}, {}, "answered 554: 5.7.1 Go away", id="refused at once"),
            pytest.param({"greeting": CUT}, {}, "does not answer", id="closed at once"),
            pytest.param({"EHLO": "250 mail.example"}, {"tls": "starttls"}, "does not offer", id="no STARTTLS"),
            pytest.param({}, {"user": "ada", "password": "x"}, "does not offer", id="no login"),
        ],
    )
    def test_what_a_server_must_give(self, script: Any, answers: Any, values: Any, words: str) -> None:
        with pytest.raises(Unavailable, match=words):
            script(**answers).server(**values).open()

    def test_a_password_is_not_shown(self) -> None:
        assert "geheim" not in repr(smtp.Server("h", 25, "none", "ada", "geheim"))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for this machine's own address, and its key."""
    folder = tmp_path_factory.mktemp("certificate")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail.example")])
    here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(here, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, *plain))
    return folder / "cert.pem", folder / "key.pem"


class TestEncrypted:
    """A server of aiosmtpd, with TLS and a password."""

    @pytest.fixture
    def real(self, certificate: tuple[Path, Path], request: pytest.FixtureRequest) -> Iterator[tuple[Any, list[bytes]]]:
        """The running server, and the mails that it took."""
        from aiosmtpd.controller import Controller
        from aiosmtpd.smtp import AuthResult

        taken: list[bytes] = []

        class Handler:
            async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
                taken.append(envelope.content)
                return "250 Ok"

        def known(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
            return AuthResult(success=(data.login, data.password) == (b"ada", b"open sesame"), handled=False)

        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*certificate)
        first: dict[str, Any] = {"ssl_context": context} if request.param == "tls" else {"tls_context": context}
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        asks: dict[str, Any] = {"authenticator": known, "auth_required": True} if request.param == "starttls" else {}
        controller = Controller(Handler(), "127.0.0.1", port, **first, **asks)
        controller.start()
        yield controller, taken
        controller.stop()

    @staticmethod
    def server(real: Any, tls: str, certificate: tuple[Path, Path], password: str = "open sesame") -> smtp.Server:
        """How it is asked, with trust in its certificate."""
        trust = ssl.create_default_context(cafile=str(certificate[0]))
        user = "ada" if tls == "starttls" else ""
        return smtp.Server("127.0.0.1", real[0].port, tls, user, password, trust=trust, timeout_seconds=5)

    @pytest.mark.parametrize(("real", "tls"), [("starttls", "starttls"), ("tls", "tls")], indirect=["real"])
    def test_mail_goes_over_tls(self, real: Any, tls: str, certificate: Any) -> None:
        line = self.server(real, tls, certificate).open()
        assert line.hand_over(letter(text=".x\n..y\n"), lambda: True) == Accepted("Ok")
        line.finish()
        assert b"\r\n.x\r\n..y\r\n" in real[1][0]

    @pytest.mark.parametrize("real", ["starttls"], indirect=True)
    def test_a_wrong_password_is_told(self, real: Any, certificate: Any) -> None:
        with pytest.raises(Unavailable, match="refused the name or the password"):
            self.server(real, "starttls", certificate, "wrong").open()

    @pytest.mark.parametrize(("real", "tls"), [("starttls", "starttls"), ("tls", "tls")], indirect=["real"])
    def test_a_certificate_that_nobody_vouches_for_is_refused(self, real: Any, tls: str) -> None:
        with pytest.raises(Unavailable, match=r"certificate of the mail server .* is not valid"):
            smtp.Server("127.0.0.1", real[0].port, tls, timeout_seconds=5).open()


@given(st.binary(max_size=300))
def test_content_ends_nowhere_but_at_its_end(content: bytes) -> None:
    sent = smtp._lines(content) + b".\r\n"
    assert sent.find(b"\r\n.\r\n") in (-1, len(sent) - 5)
    assert not sent.startswith(b".\r\n")
    assert sent.replace(b"\r\n", b"").count(b"\r") == sent.replace(b"\r\n", b"").count(b"\n") == 0


def test_a_mail_is_signed_on_its_way() -> None:
    encoded = base64.b64encode(b"x")
    assert smtp.Server("h", 25, "none", sign=lambda content: encoded + content).sign(b"y") == encoded + b"y"
