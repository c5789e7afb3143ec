"""Searching in the order of votes: only what people voted for, and only what matches."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from broadsheet.accounts.rules import Person
from broadsheet.community.actions.voting import cast_vote
from broadsheet.editions import actions as editions
from broadsheet.papers import queries as papers
from broadsheet.testing.cast import HARBOUR, LANTERN, MEADOW
from broadsheet.testing.people import chloe, curator, moderator


def _vote(key: str, voters: list[Person]) -> None:
    found = papers.find(key)
    assert found is not None
    for person in voters:
        cast_vote(by=person, paper_id=found.id)


@pytest.fixture
def voted(press) -> None:
    press([LANTERN, HARBOUR, MEADOW], now=timezone.now())
    _vote("2401.00001", [chloe()])
    _vote("2401.00002", [chloe(), curator(), moderator()])
    editions.follow_votes(now=timezone.now() + timedelta(seconds=1))


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        pytest.param("sort:votes", ["2401.00002", "2401.00001"], id="everything"),
        pytest.param("sort:trending", ["2401.00002", "2401.00001"], id="what rises"),
        pytest.param("lantern sort:votes", ["2401.00001"], id="with words"),
        pytest.param("meadow sort:votes", [], id="without a vote"),
    ],
)
def test_what_people_voted_for_comes_in_the_order_of_its_votes(
    voted: None, get, typed: str, expected: list[str]
) -> None:
    answer = get(f"/api/v1/search?q={typed}").json()
    assert [hit["paper"]["id"] for hit in answer["items"]] == expected
    assert answer["total"] == len(expected)
    assert "Only papers that people voted for" in " ".join(answer["remarks"])


def test_the_pages_of_such_an_answer_continue_each_other(voted: None, get) -> None:
    first = get("/api/v1/search?q=sort:votes&limit=1").json()
    second = get(first["next"]).json()
    assert [page["items"][0]["paper"]["id"] for page in (first, second)] == ["2401.00002", "2401.00001"]
    assert second["next"] is None


@pytest.mark.parametrize("after", ["x", "-1", "٣", "9999999"])
def test_what_is_no_place_in_it_is_refused(voted: None, get, after: str) -> None:
    assert get(f"/search?q=sort:votes&after={after}").status_code == 404


def test_the_page_offers_the_order_and_says_what_it_leaves_out(voted: None, get) -> None:
    text = get("/search?q=lantern").text
    assert "Most votes first" in text
    page = get("/search?q=lantern&sort=votes").text
    assert "Only papers that people voted for are listed in this order." in page
    assert 'href="/papers/2401.00001"' in page
    assert "/search?q=lantern+sort%3Anewest" in page
