"""Every page of lists: what stands on it, where it leads, and what it says when it is empty."""

from __future__ import annotations

import re
from datetime import date
from itertools import pairwise

import pytest

from broadsheet.bibliography.record import Record
from broadsheet.evidence.rules import Claim
from broadsheet.papers.actions import merge_papers
from broadsheet.testing.cast import ADA, HARBOUR, LANTERN, MEADOW, arxiv, said

LANTERN_CLAIM = Claim(
    source="testimony",
    source_key="lantern",
    text="Steps from $\\ell_2$ norms need fewer lamps.",
    value="half as many",
    runnable="yes",
    experiment="Walk down a stair of 20 steps.",
    peers=("no lamp",),
)


DAY = date(2024, 1, 2)


def works(count: int, day: date = DAY, **fields: object) -> list[Record]:
    return [
        said(
            f"Work {n} on a subject of its own",
            key=f"work-{n}",
            identifiers=(arxiv(f"2401.1{n:04}"),),
            announced=day,
            abstract=f"Abstract {n}.",
            field="lamps",
            **fields,
        )
        for n in range(count)
    ]


def headings(text: str) -> list[int]:
    return [int(level) for level in re.findall(r"<h([1-6])\b", text.split("<dialog", maxsplit=1)[0])]


def test_the_front_page_has_a_masthead_a_lead_seconds_and_a_list(press, get) -> None:
    press([LANTERN, HARBOUR, *works(70)], [LANTERN_CLAIM])
    answer = get("/")
    assert answer.status_code == 200
    text = answer.text
    assert '<h1 class="nameplate"><a href="/">Broadsheet</a></h1>' in text
    assert "Tuesday, 2 January 2024" in text
    assert "72\u00a0papers" in text
    assert "72 papers. All dated by announcement. Not checked against the sources&#39; own counts." in text
    lead = text[text.index('class="lead') : text.index('class="seconds"')]
    assert 'href="/papers/2401.00001"' in lead
    assert "<math" in lead
    assert "Claimed, not yet measured" in lead
    assert text.count('class="second card"') == 4
    assert text.count("data-paper=") == 60
    assert '<a href="/date/2024-01-02?page=2"' in text
    assert '<a href="/section/lamps">Lamps <span>70</span></a>' in text
    assert '<link rel="canonical" href="http://localhost/">' in text


def test_holds_up_lists_claims_that_a_laptop_can_test_and_says_that_none_is_measured(press, get) -> None:
    tested = works(9)
    claims = [Claim("testimony", f"work-{n}", f"Claim {n}.", runnable="yes") for n in range(8)]
    press(tested, [*claims, Claim("testimony", "work-8", "Claim 8.", runnable="no")])
    column = get("/").text.partition('<section class="holds"')[2].partition("</section>")[0]
    assert column.count("Claimed, not yet measured") == 3
    assert "Claim 8." not in column
    assert "None has been measured here yet" in column


def test_holds_up_lists_five_claims_at_most(press, get) -> None:
    claims = [Claim("testimony", f"work-{n}", f"Claim {n}.", runnable="yes") for n in range(20)]
    press(works(20), claims)
    column = get("/").text.partition('<section class="holds"')[2].partition("</section>")[0]
    assert column.count("Claimed, not yet measured") == 5


def test_holds_up_takes_one_paper_of_each_section_from_below_the_opening(press, get) -> None:
    fields = ["lamps"] * 20 + ["bridges", "tides"]
    tested = [
        said(f"Work {n}", key=f"work-{n}", identifiers=(arxiv(f"2401.1{n:04}"),), announced=DAY, field=field)
        for n, field in enumerate(fields)
    ]
    press(tested, [Claim("testimony", f"work-{n}", f"Claim {n}.", runnable="yes") for n in range(22)])
    text = get("/").text
    column = text.partition('<section class="holds"')[2].partition("</section>")[0]
    opening = re.findall(r'data-paper="([^"]+)"', text)[:15]
    told = re.findall(r'href="/papers/([^"#]+)#claims"', column)
    assert len(told) == 5
    assert not set(told) & set(opening)


def test_an_empty_front_page_says_why_and_what_to_do(db: None, get) -> None:
    answer = get("/")
    assert answer.status_code == 200
    assert "This instance holds no papers" in answer.text
    assert "broadsheet import FILE" in answer.text


def test_a_card_prints_authors_date_section_and_links(press, get) -> None:
    press([LANTERN])
    text = get("/date/2024-01-02").text
    assert '<a href="/author/ada-example">Ada Example</a>' in text
    assert "2 January 2024" in text
    assert '<a href="/section/cs.LG">Machine Learning</a>' in text
    assert '<a href="https://example.org/lantern">code</a>' in text


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({"authors": tuple(f"Ada{n} Example" for n in range(5))}, "and 2&nbsp;more", id="five authors"),
        pytest.param({"author_count": 7}, "7\u00a0authors", id="only their number is known"),
        pytest.param({"organization": "Example Institute"}, "Example Institute", id="only their organisation"),
    ],
)
def test_a_byline_says_what_is_known_of_the_authors(press, get, fields, expected) -> None:
    press([said("A work", identifiers=(arxiv("2401.10001"),), announced=date(2024, 1, 2), **fields)])
    assert expected in get("/date/2024-01-02").text


