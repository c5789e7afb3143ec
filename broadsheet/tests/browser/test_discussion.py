"""Discussions and moderation in a real browser: with scripts and without, on a telephone and on a desk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client

from broadsheet.accounts.rules import Person
from broadsheet.community.actions import moderating
from broadsheet.community.actions.commenting import post_comment
from broadsheet.community.models.comments import Comment
from broadsheet.community.rules.commenting import Draft
from broadsheet.community.rules.moderating import Deed, Reason, Ruling, Subject, Target
from broadsheet.papers import queries as papers
from broadsheet.papers.actions import merge_papers, store_many, unmerge_papers
from broadsheet.testing import people
from broadsheet.testing.cast import HARBOUR, LANTERN

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAPER = "/papers/2401.00001"
AXE = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}}

Window = Callable[..., "Page"]


@pytest.fixture
def window(browser: Browser, live_server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Window]:
    """Opens a page as somebody: `window(ada(), PAPER, width=390, scripts=False)`. All are closed at the end."""
    # The server of a test looks for static files elsewhere than ours does.
    monkeypatch.setattr(finders, "find", lambda path, **_: str(Path(settings.STATIC_ROOT) / path))
    store_many([LANTERN, HARBOUR])
    opened: list[BrowserContext] = []

    def open_window(person: Person | None, path: str, *, width: int = 1280, scripts: bool = True, **more: Any) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, java_script_enabled=scripts, base_url=live_server.url, **more
        )
        opened.append(context)
        if person:
            key = people.signed_in(Client(), person).cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": live_server.url}])
        page = context.new_page()
        page.goto(path)
        return page

    yield open_window
    for context in opened:
        context.close()


def said(by: Person, body: str, parent: int | None = None, *, key: str = "2401.00001") -> int:
    paper = papers.find(key)
    assert paper is not None
    at = datetime.now(UTC) + timedelta(hours=Comment.objects.count())
    return post_comment(by=by, paper_id=paper.id, draft=Draft(body, parent), now=at)


def test_a_comment_with_mathematics_is_written_and_edited_without_a_reload(window: Window) -> None:
    page = window(people.ada(), PAPER)
    page.evaluate("window.same = true")
    page.fill("#write-body", "Why not $\\ell_1$?")
    page.click("#write-form button[value=preview]")
    page.wait_for_selector("#write-form .preview math")
    page.click("#write-form button[value=publish]")
    page.wait_for_selector("article.comment .said math")
    page.click("article.comment a:has-text('Edit')")
    page.fill("article.comment textarea", "Why not $\\ell_\\infty$?")
    page.click("article.comment button[value=publish]")
    page.wait_for_selector("article.comment a:has-text('edited')")
    assert page.evaluate("window.same") is True
    assert page.locator("article.comment .said math").get_attribute("alttext") == "\\ell_\\infty"
    page.click("article.comment a:has-text('edited')")
    page.wait_for_selector("h1:has-text('History')")
    assert page.locator("main .said math").count() == 2


def test_a_comment_that_is_refused_keeps_its_text_without_a_reload(window: Window) -> None:
    page = window(people.ada(), PAPER)
    text = "https://a.example https://b.example https://c.example"
    page.fill("#write-body", text)
    page.click("#write-form button[value=publish]")
    page.wait_for_selector("[role=alert]")
    assert page.input_value("#write-body") == text


def test_a_comment_is_flagged_folded_appealed_and_restored(window: Window) -> None:
    said(people.ada(), "Buy lamps")
    people.operator()
    bela = window(people.bela(), PAPER)
    bela.click("summary:has-text('More')")
    bela.click("a:has-text('Flag')")
    bela.check("input[value=spam]")
    bela.click("button:has-text('Ask moderators')")
    bela.wait_for_selector("h1:has-text('Flagged')")

    eva = window(people.moderator(), "/moderation")
    eva.click("a:has-text('Decide')")
    eva.check("input[value=fold]")
    eva.check("input[value=spam]")
    eva.fill("#words", "no selling")
    eva.click("button:has-text('Decide')")
    eva.wait_for_selector("text=What was decided before")
    visitor = window(None, PAPER)
    assert not visitor.locator("text=Buy lamps").is_visible()
    visitor.click("summary:has-text('folded this comment away')")
    assert visitor.locator("text=Buy lamps").is_visible()

    ada = window(people.ada(), "/notices")
    assert "1" in ada.locator("nav .waits").inner_text()
    ada.click("a:has-text('Appeal')")
    ada.fill("#words", "they are free")
    ada.click("main button:has-text('Appeal')")
    ada.wait_for_selector("text=Not decided yet")

    fatou = window(people.operator(), "/moderation")
    fatou.fill("textarea[name=answer]", "so they are")
    fatou.click("button:has-text('Grant')")
    fatou.wait_for_selector("text=Nobody has appealed")
    visitor.goto("/moderation/log")
    assert "It was undone" in visitor.inner_text("main")
    visitor.goto(PAPER)
    assert visitor.locator("text=Buy lamps").is_visible()


def test_everything_works_without_scripts(window: Window) -> None:
    page = window(people.ada(), PAPER, scripts=False)
    page.fill("#write-body", "one $x^2$")
    page.click("button[value=preview]")
    assert page.locator(".preview math").count() == 1
    page.click("button[value=publish]")
    assert "#comment-" in page.url
    bela = window(people.bela(), PAPER, scripts=False)
    bela.click("a:has-text('Quote')")
    assert bela.input_value("textarea").startswith("> one $x^2$")
    bela.locator("textarea").fill("> one\n\ntwo")
    bela.click("button[value=publish]")
    assert bela.locator("article.depth-1 blockquote").inner_text() == "one"
    bela.locator("article.depth-1 button:has-text('Remove')").click()
    bela.locator("article.depth-1 button:has-text('Undo')").click()
    assert bela.locator("article.depth-1 blockquote").count() == 1
    bela.locator("article.depth-0 summary:has-text('More')").first.click()
    bela.locator("article.depth-0 button:has-text('Mute her')").click()
    assert not bela.locator("article.depth-0 .said").first.is_visible()


def test_comments_of_two_papers_come_together_and_apart(window: Window) -> None:
    said(people.ada(), "on lantern")
    said(people.bela(), "on harbour", key="2401.00002")
    page = window(None, PAPER)
    assert page.locator("article.comment").count() == 1
    merge_papers(winner_key="2401.00001", loser_key="2401.00002", reason="one work")
    page.goto("/papers/2401.00002")
    assert page.url.endswith(PAPER)
    assert page.locator("article.comment .said").all_inner_texts() == ["on lantern", "on harbour"]
    unmerge_papers(key="2401.00002", reason="two works")
    page.reload()
    assert page.locator("article.comment .said").all_inner_texts() == ["on lantern"]


def test_a_long_thread_can_be_read_and_its_pages_are_accessible(window: Window, screenshots: Path) -> None:
    """Ten answers below each other, formulae and words without end, on all pages of this part, in both themes."""
    first = parent = said(
        people.ada(), f"# A heading\n\n{'unbroken' * 40} and $${' + '.join('abcdefghij' * 6)}$$\n\n- a\n- b"
    )
    for depth in range(9):
        by = people.bela() if depth % 2 else people.ada()
        parent = said(by, f"> {'unbroken' * 9}\n\nanswer {depth}, `code {'x' * 50}`\n\n```\n{'y' * 200}\n```", parent)
    subject = Subject(Target.COMMENT, parent)
    moderating.flag(by=people.chloe(), subject=subject, reason=Reason.OTHER, words="unbroken" * 40)
    act = moderating.moderate(
        by=people.operator(), subject=subject, ruling=Ruling(Deed.FOLD, Reason.SPAM, "unbroken" * 40)
    )
    moderating.flag(by=people.chloe(), subject=Subject(Target.PERSON, people.ada().id), reason=Reason.SPAM)
    pages = {
        "discussion": (people.moderator(), PAPER),
        "discussion of a visitor": (None, PAPER),
        "answer": (people.bela(), f"/comment?paper=2401.00001&reply={first}&quote=1"),
        "history": (None, f"/comments/{parent - 1}/history"),
        "notices": (people.bela() if parent % 2 == 0 else people.ada(), "/notices"),
        "notice settings": (people.ada(), "/notices/settings"),
        "flag": (people.chloe(), f"/flag?target=comment&id={first}"),
        "queue": (people.moderator(), "/moderation"),
        "decide": (people.moderator(), f"/moderation/decide?target=comment&id={parent}"),
        "decide about a person": (people.moderator(), f"/moderation/decide?target=person&id={people.ada().id}"),
        "log": (None, "/moderation/log"),
        "appeal": (people.bela() if 8 % 2 else people.ada(), f"/moderation/appeal?act={act}"),
    }
    wrong = []
    for name, (person, path) in pages.items():
        for width in (390, 1280):
            for theme in ("light", "dark"):
                page = window(person, path, width=width, color_scheme=theme)
                if name == "discussion":
                    for summary in page.locator(".doings summary").all():
                        summary.click()
                page.screenshot(path=screenshots / f"talk {name} {width} {theme}.png", full_page=True)
                over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                found = Axe().run(page, options=AXE).response["violations"]
                told = [f"{each['id']}: {each['nodes'][0]['target']}" for each in found]
                if over > 0 or told:
                    wrong.append((name, width, theme, over, told))
                page.context.close()
    assert not wrong, "\n".join(map(str, wrong))
