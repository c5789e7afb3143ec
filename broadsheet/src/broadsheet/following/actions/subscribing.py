"""Asking for digests, confirming, changing and leaving. What is sent, and when, lies in `delivering`."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from broadsheet.accounts.rules import Ground, Person, Refused
from broadsheet.following.actions.people import move_subscriptions
from broadsheet.following.models import Asked, Delivery, Subscriber, Subscription
from broadsheet.following.queries.subscribing import Subscribed, subscribed, wish_of
from broadsheet.following.rules.delivering import ASKS, State
from broadsheet.following.rules.schedule import next_due
from broadsheet.following.rules.subscribing import (
    ASKS_KEPT_FOR,
    BLOCKED_ASKED_AFTER,
    CONFIRM_WITHIN,
    Cadence,
    LeftBy,
    Notices,
    Wish,
    asked_again_after,
    digest_of,
    mailbox_of,
    secret_of,
)
from broadsheet.storage import take_turns

_LIMIT = {
    Cadence.DAY: "You get a digest every day already. Change that one, or leave it first. Nothing was changed.",
    Cadence.WEEK: "You get a digest every week already. Change that one, or leave it first. Nothing was changed.",
    Cadence.MONTH: "You get a digest every month already. Change that one, or leave it first. Nothing was changed.",
}

# Whoever looks whether a subscriber has a digest of a cadence, and then begins one, takes turns at this.
_DIGESTS = "the digests of a subscriber"


def ask(*, address: str, wish: Wish, consent: Mapping[str, str], now: datetime) -> None:
    """Keep what somebody asks for until she confirms it, and put the mail that asks her into the outbox.

    No mail goes to an address that is blocked, to one whose reader called such a mail spam, and to one that was asked
    before, for longer each time that nobody answered. What waits is changed to the newest wish, which the earlier mail
    confirms; at most one wish waits for an address.
    What is known of the address cannot be told by the time that it takes: the same is written, or written and undone.
    """
    with transaction.atomic():
        who, _ = Subscriber.objects.get_or_create(address=address, defaults={"made_at": now})
        with _undone() if who.blocked_at else nullcontext():
            _waiting(who, wish, consent, now)


def ask_blocked(*, key: str, consent: Mapping[str, str], now: datetime) -> bool:
    """Have a blocked address asked, as a reader with that key says that mail arrives again; whether a mail will go.

    None goes where the address is not blocked, and where it was asked within a day. Who confirms is blocked no more.
    """
    with transaction.atomic():
        row = (
            Subscription.objects.select_related("subscriber")
            .filter(key=key, confirmed_at__isnull=False, subscriber__blocked_at__isnull=False)
            .first()
        )
        return row is not None and _waiting(row.subscriber, wish_of(row), consent, now, BLOCKED_ASKED_AFTER)


def _waiting(
    who: Subscriber, wish: Wish, consent: Mapping[str, str], now: datetime, again_after: timedelta | None = None
) -> bool:
    """Keep the one wish that waits for an address, and have it asked; whether a mail will go, as none went too short a
    time ago. `again_after` is that time, where it is not a stranger who asks.
    """
    is_due = _count(who.address, now, again_after)
    values = _columns(replace(wish, notices=Notices.NEVER)) | {
        "mine": False,
        "consent": dict(consent) | {"asked": now.isoformat()},
    }
    rows = Subscription.objects.filter(subscriber=who, confirmed_at=None)
    if not rows.update(**values):
        Subscription.objects.create(subscriber=who, key=_new_key(), made_at=now, **values)
    with nullcontext() if is_due else _undone():
        _ask(rows.get(), who.address, now)
    return is_due


def _count(address: str, now: datetime, again_after: timedelta | None) -> bool:
    """Count that a mailbox is asked; False where it may not be asked now. Of two at once one is counted."""
    row, _ = Asked.objects.get_or_create(mailbox=mailbox_of(address, settings.SECRET_KEY))
    pause = again_after or asked_again_after(row.times)
    is_due = (row.asked_at is None or row.asked_at <= now - pause) and (row.refused_at is None or bool(again_after))
    counted, at = (row.times + 1, now) if is_due else (row.times, row.asked_at)
    same = Asked.objects.filter(id=row.id, times=row.times, asked_at=row.asked_at)
    return bool(same.update(times=counted, asked_at=at)) and is_due


def _ask(row: Subscription, address: str, now: datetime) -> None:
    """Have the address asked whether it wants that."""
    until = now + CONFIRM_WITHIN
    secret = secret_of(row.key, until, settings.SECRET_KEY)
    Subscription.objects.filter(id=row.id).update(secret_digest=digest_of(secret), secret_until=until)
    _post(row, address, now)


def _post(row: Subscription, address: str, now: datetime) -> None:
    """Put the mail that asks into the outbox, in the place of an earlier one."""
    Delivery.objects.filter(subscription=row.id, edition=ASKS).delete()
    Delivery.objects.create(
        subscription=row,
        slot=now.date(),
        edition=ASKS,
        domain=address.rpartition("@")[2],
        state=State.WAITING,
        made_at=now,
        due_at=now,
    )


class _Undone(Exception):
    """Ends what is not to be kept."""


@contextmanager
def _undone() -> Iterator[None]:
    """Whatever is written inside is taken back."""
    with suppress(_Undone), transaction.atomic():
        yield
        raise _Undone


def forget_unconfirmed(*, now: datetime) -> None:
    """Delete what nobody confirmed in time, addresses that nothing hangs on, and how often one was asked long ago.

    That somebody refused to be asked is kept.
    """
    long_ago = now - CONFIRM_WITHIN
    with transaction.atomic():
        unasked = Q(secret_until=None, made_at__lt=long_ago)
        Subscription.objects.filter(Q(secret_until__lt=now) | unasked, confirmed_at=None).delete()
        Subscriber.objects.filter(made_at__lt=long_ago, subscriptions=None, user=None, blocked_at=None).delete()
        Asked.objects.filter(asked_at__lt=now - ASKS_KEPT_FOR, refused_at=None).delete()


def refuse_asking(*, subscriber_id: int, now: datetime) -> bool:
    """Drop the wish that waits for an address, and have its mailbox asked by no stranger any more; whether one did.

    What was confirmed goes on.
    """
    with transaction.atomic():
        address = Subscriber.objects.values_list("address", flat=True).get(id=subscriber_id)
        mailbox = mailbox_of(address, settings.SECRET_KEY)
        Asked.objects.update_or_create(mailbox=mailbox, defaults={"refused_at": now})
        return bool(Subscription.objects.filter(subscriber=subscriber_id, confirmed_at=None).delete()[0])


def confirm(*, secret: str, network: str, now: datetime) -> Subscribed | None:
    """Begin what the secret of a mail stands for; None for one that does nothing, whatever the reason.

    Somebody has read that mail and wants more, so that an address that was blocked is not any more.
    Where the address has a subscription of the same cadence, that one takes the new wish, and keeps its key and its
    log, so that nobody is sent the same edition twice.
    """
    with transaction.atomic():
        waiting = Subscription.objects.filter(
            secret_digest=digest_of(secret), secret_until__gt=now, confirmed_at=None
        ).first()
        if waiting is None:
            return None
        take_turns(_DIGESTS, waiting.subscriber_id)
        same = Subscription.objects.filter(id=waiting.id, secret_digest=waiting.secret_digest)
        if not same.update(secret_digest="", secret_until=None):
            return None
        consent = waiting.consent | {"confirmed": now.isoformat(), "confirmed from": network}
        waiting.secret_digest, waiting.secret_until = "", None
        begun = _of_cadence(waiting.subscriber_id, waiting.cadence) or waiting
        begun.consent, begun.confirmed_at = consent, begun.confirmed_at or now
        Delivery.objects.filter(subscription=waiting.id, edition=ASKS).delete()
        if begun.id != waiting.id:
            waiting.delete()
        Subscriber.objects.filter(id=begun.subscriber_id).update(
            confirmed_at=now, blocked_at=None, blocked_because="", soft_bounces=0, soft_since=None
        )
        mailbox = mailbox_of(begun.subscriber.address, settings.SECRET_KEY)
        Asked.objects.filter(mailbox=mailbox).update(times=1, refused_at=None)
        return _begin(begun, replace(wish_of(waiting), mine=begun.mine, notices=Notices(begun.notices)), now)


def subscribe_reader(*, by: Person, address: str, wish: Wish, consent: Mapping[str, str], now: datetime) -> Subscribed:
    """Begin a subscription of a reader with an account, whose address she has confirmed there.

    Raises Refused where mail to the address is blocked, where somebody else's account has it, or where she has a
    subscription of that cadence already.
    """
    # By itself: what her address gets already is hers to see and to change, also where this wish is refused.
    with transaction.atomic():
        who = _subscriber_of(by.id, address, now)
    with transaction.atomic():
        take_turns(_DIGESTS, who.id)
        if who.blocked_at is not None:
            raise Refused(f"No mail goes to your address: {who.blocked_because}", ground=Ground.NOT_ALLOWED)
        earlier = _of_cadence(who.id, wish.cadence)
        if earlier is not None and earlier.left_at is None:
            raise Refused(_LIMIT[wish.cadence], ground=Ground.TAKEN, field="cadence")
        row = earlier or Subscription(subscriber=who, key=_new_key(), made_at=now)
        row.consent, row.confirmed_at = dict(consent) | {"asked": now.isoformat()}, row.confirmed_at or now
        return _begin(row, wish, now)


def claim(*, by: Person, address: str, now: datetime) -> None:
    """Make a confirmed address hers: for the one reader of an instance without accounts. Raises Refused."""
    with transaction.atomic():
        if not Subscriber.objects.filter(address=address, user=None, confirmed_at__isnull=False).exists():
            raise Refused("Nobody has confirmed this address. Nothing was changed.", ground=Ground.NOT_THERE)
        _subscriber_of(by.id, address, now)


def move(*, person_id: int, address: str, now: datetime) -> None:
    """Send a person's digests to the address that she has just confirmed; what that address got is hers from now on.

    Where that address is another account's, they go on to the old one.
    """
    theirs = (Q(user=person_id) & ~Q(address=address)) | Q(user=None, address=address, confirmed_at__isnull=False)
    with suppress(Refused), transaction.atomic():
        if Subscriber.objects.filter(theirs).exists():
            _subscriber_of(person_id, address, now)


def _subscriber_of(person_id: int, address: str, now: datetime) -> Subscriber:
    """The row of a reader's address, which is hers from now on. Call inside a transaction. Raises Refused."""
    take_turns("the address of a reader", person_id)
    at_address = Subscriber.objects.filter(address=address).first()
    hers = Subscriber.objects.filter(user=person_id).first()
    who = hers or at_address or Subscriber(made_at=now)
    if at_address is not None and at_address.user_id not in (None, person_id):
        raise Refused("Another account gets mail at this address. Nothing was changed.", ground=Ground.TAKEN)
    if hers is not None and at_address is not None and hers.id != at_address.id:
        # Her address is another one now, to which somebody subscribed without an account: what was asked there stays.
        move_subscriptions(from_id=at_address.id, to_id=hers.id)
        hers.blocked_at, hers.blocked_because = at_address.blocked_at, at_address.blocked_because
        at_address.delete()
    elif who.address != address:
        who.blocked_at, who.blocked_because, who.soft_bounces, who.soft_since = None, "", 0, None
    who.address, who.user_id, who.confirmed_at = address, person_id, who.confirmed_at or now
    who.save()
    return who


