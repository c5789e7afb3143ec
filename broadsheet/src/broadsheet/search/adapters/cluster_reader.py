"""Looking things up in an index on a cluster, in as few requests as can be."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection

import numpy as np

from broadsheet.search import analysis, fusion, lexical, paging
from broadsheet.search.adapters import cluster_schema as schema
from broadsheet.search.adapters.cluster_explaining import Scores
from broadsheet.search.adapters.cluster_hybrid import Answer, related
from broadsheet.search.adapters.cluster_meaning import Meaning, Vectored
from broadsheet.search.adapters.cluster_schema import Clause
from broadsheet.search.adapters.cluster_searching import (
    Page,
    Searching,
    behind,
    body,
    facets_of,
    found_now,
    keys_of,
    placed,
    rows_of,
    total_of,
)
from broadsheet.search.adapters.cluster_wire import Body, Declined, Missing, Wire
from broadsheet.search.explaining import by_day, by_words
from broadsheet.search.explanation import Explanation
from broadsheet.search.index import MAX_DEPTH, Facet, Hit, Name, PaperVectors, Results, Suggestion
from broadsheet.search.lexical import Plan
from broadsheet.search.paging import LARGEST_PK, Order, Place
from broadsheet.search.query import Query, Sort
from broadsheet.search.spelling import Speller, edits_allowed

_MOST_SUGGESTION_WORDS = 8
# Papers of which one search asks whether they match.
_AT_ONCE = 1_000
# Words near a misspelt one that each shard names.
_NEAR_WORDS = 50
# Spellings that names are made of are looked at: so many for each wanted, those that most papers have.
_SPELLINGS = 8
# From so many papers in each shard, names are taken at most.
_NAMED_IN_A_SHARD = 100_000


class Reader:
    """What can be asked of the generation that answers."""

    def __init__(self, wire: Wire, target: str, vectored: Vectored) -> None:
        self._wire, self._target, self._vectored = wire, target, vectored

    def search(self, query: Query, *, limit: int, offset: int, facets: list[Facet], after: str) -> Results:
        """A page of an answer. Raises ValueError when `after` is no place in it."""
        place = Place.read(after, query) if after else None
        searching = self._searching(str(query))
        plan = lexical.plan(query, _Words(searching, query))
        order = _order(plan)
        try:
            answer = self._answer(searching, query, plan)
            if answer and (place is None or place.order in (Order.FUSED, Order.WORDS)):
                return answer.results(limit, offset, place, facets)
        except Declined as error:
            self._vectored.failed(str(error))
        if place and place.order is not order:
            raise paging.order_gone()
        search = body(schema.query(plan), order=order, limit=limit, offset=offset, facets=facets)
        if place and order is Order.WORDS:
            place = found_now(searching, schema.query(plan), place) or place
        found = searching.one(behind(search, place) if place else search)
        page = Page(total_of(found), place.seen if place else offset, rows_of(found))
        return Results(
            hits=tuple(Hit(row.pk, row.score) for row in page.rows),
            total=page.total,
            facets=facets_of(found, facets),
            corrections=plan.corrections,
            next=placed(page, order, query),
        )

    def matching(self, query: Query, pks: Collection[int]) -> set[int]:
        """Those of the papers that match."""
        searching = self._searching(str(query))
        wanted = schema.query(lexical.plan(query, _Words(searching, query)))
        keys = [pk for pk in pks if 0 <= pk <= LARGEST_PK]
        parts = [keys[start : start + _AT_ONCE] for start in range(0, len(keys), _AT_ONCE)]
        found = searching.many([body(schema.only(wanted, part), order=Order.DAY, limit=_AT_ONCE) for part in parts])
        return {pk for answer in found for pk in keys_of(answer)}

    def explain(self, query: Query, pk: int) -> Explanation | None:
        """Why a paper has its score."""
        if not 0 <= pk <= LARGEST_PK:
            return None
        searching = self._searching(str(query))
        plan = lexical.plan(query, _Words(searching, query))
        if _order(plan) is Order.DAY:
            found = searching.counts([schema.only(schema.query(plan), [pk])])
            return by_day() if found[0] else None
        try:
            answer = self._answer(searching, query, plan)
            if answer:
                return answer.explain(pk)
        except Declined as error:
            self._vectored.failed(str(error))
        scores = Scores(searching, plan, pk)
        return None if scores.score is None else by_words(query, plan, scores.worth, scores.score)

    def suggest(self, prefix: str, *, limit: int) -> list[int]:
        """Titles that continue what was typed."""
        typed = analysis.words(analysis.without_tex(prefix))
        if not typed:
            return []
        *finished, last = typed[-_MOST_SUGGESTION_WORDS:]
        limit = min(limit, MAX_DEPTH)
        asked = [_newest(wanted, limit) for wanted in schema.suggestions(finished, last)]
        found = dict.fromkeys(row.pk for answer in self._searching(prefix).many(asked) for row in rows_of(answer))
        return list(found)[:limit]

    def suggest_names(self, prefix: str, *, limit: int) -> list[Suggestion]:
        """Names that continue what was typed."""
        typed = lexical.beginning(prefix)
        if not typed:
            return []
        answers = self._searching(typed).many([_named(schema.names_that_begin(kind, typed), limit) for kind in Name])
        return [one for kind, answer in zip(Name, answers, strict=True) for one in _names(kind, answer)[:limit]]

    def related(self, pk: int, *, limit: int, sort: Sort) -> list[Hit]:
        """The papers nearest in meaning to one."""
        embedder = self._vectored.answering()
        if embedder is None or not 0 <= pk <= LARGEST_PK:
            return []
        field = schema.vector_field(schema.vector_key(embedder.fingerprint))
        try:
            found = self._wire.ask("GET", f"/{self._target}/_doc/{pk}", params={"_source_includes": field})
            vector = found["_source"].get(field)
            if not vector:
                return []
            meaning = Meaning(vector, field, embedder.unrelated)
            return related(self._searching(str(pk)), meaning, pk, limit=limit, sort=sort)
        except Missing:
            return []
        except Declined as error:
            self._vectored.failed(str(error))
            return []

    def vectors(self, pks: Collection[int]) -> PaperVectors:
        """The vectors of papers; a document that is replaced loses its own, so that they are of the present texts."""
        embedder = self._vectored.answering()
        if embedder is None:
            return PaperVectors()
        field = schema.vector_field(schema.vector_key(embedder.fingerprint))
        asked = [{"_id": str(pk), "_source": [field]} for pk in pks if 0 <= pk <= LARGEST_PK]
        found = self._wire.ask("POST", f"/{self._target}/_mget", {"docs": asked})["docs"] if asked else []
        held = {int(each["_id"]): each.get("_source", {}).get(field) for each in found}
        return PaperVectors(
            embedder.fingerprint, {pk: np.asarray(vector, np.float32) for pk, vector in held.items() if vector}
        )

    def count(self) -> int:
        """How many papers there are."""
        return self._searching("").counts([schema.everything()])[0]

    def _searching(self, question: str) -> Searching:
        return Searching(self._wire, self._target, question)

    def _answer(self, searching: Searching, query: Query, plan: Plan) -> Answer | None:
        """The answer by words and meaning, None when the words alone decide."""
        meaning = self._vectored.meaning(fusion.meaning(query))
        return Answer(searching, query, plan, meaning) if meaning else None


def _order(plan: Plan) -> Order:
    """What the papers of an answer by words are sorted by."""
    return Order.DAY if plan.newest or not plan.has_text else Order.WORDS


class _Words:
    """What the index knows of the words of a query; those that are in it are counted in one request."""

    def __init__(self, searching: Searching, query: Query) -> None:
        self._searching = searching
        text = analysis.without_tex(query.text)
        self._known: dict[tuple[str, str], int] = {}
        if text:
            asked = [("", "")]
            asked += dict.fromkeys(("all", stem) for stem in analysis.stems(text))
            asked += dict.fromkeys(("authors", word) for word in analysis.words(text))
            self._ask(asked)

    def papers_with(self, stem: str) -> int:
        """How many papers have the stem in ALL."""
        return self._count("all", stem)

    def papers_by(self, word: str) -> int:
        """How many papers have the word in a name of their authors."""
        return self._count("authors", word)

    def count(self) -> int:
        """How many papers there are."""
        return self._count("", "")

    def nearest(self, word: str, *, rare: bool) -> str | None:
        """The word of titles that `word` most likely was meant to be, or None; with `rare`, even a rare one."""
        edits = edits_allowed(word)
        if not edits:
            return None
        wanted = {
            "field": "title",
            "suggest_mode": "always",
            "max_edits": edits,
            "prefix_length": 1,
            "min_word_length": 4,
            "size": _NEAR_WORDS,
            "shard_size": _NEAR_WORDS,
        }
        answer = self._searching.one({"size": 0, "suggest": {"near": {"text": word, "term": wanted}}})
        near = [
            (option["text"], int(option["freq"])) for part in answer["suggest"]["near"] for option in part["options"]
        ]
        return Speller(near).nearest(word, rare=rare)

    def _count(self, field: str, word: str) -> int:
        if (field, word) not in self._known:
            self._ask([(field, word)])
        return self._known[field, word]

    def _ask(self, asked: list[tuple[str, str]]) -> None:
        questions = [schema.term(field, word) if field else schema.everything() for field, word in asked]
        self._known |= dict(zip(asked, self._searching.counts(questions), strict=True))


def _newest(wanted: Clause, limit: int) -> Body:
    return body(wanted, order=Order.DAY, limit=limit) | {"track_total_hits": False}


def _named(begun: str, limit: int) -> Body:
    """A search that counts the names that begin like this."""
    counted = {
        "field": "name",
        "include": f"{begun}.*",
        "size": _SPELLINGS * (min(limit, MAX_DEPTH) + 1),
        "execution_hint": "map",
    }
    return {
        "query": {"prefix": {"name": {"value": begun}}},
        "size": 0,
        "terminate_after": _NAMED_IN_A_SHARD,
        "aggs": {"names": {"terms": counted}},
    }


def _names(kind: Name, answer: Body) -> list[Suggestion]:
    """The names of a kind, those with the most papers first. Spellings that differ in accents and case only are one."""
    spellings: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for bucket in answer["aggregations"]["names"]["buckets"]:
        text = schema.printed(bucket["key"])
        alike = spellings[tuple(analysis.words(text))]
        # A name that repeats a word is found by it twice.
        alike[text] = max(alike[text], int(bucket["doc_count"]))
    found = [
        Suggestion(kind, min(alike, key=lambda text: (-alike[text], text)), alike.total())
        for alike in spellings.values()
    ]
    return sorted(found, key=lambda one: (-one.papers, one.text))
