"""What a program may ask of an endpoint, read strictly: what cannot be meant is refused, and every mistake is named."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from datetime import date
from functools import cache, partial
from typing import Annotated, Any, TypeVar

from django.http import QueryDict
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema

from broadsheet.web.api.problems import Mistake, NotAnswered, repeated
from broadsheet.web.api.shapes import Paper, WholePaper

# The greatest number that is read, for a parameter that could be any.
GREATEST = 999_999_999
_NUMBER = re.compile(rf"[0-9]{{1,{len(str(GREATEST))}}}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _plain_number(text: object) -> object:
    """The text, if it is digits only: `int` reads much that nobody means. Raises ValueError."""
    if isinstance(text, str) and not _NUMBER.fullmatch(text):
        raise ValueError("It is no whole number")
    return text


def _plain_day(text: object) -> object:
    """The text, if it is written as a day. Raises ValueError."""
    if isinstance(text, str) and not _DAY.fullmatch(text):
        raise ValueError("It is not written as a day")
    return text


class _Unknown(ValueError):
    """A name that is none of those that there are. The text is a sentence."""


def one_of(known: Iterable[str], what: str, text: object) -> object:
    """The names between commas, each once. Raises ValueError for one that is none of the known ones."""
    if not isinstance(text, str):
        return text
    names = tuple(dict.fromkeys(text.split(",")))
    for name in names:
        if name not in known:
            guess = _guess(name, list(known)) or f". There are: {', '.join(known)}."
            raise _Unknown(f"There is no {what} '{repeated(name)}'{guess}")
    return names


def names_schema(known: Iterable[str]) -> dict[str, Any]:
    """The schema of names between commas."""
    return {"type": "array", "items": {"type": "string", "enum": list(known)}, "minItems": 1}


# Each field of this type names the least and the greatest (`ge`, `le`): what is wrong is told with them.
Number = Annotated[int, BeforeValidator(_plain_number)]
# The number of something that we number ourselves. The bounds come first here, or they would be those of "or None" too.
Numbered = Annotated[int, Field(ge=1, le=GREATEST), BeforeValidator(_plain_number)]
Day = Annotated[date, BeforeValidator(_plain_day)]
PaperFields = Annotated[
    tuple[str, ...],
    BeforeValidator(partial(one_of, list(Paper.model_fields), "field")),
    WithJsonSchema(names_schema(Paper.model_fields)),
]
WholePaperFields = Annotated[
    tuple[str, ...],
    BeforeValidator(partial(one_of, list(WholePaper.model_fields), "field")),
    WithJsonSchema(names_schema(WholePaper.model_fields)),
]

FIELDS = "Only these fields of each paper, and `id`, with commas between; all of them when it is not said."
AFTER = "The cursor of the page that was read before this one: in `next`, behind `after=`. The first page has none."


class Parameters(BaseModel):
    """An endpoint that takes nothing. Those that take something inherit from it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Listed(Parameters):
    """What every list of papers takes."""

    limit: Number = Field(default=50, ge=1, le=100, description="How many papers a page has at most.", examples=[20])
    after: str = Field(default="", max_length=200, description=AFTER)
    fields: PaperFields = Field(default=(), description=FIELDS, examples=["id,title,announced"])


P = TypeVar("P", bound=Parameters)


def read(model: type[P], query: QueryDict) -> P:
    """The parameters of a request. Raises NotAnswered, which names every mistake."""
    mistakes = list(_misnamed(model, query))
    # No database stores a zero byte, so nothing that is looked for has one.
    said = {name: str(query[name]).replace("\0", "") for name in query if name in model.model_fields}
    try:
        found = model.model_validate(said)
    except ValidationError as error:
        mistakes += [_mistake(model, each, said) for each in error.errors(include_url=False)]
    if mistakes:
        sentences = " ".join(mistake.detail for mistake in mistakes)
        raise NotAnswered("bad-parameter", sentences, mistakes=mistakes)
    return found


def _misnamed(model: type[Parameters], query: QueryDict) -> Iterator[Mistake]:
    for name in query:
        if name not in model.model_fields:
            known = ", ".join(model.model_fields) or "none"
            guess = _guess(name, list(model.model_fields)) or f". There are: {known}."
            yield Mistake(parameter=repeated(name), detail=f"There is no parameter '{repeated(name)}' here{guess}")
        elif len(query.getlist(name)) > 1:
            yield Mistake(parameter=name, detail=f"{name} is said more than once.")


def _mistake(model: type[Parameters], error: Any, said: dict[str, str]) -> Mistake:
    """What is wrong with a parameter, in a sentence of ours: what was said, and what can be."""
    name = str(error["loc"][0])
    text, schema = said.get(name, ""), _schemas(model)[name]
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, _Unknown):
        return Mistake(parameter=name, detail=str(cause))
    if error["type"] == "string_too_long":
        most = schema["maxLength"]
        return Mistake(parameter=name, detail=f"{name} is {len(text):,} characters long; {most:,} at most are read.")
    return Mistake(parameter=name, detail=f"{name} is '{repeated(text)}'; write {_meant(schema)}.")


@cache
def _schemas(model: type[Parameters]) -> dict[str, Any]:
    """The schema of each parameter, without that it may be left out."""
    properties = model.model_json_schema()["properties"]
    return {name: {**said, **said.get("anyOf", [{}])[0]} for name, said in properties.items()}


def _meant(schema: dict[str, Any]) -> str:
    """What a parameter of this schema can be, in words."""
    if "enum" in schema:
        *values, last = [f"'{value}'" for value in schema["enum"]]
        return f"{', '.join(values)} or {last}" if values else last
    if schema["type"] == "integer":
        return f"a number from {schema['minimum']} to {schema['maximum']:,}"
    return "true or false" if schema["type"] == "boolean" else "a day as in 2026-11-20"


def _guess(word: str, words: list[str]) -> str:
    """A question that ends a sentence, where one of the words is close."""
    close = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    return f". Did you mean {close[0]}?" if close else ""
