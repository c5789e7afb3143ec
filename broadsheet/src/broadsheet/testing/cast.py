"""The cast: invented people and papers that tests and examples share instead of factories.

Ada Example works on optimisers, Bela Beispiel on transport; Chloé Exemple and Đorđe Primer have accents in their
names. Their papers below are invented too; `said` makes more of them.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.identifiers import Identifier
from broadsheet.bibliography.record import Record

ADA = "Ada Example"
BELA = "Bela Beispiel"
CHLOE = "Chloé Exemple"
DORDE = "Đorđe Primer"


def arxiv(value: str) -> Identifier:
    """The arXiv identifier ``value``."""
    return Identifier.from_str(f"arxiv:{value}")


def doi(value: str) -> Identifier:
    """The DOI ``value``."""
    return Identifier.from_str(f"doi:{value}")


def said(title: str, *, by: str = "testimony", key: str = "", **fields: Any) -> Record:
    """What the source `by` said of a paper, under `key` (its title when not given). `fields` are those of Record."""
    return Record(source=by, source_key=key or title, title=title, **fields)


LANTERN = said(
    "Lantern: Step Sizes from $\\ell_2$ Gradient Norms",
    key="lantern",
    abstract="We choose step sizes from the $\\ell_2$ norm of the last gradient. The bound is $O(\\sqrt{T})$.",
    authors=(ADA, CHLOE),
    identifiers=(arxiv("2401.00001"),),
    submitted=PartialDate(2023, 12, 29),
    announced=date(2024, 1, 2),
    categories=("cs.LG", "math.OC"),
    code_url="https://example.org/lantern",
)
HARBOUR = said(
    'Harbour: Optimal Transport between Schr\\"odinger Bridges',
    key="harbour",
    abstract="Bridges are found by alternating projections. We prove that they meet.",
    authors=(BELA, DORDE),
    identifiers=(arxiv("2401.00002"), doi("10.1000/harbour.7")),
    submitted=PartialDate(2023, 12, 30),
    announced=date(2024, 1, 2),
    categories=("stat.ML", "cs.LG"),
)
MEADOW = said(
    "Meadow: A Survey of Bandits Without Feedback",
    key="meadow",
    abstract="We survey what can be learned when nothing is observed.",
    authors=(ADA,),
    identifiers=(arxiv("math/0611800"),),
    submitted=PartialDate(2006, 11),
    categories=("math.ST",),
)
