"""What a paper claims, fixed in ``claim.toml`` before the first measurement.

A claim file looks like this::

    paper = "arxiv:2401.00001"
    claim = "Lantern needs fewer steps than gradient descent on ill-conditioned quadratics."
    figures = "3 times fewer at condition number 1000 (table 2)"
    metric = "steps until the gradient norm is below 1e-6"
    direction = "lower"
    experiment = "Quadratics of dimension 50 with condition number 1000, ten seeds, both methods tuned alike."

    [[pass_mark]]
    fixed = 2026-11-22
    ratio = 0.5
    reason = "the paper says a third; a half would still be the effect that it describes"

A pass mark is never edited. A later one is a further ``[[pass_mark]]`` with its reason, and the last one counts.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

DIRECTIONS = ("lower", "higher")


class InvalidClaim(ValueError):
    """A claim file cannot be used. `problems` has one sentence for each mistake."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class PassMark:
    """How far the method must be from its best baseline, as a ratio of the metric (method / baseline).

    With direction ``lower`` the measured ratio must be at most `ratio`, with ``higher`` at least.
    """

    fixed: date
    ratio: float
    reason: str


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim of one paper, in our words, with the smallest experiment that could refute it."""

    paper: str
    claim: str
    figures: str
    metric: str
    direction: str
    experiment: str
    pass_marks: tuple[PassMark, ...]

    @property
    def pass_mark(self) -> PassMark:
        """The one that counts: the last."""
        return self.pass_marks[-1]

    def passed_by(self, ratio: float) -> bool:
        """Whether a measured ratio (method / baseline, without unit) meets the pass mark. NaN never does."""
        return ratio <= self.pass_mark.ratio if self.direction == "lower" else ratio >= self.pass_mark.ratio


def read(path: Path) -> Claim:
    """Read a claim file. Raises InvalidClaim with every mistake at once, OSError when there is no such file."""
    try:
        return parse(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidClaim([f"{path.name} is not TOML in UTF-8: {error}."]) from error


def parse(said: Mapping[str, Any]) -> Claim:
    """Make a claim of what a file says. Raises InvalidClaim."""
    problems = [f"{name} is missing or is not text." for name in _TEXTS if not _is_text(said.get(name))]
    problems += [f"{name} is not a field of a claim." for name in said if name not in (*_TEXTS, "pass_mark")]
    if _is_text(said.get("direction")) and said["direction"] not in DIRECTIONS:
        problems.append(f"direction is {said['direction']!r}; write lower or higher.")
    marks = said.get("pass_mark")
    if not isinstance(marks, list) or not marks:
        problems.append("pass_mark is missing: write [[pass_mark]] with fixed, ratio and reason.")
        marks = []
    problems += [sentence for number, mark in enumerate(marks, 1) for sentence in _mark_problems(mark, number)]
    if problems:
        raise InvalidClaim(problems)
    pass_marks = tuple(PassMark(mark["fixed"], float(mark["ratio"]), mark["reason"]) for mark in marks)
    if list(pass_marks) != sorted(pass_marks, key=lambda mark: mark.fixed):
        raise InvalidClaim(["the pass marks are not in the order of their dates."])
    return Claim(**{name: said[name] for name in _TEXTS}, pass_marks=pass_marks)


_TEXTS = ("paper", "claim", "figures", "metric", "direction", "experiment")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _mark_problems(mark: object, number: int) -> list[str]:
    if not isinstance(mark, dict):
        return [f"pass mark {number} is not a table."]
    problems = []
    if type(mark.get("fixed")) is not date:
        problems.append(f"pass mark {number} has no day in fixed, such as 2026-11-22.")
    ratio = mark.get("ratio")
    if isinstance(ratio, bool) or not isinstance(ratio, int | float) or not 0 < ratio < float("inf"):
        problems.append(f"pass mark {number} has no ratio above 0.")
    if not _is_text(mark.get("reason")):
        problems.append(f"pass mark {number} does not give its reason.")
    return problems
