"""Every built-in source, and one of somebody else, keeps the laws; and the laws notice who breaks them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO

import pytest

from broadsheet.bibliography.record import Record, Rejected
from broadsheet.sources.base import Unreadable, digest_key
from broadsheet.sources.origins.catalogue import Catalogue
from broadsheet.sources.origins.records import Records
from broadsheet.sources.origins.saved_page import SavedPage
from broadsheet.testing import source_conformance as laws
from broadsheet.testing.source_conformance import BUILT_IN_SAMPLES, Sample, SourceConformance


class TestSavedPage(SourceConformance):
    source = SavedPage()
    sample = BUILT_IN_SAMPLES["saved-page"]


class TestCatalogue(SourceConformance):
    source = Catalogue()
    sample = BUILT_IN_SAMPLES["catalogue"]


class TestRecords(SourceConformance):
    source = Records()
    sample = BUILT_IN_SAMPLES["records"]


class ReadingList:
    """A source of another package: after its first line, one title a line."""

    name = "reading-list"
    title = "Reading list"

    def recognises(self, head: bytes, filename: str) -> bool:
        return head.startswith(b"reading list\n")

    def read(self, stream: BinaryIO, *, filename: str) -> Iterator[Record | Rejected]:
        if stream.readline(20) != b"reading list\n":
            raise Unreadable(f"{filename} is no reading list. Nothing was stored. Choose another file.")
        number = 1
        while line := stream.readline(500):
            number += 1
            if len(line) == 500:
                yield Rejected(self.name, f"line {number}", "the line is too long", line[:20])
                return
            yield self._said(number, line)

    def _said(self, number: int, line: bytes) -> Record | Rejected:
        title = line.decode("utf-8", "replace").strip()
        if not title or "\ufffd" in title or "\0" in title:
            return Rejected(self.name, f"line {number}", "the line is not a title", line[:20])
        return Record(source=self.name, source_key=digest_key(title), title=title)


READING_LIST = Sample("list.txt", "reading list\nA Lamp for Every Step\nHarbours, by Đorđe Primer\n".encode())


class TestReadingList(SourceConformance):
    source = ReadingList()
    sample = READING_LIST


class _Whole(ReadingList):
    def read(self, stream: BinaryIO, *, filename: str) -> Iterator[Record | Rejected]:
        return super().read(io.BytesIO(stream.read()), filename=filename)


class _Named(ReadingList):
    def read(self, stream: BinaryIO, *, filename: str) -> Iterator[Record | Rejected]:
        for said in super().read(stream, filename=filename):
            yield replace(said, source_key=filename) if isinstance(said, Record) else said


class _Greedy(ReadingList):
    def recognises(self, head: bytes, filename: str) -> bool:
        return True


class _Late(ReadingList):
    def read(self, stream: BinaryIO, *, filename: str) -> Iterator[Record | Rejected]:
        yield from super().read(stream, filename=filename)
        raise Unreadable("The end is missing. Nothing was stored.")


class _Mute(ReadingList):
    def read(self, stream: BinaryIO, *, filename: str) -> Iterator[Record | Rejected]:
        raise Unreadable("bad file")


class _Zero(ReadingList):
    def read(self, stream: BinaryIO, *, filename: str) -> Iterator[Record | Rejected]:
        yield Record(source=self.name, source_key="1", title="A \0 byte")


@pytest.mark.parametrize(
    ("source", "law", "complaint"),
    [
        pytest.param(_Whole(), laws.check_huge_file, "whole file at once", id="reads everything"),
        pytest.param(_Named(), laws.check_repeatable, "name changes", id="keys from the file's name"),
        pytest.param(_Greedy(), laws.check_recognition, "recognises", id="recognises everything"),
        pytest.param(_Late(), laws.check_truncations, "after the first item", id="refuses late"),
        pytest.param(_Mute(), laws.check_truncations, "no sentence", id="says nothing"),
        pytest.param(_Zero(), laws.check_sample, "zero byte", id="text that no database holds"),
    ],
)
def test_who_breaks_a_law_is_noticed(source: ReadingList, law: object, complaint: str) -> None:
    assert callable(law)
    with pytest.raises(AssertionError, match=complaint):
        law(source, READING_LIST)
