"""What the documentation repeats of the program and of measurements is what the program and the records say today."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

import broadsheet
import docs
import offprints


def test_the_generated_parts_are_fresh(repository: Path) -> None:
    stale = [str(path.relative_to(repository)) for path in docs.stale()]
    assert stale == [], "stale; write them again with: make docs"


def test_the_changelogs_newest_version_is_the_version_of_both_distributions(repository: Path) -> None:
    newest = re.search(r"(?m)^## (\S+)", (repository / "CHANGELOG.md").read_text(encoding="utf-8"))
    assert newest is not None
    assert newest[1] == broadsheet.__version__ == offprints.__version__


@pytest.mark.parametrize("name", ["broadsheet", "offprints"])
def test_a_distribution_takes_its_version_from_its_package(repository: Path, name: str) -> None:
    project = tomllib.loads((repository / name / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" in project["project"]["dynamic"]
    assert project["tool"]["hatch"]["version"]["path"] == f"src/{name}/__init__.py"


@pytest.fixture
def records(tmp_path: Path) -> Path:
    content = {"date": "2026-11-22", "figures": {"front": {"p95_ms": 12.5, "rows": 100000}, "exact": True}}
    (tmp_path / "pages.json").write_text(json.dumps(content), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("front.p95_ms", "12.5", id="fraction"),
        pytest.param("front.rows", "100,000", id="whole number"),
        pytest.param("exact", "True", id="no number"),
        pytest.param("date", "2026-11-22", id="of the record itself"),
    ],
)
def test_a_figure_comes_from_the_record(records: Path, path: str, expected: str) -> None:
    text = f"It takes <!-- figure:pages.{path} -->?<!-- /figure --> ms."
    assert docs.filled(text, records) == text.replace("?", expected)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        pytest.param("other.front", "There is no record other.json; run: make bench-other", id="no record"),
        pytest.param("pages.back", "The record pages.json has no back.", id="no such figure"),
        pytest.param("pages.front.p95_ms.x", "The record pages.json has no front.p95_ms.x.", id="beyond a figure"),
    ],
)
def test_a_figure_that_nobody_measured_is_an_error(records: Path, name: str, sentence: str) -> None:
    with pytest.raises(docs.Missing, match=re.escape(sentence)):
        docs.filled(f"<!-- figure:{name} -->1<!-- /figure -->", records)


def test_what_people_wrote_around_a_generated_part_stays() -> None:
    text = "Before.\n<!-- generated:settings -->\nold\n<!-- /generated -->\nAfter.\n"
    written = docs.filled(text)
    assert written.startswith("Before.\n<!-- generated:settings -->\n\n## BROADSHEET_DATA")
    assert written.endswith("\n<!-- /generated -->\nAfter.\n")
    assert docs.filled(written) == written
