"""From a digest to a mail to one reader. What is equal for several readers is rendered once."""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import cache
from urllib.parse import urlsplit

import css_inline
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone

from broadsheet import links
from broadsheet.editions import queries as editions
from broadsheet.editions.queries import Edition
from broadsheet.following.queries.digests import LEFT, Asked, Chooser, Digest, Nothing, Turn, asked, turn
from broadsheet.following.rules.delivering import ASKS
from broadsheet.following.rules.subscribing import Notices
from broadsheet.mailing.message import Outgoing, quoted, sender
from broadsheet.web.digests import asking
from broadsheet.web.digests.footing import footing
from broadsheet.web.digests.sheet import Sheet, sheet
from broadsheet.web.digests.text import text

# Gmail cuts a mail off after 102 kB. All of ours is shorter, headers and encoding included.
MOST_BYTES = 100_000
_HEADERS = 4_000
_STEPS = (40, 28, 20, 14, 9, 5, 2, 1)

# What is remembered is forgotten after so many seconds, as an edition may change.
AT_MOST_OLD = 10.0
# Bodies that one composer keeps; those of readers who follow things are their own, and the first goes first.
_MOST_KEPT = 32

# Stands for the key of a reader's subscription where a mail is rendered for all. Nobody can write it into a title.
_ANYBODY = secrets.token_urlsafe(32)


@dataclass(frozen=True, slots=True)
class _Body:
    """What is equal for all readers of a digest: the subject as a header has it, and both parts.

    `_ANYBODY` stands in them for the key of each.
    """

    subject: str
    text: str
    html: str
    papers: int
    kind: str
    site: str


class Composer:
    """Composes mails one after the other, and remembers for a moment what several have in common."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._since = time.monotonic()
        self._editions: dict[tuple[str, str], Edition | None] = {}
        self._chooser = Chooser()
        self._bodies: dict[tuple[object, ...], _Body] = {}

    def compose(self, subscription_id: int, label: str, now: datetime | None = None) -> Outgoing | Nothing:
        """The mail of the edition with that label to a subscription, or why there is none.

        An empty label asks why nothing was printed, and ASKS for the mail that asks to confirm. The same subscription
        and edition give the same Message-ID.
        """
        if label == ASKS:
            return asking.compose(subscription_id, now or timezone.now())
        wanted = asked(subscription_id)
        return LEFT if wanted is None else self.made(wanted, label, now)

    def made(self, wanted: Asked, label: str, now: datetime | None = None) -> Outgoing | Nothing:
        """As `compose`, for what somebody would ask for."""
        if time.monotonic() - self._since > AT_MOST_OLD:
            self._forget()
        at = now or timezone.now()
        when = _turn(wanted, label, at)
        chosen = self._chooser.digest(wanted, self._edition(wanted, label), when)
        if isinstance(chosen, Nothing):
            return chosen
        number = message_id(wanted.key, label or (f"news of {when.day}" if when else ""))
        return _mail(self._body(chosen), wanted, number, at)

    def _edition(self, wanted: Asked, label: str) -> Edition | None:
        place = (str(wanted.kind), label)
        if place not in self._editions:
            self._editions[place] = editions.edition_of(wanted.kind, label) if label else None
        return self._editions[place]

    def _body(self, digest: Digest) -> _Body:
        number = digest.edition.id if digest.edition else 0
        key = (number, digest.kind, digest.parts, digest.remarks, digest.own, digest.day if digest.own else None)
        if key not in self._bodies:
            if len(self._bodies) >= _MOST_KEPT:
                self._bodies.pop(next(iter(self._bodies)))
            self._bodies[key] = body(sheet(digest))
        return self._bodies[key]


def _turn(wanted: Asked, label: str, now: datetime) -> Turn | None:
    """The time of which a reader is told what happened; None for one who is told of editions only."""
    if not wanted.subscription_id or not (wanted.mine or wanted.notices is not Notices.NEVER):
        return None
    return turn(wanted.subscription_id, label, now)


def message_id(key: str, label: str) -> str:
    """The Message-ID of a digest: always the same for a subscription and an edition, and no way back to the key.

    Without an edition the label says of which day it is.
    """
    digest = hashlib.sha256(f"{key}\n{label}".encode()).hexdigest()[:32]
    return f"<digest.{digest}@{_domain()}>"


def body(whole: Sheet) -> _Body:
    """A sheet as text and HTML, cut until the mail is short enough."""
    for most in _STEPS:
        shown = whole.cut(most)
        foot = footing(shown, _ANYBODY)
        plain = text(shown, foot)
        html = inlined(render_to_string("mail/digest.html", {"sheet": shown, "footing": foot}))
        if len(quoted(plain)) + len(quoted(html)) + _HEADERS < MOST_BYTES:
            break
    return _Body(shown.subject, plain, html, shown.papers, shown.kind, shown.site)


def inlined(html: str) -> str:
    """HTML with its style in the elements, as programs for mail want it; only what is for dark screens stays above."""
    return _inliner().inline(html).replace(' data-css-inline="keep"', "") + "\n"


@cache
def _inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=False)


def _mail(made: _Body, wanted: Asked, number: str, now: datetime) -> Outgoing:
    return Outgoing(
        sender=sender(made.site, settings.DEFAULT_FROM_EMAIL),
        to=wanted.address,
        subject=made.subject,
        text=made.text.replace(_ANYBODY, wanted.key),
        html=made.html.replace(_ANYBODY, wanted.key),
        headers=_headers(made, wanted.key, now),
        message_id=number,
        papers=made.papers,
    )


def _headers(made: _Body, key: str, now: datetime) -> tuple[tuple[str, str], ...]:
    """RFC 5322, 2919, 2369, 8058 and 3834. Leaving by one click needs https (RFC 8058, section 3.1)."""
    base = settings.BROADSHEET_ADDRESS
    leaving = [("List-Unsubscribe", f"<{base}{links.LEAVE.format(key=key)}>")]
    if base.startswith("https://"):
        leaving.append(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
    return (
        ("Date", format_datetime(now.astimezone(UTC))),
        ("List-Id", sender(made.site, f"{made.kind}.{urlsplit(base).hostname}")),
        *leaving,
        ("Auto-Submitted", "auto-generated"),
        ("Precedence", "bulk"),
    )


def _domain() -> str:
    return settings.DEFAULT_FROM_EMAIL.rpartition("@")[2]
