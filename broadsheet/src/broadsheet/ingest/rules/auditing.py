"""What an audit says of a day: a pure function of the evidence, whatever order that came in.

More evidence never hurts: a day is complete only when a witness that is not the bearer of the papers counted them and
all are held, and no later witness makes such a day complete without them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from broadsheet.ingest.rules import DayAudit, Line, State, days

# How long after a list should be there nobody is alarmed that it is not.
PATIENCE = timedelta(hours=1)
MISSING_SHOWN = 5  # works

# How the count of a source is named. What counts only the papers that it brings itself cannot show that some are gone.
_WITNESSES = {"arxiv-listing": "listing total", "arxiv-feed": "feed count", "arxiv-oai": "OAI"}
_BRINGS_WHAT_IT_COUNTS = frozenset({"arxiv-feed"})
# Announcers whose calendar we know.
_KEEPS_CALENDAR = frozenset({"arxiv"})


@dataclass(frozen=True, slots=True)
class Asked:
    """How asking a source went: when it answered last, the newest day that it spoke of, and, if it fails now, why."""

    source: str
    title: str
    answered_at: datetime | None = None
    newest: date | None = None
    failure: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one section of a day.

    `counts` has the number of new and cross-listed works that each source counted, `named` the keys of those that were
    announced and whether we hold them, `estimated` the number of works that are dated on that day without a list.
    `passed_over` says that one answer listed days before and after this one, and not this one.
    """

    announcer: str
    section: str
    counts: Mapping[str, int] = field(default_factory=dict)
    named: Mapping[str, bool] = field(default_factory=dict)
    asked: Sequence[Asked] = ()
    estimated: int = 0
    passed_over: bool = False

    @property
    def held(self) -> int:
        """How many of the announced works we hold."""
        return sum(self.named.values())

    @property
    def announced(self) -> int:
        """How many works were announced at least, as far as anybody said."""
        return max((*self.counts.values(), len(self.named)))

    @property
    def independent(self) -> bool:
        """Whether somebody counted who does not bring the papers."""
        return any(source not in _BRINGS_WHAT_IT_COUNTS for source in self.counts)

    @property
    def counted_none(self) -> bool:
        """Whether somebody counted who does not bring the papers, and there were none."""
        return self.independent and not self.announced

    @property
    def silent(self) -> bool:
        """Whether nobody said anything of a list."""
        return not self.named and not self.counts


