"""arXiv's listing pages: the days and numbers that they state, lists in pieces, and lists that fall short."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from broadsheet.bibliography.record import Record, Rejected
from broadsheet.fetching.answers import Refused
from broadsheet.sources.base import Announcement, AnnouncementKind, Page, Unreadable
from broadsheet.sources.origins.arxiv_listing import BASE, SHOW, ArxivListing
from broadsheet.testing.cast import ADA, CHLOE, arxiv
from broadsheet.testing.harvest_conformance import HarvestConformance, Recorded
from broadsheet.testing.source_conformance import BUILT_IN_SAMPLES, SourceConformance, read_all

FRIDAY, THURSDAY, WEDNESDAY = date(2026, 11, 20), date(2026, 11, 19), date(2026, 11, 18)
NEW, CROSS, REPLACE, REPLACE_CROSS = AnnouncementKind
SAMPLE = BUILT_IN_SAMPLES["arxiv-listing"].data


def address(which: str, skip: int = 0, section: str = "cs.LG") -> str:
    return f"{BASE}{section}/{which}?skip={skip}&show={SHOW}"


def entry(number: int, primary: str = "cs.LG", note: str = "") -> str:
    return f"""<dt><a name='item1'>[1]</a> <a href ="/abs/2611.{number:05}" title="Abstract" id="2611.{number:05}">
        arXiv:2611.{number:05} </a> {note} [<a href="/pdf/2611.{number:05}" title="Download PDF">pdf</a>]</dt>
<dd><div class='meta'><div class='list-title mathjax'><span class='descriptor'>Title:</span> Meadows</div>
<div class='list-authors'><a href="/a">Ada Example</a></div><div class='list-subjects'>
<span class='descriptor'>Subjects:</span> <span class="primary-subject">Grass ({primary})</span></div></div></dd>"""


def group(heading: str, *entries: str) -> str:
    return f"<dl id='articles'><h3>{heading}</h3>{''.join(entries)}</dl>"


def page(*parts: str, day: str = "Friday, 20 November 2026", total: int | None = None) -> bytes:
    heading = f"<h3>Showing new listings for {day}</h3>" if day else ""
    paging = "" if total is None else f"<div class='paging'>Total of {total} entries </div>"
    return f"<!DOCTYPE html><html><body><h1>arXiv</h1>{heading}{paging}{''.join(parts)}</body></html>".encode()


def recent(*parts: str, total: int) -> bytes:
    return page(*parts, day="", total=total)


CROSS_NOTE = "(cross-list from stat.ML)"
NEWEST = page(
    group("New submissions (showing 1 of 1 entries)", entry(1)),
    group("Cross submissions (showing 1 of 1 entries)", entry(2, "stat.ML", CROSS_NOTE)),
    group("Replacement submissions (showing 2 of 2 entries)", entry(3), entry(4, "math.OC", "(replaced)")),
    total=4,
)
WEEK = recent(
    group("Fri, 20 Nov 2026 (showing 2 of 2 entries )", entry(1), entry(2, "stat.ML", CROSS_NOTE)),
    group("Thu, 19 Nov 2026 (showing 3 of 3 entries )", entry(5), entry(6), entry(7, "stat.ML", CROSS_NOTE)),
    group("Wed, 18 Nov 2026"),
    group("Tue, 17 Nov 2026 (showing 1 of 1 entries )", entry(8)),
    total=6,
)
ANSWERS = {address("new"): NEWEST, address("pastweek"): WEEK}
# The same lists, shown in pieces.
PIECES = {
    address("new"): page(
        group("New submissions (showing 1 of 1 entries)", entry(1)),
        group("Cross submissions (showing 1 of 1 entries)", entry(2, "stat.ML", CROSS_NOTE)),
        group("Replacement submissions (showing first 1 of 2 entries)", entry(3)),
        total=4,
    ),
    address("new", 3): page(
        group("Replacement submissions (continued, showing last 1 of 2 entries)", entry(4, "math.OC", "(replaced)")),
        total=4,
    ),
    address("pastweek"): recent(
        group("Fri, 20 Nov 2026 (showing 2 of 2 entries )", entry(1), entry(2, "stat.ML", CROSS_NOTE)),
        group("Thu, 19 Nov 2026 (showing first 1 of 3 entries )", entry(5)),
        total=6,
    ),
    address("pastweek", 3): recent(
        group("Thu, 19 Nov 2026 (continued, showing last 2 of 3 entries )", entry(6), entry(7, "stat.ML", CROSS_NOTE)),
        group("Wed, 18 Nov 2026"),
        group("Tue, 17 Nov 2026 (showing 1 of 1 entries )", entry(8)),
        total=6,
    ),
}


def harvest(
    answers: dict[str, bytes], *, cursor: str = "2026-11-19", since: date | None = None, section: str = "cs.LG"
) -> tuple[list[Page], list[str]]:
    """The pages after Thursday's list, unless another is named, and what was asked."""
    client = Recorded(answers)
    return list(ArxivListing().pages(client, set_name=section, cursor=cursor, since=since)), client.asked


