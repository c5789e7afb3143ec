"""Broadsheet's own record format: every field, every fault, and that it reads what it writes."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.identifiers import Identifier
from broadsheet.bibliography.record import Record, Rejected, Version
from broadsheet.sources.origins.records import FIELD_NAMES, Records

ARXIV = Identifier.from_str("arxiv:2401.00001")
DOI = Identifier.from_str("doi:10.1000/harbour.7")
NEXT_YEAR = datetime.now(UTC).year + 1

# What would lead to another address than a section's, or be printed as something else.
NO_SECTIONS = {
    "with a slash": "cs/LG",
    "that climbs": "../papers",
    "with a backslash": "cs\\LG",
    "of one dot": ".",
    "of two dots": "..",
    "of many dots": "....",
    "with a blank before it": " cs.LG",
    "with a blank behind it": "cs.LG ",
    "with a line feed behind it": "cs.LG\n",
    "with a line feed in it": "cs\nLG",
    "with an escape in it": "cs\x1b[31mLG",
    "that turns its letters round": "cs\u202eGL",
    "with tags": "<b>cs",
    "with a closing bracket": "cs>LG",
}
SECTIONS = ("cs.LG", "second-order", "machine_learning", "Data and Benchmarks", "Оптимизация", "..a", "I.2.6; I.2.7")


def read(*lines: dict[str, Any] | str) -> list[Record | Rejected]:
    data = b"".join((line.encode() if isinstance(line, str) else orjson.dumps(line)) + b"\n" for line in lines)
    return list(Records().read(io.BytesIO(data), filename="papers.jsonl"))


def record(**said: Any) -> Record:
    (found,) = read({"title": "A Lamp for Every Step", **said})
    assert isinstance(found, Record), found
    return found


def test_a_title_is_enough() -> None:
    found = record()
    assert found.title == "A Lamp for Every Step"
    assert found.source == "records"
    assert len(found.source_key) == 32


@pytest.mark.parametrize(
    ("field", "written", "expected"),
    [
        pytest.param("source", "arxiv", "arxiv", id="source"),
        pytest.param("source_key", "2401.00001", "2401.00001", id="key"),
        pytest.param("abstract", "One.\n\nTwo, $x<1$.", "One.\n\nTwo, $x<1$.", id="abstract as printed"),
        pytest.param("summary", "Short.", "Short.", id="summary"),
        pytest.param("authors", ["Ada Example", "Primer, Đorđe"], ("Ada Example", "Primer, Đorđe"), id="authors"),
        pytest.param("author_count", 6, 6, id="number of authors"),
        pytest.param("identifiers", ["arxiv:2401.00001", "doi:10.1000/harbour.7"], (ARXIV, DOI), id="identifiers"),
        pytest.param("identifiers", ["https://arxiv.org/abs/2401.00001"], (ARXIV,), id="an address as identifier"),
        pytest.param(
            "versions", [[1, "2024-01-01"], [2, None]], (Version(1, PartialDate(2024, 1, 1)), Version(2)), id="versions"
        ),
        pytest.param("submitted", "2024", PartialDate(2024), id="a year"),
        pytest.param("submitted", "2024-01", PartialDate(2024, 1), id="a month"),
        pytest.param("updated", "2024-01-14T20:00:00Z", PartialDate(2024, 1, 14), id="a time stamp"),
        pytest.param("announced", "2024-01-16", date(2024, 1, 16), id="announced"),
        pytest.param("venue", "TEST 2024", "TEST 2024", id="venue"),
        pytest.param("categories", ["cs.LG", "math.OC"], ("cs.LG", "math.OC"), id="categories"),
        pytest.param("field", "optimisers", "optimisers", id="field"),
        pytest.param("kind", "method", "method", id="kind"),
        pytest.param("keywords", [], (), id="empty list"),
        pytest.param("comments", "12 pages", "12 pages", id="comments"),
        pytest.param("license", "CC BY 4.0", "CC BY 4.0", id="license"),
        pytest.param("organization", "ExampleLab", "ExampleLab", id="organization"),
        pytest.param("code_url", "https://example.org/lamp", "https://example.org/lamp", id="code"),
        pytest.param("project_url", "http://example.org/?a=1#b", "http://example.org/?a=1#b", id="project"),
        pytest.param("abstract", None, "", id="null is as if left out"),
    ],
)
def test_a_field_and_what_it_becomes(field: str, written: object, expected: object) -> None:
    assert getattr(record(**{field: written}), field) == expected


@pytest.mark.parametrize(
    ("said", "identifiers", "versions"),
    [
        pytest.param({"arxiv_id": "2401.00001"}, (ARXIV,), (), id="arXiv"),
        pytest.param({"arxiv_id": "arXiv:2401.00001v3"}, (ARXIV,), (Version(3),), id="a version is kept"),
        pytest.param(
            {"arxiv_id": "2401.00001v3", "versions": [[1, None]]}, (ARXIV,), (Version(1),), id="listed versions win"
        ),
        pytest.param({"doi": "https://doi.org/10.1000/HARBOUR.7"}, (DOI,), (), id="DOI"),
        pytest.param({"doi": "10.48550/arXiv.2401.00001"}, (ARXIV,), (), id="DOI given by arXiv"),
        pytest.param({"url": "https://huggingface.co/papers/2401.00001"}, (ARXIV,), (), id="address"),
        pytest.param(
            {"identifiers": ["doi:10.1000/harbour.7"], "arxiv_id": "2401.00001", "url": "arxiv.org/abs/2401.00001"},
            (DOI, ARXIV),
            (),
            id="all together, each once",
        ),
    ],
)
def test_short_forms_of_identifiers(
    said: dict[str, object], identifiers: tuple[Identifier, ...], versions: tuple[Version, ...]
) -> None:
    found = record(**said)
    assert (found.identifiers, found.versions) == (identifiers, versions)


def test_the_key_is_the_best_identifier_else_what_the_record_says() -> None:
    assert record(doi="10.1000/harbour.7", arxiv_id="2401.00001").source_key == "arxiv:2401.00001"
    assert record(doi="10.1000/harbour.7").source_key == "doi:10.1000/harbour.7"
    bare = record(authors=["Ada Example"])
    assert bare.source_key == record(authors=["Ada Example"], keywords=["lamps"]).source_key
    assert bare.source_key != record(authors=["Bela Beispiel"]).source_key
    assert bare.source_key != record(authors=["Ada Example"], abstract="Lamps.").source_key


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        pytest.param({"title": None}, 'the field "title" is missing', id="no title"),
        pytest.param({"title": " \n"}, 'the field "title" is blank', id="blank title"),
        pytest.param({"title": 7}, 'the field "title" must be text, but is a number', id="number for text"),
        pytest.param({"title": "x" * 2001}, 'the field "title" has more than 2,000 letters', id="too long"),
        pytest.param({"abstract": "a\0b"}, 'the field "abstract" has a zero byte in it', id="zero byte"),
        pytest.param({"abstract": ["a"]}, 'the field "abstract" must be text, but is a list', id="list for text"),
        pytest.param({"authors": "Ada"}, 'the field "authors" must be a list, but is text', id="text for list"),
        pytest.param({"authors": ["Ada", ""]}, 'the field "authors" has an entry that is blank', id="blank entry"),
        pytest.param(
            {"authors": [{"name": "Ada"}]},
            'the field "authors" has an entry that must be text, but is an object',
            id="object for text",
        ),
        pytest.param({"keywords": ["x"] * 20_001}, "has more than 20,000 entries", id="too many entries"),
        pytest.param({"author_count": "6"}, "must be a whole number, but is text", id="text for number"),
        pytest.param({"author_count": True}, "must be a whole number, but is true or false", id="truth for number"),
        pytest.param({"author_count": 1.5}, "must be a whole number, but is a number", id="fraction"),
        pytest.param({"author_count": -1}, "must lie between 0 and 100,000", id="negative"),
        pytest.param({"submitted": 2024}, "must be a date in quotes, but is a number", id="number for date"),
        pytest.param({"submitted": "2024-02-30"}, 'is no date: "2024-02-30"; write 2021, 2021-01', id="no such day"),
        pytest.param({"submitted": "2024-00"}, 'is no date: "2024-00"', id="month 0"),
        pytest.param({"submitted": "soon"}, 'the field "submitted" is no date: "soon"', id="word for date"),
        pytest.param(
            {"announced": "2024-01"}, "must be a whole day such as 2021-01-14, but is", id="a month for a day"
        ),
        pytest.param({"submitted": "1599-12-31"}, "must lie between 1600-01-01 and", id="submitted too early"),
        pytest.param(
            {"submitted": f"{NEXT_YEAR + 1}-01-01"}, f"and {NEXT_YEAR}-12-31, but is", id="submitted too late"
        ),
        pytest.param({"submitted": "9999"}, f"and {NEXT_YEAR}-12-31, but is 9999", id="a year at the end of time"),
        pytest.param({"submitted": "1600"}, None, id="the earliest year"),
        pytest.param({"submitted": f"{NEXT_YEAR}-12-31"}, None, id="the last day of next year"),
        pytest.param(
            {"announced": "9999-12-31"}, 'the field "announced" must lie between 1600', id="announced too late"
        ),
        pytest.param(
            {"announced": "0001-01-01"}, 'the field "announced" must lie between 1600', id="announced too early"
        ),
        pytest.param({"updated": "9999-12"}, 'the field "updated" must lie between 1600', id="updated too late"),
        pytest.param(
            {"versions": [[1, "9999-12-31"]]},
            'the field "versions" has an entry that must lie between 1600',
            id="a version too late",
        ),
        pytest.param({"versions": [1]}, "has an entry that must be a pair of a number and a date", id="no pair"),
        pytest.param({"versions": [[0, None]]}, "must lie between 1 and 10,000", id="version 0"),
        pytest.param({"identifiers": ["isbn:1"]}, "is no identifier of a paper", id="unknown scheme"),
        pytest.param({"identifiers": [None]}, "must be text, but is nothing", id="null in a list"),
        pytest.param({"arxiv_id": "10.1000/harbour.7"}, 'is no arXiv identifier: "10.1000/h', id="DOI for arXiv"),
        pytest.param({"arxiv_id": 2401.00001}, "must be text, but is a number", id="a number is no identifier"),
        pytest.param({"doi": "2401.00001"}, None, id="arXiv for DOI is understood"),
        pytest.param({"url": "https://example.org/lamp"}, "is no identifier of a paper", id="address of no paper"),
        pytest.param({"code_url": "javascript:alert(1)"}, "is no http or https address", id="script for address"),
        pytest.param({"code_url": "https://a b"}, "is no http or https address", id="blank in address"),
        pytest.param({"code_url": 'https://a"b'}, "is no http or https address", id="quote in address"),
        *(
            pytest.param({"field": name}, 'the field "field" cannot be part of an address', id=f"a section {rule}")
            for rule, name in NO_SECTIONS.items()
        ),
        *(
            pytest.param({"categories": [name]}, 'the field "categories" has an entry that', id=f"a category {rule}")
            for rule, name in NO_SECTIONS.items()
        ),
        pytest.param({"field": " "}, 'the field "field" is blank', id="a blank section"),
        pytest.param({"field": 7}, 'the field "field" must be text', id="a number for a section"),
        *(pytest.param({"field": name, "categories": [name]}, None, id=f"a section {name}") for name in SECTIONS),
        pytest.param({"source": "My Source"}, "must be lower-case letters, digits and hyphens", id="source"),
        pytest.param({"source_key": ""}, "is blank", id="blank key"),
        pytest.param(
            {"abstrct": "x"}, 'the field "abstrct" is unknown; perhaps "abstract" is meant', id="misspelt field"
        ),
        pytest.param({"votes": 4}, 'the field "votes" is unknown; a field of your own begins with "x_"', id="unknown"),
        pytest.param({"vo\x1b[31mtes": 4}, 'the field "vo?[31mtes" is unknown', id="a name that steers a terminal"),
        pytest.param({"votes": None}, None, id="an unknown field that says nothing is no fault"),
        pytest.param({"x_votes": 4}, None, id="a field of the sender"),
    ],
)
def test_a_line_and_why_it_is_rejected(said: dict[str, object], reason: str | None) -> None:
    first, second = read({"title": "A Lamp for Every Step", **said}, {"title": "Harbours Without Water"})
    assert isinstance(second, Record)
    if reason is None:
        assert isinstance(first, Record)
    else:
        assert isinstance(first, Rejected)
        assert reason in first.reason
        assert first.position == "line 1"


def test_the_excerpt_is_the_start_of_the_line() -> None:
    (rejected,) = read('{"title": 7, "abstract": "' + "x" * 1000 + '"}')
    assert isinstance(rejected, Rejected)
    assert rejected.excerpt == (b'{"title": 7, "abstract": "' + b"x" * 1000)[:200]


def test_recognised_is_what_has_a_title_and_mostly_known_fields() -> None:
    assert Records().recognises(b'{"title": "A Lamp", "abstract": "x", "pages": 4}\n', "x")
    assert Records().recognises(b'not JSON\n\n{"title": "A Lamp", "x_a": 1, "x_b": 2, "x_c": 3}', "x")
    assert not Records().recognises(b'{"title": "A Lamp", "pages": 4}\n', "x")
    assert not Records().recognises(b'{"abstract": "x"}\n', "x")
    assert not Records().recognises(b'["title"]\n', "x")


def test_every_field_of_a_record_can_be_written() -> None:
    said = record().as_json().keys() | Record.__dataclass_fields__.keys()
    assert said <= set(FIELD_NAMES)


PHRASE = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)
WORDS = PHRASE.filter(str.strip)
DAYS = st.dates(date(1600, 1, 1), date(2026, 12, 31))
PARTIAL = DAYS.map(PartialDate.of) | st.integers(1600, 2026).map(PartialDate)
SECTION_NAMES = st.from_regex(r"[a-zé0-9](?:[a-zÉ0-9 ._-]{0,20}[a-zĐ0-9])?", fullmatch=True)
SOUND_RECORDS = st.builds(
    Record,
    source=st.sampled_from(("records", "arxiv", "a-1")),
    source_key=WORDS,
    title=WORDS,
    abstract=PHRASE,
    summary=PHRASE,
    authors=st.lists(WORDS, max_size=3).map(tuple),
    author_count=st.none() | st.integers(0, 100_000),
    identifiers=st.lists(st.sampled_from((ARXIV, DOI)), unique=True).map(tuple),
    versions=st.lists(st.builds(Version, st.integers(1, 99), st.none() | PARTIAL), max_size=2).map(tuple),
    submitted=st.none() | PARTIAL,
    announced=st.none() | DAYS,
    updated=st.none() | PARTIAL,
    venue=PHRASE,
    categories=st.lists(SECTION_NAMES, max_size=2).map(tuple),
    field=st.just("") | SECTION_NAMES,
    kind=PHRASE,
    keywords=st.lists(WORDS, max_size=2).map(tuple),
    comments=PHRASE,
    license=PHRASE,
    organization=PHRASE,
    code_url=st.sampled_from(("", "https://example.org/a")),
    project_url=st.sampled_from(("", "http://example.org/%C3%A9")),
)


@given(st.lists(SOUND_RECORDS, max_size=3))
def test_what_as_json_writes_is_read_back_unchanged(records: list[Record]) -> None:
    assert read(*(record.as_json() for record in records)) == records
