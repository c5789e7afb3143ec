"""Markup of publishers: what becomes of JATS, HTML and MathML in titles and abstracts."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from broadsheet.bibliography import tex
from broadsheet.sources import markup, mathml
from broadsheet.sources.mathml import Token


def formula(inside: str) -> str:
    """The TeX of MathML, without its dollars."""
    return markup.line(f"<mml:math>{inside}</mml:math>").strip("$")


@pytest.mark.parametrize(
    ("printed", "read"),
    [
        pytest.param("A Lamp for Every Step", "A Lamp for Every Step", id="plain"),
        pytest.param("  A\n      Lamp ", "A Lamp", id="white space of the file"),
        pytest.param("On <i>Lampyris</i> and <jats:bold>light</jats:bold>", "On Lampyris and light", id="styles"),
        pytest.param("H<sub>2</sub>O", "H$_2$O", id="subscript"),
        pytest.param("10<sup>\N{MINUS SIGN}3</sup> m", "10$^{-3}$ m", id="superscript of two signs"),
        pytest.param("T<sub>max</sub>", "T$_{\\mathrm{max}}$", id="word as subscript"),
        pytest.param("CO<sub>2</sub><sup>-</sup>", "CO$_2^-$", id="two scripts are one formula"),
        pytest.param("Lamp<sup>®</sup>", "Lamp®", id="sign that is no mathematics"),
        pytest.param("x<sup><i>n</i></sup>", "x$^n$", id="style in a script"),
        pytest.param("US$<sub>2</sub>", "US$2", id="no two dollars in a row"),
        pytest.param("Meadows &amp; Bandits", "Meadows & Bandits", id="entity"),
        pytest.param("Meadows &amp;amp; Bandits", "Meadows & Bandits", id="entity escaped twice"),
        pytest.param("&lt;i&gt;Lampyris&lt;/i&gt; at night", "Lampyris at night", id="tags escaped once too often"),
        pytest.param("p < 0.05 and q > 3", "p < 0.05 and q > 3", id="signs that are text"),
        pytest.param("p &lt; 0.05", "p < 0.05", id="sign that is escaped"),
        pytest.param("Vec<T> and Map<K, V>", "Vec<T> and Map<K, V>", id="no known element"),
        pytest.param("one<br/>two", "one two", id="line break"),
        pytest.param("size <jats:inline-graphic xlink:href='a.png'/>, that is", "size …, that is", id="picture"),
        pytest.param("A <jats:sub>lamp", "A lamp", id="element without end"),
        pytest.param("A lamp</jats:sub>", "A lamp", id="end without start"),
        pytest.param("A \x00lamp\x1b[31m", "A lamp[31m", id="control characters"),
        pytest.param("A &#0;lamp &#xD800;", "A \ufffdlamp \ufffd", id="characters that are none"),
        pytest.param("A <!-- note --> lamp <![CDATA[here]]>", "A lamp here", id="comments"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_a_title(printed: str, read: str) -> None:
    assert markup.line(printed) == read


@pytest.mark.parametrize(
    ("printed", "read"),
    [
        pytest.param("<jats:p>One.</jats:p>\n   <jats:p>Two.</jats:p>", "One.\n\nTwo.", id="paragraphs"),
        pytest.param("One\n  two.", "One two.", id="lines of the file are no paragraphs"),
        pytest.param("<jats:title>Abstract</jats:title><jats:p>One.</jats:p>", "One.", id="heading that says nothing"),
        pytest.param(
            "<jats:sec><jats:title>Methods</jats:title><jats:p>We do.</jats:p></jats:sec><jats:p>So.</jats:p>",
            "Methods: We do.\n\nSo.",
            id="section",
        ),
        pytest.param("<title>Why?</title><p>So.</p>", "Why? So.", id="heading with its own mark"),
        pytest.param("<list><list-item><p>a</p></list-item><list-item>b</list-item></list>", "a\n\nb", id="list"),
        pytest.param("<p></p><p> </p>", "", id="nothing in it"),
    ],
)
def test_an_abstract(printed: str, read: str) -> None:
    assert markup.paragraphs(printed) == read


@pytest.mark.parametrize(
    ("printed", "read"),
    [
        pytest.param("<mml:msup><mml:mi>x</mml:mi><mml:mn>2</mml:mn></mml:msup>", "x^{2}", id="power"),
        pytest.param("<msup><mrow><mi>x</mi><mo>+</mo><mi>y</mi></mrow><mn>2</mn></msup>", "{x+y}^{2}", id="of a row"),
        pytest.param("<msub><mi>x</mi><mi>eff</mi></msub>", "x_{\\mathrm{eff}}", id="name"),
        pytest.param("<msubsup><mi>x</mi><mn>1</mn><mn>2</mn></msubsup>", "x_{1}^{2}", id="both scripts"),
        pytest.param("<mfrac><mn>1</mn><mi>n</mi></mfrac>", "\\frac{1}{n}", id="fraction"),
        pytest.param("<msqrt><mi>T</mi></msqrt>", "\\sqrt{T}", id="root"),
        pytest.param("<mroot><mi>T</mi><mn>3</mn></mroot>", "\\sqrt[3]{T}", id="third root"),
        pytest.param("<mover><mi>x</mi><mo>¯</mo></mover>", "\\overline{x}", id="bar"),
        pytest.param("<mover><mi>x</mi><mo>^</mo></mover>", "\\hat{x}", id="hat"),
        pytest.param("<munder><mi>min</mi><mi>x</mi></munder>", "\\min_{x}", id="under a function"),
        pytest.param("<mi>sin</mi><mi>x</mi>", "\\sin x", id="a command ends before a letter"),
        pytest.param("<mi>O</mi><mo>\u2061</mo><mfenced><mi>n</mi></mfenced>", "O(n)", id="invisible operator, fences"),
        pytest.param("<mtext>if so</mtext>", "\\text{if so}", id="words"),
        pytest.param("<mtext>22</mtext><mo>%</mo>", "22\\%", id="number as text, sign of TeX"),
        pytest.param(
            "<mmultiscripts><mi>C</mi><mprescripts/><mn>6</mn><mn>14</mn></mmultiscripts>", "{}_{6}^{14}C", id="isotope"
        ),
        pytest.param(
            "<mtable><mtr><mtd><mi>a</mi></mtd><mtd><mi>b</mi></mtd></mtr></mtable>",
            "\\begin{matrix}a & b\\end{matrix}",
            id="matrix",
        ),
        pytest.param("<semantics><mi>x</mi><annotation>y</annotation></semantics>", "x", id="annotation"),
        pytest.param("<mi>\\evil{</mi>", "\\backslash evil\\{", id="signs of TeX are letters"),
        pytest.param("<msup><mi>x</mi></msup>", "x", id="script is missing"),
        pytest.param("α", "α", id="text beside elements"),
        pytest.param("<mfoo><mi>x</mi></mfoo>", "x", id="unknown element"),
    ],
)
def test_a_formula(printed: str, read: str) -> None:
    assert formula(printed) == read


@pytest.mark.parametrize(
    "printed",
    [
        pytest.param("<tex-math>\\alpha</tex-math>", id="TeX"),
        pytest.param("<tex-math>$$\\alpha$$</tex-math>", id="with dollars"),
        pytest.param(
            "<tex-math>\\documentclass{minimal}\\begin{document}$$\\alpha$$\\end{document}</tex-math>", id="document"
        ),
        pytest.param(
            "<alternatives><tex-math>\\alpha</tex-math><mml:math><mml:mi>α</mml:mi></mml:math></alternatives>",
            id="TeX before MathML",
        ),
        pytest.param(
            "<alternatives><mml:math><mml:mi>α</mml:mi></mml:math><tex-math>\\alpha</tex-math></alternatives>",
            id="TeX after MathML",
        ),
    ],
)
def test_tex_is_taken_as_it_is(printed: str) -> None:
    assert markup.line(f"The <inline-formula>{printed}</inline-formula> decay") == "The $\\alpha$ decay"


def test_a_formula_that_is_too_deep_or_too_large_becomes_its_text() -> None:
    deep = [Token("open", "mrow")] * (mathml.DEEPEST + 1) + [Token("text", "", "x_")]
    assert mathml.to_tex(deep) == "x\\_"
    assert mathml.to_tex([Token("open", "mi"), Token("text", "", "x")] * mathml.MOST_TOKENS).startswith("x")


@pytest.mark.parametrize(
    "piece",
    [
        pytest.param("<", id="starts of tags"),
        pytest.param("<a ", id="starts with a name"),
        pytest.param("<!--", id="comments"),
        pytest.param("&amp;", id="entities"),
        pytest.param("<sub>", id="scripts that open"),
        pytest.param("<sub>2</sub>", id="scripts that touch"),
        pytest.param("<mml:math>", id="formulas that open"),
        pytest.param("<mml:mrow>", id="rows that open"),
        pytest.param("<alternatives><tex-math>a</tex-math>", id="groups that open"),
    ],
)
def test_a_hundred_thousand_of_anything_are_read_at_once(piece: str) -> None:
    assert len(markup.paragraphs(piece * (200_000 // len(piece)))) <= 200_000


_PIECES = st.sampled_from(
    (
        *("<sub>", "</sub>", "<sup>", "</sup>", "<jats:title>", "</jats:title>", "<p>", "</p>", "<br/>", "$", "x", " "),
        *("<mml:math>", "</mml:math>", "<mml:msup>", "</mml:msup>", "<mml:mi>", "</mml:mi>", "<tex-math>", "&lt;"),
        *("</tex-math>", "<alternatives>", "</alternatives>", "&amp;", "<", ">", "\\", "{", "}", "\n\n", "é", "\x00"),
    )
)


@given(st.lists(_PIECES | st.text(max_size=5), max_size=40).map("".join))
@example("<sub>$</sub><sub>$</sub>")
def test_anything_becomes_clean_text(printed: str) -> None:
    for read in (markup.line(printed), markup.paragraphs(printed)):
        assert read == read.strip()
        assert "\x00" not in read
        read.encode()
        tex.to_html(read)
    assert "\n" not in markup.line(printed)
