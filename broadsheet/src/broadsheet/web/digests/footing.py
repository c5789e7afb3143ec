"""What stands at the foot of every digest: why it came, who sends it, and how to change it or leave."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from broadsheet import links
from broadsheet.web import wording
from broadsheet.web.digests.sheet import Sheet


@dataclass(frozen=True, slots=True)
class Footing:
    """Sentences, and the two addresses that belong to one reader."""

    why: str
    manage: str
    leave: str
    imprint: str


def footing(sheet: Sheet, key: str) -> Footing:
    """The foot of a digest for the reader whose subscription has that key."""
    base = settings.BROADSHEET_ADDRESS
    every = wording.OFTEN.get(sheet.kind, "now and then")
    return Footing(
        why=f"You get this because this address is subscribed to {sheet.site}, {every}.",
        manage=base + links.MANAGE.format(key=key),
        leave=base + links.LEAVE.format(key=key),
        imprint=f"{sheet.site}, {sheet.home} · {sheet.sender}",
    )
