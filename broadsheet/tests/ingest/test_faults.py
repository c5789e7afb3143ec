"""What the ledger makes of faults of arXiv, over a few simulated days each. `make bench-faults` does more, and longer.

The code is the real one, over real HTTP; simulated are arXiv, the clock and the pace.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from broadsheet.ingest.rules import State
from broadsheet.testing.arxiv import Arxiv
from broadsheet.testing.arxiv_history import invented
from broadsheet.testing.arxiv_scenarios import Scenario, named
from broadsheet.testing.arxiv_trial import Outcome, Trial

pytestmark = pytest.mark.django_db

SECTIONS = ("cs.AI", "stat.ML")
FIRST = date(2026, 3, 24)
# Just after the lists, the records and the feeds of the night are there, and in the afternoon.
HOURS = (1.25, 5.5, 15.0)


@pytest.fixture
def follow(settings: Any, tmp_path: Path) -> Callable[[str, int], tuple[Trial, Outcome]]:
    """Let an instance follow the lists around a scenario, and for some days after it."""

    def run(name: str, after: int) -> tuple[Trial, Outcome]:
        settings.BROADSHEET_HARVEST = (("arxiv", SECTIONS),)
        scenario = named(name)
        start, end = scenario.span()
        first, last = (start - timedelta(hours=30)).date(), (end + timedelta(days=after)).date()
        return _run(scenario, first, last, tmp_path)

    return run


def _run(scenario: Scenario | None, first: date, last: date, folder: Path) -> tuple[Trial, Outcome]:
    schedule = scenario.calendar() if scenario else None
    history = invented(first - timedelta(days=4), last, seed=4, per_day=8, schedule=schedule)
    faults = scenario.faults() if scenario else []
    world = Arxiv(history, history.schedule.announced_at(first), page_size=4, faults=faults)
    with Trial(world, folder, SECTIONS, first, last, scenario, hours=HOURS) as trial:
        trial.run()
        return trial, trial.outcome()


@pytest.mark.parametrize(
    ("name", "noticed"),
    [
        pytest.param("stale feed and stale page", True),
        pytest.param("listing total higher than its items", True),
        pytest.param("empty page in the middle", False),
        pytest.param("list ends after its first page", False),
        pytest.param("titles and identifiers renamed", True),
        pytest.param("406 for a day", True),
        pytest.param("hosts down for two lists", True),
        pytest.param("a list nine hours late", False),
    ],
)
def test_a_fault_loses_nothing_moves_nothing_and_is_never_talked_away(
    follow: Callable[[str, int], tuple[Trial, Outcome]], name: str, noticed: bool
) -> None:
    trial, outcome = follow(name, 1)
    assert outcome.announced > 10
    assert outcome.lost == ()
    assert outcome.misplaced == ()
    assert [seen for seen in trial.seen if seen.lie] == []
    assert set(outcome.states.values()) <= {State.COMPLETE, State.EMPTY}
    assert not noticed or any(not seen.calm for seen in trial.seen if seen.troubled)


def test_a_week_without_faults_raises_no_alarm(settings: Any, tmp_path: Path) -> None:
    settings.BROADSHEET_HARVEST = (("arxiv", SECTIONS),)
    trial, outcome = _run(None, FIRST, FIRST + timedelta(days=6), tmp_path)
    assert (outcome.lost, outcome.misplaced) == ((), ())
    assert set(outcome.states.values()) == {State.COMPLETE}
    assert {str(seen.said.state) for seen in trial.seen if seen.said} <= {State.COMPLETE, State.EMPTY, State.UNVERIFIED}
    assert [seen.said.failed for seen in trial.seen if seen.said and seen.said.failed] == []


def test_a_day_that_the_lists_of_the_week_pass_over_is_known_to_be_empty(
    follow: Callable[[str, int], tuple[Trial, Outcome]],
) -> None:
    name = "a list left out unannounced"
    trial, _ = follow(name, 2)
    states = [seen.state for seen in trial.seen if seen.day == named(name).day]
    assert states[0] == State.UNVERIFIED
    assert states[-1] == State.EMPTY
