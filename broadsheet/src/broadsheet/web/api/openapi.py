"""The OpenAPI document of a table of endpoints: https://spec.openapis.org/oas/v3.1.1

The schemas are those that pydantic makes of the shapes. All else is written here, because every answer of ours, the
errors too, has its own headers and its own form.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from broadsheet import __version__
from broadsheet.web.api import problems
from broadsheet.web.api.endpoint import JSON, Endpoint
from broadsheet.web.api.parameters import Parameters

Json = dict[str, Any]

_REFERENCE = "#/components/schemas/{model}"

# What stands in braces in addresses.
_NAMES: dict[str, Json] = {
    "key": {
        "description": "The paper: its key or any identifier, in any spelling. Slashes may stay as they are.",
        "schema": {"type": "string", "minLength": 1},
        "example": "2401.00001",
    },
    "label": {
        "description": "The edition: `2026-11-20`, `2026-W47`, `2026-11`, `first` or `latest`.",
        "schema": {"type": "string", "minLength": 1},
        "example": "2024-01-02",
    },
    "number": {
        "description": "The number of what is meant, as a list of it tells.",
        "schema": {"type": "integer", "minimum": 1},
        "example": 7,
    },
    "slug": {
        "description": "The name of an author, a section or a category in addresses.",
        "schema": {"type": "string", "minLength": 1},
        "example": "ada-example",
    },
}

_DESCRIPTION = (
    "Everything that a reader of this newspaper can see, for programs. Reading needs no token. What is one person's "
    "does: a personal token, made on the pages of her account, with the scope that the operation names. Days are "
    "labels of US Eastern time. What is not known is null. Fields may be added at any time; none is taken away or "
    "given another meaning while the address says v1."
)
_RATE_HEADERS: Json = {
    "RateLimit-Policy": {
        "description": "The rule by which this request was counted, where it was: name, requests and seconds.",
        "schema": {"type": "string"},
        "example": '"read";q=600;w=60',
    },
    "RateLimit": {
        "description": "What is left of it, and in how many seconds it is whole again.",
        "schema": {"type": "string"},
        "example": '"read";r=599;t=1',
    },
}
_LINK: Json = {
    "Link": {
        "description": "Where the list goes on, as `next`. It is absent on the last page.",
        "schema": {"type": "string"},
    }
}
_ENTITY_TAG: Json = {
    "ETag": {
        "description": "Names this answer. Who sends it back in If-None-Match gets 304 while nothing has changed.",
        "schema": {"type": "string"},
    }
}


def document(endpoints: Sequence[Endpoint[Any]], *, base: str = "") -> Json:
    """The document. `base` is the scheme and host before our own addresses."""
    references, schemas = _schemas(endpoints)
    paths: dict[str, Json] = {}
    for each in endpoints:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, references)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{settings.BROADSHEET_SITE_NAME}: papers for programs",
            "version": __version__,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": base or "/"}],
        "security": [],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }


def parameters_of(endpoint: Endpoint[Any]) -> list[Json]:
    """The parameters of an endpoint, those in its path first."""
    in_path = [
        {"name": name, "in": "path", "required": True, **_NAMES[name]} for name in re.findall(r"{(\w+)}", endpoint.path)
    ]
    return [*in_path, *_in_query(endpoint.parameters)]


def _in_query(model: type[Parameters]) -> Iterable[Json]:
    """The parameters of the query. Names between commas are a list in one value: style form, not exploded."""
    for name, schema in model.model_json_schema().get("properties", {}).items():
        bare = _without_null({key: value for key, value in schema.items() if key != "title"})
        described = {key: bare.pop(key) for key in ("description",) if key in bare}
        examples = bare.pop("examples", [])
        listed = {"style": "form", "explode": False} if bare.get("type") == "array" else {}
        example = {"example": examples[0].split(",") if listed else examples[0]} if examples else {}
        yield {"name": name, "in": "query", "required": False, **described, **listed, "schema": bare, **example}


def _without_null(schema: Json) -> Json:
    """A parameter that is not said is null for us, or a list of nothing, but nobody can say that in an address."""
    if schema.get("default", 0) in (None, [], ()):
        schema.pop("default")
    kinds = [kind for kind in schema.pop("anyOf", []) if kind != {"type": "null"}]
    return {**schema, **(kinds[0] if kinds else {})}


def _operation(endpoint: Endpoint[Any], references: dict[type[BaseModel], Json]) -> Json:
    sent: Json = {}
    if endpoint.takes:
        sent = {"requestBody": {"required": True, "content": {JSON: {"schema": references[endpoint.takes]}}}}
    return {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "description": endpoint.description,
        "parameters": parameters_of(endpoint),
        **sent,
        **({"security": [{"token": []}]} if endpoint.admit or endpoint.is_personal else {}),
        "responses": _responses(endpoint, references),
    }


def _responses(endpoint: Endpoint[Any], references: dict[type[BaseModel], Json]) -> Json:
    streamed = endpoint.media_type != JSON
    listed = {} if "next" not in endpoint.shape.model_fields else _LINK
    told: Json = {
        "200": {
            "description": endpoint.summary + (", a JSON object on each line." if streamed else "."),
            "headers": {**_RATE_HEADERS, **listed, **({} if streamed else _ENTITY_TAG)},
            "content": {endpoint.media_type: _content(references[endpoint.shape], streamed=streamed)},
        }
    }
    if endpoint.method != "GET":
        told["201"] = {**told["200"], "description": "The same, where something is new."}
    elif not streamed:
        told["304"] = {"description": "Nothing has changed since the answer that If-None-Match names."}
    if endpoint.redirects:
        told["302"] = {
            "description": "It is known under another name: the address is in Location.",
            "headers": {"Location": {"description": "The address.", "schema": {"type": "string", "format": "uri"}}},
        }
    by_status: dict[int, list[problems.Kind]] = {}
    for kind in endpoint.refusals:
        by_status.setdefault(kind.status, []).append(kind)
    told |= {str(status): _problem(kinds, references) for status, kinds in by_status.items()}
    return dict(sorted(told.items()))


def _content(reference: Json, *, streamed: bool) -> Json:
    """The form of an answer. OpenAPI 3.1 has no word for what stands on a line; 3.2 calls it ``itemSchema``."""
    return {"schema": {"type": "string"}, "x-itemSchema": reference} if streamed else {"schema": reference}


def _problem(kinds: Sequence[problems.Kind], references: dict[type[BaseModel], Json]) -> Json:
    said = " ".join(f"`{kind.name}`: {kind.when}" for kind in kinds)
    return {
        "description": said,
        "content": {problems.MEDIA_TYPE: {"schema": references[problems.Problem]}},
    }


def _schemas(endpoints: Iterable[Endpoint[Any]]) -> tuple[dict[type[BaseModel], Json], Json]:
    """A reference for each shape, and the schemas that they lead to. A field that can be left out has no default."""
    mode: JsonSchemaMode = "serialization"
    sent = [each.takes for each in endpoints if each.takes]
    told: list[type[BaseModel]] = [each.shape for each in endpoints]
    shapes: list[type[BaseModel]] = list(dict.fromkeys([*told, *sent, problems.Problem]))
    found, defined = models_json_schema([(shape, mode) for shape in shapes], ref_template=_REFERENCE)
    schemas = {name: _tidied(schema) for name, schema in defined["$defs"].items()}
    return {shape: found[shape, mode] for shape in shapes}, schemas


def _tidied(schema: Json) -> Json:
    """The schema of a shape without what pydantic adds for itself: titles of fields, defaults."""
    fields = {
        name: {key: value for key, value in field.items() if key not in {"title", "default"}}
        for name, field in schema.get("properties", {}).items()
    }
    return {**schema, "properties": fields} if fields else schema
