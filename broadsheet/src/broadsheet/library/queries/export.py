"""A whole library as it is taken away."""

from __future__ import annotations

from broadsheet.accounts.rules import Person
from broadsheet.library.queries.entries import everything
from broadsheet.library.queries.shelves import placed_on, shelves_of
from broadsheet.library.rules import backup
from broadsheet.papers import queries as papers


def document(viewer: Person) -> bytes:
    """The person's library with all that she says in it, as `rules.backup` describes it."""
    kept = everything(viewer)
    beliefs = papers.beliefs([entry.paper_id for entry in kept])
    items = [(beliefs[entry.paper_id], entry.said) for entry in kept if entry.paper_id in beliefs]
    place = {entry.paper_id: at for at, entry in enumerate(entry for entry in kept if entry.paper_id in beliefs)}
    shelves = shelves_of(viewer)
    on_them = placed_on(shelf.id for shelf in shelves)
    paths: dict[int, tuple[str, ...]] = {}
    listed = []
    for shelf in shelves:
        paths[shelf.id] = (*paths.get(shelf.parent or 0, ()), shelf.name)
        here = tuple(place[each.paper_id] for each in on_them.get(shelf.id, ()) if each.paper_id in place)
        listed.append(backup.ShelfItem(paths[shelf.id], shelf.is_public, here))
    return backup.write(items, listed)
