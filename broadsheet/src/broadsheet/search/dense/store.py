"""Vectors on disk: immutable segments, and a manifest that names those that count and is replaced by a rename.

A folder holds the vectors of one model::

    manifest.json      what counts: segments, the mean that was taken off every vector, the measured shortcut
    000012.vectors     a segment

A writer killed at any moment leaves the manifest as it was, and perhaps a file that nothing names. Readers map the
segments into memory, all processes the same pages. Nothing is ever deleted: the lexical index knows which papers there
are, and which text each has now, and a vector that was made from another text does not count.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from broadsheet.search import durable
from broadsheet.search.dense import calibration, scan, segment
from broadsheet.search.dense.calibration import Shortcut
from broadsheet.search.dense.segment import Keys, Segment
from broadsheet.search.embedding import Floats

FORMAT = 1
_MANIFEST = "manifest.json"
_LARGEST_MANIFEST = 1_000_000  # bytes
# How often a reader looks for a newer manifest, in seconds.
RELOAD_AFTER = 1.0

# A segment is written together with the one before it unless that is so many times as long or both together are longer
# than the longest: few segments, and no vector is written again more than some thirty times.
_STEPS = 4
_LONGEST = 262_144

# The mean is that of the first vectors. It is taken anew as they double, until there are so many.
_MEAN_OF = 1_000


# The mean of vectors of length one is no longer than they are, but for rounding.
_LONGEST_MEAN = 1.01


class Damaged(Exception):
    """The folder holds something that no writer of ours left there. The vectors have to be made again."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What counts. `segments` are names with their numbers of rows; `papers` counts a paper in two of them once.

    `mean` is in hexadecimal, 32-bit floats in the machine's order; it was taken of the first `mean_of` vectors.
    `checksums` are those of the segments, by name; what older versions wrote has none.
    """

    fingerprint: str
    dimensions: int
    segments: tuple[tuple[str, int], ...] = ()
    papers: int = 0
    mean: str = ""
    mean_of: int = 0
    shortcut: Shortcut | None = None
    checksums: dict[str, int] = field(default_factory=dict)

    @classmethod
    def from_bytes(cls, content: bytes) -> Manifest:
        """Read a manifest. Raises ValueError, KeyError, TypeError or AttributeError when it is none."""
        said = json.loads(content)
        if said.pop("format") != FORMAT:
            raise ValueError("another format")
        segments = tuple((str(int(name)).zfill(6), _whole(rows)) for name, rows in said.pop("segments"))
        shortcut = said.pop("shortcut")
        names = ("fingerprint", "dimensions", "papers", "mean", "mean_of")
        made = cls(
            **{name: said[name] for name in names},
            segments=segments,
            shortcut=_shortcut(**shortcut) if shortcut else None,
            checksums={name: _whole(value) for name, value in said.get("checksums", {}).items()},
        )
        _examine(made)
        return made


def _whole(value: object) -> int:
    """Raises ValueError for what is no whole number from nought on."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"no number of anything: {value!r}")
    return value


def _shortcut(factor: object, recall: object, vectors: object) -> Shortcut:
    """Raises ValueError or TypeError."""
    if not isinstance(recall, int | float):
        raise TypeError(f"no share: {recall!r}")
    return Shortcut(None if factor is None else _whole(factor), float(recall), _whole(vectors))


def _examine(manifest: Manifest) -> None:
    """Raises ValueError or TypeError when its numbers do not fit each other, or are none."""
    rows = [count for _name, count in manifest.segments]
    _whole(manifest.mean_of)
    if not max(rows, default=0) <= _whole(manifest.papers) <= sum(rows):
        raise ValueError("other papers are counted than there are")
    mean = bytes.fromhex(manifest.mean)
    if len(mean) != (4 * _whole(manifest.dimensions) if rows else 0):
        raise ValueError("the mean has another length than the vectors")
    # Neither is a mean that is no number.
    if not np.linalg.norm(np.frombuffer(mean, np.float32).astype(np.float64)) <= _LONGEST_MEAN:
        raise ValueError("the mean is not one of vectors of length one")


