"""Every question about moderation: what waits for moderators, what they decided, and what was said against it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Q, QuerySet

from broadsheet.accounts import queries as accounts
from broadsheet.accounts.rules import Person, Role
from broadsheet.community.models.authorship import AuthorLink
from broadsheet.community.models.comments import Comment as CommentRow
from broadsheet.community.models.moderation import Act as ActRow
from broadsheet.community.models.moderation import Appeal as AppealRow
from broadsheet.community.models.moderation import Flag as FlagRow
from broadsheet.community.models.moderation import Lock
from broadsheet.community.models.submissions import Submission
from broadsheet.community.models.votes import Ring
from broadsheet.community.queries import comments
from broadsheet.community.rules.moderating import REASONS, Deed, Reason, Subject, Target
from broadsheet.community.rules.submissions import State
from broadsheet.papers import queries as papers
from broadsheet.storage import among


@dataclass(frozen=True, slots=True)
class Act:
    """A line of the public log. `person` is whom it concerns and `by` who did it, None where the account is gone.

    `is_undone` says that a later line undoes it, `undoes` which earlier one it undoes.
    """

    id: int
    deed: Deed
    target: Target
    target_id: int
    paper_id: int | None
    person: Person | None
    by: Person | None
    reason: str
    words: str
    until: datetime | None
    made_at: datetime
    is_undone: bool
    undoes: int | None


@dataclass(frozen=True, slots=True)
class Flag:
    """What somebody said of a thing that she flagged. Moderators see who."""

    by: Person | None
    reason: str
    words: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Matter:
    """A thing that can be decided about, for moderators: whose it is, where it stands and what it says.

    `comment` is set for a comment, `text` for others; `state` is what moderators made of it before.
    """

    target: Target
    target_id: int
    person: Person | None
    paper_id: int | None
    comment: comments.Comment | None
    text: str
    state: str
    flags: tuple[Flag, ...] = ()


@dataclass(frozen=True, slots=True)
class Appeal:
    """What somebody says against an act. `granted` is None until it was decided."""

    id: int
    act: Act
    by: Person | None
    words: str
    made_at: datetime
    decided_by: Person | None
    granted: bool | None
    answer: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much waits for moderators: things that were flagged, and appeals."""

    flagged: int
    appeals: int


def waiting() -> Waiting:
    """What waits for moderators."""
    flagged = _open().values("target", "target_id").distinct().count()
    return Waiting(flagged, AppealRow.objects.filter(decided_at=None).count())


def queue(viewer: Person, *, limit: int = 50) -> list[Matter]:
    """The things that were flagged and wait, those with most flags first, then the oldest. For moderators."""
    groups = (
        _open()
        .values_list("target", "target_id")
        .annotate(flags=Count("id"), since=Min("made_at"))
        .order_by("-flags", "since")[:limit]
    )
    keys = [(Target(target), target_id) for target, target_id, _, _ in groups]
    flags = _flags(_open().filter(among("target_id", [target_id for _, target_id in keys])))
    found = _matters(keys, viewer, flags)
    return [found[key] for key in keys if key in found]


def matter(subject: Subject, viewer: Person) -> Matter | None:
    """One thing to decide about; None when there is none, the viewer may not see it, or it is a claim, which is decided
    elsewhere.
    """
    if subject.target is Target.CLAIM:
        return None
    key = (subject.target, subject.id)
    if subject.target is Target.COMMENT and not comments.one(subject.id, viewer) and not _is_brought(subject, viewer):
        return None
    if not viewer.is_a(Role.MODERATOR) and not _is_public(subject, viewer):
        return None
    return _matters([key], viewer, {}).get(key)


def was_removed(subject: Subject) -> bool:
    """Whether what moderators did last to the thing was to remove it."""
    last = ActRow.objects.filter(target=subject.target, target_id=subject.id).order_by("-id").first()
    return last is not None and last.deed == Deed.REMOVE


