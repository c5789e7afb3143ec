"""The worker's mail: what is due goes into the outbox, and from there to whoever takes it. Needs Django set up."""

from __future__ import annotations

import hashlib
import logging
import secrets
import socket
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from broadsheet import links
from broadsheet.cli.mail_server import server, signs_with
from broadsheet.community.actions.notices import tell_operators
from broadsheet.community.rules.notices import Kind
from broadsheet.config import options
from broadsheet.config.options import Configuration
from broadsheet.following import tasks
from broadsheet.following.queries import deliveries
from broadsheet.mailing import signing
from broadsheet.mailing.bounces import envelope_sender
from broadsheet.mailing.outcomes import Carrier

# How long it is worked at mail before index and editions have their turn, in seconds.
UNIT = 4.0
# How often it is looked whether a reader's hour has come, and whether mail goes out as it should, in seconds.
LOOK_AGAIN = 5.0
WARN_AGAIN = 600.0

_PLACE = "sender"  # the file of the data folder that keeps a name for who sends from here

log = logging.getLogger("broadsheet.worker")


class Posting:
    """What a worker keeps of mail between two rounds. Without settings for mail it does nothing."""

    def __init__(self, *, stop: Callable[[], bool] = lambda: False) -> None:
        self._stop = stop
        self._sender = _sender(options.load())
        self._look_at = 0.0
        self._warn_at = 0.0
        self._warned: tuple[str, ...] = ()

    def one(self) -> bool:
        """One unit of work, when it is time to look for some; whether there may be more. Raises database errors."""
        if self._sender is None or time.monotonic() < self._look_at:
            return False
        more = tasks.queue_due(now=timezone.now())
        more = self._sender.work(seconds=UNIT, stop=self._stop).anything or more
        self._look_at = 0.0 if more else time.monotonic() + LOOK_AGAIN
        self._warn()
        return more

    def _warn(self) -> None:
        """Tell operators what is wrong with mail, each thing once: in the log, and by a notice."""
        if time.monotonic() < self._warn_at:
            return
        self._warn_at = time.monotonic() + WARN_AGAIN
        incidents = deliveries.standing(timezone.now()).incidents
        for each in incidents:
            said = f"{each.sentence} The page {links.STATUS_MAIL} has more."
            tell_operators(Kind.MAIL, said, matter=each.matter)
            if each.sentence not in self._warned:
                log.warning("%s", said)
        self._warned = tuple(each.sentence for each in incidents)

    def close(self) -> None:
        """End, with nothing claimed."""
        if self._sender is not None:
            self._sender.close()
            self._sender = None


def _sender(configuration: Configuration) -> tasks.Sender | None:
    carrier = carrier_of(configuration)
    if carrier is None:
        return None
    from broadsheet.web.digests import Composer  # noqa: PLC0415  only who sends mail needs what makes it

    return tasks.Sender(
        carrier=carrier,
        compose=Composer().compose,
        comes_back_to=partial(_comes_back_to, configuration),
        place=_place(configuration.data),
        connections=configuration.mail_connections,
        a_minute=configuration.mail_domain_rate,
    )


def carrier_of(configuration: Configuration) -> Carrier | None:
    """Who takes mail by the settings; None where they name nobody, or a key that nothing can be signed with."""
    if not configuration.mail_from:
        return None
    if settings.BROADSHEET_MAIL_PROVIDER:
        from broadsheet.cli.providing import Provider  # noqa: PLC0415  few instances have a provider

        return Provider(settings.BROADSHEET_MAIL_PROVIDER)
    if not configuration.mail_host:
        return None
    try:
        sign = signer(configuration)
    except (OSError, signing.UnusableKey) as error:
        log.warning("No digest is sent, as it could not be signed: %s", error)
        return None
    return server(configuration, sign)


def signer(configuration: Configuration) -> Callable[[bytes], bytes]:
    """What signs a mail, where there is a key. Raises OSError and UnusableKey."""
    file = configuration.mail_dkim_key
    return signs_with(signing.read_key(file.read_bytes()) if file else None, configuration)


def _comes_back_to(configuration: Configuration, delivery: int) -> str:
    return envelope_sender(configuration.mail_bounces, delivery, settings.SECRET_KEY) or configuration.mail_from


def _place(folder: Path) -> str:
    """The name of who sends from this folder on this machine; a copy of the folder elsewhere is another."""
    file = folder / _PLACE
    if not file.exists():
        file.write_text(secrets.token_hex(16) + "\n", encoding="ascii")
    kept = file.read_text(encoding="ascii").strip()
    return hashlib.sha256(f"{socket.gethostname()} {folder.resolve()} {kept}".encode()).hexdigest()[:20]
