"""The vectors of an index on a cluster: understanding a query, and finding the papers that still need one.

A vector is a field of its paper's document, one field for each model. A document that is written anew keeps the vectors
that were made from the same title and abstract, so that a vector can never belong to another text.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from broadsheet.search.adapters import cluster_schema as schema
from broadsheet.search.adapters.cluster_searching import Searching, behind, body, place_of, rows_of, total_of
from broadsheet.search.adapters.cluster_state import Generations
from broadsheet.search.adapters.cluster_wire import Body, Line, Wire
from broadsheet.search.document import Document
from broadsheet.search.embedding import Embedder, Floats, ModelMissing
from broadsheet.search.index import Embedding, IndexUnavailable
from broadsheet.search.paging import Order, Place

# After a failure it answers by words, and tries again after so many seconds.
_RETRY_AFTER = 60.0

# How often it looks which model's vectors answer, in seconds.
_LOOK_AFTER = 5.0

# Meanings that are remembered: a reader turns pages, and the page asks for counts.
_REMEMBERED = 256

# When more papers changed than this, they are no news but a collection: it is walked through from its newest on.
_MANY_CHANGED = 2_000

_MODEL = "model"

log = logging.getLogger("broadsheet.search")

# Makes the embedder of a name, without loading it; raises ModelMissing for an unknown one.
Load = Callable[[str], Embedder]


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a query means: its vector, the field to compare it with, and the cosine below which nothing is related."""

    vector: list[float]
    field: str
    unrelated: float


class Vectored:
    """The vectors of an index with their model; without one, when `model` is "". May be shared by threads."""

    def __init__(self, wire: Wire, generations: Generations, model: str, load: Load | None) -> None:
        self._wire, self._generations = wire, generations
        self._model = model
        self._lock = threading.Lock()
        self._failure = ""
        self._failed = -_RETRY_AFTER
        self._looked = -_LOOK_AFTER
        self._said: Body = {}
        self._others: dict[str, Embedder] = {}
        self._walk = Walk()
        self._named: list[int] = []
        self._encoded = lru_cache(maxsize=_REMEMBERED)(self._vector)
        self._load = load
        try:
            self._ours = load(model) if model and load else None
        except ModelMissing as error:
            self._ours, self._failure = None, str(error)

    def meaning(self, text: str) -> Meaning | None:
        """What a text means to the vectors that answer now; None when there are none, or the model cannot be used."""
        embedder = self.answering() if text else None
        if embedder is None:
            return None
        try:
            vector = self._encoded(embedder.name, text)
        except ModelMissing as error:
            self.failed(str(error))
            return None
        return Meaning(
            vector.tolist(), schema.vector_field(schema.vector_key(embedder.fingerprint)), embedder.unrelated
        )

    def answering(self) -> Embedder | None:
        """The model whose vectors answer now; None when there are none, or it cannot be used."""
        if self._ours is None or time.monotonic() - self._failed < _RETRY_AFTER:
            return None
        return self._named_by(self._answers())

    def failed(self, sentence: str) -> None:
        """Answer by words for a while, as the vectors or the model could not be asked."""
        with self._lock:
            if sentence != self._failure:
                log.warning("Searching by words only. %s", sentence)
            self._failure, self._failed = sentence, time.monotonic()

    def state(self) -> Embedding:
        """See `Index.embedding`."""
        if self._ours is None:
            return Embedding(self._model, self._failure)
        embedder = self._named_by(self._answers())
        recently = time.monotonic() - self._failed < _RETRY_AFTER
        papers = 0
        if embedder and self._generations.reading():
            with_vector = schema.term("vectors", schema.vector_key(embedder.fingerprint))
            papers = self._searching().counts([with_vector])[0]
        return Embedding(self._model, (self._failure if recently else "") or self._ours.missing(), papers)

    def unembedded(self, cursor: int, limit: int) -> list[int]:
        """See `Index.unembedded`."""
        if self._ours is None or self._ours.missing() or time.monotonic() - self._failed < _RETRY_AFTER:
            return []
        try:
            # Learn that the model cannot be used before anybody fetches papers for it.
            self._encoded(self._ours.name, "")
        except ModelMissing as error:
            self.failed(str(error))
            return []
        key = schema.vector_key(self._ours.fingerprint)
        self._named = self._named or self._walk.go_on(self._searching(), cursor, key, limit)
        if not self._named and self._walk.just_done() and self._answers():
            self._keep(self._ours)
        return self._named[:limit]

    def embed(self, documents: Iterable[Document]) -> None:
        """See `Index.embed`. Raises IndexUnavailable, also without a model."""
        if self._ours is None:
            raise IndexUnavailable(f"Papers get no vectors now. {self._failure or 'Search by meaning is turned off.'}")
        latest = {document.pk: document for document in documents}
        live = self._generations.reading()
        if latest and live:
            try:
                vectors = self._ours.encode([document.meaning for document in latest.values()])
            except ModelMissing as error:
                raise IndexUnavailable(f"Papers get no vectors now. {error}") from error
            field = schema.vector_field(schema.vector_key(self._ours.fingerprint))
            if field not in live.vectors:
                self._generations.add_field(live, field, schema.vector_mapping(self._ours.dimensions))
                self._generations.forget()
            self._write(live.index, field, list(latest.values()), vectors)
            if not self._can_answer():
                self._keep(self._ours)
        self._named = []

    def forget_place(self) -> None:
        """Look at every paper again: the index is another one."""
        self._walk, self._named = Walk(), []

    def close(self) -> None:
        """Give back the memory of the models."""
        for embedder in (self._ours, *self._others.values()):
            if embedder:
                embedder.close()

    def _write(self, index: str, field: str, documents: Sequence[Document], vectors: Floats) -> None:
        """Add vectors to those papers that still have the text that they were made from."""
        asked = [{"_index": index, "_id": str(document.pk)} for document in documents]
        found = self._wire.ask("POST", "/_mget", {"docs": asked}, writing=True)["docs"]
        lines = []
        for document, held, vector in zip(documents, found, vectors, strict=True):
            source = held.get("_source", {})
            if source.get("digest") == document.digest:
                keys = sorted({*source.get("vectors", ()), field.partition("_")[2]})
                lines.append(Line(index, held["_id"], source["change"], source | {field: vector, "vectors": keys}))
        self._wire.write(lines)
        self._wire.ask("POST", f"/{index}/_refresh", writing=True)

    def _answers(self) -> Body:
        """Which model's vectors answer, as it was written down; {} when none was."""
        with self._lock:
            if time.monotonic() - self._looked >= _LOOK_AFTER:
                self._said = self._generations.read(_MODEL)
                self._looked = time.monotonic()
            return self._said

    def _named_by(self, said: Body) -> Embedder | None:
        """The model that was written down, when there is such a one here with the same vectors."""
        if not said or self._ours is None:
            return None
        if said["fingerprint"] == self._ours.fingerprint:
            return self._ours
        name = str(said["name"])
        if name not in self._others and self._load:
            try:
                self._others[name] = self._load(name)
            except ModelMissing:
                return None
        other = self._others.get(name)
        return other if other and other.fingerprint == said["fingerprint"] else None

    def _can_answer(self) -> bool:
        """Whether the model that was written down can be used."""
        embedder = self._named_by(self._answers())
        try:
            return embedder is not None and len(self._encoded(embedder.name, "")) > 0
        except ModelMissing:
            return False

    def _keep(self, embedder: Embedder) -> None:
        """Let the vectors of a model answer from now on."""
        said = {"name": embedder.name, "fingerprint": embedder.fingerprint}
        if self._answers() != said:
            self._generations.keep(_MODEL, said)
            with self._lock:
                self._looked = -_LOOK_AFTER

    def _vector(self, name: str, text: str) -> Floats:
        """What a text means to one of the models."""
        embedder = self._ours if self._ours and self._ours.name == name else self._others[name]
        vector: Floats = embedder.encode([text])[0]
        return vector

    def _searching(self) -> Searching:
        return Searching(self._wire, self._generations.name, _MODEL)


