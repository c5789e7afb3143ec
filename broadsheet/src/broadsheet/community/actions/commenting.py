"""Writing, editing and taking back comments; following and muting. Each is one transaction."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from broadsheet.accounts import queries as accounts
from broadsheet.accounts.rules import Ground, Person, Refused
from broadsheet.community.actions.notices import take_over_notices, tell
from broadsheet.community.models.comments import Comment, CommentRevision, Follow, Mute
from broadsheet.community.models.moderation import Lock
from broadsheet.community.queries import authorship, moderation
from broadsheet.community.rules import markup
from broadsheet.community.rules.commenting import PURGED_AFTER, Draft, Moderated, allowance, objection
from broadsheet.community.rules.notices import About, Kind
from broadsheet.papers import queries as papers
from broadsheet.storage import among, take_turns

__all__ = [
    "edit_comment",
    "follow",
    "forget_comments",
    "mute_person",
    "mute_thread",
    "post_comment",
    "purge_comments",
    "refuse_barred",
    "remove_comment",
    "restore_comment",
    "take_over_comments",
]

NOT_THERE = "There is no such comment, or it is not yours to see. Nothing was changed."
CLOSED = "Moderators have closed this discussion. Nothing was published; your text is kept below."

# The same text again within this time is a form that was sent twice.
_TWICE = timedelta(minutes=2)


def post_comment(*, by: Person, paper_id: int, draft: Draft, now: datetime | None = None) -> int:
    """Publish a comment and tell whom it concerns. Returns its id; that of the first one for a form sent twice.

    A reply stands with the paper and in the group of what it answers. Raises Refused with the reason.
    """
    at = now or timezone.now()
    refuse_barred(by, at, kept="Nothing was published; your text is kept below.")
    with transaction.atomic():
        # A form sent twice, and the limit of an hour, are seen by what stands there already.
        take_turns("the comments of a person", by.id)
        parent = _answerable(draft.parent, by) if draft.parent else None
        wanted = parent.paper_id if parent else paper_id
        paper = papers.by_ids([wanted]).get(wanted)
        if paper is None:
            raise Refused("There is no such paper any more. Your text is kept below.", ground=Ground.NOT_THERE)
        group = parent.group_id if parent else _own_group(draft.group, by)
        _refuse_closed(paper.id)
        text = markup.clean(draft.body).strip()
        same = Comment.objects.filter(author=by.id, parent=parent, group=group, body=text, removed_at=None)
        if twice := same.filter(paper=parent.paper_id if parent else paper.id, made_at__gt=at - _TWICE).first():
            return twice.id
        _refuse_too_much(by, text, at)
        row = Comment.objects.create(
            paper_id=parent.paper_id if parent else paper.id,
            author_id=by.id,
            parent=parent,
            thread_id=(parent.thread_id or parent.id) if parent else None,
            group_id=group,
            body=text,
            html=markup.to_html(text),
            made_at=at,
        )
        _tell(row, parent, paper.id, by, at)
        if not Follow.objects.filter(person=by.id, paper__in=papers.families([paper.id])[paper.id]).exists():
            Follow.objects.create(person_id=by.id, paper_id=paper.id, on=True)
        return row.id


def edit_comment(*, by: Person, comment_id: int, body: str, now: datetime | None = None) -> None:
    """Put another text into one's own comment; the one before stands in its public history. Raises Refused."""
    at = now or timezone.now()
    refuse_barred(by, at, kept="Nothing was changed; your text is kept below.")
    with transaction.atomic():
        row = _own(comment_id, by)
        if row.removed_at or row.moderated:
            raise Refused("This comment cannot be edited as it is now. Nothing was changed.", ground=Ground.NOT_ALLOWED)
        _refuse_closed(papers.canonical([row.paper_id])[row.paper_id])
        text = markup.clean(body).strip()
        if why := objection(text, allowance(by.joined_at, _written(by), at)):
            raise Refused(why, ground=Ground.NOT_UNDERSTOOD, field="body")
        if text == row.body:
            return
        CommentRevision.objects.create(comment=row, html=row.html, made_at=row.edited_at or row.made_at)
        row.body, row.html, row.edited_at = text, markup.to_html(text), at
        row.save(update_fields=["body", "html", "edited_at"])


