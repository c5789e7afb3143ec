"""The engine on other machines: a cluster of OpenSearch 3, one writer, any number of readers.

It keeps what `Index` says, but for this:

* **All or none.** A batch becomes visible when its writer has written all of it, so readers see all or none, shard by
  shard within moments. When a node fails or a shard moves while a batch is written, a part of it can be seen before it
  is complete. What was seen too early is right, only early: the journal's place is noted last, and the batch is made
  again until it is whole.
* **Equal scores.** They come in the order of `Index` as long as the same copies of the shards answer, to which the same
  query always goes. Copies differ by the papers deleted lately; when one is lost, a page that follows can repeat a
  paper.
* **Corrections** are those of the first letter as typed, from the fifty nearest words of each shard.
* **Nearest papers** are found by signs of numbers in graphs, and put in order by all numbers: nearly always the
  nearest, where the embedded engine compares all. Every one passes the filters.
* **Counts** of categories and venues are added up from the thousand most frequent of each shard; names that are
  suggested, from the papers that a shard looks at first.
* **Clearing**, with `end`, lets the old papers answer until the new ones are complete. Without, it is at once.
* A paper that was deleted can come back for an hour only as a later change.

It passes the suites of `broadsheet.testing.index_conformance` and `meaning_conformance` whole, without an exception.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Collection, Iterable, Iterator

from broadsheet.search.adapters import cluster_schema as schema
from broadsheet.search.adapters.cluster_meaning import Load, Vectored
from broadsheet.search.adapters.cluster_reader import Reader
from broadsheet.search.adapters.cluster_state import Generation, Generations, Lease
from broadsheet.search.adapters.cluster_wire import Address, Body, Conflict, Line, Wire, vanished
from broadsheet.search.document import Document
from broadsheet.search.explanation import Explanation
from broadsheet.search.index import (
    Embedding,
    Facet,
    Hit,
    IndexLocked,
    IndexUnavailable,
    PaperVectors,
    Results,
    Suggestion,
)
from broadsheet.search.paging import Place
from broadsheet.search.query import Query, Sort

# Papers whose present state is asked for at a time.
_ASKED_AT_ONCE = 500

__all__ = ["Address", "ClusterIndex"]

log = logging.getLogger("broadsheet.search")


class ClusterIndex:
    """The index on a cluster, under the name that the address ends with. Fulfils `Index`; may be shared by threads.

    With a `model` it searches by meaning too, as far as papers have vectors; `load` makes the embedder of that name.
    `end` tells the number of the journal's last entry, so that a generation that is built anew can take over when it
    has read as far as there was then.
    """

    def __init__(
        self, address: Address, *, model: str = "", load: Load | None = None, end: Callable[[], int] | None = None
    ) -> None:
        self._wire = Wire(address)
        self._generations = Generations(self._wire)
        self._lease = Lease(self._wire, self._generations)
        self._end = end
        self._lock = threading.RLock()
        self._vectored = Vectored(self._wire, self._generations, model, load)

    # --- Reading ---

    def search(
        self, query: Query, *, limit: int = 20, offset: int = 0, facets: Iterable[Facet] = (), after: str = ""
    ) -> Results:
        """See `Index.search`. Costs two to four requests."""
        wanted = list(facets)
        with self._reading() as reader:
            if reader is None:
                if after:
                    Place.read(after, query)
                return Results((), 0, {str(facet): [] for facet in wanted})
            return reader.search(query, limit=max(limit, 0), offset=max(offset, 0), facets=wanted, after=after)

    def matching(self, query: Query, pks: Collection[int]) -> set[int]:
        """See `Index.matching`."""
        with self._reading() as reader:
            return reader.matching(query, pks) if reader and pks else set()

    def explain(self, query: Query, pk: int) -> Explanation | None:
        """See `Index.explain`."""
        with self._reading() as reader:
            return reader.explain(query, pk) if reader else None

    def suggest(self, prefix: str, *, limit: int = 8) -> list[int]:
        """See `Index.suggest`."""
        with self._reading() as reader:
            return reader.suggest(prefix[:200], limit=limit) if reader and limit > 0 else []

    def suggest_names(self, prefix: str, *, limit: int = 8) -> list[Suggestion]:
        """See `Index.suggest_names`."""
        with self._reading() as reader:
            return reader.suggest_names(prefix, limit=limit) if reader and limit > 0 else []

    def related(self, pk: int, *, limit: int = 8, sort: Sort = Sort.RELEVANCE) -> list[Hit]:
        """See `Index.related`."""
        with self._reading() as reader:
            return reader.related(pk, limit=limit, sort=sort) if reader and limit > 0 else []

    def vectors(self, pks: Collection[int]) -> PaperVectors:
        """See `Index.vectors`."""
        with self._reading() as reader:
            return reader.vectors(pks) if reader and pks else PaperVectors()

    def embedding(self) -> Embedding:
        """See `Index.embedding`."""
        with vanished():
            return self._vectored.state()

    def count(self) -> int:
        """See `Index.count`."""
        with self._reading() as reader:
            return reader.count() if reader else 0

    def cursor(self) -> int:
        """See `Index.cursor`: of the generation that changes are written to, which may not answer yet."""
        with vanished():
            target = self._generations.view().target
            return self._generations.cursor(target) if target else 0

    @contextlib.contextmanager
    def _reading(self) -> Iterator[Reader | None]:
        """What can be asked now, None of a new index."""
        try:
            with vanished():
                live = self._generations.reading()
                yield Reader(self._wire, self._generations.name, self._vectored) if live else None
        except IndexUnavailable:
            self._generations.forget()
            raise

    # --- Writing ---

    def apply(self, upserts: Iterable[Document], deletes: Iterable[int], *, cursor: int) -> None:
        """See `Index.apply`. A document that the cluster cannot hold is left out and logged; the others are applied."""
        latest: dict[int, Document] = {}
        for document in upserts:
            held = latest.get(document.pk)
            if held is None or held.change <= document.change:
                latest[document.pk] = document
        gone = dict.fromkeys(deletes)
        documents = [document for pk, document in latest.items() if pk not in gone]
        with self._writing():
            target = self._target()
            # Nothing is sent before all of it is there: whoever gives the papers may fail on the way.
            self._write(target, documents, list(gone), cursor)
            if target == self._generations.view().live:
                self._refresh(target)
            self._generations.advance(target, cursor)
            self._take_over(target, cursor)

    def unembedded(self, *, limit: int) -> list[int]:
        """See `Index.unembedded`."""
        with self._writing():
            return self._vectored.unembedded(self.cursor(), limit) if self._generations.reading() else []

    def embed(self, documents: Iterable[Document]) -> None:
        """See `Index.embed`. Raises IndexUnavailable without a model."""
        with self._writing():
            self._vectored.embed(documents)

    def clear(self) -> None:
        """See `Index.clear`; what it means for readers is said above."""
        with self._writing():
            end = self._end() if self._end else 0
            live = self._generations.view().live
            read = self._generations.cursor(live) if live else 0
            self._generations.begin(until=end or read, at_once=not end)
            self._vectored.forget_place()

    def close(self) -> None:
        """See `Index.close`."""
        with self._lock:
            self._lease.release()
            self._vectored.close()
            self._generations.forget()
            self._wire.close()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """The right to write. After an error, everything is looked at anew."""
        with self._lock:
            try:
                with vanished():
                    self._lease.hold()
                    yield
            except Conflict as error:
                self._generations.forget()
                raise IndexLocked("Another process is writing to the search index. Only one can at a time.") from error
            except BaseException:
                self._generations.forget()
                raise

    def _target(self) -> Generation:
        """The generation that changes are written to; made here, when there is none that holds what we write."""
        view = self._generations.view()
        if view.target:
            return view.target
        if view.live is None:
            return self._generations.begin(until=0, at_once=True)
        log.warning("The search index was written by an older version. It answers until a new one is complete.")
        end = self._end() if self._end else self._generations.cursor(view.live)
        return self._generations.begin(until=end, at_once=False)

    def _write(self, target: Generation, documents: list[Document], gone: list[int], cursor: int) -> None:
        """Send what changed, with the vectors that it has already."""
        for start in range(0, len(documents), _ASKED_AT_ONCE):
            chunk = documents[start : start + _ASKED_AT_ONCE]
            held = self._held(target, [document.pk for document in chunk])
            self._lease.hold()
            self._wire.write(line for each in chunk if (line := _line(target, each, held[each.pk])))
        for start in range(0, len(gone), _ASKED_AT_ONCE):
            keys = gone[start : start + _ASKED_AT_ONCE]
            held = self._held(target, keys)
            versions = {pk: max(cursor, *(int(one["change"]) for one in held[pk]), 0) for pk in keys}
            self._wire.write(Line(target.index, str(pk), version) for pk, version in versions.items())

    def _held(self, target: Generation, keys: list[int]) -> dict[int, list[Body]]:
        """What the generations hold of papers: their change, their digest and their vectors."""
        indexes = [target.index, *(other.index for other in self._generations.view().others)]
        wanted = ["change", "digest", "vectors", schema.vector_field("*")]
        asked = [{"_index": index, "_id": str(pk), "_source": wanted} for pk in keys for index in indexes]
        held: dict[int, list[Body]] = {pk: [] for pk in keys}
        if asked:
            for found in self._wire.ask("POST", "/_mget", {"docs": asked}, writing=True)["docs"]:
                if found.get("found"):
                    held[int(found["_id"])].append(found["_source"])
        return held

    def _refresh(self, target: Generation) -> None:
        self._wire.ask("POST", f"/{target.index}/_refresh", writing=True)

    def _take_over(self, target: Generation, cursor: int) -> None:
        """Let a generation that was built anew be the only one, when it has read as far as it must."""
        view = self._generations.view()
        if cursor >= target.until and (view.growing or view.former):
            self._refresh(target)
            self._generations.complete(target)


def _line(target: Generation, paper: Document, held: list[Body]) -> Line | None:
    """The change that a document is; None, and a line in the log, when it cannot be sent."""
    try:
        line = Line(target.index, str(paper.pk), paper.change, schema.with_vectors(schema.source(paper), *held))
        line.written()
    except (OverflowError, ValueError, TypeError) as error:
        # Only this paper is at fault. An error of the whole batch would have it tried again for ever.
        cause = f"{type(error).__name__}: {error}"
        log.error("Paper %s is left out of the search index, which cannot hold it: %s", paper.pk, cause)  # noqa: TRY400  # the cause says all
        return None
    return line
