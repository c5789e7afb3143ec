"""What a reader follows and hides, and what of it is in a list of papers."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from broadsheet.accounts import queries as accounts
from broadsheet.accounts.rules import Person
from broadsheet.community.queries import comments, picks
from broadsheet.editions import queries as editions
from broadsheet.editions.queries import Edition
from broadsheet.editions.rules import Kind as EditionKind
from broadsheet.following.models import Follow, Hidden
from broadsheet.following.rules.follows import (
    ALL_FOUND,
    BEST_FOUND,
    Curtain,
    Hiding,
    Kind,
    Printed,
    said_of,
    section_said,
)
from broadsheet.library import queries as library
from broadsheet.papers import queries as papers
from broadsheet.papers import tasks
from broadsheet.search.index import IndexUnavailable
from broadsheet.search.query import parse

log = logging.getLogger("broadsheet.following.follows")


@dataclass(frozen=True, slots=True)
class Followed:
    """Something that a reader follows, with its name as it is now.

    `target` is what stands in its address: the slug of a section, an author or a group, the name of a person, the text
    of a search. `number` is that of a group or a person, 0 for others. `key` is the secret of its feed. `gone` says
    that there is no such thing any more, or that it is not hers to see.
    """

    id: int
    kind: Kind
    target: str
    name: str
    key: str
    in_digest: bool
    made_at: datetime
    number: int = 0
    gone: bool = False


@dataclass(frozen=True, slots=True)
class HiddenThing:
    """A word, an author or a section that a reader hides; `name` is as she typed it, or as it is printed."""

    id: int
    kind: Hiding
    value: str
    name: str


@dataclass(slots=True)
class Contents:
    """What is asked of an edition once, however many readers are answered from it."""

    edition: Edition
    ids: list[int]
    sections: Mapping[str, frozenset[int]]
    searched: dict[str, frozenset[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Look:
    """The papers of an edition that a reader follows, in its order, each with the reasons in words.

    `unsearched` says why her searches could not be asked; empty when they were, or she follows none.
    """

    reasons: Mapping[int, tuple[str, ...]]
    unsearched: str = ""


def follows_of(viewer: Person) -> list[Followed]:
    """What a reader follows, but for papers (`followed_papers`): kind by kind, the first one first."""
    order = list(Kind)
    found = _named(list(Follow.objects.filter(user=viewer.id).order_by("id")), viewer)
    return sorted(found, key=lambda each: order.index(each.kind))


def followed_papers(viewer: Person) -> list[int]:
    """The shown papers of whose comments, versions and measurements the reader is told; the last one first."""
    return comments.followed_papers(viewer)


def number_of(viewer: Person | None, kind: Kind, target: str) -> int:
    """The number of the reader's follow of that; 0 where she does not follow it.

    The target is as it is stored: the number of a group or a person as text, a search as the query language writes it.
    """
    rows = Follow.objects.filter(user=viewer.id, kind=kind, target=target) if viewer else Follow.objects.none()
    return rows.values_list("id", flat=True).first() or 0


def by_key(key: str) -> tuple[Person, Followed] | None:
    """Whose the feed with that secret is, and of what; None when nobody has it."""
    row = Follow.objects.filter(key=key).first()
    owner = accounts.people([row.user_id]).get(row.user_id) if row else None
    if row is None or owner is None:
        return None
    return owner, _named([row], owner)[0]


def _named(rows: list[Follow], viewer: Person) -> list[Followed]:
    numbers = {kind: [int(row.target) for row in rows if row.kind == kind] for kind in (Kind.GROUP, Kind.PERSON)}
    groups = accounts.groups_seen(numbers[Kind.GROUP], viewer) if numbers[Kind.GROUP] else {}
    people = accounts.people(numbers[Kind.PERSON]) if numbers[Kind.PERSON] else {}
    names = {(Kind.GROUP, each.id): (each.slug, each.name) for each in groups.values()}
    names |= {(Kind.PERSON, each.id): (each.name, each.shown) for each in people.values()}
    return [_followed(row, names) for row in rows]


def _followed(row: Follow, names: Mapping[tuple[Kind, int], tuple[str, str]]) -> Followed:
    kind = Kind(row.kind)
    if kind not in _LOST:
        name = row.label or section_said(row.target)
        return Followed(row.id, kind, row.target, name, row.key, row.in_digest, row.made_at)
    number = int(row.target)
    target, name = names.get((kind, number), ("", _LOST[kind]))
    return Followed(row.id, kind, target, name, row.key, row.in_digest, row.made_at, number, gone=not target)


_LOST = {Kind.GROUP: "A group that is not here any more", Kind.PERSON: "Somebody who is not here any more"}


# --- Editions --------------------------------------------------------------------------------------------------------


def contents(edition: Edition) -> Contents:
    """What is asked of the edition once, in three queries."""
    ids = editions.papers_of(edition)
    sections: dict[str, set[int]] = defaultdict(set)
    for paper_id, slugs in papers.sections_of(ids).items():
        for slug in slugs:
            sections[slug].add(paper_id)
    return Contents(edition, ids, {slug: frozenset(its) for slug, its in sections.items()})


def look(viewer: Person, edition: Edition, *, only_in_digest: bool = False, within: Contents | None = None) -> Look:
    """The papers of an edition that a reader follows, each with the reasons in words, in the edition's order.

    Who answers many readers asks for the `contents` of the edition once and gives them as `within`.
    The number of queries does not depend on how much she follows; each search that she follows asks the index once.
    """
    rows = [row for row in follows_of(viewer) if (row.in_digest or not only_in_digest) and not row.gone]
    if not rows:
        return Look({})
    inside = within or contents(edition)
    why: dict[int, list[tuple[Kind, str]]] = defaultdict(list)
    by_kind: dict[Kind, list[Followed]] = defaultdict(list)
    for row in rows:
        by_kind[row.kind].append(row)
    for row in by_kind[Kind.SECTION]:
        _note(why, inside.sections.get(row.target, ()), row)
    _authors(why, by_kind[Kind.AUTHOR], inside)
    _people(why, by_kind[Kind.PERSON], inside)
    _groups(why, by_kind[Kind.GROUP], inside)
    unsearched = _searches(why, by_kind[Kind.SEARCH], inside)
    return Look({paper_id: said_of(why[paper_id]) for paper_id in inside.ids if paper_id in why}, unsearched)


_Why = dict[int, list[tuple[Kind, str]]]


def _note(why: _Why, ids: Iterable[int], row: Followed) -> None:
    for paper_id in ids:
        why[paper_id].append((row.kind, row.name))


def _authors(why: _Why, rows: list[Followed], inside: Contents) -> None:
    by_slug = {row.target: row for row in rows}
    for paper_id, slugs in papers.authored(by_slug, inside.ids).items() if rows else ():
        for slug in sorted(slugs):
            _note(why, [paper_id], by_slug[slug])


def _people(why: _Why, rows: list[Followed], inside: Contents) -> None:
    by_number = {row.number: row for row in rows}
    for paper_id, people in picks.pickers(by_number, inside.ids).items() if rows else ():
        for number in sorted(people):
            _note(why, [paper_id], by_number[number])


def _groups(why: _Why, rows: list[Followed], inside: Contents) -> None:
    by_number = {row.number: row for row in rows}
    for paper_id, groups in library.placed_by_groups(by_number, inside.ids).items() if rows else ():
        for number in sorted(groups):
            _note(why, [paper_id], by_number[number])


def _searches(why: _Why, rows: list[Followed], inside: Contents) -> str:
    """Note what the searches find. Returns why they could not be asked, if so."""
    for row in rows:
        try:
            hits = found(row.target, inside)
        except IndexUnavailable as error:
            log.warning("followed searches cannot be asked now: %s", error, exc_info=error.__cause__)
            return f"Your searches could not be asked. {error}"
        _note(why, hits, row)
    return ""


def found(text: str, inside: Contents) -> frozenset[int]:
    """The papers of an edition that a search finds, asked once. Raises IndexUnavailable."""
    if text not in inside.searched:
        inside.searched[text] = _found(text, inside)
    return inside.searched[text]


def _found(text: str, inside: Contents) -> frozenset[int]:
    """The papers of the edition that a search finds: the best ones, where it has words to be better or worse by."""
    query, edition = parse(text), inside.edition
    if edition.kind is not EditionKind.FIRST:
        since = max(filter(None, (query.since, edition.start)))
        until = min(filter(None, (query.until, edition.end)))
        if since > until:
            return frozenset()
        query = replace(query, since=since, until=until)
    best = bool(query.words) and not query.phrases
    wide = best and edition.kind is not EditionKind.FIRST
    results = tasks.reader().search(query, limit=BEST_FOUND if wide else ALL_FOUND)
    inside_ids = set(inside.ids)
    # Where no paper has any of the words, what comes near in meaning is no match.
    hits = [] if results.by_meaning else [hit.pk for hit in results.hits if hit.pk in inside_ids]
    return frozenset(hits[:BEST_FOUND] if best else hits)


# --- What is hidden --------------------------------------------------------------------------------------------------


def hidings(viewer: Person) -> list[HiddenThing]:
    """What a reader hides, kind by kind, the first one first."""
    order = list(Hiding)
    rows = Hidden.objects.filter(user=viewer.id).order_by("id")
    found = [HiddenThing(row.id, Hiding(row.kind), row.value, row.label) for row in rows]
    return sorted(found, key=lambda each: order.index(each.kind))


def curtain(viewer: Person | None) -> Curtain:
    """What a reader does not want to see; nothing for a visitor."""
    listed = hidings(viewer) if viewer else []
    return Curtain(
        words=tuple((each.value, each.name) for each in listed if each.kind is Hiding.WORD),
        authors=tuple((each.value, each.name) for each in listed if each.kind is Hiding.AUTHOR),
        sections=tuple(each.value for each in listed if each.kind is Hiding.SECTION),
    )


def hidden_among(unwanted: Curtain, rows: Iterable[papers.Paper]) -> dict[int, str]:
    """Which of these papers are hidden, each with what it is hidden for, in words."""
    told = {
        row.id: unwanted.why(
            Printed(row.title, row.abstract, tuple(row.authors), tuple(filter(None, (row.field, *row.categories))))
        )
        for row in (rows if unwanted else ())
    }
    return {paper_id: why for paper_id, why in told.items() if why}


def hidden(viewer: Person | None, paper_ids: Collection[int]) -> dict[int, str]:
    """Which of the papers a reader does not want to see, each with what it is hidden for, in words."""
    unwanted = curtain(viewer)
    if not unwanted or not paper_ids:
        return {}
    rows = papers.by_ids(paper_ids)
    found = hidden_among(unwanted, rows.values())
    return {asked: found[row.id] for asked, row in rows.items() if row.id in found}
