"""When an address is given up, without a database.

Struck off on certainty only: an address that its own server says does not exist, a reader who called us spam, or mails
that all come back for weeks. Anything else is counted and forgotten.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

# So many mails in a row must have come back, over so long, before an address is given up.
MOST_SOFT = 5
SOFT_OVER = timedelta(days=14)
# A mail that did not come back for so long has arrived: servers give up after five days at the latest, by custom.
ARRIVED_AFTER = timedelta(days=6)


class Effect(StrEnum):
    """What became of a notice: nothing, it was counted, she was unsubscribed, or nothing goes to the address now."""

    NOTHING = "nothing"
    COUNTED = "counted"
    LEFT = "left"
    BLOCKED = "blocked"


def is_given_up(count: int, since: datetime, now: datetime) -> bool:
    """Whether `count` mails in a row, the first of which came back at `since`, are enough to give an address up."""
    return count >= MOST_SOFT and now - since >= SOFT_OVER


CAME_BACK = "The mail came back."
HARD = "The server there says that this address does not exist."
COMPLAINT = "The reader at this address reported our mail as spam."
SOFT = "Mail to this address came back {count} times in a row, from {since:%Y-%m-%d} to {now:%Y-%m-%d}."


def words(because: str, said: str) -> str:
    """The sentence that a log shows, with what the other server said."""
    return f"{because} It said: {said}" if said else because
