"""Keys, slugs and labels in addresses, and addresses that sources gave."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from django.urls import resolve
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.web import addresses, paging


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        pytest.param("2401.00001", "/papers/2401.00001", id="arXiv"),
        pytest.param("math/0611800", "/papers/math/0611800", id="arXiv before 2007, with its slash"),
        pytest.param(
            "doi:10.1000/x(1)<2>#3?4%5", "/papers/doi:10.1000/x(1)%3C2%3E%233%3F4%255", id="DOI with anything"
        ),
    ],
)
def test_addresses_of_papers(key: str, expected: str) -> None:
    assert addresses.paper(key) == expected


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40))
def test_every_address_of_a_paper_leads_back_to_its_key(key: str) -> None:
    found = resolve(unquote(addresses.paper(key)))
    assert found.kwargs == {"key": key}


@pytest.mark.parametrize(
    ("kind", "label", "expected"),
    [
        ("day", "2026-11-20", "/date/2026-11-20"),
        ("week", "2026-W47", "/week/2026-W47"),
        ("month", "2026-11", "/month/2026-11"),
        ("first", "first", "/editions/first"),
    ],
)
def test_addresses_of_editions(kind: str, label: str, expected: str) -> None:
    assert addresses.edition(kind, label) == expected


def test_what_says_nothing_is_left_out_of_a_query() -> None:
    assert addresses.with_query("/x", page=1, q="", sort=None) == "/x"
    assert addresses.with_query("/x", q="a & b", page=2) == "/x?q=a+%26+b&page=2"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.org/code", "https://example.org/code"),
        ("http://example.org", "http://example.org"),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("//example.org", ""),
        ("", ""),
    ],
)
def test_only_addresses_of_the_web_become_links(url: str, expected: str) -> None:
    assert addresses.outside(url) == expected


def test_long_addresses_are_printed_short() -> None:
    assert addresses.shortened("https://www.example.org/code/") == "example.org/code"
    assert len(addresses.shortened("https://example.org/" + "x" * 100)) == 48


@pytest.mark.parametrize(
    ("number", "last", "expected"),
    [
        (1, 1, [1]),
        (1, 3, [1, 2, 3]),
        (1, 9, [1, 2, 3, None, 9]),
        (5, 9, [1, None, 3, 4, 5, 6, 7, None, 9]),
        (9, 9, [1, None, 7, 8, 9]),
    ],
)
def test_a_pager_shows_the_ends_and_the_neighbours(number: int, last: int, expected: list[int | None]) -> None:
    assert paging.Pages(number, last, str).shown == expected