def numbers(pages: list[Page], day: date) -> dict[AnnouncementKind | None, int]:
    return {count.kind: count.number for page in pages for count in page.counts if count.day == day}


class TestArxivListing(SourceConformance):
    source = ArxivListing()
    sample = BUILT_IN_SAMPLES["arxiv-listing"]


class TestHarvest(HarvestConformance):
    source = ArxivListing()
    answers = ANSWERS
    set_name = "cs.LG"


class TestHarvestInPieces(HarvestConformance):
    source = ArxivListing()
    answers = PIECES
    set_name = "cs.LG"


def test_the_newest_list_announces_and_counts() -> None:
    pages, asked = harvest(ANSWERS)
    (found,) = pages
    assert asked == [address("new")]
    assert found.announcements == (
        Announcement(arxiv("2611.00001"), FRIDAY, NEW, "cs.LG"),
        Announcement(arxiv("2611.00002"), FRIDAY, CROSS, "cs.LG"),
        Announcement(arxiv("2611.00003"), FRIDAY, REPLACE, "cs.LG"),
        Announcement(arxiv("2611.00004"), FRIDAY, REPLACE_CROSS, "cs.LG"),
    )
    assert numbers(pages, FRIDAY) == {NEW: 1, CROSS: 1, REPLACE: 1, REPLACE_CROSS: 1}
    assert (found.cursor, found.last, found.total, found.warnings) == ("2026-11-20", True, 4, ())


def test_the_page_is_a_witness_and_brings_no_papers() -> None:
    assert all(page.items == () for page in harvest(ANSWERS, cursor="")[0])


def test_a_gap_is_filled_from_the_last_five_lists() -> None:
    pages, asked = harvest(ANSWERS, cursor="2026-11-17")
    assert asked == [address("new"), address("pastweek")]
    assert [one.identifier.value[-1] for one in pages[1].announcements] == ["5", "6", "7"]
    assert {one.day for one in pages[1].announcements} == {THURSDAY}
    assert numbers(pages, THURSDAY) == {NEW: 2, CROSS: 1}, "this page knows of no replacements"
    assert numbers(pages, WEDNESDAY) == {NEW: 0, CROSS: 0}, "a day without a list has nothing"
    assert numbers(pages, date(2026, 11, 17)) == {}, "what is known already is not told again"
    assert [page.cursor for page in pages] == [None, "2026-11-20"], "the cursor moves when the gap is filled"


@pytest.mark.parametrize(
    ("cursor", "since", "days"),
    [
        pytest.param("", None, {FRIDAY, THURSDAY, date(2026, 11, 17)}, id="all there is"),
        pytest.param("", THURSDAY, {FRIDAY, THURSDAY}, id="from a day on"),
        pytest.param("", FRIDAY, {FRIDAY}, id="from today on"),
        pytest.param("2026-11-18", None, {FRIDAY, THURSDAY}, id="after a day"),
        pytest.param("2026-11-20", None, {FRIDAY}, id="once more"),
    ],
)
def test_which_days_are_asked_for(cursor: str, since: date | None, days: set[date]) -> None:
    pages, _ = harvest(ANSWERS, cursor=cursor, since=since)
    assert {one.day for page in pages for one in page.announcements} == days


