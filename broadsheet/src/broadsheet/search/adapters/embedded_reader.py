"""Looking things up in one generation of an embedded index."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import tantivy

from broadsheet.search import analysis, lexical
from broadsheet.search.adapters import embedded_schema as schema
from broadsheet.search.adapters.embedded_explaining import Scores
from broadsheet.search.adapters.embedded_names import Frequent
from broadsheet.search.explaining import by_day, by_words
from broadsheet.search.explanation import Explanation
from broadsheet.search.index import MAX_DEPTH, MOST_COUNTED, Facet, Hit, Name, Results, Suggestion
from broadsheet.search.lexical import Plan
from broadsheet.search.paging import Order, Place
from broadsheet.search.query import Query
from broadsheet.search.spelling import Speller

_MOST_YEARS = 200
_MOST_EXPANSIONS = 50
_MOST_SUGGESTION_WORDS = 8
_FEW = 100
# So many papers with equal scores are put in order; more come in an order of the engine's, the same for every page.
_LONGEST_TIE = 2 * MAX_DEPTH
# Papers that are looked at before and behind a page for such equals, at first.
_MARGIN = 30
# So many spellings of names are looked at for each name that is wanted: those that most papers have.
_SPELLINGS = 4
# Categories that are looked at for a suggestion; there are some hundreds.
_MOST_CATEGORIES = 5_000
# A word that has only begun is taken for the most used ones that it may become, until so many titles have one of them:
# the newest few of these are shown. Behind finished words, which most titles lack, more are read.
_MOST_READ = 20_000
_MOST_READ_BEHIND = 200_000

# Filters of which a view remembers how many papers pass.
_MOST_FILTERS = 256

# What a category is found by, as printed, and how many papers had it at some time.
_Category = tuple[list[str], str, int]


class Row(NamedTuple):
    """A paper in the order of an answer."""

    score: float
    newest: int
    pk: int

    @property
    def key(self) -> tuple[float, int]:
        """Sorts the best first, of equals the newest."""
        return -self.score, -self.newest


class Page(NamedTuple):
    """Part of an answer: how many papers it has in all, how many stand before this part, and the part."""

    total: int
    before: int
    rows: list[Row]


class Reader:
    """A view of one generation, as of the last `reload`."""

    def __init__(self, generation: Path) -> None:
        self._index = opened(generation)
        self._searcher = self._index.searcher()
        self._frequent = Frequent(generation)
        self._categories: tuple[tuple[int, int], list[_Category]] = ((0, 0), [])
        self._passing: dict[tuple[object, ...], int] = {}
        self._sized = self._size
        self._speller: Speller | None = None
        self._spelled = 0

    def reload(self) -> None:
        """See what was committed since."""
        self._index.reload()
        self._searcher = self._index.searcher()
        if self._size != self._sized:
            self._sized, self._passing = self._size, {}
        self._frequent.reload()

    @property
    def _size(self) -> tuple[int, int]:
        """What nearly every commit changes; it costs nothing to ask."""
        return self._searcher.num_docs, self._searcher.num_segments

    def count(self) -> int:
        """How many papers there are: all documents but the cursor's."""
        marked = self._searcher.search(schema.term("mark", schema.CURSOR), limit=1)
        return self._searcher.num_docs - total_of(marked)

    def cursor(self) -> int:
        """The journal's cursor."""
        return cursor_of(self._searcher)

    @property
    def searcher(self) -> tantivy.Searcher:
        """The engine's own view."""
        return self._searcher

    def passing(self, plan: Plan) -> int:
        """About how many papers pass the filters of a plan, whatever its words.

        Remembered until the number of papers changes, because a range of days is read from end to end: 10 ms of a
        million papers.
        """
        remembered, key = self._passing, schema.filters_of(plan)
        number = remembered.get(key)
        if number is None:
            number = total_of(self._searcher.search(schema.passing(plan), limit=1, count=True))
            if len(remembered) >= _MOST_FILTERS:
                remembered.clear()
            remembered[key] = number
        return number

    def plan(self, query: Query) -> Plan:
        """What is looked up for a query."""
        return lexical.plan(query, self)

    def page(self, plan: Plan, *, limit: int, offset: int, place: Place | None) -> Page:
        """Part of the answer by words alone: from an offset on, or behind a place."""
        wanted = schema.query(plan)
        if plan.newest or not plan.has_text:
            return newest_behind(self._searcher, wanted, place, limit) if place else self._newest(wanted, offset, limit)
        if place:
            return best_behind(self._searcher, wanted, place, limit)
        total, rows = best(self._searcher, wanted, offset, min(offset + limit, MAX_DEPTH))
        return Page(total, offset, rows)

    def results(self, query: Query, plan: Plan, page: Page, facets: list[Facet]) -> Results:
        """A page of the answer by words alone, as it is given out."""
        by_day = plan.newest or not plan.has_text
        return Results(
            hits=tuple(Hit(row.pk, row.score) for row in page.rows),
            total=page.total,
            facets=counted(self._searcher, schema.query(plan), facets),
            corrections=plan.corrections,
            next=placed(page, Order.DAY if by_day else Order.WORDS, query),
        )

    def _newest(self, wanted: tantivy.Query, offset: int, limit: int) -> Page:
        total, rows = newest(self._searcher, wanted, offset, min(offset + limit, MAX_DEPTH))
        return Page(total, offset, rows)

    def matching(self, plan: Plan, keys: list[int]) -> set[int]:
        """Those of the papers that match."""
        wanted = schema.those(schema.query(plan), keys)
        found = self._searcher.search(wanted, limit=len(keys), count=False).hits
        return set(column(self._searcher, "pk", [address for _score, address in found]))

    def explain(self, query: Query, plan: Plan, pk: int) -> Explanation | None:
        """Why a paper has its score, by words alone."""
        scores = Scores(self._searcher, schema.query(plan), pk)
        if scores.score is None:
            return None
        if plan.newest or not plan.has_text:
            return by_day()
        return by_words(query, plan, scores.worth, scores.score)

    def suggest(self, prefix: str, *, limit: int) -> list[int]:
        """Titles that continue what was typed; of an unfinished word, with the words that most titles use."""
        searcher = self._searcher
        typed = analysis.words(analysis.without_tex(prefix))
        if not typed:
            return []
        *finished, last = typed[-_MOST_SUGGESTION_WORDS:]
        limit = min(limit, MAX_DEPTH)
        found: dict[int, None] = {}
        if finished:
            in_a_row = schema.suggestions_in_a_row(finished, last)
            found = dict.fromkeys(row.pk for row in newest(searcher, in_a_row, 0, limit)[1])
        if len(found) < limit:
            words = self._frequent.terms(searcher, "title", last, _MOST_EXPANSIONS)
            read = accumulate((papers for _word, papers in words), initial=0)
            most = _MOST_READ_BEHIND if finished else _MOST_READ
            beginnings = [word for (word, _papers), before in zip(words, read, strict=False) if before < most]
            wanted = schema.suggestions(finished, beginnings)
            found |= dict.fromkeys(row.pk for row in newest(searcher, wanted, 0, limit)[1])
        return list(found)[:limit]

    def suggest_names(self, prefix: str, *, limit: int) -> list[Suggestion]:
        """Names that continue what was typed."""
        typed = lexical.beginning(prefix)
        return [found for kind in Name if typed for found in self._names(kind, typed, min(limit, MAX_DEPTH))]

    def _names(self, kind: Name, typed: str, limit: int) -> list[Suggestion]:
        """Of one kind. Spellings that differ in accents and case only are one name."""
        spellings: dict[tuple[str, ...], dict[str, tuple[str, str]]] = {}
        likely: Counter[tuple[str, ...]] = Counter()
        for text, papers, where in self._spellings(kind, typed, _SPELLINGS * (limit + 1)):
            run = _words(text)
            spellings.setdefault(run, {})[text] = where
            likely[run] += papers
        found = [self._suggestion(kind, spellings[run]) for run, _papers in likely.most_common(limit + _SPELLINGS)]
        found.sort(key=lambda one: (-one.papers, one.text))
        return [one for one in found if one.papers][:limit]

    def _spellings(self, kind: Name, typed: str, limit: int) -> Iterator[tuple[str, int, tuple[str, str]]]:
        """Names as printed, with how many papers had them at some time, and the field and term that says so now."""
        if kind is Name.CATEGORY:
            for beginnings, category, papers in self._known_categories():
                if any(beginning.startswith(typed) for beginning in beginnings):
                    yield category, papers, ("category", category)
            return
        begun = schema.names_that_begin(kind, typed)
        for term, papers in self._frequent.terms(self._searcher, "name", begun, limit):
            yield schema.printed(term), papers, ("name", term)

    def _known_categories(self) -> list[_Category]:
        """All categories. They are few, and no terms of their own are kept to find them by."""
        seen = self._size
        if self._categories[0] != seen:
            rows = self._searcher.terms_with_prefix("category", "", limit=_MOST_CATEGORIES)
            found = [(lexical.beginnings(_words(category)), category, papers) for category, papers in rows]
            self._categories = seen, found
        return self._categories[1]

    def _suggestion(self, kind: Name, spellings: dict[str, tuple[str, str]]) -> Suggestion:
        """A name of these spellings, as most papers print it."""
        papers = {
            text: total_of(self._searcher.search(schema.term(field, term), limit=1))
            for text, (field, term) in spellings.items()
        }
        return Suggestion(kind, min(papers, key=lambda text: (-papers[text], text)), sum(papers.values()))

    def papers_with(self, stem: str) -> int:
        """How many papers have the stem in ALL."""
        papers = self._searcher.doc_freq("all", stem)
        # The engine's count includes papers deleted since; among few that decides whether a word is known at all.
        return papers if papers > _FEW else total_of(self._searcher.search(schema.term("all", stem), limit=1))

    def papers_by(self, word: str) -> int:
        """How many papers have the word in a name of their authors, papers deleted since included."""
        return self._searcher.doc_freq("authors", word)

    def nearest(self, word: str, *, rare: bool) -> str | None:
        """The word of titles that `word` most likely was meant to be, or None; with `rare`, even a rare one."""
        papers = self._searcher.num_docs
        if self._speller is None or abs(papers - self._spelled) * 10 > self._spelled:
            self._speller = Speller(self._searcher.terms_with_prefix("title", ""))
            self._spelled = papers
        return self._speller.nearest(word, rare=rare)


