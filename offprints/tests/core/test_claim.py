"""A claim file is read whole or not at all, and its pass mark is the last one."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from offprints.core import claim

MARK = {"fixed": date(2026, 11, 22), "ratio": 0.5, "reason": "half would still be the effect"}
GOOD: dict[str, Any] = {
    "paper": "arxiv:2401.00001",
    "claim": "Lantern needs fewer steps.",
    "figures": "a third",
    "metric": "steps",
    "direction": "lower",
    "experiment": "Quadratics, ten seeds.",
    "pass_mark": [MARK],
}


def test_the_example_of_the_documentation_is_a_claim(tmp_path: Path) -> None:
    assert claim.__doc__ is not None
    example = claim.__doc__.split("::\n")[1].split("\nA pass mark")[0]
    path = tmp_path / "claim.toml"
    path.write_text(example, encoding="utf-8")
    assert claim.read(path).pass_mark.ratio == 0.5


@pytest.mark.parametrize(
    ("direction", "ratio", "passes"),
    [
        pytest.param("lower", 0.4, True, id="lower: below"),
        pytest.param("lower", 0.5, True, id="lower: at the mark"),
        pytest.param("lower", 0.6, False, id="lower: above"),
        pytest.param("higher", 0.6, True, id="higher: above"),
        pytest.param("higher", 0.4, False, id="higher: below"),
        pytest.param("lower", float("nan"), False, id="lower: no number"),
        pytest.param("higher", float("nan"), False, id="higher: no number"),
    ],
)
def test_the_pass_mark_decides(direction: str, ratio: float, passes: bool) -> None:
    assert claim.parse({**GOOD, "direction": direction}).passed_by(ratio) is passes


def test_a_later_pass_mark_counts_and_the_earlier_one_stays() -> None:
    later = {**MARK, "fixed": date(2026, 12, 1), "ratio": 0.8}
    read = claim.parse({**GOOD, "pass_mark": [MARK, later]})
    assert (read.pass_mark.ratio, len(read.pass_marks)) == (0.8, 2)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        pytest.param({"claim": ""}, "claim is missing", id="an empty claim"),
        pytest.param({"direction": "sideways"}, "write lower or higher", id="no direction"),
        pytest.param({"pass_mark": []}, "pass_mark is missing", id="no pass mark"),
        pytest.param({"pass_mark": [{**MARK, "ratio": True}]}, "no ratio above 0", id="a truth for a ratio"),
        pytest.param({"pass_mark": [{**MARK, "ratio": float("inf")}]}, "no ratio above 0", id="an endless ratio"),
        pytest.param({"pass_mark": [{**MARK, "fixed": "2026"}]}, "no day in fixed", id="text for a day"),
        pytest.param({"pass_mark": ["half"]}, "not a table", id="a word for a mark"),
        pytest.param(
            {"pass_mark": [{**MARK, "fixed": date(2027, 1, 1)}, MARK]}, "order of their dates", id="dated back"
        ),
        pytest.param({"verdict": "holds"}, "not a field", id="a verdict typed by hand"),
    ],
)
def test_a_mistake_is_named(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(claim.InvalidClaim, match=sentence):
        claim.parse({**GOOD, **change})


def test_all_mistakes_are_named_at_once() -> None:
    with pytest.raises(claim.InvalidClaim) as caught:
        claim.parse({})
    assert len(caught.value.problems) == 7


def test_a_file_that_is_not_toml_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "claim.toml"
    path.write_bytes(b"\xff\xfe = ")
    with pytest.raises(claim.InvalidClaim, match="not TOML"):
        claim.read(path)