class Walk:
    """Which papers lack a vector: those changed since it began, and all others from the newest back.

    It remembers how far it came as long as the process lives, and begins anew in another.
    """

    def __init__(self) -> None:
        self._seen: int | None = None
        self._until = 0
        self._named: set[int] = set()
        self._place: Place | None = None
        self._done = False
        self._told = False

    def go_on(self, searching: Searching, cursor: int, key: str, limit: int) -> list[int]:
        """The next papers without a vector of a model, `limit` at most; none when that is all for now."""
        if self._seen is None:
            self._seen = cursor
        return self._changed(searching, cursor, key, limit) or self._older(searching, key, limit)

    def just_done(self) -> bool:
        """Whether every paper has been named, said once."""
        done = self._done and not self._told
        self._told = self._told or done
        return done

    def _changed(self, searching: Searching, cursor: int, key: str, limit: int) -> list[int]:
        assert self._seen is not None, "a walk that goes on has begun"
        while cursor > self._seen:
            self._until = self._until if self._until > self._seen else cursor
            wanted = schema.lacking(key, schema.changed(self._seen, self._until))
            found = searching.one(body(wanted, order=Order.DAY, limit=_MANY_CHANGED))
            if total_of(found) > _MANY_CHANGED:
                self._place, self._done, self._told = None, False, False
            else:
                keys = [row.pk for row in rows_of(found) if row.pk not in self._named][:limit]
                self._named.update(keys)
                if keys:
                    return keys
            self._seen = self._until
            self._named.clear()
        return []

    def _older(self, searching: Searching, key: str, limit: int) -> list[int]:
        if self._done:
            return []
        search = body(schema.lacking(key, schema.everything()), order=Order.DAY, limit=limit)
        rows = rows_of(searching.one(behind(search, self._place) if self._place else search))
        self._done = len(rows) < limit
        if rows:
            self._place = place_of(rows[-1], Order.DAY, seen=len(rows))
        return [row.pk for row in rows]
