"""Feeds of every list: valid by the rules of their formats, stable, fresh, and unbroken by any text of a source."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote

import orjson
import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from lxml import etree

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.record import Record, Version
from broadsheet.editions.actions import publish_pending
from broadsheet.ingest.rules import Line, State
from broadsheet.papers.actions import merge_papers, store_many
from broadsheet.papers.queries import Paper
from broadsheet.search.index import Hit, IndexUnavailable
from broadsheet.search.query import Sort
from broadsheet.testing.cast import ADA, CHLOE, HARBOUR, LANTERN, MEADOW, arxiv, doi, said
from broadsheet.web.syndication import freshness, lists, views
from broadsheet.web.syndication.bodies import MATHML, XHTML, Body
from broadsheet.web.syndication.feeds import ENTRIES, EXTENSION
from broadsheet.web.syndication.tags import tag

ATOM = "http://www.w3.org/2005/Atom"
NAMES = {"a": ATOM, "b": EXTENSION, "x": XHTML, "m": MATHML}

LISTS = [
    "/index",
    "/date/2024-01-02",
    "/week/2024-W01",
    "/month/2024-01",
    "/editions",
    "/section/cs.LG",
    "/author/ada-example",
    "/search?q=steps",
    "/papers/2401.00001/related",
]
FORMS = ["atom", "rss", "json"]
TYPES = {"atom": "application/atom+xml", "rss": "application/rss+xml", "json": "application/feed+json"}


def in_form(path: str, form: str) -> str:
    stem, mark, asked = path.partition("?")
    return f"{stem}.{form}{mark}{asked}"


def atom(answer: HttpResponse) -> etree._Element:
    assert answer.status_code == 200, answer.content[:200]
    return etree.fromstring(answer.content)


def texts(root: etree._Element, path: str) -> list[str]:
    return [str(each) for each in root.xpath(path, namespaces=NAMES)]


def works(count: int, start: int = 0) -> list[Record]:
    return [
        said(
            f"Work {n} on lamps",
            key=str(n),
            identifiers=(arxiv(f"2401.1{n:04}"),),
            announced=LANTERN.announced,
            authors=(ADA, f"Bela{n} Beispiel"),
            categories=("cs.LG",),
            abstract=f"We measure $x_{{{n}}}$.",
        )
        for n in range(start, start + count)
    ]


# --- What the formats ask --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("form", FORMS)
def test_every_list_has_a_feed_in_every_format(press, get, path: str, form: str) -> None:
    press([LANTERN, HARBOUR])
    answer = get(in_form(path, form))
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == f"{TYPES[form]}; charset=utf-8"


_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_TAG = re.compile(r"tag:[a-z0-9.-]+,\d{4}:[A-Za-z0-9/:@!$&'()*+,;=~._%?-]+")


@pytest.mark.parametrize("path", LISTS)
def test_atom_is_valid_by_rfc_4287(press, get, path: str) -> None:
    """Sections 4.1.1, 4.1.2, 4.1.3.3, 4.2 and 3.3: what a feed and an entry must have, how often, and in which form."""
    press([LANTERN, HARBOUR, replace(MEADOW, announced=date(2024, 1, 2))])
    feed = atom(get(in_form(path, "atom")))
    assert feed.tag == f"{{{ATOM}}}feed"
    for element in (feed, *feed.findall("a:entry", NAMES)):
        for name in ("id", "title", "updated"):
            assert len(element.findall(f"a:{name}", NAMES)) == 1, name
        assert _TAG.fullmatch(element.findtext("a:id", namespaces=NAMES))
        assert all(_DATE.fullmatch(each) for each in texts(element, "./a:updated/text()|./a:published/text()"))
        assert len(element.findall("a:published", NAMES)) <= 1
        assert all(each.strip() for each in texts(element, "./a:author/a:name/text()"))
        assert len(texts(element, "./a:link[@rel='alternate' and @type='text/html']/@href")) == 1
        for href in texts(element, ".//a:link/@href|./a:author/a:uri/text()"):
            assert re.fullmatch(r"https?://[!-~]+", href)
    assert feed.findall("a:author", NAMES)
    assert texts(feed, "./a:link[@rel='self']/@href") == [f"http://localhost{in_form(path, 'atom')}"]
    ids = texts(feed, "./a:id/text()|./a:entry/a:id/text()")
    assert len(ids) == len(set(ids))
    for content in feed.findall("a:entry/a:content", NAMES):
        assert content.get("type") == "xhtml"
        assert [child.tag for child in content] == [f"{{{XHTML}}}div"]
        assert {etree.QName(each).namespace for each in content[0].iter()} <= {XHTML, MATHML}


@pytest.mark.parametrize("path", LISTS)
def test_rss_is_valid_by_its_specification(press, get, path: str) -> None:
    press([LANTERN, HARBOUR])
    channel = etree.fromstring(get(in_form(path, "rss")).content).find("channel")
    for name in ("title", "link", "description"):
        assert len(channel.findall(name)) == 1
        assert channel.findtext(name)
    parsedate_to_datetime(channel.findtext("lastBuildDate"))
    assert channel.findtext("ttl").isdigit()
    assert channel.find(f"{{{ATOM}}}link[@rel='self']").get("href") == f"http://localhost{in_form(path, 'rss')}"
    guids = [item.findtext("guid") for item in channel.findall("item")]
    assert len(guids) == len(set(guids))
    for item in channel.findall("item"):
        assert item.find("guid").get("isPermaLink") == "false"
        assert item.findtext("title")
        assert item.findtext("pubDate") is None or parsedate_to_datetime(item.findtext("pubDate"))
        assert len(item.findall("description")) == 1


@pytest.mark.parametrize("path", LISTS)
def test_json_feed_is_valid_by_version_1_1(press, get, path: str) -> None:
    """https://www.jsonfeed.org/version/1.1/: what is required, the types of what is there, and no field unknown."""
    press([LANTERN, HARBOUR])
    feed = orjson.loads(get(in_form(path, "json")).content)
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["feed_url"] == f"http://localhost{in_form(path, 'json')}"
    known = {"version", "title", "home_page_url", "feed_url", "description", "next_url", "language", "authors", "items"}
    assert {name for name in feed if name[0] != "_"} <= known
    fields = {"id", "url", "external_url", "title", "content_html", "summary", "date_published", "date_modified"}
    for item in feed["items"]:
        assert isinstance(item["id"], str)
        assert item["content_html"]
        assert {name for name in item if name[0] != "_"} <= fields | {"authors", "tags"}
        assert all(isinstance(item[name], str) for name in fields & item.keys())
        assert all(_DATE.fullmatch(item[name]) for name in ("date_published", "date_modified") if name in item)
        assert all(set(author) <= {"name", "url"} and author["name"] for author in item.get("authors", []))
        assert all(isinstance(each, str) for each in item.get("tags", []))


