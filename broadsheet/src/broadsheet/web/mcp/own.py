"""The tool that reads what one person keeps."""

from __future__ import annotations

from collections.abc import Iterator

from broadsheet.accounts.rules import Person
from broadsheet.library import queries as library
from broadsheet.library.rules import State
from broadsheet.web import cards
from broadsheet.web.mcp.asking import Unanswerable, about, few, fitting, listed, pages
from broadsheet.web.mcp.budget import cut
from broadsheet.web.mcp.shapes import NOTICE, Detail, Library, MyLibrary, Saved

_TAGS, _TAG, _NAME = 8, 10, 30  # tags; tokens each; tokens of a name
_NOTE = {"brief": 60, "full": 400}  # tokens


def my_library(wanted: MyLibrary, base: str, reader: Person) -> Library:
    """The papers of the reader's library that are wanted. Raises Unanswerable when `after` is no place in it."""
    if wanted.after and not (wanted.after.isascii() and wanted.after.isdecimal()):
        raise Unanswerable("`after` is no place in this library. Leave it out to begin again.")
    offset = int(wanted.after or 0)
    state = None if wanted.state == "any" else State(wanted.state)
    asked = library.Wanted(tag=wanted.tag, state=state, words=wanted.words)
    found = library.find(reader, asked, offset=offset, limit=wanted.limit)
    answer = Library(
        notice=NOTICE,
        reader=cut(reader.shown, _NAME),
        total=found.total,
        pages=pages(base),
        papers=[],
        next="999999999",
    )
    shown = fitting(answer, _told(found.ids, reader, wanted.detail), wanted.detail)
    reached = offset + len(shown)
    following = str(reached) if shown and reached < found.total else ""
    return answer.model_copy(update={"papers": shown, "next": following})


def _told(ids: tuple[int, ...], reader: Person, detail: Detail) -> Iterator[Saved]:
    entries = library.entries(ids, reader)
    for card in cards.load(ids):
        said = entries[card.paper.id].said
        yield Saved(
            **listed(card, detail, text=about(card.paper) if detail == "full" else "").model_dump(),
            state=said.state,
            rating=said.rating or 0,
            tags=few(said.tags, _TAGS, _TAG),
            note=cut(said.note, _NOTE[detail]),
        )
