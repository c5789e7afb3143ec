"""How a long import shows that it moves."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from broadsheet.cli import importing
from broadsheet.ingest.actions import Progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that stands until it is set."""
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def test_without_a_terminal_a_line_now_and_then_with_the_rate(capsys: Any, clock: list[float]) -> None:
    with importing._progress() as show:
        for second in range(12):
            clock[0] = float(second)
            show(Progress("big.jsonl", second * 100, 2000, second * 5000))
    assert capsys.readouterr().err.splitlines() == [
        "big.jsonl: 25 %, 25,000 records, 5,000/s",
        "big.jsonl: 50 %, 50,000 records, 5,000/s",
    ]


def test_a_short_import_says_nothing_on_its_way(capsys: Any) -> None:
    with importing._progress() as show:
        show(Progress("small.jsonl", 10, 10, 1))
    assert capsys.readouterr().err == ""


def test_on_a_terminal_a_bar(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with importing._progress() as show:
        show(Progress("big.jsonl", 1000, 2000, 5000))
        show(Progress("big.jsonl", 2000, 2000, 10_000))
    said = capsys.readouterr().err
    assert "big.jsonl 10,000 records" in said
    assert "100%" in said
