"""Questions about subscriptions: what somebody asked for, by the secret of a mail, by a key, or as a person."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import QuerySet

from broadsheet.bibliography.taxonomy import CATEGORIES
from broadsheet.following.models import Subscriber, Subscription
from broadsheet.following.rules.subscribing import Cadence, Notices, Wish, digest_of, secret_of
from broadsheet.papers import queries as papers

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A subscription as its reader sees it. `next_at` is None while no digest is to come.

    `blocked_because` says why no mail goes to the address at all; empty where it may.
    """

    id: int
    key: str
    address: str
    wish: Wish
    has_account: bool
    made_at: datetime
    confirmed_at: datetime | None
    left_at: datetime | None
    next_at: datetime | None
    blocked_because: str

    @property
    def is_on(self) -> bool:
        """Whether digests come of it."""
        return self.confirmed_at is not None and self.left_at is None and not self.blocked_because


def subscribed(row: Subscription) -> Subscribed:
    """The row, whose subscriber is loaded, as the rest of the house sees it."""
    who = row.subscriber
    return Subscribed(
        id=row.id,
        key=row.key,
        address=who.address,
        wish=wish_of(row),
        has_account=who.user_id is not None,
        made_at=row.made_at,
        confirmed_at=row.confirmed_at,
        left_at=row.left_at,
        next_at=row.next_at,
        blocked_because=(who.blocked_because or "Mail to this address came back.") if who.blocked_at else "",
    )


def receiving() -> QuerySet[Subscription]:
    """The subscriptions whose digests may go out: confirmed, not left, and to an address that is not blocked.

    For the other modules of the app.
    """
    return Subscription.objects.filter(
        confirmed_at__isnull=False, left_at=None, subscriber__confirmed_at__isnull=False, subscriber__blocked_at=None
    )


def wish_of(row: Subscription) -> Wish:
    """What the row asks for."""
    return Wish(
        Cadence(row.cadence),
        row.hour,
        row.zone,
        tuple(row.sections),
        tuple(row.searches),
        row.mine,
        Notices(row.notices),
    )


def waiting(secret: str, *, now: datetime) -> Subscribed | None:
    """What the secret of a mail would confirm; None for one that nobody was sent, that was used, or that is too old."""
    row = (
        Subscription.objects.select_related("subscriber")
        .filter(secret_digest=digest_of(secret), secret_until__gt=now, confirmed_at=None)
        .first()
    )
    return subscribed(row) if row else None


@dataclass(frozen=True, slots=True)
class Asking:
    """What the mail says that asks somebody whether she wants digests."""

    address: str
    wish: Wish
    secret: str


def asking(subscription_id: int, *, now: datetime) -> Asking | None:
    """What is to be asked of the subscription; None where nothing is any more: confirmed, too old, or gone.

    So it is where the instance has another secret by now: a link would lead nowhere.
    """
    row = (
        Subscription.objects.select_related("subscriber")
        .filter(id=subscription_id, secret_until__gt=now, confirmed_at=None)
        .first()
    )
    if row is None or row.secret_until is None:
        return None
    secret = secret_of(row.key, row.secret_until, settings.SECRET_KEY)
    if digest_of(secret) != row.secret_digest:
        _log.warning("A mail that asks is not sent, as its link would lead nowhere: the instance's secret changed.")
        return None
    return Asking(row.subscriber.address, wish_of(row), secret)


def by_key(key: str) -> Subscribed | None:
    """The subscription whose mails have that key, left ones too; None where nobody has confirmed any."""
    row = Subscription.objects.select_related("subscriber").filter(key=key, confirmed_at__isnull=False).first()
    return subscribed(row) if row else None


def of_person(person_id: int) -> list[Subscribed]:
    """The subscriptions of an account, the oldest first, without those that nobody has confirmed."""
    rows = Subscription.objects.select_related("subscriber").filter(
        subscriber__user=person_id, confirmed_at__isnull=False
    )
    return [subscribed(row) for row in rows.order_by("id")]


def unclaimed() -> list[str]:
    """The confirmed addresses that belong to no account, the last confirmed first; five at most."""
    rows = Subscriber.objects.filter(user=None, confirmed_at__isnull=False, blocked_at=None).order_by("-confirmed_at")
    return list(rows.values_list("address", flat=True)[:5])


def is_section(slug: str) -> bool:
    """Whether a digest can be about that section: arXiv has it, or papers of it are here."""
    return slug in CATEGORIES or ("\0" not in slug and bool(papers.in_section(slug, limit=1).total))
