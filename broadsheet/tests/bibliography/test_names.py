"""Names as sources write them, as readers expect them, as citations want them, and in addresses."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from broadsheet.bibliography.names import Name, is_plain, last_first, likeness, parts, printed, slug, spelt


@pytest.mark.parametrize(
    ("written", "given_name", "family", "suffix"),
    [
        pytest.param("Ada Example", "Ada", "Example", "", id="First Last"),
        pytest.param("Example, Ada", "Ada", "Example", "", id="Last, First"),
        pytest.param("Example,Ada", "Ada", "Example", "", id="no blank after the comma"),
        pytest.param("Ada B. C. Example", "Ada B. C.", "Example", "", id="initials in the middle"),
        pytest.param("Example, A.~B.", "A. B.", "Example", "", id="initials with ties"),
        pytest.param("Ada von der Example", "Ada", "von der Example", "", id="First von Last"),
        pytest.param("von der Example, Ada", "Ada", "von der Example", "", id="von Last, First"),
        pytest.param("Jean d'Exemple", "Jean", "d'Exemple", "", id="elided particle"),
        pytest.param("Ada Example y Primer", "Ada", "Example y Primer", "", id="two family names joined"),
        pytest.param("Ada Example Jr.", "Ada", "Example", "Jr.", id="suffix"),
        pytest.param("Ada Example, Jr.", "Ada", "Example", "Jr.", id="suffix after a comma"),
        pytest.param("Example, Jr., Ada", "Ada", "Example", "Jr.", id="suffix as BibTeX has it"),
        pytest.param("Example, Ada, III", "Ada", "Example", "III", id="suffix as libraries have it"),
        pytest.param("Example, Ada III", "Ada", "Example", "III", id="suffix behind the given name"),
        pytest.param(r"{\'E}mile Exemple", "Émile", "Exemple", "", id="TeX accent"),
        pytest.param(r"{\DJ}or{\dj}e Primer", "Đorđe", "Primer", "", id="TeX letter"),
        pytest.param("Chloe\u0301 Exemple", "Chloé", "Exemple", "", id="decomposed accent"),
        pytest.param("Ada Example (1)", "Ada", "Example", "", id="number of an affiliation"),
        pytest.param("Ada Example* (Invented University)", "Ada", "Example", "", id="footnote and affiliation"),
        pytest.param("Ada Example et al.", "Ada", "Example", "", id="et al."),
        pytest.param("Ada Example and 12 others", "Ada", "Example", "", id="and others"),
        pytest.param("Ada Example for the INVENTED Collaboration", "Ada", "Example", "", id="on behalf of"),
        pytest.param("The INVENTED Collaboration", "", "The INVENTED Collaboration", "", id="collaboration"),
        pytest.param(
            "Collaboration, INVENTED", "", "INVENTED Collaboration", "", id="collaboration taken for a person"
        ),
        pytest.param("{Beispiel and Sons, Inc.}", "", "Beispiel and Sons, Inc.", "", id="braces keep a name whole"),
        pytest.param("Ada", "", "Ada", "", id="one word"),
        pytest.param("et al.", "", "", "", id="nobody"),
        pytest.param("", "", "", "", id="nothing"),
    ],
)
def test_parts(written: str, given_name: str, family: str, suffix: str) -> None:
    assert parts(written) == Name(given_name, family, suffix)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param("  Ada   Example ", "Ada Example", id="white space"),
        pytest.param("Example, Ada", "Ada Example", id="turned round"),
        pytest.param("von der Example, Jr., Ada", "Ada von der Example Jr.", id="particles and suffix"),
        pytest.param("J.A. Example", "J.A. Example", id="initials as they are"),
        pytest.param("ADA EXAMPLE", "ADA EXAMPLE", id="capitals as they are"),
        pytest.param("et al.", "", id="nobody"),
        pytest.param("Ada\tB.\n Example", "Ada B. Example", id="white space of other kinds"),
        pytest.param("Ada \u202eelpmaxE\u202c", "Ada elpmaxE", id="turned round"),
        pytest.param("\u2066Exam\u202dple\u2069, Ada", "Ada Example", id="turned round, the last name first"),
        pytest.param("A\x00d\x1ba\x7f Exam\x85ple\x9f", "Ada Example", id="control characters"),
        pytest.param("The INVENTED Colla\x01boration", "The INVENTED Collaboration", id="in the name of many"),
        pytest.param("\x01\u202e", "", id="nothing that is seen"),
    ],
)
def test_printed(written: str, expected: str) -> None:
    assert printed(written) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param("Ada Example", "Example, Ada", id="person"),
        pytest.param("Ada von der Example Jr.", "von der Example, Jr., Ada", id="as BibTeX has it"),
        pytest.param("The INVENTED Collaboration", "The INVENTED Collaboration", id="collaboration"),
        pytest.param("Ada", "Ada", id="one word"),
    ],
)
def test_last_first(written: str, expected: str) -> None:
    assert last_first(written) == expected


@pytest.mark.parametrize(
    ("address", "spellings"),
    [
        pytest.param(
            "ada-example", ["Ada Example", "Example, Ada", "ADA EXAMPLE", "Ada Example et al."], id="order and case"
        ),
        pytest.param("chloe-exemple", ["Chloé Exemple", r"Chlo\'e Exemple", "Exemple, Chloe\u0301"], id="accents"),
        pytest.param("dorde-primer", ["Đorđe Primer", r"{\DJ}or{\dj}e Primer", "Dorde Primer"], id="strokes"),
        pytest.param("a-b-example", ["A. B. Example", "A.B. Example", "Example, A.~B."], id="initials"),
        pytest.param(
            "invented-collaboration", ["The INVENTED Collaboration", "Invented Collaboration"], id="collaboration"
        ),
        pytest.param("", ["", "et al.", "***"], id="nobody"),
    ],
)
def test_slug(address: str, spellings: list[str]) -> None:
    assert {slug(spelling) for spelling in spellings} == {address}


def test_slugs_of_other_scripts_never_change() -> None:
    assert slug("王小明") == "n-6024f1e2e8856106"
    assert slug("王小明") != slug("李小明")


def test_long_slugs_are_cut_and_stay_different() -> None:
    long = "Ada " + "Example " * 40
    assert len(slug(long)) < 100
    assert slug(long) != slug(long + "Primer")


@given(st.text())
def test_slugs_are_ascii_words_with_hyphens(name: str) -> None:
    assert all(letter.isascii() and (letter.isalnum() or letter == "-") for letter in slug(name))
    assert "--" not in slug(name)


WORDS = st.text("abcdefghijklmnopqrstuvwxyzéñöčł", min_size=2, max_size=9).map(str.capitalize)


@given(st.lists(WORDS, min_size=1, max_size=3), WORDS)
def test_turning_a_name_round_twice_gives_it_back(given_names: list[str], family: str) -> None:
    name = " ".join([*given_names, family])
    assume(
        not set(name.lower().split()) & {"jr", "sr", "ii", "iii", "iv", "and", "et", "al", "the", "others", "committee"}
    )
    assert printed(last_first(name)) == name
    assert slug(last_first(name)) == slug(name)


@given(st.text() | st.text("Ad ,\t\x01\x1f\x85\u202e\u2069{}\\\\'"))
def test_no_control_character_of_a_name_is_printed(name: str) -> None:
    unseen = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
    known = parts(name)
    for text in (printed(name), last_first(name), known.given, known.family, known.suffix):
        assert not unseen.search(text)


@given(st.text())
def test_no_name_breaks_it(name: str) -> None:
    for written in (name, f"Example, {name}", f"{{{name}}}", f"Ada {name} et al."):
        printed(written)
        last_first(written)


@pytest.mark.parametrize(
    ("a", "b", "share"),
    [
        pytest.param(["Ada Example", "Bela Beispiel"], ["Example, A.", "Beispiel, B."], 1, id="the same people"),
        pytest.param(["Ada Example", "Bela Beispiel"], ["Ada Example", "Đorđe Primer"], 0.5, id="one of two"),
        pytest.param(["Ada Example"], ["Ada Example", "Đorđe Primer"], 1, id="the shorter list counts"),
        pytest.param(["Ada Example"], ["Đorđe Primer"], 0, id="other people"),
        pytest.param(["Ada Example"], ["Bela Example"], 0.4, id="only the family name"),
        pytest.param(["Ada Example"], ["Example Ada"], 1, id="given and family name exchanged"),
        pytest.param([], ["Ada Example"], None, id="nobody is known"),
        pytest.param(["et al."], ["Ada Example"], None, id="nobody is named"),
    ],
)
def test_likeness_of_lists(a: list[str], b: list[str], share: float | None) -> None:
    assert likeness(a, b) == share
    assert likeness(b, a) == share


@pytest.mark.parametrize(
    ("name", "spelling"),
    [
        pytest.param(Name("Ada", "Example"), "Ada Example", id="person"),
        pytest.param(Name("Ada", "van der Example", "Jr."), "Ada van der Example Jr.", id="particles and suffix"),
        pytest.param(Name("Chloé", "Exemple Primer"), "Exemple Primer, Chloé", id="a family name of two words"),
        pytest.param(Name("", "Ada"), "Ada", id="one word"),
        pytest.param(Name("", "The INVENTED Collaboration"), "The INVENTED Collaboration", id="collaboration"),
        pytest.param(Name("", "Invented Research"), "{Invented Research}", id="organisation"),
        pytest.param(Name("", "Beispiel and Sons, Inc."), "{Beispiel and Sons, Inc.}", id="organisation with a comma"),
        pytest.param(Name("", ""), "", id="nobody"),
    ],
)
def test_spelt(name: Name, spelling: str) -> None:
    assert spelt(name) == spelling
    assert parts(spelling) == name


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        pytest.param("Ada B. van der Example Jr.", True, id="words"),
        pytest.param("Đorđe Primer", True, id="accents"),
        pytest.param("Example, Ada", False, id="turned round"),
        pytest.param("{Invented Research}", False, id="braces"),
        pytest.param("Chloe\u0301 Exemple", False, id="an accent apart from its letter"),
        pytest.param("Ada Example (1)", False, id="remark"),
        pytest.param("The Invented Committee", False, id="many"),
    ],
)
def test_plain(name: str, plain: bool) -> None:
    assert is_plain(name) is plain


@given(st.text(st.sampled_from("Ab .'é王-")).map(str.strip))
def test_plain_names_are_their_own_spelling(name: str) -> None:
    name = " ".join(name.split())
    if is_plain(name):
        assert spelt(parts(name)) == name
