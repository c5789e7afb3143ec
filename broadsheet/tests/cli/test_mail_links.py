"""The links of a mail as a mail program meets them: a real server, real mail, no cookies and no browser."""

from __future__ import annotations

import email
import email.policy
import queue
import re
import shutil
import socket
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from aiosmtpd.controller import Controller

pytestmark = pytest.mark.process

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Letterbox:
    """Takes every mail."""

    def __init__(self) -> None:
        self.mails: queue.Queue[bytes] = queue.Queue()

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:
        """Keep a mail."""
        self.mails.put(envelope.content)
        return "250 OK"


def test_somebody_subscribes_and_leaves_with_one_click(up: Any, made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path / "data")
    box = Letterbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    try:
        told = {"HOST": "127.0.0.1", "PORT": str(port), "TLS": "none", "FROM": "paper@papers.example.org"}
        _, address = up(BROADSHEET_ACCOUNTS="yes", **{f"BROADSHEET_MAIL_{name}": text for name, text in told.items()})
        place = address.rstrip("/").partition("://")[2]

        def ask(method: str, path: str, body: str | None = None) -> tuple[int, str]:
            connection = HTTPConnection(place, timeout=60)
            connection.request(method, path, body, FORM if body is not None else {})
            answer = connection.getresponse()
            text = answer.read().decode()
            assert answer.getheader("Set-Cookie") is None
            connection.close()
            return answer.status, text

        asked = urlencode({"address": "ada@example.org", "cadence": "week", "zone": "Asia/Kolkata"})
        assert ask("POST", "/mail", asked)[0] == 200
        mail = email.message_from_bytes(box.mails.get(timeout=30), policy=email.policy.default)
        plain = mail.get_body(("plain",))
        assert plain is not None
        # The host is that of the settings, as in every mail, whatever address was asked.
        confirm = re.search(r"http://localhost(/mail/confirm/\S+)", plain.get_content())
        assert confirm
        assert ask("GET", confirm[1])[0] == 200
        status, page = ask("POST", confirm[1], "")
        manage = re.search(r'href="(/mail/[\w-]{43})"', page)
        assert status == 200
        assert manage
        assert ask("GET", f"{manage[1]}/leave")[0] == 200
        assert "due on Tuesday" in ask("GET", manage[1])[1]
        assert ask("POST", f"{manage[1]}/leave", "List-Unsubscribe=One-Click")[0] == 200
        assert "gets nothing since" in ask("GET", manage[1])[1]
        assert box.mails.empty()
    finally:
        server.stop()
