"""Signing up, in and out, with real mails and the answers of real forms; what a stranger can and cannot learn."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from allauth.account.models import EmailAddress
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core import mail
from django.core.cache import cache, caches
from django.test import Client

from broadsheet import links
from broadsheet.accounts import actions, queries
from broadsheet.accounts.rules import Role, Scope
from broadsheet.testing.people import PASSWORD, ada, bela, signed_in
from broadsheet.web import rates

NEW = {"username": "grace", "email": "grace@example.org", "password1": "a harbour without water"}
FOREIGN = {"REMOTE_ADDR": "192.0.2.7"}


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tried is tried at one moment, however slow the machine: quotas fill up again as time goes by."""
    now = time.time()
    monkeypatch.setattr(rates.counts, "_clock", lambda: now)


@pytest.fixture(autouse=True)
def _mail(settings: Any, db: None) -> None:
    settings.BROADSHEET_MAIL = True
    settings.BROADSHEET_SIGN_UP = "open"


def _confirmed(person: Any) -> Any:
    row = get_user_model().objects.get(id=person.id)
    EmailAddress.objects.get_or_create(user=row, email=row.email, defaults={"verified": True, "primary": True})
    return row


def _link(text: str) -> str:
    found = re.search(r"http://[^/\s]+(/\S+)", text)
    assert found, text
    return found[1]


def _sign_in(client: Client, login: str, password: str, **more: Any) -> Any:
    return client.post(links.SIGN_IN, {"login": login, "password": password}, **more)


class TestSigningUp:
    def test_the_account_can_be_used_when_its_address_is_confirmed(self, client: Client) -> None:
        assert client.post(links.SIGN_UP, NEW).status_code == 302
        assert queries.named("grace") is not None
        assert _sign_in(client, "grace", NEW["password1"]).headers["Location"].endswith("/address/sent")
        assert client.get(links.ACCOUNT).status_code == 303
        link = _link(str(mail.outbox[0].body))
        assert b"grace@example.org" in client.get(link).content
        assert not EmailAddress.objects.get().verified, "looking at the link confirms nothing"
        client.post(link)
        assert EmailAddress.objects.get().verified
        for login in ("grace", "GRACE", "grace@example.org"):
            assert _sign_in(client, login, NEW["password1"]).headers["Location"] == links.FRONT
            assert client.get(links.ACCOUNT).status_code == 200
            client.post(links.SIGN_OUT)
            assert client.get(links.ACCOUNT).status_code == 303

    def test_closed(self, client: Client, settings: Any) -> None:
        settings.BROADSHEET_SIGN_UP = "closed"
        assert "made by the operator" in client.get(links.SIGN_UP).content.decode()
        client.post(links.SIGN_UP, NEW)
        assert queries.named("grace") is None

    def test_without_mail_nobody_could_confirm_an_address(self, client: Client, settings: Any) -> None:
        settings.BROADSHEET_MAIL = False
        assert "sends no mail" in client.get(links.SIGN_UP).content.decode()
        client.post(links.SIGN_UP, NEW)
        assert queries.named("grace") is None

    @pytest.mark.parametrize(
        "more",
        [
            pytest.param({"is_staff": "on", "is_moderator": "1"}, id="roles"),
            pytest.param({"id": "1", "barred_until": "", "is_active": "1"}, id="columns"),
            pytest.param({"shown": "Operator", "merged_into": "1"}, id="shown"),
        ],
    )
    def test_nothing_else_of_the_form_is_taken(self, client: Client, more: dict[str, str]) -> None:
        client.post(links.SIGN_UP, NEW | more)
        found = queries.named("grace")
        assert found is not None
        assert found.roles == {Role.READER}
        assert found.shown == "grace"

    @pytest.mark.parametrize(
        "email",
        [
            pytest.param("grace@example.org\nBcc: all@example.org", id="a line break"),
            pytest.param("grace@example.org\r\nSubject: hi", id="a carriage return"),
            pytest.param("grace@example.org, all@example.org", id="two addresses"),
            pytest.param('"a\nb"@example.org', id="a quoted line break"),
            pytest.param("grace@example.org%0aBcc:all@example.org", id="an encoded line break"),
        ],
    )
    def test_an_address_is_no_way_into_the_headers(self, client: Client, email: str) -> None:
        client.post(links.SIGN_UP, NEW | {"email": email})
        client.post(links.FORGOTTEN, {"email": email})
        for each in mail.outbox:
            assert [each.to, each.bcc, each.cc] == [["grace@example.org"], [], []]
            assert "\n" not in each.subject


