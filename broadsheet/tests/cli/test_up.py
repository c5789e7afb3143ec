"""`broadsheet up` as a person meets it: it starts, answers, survives crashes, ends cleanly, refuses in sentences."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.process

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The data folder of a test."""
    return tmp_path / "data"


@pytest.fixture
def used(data: Path, made: Path) -> Path:
    """A data folder that was used before."""
    shutil.copytree(made, data)
    return data


class TestStarting:
    def test_from_nothing_to_a_front_page(self, up: Any, answer: Any, data: Path) -> None:
        running, address = up()
        said = "\n".join(running.lines)
        assert said.index("making the database") < said.index("loading the starter catalogue")
        assert "273 papers are in it" in said
        assert b"<html" in answer(address)
        for path in (data, *data.rglob("*")):
            assert path.stat().st_mode & 0o077 == 0, f"others can use {path}"

    def test_a_second_start_has_nothing_to_do_before_it_answers(self, up: Any, answer: Any, used: Path) -> None:
        """How long it takes is measured by bench-pages, beside everything else that takes time."""
        running, address = up(data=used)
        assert b"<html" in answer(address)
        os.kill(running.pid, signal.SIGTERM)
        running.ends()
        assert not any("·" in line for line in running.lines)

    def test_without_the_starter_catalogue_when_the_settings_say_so(self, up: Any, answer: Any) -> None:
        running, address = up(BROADSHEET_STARTER="no")
        assert b"<html" in answer(address)
        assert not any("the starter catalogue" in line for line in running.lines)

    def test_on_every_address_under_the_names_that_were_allowed(self, up: Any, used: Path) -> None:
        allowed = {"BROADSHEET_ALLOWED_HOSTS": "papers.example", "BROADSHEET_ACCOUNTS": "yes"}
        _, address = up("--host", "0.0.0.0", data=used, **allowed)
        assert address.startswith("http://papers.example:")
        port = int(address.rstrip("/").rpartition(":")[2])
        assert _status(port, "papers.example") == 200
        assert _status(port, "strangers.example") == 400

    def test_what_is_imported_meanwhile_is_found(
        self, up: Any, used: Path, broadsheet: Run, tmp_path: Path, eventually: Any
    ) -> None:
        up(data=used)
        paper = {"title": "Lamps for Zebras", "arxiv_id": "2403.00003", "abstract": "A zebra with a lamp."}
        (tmp_path / "one.jsonl").write_text(json.dumps(paper) + "\n")
        done = broadsheet("import", tmp_path / "one.jsonl")
        assert done.returncode == 0
        assert "Another process" not in done.stderr
        eventually(lambda: "2403.00003" in broadsheet("search", "zebra").stdout)


class TestEnding:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
    def test_a_signal_ends_all_processes(
        self, number: signal.Signals, up: Any, used: Path, alive: Any, eventually: Any
    ) -> None:
        running, _ = up(data=used)
        # The worker, and a web server that divides itself into two, of which one may answer before the other is there.
        eventually(lambda: len(running.children()) == 4)
        children = running.children()
        os.kill(running.pid, number)
        assert running.ends(within=20) == 0
        assert not [pid for pid in children if alive(pid)]

    def test_killing_the_supervisor_leaves_no_child(self, up: Any, used: Path, alive: Any, eventually: Any) -> None:
        running, _ = up(data=used)
        eventually(lambda: len(running.children()) == 4)
        children = running.children()
        os.kill(running.pid, signal.SIGKILL)
        running.ends()
        eventually(lambda: not any(alive(pid) for pid in children), within=10)

    def test_it_can_be_ended_while_it_prepares(self, start: Any, data: Path, instance: Any, alive: Any) -> None:
        running = start("-m", "broadsheet", "up", "--port", "0", env=instance(data))
        running.says("making the database")
        children = running.children()
        os.kill(running.pid, signal.SIGTERM)
        assert running.ends(within=20) == 0
        assert not [pid for pid in children if alive(pid)]


class TestCrashes:
    def test_a_worker_that_was_killed_is_started_again(self, up: Any, used: Path, eventually: Any) -> None:
        running, _ = up(data=used)
        worker = running.child("broadsheet.cli.worker")
        os.kill(worker, signal.SIGKILL)
        running.says(r"The worker ended unexpectedly \(signal SIGKILL\)\. It starts again in 1 s\.")
        eventually(lambda: any("cli.worker" in command for command in running.commands()))

    def test_a_web_server_that_was_killed_answers_again_at_the_same_address(
        self, up: Any, used: Path, answer: Any
    ) -> None:
        running, address = up(data=used)
        os.kill(running.child("broadsheet.cli.web"), signal.SIGKILL)
        running.says("The web server ended unexpectedly")
        # The supervisor holds the socket: requests wait for the new server instead of being refused.
        assert b"<html" in answer(address)


