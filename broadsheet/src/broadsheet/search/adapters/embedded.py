"""The engine inside the process: tantivy over a folder on the local disk, one writer, any number of readers."""

from __future__ import annotations

import contextlib
import errno
import itertools
import logging
import os
import re
import threading
import time
from collections.abc import Collection, Iterable, Iterator
from importlib import metadata
from pathlib import Path

import tantivy

from broadsheet.search import fusion, paging
from broadsheet.search.adapters import embedded_hybrid as hybrid
from broadsheet.search.adapters import embedded_schema as schema
from broadsheet.search.adapters.embedded_folder import Folder, Manifest, Stamp
from broadsheet.search.adapters.embedded_meaning import Load, Vectored
from broadsheet.search.adapters.embedded_names import Counting
from broadsheet.search.adapters.embedded_reader import Reader, column, cursor_of, opened
from broadsheet.search.dense.store import Damaged
from broadsheet.search.document import Document
from broadsheet.search.durable import Lock
from broadsheet.search.embedding import Embedder, ModelMissing
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
from broadsheet.search.lexical import Plan
from broadsheet.search.paging import LARGEST_PK, Order, Place
from broadsheet.search.query import Query, Sort

FORMAT = 1

# tantivy reads what the same version wrote.
_ENGINE = metadata.version("tantivy")

# Memory in which the writer collects documents before it writes them out, in bytes. tantivy asks for 15 MB at least;
# more gives fewer files to merge later.
WRITER_MEMORY = 40_000_000

# How often a reader looks for a newer commit, in seconds.
RELOAD_AFTER = 1.0

_CHUNK = 500

log = logging.getLogger("broadsheet.search")


def _no_model(name: str) -> Embedder:
    raise ModelMissing(f"There is no model {name}.")