def change(*, key: str, wish: Wish, now: datetime) -> Subscribed | None:
    """Give the subscription with that key another wish; None where there is none that goes on.

    Raises Refused where the address has another subscription of that cadence.
    """
    with transaction.atomic():
        _take_turns_at(key)
        row = Subscription.objects.select_related("subscriber").filter(_goes_on(), key=key).first()
        if row is None:
            return None
        other = _of_cadence(row.subscriber_id, wish.cadence)
        if wish.cadence != row.cadence and other is not None and other.left_at is None:
            raise Refused(_LIMIT[wish.cadence], ground=Ground.TAKEN, field="cadence")
        return _begin(row, wish, now)


def leave(*, key: str, by: LeftBy, now: datetime) -> bool:
    """End the subscription with that key; whether it went on until now. Its reader may come back with the same key."""
    ended = Subscription.objects.filter(_goes_on(), key=key).update(left_at=now, left_by=by, next_at=None)
    return bool(ended)


def come_back(*, key: str, now: datetime) -> Subscribed | None:
    """Begin the subscription with that key again, which its reader had left; None where there is none.

    Raises Refused where the address has another subscription of that cadence by now.
    """
    with transaction.atomic():
        _take_turns_at(key)
        row = (
            Subscription.objects.select_related("subscriber")
            .filter(key=key, confirmed_at__isnull=False, left_at__isnull=False)
            .first()
        )
        if row is None:
            return None
        other = _of_cadence(row.subscriber_id, row.cadence)
        if other is not None and other.left_at is None:
            raise Refused(_LIMIT[Cadence(row.cadence)], ground=Ground.TAKEN, field="cadence")
        return _begin(row, wish_of(row), now)


