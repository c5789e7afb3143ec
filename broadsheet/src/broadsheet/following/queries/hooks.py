"""Where a group has editions posted to, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from broadsheet.following.models import Hook, HookMessage
from broadsheet.following.rules import hooks as rules
from broadsheet.following.rules.hooks import Form, Way
from broadsheet.following.rules.subscribing import Cadence


@dataclass(frozen=True, slots=True)
class Told:
    """One message in the log of a hook; `edition` is empty for a test."""

    edition: str
    state: Way
    attempts: int
    at: datetime
    said: str


@dataclass(frozen=True, slots=True)
class HookView:
    """An address as editors see it: never the whole of it, as who has it can write there."""

    id: int
    shown: str
    form: Form
    cadence: Cadence
    sections: tuple[str, ...]
    made_at: datetime
    off_at: datetime | None
    off_because: str
    log: tuple[Told, ...]


def hooks_of(group_id: int, *, lines: int = 5) -> list[HookView]:
    """The hooks of a group, each with the last lines of its log. Two queries."""
    rows = list(Hook.objects.filter(group=group_id).order_by("id"))
    told: dict[int, list[Told]] = {row.id: [] for row in rows}
    for message in HookMessage.objects.filter(hook__in=rows).order_by("-id")[: lines * 4 * rules.MOST_HOOKS]:
        if len(told[message.hook_id]) < lines:
            told[message.hook_id].append(_told(message))
    return [
        HookView(
            id=row.id,
            shown=rules.shown_address(row.address),
            form=Form(row.form),
            cadence=Cadence(row.cadence),
            sections=tuple(row.sections),
            made_at=row.made_at,
            off_at=row.off_at,
            off_because=row.off_because,
            log=tuple(told[row.id]),
        )
        for row in rows
    ]


def _told(message: HookMessage) -> Told:
    at = message.finished_at or message.due_at
    return Told(message.edition, Way(message.state), message.attempts, at, message.said)


def is_any_off(group_id: int) -> bool:
    """Whether an address of the group was switched off, which its editors want to know."""
    return Hook.objects.filter(group=group_id, off_at__isnull=False).exists()


def secret(hook_id: int) -> str:
    """The secret of a hook, shown once to who made it; empty where there is no such hook."""
    salt = Hook.objects.filter(id=hook_id).values_list("salt", flat=True).first()
    return rules.secret_of(salt, settings.SECRET_KEY) if salt else ""
