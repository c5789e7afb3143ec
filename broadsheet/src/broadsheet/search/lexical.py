"""From a query to a plan: what must match, what adds to the score and how much. Engines carry plans out.

The form of the score was measured on 2,599 searches for known papers (seven kinds, 409,000 papers; mean reciprocal rank
0.948 against 0.810 for the usual sum of a title and an abstract field). That a paper has all the words, and the title
beside a name, were added later, with weights set on 600 searches for authors and words and tried on 600 others: 0.859
before, 0.885 after. ``benchmarks/bench_known_item.py`` measures it again: ``benchmarks/records/known_item.json``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

from broadsheet.search import analysis
from broadsheet.search.document import Document
from broadsheet.search.query import Query, Sort

# Every word counts in ALL (title twice, abstract, authors, keywords) by BM25; these are added.
TITLE_WEIGHT = 0.3  # a word in the title, by BM25 over titles
NAMED_TITLE_WEIGHT = 0.6  # the same beside a name: who remembers an author remembers words of the title
PHRASE_WEIGHT = 2.0  # all the words in a row in the title
EVERY_WEIGHT = 0.2  # all of the words anywhere, in any order
HEAD_WEIGHT = 1.0  # all of at most three words in the title before its colon: "Lion" in "Lion: a faster optimizer"
CORRECTION_WEIGHT = 0.7  # a word in another spelling than typed
LONGEST_HEAD = 3

# A word that so few papers have may be misspelt.
RARE = 2

# Of more words than TELLING, the commonest are not looked for: those beyond the rarest TELLING that more than COMMON
# papers have, and more than COMMON_SHARE of all. They tell little, and to read who has them is most of what a long
# sentence costs.
TELLING = 12
COMMON = 10_000
COMMON_SHARE = 0.1

# The most that BM25 gives for one word, in units of its rarity: the saturation k1 = 1.2 of Lucene and tantivy, and 1.
HIGHEST = 2.2

# A word is a name when at least this share of the papers that have it have it among their authors.
_NAME = 0.5

# The score of the paper whose identifier was typed: above what any words can reach.
IDENTIFIED = 1_000_000.0

Run = tuple[str, ...]


class Vocabulary(Protocol):
    """What the index knows of words, to find misspelt ones."""

    def papers_with(self, stem: str) -> int:
        """How many papers have the stem in ALL."""

    def papers_by(self, word: str) -> int:
        """How many papers have the word in a name of their authors."""

    def count(self) -> int:
        """How many papers there are."""

    def nearest(self, word: str, *, rare: bool) -> str | None:
        """The word of titles that `word` most likely was meant to be, or None; with `rare`, even a rare one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an engine looks up. A run is words that stand in a row; runs of ALL and titles are of stems.

    `terms` are stems with weights, of which one must be in ALL, or the `identifier` must match; when there are neither,
    every paper that passes the filters matches, newest first. `every` are the terms as typed, all of which count more
    together. `phrases` must all be in ALL, those that are `titled` too in the title. `without` must not. Each of
    `authors` is a set of runs of which one must be in a name (`name_forms`); each of `without_authors` must not. Of
    `categories` (`category_keys`) and of `venues` (runs) one must match, when there are any. `since` and `until` are
    inclusive, as numbers like 20240531.

    `attainable` is the score of a paper that would have every term as often as can count. `names_somebody` says that
    one of the words is a name of authors.
    """

    terms: tuple[tuple[str, float], ...] = ()
    title_phrase: Run = ()
    head: Run = ()
    every: Run = ()
    identifier: str | None = None
    phrases: tuple[Run, ...] = ()
    titled: tuple[Run, ...] = ()
    without: tuple[Run, ...] = ()
    authors: tuple[tuple[Run, ...], ...] = ()
    without_authors: tuple[tuple[Run, ...], ...] = ()
    categories: tuple[str, ...] = ()
    without_categories: tuple[str, ...] = ()
    venues: tuple[Run, ...] = ()
    without_venues: tuple[Run, ...] = ()
    since: int | None = None
    until: int | None = None
    has_code: bool | None = None
    holds: bool | None = None
    newest: bool = False
    corrections: tuple[tuple[str, str], ...] = ()
    attainable: float = 0.0
    names_somebody: bool = False

    @property
    def has_text(self) -> bool:
        """Whether there is something to rank by."""
        return bool(self.terms or self.identifier or self.phrases)


def plan(query: Query, vocabulary: Vocabulary) -> Plan:
    """What an engine has to look up for a query, with corrections of words that hardly any paper has."""
    text = analysis.without_tex(query.text)
    stems = analysis.stems(text)
    typed = analysis.words(text)
    terms = {stem: 1.0 for stem, word in zip(stems, typed, strict=True) if word not in analysis.STOP_WORDS}
    corrections = _corrections(stems, typed, vocabulary)
    for _word, corrected in corrections:
        for stem in analysis.stems(corrected):
            terms.setdefault(stem, CORRECTION_WEIGHT)
    if not terms:
        # Nothing but stop words; or nothing that an index can hold, which is to be found nowhere.
        terms = dict.fromkeys(stems or ([text] if any(map(str.isalnum, text)) else []), 1.0)
    having = {stem: vocabulary.papers_with(stem) for stem in terms}
    total = vocabulary.count() if terms else 0
    terms = _telling(terms, having, total)
    return Plan(
        terms=tuple(terms.items()),
        title_phrase=tuple(stems) if len(stems) > 1 else (),
        head=tuple(dict.fromkeys(typed)) if len(typed) <= LONGEST_HEAD else (),
        every=_every(terms),
        identifier=str(query.identifier) if query.identifier else None,
        phrases=tuple(map(_stem_run, query.phrases)),
        titled=tuple(run for run in map(_stem_run, query.phrases) if _says_nothing(run, vocabulary)),
        without=tuple(map(_stem_run, query.without)),
        authors=tuple(map(_name_runs, query.authors)),
        without_authors=tuple(map(_name_runs, query.without_authors)),
        categories=tuple(category.lower() for category in query.categories),
        without_categories=tuple(category.lower() for category in query.without_categories),
        venues=tuple(map(_word_run, query.venues)),
        without_venues=tuple(map(_word_run, query.without_venues)),
        since=day_number(query.since),
        until=day_number(query.until),
        has_code=query.has_code,
        holds=query.holds,
        newest=query.sort is not Sort.RELEVANCE,
        corrections=corrections,
        attainable=_attainable(terms, having, total),
        names_somebody=any(_is_name(word, stem, vocabulary) for stem, word in zip(stems, typed, strict=True)),
    )


class Field(StrEnum):
    """Where words are looked for to score a paper."""

    ALL = "all"  # title twice, abstract, authors, keywords; stems
    TITLE = "title"  # stems
    HEAD = "head"  # the title before its colon; words
    EVERY = "every"  # ALL again
    IDENTIFIER = "identifier"


# Where a run is words in any order, all of which must be there.
UNORDERED = frozenset({Field.HEAD, Field.EVERY})


@dataclass(frozen=True, slots=True)
class Part:
    """One addend of the score by words: `weight` times what a paper has of `run` in the field.

    That is BM25 of the run, as words in a row; in HEAD and EVERY the sum of BM25 of its words where all of them are
    there, in any order; in IDENTIFIER 1 where it is one of the paper's.
    """

    field: Field
    run: Run
    weight: float


def parts(plan: Plan) -> list[Part]:
    """What adds up to the score of a paper by the words and the identifier of a plan; the phrases come on top.

    Of those in ALL and IDENTIFIER a paper must have one; the others only add.
    """
    found = [Part(Field.ALL, (stem,), weight) for stem, weight in plan.terms]
    titles = NAMED_TITLE_WEIGHT if plan.names_somebody else TITLE_WEIGHT
    found += [Part(Field.TITLE, (stem,), titles * weight) for stem, weight in plan.terms]
    if plan.title_phrase:
        found.append(Part(Field.TITLE, plan.title_phrase, PHRASE_WEIGHT))
    if plan.every:
        found.append(Part(Field.EVERY, plan.every, EVERY_WEIGHT))
    if plan.head:
        found.append(Part(Field.HEAD, plan.head, HEAD_WEIGHT))
    if plan.identifier:
        found.append(Part(Field.IDENTIFIER, (plan.identifier,), IDENTIFIED))
    return found


def phrase_parts(plan: Plan) -> list[Part]:
    """What the quoted phrases add, all of which a paper must have."""
    return [Part(Field.TITLE if phrase in plan.titled else Field.ALL, phrase, 1.0) for phrase in plan.phrases]


def _every(terms: dict[str, float]) -> Run:
    """The terms as typed, which a paper may have all of; () where there is only one."""
    asked = tuple(stem for stem, weight in terms.items() if weight == 1.0)
    return asked if len(asked) > 1 else ()


def _telling(terms: dict[str, float], having: dict[str, int], total: int) -> dict[str, float]:
    """The terms without the commonest of many; `having` says how many papers of so many in all have each."""
    known = sorted(having[stem] for stem in terms if having[stem])
    if len(known) <= TELLING:
        return terms
    most = max(known[TELLING - 1], COMMON, COMMON_SHARE * total)
    return {stem: weight for stem, weight in terms.items() if having[stem] <= most}


def _says_nothing(run: Run, vocabulary: Vocabulary) -> bool:
    """Whether a phrase is nothing but common stop words, as "in the", which nearly every abstract has."""
    return all(stem in analysis.STOP_STEMS and vocabulary.papers_with(stem) > COMMON for stem in run)


def _attainable(terms: dict[str, float], having: dict[str, int], total: int) -> float:
    """The sum of the rarities of the terms, by Lucene's idf, as BM25 adds them up, among so many papers in all."""
    return sum(
        HIGHEST * weight * math.log(1 + (total - having[stem] + 0.5) / (having[stem] + 0.5))
        for stem, weight in terms.items()
        if having[stem]
    )


