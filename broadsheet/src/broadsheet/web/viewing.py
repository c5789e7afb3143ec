"""Who asks: the person behind a request, found once for each."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from broadsheet.accounts import queries
from broadsheet.accounts.actions import note_use
from broadsheet.accounts.rules import Bearer, Person
from broadsheet.web import proxies

_KEPT = "_broadsheet_viewer"


def viewer(request: HttpRequest) -> Person | None:
    """The person who asks; None for a visitor. A request without a session costs no question to the database."""
    kept: dict[str, Person | None] = request.__dict__.setdefault(_KEPT, {})
    if "person" not in kept:
        kept["person"] = _signed_in(request) if settings.BROADSHEET_ACCOUNTS else _only_reader(request)
    return kept["person"]


def person(request: HttpRequest) -> Person:
    """The person who asks, where the gate lets nobody else through. Raises PermissionDenied for a visitor."""
    found = viewer(request)
    if found is None:
        raise PermissionDenied("somebody who is not signed in came through the gate")
    return found


def _signed_in(request: HttpRequest) -> Person | None:
    user = getattr(request, "user", None)
    return queries.as_person(user) if user is not None and user.is_authenticated else None


def _only_reader(request: HttpRequest) -> Person | None:
    """Without accounts: whoever asks from this very machine. Who comes through a proxy sits elsewhere."""
    address = proxies.parsed(request.META.get("REMOTE_ADDR", ""))
    if proxies.through_a_proxy(request.META) or address is None or not address.is_loopback:
        return None
    return queries.only_reader()


def bearer(request: HttpRequest) -> Bearer | None:
    """Whose personal token stands in the header Authorization (RFC 6750, section 2.1), and what it is good for.

    None without one that holds. Forms are no way to send it, and cookies are not looked at.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    found = queries.bearer(token.strip()) if scheme.lower() == "bearer" else None
    if found is not None and not found.is_noted:
        note_use(token=token.strip())
    return found
