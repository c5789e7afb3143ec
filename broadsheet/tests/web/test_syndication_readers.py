"""Feeds as feedparser understands them, the parser behind many readers' programs."""

from __future__ import annotations

from dataclasses import replace

import feedparser
import pytest

from broadsheet.bibliography.record import Record
from broadsheet.ingest.rules import Line, State
from broadsheet.testing.cast import HARBOUR, LANTERN, arxiv

HOSTILE = ("]]>", "</script><script>alert(1)</script>", "a\x01\x0b\ufffeb", "\u202e\u05d0", "&nbsp;<!--")


@pytest.mark.parametrize("form", ["atom", "rss"])
@pytest.mark.parametrize(
    "path",
    ["/index", "/date/2024-01-02", "/editions", "/section/cs.LG", "/author/ada-example", "/search?q=steps"],
)
def test_a_reader_finds_nothing_wrong(press, get, check, path: str, form: str) -> None:
    press([LANTERN, HARBOUR, *(_with(LANTERN, number, text) for number, text in enumerate(HOSTILE))])
    check(LANTERN.announced, State.INCOMPLETE, Line("arxiv", "cs", 9, "OAI", 8, ("2401.00007",)))
    stem, mark, asked = path.partition("?")
    answer = get(f"{stem}.{form}{mark}{asked}")
    headers = {"content-type": answer.headers["Content-Type"]}
    found = feedparser.parse(answer.content, response_headers=headers)
    assert not found.bozo, found.get("bozo_exception")
    assert found.version == {"atom": "atom10", "rss": "rss20"}[form]
    assert found.feed.title
    assert found.entries
    for entry in found.entries:
        assert entry.id.startswith("tag:")
        assert entry.title
        assert entry.link.startswith("http://localhost/")
        assert entry.updated_parsed or entry.published_parsed
        # The summary of Atom is plain text, that of RSS is HTML.
        shown = [each.value for each in entry.get("content", [])] + [entry.summary] * (form == "rss")
        assert not any("<script" in each for each in shown)


def test_a_reader_is_shown_authors_text_and_days(press, get) -> None:
    press([LANTERN])
    (entry,) = feedparser.parse(get("/section/cs.LG.atom").content).entries
    assert [author.name for author in entry.authors] == ["Ada Example", "Chloé Exemple"]
    assert entry.title == "Lantern: Step Sizes from ℓ₂ Gradient Norms"
    assert [tag.term for tag in entry.tags] == ["cs.LG", "math.OC"]
    assert "<msqrt>" in entry.content[0].value
    assert entry.published_parsed[:3] == (2024, 1, 2)


def _with(record: Record, number: int, text: str) -> Record:
    known = (arxiv(f"2401.2000{number}"),)
    return replace(record, source_key=str(number), title=f"Steps {text}", abstract=f"Lamps {text}", identifiers=known)