def test_an_address_of_a_source_that_is_no_web_address_is_no_link(press, get) -> None:
    press(
        [said("A work", identifiers=(arxiv("2401.10001"),), announced=date(2024, 1, 2), code_url="javascript:alert(1)")]
    )
    assert "javascript:" not in get("/date/2024-01-02").text
    assert "javascript:" not in get("/papers/2401.10001").text.partition("Who says so")[0]


@pytest.mark.parametrize(
    ("path", "heading"),
    [
        ("/date/2024-01-02", "2 January 2024"),
        ("/week/2024-W01", "Week 1 of 2024"),
        ("/month/2024-01", "January 2024"),
    ],
)
def test_an_edition_has_its_papers_its_number_and_its_audit(press, get, path: str, heading: str) -> None:
    press([LANTERN, HARBOUR])
    answer = get(path)
    assert answer.status_code == 200
    assert f"<h1>{heading}</h1>" in answer.text
    assert "No. " in answer.text
    assert "Number announced" in answer.text
    assert "not known: no source has been asked" in answer.text
    assert re.search(r"2 January 2024, 12:00 Eastern", answer.text)
    assert answer.text.count("data-paper=") == 2


def test_what_no_paper_of_an_edition_is_stands_not_in_its_audit(press, get) -> None:
    press([LANTERN])
    text = get("/date/2024-01-02").text
    assert "<dt>Dated by announcement</dt><dd>1</dd>" in text
    assert "<dd>0</dd>" not in text


def test_editions_lead_to_the_one_before_and_the_one_after(press, get) -> None:
    press([*works(1, date(2024, 1, 2)), said("Other", identifiers=(arxiv("2401.20001"),), announced=date(2024, 1, 5))])
    assert '<a rel="next" href="/date/2024-01-05">5 January 2024</a>' in get("/date/2024-01-02").text
    assert '<a rel="prev" href="/date/2024-01-02">2 January 2024</a>' in get("/date/2024-01-05").text


def test_a_long_edition_has_pages_of_60(press, get) -> None:
    press(works(130))
    second = get("/date/2024-01-02?page=2").text
    assert second.count("data-paper=") == 60
    assert '<ol class="cards" start="61">' in second
    assert '<link rel="canonical" href="http://localhost/date/2024-01-02?page=2">' in second
    assert get("/date/2024-01-02?page=3").text.count("data-paper=") == 10
    assert "there is no page 4" in get("/date/2024-01-02?page=4").text


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        pytest.param("/date/2024-01-03", "no source was asked what it announced then", id="a day without papers"),
        pytest.param("/date/2024-01-06", "Saturday: arXiv announces nothing from Friday evening", id="a Saturday"),
        pytest.param("/date/2026-07-06", "arXiv has no list of this day by its calendar", id="after a holiday"),
        pytest.param("/date/2024-02-30", "No calendar has the day 2024-02-30.", id="no day of any calendar"),
        pytest.param("/date/2026-13-45", "No calendar has the day 2026-13-45.", id="no month of any calendar"),
        pytest.param("/week/2026-W99", "No calendar has the week 2026-W99.", id="no week of any calendar"),
        pytest.param("/date/2024-1-3", "is not written as a day is here", id="no day"),
        pytest.param("/date/2024-01-03", "submitted on that day", id="on a day"),
        pytest.param("/week/2023-W40", "submitted in that week", id="in a week"),
        pytest.param("/month/2023-10", "submitted in that month", id="in a month"),
        pytest.param("/date/9000-01-01", "That day has not come yet.", id="a day to come"),
        pytest.param("/week/9000-W01", "That week has not come yet.", id="a week to come"),
        pytest.param("/month/9000-01", "That month has not come yet.", id="a month to come"),
        pytest.param("/week/2024-1", "is not written as a week is here", id="no week"),
        pytest.param("/month/2024-1", "is not written as a month is here", id="no month"),
        pytest.param("/editions/first", "started without the starter catalogue", id="no first edition"),
    ],
)
def test_an_edition_that_does_not_exist_says_why(press, get, path: str, sentence: str) -> None:
    press([LANTERN])
    answer = get(path)
    assert answer.status_code == 404
    assert sentence in answer.text


def test_a_day_without_an_edition_leads_to_the_ones_before_and_after(press, get) -> None:
    press([LANTERN, said("Other", identifiers=(arxiv("2401.20001"),), announced=date(2024, 1, 9))])
    text = get("/date/2024-01-06").text
    assert 'The last edition before it: <a href="/date/2024-01-02">2 January 2024</a> with 1\u00a0paper' in text
    assert 'The first after it: <a href="/date/2024-01-09">9 January 2024</a> with 1\u00a0paper' in text


