"""Search: what is found, how it is shown, and what is said when nothing can be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from broadsheet.papers.actions import store_many
from broadsheet.search.index import Hit, IndexUnavailable
from broadsheet.search.query import parse
from broadsheet.testing.cast import HARBOUR, LANTERN, MEADOW
from broadsheet.web.environment import GRAMMAR
from broadsheet.web.pages import search as page


def test_papers_are_found_and_the_words_are_marked(press, get) -> None:
    press([LANTERN, HARBOUR, MEADOW])
    text = get("/search?q=bandit").text
    assert "<h1>1\u00a0paper</h1>" in text
    assert 'href="/papers/math/0611800"' in text
    assert "<mark>Bandits</mark>" in text
    assert "Searched: papers with “bandit”" in text
    assert 'value="bandit"' in text


@pytest.mark.parametrize(
    "typed",
    ["2401.00001", "arXiv:2401.00001v2", "https://arxiv.org/abs/2401.00001", "10.48550/arXiv.2401.00001"],
)
def test_an_identifier_leads_straight_to_its_paper(press, get, typed: str) -> None:
    press([LANTERN])
    answer = get(f"/search?q={typed}")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/papers/2401.00001")


def test_an_empty_search_explains_the_language(db: None, get) -> None:
    text = get("/search").text
    assert "<h1>How to search</h1>" in text
    assert "<code>author:&#34;Ada Example&#34;</code>" in text


def test_what_the_page_explains_is_understood() -> None:
    for examples, _meaning in GRAMMAR:
        for example in examples:
            query = parse(example)
            assert not query.unread, example
            assert not query.empty or example.startswith("sort:"), example


def test_what_was_not_understood_is_said(press, get) -> None:
    press([LANTERN])
    text = get("/search?q=lantern+year:soon").text
    assert "Not understood as a filter" in text
    assert "<code>year:soon</code>" in text


def test_a_very_long_search_is_said_to_be_shortened(press, get) -> None:
    press([LANTERN])
    assert "Only the beginning of the search was read" in get("/search?q=" + "lantern+" * 200).text


def test_nothing_found_says_what_to_try(press, get) -> None:
    press([LANTERN])
    text = get("/search?q=xylophone").text
    assert "<h1>0\u00a0papers</h1>" in text
    assert "Fewer words or filters find more" in text


def test_the_order_can_be_changed(press, get) -> None:
    press([LANTERN, HARBOUR, MEADOW])
    text = get("/search?q=transport+observed").text
    assert '<a href="/search?q=transport+observed+sort%3Anewest">Show the newest first</a>' in text
    assert (
        '<a href="/search?q=transport+observed">Show the best match first</a>'
        in get("/search?q=transport+observed+sort:newest").text
    )
    newest = get("/search?q=transport+observed&sort=newest").text
    assert newest.index("2401.00002") < newest.index("math/0611800")


def test_a_search_can_be_narrowed(press, get) -> None:
    press([LANTERN, HARBOUR, MEADOW])
    text = get("/search?q=lantern+harbour+meadow").text
    assert '<a href="/search?q=lantern+harbour+meadow+category%3Acs.LG">Machine Learning <span>2</span></a>' in text


def test_a_search_that_cannot_be_answered_says_so_and_the_rest_works(press, get, monkeypatch) -> None:
    press([LANTERN])

    class Broken:
        def cursor(self):
            return 0

        def count(self):
            return 1

        def search(self, *_args, **_kwargs):
            raise IndexUnavailable("The search index is damaged.")

    monkeypatch.setattr(page, "index", Broken)
    answer = get("/search?q=lantern")
    assert answer.status_code == 503
    assert "The search index is damaged." in answer.text
    assert "broadsheet doctor" in answer.text
    assert get("/").status_code == 200


def test_an_index_that_was_never_made_finds_nothing(db: None, get) -> None:
    assert get("/search?q=lantern").status_code == 200


def test_while_the_index_is_empty_and_papers_are_there_it_is_being_built(press, get) -> None:
    press([])
    store_many([LANTERN, HARBOUR])
    answer = get("/search?q=lantern")
    assert answer.status_code == 503
    assert "The index is being built: 0 of 2\u00a0changes are in it." in answer.text
    assert "No paper here matches" not in answer.text
    assert "broadsheet doctor" not in answer.text


@pytest.mark.parametrize(("bound", "said"), [(500, False), (1, True)], ids=["a little", "a lot"])
def test_an_index_that_is_behind_says_so_when_it_is_a_lot(press, get, monkeypatch, bound: int, said: bool) -> None:
    press([LANTERN])
    store_many([HARBOUR, MEADOW])
    monkeypatch.setattr(page, "_FAR_BEHIND", bound)
    for words in ("lantern", "harbour"):
        text = get(f"/search?q={words}").text
        assert ("2\u00a0changes are not in it yet: papers may be missing here" in text) == said
    assert ("No paper matches in what the index has read so far." in text) == said
    assert ("No paper here matches." in text) != said


def test_papers_that_only_the_index_has_are_counted_and_no_error(press, get, monkeypatch) -> None:
    press([LANTERN, HARBOUR])
    known = page.index()

    class Ahead:
        """An index that holds one paper more than the database."""

        def cursor(self):
            return known.cursor()

        def count(self):
            return known.count()

        def search(self, query, **how):
            found = known.search(query, **how)
            return replace(found, hits=(*found.hits, Hit(pk=999_999, score=0.1)), total=found.total + 1)

    monkeypatch.setattr(page, "index", Ahead)
    text = get("/search?q=lantern").text
    assert "2\u00a0papers" in text
    assert "1\u00a0paper found by the index could not be shown" in text


@pytest.mark.parametrize("number", [0, 2, 999999])
def test_a_page_of_results_that_does_not_exist_is_not_found(press, get, number: int) -> None:
    press([LANTERN])
    assert get(f"/search?q=lantern&page={number}").status_code == 404
