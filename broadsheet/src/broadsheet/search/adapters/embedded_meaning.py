"""The vectors beside an embedded index: asking them, and finding the papers that still need one."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path

import tantivy

from broadsheet.search.adapters import embedded_schema as schema
from broadsheet.search.adapters.embedded_hybrid import Meaning
from broadsheet.search.adapters.embedded_reader import column, total_of
from broadsheet.search.dense.generations import Generation, Generations
from broadsheet.search.dense.store import Damaged, Vectors
from broadsheet.search.document import Document
from broadsheet.search.embedding import Embedder, Floats, ModelMissing
from broadsheet.search.index import Embedding

# What keeps a search from asking the vectors. It answers by words, and tries again after so many seconds.
_IN_THE_WAY = (ModelMissing, Damaged, OSError)
_RETRY_AFTER = 60.0

# Meanings that are remembered: a reader turns pages, and the page asks for counts.
_REMEMBERED = 256

# Papers that are looked at for a missing vector at a time, in the order of `newest`: 20 ms of three million.
_PAGE = 4_000

# When more papers changed than this, they are no news but a collection: it is walked through from its newest on.
_MANY_CHANGED = 2_000

log = logging.getLogger("broadsheet.search")

# Makes the embedder of a name, without loading it; raises ModelMissing for an unknown one.
Load = Callable[[str], Embedder]


class Vectored:
    """The vectors in a folder with their model; without one, when `model` is "". May be shared by threads."""

    def __init__(self, folder: Path, model: str, load: Load) -> None:
        self._model = model
        self._lock = threading.Lock()
        self._failure = ""
        self._failed = -_RETRY_AFTER
        self._generations: Generations | None = None
        self._walk = Walk()
        self._named: list[int] = []
        self._encoded = lru_cache(maxsize=_REMEMBERED)(_vector)
        try:
            self._ours = load(model) if model else None
        except ModelMissing as error:
            self._ours, self._failure = None, str(error)
        if self._ours:
            self._generations = Generations(folder, self._ours, load)

    def meaning(self, text: str) -> Meaning | None:
        """What a text means to the vectors that answer now; None when there are none, or they cannot be asked."""
        generation = self.answering()
        if generation is None or not text:
            return None
        try:
            if not generation.vectors.count():
                return None
            vector = self._encoded(generation, text)
        except _IN_THE_WAY as error:
            self.failed(error)
            return None
        return Meaning(vector, generation.vectors, generation.embedder.unrelated)

    def answering(self) -> Generation | None:
        """The vectors that answer now, with their model; None when there are none, or they cannot be asked."""
        if self._generations is None or time.monotonic() - self._failed < _RETRY_AFTER:
            return None
        try:
            return self._generations.answering()
        except _IN_THE_WAY as error:
            self.failed(error)
            return None

    def failed(self, error: Exception) -> None:
        """Answer by words for a while, as the vectors or the model could not be asked."""
        with self._lock:
            sentence = str(error) if isinstance(error, ModelMissing) else f"The vectors cannot be read: {error}."
            if sentence != self._failure:
                log.warning("Searching by words only. %s", sentence)
            self._failure, self._failed = sentence, time.monotonic()

    def state(self) -> Embedding:
        """See `Index.embedding`."""
        if self._generations is None or self._ours is None:
            return Embedding(self._model, self._failure)
        generation = self.answering()
        recently = time.monotonic() - self._failed < _RETRY_AFTER
        missing = (self._failure if recently else "") or self._ours.missing()
        try:
            return Embedding(self._model, missing, generation.vectors.count() if generation else 0)
        except (Damaged, OSError) as error:
            self.failed(error)
            return Embedding(self._model, self._failure)

    def unembedded(self, searcher: tantivy.Searcher, cursor: int, limit: int) -> list[int]:
        """See `Index.unembedded`. Raises IndexLocked, OSError."""
        if self._generations is None or self._ours is None or time.monotonic() - self._failed < _RETRY_AFTER:
            return []
        try:
            generation = self._generations.growing()
            self._named = self._named or self._walk.go_on(searcher, cursor, generation.vectors, limit)
            if self._named:
                # Learn that the model cannot be used before anybody fetches papers for it.
                self._encoded(generation, "")
            elif self._walk.just_done():
                self._generations.complete()
        except (ModelMissing, Damaged) as error:
            self.failed(error)
            self.forget_place()
        return self._named[:limit]

    def embed(self, documents: Iterable[Document]) -> None:
        """See `Index.embed`. Raises IndexLocked, ModelMissing, Damaged, OSError."""
        if self._generations is None:
            raise ModelMissing(self._failure or "Search by meaning is turned off.")
        generation = self._generations.growing()
        latest = {document.pk: document for document in documents}
        if latest:
            vectors = generation.embedder.encode([document.meaning for document in latest.values()])
            generation.vectors.add(list(latest), [document.digest for document in latest.values()], vectors)
        self._named = []

    def forget_place(self) -> None:
        """Look at every paper again: the index is another one."""
        self._walk, self._named = Walk(), []

    def close(self) -> None:
        """Give back the writer's lock and the memory of the model and of the vectors."""
        if self._generations:
            self._generations.close()


