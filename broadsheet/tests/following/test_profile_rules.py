"""The model of a profile: what it learns from words and vectors, and how it says why."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.following.rules import profiles as rules
from broadsheet.following.rules.profiles import PLACES, Floats, Rows

NONE = np.zeros(0, np.float32)
HARBOURS = ["Harbours without water", "A harbour for every ship", "Ships in harbours of stone"]
OTHERS = [f"Meadows of {word} in the {other}" for word in ("grass", "clover", "thyme") for other in ("rain", "wind")]


def made(texts: list[str], vectors: list[Floats | None] | None = None, mean: Floats = NONE) -> Rows:
    counted = np.ones(PLACES, np.int64)
    known = rules.scale(counted, 100, mean)
    return rules.rows([rules.terms(text, "").packed() for text in texts], vectors or [None] * len(texts), known)


def test_words_are_counted_by_their_stems_and_printed_as_they_stand() -> None:
    found = rules.terms("Lamps", "The lamp of 12 steps, and a $\\ell_2$ norm. Lamp!")
    counts = dict(zip(found.words, found.counts.tolist(), strict=True))
    assert counts == {"lamps": 4, "steps": 1, "l2": 1, "norm": 1}
    places, again = rules.unpacked(found.packed())
    assert places.tolist() == sorted(places.tolist()) == found.places.tolist()
    assert again.tolist() == found.counts.tolist()


@given(st.text(max_size=400), st.text(max_size=2000))
def test_any_text_gives_words_that_fit_their_places(title: str, abstract: str) -> None:
    found = rules.terms(title, abstract)
    assert len(found.places) == len(found.counts) == len(found.words) <= rules.MOST_WORDS
    assert len(" ".join(found.words).split(" ")) == max(1, len(found.words))
    assert (found.counts > 0).all()


def test_a_text_made_to_be_long_is_cut() -> None:
    found = rules.terms("x" * 1_000_000, " ".join(f"word{number}" for number in range(100_000)))
    assert len(found.words) <= rules.MOST_WORDS


def test_rows_have_length_one() -> None:
    papers = made([*HARBOURS, ""])
    assert len(papers) == 4
    assert np.diag(rules.cosines(papers, papers))[:3] == pytest.approx(1.0)
    assert rules.cosines(papers, papers)[3].tolist() == [0.0] * 4


def test_chosen_rows_are_the_same_rows() -> None:
    papers = made([*HARBOURS, "", *OTHERS])
    chosen = papers.of(np.array([5, 3, 0]))
    assert rules.cosines(chosen, papers)[0, 5] == pytest.approx(1.0)
    assert rules.cosines(chosen, papers)[2, 0] == pytest.approx(1.0)
    assert len(papers.of(np.zeros(0, np.int64))) == 0


def test_what_is_like_saved_papers_stands_before_what_is_not() -> None:
    model = rules.learn(made(HARBOURS), made(OTHERS))
    shown = made(["The harbour of Bela", "Clover in the rain", "Nothing of either"])
    scores = model.scores(shown)
    assert scores[0] > scores[2] > scores[1]
    assert model.scores(made(HARBOURS)).mean() > 0.5
    assert model.scores(made(OTHERS)).mean() < -0.5


def test_vectors_count_beside_words() -> None:
    here, there = np.array([1, 0], np.float32), np.array([0, 1], np.float32)
    mean = np.array([0.5, 0.5], np.float32)
    saved = made(["alpha", "beta", "gamma"], [here, here, here], mean)
    model = rules.learn(saved, made(["delta", "epsilon", "zeta"], [there, there, there], mean))
    scores = model.scores(made(["eta", "theta", "iota"], [here, there, None], mean))
    assert scores[0] > scores[2] > scores[1]


def test_a_vector_of_another_length_is_none() -> None:
    mean = np.array([0.5, 0.5], np.float32)
    assert not made(["alpha"], [np.ones(3, np.float32)], mean).vectors.any()
    assert made(["alpha"], [np.ones(3, np.float32)]).vectors.shape == (1, 0)


@given(st.permutations(range(len(HARBOURS) + len(OTHERS))))
def test_the_order_of_saving_is_nothing_to_the_model(order: list[int]) -> None:
    texts = [HARBOURS[at] for at in order if at < len(HARBOURS)]
    shown = made([*HARBOURS, *OTHERS])
    assert rules.learn(made(texts), made(OTHERS)).scores(shown) == pytest.approx(
        rules.learn(made(HARBOURS), made(OTHERS)).scores(shown), abs=1e-3
    )


def test_reasons_name_words_that_speak_for_the_paper() -> None:
    model = rules.learn(made(HARBOURS), made(OTHERS))
    shown = "Clover in harbours"
    words = rules.terms(shown, "").words
    assert [words[at] for at in rules.strongest(model, made([shown]), 0)] == ["harbours"]


def test_weights_name_each_word_once() -> None:
    saved = made(HARBOURS)
    words = [word for text in HARBOURS for word in rules.terms(text, "").words]
    found = rules.weights(rules.learn(saved, made(OTHERS)), saved, words)
    assert found[0][0] in ("harbours", "harbour")
    assert len({word for word, _weight in found}) == len(found)
    assert [weight for _word, weight in found] == sorted((weight for _word, weight in found), reverse=True)


@pytest.mark.parametrize(
    ("titles", "words", "said"),
    [
        pytest.param(["Meadows"], ["lamps"], "near “Meadows”, which you saved; words: lamps", id="both"),
        pytest.param(["A", "B", "C"], [], "near “A” and “B”, which you saved", id="two papers at most"),
        pytest.param([], ["a", "b", "c", "d"], "words: a, b, c", id="three words at most"),
        pytest.param([], [], "", id="nothing"),
    ],
)
def test_a_reason_in_words(titles: list[str], words: list[str], said: str) -> None:
    assert rules.reason(titles, words) == said


@pytest.mark.parametrize(
    ("title", "said"),
    [
        pytest.param("A\nB\x07 C", "A B C", id="one line"),
        pytest.param("lamp " * 40, f"{'lamp ' * 13}lamp …", id="long title"),
        pytest.param("l" * 400, f"{'l' * 70}…", id="long word"),
        pytest.param("$\\ell_2$ norms", "ℓ₂ norms", id="TeX"),
    ],
)
def test_a_title_is_cut_for_a_reason(title: str, said: str) -> None:
    assert rules.cut(title) == said