class TestRefusing:
    def refuses(self, done: subprocess.CompletedProcess[str], *words: str) -> None:
        """It ended with status 1 and one sentence that has these words."""
        assert done.returncode == 1
        assert done.stderr.count("Error: ") == 1, done.stderr
        assert "Traceback" not in done.stderr
        for word in words:
            assert word in done.stderr

    @pytest.fixture
    def busy(self) -> Iterator[int]:
        """A port that another program listens on."""
        with socket.create_server(("127.0.0.1", 0)) as other:
            yield other.getsockname()[1]

    def test_a_busy_port_before_anything_is_written(self, broadsheet: Run, busy: int, data: Path) -> None:
        done = broadsheet("up", "--port", str(busy))
        self.refuses(done, f"Port {busy} of 127.0.0.1 is in use by another program.", f"--port {busy + 1}")
        assert not data.exists()

    def test_a_second_start_on_the_same_folder(self, broadsheet: Run, up: Any, used: Path, answer: Any) -> None:
        _, address = up(data=used)
        done = broadsheet("up", "--port", "0")
        self.refuses(done, f"Broadsheet already runs on {used} at {address}")
        assert b"<html" in answer(address)

    def test_a_newer_database_which_is_left_alone(self, broadsheet: Run, used: Path) -> None:
        database = used / "broadsheet.sqlite3"
        with closing(sqlite3.connect(database)) as future:
            future.execute("PRAGMA journal_mode=DELETE")
            future.execute(
                "INSERT INTO django_migrations (app, name, applied) VALUES ('papers', '9999_from_later', '2030-01-01')"
            )
            future.commit()
        with closing(sqlite3.connect(database)) as future:
            future.execute("PRAGMA journal_mode=WAL")
        before = hashlib.sha256(database.read_bytes()).hexdigest()
        done = broadsheet("up", "--port", "0")
        assert "was written by a newer Broadsheet" in done.stderr
        assert "papers.9999_from_later" in done.stderr
        assert done.returncode == 1
        assert hashlib.sha256(database.read_bytes()).hexdigest() == before

    def test_a_file_in_place_of_the_folder(self, broadsheet: Run, data: Path) -> None:
        data.write_text("precious")
        self.refuses(broadsheet("up", "--port", "0"), "a file stands where the folder should be")
        assert data.read_text() == "precious"

    def test_a_folder_that_can_only_be_read(self, data: Path, instance: Any) -> None:
        data.mkdir()
        command = [sys.executable, "-m", "broadsheet", "up", "--port", "0"]
        done = _read_only(data, command, instance(data))
        self.refuses(done, "cannot be used", "--data", "Nothing was written.")
        assert list(data.iterdir()) == []

    def test_a_disk_that_is_full_leaves_nothing_half_written(self, data: Path, instance: Any, up: Any) -> None:
        def no_large_files() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

        command = [sys.executable, "-m", "broadsheet", "up", "--port", "0"]
        done = subprocess.run(
            command,
            env=instance(data),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            preexec_fn=no_large_files,
        )
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert "What was being written was undone" in done.stderr
        assert not list(data.glob("broadsheet.sqlite3*"))
        assert not (data / "secret").exists()
        up()

    @pytest.mark.parametrize(
        ("host", "words"),
        [
            pytest.param("0.0.0.0", "shows this instance to other machines", id="every address"),
            pytest.param("::", "shows this instance to other machines", id="every address, IPv6"),
            pytest.param("192.0.2.1", "shows this instance to other machines", id="a public address"),
        ],
    )
    def test_other_machines_without_names_for_them(self, host: str, words: str, broadsheet: Run, data: Path) -> None:
        for more in ({}, {"BROADSHEET_ACCOUNTS": "yes"}):
            done = broadsheet("up", "--port", "0", "--host", host, **more)
            self.refuses(done, words, "BROADSHEET_ALLOWED_HOSTS=")
        assert not data.exists()

    @pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
    def test_other_machines_without_accounts(self, host: str, broadsheet: Run, data: Path) -> None:
        done = broadsheet("up", "--port", "0", "--host", host, BROADSHEET_ALLOWED_HOSTS="papers.example")
        self.refuses(done, "without accounts it belongs to whoever asks", "BROADSHEET_ACCOUNTS=yes")
        assert not data.exists()

    def test_an_address_of_another_machine(self, broadsheet: Run, data: Path) -> None:
        allowed = {"BROADSHEET_ALLOWED_HOSTS": "a.example", "BROADSHEET_ACCOUNTS": "yes"}
        done = broadsheet("up", "--port", "0", "--host", "192.0.2.1", **allowed)
        self.refuses(done, "192.0.2.1 is not an address of this machine")
        assert not data.exists()

    def test_a_malformed_port(self, broadsheet: Run) -> None:
        self.refuses(broadsheet("up", "--port", "http"), "BROADSHEET_PORT is 'http'")


HALF_A_HEAD = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "
HALF_A_BODY = b"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 50000\r\n\r\n{"
A_REQUEST = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


