"""What changes an account in every part of the paper at once: merging two accounts of one person, and deleting one.

The parts do not know each other, so each moves its own rows; here they are called in one transaction, from the top
down, and the account itself comes last.
"""

from __future__ import annotations

from django.db import transaction

from broadsheet.accounts import actions as accounts
from broadsheet.accounts.rules import Person
from broadsheet.community.actions import people as community
from broadsheet.following.actions import people as following
from broadsheet.library.actions import people as library


def merge(*, kept: Person, gone: Person) -> None:
    """Make one account of two: one vote for each paper, one library, all comments and follows. Raises Refused."""
    with transaction.atomic():
        following.take_over(from_id=gone.id, to_id=kept.id)
        library.take_over(from_id=gone.id, to_id=kept.id)
        community.take_over(kept=kept.id, gone=gone.id)
        accounts.merge_people(kept=kept, gone=gone)


def delete(she: Person) -> None:
    """Delete an account with what hangs on it. Raises Refused, and nothing was deleted."""
    with transaction.atomic():
        following.forget(person_id=she.id)
        library.forget(person_id=she.id)
        community.forget(person_id=she.id)
        accounts.delete_person(of=she)
