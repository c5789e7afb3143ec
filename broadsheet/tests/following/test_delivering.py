"""What goes into the outbox, what becomes of it, and that nobody gets the same mail twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.utils import OperationalError
from django.utils import timezone

from broadsheet.accounts.rules import Person, Refused, Role
from broadsheet.editions import queries as editions
from broadsheet.editions.models import Edition
from broadsheet.following.actions import delivering, sending
from broadsheet.following.models import Delivery, Post, Subscriber, Subscription
from broadsheet.following.queries import deliveries
from broadsheet.following.queries.digests import Nothing
from broadsheet.following.rules.delivering import ASKS, DELAYS, State
from broadsheet.ingest.rules import State as Audited
from broadsheet.mailing.message import Outgoing
from broadsheet.mailing.outcomes import (
    Accepted,
    BeforeEnd,
    Letter,
    Lost,
    NotTaken,
    Outcome,
    Stage,
    Unavailable,
    Unconfirmed,
    Unsendable,
    Withheld,
)

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)  # a Wednesday
OPERATOR = Person(1, "ada", "Ada Example", frozenset({Role.OPERATOR}), NOW)
READER = Person(2, "bela", "Bela Beispiel", frozenset({Role.READER}), NOW)

Script = Callable[[str, BeforeEnd], Outcome]


def subscription(number: int = 1, *, domain: str = "example.org", **values: Any) -> Subscription:
    """A confirmed subscription to each day's edition, due now."""
    who = Subscriber.objects.create(
        address=f"reader{number}@{domain}", made_at=NOW, confirmed_at=values.pop("subscriber_confirmed_at", NOW)
    )
    told = {"cadence": "day", "hour": 9, "zone": "UTC", "made_at": NOW, "confirmed_at": NOW, "next_at": NOW}
    return Subscription.objects.create(subscriber=who, key=f"key{number}", **(told | values))


def edition(day: date, *, kind: str = "day", label: str = "", closes_at: datetime | None = None) -> Edition:
    """A printed edition of five papers that is closed since the end of its day."""
    closed = closes_at or datetime.combine(day + timedelta(days=1), datetime.min.time(), UTC)
    zero = dict.fromkeys(("submitted", "by_month", "shipped", "late"), 0)
    return Edition.objects.create(
        kind=kind, label=label or day.isoformat(), number=1, start=day, end=day, published_at=closed, closes_at=closed,
        size=5, announced=5, pending=False, **zero,
    )  # fmt: skip


def waiting(number: int = 1, *, domain: str = "example.org", **values: Any) -> Delivery:
    """A delivery that waits to be sent."""
    told = {"slot": NOW.date(), "edition": "2026-11-17", "domain": domain, "state": State.WAITING}
    at = timezone.now() - timedelta(seconds=1)
    return Delivery.objects.create(
        subscription=subscription(number, domain=domain), **(told | {"made_at": at, "due_at": at} | values)
    )


def mail(subscription_id: int, label: str) -> Outgoing:
    """A mail as one is made."""
    address = Subscription.objects.values_list("subscriber__address", flat=True).get(id=subscription_id)
    return Outgoing("Broadsheet <b@papers.example>", address, f"Papers of {label}", "x", "<p>x", (), "<1@x>", papers=3)


class Taker:
    """Who takes mail: writes down what it got, and answers as the script says."""

    def __init__(self, script: Script | None = None, *, down: str = "") -> None:
        self.script = script or (lambda _to, before_end: Accepted("Ok") if before_end() else Lost("never"))
        self.down = down
        self.tried: list[str] = []
        self.usable = True

    def open(self) -> Taker:
        """Itself, unless it is down. Raises Unavailable."""
        if self.down:
            raise Unavailable(self.down)
        return self

    def hand_over(self, letter: Letter, before_end: BeforeEnd) -> Outcome:
        """Note whom a mail is for, and answer."""
        self.tried.append(letter.mail.to)
        return self.script(letter.mail.to, before_end)

    def finish(self) -> None:
        """Nothing is open."""


@pytest.fixture
def sender() -> Iterator[Callable[..., sending.Sender]]:
    """Make senders, which end with the test."""
    made: list[sending.Sender] = []

    def make(taker: Taker, compose: sending.Compose = mail, **values: Any) -> sending.Sender:
        told: dict[str, Any] = {"place": "here", "connections": 1}
        made.append(sending.Sender(carrier=taker, compose=compose, comes_back_to=str, **(told | values)))
        return made[-1]

    yield make
    for one in made:
        one.close()


