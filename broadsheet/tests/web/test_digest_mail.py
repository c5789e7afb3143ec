"""A digest as a mail: it agrees with the page of its edition, stays text, and stays short."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from lxml import html as lxml_html

from broadsheet.bibliography.record import Record
from broadsheet.editions import queries as editions
from broadsheet.editions.queries import Edition
from broadsheet.editions.rules import Kind
from broadsheet.following.models import Subscriber, Subscription
from broadsheet.following.queries.digests import Nothing
from broadsheet.ingest.rules import Line, State
from broadsheet.mailing.message import Outgoing
from broadsheet.testing.cast import HARBOUR, LANTERN, arxiv
from broadsheet.testing.hostile_texts import HOSTILE, MARK
from broadsheet.web import addresses, digests
from broadsheet.web.digests import composing
from broadsheet.web.digests import sheet as sheets
from broadsheet.web.digests.sheet import Column, Item, Sheet
from broadsheet.web.digests.text import WIDTH, unflowed

Press = Callable[..., None]
Check = Callable[..., None]
Get = Callable[..., HttpResponse]

DAY = "2024-01-02"
NOON = datetime(2024, 1, 2, 17, tzinfo=UTC)
BASE = "https://papers.example.org"

Subscribe = Callable[..., Subscription]


@pytest.fixture(autouse=True)
def _at_home(settings: Any) -> None:
    settings.BROADSHEET_ADDRESS = BASE
    settings.DEFAULT_FROM_EMAIL = "broadsheet@papers.example.org"


@pytest.fixture
def subscribe(db: None) -> Subscribe:
    """A confirmed subscription: `subscribe(sections=["cs.LG"])`."""

    def make(address: str = "ada@example.org", **asked: object) -> Subscription:
        subscriber, _ = Subscriber.objects.get_or_create(
            address=address, defaults={"made_at": NOON, "confirmed_at": NOON}
        )
        values = {"cadence": "day", "hour": 7, "zone": "UTC", "key": f"k{subscriber.pk:042}"} | asked
        return Subscription.objects.create(subscriber=subscriber, made_at=NOON, confirmed_at=NOON, **values)

    return make


def composed(subscription: Subscription, label: str = DAY) -> Outgoing:
    """The mail of a subscription, which must have one."""
    made = digests.Composer().compose(subscription.pk, label)
    assert isinstance(made, Outgoing), made
    return made


def parsed(content: str) -> Any:
    """A page or a part of a mail, to look for elements in."""
    return lxml_html.fromstring(content)


def papers_linked(html: str) -> list[str]:
    """The pages of papers to which headlines of a mail lead, in their order."""
    return [link.removeprefix(BASE) for link in parsed(html).xpath("//h3/a/@href")]


def many(count: int) -> list[Record]:
    """Papers of one day."""
    return [
        replace(
            LANTERN, title=f"Lantern {number}", source_key=f"l{number}", identifiers=(arxiv(f"2401.{100 + number:05}"),)
        )
        for number in range(1, count + 1)
    ]


class TestItAgreesWithThePage:
    @pytest.mark.parametrize("kind", ["day", "week", "month"])
    def test_ids_and_order_are_those_of_the_edition_s_page(
        self, press: Press, get: Get, subscribe: Subscribe, kind: str
    ) -> None:
        press([LANTERN, HARBOUR, *many(30)])
        label = {"day": DAY, "week": "2024-W01", "month": "2024-01"}[kind]
        made = composed(subscribe(cadence=kind), label)
        page = parsed(get(addresses.edition(kind, label)).text)
        shown = page.xpath(
            "//*[contains(concat(' ', @class, ' '), ' cards ')]//*[contains(@class, 'headline')]//a/@href"
        )
        assert papers_linked(made.html) == shown[:10]
        assert made.papers == 10

    def test_both_parts_have_the_same_papers(self, press: Press, subscribe: Subscribe) -> None:
        press([LANTERN, HARBOUR, *many(30)])
        made = composed(subscribe(sections=["cs.LG", "stat.ML"]))
        in_text = re.findall(rf"(?m)^{BASE}(/papers/\S+)$", made.text)
        assert in_text == papers_linked(made.html)

    def test_a_search_finds_in_the_edition_what_it_finds_on_its_page(
        self, press: Press, get: Get, subscribe: Subscribe
    ) -> None:
        press([HARBOUR, *many(12), replace(HARBOUR, title="Harbour again", source_key="old", identifiers=(),
                                           announced=date(2023, 12, 1))])  # fmt: skip
        made = composed(subscribe(searches=['"optimal transport" <b>', "harbour"]))
        assert papers_linked(made.html) == ["/papers/2401.00002"]
        assert "“harbour”" in made.html
        assert "<b>" not in made.html

    def test_the_audit_line_is_that_of_the_page(
        self, press: Press, check: Check, get: Get, subscribe: Subscribe
    ) -> None:
        press([LANTERN, HARBOUR])
        check(date(2024, 1, 2), State.INCOMPLETE, Line("arxiv", "cs.LG", 4, "listing total", 2, ()))
        made = composed(subscribe())
        assert "Incomplete: 2 of 4 in cs.LG are missing" in made.html
        assert "Incomplete: 2 of 4 in cs.LG are missing" in unflowed(made.text).replace("\n", " ")
        assert "2 of 4 in cs.LG are missing" in get(addresses.edition("day", DAY)).text

    def test_what_a_claim_came_to_is_told_as_on_cards(self) -> None:
        whole = replace(SHEET, columns=(column(item(measured="Holds up: 0.449 times the best baseline.")),))
        made = composing.body(whole)
        assert "Measured: Holds up: 0.449 times the best baseline." in made.text
        assert "Holds up: 0.449 times the best baseline." in made.html

    def test_a_paper_that_came_late_says_so(self) -> None:
        made = composing.body(replace(SHEET, columns=(column(item(late=True)),)))
        assert "(came late)" in made.text
        assert "Came after the edition was closed." in made.html


class TestSubject:
    @pytest.mark.parametrize(
        ("title", "shown", "size", "subject"),
        [
            ("A Lamp for Every Step", 10, 612, "2 January: A Lamp for Every Step, and 9 more of 612 papers"),
            ("A Lamp for Every Step", 1, 1, "2 January: A Lamp for Every Step"),
            ("A Lamp for Every Step", 1, 44, "2 January: A Lamp for Every Step, of 44 papers"),
            (
                "A Very Long Title That Goes On and On about Lamps",
                10,
                12_345,
                "2 January: A Very Long Title That Goes On and…, and 9 more of 12 345 papers",
            ),
        ],
    )
    def test_it_says_what_is_inside(self, press: Press, title: str, shown: int, size: int, subject: str) -> None:
        press([LANTERN])
        edition = editions.edition_of(Kind.DAY, DAY)
        assert edition is not None
        assert sheets.subject(replace(edition, size=size), title, shown) == subject

    @given(title=st.text(max_size=300), shown=st.integers(1, 40), size=st.integers(1, 10**6))
    @examples(suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_it_is_short_whatever_the_title(self, title: str, shown: int, size: int) -> None:
        edition = Edition(1, Kind.MONTH, "2024-09", 1, date(2024, 9, 1), date(2024, 9, 30), NOON, False, size, 0, {})
        assert len(sheets.subject(edition, title, shown)) <= 78

    def test_mathematics_is_unicode(self, press: Press, subscribe: Subscribe) -> None:
        press([LANTERN])
        made = composed(subscribe())
        assert made.subject == "2 January: Lantern: Step Sizes from ℓ₂ Gradient Norms"
        assert "$" not in made.subject + made.text + made.html


class TestReaders:
    def test_only_addresses_and_ids_differ_between_two_readers(self, press: Press, subscribe: Subscribe) -> None:
        press([LANTERN, HARBOUR])
        one, other = subscribe(), subscribe("bela@example.org")
        first, second = composed(one), composed(other)
        assert first.html.replace(one.key, other.key) == second.html
        assert first.text.replace(one.key, other.key) == second.text
        assert first.to != second.to
        assert first.message_id != second.message_id
        assert other.key not in first.html + first.text + first.message_id

    def test_the_same_delivery_has_the_same_id_again(self, press: Press, subscribe: Subscribe) -> None:
        press([LANTERN])
        made = subscribe()
        assert composed(made).message_id == composed(made).message_id == digests.message_id(made.key, DAY)
        assert digests.message_id(made.key, "2024-01-03") != digests.message_id(made.key, DAY)

    def test_a_hundred_equal_ones_are_rendered_once(
        self, press: Press, subscribe: Subscribe, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        press([LANTERN, *many(30)])
        ids = [subscribe(f"a{number}@example.org").pk for number in range(100)]
        rendered: list[str] = []

        def inlined(html: str) -> str:
            rendered.append(html)
            return html

        monkeypatch.setattr(composing, "inlined", inlined)
        with CaptureQueriesContext(connection) as alone:
            digests.Composer().compose(ids[0], DAY)
        composer = digests.Composer()
        with CaptureQueriesContext(connection) as together:
            made = [composer.compose(each, DAY) for each in ids]
        assert all(isinstance(each, Outgoing) for each in made)
        assert len(rendered) == 2
        assert len(together) - len(alone) == 99

    def test_what_changed_is_seen_after_a_moment(
        self, press: Press, subscribe: Subscribe, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        press([LANTERN])
        asked = subscribe()
        composer = digests.Composer()
        composer.compose(asked.pk, DAY)
        press([*many(3)])
        monkeypatch.setattr(composing, "AT_MOST_OLD", -1.0)
        made = composer.compose(asked.pk, DAY)
        assert isinstance(made, Outgoing)
        assert made.papers == 4

    def test_who_gets_nothing_is_told_why(self, press: Press, subscribe: Subscribe) -> None:
        press([LANTERN])
        made = digests.Composer().compose(subscribe(sections=["cs.CR"]).pk, DAY)
        assert isinstance(made, Nothing)
        assert made.because.startswith("Nothing in cs.CR is in the edition of 2 January 2024.")

    @pytest.mark.parametrize("label", ["", "2024-01-03", "x", "\0"])
    def test_without_an_edition_there_is_nothing(self, press: Press, subscribe: Subscribe, label: str) -> None:
        press([LANTERN])
        assert isinstance(digests.Composer().compose(subscribe().pk, label), Nothing)


class TestText:
    def test_it_reads_as_the_documentation_shows_it(self, repository: Path) -> None:
        shown = (repository / "docs" / "user" / "digest.md").read_text(encoding="utf-8")
        whole = replace(
            SHEET, columns=(column(item(reasons="by Ada Example, whom you follow"), total=44, counted=True),)
        )
        assert unflowed(composing.body(whole).text.replace(composing._ANYBODY, "{key}")) in shown

    def test_lines_are_short_and_flow(self, press: Press, subscribe: Subscribe) -> None:
        press([replace(LANTERN, abstract="We light the way. " * 40), *many(3)])
        made = composed(subscribe())
        lines = made.text.split("\n")
        assert all(len(line) <= WIDTH + 1 or line.startswith(BASE) for line in lines)
        assert len([line for line in lines if line.endswith(" ")]) > 5
        assert "We light the way. " * 5 in made.text.replace(" \n", " ")

    @pytest.mark.parametrize("line", ["From here on", "> quoted"])
    def test_what_looks_like_something_else_is_stuffed(self, line: str) -> None:
        made = composing.body(replace(SHEET, remarks=(line,)))
        assert f"\n {line}\n" in made.text

    def test_wide_signs_take_two_columns(self) -> None:
        made = composing.body(replace(SHEET, remarks=("没有水的港口" * 20,)))
        wide = [line for line in made.text.split("\n") if "港" in line]
        assert all(len(line) <= WIDTH // 2 for line in wide)
        assert "".join(wide) == "没有水的港口" * 20


class TestHtml:
    def test_nothing_is_loaded_and_nothing_runs(self, press: Press, subscribe: Subscribe) -> None:
        press([LANTERN, HARBOUR, *many(5)])
        made = parsed(composed(subscribe()).html)
        assert made.xpath("//script|//img|//link|//iframe|//form|//object|//video|//@src|//@background") == []
        assert "url(" not in composed(subscribe("b@example.org")).html

    def test_links_lead_to_us_and_to_the_paper_itself(self, press: Press, subscribe: Subscribe) -> None:
        press([LANTERN])
        links = set(parsed(composed(subscribe()).html).xpath("//a/@href"))
        assert f"{BASE}/papers/2401.00001" in links
        assert "https://arxiv.org/pdf/2401.00001" in links
        assert "https://example.org/lantern" in links
        assert f"{BASE}/date/{DAY}" in links

    def test_colours_for_both_themes_stand_in_it(self) -> None:
        made = composing.body(SHEET).html
        assert '<meta name="color-scheme" content="light dark">' in made
        assert "@media (prefers-color-scheme: dark)" in made
        assert "data-css-inline" not in made
        assert parsed(made).xpath("//h1/@style")

    def test_mathematics_has_no_elements_that_programs_for_mail_take_apart(
        self, press: Press, subscribe: Subscribe
    ) -> None:
        press(
            [replace(LANTERN, title="Bounds in $\\mathbb{R}^{d \\times k}$ with $x_{ij}^{n+1}$ and $\\frac{a+b}{c}$")]
        )
        made = composed(subscribe()).html
        assert "<math" not in made
        assert re.search(r"ℝ<sup[^>]*>d×k</sup> with xᵢⱼⁿ⁺¹ and \(a\+b\)/c", made)

    @pytest.mark.parametrize("text", HOSTILE)
    def test_hostile_texts_stay_texts(self, text: str) -> None:
        bad = item(title=text, byline=text, text=text, reasons=text, measured=text)
        whole = replace(SHEET, columns=(column(bad, heading=text, code=text),), remarks=(text,), audit=text)
        made = parsed(composing.body(replace(whole, subject=text, site=text)).html)
        assert {each.tag for each in made.iter() if isinstance(each.tag, str)} <= OURS
        assert not [name for name in made.xpath("//@*") if f"window.{MARK}" in name]
        assert all(link.startswith(("https://", "http://")) for link in made.xpath("//a/@href"))


OURS = {
    *("html", "head", "meta", "title", "style", "body", "table", "tbody", "tr", "td"),
    *("h1", "h2", "h3", "p", "div", "span", "a", "sup", "sub"),
}


class TestSize:
    @given(
        title=st.text(max_size=400),
        abstract=st.text(max_size=2000),
        count=st.integers(1, 400),
    )
    @examples(max_examples=25)
    def test_it_is_under_100_kilobytes_whatever_is_in_it(self, title: str, abstract: str, count: int) -> None:
        items = [item(number=number, title=title[:240], text=abstract[:840]) for number in range(1, count + 1)]
        assert size(replace(SHEET, columns=(column(*items, total=count),), papers=count)) < 100_000

    def test_even_of_the_widest_signs(self) -> None:
        wide = "\U0001f600"
        items = [
            item(number=number, title=wide * 240, byline=wide * 300, text=wide * 840, reasons=wide * 400)
            for number in range(1, 401)
        ]
        whole = replace(SHEET, columns=(column(*items, total=400),), papers=400, remarks=(wide * 500,))
        assert size(whole) < 100_000
        assert composing.body(whole).papers >= 1

    def test_what_falls_away_is_said(self, press: Press, subscribe: Subscribe) -> None:
        press([replace(each, abstract="\U0001f600" * 3000) for each in many(60)])
        made = composed(subscribe(sections=["cs.LG"]))
        shown = len(papers_linked(made.html))
        assert f"{60 - shown} more" in made.text
        assert made.papers == shown < 20


def size(whole: Sheet) -> int:
    """The bytes of a mail."""
    made = composing.body(whole)
    return len(Outgoing("a@example.org", "b@example.org", "x", made.text, made.html, (), "<x@example.org>").as_bytes())


def item(**particulars: Any) -> Item:
    """A paper of a digest."""
    values: dict[str, Any] = {
        "number": 1,
        "title": "A Lamp for Every Step",
        "byline": "Ada Example, Bela Beispiel and 3 more · Machine Learning",
        "text": "We choose the length of each step from the ℓ₂ norm of the last gradient. The bound is O(√T).",
        "reasons": "",
        "measured": "",
        "late": False,
        "url": f"{BASE}/papers/2401.00001",
        "links": (("PDF", "https://arxiv.org/pdf/2401.00001"),),
    }
    return Item(**values | particulars)


def column(*items: Item, **particulars: Any) -> Column:
    """A column of these papers."""
    values: dict[str, Any] = {
        "heading": "Machine Learning",
        "code": "cs.LG",
        "url": f"{BASE}/section/cs.LG",
        "total": len(items),
    }
    return Column(items=items, **{"counted": False} | values | particulars)


SHEET = Sheet(
    site="Broadsheet",
    home=f"{BASE}/",
    sender="broadsheet@papers.example.org",
    name="20 November 2026",
    subject="20 November: A Lamp for Every Step, and 9 more of 612 papers",
    dateline="Friday, 20 November 2026",
    audit="Complete: 612 of 612 listings in 14 sections of arXiv, checked 21:14 Eastern.",
    kind="day",
    url=f"{BASE}/date/2026-11-20",
    audit_url=f"{BASE}/date/2026-11-20#audit",
    whole="612 papers",
    columns=(),
    remarks=(),
    papers=1,
)
