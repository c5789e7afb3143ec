"""What a library says of its reader's interest: a linear model over words and vectors, and its reasons.

Ridge regression (Hoerl and Kennard 1970): saved papers should have 1, papers of the background -1, and both sides count
alike, however many there are of each. The features of a paper are its words, as TF-IDF with logarithms of counts and
length one, and beside them its vector from the search by meaning, where there is one, less the mean vector. The normal
equations are solved by a fixed number of conjugate gradients (Hestenes and Stiefel 1952). The same papers give the same
model in every process. Pure: nothing here reads a database, and nothing of a model is kept on a disk.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from broadsheet.bibliography.tex import to_text
from broadsheet.search import analysis

Floats = npt.NDArray[np.float32]
Whole = npt.NDArray[np.int64]

# Words are counted in so many places by a hash. Two words in one place are taken for one.
PLACES = 1 << 17
# What is read of one paper: characters of its title and abstract, and different words.
MOST_CHARACTERS = 20_000
MOST_WORDS = 400
LONGEST_WORD = 40

# From so many saved papers on there is a model, and so many, the last saved ones, are the most that it is made of.
FEWEST = 3
MOST_SAVED = 2_000
# Papers of the background, against which saved ones are held, and how many there are at least.
BACKGROUND = 2_000
LEAST_BACKGROUND = 20
# Papers that are put in order at most; those behind stay as they are. Of them, so many get a reason.
MOST_RANKED = 5_000
MOST_EXPLAINED = 60
# Saved papers, the last ones, among which the nearest are looked for.
MOST_COMPARED = 1_000
# Words of shown papers that are compared with them at a time: a hundred megabytes less for texts made to be long.
_WORDS_AT_ONCE = 8_000

# What a reader may have: profiles of shelves, and papers that one of them is to forget.
MOST_PROFILES = 12
MOST_FORGOTTEN = 1_000
# A paper that she gave at most so many stars is none that more like it are wanted of.
DISLIKED = 2

# Chosen on one half of the readers of the benchmark and judged on the other; docs/developer/profile.md has the figures.
# The penalty is divided by the number of saved papers.
PENALTY = 0.02
SHARE_OF_VECTORS = 1.0
STEPS = 12
_ENOUGH = 1e-3

# A reason names so many papers and words at most, and only papers whose cosine is at least so much.
NAMED_PAPERS = 2
NAMED_WORDS = 3
NEAR = 0.1
LONGEST_TITLE = 70

_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class Terms:
    """The words of a paper: places by hash, rising; how often each word stands there, and the word as it is printed."""

    places: npt.NDArray[np.uint32]
    counts: npt.NDArray[np.uint8]
    words: tuple[str, ...]

    def packed(self) -> bytes:
        """Places and counts as bytes, five for each word."""
        return self.places.astype("<u4").tobytes() + self.counts.tobytes()


def unpacked(content: bytes) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint8]]:
    """Places and counts of `Terms.packed`."""
    count = len(content) // 5
    return np.frombuffer(content, "<u4", count), np.frombuffer(content, np.uint8, count, 4 * count)


def terms(title: str, abstract: str) -> Terms:
    """The words of a title and an abstract, both TeX, by their stems. Those of the title count twice."""
    shown = to_text(title[:MOST_CHARACTERS]), to_text(abstract[:MOST_CHARACTERS])
    text = f"{shown[0]} {shown[0]} {shown[1]}"[:MOST_CHARACTERS]
    counted: Counter[str] = Counter()
    printed: dict[str, str] = {}
    for stem, word in zip(analysis.stems(text), analysis.words(text), strict=True):
        if 1 < len(word) <= LONGEST_WORD and word not in analysis.STOP_WORDS and _LETTER.search(word):
            counted[stem] += 1
            printed.setdefault(stem, word)
    by_place: dict[int, tuple[int, str]] = {}
    for stem, count in counted.most_common(MOST_WORDS):
        place = zlib.crc32(stem.encode()) % PLACES
        before, word = by_place.get(place, (0, printed[stem]))
        by_place[place] = (min(255, before + count), word)
    order = sorted(by_place)
    return Terms(
        np.array(order, np.uint32),
        np.array([by_place[place][0] for place in order], np.uint8),
        tuple(by_place[place][1] for place in order),
    )


@dataclass(frozen=True, slots=True)
class Rows:
    """Papers as rows: of words, row after row, and of vectors, (rows, dimensions), nought where there is none."""

    ends: Whole
    places: npt.NDArray[np.int64]
    values: Floats
    vectors: Floats

    def __len__(self) -> int:
        return len(self.ends)

    def lengths(self) -> Whole:
        """How many words each row has."""
        return np.diff(self.ends, prepend=0)

    def of(self, chosen: Whole) -> Rows:
        """Some of the rows, in that order."""
        lengths = self.lengths()[chosen]
        ends = np.cumsum(lengths)
        inside = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - lengths, lengths)
        at = inside + np.repeat((self.ends - self.lengths())[chosen], lengths)
        return Rows(ends, self.places[at], self.values[at], self.vectors[chosen])

    def times(self, words: Floats, direction: Floats) -> Floats:
        """The product of each row with the weights of a model."""
        found: Floats = _sums(self.values * words[self.places], self.ends) + self.vectors @ direction
        return found

    def weighed(self, weights: Floats) -> tuple[Floats, Floats]:
        """The sum of the rows, each with its weight: over words, and over vectors."""
        spread = np.repeat(weights, self.lengths())
        words = np.bincount(self.places, self.values * spread, PLACES).astype(np.float32)
        return words, weights @ self.vectors


def joined(first: Rows, second: Rows) -> Rows:
    """The rows of both, one after the other."""
    return Rows(
        np.concatenate([first.ends, second.ends + (first.ends[-1] if len(first) else 0)]),
        np.concatenate([first.places, second.places]),
        np.concatenate([first.values, second.values]),
        np.concatenate([first.vectors, second.vectors]),
    )


@dataclass(frozen=True, slots=True)
class Scale:
    """What is known of all papers together: how rare each word is, and the mean vector (no numbers without vectors)."""

    rarity: Floats
    mean: Floats


def scale(counted: Whole, papers: int, mean: Floats) -> Scale:
    """The scale of `papers` papers, of which `counted` have a word at each place."""
    return Scale((np.log((1 + papers) / (1 + counted)) + 1).astype(np.float32), mean)


def rows(
    packed: Sequence[bytes], vectors: Sequence[Floats | None], known: Scale, share: float = SHARE_OF_VECTORS
) -> Rows:
    """Papers as rows of a model, from what is kept of each. A vector without its mean gets the length `share`."""
    pairs = [unpacked(content) for content in packed]
    lengths = np.array([len(places) for places, _counts in pairs], np.int64)
    ends = np.cumsum(lengths)
    places = np.concatenate([np.zeros(0, np.uint32), *(places for places, _counts in pairs)]).astype(np.int64)
    counts = np.concatenate([np.zeros(0, np.uint8), *(counts for _places, counts in pairs)]).astype(np.float32)
    return Rows(ends, places, _unit(counts, places, ends, known.rarity), _centred(vectors, known.mean, share))


def _unit(counts: Floats, places: Whole, ends: Whole, rarity: Floats) -> Floats:
    values = (1 + np.log(np.maximum(counts, 1))) * rarity[places]
    norms = np.maximum(np.sqrt(_sums(values * values, ends)), np.float32(1e-9))
    found: Floats = (values / np.repeat(norms, np.diff(ends, prepend=0))).astype(np.float32)
    return found


def _sums(values: Floats, ends: Whole) -> Floats:
    """The sum of each row's values, of which the rows end at these places; rows may be empty."""
    reached = np.concatenate([np.zeros(1), np.cumsum(values, dtype=np.float64)])
    found: Floats = (reached[ends] - reached[ends - np.diff(ends, prepend=0)]).astype(np.float32)
    return found


