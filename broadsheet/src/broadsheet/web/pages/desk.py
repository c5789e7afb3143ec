"""The desk: a reader's own page, with what she follows in the newest edition before all else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from broadsheet.accounts.rules import Person
from broadsheet.community.queries import notices
from broadsheet.editions import queries as editions
from broadsheet.following.queries import follows, news, profiles
from broadsheet.following.rules.news import LOOKED_BACK
from broadsheet.library import queries as library
from broadsheet.papers import queries as papers
from broadsheet.web import addresses, cards, viewing, wording
from broadsheet.web.digests.briefs import happened
from broadsheet.web.hiding import Sieve
from broadsheet.web.rendering import page

# Papers that are shown of what she follows, of what is near to her library, and of what happened to papers.
MOST = 60
NEAR = 10
NEWS = 60


# What the desk says while no edition was printed.
_NOTHING: dict[str, object] = {"followed": [], "near": [], "unsearched": "", "more": 0}


@dataclass(frozen=True, slots=True)
class Told:
    """A paper on the desk and why it is there, in words."""

    card: cards.Card
    why: tuple[str, ...]


@require_safe
def desk(request: HttpRequest) -> HttpResponse:
    """What she follows of the newest edition, what is near to her library, what happened to papers that she follows,
    and what waits for her.
    """
    she = viewing.person(request)
    edition = editions.front()
    sieve = Sieve(request)
    values: dict[str, object] = {
        "today": timezone.now().astimezone(wording.EASTERN).date(),
        "edition": edition,
        "sieve": sieve,
        **(_of(edition, she, sieve) if edition else _NOTHING),
        **_news(she),
        "news_days": LOOKED_BACK.days,
        "notices": notices.unread(she),
        "to_read": library.to_read(she),
        "noindex": True,
    }
    return page(request, "pages/desk.html", values)


def _of(edition: editions.Edition, she: Person, sieve: Sieve) -> dict[str, object]:
    """What the desk says of an edition. The number of queries does not depend on how many papers it has."""
    inside = follows.contents(edition)
    found = follows.look(she, edition, within=inside)
    near = profiles.near(she, inside.ids)
    news = [each for each in near if each not in found.reasons and not near[each].is_saved]
    nearest = sorted(news, key=lambda each: -near[each].score)
    shown = [*list(found.reasons)[:MOST], *nearest[:NEAR]]
    loaded = {card.paper.id: card for card in sieve.shown(cards.load_for(she, shown))}
    return {
        "address": addresses.edition(edition.kind, edition.label),
        "audit": editions.audit(edition),
        "all_hidden": bool(found.reasons),
        "follows_any": bool(found.reasons or follows.follows_of(she) or follows.followed_papers(she)),
        "followed": _told(loaded, found.reasons),
        "more": max(0, len(found.reasons) - MOST),
        "unsearched": found.unsearched,
        "has_profile": bool(near),
        "near": _told(loaded, {each: (near[each].reason,) for each in nearest[:NEAR]}),
    }


def _news(she: Person) -> dict[str, object]:
    """What happened to papers that she follows. The number of queries does not depend on how many they are."""
    found = news.lately(she, timezone.now())
    shown = found[:NEWS]
    rows = papers.by_ids([each.paper_id for each in shown]) if shown else {}
    return {"news": happened(shown, rows, ""), "more_news": len(found) - len(shown)}


def _told(loaded: Mapping[int, cards.Card], why: Mapping[int, tuple[str, ...]]) -> list[Told]:
    return [Told(loaded[each], reasons) for each, reasons in why.items() if each in loaded]
