"""`broadsheet audit`: what is here of what was announced, day by day."""

from __future__ import annotations

import json
import sys
from datetime import date
from typing import Any

import click
from django.utils import timezone

from broadsheet.cli import preparing
from broadsheet.cli.failure import Failure
from broadsheet.ingest import actions as ingest
from broadsheet.ingest.rules import DayAudit, State, days

DAYS = 10


def audit(day: date | None, *, as_json: bool) -> None:
    """Audit the day, or the last ten, and print what came out; exits with status 1 when one is not as it should be.

    Raises Failure when there is no database, or nothing is followed that announces days.
    """
    preparing.require_database()
    if not ingest.sections():
        raise Failure("Nothing is followed that announces days. Set BROADSHEET_HARVEST, for example to arxiv:cs")
    now = timezone.now()
    wanted = [day] if day else list(days.last(DAYS, days.shown(now)))
    found = ingest.audit_days(wanted, now=now)
    for each in wanted:
        click.echo(json.dumps(_as_json(found[each])) if as_json else _as_text(found[each]))
    if any(each.state not in (State.COMPLETE, State.EMPTY) for each in found.values()):
        sys.exit(1)


def _as_text(found: DayAudit) -> str:
    """The day, its state and the reason; a line for each section; a line for each check that failed."""
    lines = [f"{found.day:%a} {found.day}  {found.state}", f"    {found.reason}"]
    width = max((len(f"{line.announcer} {line.section}") for line in found.lines), default=0)
    for line in found.lines:
        announced = "?" if line.announced is None else f"{line.announced:,}"
        how = f"  {line.how}" if line.how else ""
        missing = f"  missing: {', '.join(line.missing)}" if line.missing else ""
        lines.append(f"    {f'{line.announcer} {line.section}':<{width}}  {line.held:,} of {announced}{how}{missing}")
    return "\n".join([*lines, *(f"    failed: {sentence}" for sentence in found.failed)])


def _as_json(found: DayAudit) -> dict[str, Any]:
    return {
        "day": found.day.isoformat(),
        "state": str(found.state),
        "reason": found.reason,
        "sections": [
            {
                "announcer": line.announcer,
                "section": line.section,
                "held": line.held,
                "announced": line.announced,
                "how": line.how,
                "missing": list(line.missing),
            }
            for line in found.lines
        ],
        "failed": list(found.failed),
        "checked_at": found.checked_at.isoformat() if found.checked_at else None,
    }
