"""What can go wrong, and how it is told: one shape for every error, RFC 9457 (https://www.rfc-editor.org/rfc/rfc9457).

Two people read an error. `NotAnswered` carries a sentence for whoever asked; the cause is chained for the log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson
from django.http import HttpResponse
from pydantic import BaseModel, ConfigDict, Field

from broadsheet import links

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of error: its name for programs, its status, its title, and when it happens."""

    name: str
    status: int
    title: str
    when: str


def _table(*kinds: Kind) -> dict[str, Kind]:
    return {kind.name: kind for kind in kinds}


KINDS = _table(
    Kind("bad-parameter", 400, "A parameter cannot be read", "A parameter is unknown, said twice or out of its range."),
    Kind("unauthorized", 401, "A token is needed", "The request brings no token, or one that is not known."),
    Kind("forbidden", 403, "This is not allowed", "The token is known, or none is taken, and it does not allow this."),
    Kind("unknown-paper", 404, "There is no such paper", "No paper here has this identifier."),
    Kind("unknown-edition", 404, "There is no such edition", "The day, week or month has no edition, or is none."),
    Kind("unknown-author", 404, "There is no such author", "No paper here has an author of that name."),
    Kind("unknown-section", 404, "There is no such section", "No paper here belongs to that section or category."),
    Kind("unknown-cursor", 404, "There is no such place in the list", "The cursor was not given by this list."),
    Kind("unknown-thing", 404, "There is no such thing", "What the request wants to change is not there any more."),
    Kind("unknown-address", 404, "There is no such address", "Nothing of the interface is at this address."),
    Kind("wrong-method", 405, "The method is not supported", "The header Allow says which are."),
    Kind("not-acceptable", 406, "This form is not offered", "The header Accept allows none of the forms that exist."),
    Kind("conflict", 409, "Something stands against it", "What is there already does not allow it."),
    Kind("length-required", 411, "The length is not known", "The body came in chunks, without Content-Length."),
    Kind("too-large", 413, "The request is too large", "The body is too long: 64 KiB are taken where none is read."),
    Kind(
        "wrong-media-type",
        415,
        "The body is of the wrong type",
        "Content-Type names no form that is read here, or it is compressed.",
    ),
    Kind("unprocessable", 422, "The body cannot be used", "The body broke off, or does not say what it has to."),
    Kind(
        "too-many-requests", 429, "Too many requests", "The quota of a policy is spent; Retry-After says for how long."
    ),
    Kind("failed", 500, "The server failed", "A fault of the program. The operator's log has the cause."),
    Kind("not-now", 503, "This cannot be answered now", "The index or the database does not answer, or is busy."),
)


class Mistake(BaseModel):
    """What is wrong with one parameter."""

    model_config = ConfigDict(frozen=True)

    parameter: str = Field(description="The name of the parameter.", examples=["limit"])
    detail: str = Field(
        description="What is wrong with it, as a sentence.", examples=["limit is '101'; write a number from 1 to 100."]
    )


class Problem(BaseModel):
    """An error. `type` names its kind and does not change; `detail` is a sentence for people and may."""

    model_config = ConfigDict(frozen=True)

    type: str = Field(
        description="The kind of error, as an address: a path of this server whose fragment is the kind's name.",
        examples=[f"{links.API_PROBLEMS}#unknown-paper"],
    )
    title: str = Field(description="The kind in words.", examples=["There is no such paper"])
    status: int = Field(description="The status of HTTP.", examples=[404])
    detail: str = Field(
        description="What happened and what can be done, as sentences.",
        examples=["There is no paper '2401.99999' here. Its home is https://arxiv.org/abs/2401.99999"],
    )
    instance: str = Field(description="The path that was asked.", examples=["/api/v1/papers/2401.99999"])
    errors: list[Mistake] | None = Field(
        default=None, description="For `bad-parameter`: each parameter that is wrong.", examples=[[]]
    )


class NotAnswered(Exception):
    """A request that gets no answer. The text is a sentence for whoever asked; `kind` is a name of `KINDS`."""

    def __init__(
        self, kind: str, sentence: str, *, mistakes: Sequence[Mistake] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(sentence)
        self.kind = KINDS[kind]
        self.mistakes = list(mistakes)
        self.headers = dict(headers or {})


def type_of(kind: Kind) -> str:
    """The address that names a kind of error."""
    return f"{links.API_PROBLEMS}#{kind.name}"


def response(refused: NotAnswered, path: str) -> HttpResponse:
    """The error as an answer, kept by nobody."""
    kind = refused.kind
    told = Problem(
        type=type_of(kind),
        title=kind.title,
        status=kind.status,
        detail=str(refused),
        instance=path,
        errors=refused.mistakes or None,
    )
    headers = {"Cache-Control": "no-store", **refused.headers}
    body = orjson.dumps(told.model_dump(exclude_none=True))
    return HttpResponse(body, content_type=MEDIA_TYPE, status=kind.status, headers=headers)


def repeated(text: str, most: int = 60) -> str:
    """The beginning of what somebody sent, for a sentence: `most` characters, without those that are not seen."""
    cut = text[:most] + ("..." if len(text) > most else "")
    return "".join(character if character.isprintable() else "?" for character in cut)
