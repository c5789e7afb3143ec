"""More papers than there are: real ones first, then papers that are put together from their sentences.

A made paper takes its number of sentences, its categories, its day and its number of authors from a real one drawn by
chance. Its first sentence was the first of another abstract of the same category, its last one the last, those between
from between; its title is the beginning of one title and the end of another, cut before a short word such as "for" or
"with"; each author has the first names of one and the family name of another.

Sentences alone would bring no new words. As many words as papers on average have alone, so many new ones another paper
brings (Good, 1953, "The population frequencies of species"); so each word that one real paper alone has is replaced,
where a made paper would repeat it, by an invented one: a new one with a chance that falls as the text grows faster than
the vocabulary, else one that was used before. So the vocabulary grows as a power of the text (Heaps' law; the power is
the share of words that one paper alone has), and words become more frequent as papers become more.

The papers that questions are made from lend no sentence and no title, so that what somebody remembers stands in one
paper only, as it does in real ones.

The vector of a made paper is that of the real one it was drawn for, moved by the difference of two other real ones,
which keeps its noise shaped as papers differ; by how much is measured: so that the nearest real paper is as near to a
made one as to a real one.
"""

from __future__ import annotations

import itertools
import random
import re
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).parent))
from search_data import Floats, Paper

_WORD = re.compile(r"[^\W\d_]{3,}")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
_CUT = re.compile(r" (?=(?:for|in|of|with|via|by|on|from|using|and|to|through|under|as|over|at) )")
# Categories with fewer papers lend and borrow sentences within their archive, and archives with fewer among all.
_FEW = 200
_FIRST, _MIDDLE, _LAST = range(3)
# How a text is kept: pieces, between which invented words are put.
_Pieces = tuple[str, ...]


