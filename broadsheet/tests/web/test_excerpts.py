"""Long texts are cut where a reader would cut them, and never inside mathematics."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.web.excerpts import ELLIPSIS, cut, reach

CUTS = [
    pytest.param("Short.", 20, "Short.", id="a text that fits is left alone"),
    pytest.param("Exactly twenty-two ch.", 20, "Exactly twenty-two ch.", id="a text that nearly fits is left alone"),
    pytest.param("One sentence. Another one.", 15, "One sentence. …", id="after the last sentence that fits"),
    pytest.param("Is it so? It is. We show it at length.", 17, "Is it so? It is. …", id="questions are sentences"),
    pytest.param("One. Then one very long sentence follows here", 30, "One. Then one very long …",
                 id="after a word when the last sentence ends too early"),
    pytest.param("We take, e.g. lamps and steps of every kind", 16, "We take, e.g. …", id="e.g. ends no sentence"),
    pytest.param("Of one, of two, of three", 16, "Of one, of two …", id="a comma does not stand before the ellipsis"),
    pytest.param("The bound is $O(a + b + c)$ at best, always so", 20, "The bound is …", id="before mathematics"),
    pytest.param("$a + b + c + d + e$ is long enough for us all", 10, "$a + b + c + d + e$ …",
                 id="after mathematics that nothing stands before"),
    pytest.param(r"See \(x + y\) and \[z + w\] in all of their beauty", 16, r"See \(x + y\) …", id="TeX brackets"),
    pytest.param(r"A \begin{x} b c d \end{x} e f g h i j k l", 8, "A …", id="environments"),
    pytest.param(r"An \emph{important and long} remark on things", 20, "An …", id="groups in braces"),
    pytest.param(r"It costs \$5 or a bit more than \$6 today", 12, r"It costs \$5 …", id="an escaped dollar"),
    pytest.param("Unbroken" * 10, 20, "Unbroken" * 5 + "…", id="an endless word, at twice the limit"),
    pytest.param("{" + "a b " * 40, 20, "{" + "a b " * 9 + "a b…", id="a group that is never closed"),
    pytest.param("See" + "x" * 9 + "$" + "a + " * 40, 10, "See" + "x" * 9 + "…", id="before endless mathematics"),
    pytest.param("$" + "a + " * 40, 10, "…", id="nothing but endless mathematics"),
    pytest.param("x" * 17 + r"\alpha" * 40, 10, "x" * 17 + "…", id="before a command, not inside it"),
    pytest.param("", 20, "", id="an empty text"),
]  # fmt: skip


@pytest.mark.parametrize(("tex", "limit", "expected"), CUTS)
def test_a_text_is_cut(tex: str, limit: int, expected: str) -> None:
    assert cut(tex, limit) == expected


@given(
    st.lists(
        st.sampled_from(["word", "Sentence.", "$a + b$", r"\emph{x y}", "$$c = d$$", r"\(e f\)", "so"]), max_size=80
    ),
    st.integers(20, 200),
)
def test_what_is_kept_is_whole(parts: list[str], limit: int) -> None:
    """The kept part is a beginning of the text, at a blank between its parts, with every formula closed."""
    text = " ".join(parts)
    kept = cut(text, limit)
    if kept != text:
        beginning = kept.removesuffix(ELLIPSIS)
        starts = {" ".join(parts[:count]) for count in range(len(parts) + 1)}
        assert beginning in starts
        assert beginning.count("$") % 2 == 0


@given(st.text(alphabet=r"ab$\{}(). ", max_size=300), st.integers(1, 100))
def test_what_is_beyond_its_reach_changes_nothing(text: str, limit: int) -> None:
    beginning = reach(text, limit)
    assert cut(beginning, limit) == cut(text, limit)
    assert len(beginning) <= 2 * limit + 1


@given(st.text(alphabet=r"ab$\{}(). ", max_size=300), st.integers(1, 100))
def test_any_text_can_be_cut(text: str, limit: int) -> None:
    kept = cut(text, limit)
    assert kept == text.strip() or kept.endswith(ELLIPSIS.strip())


@given(st.sampled_from(["x", "{ ", "$a ", r"\(", r"\begin{a} ", "{", "$", "a "]), st.integers(1, 300))
def test_no_text_is_longer_than_twice_the_limit(part: str, limit: int) -> None:
    assert len(cut(part * 1000, limit)) <= max(2 * limit, 1.15 * limit) + len(ELLIPSIS)
