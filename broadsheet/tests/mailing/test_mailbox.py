"""The mailbox for what comes back, spoken to over IMAP by a server of our own making."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from broadsheet.mailing.bounces import LARGEST
from broadsheet.mailing.mailbox import MOST, Mailbox, Unreadable

CERTIFICATE = Path(__file__).parents[1] / "fetching" / "origin.pem"


class Server:
    """As much of IMAP as a reader of a mailbox needs; it keeps what it was told."""

    def __init__(self, messages: dict[int, bytes], *, sizes: dict[int, int] | None = None) -> None:
        self.messages, self.sizes = messages, sizes or {}
        self.seen: set[int] = set()
        self.told: list[str] = []
        self.validity = 7
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(CERTIFICATE)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._socket.accept()
                with self._context.wrap_socket(plain, server_side=True) as connection:
                    self._converse(connection)
            except OSError:
                if self._socket.fileno() < 0:
                    return

    def _converse(self, connection: ssl.SSLSocket) -> None:
        connection.sendall(b"* OK ready\r\n")
        with connection.makefile("rb") as lines:
            for line in lines:
                tag, _, asked = line.decode().strip().partition(" ")
                self.told.append(asked)
                connection.sendall(self._answer(asked) + f"{tag} {self._end(asked)}\r\n".encode())

    def _end(self, asked: str) -> str:
        return "NO wrong" if asked.startswith("LOGIN") and '"the password"' not in asked else "OK done"

    def _answer(self, asked: str) -> bytes:
        words = asked.split()
        if words[0] == "CAPABILITY":
            return b"* CAPABILITY IMAP4rev1\r\n"
        if words[0] == "SELECT":
            return f"* {len(self.messages)} EXISTS\r\n* OK [UIDVALIDITY {self.validity}] ok\r\n".encode()
        if words[:2] == ["UID", "SEARCH"]:
            first = int(words[3].partition(":")[0])
            last = max(self.messages, default=0)
            unread = [each for each in self.messages if (each >= first or each == last) and each not in self.seen]
            return f"* SEARCH {' '.join(map(str, unread))}\r\n".encode()
        if words[:2] == ["UID", "STORE"]:
            self.seen.add(int(words[2]))
        if words[:2] == ["UID", "FETCH"]:
            number = int(words[2])
            body = self.messages[number]
            if "SIZE" in asked:
                size = self.sizes.get(number, len(body))
                return f"* 1 FETCH (UID {number} RFC822.SIZE {size})\r\n".encode()
            return f"* 1 FETCH (UID {number} BODY[] {{{len(body)}}}\r\n".encode() + body + b")\r\n"
        return b""

    def mailbox(self, password: str = "the%20password", folder: str = "/Bounces") -> Mailbox:
        trust = ssl.create_default_context(cafile=str(CERTIFICATE))
        trust.check_hostname = False
        return Mailbox(f"imaps://bounces:{password}@127.0.0.1:{self.port}{folder}", trust)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server({number: f"message {number}".encode() for number in (3, 5, 8)})
    yield found
    found.close()


def test_what_is_understood_is_marked_and_the_rest_is_left(server: Server) -> None:
    read: list[bytes] = []

    def understood(raw: bytes) -> bool:
        read.append(raw)
        return raw == b"message 5"

    box = server.mailbox()
    assert box.read(understood) == 3
    assert read == [b"message 3", b"message 5", b"message 8"]
    assert server.seen == {5}
    assert 'SELECT "Bounces"' in server.told
    assert not [each for each in server.told if "BODY[]" in each]


def test_what_nobody_understands_is_read_once(server: Server) -> None:
    box = server.mailbox()
    assert box.read(lambda _: False) == 3
    assert box.read(lambda _: False) == 0
    server.messages[9] = b"a new one"
    assert box.read(lambda _: False) == 1


def test_a_mailbox_that_was_made_anew_is_read_from_its_beginning(server: Server) -> None:
    box = server.mailbox()
    box.read(lambda _: False)
    server.validity = 8
    assert box.read(lambda _: False) == 3


def test_so_many_at_a_time(server: Server) -> None:
    server.messages.update(dict.fromkeys(range(100, 200), b"more"))
    box = server.mailbox()
    assert box.read(lambda _: False) == MOST
    assert box.read(lambda _: False) == MOST


def test_what_is_too_large_is_not_fetched(server: Server) -> None:
    server.sizes[5] = LARGEST + 1
    read: list[bytes] = []

    def understood(raw: bytes) -> bool:
        read.append(raw)
        return False

    server.mailbox().read(understood)
    assert read == [b"message 3", b"", b"message 8"]


def test_a_mailbox_that_does_not_let_us_in_is_told_without_the_password(server: Server) -> None:
    with pytest.raises(Unreadable) as caught:
        server.mailbox("not-this-one").read(lambda _: True)
    assert "BROADSHEET_MAIL_BOUNCES_IMAP" in caught.value.sentence
    assert "not-this-one" not in caught.value.sentence + caught.value.cause


def test_a_certificate_of_nobody_is_not_trusted(server: Server) -> None:
    with pytest.raises(Unreadable) as caught:
        Mailbox(f"imaps://a:b@127.0.0.1:{server.port}/").read(lambda _: True)
    assert "certificate" in caught.value.cause.lower()
    assert not [each for each in server.told if each.startswith("LOGIN")]


def test_nobody_there_is_told() -> None:
    with pytest.raises(Unreadable):
        Mailbox("imaps://a:b@127.0.0.1:1/").read(lambda _: True)
