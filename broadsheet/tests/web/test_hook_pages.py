"""The page on which owners and editors have editions posted where their group talks."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from broadsheet.accounts.actions import groups
from broadsheet.accounts.actions.groups import Description
from broadsheet.accounts.rules import Person
from broadsheet.following.models import Hook, HookMessage
from broadsheet.testing.people import ada, bela, chloe, signed_in

pytestmark = pytest.mark.django_db

PAGE = "/groups/lamps/hooks"
ADDRESS = "https://hooks.example.org/services/T0/secret-part"
ADD = {"what": "add", "address": ADDRESS, "form": "slack", "cadence": "day"}


@pytest.fixture(autouse=True)
def lamps(db: None) -> int:
    group = groups.make_group(by=ada(), slug="lamps", described=Description("Lamp Readers", "group", is_private=True))
    groups.join(by=bela(), secret=groups.invite(by=ada(), group=group, role="member", days=7, uses=1))
    return group


def as_(person: Person) -> Client:
    return signed_in(Client(headers={"host": "localhost"}), person)


def text(response: Any) -> str:
    content: bytes = response.content
    return content.decode().replace("\xa0", " ")


def test_an_address_is_added_and_its_secret_shown_once() -> None:
    owner = as_(ada())
    page = text(owner.post(PAGE, ADD))
    [secret] = re.findall(r"<code>(bh_[\w-]{43})</code>", page)
    again = text(owner.get(PAGE))
    assert secret not in again
    assert "hooks.example.org/…part" in again
    assert "secret-part" not in again
    assert Hook.objects.get().address == ADDRESS


def test_what_is_wrong_is_said_and_what_was_typed_is_kept() -> None:
    response = as_(ada()).post(PAGE, {**ADD, "address": "http://hooks.example.org/x", "form": "matrix"})
    page = text(response)
    assert response.status_code == 422
    assert "The address begins with https://" in page
    assert 'value="http://hooks.example.org/x"' in page
    assert '<option value="matrix" selected>' in page
    assert not Hook.objects.exists()


def test_it_is_tested_removed_and_switched_on() -> None:
    owner = as_(ada())
    owner.post(PAGE, ADD)
    number = Hook.objects.get().id
    assert owner.post(PAGE, {"what": "test", "hook": number})["Location"] == PAGE
    assert HookMessage.objects.get().state == "waiting"
    assert "<b>Test</b>: waiting" in text(owner.get(PAGE))
    Hook.objects.update(off_at="2026-11-20T12:00Z", off_because="It was too much.")
    assert "It was too much." in text(owner.get(PAGE))
    assert "an address was switched off" in text(owner.get("/groups/lamps"))
    assert "an address was switched off" not in text(as_(bela()).get("/groups/lamps"))
    owner.post(PAGE, {"what": "on", "hook": number})
    assert Hook.objects.get().off_at is None
    owner.post(PAGE, {"what": "remove", "hook": number})
    assert not Hook.objects.exists()


def test_members_are_refused_and_strangers_find_nothing() -> None:
    as_(ada()).post(PAGE, ADD)
    for client, status in ((as_(bela()), 403), (as_(chloe()), 404)):
        assert client.get(PAGE).status_code == status
        assert client.post(PAGE, {"what": "remove", "hook": Hook.objects.get().id}).status_code == status
    assert Client(headers={"host": "localhost"}).get(PAGE).status_code == 303
    assert Hook.objects.count() == 1


def test_the_group_leads_owners_there_and_members_not() -> None:
    assert PAGE in text(as_(ada()).get("/groups/lamps"))
    assert PAGE not in text(as_(bela()).get("/groups/lamps"))


def test_what_is_not_understood_is_refused() -> None:
    owner = as_(ada())
    assert owner.post(PAGE, {"what": "explode", "hook": "1"}).status_code == 422
    assert owner.post(PAGE, {"what": "remove", "hook": "987"}).status_code == 404
    assert owner.post(PAGE, {"what": "test", "hook": "x"}).status_code == 404


def test_queries_do_not_grow_with_what_is_listed() -> None:
    owner = as_(ada())

    def asked() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            owner.get(PAGE)
        return len(queries)

    owner.post(PAGE, ADD)
    asked()
    before = asked()
    for number in range(3):
        owner.post(PAGE, {**ADD, "address": f"{ADDRESS}{number}"})
    assert asked() == before
