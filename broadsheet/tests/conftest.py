"""What every test can ask for: the shared data, a folder of its own, a browser. How tests are sorted into stages."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

REPOSITORY = Path(__file__).resolve().parents[2]
SCRIPTS = REPOSITORY / "scripts"
SHARED_VARIABLE = "BROADSHEET_SHARED"
DATABASE_FIXTURES = frozenset({"db", "transactional_db", "live_server", "django_db_reset_sequences"})

# A browser that talks to nobody but our server. Chromium's own sandbox cannot work for root, and the pages are ours.
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

sys.path.insert(0, str(SCRIPTS))

# No deadline: a machine that is busy with something else is not a failed test. In CI the examples are the same each
# time, so that a red run is the fault of the change it runs on.
hypothesis.settings.register_profile("here", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "here")


def shared_folder() -> Path:
    """Where the large real data should be: beside the repository, unless BROADSHEET_SHARED names another folder."""
    return Path(os.environ.get(SHARED_VARIABLE) or REPOSITORY.parent / "shared" / "data")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marks that sort tests into the suite's stages."""
    config.addinivalue_line("markers", "database: uses the database (given automatically)")
    config.addinivalue_line("markers", "postgresql: makes no sense without PostgreSQL; run by that stage only")


def _uses_database(item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    return item.get_closest_marker("django_db") is not None or bool(fixtures & DATABASE_FIXTURES)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what uses the database or the shared data; take out what reads data that this machine does not have."""
    for item in items:
        if _uses_database(item):
            item.add_marker("database")
        if "shared_data" in getattr(item, "fixturenames", ()):
            item.add_marker("shared")
    if shared_folder().is_dir():
        return
    without = [item for item in items if item.get_closest_marker("shared")]
    if without:
        config.stash[_WITHOUT_SHARED] = len(without)
        config.hook.pytest_deselected(items=without)
        items[:] = [item for item in items if not item.get_closest_marker("shared")]


_WITHOUT_SHARED = pytest.StashKey[int]()


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say loudly what was taken out, and where the data was looked for."""
    if not shared_folder().is_dir():
        count = config.stash.get(_WITHOUT_SHARED, 0)
        terminalreporter.write_line(
            f"TESTS ON THE LARGE REAL DATA WERE NOT RUN{f' ({count})' if count else ''}: no folder {shared_folder()}. "
            f"{SHARED_VARIABLE} can name another.",
            yellow=True,
            bold=True,
        )


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder of the whole repository."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of the large real data. A test that asks for it gets the mark `shared` by itself."""
    return shared_folder()


@pytest.fixture(scope="session")
def protocol(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recorded answers of origins, unpacked once for this run. A test that asks for it is marked `shared`."""
    folder = tmp_path_factory.mktemp("protocol")
    command = ["zstd", "-dcq", str(shared_data / "protocol" / "protocol.tar.zst")]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE) as unpacking,
        tarfile.open(fileobj=unpacking.stdout, mode="r|") as archive,
    ):
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="session", autouse=True)
def _own_data_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A program that a test starts without naming a data folder gets one of ours, never the developer's own.

    It searches by words: reading hundreds of papers takes seconds, and only a few tests are about that.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BROADSHEET_DATA", str(tmp_path_factory.mktemp("instance")))
        patch.setenv("BROADSHEET_MODEL", "none")
        yield


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> Iterator[None]:
    """A password costs microseconds here, not the tenth of a second and 100 MB that keep thieves from guessing it.

    The algorithm and all that is written about it stay; programs that a test starts have the full cost.
    """
    from django.contrib.auth.hashers import Argon2PasswordHasher

    with pytest.MonkeyPatch.context() as patch:
        for name, cheapest in (("time_cost", 1), ("memory_cost", 8), ("parallelism", 1)):
            patch.setattr(Argon2PasswordHasher, name, cheapest)
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_order_by_chance() -> Iterator[None]:
    """What asks SQLite for rows and names no order gets them in the reverse of the usual one.

    PostgreSQL gives them as it likes. So what relies on an order that it did not ask for fails here each time, and not
    there now and then. Rows that an order leaves equal come as ever, and so do those of programs that a test starts.
    """
    from django.db.backends.signals import connection_created

    def reverse(*, connection: Any, **_: Any) -> None:
        if connection.vendor == "sqlite":
            connection.cursor().execute("PRAGMA reverse_unordered_selects = ON")

    connection_created.connect(reverse)
    yield
    connection_created.disconnect(reverse)


@pytest.fixture(autouse=True)
def data_folder(request: pytest.FixtureRequest) -> Path | None:
    """For a test that uses the database: a data folder of its own, with an empty place for the index; else None."""
    if request.node.get_closest_marker("database") is None:
        return None
    folder: Path = request.getfixturevalue("tmp_path") / "instance"
    folder.mkdir()
    from broadsheet.web import rates

    settings = request.getfixturevalue("settings")
    settings.BROADSHEET_DATA = folder
    settings.BROADSHEET_INDEX = folder / "index"
    settings.BROADSHEET_SECRET_FILE = folder / "secret"
    settings.BROADSHEET_MODEL = ""
    settings.BROADSHEET_ACCOUNTS = True
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": folder / "cache"}}
    rates.counts.forget()
    return folder


@pytest.fixture(scope="session")
def chromium_path() -> Path:
    """A Chromium that runs. The suite finds or installs one beforehand; by hand, whatever is on this machine."""
    import chromium

    browser = chromium.find(os.environ)
    if browser is None:
        pytest.fail("There is no Chromium on this machine; `make test` would try to install it.", pytrace=False)
    return browser.path


@pytest.fixture(scope="session")
def browser(chromium_path: Path) -> Iterator[Browser]:
    """A running headless Chromium, one for the whole session; open a context in it for each test."""
    from playwright.sync_api import sync_playwright

    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright runs an event loop in this thread, by which Django takes every query for a mistake.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "yes")
        chromium = playwright.chromium.launch(executable_path=chromium_path, args=list(CHROMIUM_ARGUMENTS))
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """The folder for pictures of pages. It is output of the run, never part of the repository."""
    folder = REPOSITORY / "build" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