@pytest.mark.parametrize("form", FORMS)
def test_the_three_formats_hold_the_same_entries(press, get, form: str) -> None:
    press([LANTERN, HARBOUR])
    ids = texts(atom(get("/date/2024-01-02.atom")), "./a:entry/a:id/text()")
    answer = get(f"/date/2024-01-02.{form}").text
    assert [answer.index(each) for each in ids] == sorted(answer.index(each) for each in ids)


def test_mathematics_is_mathml_in_the_body_and_unicode_in_the_title(press, get) -> None:
    press([LANTERN])
    feed = atom(get("/section/cs.LG.atom"))
    assert texts(feed, "./a:entry/a:title/text()") == ["Lantern: Step Sizes from ℓ₂ Gradient Norms"]
    assert len(feed.findall(".//m:math", NAMES)) == 2
    assert feed.find(".//m:msqrt", NAMES) is not None
    assert "&lt;math" in get("/section/cs.LG.rss").text
    assert "<math" in orjson.loads(get("/section/cs.LG.json").content)["items"][0]["content_html"]


def test_one_work_is_one_entry_however_many_lists_and_entries_it_had(press, get) -> None:
    press([LANTERN, HARBOUR])
    merge_papers(winner_key="2401.00001", loser_key="2401.00002", reason="said by Ada")
    for path in ("/date/2024-01-02", "/section/cs.LG", "/index"):
        ids = texts(atom(get(f"{path}.atom")), "./a:entry/a:id[contains(., ':paper/')]/text()")
        assert [each.rpartition(":")[2] for each in ids] == ["paper/2401.00001"], path


