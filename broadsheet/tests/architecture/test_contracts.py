"""The contracts in `.importlinter` cover everything that exists, and they refuse what they are there to refuse."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"


@pytest.fixture
def packages(repository: Path) -> list[Path]:
    return sorted(path.parent for path in (repository / "broadsheet/src/broadsheet").glob("*/__init__.py"))


def test_no_contract_has_an_exception(contracts: Any) -> None:
    exceptions = [(name, key) for name in contracts.parser for key in contracts.parser[name] if "ignore_imports" in key]
    assert exceptions == []


def test_every_app_is_in_the_grammar_and_its_tables_are_private(contracts: Any, packages: list[Path]) -> None:
    apps = [package.name for package in packages if (package / "apps.py").exists()]
    assert contracts.lines("grammar", "containers") == [f"broadsheet.{app}" for app in _in_order(contracts, apps)]
    for app in apps:
        contract = contracts.of(f"{app}-tables")
        assert contract["type"] == "protected"
        assert contract["protected_modules"] == f"broadsheet.{app}.models"
        assert contract["allowed_importers"] == f"broadsheet.{app}"


def _in_order(contracts: Any, apps: list[str]) -> list[str]:
    """Lowest first, as the dependencies are explained."""
    depth = contracts.depth()
    return sorted(apps, key=lambda app: (-depth[app], app))


def test_every_library_below_the_django_line_is_kept_free_of_django(contracts: Any, packages: list[Path]) -> None:
    depth = contracts.depth()
    below = {name for name, place in depth.items() if place > depth["storage"]}
    present = {package.name for package in packages} | {"links"}
    free = set(contracts.lines("django-free", "source_modules"))
    assert free == {f"broadsheet.{name}" for name in below & present} | {"broadsheet.*.rules"}


@pytest.fixture
def skeleton(contracts: Any, repository: Path, tmp_path: Path) -> Path:
    """An empty house: every package and every file that the contracts allow, nothing in any of them."""
    root = tmp_path / "broadsheet"
    apps = [name.removeprefix("broadsheet.") for name in contracts.lines("grammar", "containers")]
    for layer in contracts.layers():
        for name in layer:
            _write(root / name / "__init__.py")
    for app in apps:
        for layer in contracts.layers("grammar"):
            for file in layer:
                _write(root / app / f"{file}.py")
    _write(tmp_path / "offprints/__init__.py")
    for layer in contracts.layers("library-layers"):
        for name in layer:
            _write(tmp_path / "offprints" / name / "__init__.py")
    for name in ("__init__.py", "sources/origins/__init__.py", "sources/origins/one.py", "sources/origins/other.py"):
        _write(root / name)
    shutil.copy(repository / ".importlinter", tmp_path)
    return tmp_path


def _write(path: Path, text: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _lint(folder: Path) -> str:
    """What import-linter says about the skeleton in this folder."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "120", "NO_COLOR": "1"}
    command = [sys.executable, "-c", LINT, "--no-cache"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 1}
    return done.stdout + done.stderr


def test_the_empty_house_keeps_every_contract(skeleton: Path) -> None:
    assert " 0 broken" in _lint(skeleton)


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        pytest.param(
            "broadsheet/papers/queries.py", "import broadsheet.web", "Packages point downwards", id="app imports pages"
        ),
        pytest.param(
            "broadsheet/links/__init__.py",
            "import broadsheet.bibliography",
            "Packages point downwards",
            id="links import",
        ),
        pytest.param(
            "broadsheet/web/one.py", "import broadsheet.config", "Packages point downwards", id="pages import settings"
        ),
        pytest.param(
            "broadsheet/search/one.py", "import broadsheet.sources", "Packages point downwards", id="sideways"
        ),
        pytest.param("broadsheet/extras/__init__.py", "", "Packages point downwards", id="package without a place"),
        pytest.param("broadsheet/papers/views.py", "", "Inside a domain app", id="file outside the grammar"),
        pytest.param(
            "broadsheet/papers/models.py",
            "import broadsheet.papers.actions",
            "Inside a domain app",
            id="table with verbs",
        ),
        pytest.param(
            "broadsheet/papers/queries.py",
            "import broadsheet.papers.tasks",
            "Inside a domain app",
            id="read starts a task",
        ),
        pytest.param(
            "broadsheet/bibliography/one.py", "import django.utils", "do not know Django", id="library uses Django"
        ),
        pytest.param(
            "broadsheet/editions/rules.py", "from django.db import models", "do not know Django", id="rule uses Django"
        ),
        pytest.param(
            "broadsheet/web/one.py",
            "from broadsheet.papers.models import X",
            "tables of papers",
            id="page reads a table",
        ),
        pytest.param(
            "broadsheet/editions/queries.py",
            "from broadsheet.papers import models",
            "tables of papers",
            id="app reads it",
        ),
        pytest.param("offprints/core/one.py", "import broadsheet.links", "The library needs", id="library uses it"),
        pytest.param("offprints/core/one.py", "import django", "The library needs", id="library uses Django"),
        pytest.param("broadsheet/web/one.py", "import offprints", "The service reads", id="service uses the library"),
        pytest.param("offprints/core/one.py", "import offprints.optim", "The library's core", id="core knows a family"),
        pytest.param(
            "offprints/linalg/one.py", "import offprints.optim", "The library's core", id="family uses another"
        ),
        pytest.param(
            "broadsheet/sources/origins/one.py",
            "import broadsheet.sources.origins.other",
            "Sources do not know each other",
            id="a source uses another",
        ),
    ],
)
def test_a_breach_is_refused(skeleton: Path, file: str, line: str, contract: str) -> None:
    """Each row writes one line into the empty house; exactly the named contract must break."""
    _write(skeleton / file, line + "\n")
    broken = [row for row in _lint(skeleton).splitlines() if row.rstrip().endswith("BROKEN")]
    assert len(broken) == 1, broken
    assert contract in broken[0]
