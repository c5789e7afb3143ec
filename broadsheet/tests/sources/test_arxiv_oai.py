"""arXiv's OAI-PMH server: what its records say, how its lists are followed, and what makes a harvest begin again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.record import Record, Rejected
from broadsheet.fetching.answers import Refused
from broadsheet.sources import xml
from broadsheet.sources.base import Page, Sighting, Unreadable
from broadsheet.sources.origins.arxiv_oai import BASE, ArxivOai
from broadsheet.testing.cast import ADA, CHLOE, arxiv, doi
from broadsheet.testing.harvest_conformance import AT, FindConformance, Harvest, HarvestConformance, Recorded
from broadsheet.testing.source_conformance import BUILT_IN_SAMPLES, SourceConformance, check_bytes, read_all

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">'
DAY = AT.date()
BEGINNING = f"{BASE}?verb=ListRecords&metadataPrefix=arXivRaw"


def record(identifier: str, *, title: str = "Meadows", more: str = "", day: str = "2026-11-19") -> str:
    return f"""<record>
<header><identifier>oai:arXiv.org:{identifier}</identifier><datestamp>{day}</datestamp></header>
<metadata><arXivRaw xmlns="http://arxiv.org/OAI/arXivRaw/"><id>{identifier}</id><submitter>Ada Example</submitter>
<version version="v1"><date>Wed, 18 Nov 2026 20:15:00 GMT</date><size>1kb</size></version>
<title>{title}</title><authors>Ada Example</authors><categories>cs.LG</categories>{more}
<abstract>Grass.</abstract></arXivRaw></metadata>
</record>"""


def answer(*records: str, token: str = "", day: str = "2026-11-20", total: int | None = None) -> bytes:
    size = "" if total is None else f' completeListSize="{total}"'
    end = f"<resumptionToken{size}>{token}</resumptionToken>"
    return f"""{HEAD}<responseDate>{day}T03:41:07Z</responseDate>
<request verb="ListRecords">http://oaipmh.arxiv.org/oai</request>
<ListRecords>{"".join(records)}{end}</ListRecords></OAI-PMH>""".encode()


def error(code: str, said: str = "", day: str = "2026-11-20") -> bytes:
    return f"""{HEAD}<responseDate>{day}T03:41:07Z</responseDate>
<request>http://oaipmh.arxiv.org/oai</request><error code="{code}">{said}</error></OAI-PMH>""".encode()


def resumed(token: str) -> str:
    return f"{BASE}?verb=ListRecords&resumptionToken={token}"


FIRST = answer(record("2611.00001"), record("2611.00002"), token="a")
SECOND = answer(record("2611.00003"), token="b")
THIRD = answer(record("math/0611800"))
LIST = {BEGINNING: FIRST, resumed("a"): SECOND, resumed("b"): THIRD}
SINGLE = {
    f"{BASE}?verb=GetRecord&identifier=oai:arXiv.org:{name}&metadataPrefix=arXivRaw": answer(record(name))
    for name in ("2611.00001", "math/0611800")
}
NOTHING_NEW = error("noRecordsMatch")


def harvest(
    answers: dict[str, bytes], *, cursor: str = "", since: date | None = None, set_name: str = ""
) -> tuple[list[Page], list[str]]:
    """The pages, and what was asked."""
    client = Recorded(answers)
    return list(ArxivOai().pages(client, set_name=set_name, cursor=cursor, since=since)), client.asked


def keys(pages: list[Page]) -> list[str]:
    return [item.source_key for page in pages for item in page.items if isinstance(item, Record)]


class TestArxivOai(SourceConformance):
    source = ArxivOai()
    sample = BUILT_IN_SAMPLES["arxiv-oai"]


class TestHarvest(HarvestConformance):
    source = ArxivOai()
    answers = LIST
    otherwise = NOTHING_NEW


class TestFind(FindConformance):
    source = ArxivOai()
    answers = SINGLE
    identifiers = (arxiv("2611.00001"), arxiv("math/0611800"))
    absent = (arxiv("2611.99999"),)
    otherwise = error("idDoesNotExist", "no such paper")


# What records say


def test_a_sighting_tells_when_the_first_version_came_in() -> None:
    pages, _ = harvest({BEGINNING: answer(record("2611.00001"))})
    at = datetime(2026, 11, 18, 20, 15, tzinfo=UTC)
    assert pages[0].sightings == (Sighting(arxiv("2611.00001"), at, 1, date(2026, 11, 19)),)


