"""Files of BibTeX: recognised, decoded, bounded, and read with what entries inherit from each other."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from broadsheet.bibliography.record import Record, Rejected
from broadsheet.sources.base import Unreadable
from broadsheet.sources.origins.bibtex import Bibtex
from broadsheet.testing.source_conformance import BUILT_IN_SAMPLES, SourceConformance, read_all


class TestBibtex(SourceConformance):
    source = Bibtex()
    sample = BUILT_IN_SAMPLES["bibtex"]


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"@article{a,\n  title = {A}\n}", id="entry"),
        pytest.param(b"\xef\xbb\xbf% Encoding: UTF-8\n\n  @ARTICLE { a , author={A}}", id="mark, comment, capitals"),
        pytest.param(b'@string{s = "A"}\r@misc{a, title = s}', id="macro first, ends of lines of an old system"),
        pytest.param(b"@article(a, year = 2024)", id="parentheses"),
    ],
)
def test_recognised(head: bytes) -> None:
    assert Bibtex().recognises(head, "x")


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"Dear @all{of you}, the title = x", id="letter"),
        pytest.param(b"@media(max-width: 2px) { a { color: red } }", id="style sheet"),
        pytest.param(b"@article{a,", id="nothing behind the key"),
        pytest.param(b"class A:\n    @property\n    def title(self): ...", id="program"),
    ],
)
def test_not_recognised(head: bytes) -> None:
    assert not Bibtex().recognises(head, "x.bib")


def test_entries_inherit_across_the_file() -> None:
    data = (
        b"@inproceedings{a, title={Meadows}, crossref={p}}\n"
        b"@proceedings{p, title={Proceedings of STAIRS}, year=2024}\n"
        b"@inproceedings{b, title={Lamps}, crossref={P}}\n"
    )
    first, parent, second = read_all(Bibtex(), data)
    assert isinstance(first, Record)
    assert isinstance(parent, Rejected)
    assert isinstance(second, Record)
    assert first.venue == second.venue == "Proceedings of STAIRS"


def test_a_file_in_another_encoding_is_refused_with_its_name() -> None:
    with pytest.raises(Unreadable, match=r"not UTF-8 text.*Latin-1"):
        read_all(Bibtex(), "@misc{a, title={Lämp}, author={Chloé Exemple}}".encode("latin-1"), "old.bib")


def test_damage_in_one_entry_rejects_that_entry() -> None:
    good, bad = "@misc{a, title={Lämp}}\n".encode(), "@misc{b, title={Lämp}}\n".encode("latin-1")
    first, second, third = read_all(Bibtex(), good + bad + good.replace(b"{a", b"{c"))
    assert isinstance(first, Record)
    assert isinstance(second, Rejected)
    assert "UTF-8" in second.reason
    assert isinstance(third, Record)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        pytest.param("title = {" + "x" * 3000 + "}", "its title has more than 2,000 letters", id="title"),
        pytest.param("title = {A}, year = 1400", "its submitted must lie between 1600-01-01", id="year"),
        pytest.param("title = {A}, doi = {10.1000/" + "x" * 300 + "}", "its identifiers has an entry", id="identifier"),
        pytest.param("title = {A}, journal = {" + "x" * 1500 + "}", "its venue has more than 1,000", id="venue"),
    ],
)
def test_what_no_database_holds_is_rejected(fields: str, reason: str) -> None:
    (found,) = read_all(Bibtex(), f"@misc{{a, {fields}}}".encode())
    assert isinstance(found, Rejected)
    assert found.reason.startswith(reason)


def test_categories_that_are_no_part_of_an_address_are_left_out() -> None:
    (found,) = read_all(Bibtex(), b"@misc{a, title={A}, primaryClass={cs.LG}, categories={a/b, stat.ML}}")
    assert isinstance(found, Record)
    assert found.categories == ("cs.LG", "stat.ML")


def test_the_stream_stays_open() -> None:
    stream = io.BytesIO(BUILT_IN_SAMPLES["bibtex"].data)
    list(Bibtex().read(stream, filename="x"))
    assert not stream.closed


RECORDED = {"biber-examples.bib": 93, "crossref_entries.bib": 12, "article_missing_coma.bib": 4, "wannier.bib": 1}


def test_recorded_files(protocol: Path) -> None:
    files = {path.name: path for path in (protocol / "bibtex").rglob("*.bib")}
    for name, records in RECORDED.items():
        statements = read_all(Bibtex(), files[name].read_bytes(), name)
        assert sum(isinstance(one, Record) for one in statements) == records, name
        assert Bibtex().recognises(files[name].read_bytes(), name)


def test_a_recorded_file_in_another_encoding_is_refused(protocol: Path) -> None:
    with pytest.raises(Unreadable, match="not UTF-8"):
        read_all(Bibtex(), (protocol / "bibtex" / "bibtexparser_v2" / "gbk_test.bib").read_bytes())
