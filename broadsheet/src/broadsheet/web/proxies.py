"""What a proxy says of the reader behind it, and who is believed."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

# By these a proxy says that the reader sits elsewhere, and how she came.
SAYS = (
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


def through_a_proxy(request: HttpRequest) -> bool:
    """Whether a proxy passed the request on: then its reader sits elsewhere, wherever the connection comes from."""
    return any(name in request.META for name in SAYS)


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
