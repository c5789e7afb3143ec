"""What became of mails: a reader's log, and for operators how it goes altogether."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, Exists, Max, Min, OuterRef, Q

from broadsheet.following.models import Delivery, Post
from broadsheet.following.queries.subscribing import receiving
from broadsheet.following.rules.delivering import ASKS, LATE, USUAL_SILENCE, State
from broadsheet.following.rules.subscribing import Cadence

__all__ = ["DayOfMail", "Logged", "Matter", "Standing", "days", "log", "matters", "standing"]

_WORDS = {
    State.WAITING: "Waits to be sent.",
    State.CLAIMED: "Is being sent.",
    State.HANDING: "Is being sent.",
    State.SENT: "Sent.",
    State.NOTHING: "Not sent, as there was nothing to say.",
    State.FAILED: "Not sent.",
    State.DOUBTFUL: "It may have arrived.",
    State.BOUNCED: "Came back.",
}


@dataclass(frozen=True, slots=True)
class Logged:
    """One mail as its reader sees it in her log.

    `slot` is her own day for which it was due, `edition` the label of what it was about, empty where there was none.
    `at` is when it ended, or is tried next. `said` is the reason in a sentence, or what the mail server answered.
    """

    id: int
    slot: date
    edition: str
    state: State
    at: datetime
    papers: int
    said: str

    @property
    def words(self) -> str:
        """What became of it, in a sentence or two."""
        if self.state is State.SENT and self.papers:
            return f"Sent, with {self.papers} paper{'' if self.papers == 1 else 's'}."
        if self.state in (State.NOTHING, State.DOUBTFUL, State.BOUNCED) and self.said:
            return self.said
        return f"{_WORDS[self.state]} {'' if self.state is State.SENT else self.said}".strip()


@dataclass(frozen=True, slots=True)
class Matter:
    """A mail that an operator may have to see to: to whom, and how often it was tried."""

    logged: Logged
    address: str
    cadence: Cadence
    attempts: int


@dataclass(frozen=True, slots=True)
class DayOfMail:
    """What became of the mails of a cadence that were due on a day of their readers. `waiting` are not ended."""

    day: date
    cadence: Cadence
    sent: int
    nothing: int
    failed: int
    bounced: int
    doubtful: int
    waiting: int

    @property
    def due(self) -> int:
        """All of them."""
        return self.sent + self.nothing + self.failed + self.bounced + self.doubtful + self.waiting


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with mail, in a sentence for the operator. `matter` is the same whenever it began, so that of a
    server that fails again and again is told once a day.
    """

    matter: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How mail goes.

    `waiting` deliveries wait; `oldest` is since when the earliest digest does of which nobody tried yet to send it, so
    that an address that puts all mail off makes none late. `subscribed` counts the subscriptions that get mail.
    `down_since` is when the mail server stopped answering, and `said` why. `sent_at` is when the last mail went.
    `incidents` are what is wrong, none while all is well.
    """

    subscribed: int
    waiting: int
    oldest: datetime | None
    sent_at: datetime | None
    answered_at: datetime | None
    down_since: datetime | None
    said: str
    incidents: tuple[Trouble, ...]

    @property
    def troubles(self) -> tuple[str, ...]:
        """What is wrong, in sentences."""
        return tuple(each.sentence for each in self.incidents)


def log(subscription_id: int, limit: int = 30) -> list[Logged]:
    """The last mails of a subscription, the newest first."""
    return [_logged(row) for row in Delivery.objects.filter(subscription=subscription_id).order_by("-slot")[:limit]]


def matters(*, limit: int = 200) -> list[Matter]:
    """Mails that wait for another attempt, that failed or are doubtful, the newest first."""
    rows = Delivery.objects.filter(
        Q(state__in=(State.FAILED, State.DOUBTFUL, State.BOUNCED)) | Q(state=State.WAITING, attempts__gt=0)
    )
    return [
        Matter(_logged(row), row.subscription.subscriber.address, Cadence(row.subscription.cadence), row.attempts)
        for row in rows.select_related("subscription__subscriber").order_by("-id")[:limit]
    ]


def days(*, count: int = 7) -> list[DayOfMail]:
    """What became of mails, for so many of the last days for which any were due, the newest first."""
    last = list(
        Delivery.objects.exclude(edition=ASKS).order_by("-slot").values_list("slot", flat=True).distinct()[:count]
    )
    if not last:
        return []
    rows = (
        Delivery.objects.filter(slot__gte=last[-1])
        .exclude(edition=ASKS)
        .order_by("-slot", "subscription__cadence")
        .values_list("slot", "subscription__cadence", "state")
        .annotate(Count("id"))
    )
    counted: dict[tuple[date, str], Counter[str]] = defaultdict(Counter)
    for slot, cadence, state, number in rows:
        counted[slot, cadence][state if state in _ENDED else "waiting"] += number
    return [
        DayOfMail(slot, Cadence(cadence), *(states[name] for name in (*_ENDED, "waiting")))
        for (slot, cadence), states in counted.items()
    ]


_ENDED = ("sent", "nothing", "failed", "bounced", "doubtful")


def standing(now: datetime) -> Standing:
    """How mail goes, and what is wrong with it."""
    untried = Q(attempts=0) & ~Q(edition=ASKS)
    open_ = Delivery.objects.filter(finished_at=None).aggregate(
        count=Count("id"), oldest=Min("made_at", filter=untried)
    )
    # A worker that does not run puts nothing into the outbox: what is due and not in it waits as well.
    overdue = receiving().filter(next_at__lte=now).aggregate(at=Min("next_at"))["at"]
    oldest = min(filter(None, (open_["oldest"], overdue)), default=None)
    sent_at = Delivery.objects.filter(state=State.SENT).aggregate(at=Max("finished_at"))["at"]
    post = Post.objects.first() or Post()
    return Standing(
        subscribed=receiving().count(),
        waiting=open_["count"],
        oldest=oldest,
        sent_at=sent_at,
        answered_at=post.answered_at,
        down_since=post.down_since,
        said=post.said,
        incidents=tuple(_incidents(post, oldest, sent_at, now)),
    )


def _incidents(post: Post, oldest: datetime | None, sent_at: datetime | None, now: datetime) -> Sequence[Trouble]:
    found = []
    if post.down_since is not None:
        at = f"{post.down_since:%Y-%m-%d %H:%M}"
        found.append(Trouble("down", f"No mail goes out since {at} UTC. {post.said}"))
    elif oldest is not None and now - oldest > LATE and (sent_at is None or now - sent_at > LATE):
        said = f"Mail waits since {oldest:%Y-%m-%d %H:%M} UTC, and none goes out. Does the worker run?"
        found.append(Trouble("late", said))
    for cadence, usual in USUAL_SILENCE.items():
        readers = _unheard(cadence, now - usual)
        if readers:
            said = f"{readers} who subscribed to {_PERIODS[cadence]} got no mail for {usual.days} days."
            found.append(Trouble(f"silent {cadence}", said))
    return found


_PERIODS = {Cadence.DAY: "each day's edition", Cadence.WEEK: "each week's", Cadence.MONTH: "each month's"}


def _unheard(cadence: Cadence, since: datetime) -> str:
    """How many readers should have got one since then; empty where any of that cadence did, or had only nothing in it
    for her.
    """
    recent = Delivery.objects.filter(subscription__cadence=cadence, made_at__gte=since).exclude(edition=ASKS)
    well = Q(state__in=(State.SENT, State.DOUBTFUL)) | (Q(state=State.NOTHING) & ~Q(edition=""))
    if not recent.exists() or recent.filter(well).exists():
        return ""
    theirs = Delivery.objects.filter(subscription=OuterRef("id"))
    readers = receiving().filter(Exists(theirs), cadence=cadence, confirmed_at__lt=since).count()
    return f"{readers} reader{'' if readers == 1 else 's'}" if readers else ""


def _logged(row: Delivery) -> Logged:
    return Logged(
        id=row.id,
        slot=row.slot,
        edition=row.edition,
        state=State(row.state),
        at=row.finished_at or row.due_at,
        papers=row.papers,
        said=row.said,
    )
