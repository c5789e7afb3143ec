"""What a person's program reads and changes, and that a token is good for nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from broadsheet.accounts import actions as accounts
from broadsheet.accounts.rules import Person, Scope
from broadsheet.community.actions import commenting, voting
from broadsheet.community.rules.commenting import Draft
from broadsheet.library import actions as keeping
from broadsheet.papers import queries as papers
from broadsheet.testing import people
from broadsheet.web.api.table import ENDPOINTS

pytestmark = pytest.mark.django_db

PAPER = "/api/v1/papers/2401.00001"
LIBRARY = "/api/v1/me/library"
MINE = f"{LIBRARY}/2401.00001"


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


def number(key: str = "2401.00001") -> int:
    """The id of a paper of the cast."""
    row = papers.find(key)
    assert row is not None
    return row.id


def test_a_token_tells_whose_it_is(cast) -> None:
    status, me = Program(people.ada(), Scope.READ_LIBRARY)("GET", "/api/v1/me")
    assert (status, me["name"], me["shown"], me["scopes"]) == (200, "ada", "Ada Example", ["read:library"])


def test_a_vote_is_cast_once_and_taken_back(cast) -> None:
    ask = Program(people.bela(), Scope.WRITE_VOTES)
    voting.cast_vote(by=people.ada(), paper_id=number())
    assert ask("PUT", f"{PAPER}/vote")[1] == {"id": "2401.00001", "votes": 2, "held": 0, "mine": "counted"}
    assert ask("PUT", f"{PAPER}/vote")[1]["votes"] == 2
    assert [each["id"] for each in ask("GET", "/api/v1/me/votes")[1]["items"]] == ["2401.00001"]
    assert ask("DELETE", f"{PAPER}/vote")[1] == {"id": "2401.00001", "votes": 1, "held": 0, "mine": "none"}


def test_a_comment_is_published_and_read_by_everybody(cast) -> None:
    ask = Program(people.bela(), Scope.WRITE_COMMENTS)
    status, said = ask("POST", f"{PAPER}/comments", {"text": "Does $\\ell_2$ hold?"})
    assert (status, said["author"]["name"], said["text"]) == (201, "bela", "Does $\\ell_2$ hold?")
    assert "<math" in said["html"]
    status, answer = ask("POST", f"{PAPER}/comments", {"text": "It does.", "answers": said["id"]})
    assert (status, answer["answers"]) == (201, said["id"])
    read = json.loads(Client().get(f"{PAPER}/comments").content)
    assert [each["id"] for each in read["items"]] == [said["id"], answer["id"]]
    assert read["total"] == 2


def test_a_discussion_is_read_page_by_page(cast) -> None:
    for word in ("one", "two", "three"):
        commenting.post_comment(by=people.ada(), paper_id=number(), draft=Draft(body=f"Number {word}."))
    seen, path = [], f"{PAPER}/comments?limit=2"
    while path:
        page = json.loads(Client().get(path).content)
        seen += [each["text"] for each in page["items"]]
        path = (page["next"] or "").removeprefix("http://testserver")
    assert seen == ["Number one.", "Number two.", "Number three."]


def test_a_library_is_filled_changed_and_emptied(cast) -> None:
    ask = Program(people.ada(), Scope.READ_LIBRARY, Scope.WRITE_LIBRARY)
    assert ask("GET", MINE)[0] == 404
    status, kept = ask("PUT", MINE, {"state": "reading", "tags": ["lamps", "steps"], "note": "Try it."})
    assert (status, kept["state"], kept["tags"], kept["note"]) == (200, "reading", ["lamps", "steps"], "Try it.")
    kept = ask("PUT", MINE, {"rating": 4})[1]
    assert (kept["state"], kept["rating"], kept["tags"], kept["note"]) == ("reading", 4, ["lamps", "steps"], "Try it.")
    assert ask("PUT", MINE, {"rating": 0})[1]["rating"] is None
    assert [each["id"] for each in ask("GET", f"{LIBRARY}?tag=lamps&state=reading&q=try")[1]["items"]] == ["2401.00001"]
    assert ask("GET", f"{LIBRARY}?tag=harbours")[1]["items"] == []
    assert ask("DELETE", MINE)[1] == {"id": "2401.00001", "was_there": True}
    assert ask("DELETE", MINE)[1] == {"id": "2401.00001", "was_there": False}


def test_a_library_is_read_page_by_page(cast) -> None:
    ask = Program(people.ada(), Scope.READ_LIBRARY)
    keeping.keep(by=people.ada(), papers_=[number(), number("2401.00002"), number("math/0611800")])
    page = ask("GET", f"{LIBRARY}?limit=2")[1]
    assert (len(page["items"]), page["total"]) == (2, 3)
    rest = ask("GET", page["next"].removeprefix("http://testserver"))[1]
    assert (len(rest["items"]), rest["next"]) == (1, None)


def test_nobody_reads_the_library_of_another(cast) -> None:
    keeping.keep(by=people.ada(), papers_=[number()])
    ask = Program(people.bela(), Scope.READ_LIBRARY)
    assert ask("GET", LIBRARY)[1]["items"] == []
    assert ask("GET", MINE)[0] == 404


def test_notices_and_shelves_are_read(cast) -> None:
    first = commenting.post_comment(by=people.ada(), paper_id=number(), draft=Draft(body="Does it hold?"))
    commenting.post_comment(by=people.bela(), paper_id=number(), draft=Draft(body="It does.", parent=first))
    keeping.make_shelf(by=people.ada(), name="Lamps")
    ask = Program(people.ada(), Scope.READ_NOTICES, Scope.READ_LIBRARY)
    told = ask("GET", "/api/v1/me/notices")[1]
    assert (told["unread"], told["items"][0]["paper"]) == (1, "2401.00001")
    assert [each["name"] for each in ask("GET", "/api/v1/me/shelves")[1]["items"]] == ["Lamps"]


PERSONAL = [each for each in ENDPOINTS if each.is_personal]


@pytest.mark.parametrize("endpoint", PERSONAL, ids=[each.name for each in PERSONAL])
@pytest.mark.parametrize(
    ("header", "status"),
    [
        pytest.param("", 401, id="no token"),
        pytest.param("Bearer bs_of_nobody", 401, id="a token of nobody"),
        pytest.param("Basic YWRhOmFkYQ==", 401, id="a password"),
        pytest.param("other scopes", 403, id="a token that is not for this"),
    ],
)
def test_who_may_not_gets_nothing(cast, endpoint: Any, header: str, status: int) -> None:
    if header == "other scopes":
        others = [scope for scope in Scope if scope != endpoint.scope]
        header = f"Bearer {Program(people.ada(), *others).token}"
        status = 200 if endpoint.scope == "any" else 403
    client = people.signed_in(Client(), people.ada())
    body = {"data": "{}", "content_type": "application/json"} if endpoint.takes else {}
    path = endpoint.path.format(key="2401.00001", number="1")
    answer = client.generic(endpoint.method, path, headers={"authorization": header} if header else {}, **body)
    assert answer.status_code == status
    assert ("WWW-Authenticate" in answer.headers) == (status != 200)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "kind"),
    [
        pytest.param("PUT", f"{MINE}", {"state": "eaten"}, 422, "unprocessable", id="a state that there is not"),
        pytest.param("PUT", f"{MINE}", {"user": 1}, 422, "unprocessable", id="a field that is not hers to set"),
        pytest.param("PUT", f"{MINE}", [], 422, "unprocessable", id="no object"),
        pytest.param("POST", f"{PAPER}/comments", {"text": " "}, 422, "unprocessable", id="nothing said"),
        pytest.param("POST", f"{PAPER}/comments", {"text": "Yes.", "answers": 999}, 404, "unknown-thing", id="to none"),
        pytest.param("PUT", "/api/v1/papers/2401.99999/vote", None, 404, "unknown-paper", id="no such paper"),
        pytest.param("GET", f"{LIBRARY}?after=x", None, 404, "unknown-cursor", id="no cursor"),
    ],
)
def test_what_cannot_be_is_a_problem(cast, method: str, path: str, body: Any, status: int, kind: str) -> None:
    got, problem = Program(people.ada(), *Scope)(method, path, body)
    assert (got, problem["type"].partition("#")[2]) == (status, kind)


def test_what_is_personal_is_kept_by_nobody(cast) -> None:
    token = Program(people.ada(), *Scope).token
    answer = Client().get(LIBRARY, headers={"authorization": f"Bearer {token}"})
    assert answer.headers["Cache-Control"] == "private, no-store"
