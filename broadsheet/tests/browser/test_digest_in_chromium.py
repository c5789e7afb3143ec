"""A digest in Chromium as a program for mail shows it: light and dark, on a phone and on a desk, nothing loaded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from broadsheet.testing.cast import ADA, BELA, CHLOE, DORDE
from broadsheet.web.digests.briefs import Brief, Briefs, Line
from broadsheet.web.digests.composing import body
from broadsheet.web.digests.sheet import Column, Item, Sheet

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

BASE = "https://papers.example.org"
LAMP = (
    "We choose the length of each step from the ℓ₂ norm of the last gradient, and prove that no schedule that knows "
    "the horizon does better. The bound is O(√T) for convex functions and holds without a bound on the domain."
)
PAPERS = (
    ("A Lamp for Every Step", f"{ADA}, {BELA}, {CHLOE} and 3 more · Machine Learning", LAMP),
    (
        "Harbours Without Water: Optimal Transport between Schrödinger Bridges in ℝ^(d×k)",
        f"{BELA}, {DORDE} · Machine Learning (Statistics)",
        "Bridges are found by alternating projections. We prove that they meet.",
    ),
    ("Meadows", f"{ADA} · Statistics Theory", "We survey what can be learned when nothing is observed."),
    (
        "Tides at xᵢⱼⁿ⁺¹ ≤ e^(−βt): What Clocks Forget between Two Floods of the Same River",
        f"{CHLOE} and 212 more · Data Structures and Algorithms",
        "A river is measured twice. The second measurement is the better one, and nobody knows why.",
    ),
    ("Wells", f"{DORDE} · Machine Learning", "A well that is deep enough answers after O(n^(2/3) log n) words."),
)
ENDLESS = (
    ("Endless" * 30, "Ada" * 60, "unbroken" * 50),
    ("没有水的港口：关于最优传输的一个说明" * 6, DORDE, "桥" * 400),
)


def item(number: int, papers: Sequence[tuple[str, str, str]] = PAPERS) -> Item:
    """One of the papers, again and again, each with the particulars that it may have."""
    title, byline, text = papers[(number - 1) % len(papers)]
    return Item(
        number=number,
        title=title,
        byline=byline,
        text=text,
        reasons="by Ada Example, whom you follow; code is available" if number % 2 else "",
        measured="Holds up: 0.449 times the best baseline; at most 0.5 was asked." if number in (1, 3) else "",
        late=number == 7,
        url=f"{BASE}/papers/2401.{number:05}",
        links=(("PDF", f"https://arxiv.org/pdf/2401.{number:05}"), ("Code", "https://example.org/lamp")),
    )


def column(heading: str, first: int, last: int, total: int, **particulars: Any) -> Column:
    """A column of the papers with these numbers."""
    items = tuple(map(item, range(first, last + 1)))
    values: dict[str, Any] = {"code": "", "url": f"{BASE}/section/cs.LG", "counted": True} | particulars
    return Column(heading=heading, items=items, total=total, **values)


SHEET = Sheet(
    site="Broadsheet",
    home=f"{BASE}/",
    sender="broadsheet@papers.example.org",
    name="20 November 2026",
    subject="20 November: A Lamp for Every Step, and 11 more of 612 papers",
    dateline="Friday, 20 November 2026",
    audit="Complete: 612 of 612 listings in 14 sections of arXiv, checked 21:14 Eastern.",
    kind="day",
    url=f"{BASE}/date/2026-11-20",
    audit_url=f"{BASE}/date/2026-11-20#audit",
    whole="612 papers",
    columns=(
        column("What you follow", 1, 4, 4),
        column("Machine Learning", 5, 12, 44, code="cs.LG"),
        column("Cryptography and Security", 13, 12, 0, code="cs.CR"),
    ),
    remarks=("3 papers are left out by your settings.",),
    papers=12,
)


WITHOUT_END = replace(
    SHEET,
    site="Broadsheet" * 12,
    audit="checked" * 60,
    columns=(
        Column("Section" * 17, "cs.LG", BASE, tuple(item(number, ENDLESS) for number in (1, 2, 3)), 4, counted=True),
    ),
)


def brief(title: str, *lines: tuple[str, str]) -> Brief:
    """A paper with news, or a notice."""
    url = f"{BASE}/papers/2401.00001"
    return Brief(title, url, tuple(Line(said, f"{url}#claims", text) for said, text in lines))


OWN = replace(
    SHEET,
    subject="News: Bela Beispiel answered you, and 2 more things",
    dateline="Saturday, 21 November 2026",
    audit="",
    url="",
    whole="",
    columns=(),
    remarks=("No new edition of the day was printed. arXiv announces nothing on a Saturday.",),
    papers=0,
    briefs=(
        Briefs(
            "For you", f"{BASE}/notices", (brief(f"{BELA} answered you", ("A Lamp for Every Step", "")),), 1, ("", "")
        ),
        Briefs(
            "Papers you follow",
            f"{BASE}/desk#news",
            (
                brief(
                    "Harbours Without Water: Optimal Transport between Schrödinger Bridges in ℝ^(d×k)",
                    ("Version 3, of 20 November 2026", ""),
                    ("Code was found", ""),
                    ("Measured: holds in direction", "Bridges meet in half the steps of the best baseline."),
                    (f"2 comments, the last by {DORDE}", ""),
                ),
                brief("Endless" * 17, (f"A comment by {'Ada' * 60}", "unbroken" * 15)),
            ),
            14,
            ("more paper with news", "more papers with news"),
        ),
    ),
)


@pytest.fixture(params=["light", "dark"])
def theme(request: pytest.FixtureRequest) -> str:
    """The theme of the reader's machine."""
    return str(request.param)


@pytest.fixture(params=[390, 800])
def page(browser: Browser, request: pytest.FixtureRequest, theme: str) -> Iterator[Page]:
    """A window of that width; a request of any kind fails the test."""
    asked: list[str] = []
    context = browser.new_context(viewport={"width": request.param, "height": 900}, color_scheme=theme)  # type: ignore[arg-type]  # one of two words
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    yield page
    context.close()
    assert asked == []


@pytest.mark.parametrize(
    ("name", "sheet"),
    [
        pytest.param("digest", SHEET, id="digest"),
        pytest.param("digest-endless", WITHOUT_END, id="digest-endless"),
        pytest.param("digest-own", OWN, id="what is hers alone"),
        pytest.param("digest-all", replace(SHEET, briefs=OWN.briefs), id="both"),
    ],
)
def test_it_fits_and_loads_nothing(page: Page, theme: str, name: str, sheet: Sheet, screenshots: Path) -> None:
    page.set_content(body(sheet).html)
    width = page.viewport_size["width"] if page.viewport_size else 0
    page.screenshot(path=screenshots / f"{name}-{width}-{theme}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_it_is_as_dark_as_the_reader_wants_it(page: Page, theme: str) -> None:
    page.set_content(body(SHEET).html)
    ground = page.evaluate("getComputedStyle(document.querySelector('.ground')).backgroundColor")
    ink = page.evaluate("getComputedStyle(document.querySelector('.lead-headline a')).color")
    assert (ground, ink) == {
        "light": ("rgb(252, 250, 245)", "rgb(27, 25, 22)"),
        "dark": ("rgb(22, 21, 19)", "rgb(233, 228, 216)"),
    }[theme]
