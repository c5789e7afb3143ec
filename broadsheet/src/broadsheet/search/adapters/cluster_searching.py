"""Questions to one index on a cluster: how they are put, and how their answers are read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import NamedTuple

import numpy as np

from broadsheet.search.adapters import cluster_schema as schema
from broadsheet.search.adapters.cluster_schema import Clause
from broadsheet.search.adapters.cluster_wire import Body, Wire
from broadsheet.search.index import MAX_DEPTH, MOST_COUNTED, Facet
from broadsheet.search.paging import Order, Place
from broadsheet.search.query import Query

_MOST_YEARS = 200
_LARGEST = float(np.finfo(np.float32).max)
# Scores of one paper that differ by less than this part are the same, added up in another order.
_ROUNDING = 1e-6
_COUNTED_IN_A_SHARD = 1_000


class Row(NamedTuple):
    """A paper in the order of an answer; `day` is the number of its day, 0 without one."""

    score: float
    day: int
    pk: int

    @property
    def key(self) -> tuple[float, int, int]:
        """Sorts the best first, of equals the newest."""
        return -self.score, -self.day, self.pk


class Page(NamedTuple):
    """Part of an answer: how many papers it has in all, how many stand before this part, and the part."""

    total: int
    before: int
    rows: list[Row]


class Searching:
    """The searches for one question of a reader: the same copies of the shards answer all of them."""

    def __init__(self, wire: Wire, target: str, question: str) -> None:
        self._wire = wire
        self._target = target
        self._preference = hashlib.blake2b(question.encode("utf-8", "replace"), digest_size=6).hexdigest()

    def many(self, searches: Sequence[Body]) -> list[Body]:
        """The answers to several searches, in one request. Raises Missing, Declined, IndexUnavailable."""
        return self._wire.search(self._target, searches, preference=self._preference) if searches else []

    def one(self, search: Body) -> Body:
        """The answer to one search."""
        return self.many([search])[0]

    def counts(self, questions: Iterable[Clause]) -> list[int]:
        """How many papers match each question."""
        return [total_of(answer) for answer in self.many([counting(question) for question in questions])]


def counting(wanted: Clause) -> Body:
    """A search that only counts."""
    return {"query": wanted, "size": 0, "track_total_hits": True}


def body(wanted: Clause, *, order: Order, limit: int, offset: int = 0, facets: Iterable[Facet] = ()) -> Body:
    """A search for the page from `offset` on, with counts."""
    size = max(min(limit, MAX_DEPTH - offset), 0)
    return counting(wanted) | {
        "size": size,
        "from": offset if size else 0,
        "sort": [{"_score": "desc"}] * (order is not Order.DAY) + [{"day": "desc"}, {"pk": "asc"}],
        "_source": False,
        "aggs": {str(facet): _counts(facet) for facet in facets},
    }


def behind(search: Body, place: Place) -> Body:
    """The same search, for what stands behind a place."""
    sorted_by: list[float | int] = [day_of(place), place.pk]
    if place.order is not Order.DAY:
        # The cluster's scores have 32 bits; written with 64, no rounding brings the paper itself again.
        sorted_by.insert(0, float(np.float32(min(max(place.score, -_LARGEST), _LARGEST))))
    return search | {"search_after": sorted_by, "from": 0}


def day_of(place: Place) -> int:
    """The number of the day of a place, as `Row` has it."""
    return place.day.toordinal() if place.day else 0


def found_now(searching: Searching, wanted: Clause, place: Place) -> Place | None:
    """A place in the order by words, behind its paper as it stands now; None when that is found no more."""
    found = rows_of(searching.one(body(schema.only(wanted, [place.pk]), order=Order.WORDS, limit=1)))
    if not found:
        return None
    same = abs(found[0].score - place.score) <= _ROUNDING * abs(place.score)
    return replace(place_of(found[0], Order.WORDS, seen=place.seen), score=place.score if same else found[0].score)


def total_of(answer: Body) -> int:
    """How many papers match in all."""
    return int(answer["hits"]["total"]["value"])


def rows_of(answer: Body) -> list[Row]:
    """The papers of a page; their scores are 0.0 where it comes newest first."""
    rows = []
    for hit in answer["hits"]["hits"]:
        *scores, day, pk = hit["sort"]
        score = float(np.float32(scores[0])) if scores else 0.0
        rows.append(Row(score, int(day), int(pk)))
    return rows


def keys_of(answer: Body) -> list[int]:
    """The papers of an answer, in its order."""
    return [int(hit["_id"]) for hit in answer["hits"]["hits"]]


def placed(page: Page, order: Order, query: Query) -> str:
    """What continues an answer behind a page of it."""
    seen = page.before + len(page.rows)
    if not page.rows or seen >= page.total:
        return ""
    return place_of(page.rows[-1], order, seen=seen).written(query)


def place_of(row: Row, order: Order, *, seen: int) -> Place:
    """The place behind a paper."""
    return Place(order, row.score, date.fromordinal(row.day) if row.day else None, row.pk, seen)


def facets_of(answer: Body, facets: Iterable[Facet]) -> dict[str, list[tuple[str, int]]]:
    """The counts that were asked for."""
    return {
        str(facet): [
            (str(bucket["key"]), int(bucket["doc_count"])) for bucket in answer["aggregations"][str(facet)]["buckets"]
        ]
        for facet in facets
    }


def _counts(facet: Facet) -> Body:
    if facet is Facet.YEAR:
        return {"terms": {"field": "year", "size": _MOST_YEARS, "order": {"_key": "desc"}}}
    order = [{"_count": "desc"}, {"_key": "asc"}]
    return {"terms": {"field": str(facet), "size": MOST_COUNTED, "shard_size": _COUNTED_IN_A_SHARD, "order": order}}
