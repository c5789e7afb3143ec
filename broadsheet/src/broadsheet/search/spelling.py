"""The word that was probably meant: the nearest of the words that titles use."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from rapidfuzz import process
from rapidfuzz.distance import OSA

from broadsheet.search.lexical import RARE

# The most words that are kept: those that most titles use. More cost memory in every process and mostly add typos.
MOST_WORDS = 60_000

# With no more words than this, words of one or two titles are kept too: in a small collection most words are rare.
SMALL_VOCABULARY = 20_000


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
        known = sorted(counted, key=lambda pair: (-pair[1], pair[0]))
        common = sum(count > RARE for _word, count in known)
        self._by_length: dict[int, list[str]] = defaultdict(list)
        self._rare_by_length: dict[int, list[str]] = defaultdict(list)
        self._rank: dict[str, int] = {}
        kept = len(known) if len(known) <= SMALL_VOCABULARY else common
        for rank, (word, count) in enumerate(known[: min(kept, MOST_WORDS)]):
            (self._by_length if count > RARE else self._rare_by_length)[len(word)].append(word)
            self._rank[word] = rank
        self._common = min(common, MOST_WORDS)

    def nearest(self, word: str, *, rare: bool = False) -> str | None:
        """The word that `word` was meant to be; None when it is a common one, too short, or nothing is near.

        With `rare`, words of one or two titles count too, as far as they are kept: for a word that no paper has.
        """
        edits = edits_allowed(word)
        if not edits or self._rank.get(word, self._common) < self._common:
            return None
        found = []
        for by_length in (self._by_length, self._rare_by_length) if rare else (self._by_length,):
            for length in range(len(word) - edits, len(word) + edits + 1):
                # The lists are in the order of use and the first of the best is returned.
                best = process.extractOne(word, by_length.get(length, ()), scorer=OSA.distance, score_cutoff=edits)
                if best and best[0] != word:
                    found.append((best[1], self._rank[best[0]], best[0]))
        return min(found)[2] if found else None
