"""How PostgreSQL and Chromium are found, and when they may be installed. Nothing here installs anything."""

from __future__ import annotations

from pathlib import Path

import pytest

import chromium
import debian
import postgres


def _program(path: Path, prints: str = "1.0") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{prints}'\n", encoding="ascii")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("here", "expected"),
    [
        pytest.param(debian.Machine(root=True, apt_get="apt-get"), None, id="root on Debian may install"),
        pytest.param(
            debian.Machine(root=False, apt_get="apt-get"),
            "Only root may install it; run: sudo apt install one other",
            id="others are told how",
        ),
        pytest.param(
            debian.Machine(root=True, apt_get=None),
            "This system has no apt-get; install what Debian calls one other with its own tools.",
            id="other systems are told what",
        ),
    ],
)
def test_who_may_install(here: debian.Machine, expected: str | None) -> None:
    assert debian.refusal(here, ("one", "other")) == expected


def test_a_failed_installation_repeats_the_last_words(tmp_path: Path) -> None:
    apt = tmp_path / "apt-get"
    apt.write_text("#!/bin/sh\necho 'E: no such package'\nexit 100\n", encoding="ascii")
    apt.chmod(0o755)
    with pytest.raises(debian.Unavailable, match=r"status 100.*\n    E: no such package"):
        debian.install(debian.Machine(root=True, apt_get=str(apt)), ("one",))


def test_an_installation_updates_the_lists_first_and_asks_nothing(tmp_path: Path) -> None:
    said = tmp_path / "said"
    apt = tmp_path / "apt-get"
    apt.write_text(f'#!/bin/sh\necho "$DEBIAN_FRONTEND $*" >> {said}\n', encoding="ascii")
    apt.chmod(0o755)
    debian.install(debian.Machine(root=True, apt_get=str(apt)), ("one", "other"))
    update, install = said.read_text(encoding="ascii").splitlines()
    assert update.startswith("noninteractive ")
    assert update.endswith(" update")
    assert install.endswith(" install --yes --no-install-recommends one other")


class TestChromium:
    """Named by the environment, else of the system, else of Playwright."""

    @pytest.fixture
    def home(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setenv("HOME", str(tmp_path))
        return tmp_path

    def test_there_may_be_none(self, home: Path) -> None:
        assert chromium.find({"PATH": str(home)}) is None

    def test_the_system_comes_before_playwright(self, home: Path) -> None:
        system = _program(home / "bin/google-chrome")
        bundled = _program(home / ".cache/ms-playwright/chromium-1200/chrome-linux/chrome")
        found = chromium.candidates({"PATH": str(home / "bin")})
        assert found == [(system, "of this system"), (bundled, "of Playwright")]

    def test_the_newest_of_playwright_comes_first(self, home: Path) -> None:
        old = _program(home / "chromium-1100/chrome-linux/chrome")
        new = _program(home / "chromium-1200/chrome-linux/chrome")
        found = chromium.candidates({"PATH": "", chromium.PLAYWRIGHT_VARIABLE: str(home)})
        assert [path for path, _how in found] == [new, old]

    def test_the_one_that_is_named_is_the_only_one(self, home: Path) -> None:
        _program(home / "bin/chromium")
        named = _program(home / "mine")
        environment = {"PATH": str(home / "bin"), chromium.VARIABLE: str(named)}
        assert chromium.candidates(environment) == [(named, "named by BROADSHEET_CHROMIUM")]

    def test_a_wrong_name_is_not_passed_over(self, home: Path) -> None:
        _program(home / "bin/chromium")
        with pytest.raises(debian.Unavailable, match="is not a program"):
            chromium.find({"PATH": str(home / "bin"), chromium.VARIABLE: str(home / "gone")})

    def test_one_that_does_not_run_is_passed_over(self, home: Path) -> None:
        broken = _program(home / "bin/chromium")
        broken.write_text("#!/bin/sh\necho 'install the snap' >&2\nexit 1\n", encoding="ascii")
        works = _program(home / "bin/google-chrome", "Google Chrome 150")
        assert chromium.find({"PATH": str(home / "bin")}) == chromium.Browser(
            works, "of this system", "Google Chrome 150"
        )


class TestPostgreSQL:
    """Debian's folders, newest version first, else whatever is in PATH."""

    def _installation(self, folder: Path) -> Path:
        _program(folder / "initdb")
        _program(folder / "postgres", f"postgres (PostgreSQL) {folder.parent.name}")
        return folder

    def test_there_may_be_none(self, tmp_path: Path) -> None:
        assert postgres.candidates({"PATH": ""}, tmp_path) == []

    def test_the_newest_version_comes_first(self, tmp_path: Path) -> None:
        folders = [self._installation(tmp_path / version / "bin") for version in ("9.6", "15", "17")]
        found = postgres.candidates({"PATH": ""}, tmp_path)
        assert found == [(folder, "Debian's") for folder in reversed(folders)]

    def test_programs_without_the_server_do_not_count(self, tmp_path: Path) -> None:
        _program(tmp_path / "15/bin/initdb")
        assert postgres.candidates({"PATH": ""}, tmp_path) == []

    def test_debian_comes_before_the_path(self, tmp_path: Path) -> None:
        packaged = self._installation(tmp_path / "debian/15/bin")
        own = self._installation(tmp_path / "own/bin")
        found = postgres.candidates({"PATH": str(own)}, tmp_path / "debian")
        assert found == [(packaged, "Debian's"), (own, "found in PATH")]

    def test_a_link_in_the_path_to_the_same_programs_is_the_same(self, tmp_path: Path) -> None:
        packaged = self._installation(tmp_path / "debian/15/bin")
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin/initdb").symlink_to(packaged / "initdb")
        assert postgres.candidates({"PATH": str(tmp_path / "bin")}, tmp_path / "debian") == [(packaged, "Debian's")]

    def test_the_package_is_told_to_start_nothing_only_while_it_is_installed(self, tmp_path: Path) -> None:
        configuration = tmp_path / "createcluster.d/ours.conf"
        with postgres._without_a_system_server(configuration):
            assert configuration.read_text(encoding="ascii") == "create_main_cluster = false\n"
        assert not configuration.exists()

    def test_the_servers_address_is_not_overruled_by_the_environment(self) -> None:
        server = postgres.Server("postgresql://broadsheet@/postgres?host=%2Fx", 1)
        environment = server.environment({"PGPORT": "5433", "PATH": "/bin"})
        assert environment == {"PATH": "/bin", "DATABASE_URL": "postgresql://broadsheet@/postgres?host=%2Fx"}
