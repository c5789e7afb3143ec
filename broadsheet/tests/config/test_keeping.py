"""Answers that are kept for a moment: which, under what, for how long, how many, and who makes them."""

from __future__ import annotations

import gzip
import re
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.config import keeping, wsgi
from broadsheet.config.keeping import AT_MOST_OLD, FRESH_FOR, LARGEST, LONGEST_KEY, KeptAnswers, key_of, may_be_kept
from broadsheet.web import proxies

Headers = list[tuple[str, str]]

PUBLIC = ("Cache-Control", "public, no-cache")
PATIENCE = 30.0  # seconds; a busy machine is not a failed test


class Clock:
    """A clock that stands still until it is moved."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Given:
    """What a reader was given."""

    def __init__(self, application: Any, environ: dict[str, Any]) -> None:
        self.status, self.headers = "", dict[str, str]()
        body = application(environ, self._start)
        self.body = b"".join(body)
        getattr(body, "close", lambda: None)()

    def _start(self, status: str, headers: Headers, _error: Any = None) -> Callable[[bytes], None]:
        assert len({name.lower() for name, _ in headers}) == len(headers)
        self.status, self.headers = status, dict(headers)
        return lambda _data: None


class Press:
    """An application that numbers its answers, and says whatever headers it is told to."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.status = "200 OK"
        self.headers: Headers = [("Content-Type", "text/plain"), PUBLIC, ("ETag", '"one"')]
        self.length = True
        self.meanwhile: Callable[[], None] = lambda: None
        self.closed = 0

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        self.asked.append(environ)
        body = f"answer {len(self.asked)}".encode()
        self.meanwhile()
        length = [("Content-Length", str(len(body)))] if self.length else []
        start(self.status, [*self.headers, *length])
        return Body(self, body)


class Body:
    """An answer's body in two parts, which counts how often it is closed."""

    def __init__(self, press: Press, content: bytes) -> None:
        self._press, self._content = press, content

    def __iter__(self) -> Iterator[bytes]:
        yield self._content[:3]
        yield self._content[3:]

    def close(self) -> None:
        self._press.closed += 1


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def press() -> Press:
    return Press()


@pytest.fixture
def kept(press: Press, clock: Clock) -> KeptAnswers:
    return KeptAnswers(press, clock=clock)


def question(address: str = "/", **said: str) -> dict[str, Any]:
    """What the server hands over of a request; `said` are names of WSGI, None to leave one out."""
    path, _, query = address.partition("?")
    environ = {
        "REQUEST_METHOD": "GET",
        "wsgi.url_scheme": "http",
        "HTTP_HOST": "localhost",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "REMOTE_ADDR": "192.0.2.7",
    }
    return environ | said


