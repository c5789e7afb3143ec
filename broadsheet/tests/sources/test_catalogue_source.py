"""The starter catalogue: what its lines become, and that the one in the package is sound."""

from __future__ import annotations

import io
from importlib import resources
from typing import Any

import orjson
import pytest

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.identifiers import Identifier
from broadsheet.bibliography.record import Record, Rejected
from broadsheet.sources.base import HEAD_BYTES
from broadsheet.sources.origins.catalogue import Catalogue
from broadsheet.testing.source_conformance import check_statements

LINE: dict[str, Any] = {
    "slug": "lamp", "title": "A Lamp for Every Step", "arxiv_id": "2401.00001", "arxiv_id_confidence": "matched",
    "authors": ["Ada Example"], "n_authors": None, "published": None, "published_month": "2024-01",
    "venues": ["TEST 2024", "TEST 2025"], "field": "optimisers", "kind": "method", "summary": "Lamps.",
    "keywords": ["lamps", "stairs"], "claim": "Fewer falls.", "code_url": "https://example.org/lamp", "value": 2,
}  # fmt: skip


def read(**changed: Any) -> Record | Rejected:
    (said,) = Catalogue().read(io.BytesIO(orjson.dumps(LINE | changed)), filename="x")
    return said


def record(**changed: Any) -> Record:
    said = read(**changed)
    assert isinstance(said, Record), said
    return said


def test_a_line_becomes_a_record() -> None:
    assert read() == Record(
        source="catalogue",
        source_key="lamp",
        title="A Lamp for Every Step",
        summary="Lamps.",
        authors=("Ada Example",),
        identifiers=(Identifier.from_str("arxiv:2401.00001"),),
        submitted=PartialDate(2024, 1),
        venue="TEST 2024, TEST 2025",
        field="optimisers",
        kind="method",
        keywords=("lamps", "stairs"),
        code_url="https://example.org/lamp",
    )


@pytest.mark.parametrize(
    ("confidence", "used"),
    [
        pytest.param("matched", True, id="matched"),
        pytest.param("known", True, id="known"),
        pytest.param("unknown", False, id="unknown"),
        pytest.param(None, False, id="not said"),
    ],
)
def test_an_identifier_counts_when_the_catalogue_is_sure(confidence: str | None, used: bool) -> None:
    assert bool(record(arxiv_id_confidence=confidence).identifiers) is used


def test_a_paper_without_an_identifier_has_none() -> None:
    assert record(arxiv_id=None).identifiers == ()


def test_the_day_is_better_than_the_month() -> None:
    assert record(published="2024-02-03").submitted == PartialDate(2024, 2, 3)
    assert record(published_month=None).submitted is None


def test_only_a_number_of_authors() -> None:
    assert (record(authors=None, n_authors=3).authors, record(authors=None, n_authors=3).author_count) == ((), 3)


@pytest.mark.parametrize(
    ("printed", "address"),
    [
        pytest.param("https://example.org/lamp{https://example.org/lamp}", "https://example.org/lamp", id="TeX"),
        pytest.param("example.org/lamp", "https://example.org/lamp", id="without https"),
        pytest.param(None, "", id="none"),
    ],
)
def test_addresses_of_code_as_abstracts_print_them(printed: str | None, address: str) -> None:
    assert record(code_url=printed).code_url == address


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        pytest.param({"slug": None}, 'the field "slug" is missing', id="no slug"),
        pytest.param({"title": None}, 'the field "title" is missing', id="no title"),
        pytest.param({"authors": "Ada"}, 'the field "authors" must be a list', id="authors"),
        pytest.param({"arxiv_id": "x"}, 'the field "arxiv_id" is no arXiv identifier', id="identifier"),
        pytest.param({"code_url": "javascript:alert(1)"}, 'the field "code_url" is no http', id="script"),
        pytest.param({"published": "9999-12-31"}, 'the field "published" must lie between 1600-01-01', id="late day"),
        pytest.param({"published_month": "1599-12"}, 'the field "published_month" must lie between', id="early month"),
        pytest.param({"field": "../papers"}, 'the field "field" cannot be part of an address', id="section"),
        pytest.param({"code_url": 7}, 'the field "code_url" must be text', id="number"),
    ],
)
def test_a_line_that_is_rejected(changed: dict[str, Any], reason: str) -> None:
    said = read(**changed)
    assert isinstance(said, Rejected)
    assert reason in said.reason


def test_the_catalogue_in_the_package_has_273_sound_records() -> None:
    data = resources.files("broadsheet").joinpath("starter/catalogue.jsonl").read_bytes()
    assert Catalogue().recognises(data[:HEAD_BYTES], "catalogue.jsonl")
    statements = list(Catalogue().read(io.BytesIO(data), filename="catalogue.jsonl"))
    check_statements(Catalogue(), statements)
    records = [said for said in statements if isinstance(said, Record)]
    assert len(records) == len(statements) == 273
    assert len({said.source_key for said in records}) == 273
    assert sum(bool(said.identifiers) for said in records) == 272
    assert sum(bool(said.authors) for said in records) == 130
    assert sum(said.author_count is not None for said in records) == 71
    assert sum(said.submitted is not None and said.submitted.precision == 3 for said in records) == 91
    assert all(said.submitted and said.summary and said.field and said.kind for said in records)
