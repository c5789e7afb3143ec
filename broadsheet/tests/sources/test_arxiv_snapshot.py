"""The metadata snapshot: one line, one paper; and what a line must not be."""

from __future__ import annotations

import io
from typing import Any

import orjson
import pytest

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.record import Record, Rejected, Version
from broadsheet.sources.origins.arxiv_snapshot import ArxivSnapshot
from broadsheet.testing.cast import arxiv, doi
from broadsheet.testing.source_conformance import BUILT_IN_SAMPLES, SourceConformance

LINE: dict[str, Any] = {
    "id": "0704.0100", "submitter": "Ada Example", "authors": "Ada Example, Chlo\\'e Exemple and Bela Beispiel Jr.",
    "title": "A Lamp for\n  Every Step", "comments": "2 pages;\n  1 figure", "journal-ref": "J. Lamps 1",
    "doi": "10.1000/Lamp", "report-no": "L-1", "categories": "cs.LG math.OC", "license": "http://creativecommons.org/licenses/by/4.0/",
    "abstract": "  We place a lamp.\n  And another.\n", "update_date": "2009-11-13",
    "versions": [
        {"version": "v2", "created": "Tue, 24 Jul 2007 20:10:27 GMT"},
        {"version": "v1", "created": "Mon, 2 Apr 2007 19:18:42 GMT"},
    ],
    "authors_parsed": [["Example", "Ada", ""], ["Exemple", "Chlo\\'e", "", "Town"], ["Beispiel", "Bela", "Jr."]],
}  # fmt: skip


def read(**changed: Any) -> Record | Rejected:
    (said,) = ArxivSnapshot().read(io.BytesIO(orjson.dumps(LINE | changed)), filename="x")
    return said


def record(**changed: Any) -> Record:
    said = read(**changed)
    assert isinstance(said, Record), said
    return said


class TestArxivSnapshot(SourceConformance):
    source = ArxivSnapshot()
    sample = BUILT_IN_SAMPLES["arxiv-snapshot"]


def test_a_line_becomes_a_record() -> None:
    first, second = PartialDate(2007, 4, 2), PartialDate(2007, 7, 24)
    assert read() == Record(
        source="arxiv-snapshot",
        source_key="0704.0100",
        title="A Lamp for Every Step",
        abstract="We place a lamp.\n  And another.",
        authors=("Ada Example", "Chlo\\'e Exemple", "Bela Beispiel Jr."),
        identifiers=(arxiv("0704.0100"), doi("10.1000/lamp")),
        versions=(Version(1, first), Version(2, second)),
        submitted=first,
        updated=second,
        categories=("cs.LG", "math.OC"),
        comments="2 pages; 1 figure; Journal-ref: J. Lamps 1",
        license="http://creativecommons.org/licenses/by/4.0/",
    )


@pytest.mark.parametrize("field", ["comments", "journal-ref", "doi", "report-no", "license", "abstract", "versions"])
def test_fields_that_may_be_empty(field: str) -> None:
    assert record(**{field: None}).source_key == "0704.0100"


def test_names_from_the_printed_list_where_nobody_split_it() -> None:
    assert record(authors_parsed=None).authors == record().authors


def test_names_that_were_escaped_twice() -> None:
    parsed = [["Exemple", "Chlo\\&#39;e", ""], [":", "", ""]]
    assert record(authors="Chlo\\&#39;e Exemple", authors_parsed=parsed).authors == ("Chlo\\'e Exemple",)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        pytest.param({"id": 704.01}, "numbers lose digits of identifiers", id="identifier as a number"),
        pytest.param({"id": None}, 'the field "id" is missing', id="no identifier"),
        pytest.param({"id": "704.0100"}, 'it has no arXiv identifier, but "704.0100"', id="digits lost"),
        pytest.param({"title": "\n "}, "it has no title", id="no title"),
        pytest.param({"title": "x" * 2001}, "its title has more than 2,000 letters", id="long title"),
        pytest.param({"abstract": "a\0b"}, "it has a zero byte in it", id="zero byte"),
        pytest.param({"abstract": ["a"]}, 'the field "abstract" is missing or is not what', id="abstract"),
        pytest.param({"categories": None}, 'the field "categories" is missing', id="no categories"),
        pytest.param({"authors_parsed": ["Ada"]}, 'the field "authors_parsed" or "versions"', id="names as text"),
        pytest.param({"authors_parsed": [[1, 2, 3]]}, 'the field "authors_parsed" or "versions"', id="numbers"),
        pytest.param({"authors_parsed": [["E", "A", ""]] * 20_001}, "more than 20,000 authors", id="many names"),
        pytest.param({"authors_parsed": [["E\0", "", ""]]}, "a zero byte", id="zero byte in a name"),
        pytest.param({"authors_parsed": [["E" * 1001, "", ""]]}, "an author has more than 1,000", id="long name"),
        pytest.param({"versions": [{"version": "2"}]}, 'the field "authors_parsed" or "versions"', id="no date"),
        pytest.param({"versions": [{"version": "x", "created": "y"}]}, '"x" is no version', id="no number"),
        pytest.param(
            {"versions": [{"version": "v1", "created": "Mon, 31 Feb 2007 19:18:42 GMT"}]}, "day is out", id="no day"
        ),
    ],
)
def test_a_line_that_is_rejected(changed: dict[str, Any], reason: str) -> None:
    said = read(**changed)
    assert isinstance(said, Rejected)
    assert reason in said.reason
    assert said.position == "line 1"
