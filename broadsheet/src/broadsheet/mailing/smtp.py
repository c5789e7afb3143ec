"""Handing mail to a server by SMTP (RFC 5321), so that it is always known whether the server can have it.

The content goes first; then whoever sends is asked; only then goes the line with the dot that makes the mail complete,
and the reply is read. A connection that breaks before that dot leaves nothing behind. One that breaks after it leaves
a question, which is what `Unconfirmed` says.
"""

from __future__ import annotations

import re
import select
import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from broadsheet.mailing.message import Malformed
from broadsheet.mailing.outcomes import (
    Accepted,
    BeforeEnd,
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

# RFC 5321, section 4.5.3.2, asks for five minutes for most steps. A server of one's own that takes one is not well.
TIMEOUT = 60.0  # seconds
# Servers close connections that carry too many mails; a new one costs little.
MAILS_FOR_A_LINE = 100
LONGEST_SAID = 300  # characters of a reply that are kept

_LINES_OF_A_REPLY = 50
_LONGEST_LINE = 8192  # bytes; RFC 5321, section 4.5.3.1.5, allows 512
_CLOSING = 421
_TOO_LARGE = 552
_STATUS = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?:[ \t]|$)")
_BARE = re.compile(rb"\r\n|\r|\n")


def _unsigned(content: bytes) -> bytes:
    return content


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server and how it is asked. `tls` is "starttls", "tls" or "none"; `sign` gives bytes their signature."""

    host: str
    port: int
    tls: str
    user: str = ""
    password: str = field(default="", repr=False)
    sign: Callable[[bytes], bytes] = _unsigned
    timeout_seconds: float = TIMEOUT
    # What a certificate is checked against; None for what this system trusts.
    trust: ssl.SSLContext | None = None

    def open(self) -> Session:
        """A connection that is ready for mail: encrypted and known as the settings ask. Raises Unavailable."""
        session: Session | None = None
        try:
            session = self._connected()
            session.sign = self.sign
            session.ehlo_or_helo_if_needed()
            if self.tls == "starttls":
                session.starttls(context=self._trust())
                session.ehlo()
            if self.user:
                session.login(self.user, self.password)
        except (smtplib.SMTPException, OSError, ValueError) as error:
            if session is not None:
                session.close()
            raise Unavailable(self._sentence(error), repr(error)) from error
        return session

    def _connected(self) -> Session:
        if self.tls == "tls":
            return _TlsSession(self.host, self.port, timeout=self.timeout_seconds, context=self._trust())
        return Session(self.host, self.port, timeout=self.timeout_seconds)

    def _trust(self) -> ssl.SSLContext:
        return self.trust or ssl.create_default_context()

    def _sentence(self, error: Exception) -> str:
        where = f"{self.host}, port {self.port}"
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"The certificate of the mail server at {where} is not valid: {said(error.verify_message)}."
        if isinstance(error, ssl.SSLError):
            return f"The mail server at {where} could not be spoken to over TLS. See BROADSHEET_MAIL_TLS."
        if isinstance(error, smtplib.SMTPNotSupportedError):
            return f"The mail server at {where} does not offer what the settings ask for: {said(str(error))}"
        if isinstance(error, smtplib.SMTPAuthenticationError):
            return f"The mail server at {where} refused the name or the password: {said(error.smtp_error)}"
        if isinstance(error, smtplib.SMTPResponseException):
            return f"The mail server at {where} answered {error.smtp_code}: {said(error.smtp_error)}"
        return f"The mail server at {where} does not answer: {said(str(error))}."


class Session(smtplib.SMTP):
    """A connection to a mail server that hands over one mail after the other."""

    sign: Callable[[bytes], bytes] = staticmethod(_unsigned)
    _handed = 0

    @property
    def usable(self) -> bool:
        """Whether it is open and has not carried enough."""
        return self.sock is not None and self._handed < MAILS_FOR_A_LINE

    def getreply(self) -> tuple[int, bytes]:
        """A reply of bounded length: its code, and its lines. Raises SMTPServerDisconnected."""
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("it closed the connection")
        if self.file is None:
            self.file = self.sock.makefile("rb")
        lines = []
        for _ in range(_LINES_OF_A_REPLY):
            line = self._line()
            lines.append(line[4:].strip(b" \t\r\n"))
            if line[3:4] != b"-":
                return int(line[:3]), b"\n".join(lines)
        self.close()
        raise smtplib.SMTPServerDisconnected("its reply has no end")

    def _line(self) -> bytes:
        line: bytes = self.file.readline(_LONGEST_LINE + 1) if self.file else b""
        if not line:
            self.close()
            raise smtplib.SMTPServerDisconnected("it closed the connection")
        if len(line) > _LONGEST_LINE or not line[:3].isdigit():
            self.close()
            raise smtplib.SMTPServerDisconnected("what it said is no reply of SMTP")
        return line

    def hand_over(self, letter: Letter, before_end: BeforeEnd) -> Outcome:
        """Hand one mail over; what came of it. The connection is closed unless it can take another."""
        try:
            content = self.sign(letter.mail.as_bytes())
        except (Malformed, ValueError) as error:
            return Unsendable(str(error))
        self._handed += 1
        outcome = self._converse(letter, _lines(content), before_end)
        if isinstance(outcome, NotTaken) and outcome.stage is not Stage.CONTENT:
            self._begin_anew(outcome)
        elif not isinstance(outcome, Accepted | NotTaken) or _closing(outcome):
            self.close()
        return outcome

    def _converse(self, letter: Letter, content: bytes, before_end: BeforeEnd) -> Outcome:
        try:
            refused = self._announce(letter, content)
            if refused is not None:
                return refused
            self.send(content)
            if not before_end():
                return Withheld()
            if self._has_spoken():
                return Lost("The mail server ended it in the middle of the content.")
        except UnicodeEncodeError:
            return Unsendable("The address has letters that the mail server does not take.")
        except (smtplib.SMTPException, OSError, ValueError) as error:
            return Lost(_broken(error))
        return self._complete()

    def _complete(self) -> Outcome:
        """Tell the server that the content is complete. From here on it may have the mail, whatever happens."""
        try:
            self.send(b".\r\n")
            code, text = self.getreply()
        except (smtplib.SMTPException, OSError) as error:
            return Unconfirmed(_broken(error))
        return Accepted(said(text)) if code == 250 else _refusal(Stage.CONTENT, code, text)

    def _announce(self, letter: Letter, content: bytes) -> NotTaken | None:
        """Say who sends, to whom, and that content comes; what the server refuses of it."""
        limit = self.esmtp_features.get("size", "")
        if limit.isdecimal() and 0 < int(limit) < len(content):
            words = f"The mail has {len(content)} bytes, the server takes {limit}."
            return NotTaken(Stage.SENDER, _TOO_LARGE, "5.3.4", words)
        options = [f"SIZE={len(content)}"] if self.has_extn("size") else []
        sender, to = _ascii_domain(letter.envelope_sender), _ascii_domain(letter.mail.to)
        if not content.isascii() and self.has_extn("8bitmime"):
            options.append("BODY=8BITMIME")
        if not (sender + to).isascii() and self.has_extn("smtputf8"):
            options.append("SMTPUTF8")
        code, text = self.mail(sender, options)
        if code != 250:
            return _refusal(Stage.SENDER, code, text)
        code, text = self.rcpt(to)
        if code not in (250, 251):
            return _refusal(Stage.RECIPIENT, code, text)
        code, text = self.docmd("DATA")
        # Who refuses here has heard sender and recipient, and nothing of the mail.
        return None if code == 354 else _refusal(Stage.SENDER, code, text)

    def _has_spoken(self) -> bool:
        """Whether the server said something, or hung up, without being asked: then it does not wait for the end."""
        return self.sock is not None and bool(select.select([self.sock], [], [], 0)[0])

    def _begin_anew(self, refused: NotTaken) -> None:
        """Have the server forget what it was told, for the next mail."""
        try:
            if _closing(refused) or self.rset()[0] != 250:
                self.close()
        except (smtplib.SMTPException, OSError):
            self.close()

    def finish(self) -> None:
        """Take leave of the server, and end the connection."""
        with suppress(smtplib.SMTPException, OSError):
            if self.sock is not None:
                self.quit()
        self.close()


class _TlsSession(Session, smtplib.SMTP_SSL):
    """A connection that is encrypted from its beginning."""


def said(text: bytes | str) -> str:
    """What a server said, on one line, of bounded length and safe to print."""
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    line = " ".join(words[: 4 * LONGEST_SAID].split())
    return "".join(sign if sign.isprintable() else "?" for sign in line)[:LONGEST_SAID].rstrip(".")


def _broken(error: Exception) -> str:
    return f"The connection to the mail server broke: {said(str(error) or type(error).__name__)}."


def _refusal(stage: Stage, code: int, text: bytes) -> NotTaken:
    words = said(text)
    found = _STATUS.match(words)
    if found is None:
        return NotTaken(stage, code, "", words)
    return NotTaken(stage, code, found[1], words[found.end() :].strip())


def _closing(outcome: Outcome) -> bool:
    return isinstance(outcome, NotTaken) and outcome.code == _CLOSING


def _lines(content: bytes) -> bytes:
    """The content as it travels: CRLF alone ends lines, and a dot that begins one is doubled (RFC 5321, 4.5.2).

    A lone CR or LF would let text pass for the end of the mail with servers that are not strict.
    """
    if not content.count(b"\r\n") == content.count(b"\n") == content.count(b"\r"):
        content = _BARE.sub(b"\r\n", content)
    if not content.endswith(b"\r\n"):
        content += b"\r\n"
    doubled = content.replace(b"\r\n.", b"\r\n..")
    return b"." + doubled if doubled.startswith(b".") else doubled


def _ascii_domain(address: str) -> str:
    """The address with its domain in the form of the domain name system (RFC 5890)."""
    name, at, domain = address.rpartition("@")
    if domain.isascii():
        return address
    return f"{name}{at}{domain.encode('idna').decode('ascii')}"
