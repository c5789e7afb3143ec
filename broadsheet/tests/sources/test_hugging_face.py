"""Daily Papers of Hugging Face: the lists of days, single papers, saved pages, and what is not taken from them."""

from __future__ import annotations

import html
import io
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.identifiers import Identifier
from broadsheet.bibliography.record import Record, Rejected, Version
from broadsheet.fetching.answers import Refused
from broadsheet.sources.base import Announcement, AnnouncementKind, Page, Unreadable
from broadsheet.sources.origins.hugging_face import LISTS, PAPERS, HuggingFace
from broadsheet.testing.harvest_conformance import FindConformance, HarvestConformance, Recorded
from broadsheet.testing.source_conformance import BUILT_IN_SAMPLES, SourceConformance, check_bytes

MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 18)
FRIDAY, SATURDAY = date(2026, 11, 13), date(2026, 11, 14)
LAMP, HARBOUR = Identifier.from_str("arxiv:2611.00001"), Identifier.from_str("arxiv:2611.00002")
MEADOW = Identifier.from_str("arxiv:2611.00003")


def item(identifier: str, day: date, **changed: Any) -> dict[str, Any]:
    """An item of a list, in the shape of 2026; `changed` are fields of its paper."""
    paper: dict[str, Any] = {
        "id": identifier,
        "authors": [{"_id": "a1", "name": "Ada Example", "hidden": False}],
        "publishedAt": "2026-11-10T00:00:00.000Z",
        "submittedOnDailyAt": f"{day}T00:00:00.000Z",
        "title": f"Paper {identifier}",
        "summary": "A lamp.",
        "upvotes": 0,
    }
    outer = {"publishedAt": "2026-11-10T20:00:00.000Z", "title": f"Paper {identifier}", "summary": "A lamp."}
    return {"paper": paper | changed, **outer, "numComments": 0, "isAuthorParticipating": False}


def listed(day: date | None, *items: dict[str, Any]) -> tuple[str, bytes]:
    """The address and the answer of a day's list; without a day, of the newest."""
    query = f"?date={day}&limit=100" if day else "?limit=100"
    return LISTS + query, orjson.dumps(items)


ANSWERS = dict(
    [
        listed(None, item("2611.00003", WEDNESDAY)),
        listed(MONDAY, item("2611.00001", MONDAY), item("2611.00002", MONDAY)),
        listed(TUESDAY, item("2611.00002", TUESDAY, title="")),
        listed(WEDNESDAY, item("2611.00003", WEDNESDAY)),
    ]
)


PAPER_ANSWERS = {
    PAPERS + "2611.00001": orjson.dumps(item("2611.00001", MONDAY)["paper"]),
    PAPERS + "math/0611800": orjson.dumps(item("math/0611800", MONDAY)["paper"]),
}


def read(value: Any) -> list[Record | Rejected]:
    return list(HuggingFace().read(io.BytesIO(orjson.dumps(value)), filename="list.json"))


def record(**changed: Any) -> Record:
    (said,) = read([item("2611.00001", MONDAY, **changed)])
    assert isinstance(said, Record), said
    return said


def harvest(answers: dict[str, bytes], *, cursor: str = "", since: date | None = None) -> list[Page]:
    return list(HuggingFace().pages(Recorded(answers), set_name="", cursor=cursor, since=since))


class TestHuggingFaceFiles(SourceConformance):
    source = HuggingFace()
    sample = BUILT_IN_SAMPLES["hugging-face"]


class TestHuggingFaceHarvest(HarvestConformance):
    source = HuggingFace()
    answers = ANSWERS
    since = MONDAY


class TestHuggingFaceLookUp(FindConformance):
    source = HuggingFace()
    answers = PAPER_ANSWERS
    identifiers = (LAMP, Identifier.from_str("arxiv:math/0611800"))
    absent = (HARBOUR, Identifier.from_str("doi:10.1000/harbour.7"))


def test_an_item_becomes_a_record() -> None:
    said = record(
        organization={"name": "lab", "fullname": "Example Lab"},
        githubRepo="https://github.com/example/lamp",
        projectPage="https://example.org/lamp",
    )
    assert said == Record(
        source="hugging-face",
        source_key="2611.00001",
        title="Paper 2611.00001",
        abstract="A lamp.",
        authors=("Ada Example",),
        identifiers=(LAMP,),
        submitted=PartialDate(2026, 11, 10),
        organization="Example Lab",
        code_url="https://github.com/example/lamp",
        project_url="https://example.org/lamp",
    )


