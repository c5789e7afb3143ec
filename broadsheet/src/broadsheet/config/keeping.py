"""Answers that are kept for a moment, so that what many ask for at once is made once. It stands before Django.

Each web process keeps what it answered to strangers, in memory: an answer to a reader without a cookie and without a
token, that says of itself that it is for everybody, and that depends on nothing but what it is kept under. Whoever asks
within `FRESH_FOR` seconds is given it; then one request makes it anew, and who asks meanwhile has the previous one.
Nobody is given an answer that was begun more than `AT_MOST_OLD` seconds before the question came.

Time alone says whether an answer still holds. It is made of the database, the search index and the day, and no number
that is cheap to read changes with all of them: docs/decisions/0027-kept-answers.md.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.middleware.gzip import re_accepts_gzip
from django.utils.http import parse_etags

from broadsheet import links
from broadsheet.web import proxies

Environ = dict[str, Any]
Headers = Sequence[tuple[str, str]]
Start = Callable[..., Any]
Application = Callable[[Environ, Start], Iterable[bytes]]
Key = tuple[str, ...]

FRESH_FOR = 1.0  # seconds in which an answer is given without a thought
AT_MOST_OLD = 2.0  # seconds between the begin of an answer and the question that it is still given to
# How long a request waits for another that makes the same answer, before it makes its own.
WAITS = 5.0
ROOM = 8 * 2**20  # bytes that a process keeps; the answers of two seconds, which are rarely a tenth of it
MOST = 2048  # answers that a process keeps
LARGEST = 2**20  # bytes of the body of an answer that is kept
LONGEST_KEY = 2048  # characters of all that an answer is kept under

# What the objects around an answer take: its entry, its key and itself, without their texts. Measured.
_AROUND = 400

# Below these addresses nothing is kept. The interface counts how often each client asks, and tells it so in the answer.
# Who looks at the status or asks for health wants to know how it is now. What is signed in to is nobody else's. Static
# files are kept by browsers for ever, and would only take the room of answers.
_NEVER = (links.API, links.STATUS, links.HEALTH, links.MCP, links.ACCOUNT, links.ADMIN, links.STATIC)

# Who sends one of these gets an answer of their own: who says who they are, a script that wants a part of a page, and
# who asks for a piece or under a condition that is hardly ever set.
_OWN = frozenset(
    {
        "HTTP_AUTHORIZATION",
        "HTTP_COOKIE",
        "HTTP_CONTENT_ENCODING",
        "HTTP_EXPECT",
        "HTTP_HX_REQUEST",
        "HTTP_IF_MATCH",
        "HTTP_IF_RANGE",
        "HTTP_IF_UNMODIFIED_SINCE",
        "HTTP_RANGE",
        "HTTP_TRANSFER_ENCODING",
        "HTTP_UPGRADE",
    }
)
_CONDITIONS = frozenset({"HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE"})
# What an answer may vary with, because it is kept under that, or is given only to who sends none of it.
_VARIES = frozenset({"accept", "accept-encoding", "authorization", "cookie"})
# What marks an answer as that of one reader.
_PERSONAL = frozenset({"set-cookie", "ratelimit", "ratelimit-policy", "retry-after", "www-authenticate"})

# The headers that "304 Not Modified" has of the answer that it stands for: RFC 9110, section 15.4.5, with the ones that
# every answer of ours has.
_OF_UNCHANGED = frozenset(
    {
        "cache-control",
        "content-location",
        "etag",
        "expires",
        "last-modified",
        "vary",
        "content-security-policy",
        "cross-origin-opener-policy",
        "referrer-policy",
        "strict-transport-security",
        "x-content-type-options",
        "x-frame-options",
    }
)


@dataclass(frozen=True, slots=True)
class _Answer:
    """An answer as it is given again. `begun` is when its making began; `tag` is its entity tag, without ``W/``."""

    begun: float
    status: str
    headers: Headers
    unchanged: Headers
    tag: str
    body: bytes


@dataclass(slots=True)
class _Kept:
    """What is known of an address: its answer, or None where that is not for everybody. `size` is in bytes."""

    begun: float
    answer: _Answer | None
    size: int


@dataclass(slots=True)
class _Making:
    """A request that makes an answer, for others who wait for it. `answer` stays None when it cannot be shared."""

    begun: float
    answer: _Answer | None = None
    done: threading.Event = field(default_factory=threading.Event)


class KeptAnswers:
    """A WSGI application that gives answers of another one again for a moment. All of it may be used by many threads.

    `clock` counts seconds, and never backwards.
    """

    def __init__(
        self,
        application: Application,
        *,
        clock: Callable[[], float] = time.monotonic,
        room: int = ROOM,
        most: int = MOST,
    ) -> None:
        self._application = application
        self._clock = clock
        self._room = room
        self._most = most
        self._lock = threading.Lock()
        self._kept: OrderedDict[Key, _Kept] = OrderedDict()
        self._making: dict[Key, _Making] = {}
        self._size = 0

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        """The answer: a kept one, else one that is made now. Raises what the application does."""
        key = key_of(environ)
        if key is None:
            return self._application(environ, start)
        asked = self._clock()
        kept = self._look_up(key)
        if kept is not None and asked - kept.begun < FRESH_FOR:
            return self._given(kept, environ, start, asked)
        if environ["REQUEST_METHOD"] == "HEAD":
            # The headers alone are made as dearly as all of it, and few ask for them.
            return self._application(environ, start)
        making, mine = self._begin(key, asked)
        if mine:
            return self._made(key, making, environ, start)
        if kept is not None and asked - kept.begun <= AT_MOST_OLD:
            return self._given(kept, environ, start, asked)
        return self._awaited(making, environ, start, asked)

    @property
    def size(self) -> int:
        """The bytes that are kept."""
        return self._size

    def __len__(self) -> int:
        """How many addresses something is known of."""
        return len(self._kept)

    def _look_up(self, key: Key) -> _Kept | None:
        """What is known of the address; it is forgotten later than others then."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None:
                self._kept.move_to_end(key)
            return kept

    def _given(self, kept: _Kept, environ: Environ, start: Start, asked: float) -> Iterable[bytes]:
        if kept.answer is None:
            return self._application(environ, start)
        return _told(kept.answer, environ, start, asked)

    def _begin(self, key: Key, asked: float) -> tuple[_Making, bool]:
        """The making of this answer, and whether it is for the one who asks to do."""
        with self._lock:
            making = self._making.get(key)
            if making is not None:
                return making, False
            making = self._making[key] = _Making(asked)
            return making, True

    def _made(self, key: Key, making: _Making, environ: Environ, start: Start) -> Iterable[bytes]:
        """Make the answer, without the conditions of the one who asks; keep it, or only that it is not to be kept."""
        try:
            made = _Captured()
            body = self._application({name: environ[name] for name in environ if name not in _CONDITIONS}, made)
            making.answer = made.answer(making.begun, body)
            self._keep(key, _Kept(making.begun, making.answer, _size(key, making.answer)))
        finally:
            with self._lock:
                del self._making[key]
            making.done.set()
        if making.answer is None:
            return self._unshared(made, body, environ, start)
        return _told(making.answer, environ, start, None)

    def _unshared(self, made: _Captured, body: Iterable[bytes], environ: Environ, start: Start) -> Iterable[bytes]:
        """What was made, for who asked alone; asked once more where he set a condition that was left out."""
        if _CONDITIONS.isdisjoint(environ):
            made.pass_on(start)
            return body
        _close(body)
        return self._application(environ, start)

    def _awaited(self, making: _Making, environ: Environ, start: Start, asked: float) -> Iterable[bytes]:
        """The answer that another request is making; one of its own when that is none for all, or takes too long."""
        if asked - making.begun <= AT_MOST_OLD and making.done.wait(WAITS) and making.answer is not None:
            return _told(making.answer, environ, start, asked)
        return self._application(environ, start)

    def _keep(self, key: Key, new: _Kept) -> None:
        """Keep it, and forget what is too old, and what was not asked for longest while there is too much."""
        with self._lock:
            self._forget(key)
            self._kept[key] = new
            self._size += new.size
            now = self._clock()
            while self._kept:
                first, kept = next(iter(self._kept.items()))
                over = self._size > self._room or len(self._kept) > self._most
                if not over and now - kept.begun <= AT_MOST_OLD:
                    break
                self._forget(first)

    def _forget(self, key: Key) -> None:
        known = self._kept.pop(key, None)
        if known is not None:
            self._size -= known.size