# What a stranger can try, once with what belongs to an account and once with what does not.
TRIES = [
    pytest.param(
        links.SIGN_IN,
        {"login": "ada", "password": "wrong"},
        {"login": "nobody2", "password": "wrong"},
        id="sign in by name",
    ),
    pytest.param(
        links.SIGN_IN,
        {"login": "ada@example.org", "password": "wrong"},
        {"login": "nobody@example.org", "password": "wrong"},
        id="sign in by address",
    ),
    pytest.param(
        links.SIGN_IN,
        {"login": "ada@example.org", "password": "wrong"},
        {"login": "nobody2", "password": "wrong"},
        id="sign in by address and by name",
    ),
    pytest.param(links.FORGOTTEN, {"email": "ada@example.org"}, {"email": "nobody@example.org"}, id="new password"),
    pytest.param(links.SIGN_UP, NEW | {"email": "ada@example.org"}, NEW, id="sign up"),
]


class TestWhatAStrangerLearns:
    @pytest.mark.parametrize(("address", "there", "absent"), TRIES)
    def test_the_answers_are_the_same(self, address: str, there: dict[str, str], absent: dict[str, str]) -> None:
        _confirmed(ada())
        told = []
        for tried in (there, absent):
            client = Client()
            response = client.post(address, tried, follow=True)
            text = response.content.decode()
            for typed in sorted(tried.values(), key=len, reverse=True):
                text = text.replace(typed, "…")
            text = re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", text)
            told.append((response.redirect_chain, response.status_code, text, len(mail.outbox)))
            mail.outbox.clear()
        assert told[0] == told[1]

    @pytest.mark.parametrize(("address", "there", "absent"), TRIES)
    def test_the_same_work_is_done(
        self, address: str, there: dict[str, str], absent: dict[str, str], monkeypatch: Any
    ) -> None:
        """Time is what the hasher takes, and it is asked as often for an account as for none."""
        _confirmed(ada())
        hashed: list[str] = []

        def counted(name: str, real: Callable[..., Any]) -> None:
            def work(self: object, *values: Any) -> Any:
                hashed.append(name)
                return real(self, *values)

            monkeypatch.setattr(Argon2PasswordHasher, name, work)

        counted("encode", Argon2PasswordHasher.encode)
        counted("verify", Argon2PasswordHasher.verify)
        counts = []
        for tried in (there, absent):
            hashed.clear()
            Client().post(address, tried)
            counts.append(len(hashed))
        assert counts[0] == counts[1]

    def test_a_taken_address_is_told_to_its_owner_only(self, client: Client) -> None:
        _confirmed(ada())
        client.post(links.SIGN_UP, NEW | {"email": "ada@example.org"})
        assert queries.named("grace") is None
        assert mail.outbox[0].to == ["ada@example.org"]
        assert "You have one already" in str(mail.outbox[0].body)


class TestTryingPasswords:
    def test_a_stranger_has_ten_tries_for_an_account(self, client: Client) -> None:
        _confirmed(ada())
        answers = [_sign_in(client, "ada", f"wrong {n}", **FOREIGN) for n in range(12)]
        assert [answer.status_code for answer in answers] == [200] * 10 + [429] * 2
        assert int(answers[-1].headers["Retry-After"]) > 0
        assert "too often" in answers[-1].content.decode()
        assert _sign_in(client, "ada", PASSWORD, **FOREIGN).status_code == 429

    def test_and_takes_nothing_from_its_owner(self, client: Client) -> None:
        _confirmed(ada())
        for n in range(12):
            _sign_in(client, "ada", f"wrong {n}", **FOREIGN)
        assert _sign_in(Client(), "ada", PASSWORD, REMOTE_ADDR="198.51.100.1").status_code == 302

    def test_names_that_nobody_has_are_counted_alike(self, client: Client) -> None:
        answers = [_sign_in(client, "nobody2", f"wrong {n}", **FOREIGN).status_code for n in range(11)]
        assert answers == [200] * 10 + [429]

    def test_many_networks_together_have_a_bound_that_a_known_browser_has_not(self, monkeypatch: Any) -> None:
        _confirmed(ada())
        monkeypatch.setattr("broadsheet.web.entrance.EVERYWHERE", rates.Policy("few", 3, 3600, ""))
        known = Client()
        assert _sign_in(known, "ada", PASSWORD, REMOTE_ADDR="198.51.100.1").status_code == 302
        known.post(links.SIGN_OUT)
        tried = [_sign_in(Client(), "ada", "wrong", REMOTE_ADDR=f"192.0.2.{n}").status_code for n in range(1, 5)]
        assert tried == [200, 200, 429, 429]
        assert _sign_in(known, "ada", PASSWORD, REMOTE_ADDR="198.51.100.1").status_code == 302

    def test_a_network_that_tries_many_names(self, monkeypatch: Any) -> None:
        monkeypatch.setattr(rates, "SHARED", 2)
        answers = [_sign_in(Client(), f"name{n}", "wrong", **FOREIGN).status_code for n in range(21)]
        assert answers == [200] * 20 + [429]


