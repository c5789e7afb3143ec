"""A reader keeps papers: with scripts and without, on an instance of her own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from conftest import Reader

pytestmark = pytest.mark.browser

BIBTEX = """@article{a, title={Gardens Without Walls}, author={Primer, Đorđe}, doi={10.1000/gardens}, keywords={plants}}
@misc{b, author={Nobody}}
"""
AXE = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}}


@pytest.fixture(params=[True, False], ids=["with scripts", "without scripts"])
def desk(request: pytest.FixtureRequest, browser: Browser, address: str, make_reader: type[Reader]) -> Iterator[Reader]:
    """A window with scripts or without, and an empty library behind it."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, java_script_enabled=request.param)
    reader = make_reader(context, address)
    empty(reader)
    yield reader
    assert reader.errors == []
    context.close()


def empty(reader: Reader) -> None:
    """Take everything out of the library, and its shelves away, by the buttons that there are."""
    page = reader.open("/library")
    ticks = page.locator("input[form=several]")
    if ticks.count():
        for tick in ticks.all():
            tick.check()
        page.get_by_role("button", name="take out", exact=True).click()
    page = reader.open("/library/shelves")
    while page.locator(".tree a").count():
        page.locator(".tree a").first.click()
        page.get_by_role("button", name="Remove the shelf").click()
        page = reader.open("/library/shelves")


def titles(page: Page) -> list[str]:
    """The titles of the list on the page."""
    return [title.split(":")[0] for title in page.locator(".cards .headline").all_inner_texts()]


def test_save_note_shelve_import_export_remove_and_undo(desk: Reader) -> None:
    page = desk.open("/papers/2401.00001")
    page.get_by_label("State").select_option("read")
    page.get_by_label("Rating").select_option("4")
    page.get_by_label("Tags").fill("steps")
    page.get_by_label("Note").fill("Holds for convex functions only.")
    page.get_by_role("button", name="Save in the library").click()
    assert page.get_by_label("Note").input_value() == "Holds for convex functions only."

    page = desk.open("/library/shelves")
    page.get_by_label("Name").fill("Steps")
    page.get_by_role("button", name="Make the shelf").click()
    for paper in ("2401.00001", "https://arxiv.org/abs/2401.00002"):
        page.get_by_label("Add a paper").fill(paper)
        page.get_by_role("button", name="Put it here").click()
    assert titles(page) == ["Lantern", "Harbour"]
    page.locator("[data-paper='2401.00002'] button[value=up]").click()
    assert titles(page) == ["Harbour", "Lantern"]

    page = desk.open("/library/import")
    page.get_by_label("references, pasted").fill(BIBTEX)
    page.get_by_role("button", name="Read it").click()
    told = page.locator("main").inner_text().replace("\xa0", " ")
    assert "2 items read" in told
    assert "it has no title" in told

    page = desk.open("/library?tag=steps")
    assert titles(page) == ["Lantern"]
    taken = json.loads(page.request.get(f"{desk.address}/library/export.json").body())
    assert len(taken["papers"]) == 3
    assert taken["papers"][-1]["note"] == "Holds for convex functions only."
    assert [shelf["path"] for shelf in taken["shelves"]] == [["Steps"]]

    page.locator("input[form=several]").check()
    page.get_by_role("button", name="take out", exact=True).click()
    page.get_by_role("button", name="Undo").first.click()
    page = desk.open("/library")
    assert sorted(titles(page)) == ["Gardens Without Walls", "Harbour", "Lantern"]
    assert "Holds for convex functions only." in page.locator("main").inner_text()


def test_the_button_of_a_card_saves_and_takes_out(desk: Reader) -> None:
    page = desk.open("/date/2024-01-02")
    card = page.locator("[data-paper='2401.00001']")
    card.locator("[data-keep]").click()
    card.locator(".keep.on").wait_for()
    assert page.url.startswith(f"{desk.address}/date/2024-01-02")
    assert titles(desk.open("/library")) == ["Lantern"]


def test_with_scripts_the_key_saves_without_leaving_the_page(
    browser: Browser, address: str, make_reader: type[Reader]
) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    reader = make_reader(context, address)
    empty(reader)
    page = reader.open("/date/2024-01-02")
    page.evaluate("window.stayed = true")
    card = page.locator("[data-paper='2401.00001']")
    card.locator(".headline a").focus()
    for key, shows in (("s", ".keep.on"), ("s", "[data-undo]"), ("u", ".keep.on")):
        page.keyboard.press(key)
        card.locator(shows).wait_for()
        expect(page.locator(".htmx-request, .htmx-added, .htmx-settling")).to_have_count(0)
    assert page.evaluate("window.stayed")
    assert reader.errors == []
    context.close()


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize(
    "path",
    [
        *("/library", "/library/shelves", "/library/import", "/library/undo", "/groups", "/papers/2401.00002"),
        *("/desk", "/follows"),
    ],
)
def test_a_page_is_accessible_and_fits(
    browser: Browser, address: str, make_reader: type[Reader], path: str, width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme="dark")
    reader = make_reader(context, address)
    page = reader.open(path)
    found = Axe().run(page, options=AXE)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    assert reader.errors == []
    context.close()