class EmbeddedIndex:
    """The index in a folder. Fulfils `Index`; may be shared by threads.

    A reader opens the folder when it is first asked, and sees what a writer committed at most a second later; the
    object that writes sees it at once. The first `apply` takes the writer's lock and keeps it until `close`. A folder
    that is missing or empty is a new index.

    With a `model` it searches by meaning too, as far as papers have vectors, which lie in the folder as well; `load`
    makes the embedder of that name. When the vectors or the model cannot be used, it searches by words.
    """

    def __init__(self, folder: Path, *, model: str = "", load: Load = _no_model) -> None:
        ours = Manifest(FORMAT, _ENGINE, schema.schema_hash(), generation="")
        self._folder = Folder(folder, ours)
        self._lock = threading.RLock()
        self._reader: Reader | None = None
        self._looked = -RELOAD_AFTER
        self._stamp: Stamp | None = None
        self._writer: _Writer | None = None
        self._vectored = Vectored(folder / "vectors", model, load)

    # --- Reading ---

    def search(
        self, query: Query, *, limit: int = 20, offset: int = 0, facets: Iterable[Facet] = (), after: str = ""
    ) -> Results:
        """See `Index.search`. Without facets a query costs a few milliseconds of one core at 100,000 papers."""
        limit, offset, wanted = max(limit, 0), max(offset, 0), list(facets)
        place = Place.read(after, query) if after else None
        with self._reading() as reader:
            if reader is None:
                return Results((), 0, {str(facet): [] for facet in wanted})
            plan = reader.plan(query)
            answer = self._answer(reader, query, plan)
            if place is None or place.order in _orders(plan, hybrid=answer is not None):
                if answer:
                    return answer.results(limit, offset, place, wanted)
                return reader.results(query, plan, reader.page(plan, limit=limit, offset=offset, place=place), wanted)
        raise paging.order_gone()

    def matching(self, query: Query, pks: Collection[int]) -> set[int]:
        """See `Index.matching`."""
        known = [pk for pk in pks if 0 <= pk <= LARGEST_PK]
        with self._reading() as reader:
            return reader.matching(reader.plan(query), known) if reader and known else set()

    def explain(self, query: Query, pk: int) -> Explanation | None:
        """See `Index.explain`."""
        with self._reading() as reader:
            if reader is None or not 0 <= pk <= LARGEST_PK:
                return None
            plan = reader.plan(query)
            answer = self._answer(reader, query, plan)
            return answer.explain(pk) if answer else reader.explain(query, plan, pk)

    def _answer(self, reader: Reader, query: Query, plan: Plan) -> hybrid.Answer | None:
        """The answer by words and meaning, None when the words alone decide or the vectors cannot be asked."""
        meaning = self._vectored.meaning(fusion.meaning(query))
        if meaning is None:
            return None
        try:
            return hybrid.Answer(reader, query, plan, meaning)
        except Damaged as error:
            self._vectored.failed(error)
            return None

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
        generation = self._vectored.answering()
        with self._reading() as reader:
            if reader is None or generation is None or limit <= 0:
                return []
            try:
                return hybrid.related(reader.searcher, generation.vectors, pk, limit=limit, sort=sort)
            except Damaged as error:
                self._vectored.failed(error)
                return []

    def vectors(self, pks: Collection[int]) -> PaperVectors:
        """See `Index.vectors`."""
        generation = self._vectored.answering()
        with self._reading() as reader:
            if reader is None or generation is None or not pks:
                return PaperVectors()
            try:
                found = hybrid.vectors_of(reader.searcher, generation.vectors, pks)
            except Damaged as error:
                self._vectored.failed(error)
                return PaperVectors()
        return PaperVectors(generation.embedder.fingerprint, found)

    def embedding(self) -> Embedding:
        """See `Index.embedding`."""
        return self._vectored.state()

    def count(self) -> int:
        """See `Index.count`."""
        with self._reading() as reader:
            return reader.count() if reader else 0

    def cursor(self) -> int:
        """See `Index.cursor`."""
        with self._reading() as reader:
            return reader.cursor() if reader else 0

    @contextlib.contextmanager
    def _reading(self) -> Iterator[Reader | None]:
        """The newest view of the index, None of a new one; whatever goes wrong is IndexUnavailable."""
        try:
            with self._lock, _translated("opened"):
                self._look()
                reader = self._reader
            with _translated("read"):
                yield reader
        except BaseException:
            self._forget()
            raise

    def _look(self) -> None:
        """Bring the reader up to date, at most once in `RELOAD_AFTER` seconds."""
        now = time.monotonic()
        if now - self._looked < RELOAD_AFTER:
            return
        stamp = self._folder.stamp()
        if stamp is None and self._stamp is not None:
            raise IndexUnavailable(_VANISHED, rebuild_needed=True)
        if stamp is not None and (self._reader is None or stamp != self._stamp):
            self._reader = self._open()
            self._stamp = stamp
        elif self._reader:
            self._reader.reload()
        self._looked = now

    def _open(self) -> Reader | None:
        """Open the live generation. When another becomes live in that moment, that one."""
        while True:
            stamp = self._folder.stamp()
            generation = self._folder.live()
            if generation is None:
                return None
            try:
                return Reader(generation)
            except BaseException:
                if self._folder.stamp() == stamp:
                    raise

    def _forget(self) -> None:
        """Look anew at the next question. That an index was there once is remembered."""
        with self._lock:
            self._reader = None
            self._looked = -RELOAD_AFTER

    # --- Writing ---

    def apply(self, upserts: Iterable[Document], deletes: Iterable[int], *, cursor: int) -> None:
        """See `Index.apply`. Costs a commit, about 20 ms, and 0.3 ms per document; now and then 0.2 s for the names.

        A document that the engine cannot hold is left out and logged; the others are applied.
        """
        with self._lock:
            try:
                self._apply(upserts, deletes, cursor)
            except BaseException:
                # Whatever was not committed is dropped with the writer.
                self.close()
                raise

    def _apply(self, upserts: Iterable[Document], deletes: Iterable[int], cursor: int) -> None:
        with _translated("written"):
            writer = self._writing()
        documents = iter(upserts)
        while chunk := list(itertools.islice(documents, _CHUNK)):
            with _translated("written"):
                writer.add(chunk)
        gone = list(deletes)
        with _translated("written"):
            writer.remove(gone)
            writer.commit(cursor)
            self._looked = -RELOAD_AFTER

    def unembedded(self, *, limit: int) -> list[int]:
        """See `Index.unembedded`. Takes the lock of the vectors and keeps it until `close`."""
        with self._reading() as reader, _translated("written"):
            return self._vectored.unembedded(reader.searcher, reader.cursor(), limit) if reader else []

    def embed(self, documents: Iterable[Document]) -> None:
        """See `Index.embed`. 30 ms a paper; takes the lock of the vectors and keeps it until `close`."""
        with _translated("written"):
            self._vectored.embed(documents)

    def clear(self) -> None:
        """See `Index.clear`. Works on whatever is in the folder: an old version, damaged files, nothing."""
        with self._lock, _translated("written"):
            self.close()
            lock = self._folder.lock()
            try:
                self._folder.switch(_create)
            finally:
                lock.release()
            self._stamp = None
            self._vectored.forget_place()
            self._forget()

    def close(self) -> None:
        """See `Index.close`. What was not committed is dropped."""
        with self._lock:
            writer, self._writer = self._writer, None
            if writer:
                writer.close()
            self._vectored.close()
            self._forget()

    def _writing(self) -> _Writer:
        """The writer of the live generation; the first one is made here."""
        stamp = self._folder.stamp()
        if self._writer and self._writer.stamp != stamp:
            raise IndexUnavailable(_VANISHED, rebuild_needed=True)
        if self._writer is None:
            if stamp is None and self._stamp is not None:
                raise IndexUnavailable(_VANISHED, rebuild_needed=True)
            lock = self._folder.lock()
            try:
                self._writer = self._new_writer(lock)
                self._stamp = self._writer.stamp
            except BaseException:
                lock.release()
                raise
        return self._writer

    def _new_writer(self, lock: Lock) -> _Writer:
        generation = self._folder.live()
        if generation is None:
            self._folder.switch(_create)
            generation = self._folder.live()
        if generation is None:
            raise IndexUnavailable("The search index vanished while it was made. Try again.")
        return _Writer(generation, lock, self._folder.stamp())