class Found(NamedTuple):
    """Papers, the digests of the texts that their vectors were made from, and their cosines to what was asked."""

    pks: Keys
    digests: Keys
    cosines: Floats


@dataclass(frozen=True, slots=True)
class _View:
    """A manifest with its segments mapped."""

    manifest: Manifest
    mean: Floats
    segments: tuple[Segment, ...]


class Vectors:
    """The vectors of one model in a folder. May be shared by threads; one process writes, any number read."""

    def __init__(self, folder: Path, *, fingerprint: str, dimensions: int) -> None:
        self._folder = folder
        self._empty = Manifest(fingerprint, dimensions)
        self._lock = threading.RLock()
        self._view: _View | None = None
        self._stamp: tuple[int, int, int] | None = None
        self._looked = -math.inf

    def count(self) -> int:
        """How many papers have a vector. Raises Damaged, OSError, as all methods do."""
        return self._current().manifest.papers

    def verify(self) -> None:
        """Read every segment and compare it with its checksum: two seconds for each gigabyte.

        Raises Damaged, OSError.
        """
        manifest = self._current().manifest
        for name, _rows in manifest.segments:
            if name in manifest.checksums and segment.checksum(self._file(name)) != manifest.checksums[name]:
                raise Damaged(f"the file {self._file(name).name} of the vectors is not what was written")

    def nearest(self, query: Floats, count: int, *, among: Sequence[int] | None = None) -> Found:
        """The `count` papers whose vectors are nearest to one of length one, the nearest first, of equals any.

        With `among`, only these papers are looked at.
        """
        view = self._current()
        allowed: list[scan.Rows | slice] = [slice(None)] * len(view.segments)
        if among is not None:
            allowed = [rows for _part, rows in _rows_of(view, among)]
        columns = [part.block.bits[:, rows] for part, rows in zip(view.segments, allowed, strict=True)]
        near = scan.nearest_by_signs(columns, query, _candidates(view.manifest, count)) if columns else []
        parts = []
        for number, part in enumerate(view.segments):
            rows = np.arange(len(part.pks))[allowed[number]][near[number]]
            if among is None:
                rows = rows[~_held(view.segments[number + 1 :], part.pks[rows])]
            parts.append(_compared(part, rows, query))
        found = _joined(parts, float(view.mean @ query))
        order = scan.best(found.cosines, count)
        return Found(found.pks[order], found.digests[order], found.cosines[order])

    def cosines(self, query: Floats, pks: Sequence[int]) -> Found:
        """Those of the papers that have a vector, in no order, each once."""
        view = self._current()
        parts = [_compared(part, rows, query) for part, rows in _rows_of(view, pks)]
        return _joined(parts, float(view.mean @ query))

    def vector(self, pk: int) -> tuple[int, Floats] | None:
        """The digest of the text and the vector of a paper, as far as 8 bits tell it; None when it has none."""
        view = self._current()
        for part in reversed(view.segments):
            _places, rows = part.rows(np.array([pk], np.int64))
            if len(rows):
                value = scan.unpacked(part.block, rows)[0] + view.mean
                return int(part.digests[rows[0]]), value / np.linalg.norm(value)
        return None

    def vectors(self, pks: Sequence[int]) -> dict[int, tuple[int, Floats]]:
        """As `vector`, for many papers at once; those without one are left out."""
        view = self._current()
        found: dict[int, tuple[int, Floats]] = {}
        for part, rows in _rows_of(view, pks):
            values = scan.unpacked(part.block, rows) + view.mean
            values /= np.linalg.norm(values, axis=1, keepdims=True)
            digests = part.digests[rows].tolist()
            found.update(zip(part.pks[rows].tolist(), zip(digests, values, strict=True), strict=True))
        return found

    def digests(self, pks: Sequence[int]) -> dict[int, int]:
        """The digest of the text that each paper's vector was made from, where it has one."""
        wanted = np.fromiter(pks, np.int64)
        known: dict[int, int] = {}
        for part in self._current().segments:
            _places, rows = part.rows(wanted)
            known.update(zip(part.pks[rows].tolist(), part.digests[rows].tolist(), strict=True))
        return known

    def add(self, pks: Sequence[int], digests: Sequence[int], vectors: Floats) -> None:
        """Add vectors (n, d) of length one, each paper once; all of it or nothing, durably.

        A paper that has a vector gets the new one in its place. Only whoever holds the folder's lock may call it.
        """
        if not pks:
            return
        with self._lock:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._reload()
            view = self._current()
            keys = np.fromiter(pks, np.int64)
            new = len(keys) - int(_held(view.segments, keys).sum())
            manifest = replace(view.manifest, papers=view.manifest.papers + new)
            parts = list(view.segments)
            mean = view.mean
            if manifest.mean_of < min(_MEAN_OF, manifest.papers // 2 + 1):
                parts, mean = _centred_anew(view, vectors)
                manifest = replace(manifest, mean=mean.tobytes().hex(), mean_of=manifest.papers, segments=())
            order = np.argsort(keys)
            added = Segment(keys[order], np.fromiter(digests, np.int64)[order], scan.packed((vectors - mean)[order]))
            self._publish(self._measured(self._written(manifest, parts, added)))

    def close(self) -> None:
        """Give back the mapped memory. The vectors can be asked again afterwards."""
        with self._lock:
            self._view, self._stamp, self._looked = None, None, -math.inf

    def _current(self) -> _View:
        with self._lock:
            if self._view is None or time.monotonic() - self._looked >= RELOAD_AFTER:
                self._reload()
            assert self._view is not None, "a view is set by loading it"
            return self._view

    def _reload(self) -> None:
        """See what was published since. A writer may remove a file between a look at the manifest and at the file."""
        path = self._folder / _MANIFEST
        while True:
            stamp = _stamp(path)
            if self._view is None or stamp != self._stamp:
                try:
                    self._view = self._opened(path) if stamp else _View(self._empty, _nothing(self._empty), ())
                except Damaged:
                    if _stamp(path) != stamp:
                        continue
                    raise
            self._stamp, self._looked = stamp, time.monotonic()
            return

    def _opened(self, path: Path) -> _View:
        try:
            with path.open("rb") as file:
                manifest = Manifest.from_bytes(file.read(_LARGEST_MANIFEST))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise Damaged(f"the manifest of the vectors cannot be read: {error!r}") from error
        except FileNotFoundError as error:
            raise Damaged("the manifest of the vectors has vanished") from error
        if (manifest.fingerprint, manifest.dimensions) != (self._empty.fingerprint, self._empty.dimensions):
            raise Damaged("the vectors are those of another model")
        return self._mapped(manifest)

    def _mapped(self, manifest: Manifest) -> _View:
        mean = np.frombuffer(bytes.fromhex(manifest.mean), np.float32) if manifest.mean else _nothing(manifest)
        # A segment never changes: one that is mapped already is not looked at again.
        known = dict(zip(_identities(self._view.manifest), self._view.segments, strict=True)) if self._view else {}
        try:
            parts = [
                known.get(identity) or segment.mapped(self._file(name), rows, manifest.dimensions)
                for identity, (name, rows) in zip(_identities(manifest), manifest.segments, strict=True)
            ]
        except (FileNotFoundError, ValueError) as error:
            raise Damaged(f"a file of the vectors is gone or damaged: {error}") from error
        return _View(manifest, mean, tuple(parts))

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.vectors"

    def _written(self, manifest: Manifest, parts: list[Segment], added: Segment) -> Manifest:
        """The manifest with the new segment written behind the others, together with those that are not much longer."""
        kept = list(manifest.segments)
        joined = [added] if kept else [*parts, added]
        while kept and kept[-1][1] < _STEPS * _rows(joined) and kept[-1][1] + _rows(joined) <= _LONGEST:
            kept.pop()
            joined.insert(0, parts[len(kept)])
        names = [int(path.stem) for path in self._folder.glob("*.vectors") if path.stem.isdecimal()]
        name = f"{max(names, default=0) + 1:06}"
        rows, checksum = segment.write(self._file(name), joined)
        sums = {one: manifest.checksums[one] for one, _rows in kept if one in manifest.checksums}
        return replace(manifest, segments=(*kept, (name, rows)), checksums={**sums, name: checksum})

    def _measured(self, manifest: Manifest) -> Manifest:
        """With the shortcut measured, when the longest segment has doubled since that was done last."""
        name, rows = max(manifest.segments, key=lambda entry: entry[1])
        before = manifest.shortcut.vectors if manifest.shortcut else 0
        if rows < max(calibration.FEWEST, min(2 * before, calibration.MOST)) or before == calibration.MOST:
            return manifest
        part = segment.mapped(self._file(name), rows, manifest.dimensions)
        return replace(manifest, shortcut=calibration.measured(part.block))

    def _publish(self, manifest: Manifest) -> None:
        durable.replace(self._folder / _MANIFEST, json.dumps({"format": FORMAT, **asdict(manifest)}).encode())
        self._reload()
        named = {self._file(name) for name, _rows in manifest.segments}
        for path in set(self._folder.glob("*.vectors")) - named:
            # Replaced by a longer one, or left by a writer that was killed.
            path.unlink(missing_ok=True)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _nothing(manifest: Manifest) -> Floats:
    return np.zeros(manifest.dimensions, np.float32)


def _identities(manifest: Manifest) -> list[tuple[str, int, int | None]]:
    """What tells each segment from every other one."""
    return [(name, rows, manifest.checksums.get(name)) for name, rows in manifest.segments]


def _rows(parts: Sequence[Segment]) -> int:
    return sum(len(part.pks) for part in parts)


def _candidates(manifest: Manifest, count: int) -> int:
    """How many vectors are compared exactly to find so many.

    The more are wanted, the fewer for each: where 40 for each find 98 in 100 of the nearest 10, 10 for each find 99 in
    100 of the nearest 100 (SciFact, Cranfield and CISI together).
    """
    if manifest.shortcut is None or manifest.shortcut.factor is None:
        return sum(rows for _name, rows in manifest.segments)
    return max(count, round(manifest.shortcut.factor * math.sqrt(calibration.DEPTH * count)))


def _rows_of(view: _View, pks: Sequence[int]) -> list[tuple[Segment, scan.Rows]]:
    """Each segment with the rows in it that count for these papers, each paper once."""
    # numpy's `unique` keeps a table of what it saw: of a hundred thousand keys that takes ten times as long.
    wanted = np.sort(np.fromiter(pks, np.int64))
    wanted = wanted[np.diff(wanted, prepend=-1) != 0]
    found = []
    for part in reversed(view.segments):
        places, rows = part.rows(wanted)
        wanted = np.delete(wanted, places)
        found.append((part, rows))
    return found[::-1]


def _held(parts: Sequence[Segment], pks: Keys) -> Any:
    """Whether each of the papers is in one of the segments."""
    held = np.zeros(len(pks), np.bool_)
    for part in parts:
        held[part.rows(pks)[0]] = True
    return held


def _compared(part: Segment, rows: scan.Rows, query: Floats) -> Found:
    """The papers in these rows. The cosines lack what the mean adds to all of them: (v-m)·q + m·q = v·q."""
    return Found(part.pks[rows], part.digests[rows], scan.products(part.block, query, rows))


def _joined(parts: Sequence[Found], base: float) -> Found:
    if not parts:
        return Found(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))
    pks, digests, cosines = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return Found(pks, digests, cosines + np.float32(base))


def _centred_anew(view: _View, vectors: Floats) -> tuple[list[Segment], Floats]:
    """All segments in one with the mean of old and new vectors taken off, and that mean."""
    old = [scan.unpacked(part.block, slice(None)) + view.mean for part in view.segments]
    mean = np.concatenate([*old, vectors]).mean(axis=0).astype(np.float32)
    parts = zip(view.segments, old, strict=True)
    return [Segment(part.pks, part.digests, scan.packed(whole - mean)) for part, whole in parts], mean
