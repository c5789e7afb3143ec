"""The front page: the lead, the seconds, what can be tested, and the complete list of the newest edition."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from broadsheet import links
from broadsheet.editions import queries as editions
from broadsheet.editions.rules import Kind
from broadsheet.evidence import queries as evidence
from broadsheet.web import addresses, cards, paging, viewing, wording
from broadsheet.web.hiding import Sieve
from broadsheet.web.metadata import social
from broadsheet.web.ordering import Ordering
from broadsheet.web.pages.sections import sections
from broadsheet.web.pages.submissions import front_day, picked_on
from broadsheet.web.remembered import Remembered
from broadsheet.web.rendering import page

SECONDS = 4
HOLDS = 5
# Verdicts that the column holds, the newest first.
VERDICTS = 8
# The papers that are seen at once: the lead, the seconds and the beginning of the list.
OPENING = 1 + SECONDS + 10


@require_safe
def front(request: HttpRequest) -> HttpResponse:
    """The newest edition as a front page; its further pages are those of the edition."""
    edition = editions.front()
    today = timezone.now().astimezone(wording.EASTERN).date()
    if edition is None or not edition.size:
        nothing = {"today": today, "edition": None, "missed": editions.missed(None)}
        return page(request, "pages/front_empty.html", nothing, canonical=links.FRONT)
    sieve = Sieve(request)
    ordering = Ordering(request, edition)
    shown = sieve.shown(ordering.cards(1))
    address = addresses.edition(edition.kind, edition.label)
    audit = editions.audit(edition)
    measured = sieve.shown(verdicts())
    picked = picked_on(front_day(edition))
    prominent = {card.paper.id for card in shown[: 1 + SECONDS]}
    others = [paper_id for paper_id in picked if paper_id not in prominent]
    more = cards.attended(viewing.viewer(request), sieve.shown(cards.load(others))) if others else []
    values: dict[str, object] = {
        "today": edition.start if edition.kind is Kind.DAY else today,
        "edition": edition,
        "audit": audit,
        "social": social.of_edition(edition, description=audit.line, base=addresses.base_of(request)),
        "missed": editions.missed(edition),
        "address": address,
        "sieve": sieve,
        "ordering": ordering,
        "lead": shown[0] if shown else None,
        "seconds": shown[1 : 1 + SECONDS],
        "rest": shown[1 + SECONDS :],
        "picked": picked,
        "picks": [(card, picked[card.paper.id]) for card in more],
        "measured": bool(measured),
        "holds": [*measured, *_holds(shown)[: max(0, HOLDS - len(measured))]],
        "sections": sections()[:24],
        "pages": paging.pages(
            1,
            edition.size,
            lambda n: addresses.with_query(address, page=n, order=ordering.asked, hidden=sieve.asked),
        ),
    }
    return page(request, "pages/front.html", values, canonical=links.FRONT)


def _verdicts() -> list[cards.Card]:
    """The papers that were measured last, whatever edition they stand in; not by runs at the fast scale."""
    return [card for card in cards.load(evidence.latest(VERDICTS, fast=False)) if card.verdict]


verdicts = Remembered(_verdicts)


def _holds(shown: list[cards.Card]) -> list[cards.Card]:
    """Papers of the page whose claim runs on a laptop, from below its opening and one of each section.

    A short edition, or one of few sections, is filled up with more of the same; never with the lead or a second.
    """
    below, opening = _testable(shown[OPENING:]), _testable(shown[1 + SECONDS : OPENING])
    one_each: dict[str, cards.Card] = {}
    for card in below:
        one_each.setdefault(card.section, card)
    chosen = {card.paper.id: card for card in [*one_each.values(), *below, *opening]}
    return list(chosen.values())[:HOLDS]


def _testable(shown: list[cards.Card]) -> list[cards.Card]:
    return [card for card in shown if card.claim and card.claim.runnable == "yes" and not card.verdict]
