"""Every public name says what it is, what it raises, and in which units. The checker is scripts/docstrings.py."""

from __future__ import annotations

from typing import Any

import pytest

import docstrings


def test_every_public_name_of_both_distributions_says_what_it_must(modules: list[docstrings.Module]) -> None:
    found = list(docstrings.complaints(docstrings.project(modules)))
    assert not found, "\n" + "\n".join(found)


def _complaints(text: str) -> list[str]:
    """What is said about a module `m` with this text below its docstring, without places."""
    checked = docstrings.project([docstrings.Module("m", '"""Doc."""\n' + text)])
    return [sentence.split(": ", 1)[1] for sentence in docstrings.complaints(checked)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("def f(): pass", ["the function has no docstring"], id="function"),
        pytest.param("def _f(): pass", [], id="private function"),
        pytest.param("class C: pass", ["the class has no docstring"], id="class"),
        pytest.param("class C:\n  'Doc.'\n  def f(self): pass", ["the function has no docstring"], id="method"),
        pytest.param("class C:\n  'Doc.'\n  def __len__(self): pass", [], id="special method"),
        pytest.param("class C:\n  'Doc.'\n  class Meta: pass", [], id="Django's Meta"),
        pytest.param("class _C:\n  def f(self): pass", [], id="method of a private class"),
        pytest.param("def f():\n  'Doc.'\n  def g(): pass", [], id="function in a function"),
        pytest.param(
            "class A:\n  'Doc.'\n  def f(self): 'Doc.'\nclass B(A):\n  'Doc.'\n  def f(self): pass",
            [],
            id="overrides a documented method",
        ),
        pytest.param(
            "class B(A):\n  'Doc.'\n  def f(self): pass", ["the function has no docstring"], id="foreign base"
        ),
    ],
)
def test_what_needs_a_docstring(text: str, expected: list[str]) -> None:
    assert _complaints(text) == expected


@pytest.mark.parametrize(
    ("body", "doc", "expected"),
    [
        pytest.param(
            "raise ValueError('x')", "Doc.", ["it raises ValueError, which its docstring does not name"], id="no"
        ),
        pytest.param("raise ValueError('x')", "Raises ValueError.", [], id="named"),
        pytest.param("raise a.Unreadable", "Raises Unreadable.", [], id="named without its module"),
        pytest.param("raise FileNotFoundError", "Raises OSError.", [], id="a class above it is named"),
        pytest.param(
            "raise ValueError",
            "Raises Exception.",
            ["it raises ValueError, which its docstring does not name"],
            id="Exception names nothing",
        ),
        pytest.param("raise", "Doc.", [], id="passed on"),
        pytest.param("raise _Malformed", "Doc.", [], id="private, so it never leaves the module"),
        pytest.param("try:\n    raise KeyError\n  except KeyError:\n    pass", "Doc.", [], id="caught again"),
        pytest.param(
            "try:\n    pass\n  except KeyError:\n    raise OSError from None",
            "Doc.",
            ["it raises OSError, which its docstring does not name"],
            id="in a handler",
        ),
    ],
)
def test_what_is_raised_is_named(body: str, doc: str, expected: list[str]) -> None:
    assert _complaints(f"def f():\n  '{doc}'\n  {body}") == expected


@pytest.mark.parametrize(
    ("signature", "doc", "expected"),
    [
        pytest.param("timeout: float", "Doc.", ["it takes timeout, and its docstring names no unit"], id="no unit"),
        pytest.param("timeout: float", "Waits `timeout` seconds.", [], id="unit"),
        pytest.param(
            "read_timeout: int | None",
            "Doc.",
            ["it takes read_timeout, and its docstring names no unit"],
            id="optional",
        ),
        pytest.param("timeout_seconds: float", "Doc.", [], id="the name has the unit"),
        pytest.param("size: Size", "Doc.", [], id="a type of its own"),
        pytest.param("title: str", "Doc.", [], id="no quantity"),
    ],
)
def test_quantities_have_units(signature: str, doc: str, expected: list[str]) -> None:
    assert _complaints(f"def f({signature}):\n  '{doc}'") == expected


@pytest.mark.parametrize(
    ("doc", "expected"),
    [
        pytest.param(
            "How alike.", ["it returns a float, and its docstring names neither a unit nor a range"], id="riddle"
        ),
        pytest.param("How alike, from 0 to 1.", [], id="range"),
        pytest.param("How long it took, in seconds.", [], id="unit"),
    ],
)
def test_a_returned_float_has_a_unit_or_a_range(doc: str, expected: list[str]) -> None:
    assert _complaints(f"def f() -> float:\n  '{doc}'") == expected


def test_methods_may_rely_on_what_their_class_says() -> None:
    text = "class C:\n  'All methods raise OSError.'\n  def f(self):\n    'Doc.'\n    raise OSError"
    assert _complaints(text) == []


def test_the_place_is_named(modules: Any) -> None:
    checked = docstrings.project([docstrings.Module("a.b", '"""Doc."""\n\ndef f(): pass')])
    assert list(docstrings.complaints(checked)) == ["a.b.f:3: the function has no docstring"]
