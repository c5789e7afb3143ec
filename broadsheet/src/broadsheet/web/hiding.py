"""What a reader hides from her lists: left out, counted, and one link away."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import HttpRequest

from broadsheet.following.queries import follows
from broadsheet.web import addresses, viewing
from broadsheet.web.cards import Card

# The parameter by which a list shows what is hidden, for once.
PARAMETER, SHOW = "hidden", "show"


class Sieve:
    """What one answer leaves out for who asks. Costs one question for readers, none for visitors.

    `section` is the section that was asked for: it is not hidden from who asks for it.
    """

    def __init__(self, request: HttpRequest, *, section: str = "") -> None:
        unwanted = follows.curtain(viewing.viewer(request))
        self._curtain = unwanted.without_section(section) if section else unwanted
        self._request = request
        self._found: set[int] = set()
        self.open = request.GET.get(PARAMETER) == SHOW

    def shown(self, cards: Sequence[Card]) -> list[Card]:
        """The cards without those that are hidden, which are counted; all of them where she wants to see them."""
        found = follows.hidden_among(self._curtain, [card.paper for card in cards])
        self._found |= found.keys()
        return [card for card in cards if self.open or card.paper.id not in found]

    @property
    def count(self) -> int:
        """How many papers of this answer are hidden, or would be."""
        return len(self._found)

    @property
    def other(self) -> str:
        """The address of the same list with them, or without them again."""
        values = {name: str(text) for name, text in self._request.GET.items() if name != PARAMETER}
        if not self.open:
            values[PARAMETER] = SHOW
        return addresses.with_query(self._request.path, **values)

    @property
    def asked(self) -> str | None:
        """What the addresses of the list's other pages say of it."""
        return SHOW if self.open else None
