"""Questions about shelves, of people and of groups: what is on them, and who may see or change them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from broadsheet.accounts import queries as accounts
from broadsheet.accounts.rules import Person
from broadsheet.library.models import Placement, Shelf
from broadsheet.library.rules import tree
from broadsheet.papers import queries as papers
from broadsheet.storage import among


@dataclass(frozen=True, slots=True)
class ShelfView:
    """A shelf: whose it is, where it stands, and how many papers are on it. `depth` is 0 outside all others."""

    id: int
    name: str
    slug: str
    user_id: int | None
    group_id: int | None
    parent: int | None
    depth: int
    is_public: bool
    count: int


@dataclass(frozen=True, slots=True)
class Placed:
    """A paper on a shelf: shown paper, and when and by whom (None for somebody who is gone) it was put there."""

    paper_id: int
    added_at: datetime
    added_by: int | None


@dataclass(frozen=True, slots=True)
class Addition:
    """A paper that was put on a shelf, and on which."""

    paper_id: int
    shelf_id: int
    added_at: datetime
    added_by: int | None


def shelves_of(person: Person) -> list[ShelfView]:
    """Her shelves in the order in which they are printed, each followed by those that stand in it."""
    return _views(Shelf.objects.filter(user=person.id, removal=None))


def public_shelves_of(person: Person) -> list[ShelfView]:
    """Those of her shelves that everybody may see."""
    return _views(Shelf.objects.filter(user=person.id, removal=None, is_public=True))


def shelves_of_group(group_id: int) -> list[ShelfView]:
    """The shelves of a group. Ask `accounts.queries.group` first who may see it."""
    return _views(Shelf.objects.filter(group=group_id, removal=None))


def shelves_to_fill(person: Person) -> list[ShelfView]:
    """Her shelves, then those of the groups in which she is an editor."""
    edited = [group.id for group in _groups(person) if group.is_edited_by_viewer]
    return [*shelves_of(person), *_views(Shelf.objects.filter(among("group", edited), removal=None))]


def shelf(number: int, viewer: Person) -> ShelfView | None:
    """The shelf with this number, if it is hers or of a group that she may see; else None."""
    found = _one(Shelf.objects.filter(id=number, removal=None))
    if found is None or found.user_id == viewer.id:
        return found
    return found if found.group_id and accounts.groups_seen([found.group_id], viewer) else None


def public_shelf(slug: str, *, person: Person | None = None, group_id: int | None = None) -> ShelfView | None:
    """The shelf of that name in the address: of a person, where everybody may see it, or of a group."""
    rows = Shelf.objects.filter(slug=slug, removal=None)
    return _one(rows.filter(user=person.id, is_public=True) if person else rows.filter(group=group_id))


def may_edit(found: ShelfView, viewer: Person) -> bool:
    """Whether the person may change the shelf: it is hers, or of a group in which she is an editor."""
    if found.user_id is not None:
        return found.user_id == viewer.id
    groups = accounts.groups_seen([found.group_id or 0], viewer)
    return any(group.is_edited_by_viewer for group in groups.values())


def placed(shelf_id: int) -> list[Placed]:
    """What is on a shelf in its order, each work once, at its first place."""
    return placed_on([shelf_id]).get(shelf_id, [])


def placed_on(shelves: Iterable[int]) -> dict[int, list[Placed]]:
    """As `placed`, for many shelves at once; those with nothing on them are left out."""
    rows = list(_placements().filter(among("shelf", shelves)).order_by("position", "id"))
    root_of = papers.canonical(row.paper_id for row in rows)
    found: dict[int, dict[int, Placed]] = defaultdict(dict)
    for row in rows:
        root = root_of[row.paper_id]
        found[row.shelf_id].setdefault(root, Placed(root, row.added_at, row.added_by_id))
    return {shelf: list(its.values()) for shelf, its in found.items()}


def shelves_with(paper_id: int, shelves: Iterable[ShelfView]) -> frozenset[int]:
    """Those of the shelves on which the shown paper is, itself or as one that was merged into it."""
    members = papers.families([paper_id])[paper_id]
    rows = _placements().filter(among("shelf", [each.id for each in shelves]), among("paper", members))
    return frozenset(rows.values_list("shelf", flat=True))


def added_since(group_id: int, moment: datetime, *, limit: int = 200) -> list[Addition]:
    """What was put on the shelves of a group since a moment, the newest first."""
    rows = _placements().filter(shelf__group=group_id, shelf__removal=None, added_at__gte=moment)
    found = list(rows.order_by("-added_at", "-id")[:limit])
    root_of = papers.canonical(row.paper_id for row in found)
    return [Addition(root_of[row.paper_id], row.shelf_id, row.added_at, row.added_by_id) for row in found]


def placed_by_groups(groups: Iterable[int], paper_ids: Collection[int]) -> dict[int, set[int]]:
    """Which of the groups have each of the shown papers on a shelf; papers that none has are left out."""
    root_of = {member: root for root, members in papers.families(paper_ids).items() for member in members}
    rows = _placements().filter(among("shelf__group", groups), among("paper", root_of), shelf__removal=None)
    found: dict[int, set[int]] = defaultdict(set)
    for paper_id, group in rows.values_list("paper", "shelf__group"):
        found[root_of[paper_id]].add(group)
    return dict(found)


def _groups(person: Person) -> Sequence[accounts.GroupView]:
    return list(accounts.groups_seen(accounts.groups_of(person.id), person).values())


def _placements() -> QuerySet[Placement]:
    return Placement.objects.filter(removal=None)


def _one(rows: QuerySet[Shelf]) -> ShelfView | None:
    return next(iter(_views(rows)), None)


def _views(rows: QuerySet[Shelf]) -> list[ShelfView]:
    found = {row.id: row for row in rows.order_by("position", "id")}
    owners: dict[tuple[int | None, int | None], list[int]] = defaultdict(list)
    for row in found.values():
        owners[row.user_id, row.group_id].append(row.id)
    sizes = _sizes(found)
    parents = {row.id: row.parent_id for row in found.values()}
    return [
        _view(found[number], depth, sizes.get(number, 0))
        for order in owners.values()
        for number, depth in tree({each: parents[each] for each in order}, order)
    ]


def _view(row: Shelf, depth: int, count: int) -> ShelfView:
    return ShelfView(row.id, row.name, row.slug, row.user_id, row.group_id, row.parent_id, depth, row.is_public, count)


def _sizes(shelves: Iterable[int]) -> dict[int, int]:
    """How many works are on each shelf; two papers that were merged are one."""
    pairs = list(_placements().filter(among("shelf", shelves)).values_list("shelf", "paper")) if shelves else []
    root_of = papers.canonical(paper for _, paper in pairs)
    works: dict[int, set[int]] = defaultdict(set)
    for number, paper in pairs:
        works[number].add(root_of[paper])
    return {number: len(its) for number, its in works.items()}
