"""The cast with accounts: who they are, and how a test's client becomes one of them. Needs the database."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.test import Client

from broadsheet.accounts import actions, queries
from broadsheet.accounts.rules import Person, Role

PASSWORD = "a lamp for every step"  # noqa: S105  # of invented people

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
_FLAGS = {Role.CURATOR: "is_curator", Role.MODERATOR: "is_moderator", Role.OPERATOR: "is_staff"}


def reader(name: str, shown: str = "", *roles: Role) -> Person:
    """The person of that name with these roles, made when she is not there yet; her mail is name@example.org."""
    users = get_user_model()
    user, made = users.objects.get_or_create(
        name=name,
        defaults={"shown": shown or name, "email": f"{name}@example.org", **{_FLAGS[role]: True for role in roles}},
    )
    if made:
        user.set_password(PASSWORD)
        user.save(update_fields=["password"])
    return queries.as_person(user)


def ada() -> Person:
    """Ada Example, who reads and writes papers."""
    return reader("ada", "Ada Example")


def bela() -> Person:
    """Bela Beispiel, who reads and writes papers."""
    return reader("bela", "Bela Beispiel")


def chloe() -> Person:
    """Chloé Exemple, who belongs to no group."""
    return reader("chloe", "Chloé Exemple")


def curator() -> Person:
    """Đorđe Primer, who picks papers for the front page."""
    return reader("dorde", "Đorđe Primer", Role.CURATOR)


def moderator() -> Person:
    """Eva Beispiel, who moderates."""
    return reader("eva", "Eva Beispiel", Role.MODERATOR)


def operator() -> Person:
    """Fatou Exemple, who runs the instance."""
    return reader("fatou", "Fatou Exemple", Role.OPERATOR)


def signed_in(client: Client, person: Person) -> Client:
    """The same client, signed in as that person."""
    client.force_login(get_user_model().objects.get(id=person.id))
    return client


def alone(settings: Any) -> Person:
    """The one reader of an instance without accounts, made as its preparation makes her; `settings` are the test's."""
    settings.BROADSHEET_ACCOUNTS = False
    return actions.only_reader()
