"""The mail that asks somebody whether she wants digests: one link, and no headers of lists, as it is none yet."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from email.utils import format_datetime

from django.conf import settings
from django.template.loader import render_to_string

from broadsheet import links
from broadsheet.following.queries import subscribing
from broadsheet.following.queries.digests import Nothing
from broadsheet.following.queries.subscribing import Asking
from broadsheet.following.rules.subscribing import CONFIRM_WITHIN, Notices, Wish
from broadsheet.mailing.message import Outgoing, sender
from broadsheet.web import wording

SETTLED = Nothing("There is nothing to confirm any more.")


def compose(subscription_id: int, now: datetime) -> Outgoing | Nothing:
    """The mail that asks about a subscription, or why there is none. The same secret gives the same Message-ID."""
    asked = subscribing.asking(subscription_id, now=now)
    return SETTLED if asked is None else _mail(asked, now)


def _mail(asked: Asking, now: datetime) -> Outgoing:
    """Nothing that a stranger typed stands in it, nor the host that he asked for: it goes to whomever he named."""
    base, site, home = settings.BROADSHEET_ADDRESS, settings.BROADSHEET_SITE_NAME, settings.DEFAULT_FROM_EMAIL
    values = {
        "site_name": site,
        "base": base,
        "confirm": base + links.CONFIRM.format(secret=asked.secret),
        "wish": in_words(asked.wish, typed=False),
        "days": CONFIRM_WITHIN.days,
    }
    number = hashlib.sha256(f"asks {asked.secret}".encode()).hexdigest()[:32]
    return Outgoing(
        sender=sender(site, home),
        to=asked.address,
        subject=" ".join(render_to_string("mail/confirm_subject.txt", values).split()),
        text=render_to_string("mail/confirm_message.txt", values).strip() + "\n",
        html=render_to_string("mail/confirm_message.html", values).strip() + "\n",
        headers=(
            ("Date", format_datetime(now.astimezone(UTC))),
            ("Auto-Submitted", "auto-generated"),  # RFC 3834
        ),
        message_id=f"<asks.{number}@{home.rpartition('@')[2]}>",
    )


def in_words(wish: Wish, *, typed: bool = True) -> list[str]:
    """What somebody asked for, in a few lines; with what was typed, or only how much that is."""
    days = {"day": "Every day", "week": "Every Tuesday", "month": "On the 2nd of every month"}
    said = [f"{days[wish.cadence]} at {wish.hour:02}:00, {wish.zone}"]
    said += [f"Sections: {', '.join(map(wording.section_name, wish.sections))}"] if wish.sections else []
    if typed:
        said += [f"Search: {text}" for text in wish.searches]
    elif wish.searches:
        said.append(wording.count(len(wish.searches), "search", "searches"))
    said += ["What you follow, and what is near your library"] if wish.mine else []
    said += [_NOTICES_SAID[wish.notices]] if wish.notices is not Notices.NEVER else []
    return said if len(said) > 1 else [*said, "The head of the edition"]


_NOTICES_SAID = {
    Notices.WITH: "Notices that you have not read",
    Notices.ALONE: "Notices that you have not read, without the papers of the edition",
}
