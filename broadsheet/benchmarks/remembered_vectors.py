"""A model that remembers on disk what it computed: benchmarks ask for the same thousands of vectors again and again."""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from broadsheet.search.embedding import Embedder, Floats

_KEY = 16


class Remembering:
    """An embedder with the vectors of `model` in ``folder/<fingerprint>.vectors``: hash, vector, hash, vector.

    Only the first of several processes keeps what is new (`keeps`); the others know what was kept before they began.
    A record that a killed one left unfinished is cut off.
    """

    def __init__(self, model: Embedder, folder: Path) -> None:
        self.name, self.fingerprint = model.name, model.fingerprint
        self.dimensions, self.unrelated = model.dimensions, model.unrelated
        self._model = model
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{model.fingerprint}.vectors"
        size = _KEY + 4 * self.dimensions
        self._file = path.open("ab")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.keeps = True
            self._file.truncate(path.stat().st_size // size * size)
        except BlockingIOError:
            self.keeps = False
        content = path.read_bytes()
        whole = len(content) // size * size
        self._known = {content[at : at + _KEY]: content[at + _KEY : at + size] for at in range(0, whole, size)}

    def __contains__(self, text: str) -> bool:
        return _key(text) in self._known

    def missing(self) -> str:
        """See `Embedder.missing`."""
        return self._model.missing()

    def encode(self, texts: Sequence[str]) -> Floats:
        """See `Embedder.encode`."""
        new = [text for text in dict.fromkeys(texts) if text not in self]
        self.keep(new, map(self.compute, new))
        return np.stack([np.frombuffer(self._known[_key(text)], np.float32) for text in texts])

    def compute(self, text: str) -> Floats:
        """The vector of a text from the model itself. May be called by several threads at once."""
        vector: Floats = self._model.encode([text])[0]
        return vector

    def keep(self, texts: Iterable[str], vectors: Iterable[Floats]) -> None:
        """Remember the vectors of some texts, on disk too where this process keeps them."""
        for text, vector in zip(texts, vectors, strict=True):
            key = _key(text)
            self._known[key] = vector.tobytes()
            if self.keeps:
                self._file.write(key + self._known[key])
        self._file.flush()

    def close(self) -> None:
        """Write what is new, and give the model's memory back."""
        self._file.flush()
        self._model.close()


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=_KEY).digest()
