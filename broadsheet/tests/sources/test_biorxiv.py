"""bioRxiv and medRxiv: days, versions of one preprint, what the numbers count, and an interface that changes."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.identifiers import Identifier
from broadsheet.bibliography.record import Record, Rejected, Version
from broadsheet.fetching.answers import Refused
from broadsheet.sources.base import Announcement, AnnouncementKind, Count, Page, Unreadable
from broadsheet.sources.origins.biorxiv import DETAILS, Biorxiv
from broadsheet.testing.harvest_conformance import FindConformance, HarvestConformance, Recorded
from broadsheet.testing.source_conformance import BUILT_IN_SAMPLES, SourceConformance

MONDAY, TUESDAY = date(2026, 11, 16), date(2026, 11, 17)
LAMP, HARBOUR = "10.64898/2026.11.10.700001", "10.64898/2026.11.11.700002"
MEADOW = "10.64898/2026.11.12.26700003"


def item(doi: str, day: date, **changed: Any) -> dict[str, Any]:
    """An item of a collection, in the shape of July 2026."""
    said: dict[str, Any] = {
        "title": "A Lamp for Every Cell",
        "authors": "Example, A.; Exemple, C.",
        "doi": doi,
        "date": str(day),
        "version": "1",
        "type": "new results",
        "license": "cc_by",
        "category": "cell biology",
        "abstract": "We place a lamp in every cell.",
        "published": "NA",
        "server": "bioRxiv",
    }
    return said | changed


def answer(*items: dict[str, Any], **message: Any) -> bytes:
    return orjson.dumps({"messages": [{"status": "ok"} | message], "collection": items})


def of_day(
    server: str, day: date, *items: dict[str, Any], offset: int = 0, total: int | None = None
) -> dict[str, bytes]:
    """The answer for one day; `total` is the number that it states (by default as many as there are)."""
    count = len(items) if total is None else total
    new = sum(one["version"] == "1" for one in items)
    numbers = {"cursor": offset, "count": len(items), "total": str(count), "count_new_papers": str(new)}
    return {f"{DETAILS}/{server}/{day}/{day}/{offset}": answer(*items, **numbers)}


NOTHING = orjson.dumps({"messages": [{"status": "no posts found"}], "collection": []})
ANSWERS = {
    f"{DETAILS}/biorxiv/1": answer(item(HARBOUR, TUESDAY)),
    f"{DETAILS}/medrxiv/1": answer(item(MEADOW, TUESDAY)),
    **of_day("biorxiv", MONDAY, item(LAMP, MONDAY), item(LAMP, MONDAY, version="2"), total=3),
    **of_day("biorxiv", MONDAY, item("10.1101/2020.01.02.900000", MONDAY, version="4"), offset=2, total=3),
    **of_day("medrxiv", MONDAY, item(MEADOW, MONDAY, server="medRxiv")),
    **of_day("biorxiv", TUESDAY, item(HARBOUR, TUESDAY), item("not a doi", TUESDAY)),
    **of_day("medrxiv", TUESDAY, item(MEADOW, TUESDAY, server="medRxiv", version="2")),
}
FIND_ANSWERS = {
    f"{DETAILS}/biorxiv/{LAMP}/na/json": answer(item(LAMP, MONDAY), item(LAMP, TUESDAY, version="2")),
    f"{DETAILS}/biorxiv/{MEADOW}/na/json": NOTHING,
    f"{DETAILS}/medrxiv/{MEADOW}/na/json": answer(item(MEADOW, TUESDAY, server="medRxiv")),
}


def read(*items: dict[str, Any]) -> list[Record | Rejected]:
    return list(Biorxiv().read(io.BytesIO(answer(*items)), filename="day.json"))


def record(**changed: Any) -> Record:
    (said,) = read(item(LAMP, MONDAY) | changed)
    assert isinstance(said, Record), said
    return said


def harvest(answers: dict[str, bytes], set_name: str = "biorxiv", since: date = MONDAY) -> list[Page]:
    return list(Biorxiv().pages(Recorded(answers), set_name=set_name, cursor="", since=since))


def doi(value: str) -> Identifier:
    return Identifier.from_str(f"doi:{value}")


class TestBiorxivFiles(SourceConformance):
    source = Biorxiv()
    sample = BUILT_IN_SAMPLES["biorxiv"]


class TestBiorxivHarvest(HarvestConformance):
    source = Biorxiv()
    answers = ANSWERS
    set_name = "biorxiv"
    since = MONDAY


class TestHarvestOfBothServers(HarvestConformance):
    source = Biorxiv()
    answers = ANSWERS
    since = MONDAY


class TestBiorxivLookUp(FindConformance):
    source = Biorxiv()
    answers = FIND_ANSWERS
    otherwise = NOTHING
    identifiers = (doi(LAMP), doi(MEADOW))
    absent = (doi(HARBOUR), doi("10.1000/harbours.1"))


def test_an_item_becomes_a_record() -> None:
    assert record() == Record(
        source="biorxiv",
        source_key=LAMP,
        title="A Lamp for Every Cell",
        abstract="We place a lamp in every cell.",
        authors=("Example, A.", "Exemple, C."),
        identifiers=(doi(LAMP),),
        versions=(Version(1, PartialDate(2026, 11, 16)),),
        submitted=PartialDate(2026, 11, 10),
        venue="bioRxiv",
        categories=("cell biology",),
        license="https://creativecommons.org/licenses/by/4.0/",
    )


def test_the_versions_of_a_doi_are_one_record_that_says_what_the_newest_says() -> None:
    (said,) = read(
        item(LAMP, TUESDAY, version="2", title="A Lamp for Each Cell", published="10.1000/LAMP.1"), item(LAMP, MONDAY)
    )
    assert isinstance(said, Record)
    assert said.title == "A Lamp for Each Cell"
    assert said.versions == (Version(1, PartialDate(2026, 11, 16)), Version(2, PartialDate(2026, 11, 17)))
    assert said.identifiers == (doi(LAMP), doi("10.1000/lamp.1"))
    assert said.submitted == PartialDate(2026, 11, 10)
    assert said.updated == PartialDate(2026, 11, 17)


@given(st.permutations([item(LAMP, MONDAY, version=str(n), published=f"10.1000/lamp.{n % 2}") for n in range(1, 5)]))
def test_the_order_of_versions_changes_nothing(items: list[dict[str, Any]]) -> None:
    (said,) = read(*items)
    assert isinstance(said, Record)
    assert [version.number for version in said.versions] == [1, 2, 3, 4]
    assert [str(one) for one in said.identifiers[1:]] == ["doi:10.1000/lamp.0", "doi:10.1000/lamp.1"]


def test_a_new_version_that_comes_alone_keeps_the_day_of_the_first() -> None:
    said = record(version="3")
    assert said.submitted == PartialDate(2026, 11, 10)
    assert said.versions == (Version(1), Version(2), Version(3, PartialDate(2026, 11, 16)))


@pytest.mark.parametrize(
    ("value", "submitted"),
    [
        pytest.param("10.64898/2026.11.10.700001", PartialDate(2026, 11, 10), id="openRxiv"),
        pytest.param("10.1101/2020.01.02.900000", PartialDate(2020, 1, 2), id="Cold Spring Harbor"),
        pytest.param("10.1101/123456", PartialDate(2026, 11, 16), id="before 2020: the day of the first version"),
        pytest.param("10.1101/2020.13.02.900000", PartialDate(2026, 11, 16), id="a day that no calendar has"),
    ],
)
def test_the_first_day_stands_in_the_doi(value: str, submitted: PartialDate) -> None:
    assert record(doi=value).submitted == submitted


@pytest.mark.parametrize(
    ("changed", "field", "value"),
    [
        pytest.param({"published": "10.1000/l.1"}, "identifiers", (doi(LAMP), doi("10.1000/l.1")), id="published"),
        pytest.param({"published": "soon"}, "identifiers", (doi(LAMP),), id="published as a word"),
        pytest.param({"license": "cc_no"}, "license", "cc_no", id="no licence for reuse"),
        pytest.param({"license": "CC0"}, "license", "https://creativecommons.org/publicdomain/zero/1.0/", id="CC0"),
        pytest.param({"category": "NA"}, "categories", (), id="no category"),
        pytest.param({"authors": "Primer, D.; ;Example,\nA."}, "authors", ("Primer, D.", "Example, A."), id="blanks"),
        pytest.param({"version": 2}, "updated", PartialDate(2026, 11, 16), id="version as a number"),
        pytest.param({"version": "two"}, "versions", (), id="version as a word"),
        pytest.param({"funder": [{"name": "Example Fund"}]}, "organization", "", id="funders"),
    ],
)  # fmt: skip
def test_fields_are_read_or_left_out(changed: dict[str, Any], field: str, value: Any) -> None:
    assert getattr(record(**changed), field) == value


def test_an_item_without_doi_or_title_is_rejected_alone() -> None:
    first, second, third = read(item("", MONDAY), item(LAMP, MONDAY, title=None), item(HARBOUR, MONDAY))
    assert isinstance(first, Rejected)
    assert first.reason == 'the field "doi" is no DOI: ""'
    assert isinstance(second, Rejected)
    assert isinstance(third, Record)


def test_a_day_is_announced_with_its_numbers() -> None:
    first, second, *_ = harvest(ANSWERS)
    assert first.announcements == (
        Announcement(doi(LAMP), MONDAY, AnnouncementKind.NEW, "biorxiv", 1),
        Announcement(doi(LAMP), MONDAY, AnnouncementKind.REPLACE, "biorxiv", 2),
    )
    assert first.counts == ()
    assert Count(MONDAY, "biorxiv", None, 3) in second.counts
    assert second.total == 3


def test_the_next_page_begins_after_as_many_items_as_came() -> None:
    client = Recorded(ANSWERS)
    list(Biorxiv().pages(client, set_name="biorxiv", cursor="", since=MONDAY))
    assert [url.removeprefix(DETAILS) for url in client.asked] == [
        "/biorxiv/1",
        f"/biorxiv/{MONDAY}/{MONDAY}/0",
        f"/biorxiv/{MONDAY}/{MONDAY}/2",
        f"/biorxiv/{TUESDAY}/{TUESDAY}/0",
    ]


def test_the_cursor_moves_when_all_of_a_day_is_there() -> None:
    assert [page.cursor for page in harvest(ANSWERS)] == [None, str(MONDAY), str(TUESDAY)]
    both = harvest(ANSWERS, set_name="")
    assert [page.cursor for page in both] == [None, None, str(MONDAY), None, str(TUESDAY)]
    assert {one.section for page in both for one in page.announcements} == {"biorxiv", "medrxiv"}


@pytest.mark.parametrize(
    "rest",
    [
        pytest.param({f"{DETAILS}/biorxiv/{MONDAY}/{MONDAY}/2": NOTHING}, id="nothing more"),
        pytest.param(of_day("biorxiv", MONDAY, offset=2, total=3), id="an empty page"),
    ],
)
def test_a_day_that_ends_too_early_is_asked_for_again(rest: dict[str, bytes]) -> None:
    pages = harvest(ANSWERS | rest)
    assert [page.cursor for page in pages] == [None, str(MONDAY), str(MONDAY)]
    assert pages[1].warnings == (f"biorxiv gave 2 of the 3 items of {MONDAY}.",)


def test_a_working_day_without_preprints_is_warned_about() -> None:
    empty = ANSWERS | {f"{DETAILS}/biorxiv/{MONDAY}/{MONDAY}/0": NOTHING}
    pages = harvest(empty)
    assert pages[0].warnings == (f"biorxiv has nothing of {MONDAY}, which is a working day.",)
    assert [page.cursor for page in pages] == [None, str(MONDAY)]


def test_items_of_another_day_keep_their_own_and_are_not_counted() -> None:
    stale = ANSWERS | of_day("biorxiv", MONDAY, item(LAMP, date(2026, 11, 2)))
    page = harvest(stale)[0]
    assert page.announcements[0].day == date(2026, 11, 2)
    assert page.counts == ()
    assert page.warnings == (f"Some items that biorxiv gave for {MONDAY} are of another day.",)


def test_a_server_that_ignores_where_to_go_on_is_left() -> None:
    stuck = of_day("biorxiv", MONDAY, item(LAMP, MONDAY), total=3)
    same = {f"{DETAILS}/biorxiv/{MONDAY}/{MONDAY}/1": next(iter(stuck.values()))}
    pages = harvest(ANSWERS | stuck | same)
    assert pages[1].warnings == (f"biorxiv gave the items of {MONDAY} from 0 on instead of 1.",)
    assert pages[-1].cursor == str(MONDAY)


def test_numbers_that_are_gone_cost_only_the_count() -> None:
    bare = ANSWERS | {
        f"{DETAILS}/biorxiv/{TUESDAY}/{TUESDAY}/0": answer(item(HARBOUR, TUESDAY)),
        f"{DETAILS}/biorxiv/{TUESDAY}/{TUESDAY}/1": NOTHING,
    }
    pages = harvest(bare, since=TUESDAY)
    assert [one.identifier for page in pages for one in page.announcements] == [doi(HARBOUR)]
    assert not any(page.counts for page in pages)
    assert pages[-1].cursor == str(TUESDAY)


def test_only_servers_are_sets() -> None:
    with pytest.raises(Refused, match="biorxiv and medrxiv"):
        harvest(ANSWERS, set_name="arxiv")


@pytest.mark.parametrize("value", [{"messages": []}, {"collection": []}, {"messages": 1, "collection": []}, []])
def test_what_is_no_answer_of_biorxiv_is_refused(value: Any) -> None:
    with pytest.raises(Unreadable, match="Nothing was stored"):
        list(Biorxiv().read(io.BytesIO(orjson.dumps(value)), filename="day.json"))
