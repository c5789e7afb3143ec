"""Every question about notices: what a person is told, and of what she wants to hear."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from broadsheet.accounts.rules import Person
from broadsheet.community.models.notices import Notice as Row
from broadsheet.community.models.notices import Silence
from broadsheet.community.queries import comments, moderation
from broadsheet.community.rules.notices import MOST_COUNTED, Kind
from broadsheet.storage import among

__all__ = ["Notice", "listed", "new", "silenced", "unread"]


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
    return _seen(found[:limit], person), found[limit - 1].id if len(found) > limit else None


def new(
    person: Person, *, since: datetime, until: datetime, known: Collection[int] = (), limit: int
) -> tuple[list[Notice], int]:
    """Her notices of after `since` and up to `until` that she has not read, the newest first; and how many more there
    are.

    Without those of comments that she cannot read now, or has muted; and without news of the comments `known`, of which
    she is told elsewhere.
    """
    is_open = Exists(comments.open_to(person).filter(id=OuterRef("comment")))
    is_said = Q(comment=None) & (Q(act__isnull=False) | ~Q(sentence=""))
    rows = Row.objects.filter(is_open | is_said, person=person.id, read_at=None, made_at__gt=since, made_at__lte=until)
    if known:
        rows = rows.exclude(among("comment_id", known), kind=Kind.COMMENT)
    found = list(rows.order_by("-id")[: limit + 1])
    return _seen(found[:limit], person), max(0, rows.count() - limit) if len(found) > limit else 0


def _seen(rows: Sequence[Row], person: Person) -> list[Notice]:
    said = comments.by_ids([row.comment_id for row in rows if row.comment_id], person)
    acts = moderation.acts([row.act_id for row in rows if row.act_id])
    return [
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
        for row in rows
    ]


def silenced(person: Person) -> frozenset[Kind]:
    """The kinds of which she wants to hear nothing."""
    return frozenset(map(Kind, Silence.objects.filter(person=person.id).values_list("kind", flat=True)))