# --- Names that stay -------------------------------------------------------------------------------------------------


def test_ids_do_not_change_with_the_host_that_is_asked(press, client: Client, settings) -> None:
    settings.ALLOWED_HOSTS = ["localhost", "papers.example.org", "other.example.org"]
    press([LANTERN])
    ids = [
        texts(atom(client.get("/index.atom", headers={"host": host})), "//a:id/text()")
        for host in ("localhost", "papers.example.org", "other.example.org")
    ]
    assert ids[0] == ids[1] == ids[2]
    assert ids[0][-1] == "tag:papers.example.org,2026:paper/2401.00001"


@pytest.mark.parametrize(
    ("hosts", "authority"),
    [
        pytest.param(["localhost", "127.0.0.1", "[::1]"], "localhost", id="nobody was named"),
        pytest.param(["localhost", "*", ".example.org", "Papers.Example.org"], "papers.example.org", id="a pattern"),
        pytest.param(["[2001:db8::1]", "a.example"], "a.example", id="an address of the network"),
    ],
)
def test_the_authority_of_a_tag_is_the_first_name_of_the_instance(settings, hosts: list[str], authority: str) -> None:
    settings.ALLOWED_HOSTS = hosts
    assert tag("paper/math/0611800") == f"tag:{authority},2026:paper/math/0611800"


@pytest.mark.parametrize("name", ['a b"<>', "søk", "\ud800", "%", "#", "\0", "?"])
def test_any_name_makes_a_tag_that_rfc_4151_allows(settings, name: str) -> None:
    settings.ALLOWED_HOSTS = ["papers.example.org"]
    assert _TAG.fullmatch(tag(f"list/search/{name}"))


# --- When something is new -------------------------------------------------------------------------------------------


def moments(feed: etree._Element, key: str) -> tuple[str, str]:
    (entry,) = [
        each for each in feed.findall("a:entry", NAMES) if each.findtext("a:id", namespaces=NAMES).endswith(key)
    ]
    return entry.findtext("a:published", namespaces=NAMES), entry.findtext("a:updated", namespaces=NAMES)


def test_a_paper_is_published_at_the_midnight_that_begins_its_day_in_arxivs_time(press, get) -> None:
    press([LANTERN, replace(HARBOUR, announced=date(2024, 7, 2))])
    feed = atom(get("/section/cs.LG.atom"))
    assert moments(feed, "2401.00001") == ("2024-01-02T05:00:00Z", "2024-01-02T05:00:00Z")
    assert moments(feed, "2401.00002") == ("2024-07-02T04:00:00Z", "2024-07-02T04:00:00Z")


@pytest.mark.parametrize(
    ("change", "updated"),
    [
        pytest.param({"venue": "Test Conference"}, "2024-01-02T05:00:00Z", id="a venue is learned: no"),
        pytest.param({"title": "Lantern"}, "2024-01-02T05:00:00Z", id="a word is corrected: no"),
        pytest.param({"updated": PartialDate(2024, 3, 4)}, "2024-03-04T05:00:00Z", id="a newer version: yes"),
        pytest.param({"updated": PartialDate(2023, 12, 30)}, "2024-01-02T05:00:00Z", id="a version before it was out"),
    ],
)
def test_a_paper_is_updated_only_by_a_new_version(press, get, change: dict[str, object], updated: str) -> None:
    press([LANTERN])
    press([replace(LANTERN, **change)])
    assert moments(atom(get("/section/cs.LG.atom")), "2401.00001")[1] == updated


def test_a_paper_without_a_date_has_none_to_publish(press, get) -> None:
    press([said("Undated", identifiers=(arxiv("2401.00009"),), categories=("cs.LG",))])
    assert moments(atom(get("/section/cs.LG.atom")), "2401.00009") == (None, "2026-01-01T00:00:00Z")
    assert "date_published" not in orjson.loads(get("/section/cs.LG.json").content)["items"][0]


