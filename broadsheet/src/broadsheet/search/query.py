"""The query language: what people type, read into a `Query`, and written back.

=========================================  ============================================================================
typed                                      means
=========================================  ============================================================================
``graph networks``                         papers with at least one of the words, best match first
``"graph networks"``                       papers with exactly this phrase (inflections and accents are alike)
``-survey``  ``-"a survey"``               not the papers with this word or phrase
``author:example`` ``author:"Ada Example"`` papers by this author; said twice: by both
``category:cs.LG`` ``category:math,stat``  papers in this category or archive; several: in any of them
``section:learning-theory``                the same as ``category:``
``venue:"Example Conference"``             papers of this venue; several: of any of them
``-author:`` ``-category:`` ``-venue:``    not those
``year:2024`` ``year:2023..2025``          papers of this year, of these years
``year:>=2023`` ``year:<2020`` ``year:..2020``  open ranges; ``>``, ``>=``, ``<``, ``<=`` or two dots
``date:2024-05..2024-06-15``               the same for months and days
``has:code``  ``-has:code``                papers with code, without code
``holds:yes``  ``holds:no``                papers of which a claim held up when run, or not
``sort:newest``  ``sort:relevance``        the order; a query without words always comes newest first
``sort:votes``  ``sort:trending``          only papers that people voted for: most votes first, or what rises most
``2401.00001`` ``doi:10.1/x`` an address   this paper, first; any form that `bibliography.identifiers.parse` reads
=========================================  ============================================================================

Names of fields are read in any case, and a blank after the colon does no harm. Everything else is words, TeX and
accents included. What looks like a filter and cannot be read, or is none of these, is searched as words and kept in
`Query.unread`, to be shown. A quotation mark that is never closed closes at the end. Text beyond 1,000 characters or
40 terms is not read: `Query.shortened` says so.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Any

from broadsheet.bibliography import identifiers
from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.identifiers import Identifier

LONGEST = 1_000
MOST_TERMS = 40


class Sort(StrEnum):
    """The order of an answer. An index knows no votes: it answers to the last two as to the second."""

    RELEVANCE = "relevance"
    NEWEST = "newest"
    VOTES = "votes"
    TRENDING = "trending"


_SAID_ORDERS = {
    Sort.NEWEST: "newest first",
    Sort.VOTES: "with votes, most votes first",
    Sort.TRENDING: "that rise, the fastest first",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is searched for. ``str`` writes it in the query language; `parse` reads that back as an equal query.

    Text stands as typed, TeX included. `since` and `until` are inclusive. `unread` and `shortened` are remarks about
    the text that was parsed, not part of what is searched: equality ignores them.
    """

    words: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    without_authors: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    without_categories: tuple[str, ...] = ()
    venues: tuple[str, ...] = ()
    without_venues: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    has_code: bool | None = None
    holds: bool | None = None
    identifier: Identifier | None = None
    sort: Sort = Sort.RELEVANCE
    unread: tuple[str, ...] = field(default=(), compare=False)
    shortened: bool = field(default=False, compare=False)

    @property
    def text(self) -> str:
        """The words in the order in which they were typed, one blank between them."""
        return " ".join(self.words)

    @property
    def empty(self) -> bool:
        """Whether it asks for nothing: no words, no filters, and not for what people voted for."""
        return self in (Query(), Query(sort=Sort.NEWEST))

    def __str__(self) -> str:
        parts = [str(self.identifier)] if self.identifier else []
        parts += self.words
        parts += [f'"{phrase}"' for phrase in self.phrases]
        parts += ["-" + _quoted_if(" " in text or _FIELD.match(text), text) for text in self.without]
        for name, values in _listed(self):
            parts += [name + _quoted_if(" " in value, value) for value in values]
        parts += _written_dates(self.since, self.until)
        if self.has_code is not None:
            parts.append("has:code" if self.has_code else "-has:code")
        if self.holds is not None:
            parts.append("holds:yes" if self.holds else "holds:no")
        if self.sort is not Sort.RELEVANCE:
            parts.append(f"sort:{self.sort}")
        return " ".join(parts)

    def in_words(self) -> str:
        """What it searches, as a phrase for people: 'papers with any of “graph”, “network”, in cs.LG, since 2023'."""
        said = list(_said_text(self))
        said += [f"by {_join(self.authors, 'and')}"] if self.authors else []
        said += [f"in {_join(self.categories, 'or')}"] if self.categories else []
        said += [f"at {_join(self.venues, 'or')}"] if self.venues else []
        said += _said_dates(self.since, self.until)
        if self.has_code is not None:
            said.append("with code" if self.has_code else "without code")
        if self.holds is not None:
            said.append("with a claim that held up when run" if self.holds else "without a claim that held up when run")
        said += _said_exclusions(self)
        if self.sort in _SAID_ORDERS:
            said.append(_SAID_ORDERS[self.sort])
        return ("papers " if said else "all papers") + ", ".join(said)


