"""The worker posts for groups: a test within seconds, new editions soon, and nothing while there is nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from broadsheet.accounts.actions import groups
from broadsheet.accounts.actions.groups import Description
from broadsheet.cli.hooking import Hooking
from broadsheet.fetching.posting import Poster
from broadsheet.fetching.posts import Posted
from broadsheet.following.actions import hooks as acting
from broadsheet.following.models import HookMessage
from broadsheet.following.rules.hooks import Typed
from broadsheet.testing.people import ada

pytestmark = pytest.mark.django_db


class Posting(Poster):
    """Keeps what would be posted."""

    def __init__(self) -> None:
        super().__init__("")
        self.posted: list[bytes] = []

    def post(self, address: str, body: bytes, headers: Mapping[str, str]) -> Posted:
        self.posted.append(body)
        return Posted(200)


def test_a_test_is_posted_when_it_is_time_to_look() -> None:
    group = groups.make_group(by=ada(), slug="lamps", described=Description("Lamp Readers", "group"))
    typed = Typed(address="https://hooks.example.org/x")
    number = acting.add_hook(by=ada(), group=group, typed=typed, now=timezone.now())
    now, poster = [1000.0], Posting()
    hooking = Hooking(poster=poster, clock=lambda: now[0])
    assert hooking.step() is False
    acting.send_test(by=ada(), group=group, hook_id=number, now=timezone.now() - timedelta(seconds=1))
    assert hooking.step() is False
    now[0] += 4
    assert hooking.step() is True
    [body] = poster.posted
    assert "This is a test" in json.loads(body)["text"]
    assert HookMessage.objects.get().state == "sent"
    assert hooking.step() is False


def test_where_no_group_posts_a_look_costs_little() -> None:
    hooking = Hooking(poster=Posting(), clock=lambda: 1000.0)
    with CaptureQueriesContext(connection) as queries:
        hooking.step()
        hooking.step()
    assert len(queries) <= 6
