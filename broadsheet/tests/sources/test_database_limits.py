"""What a source lets through fits the database: each limit is the length of the column that the value goes to."""

from __future__ import annotations

import io
from typing import Any

import orjson
import pytest
from django.db.models import CharField, Model

from broadsheet.bibliography.record import Record, Rejected
from broadsheet.evidence.models import ClaimRow
from broadsheet.papers.models import FormerKey, Paper, PaperIdentifier, Statement, Topic
from broadsheet.sources import fields
from broadsheet.sources.origins.catalogue import Catalogue
from broadsheet.sources.origins.records import Records

SLUG = {"slug": "lamp"}


def length(model: type[Model], column: str) -> int:
    found = model._meta.get_field(column)
    assert isinstance(found, CharField)
    assert found.max_length
    return found.max_length


def read(source: Records | Catalogue, said: dict[str, Any]) -> Record | Rejected:
    line = orjson.dumps({"title": "A Lamp for Every Step"} | said)
    (found,) = source.read(io.BytesIO(line), filename="x")
    return found


def doi(letters: int) -> str:
    return "10.1000/" + "x" * (letters - len("10.1000/"))


@pytest.mark.parametrize(
    ("limit", "model", "column"),
    [
        pytest.param(fields.LONGEST_SOURCE, Statement, "source", id="source"),
        pytest.param(fields.LONGEST_SOURCE_KEY, Statement, "source_key", id="source's key"),
        pytest.param(fields.LONGEST_SOURCE_KEY, ClaimRow, "source_key", id="claim's key"),
        pytest.param(fields.LONGEST_SECTION, Paper, "field", id="section"),
        pytest.param(fields.LONGEST_SECTION, Topic, "slug", id="category"),
        pytest.param(fields.LONGEST_KIND, Paper, "kind", id="kind"),
    ],
)
def test_a_limit_is_the_length_of_its_column(limit: int, model: type[Model], column: str) -> None:
    assert limit == length(model, column)


@pytest.mark.parametrize("model", [pytest.param(Paper, id="paper"), pytest.param(FormerKey, id="former key")])
def test_a_key_has_room_for_the_longest_identifier_its_scheme_and_a_number(model: type[Model]) -> None:
    assert len("openreview:") + fields.LONGEST_IDENTIFIER + len("-999") <= length(model, "key")
    assert length(PaperIdentifier, "value") >= fields.LONGEST_IDENTIFIER


@pytest.mark.parametrize(
    ("source", "field", "longest", "too_long"),
    [
        pytest.param(Records(), "source", "x" * 64, "x" * 65, id="source"),
        pytest.param(Records(), "source_key", "é" * 255, "é" * 256, id="source's key"),
        pytest.param(Records(), "field", "x" * 64, "x" * 65, id="section"),
        pytest.param(Records(), "categories", ["cs.LG", "x" * 64], ["cs.LG", "x" * 65], id="category"),
        pytest.param(Records(), "kind", "x" * 32, "x" * 33, id="kind"),
        pytest.param(Records(), "doi", doi(240), doi(241), id="DOI"),
        pytest.param(Records(), "identifiers", [f"doi:{doi(240)}"], [f"doi:{doi(241)}"], id="identifier"),
        pytest.param(Records(), "identifiers", [doi(240)], [f"https://doi.org/{doi(241)}"], id="address in a list"),
        pytest.param(Records(), "url", f"https://doi.org/{doi(240)}", f"https://doi.org/{doi(241)}", id="address"),
        pytest.param(Catalogue(), "slug", "x" * 255, "x" * 256, id="catalogue's key"),
        pytest.param(Catalogue(), "field", "x" * 64, "x" * 65, id="catalogue's section"),
        pytest.param(Catalogue(), "kind", "x" * 32, "x" * 33, id="catalogue's kind"),
    ],
)
def test_the_longest_value_is_read_and_one_letter_more_is_rejected(
    source: Records | Catalogue, field: str, longest: object, too_long: object
) -> None:
    own = SLUG if isinstance(source, Catalogue) else {}
    assert isinstance(read(source, own | {field: longest}), Record)
    rejected = read(source, own | {field: too_long})
    assert isinstance(rejected, Rejected)
    assert f'the field "{field}"' in rejected.reason
