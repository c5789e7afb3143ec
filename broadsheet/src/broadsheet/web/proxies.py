"""What a proxy says of the reader behind it, and who is believed."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse

# By these a proxy says that the reader sits elsewhere, and how she came.
_SAYS = (
    *("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST"),
    *("HTTP_VIA", "HTTP_CF_CONNECTING_IP", "HTTP_X_CLIENT_IP", "HTTP_TRUE_CLIENT_IP"),
)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Forwarded:
    """Middleware: a proxy on this machine is believed that a reader came over https; nobody else is."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The answer to the request without what may not be believed."""
        address = parsed(request.META.get("REMOTE_ADDR", ""))
        if address is not None and not address.is_loopback:
            request.META.pop("HTTP_X_FORWARDED_PROTO", None)
        return self.get_response(request)


def through_a_proxy(environ: Mapping[str, Any]) -> bool:
    """Whether a proxy passed the request on: then its reader sits elsewhere, wherever the connection comes from.

    A proxy that was told to say nothing is known by what no browser does: it asks in the words of HTTP/1.0, or for a
    name that is none of this machine's.
    """
    return (
        any(name in environ for name in _SAYS)
        or environ.get("SERVER_PROTOCOL") == "HTTP/1.0"
        or not _is_of_this_machine(environ.get("HTTP_HOST", ""))
    )


def _is_of_this_machine(host: str) -> bool:
    """Whether a name stands for the machine itself; so does none, which no proxy leaves out."""
    name = host.rpartition(":")[0] if re.search(r":[0-9]*$", host) else host
    name = name.strip("[]").rstrip(".").lower()
    address = parsed(name)
    if address is not None:
        return address.is_loopback
    return name in ("", "localhost") or name.endswith(".localhost") or name == socket.gethostname().lower()


def sender(request: HttpRequest) -> Address | None:
    """The address that a request comes from; None for one without any, as on a socket of the file system.

    That is the address of the connection. From a proxy on this machine it is the last address that the proxy added to
    X-Forwarded-For; from elsewhere that header is believed by nobody.
    """
    address = parsed(request.META.get("REMOTE_ADDR", ""))
    if address is None or address.is_loopback:
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
        return parsed(_without_port(forwarded)) if forwarded else address
    return address


def _without_port(text: str) -> str:
    """The address alone of one that a proxy wrote with its port, or in brackets: RFC 7239, section 6."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text


def parsed(text: str) -> Address | None:
    """The address in the text; None when it is none."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