def test_what_a_machine_or_a_crowd_said_is_not_taken() -> None:
    assert record(ai_summary="Lamps.", ai_keywords=["lamp"], upvotes=9, githubStars=7) == record()


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        pytest.param({"id": "1"}, 'the field "id" is no arXiv identifier: "1"', id="no identifier"),
        pytest.param({"id": None}, 'the field "id" must be text, but is nothing', id="without identifier"),
        pytest.param({"title": " "}, 'the field "title" is blank', id="blank title"),
    ],
)
def test_an_item_without_identifier_or_title_is_rejected_alone(changed: dict[str, Any], reason: str) -> None:
    first, second = read([item("2611.00001", MONDAY, **changed), item("2611.00002", MONDAY)])
    assert isinstance(first, Rejected)
    assert (first.position, first.reason) == ("item 1", reason)
    assert isinstance(second, Record)


@pytest.mark.parametrize(
    ("changed", "field", "value"),
    [
        pytest.param({"githubRepo": "javascript:alert(1)"}, "code_url", "", id="no address"),
        pytest.param({"organization": "lab"}, "organization", "", id="organisation as text"),
        pytest.param({"authors": "Ada"}, "authors", (), id="authors as text"),
        pytest.param({"publishedAt": "soon"}, "submitted", None, id="no date"),
        pytest.param({"title": "A\n  Lamp"}, "title", "A Lamp", id="line ends in a title"),
        pytest.param({"id": "2611.00001v3"}, "versions", (Version(3),), id="version in the identifier"),
    ],
)
def test_a_field_that_cannot_be_read_costs_only_itself(changed: dict[str, Any], field: str, value: Any) -> None:
    assert getattr(record(**changed), field) == value


def test_a_saved_page_carries_its_list() -> None:
    props = orjson.dumps({"dailyPapers": [item("2611.00001", MONDAY, title="Steps < Lamps & 'Stairs'")]}).decode()
    page = (
        "<!DOCTYPE html><html><head><title>Daily Papers - Hugging Face</title></head><body>"
        f'<div class="SVELTE_HYDRATER contents" data-target="DailyPapers" data-props="{html.escape(props)}"></div>'
        "</body></html>"
    ).encode()
    assert HuggingFace().recognises(page[:65_536], "papers.html")
    (said,) = HuggingFace().read(io.BytesIO(page), filename="papers.html")
    assert isinstance(said, Record)
    assert said.title == "Steps < Lamps & 'Stairs'"
    for end in range(0, len(page), 50):
        check_bytes(HuggingFace(), page[:end])


def test_a_saved_page_without_a_list_is_refused() -> None:
    page = b"<!DOCTYPE html><title>Daily Papers - Hugging Face</title><body>Log in</body>"
    with pytest.raises(Unreadable, match="without its list of papers"):
        list(HuggingFace().read(io.BytesIO(page), filename="papers.html"))


def test_an_object_that_is_no_paper_is_refused() -> None:
    with pytest.raises(Unreadable, match="Nothing was stored"):
        read({"error": "no"})


def test_each_day_from_the_first_to_the_newest_is_announced() -> None:
    pages = harvest(ANSWERS, since=MONDAY)
    announced = [(one.identifier, one.day) for page in pages for one in page.announcements]
    assert announced == [(LAMP, MONDAY), (HARBOUR, MONDAY), (HARBOUR, TUESDAY), (MEADOW, WEDNESDAY)]
    assert pages[0].announcements[0] == Announcement(LAMP, MONDAY, AnnouncementKind.NEW, "daily")
    assert [page.cursor for page in pages] == [str(MONDAY), str(TUESDAY), str(WEDNESDAY)]


def test_the_number_of_papers_is_never_made_up() -> None:
    assert all(not page.counts and page.total is None for page in harvest(ANSWERS, since=MONDAY))


def test_a_rejected_paper_is_announced_all_the_same() -> None:
    page = harvest(ANSWERS, since=TUESDAY)[0]
    assert isinstance(page.items[0], Rejected)
    assert [one.identifier for one in page.announcements] == [HARBOUR]


def test_without_a_day_to_begin_with_the_newest_list_is_taken() -> None:
    assert [one.day for page in harvest(ANSWERS) for one in page.announcements] == [WEDNESDAY]


def test_the_last_day_is_asked_for_again_as_its_list_grows() -> None:
    grown = ANSWERS | dict([listed(WEDNESDAY, item("2611.00003", WEDNESDAY), item("2611.00001", WEDNESDAY))])
    (page,) = harvest(grown, cursor=str(WEDNESDAY))
    assert [one.identifier for one in page.announcements] == [MEADOW, LAMP]


