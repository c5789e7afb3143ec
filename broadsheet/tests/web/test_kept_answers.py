"""Pages that are kept for a moment are the pages that Django makes, header by header and byte by byte."""

from __future__ import annotations

import gzip
import io
from typing import Any

import pytest
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.test import Client
from django.test.utils import override_settings

from broadsheet.accounts.actions import only_reader
from broadsheet.config.keeping import KeptAnswers, may_be_kept
from broadsheet.testing.cast import HARBOUR, LANTERN, MEADOW

PAGES = [
    "/",
    "/date/2024-01-02",
    "/date/2024-01-02?page=1",
    "/editions",
    "/sections",
    "/section/cs.LG",
    "/author/ada-example",
    "/papers/2401.00001",
    "/search?q=transport",
    "/about",
    "/about/ranking",
    "/date/2024-01-02.md",
    "/llms.txt",
    "/index.atom",
    "/date/2024-01-02.rss",
    "/date/2024-01-02.json",
    "/papers/2401.00001.bib",
    "/papers/2401.00001.jsonld",
    "/feeds.opml",
    "/api/daily_papers",
    "/api/daily_papers?date=2024-01-02&limit=1",
    "/api/papers/search?q=transport",
    "/api/papers/2401.00001",
]
NEVER = [
    "/status",  # the status
    "/healthz",  # the health
    "/robots.txt",  # the rules for robots
    "/api/v1",  # our interface
    "/api/v1/papers.jsonl",  # an export
    "/papers/2401.99999",  # a paper that is not there
    "/nothing",  # an address that is not there
    "/abs/2401.00001",  # another address of a paper
    "/date/2024-02-31",  # a day that no calendar has
]

pytestmark = pytest.mark.usefixtures("newspaper")


@pytest.fixture
def newspaper(press: Any, settings: Any) -> None:
    """An edition, in an instance where people have accounts: what strangers see is everybody's."""
    settings.BROADSHEET_ACCOUNTS = True
    press([LANTERN, HARBOUR, MEADOW])


class Given:
    """What a reader was given: the status, the headers by their names in order, and the body as it is read."""

    def __init__(self, application: Any, address: str, **said: str) -> None:
        path, _, query = address.partition("?")
        environ = {
            "REQUEST_METHOD": "GET",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(),
            "HTTP_HOST": "localhost",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REMOTE_ADDR": "192.0.2.7",
        }
        answer = application(environ | said, self._start)
        self.body = b"".join(answer)
        getattr(answer, "close", lambda: None)()
        if self.headers.get("Content-Encoding") == "gzip":
            # Django writes a name of random length into the head of what it compresses.
            self.body = gzip.decompress(self.body) if self.body else b""
            self.headers.pop("Content-Length")

    def _start(self, status: str, headers: list[tuple[str, str]], _error: Any = None) -> None:
        self.status, self.headers = status, dict(sorted(headers))


@pytest.fixture
def fresh() -> Any:
    """Django alone."""
    return get_wsgi_application()


@pytest.fixture
def kept(fresh: Any) -> KeptAnswers:
    """Django behind what is kept, where time stands still."""
    return KeptAnswers(fresh, clock=lambda: 0.0)


@pytest.mark.parametrize("encoding", ["", "gzip"], ids=["as it is", "compressed"])
def test_they_are_what_django_says(encoding: str, fresh: Any, kept: KeptAnswers) -> None:
    said = {"HTTP_ACCEPT_ENCODING": encoding} if encoding else {}
    for address in PAGES:
        expected = Given(fresh, address, **said)
        first, second = Given(kept, address, **said), Given(kept, address, **said)
        assert (address, expected.status) == (address, "200 OK")
        assert (address, second.headers.pop("Age", "it was not kept")) == (address, "0")
        for each in (first, second):
            assert (address, each.status, each.headers) == (address, expected.status, expected.headers)
            assert each.body == expected.body, address