SPLIT = f"""{HEAD}<responseDate>2017-12-14T12:56:31Z</responseDate><request>http://export.arxiv.org/oai2</request>
<ListRecords><record><header><identifier>oai:arXiv.org:1412.8323</identifier><datestamp>2017-12-14</datestamp></header>
<metadata><arXiv><id>1412.8323</id><created>2014-12-29</created><updated>2017-12-13</updated>
<authors><author><keyname>Invented Collaboration</keyname></author><author><keyname>:</keyname></author>
<author><keyname>Example</keyname><forenames>Ada</forenames><suffix>Jr.</suffix></author>
<author><keyname>Exemple</keyname><forenames>Chlo\\'e</forenames><affiliation>Town</affiliation></author></authors>
<title>Meadows</title><categories>math.ST</categories><doi>10.1000/meadow</doi><abstract>Grass.</abstract></arXiv>
</metadata></record></ListRecords></OAI-PMH>""".encode()


def test_the_format_with_split_names() -> None:
    (said,) = read_all(ArxivOai(), SPLIT)
    assert isinstance(said, Record)
    assert said.authors == ("Invented Collaboration", f"{ADA} Jr.", "Chlo\\'e Exemple")
    assert (said.submitted, said.updated) == (PartialDate(2014, 12, 29), PartialDate(2017, 12, 13))
    assert said.identifiers == (arxiv("1412.8323"), doi("10.1000/meadow"))


DUBLIN_CORE = f"""{HEAD}<request>http://export.arxiv.org/oai2</request><GetRecord><record>
<header><identifier>oai:arXiv.org:math/0611800</identifier><datestamp>2017-11-17</datestamp>
<setSpec>math</setSpec><setSpec>math:math:ST</setSpec><setSpec>physics:math-ph</setSpec></header><metadata>
<oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:title>Meadows</dc:title><dc:creator>Example, Ada</dc:creator><dc:creator>Exemple, Chlo\\'e</dc:creator>
<dc:subject>Mathematics - Statistics Theory</dc:subject><dc:subject>62A01</dc:subject>
<dc:description>Grass.</dc:description><dc:description>Comment: 7 pages</dc:description>
<dc:date>2006-11-28</dc:date><dc:date>2007-01-03</dc:date><dc:type>text</dc:type>
<dc:identifier>http://arxiv.org/abs/math/0611800</dc:identifier><dc:identifier>J. Grass 1 (2006) 2</dc:identifier>
<dc:identifier>doi:10.1000/meadow</dc:identifier></oai_dc:dc></metadata></record></GetRecord></OAI-PMH>""".encode()


def test_dublin_core() -> None:
    (said,) = read_all(ArxivOai(), DUBLIN_CORE)
    assert said == Record(
        source="arxiv-oai",
        source_key="math/0611800",
        title="Meadows",
        abstract="Grass.",
        authors=(ADA, CHLOE),
        identifiers=(arxiv("math/0611800"), doi("10.1000/meadow")),
        submitted=PartialDate(2006, 11, 28),
        updated=PartialDate(2007, 1, 3),
        categories=("math.ST", "math-ph"),
        comments="7 pages; Journal-ref: J. Grass 1 (2006) 2",
    )


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        pytest.param(record("0811.36489"), "it has no arXiv identifier", id="identifier"),
        pytest.param(record("2611.00009", title=" "), "it has no title", id="title"),
        pytest.param(record("2611.00009", title="A \x0b B"), "it is not well-formed XML", id="control character"),
        pytest.param(record("2611.00009", title="A & B"), "it is not well-formed XML", id="ampersand"),
        pytest.param(record("2611.00009").replace("Wed, 18", "Thu, 18"), "2026-11-18 is no Thu", id="day of the week"),
        pytest.param(record("2611.00009").replace("arXivRaw", "marc"), "none of the formats", id="format"),
        pytest.param(record("2611.00009").replace("metadata", "about"), "it has no metadata", id="no metadata"),
    ],
)
def test_one_bad_record_does_not_cost_the_others(broken: str, reason: str) -> None:
    pages, _ = harvest({BEGINNING: answer(record("2611.00001"), broken, record("2611.00002"))})
    assert keys(pages) == ["2611.00001", "2611.00002"]
    (rejected,) = (item for item in pages[0].items if isinstance(item, Rejected))
    assert reason in rejected.reason
    assert rejected.position.startswith("record 2")
    assert rejected.excerpt
    assert pages[0].cursor == "2026-11-20", "the cursor follows the server, whatever could be read"


def test_what_was_deleted_is_named() -> None:
    deleted = '<record><header status="deleted"><identifier>oai:arXiv.org:2611.00007</identifier></header></record>'
    pages, _ = harvest({BEGINNING: answer(deleted)})
    assert pages[0].deleted == (arxiv("2611.00007"),)
    assert pages[0].items == ()


def test_new_and_missing_fields_are_warned_of() -> None:
    strange = record("2611.00001", more="<mood>glad</mood>")
    without = [record(f"2611.0000{n}").replace("<abstract>Grass.</abstract>", "") for n in (2, 3)]
    pages, _ = harvest({BEGINNING: answer(strange, *without)})
    assert [warning.split(" sent ")[1] for warning in pages[0].warnings] == [
        "fields that Broadsheet does not know: mood. They were left out.",
        "most records without: abstract. Its format may have changed.",
    ]


