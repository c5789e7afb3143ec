"""The server of the tests does what its replies say."""

from __future__ import annotations

import gzip
import time

import httpx
import pytest

from broadsheet.testing.origin import Origin, Reply, Request, bomb


def test_a_request_is_recorded_as_it_came() -> None:
    before = time.monotonic()
    with Origin(lambda request: Reply(body=b"Meadows")) as origin:
        assert (
            httpx.post(f"{origin.url}/a/b?x=1&y=%C3%A9&x=2", content=b"body", headers={"X-Own": "c"}).text == "Meadows"
        )
    (request,) = origin.requests
    assert (request.method, request.path, request.body) == ("POST", "/a/b", b"body")
    assert request.query == {"x": "2", "y": "é"}
    assert request.target == "/a/b?x=1&y=%C3%A9&x=2"
    assert request.headers["x-own"] == "c"
    assert before <= request.at <= time.monotonic()
    assert (origin.connections, origin.most_at_once) == (1, 1)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        pytest.param(Reply(status=0), "without sending a response", id="close without an answer"),
        pytest.param(Reply(body=b"Meadows", cut=3), "received 3 bytes, expected 7", id="cut off in the middle"),
        pytest.param(
            Reply(body=b"Meadows", headers={"Content-Length": "9", "Connection": "close"}),
            "expected 9",
            id="wrong length",
        ),
        pytest.param(Reply(raw=b"Meadows\r\n\r\n"), "illegal", id="anything at all"),
    ],
)
def test_faults(reply: Reply, error: str) -> None:
    with Origin(lambda request: reply) as origin, pytest.raises(httpx.RemoteProtocolError, match=error):
        httpx.get(origin.url)


def test_delay_and_drip() -> None:
    with Origin(lambda request: Reply(body=b"Meadows", delay=0.1, drip=0.02)) as origin:
        begin = time.monotonic()
        assert httpx.get(origin.url).text == "Meadows"
    assert time.monotonic() - begin >= 0.1 + 7 * 0.02


def test_a_bomb_is_small_and_becomes_large() -> None:
    reply = bomb(2 * 1024 * 1024)
    assert len(reply.body) < 10_000
    assert gzip.decompress(reply.body) == bytes(2 * 1024 * 1024)


def test_an_error_of_a_handler_is_raised_at_the_end() -> None:
    def handler(request: Request) -> Reply:
        raise KeyError(request.path)

    with pytest.raises(KeyError, match="/here"), Origin(handler) as origin:
        assert httpx.get(f"{origin.url}/here").status_code == 500


def test_it_ends_at_once_whatever_is_going_on() -> None:
    begin = time.monotonic()
    with Origin(lambda request: Reply(delay=60)) as origin, pytest.raises(httpx.ReadTimeout):
        httpx.get(origin.url, timeout=0.1)
    assert time.monotonic() - begin < 5
