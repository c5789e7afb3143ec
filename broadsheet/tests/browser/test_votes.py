"""People vote, propose, claim and pick in a real browser, with scripts and without; merged papers have their votes.

The instance is one of its own, with accounts; sessions are made for the cast beforehand.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = pytest.mark.browser

PATIENCE = 90.0  # seconds; a busy machine is not a failed test

_MAKING = """
import json
from datetime import date
import django
django.setup()
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore
from broadsheet.cli import preparing
from broadsheet.community.actions.authorship import claim_authorship
from broadsheet.community.actions.picks import pick_paper
from broadsheet.community.actions.submissions import propose_paper
from broadsheet.papers import queries as papers
from broadsheet.papers.actions import store_many
from broadsheet.testing import people
from broadsheet.testing.cast import ADA, HARBOUR, LANTERN, MEADOW

preparing.prepare_tables(lambda sentence: None)
store_many([LANTERN, HARBOUR, MEADOW])
preparing.publish(lambda sentence: None)
meadow = papers.find("math/0611800")
claim_authorship(by=people.bela(), paper_id=meadow.id, author=ADA, note="My page says so.")
propose_paper(by=people.curator(), text="2402.00001", note="Read the proof.")
pick_paper(by=people.curator(), paper_id=meadow.id, day=date(2000, 1, 1), note="Another day's.")
keys = {}
for person in (people.ada(), people.bela(), people.curator()):
    session = SessionStore()
    session[SESSION_KEY] = str(person.id)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = get_user_model().objects.get(id=person.id).get_session_auth_hash()
    session.save()
    keys[person.name] = session.session_key
print(json.dumps(keys))
"""

_MERGING = """
import django
django.setup()
from broadsheet.community import tasks
from broadsheet.papers.actions import merge_papers
merge_papers(winner_key="2401.00001", loser_key="2401.00002", reason="one work")
while tasks.follow_papers():
    pass
"""

_PARTING = """
import django
django.setup()
from broadsheet.community import tasks
from broadsheet.papers.actions import unmerge_papers
unmerge_papers(key="2401.00002", reason="two works")
while tasks.follow_papers():
    pass
