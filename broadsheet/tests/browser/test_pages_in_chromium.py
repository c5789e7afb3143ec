"""Every page in a real browser: both themes, phone and desk, without scripts, on paper."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from conftest import Reader

pytestmark = pytest.mark.browser

PAGES = {
    "front": "/",
    "edition": "/month/2024-01",
    "first edition, page 2": "/editions/first?page=2",
    "edition with an audit": "/date/2024-01-09",
    "week with an audit": "/week/2024-W02",
    "no edition": "/date/2024-01-06",
    "no edition, source down": "/date/2024-01-10",
    "editions": "/editions",
    "sections": "/sections",
    "section": "/section/learning-theory",
    "paper": "/papers/2401.00001",
    "paper with a claim": "/papers/2101.04442",
    "paper with two identifiers": "/papers/2401.00002",
    "paper without end": "/papers/2401.00009",
    "search for words without end": "/search?q=category:math.ST+sort:newest",
    "author": "/author/ada-example",
    "search": "/search?q=gradient+norms",
    "search without result": "/search?q=xylophone",
    "search for an unknown paper": "/search?q=2501.99999",
    "how to search": "/search",
    "status": "/status",
    "about": "/about",
    "ranking": "/about/ranking",
    "keys": "/about/keys",
    "saved": "/saved",
    "not here": "/nowhere",
}
WIDTHS = {"phone": 390, "desk": 1280}
AXE = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}}


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than the window."""
    width: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return width


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS.keys())
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_accessible_and_fits(
    browser: Browser, address: str, screenshots: Path, make_reader: type[Reader], name: str, width: int, theme: str
) -> None:
    """axe finds no violation; nothing scrolls sideways; no script fails; nobody else is asked for anything."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme, reduced_motion="reduce")
    try:
        reader = make_reader(context, address)
        page = reader.open(PAGES[name])
        page.screenshot(
            path=screenshots / f"{name.replace(',', '').replace(' ', '-')}-{width}-{theme}.png", full_page=True
        )
        found = Axe().run(page, options=AXE)
        assert found.violations_count == 0, found.generate_report()
        assert overflow(page) <= 0
        assert reader.errors == []
        assert reader.elsewhere == []
    finally:
        context.close()


@pytest.mark.parametrize("name", PAGES)
def test_without_scripts_every_page_reads_the_same(browser: Browser, address: str, name: str) -> None:
    """The text with and without scripts differs only in what scripts add: the words on buttons, the saved papers."""

    def text(*, scripts: bool) -> str:
        context = browser.new_context(java_script_enabled=scripts, viewport={"width": 1280, "height": 900})
        try:
            page = context.new_page()
            page.goto(address + PAGES[name])
            for added in ("button[data-save]", "#keys-switch", "#saved-list", "[role=status]") if scripts else ():
                page.evaluate("(what) => document.querySelectorAll(what).forEach((one) => one.remove())", added)
            return page.locator("main").inner_text()
        finally:
            context.close()

    without = text(scripts=False)
    assert len(without) > 100
    if name != "saved":
        assert without.split() == text(scripts=True).split()


@pytest.mark.parametrize("path", ["/papers/2401.00001", "/date/2024-01-02", "/section/cs.LG"])
def test_mathematics_is_drawn_by_the_browser(reader: Reader, path: str) -> None:
    page = reader.open(path)
    formulae = page.locator("main math")
    assert formulae.count() >= 1
    for box in (formulae.nth(place).bounding_box() for place in range(formulae.count())):
        assert box is not None
        assert box["width"] > 4
        assert box["height"] > 8


def test_formulae_do_not_break_the_rhythm_of_lines(reader: Reader) -> None:
    """A formula in a line is at most half as high again as the line."""
    page = reader.open("/papers/2401.00001")
    line = page.evaluate("parseFloat(getComputedStyle(document.querySelector('.body .text')).lineHeight)")
    box = page.locator(".body .text math").first.bounding_box()
    assert box is not None
    assert box["height"] <= 1.5 * line


def test_the_front_page_prints_as_a_newspaper(reader: Reader, screenshots: Path) -> None:
    """Black on white, without the furniture of the screen; kept as a picture and as a PDF."""
    page = reader.open("/")
    page.pdf(path=screenshots / "front-print.pdf", prefer_css_page_size=True)
    page.emulate_media(media="print", color_scheme="dark")
    page.set_viewport_size({"width": 703, "height": 1035})
    page.screenshot(path=screenshots / "front-print.png")
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    for furniture in (".bar", ".find", ".pages", ".skip"):
        assert not page.locator(furniture).first.is_visible(), furniture
    assert page.locator(".nameplate").is_visible()


def test_text_can_be_twice_as_large(reader: Reader) -> None:
    """WCAG 1.4.4 and 1.4.10: 200 % text on a window of 640 pixels needs no sideways scrolling."""
    reader.page.set_viewport_size({"width": 640, "height": 900})
    for path in ("/", "/papers/2101.04442", "/status"):
        page = reader.open(path)
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert overflow(page) <= 0, path


def test_the_first_tab_leads_past_the_masthead(reader: Reader) -> None:
    page = reader.open("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main"