@pytest.mark.parametrize("year", [1, 2, 1800, 9999])
def test_a_day_of_any_year_is_a_moment(press, get, year: int) -> None:
    day = PartialDate(year, 1, 1)
    press(
        [said("Old", identifiers=(arxiv("2401.00009"),), categories=("cs.LG",), submitted=day, versions=(Version(1),))]
    )
    for form in FORMS:
        assert get(f"/section/cs.LG.{form}").status_code == 200
    assert _DATE.fullmatch(moments(atom(get("/section/cs.LG.atom")), "2401.00009")[1])


# --- Editions --------------------------------------------------------------------------------------------------------

SHORT = Line("arxiv", "cs", 9, "OAI", 8, ("2401.00007",))


def test_the_first_entry_of_an_edition_tells_how_complete_it_is(press, get, check) -> None:
    press([LANTERN])
    check(date(2024, 1, 2), State.INCOMPLETE, SHORT)
    feed = atom(get("/date/2024-01-02.atom"))
    first = feed.find("a:entry", NAMES)
    line = "Incomplete: 1 of 9 in cs is missing"
    assert first.findtext("a:id", namespaces=NAMES).endswith(":edition/day/2024-01-02")
    assert first.findtext("a:title", namespaces=NAMES) == "2 January 2024: 1\u00a0paper"
    assert first.findtext("a:summary", namespaces=NAMES).startswith(line)
    assert feed.findtext("a:subtitle", namespaces=NAMES).startswith(line)
    for element in (feed, first):
        known = element.find("b:edition", NAMES)
        assert (known.get("state"), known.get("size"), known.get("open")) == ("incomplete", "1", "false")
        assert known.get("checked") == "2024-01-02T17:00:00Z"
        assert known.text.startswith(line)
    place = feed.find("a:entry/b:place", NAMES)
    assert (place.get("rank"), place.get("late")) == ("1", "false")


def test_rss_and_json_feed_tell_the_same_of_an_edition(press, get, check) -> None:
    press([LANTERN])
    check(date(2024, 1, 2), State.INCOMPLETE, SHORT)
    channel = etree.fromstring(get("/date/2024-01-02.rss").content).find("channel")
    assert channel.find("b:edition", NAMES).get("state") == "incomplete"
    assert channel.find("item/b:edition", NAMES).get("label") == "2024-01-02"
    feed = orjson.loads(get("/date/2024-01-02.json").content)
    assert feed["_broadsheet"]["edition"] == feed["items"][0]["_broadsheet"]["edition"]
    assert feed["_broadsheet"]["edition"]["state"] == "incomplete"
    assert feed["items"][1]["_broadsheet"] == {"place": {"rank": 1, "late": False}}


LATER = datetime(2024, 1, 4, 17, tzinfo=UTC)


def late(press) -> None:
    """An edition of 2 January that got a paper on the 4th, and one of the 3rd."""
    third = replace(MEADOW, announced=date(2024, 1, 3), categories=("cs.LG",))
    press([LANTERN, third, *(replace(each, announced=date(2024, 1, 3)) for each in works(6))])
    store_many([HARBOUR])
    while publish_pending(now=LATER).more:
        pass


def test_a_late_paper_updates_the_entry_of_its_edition_and_is_marked(press, get) -> None:
    late(press)
    feed = atom(get("/date/2024-01-02.atom"))
    assert moments(feed, "edition/day/2024-01-02") == ("2024-01-02T17:00:00Z", "2024-01-04T17:00:00Z")
    assert feed.findtext("a:updated", namespaces=NAMES) == "2024-01-04T17:00:00Z"
    assert "1 paper added" in "".join(feed.find("a:entry/a:content", NAMES).itertext())
    assert [each.get("late") for each in feed.findall("a:entry/b:place", NAMES)] == ["false", "true"]
    assert "Came after the edition was closed." in "".join(feed.findall("a:entry", NAMES)[2].itertext())


def test_the_front_page_tells_of_closed_editions_that_changed_and_of_no_others(press, get) -> None:
    late(press)
    ids = texts(atom(get("/index.atom")), "./a:entry/a:id[contains(., ':edition/')]/text()")
    assert [each.rpartition("/")[2] for each in ids] == ["2024-01-03", "2024-01-02"]


