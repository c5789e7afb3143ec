"""Searching in a real browser: suggestions while typing, filters, reasons, related papers."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import pytest
from axe_playwright_python.sync_playwright import Axe

from broadsheet.testing.cast import ADA, BELA, arxiv, said

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page, Route

    from conftest import Reader

pytestmark = pytest.mark.browser

AXE = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}}
WIDTHS = {"phone": 390, "desk": 1280}
SUGGESTIONS = "**/search/suggestions?*"
PAGES = {
    "search with filters": "/search?q=gradient+author%3AExample+category%3Acs.LG+year%3A2023..2025+-survey",
    "search misspelt": "/search?q=gradeint+norms",
    "search, the newest first": "/search?q=gradient+sort%3Anewest",
    "why": "/search/why?q=gradient+norms&paper=2401.00001",
}


def typed(page: Page, text: str) -> Locator:
    """The suggestions for a text that somebody types; at least one must come."""
    page.locator("#q").click()
    page.keyboard.type(text)
    page.wait_for_selector("#q-suggestions:not([hidden]) [role=option]")
    return page.locator("#q-suggestions [role=option]")


def marked(page: Page) -> int:
    """Which suggestion is marked, counted from 0; -1 when the field itself is. Both signs of it must agree."""
    chosen = page.eval_on_selector_all(
        "#q-suggestions [role=option]",
        "all => all.map((one, n) => one.getAttribute('aria-selected') === 'true' ? n : -1).filter((n) => n >= 0)",
    )
    active = page.locator("#q").get_attribute("aria-activedescendant")
    assert len(chosen) <= 1
    assert active == (f"q-suggestions-{chosen[0]}" if chosen else None)
    return chosen[0] if chosen else -1


def is_open(page: Page) -> bool:
    """Whether the list is shown; what is said of it must be true."""
    shown = page.locator("#q-suggestions").is_visible()
    assert page.locator("#q").get_attribute("aria-expanded") == ("true" if shown else "false")
    return shown


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than the window."""
    width: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return width


