"""The laws that every source keeps, as functions and as a class of tests to inherit. Needs pytest and hypothesis.

A package that offers a source tests it with::

    class TestMySource(SourceConformance):
        source = MySource()
        sample = Sample("mine.txt", Path("tests/mine.txt").read_bytes())

The sample is a whole, valid file of at least two items, best a recorded one and of a few kilobytes.
"""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import BinaryIO

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broadsheet.bibliography.record import Record, Rejected
from broadsheet.sources.base import EXCERPT_BYTES, HEAD_BYTES, Source, Unreadable, Verifying, read_verified

# How much memory a source may use at its peak for a file of any size, in bytes.
PEAK_BYTES = 160 * 1024 * 1024
# The size of the huge file that a source must survive, in bytes.
HUGE_BYTES = 500_000_000

Statements = list[Record | Rejected]


@dataclass(frozen=True, slots=True)
class Sample:
    """A file by its name and its bytes."""

    filename: str
    data: bytes


_FOREIGN = {
    "web page": b"<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>\n",
    "JSON": b'{\n  "papers": [\n    {"name": "A Lamp for Every Step"}\n  ]\n}\n',
    "foreign JSON Lines": b'{"event": "login", "at": 1}\n{"event": "logout", "at": 2}\n',
    "CSV": b"title,authors\nA Lamp for Every Step,Ada Example\n",
    "letter": b"Dear colleague,\n\nthe minutes of our meeting about new papers are attached.\n",
    "PDF": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n",
    "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
    "zeros": bytes(4096),
    "empty": b"",
}

# One invented file of each built-in source, by the source's name: the files of `testing/samples`.
BUILT_IN_SAMPLES = {
    file.name.rpartition(".")[0]: Sample(file.name, file.read_bytes())
    for file in (resources.files("broadsheet.testing") / "samples").iterdir()
}


def foreign_samples(source: Source) -> dict[str, Sample]:
    """Files that `source` must not recognise, by what they are: those of other sources and of common formats."""
    others = {name: sample for name, sample in BUILT_IN_SAMPLES.items() if name != source.name}
    return others | {name: Sample("file.txt", data) for name, data in _FOREIGN.items()}


def read_all(source: Source, data: bytes, filename: str = "file") -> Statements:
    """Everything that the source says of these bytes, verified first. Raises Unreadable."""
    return list(read_verified(source, io.BytesIO(data), filename=filename))


def check_recognition(source: Source, sample: Sample) -> None:
    """It knows its own file by the first bytes, under any name, and no foreign one. Raises AssertionError."""
    head = sample.data[:HEAD_BYTES]
    assert source.recognises(head, sample.filename), "its own sample is not recognised"
    assert source.recognises(head, "renamed"), "its own sample is not recognised under another name"
    for kind, foreign in foreign_samples(source).items():
        assert not source.recognises(foreign.data[:HEAD_BYTES], foreign.filename), f"recognises {kind}"


def check_statements(source: Source, statements: Statements) -> None:
    """Each item is sound: keys, a title, text that a database holds, as_json both ways. Raises AssertionError."""
    for said in statements:
        if isinstance(said, Rejected):
            assert said.source == source.name
            assert said.position, f"no position: {said}"
            assert said.reason, f"no reason: {said}"
            assert said.reason.isprintable(), f"a reason that could steer a terminal: {said}"
            assert len(said.excerpt) <= EXCERPT_BYTES, f"too long an excerpt: {said}"
        else:
            assert isinstance(said, Record)
            assert said.source, f"no source: {said}"
            assert said.source_key, f"no key: {said}"
            assert said.title.strip(), f"no title: {said}"
            plain = said.as_json()
            assert not any("\0" in text for text in _texts(plain)), f"a zero byte, which a database refuses: {said}"
            assert Record.from_json(orjson.loads(orjson.dumps(plain))) == said, f"as_json loses something: {said}"


