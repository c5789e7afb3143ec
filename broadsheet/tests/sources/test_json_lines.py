"""JSON Lines: hostile lines are rejected one by one, broken files are refused before anything is stored."""

from __future__ import annotations

import io

import pytest

from broadsheet.bibliography.record import Record, Rejected
from broadsheet.sources import json_lines
from broadsheet.sources.base import HEAD_BYTES, Unreadable, read_verified
from broadsheet.sources.json_lines import LONGEST_LINE
from broadsheet.sources.origins.records import Records

LAMP = b'{"title": "A Lamp for Every Step"}\n'
EXEMPLE = '{"title": "Harbours", "authors": ["Chloé Exemple"]}\n'


def read(data: bytes) -> list[Record | Rejected]:
    return list(read_verified(Records(), io.BytesIO(data), filename="papers.jsonl"))


def refusal(data: bytes) -> str:
    with pytest.raises(Unreadable) as caught:
        json_lines.verify(io.BytesIO(data), filename="papers.jsonl")
    return caught.value.sentence


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        pytest.param(b"{broken", "the line is not JSON", id="not JSON"),
        pytest.param(b'{"title": NaN}', "the line is not JSON", id="NaN"),
        pytest.param(b'{"title": Infinity}', "the line is not JSON", id="Infinity"),
        pytest.param(b'{"title": "\\ud800"}', "the line is not JSON", id="half a surrogate pair"),
        pytest.param(b'{"title": "a\x00b"}', "the line is not JSON", id="zero byte"),
        pytest.param(b'{"title":' + b"[" * 100_000, "the line is not JSON", id="nesting bomb"),
        pytest.param(b'{"a":' * 5_000 + b"1" + b"}" * 5_000, "the line is not JSON", id="nesting bomb that is closed"),
        pytest.param(b'{"title": 1' + b"0" * 10_000 + b"}", "the line is not JSON", id="absurd number"),
        pytest.param(b'{"title": 1' + b"0" * 40 + b"}", "must be text, but is a number", id="large number"),
        pytest.param(b'{"title": "Chlo\xe9"}', "not UTF-8 text: its byte 15 cannot be read", id="Latin-1"),
        pytest.param(b'["title"]', "JSON, but not an object", id="list"),
        pytest.param(b"7", "JSON, but not an object", id="number"),
        pytest.param(b'{"title": "' + b"x" * LONGEST_LINE + b'"}', "longer than 1,048,576 bytes", id="too long"),
        pytest.param(b'{"title": "a"} {"title": "b"}', "the line is not JSON", id="two on a line"),
    ],
)
def test_a_bad_line_is_rejected_and_the_next_is_read(line: bytes, reason: str) -> None:
    first, rejected, last = read(EXEMPLE.encode() + line + b"\n" + LAMP)
    assert isinstance(first, Record)
    assert isinstance(rejected, Rejected)
    assert rejected.position == "line 2"
    assert reason in rejected.reason
    assert len(rejected.excerpt) <= 200
    assert isinstance(last, Record)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(LAMP.replace(b"\n", b"\r\n"), id="Windows line ends"),
        pytest.param(b"\xef\xbb\xbf" + LAMP, id="byte order mark"),
        pytest.param(b"\n \n" + LAMP + b"\n\t\n", id="blank lines"),
        pytest.param(LAMP.rstrip(), id="no line end at the end"),
        pytest.param(b"  " + LAMP, id="indented"),
    ],
)
def test_harmless_differences(data: bytes) -> None:
    assert read(data) == read(LAMP)


def test_lines_are_counted_with_the_blank_ones() -> None:
    _, rejected = read(LAMP + b"\n\n{}\n")
    assert isinstance(rejected, Rejected)
    assert rejected.position == "line 4"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(b"\n\n", "holds nothing but blanks", id="blank"),
        pytest.param(LAMP + LAMP[:20], "is cut off: its last line, number 2, is not complete", id="cut off"),
        pytest.param(LAMP + b"{", "its last line, number 2", id="cut off behind a brace"),
        pytest.param(LAMP + b"x" * (LONGEST_LINE + 9), "its last line, number 2", id="cut off in a long line"),
        pytest.param(LAMP + bytes(100_000), "its last line, number 2", id="zeros behind a record"),
        pytest.param(LAMP * 3_000 + bytes(100_000), "its last line, number 3001", id="zeros far behind"),
        pytest.param((LAMP + EXEMPLE.encode()).decode().encode("utf-16"), "is text in UTF-16", id="UTF-16"),
        pytest.param(
            LAMP + EXEMPLE.encode("latin-1") + LAMP,
            "is not UTF-8 text: byte 74 cannot be read. It looks like Latin-1 or Windows-1252.",
            id="Latin-1",
        ),
        pytest.param(b"\xef\xbb\xbf" + EXEMPLE.encode("latin-1"), "byte 42 cannot be read", id="Latin-1 behind a mark"),
        pytest.param(LAMP + EXEMPLE.encode()[:40], "in the middle of a letter, at byte 74", id="half a letter"),
        pytest.param(b"<html><body>Not found</body></html>", "is a web page (HTML)", id="web page"),
        pytest.param(b"Dear colleague\n" * 20, "is not one JSON object on each line", id="letter"),
        pytest.param(b'[\n{"title": "a"},\n{"title": "b"}\n]\n', "with no list around them", id="array"),
        pytest.param(b"x" * 10 * LONGEST_LINE, "is not one JSON object on each line", id="one huge line"),
        pytest.param(b"\x7fELF" + bytes(99), "is a binary file: byte 4 is zero", id="binary"),
        pytest.param(b"\x1f\x8b\x08" + bytes(9), "is compressed (gzip)", id="gzip"),
    ],
)
def test_a_file_that_is_refused(data: bytes, sentence: str) -> None:
    said = refusal(data)
    assert sentence in said
    assert "Nothing was stored." in said


def test_one_damaged_line_in_a_utf8_file_costs_that_line_only() -> None:
    data = LAMP + EXEMPLE.encode("latin-1") + EXEMPLE.encode()
    assert [type(said) for said in read(data)] == [Record, Rejected, Record]


def test_a_file_that_is_no_json_lines_is_not_read_to_its_end() -> None:
    stream = io.BytesIO(b"word\n" * 1_000_000)
    with pytest.raises(Unreadable):
        json_lines.verify(stream, filename="words.txt")
    assert stream.tell() <= HEAD_BYTES


def test_a_long_line_at_the_very_end_is_complete_when_it_ends() -> None:
    _, rejected = read(LAMP + b'{"title": "' + b"x" * LONGEST_LINE + b'"}\n')
    assert isinstance(rejected, Rejected)


def test_objects_are_looked_for_in_whole_lines_of_the_head() -> None:
    head = (LAMP * 2_000)[:65_536]
    assert json_lines.first_objects(head) == [{"title": "A Lamp for Every Step"}] * 10
    assert json_lines.first_objects(b"x" * 65_536) == []
    assert json_lines.first_objects(LAMP.rstrip()) == [{"title": "A Lamp for Every Step"}]
