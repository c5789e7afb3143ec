"""Broadsheet's embedded index as one of the engines that `bench_search` measures, by its public code path."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
import recording
from broadsheet.search.adapters.embedded import EmbeddedIndex
from broadsheet.search.embedding import Embedder, Floats
from broadsheet.search.embedding.minilm import MiniLm
from broadsheet.search.highlight import marks
from broadsheet.search.index import Suggestion
from broadsheet.search.query import parse
from search_data import CACHE, WIDTH, Data, Question
from search_papers import document
from timing import Stopwatch, timed

_BATCH = 8_000
_VECTORS_AT_ONCE = 4_000
_PAGE = 20


@contextlib.contextmanager
def _on_all_cores() -> Iterator[None]:
    """Threads that are started inside may run on every core of this machine."""
    bound = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    try:
        yield
    finally:
        os.sched_setaffinity(0, bound)


class Handed:
    """An embedder that hands out vectors that are there already: documents are millions."""

    def __init__(self) -> None:
        model = MiniLm(CACHE / "models")
        self.name, self.fingerprint = model.name, model.fingerprint
        self.dimensions, self.unrelated = model.dimensions, model.unrelated
        self.next: Floats | None = None

    def missing(self) -> str:
        """See `Embedder.missing`."""
        return ""

    def encode(self, texts: Sequence[str]) -> Floats:
        """See `Embedder.encode`. The index asks for the vector of "" to learn whether there is a model."""
        if self.next is None or len(texts) != len(self.next):
            return np.full((len(texts), WIDTH), WIDTH**-0.5, np.float32)
        return self.next

    def close(self) -> None:
        """See `Embedder.close`."""


class Broadsheet:
    """tantivy, sign bits and their fusion: what a reader of Broadsheet gets."""

    NAME = "broadsheet"
    SETTINGS = "the product's own: one writer thread; text stays in the database and is not in the index"
    WAYS = ("words", "both", "titles", "suggest", "related")
    CANNOT: ClassVar[dict[str, str]] = {}

    def __init__(self, folder: Path, data: Data, count: int) -> None:
        self._folder, self._data, self._count = folder, data, count
        self._index = EmbeddedIndex(folder)
        self._way = "words"

    def build(self) -> dict[str, Any]:
        """Words in batches as the worker writes them, then vectors, then what a change costs afterwards.

        For words it may use all cores, as the worker may: tantivy writes in a thread of its own. What that costs in
        seconds of all cores stands beside it, and is what can be compared with engines that were bound to one core.
        """
        with _on_all_cores(), Stopwatch(self._data) as words:
            for batch in self._data.batches(self._count, _BATCH):
                documents = [document(paper) for paper in batch]
                self._index.apply(documents, [], cursor=batch[-1]["pk"])
            self._index.close()
        handed = Handed()
        index = self._with(handed)
        with Stopwatch(self._data) as vectors:
            for batch in self._data.batches(self._count, _VECTORS_AT_ONCE):
                handed.next = self._data.vectors(batch[0]["pk"], batch[-1]["pk"])
                index.embed([document(paper) for paper in batch])
            handed.next = None
        lacking = index.unembedded(limit=1)
        changed = [document(paper) for paper in next(self._data.batches(100, 100))]
        commits = {
            f"commit_{size}_ms": recording.percentiles(
                [timed(lambda: index.apply(changed[:size], [], cursor=self._count))[0] for _again in range(20)]  # noqa: B023  # called at once
            )
            for size in (1, 100)
        }
        index.close()
        if lacking:
            raise AssertionError("some papers got no vector")
        return {"words": words.figures(self._count), "vectors": vectors.figures(self._count), **commits}

    def prepare(self, way: str) -> None:
        """Open the index anew for a way of asking: with the model or without."""
        self._index.close()
        self._index = EmbeddedIndex(self._folder) if way == "words" else self._with(MiniLm(CACHE / "models"))
        self._way = way

    def ask(self, question: Question) -> int:
        """What a page does. Returns how many papers are on it."""
        if self._way == "titles":
            return len(self._index.suggest(question.typed))
        if self._way == "suggest":
            return len(self._index.suggest(question.typed)) + len(self._names(question.typed.split()))
        if self._way == "related":
            return len(self._index.related(question.pk, limit=_PAGE))
        query = parse(question.query)
        results = self._index.search(query, limit=_PAGE)
        if self._way == "both":
            corrected = [word for _typed, word in results.corrections]
            for paper in self._data.texts([hit.pk for hit in results.hits]):
                marks(paper["title"], query, also=corrected)
                marks(paper["abstract"], query, also=corrected)
        return len(results.hits)

    def _names(self, words: list[str]) -> list[Suggestion]:
        """The names that the last words may begin, as the page asks for them: of three words, of two, of one."""
        for number in range(min(len(words), 3), 0, -1):
            found = self._index.suggest_names(" ".join(words[-number:]), limit=2)
            if found:
                return found
        return []

    def _with(self, embedder: Embedder) -> EmbeddedIndex:
        return EmbeddedIndex(self._folder, model=embedder.name, load=lambda _name: embedder)
