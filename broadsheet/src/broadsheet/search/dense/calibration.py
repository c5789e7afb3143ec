"""How well the sign bits of a collection's vectors find the nearest ones: measured on the vectors themselves.

Signs tell much of vectors like MiniLM's and less of others: of averages of words, 160 candidates hold 7 in 10.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from broadsheet.search.dense import scan
from broadsheet.search.dense.scan import Block

# How many candidates by signs are compared exactly for each wanted paper: the least that finds enough is taken.
FACTORS = (10, 20, 40, 80, 160)
_ENOUGH = 0.95
_SAMPLE = 100
# How many of the nearest are looked for when it is measured.
DEPTH = 10

# More vectors than this are not looked at: a second, once for each doubling of the collection.
MOST = 32_768

# Fewer vectors than this are all compared exactly.
FEWEST = 2_000


@dataclass(frozen=True, slots=True)
class Shortcut:
    """What was measured: candidates for each wanted paper (None: signs are of no use), the share of the true nearest
    among them, and how many vectors there were then.
    """

    factor: int | None
    recall: float
    vectors: int


def measured(block: Block) -> Shortcut:
    """The shortcut for the vectors of a block: each of a sample asks for its nearest."""
    count = min(block.count, MOST)
    part = Block(block.bits[:, :count], block.rows[:count], block.scales[:count])
    everything = np.arange(count)
    hits = dict.fromkeys(FACTORS, 0)
    wanted = 0
    for row in np.linspace(0, count - 1, min(_SAMPLE, count)).astype(np.int64):
        query = scan.unpacked(part, row[None])[0]
        true = scan.best(scan.products(part, query, everything), DEPTH)
        wanted += len(true)
        for factor in FACTORS:
            (near,) = scan.nearest_by_signs([part.bits], query, factor * DEPTH)
            hits[factor] += int(np.isin(true, near).sum())
    enough = next((factor for factor in FACTORS if hits[factor] >= _ENOUGH * wanted), None)
    return Shortcut(enough, round(hits[enough or FACTORS[-1]] / wanted, 4), count)
