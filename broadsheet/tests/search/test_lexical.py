"""From a query to a plan, and the words that are compared."""

from __future__ import annotations

import math

import pytest

from broadsheet.search import analysis, lexical
from broadsheet.search.lexical import CORRECTION_WEIGHT, RARE, Plan, plan
from broadsheet.search.query import parse
from broadsheet.search.spelling import SMALL_VOCABULARY, Speller, edits_allowed


class Words:
    """A vocabulary of 1,000 papers, in which every word is frequent but these, and Beispiel and Long are authors."""

    def __init__(self, **corrected: str | None) -> None:
        self._corrected = corrected

    def papers_with(self, stem: str) -> int:
        return 1 if any(analysis.stems(word) == [stem] for word in self._corrected) else 100

    def papers_by(self, word: str) -> int:
        return {"beispiel": 90, "long": 20, "of": 100}.get(word, 0)

    def count(self) -> int:
        return 1_000

    def nearest(self, word: str, *, rare: bool) -> str | None:
        del rare  # the table says it all
        return self._corrected.get(word)


def planned(typed: str, **corrected: str | None) -> Plan:
    return plan(parse(typed), Words(**corrected))


@pytest.mark.parametrize(
    ("typed", "stems"),
    [
        pytest.param("Graph networks", ["graph", "network"], id="stems"),
        pytest.param("the graph of networks", ["graph", "network"], id="stop words are dropped"),
        pytest.param("to be or not", ["to", "be", "or", "not"], id="unless there is nothing else"),
        pytest.param("graph graphs", ["graph"], id="each once"),
        pytest.param(r"Poincar\'e $\ell_2$", ["poincar", "l2"], id="TeX"),
        pytest.param("GPT-4", ["gpt", "4"], id="words that fall apart"),
        pytest.param("x" * 70, ["x" * 70], id="what cannot be indexed is found nowhere"),
        pytest.param("...", [], id="no letters"),
    ],
)
def test_terms(typed: str, stems: list[str]) -> None:
    assert [stem for stem, _weight in planned(typed).terms] == stems


class Common(Words):
    """A vocabulary of a million papers, in which a word of n letters is in 2**n of them, and nought says none."""

    def papers_with(self, stem: str) -> int:
        return 0 if stem == "nought" else 2 ** len(stem)

    def count(self) -> int:
        return 1_000_000


LONG = [letter * number for number, letter in enumerate("bcdfghjkmnpqrtvwx", 1)]


@pytest.mark.parametrize(
    ("words", "left_out"),
    [
        pytest.param(LONG[-12:], [], id="twelve words"),
        pytest.param([*LONG[-12:], "nought"], [], id="twelve, and one that no paper has"),
        pytest.param(LONG, ["x" * 17], id="of more, what more than a tenth of all papers have"),
        pytest.param(
            [*(letter * 17 for letter in "bcfghjkmnpqr"), "x" * 18], ["x" * 18], id="but not the rarest twelve"
        ),
    ],
)
def test_commonest_of_many_words_are_left_out(words: list[str], left_out: list[str]) -> None:
    made = plan(parse(" ".join(words)), Common())
    assert [stem for stem, _weight in made.terms] == [word for word in words if word not in left_out]
    assert set(made.every) == set(words) - set(left_out)
    assert made.title_phrase == tuple(words)


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        pytest.param('"inside the house"', lexical.Field.ALL, id="a phrase"),
        pytest.param('"these their"', lexical.Field.ALL, id="of rare stop words"),
        pytest.param('"such these"', lexical.Field.TITLE, id="of nothing but common ones"),
    ],
)
def test_phrase_of_stop_words_alone_is_looked_for_in_titles(
    typed: str, field: lexical.Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lexical, "COMMON", 15 if field is lexical.Field.TITLE else 32)
    assert [part.field for part in lexical.phrase_parts(plan(parse(typed), Common()))] == [field]


def test_of_few_papers_no_word_is_common() -> None:
    typed = " ".join(LONG)
    assert len(planned(typed).terms) == len(LONG)


def test_title_is_searched_as_a_phrase_with_its_stop_words() -> None:
    assert planned("attention is all").title_phrase == ("attent", "is", "all")
    assert planned("attention").title_phrase == ()


def test_only_few_words_are_searched_as_a_name() -> None:
    assert planned("lion").head == ("lion",)
    assert planned("a b c").head == ("a", "b", "c")
    assert planned("a b c d").head == ()


def test_having_every_word_as_typed_counts() -> None:
    assert planned("nerual networks of graphs", nerual="neural").every == ("nerual", "network", "graph")
    assert planned("lion").every == ()


def test_titles_count_more_beside_a_name() -> None:
    def title(typed: str) -> set[float]:
        made = lexical.parts(planned(typed))
        return {part.weight for part in made if part.field is lexical.Field.TITLE and len(part.run) == 1}

    assert title("graph networks") == {lexical.TITLE_WEIGHT}
    assert title("beispiel networks") == {lexical.NAMED_TITLE_WEIGHT}


def test_correction_is_added_and_weighs_less() -> None:
    made = planned("nerual networks", nerual="neural")
    assert made.terms == (("nerual", 1.0), ("network", 1.0), ("neural", CORRECTION_WEIGHT))
    assert made.corrections == (("nerual", "neural"),)


def test_correction_to_another_inflection_is_none() -> None:
    assert planned("optimizer", optimizer="optimizers").corrections == ()


def test_rare_word_with_nothing_near_stays() -> None:
    assert planned("zeppelin", zeppelin=None).terms == (("zeppelin", 1.0),)


