"""Dates, numbers and names as they are printed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from broadsheet.bibliography.dates import PartialDate
from broadsheet.ingest.queries import Place
from broadsheet.web import wording


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        pytest.param(date(2026, 11, 20), "20 November 2026", id="a day"),
        pytest.param(PartialDate(2021, 1), "January 2021", id="a month"),
        pytest.param("2021", "2021", id="a year"),
        pytest.param("2021-01-04", "4 January 2021", id="a stored day"),
        pytest.param("", "", id="none"),
        pytest.param(None, "", id="unknown"),
        pytest.param("soon", "soon", id="what is no date is printed as it is"),
    ],
)
def test_a_date_is_printed_as_far_as_it_is_known(day: date | PartialDate | str | None, expected: str) -> None:
    assert wording.day_text(day) == expected


def test_the_masthead_names_the_weekday() -> None:
    assert wording.long_day(date(2026, 11, 22)) == "Sunday, 22 November 2026"


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        pytest.param(
            datetime(2026, 11, 21, 2, 14, tzinfo=UTC), "20 November 2026, 21:14 Eastern", id="winter, the day before"
        ),
        pytest.param(datetime(2026, 7, 1, 0, 0, tzinfo=UTC), "30 June 2026, 20:00 Eastern", id="summer time"),
    ],
)
def test_announcements_are_timed_in_eastern_time_and_say_so(moment: datetime, expected: str) -> None:
    assert wording.eastern(moment) == expected


def test_in_a_table_of_the_last_days_the_year_is_left_out() -> None:
    assert wording.weekday_text(date(2026, 11, 20)) == "Friday, 20 November"


NOON = datetime(2026, 11, 20, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({}, ("Not asked yet.", ""), id="new"),
        pytest.param({"answered_at": NOON}, ("Answers.", ""), id="well"),
        pytest.param(
            {"failure": "The network is gone.", "failures": 1}, ("Failed.", "The network is gone."), id="once"
        ),
        pytest.param(
            {"failure": "The network is gone.", "failures": 7, "answered_at": NOON},
            ("Failed 7\u00a0times in a row.", "The network is gone."),
            id="for long",
        ),
        pytest.param(
            {"failure": "It asked us to wait.", "failures": 2, "resting_until": NOON + timedelta(minutes=5)},
            ("Resting until 20 November 2026, 12:05 Eastern.", "It asked us to wait."),
            id="resting",
        ),
        pytest.param(
            {"failure": "It asked us to wait.", "failures": 1, "resting_until": NOON - timedelta(minutes=5)},
            ("Failed.", "It asked us to wait."),
            id="rested",
        ),
    ],
)
def test_how_asking_a_source_goes(fields: dict[str, object], expected: tuple[str, str]) -> None:
    assert wording.health(Place(source="arxiv-oai", set_name="cs", **fields), NOON) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, "0"), (273, "273"), (9_999, "9999"), (10_000, "10\u202f000"), (3_000_000, "3\u202f000\u202f000")],
)
def test_long_numbers_are_grouped(value: int, expected: str) -> None:
    assert wording.number(value) == expected


def test_a_noun_agrees_with_its_number() -> None:
    assert wording.count(1, "paper") == "1\u00a0paper"
    assert wording.count(2, "paper") == "2\u00a0papers"
    assert wording.count(0, "entry", "entries") == "0\u00a0entries"


@pytest.mark.parametrize(
    ("slug", "expected"),
    [
        pytest.param("learning-theory", "Learning theory", id="words"),
        pytest.param("bandits-and-rl-theory", "Bandits and RL theory", id="letter words"),
        pytest.param("llm-reasoning", "LLM reasoning", id="letter words in front"),
        pytest.param("optimisers", "Optimisers", id="one word"),
        pytest.param("cs.LG", "Machine Learning", id="category of arXiv"),
        pytest.param("stat.ML", "Machine Learning (Statistics)", id="category with the name of another"),
        pytest.param("gr-qc", "General Relativity and Quantum Cosmology", id="archive that is a category"),
        pytest.param("cs.XX", "cs.XX", id="category that arXiv does not list"),
        pytest.param("", "", id="empty"),
    ],
)
def test_sections_have_names(slug: str, expected: str) -> None:
    assert wording.section_name(slug) == expected


@pytest.mark.parametrize(
    ("kind", "label", "expected"),
    [
        ("day", "2026-11-20", "20 November 2026"),
        ("week", "2026-W07", "Week 7 of 2026"),
        ("month", "2026-11", "November 2026"),
        ("first", "first", "First edition"),
    ],
)
def test_editions_have_names(kind: str, label: str, expected: str) -> None:
    assert wording.edition_name(kind, label) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("cs.LG", "Machine Learning (cs.LG)"),
        ("stat.ML", "Machine Learning (Statistics, stat.ML)"),
        pytest.param("cs.XX", "cs.XX", id="category that arXiv does not list"),
    ],
)
def test_categories_have_names_and_codes(code: str, expected: str) -> None:
    assert wording.category_name(code) == expected
