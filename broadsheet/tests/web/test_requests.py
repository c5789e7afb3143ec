"""What anybody may send: hostile parameters, other methods, questions whether a page is still the newest."""

from __future__ import annotations

from datetime import date
from urllib.parse import quote

import pytest
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from broadsheet.bibliography.record import Record
from broadsheet.config.headers import Delivery
from broadsheet.editions import queries as editions
from broadsheet.ingest.models import Place
from broadsheet.ingest.rules import Line, State
from broadsheet.testing.cast import ADA, HARBOUR, LANTERN, MEADOW, arxiv, said

HOSTILE = [
    pytest.param("", id="empty"),
    pytest.param("0", id="zero"),
    pytest.param("-1", id="negative"),
    pytest.param("9" * 400, id="very long number"),
    pytest.param("١", id="digit of another script"),
    pytest.param("²", id="superscript digit"),
    pytest.param("1e9", id="exponent"),
    pytest.param("\0", id="zero byte"),
    pytest.param("a\0b", id="zero byte inside"),
    pytest.param("\ud800".encode("utf-8", "surrogatepass"), id="half a surrogate pair"),
    pytest.param(b"\xff\xfe", id="no UTF-8"),
    pytest.param("'; DROP TABLE papers_paper; --", id="SQL"),
    pytest.param('"><script>alert(1)</script>', id="markup"),
    pytest.param("{{ 7 * 7 }}{% include '/etc/passwd' %}", id="template"),
    pytest.param("../../../../etc/passwd", id="path"),
    pytest.param("%00%ff", id="escaped twice"),
    pytest.param("\r\nSet-Cookie: a=b", id="header"),
    pytest.param("((((" * 500, id="brackets"),
    pytest.param("x" * 5000, id="very long word"),
    pytest.param("MjAyNC0wMS0wMiwx", id="a place in a list"),
    pytest.param("OTk5OS0xMi0zMSw5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5", id="a place beyond every number"),
    pytest.param("2024-01-02", id="a day"),
]

PLACES = [
    "/?page={}",
    "/date/{}",
    "/week/{}",
    "/month/{}",
    "/date/2024-01-02?page={}",
    "/editions?kind={}",
    "/editions?before={}",
    "/section/{}",
    "/section/cs.LG?after={}",
    "/author/{}",
    "/author/ada-example?after={}",
    "/papers/{}",
    "/abs/{}",
    "/pdf/{}",
    "/search?q={}",
    "/search?q=lantern&page={}",
    "/search?q=lantern&sort={}",
    "/about?nothing={}",
]


@pytest.mark.parametrize("value", HOSTILE)
def test_no_value_makes_a_page_fail(press, get, value: str | bytes) -> None:
    press([LANTERN, HARBOUR])
    for place in PLACES:
        answer = get(place.format(quote(value, safe="")))
        assert answer.status_code in {200, 302, 404}, place
        assert "<script>alert" not in answer.text, place
        assert "49" not in answer.headers.get("Location", ""), place
        assert not answer.cookies, place


PAGES = [
    "/",
    "/date/2024-01-02",
    "/editions",
    "/sections",
    "/section/cs.LG",
    "/author/ada-example",
    "/papers/2401.00001",
    "/search",
    "/search?q=steps",
    "/status",
    "/about",
    "/about/ranking",
    "/about/keys",
    "/saved",
]


@pytest.mark.parametrize("path", PAGES)
def test_pages_may_be_kept_and_are_asked_for_again(press, get, path: str) -> None:
    press([LANTERN])
    first = get(path)
    assert first.headers["Cache-Control"] == "public, no-cache"
    again = get(path, **{"if-none-match": first.headers["ETag"]})
    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["Vary"] == first.headers["Vary"] == "Cookie, Accept, Accept-Encoding"


@pytest.mark.parametrize("path", PAGES)
def test_only_reading_is_possible(press, client: Client, path: str) -> None:
    press([LANTERN])
    head = client.head(path, headers={"host": "localhost"})
    assert (head.status_code, head.content) == (200, b"")
    whole = client.get(path, headers={"host": "localhost"})
    assert {name: head.headers[name] for name in ("ETag", "Content-Length", "Vary")} == {
        name: whole.headers[name] for name in ("ETag", "Content-Length", "Vary")
    }
    refused = client.post(path, headers={"host": "localhost"})
    assert refused.status_code == 405
    assert refused.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", [*PAGES, "/nowhere", "/healthz"])
def test_pages_are_guarded_and_set_no_cookie(press, get, path: str) -> None:
    press([LANTERN])
    answer = get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert not answer.cookies


