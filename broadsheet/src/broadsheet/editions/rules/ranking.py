"""Pure rules of ranking: what speaks for a paper, how many points that is, and what is rising.

The score of a paper is the sum of the points of its parts, and nothing else orders a list. `/about/ranking` prints the
tables of this module, so that nobody has to read code to know why a paper stands where it stands.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime, timedelta
from math import fsum
from typing import Any, Protocol


def _parameter(default: float, unit: str, meaning: str) -> Any:
    return field(default=default, metadata={"unit": unit, "meaning": meaning})


@dataclass(frozen=True, slots=True)
class Parameters:
    """The numbers that the formulas have, each with its unit and its meaning. A change of one is a line of HISTORY."""

    picked: float = _parameter(20.0, "points", "a curator picked it; more than all the rest can add up to")
    votes: float = _parameter(4.0, "points", "at most, for votes; half of it for as many as are usual in its field")
    runnable: float = _parameter(3.0, "points", "its claim can be tested on a laptop")
    partly: float = _parameter(1.5, "points", "part of its claim can be tested on a laptop")
    code: float = _parameter(1.0, "points", "code is available")
    several: float = _parameter(1.0, "points", "several sources list it")
    comments: float = _parameter(1.0, "points", "at most, for people who commented")
    summary: float = _parameter(0.5, "points", "it has a short summary")
    talkers: float = _parameter(3.0, "people", "who comment earn a paper half of the points for comments")
    usual_votes: float = _parameter(3.0, "votes", "are taken for usual where nobody has voted yet")
    prior_papers: float = _parameter(
        10.0, "papers", "of usual votes are added to each field, so that it takes more than a few votes to change it"
    )
    usual_days: float = _parameter(30.0, "days", "before today are looked at for what is usual in a field")
    half_life_hours: float = _parameter(48.0, "hours", "after which a vote counts half for what is rising")
    trending_days: float = _parameter(14.0, "days", "after which a vote no longer counts for what is rising")


PARAMETERS = Parameters()


@dataclass(frozen=True, slots=True)
class Parameter:
    """A line of the table of parameters as it is printed."""

    name: str
    value: float
    unit: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Revision:
    """What changed in the ranking on a day, and why."""

    day: date
    what: str
    why: str


HISTORY = (
    Revision(
        date(2026, 11, 22),
        "Votes (at most 4 points, against what is usual in the field), comments (at most 1) and picks (20) count. "
        "What is rising is ordered by votes that lose half their weight in 48 hours.",
        "There are people now who vote, comment and pick.",
    ),
    Revision(
        date(2026, 11, 22),
        "The first table: a claim that can be tested on a laptop (3 points, or 1.5 for a part), code (1), several "
        "sources (1), a summary (0.5).",
        "The first editions had no readers to ask.",
    ),
)


@dataclass(frozen=True, slots=True)
class Reason:
    """Something that speaks for a paper: its sentence on the card, and its points, or the most that it can give."""

    name: str
    text: str
    points: float
    at_most: bool = False


# In the order in which cards say them.
REASONS = {
    reason.name: reason
    for reason in (
        Reason("picked", "a curator picked it", PARAMETERS.picked),
        Reason("runnable", "its claim can be tested on a laptop", PARAMETERS.runnable),
        Reason("partly", "part of its claim can be tested on a laptop", PARAMETERS.partly),
        Reason("votes", "readers voted for it", PARAMETERS.votes, at_most=True),
        Reason("comments", "people commented on it", PARAMETERS.comments, at_most=True),
        Reason("code", "code is available", PARAMETERS.code),
        Reason("several", "several sources list it", PARAMETERS.several),
        Reason("summary", "has a short summary", PARAMETERS.summary),
    )
}


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a score: the name of its reason, its points, and for a counted one how many, and how many are usual."""

    name: str
    points: float
    number: int | None = None
    usual: float | None = None

    @property
    def text(self) -> str:
        """The sentence on the card."""
        if self.name == "votes" and self.number is not None and self.usual is not None:
            said = "1 reader voted for it" if self.number == 1 else f"{self.number:,} readers voted for it"
            return f"{said} (usual in its field: {self.usual:.1f})"
        if self.name == "comments" and self.number is not None:
            return "1 person commented on it" if self.number == 1 else f"{self.number:,} people commented on it"
        return REASONS[self.name].text

    def stored(self) -> list[str | float]:
        """What is kept of it, so that an edition can explain itself after the parameters have changed."""
        counted = [value for value in (self.number, self.usual) if value is not None]
        return [self.name, *(round(value, 4) for value in (self.points, *counted))]

    @classmethod
    def read(cls, stored: str | Sequence[Any]) -> Part:
        """A part as it was stored. The name alone, as the first editions kept it, had the points of the table."""
        if isinstance(stored, str):
            return cls(stored, REASONS[stored].points)
        name, points, number, usual = (*stored, None, None)[:4]
        return cls(name, points, None if number is None else int(number), usual)


class Speaking(Protocol):
    """What the score is made of; `broadsheet.editions.rules.Facts` has it."""

    @property
    def section(self) -> str:
        """The field that its votes are compared in."""

    @property
    def has_code(self) -> bool:
        """Whether code is available."""

    @property
    def has_summary(self) -> bool:
        """Whether it has a short summary."""

    @property
    def sources(self) -> int:
        """How many announcers list it."""

    @property
    def runnable(self) -> str:
        """Whether a claim of it can be tested on a laptop: yes, partly, no, or empty."""

    @property
    def votes(self) -> int:
        """Votes that count: one for each person and work, those for one's own paper and of rings left out."""

    @property
    def comments(self) -> int:
        """People who commented."""

    @property
    def picked(self) -> bool:
        """Whether a curator picked it."""


