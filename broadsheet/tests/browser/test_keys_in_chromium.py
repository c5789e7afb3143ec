"""Triage with the keyboard, and the papers saved on this device."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from conftest import Reader

pytestmark = pytest.mark.browser


@pytest.fixture
def visitor(browser: Browser, address: str, make_reader: type[Reader]) -> Iterator[Reader]:
    """A window of somebody who comes through a proxy, and so is not the one reader of this instance."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, extra_http_headers={"X-Forwarded-For": "192.0.2.1"}
    )
    yield make_reader(context, address)
    context.close()


def here(page: Page) -> str | None:
    """The key of the paper that the keys act on; its title has the focus."""
    marked = page.locator(".card.here")
    if marked.count() == 0:
        return None
    assert marked.count() == 1
    assert page.evaluate("document.querySelector('.card.here').contains(document.activeElement)")
    return marked.get_attribute("data-paper")


def keys(page: Page) -> list[str]:
    """The papers of the page, in the order of the page."""
    found: list[str] = page.eval_on_selector_all("[data-paper]", "cards => cards.map((card) => card.dataset.paper)")
    return found


def said(page: Page) -> str:
    """What a screen reader was told last."""
    return page.locator("p[role=status]").text_content() or ""


def test_j_and_k_go_from_paper_to_paper(reader: Reader) -> None:
    page = reader.open("/")
    order = keys(page)
    assert here(page) is None
    visited = []
    for key in "jjjkj":
        page.keyboard.press(key)
        visited.append(here(page))
    assert visited == [order[0], order[1], order[2], order[1], order[2]]


def test_the_ends_of_the_list_hold(reader: Reader) -> None:
    page = reader.open("/date/2024-01-02")
    order = keys(page)
    for key in "jjjjjj":
        page.keyboard.press(key)
    assert here(page) == order[-1]
    for key in "kkkkkk":
        page.keyboard.press(key)
    assert here(page) == order[0]


def test_the_paper_that_the_keys_act_on_is_in_view(reader: Reader) -> None:
    page = reader.open("/editions/first")
    for _ in range(30):
        page.keyboard.press("j")
    box = page.locator(".card.here .headline").bounding_box()
    assert box is not None
    assert 0 <= box["y"] < 900


def test_with_nothing_chosen_j_begins_at_what_is_seen(reader: Reader) -> None:
    page = reader.open("/editions/first")
    page.evaluate("window.scrollTo({ top: 1500, behavior: 'instant' })")
    first = page.evaluate(
        "[...document.querySelectorAll('[data-paper]')].find((c) => c.getBoundingClientRect().top >= 0).dataset.paper"
    )
    page.keyboard.press("j")
    assert here(page) == first


def test_o_opens_the_paper(reader: Reader) -> None:
    page = reader.open("/")
    page.keyboard.press("j")
    key = here(page)
    page.keyboard.press("o")
    page.wait_for_url(f"**/papers/{key}")


def test_s_saves_and_u_undoes(visitor: Reader) -> None:
    page = visitor.open("/")
    page.keyboard.press("j")
    button = page.locator(".card.here button[data-save]")
    page.keyboard.press("s")
    assert button.text_content() == "saved"
    assert said(page).startswith("Saved: ")
    page.keyboard.press("u")
    assert button.text_content() == "save"
    assert said(page).startswith("Taken off: ")
    page.keyboard.press("u")
    assert said(page) == "Nothing to undo."


def test_saved_papers_are_listed_on_this_device_and_can_be_taken_off(visitor: Reader) -> None:
    page = visitor.open("/papers/2401.00001")
    page.get_by_role("button", name="save on this device").click()
    page = visitor.open("/saved")
    link = page.locator("#saved-list a")
    assert link.count() == 1
    assert link.get_attribute("href") == "/papers/2401.00001"
    assert "Kept by your browser on this device" in (page.locator("#saved-list").text_content() or "")
    page.get_by_role("button", name="take off").click()
    assert page.locator("#saved-list a").count() == 0
    assert "Nothing yet" in (page.locator("#saved-list").text_content() or "")


@pytest.mark.parametrize(
    "stored", ["{broken", '"text"', "[1, null, {}]", '[{"key": "x", "url": "javascript:alert(1)"}]']
)
def test_damaged_storage_does_no_harm(reader: Reader, stored: str) -> None:
    page = reader.open("/saved")
    page.evaluate("(text) => localStorage.setItem('broadsheet.saved', text)", stored)
    page.reload()
    assert page.locator("#saved-list").is_visible()
    assert page.locator("a[href^='javascript']").count() == 0
    assert reader.errors == []


def test_slash_goes_to_the_search_and_typing_there_is_typing(reader: Reader) -> None:
    page = reader.open("/")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "q"
    page.keyboard.type("jk?")
    assert page.locator("#q").input_value() == "jk?"
    assert here(page) is None
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.name") is None


def test_question_mark_shows_the_keys_and_escape_hides_them(reader: Reader) -> None:
    page = reader.open("/")
    page.keyboard.press("?")
    sheet = page.locator("dialog")
    assert sheet.is_visible()
    page.keyboard.press("j")
    assert here(page) is None
    page.keyboard.press("Escape")
    assert not sheet.is_visible()
    page.keyboard.press("?")
    page.keyboard.press("?")
    assert not sheet.is_visible()


def test_the_keys_can_be_turned_off(reader: Reader) -> None:
    """WCAG 2.1.4: shortcuts of a single character can be turned off."""
    page = reader.open("/about/keys")
    page.get_by_role("button", name="Turn the keys off").click()
    page = reader.open("/")
    page.keyboard.press("j")
    assert here(page) is None
    page = reader.open("/about/keys")
    page.get_by_role("button", name="Turn the keys on").click()
    page = reader.open("/")
    page.keyboard.press("j")
    assert here(page) is not None


def test_keys_with_control_are_the_browsers(reader: Reader) -> None:
    page = reader.open("/")
    page.keyboard.press("Control+j")
    assert here(page) is None
