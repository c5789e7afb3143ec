"""What browsers are told about every page."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

# No inline script, no inline style, nothing from elsewhere. https://www.w3.org/TR/CSP3/
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


class ContentSecurityPolicy:
    """Middleware: every page loads only what we serve ourselves, and is shown in nobody's frame."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The answer with the policy, unless a view has set its own."""
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("X-Frame-Options", "DENY")
        return response


class Delivery:
    """Middleware around compression and ETags: what they leave out for caches, and questions without a body.

    Every answer says that it varies with the encoding, those too that are too short to be compressed (RFC 9110,
    section 15.4.5: a 304 has the Vary of its 200). What says nothing of caches is asked for again each time. HEAD gets
    the headers of GET, the ETag among them, and no body (section 9.3.2).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The answer with its headers complete."""
        only_head = request.method == "HEAD"
        if only_head:
            request.method = "GET"
        response = self.get_response(request)
        patch_vary_headers(response, ("Accept-Encoding",))
        response.headers.setdefault("Cache-Control", "no-cache")
        if only_head:
            request.method = "HEAD"
            response.content = b""
        return response
