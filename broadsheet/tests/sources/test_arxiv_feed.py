"""arXiv's feeds: what is announced on which day, what is counted, and when a feed is not trusted."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from broadsheet.bibliography.record import Record, Rejected, Version
from broadsheet.sources.arxiv import ARCHIVES
from broadsheet.sources.base import Announcement, AnnouncementKind, Count, Page, Unreadable
from broadsheet.sources.origins.arxiv_feed import BASE, MOST_ENTRIES, ArxivFeed
from broadsheet.testing.cast import arxiv, doi
from broadsheet.testing.harvest_conformance import HarvestConformance, Recorded
from broadsheet.testing.source_conformance import BUILT_IN_SAMPLES, SourceConformance, check_bytes, read_all

FRIDAY = date(2026, 11, 20)
NEW, CROSS, REPLACE, REPLACE_CROSS = AnnouncementKind
ATOM = BUILT_IN_SAMPLES["arxiv-feed"].data
RSS = rb"""<?xml version='1.0' encoding='UTF-8'?>
<rss xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/"
     xmlns:atom="http://www.w3.org/2005/Atom" version="2.0"><channel>
<title>cs.LG updates on arXiv.org</title><link>http://rss.arxiv.org/rss/cs.LG</link>
<atom:link href="http://rss.arxiv.org/rss/cs.LG" rel="self" type="application/rss+xml"/>
<lastBuildDate>Fri, 20 Nov 2026 05:00:19 +0000</lastBuildDate><pubDate>Fri, 20 Nov 2026 00:00:00 -0500</pubDate>
<skipDays><day>Saturday</day><day>Sunday</day></skipDays>
<item><title>Harbours Without Water</title><link>https://arxiv.org/abs/2611.12345</link>
<description>arXiv:2611.12345v3 Announce Type: replace-cross
Abstract: Ships &lt;i&gt; arrive.</description>
<guid isPermaLink="false">oai:arXiv.org:2611.12345v3</guid><category>stat.ML</category><category>cs.LG</category>
<pubDate>Fri, 20 Nov 2026 00:00:00 -0500</pubDate><arxiv:announce_type>replace-cross</arxiv:announce_type>
<dc:rights>http://creativecommons.org/licenses/by/4.0/</dc:rights><arxiv:DOI>10.1000/harbour.7</arxiv:DOI>
<arxiv:journal_reference>J. Harb. 7</arxiv:journal_reference><dc:creator>Bela Beispiel, Andr\'e Exemple</dc:creator>
</item></channel></rss>"""


def page(data: bytes, section: str = "cs.LG", **how: str) -> Page:
    (found,) = ArxivFeed().pages(Recorded({BASE + section: data}), set_name=section, cursor="", since=None, **how)
    return found


def feed(entries: int, *, day: str = "2026-11-20", of: str = "2026-11-20", section: str = "cs.LG") -> bytes:
    """A feed built on `day`, whose entries are dated `of`."""
    text = ATOM.decode().replace("cs.LG updates", f"{section} updates")
    head, entry, _ = text.partition("  <entry>")[0], text.partition("  <entry>")[2].partition("</entry>")[0], ""
    head = head.replace("2026-11-20T05", f"{day}T05")
    body = "".join(
        f"<entry>{entry.replace('2611.12346', f'2611.{number:05}').replace('2026-11-20T00', f'{of}T00')}</entry>"
        for number in range(1, entries + 1)
    )
    return f"{head}{body}</feed>".encode()


ANSWERS = {BASE + "cs.LG": ATOM}


class TestArxivFeed(SourceConformance):
    source = ArxivFeed()
    sample = BUILT_IN_SAMPLES["arxiv-feed"]


class TestHarvest(HarvestConformance):
    source = ArxivFeed()
    answers = ANSWERS
    set_name = "cs.LG"


def test_an_atom_feed_announces_and_counts_kind_by_kind() -> None:
    found = page(ATOM)
    assert found.announcements == (
        Announcement(arxiv("2611.12346"), FRIDAY, NEW, "cs.LG", 1),
        Announcement(arxiv("2611.12345"), FRIDAY, CROSS, "cs.LG", 1),
        Announcement(arxiv("2611.00001"), FRIDAY, REPLACE, "cs.LG", 2),
    )
    assert found.counts == tuple(
        Count(FRIDAY, "cs.LG", kind, number)
        for kind, number in [(NEW, 1), (CROSS, 1), (REPLACE, 1), (REPLACE_CROSS, 0)]
    )
    assert (found.cursor, found.last, found.warnings) == ("2026-11-20", True, ())


def test_an_rss_feed_says_the_same_things() -> None:
    found = page(RSS)
    assert found.announcements == (Announcement(arxiv("2611.12345"), FRIDAY, REPLACE_CROSS, "cs.LG", 3),)
    assert found.items == (
        Record(
            source="arxiv-feed",
            source_key="2611.12345",
            title="Harbours Without Water",
            abstract="Ships <i> arrive.",
            authors=("Bela Beispiel", "Andr\\'e Exemple"),
            identifiers=(arxiv("2611.12345"), doi("10.1000/harbour.7")),
            versions=(Version(3),),
            categories=("stat.ML", "cs.LG"),
            comments="Journal-ref: J. Harb. 7",
            license="http://creativecommons.org/licenses/by/4.0/",
        ),
    )


@pytest.mark.parametrize(
    ("stamp", "day"),
    [
        pytest.param("2026-11-20T05:00:19.866337+00:00", "2026-11-20", id="midnight in winter"),
        pytest.param("2026-08-20T04:00:19.866337+00:00", "2026-08-20", id="midnight in summer"),
        pytest.param("2026-11-21T03:59:00+00:00", "2026-11-20", id="late in the evening"),
        pytest.param("2026-11-20T04:59:59+00:00", "2026-11-19", id="a second before midnight"),
        pytest.param("2026-11-02T05:00:19Z", "2026-11-02", id="the Monday after the clocks went back"),
        pytest.param("2026-03-09T04:00:19Z", "2026-03-09", id="the Monday after they went forward"),
        pytest.param("Fri, 20 Nov 2026 00:00:00 -0500", "2026-11-20", id="RSS in winter"),
        pytest.param("Thu, 20 Aug 2026 00:00:00 -0400", "2026-08-20", id="RSS in summer"),
        pytest.param("Fri, 20 Nov 2026 00:00:00 -0400", "2026-11-20", id="the wrong offset of the two"),
    ],
)
def test_the_day_is_the_feeds_own_in_eastern_time(stamp: str, day: str) -> None:
    name = b"pubDate" if "," in stamp else b"updated"
    data = re.sub(rb"<updated>.*?</updated>", b"<%s>%s</%s>" % (name, stamp.encode(), name), ATOM, count=1)
    data = data.replace(b"2026-11-20T00:00:00-05:00", day.encode() + b"T00:00:00-05:00")
    assert {one.day for one in page(data).announcements} == {date.fromisoformat(day)}


@pytest.mark.parametrize("stamp", ["", "today", "2026-11-20", "2026-11-20T00:00:00", "0001-01-01T00:00:00Z"])
def test_a_feed_that_does_not_name_its_day_announces_nothing(stamp: str) -> None:
    data = re.sub(rb"<updated>.*?</updated>", b"<updated>%s</updated>" % stamp.encode(), ATOM, count=1)
    found = page(data)
    assert (found.announcements, found.counts, found.cursor) == ((), (), None)
    assert found.warnings == ("The feed of cs.LG does not say of which day it is. Nothing is announced by it.",)
    assert len(found.items) == 3, "its papers are kept all the same"


def test_entries_of_another_day_are_not_announced() -> None:
    found = page(feed(3, day="2026-11-23", of="2026-11-20"))
    assert (found.announcements, found.counts) == ((), ())
    assert found.warnings == ("The feed of cs.LG is of 2026-11-23, but 3 of its entries are of 2026-11-20.",)


@pytest.mark.parametrize(
    ("day", "warnings"),
    [
        pytest.param("2026-11-21", (), id="Saturday"),
        pytest.param("2026-11-22", (), id="Sunday"),
        pytest.param("2026-11-26", ("The feed of cs.LG for Thursday, 2026-11-26 is empty.",), id="working day"),
    ],
)
def test_an_empty_feed_is_no_error_and_no_count(day: str, warnings: tuple[str, ...]) -> None:
    found = page(feed(0, day=day))
    assert (found.items, found.announcements, found.counts) == ((), (), ())
    assert found.warnings == warnings


def test_a_feed_that_is_full_does_not_count() -> None:
    found = page(feed(MOST_ENTRIES))
    assert len(found.announcements) == MOST_ENTRIES
    assert found.counts == ()
    assert found.warnings == ("The feed of cs.LG has 2,000 entries, as many as fit; more may be missing.",)


def test_what_comes_twice_counts_once() -> None:
    twice = ATOM.replace(b"2611.12345", b"2611.12346")
    assert [count.number for count in page(twice).counts] == [0, 1, 1, 0]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        pytest.param(b">cross<", b">praise<", "which is no kind of announcement", id="kind"),
        pytest.param(b"oai:arXiv.org:2611.12345v1", b"urn:x", "no arXiv identifier", id="identifier"),
        pytest.param(b"Harbours Without Water", b"", "no title", id="title"),
        pytest.param(b"Harbours Without", b"Harbours \x02 Without", "not well-formed", id="control character"),
    ],
)
def test_one_bad_entry_does_not_cost_the_others_but_the_count(old: bytes, new: bytes, reason: str) -> None:
    found = page(ATOM.replace(old, new))
    (rejected,) = (item for item in found.items if isinstance(item, Rejected))
    assert (rejected.position, reason in rejected.reason) == ("entry 2", True)
    assert len(found.announcements) == 2
    assert found.counts == ()


def test_the_kind_stands_in_the_text_too() -> None:
    without = re.sub(rb"<arxiv:announce_type>.*?</arxiv:announce_type>", b"", ATOM)
    assert [one.kind for one in page(without).announcements] == [NEW, CROSS, REPLACE]


def test_the_feed_of_another_section_is_refused() -> None:
    with pytest.raises(Unreadable, match=r"the feed of cs\.LG in place of that of cs\.AI"):
        page(ATOM, "cs.AI")


def test_everything_is_one_feed_for_each_archive() -> None:
    answers = {BASE + archive: feed(1, section=archive) for archive in ARCHIVES}
    pages = list(ArxivFeed().pages(Recorded(answers), set_name="", cursor="", since=None))
    assert [page.last for page in pages] == [False] * (len(ARCHIVES) - 1) + [True]
    assert {one.section for page in pages for one in page.announcements} == set(ARCHIVES)
    assert [page.cursor for page in pages if page.cursor] == ["2026-11-20"]


def test_a_feed_that_was_stored_is_not_fetched_again() -> None:
    client = Recorded({BASE + "cs.LG": ATOM})
    source = ArxivFeed()
    first = list(source.pages(client, set_name="cs.LG", cursor="", since=None))
    assert list(source.pages(client, set_name="cs.LG", cursor="2026-11-20", since=None)) == [Page()]
    assert list(source.pages(client, set_name="cs.LG", cursor="", since=None)) == first, "asked from the start, it is"


def test_a_feed_with_a_fault_is_fetched_again_until_it_is_mended() -> None:
    client = Recorded({BASE + "cs.LG": feed(3, day="2026-11-23", of="2026-11-20")})
    for cursor in ("", "2026-11-23"):
        (found,) = ArxivFeed().pages(client, set_name="cs.LG", cursor=cursor, since=None)
        assert len(found.warnings) == 1


def test_the_real_feed(protocol: Path) -> None:
    found = page((protocol / "arxiv_rss" / "arxiv_rss_example.xml").read_bytes(), "cs.AI")
    assert [count.number for count in found.counts] == [2, 5, 0, 0]
    assert {one.day for one in found.announcements} == {date(2025, 8, 20)}
    assert found.warnings == ()


def test_foreign_feeds_are_refused(protocol: Path) -> None:
    foreign = [*(protocol / "rss_generated").glob("*.xml"), *(protocol / "rss_other").glob("*.xml")]
    for path in foreign:
        data = path.read_bytes()
        assert not ArxivFeed().recognises(data[:65536], path.name)
        assert check_bytes(ArxivFeed(), data) == []
    assert len(foreign) == 4


def test_what_was_read_from_a_file_is_what_was_harvested() -> None:
    assert tuple(read_all(ArxivFeed(), ATOM)) == page(ATOM).items
