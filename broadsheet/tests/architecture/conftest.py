"""What the architecture tests look at: the contracts of import-linter, the source files, the repository's files."""

from __future__ import annotations

import configparser
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

import docstrings

SOURCES = ("broadsheet/src", "offprints/src")


@dataclass(frozen=True)
class Contracts:
    """`.importlinter`, read the way import-linter reads it."""

    parser: configparser.ConfigParser

    def of(self, name: str) -> configparser.SectionProxy:
        """The section of one contract."""
        return self.parser[f"importlinter:contract:{name}"]

    def lines(self, name: str, key: str) -> list[str]:
        """A value that has several lines, as a list."""
        return [line.strip() for line in self.of(name)[key].splitlines() if line.strip()]

    def layers(self, name: str = "layers") -> list[list[str]]:
        """The layers of a contract, highest first; those that stand beside each other in one list; no parentheses."""
        return [[part.strip(" ()") for part in line.split("|")] for line in self.lines(name, "layers")]

    def depth(self) -> dict[str, int]:
        """For each package how far down it lies: 0 is the highest layer."""
        return {package: depth for depth, layer in enumerate(self.layers()) for package in layer}


@pytest.fixture(scope="session")
def contracts(repository: Path) -> Contracts:
    """The contracts of this repository."""
    parser = configparser.ConfigParser()
    parser.read(repository / ".importlinter", encoding="utf-8")
    return Contracts(parser)


@pytest.fixture(scope="session")
def modules(repository: Path) -> list[docstrings.Module]:
    """All modules of both distributions, migrations left out: Django writes those."""
    found = []
    for folder in SOURCES:
        for path in sorted((repository / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                parts = path.relative_to(repository / folder).with_suffix("").parts
                name = ".".join(parts).removesuffix(".__init__")
                found.append(docstrings.Module(name, path.read_text(encoding="utf-8")))
    return found


@pytest.fixture(scope="session")
def tracked(repository: Path) -> list[Path]:
    """Every file that is in git or would be added; without git, every file that no line of .gitignore names."""
    if (repository / ".git").exists():
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=repository, capture_output=True, check=True).stdout
        names = [os.fsdecode(name) for name in listed.split(b"\0") if name]
        return sorted({path for name in names if (path := repository / name).is_file()})
    ignored = {line.strip("/") for line in (repository / ".gitignore").read_text(encoding="utf-8").split()}
    return sorted(
        path
        for path in repository.rglob("*")
        if path.is_file() and not ignored & set(path.relative_to(repository).parts) and path.suffix != ".pyc"
    )