def test_the_archive_lists_editions_of_a_kind_and_draws_their_sizes(press, get) -> None:
    press([*works(3), said("Other", identifiers=(arxiv("2401.20001"),), announced=date(2024, 1, 5))])
    text = get("/editions").text
    assert '<a href="/date/2024-01-05">5 January 2024 <span>1</span></a>' in text
    assert '<svg class="bars"' in text
    assert '<a href="/month/2024-01">January 2024 <span>4</span></a>' in get("/editions?kind=month").text
    assert "no edition of a day" in get("/editions?kind=day&before=2024-01-01").text.lower()


def test_an_empty_archive_says_why(db: None, get) -> None:
    assert "An edition appears when papers with dates are imported" in get("/editions").text


def test_sections_are_listed_with_their_sizes(press, get) -> None:
    press([LANTERN, HARBOUR])
    assert '<a href="/section/cs.LG">Machine Learning <span>2</span></a>' in get("/sections").text


@pytest.mark.parametrize(("slug", "code"), [("cs.LG", "cs.LG on arXiv"), ("gr-qc", "gr-qc on arXiv"), ("lamps", "")])
def test_the_page_of_a_category_tells_its_code(press, get, slug: str, code: str) -> None:
    press([said("A work", identifiers=(arxiv("2401.10001"),), announced=date(2024, 1, 2), categories=(slug,))])
    assert (f'<p class="asked">{code}</p>' in get(f"/section/{slug}").text) == bool(code)


def test_a_section_may_be_called_anything(press, get) -> None:
    press([said("A work", identifiers=(arxiv("2401.10001"),), announced=date(2024, 1, 2), field='a/b?c#d"e%f')])
    address = "/section/a%2Fb%3Fc%23d%22e%25f"
    for path in ("/date/2024-01-02", "/sections", "/"):
        assert f'<a href="{address}">' in get(path).text, path
    assert get(address).status_code == 200


def test_cards_of_a_section_do_not_repeat_its_name(press, get) -> None:
    press([LANTERN, HARBOUR])
    cards = get("/section/cs.LG").text.partition('<ol class="cards"')[2]
    assert '<a href="/section/cs.LG">' not in cards
    assert '<a href="/section/stat.ML">' in cards


def test_without_sections_the_page_says_why(db: None, get) -> None:
    assert "There are no sections, because" in get("/sections").text


@pytest.mark.parametrize(
    ("path", "heading"),
    [("/section/lamps", "Lamps"), ("/author/ada-example", "Ada Example")],
    ids=["section", "author"],
)
def test_a_long_list_is_read_page_by_page(press, get, path: str, heading: str) -> None:
    press(works(70, authors=(ADA,)))
    first = get(path)
    assert f"<h1>{heading}</h1>" in first.text
    assert "70\u00a0papers, the newest first" in first.text
    assert first.text.count("data-paper=") == 60
    following = re.search(rf'<a rel="next" href="({path}\?after=[^"]+)">', first.text)
    assert following
    second = get(following[1])
    assert second.text.count("data-paper=") == 10
    assert f'<a href="{path}">Newest</a>' in second.text


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/section/nothing", "No paper here belongs to a section called “nothing”."),
        ("/author/nobody", "No paper here has an author of that name."),
        ("/papers/no-identifier", "There is no paper no-identifier here."),
        ("/nowhere", "No page has this address."),
    ],
)
def test_what_is_not_here_says_so_and_shows_ways_on(db: None, get, path: str, sentence: str) -> None:
    answer = get(path)
    assert answer.status_code == 404
    assert sentence in answer.text
    assert '<a href="/editions">all editions</a>' in answer.text


def test_papers_merged_into_one_are_listed_once(press, get) -> None:
    press([LANTERN, HARBOUR, MEADOW])
    merge_papers(winner_key="2401.00001", loser_key="2401.00002", reason="the same")
    press([])
    assert get("/date/2024-01-02").text.count("data-paper=") == 1


def test_ranking_prints_the_table_that_ranks(db: None, get) -> None:
    text = get("/about/ranking").text
    assert "<td>its claim can be tested on a laptop</td><td>3</td>" in text
    assert "take turns by section" in text


def test_the_pages_about_the_newspaper_say_what_it_is(db: None, get) -> None:
    assert "There are no cookies then" in get("/about").text
    keys = get("/about/keys").text
    assert all(f"<kbd>{key}</kbd>" in keys for key in "jkosu/?")
    assert "kept by your browser on this device, not by this server" in get("/saved").text


@pytest.mark.parametrize(
    "path",
    ["/", "/date/2024-01-02", "/editions", "/sections", "/section/cs.LG", "/author/ada-example", "/papers/2401.00001",
     "/search", "/search?q=steps", "/search?q=nothingatall", "/search?q=2501.99999", "/status", "/about",
     "/about/ranking", "/about/keys", "/saved", "/nowhere", "/date/2023-01-01"],
)  # fmt: skip
def test_every_page_has_one_first_heading_and_no_gap_in_their_order(press, get, path: str) -> None:
    press([LANTERN, HARBOUR], [LANTERN_CLAIM])
    levels = headings(get(path).text)
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
