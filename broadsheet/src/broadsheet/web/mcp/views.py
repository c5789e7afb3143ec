"""The address of the Model Context Protocol: streamable HTTP, one request and one answer, nothing kept between them.

https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
"""

from __future__ import annotations

from urllib.parse import urlsplit

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from broadsheet.accounts.rules import Person, Scope
from broadsheet.web import addresses, bodies, viewing

# The most that a request has, in bytes: a call with its longest arguments has some thousand.
MOST_SENT = 65_536
_TEXT = "text/plain; charset=utf-8"
# Headers of a request that the SDK looks at; the names of its own begin all alike.
_LOOKED_AT = frozenset({"accept", "content-type", "host"})
_OF_THE_PROTOCOL = "mcp-"
# Errors of JSON-RPC 2.0, section 5.1, and ports that an origin leaves out.
_NO_JSON, _NO_REQUEST = -32700, -32600
_PORTS = {"http": 80, "https": 443}


@csrf_exempt  # programs bring no cookie, and a cookie would count for nothing here
def mcp(request: HttpRequest) -> HttpResponse:
    """The answer to one message. There is no stream to listen to and no session to end, so only POST is answered."""
    request.get_host()  # what is asked for under a foreign name ends here
    refusal = _refusal(request)
    if refusal:
        return refusal
    try:
        body = request.read(MOST_SENT + 1)
    except UnreadablePostError:
        return _refused("The request ended before its end.", 400)
    if len(body) > MOST_SENT:
        return _refused(f"A request may have {MOST_SENT} bytes.", 413)
    return _misread(body) or _answered(request, body)


def _refusal(request: HttpRequest) -> HttpResponse | None:
    """Why nothing of the body is read; None where it is."""
    if not _is_ours(request):
        return _refused("Pages of other sites may not ask here.", 403)
    if request.method != "POST":
        answer = _refused("Agents ask this address by POST: docs/user/agents.md.", 405)
        answer.headers["Allow"] = "POST"
        return answer
    if bodies.is_encoded(request):
        return _refused(bodies.ENCODED, 415)
    return _refused(bodies.NO_LENGTH, 411) if bodies.has_no_length(request) else None


def _misread(body: bytes) -> HttpResponse | None:
    """The error for what is no JSON, and for a request by whose id nobody could know its answer; None for others.

    An id is a text or a whole number. The SDK takes a request with another one for a notification.
    """
    try:
        message = orjson.loads(body)
    except orjson.JSONDecodeError:
        return _error(_NO_JSON, "The body is not JSON.")
    if not isinstance(message, dict) or "method" not in message or "id" not in message:
        return None
    if isinstance(message["id"], str | int) and not isinstance(message["id"], bool):
        return None
    return _error(_NO_REQUEST, "The id of a request is a text or a whole number; a notification has none.")


def _error(code: int, sentence: str) -> HttpResponse:
    told = orjson.dumps({"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": sentence}})
    return HttpResponse(told, content_type="application/json", status=400, headers={"Cache-Control": "no-store"})


def _answered(request: HttpRequest, body: bytes) -> HttpResponse:
    from broadsheet.web.mcp import server  # noqa: PLC0415  loaded when somebody asks: see the package

    headers = {
        name.lower(): text
        for name, text in request.headers.items()
        if name.lower() in _LOOKED_AT or name.lower().startswith(_OF_THE_PROTOCOL)
    }
    reply = server.reply(addresses.base_of(request), headers, body, lambda: _reader(request))
    answer = HttpResponse(reply.body, status=reply.status, headers={"Cache-Control": "no-store"})
    del answer.headers["Content-Type"]
    for name, text in reply.headers:
        if name.lower() != "content-length":
            answer.headers[name] = text
    return answer


def _reader(request: HttpRequest) -> Person | None:
    """Whose library may be read: of who sends a token for that, or of the only reader of an instance without accounts.

    Cookies count for nothing: a page elsewhere could have a browser send them.
    """
    if not settings.BROADSHEET_ACCOUNTS:
        return viewing.viewer(request)
    bearer = viewing.bearer(request)
    return bearer.person if bearer and bearer.may(Scope.READ_LIBRARY) else None


def _is_ours(request: HttpRequest) -> bool:
    """Whether a page that asks is one of ours; a program that is no page names no origin."""
    origin = request.headers.get("Origin", "")
    place = _place(origin)
    return not origin or (place is not None and place == _place(addresses.base_of(request)))


def _place(origin: str) -> tuple[str, str, int] | None:
    """Scheme, host and port of an origin (RFC 6454, section 4); None for what is none."""
    try:
        said = urlsplit(origin)
        port = said.port or _PORTS.get(said.scheme)
    except ValueError:
        return None
    return (said.scheme, said.hostname, port) if said.hostname and port else None


def _refused(sentence: str, status: int) -> HttpResponse:
    return HttpResponse(f"{sentence}\n", content_type=_TEXT, status=status, headers={"Cache-Control": "no-store"})
