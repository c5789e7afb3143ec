"""What a program asked for, read strictly: a value that cannot be meant is refused with a sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from django.http import HttpRequest

from broadsheet.editions.rules import Kind, Period, parse_label
from broadsheet.web.pages.listing import text_of

# The greatest `limit` of each list, and what is given when none is asked for, in papers.
MOST_LISTED = 100
LISTED = 50
MOST_FOUND = 120
# How far back the list without a period goes, in papers.
DEEPEST = 10_000

_LONGEST_NUMBER = 9
# Characters of a value that are repeated in the sentence which refuses it.
_REPEATED = 40
_FORMS = {Kind.DAY: "2026-11-20", Kind.WEEK: "2026-W47", Kind.MONTH: "2026-11"}


class Unanswerable(Exception):
    """A question that cannot be answered. The text is a sentence for whoever asked; `status` that of HTTP."""

    def __init__(self, sentence: str, *, status: int = 400) -> None:
        super().__init__(sentence)
        self.status = status


class Order(StrEnum):
    """The orders of a list, by the names that the original gives them."""

    PUBLISHED = "publishedAt"
    TRENDING = "trending"


@dataclass(frozen=True, slots=True)
class Asked:
    """A part of the list: the days from `since` to `until`, both included and None without end, and who submitted."""

    since: date | None
    until: date | None
    submitter: str
    order: Order
    offset: int
    limit: int

    @property
    def of_a_period(self) -> bool:
        """Whether days were named."""
        return self.since is not None


def asked(request: HttpRequest) -> Asked:
    """What ``/api/daily_papers`` was asked for. Raises Unanswerable.

    Several periods narrow each other. A week begins on the Friday before it, and a month on the day before it, as they
    do in the original (tests of its client).
    """
    periods = [
        *_period(request, "date", Kind.DAY, lambda period: period.start),
        *_period(request, "week", Kind.WEEK, lambda period: period.start - timedelta(days=3)),
        *_period(request, "month", Kind.MONTH, lambda period: period.start - timedelta(days=1)),
    ]
    limit = number(request, "limit", least=1, most=MOST_LISTED, otherwise=LISTED)
    return Asked(
        since=max((since for since, _ in periods), default=None),
        until=min((until for _, until in periods), default=None),
        submitter=text_of(request, "submitter"),
        order=_order(request),
        offset=number(request, "p", least=0, otherwise=0) * limit,
        limit=limit,
    )


def number(request: HttpRequest, name: str, *, least: int, otherwise: int, most: int | None = None) -> int:
    """The whole number of a parameter, `otherwise` when it is not there. Raises Unanswerable outside of them."""
    text = text_of(request, name)
    if not text:
        return otherwise
    plain = text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER
    if not plain or int(text) < least or (most is not None and int(text) > most):
        bounds = f"from {least} up" if most is None else f"from {least} to {most}"
        raise Unanswerable(f"{name} must be a whole number {bounds}, not '{repeated(text)}'.")
    return int(text)


def repeated(text: str) -> str:
    """The beginning of what somebody sent, for a sentence: without characters that are not seen."""
    cut = text[:_REPEATED] + ("..." if len(text) > _REPEATED else "")
    return "".join(character if character.isprintable() else "?" for character in cut)


def _period(request: HttpRequest, name: str, kind: Kind, begin: Callable[[Period], date]) -> list[tuple[date, date]]:
    """The first and the last day of a named period; none when it was not asked for."""
    text = text_of(request, name)
    if not text:
        return []
    example = _FORMS[kind]
    try:
        period = parse_label(kind, text[: len(example) + 1])
        return [(begin(period), period.end)]
    except (ValueError, OverflowError) as error:
        raise Unanswerable(
            f"{name} must be a {kind} of the calendar as in {example}, not '{repeated(text)}'."
        ) from error


def _order(request: HttpRequest) -> Order:
    text = text_of(request, "sort")
    try:
        return Order(text) if text else Order.PUBLISHED
    except ValueError as error:
        raise Unanswerable(f"sort must be publishedAt or trending, not '{repeated(text)}'.") from error
