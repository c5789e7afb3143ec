"""The word that was probably meant: the nearest of the words that titles use."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from rapidfuzz import process
from rapidfuzz.distance import OSA

from broadsheet.search.lexical import RARE

# The most words that are kept: those that most titles use. More cost memory in every process and mostly add typos.
MOST_WORDS = 60_000


def edits_allowed(word: str) -> int:
    """How many letters may be wrong: none under four letters (acronyms), one under eight, else two."""
    if len(word) < 4 or not word.isalpha():
        return 0
    return 1 if len(word) < 8 else 2


class Speller:
    """Corrects words by edit distance (swapped neighbours count once); of equally near words the most used wins.

    `counted` are words of titles with how many papers use them, in any order.
    """

    def __init__(self, counted: Iterable[tuple[str, int]]) -> None:
        known = sorted((pair for pair in counted if pair[1] > RARE), key=lambda pair: (-pair[1], pair[0]))
        self._by_length: dict[int, list[str]] = defaultdict(list)
        self._rank: dict[str, int] = {}
        for rank, (word, _count) in enumerate(known[:MOST_WORDS]):
            self._by_length[len(word)].append(word)
            self._rank[word] = rank

    def nearest(self, word: str) -> str | None:
        """The known word that `word` was meant to be; None when it is known, too short, or nothing is near."""
        edits = edits_allowed(word)
        if not edits or word in self._rank:
            return None
        found = []
        for length in range(len(word) - edits, len(word) + edits + 1):
            # The lists are in the order of use and the first of the best is returned.
            best = process.extractOne(word, self._by_length.get(length, ()), scorer=OSA.distance, score_cutoff=edits)
            if best:
                found.append((best[1], self._rank[best[0]], best[0]))
        return min(found)[2] if found else None
