"""Groups: who gets in, who sees what, what owners, editors and members may do."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from broadsheet.accounts import queries
from broadsheet.accounts.actions import groups
from broadsheet.accounts.actions.groups import Description
from broadsheet.accounts.models import Invitation, Membership
from broadsheet.accounts.rules import GroupRole, Person, Refused
from broadsheet.community.actions import commenting, voting
from broadsheet.community.models.authorship import AuthorClaim
from broadsheet.community.models.comments import Comment
from broadsheet.community.rules.commenting import Draft
from broadsheet.library import actions
from broadsheet.library import queries as library
from broadsheet.papers import queries as papers
from broadsheet.papers.actions import merge_papers, store_many
from broadsheet.testing.cast import HARBOUR, LANTERN
from broadsheet.testing.people import ada, bela, chloe, reader, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def stored(db: None) -> None:
    store_many([LANTERN, HARBOUR])


def make(by: Person, slug: str = "lamps", *, kind: str = "group", is_private: bool = True) -> int:
    return groups.make_group(by=by, slug=slug, described=Description("Lamp Readers", kind, is_private=is_private))


def let_in(group: int, person: Person, *, by: Person, role: str = "member") -> None:
    groups.join(by=person, secret=groups.invite(by=by, group=group, role=role, days=7, uses=1))


def as_(person: Person) -> Client:
    return signed_in(Client(headers={"host": "localhost"}), person)


def text(response: Any) -> str:
    content: bytes = response.content
    return content.decode().replace("\xa0", " ")


def test_a_group_is_made_described_and_joined_by_forms() -> None:
    owner = as_(ada())
    response = owner.post("/groups", {"slug": "lamps", "name": "Lamp Readers", "kind": "group", "is_private": "yes"})
    assert response["Location"] == "/groups/lamps"
    page = text(owner.post("/groups/lamps/invitations", {"role": "editor", "days": "7", "uses": "1"}))
    [address] = re.findall(r"<code>http://localhost(/groups/join/[^<]+)</code>", page)
    guest = as_(bela())
    assert guest.get("/groups/lamps").status_code == 404
    assert "Lamp Readers" in text(guest.get(address))
    assert guest.post(address)["Location"] == "/groups/lamps"
    assert "Bela Beispiel" in text(guest.get("/groups/lamps"))
    assert as_(chloe()).get(address).status_code == 404
    assert address.rpartition("/")[2] not in str(list(Invitation.objects.values()))


@pytest.mark.parametrize("path", ["/groups/lamps", "/groups/lamps/week", "/groups/lamps/week.atom"])
@pytest.mark.parametrize("form", ["page", "shelf"])
def test_a_private_group_is_invisible_to_others(path: str, form: str) -> None:
    group = make(ada())
    actions.make_shelf(by=ada(), name="Steps", group=group)
    path = path if form == "page" else "/groups/lamps/shelves/steps"
    for client in (Client(headers={"host": "localhost"}), as_(chloe())):
        assert client.get(path).status_code == 404
        assert "Lamp Readers" not in text(client.get("/groups"))
    response = as_(ada()).get(path)
    assert response.status_code == 200
    assert response["Cache-Control"].startswith("private")
    for address in ("/groups/lamps/members", "/groups/lamps/invitations"):
        assert as_(chloe()).post(address, {"what": "leave"}).status_code == 404
    assert as_(chloe()).get("/groups/none").status_code == 404


def test_an_organisation_is_seen_by_everybody_and_never_private() -> None:
    make(ada(), kind="organisation", is_private=False)
    page = text(Client(headers={"host": "localhost"}).get("/groups/lamps"))
    assert "Organisation" in page
    assert "<form" not in page.split("<main")[1].split("</main>")[0]
    with pytest.raises(Refused, match="seen by everybody"):
        make(ada(), "more", kind="organisation", is_private=True)


@pytest.mark.parametrize(
    ("role", "may_fill", "may_invite"),
    [
        pytest.param("owner", True, True, id="owner"),
        pytest.param("editor", True, False, id="editor"),
        pytest.param("member", False, False, id="member"),
        pytest.param("", False, False, id="nobody of it"),
    ],
)
def test_what_each_role_may_do(role: str, may_fill: bool, may_invite: bool) -> None:
    group = make(ada())
    shelf = actions.make_shelf(by=ada(), name="Steps", group=group)
    somebody = bela()
    if role:
        let_in(group, somebody, by=ada(), role="editor" if role == "editor" else "member")
    if role == "owner":
        groups.set_role(by=ada(), group=group, person=somebody.id, role="owner")
    client = as_(somebody)
    added = client.post(f"/library/shelves/{shelf}/papers", {"paper": "2401.00001", "what": "add"})
    assert (added.status_code == 303) is may_fill
    assert bool(library.placed(shelf)) is may_fill
    assert library.everything(somebody) == []
    invited = client.post("/groups/lamps/invitations", {"role": "member", "days": "1", "uses": "1"})
    assert (invited.status_code == 200) is may_invite
    changed = client.post("/groups/lamps", {"name": "Ours Now", "kind": "group", "is_private": "yes"})
    assert (changed.status_code == 303) is may_invite


def test_the_last_owner_cannot_leave_nor_step_down() -> None:
    group = make(ada())
    let_in(group, bela(), by=ada())
    calls: tuple[Callable[[], None], ...] = (
        lambda: groups.leave(by=ada(), group=group),
        lambda: groups.remove_member(by=ada(), group=group, person=ada().id),
        lambda: groups.set_role(by=ada(), group=group, person=ada().id, role="member"),
    )
    for call in calls:
        with pytest.raises(Refused, match="needs an owner"):
            call()
    groups.set_role(by=ada(), group=group, person=bela().id, role="owner")
    groups.leave(by=ada(), group=group)
    assert queries.groups_of(ada().id) == frozenset()


def test_leaving_and_taking_out_can_be_undone_by_whoever_did_it() -> None:
    group = make(ada())
    let_in(group, bela(), by=ada(), role="editor")
    client = as_(bela())
    assert client.post("/groups/lamps/members", {"what": "leave"}).status_code == 303
    assert "You left Lamp Readers." in text(client.get("/groups"))
    with pytest.raises(Refused):
        groups.put_back(by=ada(), group=group, person=bela().id)
    assert client.post("/groups/lamps/members", {"what": "come-back"}).status_code == 303
    owner = as_(ada())
    owner.post("/groups/lamps/members", {"what": "remove", "person": bela().id})
    assert client.get("/groups/lamps").status_code == 404
    assert client.post("/groups/lamps/members", {"what": "come-back"}).status_code == 404
    owner.post("/groups/lamps/members", {"what": "put-back", "person": bela().id})
    assert {member.person.id: member.role for member in queries.members(group)}[bela().id] is GroupRole.EDITOR


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param({"uses_left": 0}, id="used up"),
        pytest.param({"expires_at": timezone.now() - timedelta(days=1)}, id="expired"),
    ],
)
def test_an_invitation_ends(spoil: dict[str, object]) -> None:
    secret = groups.invite(by=ada(), group=make(ada()), role="member", days=1, uses=2)
    Invitation.objects.update(**spoil)
    assert as_(bela()).get(f"/groups/join/{secret}").status_code == 404
    with pytest.raises(Refused):
        groups.join(by=bela(), secret=secret)


def test_an_invitation_is_used_as_often_as_it_says_and_not_by_members() -> None:
    secret = groups.invite(by=ada(), group=make(ada()), role="member", days=1, uses=1)
    groups.join(by=ada(), secret=secret)
    groups.join(by=bela(), secret=secret)
    with pytest.raises(Refused):
        groups.join(by=chloe(), secret=secret)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        pytest.param({"slug": "x"}, "2 to 40 small letters", id="short address"),
        pytest.param({"slug": "join"}, "that we use", id="reserved"),
        pytest.param({"slug": "a/b"}, "2 to 40 small letters", id="slash"),
        pytest.param({"slug": "taken"}, "exists already", id="taken"),
        pytest.param({"name": "\u200b"}, "2 to 120 letters", id="no name"),
        pytest.param({"kind": "cult"}, "a group or an organisation", id="kind"),
        pytest.param({"website": "javascript:alert(1)"}, "begins with https", id="script"),
        pytest.param({"about": "x" * 5001}, "5,000 letters", id="long"),
    ],
)
def test_what_is_refused_keeps_what_was_typed(fields: dict[str, str], sentence: str) -> None:
    make(ada(), "taken")
    sent = {"slug": "lamps", "name": "Lamp Readers", "kind": "group", "about": "Typed with care.", **fields}
    response = as_(ada()).post("/groups", sent)
    assert response.status_code == 422
    assert sentence in text(response)
    assert sent["about"] in text(response)


def test_one_person_owns_a_limited_number_of_groups() -> None:
    for number in range(10):
        make(ada(), f"lamps-{number}")
    with pytest.raises(Refused, match="10 groups"):
        make(ada(), "more")


def test_the_week_of_a_group_tells_votes_and_shelves_and_has_feeds() -> None:
    group = make(ada(), is_private=False)
    let_in(group, bela(), by=ada())
    lantern, harbour = (papers.find(key).id for key in ("2401.00001", "2401.00002"))  # type: ignore[union-attr]  # both are stored
    shelf = actions.make_shelf(by=ada(), name="Steps", group=group)
    actions.place(by=ada(), shelf=shelf, papers_=[lantern])
    for person in (ada(), bela()):
        voting.cast_vote(by=person, paper_id=harbour)
    page = text(as_(bela()).get("/groups/lamps/week"))
    assert "2 votes" in page
    assert "put on Steps" in page
    assert page.index("Harbour") < page.index("Lantern")
    visitor = Client(headers={"host": "localhost"})
    assert "2 votes" not in text(visitor.get("/groups/lamps/week"))
    assert "Harbour" not in text(visitor.get("/groups/lamps/week"))
    for form in ("atom", "rss", "json", "bib"):
        assert "Lantern" in text(visitor.get(f"/groups/lamps/week.{form}"))
    for number in range(3):
        let_in(group, reader(f"more{number}"), by=ada())
    assert "Harbour" in text(visitor.get("/groups/lamps/week"))


def test_the_week_of_a_group_tells_what_members_discussed() -> None:
    """Comments for everybody count for everybody; those for the group alone, for its members."""
    group = make(ada(), is_private=False)
    let_in(group, bela(), by=ada())
    lantern, harbour = (papers.find(key).id for key in ("2401.00001", "2401.00002"))  # type: ignore[union-attr]  # both are stored
    for by, paper, within in (
        (ada(), lantern, None),
        (bela(), lantern, group),
        (chloe(), lantern, None),
        (bela(), harbour, group),
    ):
        commenting.post_comment(by=by, paper_id=paper, draft=Draft(body="Does it hold?", group=within))
    member, visitor = as_(ada()), Client(headers={"host": "localhost"})
    page = text(member.get("/groups/lamps/week"))
    assert page.index("2 comments") < page.index("Lantern") < page.index("1 comment<") < page.index("Harbour")
    page = text(visitor.get("/groups/lamps/week"))
    assert "1 comment<" in page
    assert "Harbour" not in page
    Comment.objects.update(made_at=timezone.now() - timedelta(days=8))
    assert "Nothing this week." in text(member.get("/groups/lamps/week"))


def test_comments_of_papers_that_merged_count_for_one() -> None:
    group = make(ada())
    lantern, harbour = (papers.find(key).id for key in ("2401.00001", "2401.00002"))  # type: ignore[union-attr]  # both are stored
    for paper in (lantern, harbour):
        commenting.post_comment(by=ada(), paper_id=paper, draft=Draft(body="Does it hold?", group=group))
    merge_papers(winner_key="2401.00001", loser_key="2401.00002", reason="one work")
    assert "2 comments<" in text(as_(ada()).get("/groups/lamps/week"))


@pytest.mark.parametrize(
    ("kind", "state", "told"),
    [
        pytest.param("organisation", "confirmed", True, id="an organisation"),
        pytest.param("organisation", "pending", False, id="a claim that waits"),
        pytest.param("organisation", "undone", False, id="one that was undone"),
        pytest.param("group", "confirmed", False, id="a group that only reads"),
    ],
)
def test_an_organisation_names_its_authors(kind: str, state: str, told: bool) -> None:
    group = make(ada(), kind=kind, is_private=False)
    let_in(group, bela(), by=ada())
    row = papers.find("2401.00002")
    assert row is not None
    now = timezone.now()
    for person, author, slug in ((bela(), "B. Beispiel", "b-beispiel"), (chloe(), "Chloé Exemple", "chloe-exemple")):
        AuthorClaim.objects.create(
            user_id=person.id, paper_id=row.id, author=author, slug=slug, state=state, made_at=now, decided_at=now
        )
    page = text(Client(headers={"host": "localhost"}).get("/groups/lamps"))
    assert ('<a href="/author/b-beispiel">B. Beispiel</a>' in page) is told
    assert "chloe-exemple" not in page


def test_a_group_is_handed_over_before_its_owner_goes() -> None:
    group = make(ada())
    let_in(group, bela(), by=ada())
    let_in(group, chloe(), by=ada(), role="editor")
    alone = make(ada(), "alone")
    groups.hand_over(person_id=ada().id)
    assert queries.groups_seen([alone], ada()) == {}
    assert {member.person.name: member.role for member in queries.members(group)}["chloe"] is GroupRole.OWNER


def test_of_two_accounts_the_higher_role_stays() -> None:
    group = make(ada())
    let_in(group, bela(), by=ada())
    groups.take_over_memberships(from_id=ada().id, to_id=bela().id)
    assert [(row.user_id, row.role) for row in Membership.objects.all()] == [(bela().id, "owner")]