class TestSlowClients:
    @pytest.mark.parametrize(
        "sent",
        [
            pytest.param(HALF_A_HEAD, id="half a head"),
            pytest.param(b"G", id="one byte"),
            pytest.param(b"\r\n\r\n\r\n", id="empty lines"),
            pytest.param(A_REQUEST + HALF_A_HEAD, id="a request and half a head"),
            pytest.param(HALF_A_BODY, id="half a body"),
        ],
    )
    def test_others_are_answered_and_the_slow_ones_dropped(self, sent: bytes, up: Any, used: Path, answer: Any) -> None:
        _, address = up(data=used)
        answer(f"{address}healthz")
        began = time.monotonic()
        slow = [_client(address) for _ in range(16)]
        try:
            for one in slow:
                one.sendall(sent)
            time.sleep(0.3)
            assert b"ok" in answer(f"{address}healthz")
            assert time.monotonic() - began < 3
            for one in slow:
                while one.recv(65_536):
                    pass
            assert time.monotonic() - began < 12
        finally:
            for one in slow:
                one.close()

    def test_single_bytes_do_not_prolong_it(self, up: Any, used: Path) -> None:
        _, address = up(data=used)
        began = time.monotonic()
        with _client(address) as slow, contextlib.suppress(OSError):
            slow.sendall(HALF_A_HEAD)
            while time.monotonic() - began < 20:
                slow.sendall(b"x")
                time.sleep(0.2)
        assert time.monotonic() - began < 12

    @pytest.mark.parametrize("length", [50_000, 500_000], ids=["short", "long"])
    def test_a_body_that_trickles_is_given_up(self, length: int, up: Any, used: Path) -> None:
        _, address = up(data=used)
        began = time.monotonic()
        with _client(address) as slow, contextlib.suppress(OSError):
            slow.sendall(HALF_A_BODY.replace(b"50000", str(length).encode()))
            while time.monotonic() - began < 60:
                slow.sendall(b"x")
                time.sleep(0.2)
        assert time.monotonic() - began < 40

    def test_a_body_in_parts_is_one_request(self, up: Any, used: Path) -> None:
        _, address = up(data=used)
        body = b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}' + b" " * 30_000
        head = (
            b"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            b"Accept: application/json, text/event-stream\r\nContent-Length: %d\r\n\r\n" % len(body)
        )
        with _client(address) as client:
            for start in range(0, len(head + body), 5_000):
                client.sendall((head + body)[start : start + 5_000])
                time.sleep(0.02)
            assert client.recv(65_536).startswith(b"HTTP/1.1 200 ")

    def test_a_head_in_parts_is_one_request(self, up: Any, used: Path) -> None:
        _, address = up(data=used)
        with _client(address) as client:
            for _again in range(2):
                for position in range(0, len(A_REQUEST), 10):
                    client.sendall(A_REQUEST[position : position + 10])
                    time.sleep(0.02)
                answered = b""
                while not answered.endswith(b"ok\n"):
                    answered += client.recv(65_536)
                assert answered.startswith(b"HTTP/1.1 200 ")

    def test_a_head_without_end_is_refused(self, up: Any, used: Path) -> None:
        _, address = up(data=used)
        with _client(address) as client:
            client.sendall(HALF_A_HEAD + b"x" * 65_536)
            assert client.recv(65_536).startswith(b"HTTP/1.1 431 ")


class TestHalves:
    def test_serve_answers_without_a_worker(self, start: Any, used: Path, instance: Any, answer: Any) -> None:
        running = start("-m", "broadsheet", "serve", "--port", "0", env=instance(used))
        address = running.says(r"listens at (http://\S+)")[1]
        assert b"<html" in answer(address)
        os.kill(running.pid, signal.SIGTERM)
        assert running.ends(within=20) == 0

    def test_serve_makes_no_database(self, broadsheet: Run, data: Path) -> None:
        done = broadsheet("serve", "--port", "0")
        assert "There is no database in" in done.stderr
        assert done.returncode == 1
        assert not data.exists()

    def test_one_worker_is_enough(
        self, start: Any, used: Path, instance: Any, broadsheet: Run, eventually: Any
    ) -> None:
        running = start("-m", "broadsheet", "work", env=instance(used))
        eventually(lambda: "process" in ((used / "worker.lock").read_text() if (used / "worker.lock").exists() else ""))
        done = broadsheet("work")
        assert done.returncode == 1
        assert "Another worker already works on" in done.stderr
        os.kill(running.pid, signal.SIGTERM)
        assert running.ends(within=20) == 0


def _client(address: str) -> socket.socket:
    """A connection to the web server that says nothing yet."""
    return socket.create_connection(("127.0.0.1", int(address.rstrip("/").rpartition(":")[2])), timeout=30)


def _status(port: int, name: str) -> int:
    """The status that a browser gets which knows us under this name."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    with closing(connection):
        connection.request("GET", "/", headers={"Host": name})
        return connection.getresponse().status


def _read_only(folder: Path, command: list[str], env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command that cannot write to `folder`. Rights do not bind root, for whom a read-only mount is made."""
    if os.geteuid() == 0:
        mount = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
        command = ["unshare", "--mount", "sh", "-c", mount, str(folder), *command]
    else:
        folder.chmod(0o500)
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)
