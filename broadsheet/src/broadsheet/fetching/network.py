"""Connections to the public internet and to nothing else, each with a time at which it ends.

The name of an origin is looked up once. Every address that it has is checked, and the connection is made to one of
those that were checked, so that a name which changes its address in between (DNS rebinding) leads nowhere. TLS and the
Host header keep the name.
"""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import httpcore

from broadsheet.fetching.addresses import closed

# At its most talkative it writes down the headers of answers, in which an origin may have put our key.
logging.getLogger("httpcore").setLevel(logging.WARNING)

# A name with more addresses than this is tried at the first ones only.
_MOST_ADDRESSES = 8

Address = tuple[int, tuple[Any, ...]]
Resolve = Callable[[str, int], list[Address]]


class Closed(Exception):
    """A name leads to an address that we do not connect to. The text says which."""


class Unresolved(Exception):
    """A name has no address, or none was found in time. The text says why."""


class Untrusted(Exception):
    """An origin cannot prove that it is who it says. The text is the verdict of TLS."""


class OutOfTime(Exception):
    """A request took longer than all of its time."""


def resolve(host: str, port: int) -> list[Address]:
    """The addresses of a host for a stream, each with its family, in the order in which to try them. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return [(family, address) for family, _, _, _, address in found]


class Deadline:
    """The moment at which a request must be over: so many seconds from now."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def within(self, seconds: float | None) -> float:
        """What is left of the time, at most `seconds`, in seconds. Raises OutOfTime when nothing is left."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise OutOfTime("The request took too long.")
        return left if seconds is None else min(seconds, left)


class Network(httpcore.NetworkBackend):
    """Makes the connection for one request. With `checked` false any address is fine: for routes of tests only."""

    def __init__(self, deadline: Deadline, *, resolving: Resolve = resolve, checked: bool = True) -> None:
        self._deadline = deadline
        self._resolving = resolving
        self._checked = checked

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of the host that answers; `timeout` is in seconds.

        Raises Closed, Unresolved, OutOfTime and ConnectError.
        """
        del local_address, socket_options
        addresses = self._addresses(host, port, timeout)
        failure: OSError = OSError("no address")
        for family, address in addresses[:_MOST_ADDRESSES]:
            connection = socket.socket(family, socket.SOCK_STREAM)
            try:
                connection.settimeout(self._deadline.within(timeout))
                connection.connect(address)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError as error:
                connection.close()
                failure = error
            except BaseException:
                connection.close()
                raise
            else:
                return _Stream(connection, self._deadline)
        raise httpcore.ConnectError(str(failure)) from failure

    def _addresses(self, host: str, port: int, timeout: float | None) -> list[Address]:
        """The addresses of the host, every one of them checked."""
        addresses = _in_time(lambda: self._resolving(host, port), host, self._deadline.within(timeout))
        if not addresses:
            raise Unresolved(f"{host} has no address.")
        for _, address in addresses if self._checked else ():
            if reason := closed(str(address[0])):
                raise Closed(f"{host} leads to {address[0]}: {reason}.")
        return addresses


def _in_time(resolving: Callable[[], list[Address]], host: str, seconds: float) -> list[Address]:
    """What the look-up gives. It knows no time limit itself, so it has a thread, which is left behind if it must be."""
    found: list[Address] = []
    errors: list[Exception] = []

    def look_up() -> None:
        try:
            found.extend(resolving())
        except (OSError, UnicodeError) as error:
            errors.append(error)

    thread = threading.Thread(target=look_up, name=f"look up {host}", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise Unresolved(f"The address of {host} could not be found within {seconds:.0f} seconds.")
    if errors:
        raise Unresolved(f"The address of {host} could not be found: {errors[0]}.") from errors[0]
    return found


class _Stream(httpcore.NetworkStream):
    """A connection on which every step ends at the deadline of its request."""

    def __init__(self, connection: socket.socket, deadline: Deadline) -> None:
        self._socket = connection
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            self._socket.settimeout(self._deadline.within(timeout))
            return self._socket.recv(max_bytes)
        except TimeoutError as error:
            self._deadline.within(None)
            raise httpcore.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        try:
            while buffer:
                self._socket.settimeout(self._deadline.within(timeout))
                buffer = buffer[self._socket.send(buffer) :]
        except TimeoutError as error:
            self._deadline.within(None)
            raise httpcore.WriteTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    def close(self) -> None:
        self._socket.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            self._socket.settimeout(self._deadline.within(timeout))
            wrapped = ssl_context.wrap_socket(self._socket, server_hostname=server_hostname)
        except ssl.SSLCertVerificationError as error:
            self.close()
            raise Untrusted(error.verify_message or str(error)) from error
        except OSError as error:
            self.close()
            raise httpcore.ConnectError(str(error)) from error
        except BaseException:
            self.close()
            raise
        return _Stream(wrapped, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._socket if info == "socket" else None
