"""Editions posted for groups: each once, tried again until taken, switched off where nobody takes them."""

from __future__ import annotations

import hashlib
import hmac
import re
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError

from broadsheet.accounts.actions import groups
from broadsheet.accounts.actions.groups import Description
from broadsheet.accounts.rules import Ground, Person, Refused
from broadsheet.community.queries import notices
from broadsheet.community.rules.notices import Kind as Told
from broadsheet.editions.models import Edition
from broadsheet.fetching.posts import Posted
from broadsheet.following.actions import hooks as acting
from broadsheet.following.actions.hooks import Wanted
from broadsheet.following.models import Hook, HookMessage
from broadsheet.following.queries import hooks as queries
from broadsheet.following.queries.digests import Nothing
from broadsheet.following.rules import hooks as rules
from broadsheet.following.rules.hooks import Form, Next, Typed, Way, next_of
from broadsheet.testing.people import ada, bela, chloe

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 21, 0, tzinfo=UTC)
ADDRESS = "https://hooks.example.org/services/T0/secret-part"


@pytest.fixture
def lamps() -> int:
    """A group of Ada's, in which Bela is a member and Chloé is not."""
    group = groups.make_group(by=ada(), slug="lamps", described=Description("Lamp Readers", "group"))
    groups.join(by=bela(), secret=groups.invite(by=ada(), group=group, role="member", days=7, uses=1))
    return group


def add(group: int, *, by: Person | None = None, now: datetime = NOW, **more: Any) -> int:
    typed = Typed(**{"address": ADDRESS, "form": "slack", "cadence": "day", **more})
    return acting.add_hook(by=by or ada(), group=group, typed=typed, now=now)


def printed(day: date, *, is_open: bool = False) -> str:
    """An edition of a day is closed long ago, or stays open."""
    closes = datetime(2999 if is_open else 2026, 1, 1, tzinfo=UTC)
    counts = dict.fromkeys(("announced", "submitted", "by_month", "shipped", "late"), 0)
    Edition.objects.create(
        kind="day",
        label=day.isoformat(),
        number=day.toordinal(),
        start=day,
        end=day,
        published_at=closes,
        closes_at=closes,
        size=3,
        pending=False,
        **counts,
    )
    return day.isoformat()


class Receiver:
    """Takes messages with a status, one after the other; the last one for ever."""

    def __init__(self, *statuses: int) -> None:
        self._statuses = list(statuses)
        self.got: list[tuple[str, bytes, dict[str, str]]] = []

    def __call__(self, address: str, body: bytes, headers: dict[str, str]) -> Posted:
        self.got.append((address, body, headers))
        status = self._statuses.pop(0) if len(self._statuses) > 1 else self._statuses[0]
        return Posted(status, "no_service" if status >= 400 else "")


def compose(wanted: Wanted) -> bytes | Nothing:
    return f"{wanted.edition or 'test'} {' '.join(wanted.sections)}".strip().encode()


def post(receiver: Receiver, *, now: datetime = NOW, making: Callable[[Wanted], Any] = compose) -> int:
    acting.queue_editions(now=now)
    return acting.post_waiting(compose=making, post=receiver, now=now)


def test_each_edition_is_posted_once(lamps: int) -> None:
    add(lamps)
    printed(date(2026, 11, 20))
    receiver = Receiver(200)
    assert [post(receiver), post(receiver)] == [1, 0]
    [(address, body, _)] = receiver.got
    assert (address, body) == (ADDRESS, b"2026-11-20")
    printed(date(2026, 11, 21))
    assert post(receiver, now=NOW + timedelta(days=1)) == 1


