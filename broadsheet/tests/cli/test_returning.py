"""`broadsheet bounces`: one message from a pipe, a Maildir, an mbox; and the worker's look into the mailbox."""

from __future__ import annotations

import mailbox
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from django.conf import settings

from broadsheet.cli import preparing, returning
from broadsheet.cli.commands import broadsheet as command
from broadsheet.cli.failure import Failure
from broadsheet.following.models import Delivery, Subscriber, Subscription
from broadsheet.following.rules.delivering import State
from broadsheet.mailing.bounces import envelope_sender
from broadsheet.mailing.mailbox import MOST, Unreadable

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
JUNK = b"From: bela@example.org\r\nSubject: hello\r\n\r\nNothing of yours.\r\n"


@pytest.fixture
def notice() -> bytes:
    """The notice that a mail that Ada was sent came back: her address does not exist."""
    ada = Subscriber.objects.create(address="ada@example.org", made_at=NOW, confirmed_at=NOW)
    daily = Subscription.objects.create(
        subscriber=ada, key="k" * 43, cadence="day", hour=6, zone="UTC", made_at=NOW, confirmed_at=NOW
    )
    delivery = Delivery.objects.create(
        subscription=daily,
        slot=date(2026, 11, 2),
        domain="example.org",
        state=State.SENT,
        made_at=NOW,
        due_at=NOW,
        finished_at=NOW,
    )
    to = envelope_sender("bounces@papers.example.org", delivery.id, settings.SECRET_KEY)
    return (
        f"From: MAILER-DAEMON@mx.example.org\r\nTo: {to}\r\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=cut\r\n\r\n"
        "--cut\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\n"
        "Final-Recipient: rfc822; ada@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--cut--\r\n"
    ).encode()


Run = Callable[..., Result]


@pytest.fixture
def run(data_folder: Path) -> Run:
    def ask(*arguments: str, typed: bytes = b"") -> Result:
        return CliRunner().invoke(command, ["bounces", *arguments, "--data", str(data_folder)], input=typed)

    return ask


def blocked() -> bool:
    return Subscriber.objects.filter(blocked_at__isnull=False).exists()


def test_a_mail_server_pipes_a_notice(run: Run, notice: bytes) -> None:
    done = run(typed=notice)
    assert (done.exit_code, done.output) == (0, "1 nothing is sent to the address any more\n")
    assert blocked()


def test_what_is_no_notice_changes_nothing(run: Run, notice: bytes) -> None:
    for typed in (JUNK, b"", b"\xff" * 100, notice.replace(b"+", b"+1")):
        done = run(typed=typed)
        assert (done.exit_code, done.output) == (0, "1 not understood, and left as they were\n")
    assert not blocked()


def test_a_maildir_is_read_and_what_was_understood_is_marked(run: Run, notice: bytes, tmp_path: Path) -> None:
    box = mailbox.Maildir(tmp_path / "box")
    for raw in (notice, JUNK):
        box.add(raw)
    assert run(str(tmp_path / "box")).output.splitlines() == [
        "1 nothing is sent to the address any more",
        "1 not understood, and left as they were",
    ]
    assert blocked()
    assert run(str(tmp_path / "box")).output == "1 not understood, and left as they were\n"


def test_an_mbox_is_read_and_stays_as_it_is(run: Run, notice: bytes, tmp_path: Path) -> None:
    box = mailbox.mbox(tmp_path / "box")
    box.add(notice)
    box.close()
    before = (tmp_path / "box").read_bytes()
    assert "nothing is sent" in run(str(tmp_path / "box")).output
    assert (tmp_path / "box").read_bytes() == before


def test_a_folder_that_is_no_maildir_is_said(run: Run, tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere", tmp_path):
        assert run(str(path)).exit_code == 2


def test_without_a_database_the_mail_server_tries_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise Failure("The database cannot be read.")

    monkeypatch.setattr(preparing, "require_database", fail)
    done = CliRunner().invoke(command, ["bounces", "--data", str(tmp_path)], input=JUNK)
    assert done.exit_code == 75


class Box:
    """A mailbox that holds so many messages, or cannot be read."""

    def __init__(self, *counts: int) -> None:
        self._counts = list(counts)

    def read(self, understood: Callable[[bytes], bool]) -> int:
        if not self._counts:
            raise Unreadable("It cannot be read.", "test")
        assert not understood(JUNK)
        return self._counts.pop(0)


def test_the_worker_looks_every_few_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    box, now = Box(MOST, 3, 0), [1000.0]
    monkeypatch.setattr(returning, "Mailbox", lambda _url: box)
    poll = returning.Poll("imaps://a:b@c/", clock=lambda: now[0])
    assert [poll.step(), poll.step(), poll.step()] == [True, False, False]
    now[0] += returning.EVERY
    assert poll.step() is False
    assert box._counts == []


def test_a_mailbox_that_cannot_be_read_is_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = [1000.0]
    monkeypatch.setattr(returning, "Mailbox", lambda _url: Box())
    poll = returning.Poll("imaps://a:b@c/", clock=lambda: now[0])
    for _ in range(3):
        assert poll.step() is False
        now[0] += returning.EVERY
    assert caplog.text.count("It cannot be read.") == 1


def test_without_a_mailbox_nothing_is_read() -> None:
    assert returning.Poll("").step() is False
