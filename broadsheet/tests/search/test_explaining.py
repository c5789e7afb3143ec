"""What explanations say."""

from __future__ import annotations

import pytest

from broadsheet.search import explaining
from broadsheet.search.explanation import Explanation
from broadsheet.search.fusion import Candidate, Mixture
from broadsheet.search.lexical import IDENTIFIED, Part, Plan
from broadsheet.search.query import parse
from broadsheet.testing.index_conformance import assert_adds_up


def weight_in_words(plan: Plan, best: float) -> str:
    """What is said of the weight of the words when the best paper by words has this score."""
    candidate = Candidate(1, best, 0.5)
    mixture = Mixture.of(plan, [candidate])
    explained = explaining.mixed(candidate, mixture, plan, Explanation(best, "the score by words"))
    assert_adds_up(explained)
    return explained.details[0].details[0].words


@pytest.mark.parametrize(
    ("plan", "best", "reason"),
    [
        pytest.param(
            Plan(attainable=10.0), 4.0, "the least, as the best paper has 40% of what they could give", id="few"
        ),
        pytest.param(Plan(attainable=10.0), 8.0, "the best paper has 80% of what they could give", id="more"),
        pytest.param(
            Plan(attainable=10.0), 10.0, "the best paper has 100% of what they could give, the most", id="all"
        ),
        pytest.param(Plan(names_somebody=True), 1.0, "one of them is the name of an author", id="a name"),
    ],
)
def test_weight_of_the_words_has_a_reason(plan: Plan, best: float, reason: str) -> None:
    assert weight_in_words(plan, best) == f"the weight of the words: {reason}"


def test_words_are_shown_as_typed_and_corrections_as_corrected() -> None:
    """Stems are nobody's words; each part has its weight where it has one."""
    query = parse('nerual optimizers "graph networks" 2401.00001')
    plan = Plan(
        terms=(("nerual", 1.0), ("optim", 1.0), ("neural", 0.7)),
        identifier="arxiv:2401.00001",
        phrases=(("graph", "network"),),
        corrections=(("nerual", "neural"),),
    )

    def worth(part: Part) -> Explanation | None:
        return None if part.run == ("nerual",) else Explanation(1.0, "it is there")

    explained = explaining.by_words(query, plan, worth, 1.3 + 0.7 * 1.3 + IDENTIFIED + 1.0)
    assert_adds_up(explained)
    said = {word.words: [part.words for part in word.details] for word in explained.details}
    assert said == {
        "“optimizers”": ["anywhere in the paper", "in the title"],
        "“neural”": ["anywhere in the paper", "in the title"],
        "“arxiv:2401.00001”": ["its identifier was typed"],
        "“graph networks”": ["anywhere in the paper"],
    }
    corrected = next(word for word in explained.details if word.words == "“neural”")
    assert [part.details[0].value for part in corrected.details] == pytest.approx([0.7, 0.21])
    assert corrected.details[0].details[0].words == "the weight of another spelling than typed"


def test_value_of_nothing_has_nothing_below_it() -> None:
    """Of a paper that only its meaning found."""
    explained = explaining.by_words(parse("lamp"), Plan(terms=(("lamp", 1.0),)), lambda _part: None, 0.0)
    assert (explained.value, explained.words, explained.details) == (0.0, "it has none of the words", ())


def test_length_decides_what_a_word_counts_for() -> None:
    """The leaf tells how rare the word is and how often it is there."""
    explained = explaining.bm25(3, 2.0, 0.5, "2 of 10 papers have it")
    assert_adds_up(explained)
    assert [part.words for part in explained.details][1:] == [
        "its rarity: 2 of 10 papers have it",
        "there 3 times, in a text of this length",
    ]