def parse(text: str) -> Query:
    """Read what somebody typed. Never raises; what cannot be read is searched as words and kept in `unread`."""
    cleaned = _clean(text[: LONGEST + 1])
    shortened = len(text) > LONGEST
    if shortened:
        # A word cut in two would be searched as another word.
        cleaned = cleaned.rpartition(" ")[0]
    terms: list[_Term] = []
    unread: list[str] = []
    for term in _terms(cleaned):
        if _readable(term):
            terms.append(term)
        else:
            unread.append(term.typed)
            terms.extend(_Term(word) for word in _WORD.findall(term.typed))
        if len(terms) > MOST_TERMS:
            break
    query = _build(terms[:MOST_TERMS])
    shortened = shortened or len(terms) > MOST_TERMS
    # Normalisation can make text longer; what is written must be readable again.
    while len(str(query)) > LONGEST:
        terms = terms[: min(MOST_TERMS, len(terms)) - 1]
        query, shortened = _build(terms), True
    return replace(query, unread=tuple(unread), shortened=shortened)


# --- Text into terms --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Term:
    """One term of the text: a word (`name` empty), a phrase (`quoted`), or one value of the field `name`.

    The field is ``id`` for an identifier and ``unknown`` for what only looks like a field.
    """

    value: str
    name: str = ""
    negative: bool = False
    quoted: bool = False
    typed: str = ""


_FIELDS = "author|category|section|venue|year|date|has|holds|sort"
_SCAN = re.compile(
    rf'(?P<minus>-?)(?:(?P<name>{_FIELDS}): ?)?"(?P<quoted>(?:[^"\\]|\\(?:.|$))*)(?:"|$)'
    rf"|(?P<minus2>-?)(?P<name2>{_FIELDS}):(?: (?!-))?(?P<value>\S*)"
    r"|(?P<chunk>\S+)",
    re.IGNORECASE,
)
_FIELD = re.compile(rf"(?:{_FIELDS}):", re.IGNORECASE)
# What looks like a field but is none of ours; an address goes on with a slash.
_UNKNOWN_FIELD = re.compile(r'[a-z]{2,}:"?[^\W_].*', re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")
_QUOTATION_MARKS = str.maketrans(dict.fromkeys("“”„‟«»＂", '"'))
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_BLANKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
# What people write before an identifier, and arXiv behind one: "arXiv: 2401.00001 [cs.LG]".
_PREFIX = re.compile(r"(?:arxiv|doi):?", re.IGNORECASE)
_PRIMARY_CATEGORY = re.compile(r"\[[a-z-]{2,10}(?:\.[a-z-]{2,10})?\],?", re.IGNORECASE)


def _clean(text: str) -> str:
    """One blank between words, straight quotation marks, compatibility forms resolved, nothing invisible."""
    text = text.encode("utf-8", "replace").decode()
    text = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)).translate(_QUOTATION_MARKS)
    return _BLANKS.sub(" ", text).strip()


def _identifier(text: str) -> Identifier | None:
    """The identifier that `text` is, if it can be written and read again."""
    found = identifiers.parse(text)
    if found is None:
        return None
    again = identifiers.parse(_clean(str(found.identifier)))
    return found.identifier if again and again.identifier == found.identifier else None


def _terms(text: str) -> Iterator[_Term]:
    """Every term of cleaned text, in order. The first identifier comes as the value of a field named ``id``."""
    identified = False
    for match in _SCAN.finditer(text):
        chunk = match["chunk"]
        bare = chunk or (match["quoted"] if match[0].startswith('"') else None)
        if not identified and bare and (found := _identifier(bare)):
            identified = True
            yield _Term(str(found), "id")
        elif chunk is None:
            yield from _named_or_quoted(match)
        elif not identified and _PREFIX.fullmatch(chunk) and _begins_with_identifier(text[match.end() + 1 :]):
            continue
        elif chunk.startswith("-") and _has_text(chunk) and (value := chunk[1:].rstrip("\\")):
            yield _Term(value, negative=True)
        else:
            unknown = _UNKNOWN_FIELD.fullmatch(chunk) and identifiers.parse(chunk) is None
            yield _Term(chunk, "unknown" if unknown else "", typed=chunk)


