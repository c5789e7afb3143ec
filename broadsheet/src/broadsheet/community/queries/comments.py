"""Every question about discussions. What a viewer may not see is never in an answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from broadsheet.accounts import queries as accounts
from broadsheet.accounts.rules import Person, Role
from broadsheet.community.models.comments import Comment as Row
from broadsheet.community.models.comments import CommentRevision, Follow, Mute
from broadsheet.community.models.moderation import Lock
from broadsheet.community.queries import authorship
from broadsheet.community.rules.commenting import Moderated, Shown
from broadsheet.community.rules.moderating import REASONS, Reason
from broadsheet.papers import queries as papers
from broadsheet.storage import among
from broadsheet.storage.prepared import Given, Prepared

# Threads on a page of a discussion; and comments, unless one thread alone has more.
PAGE = 30
COMMENTS = 60
# Earlier texts that the history of a comment shows.
REVISIONS = 30


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment as one viewer sees it. `html` is safe and empty where she may not read it; `author` is None for
    somebody whose account is gone.

    `depth` counts the replies above it. `why` is the moderators' reason in words. `is_of_author` says that its author
    wrote the paper.
    """

    id: int
    paper_id: int
    parent: int | None
    thread: int
    author: Person | None
    body: str
    html: str
    group: str
    made_at: datetime
    edited_at: datetime | None
    shown: Shown
    why: str
    is_mine: bool
    is_of_author: bool
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Discussion:
    """A page of a paper's discussion: threads in the order in which they began, each followed by its replies.

    `count` is that of all comments which can be read. `following` is where the next page begins, None on the last one;
    `is_first` says that nothing stands before. `follows` says that the viewer hears of new comments.
    """

    comments: tuple[Comment, ...]
    count: int
    following: int | None
    is_first: bool
    is_closed: bool
    follows: bool
    muted_people: frozenset[int]
    muted_threads: frozenset[int]


@dataclass(frozen=True, slots=True)
class Revision:
    """What stood in a comment since `made_at`."""

    html: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """Where a comment stands now: the shown paper, and the `after` of the page of its discussion, 0 for the first."""

    paper_id: int
    after: int


@dataclass(frozen=True, slots=True)
class _Eyes:
    """What the viewer has to do with comments: her groups by id, and whom and what she has muted."""

    viewer: Person | None
    groups: dict[int, str]
    people: frozenset[int] = frozenset()
    threads: frozenset[int] = frozenset()

    def rows(self) -> QuerySet[Row]:
        """All comments that are hers to see, those that were taken back included."""
        return Row.objects.filter(_within(self.groups))


def discussion(paper_id: int, viewer: Person | None, *, after: int = 0, limit: int = PAGE) -> Discussion:
    """The threads beneath a shown paper, and beneath those merged into it, that began after the comment `after`."""
    family = papers.families([paper_id])[paper_id]
    eyes = _eyes(viewer)
    rows = eyes.rows().filter(paper__in=family)
    starts = list(rows.filter(thread=None, id__gt=after).order_by("id")[: limit + 1])
    page = _that_fit(starts[:limit], rows)
    replies = list(rows.filter(among("thread_id", [row.id for row in page])).order_by("id")) if page else []
    written_by = authorship.authors_within(family) if page else set()
    return Discussion(
        comments=tuple(_seen(_threaded([*page, *replies]), eyes, authors=dict.fromkeys(family, written_by))),
        count=_readable(rows).count() if starts or after else 0,
        following=page[-1].id if len(starts) > len(page) else None,
        is_first=not after,
        is_closed=Lock.objects.filter(paper__in=family).exists(),
        follows=viewer is not None and Follow.objects.filter(person=viewer.id, paper__in=family, on=True).exists(),
        muted_people=eyes.people,
        muted_threads=eyes.threads,
    )


def newest(paper_id: int, *, limit: int) -> list[Comment]:
    """The last comments beneath a shown paper that everybody can read, the newest first."""
    family = papers.families([paper_id])[paper_id]
    rows = _readable(_public()).filter(paper__in=family).order_by("-id")[:limit]
    return _seen([(row, 0) for row in rows], _eyes(None))


def between(
    paper_ids: Collection[int], viewer: Person, *, since: datetime, until: datetime
) -> dict[int, list[Comment]]:
    """What others said beneath each shown paper, for everybody to read, after `since` and up to `until`, in order.

    Without what is folded, and without the people and threads that she has muted. Papers of which nothing was said are
    absent.
    """
    root_of = {member: root for root, family in papers.families(paper_ids).items() for member in family}
    rows = (
        _readable(_public())
        .filter(among("paper_id", root_of), made_at__gt=since, made_at__lte=until)
        .exclude(author=viewer.id)
        .order_by("id")
    )
    found: dict[int, list[Comment]] = defaultdict(list)
    for comment in _seen([(row, 0) for row in rows], _eyes(viewer)) if rows else ():
        if comment.shown is Shown.OPEN:
            found[root_of[comment.paper_id]].append(comment)
    return dict(found)


