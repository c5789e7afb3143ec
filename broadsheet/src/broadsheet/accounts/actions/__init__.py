"""Every change of people, groups and tokens."""

from broadsheet.accounts.actions.factors import drop_factors, seal_factors
from broadsheet.accounts.actions.people import (
    add_person,
    bar,
    delete_person,
    describe,
    end_sessions,
    merge_people,
    set_role,
    speaks_for_the_paper,
)
from broadsheet.accounts.actions.reader import only_reader
from broadsheet.accounts.actions.tokens import make_token, note_use, revoke_token

__all__ = [
    "add_person",
    "bar",
    "delete_person",
    "describe",
    "drop_factors",
    "end_sessions",
    "make_token",
    "merge_people",
    "note_use",
    "only_reader",
    "revoke_token",
    "seal_factors",
    "set_role",
    "speaks_for_the_paper",
]
