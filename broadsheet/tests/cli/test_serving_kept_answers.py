"""What is kept for a moment, as a reader of the real server meets it."""

from __future__ import annotations

import json
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.process

AGAIN = 40  # questions; two processes answer them, and each keeps its own


class Reader:
    """Somebody who asks the server over one connection after the other."""

    def __init__(self, address: str) -> None:
        self.port = int(address.rstrip("/").rpartition(":")[2])

    def ask(self, path: str = "/", method: str = "GET", **headers: str) -> tuple[HTTPResponse, bytes]:
        """The answer and its body."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, headers={name.replace("_", "-"): text for name, text in headers.items()})
            answer = connection.getresponse()
            return answer, answer.read()
        finally:
            connection.close()


@pytest.fixture
def reader(up: Any, made: Path, tmp_path: Path) -> Reader:
    """A reader of an instance where people have accounts."""
    shutil.copytree(made, tmp_path / "data")
    return Reader(up(BROADSHEET_ACCOUNTS="yes")[1])


def test_who_asks_again_at_once_is_given_the_same(reader: Reader) -> None:
    answers = [reader.ask() for _ in range(AGAIN)]
    kept = [answer for answer, _ in answers if answer.getheader("Age") is not None]
    assert kept, "none of them was kept"
    assert {answer.getheader("Age") for answer in kept} <= {"0", "1", "2"}
    assert len({body for _, body in answers}) == 1
    for answer in kept:
        named = [name.lower() for name, _ in answer.getheaders()]
        assert len(named) == len(set(named)), "a header stands there twice"
        assert "content-security-policy" in named
    tag = answers[0][0].getheader("ETag")
    unchanged = [reader.ask(If_None_Match=tag) for _ in range(AGAIN)]
    assert {(answer.status, body) for answer, body in unchanged} == {(304, b"")}
    heads = [reader.ask(method="HEAD") for _ in range(AGAIN)]
    assert {answer.getheader("Content-Length") for answer, _ in heads} == {str(len(answers[0][1]))}


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        pytest.param("/", {"Cookie": "session=nobody"}, id="with a cookie"),
        pytest.param("/api/daily_papers", {"Authorization": "Bearer x"}, id="with a token"),
        pytest.param("/status", {}, id="the status"),
        pytest.param("/healthz", {}, id="the health"),
        pytest.param("/api/v1/status", {}, id="our interface"),
    ],
)
def test_some_are_asked_for_each_time(path: str, headers: dict[str, str], reader: Reader) -> None:
    reader.ask("/")
    ages = {reader.ask(path, **headers)[0].getheader("Age") for _ in range(10)}
    assert ages == {None}


def test_what_changes_is_seen_within_seconds_of_being_stored(
    reader: Reader, broadsheet: Any, tmp_path: Path, eventually: Any
) -> None:
    path = "/api/papers/2403.00003"
    assert {reader.ask(path)[0].status for _ in range(10)} == {404}
    paper = {"title": "Lamps for Zebras", "arxiv_id": "2403.00003", "abstract": "A zebra with a lamp."}
    (tmp_path / "one.jsonl").write_text(json.dumps(paper) + "\n")
    assert broadsheet("import", tmp_path / "one.jsonl").returncode == 0
    assert {reader.ask(path)[0].status for _ in range(10)} == {200}
    (tmp_path / "one.jsonl").write_text(json.dumps({**paper, "title": "Lanterns for Zebras"}) + "\n")
    assert broadsheet("import", tmp_path / "one.jsonl").returncode == 0
    time.sleep(2)
    assert all(b"Lanterns for Zebras" in reader.ask(path)[1] for _ in range(10))


def test_many_at_once_are_all_answered(reader: Reader) -> None:
    with ThreadPoolExecutor(32) as readers:
        answers = list(readers.map(lambda _: reader.ask("/editions"), range(320)))
    assert {answer.status for answer, _ in answers} == {200}
    assert len({body for _, body in answers}) == 1
