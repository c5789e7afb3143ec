"""Connections: only to the public internet, to the address that was checked, and with a proof of who is there."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from broadsheet.fetching import exchange
from broadsheet.fetching.answers import Refused, Unreachable
from broadsheet.fetching.client import Client
from broadsheet.fetching.network import Address
from broadsheet.testing.origin import Origin, Reply, Request

Guest = Callable[..., Client]
HOST = "https://origin.example"
ELSEWHERE = "https://elsewhere.example/"
CERTIFICATE = Path(__file__).with_name("origin.pem")


def ok(_request: Request) -> Reply:
    """An origin in peace."""
    return Reply(body=b"Meadows")


def names(*addresses: str, port: int = 443) -> list[Address]:
    """What a look-up of a name gives."""
    return [
        (socket.AF_INET6, (address, port, 0, 0)) if ":" in address else (socket.AF_INET, (address, port))
        for address in addresses
    ]


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Where connections were made to; none of them comes about, except to this machine."""
    places: list[Any] = []
    connect = socket.socket.connect

    def note(self: socket.socket, address: Any) -> None:
        places.append(address)
        if address[0] != "127.0.0.1":
            raise ConnectionRefusedError("Nobody is there.")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", note)
    return places


@pytest.mark.parametrize(
    "addresses",
    [
        pytest.param(("127.0.0.1",), id="this machine"),
        pytest.param(("8.8.8.8", "10.0.0.1"), id="a public address and a private one"),
        pytest.param(("10.0.0.1", "8.8.8.8"), id="a private address and a public one"),
        pytest.param(("2606:4700::1", "::ffff:169.254.169.254"), id="a mapped one behind a public one"),
        pytest.param(("8.8.8.8",) * 20 + ("127.0.0.1",), id="behind more addresses than are tried"),
    ],
)
def test_a_name_with_any_private_address_is_not_connected_to(
    addresses: tuple[str, ...], guest: Guest, connected: list[Any]
) -> None:
    with Origin(ok) as origin:
        client = guest(origin, resolving=lambda host, port: names(*addresses))
        with pytest.raises(Refused, match="leads to"):
            client.get(ELSEWHERE, accept="*/*")
    assert connected == []


def test_a_name_that_changes_its_address_leads_nowhere(guest: Guest, connected: list[Any]) -> None:
    """DNS rebinding: the address that is connected to is the one that was checked, so there is one look-up."""
    looked_up: list[str] = []

    def rebinding(host: str, port: int) -> list[Address]:
        looked_up.append(host)
        return names("8.8.8.8" if len(looked_up) == 1 else "127.0.0.1", port=port)

    with Origin(ok) as origin:
        client = guest(origin, resolving=rebinding, pauses=())
        with pytest.raises(Unreachable):
            client.get(ELSEWHERE, accept="*/*")
        assert looked_up == ["elsewhere.example"]
        assert connected == [("8.8.8.8", 443)]
        with pytest.raises(Refused):
            client.get(ELSEWHERE, accept="*/*")
        assert connected == [("8.8.8.8", 443)]


def test_a_redirect_is_checked_like_any_other_address(guest: Guest, connected: list[Any]) -> None:
    with Origin(lambda request: Reply(302, headers={"Location": ELSEWHERE})) as origin:
        client = guest(origin, resolving=lambda host, port: names("192.168.1.1"))
        with pytest.raises(Refused, match=r"192\.168\.1\.1: a private network"):
            client.get(f"{HOST}/", accept="*/*")
        assert connected == [("127.0.0.1", int(origin.url.rpartition(":")[2]))]


def test_every_public_address_of_a_name_is_tried(guest: Guest, connected: list[Any]) -> None:
    with Origin(ok) as origin:
        client = guest(origin, resolving=lambda host, port: names("2606:4700::1", "8.8.8.8"), pauses=())
        with pytest.raises(Unreachable) as failure:
            client.get(ELSEWHERE, accept="*/*")
    assert [address[0] for address in connected] == ["2606:4700::1", "8.8.8.8"]
    assert "Nobody is there" in failure.value.cause


def test_a_name_without_an_address_is_unreachable(guest: Guest) -> None:
    with Origin(ok) as origin, pytest.raises(Unreachable) as failure:
        guest(origin, resolving=lambda host, port: [], pauses=()).get(ELSEWHERE, accept="*/*")
    assert "no address" in failure.value.cause


def test_a_name_that_cannot_be_looked_up_is_unreachable(guest: Guest) -> None:
    def unknown(host: str, port: int) -> list[Address]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with Origin(ok) as origin, pytest.raises(Unreachable) as failure:
        guest(origin, resolving=unknown, pauses=()).get(ELSEWHERE, accept="*/*")
    assert "Name or service not known" in failure.value.cause


def test_a_look_up_that_hangs_is_given_up(guest: Guest) -> None:
    def hanging(host: str, port: int) -> list[Address]:
        time.sleep(1)
        return names("8.8.8.8")

    with Origin(ok) as origin:
        client = guest(origin, resolving=hanging, connect=0.1, pauses=())
        begin = time.monotonic()
        with pytest.raises(Unreachable) as failure:
            client.get(ELSEWHERE, accept="*/*")
    assert time.monotonic() - begin < 0.9
    assert "could not be found within" in failure.value.cause


class TestTrust:
    """TLS. The route leads to this machine; the name stays that of the origin."""

    @pytest.fixture
    def secure(self) -> ssl.SSLContext:
        """An origin that shows the certificate of origin.example."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        return context

    def test_an_origin_that_nobody_vouches_for_is_refused(self, secure: ssl.SSLContext, guest: Guest) -> None:
        with Origin(ok, tls=secure) as origin, pytest.raises(Refused, match=r"self.signed certificate"):
            guest(origin).get(f"{HOST}/", accept="*/*")
        assert origin.requests == []

    def test_an_origin_that_proves_its_name_is_asked(
        self, secure: ssl.SSLContext, guest: Guest, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        names_sent: list[str | None] = []
        secure.sni_callback = lambda connection, name, context: names_sent.append(name)
        monkeypatch.setattr(exchange, "authorities", lambda: ssl.create_default_context(cafile=CERTIFICATE))
        with Origin(ok, tls=secure) as origin:
            assert guest(origin).get(f"{HOST}/", accept="*/*").body == b"Meadows"
        assert names_sent == ["origin.example"]

    def test_the_certificate_of_another_name_is_refused(
        self, secure: ssl.SSLContext, guest: Guest, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(exchange, "authorities", lambda: ssl.create_default_context(cafile=CERTIFICATE))
        with Origin(ok, tls=secure) as origin, pytest.raises(Refused, match=r"not valid for 'other\.example'"):
            guest(origin, routes={"https://other.example": origin.url}).get("https://other.example/", accept="*/*")

    def test_an_origin_without_tls_is_unreachable(self, guest: Guest) -> None:
        with Origin(ok) as origin, pytest.raises(Unreachable):
            guest(origin, routes={HOST: origin.url.replace("http", "https")}).get(f"{HOST}/", accept="*/*")

    def test_no_authority_of_the_environment_is_believed(
        self, secure: ssl.SSLContext, guest: Guest, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        monkeypatch.setattr(exchange, "authorities", exchange.authorities.__wrapped__)
        with Origin(ok, tls=secure) as origin, pytest.raises(Refused):
            guest(origin).get(f"{HOST}/", accept="*/*")
