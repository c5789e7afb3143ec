"""The contract that every search engine fulfils, embedded or distributed.

What an engine must do with a `Query` is said in words here and in code by `adapters.reference.ReferenceIndex`; the
suite `broadsheet.testing.index_conformance` checks it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from broadsheet.search.document import Document
from broadsheet.search.embedding import Floats
from broadsheet.search.explanation import Explanation
from broadsheet.search.query import Query, Sort

# How deep an offset reaches into an answer, in papers.
MAX_DEPTH = 10_000

# How deep the pages that continue each other reach where the order is by relevance. By day they have no end.
RELEVANCE_DEPTH = 100_000

# From among so many of the nearest papers the newest related ones are taken.
RELATED_DEPTH = 50

# How many values an answer is counted by at most, for all but years.
MOST_COUNTED = 20


class Facet(StrEnum):
    """What an answer can be counted by."""

    CATEGORY = "category"
    YEAR = "year"
    VENUE = "venue"


@dataclass(frozen=True, slots=True)
class Hit:
    """A paper that was found: its primary key and its score (higher is better; 0.0 when the order is by date)."""

    pk: int
    score: float


@dataclass(frozen=True, slots=True)
class Results:
    """One page of an answer.

    `total` counts all papers that match. `facets` counts them by what was asked for: categories and venues with the
    most papers first (20 at most; papers without one are not counted), years with the newest first. `corrections` says
    which words were also searched in another spelling, as (typed, corrected). `next` continues the answer: given as
    `after` to the same search it leads to the page behind this one. It is "" when nothing follows that can be listed.
    `by_meaning` says that no paper has any of the words, so that all of the answer was found by its meaning.
    """

    hits: tuple[Hit, ...]
    total: int
    facets: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    corrections: tuple[tuple[str, str], ...] = ()
    next: str = ""
    by_meaning: bool = False


class Name(StrEnum):
    """What a name that is suggested is the name of. The values are those of the fields of the query language."""

    AUTHOR = "author"
    CATEGORY = "category"
    VENUE = "venue"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A name, as papers print it, and how many papers print it, with any accents and in any case."""

    kind: Name
    text: str
    papers: int


@dataclass(frozen=True, slots=True)
class Embedding:
    """Whether an index searches by meaning too: by which model, and how many papers have a vector of it.

    `model` is "" where that is turned off. `missing` says in a sentence why the model cannot be used, "" when it can.
    Papers without a vector, which all are at first, are found by their words.
    """

    model: str = ""
    missing: str = ""
    papers: int = 0


@dataclass(frozen=True, slots=True)
class PaperVectors:
    """The vectors of some papers. `model` is the fingerprint of what computed them; "" where there are none.

    Vectors of two fingerprints must not be compared.
    """

    model: str = ""
    by_pk: Mapping[int, Floats] = field(default_factory=dict)


class IndexUnavailable(Exception):
    """The index cannot answer now. The text is a sentence for the reader; the cause is chained for the log.

    `rebuild_needed` says that waiting will not help: whoever owns the index calls `clear` and applies everything anew.
    """

    def __init__(self, sentence: str, *, rebuild_needed: bool = False) -> None:
        super().__init__(sentence)
        self.rebuild_needed = rebuild_needed


class IndexLocked(IndexUnavailable):
    """Another process is writing to the index."""