class _Writer:
    """The one writer of a generation, with its lock and a view of what is committed."""

    def __init__(self, generation: Path, lock: Lock, stamp: Stamp | None) -> None:
        self.stamp = stamp
        self._lock = lock
        self._index = opened(generation)
        self._writer: tantivy.IndexWriter | None = self._index.writer(heap_size=WRITER_MEMORY, num_threads=1)
        self._added: dict[int, int] = {}
        self._names = Counting(generation)

    @property
    def _open(self) -> tantivy.IndexWriter:
        if self._writer is None:
            raise IndexUnavailable("The search index was closed while it was written.")
        return self._writer

    def add(self, papers: list[Document]) -> None:
        """Add papers, or replace those with the same key that are older."""
        held = self._held([paper.pk for paper in papers])
        for paper in papers:
            known = max(held.get(paper.pk, -1), self._added.get(paper.pk, -1))
            if paper.change < known:
                continue
            if known >= 0:
                self._open.delete_documents_by_term("pk", paper.pk)
            self._added[paper.pk] = paper.change
            made = _made(paper)
            if made is not None:
                self._open.add_document(made)

    def remove(self, keys: Iterable[int]) -> None:
        """Take papers out, also those that were just added."""
        for pk in keys:
            self._open.delete_documents_by_term("pk", pk)

    def commit(self, cursor: int) -> None:
        """Make it all durable, together with the cursor, which never goes back."""
        cursor = max(cursor, cursor_of(self._index.searcher()))
        self._open.delete_documents_by_term("mark", schema.CURSOR)
        self._open.add_document(schema.cursor_document(cursor))
        self._open.commit()
        self._added.clear()
        self._index.reload()
        self._count_names()

    def _count_names(self) -> None:
        """What was committed stays so, whatever comes of this."""
        try:
            self._names.go_on(self._index.searcher())
        except OSError as error:
            log.warning("The file of frequent names could not be written: %s", error)

    def close(self) -> None:
        """Drop what is not committed, and release the lock."""
        # tantivy's writer ends, and lets go of the files, when nothing refers to it.
        self._writer = None
        self._lock.release()

    def _held(self, keys: list[int]) -> dict[int, int]:
        """The change that is committed of each of these papers, where there is one."""
        searcher = self._index.searcher()
        if not searcher.num_docs:
            return {}
        found = searcher.search(schema.papers_among(keys), limit=len(keys) * 2, count=False).hits
        addresses = [address for _score, address in found]
        return dict(zip(column(searcher, "pk", addresses), column(searcher, "change", addresses), strict=True))


