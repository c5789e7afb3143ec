"""OpenReview: notes of both versions of its API, what is public, and venues from the first page to the last."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.identifiers import Identifier
from broadsheet.bibliography.record import Record, Rejected
from broadsheet.fetching.answers import Refused
from broadsheet.sources.base import Page, Unreadable
from broadsheet.sources.origins import openreview
from broadsheet.sources.origins.openreview import VERSION_1, VERSION_2, OpenReview
from broadsheet.testing.harvest_conformance import FindConformance, HarvestConformance, Recorded
from broadsheet.testing.source_conformance import BUILT_IN_SAMPLES, SourceConformance

VENUE = "Example.cc/2026/Conference"
OLD_VENUE = "Example.cc/2020/Conference"
CHALLENGE = b"<!DOCTYPE html>\n<html><head><title>Verifying your browser | OpenReview</title></head></html>\n"
# 4 September 2025.
MADE = 1_757_000_000_000


def note(name: str, *, content: dict[str, Any] | None = None, **changed: Any) -> dict[str, Any]:
    """A note of version 2; `content` holds further fields of its content, as they stand there."""
    said: dict[str, Any] = {
        "title": {"value": f"Paper {name}"},
        "authors": {"value": ["Ada Example", "Chloé Exemple"]},
        "abstract": {"value": "We place a lamp on every step."},
        "venue": {"value": "Example 2026 Poster"},
        "venueid": {"value": VENUE},
    }
    whole = {"id": name, "forum": name, "number": 1, "readers": ["everyone"], "cdate": MADE, "tcdate": MADE}
    return whole | {"content": said | (content or {})} | changed


def old_note(name: str, *, content: dict[str, Any] | None = None, **changed: Any) -> dict[str, Any]:
    """A note of version 1."""
    said = {"title": f"Paper {name}", "authors": ["Ada Example"], "abstract": "Dry.", "TL;DR": "Dry."}
    whole = {"id": name, "original": "x", "forum": name, "replyto": None, "ddate": None, "tcdate": MADE}
    return whole | {"readers": ["everyone"], "content": said | (content or {})} | changed


def answer(*notes: dict[str, Any], total: int | None = None) -> bytes:
    return orjson.dumps({"notes": notes, "count": len(notes) if total is None else total})


def question(host: str, offset: int = 0, **query: str) -> str:
    return f"{host}/notes?{urlencode({**query, 'limit': '1000', 'offset': str(offset)})}"


def accepted(offset: int = 0, venue: str = VENUE) -> str:
    return question(VERSION_2, offset, **{"content.venueid": venue, "sort": "number:asc"})


def submitted(invitation: str, offset: int = 0, venue: str = OLD_VENUE) -> str:
    return question(VERSION_1, offset, invitation=f"{venue}/-/{invitation}")


NEW_ANSWERS = {
    accepted(0): answer(note("aLamp1"), note("harbour2"), total=3),
    accepted(2): answer(note("meadow3"), total=3),
}
OLD_ANSWERS = {
    accepted(venue=OLD_VENUE): answer(),
    submitted("Blind_Submission"): answer(old_note("oldLamp1"), old_note("oldSea2"), total=3),
    submitted("Blind_Submission", 2): answer(old_note("oldSea3"), total=3),
}
FOUND = {f"{VERSION_2}/notes/search": answer(note("aLamp1"), note("not-asked"))}
OLD_FOUND = {f"{VERSION_1}/notes?id=oldLamp1": answer(old_note("oldLamp1"))}


def identifier(value: str) -> Identifier:
    return Identifier.from_str(f"openreview:{value}")


def read(*notes: Any) -> list[Record | Rejected]:
    return list(OpenReview().read(io.BytesIO(answer(*notes)), filename="notes.json"))


def record(one: dict[str, Any]) -> Record:
    (said,) = read(one)
    assert isinstance(said, Record), said
    return said


def harvest(answers: dict[str, bytes], set_name: str = VENUE, cursor: str = "") -> list[Page]:
    return list(OpenReview().pages(Recorded(answers), set_name=set_name, cursor=cursor, since=None))


class TestOpenReviewFiles(SourceConformance):
    source = OpenReview()
    sample = BUILT_IN_SAMPLES["openreview"]


class TestHarvestOfVersion2(HarvestConformance):
    source = OpenReview()
    answers = NEW_ANSWERS
    set_name = VENUE
    otherwise = answer()


class TestHarvestOfVersion1(HarvestConformance):
    source = OpenReview()
    answers = OLD_ANSWERS
    set_name = OLD_VENUE


class TestOpenReviewLookUp(FindConformance):
    source = OpenReview()
    answers = OLD_FOUND
    posted = FOUND
    identifiers = (identifier("aLamp1"), identifier("oldLamp1"))
    absent = (identifier("harbour2"), Identifier.from_str("arxiv:2401.00001"))


def test_a_note_of_version_2_becomes_a_record() -> None:
    extra = {"keywords": {"value": ["lamps", " "]}, "TLDR": {"value": "Lamps."}}
    assert record(note("aLamp1", content=extra, license="CC BY 4.0", version=7)) == Record(
        source="openreview",
        source_key="aLamp1",
        title="Paper aLamp1",
        abstract="We place a lamp on every step.",
        authors=("Ada Example", "Chloé Exemple"),
        identifiers=(identifier("aLamp1"),),
        submitted=PartialDate(2025, 9, 4),
        venue="Example 2026 Poster",
        keywords=("lamps",),
        license="CC BY 4.0",
    )


def test_a_note_of_version_1_becomes_a_record() -> None:
    said = record(old_note("oldLamp1", content={"venue": "Example 2020 Oral", "keywords": "lamps; stairs"}))
    assert said.title == "Paper oldLamp1"
    assert said.venue == "Example 2020 Oral"
    assert said.keywords == ("lamps", "stairs")
    assert said.submitted == PartialDate(2025, 9, 4)


@pytest.mark.parametrize(
    ("value", "authors"),
    [
        pytest.param([{"fullname": "Ada Example", "username": "~Ada1"}], ("Ada Example",), id="objects, since 2026"),
        pytest.param(["Anonymous"], (), id="blind"),
        pytest.param(["Ada Example and Bela Beispiel"], ("Ada Example", "Bela Beispiel"), id="two in one entry"),
        pytest.param("Ada Example", ("Ada Example",), id="one, as text"),
        pytest.param("Ada Example, Bela Beispiel", (), id="several as text, which nobody can divide"),
        pytest.param({"value": ["Ada Example"], "readers": ["everyone"]}, ("Ada Example",), id="public"),
        pytest.param({"value": ["Ada Example"], "readers": ["Example.cc/Chairs"]}, (), id="not public"),
    ],
)
def test_authors_come_in_many_shapes(value: Any, authors: tuple[str, ...]) -> None:
    assert record(note("aLamp1", content={"authors": value})).authors == authors


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"forum": "another", "replyto": "another"}, id="a review"),
        pytest.param({"forum": "another"}, id="a decision"),
        pytest.param({"readers": ["Example.cc/Chairs"]}, id="not for everyone"),
        pytest.param({"ddate": MADE}, id="deleted"),
    ],
)
def test_notes_that_are_no_public_papers_are_passed_over(changed: dict[str, Any]) -> None:
    assert read(note("aLamp1", **changed)) == []


def test_a_paper_that_was_deleted_is_said_to_be() -> None:
    (page,) = harvest({accepted(): answer(note("aLamp1", ddate=MADE), note("harbour2"))})
    assert page.deleted == (identifier("aLamp1"),)
    assert [one.source_key for one in page.items if isinstance(one, Record)] == ["harbour2"]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        pytest.param({"id": None, "forum": None}, 'the field "id" is missing', id="no identifier"),
        pytest.param({"id": "a b", "forum": "a b"}, 'the field "id" is no identifier of OpenReview: "a b"', id="blank"),
        pytest.param({"content": {}}, 'the field "content.title" must be text, but is nothing', id="no title"),
        pytest.param({"content": 3}, 'the field "content.title" must be text, but is nothing', id="no content"),
    ],
)
def test_a_note_without_identifier_or_title_is_rejected_alone(changed: dict[str, Any], reason: str) -> None:
    first, second = read(note("aLamp1") | changed, note("harbour2"))
    assert isinstance(first, Rejected)
    assert (first.position, first.reason) == ("item 1", reason)
    assert isinstance(second, Record)


@pytest.mark.parametrize(
    ("changed", "others"),
    [
        pytest.param({"content": {"html": "https://doi.org/10.1000/Lamp.1"}}, ["doi:10.1000/lamp.1"], id="DOI"),
        pytest.param({"content": {"pdf": "https://arxiv.org/pdf/2401.00001"}}, ["arxiv:2401.00001"], id="arXiv"),
        pytest.param({"externalIds": ["dblp:conf/x/Y26", "doi:10.1000/lamp.1"]}, ["doi:10.1000/lamp.1"], id="named"),
        pytest.param({"content": {"pdf": "/pdf/00.pdf"}}, [], id="a file of its own"),
        pytest.param({"externalIds": 3}, [], id="no list"),
    ],
)
def test_identifiers_elsewhere_are_taken(changed: dict[str, Any], others: list[str]) -> None:
    said = record(note("aLamp1", **changed))
    assert [str(one) for one in said.identifiers] == ["openreview:aLamp1", *others]


@pytest.mark.parametrize(
    ("changed", "submitted"),
    [
        pytest.param({"cdate": None}, PartialDate(2025, 9, 4), id="true date of creation"),
        pytest.param({"cdate": "soon"}, None, id="a word"),
        pytest.param({"cdate": 10**18}, None, id="beyond all calendars"),
        pytest.param({"content": {"venueid": {"value": "dblp.org/conf/X/2025"}}}, PartialDate(2025), id="DBLP"),
    ],
)
def test_the_date_is_that_of_the_note(changed: dict[str, Any], submitted: PartialDate | None) -> None:
    assert record(note("aLamp1", **changed)).submitted == submitted


def test_code_is_an_address_or_nothing() -> None:
    assert (
        record(note("aLamp1", content={"code": {"value": "https://example.org/c"}})).code_url == "https://example.org/c"
    )
    assert record(note("aLamp1", content={"code": {"value": "/attachment/00.zip"}})).code_url == ""


def test_a_venue_is_asked_for_page_by_page() -> None:
    pages = harvest(NEW_ANSWERS)
    assert [len(page.items) for page in pages] == [2, 1]
    assert [page.cursor for page in pages] == ["0 2", ""]
    assert [page.total for page in pages] == [3, 3]
    (resumed,) = harvest(NEW_ANSWERS, cursor="0 2")
    assert [one.source_key for one in resumed.items if isinstance(one, Record)] == ["meadow3"]


def test_an_old_venue_is_found_at_version_1_and_resumed_there() -> None:
    assert [page.cursor for page in harvest(OLD_ANSWERS, OLD_VENUE)] == ["1 2", ""]
    (page,) = harvest(OLD_ANSWERS, OLD_VENUE, cursor="1 2")
    assert [one.source_key for one in page.items if isinstance(one, Record)] == ["oldSea3"]


def test_a_venue_without_papers_is_warned_about() -> None:
    (page,) = list(OpenReview().pages(Recorded({}, answer()), set_name="Nobody.cc/2026", cursor="", since=None))
    assert page.warnings == ("OpenReview shows no papers of the venue Nobody.cc/2026.",)


def test_a_list_that_ends_too_early_is_begun_again() -> None:
    pages = harvest(NEW_ANSWERS | {accepted(2): answer(total=3)})
    assert pages[-1].warnings == ("The list ends after 2 notes, while OpenReview counts 3.",)
    assert pages[-1].cursor == ""


def test_an_origin_that_ignores_the_offset_is_left() -> None:
    pages = harvest(NEW_ANSWERS | {accepted(2): NEW_ANSWERS[accepted(0)]})
    assert pages[-1].warnings == ("OpenReview sends the same notes again, not those after 2.",)
    assert pages[-1].last


def test_the_test_for_browsers_is_named_as_what_it_is() -> None:
    with pytest.raises(Unreadable, match="a token of an account"):
        harvest({accepted(): CHALLENGE})


@pytest.mark.parametrize(
    ("set_name", "cursor"),
    [
        pytest.param("", "", id="no venue"),
        pytest.param("ICLR 2026", "", id="no identifier of a venue"),
        pytest.param(VENUE, "page 2", id="no cursor of ours"),
    ],
)
def test_what_cannot_be_asked_is_refused(set_name: str, cursor: str) -> None:
    with pytest.raises(Refused):
        harvest({}, set_name, cursor)


def test_many_identifiers_go_into_one_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openreview, "_PER_LOOKUP", 2)
    client = Recorded(
        {}, answer(), {f"{VERSION_2}/notes/search": answer(note("aLamp1"), note("harbour2"), note("sea34"))}
    )
    wanted = [identifier(name) for name in ("aLamp1", "harbour2", "sea34")]
    found = [one for page in OpenReview().find(client, wanted) for one in page.items]
    assert len(found) == 3
    assert len(client.asked) == 2


def test_the_documented_shape_is_read(protocol: Path) -> None:
    data = (protocol / "openreview" / "notes_api2_synthetic.json").read_bytes()
    assert OpenReview().recognises(data, "notes.json")
    first, second = OpenReview().read(io.BytesIO(data), filename="notes.json")
    assert isinstance(first, Record)
    assert isinstance(second, Record)
    assert first.keywords == ("attention", "efficiency")