@dataclass(frozen=True, slots=True)
class Usual:
    """How many votes are usual for a paper that has any, field by field, and for a field that is not named."""

    fields: Mapping[str, float]
    elsewhere: float = PARAMETERS.usual_votes

    def of(self, section: str) -> float:
        """The usual number of votes in a field, greater than 0."""
        return self.fields.get(section, self.elsewhere)


def usual_votes(counted: Iterable[tuple[str, int]], parameters: Parameters = PARAMETERS) -> Usual:
    """What is usual, from the field and the votes of each paper that got any in the last month.

    In each field it is the mean over its papers and `prior_papers` more that have what is usual everywhere; what is
    usual everywhere is the mean over all papers and `prior_papers` more that have `usual_votes`. So a busy field is
    judged by itself, a small one mostly by the others, and an instance without votes by the parameter.
    """
    by_field: dict[str, list[int]] = defaultdict(list)
    for section, votes in counted:
        if votes > 0:
            by_field[section].append(votes)
    prior = parameters.prior_papers
    total, papers = sum(map(sum, by_field.values())), sum(map(len, by_field.values()))
    elsewhere = (total + prior * parameters.usual_votes) / (papers + prior)
    return Usual(
        {section: (sum(votes) + prior * elsewhere) / (len(votes) + prior) for section, votes in by_field.items()},
        elsewhere,
    )


NOTHING_KNOWN = Usual({})


def share(number: float, usual: float) -> float:
    """How much of the points so many give, from 0 to 1: half for what is usual, and each more gives less than before.

    It rises with `number` without end and never reaches 1, so that no paper can be voted out of all comparison.
    """
    return number / (number + usual)


def parts(paper: Speaking, usual: Usual = NOTHING_KNOWN, parameters: Parameters = PARAMETERS) -> tuple[Part, ...]:
    """The parts of a paper's score, in the order in which cards say them."""
    norm = usual.of(paper.section)
    by_votes = parameters.votes * share(paper.votes, norm)
    by_comments = parameters.comments * share(paper.comments, parameters.talkers)
    found = (
        (paper.picked, Part("picked", parameters.picked)),
        (paper.runnable == "yes", Part("runnable", parameters.runnable)),
        (paper.runnable == "partly", Part("partly", parameters.partly)),
        (paper.votes > 0, Part("votes", by_votes, paper.votes, norm)),
        (paper.comments > 0, Part("comments", by_comments, paper.comments)),
        (paper.has_code, Part("code", parameters.code)),
        (paper.sources > 1, Part("several", parameters.several)),
        (paper.has_summary, Part("summary", parameters.summary)),
    )
    return tuple(part for speaks, part in found if speaks)


def score(counted: Iterable[Part]) -> float:
    """The sum of the points; more is better."""
    return fsum(part.points for part in counted)


@dataclass(frozen=True, slots=True)
class Vote:
    """A vote that counts: for which paper, and when it was cast."""

    paper_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Trend:
    """A rising paper: its votes of the last days, what is left of them, what is usual in its field, and its heat."""

    paper_id: int
    votes: int
    weight: float
    usual: float
    last: datetime

    @property
    def heat(self) -> float:
        """What is left of its votes, in multiples of what is usual in its field; more is higher up."""
        return self.weight / self.usual

    @property
    def why(self) -> str:
        """Its place in a sentence, without the full stop."""
        votes = "1 vote" if self.votes == 1 else f"{self.votes:,} votes"
        return f"{votes} lately, worth {self.weight:.1f} now; usual in its field: {self.usual:.1f}"


def decayed(times: Iterable[datetime], now: datetime, parameters: Parameters = PARAMETERS) -> float:
    """What is left of votes cast at these times, from 0 to their number: each counts half after every half-life.

    A vote from the future, where clocks disagree, counts one. One older than `trending_days` counts nothing.
    """
    oldest = timedelta(days=parameters.trending_days)
    ages = (max(now - at, timedelta()) for at in times)
    half_life = timedelta(hours=parameters.half_life_hours)
    return fsum(0.5 ** (age / half_life) for age in ages if age <= oldest)


def faded(trend: Trend, passed: timedelta) -> Trend:
    """What is left of it when so much time has passed and nobody voted."""
    half_life = timedelta(hours=PARAMETERS.half_life_hours)
    return replace(trend, weight=trend.weight * 0.5 ** (max(passed, timedelta()) / half_life))


def trending(
    votes: Iterable[Vote],
    section_of: Mapping[int, str],
    *,
    now: datetime,
    usual: Usual = NOTHING_KNOWN,
    limit: int = 50,
) -> list[Trend]:
    """The `limit` papers that rise most, by their decayed votes in multiples of what is usual in their fields.

    As all votes fade alike, time alone changes no order. Papers without a section in `section_of` are left out.
    Of equal ones, the paper that was voted for last stands first.
    """
    times: dict[int, list[datetime]] = defaultdict(list)
    for vote in votes:
        times[vote.paper_id].append(vote.at)
    trends = [
        Trend(paper, len(cast), weight, usual.of(section_of[paper]), max(cast))
        for paper, cast in times.items()
        if paper in section_of and (weight := decayed(cast, now)) > 0
    ]
    return sorted(trends, key=lambda trend: (-trend.heat, -trend.last.timestamp(), trend.paper_id))[:limit]


def printed_parameters(parameters: Parameters = PARAMETERS) -> list[Parameter]:
    """The parameters as a table, in the order in which they are declared."""
    return [
        Parameter(each.name, getattr(parameters, each.name), each.metadata["unit"], each.metadata["meaning"])
        for each in fields(parameters)
    ]
