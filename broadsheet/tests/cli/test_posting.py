"""The worker's mail: who carries it by the settings, and that a worker without mail does nothing."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from anymail.exceptions import AnymailRequestsAPIError  # type: ignore[import-untyped]  # brings no types
from requests import ConnectTimeout, ReadTimeout, Response

from broadsheet.accounts.models import User
from broadsheet.accounts.queries import as_person
from broadsheet.cli import posting
from broadsheet.cli.posting import Posting, carrier_of
from broadsheet.cli.providing import Provider, ProviderLine
from broadsheet.community.queries import notices
from broadsheet.community.rules.notices import Kind
from broadsheet.config import options
from broadsheet.config.options import Configuration
from broadsheet.following.models import Delivery, Subscriber, Subscription
from broadsheet.following.rules.delivering import State
from broadsheet.mailing.message import Outgoing
from broadsheet.mailing.outcomes import (
    Accepted,
    Letter,
    Lost,
    NotTaken,
    Outcome,
    Stage,
    Unconfirmed,
    Unsendable,
    Withheld,
)
from broadsheet.mailing.smtp import Server

pytestmark = pytest.mark.django_db

MAIL = Outgoing(
    "Broadsheet <b@papers.example>", "ada@example.org", "Papers", "x", "<p>x", (("List-Id", "<x>"),), "<1@x>"
)
LETTER = Letter(MAIL, "", "42")
NOW = datetime(2026, 11, 18, 9, tzinfo=UTC)


def configured(tmp_path: Path, **values: str) -> Configuration:
    """The settings of an instance with mail."""
    told = {"mail_host": "mail.example.org", "mail_from": "digest@papers.example.org"} | values
    return options.load(
        {"BROADSHEET_DATA": str(tmp_path), **{f"BROADSHEET_{name.upper()}": value for name, value in told.items()}}
    )


class TestCarrier:
    def test_the_server_of_the_settings(self, tmp_path: Path) -> None:
        carrier = carrier_of(configured(tmp_path, mail_port="2525", mail_tls="tls", mail_user="ada"))
        assert isinstance(carrier, Server)
        assert (carrier.host, carrier.port, carrier.tls, carrier.user) == ("mail.example.org", 2525, "tls", "ada")
        assert carrier.sign(b"x") == b"x"

    @pytest.mark.parametrize("missing", ["mail_host", "mail_from"])
    def test_nobody_without_settings(self, tmp_path: Path, missing: str) -> None:
        assert carrier_of(configured(tmp_path, **{missing: ""})) is None

    def test_a_key_that_cannot_be_read_sends_nothing_unsigned(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        assert carrier_of(configured(tmp_path, mail_dkim_key=str(tmp_path / "none.pem"))) is None
        assert "could not be signed" in caplog.text

    def test_a_provider_goes_before_the_server(self, tmp_path: Path, settings: Any) -> None:
        settings.BROADSHEET_MAIL_PROVIDER = "postmark"
        assert isinstance(carrier_of(configured(tmp_path)), Provider)

    def test_mail_comes_back_to_where_the_settings_say(self, tmp_path: Path) -> None:
        plain = configured(tmp_path)
        assert posting._comes_back_to(plain, 7) == "digest@papers.example.org"
        marked = configured(tmp_path, mail_bounces="bounces@papers.example.org")
        assert posting._comes_back_to(marked, 7).startswith("bounces+7-")


class TestRegion:
    @pytest.mark.parametrize(
        ("provider", "region", "told"),
        [
            pytest.param("mailgun", "eu", "https://api.eu.mailgun.net/v3", id="Mailgun in Europe"),
            pytest.param("sparkpost", "eu", "https://api.eu.sparkpost.com/api/v1", id="SparkPost in Europe"),
            pytest.param("mailgun", "us", "None", id="elsewhere as anymail has it"),
            pytest.param("postmark", "eu", "None", id="one that has no places"),
        ],
    )
    def test_it_is_asked_where_it_keeps_the_account(
        self, tmp_path: Path, provider: str, region: str, told: str
    ) -> None:
        script = (
            "from broadsheet.config.settings import ANYMAIL as it; "
            "print(it.get('MAILGUN_API_URL') or it.get('SPARKPOST_API_URL'))"
        )
        environment = {
            "BROADSHEET_DATA": str(tmp_path), "BROADSHEET_MAIL_PROVIDER": provider,
            "BROADSHEET_MAIL_PROVIDER_REGION": region, "BROADSHEET_MAIL_PROVIDER_KEY": "a-key-of-ours",
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60, check=True
        )
        assert done.stdout.strip() == told


class TestPlace:
    def test_a_folder_keeps_its_name_and_another_has_another(self, tmp_path: Path) -> None:
        one, other = tmp_path / "one", tmp_path / "other"
        one.mkdir()
        other.mkdir()
        assert posting._place(one) == posting._place(one)
        assert posting._place(one) != posting._place(other)

    def test_a_copy_of_a_folder_is_another_sender(self, tmp_path: Path) -> None:
        one, copy = tmp_path / "one", tmp_path / "copy"
        one.mkdir()
        copy.mkdir()
        name = posting._place(one)
        (copy / "sender").write_bytes((one / "sender").read_bytes())
        assert posting._place(copy) != name


class TestPosting:
    def test_without_mail_nothing_is_done(self, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(0):
            assert Posting().one() is False

    @pytest.fixture
    def posted(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
        """A worker's mail, handed to a provider that takes everything."""

        class Line:
            usable = True

            def hand_over(self, _letter: Letter, before_end: Any) -> Outcome:
                return Accepted("Ok") if before_end() else Withheld()

            def finish(self) -> None:
                return

        class Carrier:
            def open(self) -> Line:
                return Line()

        configuration = configured(tmp_path)
        monkeypatch.setattr(options, "load", lambda: configuration)
        monkeypatch.setattr(posting, "carrier_of", lambda _configuration: Carrier())
        made = Posting()
        yield made
        made.close()

    def test_who_is_due_gets_an_answer_and_the_worker_rests(self, posted: Any) -> None:
        who = Subscriber.objects.create(address="ada@example.org", made_at=NOW, confirmed_at=NOW)
        Subscription.objects.create(
            subscriber=who, key="k" * 43, cadence="day", hour=9, zone="UTC", made_at=NOW, confirmed_at=NOW, next_at=NOW
        )
        while posted.one():
            pass
        assert Delivery.objects.get().state == State.NOTHING
        assert Delivery.objects.get().said

    def test_what_is_wrong_is_told_once(self, posted: Any, caplog: pytest.LogCaptureFixture) -> None:
        user = User.objects.create(name="ada", shown="Ada Example", email="ada@example.org", is_staff=True)
        who = Subscriber.objects.create(address="ada@example.org", made_at=NOW, confirmed_at=NOW)
        row = Subscription.objects.create(
            subscriber=who, key="k" * 43, cadence="day", hour=9, zone="UTC", made_at=NOW, confirmed_at=NOW
        )
        Delivery.objects.create(
            subscription=row, slot=NOW.date(), domain="example.org", state=State.WAITING, made_at=NOW,
            due_at=datetime(2126, 1, 1, tzinfo=UTC),
        )  # fmt: skip
        for _ in range(3):
            posted._look_at = posted._warn_at = 0.0
            posted.one()
        assert caplog.text.count("Does the worker run?") == 1
        [told], _ = notices.listed(as_person(user))
        assert told.kind is Kind.MAIL
        assert "/status/mail" in told.sentence


