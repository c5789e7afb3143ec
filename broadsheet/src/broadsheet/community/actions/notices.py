"""Telling people, and what they want to be told."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from broadsheet.accounts import queries as accounts
from broadsheet.accounts.rules import Ground, Person, Refused
from broadsheet.community.models.comments import Mute
from broadsheet.community.models.notices import Notice, Silence
from broadsheet.community.rules.notices import KINDS, LONGEST_MATTER, QUIET, About, Kind
from broadsheet.storage import among

__all__ = ["mark_read", "set_silence", "take_over_notices", "tell", "tell_once", "tell_operators"]

_BATCH = 1000


def tell(people: Collection[int], kind: Kind, about: About, *, now: datetime | None = None) -> int:
    """Tell these people. Returns how many were told.

    Left out are those who turned the kind off, and who muted the person or the thread, where a kind may be off.
    """
    wanted = set(people)
    if KINDS[kind].may_be_off and wanted:
        wanted -= set(Silence.objects.filter(among("person_id", wanted), kind=kind).values_list("person", flat=True))
        muted = Mute.objects.filter(among("person_id", wanted)).values_list("person", "muted", "thread")
        wanted -= {who for who, person, _ in muted if person and person == about.by}
        wanted -= {who for who, _, thread in muted if thread and thread == about.thread}
    rows = [
        Notice(
            person_id=who,
            kind=kind,
            comment_id=about.comment,
            act_id=about.act,
            paper_id=about.paper,
            sentence=about.sentence,
            matter=about.matter,
            made_at=now or timezone.now(),
        )
        for who in sorted(wanted)
    ]
    # Two processes may tell of a matter at the same time: the database keeps one.
    Notice.objects.bulk_create(rows, batch_size=_BATCH, ignore_conflicts=bool(about.matter))
    return len(rows)


def tell_once(people: Collection[int], kind: Kind, sentence: str, *, matter: str, now: datetime | None = None) -> int:
    """Tell these people of a matter, such as one breakdown, in a sentence. Returns how many were told.

    Those are left out who have not read yet that they were told, and who were told less than `QUIET` ago: it can be
    said as often as it is found. `matter` names it among those of its kind, in at most `LONGEST_MATTER` characters.
    """
    at = now or timezone.now()
    named = matter[:LONGEST_MATTER]
    known = Notice.objects.filter(among("person_id", people), kind=kind, matter=named)
    told = known.filter(Q(read_at=None) | Q(made_at__gt=at - QUIET)).values_list("person", flat=True)
    return tell(set(people) - set(told), kind, About(sentence=sentence, matter=named), now=at)


def tell_operators(kind: Kind, sentence: str, *, matter: str, now: datetime | None = None) -> int:
    """Tell everybody who runs the instance of a matter, once as `tell_once` does. Returns how many were told."""
    return tell_once([person.id for person in accounts.operators()], kind, sentence, matter=matter, now=now)


def mark_read(*, by: Person, upto: int, now: datetime | None = None) -> int:
    """Mark her notices as read, to the one with the id `upto`: what came after the page was made stays new. Returns how
    many that were.
    """
    unread = Notice.objects.filter(person=by.id, read_at=None, id__lte=upto)
    return unread.update(read_at=now or timezone.now())


def set_silence(*, by: Person, kinds: Collection[Kind]) -> None:
    """Tell her nothing of these kinds from now on, and of all others. Raises Refused for one that cannot be off."""
    if any(not KINDS[kind].may_be_off for kind in kinds):
        raise Refused(
            "What moderators decide about you is always told. Nothing was changed.", ground=Ground.NOT_ALLOWED
        )
    with transaction.atomic():
        Silence.objects.filter(person=by.id).exclude(among("kind", list(kinds))).delete()
        Silence.objects.bulk_create([Silence(person_id=by.id, kind=kind) for kind in kinds], ignore_conflicts=True)


def take_over_notices(*, kept: int, gone: int) -> None:
    """Give what one account was told to another that it goes into; what both were told once, and have not read, stays
    once.
    """
    with transaction.atomic():
        known = Notice.objects.filter(person=kept, read_at=None).exclude(matter="").values_list("kind", "matter")
        twice = Q(pk__in=[])
        for kind, matter in known:
            twice |= Q(kind=kind, matter=matter)
        Notice.objects.filter(twice, person=gone, read_at=None).delete()
        Notice.objects.filter(person=gone).update(person=kept)
