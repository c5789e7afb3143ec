"""Who is believed: proxies, the one reader of an instance without accounts, operators in the admin."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client, RequestFactory
from django.urls import reverse

from broadsheet import links
from broadsheet.accounts import queries
from broadsheet.accounts.rules import Person, Role
from broadsheet.testing.people import ada, alone, bela, curator, operator, signed_in
from broadsheet.web import proxies, viewing


@pytest.mark.django_db
class TestTheOneReader:
    def test_is_whoever_asks_from_this_machine(self, client: Client, settings: Any) -> None:
        you = alone(settings)
        assert viewing.viewer(RequestFactory().get("/")) == you
        assert you.is_a(Role.OPERATOR)
        assert client.get(links.ACCOUNT).status_code == 200

    @pytest.mark.parametrize(
        "header",
        ["HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST"],
    )
    def test_is_nobody_who_comes_through_a_proxy(self, header: str, settings: Any) -> None:
        alone(settings)
        said: dict[str, Any] = {header: "127.0.0.1"}
        assert viewing.viewer(RequestFactory().get("/", **said)) is None

    @pytest.mark.parametrize(
        ("said", "is_here"),
        [
            pytest.param({"SERVER_PROTOCOL": "HTTP/1.0"}, False, id="a proxy that says nothing"),
            pytest.param({"HTTP_HOST": "papers.example.org"}, False, id="a proxy that gives the name on"),
            pytest.param({"HTTP_HOST": "localhost.example.org:8000"}, False, id="a name like ours"),
            pytest.param({"HTTP_HOST": "localhost:8000"}, True, id="localhost"),
            pytest.param({"HTTP_HOST": "papers.localhost"}, True, id="below localhost"),
            pytest.param({"HTTP_HOST": "127.0.0.1:8000"}, True, id="a number"),
            pytest.param({"HTTP_HOST": "[::1]:8000"}, True, id="a number of IPv6"),
            pytest.param({"HTTP_HOST": f"{socket.gethostname()}:8000"}, True, id="the machine's own name"),
        ],
    )
    def test_asks_for_this_machine_as_browsers_do(self, said: dict[str, Any], is_here: bool, settings: Any) -> None:
        alone(settings)
        settings.ALLOWED_HOSTS = ["*"]
        assert (viewing.viewer(RequestFactory().get("/", **said)) is not None) is is_here

    @pytest.mark.parametrize("address", ["192.0.2.1", "::ffff:192.0.2.1", "", "nonsense", "10.0.0.1"])
    def test_is_nobody_elsewhere(self, address: str, settings: Any) -> None:
        alone(settings)
        assert viewing.viewer(RequestFactory().get("/", REMOTE_ADDR=address)) is None

    @pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
    def test_is_here(self, address: str, settings: Any) -> None:
        you = alone(settings)
        assert viewing.viewer(RequestFactory().get("/", REMOTE_ADDR=address)) == you

    def test_is_made_by_no_page(self, client: Client, settings: Any) -> None:
        settings.BROADSHEET_ACCOUNTS = False
        client.get(links.ABOUT)
        assert not get_user_model().objects.exists()

    def test_cannot_be_signed_in_to_once_there_are_accounts(self, client: Client, settings: Any) -> None:
        alone(settings)
        settings.BROADSHEET_ACCOUNTS = True
        for password in ("", "!", "reader", "You"):
            client.post(links.SIGN_IN, {"login": queries.ONLY_READER, "password": password})
            assert client.get(links.ACCOUNT).status_code == 303


class TestProxies:
    @pytest.mark.parametrize(
        ("said", "found"),
        [
            pytest.param(
                {"REMOTE_ADDR": "192.0.2.1", "HTTP_X_FORWARDED_FOR": "198.51.100.1"}, "192.0.2.1", id="a stranger"
            ),
            pytest.param(
                {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "a, 198.51.100.1"}, "198.51.100.1", id="ours"
            ),
            pytest.param(
                {"REMOTE_ADDR": "::1", "HTTP_X_FORWARDED_FOR": "[2001:db8::1]:443"}, "2001:db8::1", id="with a port"
            ),
            pytest.param({"REMOTE_ADDR": "127.0.0.1"}, "127.0.0.1", id="none"),
        ],
    )
    def test_the_last_hop_of_our_own_is_believed(self, said: dict[str, Any], found: str) -> None:
        assert str(proxies.sender(RequestFactory().get("/", **said))) == found

    @pytest.mark.django_db
    @pytest.mark.parametrize(("address", "is_secure"), [("127.0.0.1", True), ("192.0.2.1", False)])
    def test_only_ours_says_that_a_reader_came_over_https(
        self, client: Client, settings: Any, address: str, is_secure: bool
    ) -> None:
        settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
        settings.SECURE_SSL_REDIRECT = True
        settings.SECURE_HSTS_SECONDS = 60
        response = client.get(links.ABOUT, REMOTE_ADDR=address, HTTP_X_FORWARDED_PROTO="https")
        assert (response.status_code == 200) == is_secure
        assert ("Strict-Transport-Security" in response.headers) == is_secure


def test_deployment_checks_find_nothing(tmp_path: Path) -> None:
    environ = {
        **{name: text for name, text in os.environ.items() if not name.startswith("BROADSHEET_")},
        "BROADSHEET_DATA": str(tmp_path),
        "BROADSHEET_ACCOUNTS": "yes",
        "BROADSHEET_HTTPS": "yes",
        "BROADSHEET_SECRET_KEY": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "DJANGO_SETTINGS_MODULE": "broadsheet.config.settings",
    }
    done = subprocess.run(
        [sys.executable, "-m", "django", "check", "--deploy", "--fail-level", "WARNING"],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.django_db
class TestTheAdmin:
    @pytest.mark.parametrize("person", [None, ada, curator])
    def test_is_for_operators_only(self, client: Client, person: Callable[[], Person] | None) -> None:
        if person:
            signed_in(client, person())
        response = client.get(links.ADMIN)
        assert response.status_code == (403 if person else 303)
        if not person:
            assert response.headers["Location"].startswith(links.SIGN_IN)

    def test_shows_people_and_no_secret(self, client: Client) -> None:
        signed_in(client, operator())
        row = get_user_model().objects.get(id=ada().id)
        listing = client.get(reverse("admin:accounts_user_changelist")).content.decode()
        assert "Ada Example" in listing
        page = client.get(reverse("admin:accounts_user_change", args=[row.pk])).content.decode()
        assert "password" not in page.replace("/admin/password_change/", "").replace("Change password", "")
        assert row.password not in page

    def test_gives_roles_by_the_action(self, client: Client) -> None:
        signed_in(client, operator())
        address = reverse("admin:accounts_user_change", args=[bela().id])
        assert client.post(address, {"is_curator": "on"}).status_code == 302
        found = queries.named("bela")
        assert found is not None
        assert found.is_a(Role.CURATOR)

    def test_takes_no_role_from_the_last_operator(self, client: Client) -> None:
        signed_in(client, operator())
        client.post(reverse("admin:accounts_user_change", args=[operator().id]), {})
        found = queries.named("fatou")
        assert found is not None
        assert found.is_a(Role.OPERATOR)

    @pytest.mark.parametrize("table", ["mfa_authenticator", "socialaccount_socialtoken", "account_emailaddress"])
    def test_holds_no_tables_of_secrets(self, client: Client, table: str) -> None:
        signed_in(client, operator())
        assert client.get(f"{links.ADMIN}{table.replace('_', '/')}/").status_code == 404
