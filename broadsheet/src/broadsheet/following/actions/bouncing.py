"""What mail that came back changes: the one place where an address is struck off."""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import transaction

from broadsheet.following.actions.subscribing import refuse_asking
from broadsheet.following.models import Delivery, Subscriber, Subscription
from broadsheet.following.rules import bouncing
from broadsheet.following.rules.bouncing import Effect
from broadsheet.following.rules.delivering import ASKS, State
from broadsheet.mailing.bounces import Kind, Returned

_LOG = logging.getLogger(__name__)

# What a mail can come back from: it went, or may have gone.
_WENT = (State.SENT, State.DOUBTFUL)


def record(*, kind: Kind, said: str, now: datetime, delivery_id: int | None = None, address: str = "") -> Effect:
    """Note that a mail was refused, came back, or was reported as spam, and do what follows from it.

    Say `delivery_id`, or the `address` where only that is known; with both, the delivery counts if it went to that
    address. An address is blocked at once where it does not exist
    or its reader complained, and where mails come back for weeks. A delivery that had gone becomes BOUNCED, and is
    counted once however often its notice comes. What is unknown here changes nothing.

    Of a mail that asks, which any stranger can have sent, a complaint ends nothing that was confirmed: nobody has the
    address asked again. An address that nobody confirmed is not struck off.
    """
    with transaction.atomic():
        delivery = _delivery(delivery_id, address) if delivery_id is not None else None
        subscriber = _subscriber(delivery, address)
        if subscriber is None:
            _LOG.info("Mail came back (%s) that nobody here was sent. Nothing was changed.", kind)
            return Effect.NOTHING
        if kind is Kind.COMPLAINT:
            asked = _asked(subscriber, delivery, delivery_id)
            return _refused(subscriber, now) if asked else _complained(subscriber, delivery, now)
        because = bouncing.HARD if kind is Kind.HARD else bouncing.CAME_BACK
        fresh = delivery is None or _come_back(delivery, bouncing.words(because, said))
        if subscriber.confirmed_at is None or (delivery is not None and delivery.edition == ASKS):
            return Effect.NOTHING
        if kind is Kind.HARD:
            return _block(subscriber, bouncing.words(bouncing.HARD, said), now)
        return _count(subscriber, now) if fresh else Effect.NOTHING


def take_notice(*, returned: Returned, now: datetime) -> Effect:
    """Do what a notice in the mailbox asks for. What it proves is the bound of what it may do.

    With the token of a delivery it counts in full, unless it names another address than ours, as of somebody to whom
    she forwards: that one does not exist, so the mail came back, but hers does. With nothing but the subscription's
    key, which whoever has the text of a mail knows, it may do what its holder may do anyway: end that subscription, and
    only as a complaint.
    """
    if returned.delivery is not None:
        elsewhere = returned.address and not Delivery.objects.filter(
            id=returned.delivery, subscription__subscriber__address__iexact=returned.address
        )
        kind = Kind.SOFT if returned.kind is Kind.HARD and elsewhere else returned.kind
        return record(kind=kind, said=returned.said, now=now, delivery_id=returned.delivery)
    if returned.kind is not Kind.COMPLAINT:
        return Effect.NOTHING
    with transaction.atomic():
        left = _leave(now, key=returned.key)
    return Effect.LEFT if left else Effect.NOTHING


def _delivery(delivery_id: int, address: str) -> Delivery | None:
    rows = Delivery.objects.filter(id=delivery_id)
    return (rows.filter(subscription__subscriber__address__iexact=address) if address else rows).first()


def _subscriber(delivery: Delivery | None, address: str) -> Subscriber | None:
    """The subscriber, locked where the database can, so that two notices at once are both counted."""
    rows = Subscriber.objects.select_for_update()
    if delivery is not None:
        return rows.filter(subscriptions=delivery.subscription_id).first()
    return rows.filter(address__iexact=address).first() if address else None


def _asked(subscriber: Subscriber, delivery: Delivery | None, delivery_id: int | None) -> bool:
    """Whether it was a mail that asks. So it was where its row is gone: those of digests stay until nobody speaks of
    them any more. Where only the address is known it may have been one, if one went there.
    """
    if delivery is not None:
        return delivery.edition == ASKS
    if delivery_id is None:
        theirs = Delivery.objects.filter(subscription__subscriber=subscriber.id, edition=ASKS, state__in=_WENT)
        return subscriber.confirmed_at is None or theirs.exists()
    return subscriber.confirmed_at is None or not Delivery.objects.filter(id=delivery_id).exists()


def _come_back(delivery: Delivery, said: str) -> bool:
    """Say in the log of a mail that it came back; whether this was not known before."""
    gone = Delivery.objects.filter(id=delivery.id, state__in=_WENT)
    if gone.update(state=State.BOUNCED, said=said):
        return True
    return delivery.state != State.BOUNCED


def _count(subscriber: Subscriber, now: datetime) -> Effect:
    """One more mail in a row that came back; blocked where it is enough. The row begins anew after one that arrived."""
    since = subscriber.soft_since
    arrived = since is not None and Delivery.objects.filter(
        subscription__subscriber=subscriber.id,
        state=State.SENT,
        finished_at__gt=since,
        finished_at__lte=now - bouncing.ARRIVED_AFTER,
    ).exclude(edition=ASKS)
    if since is None or (arrived and arrived.exists()):
        subscriber.soft_bounces, since = 0, now
    count = min(subscriber.soft_bounces + 1, 1000)
    Subscriber.objects.filter(id=subscriber.id).update(soft_bounces=count, soft_since=since)
    if bouncing.is_given_up(count, since, now):
        return _block(subscriber, bouncing.SOFT.format(count=count, since=since, now=now), now)
    return Effect.COUNTED


def _block(subscriber: Subscriber, because: str, now: datetime) -> Effect:
    Subscriber.objects.filter(id=subscriber.id, blocked_at=None).update(blocked_at=now, blocked_because=because)
    return Effect.BLOCKED


def _refused(subscriber: Subscriber, now: datetime) -> Effect:
    return Effect.LEFT if refuse_asking(subscriber_id=subscriber.id, now=now) else Effect.NOTHING


def _complained(subscriber: Subscriber, delivery: Delivery | None, now: datetime) -> Effect:
    if delivery is not None:
        Delivery.objects.filter(id=delivery.id, state__in=_WENT).update(said=bouncing.COMPLAINT)
    _leave(now, subscriber=subscriber.id)
    return _block(subscriber, bouncing.COMPLAINT, now)


def _leave(now: datetime, **which: object) -> int:
    return Subscription.objects.filter(left_at=None, **which).update(left_at=now, left_by="complaint", next_at=None)
