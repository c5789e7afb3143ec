"""The one reader of an instance without accounts."""

from __future__ import annotations

from broadsheet.accounts import queries
from broadsheet.accounts.models import User
from broadsheet.accounts.rules import Person


def only_reader() -> Person:
    """The person whom an instance without accounts belongs to, made when she is not there yet. She is its operator."""
    user, _ = User.objects.get_or_create(
        name=queries.ONLY_READER, defaults={"shown": "You", "is_staff": True, "password": "!"}
    )
    return queries.as_person(user)
