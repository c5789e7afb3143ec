"""What a person's program follows in her name, and what it is told of her mail."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.test import Client

from broadsheet.accounts import actions as accounts
from broadsheet.accounts.rules import Person, Scope
from broadsheet.following.models import Delivery, Follow, Subscriber, Subscription
from broadsheet.following.queries import follows
from broadsheet.following.rules.delivering import State
from broadsheet.testing import people

pytestmark = pytest.mark.django_db

FOLLOWS = "/api/v1/me/follows"
NOON = datetime(2024, 1, 3, 12, tzinfo=UTC)


class Program:
    """A program that brings a token of somebody, good for some scopes."""

    def __init__(self, person: Person, *scopes: Scope) -> None:
        self.token = accounts.make_token(by=person, name="a test", scopes=[str(scope) for scope in scopes])
        self.client = Client()

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        """What is answered: the status, and the JSON."""
        sent = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
        answer = self.client.generic(method, path, headers={"authorization": f"Bearer {self.token}"}, **sent)
        return answer.status_code, json.loads(answer.content)


@pytest.fixture
def ask(cast: None) -> Program:
    """Chloé's program, which may do all of it."""
    return Program(people.chloe(), Scope.READ_FOLLOWS, Scope.WRITE_FOLLOWS)


def test_a_section_is_followed_listed_and_let_go(ask: Program) -> None:
    status, made = ask("POST", FOLLOWS, {"kind": "section", "target": "cs.LG", "in_digest": False})
    key = Follow.objects.get().key
    assert status == 201
    assert made == {
        "id": made["id"],
        "kind": "section",
        "target": "cs.LG",
        "name": "Machine Learning",
        "url": "http://testserver/section/cs.LG",
        "feed": f"http://testserver/follows/feeds/{key}.atom",
        "in_digest": False,
        "made_at": made["made_at"],
    }
    assert ask("POST", FOLLOWS, {"kind": "section", "target": "cs.LG"})[1] == made
    assert ask("GET", FOLLOWS)[1] == {"most": 200, "items": [made], "papers": []}
    assert ask("DELETE", f"{FOLLOWS}/{made['id']}")[1] == {"id": made["id"], "was_there": True}
    assert ask("DELETE", f"{FOLLOWS}/{made['id']}")[1] == {"id": made["id"], "was_there": False}
    assert ask("GET", FOLLOWS)[1]["items"] == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param({"kind": "section", "target": "cs.XX"}, 404, id="no such section"),
        pytest.param({"kind": "search", "target": ""}, 422, id="a search for nothing"),
        pytest.param({"kind": "planet", "target": "mars"}, 422, id="no such kind"),
        pytest.param({"kind": "author"}, 422, id="nobody named"),
    ],
)
def test_what_cannot_be_followed_is_refused(ask: Program, body: dict[str, str], status: int) -> None:
    assert ask("POST", FOLLOWS, body)[0] == status
    assert not Follow.objects.exists()


def test_a_paper_is_followed_and_let_go(ask: Program) -> None:
    path = "/api/v1/papers/2401.00001/follow"
    assert ask("PUT", path) == (200, {"id": "2401.00001", "followed": True})
    assert ask("GET", FOLLOWS)[1]["papers"] == ["2401.00001"]
    assert ask("DELETE", path) == (200, {"id": "2401.00001", "followed": False})
    assert follows.followed_papers(people.chloe()) == []
    assert ask("PUT", "/api/v1/papers/2401.99999/follow")[0] == 404


def _mailed(person: Person, *slots: tuple[date, str, State, str]) -> Subscription:
    to = Subscriber.objects.create(address=f"{person.name}@example.org", user_id=person.id, made_at=NOON)
    sent = Subscription.objects.create(
        subscriber=to,
        key=f"key-of-{person.name}",
        cadence="day",
        hour=8,
        zone="Europe/Berlin",
        made_at=NOON,
        confirmed_at=NOON,
    )
    for slot, edition, state, said in slots:
        Delivery.objects.create(
            subscription=sent,
            slot=slot,
            edition=edition,
            domain="example.org",
            state=state,
            made_at=NOON,
            due_at=NOON,
            finished_at=NOON,
            papers=3 if state is State.SENT else 0,
            said=said,
        )
    return sent


def test_the_log_tells_what_became_of_her_mail_and_of_nobody_elses(ask: Program) -> None:
    _mailed(people.ada(), (date(2024, 1, 3), "2024-01-02", State.SENT, ""))
    hers = _mailed(
        people.chloe(),
        (date(2024, 1, 3), "2024-01-02", State.SENT, ""),
        (date(2024, 1, 4), "", State.NOTHING, "No edition was printed."),
    )
    status, said = ask("GET", "/api/v1/me/deliveries")
    assert status == 200
    assert [(each["day"], each["edition"], each["state"], each["said"]) for each in said["items"]] == [
        ("2024-01-04", None, "nothing", "No edition was printed."),
        ("2024-01-03", "2024-01-02", "sent", "Sent, with 3 papers."),
    ]
    assert {each["subscription"] for each in said["items"]} == {hers.id}
    assert len(ask("GET", "/api/v1/me/deliveries?limit=1")[1]["items"]) == 1