class TestWhatIsKept:
    @pytest.mark.parametrize(
        ("status", "headers", "may"),
        [
            pytest.param("200 OK", [PUBLIC], True, id="public, to be asked for each time"),
            pytest.param("200 OK", [("cache-control", "Public, max-age=300")], True, id="public for some time"),
            pytest.param("200 OK", [PUBLIC, ("Vary", "Accept, Accept-Encoding, Cookie")], True, id="by what is known"),
            pytest.param("200 OK", [], False, id="silent about caches"),
            pytest.param("200 OK", [("Cache-Control", "no-cache")], False, id="not said to be public"),
            pytest.param("200 OK", [("Cache-Control", "private, no-cache")], False, id="one reader's"),
            pytest.param("200 OK", [("Cache-Control", "public, private")], False, id="a contradiction"),
            pytest.param("200 OK", [("Cache-Control", 'public, private="x"')], False, id="in part one reader's"),
            pytest.param("200 OK", [("Cache-Control", "public, no-store")], False, id="not to be stored"),
            pytest.param("200 OK", [PUBLIC, ("Set-Cookie", "a=b")], False, id="with a cookie"),
            pytest.param("200 OK", [PUBLIC, ("Vary", "*")], False, id="different each time"),
            pytest.param("200 OK", [PUBLIC, ("Vary", "Accept, User-Agent")], False, id="by what nothing is kept under"),
            pytest.param("200 OK", [PUBLIC, ("RateLimit", '"read";r=5;t=2')], False, id="with one client's count"),
            pytest.param("200 OK", [PUBLIC, PUBLIC], False, id="a header twice"),
            pytest.param("304 Not Modified", [PUBLIC], False, id="nothing new"),
            pytest.param("301 Moved Permanently", [PUBLIC], False, id="elsewhere"),
            pytest.param("404 Not Found", [PUBLIC], False, id="not there"),
            pytest.param("206 Partial Content", [PUBLIC], False, id="a part"),
            pytest.param("503 Service Unavailable", [PUBLIC], False, id="a failure"),
        ],
    )
    def test_by_what_it_says_of_itself(self, status: str, headers: Headers, may: bool) -> None:
        assert may_be_kept(status, [*headers, ("Content-Length", "5")]) is may

    @pytest.mark.parametrize(
        ("length", "may"),
        [
            pytest.param(str(LARGEST), True, id="as large as may be"),
            pytest.param(str(LARGEST + 1), False, id="too large"),
            pytest.param("", False, id="of a length that nobody knows"),
            pytest.param("-1", False, id="no number"),
        ],
    )
    def test_by_its_size(self, length: str, may: bool) -> None:
        assert may_be_kept("200 OK", [PUBLIC, ("Content-Length", length)]) is may

    @pytest.mark.parametrize(
        "said",
        [
            pytest.param({"REQUEST_METHOD": "POST"}, id="something is sent"),
            pytest.param({"REQUEST_METHOD": "OPTIONS"}, id="what may be asked"),
            pytest.param({"REQUEST_METHOD": "get"}, id="a method of another name"),
            pytest.param({"HTTP_COOKIE": "session=x"}, id="a cookie"),
            pytest.param({"HTTP_COOKIE": ""}, id="an empty cookie"),
            pytest.param({"HTTP_AUTHORIZATION": "Bearer x"}, id="a token"),
            pytest.param({"HTTP_RANGE": "bytes=0-5"}, id="a part"),
            pytest.param({"HTTP_IF_RANGE": '"one"'}, id="a part, if nothing changed"),
            pytest.param({"HTTP_IF_MATCH": '"one"'}, id="only if it is this one"),
            pytest.param({"HTTP_IF_UNMODIFIED_SINCE": "Tue, 02 Jan 2024 00:00:00 GMT"}, id="only if it is that old"),
            pytest.param({"HTTP_IF_MODIFIED_SINCE": "Tue, 02 Jan 2024 00:00:00 GMT"}, id="by time alone"),
            pytest.param({"CONTENT_LENGTH": "5"}, id="a body"),
            pytest.param({"CONTENT_LENGTH": "00"}, id="a body, perhaps"),
            pytest.param({"HTTP_TRANSFER_ENCODING": "chunked"}, id="a body of unknown length"),
            pytest.param({"HTTP_CONTENT_ENCODING": "gzip"}, id="a compressed body"),
            pytest.param({"HTTP_EXPECT": "100-continue"}, id="who waits before sending"),
            pytest.param({"HTTP_UPGRADE": "h2c"}, id="another protocol"),
            pytest.param({"HTTP_HX_REQUEST": "true"}, id="a part of a page"),
            pytest.param({"HTTP_HOST": ""}, id="no name"),
            pytest.param({"PATH_INFO": "/" + "x" * LONGEST_KEY}, id="a long address"),
            pytest.param({"QUERY_STRING": "x" * LONGEST_KEY}, id="a long query"),
            pytest.param({"HTTP_ACCEPT": "x" * LONGEST_KEY}, id="a long wish"),
            pytest.param({"HTTP_HOST": "x" * LONGEST_KEY}, id="a long name"),
            pytest.param({"PATH_INFO": "/api/v1"}, id="our interface"),
            pytest.param({"PATH_INFO": "/api/v1/editions/2024-01-02"}, id="what is below our interface"),
            pytest.param({"PATH_INFO": "/status"}, id="the status"),
            pytest.param({"PATH_INFO": "/status.md"}, id="the status in another form"),
            pytest.param({"PATH_INFO": "/healthz"}, id="the health"),
            pytest.param({"PATH_INFO": "/mcp"}, id="agents"),
            pytest.param({"PATH_INFO": "/account/sign-in"}, id="signing in"),
            pytest.param({"PATH_INFO": "/admin/"}, id="the operator's pages"),
            pytest.param({"PATH_INFO": "/static/0/broadsheet.css"}, id="a file"),
        ],
    )
    def test_some_questions_pass_by(self, said: dict[str, str], press: Press, kept: KeptAnswers) -> None:
        assert key_of(question(**said)) is None
        Given(kept, question()), Given(kept, question())
        assert len(press.asked) == 1
        passing = question(**said)
        Given(kept, passing), Given(kept, passing)
        assert press.asked[1] is passing, "it is handed on as it is"
        assert len(press.asked) == 3
        assert len(kept) == 1

    @pytest.mark.parametrize(
        "said",
        [
            pytest.param({"CONTENT_LENGTH": ""}, id="no body"),
            pytest.param({"CONTENT_LENGTH": "0"}, id="an empty body"),
            pytest.param({"HTTP_USER_AGENT": "Mozilla/5.0"}, id="a browser"),
            pytest.param({"HTTP_CACHE_CONTROL": "no-cache"}, id="who presses reload"),
            pytest.param({"HTTP_REFERER": "https://example.org/"}, id="who comes from elsewhere"),
        ],
    )
    def test_others_do_not(self, said: dict[str, str], press: Press, kept: KeptAnswers) -> None:
        assert [Given(kept, question(**said)).body for _ in range(3)] == [b"answer 1"] * 3

    def test_what_has_no_length_is_handed_on_as_it_comes(self, press: Press, kept: KeptAnswers) -> None:
        press.length = False
        body = kept(question(), lambda *_: None)
        assert press.closed == 0
        assert b"".join(body) == b"answer 1"

    def test_every_body_is_closed_once(self, press: Press, kept: KeptAnswers) -> None:
        Given(kept, question()), Given(kept, question())
        press.headers = []
        Given(kept, question("/other")), Given(kept, question("/another", HTTP_IF_NONE_MATCH='"two"'))
        assert press.closed == len(press.asked) == 4


