"""`broadsheet person`: accounts made and changed by hand, the first operator among them."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click
from django.conf import settings

from broadsheet.accounts import actions, queries
from broadsheet.accounts.rules import Person, Refused, Role
from broadsheet.cli import preparing
from broadsheet.cli.failure import Failure
from broadsheet.config import folder
from broadsheet.web import joining


def add(name: str, mail: str, *, shown: str, role: str) -> None:
    """Make an account; its password is the first line of standard input, or asked for. Raises Failure."""
    folder.make(settings.BROADSHEET_DATA)
    preparing.prepare_tables(click.echo)
    try:
        made = actions.add_person(name=name, email=mail, password=_password(), shown=shown, role=Role(role))
    except Refused as refused:
        raise Failure(f"{refused} Nothing was made.") from refused
    click.echo(f"{made.name} can sign in now, as {role}.")


def _password() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, default="", show_default=False))
    return sys.stdin.readline().rstrip("\r\n")


def role(name: str, role: str, *, take: bool) -> None:
    """Give a role or take it. Raises Failure."""
    changed = _changed(lambda: actions.set_role(name=name, role=Role(role), has=not take))
    click.echo(f"{changed.name} is {_roles(changed)}.")


def unlock(name: str) -> None:
    """Take the authenticator and the recovery codes from an account. Raises Failure."""
    changed = _changed(lambda: actions.drop_factors(name=name))
    click.echo(f"{changed.name} signs in without an authenticator now: with the password, or a passkey.")


def remove(name: str) -> None:
    """Delete an account with everything that hangs on it. Raises Failure."""
    preparing.require_database()
    found = queries.named(name)
    if found is None:
        raise Failure("Nobody has this name. Nothing was deleted.")
    try:
        joining.delete(found)
    except Refused as refused:
        raise Failure(str(refused)) from refused
    click.echo(f"{found.name} is gone, with everything that hung on the account.")


def inherit(name: str) -> None:
    """Give somebody all that the one reader had before there were accounts. Raises Failure."""
    preparing.require_database()
    heir, reader = queries.named(name), queries.only_reader()
    if heir is None:
        raise Failure("Nobody has this name. Nothing was changed. `broadsheet person add` makes an account.")
    if reader is None:
        raise Failure("This instance never had a reader without an account. Nothing was changed.")
    try:
        joining.merge(kept=heir, gone=reader)
    except Refused as refused:
        raise Failure(f"{refused} Nothing was changed.") from refused
    click.echo(f"{heir.name} has the library, the notes and the votes of the reader without an account now.")


def list_people() -> None:
    """Print everybody: name, roles, since when, and until when she may not write."""
    preparing.require_database()
    for each in queries.everybody():
        barred = f"\tbarred until {each.barred_until:%Y-%m-%d}" if each.barred_until else ""
        click.echo(f"{each.name}\t{_roles(each)}\t{each.joined_at:%Y-%m-%d}{barred}")


def _changed(change: Callable[[], Person]) -> Person:
    preparing.require_database()
    try:
        return change()
    except Refused as refused:
        raise Failure(f"{refused} Nothing was changed.") from refused


def _roles(person: Person) -> str:
    return ", ".join(role.value for role in Role if role in person.roles)