def _take_turns_at(key: str) -> None:
    """Nobody else begins a digest of the same subscriber until the transaction ends."""
    subscriber_id = Subscription.objects.filter(key=key).values_list("subscriber", flat=True).first()
    if subscriber_id is not None:
        take_turns(_DIGESTS, subscriber_id)


def _goes_on() -> Q:
    return Q(confirmed_at__isnull=False, left_at=None)


def _of_cadence(subscriber_id: int, cadence: str) -> Subscription | None:
    """The confirmed subscription of that cadence: the one that goes on, else the one that was left last."""
    rows = Subscription.objects.select_related("subscriber").filter(
        subscriber=subscriber_id, cadence=cadence, confirmed_at__isnull=False
    )
    return rows.filter(left_at=None).first() or rows.order_by("-left_at", "-id").first()


def _begin(row: Subscription, wish: Wish, now: datetime) -> Subscribed:
    """Store the wish of a confirmed subscription, and when its next digest is due."""
    for name, value in _columns(wish).items():
        setattr(row, name, value)
    row.mine = wish.mine
    row.left_at, row.left_by = None, ""
    row.next_at = next_due(wish.cadence, wish.hour, wish.zone, now)
    row.save()
    return subscribed(Subscription.objects.select_related("subscriber").get(id=row.id))


def _columns(wish: Wish) -> dict[str, Any]:
    return {
        "cadence": wish.cadence.value,
        "hour": wish.hour,
        "zone": wish.zone,
        "sections": list(wish.sections),
        "searches": list(wish.searches),
        "notices": wish.notices.value,
    }


def _new_key() -> str:
    return secrets.token_urlsafe(32)