@pytest.mark.parametrize("encoding", ["", "gzip"], ids=["as it is", "compressed"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_so_is_that_nothing_is_new(encoding: str, method: str, fresh: Any, kept: KeptAnswers) -> None:
    said = {"HTTP_ACCEPT_ENCODING": encoding} if encoding else {}
    for address in PAGES:
        tag = Given(kept, address, **said).headers["ETag"]
        asked = {**said, "HTTP_IF_NONE_MATCH": tag, "REQUEST_METHOD": method}
        expected, unchanged = Given(fresh, address, **asked), Given(kept, address, **asked)
        assert (address, unchanged.headers.pop("Age", "it was not kept")) == (address, "0")
        assert (address, expected.status) == (address, "304 Not Modified")
        assert (address, unchanged.status, unchanged.headers) == (address, expected.status, expected.headers)
        assert unchanged.body == b"", address


def test_so_are_the_headers_alone(fresh: Any, kept: KeptAnswers) -> None:
    for address in PAGES:
        Given(kept, address)
        expected, head = Given(fresh, address, REQUEST_METHOD="HEAD"), Given(kept, address, REQUEST_METHOD="HEAD")
        assert (address, head.headers.pop("Age", "it was not kept")) == (address, "0")
        assert (address, head.status, head.headers) == (address, expected.status, expected.headers)
        assert head.body == expected.body == b"", address


@pytest.mark.parametrize("accept", ["text/markdown", "text/html", "*/*", "application/json"])
def test_who_prefers_another_form_gets_it(accept: str, fresh: Any, kept: KeptAnswers) -> None:
    Given(kept, "/date/2024-01-02")
    for _ in range(2):
        expected = Given(fresh, "/date/2024-01-02", HTTP_ACCEPT=accept)
        given = Given(kept, "/date/2024-01-02", HTTP_ACCEPT=accept)
        given.headers.pop("Age", None)
        assert (given.headers, given.body) == (expected.headers, expected.body)


def test_some_answers_are_never_kept(kept: KeptAnswers) -> None:
    for address in NEVER:
        ages = {Given(kept, address).headers.get("Age") for _ in range(3)}
        assert (address, ages) == (address, {None})


@pytest.mark.parametrize(
    ("said", "status"),
    [
        pytest.param({"HTTP_HOST": "evil.example"}, "400 Bad Request", id="a name that is not ours"),
        pytest.param({"HTTP_HOST": "localhost\tevil.example"}, "400 Bad Request", id="no name at all"),
        pytest.param({"QUERY_STRING": "page=%00"}, "404 Not Found", id="a zero byte"),
        pytest.param({"PATH_INFO": "/\xff\xfe"}, "404 Not Found", id="a path that is no text"),
        pytest.param({"REQUEST_METHOD": "POST"}, "405 Method Not Allowed", id="another method"),
    ],
)
def test_what_is_refused_is_refused_each_time_and_harms_nobody(
    said: dict[str, str], status: str, fresh: Any, kept: KeptAnswers
) -> None:
    expected = Given(fresh, "/date/2024-01-02")
    for _ in range(2):
        given = Given(kept, "/date/2024-01-02", **said)
        assert given.status in {status, "403 Forbidden"}
        assert "Age" not in given.headers
        ours = Given(kept, "/date/2024-01-02")
        assert (ours.status, ours.body) == (expected.status, expected.body)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({"HTTP_X_FORWARDED_HOST": "evil.example"}, id="a name"),
        pytest.param({"HTTP_X_FORWARDED_PROTO": "https"}, id="a scheme"),
        pytest.param({"HTTP_X_FORWARDED_PORT": "444"}, id="a port"),
        pytest.param({"HTTP_X_FORWARDED_PREFIX": "/evil"}, id="a place"),
        pytest.param({"HTTP_X_ORIGINAL_URL": "/evil"}, id="another address"),
        pytest.param({"HTTP_USER_AGENT": "<script>evil"}, id="a browser"),
        pytest.param({"HTTP_REFERER": "https://evil.example/"}, id="where one comes from"),
        pytest.param({"HTTP_ACCEPT_LANGUAGE": "evil"}, id="a language"),
        pytest.param({"HTTP_ORIGIN": "https://evil.example"}, id="another site"),
        pytest.param({"HTTP_ACCEPT": 'text/html;evil="x"'}, id="a form"),
        pytest.param({"HTTP_IF_NONE_MATCH": '"evil"'}, id="a tag"),
        pytest.param({"QUERY_STRING": "utm_source=evil"}, id="a parameter"),
    ],
)
@pytest.mark.parametrize("https", [False, True], ids=["http", "https behind a proxy"])
def test_nobody_plants_an_answer_for_others(said: dict[str, str], https: bool, fresh: Any) -> None:
    """Whoever asks first, with whatever headers: others get what they would have got without that."""
    proxy = ("HTTP_X_FORWARDED_PROTO", "https") if https else None
    usual = {"HTTP_X_FORWARDED_PROTO": "https", "REMOTE_ADDR": "127.0.0.1"} if https else {}
    with override_settings(SECURE_PROXY_SSL_HEADER=proxy):
        for address in ("/", "/index.atom", "/api/daily_papers"):
            kept = KeptAnswers(fresh, clock=lambda: 0.0)
            Given(kept, address, **{**usual, **said}), Given(kept, address, **said)
            given, expected = Given(kept, address, **usual), Given(fresh, address, **usual)
            given.headers.pop("Age", None)
            assert b"evil" not in given.body
            assert (given.status, given.headers, given.body) == (expected.status, expected.headers, expected.body)


def test_what_a_stranger_sees_can_be_kept(client: Client) -> None:
    """A cookie, as for a form that needs one, or a word that it is one reader's, would have each page made anew."""
    for address in PAGES:
        answer: HttpResponse = client.get(address, headers={"host": "localhost"})
        cookies = [("Set-Cookie", morsel.OutputString()) for morsel in answer.cookies.values()]
        headers = [*answer.items(), *cookies]
        assert may_be_kept(f"{answer.status_code} OK", headers), (address, headers)


class TestWithoutAccounts:
    """The instance belongs to whoever sits at this machine; her pages are hers alone."""

    @pytest.fixture(autouse=True)
    def _alone(self, newspaper: None, settings: Any) -> None:
        settings.BROADSHEET_ACCOUNTS = False
        only_reader()

    def test_what_a_proxys_reader_sees_is_never_given_to_her(self, fresh: Any, kept: KeptAnswers) -> None:
        for _ in range(2):
            Given(kept, "/", REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR="192.0.2.7")
        hers = Given(kept, "/", REMOTE_ADDR="127.0.0.1")
        assert "Age" not in hers.headers

    def test_what_she_sees_is_given_to_nobody(self, kept: KeptAnswers) -> None:
        hers = Given(kept, "/", REMOTE_ADDR="127.0.0.1")
        assert "private" in hers.headers["Cache-Control"]
        for _ in range(2):
            assert "Age" not in Given(kept, "/", REMOTE_ADDR="127.0.0.1").headers
        other = Given(kept, "/", REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR="192.0.2.7")
        assert "private" not in other.headers["Cache-Control"]
