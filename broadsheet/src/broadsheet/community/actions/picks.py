"""Picks: curators put papers on the front page, and take them off again."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction
from django.utils import timezone

from broadsheet.accounts.rules import Ground, Person, Refused, Role
from broadsheet.community.actions.commenting import refuse_barred
from broadsheet.community.models.picks import Pick
from broadsheet.community.queries.picks import of_day
from broadsheet.community.rules.markup import clean
from broadsheet.papers import queries as papers
from broadsheet.storage import take_turns

LONGEST_NOTE = 280  # characters
MOST_OF_A_DAY = 5


def pick_paper(*, by: Person, paper_id: int, day: date, note: str = "", now: datetime | None = None) -> int:
    """Put a paper on the front page of a day, with a note why. Returns the pick's id, of the old one if it stands.

    Raises Refused for who is no curator or is barred, a paper that is not here, a note that is too long, and a day that
    has picks enough.
    """
    at = now or timezone.now()
    _refuse_unless_curator(by)
    refuse_barred(by, at, kept="Nothing was picked.")
    said = " ".join(clean(note).split())
    if len(said) > LONGEST_NOTE:
        raise Refused(
            f"The note is longer than {LONGEST_NOTE} characters. Nothing was picked; shorten it and send it again.",
            ground=Ground.NOT_UNDERSTOOD,
            field="note",
        )
    row = papers.by_ids([paper_id]).get(paper_id)
    if row is None:
        raise Refused("There is no such paper here. Nothing was picked.", ground=Ground.NOT_THERE)
    with transaction.atomic():
        take_turns("the picks of a day", day.toordinal())
        standing = of_day(day)
        for known in standing:
            if known.paper_id == row.id:
                return known.id
        if len(standing) >= MOST_OF_A_DAY:
            raise Refused(
                f"{MOST_OF_A_DAY} papers are picked for that day already. Nothing was picked; take one back first.",
                ground=Ground.TOO_MUCH,
            )
        made, _ = Pick.objects.get_or_create(
            paper_id=row.id,
            day=day,
            undone_at=None,
            defaults={"user_id": by.id, "note": said, "picked_at": at, "changed_at": at},
        )
        return made.id


def undo_pick(*, by: Person, pick_id: int, now: datetime | None = None) -> None:
    """Take a pick off the front page; any curator may. Raises Refused for others, and for an unknown id."""
    at = now or timezone.now()
    _refuse_unless_curator(by)
    if not Pick.objects.filter(id=pick_id, undone_at__isnull=True).update(undone_at=at, changed_at=at):
        raise Refused(
            "There is no such pick, or it was taken back already. Nothing was changed.", ground=Ground.NOT_THERE
        )


def _refuse_unless_curator(by: Person) -> None:
    if not by.is_a(Role.CURATOR):
        raise Refused("This is for curators. Nothing was changed.", ground=Ground.NOT_ALLOWED)