class _Captured:
    """What an application says of its answer before it gives it; called as ``start_response`` (PEP 3333)."""

    def __init__(self) -> None:
        self._status = ""
        self._headers: list[tuple[str, str]] = []
        self._error: Any = None

    def __call__(self, status: str, headers: list[tuple[str, str]], error: Any = None) -> Callable[[bytes], None]:
        """Take it."""
        self._status, self._headers, self._error = status, headers, error
        return _unwritten

    def pass_on(self, start: Start) -> None:
        """Say it to the server."""
        start(self._status, self._headers, self._error)

    def answer(self, begun: float, body: Iterable[bytes]) -> _Answer | None:
        """The answer with its whole body; None when it is not to be kept, and `body` is untouched then."""
        if not may_be_kept(self._status, self._headers):
            return None
        try:
            whole = b"".join(body)
        finally:
            _close(body)
        headers = tuple(self._headers)
        tag = _the(headers, "etag").removeprefix("W/")
        # Without compression, which only the body has, the tag is a strong one.
        unchanged = tuple(
            (name, tag if name.lower() == "etag" else text) for name, text in headers if name.lower() in _OF_UNCHANGED
        )
        return _Answer(begun, self._status, headers, unchanged, tag, whole)


def key_of(environ: Environ) -> Key | None:
    """All that an answer to this question depends on; None when it is to be neither kept nor given from what is kept.

    These are the parts that Django reads: path and query as the server hands them over, whatever was written in the
    request's first line.
    """
    if environ["REQUEST_METHOD"] not in {"GET", "HEAD"} or not _OWN.isdisjoint(environ):
        return None
    if environ.get("CONTENT_LENGTH", "") not in {"", "0"}:
        return None
    if "HTTP_IF_MODIFIED_SINCE" in environ and "HTTP_IF_NONE_MATCH" not in environ:
        return None
    path, host = environ.get("PATH_INFO", ""), environ.get("HTTP_HOST", "")
    if not host or path.startswith(_NEVER):
        return None
    accepts = "gzip" if re_accepts_gzip.search(environ.get("HTTP_ACCEPT_ENCODING", "")) else ""
    key = (
        environ["wsgi.url_scheme"],
        host,
        environ.get("SCRIPT_NAME", ""),
        path,
        environ.get("QUERY_STRING", ""),
        environ.get("HTTP_ACCEPT", ""),
        accepts,
        *_way(environ),
    )
    return key if sum(map(len, key)) <= LONGEST_KEY else None