def state_of(delivery: Delivery) -> tuple[str, str]:
    """Where a delivery stands, and the sentence about it."""
    delivery.refresh_from_db()
    return delivery.state, delivery.said


class TestQueueing:
    def test_whose_hour_has_come_gets_the_newest_closed_edition_and_her_next_hour(self) -> None:
        edition(date(2026, 11, 16))
        edition(date(2026, 11, 17))
        edition(date(2026, 11, 18), closes_at=timezone.now() + timedelta(hours=20))
        row = subscription()
        assert delivering.queue_due(now=NOW) == 1
        made = Delivery.objects.get()
        assert (made.slot, made.edition, made.domain, made.state) == (
            date(2026, 11, 18), "2026-11-17", "example.org", State.WAITING,
        )  # fmt: skip
        row.refresh_from_db()
        assert row.next_at == NOW + timedelta(days=1)
        assert delivering.queue_due(now=NOW) == 0

    @pytest.mark.parametrize(
        ("state", "label"),
        [
            pytest.param(Audited.COMPLETE, "2026-11-18", id="complete"),
            pytest.param(Audited.UNVERIFIED, "2026-11-17", id="not known"),
        ],
    )
    def test_an_open_edition_of_a_day_is_sent_once_its_list_is_complete(
        self, state: Audited, label: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The list of a day is announced on the evening before, and is wanted in the morning."""
        edition(date(2026, 11, 17))
        edition(date(2026, 11, 18), closes_at=timezone.now() + timedelta(hours=20))
        edition(date(2026, 11, 16), kind="week", label="2026-W47", closes_at=timezone.now() + timedelta(hours=20))
        monkeypatch.setattr(
            editions, "verdicts", lambda asked: {each.id: editions.Verdict(state, "") for each in asked}
        )
        subscription()
        delivering.queue_due(now=NOW)
        assert Delivery.objects.get().edition == label

    @pytest.mark.parametrize("state", [Audited.INCOMPLETE, Audited.DOWN])
    def test_what_is_not_complete_at_her_hour_is_waited_for_and_then_sent_as_it_stands(
        self, state: Audited, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        edition(date(2026, 11, 17))
        edition(date(2026, 11, 18), closes_at=timezone.now() + timedelta(hours=20))
        said = {"state": state}
        monkeypatch.setattr(
            editions, "verdicts", lambda asked: {each.id: editions.Verdict(said["state"], "") for each in asked}
        )
        row = subscription()
        for minutes in range(0, 230, 20):
            delivering.queue_due(now=NOW + timedelta(minutes=minutes))
            assert not Delivery.objects.exists()
        delivering.queue_due(now=NOW + timedelta(hours=4))
        assert Delivery.objects.get().edition == "2026-11-18"
        row.refresh_from_db()
        assert row.next_at == NOW + timedelta(days=1)

    def test_what_is_completed_meanwhile_is_sent_then(self, monkeypatch: pytest.MonkeyPatch) -> None:
        edition(date(2026, 11, 18), closes_at=timezone.now() + timedelta(hours=20))
        said = {"state": Audited.INCOMPLETE}
        monkeypatch.setattr(
            editions, "verdicts", lambda asked: {each.id: editions.Verdict(said["state"], "") for each in asked}
        )
        subscription()
        delivering.queue_due(now=NOW)
        said["state"] = Audited.COMPLETE
        delivering.queue_due(now=NOW + timedelta(minutes=20))
        assert Delivery.objects.get().edition == "2026-11-18"

    def test_another_hour_of_the_same_day_loses_nothing(self) -> None:
        edition(date(2026, 11, 17))
        row = subscription()
        delivering.queue_due(now=NOW)
        assert Delivery.objects.get().state == State.WAITING
        edition(date(2026, 11, 18), closes_at=NOW)
        Subscription.objects.filter(id=row.id).update(hour=12, next_at=NOW + timedelta(hours=3))
        delivering.queue_due(now=NOW + timedelta(hours=3))
        assert [(each.edition, each.state) for each in Delivery.objects.all()] == [("2026-11-18", State.WAITING)]

    @pytest.mark.parametrize(
        "values",
        [
            pytest.param({"confirmed_at": None}, id="not confirmed"),
            pytest.param({"subscriber_confirmed_at": None}, id="the address not confirmed"),
            pytest.param({"left_at": NOW}, id="left"),
            pytest.param({"next_at": NOW + timedelta(minutes=1)}, id="not yet due"),
            pytest.param({"next_at": None}, id="never due"),
        ],
    )
    def test_nobody_else_gets_any(self, values: dict[str, Any]) -> None:
        edition(date(2026, 11, 17))
        subscription(**values)
        assert delivering.queue_due(now=NOW) == 0
        assert not Delivery.objects.exists()

    def test_nothing_goes_to_a_blocked_address(self) -> None:
        subscription()
        Subscriber.objects.update(blocked_at=NOW)
        assert delivering.queue_due(now=NOW) == 0

    def test_who_was_off_for_three_days_sends_one_digest(self) -> None:
        for day in (15, 16, 17):
            edition(date(2026, 11, day))
        row = subscription(next_at=NOW - timedelta(days=3))
        while delivering.queue_due(now=NOW):
            pass
        assert Delivery.objects.get().edition == "2026-11-17"
        row.refresh_from_db()
        assert row.next_at == NOW + timedelta(days=1)

    def test_an_edition_is_sent_once(self) -> None:
        edition(date(2026, 11, 17))
        subscription()
        delivering.queue_due(now=NOW)
        delivering.queue_due(now=NOW + timedelta(days=1))
        assert list(Delivery.objects.order_by("slot").values_list("edition", flat=True)) == ["2026-11-17", ""]

    def test_a_reader_who_moves_her_hour_gets_one_mail_a_day(self) -> None:
        edition(date(2026, 11, 16))
        row = subscription()
        delivering.queue_due(now=NOW)
        edition(date(2026, 11, 17))
        Subscription.objects.filter(id=row.id).update(hour=15, next_at=NOW + timedelta(hours=6))
        delivering.queue_due(now=NOW + timedelta(hours=6))
        assert Delivery.objects.count() == 1

    def test_old_editions_are_no_news(self) -> None:
        edition(date(2026, 11, 1))
        subscription()
        delivering.queue_due(now=NOW)
        assert Delivery.objects.get().edition == ""

    def test_each_cadence_has_its_editions(self) -> None:
        edition(date(2026, 11, 17))
        edition(date(2026, 11, 15), kind="week", label="2026-W46")
        subscription(1)
        subscription(2, cadence="week")
        delivering.queue_due(now=NOW)
        assert set(Delivery.objects.values_list("edition", flat=True)) == {"2026-11-17", "2026-W46"}

    def test_what_still_waits_of_an_earlier_edition_is_given_up_for_the_new_one(self) -> None:
        edition(date(2026, 11, 16))
        subscription()
        delivering.queue_due(now=NOW)
        edition(date(2026, 11, 17))
        delivering.queue_due(now=NOW + timedelta(days=1))
        assert list(Delivery.objects.order_by("slot").values_list("state", "said")) == [
            (State.FAILED, delivering.SUPERSEDED),
            (State.WAITING, ""),
        ]

    def test_what_waits_goes_on_waiting_when_nothing_new_was_printed(self) -> None:
        edition(date(2026, 11, 17))
        subscription()
        delivering.queue_due(now=NOW)
        delivering.queue_due(now=NOW + timedelta(days=1))
        assert set(Delivery.objects.values_list("state", flat=True)) == {State.WAITING}

    def test_many_take_few_questions(self, django_assert_max_num_queries: Any) -> None:
        edition(date(2026, 11, 17))
        for number in range(50):
            subscription(number)
        with django_assert_max_num_queries(12):
            assert delivering.queue_due(now=NOW) == 50


class TestSending:
    def test_a_mail_that_is_taken_is_sent(self, sender: Any) -> None:
        delivery, taker = waiting(), Taker()
        assert sender(taker).work(seconds=5).sent == 1
        assert taker.tried == ["reader1@example.org"]
        delivery.refresh_from_db()
        assert (delivery.state, delivery.said, delivery.papers) == (State.SENT, "Ok", 3)
        assert delivery.finished_at is not None

    def test_before_the_end_it_is_marked_as_being_handed_over(self, sender: Any) -> None:
        seen = []

        def compose(number: int, label: str) -> Outgoing:
            return mail(number, label)

        def script(_to: str, before_end: BeforeEnd) -> Outcome:
            assert before_end()
            return Accepted("Ok")

        waiting()
        one = sender(Taker(script), compose)
        write = one._write

        def spy(results: Any) -> None:
            seen.append(set(Delivery.objects.values_list("state", flat=True)))
            write(results)

        one._write = spy
        one.work(seconds=5)
        assert {State.HANDING} in seen

    @pytest.mark.parametrize(
        ("outcome", "state", "words"),
        [
            pytest.param(
                NotTaken(Stage.RECIPIENT, 550, "5.1.1", "No such user"), State.BOUNCED, "no such address", id="unknown"
            ),
            pytest.param(
                NotTaken(Stage.RECIPIENT, 550, "5.7.1", "Blocked"), State.FAILED, "550 5.7.1 Blocked", id="policy"
            ),
            pytest.param(NotTaken(Stage.RECIPIENT, 552, "5.2.2", "Full"), State.FAILED, "mailbox is full", id="full"),
            pytest.param(NotTaken(Stage.CONTENT, 554, "", "No"), State.FAILED, "refused it: 554 No", id="content"),
            pytest.param(Unconfirmed("gone"), State.DOUBTFUL, "not known", id="no reply"),
            pytest.param(Unsendable("Its address cannot be written."), State.FAILED, "cannot be written", id="unfit"),
        ],
    )
    def test_what_ends_it(self, sender: Any, outcome: Outcome, state: State, words: str) -> None:
        delivery = waiting()
        sender(Taker(lambda _to, before_end: outcome if before_end() else Lost("never"))).work(seconds=5)
        assert state_of(delivery)[0] == state
        assert words in state_of(delivery)[1]
        assert delivery.finished_at is not None

    def test_no_such_address_blocks_it(self, sender: Any) -> None:
        waiting()
        sender(Taker(lambda *_: NotTaken(Stage.RECIPIENT, 550, "5.1.1", "No such user"))).work(seconds=5)
        assert Subscriber.objects.get().blocked_at is not None

    @pytest.mark.parametrize(
        "outcome",
        [
            pytest.param(NotTaken(Stage.RECIPIENT, 451, "4.7.1", "Greylisted"), id="greylisted"),
            pytest.param(NotTaken(Stage.SENDER, 550, "5.7.1", "Not you"), id="the sender refused"),
            pytest.param(NotTaken(Stage.CONTENT, 452, "", "Later"), id="the content put off"),
            pytest.param(Lost("The connection broke."), id="lost before the end"),
        ],
    )
    def test_what_is_tried_again_later(self, sender: Any, outcome: Outcome) -> None:
        delivery = waiting()
        before = timezone.now()
        assert sender(Taker(lambda *_: outcome)).work(seconds=5).put_off == 1
        assert state_of(delivery)[0] == State.WAITING
        assert (delivery.attempts, delivery.claimed_by, delivery.finished_at) == (1, "", None)
        assert delivery.due_at >= before + DELAYS[0]

    def test_the_last_attempt_is_the_end(self, sender: Any) -> None:
        delivery = waiting(attempts=len(DELAYS))
        sender(Taker(lambda *_: NotTaken(Stage.RECIPIENT, 451, "", "Later"))).work(seconds=5)
        assert state_of(delivery) == (State.FAILED, "The mail server put it off: 451 Later. It was tried 7 times.")
        assert Subscriber.objects.get().soft_bounces == 1

    def test_nothing_to_say_is_nothing_sent(self, sender: Any) -> None:
        delivery, taker = waiting(), Taker()
        sender(taker, lambda *_: Nothing("Nothing was printed.")).work(seconds=5)
        assert state_of(delivery) == (State.NOTHING, "Nothing was printed.")
        assert taker.tried == []

    def test_a_database_that_does_not_answer_fails_no_mail(self, sender: Any) -> None:
        deliveries_ = [waiting(1), waiting(2)]
        is_down = [True]

        def compose(number: int, label: str) -> Outgoing:
            if is_down[0]:
                raise OperationalError("the server closed the connection")
            return mail(number, label)

        sending_ = sender(Taker(), compose)
        with pytest.raises(OperationalError):
            sending_.work(seconds=5)
        is_down[0] = False
        sending_.work(seconds=5)
        assert [state_of(each)[0] for each in deliveries_] == [State.SENT, State.SENT]

    def test_one_that_cannot_be_made_keeps_no_other_waiting(
        self, sender: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        bad, good = waiting(1), waiting(2)

        def compose(number: int, label: str) -> Outgoing:
            if number == bad.subscription_id:
                raise RuntimeError("a broken paper")
            return mail(number, label)

        sender(Taker(), compose).work(seconds=5)
        assert state_of(bad) == (State.FAILED, sending.MADE_WRONG)
        assert state_of(good)[0] == State.SENT
        assert "a broken paper" in caplog.text

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param(lambda: Subscription.objects.update(left_at=NOW), id="left"),
            pytest.param(lambda: Subscriber.objects.update(blocked_at=NOW), id="blocked"),
        ],
    )
    def test_who_left_after_it_was_due_gets_none(self, sender: Any, change: Callable[[], object]) -> None:
        delivery, taker = waiting(), Taker()
        change()
        sender(taker).work(seconds=5)
        assert (state_of(delivery)[0], taker.tried) == (State.NOTHING, [])

    def test_a_server_that_is_down_is_nobodys_fault(self, sender: Any, caplog: pytest.LogCaptureFixture) -> None:
        rows = [waiting(number) for number in range(5)]
        taker = Taker(down="The mail server does not answer.")
        one = sender(taker)
        one.work(seconds=5)
        one.work(seconds=5)
        assert {state_of(row)[0] for row in rows} == {State.WAITING}
        assert {row.attempts for row in rows} == {0}
        assert Delivery.objects.exclude(claimed_by="").count() == 0
        assert Post.objects.get().said == "The mail server does not answer."
        assert caplog.text.count("No mail goes out") == 1
        assert deliveries.standing(timezone.now()).troubles

    def test_a_server_that_is_back_is_asked_again(self, sender: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sending, "_PAUSES", (0.0,))
        delivery, taker = waiting(), Taker(down="Down.")
        one = sender(taker)
        one.work(seconds=5)
        taker.down = ""
        one.work(seconds=5)
        assert state_of(delivery)[0] == State.SENT
        assert Post.objects.get().down_since is None

    def test_a_database_that_fails_lets_no_mail_be_completed_and_none_is_lost(
        self, sender: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        delivery = waiting()
        completed: list[bool] = []

        def script(_to: str, before_end: BeforeEnd) -> Outcome:
            completed.append(before_end())
            return Accepted("Ok") if completed[-1] else Withheld()

        def locked(_ids: list[int]) -> set[int]:
            raise OperationalError("database is locked")

        one = sender(Taker(script))
        with monkeypatch.context() as patch:
            patch.setattr(one, "_allow", locked)
            with pytest.raises(OperationalError):
                one.work(seconds=5)
        while one.work(seconds=5).anything:
            pass
        assert (completed, state_of(delivery)[0]) == ([False, True], State.SENT)

    def test_when_asked_to_stop_nothing_stays_claimed(self, sender: Any) -> None:
        for number in range(5):
            waiting(number)
        stops = iter([False, False])
        sender(Taker()).work(seconds=5, stop=lambda: next(stops, True))
        states = list(Delivery.objects.values_list("state", flat=True))
        assert State.SENT in states
        assert set(states) == {State.SENT, State.WAITING}

    def test_no_domain_keeps_another_waiting(self, sender: Any) -> None:
        for number in range(6):
            waiting(number, domain="large.example")
        waiting(7, domain="small.example")
        taker = Taker()
        sender(taker).work(seconds=5)
        assert "reader7@small.example" in taker.tried[:2]

    def test_a_domain_gets_no_more_in_a_minute_than_the_setting_says(self, sender: Any) -> None:
        for number in range(12):
            waiting(number, domain="large.example")
        waiting(20, domain="small.example")
        taker = Taker()
        one = sender(taker, a_minute=6)
        one.work(seconds=5)
        assert len(taker.tried) == 6
        assert Delivery.objects.filter(state=State.WAITING, attempts=0, claimed_by="").count() == 7


class TestAsking:
    """The mail that asks somebody whether she wants digests goes the same way."""

    def test_it_goes_before_all_digests(self, sender: Any) -> None:
        for number in range(5):
            waiting(number)
        waiting(9, edition=ASKS)
        taker = Taker()
        sender(taker).work(seconds=5)
        assert taker.tried[0] == "reader9@example.org"

    def test_a_blocked_address_is_asked_where_its_reader_wants_that(self, sender: Any) -> None:
        hers, a_strangers = waiting(1, edition=ASKS), waiting(2, edition=ASKS)
        Subscriber.objects.update(blocked_at=NOW)
        for row, form in ((hers, "again"), (a_strangers, "page")):
            Subscription.objects.filter(id=row.subscription_id).update(consent={"form": form})
        sender(Taker()).work(seconds=5)
        assert (state_of(hers)[0], state_of(a_strangers)[0]) == (State.SENT, State.NOTHING)

    def test_they_are_a_share_of_what_is_taken_at_once(self, sender: Any) -> None:
        for number in range(60):
            waiting(number, edition=ASKS, domain=f"host{number}.example")
        waiting(99)
        one = sender(Taker(), asks_an_hour=0)
        claimed = one._claim()
        assert [each.edition == ASKS for each in claimed] == [True] * 20 + [False]
        assert len(one._claim()) == 20

    def test_they_are_a_share_of_what_goes_to_a_domain_in_a_minute(
        self, sender: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = [1000.0]
        monkeypatch.setattr(time, "monotonic", lambda: now[0])
        for number in range(40):
            waiting(number, edition=ASKS, domain="large.example")
            waiting(100 + number, domain="large.example")
        one = sender(Taker(), a_minute=60)
        claimed = one._claim()
        while now[0] < 1030:
            now[0] += 1
            claimed += one._claim()
        asks = [each for each in claimed if each.edition == ASKS]
        assert (len(asks), len(claimed)) == (8, 35)

    def test_no_more_go_out_in_an_hour_altogether_than_is_right(
        self, sender: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = [1000.0]
        monkeypatch.setattr(time, "monotonic", lambda: now[0])
        for number in range(40):
            waiting(number, edition=ASKS, domain=f"host{number}.example")
        one = sender(Taker(), asks_an_hour=60)
        assert [len(one._claim()), len(one._claim())] == [5, 0]
        now[0] += 600
        assert [len(one._claim()), len(one._claim())] == [5, 0]

    def test_an_address_that_does_not_exist_is_not_struck_off(self, sender: Any) -> None:
        delivery = waiting(edition=ASKS)
        gone = NotTaken(Stage.RECIPIENT, 550, "5.1.1", "No such user")
        sender(Taker(lambda _to, _before_end: gone)).work(seconds=5)
        assert state_of(delivery)[0] == State.BOUNCED
        assert Subscriber.objects.get().blocked_at is None

    def test_one_that_was_asked_for_anew_while_it_was_on_its_way_is_not_completed(self, sender: Any) -> None:
        waiting(edition=ASKS)
        allowed = []

        def script(_to: str, before_end: BeforeEnd) -> Outcome:
            allowed.append(before_end())
            return Lost("withheld")

        def compose(number: int, label: str) -> Outgoing:
            made = mail(number, label)
            Delivery.objects.all().delete()
            return made

        sender(Taker(script), compose).work(seconds=5)
        assert allowed == [False]

    def test_it_is_no_digest_where_days_of_mail_are_counted(self) -> None:
        waiting(edition=ASKS)
        assert deliveries.days() == []


class TestDying:
    """What another sender does with the rows of one that died."""

    def test_what_was_claimed_is_sent_by_the_next(self, sender: Any) -> None:
        delivery = waiting(state=State.CLAIMED, claimed_by="here.dead", claimed_at=timezone.now())
        taker = Taker()
        sender(taker).work(seconds=5)
        assert (state_of(delivery)[0], len(taker.tried)) == (State.SENT, 1)

    def test_what_was_being_handed_over_is_doubtful_and_never_sent_again(self, sender: Any) -> None:
        delivery = waiting(state=State.HANDING, claimed_by="here.dead", claimed_at=timezone.now())
        taker = Taker()
        sender(taker).work(seconds=5)
        assert (state_of(delivery), taker.tried) == ((State.DOUBTFUL, sending.NOT_KNOWN), [])

    def test_a_sender_elsewhere_keeps_its_claims_for_a_while(self) -> None:
        delivery = waiting(state=State.CLAIMED, claimed_by="elsewhere.1", claimed_at=timezone.now())
        sending.recover(place="here", name="here.1", now=timezone.now())
        assert state_of(delivery)[0] == State.CLAIMED
        sending.recover(place="here", name="here.1", now=timezone.now() + timedelta(hours=1))
        assert state_of(delivery)[0] == State.WAITING

    def test_a_claim_that_was_taken_away_is_not_completed(self, sender: Any) -> None:
        delivery = waiting()
        allowed = []

        def compose(number: int, label: str) -> Outgoing:
            Delivery.objects.update(claimed_by="elsewhere.1")
            return mail(number, label)

        def script(_to: str, before_end: BeforeEnd) -> Outcome:
            allowed.append(before_end())
            return Lost("withheld")

        sender(Taker(script), compose).work(seconds=5)
        assert allowed == [False]
        assert (state_of(delivery)[0], delivery.claimed_by) == (State.CLAIMED, "elsewhere.1")

    def test_two_senders_never_claim_the_same(self, sender: Any) -> None:
        rows = [waiting(number) for number in range(20)]
        one, other = sender(Taker(), place="one"), sender(Taker(), place="other")
        first, second = {each.id for each in one._claim()}, {each.id for each in other._claim()}
        assert first == {row.id for row in rows}
        assert second == set()

    def test_of_two_that_saw_the_same_rows_one_gets_them(self, sender: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        row = waiting()
        one, other = sender(Taker(), place="one"), sender(Taker(), place="other")
        monkeypatch.setattr(other, "_within_pace", lambda _rows: [row.id])
        assert len(one._claim()) == 1
        assert other._claim() == []

    def test_a_reply_that_comes_after_all_settles_the_doubt(self, sender: Any) -> None:
        delivery = waiting()

        def script(_to: str, before_end: BeforeEnd) -> Outcome:
            assert before_end()
            return Accepted("Ok")

        one = sender(Taker(script))
        write = one._write

        def late(results: Any) -> None:
            if results:
                sending.recover(place="other", name="other.1", now=timezone.now() + timedelta(hours=1))
                assert state_of(delivery)[0] == State.DOUBTFUL
            write(results)

        one._write = late
        one.work(seconds=5)
        assert state_of(delivery) == (State.SENT, "Ok")


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_senders_that_claim_at_the_same_time_share_the_rows(sender: Any) -> None:
    """Each in a thread with a connection of its own, as on two machines."""
    for number in range(100):
        waiting(number)
    taken: list[list[int]] = []

    def claim(place: str) -> None:
        one = sender(Taker(), place=place)
        try:
            while found := one._claim():
                taken.append([each.id for each in found])
        finally:
            connection.close()

    threads = [threading.Thread(target=claim, args=(f"place{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    ids = [number for part in taken for number in part]
    assert len(ids) == len(set(ids)) == 100


class TestTryingAgain:
    def test_an_operator_has_a_failed_mail_sent_again(self, sender: Any) -> None:
        delivery = waiting(state=State.FAILED, finished_at=NOW, attempts=7)
        delivering.try_again(by=OPERATOR, delivery_id=delivery.id, now=timezone.now())
        sender(Taker()).work(seconds=5)
        assert state_of(delivery)[0] == State.SENT

    @pytest.mark.parametrize("state", [each for each in State if each is not State.FAILED])
    def test_nothing_else_is_sent_again(self, state: State) -> None:
        delivery = waiting(state=state)
        with pytest.raises(Refused, match="did not fail"):
            delivering.try_again(by=OPERATOR, delivery_id=delivery.id, now=NOW)

    def test_nobody_else_may(self) -> None:
        delivery = waiting(state=State.FAILED, finished_at=NOW)
        with pytest.raises(Refused, match="Only operators"):
            delivering.try_again(by=READER, delivery_id=delivery.id, now=NOW)

    def test_not_after_a_later_one(self) -> None:
        delivery = waiting(state=State.FAILED, finished_at=NOW)
        Delivery.objects.create(
            subscription=delivery.subscription, slot=date(2026, 11, 19), edition="2026-11-18", domain="example.org",
            state=State.SENT, made_at=NOW, due_at=NOW,
        )  # fmt: skip
        with pytest.raises(Refused, match="later one"):
            delivering.try_again(by=OPERATOR, delivery_id=delivery.id, now=NOW)


class TestTelling:
    @pytest.mark.parametrize(
        ("state", "said", "words"),
        [
            pytest.param(State.SENT, "250 Ok", "Sent, with 1 paper.", id="sent"),
            pytest.param(State.NOTHING, "No edition was printed.", "No edition was printed.", id="nothing"),
            pytest.param(State.FAILED, "The mailbox is full.", "Not sent. The mailbox is full.", id="failed"),
            pytest.param(State.DOUBTFUL, sending.NOT_KNOWN, sending.NOT_KNOWN, id="doubtful"),
            pytest.param(State.WAITING, "", "Waits to be sent.", id="waiting"),
        ],
    )
    def test_a_readers_log(self, state: State, said: str, words: str) -> None:
        delivery = waiting(state=state, said=said, papers=1)
        (logged,) = deliveries.log(delivery.subscription_id, limit=5)
        assert (logged.slot, logged.words) == (NOW.date(), words)

    def test_a_day_is_counted_by_cadence(self) -> None:
        for number, state in enumerate((State.SENT, State.SENT, State.FAILED, State.HANDING)):
            waiting(number, state=state)
        (day,) = deliveries.days()
        assert (day.due, day.sent, day.failed, day.waiting, day.nothing) == (4, 2, 1, 1, 0)

    def test_all_is_well_where_nobody_subscribed(self) -> None:
        assert deliveries.standing(NOW).troubles == ()

    def test_what_became_of_a_mail_is_kept_for_a_year_and_a_little(self) -> None:
        old = waiting(1, state=State.SENT, finished_at=NOW - timedelta(days=401))
        young = waiting(2, state=State.SENT, finished_at=NOW - timedelta(days=399))
        assert delivering.forget_old(now=NOW) == 1
        assert list(Delivery.objects.values_list("id", flat=True)) == [young.id] != [old.id]

    def test_mail_that_waits_while_none_goes_is_told(self) -> None:
        waiting(made_at=NOW - timedelta(hours=2))
        assert "Does the worker run?" in deliveries.standing(NOW).troubles[0]

    @pytest.mark.parametrize(
        "values",
        [
            pytest.param({"edition": ASKS}, id="asks, as any stranger may have it sent"),
            pytest.param({"attempts": 1}, id="was put off by its server"),
        ],
    )
    def test_what_one_server_keeps_waiting_makes_no_mail_late(self, values: dict[str, Any]) -> None:
        waiting(made_at=NOW - timedelta(hours=2), **values)
        assert deliveries.standing(NOW).troubles == ()
        assert deliveries.standing(NOW).waiting == 1

    def test_a_server_that_fails_again_and_again_is_one_matter(self) -> None:
        matters = set()
        for minutes in range(0, 60, 11):
            Post.objects.update_or_create(id=1, defaults={"down_since": NOW + timedelta(minutes=minutes)})
            matters |= {each.matter for each in deliveries.standing(NOW).incidents}
        assert matters == {"down"}

    def test_mail_that_is_late_again_is_one_matter(self) -> None:
        for hours in (2, 3):
            waiting(hours, made_at=NOW - timedelta(hours=hours))
            assert [each.matter for each in deliveries.standing(NOW).incidents] == ["late"]

    def test_what_is_due_and_not_put_into_the_outbox_is_told(self) -> None:
        """That is what a worker does that does not run."""
        row = subscription(next_at=NOW - timedelta(hours=2))
        assert "Does the worker run?" in deliveries.standing(NOW).troubles[0]
        Subscription.objects.filter(id=row.id).update(left_at=NOW)
        assert deliveries.standing(NOW).troubles == ()

    @pytest.mark.parametrize(
        ("state", "label", "told"),
        [
            pytest.param(State.FAILED, "2026-11-17", True, id="all failed"),
            pytest.param(State.NOTHING, "", True, id="no edition for days"),
            pytest.param(State.NOTHING, "2026-11-17", False, id="nothing in it for her"),
            pytest.param(State.SENT, "2026-11-17", False, id="sent"),
        ],
    )
    def test_sends_that_fall_to_zero_are_told(self, state: State, label: str, told: bool) -> None:
        long_ago = NOW - timedelta(days=30)
        waiting(state=state, edition=label, made_at=NOW - timedelta(days=1), finished_at=NOW)
        Subscription.objects.update(confirmed_at=long_ago)
        assert bool(deliveries.standing(NOW).troubles) is told

    def test_what_an_operator_sees_to(self) -> None:
        waiting(1, state=State.FAILED)
        waiting(2, attempts=2)
        waiting(3)
        waiting(4, state=State.SENT)
        assert [matter.address for matter in deliveries.matters()] == ["reader2@example.org", "reader1@example.org"]


def test_the_outbox_asks_the_database_two_questions_when_idle(sender: Any, django_assert_max_num_queries: Any) -> None:
    one = sender(Taker())
    one.work(seconds=1)
    with django_assert_max_num_queries(2):
        one.work(seconds=1)