@lru_cache(maxsize=4_096)
def _words(name: str) -> tuple[str, ...]:
    """The words of a name, folded."""
    return tuple(analysis.words(name))


def opened(generation: Path) -> tantivy.Index:
    """An index that exists, with its analyzers, that is reloaded when we say so."""
    index = schema.register(tantivy.Index.open(str(generation)))
    index.config_reader("manual")
    return index


def cursor_of(searcher: tantivy.Searcher) -> int:
    """How far the journal was read into what the searcher sees; 0 when nothing was applied yet."""
    found = searcher.search(schema.term("mark", schema.CURSOR), limit=1, count=False).hits
    values = column(searcher, "cursor", [address for _score, address in found])
    return values[0] if values else 0


def total_of(found: tantivy.SearchResult) -> int:
    """How many documents match in all."""
    total: int = found.count  # type: ignore[attr-defined]  # the attribute exists; the package's stub lacks it
    return total


def column(searcher: tantivy.Searcher, name: str, addresses: list[tantivy.DocAddress]) -> list[int]:
    """The numbers that a field has in some documents; 0 where it has none."""
    return [int(value or 0) for value in searcher.fast_field_values(name, addresses)]


def newest(searcher: tantivy.Searcher, wanted: tantivy.Query, offset: int, end: int) -> tuple[int, list[Row]]:
    """How many match, and the page from `offset` to before `end`, the newest first."""
    # tantivy sets aside memory for limit and offset before it looks: an offset from outside must never reach it.
    offset = min(offset, end)
    found = searcher.search(wanted, limit=max(end - offset, 1), offset=offset, order_by_field="newest")
    places = [int(value) for value, _address in found.hits][: end - offset]
    return total_of(found), [Row(0.0, place, schema.day_and_key(place)[1]) for place in places]


