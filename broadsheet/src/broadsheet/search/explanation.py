"""Why a paper has its score: a tree of values, each of them the sum or the product of those below it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Rule(StrEnum):
    """How a value comes from those below it."""

    SUM = "sum"
    PRODUCT = "product"
    GIVEN = "given"  # it is measured or set, and nothing is below it


@dataclass(frozen=True, slots=True)
class Explanation:
    """A value, what it is in words ("“graph” in the title"), and what it was computed from.

    `words` begins with a small letter and is no sentence: it stands behind the number.
    """

    value: float
    words: str
    rule: Rule = Rule.GIVEN
    details: tuple[Explanation, ...] = ()
