"""Flags, what moderators decide, and appeals. Every decision is a line of the public log, and most can be undone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from broadsheet.accounts import actions as accounts_actions
from broadsheet.accounts import queries as accounts
from broadsheet.accounts.rules import Ground, Person, Refused, Role
from broadsheet.community.actions import voting
from broadsheet.community.actions.commenting import refuse_barred
from broadsheet.community.actions.notices import tell
from broadsheet.community.models.authorship import AuthorLink
from broadsheet.community.models.comments import Comment
from broadsheet.community.models.moderation import Act, Appeal, Flag, Lock
from broadsheet.community.models.submissions import Submission
from broadsheet.community.queries import moderation as queries
from broadsheet.community.rules import markup
from broadsheet.community.rules.commenting import Moderated
from broadsheet.community.rules.moderating import (
    DEEDS,
    EFFECTS,
    LEADS_TO,
    LONGEST_WORDS,
    OPPOSITES,
    REASONS,
    Deed,
    Reason,
    Ruling,
    Subject,
    Target,
    reasons_for,
)
from broadsheet.community.rules.notices import About, Kind
from broadsheet.community.rules.submissions import State
from broadsheet.papers import queries as papers
from broadsheet.storage import take_turns

__all__ = ["LONGEST_BAR", "appeal", "decide_appeal", "flag", "moderate", "take_over_decisions", "undo"]

# Nobody is barred for ever: whoever would be comes back to be looked at again.
LONGEST_BAR = timedelta(days=366)
_FLAGS_A_DAY = 30

NOTHING = "Nothing was changed."
NOT_THERE = f"What you mean is not there any more. {NOTHING}"
FOR_MODERATORS = f"This is for moderators. {NOTHING}"
CLAIMS = f"Claims are decided by curators, on the page of claims. {NOTHING} Who was refused can claim the paper again."
UNCHOSEN = f"Choose what is to be done, and the reason. {NOTHING}"


@dataclass(frozen=True, slots=True)
class _Order:
    """What is to be done to what, by whom and when; `undoes` is the line of the log that it takes back."""

    subject: Subject
    ruling: Ruling
    by: Person
    at: datetime
    undoes: Act | None = None


def flag(*, by: Person, subject: Subject, reason: Reason, words: str = "", now: datetime | None = None) -> None:
    """Ask moderators to look at something; doing it twice is doing it once. Raises Refused with the reason."""
    at = now or timezone.now()
    refuse_barred(by, at)
    text = _checked(subject.target, reason, words)
    found = queries.matter(subject, by)
    if found is None or subject.target in (Target.DISCUSSION, Target.RING):
        raise Refused(NOT_THERE, ground=Ground.NOT_THERE)
    if found.person and found.person.id == by.id:
        raise Refused(f"This is your own: you can change or remove it yourself. {NOTHING}", ground=Ground.NOT_ALLOWED)
    with transaction.atomic():
        take_turns("the flags of a person", by.id)
        if Flag.objects.filter(by=by.id, made_at__gt=at - timedelta(days=1)).count() >= _FLAGS_A_DAY:
            raise Refused(
                f"{_FLAGS_A_DAY} flags a day are the most. {NOTHING} Moderators see those that you set.",
                ground=Ground.TOO_MUCH,
            )
        target, target_id = subject.target, subject.id
        row = Flag(by_id=by.id, target=target, target_id=target_id, reason=reason, words=text, made_at=at)
        Flag.objects.bulk_create([row], ignore_conflicts=True)


def moderate(*, by: Person, subject: Subject, ruling: Ruling, now: datetime | None = None) -> int:
    """Decide about something. Returns the id of the line in the public log. Its person is told.

    Raises Refused for who is no moderator, for what cannot be done to such a thing, and for what is so already.
    """
    _refuse_unless_moderator(by)
    if subject.target not in DEEDS[ruling.deed].targets:
        raise Refused(f"That cannot be done to such a thing. {NOTHING}", ground=Ground.NOT_UNDERSTOOD)
    checked = replace(ruling, words=_checked(subject.target, ruling.reason, ruling.words))
    with transaction.atomic():
        return _done(_Order(subject, checked, by, now or timezone.now())).id


def undo(*, by: Person, act_id: int, words: str = "", now: datetime | None = None) -> int:
    """Undo the last decision about something, by a line of its own, whose id is returned. Raises Refused when it was
    undone already, when something was decided since, and for what cannot be undone.
    """
    _refuse_unless_moderator(by)
    with transaction.atomic():
        act = Act.objects.select_for_update().filter(id=act_id).first()
        if act is None:
            raise Refused(NOT_THERE, ground=Ground.NOT_THERE)
        return _undone(act, by, words, now or timezone.now()).id


def appeal(*, by: Person, act_id: int, words: str, now: datetime | None = None) -> None:
    """Say something against a decision about oneself, once. Who is barred may. Raises Refused with the reason."""
    text = markup.clean(words).strip()
    if not text:
        raise Refused("Say in a few words why the decision is wrong.", ground=Ground.NOT_UNDERSTOOD, field="words")
    _refuse_long(text)
    act = Act.objects.filter(id=act_id, person=by.id).first()
    if act is None:
        raise Refused(f"There is no such decision about you. {NOTHING}", ground=Ground.NOT_THERE)
    if act.target == Target.CLAIM:
        raise Refused(CLAIMS, ground=Ground.NOT_ALLOWED)
    if not DEEDS[Deed(act.deed)].tells or Act.objects.filter(undoes=act).exists():
        raise Refused(f"This decision does not stand any more. {NOTHING}", ground=Ground.NOT_ALLOWED)
    _, is_new = Appeal.objects.get_or_create(
        act=act, defaults={"by_id": by.id, "words": text, "made_at": now or timezone.now()}
    )
    if not is_new:
        raise Refused("You have appealed against this decision already.", ground=Ground.TAKEN)


def decide_appeal(*, by: Person, appeal_id: int, grant: bool, answer: str, now: datetime | None = None) -> None:
    """Grant an appeal, which undoes the decision, or turn it down, with an answer; the person is told.

    Raises Refused for who made the decision herself while there is another moderator, and for whom it concerns.
    """
    _refuse_unless_moderator(by)
    at = now or timezone.now()
    text = markup.clean(answer).strip()
    if not text:
        raise Refused("Give the person an answer.", ground=Ground.NOT_UNDERSTOOD, field="answer")
    _refuse_long(text)
    with transaction.atomic():
        row = Appeal.objects.select_for_update().filter(id=appeal_id, decided_at=None).select_related("act").first()
        if row is None:
            raise Refused(f"There is no such appeal, or it was decided already. {NOTHING}", ground=Ground.NOT_THERE)
        _refuse_interested(row, by)
        if grant and not Act.objects.filter(undoes=row.act).exists():
            _undone(row.act, by, text, at)
        row.decided_at, row.decided_by_id, row.granted, row.answer = at, by.id, grant, text
        row.save(update_fields=["decided_at", "decided_by", "granted", "answer"])
        outcome = "granted" if grant else "turned down"
        about = About(act=row.act_id, paper=row.act.paper_id, sentence=f"Your appeal was {outcome}. {text}")
        tell([row.by_id], Kind.APPEAL, about, now=at)


def take_over_decisions(*, kept: int, gone: int) -> None:
    """Let an account stand in the log, in flags and in appeals for another that goes into it. No line is lost."""
    with transaction.atomic():
        Act.objects.filter(target=Target.PERSON, target_id=gone).update(target_id=kept)
        Act.objects.filter(person=gone).update(person=kept)
        Act.objects.filter(by=gone).update(by=kept)
        Appeal.objects.filter(by=gone).update(by=kept)
        Appeal.objects.filter(decided_by=gone).update(decided_by=kept)
        asked = set(Flag.objects.filter(by=kept, answer=None).values_list("target", "target_id"))
        for row in Flag.objects.filter(by=gone):
            if row.answer_id or (row.target, row.target_id) not in asked:
                Flag.objects.filter(id=row.id).update(by=kept)


def _refuse_interested(row: Appeal, by: Person) -> None:
    if row.by_id == by.id:
        raise Refused(f"Nobody decides her own appeal. {NOTHING}", ground=Ground.NOT_ALLOWED)
    others = {person.id for person in accounts.moderators()} - {by.id, row.by_id}
    if row.act.by_id == by.id and others:
        raise Refused(
            f"You made this decision; another moderator decides about the appeal. {NOTHING}", ground=Ground.NOT_ALLOWED
        )


def _refuse_unless_moderator(by: Person) -> None:
    if not by.is_a(Role.MODERATOR):
        raise Refused(FOR_MODERATORS, ground=Ground.NOT_ALLOWED)


def _refuse_long(text: str) -> None:
    if len(text) > LONGEST_WORDS:
        raise Refused(
            f"{LONGEST_WORDS:,} characters are the most here. {NOTHING} Shorten the text and send it again.",
            ground=Ground.NOT_UNDERSTOOD,
            field="words",
        )


def _checked(target: Target, reason: Reason, words: str) -> str:
    """The words beside a reason. Raises Refused for a reason that is not one of such a thing, or needs words."""
    text = markup.clean(words).strip()
    if reason not in reasons_for(target):
        raise Refused(f"Choose one of the reasons. {NOTHING}", ground=Ground.NOT_UNDERSTOOD, field="reason")
    if reason is Reason.OTHER and not text:
        raise Refused(f"Say in a few words what the reason is. {NOTHING}", ground=Ground.NOT_UNDERSTOOD, field="words")
    _refuse_long(text)
    return text


def _done(order: _Order) -> Act:
    """Do it, write the line, answer the flags, tell the person. Called inside a transaction."""
    subject, ruling = order.subject, order.ruling
    found = queries.matter(subject, order.by)
    if found is None:
        raise Refused(NOT_THERE, ground=Ground.NOT_THERE)
    act = Act.objects.create(
        deed=ruling.deed,
        target=subject.target,
        target_id=subject.id,
        paper_id=found.paper_id,
        person_id=found.person.id if found.person else None,
        by_id=order.by.id,
        reason=ruling.reason,
        words=ruling.words,
        until=ruling.until if ruling.deed is Deed.BAR else None,
        made_at=order.at,
        undoes=order.undoes,
        before=found.state,
    )
    if ruling.deed is not Deed.DISMISS:
        _EXECUTED[subject.target](order, act)
    Flag.objects.filter(target=subject.target, target_id=subject.id, answer=None).update(answer=act)
    if DEEDS[ruling.deed].tells and act.person_id and act.person_id != order.by.id:
        tell([act.person_id], Kind.MODERATION, About(act=act.id, paper=act.paper_id), now=order.at)
    return act


def _undone(act: Act, by: Person, words: str, at: datetime) -> Act:
    subject = Subject(Target(act.target), act.target_id)
    if subject.target is Target.CLAIM:
        raise Refused(CLAIMS, ground=Ground.NOT_ALLOWED)
    if Act.objects.filter(undoes=act).exists():
        raise Refused(f"This was undone already. {NOTHING}", ground=Ground.TAKEN)
    later = Act.objects.filter(target=act.target, target_id=act.target_id, id__gt=act.id).exclude(deed=Deed.DISMISS)
    if later.exists():
        raise Refused(f"Something else was decided about this since; undo that first. {NOTHING}", ground=Ground.TAKEN)
    deed, until = _opposite(act, at)
    text = markup.clean(words).strip()
    _refuse_long(text)
    return _done(_Order(subject, Ruling(deed, Reason.MISTAKE, text, until), by, at, act))


def _opposite(act: Act, at: datetime) -> tuple[Deed, datetime | None]:
    """The deed that makes the thing what it was before, and until when for a bar. Raises Refused where none is."""
    target, deed = Target(act.target), Deed(act.deed)
    if deed is Deed.DISMISS:
        raise Refused(f"This left everything as it was, so there is nothing to undo. {NOTHING}", ground=Ground.TAKEN)
    if target is Target.COMMENT:
        return LEADS_TO[Moderated(act.before)], None
    if target is Target.PERSON:
        until = datetime.fromisoformat(act.before) if act.before else None
        return (Deed.BAR, until) if until and until > at else (Deed.UNBAR, None)
    return OPPOSITES[deed], None


def _so_already() -> Refused:
    return Refused(f"It is so already, or somebody decided otherwise meanwhile. {NOTHING}", ground=Ground.TAKEN)


def _to_comment(order: _Order, act: Act) -> None:
    row = Comment.objects.select_for_update().get(id=order.subject.id)
    if row.author_id == order.by.id:
        raise Refused(f"Nobody decides about what she wrote herself. {NOTHING}", ground=Ground.NOT_ALLOWED)
    after = EFFECTS.get((Moderated(row.moderated), order.ruling.deed))
    if after is None:
        raise _so_already()
    row.moderated, row.because = after, act.reason if after else ""
    row.save(update_fields=["moderated", "because"])


def _to_person(order: _Order, act: Act) -> None:
    person = accounts.people([order.subject.id])[order.subject.id]
    if person.id == order.by.id or (person.is_a(Role.MODERATOR) and not order.by.is_a(Role.OPERATOR)):
        raise Refused(
            f"Moderators are barred by operators only, and nobody by herself. {NOTHING}", ground=Ground.NOT_ALLOWED
        )
    if order.ruling.deed is Deed.UNBAR:
        if person.may_write(order.at):
            raise _so_already()
        accounts_actions.bar(name=person.name, until=None, because="")
    else:
        until = order.ruling.until
        if until is None or not order.at < until <= order.at + LONGEST_BAR:
            raise Refused(
                f"Say until when: a day to come, {LONGEST_BAR.days} days from now at the latest. {NOTHING}",
                ground=Ground.NOT_UNDERSTOOD,
                field="until",
            )
        accounts_actions.bar(name=person.name, until=until, because=queries.why_barred(act.target_id))
    voting.judge_person(person.id, now=order.at)


def _to_discussion(order: _Order, act: Act) -> None:
    if order.ruling.deed is Deed.LOCK:
        _, is_new = Lock.objects.get_or_create(paper_id=order.subject.id, defaults={"act": act})
        if not is_new:
            raise _so_already()
        return
    family = papers.families([order.subject.id])[order.subject.id]
    if not Lock.objects.filter(paper__in=family).delete()[0]:
        raise _so_already()


def _to_link(order: _Order, _act: Act) -> None:
    is_removal = order.ruling.deed is Deed.REMOVE
    rows = AuthorLink.objects.filter(id=order.subject.id, removed_at__isnull=is_removal)
    if not rows.update(removed_at=order.at if is_removal else None):
        raise _so_already()


def _to_submission(order: _Order, act: Act) -> None:
    rows = Submission.objects.filter(id=order.subject.id)
    if order.ruling.deed is Deed.REMOVE:
        why = f"Moderators refused it: {REASONS[order.ruling.reason][0]}."
        changed = rows.filter(state=State.PENDING).update(
            state=State.REFUSED, reason=why, settled_at=order.at, next_at=None
        )
    else:
        removed = Act.objects.filter(target=Target.SUBMISSION, target_id=act.target_id, deed=Deed.REMOVE).exists()
        refused = rows.filter(state=State.REFUSED) if removed else rows.none()
        changed = refused.update(state=State.PENDING, reason="", settled_at=None, next_at=order.at)
    if not changed:
        raise _so_already()


def _to_ring(order: _Order, act: Act) -> None:
    if order.ruling.deed is Deed.LIFT:
        voting.lift_ring(by=order.by, ring_id=order.subject.id, reason=act.words, now=order.at)
    else:
        voting.restore_ring(by=order.by, ring_id=order.subject.id, now=order.at)


_EXECUTED: dict[Target, Callable[[_Order, Act], None]] = {
    Target.COMMENT: _to_comment,
    Target.PERSON: _to_person,
    Target.DISCUSSION: _to_discussion,
    Target.LINK: _to_link,
    Target.SUBMISSION: _to_submission,
    Target.RING: _to_ring,
}
