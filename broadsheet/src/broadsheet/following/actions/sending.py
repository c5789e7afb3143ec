"""Handing over what is in the outbox, so that nobody gets the same mail twice, whatever dies at whatever moment.

A sender claims rows by UPDATE, so that no other has them. Just before the last byte of a mail goes to the server, its
row is HANDING, for certain on disk; the reply makes it SENT. What is found CLAIMED after a sender died cannot have been
sent, and is sent by the next. What is found HANDING may have been: it becomes DOUBTFUL, and nobody sends it again.

One thread speaks to the database, the one that calls `Sender.work`; the threads that speak to servers know none.
"""

from __future__ import annotations

import logging
import random
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from django.db import DatabaseError, connection, transaction
from django.db.models import F, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from broadsheet.following.actions import bouncing
from broadsheet.following.models import Delivery, Post
from broadsheet.following.queries.digests import Nothing
from broadsheet.following.rules.delivering import (
    ASKS,
    ASKS_AN_HOUR,
    CLAIM_LASTS,
    SHARE_OF_ASKS,
    Pace,
    State,
    Verdict,
    retry_after,
    verdict,
)
from broadsheet.following.rules.subscribing import AGAIN
from broadsheet.mailing.bounces import Kind as Bounce
from broadsheet.mailing.lines import Asks, Ended, Lines
from broadsheet.mailing.message import Outgoing
from broadsheet.mailing.outcomes import (
    Accepted,
    Carrier,
    Letter,
    Lost,
    NotTaken,
    Outcome,
    Stage,
    Unavailable,
    Unconfirmed,
    Unsendable,
    Withheld,
)
from broadsheet.storage import among, timestamp

__all__ = ["Compose", "Sender", "recover"]

# What makes the mail of a subscription (its id) for an edition: its label, empty where there is no new one, or ASKS.
Compose = Callable[[int, str], Outgoing | Nothing]
# The address to which the mail of a delivery comes back.
ComesBackTo = Callable[[int], str]

MADE_WRONG = "It could not be made: something went wrong here. The operator's log has more."
STOPPED = "It was not wanted any more when it was due."
NOT_KNOWN = (
    "Whether it arrived is not known: the connection broke before the mail server confirmed it. It is not sent again, "
    "so that nobody gets it twice."
)

_CLAIMED_AT_ONCE = 200
_WRITTEN_AT_ONCE = 100
_WAIT = 0.2  # seconds for which it is waited that something happens, before it is looked whether to stop
_GRACE = 3.0  # seconds that mails on their way get at the end of a unit of work, and before the sender ends
_LOOK_FOR_DEAD = 60.0  # seconds between two looks for claims of senders that died
_PAUSES = (5.0, 15.0, 60.0, 300.0)  # seconds before a server that takes nothing is asked again

_FREE = {"state": State.WAITING, "claimed_by": "", "claimed_at": None}

# As an UPDATE by the object layer, which takes ten times as long for each row.
_OURS = (State.CLAIMED, State.HANDING, State.DOUBTFUL)
_END = (
    "UPDATE following_delivery SET state = %s, said = %s, papers = %s, finished_at = %s "
    "WHERE id = %s AND claimed_by = %s AND state IN ('claimed', 'handing', 'doubtful')"
)

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Done:
    """What a unit of work did: deliveries that ended so, and those that wait for another attempt."""

    sent: int = 0
    nothing: int = 0
    failed: int = 0
    bounced: int = 0
    doubtful: int = 0
    put_off: int = 0

    @property
    def anything(self) -> bool:
        """Whether it did something."""
        return any((self.sent, self.nothing, self.failed, self.bounced, self.doubtful, self.put_off))


@dataclass(frozen=True, slots=True)
class _Claimed:
    id: int
    subscription_id: int
    edition: str
    domain: str
    attempts: int
    wanted: bool


@dataclass(frozen=True, slots=True)
class _OnItsWay:
    claimed: _Claimed
    papers: int