def open_to(viewer: Person) -> QuerySet[Row]:
    """The comments that she reads without a click, as a condition in questions of other tables: not taken back or
    moderated, of no group that is not hers, and not by whom or in a thread that she has muted.
    """
    muted = Mute.objects.filter(person=viewer.id).filter(
        Q(muted=OuterRef("author")) | Q(thread=OuterRef("thread")) | Q(thread=OuterRef("id"))
    )
    hers = Row.objects.filter(_within(accounts.groups_of(viewer.id)))
    return hers.filter(~Exists(muted), removed_at=None, moderated=Moderated.NO)


def one(comment_id: int, viewer: Person | None) -> Comment | None:
    """The comment, if it is the viewer's to see; None when there is none, or it is of a group that is not hers."""
    eyes = _eyes(viewer)
    row = eyes.rows().filter(id=comment_id).first()
    return next(iter(_seen([(row, 0)], eyes, keep=True)), None) if row else None


def place(comment_id: int, viewer: Person | None) -> Place | None:
    """Where the comment stands, if it is the viewer's to see; None when there is none or it is not."""
    eyes = _eyes(viewer)
    row = eyes.rows().filter(id=comment_id).first()
    if row is None:
        return None
    root = papers.canonical([row.paper_id])[row.paper_id]
    thread = row.thread_id or row.id
    rows = eyes.rows().filter(paper__in=papers.families([root])[root])
    before = rows.filter(thread=None, id__lt=thread).count()
    upto = before + rows.filter(thread__lte=thread).count() + 1
    return Place(root, thread - 1 if before and (before >= PAGE or upto > COMMENTS) else 0)


def by_ids(ids: Collection[int], viewer: Person | None) -> dict[int, Comment]:
    """Those of the comments that are the viewer's to see."""
    if not ids:
        return {}
    eyes = _eyes(viewer)
    rows = [(row, 0) for row in eyes.rows().filter(among("id", ids))]
    return {comment.id: comment for comment in _seen(rows, eyes, keep=True)}


def for_moderators(ids: Collection[int], viewer: Person) -> dict[int, Comment]:
    """The comments for somebody who moderates, those of groups that she is not in included."""
    rows = [(row, 0) for row in Row.objects.filter(among("id", ids))]
    return {comment.id: comment for comment in _seen(rows, _Eyes(viewer, {}), keep=True)}


def history(comment_id: int) -> list[Revision]:
    """What stood in a comment before, the oldest of the last `REVISIONS` first; without what stands there now."""
    rows = CommentRevision.objects.filter(comment=comment_id).order_by("-id")[:REVISIONS]
    return [Revision(row.html, row.made_at) for row in reversed(rows)]


def counts(paper_ids: Collection[int], viewer: Person | None) -> dict[int, int]:
    """How many comments the viewer can read beneath each shown paper, with those merged into it."""
    roots = papers.families(paper_ids)
    groups = accounts.groups_of(viewer.id) if viewer else ()
    found = dict(_COUNTS(groups, _members(roots)))
    return {root: sum(found.get(member, 0) for member in family) for root, family in roots.items()}


_COUNTS = Prepared(
    lambda groups, ids: (
        _readable(Row.objects.filter(_within(groups)))
        .filter(among("paper_id", ids))
        .values_list("paper_id")
        .annotate(comments=Count("id"))
        .order_by()
    )
)


def commenters(paper_ids: Collection[int]) -> dict[int, int]:
    """How many people have commented on each shown paper for everybody to read."""
    roots = papers.families(paper_ids)
    root_of = {member: root for root, family in roots.items() for member in family}
    rows = _readable(_public()).filter(among("paper_id", root_of), author__isnull=False)
    people: dict[int, set[int]] = defaultdict(set)
    for paper, author in rows.values_list("paper_id", "author_id").distinct().order_by():
        people[root_of[paper]].add(author)
    return {root: len(people[root]) for root in roots}


def said_by(people: Collection[int], *, group: int | None, since: datetime) -> dict[int, int]:
    """How many comments these people made since then beneath each shown paper: for everybody, and for that group."""
    rows = _readable(
        Row.objects.filter(_within({group} if group else ()), among("author_id", people), made_at__gte=since)
    )
    counted = dict(rows.values_list("paper_id").annotate(comments=Count("id")).order_by())
    root_of = papers.canonical(counted)
    found: dict[int, int] = defaultdict(int)
    for paper_id, count in counted.items():
        found[root_of[paper_id]] += count
    return dict(found)


def muted_people(viewer: Person) -> list[Person]:
    """The people whom she has muted."""
    ids = Mute.objects.filter(person=viewer.id, muted__isnull=False).values_list("muted", flat=True)
    return sorted(accounts.people(ids).values(), key=lambda person: person.name)