class TestSuggestions:
    """The combobox: https://www.w3.org/WAI/ARIA/apg/patterns/combobox/"""

    def test_typing_opens_a_list_whose_length_is_announced(self, reader: Reader) -> None:
        page = reader.open("/about")
        field = page.locator("#q")
        assert field.get_attribute("role") == "combobox"
        assert field.get_attribute("aria-controls") == "q-suggestions"
        assert not is_open(page)
        count = typed(page, "Lantern").count()
        assert is_open(page)
        said_words = page.locator("form.find [role=status]").text_content()
        assert said_words == (f"{count} suggestions" if count > 1 else "1 suggestion")
        assert marked(page) == -1
        assert field.input_value() == "Lantern"

    def test_arrows_go_round_through_the_list_and_the_field(self, reader: Reader) -> None:
        page = reader.open("/about")
        count = typed(page, "gradient").count()
        assert count > 1
        seen = []
        for _ in range(count + 1):
            page.keyboard.press("ArrowDown")
            seen.append(marked(page))
        assert seen == [*range(count), -1]
        page.keyboard.press("ArrowUp")
        assert marked(page) == count - 1
        assert page.locator("#q").input_value() == "gradient"

    def test_enter_opens_the_marked_paper(self, reader: Reader) -> None:
        page = reader.open("/about")
        typed(page, "Lantern: Step")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.wait_for_url("**/papers/2401.00001")

    def test_enter_with_nothing_marked_searches_for_what_was_typed(self, reader: Reader) -> None:
        page = reader.open("/about")
        typed(page, "Lantern")
        page.keyboard.press("Enter")
        page.wait_for_url("**/search?q=Lantern")

    def test_a_name_narrows_the_search(self, reader: Reader) -> None:
        page = reader.open("/about")
        options = typed(page, "gradient Ada Exam")
        options.filter(has_text="Author").first.click()
        page.wait_for_url("**/search?q=gradient+author%3A%22Ada+Example%22")
        assert page.locator("#q").input_value() == 'gradient author:"Ada Example"'

    def test_escape_closes_the_list_and_keeps_the_text_and_again_leaves_the_field(self, reader: Reader) -> None:
        page = reader.open("/about")
        typed(page, "Lantern")
        page.keyboard.press("Escape")
        assert not is_open(page)
        assert page.locator("#q").input_value() == "Lantern"
        assert page.evaluate("document.activeElement.id") == "q"
        page.keyboard.press("ArrowDown")
        assert is_open(page)
        page.keyboard.press("Escape")
        page.keyboard.press("Escape")
        assert page.evaluate("document.activeElement.id") != "q"

    def test_leaving_the_field_closes_the_list(self, reader: Reader) -> None:
        page = reader.open("/about")
        typed(page, "Lantern")
        page.keyboard.press("Tab")
        assert not is_open(page)

    def test_nothing_moves_when_the_list_opens(self, reader: Reader) -> None:
        for path in ("/", "/search?q=gradient"):
            page = reader.open(path)
            page.locator("#q").fill("")
            before = page.evaluate("JSON.stringify(document.querySelector('main').getBoundingClientRect())")
            typed(page, "Lantern")
            assert page.evaluate("JSON.stringify(document.querySelector('main').getBoundingClientRect())") == before

    def test_fast_typing_asks_once(self, reader: Reader) -> None:
        page = reader.open("/about")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url) if "suggestions?" in request.url else None)
        typed(page, "Lantern: Step")
        assert len(asked) == 1

    def test_there_is_one_question_at_a_time(self, reader: Reader) -> None:
        """A question that is out of date is taken back before the next one is asked."""
        page = reader.open("/about")
        waiting: list[Route] = []

        def hold(route: Route) -> None:
            waiting.append(route)

        page.route(SUGGESTIONS, hold)
        page.evaluate(
            """() => {
                const fetched = window.fetch, signals = [];
                window.most = 0;
                window.fetch = (address, how) => {
                    signals.push(how.signal);
                    window.most = Math.max(window.most, signals.filter((signal) => !signal.aborted).length);
                    return fetched(address, how);
                };
            }"""
        )
        page.locator("#q").click()
        for letters in ("La", "n", "t"):
            asked = len(waiting)
            page.keyboard.type(letters)
            for _ in range(100):
                page.wait_for_timeout(50)
                if len(waiting) > asked:
                    break
        assert len(waiting) == 3
        assert page.evaluate("window.most") == 1
        waiting[-1].fulfill(json={"suggestions": [{"kind": "Paper", "text": "Late", "note": "", "url": "/about"}]})
        page.wait_for_selector("#q-suggestions:not([hidden])")
        assert page.locator("#q-suggestions [role=option]").count() == 1

    @pytest.mark.parametrize("status", [500, 200], ids=["a fault", "no JSON"])
    def test_a_server_that_fails_leaves_a_plain_field(self, reader: Reader, status: int) -> None:
        page = reader.open("/about")
        page.route(SUGGESTIONS, lambda route: route.fulfill(status=status, body="<p>No."))
        page.locator("#q").click()
        page.keyboard.type("Lantern")
        page.wait_for_timeout(400)
        assert not is_open(page)
        page.keyboard.press("Enter")
        page.wait_for_url("**/search?q=Lantern")
        assert [error for error in reader.errors if "status of 500" not in error] == []

    def test_texts_are_never_markup(self, reader: Reader) -> None:
        page = reader.open("/about")
        hostile = {"kind": "<b>", "text": "<img src=x onerror=alert(1)>", "note": "<i>", "url": "/about"}
        page.route(SUGGESTIONS, lambda route: route.fulfill(json={"suggestions": [hostile]}))
        assert "<img" in (typed(page, "Lantern").first.text_content() or "")
        assert page.locator("#q-suggestions").locator("img, b, i").count() == 0

    def test_without_scripts_there_is_a_plain_field(self, browser: Browser, address: str) -> None:
        context = browser.new_context(java_script_enabled=False)
        try:
            page = context.new_page()
            page.goto(f"{address}/about")
            assert page.locator("#q").get_attribute("role") is None
            assert page.locator(".suggestions").count() == 0
            page.fill("#q", "Lantern")
            page.keyboard.press("Enter")
            page.wait_for_url("**/search?q=Lantern")
        finally:
            context.close()

    @pytest.mark.parametrize("theme", ["light", "dark"])
    @pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS.keys())
    @pytest.mark.parametrize("path", ["/", "/search?q=gradient", "/nowhere"])
    def test_the_open_list_is_accessible_and_fits(
        self, browser: Browser, address: str, make_reader: type[Reader], path: str, width: int, theme: str
    ) -> None:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=theme, reduced_motion="reduce"
        )
        try:
            reader = make_reader(context, address)
            page = reader.open(path)
            assert not is_open(page)
            page.locator("#q").fill("")
            options = typed(page, "gradient Exam")
            page.keyboard.press("ArrowDown")
            found = Axe().run(page, options=AXE)
            assert found.violations_count == 0, found.generate_report()
            assert overflow(page) <= 0
            box = page.locator("#q-suggestions").bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
            rows = [options.nth(place).bounding_box() for place in range(options.count())]
            assert all(row and row["width"] > 0.95 * box["width"] for row in rows)
            assert reader.errors == []
        finally:
            context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS.keys())
