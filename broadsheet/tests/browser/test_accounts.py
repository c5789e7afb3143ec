"""An account from its first mail to its deletion, in Chromium with a virtual authenticator and a real mail server."""

from __future__ import annotations

import re
import socket
import time
from email import message_from_bytes
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiosmtpd.controller import Controller
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.cache import cache

from broadsheet.accounts import queries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PASSWORD = "a harbour without water"


class _PostBox:
    def __init__(self) -> None:
        self.bodies: list[str] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        content = message_from_bytes(envelope.content).get_payload(decode=True)
        self.bodies.append(content.decode() if isinstance(content, bytes) else "")
        return "250 OK"

    def link(self) -> str:
        """The path of the link in the newest mail."""
        found = re.search(r"https?://[^/\s]+(/\S+)", self.bodies[-1])
        assert found, self.bodies
        return found[1]


@pytest.fixture
def post(settings: Any) -> Iterator[_PostBox]:
    """A mail server on the loopback, which the instance sends to."""
    box = _PostBox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host, port = free.getsockname()
    server = Controller(box, hostname=host, port=port)
    server.start()
    settings.BROADSHEET_MAIL = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = host, port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.DEFAULT_FROM_EMAIL = "paper@example.org"
    yield box
    server.stop()


@pytest.fixture
def page(browser: Browser, live_server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """A window in front of the instance, which fails the test for what the security policy stops."""
    # The server of a test looks for static files elsewhere than ours does.
    monkeypatch.setattr(finders, "find", lambda path, **_: str(Path(settings.STATIC_ROOT) / path))
    context = browser.new_context(base_url=live_server.url.replace("127.0.0.1", "localhost"))
    opened = context.new_page()
    stopped: list[str] = []
    opened.on("console", lambda said: stopped.append(said.text) if "Content Security Policy" in said.text else None)
    opened.on("pageerror", lambda error: stopped.append(str(error)))
    yield opened
    context.close()
    assert stopped == []


def _authenticator(page: Page) -> None:
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def _press(page: Page, name: str) -> None:
    with page.expect_navigation():
        page.locator("main").get_by_role("button", name=name, exact=True).click()


def _code(secret: str) -> str:
    return str(format_hotp_value(hotp_value(secret, int(time.time() // 30))))


def test_from_the_first_mail_to_the_last_page(page: Page, post: _PostBox) -> None:
    page.goto("/account/sign-up")
    page.fill("[name=username]", "grace")
    page.fill("[name=email]", "grace@example.org")
    page.fill("[name=password1]", PASSWORD)
    _press(page, "Make the account")
    assert "Look into your mail" in page.title()

    page.goto(post.link())
    _press(page, "Yes, confirm it")
    page.goto("/account/sign-in")
    page.fill("[name=login]", "grace")
    page.fill("[name=password]", PASSWORD)
    _press(page, "Sign in")

    page.goto("/account/keys/authenticator")
    page.fill("[name=password]", PASSWORD)
    _press(page, "Go on")
    secret = page.locator("main code").inner_text()
    page.fill("[name=code]", _code(secret))
    _press(page, "Set it up")
    recovery = page.locator("main pre").inner_text().split()
    assert len(recovery) == 10

    _authenticator(page)
    page.goto("/account/keys/passkeys/new")
    _press(page, "Add a passkey")
    page.goto("/account/keys/passkeys")
    assert "Passkey 1" in page.locator("main").inner_text()

    page.goto("/account")
    _press(page, "Sign out")
    page.goto("/account/sign-in")
    page.fill("[name=login]", "grace@example.org")
    page.fill("[name=password]", PASSWORD)
    _press(page, "Sign in")
    assert "One thing more" in page.title()
    page.fill("[name=code]", "000000")
    _press(page, "Sign in")
    assert "not right" in page.locator("main").inner_text()
    cache.clear()  # The code of these thirty seconds has been used to set the app up.
    page.fill("[name=code]", _code(secret))
    _press(page, "Sign in")

    page.goto("/account")
    _press(page, "Sign out")
    page.goto("/account/sign-in?next=/account")
    _press(page, "Sign in with a passkey")
    assert page.url.endswith("/account")
    page.fill("[name=shown]", "Grace Beispiel")
    _press(page, "Keep it")
    page.goto("/people/grace")
    assert page.locator("h1").inner_text() == "Grace Beispiel"

    page.goto("/account/delete")
    page.fill("[name=password]", PASSWORD)
    _press(page, "Go on")
    page.fill("main [name=name]", "grace")
    _press(page, "Delete the account")
    assert "The account is deleted" in page.title()
    assert queries.named("grace") is None
    assert any("passkey was added" in body for body in post.bodies)


def test_without_scripts_passkeys_are_not_offered(browser: Browser, live_server: Any) -> None:
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    opened = context.new_page()
    opened.goto("/account/sign-in")
    assert not opened.get_by_role("button", name="Sign in with a passkey").is_visible()
    assert opened.get_by_role("button", name="Sign in", exact=True).is_visible()
    context.close()
