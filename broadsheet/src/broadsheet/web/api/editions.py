"""Editions with their audits, and the last days of the calendar."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, Literal

from django.http import HttpResponseBase
from pydantic import Field

from broadsheet import links
from broadsheet.editions import queries as editions
from broadsheet.editions.rules import Basis, Kind, parse_label
from broadsheet.web import addresses, searching
from broadsheet.web.api import making, shapes
from broadsheet.web.api.endpoint import Asked, Endpoint, Example
from broadsheet.web.api.papers import moved
from broadsheet.web.api.parameters import AFTER, Listed, Number, Parameters
from broadsheet.web.api.problems import NotAnswered, repeated

LATEST = "latest"


class OfEditions(Parameters):
    """What the list of editions takes."""

    kind: Literal["day", "week", "month", "first"] = Field(default="day", description="What they cover.")
    limit: Number = Field(default=50, ge=1, le=100, description="How many editions a page has at most.", examples=[20])
    after: str = Field(default="", max_length=200, description=AFTER)


class OfDays(Parameters):
    """What the audits of the last days take."""

    days: Number = Field(default=10, ge=1, le=60, description="How many days, the latest first.", examples=[10])


def every(asked: Asked[OfEditions]) -> shapes.Page[shapes.ListedEdition]:
    """A page of all editions of a kind, the latest first. Raises NotAnswered."""
    wanted = asked.parameters
    found = editions.archive(Kind(wanted.kind), before=_day_of(wanted.after), limit=wanted.limit + 1)
    shown, more = found[: wanted.limit], len(found) > wanted.limit
    verdicts = editions.verdicts(shown) if wanted.kind == "day" else {}
    return shapes.Page[shapes.ListedEdition](
        items=[_listed(edition, verdicts.get(edition.id), base=asked.base) for edition in shown],
        next=asked.address(after=shown[-1].start.isoformat()) if more else None,
    )


def one(asked: Asked[Listed], label: str) -> shapes.WholeEdition | HttpResponseBase:
    """An edition with its audit and a page of its papers; for ``latest``, where that one is. Raises NotAnswered."""
    if label == LATEST:
        return moved(asked, addresses.api_edition(_latest().label))
    edition = _edition(label)
    wanted = asked.parameters
    offset = _offset_of(wanted.after)
    entries = editions.entries(edition, offset=offset, limit=wanted.limit)
    known = making.papers_by_id((entry.paper_id for entry in entries), wanted.fields, base=asked.base)
    before, after = editions.neighbours(edition)
    reached = offset + wanted.limit
    return shapes.WholeEdition(
        edition=shapes.Edition(**fields_of(edition, base=asked.base)),
        audit=audit(editions.audit(edition), base=asked.base),
        before=making.edition_name(before, base=asked.base) if before else None,
        after=making.edition_name(after, base=asked.base) if after else None,
        total=edition.size,
        items=[
            shapes.EditionItem(**dict(making.place(entry)), paper=known[entry.paper_id])
            for entry in entries
            if entry.paper_id in known
        ],
        next=asked.address(after=str(reached)) if reached < edition.size else None,
    )


def recent(asked: Asked[OfDays]) -> shapes.DayAudits:
    """What is known of each of the last days."""
    return shapes.DayAudits(items=_days(editions.recent(asked.parameters.days), base=asked.base))


def audit(known: editions.Audit, *, base: str) -> shapes.Audit:
    """The audit as every door tells it."""
    return shapes.Audit(
        state=_state(known.state),
        line=_plain(known.line),
        facts=[shapes.Fact(name=name, value=_plain(value)) for name, value in known.facts],
        sections=[
            shapes.SectionAudit(
                announcer=line.announcer,
                section=line.section,
                announced=line.announced,
                how=line.how,
                held=line.held,
                missing=list(line.missing),
            )
            for line in known.sections
        ],
        days=_days(known.days, base=base),
        failed=[_plain(sentence) for sentence in known.failed],
        checked_at=known.checked_at,
        changes=[shapes.Change(at=change.at, text=_plain(change.text)) for change in known.changes],
        rule=known.rule,
    )


def _days(days: Iterable[editions.Day], *, base: str) -> list[shapes.DayAudit]:
    return [
        shapes.DayAudit(
            day=day.day,
            state=_state(day.state),
            line=_plain(day.words.line),
            edition=making.edition_name(day.edition, base=base) if day.edition else None,
            failed=[_plain(sentence) for sentence in day.failed],
        )
        for day in days
    ]


def _listed(edition: editions.Edition, verdict: editions.Verdict | None, *, base: str) -> shapes.ListedEdition:
    told = shapes.Verdict(state=_state(verdict.state), line=_plain(verdict.line)) if verdict else None
    return shapes.ListedEdition(**fields_of(edition, base=base), verdict=told)


def fields_of(edition: editions.Edition, *, base: str) -> dict[str, Any]:
    """The values of the shape of an edition."""
    return {
        **dict(making.edition_name(edition, base=base)),
        "number": edition.number,
        "start": edition.start,
        "end": edition.end,
        "published_at": edition.published_at,
        "open": edition.open,
        "size": edition.size,
        "late": edition.late,
        "basis": shapes.Bases(**{_BASES[basis]: count for basis, count in edition.basis.items()}),
    }


_BASES = {
    Basis.ANNOUNCED: "announced",
    Basis.SUBMITTED: "submitted",
    Basis.MONTH: "month",
    Basis.SHIPPED: "shipped",
}


def _latest() -> editions.Edition:
    edition = editions.front()
    if edition is None:
        raise NotAnswered("unknown-edition", "This instance has no edition yet.")
    return edition


def _edition(label: str) -> editions.Edition:
    """The edition that a label names. Raises NotAnswered."""
    kind = _kind_of(label)
    edition = editions.edition_of(kind, label) if kind else None
    if edition:
        return edition
    if kind is None:
        sentence = (
            f"'{repeated(label)}' is no label of an edition. They are written 2026-11-20, 2026-W47, 2026-11, first and "
            f"{LATEST}."
        )
    else:
        sentence = f"There is no edition {label}.{_why(kind, label)}{_beside(kind, label)}"
    raise NotAnswered("unknown-edition", sentence)


def _kind_of(label: str) -> Kind | None:
    """What kind of edition a label is of; None when it is none."""
    if label == Kind.FIRST:
        return Kind.FIRST
    for kind in (Kind.DAY, Kind.WEEK, Kind.MONTH):
        try:
            parse_label(kind, label)
        except (ValueError, OverflowError):
            continue
        return kind
    return None


def _why(kind: Kind, label: str) -> str:
    """Why a day has none, as far as the calendar or a source tells."""
    if kind is not Kind.DAY:
        return ""
    try:
        known = editions.absence(date.fromisoformat(label))
    except OverflowError:
        return ""
    return f" {_plain(known.words.line)}" if known else ""


def _beside(kind: Kind, label: str) -> str:
    """Which editions of the kind come before and after it, where there are any."""
    if kind is Kind.FIRST:
        return ""
    earlier, later = editions.around(kind, parse_label(kind, label).start)
    told = [f"the one before it is {earlier.label}"] if earlier else []
    told += [f"the one after it is {later.label}"] if later else []
    return f" {told[0][:1].upper()}{', '.join(told)[1:]}." if told else ""


def _day_of(cursor: str) -> date | None:
    """The day that a cursor of the list of editions stands for. Raises NotAnswered."""
    try:
        return date.fromisoformat(cursor) if cursor else None
    except ValueError as error:
        raise _no_place(cursor) from error


def _offset_of(cursor: str) -> int:
    """How many papers of an edition stand before a cursor. Raises NotAnswered."""
    if cursor and not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 9):
        raise _no_place(cursor)
    return int(cursor or 0)


def _no_place(cursor: str) -> NotAnswered:
    return NotAnswered(
        "unknown-cursor", f"'{repeated(cursor)}' is no place in this list. Begin again from its first page."
    )


def _state(state: str) -> shapes.State:
    return _STATES[state]


_STATES: dict[str, shapes.State] = {
    "shipped": "shipped",
    "source-down": "source-down",
    "incomplete": "incomplete",
    "unverified": "unverified",
    "complete": "complete",
    "empty": "empty",
}


def _plain(text: str) -> str:
    return searching.plain(text)


ENDPOINTS = (
    Endpoint(
        path=links.API_EDITIONS,
        name="list_editions",
        summary="All editions of a kind",
        description="The editions of days, weeks or months, the latest first.",
        parameters=OfEditions,
        shape=shapes.Page[shapes.ListedEdition],
        answer=every,
        problems=("unknown-cursor",),
        examples=(Example("The latest day", "/api/v1/editions?limit=1"),),
    ),
    Endpoint(
        path=links.API_EDITION,
        name="get_edition",
        summary="One edition with its audit",
        description="An edition by its label, `2026-11-20`, `2026-W47`, `2026-11` or `first`, with its audit and a "
        "page of its papers, each with its rank and the reasons for it. `latest` leads to that of the front page.",
        parameters=Listed,
        shape=shapes.WholeEdition,
        answer=one,
        problems=("unknown-edition", "unknown-cursor"),
        redirects=True,
        examples=(Example("The first paper of a day", "/api/v1/editions/2024-01-02?limit=1&fields=title_text"),),
    ),
    Endpoint(
        path=links.API_AUDIT,
        name="list_audits",
        summary="How complete the last days are",
        description="The last days of the calendar, the latest first: what is known of the list of each, as its page "
        "says it.",
        parameters=OfDays,
        shape=shapes.DayAudits,
        answer=recent,
        examples=(),
    ),
)
