"""RIS as reference managers and publishers write it, and as we do."""

from __future__ import annotations

import time
from typing import Any

import pytest

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.formats import ris
from broadsheet.bibliography.record import Record, Rejected
from broadsheet.testing.cast import ADA, BELA, LANTERN, arxiv, doi, said


def read(text: str) -> list[Record | Rejected]:
    """Everything that is read of `text`."""
    return list(ris.read(text, "ris"))


def record(*lines: str) -> Record:
    """The record of one entry with these lines and a title."""
    (found,) = read("\n".join(["TY  - JOUR", "TI  - A Lamp", *lines, "ER  - "]))
    assert isinstance(found, Record), found
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", [], id="empty"),
        pytest.param("TY  - JOUR\r\nTI  - A\r\nER  - \r\n\r\nTY  - BOOK\r\nTI  - B\r\nER  -\r\n", ["A", "B"], id="two"),
        pytest.param("\ufeff\n\nTY  - JOUR\nTI  - A\nER  - ", ["A"], id="byte order mark, blank lines"),
        pytest.param("1.\nProvider: X\nTY  - JOUR\nTI  - A\nER  - \nRecord 2\n", ["A"], id="words around entries"),
        pytest.param("TY  - JOUR\nTI  - A\nTY  - JOUR\nTI  - B\nER  - ", ["A", "B"], id="the end is missing"),
        pytest.param("TY  - JOUR\nTI  - A", ["! the file ends in the middle of it"], id="cut off"),
        pytest.param("TY  - JOUR\nAU  - A\nER  - ", ["! it has no title"], id="no title"),
        pytest.param("TY  - JOUR\nT1  - A\nER  - ", ["A"], id="T1"),
        pytest.param("TY  - BOOK\nBT  - A\nER  - ", ["A"], id="the title of a book"),
        pytest.param("TY  - JOUR\nST  - A\nER  - ", ["A"], id="only a short title"),
        pytest.param("TY - JOUR\nTI - A\nER - ", ["A"], id="one blank"),
        pytest.param("TY  - JOUR\nTI  - A\nlong\ntitle\nER  - ", ["A long title"], id="a line continued"),
        pytest.param("PT J\nTI A\nER\n", [], id="tags of another format"),
    ],
)
def test_files(text: str, expected: list[str]) -> None:
    assert [one.title if isinstance(one, Record) else f"! {one.reason}" for one in read(text)] == expected


def test_a_rejection_says_where_and_keeps_the_beginning() -> None:
    (found,) = read("\n\nTY  - JOUR\nAU  - Example, Ada\nER  - ")
    assert isinstance(found, Rejected)
    assert found.position == "entry 1 on line 3"
    assert b"AU  - Example, Ada" in found.excerpt


@pytest.mark.parametrize(
    ("lines", "name", "expected"),
    [
        pytest.param(("AU  - Example, Ada", "A1  - Bela Beispiel"), "authors", (ADA, BELA), id="authors"),
        pytest.param(("AU  - Example,Ada,Jr.",), "authors", ("Ada Example Jr.",), id="suffix"),
        pytest.param(("AU  - Example, Ada,",), "authors", (ADA,), id="an empty suffix"),
        pytest.param(("AU  - Invented Research,",), "authors", ("{Invented Research}",), id="organisation"),
        pytest.param(("AU  - The INVENTED Collaboration",), "authors", ("The INVENTED Collaboration",), id="many"),
        pytest.param(("A2  - Example, Ada",), "authors", (), id="editors are no authors"),
        pytest.param(("PY  - 2024",), "submitted", PartialDate(2024), id="year"),
        pytest.param(("Y1  - 2024/02//",), "submitted", PartialDate(2024, 2), id="month"),
        pytest.param(("PY  - 2024", "DA  - 2024/02/03/Spring"), "submitted", PartialDate(2024, 2, 3), id="day"),
        pytest.param(("PY  - 2024", "DA  - 2023-12-31"), "submitted", PartialDate(2024), id="dates that disagree"),
        pytest.param(("PY  - soon",), "submitted", None, id="no date"),
        pytest.param(("JO  - J. Stairs", "T2  - Journal of Stairs"), "venue", "Journal of Stairs", id="journal"),
        pytest.param(("BT  - Stairs and Lamps",), "venue", "Stairs and Lamps", id="book"),
        pytest.param(("N2  - One", "line.", "", "Another."), "abstract", "One line.\n\nAnother.", id="paragraphs"),
        pytest.param(("AB  - Cost", "ER of the house"), "abstract", "Cost ER of the house", id="words like a tag"),
        pytest.param(
            ("KW  - lamps", "KW  - stairs", "houses"), "keywords", ("lamps", "stairs", "houses"), id="keywords"
        ),
        pytest.param(("N1  - 12 pages", "N1  - in print"), "comments", "12 pages\n\nin print", id="notes"),
        pytest.param(("XX  - unknown",), "comments", "", id="unknown tags are passed over"),
    ],
)
def test_fields(lines: tuple[str, ...], name: str, expected: Any) -> None:
    assert getattr(record(*lines), name) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param("DO  - https://doi.org/10.1000/A.7", doi("10.1000/a.7"), id="DO"),
        pytest.param("UR  - http://example.org; https://arxiv.org/abs/2401.00001v2", arxiv("2401.00001"), id="UR, two"),
        pytest.param("AN  - arXiv:2401.00001", arxiv("2401.00001"), id="AN"),
        pytest.param("M1  - arXiv:2401.00001 [cs]", arxiv("2401.00001"), id="M1"),
        pytest.param("C1  - arXiv:math/0611800", arxiv("math/0611800"), id="C1"),
        pytest.param("AN  - doi:10.1000/a.7", doi("10.1000/a.7"), id="AN, as we write it"),
    ],
)
def test_identifiers(line: str, expected: Any) -> None:
    assert record(line).identifiers == (expected,)


