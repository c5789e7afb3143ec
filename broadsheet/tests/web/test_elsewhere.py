"""Signing in at GitHub, Google and ORCID, against a small server on this machine that answers as their manuals say.

GitHub: docs.github.com, "Authorizing OAuth apps" (a token as a form, errors with status 200), "REST API: users".
Google: developers.google.com/identity/openid-connect (an ID token in the answer to the code, RFC 7519).
ORCID: info.orcid.org, "Authenticated iDs" (the iD beside the token), API 3.0 (the public record).
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import jwt
import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.providers.github.views import GitHubOAuth2Adapter
from allauth.socialaccount.providers.google.views import GoogleOAuth2Adapter
from allauth.socialaccount.providers.orcid.views import OrcidOAuth2Adapter
from cryptography.hazmat.primitives.asymmetric import rsa
from django.contrib.auth import get_user_model
from django.core import mail
from django.core.cache import cache
from django.test import Client

from broadsheet import links
from broadsheet.accounts import queries
from broadsheet.testing.people import PASSWORD, ada, signed_in

PLACES = ("github", "google", "orcid")
FAILED = "The other place gave no answer that we could use. Nothing was changed."
ORCID = "0000-0002-1825-0097"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)

Answer = tuple[int, str, bytes]


@dataclass
class Elsewhere:
    """What the three places know of one person, and what they answer when a test says so."""

    port: int = 0
    address: str = "grace@example.org"
    verified: bool = True
    subject: str = "4711"
    consents: bool = True
    instead: dict[str, Answer] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def answer(self, place: str, what: str, sent: dict[str, str]) -> Answer:
        """The answer of a place to a request for `what`."""
        self.asked.append(f"{place}/{what}")
        if what in self.instead:
            return self.instead[what]
        if what == "token":
            return self._token(place, sent)
        if place == "orcid":
            if ORCID not in sent["path"]:
                return _said({"response-code": 404, "error-code": 9016}, status=404)
            mails = [{"email": self.address, "verified": True, "primary": True}] if self.verified else []
            return _said({"orcid-identifier": {"path": ORCID}, "person": {"emails": {"email": mails}}})
        if sent["token"] != "token an opaque token":
            return _said({"message": "Bad credentials", "status": "401"}, status=401)
        if what == "emails":
            return _said([{"email": self.address, "verified": self.verified, "primary": True, "visibility": None}])
        return _said({"id": int(self.subject), "login": "grace-elsewhere", "email": None, "name": "Grace Example"})

    def _token(self, place: str, sent: dict[str, str]) -> Answer:
        asked = self.codes.pop(sent.get("code", ""), None)
        known = (sent.get("client_id"), sent.get("client_secret"), sent.get("grant_type"))
        fits = asked is not None and asked["redirect_uri"] == sent.get("redirect_uri")
        if not fits or known != (f"{place}-client", f"{place}-secret", "authorization_code"):
            wrong = {"error": "bad_verification_code" if place == "github" else "invalid_grant"}
            return _form(wrong) if place == "github" else _said(wrong, status=400)
        token = {"access_token": "an opaque token", "token_type": "bearer", "scope": "email"}
        if place == "github":
            return _form(token)
        if place == "orcid":
            return _said(token | {"orcid": ORCID, "name": "Grace Example", "expires_in": 631138518})
        return _said(token | {"expires_in": 3599, "id_token": self.id_token()})

    def id_token(self, **changed: Any) -> str:
        """Who it is, as Google signs it."""
        now = int(time.time())
        claims = {"iss": "https://accounts.google.com", "aud": "google-client", "sub": self.subject, "iat": now}
        claims |= {"exp": now + 3600, "email": self.address, "email_verified": self.verified, **changed}
        return jwt.encode(claims, KEY, algorithm="RS256", headers={"kid": "1"})

    def consent(self, address: str) -> str:
        """Where the browser is sent back to from the page that asks for consent."""
        parts = urlsplit(address)
        asked = dict(parse_qsl(parts.query))
        place = parts.path.split("/")[1]
        assert asked["client_id"] == f"{place}-client"
        assert asked["response_type"] == "code"
        if not self.consents:
            said = {"error": "access_denied", "state": asked["state"]}
        else:
            code = f"code-{len(self.codes)}-{time.monotonic_ns()}"
            self.codes[code] = asked
            said = {"code": code, "state": asked["state"]}
        back = urlsplit(asked["redirect_uri"])
        return f"{back.path}?{urlencode(said)}"


def _said(value: object, status: int = 200) -> Answer:
    return status, "application/json; charset=utf-8", json.dumps(value).encode()


def _form(value: dict[str, str]) -> Answer:
    return 200, "application/x-www-form-urlencoded; charset=utf-8", urlencode(value).encode()


@pytest.fixture(scope="module")
def listening() -> Iterator[tuple[int, list[Elsewhere]]]:
    """A server on loopback, and the one whose answers it gives."""
    current: list[Elsewhere] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name that the library calls
            length = int(self.headers.get("Content-Length") or 0)
            sent = dict(parse_qsl(self.rfile.read(length).decode()))
            place, *_, what = urlsplit(self.path).path.strip("/").split("/")
            sent |= {"token": self.headers.get("Authorization", ""), "path": self.path}
            status, kind, body = current[0].answer(place, what, sent)
            self.send_response(status)
            if kind:
                self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815  # the name that the library calls

        def log_message(self, *_said: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server.server_address[1], current
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def elsewhere(
    listening: tuple[int, list[Elsewhere]], monkeypatch: pytest.MonkeyPatch, settings: Any, db: None
) -> Elsewhere:
    """The three places on this machine, and an instance that knows them."""
    port, current = listening
    made = Elsewhere(port)
    current[:] = [made]
    cache.clear()
    settings.BROADSHEET_MAIL = True
    settings.BROADSHEET_SIGN_UP = "open"
    settings.SOCIALACCOUNT_PROVIDERS = {
        place: settings.SOCIALACCOUNT_PROVIDERS[place]
        | {"APPS": [{"client_id": f"{place}-client", "secret": f"{place}-secret"}]}
        for place in PLACES
    }
    for place, adapter in zip(PLACES, (GitHubOAuth2Adapter, GoogleOAuth2Adapter, OrcidOAuth2Adapter), strict=True):
        monkeypatch.setattr(adapter, "authorize_url", f"http://127.0.0.1:{port}/{place}/authorize")
        monkeypatch.setattr(adapter, "access_token_url", f"http://127.0.0.1:{port}/{place}/token")
    monkeypatch.setattr(GitHubOAuth2Adapter, "profile_url", f"http://127.0.0.1:{port}/github/user")
    monkeypatch.setattr(GitHubOAuth2Adapter, "emails_url", f"http://127.0.0.1:{port}/github/user/emails")
    monkeypatch.setattr(OrcidOAuth2Adapter, "profile_url", f"http://127.0.0.1:{port}/orcid/v3.0/%s/record")
    return made


def leave(client: Client, place: str, process: str = "login") -> str:
    """Go to the other place; the address that the browser is sent to."""
    answer = client.post(f"/account/elsewhere/{place}?process={process}")
    assert answer.status_code == 200
    return str(answer.headers["Refresh"]).removeprefix("0;url=")


def come_back(client: Client, place: str, elsewhere: Elsewhere, process: str = "login") -> Any:
    """Go there, say yes, and come back; the answer to that."""
    return client.get(elsewhere.consent(leave(client, place, process)))


def sign_up(client: Client, place: str, elsewhere: Elsewhere, name: str = "grace", **more: str) -> Any:
    answer = come_back(client, place, elsewhere)
    assert answer.headers["Location"] == "/account/elsewhere/sign-up"
    typed = {"username": name, "email": elsewhere.address, **more}
    return client.post("/account/elsewhere/sign-up", typed)


def is_in(client: Client) -> bool:
    return bool(client.get(links.ACCOUNT).status_code == 200)


def confirm(client: Client, message: Any) -> None:
    found = re.search(r"http://[^/\s]+(/\S+)", message.body)
    assert found
    client.post(found[1])


def account_of(place: str) -> SocialAccount | None:
    found: SocialAccount | None = SocialAccount.objects.filter(provider=place).first()
    return found


@pytest.mark.parametrize("place", PLACES)
def test_the_way_there_tells_who_asks_and_where_to_come_back(elsewhere: Elsewhere, place: str) -> None:
    asked = parse_qs(urlsplit(leave(Client(), place)).query)
    assert asked["redirect_uri"] == [f"http://testserver/account/elsewhere/{place}/back"]
    assert len(asked["state"][0]) >= 16
    assert "secret" not in " ".join(asked)


@pytest.mark.parametrize("place", PLACES)
def test_who_comes_first_chooses_a_name_and_comes_again_without(elsewhere: Elsewhere, place: str) -> None:
    client = Client()
    sign_up(client, place, elsewhere)
    if not is_in(client):
        # The address is not known to be hers: it is confirmed by mail, as any other.
        assert len(mail.outbox) == 1
        confirm(client, mail.outbox[0])
    person = queries.named("grace")
    assert person is not None
    made = account_of(place)
    assert made is not None
    assert made.user_id == person.id
    again = Client()
    assert come_back(again, place, elsewhere).status_code == 302
    assert is_in(again)
    assert get_user_model().objects.count() == 1


@pytest.mark.parametrize(
    ("place", "verified", "at_once"),
    [
        pytest.param("github", True, True, id="GitHub has confirmed it"),
        pytest.param("github", False, False, id="GitHub has not"),
        pytest.param("google", True, True, id="Google has confirmed it"),
        pytest.param("google", False, False, id="Google has not"),
        pytest.param("orcid", True, False, id="ORCID's public record proves none"),
    ],
)
def test_an_address_counts_as_confirmed_only_where_the_place_says_so(
    elsewhere: Elsewhere, place: str, verified: bool, at_once: bool
) -> None:
    elsewhere.verified = verified
    client = Client()
    sign_up(client, place, elsewhere)
    assert is_in(client) is at_once
    assert EmailAddress.objects.get(email=elsewhere.address).verified is at_once


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("verified", [True, False])
def test_an_account_with_the_same_address_is_never_taken_over(elsewhere: Elsewhere, place: str, verified: bool) -> None:
    """Neither by coming, nor by typing its address where a name is chosen: who has it signs in and connects."""
    row = get_user_model().objects.get(id=ada().id)
    EmailAddress.objects.create(user=row, email=row.email, verified=True, primary=True)
    elsewhere.address, elsewhere.verified = row.email, verified
    client = Client()
    sign_up(client, place, elsewhere)
    assert not is_in(client)
    assert not SocialAccount.objects.filter(user=row).exists()
    assert EmailAddress.objects.filter(email=row.email, verified=True).get().user_id == row.pk


@pytest.mark.parametrize("place", PLACES)
def test_who_is_signed_in_connects_and_then_signs_in_there(elsewhere: Elsewhere, place: str) -> None:
    person = ada()
    row = get_user_model().objects.get(id=person.id)
    EmailAddress.objects.create(user=row, email=row.email, verified=True, primary=True)
    client = signed_in(Client(), person)
    client.post("/account/confirm", {"password": PASSWORD})
    come_back(client, place, elsewhere, "connect")
    made = account_of(place)
    assert made is not None
    assert made.user_id == person.id
    again = Client()
    come_back(again, place, elsewhere)
    assert is_in(again)
    assert get_user_model().objects.count() == 1


def test_what_somebody_else_has_connected_is_not_connected_again(elsewhere: Elsewhere) -> None:
    sign_up(Client(), "github", elsewhere)
    person = ada()
    row = get_user_model().objects.get(id=person.id)
    EmailAddress.objects.create(user=row, email=row.email, verified=True, primary=True)
    client = signed_in(Client(), person)
    client.post("/account/confirm", {"password": PASSWORD})
    come_back(client, "github", elsewhere, "connect")
    assert not SocialAccount.objects.filter(user=person.id).exists()


@pytest.mark.parametrize("place", PLACES)
def test_who_says_no_is_told_that_nothing_happened(elsewhere: Elsewhere, place: str) -> None:
    elsewhere.consents = False
    client = Client()
    answer = client.get(elsewhere.consent(leave(client, place)), follow=True)
    assert "You left it there." in answer.content.decode()
    assert not elsewhere.asked
    assert not is_in(client)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda back: re.sub("state=[^&]*", "state=another", back), id="another state"),
        pytest.param(lambda back: re.sub("&?state=[^&]*", "", back), id="no state"),
        pytest.param(lambda back: re.sub("code=[^&]*", "code=guessed", back), id="a code that was not given"),
        pytest.param(lambda back: re.sub("&?code=[^&]*", "", back), id="no code"),
        pytest.param(lambda back: f"{back}&error=server_error".replace("code=", "c="), id="an error there"),
    ],
)
def test_a_way_back_that_was_changed_leads_nowhere(
    elsewhere: Elsewhere, place: str, change: Callable[[str], str]
) -> None:
    client = Client()
    answer = client.get(change(elsewhere.consent(leave(client, place))), follow=True)
    assert FAILED in answer.content.decode()
    assert not is_in(client)


def test_the_way_back_of_another_browser_leads_nowhere(elsewhere: Elsewhere) -> None:
    """Nobody is signed in to an account that somebody else holds, by a link (RFC 6749, section 10.12)."""
    back = elsewhere.consent(leave(Client(), "github"))
    victim = Client()
    assert FAILED in victim.get(back, follow=True).content.decode()
    assert not is_in(victim)
    assert not elsewhere.asked


def test_a_way_back_is_good_once(elsewhere: Elsewhere) -> None:
    client = Client()
    back = elsewhere.consent(leave(client, "github"))
    client.get(back)
    assert FAILED in client.get(back, follow=True).content.decode()


RUBBISH = [
    pytest.param((500, "text/html", b"<h1>Oops</h1>"), id="500"),
    pytest.param((503, "application/json", b""), id="503 with nothing"),
    pytest.param((200, "application/json", b'{"access_token": '), id="broken JSON"),
    pytest.param((200, "application/json", b"[1, 2]"), id="a list"),
    pytest.param((200, "application/json", b"null"), id="null"),
    pytest.param((200, "application/json", b'"access_token"'), id="a text"),
    pytest.param((200, "application/json", b"{}"), id="an empty object"),
    pytest.param((200, "application/json", b'{"access_token": null, "orcid": 7, "id_token": 7}'), id="other types"),
    pytest.param((200, "text/html", b"<h1>Sign in</h1>"), id="a page"),
    pytest.param((200, "", b"access_token"), id="no type at all"),
    pytest.param((200, "application/json", b"\xff\xfe\x00"), id="bytes that are no text"),
    pytest.param((302, "text/html", b""), id="a redirect to nowhere"),
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("answer", RUBBISH)
def test_a_token_that_makes_no_sense_is_told_in_one_sentence(elsewhere: Elsewhere, place: str, answer: Answer) -> None:
    elsewhere.instead["token"] = answer
    client = Client()
    told = client.get(elsewhere.consent(leave(client, place)), follow=True)
    assert FAILED in told.content.decode()
    assert not is_in(client)
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize("answer", RUBBISH)
@pytest.mark.parametrize(("place", "what"), [("github", "user"), ("github", "emails"), ("orcid", "record")])
def test_a_profile_that_makes_no_sense_is_told_in_one_sentence(
    elsewhere: Elsewhere, place: str, what: str, answer: Answer
) -> None:
    elsewhere.instead[what] = answer
    client = Client()
    told = client.get(elsewhere.consent(leave(client, place)), follow=True)
    assert FAILED in told.content.decode() or "Choose your name" in told.content.decode()
    assert not is_in(client)
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"aud": "another-client"}, id="for another app"),
        pytest.param({"iss": "https://accounts.example.org"}, id="of somebody else"),
        pytest.param({"exp": 1_700_000_000}, id="of the day before yesterday"),
        pytest.param({"sub": ""}, id="of nobody"),
    ],
)
def test_an_id_token_that_is_not_for_us_opens_nothing(elsewhere: Elsewhere, changed: dict[str, Any]) -> None:
    token = {"access_token": "an opaque token", "id_token": elsewhere.id_token(**changed)}
    elsewhere.instead["token"] = _said(token)
    client = Client()
    told = client.get(elsewhere.consent(leave(client, "google")), follow=True)
    assert FAILED in told.content.decode()
    assert not is_in(client)


def test_a_place_that_does_not_answer_is_told(elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GitHubOAuth2Adapter, "access_token_url", "http://127.0.0.1:9/token")
    client = Client()
    assert FAILED in client.get(elsewhere.consent(leave(client, "github")), follow=True).content.decode()
