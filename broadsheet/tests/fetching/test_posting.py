"""Messages to addresses that readers name: to the public internet only, once, and never redirected."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from broadsheet.fetching.limits import Limits
from broadsheet.fetching.posting import Poster
from broadsheet.fetching.posts import address_problem

ADDRESS = "https://hooks.example.org/services/T0/B0?x=1"


class Receiver:
    """A server that keeps what it gets and answers as it is told."""

    def __init__(self) -> None:
        self.status, self.body = 200, b"ok"
        self.headers: dict[str, str] = {}
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((self.path, dict(self.headers), body))
                self.send_response(receiver.status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(receiver.body)

            def log_message(self, *args: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def poster(self) -> Poster:
        route = f"http://127.0.0.1:{self._server.server_port}"
        return Poster("ada@example.org", routes={"hooks.example.org": route})

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.close()


def test_a_message_arrives_with_what_it_is_signed_with(receiver: Receiver) -> None:
    posted = receiver.poster.post(ADDRESS, b'{"text": "\xc3\xa9"}', {"X-Broadsheet-Signature": "t=1,v1=ab"})
    assert (posted.status, posted.said) == (200, "ok")
    [(path, headers, body)] = receiver.got
    assert (path, body) == ("/services/T0/B0?x=1", b'{"text": "\xc3\xa9"}')
    assert headers["Host"] == "hooks.example.org"
    assert headers["X-Broadsheet-Signature"] == "t=1,v1=ab"
    assert headers["Content-Type"].startswith("application/json")
    assert headers["User-Agent"].startswith("Broadsheet/")


@pytest.mark.parametrize(
    "status",
    [
        pytest.param(204, id="no content"),
        pytest.param(302, id="a redirect is not followed"),
        pytest.param(404, id="nothing there"),
        pytest.param(500, id="broken"),
    ],
)
def test_the_status_is_told_and_nobody_is_asked_twice(receiver: Receiver, status: int) -> None:
    receiver.status, receiver.headers = status, {"Location": "https://elsewhere.example.org/"}
    posted = receiver.poster.post(ADDRESS, b"{}", {})
    assert posted.status == status
    assert len(receiver.got) == 1


def test_what_it_says_against_it_is_kept_in_part(receiver: Receiver) -> None:
    receiver.status, receiver.body = 400, b"invalid_payload\x1b[2J" + b"x" * 10_000
    posted = receiver.poster.post(ADDRESS, b"{}", {})
    assert posted.said.startswith("invalid_payload [2J")
    assert len(posted.said) <= 200


def test_an_endless_answer_is_not_taken_and_the_message_not_repeated(receiver: Receiver) -> None:
    receiver.body = b"x" * 1_000_000
    assert receiver.poster.post(ADDRESS, b"{}", {}).status == 200


@pytest.mark.parametrize(
    "inside",
    [
        pytest.param("127.0.0.1", id="this machine"),
        pytest.param("10.0.0.7", id="a private network"),
        pytest.param("169.254.169.254", id="the metadata of a cloud"),
        pytest.param("::1", id="this machine by IPv6"),
    ],
)
def test_nothing_is_posted_into_a_private_network(inside: str) -> None:
    poster = Poster("", resolving=lambda _host, port: [(2, (inside, port))])
    posted = poster.post(ADDRESS, b"{}", {})
    assert (posted.status, posted.refused) == (0, True)
    assert inside in posted.said


def test_a_host_that_is_not_there_may_be_there_later() -> None:
    def fail(_host: str, _port: int) -> Any:
        raise OSError("no such host")

    posted = Poster("", resolving=fail, limits=Limits(total=2.0)).post(ADDRESS, b"{}", {})
    assert (posted.status, posted.refused) == (0, False)


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("", id="nothing"),
        pytest.param("http://hooks.example.org/", id="without TLS"),
        pytest.param("ftp://hooks.example.org/", id="another scheme"),
        pytest.param("https://", id="no host"),
        pytest.param("https://xn--a/", id="a host that names no letters"),
        pytest.param("https://ada:secret@hooks.example.org/", id="a name and a password"),
        pytest.param("https://hooks.example.org:8065/", id="a port"),
        pytest.param("https://hooks.example.org:99999/", id="no port"),
        pytest.param("https://hooks.example.org/#x", id="a fragment"),
        pytest.param("https://hooks.example.org/a b", id="a blank"),
        pytest.param("https://hooks.example.org/\r\nX: y", id="a line break"),
        pytest.param("https://hooks.example.org/" + "x" * 500, id="too long"),
        pytest.param("javascript:alert(1)", id="a script"),
    ],
)
def test_what_is_no_address_to_post_to(address: str) -> None:
    assert address_problem(address).endswith(".")
    assert Poster("").post(address, b"{}", {}).refused


def test_an_address_may_hold_a_path_and_a_query() -> None:
    assert address_problem(ADDRESS) == ""
