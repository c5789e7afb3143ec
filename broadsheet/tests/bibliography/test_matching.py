"""When two records speak of one work: what decides, and what only counts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.identifiers import Identifier
from broadsheet.bibliography.matching import head_key, same_work, shared_vocabulary, title_key, titles_agree
from broadsheet.bibliography.record import Record

TITLE = "Lantern: Choosing Step Sizes by the Norms of Earlier Gradients"
ABSTRACT = (
    "Gradient descent needs step sizes that nobody knows beforehand. Lantern remembers norms of earlier gradients and "
    "derives every step from their running median, without any schedule. Convergence follows for smooth objectives, "
    "and experiments with lamps, harbours and meadows confirm faster training than hand-tuned schedules."
)
OTHER_ABSTRACT = (
    "Museums lend paintings according to agreements written centuries ago. Reading four thousand letters from northern "
    "archives, this study reconstructs loan routes, insurance premiums, quarrels about frames, and the merchants whose "
    "wagons carried altarpieces across frozen rivers during winter."
)
PEOPLE = ("Ada Example", "Chloé Exemple")
OTHERS = ("Bela Beispiel", "Đorđe Primer")


def said(title: str = TITLE, *, year: str = "", ids: tuple[str, ...] = (), **known: Any) -> Record:
    """A record with what is named here and nothing else."""
    return Record(
        source="testimony",
        source_key="1",
        title=title,
        submitted=PartialDate.parse(year) if year else None,
        identifiers=tuple(map(Identifier.from_str, ids)),
        **known,
    )


@pytest.mark.parametrize(
    ("ids_a", "ids_b", "same"),
    [
        pytest.param(["arxiv:2401.00001"], ["arxiv:2401.00001"], True, id="one arXiv identifier"),
        pytest.param(["arxiv:2401.00001"], ["arxiv:2401.00002"], False, id="two arXiv identifiers"),
        pytest.param(["doi:10.1000/a"], ["doi:10.1000/a", "acl:P19-1001"], True, id="one DOI"),
        pytest.param(
            ["arxiv:2401.00001", "doi:10.1000/a"],
            ["arxiv:2401.00002", "doi:10.1000/a"],
            False,
            id="arXiv goes before DOI",
        ),
        pytest.param(["acl:P19-1001"], ["acl:P19-1002"], False, id="two ACL Anthology identifiers"),
        pytest.param(["pmlr:v97/name97a"], ["pmlr:v97/name97b"], False, id="two papers of a PMLR volume"),
    ],
)
def test_identifiers_decide(ids_a: list[str], ids_b: list[str], same: bool) -> None:
    a = said(TITLE if same is False else "Lantern", ids=tuple(ids_a), authors=PEOPLE, abstract=ABSTRACT)
    b = said(TITLE if same is False else "Harbour", ids=tuple(ids_b), authors=PEOPLE, abstract=ABSTRACT)
    assert same_work(a, b).same is same


@pytest.mark.parametrize(
    "ids",
    [
        pytest.param(("doi:10.1000/a", "doi:10.1000/b"), id="preprint and journal have their own DOI"),
        pytest.param(("openreview:first-forum", "openreview:second-forum"), id="submitted again"),
        pytest.param(("pmlr:v97/name97a", "pmlr:v98/name98a"), id="two volumes of PMLR"),
        pytest.param(("arxiv:2401.00001", "doi:10.1000/a"), id="identifiers of two kinds"),
    ],
)
def test_identifiers_that_decide_nothing(ids: tuple[str, str]) -> None:
    a, b = said(ids=ids[:1]), said(ids=ids[1:])
    assert same_work(a, b).same
    assert not same_work(replace(a, title="Harbour"), b).same


@pytest.mark.parametrize(
    ("a", "b"),
    [
        pytest.param(TITLE, TITLE.upper(), id="capitals"),
        pytest.param("Step-Size Rules for Self-Taught Lamps", "Step–Size Rules for Self‐Taught Lamps", id="dashes"),
        pytest.param(
            "Non-Linear Pre-Training of Street Lamps", "Nonlinear Pretraining of Street Lamps", id="word breaks"
        ),
        pytest.param(
            "Harbours between Schrödinger Bridges", r"Harbours between Schr\"odinger Bridges", id="TeX accent"
        ),
        pytest.param("Harbours between Schrödinger Bridges", "Harbours between Schrodinger Bridges", id="no accent"),
        pytest.param(
            r"Sharper Bounds for $\ell_p$ Sampling", "Sharper Bounds for ell_p Sampling", id="dollars left out"
        ),
        pytest.param(r"The $\alpha$-Divergence of Two Meadows", "The α-Divergence of Two Meadows", id="Unicode"),
        pytest.param("Steps and Lamps of the Old Harbour", "Step and Lamp of Old Harbours", id="plurals and articles"),
        pytest.param(TITLE, f"{TITLE} (Extended Abstract)", id="a remark on the version"),
        pytest.param("Choosing Step Sizes by Night", "Choosing Step Sizes by Night: A Study", id="with subtitle"),
    ],
)
def test_one_title_in_two_spellings(a: str, b: str) -> None:
    assert same_work(said(a), said(b)).same
    assert {title_key(a), head_key(a)} & {title_key(b), head_key(b)} - {None}
    assert titles_agree(a, b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        pytest.param("Lamps in Finite Groups I", "Lamps in Finite Groups II", id="parts of a series"),
        pytest.param("Lamps in Finite Groups", "Lamps in Finite Groups: Part II", id="a part and the whole"),
        pytest.param("Lamps in Finite Old Groups", "Lamps in Finite Old Groups: An Addendum", id="an addendum"),
        pytest.param("Lamps in 2D Random Media", "Lamps in 3D Random Media", id="another number"),
        pytest.param("Growth of Lamps in Half Spaces", "Growth of Lamps in Half Planes", id="one word of substance"),
        pytest.param("Lamps of Symmetric Old Matrices", "Lamps of Skew-Symmetric Old Matrices", id="one word more"),
        pytest.param("Bounded Lamps of Old Harbours", "Unbounded Lamps of Old Harbours", id="negation"),
        pytest.param("Texture++: Lamps in Old Videos", "Texture: Lamps in Old Videos", id="plus signs"),
        pytest.param(TITLE, "Harbour: Transport between Bridges", id="other words"),
    ],
)
def test_two_titles_by_the_same_people(a: str, b: str) -> None:
    assert not same_work(said(a, authors=PEOPLE, year="2024"), said(b, authors=PEOPLE, year="2024")).same
    assert not titles_agree(a, b)


PAGE = {"abstract": ABSTRACT, "author_count": 2, "year": "2024-01-03"}
CATALOGUED = {"authors": PEOPLE, "year": "2024-01"}
REPHRASED = {"authors": PEOPLE, "abstract": OTHER_ABSTRACT}
IN_A_JOURNAL = {"authors": ("Exemple, C.", "Example, A."), "year": "2026"}
LONG_AGO = {"abstract": OTHER_ABSTRACT, "year": "2010"}


@pytest.mark.parametrize(
    ("known_a", "known_b", "same"),
    [
        pytest.param({}, {}, True, id="nothing else known"),
        pytest.param(PAGE, CATALOGUED, True, id="a saved page and the catalogue"),
        pytest.param(
            {"authors": PEOPLE, "abstract": ABSTRACT}, REPHRASED, True, id="abstract rewritten by the same people"
        ),
        pytest.param({"abstract": ABSTRACT}, {"abstract": ABSTRACT[:200]}, True, id="abstract cut off"),
        pytest.param(CATALOGUED, IN_A_JOURNAL, True, id="names in another form, journal two years later"),
        pytest.param({"authors": PEOPLE}, {"authors": OTHERS}, False, id="other people"),
        pytest.param(PAGE, LONG_AGO, False, id="other abstract, years apart"),
        pytest.param({"abstract": ABSTRACT}, {"abstract": OTHER_ABSTRACT}, False, id="other abstract"),
        pytest.param(REPHRASED, {"authors": OTHERS, "abstract": ABSTRACT}, False, id="nothing agrees"),
    ],
)
def test_what_else_is_known_about_equal_titles(known_a: dict[str, Any], known_b: dict[str, Any], same: bool) -> None:
    assert same_work(said(**known_a), said(**known_b)).same is same


@pytest.mark.parametrize(
    ("title", "known", "same"),
    [
        pytest.param("Old Lamps", {}, True, id="two words, nothing against"),
        pytest.param("Old Lamps", {"years": ("2010", "2024")}, False, id="two words, many years apart"),
        pytest.param("Lamps", {"years": ("2024", "2024")}, True, id="one word, one year"),
        pytest.param("Lamps", {"years": ("2020", "2024")}, False, id="one word, years apart"),
        pytest.param("Introduction", {"years": ("2024-01", "2024-01")}, False, id="a title that many have"),
        pytest.param("Comment on Old Lamps", {}, False, id="an answer, nothing known"),
        pytest.param(
            "Comment on Old Lamps", {"authors": PEOPLE, "abstract": ABSTRACT}, True, id="an answer, all agrees"
        ),
    ],
)
def test_short_and_generic_titles(title: str, known: dict[str, Any], same: bool) -> None:
    first, second = known.pop("years", ("", ""))
    assert same_work(said(title, year=first, **known), said(title, year=second, **known)).same is same


def test_a_bare_name_needs_somebody_to_speak_for_it() -> None:
    full = said(authors=PEOPLE, abstract=ABSTRACT, year="2024")
    assert not same_work(said("Lantern", year="2024"), full).same
    assert same_work(said("Lantern", authors=PEOPLE), full).same
    assert same_work(said("Lantern", abstract=ABSTRACT), full).same


def test_a_name_with_another_subtitle_needs_people_and_abstract() -> None:
    renamed = "Lantern: Steps from Remembered Norms"
    full = said(authors=PEOPLE, abstract=ABSTRACT)
    assert same_work(said(renamed, authors=PEOPLE, abstract=ABSTRACT), full).same
    assert not same_work(said(renamed, authors=PEOPLE), full).same
    assert not same_work(said(renamed, abstract=ABSTRACT), full).same


def test_a_misspelled_title_needs_somebody_to_speak_for_it() -> None:
    misspelled = TITLE.replace("Gradients", "Gradeients")
    assert same_work(said(misspelled, authors=PEOPLE), said(authors=PEOPLE)).same
    assert not same_work(said(misspelled), said()).same


def test_the_verdict_says_why() -> None:
    verdict = same_work(said(authors=PEOPLE, year="2024"), said(authors=PEOPLE, year="2025"))
    assert verdict.reason == "equal titles, authors agree, years agree"
    assert verdict.score > 0.99
    assert same_work(said(), said("Harbour")).reason == "titles differ"


@pytest.mark.parametrize(
    ("title", "has_subtitle"),
    [
        pytest.param("Lantern: Step Sizes", True, id="colon"),
        pytest.param("Lantern - Step Sizes", True, id="spaced hyphen"),
        pytest.param("Lantern – Step Sizes", True, id="spaced dash"),
        pytest.param("Lantern---Step Sizes", True, id="TeX dash"),
        pytest.param("Lantern—Step Sizes", True, id="em dash"),
        pytest.param("Who Lit the Lantern? Step Sizes", True, id="question"),
        pytest.param("Self-taught Lanterns", False, id="hyphen"),
        pytest.param("Lanterns at 1:2", False, id="ratio"),
        pytest.param("Discussion of: Lanterns", False, id="a head that says nothing"),
        pytest.param("Lantern:", False, id="nothing behind the colon"),
        pytest.param("Lantern", False, id="no subtitle"),
    ],
)
def test_heads(title: str, has_subtitle: bool) -> None:
    assert (head_key(title) is not None) is has_subtitle


def test_keys_never_change() -> None:
    """Databases hold them: whoever changes a number here owes every installation a migration."""
    assert title_key("Lantern: Step Sizes") == 8154994332737968805
    assert head_key("Lantern: Step Sizes") == title_key("lantern") == 310043621738222588
    assert title_key(r"The $\ell_2$ Norms of Schr\"odinger's Lamps") == 395858214868650408
    assert title_key("") == -1970711489451281740


texts = st.text(max_size=60)
records = st.builds(
    Record,
    source=st.just("testimony"),
    source_key=st.just("1"),
    title=st.sampled_from([TITLE, "Lantern", "Introduction", ""]) | texts,
    abstract=st.sampled_from([ABSTRACT, OTHER_ABSTRACT, ""]),
    authors=st.sampled_from([PEOPLE, OTHERS, ()]) | st.lists(texts, max_size=3).map(tuple),
    author_count=st.none() | st.integers(0, 5),
    submitted=st.none() | st.builds(PartialDate, st.integers(1990, 2030)),
)


@given(records, records)
def test_the_order_of_the_two_does_not_matter(a: Record, b: Record) -> None:
    assert same_work(a, b) == same_work(b, a)


@given(texts)
def test_keys_fit_a_database(title: str) -> None:
    assert -(2**63) <= title_key(title) < 2**63
    assert title_key(title) == title_key(f"  {title} ")
    assert title_key(title.lower()) == title_key(title.lower().capitalize().lower())


@pytest.mark.parametrize(
    ("a", "b", "share"),
    [
        pytest.param(ABSTRACT, ABSTRACT, 1, id="one text"),
        pytest.param(ABSTRACT, ABSTRACT[:250], 1, id="a cut text"),
        pytest.param(ABSTRACT, "", None, id="nothing"),
        pytest.param(ABSTRACT, "A mere line.", None, id="a mere line"),
    ],
)
def test_shared_vocabulary(a: str, b: str, share: float | None) -> None:
    assert shared_vocabulary(a, b) == share
