"""What comes back: `broadsheet bounces`, and the worker's look into the mailbox for it. Needs Django set up."""

from __future__ import annotations

import logging
import mailbox
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import click
from django.conf import settings
from django.db.utils import OperationalError
from django.utils import timezone

from broadsheet.cli import preparing
from broadsheet.cli.failure import Failure, explain
from broadsheet.following.actions.bouncing import take_notice
from broadsheet.following.rules.bouncing import Effect
from broadsheet.mailing import bounces
from broadsheet.mailing.mailbox import MOST, Mailbox, Unreadable

_LOG = logging.getLogger(__name__)

# How often the mailbox is looked into, in seconds.
EVERY = 300.0
# "Try again later", for a mail server that pipes a message to us (sysexits.h).
_LATER = 75

_DONE = {
    Effect.BLOCKED: "nothing is sent to the address any more",
    Effect.LEFT: "unsubscribed",
    Effect.COUNTED: "counted",
    Effect.NOTHING: "nothing was changed",
}


def take(raw: bytes) -> Effect | None:
    """Do what a message that came back asks for; None where it is no notice about a mail of ours."""
    returned = bounces.read(raw, settings.SECRET_KEY)
    return None if returned is None else take_notice(returned=returned, now=timezone.now())


def read_bounces(path: Path | None) -> None:
    """Take one message from standard input, or all of a Maildir or mbox, and print what became of them.

    In a Maildir, messages that were understood are marked as read, and those that were read are passed over. Ends with
    status 75 when the database cannot be asked, so that a mail server tries again. Raises Failure.
    """
    try:
        preparing.require_database()
        told = Counter([take(sys.stdin.buffer.read(bounces.LARGEST + 1))] if path is None else _taken(path))
    except (OperationalError, Failure) as error:
        click.echo(f"Error: {explain(error) or error}", err=True)
        sys.exit(_LATER)
    for effect, words in _DONE.items():
        if told[effect]:
            click.echo(f"{told[effect]:,} {words}")
    if told[None]:
        click.echo(f"{told[None]:,} not understood, and left as they were")


def _taken(path: Path) -> Iterator[Effect | None]:
    if not path.exists():
        raise click.UsageError(f"{path} does not exist.")
    if path.is_dir():
        yield from _of_maildir(path)
        return
    with closing(mailbox.mbox(path, create=False)) as box:
        yield from (take(box.get_bytes(key)) for key in box.iterkeys())


def _of_maildir(path: Path) -> Iterator[Effect | None]:
    try:
        box = mailbox.Maildir(path, create=False)
        keys = list(box.keys())
    except (mailbox.Error, OSError) as error:
        raise click.UsageError(f"{path} is no Maildir: it has no folders new and cur.") from error
    for key in keys:
        message = box.get_message(key)
        if "S" in message.get_flags():
            continue
        effect = take(box.get_bytes(key))
        if effect is not None:
            message.set_subdir("cur")
            message.add_flag("S")
            box[key] = message
        yield effect


class Poll:
    """The worker's look into the mailbox for what comes back, every few minutes where one is set."""

    def __init__(self, url: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._mailbox = Mailbox(url) if url else None
        self._clock = clock
        self._at = 0.0
        self._said = ""

    def step(self) -> bool:
        """Read some messages when it is time; whether there may be more. What is in the way is logged once."""
        if self._mailbox is None or self._clock() < self._at:
            return False
        self._at = self._clock() + EVERY
        try:
            more = self._mailbox.read(lambda raw: take(raw) is not None) == MOST
        except Unreadable as error:
            if error.sentence != self._said:
                _LOG.warning("%s Cause: %s", error.sentence, error.cause)
            self._said = error.sentence
            return False
        self._said = ""
        if more:
            self._at = 0.0
        return more
