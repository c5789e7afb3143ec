"""One endpoint: what it is for programs and for their readers, and how a request becomes an answer.

What happens to every request stands here once: methods, forms, rates, parameters, errors, headers. Entity tags,
compression and HEAD are the business of the middleware, as for pages.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, Literal, TypeVar

from django.conf import settings
from django.core.exceptions import SuspiciousOperation, TooManyFieldsSent
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.http.request import UnreadablePostError
from django.utils.encoding import escape_uri_path
from django.views.decorators.csrf import csrf_exempt
from pydantic import BaseModel, ValidationError

from broadsheet import links
from broadsheet.accounts.rules import Bearer, Ground, Person, Refused, Scope
from broadsheet.search.index import IndexUnavailable
from broadsheet.web import addresses, bodies, searching, viewing
from broadsheet.web.api import parameters as reading
from broadsheet.web.api import problems, rates
from broadsheet.web.api.parameters import P
from broadsheet.web.api.problems import KINDS, Kind, NotAnswered, repeated
from broadsheet.web.rendering import CACHING

log = logging.getLogger("broadsheet.web.api")

JSON = "application/json"

# For an endpoint that answers whoever has a personal token, whatever that is good for.
ANY: Final = "any"

S = TypeVar("S", bound=BaseModel)

# Bytes of a body that are ignored where none is read.
LARGEST_BODY = 65_536
# For how long a browser need not ask again whether another site may ask us, and after how long it is worth to ask
# again for what cannot be answered now; in seconds.
_PREFLIGHT_SECONDS = 86_400
AGAIN_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Asked(Generic[P]):
    """What was asked: the path, the parameters, and `base`, the scheme and host before our own addresses.

    Where something may be sent, `body` is what was, and `bearer` whoever sent it with a personal token.
    """

    base: str
    path: str
    parameters: P
    body: bytes = b""
    bearer: Bearer | None = None

    @property
    def person(self) -> Person:
        """Who asks, where the endpoint lets nobody else through. Raises NotAnswered for a stranger."""
        if self.bearer is None:
            raise _unknown_token("")
        return self.bearer.person

    def sent(self, shape: type[S]) -> S:
        """What was sent, read strictly. Raises NotAnswered with every mistake."""
        try:
            return shape.model_validate_json(self.body, strict=True)
        except ValidationError as error:
            said = "; ".join(f"{_place(each['loc'])}: {each['msg']}" for each in error.errors()[:5])
            raise NotAnswered("unprocessable", f"The body is not as described. {repeated(said, 500)}") from error

    def address(self, path: str = "", **changed: str) -> str:
        """The address that asks the same with some parameters changed, or at another path."""
        said = {**self.parameters.model_dump(mode="json", exclude_unset=True), **changed}
        written = {name: _written(value) for name, value in said.items()}
        return self.base + addresses.with_query(path or escape_uri_path(self.path), **written)


def _written(value: Any) -> str:
    """A parameter as it stands in an address."""
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, list) else str(value)


def _place(parts: Sequence[int | str]) -> str:
    return ".".join(map(str, parts)) or "the body"


@dataclass(frozen=True, slots=True)
class Example:
    """A request that the documentation shows, and what it is about."""

    title: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint(Generic[P]):
    """A method at an address of `links`, what it answers, and all that is said of it.

    `answer` gets what was asked and the names of the path, and returns a shape, or a whole answer where there is more
    to tell. It raises NotAnswered with a kind that is among `problems`, those included that any endpoint can have, and
    what actions raise when they refuse. One that `takes` a shape is sent it as JSON, by `Asked.sent`.

    `scope` is what a personal token has to be good for, `ANY` for any that holds; without it nobody is asked who they
    are. `admit` gets the token of the request, "" without one, and whose it is where it is a personal one, before
    anything of the body is read, and raises NotAnswered for a stranger: for tokens of another kind.
    """

    path: str
    name: str
    summary: str
    description: str
    parameters: type[P]
    shape: type[BaseModel]
    answer: Callable[..., BaseModel | HttpResponseBase]
    method: str = "GET"
    policy: str = "read"
    problems: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    media_type: str = JSON
    redirects: bool = False
    takes: type[BaseModel] | None = None
    largest_body: int = LARGEST_BODY
    scope: Scope | Literal["any"] | None = None
    admit: Callable[[str, Bearer | None], None] | None = None

    @property
    def is_personal(self) -> bool:
        """Whether it answers people only."""
        return self.scope is not None

    @property
    def refusals(self) -> list[Kind]:
        """Every kind of error that it can answer with."""
        sent = ("length-required", "wrong-media-type", "unprocessable") if self.takes else ()
        personal = ("unauthorized", "forbidden", "unprocessable", "conflict", "unknown-thing") if self.scope else ()
        names = {*_ALWAYS, *sent, *personal, *self.problems}
        return [kind for kind in KINDS.values() if kind.name in names]

    def answered(self, request: HttpRequest, names: dict[str, str]) -> HttpResponseBase:
        """The answer to a request of its method. Raises NotAnswered, and what `answer` does."""
        if request.get_preferred_type([self.media_type]) is None:
            raise NotAnswered("not-acceptable", f"This address answers {self.media_type} only.")
        try:
            bearer = self._bearer(request)
        except NotAnswered:
            # Guessing tokens is counted too, for where it comes from.
            _counted(request, rates.POLICIES[self.policy], None)
            raise
        counted = _counted(request, rates.POLICIES[self.policy], bearer)
        if self.admit:
            bearer = viewing.bearer(request)
            self.admit(_token(request), bearer)
        body = self._body(request)
        if any("\0" in text for text in names.values()):
            raise NotAnswered("unknown-address", "There is no such address: it holds a zero byte.")
        parameters = reading.read(self.parameters, request.GET)
        asked = Asked(addresses.base_of(request), request.path, parameters, body, bearer)
        made = self.answer(asked, **names)
        response = made if isinstance(made, HttpResponseBase) else told(made)
        if response.streaming and request.META["REQUEST_METHOD"] == "HEAD":
            response = _head_of(response)
        for name, value in counted.items():
            response.headers[name] = value
        if self.is_personal:
            response.headers["Cache-Control"] = "private, no-store"
        return response

    def _bearer(self, request: HttpRequest) -> Bearer | None:
        """Who asks, where that matters. Raises NotAnswered for a stranger, and for a token that is not for this."""
        if self.scope is None:
            return None
        bearer = viewing.bearer(request)
        if bearer is None:
            raise _unknown_token(_token(request))
        if self.scope != ANY and not bearer.may(Scope(self.scope)):
            headers = {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{self.scope}"'}
            sentence = f"This token is not good for '{self.scope}'. Make one that is, on the page of your tokens."
            raise NotAnswered("forbidden", sentence, headers=headers)
        return bearer

    def _body(self, request: HttpRequest) -> bytes:
        """What was sent; nothing where nothing is taken. Raises NotAnswered."""
        if self.takes and request.content_type != JSON:
            raise NotAnswered("wrong-media-type", f"The body has to be {JSON}, and the header Content-Type to say so.")
        if self.takes and bodies.is_encoded(request):
            raise NotAnswered("wrong-media-type", bodies.ENCODED)
        if self.takes and bodies.has_no_length(request):
            raise NotAnswered("length-required", bodies.NO_LENGTH)
        length = request.META.get("CONTENT_LENGTH") or "0"
        large = not length.isdigit() or int(length) > self.largest_body
        try:
            body = b"" if large or not self.takes else request.read(self.largest_body + 1)
        except UnreadablePostError as error:
            raise NotAnswered("unprocessable", "The body broke off before its end.") from error
        if large or len(body) > self.largest_body:
            raise NotAnswered("too-large", f"No body of more than {self.largest_body:,} bytes is taken here.")
        return body


def _unknown_token(token: str) -> NotAnswered:
    if not token:
        sentence = "Send a personal token, as in Authorization: Bearer TOKEN. You make them on your account's pages."
        return NotAnswered("unauthorized", sentence, headers={"WWW-Authenticate": "Bearer"})
    headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
    return NotAnswered("unauthorized", "This token is not known here, or it has expired.", headers=headers)


_ALWAYS = ("bad-parameter", "wrong-method", "not-acceptable", "too-large", "too-many-requests", "failed", "not-now")


def view(endpoints: Sequence[Endpoint[Any]]) -> Callable[..., HttpResponseBase]:
    """The view of an address: of all endpoints that share it, each with a method of its own."""
    by_method = {endpoint.method: endpoint for endpoint in endpoints}
    if "GET" in by_method:
        by_method["HEAD"] = by_method["GET"]
    methods = ", ".join([*by_method, "OPTIONS"])

    def answered(request: HttpRequest, names: dict[str, str]) -> HttpResponseBase:
        if request.method == "OPTIONS":
            return _preflight(methods)
        endpoint = by_method.get(request.method or "")
        if endpoint is None:
            raise NotAnswered("wrong-method", f"This address answers {methods} only.", headers={"Allow": methods})
        return endpoint.answered(request, names)

    @csrf_exempt
    def answer(request: HttpRequest, **names: str) -> HttpResponseBase:
        return _opened(_guarded(request, lambda: answered(request, names)))

    return answer


def told(shape: BaseModel, *, status: int = 200) -> HttpResponse:
    """The shape as JSON: what was set of it. Where a list goes on is in the header ``Link`` too (RFC 8288)."""
    body = shape.model_dump_json(exclude_unset=True)
    response = HttpResponse(body, content_type=JSON, status=status, headers={"Cache-Control": CACHING})
    following = getattr(shape, "next", None)
    if following:
        response.headers["Link"] = f'<{following}>; rel="next"'
    return response


def _head_of(stream: HttpResponseBase) -> HttpResponse:
    """The headers of an answer that is not to be sent; nothing of it is made."""
    stream.close()
    return HttpResponse(headers=dict(stream.headers))


def _token(request: HttpRequest) -> str:
    """The token that the request brings: RFC 6750, section 2.1."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _preflight(methods: str) -> HttpResponse:
    """What may be asked here, for browsers that ask before they read for another site."""
    headers = {
        "Allow": methods,
        "Access-Control-Allow-Methods": methods,
        "Access-Control-Allow-Headers": "Authorization, Content-Type, If-None-Match",
        "Access-Control-Max-Age": str(_PREFLIGHT_SECONDS),
    }
    return HttpResponse(status=204, headers=headers)