def newest_behind(searcher: tantivy.Searcher, wanted: tantivy.Query, place: Place, limit: int) -> Page:
    """The papers that match and are older than a place."""
    total = total_of(searcher.search(wanted, limit=1))
    left, rows = newest(searcher, schema.behind(wanted, schema.newest(place.day, place.pk)), 0, min(limit, MAX_DEPTH))
    return Page(total, total - left, rows)


def best(searcher: tantivy.Searcher, wanted: tantivy.Query, offset: int, end: int) -> tuple[int, list[Row]]:
    """How many match, and the page from `offset` to before `end`, the best first, of equals the newest.

    tantivy puts equals in an order of its own, so those at both ends of the page are fetched whole and sorted.
    """
    if end <= offset:
        return total_of(searcher.search(wanted, limit=1)), []
    before = behind = _MARGIN
    while True:
        start, stop = max(offset - before, 0), end + behind
        # Counting makes tantivy add up scores in one way whatever the depth, so that pages fit together.
        found = searcher.search(wanted, limit=stop - start, offset=start, count=True)
        scores = [score for score, _address in found.hits]
        first, last = offset - start, min(end - start, len(scores)) - 1
        if last < first:
            return total_of(found), []
        begun = start == 0 or scores[0] > scores[first]
        ended = len(scores) < stop - start or scores[-1] < scores[last]
        if (begun or before >= _LONGEST_TIE) and (ended or behind >= _LONGEST_TIE):
            break
        before = before if begun else min(before * 8, _LONGEST_TIE)
        behind = behind if ended else min(behind * 8, _LONGEST_TIE)
    unordered = set() if begun else {scores[first]}
    unordered |= set() if ended else {scores[last]}
    return total_of(found), _ordered(searcher, found.hits, range(first, last + 1), unordered)