class TestUnderWhat:
    """No reader can have an answer kept that another one is given by mistake."""

    @pytest.mark.parametrize(
        "said",
        [
            pytest.param({"HTTP_HOST": "papers.example"}, id="another name"),
            pytest.param({"HTTP_HOST": "localhost:8000"}, id="another port"),
            pytest.param({"wsgi.url_scheme": "https"}, id="another scheme"),
            pytest.param({"SCRIPT_NAME": "/papers"}, id="below another place"),
            pytest.param({"PATH_INFO": "/b"}, id="another path"),
            pytest.param({"PATH_INFO": "/A"}, id="other capitals"),
            pytest.param({"PATH_INFO": "/a/"}, id="a slash more"),
            pytest.param({"PATH_INFO": "/a?x=1", "QUERY_STRING": ""}, id="an escaped question mark in the path"),
            pytest.param({"QUERY_STRING": "x=2"}, id="another query"),
            pytest.param({"QUERY_STRING": "x=1&x=2"}, id="a parameter twice"),
            pytest.param({"QUERY_STRING": "x=%31"}, id="a query in another spelling"),
            pytest.param({"QUERY_STRING": "x=1;y=2"}, id="another separator"),
            pytest.param({"QUERY_STRING": "x=1&"}, id="an empty parameter"),
            pytest.param({"HTTP_ACCEPT": "text/markdown"}, id="another form"),
            pytest.param({"HTTP_ACCEPT_ENCODING": "gzip"}, id="compressed"),
            pytest.param({"HTTP_X_FORWARDED_FOR": "127.0.0.1"}, id="through a proxy"),
            pytest.param({"HTTP_FORWARDED": "for=127.0.0.1"}, id="through another proxy"),
            pytest.param({"HTTP_X_REAL_IP": "127.0.0.1"}, id="through one more"),
            pytest.param({"HTTP_X_FORWARDED_HOST": "evil.example"}, id="a name that somebody says"),
            pytest.param({"HTTP_X_FORWARDED_PROTO": "https"}, id="a scheme that somebody says"),
            pytest.param({"REMOTE_ADDR": "127.0.0.1"}, id="from this machine"),
            pytest.param({"REMOTE_ADDR": "::ffff:127.0.0.1"}, id="from this machine in another spelling"),
        ],
    )
    def test_what_differs_is_kept_apart(self, said: dict[str, str], kept: KeptAnswers) -> None:
        first = question("/a?x=1")
        other = first | said
        assert [Given(kept, each).body for each in (first, other, first, other)] == [
            b"answer 1",
            b"answer 2",
            b"answer 1",
            b"answer 2",
        ]

    def test_parts_cannot_be_moved_from_one_to_the_next(self) -> None:
        first = key_of(question("/a", QUERY_STRING="b", HTTP_ACCEPT="c"))
        assert first != key_of(question("/ab", QUERY_STRING="", HTTP_ACCEPT="c"))
        assert first != key_of(question("/a", QUERY_STRING="bc", HTTP_ACCEPT=""))

    @pytest.mark.parametrize(
        ("accepts", "others"),
        [
            pytest.param("gzip", ["gzip, deflate, br", "br;q=1.0, gzip;q=0.5", "deflate,gzip"], id="gzip"),
            pytest.param("", ["identity", "br", "*", "deflate", "x-gzipped"], id="nothing that we have"),
        ],
    )
    def test_encodings_are_two(self, accepts: str, others: list[str]) -> None:
        keys = {key_of(question(HTTP_ACCEPT_ENCODING=each)) for each in (accepts, *others)}
        assert len(keys) == 1

    @pytest.mark.parametrize(
        "said",
        [
            pytest.param({"REMOTE_ADDR": "198.51.100.9"}, id="another reader"),
            pytest.param({"HTTP_X_FORWARDED_PORT": "444"}, id="a port"),
            pytest.param({"HTTP_X_ORIGINAL_URL": "/admin/"}, id="another address"),
            pytest.param({"HTTP_X_REWRITE_URL": "/admin/"}, id="one more"),
            pytest.param({"HTTP_X_HTTP_METHOD_OVERRIDE": "POST"}, id="another method"),
            pytest.param({"RAW_URI": "http://evil.example/"}, id="another first line"),
        ],
    )
    def test_what_django_does_not_read_changes_nothing(self, said: dict[str, str]) -> None:
        assert key_of(question(**said)) == key_of(question())
        assert settings.USE_X_FORWARDED_HOST is False
        assert settings.USE_X_FORWARDED_PORT is False
        assert settings.SECURE_PROXY_SSL_HEADER in (None, ("HTTP_X_FORWARDED_PROTO", "https"))

    def test_a_scheme_that_somebody_says_is_kept_apart_from_another(self) -> None:
        said = [key_of(question(HTTP_X_FORWARDED_PROTO=each)) for each in ("https", "http", "https, http")]
        assert len(set(said)) == 3

    def test_every_header_that_the_program_reads_is_thought_of(self, repository: Path) -> None:
        """An answer that depends on another header must say so in Vary; then it is not kept."""
        read = re.compile(
            r"""request\.headers(?:\.get\(|\[)\s*["']([\w-]+)["']|META(?:\.get\(|\[)\s*["'](\w+)["']|["'](HTTP_[A-Z_]+)["']"""
        )
        source = repository / "broadsheet" / "src" / "broadsheet"
        found = {
            next(filter(None, names)).upper().replace("-", "_").removeprefix("HTTP_")
            for folder in ("web", "accounts", "community", "library")
            for path in (source / folder).rglob("*.py")
            for names in read.findall(path.read_text(encoding="utf-8"))
        }
        known = keeping._OWN | keeping._CONDITIONS | set(proxies._SAYS) | {"HTTP_HOST", "HTTP_ACCEPT"}
        thought_of = {name.removeprefix("HTTP_") for name in known}
        of_the_server = {"CONTENT_LENGTH", "CONTENT_TYPE", "QUERY_STRING", "REMOTE_ADDR", "REQUEST_METHOD"}
        # Origin is read for agents alone, of whose address nothing is kept.
        assert found - thought_of - of_the_server == {"ORIGIN"}


