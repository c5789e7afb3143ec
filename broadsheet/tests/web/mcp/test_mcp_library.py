"""What an agent is told of a reader's own library, and who is told nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from broadsheet.accounts import actions as accounts
from broadsheet.accounts.rules import Person, Scope
from broadsheet.library import actions as keeping
from broadsheet.papers import queries as papers
from broadsheet.testing import people
from broadsheet.testing.cast import HARBOUR, LANTERN, MEADOW
from broadsheet.web.mcp.asking import Unanswerable
from broadsheet.web.mcp.budget import BRIEF, FULL, tokens
from broadsheet.web.mcp.shapes import dumped
from broadsheet.web.mcp.tools import TOOLS, call

pytestmark = pytest.mark.django_db

TOOL = TOOLS["my_library"]


@pytest.fixture
def ada(press) -> Person:
    """Ada, who has saved three papers and noted something beside one."""
    press([LANTERN, HARBOUR, MEADOW])
    person = people.ada()
    for key in ("math/0611800", "2401.00002", "2401.00001"):
        row = papers.find(key)
        assert row is not None
        keeping.keep(by=person, papers_=[row.id])
    lantern = papers.find("2401.00001")
    assert lantern is not None
    words = keeping.Words(state="reading", rating="4", tags="lamps, steps", notes={None: "Try it with momentum."})
    keeping.say(by=person, paper=lantern.id, words=words)
    return person


def told(person: Person | None, **arguments: Any) -> Any:
    """What the tool answers."""
    return json.loads(dumped(call(TOOL, arguments, "http://localhost", person)))


def test_a_reader_is_told_what_she_noted(ada: Person) -> None:
    answer = told(ada, tag="lamps")
    assert (answer["reader"], answer["total"]) == ("Ada Example", 1)
    [paper] = answer["papers"]
    assert (paper["id"], paper["state"], paper["rating"]) == ("2401.00001", "reading", 4)
    assert (paper["tags"], paper["note"]) == (["lamps", "steps"], "Try it with momentum.")


def test_a_library_is_read_on_from_where_an_answer_ended(ada: Person) -> None:
    first = told(ada, limit=2)
    second = told(ada, limit=2, after=first["next"])
    assert [len(first["papers"]), len(second["papers"])] == [2, 1]
    assert "next" not in second
    assert len({paper["id"] for paper in first["papers"] + second["papers"]}) == 3


@pytest.mark.parametrize(("detail", "most"), [("brief", BRIEF), ("full", FULL)])
def test_an_answer_is_as_short_as_it_says(ada: Person, detail: str, most: int) -> None:
    lantern = papers.find("2401.00001")
    assert lantern is not None
    keeping.say(by=ada, paper=lantern.id, words=keeping.Words(state="read", notes={None: "lamp " * 1_500}))
    assert tokens(dumped(call(TOOL, {"detail": detail}, "http://localhost", ada))) <= most


def test_nobody_is_told_of_anothers_library(ada: Person) -> None:
    assert told(people.bela())["total"] == 0
    with pytest.raises(Unanswerable, match="personal token"):
        told(None)


def _asked(client: Client, **headers: str) -> Any:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "my_library", "arguments": {}}}
    sent = {"accept": "application/json, text/event-stream", "mcp-protocol-version": "2025-11-25", **headers}
    answer = client.post("/mcp", json.dumps(body), content_type="application/json", headers=sent)
    return json.loads(answer.content)["result"]


def test_over_http_a_token_says_whose_library_it_is(ada: Person) -> None:
    token = accounts.make_token(by=ada, name="an agent", scopes=["read:library"])
    assert _asked(Client(), authorization=f"Bearer {token}")["structuredContent"]["total"] == 3


def test_over_http_neither_a_cookie_nor_another_scope_is_enough(ada: Person) -> None:
    token = accounts.make_token(by=ada, name="an agent", scopes=[str(Scope.WRITE_VOTES)])
    for client, header in ((Client(), f"Bearer {token}"), (people.signed_in(Client(), ada), "Bearer x")):
        answer = _asked(client, authorization=header)
        assert answer["isError"]
        assert "personal token" in answer["content"][0]["text"]


def test_without_accounts_the_library_is_that_of_whoever_sits_at_this_machine(ada: Person, settings: Any) -> None:
    settings.BROADSHEET_ACCOUNTS = False
    accounts.only_reader()
    assert _asked(Client())["structuredContent"]["total"] == 0
    assert _asked(Client(), **{"x-forwarded-for": "203.0.113.9"})["isError"]
