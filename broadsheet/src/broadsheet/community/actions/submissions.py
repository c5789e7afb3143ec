"""Proposing papers, and fetching what was proposed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from broadsheet.accounts.rules import Ground, Person, Refused
from broadsheet.bibliography import identifiers
from broadsheet.bibliography.identifiers import Identifier, Scheme
from broadsheet.community.actions.commenting import refuse_barred
from broadsheet.community.models.submissions import Submission
from broadsheet.community.rules import submissions as rules
from broadsheet.community.rules.markup import clean
from broadsheet.community.rules.submissions import State
from broadsheet.fetching.answers import Client
from broadsheet.ingest import actions as ingest
from broadsheet.papers import queries as papers
from broadsheet.storage import take_turns

NO_IDENTIFIER = (
    "This is no identifier and no address of a paper that we can read. Write for example 2401.00001, "
    "https://arxiv.org/abs/2401.00001, or 10.1000/182. Nothing was proposed."
)
_FETCHED = 5  # proposals in one step


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a proposal: the key of the paper if it is here already, else the id of the submission that waits.

    `new` is false where somebody else's waits already.
    """

    key: str = ""
    submission_id: int | None = None
    new: bool = False


def propose_paper(*, by: Person, text: str, note: str = "", now: datetime | None = None) -> Outcome:
    """Propose a paper by any identifier or address of it, with a note why.

    Raises Refused for what is no identifier, a note that is too long, a paper that is too old, more than one person may
    propose in a day, and for who is barred.
    """
    at = now or timezone.now()
    refuse_barred(by, at, kept="Nothing was proposed.")
    identifier = _identifier(text)
    said = clean(note).strip()
    if len(said) > rules.LONGEST_NOTE:
        raise Refused(
            f"The note is longer than {rules.LONGEST_NOTE} characters. Nothing was proposed; shorten it.",
            ground=Ground.NOT_UNDERSTOOD,
            field="note",
        )
    row = papers.find(identifier.key)
    if row is not None:
        return Outcome(key=row.key)
    _refuse_old(rules.latest_day(identifier), at)
    with transaction.atomic():
        take_turns("the proposals of a person", by.id)
        waiting = Submission.objects.filter(scheme=identifier.scheme, value=identifier.value, state=State.PENDING)
        if known := waiting.first():
            return Outcome(submission_id=known.id)
        _refuse_too_many(by, at)
        made, new = Submission.objects.get_or_create(
            scheme=str(identifier.scheme),
            value=identifier.value,
            state=State.PENDING,
            defaults={
                "user_id": by.id, "note": said, "reason": "It has not been asked for yet.", "proposed_at": at,
                "next_at": at,
            },
        )  # fmt: skip
        return Outcome(submission_id=made.id, new=new)


def withdraw_submission(*, by: Person, submission_id: int, now: datetime | None = None) -> None:
    """Take back a proposal of hers that still waits. Raises Refused when there is none of that id."""
    hers = Submission.objects.filter(id=submission_id, user=by.id, state=State.PENDING)
    done = hers.update(state=State.WITHDRAWN, reason="", next_at=None, settled_at=now or timezone.now())
    if not done:
        raise Refused("No proposal of yours waits under that number. Nothing was changed.", ground=Ground.NOT_THERE)


def fetch_submissions(client: Client | None, *, now: datetime | None = None) -> int:
    """Ask for the next few papers that were proposed and are due; how many were looked at. Raises database errors.

    Without a client they wait, and say why.
    """
    at = now or timezone.now()
    due = list(Submission.objects.filter(state=State.PENDING, next_at__lte=at).order_by("next_at", "id")[:_FETCHED])
    for row in due:
        if not _settled(row, at):
            _ask(row, client, at)
    return len(due)


def _identifier(text: str) -> Identifier:
    found = identifiers.parse(text) if len(text) <= 2000 else None
    if found is None:
        raise Refused(NO_IDENTIFIER, ground=Ground.NOT_UNDERSTOOD, field="paper")
    return found.identifier


def _refuse_old(day: date | None, at: datetime) -> None:
    window = settings.BROADSHEET_SUBMISSION_WINDOW
    if rules.too_old(day, at.date(), window):
        raise Refused(
            f"This instance takes proposals of papers that are at most {window:,} days old. Nothing was proposed.",
            ground=Ground.NOT_ALLOWED,
            field="paper",
        )


def _refuse_too_many(by: Person, at: datetime) -> None:
    most = settings.BROADSHEET_SUBMISSIONS_PER_DAY
    if Submission.objects.filter(user=by.id, proposed_at__gt=at - timedelta(days=1)).count() >= most:
        sentence = (
            f"You may propose {most} papers within 24 hours, and you have. Nothing was proposed; try it tomorrow."
        )
        raise Refused(sentence if most else "Nobody may propose papers here.", ground=Ground.TOO_MUCH)


def _settled(row: Submission, at: datetime) -> bool:
    """Whether the paper is here by now; then the proposal is settled."""
    paper = papers.find(Identifier(Scheme(row.scheme), row.value).key)
    if paper is None:
        return False
    window = settings.BROADSHEET_SUBMISSION_WINDOW
    old = rules.too_old(paper.day, row.proposed_at.date(), window)
    reason = (
        f"The paper is here now, but it is more than {window:,} days old: no proposal of it is shown." if old else ""
    )
    Submission.objects.filter(id=row.id, state=State.PENDING).update(
        state=State.REFUSED if old else State.ARRIVED, reason=reason, paper=paper.id, next_at=None, settled_at=at
    )
    return True


def _ask(row: Submission, client: Client | None, at: datetime) -> None:
    """One attempt to fetch a paper."""
    waiting = Submission.objects.filter(id=row.id, state=State.PENDING)
    if client is None:
        waiting.update(reason=rules.NO_CLIENT, next_at=at + rules.WAITING)
        return
    said = ingest.look_up(Identifier(Scheme(row.scheme), row.value), client, now=at)
    with transaction.atomic():
        if _settled(row, at):
            return
        tries, pause = row.tries + 1, rules.pause(row.tries + 1)
        if pause is None:
            waiting.update(
                state=State.REFUSED, reason=rules.why_refused(said), tries=tries, next_at=None, settled_at=at
            )
        else:
            waiting.update(reason=rules.why_waiting(said), tries=tries, next_at=at + pause)
