"""The page of a paper: all that is known, who says so, and every address that leads to it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser

import pytest

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.record import Version
from broadsheet.evidence.rules import Claim
from broadsheet.ingest.models import Estimate
from broadsheet.ingest.rules.dating import How
from broadsheet.papers.actions import merge_papers, unmerge_papers
from broadsheet.testing.cast import ADA, HARBOUR, LANTERN, MEADOW, arxiv, doi, said


class Elements(HTMLParser):
    """What a browser would run of a page: its scripts, and attributes that are events."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.scripts = 0
        self.events: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script" and ("type", "application/ld+json") not in attrs
        self.events += [name for name, value in attrs if name.startswith("on") or "javascript:" in (value or "")]


CLAIM = Claim(
    "testimony", "lantern", "Fewer lamps are needed.", "half", "partly", "Walk down a stair.", ("no lamp", "two lamps")
)


def test_the_page_has_title_authors_abstract_and_mathematics(press, get) -> None:
    press([LANTERN])
    text = get("/papers/2401.00001").text
    assert "<title>Lantern: Step Sizes from ℓ₂ Gradient Norms – Broadsheet</title>" in text
    assert "<h1" in text
    assert "<msub>" in text[text.index("<h1") : text.index("</h1>")]
    assert '<a href="/author/ada-example">Ada Example</a>' in text
    assert "We choose step sizes from the" in text
    assert "<msqrt>" in text
    assert '<link rel="canonical" href="http://localhost/papers/2401.00001">' in text
    assert '<meta name="description" content="We choose step sizes' in text


@pytest.mark.parametrize(
    ("how", "said_so"),
    [
        pytest.param(How.ORDER, "announced, as its number tells", id="by its number"),
        pytest.param(How.CALENDAR, "announced, as the calendar tells", id="by the calendar"),
        pytest.param(None, "announced, the first day a reader could see it listed", id="by a list"),
    ],
)
def test_a_day_that_no_list_named_says_how_it_is_known(press, get, how: How | None, said_so: str) -> None:
    press([LANTERN])
    if how:
        Estimate.objects.create(
            announcer="arxiv", scheme="arxiv", value="2401.00001", month="2401", day=LANTERN.announced, how=how
        )
    other = {"announcer": "arxiv", "scheme": "arxiv", "value": "2401.00009", "month": "2401", "how": How.CALENDAR}
    Estimate.objects.create(day=LANTERN.announced, **other)
    assert f"<dt>2 January 2024</dt><dd>{said_so}" in get("/papers/2401.00001").text


def test_each_date_says_what_it_means(press, get) -> None:
    press(
        [replace(LANTERN, updated=PartialDate(2024, 3), versions=(Version(1, PartialDate(2023, 12, 29)), Version(2)))]
    )
    text = get("/papers/2401.00001").text
    assert "<dt>2 January 2024</dt><dd>announced, the first day a reader could see it listed (US Eastern)</dd>" in text
    assert "<dt>29 December 2023</dt><dd>first version submitted</dd>" in text
    assert "<dt>March 2024</dt><dd>newest version</dd>" in text
    assert re.search(r"<dt>\d+ \w+ \d{4}</dt><dd>fetched, the first time that this instance heard of it</dd>", text)
    assert '<li><a href="https://arxiv.org/abs/2401.00001v1">v1</a>, 29 December 2023</li>' in text
    assert '<li><a href="https://arxiv.org/abs/2401.00001v2">v2</a></li>' in text


def test_versions_without_a_home_are_no_links(press, get) -> None:
    press([said("A work", identifiers=(doi("10.1000/x"),), versions=(Version(1), Version(2, PartialDate(2024, 3))))])
    text = get("/papers/doi:10.1000/x").text
    assert "<li>v1</li>" in text
    assert "<li>v2, March 2024</li>" in text


def test_identifiers_lead_to_their_homes(press, get) -> None:
    press([HARBOUR])
    text = get("/papers/2401.00002").text
    assert '<a href="https://arxiv.org/abs/2401.00002">2401.00002</a>' in text
    assert '<a href="https://doi.org/10.1000/harbour.7">10.1000/harbour.7</a>' in text


def test_programs_that_collect_references_can_read_the_page(press, get) -> None:
    press([HARBOUR])
    text = get("/papers/2401.00002").text
    assert '<meta name="citation_title" content="Harbour: Optimal Transport between Schrödinger Bridges">' in text
    assert '<meta name="citation_author" content="Beispiel, Bela">' in text
    assert '<meta name="citation_author" content="Primer, Đorđe">' in text
    assert '<meta name="citation_date" content="2023/12/30">' in text
    assert '<meta name="citation_doi" content="10.1000/harbour.7">' in text
    assert '<meta name="citation_pdf_url" content="https://arxiv.org/pdf/2401.00002">' in text


