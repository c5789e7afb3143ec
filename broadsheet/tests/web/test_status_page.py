"""The status page: what is here, how far everything is, and what nobody knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from broadsheet.ingest.actions import import_file
from broadsheet.search.index import IndexUnavailable
from broadsheet.testing.cast import HARBOUR, LANTERN
from broadsheet.web.pages import status as page


def test_it_counts_what_is_here(press, get) -> None:
    press([LANTERN, HARBOUR])
    text = get("/status").text
    assert "2, from 2\u00a0statements of sources" in text
    assert "2\u00a0papers, up to date" in text
    assert "1\u00a0day, 1\u00a0week, 1\u00a0month" in text
    assert "printed 2 January 2024, 12:00 ET" in text


def test_it_tells_imports_with_what_they_rejected(db: None, get, tmp_path: Path) -> None:
    path = tmp_path / "lamps.jsonl"
    path.write_text('{"title": "On lamps"}\n{"title": "On steps"}\n{"title": 7}\n', encoding="utf-8")
    import_file(path)
    text = get("/status").text
    assert "lamps.jsonl" in text
    assert "Rejected of lamps.jsonl" in text
    assert "line 3" in text
    assert "2\u00a0changes behind" in text


def test_it_says_what_is_not_known(db: None, get) -> None:
    text = get("/status").text
    assert "What is not known" in text
    assert "no source has been asked how many papers it announced" in text
    assert "nothing has been measured here" in text
    assert "Nothing was imported from a file yet" in text


def test_an_index_that_cannot_answer_is_told(db: None, get, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def count(self) -> int:
            raise IndexUnavailable("The search index is damaged.")

    monkeypatch.setattr(page, "index", Broken)
    answer = get("/status")
    assert answer.status_code == 200
    assert "The search index is damaged." in answer.text