@pytest.mark.parametrize("path", [*PAGES, "/nowhere"])
def test_pages_have_no_inline_script_or_style(press, get, path: str) -> None:
    press([LANTERN])
    text = get(path).text
    assert "style=" not in text
    assert "<style" not in text
    # What is no program but data for those who collect references does nothing.
    programs = text.count("<script") - text.count('<script type="application/ld+json">')
    assert programs == text.count("<script src=") == 2


@pytest.mark.parametrize("path", ["/nowhere", "/papers/nothing", "/section/nothing", "/date/2023-01-01"])
def test_what_is_not_here_today_may_be_here_tomorrow(db: None, get, path: str) -> None:
    answer = get(path)
    assert answer.status_code == 404
    assert "no-cache" in answer.headers["Cache-Control"]


def test_an_answer_to_head_has_no_body_before_it_reaches_the_server() -> None:
    """The test client would cut the body off by itself."""
    asked = HttpRequest()
    asked.method = "HEAD"
    assert Delivery(lambda _request: HttpResponse("text"))(asked).content == b""
    assert asked.method == "HEAD"


def test_pages_are_compressed(press, get) -> None:
    press([LANTERN])
    assert get("/", **{"accept-encoding": "gzip"}).headers["Content-Encoding"] == "gzip"


def works(count: int) -> list[Record]:
    return [
        said(
            f"Work {n} on lamps",
            key=str(n),
            identifiers=(arxiv(f"2401.1{n:04}"),),
            announced=LANTERN.announced,
            authors=(ADA, f"Bela{n} Beispiel"),
            categories=("cs.LG",),
        )
        for n in range(count)
    ]


@pytest.mark.parametrize(
    "path",
    ["/", "/date/2024-01-02", "/editions", "/sections", "/section/cs.LG", "/author/ada-example", "/papers/2401.00001",
     "/search?q=lamps+steps", "/status"],
)  # fmt: skip
def test_the_number_of_queries_does_not_grow_with_the_rows(press, get, path: str) -> None:
    def queries() -> int:
        get(path)
        with CaptureQueriesContext(connection) as captured:
            assert get(path).status_code == 200
        assert len(captured) > 0
        return len(captured)

    press([LANTERN, MEADOW, *works(20)])
    before = queries()
    press(works(40))
    assert queries() == before


@pytest.mark.parametrize("path", ["/", "/date/2024-01-02", "/week/2024-W01", "/month/2024-01", "/editions", "/status"])
def test_the_number_of_queries_does_not_grow_with_what_the_ledger_knows(press, get, check, path: str) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert get(path).status_code == 200
        return len(captured)

    def ledger(days: range) -> None:
        for number in days:
            lines = [Line("arxiv", f"cs.{section}", 9, "OAI", 8, ("2401.00007",)) for section in range(number)]
            check(date(2024, 1, number), State.INCOMPLETE, *lines, failed=("A feed stands still.",) * number)
            Place.objects.create(source="arxiv-oai", set_name=f"set {number}", answered_at=timezone.now())

    press([LANTERN, *works(5)])
    ledger(range(1, 3))
    get(path)
    before = queries()
    ledger(range(3, 20))
    assert queries() == before


def test_health_is_told_without_a_page(db: None, get) -> None:
    answer = get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok\n")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_without_a_database_health_is_refused(db: None, get, monkeypatch) -> None:
    def refuse(*_args: object, **_kwargs: object) -> None:
        raise OperationalError("no")

    with monkeypatch.context() as broken:
        broken.setattr(connection, "cursor", refuse)
        answer = get("/healthz")
    assert (answer.status_code, answer.text) == (503, "The database does not answer.\n")


def test_a_fault_has_a_page_that_needs_no_database(client: Client, monkeypatch) -> None:
    """No database fixture: a query would fail the test."""

    def fail() -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(editions, "front", fail)
    client.raise_request_exception = False
    answer = client.get("/", headers={"host": "localhost"})
    assert answer.status_code == 500
    assert "This page could not be printed" in answer.text
    assert "a fault of ours" not in answer.text


def test_robots_are_kept_from_searches_only(get) -> None:
    answer = get("/robots.txt")
    assert answer.text == "User-agent: *\nDisallow: /search\n"


def test_another_host_is_refused_with_a_page(client: Client) -> None:
    answer = client.get("/about", headers={"host": "elsewhere.example"})
    assert answer.status_code == 400
    assert "This was not understood" in answer.text
