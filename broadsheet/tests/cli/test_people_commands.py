"""`broadsheet person`: accounts by hand, the first operator among them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from click.testing import CliRunner, Result
from django.contrib.auth import get_user_model

from broadsheet.accounts import queries
from broadsheet.cli.commands import broadsheet as command
from broadsheet.community.actions import commenting, voting
from broadsheet.community.queries import comments, votes
from broadsheet.community.rules.commenting import Draft
from broadsheet.library import actions as library
from broadsheet.library.queries import kept
from broadsheet.papers import queries as papers
from broadsheet.papers.actions import store_many
from broadsheet.testing import people
from broadsheet.testing.cast import LANTERN

pytestmark = pytest.mark.django_db(transaction=True)

Run = Callable[..., Result]


@pytest.fixture
def run(data_folder) -> Run:
    """The command, with what is typed."""

    def ask(*arguments: str, typed: str = "") -> Result:
        return CliRunner().invoke(command, ["person", *arguments, "--data", str(data_folder)], input=typed)

    return ask


def test_the_first_operator_is_made_by_hand(run: Run) -> None:
    done = run("add", "fatou", "fatou@example.org", "--role", "operator", typed="a lamp for every step\n")
    assert done.exit_code == 0, done.output
    found = queries.named("fatou")
    assert found is not None
    assert "operator" in found.roles
    listed = run("list").output
    assert "fatou" in listed
    assert "operator" in listed


def test_a_name_that_is_taken_or_none_is_refused(run: Run) -> None:
    people.ada()
    for name in ("ada", "Ada Example", "admin"):
        done = run("add", name, "other@example.org", typed="a lamp for every step\n")
        assert done.exit_code == 1
        assert "Nothing was made." in done.output


def test_roles_are_given_and_taken(run: Run) -> None:
    people.ada()
    assert run("role", "ada", "moderator").exit_code == 0
    assert "moderator" in run("list").output
    assert run("role", "ada", "moderator", "--take").exit_code == 0
    assert "moderator" not in run("list").output


def test_an_account_is_removed_with_all_that_hangs_on_it(run: Run) -> None:
    store_many([LANTERN])
    row, ada = papers.find("2401.00001"), people.ada()
    assert row is not None
    voting.cast_vote(by=ada, paper_id=row.id)
    commenting.post_comment(by=ada, paper_id=row.id, draft=Draft(body="Does it hold?"))
    done = run("remove", "ada", "--yes")
    assert done.exit_code == 0, done.output
    assert queries.named("ada") is None
    assert votes.tallies([row.id], None)[row.id].votes == 0
    assert comments.discussion(row.id, None).comments == ()


def test_nobody_of_that_name_is_a_sentence(run: Run) -> None:
    for arguments in (("remove", "nobody-here", "--yes"), ("role", "nobody-here", "curator")):
        done = run(*arguments)
        assert done.exit_code == 1
        assert "Error" in done.output


def test_what_the_one_reader_had_goes_to_an_account(run: Run, settings: Any) -> None:
    store_many([LANTERN])
    row, you = papers.find("2401.00001"), people.alone(settings)
    assert row is not None
    library.keep(by=you, papers_=[row.id])
    settings.BROADSHEET_ACCOUNTS = True
    ada = people.ada()
    assert run("inherit", "nobody-here").exit_code == 1
    done = run("inherit", "ada")
    assert done.exit_code == 0, done.output
    assert kept([row.id], ada).keys() == {row.id}
    again = run("inherit", "ada")
    assert again.exit_code == 1
    assert "Nothing was changed" in again.output


def test_a_lost_authenticator_is_taken_from_an_account(run: Run) -> None:
    row = get_user_model().objects.get(id=people.ada().id)
    Authenticator.objects.create(user=row, type="totp", data={"secret": "JBSWY3DPEHPK3PXP"})
    done = run("unlock", "ada")
    assert done.exit_code == 0, done.output
    assert "without an authenticator now" in done.output
    assert not Authenticator.objects.exists()
    again = run("unlock", "ada")
    assert again.exit_code == 1
    assert "has no authenticator app. Nothing was changed." in again.output