def _begins_with_identifier(text: str) -> bool:
    """Whether the first word is an identifier."""
    return not text.startswith('"') and _identifier(text.partition(" ")[0]) is not None


def _named_or_quoted(match: re.Match[str]) -> Iterator[_Term]:
    """The terms that a phrase or a field stands for. A value never ends in what would not be read back behind it."""
    if match["quoted"] is not None:
        name, negative, value = match["name"], bool(match["minus"]), match["quoted"]
    else:
        name, negative, value = match["name2"], bool(match["minus2"]), match["value"]
    if name is None:
        yield _Term(value.strip().rstrip("\\ "), negative=negative, quoted=True, typed=match[0])
        return
    name = "category" if name.lower() == "section" else name.lower()
    for one in value.split(",") if name == "category" and value.strip(", ") else [value]:
        yield _Term(one.strip().rstrip(",;\\ "), name, negative, typed=match[0])


def _has_text(text: str) -> bool:
    """Whether there is a letter or digit to search for."""
    return any(character.isalnum() for character in text)


def _quoted_if(needed: object, text: str) -> str:
    """The text, in quotation marks if they are needed to read it back."""
    return f'"{text}"' if needed else text


# --- Terms into a query -----------------------------------------------------------------------------------------------


def _readable(term: _Term) -> bool:
    """Whether the field of a term can have its value. Words and phrases can be anything."""
    match term.name:
        case "author" | "category" | "venue":
            return _has_text(term.value)
        case "year" | "date":
            return not term.negative and _span(term.value) is not None
        case "has":
            return term.value.lower() == "code"
        case "holds":
            return term.value.lower() in ("yes", "no")
        case "sort":
            return not term.negative and term.value.lower() in set(Sort)
        case _:
            return term.name != "unknown"


def _build(terms: list[_Term]) -> Query:
    """The query of readable terms. The last of several flags and orders counts; dates narrow each other."""
    lists: dict[str, list[str]] = {name: [] for name in _LISTS}
    single: dict[str, Any] = {}
    for term in terms:
        if term.name in _SINGLE:
            single |= _SINGLE[term.name](term)
        elif term.name in ("year", "date"):
            single |= _narrowed(single.get("since"), single.get("until"), term.value)
        elif not term.quoted or _has_text(term.value):
            values = lists[_list_of(term)]
            if values is lists["words"] or term.value not in values:
                values.append(term.value)
    if "identifier" in single:
        lists["words"] = [word for word in lists["words"] if not _PRIMARY_CATEGORY.fullmatch(word)]
    single |= {name: tuple(values) for name, values in lists.items()}
    return Query(**single)


_LISTS = (
    *("words", "phrases", "without", "authors", "without_authors"),
    *("categories", "without_categories", "venues", "without_venues"),
)
_PLURAL = {"author": "authors", "category": "categories", "venue": "venues"}
_SINGLE: dict[str, Callable[[_Term], dict[str, Any]]] = {
    "has": lambda term: {"has_code": not term.negative},
    "holds": lambda term: {"holds": (term.value.lower() == "yes") is not term.negative},
    "sort": lambda term: {"sort": Sort(term.value.lower())},
    "id": lambda term: {"identifier": Identifier.from_str(term.value)},
}


def _list_of(term: _Term) -> str:
    """The name of the list of a `Query` that a term belongs to."""
    if term.name:
        return ("without_" if term.negative else "") + _PLURAL[term.name]
    return "without" if term.negative else "phrases" if term.quoted else "words"


def _narrowed(since: date | None, until: date | None, value: str) -> dict[str, date | None]:
    """The range that is left of `since` to `until` after another was named; the other one when nothing would be."""
    named = _span(value) or (None, None)
    begin = max((day for day in (since, named[0]) if day), default=None)
    end = min((day for day in (until, named[1]) if day), default=None)
    if begin and end and begin > end:
        begin, end = named
    return {"since": begin, "until": end}


# --- Dates ------------------------------------------------------------------------------------------------------------

_YEARS = re.compile(r"([0-9]{4})[-–]([0-9]{4})")
_COMPARED = re.compile(r"(>=|<=|>|<|≥|≤)?(.+)")


def _span(text: str) -> tuple[date | None, date | None] | None:
    """The first and the last day that a range means, None for an open end; None when it is no range."""
    text = _YEARS.sub(r"\1..\2", text)
    try:
        if ".." in text:
            return _between(*text.split("..", 1))
        match = _COMPARED.fullmatch(text)
        return _compared(match[1], PartialDate.parse(match[2])) if match else None
    except (ValueError, OverflowError):
        return None


