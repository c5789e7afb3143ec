"""JSON documents of web services: what is refused, and what is reported when items are not as they were."""

from __future__ import annotations

import pytest

from broadsheet.sources import fields, json_document
from broadsheet.sources.base import Unreadable
from broadsheet.sources.json_document import Drift


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(b'{"a": [1, 2', "is cut off", id="cut off"),
        pytest.param(b'{"a": 1,}', "is not JSON", id="not JSON"),
        pytest.param(b"<html><title>502</title></html>", "where JSON was expected", id="an error page"),
        pytest.param(b'{"a": NaN}', "is not JSON", id="no number"),
        pytest.param('{"a": "é"}'.encode("latin-1"), "is not UTF-8", id="Latin-1"),
        pytest.param('{"a": 1}'.encode("utf-16"), "UTF-16", id="UTF-16"),
        pytest.param(b"[" * 3000 + b"]" * 3000, "is not JSON", id="nested too deep"),
    ],
)
def test_what_is_no_document_is_refused_with_the_reason(data: bytes, sentence: str) -> None:
    with pytest.raises(Unreadable, match=sentence) as refusal:
        json_document.parsed(data, filename="answer.json")
    assert "Nothing was stored" in refusal.value.sentence


def test_a_byte_order_mark_is_passed_over() -> None:
    assert json_document.parsed(b'\xef\xbb\xbf{"a": 1}', filename="answer.json") == {"a": 1}


def test_a_field_that_cannot_be_read_is_left_out_and_counted() -> None:
    drift = Drift()
    values: tuple[object, ...] = (3, "Ada", None, "", [], 4)
    for value in values:
        drift.optional("name", value, fields.prose(10), "")
    assert drift.warnings() == ('The field "name" was left out of 2 items: it must be text, but is a number.',)


def test_fields_that_are_new_or_gone_are_named() -> None:
    drift = Drift(known=("title", "year"), expected=("title", "year"))
    drift.saw({"title": "A Lamp", "colour\x1b": "red"})
    drift.saw({"title": "Meadows"})
    assert drift.warnings() == (
        'The field "colour?" is new and was not read.',
        'The field "year" is gone: none of 2 items has it.',
    )


def test_one_item_alone_shows_nothing_to_be_gone() -> None:
    drift = Drift(expected=("year",))
    drift.saw({})
    assert drift.warnings() == ()


def test_the_same_sentence_is_said_once() -> None:
    drift = Drift()
    for _ in range(3):
        drift.note("A lamp is out.")
    assert drift.warnings() == ("A lamp is out (3 times).",)


def test_there_are_never_too_many_warnings() -> None:
    drift = Drift(known=("title",))
    drift.saw({f"field{number}": 1 for number in range(1000)})
    assert len(drift.warnings()) == 20
