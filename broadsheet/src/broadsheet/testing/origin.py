"""An origin for tests: a small HTTP/1.1 server on the loopback address that can misbehave in every way we know of.

A handler makes a `Reply` of each `Request`. Handlers are called one at a time, so that they may keep state without
locks; delays and slow answers run side by side.
"""

from __future__ import annotations

import socket
import ssl
import sys
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, urlsplit

_MEBIBYTE = 1024 * 1024
# How long a connection on which nothing is asked stays open, in seconds.
_IDLE_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked. `path` is without the query, header names are lower-case, `at` is in monotonic seconds.

    Where a query names a key twice, `query` has the last value; `target` is the whole line as it was sent.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    at: float
    target: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer. Content-Length is right unless `headers` give one; a `status` of 0 closes without an answer.

    Faults: `delay` is in seconds before the first byte, `drip` in seconds after each byte of the body, `cut` is the
    number of bytes of the body after which the connection is closed. `raw`, when given, is sent as it is in place of
    everything else, the status line included, and the connection is closed after it.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    drip: float | None = None
    cut: int | None = None
    raw: bytes | None = None


Handler = Callable[[Request], Reply]


def bomb(size: int, *, status: int = 200) -> Reply:
    """A reply that takes `size` bytes (whole MiB) once it is decompressed, and a thousandth of that on its way."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    zeros = bytes(_MEBIBYTE)
    body = b"".join([*(packer.compress(zeros) for _ in range(size // _MEBIBYTE)), packer.flush()])
    return Reply(status, body, {"Content-Type": "text/plain", "Content-Encoding": "gzip"})


class Origin:
    """The server, running from `__enter__` to `__exit__`, which raises what a handler raised.

    `requests` holds all that was asked in the order of arrival; `most_at_once` is the largest number of requests that
    were being answered at the same time, `connections` the number of connections that were made.
    """

    def __init__(self, handler: Handler, *, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self.most_at_once = 0
        self.connections = 0
        self._handler = handler
        self._tls = tls
        self._errors: list[Exception] = []
        self._lock = threading.Lock()
        self._handling = threading.Lock()
        self._closing = threading.Event()
        self._at_once = 0
        self._open: dict[socket.socket, threading.Thread] = {}
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="origin", daemon=True)

    @property
    def url(self) -> str:
        """Its address, as in http://127.0.0.1:8001, without a slash at the end."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every connection at once, wait for the threads, and raise the first error of a handler."""
        self._closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        with self._lock:
            left = dict(self._open)
        for connection in left:
            _hang_up(connection)
        for thread in left.values():
            thread.join(_IDLE_SECONDS)
        if self._errors and error is None:
            raise self._errors[0]

    def opened(self, connection: socket.socket) -> None:
        """Note a connection that the calling thread serves from now on."""
        with self._lock:
            self.connections += 1
            self._open[connection] = threading.current_thread()
        if self._closing.is_set():
            _hang_up(connection)

    def closed(self, connection: socket.socket) -> None:
        """Forget a connection."""
        with self._lock:
            self._open.pop(connection, None)

    def arrived(self, request: Request) -> None:
        """Note a request that is going to be answered; `answered` ends it."""
        with self._lock:
            self.requests.append(request)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)

    def answered(self) -> None:
        """Note that a request has had its answer, or never will."""
        with self._lock:
            self._at_once -= 1

    def reply_to(self, request: Request) -> Reply:
        """What the handler says. An error in it is a 500 for the client, and raised at the end for the test."""
        try:
            with self._handling:
                return self._handler(request)
        except Exception as error:
            self.failed(error)
            return Reply(500, b"the handler of this test failed")

    def failed(self, error: Exception) -> None:
        """Note an error that `__exit__` raises, when it is the first."""
        self._errors.append(error)

    def pause(self, seconds: float) -> bool:
        """Wait, less long when the server closes. Returns whether it is still open."""
        return not self._closing.wait(seconds)

    def wrapped(self, connection: socket.socket) -> socket.socket:
        """The same connection, with TLS where this origin has it; the handshake is made at the first read."""
        if self._tls is None:
            return connection
        return self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


class _Server(ThreadingHTTPServer):
    """Accepts connections; each has a thread of its own."""

    request_queue_size = 64

    def __init__(self, origin: Origin) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.origin = origin

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        connection, address = super().get_request()
        return self.origin.wrapped(connection), address

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep what went wrong in here for the test; a client that goes away in the middle is nothing to tell of."""
        error = sys.exception()
        if isinstance(error, Exception) and not isinstance(error, OSError):
            self.origin.failed(error)


class _Connection(BaseHTTPRequestHandler):
    """One connection, on which one request follows the other."""

    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    server: _Server

    def setup(self) -> None:
        """See `socketserver`."""
        self.server.origin.opened(self.request)
        super().setup()

    def finish(self) -> None:
        """See `socketserver`."""
        try:
            super().finish()
        finally:
            self.server.origin.closed(self.request)

    def do_GET(self) -> None:
        """Answer a request of any method."""
        origin = self.server.origin
        request = self._request()
        origin.arrived(request)
        try:
            self._send(origin.reply_to(request))
        except OSError:
            self.close_connection = True
        finally:
            origin.answered()

    def do_POST(self) -> None:
        """See `do_GET`."""
        self.do_GET()

    def do_HEAD(self) -> None:
        """See `do_GET`."""
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is that of the base class
        """Tests look at `Origin.requests`; nothing is printed."""

    def _request(self) -> Request:
        at = time.monotonic()
        split = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", "0")))
        query = dict(parse_qsl(split.query, keep_blank_values=True))
        return Request(self.command, split.path, query, headers, body, at, self.path)

    def _send(self, reply: Reply) -> None:
        if not self.server.origin.pause(reply.delay) or reply.status == 0:
            self.close_connection = True
        elif reply.raw is not None:
            self.close_connection = True
            self._write(reply.raw, reply.drip)
        else:
            self._write(_head(reply), None)
            self._body(reply)

    def _body(self, reply: Reply) -> None:
        if reply.cut is not None or reply.headers.get("Connection") == "close":
            self.close_connection = True
        if self.command != "HEAD" and reply.status != HTTPStatus.NOT_MODIFIED:
            self._write(reply.body[: reply.cut], reply.drip)

    def _write(self, data: bytes, drip: float | None) -> None:
        if drip is None:
            self.wfile.write(data)
            return
        for place in range(len(data)):
            self.wfile.write(data[place : place + 1])
            if not self.server.origin.pause(drip):
                break


def _head(reply: Reply) -> bytes:
    given = {name.lower() for name in reply.headers}
    phrase = BaseHTTPRequestHandler.responses.get(reply.status, ("Strange", ""))[0]
    lines = [f"HTTP/1.1 {reply.status} {phrase}", *(f"{name}: {value}" for name, value in reply.headers.items())]
    if not given & {"content-length", "transfer-encoding"} and reply.status != HTTPStatus.NOT_MODIFIED:
        lines.append(f"Content-Length: {len(reply.body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