def _texts(value: object) -> Iterator[str]:
    """Every text in a value of JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from _texts(list(value.values()))
    elif isinstance(value, list):
        for entry in value:
            yield from _texts(entry)


def check_sample(source: Source, sample: Sample) -> None:
    """It reads its sample: two records or more, each with a key of its own, none rejected. Raises AssertionError."""
    statements = read_all(source, sample.data, sample.filename)
    check_statements(source, statements)
    rejected = [said for said in statements if isinstance(said, Rejected)]
    assert not rejected, f"rejects of its own sample: {rejected}"
    keys = {(said.source, said.source_key) for said in statements if isinstance(said, Record)}
    assert len(keys) == len(statements) >= 2, "the sample needs two items or more, with different keys"


def check_repeatable(source: Source, sample: Sample) -> None:
    """The same bytes under another name give the same items and keys, at once or in pieces. Raises AssertionError."""
    first = read_all(source, sample.data, sample.filename)
    assert read_all(source, sample.data, "renamed") == first, "the file's name changes what is read"
    in_pieces = read_verified(source, io.BufferedReader(_Huge(sample.data, len(sample.data)), 16), filename="slow")
    assert list(in_pieces) == first, "the size of the pieces changes what is read"


def check_bytes(source: Source, data: bytes) -> Statements:
    """Bytes of any kind give sound items or Unreadable before the first of them. Returns the items.

    Raises AssertionError when Unreadable comes late or without a sentence; any other exception passes through.
    """
    source.recognises(data[:HEAD_BYTES], "hostile")
    statements: Statements = []
    try:
        statements.extend(read_verified(source, io.BytesIO(data), filename="hostile"))
    except Unreadable as refusal:
        _check_refusal(refusal, statements)
    check_statements(source, statements)
    return statements


def _check_refusal(refusal: Unreadable, statements: Statements) -> None:
    assert not statements, "Unreadable came after the first item"
    assert refusal.sentence.endswith("."), f"no sentence: {refusal.sentence!r}"
    assert "Nothing was stored" in refusal.sentence, f"does not say what was kept: {refusal.sentence!r}"
    assert refusal.cause, f"no cause for the log: {refusal.sentence!r}"


def check_truncations(source: Source, sample: Sample, pieces: int = 200) -> None:
    """Of a sample cut off at `pieces` places, items before the last are as in the whole. Raises AssertionError."""
    whole = check_bytes(source, sample.data)
    step = max(1, len(sample.data) // pieces)
    for end in range(0, len(sample.data), step):
        statements = check_bytes(source, sample.data[:end])
        before = statements[:-1]
        assert before == whole[: len(before)], f"cut after {end} bytes, items before the last one differ"


def check_huge_file(source: Source, sample: Sample) -> None:
    """Half a gigabyte of zeros or of one letter, also behind a valid start, is read in bounded memory.

    Raises AssertionError when the source asks for the whole file at once or uses more than `PEAK_BYTES`.
    """
    for start in (b"", sample.data):
        for filler in (b"\x00", b"x"):
            stream = io.BufferedReader(_Huge(start, HUGE_BYTES, filler), 2**20)
            peak = _peak_of_reading(source, stream)
            assert peak <= PEAK_BYTES, f"used {peak:,} bytes at its peak for {start[:20]!r} and {filler!r}"


def _peak_of_reading(source: Source, stream: BinaryIO) -> int:
    tracemalloc.start()
    try:
        source.recognises(stream.read(HEAD_BYTES), "huge")
        stream.seek(0)
        for _ in read_verified(source, stream, filename="huge"):
            pass
    except Unreadable:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return peak


class _Huge(io.RawIOBase):
    """A file of `size` bytes that begins with `start` and goes on with `filler`, and refuses to be read whole."""

    def __init__(self, start: bytes, size: int, filler: bytes = b"\x00") -> None:
        self._start = start
        self._size = size
        self._filler = filler
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readall(self) -> bytes:
        raise AssertionError("the source asked for the whole file at once")

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # any writable buffer comes here
        count = max(0, min(len(buffer), self._size - self._at))
        known = self._start[self._at : self._at + count]
        buffer[:count] = known + self._filler * (count - len(known))
        self._at += count
        return count


class SourceConformance:
    """Inherit, set `source` and `sample`, and pytest runs every law. `foreign_samples` says what must be refused."""

    source: Source
    sample: Sample

    def test_it_says_who_it_is(self) -> None:
        """Name and title are text, and the name is fit for commands."""
        assert self.source.name.replace("-", "a").isalnum()
        assert self.source.name.islower()
        assert self.source.title.strip()

    def test_it_recognises_its_own_files_and_no_others(self) -> None:
        """See `check_recognition`."""
        check_recognition(self.source, self.sample)

    def test_it_reads_its_sample(self) -> None:
        """See `check_sample`."""
        check_sample(self.source, self.sample)

    def test_the_same_bytes_give_the_same_items(self) -> None:
        """See `check_repeatable`."""
        check_repeatable(self.source, self.sample)

    def test_a_file_that_was_cut_off_is_refused_or_keeps_its_first_items(self) -> None:
        """See `check_truncations`."""
        check_truncations(self.source, self.sample)

    def test_nothing_is_read_from_an_empty_file(self) -> None:
        """No item comes from nothing."""
        assert check_bytes(self.source, b"") == []

    def test_a_huge_file_takes_little_memory(self) -> None:
        """See `check_huge_file`."""
        check_huge_file(self.source, self.sample)

    def test_verifying_leaves_the_file_readable(self) -> None:
        """The optional step says nothing of a good file, twice too."""
        if isinstance(self.source, Verifying):
            for _ in range(2):
                self.source.verify(io.BytesIO(self.sample.data), filename=self.sample.filename)

    @given(data=st.binary(max_size=2000))
    @settings(suppress_health_check=[HealthCheck.differing_executors], deadline=None)
    def test_any_bytes_are_refused_or_read(self, data: bytes) -> None:
        """See `check_bytes`."""
        check_bytes(self.source, data)

    @given(st.data())
    @settings(suppress_health_check=[HealthCheck.differing_executors], deadline=None)
    def test_damaged_files_are_refused_or_read(self, data: st.DataObject) -> None:
        """The sample with bits turned over, pieces taken out and pieces put in."""
        damaged = bytearray(self.sample.data)
        for _ in range(data.draw(st.integers(1, 4))):
            at = data.draw(st.integers(0, len(damaged)))
            taken = data.draw(st.sampled_from((0, 0, 1, 7, 100)))
            put = data.draw(st.binary(max_size=4) | st.sampled_from((b"\n", b"\n\n", b'"', b"}", b"\xff", b"\x00")))
            damaged[at : at + taken] = put
        check_bytes(self.source, bytes(damaged))
        flipped = data.draw(st.integers(0, 8 * len(self.sample.data) - 1))
        bits = bytearray(self.sample.data)
        bits[flipped // 8] ^= 1 << flipped % 8
        check_bytes(self.source, bytes(bits))