class TestForHowLong:
    @pytest.mark.parametrize(
        ("age", "body"),
        [
            pytest.param(0.0, b"answer 1", id="at once"),
            pytest.param(FRESH_FOR - 0.01, b"answer 1", id="within the time"),
            pytest.param(FRESH_FOR, b"answer 2", id="after it"),
            pytest.param(3600.0, b"answer 2", id="after an hour"),
        ],
    )
    def test_it_is_given_again(self, age: float, body: bytes, kept: KeptAnswers, clock: Clock) -> None:
        Given(kept, question())
        clock.now += age
        assert Given(kept, question()).body == body

    def test_its_age_counts_from_when_it_was_begun(self, press: Press, kept: KeptAnswers, clock: Clock) -> None:
        def slowly() -> None:
            clock.now += 0.7

        press.meanwhile = slowly
        Given(kept, question())
        clock.now += FRESH_FOR - 0.7 - 0.01
        assert Given(kept, question()).body == b"answer 1"
        clock.now += 0.01
        assert Given(kept, question()).body == b"answer 2"

    def test_being_asked_for_does_not_keep_it_longer(self, kept: KeptAnswers, clock: Clock) -> None:
        bodies = set()
        for _ in range(10):
            bodies.add(Given(kept, question()).body)
            clock.now += FRESH_FOR / 9.5
        assert bodies == {b"answer 1"}
        assert Given(kept, question()).body == b"answer 2"

    def test_its_age_is_told_to_who_did_not_have_it_made(self, kept: KeptAnswers, clock: Clock) -> None:
        assert "Age" not in Given(kept, question()).headers
        assert Given(kept, question()).headers["Age"] == "0"
        clock.now += 0.9
        assert Given(kept, question(HTTP_IF_NONE_MATCH='"one"')).headers["Age"] == "0"

    def test_what_is_not_kept_is_made_each_time(self, press: Press, kept: KeptAnswers) -> None:
        press.headers = [("Cache-Control", "private")]
        assert [Given(kept, question()).body for _ in range(3)] == [b"answer 1", b"answer 2", b"answer 3"]

    def test_what_was_not_kept_for_a_moment_is_kept_afterwards(
        self, press: Press, kept: KeptAnswers, clock: Clock
    ) -> None:
        press.status = "503 Service Unavailable"
        Given(kept, question()), Given(kept, question())
        press.status = "200 OK"
        clock.now += FRESH_FOR
        assert [Given(kept, question()).body for _ in range(2)] == [b"answer 3"] * 2

    @given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 1.5)), max_size=40))
    def test_nobody_is_given_an_older_one(self, asked: list[tuple[str, float]]) -> None:
        clock = Clock()
        clock.now = 0.0

        def told(_environ: dict[str, Any], start: Any) -> list[bytes]:
            body = repr(clock.now).encode()
            start("200 OK", [PUBLIC, ("Content-Length", str(len(body)))])
            return [body]

        kept = KeptAnswers(told, clock=clock)
        for path, later in asked:
            clock.now += later
            assert clock.now - float(Given(kept, question(f"/{path}")).body) <= AT_MOST_OLD


