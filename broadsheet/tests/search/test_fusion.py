"""When meaning is searched, and how two scores become one."""

from __future__ import annotations

import pytest

from broadsheet.search import fusion
from broadsheet.search.fusion import Candidate, Mixture
from broadsheet.search.lexical import Plan
from broadsheet.search.query import parse


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        pytest.param("graph networks", "graph networks", id="words"),
        pytest.param("graph networks author:example year:2024 -survey", "graph networks", id="filters are no words"),
        pytest.param(r"Poincar\'e maps", "Poincaré maps", id="TeX is read"),
        pytest.param("GAN", "GAN", id="three letters"),
        pytest.param("to be or not", "", id="nothing but stop words"),
        pytest.param("ai", "", id="two letters"),
        pytest.param("", "", id="nothing"),
        pytest.param("author:example", "", id="nothing but an author"),
        pytest.param('"graph networks"', "", id="a phrase"),
        pytest.param('attention "graph networks"', "", id="a phrase among words"),
        pytest.param("2401.00001 graph", "", id="an identifier"),
        pytest.param("graph sort:newest", "", id="by day"),
    ],
)
def test_meaning(typed: str, meant: str) -> None:
    assert fusion.meaning(parse(typed)) == meant


def mixed(plan: Plan, candidates: list[Candidate]) -> dict[int, float]:
    """The score of each candidate."""
    mixture = Mixture.of(plan, candidates)
    return {each.pk: mixture.score(each) for each in candidates}


PLAN = Plan(terms=(("graph", 1.0),), attainable=10.0)


def test_both_scores_count() -> None:
    """Three tenths for the words, as a share of the best, and seven for the cosine, while few words are found."""
    scores = mixed(PLAN, [Candidate(1, 4.0, 0.5), Candidate(2, 2.0, 0.9), Candidate(3, 0.0, 0.6)])
    assert scores == pytest.approx({1: 0.3 + 0.35, 2: 0.15 + 0.63, 3: 0.42})


@pytest.mark.parametrize(
    ("best", "plan", "weight"),
    [
        pytest.param(6.0, PLAN, 0.3, id="six tenths of what can be"),
        pytest.param(8.0, PLAN, 0.6, id="more"),
        pytest.param(40.0, PLAN, 0.9, id="a title"),
        pytest.param(1.0, Plan(attainable=10.0, names_somebody=True), 0.9, id="a name"),
        pytest.param(1.0, Plan(), 0.3, id="nothing is known of the words"),
    ],
)
def test_words_count_for_more_when_one_paper_has_them(best: float, plan: Plan, weight: float) -> None:
    scores = mixed(plan, [Candidate(1, best, 0.0), Candidate(2, 0.0, 1.0)])
    assert scores == pytest.approx({1: weight, 2: 1 - weight})


def test_paper_without_a_vector_is_as_near_as_the_others_are() -> None:
    """Never far, which would put what is new behind everything."""
    scores = mixed(PLAN, [Candidate(1, 4.0, None), Candidate(2, 4.0, 0.4), Candidate(3, 4.0, 0.8)])
    assert scores[1] == pytest.approx((scores[2] + scores[3]) / 2)


def test_without_any_vector_words_decide() -> None:
    scores = mixed(PLAN, [Candidate(1, 4.0, None), Candidate(2, 2.0, None)])
    assert scores == pytest.approx({1: 0.3, 2: 0.15})


def test_without_any_word_cosines_decide() -> None:
    assert mixed(PLAN, [Candidate(1, 0.0, 0.5)]) == pytest.approx({1: 0.35})
    assert mixed(PLAN, []) == {}


@pytest.mark.parametrize("lexical", [4.0, 3.999999, 1.0, 1e-6])
def test_behind_the_candidates_no_paper_is_better_than_the_last(lexical: float) -> None:
    """Nor, as words tell it, than the least that they found."""
    assert -0.5 < fusion.behind(0.5, lexical, 4.0) <= 0.5
    assert fusion.behind(0.5, 4.1, 4.0) == 0.5
