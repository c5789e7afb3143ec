"""Making, ordering, filling and removing shelves, of people and of groups."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from broadsheet.accounts import queries as accounts
from broadsheet.accounts.rules import Ground, Person, Refused
from broadsheet.library.actions.entries import keep_many
from broadsheet.library.actions.removing import removal
from broadsheet.library.models import Placement, Shelf
from broadsheet.library.rules import (
    MOST_ON_A_SHELF,
    MOST_SHELVES,
    Step,
    check_parent,
    inside,
    moved,
    read_name,
    slug_of,
)
from broadsheet.papers import queries as papers
from broadsheet.storage import among


def make_shelf(
    *, by: Person, name: str, group: int | None = None, parent: int | None = None, is_public: bool = False
) -> int:
    """A new shelf at the end of its neighbours, of the person or of a group that she edits; its id. Raises Refused."""
    title = read_name(name)
    with transaction.atomic():
        if group is not None:
            _refuse_unless_editor(group, by)
        rows = _owned(by.id if group is None else None, group)
        live = list(rows.filter(removal=None).values_list("id", "parent", "position"))
        if len(live) >= MOST_SHELVES:
            raise Refused(
                f"{MOST_SHELVES} shelves are the most. Nothing was made; remove one first.", ground=Ground.TOO_MUCH
            )
        parents = {number: outer for number, outer, _ in live}
        _refuse_strange_parent(parents, parent)
        check_parent(parents, None, parent)
        row = Shelf.objects.create(
            user_id=by.id if group is None else None,
            group_id=group,
            parent_id=parent,
            name=title,
            slug=slug_of(title, set(rows.values_list("slug", flat=True))),
            position=max((position for _, _, position in live), default=-1) + 1,
            is_public=is_public and group is None,
            made_at=timezone.now(),
        )
    return row.id


def change_shelf(*, by: Person, shelf: int, name: str, is_public: bool, parent: int | None) -> None:
    """Rename a shelf, show or hide it, and put it in another one; its address stays. Raises Refused."""
    title = read_name(name)
    with transaction.atomic():
        row = editable(by, shelf)
        parents = _parents(row)
        _refuse_strange_parent(parents, parent)
        check_parent(parents, shelf, parent)
        row.name, row.parent_id, row.is_public = title, parent, is_public and row.group_id is None
        row.save(update_fields=["name", "parent", "is_public"])


def move_shelf(*, by: Person, shelf: int, step: Step) -> None:
    """Move a shelf among its neighbours. Raises Refused."""
    with transaction.atomic():
        row = editable(by, shelf)
        neighbours = _owned(row.user_id, row.group_id).filter(parent=row.parent_id, removal=None)
        order = list(neighbours.order_by("position", "id").values_list("id", flat=True))
        # Numbers among all shelves of the owner stay apart, so that a shelf that comes back finds its place.
        places = sorted(neighbours.values_list("position", flat=True))
        for number, place in zip(moved(order, shelf, step), _apart(places), strict=True):
            Shelf.objects.filter(id=number).update(position=place)


def remove_shelf(*, by: Person, shelf: int) -> int:
    """Remove a shelf with the shelves in it and what is on them; papers stay in the library. The removal's number.

    Raises Refused.
    """
    with transaction.atomic():
        row = editable(by, shelf)
        gone = inside(_parents(row), shelf)
        places = Placement.objects.filter(among("shelf", gone), removal=None)
        made = removal(by=by, kind="shelves", count=len(gone), group=row.group_id)
        places.update(removal=made)
        Shelf.objects.filter(among("id", gone)).update(removal=made)
    return made.id


def place(*, by: Person, shelf: int, papers_: Collection[int]) -> int:
    """Put shown papers at the end of a shelf, each once; how many are new there.

    On a shelf of her own they are saved too. Raises Refused.
    """
    with transaction.atomic():
        row = editable(by, shelf)
        if row.group_id is None:
            keep_many(by, papers_)
        return place_many(row.id, papers_, by)


def place_many(shelf: int, wanted: Collection[int], by: Person) -> int:
    """As `place`, inside a transaction of the caller, on a shelf that the person may change. Raises Refused."""
    shown = papers.by_ids(wanted)
    families = papers.families(dict.fromkeys(shown[number].id for number in wanted if number in shown))
    root_of = {member: root for root, members in families.items() for member in members}
    here = list(Placement.objects.filter(among("paper", root_of), shelf=shelf))
    present = {root_of[each.paper_id] for each in here if each.removal_id is None}
    gone = {root_of[each.paper_id]: each for each in here if root_of[each.paper_id] not in present}
    all_of_it = Placement.objects.filter(shelf=shelf)
    fresh = [root for root in families if root not in present]
    if all_of_it.filter(removal=None).count() + len(fresh) > MOST_ON_A_SHELF:
        raise Refused(
            f"A shelf holds {MOST_ON_A_SHELF:,} papers at most. Nothing was put there; make another shelf.",
            ground=Ground.TOO_MUCH,
        )
    last = all_of_it.aggregate(last=Max("position"))["last"]
    now = timezone.now()
    new = []
    for position, root in enumerate(fresh, start=0 if last is None else last + 1):
        values = {"position": position, "added_at": now, "added_by_id": by.id}
        if root in gone:
            Placement.objects.filter(id=gone[root].id).update(removal=None, **values)
        else:
            new.append(Placement(shelf_id=shelf, paper_id=root, **values))
    Placement.objects.bulk_create(new, ignore_conflicts=True)
    return len(fresh)


def take_off(*, by: Person, shelf: int, papers_: Collection[int]) -> int | None:
    """Take papers off a shelf; they stay in the library. The number of the removal; None when none was there.

    Raises Refused.
    """
    members = [member for its in papers.families(list(papers_)).values() for member in its]
    with transaction.atomic():
        row = editable(by, shelf)
        places = Placement.objects.filter(among("paper", members), shelf=shelf, removal=None)
        count = places.count()
        if not count:
            return None
        made = removal(by=by, kind="places", count=count, group=row.group_id)
        places.update(removal=made)
    return made.id


def move_on_shelf(*, by: Person, shelf: int, paper: int, step: Step) -> None:
    """Move a shown paper on a shelf: what was merged into it goes along. Raises Refused."""
    with transaction.atomic():
        editable(by, shelf)
        rows = list(Placement.objects.filter(shelf=shelf, removal=None).order_by("position", "id"))
        root_of = papers.canonical(row.paper_id for row in rows)
        works = list(dict.fromkeys(root_of[row.paper_id] for row in rows))
        if paper not in works:
            raise Refused("This paper is not on the shelf. Nothing was moved.", ground=Ground.NOT_THERE)
        at = {work: place for place, work in enumerate(moved(works, paper, step))}
        ordered = sorted(rows, key=lambda row: (at[root_of[row.paper_id]], row.position, row.id))
        changed = []
        for row, position in zip(ordered, _apart(sorted(row.position for row in rows)), strict=True):
            if row.position != position:
                row.position = position
                changed.append(row)
        Placement.objects.bulk_update(changed, ["position"], batch_size=200)


def _apart(places: Collection[int]) -> list[int]:
    """The same numbers in their order, raised where two are the same."""
    result: list[int] = []
    for number in places:
        result.append(max(number, result[-1] + 1) if result else number)
    return result


def _owned(user: int | None, group: int | None) -> QuerySet[Shelf]:
    return Shelf.objects.filter(user=user) if user is not None else Shelf.objects.filter(group=group)


def _parents(row: Shelf) -> dict[int, int | None]:
    return dict(_owned(row.user_id, row.group_id).filter(removal=None).values_list("id", "parent"))


def editable(by: Person, shelf: int) -> Shelf:
    """The shelf, locked, if the person may change it. Call inside a transaction. Raises Refused."""
    row = Shelf.objects.select_for_update().filter(id=shelf, removal=None).first()
    if row is None or (row.user_id is not None and row.user_id != by.id):
        raise Refused("There is no such shelf. Nothing was changed.", ground=Ground.NOT_THERE)
    if row.group_id is not None:
        _refuse_unless_editor(row.group_id, by)
    return row


def _refuse_unless_editor(group: int, by: Person) -> None:
    found = accounts.groups_seen([group], by).get(group)
    if found is None:
        raise Refused("There is no such shelf. Nothing was changed.", ground=Ground.NOT_THERE)
    if not found.is_edited_by_viewer:
        raise Refused("Only editors of the group change its shelves. Nothing was changed.", ground=Ground.NOT_ALLOWED)
    if not by.may_write(timezone.now()):
        raise Refused(
            "You may not write for others until the day that the moderators named. Nothing was changed.",
            ground=Ground.NOT_ALLOWED,
        )


def _refuse_strange_parent(parents: dict[int, int | None], parent: int | None) -> None:
    if parent is not None and parent not in parents:
        raise Refused(
            "There is no such shelf to put it in. Nothing was changed.", ground=Ground.NOT_THERE, field="parent"
        )
