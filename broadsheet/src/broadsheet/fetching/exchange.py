"""One request and its answer, over one connection that is made for it and closed after it."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache

import httpcore
import httpx

from broadsheet.fetching.decoding import Body, Broken, TooLarge, Unknown
from broadsheet.fetching.limits import Limits
from broadsheet.fetching.network import Closed, Deadline, Network, OutOfTime, Resolve, Unresolved, Untrusted, resolve

# How much is read of an answer that says what we did wrong, in bytes.
EXCERPT_BYTES = 8192


class Interrupted(Exception):
    """No whole answer came. The text says why. `again` is whether it is worth another attempt."""

    def __init__(self, reason: str, *, again: bool = True) -> None:
        super().__init__(reason)
        self.again = again


class Unwanted(Exception):
    """We will not have this answer, or not ask for it. The text says why."""


@dataclass(frozen=True, slots=True)
class Wire:
    """A request as it is sent: `url` is where the connection goes, `host` whom we ask, `target` path and query.

    `checked` is false where the address is that of a test's own server. `limit` is in bytes.
    """

    method: str
    url: httpx.URL
    host: str
    target: bytes
    headers: Mapping[str, str]
    body: bytes | None
    limit: int
    checked: bool


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: header names are lower-case; `body` is whole with status 200, else at most its first 8 KiB."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@cache
def authorities() -> ssl.SSLContext:
    """Whom we believe that an origin is who it says: those of the package certifi, whatever the environment says."""
    return httpx.create_ssl_context(verify=True, trust_env=False)


class Exchange:
    """Sends requests, within the limits. Keeps no connection, no cookie and no proxy."""

    def __init__(self, limits: Limits, resolving: Resolve) -> None:
        self._limits = limits
        self._resolving = resolving

    def send(self, wire: Wire, *, answering: Callable[[], None]) -> Reply:
        """Send a request and take its answer; `answering` is called when its head has come.

        Raises Interrupted and Unwanted.
        """
        try:
            return self._send(wire, answering)
        except (TooLarge, Closed, Untrusted) as error:
            raise Unwanted(str(error)) from error
        except Unknown as error:
            raise Unwanted(f"It is encoded as {str(error)[:40]!r}, which we did not ask for.") from error
        except OutOfTime as error:
            raise Interrupted(f"It took longer than {self._limits.total:.0f} seconds.", again=False) from error
        except httpcore.TimeoutException as error:
            raise Interrupted("Nothing came for too long.") from error
        except (httpcore.LocalProtocolError, httpcore.UnsupportedProtocol) as error:
            raise Unwanted(f"The request cannot be written: {error}") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, Broken, Unresolved) as error:
            raise Interrupted(f"The connection or the answer is broken: {error}") from error

    def _send(self, wire: Wire, answering: Callable[[], None]) -> Reply:
        limits = self._limits
        resolving = self._resolving if wire.checked else resolve
        network = Network(Deadline(limits.total), resolving=resolving, checked=wire.checked)
        url = httpcore.URL(scheme=wire.url.raw_scheme, host=wire.url.raw_host, port=wire.url.port, target=wire.target)
        extensions = {
            "timeout": {"connect": limits.connect, "read": limits.silence, "write": limits.silence},
            "sni_hostname": wire.host,
        }
        with (
            httpcore.ConnectionPool(authorities(), max_connections=1, network_backend=network) as pool,
            pool.stream(
                wire.method, url, headers=list(wire.headers.items()), content=wire.body, extensions=extensions
            ) as response,
        ):
            answering()
            headers = self._headers(response.headers)
            return Reply(response.status, headers, self._body(response, headers, wire.limit))

    def _headers(self, raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
        """The headers with lower-case names; values of the same name are joined by commas (RFC 9110 5.2)."""
        if sum(len(name) + len(value) for name, value in raw) > self._limits.head:
            raise TooLarge(f"Its headers are larger than {self._limits.head} bytes.")
        found: dict[str, str] = {}
        for name, value in raw:
            key, text = name.decode("latin-1").lower(), value.decode("latin-1")
            found[key] = f"{found[key]}, {text}" if key in found else text
        return found

    def _body(self, response: httpcore.Response, headers: Mapping[str, str], limit: int) -> bytes:
        if response.status != 200:
            return self._excerpt(response, headers) if 400 <= response.status < 500 else b""
        if _length(headers) > limit:
            raise TooLarge(f"It is larger than {limit} bytes.")
        body = Body(headers.get("content-encoding", ""), limit=limit, ratio=self._limits.ratio)
        for piece in response.iter_stream():
            body.add(piece)
        return body.whole()

    def _excerpt(self, response: httpcore.Response, headers: Mapping[str, str]) -> bytes:
        """The beginning of what the origin says of an error, as far as it can be read."""
        body: Body | None = None
        with suppress(
            TooLarge,
            Unknown,
            Broken,
            OutOfTime,
            httpcore.TimeoutException,
            httpcore.NetworkError,
            httpcore.ProtocolError,
        ):
            body = Body(headers.get("content-encoding", ""), limit=EXCERPT_BYTES, ratio=self._limits.ratio)
            for piece in response.iter_stream():
                body.add(piece)
        return body.taken() if body is not None else b""


def _length(headers: Mapping[str, str]) -> int:
    """What an answer says of its size on its way, in bytes; 0 where it says nothing."""
    text = headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