def test_the_feed_of_all_editions_has_one_entry_for_each_day(press, get) -> None:
    late(press)
    feed = atom(get("/editions.atom"))
    assert [each.rpartition(":")[2] for each in texts(feed, "./a:entry/a:id/text()")] == [
        "edition/day/2024-01-03",
        "edition/day/2024-01-02",
    ]
    assert feed.find("b:edition", NAMES) is None


# --- Long lists ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/date/2024-01-02", "/index", "/section/cs.LG", "/author/ada-example", "/search?q=lamps"]
)
@pytest.mark.parametrize("form", FORMS)
def test_a_long_list_is_read_part_by_part_and_no_paper_is_missed(press, get, path: str, form: str) -> None:
    press(works(2 * ENTRIES + 5))
    found: list[str] = []
    address = in_form(path, form)
    for _ in range(3):
        text = get(address).text
        ids = re.findall(r"tag:[\w.]+,2026:paper/[\w.]+", text)
        assert len(ids) <= ENTRIES
        found += ids
        match = re.search(r'rel="next"[^>]*?href="([^"]+)"|"next_url":"([^"]+)"', text)
        address = (match[1] or match[2]).replace("&amp;", "&").removeprefix("http://localhost") if match else ""
    assert address == ""
    assert len(found) == len(set(found)) == 2 * ENTRIES + 5


def test_the_links_between_parts_are_those_of_rfc_5005(press, get) -> None:
    press(works(2 * ENTRIES + 5))
    middle = atom(get("/date/2024-01-02.atom?page=2"))
    links = {each.get("rel"): each.get("href").rpartition("/")[2] for each in middle.findall("a:link", NAMES)}
    assert links == {
        "self": "2024-01-02.atom?page=2",
        "alternate": "2024-01-02",
        "first": "2024-01-02.atom",
        "previous": "2024-01-02.atom",
        "next": "2024-01-02.atom?page=3",
        "last": "2024-01-02.atom?page=3",
    }
    assert middle.find("a:entry/b:edition", NAMES) is None
    assert middle.find("b:edition", NAMES) is not None


def following(answer: HttpResponse) -> str:
    """The address of the part behind this one; "" when it is the last."""
    text = f"{answer.headers.get('Link', '')} {answer.text}".replace("&amp;", "&")
    match = re.search(r'<([^>]+)>; rel="next"|rel="next"[^>]*?href="([^"]+)"|"next_url":"([^"]+)"', text)
    return (match[1] or match[2] or match[3]).removeprefix("http://localhost") if match else ""


@pytest.mark.parametrize("form", [*FORMS, "bib"])
@pytest.mark.parametrize("asked", ["q=lamps", "q=lamps&sort=newest"])
@pytest.mark.parametrize("count", [7, 9, 12])
def test_a_search_goes_on_behind_the_last_part_that_has_a_number(
    press, get, monkeypatch, form: str, asked: str, count: int
) -> None:
    monkeypatch.setattr(lists, "MAX_DEPTH", 7)
    monkeypatch.setattr(views.feeds, "ENTRIES", 3)
    monkeypatch.setattr(views.citations, "MOST", 3)
    press(works(count))
    found, address, asked_for = [], f"/search.{form}?{asked}", []
    while address:
        answer = get(address)
        assert answer.status_code == 200
        found += re.findall(r"tag:[\w.]+,2026:paper/([\w.]+)|eprint = \{([\w.]+)", answer.text)
        asked_for.append(address)
        address = following(answer)
    assert len(found) == len(set(found)) == count
    assert ["after=" in each for each in asked_for] == [False, False, *[True] * (len(asked_for) - 2)]
    assert all(each.startswith(f"/search.{form}?{asked}") for each in asked_for)


def test_parts_without_numbers_know_the_first_and_no_last(press, get, monkeypatch) -> None:
    monkeypatch.setattr(lists, "MAX_DEPTH", ENTRIES)
    press(works(2 * ENTRIES + 5))
    first = get("/search.atom?q=lamps")
    second = atom(get(following(first)))
    links = {each.get("rel"): each.get("href") for each in second.findall("a:link", NAMES)}
    assert links.keys() == {"self", "alternate", "first", "next"}
    assert links["first"] == "http://localhost/search.atom?q=lamps"
    assert links["self"].endswith(following(first))
    assert not texts(atom(first), "./a:link[@rel='last']")


