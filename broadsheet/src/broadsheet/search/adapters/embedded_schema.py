"""What the embedded index holds of a paper, and how a plan becomes a query of tantivy.

=============  ==========================  ============================================================================
field          kind                        holds
=============  ==========================  ============================================================================
pk             integer                     the primary key; hits are read from here, no text is stored
change         integer                     the journal entry that the document was made from
all            text, stems                 title twice, abstract, authors, keywords
ti             text, stems                 title: a little more weight, and phrases
title          text, words                 title: suggestions, and the vocabulary for spelling
head           text, words                 the title before its colon
authors        text, words                 each author in the forms of `lexical.name_forms`
venue_words    text, words                 filter
venue          text, raw                   as printed: facet
category       text, raw                   as printed: facet
category_key   text, raw                   `lexical.category_keys`: filter
name           text, raw                   `_add_name`: authors and venues, to be suggested
identifier     text, raw                   ``scheme:value``
date           integer, 20240531           range
year           integer                     facet
newest         integer                     sorts by day, then by primary key: the newest first when descending
digest         integer                     tells whether a vector was made from the present title and abstract
has_code       boolean                     filter
holds          boolean                     filter
mark           text, raw                   only in the one document that is no paper: the journal's cursor
cursor         integer                     only there
=============  ==========================  ============================================================================

The cursor is a document of the index so that one commit makes both durable: it can never claim what is not there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

import tantivy
from tantivy import FieldType, Occur

from broadsheet.search import analysis, lexical
from broadsheet.search.document import Document
from broadsheet.search.index import Name
from broadsheet.search.lexical import Field, Part, Plan, Run

CURSOR = "cursor"

# `newest` is one number so that one column sorts: the day above, the key below, smaller keys being greater. Days are
# counted from the year 1, so that the last one, in the year 9999, takes 22 bits and the number fits into 63.
_KEY_BITS = 38


# Raise it when `document` puts other content into the same fields, or when `analysis` cuts text in another way.
CONTENT = 5

_STEMS = {"kind": "text", "tokenizer_name": "en", "index_option": "position"}
_WORDS = {"kind": "text", "tokenizer_name": "plain", "index_option": "position"}
_RAW = {"kind": "text", "tokenizer_name": "raw", "index_option": "basic"}
_NUMBER = {"kind": "integer", "indexed": True, "fast": True}
_COLUMN = {"kind": "integer", "fast": True}
_FLAG = {"kind": "boolean", "indexed": True}
_FIELDS: dict[str, dict[str, Any]] = {
    **dict.fromkeys(("pk", "change", "date"), _NUMBER),
    **dict.fromkeys(("year", "newest", "digest", "cursor"), _COLUMN),
    **dict.fromkeys(("has_code", "holds"), _FLAG),
    **dict.fromkeys(("all", "ti"), _STEMS),
    **dict.fromkeys(("title", "authors", "venue_words"), _WORDS),
    "head": _WORDS | {"index_option": "freq"},
    **dict.fromkeys(("category", "venue"), _RAW | {"fast": True}),
    **dict.fromkeys(("category_key", "name", "identifier", "mark"), _RAW),
}


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    add: dict[str, Callable[..., object]] = {
        "text": builder.add_text_field,
        "integer": builder.add_integer_field,
        "boolean": builder.add_boolean_field,
    }
    for name, options in _FIELDS.items():
        add[options["kind"]](name, **{key: value for key, value in options.items() if key != "kind"})
    return builder.build()


SCHEMA = _schema()


def schema_hash() -> str:
    """Changes with whatever makes an index that was written before unusable: the fields, their content and analysis."""
    return hashlib.sha256(repr((CONTENT, _FIELDS)).encode()).hexdigest()[:16]


def register(index: tantivy.Index) -> tantivy.Index:
    """Give an index its analyzers; they live in the process, not in the files."""
    index.register_tokenizer("en", analysis.english_analyzer())
    index.register_tokenizer("plain", analysis.plain_analyzer())
    return index


# --- A paper into a document ------------------------------------------------------------------------------------------


def newest(day: date | None, pk: int) -> int:
    """What sorts papers by day (none last) and then by primary key; less than 2**60."""
    return ((day.toordinal() if day else 0) << _KEY_BITS) + (1 << _KEY_BITS) - 1 - pk


def day_and_key(newest: int) -> tuple[date | None, int]:
    """The day and the primary key that `newest` was made of."""
    ordinal, key = divmod(newest, 1 << _KEY_BITS)
    return date.fromordinal(ordinal) if ordinal else None, (1 << _KEY_BITS) - 1 - key


def document(paper: Document) -> tantivy.Document:
    """The document of a paper. Raises OverflowError, ValueError or TypeError when the engine cannot hold it."""
    made = tantivy.Document()
    title = analysis.composed(paper.title)
    for text in lexical.everything(paper):
        made.add_text("all", analysis.composed(text))
    made.add_text("ti", title)
    made.add_text("title", title)
    made.add_text("head", lexical.head_of(title))
    for name in paper.authors:
        forms = lexical.name_forms(name)
        for form in forms:
            made.add_text("authors", " ".join(form))
        if forms:
            _add_name(made, Name.AUTHOR, name, forms[0])
    venue = lexical.printed(paper.venue)
    if venue:
        made.add_text("venue", venue)
        _add_name(made, Name.VENUE, venue, tuple(analysis.words(venue)))
    made.add_text("venue_words", analysis.composed(paper.venue))
    for category in dict.fromkeys(paper.categories):
        made.add_text("category", category)
    for category in lexical.category_keys(paper.categories):
        made.add_text("category_key", category)
    for identifier in paper.identifiers:
        made.add_text("identifier", identifier)
    day = lexical.day_number(paper.day)
    if paper.day and day:
        made.add_integer("date", day)
        made.add_integer("year", paper.day.year)
    made.add_integer("pk", paper.pk)
    made.add_integer("change", paper.change)
    made.add_integer("newest", newest(paper.day, paper.pk))
    made.add_integer("digest", paper.digest)
    made.add_boolean("has_code", paper.has_code)
    made.add_boolean("holds", paper.holds)
    return made


def cursor_document(cursor: int) -> tantivy.Document:
    """The document that says how far the journal was read."""
    made = tantivy.Document()
    made.add_text("mark", CURSOR)
    made.add_integer("cursor", cursor)
    return made


# --- Names, to be suggested ---

# Between what a name is found by and the name as printed; neither can hold it.
_PRINTED = "\x1f"


def _add_name(made: tantivy.Document, kind: Name, name: str, run: Run) -> None:
    """Add the terms of a name of these words: a letter for the kind, what it is found by, and how it is printed.

    That is the number of words that stand behind the others, and the name unless it is printed as most are. Terms are
    what building an index costs: so they are half as long.
    """
    usual = _usual(run)
    text = usual if name == usual else lexical.printed(name)
    written = "" if text == usual else text
    for turned, beginning in enumerate(lexical.beginnings(run) if text else ()):
        made.add_text("name", f"{kind[0]}{beginning}{_PRINTED}{turned}{written}")


def names_that_begin(kind: Name, beginning: str) -> str:
    """How the terms of all names of a kind begin that go on like this."""
    return kind[0] + beginning


def printed(term: str) -> str:
    """The name of a term of `name`, as printed."""
    beginning, _mark, rest = term[1:].partition(_PRINTED)
    run = beginning.split(" ")
    behind = len(run) - int(rest[0])
    return rest[1:] or _usual((*run[behind:], *run[:behind]))


def _usual(run: Run) -> str:
    """How most names of these words are printed: "Ada B. Example"."""
    if min(map(len, run), default=0) > 1:
        return " ".join(run).title()
    return " ".join(word.title() if len(word) > 1 else f"{word.upper()}." for word in run)


# --- A plan into a query ----------------------------------------------------------------------------------------------


def term(field: str, value: object) -> tantivy.Query:
    """What has the value in the field."""
    return tantivy.Query.term_query(SCHEMA, field, value)


# From so many keys on, tantivy finds them faster as a set than one by one: below, a set takes up to five times as long.
_SET = 1_000


def papers_among(keys: list[int]) -> tantivy.Query:
    """The papers with these primary keys, with score 0."""
    if len(keys) >= _SET:
        return _filter(tantivy.Query.term_set_query(SCHEMA, "pk", keys))
    return _filter(tantivy.Query.boolean_query([(Occur.Should, term("pk", key)) for key in keys]))


def query(plan: Plan) -> tantivy.Query:
    """What matches a plan, with its score."""
    must = [_words(plan)] if plan.terms or plan.identifier else []
    must += [part(each) for each in lexical.phrase_parts(plan)]
    return _filtered(plan, must, certain=plan.has_text)


def passing(plan: Plan) -> tantivy.Query:
    """What passes the filters of a plan, whatever its words, with score 0."""
    return _filtered(plan, [], certain=False)


def passing_among(plan: Plan, keys: list[int]) -> tantivy.Query:
    """Those of the papers that pass the filters of a plan, with score 0."""
    return _filtered(plan, [papers_among(keys)], certain=True)


def scored(plan: Plan, keys: list[int]) -> tantivy.Query:
    """Those of the papers that pass the filters, each with its score by the words of the plan, 0 without any.

    Each part is looked up at these papers only. Several beside each other would be read together, from end to end.
    """
    wanted = passing_among(plan, keys)
    for part in _parts(plan):
        wanted = tantivy.Query.boolean_query([(Occur.Must, wanted), (Occur.Should, part)])
    return wanted


def either(wanted: tantivy.Query, keys: list[int]) -> tantivy.Query:
    """What matches a query, and these papers too."""
    return tantivy.Query.boolean_query([(Occur.Should, wanted), (Occur.Should, papers_among(keys))])


def without(wanted: tantivy.Query, keys: list[int]) -> tantivy.Query:
    """What matches a query, but none of these papers."""
    return tantivy.Query.boolean_query([(Occur.Must, wanted), (Occur.MustNot, papers_among(keys))])


def changed(after: int, until: int) -> tantivy.Query:
    """Papers made from journal entries after one number and up to another."""
    return tantivy.Query.range_query(SCHEMA, "change", FieldType.Integer, after + 1, until)


def behind(wanted: tantivy.Query, newest_below: int) -> tantivy.Query:
    """What matches a query, behind a place in the order of `newest`."""
    return tantivy.Query.boolean_query([(Occur.Must, wanted), (Occur.Must, _filter(older(newest_below)))])


def only(wanted: tantivy.Query, pk: int) -> tantivy.Query:
    """One paper, if it matches a query, with the score that it has there."""
    return tantivy.Query.boolean_query([(Occur.Must, wanted), (Occur.Must, _filter(term("pk", pk)))])


def those(wanted: tantivy.Query, keys: list[int]) -> tantivy.Query:
    """Those of the papers that match a query."""
    return tantivy.Query.boolean_query([(Occur.Must, _filter(wanted)), (Occur.Must, papers_among(keys))])


def older(newest_below: int) -> tantivy.Query:
    """Papers that come behind a place in the order of `newest`."""
    return tantivy.Query.range_query(SCHEMA, "newest", FieldType.Integer, 0, newest_below - 1)


def filters_of(plan: Plan) -> tuple[object, ...]:
    """The filters and exclusions of a plan, to tell them from those of others."""
    wanted = (plan.authors, plan.categories, plan.venues, plan.since, plan.until, plan.has_code, plan.holds)
    return (*wanted, plan.without, plan.without_authors, plan.without_categories, plan.without_venues)


def has_filters(plan: Plan) -> bool:
    """Whether a plan has filters or exclusions."""
    return any(True for _one in (*_filters(plan), *_exclusions(plan)))


def _filtered(plan: Plan, must: list[tantivy.Query], *, certain: bool) -> tantivy.Query:
    """What matches all of `must` and passes the filters. Unless that is certain to be papers, no other is let in."""
    must = [*must, *(_filter(wanted) for wanted in _filters(plan))] or [_filter(tantivy.Query.all_query())]
    must_not = list(_exclusions(plan))
    if not certain:
        must_not.append(term("mark", CURSOR))
    clauses = [(Occur.Must, one) for one in must] + [(Occur.MustNot, one) for one in must_not]
    return must[0] if len(clauses) == 1 else tantivy.Query.boolean_query(clauses)


def part(part: Part) -> tantivy.Query:
    """What has a part of the score, with what it has of it before the weight."""
    match part.field:
        case Field.ALL:
            return _run("all", part.run)
        case Field.TITLE:
            return _run("ti", part.run)
        case Field.HEAD | Field.EVERY:
            field = "head" if part.field is Field.HEAD else "all"
            return tantivy.Query.boolean_query([(Occur.Must, term(field, word)) for word in part.run])
        case Field.IDENTIFIER:
            return tantivy.Query.const_score_query(term("identifier", part.run[0]), 1.0)


def _words(plan: Plan) -> tantivy.Query:
    """The papers with at least one of the words, scored as `lexical` says.

    Single words are read faster where nothing else is beside them, and who has anything else has one of them.
    """
    if plan.identifier:
        return _any(_parts(plan))
    words = [_part(each) for each in lexical.parts(plan) if _is_word(each)]
    others = [_part(each) for each in lexical.parts(plan) if not _is_word(each)]
    if not others:
        return _any(words)
    return tantivy.Query.boolean_query([(Occur.Must, _any(words)), *((Occur.Should, other) for other in others)])


def _parts(plan: Plan) -> list[tantivy.Query]:
    return [_part(each) for each in lexical.parts(plan)]


def _part(each: Part) -> tantivy.Query:
    """A part with its weight."""
    return _boosted(part(each), each.weight)


def _is_word(part: Part) -> bool:
    return part.field in (Field.ALL, Field.TITLE) and len(part.run) == 1


def _filters(plan: Plan) -> Iterable[tantivy.Query]:
    """What must match and adds nothing to the score."""
    for author in plan.authors:
        yield _any([_run("authors", run) for run in author])
    if plan.categories:
        yield _any([term("category_key", category) for category in plan.categories])
    if plan.venues:
        yield _any([_run("venue_words", venue) for venue in plan.venues])
    if plan.since is not None or plan.until is not None:
        yield tantivy.Query.range_query(SCHEMA, "date", FieldType.Integer, plan.since, plan.until)
    if plan.has_code is not None:
        yield term("has_code", plan.has_code)
    if plan.holds is not None:
        yield term("holds", plan.holds)


def _exclusions(plan: Plan) -> Iterable[tantivy.Query]:
    """What must not match."""
    for run in plan.without:
        yield _run("all", run)
    for author in plan.without_authors:
        yield _any([_run("authors", run) for run in author])
    for category in plan.without_categories:
        yield term("category_key", category)
    for venue in plan.without_venues:
        yield _run("venue_words", venue)


def suggestions(finished: list[str], beginnings: list[str]) -> tantivy.Query:
    """Titles with all the finished words and one of the `beginnings`, which are whole words too."""
    wanted = [term("title", word) for word in finished]
    wanted.append(tantivy.Query.term_set_query(SCHEMA, "title", beginnings))
    return tantivy.Query.boolean_query([(Occur.Must, _filter(one)) for one in wanted])


def suggestions_in_a_row(finished: list[str], last: str) -> tantivy.Query:
    """Titles with the finished words in a row and a word behind them that begins like the last."""
    return tantivy.Query.phrase_prefix_query(SCHEMA, "title", [*finished, last])


def _run(field: str, run: Run) -> tantivy.Query:
    """What has the words in a row in the field."""
    return term(field, run[0]) if len(run) == 1 else tantivy.Query.phrase_query(SCHEMA, field, list(run))


def _any(parts: list[tantivy.Query]) -> tantivy.Query:
    """What matches at least one."""
    return parts[0] if len(parts) == 1 else tantivy.Query.boolean_query([(Occur.Should, part) for part in parts])


def _boosted(wanted: tantivy.Query, weight: float) -> tantivy.Query:
    return wanted if weight == 1.0 else tantivy.Query.boost_query(wanted, weight)


def _filter(wanted: tantivy.Query) -> tantivy.Query:
    """The same matches with score 0."""
    return tantivy.Query.const_score_query(wanted, 0.0)
