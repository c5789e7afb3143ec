"""Editions: one of a day, a week or a month, the first one, and the archive of all."""

from __future__ import annotations

import re
from datetime import date

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from broadsheet import links
from broadsheet.editions import queries as editions
from broadsheet.editions.rules import Kind, parse_label
from broadsheet.web import addresses, drawing, paging, wording
from broadsheet.web.hiding import Sieve
from broadsheet.web.metadata import social
from broadsheet.web.ordering import Ordering
from broadsheet.web.pages.listing import text_of
from broadsheet.web.rendering import page

_LISTED = 60
# How each kind is written in addresses: a form, and an example of it.
_FORMS = {
    Kind.DAY: (re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"), "2026-11-20"),
    Kind.WEEK: (re.compile(r"[0-9]{4}-W[0-9]{2}"), "2026-W47"),
    Kind.MONTH: (re.compile(r"[0-9]{4}-[0-9]{2}"), "2026-11"),
}
_PLURALS = {Kind.DAY: "Days", Kind.WEEK: "Weeks", Kind.MONTH: "Months"}


@require_safe
def day(request: HttpRequest, day: str) -> HttpResponse:
    """The edition of a day, ``2026-11-20``."""
    return _edition(request, Kind.DAY, day)


@require_safe
def week(request: HttpRequest, week: str) -> HttpResponse:
    """The edition of a week, ``2026-W47``."""
    return _edition(request, Kind.WEEK, week)


@require_safe
def month(request: HttpRequest, month: str) -> HttpResponse:
    """The edition of a month, ``2026-11``."""
    return _edition(request, Kind.MONTH, month)


@require_safe
def first(request: HttpRequest) -> HttpResponse:
    """The edition that came with the program."""
    return _edition(request, Kind.FIRST, "first")


def _edition(request: HttpRequest, kind: Kind, label: str) -> HttpResponse:
    edition = editions.edition_of(kind, label) if len(label) <= 10 and "\0" not in label else None
    if edition is None:
        return _absent(request, kind, label)
    number = paging.page_number(request)
    address = addresses.edition(kind, label)
    before, after = editions.neighbours(edition)
    audit = editions.audit(edition)
    sieve = Sieve(request)
    ordering = Ordering(request, edition)
    values = {
        "edition": edition,
        "feed": address,
        "heading": wording.edition_name(kind, label),
        "audit": audit,
        "social": social.of_edition(edition, description=audit.line, base=addresses.base_of(request)),
        "cards": sieve.shown(ordering.cards(number)),
        "sieve": sieve,
        "ordering": ordering,
        "before": before,
        "after": after,
        "pages": paging.pages(
            number,
            edition.size,
            lambda n: addresses.with_query(address, page=n, order=ordering.asked, hidden=sieve.asked),
        ),
    }
    return page(request, "pages/edition.html", values, canonical=addresses.with_query(address, page=number))


def _absent(request: HttpRequest, kind: Kind, label: str) -> HttpResponse:
    """Why there is no such edition, as the calendar or a source tells, and the ones before and after it."""
    if kind is Kind.FIRST:
        raise Http404("This instance was started without the starter catalogue, so it has no first edition.")
    try:
        period = parse_label(kind, label)
    except (ValueError, OverflowError) as error:
        form, example = _FORMS[kind]
        if form.fullmatch(label):
            raise Http404(f"No calendar has the {kind} {label}.") from error
        raise Http404(f"“{label[:40]}” is not written as a {kind} is here: {example}.") from error
    earlier, later = editions.around(kind, period.start)
    values = {
        "heading": wording.edition_name(kind, label),
        "kind": kind,
        "to_come": period.start > timezone.now().astimezone(wording.EASTERN).date(),
        "why": _why(period.start) if kind is Kind.DAY else None,
        "earlier": earlier,
        "later": later,
    }
    return page(request, "pages/edition_absent.html", values, status=404)


def _why(day: date) -> editions.Day | None:
    """Why a day has no edition; None where nobody can tell, as of a day without a day before it in the calendar."""
    try:
        return editions.absence(day)
    except OverflowError:
        return None


@require_safe
def archive(request: HttpRequest) -> HttpResponse:
    """The editions of one kind, the latest first, with a drawing of their sizes; days unless another is asked for."""
    counts = editions.counts()
    kind = _kind(text_of(request, "kind"), counts)
    before = _before(text_of(request, "before"))
    listed = editions.archive(kind, before=before, limit=_LISTED + 1)
    shown, more = listed[:_LISTED], len(listed) > _LISTED
    values = {
        "kind": kind,
        "feed": links.EDITIONS,
        "kinds": [
            (name, addresses.with_query(links.EDITIONS, kind=each), each is kind, counts[each])
            for each, name in _PLURALS.items()
        ],
        "first": editions.edition_of(Kind.FIRST, "first"),
        "editions": shown,
        "marks": editions.marks(shown),
        "drawing": _sizes(kind) if before is None else "",
        "earlier": addresses.with_query(links.EDITIONS, kind=kind, before=shown[-1].start.isoformat()) if more else "",
        "latest": addresses.with_query(links.EDITIONS, kind=kind) if before else "",
    }
    return page(request, "pages/editions.html", values, canonical=links.EDITIONS)


def _kind(text: str, counts: dict[Kind, int]) -> Kind:
    """The kind that is asked for; when none is, the shortest period of which there is an edition."""
    if text:
        if text in _PLURALS:
            return Kind(text)
        raise Http404("The archive has days, weeks and months: kind=day, kind=week or kind=month.")
    return next((kind for kind in _PLURALS if counts[kind]), Kind.DAY)


def _before(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise Http404("Write the day before which editions are listed as 2026-11-20.") from error


def _sizes(kind: Kind) -> str:
    sizes = [(wording.edition_name(kind, label), size) for label, size in editions.sizes(kind)]
    if len(sizes) < 2:
        return ""
    greatest = max(size for _, size in sizes)
    title = (
        f"Papers in each of the last {len(sizes)} editions; the largest has {greatest}. The list below says the same."
    )
    return drawing.bars(sizes, title=title)
