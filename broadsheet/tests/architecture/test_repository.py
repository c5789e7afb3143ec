"""What no file of the repository may hold: machines, registries, people, promises, heavy things."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

LARGEST = 600 * 1024  # bytes; data is made by a script or belongs beside the repository
LARGER_ON_PURPOSE = frozenset({"broadsheet/src/broadsheet/starter/catalogue.jsonl"})

# Written so that no pattern matches its own text.
RULES = {
    "a path of somebody's machine": re.compile(
        r"(?<![\w.])/(?:work|farm|root|home/[a-z]\w*|Users/\w+|tmp/[a-z])(?:/|\b)"
    ),
    "a package registry": re.compile(
        r"https?://[\w.-]*(?:/simple\b|regist[r]y|hosted\.or[g])|index-ur[l]", re.IGNORECASE
    ),
    "a promise for later": re.compile(r"\b(?:TOD[O]|FIXM[E]|XX[X]|HAC[K])\b"),
    "a conflict": re.compile(r"^(?:<{7}|>{7}) ", re.MULTILINE),
    "a test that is not run": re.compile(r"\bmark\.(?:skip|xfail)|\bpytest\.(?:skip|xfail|importorskip)\("),
}
# Addresses of the networks that documentation may use are reserved: https://www.rfc-editor.org/rfc/rfc2606
MAIL = re.compile(r"[\w.+-]+@((?:[\w-]+\.)+[A-Za-z]{2,})\b")
RESERVED = re.compile(r"(?:^|\.)(?:example|test|invalid|localhost)$|(?:^|\.)example\.(?:com|net|org)$", re.IGNORECASE)


def _texts(tracked: list[Path], repository: Path) -> list[tuple[str, str]]:
    found = []
    for path in tracked:
        content = path.read_bytes()
        if b"\0" not in content[:8000] and path != Path(__file__):
            found.append((path.relative_to(repository).as_posix(), content.decode("utf-8")))
    return found


@pytest.mark.parametrize("rule", RULES)
def test_no_file_holds(rule: str, tracked: list[Path], repository: Path) -> None:
    found = [
        f"{name}:{text.count(chr(10), 0, match.start()) + 1}: {match[0].strip()}"
        for name, text in _texts(tracked, repository)
        for match in RULES[rule].finditer(text)
    ]
    assert not found, "\n" + "\n".join(found)


def test_no_function_of_the_program_is_a_stub(tracked: list[Path], repository: Path) -> None:
    """Only what others are to complete, in `testing`, and sketches inside tests may be unfinished."""
    program = [path for path in tracked if path.suffix == ".py" and not {"tests", "testing"} & set(path.parts)]
    stub = re.compile(r"\bNotImplementedError\b")
    assert [str(path.relative_to(repository)) for path in program if stub.search(path.read_text("utf-8"))] == []


def test_no_file_holds_the_mail_address_of_a_person(tracked: list[Path], repository: Path) -> None:
    found = [
        f"{name}: {match[0]}"
        for name, text in _texts(tracked, repository)
        for match in MAIL.finditer(text)
        if not RESERVED.search(match[1])
    ]
    assert found == []


def test_no_file_is_heavy(tracked: list[Path], repository: Path) -> None:
    heavy = {path.relative_to(repository).as_posix() for path in tracked if path.stat().st_size > LARGEST}
    assert heavy - LARGER_ON_PURPOSE == set()


def test_every_dependency_is_pinned_with_a_hash(repository: Path) -> None:
    for name in ("run", "dev"):
        text = (repository / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
        blocks = re.split(r"\n(?=\S)", re.sub(r"(?m)^#.*\n", "", text).strip())
        assert blocks
        assert [block for block in blocks if "==" not in block or "--hash=sha256:" not in block] == []


def test_what_is_installed_is_what_is_asked_for(repository: Path) -> None:
    """Every line of the .in files, and every dependency that the distributions declare, stands pinned in the .txt."""
    pinned = {
        name.lower()
        for file in ("run", "dev")
        for name in re.findall(
            r"(?m)^([\w.-]+)(?:\[[\w,]+\])?==", (repository / "requirements" / f"{file}.txt").read_text()
        )
    }
    wanted: set[str] = set()
    for file in ("run", "dev"):
        wanted |= set(re.findall(r"(?m)^([a-z][\w.-]*)", (repository / "requirements" / f"{file}.in").read_text()))
    assert wanted - pinned == set()