def _is_name(word: str, stem: str, vocabulary: Vocabulary) -> bool:
    papers = 0 if word in analysis.STOP_WORDS else vocabulary.papers_by(word)
    return papers > 0 and papers >= _NAME * vocabulary.papers_with(stem)


def _corrections(stems: list[str], typed: list[str], vocabulary: Vocabulary) -> tuple[tuple[str, str], ...]:
    """The rare words among those typed, each with the word that was probably meant."""
    found = {}
    for stem, word in zip(stems, typed, strict=True):
        if word in found or word in analysis.STOP_WORDS or (papers := vocabulary.papers_with(stem)) > RARE:
            continue
        corrected = vocabulary.nearest(word, rare=papers == 0)
        if corrected and analysis.stems(corrected) != [stem]:
            found[word] = corrected
    return tuple(found.items())


def _stem_run(text: str) -> Run:
    """The stems of a phrase. What cannot be indexed stands for itself, and is found nowhere."""
    text = analysis.without_tex(text)
    return tuple(analysis.stems(text)) or (text,)


def _word_run(text: str) -> Run:
    """The words of a value, likewise."""
    text = analysis.without_tex(text)
    return tuple(analysis.words(text)) or (text,)


def _name_runs(name: str) -> tuple[Run, ...]:
    """How an author's name may stand in `name_forms`: "Ada Example" and "Example, Ada" are one; so is "Example Ada"."""
    family, comma, given = name.partition(",")
    if comma:
        return (_word_run(f"{given} {family}"),)
    run = _word_run(name)
    return tuple(dict.fromkeys((run, run[1:] + run[:1])))