class Maker:
    """Makes papers out of real ones. `spared` are the keys of those that lend nothing."""

    def __init__(self, papers: Sequence[Paper], spared: Collection[int], seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311  # the same papers every time
        self._papers = papers
        counts = _counted(papers)
        once = frozenset(word for word, count in counts.items() if count == 1)
        self._groups = _groups(papers)
        self._sentences: dict[str, tuple[list[_Pieces], ...]] = {}
        self._beginnings: dict[str, list[_Pieces]] = {}
        self._ends: dict[str, list[_Pieces]] = {}
        for paper in papers:
            if paper["pk"] not in spared:
                self._lend(paper, once)
        self._invented = _Inventing(self._chance, once, len(counts), self._gaps())
        lending = Counter({group: len(places[_FIRST]) for group, places in self._sentences.items() if places[_FIRST]})
        largest = lending.most_common(1)[0][0]
        self._groups = [group if group in lending else largest for group in self._groups]
        self._firsts = [name.rpartition(" ")[0] for paper in papers for name in paper["authors"] if " " in name]
        self._families = [name.rpartition(" ")[2] for paper in papers for name in paper["authors"]]

    def papers(self, first: int, last: int) -> Iterator[tuple[Paper, int]]:
        """Papers with the keys from `first` to `last`, each with the place of the real one that it was drawn for."""
        chance, number = self._chance, len(self._papers)
        for pk in range(first, last + 1):
            place = int(chance.random() * number)
            base = self._papers[place]
            group = self._groups[place]
            made = {
                "pk": pk,
                "title": self._title(group),
                "abstract": self._abstract(group, len(_sentences(base["abstract"]))),
                "authors": [self._author() for _each in base["authors"]],
                "identifier": f"doi:10.5555/made.{pk}",
                "categories": base["categories"],
                "day": base["day"],
            }
            yield made, place

    def said(self) -> dict[str, Any]:
        """What the record keeps of how the papers were made."""
        return {"invented_words": self._invented.words, "uses_of_invented_words": self._invented.uses}

    def _gaps(self) -> int:
        """How many places for invented words the sentences and titles have that are lent."""
        lists = [kind for places in self._sentences.values() for kind in places]
        lists += [*self._beginnings.values(), *self._ends.values()]
        return sum(len(pieces) - 1 for each in lists for pieces in each)

    def _lend(self, paper: Paper, once: frozenset[str]) -> None:
        group = self._groups[paper["pk"] - 1]
        places = self._sentences.setdefault(group, ([], [], []))
        sentences = [_pieces(text, once) for text in _sentences(paper["abstract"])]
        for number, pieces in enumerate(sentences):
            last = number == len(sentences) - 1
            places[_FIRST if not number else _LAST if last else _MIDDLE].append(pieces)
        cuts = [match.start() for match in _CUT.finditer(paper["title"])]
        cut = cuts[len(cuts) // 2] if cuts else len(paper["title"])
        self._beginnings.setdefault(group, []).append(_pieces(paper["title"][:cut], once))
        self._ends.setdefault(group, []).append(_pieces(paper["title"][cut:], once))

    def _title(self, group: str) -> str:
        return self._written(self._one(self._beginnings[group])) + self._written(self._one(self._ends[group]))

    def _abstract(self, group: str, number: int) -> str:
        places = self._sentences[group]
        kinds = [_FIRST, *[_MIDDLE] * (number - 2), _LAST][:number]
        return " ".join(self._written(self._one(places[kind] or places[_FIRST])) for kind in kinds)

    def _author(self) -> str:
        return f"{self._one(self._firsts)} {self._one(self._families)}"

    def _one(self, among: Sequence[Any]) -> Any:
        # A third of the time of random.choice; papers are millions.
        return among[int(self._chance.random() * len(among))]

    def _written(self, pieces: _Pieces) -> str:
        if len(pieces) == 1:
            return pieces[0]
        words = (self._invented.word() for _gap in pieces[1:])
        return pieces[0] + "".join(itertools.chain.from_iterable(zip(words, pieces[1:], strict=True)))


class _Inventing:
    """Invented words, as often new ones as new words come in a text that grows."""

    def __init__(self, chance: random.Random, once: Collection[str], vocabulary: int, gaps: int) -> None:
        self._chance = chance
        self._halves = sorted(once)
        self._vocabulary = vocabulary
        self._gaps = max(1, gaps)
        self._used: list[str] = []
        self.words = 0

    @property
    def uses(self) -> int:
        """How often one was used."""
        return len(self._used)

    def word(self) -> str:
        """The next one: new, or one that was used before."""
        chance = self._chance.random
        grown = (1 + self.words / self._vocabulary) / (1 + len(self._used) / self._gaps)
        new = len(self._halves) / self._gaps * grown
        word = self._new() if chance() < new or not self._used else self._used[int(chance() * len(self._used))]
        self._used.append(word)
        return word

    def _new(self) -> str:
        """The beginning of one rare word and the end of another."""
        self.words += 1
        left, right = (self._halves[int(self._chance.random() * len(self._halves))] for _half in range(2))
        return left[: (len(left) + 1) // 2] + right[len(right) // 2 :]


def _sentences(text: str) -> list[str]:
    return _SENTENCE_END.split(text) if text else []


def _counted(papers: Sequence[Paper]) -> Counter[str]:
    """How many papers have each word, in lower case."""
    counts: Counter[str] = Counter()
    for paper in papers:
        counts.update(set(_WORD.findall(f"{paper['title']} {paper['abstract']}".lower())))
    return counts


def _pieces(text: str, once: frozenset[str]) -> _Pieces:
    """The text, cut where a word stands that one paper alone has."""
    pieces, begin = [], 0
    for match in _WORD.finditer(text):
        if match[0].lower() in once:
            pieces.append(text[begin : match.start()])
            begin = match.end()
    return (*pieces, text[begin:])


def _groups(papers: Sequence[Paper]) -> list[str]:
    """For each paper, the name of the papers that it shares sentences with: a category, an archive, or all."""
    names = [(paper["categories"] or [""])[0] for paper in papers]
    categories = Counter(names)
    archives = Counter(name.partition(".")[0] for name in names)
    groups = []
    for name in names:
        archive = name.partition(".")[0]
        groups.append(name if categories[name] >= _FEW else archive + ".*" if archives[archive] >= _FEW else "*")
    return groups


# --- Vectors ----------------------------------------------------------------------------------------------------------


class Moved:
    """Vectors for made papers: those of real ones (n, d), moved by differences of others, and of length one again."""

    def __init__(self, real: Floats, seed: int) -> None:
        self._real = real
        self._random = np.random.default_rng(seed)
        self.distance = self._measured()

    def of(self, rows: npt.NDArray[np.int64]) -> Floats:
        """A vector for each real one named by its row, another one each time."""
        return self._moved(rows, self.distance)

    def said(self, sample: Floats) -> dict[str, Any]:
        """How near the nearest real vector is, to real ones and to some that were made: percentiles of cosines."""
        rows = self._random.choice(len(self._real), min(500, len(self._real)), replace=False)
        return {
            "moved_by": round(self.distance, 3),
            "cosine_to_nearest_real_one": {
                "of_real_ones": _percentiles(_nearest(self._real[rows], self._real, own=rows)),
                "of_made_ones": _percentiles(_nearest(sample, self._real)),
            },
        }

    def _moved(self, rows: npt.NDArray[np.int64], distance: float) -> Floats:
        others = self._random.integers(0, len(self._real), (2, len(rows)))
        vectors: Floats = self._real[rows] + np.float32(distance) * (self._real[others[0]] - self._real[others[1]])
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def _measured(self) -> float:
        """The distance at which the median cosine of a moved vector and its nearest real one is that of real ones."""
        rows = self._random.choice(len(self._real), min(300, len(self._real)), replace=False)
        wanted = float(np.median(_nearest(self._real[rows], self._real, own=rows)))
        low, high = 0.0, 2.0
        for _halving in range(7):
            middle = (low + high) / 2
            nearest = float(np.median(_nearest(self._moved(rows, middle), self._real)))
            low, high = (middle, high) if nearest > wanted else (low, middle)
        return (low + high) / 2


def _nearest(vectors: Floats, real: Floats, own: npt.NDArray[np.int64] | None = None) -> Floats:
    """The greatest cosine of each vector with a real one, that in the row `own` left out."""
    cosines = vectors @ real.T
    if own is not None:
        cosines[np.arange(len(own)), own] = -1
    greatest: Floats = cosines.max(axis=1)
    return greatest


def _percentiles(values: Floats) -> dict[str, float]:
    return {f"p{p}": round(float(np.percentile(values, p)), 3) for p in (10, 50, 90)}
