"""What is suggested to somebody who types, and how it is sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import quote_plus

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from broadsheet.bibliography.record import Record
from broadsheet.search.index import IndexUnavailable
from broadsheet.testing.cast import ADA, BELA, CHLOE, HARBOUR, LANTERN, MEADOW, arxiv, said
from broadsheet.web.pages import suggestions as page

Suggest = Callable[[str], list[dict[str, str]]]


@pytest.fixture
def suggest(get) -> Suggest:
    """What is suggested for a text."""

    def ask(typed: str) -> list[dict[str, str]]:
        answer = get(f"/search/suggestions?q={quote_plus(typed)}")
        assert answer.status_code == 200
        found: list[dict[str, str]] = json.loads(answer.text)["suggestions"]
        return found

    return ask


def works(count: int) -> list[Record]:
    return [
        said(
            f"Lamps of kind {n}",
            key=str(n),
            identifiers=(arxiv(f"2401.1{n:04}"),),
            announced=LANTERN.announced,
            authors=(ADA, BELA) if n % 2 else (CHLOE,),
            venue="Lamp Conference 2024",
            categories=("cs.LG",),
            field="lamps-and-lanterns",
        )
        for n in range(count)
    ]


def of(kind: str, found: list[dict[str, str]]) -> list[tuple[str, str]]:
    return [(each["text"], each["url"]) for each in found if each["kind"] == kind]


def test_titles_lead_to_papers(press, suggest: Suggest) -> None:
    press([LANTERN, HARBOUR, MEADOW])
    assert suggest("lantern st") == [
        {
            "kind": "Paper",
            "text": "Lantern: Step Sizes from ℓ₂ Gradient Norms",
            "note": "Ada Example and others, 2024",
            "url": "/papers/2401.00001",
        }
    ]


@pytest.mark.parametrize(
    ("typed", "kind", "text", "search"),
    [
        pytest.param("exam", "Author", "Ada Example", 'author:"Ada Example"', id="author"),
        pytest.param("Lamps Ada Exa", "Author", "Ada Example", 'Lamps author:"Ada Example"', id="author behind words"),
        pytest.param("chloe", "Author", "Chloé Exemple", 'author:"Chloé Exemple"', id="without accents"),
        pytest.param(
            "lamps author:be",
            "Author",
            "Bela Beispiel",
            'lamps author:"Bela Beispiel"',
            id="behind author: only authors",
        ),
        pytest.param(
            'author:"Ada Example" beis',
            "Author",
            "Bela Beispiel",
            'author:"Ada Example" author:"Bela Beispiel"',
            id="a second author",
        ),
        pytest.param("cs.l", "Section", "Machine Learning (cs.LG)", "category:cs.LG", id="category"),
        pytest.param("lamps machine le", "Section", "Machine Learning (cs.LG)", "lamps category:cs.LG", id="its name"),
        pytest.param("lamps-a", "Section", "Lamps and lanterns", "category:lamps-and-lanterns", id="section"),
        pytest.param("conf", "Venue", "Lamp Conference 2024", 'venue:"Lamp Conference 2024"', id="venue"),
        pytest.param("venue:lamp", "Venue", "Lamp Conference 2024", 'venue:"Lamp Conference 2024"', id="behind venue:"),
        pytest.param(
            "category:stat.ML section:cs",
            "Section",
            "Machine Learning (cs.LG)",
            "category:cs.LG",
            id="not two categories",
        ),
    ],
)
def test_names_narrow_the_search(press, suggest: Suggest, typed: str, kind: str, text: str, search: str) -> None:
    press(works(4))
    assert (text, f"/search?q={quote_plus(search)}") in of(kind, suggest(typed))


@pytest.mark.parametrize("typed", ["author:lamp", "venue:ada", "category:ada"])
def test_behind_a_field_only_its_names_are_suggested(press, suggest: Suggest, typed: str) -> None:
    press(works(4))
    assert suggest(typed) == []


def test_a_name_says_how_many_papers_it_leads_to(press, suggest: Suggest) -> None:
    press(works(5))
    assert [each["note"] for each in suggest("author:ada")] == ["2\u00a0papers"]


@pytest.mark.parametrize(
    "typed", ["", "a", " ", "(", "\0", "zz", "xylophone", "author:", "x" * 5_000, '"', "a b c d e"]
)
def test_nothing_is_suggested_where_nothing_begins_so(press, suggest: Suggest, typed: str) -> None:
    press(works(2))
    assert suggest(typed) == []


def test_it_is_short(press, suggest: Suggest) -> None:
    press(works(30))
    for typed in ("lamp", "of kind", "lamps ada"):
        assert 0 < len(suggest(typed)) <= 10


def test_it_may_be_kept_for_a_minute_and_asked_for_again(press, get) -> None:
    press(works(2))
    first = get("/search/suggestions?q=lamp")
    assert first.headers["Content-Type"] == "application/json"
    assert first.headers["Cache-Control"] == "public, max-age=60"
    assert get("/search/suggestions?q=lamp", **{"if-none-match": first.headers["ETag"]}).status_code == 304


def test_without_an_index_nothing_is_suggested_and_nothing_fails(press, get, monkeypatch) -> None:
    class Broken:
        def suggest(self, *_asked, **_how):
            raise IndexUnavailable("The search index is damaged.")

    monkeypatch.setattr(page, "index", Broken)
    answer = get("/search/suggestions?q=lamp")
    assert (answer.status_code, json.loads(answer.text)["suggestions"]) == (200, [])


def test_texts_of_sources_stay_texts(press, get) -> None:
    hostile = '<script>alert(1)</script> " lamps'
    press([said(hostile, identifiers=LANTERN.identifiers, authors=(hostile,), venue=hostile)])
    answer = get("/search/suggestions?q=lamps")
    found = json.loads(answer.text)["suggestions"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert all(each["url"].startswith(("/papers/", "/search?q=")) for each in found)


@pytest.mark.parametrize("typed", ["lamps", "ada", "machine"])
def test_the_number_of_queries_does_not_grow_with_the_rows(press, suggest: Suggest, typed: str) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert suggest(typed)
        return len(captured)

    press(works(10))
    suggest(typed)
    before = queries()
    press(works(20))
    assert queries() == before
