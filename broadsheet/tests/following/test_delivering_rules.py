"""What a refusal means, when a mail is tried again, and how fast mail goes to one domain."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.following.rules.delivering import DELAYS, JITTER, Pace, Verdict, retry_after, verdict
from broadsheet.mailing.outcomes import Stage

TO, FROM, ALL = Stage.RECIPIENT, Stage.SENDER, Stage.CONTENT

_GMAIL = (
    "The email account that you tried to reach does not exist. Please try double-checking the recipient's email "
    "address for typos or unnecessary spaces. For more information, go to https://support.google.com/mail/?p=NoSuchUser"
)


@pytest.mark.parametrize(
    ("stage", "code", "status", "said", "expected"),
    [
        pytest.param(TO, 550, "5.1.1", "No such user here", Verdict.GONE, id="Postfix: unknown"),
        pytest.param(
            TO, 550, "5.1.1", "The email account that you tried to reach does not exist", Verdict.GONE, id="G"
        ),
        pytest.param(TO, 550, "5.1.10", "RESOLVER.ADR.RecipientNotFound", Verdict.GONE, id="Exchange: unknown"),
        pytest.param(TO, 551, "5.1.6", "Moved", Verdict.GONE, id="moved"),
        pytest.param(TO, 556, "5.1.10", "Domain takes no mail", Verdict.GONE, id="null MX (RFC 7505)"),
        pytest.param(TO, 550, "", "User unknown", Verdict.GONE, id="old server, plain words"),
        pytest.param(TO, 550, "", "No such mailbox", Verdict.GONE, id="old server, other words"),
        pytest.param(TO, 550, "", "Requested action not taken", Verdict.REFUSED, id="550 alone says nothing"),
        pytest.param(TO, 550, "", "Invalid recipient: blocked by policy", Verdict.REFUSED, id="words of a filter"),
        pytest.param(
            TO, 550, "5.1.1", "rejected: your IP is on a blacklist", Verdict.REFUSED, id="a filter with 5.1.1"
        ),
        pytest.param(TO, 550, "5.7.1", "Access denied", Verdict.REFUSED, id="policy"),
        pytest.param(TO, 550, "5.7.515", "Does not meet the authentication level", Verdict.REFUSED, id="Outlook"),
        pytest.param(TO, 552, "5.2.2", "Mailbox full", Verdict.FULL, id="full"),
        pytest.param(TO, 450, "4.1.1", "User unknown in local table", Verdict.AGAIN, id="4xx is never for good"),
        pytest.param(TO, 451, "4.7.1", "Greylisted", Verdict.AGAIN, id="greylisting"),
        pytest.param(FROM, 550, "5.7.1", "Sender refused", Verdict.AGAIN, id="we are refused: nobody's fault"),
        pytest.param(FROM, 552, "5.3.4", "Too big", Verdict.REFUSED, id="too large"),
        pytest.param(FROM, 550, "5.1.1", "No such user", Verdict.AGAIN, id="of the sender, not of her"),
        pytest.param(ALL, 554, "5.7.1", "Spam", Verdict.REFUSED, id="the content refused"),
        pytest.param(ALL, 550, "5.1.1", "No such user", Verdict.REFUSED, id="too late to be certain whom it means"),
        pytest.param(ALL, 452, "4.3.1", "No room", Verdict.AGAIN, id="no room"),
    ],
)
def test_what_a_refusal_means(stage: Stage, code: int, status: str, said: str, expected: Verdict) -> None:
    assert verdict(stage, code, status, said) is expected


@given(st.sampled_from(Stage), st.integers(400, 499), st.text(max_size=20), st.text(max_size=200))
def test_what_is_put_off_never_ends_anything(stage: Stage, code: int, status: str, said: str) -> None:
    assert verdict(stage, code, status, said) is Verdict.AGAIN


@pytest.mark.parametrize("attempts", range(1, len(DELAYS) + 1))
def test_each_wait_is_longer_than_the_one_before(attempts: int) -> None:
    assert retry_after(attempts, 0) == DELAYS[attempts - 1]
    assert retry_after(attempts, 1) == DELAYS[attempts - 1] * (1 + JITTER)


def test_attempts_end_within_a_day() -> None:
    assert retry_after(len(DELAYS) + 1, 0) is None
    assert sum(DELAYS, timedelta()) * (1 + JITTER) < timedelta(days=1)


class TestPace:
    def test_without_a_limit_anything_goes(self) -> None:
        pace = Pace(0)
        pace.count("a", 0.0, 1000)
        assert pace.left("a", 0.0) > 1000
        assert pace.resting(0.0) == []

    def test_a_handful_goes_at_once_then_one_after_the_other(self) -> None:
        pace = Pace(60)
        pace.count("a", 0.0, pace.left("a", 0.0))
        assert (pace.left("a", 0.0), pace.resting(0.0)) == (0, ["a"])
        assert (pace.left("a", 1.0), pace.resting(1.0)) == (1, [])
        assert pace.left("b", 0.0) == 5

    def test_a_mail_that_did_not_go_is_not_counted(self) -> None:
        pace = Pace(60)
        pace.count("a", 0.0)
        pace.count("a", 0.0, -1)
        assert pace.left("a", 0.0) == 5

    @given(st.integers(1, 600), st.lists(st.floats(0.0, 5.0), min_size=1, max_size=200))
    def test_no_more_go_than_a_minute_allows(self, a_minute: int, waits: list[float]) -> None:
        pace, at, gone = Pace(a_minute), 0.0, 0
        for wait in waits:
            at += wait
            if pace.left("a", at):
                pace.count("a", at)
                gone += 1
        assert gone <= max(5.0, a_minute / 12) + at * a_minute / 60 + 1e-6

    def test_what_has_rested_is_forgotten(self) -> None:
        pace = Pace(60)
        pace.count("a", 0.0)
        pace.resting(100.0)
        assert pace._counted == {}