def test_a_summary_is_said_to_be_nobodys_of_the_authors(press, get) -> None:
    press([replace(LANTERN, summary="Steps by lamp light.")])
    text = get("/papers/2401.00001").text
    assert "Steps by lamp light." in text
    assert "Written for a catalogue, not by the authors." in text


def test_without_an_abstract_the_page_says_where_it_stands(press, get) -> None:
    press([replace(LANTERN, abstract="")])
    text = get("/papers/2401.00001").text
    assert "No source that we read has sent the abstract." in text


def test_a_claim_is_called_claimed_and_not_measured(press, get) -> None:
    press([LANTERN], [CLAIM])
    box = get("/papers/2401.00001").text.partition('id="claims"')[2].partition("</section>")[0]
    assert "Fewer lamps are needed." in box
    assert '<span class="state">not yet</span>' in box
    assert "can be tested in part" in box
    assert "Walk down a stair." in box
    assert "no lamp; two lamps" in box


def test_provenance_names_the_sources_of_each_field_and_their_conflicts(press, get) -> None:
    other = replace(LANTERN, source="records", source_key="l", announced=date(2024, 1, 3), venue="Test Conference")
    press([LANTERN, other])
    text = get("/papers/2401.00001").text
    assert '<th scope="row">Title</th><td>testimony, Broadsheet records' in text
    assert '<th scope="row">Venue</th><td>Broadsheet records' in text
    announced = text.partition('<th scope="row">Announced</th>')[2].partition("</tr>")[0]
    assert "says otherwise:</span>" in announced


def test_history_and_editions_are_told(press, get) -> None:
    press([LANTERN])
    press([replace(LANTERN, venue="Test Conference")])
    text = get("/papers/2401.00001").text
    assert "First stored" in text
    assert "Changed: venue" in text
    assert '<a href="/date/2024-01-02">2 January 2024</a>, place 1 of 1' in text
    assert "code is available" in text


def test_a_merge_is_told_and_every_old_address_leads_to_the_paper(press, get) -> None:
    press([LANTERN, HARBOUR])
    merge_papers(winner_key="2401.00001", loser_key="2401.00002", reason="said by Ada")
    answer = get("/papers/2401.00002")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/papers/2401.00001")
    text = get("/papers/2401.00001").text
    assert "Another entry of the same work was merged into this one: “Harbour" in text
    assert "said by Ada" in text


def test_a_merge_that_was_undone_is_told_on_both_pages_with_a_link_to_the_other(press, get) -> None:
    press([LANTERN, HARBOUR])
    key = merge_papers(winner_key="2401.00001", loser_key="2401.00002", reason="said by Ada")
    unmerge_papers(key=key, reason="said by Bela")
    kept, other = get("/papers/2401.00001").text, get("/papers/2401.00002").text
    assert "Another entry of the same work was merged into this one: “Harbour" in kept
    assert "Merged into another paper: “" in other
    for text, link in ((kept, "/papers/2401.00002"), (other, "/papers/2401.00001")):
        assert "A merge was undone: “" in text
        assert f'(<a href="{link}">' in text
        assert "said by Bela" in text


@pytest.mark.parametrize(
    ("path", "target"),
    [
        pytest.param("/papers/2401.00001v3", "/papers/2401.00001", id="with a version"),
        pytest.param("/papers/arXiv:2401.00001", "/papers/2401.00001", id="with a prefix"),
        pytest.param("/papers/doi:10.1000/HARBOUR.7", "/papers/2401.00002", id="DOI in capitals"),
        pytest.param("/papers/math.ST/0611800", "/papers/math/0611800", id="with its subject class"),
        pytest.param("/abs/2401.00001", "/papers/2401.00001", id="abs"),
        pytest.param("/abs/2401.00001v2", "/papers/2401.00001", id="abs with a version"),
        pytest.param("/abs/math/0611800", "/papers/math/0611800", id="abs of an old identifier"),
        pytest.param("/pdf/2401.00001v1.pdf", "/papers/2401.00001", id="pdf"),
        pytest.param("/abs/2501.00009", "/search?q=arxiv%3A2501.00009", id="unknown here"),
    ],
)
def test_other_addresses_lead_to_the_paper(press, get, path: str, target: str) -> None:
    press([LANTERN, HARBOUR, MEADOW])
    answer = get(path)
    assert (answer.status_code, answer.headers.get("Location")) == (302, target)


