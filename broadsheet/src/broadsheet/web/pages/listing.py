"""What the pages with lists share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from django.http import Http404, HttpRequest

from broadsheet.accounts.rules import Person
from broadsheet.editions import queries as editions
from broadsheet.papers.queries import Listing
from broadsheet.web import cards, paging


class Question(Protocol):
    """A question whose answer is a long list, newest first, read page by page with a cursor."""

    def __call__(self, slug: str, *, after: str | None, limit: int) -> Listing:
        """The papers of `slug` behind the cursor `after`. Raises ValueError when it is none."""


def edition_cards(edition: editions.Edition, viewer: Person | None, *, page: int) -> list[cards.Card]:
    """The cards of one page of an edition, each with its rank, its reasons, and what the viewer sees of people."""
    entries = editions.entries(edition, offset=(page - 1) * paging.PER_PAGE, limit=paging.PER_PAGE)
    return cards.attended(viewer, cards_of(entries))


def cards_of(entries: Sequence[editions.Entry]) -> list[cards.Card]:
    """The cards of these entries in their order, each with its rank and the reasons that were stored."""
    loaded = {card.paper.id: card for card in cards.load(entry.paper_id for entry in entries)}
    return [
        replace(loaded[entry.paper_id], rank=entry.rank, reasons=tuple(entry.reasons), late=entry.late)
        for entry in entries
        if entry.paper_id in loaded
    ]


def text_of(request: HttpRequest, name: str) -> str:
    """A parameter of the address without the zero bytes that no database stores; empty when it is not there."""
    return request.GET.get(name, "").replace("\0", "").strip()


def refuse_zero_bytes(*texts: str) -> None:
    """Raise Http404 when a part of the path holds a zero byte: nothing that we store has one."""
    if any("\0" in text for text in texts):
        raise Http404("There is no such address.")


def listed(ask: Question, slug: str, after: str) -> Listing:
    """A page of a list by its cursor. Raises Http404 when the cursor is none."""
    try:
        return ask(slug, after=after or None, limit=paging.PER_PAGE)
    except (ValueError, OverflowError) as error:
        raise Http404("This address names no place in the list.") from error
