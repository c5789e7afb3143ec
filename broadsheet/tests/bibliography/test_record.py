"""A record keeps what was said, through JSON and back."""

from __future__ import annotations

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.identifiers import Identifier
from broadsheet.bibliography.record import Record, Version

FULL = Record(
    source="testimony",
    source_key="lantern",
    title="Lantern: Step Sizes from $\\ell_2$ Norms",
    abstract="We choose step sizes.",
    summary="Steps by lantern light.",
    authors=("Ada Example", "Chloé Exemple"),
    author_count=2,
    identifiers=(Identifier.from_str("arxiv:2401.00001"), Identifier.from_str("doi:10.1000/lantern")),
    versions=(Version(1, PartialDate(2023, 12, 29)), Version(2)),
    submitted=PartialDate(2023, 12, 29),
    announced=date(2024, 1, 2),
    updated=PartialDate(2024, 3),
    venue="Lamps 2024",
    categories=("cs.LG", "math.OC"),
    field="optimisation",
    kind="method",
    keywords=("step sizes",),
    comments="12 pages",
    license="https://example.org/licence",
    organization="Invented University",
    code_url="https://example.org/code",
    project_url="https://example.org/project",
)


def test_a_full_record_survives_json() -> None:
    assert Record.from_json(json.loads(json.dumps(FULL.as_json()))) == FULL


def test_what_was_not_said_is_not_written() -> None:
    assert Record(source="testimony", source_key="1", title="Lantern").as_json() == {
        "source": "testimony",
        "source_key": "1",
        "title": "Lantern",
    }


DATES = st.builds(PartialDate, st.integers(1, 9999))


@given(
    st.builds(
        Record,
        source=st.text(),
        source_key=st.text(),
        title=st.text(),
        authors=st.lists(st.text()).map(tuple),
        author_count=st.none() | st.integers(0, 9999),
        versions=st.lists(st.builds(Version, st.integers(1, 99), st.none() | DATES)).map(tuple),
        submitted=st.none() | st.dates().map(PartialDate.of),
        announced=st.none() | st.dates(),
        keywords=st.lists(st.text()).map(tuple),
    )
)
def test_every_record_survives_json(record: Record) -> None:
    assert Record.from_json(json.loads(json.dumps(record.as_json()))) == record


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({"source": "testimony", "source_key": "1"}, id="no title"),
        pytest.param({"source": "testimony", "source_key": "1", "title": "T", "lamp": 1}, id="unknown field"),
        pytest.param({"source": "t", "source_key": "1", "title": "T", "identifiers": ["2401.00001"]}, id="identifier"),
        pytest.param({"source": "t", "source_key": "1", "title": "T", "submitted": "soon"}, id="date"),
    ],
)
def test_anything_else_is_refused(said: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Record.from_json(said)