def test_an_unknown_paper_of_arxiv_is_explained(db: None, get) -> None:
    text = get("/search?q=arxiv%3A2501.00009").text
    assert "This paper is not here" in text
    assert '<a href="https://arxiv.org/abs/2501.00009">arxiv:2501.00009</a>' in text


@pytest.mark.parametrize("key", ["2401.99999", "arXiv:2401.99999v2"])
def test_an_identifier_that_is_not_here_is_404_with_its_home(db: None, get, key: str) -> None:
    answer = get(f"/papers/{key}")
    assert answer.status_code == 404
    assert "This paper is not here" in answer.text
    assert '<a href="https://arxiv.org/abs/2401.99999">arxiv:2401.99999</a>' in answer.text


def test_what_is_no_identifier_of_arxiv_is_said_to_be_none(db: None, get) -> None:
    answer = get("/abs/index.php")
    assert answer.status_code == 404
    assert "is not an identifier of arXiv" in answer.text


def test_hostile_texts_of_sources_stay_texts(press, get) -> None:
    hostile = "<script>alert(1)</script> \" onload='x'"
    press(
        [
            said(
                f"Title {hostile}",
                identifiers=LANTERN.identifiers,
                announced=date(2024, 1, 2),
                abstract=hostile,
                summary=hostile,
                venue=hostile,
                keywords=(hostile,),
                authors=(hostile,),
                comments=hostile,
                organization=hostile,
                license=hostile,
                code_url=f"https://example.org/{hostile}",
            )
        ]
    )
    for path in ("/papers/2401.00001", "/date/2024-01-02", "/", "/search?q=title"):
        page = Elements(get(path).text)
        assert page.scripts == 2, path
        assert page.events == [], path


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        pytest.param("\\\\\\\\ \\\\", "\\\\\\\\ \\\\", id="line breaks only: the source of it"),
        pytest.param("$ $", "$ $", id="empty mathematics: the source of it"),
        pytest.param("\u200b", "2401.00009", id="nothing that is seen: the key"),
    ],
)
def test_a_title_that_shows_nothing_has_something_in_its_place(press, get, title: str, shown: str) -> None:
    press([said(title, key="x", identifiers=(arxiv("2401.00009"),), announced=date(2024, 1, 2))])
    text = get("/papers/2401.00009").text
    assert f'<h1 class="headline">{shown}</h1>' in text
    assert f"<title>{shown} – Broadsheet</title>" in text
    assert f'<a href="/papers/2401.00009">{shown}</a>' in get("/date/2024-01-02").text


def test_a_very_long_abstract_is_printed_to_a_bound_and_the_page_says_so(press, get) -> None:
    press([replace(LANTERN, abstract="$a$ so. " * 10_000), replace(HARBOUR, abstract="Word. " * 2000)])
    text = get("/papers/2401.00001").text
    assert "This is the beginning of a very long abstract. The rest stands at the source" in text
    assert text.count("<math") < 3000
    assert "very long abstract" not in get("/papers/2401.00002").text


def test_of_very_many_authors_the_first_are_printed_and_the_others_counted(press, get) -> None:
    press([replace(LANTERN, authors=tuple(f"Ada Example{n}" for n in range(203)))])
    text = get("/papers/2401.00001").text
    assert '<a href="/author/ada-example199">Ada Example199</a> and 3&nbsp;more</p>' in text
    assert 'href="/author/ada-example200"' not in text


def test_a_name_that_cannot_stand_in_an_address_is_no_link(press, get) -> None:
    press([replace(LANTERN, authors=(ADA, "!!!"))])
    for path in ("/papers/2401.00001", "/date/2024-01-02"):
        text = get(path).text
        assert ">Ada Example</a>, !!!</p>" in text
        assert 'href="/author/"' not in text


def test_categories_are_printed_with_names_and_codes(press, get) -> None:
    press([replace(LANTERN, categories=("cs.LG", "stat.ML", "cs.XX"))])
    text = get("/papers/2401.00001").text
    assert '<a href="/section/cs.LG">Machine Learning (cs.LG)</a>' in text
    assert '<a href="/section/stat.ML">Machine Learning (Statistics, stat.ML)</a>' in text
    assert '<a href="/section/cs.XX">cs.XX</a>' in text