# How lists are followed


def test_a_list_is_followed_to_its_end_and_then_moves_the_day() -> None:
    pages, asked = harvest(LIST)
    assert keys(pages) == ["2611.00001", "2611.00002", "2611.00003", "math/0611800"]
    assert asked == [BEGINNING, resumed("a"), resumed("b")]
    assert pages[-1].cursor == "2026-11-20"
    assert [page.cursor for page in pages[:-1]] == [" 2026-11-20 2026-11-20 2 a", " 2026-11-20 2026-11-20 3 b"]


def test_the_next_harvest_starts_on_the_day_on_which_the_list_began() -> None:
    late = {**LIST, resumed("b"): answer(record("math/0611800"), day="2026-11-21")}
    assert harvest(late)[0][-1].cursor == "2026-11-20"


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        pytest.param({"cursor": "2026-11-19"}, "&from=2026-11-19", id="after the last one"),
        pytest.param({"since": date(2026, 1, 1)}, "&from=2026-01-01", id="from a day on"),
        pytest.param({"cursor": "2026-11-19", "since": date(2026, 1, 1)}, "&from=2026-11-19", id="the cursor counts"),
        pytest.param({"set_name": "cs.AI"}, "&set=cs%3Acs%3AAI", id="category"),
        pytest.param({"set_name": "cs"}, "&set=cs", id="archive"),
        pytest.param({"set_name": "hep-th"}, "&set=physics%3Ahep-th", id="archive of physics"),
    ],
)
def test_what_is_asked_for(given: dict[str, object], asked: str) -> None:
    _, urls = harvest({BEGINNING + asked: NOTHING_NEW}, **given)  # type: ignore[arg-type]  # the table has all types
    assert urls == [BEGINNING + asked]
    assert "until" not in urls[0]


def test_nothing_new_is_an_empty_last_page() -> None:
    pages, _ = harvest({f"{BEGINNING}&from=2026-11-19": NOTHING_NEW}, cursor="2026-11-19")
    assert pages == [Page(cursor="2026-11-20", last=True)]


def test_a_killed_harvest_goes_on_with_the_token_of_the_same_day() -> None:
    pages, asked = harvest({resumed("a"): SECOND, resumed("b"): THIRD}, cursor="2026-11-01 2026-11-20 2026-11-20 2 a")
    assert asked == [resumed("a"), resumed("b")]
    assert [page.cursor for page in pages] == ["2026-11-01 2026-11-20 2026-11-20 3 b", "2026-11-20"]


def test_a_token_of_yesterday_is_not_used() -> None:
    begun = f"{BEGINNING}&from=2026-11-01"
    pages, asked = harvest({begun: NOTHING_NEW, resumed("a"): SECOND}, cursor="2026-11-01 2026-11-19 2026-11-19 2 a")
    assert asked == [resumed("a"), begun]
    assert keys(pages) == []


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(error("badResumptionToken", "expired"), id="token not taken"),
        pytest.param(error("noRecordsMatch"), id="nothing there"),
        pytest.param(answer(), id="empty page without end"),
    ],
)
def test_a_list_that_breaks_off_begins_again_from_its_day(broken: bytes) -> None:
    client = Recorded(LIST, spoil=(1, lambda _: broken))
    pages = list(ArxivOai().pages(client, set_name="", cursor="", since=None))
    assert client.asked == [BEGINNING, resumed("a"), BEGINNING, resumed("a"), resumed("b")]
    assert keys(pages) == ["2611.00001", "2611.00002", "2611.00001", "2611.00002", "2611.00003", "math/0611800"]
    assert pages[-1].cursor == "2026-11-20"


def test_a_list_that_always_breaks_off_is_given_up() -> None:
    found = _until_refused({BEGINNING: FIRST, resumed("a"): error("badResumptionToken")})
    assert found.count(BEGINNING) == 3


def test_a_list_that_goes_round_in_circles_is_given_up() -> None:
    found = _until_refused({BEGINNING: FIRST, resumed("a"): answer(record("2611.00003"), token="a")})
    assert found == [BEGINNING, resumed("a")]


def _until_refused(answers: dict[str, bytes]) -> list[str]:
    client = Recorded(answers)
    with pytest.raises(Unreadable, match="Nothing was stored"):
        list(ArxivOai().pages(client, set_name="", cursor="", since=None))
    return client.asked


def test_an_empty_page_in_the_middle_is_not_the_end() -> None:
    pages, _ = harvest({BEGINNING: answer(token="a"), resumed("a"): THIRD})
    assert keys(pages) == ["math/0611800"]
    assert "empty page in the middle" in pages[0].warnings[0]


