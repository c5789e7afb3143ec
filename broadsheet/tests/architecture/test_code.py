"""Rules about the source text that neither ruff nor mypy nor import-linter can check."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import docstrings

# Files of a domain app that may not write; `actions` is the one home of every change (docs/developer/architecture.md).
READERS = frozenset({"apps", "checks", "admin", "tasks", "queries", "models", "rules"})
WRITING_CALLS = frozenset(
    {"save", "asave", "create", "bulk_create", "bulk_update", "get_or_create", "update_or_create", "insert_rows"}
    | {"delete", "adelete", "_raw_delete"}
)
_WRITING_SQL = re.compile(r"\s*(?:INSERT INTO|UPDATE \w+ SET|DELETE FROM|REPLACE INTO|TRUNCATE|ALTER|DROP|CREATE)\b")

# Called by a framework under exactly this name, so nothing of ours mentions them.
CALLED_BY_NAME = frozenset(
    {
        *("application", "urlpatterns", "handler400", "handler403", "handler404", "handler500", "default_auto_field"),
        *("process_view", "process_exception"),
    }
)


def _parsed(modules: list[docstrings.Module]) -> Iterator[tuple[str, ast.Module]]:
    return ((module.name, ast.parse(module.text)) for module in modules)


def test_imports_are_absolute(modules: list[docstrings.Module]) -> None:
    relative = [
        f"{name}:{node.lineno}"
        for name, tree in _parsed(modules)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []


def _writes(tree: ast.Module) -> Iterator[int]:
    """Lines that change rows, as far as the text shows it. `update` is left out: dictionaries have it too."""
    prose = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
            if name in WRITING_CALLS:
                yield node.lineno
        elif isinstance(node, ast.Constant) and node not in prose and _WRITING_SQL.match(str(node.value)):
            yield node.lineno


def test_rows_change_only_in_actions(modules: list[docstrings.Module]) -> None:
    apps = {module.name.rpartition(".")[0] for module in modules if module.name.endswith(".models")}
    found = [
        f"{name}:{line}"
        for name, tree in _parsed(modules)
        if name.rpartition(".")[0] in apps and name.rpartition(".")[2] in READERS
        for line in _writes(tree)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("line", "writes"),
    [
        pytest.param("paper.save()", True, id="save"),
        pytest.param("Paper.objects.bulk_create(rows)", True, id="bulk"),
        pytest.param("cursor.execute('UPDATE t SET a = 1')", True, id="SQL"),
        pytest.param("cursor.execute('SELECT * FROM t')", False, id="question"),
        pytest.param("def f():\n  'Update what is shown there.'", False, id="docstring"),
        pytest.param("values.update(more)", False, id="dictionary"),
    ],
)
def test_a_write_is_seen(line: str, writes: bool) -> None:
    assert bool(list(_writes(ast.parse(line)))) is writes


def _definitions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """Functions and classes of the module itself, and methods of classes that inherit from nothing."""
    for node in tree.body:
        if isinstance(node, docstrings.Function | ast.ClassDef):
            yield node
        if isinstance(node, ast.ClassDef) and not node.bases:
            yield from (item for item in node.body if isinstance(item, docstrings.Function))


def test_everything_that_is_defined_is_used(modules: list[docstrings.Module], repository: Path) -> None:
    """A name that the program says only once, where it defines it, is dead. What only tests use is dead too.

    Not looked at: what a decorator hands to a framework, special methods, and what is there for others to call:
    `broadsheet.testing`, and all of Offprints, which is a library.
    """
    folders = ("broadsheet/src", "offprints/src", "broadsheet/benchmarks", "broadsheet/pyproject.toml")
    paths = [path for folder in folders for path in [repository / folder, *(repository / folder).rglob("*")]]
    read = {".py", ".html", ".toml"}
    words = Counter(
        word for path in paths if path.suffix in read for word in re.findall(r"\w+", path.read_text(encoding="utf-8"))
    )
    dead = [
        f"{name}.{node.name}:{node.lineno}"
        for name, tree in _parsed(modules)
        if name.startswith("broadsheet.") and not name.startswith("broadsheet.testing")
        for node in _definitions(tree)
        if words[node.name] < 2
        and not node.decorator_list
        and node.name not in CALLED_BY_NAME
        and "__" not in node.name
    ]
    assert not dead, "\n" + "\n".join(dead)


def test_whoever_silences_a_tool_says_why(tracked: list[Path], repository: Path) -> None:
    """Besides the tool's own words there must be words for people, on the same line ("as above" will do)."""
    silence = re.compile(r"#\s*(?:noqa(?::[\s,A-Z0-9]+)?|type:\s*ignore(?:\[[\w, -]+\])?|pragma:[\w\s]*)")
    bare = []
    for path in tracked:
        if path.suffix == ".py" and path != Path(__file__):
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                if silence.search(line) and not re.search(r"[A-Za-z]{2}", silence.split(line, maxsplit=1)[1]):
                    bare.append(f"{path.relative_to(repository)}:{number}: {line.strip()}")
    assert not bare, "\n" + "\n".join(bare)
