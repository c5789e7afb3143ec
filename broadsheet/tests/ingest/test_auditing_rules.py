"""What an audit says of a day, as tables, and its laws."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.ingest.rules import DayAudit, State, days
from broadsheet.ingest.rules.auditing import Asked, Evidence, audit

DAY = date(2026, 11, 20)  # a Friday with a list
NOON = datetime(2026, 11, 20, 17, tzinfo=UTC)
EVENING_BEFORE = days.appears(DAY) + timedelta(minutes=10)
LISTING, FEED, OAI = "arxiv-listing", "arxiv-feed", "arxiv-oai"


def named(held: int, missing: int = 0) -> dict[str, bool]:
    return {f"2611.{number:05}": number < held for number in range(held + missing)}


def answered(source: str = LISTING, *, newest: date | None = DAY, **changes: Any) -> Asked:
    return Asked(source, f"The {source}", NOON - timedelta(hours=1), newest, **changes)


def failing(source: str = LISTING, *, since: timedelta = timedelta(days=2)) -> Asked:
    newest = None if source == OAI else DAY - timedelta(days=1)
    return Asked(source, f"The {source}", NOON - since, newest, "No answer.")


def section(name: str = "cs", **known: Any) -> Evidence:
    return Evidence("arxiv", name, **known)


def whole(name: str = "cs", number: int = 3, **known: Any) -> Evidence:
    """A section of which the listing counted so many, and all are here."""
    return section(name, **{"counts": {LISTING: number}, "named": named(number), **known})


@pytest.mark.parametrize(
    ("known", "now", "state", "reason"),
    [
        pytest.param(
            section(counts={LISTING: 3, FEED: 3}, named=named(3)), NOON,
            State.COMPLETE, "All announced papers are here: 3 in cs (listing total).",
            id="all that the listing counted are here",
        ),
        pytest.param(
            section(counts={LISTING: 0}), NOON,
            State.COMPLETE, "All announced papers are here: 0 in cs (listing total).",
            id="a small section of which nothing was announced",
        ),
        pytest.param(
            section(counts={LISTING: 3}, named=named(2, 1)), NOON,
            State.INCOMPLETE, "Of the announced papers are here: 2 of 3 in cs.",
            id="one is missing by name",
        ),
        pytest.param(
            section(counts={LISTING: 5}, named=named(3)), NOON,
            State.INCOMPLETE, "Of the announced papers are here: 3 of 5 in cs.",
            id="two are missing that nobody named",
        ),
        pytest.param(
            section(counts={FEED: 3}, named=named(3)), NOON,
            State.UNVERIFIED,
            "Of the announced papers are here: 3 of 3 in cs; only the feed count says how many there are.",
            id="nobody counted but the feed that brought them",
        ),
        pytest.param(
            section(named=named(3)), NOON,
            State.UNVERIFIED, "Of the announced papers are here: 3 of 3 in cs; nobody counted them.",
            id="nobody counted",
        ),
        pytest.param(
            section(counts={FEED: 3}, named=named(2, 1)), NOON,
            State.INCOMPLETE, "Of the announced papers are here: 2 of 3 in cs.",
            id="one is missing of those that the feed brought",
        ),
        pytest.param(
            section(counts={LISTING: 3}, named=named(0, 3)), EVENING_BEFORE,
            State.UNVERIFIED,
            "Of the announced papers are here: 0 of 3 in cs; the others are expected until 01:00 Eastern on Friday "
            "20 November.",
            id="the list is out, its papers come at midnight",
        ),
        pytest.param(
            section(), EVENING_BEFORE - timedelta(hours=1),
            State.UNVERIFIED, "The list of this day appears at 20:00 Eastern on Thursday 19 November.",
            id="the list is not due",
        ),
        pytest.param(section(), NOON, State.UNVERIFIED, "No list was seen of cs.", id="nothing is known"),
        pytest.param(
            section(asked=[answered(OAI, newest=None)], estimated=7), NOON,
            State.UNVERIFIED, "No list was seen of cs; papers are dated by their numbers.",
            id="only OAI-PMH spoke",
        ),
        pytest.param(
            section(asked=[failing()]), NOON, State.DOWN, "No answer.",
            id="nobody answers since the list is due",
        ),
        pytest.param(
            section(asked=[failing(), answered(FEED)]), NOON, State.UNVERIFIED, "No list was seen of cs.",
            id="one does not answer, another does and has nothing",
        ),
        pytest.param(
            section(asked=[failing()], counts={FEED: 3}, named=named(3)), NOON,
            State.UNVERIFIED,
            "Of the announced papers are here: 3 of 3 in cs; only the feed count says how many there are.",
            id="the witness does not answer",
        ),
        pytest.param(
            section(asked=[answered()], passed_over=True), NOON,
            State.EMPTY, "The lists of the week pass over this day.",
            id="a list that was left out unannounced",
        ),
    ],
)  # fmt: skip
def test_one_section(known: Evidence, now: datetime, state: State, reason: str) -> None:
    found = audit(DAY, [known], now=now)
    assert (found.state, found.reason) == (state, reason)
    assert found.checked_at == now


@pytest.mark.parametrize(
    ("day", "known", "state", "reason"),
    [
        pytest.param(
            "2026-11-21", section(), State.EMPTY, "Saturday: arXiv announces nothing.", id="a weekend"
        ),
        pytest.param(
            "2026-07-06", section(), State.EMPTY, "No mailing on 3 July 2026: arXiv announces nothing.",
            id="the list that 3 July would have closed",
        ),
        pytest.param(
            "2026-12-28", section(), State.EMPTY, "No mailing on 25 December 2026: arXiv announces nothing.",
            id="the list that 25 December would have closed",
        ),
        pytest.param(
            "2026-11-21", section(counts={LISTING: 1}, named=named(1)), State.COMPLETE,
            "All announced papers are here: 1 in cs (listing total).", id="a list against the calendar is a list",
        ),
        pytest.param(
            "2026-07-03",
            section(asked=[Asked(LISTING, "It", datetime(2026, 7, 3, 15, tzinfo=UTC), date(2026, 7, 2))]),
            State.EMPTY, "No mailing on 3 July 2026: arXiv announces nothing.",
            id="3 July itself, where the listing was asked and shows no list of it",
        ),
        pytest.param(
            "2026-07-03",
            section(asked=[Asked(LISTING, "It", datetime(2026, 7, 1, tzinfo=UTC), date(2026, 7, 2), "No answer.")]),
            State.DOWN, "No answer.", id="3 July itself, where nobody answers: it usually has a list",
        ),
    ],
)  # fmt: skip
def test_days_that_the_calendar_knows(day: str, known: Evidence, state: State, reason: str) -> None:
    at = date.fromisoformat(day)
    found = audit(at, [known], now=days.feed_appears(at) + timedelta(hours=12))
    assert (found.state, found.reason) == (state, reason)
    assert found.failed == () or state is State.DOWN


@pytest.mark.parametrize(
    ("sections", "state", "reason"),
    [
        pytest.param(
            [whole(), whole("math", 2, named=named(1, 1))],
            State.INCOMPLETE, "Of the announced papers are here: 1 of 2 in math.", id="the worst section decides",
        ),
        pytest.param(
            [whole(), whole("math", 2)],
            State.COMPLETE, "All announced papers are here: 3 in cs, 2 in math (listing total).", id="all are complete",
        ),
        pytest.param(
            [whole(), section("math")],
            State.UNVERIFIED, "No list was seen of math.", id="one was not seen",
        ),
        pytest.param(
            [whole(), Evidence("hugging-face", "daily", named=named(2))],
            State.COMPLETE, "All announced papers are here: 3 in cs (listing total).",
            id="who keeps no calendar and counts nothing takes nothing away",
        ),
        pytest.param(
            [whole(), Evidence("biorxiv", "biorxiv", {"biorxiv": 2}, named(1, 1))],
            State.INCOMPLETE, "Of the announced papers are here: 1 of 2 in biorxiv.", id="but who counts does",
        ),
        pytest.param(
            [Evidence("hugging-face", "daily", named=named(2))],
            State.UNVERIFIED, "Of the announced papers are here: 2 of 2 in daily; nobody counted them.",
            id="alone it is what it is",
        ),
        pytest.param([], State.UNVERIFIED, "No source that announces is followed.", id="nothing is followed"),
    ],
)  # fmt: skip
def test_several_sections(sections: list[Evidence], state: State, reason: str) -> None:
    found = audit(DAY, sections, now=NOON)
    assert (found.state, found.reason) == (state, reason)


def test_on_a_weekend_the_others_decide() -> None:
    saturday = DAY + timedelta(days=1)
    others = Evidence("biorxiv", "biorxiv", {"biorxiv": 2}, named(2))
    assert audit(saturday, [section(), others], now=NOON + timedelta(days=1)).state is State.COMPLETE
    silent = Evidence("hugging-face", "")
    assert audit(saturday, [section(), silent], now=NOON + timedelta(days=1)).state is State.EMPTY


@pytest.mark.parametrize(
    ("known", "failed"),
    [
        pytest.param(whole(counts={LISTING: 3, FEED: 3}, asked=[answered(), answered(FEED)]), (), id="all is well"),
        pytest.param(
            section(counts={LISTING: 3, FEED: 1}, named=named(3)), ("The feed count of cs is 1 of 3.",),
            id="the feed lacked two, which came otherwise",
        ),
        pytest.param(
            section(counts={LISTING: 2, FEED: 3}, named=named(3)), (),
            id="the listing of an archive leaves out what only moved within it",
        ),
        pytest.param(
            whole(asked=[answered(FEED, newest=DAY - timedelta(days=1))]),
            ("The arxiv-feed still shows cs of 19 November 2026.",), id="a stale feed",
        ),
        pytest.param(
            section(counts={FEED: 3}, named=named(3), asked=[answered(newest=DAY - timedelta(days=1))]),
            ("The arxiv-listing still shows cs of 19 November 2026.",), id="a stale listing",
        ),
        pytest.param(
            section(counts={LISTING: 5}, named=named(3)), ("2 of 5 announced papers of cs are not known by name.",),
            id="names are missing",
        ),
        pytest.param(
            whole(asked=[answered(warnings=("A field is gone.",))]),
            ("A field is gone.",), id="a warning of the day",
        ),
        pytest.param(
            whole(asked=[answered(newest=DAY + timedelta(days=3), warnings=("Later.",))]),
            (), id="a warning of a later day",
        ),
        pytest.param(
            section(
                counts={LISTING: 0},
                asked=[answered(FEED, newest=DAY - timedelta(days=1), warnings=("It is empty.",))],
            ),
            (), id="the feed of a small section is empty, and so is its list",
        ),
        pytest.param(
            whole(asked=[answered(FEED, warnings=("Another day's feed is empty.",))]), (),
            id="what a feed warns of is nothing where all that the listing counted is here",
        ),
        pytest.param(
            section(counts={LISTING: 3}, named=named(1), asked=[answered(FEED, warnings=("It is cut short.",))]),
            ("2 of 3 announced papers of cs are not known by name.", "It is cut short."),
            id="and something where it is not",
        ),
        pytest.param(
            whole(asked=[failing(OAI)]), ("No answer.",),
            id="somebody does not answer",
        ),
        pytest.param(
            whole(asked=[failing(OAI, since=timedelta(hours=2))]), (),
            id="somebody failed after it had answered for this day",
        ),
    ],
)  # fmt: skip
def test_the_checks_that_failed(known: Evidence, failed: tuple[str, ...]) -> None:
    assert audit(DAY, [known], now=NOON).failed == failed


def test_the_first_missing_works_are_named() -> None:
    line = audit(DAY, [section(counts={LISTING: 9}, named=named(2, 7))], now=NOON).lines[0]
    assert (line.announced, line.held, line.how) == (9, 2, "listing total")
    assert line.missing == ("2611.00002", "2611.00003", "2611.00004", "2611.00005", "2611.00006")


# --- Laws ------------------------------------------------------------------------------------------------------------

COUNTS = st.dictionaries(st.sampled_from([LISTING, FEED]), st.integers(0, 12))
NAMED = st.dictionaries(st.integers(0, 12).map(lambda number: f"2611.{number:05}"), st.booleans(), max_size=12)
SOURCES = [answered(), answered(FEED), failing(), failing(FEED), answered(OAI, newest=None)]
SECTIONS = st.builds(
    section,
    st.sampled_from(["cs", "math", "stat.ML"]),
    counts=COUNTS,
    named=NAMED,
    asked=st.lists(st.sampled_from(SOURCES), max_size=4),
    passed_over=st.booleans(),
)
ORDER = list(State)


def judged(*sections: Evidence, now: datetime = NOON) -> DayAudit:
    return audit(DAY, sections, now=now)


@given(st.lists(SECTIONS, max_size=4, unique_by=lambda one: one.section), st.randoms())
def test_the_order_of_the_evidence_does_not_matter(sections: list[Evidence], random: Any) -> None:
    shuffled = list(sections)
    random.shuffle(shuffled)
    turned = [
        replace(
            one,
            counts=dict(reversed(list(one.counts.items()))),
            named=dict(reversed(list(one.named.items()))),
        )
        for one in shuffled
    ]
    assert judged(*sections) == judged(*turned)


@given(SECTIONS)
def test_complete_means_counted_and_held(known: Evidence) -> None:
    found = judged(known)
    if found.state is State.COMPLETE:
        assert any(source != FEED for source in known.counts)
        assert all(known.named.values())
        assert all(number <= sum(known.named.values()) for number in known.counts.values())


@given(SECTIONS, st.sampled_from([LISTING, FEED]), st.integers(0, 12))
def test_a_complete_day_stays_so_unless_somebody_counts_more(known: Evidence, source: str, number: int) -> None:
    before = judged(known)
    after = judged(replace(known, counts={**known.counts, source: max(number, known.counts.get(source, 0))}))
    if before.state is State.COMPLETE:
        assert after.state is State.COMPLETE or number > known.held
    if before.state is State.INCOMPLETE:
        assert after.state is State.INCOMPLETE


@given(SECTIONS)
def test_bringing_what_is_missing_never_makes_it_worse(known: Evidence) -> None:
    before, after = judged(known), judged(replace(known, named=dict.fromkeys(known.named, True)))
    assert ORDER.index(after.state) >= ORDER.index(before.state)


@given(SECTIONS, st.text("0123456789", min_size=5, max_size=5))
def test_a_name_that_is_not_held_is_never_complete(known: Evidence, number: str) -> None:
    found = judged(replace(known, named={**known.named, f"2611.{number}": False}))
    assert found.state in (State.INCOMPLETE, State.UNVERIFIED)
    assert found.state is State.INCOMPLETE


@given(st.lists(SECTIONS, min_size=1, max_size=4, unique_by=lambda one: one.section))
def test_a_day_is_no_better_than_its_worst_section(sections: list[Evidence]) -> None:
    alone = [judged(one).state for one in sections]
    speaking = [state for state in alone if state is not State.EMPTY] or alone
    assert judged(*sections).state is min(speaking, key=ORDER.index)


@given(SECTIONS, st.integers(0, 60))
def test_time_alone_makes_nothing_complete(known: Evidence, hours: int) -> None:
    before = judged(known, now=EVENING_BEFORE)
    after = judged(known, now=EVENING_BEFORE + timedelta(hours=hours))
    assert (before.state is State.COMPLETE) is (after.state is State.COMPLETE)
