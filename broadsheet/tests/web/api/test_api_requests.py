"""What every address of the interface does alike: methods, forms, parameters, errors, headers for caches and sites."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from urllib.parse import urlencode

import pytest
from django.db import DatabaseError
from django.test import Client

from broadsheet.papers import queries as papers
from broadsheet.search.index import IndexUnavailable
from broadsheet.testing.cast import HARBOUR, LANTERN
from broadsheet.web import searching
from broadsheet.web.api import problems
from broadsheet.web.api.endpoint import LARGEST_BODY
from broadsheet.web.api.table import ENDPOINTS

PAPER = "/api/v1/papers/2401.00001"
READABLE = [PAPER, "/api/v1", "/api/v1/papers", "/api/v1/search?q=steps", "/api/v1/editions", "/api/v1/papers.jsonl"]


def problem(answer, kind: str) -> dict:
    """The error that an answer tells, which must be of this kind and in the one shape."""
    said = json.loads(answer.content)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert set(said) - {"errors"} == {"type", "title", "status", "detail", "instance"}
    assert said["type"] == f"/api/v1/problems#{kind}"
    assert said["status"] == answer.status_code == problems.KINDS[kind].status
    assert said["detail"].endswith((".", "?")) or "https://" in said["detail"]
    return said


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        pytest.param("/api/v1/nothing", "unknown-address", id="no such address"),
        pytest.param("/api/v1/", "unknown-address", id="a slash too many"),
        pytest.param("/api/v1/papers/2401.00001/nothing", "unknown-paper", id="an identifier that goes on"),
        pytest.param("/api/v1/papers/2401.99999", "unknown-paper", id="an identifier that nothing here has"),
        pytest.param("/api/v1/papers/a%00b", "unknown-address", id="a zero byte"),
        pytest.param("/api/v1/papers/a%0Ab", "unknown-paper", id="a line break"),
        pytest.param("/api/v1/papers/nothing/statements", "unknown-paper", id="statements of no paper"),
        pytest.param("/api/v1/papers/nothing/related", "unknown-paper", id="related to no paper"),
        pytest.param("/api/v1/editions/2024-01-03", "unknown-edition", id="a day without an edition"),
        pytest.param("/api/v1/editions/2024-02-30", "unknown-edition", id="a day of no calendar"),
        pytest.param("/api/v1/editions/0001-01-01", "unknown-edition", id="the first day of the calendar"),
        pytest.param("/api/v1/editions/9999-W52", "unknown-edition", id="a week far away"),
        pytest.param("/api/v1/editions/soon", "unknown-edition", id="no label"),
        pytest.param("/api/v1/authors/nobody", "unknown-author", id="an author"),
        pytest.param("/api/v1/sections/nowhere", "unknown-section", id="a section"),
        pytest.param("/api/v1/papers?after=x", "unknown-cursor", id="a cursor of the index"),
        pytest.param("/api/v1/search?q=lamp&after=x", "unknown-cursor", id="a cursor of a search"),
        pytest.param("/api/v1/editions?after=x", "unknown-cursor", id="a cursor of editions"),
        pytest.param("/api/v1/editions/2024-01-02?after=x", "unknown-cursor", id="a cursor of an edition"),
        pytest.param("/api/v1/sections/cs.LG?after=x", "unknown-cursor", id="a cursor of a section"),
        pytest.param("/api/v1/papers.jsonl?after=x", "unknown-cursor", id="a cursor of the export"),
    ],
)
def test_what_is_not_here_is_a_problem_with_a_kind(cast, get, address: str, kind: str) -> None:
    said = problem(get(address), kind)
    assert "\0" not in said["detail"]


@pytest.mark.parametrize(
    ("label", "says"),
    [
        pytest.param("2024-01-03", " The one before it is 2024-01-02.", id="a day after all"),
        pytest.param("2023-12-31", " The one after it is 2024-01-02.", id="a day before all"),
        pytest.param("2024-W03", " The one before it is 2024-W01.", id="a week"),
        pytest.param("0001-01-01", " The one after it is 2024-01-02.", id="the first day of the calendar"),
        pytest.param("first", "There is no edition first.", id="the one of which there is only one"),
    ],
)
def test_an_edition_that_is_not_here_names_those_beside_it(cast, get, label: str, says: str) -> None:
    assert problem(get(f"/api/v1/editions/{label}"), "unknown-edition")["detail"].endswith(says)


def test_a_day_between_two_editions_names_both(press, get) -> None:
    press([LANTERN, replace(HARBOUR, announced=date(2024, 1, 9))])
    said = problem(get("/api/v1/editions/2024-01-05"), "unknown-edition")["detail"]
    assert said.endswith(" The one before it is 2024-01-02, the one after it is 2024-01-09.")


def test_an_unknown_paper_names_its_home(cast, get) -> None:
    assert "https://arxiv.org/abs/2401.99999" in problem(get("/api/v1/papers/2401.99999"), "unknown-paper")["detail"]


@pytest.mark.parametrize(
    ("query", "parameter", "says"),
    [
        pytest.param("limit=0", "limit", "limit is '0'; write a number from 1 to 100.", id="too small"),
        pytest.param("limit=101", "limit", "limit is '101'; write a number from 1 to 100.", id="too great"),
        pytest.param("limit=1_0", "limit", "'1_0'; write a number from", id="what only Python takes for a number"),
        pytest.param("limit=%20 7", "limit", "write a number from", id="a blank"),
        pytest.param("limit=", "limit", "limit is ''; write a number from", id="nothing said"),
        pytest.param("limit=2&limit=3", "limit", "more than once", id="said twice"),
        pytest.param("limits=2", "limits", "Did you mean limit?", id="misspelt"),
        pytest.param(
            "utm=2", "utm", "There is no parameter 'utm' here. There are: limit, after, fields", id="not known at all"
        ),
        pytest.param("fields=", "fields", "no field ''", id="no field"),
        pytest.param("fields=id,", "fields", "no field ''", id="a comma at the end"),
        pytest.param("fields=titel", "fields", "Did you mean title?", id="a misspelt field"),
        pytest.param("fields=id,versions", "fields", "no field 'versions'", id="a field of another shape"),
        pytest.param("since=2024-13-01", "since", "since is '2024-13-01'; write a day as in 2026-11-20.", id="no date"),
        pytest.param("since=1700000000", "since", "day as in 2026-11-20", id="seconds for a date"),
        pytest.param("since=2024-01-01T00:00", "since", "day as in 2026-11-20", id="a moment for a date"),
        pytest.param("code=perhaps", "code", "code is 'perhaps'; write true or false.", id="no boolean"),
        pytest.param(
            "category=" + "x" * 101, "category", "category is 101 characters long; 100 at most are read.", id="too long"
        ),
    ],
)
def test_a_parameter_that_cannot_be_meant_is_refused_by_name(cast, get, query: str, parameter: str, says: str) -> None:
    said = problem(get(f"/api/v1/papers?{query}"), "bad-parameter")
    assert [each["parameter"] for each in said["errors"]] == [parameter]
    assert says in said["errors"][0]["detail"]
    assert said["errors"][0]["detail"] in said["detail"]


@pytest.mark.parametrize(
    ("address", "says"),
    [
        pytest.param(
            "/api/v1/search?sort=best",
            "sort is 'best'; write 'relevance', 'newest', 'votes' or 'trending'.",
            id="one of a few",
        ),
        pytest.param(
            "/api/v1/papers.jsonl?limit=-1", "limit is '-1'; write a number from 0 to 999,999,999.", id="too little"
        ),
        pytest.param("/api/v1/search?explain=maybe", "explain is 'maybe'; write true or false.", id="yes or no"),
    ],
)
def test_a_mistake_says_what_can_be_written(cast, get, address: str, says: str) -> None:
    assert problem(get(address), "bad-parameter")["detail"] == says


def test_no_parameter_of_any_address_is_told_in_the_words_of_a_library(cast, client: Client) -> None:
    for endpoint in ENDPOINTS:
        for name in endpoint.parameters.model_fields:
            query = {name: "\u2603" * 3_000}
            found = getattr(client, endpoint.method.lower())(f"{endpoint.path}?{urlencode(query)}")
            assert "nput should" not in found.content.decode()
            assert found.status_code < 500


def test_a_thousand_parameters_are_a_mistake_of_whoever_asked(cast, get) -> None:
    said = problem(get("/api/v1/papers?" + "&".join(f"a{n}=1" for n in range(1001))), "bad-parameter")
    assert said["detail"] == "The address has more than 1,000 parameters. Send fewer."


def test_every_mistake_is_told_at_once(cast, get) -> None:
    said = problem(get("/api/v1/papers?limit=x&since=y&z=1"), "bad-parameter")
    assert [each["parameter"] for each in said["errors"]] == ["z", "limit", "since"]


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "trace"])
def test_only_reading_is_offered(cast, client: Client, method: str) -> None:
    answer = getattr(client, method)(PAPER)
    problem(answer, "wrong-method")
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("address", READABLE)
def test_a_page_of_another_site_may_read_everything(cast, client: Client, address: str) -> None:
    answer = client.options(address, headers={"Origin": "https://elsewhere.example"})
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Methods"] == answer.headers["Allow"] == "GET, HEAD, OPTIONS"
    read = client.get(address, headers={"Origin": "https://elsewhere.example"})
    read.close()
    assert read.headers["Access-Control-Allow-Origin"] == "*"
    assert "ETag" in read.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in read.headers
    assert not read.cookies


@pytest.mark.parametrize("address", READABLE)
def test_head_tells_what_get_would_and_sends_nothing(cast, client: Client, address: str) -> None:
    full = client.get(address)
    full.close()
    head = client.head(address)
    assert head.status_code == full.status_code == 200
    assert head.content == b""
    assert head.headers["Content-Type"] == full.headers["Content-Type"]
    assert head.headers.get("ETag") == full.headers.get("ETag")


@pytest.mark.parametrize("address", [address for address in READABLE if "jsonl" not in address])
def test_what_has_not_changed_is_not_sent_again(cast, client: Client, address: str) -> None:
    first = client.get(address)
    assert first.headers["Cache-Control"] == "public, no-cache"
    again = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert client.get(address, headers={"If-None-Match": '"another"'}).status_code == 200


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        pytest.param("*/*", 200, id="anything"),
        pytest.param("application/*", 200, id="a group"),
        pytest.param("text/html, application/json;q=0.1", 200, id="among others"),
        pytest.param("text/html", 406, id="something else only"),
        pytest.param("application/json;q=0", 406, id="anything but this"),
        pytest.param("", 200, id="nothing said"),
    ],
)
def test_the_form_is_json_or_none(cast, client: Client, accept: str, status: int) -> None:
    answer = client.get(PAPER, headers={"Accept": accept} if accept else {})
    assert answer.status_code == status
    if status == 406:
        problem(answer, "not-acceptable")


def test_a_body_is_ignored_while_it_is_small(cast, client: Client) -> None:
    assert client.generic("GET", PAPER, b"x" * 100).status_code == 200
    problem(client.generic("GET", PAPER, b"x" * (LARGEST_BODY + 1)), "too-large")


@pytest.mark.parametrize(
    ("fault", "kind", "log"),
    [
        pytest.param(DatabaseError("secret of the driver"), "not-now", "the database does not answer", id="database"),
        pytest.param(IndexUnavailable("The index is being built."), "not-now", "search is not possible", id="index"),
        pytest.param(RuntimeError("secret of the program"), "failed", "could not be answered", id="program"),
    ],
)
def test_a_fault_is_a_sentence_for_whoever_asked_and_its_cause_for_the_log(
    cast, client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, fault, kind: str, log: str
) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise fault

    monkeypatch.setattr(papers, "find_in_any_spelling", fail)
    answer = client.get(PAPER)
    said = problem(answer, kind)
    assert "secret" not in said["detail"]
    assert ("Retry-After" in answer.headers) is (kind == "not-now")
    assert log in caplog.text


def test_an_index_that_is_being_built_says_how_far_it_is(cast, get, monkeypatch: pytest.MonkeyPatch) -> None:
    def building(*_args: object, **_kwargs: object) -> None:
        raise searching.BeingBuilt("The index is being built: 1 of 3\u00a0changes are in it. Try again in a minute.")

    monkeypatch.setattr(searching, "ask", building)
    assert "1 of 3 changes" in problem(get("/api/v1/search?q=lamp"), "not-now")["detail"]


def test_every_kind_of_error_is_listed(client: Client, db: None) -> None:
    listed = client.get("/api/v1/problems").json()["items"]
    assert [each["type"] for each in listed] == [f"/api/v1/problems#{name}" for name in problems.KINDS]
    assert [each["status"] for each in listed] == sorted(each["status"] for each in listed)


def test_mathematics_and_other_alphabets_travel_as_they_are(cast, get) -> None:
    said = get(PAPER).json()
    assert said["title"] == LANTERN.title
    assert said["title_text"] == "Lantern: Step Sizes from ℓ₂ Gradient Norms"
    assert said["authors"][1] == {"name": "Chloé Exemple", "slug": "chloe-exemple"}
