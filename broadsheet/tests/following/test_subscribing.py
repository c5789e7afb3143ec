"""What somebody can ask for, and what is stored of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.accounts.rules import Refused
from broadsheet.following.actions import subscribing as actions
from broadsheet.following.actions.people import take_over
from broadsheet.following.models import Asked, Delivery, Subscriber, Subscription
from broadsheet.following.queries import subscribing as queries
from broadsheet.following.rules.delivering import ASKS
from broadsheet.following.rules.subscribing import (
    Cadence,
    LeftBy,
    Typed,
    Unfit,
    Wish,
    mailbox_of,
    read_address,
    read_wish,
    shortened_network,
    typed_of,
)
from broadsheet.testing.people import ada, bela

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
ADDRESS = "ada@example.org"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        pytest.param("ada@example.org", "ada@example.org", id="plain"),
        pytest.param("  Ada@Example.ORG ", "ada@example.org", id="capitals and blanks around"),
        pytest.param("a.b+papers@mail.example.org", "a.b+papers@mail.example.org", id="with a tag"),
        pytest.param("ada@bücher.example", "ada@xn--bcher-kva.example", id="a host in letters of its language"),
    ],
)
def test_an_address_is_kept_as_mail_knows_it(text: str, address: str) -> None:
    assert read_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("ada", id="no host"),
        pytest.param("@example.org", id="no name"),
        pytest.param("ada@example", id="a host without a dot"),
        pytest.param("ada@127.0.0.1", id="a number for a host"),
        pytest.param("ada@[127.0.0.1]", id="a literal address"),
        pytest.param("ada@@example.org", id="two signs"),
        pytest.param("a..b@example.org", id="two dots"),
        pytest.param("ada@-example.test", id="a hyphen first"),
        pytest.param("ada@example..org", id="an empty label"),
        pytest.param("ada@example.org,bela@example.org", id="two addresses"),
        pytest.param("ada@example.org\nBcc: x@example.org", id="two lines"),
        pytest.param("Ada <ada@example.org>", id="a name beside it"),
        pytest.param("ädä@example.org", id="letters that few servers take"),
        pytest.param("a" * 65 + "@example.org", id="a long name"),
        pytest.param("a@" + "b." * 130 + "org", id="a long host"),
        pytest.param("ada@example.org\0", id="a zero byte"),
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(Unfit) as refused:
        read_address(text)
    assert list(refused.value.problems) == ["address"]


@given(st.text(max_size=300) | st.from_regex(r"[\s\S]{0,20}@[\s\S]{0,20}\.org", fullmatch=True))
def test_an_address_never_holds_what_a_header_would_misread(text: str) -> None:
    try:
        address = read_address(text)
    except Unfit:
        return
    assert address.isascii()
    assert address.isprintable()
    assert not set(address) & set(' <>,;:"()[]\\')
    assert read_address(address) == address


@given(
    cadence=st.sampled_from(Cadence),
    hour=st.integers(0, 23),
    sections=st.lists(st.sampled_from(["cs.LG", "cs.CL", "math.PR"]), unique=True),
    mine=st.booleans(),
)
def test_a_wish_comes_back_from_the_form_that_shows_it(
    cadence: Cadence, hour: int, sections: list[str], mine: bool
) -> None:
    wish = Wish(cadence, hour, "Asia/Kolkata", tuple(sections), ("lamp", 'author:"Ada Example"'), mine)
    assert read_wish(typed_of(wish), zones=frozenset({"Asia/Kolkata"}), is_section=lambda _slug: True) == wish


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60), st.text(max_size=2000))
def test_whatever_is_typed_is_read_or_refused_with_sentences(cadence: str, hour: str, zone: str, searches: str) -> None:
    typed = Typed(cadence=cadence, hour=hour, zone=zone, searches=searches)
    problems: list[str] = []
    hours: list[int] = []
    try:
        hours.append(read_wish(typed, zones=frozenset({"UTC"}), is_section=lambda _slug: False).hour)
    except Unfit as unfit:
        problems += unfit.problems.values()
    assert all(sentence.endswith(".") for sentence in problems)
    assert set(hours) <= set(range(24))
    assert len(hours) == (not problems)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        pytest.param("192.0.2.77", "192.0.2.0/24", id="IPv4"),
        pytest.param("2001:db8:1:2:3::4", "2001:db8:1::/48", id="IPv6"),
        pytest.param(None, "", id="none"),
    ],
)
def test_of_a_network_only_the_part_is_kept_that_names_no_house(address: str | None, network: str) -> None:
    assert shortened_network(ip_address(address) if address else None) == network


def secret_that_waits(now: datetime) -> str:
    """The secret of the mail in the outbox that asks to confirm; empty for none."""
    row = Delivery.objects.filter(edition=ASKS).order_by("-id").first()
    found = queries.asking(row.subscription_id, now=now) if row else None
    return found.secret if found else ""


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param("ada@example.org", "ada+papers@example.org", True, id="a tag"),
        pytest.param("ada+a@example.org", "ada+b+c@example.org", True, id="two tags"),
        pytest.param("ada@example.org", "bela@example.org", False, id="another name"),
        pytest.param("ada@example.org", "ada@example.net", False, id="another host"),
        pytest.param("+a@example.org", "+b@example.org", False, id="nothing before the tag"),
    ],
)
def test_an_address_with_a_tag_is_the_mailbox_without_it(one: str, other: str, same: bool) -> None:
    assert (mailbox_of(one, "s") == mailbox_of(other, "s")) is same
    assert "ada" not in mailbox_of(one, "s")


@pytest.mark.django_db
class TestStored:
    """What actions make of it."""

    def ask(self, address: str = ADDRESS, *, at: datetime = NOW, zone: str = "UTC") -> str:
        """Ask for digests; the secret of the mail that asks to confirm, empty where none goes."""
        actions.ask(address=address, wish=Wish(zone=zone), consent={"form": "page"}, now=at)
        return secret_that_waits(at)

    def begin(self, address: str = ADDRESS, *, at: datetime = NOW, zone: str = "UTC") -> queries.Subscribed:
        begun = actions.confirm(secret=self.ask(address, at=at, zone=zone), network="", now=at)
        assert begun is not None
        return begun

    def test_person_subscription_and_consent_are_kept_apart(self) -> None:
        secret = self.ask()
        who, row = Subscriber.objects.get(), Subscription.objects.get()
        assert (who.confirmed_at, row.confirmed_at, row.next_at) == (None, None, None)
        assert secret not in (row.secret_digest, row.key)
        begun = actions.confirm(secret=secret, network="192.0.2.0/24", now=NOW)
        assert begun is not None
        assert begun.next_at == NOW + HOUR
        assert actions.confirm(secret=secret, network="", now=NOW) is None

    def test_the_hour_of_a_changed_wish_counts_from_now_on(self) -> None:
        begun = self.begin()
        changed = actions.change(key=begun.key, wish=Wish(Cadence.MONTH, 9, "Asia/Kolkata"), now=NOW)
        assert changed is not None
        assert changed.next_at == datetime(2026, 12, 2, 3, 30, tzinfo=UTC)

    def test_who_left_is_due_nothing_until_she_comes_back(self) -> None:
        begun = self.begin()
        assert actions.leave(key=begun.key, by=LeftBy.ONE_CLICK, now=NOW)
        assert not actions.leave(key=begun.key, by=LeftBy.ONE_CLICK, now=NOW)
        assert actions.change(key=begun.key, wish=Wish(), now=NOW) is None
        assert queries.by_key(begun.key) is not None
        back = actions.come_back(key=begun.key, now=NOW + 2 * HOUR)
        assert back is not None
        assert back.next_at == NOW + 25 * HOUR
        assert actions.come_back(key=begun.key, now=NOW) is None

    def test_who_subscribed_anew_is_the_same_subscription(self) -> None:
        begun = self.begin()
        actions.leave(key=begun.key, by=LeftBy.PAGE, now=NOW)
        assert self.begin(at=NOW + HOUR).key == begun.key
        assert Subscription.objects.count() == 1

    def test_a_secret_that_came_too_late_begins_nothing(self) -> None:
        secret = self.ask()
        late = NOW + timedelta(days=7)
        assert queries.waiting(secret, now=late - HOUR) is not None
        assert queries.waiting(secret, now=late) is None
        assert actions.confirm(secret=secret, network="", now=late) is None

    def test_the_mail_that_asks_is_in_the_outbox_once_and_its_secret_is_nowhere(self) -> None:
        secret = self.ask()
        [row] = Delivery.objects.all()
        assert (row.edition, row.state, row.domain) == (ASKS, "waiting", "example.org")
        found = queries.asking(row.subscription_id, now=NOW)
        assert found is not None
        assert (found.address, found.secret) == (ADDRESS, secret)
        assert found.secret not in str(list(Subscription.objects.values())) + str(list(Delivery.objects.values()))
        assert self.ask(at=NOW + HOUR) not in ("", secret)
        assert Delivery.objects.count() == 1
        assert queries.asking(row.subscription_id, now=NOW + timedelta(days=8)) is None

    def test_a_blocked_address_is_asked_nothing_and_gains_no_rows(self) -> None:
        Subscriber.objects.create(address=ADDRESS, made_at=NOW, blocked_at=NOW)
        assert self.ask() == ""
        assert not Subscription.objects.exists()

    def test_the_address_of_another_account_is_refused(self) -> None:
        actions.subscribe_reader(by=ada(), address=ADDRESS, wish=Wish(), consent={}, now=NOW)
        with pytest.raises(Refused, match="Another account"):
            actions.subscribe_reader(by=bela(), address=ADDRESS, wish=Wish(), consent={}, now=NOW)

    def test_what_an_address_got_comes_to_the_account_also_where_the_same_is_asked_for(self) -> None:
        self.begin(ADDRESS)
        with pytest.raises(Refused, match="every day already"):
            actions.subscribe_reader(by=ada(), address=ADDRESS, wish=Wish(), consent={}, now=NOW)
        assert [each.address for each in queries.of_person(ada().id)] == [ADDRESS]

    def test_what_an_address_got_comes_to_the_account_that_confirms_it(self) -> None:
        self.begin(ADDRESS)
        actions.move(person_id=ada().id, address=ADDRESS, now=NOW)
        assert [each.address for each in queries.of_person(ada().id)] == [ADDRESS]

    def test_of_two_accounts_that_become_one_every_digest_goes_on(self) -> None:
        kept = self.begin(ADDRESS)
        actions.move(person_id=ada().id, address=ADDRESS, now=NOW)
        actions.leave(key=kept.key, by=LeftBy.PAGE, now=NOW)
        actions.subscribe_reader(by=ada(), address=ADDRESS, wish=Wish(Cadence.MONTH), consent={}, now=NOW)
        for cadence in Cadence:
            actions.subscribe_reader(by=bela(), address="bela@example.org", wish=Wish(cadence), consent={}, now=NOW)
        take_over(from_id=bela().id, to_id=ada().id)
        found = queries.of_person(ada().id)
        assert sorted(each.wish.cadence for each in found if each.is_on) == sorted(Cadence)
        assert {each.address for each in found} == {ADDRESS}
        assert (len(found), Subscriber.objects.count()) == (3, 1)

    def test_what_nobody_confirms_is_forgotten_with_its_address(self) -> None:
        self.ask()
        actions.forget_unconfirmed(now=NOW + timedelta(days=6))
        assert Subscriber.objects.count() == 1
        actions.forget_unconfirmed(now=NOW + timedelta(days=8))
        assert not Subscriber.objects.exists()

    def test_an_address_that_is_confirmed_again_begins_anew(self) -> None:
        begun = self.begin(ADDRESS)
        Subscriber.objects.update(blocked_at=NOW, blocked_because="…", soft_bounces=5, soft_since=NOW)
        assert not actions.ask_blocked(key=begun.key, consent={}, now=NOW + HOUR)
        later = NOW + timedelta(days=2)
        assert actions.ask_blocked(key=begun.key, consent={}, now=later)
        actions.confirm(secret=secret_that_waits(later), network="", now=later)
        who = Subscriber.objects.get()
        assert (who.blocked_at, who.soft_bounces, who.soft_since) == (None, 0, None)

    def test_what_an_address_got_comes_to_the_account_but_nothing_twice(self) -> None:
        self.begin("new@example.org")
        actions.subscribe_reader(by=ada(), address=ADDRESS, wish=Wish(), consent={}, now=NOW)
        moved = Wish(Cadence.WEEK)
        actions.subscribe_reader(by=ada(), address="new@example.org", wish=moved, consent={}, now=NOW)
        found = queries.of_person(ada().id)
        assert [(each.address, each.wish.cadence) for each in found] == [
            ("new@example.org", Cadence.DAY),
            ("new@example.org", Cadence.WEEK),
        ]
        assert Subscriber.objects.count() == 1

    def test_the_key_of_an_account_asks_for_mine_and_a_stranger_with_the_form_does_not_take_it(self) -> None:
        actions.subscribe_reader(by=ada(), address=ADDRESS, wish=Wish(mine=True), consent={}, now=NOW)
        self.begin(zone="Asia/Tokyo")
        [found] = queries.of_person(ada().id)
        assert (found.wish.mine, found.wish.zone) == (True, "Asia/Tokyo")

    def mails(self, until: timedelta, *, every: timedelta, address: str = ADDRESS) -> list[timedelta]:
        """When mails that ask went to an address, if a stranger asks again and again and nobody answers."""
        went, at = [], timedelta()
        while at < until:
            actions.forget_unconfirmed(now=NOW + at)
            actions.ask(address=address.format(at.total_seconds()), wish=Wish(), consent={}, now=NOW + at)
            if Delivery.objects.filter(edition=ASKS, made_at=NOW + at).exists():
                went.append(at)
            at += every
        return went

    @pytest.mark.parametrize("address", [ADDRESS, "ada+{}@example.org"], ids=["one address", "a new tag each time"])
    def test_who_does_not_answer_is_asked_less_and_less_often(self, address: str) -> None:
        day = timedelta(days=1)
        went = self.mails(75 * day, every=timedelta(hours=6), address=address)
        assert went == [timedelta(), day / 4, 1.25 * day, 8.25 * day, 38.25 * day, 68.25 * day]

    def test_how_often_one_was_asked_is_forgotten_two_months_later(self) -> None:
        self.ask()
        actions.forget_unconfirmed(now=NOW + timedelta(days=59))
        assert Asked.objects.count() == 1
        actions.forget_unconfirmed(now=NOW + timedelta(days=61))
        assert not Asked.objects.exists()

    def test_a_wish_of_which_nobody_is_asked_is_forgotten_too(self) -> None:
        day = timedelta(days=1)
        for after in (0 * day, day, 3 * day, 11 * day):
            assert self.ask(at=NOW + after) != ""
        actions.forget_unconfirmed(now=NOW + 19 * day)
        assert self.ask(at=NOW + 19 * day) == ""
        assert Subscription.objects.count() == 1
        actions.forget_unconfirmed(now=NOW + 27 * day)
        assert not Subscription.objects.exists()

    def test_who_just_confirmed_is_not_asked_again_at_once(self) -> None:
        self.begin()
        assert self.ask(at=NOW + timedelta(seconds=1)) == ""
        assert self.ask(at=NOW + HOUR) != ""

    def test_who_answers_is_asked_as_for_the_first_time(self) -> None:
        self.ask()
        self.begin(at=NOW + HOUR)
        assert self.ask(at=NOW + 2 * HOUR) != ""

    def test_who_refused_is_asked_by_nobody_until_she_confirms(self) -> None:
        begun = self.begin()
        self.ask(at=NOW + HOUR)
        who = Subscriber.objects.get()
        assert actions.refuse_asking(subscriber_id=who.id, now=NOW + HOUR)
        assert not Delivery.objects.exists()
        for address in (ADDRESS, "ada+again@example.org"):
            assert self.ask(address, at=NOW + timedelta(days=400)) == ""
        found = queries.by_key(begun.key)
        assert found is not None
        assert found.is_on
        Asked.objects.update(refused_at=NOW)
        Subscriber.objects.update(blocked_at=NOW)
        again = NOW + timedelta(days=500)
        assert actions.ask_blocked(key=begun.key, consent={}, now=again)
        actions.confirm(secret=secret_that_waits(again), network="", now=again)
        assert Asked.objects.get().refused_at is None

    def test_after_a_change_of_the_secret_no_dead_link_goes_out(
        self, settings: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        self.ask()
        settings.SECRET_KEY = "another"
        assert secret_that_waits(NOW) == ""
        assert "the instance's secret changed" in caplog.text