def _between(first: str, last: str) -> tuple[date | None, date | None] | None:
    """``2023..2025``, also open at one end or the wrong way round."""
    since = PartialDate.parse(first) if first else None
    until = PartialDate.parse(last) if last else None
    if since and until and since.first > until.last:
        since, until = until, since
    if since is None and until is None:
        return None
    return since.first if since else None, until.last if until else None


def _compared(sign: str | None, value: PartialDate) -> tuple[date | None, date | None]:
    """``>=2023`` and the like; without a sign, the year, month or day itself."""
    match sign:
        case ">=" | "≥":
            return value.first, None
        case "<=" | "≤":
            return None, value.last
        case ">":
            return date.fromordinal(value.last.toordinal() + 1), None
        case "<":
            return None, date.fromordinal(value.first.toordinal() - 1)
        case _:
            return value.first, value.last


def _begins(day: date) -> PartialDate:
    """The roughest date that begins on this day."""
    for rough in (PartialDate(day.year), PartialDate(day.year, day.month)):
        if rough.first == day:
            return rough
    return PartialDate.of(day)


def _ends(day: date) -> PartialDate:
    """The roughest date that ends on this day."""
    for rough in (PartialDate(day.year), PartialDate(day.year, day.month)):
        if rough.last == day:
            return rough
    return PartialDate.of(day)


def _written_dates(since: date | None, until: date | None) -> list[str]:
    """A range in the query language: as short as it can be said."""
    first = _begins(since) if since else None
    last = _ends(until) if until else None
    if first is None and last is None:
        return []
    name = "year" if all(end is None or end.precision == 1 for end in (first, last)) else "date"
    if first is None:
        return [f"{name}:<={last}"]
    if last is None:
        return [f"{name}:>={first}"]
    same = _same_span(since, until)
    return [f"{name}:{same}" if same else f"{name}:{first}..{last}"]


def _same_span(since: date | None, until: date | None) -> PartialDate | None:
    """The year, month or day that begins at `since` and ends at `until`, if there is one."""
    if since is None or until is None:
        return None
    spans = (PartialDate(since.year), PartialDate(since.year, since.month), PartialDate.of(since))
    return next((span for span in spans if (span.first, span.last) == (since, until)), None)


# --- A query in words -------------------------------------------------------------------------------------------------


def _listed(query: Query) -> list[tuple[str, tuple[str, ...]]]:
    """The fields that hold lists of values, with what stands before each value in the query language."""
    return [
        ("author:", query.authors),
        ("-author:", query.without_authors),
        ("category:", query.categories),
        ("-category:", query.without_categories),
        ("venue:", query.venues),
        ("-venue:", query.without_venues),
    ]


def _join(values: tuple[str, ...] | list[str], last: str) -> str:
    """``a, b or c``."""
    *others, final = values
    return f"{', '.join(others)} {last} {final}" if others else final


def _quoted(values: tuple[str, ...]) -> list[str]:
    return [f"“{value}”" for value in values]


def _said_text(query: Query) -> Iterator[str]:
    """What the identifier, the words and the phrases ask for."""
    if query.identifier:
        yield f"with the identifier {query.identifier}"
    words = [word for word in query.words if _has_text(word)]
    if words:
        said = "or with" if query.identifier else "with"
        yield f"{said} {'any of ' if len(words) > 1 else ''}{', '.join(_quoted(tuple(words)))}"
    if query.phrases:
        yield f"with the {'phrases' if len(query.phrases) > 1 else 'phrase'} {_join(_quoted(query.phrases), 'and')}"


def _said_dates(since: date | None, until: date | None) -> list[str]:
    same = _same_span(since, until)
    if same:
        return [f"of {same}" if same.precision == 1 else f"from {same}"]
    if since and until:
        return [f"from {_begins(since)} to {_ends(until)}"]
    return [f"since {_begins(since)}"] if since else [f"until {_ends(until)}"] if until else []


def _said_exclusions(query: Query) -> Iterator[str]:
    if query.without:
        yield f"without {_join(_quoted(query.without), 'or')}"
    if query.without_authors:
        yield f"not by {_join(query.without_authors, 'or')}"
    if query.without_categories:
        yield f"not in {_join(query.without_categories, 'or')}"
    if query.without_venues:
        yield f"not at {_join(query.without_venues, 'or')}"