def _is_brought(subject: Subject, viewer: Person) -> bool:
    """Whether a comment that she cannot read was brought before her as a moderator: it was flagged, or decided about.

    What a private group writes is not hers to leaf through by its numbers.
    """
    if not viewer.is_a(Role.MODERATOR):
        return False
    tables: tuple[type[FlagRow] | type[ActRow], ...] = (FlagRow, ActRow)
    return any(table.objects.filter(target=subject.target, target_id=subject.id).exists() for table in tables)


def _is_public(subject: Subject, viewer: Person) -> bool:
    """Whether everybody may see a proposal or a link: one that came, or is hers, and one that was not removed."""
    if subject.target is Target.SUBMISSION:
        found = Submission.objects.filter(id=subject.id)
        return found.filter(Q(state=State.ARRIVED) | Q(user=viewer.id)).exists()
    if subject.target is Target.LINK:
        return AuthorLink.objects.filter(id=subject.id, removed_at=None).exists()
    return True


def log(*, before: int | None = None, limit: int = 50) -> tuple[list[Act], int | None]:
    """The public log, the newest line first, from before the line of that id; and where the next page begins."""
    rows = ActRow.objects.order_by("-id")
    found = list((rows.filter(id__lt=before) if before else rows)[: limit + 1])
    return list(_acts(found[:limit]).values()), found[limit - 1].id if len(found) > limit else None


def acts(ids: Collection[int]) -> dict[int, Act]:
    """Lines of the log by their ids."""
    return _acts(list(ActRow.objects.filter(among("id", ids)))) if ids else {}


def flags_of(subject: Subject) -> list[Flag]:
    """What people said of a thing that they flagged, as far as nobody has decided about it since."""
    rows = _open().filter(target=subject.target, target_id=subject.id)
    return _flags(rows).get((subject.target, subject.id), [])


def of_subject(subject: Subject) -> list[Act]:
    """What moderators did to one thing, the newest first."""
    rows = ActRow.objects.filter(target=subject.target, target_id=subject.id).order_by("-id")[:50]
    return list(_acts(list(rows)).values())


def concerning(person: Person) -> list[tuple[Act, Appeal | None]]:
    """What was decided about a person, the newest first, each with what she said against it."""
    rows = list(ActRow.objects.filter(person=person.id).order_by("-id")[:50])
    said = _appeals(AppealRow.objects.filter(among("act_id", [row.id for row in rows])))
    by_act = {appeal.act.id: appeal for appeal in said}
    return [(act, by_act.get(act.id)) for act in _acts(rows).values()]


def appeals() -> list[Appeal]:
    """The appeals that wait to be decided, the oldest first."""
    return _appeals(AppealRow.objects.filter(decided_at=None).order_by("id")[:50])


def why_barred(person_id: int) -> str:
    """The reason for which somebody may not write now, in words; empty when nobody wrote one down."""
    row = ActRow.objects.filter(target=Target.PERSON, target_id=person_id, deed=Deed.BAR).order_by("-id").first()
    if row is None:
        return ""
    return REASONS[Reason(row.reason)][0] + (f" ({row.words})" if row.words else "")


def _open() -> QuerySet[FlagRow]:
    return FlagRow.objects.filter(answer=None)


def _flags(rows: QuerySet[FlagRow]) -> dict[tuple[Target, int], list[Flag]]:
    found = list(rows.order_by("id"))
    people = accounts.people({row.by_id for row in found})
    flags: dict[tuple[Target, int], list[Flag]] = defaultdict(list)
    for row in found:
        said = Flag(people.get(row.by_id), REASONS[Reason(row.reason)][0], row.words, row.made_at)
        flags[Target(row.target), row.target_id].append(said)
    return flags


def _acts(rows: list[ActRow]) -> dict[int, Act]:
    people = accounts.people({who for row in rows for who in (row.person_id, row.by_id) if who})
    undone = set(ActRow.objects.filter(among("undoes_id", [row.id for row in rows])).values_list("undoes", flat=True))
    return {
        row.id: Act(
            id=row.id,
            deed=Deed(row.deed),
            target=Target(row.target),
            target_id=row.target_id,
            paper_id=row.paper_id,
            person=people.get(row.person_id or 0),
            by=people.get(row.by_id or 0),
            reason=REASONS[Reason(row.reason)][0],
            words=row.words,
            until=row.until,
            made_at=row.made_at,
            is_undone=row.id in undone,
            undoes=row.undoes_id,
        )
        for row in rows
    }