def test_numbers_that_only_look_like_identifiers_are_none() -> None:
    assert record("M1  - 2401.00001", "VL  - 0704.0001").identifiers == ()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("TY  - JOUR\nAB  - " + "x\n" * 500_000 + "ER  - \n", id="lines that continue"),
        pytest.param("TY  - JOUR\n" * 50_000, id="beginnings"),
        pytest.param("TY  - JOUR\nTI  - A\n" + "AU  - A\n" * 200_000 + "ER  - \n", id="authors"),
        pytest.param("TY  - JOUR\nTI  - A\nPY  - " + "1" * 1_000_000 + "\nER  - \n", id="a long year"),
        pytest.param("TY  - JOUR\nTI  - A\nUR  - " + ";" * 1_000_000 + "\nER  - \n", id="addresses"),
    ],
)
def test_hostile_files_take_time_in_proportion(text: str) -> None:
    began = time.monotonic()
    read(text)
    assert time.monotonic() - began < 60


def test_an_entry_that_is_too_long_does_not_cost_the_next() -> None:
    first, second = read(f"TY  - JOUR\nTI  - {'x' * ris.LONGEST_ENTRY}\nER  - \nTY  - JOUR\nTI  - B\nER  - \n")
    assert isinstance(first, Rejected)
    assert isinstance(second, Record)


def test_a_preprint() -> None:
    assert "".join(ris.write([LANTERN])).split("\r\n") == [
        "TY  - UNPD",
        "TI  - Lantern: Step Sizes from $\\ell_2$ Gradient Norms",
        "AU  - Example, Ada",
        "AU  - Exemple, Chloé",
        "PY  - 2023",
        "DA  - 2023/12/29",
        "AB  - We choose step sizes from the $\\ell_2$ norm of the last gradient. The bound is $O(\\sqrt{T})$.",
        "DO  - 10.48550/arXiv.2401.00001",
        "UR  - https://arxiv.org/abs/2401.00001",
        "AN  - arXiv:2401.00001",
        "ID  - example2023lantern",
        "ER  - ",
        "",
        "",
    ]


@pytest.mark.parametrize(
    ("venue", "kind"),
    [
        pytest.param("Journal of Stairs", "JOUR", id="journal"),
        pytest.param("ICML 2024", "CPAPER", id="conference"),
        pytest.param("Stairs 12, 9", "UNPD", id="either"),
        pytest.param("", "UNPD", id="none"),
    ],
)
def test_the_type_of_entry(venue: str, kind: str) -> None:
    assert "".join(ris.write([said("A Lamp", venue=venue)])).startswith(f"TY  - {kind}\r\n")


def test_no_line_of_a_text_looks_like_a_tag() -> None:
    text = "".join(ris.write([said("A\nER  - Lamp", abstract="One.\n\nER  - \n\nTY  - JOUR")]))
    assert text.count("\r\nER  - ") == 1
    assert "\r\nTY" not in text
