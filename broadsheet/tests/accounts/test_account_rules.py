"""What names people may have, and what is made of what they say of themselves."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.accounts.actions import speaks_for_the_paper
from broadsheet.accounts.rules import LONGEST_SHOWN, RESERVED, clean_about, clean_shown, name_problem, new_token


@pytest.mark.parametrize("name", ["ada", "a1", "ada-example", "ada_e", "x" * 40, "0rion", "e2e4"])
def test_good_names(name: str) -> None:
    assert name_problem(name) is None


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("", id="nothing"),
        pytest.param("a", id="one letter"),
        pytest.param("x" * 41, id="41 letters"),
        pytest.param("Ada", id="a capital"),
        pytest.param("ada example", id="a blank"),
        pytest.param("ada\n", id="a line break"),
        pytest.param("-ada", id="a hyphen at the beginning"),
        pytest.param("ada_", id="a line at the end"),
        pytest.param("ada.example", id="a full stop"),
        pytest.param("ada@example.org", id="an address"),
        pytest.param("12345", id="digits only"),
        pytest.param("\u0430da", id="a Cyrillic a"),
        pytest.param("\uff41da", id="a wide a, which NFKC makes a plain one"),
        pytest.param("ad\u200da", id="a joiner of no width"),
        pytest.param("\u202eada", id="turned round"),
        pytest.param("a\u0301da", id="a combining accent"),
        pytest.param("\u212aurt", id="the Kelvin sign, whose small letter is k"),
        pytest.param("\u0660\u0661a", id="Arabic digits"),
        *(pytest.param(name, id=f"reserved: {name}") for name in sorted(RESERVED)),
        pytest.param("adm1n", id="1 for i"),
        pytest.param("0perator", id="0 for o"),
        pytest.param("ad-min", id="a hyphen in a reserved name"),
        pytest.param("adrnin", id="rn for m"),
        pytest.param("rnoderator", id="rn for m at the beginning"),
        pytest.param("vvvvvv", id="vv for w"),
    ],
)
def test_bad_names(name: str) -> None:
    assert name_problem(name) is not None


@given(st.text(max_size=60))
def test_a_good_name_is_plain(name: str) -> None:
    if name_problem(name) is None:
        assert name.isascii()
        assert name == unicodedata.normalize("NFKC", name).casefold()


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        pytest.param("  Ada   Example ", "Ada Example", id="blanks"),
        pytest.param("Ada\u202e\u200b\x00\n", "Ada", id="hidden signs"),
        pytest.param("\uff21da", "Ada", id="a wide letter"),
        pytest.param("Đorđe Primer", "Đorđe Primer", id="letters with strokes"),
        pytest.param("a" + "\u0301" * 20, "á" + "\u0301" * 3, id="a tower of accents"),
        pytest.param("\u200b\u200b", "", id="nothing to see"),
    ],
)
def test_shown_names(typed: str, kept: str) -> None:
    assert clean_shown(typed) == kept


@given(st.text(max_size=300))
def test_a_shown_name_is_one_short_line(typed: str) -> None:
    shown = clean_shown(typed)
    assert len(shown) <= LONGEST_SHOWN
    assert "\n" not in shown
    assert shown == shown.strip()


@pytest.mark.parametrize("shown", ["Operator", "The-Admin".replace("The-", ""), "moderators", "Broadsheet"])
def test_a_shown_name_speaks_for_nobody(shown: str) -> None:
    assert speaks_for_the_paper(shown)


@pytest.mark.parametrize("shown", ["Ada Example", "Đorđe Primer", "Lee", "X", "李"])
def test_names_of_people_are_no_such_names(shown: str) -> None:
    assert not speaks_for_the_paper(shown)


def test_the_text_about_oneself_keeps_its_lines() -> None:
    assert clean_about("One\r\nTwo \u202e\x07\n\n Three ") == "One\nTwo\n\n Three"


def test_tokens_are_long_and_never_the_same() -> None:
    made = {new_token() for _ in range(100)}
    assert len(made) == 100
    assert all(len(token) == 46 for token in made)
