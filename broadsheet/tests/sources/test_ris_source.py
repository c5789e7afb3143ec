"""Files of RIS: recognised, decoded and bounded."""

from __future__ import annotations

from pathlib import Path

import pytest

from broadsheet.bibliography.record import Record, Rejected
from broadsheet.sources.base import Unreadable
from broadsheet.sources.origins.ris import Ris
from broadsheet.testing.source_conformance import BUILT_IN_SAMPLES, SourceConformance, read_all


class TestRis(SourceConformance):
    source = Ris()
    sample = BUILT_IN_SAMPLES["ris"]


@pytest.mark.parametrize(
    ("head", "is_ris"),
    [
        pytest.param(b"TY  - JOUR\r\nTI  - A\r\n", True, id="entry"),
        pytest.param(b"\xef\xbb\xbf\n\nTY  - JOUR\nAU  - A\n", True, id="mark and blank lines"),
        pytest.param(b"1. \nTY  - JOUR\nAU  - A\n", True, id="words before"),
        pytest.param(b"TY  - JOUR\n", False, id="nothing behind the type"),
        pytest.param(b"FN Clarivate\nVR 1.0\nPT J\nAU A\nER\n", False, id="tags of another format"),
    ],
)
def test_recognition(head: bytes, is_ris: bool) -> None:
    assert Ris().recognises(head, "x.ris") is is_ris


def test_a_file_in_another_encoding_is_refused_with_its_name() -> None:
    with pytest.raises(Unreadable, match=r"not UTF-8 text.*Latin-1"):
        read_all(Ris(), "TY  - JOUR\nTI  - Lämp\nER  - \n".encode("latin-1"))


def test_damage_in_one_entry_rejects_that_entry() -> None:
    good, bad = "TY  - JOUR\nTI  - Lämp\nER  - \n".encode(), "TY  - JOUR\nTI  - Lämp\nER  - \n".encode("latin-1")
    kinds = [type(one) for one in read_all(Ris(), bad + good)]
    assert kinds == [Rejected, Record]


RECORDED = {
    "example_basic.ris": (1, 0),
    "example_extraneous_data.ris": (2, 0),
    "example_full.ris": (2, 0),
    "example_multiline.ris": (0, 3),
    "example_urls.ris": (4, 0),
    "example_utf_chars.ris": (1, 0),
    "example_wos.ris": (0, 0),
}


def test_recorded_files(protocol: Path) -> None:
    for name, (records, rejections) in RECORDED.items():
        statements = read_all(Ris(), (protocol / "ris" / name).read_bytes(), name)
        found = sum(isinstance(one, Record) for one in statements)
        assert (found, len(statements) - found) == (records, rejections), name
