"""What is said of printed editions when the ledger knows something of their days, and when it does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta

import pytest

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.record import Record
from broadsheet.editions import actions, queries
from broadsheet.editions.queries import Audit, Edition
from broadsheet.editions.rules import Kind
from broadsheet.ingest.models import DayCheck
from broadsheet.ingest.rules import Line, State
from broadsheet.papers.actions import store_many
from broadsheet.testing.cast import arxiv, said

pytestmark = pytest.mark.django_db

# A Friday, and the evening of it in Eastern time.
FRIDAY = date(2026, 11, 20)
MONDAY = FRIDAY - timedelta(days=4)
NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)
CHECKED = datetime(2026, 11, 20, 17, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _friday(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


@pytest.fixture
def check(db: None) -> Callable[..., None]:
    """Stores the audit of a day: `check(FRIDAY, State.COMPLETE, line)`."""

    def store(day: date, state: State, *lines: Line, reason: str = "So it is.", failed: tuple[str, ...] = ()) -> None:
        DayCheck.objects.create(
            day=day,
            state=state,
            reason=reason,
            lines=[asdict(line) for line in lines],
            failed=list(failed),
            checked_at=CHECKED,
        )

    return store


CS = Line("arxiv", "cs", 12, "listing total", 12)


def works(count: int, day: date = FRIDAY, **fields: object) -> list[Record]:
    dated = {"announced": day, **fields}
    return [
        said(f"Work {n} of {day}", key=f"{day}-{n}", identifiers=(arxiv(f"2611.{day.day:02}{n:03}"),), **dated)
        for n in range(count)
    ]


def publish(*records: Record) -> None:
    store_many(records)
    while actions.publish_pending(now=NOW).more:
        pass


def edition(kind: Kind = Kind.DAY, label: str = "2026-11-20") -> Edition:
    found = queries.edition_of(kind, label)
    assert found is not None
    return found


def audit(kind: Kind = Kind.DAY, label: str = "2026-11-20") -> Audit:
    return queries.audit(edition(kind, label))


def test_without_a_ledger_nothing_is_claimed() -> None:
    publish(*works(2))
    found = audit()
    assert found.line == "2 papers. All dated by announcement. Not checked against the sources' own counts."
    assert (found.state, found.words.label, found.sections, found.rule) == ("unverified", "", (), "")
    assert ("Number announced", "not known: no source has been asked") in found.facts


def test_a_day_that_was_checked_says_what_was_found(check: Callable[..., None]) -> None:
    publish(*works(12))
    check(FRIDAY, State.COMPLETE, CS, failed=("A feed stood still.",))
    found = audit()
    assert found.line == "Complete: 12 of 12 announced by arXiv in cs, checked 12:00 Eastern."
    assert (found.state, found.sections, found.checked_at) == ("complete", (CS,), CHECKED)
    assert found.failed == ("A feed stood still.",)
    assert "first day on which a followed section lists it" in found.rule
    assert "Number announced" not in dict(found.facts)


def test_a_day_that_is_followed_by_nobody_is_as_without_a_ledger(check: Callable[..., None]) -> None:
    publish(*works(2))
    check(FRIDAY, State.UNVERIFIED, reason="No source that announces is followed.")
    assert "Not checked against the sources' own counts." in audit().line


def test_papers_dated_on_a_day_without_a_list_are_explained_by_the_calendar(check: Callable[..., None]) -> None:
    sunday = FRIDAY - timedelta(days=5)
    publish(*works(2, sunday, announced=None, submitted=PartialDate.of(sunday)))
    check(sunday, State.EMPTY)
    found = audit(Kind.DAY, "2026-11-15")
    assert found.state == "unverified"
    assert found.line == (
        "2 papers. All dated by submission, the announcement not being known. "
        "Sunday: arXiv announces nothing from Friday evening to Sunday evening."
    )


def test_a_week_is_as_good_as_its_worst_day_so_far(check: Callable[..., None]) -> None:
    publish(*(work for number in range(5) for work in works(2, MONDAY + timedelta(days=number))))
    for number in range(5):
        state = State.INCOMPLETE if number == 1 else State.COMPLETE
        check(MONDAY + timedelta(days=number), state, CS if number != 1 else Line("arxiv", "cs", 12, "OAI", 10))
    found = audit(Kind.WEEK, "2026-W47")
    assert found.line == "Incomplete: 17 November; complete: 4 other days."
    assert (found.state, found.checked_at, found.sections) == ("incomplete", CHECKED, ())
    assert [(day.day.day, day.edition and day.edition.label, day.label) for day in found.days] == [
        (16, "2026-11-16", "Complete"),
        (17, "2026-11-17", "Incomplete"),
        (18, "2026-11-18", "Complete"),
        (19, "2026-11-19", "Complete"),
        (20, "2026-11-20", "Complete"),
    ]


def test_a_day_of_the_month_that_nobody_asked_about_keeps_the_month_from_being_complete(
    check: Callable[..., None],
) -> None:
    publish(*works(2))
    check(FRIDAY, State.COMPLETE, CS)
    found = audit(Kind.MONTH, "2026-11")
    assert found.state == "unverified"
    assert found.line == "Not verified: 14 days; complete: 1 other day."
    assert [day.day for day in found.days] == [FRIDAY]


def test_days_to_come_say_nothing(check: Callable[..., None]) -> None:
    publish(*works(2, date(2026, 11, 23)))
    check(date(2026, 11, 23), State.UNVERIFIED, Line("arxiv", "cs", None, "", 0), reason="It is not out yet.")
    assert "Not checked" in audit(Kind.WEEK, "2026-W48").line


def test_an_incomplete_day_is_still_the_front_page(check: Callable[..., None]) -> None:
    publish(*works(2), *works(30, FRIDAY - timedelta(days=1)))
    check(FRIDAY, State.INCOMPLETE, Line("arxiv", "cs", 12, "listing total", 2))
    front = queries.front()
    assert front is not None
    assert front.label == "2026-11-20"
    assert queries.audit(front).line == "Incomplete: 10 of 12 in cs are missing, checked 12:00 Eastern."
    assert queries.missed(front) is None


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        pytest.param(
            State.DOWN,
            "Source down: no answer since 19 November, 20:00 Eastern, when a list was due.",
            id="source down",
        ),
        pytest.param(State.UNVERIFIED, "Not verified: The network is gone.", id="not there yet"),
        pytest.param(None, None, id="nobody asked"),
    ],
)
def test_beside_an_older_edition_the_front_page_says_what_became_of_today(
    check: Callable[..., None], state: State | None, expected: str | None
) -> None:
    publish(*works(30, FRIDAY - timedelta(days=1)))
    if state:
        check(FRIDAY, state, Line("arxiv", "cs", None, "", 0), reason="The network is gone.")
    missed = queries.missed(queries.front())
    assert (missed and missed.words.line) == expected


def test_on_a_weekend_the_edition_of_friday_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    publish(*works(30))
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW + timedelta(days=1))
    missed = queries.missed(queries.front())
    assert missed is not None
    assert missed.words.line == "Saturday: arXiv announces nothing from Friday evening to Sunday evening."
    assert queries.missed(None) is None, "there is no edition to be explained"


def test_the_last_days_are_told_with_and_without_editions(check: Callable[..., None]) -> None:
    publish(*works(2), *works(3, FRIDAY - timedelta(days=2)))
    check(FRIDAY, State.COMPLETE, CS)
    check(FRIDAY - timedelta(days=1), State.DOWN, Line("arxiv", "cs", None, "", 0), reason="The network is gone.")
    days = queries.recent(6)
    assert [(day.day.day, day.edition.size if day.edition else 0, day.label) for day in days] == [
        (20, 2, "Complete"),
        (19, 0, "Source down"),
        (18, 3, "Not verified"),
        (17, 0, "Not verified"),
        (16, 0, "Not verified"),
        (15, 0, "Nothing announced"),
    ]
    assert days[2].words.text == "No source was asked."


def test_the_list_of_tomorrow_is_told_once_it_is_printed() -> None:
    publish(*works(2, FRIDAY + timedelta(days=1)))
    assert queries.recent(3)[0].day == FRIDAY + timedelta(days=1)


def test_in_the_archive_days_that_lack_something_are_marked(check: Callable[..., None]) -> None:
    days = [FRIDAY - timedelta(days=number) for number in range(4)]
    publish(*(work for day in days for work in works(1, day)))
    for day, state in zip(days, (State.COMPLETE, State.INCOMPLETE, State.DOWN, State.UNVERIFIED), strict=True):
        check(day, state, CS)
    marks = queries.marks(queries.archive(Kind.DAY))
    assert marks == {days[1]: "incomplete", days[2]: "source down"}


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        pytest.param(date(2026, 11, 21), "Saturday: arXiv announces nothing from Friday evening to Sunday evening.",
                     id="weekend"),
        pytest.param(date(2026, 7, 6), "arXiv has no list of this day by its calendar: no mailing on 3 July 2026.",
                     id="after a day without mailing"),
        pytest.param(FRIDAY, None, id="nobody was asked"),
    ],
)  # fmt: skip
def test_why_a_day_has_no_edition(day: date, expected: str | None) -> None:
    why = queries.absence(day)
    assert (why and why.words.line) == expected


def test_several_sources_of_one_announcer_are_one_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "announcer_of", lambda name: "arxiv" if name.startswith("arxiv-") else "")
    same = {"identifiers": (arxiv("2611.20001"),), "announced": FRIDAY}
    publish(said("Work", by="arxiv-oai", key="1", **same), said("Work", by="arxiv-feed", key="1", **same))
    assert queries.entries(edition())[0].reasons == []
    publish(said("Work", by="records", key="1", **same))
    assert queries.entries(edition())[0].reasons == ["several sources list it"]
