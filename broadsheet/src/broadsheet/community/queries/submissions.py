"""Every question about papers that people proposed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from broadsheet.accounts import queries as accounts
from broadsheet.accounts.rules import Person
from broadsheet.bibliography.identifiers import Identifier, Scheme
from broadsheet.community.models.submissions import Submission
from broadsheet.community.rules.submissions import State
from broadsheet.papers import queries as papers


@dataclass(frozen=True, slots=True)
class Proposed:
    """A paper that somebody proposed: by which identifier, with which note, and what came of it.

    `paper_id` is the shown paper once it arrived; `next_at` when it is asked for again.
    """

    id: int
    by: Person
    identifier: Identifier
    note: str
    state: State
    reason: str
    paper_id: int | None
    at: datetime
    tries: int
    next_at: datetime | None


def by_person(person_id: int, *, limit: int = 60) -> list[Proposed]:
    """What a person proposed, the newest first."""
    return _told(Submission.objects.filter(user=person_id).order_by("-proposed_at", "-id")[:limit])


def one(submission_id: int) -> Proposed | None:
    """The submission of that id."""
    return next(iter(_told(Submission.objects.filter(id=submission_id))), None)


def of_paper(paper_id: int) -> list[Proposed]:
    """Who proposed a shown paper, or one that is merged into it, the oldest first."""
    family = papers.families([paper_id])[paper_id]
    rows = Submission.objects.filter(paper__in=family, state=State.ARRIVED).order_by("proposed_at", "id")
    return _told(rows)


def pending(*, limit: int = 60) -> list[Proposed]:
    """What waits to be fetched, the newest first."""
    return _told(Submission.objects.filter(state=State.PENDING).order_by("-proposed_at", "-id")[:limit])


def _told(rows: Iterable[Submission]) -> list[Proposed]:
    found = list(rows)
    people = accounts.people({row.user_id for row in found})
    roots = papers.canonical({row.paper_id for row in found if row.paper_id})
    return [
        Proposed(
            id=row.id,
            by=people[row.user_id],
            identifier=Identifier(Scheme(row.scheme), row.value),
            note=row.note,
            state=State(row.state),
            reason=row.reason,
            paper_id=roots.get(row.paper_id) if row.paper_id else None,
            at=row.proposed_at,
            tries=row.tries,
            next_at=row.next_at,
        )
        for row in found
        if row.user_id in people
    ]
