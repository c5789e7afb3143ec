"""The page of rising papers, and what the pages say of a paper's place."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from broadsheet.community.actions import voting
from broadsheet.editions import actions as editions
from broadsheet.papers import queries as papers
from broadsheet.testing import people
from broadsheet.testing.cast import HARBOUR, LANTERN

pytestmark = pytest.mark.django_db


def vote(key: str) -> None:
    paper = papers.find(key)
    assert paper is not None
    voting.cast_vote(by=people.chloe(), paper_id=paper.id)


def test_a_list_without_votes_says_why_it_is_empty(get) -> None:
    assert "Nothing rises: nobody has voted" in get("/trending").text


def test_rising_papers_are_listed_with_the_reason_for_their_places(press, get) -> None:
    press([LANTERN, HARBOUR], now=timezone.now())
    vote("2401.00002")
    editions.follow_votes(now=timezone.now() + timedelta(seconds=1))
    text = get("/trending").text
    assert "1\u00a0paper, the fastest first" in text
    assert "1 vote lately, worth 1.0 now; usual in its field: 3.0." in text
    assert 'data-paper="2401.00002"' in text
    assert 'data-paper="2401.00001"' not in text


def test_a_paper_explains_its_place_with_points_that_add_up(press, get) -> None:
    press([LANTERN, HARBOUR], now=timezone.now())
    vote("2401.00001")
    editions.follow_votes(now=timezone.now() + timedelta(seconds=1))
    press([], now=timezone.now() + timedelta(seconds=2))
    text = get("/papers/2401.00001").text
    assert "1 reader voted for it (usual in its field: 3.0), 1; code is available, 1. Together 2 points." in text


def test_the_page_about_ranking_prints_the_rules_of_votes_from_their_tables(get) -> None:
    text = get("/about/ranking").text
    assert "A vote counts from the moment it is cast." in text
    assert "Several accounts that are only days old voted for one paper within minutes." in text
    assert "<td>48 hours</td><td>after which a vote counts half for what is rising</td>" in text
    assert "There are people now who vote, comment and pick." in text