def name_forms(name: str) -> list[Run]:
    """The forms under which one author is found: as printed, without middle names, with the initial only.

    "Ada Bela Example" is found as itself, "Ada Example", "A Example" and "A Bela Example".
    """
    full = tuple(analysis.words(name))
    if len(full) < 2:
        return [full] if full else []
    initial, family = full[0][0], full[-1]
    return list(dict.fromkeys((full, (full[0], family), (initial, *full[1:]), (initial, family))))


def category_keys(categories: Iterable[str]) -> list[str]:
    """What a paper's categories are found by: "cs.LG" by itself in any case, and by its archive "cs"."""
    lower = [category.lower() for category in categories]
    return list(dict.fromkeys([*lower, *(category.partition(".")[0] for category in lower)]))


# Longer names are not suggested, nor venues of longer names counted: they are no names.
LONGEST_NAME = 200
# A name is found from this many of its words on.
_MOST_BEGINNINGS = 8


def printed(name: str) -> str:
    """A name as it is suggested and counted: one blank between words; "" when it is too long."""
    text = " ".join(analysis.composed(name[: LONGEST_NAME + 1]).split())
    return text if len(text) <= LONGEST_NAME else ""


def beginnings(run: Sequence[str]) -> list[str]:
    """What a name of these words is found by: they from each of them on, and the others behind.

    "Ada Example" is found by "ada example" and "example ada".
    """
    if len(run) == 2:
        return [f"{run[0]} {run[1]}", f"{run[1]} {run[0]}"]
    return [" ".join((*run[start:], *run[:start])) for start in range(min(len(run), _MOST_BEGINNINGS))]


def beginning(typed: str) -> str:
    """What somebody typed of a name, folded likewise; "" when it is too short to tell anything."""
    prefix = " ".join(analysis.words(analysis.without_tex(typed[:LONGEST_NAME])))
    return prefix if len(prefix) > 1 else ""


def day_number(day: date | None) -> int | None:
    """A day as a number that sorts like it: 20240531."""
    return day.year * 10_000 + day.month * 100 + day.day if day else None


def everything(document: Document) -> list[str]:
    """The texts of the field ALL."""
    return [document.title, document.title, document.abstract, *document.authors, *document.keywords]


_HEAD = re.compile(r"(.{1,200}?):\s")


def head_of(title: str) -> str:
    """The title before its first colon, "" without one."""
    match = _HEAD.match(title)
    return match[1] if match else ""