@pytest.mark.parametrize("form", [*FORMS, "bib"])
def test_a_section_whose_name_ends_like_a_form_has_its_page_and_its_forms(press, get, form: str) -> None:
    press([replace(LANTERN, categories=(f"sec.{form}",))])
    assert f"/section/sec.{form}" in get("/sections").text
    answer = get(f"/section/sec.{form}")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert get(f"/section/sec.{form}.atom").headers["Content-Type"].startswith("application/atom+xml")
    assert get(f"/section/sec.{form}.md").headers["Content-Type"].startswith("text/markdown")
    assert get(f"/section/other.{form}").status_code == 404


def test_a_section_has_its_forms_also_beside_one_whose_name_ends_like_a_form(press, get) -> None:
    press([replace(LANTERN, categories=("sec",)), replace(HARBOUR, categories=("sec.atom",))])
    assert get("/section/sec.atom").headers["Content-Type"].startswith("application/atom+xml")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        pytest.param("/date/2024-01-02.atom?page=9", 404, id="behind the end"),
        pytest.param("/date/2024-01-02.atom?page=x", 404, id="no number"),
        pytest.param("/section/cs.LG.atom?after=x", 404, id="no place in a list"),
        pytest.param("/search.atom?q=lamps&page=9999", 404, id="deeper than an answer is read"),
        pytest.param("/search.atom?q=lamps&after=x", 404, id="no place in an answer"),
        pytest.param("/search.atom", 400, id="no search"),
        pytest.param("/search.atom?q=lamps", 200, id="a search"),
        pytest.param("/search.atom?q=nobodysaysthis", 200, id="a search that finds nothing"),
        pytest.param("/search.bib?q=nobodysaysthis", 404, id="nothing to cite"),
        pytest.param("/date/2023-01-01.atom", 404, id="no such edition"),
        pytest.param("/date/0001-01-01.atom", 404, id="the first day of the calendar"),
        pytest.param("/date/9999-12-31.bib", 404, id="the last day of the calendar"),
        pytest.param("/section/nothing.atom", 404, id="no such section"),
        pytest.param("/author/nobody.atom", 404, id="no such author"),
        pytest.param("/papers/2401.99999/related.atom", 404, id="no such paper"),
        pytest.param("/editions/first.atom", 404, id="no first edition"),
    ],
)
def test_what_is_not_there_is_said(press, get, path: str, status: int) -> None:
    press(works(3))
    assert get(path).status_code == status


def test_without_an_edition_there_is_no_feed_of_it(db: None, get) -> None:
    assert get("/index.atom").status_code == 404
    assert get("/editions.atom").status_code == 200
    assert get("/feeds.opml").status_code == 200


def test_a_feed_of_a_search_has_the_newest_first_and_its_citations_the_best(press, get) -> None:
    old = said(
        "Steps", key="s", identifiers=(arxiv("2301.00001"),), announced=date(2023, 1, 3), abstract="Steps, steps."
    )
    press([LANTERN, old])
    ids = texts(atom(get("/search.atom?q=steps")), "./a:entry/a:id/text()")
    assert [each.rpartition("/")[2] for each in ids] == ["2401.00001", "2301.00001"]
    text = get("/search.bib?q=steps").text
    assert text.index("2301.00001") < text.index("2401.00001")


def test_a_search_for_an_identifier_is_a_feed_of_that_paper(press, get) -> None:
    press([LANTERN, HARBOUR])
    assert texts(atom(get("/search.atom?q=arxiv:2401.00002")), "./a:entry/a:id/text()") == [tag("paper/2401.00002")]
    assert texts(atom(get("/search.atom?q=arxiv:2401.00009")), "./a:entry/a:id/text()") == []