def remove_comment(*, by: Person, comment_id: int, now: datetime | None = None) -> None:
    """Take one's own comment back. It can be restored for some weeks. Raises Refused when it is not hers."""
    with transaction.atomic():
        row = _own(comment_id, by)
        Comment.objects.filter(id=row.id, removed_at=None).update(removed_at=now or timezone.now())


def restore_comment(*, by: Person, comment_id: int, now: datetime | None = None) -> None:
    """Undo `remove_comment`. Raises Refused when the comment is not hers, or she may not write there now."""
    refuse_barred(by, now or timezone.now())
    with transaction.atomic():
        row = _own(comment_id, by)
        _refuse_closed(papers.canonical([row.paper_id])[row.paper_id])
        if row.removed_at and not row.body:
            raise Refused("The text was deleted for good after 30 days. Nothing was changed.", ground=Ground.NOT_THERE)
        Comment.objects.filter(id=row.id).update(removed_at=None)


def purge_comments(*, now: datetime | None = None) -> int:
    """Delete for good the texts that were taken back long enough ago; those with replies keep an empty place. Returns
    how many.
    """
    long_ago = (now or timezone.now()) - PURGED_AFTER
    with transaction.atomic():
        old = Comment.objects.filter(removed_at__lt=long_ago)
        CommentRevision.objects.filter(comment__in=old).delete()
        emptied = old.exclude(body="").update(body="", html="")
        old.filter(replies=None).delete()
        return emptied


def follow(*, by: Person, paper_id: int, on: bool) -> None:
    """Hear of new comments on the paper, or no longer. Raises Refused when it is not there."""
    if paper_id not in papers.by_ids([paper_id]):
        raise Refused("There is no such paper any more. Nothing was changed.", ground=Ground.NOT_THERE)
    family = papers.families([paper_id])[paper_id]
    with transaction.atomic():
        if not on:
            Follow.objects.filter(person=by.id, paper__in=family).update(on=False)
        Follow.objects.update_or_create(person_id=by.id, paper_id=paper_id, defaults={"on": on})


def mute_person(*, by: Person, person_id: int, on: bool) -> None:
    """Fold what that person writes into one line each, and tell nothing of her; or no longer. Raises Refused."""
    if person_id == by.id or (on and person_id not in accounts.people([person_id])):
        raise Refused("One can mute other people who have an account. Nothing was changed.", ground=Ground.NOT_THERE)
    if on:
        Mute.objects.get_or_create(person_id=by.id, muted_id=person_id)
    else:
        Mute.objects.filter(person=by.id, muted=person_id).delete()


def mute_thread(*, by: Person, comment_id: int, on: bool) -> None:
    """Fold the thread of this comment and tell nothing of it; or no longer. Raises Refused when it is not there."""
    row = _visible(comment_id, by)
    thread = row.thread_id or row.id
    if on:
        Mute.objects.get_or_create(person_id=by.id, thread_id=thread)
    else:
        Mute.objects.filter(person=by.id, thread=thread).delete()


def refuse_barred(by: Person, now: datetime, *, kept: str = "Nothing was changed.") -> None:
    """Raise Refused, with the date, the reason and the way to appeal, for somebody who may not write for others now."""
    if not by.may_write(now) and by.barred_until:
        why = moderation.why_barred(by.id)
        because = f" Their reason: {why}." if why else ""
        raise Refused(
            f"Moderators have barred you from writing until {by.barred_until:%-d %B %Y}.{because} {kept} You can read "
            "on, and appeal on the page of your notices.",
            ground=Ground.NOT_ALLOWED,
        )


def _visible(comment_id: int, by: Person) -> Comment:
    row = Comment.objects.filter(id=comment_id).first()
    if row is None or (row.group_id and row.group_id not in accounts.groups_of(by.id)):
        raise Refused(NOT_THERE, ground=Ground.NOT_THERE)
    return row


