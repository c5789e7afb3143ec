"""What all tools ask: which paper is meant, and how a paper is told in a few words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from broadsheet import links
from broadsheet.bibliography import identifiers
from broadsheet.papers import queries as papers
from broadsheet.web import cards
from broadsheet.web.mcp.budget import BRIEF, FULL, cut, tokens
from broadsheet.web.mcp.shapes import Answer, Detail, Listed, dumped

# Authors of a paper in a list, as on a page.
_AUTHORS = cards.BYLINE
_CATEGORIES = 4
# The most that one part of a paper has in a list, in tokens.
_TITLE, _NAME, _VENUE, _ID, _VERDICT = 100, 30, 40, 60, 40
# How much of the text of a paper in a list, in tokens.
_TEXT = {"brief": 60, "full": 300}
# How much of what was asked is repeated in a sentence, in tokens.
_REPEATED = 20

_Item = TypeVar("_Item", bound=Listed)
_Answer = TypeVar("_Answer", bound=Answer)


class Unanswerable(Exception):
    """A question that a tool cannot answer. The text is a sentence that says what to do instead."""


def paper_named(name: str) -> papers.Paper:
    """The paper that an id, an identifier in any spelling or an address means. Raises Unanswerable."""
    wanted = name.strip()
    row = papers.find_in_any_spelling(wanted)
    if row is not None:
        return row
    found = identifiers.parse(wanted)
    said = f"There is no paper '{cut(wanted, _REPEATED)}' here."
    if found is not None:
        raise Unanswerable(f"{said} Its home is {found.identifier.url}")
    raise Unanswerable(
        f"{said} Give an id as search_papers tells it, an identifier of arXiv as 2401.00001, or doi: and a DOI. "
        "To find a paper by its title, use search_papers."
    )


def pages(base: str) -> str:
    """The address of every paper's page, with a place for its id."""
    return base + links.PAPER.format(key="{id}")


def listed(card: cards.Card, detail: Detail, *, text: str = "", rank: int = 0) -> Listed:
    """A paper in a list; `text` is what is shown of it, `rank` its place in an edition."""
    row = card.paper
    names = [cut(author.name, _NAME) for author in card.authors[:_AUTHORS]]
    return Listed(
        id=cut(row.key, _ID),
        title=cut(card.title_text, _TITLE),
        authors=names,
        more_authors=card.more_authors,
        day=str(row.announced or row.submitted or ""),
        venue=cut(row.venue, _VENUE),
        categories=few(row.categories, _CATEGORIES, _NAME),
        text=cut(text, _TEXT[detail]),
        rank=rank,
        reasons=few(card.reasons, _CATEGORIES, _NAME),
        late=card.late,
        verdict=cut(card.verdict.sentence, _VERDICT) if card.verdict else "",
    )


def few(values: Sequence[str], most: int, most_tokens: int) -> list[str]:
    """The first of several texts, each cut."""
    return [cut(value, most_tokens) for value in values[:most]]


def about(row: papers.Paper) -> str:
    """What a paper says, in plain text: the summary when there is one, else the abstract."""
    return cards.plain(row.summary or row.abstract)


def room(detail: Detail) -> int:
    """The most tokens that an answer has."""
    return FULL if detail == "full" else BRIEF


def fitting(answer: _Answer, items: Iterable[_Item], detail: Detail) -> list[_Item]:
    """The first of the papers that still fit into the answer; at least one when there is any."""
    left = room(detail) - tokens(dumped(answer))
    taken: list[_Item] = []
    for item in items:
        # One more for the comma.
        left -= tokens(dumped(item)) + 1
        if left < 0 and taken:
            break
        taken.append(item)
    return taken
