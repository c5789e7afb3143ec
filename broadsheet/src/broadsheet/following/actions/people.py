"""What becomes of what a reader follows, hides and is sent when two accounts become one, or one is deleted."""

from __future__ import annotations

from django.db import transaction

from broadsheet.following.models import Follow, Hidden, Profile, Subscriber, Subscription
from broadsheet.following.rules.follows import Kind


def take_over(*, from_id: int, to_id: int) -> None:
    """Give what one account follows and hides to another that it goes into. Limits are not looked at: nothing is lost.

    Digests go on to the address that was confirmed; where both were, to that of the account that stays.
    """
    with transaction.atomic():
        _rows(from_id, to_id)
        _followers(from_id, to_id)
        _subscribers(from_id, to_id)
        _profiles(from_id, to_id)


def forget(*, person_id: int) -> None:
    """Delete what a person follows, hides and is sent, and what others follow of her, before her account goes."""
    with transaction.atomic():
        Follow.objects.filter(user=person_id).delete()
        Follow.objects.filter(kind=Kind.PERSON, target=str(person_id)).delete()
        Hidden.objects.filter(user=person_id).delete()
        Profile.objects.filter(user=person_id).delete()
        Subscriber.objects.filter(user=person_id).delete()


def _rows(from_id: int, to_id: int) -> None:
    known = set(Follow.objects.filter(user=to_id).values_list("kind", "target")) | {(Kind.PERSON, str(to_id))}
    for row in Follow.objects.filter(user=from_id):
        if (row.kind, row.target) not in known:
            Follow.objects.filter(id=row.id).update(user=to_id)
    Follow.objects.filter(user=from_id).delete()
    hides = set(Hidden.objects.filter(user=to_id).values_list("kind", "value"))
    for hidden in Hidden.objects.filter(user=from_id):
        if (hidden.kind, hidden.value) not in hides:
            Hidden.objects.filter(id=hidden.id).update(user=to_id)
    Hidden.objects.filter(user=from_id).delete()


def _followers(from_id: int, to_id: int) -> None:
    """Who followed the one follows the other, once, and nobody follows herself."""
    of_gone = Follow.objects.filter(kind=Kind.PERSON, target=str(from_id))
    already = Follow.objects.filter(kind=Kind.PERSON, target=str(to_id)).values_list("user", flat=True)
    of_gone.filter(user__in=[*already, to_id]).delete()
    of_gone.update(target=str(to_id))


def _subscribers(from_id: int, to_id: int) -> None:
    gone = Subscriber.objects.filter(user=from_id).first()
    kept = Subscriber.objects.filter(user=to_id).first()
    if gone is None:
        return
    if kept is not None:
        stays, goes = (kept, gone) if kept.confirmed_at is not None or gone.confirmed_at is None else (gone, kept)
        move_subscriptions(from_id=goes.id, to_id=stays.id)
        goes.delete()
        gone = stays
    Subscriber.objects.filter(id=gone.id).update(user=to_id)


def move_subscriptions(*, from_id: int, to_id: int) -> None:
    """Give one subscriber the confirmed digests of another, of every cadence in which she has none that goes on.

    What she left long ago makes room. Call inside a transaction, before the other is deleted.
    """
    hers = Subscription.objects.filter(subscriber=to_id)
    for row in Subscription.objects.filter(subscriber=from_id, confirmed_at__isnull=False).order_by("left_at"):
        same = hers.filter(cadence=row.cadence)
        if same.filter(left_at=None).exists() or (row.left_at is not None and same.exists()):
            continue
        same.delete()
        Subscription.objects.filter(id=row.id).update(subscriber=to_id)


def _profiles(from_id: int, to_id: int) -> None:
    """Profiles of shelves go along with the shelves; that of the library stays as the one who stays has it."""
    if Profile.objects.filter(user=to_id, shelf=None).exists():
        Profile.objects.filter(user=from_id, shelf=None).delete()
    Profile.objects.filter(user=from_id).update(user=to_id)
