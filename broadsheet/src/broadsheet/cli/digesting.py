"""`broadsheet digest`: an edition as it is mailed, for a look, a pipe or another program that sends."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import click

from broadsheet.cli import posting, preparing
from broadsheet.cli.failure import Failure
from broadsheet.config import options
from broadsheet.editions import queries as editions
from broadsheet.editions.rules import Kind, parse_label
from broadsheet.following.queries.digests import Asked, Nothing
from broadsheet.mailing.message import Outgoing
from broadsheet.mailing.signing import UnusableKey
from broadsheet.sources.text import printable
from broadsheet.web.digests import Composer
from broadsheet.web.digests.text import unflowed

# Who the mail goes to when nobody has asked for it.
_READER, _KEY = "reader@example.org", "the-key-of-a-subscription"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """Which edition when none is named, what of it, and as what it is printed: ``text``, ``html`` or ``raw``."""

    cadence: str
    sections: tuple[str, ...]
    searches: tuple[str, ...]
    form: str


def digest(label: str, wishes: Wishes) -> None:
    """Print it. Raises Failure when there is no such edition, or nothing in it that is asked for."""
    preparing.require_database()
    kind, label = _edition(label, Kind(wishes.cadence))
    wanted = Asked(kind, wishes.sections, wishes.searches, key=_KEY, address=_READER)
    made = Composer().made(wanted, label)
    if isinstance(made, Nothing):
        raise Failure(printable(made.because))
    _print(made, wishes.form)


def _edition(label: str, cadence: Kind) -> tuple[Kind, str]:
    """The kind and label of the edition that is meant. Raises Failure when there is none."""
    if not label:
        newest = next(iter(editions.archive(cadence, limit=1)), None)
        if newest is None:
            raise Failure(f"No edition of a {cadence} was printed yet. `broadsheet harvest` asks a source for papers.")
        return cadence, newest.label
    kind = _kind(label)
    if kind is None:
        raise Failure("Write the label of an edition as 2026-11-20, 2026-W47, 2026-11 or first.")
    if editions.edition_of(kind, label) is None:
        raise Failure(f"There is no edition {label} here. The page /editions lists those that there are.")
    return kind, label


def _kind(label: str) -> Kind | None:
    """The kind of edition that has such a label; None for text that is none."""
    if label == Kind.FIRST:
        return Kind.FIRST
    for kind in (Kind.DAY, Kind.WEEK, Kind.MONTH):
        try:
            parse_label(kind, label)
        except (ValueError, OverflowError):
            continue
        return kind
    return None


def _signed(content: bytes) -> bytes:
    """The mail with its signature, where there is a key and a sender. Raises Failure for a key that is of no use."""
    configuration = options.load()
    if not configuration.mail_from:
        return content
    try:
        return posting.signer(configuration)(content)
    except (OSError, UnusableKey) as error:
        raise Failure(f"The mail cannot be signed with the key that BROADSHEET_MAIL_DKIM_KEY names: {error}") from error


def _print(made: Outgoing, form: str) -> None:
    """The part that is asked for, to standard output. A terminal is not steered by what others wrote."""
    if form == "raw":
        sys.stdout.buffer.write(_signed(made.as_bytes()))
        return
    if form == "html":
        click.echo(made.html, nl=False)
        return
    click.echo(f"Subject: {made.subject}\n")
    for line in unflowed(made.text).splitlines():
        click.echo(printable(line))