@dataclass(frozen=True, slots=True)
class _Reason:
    """A sentence, of which `part` is about one section: those of sections that differ in nothing else are joined."""

    before: str
    part: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What is to be said of one section."""

    state: State
    reason: _Reason
    line: Line | None
    failed: tuple[str, ...]


def audit(day: date, sections: Iterable[Evidence], *, now: datetime) -> DayAudit:
    """The audit of a day at the time `now` (with a zone), from what is known of each followed section.

    The state is that of the worst section. Sections that are empty by calendar say nothing of the others, and neither
    do those that nobody can verify because their announcer keeps no calendar that we know.
    """
    ordered = sorted(sections, key=lambda one: (one.announcer, one.section))
    verdicts = [_judge(day, one, now) for one in ordered]
    strong = [
        one
        for known, one in zip(ordered, verdicts, strict=True)
        if one.state is not State.UNVERIFIED or _keeps_calendar(known)
    ] or verdicts
    speaking = [one for one in strong if one.state is not State.EMPTY] or strong
    if not speaking:
        return DayAudit(day, State.UNVERIFIED, "No source that announces is followed.", checked_at=now)
    order = list(State)
    worst = min((one.state for one in speaking), key=order.index)
    return DayAudit(
        day,
        worst,
        _joined(one.reason for one in speaking if one.state is worst),
        tuple(one.line for one in verdicts if one.line),
        tuple(dict.fromkeys(sentence for one in verdicts for sentence in one.failed)),
        now,
    )


def _joined(reasons: Iterable[_Reason]) -> str:
    parts: dict[tuple[str, str], dict[str, None]] = {}
    for reason in reasons:
        parts.setdefault((reason.before, reason.after), {})[reason.part] = None
    return " ".join(f"{before}{', '.join(its)}{after}" for (before, after), its in parts.items())


def _judge(day: date, known: Evidence, now: datetime) -> _Verdict:
    failed = _failed(day, known, now)
    if known.silent:
        state, reason = _judge_silence(day, known, now)
        empty = state is State.EMPTY
        line = None if empty else Line(known.announcer, known.section, None, "", known.estimated)
        return _Verdict(state, reason, line, () if empty else failed)
    missing = tuple(sorted(key for key, held in known.named.items() if not held))
    how = _how(known)
    line = Line(known.announcer, known.section, known.announced, how, known.held, missing[:MISSING_SHOWN])
    state, reason = _judge_list(day, known, now, how)
    return _Verdict(state, reason, line, failed)


def _judge_list(day: date, known: Evidence, now: datetime, how: str) -> tuple[State, _Reason]:
    """The state of a section of which something was announced."""
    if known.independent and known.held >= known.announced:
        here = f"{known.announced:,} in {known.section}"
        return State.COMPLETE, _Reason("All announced papers are here: ", here, f" ({how}).")
    before, here = "Of the announced papers are here: ", f"{known.held:,} of {known.announced:,} in {known.section}"
    if known.held >= known.announced:
        after = f"; only the {how} says how many there are." if how else "; nobody counted them."
        return State.UNVERIFIED, _Reason(before, here, after)
    arrived = days.feed_appears(day) + PATIENCE
    if _keeps_calendar(known) and now < arrived:
        return State.UNVERIFIED, _Reason(before, here, f"; the others are expected until {_clock(arrived)}.")
    return State.INCOMPLETE, _Reason(before, here, ".")


def _judge_silence(day: date, known: Evidence, now: datetime) -> tuple[State, _Reason]:
    """The state of a section of which nothing was announced."""
    if known.passed_over:
        return State.EMPTY, _Reason("The lists of the week pass over this day.")
    keeps = _keeps_calendar(known)
    appears = days.appears(day) if keeps else days.feed_appears(day)
    if keeps and (reason := days.why_empty(day) or _believed_empty(day, known)):
        return State.EMPTY, _Reason(f"{reason[0].upper()}{reason[1:]}: arXiv announces nothing.")
    if now < appears:
        return State.UNVERIFIED, _Reason(f"The list of this day appears at {_clock(appears)}.")
    if failure := _not_answering(known, appears):
        return State.DOWN, _Reason(failure)
    after = "; papers are dated by their numbers." if known.estimated else "."
    return State.UNVERIFIED, _Reason("No list was seen of ", known.section or known.announcer, after)


def _believed_empty(day: date, known: Evidence) -> str | None:
    """Why there is no list, where the day is doubtful and a source that answered in time still shows an older one."""
    reason = days.why_perhaps_empty(day)
    seen = (one for one in known.asked if one.answered_at and one.answered_at >= days.feed_appears(day))
    return reason if reason and any(one.newest and one.newest < day for one in seen) else None


def _not_answering(known: Evidence, since: datetime) -> str | None:
    """The reasons why nobody answered since then, as sentences; None where somebody did, or nobody was asked."""
    if any(one.answered_at and one.answered_at >= since for one in known.asked):
        return None
    return " ".join(dict.fromkeys(one.failure for one in known.asked if one.failure)) or None


def _failed(day: date, known: Evidence, now: datetime) -> tuple[str, ...]:
    """Sentences about what is not as it should be."""
    return (*_standing_still(day, known, now), *_disagreeing(known), *_troubled(day, known))


def _standing_still(day: date, known: Evidence, now: datetime) -> Iterable[str]:
    """Sources that still show the list of an earlier day."""
    if not _keeps_calendar(known) or (known.silent and days.why_empty(day)):
        return
    for one in known.asked:
        if known.counted_none and one.source in _BRINGS_WHAT_IT_COUNTS:
            continue
        due = (days.feed_appears(day) if one.source in _BRINGS_WHAT_IT_COUNTS else days.appears(day)) + PATIENCE
        if one.newest and one.newest < day and one.answered_at and one.answered_at >= due and now >= due:
            yield f"{one.title} still shows {known.section} of {one.newest.day} {one.newest:%B %Y}."


def _disagreeing(known: Evidence) -> Iterable[str]:
    """Bearers that brought fewer than others counted, and names that are missing.

    That others count fewer is usual: the listing page of an archive leaves out what only moved within it.
    """
    for source, number in sorted(known.counts.items()):
        if number < known.announced and source in _BRINGS_WHAT_IT_COUNTS:
            yield f"The {_title(source)} of {known.section} is {number:,} of {known.announced:,}."
    if not known.silent and len(known.named) < known.announced:
        unknown = known.announced - len(known.named)
        yield f"{unknown:,} of {known.announced:,} announced papers of {known.section} are not known by name."


def _troubled(day: date, known: Evidence) -> Iterable[str]:
    """Failures and warnings of sources, where they concern the day: of those that answered neither before nor after.

    What a feed warns of concerns the list that it is made of: none before that appears, and nothing where another
    witness counted and everything is here.
    """
    verified = known.independent and known.held >= known.announced
    for one in known.asked:
        bears = one.source in _BRINGS_WHAT_IT_COUNTS
        if one.failure and (one.answered_at is None or one.answered_at < days.appears(day)):
            yield one.failure
        out = days.feed_appears(day) if bears else days.appears(day)
        concerns = one.answered_at and one.answered_at >= out and (one.newest is None or one.newest <= day)
        if concerns and not (bears and verified):
            yield from one.warnings


def _how(known: Evidence) -> str:
    """The name of the witness that counted most; one that does not bring the papers goes first."""
    ranked = sorted(known.counts, key=lambda source: (source in _BRINGS_WHAT_IT_COUNTS, -known.counts[source], source))
    return _title(ranked[0]) if ranked else ""


def _title(source: str) -> str:
    return _WITNESSES.get(source, f"count of {source}")


def _keeps_calendar(known: Evidence) -> bool:
    return known.announcer in _KEEPS_CALENDAR


def _clock(at: datetime) -> str:
    local = at.astimezone(days.ANNOUNCEMENT_ZONE)
    return f"{local:%H:%M} Eastern on {local:%A} {local.day} {local:%B}"