"""


@dataclass
class Newspaper:
    """A running instance: where it is, the sessions of the cast, and a way to run a script beside it."""

    address: str
    sessions: dict[str, str]
    environ: dict[str, str]

    def run(self, script: str) -> None:
        subprocess.run([sys.executable, "-c", script], env=self.environ, check=True, timeout=PATIENCE)

    def reader(self, browser: Browser, name: str = "", *, scripts: bool = True, width: int = 1280) -> BrowserContext:
        """A browser of that person, or of a visitor."""
        context = browser.new_context(java_script_enabled=scripts, viewport={"width": width, "height": 900})
        if name:
            context.add_cookies([{"name": "session", "value": self.sessions[name], "url": self.address}])
        return context


@pytest.fixture(scope="module")
def newspaper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newspaper]:
    """A newspaper with three papers and accounts; ended after the last test of this file."""
    data = tmp_path_factory.mktemp("voters") / "data"
    data.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ = {
        **{name: text for name, text in os.environ.items() if name != "DATABASE_URL"},
        "BROADSHEET_DATA": str(data),
        "BROADSHEET_MODEL": "none",
        "BROADSHEET_ACCOUNTS": "yes",
        "BROADSHEET_STARTER": "no",
        "BROADSHEET_SECRET_KEY": "what sessions made here are signed with, for the server too",
        "DJANGO_SETTINGS_MODULE": "broadsheet.config.settings",
    }
    made = subprocess.run(
        [sys.executable, "-c", _MAKING], env=environ, check=True, timeout=PATIENCE, capture_output=True, text=True
    )
    server = subprocess.Popen(
        [sys.executable, "-m", "broadsheet", "serve", "--port", str(port)],
        env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{address}/healthz", server)
        yield Newspaper(address, json.loads(made.stdout.splitlines()[-1]), environ)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(PATIENCE)


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        assert server.poll() is None, "the server ended"
        assert time.monotonic() < until, "the server did not answer in time"
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)


LANTERN_PAGE, HARBOUR_PAGE = "/papers/2401.00001", "/papers/2401.00002"


def count(page: Page) -> str:
    return page.locator(".head .vote .count").inner_text()


class TestVoting:
    def test_with_scripts_the_arrow_answers_without_a_new_page(self, newspaper: Newspaper, browser: Browser) -> None:
        with newspaper.reader(browser, "bela") as context:
            page = context.new_page()
            page.goto(newspaper.address + LANTERN_PAGE)
            page.evaluate("window.stayed = true")
            page.locator(".head [data-vote]").click()
            page.locator(".head .vote.on").wait_for()
            assert (count(page), page.evaluate("window.stayed")) == ("1", True)
            page.locator(".head [data-vote]").click()
            page.locator(".head .vote:not(.on)").wait_for()
            assert count(page) == "0"

    def test_the_key_v_votes_for_the_paper_in_focus(self, newspaper: Newspaper, browser: Browser) -> None:
        with newspaper.reader(browser, "bela") as context:
            page = context.new_page()
            page.goto(f"{newspaper.address}/date/2024-01-02")
            page.keyboard.press("j")
            page.keyboard.press("v")
            page.locator(".card.here .vote.on").wait_for()
            page.keyboard.press("v")
            page.locator(".card.here .vote:not(.on)").wait_for()

    def test_without_scripts_by_a_plain_form(self, newspaper: Newspaper, browser: Browser) -> None:
        with newspaper.reader(browser, "ada", scripts=False, width=390) as context:
            page = context.new_page()
            page.goto(newspaper.address + LANTERN_PAGE)
            page.locator(".head [data-vote]").click()
            assert (count(page), page.locator(".head .vote.on").count()) == ("1", 1)
            page.locator(".head [data-vote]").click()
            assert count(page) == "0"

    def test_a_visitor_is_led_to_sign_in(self, newspaper: Newspaper, browser: Browser) -> None:
        with newspaper.reader(browser) as context:
            page = context.new_page()
            page.goto(newspaper.address + LANTERN_PAGE)
            page.locator(".head [data-vote]").click()
            assert re.search(r"/account/sign-in\?next=/papers/2401\.00001", page.url)

    def test_papers_that_are_merged_have_each_persons_vote_once_and_their_own_again_afterwards(
        self, newspaper: Newspaper, browser: Browser
    ) -> None:
        with newspaper.reader(browser, "ada") as ada, newspaper.reader(browser, "bela") as bela:
            page, other = ada.new_page(), bela.new_page()
            for where in (LANTERN_PAGE, HARBOUR_PAGE):
                page.goto(newspaper.address + where)
                page.locator(".head [data-vote]").click()
                page.locator(".head .vote.on").wait_for()
            other.goto(newspaper.address + HARBOUR_PAGE)
            other.locator(".head [data-vote]").click()
            other.locator(".head .vote.on").wait_for()
            newspaper.run(_MERGING)
            page.goto(newspaper.address + HARBOUR_PAGE)
            assert page.url.endswith(LANTERN_PAGE)
            assert (count(page), page.locator(".head .vote.on").count()) == ("2", 1)
            newspaper.run(_PARTING)
            counts = []
            for where in (LANTERN_PAGE, HARBOUR_PAGE):
                page.goto(newspaper.address + where)
                counts.append(count(page))
            assert counts == ["1", "2"]


class TestProposingAndClaiming:
    @pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
    def test_a_proposal_waits_with_its_state_and_is_withdrawn(
        self, newspaper: Newspaper, browser: Browser, *, scripts: bool
    ) -> None:
        with newspaper.reader(browser, "ada", scripts=scripts, width=390) as context:
            page = context.new_page()
            page.goto(f"{newspaper.address}/propose")
            page.fill("#paper", "a paper about lamps")
            page.click("main form.sheet button")
            assert "no identifier" in page.locator("#paper-wrong").inner_text()
            page.fill("#paper", "https://arxiv.org/abs/2402.00007")
            page.fill("#note", "Read the proof.")
            page.click("main form.sheet button")
            page.wait_for_url("**/proposals")
            assert "waits" in page.locator("#proposals .card").first.inner_text()
            page.locator("#proposals .card form button").first.click()
            page.wait_for_load_state()
            assert "withdrawn" in page.locator("#proposals .card").first.inner_text()

    def test_an_author_claims_a_curator_confirms_and_the_author_links(
        self, newspaper: Newspaper, browser: Browser
    ) -> None:
        with newspaper.reader(browser, "ada") as ada, newspaper.reader(browser, "dorde") as curator:
            page, desk = ada.new_page(), curator.new_page()
            page.goto(newspaper.address + LANTERN_PAGE)
            page.get_by_role("link", name="Are you an author?").click()
            page.select_option("#author", label="Ada Example")
            page.fill("#note", "See my page.")
            page.get_by_role("button", name="This is my paper").click()
            page.wait_for_url("**/papers/2401.00001*")
            assert "A curator has not decided yet." in page.locator("#authors").inner_text()
            desk.goto(f"{newspaper.address}/claims")
            waiting = desk.locator("[data-claim]", has_text="Lantern")
            waiting.locator("input[name=reason]").fill("Her page says so.")
            waiting.get_by_role("button", name="Confirm").click()
            desk.wait_for_load_state()
            page.goto(newspaper.address + LANTERN_PAGE)
            assert "is confirmed as author" in page.locator("#authors").inner_text()
            page.get_by_text("Link something").click()
            page.fill("#link-url", "https://example.org/wick")
            page.get_by_role("button", name="Link", exact=True).click()
            page.wait_for_load_state()
            page.get_by_role("link", name="example.org/wick").wait_for()

    def test_a_pick_stands_on_the_front_page(self, newspaper: Newspaper, browser: Browser) -> None:
        with newspaper.reader(browser, "dorde") as curator, newspaper.reader(browser) as visitor:
            page, front = curator.new_page(), visitor.new_page()
            page.goto(f"{newspaper.address}/papers/math/0611800")
            page.get_by_text("Pick it for the front page").click()
            page.fill("#pick-note", "An old one that still shines.")
            page.get_by_role("button", name="Pick", exact=True).click()
            page.wait_for_load_state()
            # Answers to visitors are kept for a moment.
            time.sleep(2.5)
            front.goto(newspaper.address)
            assert "Picked by Đorđe Primer: An old one that still shines." in front.locator("main").inner_text()


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_are_sound_at_both_widths(
    newspaper: Newspaper, browser: Browser, screenshots: Path, width: int, scheme: str
) -> None:
    with newspaper.reader(browser, "dorde", width=width) as context:
        page = context.new_page()
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        for where in (LANTERN_PAGE, "/propose", "/proposals", "/votes", "/claim?paper=2401.00002", "/claims", "/"):
            page.goto(newspaper.address + where)
            page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
            name = re.sub(r"\W+", "-", where).strip("-") or "front"
            page.screenshot(path=screenshots / f"people-{name}-{width}-{scheme}.png", full_page=True)
            assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), where
            found = Axe().run(page)
            assert found.violations_count == 0, (where, found.generate_report())
