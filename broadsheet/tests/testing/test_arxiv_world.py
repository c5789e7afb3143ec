"""The pretended arXiv shows at each instant what the real one would show then."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from lxml import etree, html

from broadsheet.sources.base import AnnouncementKind
from broadsheet.testing import arxiv_faults as faults
from broadsheet.testing.arxiv import Arxiv, Fault, Misbehaviour
from broadsheet.testing.arxiv_calendar import Schedule, cut_off_day
from broadsheet.testing.arxiv_history import History, invented
from broadsheet.testing.origin import Origin, Reply, Request

FIRST, LAST = date(2026, 2, 23), date(2026, 3, 20)
OAI = {"o": "http://www.openarchives.org/OAI/2.0/"}
ATOM = {"a": "http://www.w3.org/2005/Atom", "x": "http://arxiv.org/schemas/atom"}


@pytest.fixture(scope="module")
def history() -> History:
    return invented(FIRST, LAST, seed=7, per_day=12)


@pytest.fixture
def world(history: History) -> Arxiv:
    return Arxiv(history, utc("2026-03-12T12:00"), page_size=10)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def asked(address: str) -> Request:
    split = urlsplit(address)
    target = split.path + (f"?{split.query}" if split.query else "")
    return Request("GET", split.path, dict(parse_qsl(split.query)), {"host": split.netloc}, b"", 0.0, target)


def records(world: Arxiv, query: dict[str, str]) -> tuple[list[str], str]:
    """The identifiers of one page, and its token."""
    tree = etree.fromstring(world(asked(f"http://oaipmh.arxiv.org/oai?{urlencode(query)}")).body)
    identifiers = [element.text or "" for element in tree.iterfind(".//o:header/o:identifier", OAI)]
    return [name.removeprefix("oai:arXiv.org:") for name in identifiers], tree.findtext(".//o:resumptionToken", "", OAI)


def harvest(world: Arxiv, **query: str) -> list[str]:
    found, token = records(world, {"verb": "ListRecords", "metadataPrefix": "arXivRaw", **query})
    while token:
        more, token = records(world, {"verb": "ListRecords", "resumptionToken": token})
        found += more
    return found


def oai_error(world: Arxiv, **query: str) -> str:
    tree = etree.fromstring(world(asked(f"http://oaipmh.arxiv.org/oai?{urlencode(query)}")).body)
    return str(tree.xpath("string(//o:error/@code)", namespaces=OAI))


def feed(world: Arxiv, section: str) -> dict[str, str]:
    tree = etree.fromstring(world(asked(f"http://rss.arxiv.org/atom/{section}")).body)
    return {
        entry.findtext("a:id", "", ATOM).removeprefix("oai:arXiv.org:").partition("v")[0]: entry.findtext(
            "x:announce_type", "", ATOM
        )
        for entry in tree.iterfind("a:entry", ATOM)
    }


def page(world: Arxiv, path: str) -> tuple[list[str], list[str]]:
    """The headings and the identifiers of a listing page."""
    tree = html.fromstring(world(asked(f"http://arxiv.org{path}")).body.decode())
    headings = ["".join(map(str, heading.itertext())) for heading in tree.iter("h3")]
    return headings, [anchor.get("id", "") for anchor in tree.iterfind(".//dt/a[@title='Abstract']")]


@pytest.mark.parametrize(
    ("day", "has_list"),
    [
        pytest.param("2026-06-19", True, id="a no-mailing Friday itself"),
        pytest.param("2026-06-22", False, id="the Monday after it"),
        pytest.param("2026-07-03", True, id="3 July"),
        pytest.param("2026-07-06", False, id="the Monday after it (July)"),
        pytest.param("2026-09-07", True, id="a no-mailing Monday itself"),
        pytest.param("2026-09-08", False, id="the Tuesday after it"),
        pytest.param("2026-12-25", True, id="25 December"),
        pytest.param("2026-12-28", False, id="the Monday after it (December)"),
        pytest.param("2026-03-14", False, id="Saturday"),
        pytest.param("2026-03-15", False, id="Sunday"),
    ],
)
def test_the_list_after_a_day_without_mailing_is_the_one_that_is_missing(day: str, has_list: bool) -> None:
    assert Schedule().has_list(date.fromisoformat(day)) is has_list


@pytest.mark.parametrize(
    ("day", "at"),
    [
        pytest.param("2026-03-06", "2026-03-06T01:00", id="winter"),
        pytest.param("2026-03-09", "2026-03-09T00:00", id="the evening of the day on which the clocks go forward"),
        pytest.param("2026-10-30", "2026-10-30T00:00", id="summer"),
        pytest.param("2026-11-02", "2026-11-02T01:00", id="the evening of the day on which the clocks go back"),
    ],
)
def test_lists_come_out_at_eight_in_the_evening_in_the_east(day: str, at: str) -> None:
    assert Schedule().announced_at(date.fromisoformat(day)) == utc(at)


def test_the_batch_of_a_skipped_evening_is_in_the_next_list() -> None:
    assert Schedule().window(date(2026, 6, 23)) == (utc("2026-06-18T18:00"), utc("2026-06-22T18:00"))


@pytest.mark.parametrize(
    ("at", "newest"),
    [
        pytest.param("2026-03-13T00:30", "2026-03-13", id="Thursday evening: Friday's"),
        pytest.param("2026-03-15T12:00", "2026-03-13", id="on Sunday noon still Friday's"),
        pytest.param("2026-03-16T00:00", "2026-03-16", id="Sunday evening: Monday's"),
    ],
)
def test_the_newest_list_is_the_last_that_came_out(at: str, newest: str) -> None:
    assert Schedule().newest(utc(at)) == date.fromisoformat(newest)


def test_a_list_can_be_left_out_and_another_be_late() -> None:
    day = date(2026, 3, 11)
    schedule = Schedule(frozenset({date(2026, 3, 10)}), {day: timedelta(hours=9)})
    assert list(schedule.days(date(2026, 3, 9), day)) == [date(2026, 3, 9), day]
    assert schedule.newest(utc("2026-03-11T08:00")) == date(2026, 3, 9)
    assert schedule.newest(utc("2026-03-11T09:00")) == day


def test_the_same_seed_makes_the_same_history(history: History) -> None:
    again = invented(FIRST, LAST, seed=7, per_day=12)
    assert again.changes == history.changes
    assert invented(FIRST, LAST, seed=8, per_day=12).changes != history.changes


def test_identifiers_rise_with_the_lists_and_carry_the_month_of_the_cut_off(history: History) -> None:
    works = list(history.works.values())
    assert [work.identifier for work in works] == sorted(work.identifier for work in works)
    assert all(work.identifier.startswith(f"{cut_off_day(work.announced):%y%m}.") for work in works)


def test_works_are_announced_after_they_were_submitted_some_of_them_days_after(history: History) -> None:
    waited = [history.schedule.announced_at(work.announced) - work.submitted_at[0] for work in history.works.values()]
    assert min(waited) >= timedelta(hours=6)
    assert 0 < sum(wait > timedelta(days=4) for wait in waited) < len(waited) / 10


def test_a_harvest_from_a_day_gives_each_changed_work_once_with_its_newest_state(world: Arxiv) -> None:
    found = harvest(world, **{"from": "2026-03-10"})
    assert len(found) == len(set(found)) > world.page_size
    states = {name: work.state(world.now) for name, work in world.history.works.items()}
    assert set(found) == {name for name, state in states.items() if state and state.at >= utc("2026-03-10T00:00")}


def test_a_set_has_what_is_cross_listed_in_it(world: Arxiv) -> None:
    found = harvest(world, set="stat:stat:ML")
    primary = {world.history.works[name].draft.categories[0] for name in found}
    assert primary >= {"cs.LG", "stat.ML"}


def test_a_token_is_good_until_midnight_utc(world: Arxiv) -> None:
    _, token = records(world, {"verb": "ListRecords", "metadataPrefix": "arXivRaw"})
    world.now = utc("2026-03-12T23:59")
    assert records(world, {"verb": "ListRecords", "resumptionToken": token})[0]
    world.now = utc("2026-03-13T00:00")
    assert oai_error(world, verb="ListRecords", resumptionToken=token) == "badResumptionToken"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        pytest.param({"verb": "ListRecords", "metadataPrefix": "arXivRaw", "from": "2026-03-19"}, "noRecordsMatch"),
        pytest.param({"verb": "ListRecords", "metadataPrefix": "marc"}, "cannotDisseminateFormat"),
        pytest.param({"verb": "ListRecords", "metadataPrefix": "arXiv", "from": "yesterday"}, "badArgument"),
        pytest.param({"verb": "ListRecords", "resumptionToken": "x", "set": "cs"}, "badResumptionToken"),
        pytest.param({"verb": "Dance"}, "badVerb"),
        pytest.param({"verb": "GetRecord", "identifier": "oai:arXiv.org:9901.00001"}, "idDoesNotExist"),
    ],
)
def test_errors_have_the_codes_of_the_protocol(world: Arxiv, query: dict[str, str], code: str) -> None:
    assert oai_error(world, **query) == code


def test_a_deleted_work_is_a_header_only() -> None:
    history = invented(FIRST, date(2026, 2, 25), seed=1)
    name = next(iter(history.works))
    history.delete(name, utc("2026-02-26T10:00"))
    world = Arxiv(history, utc("2026-02-26T12:00"))
    query = "verb=ListRecords&metadataPrefix=arXivRaw&from=2026-02-26"
    tree = etree.fromstring(world(asked(f"http://oaipmh.arxiv.org/oai?{query}")).body)
    assert tree.xpath(f"//o:record[o:header[@status='deleted']/o:identifier='oai:arXiv.org:{name}']", namespaces=OAI)
    assert not tree.xpath(f"//o:record[.//o:identifier='oai:arXiv.org:{name}']/o:metadata", namespaces=OAI)


def test_what_is_announced_in_the_evening_can_be_harvested_later_than_read(world: Arxiv) -> None:
    world.now = utc("2026-03-13T01:00")
    listed = set(page(world, "/list/cs/new")[1])
    assert page(world, "/list/cs/new")[0][0] == "Showing new listings for Friday, 13 March 2026"
    assert not listed & set(harvest(world, set="cs", **{"from": "2026-03-13"}))
    world.now = utc("2026-03-13T02:30")
    assert listed <= set(harvest(world, set="cs", **{"from": "2026-03-13"}))


def test_a_feed_has_the_batch_of_its_day_and_nothing_on_days_without_a_list(world: Arxiv) -> None:
    world.now = utc("2026-03-13T03:59")
    yesterday = feed(world, "cs")
    world.now = utc("2026-03-13T04:00")
    today = feed(world, "cs")
    assert set(today) == set(world.history.announced(date(2026, 3, 13), "cs")) != set(yesterday)
    world.now = utc("2026-03-14T12:00")
    assert feed(world, "cs") == {}


def test_a_feed_and_a_page_agree_on_all_but_cross_lists_inside_of_an_archive(world: Arxiv) -> None:
    inside = 0
    for day in world.history.schedule.days(FIRST, LAST):
        told = world.history.announced(day, "cs")
        listed = {line.work.identifier: line.kind for line in world.history.listed(day, "cs", page=True)}
        for name in told.keys() - listed.keys():
            assert told[name] is AnnouncementKind.CROSS
            assert world.history.works[name].draft.categories[0].startswith("cs.")
            inside += 1
        assert listed.items() <= told.items()
    assert inside


def test_the_page_of_new_listings_says_how_many_there_are(world: Arxiv) -> None:
    headings, names = page(world, "/list/cs.AI/new")
    kinds = list(world.history.announced(date(2026, 3, 12), "cs.AI").values())
    new = kinds.count(AnnouncementKind.NEW)
    assert headings[0] == "Showing new listings for Thursday, 12 March 2026"
    assert headings[1] == f"New submissions (showing {new} of {new} entries)"
    assert len(names) == len(kinds)
    first = page(world, "/list/cs.AI/new?show=1")
    assert first[0][1] == f"New submissions (showing first 1 of {new} entries)"
    assert first[1] == names[:1]
    assert page(world, "/list/cs.AI/new?skip=1")[1] == names[1:]


def test_the_page_of_the_past_week_has_five_lists_with_their_days(world: Arxiv) -> None:
    headings, names = page(world, "/list/cs/pastweek?show=2000")
    days = [heading.split(" (")[0] for heading in headings]
    assert days == ["Thu, 12 Mar 2026", "Wed, 11 Mar 2026", "Tue, 10 Mar 2026", "Mon, 9 Mar 2026", "Fri, 6 Mar 2026"]
    parts: list[str] = []
    for skip in range(0, len(names), 7):
        parts += page(world, f"/list/cs/pastweek?skip={skip}&show=7")[1]
    assert parts == names


def test_the_news_of_a_section_is_what_it_lists_first(history: History) -> None:
    news = history.news(["cs.AI", "stat.ML"], first=date(2026, 3, 2), last=LAST)
    for name, day in news.items():
        work = history.works[name]
        assert work.announced <= day
        if work.announced == day:
            assert {"cs.AI", "stat.ML"} & set(work.draft.categories)
    assert any(history.works[name].announced < day for name, day in news.items())


def test_look_ups_give_the_works_that_there_are(world: Arxiv) -> None:
    names = list(world.history.works)[:3]
    address = f"http://export.arxiv.org/api/query?id_list={','.join([*names, '2602.99999'])}&max_results=50"
    tree = etree.fromstring(world(asked(address)).body)
    found = [
        entry.findtext("a:id", "", ATOM).rpartition("/")[2].partition("v")[0]
        for entry in tree.iterfind("a:entry", ATOM)
    ]
    assert found == names


def test_an_unchanged_answer_is_not_sent_again_over_real_http(world: Arxiv) -> None:
    with Origin(world) as origin:
        with urllib.request.urlopen(f"{origin.url}/atom/cs") as answer:
            tag = answer.headers["ETag"]
            assert b"announce_type" in answer.read()
        again = urllib.request.Request(f"{origin.url}/atom/cs", headers={"If-None-Match": tag})
        with pytest.raises(urllib.error.HTTPError, match="304"):
            urllib.request.urlopen(again)


FEED = "http://rss.arxiv.org/atom/cs"
PAGE = "http://arxiv.org/list/cs/new"
RECORDS = "http://oaipmh.arxiv.org/oai?verb=ListRecords&metadataPrefix=arXivRaw&from=2026-03-10"


def _breaks(reply: Reply) -> bool:
    try:
        etree.fromstring(reply.body)
    except etree.XMLSyntaxError:
        return True
    return False


def _is_empty(reply: Reply) -> bool:
    return b"<record>" not in reply.body and b"expirationDate" in reply.body


def _waits(value: str) -> Callable[[Reply], bool]:
    return lambda reply: reply.headers.get("Retry-After") == value


def _repeats(reply: Reply) -> bool:
    names = re.findall(rb"<id>(oai:.*?)</id>", reply.body)
    return len(names) == 2 * len(set(names))


def _overstates(reply: Reply) -> bool:
    shown, total = re.findall(rb"New submissions \(showing (\d+) of (\d+) entries", reply.body)[0]
    return int(total) == int(shown) + 3


@pytest.mark.parametrize(
    ("address", "change", "shows"),
    [
        pytest.param(FEED, faults.stale_feed, lambda r: b"2026-03-11T00:00:00" in r.body, id="the feed of yesterday"),
        pytest.param(PAGE, faults.stale_page, lambda r: b"11 March 2026" in r.body, id="the page of yesterday"),
        pytest.param(FEED, faults.empty_feed, lambda r: b"<entry>" not in r.body, id="an empty feed"),
        pytest.param(PAGE, faults.missing, lambda r: r.status == 404, id="no page"),
        pytest.param(RECORDS, faults.empty_page, _is_empty, id="an empty page"),
        pytest.param(RECORDS, faults.skipped_page, lambda r: b"expirationDate" not in r.body, id="an early end"),
        pytest.param(RECORDS, faults.truncated, _breaks, id="half an answer"),
        pytest.param(RECORDS, faults.cut, lambda r: r.cut is not None, id="a broken connection"),
        pytest.param(RECORDS, faults.wrong_encoding, _breaks, id="another encoding"),
        pytest.param(RECORDS, faults.disordered, lambda r: r.body.count(b"<record>") == 20, id="records twice"),
        pytest.param(FEED, faults.disordered, lambda r: not _breaks(r) and _repeats(r), id="entries twice"),
        pytest.param(RECORDS, faults.expired, lambda r: b"badResumptionToken" in r.body, id="an expired token"),
        pytest.param(FEED, faults.refusing(429, after="60"), _waits("60"), id="429, wait"),
        pytest.param(FEED, faults.refusing(429), lambda r: (r.status, r.headers) == (429, {}), id="429"),
        pytest.param(
            FEED, faults.refusing(503, after="60", dated=True),
            _waits("Thu, 12 Mar 2026 12:01:00 GMT"), id="503 until",
        ),
        pytest.param(FEED, faults.dripping(1), lambda r: r.drip == 1, id="slow"),
        pytest.param(FEED, faults.redirecting("http://10.0.0.1/"), lambda r: "Location" in r.headers, id="away"),
        pytest.param(FEED, faults.bombing(2**20), lambda r: r.headers.get("Content-Encoding") == "gzip", id="bomb"),
        pytest.param(FEED, faults.hung_up, lambda r: r.status == 0, id="silence"),
        pytest.param(RECORDS, faults.renamed, lambda r: b"<novelty>" in r.body and not _breaks(r), id="other elements"),
        pytest.param(RECORDS, faults.retitled, lambda r: b"<paper-title>" in r.body and not _breaks(r), id="no titles"),
        pytest.param(FEED, faults.untyped, lambda r: b"announce_type" not in r.body, id="no types"),
        pytest.param(PAGE, faults.undated, lambda r: b"Showing new listings" not in r.body, id="no date"),
        pytest.param(PAGE, faults.overstated, _overstates, id="more than there are"),
    ],
)  # fmt: skip
def test_a_fault_does_what_it_says_in_its_time_and_place(
    world: Arxiv, address: str, change: Misbehaviour, shows: Callable[[Reply], bool]
) -> None:
    host = urlsplit(address).netloc
    fault = Fault("fault", f"^{re.escape(host)}/", utc("2026-03-12T10:00"), utc("2026-03-12T14:00"), change)
    good = world(asked(address))
    assert not shows(good)
    world.faults.append(fault)
    assert shows(world(asked(address)))
    assert [name for _, name, _ in world.served] == ["fault"]
    world.now = utc("2026-03-12T14:00")
    assert not shows(world(asked(address)))


def test_a_fault_can_be_over_after_so_many_times(world: Arxiv) -> None:
    world.faults.append(Fault("once", "rss", utc("2026-03-01T00:00"), utc("2026-04-01T00:00"), faults.hung_up, left=1))
    assert [world(asked(FEED)).status for _ in range(3)] == [0, 200, 200]
