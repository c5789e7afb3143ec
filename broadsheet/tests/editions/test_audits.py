"""What an edition says of how complete it is, word for word, in every state of the ledger."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.editions.rules import audits
from broadsheet.editions.rules.audits import Change
from broadsheet.ingest.rules import DayAudit, Line, State

FRIDAY = date(2026, 11, 20)
# 21:40 Eastern on the evening before, and at noon of the day itself.
EVENING = datetime(2026, 11, 20, 2, 40, tzinfo=UTC)
NOON = datetime(2026, 11, 20, 17, tzinfo=UTC)


def line(
    section: str,
    announced: int | None,
    held: int,
    *missing: str,
    announcer: str = "arxiv",
    how: str = "listing total",
) -> Line:
    return Line(announcer, section, announced, how, held, missing)


def audit(
    state: State, *lines: Line, day: date = FRIDAY, reason: str = "Nobody knows.", at: datetime | None = NOON
) -> DayAudit:
    return DayAudit(day, state, reason, lines, (), at)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        pytest.param(
            audit(State.COMPLETE, line("cs", 612, 612)),
            "Complete: 612 of 612 announced by arXiv in cs, checked 12:00 Eastern.",
            id="one section, checked on the day",
        ),
        pytest.param(
            audit(State.COMPLETE, line("cs", 612, 612), line("stat.ML", 48, 48), at=EVENING),
            "Complete: 612 of 612 announced by arXiv in cs, 48 of 48 in stat.ML, checked 19 November, 21:40 Eastern.",
            id="two sections, checked on the evening before",
        ),
        pytest.param(
            audit(State.COMPLETE, line("cs", 612, 612), line("neuroscience", 9, 9, announcer="biorxiv")),
            "Complete: 612 of 612 announced by arXiv in cs; 9 of 9 announced by bioRxiv in neuroscience, "
            "checked 12:00 Eastern.",
            id="two announcers",
        ),
        pytest.param(
            audit(State.COMPLETE, *(line(f"cs.{two}", 3000, 3000) for two in ("AI", "CL", "CV", "LG"))),
            "Complete: 12\u202f000 of 12\u202f000 listings in 4 sections of arXiv, checked 12:00 Eastern.",
            id="many sections are counted together, and called listings because a paper may stand in several",
        ),
        pytest.param(
            audit(State.COMPLETE, line("", 30, 30, announcer="hugging-face")),
            "Complete: 30 of 30 announced by Hugging Face, checked 12:00 Eastern.",
            id="an announcer without sections",
        ),
        pytest.param(
            audit(State.COMPLETE, line("cs", 612, 612), at=datetime(2027, 1, 3, 17, tzinfo=UTC)),
            "Complete: 612 of 612 announced by arXiv in cs, checked 3 January 2027, 12:00 Eastern.",
            id="checked in another year",
        ),
        pytest.param(
            audit(State.INCOMPLETE, line("cs.AI", 215, 212, "2611.00001"), line("cs.LG", 310, 310)),
            "Incomplete: 3 of 215 in cs.AI are missing, checked 12:00 Eastern.",
            id="only the sections that lack something are named",
        ),
        pytest.param(
            audit(State.INCOMPLETE, line("cs.AI", 215, 214)),
            "Incomplete: 1 of 215 in cs.AI is missing, checked 12:00 Eastern.",
            id="one is missing",
        ),
        pytest.param(
            audit(State.INCOMPLETE, line("cs.AI", 215, 214), line("cs.LG", 310, 300), line("stat.ML", 48, 47)),
            "Incomplete: 1 of 215 in cs.AI, 10 of 310 in cs.LG and 1 of 48 in stat.ML are missing, "
            "checked 12:00 Eastern.",
            id="three sections lack something",
        ),
        pytest.param(
            audit(State.INCOMPLETE, *(line(f"cs.{two}", 10, 9) for two in ("AI", "CL", "CV", "LG"))),
            "Incomplete: 4 of 40 listings in 4 sections are missing, checked 12:00 Eastern.",
            id="many sections lack something",
        ),
        pytest.param(
            audit(State.INCOMPLETE, line("cs.AI", None, 20, "2611.00001", "2611.00002")),
            "Incomplete: 2 of 22 in cs.AI are missing, checked 12:00 Eastern.",
            id="nobody counted, but two that were named are not here",
        ),
        pytest.param(
            audit(State.INCOMPLETE, reason="The feed is cut off"),
            "Incomplete: The feed is cut off.",
            id="no section tells what is missing",
        ),
        pytest.param(
            audit(State.UNVERIFIED, line("cs", 612, 612, how="feed count"), reason="Only the feed counted."),
            "Not verified: Only the feed counted.",
            id="not verified",
        ),
        pytest.param(
            audit(State.DOWN, line("cs", None, 0), line("neuroscience", 9, 9, announcer="biorxiv")),
            "Source down: no answer since 19 November, 20:00 Eastern, when a list was due.",
            id="arXiv is silent since its list was due on the evening before",
        ),
        pytest.param(
            audit(State.DOWN, line("cs", 12, 12), line("neuroscience", None, 0, announcer="biorxiv")),
            "Source down: no answer since 00:00 Eastern, when a list was due.",
            id="an announcer without hours is silent since midnight",
        ),
        pytest.param(
            audit(State.EMPTY, day=date(2026, 11, 21)),
            "Saturday: arXiv announces nothing from Friday evening to Sunday evening.",
            id="a Saturday",
        ),
        pytest.param(
            audit(State.EMPTY, day=date(2026, 7, 6)),
            "arXiv has no list of this day by its calendar: no mailing on 3 July 2026.",
            id="the list after a day without mailing",
        ),
        pytest.param(
            audit(State.EMPTY, reason="The lists of the week pass over this day (arxiv)."),
            "The lists of the week pass over this day (arxiv).",
            id="empty, and no calendar knew",
        ),
    ],
)
def test_the_line_of_a_day(known: DayAudit, expected: str) -> None:
    assert audits.day_words(known).line == expected


def week(*states: State | None) -> list[DayAudit]:
    """A week from Monday, 16 November 2026, on; None is a day about which nobody was asked."""
    days = [date(2026, 11, 16 + number) for number in range(len(states))]
    return [
        audit(state, line("cs", 5, 5), day=day) if state else audits.unknown(day)
        for day, state in zip(days, states, strict=True)
    ]


FULL, LACKS, DOUBT, DOWN, EMPTY = (
    State.COMPLETE, State.INCOMPLETE, State.UNVERIFIED, State.DOWN, State.EMPTY,
)  # fmt: skip


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        pytest.param(
            week(FULL, FULL, FULL, FULL, FULL, EMPTY, EMPTY),
            "Complete: each of the 5 days on which something was announced, last checked 20 November 2026, "
            "12:00 Eastern.",
            id="all complete, weekend empty",
        ),
        pytest.param(
            week(FULL),
            "Complete: the one day on which something was announced, last checked 20 November 2026, 12:00 Eastern.",
            id="one day so far",
        ),
        pytest.param(
            week(FULL, LACKS, FULL, LACKS, FULL),
            "Incomplete: 17 and 19 November; complete: 3 other days.",
            id="two lack something",
        ),
        pytest.param(
            week(FULL, LACKS, DOUBT, DOWN, FULL),
            "Source down: 19 November; incomplete: 17 November; not verified: 18 November; complete: 2 other days.",
            id="the worst first",
        ),
        pytest.param(
            week(FULL, None, FULL), "Not verified: 17 November; complete: 2 other days.", id="one was not asked for"
        ),
        pytest.param(week(LACKS, LACKS, LACKS, LACKS, LACKS), "Incomplete: 5 days.", id="many are counted"),
        pytest.param(week(None, None, None, None, None, None, None), None, id="nobody was asked"),
        pytest.param(week(None, None, None, None, None, EMPTY, EMPTY), None, id="nobody was asked but the calendar"),
        pytest.param([], None, id="no day"),
    ],
)
def test_the_line_of_a_week_or_month(days: list[DayAudit], expected: str | None) -> None:
    words = audits.period_words(days)
    assert (words and words.line) == expected


def test_days_of_two_months_name_both() -> None:
    days = [
        audit(LACKS, day=date(2026, 11, 30)),
        audit(LACKS, day=date(2026, 12, 1)),
        audit(LACKS, day=date(2026, 12, 3)),
    ]
    words = audits.period_words(days)
    assert words is not None
    assert words.text == "30 November, 1 and 3 December."


@given(st.lists(st.sampled_from([FULL, LACKS, DOUBT, DOWN, EMPTY, None]), max_size=31))
def test_several_days_are_never_said_to_be_better_than_the_worst_of_them(states: list[State | None]) -> None:
    days = [
        audit(state, line("cs", 5, 5), day=date(2026, 10, number)) if state else audits.unknown(date(2026, 10, number))
        for number, state in enumerate(states, 1)
    ]
    words = audits.period_words(days)
    spoken = [known.state for known in days if known.state is not EMPTY]
    if words is None:
        assert not any(state in (FULL, LACKS, DOWN) for state in spoken)
    else:
        assert words.label == audits.LABELS[min(spoken, key=list(State).index)]


@pytest.mark.parametrize(
    ("kind", "number", "expected"),
    [
        (Change.ADDED, 1, "1 paper added"),
        (Change.ADDED, 12_000, "12\u202f000 papers added"),
        (Change.LEFT, 1, "1 paper taken out, because it belongs to another edition"),
        (Change.LEFT, 2, "2 papers taken out, because they belong to another edition"),
        (Change.MERGED, 1, "1 paper found to be the same work as another one of this edition"),
        (Change.PARTED, 2, "2 merges of two papers taken back"),
    ],
)
def test_what_changed_a_closed_edition(kind: Change, number: int, expected: str) -> None:
    assert audits.change_words(kind, number) == expected


@pytest.mark.parametrize(
    ("moment", "near", "expected"),
    [
        pytest.param(NOON, None, "20 November 2026, 12:00 Eastern", id="alone"),
        pytest.param(NOON, FRIDAY, "12:00 Eastern", id="on the day"),
        pytest.param(EVENING, FRIDAY, "19 November, 21:40 Eastern", id="in the year"),
        pytest.param(datetime(2026, 7, 1, 0, 0, tzinfo=UTC), None, "30 June 2026, 20:00 Eastern", id="summer time"),
    ],
)
def test_a_moment_on_the_announcers_clock(moment: datetime, near: date | None, expected: str) -> None:
    assert audits.clock(moment, near=near) == expected
