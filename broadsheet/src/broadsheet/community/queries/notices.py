"""Every question about notices: what a person is told, and of what she wants to hear."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from broadsheet.accounts.rules import Person
from broadsheet.community.models.notices import Notice as Row
from broadsheet.community.models.notices import Silence
from broadsheet.community.queries import comments, moderation
from broadsheet.community.rules.notices import MOST_COUNTED, Kind

__all__ = ["Notice", "listed", "silenced", "unread"]


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a person is told. One of `comment`, `act` and `sentence` says what; `paper_id` where."""

    id: int
    kind: Kind
    made_at: datetime
    is_read: bool
    comment: comments.Comment | None
    act: moderation.Act | None
    paper_id: int | None
    sentence: str


def unread(person: Person) -> int:
    """How many notices she has not read; one more than `MOST_COUNTED` when there are more than that."""
    return Row.objects.filter(person=person.id, read_at=None)[: MOST_COUNTED + 1].count()


def listed(person: Person, *, before: int | None = None, limit: int = 50) -> tuple[list[Notice], int | None]:
    """Her notices, the newest first, from before the notice of that id; and where the next page begins, None at the
    end.
    """
    rows = Row.objects.filter(person=person.id).order_by("-id")
    found = list((rows.filter(id__lt=before) if before else rows)[: limit + 1])
    page = found[:limit]
    said = comments.by_ids([row.comment_id for row in page if row.comment_id], person)
    acts = moderation.acts([row.act_id for row in page if row.act_id])
    notices = [
        Notice(
            id=row.id,
            kind=Kind(row.kind),
            made_at=row.made_at,
            is_read=row.read_at is not None,
            comment=said.get(row.comment_id or 0),
            act=acts.get(row.act_id or 0),
            paper_id=row.paper_id,
            sentence=row.sentence,
        )
        for row in page
    ]
    return notices, page[-1].id if len(found) > limit else None


def silenced(person: Person) -> frozenset[Kind]:
    """The kinds of which she wants to hear nothing."""
    return frozenset(map(Kind, Silence.objects.filter(person=person.id).values_list("kind", flat=True)))