@pytest.mark.parametrize("answer", [pytest.param(b"[]", id="an empty list"), pytest.param(None, id="no list")])
def test_a_working_day_without_list_is_warned_about_and_asked_for_again(answer: bytes | None) -> None:
    answers = {url: body for url, body in ANSWERS.items() if str(TUESDAY) not in url}
    if answer is not None:
        answers[listed(TUESDAY)[0]] = answer
    pages = harvest(answers, since=MONDAY)
    assert [page.cursor for page in pages] == [str(MONDAY), None, str(TUESDAY)]
    assert pages[1].warnings == (f"There is no list of {TUESDAY}, which is a working day.",)
    assert len(harvest(ANSWERS, cursor=str(TUESDAY))) == 2


def test_a_weekend_without_lists_is_passed_over_in_silence() -> None:
    pages = harvest(ANSWERS | dict([listed(FRIDAY, item("2611.00001", FRIDAY))]), since=FRIDAY)
    assert [page.cursor for page in pages] == [str(FRIDAY), None, None, str(MONDAY), str(TUESDAY), str(WEDNESDAY)]
    assert not any(page.warnings for page in pages[:3])


def test_a_list_of_another_day_is_no_announcement() -> None:
    stale = ANSWERS | {listed(TUESDAY)[0]: orjson.dumps([item("2611.00001", date(2026, 10, 1))])}
    page = harvest(stale, since=TUESDAY)[0]
    assert isinstance(page.items[0], Record)
    assert not page.announcements
    assert page.cursor is None
    assert page.warnings == (
        f"The list that came for {TUESDAY} is of another day, so it was not taken as an announcement.",
    )


def test_a_full_page_of_a_list_has_a_next_one() -> None:
    many = [item(f"2611.{number:05}", MONDAY) for number in range(1, 101)]
    answers = {
        **dict([listed(None, many[0]), listed(MONDAY, *many)]),
        f"{LISTS}?date={MONDAY}&limit=100&p=1": orjson.dumps([item("2611.00777", MONDAY)]),
    }
    pages = harvest(answers, since=MONDAY)
    assert [len(page.items) for page in pages] == [100, 1]
    assert [page.last for page in pages] == [False, True]


def test_an_origin_that_repeats_a_page_for_ever_is_left() -> None:
    many = orjson.dumps([item(f"2611.{number:05}", MONDAY) for number in range(1, 101)])
    pages = list(HuggingFace().pages(Recorded({}, otherwise=many), set_name="", cursor="", since=MONDAY))
    assert pages[-1].last
    assert len(pages) == 2


def test_fields_that_are_new_or_gone_are_reported() -> None:
    papers = [item(f"2611.0000{number}", MONDAY, colour="red", summary=None) for number in (1, 2)]
    changed = orjson.dumps([{"paper": one["paper"]} for one in papers])
    (page,) = harvest({listed(None)[0]: changed, listed(MONDAY)[0]: changed}, since=MONDAY)
    assert page.warnings == (
        'The field "colour" is new and was not read.',
        'The field "summary" is gone: none of 2 items has it.',
    )


@pytest.mark.parametrize(
    ("set_name", "cursor"),
    [pytest.param("cs", "", id="a set"), pytest.param("", "next page", id="a cursor that is no day")],
)
def test_what_cannot_be_asked_is_refused_before_asking(set_name: str, cursor: str) -> None:
    client = Recorded({})
    with pytest.raises(Refused):
        list(HuggingFace().pages(client, set_name=set_name, cursor=cursor, since=None))
    assert client.asked == []


def test_the_recorded_list_is_read_whole(protocol: Path) -> None:
    data = (protocol / "hf_daily_papers_api" / "hf_daily_papers.json").read_bytes()
    assert HuggingFace().recognises(data[:65_536], "list.json")
    said = list(HuggingFace().read(io.BytesIO(data), filename="list.json"))
    assert [type(one) for one in said] == [Record] * 30
    assert sum(len(one.authors) for one in said if isinstance(one, Record)) == 202
    day = date(2026, 6, 12)
    (page,) = harvest({listed(None)[0]: data, listed(day)[0]: data}, since=day)
    assert len(page.announcements) == 30
    assert page.warnings == ()


def test_items_of_third_parties_that_say_less_are_read_too(protocol: Path) -> None:
    data = (protocol / "hf_and_s2_small" / "hf_daily_papers.json").read_bytes()
    assert [type(one) for one in HuggingFace().read(io.BytesIO(data), filename="list.json")] == [Record, Record]
