"""Whether a fault was noticed is judged by what is said with it and not without it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from broadsheet.testing.arxiv_verdict import Moment, Noticed, Verdict, View, healed_at, read, verdict, written

MET = datetime(2026, 3, 25, 0, 15, tzinfo=UTC)
DAY = "2026-03-25"
USUAL = "Of the announced papers are here: 6 of 9 in cs.AI; the others are expected until 01:00."
STALE = "arXiv (RSS and Atom) still shows cs.AI of 24 March 2026."

EARLY = View("unverified", (USUAL,), 6)
DONE = View("complete", (), 9)
REMARK = View("complete", (STALE,), 9)
SHORT = View("complete", (), 8)
UNSEEN = View("not checked", (), 0)


def turns(*views: View, sources: tuple[str, ...] = (), log: tuple[str, ...] = ()) -> list[Moment]:
    """Turns a quarter of an hour, one and a half, and so on, hours after midnight; the first one has the remarks."""
    return [
        Moment(MET + timedelta(minutes=75) * number, {DAY: view}, *((sources, log) if number == 0 else ()))
        for number, view in enumerate(views)
    ]


@pytest.mark.parametrize(
    ("disturbed", "expected"),
    [
        pytest.param(turns(EARLY, DONE, DONE), Verdict(Noticed.HARMLESS), id="nothing is said and nothing is other"),
        pytest.param(turns(REMARK, DONE, DONE), Verdict(Noticed.EDITION, STALE, 0.0), id="a day says so at once"),
        pytest.param(turns(EARLY, REMARK, DONE), Verdict(Noticed.EDITION, STALE, 1.25), id="after an hour's patience"),
        pytest.param(turns(EARLY, DONE, REMARK), Verdict(Noticed.NO), id="said later is too late"),
        pytest.param(turns(EARLY, SHORT, DONE), Verdict(Noticed.NO), id="one was missing and nobody said so"),
        pytest.param(turns(EARLY, DONE, SHORT), Verdict(Noticed.NO), id="one was lost at the end"),
        pytest.param(
            turns(EARLY, EARLY, DONE),
            Verdict(Noticed.EDITION, USUAL, 1.25),
            id="what is usual in the evening is telling when it is still said later",
        ),
        pytest.param(
            turns(EARLY, DONE, DONE, sources=("No answer.",)), Verdict(Noticed.SOURCE, "No answer.", 0.0), id="a source"
        ),
        pytest.param(
            turns(EARLY, DONE, DONE, log=("It is locked.",)), Verdict(Noticed.LOG, "It is locked.", 0.0), id="the log"
        ),
        pytest.param(turns(UNSEEN, DONE, DONE), Verdict(Noticed.EDITION, "not checked.", 0.0), id="nobody looked"),
    ],
)
def test_noticed_is_what_is_said_in_time_and_would_not_be_said_without_the_fault(
    disturbed: list[Moment], expected: Verdict
) -> None:
    assert verdict(MET, disturbed, turns(EARLY, DONE, DONE)) == expected


def test_a_fault_that_never_came_to_pass_proves_nothing() -> None:
    assert verdict(None, turns(DONE), turns(DONE)) == Verdict(Noticed.NOT_MET)
    assert verdict(MET + timedelta(days=1), turns(DONE), turns(DONE)) == Verdict(Noticed.NO)


def test_what_is_said_late_anywhere_is_no_sign_of_harmlessness() -> None:
    first, second, third = turns(EARLY, DONE, DONE)
    for late in (replace(third, sources=("No answer.",)), replace(third, log=("It is locked.",))):
        assert verdict(MET, [first, second, late], turns(EARLY, DONE, DONE)) == Verdict(Noticed.NO)


@pytest.mark.parametrize(
    ("views", "turn"),
    [
        pytest.param((DONE, DONE, DONE), 1, id="from the end of the fault on"),
        pytest.param((EARLY, EARLY, REMARK), 2, id="when it is complete, with a remark"),
        pytest.param((DONE, DONE, EARLY), None, id="not while it ends badly"),
        pytest.param((UNSEEN, UNSEEN, UNSEEN), None, id="never"),
    ],
)
def test_healed_is_complete_for_good(views: tuple[View, ...], turn: int | None) -> None:
    moments = turns(*views)
    expected = None if turn is None else moments[turn].at
    assert healed_at(moments, [DAY], since=moments[1].at) == expected


def test_a_day_of_which_nothing_is_said_is_not_healed() -> None:
    days: Mapping[str, View] = {}
    assert healed_at([Moment(MET, days)], [DAY], since=MET) is None


def test_what_is_written_is_read_again() -> None:
    moments = turns(REMARK, UNSEEN, sources=("No answer.",), log=("It is locked.",))
    assert read(written(moments)) == moments
