"""What can become of a mail, when it is tried again, and how fast mail goes to one domain."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from broadsheet.following.rules.subscribing import Cadence
from broadsheet.mailing.bounces import NO_SUCH_ADDRESS
from broadsheet.mailing.outcomes import Stage


class State(StrEnum):
    """Where a delivery stands. The first three are not ended.

    HANDING is written just before the last byte goes to the server. A delivery that is found so by another sender may
    have arrived: it becomes DOUBTFUL and is not sent again, as nobody wants the same mail twice.
    """

    WAITING = "waiting"
    CLAIMED = "claimed"
    HANDING = "handing"
    SENT = "sent"
    NOTHING = "nothing"
    FAILED = "failed"
    DOUBTFUL = "doubtful"
    BOUNCED = "bounced"


# Stands in the place of an edition's label for the mail that asks somebody whether she wants digests.
ASKS = "asks"

# Of what a sender takes at once, and of what goes to a domain in a minute, so much at most is mails that ask, and a few
# at least: anybody can have them sent.
SHARE_OF_ASKS = 10  # one in so many
# So many mails that ask go out in an hour altogether, evenly. More wait.
ASKS_AN_HOUR = 600

# Between one attempt and the next. Six of them are some 17 hours; by then the next edition is near.
DELAYS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 4 * 60, 12 * 60))
# As much is added at most, by chance, so that what failed together is not tried again together.
JITTER = 0.25

# A claim that is older is void: no mail takes so long.
CLAIM_LASTS = timedelta(minutes=15)

# An edition that ended longer ago is no news, and is not sent to somebody who has not had it.
FRESH = {Cadence.DAY: timedelta(days=7), Cadence.WEEK: timedelta(days=14), Cadence.MONTH: timedelta(days=62)}
# For so long it is usual that nothing is sent: the longest weekend, two weeks, two months.
USUAL_SILENCE = {Cadence.DAY: timedelta(days=5), Cadence.WEEK: timedelta(days=15), Cadence.MONTH: timedelta(days=63)}
_ANY_NUMBER = 1_000_000

# What was due for longer, and still waits, is late.
LATE = timedelta(hours=1)


def retry_after(attempts: int, chance: float) -> timedelta | None:
    """How long to wait after so many attempts, of which there was one at least; None when it was the last.

    `chance` is from 0 to 1.
    """
    if attempts > len(DELAYS):
        return None
    return DELAYS[attempts - 1] * (1 + JITTER * chance)


class Verdict(StrEnum):
    """What a refusal means: try again, no such address, a full mailbox, or no to this mail alone."""

    AGAIN = "again"
    GONE = "gone"
    FULL = "full"
    REFUSED = "refused"


_FULL = frozenset({"5.2.2", "4.2.2"})
# What a server says of the mail itself, which the next attempt does not change.
_ABOUT_THE_MAIL = re.compile(r"5\.(3\.4|2\.3|6\.\d+|5\.\d+)$")
_NO_SUCH = re.compile(
    r"(user|recipient|mailbox|address|account)\W+(is |was )?(unknown|not found|does not exist|doesn't exist)"
    r"|(no such|unknown|invalid|nonexistent) (user|recipient|mailbox|address|account)\b",
    re.IGNORECASE,
)
_POLICY = re.compile(
    r"spam|blocked|block ?list|blacklist|polic|reputation|dmarc|dkim|\bspf\b|relay|authenticat|verif|denied|greylist",
    re.IGNORECASE,
)


def verdict(stage: Stage, code: int, status: str, said: str) -> Verdict:
    """What it means that a server refused: the stage, the code of its reply, the enhanced one or "", and its words.

    An address is given up only where the server says so for certain: many answer 550 to whom they do not trust. Who
    refuses the sender says nothing of a recipient, and may think better of it.
    """
    if code < 500 or (stage is Stage.SENDER and code != 552 and not _ABOUT_THE_MAIL.match(status)):
        return Verdict.AGAIN
    if status in _FULL:
        return Verdict.FULL
    if stage is not Stage.RECIPIENT:
        return Verdict.REFUSED
    if status in NO_SUCH_ADDRESS and not _POLICY.search(said):
        return Verdict.GONE
    if not status and code in (550, 551, 553) and _NO_SUCH.search(said) and not _POLICY.search(said):
        return Verdict.GONE
    return Verdict.REFUSED


@dataclass(slots=True)
class Pace:
    """How many mails go to one domain: `a_minute` each, evenly, after a handful at once. 0 is without a limit."""

    a_minute: int
    _counted: dict[str, tuple[float, float]] = field(default_factory=dict)

    def left(self, domain: str, at: float) -> int:
        """How many mails to the domain may go now. `at` is in seconds of a steady clock."""
        return int(self._left(domain, at)) if self.a_minute else _ANY_NUMBER

    def count(self, domain: str, at: float, mails: int = 1) -> None:
        """Count mails to the domain; a negative number takes back what was counted and did not go."""
        if self.a_minute:
            self._counted[domain] = (min(self._most, self._left(domain, at) - mails), at)

    def resting(self, at: float) -> list[str]:
        """The domains to which nothing may go now. Those that have rested are forgotten."""
        self._counted = {domain: kept for domain, kept in self._counted.items() if self._left(domain, at) < self._most}
        return [domain for domain in self._counted if self._left(domain, at) < 1]

    @property
    def _most(self) -> float:
        """How many may go at once: those of five seconds, five at least."""
        return max(5.0, self.a_minute / 12)

    def _left(self, domain: str, at: float) -> float:
        left, since = self._counted.get(domain, (self._most, at))
        return min(self._most, left + (at - since) * self.a_minute / 60)
