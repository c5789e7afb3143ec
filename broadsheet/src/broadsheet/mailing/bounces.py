"""Mail that comes back: which of ours it is about, and what became of it.

A notice is believed only where it holds a token that we gave out with that one mail, so that nobody can have a stranger
struck off by a forged notice. The token stands in the envelope sender (VERP), which mail servers see and which is not
forwarded with the text. Sources: RFC 3464 (notices), RFC 3463 (status codes), RFC 5965 (complaints).
"""

from __future__ import annotations

import base64
import hmac
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from email.utils import parseaddr
from enum import StrEnum
from hashlib import sha256

from flufl.bounce import all_failures

_LOG = logging.getLogger(__name__)

# The largest notice that is read, in bytes, and the most parts that it may have.
LARGEST = 1_000_000
_MOST_PARTS = 60
# How much of what a server says is kept, in letters.
_LONGEST_SAID = 300
_LONGEST_LINE = 4000


class Kind(StrEnum):
    """What came of a mail: the address does not exist, it was refused for now, or its reader called it spam."""

    HARD = "hard"
    SOFT = "soft"
    COMPLAINT = "complaint"


@dataclass(frozen=True, slots=True)
class Returned:
    """A notice about one mail of ours.

    `delivery` is the number of the delivery, proved by its token; None where only `key` is known, the subscription's
    own, which stands in every mail's text and proves less. `address` is whom the notice names, in small letters, empty
    where it names nobody; `said` is what the other server said, for a log.
    """

    kind: Kind
    said: str
    delivery: int | None
    key: str
    address: str


def envelope_sender(mailbox: str, delivery: int, secret: str) -> str:
    """The envelope sender of one delivery, to which notices about it come back.

    ``bounces@example.org`` becomes ``bounces+42-k5sgk4tfmzuw2zlt@example.org``. The token is a keyed digest (HMAC) of
    the number. `mailbox` is the setting mail_bounces; without one there is no such address, and the answer is empty.
    """
    local, at, domain = mailbox.rpartition("@")
    return f"{local}+{delivery}-{_token(delivery, secret)}@{domain}" if at else ""


def _token(delivery: int, secret: str) -> str:
    """80 bits in 16 small letters and digits: servers on the way may change the case of letters."""
    digest = hmac.new(f"broadsheet bounces {secret}".encode(), str(delivery).encode(), sha256).digest()
    return base64.b32encode(digest[:10]).decode("ascii").lower()


_TOKEN = re.compile(r"[+=]([1-9][0-9]{0,17})-([a-z2-7]{16})(?=[@=>\s]|$)", re.ASCII)


def delivery_of(text: str, secret: str) -> int | None:
    """The delivery whose token stands in an address, or in headers that hold one; None where no token is ours."""
    for number, token in _TOKEN.findall(text.lower()[:100_000]):
        if hmac.compare_digest(token, _token(int(number), secret)):
            return int(number)
    return None


# RFC 3463: no such mailbox, no such system, moved without a new address, no mail is taken there (RFC 7505).
NO_SUCH_ADDRESS = frozenset({"5.1.1", "5.1.2", "5.1.6", "5.1.10"})
_CODE = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])", re.ASCII)


def codes(text: str) -> list[str]:
    """The enhanced status codes (RFC 3463) in what a server said, in order: ``550 5.1.1 User unknown`` gives 5.1.1."""
    return [".".join(parts) for parts in _CODE.findall(text[:_LONGEST_LINE])]


def kind_of(said: list[str]) -> Kind:
    """What codes of one refusal mean. Hard only where all that say anything say that the address does not exist.

    A code that ends in .0 says nothing (RFC 3463, "other undefined status").
    """
    telling = [code for code in said if not code.endswith(".0")]
    return Kind.HARD if telling and set(telling) <= NO_SUCH_ADDRESS else Kind.SOFT


def read(raw: bytes, secret: str) -> Returned | None:
    """What a message says of a mail of ours. None where it is no notice, is too large, or holds no token of ours.

    Out-of-office answers, notices that a mail is late, and notices of success are no notices in this sense.
    """
    if len(raw) > LARGEST or raw.lower().count(b"content-type:") > _MOST_PARTS:
        return None
    message = _parsed(raw)
    if message is None:
        return None
    found = _complaint(message) or _notice(message) or _odd_notice(message, raw)
    if found is None:
        return None
    kind, said, address = found
    delivery, key = delivery_of(_places(message), secret), _key(message)
    if delivery is None and not key:
        return None
    return Returned(kind, plain(said), delivery, key, address.lower()[:254] if address.isprintable() else "")


def _parsed(raw: bytes) -> Message | None:
    try:
        return BytesParser(policy=compat32).parsebytes(raw)
    except (ValueError, LookupError, RecursionError, TypeError, AttributeError):  # what hostile headers can raise
        _LOG.info("A message that came back cannot be read.")
        return None


_Found = tuple[Kind, str, str]


def _parts(message: Message, wanted: str) -> Iterator[Message]:
    return (part for part in message.walk() if part.get_content_type() == wanted)


def _blocks(part: Message) -> list[Message]:
    """The blocks of fields of a part: the parser has made them, or left them as text (sent as base64)."""
    payload = part.get_payload()
    if isinstance(payload, list):
        return [block for block in payload if isinstance(block, Message)]
    text = _text(part)
    return [block for piece in re.split(r"\n[ \t]*\n", text)[:50] if (block := _parsed(piece.lstrip().encode("utf-8")))]


def _text(part: Message) -> str:
    """The text of a part, at most 64 kB of it."""
    try:
        payload = part.get_payload(decode=True)
    except (ValueError, LookupError, AssertionError):
        return ""
    return payload[:65_536].decode("utf-8", "replace").replace("\r\n", "\n") if isinstance(payload, bytes) else ""


