"""Files of CSL-JSON: recognised, read item by item, bounded. And lists of objects in JSON, read in pieces."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.bibliography.record import Record, Rejected
from broadsheet.sources import json_items
from broadsheet.sources.base import Unreadable
from broadsheet.sources.origins.csl_json import CslJson
from broadsheet.testing.source_conformance import BUILT_IN_SAMPLES, SourceConformance, read_all


class TestCslJson(SourceConformance):
    source = CslJson()
    sample = BUILT_IN_SAMPLES["csl-json"]


@pytest.mark.parametrize(
    ("document", "is_csl"),
    [
        pytest.param([{"id": "a", "type": "article", "title": "A"}], True, id="list"),
        pytest.param({"items": [{"id": 1, "type": "book", "title": "A"}]}, True, id="object with items"),
        pytest.param([{}, {"id": "a", "type": "article", "title": "A"}], True, id="not the first"),
        pytest.param([{"id": "a", "type": "journal-article", "title": "A"}], False, id="a type of another kind"),
        pytest.param([{"id": "a", "type": ["article"], "title": "A"}], False, id="a type that is no text"),
        pytest.param({"id": "a", "type": "article", "title": "A"}, False, id="one item alone"),
        pytest.param([{"id": "a", "title": "A"}], False, id="no type"),
        pytest.param([], False, id="empty"),
    ],
)
def test_recognition(document: Any, is_csl: bool) -> None:
    assert CslJson().recognises(json.dumps(document, indent=1).encode(), "x.json") is is_csl


def test_one_item_that_is_no_json_does_not_cost_the_others() -> None:
    data = b'[{"title": "A"}, {"title": NaN}, {"title": "C"}, [1], {"a": "' + b"x" * json_items.LONGEST_ITEM + b'"}]'
    first, second, third, fourth, fifth = read_all(CslJson(), data)
    assert isinstance(first, Record)
    assert isinstance(second, Rejected)
    assert "not JSON" in second.reason
    assert isinstance(third, Record)
    assert isinstance(fourth, Rejected)
    assert isinstance(fifth, Rejected)
    assert "longer than" in fifth.reason


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b'[{"title": "A"}', "cut off", id="cut off"),
        pytest.param(b'{"papers": []}', "no list of items", id="no items"),
        pytest.param(b"title = [1]", "no list of items", id="no JSON"),
        pytest.param("[]".encode("utf-16"), "UTF-16", id="UTF-16"),
        pytest.param(b"<html><body>[{}]</body></html>", "web page", id="web page"),
    ],
)
def test_refusals(data: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        read_all(CslJson(), data)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.sampled_from(('"', "\\", "]", "}", "items")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.lists(st.dictionaries(st.text(max_size=4) | st.just("items"), VALUES, max_size=3), max_size=4)


class _Small(io.BytesIO):
    """Gives seven bytes at most at a time."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(7)


@given(OBJECTS, st.booleans(), st.booleans())
def test_lists_are_divided_as_a_parser_would(objects: list[Any], inside: bool, in_ascii: bool) -> None:
    document = {"config": {"items": [1]}, "x": "items", "items": objects, "y": [2]} if inside else objects
    data = json.dumps(document, ensure_ascii=in_ascii).encode()
    for stream in (io.BytesIO(data), _Small(data)):
        assert [json.loads(item.data) for item in json_items.items(stream)] == objects


@given(st.binary(max_size=60) | st.text('[]{}",:\\ ai', max_size=60).map(str.encode))
def test_any_bytes_are_divided_or_not(data: bytes) -> None:
    whole = list(json_items.items(io.BytesIO(data)))
    assert list(json_items.items(_Small(data))) == whole
