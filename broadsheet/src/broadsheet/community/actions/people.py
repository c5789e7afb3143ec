"""What becomes of everything that a person did about papers when two accounts become one, or one is deleted."""

from __future__ import annotations

from django.db import transaction

from broadsheet.community.actions.commenting import forget_comments, take_over_comments
from broadsheet.community.actions.moderating import take_over_decisions
from broadsheet.community.actions.voting import forget_votes, take_over_votes
from broadsheet.community.models.authorship import AuthorAnswer, AuthorClaim, AuthorLink
from broadsheet.community.models.notices import Silence
from broadsheet.community.models.picks import Pick
from broadsheet.community.models.submissions import Submission
from broadsheet.community.rules.authorship import OPEN, State


def take_over(*, kept: int, gone: int) -> None:
    """Give what one account did to another that it goes into: one vote for each paper, one claim, all comments."""
    with transaction.atomic():
        take_over_comments(kept=kept, gone=gone)
        take_over_decisions(kept=kept, gone=gone)
        _claims(kept, gone)
        AuthorLink.objects.filter(user=gone).update(user=kept)
        _answers(kept, gone)
        Pick.objects.filter(user=gone).update(user=kept)
        Submission.objects.filter(user=gone).update(user=kept)
        known = Silence.objects.filter(person=kept).values_list("kind", flat=True)
        Silence.objects.filter(person=gone).exclude(kind__in=known).update(person=kept)
        # The votes come last: whether one counts depends on which papers are her own.
        take_over_votes(from_id=gone, to_id=kept)


def forget(*, person_id: int) -> None:
    """Delete what a person did before her account is deleted: votes are counted without hers, comments go."""
    with transaction.atomic():
        forget_comments(person_id=person_id)
        forget_votes(person_id=person_id)


def _claims(kept: int, gone: int) -> None:
    """Where both claim a paper, the claim that was confirmed stays, else that of the account that stays."""
    AuthorClaim.objects.filter(decided_by=gone).update(decided_by=kept)
    for row in AuthorClaim.objects.filter(user=gone, state__in=OPEN):
        hers = AuthorClaim.objects.filter(user=kept, paper=row.paper_id, state__in=OPEN).first()
        if hers is not None and hers.state == State.PENDING and row.state == State.CONFIRMED:
            hers.delete()
        elif hers is not None:
            row.delete()
    AuthorClaim.objects.filter(user=gone).update(user=kept)


def _answers(kept: int, gone: int) -> None:
    """Where both answered a measurement, the answer of the account that stays is shown; the other one is deleted."""
    hers = AuthorAnswer.objects.filter(user=kept, removed_at=None).values_list("measurement", flat=True)
    AuthorAnswer.objects.filter(user=gone, removed_at=None, measurement__in=list(hers)).delete()
    AuthorAnswer.objects.filter(user=gone).update(user=kept)