def _field(block: Message, name: str) -> str:
    """A field, on one line. RFC 3464 writes some as ``type; value``."""
    return " ".join(str(block.get(name, ""))[:_LONGEST_LINE].split())


def _value(block: Message, name: str) -> str:
    field = _field(block, name)
    kind, semicolon, value = field.partition(";")
    return value.strip() if semicolon and " " not in kind.strip() else field


def _address(text: str) -> str:
    """The address in a field, without blanks, brackets and the escapes of xtext (RFC 3461); empty for none."""
    found = parseaddr(text.strip())[1].strip("<>")
    return found if "@" in found else ""


# What of a complaint is one: "not-spam" is the opposite, "virus" and "other" are not the reader's word about us.
_COMPLAINTS = frozenset({"abuse", "fraud", "opt-out"})


def _complaint(message: Message) -> _Found | None:
    """A report of RFC 5965 by which a provider passes on that a reader called the mail spam."""
    if message.get_content_type() != "multipart/report":
        return None
    for part in _parts(message, "message/feedback-report"):
        for block in _blocks(part):
            if _field(block, "Feedback-Type").lower() in _COMPLAINTS:
                address = _address(_field(block, "Original-Rcpt-To"))
                return Kind.COMPLAINT, "Its reader reported it as spam.", address
    return None


def _notice(message: Message) -> _Found | None:
    """A notice of RFC 3464. Of several recipients the first that failed counts: each of our mails has one."""
    for part in _parts(message, "message/delivery-status"):
        for block in _blocks(part):
            if _field(block, "Action").lower() == "failed":
                return _failed(block)
    return None


def _failed(block: Message) -> _Found:
    status, diagnostic = _field(block, "Status"), _value(block, "Diagnostic-Code")
    address = _address(_value(block, "Original-Recipient")) or _address(_value(block, "Final-Recipient"))
    said = diagnostic or f"status {status}"
    return kind_of(codes(status)[:1] + codes(diagnostic)), said, address


# Who sends what comes back; what others send is a reply of a person or of her machine.
_DAEMONS = frozenset({"mailer-daemon", "postmaster", "mail-daemon", "mdaemon", "noreply-mailer-daemon"})
_SUBJECT_OF_REPLY = re.compile(r"\b(out of (the )?office|vacation|away|abwesen|absence)", re.IGNORECASE)


def _odd_notice(message: Message, raw: bytes) -> _Found | None:
    """A notice in a form of its own, as of qmail or old Exim. Hard only where its own text has a code that says so."""
    sender = parseaddr(_field(message, "From"))[1].partition("@")[0].lower()
    if sender not in _DAEMONS or _SUBJECT_OF_REPLY.search(_field(message, "Subject")):
        return None
    if next(_parts(message, "message/delivery-status"), None) is not None:
        return None
    if len(raw) > LARGEST // 4 or max(map(len, raw.splitlines()), default=0) > _LONGEST_LINE:
        return None
    try:
        temporary, permanent = all_failures(message)
    except Exception:  # what reads old formats may fail in any way on the bytes of a stranger
        _LOG.info("A message that came back has a form that cannot be read.")
        return None
    addresses = sorted(each.decode("ascii", "replace") for each in permanent or temporary)
    if not addresses:
        return None
    text = _beginning(message)
    said = next((line.strip() for line in text.splitlines() if codes(line)), "") or "The mail came back."
    return (kind_of(codes(text)) if permanent else Kind.SOFT), said, addresses[0]


# Where what follows is the mail that came back, whose own text holds what looks like codes.
_OUR_MAIL = re.compile(r"\n(?:-{2,}[^\n]*|Return-Path:[^\n]*|Received:[^\n]*)", re.IGNORECASE)


def _beginning(message: Message) -> str:
    """What the server says in its own words: the first text, without the mail that it returns."""
    first = next((part for part in message.walk() if part.get_content_maintype() == "text"), None)
    return _OUR_MAIL.split(_text(first) if first is not None else "", maxsplit=1)[0][:_LONGEST_LINE]


_PLACES = ("To", "Delivered-To", "X-Original-To", "Envelope-To", "X-Delivered-To", "Resent-To", "X-Envelope-To")


def _places(message: Message) -> str:
    """The fields in which our envelope sender may stand: to whom the notice came, and from whom the mail was."""
    found = [_field(message, name) for name in _PLACES]
    for part in _parts(message, "message/feedback-report"):
        found += [_field(block, "Original-Mail-From") for block in _blocks(part)]
    found += [_field(mail, "Return-Path") for mail in _returned(message)]
    return "\n".join(found)


_LEAVE = re.compile(r"/mail/([A-Za-z0-9_-]{20,64})/leave>")


def _key(message: Message) -> str:
    """The key of the subscription by the mail that came back; empty where it did not come back with its headers."""
    for mail in _returned(message):
        if found := _LEAVE.search(_field(mail, "List-Unsubscribe")):
            return found[1]
    return ""


def _returned(message: Message) -> Iterator[Message]:
    """The mail of ours in a notice, or its headers."""
    for part in message.walk():
        payload = part.get_payload()
        if part.get_content_type() == "message/rfc822" and isinstance(payload, list):
            yield from (each for each in payload[:1] if isinstance(each, Message))
        elif part.get_content_type() in {"text/rfc822-headers", "message/rfc822-headers"}:
            parsed = _parsed(_text(part).encode("utf-8"))
            if parsed is not None:
                yield parsed


def plain(said: str) -> str:
    """What a server said, on one line, without what would steer a terminal, and not too long."""
    beginning = said[: 4 * _LONGEST_SAID]
    return " ".join("".join(letter if letter.isprintable() else " " for letter in beginning).split())[:_LONGEST_SAID]
