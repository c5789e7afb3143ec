"""One immutable file of vectors, and how several become one.

It holds column after column, in the machine's byte order: primary keys (int64, rising), digests of the texts (int64),
signs (`scan`), scales (float32), rows (int8). How many rows there are, and of how many numbers, is said elsewhere; the
length of the file must fit. So is a checksum (CRC-32, as zlib computes it): reading the whole file takes two seconds
for each gigabyte, so only who writes compares it, and readers look at the keys and the scales.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from broadsheet.search import durable
from broadsheet.search.dense import scan
from broadsheet.search.dense.scan import Block, Rows

Keys = npt.NDArray[np.int64]
Column = npt.NDArray[Any]

# Rows that are copied at a time: a merge takes no more memory than this, whatever it merges.
_CHUNK = 16_384
# Bytes that are read at a time for a checksum.
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Segment:
    """Vectors of papers, each paper once, with a digest of the text that each was made from."""

    pks: Keys
    digests: Keys
    block: Block

    def rows(self, pks: Keys) -> tuple[Rows, Rows]:
        """Of those papers that are here: their places in `pks`, and their rows."""
        if not len(self.pks):
            return np.arange(0), np.arange(0)
        found = np.minimum(np.searchsorted(self.pks, pks), len(self.pks) - 1)
        places = np.flatnonzero(self.pks[found] == pks)
        return places, found[places]


def mapped(path: Path, count: int, dimensions: int) -> Segment:
    """The segment in a file, read from the disk when it is needed.

    Raises OSError; ValueError for a wrong length, keys that do not rise, or scales that are none.
    """
    words = scan.words_of(dimensions)
    length = count * (8 + 8 + 8 * words + 4 + dimensions)
    if path.stat().st_size != length:
        raise ValueError(f"{path.name} has {path.stat().st_size} bytes instead of {length}")
    content = np.memmap(path, np.uint8, mode="r").view(np.ndarray)
    place = 0

    def column(kind: str, size: int, numbers: int = 1) -> Column:
        nonlocal place
        end = place + count * size * numbers
        part: Column = content[place:end].view(kind)
        place = end
        return part

    pks, digests = column("i8", 8), column("i8", 8)
    bits = column("u8", 8, words).reshape(words, count)
    scales = column("f4", 4)
    if not _plausible(pks, scales):
        raise ValueError(f"{path.name} is not what was written")
    return Segment(pks, digests, Block(bits, column("i1", 1, dimensions).reshape(count, dimensions), scales))


def _plausible(pks: Keys, scales: Column) -> bool:
    """Whether keys rise and scales are positive numbers, which other bytes hardly do."""
    for begin in range(0, len(pks), _CHUNK):
        keys, some = pks[begin : begin + _CHUNK + 1], scales[begin : begin + _CHUNK]
        if not ((keys[1:] > keys[:-1]).all() and ((some > 0) & (some < np.inf)).all()):
            return False
    return True


def checksum(path: Path) -> int:
    """The checksum of a file, which is read and not mapped: the memory of the process does not grow. Raises OSError."""
    found = 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            found = zlib.crc32(piece, found)
    return found


def write(path: Path, parts: Sequence[Segment]) -> tuple[int, int]:
    """Write several segments as one; of a paper in two of them the later one counts.

    Returns how many papers it has, and its checksum. Raises OSError.
    """
    pks = np.concatenate([part.pks for part in parts])
    source = np.repeat(np.arange(len(parts)), [len(part.pks) for part in parts])
    row = np.concatenate([np.arange(len(part.pks)) for part in parts])
    order = np.lexsort((source, pks))
    last = np.append(pks[order][1:] != pks[order][:-1], np.True_)
    order = order[last]
    source, row = source[order], row[order]

    def gathered(of: Callable[[Segment], Column]) -> Iterator[memoryview]:
        columns = [of(part) for part in parts]
        for begin in range(0, len(row), _CHUNK):
            piece = slice(begin, begin + _CHUNK)
            whole = np.empty((len(row[piece]), *columns[0].shape[1:]), columns[0].dtype)
            for number, column in enumerate(columns):
                mine = source[piece] == number
                whole[mine] = column[row[piece][mine]]
            yield whole.data.cast("B")

    def content() -> Iterator[memoryview]:
        yield pks[order].data.cast("B")
        yield from gathered(lambda part: part.digests)
        for word in range(len(parts[0].block.bits)):
            yield from gathered(lambda part, word=word: part.block.bits[word])  # type: ignore[misc]  # the default binds the loop's value
        yield from gathered(lambda part: part.block.scales)
        yield from gathered(lambda part: part.block.rows)

    found = 0

    def summed() -> Iterator[memoryview]:
        nonlocal found
        for piece in content():
            found = zlib.crc32(piece, found)
            yield piece

    durable.write(path, summed())
    return len(row), found
