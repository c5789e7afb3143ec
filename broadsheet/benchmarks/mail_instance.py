"""The instance of `testing/mail_trial`, as a program: it is filled, or a worker works on it.

`python mail_instance.py fill NUMBER` prints an edition and has so many readers confirm, who are due at once, in the
data folder that the environment names. `python mail_instance.py worker SCALE` is its worker as `broadsheet up` runs it,
with the waits between attempts divided by SCALE.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta

import django

from broadsheet.testing.mail_trial import people

PAPERS = 60
_WITH_SECTIONS = 4  # one of so many asks for sections
_BATCH = 2000


def fill(number: int) -> None:
    """Print an edition, which is closed, and have `number` readers confirm, who are due now. Needs Django set up."""
    from broadsheet.cli import preparing  # Django is set up by now

    preparing.prepare(lambda _sentence: None)
    _print_edition()
    _subscribe(number)


def _print_edition() -> None:
    from broadsheet.editions.actions import publish_pending  # Django is set up by now
    from broadsheet.papers.actions import store_many  # as above
    from broadsheet.testing.cast import ADA, BELA, arxiv, said  # as above

    now = datetime.now(UTC)
    day = now.date() - timedelta(days=2)
    abstract = "We choose step sizes from the $\\ell_2$ norm of the last gradient, and prove that they hold. " * 8
    store_many(
        [
            said(
                f"A Lamp for Every Step, Part {part}",
                key=f"lamp-{part}",
                abstract=abstract,
                authors=(ADA, BELA),
                identifiers=(arxiv(f"{day:%y%m}.{part:05}"),),
                announced=day,
                categories=("cs.LG", "stat.ML") if part % 2 else ("math.OC",),
            )
            for part in range(1, PAPERS + 1)
        ]
    )
    while publish_pending(now=now - timedelta(days=3)).more:
        pass


def _subscribe(number: int) -> None:
    from broadsheet.following.models import Subscriber, Subscription  # Django is set up by now

    now = datetime.now(UTC)
    everybody = list(people(number))
    for start in range(0, len(everybody), _BATCH):
        part = everybody[start : start + _BATCH]
        made = Subscriber.objects.bulk_create(
            Subscriber(
                address=address,
                made_at=now,
                confirmed_at=None if kind == "unconfirmed" else now,
                blocked_at=now if kind == "blocked" else None,
            )
            for address, kind in part
        )
        Subscription.objects.bulk_create(
            Subscription(
                subscriber=who, key=f"{start + place:043}", cadence="day", hour=now.hour, zone="UTC", made_at=now,
                sections=["cs.LG"] if place % _WITH_SECTIONS == 0 else [],
                confirmed_at=who.confirmed_at, next_at=now, left_at=now if kind == "left" else None,
            )
            for place, (who, (_, kind)) in enumerate(zip(made, part, strict=True))
        )  # fmt: skip


def work(scale: float) -> None:
    """The worker as `broadsheet up` runs it."""
    from broadsheet.cli import worker  # sets Django up itself
    from broadsheet.config import options
    from broadsheet.following.rules import delivering

    delivering.DELAYS = tuple(delay / scale for delay in delivering.DELAYS)
    worker.work(options.load())


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "broadsheet.config.settings")
    if sys.argv[1] == "worker":
        work(float(sys.argv[2]))
    else:
        django.setup()
        fill(int(sys.argv[2]))
