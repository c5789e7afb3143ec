"""The indexes of one Broadsheet on a cluster: which generation answers, which one grows, and who may write.

=================  =====================================================================================================
name               what it is
=================  =====================================================================================================
NAME-g000001       a generation: the papers
NAME               alias of the generation that answers
NAME-growing       alias of the one that is built beside it, until it is complete
NAME-former        alias of the one that answered before, kept for its vectors until the one that answers is complete
NAME-state         small documents: the writer's lease, how far each generation has read the journal, the model
=================  =====================================================================================================

Aliases change all at once, so that a reader always finds one generation or another, whole.
"""

from __future__ import annotations

import os
import re
import socket
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from broadsheet.search.adapters import cluster_schema as schema
from broadsheet.search.adapters.cluster_wire import Body, Conflict, Line, Missing, Wire
from broadsheet.search.index import IndexLocked, IndexUnavailable

# For how long a writer may write without saying that it is still there, and after how long it says so, in seconds.
LEASE = 60.0
RENEW_AFTER = 20.0

# How often the aliases are looked at anew, in seconds.
LOOK_AFTER = 1.0

_META = "broadsheet"


@dataclass(frozen=True, slots=True)
class Generation:
    """One index of papers. It is complete when the journal was read into it up to entry number `until`.

    `vectors` are its fields of vectors, with the number of their dimensions.
    """

    index: str
    format: int
    schema: str
    until: int
    vectors: dict[str, int] = field(default_factory=dict, compare=False)

    @property
    def readable(self) -> bool:
        """Whether the queries of this program can be asked of it."""
        return self.format == schema.FORMAT

    @property
    def current(self) -> bool:
        """Whether it holds what this program would write."""
        return self.readable and self.schema == schema.schema_hash()


@dataclass(frozen=True, slots=True)
class View:
    """The generations that there are."""

    live: Generation | None = None
    growing: Generation | None = None
    former: Generation | None = None

    @property
    def target(self) -> Generation | None:
        """The one that changes are written to; None when one must be made first."""
        if self.growing and self.growing.current:
            return self.growing
        return self.live if self.live and self.live.current else None

    @property
    def others(self) -> list[Generation]:
        """Those that have papers, and perhaps vectors, besides the one that changes are written to."""
        return [each for each in (self.live, self.former) if each and each.readable and each != self.target]


