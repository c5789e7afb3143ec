"""Fifty people vote for one paper at the same moment, over four processes: the tally is exact, and no error is seen.

Real requests to a real `broadsheet serve`, on SQLite and on PostgreSQL.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

import pytest

PEOPLE = 50
PAPER = "2401.00001"
FORGERY = "a" * 32  # what the cookie and the form must both hold
VOTED = (303, "/about")  # back to the page on which the form stood
PATIENCE = 60.0  # seconds; a busy machine is not a failed test

_MAKING = """
import json, sys
from datetime import timedelta
import django
django.setup()
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone
from broadsheet.cli import preparing
from broadsheet.papers.actions import store_many
from broadsheet.testing.cast import LANTERN

preparing.prepare_tables(lambda sentence: None)
store_many([LANTERN])
keys = []
for number in range(int(sys.argv[1])):
    joined = timezone.now() - timedelta(days=400)
    user = get_user_model()(name=f"reader{number}", shown="Reader", joined_at=joined)
    user.set_unusable_password()
    user.save()
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    keys.append(session.session_key)
print(json.dumps(keys))
"""

_COUNTING = """
import json
import django
django.setup()
from django.db.models import Count
from broadsheet.community.models.votes import Tally, Vote
tallies = list(Tally.objects.values_list("votes", "held"))
print(json.dumps([tallies, Vote.objects.count(), Vote.objects.filter(state="counted").count()]))
"""


def environment(folder: Path, database: str) -> dict[str, str]:
    kept = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith(("BROADSHEET_", "DJANGO_")) and name != "DATABASE_URL"
    }
    ours = {
        "BROADSHEET_DATA": str(folder),
        "BROADSHEET_MODEL": "none",
        "BROADSHEET_ACCOUNTS": "yes",
        "BROADSHEET_SECRET_KEY": "what sessions made here are signed with, for the server too",
        "BROADSHEET_WEB_PROCESSES": "4",
        "DJANGO_SETTINGS_MODULE": "broadsheet.config.settings",
    }
    return {**kept, **ours, **({"DATABASE_URL": database} if database else {})}


def told(script: str, *arguments: object, env: Mapping[str, str]) -> object:
    """What a script prints as its last line."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@contextmanager
def serving(env: Mapping[str, str]) -> Iterator[int]:
    """Inside, `broadsheet serve` answers at the port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "broadsheet", "serve", "--port", str(port)]
    server = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + PATIENCE
        while not answers(port):
            assert server.poll() is None, "the server ended"
            assert time.monotonic() < until, "the server did not answer in time"
            time.sleep(0.1)
        yield port
    finally:
        server.terminate()
        server.wait(PATIENCE)


def answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    with suppress(OSError), closing(connection):
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    return False


def all_at_once(port: int, wanted: Sequence[tuple[str, str]]) -> Counter[tuple[int, str | None]]:
    """Send these (session, cast or withdraw) at the same moment, each on a connection of its own; what was answered."""
    start = threading.Barrier(len(wanted))
    seen: list[tuple[int, str | None]] = []

    def send(session: str, what: str) -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        connection.connect()
        form = urlencode({"paper": PAPER, "what": what, "next": "/about", "csrfmiddlewaretoken": FORGERY})
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": f"session={session}; csrf={FORGERY}",
        }
        start.wait(PATIENCE)
        with closing(connection):
            connection.request("POST", "/vote", form, headers)
            answer = connection.getresponse()
            seen.append((answer.status, answer.headers["Location"]))

    threads = [threading.Thread(target=send, args=one) for one in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    return Counter(seen)


@pytest.fixture
def postgresql() -> Iterator[str]:
    """The address of an empty database of our own on the server of this stage."""
    import psycopg
    from psycopg import sql

    server = os.environ["DATABASE_URL"]
    name = f"voters_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield server.replace("/postgres?", f"/{name}?", 1)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def fifty_vote(folder: Path, database: str = "") -> None:
    folder.mkdir()
    env = environment(folder, database)
    sessions = told(_MAKING, PEOPLE, env=env)
    assert isinstance(sessions, list)
    with serving(env) as port:
        # Everybody clicks twice.
        assert all_at_once(port, [(session, "cast") for session in sessions * 2]) == {VOTED: 2 * PEOPLE}
        assert told(_COUNTING, env=env) == [[[PEOPLE, 0]], PEOPLE, PEOPLE]
        leaving = [(session, "withdraw") for session in sessions[:20]]
        staying = [(session, "cast") for session in sessions[20:]]
        assert all_at_once(port, leaving + staying) == {VOTED: PEOPLE}
        assert told(_COUNTING, env=env) == [[[PEOPLE - 20, 0]], PEOPLE, PEOPLE - 20]


@pytest.mark.process
def test_on_sqlite(tmp_path: Path) -> None:
    fifty_vote(tmp_path / "data")


@pytest.mark.postgresql
def test_on_postgresql(tmp_path: Path, postgresql: str) -> None:
    fifty_vote(tmp_path / "data", postgresql)
