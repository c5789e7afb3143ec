"""The client: asks origins as a guest would.

It says who it is, waits for its turn, takes no more than it can hold, remembers when it was told to stop, and connects
to the public internet only. How an operator sees this: docs/operator/fetching.md.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote_plus

import httpx

from broadsheet import __version__
from broadsheet.fetching.answers import LIMIT, Answer, Declined, Failure, Missing, Refused, Resting, Unreachable
from broadsheet.fetching.credentials import Header, Query, hidden, hidden_bytes
from broadsheet.fetching.decoding import ENCODINGS
from broadsheet.fetching.exchange import Exchange, Interrupted, Reply, Unwanted, Wire
from broadsheet.fetching.limits import LIMITS, Limits
from broadsheet.fetching.network import Resolve, resolve
from broadsheet.fetching.pace import PACES, RESTING, Pace, announced, pace_of, rest, retry_after
from broadsheet.fetching.turns import Busy, Turn, Turns, Unwritable, utc
from broadsheet.fetching.validators import Validators

_LOG = logging.getLogger(__name__)
_PORTS = {"http": 80, "https": 443}
_CONTACT = re.compile(r"https?://[\w.:/~%?&=#@+-]{1,200}|[\w.+-]{1,64}@[\w.-]{1,190}", re.ASCII)
# Headers that are ours to set.
_OURS = frozenset(
    {"accept", "accept-encoding", "connection", "content-length", "content-type", "cookie", "host", "if-modified-since"}
    | {"if-none-match", "te", "transfer-encoding", "user-agent"}
)
_MOVED = frozenset({301, 302, 303, 307, 308})
# The longest address that we send, in letters.
_LONGEST_URL = 8000
# How much is kept of what an origin says of a wrong request, in bytes.
_EXCERPT = 4096
# How often in a row an origin may say "in a moment" (503 with Retry-After) before its word is not enough.
_MOMENTS = 3


@dataclass(frozen=True, slots=True)
class _Question:
    """What a caller wants to know, and where it asks by now."""

    method: str
    url: httpx.URL
    accept: str
    limit: int
    headers: Mapping[str, str]
    validators: Mapping[str, str]
    body: bytes | None = None

    @property
    def host(self) -> str:
        return self.url.raw_host.decode("ascii")


class _Again(Exception):
    """One more attempt may help, after so many seconds (None: the usual pause). `failure` is for when none is left."""

    def __init__(self, failure: Failure, seconds: float | None = None) -> None:
        super().__init__(failure.sentence)
        self.failure = failure
        self.seconds = seconds


class Client:
    """Asks origins; the `answers.Client` of a running Broadsheet. Several processes may use the same folder.

    `folder` holds the turns, the rests and the validators. `contact` is a mail address or an address of the web, for
    the people who run the origins; it may be empty. `credentials` are sent to exactly the host that they are given for,
    only over TLS. `clock` says the time of answers and rests.

    The rest is for tests: `routes` sends what is meant for one origin ("https://oaipmh.arxiv.org") to another
    ("http://127.0.0.1:8001"), which then may be on this machine; `paces`, `limits` and `resolving` replace ours.

    Raises ValueError for a contact, a route or a credential that cannot be used.
    """

    def __init__(  # noqa: PLR0913 - all but two are optional, and mostly for tests
        self,
        folder: Path,
        *,
        contact: str,
        credentials: Mapping[str, Header | Query] | None = None,
        clock: Callable[[], datetime] = utc,
        routes: Mapping[str, str] | None = None,
        paces: Iterable[Pace] = PACES,
        limits: Limits = LIMITS,
        resolving: Resolve = resolve,
    ) -> None:
        self._agent = user_agent(contact)
        self._credentials = {host.lower(): _sound(credential) for host, credential in (credentials or {}).items()}
        self._routes = {_origin(_url(name)): _url(target) for name, target in (routes or {}).items()}
        self._clock = clock
        self._paces = tuple(paces)
        self._limits = limits
        self._turns = Turns(folder, now=clock)
        self._validators = Validators(folder / "validators")
        self._exchange = Exchange(limits, resolving)

    def get(
        self,
        url: str,
        *,
        accept: str,
        limit: int = LIMIT,
        conditional: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """See `answers.Client.get`. Raises Failure, and ValueError for a header that is ours to set."""
        validators = self._validators.headers(url, accept, self._clock()) if conditional else {}
        return self._answer(_Question("GET", self._parsed(url), accept, limit, _own(headers), validators), url)

    def post(
        self, url: str, body: bytes, *, content_type: str, accept: str, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """See `answers.Client.post`. Raises Failure, and ValueError for a header that is ours to set."""
        own = {**_own(headers), "Content-Type": content_type}
        return self._answer(_Question("POST", self._parsed(url), accept, LIMIT, own, {}, body), url)

    def remember(self, answer: Answer) -> None:
        """See `answers.Client.remember`."""
        if answer.status == 200:
            self._validators.remember(answer.asked, answer.accept, answer.headers, self._clock())

    def _answer(self, question: _Question, asked: str) -> Answer:
        """The answer, after as many attempts as the limits allow."""
        pauses = iter(self._limits.pauses)
        while True:
            try:
                return self._follow(question, asked)
            except _Again as again:
                pause = next(pauses, None)
                if pause is None:
                    raise again.failure from again.__cause__
                time.sleep(pause if again.seconds is None else again.seconds)

    def _follow(self, question: _Question, asked: str) -> Answer:
        """The answer at the end of a chain of redirects, each of which is checked and waits for its turn."""
        for _ in range(self._limits.redirects + 1):
            reply = self._ask(question)
            if reply.status not in _MOVED:
                body = reply.body if reply.status == 200 else b""
                return Answer(
                    str(question.url), reply.status, reply.headers, body, self._clock(), asked, question.accept
                )
            question = self._moved(question, reply)
        raise self._refused(question, f"It redirects more than {self._limits.redirects} times.")

    def _ask(self, question: _Question) -> Reply:
        """Send one request when it is our turn. Returns a reply of status 200 or 304, or a redirect."""
        host, limits = question.host, self._limits
        wire = self._wire(question)
        pace = pace_of(host, self._paces)
        try:
            with self._turns.turn(pace, wait=limits.wait) as turn:
                if until := turn.until():
                    raise _resting(host, until, "It was told to rest, or did not want us, before.")
                turn.asking()
                reply = self._exchange.send(wire, answering=turn.answering)
                _LOG.debug("%s %s: %d", question.method, question.url, reply.status)
                self._judge(question, reply, turn, pace)
                return reply
        except Busy as error:
            sentence = f"{host} could not be asked: others of this Broadsheet were asking it all the time."
            raise Unreachable(sentence, str(error)) from error
        except Unwritable as error:
            sentence = (
                f"{host} was not asked: the folder in which Broadsheet notes its pace cannot be written. "
                "Free some space, or give it the right to write there."
            )
            raise Refused(sentence, str(error)) from error
        except Unwanted as error:
            raise self._refused(question, str(error)) from error
        except Interrupted as error:
            failure = self._unreachable(question, str(error))
            raise (_Again(failure) if error.again else failure) from error

    def _judge(self, question: _Question, reply: Reply, turn: Turn, pace: Pace) -> None:
        """Note what the reply means for the pace, and raise what it means for the caller."""
        if reply.status in RESTING:
            self._rest(question, reply, turn, pace)
        if reply.status >= 500 or reply.status in {408, 425}:
            raise _Again(self._unreachable(question, f"It answered with status {reply.status}."))
        turn.answered(interval=announced(reply.headers, pace))
        expected = {200, 304} if question.validators else {200}
        if reply.status not in expected | _MOVED:
            self._fail(question, reply)

    def _rest(self, question: _Question, reply: Reply, turn: Turn, pace: Pace) -> NoReturn:
        """Leave the origin alone. 503 with a Retry-After is its way to say "in a moment": then that is enough."""
        wished = retry_after(reply.headers.get("retry-after", ""), self._clock())
        refusals = turn.standing.refusals
        brief = reply.status == 503 and wished is not None
        moment = brief and refusals < _MOMENTS
        counted = refusals + 1 - _MOMENTS * brief
        seconds = max(wished or 0.0, pace.interval) if moment else rest(counted, wished)
        until = turn.refused(seconds)
        cause = self._cause(question, f"status {reply.status}, {refusals + 1} in a row, resting {seconds:.0f} seconds")
        failure = _resting(question.host, until, f"It answered with status {reply.status}.", cause)
        _LOG.warning("%s", cause)
        raise _Again(failure, seconds + 0.01) if moment and seconds <= self._limits.patience else failure

    def _fail(self, question: _Question, reply: Reply) -> NoReturn:
        host, status = question.host, reply.status
        if status in {404, 410}:
            raise Missing(f"{host} has nothing at that address.", self._cause(question, f"status {status}"))
        if not 400 <= status < 500:
            raise self._unreachable(question, f"It answered with status {status}, which means nothing here.")
        # More was read than is kept, so that no key is cut in two at the end and overlooked.
        body = hidden_bytes(reply.body, self._credentials.values())[:_EXCERPT]
        cause = self._cause(question, f"status {status}: {body[:300]!r}")
        raise Declined(f"{host} takes the request for a wrong one (status {status}).", cause, status=status, body=body)

    def _wire(self, question: _Question) -> Wire:
        """The request as it goes out: with our headers, and with the key of its host. Raises Refused."""
        url = question.url
        self._check(question)
        route = self._routes.get(_origin(url))
        target, headers = url.raw_path, self._headers(question)
        credential = self._credentials.get(question.host)
        if credential is not None and (url.scheme == "https" or route is not None):
            if isinstance(credential, Header):
                headers[credential.name] = credential.value
            else:
                pair = f"{quote_plus(credential.name)}={quote_plus(credential.value)}".encode()
                target += (b"&" if b"?" in target else b"?") + pair
        return Wire(
            method=question.method,
            url=url if route is None else route,
            host=question.host,
            target=target,
            headers=headers,
            body=question.body,
            limit=question.limit,
            checked=route is None,
        )

    def _headers(self, question: _Question) -> dict[str, str]:
        return {
            "Host": question.url.netloc.decode("ascii"),
            "User-Agent": self._agent,
            "Accept": question.accept,
            "Accept-Encoding": ENCODINGS,
            "Connection": "close",
            **question.headers,
            **question.validators,
            **({} if question.body is None else {"Content-Length": str(len(question.body))}),
        }

    def _parsed(self, url: str) -> httpx.URL:
        try:
            return _url(url)
        except ValueError as error:
            cause = hidden(str(error), self._credentials.values())
            raise Refused("An address cannot be asked: it is not written as one.", cause) from None

    def _check(self, question: _Question) -> None:
        """Raise Refused for an address that we do not ask: another scheme, another port, a name and a password."""
        url = question.url
        reason = ""
        if url.userinfo:
            reason = "It holds a name or a password."
        elif len(url.raw_path) > _LONGEST_URL:
            reason = f"It is longer than {_LONGEST_URL} letters."
        elif _origin(url) not in self._routes and url.port not in (None, _PORTS[url.scheme]):
            reason = f"It has the port {url.port}."
        if reason:
            raise self._refused(question, reason)

    def _moved(self, question: _Question, reply: Reply) -> _Question:
        """The question for where a redirect leads. Raises Refused where it leads astray."""
        if question.method != "GET" and reply.status not in {307, 308}:
            raise self._refused(question, f"It redirects a look-up (status {reply.status}).")
        try:
            url = self._without_key(question.url.join(reply.headers["location"]))
            _url(str(url))
        except (KeyError, ValueError, httpx.InvalidURL) as error:
            raise self._refused(question, "It redirects to what is no address.") from error
        if url.scheme != "https" and question.url.scheme == "https" and _origin(url) not in self._routes:
            raise self._refused(question, "It redirects from https to http.")
        same = url.raw_host == question.url.raw_host
        kept = {name: value for name, value in question.headers.items() if same or name == "Content-Type"}
        return replace(question, url=url, headers=kept)

    def _without_key(self, url: httpx.URL) -> httpx.URL:
        """An address to which an origin sends us back together with our key. Raises ValueError when it stays inside."""
        keys = self._credentials.values()
        if hidden(str(url), keys) == str(url):
            return url
        kept = b"&".join(pair for pair in url.query.split(b"&") if hidden(pair.decode("ascii"), keys) == pair.decode())
        url = url.copy_with(query=kept or None)
        if hidden(str(url), keys) != str(url):
            raise ValueError("It holds a key.")
        return url

    def _cause(self, question: _Question, reason: str) -> str:
        address = str(question.url.copy_with(userinfo=b""))[:500]
        return hidden(f"{question.method} {address}: {reason}", self._credentials.values())

    def _refused(self, question: _Question, reason: str) -> Refused:
        said = hidden(reason, self._credentials.values())
        sentence = f"The answer of {question.host} was not taken. {said}"
        return Refused(sentence, self._cause(question, reason))

    def _unreachable(self, question: _Question, reason: str) -> Unreachable:
        sentence = f"{question.host} gave no answer. What came before is kept; it is asked again later."
        return Unreachable(sentence, self._cause(question, reason))


def user_agent(contact: str) -> str:
    """How we say who we are (RFC 9110 10.1.5): the version, and where to complain.

    Raises ValueError for a contact that is neither a mail address nor an address of the web.
    """
    name = f"Broadsheet/{__version__}"
    if not contact:
        return name
    if not _CONTACT.fullmatch(contact):
        raise ValueError(
            f"{contact!r} is no contact. Give a mail address, or one of the web that begins with https://."
        )
    return f"{name} (+{contact})" if contact.startswith("http") else f"{name} (mailto:{contact})"


def _resting(host: str, until: datetime, reason: str, cause: str = "") -> Resting:
    until = until.astimezone(UTC)
    moment = f"{until:%H:%M} UTC on {until.day} {until:%B}"
    sentence = f"{host} asked us to stop for a while. Nothing is asked of it until {moment}; then it goes on by itself."
    return Resting(sentence, cause or f"{host}: {reason}", until=until)


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    return url.scheme, url.raw_host.decode("ascii"), url.port or _PORTS[url.scheme]


def _url(text: str) -> httpx.URL:
    """The address. Raises ValueError for anything but http and https with a host."""
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise ValueError(str(error)) from error
    if url.scheme not in _PORTS or not url.raw_host:
        raise ValueError(f"{url.scheme or 'nothing'} is not http or https, or there is no host.")
    return url


def _own(headers: Mapping[str, str] | None) -> dict[str, str]:
    """The headers that a caller adds. Raises ValueError for those that are ours."""
    if ours := sorted({name.lower() for name in headers or {}} & _OURS):
        raise ValueError(f"{', '.join(ours)} is set by the client.")
    return dict(headers or {})


def _sound(credential: Header | Query) -> Header | Query:
    """The key, if it can be sent. Raises ValueError, without the key."""
    value = credential.value
    if not value or not value.isascii() or not value.isprintable() or value != value.strip():
        raise ValueError(f"The key for {credential.name} is empty or holds characters that no key has.")
    return credential
