"""The folder of an embedded index: which generation is live, who may write, what an old or broken one is.

::

    folder/
        manifest.json      which generation answers, and which format it has; replaced by rename, never edited
        writer.lock        locked by the one process that writes
        g000001/           tantivy's files of a generation, and what `embedded_names` keeps
        vectors/           what `dense.generations` keeps; a switch leaves it alone

A generation is made beside the old one and becomes live when the manifest names it, so that a crash at any moment
leaves the old one or the new one. The index is derived data: whatever is wrong with the folder, `switch` begins again.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from broadsheet.search import durable
from broadsheet.search.durable import Lock
from broadsheet.search.index import IndexUnavailable

_MANIFEST = "manifest.json"
_LOCK = "writer.lock"
_GENERATION = re.compile(r"g([0-9]{6})")
_LARGEST_MANIFEST = 10_000  # bytes


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the live generation is. Two manifests of one format can be read by the same program."""

    format: int
    engine: str
    schema: str
    generation: str

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Read a manifest. Raises ValueError when it is none."""
        said = json.loads(content)
        names = {"format": int, "engine": str, "schema": str, "generation": str}
        if not isinstance(said, dict) or any(not isinstance(said.get(name), kind) for name, kind in names.items()):
            raise ValueError("a manifest names format, engine, schema and generation")
        if not _GENERATION.fullmatch(said["generation"]):
            raise ValueError(f"{said['generation']!r} is not a generation")
        return cls(*(said[name] for name in names))

    def can_read(self, other: Manifest) -> bool:
        """Whether a program that writes this can read the other."""
        return (self.format, self.engine, self.schema) == (other.format, other.engine, other.schema)


Stamp = tuple[int, int, int]


class Folder:
    """The folder of one index. `ours` is the manifest that this program would write; its generation does not matter."""

    def __init__(self, path: Path, ours: Manifest) -> None:
        self.path = path
        self._ours = ours

    def stamp(self) -> Stamp | None:
        """Something that changes when another generation becomes live; None when there is no manifest.

        Raises OSError when the folder cannot be looked at.
        """
        try:
            found = (self.path / _MANIFEST).stat()
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def live(self) -> Path | None:
        """The files of the live generation; None when none was ever made.

        Raises IndexUnavailable with `rebuild_needed` when the manifest is damaged or was written by another version,
        OSError when it cannot be read.
        """
        try:
            with (self.path / _MANIFEST).open("rb") as file:
                manifest = Manifest.from_bytes(file.read(_LARGEST_MANIFEST))
        except FileNotFoundError:
            return None
        except ValueError as error:
            sentence = "The search index is damaged: its manifest cannot be read. It has to be built again."
            raise IndexUnavailable(sentence, rebuild_needed=True) from error
        if not self._ours.can_read(manifest):
            sentence = "The search index was written by another version of the program. It has to be built again."
            raise IndexUnavailable(sentence, rebuild_needed=True)
        return self.path / manifest.generation

    def lock(self) -> Lock:
        """The right to write, until it is released or the process ends. Raises IndexLocked when another has it."""
        self.path.mkdir(parents=True, exist_ok=True)
        return Lock(self.path / _LOCK)

    def switch(self, create: Callable[[Path], None]) -> None:
        """Make an empty generation with `create` and let it be the live one; then remove all others. Needs the lock."""
        numbers = [int(match[1]) for entry in self.path.iterdir() if (match := _GENERATION.fullmatch(entry.name))]
        generation = self.path / f"g{(max(numbers, default=0) + 1) % 1_000_000:06}"
        shutil.rmtree(generation, ignore_errors=True)
        generation.mkdir()
        try:
            create(generation)
            durable.sync(generation)
            self._name(generation.name)
        except BaseException:
            shutil.rmtree(generation, ignore_errors=True)
            raise
        for other in self.path.iterdir():
            if other != generation and _GENERATION.fullmatch(other.name):
                # Where it cannot be removed now, the next switch tries again.
                shutil.rmtree(other, ignore_errors=True)

    def _name(self, generation: str) -> None:
        """Write the manifest: complete and on the disk before it has its name."""
        manifest = asdict(self._ours) | {"generation": generation}
        durable.replace(self.path / _MANIFEST, json.dumps(manifest, indent=2).encode() + b"\n")
