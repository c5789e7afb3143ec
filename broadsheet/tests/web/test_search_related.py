"""Related papers: what stands on a paper's page, and what happens when the index cannot tell."""

from __future__ import annotations

import logging

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from broadsheet.papers.actions import merge_papers
from broadsheet.papers.queries import find
from broadsheet.search.index import Hit, IndexUnavailable
from broadsheet.testing.cast import HARBOUR, LANTERN, MEADOW, arxiv, said
from broadsheet.web.pages import search as page


class Near:
    """An index to which these papers are near, in this order."""

    def __init__(self, *keys: str) -> None:
        rows = [find(key) for key in keys]
        self._hits = [Hit(row.id, 0.5) for row in rows if row]

    def related(self, _pk: int, *, limit: int) -> list[Hit]:
        """As an index would answer."""
        return self._hits[:limit]


def section(text: str) -> str:
    """The part of the page that lists them."""
    return text.partition('<section class="related')[2].partition("</section>")[0]


def test_the_nearest_stand_first(press, get, monkeypatch) -> None:
    press([LANTERN, HARBOUR, MEADOW])
    monkeypatch.setattr(page, "index", lambda: Near("math/0611800", "2401.00002"))
    text = section(get("/papers/2401.00001").text)
    assert "Related papers" in text
    assert text.index("/papers/math/0611800") < text.index("/papers/2401.00002")
    assert '<a href="/author/bela-beispiel">Bela Beispiel</a>' in text


def test_there_are_six_at_most(press, get, monkeypatch) -> None:
    others = [said(f"Lamp {n}", key=str(n), identifiers=(arxiv(f"2401.1{n:04}"),)) for n in range(12)]
    press([LANTERN, *others])
    monkeypatch.setattr(page, "index", lambda: Near(*(f"2401.1{n:04}" for n in range(12))))
    assert section(get("/papers/2401.00001").text).count("<li>") == 6


def test_the_paper_itself_is_not_related_to_itself(press, get, monkeypatch) -> None:
    """One that was merged into it may still have a vector of its own."""
    press([LANTERN, HARBOUR, MEADOW])
    merged = find("2401.00002")
    assert merged is not None
    merge_papers(winner_key="2401.00001", loser_key="2401.00002", reason="the same")

    class Stale:
        def related(self, _pk: int, *, limit: int) -> list[Hit]:
            return [Hit(merged.id, 0.9)][:limit]

    monkeypatch.setattr(page, "index", Stale)
    assert section(get("/papers/2401.00001").text) == ""


def test_without_vectors_there_is_no_such_section(press, get) -> None:
    press([LANTERN, HARBOUR])
    assert "Related papers" not in get("/papers/2401.00001").text


def test_an_index_that_fails_is_told_to_the_log_only(press, get, monkeypatch, caplog: pytest.LogCaptureFixture) -> None:
    press([LANTERN])

    class Broken:
        def related(self, *_asked, **_how):
            raise IndexUnavailable("The search index is damaged.")

    monkeypatch.setattr(page, "index", Broken)
    with caplog.at_level(logging.WARNING, logger="broadsheet.web.search"):
        answer = get("/papers/2401.00001")
    assert answer.status_code == 200
    assert "Related papers" not in answer.text
    assert "The search index is damaged." in caplog.text
    assert "The search index is damaged." not in answer.text


def test_it_costs_two_queries_however_many_there_are(press, get, monkeypatch) -> None:
    others = [said(f"Lamp {n}", key=str(n), identifiers=(arxiv(f"2401.1{n:04}"),)) for n in range(6)]
    press([LANTERN, *others])

    def queries(*keys: str) -> int:
        near = Near(*keys)
        monkeypatch.setattr(page, "index", lambda: near)
        with CaptureQueriesContext(connection) as captured:
            get("/papers/2401.00001")
        return len(captured)

    without = queries()
    assert queries("2401.10000") == queries(*(f"2401.1{n:04}" for n in range(6))) <= without + 2