class TestConditions:
    @pytest.mark.parametrize(
        ("tag", "named", "known"),
        [
            pytest.param('"one"', '"one"', True, id="the same"),
            pytest.param('"one"', 'W/"one"', True, id="the same, weak"),
            pytest.param('W/"one"', '"one"', True, id="weak itself"),
            pytest.param('W/"one"', 'W/"zero", W/"one"', True, id="one of several"),
            pytest.param('"one"', "*", True, id="any"),
            pytest.param('"one"', '"two"', False, id="another"),
            pytest.param('"one"', "one", False, id="without quotes"),
            pytest.param('"one"', "", False, id="nothing"),
            pytest.param("", "*", False, id="an answer without a tag"),
        ],
    )
    @pytest.mark.parametrize("first", [True, False], ids=["made", "kept"])
    def test_by_tag(self, tag: str, named: str, known: bool, first: bool, press: Press, kept: KeptAnswers) -> None:
        press.headers = [PUBLIC, ("Content-Type", "text/plain"), ("Vary", "Accept")] + ([("ETag", tag)] if tag else [])
        if not first:
            Given(kept, question())
        given_ = Given(kept, question(HTTP_IF_NONE_MATCH=named))
        assert len(press.asked) == 1
        assert "HTTP_IF_NONE_MATCH" not in press.asked[0]
        if known:
            assert (given_.status, given_.body) == ("304 Not Modified", b"")
            expected = {"Cache-Control": "public, no-cache", "Vary": "Accept", "ETag": '"one"'}
            assert given_.headers == expected | ({} if first else {"Age": "0"})
        else:
            assert (given_.status, given_.body) == ("200 OK", b"answer 1")

    def test_by_tag_and_time_the_tag_decides(self, kept: KeptAnswers) -> None:
        later = "Fri, 01 Jan 2100 00:00:00 GMT"
        Given(kept, question())
        asked = question(HTTP_IF_NONE_MATCH='"two"', HTTP_IF_MODIFIED_SINCE=later)
        assert Given(kept, asked).status == "200 OK"

    def test_what_is_not_kept_is_asked_for_with_its_conditions(self, press: Press, kept: KeptAnswers) -> None:
        press.headers = [("Cache-Control", "private"), ("ETag", '"one"')]
        assert Given(kept, question(HTTP_IF_NONE_MATCH='"one"')).body == b"answer 2"
        assert "HTTP_IF_NONE_MATCH" in press.asked[1]

    def test_the_headers_alone_are_those_of_the_answer(self, press: Press, kept: KeptAnswers) -> None:
        whole = Given(kept, question())
        head = Given(kept, question(REQUEST_METHOD="HEAD"))
        assert (head.status, head.body) == ("200 OK", b"")
        assert head.headers == {**whole.headers, "Age": "0"}
        assert len(press.asked) == 1

    def test_the_headers_alone_are_not_kept(self, press: Press, kept: KeptAnswers) -> None:
        Given(kept, question(REQUEST_METHOD="HEAD"))
        assert press.asked[0]["REQUEST_METHOD"] == "HEAD"
        assert len(kept) == 0


