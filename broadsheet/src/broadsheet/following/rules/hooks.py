"""Messages of a group to where it talks: their forms, signatures, and when an address is given up. No database."""

from __future__ import annotations

import base64
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from broadsheet.following.rules.subscribing import Cadence

MOST_HOOKS = 5
MOST_SECTIONS = 10
# A test may be asked for so often.
TEST_AGAIN_AFTER = timedelta(minutes=1)
# A claim that is older is that of a worker that died.
CLAIM_LASTS = timedelta(minutes=10)
# So many editions in a row that could not be posted, and the address is switched off.
MOST_FAILURES = 5
# What is waited before each further attempt. After the last the message has failed.
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360))

_NOT_WANTED = 410
_LATER = frozenset({408, 425, 429})


class Form(StrEnum):
    """What is posted: text as a program for talk takes it, or the edition as our interface gives it."""

    SLACK = "slack"
    MATTERMOST = "mattermost"
    MATRIX = "matrix"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Typed:
    """What a form says of a new hook: where, in which form, how often, and which sections; all of them for none."""

    address: str = ""
    form: str = Form.SLACK
    cadence: str = Cadence.DAY
    sections: tuple[str, ...] = ()


class Way(StrEnum):
    """Where a message stands. The first two are not ended."""

    WAITING = "waiting"
    CLAIMED = "claimed"
    SENT = "sent"
    NOTHING = "nothing"
    FAILED = "failed"


class Next(StrEnum):
    """What follows from an answer."""

    SENT = "sent"
    AGAIN = "again"
    FAILED = "failed"
    OFF = "off"


def next_of(status: int, *, refused: bool, attempts: int) -> Next:
    """What follows from the answer to so many attempts. A status of 0 is none; 410 says that nobody wants it any more.

    What the other side takes for wrong is not sent again; what it could not take now is, until the pauses are used up.
    """
    if 200 <= status < 300:
        return Next.SENT
    if status == _NOT_WANTED:
        return Next.OFF
    again = not refused and (status == 0 or status >= 500 or status in _LATER)
    return Next.AGAIN if again and attempts <= len(PAUSES) else Next.FAILED


def due_again(attempts: int, now: datetime) -> datetime:
    """When it is tried once more after so many attempts (one at least)."""
    return now + PAUSES[min(attempts, len(PAUSES)) - 1]


def answer_said(status: int, said: str) -> str:
    """What an answer was, for the log that editors see; empty for one of success."""
    if not status:
        return said or "No answer came."
    if 200 <= status < 300:
        return ""
    if status < 400:
        return f"It answered with status {status}: it redirects, and we do not follow. Enter the address it leads to."
    return f"It answered with status {status}." + (f" It said: {said}" if said else "")


def new_salt() -> str:
    """What makes the secret of one address differ from that of all others; it is no secret itself."""
    return secrets.token_urlsafe(24)


def secret_of(salt: str, instance_secret: str) -> str:
    """The secret that signs messages to one address. It is not stored: it follows from the instance's own."""
    digest = hmac.new(instance_secret.encode(), f"broadsheet hook {salt}".encode(), sha256).digest()
    return "bh_" + base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")


def signature(secret: str, at: int, body: bytes) -> str:
    """The value of the header X-Broadsheet-Signature: ``t=1795420800,v1=…``.

    `at` is the moment in seconds since 1970; v1 is the HMAC-SHA256, in hexadecimal, of the moment, a full stop and the
    body.
    """
    return f"t={at},v1={hmac.new(secret.encode(), f'{at}.'.encode() + body, sha256).hexdigest()}"


def shown_address(address: str) -> str:
    """An address as lists show it: the host and the last letters, as the rest of it is often a secret."""
    host = address.removeprefix("https://").partition("/")[0]
    return f"{host}/…{address[-4:]}" if len(address) > len(host) + 16 else f"{host}/…"