class TestProvider:
    @pytest.fixture
    def line(self, settings: Any) -> ProviderLine:
        """A line to a provider, whose backend the test replaces."""
        settings.ANYMAIL = {"POSTMARK_SERVER_TOKEN": "x"}
        return Provider("postmark").open()

    @staticmethod
    def failing(line: ProviderLine, error: Exception, monkeypatch: pytest.MonkeyPatch) -> Outcome:
        """What is known when sending raises this."""

        def send(_messages: Any) -> int:
            raise error

        monkeypatch.setattr(line._backend, "send_messages", send)
        return line.hand_over(LETTER, lambda: True)

    def test_a_mail_goes_with_its_headers_and_its_number(
        self, line: ProviderLine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sent: list[Any] = []
        monkeypatch.setattr(line._backend, "send_messages", sent.extend)
        assert isinstance(line.hand_over(LETTER, lambda: True), Accepted)
        (message,) = sent
        assert message.extra_headers == {"List-Id": "<x>", "Message-ID": "<1@x>"}
        assert (message.to, message.metadata) == (["ada@example.org"], {"delivery": "42"})

    def test_nothing_goes_without_leave(self, line: ProviderLine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(line._backend, "send_messages", None)
        assert line.hand_over(LETTER, lambda: False) == Withheld()

    @pytest.mark.parametrize(
        ("status", "stage", "code"),
        [
            pytest.param(401, Stage.SENDER, 451, id="a wrong key is nobody's fault"),
            pytest.param(429, Stage.SENDER, 451, id="too much"),
            pytest.param(503, Stage.SENDER, 451, id="not well"),
            pytest.param(422, Stage.CONTENT, 554, id="this mail"),
        ],
    )
    def test_what_it_answers(
        self, line: ProviderLine, monkeypatch: pytest.MonkeyPatch, status: int, stage: Stage, code: int
    ) -> None:
        answer = Response()
        answer.status_code, answer._content = status, b"{}"
        outcome = self.failing(line, AnymailRequestsAPIError("No.", response=answer), monkeypatch)
        assert isinstance(outcome, NotTaken)
        assert (outcome.stage, outcome.code) == (stage, code)

    @pytest.mark.parametrize(
        ("kind", "expected"),
        [
            pytest.param(ReadTimeout, Unconfirmed, id="it may have heard"),
            pytest.param(ConnectTimeout, Lost, id="nobody was reached"),
        ],
    )
    def test_no_answer(
        self, line: ProviderLine, monkeypatch: pytest.MonkeyPatch, kind: type[Exception], expected: type[Outcome]
    ) -> None:
        error = type("Both", (AnymailRequestsAPIError, kind), {})("no answer")
        assert isinstance(self.failing(line, error, monkeypatch), expected)

    @pytest.mark.parametrize("address", ["http://127.0.0.1:9/", "http://nosuch.invalid/"])
    def test_a_provider_that_is_not_found_has_heard_nothing(
        self, line: ProviderLine, monkeypatch: pytest.MonkeyPatch, address: str
    ) -> None:
        """By real attempts: nobody listens there, and nobody has that name."""
        monkeypatch.setattr(line._backend, "api_url", address)
        assert isinstance(line.hand_over(LETTER, lambda: True), Lost)

    @pytest.mark.parametrize("status", [200, 202, 500, 502, 504])
    def test_an_answer_that_nobody_can_read_may_be_a_mail_that_went(
        self, line: ProviderLine, monkeypatch: pytest.MonkeyPatch, status: int
    ) -> None:
        answer = Response()
        answer.status_code, answer._content = status, b"<html>"
        outcome = self.failing(line, AnymailRequestsAPIError("No.", response=answer), monkeypatch)
        assert isinstance(outcome, Unconfirmed)

    def test_a_mail_that_cannot_be_written(self, line: ProviderLine, monkeypatch: pytest.MonkeyPatch) -> None:
        assert isinstance(self.failing(line, ValueError("bad header"), monkeypatch), Unsendable)