def test_lists_in_pieces_are_put_together() -> None:
    whole, _ = harvest(ANSWERS, cursor="")
    pieces, asked = harvest(PIECES, cursor="")
    assert asked == list(PIECES)
    assert [one for page in pieces for one in page.announcements] == [
        one for page in whole for one in page.announcements
    ]
    assert {count for page in pieces for count in page.counts} == {count for page in whole for count in page.counts}
    assert [page.cursor for page in pieces] == [None, None, None, "2026-11-20"]


def test_an_older_form_of_the_headings() -> None:
    older = page(
        group("New submissions for Friday, 20 November 2026 (showing 1 of 1 entries )", entry(1)),
        group("Cross-lists for Friday, 20 November 2026 (showing 1 of 1 entries)", entry(2)),
        group("Replacements for Friday, 20 November 2026 (showing 1 of 1 entries)", entry(3)),
        day="",
    )
    pages, _ = harvest({address("new"): older})
    assert numbers(pages, FRIDAY) == {NEW: 1, CROSS: 1, REPLACE: 1, REPLACE_CROSS: 0}


def test_a_day_without_entries() -> None:
    pages, _ = harvest({address("new"): page("<p>No updates today.</p>")})
    assert set(numbers(pages, FRIDAY).values()) == {0}
    assert pages[0].cursor == "2026-11-20"


@pytest.mark.parametrize(
    "day", ["", "Friday, 20 Nov", "Thursday, 20 November 2026", "Friday, 31 November 2026", "20/11/2026"]
)
def test_a_list_without_a_sound_day_announces_nothing(day: str) -> None:
    strange = page(group("New submissions (showing 1 of 1 entries)", entry(1)), day=day)
    pages, _ = harvest({address("new"): strange})
    (found,) = pages
    assert (found.announcements, found.counts, found.cursor) == ((), (), None)
    assert "does not say of which day it is" in found.warnings[-1]


SHORT = group("New submissions (showing 2 of 3 entries)", entry(1), entry(2))


def test_a_list_that_shows_less_than_it_says_is_asked_for_again_and_does_not_count_as_read() -> None:
    pages, asked = harvest({address("new"): page(SHORT), address("new", 2): page()})
    assert asked == [address("new"), address("new", 2), address("new", 2)]
    assert pages[-1].cursor is None
    assert pages[-1].warnings == ("The listing of cs.LG for 2026-11-20 says that it has 3 entries (new), and shows 2.",)
    assert numbers(pages, FRIDAY) == {NEW: 3}, "what the heading says stands; of other kinds nothing is sure"


def test_an_empty_page_in_the_middle_is_asked_for_again() -> None:
    rest = page(group("New submissions (continued, showing last 1 of 3 entries)", entry(3)))
    client = Recorded({address("new"): page(SHORT), address("new", 2): rest}, spoil=(1, lambda _: page()))
    pages = list(ArxivListing().pages(client, set_name="cs.LG", cursor="2026-11-19", since=None))
    assert client.asked == [address("new"), address("new", 2), address("new", 2)]
    assert numbers(pages, FRIDAY)[NEW] == 3
    assert pages[-1].cursor == "2026-11-20"


def test_an_entry_that_cannot_be_read_is_rejected_and_stops_nothing() -> None:
    strange = entry(2).replace("2611.00002", "26.2")
    pages, _ = harvest({address("new"): page(group("New submissions (showing 2 of 2 entries)", entry(1), strange))})
    (found,) = pages
    (rejected,) = found.items
    assert isinstance(rejected, Rejected)
    assert (rejected.position, rejected.reason) == ("entry 2", 'it has no arXiv identifier, but "arXiv:26.2"')
    assert numbers(pages, FRIDAY) == {NEW: 2}, "the heading counts it"
    assert found.cursor == "2026-11-20"