def test_the_feed_of_related_papers_has_them_and_leads_to_the_paper(press, get, monkeypatch) -> None:
    class Near:
        def related(self, pk: int, *, limit: int, sort: Sort) -> list[Hit]:
            assert sort is Sort.NEWEST
            return [Hit(other.pk, 0.0) for other in papers if other.pk != pk][:limit]

    press([LANTERN, HARBOUR])
    papers = list(Paper.objects.order_by("id"))
    monkeypatch.setattr(lists, "index", Near)
    feed = atom(get("/papers/2401.00001/related.atom"))
    assert texts(feed, "./a:entry/a:id/text()") == [tag("paper/2401.00002")]
    assert feed.findtext("a:title", namespaces=NAMES).startswith("Related to “Lantern: Step Sizes")
    assert texts(feed, "./a:link[@rel='alternate']/@href") == ["http://localhost/papers/2401.00001"]
    assert '<link rel="alternate" type="application/atom+xml" title="Related papers (Atom)"' not in get("/about").text


def test_where_search_is_not_possible_a_reader_is_asked_to_come_again(press, get, monkeypatch) -> None:
    press([LANTERN])

    def fail() -> None:
        raise IndexUnavailable("The index cannot be opened.")

    monkeypatch.setattr(lists, "index", fail)
    answer = get("/search.atom?q=steps")
    assert (answer.status_code, answer.text) == (503, "The index cannot be opened.\n")
    assert answer.headers["Retry-After"] == "60"


# --- Asking again ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("form", FORMS)
def test_who_has_a_feed_already_is_not_sent_it_again(press, client: Client, path: str, form: str) -> None:
    press([LANTERN])
    address = in_form(path, form)
    first = client.get(address, headers={"host": "localhost"})
    assert re.fullmatch(r"public, max-age=\d+", first.headers["Cache-Control"])
    for question in (
        {"if-none-match": first.headers["ETag"]},
        {"if-modified-since": first.headers["Last-Modified"]},
    ):
        again = client.get(address, headers={"host": "localhost", **question})
        assert (again.status_code, again.content) == (304, b"")
    head = client.head(address, headers={"host": "localhost"})
    assert (head.status_code, head.content, head.headers["ETag"]) == (200, b"", first.headers["ETag"])
    assert client.post(address, headers={"host": "localhost"}).status_code == 405


def test_a_feed_that_changed_is_sent_even_in_the_same_second(press, get) -> None:
    press([LANTERN])
    first = get("/section/cs.LG.atom")
    press([HARBOUR])
    question = {"if-modified-since": first.headers["Last-Modified"]}
    again = get("/section/cs.LG.atom", **question)
    assert again.status_code == 200
    assert "2401.00002" in again.text


def test_an_answer_is_as_old_as_the_first_time_that_it_was_given() -> None:
    first = freshness.since("one address", b"an answer")
    assert freshness.since("one address", b"an answer") == first
    assert freshness.since("one address", b"another") > first
    assert freshness.since("one address", b"an answer") > first + 1


def test_what_is_remembered_of_answers_is_bounded() -> None:
    for number in range(5000):
        freshness.since(str(number), b"")
    assert len(freshness._seen) <= 4096


@pytest.mark.parametrize("path", LISTS)
def test_the_number_of_queries_does_not_grow_with_the_rows(press, get, path: str) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert get(in_form(path, "atom")).status_code == 200
        return len(captured)

    press([replace(LANTERN, authors=(ADA, CHLOE)), *works(20)])
    get(in_form(path, "atom"))
    before = queries()
    press(works(20, start=20))
    assert queries() == before


# --- Hostile texts ---------------------------------------------------------------------------------------------------