class TestHowMuch:
    def fill(self, kept: KeptAnswers, count: int) -> None:
        for number in range(count):
            Given(kept, question(f"/{number}"))

    def test_so_many_and_no_more(self, press: Press, clock: Clock) -> None:
        kept = KeptAnswers(press, clock=clock, most=10)
        self.fill(kept, 25)
        assert len(kept) == 10
        Given(kept, question("/24")), Given(kept, question("/15"))
        assert len(press.asked) == 25

    def test_who_was_not_asked_for_longest_goes_first(self, press: Press, clock: Clock) -> None:
        kept = KeptAnswers(press, clock=clock, most=3)
        for path in ("/a", "/b", "/c", "/a", "/d"):
            Given(kept, question(path))
        assert Given(kept, question("/a")).body == b"answer 1"
        assert Given(kept, question("/b")).body == b"answer 5"

    def test_what_is_too_old_takes_no_room(self, kept: KeptAnswers, clock: Clock) -> None:
        self.fill(kept, 50)
        clock.now += AT_MOST_OLD + 0.1
        Given(kept, question("/new"))
        assert len(kept) == 1

    @given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3000), st.booleans()), max_size=60))
    def test_the_count_of_bytes_is_right_whatever_comes(self, asked: list[tuple[int, int, bool]]) -> None:
        told: dict[str, Any] = {}

        def application(_environ: dict[str, Any], start: Any) -> list[bytes]:
            public = [PUBLIC] if told["public"] else []
            start("200 OK", [*public, ("Content-Length", str(told["size"]))])
            return [b"x" * told["size"]]

        clock = Clock()
        kept = KeptAnswers(application, clock=clock, room=8_000, most=5)
        for number, size, public in asked:
            told.update(size=size, public=public)
            clock.now += FRESH_FOR
            Given(kept, question(f"/{number}"))
            assert kept.size == sum(each.size for each in kept._kept.values()) <= 8_000
            assert len(kept) <= 5

    def test_bytes_are_real_ones(self, clock: Clock) -> None:
        def application(environ: dict[str, Any], start: Any) -> list[bytes]:
            body = bytes(1000 + int(environ["PATH_INFO"][1:]))
            fresh = [("".join(["Text-", str(number)]), "".join(["x" * 40, str(number)])) for number in range(8)]
            start("200 OK", [PUBLIC, *fresh, ("Content-Length", str(len(body)))])
            return [body]

        kept = KeptAnswers(application, clock=clock, room=2**30, most=2**20)
        Given(kept, question("/0"))
        tracemalloc.start()
        before, counted = tracemalloc.get_traced_memory()[0], kept.size
        self.fill(kept, 1000)
        real, counted = tracemalloc.get_traced_memory()[0] - before, kept.size - counted
        tracemalloc.stop()
        assert 0.7 * counted <= real <= counted

    def test_the_room_holds_whatever_the_answers(self, clock: Clock) -> None:
        def application(_environ: dict[str, Any], start: Any) -> list[bytes]:
            start("200 OK", [PUBLIC, ("Content-Length", str(LARGEST))])
            return [bytes(LARGEST)]

        kept = KeptAnswers(application, clock=clock)
        tracemalloc.start()
        self.fill(kept, 40)
        held, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert kept.size <= keeping.ROOM
        assert held <= keeping.ROOM * 1.01
        assert most <= keeping.ROOM + 4 * LARGEST