def test_entries_without_any_heading_are_missed_by_the_total() -> None:
    pages, _ = harvest({address("new"): page(total=4)})
    assert pages[-1].cursor is None
    assert numbers(pages, FRIDAY) == {}
    assert "says that it has 4 entries in all, and shows 0" in pages[-1].warnings[0]


def test_a_list_that_changes_its_day_while_it_is_read_is_given_up() -> None:
    monday = page(group("New submissions (showing 1 of 1 entries)", entry(9)), day="Monday, 23 November 2026")
    pages, _ = harvest({address("new"): page(SHORT), address("new", 2): monday})
    assert [page.cursor for page in pages] == [None, None]
    assert "changed its day" in pages[-1].warnings[0]
    assert {one.day for page in pages for one in page.announcements} == {FRIDAY}


def test_a_week_that_falls_short_moves_nothing() -> None:
    short = recent(group("Thu, 19 Nov 2026 (showing 3 of 3 entries )", entry(5), entry(6)), total=2)
    pages, _ = harvest({address("new"): NEWEST, address("pastweek"): short}, cursor="2026-11-18")
    assert pages[-1].cursor is None
    assert pages[-1].warnings == ("The listing of cs.LG for 2026-11-19 says that it has 3 entries, and shows 2.",)


def test_the_list_of_another_section_is_refused() -> None:
    with pytest.raises(Unreadable, match=r"the listing of cs\.LG in place of that of cs\.AI"):
        harvest({address("new", section="cs.AI"): SAMPLE}, section="cs.AI")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(SAMPLE[:-9], id="cut off"),
        pytest.param(b"<html><body>Bad Gateway</body></html>", id="error page"),
        pytest.param(b"<html><body><h3>Help</h3></body></html>", id="another page"),
    ],
)
def test_what_is_no_list_is_refused(data: bytes) -> None:
    with pytest.raises(Unreadable, match="Nothing was stored"):
        harvest({address("new"): data})


def test_a_list_that_was_stored_is_not_fetched_again() -> None:
    client = Recorded(ANSWERS)
    source = ArxivListing()
    list(source.pages(client, set_name="cs.LG", cursor="2026-11-19", since=None))
    assert list(source.pages(client, set_name="cs.LG", cursor="2026-11-20", since=None)) == [Page()]


def test_a_list_that_fell_short_is_fetched_again() -> None:
    client = Recorded({address("new"): page(SHORT), address("new", 2): page()})
    for _ in range(2):
        list(ArxivListing().pages(client, set_name="cs.LG", cursor="2026-11-19", since=None))
    assert client.asked == [address("new"), address("new", 2), address("new", 2)] * 2


def test_a_cursor_of_somebody_else_is_refused() -> None:
    with pytest.raises(Refused, match="--since"):
        harvest(ANSWERS, cursor="yesterday")


def test_a_saved_page_is_read_like_any_file() -> None:
    lamp = next(said for said in read_all(ArxivListing(), SAMPLE) if isinstance(said, Record) and "Lamp" in said.title)
    assert lamp.authors == (ADA, CHLOE)
    assert lamp.comments == "12 pages, 3 lamps"
    assert lamp.categories == ("cs.LG", "math.OC")


def test_the_real_page(protocol: Path) -> None:
    data = (protocol / "arxiv_listing_html" / "arxiv_listing_sample.html").read_bytes()
    assert ArxivListing().recognises(data[:65536], "x")
    assert len(read_all(ArxivListing(), data)) == 6
    pages, _ = harvest({address("new", section="cs.AI"): data}, cursor="2026-08-11", section="cs.AI")
    assert numbers(pages, date(2026, 8, 12)) == {NEW: 2, CROSS: 2, REPLACE: 2, REPLACE_CROSS: 0}
    assert pages[0].cursor == "2026-08-12"
