"""Requests that mean harm: forged, for things of others, with fields that nobody offers, too large, too many."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from broadsheet.accounts import actions as accounts
from broadsheet.accounts.actions import groups
from broadsheet.accounts.rules import Person
from broadsheet.community.actions import commenting, moderating, submissions
from broadsheet.community.queries import comments
from broadsheet.community.rules.commenting import Draft
from broadsheet.community.rules.moderating import Deed, Reason, Ruling, Subject, Target
from broadsheet.library import actions as keeping
from broadsheet.papers import queries as papers
from broadsheet.storage import archive
from broadsheet.testing import people
from broadsheet.testing.cast import HARBOUR, LANTERN
from broadsheet.web.access import Who

pytestmark = pytest.mark.django_db


def everything() -> dict[str, str]:
    """The digest of every table: what a refused request must leave as it was."""
    import io

    manifest = archive.write(io.BytesIO(), made_by="a test")
    # A page that is asked for may count the asking, and note when somebody was last here.
    return {table.name: table.sha256 for table in manifest.tables if table.name != "accounts.user"}


@dataclass
class Things:
    """What Ada has here: the ids of her things."""

    paper: int
    comment: int
    withdrawn: int
    shelf: int
    token: int
    group: int
    submission: int
    act: int
    removal: int


@pytest.fixture
def things(press) -> Things:
    """Ada's comment, shelf, token, private group, proposal, a decision about her, and something she removed."""
    press([LANTERN, HARBOUR])
    ada, lantern, harbour = people.ada(), papers.find("2401.00001"), papers.find("2401.00002")
    assert lantern is not None
    assert harbour is not None
    comment = commenting.post_comment(by=ada, paper_id=lantern.id, draft=Draft(body="Does it hold?"))
    other = commenting.post_comment(by=ada, paper_id=lantern.id, draft=Draft(body="It does."))
    withdrawn = commenting.post_comment(by=ada, paper_id=lantern.id, draft=Draft(body="Never mind."))
    commenting.remove_comment(by=ada, comment_id=withdrawn)
    ruling = Ruling(Deed.FOLD, Reason.OFF_TOPIC, words="Not about the paper.")
    act = moderating.moderate(by=people.moderator(), subject=Subject(Target.COMMENT, other), ruling=ruling)
    keeping.keep(by=ada, papers_=[lantern.id, harbour.id])
    shelf = keeping.make_shelf(by=ada, name="Lamps")
    keeping.place(by=ada, shelf=shelf, papers_=[lantern.id])
    removal = keeping.drop(by=ada, papers_=[harbour.id])
    accounts.make_token(by=ada, name="a program", scopes=["read:library"])
    described = groups.Description(name="The lamp group", kind="group", is_private=True)
    group = groups.make_group(by=ada, slug="lamps", described=described)
    submissions.propose_paper(by=ada, text="2404.00001")
    from broadsheet.accounts.models import PersonalToken
    from broadsheet.community.models.submissions import Submission

    return Things(
        lantern.id,
        comment,
        withdrawn,
        shelf,
        PersonalToken.objects.get().id,
        group,
        Submission.objects.get().id,
        act,
        removal or 0,
    )