class Index(Protocol):
    """Find papers. Readers may be many; the writer is one. All methods raise IndexUnavailable, never a library's error.

    How a query matches: a paper has at least one of its words (in any inflection, accent or case; words seen in at
    most two papers also count in the nearest other spelling), every quoted phrase, and passes every filter. Several
    categories or venues widen the answer, several authors narrow it. The paper of `Query.identifier` matches as if it
    had the words, and comes first. A query without words matches every paper that passes the filters. Where very many
    papers are, the commonest of many words do not count, and a phrase of nothing but stop words is looked for in
    titles only; `lexical` says from where on.

    An index that has a model and vectors also finds papers that mean what was typed (`fusion.meaning`), with none of
    its words: the hundred nearest that pass the filters and are not unrelated are candidates, and so are the hundred
    best by words; `fusion.scores` puts the candidates in order, and after them come the others that have a word, by
    words alone. A vector counts only for the text that it was made from.
    """

    def apply(self, upserts: Iterable[Document], deletes: Iterable[int], *, cursor: int) -> None:
        """Make the changes durable, and with them that the journal was read up to entry number `cursor`.

        Of several documents with one `pk`, and against what is held already, the greatest `change` stays. A key that
        is also among `deletes` is gone afterwards. Applying the same changes again changes nothing; all of them are
        made or, when it raises, none. Raises IndexLocked when another process writes.
        """

    def cursor(self) -> int:
        """The number of the last journal entry that is in the index; 0 for a new one."""

    def search(
        self, query: Query, *, limit: int = 20, offset: int = 0, facets: Iterable[Facet] = (), after: str = ""
    ) -> Results:
        """The papers that match, best first; ties, and `Sort.NEWEST`, by newest day (none last) and then smallest pk.

        A query without words comes newest first too. `facets` names the counts that are wanted; each costs time.

        An `offset` reaches to `MAX_DEPTH`. `after` goes on instead where another page ended, whose `Results.next` it
        is; then `offset` does not count. As long as the index does not change, the pages have no gaps and no repeats.
        When it did, the page has what stands, in the order of now, behind

        - by day, the day and the key of the page's last paper: no paper comes twice unless its day was changed;
        - by relevance, that paper where it stands now, or when it is found no more, its score then: a paper comes twice
          or not at all only when it changed places with that one.

        By day, and without words, any paper can be reached so; by relevance, the first `RELEVANCE_DEPTH`.

        Raises ValueError, with a sentence for the reader, when `after` is not a place in this answer: made by hand,
        damaged, of another query, or of an order that is gone (`paging` decides).
        """

    def matching(self, query: Query, pks: Collection[int]) -> set[int]:
        """Those of the papers that match a query by its words, phrases and filters, whatever they mean."""

    def explain(self, query: Query, pk: int) -> Explanation | None:
        """Why a paper has the score that `search` gives it, as a tree; None when the query does not find it.

        The value at the root is that score. A value is the sum or the product of those below it, as the tree says, but
        for rounding: to one part in 10,000. Costs about as much as the search.
        """

    def suggest(self, prefix: str, *, limit: int = 8) -> list[int]:
        """Primary keys of papers, best first, with all words of `prefix` in the title, the last perhaps unfinished."""

    def suggest_names(self, prefix: str, *, limit: int = 8) -> list[Suggestion]:
        """Names that somebody who typed `prefix` may want: authors, then categories, then venues.

        Of each kind those with the most papers first, then by text, `limit` at most. A name is found from any of its
        words on, as far as these go round: "Ada Bela Example" by "ada", "bela ex", "example" and "Example, Ada", not by
        "ada example"; the last word may be unfinished. Accents and case are alike: names that differ in nothing else
        are one, printed as most papers print it. Fewer than two letters find nothing. Names of more than 200 characters
        are left out, and where very many names go on like this, an engine may look only at the most used ones.
        """

    def related(self, pk: int, *, limit: int = 8, sort: Sort = Sort.RELEVANCE) -> list[Hit]:
        """The papers nearest in meaning to one, nearest first, with their cosines; none when it has no vector.

        With `Sort.NEWEST` the newest first: of the nearest `RELATED_DEPTH`, or of `limit` when that is more.
        """

    def vectors(self, pks: Collection[int]) -> PaperVectors:
        """The vectors that answer now, of those of the papers that have one of their present text; some hundred papers.

        As far as the index keeps them: an engine may keep 8 bits of each number.
        """

    def unembedded(self, *, limit: int) -> list[int]:
        """Papers that have no vector of their present text: those changed lately first, then from the newest back.

        They are named until `embed` is called, with documents for them or without; then they are not named again
        before they change. Empty when there is no model, or it cannot be used. Raises IndexLocked when another process
        writes.
        """

    def embed(self, documents: Iterable[Document]) -> None:
        """Compute and keep a vector for each document, durably: all of them or, when it raises, none.

        Raises IndexLocked when another process writes.
        """

    def embedding(self) -> Embedding:
        """Whether it searches by meaning too."""

    def count(self) -> int:
        """How many papers it holds."""

    def clear(self) -> None:
        """Forget everything: cursor 0, no papers. For rebuilding. Raises IndexLocked when another process writes.

        Vectors may be kept, as they count again for a paper that comes back with the same text.
        """

    def close(self) -> None:
        """Give back the writer's lock and memory. The index can be used again afterwards."""