@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_searching_is_accessible_and_fits(
    browser: Browser, address: str, screenshots: Path, make_reader: type[Reader], name: str, width: int, theme: str
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme, reduced_motion="reduce")
    try:
        reader = make_reader(context, address)
        page = reader.open(PAGES[name])
        picture = f"{name.replace(',', '').replace(' ', '-')}-{width}-{theme}.png"
        page.screenshot(path=screenshots / picture, full_page=True)
        found = Axe().run(page, options=AXE)
        assert found.violations_count == 0, found.generate_report()
        assert overflow(page) <= 0
        assert reader.errors == []
        assert reader.elsewhere == []
    finally:
        context.close()


def test_a_filter_is_taken_away_by_its_link(reader: Reader) -> None:
    page = reader.open("/search?q=gradient+category%3Acs.LG")
    page.get_by_role("link", name="Take away: in Machine Learning").click()
    page.wait_for_url("**/search?q=gradient")


def test_from_a_hit_to_its_reason_and_back(reader: Reader) -> None:
    page = reader.open("/search?q=gradient+norms")
    page.get_by_role("link", name="why here").first.click()
    page.wait_for_url("**/search/why?*")
    assert page.get_by_role("heading", level=1).text_content() == "Why this paper"
    page.get_by_role("link", name="Back to what was found").click()
    page.wait_for_url("**/search?q=gradient+norms")


@pytest.fixture
def with_meaning(tmp_path: Path) -> Iterator[str]:
    """The address of an instance of eight papers that searches by meaning."""
    saved = tmp_path / "papers.jsonl"
    papers = [
        said(f"{what} {n}", by="records", key=f"{what}{n}", authors=(ADA, BELA), identifiers=(arxiv(f"2401.{n:05}"),))
        for n, what in enumerate(["Lamps", "Lanterns", "Candles", "Torches", "Harbours", "Docks", "Meadows", "Fields"])
    ]
    saved.write_bytes(b"\n".join(orjson.dumps(paper.as_json()) for paper in papers))
    program = [Path(sys.executable).with_name("broadsheet")]
    environ = {
        **os.environ,
        "BROADSHEET_DATA": str(tmp_path / "data"),
        "BROADSHEET_MODEL": "all-MiniLM-L6-v2",
        "BROADSHEET_STARTER": "no",
    }
    subprocess.run([*program, "import", saved], env=environ, check=True, timeout=60)
    with subprocess.Popen([*program, "up", "--port", "0"], env=environ, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            lines = iter(running.stdout.readline, "")
            yield next(found[1] for line in lines if (found := re.search(r"Broadsheet is at (http://\S+?)/?\s", line)))
        finally:
            running.send_signal(signal.SIGTERM)
            running.communicate(timeout=30)


def test_related_papers_stand_on_the_page_and_save_is_still_about_this_one(
    browser: Browser, with_meaning: str, make_reader: type[Reader]
) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    try:
        reader = make_reader(context, with_meaning)
        page = reader.open("/papers/2401.00000")
        for _ in range(100):
            if page.locator(".related li").count():
                break
            page.wait_for_timeout(300)
            page.reload()
        assert 1 <= page.locator(".related li").count() <= 6
        assert page.locator(".related .headline").first.text_content() == "Lanterns 1"
        assert page.locator(".related button").count() == 0
        found = Axe().run(page, options=AXE)
        assert found.violations_count == 0, found.generate_report()
        assert reader.errors == []
    finally:
        context.close()