class TestCookies:
    def test_the_session_is_read_by_no_script(self, client: Client) -> None:
        _confirmed(ada())
        cookies = _sign_in(client, "ada", PASSWORD).cookies
        for name in ("session", "known"):
            assert cookies[name]["httponly"]
            assert cookies[name]["samesite"] == "Lax"

    def test_the_session_is_a_new_one_after_signing_in(self, client: Client) -> None:
        _confirmed(ada())
        client.get(links.SIGN_IN)
        before = client.session.session_key
        _sign_in(client, "ada", PASSWORD)
        assert client.session.session_key != before

    @pytest.mark.parametrize(
        "wanted", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example"]
    )
    def test_next_leads_to_us_only(self, client: Client, wanted: str) -> None:
        _confirmed(ada())
        response = client.post(links.SIGN_IN, {"login": "ada", "password": PASSWORD, "next": wanted})
        assert response.headers["Location"] == links.FRONT

    def test_forms_without_our_token_change_nothing(self) -> None:
        strict = Client(enforce_csrf_checks=True)
        assert strict.post(links.SIGN_UP, NEW).status_code == 403
        assert queries.named("grace") is None


def test_a_wrong_host_of_the_mail_server_is_told(client: Client, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", 9, False
    response = client.post(links.FORGOTTEN, {"email": "nobody@example.org"})
    assert response.status_code == 503
    assert "could not be sent" in response.content.decode()


class _Kept:
    """A handler of aiosmtpd that keeps what it is sent."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], Message]] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.mails.append((envelope.rcpt_tos, message_from_bytes(envelope.content)))
        return "250 OK"


@pytest.fixture
def post_office(settings: Any) -> Iterator[_Kept]:
    """A real mail server on the loopback, which Django sends to."""
    kept = _Kept()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host, port = free.getsockname()
    server = Controller(kept, hostname=host, port=port)
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = host, port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.DEFAULT_FROM_EMAIL = "paper@example.org"
    yield kept
    server.stop()


def test_a_mail_arrives_as_plain_text(client: Client, post_office: _Kept) -> None:
    client.post(links.SIGN_UP, NEW)
    (recipients, message), *others = post_office.mails
    assert (recipients, others) == (["grace@example.org"], [])
    assert message.get_content_type() == "text/plain"
    assert (message["From"], message["Auto-Submitted"]) == ("paper@example.org", "auto-generated")
    content = message.get_payload(decode=True)
    assert isinstance(content, bytes)
    body = content.decode()
    assert "&amp;" not in body
    assert client.post(_link(body)).status_code == 302
    assert EmailAddress.objects.get().verified


class TestChangesOfTheAddress:
    def test_the_new_one_counts_when_it_is_confirmed(self, client: Client) -> None:
        row = _confirmed(ada())
        signed_in(client, ada())
        client.post("/account/confirm", {"password": PASSWORD})
        client.post(links.ADDRESS, {"email": "new@example.org", "action_add": ""})
        row.refresh_from_db()
        assert row.email == "ada@example.org"
        client.post(_link(str(mail.outbox[-1].body)))
        row.refresh_from_db()
        assert row.email == "new@example.org"
        assert queries.confirmed_addresses(row.id) == ["new@example.org"]

    def test_a_password_is_asked_for_first(self, client: Client) -> None:
        _confirmed(ada())
        signed_in(client, ada())
        response = client.post(links.ADDRESS, {"email": "new@example.org", "action_add": ""})
        assert response.headers["Location"].startswith("/account/confirm")


def test_a_new_password_by_mail(client: Client) -> None:
    row = _confirmed(bela())
    client.post(links.FORGOTTEN, {"email": "bela@example.org"})
    response = client.get(_link(str(mail.outbox[0].body)))
    assert b"password1" in client.get(response.headers["Location"]).content
    new = "meadows after the rain"
    client.post(response.headers["Location"], {"password1": new, "password2": new})
    row.refresh_from_db()
    assert row.check_password(new)
    assert client.get(response.headers["Location"]).content.count(b"has been used") == 1


@pytest.mark.parametrize("password", ["short", "password123", "ada-example1"])
def test_weak_passwords_are_refused(client: Client, password: str) -> None:
    client.post(links.SIGN_UP, NEW | {"username": "ada-example", "password1": password})
    assert queries.named("ada-example") is None


class TestTokens:
    @pytest.fixture
    def client(self, client: Client) -> Client:
        """Somebody who just said that it is she."""
        signed_in(client, ada())
        client.post("/account/confirm", {"password": PASSWORD})
        return client

    def test_whoever_signed_in_a_while_ago_is_asked_once_more_and_loses_nothing(self) -> None:
        client = signed_in(Client(), ada())
        asked = client.post(links.TOKENS, {"name": "Script", "scope": "write:votes", "lifetime": "30"})
        assert asked.status_code == 302
        assert asked.headers["Location"].startswith("/account/confirm?")
        assert queries.tokens(ada().id) == []
        answer = client.post(asked.headers["Location"], {"password": PASSWORD})
        assert b"bs_" in answer.content
        assert [kept.name for kept in queries.tokens(ada().id)] == ["Script"]

    def test_a_token_is_shown_once_and_holds_until_it_is_revoked(self, client: Client) -> None:
        page = client.post(
            links.TOKENS, {"name": "Script", "scope": ["write:votes", "nonsense"], "lifetime": "30"}
        ).content.decode()
        secret = re.search(r"bs_[\w-]{40,}", page)
        assert secret
        found = queries.bearer(secret[0])
        assert found is not None
        assert (found.person, set(found.scopes)) == (ada(), {Scope.WRITE_VOTES})
        assert secret[0] not in client.get(links.TOKENS).content.decode()
        kept = queries.tokens(ada().id)[0]
        assert (kept.name, kept.start) == ("Script", secret[0][:8])
        signed_in(client, bela())
        assert client.post(links.REVOKE, {"token": kept.id}).status_code == 404
        assert queries.bearer(secret[0]) is not None
        signed_in(client, ada())
        client.post(links.REVOKE, {"token": kept.id})
        assert queries.bearer(secret[0]) is None

    def test_an_expired_token_is_worth_nothing(self, monkeypatch: Any) -> None:
        secret = actions.make_token(by=ada(), name="Old", scopes=["read:library"], lifetime="30")
        later = queries.tokens(ada().id)[0].expires_at
        monkeypatch.setattr("broadsheet.accounts.queries.timezone.now", lambda: later)
        assert queries.bearer(secret) is None

    @pytest.mark.parametrize("token", ["", "bs_", "bs_" + "a" * 300, "x" * 43, "bs_\0", "bs_é"])
    def test_what_is_no_token(self, token: str) -> None:
        assert queries.bearer(token) is None

    @pytest.mark.parametrize(
        "typed",
        [{"name": "", "scope": "write:votes"}, {"name": "A"}, {"name": "A", "scope": "write:votes", "lifetime": "0"}],
    )
    def test_what_is_refused_stays_typed(self, client: Client, typed: dict[str, str]) -> None:
        response = client.post(links.TOKENS, typed)
        assert response.status_code == 422
        assert queries.tokens(ada().id) == []


def test_used_codes_are_known_to_every_process() -> None:
    assert cache.add("code", "y")
    assert not cache.add("code", "y")
    assert "filebased" in type(caches["default"]).__module__


def test_a_sentence_and_a_time_for_one_change_too_many(client: Client, monkeypatch: Any) -> None:
    signed_in(client, ada())
    monkeypatch.setitem(rates.WRITING, "account", rates.Policy("account", 2, 600, ""))
    answers = [client.post(links.ACCOUNT, {"shown": "Ada", "about": ""}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 300
    assert client.get(links.ACCOUNT).status_code == 200


def test_every_policy_stands_in_the_documentation(repository: Path) -> None:
    text = (repository / "docs" / "operator" / "accounts.md").read_text(encoding="utf-8")
    for policy in rates.WRITING.values():
        assert f"| `{policy.name}` | {policy.what} | {policy.quota} in " in text