OTHERS: dict[str, Callable[[Things], tuple[str, dict[str, Any]]]] = {
    "edit a comment": lambda its: (f"/comments/{its.comment}/edit", {"body": "Mine now."}),
    "remove a comment": lambda its: (f"/comments/{its.comment}/remove", {"what": "remove"}),
    "restore a comment": lambda its: (f"/comments/{its.withdrawn}/remove", {"what": "restore"}),
    "rename a shelf": lambda its: (f"/library/shelves/{its.shelf}", {"name": "Mine", "what": "change"}),
    "remove a shelf": lambda its: (f"/library/shelves/{its.shelf}", {"what": "remove"}),
    "fill a shelf": lambda its: (f"/library/shelves/{its.shelf}/papers", {"paper": "2401.00002", "what": "place"}),
    "empty a shelf": lambda its: (f"/library/shelves/{its.shelf}/papers", {"paper": "2401.00001", "what": "remove"}),
    "undo a removal": lambda its: ("/library/undo", {"removed": its.removal}),
    "revoke a token": lambda its: ("/account/tokens/revoke", {"token": its.token}),
    "withdraw a proposal": lambda its: ("/proposals", {"id": its.submission}),
    "appeal for somebody": lambda its: ("/moderation/appeal", {"words": "I am Ada.", "act": its.act}),
    "undo a decision": lambda its: ("/moderation/undo", {"act": its.act, "words": "No."}),
    "change a group": lambda _its: ("/groups/lamps", {"what": "change", "name": "Ours", "kind": "group"}),
    "leave a group for somebody": lambda _its: ("/groups/lamps/members", {"what": "remove", "person": people.ada().id}),
    "become an owner": lambda _its: (
        "/groups/lamps/members",
        {"what": "role", "person": people.chloe().id, "role": "owner"},
    ),
    "invite oneself": lambda _its: (
        "/groups/lamps/invitations",
        {"what": "make", "role": "editor", "days": "7", "uses": "5"},
    ),
    "comment in a group": lambda its: ("/comment", {"paper": "2401.00001", "body": "Hello.", "group": its.group}),
    "link to a paper of others": lambda _its: (
        "/author-links",
        {"paper": "2401.00001", "kind": "code", "url": "https://example.org/"},
    ),
    "pick a paper": lambda _its: ("/pick", {"paper": "2401.00001", "what": "pick"}),
    "bar somebody": lambda _its: (
        "/moderation/decide",
        {
            "target": "person",
            "id": people.ada().id,
            "deed": "bar",
            "reason": "spam",
            "until": str((datetime.now(UTC) + timedelta(days=7)).date()),
            "words": "Spam.",
        },
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_nobody_changes_what_is_anothers(things: Things, name: str) -> None:
    path, form = OTHERS[name](things)
    client = people.signed_in(Client(raise_request_exception=False), people.chloe())
    before = everything()
    answer = client.post(path, form)
    assert answer.status_code in {302, 303, 400, 403, 404, 405, 409, 422}
    assert {name for name, digest in everything().items() if digest != before[name]} <= {"community.flag"}


# Whose the things are, where they are not Ada's: what nobody else may do, they may.
MAY = {"undo a decision": people.moderator, "bar somebody": people.moderator, "pick a paper": people.curator}
# What Ada may not do either: she is the last owner, and has claimed no paper.
NOT_EVEN_SHE = {"leave a group for somebody", "become an owner", "link to a paper of others"}


@pytest.mark.parametrize("name", sorted(OTHERS.keys() - NOT_EVEN_SHE))
def test_who_may_does_the_same_by_the_same_form(things: Things, name: str) -> None:
    """What the table above tries would change something, if it were not another's."""
    path, form = OTHERS[name](things)
    before = everything()
    people.signed_in(Client(), MAY.get(name, people.ada)()).post(path, form)
    assert everything() != before


PRIVATE: dict[str, Callable[[Things], str]] = {
    "a shelf that is nobody else's": lambda its: f"/library/shelves/{its.shelf}",
    "a shelf by its public address": lambda _its: "/people/ada/shelves/lamps",
    "a private group": lambda _its: "/groups/lamps",
    "its members": lambda _its: "/groups/lamps/members",
    "its week": lambda _its: "/groups/lamps/week",
    "the same as Markdown": lambda its: f"/library/shelves/{its.shelf}.md",
    "the group as Markdown": lambda _its: "/groups/lamps.md",
}


@pytest.mark.parametrize("name", PRIVATE)
def test_nobody_sees_what_is_anothers(things: Things, name: str) -> None:
    path = PRIVATE[name](things)
    for client in (Client(), people.signed_in(Client(raise_request_exception=False), people.chloe())):
        answer = client.get(path)
        assert answer.status_code in {302, 303, 403, 404, 405}
        assert b"lamp group" not in answer.content
        assert b"Lantern" not in answer.content


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"is_staff": "on", "is_moderator": "on", "is_curator": "on"}, id="roles"),
        pytest.param({"roles": "operator", "role": "operator"}, id="roles by name"),
        pytest.param({"id": "1", "pk": "1", "user": "1", "user_id": "1"}, id="another person"),
        pytest.param({"name": "eva", "email": "eva@example.org", "password": "x"}, id="another's name and mail"),
        pytest.param({"is_active": "", "barred_until": "", "joined_at": "2001-01-01"}, id="one's own limits"),
    ],
)
def test_fields_that_no_form_offers_are_ignored(press, more: dict[str, str]) -> None:
    press([LANTERN])
    chloe = people.chloe()
    client = people.signed_in(Client(), chloe)
    before = get_user_model().objects.filter(id=chloe.id).values().get()
    client.post("/account", {"shown": "Chloé Exemple", "about": "", **more})
    client.post("/comment", {"paper": "2401.00001", "body": "A lamp.", "author": "1", "made_at": "2001-01-01", **more})
    after = get_user_model().objects.filter(id=chloe.id).values().get()
    assert {key for key in before if before[key] != after[key]} <= {"last_login"}
    row = papers.find("2401.00001")
    assert row is not None
    [comment] = comments.discussion(row.id, None).comments
    assert (comment.author.name if comment.author else "", comment.made_at.year) == ("chloe", comment.made_at.year)
    assert comment.made_at.year > 2001


@pytest.mark.parametrize("size", [20_000, 1_000_000, 10_000_000])
def test_a_comment_of_megabytes_is_refused_and_said_so(press, size: int) -> None:
    press([LANTERN])
    client = people.signed_in(Client(raise_request_exception=False), people.ada())
    answer = client.post("/comment", {"paper": "2401.00001", "body": "lamp " * (size // 5)})
    assert answer.status_code in {400, 413, 422}
    row = papers.find("2401.00001")
    assert row is not None
    assert comments.discussion(row.id, None).comments == ()


@pytest.mark.parametrize("place", ["//attacker.example", "https://attacker.example", "/\\attacker.example",
                                   "\thttps://attacker.example", "javascript:1", "https:attacker.example",
                                   "http://testserver@attacker.example", "/\r\nX-Injected: 1"])  # fmt: skip
def test_nobody_is_led_elsewhere(press, place: str) -> None:
    press([LANTERN])
    client = people.signed_in(Client(raise_request_exception=False), people.ada())
    for path, form in (
        ("/vote", {"paper": "2401.00001", "what": "cast"}),
        ("/library/keep", {"paper": "2401.00001", "what": "keep"}),
        ("/account/sign-out", {}),
    ):
        answer = client.post(path, {**form, "next": place})
        location = answer.headers.get("Location", "/")
        assert location.startswith("/")
        assert not location.startswith(("//", "/\\"))
        assert "X-Injected" not in answer.headers


def test_roles_are_what_the_matrix_says(press) -> None:
    """A person has no role that nobody gave her."""
    press([])
    assert [role for role in Who if role is not Who.ANYONE and _has(people.chloe(), role)] == [Who.READER]


def _has(person: Person, who: Who) -> bool:
    from broadsheet.accounts.rules import Role

    return person.is_a(Role(who.value))
