"""Answers as the official client reads them: JSON, errors with their sentence in a header, open to other sites."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from broadsheet.web.hf_api.parameters import Unanswerable
from broadsheet.web.rendering import CACHING

View = Callable[..., HttpResponse]

_JSON = "application/json; charset=utf-8"
_MARKDOWN = "text/markdown; charset=utf-8"
_READING = ("GET", "HEAD")
# For how long a browser need not ask again whether another site may ask us, in seconds.
_MAX_AGE_SECONDS = 86_400


def json(value: Any) -> HttpResponse:
    """The value, to be kept and asked for again by its ETag."""
    return HttpResponse(orjson.dumps(value), content_type=_JSON, headers={"Cache-Control": CACHING})


def markdown(text: str) -> HttpResponse:
    """The text, to be kept and asked for again by its ETag."""
    return HttpResponse(text, content_type=_MARKDOWN, headers={"Cache-Control": CACHING})


def refused(sentence: str, status: int) -> HttpResponse:
    """An error. The client prints the sentence from the header and, where there is none, from the body."""
    answer = HttpResponse(orjson.dumps({"error": sentence}), content_type=_JSON, status=status)
    answer.headers["X-Error-Message"] = sentence.encode("ascii", "replace").decode()
    return answer


def reading(view: View) -> View:
    """A view that programs read, also those in pages of other sites. What it refuses becomes an error."""
    return _door(view, _READING)


def writing(view: View) -> View:
    """A view to which programs send something. They say who they are by a token; cookies count for nothing here."""
    return csrf_exempt(_door(view, ("POST",)))


def _door(view: View, methods: tuple[str, ...]) -> View:
    allowed = ", ".join((*methods, "OPTIONS"))

    @functools.wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "OPTIONS":
            response = HttpResponse(status=204)
            response.headers["Access-Control-Allow-Methods"] = ", ".join(methods)
            response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, If-None-Match"
        elif request.method not in methods:
            response = refused(f"This address answers {' and '.join(methods)} only.", 405)
        else:
            try:
                response = view(request, *args, **kwargs)
            except Unanswerable as error:
                response = refused(str(error), error.status)
        if response.status_code in {204, 405}:
            response.headers["Allow"] = allowed
        return _open(response)

    return answer


def _open(response: HttpResponse) -> HttpResponse:
    """Any site may read the answer, as with the original. Nothing here depends on who asks, so no cookie is allowed."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Expose-Headers"] = "X-Error-Message, ETag, Link"
    response.headers["Access-Control-Max-Age"] = str(_MAX_AGE_SECONDS)
    return response