@dataclass(frozen=True, slots=True)
class _Result:
    """What is written of a delivery. `again` is when it is tried again, for one that waits."""

    state: State
    said: str = ""
    papers: int = 0
    attempts: int = 0
    again: datetime | None = None
    came_back: Bounce | None = None
    words: str = ""


def recover(*, place: str, name: str, now: datetime) -> int:
    """Free what dead senders had claimed, and mark as doubtful what they were handing over; how many rows.

    A sender of the same `place` is dead, as there is one at a time, which is `name`. Others are when their claims are
    old.
    """
    dead = Q(claimed_by__startswith=f"{place}.") | Q(claimed_at__lt=now - CLAIM_LASTS)
    rows = Delivery.objects.filter(dead, finished_at=None).exclude(claimed_by=name)
    with transaction.atomic():
        doubtful = rows.filter(state=State.HANDING).update(state=State.DOUBTFUL, finished_at=now, said=NOT_KNOWN)
        free = rows.filter(state=State.CLAIMED).update(**_FREE)
    if doubtful or free:
        _log.warning(
            "A sender of mail ended in the middle of its work: %d mails go on, of %d it is not known whether they "
            "arrived.", free, doubtful,
        )  # fmt: skip
    return doubtful + free


@dataclass
class Sender:
    """One that hands mail over. `place` names where it runs, where there is one at a time (see `recover`).

    `compose` makes a mail or says why there is none, `comes_back_to` the address for what cannot be delivered.
    `a_minute` is how many mails go to one domain in a minute, 0 for any number; a part of them may be mails that ask,
    of which `asks_an_hour` go out altogether.
    """

    carrier: Carrier
    compose: Compose
    comes_back_to: ComesBackTo
    place: str
    connections: int = 2
    a_minute: int = 0
    asks_an_hour: int = ASKS_AN_HOUR
    done: Done = field(default_factory=Done)

    def __post_init__(self) -> None:
        self.name = f"{self.place}.{uuid4().hex[:16]}"
        self._lines: Lines | None = None
        self._claimed: deque[_Claimed] = deque()
        self._on_its_way: dict[int, _OnItsWay] = {}
        self._results: dict[int, _Result] = {}
        self._pace = Pace(self.a_minute)
        self._pace_of_asks = Pace(-(-self.a_minute // SHARE_OF_ASKS))
        self._pace_of_all_asks = Pace(-(-self.asks_an_hour // 60))
        self._look_at = 0.0
        self._claim_at = 0.0
        self._resting_until = 0.0
        self._failures = 0
        self._down: Unavailable | None = None
        self._answered = False

    def work(self, *, seconds: float, stop: Callable[[], bool] = lambda: False) -> Done:
        """Hand over what is due, for so long; what was done. Mails on their way then are waited for a little longer.

        Nothing that it does not work on stays claimed. Raises database errors.
        """
        self.done = Done()
        self._look_for_dead()
        if time.monotonic() < self._resting_until:
            return self.done
        until, self._claim_at = time.monotonic() + seconds, 0.0
        with _durably():
            while time.monotonic() < until and not stop() and self._step():
                pass
            self._release()
            self._finish(_GRACE)
            self._take(0)
            self._note_how_it_went()
        if self._lines is not None and not self._on_its_way and (self._down or time.monotonic() < until):
            self._lines.close()
            self._lines = None
        self._rest_if_down()
        return self.done

    def close(self) -> None:
        """Wait a little for what is on its way, and end. What the server has not confirmed by then is doubtful."""
        with _durably():
            self._finish(_GRACE)
            if self._lines is not None:
                self._lines.close()
            Delivery.objects.filter(claimed_by=self.name, state=State.CLAIMED).update(**_FREE)

    def _step(self) -> bool:
        """Make one mail while a line has room for it, else see what happened to others; False with nothing to do.

        What happens meanwhile is written in one transaction: making it certain on disk takes longer than the mail.
        """
        if self._lines is None or not self._lines.full:
            if not self._claimed and time.monotonic() >= self._claim_at:
                self._claimed.extend(self._claim())
            if self._claimed:
                self._begin(self._claimed.popleft())
                if len(self._results) >= _WRITTEN_AT_ONCE:
                    self._take(0)
                return True
        self._take(_WAIT)
        return self._down is None and bool(self._on_its_way or self._claimed)

    # --- Claiming -----------------------------------------------------------------------------------------------------

    def _look_for_dead(self) -> None:
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + _LOOK_FOR_DEAD
            recover(place=self.place, name=self.name, now=timezone.now())

    def _claim(self) -> list[_Claimed]:
        """Take rows that are due: one of each domain, then a second of each, so that a large one keeps nobody waiting.
        Before all others go the mails that ask, as somebody waits for hers, but no more than their share.

        The condition on the state is in the UPDATE itself: of two that see the same row, one gets it.
        """
        now, at = timezone.now(), time.monotonic()
        ids: list[int] = []
        if not self._pace_of_all_asks.resting(at):
            of_asks = self._due(now).filter(edition=ASKS).exclude(domain__in=self._pace_of_asks.resting(at))
            asks = of_asks.values_list("id", "domain", "edition")
            ids += self._within_pace(asks[: _CLAIMED_AT_ONCE // SHARE_OF_ASKS])
        digests = self._due(now).exclude(edition=ASKS).values_list("id", "domain", "edition")
        ids += self._within_pace(digests[: _CLAIMED_AT_ONCE - len(ids)])
        if not ids:
            self._claim_at = time.monotonic() + _WAIT
            return []
        Delivery.objects.filter(among("id", ids), state=State.WAITING).update(
            state=State.CLAIMED, claimed_by=self.name, claimed_at=now
        )
        rows = Delivery.objects.filter(among("id", ids), state=State.CLAIMED, claimed_by=self.name).values_list(
            "id", "subscription_id", "edition", "domain", "attempts",
            "subscription__left_at", "subscription__subscriber__blocked_at", "subscription__consent",
        )  # fmt: skip
        found = {row[0]: _Claimed(*row[:5], wanted=_is_wanted(row[2], *row[5:])) for row in rows}
        return [found[number] for number in ids if number in found]

    def _due(self, now: datetime) -> QuerySet[Delivery]:
        """What waits and may go, in turns of the domains."""
        return (
            Delivery.objects.filter(state=State.WAITING, finished_at=None, due_at__lte=now)
            .exclude(domain__in=self._pace.resting(time.monotonic()))
            .annotate(turn=Window(RowNumber(), partition_by=F("domain"), order_by=(F("due_at"), F("id"))))
            .order_by("turn", "due_at", "id")
        )

    def _within_pace(self, rows: Iterable[tuple[int, str, str]]) -> list[int]:
        """Those of the rows that may go now, as far as their domains go; they are counted."""
        at, ids = time.monotonic(), []
        for number, domain, edition in rows:
            if all(pace.left(key, at) for pace, key in self._paces(domain, edition)):
                self._count_pace(domain, edition)
                ids.append(number)
        return ids

    def _paces(self, domain: str, edition: str) -> list[tuple[Pace, str]]:
        """What bounds a mail, and as what it counts there."""
        of_asks = [(self._pace_of_asks, domain), (self._pace_of_all_asks, ASKS)]
        return [(self._pace, domain), *(of_asks if edition == ASKS else ())]

    def _count_pace(self, domain: str, edition: str, mails: int = 1) -> None:
        at = time.monotonic()
        for pace, key in self._paces(domain, edition):
            pace.count(key, at, mails)

    def _release(self) -> None:
        """Give back what was claimed and not begun."""
        if self._claimed:
            ids = [each.id for each in self._claimed]
            self._claimed.clear()
            self._mine(ids).filter(state=State.CLAIMED).update(**_FREE)

    # --- One mail -----------------------------------------------------------------------------------------------------

    def _begin(self, claimed: _Claimed) -> None:
        """Make the mail and give it to a line, or write down why there is none."""
        if not claimed.wanted:
            self._results[claimed.id] = _Result(State.NOTHING, STOPPED)
            return
        try:
            mail = self.compose(claimed.subscription_id, claimed.edition)
        except DatabaseError:
            # Nothing is wrong with the mail: it is made once the database answers again.
            self._claimed.appendleft(claimed)
            raise
        except Exception:
            _log.exception("The mail of delivery %d could not be made.", claimed.id)
            self._results[claimed.id] = _Result(State.FAILED, MADE_WRONG)
            return
        if isinstance(mail, Nothing):
            self._results[claimed.id] = _Result(State.NOTHING, mail.because)
            return
        if self._lines is None:
            self._lines = Lines(self.carrier, self.connections)
        self._on_its_way[claimed.id] = _OnItsWay(claimed, mail.papers)
        self._lines.put(claimed.id, Letter(mail, self.comes_back_to(claimed.id), str(claimed.id)))

    # --- What the lines say -------------------------------------------------------------------------------------------

    def _finish(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while self._on_its_way and time.monotonic() < until:
            self._take(_WAIT)

    def _take(self, seconds: float) -> None:
        """Write down what happened, in one transaction; only then does a line complete its mail.

        Where that cannot be written no mail is completed, and the rest is written the next time.
        """
        asks = self._look(seconds)
        if not (asks or self._results):
            return
        allowed: set[int] = set()
        try:
            with transaction.atomic():
                handing = self._allow([ask.number for ask in asks])
                self._write(self._results)
            allowed = handing
        finally:
            for ask in asks:
                ask.allow(allowed=ask.number in allowed)
        for result in self._results.values():
            self._count(result)
        self._results = {}

    def _look(self, seconds: float) -> list[Asks]:
        """Keep what ended; the mails that are about to be completed."""
        asks: list[Asks] = []
        for event in self._lines.events(seconds) if self._lines is not None else ():
            if isinstance(event, Asks):
                asks.append(event)
                continue
            on_its_way = self._on_its_way.pop(event.number)
            if isinstance(event, Ended):
                self._answered |= isinstance(event.outcome, Accepted | NotTaken)
                self._results[event.number] = _result(event.outcome, on_its_way, timezone.now())
            else:
                self._down = event.error
                self._count_pace(on_its_way.claimed.domain, on_its_way.claimed.edition, -1)
                self._results[event.number] = _waiting(on_its_way, timezone.now())
        return asks

    def _allow(self, ids: list[int]) -> set[int]:
        """Mark these as being handed over; those that are still ours."""
        if not ids:
            return set()
        rows = self._mine(ids).filter(state=State.CLAIMED).select_for_update()
        ours = set(rows.values_list("id", flat=True))
        Delivery.objects.filter(among("id", ours)).update(state=State.HANDING)
        return ours

    def _write(self, results: Mapping[int, _Result]) -> None:
        """Write what became of deliveries that are still ours.

        One that another sender has called doubtful meanwhile is ours too: now it is known.
        """
        now = timezone.now()
        ended = {number: result for number, result in results.items() if result.again is None}
        if ended:
            with connection.cursor() as cursor:
                cursor.executemany(
                    _END,
                    [
                        (result.state.value, result.said, result.papers, timestamp(now), number, self.name)
                        for number, result in ended.items()
                    ],
                )
        for number in results.keys() - ended.keys():
            result = results[number]
            self._mine([number]).filter(state__in=_OURS).update(
                state=result.state, said=result.said, attempts=result.attempts, due_at=result.again, finished_at=None,
                claimed_by="", claimed_at=None,
            )  # fmt: skip
        for number, result in results.items():
            if result.came_back is not None:
                bouncing.record(kind=result.came_back, said=result.words, now=now, delivery_id=number)

    def _count(self, result: _Result) -> None:
        name = "put_off" if result.again is not None else result.state.value
        setattr(self.done, name, getattr(self.done, name) + 1)

    def _mine(self, ids: list[int]) -> QuerySet[Delivery]:
        rows = Delivery.objects.filter(claimed_by=self.name)
        return rows.filter(id=ids[0]) if len(ids) == 1 else rows.filter(among("id", ids))

    # --- A server that takes nothing ----------------------------------------------------------------------------------

    def _rest_if_down(self) -> None:
        """Leave a server alone for a while that could not be reached. That is no mail's fault: all of them wait."""
        if self._down is None:
            return
        self._down = None
        self._resting_until = time.monotonic() + _PAUSES[min(self._failures, len(_PAUSES) - 1)]
        self._failures += 1

    def _note_how_it_went(self) -> None:
        """Keep how the server answered, for the pages that tell of it; the log has it once."""
        now = timezone.now()
        if self._answered:
            self._answered, self._failures = False, 0
            Post.objects.update_or_create(id=1, defaults={"answered_at": now, "down_since": None, "said": ""})
        if self._down is None:
            return
        post, _ = Post.objects.get_or_create(id=1)
        if post.down_since is None:
            _log.warning("No mail goes out: %s All of it waits. Cause: %s", self._down.sentence, self._down.cause)
        Post.objects.filter(id=1).update(down_since=post.down_since or now, said=self._down.sentence)


def _is_wanted(edition: str, left_at: datetime | None, blocked_at: datetime | None, consent: Mapping[str, str]) -> bool:
    """Whether it still goes. Also a blocked address may be asked, where its reader wants that."""
    if edition == ASKS:
        return blocked_at is None or consent.get("form") == AGAIN
    return left_at is None and blocked_at is None


def _result(outcome: Outcome, on_its_way: _OnItsWay, now: datetime) -> _Result:
    """What becomes of a delivery by what came of handing it over."""
    attempts = on_its_way.claimed.attempts + 1
    match outcome:
        case Accepted(said):
            return _Result(State.SENT, said, on_its_way.papers)
        case NotTaken():
            return _refused(outcome, attempts, now)
        case Unconfirmed():
            return _Result(State.DOUBTFUL, NOT_KNOWN)
        case Unsendable(said):
            return _Result(State.FAILED, said)
        case Withheld():
            return _waiting(on_its_way, now)
        case Lost(said):
            return _put_off(said, attempts, now)


def _waiting(on_its_way: _OnItsWay, now: datetime) -> _Result:
    """As before the attempt."""
    return _Result(State.WAITING, attempts=on_its_way.claimed.attempts, again=now)


def _refused(refused: NotTaken, attempts: int, now: datetime) -> _Result:
    words = f"{refused.code} {refused.status} {refused.said}".replace("  ", " ").strip()
    match verdict(refused.stage, refused.code, refused.status, refused.said):
        case Verdict.AGAIN:
            bounce = Bounce.SOFT if refused.stage is Stage.RECIPIENT else None
            return _put_off(f"The mail server put it off: {words}.", attempts, now, bounce, words)
        case Verdict.GONE:
            said = f"The mail server says that there is no such address: {words}."
            return _Result(State.BOUNCED, said, came_back=Bounce.HARD, words=words)
        case Verdict.FULL:
            return _Result(State.FAILED, f"The mailbox is full: {words}.", came_back=Bounce.SOFT, words=words)
        case Verdict.REFUSED:
            return _Result(State.FAILED, f"The mail server refused it: {words}.")


def _put_off(said: str, attempts: int, now: datetime, bounce: Bounce | None = None, words: str = "") -> _Result:
    """Another attempt later, or the end where there were enough."""
    wait = retry_after(attempts, random.random())  # noqa: S311  # spreads attempts, guards nothing
    if wait is None:
        return _Result(State.FAILED, f"{said} It was tried {attempts} times.", came_back=bounce, words=words)
    return _Result(State.WAITING, said, attempts=attempts, again=now + wait)


@contextmanager
def _durably() -> Iterator[None]:
    """What is committed inside survives a power cut: a mail that went must not be one that has yet to go.

    SQLite otherwise syncs now and then (https://www.sqlite.org/pragma.html#pragma_synchronous). PostgreSQL does so.
    """
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous=FULL")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=NORMAL")