HOSTILE = [
    pytest.param("]]>", id="the end of a section of characters"),
    pytest.param("</script><script>alert(1)</script>", id="a script"),
    pytest.param('"><img src=x onerror=alert(1)>', id="an attribute"),
    pytest.param("<!-- <![CDATA[ <?php ?> &nbsp; &#0; &xxe;", id="other marks"),
    pytest.param("\u05d0\u05d1\u202e\u202dabc\u2066 \u0627", id="right to left, and turned round"),
    pytest.param("a\x01\x0b\x0c\x1b\x7f\x85b", id="control characters"),
    pytest.param("a\ufffe\uffff\U0001fffeb\U0010ffff", id="no characters"),
    pytest.param("long " * 1000, id="5,000 characters"),
    pytest.param("x" * 5000, id="one word of 5,000"),
    pytest.param("$\\frac{1}{" * 400, id="mathematics without an end"),
    pytest.param("\U0001d54f \u0301\u0301 \U0001f9ea e\u0301", id="beyond the plane, and marks alone"),
    pytest.param("{{ 7 * 7 }} {% include 'x' %}", id="template"),
]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_of_a_source_breaks_a_feed(press, get, text: str) -> None:
    hostile = said(
        f"Title {text}",
        key="hostile",
        identifiers=(arxiv("2401.00009"), doi("10.1000/a(b)'c")),
        announced=date(2024, 1, 2),
        abstract=f"Abstract {text}",
        summary=text,
        authors=(f"Ada {text}", text),
        categories=("cs.LG", text[:40]),
        venue=text,
        license=text,
        code_url=f"https://example.org/{text[:300]}",
        organization=text,
    )
    press([hostile])
    for path in ("/index", "/section/cs.LG", "/date/2024-01-02", "/search?q=title"):
        feed = atom(get(in_form(path, "atom")))
        assert feed.xpath("count(//*[local-name()='script' or local-name()='img'])") == 0
        entry = feed.findall("a:entry", NAMES)[-1]
        assert entry.findtext("a:title", namespaces=NAMES).startswith("Title")
        assert len(entry.findtext("a:title", namespaces=NAMES)) <= 1000
        channel = etree.fromstring(get(in_form(path, "rss")).content).find("channel")
        body = channel.findall("item")[-1].findtext("{http://purl.org/rss/1.0/modules/content/}encoded")
        item = orjson.loads(get(in_form(path, "json")).content)["items"][-1]
        for html in (body, item["content_html"]):
            assert not re.search(r"<(?:script|img)", html)


@pytest.mark.parametrize(
    "query", ["\0", "\ud800".encode("utf-8", "surrogatepass"), b"\xff", "]]>", "<b>", "x" * 5000, "\u202e", "a\x01b"]
)
@pytest.mark.parametrize("form", [*FORMS, "bib"])
def test_no_search_breaks_its_feed(press, get, query: str | bytes, form: str) -> None:
    press([LANTERN])
    answer = get(f"/search.{form}?q=steps+{quote(query, safe='')}")
    assert answer.status_code in {200, 404}
    if answer.status_code == 200 and form in {"atom", "rss"}:
        etree.fromstring(answer.content)


def test_what_is_no_well_formed_markup_would_be_text() -> None:
    """The rule of `bibliography.tex` is that it is; a feed does not hang on it."""
    body = Body().say("a\0b\ud800").print("").list([]).link([])
    assert etree.tostring(body.xhtml()) == f'<div xmlns="{XHTML}"><p>ab</p></div>'.encode()


# --- All feeds -------------------------------------------------------------------------------------------------------


def test_the_feeds_of_the_instance_are_listed(press, get) -> None:
    press([LANTERN])
    answer = get("/feeds.opml")
    assert answer.headers["Content-Type"] == "text/x-opml; charset=utf-8"
    root = etree.fromstring(answer.content)
    assert (root.tag, root.get("version")) == ("opml", "2.0")
    assert root.findtext("head/title") == "Broadsheet"
    feeds = {each.get("text"): each.get("xmlUrl") for each in root.iter("outline") if each.get("type") == "rss"}
    assert feeds["The newest edition"] == "http://localhost/index.atom"
    assert feeds["Machine Learning"] == "http://localhost/section/cs.LG.atom"
    for address in feeds.values():
        assert get(address.removeprefix("http://localhost")).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/", "/date/2024-01-02", "/editions", "/sections", "/section/cs.LG", "/author/ada-example", "/papers/2401.00001",
     "/search", "/search?q=steps", "/status", "/about", "/about/ranking", "/about/keys", "/saved"],
)  # fmt: skip
def test_every_page_names_a_feed_of_what_it_shows(press, get, path: str) -> None:
    press([LANTERN])
    text = get(path).text
    found = re.findall(r'<link rel="alternate" type="([\w/+-]+)" title="[^"]+" href="([^"]+)">', text)
    assert {"application/atom+xml", "application/rss+xml", "application/feed+json"} <= {kind for kind, _ in found}
    for kind, address in found:
        answer = get(address.replace("&amp;", "&"))
        assert answer.status_code == 200, address
        assert answer.headers["Content-Type"].startswith(kind)
