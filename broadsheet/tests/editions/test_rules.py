"""Which editions a paper belongs to, in which order they print it, and when they close."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.bibliography.dates import PartialDate
from broadsheet.editions import rules
from broadsheet.editions.rules import Facts, Kind

PLAIN = Facts(
    paper_id=1,
    key="2401.00001",
    announced=None,
    submitted=None,
    section="cs.LG",
    has_code=False,
    has_summary=False,
    sources=1,
    runnable="",
    shipped=False,
)


def places(facts: Facts) -> list[tuple[str, str]]:
    return [(period.label, basis) for period, basis in rules.periods(facts)]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param(
            {"announced": date(2024, 1, 2), "submitted": PartialDate(2023, 12, 29)},
            [("2024-01-02", "announced"), ("2024-W01", "announced"), ("2024-01", "announced")],
            id="announcement decides, however early it was submitted",
        ),
        pytest.param(
            {"submitted": PartialDate(2023, 12, 29)},
            [("2023-12-29", "submitted"), ("2023-W52", "submitted"), ("2024-01", "month")],
            id="submission stands in for the day, the arXiv identifier for the month",
        ),
        pytest.param({"submitted": PartialDate(2023, 12)}, [("2024-01", "month")], id="a month makes no day"),
        pytest.param({}, [("2024-01", "month")], id="an arXiv identifier alone names its month"),
        pytest.param({"key": "math/0611800"}, [("2006-11", "month")], id="so does one of the old kind"),
        pytest.param({"key": "hep-th/9306124"}, [("1993-06", "month")], id="of the old century"),
        pytest.param({"key": "doi:10.1000/2401.00001"}, [], id="a DOI names none"),
        pytest.param({"key": "t-abcdefgh", "submitted": PartialDate(2024, 2)}, [("2024-02", "submitted")], id="month"),
        pytest.param({"key": "t-abcdefgh", "submitted": PartialDate(2024)}, [], id="a year alone makes no edition"),
        pytest.param({"announced": date(9999, 12, 31)}, [], id="where the calendar ends"),
        pytest.param({"submitted": PartialDate(9999, 12)}, [], id="a month where the calendar ends"),
        pytest.param({"announced": date(1, 1, 1)}, [], id="where the calendar begins"),
    ],
)
def test_dates_decide_the_editions(said: dict[str, object], expected: list[tuple[str, str]]) -> None:
    assert places(replace(PLAIN, **said)) == expected  # type: ignore[arg-type]  # the table holds fields of Facts


@given(st.dates(min_value=date(2, 1, 1), max_value=date(9998, 12, 31)))
def test_every_label_reads_back_as_the_period_that_it_names(day: date) -> None:
    for kind, make in ((Kind.DAY, rules.day), (Kind.WEEK, rules.week), (Kind.MONTH, rules.month)):
        period = make(day)
        assert rules.parse_label(kind, period.label) == period
        assert period.start <= day <= period.end


@pytest.mark.parametrize(
    ("kind", "label"),
    [
        (Kind.DAY, "2024-02-30"),
        (Kind.DAY, "20240102"),
        (Kind.DAY, "2024-1-2"),
        (Kind.DAY, ""),
        (Kind.WEEK, "2024-W54"),
        (Kind.WEEK, "2024-W00"),
        (Kind.WEEK, "2024-W1"),
        (Kind.WEEK, "W01"),
        (Kind.WEEK, "2024-W٣١"),
        (Kind.MONTH, "2024-13"),
        (Kind.MONTH, "2024-00"),
        (Kind.MONTH, "2024"),
        (Kind.FIRST, "first"),
    ],
)
def test_a_label_of_no_period_is_a_value_error(kind: Kind, label: str) -> None:
    with pytest.raises(ValueError):
        rules.parse_label(kind, label)


def test_the_first_of_january_may_belong_to_a_week_of_the_year_before() -> None:
    assert rules.week(date(2027, 1, 1)).label == "2026-W53"


def test_what_speaks_for_a_paper_adds_up_and_decides_its_rank() -> None:
    papers = [
        replace(PLAIN, paper_id=1, key="a"),
        replace(PLAIN, paper_id=2, key="b", has_code=True),
        replace(PLAIN, paper_id=3, key="c", runnable="yes", has_code=True),
        replace(PLAIN, paper_id=4, key="d", runnable="partly", sources=2),
        replace(PLAIN, paper_id=5, key="e", runnable="no", has_summary=True),
    ]
    ranked = rules.rank(papers)
    assert [(r.rank, r.paper_id, r.score, tuple(part.name for part in r.parts)) for r in ranked] == [
        (1, 3, 3.0 + 1.0, ("runnable", "code")),
        (2, 4, 1.5 + 1.0, ("partly", "several")),
        (3, 2, 1.0, ("code",)),
        (4, 5, 0.5, ("summary",)),
        (5, 1, 0.0, ()),
    ]


def test_papers_of_equal_score_take_turns_by_section() -> None:
    papers = [
        replace(PLAIN, paper_id=n, key=f"k{n}", section=section, announced=date(2024, 1, 9) - timedelta(days=n))
        for n, section in enumerate(["cs", "cs", "cs", "math", "math"], 1)
    ]
    assert [r.paper_id for r in rules.rank(papers)] == [1, 4, 2, 5, 3]


FACTS = st.builds(
    Facts,
    paper_id=st.integers(1, 10**6),
    key=st.text("abc", min_size=1, max_size=9),
    announced=st.none() | st.dates(),
    submitted=st.none(),
    section=st.sampled_from(["", "cs.LG", "math.ST"]),
    has_code=st.booleans(),
    has_summary=st.booleans(),
    sources=st.integers(0, 5),
    runnable=st.sampled_from(["", "yes", "partly", "no"]),
    shipped=st.booleans(),
    votes=st.integers(0, 1000),
    comments=st.integers(0, 50),
    picked=st.booleans(),
)


@given(st.lists(FACTS, unique_by=(lambda f: f.key, lambda f: f.paper_id), max_size=12).flatmap(
    lambda papers: st.tuples(st.just(papers), st.permutations(papers))
))  # fmt: skip
def test_the_order_of_arrival_does_not_change_the_ranking(both: tuple[list[Facts], list[Facts]]) -> None:
    papers, shuffled = both
    assert rules.rank(papers) == rules.rank(shuffled)


@pytest.mark.parametrize(
    ("last_day", "published", "closes"),
    [
        pytest.param(
            date(2026, 11, 20), "2026-11-20T21:14-05:00", "2026-11-21T21:14-05:00", id="a day after it is out"
        ),
        pytest.param(date(2026, 11, 30), "2026-11-01T20:00-04:00", "2026-12-01T00:00-05:00", id="end of its month"),
        pytest.param(date(1994, 3, 1), "2026-11-20T10:00+00:00", "2026-11-21T10:00+00:00", id="a back-filled one"),
        pytest.param(date(2026, 3, 8), "2026-03-01T00:00-05:00", "2026-03-09T00:00-04:00", id="across summer time"),
    ],
)
def test_an_edition_closes_when_its_period_is_over_and_it_has_been_out_for_a_day(
    last_day: date, published: str, closes: str
) -> None:
    assert rules.closes_at(last_day, datetime.fromisoformat(published)) == datetime.fromisoformat(closes).astimezone(
        UTC
    )
