"""The order of an edition's list: as printed, or by how near its papers are to what the reader saved."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.http import HttpRequest

from broadsheet.editions import queries as editions
from broadsheet.following.queries import profiles
from broadsheet.following.queries.profiles import ProfileView
from broadsheet.web import addresses, cards, paging, viewing
from broadsheet.web.pages.listing import edition_cards

# The parameter by which a list is asked for in a reader's own order, for once: of her first profile, or of one of them
# by its number, as mine-12.
PARAMETER, MINE = "order", "mine"


@dataclass(frozen=True, slots=True)
class Choice:
    """An order that a list can be seen in: its name and address, and whether the list is in it now."""

    words: str
    address: str
    is_chosen: bool


class Ordering:
    """The order that one answer prints an edition in. Visitors, and readers without a profile, see it as printed."""

    def __init__(self, request: HttpRequest, edition: editions.Edition) -> None:
        self._edition = edition
        self._path = request.path
        self._viewer = viewing.viewer(request)
        self._offered = profiles.usable(self._viewer)
        asked = request.GET.get(PARAMETER, "")
        self._chosen = next((each for each in self._offered if asked == self._name(each)), None)
        self.is_early = bool(self._viewer and asked.startswith(MINE) and not self._offered)

    @property
    def choices(self) -> list[Choice]:
        """What to choose from; nothing where there is only one order."""
        if not self._offered:
            return []
        printed = Choice("as printed", self._path, self._chosen is None)
        return [printed, *(self._choice(each) for each in self._offered)]

    @property
    def asked(self) -> str | None:
        """What the addresses of the list's other pages say of it; None for the order as printed."""
        return self._name(self._chosen) if self._chosen else None

    def cards(self, page: int) -> list[cards.Card]:
        """The cards of one page of the edition, in the order that was asked for, each with the reason."""
        if self._chosen is None:
            return edition_cards(self._edition, self._viewer, page=page)
        ids = editions.papers_of(self._edition)
        known = profiles.near(self._viewer, ids, profile=self._chosen.number)
        first = (page - 1) * paging.PER_PAGE
        part = profiles.ordered(ids, known)[first : first + paging.PER_PAGE]
        if first:
            known = profiles.near(self._viewer, part, profile=self._chosen.number)
        place = {paper_id: number for number, paper_id in enumerate(part, first + 1)}
        why = {paper_id: each.reason for paper_id, each in known.items()}
        return [
            replace(card, rank=place.get(card.paper.id), near=why.get(card.paper.id, ""))
            for card in cards.load_for(self._viewer, part)
        ]

    def _choice(self, profile: ProfileView) -> Choice:
        address = addresses.with_query(self._path, **{PARAMETER: self._name(profile)})
        return Choice(f"near {profile.name}", address, profile is self._chosen)

    def _name(self, profile: ProfileView) -> str:
        return MINE if profile is self._offered[0] else f"{MINE}-{profile.number}"
