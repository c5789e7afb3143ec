"""The threads of the web server wait for no client: a request gets one when all of its head has arrived.

Gunicorn gives a connection to a thread when its first byte is there, and the thread then waits for the rest of the head
without end, so that as many half heads as there are threads keep everybody else out. Here the loop that also accepts
connections collects heads, of which it can hold hundreds, and drops those that take too long.
"""

from __future__ import annotations

import io
import selectors
import time
from functools import partial
from typing import Any

from gunicorn import http, util
from gunicorn.workers.gthread import ThreadWorker

HEAD_WITHIN = 5.0  # seconds from the first look at a connection to the end of the request's head
LARGEST_HEAD = 65_536  # bytes; browsers and proxies stay below 16 KiB
STALLED_AFTER = 30.0  # seconds that a thread waits for the next part of a body, or for a client to take its answer

_READ_AT_ONCE = 16_384
_END = b"\r\n\r\n"


class PatientWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn brings no types
    """Gunicorn's process with threads, safe from clients that send slowly. It speaks plain HTTP/1 only."""

    def enqueue_req(self, conn: Any) -> None:
        """Give a connection that is new, or was kept alive, to a thread as soon as it has sent a whole head."""
        conn.parser = conn.parser or http.get_parser(self.cfg, conn.sock, conn.client)
        conn.timeout = time.monotonic() + HEAD_WITHIN
        conn.sock.settimeout(0)
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn))
        self.on_pending_socket_readable(conn, conn.sock)

    def on_pending_socket_readable(self, conn: Any, client: Any) -> None:
        """Take what came. The time that was given at first goes on, so that single bytes do not prolong it."""
        try:
            if not _head_arrived(conn):
                return
        except OSError as error:
            self.log.debug("Dropped a client that sent no whole request: %s", error)
            self._forget(conn, client)
            self.nr_conns -= 1
            conn.close()
        else:
            self._forget(conn, client)
            conn.data_ready = True
            super().enqueue_req(conn)

    def _forget(self, conn: Any, client: Any) -> None:
        self.poller.unregister(client)
        self.pending_conns.remove(conn)

    def handle_request(self, req: Any, conn: Any) -> bool:
        """Answer, in a thread. A client that stalls in the middle of its body or of the answer loses its connection."""
        conn.sock.settimeout(STALLED_AFTER)
        try:
            return bool(super().handle_request(req, conn))
        except TimeoutError as error:
            self.log.debug("Dropped a client that stalled: %s", error)
            return False


def _head_arrived(conn: Any) -> bool:
    """Read what is there; whether the head is whole. Raises OSError when it never will be."""
    buffer: io.BytesIO = conn.parser.unreader.buf
    buffer.seek(0, io.SEEK_END)
    while not _whole(buffer):
        if buffer.tell() > LARGEST_HEAD:
            util.write_error(conn.sock, 431, "Request Header Fields Too Large", "")
            raise ConnectionAbortedError("its head is too large")
        try:
            data = conn.sock.recv(_READ_AT_ONCE)
        except BlockingIOError:
            return False
        if not data:
            raise ConnectionResetError("it ended before its head did")
        buffer.write(data)
    return True


def _whole(buffer: io.BytesIO) -> bool:
    """Whether it has the empty line that ends a head (RFC 9112, section 2.1); those before a request do not count."""
    return _END in buffer.getvalue().lstrip(b"\r\n")
