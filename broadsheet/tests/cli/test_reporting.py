"""What `broadsheet status` says of the last days and of the sources that are asked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from broadsheet.cli import reporting
from broadsheet.ingest.models import DayCheck, Place

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 20, 17, tzinfo=UTC)


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[], list[str]]:
    """Calls the command on a Friday at noon, Eastern, and returns its lines."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOON)
    monkeypatch.setattr(reporting.preparing, "require_database", lambda: None)

    def report() -> list[str]:
        reporting.status()
        return capsys.readouterr().out.splitlines()

    return report


def test_where_no_source_is_asked_nothing_is_said_of_days(lines: Callable[[], list[str]]) -> None:
    assert not [line for line in lines() if line.startswith(("2026", "source"))]


def test_the_last_days_and_the_sources_are_told_in_short(lines: Callable[[], list[str]]) -> None:
    Place.objects.create(source="arxiv-oai", set_name="cs", answered_at=NOON)
    Place.objects.create(source="arxiv-feed", set_name="", failure="The network\x1b[2J is gone.", failures=3)
    count = {"announcer": "arxiv", "section": "cs", "announced": 12_000, "how": "OAI", "held": 11_999, "missing": []}
    DayCheck.objects.create(
        day=date(2026, 11, 20), state="incomplete", reason="", lines=[count], failed=[], checked_at=NOON
    )
    told = lines()
    assert "2026-11-20 Incomplete: 1 of 12 000 in cs is missing, checked 12:00 Eastern." in told
    assert "2026-11-19 Not verified: No source was asked." in told
    assert "source     arxiv-feed: Failed 3 times in a row. The network?[2J is gone." in told
    assert "source     arxiv-oai cs: Answers. Last answer 2026-11-20 17:00 UTC." in told