def _answerable(comment_id: int, by: Person) -> Comment:
    row = _visible(comment_id, by)
    if row.removed_at or row.moderated == Moderated.REMOVED:
        raise Refused(
            "The comment that you answer was removed meanwhile. Your text is kept below.", ground=Ground.NOT_THERE
        )
    return row


def _own(comment_id: int, by: Person) -> Comment:
    row = Comment.objects.select_for_update().filter(id=comment_id, author=by.id).first()
    if row is None:
        raise Refused(NOT_THERE, ground=Ground.NOT_THERE)
    return row


def _own_group(group_id: int | None, by: Person) -> int | None:
    if group_id is not None and group_id not in accounts.groups_of(by.id):
        raise Refused("You are not in that group. Your text is kept below.", ground=Ground.NOT_ALLOWED, field="group")
    return group_id


def _refuse_closed(paper_id: int) -> None:
    if Lock.objects.filter(paper__in=papers.families([paper_id])[paper_id]).exists():
        raise Refused(CLOSED, ground=Ground.NOT_ALLOWED)


def _written(by: Person) -> int:
    return Comment.objects.filter(author=by.id, removed_at=None).exclude(moderated=Moderated.REMOVED).count()


def _refuse_too_much(by: Person, text: str, at: datetime) -> None:
    allowed = allowance(by.joined_at, _written(by), at)
    if why := objection(text, allowed):
        raise Refused(why, ground=Ground.NOT_UNDERSTOOD, field="body")
    lately = Comment.objects.filter(author=by.id, made_at__gt=at - timedelta(hours=1)).count()
    if lately >= allowed.hourly:
        of_new = " from a new account" if allowed.is_new else ""
        raise Refused(
            f"{allowed.hourly} comments an hour are the most{of_new}. Nothing was published; your text is kept below. "
            "Send it again in a while.",
            ground=Ground.TOO_MUCH,
        )


def _tell(row: Comment, parent: Comment | None, paper_id: int, by: Person, at: datetime) -> None:
    """Tell the author of what was answered, then the paper's authors and followers, each once."""
    answered = {parent.author_id} if parent and parent.author_id else set()
    family = papers.families([paper_id])[paper_id]
    said = Follow.objects.filter(paper__in=family).values_list("person", "on")
    others = {who for who, on in said if on}
    others |= authorship.authors_of([paper_id]).get(paper_id, set()) - {who for who, _ in said}
    answered -= {by.id}
    others -= {by.id} | answered
    if row.group_id:
        inside = {member.person.id for member in accounts.members(row.group_id)}
        answered, others = answered & inside, others & inside
    about = About(comment=row.id, thread=row.thread_id or row.id, paper=row.paper_id, by=by.id)
    tell(answered, Kind.REPLY, about, now=at)
    tell(others, Kind.COMMENT, about, now=at)


def forget_comments(*, person_id: int) -> None:
    """Delete what a person wrote, before her account is deleted; where others answered, an empty place is left."""
    with transaction.atomic():
        hers = Comment.objects.filter(author=person_id)
        CommentRevision.objects.filter(comment__in=hers).delete()
        hers.filter(removed_at=None).update(removed_at=timezone.now())
        hers.update(body="", html="")
        hers.filter(replies=None).delete()


def take_over_comments(*, kept: int, gone: int) -> None:
    """Give what one account wrote, follows, muted and was told to another that it goes into."""
    with transaction.atomic():
        Comment.objects.filter(author=gone).update(author=kept)
        known = Follow.objects.filter(person=kept).values_list("paper", flat=True)
        Follow.objects.filter(person=gone).exclude(among("paper_id", known)).update(person=kept)
        for mute in Mute.objects.filter(person=gone).exclude(muted=kept):
            Mute.objects.get_or_create(person_id=kept, muted_id=mute.muted_id, thread_id=mute.thread_id)
        for mute in Mute.objects.filter(muted=gone).exclude(person=kept):
            Mute.objects.get_or_create(person_id=mute.person_id, muted_id=kept)
        take_over_notices(kept=kept, gone=gone)
