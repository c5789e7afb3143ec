"""What happened to the papers that a reader follows: the same as their feeds tell, since a moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from broadsheet.accounts.rules import Person
from broadsheet.bibliography.dates import PartialDate
from broadsheet.community.queries import comments
from broadsheet.evidence import queries as evidence
from broadsheet.following.queries.follows import followed_papers
from broadsheet.following.rules import news as rules
from broadsheet.following.rules.news import What
from broadsheet.papers import queries as papers


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a paper, in a sentence without a full stop, and when it came here.

    `text` is the claim that was measured, as it is written, and `comments` are those that are told of, in order.
    """

    what: What
    at: datetime
    said: str
    text: str = ""
    comments: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class News:
    """What happened to one paper, in the order of `What`."""

    paper_id: int
    events: tuple[Event, ...]

    @property
    def at(self) -> datetime:
        """When the last of it happened."""
        return max(event.at for event in self.events)


def of_followed(viewer: Person, *, since: datetime, until: datetime) -> tuple[News, ...]:
    """What happened to the papers that she follows after `since` and up to `until`, the last first.

    The number of queries does not grow with her papers.
    """
    ids = followed_papers(viewer)
    if not ids or since >= until:
        return ()
    found: dict[int, list[Event]] = defaultdict(list)
    for paper_id, event in (*_changed(ids, since, until), *_measured(ids, since, until)):
        found[paper_id].append(event)
    for paper_id, said in comments.between(ids, viewer, since=since, until=until).items():
        found[paper_id].append(_talk(said))
    told = [News(paper_id, tuple(events)) for paper_id, events in found.items()]
    return tuple(sorted(told, key=lambda each: (each.at, each.paper_id), reverse=True))


def _changed(ids: Collection[int], since: datetime, until: datetime) -> Iterator[tuple[int, Event]]:
    """New versions, and code that was found."""
    moved = papers.moved(ids, since=since, until=until)
    rows = papers.by_ids(moved) if moved else {}
    for paper_id, changes in moved.items():
        row = rows[paper_id]
        number, day = _last_version(row)
        at = max((each.at for each in changes if "versions" in each.fields), default=None)
        if at is not None and number > 1 and day is not None and _midnight(day) > since - rules.LATE_BY:
            yield paper_id, Event(What.VERSION, at, rules.version_said(number, day))
        at = max((each.at for each in changes if "code_url" in each.fields), default=None)
        if at is not None and row.code_url:
            yield paper_id, Event(What.CODE, at, rules.CODE_SAID)


def _last_version(row: papers.Paper) -> tuple[int, date | None]:
    """The highest version that is known, and its day where that is known to the day; 0 for none."""
    number, submitted = max(row.versions, key=lambda each: each[0], default=(0, None))
    return number, PartialDate.parse(submitted).exact if submitted else None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _measured(ids: Collection[int], since: datetime, until: datetime) -> Iterator[tuple[int, Event]]:
    for paper_id, known in evidence.known(ids).items():
        new = [
            Event(What.MEASURED, each.received_at, rules.measured_said(each.verdict), finding.claim.text)
            for finding in known.findings
            for each in (finding.measured, *finding.others)
            if since < each.received_at <= until
        ]
        for event in sorted(new, key=lambda each: each.at, reverse=True)[: rules.MOST_MEASURED]:
            yield paper_id, event


def _talk(said: list[comments.Comment]) -> Event:
    last = said[-1].author
    return Event(
        What.COMMENTS,
        said[-1].made_at,
        rules.comments_said(len(said), last.shown if last else ""),
        comments=tuple(each.id for each in said),
    )


def lately(viewer: Person, now: datetime) -> tuple[News, ...]:
    """What happened in the last days, for her desk."""
    return of_followed(viewer, since=now - rules.LOOKED_BACK, until=now)
