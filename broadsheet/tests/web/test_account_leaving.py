"""Export, deletion and merging over the whole schema, so that a new table cannot be forgotten."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.core import mail
from django.db.models import CASCADE, SET_NULL, CharField, ForeignKey, TextField
from django.test import Client

from broadsheet import links
from broadsheet.accounts import actions, queries
from broadsheet.accounts.rules import Person, Refused, Role
from broadsheet.community.actions.commenting import mute_person
from broadsheet.community.actions.voting import cast_vote
from broadsheet.community.models.comments import Comment
from broadsheet.community.models.votes import Vote
from broadsheet.papers.actions import store_many
from broadsheet.papers.models import Paper
from broadsheet.testing.cast import LANTERN
from broadsheet.testing.people import PASSWORD, ada, bela, operator, reader, signed_in
from broadsheet.web import joining

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)

# What becomes of a row when the person goes to whom it points: it goes too, or it stays without her.
STAYS = {
    "community.Act.by",
    "community.Act.person",
    "community.Appeal.decided_by",
    "community.AuthorClaim.decided_by",
    "community.Comment.author",
    "community.Ring.lifted_by",
    "library.Placement.added_by",
    "library.Removal.by",
}


def _pointers() -> list[ForeignKey[Any, Any]]:
    """Every foreign key to a person in the whole schema, those of other packages too."""
    people = get_user_model()
    return [
        field
        for table in apps.get_models()
        for field in table._meta.get_fields()
        if isinstance(field, ForeignKey) and field.related_model is people
    ]


def _name(field: ForeignKey[Any, Any]) -> str:
    return f"{field.model._meta.label}.{field.name}"


def test_every_pointer_to_a_person_says_what_becomes_of_its_row() -> None:
    told = {_name(field): field.remote_field.on_delete for field in _pointers()}
    assert {name for name, what in told.items() if what is SET_NULL} == STAYS
    assert {name for name, what in told.items() if what not in (SET_NULL, CASCADE)} == set()


def _rich(name: str) -> Person:
    """Somebody who has something of everything that accounts keep, a comment that was answered, and a vote."""
    person = reader(name, f"{name.title()} Quillfeather")
    row = get_user_model().objects.get(id=person.id)
    EmailAddress.objects.create(user=row, email=row.email, verified=True, primary=True)
    Authenticator.objects.create(user=row, type="totp", data={"secret": "JBSWY3DPEHPK3PXP"})
    SocialAccount.objects.create(user=row, provider="orcid", uid=f"0000-0000-0000-{row.id:04}")
    actions.make_token(by=person, name="Script", scopes=["read:library"])
    store_many([LANTERN])
    paper = Paper.objects.get()
    cast_vote(by=person, paper_id=paper.id, now=NOON)
    first = Comment.objects.create(paper=paper, author_id=person.id, body=f"{name} was here", html="…", made_at=NOON)
    Comment.objects.create(
        paper=paper, author_id=bela().id, parent=first, thread=first, body="So?", html="So?", made_at=NOON
    )
    Comment.objects.create(paper=paper, author_id=person.id, body=f"{name} alone", html="…", made_at=NOON)
    return person


def _words(table: Any) -> list[str]:
    return [field.name for field in table._meta.concrete_fields if isinstance(field, CharField | TextField)]


@pytest.fixture
def quill(db: None, client: Client) -> Person:
    """The person who leaves, signed in."""
    person = _rich("quillfeather")
    client.post(links.SIGN_IN, {"login": person.name, "password": PASSWORD})
    client.post("/account/second", {"code": "000000"})
    signed_in(client, person)
    return person


def _leave(client: Client, name: str) -> Any:
    client.post("/account/confirm", {"password": PASSWORD})
    return client.post(links.DELETE, {"name": name})


class TestDeletion:
    def test_nothing_points_to_her_and_no_text_holds_her_name(self, client: Client, quill: Person) -> None:
        assert "is deleted" in _leave(client, quill.name).content.decode()
        for field in _pointers():
            assert not field.model._default_manager.filter(**{field.name: quill.id}).exists(), _name(field)
        for table in apps.get_models():
            for column in _words(table):
                found = table._default_manager.filter(**{f"{column}__icontains": "quillfeather"})
                assert not found.exists(), f"{table._meta.label}.{column}"

    def test_no_session_of_hers_opens_anything(self, client: Client, quill: Person) -> None:
        _leave(client, quill.name)
        assert client.get(links.ACCOUNT).status_code == 303
        assert not [each for each in Session.objects.all() if each.get_decoded().get("_auth_user_id") == str(quill.id)]

    def test_a_comment_that_was_answered_keeps_an_empty_place(self, client: Client, quill: Person) -> None:
        _leave(client, quill.name)
        place, answer = Comment.objects.order_by("id")
        assert (place.author, place.body, place.html) == (None, "", "")
        assert answer.parent == place

    def test_somebody_who_only_sits_at_her_screen_is_asked_for_the_password(
        self, client: Client, quill: Person
    ) -> None:
        assert client.post(links.DELETE, {"name": quill.name}).headers["Location"].startswith("/account/confirm")
        assert queries.named(quill.name) == quill

    def test_her_name_is_asked_for(self, client: Client, quill: Person) -> None:
        assert _leave(client, "somebody").status_code == 422
        assert queries.named(quill.name) == quill

    @pytest.mark.django_db
    def test_the_last_operator_stays(self) -> None:
        with pytest.raises(Refused, match="only operator"):
            joining.delete(operator())
        with pytest.raises(Refused, match="only operator"):
            actions.set_role(name="fatou", role=Role.OPERATOR, has=False)


class TestExport:
    def test_every_table_that_points_to_her_is_in_it(self, client: Client, quill: Person) -> None:
        told = json.loads(client.get(links.MY_DATA).content)["tables"]
        for field in _pointers():
            if field.model._default_manager.filter(**{field.name: quill.id}).exists():
                assert field.model._meta.label in told, _name(field)
        assert told["accounts.User"][0]["name"] == quill.name
        assert {row["body"] for row in told["community.Comment"]} == {"quillfeather was here", "quillfeather alone"}

    def test_no_secret_and_nobody_else_is_in_it(self, client: Client, quill: Person) -> None:
        text = client.get(links.MY_DATA).content.decode()
        for secret in ("argon2", "JBSWY3DPEHPK3PXP", "digest", "session_key", "So?", "bela"):
            assert secret not in text

    def test_it_is_hers_alone(self, client: Client, quill: Person) -> None:
        signed_in(client, bela())
        assert "quillfeather" not in client.get(links.MY_DATA).content.decode()
        assert Client().get(links.MY_DATA).status_code == 303

    def test_tells_whom_she_muted_and_not_who_muted_her(self, db: None) -> None:
        mute_person(by=ada(), person_id=bela().id, on=True)
        told = [signed_in(Client(), who).get(links.MY_DATA).json()["tables"] for who in (ada(), bela())]
        assert len(told[0]["community.Mute"]) == 1
        assert "community.Mute" not in told[1]


class TestMerging:
    def test_everything_moves_and_nothing_is_double(self, quill: Person) -> None:
        kept = _rich("ada")
        joining.merge(kept=kept, gone=quill)
        assert queries.named(quill.name) is None
        for field in _pointers():
            assert not field.model._default_manager.filter(**{field.name: quill.id}).exists(), _name(field)
        assert Vote.objects.filter(user=kept.id).count() == 1
        assert Comment.objects.filter(author=kept.id).count() == 4
        assert queries.confirmed_addresses(kept.id) == ["ada@example.org", "quillfeather@example.org"]
        assert len(queries.tokens(kept.id)) == 2
        assert len(queries.orcid_records(kept.id)) == 2

    def test_nobody_shakes_a_bar_off(self, quill: Person) -> None:
        until = datetime(2030, 1, 1, tzinfo=UTC)
        actions.bar(name=quill.name, until=until, because="Rude.")
        joining.merge(kept=ada(), gone=quill)
        found = queries.named("ada")
        assert found is not None
        assert found.barred_until == until

    def test_what_fails_moves_nothing(self, quill: Person, monkeypatch: Any) -> None:
        def fail(**_: object) -> None:
            raise Refused("No.", ground="not-allowed")  # type: ignore[arg-type]  # never looked at

        monkeypatch.setattr("broadsheet.web.joining.accounts.merge_people", fail)
        kept = ada()
        with pytest.raises(Refused):
            joining.merge(kept=kept, gone=quill)
        assert Comment.objects.filter(author=quill.id).count() == 2

    @pytest.fixture
    def merging(self, client: Client, db: None, settings: Any) -> Client:
        settings.BROADSHEET_MAIL = True
        row = get_user_model().objects.get(id=bela().id)
        EmailAddress.objects.create(user=row, email=row.email, verified=True, primary=True)
        signed_in(client, ada())
        client.post("/account/confirm", {"password": PASSWORD})
        return client

    @pytest.mark.parametrize(
        ("typed", "status"),
        [
            pytest.param({"login": "bela", "password": PASSWORD}, 200, id="by name"),
            pytest.param({"login": "bela@example.org", "password": PASSWORD}, 200, id="by address"),
            pytest.param({"login": "bela", "password": "wrong"}, 422, id="a wrong password"),
            pytest.param({"login": "nobody2", "password": PASSWORD}, 422, id="nobody"),
            pytest.param({"login": "ada", "password": PASSWORD}, 422, id="herself"),
        ],
    )
    def test_by_password(self, merging: Client, typed: dict[str, str], status: int) -> None:
        response = merging.post(links.MERGE, typed | {"do": "password"})
        assert response.status_code == status
        assert (queries.named("bela") is None) == (status == 200)

    def test_a_second_factor_is_asked_for_too(self, merging: Client) -> None:
        row = get_user_model().objects.get(name="bela")
        Authenticator.objects.create(user=row, type="totp", data={"secret": "JBSWY3DPEHPK3PXP"})
        assert merging.post(links.MERGE, {"login": "bela", "password": PASSWORD, "do": "password"}).status_code == 422
        assert queries.named("bela") is not None

    def test_by_a_code_of_its_mail(self, merging: Client) -> None:
        merging.post(links.MERGE, {"login": "bela", "do": "mail"})
        assert mail.outbox[0].to == ["bela@example.org"]
        code = next(line for line in str(mail.outbox[0].body).splitlines() if line.isdecimal())
        assert merging.post(links.MERGE, {"code": "0" * 10, "do": "code"}).status_code == 422
        assert merging.post(links.MERGE, {"code": code, "do": "code"}).status_code == 200
        assert queries.named("bela") is None

    def test_five_codes_may_be_tried(self, merging: Client) -> None:
        merging.post(links.MERGE, {"login": "bela", "do": "mail"})
        code = next(line for line in str(mail.outbox[0].body).splitlines() if line.isdecimal())
        for _ in range(5):
            merging.post(links.MERGE, {"code": "0" * 10, "do": "code"})
        assert merging.post(links.MERGE, {"code": code, "do": "code"}).status_code == 422

    def test_who_has_not_said_that_it_is_she_is_asked_first(self, client: Client, db: None) -> None:
        signed_in(client, ada())
        assert client.get(links.MERGE).headers["Location"].startswith("/account/confirm")