def _opened(response: HttpResponseBase) -> HttpResponseBase:
    """Any site may read the answer: it is the same for everybody, and no cookie is looked at."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Expose-Headers"] = "ETag, Link, Location, RateLimit, RateLimit-Policy, Retry-After"
    return response


def _counted(request: HttpRequest, policy: rates.Policy, bearer: Bearer | None) -> dict[str, str]:
    """The headers that tell where the client stands; none for whom nobody counts. Raises NotAnswered.

    Who says who she is is counted wherever she asks from.
    """
    who = f"person {bearer.person.id}" if bearer else rates.client_of(request)
    client = who if settings.BROADSHEET_API_RATES else None
    if client is None:
        return {}
    standing = rates.counts.count(policy, client)
    if standing.wait:
        raise NotAnswered(
            "too-many-requests",
            f"The policy '{policy.name}' allows {policy.quota} requests in {policy.window} seconds. "
            f"Ask again in {standing.wait} seconds.",
            headers=standing.headers,
        )
    return standing.headers


def _guarded(request: HttpRequest, answer: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    """The answer, or what went wrong instead: for whoever asked as a problem, for the operator in the log."""
    try:
        return answer()
    except NotAnswered as refused:
        problem = refused
    except Refused as error:
        problem = NotAnswered(_GROUNDS[error.ground], str(error))
    except SuspiciousOperation as error:
        problem = NotAnswered("bad-parameter", _suspicious(error))
    except IndexUnavailable as error:
        log.warning("search is not possible now: %s", error, exc_info=error.__cause__)
        problem = _not_now(searching.plain(str(error)))
    except DatabaseError:
        log.exception("the database does not answer")
        problem = _not_now("The database does not answer. Try again in a minute; the operator's log has the cause.")
    except Exception:
        log.exception("%s could not be answered", request.path)
        problem = NotAnswered("failed", "The server failed. It is not your request; the operator's log has the cause.")
    return problems.response(problem, request.path)


_GROUNDS = {
    Ground.NOT_ALLOWED: "forbidden",
    Ground.NOT_THERE: "unknown-thing",
    Ground.NOT_UNDERSTOOD: "unprocessable",
    Ground.TOO_MUCH: "too-many-requests",
    Ground.TAKEN: "conflict",
}


def _suspicious(error: SuspiciousOperation) -> str:
    """What a request is told that Django does not read."""
    if isinstance(error, TooManyFieldsSent):
        return f"The address has more than {settings.DATA_UPLOAD_MAX_NUMBER_FIELDS:,} parameters. Send fewer."
    return "The request cannot be read: check its address and its headers."


def _not_now(sentence: str) -> NotAnswered:
    return NotAnswered("not-now", sentence, headers={"Retry-After": str(AGAIN_SECONDS)})


def nothing_here(request: HttpRequest, **_names: Any) -> HttpResponseBase:
    """What is answered at every address below ours that has no endpoint."""
    sentence = f"Nothing is at this address. {links.API} lists what there is, and {links.API_OPENAPI} describes it."
    return _opened(problems.response(NotAnswered("unknown-address", sentence), request.path))
