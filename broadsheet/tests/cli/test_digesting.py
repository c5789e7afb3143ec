"""`broadsheet digest`: an edition as it is mailed, on a terminal and in a pipe, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path
from typing import Any

import dkim
import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from broadsheet.cli.commands import broadsheet as command
from broadsheet.editions.actions import publish_pending
from broadsheet.mailing.signing import read_key
from broadsheet.papers.actions import store_many
from broadsheet.testing.cast import HARBOUR, LANTERN

NOON = datetime(2024, 1, 2, 17, tzinfo=UTC)
BASE = "https://papers.example.org"

Digest = Callable[..., Result]


@pytest.fixture(autouse=True)
def _at_home(settings: Any) -> None:
    settings.BROADSHEET_ADDRESS = BASE


@pytest.fixture
def digest(data_folder: Path, db: None) -> Digest:
    """Print a digest of two editions of a day, as a person would."""
    earlier = replace(HARBOUR, announced=date(2023, 12, 29))
    store_many([LANTERN, earlier])
    while publish_pending(now=NOON).more:
        pass
    return lambda *words: CliRunner().invoke(command, ["digest", *words])


class TestWhich:
    @pytest.mark.parametrize(
        ("words", "subject"),
        [
            pytest.param([], "2 January: Lantern: ", id="the newest"),
            pytest.param(["2024-01-02"], "2 January: Lantern: ", id="a day"),
            pytest.param(["2023-12-29"], "29 December: Harbour: ", id="an earlier day"),
            pytest.param(["--cadence", "week"], "Week 1 of 2024: Lantern: ", id="the newest week"),
            pytest.param(["2023-W52"], "Week 52 of 2023: Harbour: ", id="a week"),
            pytest.param(["--cadence", "month"], "January 2024: Lantern: ", id="the newest month"),
            pytest.param(["2023-12"], "December 2023: Harbour: ", id="a month"),
        ],
    )
    def test_an_edition_is_meant_by_its_label_or_by_its_kind(
        self, digest: Digest, words: list[str], subject: str
    ) -> None:
        done = digest(*words)
        assert done.exit_code == 0, done.output
        assert done.stdout.startswith(f"Subject: {subject}")

    def test_sections_are_chosen_as_subscribers_choose_them(self, digest: Digest) -> None:
        done = digest("--section", "cs.LG", "--section", "cs.CR")
        assert "MACHINE LEARNING, cs.LG, 1 paper" in done.stdout
        assert "CRYPTOGRAPHY AND SECURITY, cs.CR" in done.stdout


class TestForms:
    def test_text_is_what_is_printed_without_an_option(self, digest: Digest) -> None:
        assert digest().stdout == digest("--text").stdout
        assert not [line for line in digest().stdout.splitlines() if line.endswith(" ")]

    def test_html_is_the_other_part(self, digest: Digest) -> None:
        assert digest("--html").stdout.startswith("<!DOCTYPE html>")

    def test_raw_is_a_whole_mail(self, digest: Digest) -> None:
        made = message_from_bytes(digest("--raw").stdout_bytes, policy=SMTP)
        assert made["To"] == "reader@example.org"
        assert made["List-Unsubscribe"].startswith(f"<{BASE}/mail/")
        assert [each.get_content_type() for each in made.iter_parts()] == ["text/plain", "text/html"]


class TestRefusals:
    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["2024-01-03"], "There is no edition 2024-01-03 here."),
            (["yesterday"], "Write the label of an edition as 2026-11-20"),
            (["2024-13"], "Write the label of an edition"),
            (["first"], "There is no edition first here."),
            (["--section", "cs.CR"], "Nothing in cs.CR is in the edition of 2 January 2024."),
        ],
    )
    def test_it_says_why_there_is_nothing(self, digest: Digest, words: list[str], said: str) -> None:
        done = digest(*words)
        assert done.exit_code == 1
        assert said in done.stderr
        assert done.stdout == ""

    def test_before_the_first_edition_there_is_none(self, data_folder: Path, db: None) -> None:
        done = CliRunner().invoke(command, ["digest"])
        assert done.exit_code == 1
        assert "No edition of a day was printed yet." in done.stderr


class TestSignature:
    def test_raw_is_signed_where_there_is_a_key(
        self, digest: Digest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        key = rsa.generate_private_key(65537, 2048)
        file = tmp_path / "dkim.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        monkeypatch.setenv("BROADSHEET_MAIL_DKIM_KEY", str(file))
        monkeypatch.setenv("BROADSHEET_MAIL_DKIM_SELECTOR", "daily")
        monkeypatch.setenv("BROADSHEET_MAIL_FROM", "daily@papers.example.org")
        content = digest("--raw").stdout_bytes
        assert content.startswith(b"DKIM-Signature: v=1; a=rsa-sha256;")
        record = read_key(file.read_bytes()).record
        assert dkim.verify(content, dnsfunc=lambda _name, timeout=5: record.encode())

    @pytest.mark.parametrize("content", [pytest.param(None, id="missing"), pytest.param(b"x", id="no key")])
    def test_a_key_of_no_use_is_told(
        self, digest: Digest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
    ) -> None:
        file = tmp_path / "dkim.pem"
        if content is not None:
            file.write_bytes(content)
        monkeypatch.setenv("BROADSHEET_MAIL_DKIM_KEY", str(file))
        monkeypatch.setenv("BROADSHEET_MAIL_FROM", "daily@papers.example.org")
        done = digest("--raw")
        assert done.exit_code == 1
        assert "The mail cannot be signed with the key that BROADSHEET_MAIL_DKIM_KEY names" in done.stderr
