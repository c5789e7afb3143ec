"""What mail that came back changes: nobody is struck off but on certainty, and nobody by a stranger."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from broadsheet.following.actions.bouncing import record, take_notice
from broadsheet.following.models import Asked, Delivery, Subscriber, Subscription
from broadsheet.following.rules import bouncing
from broadsheet.following.rules.bouncing import Effect
from broadsheet.following.rules.delivering import ASKS, State
from broadsheet.mailing.bounces import Kind, Returned

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def ada() -> Subscriber:
    return Subscriber.objects.create(address="ada@example.org", made_at=NOW, confirmed_at=NOW)


@pytest.fixture
def daily(ada: Subscriber) -> Subscription:
    return Subscription.objects.create(
        subscriber=ada, key="k" * 43, cadence="day", hour=6, zone="UTC", made_at=NOW, confirmed_at=NOW, next_at=NOW
    )


def sent(subscription: Subscription, day: int, state: State = State.SENT) -> int:
    at = NOW + day * DAY
    slot = date(2026, 11, 2) + day * DAY
    return Delivery.objects.create(
        subscription=subscription,
        slot=slot,
        edition=f"{slot}",
        domain="example.org",
        state=state,
        made_at=at,
        due_at=at,
        finished_at=at,
    ).id


def soft(subscription: Subscription, day: int) -> Effect:
    """The mail of a day comes back an hour later."""
    at = NOW + day * DAY + timedelta(hours=1)
    return record(kind=Kind.SOFT, said="552 5.2.2 full", now=at, delivery_id=sent(subscription, day))


def test_an_address_that_does_not_exist_is_blocked_at_once(daily: Subscription, ada: Subscriber) -> None:
    delivery = sent(daily, 0)
    assert record(kind=Kind.HARD, said="550 5.1.1 unknown", now=NOW, delivery_id=delivery) is Effect.BLOCKED
    ada.refresh_from_db()
    assert ada.blocked_at == NOW
    assert ada.blocked_because == f"{bouncing.HARD} It said: 550 5.1.1 unknown"
    row = Delivery.objects.get(id=delivery)
    assert (row.state, row.said) == (State.BOUNCED, ada.blocked_because)


def test_one_that_was_refused_at_the_door_is_known_by_its_address(daily: Subscription, ada: Subscriber) -> None:
    assert record(kind=Kind.HARD, said="", now=NOW, address="Ada@Example.org") is Effect.BLOCKED


def test_a_complaint_ends_everything_at_once(daily: Subscription, ada: Subscriber) -> None:
    assert record(kind=Kind.COMPLAINT, said="", now=NOW, delivery_id=sent(daily, 0)) is Effect.BLOCKED
    daily.refresh_from_db()
    ada.refresh_from_db()
    assert (daily.left_at, daily.left_by, daily.next_at) == (NOW, "complaint", None)
    assert ada.blocked_because == bouncing.COMPLAINT
    assert Delivery.objects.get().state == State.SENT


def test_mails_that_come_back_for_two_weeks_are_enough(daily: Subscription, ada: Subscriber) -> None:
    assert [soft(daily, day) for day in (0, 3, 6, 9)] == [Effect.COUNTED] * 4
    assert soft(daily, 13) is Effect.COUNTED
    assert soft(daily, 14) is Effect.BLOCKED
    ada.refresh_from_db()
    assert ada.blocked_because == ("Mail to this address came back 6 times in a row, from 2026-11-02 to 2026-11-16.")


def test_a_full_mailbox_of_a_week_is_forgiven(daily: Subscription, ada: Subscriber) -> None:
    assert [soft(daily, day) for day in range(7)] == [Effect.COUNTED] * 7
    sent(daily, 8)
    assert soft(daily, 20) is Effect.COUNTED
    ada.refresh_from_db()
    assert (ada.soft_bounces, ada.blocked_at) == (1, None)


def test_a_mail_of_yesterday_has_not_proved_that_it_arrived(daily: Subscription, ada: Subscriber) -> None:
    assert soft(daily, 0) is Effect.COUNTED
    sent(daily, 1)
    assert soft(daily, 2) is Effect.COUNTED
    ada.refresh_from_db()
    assert ada.soft_bounces == 2


def test_the_same_notice_twice_counts_once(daily: Subscription, ada: Subscriber) -> None:
    delivery = sent(daily, 0)
    effects = [record(kind=Kind.SOFT, said="", now=NOW, delivery_id=delivery) for _ in range(9)]
    assert effects == [Effect.COUNTED] + [Effect.NOTHING] * 8
    ada.refresh_from_db()
    assert ada.soft_bounces == 1


def test_what_is_unknown_changes_nothing(daily: Subscription, ada: Subscriber) -> None:
    before = [list(table.objects.values()) for table in (Subscriber, Subscription, Delivery)]
    assert record(kind=Kind.HARD, said="", now=NOW, delivery_id=987) is Effect.NOTHING
    assert record(kind=Kind.COMPLAINT, said="", now=NOW, address="nobody@example.org") is Effect.NOTHING
    assert [list(table.objects.values()) for table in (Subscriber, Subscription, Delivery)] == before


@pytest.fixture
def asked(ada: Subscriber, daily: Subscription) -> int:
    """The mail that asked Ada, who has her digests already, as a stranger typed her address."""
    wish = Subscription.objects.create(subscriber=ada, key="w" * 43, cadence="week", hour=6, zone="UTC", made_at=NOW)
    number = sent(wish, 0)
    Delivery.objects.filter(id=number).update(edition=ASKS)
    return number


class TestAsking:
    """Of a mail that any stranger can have sent, nothing follows for a reader who confirmed."""

    def complain(self, delivery_id: int | None, address: str) -> None:
        record(kind=Kind.COMPLAINT, said="", now=NOW, delivery_id=delivery_id, address=address)

    @pytest.mark.parametrize("named", ["by its number", "by both", "by the address", "long after"])
    def test_a_complaint_ends_the_asking_and_nothing_else(
        self, ada: Subscriber, daily: Subscription, asked: int, named: str
    ) -> None:
        if named == "long after":
            Delivery.objects.filter(id=asked).delete()
        self.complain(
            None if named == "by the address" else asked, "" if named == "by its number" else "ada@example.org"
        )
        ada.refresh_from_db()
        daily.refresh_from_db()
        assert (ada.blocked_at, daily.left_at, daily.next_at) == (None, None, NOW)
        assert list(Subscription.objects.all()) == [daily]
        assert Asked.objects.get().refused_at == NOW

    def test_the_next_complaint_is_about_her_digests(self, daily: Subscription, asked: int) -> None:
        self.complain(None, "ada@example.org")
        self.complain(None, "ada@example.org")
        daily.refresh_from_db()
        assert daily.left_at == NOW

    def test_who_never_confirmed_and_complains_is_not_blocked(self, ada: Subscriber, asked: int) -> None:
        Subscriber.objects.update(confirmed_at=None)
        self.complain(None, "ada@example.org")
        ada.refresh_from_db()
        assert ada.blocked_at is None
        assert Asked.objects.get().refused_at == NOW

    @pytest.mark.parametrize("kind", [Kind.HARD, Kind.SOFT])
    @pytest.mark.parametrize("number", [987, None], ids=["of a mail that was replaced", "of an address only"])
    def test_nobody_is_struck_off_who_never_confirmed(self, ada: Subscriber, kind: Kind, number: int | None) -> None:
        Subscriber.objects.update(confirmed_at=None)
        effect = record(kind=kind, said="", now=NOW, delivery_id=number, address="ada@example.org")
        ada.refresh_from_db()
        assert (effect, ada.blocked_at, ada.soft_bounces) == (Effect.NOTHING, None, 0)

    def test_that_she_was_asked_does_not_prove_that_digests_arrive(
        self, daily: Subscription, ada: Subscriber, asked: int
    ) -> None:
        assert soft(daily, -1) is Effect.COUNTED
        assert soft(daily, 8) is Effect.COUNTED
        ada.refresh_from_db()
        assert ada.soft_bounces == 2


def notice(kind: Kind, *, delivery: int | None = None, key: str = "", address: str = "ada@example.org") -> Returned:
    return Returned(kind, "550 5.1.1 unknown", delivery, key, address)


def test_a_notice_with_the_token_of_its_delivery_counts_in_full(daily: Subscription) -> None:
    returned = notice(Kind.HARD, delivery=sent(daily, 0), address="ADA@example.org")
    assert take_notice(returned=returned, now=NOW) is Effect.BLOCKED


def test_an_address_behind_hers_that_does_not_exist_is_only_counted(daily: Subscription, ada: Subscriber) -> None:
    returned = notice(Kind.HARD, delivery=sent(daily, 0), address="ada@elsewhere.example.org")
    assert take_notice(returned=returned, now=NOW) is Effect.COUNTED
    ada.refresh_from_db()
    assert ada.blocked_at is None


@pytest.mark.parametrize(
    ("kind", "effect"),
    [
        pytest.param(Kind.HARD, Effect.NOTHING, id="nobody is struck off by a key"),
        pytest.param(Kind.SOFT, Effect.NOTHING, id="nor counted"),
        pytest.param(Kind.COMPLAINT, Effect.LEFT, id="whoever has the key may leave"),
    ],
)
def test_what_only_the_key_proves(daily: Subscription, ada: Subscriber, kind: Kind, effect: Effect) -> None:
    other = Subscription.objects.create(
        subscriber=ada, key="o" * 43, cadence="week", hour=6, zone="UTC", made_at=NOW, confirmed_at=NOW
    )
    assert take_notice(returned=notice(kind, key=daily.key), now=NOW) is effect
    ada.refresh_from_db()
    other.refresh_from_db()
    daily.refresh_from_db()
    assert ada.blocked_at is None
    assert other.left_at is None
    assert (daily.left_at is not None) == (effect is Effect.LEFT)


def test_a_key_of_nobody_ends_nothing(daily: Subscription) -> None:
    assert take_notice(returned=notice(Kind.COMPLAINT, key="x" * 43), now=NOW) is Effect.NOTHING
