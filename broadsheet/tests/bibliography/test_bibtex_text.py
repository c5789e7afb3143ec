"""Text with TeX in the fields of BibTeX: capitals protected, signs escaped, and both taken back exactly."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.bibliography import formats
from broadsheet.bibliography.formats.bibtex_text import decode, encode

WRITTEN = [
    pytest.param("A Lamp for Every Step", "A {Lamp} for {Every} {Step}", id="capitals but the first"),
    pytest.param("BERT and LoRA: a survey", "{BERT} and {LoRA}: a survey", id="capitals inside a word"),
    pytest.param("iPhone-Based Lamps", "{iPhone-Based} {Lamps}", id="hyphens stay inside"),
    pytest.param("Élan Vital", "Élan {Vital}", id="accents are letters"),
    pytest.param("R&D at 50% #1 a_b", "R\\&{D} at 50\\% \\#1 a\\_b", id="signs that LaTeX would take for its own"),
    pytest.param("the $\\ell_2$ & $x_1^2$ norms", "the $\\ell_2$ \\& $x_1^2$ norms", id="mathematics as it is"),
    pytest.param('Schr\\"odinger bridges', 'Schr\\"odinger bridges', id="accent as a command"),
    pytest.param("\\'Ecole", "\\'Ecole", id="a capital under an accent has no place for braces"),
    pytest.param("a {\\em big} \\emph{Lamp}", "a {\\em big} \\emph{Lamp}", id="groups that begin with a command"),
    pytest.param("a {big} lamp", "a {{big}} lamp", id="braces of the text itself"),
    pytest.param("\\L{}ukasz", "\\L{}ukasz", id="empty braces behind a command"),
    pytest.param("costs $5", "costs \\textdollar\\relax{}5", id="a dollar alone"),
    pytest.param("x^2", "x\\textasciicircum\\relax{}2", id="a circumflex outside of mathematics"),
    pytest.param("rock \\& roll", "rock \\&\\relax{} roll", id="an escape of the text itself"),
    pytest.param("a } b {", "a \\textbraceright\\relax{} b \\textbraceleft\\relax{}", id="braces without a partner"),
    pytest.param("$\\left\\{ x$", "$\\left\\lbrace\\relax{} x$", id="an escaped brace without a partner"),
]


@pytest.mark.parametrize(("text", "value"), WRITTEN)
def test_titles(text: str, value: str) -> None:
    assert encode(text, protect=True) == value
    assert decode(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param("{An} amazing {title}", "An amazing title", id="protected words"),
        pytest.param("{An Amazing Title}", "An Amazing Title", id="all of it protected"),
        pytest.param("{DNA}-based {RNA}", "DNA-based RNA", id="inside of words"),
        pytest.param('G{\\"o}del and Erd{\\H o}s', 'G{\\"o}del and Erd{\\H o}s', id="accents keep their braces"),
        pytest.param("{\\'E}t{\\'e}", "{\\'E}t{\\'e}", id="accents at the start"),
        pytest.param("a \\& b \\% c \\_ d \\# e", "a & b % c _ d # e", id="escapes"),
        pytest.param("costs \\$5", "costs \\$5", id="an escaped dollar stays, or mathematics would begin"),
        pytest.param("\\frac{A}{B} {C}", "\\frac{A}{B} C", id="arguments of commands"),
        pytest.param("a $\\{x\\}$ b", "a $\\{x\\}$ b", id="braces in mathematics"),
        pytest.param("a } b", "a } b", id="a stray brace"),
    ],
)
def test_what_others_write(value: str, text: str) -> None:
    assert decode(value) == text


PIECES = (
    *("a", "B", "Word", " ", "{", "}", "{}", "\\", "$", "$$", "&", "%", "_", "#", "^", "@", "~", "é", "\n\n", "64"),
    *("\\relax", "\\relax{}", "\\&", "\\$", "\\{", "\\}", "\\em ", "\\'", "\\(", "\\)", "\\[", "\\]", "\\char"),
    *("\\textbackslash", "\\textbraceleft", "\\lbrace"),
)


@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join).map(formats.paragraphs), st.booleans())
@settings(max_examples=500)
def test_every_text_comes_back(text: str, protect: bool) -> None:
    value = encode(text, protect=protect)
    assert decode(value) == text
    assert formats.paragraphs(value) == value
    assert "\n@" not in value


@given(st.text(max_size=60), st.booleans())
def test_braces_are_balanced_as_bibtex_counts_them(text: str, protect: bool) -> None:
    depth = 0
    for letter in encode(formats.paragraphs(text), protect=protect):
        depth += (letter == "{") - (letter == "}")
        assert depth >= 0
    assert depth == 0


@pytest.mark.parametrize(
    "trap", ["\\(", "\\[", "$", "{", "}", "\\{", "$a\n\n", "$$a", "{$", "A'", "A-", "\\relax", "a.b/"]
)
def test_time_grows_with_length_only(trap: str) -> None:
    text = trap * 100_000
    began = time.monotonic()
    assert decode(encode(text, protect=True)) == text
    assert time.monotonic() - began < 30
