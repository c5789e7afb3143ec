"""Whatever an origin sends, a caller gets an answer or a failure with a sentence, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from broadsheet.fetching.answers import Failure
from broadsheet.fetching.client import Client
from broadsheet.fetching.limits import Limits
from broadsheet.fetching.network import Address
from broadsheet.fetching.pace import Pace
from broadsheet.testing.origin import Origin, Reply, Request

LIMITS = Limits(pauses=(), total=5.0, silence=1.0, patience=0.0)
HOST = "https://origin.example"

_WORDS = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 302 Found\r\n",
        b"HTTP/1.1 429 \r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"Content-Length: 5\r\n",
        b"Content-Length: 99999999999999999999\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Encoding: gzip\r\n",
        b"Content-Encoding: deflate\r\n",
        b"Location: /\r\n",
        b"Retry-After: \xff\r\n",
        b"ETag: \x7f\r\n",
        b"\r\n",
        b"5\r\nhello\r\n",
        b"0\r\n\r\n",
        b"\x1f\x8b\x08\x00",
    ]
)
_RAW = st.lists(_WORDS | st.binary(max_size=30), max_size=12).map(b"".join)
_VALUE = st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0"), max_size=60)
_NAMES = ("Location", "Retry-After", "ETag", "Last-Modified", "X-Rate-Limit-Limit", "Content-Encoding", "Content-Type")


class Stage:
    """An origin that says what it is told to, and clients that never saw it before."""

    def __init__(self) -> None:
        self.reply = Reply()

    def answer(self, request: Request) -> Reply:
        """The handler."""
        return self.reply

    def ask(self, origin: Origin, reply: Reply) -> None:
        """Ask once; raises what is neither an answer nor a failure."""
        self.reply = reply
        with TemporaryDirectory() as folder:
            client = Client(
                Path(folder),
                contact="",
                routes={HOST: origin.url},
                paces=[Pace("all", ("example", "org", "com", "net"), 0.0, 0.0)],
                limits=LIMITS,
                resolving=_nowhere,
            )
            failure = _failure_of(client)
        if failure is not None:
            assert failure.sentence.isprintable()
            assert failure.sentence.endswith(".")
            assert len(failure.sentence) < 500
            assert failure.cause


def _failure_of(client: Client) -> Failure | None:
    try:
        for _ in range(2):
            client.remember(client.get(f"{HOST}/", accept="*/*", limit=10_000, conditional=True))
    except Failure as failure:
        return failure
    return None


def _nowhere(host: str, port: int) -> list[Address]:
    raise OSError("There is no network.")


@pytest.fixture(scope="module")
def stage() -> Iterator[tuple[Stage, Origin]]:
    """The stage, with its server running."""
    made = Stage()
    with Origin(made.answer) as origin:
        yield made, origin


@settings(max_examples=150)
@example(b"HTTP/1.1 200 OK\r\nContent-Encoding: \x85" + b"\xe9" * 3000 + b"\r\n\r\n")
@given(_RAW)
def test_any_bytes(stage: tuple[Stage, Origin], raw: bytes) -> None:
    made, origin = stage
    made.ask(origin, Reply(raw=raw))


@settings(max_examples=100)
@given(
    st.sampled_from(
        [200, 204, 206, 226, 299, 300, 301, 302, 304, 400, 404, 416, 429, 451, 499, 500, 503, 599, 600, 999]
    ),
    st.dictionaries(st.sampled_from(_NAMES), _VALUE, max_size=5),
)
def test_any_status_with_any_headers(stage: tuple[Stage, Origin], status: int, headers: dict[str, str]) -> None:
    made, origin = stage
    made.ask(origin, Reply(status, b"Meadows", headers))


@settings(max_examples=100)
@given(
    st.sampled_from(["", "//", "https://", "http://", "https://xn--", "https://[", "/", "?", "https://a.example:"]),
    _VALUE,
)
def test_any_redirect(stage: tuple[Stage, Origin], start: str, rest: str) -> None:
    made, origin = stage
    made.ask(origin, Reply(302, headers={"Location": start + rest}))
