"""Editions in a reader's own order, and the page of her profile."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import orjson
import pytest
from django.test import Client
from django.utils import timezone

from broadsheet.accounts.rules import Person
from broadsheet.editions.actions import publish_pending
from broadsheet.following import tasks
from broadsheet.following.models import Profile
from broadsheet.following.queries import profiles
from broadsheet.library import actions as library
from broadsheet.papers import queries as papers
from broadsheet.papers.actions import store_many
from broadsheet.search.adapters.reference import ReferenceIndex
from broadsheet.testing.cast import said
from broadsheet.testing.people import ada, bela, signed_in

pytestmark = pytest.mark.django_db

DAY = date(2024, 1, 2)
TITLES = [
    *(f"Harbours without water, part {number}" for number in ("one", "two", "three", "four", "five")),
    *(f"Meadows of {word} in spring" for word in ("clover", "thyme", "grass", "lilies", "moss", "fern")),
    *(f"A lamp for every {word}" for word in ("step", "street", "house", "tower", "bridge", "room", "door", "gate")),
    *(f"Stones and the {word} of them" for word in ("weight", "colour", "age", "sound", "shape", "dust", "price")),
]


@pytest.fixture(autouse=True)
def ids(db: None) -> dict[str, int]:
    store_many([said(title, announced=DAY) for title in TITLES])
    while publish_pending(now=timezone.now()).more:
        pass
    learn()
    return {row.title: row.id for row in papers.Paper.objects.all()}


def learn() -> None:
    while tasks.keep_papers(ReferenceIndex(), now=timezone.now()):
        pass


@pytest.fixture
def reader() -> Person:
    return ada()


@pytest.fixture
def asks(client: Client, reader: Person) -> Client:
    return signed_in(client, reader)


def text(response: Any) -> str:
    content: bytes = response.content
    return content.decode().replace("\xa0", " ")


def titles(page: str) -> list[str]:
    return re.findall(r'class="headline"><a href="[^"]*">([^<]+)</a>', page)


def save(reader: Person, ids: dict[str, int], begins: str, count: int = 4) -> list[str]:
    chosen = [title for title in TITLES if title.startswith(begins)][:count]
    library.keep(by=reader, papers_=[ids[title] for title in chosen])
    return chosen


@pytest.mark.parametrize("path", ["/", "/date/2024-01-02"])
def test_an_edition_stands_as_printed_or_near_the_library(
    path: str, asks: Client, reader: Person, ids: dict[str, int]
) -> None:
    saved = save(reader, ids, "Harbours", 3)
    printed = text(asks.get(path))
    assert 'aria-current="page">as printed</a>' in printed
    assert f'href="{path}?order=mine" rel="nofollow">near my library</a>' in printed
    assert "which you saved" not in printed
    mine = text(asks.get(f"{path}?order=mine"))
    assert 'aria-current="page">near my library</a>' in mine
    assert all(title.startswith("Harbours") for title in titles(mine)[:2])
    assert set(titles(mine)[-3:]) == set(saved)
    assert sorted(titles(mine)) == sorted(titles(printed))
    named = re.findall(r"near “([^”]+)”", mine)
    assert set(named[:2]) <= set(saved)
    words = re.findall(r"words: ([a-z, ]+)", mine)
    assert words
    assert set(words[0].split(", ")) & {"harbours", "water", "part"}


@pytest.mark.parametrize("path", ["/", "/date/2024-01-02"])
def test_visitors_and_readers_without_a_profile_see_it_as_printed(
    path: str, client: Client, reader: Person, ids: dict[str, int]
) -> None:
    save(reader, ids, "Harbours")
    for page in (text(client.get(f"{path}?order=mine")), text(client.get(path))):
        assert "near my library" not in page
        assert "An order of your own" not in page
    signed_in(client, bela())
    page = text(client.get(f"{path}?order=mine"))
    assert "An order of your own" in page
    assert titles(page) == titles(text(client.get(path)))
    assert "An order of your own" not in text(client.get(path))


@pytest.mark.parametrize("asked", ["mine-99", "yours", "mine-", "mine%00", "x" * 500])
def test_an_order_that_is_none_is_the_printed_one(
    asked: str, asks: Client, reader: Person, ids: dict[str, int]
) -> None:
    save(reader, ids, "Harbours")
    page = text(asks.get(f"/date/2024-01-02?order={asked}"))
    assert 'aria-current="page">as printed</a>' in page


def test_pages_of_a_long_edition_stay_in_the_order(asks: Client, reader: Person, ids: dict[str, int]) -> None:
    store_many([said(f"Clouds over harbour {number}", announced=DAY) for number in range(60)])
    while publish_pending(now=timezone.now()).more:
        pass
    learn()
    save(reader, ids, "Harbours")
    first = text(asks.get("/date/2024-01-02?order=mine"))
    assert 'href="/date/2024-01-02?page=2&amp;order=mine"' in first
    second = text(asks.get("/date/2024-01-02?page=2&order=mine"))
    assert len(titles(first)) == 60
    assert not set(titles(first)) & set(titles(second))
    assert 'start="61"' in second


def test_a_shelf_has_an_order_of_its_own(asks: Client, reader: Person, ids: dict[str, int]) -> None:
    save(reader, ids, "Harbours")
    shelf = library.make_shelf(by=reader, name="Stones")
    library.place(by=reader, shelf=shelf, papers_=[ids[each] for each in save(reader, ids, "Stones")])
    asks.post("/profile", {"what": "on", "of": shelf})
    page = text(asks.get(f"/?order=mine-{shelf}"))
    assert 'aria-current="page">near Stones</a>' in page
    assert titles(page)[0].startswith("Stones")
    assert "This one learns from the shelf Stones." in text(asks.get(f"/profile?of={shelf}"))
    response = asks.post("/profile", {"what": "drop", "of": shelf})
    assert response["Location"] == "/profile"
    assert asks.get(f"/profile?of={shelf}").status_code == 404


def test_the_page_says_what_was_learned(asks: Client, reader: Person, ids: dict[str, int]) -> None:
    assert "It begins with 3 saved papers and learns from 0 now" in text(asks.get("/profile"))
    save(reader, ids, "Harbours")
    page = text(asks.get("/profile"))
    assert "From 4 papers." in page
    assert "<span>harbours</span>" in page
    assert 'href="/profile/export.json"' in page
    found = orjson.loads(asks.get("/profile/export.json").content)
    assert found["words"][0]["weight"] > 0
    assert asks.get("/profile/export.json?of=9").status_code == 404


def test_a_profile_is_turned_off_and_told_to_forget(asks: Client, reader: Person, ids: dict[str, int]) -> None:
    save(reader, ids, "Harbours")
    asks.post("/profile", {"what": "off"})
    assert "near my library" not in text(asks.get("/"))
    assert "It is off" in text(asks.get("/profile"))
    asks.post("/profile", {"what": "on"})
    assert "near my library" in text(asks.get("/"))
    key = papers.by_ids([ids[TITLES[0]]])[ids[TITLES[0]]].key
    asks.post("/profile", {"what": "papers", "paper": key})
    assert "1 paper that you ticked is left out." in text(asks.get("/profile"))
    asks.post("/profile", {"what": "before", "before": "2020-01-01"})
    assert "What was saved before 1 January 2020" in text(asks.get("/profile"))
    asks.post("/profile", {"what": "everything"})
    assert "From 4 papers." in text(asks.get("/profile"))
    asks.post("/profile", {"what": "anew"})
    assert "learns from 0 now" in text(asks.get("/profile"))
    assert profiles.learned(reader).papers == ()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        pytest.param({"what": "before", "before": "yesterday"}, 422, id="no day"),
        pytest.param({"what": "before", "before": "2999-01-01"}, 422, id="a day to come"),
        pytest.param({"what": "dance"}, 422, id="nothing that can be done"),
        pytest.param({"what": "on", "of": "77"}, 404, id="no shelf of hers"),
        pytest.param({"what": "on", "of": "x"}, 404, id="no number"),
        pytest.param({"what": "papers", "paper": "nowhere"}, 404, id="no paper"),
    ],
)
def test_what_is_not_understood_changes_nothing(sent: dict[str, str], status: int, asks: Client) -> None:
    assert asks.post("/profile", sent).status_code == status
    assert not Profile.objects.exists()
