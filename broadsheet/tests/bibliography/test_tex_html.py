"""What HTML TeX becomes: MathML, styles, links, escaping; and what a formula looks like that cannot be typeset."""

from __future__ import annotations

import pytest

from broadsheet.bibliography.tex import paragraphs, to_html


def test_a_formula_is_mathml_with_its_source() -> None:
    expected = '<math alttext="x^2"><msup><mi>x</mi><mn>2</mn></msup></math>'
    assert to_html("so $x^2$") == f"so {expected}"


def test_a_display_is_a_block() -> None:
    assert 'display="block"' in to_html("$$x$$")


@pytest.mark.parametrize(
    "formula",
    [
        pytest.param(r"\mbox{if } x", id="mbox"),
        pytest.param(r"\mbox{\bf R}", id="font-in-mbox"),
        pytest.param(r"\widetilde{O}(n)", id="widetilde"),
        pytest.param(r"\RR^d \subset \cA", id="macros-of-letters"),
        pytest.param(r"\Ext_A \lsim \eps", id="unknown-macros"),
        pytest.param(r"{a \over b", id="brace-never-closed"),
        pytest.param(r"a}", id="brace-never-opened"),
        pytest.param(r"5s^2 ^1S_0", id="two-scripts-with-a-blank"),
        pytest.param(r"x_1_2", id="two-subscripts"),
        pytest.param(r"x^", id="script-at-the-end"),
        pytest.param(r"\left( x", id="left-alone"),
        pytest.param(r"a & b", id="cell-mark-outside-a-table"),
        pytest.param(r"n=#S", id="number-sign"),
        pytest.param(r"30% of x", id="percent-is-no-comment"),
        pytest.param(r"\{x$ and y", id="lonely-dollar-inside"),
        pytest.param(r"x \text{ if $y$}", id="dollars-inside-text"),
        pytest.param(r"\begin{align}a&=b\\[2mm]c&=d\end{align}", id="numbered-environment"),
        pytest.param(r"\begin{eqnarray}a&=&b\end{eqnarray}", id="eqnarray"),
        pytest.param(r"\label{eq}x\nonumber", id="label"),
        pytest.param(r"E=mc^2\eqno(1)", id="equation-number"),
        pytest.param('u"+u=0', id="double-prime"),
        pytest.param(r"\'e", id="accent"),
        pytest.param("f(g(h(i(j(k(l(m(n)))))))) + [0,1)", id="many-brackets"),
    ],
)
def test_what_authors_write_is_typeset(formula: str) -> None:
    html = to_html(rf"\({formula}\)")
    assert html.startswith("<math")
    assert "<math" not in html[1:]


def test_a_percent_sign_hides_nothing() -> None:
    assert "<mi>x</mi>" in to_html("$30%+x$")


@pytest.mark.parametrize(
    "formula",
    [
        pytest.param(r"\def\a{\a\a}\a", id="definition"),
        pytest.param(r"\href{javascript:alert(1)}{x}", id="link"),
        pytest.param(r"\raisebox{99em}{x}", id="box-that-moves"),
        pytest.param("{" * 50 + "}" * 50, id="too-deep"),
        pytest.param(r"\sqrt " * 200 + "x", id="too-many-commands"),
        pytest.param("x" * 60_000, id="too-long"),
    ],
)
def test_what_is_not_typeset_is_shown_as_source(formula: str) -> None:
    html = to_html(f"${formula}$")
    assert html.startswith('<span class="tex">')
    assert html.count("<") == 2


@pytest.mark.parametrize("formula", [r"\hspace{99999em}x", r"\kern 9999em x", r"\mspace{99999mu}x", r"\color{red}x"])
def test_a_formula_cannot_reach_over_the_page(formula: str) -> None:
    html = to_html(f"${formula}$")
    assert "99" not in html.partition(">")[2]
    assert "style" not in html


@pytest.mark.parametrize(
    ("tex", "html"),
    [
        pytest.param("a < b & c > d", "a &lt; b &amp; c &gt; d", id="escaped"),
        pytest.param(r"<b onclick='x'>\emph{y}</b>", "&lt;b onclick='x'&gt;<em>y</em>&lt;/b&gt;", id="markup-is-text"),
        pytest.param(r"\emph{a \textbf{b}} \texttt{c}", "<em>a <strong>b</strong></em> <code>c</code>", id="styles"),
        pytest.param(r"{\it a {\it b}} c", "<em>a b</em> c", id="style-in-itself"),
        pytest.param(r"\emph{open", "open", id="style-never-closed"),
        pytest.param("Theorem~5", "Theorem\u00a05", id="no-break-blank"),
        pytest.param("a \u0338b", "a \u0338b", id="combining-mark-after-text"),
        pytest.param(r"$x$" + "\u0338", '<math alttext="x"><mi>x</mi></math>&#824;', id="combining-mark-after-markup"),
        pytest.param("$ $ x", "$ $ x", id="empty-formula"),
        pytest.param("nul\x00 \x1b[31m", "nul [31m", id="control-characters"),
        pytest.param("half \ud800 pair", "half pair", id="lone-surrogate"),
    ],
)
def test_text_is_escaped_and_styled(tex: str, html: str) -> None:
    assert to_html(tex) == html


def test_addresses_are_links_only_where_asked() -> None:
    tex = r"See https://a.example/b_c?d=1&e=2."
    assert to_html(tex) == "See https://a.example/b_c?d=1&amp;e=2."
    link = '<a rel="nofollow noopener" href="https://a.example/b_c?d=1&amp;e=2">https://a.example/b_c?d=1&amp;e=2</a>'
    assert to_html(tex, links=True) == f"See {link}."


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "//a.example", "x"])
def test_only_web_addresses_become_links(address: str) -> None:
    assert to_html(rf"\href{{{address}}}{{label}}", links=True) == "label"


def test_paragraphs_end_where_arxiv_ends_them() -> None:
    tex = "First \\\\ line\ngoes on.\n\nSecond.\n  Third."
    assert paragraphs(tex) == ["First <br/>line goes on.", "Second.", "Third."]
    assert paragraphs(" \n\n ") == []