def _orders(plan: Plan, *, hybrid: bool) -> tuple[Order, ...]:
    """What the papers of an answer are sorted by."""
    if plan.newest or not plan.has_text:
        return (Order.DAY,)
    return (Order.FUSED, Order.WORDS) if hybrid else (Order.WORDS,)


def _made(paper: Document) -> tantivy.Document | None:
    """The document of a paper; None, and a line in the log, when the engine cannot hold it."""
    try:
        return schema.document(paper)
    except (OverflowError, ValueError, TypeError) as error:
        # Only this paper is at fault. Taken for damage of the index, it would have it built again for ever.
        cause = f"{type(error).__name__}: {error}"
        log.error("Paper %s is left out of the search index, which cannot hold it: %s", paper.pk, cause)  # noqa: TRY400  # the cause says all
        return None


def _create(generation: Path) -> None:
    """Make an empty index in a new folder."""
    tantivy.Index(schema.SCHEMA, path=str(generation), reuse=False)


# --- What can go wrong ------------------------------------------------------------------------------------------------

_OS_ERROR = re.compile(r"(?:os error|code:) (\d+)")
_DAMAGED = re.compile(r"corrupt|FileDoesNotExist|IncompatibleIndex", re.IGNORECASE)
_VANISHED = "The search index has vanished. It has to be built again."


@contextlib.contextmanager
def _translated(doing: str) -> Iterator[None]:
    """Turn every error into IndexUnavailable. `doing`: "opened", "read" or "written"."""
    try:
        yield
    except IndexUnavailable:
        raise
    except (ModelMissing, Damaged) as error:
        raise IndexUnavailable(f"Papers get no vectors now. {error}") from error
    except BaseException as error:
        # A panic in Rust arrives as PanicException, which is no Exception and can be told by its name only.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise _unavailable(doing, error) from error


def _unavailable(doing: str, error: BaseException) -> IndexUnavailable:
    """The sentence for an error of the system or of tantivy, and whether only a rebuild helps."""
    if doing == "written" and "LockBusy" in str(error):
        return IndexLocked("Another process is writing to the search index. Only one can at a time.")
    kept = " Nothing of this change was kept." if doing == "written" else ""
    number = _error_number(error)
    if number not in (None, errno.ENOENT):
        return IndexUnavailable(f"The search index cannot be {doing}: {os.strerror(number)}.{kept}")
    # Whatever tantivy says of files that it cannot open, or panics over, is damage; a query that fails is only a query.
    damaged = doing != "read" or not isinstance(error, Exception) or bool(_DAMAGED.search(str(error)))
    if damaged and not isinstance(error, MemoryError):
        sentence = f"The search index cannot be {doing}: its files are damaged or gone. It has to be built again."
        return IndexUnavailable(sentence, rebuild_needed=True)
    return IndexUnavailable(f"The search index cannot be {doing}: an error that is in the log.{kept}")


def _error_number(error: BaseException) -> int | None:
    """The system's number of an error, also where tantivy only says it in its text."""
    if isinstance(error, OSError):
        return error.errno
    match = _OS_ERROR.search(str(error))
    return int(match[1]) if match else None
