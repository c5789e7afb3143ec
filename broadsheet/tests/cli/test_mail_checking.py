"""`broadsheet check-mail`: each thing that keeps mail from arriving is found and said, without a network."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from broadsheet.cli import mail_checking
from broadsheet.cli.commands import broadsheet as command
from broadsheet.config import options
from broadsheet.mailing.dns import Finding, Unanswered, Verdict
from broadsheet.mailing.signing import read_key

HERE = "198.51.100.7"
DOMAIN = "papers.example.org"


class Right:
    """A domain name system in which everything is right for the key, but for what a test takes away."""

    def __init__(self, key: str) -> None:
        self.records = {
            DOMAIN: [f"v=spf1 ip4:{HERE} -all"],
            f"broadsheet._domainkey.{DOMAIN}": [key],
            f"_dmarc.{DOMAIN}": ["v=DMARC1; p=none"],
        }

    def txt(self, name: str) -> list[str]:
        return self.records.get(name, [])

    def addresses(self, name: str) -> list[str]:
        return [HERE] if name == f"mx.{DOMAIN}" else []

    def mail_hosts(self, name: str) -> list[str]:
        return [f"mx.{DOMAIN}"] if name == DOMAIN else []

    def names(self, address: str) -> list[str]:
        return [f"mx.{DOMAIN}"] if address == HERE else []


class Silent(Right):
    def txt(self, name: str) -> list[str]:
        raise Unanswered(name)


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path = tmp_path_factory.mktemp("key") / "dkim.pem"
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(key.private_bytes(*form))
    return path


@pytest.fixture
def mail_server() -> Iterator[tuple[int, list[str]]]:
    """A server that takes any mail, without TLS: its port, and the lines that it was told."""
    told: list[str] = []
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        try:
            while True:
                _converse(listening.accept()[0], told)
        except OSError:
            return

    threading.Thread(target=serve, daemon=True).start()
    yield listening.getsockname()[1], told
    listening.close()


def _converse(connection: socket.socket, told: list[str]) -> None:
    with connection, connection.makefile("rb") as lines:
        connection.sendall(b"220 here\r\n")
        in_content = False
        for raw in lines:
            line = raw.decode().rstrip("\r\n")
            told.append(line)
            if in_content:
                in_content = line != "."
                answer = b"" if in_content else b"250 2.0.0 taken\r\n"
            elif line == "DATA":
                in_content, answer = True, b"354 go on\r\n"
            else:
                answer = b"221 bye\r\n" if line.upper() == "QUIT" else b"250 fine\r\n"
            connection.sendall(answer)


def look(
    pem: Path, port: int, resolver: type[Right] = Right, *, to: str = "", more: dict[str, str] | None = None
) -> list[Finding]:
    said = {
        "BROADSHEET_MAIL_HOST": "127.0.0.1",
        "BROADSHEET_MAIL_PORT": str(port),
        "BROADSHEET_MAIL_TLS": "none",
        "BROADSHEET_MAIL_FROM": f"paper@{DOMAIN}",
        "BROADSHEET_MAIL_BOUNCES": f"bounces@{DOMAIN}",
        "BROADSHEET_MAIL_DKIM_KEY": str(pem),
        "BROADSHEET_HTTPS": "yes",
        "BROADSHEET_ALLOWED_HOSTS": DOMAIN,
        **(more or {}),
    }
    configuration = options.load({"BROADSHEET_DATA": str(pem.parent), **{k: v for k, v in said.items() if v}})
    found = resolver(read_key(pem.read_bytes()).record)
    return mail_checking.look(configuration, to=to, sending=[HERE], resolver=found)


def test_where_everything_is_right_nothing_is_to_be_mended(pem: Path, mail_server: tuple[int, list[str]]) -> None:
    found = look(pem, mail_server[0])
    assert [each for each in found if each.verdict is not Verdict.OK] == []
    assert [each.check for each in found] == [
        "settings",
        "address",
        "key",
        "server",
        "SPF",
        "DKIM",
        "DMARC",
        "PTR",
        "MX",
    ]


@pytest.mark.parametrize(
    ("more", "check", "word"),
    [
        pytest.param({"BROADSHEET_MAIL_FROM": ""}, "settings", "BROADSHEET_MAIL_FROM", id="no address of ours"),
        pytest.param({"BROADSHEET_HTTPS": "no"}, "address", "BROADSHEET_HTTPS", id="no https"),
        pytest.param({"BROADSHEET_ALLOWED_HOSTS": ""}, "address", "BROADSHEET_ALLOWED_HOSTS", id="no name"),
        pytest.param({"BROADSHEET_MAIL_DKIM_KEY": "/nowhere/dkim.pem"}, "key", "BROADSHEET_MAIL_DKIM_KEY", id="no key"),
        pytest.param({"BROADSHEET_MAIL_PORT": "1"}, "server", "BROADSHEET_MAIL_HOST", id="nobody answers"),
        pytest.param({"BROADSHEET_MAIL_TLS": "starttls"}, "server", "_TLS", id="no TLS is offered"),
        pytest.param({"BROADSHEET_MAIL_DKIM_SELECTOR": "old"}, "DKIM", "old._domainkey", id="no such selector"),
    ],
)
def test_what_is_wrong_is_to_be_mended(
    pem: Path, mail_server: tuple[int, list[str]], more: dict[str, str], check: str, word: str
) -> None:
    mend = [each for each in look(pem, mail_server[0], more=more) if each.verdict is Verdict.MEND]
    assert [each.check for each in mend] == [check]
    assert word in mend[0].do


def test_silence_of_the_name_system_is_no_fault(pem: Path, mail_server: tuple[int, list[str]]) -> None:
    found = look(pem, mail_server[0], Silent)
    assert {each.check for each in found if each.verdict is Verdict.UNKNOWN} == {"SPF", "DKIM", "DMARC"}
    assert not [each for each in found if each.verdict is Verdict.MEND]


def test_a_mail_of_trial_is_signed_and_comes_back_to_us(pem: Path, mail_server: tuple[int, list[str]]) -> None:
    port, told = mail_server
    found = {each.check: each for each in look(pem, port, to="ada@example.org")}
    assert found["mail of trial"].verdict is Verdict.OK
    assert any(line.upper().startswith(f"MAIL FROM:<BOUNCES@{DOMAIN}".upper()) for line in told)
    assert any(line.startswith("DKIM-Signature:") for line in told)


def test_without_a_mail_of_trial_nobody_gets_mail(pem: Path, mail_server: tuple[int, list[str]]) -> None:
    look(pem, mail_server[0])
    assert not [line for line in mail_server[1] if line.upper().startswith("MAIL")]


def test_a_provider_is_asked_nothing(pem: Path) -> None:
    found = look(pem, 1, more={"BROADSHEET_MAIL_PROVIDER": "postmark", "BROADSHEET_MAIL_PROVIDER_KEY": "a-key-of-ours"})
    assert "server" not in {each.check for each in found}


def test_the_command_says_each_check_and_ends_with_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BROADSHEET_MAIL_FROM", "BROADSHEET_MAIL_HOST"):
        monkeypatch.delenv(name, raising=False)
    done = CliRunner().invoke(command, ["check-mail", "--data", str(tmp_path)])
    assert done.exit_code == 1
    assert done.output.startswith("to mend    settings: Mail is not set up")
    done = CliRunner().invoke(command, ["check-mail", "--json", "--data", str(tmp_path)])
    assert json.loads(done.output)[0]["verdict"] == "to mend"


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["--to", "ada"], id="no address"),
        pytest.param(["--to", "ada@example.org\r\nRCPT TO:<bela@example.org>"], id="two addresses"),
        pytest.param(["--sending", "mx.example.org"], id="a name instead of an address"),
    ],
)
def test_what_is_typed_wrong_is_said(tmp_path: Path, arguments: list[str]) -> None:
    done = CliRunner().invoke(command, ["check-mail", *arguments, "--data", str(tmp_path)])
    assert done.exit_code == 1
    assert done.output.startswith("Error: ")