class Generations:
    """The indexes of a name. May be shared by threads. All methods raise IndexUnavailable."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.name = wire.address.name
        self.growing = f"{self.name}-growing"
        self._former = f"{self.name}-former"
        self.state = f"{self.name}-state"
        self._numbered = re.compile(re.escape(self.name) + r"-g([0-9]{6})")
        self._lock = threading.Lock()
        self._view = View()
        self._looked = -LOOK_AFTER

    def view(self) -> View:
        """The generations, as they were at most `LOOK_AFTER` seconds ago."""
        with self._lock:
            if time.monotonic() - self._looked >= LOOK_AFTER:
                self._view = self._seen()
                self._looked = time.monotonic()
            return self._view

    def forget(self) -> None:
        """Look anew at the next question."""
        with self._lock:
            self._looked = -LOOK_AFTER

    def reading(self) -> Generation | None:
        """The generation that answers, None of a new index."""
        live = self.view().live
        if live and not live.readable:
            sentence = "The search index was written by another version of the program. It has to be built again."
            raise IndexUnavailable(sentence, rebuild_needed=True)
        return live

    def begin(self, *, until: int, at_once: bool) -> Generation:
        """Make an empty generation. `at_once` lets it answer now; else the one that answers goes on until it has grown.

        What was growing is dropped; what answered is kept for its vectors.
        """
        self.forget()
        view = self.view()
        live = view.live if view.live and view.live.readable else None
        vectors = {name: size for each in (view.former, live) if each for name, size in each.vectors.items()}
        made = self._create(until, vectors)
        kept = {made.index, *(each.index for each in (live, view.former) if each)}
        if at_once and live and view.former:
            # The one that is left now was never complete; the one before it has more vectors.
            kept.discard(live.index)
        actions = [_add(made.index, self.name if at_once or not live else self.growing)]
        if at_once and live and not view.former:
            actions += [_remove(live.index, self.name), _add(live.index, self._former)]
        actions += [{"remove_index": {"index": index}} for index in self._indexes() if index not in kept]
        self._wire.ask("POST", "/_aliases", {"actions": actions}, writing=True)
        self.forget()
        return made

    def complete(self, whole: Generation) -> None:
        """Let a generation that has grown answer from now on, if it did not yet, and drop all others."""
        actions = []
        if whole != self.view().live:
            actions = [_add(whole.index, self.name), _remove(whole.index, self.growing)]
        actions += [{"remove_index": {"index": index}} for index in self._indexes() if index != whole.index]
        if actions:
            self._wire.ask("POST", "/_aliases", {"actions": actions}, writing=True)
        self.forget()

    def cursor(self, generation: Generation) -> int:
        """How far the journal was read into a generation."""
        return int(self.read(f"cursor-{generation.index}").get("cursor", 0))

    def advance(self, generation: Generation, cursor: int) -> None:
        """Note that the journal was read so far; never back."""
        name = f"cursor-{generation.index}"
        # Versions begin at 1 where they count at all.
        self._wire.write([Line(self.state, name, cursor + 1, {"cursor": cursor})])

    def read(self, document: str) -> Body:
        """A document of the state, {} when there is none."""
        try:
            found: Body = self._wire.ask("GET", f"/{self.state}/_doc/{document}")["_source"]
        except Missing:
            return {}
        return found

    def keep(self, document: str, source: Body) -> None:
        """Write a document of the state."""
        self._wire.ask("PUT", f"/{self.state}/_doc/{document}", source, writing=True)

    def add_field(self, generation: Generation, name: str, mapping: Body) -> None:
        """Add a field to a generation; nothing happens when it is there already."""
        self._wire.ask("PUT", f"/{generation.index}/_mapping", {"properties": {name: mapping}}, writing=True)

    def make_state(self) -> None:
        """Make the index of the state, when it is not there."""
        settings = {"index": {"number_of_shards": 1, "auto_expand_replicas": "0-1"}}
        mappings = {"dynamic": False}
        try:
            self._wire.ask("PUT", f"/{self.state}", {"settings": settings, "mappings": mappings}, writing=True)
        except Conflict:
            return

    def _seen(self) -> View:
        """The generations as they are now."""
        aliases = (self.name, self.growing, self._former)
        found = self._wire.ask("GET", f"/{','.join(aliases)}", params=_TOLERANT)
        if self.name in found:
            raise IndexUnavailable(
                f"The search cluster at {self._wire.address} has an index {self.name} that is none of ours. Give the "
                "setting search_url another name behind the host."
            )
        by_alias = {
            alias: _generation(index, said) for index, said in found.items() for alias in said.get("aliases", ())
        }
        return View(*(by_alias.get(alias) for alias in aliases))

    def _indexes(self) -> list[str]:
        """All generations that there are, also those that were begun and never finished."""
        found = self._wire.ask("GET", f"/{self.name}-g*", params=_TOLERANT)
        return sorted(index for index in found if self._numbered.fullmatch(index))

    def _create(self, until: int, vectors: dict[str, int]) -> Generation:
        """A new index, with fields for the vectors that are kept."""
        numbers = [int(index[-6:]) for index in self._indexes()]
        number = (max(numbers, default=0) + 1) % 1_000_000
        made = Generation(f"{self.name}-g{number:06}", schema.FORMAT, schema.schema_hash(), until)
        fields = {name: schema.vector_mapping(size) for name, size in vectors.items()}
        meta = {_META: {"format": made.format, "schema": made.schema, "until": until}}
        mappings = {"dynamic": "strict", "_meta": meta, "properties": schema.FIELDS | fields}
        body = {"settings": schema.SETTINGS, "mappings": mappings}
        try:
            self._wire.ask("PUT", f"/{made.index}", body, writing=True)
        except Conflict as error:
            raise IndexLocked(_LOCKED.format("")) from error
        return made


_TOLERANT = {"ignore_unavailable": "true", "allow_no_indices": "true"}


def _generation(index: str, said: Body) -> Generation:
    mappings = said.get("mappings", {})
    meta = mappings.get("_meta", {}).get(_META, {})
    vectors = {
        name: int(field["dimension"])
        for name, field in mappings.get("properties", {}).items()
        if field.get("type") == "knn_vector"
    }
    return Generation(
        index, int(meta.get("format", 0)), str(meta.get("schema", "")), int(meta.get("until", 0)), vectors
    )


def _add(index: str, alias: str) -> Body:
    return {"add": {"index": index, "alias": alias}}


def _remove(index: str, alias: str) -> Body:
    return {"remove": {"index": index, "alias": alias}}


_LOCKED = "Another process is writing to the search index{}. Only one can at a time."


class Lease:
    """The right to write, kept as a document that its holder renews. It runs out by itself when the holder dies.

    It saves work and keeps clocks out of what must be right: two writers at once, as when one was thought dead and was
    only slow, do no harm, because of every document and of the cursor the greatest version stays.
    """

    def __init__(self, wire: Wire, generations: Generations) -> None:
        self._wire = wire
        self._generations = generations
        self._path = f"/{generations.state}/_doc/writer"
        self._holder = uuid.uuid4().hex
        self._place: dict[str, int] | None = None
        self._term = 0
        self._renewed = 0.0

    def hold(self) -> None:
        """Take or renew the right to write. Raises IndexLocked when another has it, IndexUnavailable."""
        if self._place and time.monotonic() - self._renewed < RENEW_AFTER:
            return
        begun = time.monotonic()
        if self._place is None:
            self._take()
        else:
            self._write(LEASE, self._place)
        self._renewed = begun

    def release(self) -> None:
        """Let others write at once. When that cannot be said, the lease runs out."""
        place, self._place = self._place, None
        if place:
            try:
                self._put(0.0, place)
            except (IndexUnavailable, Conflict, Missing):
                return

    def _take(self) -> None:
        self._generations.make_state()
        try:
            found = self._wire.ask("GET", self._path)
        except Missing:
            self._term = 1
            self._write(LEASE, {"if_seq_no": -1})
            return
        said = found["_source"]
        left = float(said["until"]) - time.time()
        # More than a whole lease is left only when a clock was set back; nobody waits for that.
        if 0 < left <= LEASE and said["holder"] != self._holder:
            raise IndexLocked(_LOCKED.format(f": {said['who']}, for {left:.0f} seconds more or until it ends"))
        self._term = int(said["term"]) + 1
        self._write(LEASE, _place(found))

    def _write(self, seconds: float, place: dict[str, int]) -> None:
        try:
            self._place = self._put(seconds, place)
        except Conflict as error:
            self._place = None
            raise IndexLocked(_LOCKED.format("")) from error

    def _put(self, seconds: float, place: dict[str, int]) -> dict[str, int]:
        said: dict[str, Any] = {
            "holder": self._holder,
            "who": f"process {os.getpid()} on {socket.gethostname()}",
            "term": self._term,
            "until": time.time() + seconds,
        }
        params = {"op_type": "create"} if place["if_seq_no"] < 0 else place
        return _place(self._wire.ask("PUT", self._path, said, params=params, writing=True))


def _place(found: Body) -> dict[str, int]:
    """What tells this state of a document from a later one."""
    return {"if_seq_no": int(found["_seq_no"]), "if_primary_term": int(found["_primary_term"])}
