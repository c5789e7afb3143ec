"""A paper as a feed: versions, measurements and what everybody may read beneath it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import feedparser
import pytest

from broadsheet.accounts import queries as accounts
from broadsheet.accounts.actions.groups import Description, make_group
from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.record import Version
from broadsheet.community.actions.commenting import post_comment
from broadsheet.community.rules.commenting import Draft
from broadsheet.evidence.actions import store_measurement
from broadsheet.papers import queries as papers
from broadsheet.testing.cast import LANTERN
from broadsheet.testing.hostile_texts import HOSTILE
from broadsheet.testing.measurements import content, measurement
from broadsheet.testing.people import ada, bela

ADDRESS = "/papers/2401.00001"


@pytest.fixture
def lantern(press: Any) -> int:
    """A paper of two versions that was measured."""
    versions = (Version(1, PartialDate(2024, 1, 2)), Version(2, PartialDate(2024, 3, 4)))
    press([replace(LANTERN, versions=versions)])
    store_measurement(content(measurement()), origin="by hand", at=datetime(2024, 3, 5, tzinfo=UTC))
    found = papers.find("2401.00001")
    assert found is not None
    return found.id


def test_what_happened_is_told_the_newest_first(lantern: int, get: Any) -> None:
    post_comment(by=ada(), paper_id=lantern, draft=Draft("Does it hold for $x^2$?"))
    told = feedparser.parse(get(f"{ADDRESS}.atom").content)
    assert not told.bozo
    assert [entry.title for entry in told.entries] == [
        "Ada Example commented",
        "Measured: holds",
        "Version 2",
        "Version 1",
    ]
    assert len({entry.id for entry in told.entries}) == 4
    assert "/comments/" in told.entries[0].link


def test_code_that_was_found_later_is_told_with_its_address(press: Any, get: Any) -> None:
    press([replace(LANTERN, code_url="")])
    assert "Code was found" not in get(f"{ADDRESS}.json").text
    press([replace(LANTERN, code_url="https://example.org/lantern")])
    told = feedparser.parse(get(f"{ADDRESS}.atom").content)
    [entry] = [entry for entry in told.entries if entry.title == "Code was found"]
    assert "https://example.org/lantern" in entry.summary


@pytest.mark.parametrize("form", ["atom", "rss", "json"])
def test_every_form_has_it(lantern: int, get: Any, form: str) -> None:
    answer = get(f"{ADDRESS}.{form}")
    assert answer.status_code == 200
    assert "Measured: holds" in answer.text


def test_what_a_private_group_says_is_not_in_it(lantern: int, get: Any) -> None:
    make_group(by=ada(), slug="lamps", described=Description(name="Lamps", kind="group", is_private=True))
    group = accounts.group("lamps", ada())
    assert group is not None
    post_comment(by=ada(), paper_id=lantern, draft=Draft("Between us", None, group.id))
    post_comment(by=bela(), paper_id=lantern, draft=Draft("For everybody"))
    text = get(f"{ADDRESS}.json").text
    assert "For everybody" in text
    assert "Between us" not in text


def test_hostile_comments_stay_text(lantern: int, get: Any) -> None:
    for text in HOSTILE[::100]:
        clean = text.replace("\0", "")[:2_000]
        if clean.strip():
            post_comment(by=bela(), paper_id=lantern, draft=Draft(clean))
    told = feedparser.parse(get(f"{ADDRESS}.atom").content)
    assert not told.bozo
    assert "<script" not in "".join(entry.summary for entry in told.entries if "summary" in entry)


def test_a_paper_that_is_not_here_has_none(db: None, get: Any) -> None:
    assert get("/papers/2401.99999.atom").status_code == 404


def test_another_spelling_leads_to_it(lantern: int, get: Any) -> None:
    assert get("/papers/arXiv:2401.00001v2.atom").headers["Location"] == f"{ADDRESS}.atom"
