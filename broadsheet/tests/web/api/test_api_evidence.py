"""Evidence over our own API: read by anybody, written by whoever has the token."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from broadsheet.accounts.actions import make_token
from broadsheet.evidence import queries
from broadsheet.evidence.actions import store_measurement
from broadsheet.evidence.rules import Claim
from broadsheet.papers import queries as papers
from broadsheet.papers.actions import merge_papers
from broadsheet.testing.cast import HARBOUR, LANTERN
from broadsheet.testing.measurements import changed, content, measurement
from broadsheet.testing.people import bela, curator

RECORD = measurement()
TOKEN = "a-token-of-more-than-32-characters"
CLAIM = Claim("testimony", "lantern", "Fewer lamps are needed.", "", "partly", "Walk.", ("no lamp",))


@pytest.fixture
def post(client, settings):
    """Sends a record with the token of the instance: `post(RECORD)`, or with another one."""
    settings.BROADSHEET_EVIDENCE_TOKEN = TOKEN

    def send(record, token: str = TOKEN, *, query: str = "", kind: str = "application/json"):
        body = record if isinstance(record, bytes) else content(record)
        headers = {"host": "localhost", **({"authorization": f"Bearer {token}"} if token else {})}
        return client.post(f"/api/v1/evidence{query}", body, content_type=kind, headers=headers)

    return send


def test_what_is_known_of_the_claims_of_a_paper(press, get) -> None:
    press([LANTERN], [CLAIM])
    store_measurement(content(measurement(at="2024-01-02T12:00:00Z")), origin="a test")
    store_measurement(content(RECORD), origin="file measurement.json")
    told = get("/api/v1/papers/2401.00001/evidence").json()
    assert (told["id"], told["holds"]) == ("2401.00001", True)
    claim, unmeasured = told["claims"]
    assert (claim["verdict"], claim["figures"], claim["more"]) == (
        "holds",
        "3 times fewer at condition number 1000 (table 2)",
        0,
    )
    first, second = claim["measurements"]
    assert (first["counts"], first["tier"], first["origin"]) == (True, "third party", "file measurement.json")
    assert first["measured_at"] == "2024-01-03T12:00:00Z"
    assert first["figures"]["baseline"] == "momentum"
    assert first["figures"]["middle"] == pytest.approx(0.4493684)
    assert first["record"] == RECORD
    assert (second["counts"], second["record"]) == (False, None)
    assert (unmeasured["text"], unmeasured["verdict"], unmeasured["measurements"]) == (CLAIM.text, None, [])


@pytest.mark.parametrize(("wanted", "whole"), [("all", 2), ("counting", 1), ("none", 0)])
def test_records_are_told_whole_as_far_as_they_are_asked_for(press, get, wanted: str, whole: int) -> None:
    press([LANTERN])
    store_measurement(content(measurement(at="2024-01-02T12:00:00Z")), origin="a test")
    store_measurement(content(RECORD), origin="a test")
    (claim,) = get(f"/api/v1/papers/2401.00001/evidence?records={wanted}").json()["claims"]
    assert sum(each["record"] is not None for each in claim["measurements"]) == whole


def test_a_paper_without_claims_has_none(press, get) -> None:
    press([HARBOUR])
    told = get("/api/v1/papers/2401.00002/evidence").json()
    assert (told["holds"], told["claims"]) == (None, [])


@pytest.mark.parametrize("spelling", ["arxiv:2401.00001", "2401.00001v2", "10.48550/arXiv.2401.00001"])
def test_any_spelling_of_an_identifier_leads_to_it(press, get, spelling: str) -> None:
    press([LANTERN])
    answer = get(f"/api/v1/papers/{spelling}/evidence?records=none")
    assert (answer.status_code, answer["Location"]) == (
        302, "http://localhost/api/v1/papers/2401.00001/evidence?records=none"
    )  # fmt: skip


def test_a_merged_paper_leads_to_the_one_that_stands_for_it(press, get) -> None:
    press([LANTERN, HARBOUR])
    store_measurement(content(RECORD), origin="a test")
    merge_papers(winner_key="2401.00002", loser_key="2401.00001", reason="an example")
    assert get("/api/v1/papers/2401.00001/evidence")["Location"].endswith("/papers/2401.00002/evidence")
    assert get("/api/v1/papers/2401.00002/evidence").json()["holds"] is True


def test_a_record_that_is_sent_is_stored_once(press, post) -> None:
    press([LANTERN])
    answer = post(RECORD)
    assert answer.status_code == 201
    assert answer.json() == {
        "outcome": "stored",
        "id": "2401.00001",
        "evidence": "http://localhost/api/v1/papers/2401.00001/evidence",
        "name": "lantern",
        "verdict": "holds",
        "tier": "third party",
    }
    again = post(RECORD)
    assert (again.status_code, again.json()["outcome"]) == (200, "known")
    moved = post(RECORD, query="?tier=this+instance")
    assert (moved.status_code, moved.json()["outcome"], moved.json()["tier"]) == (200, "moved", "this instance")
    assert post(RECORD).json()["tier"] == "this instance"


@pytest.mark.parametrize(
    ("record", "token", "kind", "status", "name", "sentence"),
    [
        pytest.param(RECORD, "", "application/json", 401, "unauthorized", "Bearer TOKEN", id="no token"),
        pytest.param(RECORD, TOKEN + "x", "application/json", 401, "unauthorized", "not the token", id="another token"),
        pytest.param(RECORD, "ü" * 40, "application/json", 401, "unauthorized", "not the token", id="a strange token"),
        pytest.param(RECORD, TOKEN, "text/plain", 415, "wrong-media-type", "application/json", id="no JSON"),
        pytest.param(b" " * 1_048_577, TOKEN, "application/json", 413, "too-large", "1,048,576", id="50 MB of log"),
        pytest.param(b"{", TOKEN, "application/json", 422, "unprocessable", "not JSON", id="half a record"),
        pytest.param(
            changed(RECORD, "verdict.word", "inconclusive"), TOKEN, "application/json", 422, "unprocessable",
            "its values and its pass mark give “holds”", id="another verdict"
        ),
        pytest.param(
            measurement(paper="arxiv:2401.09999"), TOKEN, "application/json", 422, "unprocessable",
            "arxiv:2401.09999 is not here", id="an unknown paper"
        ),
    ],
)  # fmt: skip
def test_what_is_refused_says_why_and_stores_nothing(
    press, post, record, token: str, kind: str, status: int, name: str, sentence: str
) -> None:
    press([LANTERN])
    answer = post(record, token, kind=kind)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == f"/api/v1/problems#{name}"
    assert sentence in answer.json()["detail"]
    assert queries.verdicts() == {}


@pytest.mark.parametrize(
    ("headers", "status", "name", "sentence"),
    [
        pytest.param({"Transfer-Encoding": "chunked"}, 411, "length-required", "Content-Length", id="in chunks"),
        pytest.param({"Content-Encoding": "gzip"}, 415, "wrong-media-type", "compressed", id="compressed"),
    ],
)
def test_a_body_that_is_not_read_is_no_empty_one(
    press, client, settings, headers: dict[str, str], status: int, name: str, sentence: str
) -> None:
    settings.BROADSHEET_EVIDENCE_TOKEN = TOKEN
    told = {"host": "localhost", "authorization": f"Bearer {TOKEN}", **headers}
    answer = client.generic("POST", "/api/v1/evidence", headers={**told, "Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["type"]) == (status, f"/api/v1/problems#{name}")
    assert sentence in answer.json()["detail"]


def test_nothing_of_a_stranger_is_read(post) -> None:
    assert post(b" " * 1_048_577, TOKEN + "x").status_code == 401
    assert post(b"{", "", kind="text/plain").status_code == 401


def test_lists_tell_what_came_of_the_claims(press, get) -> None:
    press([LANTERN, HARBOUR], [CLAIM])
    store_measurement(content(RECORD), origin="a test")
    expected = {"2401.00001": True, "2401.00002": None}
    for address, inner in (("papers", False), ("editions/2024-01-02", True), ("search?q=a", True)):
        items = [item["paper"] if inner else item for item in get(f"/api/v1/{address}").json()["items"]]
        told = {item["id"]: item["evidence"] and item["evidence"]["holds"] for item in items}
        assert told.items() <= expected.items(), address
    whole = get("/api/v1/papers/2401.00001?fields=evidence").json()["evidence"]
    assert whole["verdict"].startswith("Holds up: ")
    assert (whole["holds"], whole["measured"]) == (True, 1)


def test_what_came_of_claims_asks_no_more_for_more_papers(press, get) -> None:
    def queries(fields: str = "") -> int:
        with CaptureQueriesContext(connection) as captured:
            get(f"/api/v1/editions/2024-01-02{fields}")
        return len(captured)

    press([LANTERN])
    store_measurement(content(RECORD), origin="a test")
    few = queries()
    press([HARBOUR])
    assert queries() == few
    assert queries("?fields=id") < few


def test_without_a_token_of_the_operator_nobody_may(press, post, settings) -> None:
    press([LANTERN])
    settings.BROADSHEET_EVIDENCE_TOKEN = ""
    assert post(RECORD, "").status_code == 401
    answer = post(RECORD)
    assert answer.status_code == 403
    assert "has set no token" in answer.json()["detail"]
    assert queries.verdicts() == {}


@pytest.mark.parametrize(
    ("who", "scopes", "query", "status", "sentence"),
    [
        pytest.param(curator, ["write:evidence"], "", 201, "", id="a curator"),
        pytest.param(curator, ["write:evidence"], "?tier=third+party", 201, "", id="a curator who says so"),
        pytest.param(curator, ["write:evidence"], "?tier=this+instance", 403, "as a third party", id="not for others"),
        pytest.param(curator, ["write:votes"], "", 403, "not good for", id="a token for something else"),
        pytest.param(bela, ["write:evidence"], "", 403, "by curators", id="a reader"),
    ],
)
def test_a_curator_tells_what_she_measured(press, post, who, scopes: list[str], query: str, status: int, sentence: str):
    press([LANTERN])
    answer = post(RECORD, make_token(by=who(), name="Runs", scopes=scopes), query=query)
    told = answer.json()
    assert (answer.status_code, sentence in told.get("detail", "")) == (status, True)
    found = queries.known([papers.find("2401.00001").id])
    if status == 201:
        measured = next(iter(found.values())).findings[0].measured
        assert (measured.tier, measured.origin) == ("third party", f"the API, from {who().name}")
    else:
        assert not any(each.findings for each in found.values())


def test_a_curator_changes_nothing_of_what_this_instance_measured(press, post) -> None:
    press([LANTERN])
    assert post(RECORD, query="?tier=this+instance").json()["tier"] == "this instance"
    token = make_token(by=curator(), name="Runs", scopes=["write:evidence"])
    again = post(RECORD, token, query="?tier=third+party").json()
    assert (again["outcome"], again["tier"]) == ("known", "this instance")
