"""Spellings that must fold to one string, and those that must not."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.bibliography.accents import ACCENTS, LETTERS, to_unicode
from broadsheet.bibliography.folding import fold


@pytest.mark.parametrize(
    ("folded", "spellings"),
    [
        pytest.param(
            "lantern a step size", ["Lantern: A Step Size", "LANTERN a step-size", "lantern (a step size)"], id="case"
        ),
        pytest.param("self attention", [f"self{dash}attention" for dash in "-‐‑‒–—―−﹘﹣－⁃"], id="every dash"),
        pytest.param("self attention", ["self--attention", "self---attention"], id="TeX dashes"),
        pytest.param(
            "schrodinger",
            [
                "Schrödinger",
                "Schro\u0308dinger",
                r"Schr\"odinger",
                r"Schr\"{o}dinger",
                r"Schr{\"o}dinger",
                "Schr&ouml;dinger",
            ],
            id="umlaut",
        ),
        pytest.param("ecole", ["École", "E\u0301cole", r"\'Ecole", r"{\'E}cole", "&Eacute;cole"], id="acute"),
        pytest.param("strasse", ["Straße", "STRASSE", r"Stra{\ss}e", r"Stra\ss{}e", "Straẞe"], id="sharp s"),
        pytest.param("orsted", ["Ørsted", r"{\O}rsted", r"\O rsted"], id="letter command eats its blank"),
        pytest.param("lukasz", ["Łukasz", r"\L{}ukasz", r"\L ukasz"], id="stroke"),
        pytest.param("istanbul", ["İstanbul", "Istanbul", r"\.Istanbul"], id="dotted i"),
        pytest.param(
            "ell2 norm", [r"$\ell_2$ norm", "ℓ2 norm", "ℓ₂ norm", "ell_2 norm", r"$\ell_{2}$ norm"], id="subscript"
        ),
        pytest.param(
            "alpha divergence", [r"$\alpha$-divergence", "α-divergence", "alpha divergence"], id="Greek letter"
        ),
        pytest.param("delta", [r"$\Delta$", "Δ", "∆", "delta", r"\(\Delta\)"], id="Greek capital"),
        pytest.param("epsilon", [r"$\varepsilon$", "ε", "ϵ", r"$\epsilon$"], id="variants of a Greek letter"),
        pytest.param("l2", [r"$\mathcal{L}_2$", "𝓛₂", "L_2", "mathcal{L}_2"], id="style of letters"),
        pytest.param("rn", [r"$\mathbb{R}^n$", r"${\mathbb R}^n$", "ℝⁿ", "mathbb{R}^n"], id="blackboard"),
        pytest.param("o sqrtn", [r"$O(\sqrt{n})$", "O(√n)", "O(sqrt{n})"], id="root"),
        pytest.param("x leq y", [r"$x \leq y$", r"$x\le y$", "x ≤ y"], id="relation"),
        pytest.param("2x2", [r"$2 \times 2$", "2×2", "2 × 2", "2x2", "2times2"], id="times between digits"),
        pytest.param("h2o", ["H$_2$O", "H₂O", "H2O"], id="formula"),
        pytest.param(
            "the horses mouth", ["The Horse's Mouth", "the horse’s mouth", "the horse`s mouth"], id="apostrophe"
        ),
        pytest.param("a word", ["a “word”", "a ``word''", 'a "word"', "a «word»"], id="quotes"),
        pytest.param(
            "theory and practice", ["Theory &amp; Practice", "Theory & Practice", r"Theory \& Practice"], id="ampersand"
        ),
        pytest.param("fine flow", ["ﬁne ﬂow", "fine flow"], id="ligature"),
        pytest.param("full width", ["ｆｕｌｌ　ｗｉｄｔｈ"], id="full width"),
        pytest.param("emphasis", [r"{\em Emphasis}", r"\emph{Emphasis}", r"\textit{Emphasis}"], id="emphasis"),
        pytest.param("10000 lamps", [r"10\,000 lamps", "10000 lamps"], id="thin space"),
        pytest.param(
            "lamp light",
            ["lamp\u00a0light", "lamp\nlight", " lamp  light ", "lamp~light", "la\u00admp light"],
            id="blanks",
        ),
    ],
)
def test_spellings_fold_to_one_string(folded: str, spellings: list[str]) -> None:
    assert {spelling: fold(spelling) for spelling in spellings} == dict.fromkeys(spellings, folded)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        pytest.param("Lamps I", "Lamps II", id="numbers of a series"),
        pytest.param("C++", "C", id="plus signs"),
        pytest.param("naïve", "native", id="letters"),
        pytest.param("2D lamps", "3D lamps", id="digits"),
    ],
)
def test_what_is_another_text_stays_another(a: str, b: str) -> None:
    assert fold(a) != fold(b)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        pytest.param("Παπαδόπουλος", "παπαδοπουλοσ", id="Greek words stay Greek"),
        pytest.param("Лампа, свет", "лампа свет", id="Cyrillic"),
        pytest.param("深度学习", "深度学习", id="Chinese"),
        pytest.param("か\u3099", "が", id="a Japanese mark belongs to its letter"),
        pytest.param("हिन्दी", "हिन्दी", id="an Indian vowel sign belongs to its word"),
        pytest.param("!?-$", "", id="nothing but signs"),
    ],
)
def test_other_scripts(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_one_blank_between_words_of_letters_and_digits(text: str) -> None:
    folded = fold(text)
    assert folded == " ".join(folded.split())
    assert all(letter.isalnum() or letter == " " or unicodedata.category(letter) in ("Mn", "Mc") for letter in folded)


@given(st.text(st.characters(max_codepoint=0x17F)))
def test_composed_and_decomposed_fold_alike(text: str) -> None:
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text))


@given(
    st.lists(
        st.sampled_from(["\\", "$", "{", "}", "alpha", "math", "cal", "bb", "'", '"', "e", " ", "2", "times", "&", ";"])
    )
)
def test_broken_tex_never_raises(pieces: list[str]) -> None:
    text = "".join(pieces)
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        pytest.param(r"Erd\H{o}s", "Erdős", id="named accent in braces"),
        pytest.param(r"Erd\H os", "Erdős", id="named accent and blank"),
        pytest.param(r"\'{\i}", "í", id="dotless i"),
        pytest.param(r"\'\i n", "ín", id="dotless i without braces"),
        pytest.param(r"Nguy\~{\^e}n", "Nguyễn", id="two accents"),
        pytest.param(r"\~{}ada", "~ada", id="accent over nothing"),
        pytest.param(r"Stra\ss e", "Straße", id="letter command eats the blank"),
        pytest.param(r"{\"o}", "{ö}", id="braces stay for the caller"),
        pytest.param(r"\cite{ada} \beta \over", r"\cite{ada} \beta \over", id="other commands stay"),
        pytest.param("no TeX here", "no TeX here", id="nothing to do"),
    ],
)
def test_tex_accents_become_letters(tex: str, text: str) -> None:
    assert to_unicode(tex) == text


@pytest.mark.parametrize("command", sorted(ACCENTS))
def test_every_accent_of_the_table_is_read(command: str) -> None:
    assert to_unicode(f"\\{command}{{e}}") == unicodedata.normalize("NFC", "e" + ACCENTS[command])


@pytest.mark.parametrize("command", sorted(LETTERS))
def test_every_letter_of_the_table_is_read(command: str) -> None:
    assert to_unicode(f"x\\{command}{{}}y") == f"x{LETTERS[command]}y"


@given(st.text())
def test_accents_never_raise(text: str) -> None:
    to_unicode(text)
    to_unicode(text.replace("a", "\\'"))
