"""The desk: what a reader follows before all else, with reasons; and what it says where there is nothing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from broadsheet import links
from broadsheet.accounts.rules import Person
from broadsheet.community.actions import commenting
from broadsheet.community.rules.commenting import Draft
from broadsheet.following.actions import follows
from broadsheet.following.queries import profiles
from broadsheet.following.queries.profiles import Near
from broadsheet.following.rules.follows import Hiding, Kind
from broadsheet.library import actions as keeping
from broadsheet.papers import queries as papers
from broadsheet.papers import tasks
from broadsheet.search.index import IndexUnavailable
from broadsheet.testing import people
from broadsheet.testing.cast import HARBOUR, LANTERN, arxiv, said

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader() -> Person:
    """Chloé, whose desk it is."""
    return people.chloe()


@pytest.fixture
def desk(client: Client, reader: Person):
    """Asks for her desk and answers with the page as text."""
    signed = people.signed_in(client, reader)

    def ask(query: str = "") -> str:
        answer = signed.get(links.DESK + query)
        assert answer.status_code == 200
        return answer.content.decode()

    return ask


def number(key: str) -> int:
    row = papers.find(key)
    assert row is not None
    return row.id


def test_an_empty_house_says_what_will_be_here(desk) -> None:
    text = desk()
    assert "There is no edition yet" in text
    assert "No new notice" in text
    assert "Nothing to read in your library" in text


def test_who_follows_nothing_is_told_how(press, desk) -> None:
    press([LANTERN, HARBOUR])
    text = desk()
    assert "You follow nothing yet" in text
    assert "Save a few papers" in text
    assert 'href="/desk" aria-current="page"' in text


def test_a_paper_stands_there_with_all_its_reasons(press, desk, reader: Person) -> None:
    press([LANTERN, HARBOUR])
    follows.follow(by=reader, kind=Kind.AUTHOR, target="ada-example")
    follows.follow(by=reader, kind=Kind.SECTION, target="math.OC")
    text = desk()
    assert "What you follow, 1\u00a0paper" in text
    assert '<p class="why">by Ada Example, whom you follow; in math.OC</p>' in text
    assert 'data-paper="2401.00001"' in text
    assert 'data-paper="2401.00002"' not in text


def test_an_edition_without_anything_of_it_says_so(press, desk, reader: Person) -> None:
    press([LANTERN])
    keeping.keep(by=reader, papers_=[number("2401.00001")])
    follows.follow(by=reader, kind=Kind.SEARCH, target="zeppelins")
    text = desk()
    assert "Nothing in this edition is of what you follow" in text
    assert "1\u00a0paper to read" in text


def test_what_is_near_stands_below_once(press, desk, reader: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    press([LANTERN, HARBOUR])
    follows.follow(by=reader, kind=Kind.SECTION, target="math.OC")

    def near(_viewer: Person, ids: Collection[int]) -> dict[int, Near]:
        return {each: Near(float(each), "near “Meadow”, which you saved") for each in ids}

    monkeypatch.setattr(profiles, "near", near)
    text = desk()
    assert text.count('<li class="card" data-paper="2401.00001"') == 1
    assert text.index('data-paper="2401.00001"') < text.index("Near your library") < text.index("2401.00002")
    assert "near “Meadow”, which you saved" in text


def test_without_an_index_the_rest_stands_and_the_page_says_so(
    press, desk, reader: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    press([LANTERN, HARBOUR])
    follows.follow(by=reader, kind=Kind.SEARCH, target="lantern")
    follows.follow(by=reader, kind=Kind.SECTION, target="math.OC")

    def broken() -> None:
        raise IndexUnavailable("The index is being built.")

    monkeypatch.setattr(tasks, "reader", broken)
    text = desk()
    assert "Your searches could not be asked. The index is being built." in text
    assert 'data-paper="2401.00001"' in text


def test_what_is_hidden_is_left_out_and_counted(press, desk, reader: Person) -> None:
    press([LANTERN, HARBOUR])
    follows.follow(by=reader, kind=Kind.SECTION, target="cs.LG")
    follows.hide(by=reader, kind=Hiding.WORD, value="bridges")
    text = desk()
    assert "1\u00a0paper is hidden by your settings" in text
    assert 'data-paper="2401.00002"' not in text
    assert 'data-paper="2401.00002"' in desk("?hidden=show")


@pytest.mark.parametrize(
    ("count", "said"), [(1, ""), (2, ""), (3, "And 1\u00a0more paper."), (4, "And 2\u00a0more papers.")]
)
def test_news_are_cut_and_counted(
    press, desk, reader: Person, monkeypatch: pytest.MonkeyPatch, count: int, said: str
) -> None:
    monkeypatch.setattr("broadsheet.web.pages.desk.NEWS", 2)
    records = [
        replace(LANTERN, source_key=f"l{n}", identifiers=(arxiv(f"2401.{n:05}"),)) for n in range(100, 100 + count)
    ]
    press(records)
    for record in records:
        paper_id = number(record.identifiers[0].value)
        commenting.follow(by=reader, paper_id=paper_id, on=True)
        commenting.post_comment(by=people.bela(), paper_id=paper_id, draft=Draft(f"On {paper_id}."))
    text = desk()
    assert text.count(">A comment by Bela Beispiel<") == min(count, 2)
    assert ("more paper" in text, said in text) == (bool(said), True)


def test_a_title_in_the_news_has_its_exponents_raised(press, desk, reader: Person) -> None:
    press([replace(LANTERN, title="Lamps in $R^{d \\times k}$")])
    paper_id = number("2401.00001")
    commenting.follow(by=reader, paper_id=paper_id, on=True)
    commenting.post_comment(by=people.bela(), paper_id=paper_id, draft=Draft("Does it hold?"))
    news = desk().partition('id="news"')[2].partition("</section>")[0]
    assert "Lamps in R<sup>d×k</sup></a>" in news


def test_visitors_are_led_to_sign_in(client: Client) -> None:
    answer = client.get(links.DESK)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account/sign-in?next=%2Fdesk")


@pytest.mark.parametrize("path", [links.DESK, links.FRONT, "/date/2024-01-02", "/section/cs.LG", links.FOLLOWS])
def test_the_number_of_questions_does_not_grow(press, client: Client, reader: Person, path: str) -> None:
    signed = people.signed_in(client, reader)
    press([LANTERN])
    follows.follow(by=reader, kind=Kind.SECTION, target="cs.LG")

    def fill(start: int, stop: int) -> None:
        press(
            said(
                f"Gardens {n}",
                key=str(n),
                identifiers=(arxiv(f"2401.{n:05}"),),
                authors=(f"Ada Number{n}",),
                announced=date(2024, 1, 2),
                categories=("cs.LG",),
            )
            for n in range(start, stop)
        )
        for n in range(start, stop):
            follows.follow(by=reader, kind=Kind.AUTHOR, target=f"ada-number{n}")
            follows.hide(by=reader, kind=Hiding.WORD, value=f"never{n}")

    fill(10, 14)
    signed.get(path)
    counted = []
    for start in (20, 30):
        with CaptureQueriesContext(connection) as asked:
            assert signed.get(path).status_code == 200
        counted.append(len(asked))
        fill(start, start + 8)
    assert counted[1] <= counted[0] < 40