def followed_papers(viewer: Person, *, limit: int = 500) -> list[int]:
    """The shown papers of which she hears: those that she follows, the last one first."""
    ids = Follow.objects.filter(person=viewer.id, on=True).order_by("-id").values_list("paper", flat=True)[:limit]
    return list(dict.fromkeys(papers.canonical(ids).values()))


def _public() -> QuerySet[Row]:
    return Row.objects.filter(group=None)


def _within(groups: Collection[int] | Given) -> Q:
    """The condition that a comment is for everybody, or of one of these groups."""
    return Q(group=None) | Q(among("group_id", groups)) if groups else Q(group=None)


def _readable(rows: QuerySet[Row]) -> QuerySet[Row]:
    return rows.filter(removed_at=None).exclude(moderated=Moderated.REMOVED)


def _members(roots: dict[int, list[int]]) -> list[int]:
    return [member for family in roots.values() for member in family]


def _eyes(viewer: Person | None) -> _Eyes:
    if viewer is None:
        return _Eyes(None, {})
    within = accounts.groups_of(viewer.id)
    mine = accounts.groups_seen(within, viewer) if within else {}
    mutes = Mute.objects.filter(person=viewer.id).values_list("muted", "thread")
    return _Eyes(
        viewer,
        {group.id: group.name for group in mine.values()},
        frozenset(person for person, _ in mutes if person),
        frozenset(thread for _, thread in mutes if thread),
    )


def _threaded(rows: Iterable[Row]) -> list[tuple[Row, int]]:
    """The comments with their depth: each thread in turn, each reply below what it answers."""
    below: dict[int | None, list[Row]] = defaultdict(list)
    for row in rows:
        below[row.parent_id].append(row)
    done: list[tuple[Row, int]] = []
    waiting = [(row, 0) for row in reversed(below[None])]
    while waiting:
        row, depth = waiting.pop()
        done.append((row, depth))
        waiting += [(reply, depth + 1) for reply in reversed(below[row.id])]
    return done


def _that_fit(starts: list[Row], rows: QuerySet[Row]) -> list[Row]:
    """The first threads that have at most `COMMENTS` comments together, and always one of them."""
    if not starts:
        return []
    members = rows.filter(among("thread_id", [row.id for row in starts]))
    sizes = dict(members.values_list("thread_id").annotate(comments=Count("id")).order_by())
    total = 0
    for place, row in enumerate(starts):
        total += 1 + sizes.get(row.id, 0)
        if total > COMMENTS:
            return starts[: max(place, 1)]
    return starts


def _seen(
    rows: list[tuple[Row, int]],
    eyes: _Eyes,
    *,
    keep: bool = False,
    authors: Mapping[int, Collection[int]] | None = None,
) -> list[Comment]:
    """The comments as the viewer sees them; without those taken back that nobody answered, unless `keep`.

    `authors` are the people who wrote each paper, where they are known already.
    """
    if not rows:
        return []
    people = accounts.people({row.author_id for row, _ in rows if row.author_id})
    if authors is None:
        roots = papers.canonical({row.paper_id for row, _ in rows})
        of_root = authorship.authors_of(set(roots.values()))
        authors = {paper_id: of_root.get(root, ()) for paper_id, root in roots.items()}
    answered = {row.parent_id for row, _ in rows}
    result = []
    for row, depth in rows:
        is_of_author = row.author_id in authors[row.paper_id]
        comment = replace(_comment(row, people, eyes), depth=depth, is_of_author=is_of_author)
        is_gone = comment.shown is Shown.WITHDRAWN and row.id not in answered and not comment.is_mine
        if keep or not is_gone:
            result.append(comment)
    return result


def _comment(row: Row, people: dict[int, Person], eyes: _Eyes) -> Comment:
    is_mine = eyes.viewer is not None and row.author_id == eyes.viewer.id
    shown = _shown(row, eyes)
    may_read = shown in (Shown.OPEN, Shown.FOLDED, Shown.MUTED) or (
        shown is Shown.REMOVED and (is_mine or (eyes.viewer is not None and eyes.viewer.is_a(Role.MODERATOR)))
    )
    return Comment(
        id=row.id,
        paper_id=row.paper_id,
        parent=row.parent_id,
        thread=row.thread_id or row.id,
        author=people.get(row.author_id or 0),
        body=row.body if may_read else "",
        html=row.html if may_read else "",
        group=eyes.groups.get(row.group_id or 0, ""),
        made_at=row.made_at,
        edited_at=row.edited_at,
        shown=shown,
        why=REASONS[Reason(row.because)][0] if row.because else "",
        is_mine=is_mine,
        is_of_author=False,
    )


def _shown(row: Row, eyes: _Eyes) -> Shown:
    if row.removed_at:
        return Shown.WITHDRAWN
    if row.moderated:
        return Shown.REMOVED if row.moderated == Moderated.REMOVED else Shown.FOLDED
    if row.author_id in eyes.people:
        return Shown.MUTED
    return Shown.MUTED if (row.thread_id or row.id) in eyes.threads else Shown.OPEN