@pytest.mark.parametrize("fails", ["posting", "writing"])
def test_what_goes_wrong_with_one_message_posts_no_other_again(
    lamps: int, fails: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = [add(lamps, address=f"https://hooks.example.org/{name}") for name in ("one", "two")]
    printed(date(2026, 11, 20))
    receiver, take = Receiver(200), acting._take

    def posting(address: str, body: bytes, headers: dict[str, str]) -> Posted:
        if fails == "posting" and address.endswith("one"):
            raise RuntimeError("a broken line")
        return receiver(address, body, headers)

    def writing(message: HookMessage, posted: Posted, now: datetime) -> None:
        if fails == "writing" and message.hook_id == numbers[0]:
            raise RuntimeError("a broken line")
        take(message, posted, now)

    monkeypatch.setattr(acting, "_take", writing)
    acting.queue_editions(now=NOW)
    with pytest.raises(RuntimeError, match="a broken line"):
        acting.post_waiting(compose=compose, post=posting, now=NOW)
    states = dict(HookMessage.objects.values_list("hook_id", "state"))
    assert states[numbers[1]] == Way.SENT
    assert states[numbers[0]] == (Way.WAITING if fails == "posting" else Way.CLAIMED)


def test_an_open_edition_and_one_from_before_the_hook_are_not_posted(lamps: int) -> None:
    add(lamps)
    printed(date(2026, 11, 19))
    printed(date(2026, 11, 20), is_open=True)
    assert post(Receiver(200)) == 0


def test_a_worker_that_was_off_posts_the_newest_only(lamps: int) -> None:
    add(lamps, now=NOW - timedelta(days=5))
    for day in (17, 18, 19):
        printed(date(2026, 11, day))
    receiver = Receiver(200)
    post(receiver)
    assert [body for _, body, _ in receiver.got] == [b"2026-11-19"]


def test_a_message_is_signed_so_that_its_receiver_can_check_it(lamps: int) -> None:
    number = add(lamps)
    printed(date(2026, 11, 20))
    receiver = Receiver(200)
    post(receiver)
    [(_, body, headers)] = receiver.got
    at, v1 = (part.partition("=")[2] for part in headers["X-Broadsheet-Signature"].split(","))
    assert int(at) == int(NOW.timestamp())
    secret = queries.secret(number)
    assert hmac.compare_digest(v1, hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest())
    assert headers["X-Broadsheet-Delivery"] == str(HookMessage.objects.get().id)


def test_the_secret_of_one_is_not_that_of_another_and_lies_in_no_table(lamps: int) -> None:
    first, second = add(lamps), add(lamps, address=ADDRESS + "2")
    secrets = {queries.secret(first), queries.secret(second)}
    assert len(secrets) == 2
    stored = repr(list(Hook.objects.values()))
    assert not [secret for secret in secrets if secret in stored]
    assert queries.secret(987) == ""


def test_what_cannot_be_taken_now_is_tried_again(lamps: int) -> None:
    add(lamps)
    printed(date(2026, 11, 20))
    receiver = Receiver(503, 0, 200)
    assert post(receiver) == 1
    assert post(receiver) == 0
    assert HookMessage.objects.get().state == Way.WAITING
    for minutes in (2, 10):
        assert post(receiver, now=NOW + timedelta(minutes=minutes)) == 1
    row = HookMessage.objects.get()
    assert (row.state, row.attempts, len({body for _, body, _ in receiver.got})) == (Way.SENT, 3, 1)


def test_after_the_last_pause_it_has_failed(lamps: int) -> None:
    add(lamps)
    printed(date(2026, 11, 20))
    receiver, at = Receiver(500), NOW
    for _ in range(20):
        acting.post_waiting(compose=compose, post=receiver, now=at)
        acting.queue_editions(now=NOW)
        at += timedelta(hours=7)
    row = HookMessage.objects.get()
    assert (row.state, row.attempts) == (Way.FAILED, len(rules.PAUSES) + 1)
    assert row.said == "It answered with status 500. It said: no_service"


def test_an_address_that_takes_nothing_is_switched_off_and_on_again(lamps: int) -> None:
    number = add(lamps)
    receiver = Receiver(404)
    for day in range(20, 20 + rules.MOST_FAILURES + 1):
        printed(date(2026, 11, day))
        post(receiver, now=NOW + timedelta(days=day - 20))
    assert len(receiver.got) == rules.MOST_FAILURES
    [view] = queries.hooks_of(lamps)
    assert view.off_at is not None
    assert view.off_because.startswith("5 editions in a row")
    acting.switch_on(by=ada(), group=lamps, hook_id=number)
    assert post(Receiver(200), now=NOW + timedelta(days=rules.MOST_FAILURES)) == 1
    assert queries.hooks_of(lamps)[0].off_at is None


def test_a_success_forgives_what_failed_before(lamps: int) -> None:
    add(lamps)
    for day, status in ((20, 404), (21, 404), (22, 200)):
        printed(date(2026, 11, day))
        post(Receiver(status), now=NOW + timedelta(days=day - 20))
    assert Hook.objects.get().failures == 0


def test_gone_switches_off_at_once(lamps: int) -> None:
    add(lamps)
    printed(date(2026, 11, 20))
    post(Receiver(410))
    assert "410" in queries.hooks_of(lamps)[0].off_because


def test_the_owners_are_told_once_that_an_address_was_switched_off(lamps: int) -> None:
    add(lamps)
    printed(date(2026, 11, 20))
    for _ in range(3):
        post(Receiver(410))
    [told], _ = notices.listed(ada())
    assert told.kind is Told.HOOK
    assert told.sentence.startswith("Lamp Readers, hooks.example.org/…part: It answered that nobody wants this")
    assert "secret" not in told.sentence
    assert notices.listed(bela())[0] == []


def test_one_that_does_not_answer_keeps_nobody_waiting(lamps: int) -> None:
    """Each has its own time, and they are waited for together."""
    waiting = threading.Barrier(3, timeout=20)
    for number in range(3):
        add(lamps, address=f"{ADDRESS}-{number}")
    printed(date(2026, 11, 20))

    def slow(_address: str, _body: bytes, _headers: dict[str, str]) -> Posted:
        waiting.wait()
        return Posted(200, "")

    acting.queue_editions(now=NOW)
    assert acting.post_waiting(compose=compose, post=slow, now=NOW) == 3
    assert {row.state for row in HookMessage.objects.all()} == {Way.SENT}


def test_what_was_never_tried_goes_before_what_failed(lamps: int) -> None:
    for number in range(5):
        add(lamps, address=f"{ADDRESS}-{number}")
    printed(date(2026, 11, 20))
    acting.queue_editions(now=NOW)
    HookMessage.objects.filter(hook__address__in=[f"{ADDRESS}-{number}" for number in range(4)]).update(
        attempts=1, due_at=NOW - timedelta(hours=1)
    )
    receiver = Receiver(200)
    post(receiver)
    assert "4" in {address[-1] for address, _, _ in receiver.got[:4]}


def test_nothing_to_post_is_said(lamps: int) -> None:
    add(lamps)
    printed(date(2026, 11, 20))
    receiver = Receiver(200)
    post(receiver, making=lambda _: Nothing("Nothing in cs.XX was announced."))
    [view] = queries.hooks_of(lamps)
    assert (receiver.got, view.log[0].state, view.log[0].said) == ([], Way.NOTHING, "Nothing in cs.XX was announced.")


def test_one_that_cannot_be_made_does_not_stop_the_others(lamps: int, caplog: pytest.LogCaptureFixture) -> None:
    add(lamps, sections=("broken",))
    add(lamps, address=ADDRESS + "2")
    printed(date(2026, 11, 20))

    def making(wanted: Wanted) -> bytes:
        if wanted.sections:
            raise ValueError("no such section")
        return b"{}"

    receiver = Receiver(200)
    assert post(receiver, making=making) == 2
    assert [address for address, _, _ in receiver.got] == [ADDRESS + "2"]
    assert HookMessage.objects.get(state=Way.FAILED).said == acting.MADE_WRONG
    assert "no such section" in caplog.text


def test_a_message_is_made_once_the_database_answers_again(lamps: int) -> None:
    add(lamps)
    printed(date(2026, 11, 20))

    def making(wanted: Wanted) -> bytes:
        raise OperationalError("the database is locked")

    receiver = Receiver(200)
    with pytest.raises(OperationalError):
        post(receiver, making=making)
    assert post(receiver, now=NOW + timedelta(minutes=11)) == 1
    assert HookMessage.objects.get().state == Way.SENT


def test_what_a_dead_worker_had_claimed_is_posted_later(lamps: int) -> None:
    add(lamps)
    printed(date(2026, 11, 20))
    acting.queue_editions(now=NOW)
    HookMessage.objects.update(state=Way.CLAIMED, claimed_at=NOW, attempts=1)
    receiver = Receiver(200)
    assert post(receiver, now=NOW + timedelta(minutes=1)) == 0
    assert post(receiver, now=NOW + timedelta(minutes=11)) == 1


def test_a_test_is_posted_at_once_and_not_tried_again(lamps: int) -> None:
    number = add(lamps)
    acting.send_test(by=ada(), group=lamps, hook_id=number, now=NOW)
    with pytest.raises(Refused) as caught:
        acting.send_test(by=ada(), group=lamps, hook_id=number, now=NOW)
    assert caught.value.ground is Ground.TOO_MUCH
    receiver = Receiver(503)
    assert post(receiver) == 1
    assert [body for _, body, _ in receiver.got] == [b"test"]
    assert HookMessage.objects.get().state == Way.FAILED
    assert Hook.objects.get().failures == 0


@pytest.mark.parametrize(
    ("who", "ground"),
    [
        pytest.param(bela, Ground.NOT_ALLOWED, id="a member"),
        pytest.param(chloe, Ground.NOT_ALLOWED, id="a stranger"),
    ],
)
def test_only_owners_and_editors_may(lamps: int, who: Callable[[], Person], ground: Ground) -> None:
    number = add(lamps)
    person = who()
    for act in (
        lambda: add(lamps, by=person, address=ADDRESS + "x"),
        lambda: acting.remove_hook(by=person, group=lamps, hook_id=number),
        lambda: acting.switch_on(by=person, group=lamps, hook_id=number),
        lambda: acting.send_test(by=person, group=lamps, hook_id=number, now=NOW),
    ):
        with pytest.raises(Refused) as caught:
            act()
        assert caught.value.ground is ground
    assert Hook.objects.count() == 1
    assert not HookMessage.objects.exists()


def test_nobody_changes_what_another_group_has(lamps: int) -> None:
    number = add(lamps)
    other = groups.make_group(by=chloe(), slug="harbours", described=Description("Harbours", "group"))
    with pytest.raises(Refused) as caught:
        acting.remove_hook(by=chloe(), group=other, hook_id=number)
    assert caught.value.ground is Ground.NOT_THERE


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        pytest.param({"address": "http://hooks.example.org/"}, "address", id="no https"),
        pytest.param({"form": "telegraph"}, "form", id="form"),
        pytest.param({"cadence": "hour"}, "cadence", id="cadence"),
        pytest.param({"sections": tuple("abcdefghijk")}, "sections", id="too many sections"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(lamps: int, wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as caught:
        add(lamps, **wrong)
    assert (caught.value.field, Hook.objects.count()) == (field, 0)


def test_the_same_address_twice_and_one_too_many_are_refused(lamps: int) -> None:
    add(lamps)
    with pytest.raises(Refused) as caught:
        add(lamps)
    assert caught.value.ground is Ground.TAKEN
    for number in range(rules.MOST_HOOKS - 1):
        add(lamps, address=f"{ADDRESS}{number}")
    with pytest.raises(Refused) as caught:
        add(lamps, address=ADDRESS + "more")
    assert caught.value.ground is Ground.TOO_MUCH


def test_removing_forgets_it_with_its_log(lamps: int) -> None:
    number = add(lamps)
    acting.send_test(by=ada(), group=lamps, hook_id=number, now=NOW)
    acting.remove_hook(by=ada(), group=lamps, hook_id=number)
    assert (Hook.objects.count(), HookMessage.objects.count()) == (0, 0)


def test_old_messages_are_forgotten(lamps: int) -> None:
    add(lamps)
    printed(date(2026, 11, 20))
    post(Receiver(200))
    assert acting.forget_messages(now=NOW + timedelta(days=80)) == 0
    assert acting.forget_messages(now=NOW + timedelta(days=91)) == 1
    assert post(Receiver(200), now=NOW + timedelta(days=91)) == 0


def test_a_list_shows_the_end_of_an_address_only(lamps: int) -> None:
    add(lamps)
    assert queries.hooks_of(lamps)[0].shown == "hooks.example.org/…part"


@pytest.mark.parametrize(
    ("status", "refused", "attempts", "expected"),
    [
        pytest.param(200, False, 1, Next.SENT, id="taken"),
        pytest.param(204, False, 6, Next.SENT, id="taken late"),
        pytest.param(302, False, 1, Next.FAILED, id="a redirect"),
        pytest.param(400, False, 1, Next.FAILED, id="wrong"),
        pytest.param(429, False, 1, Next.AGAIN, id="too often"),
        pytest.param(500, False, 5, Next.AGAIN, id="broken"),
        pytest.param(500, False, 6, Next.FAILED, id="broken for too long"),
        pytest.param(0, False, 1, Next.AGAIN, id="no answer"),
        pytest.param(0, True, 1, Next.FAILED, id="inside a private network"),
        pytest.param(410, False, 1, Next.OFF, id="gone"),
    ],
)
def test_what_follows_from_an_answer(status: int, refused: bool, attempts: int, expected: Next) -> None:
    assert next_of(status, refused=refused, attempts=attempts) is expected


def test_forms_are_those_that_the_page_offers() -> None:
    assert [str(form) for form in Form] == ["slack", "mattermost", "matrix", "json"]


def test_the_check_in_the_documentation_is_right(lamps: int, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (repository / "docs/user/groups.md").read_text(encoding="utf-8")
    [code] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    monkeypatch.setattr("time.time", lambda: NOW.timestamp() + 20)
    number = add(lamps)
    printed(date(2026, 11, 20))
    receiver = Receiver(200)
    post(receiver)
    [(_, body, headers)] = receiver.got
    header, secret = headers["X-Broadsheet-Signature"], queries.secret(number)
    assert names["is_ours"](secret, header, body)
    assert not names["is_ours"](secret, header, body + b" ")
    assert not names["is_ours"](secret + "x", header, body)
    monkeypatch.setattr("time.time", lambda: NOW.timestamp() + 400)
    assert not names["is_ours"](secret, header, body)
