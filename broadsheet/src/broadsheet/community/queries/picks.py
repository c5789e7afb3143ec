"""Every question about what curators picked."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime

from broadsheet.accounts import queries as accounts
from broadsheet.accounts.rules import Person
from broadsheet.community.models.picks import Pick
from broadsheet.papers import queries as papers
from broadsheet.storage import among
from broadsheet.storage.prepared import Prepared


@dataclass(frozen=True, slots=True)
class Picked:
    """A paper that a curator put on the front page of a day, and what she says about it."""

    id: int
    paper_id: int
    by: Person
    day: date
    note: str
    at: datetime


def picked(paper_ids: Collection[int]) -> set[int]:
    """Those of these shown papers that a curator picked, under any paper that is merged into them."""
    root_of = {member: root for root, members in papers.families(paper_ids).items() for member in members}
    rows = Pick.objects.filter(among("paper", root_of), undone_at__isnull=True)
    return {root_of[paper_id] for paper_id in rows.values_list("paper_id", flat=True)}


def of_day(day: date) -> list[Picked]:
    """The picks of a day, the oldest first; of a paper that two were merged into, the first."""
    first: dict[int, Picked] = {}
    for each in _told(_OF_DAY(day)):
        first.setdefault(each.paper_id, each)
    return list(first.values())


_OF_DAY = Prepared(lambda day: Pick.objects.filter(day=day, undone_at__isnull=True).order_by("picked_at", "id"))


def of_paper(paper_id: int) -> list[Picked]:
    """The picks of a shown paper, the newest first."""
    family = papers.families([paper_id])[paper_id]
    return _told(Pick.objects.filter(paper__in=family, undone_at__isnull=True).order_by("-picked_at", "-id"))


def by_person(person_id: int, *, limit: int = 60) -> list[Picked]:
    """What a person picked, the newest first."""
    return _told(Pick.objects.filter(user=person_id, undone_at__isnull=True).order_by("-picked_at", "-id")[:limit])


def pickers(people: Iterable[int], paper_ids: Collection[int]) -> dict[int, set[int]]:
    """Which of the people picked each of the shown papers; papers that none did are left out."""
    root_of = {member: root for root, members in papers.families(paper_ids).items() for member in members}
    rows = Pick.objects.filter(among("user", people), among("paper", root_of), undone_at__isnull=True)
    found: dict[int, set[int]] = {}
    for paper_id, user_id in rows.values_list("paper_id", "user_id"):
        found.setdefault(root_of[paper_id], set()).add(user_id)
    return found


def _told(rows: Iterable[Pick]) -> list[Picked]:
    found = list(rows)
    roots = papers.canonical({row.paper_id for row in found})
    people = accounts.people({row.user_id for row in found})
    return [
        Picked(row.id, roots[row.paper_id], people[row.user_id], row.day, row.note, row.picked_at)
        for row in found
        if row.user_id in people
    ]