def _centred(vectors: Sequence[Floats | None], mean: Floats, share: float) -> Floats:
    found = np.zeros((len(vectors), len(mean)), np.float32)
    known = {at: vector for at, vector in enumerate(vectors) if vector is not None and len(vector) == len(mean)}
    if known and len(mean):
        centred = np.stack(list(known.values())) - mean
        centred *= share / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)
        found[list(known)] = centred
    return found


@dataclass(frozen=True, slots=True)
class Model:
    """What was learned: a weight for each place of a word, one for each number of a vector, and what is added."""

    words: Floats
    direction: Floats
    offset: float

    def scores(self, papers: Rows) -> Floats:
        """How near each paper is to what was saved; about 1 for a saved one, about -1 for any other."""
        return papers.times(self.words, self.direction) + np.float32(self.offset)


def learn(saved: Rows, others: Rows, *, penalty: float = PENALTY) -> Model:
    """The model of saved papers against others: the same for the same papers, whatever was learned before."""
    papers = joined(saved, others)
    penalty /= max(1, len(saved))
    each = np.concatenate(
        [np.full(len(saved), 0.5 / max(1, len(saved))), np.full(len(others), 0.5 / max(1, len(others)))]
    ).astype(np.float32)
    wanted = np.concatenate([np.ones(len(saved)), -np.ones(len(others))]).astype(np.float32)
    mean_words, mean_vector = papers.weighed(each)
    middle = np.float32(each @ wanted)

    def product(words: Floats, direction: Floats) -> tuple[Floats, Floats]:
        """The weights times the covariance of all rows, and the penalty."""
        spread = papers.times(words, direction)
        shift = np.float32(mean_words @ words + mean_vector @ direction)
        sums, along = papers.weighed(each * (spread - shift))
        return sums + penalty * words, along + penalty * direction

    words, direction = _solved(product, papers.weighed(each * (wanted - middle)))
    return Model(words, direction, float(middle - mean_words @ words - mean_vector @ direction))


