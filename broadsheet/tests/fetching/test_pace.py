"""Who is asked how often, and how long an origin is left alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.fetching.pace import LONGEST, PACES, SLOWEST, Pace, announced, pace_of, rest, retry_after

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MINUTE = 60.0


@pytest.mark.parametrize(
    ("host", "name", "interval"),
    [
        pytest.param("arxiv.org", "arxiv", 3.0, id="arXiv"),
        pytest.param("export.arxiv.org", "arxiv", 3.0, id="arXiv, search"),
        pytest.param("oaipmh.arxiv.org", "arxiv", 3.0, id="arXiv, OAI-PMH"),
        pytest.param("rss.arxiv.org", "arxiv", 3.0, id="arXiv, feeds"),
        pytest.param("A.B.ARXIV.ORG.", "arxiv", 3.0, id="arXiv, however it is written"),
        pytest.param("notarxiv.org", "host-notarxiv.org", 1.0, id="another host that ends alike"),
        pytest.param("arxiv.org.example", "host-arxiv.org.example", 1.0, id="another host that begins alike"),
        pytest.param("api.crossref.org", "crossref", 1.0, id="Crossref"),
        pytest.param("api.semanticscholar.org", "semantic-scholar", 1.0, id="Semantic Scholar"),
        pytest.param("api2.openreview.net", "openreview", 1.0, id="OpenReview"),
        pytest.param("api.biorxiv.org", "biorxiv", 1.0, id="bioRxiv"),
        pytest.param("www.medrxiv.org", "biorxiv", 1.0, id="medRxiv shares its machines"),
        pytest.param("huggingface.co", "hugging-face", 1.0, id="Hugging Face"),
        pytest.param("aclanthology.org", "host-aclanthology.org", 1.0, id="any other host"),
    ],
)
def test_the_group_of_a_host(host: str, name: str, interval: float) -> None:
    pace = pace_of(host)
    assert (pace.name, pace.interval) == (name, interval)


@given(st.text(min_size=1, max_size=300))
def test_the_name_of_a_group_can_always_be_that_of_a_file(host: str) -> None:
    name = pace_of(host).name
    assert "/" not in name
    assert name.strip(".")
    assert len(name.encode()) < 150


def test_no_origin_may_be_asked_faster_than_its_own_rule() -> None:
    assert all(pace.least <= pace.interval for pace in PACES)
    assert {pace.name for pace in PACES if pace.least < pace.interval} == {"crossref"}


@pytest.mark.parametrize(
    ("limit", "interval", "expected"),
    [
        pytest.param("50", "1s", 0.1, id="as fast as ten a second, not as fifty"),
        pytest.param("5", "1s", 0.2, id="as it says"),
        pytest.param("5", "1", 0.2, id="without a unit"),
        pytest.param("1", "10s", 10.0, id="slower than usual"),
        pytest.param("1", "86400s", SLOWEST, id="never slower than a minute"),
        pytest.param("0", "1s", SLOWEST, id="none at all"),
        pytest.param("", "1s", None, id="no limit"),
        pytest.param("5", "", None, id="no interval"),
        pytest.param("-5", "1s", None, id="negative"),
        pytest.param("nan", "1s", None, id="no number"),
        pytest.param("inf", "1s", None, id="infinite"),
        pytest.param("many", "1s", None, id="a word"),
        pytest.param("9" * 400, "1s", None, id="very long"),
        pytest.param("٥", "1s", None, id="digits of another script"),
    ],
)
def test_the_pace_that_an_origin_asks_for(limit: str, interval: str, expected: float | None) -> None:
    headers = {"x-rate-limit-limit": limit, "x-rate-limit-interval": interval}
    assert announced(headers, pace_of("api.crossref.org")) == expected


def test_arxiv_cannot_be_asked_faster_whatever_a_header_says() -> None:
    headers = {"x-rate-limit-limit": "1000", "x-rate-limit-interval": "1s"}
    assert announced(headers, pace_of("export.arxiv.org")) == 3.0


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_headers_give_a_sane_pace_or_none(limit: str, interval: str) -> None:
    pace = Pace("origin", (), 1.0, 0.5)
    found = announced({"x-rate-limit-limit": limit, "x-rate-limit-interval": interval}, pace)
    assert found is None or 0.5 <= found <= SLOWEST


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        pytest.param("120", 120.0, id="seconds"),
        pytest.param(" 0 ", 0.0, id="none"),
        pytest.param("999999999", LONGEST, id="years"),
        pytest.param("Sun, 22 Nov 2026 12:10:00 GMT", 600.0, id="a date"),
        pytest.param("Sunday, 22-Nov-26 12:10:00 GMT", 600.0, id="a date of RFC 850"),
        pytest.param("Sun Nov 22 12:10:00 2026", 600.0, id="a date of asctime"),
        pytest.param("Sun, 22 Nov 2026 13:10:00 +0100", 600.0, id="a date in another zone"),
        pytest.param("Sun, 22 Nov 2026 11:00:00 GMT", 0.0, id="a date that is over"),
        pytest.param("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST, id="a date at the end of time"),
        pytest.param("Fri, 31 Dec 9999 23:59:59 -2300", LONGEST, id="a date behind the end of time"),
        pytest.param("", None, id="nothing"),
        pytest.param("soon", None, id="a word"),
        pytest.param("-5", None, id="negative"),
        pytest.param("1.5", None, id="a fraction"),
        pytest.param("١٢٠", None, id="digits of another script"),
        pytest.param("120, 120", None, id="twice"),
        pytest.param("9" * 5000, None, id="very long"),
    ],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    assert retry_after(value, NOW) == seconds


@given(st.integers(-(10**9), 10**11))
def test_retry_after_says_the_same_as_a_date_as_in_seconds(seconds: int) -> None:
    moment = NOW + timedelta(seconds=seconds)
    expected = min(max((moment - NOW).total_seconds(), 0), LONGEST)
    assert retry_after(format_datetime(moment, usegmt=True), NOW) == expected


@given(
    st.text(max_size=80) | st.from_regex(r"[A-Z][a-z]{2}, \d+ [A-Z][a-z]{2} \d+ \d+:\d+:\d+ [-+]?\w*", fullmatch=True)
)
def test_any_retry_after_is_none_or_within_a_day(value: str) -> None:
    found = retry_after(value, NOW)
    assert found is None or 0 <= found <= timedelta(days=1).total_seconds()


@pytest.mark.parametrize(
    ("refusals", "wished", "minutes"),
    [
        pytest.param(1, None, 5, id="first"),
        pytest.param(2, None, 15, id="second"),
        pytest.param(3, None, 45, id="third"),
        pytest.param(5, None, 240, id="fifth"),
        pytest.param(1000, None, 240, id="never more than four hours by ourselves"),
        pytest.param(1, 10.0, 5, id="a short wish is not trusted"),
        pytest.param(1, 3600.0, 60, id="a long wish is granted"),
    ],
)
def test_an_origin_is_left_alone_for_longer_each_time(refusals: int, wished: float | None, minutes: int) -> None:
    assert rest(refusals, wished) == minutes * MINUTE
