"""The first thing that `make up` does on a new machine: an environment, or one sentence."""

from __future__ import annotations

import sys
import venv
from pathlib import Path
from typing import Any

import pytest

import environment


def test_an_old_python_is_told_which_one_is_needed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    said = environment.main(str(tmp_path))
    assert said is not None
    assert said.startswith("Broadsheet needs Python 3.11 or newer; this is 3.9.")


def test_a_python_without_its_environments_is_told_the_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    said = environment.main(str(tmp_path))
    assert said == "This Python cannot make environments. On Debian or Ubuntu: apt install python3-venv"


def test_a_half_made_environment_is_replaced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: dict[str, Any] = {}
    monkeypatch.setattr(venv, "create", lambda folder, **how: asked.update(folder=folder, **how))
    assert environment.main(str(tmp_path)) is None
    assert asked == {"folder": str(tmp_path), "with_pip": True, "symlinks": True, "clear": True}


def test_make_takes_an_environment_without_pip_for_a_half_made_one(repository: Path) -> None:
    """pip's program is the last thing that appears, so its presence says that the environment is whole."""
    makefile = (repository / "Makefile").read_text(encoding="utf-8")
    assert "$(VENV)/bin/pip:\n" in makefile
    assert "| $(VENV)/bin/pip\n" in makefile