class TestOneMaker:
    @pytest.fixture
    def gate(self, press: Press) -> threading.Event:
        """The press answers when this is set."""
        event = threading.Event()
        press.meanwhile = lambda: event.wait(PATIENCE) and None
        return event

    def readers(self, kept: KeptAnswers, count: int) -> tuple[list[threading.Thread], list[bytes]]:
        """So many readers, each in a thread of its own, who ask for the same at once, and what they were given."""
        bodies: list[bytes] = []
        threads = [
            threading.Thread(target=lambda: bodies.append(Given(kept, question()).body), daemon=True)
            for _ in range(count)
        ]
        for thread in threads:
            thread.start()
        return threads, bodies

    def when(self, true: Callable[[], bool]) -> None:
        for _ in range(int(PATIENCE * 100)):
            if true():
                return
            threading.Event().wait(0.01)
        pytest.fail("it did not become true in time")

    def waiting(self, count: int) -> Callable[[], bool]:
        """Whether so many threads wait for another's answer."""

        def are() -> bool:
            frames = sys._current_frames().values()
            return sum(any(code == "_awaited" for code in _names(frame)) for frame in frames) == count

        return are

    def test_many_ask_and_one_makes(self, press: Press, kept: KeptAnswers, gate: threading.Event) -> None:
        threads, bodies = self.readers(kept, 12)
        self.when(self.waiting(11))
        gate.set()
        for thread in threads:
            thread.join(PATIENCE)
        assert len(press.asked) == 1
        assert bodies == [b"answer 1"] * 12

    def test_who_asks_while_it_is_made_anew_has_the_previous_one(
        self, press: Press, kept: KeptAnswers, gate: threading.Event, clock: Clock
    ) -> None:
        gate.set()
        Given(kept, question())
        gate.clear()
        clock.now += FRESH_FOR + 0.5
        threads, bodies = self.readers(kept, 1)
        self.when(lambda: len(press.asked) == 2)
        again = Given(kept, question())
        assert (again.body, again.headers["Age"]) == (b"answer 1", "1")
        gate.set()
        threads[0].join(PATIENCE)
        assert bodies == [b"answer 2"]
        assert Given(kept, question()).body == b"answer 2"

    def test_the_previous_one_is_given_no_longer_than_it_may_be(
        self, press: Press, kept: KeptAnswers, gate: threading.Event, clock: Clock
    ) -> None:
        gate.set()
        Given(kept, question())
        gate.clear()
        clock.now += AT_MOST_OLD - 0.1
        first, bodies = self.readers(kept, 1)
        self.when(lambda: len(press.asked) == 2)
        clock.now += 0.2
        second, more = self.readers(kept, 1)
        self.when(self.waiting(1))
        gate.set()
        for thread in (*first, *second):
            thread.join(PATIENCE)
        assert bodies == more == [b"answer 2"]

    def test_nobody_waits_for_one_that_was_begun_too_long_ago(
        self, press: Press, kept: KeptAnswers, gate: threading.Event, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(keeping, "WAITS", 10 * PATIENCE)
        threads, bodies = self.readers(kept, 1)
        self.when(lambda: len(press.asked) == 1)
        clock.now += AT_MOST_OLD + 0.1
        late, more = self.readers(kept, 1)
        self.when(lambda: len(press.asked) == 2)
        gate.set()
        for thread in (*threads, *late):
            thread.join(PATIENCE)
        assert len(bodies) == len(more) == 1
        assert len(press.asked) == 2

    def test_who_waited_for_what_is_not_for_all_asks_alone(
        self, press: Press, kept: KeptAnswers, gate: threading.Event
    ) -> None:
        press.headers = [("Cache-Control", "private")]
        threads, bodies = self.readers(kept, 5)
        self.when(self.waiting(4))
        gate.set()
        for thread in threads:
            thread.join(PATIENCE)
        assert len(press.asked) == len(set(bodies)) == 5

    def test_nobody_waits_for_what_was_not_for_all_a_moment_ago(
        self, press: Press, kept: KeptAnswers, gate: threading.Event
    ) -> None:
        press.headers = [("Cache-Control", "private")]
        gate.set()
        Given(kept, question())
        gate.clear()
        threads, bodies = self.readers(kept, 4)
        self.when(lambda: len(press.asked) == 5)
        gate.set()
        for thread in threads:
            thread.join(PATIENCE)
        assert len(bodies) == 4

    def test_who_waits_too_long_asks_alone(
        self, press: Press, kept: KeptAnswers, gate: threading.Event, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(keeping, "WAITS", 0.05)
        threads, _ = self.readers(kept, 2)
        self.when(lambda: len(press.asked) == 2)
        gate.set()
        for thread in threads:
            thread.join(PATIENCE)
        assert len(press.asked) == 2

    def test_an_error_is_its_makers_alone(self, press: Press, kept: KeptAnswers, gate: threading.Event) -> None:
        def fails() -> None:
            gate.wait(PATIENCE)
            if len(press.asked) == 1:
                raise RuntimeError("the press broke")

        press.meanwhile = fails
        errors: list[BaseException] = []

        def first() -> None:
            try:
                Given(kept, question())
            except RuntimeError as error:
                errors.append(error)

        maker = threading.Thread(target=first, daemon=True)
        maker.start()
        self.when(lambda: len(press.asked) == 1)
        threads, bodies = self.readers(kept, 3)
        self.when(self.waiting(3))
        gate.set()
        for thread in (maker, *threads):
            thread.join(PATIENCE)
        assert len(errors) == 1
        assert sorted(bodies) == [b"answer 2", b"answer 3", b"answer 4"]
        assert Given(kept, question()).body == b"answer 5"

    def test_many_threads_and_addresses_leave_the_count_right(self, clock: Clock) -> None:
        def application(environ: dict[str, Any], start: Any) -> list[bytes]:
            body = environ["PATH_INFO"].encode() * 20
            start("200 OK", [PUBLIC, ("Content-Length", str(len(body)))])
            return [body]

        kept = KeptAnswers(application, clock=clock, room=20_000, most=20)
        wrong: list[str] = []

        def ask(seed: int) -> None:
            for number in range(400):
                path = f"/{(number * seed) % 37}"
                if number % 50 == 0:
                    clock.now += 0.4
                if Given(kept, question(path)).body != path.encode() * 20:
                    wrong.append(path)

        threads = [threading.Thread(target=ask, args=(seed,), daemon=True) for seed in (1, 3, 5, 7, 11, 13)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        assert wrong == []
        assert kept._making == {}
        assert kept.size == sum(each.size for each in kept._kept.values()) <= 20_000


def _names(frame: Any) -> Iterator[str]:
    while frame is not None:
        yield frame.f_code.co_name
        frame = frame.f_back


def test_the_server_serves_what_is_kept() -> None:
    assert isinstance(wsgi.application, KeptAnswers)


def test_a_body_is_given_again_byte_by_byte(press: Press, clock: Clock) -> None:
    packed = gzip.compress(b"x" * 1000)

    def application(_environ: dict[str, Any], start: Any) -> list[bytes]:
        start("200 OK", [PUBLIC, ("Content-Encoding", "gzip"), ("Content-Length", str(len(packed)))])
        return [packed[:10], packed[10:]]

    kept = KeptAnswers(application, clock=clock)
    assert Given(kept, question()).body == Given(kept, question()).body == packed
