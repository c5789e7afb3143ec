"""What a guest asks, takes, follows, keeps and says. Real HTTP over the loopback address."""

from __future__ import annotations

import gzip
import logging
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise

import pytest

from broadsheet import __version__
from broadsheet.fetching import client as module
from broadsheet.fetching.answers import Answer, Declined, Failure, Missing, Refused, Resting, Unreachable
from broadsheet.fetching.client import Client, user_agent
from broadsheet.fetching.credentials import Header, Query
from broadsheet.testing.origin import Origin, Reply, Request, bomb

Guest = Callable[..., Client]

HOST = "https://origin.example"
_MEBIBYTE = 1024 * 1024
KEY = "a-key/with+signs"


def says(reply: Reply) -> Callable[[Request], Reply]:
    """A handler that always says the same."""
    return lambda request: reply


class TestAsking:
    """The request."""

    def test_an_answer(self, guest: Guest) -> None:
        before = datetime.now(UTC)
        with Origin(says(Reply(body=b"Meadows", headers={"X-Word": "a", "Content-Type": "text/xml"}))) as origin:
            answer = guest(origin).get(f"{HOST}/list?a=1", accept="text/xml")
        assert answer.body == b"Meadows"
        assert (answer.status, answer.unchanged) == (200, False)
        assert (answer.url, answer.asked, answer.accept) == (f"{HOST}/list?a=1", f"{HOST}/list?a=1", "text/xml")
        assert answer.headers["x-word"] == "a"
        assert answer.headers["content-type"] == "text/xml"
        assert before <= answer.at <= datetime.now(UTC)

    def test_we_say_who_we_are_and_what_we_want(self, guest: Guest) -> None:
        with Origin(says(Reply())) as origin:
            guest(origin).get(f"{HOST}/", accept="text/xml", headers={"X-Own": "b"})
            headers = dict(origin.requests[0].headers)
        assert headers.pop("user-agent").startswith("Broadsheet/")
        assert headers == {
            "host": "origin.example",
            "accept": "text/xml",
            "accept-encoding": "gzip, deflate",
            "connection": "close",
            "x-own": "b",
        }

    @pytest.mark.parametrize(
        "target",
        [
            "/",
            "/api/query?search_query=submittedDate:%5B202611200000+TO+202611210000%5D&start=0",
            "/api/query?search_query=cat:cs.AI+AND+%28ti:%22a+b%22%29",
            "/abs/math/0611800v2",
            "/x?a=%2B&b=%20&c=%C3%A9&d=",
        ],
    )
    def test_an_address_is_sent_as_it_is_written(self, target: str, guest: Guest) -> None:
        """Brackets and plus signs of arXiv's date filter: https://github.com/blazickjp/arxiv-mcp-server/issues/53"""
        with Origin(says(Reply())) as origin:
            guest(origin).get(HOST + target, accept="*/*")
        assert origin.requests[0].target == target

    def test_a_look_up_has_a_body(self, guest: Guest) -> None:
        with Origin(says(Reply(body=b"{}"))) as origin:
            answer = guest(origin).post(f"{HOST}/batch", b'{"ids":[]}', content_type="application/json", accept="*/*")
        request = origin.requests[0]
        assert answer.body == b"{}"
        assert (request.method, request.body) == ("POST", b'{"ids":[]}')
        assert request.headers["content-type"] == "application/json"

    def test_every_request_has_its_own_connection(self, guest: Guest) -> None:
        """Two processes with a connection each that stays open would be two connections at once."""
        with Origin(says(Reply())) as origin:
            client = guest(origin)
            client.get(f"{HOST}/1", accept="*/*")
            client.get(f"{HOST}/2", accept="*/*")
        assert origin.connections == 2

    def test_no_cookie_is_kept(self, guest: Guest) -> None:
        with Origin(says(Reply(headers={"Set-Cookie": "a=b"}))) as origin:
            client = guest(origin)
            client.get(f"{HOST}/1", accept="*/*")
            client.get(f"{HOST}/2", accept="*/*")
        assert "cookie" not in origin.requests[1].headers

    def test_no_proxy_of_the_environment_is_used(self, guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
            monkeypatch.setenv(name, "http://127.0.0.1:1")
        with Origin(says(Reply(body=b"direct"))) as origin:
            assert guest(origin).get(f"{HOST}/", accept="*/*").body == b"direct"

    @pytest.mark.parametrize("name", ["User-Agent", "accept", "Host", "Cookie", "If-None-Match", "Content-Length"])
    def test_what_is_ours_to_say_nobody_else_says(self, name: str, guest: Guest) -> None:
        with Origin(says(Reply())) as origin, pytest.raises(ValueError, match="is set by the client"):
            guest(origin).get(f"{HOST}/", accept="*/*", headers={name: "x"})

    @pytest.mark.parametrize(
        "contact", ["ada@example.org\r\nX-Own: b", "ada", "(ada@example.org)", "ftp://example.org", "ada@b c"]
    )
    def test_a_contact_is_an_address(self, contact: str) -> None:
        with pytest.raises(ValueError, match="no contact"):
            user_agent(contact)

    @pytest.mark.parametrize(
        ("contact", "ending"),
        [
            pytest.param("ada@example.org", " (mailto:ada@example.org)", id="mail"),
            pytest.param("https://broadsheet.example/about", " (+https://broadsheet.example/about)", id="web"),
            pytest.param("", "", id="none"),
        ],
    )
    def test_the_contact_stands_in_the_user_agent(self, contact: str, ending: str) -> None:
        assert user_agent(contact) == f"Broadsheet/{__version__}{ending}"

    @pytest.mark.parametrize(
        "url",
        [
            pytest.param("ftp://origin.example/", id="another scheme"),
            pytest.param("file:///etc/passwd", id="a file"),
            pytest.param("//origin.example/", id="no scheme"),
            pytest.param("https://", id="no host"),
            pytest.param("https://elsewhere.example:8080/", id="another port"),
            pytest.param("https://elsewhere.example:80/", id="the port of http"),
            pytest.param("http://elsewhere.example:443/", id="the port of https"),
            pytest.param("https://ada:secret@origin.example/", id="a name and a password"),
            pytest.param("https://origin.example/\r\nX: y", id="a line break"),
            pytest.param("https://origin.example/" + "a" * 9000, id="very long"),
            pytest.param("https://[::1/", id="half an address"),
            pytest.param("https://origin.example:99999/", id="no port"),
        ],
    )
    def test_what_is_not_asked(self, url: str, guest: Guest) -> None:
        with Origin(says(Reply())) as origin, pytest.raises(Refused) as refusal:
            guest(origin).get(url, accept="*/*")
        assert origin.requests == []
        assert "secret" not in refusal.value.cause

    def test_the_other_helpers_of_a_test_do_not_open_this_machine(self, guest: Guest) -> None:
        """A route opens one origin, not the address that it leads to."""
        with Origin(says(Reply())) as origin, pytest.raises(Refused):
            guest(origin).get(origin.url, accept="*/*")


class TestTaking:
    """The answer, within its limits."""

    @pytest.mark.parametrize(
        ("encoding", "body"),
        [
            ("gzip", gzip.compress(b"Meadows", mtime=0)),
            ("deflate", zlib.compress(b"Meadows")),
            ("identity", b"Meadows"),
        ],
    )
    def test_a_compressed_answer(self, encoding: str, body: bytes, guest: Guest) -> None:
        with Origin(says(Reply(body=body, headers={"Content-Encoding": encoding}))) as origin:
            assert guest(origin).get(f"{HOST}/", accept="*/*").body == b"Meadows"

    def test_an_answer_in_chunks(self, guest: Guest) -> None:
        chunks = b"5\r\nA Lam\r\n1\r\np\r\n0\r\n\r\n"
        with Origin(says(Reply(body=chunks, headers={"Transfer-Encoding": "chunked"}))) as origin:
            assert guest(origin).get(f"{HOST}/", accept="*/*").body == b"A Lamp"

    def test_a_gzip_bomb_is_given_up_with_little_memory(self, guest: Guest) -> None:
        packed = bomb(100 * _MEBIBYTE)
        with Origin(says(packed)) as origin:
            client = guest(origin)
            tracemalloc.start()
            try:
                with pytest.raises(Refused, match="times"):
                    client.get(f"{HOST}/", accept="*/*")
                peak = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
        assert peak < 16 * _MEBIBYTE

    @pytest.mark.parametrize(
        "reply",
        [
            pytest.param(Reply(body=bytes(1001)), id="said beforehand"),
            pytest.param(Reply(raw=b"HTTP/1.1 200 OK\r\n\r\n" + bytes(1001)), id="without a length"),
            pytest.param(
                Reply(body=gzip.compress(bytes(1001)), headers={"Content-Encoding": "gzip"}), id="after decompression"
            ),
            pytest.param(
                Reply(body=b"3e9\r\n" + bytes(1001) + b"\r\n0\r\n\r\n", headers={"Transfer-Encoding": "chunked"}),
                id="in chunks",
            ),
        ],
    )
    def test_an_answer_beyond_the_limit_is_refused(self, reply: Reply, guest: Guest) -> None:
        with Origin(says(reply)) as origin:
            client = guest(origin)
            with pytest.raises(Refused, match="larger than 1000 bytes"):
                client.get(f"{HOST}/", accept="*/*", limit=1000)
            assert len(origin.requests) == 1

    def test_an_answer_of_the_limit_is_taken(self, guest: Guest) -> None:
        with Origin(says(Reply(body=bytes(1000)))) as origin:
            assert len(guest(origin).get(f"{HOST}/", accept="*/*", limit=1000).body) == 1000

    def test_an_encoding_that_we_did_not_offer_is_refused(self, guest: Guest) -> None:
        reply = Reply(body=b"x", headers={"Content-Encoding": "br"})
        with Origin(says(reply)) as origin, pytest.raises(Refused, match="'br', which we did not ask for"):
            guest(origin).get(f"{HOST}/", accept="*/*")

    def test_headers_beyond_the_limit_are_refused(self, guest: Guest) -> None:
        reply = Reply(headers={f"X-{number}": "a" * 800 for number in range(90)})
        with Origin(says(reply)) as origin, pytest.raises(Refused, match="headers"):
            guest(origin).get(f"{HOST}/", accept="*/*")

    @pytest.mark.parametrize(
        "raw",
        [
            pytest.param(b"", id="nothing"),
            pytest.param(b"\r\n\r\n", id="blanks"),
            pytest.param(b"SSH-2.0-OpenSSH\r\n", id="another protocol"),
            pytest.param(b"HTTP/1.1 2x0 OK\r\n\r\n", id="no status"),
            pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", id="a negative length"),
            pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", id="two lengths"),
            pytest.param(b"HTTP/1.1 200 OK\r\nNo header\r\n\r\n", id="no header"),
            pytest.param(b"HTTP/1.1 200 OK\r\nX: a\x00b\r\n\r\n", id="a zero in a header"),
            pytest.param(b"HTTP/1.1 200 OK\r\n" + b"X: " + b"a" * 200_000, id="a header without an end"),
            pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", id="chunks without a size"),
            pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", id="a chunk cut off"),
            pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", id="a body cut off"),
            pytest.param(b"HTTP/1.1 101 Switching Protocols\r\n\r\n", id="another protocol, as if we had asked"),
            pytest.param(b"HTTP/1.1 204 No Content\r\n\r\n", id="a success without an answer"),
            pytest.param(b"HTTP/1.1 304 Not Modified\r\n\r\n", id="unchanged, although we did not ask that"),
            pytest.param(b"HTTP/1.1 999 Strange\r\n\r\n", id="a status of no kind"),
        ],
    )
    def test_what_is_no_whole_answer_is_tried_again_or_is_unreachable(self, raw: bytes, guest: Guest) -> None:
        with Origin(says(Reply(raw=raw))) as origin:
            client = guest(origin)
            with pytest.raises(Unreachable) as failure:
                client.get(f"{HOST}/", accept="*/*")
        assert "origin.example" in failure.value.sentence
        assert failure.value.cause.startswith("GET https://origin.example/: ")

    def test_gzip_cut_off_is_unreachable(self, guest: Guest) -> None:
        packed = gzip.compress(b"Meadows" * 1000, mtime=0)[:-10]
        reply = Reply(body=packed, headers={"Content-Encoding": "gzip"})
        with Origin(says(reply)) as origin, pytest.raises(Unreachable):
            guest(origin).get(f"{HOST}/", accept="*/*")

    def test_a_body_that_drips_is_given_up_in_time(self, guest: Guest) -> None:
        with Origin(says(Reply(body=bytes(10_000), drip=0.01))) as origin:
            client = guest(origin, total=0.3)
            begin = time.monotonic()
            with pytest.raises(Unreachable) as failure:
                client.get(f"{HOST}/", accept="*/*")
        assert 0.3 <= time.monotonic() - begin < 2
        assert "longer than" in failure.value.cause
        assert len(origin.requests) == 1, "whoever drips once is not asked again at once"

    def test_headers_that_drip_are_given_up_in_time(self, guest: Guest) -> None:
        with Origin(says(Reply(raw=b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000, drip=0.01))) as origin:
            client = guest(origin, total=0.3)
            begin = time.monotonic()
            with pytest.raises(Unreachable):
                client.get(f"{HOST}/", accept="*/*")
        assert 0.3 <= time.monotonic() - begin < 2

    def test_silence_is_given_up_in_time(self, guest: Guest) -> None:
        with Origin(says(Reply(delay=30))) as origin:
            client = guest(origin, silence=0.1, pauses=())
            begin = time.monotonic()
            with pytest.raises(Unreachable, match="gave no answer"):
                client.get(f"{HOST}/", accept="*/*")
        assert time.monotonic() - begin < 2


class TestAgain:
    """Attempts and rests."""

    @pytest.mark.parametrize(
        "bad",
        [
            pytest.param(Reply(status=0), id="no answer"),
            pytest.param(Reply(body=b"Meadows", cut=3), id="cut off"),
            pytest.param(Reply(500), id="500"),
            pytest.param(Reply(502), id="502"),
            pytest.param(Reply(504), id="504"),
            pytest.param(Reply(408), id="408"),
        ],
    )
    @pytest.mark.parametrize("failures", [1, 2])
    def test_a_broken_answer_is_asked_for_again_up_to_twice(self, bad: Reply, failures: int, guest: Guest) -> None:
        replies = iter([bad] * failures + [Reply(body=b"whole")])
        with Origin(lambda request: next(replies)) as origin:
            assert guest(origin).get(f"{HOST}/", accept="*/*").body == b"whole"
        assert len(origin.requests) == failures + 1

    def test_after_three_broken_answers_the_origin_is_unreachable(self, guest: Guest) -> None:
        with Origin(says(Reply(502))) as origin, pytest.raises(Unreachable) as failure:
            guest(origin).get(f"{HOST}/", accept="*/*")
        assert len(origin.requests) == 3
        assert "status 502" in failure.value.cause

    def test_a_look_up_is_tried_again_with_its_body(self, guest: Guest) -> None:
        replies = iter([Reply(502), Reply(body=b"{}")])
        with Origin(lambda request: next(replies)) as origin:
            guest(origin).post(f"{HOST}/", b"ids", content_type="text/plain", accept="*/*")
        assert [request.body for request in origin.requests] == [b"ids", b"ids"]

    def test_attempts_are_apart(self, guest: Guest) -> None:
        with Origin(says(Reply(500))) as origin:
            client = guest(origin, pauses=(0.2, 0.4))
            with pytest.raises(Unreachable):
                client.get(f"{HOST}/", accept="*/*")
        first, second, third = (request.at for request in origin.requests)
        assert second - first >= 0.2
        assert third - second >= 0.4

    @pytest.mark.parametrize("status", [403, 406, 429, 503])
    def test_an_origin_that_does_not_want_us_rests_for_minutes(self, status: int, guest: Guest) -> None:
        with Origin(says(Reply(status))) as origin:
            client = guest(origin)
            for _ in range(3):
                with pytest.raises(Resting) as failure:
                    client.get(f"{HOST}/", accept="*/*")
        assert len(origin.requests) == 1
        left = failure.value.until - datetime.now(UTC)
        assert timedelta(minutes=4) < left <= timedelta(minutes=5)
        assert "UTC" in failure.value.sentence

    def test_the_next_start_and_every_process_keep_to_a_rest(self, guest: Guest) -> None:
        with Origin(says(Reply(429))) as origin:
            with pytest.raises(Resting):
                guest(origin).get(f"{HOST}/", accept="*/*")
            with pytest.raises(Resting):
                guest(origin).get(f"{HOST}/other", accept="*/*")
        assert len(origin.requests) == 1

    def test_another_origin_does_not_rest(self, guest: Guest) -> None:
        with Origin(says(Reply(429))) as origin, Origin(says(Reply(body=b"here"))) as other:
            client = guest(origin, routes={HOST: origin.url, "https://other.example": other.url})
            with pytest.raises(Resting):
                client.get(f"{HOST}/", accept="*/*")
            assert client.get("https://other.example/", accept="*/*").body == b"here"

    def test_rests_grow_until_it_answers_in_peace(self, guest: Guest) -> None:
        now = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
        replies = [Reply(429), Reply(403), Reply(406), Reply(), Reply(429)]
        with Origin(lambda request: replies.pop(0)) as origin:
            client = guest(origin, clock=lambda: now)
            minutes = []
            while replies:
                try:
                    client.get(f"{HOST}/", accept="*/*")
                except Resting as failure:
                    minutes.append((failure.until - now).total_seconds() / 60)
                    now = failure.until + timedelta(seconds=1)
        assert minutes == [5, 15, 45, 5]

    @pytest.mark.parametrize(
        ("status", "value", "seconds"),
        [
            pytest.param(429, "7200", 7200, id="seconds"),
            pytest.param(429, "date", 3600, id="date"),
            pytest.param(429, "3", 300, id="429: a short wish is not trusted"),
            pytest.param(429, "soon", 300, id="nonsense"),
            pytest.param(429, "99999999999", 86400, id="capped"),
            pytest.param(503, "20", 20, id="503: it knows when it is back"),
            pytest.param(503, "0", 0, id="503: at once, after the pace"),
            pytest.param(503, "", 300, id="503 without a word"),
        ],
    )
    def test_what_retry_after_does(self, status: int, value: str, seconds: int, guest: Guest) -> None:
        now = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
        value = format_datetime(now + timedelta(hours=1), usegmt=True) if value == "date" else value
        reply = Reply(status, headers={"Retry-After": value})
        with Origin(says(reply)) as origin, pytest.raises(Resting) as failure:
            guest(origin, clock=lambda: now, pauses=()).get(f"{HOST}/", accept="*/*")
        assert failure.value.until == now + timedelta(seconds=seconds)

    def test_a_short_wait_of_503_is_waited_for(self, guest: Guest) -> None:
        """The flow control of OAI-PMH: https://www.openarchives.org/OAI/openarchivesprotocol.html (3.2)"""
        replies = iter([Reply(503, headers={"Retry-After": "1"}), Reply(body=b"whole")])
        with Origin(lambda request: next(replies)) as origin:
            client = guest(origin, patience=5)
            assert client.get(f"{HOST}/", accept="*/*").body == b"whole"
        assert origin.requests[1].at - origin.requests[0].at >= 1

    def test_an_origin_that_always_says_in_a_moment_rests_for_minutes(self, guest: Guest) -> None:
        now = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
        rests = []
        with Origin(says(Reply(503, headers={"Retry-After": "1"}))) as origin:
            client = guest(origin, clock=lambda: now)
            for _ in range(5):
                with pytest.raises(Resting) as failure:
                    client.get(f"{HOST}/", accept="*/*")
                rests.append((failure.value.until - now).total_seconds())
                now = failure.value.until + timedelta(seconds=1)
        assert rests == [1, 1, 1, 300, 900]

    @pytest.mark.parametrize(("status", "kind"), [(404, Missing), (410, Missing), (400, Declined), (401, Declined)])
    def test_other_refusals_are_not_asked_again(self, status: int, kind: type[Failure], guest: Guest) -> None:
        with Origin(says(Reply(status, b"no"))) as origin:
            client = guest(origin)
            with pytest.raises(kind):
                client.get(f"{HOST}/", accept="*/*")
            with pytest.raises(kind):
                client.get(f"{HOST}/", accept="*/*")
        assert len(origin.requests) == 2

    @pytest.mark.parametrize("packed", [False, True])
    def test_a_refusal_comes_with_the_beginning_of_what_was_said(self, packed: bool, guest: Guest) -> None:
        said = b"max_results must not exceed 30000. " * 1000
        reply = Reply(400, gzip.compress(said, mtime=0), {"Content-Encoding": "gzip"}) if packed else Reply(400, said)
        with Origin(says(reply)) as origin, pytest.raises(Declined) as failure:
            guest(origin).get(f"{HOST}/", accept="*/*")
        assert failure.value.status == 400
        assert failure.value.body == said[:4096]
        assert "status 400" in failure.value.sentence

    def test_an_error_that_drips_is_still_an_error(self, guest: Guest) -> None:
        with Origin(says(Reply(400, b"Meadows" * 500, drip=0.01))) as origin, pytest.raises(Declined):
            guest(origin, total=0.3).get(f"{HOST}/", accept="*/*")


class TestFollowing:
    """Redirects."""

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    @pytest.mark.parametrize("location", ["/there?a=%2B", f"{HOST}/there?a=%2B", "//origin.example/there?a=%2B"])
    def test_a_redirect_is_followed(self, status: int, location: str, guest: Guest) -> None:
        def handler(request: Request) -> Reply:
            return Reply(body=b"there") if request.path == "/there" else Reply(status, headers={"Location": location})

        with Origin(handler) as origin:
            answer = guest(origin).get(f"{HOST}/here", accept="*/*")
        assert answer.body == b"there"
        assert (answer.url, answer.asked) == (f"{HOST}/there?a=%2B", f"{HOST}/here")

    @pytest.mark.parametrize(("hops", "fine"), [(5, True), (6, False)])
    def test_five_redirects_are_enough(self, hops: int, fine: bool, guest: Guest) -> None:
        def handler(request: Request) -> Reply:
            number = int(request.path[1:])
            return Reply(302, headers={"Location": f"/{number + 1}"}) if number < hops else Reply(body=b"there")

        with Origin(handler) as origin:
            client = guest(origin)
            if fine:
                assert client.get(f"{HOST}/0", accept="*/*").body == b"there"
                return
            with pytest.raises(Refused, match="more than 5 times"):
                client.get(f"{HOST}/0", accept="*/*")

    @pytest.mark.parametrize(
        "location",
        [
            pytest.param("http://origin.example/", id="to http"),
            pytest.param("http://127.0.0.1/", id="to this machine by http"),
            pytest.param("https://127.0.0.1/", id="to this machine"),
            pytest.param("https://[::1]/", id="to this machine by IPv6"),
            pytest.param("https://2130706433/", id="to this machine as a number"),
            pytest.param("https://0x7f.1/", id="to this machine in other digits"),
            pytest.param("https://169.254.169.254/latest/meta-data/", id="to the metadata of a cloud"),
            pytest.param("https://10.0.0.1/", id="to a private network"),
            pytest.param("https://localhost/", id="to this machine by name"),
            pytest.param("https://origin.example:8443/", id="to another port"),
            pytest.param("file:///etc/passwd", id="to a file"),
            pytest.param("javascript:alert(1)", id="to a script"),
            pytest.param("https://ada:secret@origin.example/", id="to a password"),
            pytest.param("https://[::1", id="to no address"),
            pytest.param("https://origin.example/" + "a" * 9000, id="to a very long address"),
            pytest.param(None, id="nowhere"),
        ],
    )
    def test_a_redirect_that_leads_astray_is_refused(self, location: str | None, guest: Guest) -> None:
        with Origin(says(Reply(302, headers={"Location": location} if location else {}))) as origin:
            client = guest(origin)
            with pytest.raises(Refused):
                client.get(f"{HOST}/", accept="*/*")
            assert len(origin.requests) == 1

    def test_a_redirect_to_the_very_server_of_the_route_is_refused(self, guest: Guest) -> None:
        def handler(_request: Request) -> Reply:
            return Reply(302, headers={"Location": origin.url})

        with Origin(handler) as origin, pytest.raises(Refused):
            guest(origin).get(f"{HOST}/", accept="*/*")

    def test_a_look_up_is_sent_on_only_where_it_stays_one(self, guest: Guest) -> None:
        def handler(request: Request) -> Reply:
            if request.path == "/there":
                return Reply(body=request.body)
            return Reply(int(request.path[1:]), headers={"Location": "/there"})

        with Origin(handler) as origin:
            client = guest(origin)
            assert client.post(f"{HOST}/307", b"ids", content_type="a/b", accept="*/*").body == b"ids"
            with pytest.raises(Refused, match="redirects a look-up"):
                client.post(f"{HOST}/302", b"ids", content_type="a/b", accept="*/*")

    def test_headers_of_the_caller_are_not_carried_to_another_host(self, guest: Guest) -> None:
        with (
            Origin(says(Reply(302, headers={"Location": "https://other.example/"}))) as origin,
            Origin(says(Reply())) as other,
        ):
            client = guest(origin, routes={HOST: origin.url, "https://other.example": other.url})
            client.get(f"{HOST}/", accept="*/*", headers={"X-Own": "b"})
        assert origin.requests[0].headers["x-own"] == "b"
        assert "x-own" not in other.requests[0].headers
        assert other.requests[0].headers["host"] == "other.example"

    def test_each_hop_keeps_to_the_pace_of_its_host(self, guest: Guest) -> None:
        with Origin(lambda r: Reply() if r.path == "/b" else Reply(302, headers={"Location": "/b"})) as origin:
            guest(origin, interval=0.2).get(f"{HOST}/a", accept="*/*")
        assert origin.requests[1].at - origin.requests[0].at >= 0.2


class TestPace:
    """Headers that ask for another pace."""

    def test_the_pace_that_an_answer_asks_for_is_kept(self, guest: Guest) -> None:
        slower = {"X-Rate-Limit-Limit": "10", "X-Rate-Limit-Interval": "2s"}
        with Origin(says(Reply(headers=slower))) as origin:
            client = guest(origin)
            for _ in range(3):
                client.get(f"{HOST}/", accept="*/*")
        times = [request.at for request in origin.requests]
        assert min(later - earlier for earlier, later in pairwise(times)) >= 0.2

    def test_whoever_cannot_note_the_pace_does_not_ask(self, guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(*_: object) -> int:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("os.pwrite", full)
        with Origin(says(Reply())) as origin, pytest.raises(Refused, match="Free some space") as failure:
            guest(origin).get(f"{HOST}/", accept="*/*")
        assert origin.requests == []
        assert "No space left" in failure.value.cause

    def test_an_origin_that_others_ask_all_the_time_is_unreachable(self, guest: Guest) -> None:
        waiting = threading.Event()

        def handler(request: Request) -> Reply:
            waiting.set()
            return Reply(delay=0.6)

        with Origin(handler) as origin:
            first = guest(origin)
            thread = threading.Thread(target=lambda: first.get(f"{HOST}/", accept="*/*"))
            thread.start()
            waiting.wait(5)
            with pytest.raises(Unreachable, match="others of this Broadsheet"):
                guest(origin, wait=0.1).get(f"{HOST}/", accept="*/*")
            thread.join()


class TestUnchanged:
    """Conditional requests."""

    @staticmethod
    def handler(request: Request) -> Reply:
        """A page that never changes."""
        validators = {"ETag": '"1"', "Last-Modified": "Sun, 22 Nov 2026 05:00:00 GMT"}
        known = request.headers.get("if-none-match") == '"1"'
        return Reply(304, headers=validators) if known else Reply(body=b"Meadows", headers=validators)

    def test_what_is_stored_is_not_sent_again(self, guest: Guest) -> None:
        with Origin(self.handler) as origin:
            client = guest(origin)
            client.remember(client.get(f"{HOST}/list", accept="*/*", conditional=True))
            answer = guest(origin).get(f"{HOST}/list", accept="*/*", conditional=True)
        assert (answer.unchanged, answer.body) == (True, b"")
        sent = origin.requests[1].headers
        assert (sent["if-none-match"], sent["if-modified-since"]) == ('"1"', "Sun, 22 Nov 2026 05:00:00 GMT")

    def test_what_was_not_stored_comes_again_in_full(self, guest: Guest) -> None:
        with Origin(self.handler) as origin:
            client = guest(origin)
            for _ in range(2):
                assert client.get(f"{HOST}/list", accept="*/*", conditional=True).body == b"Meadows"

    @pytest.mark.parametrize(
        ("path", "accept", "conditional"),
        [
            pytest.param("/list", "*/*", False, id="without the wish"),
            pytest.param("/other", "*/*", True, id="another address"),
            pytest.param("/list", "text/xml", True, id="another form"),
        ],
    )
    def test_only_the_same_question_is_conditional(
        self, path: str, accept: str, conditional: bool, guest: Guest
    ) -> None:
        with Origin(self.handler) as origin:
            client = guest(origin)
            client.remember(client.get(f"{HOST}/list", accept="*/*"))
            assert client.get(HOST + path, accept=accept, conditional=conditional).status == 200

    def test_a_304_leaves_what_is_remembered(self, guest: Guest) -> None:
        with Origin(self.handler) as origin:
            client = guest(origin)
            client.remember(client.get(f"{HOST}/list", accept="*/*"))
            for _ in range(2):
                answer = client.get(f"{HOST}/list", accept="*/*", conditional=True)
                client.remember(answer)
                assert answer.unchanged

    def test_a_redirected_page_is_remembered_under_the_address_that_was_asked(self, guest: Guest) -> None:
        def handler(request: Request) -> Reply:
            return Reply(302, headers={"Location": "/list"}) if request.path == "/" else self.handler(request)

        with Origin(handler) as origin:
            client = guest(origin)
            client.remember(client.get(f"{HOST}/", accept="*/*"))
            assert client.get(f"{HOST}/", accept="*/*", conditional=True).unchanged

    def test_an_answer_of_another_client_is_remembered_as_well(self, guest: Guest) -> None:
        with Origin(self.handler) as origin:
            client = guest(origin)
            client.remember(Answer(f"{HOST}/", 200, {"etag": '"1"'}, b"", datetime.now(UTC), f"{HOST}/", "*/*"))
            assert client.get(f"{HOST}/", accept="*/*", conditional=True).unchanged


class TestKeys:
    """Credentials."""

    def test_a_key_goes_to_its_host_and_to_no_other(self, guest: Guest) -> None:
        with (
            Origin(says(Reply(302, headers={"Location": "https://other.example/"}))) as origin,
            Origin(says(Reply())) as other,
        ):
            routes = {HOST: origin.url, "https://other.example": other.url}
            client = guest(origin, routes=routes, credentials={"origin.example": Header("x-api-key", KEY)})
            client.get(f"{HOST}/", accept="*/*")
        assert origin.requests[0].headers["x-api-key"] == KEY
        assert KEY not in str(other.requests)

    def test_a_key_in_the_query_is_added_last_and_told_to_nobody(self, guest: Guest) -> None:
        with Origin(says(Reply())) as origin:
            client = guest(origin, credentials={"origin.example": Query("api_key", KEY)})
            answers = [client.get(f"{HOST}/works?a=%2B", accept="*/*"), client.get(f"{HOST}/works", accept="*/*")]
        assert origin.requests[0].target == "/works?a=%2B&api_key=a-key%2Fwith%2Bsigns"
        assert origin.requests[1].query == {"api_key": KEY}
        assert [answer.url for answer in answers] == [f"{HOST}/works?a=%2B", f"{HOST}/works"]

    def test_a_key_that_a_redirect_writes_back_is_taken_out(self, guest: Guest) -> None:
        def handler(request: Request) -> Reply:
            if request.path == "/there":
                return Reply()
            return Reply(301, headers={"Location": f"/there?{request.target.partition('?')[2]}"})

        with Origin(handler) as origin:
            client = guest(origin, credentials={"origin.example": Query("api_key", KEY)})
            answer = client.get(f"{HOST}/here?a=1", accept="*/*")
        assert answer.url == f"{HOST}/there?a=1"
        assert origin.requests[1].target == "/there?a=1&api_key=a-key%2Fwith%2Bsigns"

    def test_a_redirect_that_carries_our_key_elsewhere_is_refused(self, guest: Guest) -> None:
        with (
            Origin(lambda r: Reply(302, headers={"Location": f"https://other.example/{r.query['k']}"})) as origin,
            Origin(says(Reply())) as other,
        ):
            routes = {HOST: origin.url, "https://other.example": other.url}
            client = guest(origin, routes=routes, credentials={"origin.example": Query("k", "secret-7")})
            with pytest.raises(Refused) as failure:
                client.get(f"{HOST}/", accept="*/*")
        assert other.requests == []
        assert "secret-7" not in failure.value.cause

    @pytest.mark.parametrize("credential", [Header("Authorization", f"Bearer {KEY}"), Query("key", KEY)])
    @pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 429, 500, 503, 0])
    def test_no_key_is_ever_written_down(
        self, status: int, credential: Header | Query, guest: Guest, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Not in an exception, a log line or a representation, even where the origin writes it back to us."""

        def handler(request: Request) -> Reply:
            echo = f"{request.target} {request.headers}"
            return Reply(status, echo.encode(), {"Location": f"/x?{echo.replace(' ', '')[:500]}"})

        caplog.set_level(logging.DEBUG)
        told = [repr(credential)]
        with Origin(handler) as origin:
            client = guest(origin, credentials={"origin.example": credential})
            try:
                client.get(f"{HOST}/works", accept="*/*")
            except Failure as failure:
                told += [failure.sentence, failure.cause, str(failure), repr(failure), repr(vars(failure))]
                told += [str(failure.__cause__), str(failure.__context__)]
            told += [repr(client), repr(vars(client))]
        assert KEY in str(origin.requests[0]) or "a-key%2Fwith%2Bsigns" in origin.requests[0].target
        everything = "\n".join([*told, caplog.text])
        assert KEY not in everything
        assert "a-key%2Fwith" not in everything

    def test_no_key_is_sent_without_tls(self, guest: Guest) -> None:
        """The route makes http of it on the way, so what counts is the scheme that was asked for."""
        seen: list[tuple[str, int]] = []

        def resolving(host: str, port: int) -> list[tuple[int, tuple[str, int]]]:
            seen.append((host, port))
            raise OSError

        with Origin(says(Reply())) as origin:
            client = guest(origin, credentials={"plain.example": Query("key", KEY)}, resolving=resolving, pauses=())
            wire = client._wire(module._Question("GET", module._url("http://plain.example/"), "*/*", 1, {}, {}))
            with pytest.raises(Unreachable):
                client.get("http://plain.example/", accept="*/*")
        assert wire.target == b"/"
        assert ("plain.example", 80) in seen

    @pytest.mark.parametrize("place", range(4060, 4100, 3))
    def test_no_part_of_a_key_stays_where_an_error_is_cut_off(self, place: int, guest: Guest) -> None:
        with Origin(says(Reply(400, b"." * place + KEY.encode() + b"." * 9000))) as origin:
            client = guest(origin, credentials={"origin.example": Header("x-api-key", KEY)})
            with pytest.raises(Declined) as failure:
                client.get(f"{HOST}/", accept="*/*")
        assert KEY[:3].encode() not in failure.value.body

    @pytest.mark.parametrize("value", ["", " ", "a\nb", "ключ", "a "])
    def test_a_key_that_cannot_be_sent_is_refused_without_showing_it(self, value: str, guest: Guest) -> None:
        with Origin(says(Reply())) as origin, pytest.raises(ValueError, match="The key for x-key") as failure:
            guest(origin, credentials={"origin.example": Header("x-key", value)})
        assert not value.strip() or value not in str(failure.value)


def test_two_clients_of_one_folder_are_the_same_guest(guest: Guest) -> None:
    with Origin(says(Reply())) as origin:
        clients: list[Client] = [guest(origin, interval=0.2) for _ in range(3)]
        threads = [
            threading.Thread(target=client.get, args=(f"{HOST}/",), kwargs={"accept": "*/*"}) for client in clients
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    times = sorted(request.at for request in origin.requests)
    assert min(later - earlier for earlier, later in pairwise(times)) >= 0.2
    assert origin.most_at_once == 1
