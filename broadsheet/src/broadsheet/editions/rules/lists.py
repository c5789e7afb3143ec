"""Pure rules of editions: which lists a paper belongs to, and in which order a list is printed.

Papers stand by their scores (`rules.ranking`); equal scores take turns by section, then the newest first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, date, datetime, time, timedelta
from enum import StrEnum

from broadsheet.bibliography.dates import PartialDate
from broadsheet.editions.rules.ranking import NOTHING_KNOWN, Part, Usual, parts, score
from broadsheet.ingest.rules.days import ANNOUNCEMENT_ZONE

# What makes a day of announced papers fit for the front page in place of the first edition: one that is recent, or one
# that is large enough to be a day's list and not the stray date of an imported paper.
RECENT_DAYS = 31
DAY_OF_NEWS = 12  # papers


class Kind(StrEnum):
    """The kinds of edition."""

    FIRST = "first"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Basis(StrEnum):
    """Which date put a paper into an edition: that of its announcement, of its submission, or only a month."""

    ANNOUNCED = "announced"
    SUBMITTED = "submitted"
    MONTH = "month"
    SHIPPED = "shipped"


@dataclass(frozen=True, slots=True)
class Facts:
    """What ranking knows of a paper. Votes are those that count, comments the people who made any."""

    paper_id: int
    key: str
    announced: date | None
    submitted: PartialDate | None
    section: str
    has_code: bool
    has_summary: bool
    sources: int
    runnable: str
    shipped: bool
    votes: int = 0
    comments: int = 0
    picked: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """What an edition covers: its kind, its label in addresses, and its first and last day."""

    kind: Kind
    label: str
    start: date
    end: date


@dataclass(frozen=True, slots=True)
class Ranked:
    """A paper's place: rank from 1, score, and the parts that add up to it."""

    paper_id: int
    rank: int
    score: float
    parts: tuple[Part, ...]


def day(of: date) -> Period:
    """The period of one day."""
    return Period(Kind.DAY, of.isoformat(), of, of)


def week(of: date) -> Period:
    """The ISO week, Monday to Sunday, that the day lies in."""
    year, number, weekday = of.isocalendar()
    start = of - timedelta(days=weekday - 1)
    return Period(Kind.WEEK, f"{year:04}-W{number:02}", start, start + timedelta(days=6))


def month(of: date) -> Period:
    """The calendar month that the day lies in."""
    start = of.replace(day=1)
    following = (start + timedelta(days=32)).replace(day=1)
    return Period(Kind.MONTH, f"{start.year:04}-{start.month:02}", start, following - timedelta(days=1))


def parse_label(kind: Kind, label: str) -> Period:
    """The period that an address names: ``2026-11-20``, ``2026-W47`` or ``2026-11``. Raises ValueError."""
    if kind is Kind.DAY:
        period = day(date.fromisoformat(label))
    elif kind is Kind.WEEK:
        year, _, number = label.partition("-W")
        period = week(date.fromisocalendar(int(year), int(number), 1))
    elif kind is Kind.MONTH:
        period = month(date.fromisoformat(f"{label}-01"))
    else:
        raise ValueError("the first edition has no period")
    if period.label != label:
        raise ValueError(f"{label!r} is not written as {period.label}")
    return period


def periods(facts: Facts) -> list[tuple[Period, Basis]]:
    """The editions that a paper belongs to, each with the date that says so.

    Announcement decides where it is known. Otherwise the submission stands in, and the edition says so; an identifier
    of arXiv names the month of announcement, so it is the better witness of the month.
    """
    if facts.announced:
        return [(make(facts.announced), Basis.ANNOUNCED) for make in (day, week, month)] if _on(facts.announced) else []
    if facts.submitted and not _on(facts.submitted.last):
        return []
    exact = facts.submitted.exact if facts.submitted else None
    result = [(make(exact), Basis.SUBMITTED) for make in (day, week)] if exact else []
    announced_month = _month_of_arxiv_key(facts.key)
    if announced_month:
        result.append((month(announced_month), Basis.MONTH))
    elif facts.submitted and facts.submitted.month:
        result.append((month(facts.submitted.first), Basis.SUBMITTED))
    return result


def rank(papers: Iterable[Facts], *, first: int = 1, usual: Usual = NOTHING_KNOWN) -> list[Ranked]:
    """The order in which an edition prints its papers, by their scores. Ranks count from `first`.

    A pure function of the set of papers: the order in which they come does not matter. `usual` is what votes are
    compared with.
    """
    by_score: dict[float, list[tuple[Facts, tuple[Part, ...]]]] = defaultdict(list)
    for facts in papers:
        counted = parts(facts, usual)
        by_score[score(counted)].append((facts, counted))
    ordered = [(points, *pair) for points in sorted(by_score, reverse=True) for pair in _taking_turns(by_score[points])]
    return [
        Ranked(facts.paper_id, place, points, counted) for place, (points, facts, counted) in enumerate(ordered, first)
    ]


def closes_at(end: date, published_at: datetime) -> datetime:
    """When the ranks of an edition freeze: at the end of its last day where announcements are made, and not before it
    has been out for a day, so that a back-filled edition is ranked as a whole and not by the order of arrival.
    """
    over = datetime.combine(end + timedelta(days=1), time(), ANNOUNCEMENT_ZONE)
    return max(over, published_at + timedelta(days=1))


def _on(day: date) -> bool:
    """Whether the calendar that we compute with reaches far enough around a day; what stops there stops one paper."""
    return MINYEAR < day.year < MAXYEAR


def _taking_turns(
    group: Sequence[tuple[Facts, tuple[Part, ...]]],
) -> list[tuple[Facts, tuple[Part, ...]]]:
    """Sections in turn, so that one busy field does not fill the head of the page; in a section the newest first."""
    turns: dict[str, int] = defaultdict(int)
    placed = []
    for facts, reasons in sorted(group, key=lambda pair: _newest_first(pair[0])):
        placed.append((turns[facts.section], _newest_first(facts), facts, reasons))
        turns[facts.section] += 1
    return [(facts, reasons) for _, _, facts, reasons in sorted(placed, key=lambda place: place[:2])]


def _newest_first(facts: Facts) -> tuple[int, int, int, str]:
    """By the day; papers of one day, as nearly all of an edition are, by arXiv's numbers: it counts as it receives."""
    shown = facts.announced or (facts.submitted.first if facts.submitted else date.min)
    received = _month_of_arxiv_key(facts.key) or date.min
    number = facts.key.rpartition(".")[2] if received > date.min else ""
    return (-shown.toordinal(), -received.toordinal(), -int(number) if number.isdecimal() else 0, facts.key)


def _month_of_arxiv_key(key: str) -> date | None:
    """The month in an arXiv identifier, which is that of its announcement: ``2401.00001`` or ``math/0611800``."""
    digits = key.rpartition("/")[2][:4]
    is_arxiv = "." in key[:5] or "/" in key
    if ":" in key or not is_arxiv or not digits.isdigit() or len(digits) < 4:
        return None
    year, number = int(digits[:2]), int(digits[2:])
    return date((1900 if year >= 91 else 2000) + year, number, 1) if 1 <= number <= 12 else None
