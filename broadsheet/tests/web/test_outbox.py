"""The pages that tell how digests by mail are doing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.test import Client

from broadsheet import links
from broadsheet.accounts.models import User
from broadsheet.following.models import Delivery, Subscriber, Subscription
from broadsheet.following.rules.delivering import State

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 18, 9, tzinfo=UTC)


def delivery(state: State, address: str = "ada@example.org", said: str = "") -> Delivery:
    """A mail that was due."""
    who = Subscriber.objects.create(address=address, made_at=AT, confirmed_at=AT)
    row = Subscription.objects.create(
        subscriber=who, key=address, cadence="day", hour=9, zone="UTC", made_at=AT, confirmed_at=AT
    )
    return Delivery.objects.create(
        subscription=row, slot=date(2026, 11, 18), edition="2026-11-17", domain="example.org", state=state, made_at=AT,
        due_at=AT, finished_at=None if state is State.WAITING else AT, said=said,
    )  # fmt: skip


@pytest.fixture
def operator(client: Client) -> Client:
    """An operator who is signed in."""
    client.force_login(User.objects.create(name="ada", shown="Ada Example", is_staff=True))
    return client


def test_the_status_page_says_how_mail_goes_and_names_nobody(client: Client, settings: Any) -> None:
    settings.BROADSHEET_MAIL = True
    delivery(State.SENT)
    page = client.get(links.STATUS).content.decode()
    assert "subscription, the last sent" in page
    assert "Nothing to say" in page
    assert "ada@example.org" not in page
    assert links.STATUS_MAIL not in page


def test_the_status_page_says_nothing_of_mail_where_there_is_none(client: Client) -> None:
    assert "Digests by mail" not in client.get(links.STATUS).content.decode()


def test_an_operator_sees_what_failed_and_has_it_tried_again(operator: Client, settings: Any) -> None:
    settings.BROADSHEET_MAIL = True
    row = delivery(State.FAILED, said="The mail server refused it: 554 <b>No</b>.")
    page = operator.get(links.STATUS_MAIL).content.decode()
    assert "ada@example.org" in page
    assert "554 &lt;b&gt;No" in page
    answer = operator.post(links.STATUS_MAIL, {"delivery": row.id})
    row.refresh_from_db()
    assert (answer.status_code, row.state, row.attempts) == (303, State.WAITING, 0)


@pytest.mark.parametrize("sent", [pytest.param("", id="nothing"), pytest.param("x", id="no number")])
def test_a_mail_that_is_not_there_is_told(operator: Client, sent: str) -> None:
    assert operator.post(links.STATUS_MAIL, {"delivery": sent}).status_code == 404


def test_troubles_stand_above(operator: Client, settings: Any) -> None:
    settings.BROADSHEET_MAIL = True
    delivery(State.WAITING)
    assert "Does the worker run?" in operator.get(links.STATUS_MAIL).content.decode()


def test_others_do_not_see_it(client: Client) -> None:
    delivery(State.FAILED)
    assert client.get(links.STATUS_MAIL).status_code in (302, 303, 403)
