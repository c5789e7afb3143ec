"""A model that remembers on disk what it computed: benchmarks ask for the same thousands of vectors again and again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from broadsheet.search.embedding import Embedder, Floats

_KEY = 16


class Remembering:
    """An embedder with the vectors of `model` in ``folder/<fingerprint>.vectors``: hash, vector, hash, vector.

    One process at a time may write; a record that a killed one left unfinished is cut off.
    """

    def __init__(self, model: Embedder, folder: Path) -> None:
        self.name, self.fingerprint = model.name, model.fingerprint
        self.dimensions, self.unrelated = model.dimensions, model.unrelated
        self._model = model
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{model.fingerprint}.vectors"
        size = _KEY + 4 * self.dimensions
        self._file = path.open("ab")
        self._file.truncate(path.stat().st_size // size * size)
        content = path.read_bytes()
        self._known = {content[at : at + _KEY]: content[at + _KEY : at + size] for at in range(0, len(content), size)}

    def missing(self) -> str:
        """See `Embedder.missing`."""
        return self._model.missing()

    def encode(self, texts: Sequence[str]) -> Floats:
        """See `Embedder.encode`."""
        return np.stack([np.frombuffer(self._one(text), np.float32) for text in texts])

    def _one(self, text: str) -> bytes:
        key = hashlib.blake2b(text.encode(), digest_size=_KEY).digest()
        if key not in self._known:
            self._known[key] = self._model.encode([text])[0].tobytes()
            self._file.write(key + self._known[key])
        return self._known[key]

    def close(self) -> None:
        """Write what is new, and give the model's memory back."""
        self._file.flush()
        self._model.close()