def _way(environ: Environ) -> tuple[str, str, str]:
    """How the question came, as far as answers depend on it: broadsheet.web.proxies says who is believed.

    An instance without accounts knows its only reader by the absence of proxies, so what she is answered and what
    others are answered are kept apart.
    """
    forwarded = "forwarded" if proxies.through_a_proxy(environ) else ""
    address = proxies.parsed(environ.get("REMOTE_ADDR", ""))
    here = "here" if address is not None and address.is_loopback else ""
    return forwarded, environ.get("HTTP_X_FORWARDED_PROTO", ""), here


def may_be_kept(status: str, headers: Headers) -> bool:
    """Whether an answer is for everybody, and says so itself: ``public``, without a word that is for one reader.

    Only what was found is kept. Where there is nothing, few ask, and addresses at random would drive out what many ask.
    ``no-cache`` binds those who keep answers elsewhere: they have to ask us.
    """
    said = {name.lower(): text for name, text in headers}
    length = said.get("content-length", "")
    control = {word.strip().lower() for word in said.get("cache-control", "").split(",")}
    varies = {word.strip().lower() for word in said.get("vary", "").split(",") if word.strip()}
    return (
        status.startswith("200 ")
        and len(said) == len(headers)
        and _PERSONAL.isdisjoint(said)
        and "public" in control
        and not any(word.startswith(("private", "no-store")) for word in control)
        and varies <= _VARIES
        and length.isdecimal()
        and int(length) <= LARGEST
    )


def _told(answer: _Answer, environ: Environ, start: Start, asked: float | None) -> Iterable[bytes]:
    """Give the answer, or say that it is the one that the reader has. Who did not have it made is told its age.

    The server writes the time into ``Date``: RFC 9111, section 5.1, then counts from there.
    """
    age = [] if asked is None else [("Age", str(max(0, int(asked - answer.begun))))]
    if _is_known(answer.tag, environ.get("HTTP_IF_NONE_MATCH", "")):
        start("304 Not Modified", [*answer.unchanged, *age])
        return []
    start(answer.status, [*answer.headers, *age])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.body]


def _is_known(tag: str, named: str) -> bool:
    """Whether the answer with this tag is among those that a reader has: RFC 9110, section 13.1.2."""
    if not named or not tag:
        return False
    tags = parse_etags(named)
    return tags == ["*"] or any(each.removeprefix("W/") == tag for each in tags)


def _the(headers: Headers, name: str) -> str:
    return next((text for each, text in headers if each.lower() == name), "")


def _size(key: Key, answer: _Answer | None) -> int:
    """The bytes that an answer takes with all that belongs to it."""
    texts = [*key]
    if answer is None:
        return _AROUND + sum(map(sys.getsizeof, texts))
    texts += [text for pair in answer.headers for text in pair]
    # Pairs and places in two tuples: 56 + 2 * 8 bytes and 8 bytes each.
    around = _AROUND + 80 * (len(answer.headers) + len(answer.unchanged))
    return around + sys.getsizeof(answer.body) + sum(map(sys.getsizeof, texts))


def _close(body: Iterable[bytes]) -> None:
    close = getattr(body, "close", None)
    if close is not None:
        close()


def _unwritten(_data: bytes) -> None:
    """What PEP 3333 has for old applications; Django never calls it. Raises TypeError."""
    raise TypeError("An answer is given as parts, and never written.")
