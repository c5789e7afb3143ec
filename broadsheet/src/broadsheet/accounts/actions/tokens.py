"""Personal tokens: keys that a person makes for her programs."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from broadsheet.accounts import queries
from broadsheet.accounts.models import PersonalToken
from broadsheet.accounts.rules import LIFETIMES, MOST_TOKENS, Ground, Person, Refused, Scope, clean_shown, new_token

_SHOWN = 8  # characters of a token by which its owner knows it again


def make_token(*, by: Person, name: str, scopes: Iterable[str], lifetime: str = "") -> str:
    """Make a token and return it; nobody can see it again. `lifetime` is a key of LIFETIMES, or empty for no end.

    Raises Refused when it has no name, is good for nothing, or the person has as many as she may have.
    """
    name = clean_shown(name)
    wanted = sorted({str(Scope(scope)) for scope in scopes if scope in set(Scope)})
    if not name:
        raise Refused("A token needs a name by which you know it again.", ground=Ground.NOT_UNDERSTOOD, field="name")
    if not wanted:
        raise Refused("A token must be good for something. Choose at least one.", ground=Ground.NOT_UNDERSTOOD)
    if lifetime and lifetime not in LIFETIMES:
        raise Refused("Choose how long the token holds.", ground=Ground.NOT_UNDERSTOOD, field="lifetime")
    secret, now = new_token(), timezone.now()
    with transaction.atomic():
        if PersonalToken.objects.filter(user=by.id).count() >= MOST_TOKENS:
            raise Refused(
                f"You have {MOST_TOKENS} tokens, which is as many as one may have. Revoke one first.",
                ground=Ground.TOO_MUCH,
            )
        PersonalToken.objects.create(
            user_id=by.id,
            name=name,
            start=secret[:_SHOWN],
            digest=queries.digest(secret),
            scopes=wanted,
            made_at=now,
            expires_at=now + LIFETIMES[lifetime] if lifetime else None,
        )
    return secret


def revoke_token(*, by: Person, token_id: int) -> str:
    """Take a token of hers out of use, at once and for ever, and return its name. Raises Refused."""
    with transaction.atomic():
        found = PersonalToken.objects.filter(id=token_id, user=by.id).first()
        if found is None:
            raise Refused("There is no such token. Perhaps it was revoked before.", ground=Ground.NOT_THERE)
        name = found.name
        found.delete()
    return name


def note_use(*, token: str) -> None:
    """Keep that a token was used now, for its owner's list."""
    PersonalToken.objects.filter(digest=queries.digest(token)).update(used_at=timezone.now())