def test_what_is_attainable_adds_up_the_rarities_of_the_words() -> None:
    """By Lucene's idf, times the most that BM25 gives for one; corrections by their weight, unknown words nothing."""
    common = 2.2 * math.log(1 + 900.5 / 100.5)
    rare = 2.2 * math.log(1 + 999.5 / 1.5)
    assert planned("graph").attainable == pytest.approx(common)
    assert planned("graph networks").attainable == pytest.approx(2 * common)
    assert planned("zeppelin graph", zeppelin=None).attainable == pytest.approx(rare + common)
    assert planned("nerual", nerual="neural").attainable == pytest.approx(rare + CORRECTION_WEIGHT * common)
    assert planned("year:2024").attainable == 0


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        pytest.param("Beispiel graphs", True, id="most papers with the word are by such an author"),
        pytest.param("long graphs", False, id="hardly any are"),
        pytest.param("of graphs", False, id="a stop word is no name"),
        pytest.param("author:beispiel graphs", False, id="a filter is not a word"),
    ],
)
def test_name_among_the_words(typed: str, named: bool) -> None:
    assert planned(typed).names_somebody is named


def test_names_are_read_in_both_orders() -> None:
    assert planned("author:ada").authors == ((("ada",),),)
    assert planned('author:"Example, Ada"').authors == ((("ada", "example"),),)
    assert planned('author:"Ada Example"').authors == ((("ada", "example"), ("example", "ada")),)


@pytest.mark.parametrize(
    ("name", "forms"),
    [
        pytest.param("", [], id="no name"),
        pytest.param("Example", ["example"], id="one name"),
        pytest.param("Ada Example", ["ada example", "a example"], id="initial"),
        pytest.param(
            "Ada Bela Example", ["ada bela example", "ada example", "a bela example", "a example"], id="middle name"
        ),
        pytest.param("A. Example", ["a example"], id="only the initial is known"),
    ],
)
def test_name_forms(name: str, forms: list[str]) -> None:
    assert [" ".join(form) for form in lexical.name_forms(name)] == forms


@pytest.mark.parametrize(
    ("title", "head"),
    [
        pytest.param("Lion: a faster optimizer", "Lion", id="name and subtitle"),
        pytest.param("A: b: c", "A", id="the first colon"),
        pytest.param("On 3:1 resonance", "", id="a ratio"),
        pytest.param("Graph networks", "", id="no colon"),
        pytest.param("", "", id="no title"),
    ],
)
def test_head_of(title: str, head: str) -> None:
    assert lexical.head_of(title) == head


def test_category_is_found_by_its_archive() -> None:
    assert lexical.category_keys(["cs.LG", "cs.CL", "math-ph"]) == ["cs.lg", "cs.cl", "math-ph", "cs"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("Erdős–Rényi", ["erdos", "renyi"], id="accents, dashes"),
        pytest.param("Đorđe ß İstanbul", ["dorde", "ss", "istanbul"], id="letters with strokes, ligatures"),
        pytest.param("H₂O x² 𝑥", ["h2o", "x2", "x"], id="indices and mathematical letters"),
        pytest.param("Łódź ΑΒ Жук", ["lodz", "αβ", "жук"], id="other alphabets"),
        pytest.param("naïve naive nai\u0308ve", ["naive"] * 3, id="one spelling"),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert analysis.words(text) == words


def test_stems_and_words_go_together() -> None:
    text = "The optimizers’ 2nd-order " + "x" * 80 + " naïve ½"
    assert len(analysis.stems(text)) == len(analysis.words(text))


@pytest.mark.parametrize(
    ("word", "edits"),
    [("gan", 0), ("bert", 1), ("network", 1), ("networks", 2), ("gpt4x", 0), ("", 0)],
)
def test_edits_allowed(word: str, edits: int) -> None:
    assert edits_allowed(word) == edits


SPELLER = Speller(
    [("transformers", 50), ("transformer", 70), ("diffusion", 40), ("lion", 9), ("lions", 5), ("rare", 2)]
)


@pytest.mark.parametrize(
    ("word", "nearest"),
    [
        pytest.param("transfromer", "transformer", id="neighbours swapped"),
        pytest.param("difusion", "diffusion", id="a letter missing"),
        pytest.param("ddiffussion", "diffusion", id="two letters too many"),
        pytest.param("xiffusion", "diffusion", id="the first letter wrong"),
        pytest.param("transformerz", "transformer", id="of equally near words the most used"),
        pytest.param("lionz", "lion", id="likewise in short words"),
        pytest.param("diffusion", None, id="known"),
        pytest.param("rarer", None, id="rare words are no corrections"),
        pytest.param("zeppelin", None, id="nothing near"),
        pytest.param("lio", None, id="too short to tell"),
    ],
)
def test_nearest(word: str, nearest: str | None) -> None:
    assert SPELLER.nearest(word) == nearest


@pytest.mark.parametrize(
    ("word", "nearest"),
    [
        pytest.param("rarer", "rare", id="a word of few titles"),
        pytest.param("transfromer", "transformer", id="of equally near words still the most used"),
        pytest.param("rare", None, id="never the word itself"),
    ],
)
def test_nearest_among_rare_words(word: str, nearest: str | None) -> None:
    assert SPELLER.nearest(word, rare=True) == nearest


def test_rare_words_of_a_large_vocabulary_are_not_kept() -> None:
    many = Speller([("kernel", RARE), *((f"w{number}", 9) for number in range(SMALL_VOCABULARY))])
    assert many.nearest("kernal", rare=True) is None
