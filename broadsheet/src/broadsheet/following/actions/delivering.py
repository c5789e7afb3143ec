"""Putting what is due into the outbox, and what operators do there. Handing over is done in `sending`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import QuerySet

from broadsheet.accounts.rules import Ground, Person, Refused, Role
from broadsheet.editions.queries import Edition
from broadsheet.following.models import Delivery, Subscription
from broadsheet.following.queries.newest import awaited as awaited_edition
from broadsheet.following.queries.newest import newest as newest_edition
from broadsheet.following.queries.subscribing import receiving
from broadsheet.following.rules import schedule
from broadsheet.following.rules.delivering import State
from broadsheet.following.rules.subscribing import Cadence
from broadsheet.storage import among, update_rows

__all__ = ["forget_old", "queue_due", "try_again"]

# So long a digest waits for an edition that is not complete; then it goes as it stands, and its audit line says so.
WAITED_FOR = timedelta(hours=4)
LOOKED_AGAIN_AFTER = timedelta(minutes=20)
# Readers see what became of each mail for so long.
KEPT_FOR = timedelta(days=400)
_FORGOTTEN_AT_ONCE = 20_000
SUPERSEDED = "It could not be sent before the next one was due."


@dataclass(frozen=True, slots=True)
class _Due:
    """A subscription whose hour has come."""

    id: int
    address: str
    cadence: Cadence
    hour: int
    zone: str
    next_at: datetime


def queue_due(*, now: datetime, limit: int = 1000) -> int:
    """Make a delivery for each subscription whose hour has come, and say when its next is due; how many were looked at.

    Who was off for days gets one: the newest edition of her cadence (`queries.newest`), unless she had it, when there
    is nothing to say. What still waits for her of an earlier edition is not sent any more. Safe to repeat, and beside
    another worker.
    """
    with transaction.atomic():
        due = [
            _Due(row.id, row.subscriber.address, Cadence(row.cadence), row.hour, row.zone, row.next_at or now)
            for row in _rows(now)[:limit]
        ]
        if due:
            _queue(due, now)
    return len(due)


def _rows(now: datetime) -> QuerySet[Subscription]:
    rows = receiving().filter(next_at__lte=now)
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True, of=("self",))
    return rows.select_related("subscriber").order_by("next_at", "id")


def _queue(due: list[_Due], now: datetime) -> None:
    awaited = awaited_edition(Cadence.DAY, now)
    if awaited is not None:
        patient = [each for each in due if each.cadence is Cadence.DAY and _can_wait(each, now)]
        _ask_again(patient, now)
        due = [each for each in due if each not in patient]
    newest = {cadence: newest_edition(cadence, now) for cadence in {each.cadence for each in due}}
    if awaited is not None and Cadence.DAY in newest:
        newest[Cadence.DAY] = awaited
    had = set(
        Delivery.objects.filter(among("subscription_id", [each.id for each in due]))
        .filter(edition__in=[edition.label for edition in newest.values() if edition])
        .values_list("subscription_id", flat=True)
    )
    rows = [_row(each, newest[each.cadence] if each.id not in had else None, now) for each in due]
    rows = _without_present(rows, now)
    _supersede((row.subscription_id for row in rows if row.edition), now)
    Delivery.objects.bulk_create(rows, ignore_conflicts=True, batch_size=100)
    moved = [(schedule.next_due(each.cadence, each.hour, each.zone, now), each.id) for each in due]
    update_rows(Subscription, ["next_at"], [(_stored(at), number) for at, number in moved])


def _can_wait(each: _Due, now: datetime) -> bool:
    """Whether her digest can come a little later, still on her day, for an edition that is not complete at her hour."""
    at = min(schedule.next_due(each.cadence, each.hour, each.zone, now - timedelta(days=1)), now)
    later = now + LOOKED_AGAIN_AFTER
    return later - at <= WAITED_FOR and schedule.slot(each.zone, later) == schedule.slot(each.zone, each.next_at)


def _ask_again(patient: list[_Due], now: datetime) -> None:
    Subscription.objects.filter(among("id", [each.id for each in patient])).update(next_at=now + LOOKED_AGAIN_AFTER)


def _row(each: _Due, edition: Edition | None, now: datetime) -> Delivery:
    return Delivery(
        subscription_id=each.id,
        slot=schedule.slot(each.zone, each.next_at),
        edition=edition.label if edition else "",
        domain=each.address.rpartition("@")[2].lower(),
        state=State.WAITING,
        made_at=now,
        due_at=now,
    )


def _without_present(rows: list[Delivery], now: datetime) -> list[Delivery]:
    """The rows whose reader has none of that day yet, as after she chose another hour or zone.

    One that still waits takes the newer edition.
    """
    found = Delivery.objects.filter(
        among("subscription_id", [row.subscription_id for row in rows]), slot__in={row.slot for row in rows}
    )
    present = {(row.subscription_id, row.slot): row for row in found}
    for row in rows:
        before = present.get((row.subscription_id, row.slot))
        if before is not None and row.edition and before.state == State.WAITING:
            waiting = Delivery.objects.filter(id=before.id, state=State.WAITING)
            waiting.update(edition=row.edition, due_at=now, attempts=0)
    return [row for row in rows if (row.subscription_id, row.slot) not in present]


def _supersede(subscription_ids: Iterable[int], now: datetime) -> None:
    waiting = Delivery.objects.filter(among("subscription_id", subscription_ids), state=State.WAITING)
    waiting.update(state=State.FAILED, finished_at=now, said=SUPERSEDED)


def _stored(at: datetime) -> object:
    """A moment as the database's own driver takes it."""
    return Subscription._meta.get_field("next_at").get_db_prep_value(at, connection)  # noqa: SLF001  # Django's documented name for a model's description


def forget_old(*, now: datetime) -> int:
    """Delete deliveries that ended more than KEPT_FOR ago; how many. Nobody is sent an edition that old again."""
    old = Delivery.objects.filter(finished_at__lt=now - KEPT_FOR)
    return Delivery.objects.filter(among("id", list(old.values_list("id", flat=True)[:_FORGOTTEN_AT_ONCE]))).delete()[0]


def try_again(*, by: Person, delivery_id: int, now: datetime) -> None:
    """Put a failed delivery into the outbox once more, for an operator.

    Raises Refused for others, for a delivery that did not fail, and where its reader was sent something since.
    """
    if not by.is_a(Role.OPERATOR):
        raise Refused("Only operators have mail sent again. Nothing was changed.", ground=Ground.NOT_ALLOWED)
    with transaction.atomic():
        row = Delivery.objects.filter(id=delivery_id, state=State.FAILED).first()
        if row is None:
            raise Refused("That mail did not fail, so it is not sent again.", ground=Ground.NOT_THERE)
        later = Delivery.objects.filter(subscription=row.subscription_id, id__gt=row.id).exclude(state=State.NOTHING)
        if later.exists():
            raise Refused(
                "Its reader was sent a later one, or will be. Nothing was changed.", ground=Ground.NOT_ALLOWED
            )
        Delivery.objects.filter(id=row.id, state=State.FAILED).update(
            state=State.WAITING, attempts=0, due_at=now, finished_at=None, claimed_by="", claimed_at=None
        )
