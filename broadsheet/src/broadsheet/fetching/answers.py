"""What asking an origin gives: an answer, or one of five failures. Sources see no more of HTTP than this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

# The largest answer that is taken unless the caller says otherwise, in bytes after decompression.
LIMIT = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of status 200, or of 304 where the request was conditional.

    `url` is the address after redirects, `headers` have lower-case names, `body` is decompressed (empty with 304), `at`
    is when the answer was complete by our own clock. `asked` and `accept` are what was asked for, and serve
    `Client.remember`.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    at: datetime
    asked: str = ""
    accept: str = ""

    @property
    def unchanged(self) -> bool:
        """Whether the origin says that nothing changed since we last asked."""
        return self.status == 304


class Failure(Exception):
    """An origin did not give an answer. `sentence` is for the person, `cause` for the log; neither holds a secret."""

    def __init__(self, sentence: str, cause: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.cause = cause or sentence


class Resting(Failure):
    """The origin asked us to stop for a while (429, 406, 403, 503), or did so before and that time is not over."""

    def __init__(self, sentence: str, cause: str = "", *, until: datetime) -> None:
        super().__init__(sentence, cause)
        self.until = until


class Unreachable(Failure):
    """No answer came: no network, no such host, a time limit, a broken connection, or 5xx after the last attempt."""


class Missing(Failure):
    """The origin has nothing at that address (404, 410)."""


class Declined(Failure):
    """The origin takes the request for a wrong one (other 4xx). `body` holds the beginning of what it said."""

    def __init__(self, sentence: str, cause: str = "", *, status: int, body: bytes = b"") -> None:
        super().__init__(sentence, cause)
        self.status = status
        self.body = body


class Refused(Failure):
    """We refuse: a private network, an answer beyond its limits, a redirect that leads astray, another scheme."""


class Client(Protocol):
    """What sources ask origins with. `client.Client` is the real one; tests may use any other."""

    def get(
        self,
        url: str,
        *,
        accept: str,
        limit: int = LIMIT,
        conditional: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Ask for an address, when its origin's pace allows it. `limit` is in bytes; `headers` hold no keys.

        With `conditional`, the answer is a 304 when nothing changed since the last answer of this address that was
        handed to `remember`. Raises Failure.
        """

    def post(
        self, url: str, body: bytes, *, content_type: str, accept: str, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Ask with a body, for look-ups of many identifiers at once. Raises Failure."""

    def remember(self, answer: Answer) -> None:
        """Note that what this answer said is stored for good, so that `conditional` may ask only for what is newer.

        Until then the origin gives it again. In a generator of pages the place is after the `yield` of its page: the
        generator goes on when the page is stored.
        """