def _vector(generation: Generation, text: str) -> Floats:
    vector: Floats = generation.embedder.encode([text])[0]
    return vector


class Walk:
    """Which papers lack a vector: those changed since it began, and all others from the newest back.

    It remembers how far it came as long as the process lives. Beginning again costs looking at every paper: half a
    minute for three millions.
    """

    def __init__(self) -> None:
        self._seen: int | None = None
        self._until = 0
        self._named: set[int] = set()
        self._below: int | None = 1 << 62
        self._told = False

    def go_on(self, searcher: tantivy.Searcher, cursor: int, vectors: Vectors, limit: int) -> list[int]:
        """The next papers without a vector of their present text, `limit` at most; none when that is all for now."""
        if self._seen is None:
            self._seen = cursor
        return self._changed(searcher, cursor, vectors, limit) or self._older(searcher, vectors, limit)

    def just_done(self) -> bool:
        """Whether every paper has been named, said once."""
        done = self._below is None and not self._told
        self._told = self._told or done
        return done

    def _changed(self, searcher: tantivy.Searcher, cursor: int, vectors: Vectors, limit: int) -> list[int]:
        assert self._seen is not None, "a walk that goes on has begun"
        while cursor > self._seen:
            self._until = self._until if self._until > self._seen else cursor
            wanted = schema.changed(self._seen, self._until)
            found = searcher.search(wanted, limit=_MANY_CHANGED, count=True, order_by_field="newest")
            if total_of(found) > _MANY_CHANGED:
                self._below, self._told = 1 << 62, False
            else:
                addresses = [address for _value, address in found.hits]
                keys = [pk for pk in _lacking(searcher, vectors, addresses) if pk not in self._named][:limit]
                self._named.update(keys)
                if keys:
                    return keys
            self._seen = self._until
            self._named.clear()
        return []

    def _older(self, searcher: tantivy.Searcher, vectors: Vectors, limit: int) -> list[int]:
        for below, addresses in self._pages(searcher):
            lacking = _lacking(searcher, vectors, addresses)
            if len(lacking) > limit:
                self._below = self._place(searcher, addresses, lacking[limit - 1])
            else:
                self._below = below
            if lacking:
                return lacking[:limit]
        return []

    def _pages(self, searcher: tantivy.Searcher) -> Iterator[tuple[int | None, list[tantivy.DocAddress]]]:
        """The papers behind the place that was reached, page by page, with the place that each page leads to."""
        while self._below is not None:
            found = searcher.search(schema.older(self._below), limit=_PAGE, count=False, order_by_field="newest").hits
            addresses = [address for _value, address in found]
            yield column(searcher, "newest", addresses[-1:])[0] if len(found) == _PAGE else None, addresses

    def _place(self, searcher: tantivy.Searcher, addresses: list[tantivy.DocAddress], pk: int) -> int:
        """Where in the order of `newest` a paper among these stands."""
        keys = column(searcher, "pk", addresses)
        return column(searcher, "newest", [addresses[keys.index(pk)]])[0]


def _lacking(searcher: tantivy.Searcher, vectors: Vectors, addresses: list[tantivy.DocAddress]) -> list[int]:
    """The papers that have no vector of their present text."""
    keys, present = column(searcher, "pk", addresses), column(searcher, "digest", addresses)
    known = vectors.digests(keys)
    return [pk for pk, digest in zip(keys, present, strict=True) if known.get(pk) != digest]
