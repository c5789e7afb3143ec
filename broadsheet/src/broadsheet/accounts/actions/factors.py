"""Second factors as they are stored: sealed, and taken from an account whose owner has lost them."""

from __future__ import annotations

from collections.abc import Callable

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import transaction

from broadsheet.accounts import queries
from broadsheet.accounts.models import User
from broadsheet.accounts.rules import Ground, Person, Refused, is_sealed, seal

# Where allauth keeps what opens an account, by the kind of factor; of a passkey it keeps public keys only.
_SECRETS = {
    Authenticator.Type.TOTP: ("secret",),
    Authenticator.Type.RECOVERY_CODES: ("seed", "migrated_codes"),
}


def seal_factors() -> int:
    """Seal what was stored in clear, by an older version. Returns how many factors that were; again, none."""
    count = 0
    with transaction.atomic():
        for row in Authenticator.objects.select_for_update().filter(type__in=_SECRETS):
            sealed = {name: _each(row.data[name], _sealed) for name in _SECRETS[row.type] if name in row.data}
            if any(row.data[name] != value for name, value in sealed.items()):
                Authenticator.objects.filter(pk=row.pk).update(data=row.data | sealed)
                count += 1
    return count


def drop_factors(*, name: str) -> Person:
    """Take the authenticator app and the recovery codes from an account; its password and passkeys stay.

    Raises Refused for a name that nobody has, and where there are none.
    """
    user = User.objects.filter(name=name.lower(), is_active=True).first()
    if user is None:
        raise Refused("Nobody has this name.", ground=Ground.NOT_THERE)
    if not Authenticator.objects.filter(user=user.id, type__in=_SECRETS).delete()[0]:
        raise Refused("This account has no authenticator app.", ground=Ground.NOT_THERE)
    return queries.as_person(user)


def _sealed(text: str) -> str:
    return text if is_sealed(text) else seal(text, settings.SECRET_KEY)


def _each(stored: object, change: Callable[[str], str]) -> object:
    return [change(str(each)) for each in stored] if isinstance(stored, list) else change(str(stored))
