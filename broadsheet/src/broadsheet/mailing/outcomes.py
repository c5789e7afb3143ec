"""What can come of handing a mail over, and who carries it. Every outcome says whether the other side can have it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from broadsheet.mailing.message import Outgoing


class Stage(StrEnum):
    """What the server had been told when it refused: who sends, to whom, or all of it."""

    SENDER = "sender"
    RECIPIENT = "recipient"
    CONTENT = "content"


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail, and the address to which it comes back when it cannot be delivered.

    `reference` is the name under which a provider tells us of it later.
    """

    mail: Outgoing
    envelope_sender: str
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The server took the mail; `said` are its words, which often name it there."""

    said: str


@dataclass(frozen=True, slots=True)
class NotTaken:
    """The server did not take the mail.

    `code` is the reply's (RFC 5321, section 4.2), `status` the enhanced one (RFC 3463) or empty, `said` the rest.
    """

    stage: Stage
    code: int
    status: str
    said: str


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection ended before the server was told that the mail is complete: it cannot have it."""

    said: str


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """The connection ended after the server was told that the mail is complete: it may have it."""

    said: str


@dataclass(frozen=True, slots=True)
class Withheld:
    """It was not finished because `before_end` did not allow it: the server cannot have it."""


@dataclass(frozen=True, slots=True)
class Unsendable:
    """The mail itself cannot be sent, whoever carries it; `said` is a sentence."""

    said: str


Outcome = Accepted | NotTaken | Lost | Unconfirmed | Withheld | Unsendable
BeforeEnd = Callable[[], bool]


class Unavailable(Exception):
    """Nobody takes mail: no connection, no encryption, a wrong password. `sentence` says what to do, `cause` more."""

    def __init__(self, sentence: str, cause: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.cause = cause or sentence


class Line(Protocol):
    """An open way to whoever takes mail, for one mail after the other."""

    @property
    def usable(self) -> bool:
        """Whether it can take one more."""
        ...

    def hand_over(self, letter: Letter, before_end: BeforeEnd) -> Outcome:
        """Hand one mail over. `before_end` is asked once, at the last moment at which the other side cannot have it."""
        ...

    def finish(self) -> None:
        """Take leave, and end it."""
        ...


class Carrier(Protocol):
    """Who takes mail: a server, or a provider."""

    def open(self) -> Line:
        """A new line. Raises Unavailable."""
        ...