def _appeals(rows: Iterable[AppealRow]) -> list[Appeal]:
    found = list(rows)
    decided = acts([row.act_id for row in found])
    people = accounts.people({who for row in found for who in (row.by_id, row.decided_by_id) if who})
    return [
        Appeal(
            id=row.id,
            act=decided[row.act_id],
            by=people.get(row.by_id),
            words=row.words,
            made_at=row.made_at,
            decided_by=people.get(row.decided_by_id or 0),
            granted=row.granted,
            answer=row.answer,
        )
        for row in found
    ]


@dataclass(frozen=True, slots=True)
class _Thing:
    person: int | None
    paper: int | None
    text: str
    state: str


def _matters(
    keys: Collection[tuple[Target, int]], viewer: Person, flags: dict[tuple[Target, int], list[Flag]]
) -> dict[tuple[Target, int], Matter]:
    """Those of the things that are there."""
    ids: dict[Target, list[int]] = defaultdict(list)
    for target, target_id in keys:
        ids[target].append(target_id)
    things = {
        (target, target_id): thing
        for target, wanted in ids.items()
        for target_id, thing in _THINGS[target](wanted).items()
    }
    people = accounts.people({thing.person for thing in things.values() if thing.person})
    said = comments.for_moderators(ids[Target.COMMENT], viewer) if ids[Target.COMMENT] else {}
    return {
        key: Matter(
            target=key[0],
            target_id=key[1],
            person=people.get(thing.person or 0),
            paper_id=thing.paper,
            comment=said.get(key[1]) if key[0] is Target.COMMENT else None,
            text=thing.text,
            state=thing.state,
            flags=tuple(flags.get(key, ())),
        )
        for key, thing in things.items()
    }


def _comments(ids: Collection[int]) -> dict[int, _Thing]:
    rows = CommentRow.objects.filter(among("id", ids))
    return {row.id: _Thing(row.author_id, row.paper_id, row.body, row.moderated) for row in rows}


def _people(ids: Collection[int]) -> dict[int, _Thing]:
    found = accounts.people(ids)
    return {person.id: _Thing(person.id, None, person.shown, _until(person)) for person in found.values()}


def _until(person: Person) -> str:
    return person.barred_until.isoformat() if person.barred_until else ""


def _submissions(ids: Collection[int]) -> dict[int, _Thing]:
    rows = Submission.objects.filter(among("id", ids))
    return {
        row.id: _Thing(row.user_id, row.paper_id, f"{row.scheme}:{row.value} {row.note}", row.state) for row in rows
    }


def _links(ids: Collection[int]) -> dict[int, _Thing]:
    rows = AuthorLink.objects.filter(among("id", ids))
    return {row.id: _Thing(row.user_id, row.paper_id, row.url, "removed" if row.removed_at else "") for row in rows}


def _discussions(ids: Collection[int]) -> dict[int, _Thing]:
    closed = set(Lock.objects.filter(among("paper_id", ids)).values_list("paper", flat=True))
    rows = papers.by_ids(ids)
    return {asked: _Thing(None, asked, row.title, "closed" if asked in closed else "") for asked, row in rows.items()}


def _rings(ids: Collection[int]) -> dict[int, _Thing]:
    rows = Ring.objects.filter(among("id", ids))
    return {row.id: _Thing(None, row.paper_id, row.kind, "lifted" if row.lifted_at else "") for row in rows}


_THINGS = {
    Target.COMMENT: _comments,
    Target.PERSON: _people,
    Target.SUBMISSION: _submissions,
    Target.LINK: _links,
    Target.DISCUSSION: _discussions,
    Target.RING: _rings,
}
