"""A real server of ours on loopback, one that repeats recorded answers of the original, and two official clients."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from broadsheet.testing.origin import Origin, Reply, Request

# The newest client is one of the packages of the tests. The oldest one that has these calls is installed beside them.
OLDEST = Path(sys.prefix) / "hf-oldest"
CLIENT = Path(__file__).with_name("official_client.py")

PATIENCE = 60.0  # seconds; a busy machine is not a failed test

_REPOSITORIES = ("Models", "Datasets", "Spaces")

# The papers of the editions: a day, and how many.
DAYS = {"2024-01-31": 1, "2024-02-29": 3, "2024-03-01": 60, "2024-03-04": 5}


class Client:
    """A process of one version that asks one server."""

    def __init__(self, version: str, endpoint: str, home: Path) -> None:
        (home / ".check_for_update_done").touch()  # the older client asks a registry once a day otherwise
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "HF_HOME": str(home),
            "HF_ENDPOINT": endpoint,
            "HF_HUB_DISABLE_UPDATE_CHECK": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "NO_PROXY": "127.0.0.1",
            "NO_COLOR": "1",
            "COLUMNS": "200",
        }
        if version == "oldest":
            environment["PYTHONPATH"] = str(OLDEST)
        self._process = subprocess.Popen(
            [sys.executable, str(CLIENT)], env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def call(self, name: str, **arguments: Any) -> dict[str, Any]:
        """What a method of `HfApi` gives."""
        return self._ask({"call": name, "arguments": arguments})

    def hf(self, *arguments: str) -> dict[str, Any]:
        """What the command prints."""
        return self._ask({"hf": arguments})

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):  # it may have ended by itself, which its test has told
            self._process.stdin.close()
        self._process.wait(PATIENCE)
        self._process.stdout.close()

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(question), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        assert line, "the client ended; what it said is above"
        answer: dict[str, Any] = json.loads(line)
        return answer


Clients = Callable[[str, str], Client]


@pytest.fixture(params=["oldest", "newest"])
def version(request: pytest.FixtureRequest) -> str:
    """Which of the two clients."""
    return str(request.param)


@pytest.fixture(scope="session")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    """The client of a version that asks a server: `clients("oldest", address)`. Each is started once."""
    missing = [name for name in ("huggingface_hub", "typer") if not (OLDEST / name).is_dir()]
    if missing:
        pytest.fail(
            f"There is no {' and no '.join(missing)} in {OLDEST}: requirements/hf_oldest.txt, by `make test`.",
            pytrace=False,
        )
    started: dict[tuple[str, str], Client] = {}
    with ExitStack() as stack:

        def client(version: str, endpoint: str) -> Client:
            if (version, endpoint) not in started:
                made = Client(version, endpoint, tmp_path_factory.mktemp("hf"))
                stack.callback(made.close)
                started[version, endpoint] = made
            return started[version, endpoint]

        yield client


@pytest.fixture(scope="session")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an instance with the papers of `DAYS`, an old one, one without an identifier of arXiv."""
    folder = tmp_path_factory.mktemp("served")
    saved = folder / "papers.jsonl"
    saved.write_text("".join(json.dumps(paper) + "\n" for paper in _papers()), encoding="utf-8")
    environment = {
        **{name: text for name, text in os.environ.items() if not name.startswith(("BROADSHEET_", "DJANGO_"))},
        "BROADSHEET_DATA": str(folder / "data"),
        "BROADSHEET_STARTER": "no",
        "PYTHONUNBUFFERED": "1",
    }
    program = [sys.executable, "-m", "broadsheet"]
    subprocess.run([*program, "import", str(saved)], env=environment, check=True, timeout=PATIENCE, capture_output=True)
    serving = subprocess.Popen(
        [*program, "serve", "--port", "0"], env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert serving.stdout is not None
    try:
        line = serving.stdout.readline()
        address = line.split()[-1].rstrip("/")
        with urlopen(f"{address}/healthz", timeout=PATIENCE) as answer:
            assert answer.read() == b"ok\n", line
        yield address
    finally:
        serving.terminate()
        serving.wait(PATIENCE)
        serving.stdout.close()


@pytest.fixture(scope="session")
def original(protocol: Path) -> Iterator[str]:
    """The address of a server that repeats a recorded list of the original, and its papers one by one."""
    recorded = (protocol / "hf_daily_papers_api" / "hf_daily_papers.json").read_bytes()
    papers = [item["paper"] for item in json.loads(recorded)]
    # No recorded answer about one paper is known; the client's code and its users name these (API_SHAPES.md).
    linked = {f"linked{kind}": [] for kind in _REPOSITORIES} | {f"numTotal{kind}": 0 for kind in _REPOSITORIES}

    def reply(request: Request) -> Reply:
        headers = {"Content-Type": "application/json; charset=utf-8"}
        if request.path in {"/api/daily_papers", "/api/papers/search"}:
            return Reply(body=recorded, headers=headers)
        if request.path.startswith("/api/papers/"):
            place = sum(request.path.encode()) % len(papers)
            return Reply(body=json.dumps(papers[place] | linked).encode(), headers=headers)
        if request.path.endswith(".md"):
            return Reply(body=b"# A Lamp for Every Step\n", headers={"Content-Type": "text/markdown; charset=utf-8"})
        return Reply(404)

    with Origin(reply) as origin:
        yield origin.url


@pytest.fixture
def listening() -> Iterator[Origin]:
    """A server that gives empty answers and remembers what it was asked."""
    answers = {"/api/daily_papers": b"[]", "/api/papers/search": b"[]"}

    def reply(request: Request) -> Reply:
        if "/2401.00001" in request.path:
            return Reply(body=b"{}")
        return Reply(body=answers[request.path]) if request.path in answers else Reply(404)

    with Origin(reply) as origin:
        yield origin


def _papers() -> Iterator[dict[str, Any]]:
    """The records of the instance that is asked."""
    for day, count in DAYS.items():
        for number in range(count):
            yield {
                "title": f"Lamp {number} of {day}",
                "abstract": "We place a lamp on every step.",
                "authors": ["Ada Example", "Chloé Exemple"],
                "arxiv_id": f"{day[2:4]}{day[5:7]}.{day[8:]}{number:03}",
                "announced": day,
                "submitted": day,
            }
    yield {
        "title": 'Harbour: $\\ell_2$ Bridges of Schr\\"odinger',
        "abstract": "Bridges are found. <b>Harbours</b> are not.",
        "authors": ["Đorđe Primer"],
        "doi": "10.1000/harbour.7",
        "announced": "2024-03-04",
        "organization": "Example Lab",
        "code_url": "https://github.com/example/harbour",
        "project_url": "https://example.org/harbour",
    }
    yield {"title": "Meadow without Feedback", "authors": [], "arxiv_id": "math/0611800", "submitted": "2006-11"}
