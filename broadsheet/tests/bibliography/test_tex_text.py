"""What plain text TeX becomes: accents, commands, money and mathematics, quotes and dashes, formulas in Unicode."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.bibliography.tex import to_text


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        pytest.param(r"Bela \'Exemple", "Bela Éxemple", id="sign-accent"),
        pytest.param(r"Erd\H{o}s", "Erdős", id="letter-accent-braced"),
        pytest.param(r"\c cedilla", "çedilla", id="letter-accent-blank"),
        pytest.param(r"na\"{\i}ve", "naïve", id="dotless-i"),
        pytest.param(r"{\'\i}", "í", id="accent-on-dotless-in-group"),
        pytest.param(r"\'\^e", "ế", id="two-accents"),
        pytest.param(r"\'{\^e}", "ế", id="accent-in-accent"),
        pytest.param(r"{\aa}ngstr{\"o}m", "ångström", id="letters-in-groups"),
        pytest.param(r"S\o rensen", "Sørensen", id="letter-eats-blank"),
        pytest.param(r"\L{}ukasz", "Łukasz", id="letter-with-empty-group"),
        pytest.param(r"Stra\ss e", "Straße", id="sharp-s"),
        pytest.param(r"({\alpha}\b{eta}) and \t{au}", "(αβ) and τ", id="arxiv-took-greek-for-an-accent"),
    ],
)
def test_accents_and_letters(tex: str, text: str) -> None:
    assert to_text(tex) == text


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        pytest.param(r"an \emph{exact} \textbf{and} {\it fast} way", "an exact and fast way", id="styles"),
        pytest.param(r"{\em nested {\bf styles}} end", "nested styles end", id="nested-styles"),
        pytest.param(r"\textbf{never closed", "never closed", id="style-never-closed"),
        pytest.param("50\\% of R\\&D \\#1 a\\_b \\$3 \\{x\\}", "50% of R&D #1 a_b $3 {x}", id="escaped-signs"),
        pytest.param("a 50% share % is no comment", "a 50% share % is no comment", id="percent-is-text"),
        pytest.param("if a < b & c > d", "if a < b & c > d", id="stray-signs"),
        pytest.param(r"i.e.\ this\\next", "i.e. this next", id="control-space-and-line-break"),
        pytest.param("{B}ayesian {GAN}s", "Bayesian GANs", id="protecting-braces"),
        pytest.param("the set {0, 1}", "the set {0, 1}", id="braces-of-a-set"),
        pytest.param("lonely } and { braces", "lonely } and { braces", id="lonely-braces"),
        pytest.param(r"see~\cite{a1,b2} and \ref{thm}", "see […] and …", id="references"),
        pytest.param(r"we propose\tool, a \mytool{} and \new{text}", "we propose tool, a mytool and text", id="macros"),
        pytest.param(r"\url{https://a.example/~b_c}", "https://a.example/~b_c", id="url"),
        pytest.param(r"\href{https://a.example}{our page}", "our page", id="href"),
        pytest.param(
            "https://a.example/x_1{https://a.example/x_1}", "https://a.example/x_1", id="href-that-lost-its-name"
        ),
        pytest.param(r"the 1\textsuperscript{st}", "the 1ˢᵗ", id="superscript"),
        pytest.param(r"\newcommand{\R}{\mathbb{R}} text", "text", id="definition-is-dropped"),
        pytest.param(r"30\deg C, 5\,\textmu m, \copyright{} \dots", "30° C, 5 µm, © …", id="signs"),
    ],
)
def test_commands_of_text(tex: str, text: str) -> None:
    assert to_text(tex) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        pytest.param("``double'' and `single' words", "“double” and ‘single’ words", id="quotes"),
        pytest.param("''wrong'' way", "“wrong” way", id="closing-quotes-at-both-ends"),
        pytest.param("`code` of Markdown", "`code` of Markdown", id="backticks-of-another-markup"),
        pytest.param("a 5'' beam", "a 5″ beam", id="arc-seconds"),
        pytest.param("a---b, pages 1--5, x -- y", "a—b, pages 1–5, x – y", id="dashes"),
        pytest.param("run it with --help", "run it with --help", id="option-is-no-dash"),
        pytest.param("a ---- b", "a ---- b", id="rule-of-hyphens"),
        pytest.param("Theorem~5 of A.~Example", "Theorem 5 of A. Example", id="tie"),
        pytest.param("~6-8 of 1M~60M", "~6-8 of 1M~60M", id="tilde-that-says-about"),
    ],
)
def test_quotes_and_dashes(tex: str, text: str) -> None:
    assert to_text(tex) == text


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        pytest.param("it costs $5", "it costs $5", id="lone-dollar"),
        pytest.param("$5 and $10", "$5 and $10", id="two-prices"),
        pytest.param("$5-$10", "$5-$10", id="range-of-prices"),
        pytest.param("$5, $10 or $20", "$5, $10 or $20", id="three-prices"),
        pytest.param("$1.5 million for the $x$ we need", "$1.5 million for the x we need", id="price-then-formula"),
        pytest.param("US$5 and y = $x$", "US$5 and y = x", id="price-with-country"),
        pytest.param("we pay $100 and earn $200", "we pay $100 and earn $200", id="prices-with-verbs"),
        pytest.param("a dollar $ sign and another $ sign", "a dollar $ sign and another $ sign", id="prose-between"),
        pytest.param("$5$ and $10$", "5 and 10", id="numbers-as-mathematics"),
        pytest.param("$n$-ary", "n-ary", id="letter"),
        pytest.param("$ x $", "x", id="blanks-inside"),
        pytest.param("$10^{-3}$", "10⁻³", id="power-begins-with-amount"),
        pytest.param("$3 \\times 10^5$", "3 × 10⁵", id="amount-then-command"),
        pytest.param(r"\$5 and $x$", "$5 and x", id="escaped-dollar"),
        pytest.param("$$x = 1$$", "x = 1", id="display"),
        pytest.param(r"\(x\) and \[y\]", "x and y", id="round-and-square"),
        pytest.param(r"$x \text{ if $y>0$}$.", "x if y>0.", id="dollars-inside-text"),
        pytest.param("$$", "$$", id="two-dollars-alone"),
    ],
)
def test_money_is_not_mathematics(tex: str, text: str) -> None:
    assert to_text(tex) == text


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (r"x^2", "x²"),
        (r"x^{n+1}", "xⁿ⁺¹"),
        (r"x^{Q}", "x^Q"),
        (r"x^{a/b}", "x^(a/b)"),
        (r"\ell_2", "ℓ₂"),
        (r"T_c", "T_c"),
        (r"F_{q^2}", "F_(q²)"),
        (r"\alpha\leq\beta", "α ≤ β"),
        (r"N\times N", "N×N"),
        (r"m \times n", "m × n"),
        (r"\mathbb{R}^n", "ℝⁿ"),
        (r"\Bbb Z", "ℤ"),
        (r"\mathcal{O}(n\log n)", "O(n log n)"),
        (r"{\cal N}=4", "N=4"),
        (r"\frac{1}{2}", "1/2"),
        (r"\frac{a+b}{2c}", "(a+b)/(2c)"),
        (r"{a \over b}", "a/b"),
        (r"\binom{n}{k}", "(n choose k)"),
        (r"\sqrt{T}", "√T"),
        (r"\sqrt[3]{x+1}", "∛(x+1)"),
        (r"\tilde O(n)", "Õ(n)"),
        (r"\hat{x}", "x̂"),
        (r"\not\in", "∉"),
        (r"x'", "x′"),
        (r"90^\circ", "90°"),
        (r"\operatorname{Spec} A", "Spec A"),
        (r"\text{for all } x", "for all x"),
        (r"\left( x \right.", "(x"),
        (r"\begin{matrix} a & b \\ c & d \end{matrix}", "a b ; c d"),
        (r"\RR^d, \cA, \eps, \Foo", "ℝᵈ, A, ε, Foo"),
        (r"\sum_{i=1}^n", "∑ᵢ₌₁ⁿ"),
        (r"\|x\|_\infty", "‖x‖_∞"),
    ],
)
def test_formulas_in_unicode(formula: str, text: str) -> None:
    assert to_text(f"${formula}$") == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        pytest.param("a fast O(n^2) time", "a fast O(n²) time", id="power"),
        pytest.param("the ell_2-norm of x_1, x_2 in R^d.", "the ℓ₂-norm of x₁, x₂ in Rᵈ.", id="subscripts"),
        pytest.param("mathcal{O}(1/epsilon^2)", "O(1/ε²)", id="font-without-backslash"),
        pytest.param("tilde{O}(sqrt{SAT})", "Õ(√SAT)", id="accent-without-backslash"),
        pytest.param("tilde O( d^2varepsilon^{-2}) steps", "Õ(d²ε⁻²) steps", id="order-with-blank"),
        pytest.param("R^{mtimes n}", "R^(m×n)", id="glued-word"),
        pytest.param("Min R^{mtimes n}", "M ∈ R^(m×n)", id="glued-membership"),
        pytest.param("varepsilon-DP", "ε-DP", id="word-of-no-language"),
        pytest.param("for 1leq p<2", "for 1 ≤ p<2", id="glued-relation"),
        pytest.param("(epsilon=8{255})", "(ε=8/255)", id="lost-fraction-of-numbers"),
        pytest.param("Omega(sqrt{dk}{nepsilon})", "Omega(sqrt{dk}{nepsilon})", id="lost-fraction-is-shown-as-it-is"),
        pytest.param("10^-3 of 10^10 cm^-2", "10⁻³ of 10¹⁰ cm⁻²", id="powers-without-braces"),
        pytest.param("2^(n+1) steps", "2ⁿ⁺¹ steps", id="power-in-brackets"),
        pytest.param("AI^2-THOR", "AI²-THOR", id="power-of-a-name"),
        pytest.param("T_eff and R_vir", "T_eff and Rᵥᵢᵣ", id="labels"),
        pytest.param(r"{\cal N}=4 theory", "N=4 theory", id="old-font"),
        pytest.param(r"if \alpha \in \Omega then", "if α ∈ Ω then", id="commands-without-dollars"),
        pytest.param(r"\Foo_n\cap\Foo_m", "Fooₙ∩Fooₘ", id="unknown-command-with-script"),
    ],
)
def test_mathematics_without_dollars(tex: str, text: str) -> None:
    assert to_text(tex) == text


@pytest.mark.parametrize(
    "text",
    [
        "a snake_case name, x_train_1 and __init__",
        "top_k and top_p sampling",
        "the _hidden function in file_name.py",
        "write to ada_example@mail.example or https://a.example/b_c^d",
        "epsilon-greedy agents in beta tests, 19 times a day, alpha to omega",
        "the min of all, a sum in total, log in here",
        "What is a {key: value} pair?",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert to_text(text) == text


@given(st.text(alphabet=st.characters(exclude_characters="\\$^_{}~`'-<>&", exclude_categories=["C"])))
def test_text_without_tex_is_only_normalised(text: str) -> None:
    expected = unicodedata.normalize("NFC", " ".join(text.split()))
    for word in ("varepsilon", "mathcal"):
        if word in text:
            return
    assert to_text(text) == expected
