"""The interface describes itself: the OpenAPI document, the reference, the examples, and that all of them are true."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import jsonschema
import pytest
import schemathesis
from django.core.management.color import no_style
from django.db import connection
from django.test import Client
from schemathesis.specs.openapi.definitions import OPENAPI_31

from broadsheet import links
from broadsheet.config.wsgi import application
from broadsheet.papers.models import Paper
from broadsheet.web.api import openapi, problems, rates, shapes
from broadsheet.web.api.table import ENDPOINTS

DOCUMENT = openapi.document(ENDPOINTS, base="http://localhost")
EXAMPLES = [example for endpoint in ENDPOINTS for example in endpoint.examples]
RECORDED = Path(__file__).with_name("examples.json")
# What is another each time: moments of the clock, and the days of today.
_MOMENT = re.compile(r"2\d{3}-\d\d-\d\dT[\d:.]+Z")
WHEN = "2024-01-02T17:00:00Z"


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in a JSON value."""
    if isinstance(value, dict):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _objects(each)


def test_every_number_that_can_be_asked_for_names_the_least_and_the_greatest() -> None:
    numbers = [
        (path, each["name"], schema)
        for path, item in DOCUMENT["paths"].items()
        for operation in item.values()
        for each in operation.get("parameters", ())
        for schema in each["schema"].get("anyOf", [each["schema"]])
        if schema.get("type") == "integer" and each["in"] == "query"
    ]
    assert len(numbers) > 10
    assert [number for number in numbers if not {"minimum", "maximum"} <= number[2].keys()] == []


def test_the_document_is_valid_openapi() -> None:
    jsonschema.Draft202012Validator(OPENAPI_31).validate(DOCUMENT)
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_every_reference_leads_to_a_schema_and_every_schema_is_used() -> None:
    named = {each["$ref"].rpartition("/")[2] for each in _objects(DOCUMENT) if "$ref" in each}
    assert named == set(DOCUMENT["components"]["schemas"])


def test_every_address_of_ours_has_an_endpoint_and_the_other_way_round() -> None:
    addresses = {value for name, value in vars(links).items() if name == "API" or name.startswith("API_")}
    assert addresses == {endpoint.path for endpoint in ENDPOINTS}
    names = [endpoint.name for endpoint in ENDPOINTS]
    assert len(set(names)) == len(names)


def test_every_field_and_parameter_says_what_it_means_by_an_example_too() -> None:
    silent = [
        f"{name}.{field}"
        for name, schema in DOCUMENT["components"]["schemas"].items()
        for field, said in schema.get("properties", {}).items()
        if "$ref" not in said and not said.get("description")
    ]
    silent += [
        f"{name}.{field}"
        for name, schema in DOCUMENT["components"]["schemas"].items()
        for field, said in schema.get("properties", {}).items()
        if said.get("type") in {"string", "integer", "number", "boolean"} and not said.get("examples")
    ]
    silent += [
        f"{operation['operationId']} {parameter['name']}"
        for methods in DOCUMENT["paths"].values()
        for operation in methods.values()
        for parameter in operation["parameters"]
        if not parameter.get("description")
    ]
    assert silent == []


def test_the_examples_of_fields_are_of_their_type() -> None:
    for name, schema in DOCUMENT["components"]["schemas"].items():
        for field, said in schema.get("properties", {}).items():
            whole = {**said, "components": DOCUMENT["components"]}
            for example in said.get("examples", ()):
                try:
                    jsonschema.Draft202012Validator(whole).validate(example)
                except jsonschema.ValidationError as error:
                    pytest.fail(f"{name}.{field}: {error.message}")


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_an_endpoint_names_only_kinds_of_errors_that_exist(endpoint) -> None:
    assert set(endpoint.problems) <= set(problems.KINDS)
    operation = DOCUMENT["paths"][endpoint.path][endpoint.method.lower()]
    assert {str(kind.status) for kind in endpoint.refusals} <= set(operation["responses"])


def test_the_document_that_is_served_is_this_one(client: Client, db: None) -> None:
    served = client.get(links.API_OPENAPI, headers={"host": "localhost"}).json()
    assert served == json.loads(json.dumps(DOCUMENT))


def test_every_endpoint_is_told_at_the_root(client: Client, db: None) -> None:
    told = client.get(links.API).json()["endpoints"]
    assert [(each["name"], each["method"], each["address"]) for each in told] == [
        (each.name, each.method, each.path) for each in ENDPOINTS
    ]


def _answer(client: Client, address: str) -> Any:
    """What an example answers, with a fixed time for every moment."""
    response = client.get(address, headers={"host": "localhost"}, follow=True)
    assert response.status_code == 200, response.content
    body = b"".join(response.streaming_content) if response.streaming else response.content
    text = _MOMENT.sub(WHEN, body.decode())
    return [json.loads(line) for line in text.splitlines()] if response.streaming else json.loads(text)


@pytest.fixture
def numbered(db: None) -> None:
    """Papers have the numbers from 1 on, which cursors tell; PostgreSQL goes on counting from test to test."""
    wanted = [{"table": Paper._meta.db_table, "column": "id"}]
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_by_name_sql(no_style(), wanted):
            cursor.execute(statement)


def test_the_examples_of_the_reference_are_what_the_program_answers(
    numbered, cast, client: Client, tmp_path: Path
) -> None:
    """The file is read by scripts/api_reference.py. Where the answers changed on purpose, take the new ones over."""
    answers = {example.address: _answer(client, example.address) for example in EXAMPLES}
    new = tmp_path / RECORDED.name
    new.write_text(json.dumps(answers, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    changed = [address for address in {*recorded, *answers} if recorded.get(address) != answers.get(address)]
    assert not changed, f"{', '.join(changed)}; if that is meant: cp {new} {RECORDED.name}, then make docs"


def test_the_page_for_users_names_every_quota(repository: Path) -> None:
    page = (repository / "docs/user/api.md").read_text(encoding="utf-8")
    assert all(f"{policy.quota} times" in page for policy in rates.POLICIES.values())


def test_a_problem_is_told_in_the_shape_that_is_described(cast, client: Client) -> None:
    for address in ("/api/v1/papers/nothing", "/api/v1/papers?limit=x"):
        problems.Problem.model_validate(client.get(address).json(), strict=True)


def test_shapes_take_nothing_that_is_not_described() -> None:
    with pytest.raises(ValueError, match="extra"):
        shapes.Author(name="Ada Example", slug="ada-example", rank=1)


# --- Requests that nobody thought of ---------------------------------------------------------------------------------


def _uncompressed(environ: dict[str, Any], start: Any) -> Any:
    """The program for a client that reads no gzip, as the one below."""
    environ.pop("HTTP_ACCEPT_ENCODING", None)
    return application(environ, start)


described = schemathesis.openapi.from_dict(DOCUMENT)
described.app = _uncompressed


@described.parametrize()
@hypothesis.settings(
    max_examples=12,
    deadline=None,
    # The instance is only read, so one does for all requests.
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture, hypothesis.HealthCheck.too_slow],
)
def test_whatever_is_asked_the_answer_is_as_described(cast, case: schemathesis.Case) -> None:
    """No fault of the server; statuses, forms, headers and shapes as the document says; what it allows is answered, and
    what it forbids is refused. https://schemathesis.readthedocs.io/en/stable/reference/checks/
    """
    case.call_and_validate()
