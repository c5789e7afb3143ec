"""How this instance is doing, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from broadsheet import links
from broadsheet.accounts.rules import Role
from broadsheet.editions import queries as editions
from broadsheet.evidence import queries as evidence
from broadsheet.following.queries import deliveries
from broadsheet.ingest import queries as ingest
from broadsheet.ingest.rules.schedule import Standing, is_due
from broadsheet.papers import queries as papers
from broadsheet.search.index import IndexUnavailable
from broadsheet.sources import registry
from broadsheet.web import measured, viewing, wording
from broadsheet.web.pages import outbox
from broadsheet.web.pages.papers import source_title
from broadsheet.web.pages.search import index
from broadsheet.web.remembered import ForSeconds, Remembered
from broadsheet.web.rendering import page

_RUNS = 10
_DAYS_OF_MAIL = 5
_REJECTED = 20

# Counting reads whole indexes of the database.
totals = Remembered(papers.totals)


def _of_mail() -> tuple[deliveries.Standing, list[deliveries.DayOfMail]]:
    return deliveries.standing(timezone.now()), deliveries.days(count=_DAYS_OF_MAIL)


# Counting reads the outbox, which has a row for each mail of 400 days.
mail = ForSeconds(_of_mail, 10.0)


@dataclass(frozen=True, slots=True)
class Health:
    """How asking a source for one of its sets goes: whose, which, since when, and in words."""

    source: str
    set_name: str
    answered: str
    due: str
    newest: str
    words: tuple[str, str]
    fails: bool
    warnings: list[str]


@dataclass(frozen=True, slots=True)
class Import:
    """An import or a harvest as the page tells it: the row, the source's title, how it ended, what was rejected."""

    run: ingest.ImportRun
    name: str
    source: str
    outcome: str
    rejected: list[ingest.Rejection]


@require_safe
def status(request: HttpRequest) -> HttpResponse:
    """Papers, journal, index, editions, the last days, sources and their health, imports, and what nobody knows."""
    values = {
        "totals": totals(),
        "index": _index_line(),
        "behind": editions.behind(),
        "counts": editions.counts(),
        "front": editions.front(),
        "claims": _claims_line(),
        "verdicts": _verdicts_line(),
        "sources": [(source.name, source.title) for source in registry.sources().values()],
        "problems": registry.problems(),
        "imports": [_import(run) for run in ingest.recent_runs(_RUNS)],
        "harvests": [_import(run) for run in ingest.recent_harvests(_RUNS)],
        "health": [_health(place) for place in ingest.places()],
        "days": editions.recent(),
        **_mail(request),
    }
    return page(request, "pages/status.html", values, canonical=links.STATUS)


def _mail(request: HttpRequest) -> dict[str, object]:
    """How digests by mail are doing, and whether she may look at each."""
    person = viewing.viewer(request)
    standing, days = mail()
    return {
        "mail": outbox.line(standing, timezone.now()),
        "mail_days": days,
        "sees_mail": person is not None and person.is_a(Role.OPERATOR),
    }


_TESTABLE = {"yes": "can be tested on a laptop", "partly": "in part", "no": "not"}


def _claims_line() -> str:
    """How many claims can be tested, in part or not."""
    counted = evidence.tally()
    parts = [f"{wording.number(counted[word])} {said}" for word, said in _TESTABLE.items() if counted.get(word)]
    return ", ".join(parts) or "none"


def _verdicts_line() -> str:
    """How many claims were measured, and what came of them."""
    counted = evidence.verdicts()
    if not counted:
        return "none yet"
    parts = ", ".join(f"{wording.number(number)} {measured.COUNTED[word]}" for word, number in counted.items())
    return f"{wording.count(sum(counted.values()), 'claim')}: {parts}"


def _index_line() -> str:
    """How many papers the index holds and how far it is behind the journal."""
    try:
        held, cursor = index().count(), index().cursor()
    except IndexUnavailable as error:
        return str(error)
    behind = papers.unread(cursor)
    lag = "up to date" if behind <= 0 else f"{wording.count(behind, 'change')} behind; it is being brought up to date"
    return f"{wording.count(held, 'paper')}, {lag}{_meaning_line(held)}"


def _meaning_line(held: int) -> str:
    """Of how many papers the index knows the meaning, where a model is set."""
    known = index().embedding()
    if not known.model:
        return ""
    if known.missing:
        return f". {known.missing}"
    return f"; {wording.number(min(known.papers, held))} of them searched by meaning ({known.model})"


def _health(place: ingest.Place) -> Health:
    now = timezone.now()
    at, today = due(place, now), now.astimezone(wording.EASTERN).date()
    return Health(
        source=source_title(place.source),
        set_name=place.set_name,
        answered=wording.eastern(place.answered_at, near=today) if place.answered_at else "never",
        newest=wording.day_text(place.newest),
        words=wording.health(place, now),
        due="now" if at == now else wording.eastern(at, near=today) if at else "not within a week",
        fails=bool(place.failure),
        warnings=place.warnings,
    )


def due(place: ingest.Place, now: datetime) -> datetime | None:
    """When the schedule has the set asked again, to five minutes; None where that is more than a week away."""
    standing = Standing(
        place.tried_at, place.answered_at, place.newest, place.unfinished, place.failures, place.resting_until
    )
    if is_due(place.source, standing, now):
        return now
    start = now.replace(minute=0, second=0, microsecond=0)
    for hour in (start + timedelta(hours=number) for number in range(1, 24 * 7)):
        if is_due(place.source, standing, hour):
            steps = (hour - timedelta(minutes=minutes) for minutes in range(55, -5, -5))
            return next(at for at in steps if at > now and is_due(place.source, standing, at))
    return None


def _import(run: ingest.ImportRun) -> Import:
    unfinished = "running, or interrupted" + ("" if run.harvested else ": import the file again to complete it")
    outcome = run.error or ("" if run.finished_at else unfinished)
    rejected = ingest.rejected(run.id, _REJECTED) if run.rejected else []
    return Import(run, run.filename or run.set_name or "everything", source_title(run.source), outcome, rejected)
