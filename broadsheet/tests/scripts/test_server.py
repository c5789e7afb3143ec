"""The throw-away PostgreSQL: it answers, and nothing of it stays."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

import debian
import postgres

pytestmark = pytest.mark.postgresql

PROGRAM = Path(postgres.__file__)
PATIENCE = 30  # seconds; machines are busy


def _folders(temporary: Path) -> list[str]:
    return [path.name for path in temporary.iterdir()]


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary folder that every user may enter, short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="b") as name:
        folder = Path(name)
        folder.chmod(0o1777)
        monkeypatch.setenv("TMPDIR", str(folder))
        monkeypatch.setattr(tempfile, "tempdir", str(folder))
        yield folder


def test_it_answers_and_is_gone_afterwards(temporary: Path) -> None:
    installation = postgres.obtain(os.environ)
    with postgres.serving(installation) as server, psycopg.connect(server.url) as connection:
        (encoding,) = connection.execute("SHOW server_encoding").fetchone() or ("",)
        assert encoding == "UTF8"
    with pytest.raises(ProcessLookupError):
        os.kill(server.pid, 0)
    assert _folders(temporary) == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=lambda how: how.name)
def test_an_interrupted_command_leaves_nothing(temporary: Path, how: signal.Signals) -> None:
    command = [sys.executable, str(PROGRAM), "--", sys.executable, "-c"]
    command += ["import os, time; print(os.environ['DATABASE_URL'], flush=True); time.sleep(600)"]
    with subprocess.Popen(
        command, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        assert re.match(r"postgresql://broadsheet@/postgres\?host=", process.stdout.readline())
        process.send_signal(how)
        assert process.wait(PATIENCE) in {130, 143}
    assert _folders(temporary) == []


def test_a_command_hands_its_status_on(temporary: Path) -> None:
    command = [sys.executable, str(PROGRAM), "--", "sh", "-c", 'test -n "$DATABASE_URL" && exit 3']
    assert subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 3
    assert _folders(temporary) == []


def test_a_server_that_cannot_start_says_why_and_leaves_nothing(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(postgres._SETTINGS, "shared_buffers", "not a size")
    installation = postgres.obtain(os.environ)
    with (
        pytest.raises(debian.Unavailable, match="invalid value for parameter"),
        postgres.serving(installation),
    ):
        pass
    assert _folders(temporary) == []