_Product = Callable[[Floats, Floats], tuple[Floats, Floats]]


def _solved(product: _Product, right: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """Conjugate gradients, STEPS at most, on two parts of one vector."""
    cut = len(right[0])
    rest = np.concatenate(right)
    found = np.zeros_like(rest)
    way = rest.copy()
    size = float(rest @ rest)
    enough = _ENOUGH**2 * size
    for _step in range(STEPS):
        if size <= enough:
            break
        along = np.concatenate(product(way[:cut], way[cut:]))
        length = size / float(way @ along)
        found += length * way
        rest -= length * along
        size, before = float(rest @ rest), size
        way = rest + (size / before) * way
    return found[:cut], found[cut:]


def cosines(shown: Rows, saved: Rows) -> Floats:
    """How alike each shown paper is to each saved one, (shown, saved), from -1 to 1."""
    found = np.zeros((len(shown), len(saved)), np.float32)
    step = _WORDS_AT_ONCE // max(1, *shown.lengths().tolist(), 1)
    for at in range(0, len(shown), step):
        part = np.arange(at, min(at + step, len(shown)))
        found[part] = _products(shown.of(part), saved)
    found /= np.maximum(np.outer(_norms(shown), _norms(saved)), np.float32(1e-9))
    return found


def _products(shown: Rows, saved: Rows) -> Floats:
    """The product of each shown row with each saved one, over the words that stand in any of the shown ones."""
    seen, columns = np.unique(shown.places, return_inverse=True)
    column_of = np.full(PLACES, -1, np.int64)
    column_of[seen] = np.arange(len(seen))
    at = column_of[saved.places]
    shared = at >= 0
    there = np.zeros((len(saved), len(seen)), np.float32)
    there[np.repeat(np.arange(len(saved)), saved.lengths())[shared], at[shared]] = saved.values[shared]
    here = np.zeros((len(shown), len(seen)), np.float32)
    here[np.repeat(np.arange(len(shown)), shown.lengths()), columns] = shown.values
    found: Floats = here @ there.T + shown.vectors @ saved.vectors.T
    return found


def _norms(papers: Rows) -> Floats:
    found: Floats = np.sqrt(_sums(papers.values**2, papers.ends) + (papers.vectors**2).sum(axis=1))
    return found


def strongest(model: Model, papers: Rows, row: int, count: int = NAMED_WORDS) -> list[int]:
    """Which words of a paper, by their number in it, speak most for it; none that speaks against it."""
    end = int(papers.ends[row])
    begin = end - int(papers.lengths()[row])
    parts = papers.values[begin:end] * model.words[papers.places[begin:end]]
    best = np.argsort(-parts, kind="stable")[:count]
    return [int(at) for at in best if parts[at] > 0]


def weights(model: Model, saved: Rows, words: Sequence[str]) -> list[tuple[str, float]]:
    """What each word of the saved papers adds to the score of a saved paper on average, the strongest first.

    `words` are those of all rows, one after the other. The words of one place count as one: that which is there most.
    """
    places, columns = np.unique(saved.places, return_inverse=True)
    total = np.bincount(columns, saved.values, len(places)) * model.words[places] / max(1, len(saved))
    spelt: dict[int, Counter[str]] = {}
    for column, word in zip(columns.tolist(), words, strict=True):
        spelt.setdefault(column, Counter())[word] += 1
    order = np.argsort(-total, kind="stable")
    return [(spelt[at].most_common(1)[0][0], float(total[at])) for at in order.tolist()]


def reason(titles: Sequence[str], words: Sequence[str]) -> str:
    """Why a paper is near, in words: the saved papers that it is nearest to, cut, and the words that speak for it."""
    shown = [f"“{title}”" for title in titles[:NAMED_PAPERS]]
    parts = [f"near {' and '.join(shown)}, which you saved"] if shown else []
    if words:
        parts.append(f"words: {', '.join(words[:NAMED_WORDS])}")
    return "; ".join(parts)


@lru_cache(maxsize=4096)
def cut(title: str) -> str:
    """A title, which is TeX, as plain text on one line, with three points where it is too long."""
    text = to_text(title[:MOST_CHARACTERS])
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    if len(line) <= LONGEST_TITLE:
        return line
    whole, _blank, _rest = line[:LONGEST_TITLE].rpartition(" ")
    return f"{whole.rstrip(' ,;:')} …" if whole else f"{line[:LONGEST_TITLE]}…"
