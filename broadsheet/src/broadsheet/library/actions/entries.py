"""Saving papers, and what a reader says of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone

from broadsheet.accounts.rules import Ground, Person, Refused
from broadsheet.library.actions.removing import removal
from broadsheet.library.models import LibraryEntry, Placement
from broadsheet.library.rules import (
    LONGEST_TAG,
    MOST_AT_ONCE,
    MOST_ENTRIES,
    MOST_TAGS,
    State,
    one_tag,
    read_note,
    read_rating,
    read_state,
    read_tags,
)
from broadsheet.papers import queries as papers
from broadsheet.storage import among


def keep(*, by: Person, papers_: Collection[int]) -> int:
    """Save shown papers; how many were not in the library. One that was removed lately comes back as it was.

    Raises Refused when the library would be too full, or for a paper that is not there.
    """
    with transaction.atomic():
        return keep_many(by, papers_)


def keep_many(by: Person, wanted: Collection[int]) -> int:
    """As `keep`, inside a transaction of the caller. Raises Refused."""
    families = _families(wanted)
    root_of = {member: root for root, members in families.items() for member in members}
    rows = list(LibraryEntry.objects.filter(among("paper", root_of), user=by.id))
    present = {root_of[row.paper_id] for row in rows if row.removal_id is None}
    gone: dict[int, list[int]] = {}
    for row in rows:
        if row.removal_id is not None and root_of[row.paper_id] not in present:
            gone.setdefault(root_of[row.paper_id], []).append(row.id)
    fresh = [root for root in families if root not in present and root not in gone]
    added = len(fresh) + len(gone)
    if added and LibraryEntry.objects.filter(user=by.id, removal=None).count() + added > MOST_ENTRIES:
        raise Refused(
            f"A library holds {MOST_ENTRIES:,} papers at most. Nothing was saved; take some out first.",
            ground=Ground.TOO_MUCH,
        )
    now = timezone.now()
    if gone:
        back = [number for its in gone.values() for number in its]
        LibraryEntry.objects.filter(among("id", back)).update(removal=None, changed_at=now)
    LibraryEntry.objects.bulk_create(
        [
            LibraryEntry(user_id=by.id, paper_id=root, state=State.UNREAD, tags=[], added_at=now, changed_at=now)
            for root in fresh
        ],
        ignore_conflicts=True,
    )
    return added


def drop(*, by: Person, papers_: Collection[int]) -> int | None:
    """Take papers out of the library and off all of the reader's shelves; the number of the removal, for the undo.

    None when none of them was there. Raises Refused for a paper that is not there.
    """
    members = [member for its in _families(papers_).values() for member in its]
    with transaction.atomic():
        entries = LibraryEntry.objects.filter(among("paper", members), user=by.id, removal=None)
        count = entries.count()
        if not count:
            return None
        row = removal(by=by, kind="papers", count=count)
        entries.update(removal=row)
        Placement.objects.filter(among("paper", members), shelf__user=by.id, removal=None).update(removal=row)
    return row.id


@dataclass(frozen=True, slots=True)
class Words:
    """What a reader says of a paper, as she typed it.

    `notes` are texts by the numbers of her entries, as a paper that was merged has several; None is the first one.
    """

    state: str
    rating: str = ""
    tags: str = ""
    notes: Mapping[int | None, str] = field(default_factory=dict)


def say(*, by: Person, paper: int, words: Words) -> None:
    """Set what the reader says of a shown paper, which is saved if it was not. Raises Refused."""
    state, rating, tags = read_state(words.state), read_rating(words.rating), list(read_tags(words.tags))
    texts = {number: read_note(text) for number, text in words.notes.items()}
    with transaction.atomic():
        keep_many(by, [paper])
        members = [member for its in _families([paper]).values() for member in its]
        rows = list(LibraryEntry.objects.filter(among("paper", members), user=by.id, removal=None).order_by("id"))
        now = timezone.now()
        for row in rows:
            row.state, row.rating, row.tags, row.changed_at = state, rating, tags, now
            row.note = texts.get(row.id, row.note)
        rows[0].note = texts.get(None, rows[0].note)
        LibraryEntry.objects.bulk_update(rows, ["state", "rating", "tags", "changed_at", "note"])


def tag_many(*, by: Person, papers_: Collection[int], add: str = "", take: str = "", state: str = "") -> int:
    """Give entries of shown papers a tag, take one off, or set their state; how many entries there were.

    Raises Refused, and nothing is changed then.
    """
    new, old = one_tag(add), one_tag(take)
    if "," in new or len(new) > LONGEST_TAG:
        raise Refused(
            f"One tag, of {LONGEST_TAG} letters at most and without commas. Nothing was changed.",
            ground=Ground.NOT_UNDERSTOOD,
            field="tag",
        )
    members = [member for its in _families(papers_).values() for member in its]
    wanted = read_state(state) if state else None
    with transaction.atomic():
        rows = list(LibraryEntry.objects.filter(among("paper", members), user=by.id, removal=None))
        for row in rows:
            found = ({*row.tags} | ({new} if new else set())) - ({old} if old else set())
            if len(found) > MOST_TAGS:
                raise Refused(
                    f"A paper takes {MOST_TAGS} tags at most. Nothing was changed.", ground=Ground.TOO_MUCH, field="tag"
                )
            row.tags, row.state, row.changed_at = sorted(found), wanted or row.state, timezone.now()
        LibraryEntry.objects.bulk_update(rows, ["tags", "state", "changed_at"], batch_size=100)
    return len(rows)


def _families(wanted: Collection[int]) -> dict[int, list[int]]:
    """The shown papers with those merged into each. Raises Refused for one that is not there, or for too many."""
    asked = dict.fromkeys(wanted)
    if len(asked) > MOST_AT_ONCE:
        raise Refused(f"{MOST_AT_ONCE} papers at a time, please. Nothing was changed.", ground=Ground.TOO_MUCH)
    rows = papers.by_ids(list(asked))
    if len(rows) < len(asked):
        raise Refused("There is no such paper here. Nothing was changed.", ground=Ground.NOT_THERE)
    return papers.families(dict.fromkeys(rows[number].id for number in asked))