@pytest.mark.parametrize(
    ("total", "cursor"),
    [
        pytest.param(2, "2026-11-20", id="all came"),
        pytest.param(1, "2026-11-20", id="more came"),
        pytest.param(3, "2026-11-01", id="one did not come"),
    ],
)
def test_the_day_moves_only_when_all_came_that_was_announced(total: int, cursor: str) -> None:
    records = (record("2611.00001"), record("2611.00002"))
    begun = f"{BEGINNING}&from=2026-11-01"
    pages, _ = harvest({begun: answer(*records, total=total)}, cursor="2026-11-01")
    assert pages[-1].cursor == cursor
    assert bool(pages[-1].warnings) is (cursor == "2026-11-01")


def test_a_server_that_does_not_say_the_day_moves_nothing() -> None:
    silent = answer(record("2611.00001")).replace(b"responseDate", b"x")
    pages, _ = harvest({f"{BEGINNING}&from=2026-11-01": silent}, cursor="2026-11-01")
    assert pages[0].cursor == "2026-11-01"
    assert "did not say what day it is" in pages[0].warnings[0]


def test_a_server_that_lives_in_the_future_is_not_followed_there() -> None:
    pages, _ = harvest({BEGINNING: answer(record("2611.00001"), day="2031-01-01")})
    assert pages[0].cursor == "2026-11-21", "the day after ours at most"
    assert "says that today is 2031-01-01" in pages[0].warnings[0]


@pytest.mark.parametrize("cursor", ["yesterday", "2026-11-20 x", "2026-11-20 a b c d", "2026-99-99"])
def test_a_cursor_of_somebody_else_is_refused(cursor: str) -> None:
    with pytest.raises(Refused, match="--since"):
        harvest({}, cursor=cursor)


def test_a_set_that_arxiv_does_not_have_is_refused() -> None:
    with pytest.raises(Unreadable, match=r'no category "cs\.XX"'):
        harvest({}, set_name="cs.XX")


@pytest.mark.parametrize("code", ["badArgument", "badVerb", "cannotDisseminateFormat", "noSetHierarchy", "undefined"])
def test_errors_are_sentences(code: str) -> None:
    with pytest.raises(Unreadable, match=rf"answered with an error, {code}: Why not\. Nothing was stored"):
        harvest({BEGINNING: error(code, "Why not.")})


# Real answers


def _recordings(protocol: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted((protocol / "oai_pmh").glob("*/*.xml")):
        yield path.name, path.read_bytes()


def test_real_answers_of_arxiv_are_read_whole(protocol: Path) -> None:
    source = ArxivOai()
    accepted = rejected = 0
    for name, data in _recordings(protocol):
        if not source.recognises(data[:65536], name) or b"<error" in data:
            continue
        statements = check_bytes(source, data)
        accepted += sum(isinstance(said, Record) for said in statements)
        rejected += sum(isinstance(said, Rejected) for said in statements)
    assert (accepted, rejected) == (1046, 1), "the identifier of one record was damaged by who recorded it"


def test_the_real_page_of_a_thousand_records(protocol: Path) -> None:
    (path,) = (protocol / "oai_pmh" / "arxivraw_listrecords").glob("*.xml")
    client = Recorded(
        {
            resumed("495001"): path.read_bytes(),
            resumed("496549%7C96001"): THIRD.replace(DAY.isoformat().encode(), b"2014-01-16"),
        }
    )
    found = ArxivOai().pages(client, set_name="", cursor="2005-01-01 2014-01-16 2014-01-16 95000 495001", since=None)
    page = next(found)
    assert len(page.items) == 1000
    assert len(page.sightings) == 999
    assert page.total == 907096
    assert page.cursor == "2005-01-01 2014-01-16 2014-01-16 96000 496549|96001"
    next(found)
    assert client.asked[-1] == resumed("496549%7C96001"), "a token is quoted in the address"


def test_foreign_answers_and_errors_are_read_or_refused(protocol: Path) -> None:
    for _, data in _recordings(protocol):
        check_bytes(ArxivOai(), data)


def test_a_record_cut_out_of_its_list_is_recognised() -> None:
    data = record("2611.00001").encode()
    assert xml.root_name(data) == "record"
    assert ArxivOai().recognises(data.lower(), "x")
    assert [said.source_key for said in read_all(ArxivOai(), data) if isinstance(said, Record)] == ["2611.00001"]


def test_a_harvest_is_told_in_the_same_words_from_any_place() -> None:
    """The law of the suite for this source, spelt out once: killed after each page, it comes to the same cursor."""
    whole = Harvest(ArxivOai(), LIST, otherwise=NOTHING_NEW)
    for page in whole.whole()[:-1]:
        assert whole.whole(page.cursor or "")[-1].cursor == "2026-11-20"
