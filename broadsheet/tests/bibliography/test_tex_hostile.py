"""Laws that hold for any text at all: safe, well-formed HTML; plain text; and work in proportion to the length."""

from __future__ import annotations

import re
import threading
import xml.etree.ElementTree as ET  # the input is our own output
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from broadsheet.bibliography import tex_scan
from broadsheet.bibliography.tex import paragraphs, to_html, to_text
from broadsheet.bibliography.tex_mathml import ATTRIBUTES, ELEMENTS, formula_to_mathml
from broadsheet.bibliography.tex_unicode import formula_to_text

PIECES = [
    *("$", "$$", "{", "}", "^", "_", "~", "`", "''", "--", "\\", "\\\\", "&", "<", ">", '"', "'", "(", ")", "[", "]"),
    *(
        r"\emph{",
        r"{\it ",
        r"\textbf{",
        r"\frac",
        r"\sqrt{",
        r"\alpha",
        r"\left(",
        r"\right)",
        r"\mathbb ",
        r"\'",
        r"\c ",
    ),
    *(r"\(", r"\)", r"\[", r"\]", r"\begin{align}", r"\end{align}", r"\href{javascript:x}{", r"\url{", r"\cite{a}"),
    *(
        "https://a.example/",
        "javascript:alert(1)",
        "<script>",
        " onload=x ",
        "</math>",
        "x",
        "n",
        "2",
        " ",
        "\n",
        "word",
    ),
    *(
        "mathcal{O}",
        "x_1",
        "varepsilon",
        "epsilon^2",
        "\u0338",
        "\x00",
        "\ud800",
        "\u202e",
        "é",
        r"\foo",
        r"\color{red}",
    ),
]
anything = st.text(max_size=200) | st.lists(st.sampled_from(PIECES), max_size=40).map("".join)

ALLOWED = ELEMENTS | {"em", "strong", "code", "span", "a", "br"}


def check_html(html: str) -> None:
    """No element, attribute or address but those of the contract, and well-formed."""
    root = ET.fromstring(f"<p>{html}</p>")
    for element in root.iter():
        if element is root:
            continue
        assert element.tag in ALLOWED
        if element.tag == "a":
            assert element.get("href", "").startswith(("http://", "https://"))
            assert set(element.attrib) == {"rel", "href"}
        elif element.tag == "span":
            assert element.attrib == {"class": "tex"}
        else:
            assert set(element.attrib) <= ATTRIBUTES


@given(anything)
@example("$a<b$\u0338")
@example(r"$\text{\textbf{x}}\href{javascript:x}{y}\eqref{z}$")
def test_html_is_safe_and_well_formed(tex: str) -> None:
    check_html(to_html(tex))
    check_html(to_html(tex, links=True))
    for paragraph in paragraphs(tex, links=True):
        check_html(paragraph)


@given(anything)
def test_text_is_one_clean_line(tex: str) -> None:
    text = to_text(tex)
    assert text == " ".join(text.split())
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]", text)
    text.encode()


@given(st.sampled_from(["αβγ ≤ x²", "Erdős “quoted” – text", "ℝⁿ and √T", "50% of 3 GeV"]))
def test_text_that_is_done_stays(text: str) -> None:
    assert to_text(text) == text


N = 60_000
BOMBS = {
    "open-braces": "{" * N,
    "nested-braces": "{" * (N // 2) + "}" * (N // 2),
    "dollars-and-braces": "${" * (N // 2),
    "dollars": "$ " * (N // 2),
    "prices": "$5 and " * (N // 7),
    "escaped-dollars": "$" + r"\$" * (N // 2),
    "styles": r"\emph{" * (N // 6),
    "switches": "{" + r"\it " * (N // 4) + "}",
    "accents": r"\'\c " * (N // 5) + "a",
    "combining-marks": "a" + "\u0301\u0323" * (N // 2),
    "citations": r"\cite[" * (N // 6),
    "environments": r"\begin{equation}" * (N // 16),
    "formulas-never-closed": r"\(" * (N // 2),
    "definitions": r"\newcommand{\a}{" * (N // 16),
    "scripts": "x^(" * (N // 3),
    "closed-scripts": "x^(" * (N // 6) + ")" * (N // 6),
    "bare-words": "x_1+" * (N // 4),
    "bare-brackets": "(x_1" * (N // 4),
    "snakes": "a_b_" * (N // 4),
    "glued-words": "nepsilon" * (N // 8),
    "lost-fractions": "8{" * (N // 2),
    "addresses": "http://a{" * (N // 9),
    "backticks": "`a" * (N // 2),
    "ties": "~" * N,
    "ties-in-a-formula": "$" + "~" * 40_000 + "$",
    "cells-in-a-formula": "$" + "&" * 40_000 + "$",
    "roots": "$" + r"\sqrt " * (N // 6) + "$",
    "fractions": "$" + r"\frac" * 100 + "$",
    "brackets-never-closed": "$" + "(" * 40 + "$",
    "brackets-taken-as-scripts": "$" + "(^)" * 40 + "$",
    "groups-with-brackets": "$" + "{(}" * 40 + "$",
    "bracket-commands": "$" + r"\langle(" * 20 + "$",
    "moduli": "$" + r"\pmod^" * 40 + "$",
    "unknown-commands": "$" + "".join(rf"\q{chr(97 + i % 26)}q " for i in range(110)) + "$",
    "name-of-a-command": "$\\" + "a" * 40_000 + "$",
}


@pytest.mark.parametrize("render", [to_text, to_html, paragraphs])
@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_input_made_to_hang_completes(bomb: str, render: Callable[[str], object]) -> None:
    render(bomb)


def test_a_megabyte_is_scanned_in_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = 0
    closing_dollar = tex_scan._closing_dollar

    def counted(tex: str, start: int) -> int:
        nonlocal looked_at
        end = closing_dollar(tex, start)
        looked_at += (end if end >= 0 else len(tex)) - start
        return end

    monkeypatch.setattr(tex_scan, "_closing_dollar", counted)
    text = "$5 million and {x $ y} " * 45_000
    to_text(text)
    assert looked_at < 3 * len(text)


def test_formulas_need_little_stack() -> None:
    formulas = [
        r"\sqrt " * 119 + "x",
        r"\frac a" * 119 + "b",
        r"\left(" * 38 + r"\right)" * 38,
        r"\begin{matrix}" * 30 + r"\end{matrix}" * 30,
        "{" * 40 + "}" * 40,
        "x^{" * 40 + "}" * 40,
        r"\xrightarrow " * 119 + "x",
        "[" * 5_000,
    ]
    results: list[object] = []
    previous = threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(target=lambda: results.extend(formula_to_mathml(formula) for formula in formulas))
        thread.start()
        thread.join()
    finally:
        threading.stack_size(previous)
    assert len(results) == len(formulas)


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_formulas_never_raise(tex: str) -> None:
    clean = tex.replace("\ud800", "").replace("\x00", "")
    formula_to_text(clean)
    markup = formula_to_mathml(clean)
    if markup:
        check_html(markup.replace("\u202e", ""))
