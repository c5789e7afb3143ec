"""The vectors beside an index: those that answer, made by one model, and those of a new model while they grow.

::

    folder/
        writer.lock        locked by the one process that writes
        live.json          which model's vectors answer; replaced by a rename
        <fingerprint>/     the vectors of a model: `store`

A new model's vectors grow beside the old ones, which answer until the new ones are complete. The first ones answer at
once, however few they are.
"""

from __future__ import annotations

import json
import logging
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from broadsheet.search import durable
from broadsheet.search.dense.store import RELOAD_AFTER, Damaged, Vectors
from broadsheet.search.durable import Lock
from broadsheet.search.embedding import Embedder, ModelMissing

_LIVE = "live.json"
_LARGEST = 10_000  # bytes

log = logging.getLogger("broadsheet.search")


@dataclass(frozen=True, slots=True)
class Generation:
    """Vectors and the model that they were made by."""

    embedder: Embedder
    vectors: Vectors


class Generations:
    """The vectors in a folder, for the model that the settings name. May be shared by threads.

    `load` makes the embedder of a name without loading it; it raises ModelMissing for an unknown one.
    """

    def __init__(self, folder: Path, embedder: Embedder, load: Callable[[str], Embedder]) -> None:
        self._folder = folder
        self._ours = embedder
        self._load = load
        self._lock = threading.RLock()
        self._writer: Lock | None = None
        self._open: dict[str, Generation] = {}
        self._verified: set[str] = set()
        self._live: str | None = None
        self._looked = -RELOAD_AFTER

    def answering(self) -> Generation | None:
        """The vectors that answer now; None when there are none yet. Raises ModelMissing, Damaged, OSError."""
        with self._lock:
            if time.monotonic() - self._looked >= RELOAD_AFTER:
                self._live = self._named()
                self._looked = time.monotonic()
            if self._live is None:
                return None
            return self._generation(self._ours if self._live == self._ours.name else self._load(self._live))

    def growing(self) -> Generation:
        """The vectors of our model, to be added to. Raises IndexLocked, ModelMissing, OSError.

        What is damaged is removed, and begins anew. The first time, all of it is read to know.
        """
        with self._lock:
            self._folder.mkdir(parents=True, exist_ok=True)
            if self._writer is None:
                self._writer = Lock(self._folder / "writer.lock")
            generation = self._generation(self._ours)
            try:
                generation.vectors.count()
                if generation.embedder.fingerprint not in self._verified:
                    generation.vectors.verify()
                    self._verified.add(generation.embedder.fingerprint)
                live = self._named()
            except Damaged as error:
                log.warning("The vectors are damaged and are made again: %s", error)
                generation.vectors.close()
                shutil.rmtree(self._folder / self._ours.fingerprint, ignore_errors=True)
                live = None
            if live is None or (live != self._ours.name and not self._can_answer(live)):
                self._name()
            return generation

    def complete(self) -> None:
        """Every paper has a vector of our model: from now on those answer, and others are removed. Raises OSError."""
        with self._lock:
            if self._writer and self._named() != self._ours.name:
                self._name()
            for path in self._folder.iterdir() if self._writer else ():
                if path.is_dir() and path.name != self._ours.fingerprint:
                    shutil.rmtree(path, ignore_errors=True)

    def close(self) -> None:
        """Give back the writer's lock and the memory of models and vectors."""
        with self._lock:
            for generation in self._open.values():
                generation.vectors.close()
                generation.embedder.close()
            self._open.clear()
            if self._writer:
                self._writer.release()
                self._writer = None

    def _generation(self, embedder: Embedder) -> Generation:
        key = embedder.fingerprint
        if key not in self._open:
            vectors = Vectors(self._folder / key, fingerprint=key, dimensions=embedder.dimensions)
            self._open[key] = Generation(embedder, vectors)
        return self._open[key]

    def _can_answer(self, name: str) -> bool:
        """Whether the vectors of another model are there, and the model too."""
        try:
            former = self._generation(self._load(name))
            former.embedder.encode(["anything"])
            return former.vectors.count() > 0
        except (ModelMissing, Damaged):
            return False

    def _named(self) -> str | None:
        """The name of the model whose vectors answer. Raises Damaged, OSError."""
        try:
            with (self._folder / _LIVE).open("rb") as file:
                return str(json.loads(file.read(_LARGEST))["model"])
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise Damaged(f"what names the vectors cannot be read: {error!r}") from error

    def _name(self) -> None:
        durable.replace(self._folder / _LIVE, json.dumps({"model": self._ours.name}).encode())
        self._looked = -RELOAD_AFTER