def _ordered(
    searcher: tantivy.Searcher, hits: list[tuple[float, tantivy.DocAddress]], page: range, unordered: set[float]
) -> list[Row]:
    """The hits of a page, equals in order; but not those with the scores in `unordered`, or too many."""
    begin, stop = page.start, page.stop
    while begin and hits[begin - 1][0] == hits[page.start][0]:
        begin -= 1
    while stop < len(hits) and hits[stop][0] == hits[page.stop - 1][0]:
        stop += 1
    chosen = hits[begin:stop]
    rows = [
        Row(score, place, schema.day_and_key(place)[1])
        for (score, _address), place in zip(
            chosen, column(searcher, "newest", [address for _score, address in chosen]), strict=True
        )
    ]
    if stop - begin > _LONGEST_TIE:
        alike = Counter(row.score for row in rows)
        unordered = unordered | {score for score, number in alike.items() if number > _LONGEST_TIE}
    rows.sort(key=lambda row: (-row.score, 0 if row.score in unordered else -row.newest))
    return rows[page.start - begin : page.stop - begin]


def best_behind(searcher: tantivy.Searcher, wanted: tantivy.Query, place: Place, limit: int) -> Page:
    """The papers that stand behind that of a place in the order of now, the best first.

    As long as the index has not changed, it stands where it stood; else it is looked for around there, in ever larger
    parts of the answer, of twice `_LONGEST_TIE` at most.
    """
    limit = min(limit, MAX_DEPTH)
    there = max(place.seen - 1, 0)
    total, rows = best(searcher, wanted, there, there + 1 + limit)
    if rows and rows[0].pk == place.pk:
        return Page(total, there + 1, rows[1:])
    before = _rank(searcher, wanted, place)
    total, rows = best(searcher, wanted, before, before + limit)
    return Page(total, before, rows)


def _rank(searcher: tantivy.Searcher, wanted: tantivy.Query, place: Place) -> int:
    """How many papers stand no further back than that of a place, as far as it can be told around where it was.

    When it is found no more, than its score then.
    """
    present = searcher.search(schema.only(wanted, place.pk), limit=1, count=True).hits
    score = present[0][0] if present else place.score
    key = (-score, -schema.newest(place.day, place.pk))
    margin = _MARGIN
    while True:
        start, stop = max(place.seen - margin, 0), place.seen + margin
        _total, rows = best(searcher, wanted, start, stop)
        itself = next((number for number, row in enumerate(rows, 1) if row.pk == place.pk), None)
        if itself:
            return start + itself
        before = sum(row.key <= key for row in rows)
        begun = before > 0 or start == 0
        ended = before < len(rows) or len(rows) < stop - start
        if (begun and ended) or margin >= _LONGEST_TIE:
            return start + before
        margin = min(margin * 8, _LONGEST_TIE)


def placed(page: Page, order: Order, query: Query) -> str:
    """What continues an answer behind a page of it."""
    seen = page.before + len(page.rows)
    if not page.rows or seen >= page.total:
        return ""
    last = page.rows[-1]
    return Place(order, last.score, schema.day_and_key(last.newest)[0], last.pk, seen).written(query)


def counted(searcher: tantivy.Searcher, wanted: tantivy.Query, facets: list[Facet]) -> dict[str, list[tuple[str, int]]]:
    """The counts that were asked for."""
    if not facets:
        return {}
    sizes = {facet: _MOST_YEARS if facet is Facet.YEAR else MOST_COUNTED for facet in facets}
    asked = {
        str(facet): {"terms": {"field": str(facet), "size": size, "segment_size": 1_000}}
        for facet, size in sizes.items()
    }
    counts = {
        name: [(str(bucket["key"]), int(bucket["doc_count"])) for bucket in result["buckets"]]
        for name, result in searcher.aggregate(wanted, asked).items()
    }
    for name, pairs in counts.items():
        if name == Facet.YEAR:
            pairs.sort(reverse=True)
        else:
            pairs.sort(key=lambda pair: (-pair[1], pair[0]))
    return counts
