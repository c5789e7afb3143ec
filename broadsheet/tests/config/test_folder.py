"""The data folder: made, tried, locked; and what is said when it cannot be used."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from broadsheet.config import folder
from broadsheet.config.folder import FolderError, FolderTaken


def refusal(path: Path) -> str:
    """The sentence for a folder that cannot be used."""
    with pytest.raises(FolderError) as caught:
        folder.make(path)
    return str(caught.value)


class TestMaking:
    def test_it_is_made_with_all_above_it_for_its_owner_only(self, tmp_path: Path) -> None:
        folder.make(tmp_path / "a" / "b")
        assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700

    def test_trying_it_leaves_nothing_in_it(self, tmp_path: Path) -> None:
        folder.make(tmp_path)
        assert list(tmp_path.iterdir()) == []

    def test_a_file_in_its_place(self, tmp_path: Path) -> None:
        (tmp_path / "data").touch()
        assert "a file stands where the folder should be" in refusal(tmp_path / "data")

    def test_a_file_above_it(self, tmp_path: Path) -> None:
        (tmp_path / "data").touch()
        assert "a file stands where a folder should be" in refusal(tmp_path / "data" / "more")

    @pytest.mark.parametrize(
        ("number", "words"),
        [
            pytest.param(errno.EROFS, "on a disk that can only be read", id="a read-only disk"),
            pytest.param(errno.EACCES, "this user may not write there", id="another user's folder"),
            pytest.param(errno.ENOSPC, "the disk is full", id="a full disk"),
            pytest.param(errno.EDQUOT, "your share of the disk is used up", id="a quota"),
            pytest.param(errno.EIO, os.strerror(errno.EIO), id="anything else, in the system's words"),
        ],
    )
    def test_what_the_system_refuses(
        self, number: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: Any, **__: Any) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(os, "fsync", refuse)
        said = refusal(tmp_path)
        assert words in said
        assert said.endswith("Nothing was written.")
        assert list(tmp_path.iterdir()) == []

    def test_a_disk_that_is_nearly_full_is_refused_before_it_is(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda _path: shutil._ntuple_diskusage(10**9, 10**9 - 10**6, 10**6))
        assert "has only 0 MB left" in refusal(tmp_path)


HOLD = """
import sys, time
from pathlib import Path
from broadsheet.config import folder
with folder.lock(Path(sys.argv[1]), "a.lock", taken="") as file:
    file.write_text("by another process")
    print("held", flush=True)
    time.sleep(60)
"""


class TestLocks:
    @pytest.fixture
    def held(self, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
        """Another process that holds the lock."""
        command = [sys.executable, "-c", HOLD, str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
            process.kill()

    def test_a_second_process_is_told(self, tmp_path: Path, held: object) -> None:
        with pytest.raises(FolderTaken, match="it is taken"), folder.lock(tmp_path, "a.lock", taken="it is taken"):
            pass
        assert folder.holder(tmp_path, "a.lock") == "by another process"

    def test_the_lock_ends_with_its_process_however_that_ends(
        self, tmp_path: Path, held: subprocess.Popen[str]
    ) -> None:
        held.kill()
        held.wait()
        assert folder.holder(tmp_path, "a.lock") is None
        with folder.lock(tmp_path, "a.lock", taken="it is taken"):
            pass

    def test_nobody_holds_what_was_never_taken(self, tmp_path: Path) -> None:
        assert folder.holder(tmp_path, "a.lock") is None

    def test_it_can_be_taken_again_after_it_was_given_back(self, tmp_path: Path) -> None:
        for _ in range(2):
            with folder.lock(tmp_path, "a.lock", taken="it is taken"):
                pass


class TestSecret:
    def test_it_is_made_once_and_for_its_owner_only(self, tmp_path: Path) -> None:
        path = tmp_path / "secret"
        assert folder.keep_secret(path) is True
        first = path.read_text()
        assert len(first.strip()) >= 50
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert folder.keep_secret(path) is False
        assert path.read_text() == first

    def test_two_instances_have_two(self, tmp_path: Path) -> None:
        folder.keep_secret(tmp_path / "one")
        folder.keep_secret(tmp_path / "two")
        assert (tmp_path / "one").read_text() != (tmp_path / "two").read_text()
