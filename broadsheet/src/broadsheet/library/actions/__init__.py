"""Every change of libraries and shelves. Each is one transaction; what removes can be undone for a month."""

from broadsheet.library.actions.entries import Words, drop, keep, say, tag_many
from broadsheet.library.actions.importing import bring_in
from broadsheet.library.actions.people import take_over
from broadsheet.library.actions.removing import purge, undo
from broadsheet.library.actions.shelves import (
    change_shelf,
    make_shelf,
    move_on_shelf,
    move_shelf,
    place,
    remove_shelf,
    take_off,
)

__all__ = [
    "Words",
    "bring_in",
    "change_shelf",
    "drop",
    "keep",
    "make_shelf",
    "move_on_shelf",
    "move_shelf",
    "place",
    "purge",
    "remove_shelf",
    "say",
    "tag_many",
    "take_off",
    "take_over",
    "undo",
]
