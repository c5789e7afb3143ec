"""Finding the nearest vectors by reading all of them: sign bits first, then 8-bit rows of the few that come near.

Vectors have length one, and are kept with the mean of their collection taken off, which makes the signs tell more. The
sign of each of 384 numbers is a 32nd of the data, is compared by exclusive or and counting, and leaves some hundred
candidates for the exact order. There is nothing to build, and a filter makes the answer exact. 3 ms for 300,000
vectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from broadsheet.search.embedding import Floats

Words = npt.NDArray[np.uint64]
Rows = npt.NDArray[np.int64]

# Signs that are compared at a time: their distances stay in the processor's cache.
_CHUNK = 65_536
# Rows that are multiplied at a time.
_EXACT_CHUNK = 8_192


@dataclass(frozen=True, slots=True)
class Block:
    """Vectors in the form in which they are scanned: bits (words, n) of uint64, rows (n, d) of int8, scales (n,)."""

    bits: Words
    rows: npt.NDArray[np.int8]
    scales: Floats

    @property
    def count(self) -> int:
        """How many vectors there are."""
        return len(self.scales)


def words_of(dimensions: int) -> int:
    """How many words of 64 signs a vector has."""
    return -(-dimensions // 64)


def packed(centred: Floats) -> Block:
    """Vectors (n, d), the mean taken off, as a block."""
    scales = np.abs(centred).max(axis=1, initial=0.0) / np.float32(127)
    scales[scales == 0] = 1
    rows = np.rint(centred / scales[:, None]).astype(np.int8)
    return Block(_signs(centred), rows, scales.astype(np.float32))


def unpacked(block: Block, rows: Rows | slice) -> Floats:
    """The centred vectors in some rows, as far as 8 bits tell them."""
    return block.rows[rows].astype(np.float32) * block.scales[rows, None]


def _signs(centred: Floats) -> Words:
    """The sign bits of vectors (n, d) in columns of 64, the last one filled up with zeros: (words, n)."""
    count, dimensions = centred.shape
    octets = np.zeros((count, 8 * words_of(dimensions)), np.uint8)
    packed_bits = np.packbits(centred > 0, axis=1)
    octets[:, : packed_bits.shape[1]] = packed_bits
    return np.ascontiguousarray(octets.view(np.uint64).T)


def nearest_by_signs(columns: Sequence[Words], query: Floats, count: int) -> list[Rows]:
    """Of several blocks' bits, the rows of each that are among the `count` of all nearest to a query (d,) by signs.

    Rows come in rising order; of equally distant ones the first are taken.
    """
    if count >= sum(bits.shape[1] for bits in columns):
        return [np.arange(bits.shape[1]) for bits in columns]
    signs = _signs(query[None, :])[:, 0]
    distances = [_distances(bits, signs) for bits in columns]
    longest = 64 * len(columns[0]) + 1
    within = np.cumsum(np.sum([np.bincount(one, minlength=longest) for one in distances], axis=0))
    cut = int(np.searchsorted(within, count))
    left = count - (int(within[cut - 1]) if cut else 0)
    chosen = []
    for one in distances:
        rows = np.flatnonzero(one <= cut)
        level = one[rows] == cut
        chosen.append(rows[~level | (np.cumsum(level) <= left)])
        left = max(0, left - int(level.sum()))
    return chosen


def _distances(bits: Words, query: Words) -> npt.NDArray[np.uint16]:
    """How many signs of each row differ from the query's."""
    distances = np.empty(bits.shape[1], np.uint16)
    for begin in range(0, bits.shape[1], _CHUNK):
        chunk = slice(begin, begin + _CHUNK)
        total = np.bitwise_count(bits[0, chunk] ^ query[0]).astype(np.uint16)
        for column, word in zip(bits[1:, chunk], query[1:], strict=True):
            total += np.bitwise_count(column ^ word)
        distances[chunk] = total
    return distances


def products(block: Block, query: Floats, rows: Rows) -> Floats:
    """The scalar products of the centred vectors in `rows` with a query (d,)."""
    result = np.empty(len(rows), np.float32)
    for begin in range(0, len(rows), _EXACT_CHUNK):
        chosen = rows[begin : begin + _EXACT_CHUNK]
        # Not the operator @: its library starts a thread for each core, and readers are many.
        sums = np.einsum("nd,d->n", block.rows[chosen].astype(np.float32), query)
        result[begin : begin + len(chosen)] = sums * block.scales[chosen]
    return result


def best(scores: npt.NDArray[Any], count: int) -> Rows:
    """The places of the `count` greatest scores, the greatest first, of equals the first."""
    if count < len(scores):
        # All that reach the last one's score, so that which of equals are left out does not depend on the partition.
        least = np.partition(scores, -count)[-count] if count else np.inf
        places = np.flatnonzero(scores >= least)
    else:
        places = np.arange(len(scores))
    return places[np.argsort(-scores[places], kind="stable")][:count]
