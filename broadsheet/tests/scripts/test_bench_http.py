"""The benchmark of requests a second: it blames a slow server for all that were due, and counts every failure."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def bench(repository: Path) -> Iterator[Any]:
    """The benchmark as a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(repository / "broadsheet" / "benchmarks"))
        import bench_http

        yield bench_http
    for name in ("bench_http", "bench_pages", "corpus", "recording"):
        sys.modules.pop(name, None)


class Server(ThreadingHTTPServer):
    """A server that stands still while `stopped` is set, and answers `status`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.goes_on = threading.Event()
        self.goes_on.set()
        self.status = 200
        self.seen: list[tuple[str, str | None]] = []


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        self.server.goes_on.wait(30)
        self.server.seen.append((self.path, self.headers["Cookie"]))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()


def test_requests_are_sent_on_time_with_their_headers(bench: Any, server: Server) -> None:
    found = bench.paced(server.server_port, ["/a", "/b"], bench.COOKIE, 50, 0.4)
    assert (found["failed"], found["requests_per_s"]) == (0, 50)
    assert sorted(server.seen) == sorted([("/a", "theme=none"), ("/b", "theme=none")] * 10)


def test_a_server_that_stood_still_is_blamed_for_all_that_were_due(bench: Any, server: Server) -> None:
    server.goes_on.clear()
    threading.Timer(1.0, server.goes_on.set).start()
    found = bench.paced(server.server_port, ["/"], {}, 40, 0.5)
    assert found["failed"] == 0
    assert found["p50_ms"] > 500


def test_what_is_refused_has_failed(bench: Any, server: Server) -> None:
    server.status = 503
    found = bench.paced(server.server_port, ["/"], {}, 40, 0.25)
    assert found["failed"] == 10


def test_nobody_there_is_a_failure_of_each(bench: Any, server: Server) -> None:
    port = server.server_port
    server.shutdown()
    server.server_close()
    began = time.monotonic()
    assert bench.paced(port, ["/"], {}, 40, 0.25)["failed"] == 10
    assert time.monotonic() - began < 20


def way(rate: float, p99: float, target: int | None) -> dict[str, Any]:
    """The figures of one way of asking."""
    reached = {} if target is None else {"reached": rate >= target and p99 < 100}
    return {"requests_per_s": rate, "paced": {"p99_ms": p99, "failed": 0}, "refused": 0, "failed": 0,
            "target": target, **reached}  # fmt: skip


def test_the_summary_is_the_worst_of_what_has_a_target(bench: Any) -> None:
    kinds = {
        "front_page": {"repeated": way(5000, 3, 1000), "conditional": way(6000, 4, 1000), "uncached": way(90, 40, 100)},
        "paper": {"repeated": way(4000, 9, 1000), "conditional": way(7000, 2, 1000), "uncached": way(20, 400, None)},
        "api_edition": {"uncached": way(10, 900, None)},
    }
    assert bench.summary(kinds) == {
        "kept": {"least_requests_per_s": 4000, "greatest_p99_ms": 9, "reached": True},
        "made": {"least_requests_per_s": 90, "greatest_p99_ms": 40, "reached": False},
    }
    assert bench.errors(kinds) == 0


@pytest.mark.parametrize(
    ("kept", "edition", "way", "target"),
    [
        pytest.param(True, True, "repeated", 1000, id="what is kept"),
        pytest.param(True, False, "conditional", 1000, id="what is kept and not sent"),
        pytest.param(True, True, "uncached", 100, id="an edition that is made"),
        pytest.param(True, False, "uncached", None, id="something else that is made"),
        pytest.param(False, False, "uncached", None, id="our interface"),
    ],
)
def test_targets(kept: bool, edition: bool, way: str, target: int | None, bench: Any) -> None:
    assert bench.Kind("any", "/", ["/"], kept=kept, edition=edition).target(way) == target
