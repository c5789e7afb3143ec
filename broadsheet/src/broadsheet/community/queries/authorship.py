"""Every question about who wrote which paper, and what authors added to theirs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from broadsheet.accounts import queries as accounts
from broadsheet.accounts.rules import Person, Role
from broadsheet.community.models.authorship import AuthorAnswer, AuthorClaim, AuthorLink
from broadsheet.community.rules import authorship as rules
from broadsheet.community.rules.authorship import OPEN, LinkKind, OrcidRecord, State, Way
from broadsheet.papers import queries as papers
from broadsheet.storage import among


@dataclass(frozen=True, slots=True)
class Claim:
    """A person's word that she is an author of a shown paper, and what was decided.

    `proof` and `note` are for her and for who decides, not for everybody. `disputed` says that somebody else's claim to
    the same place stands, too.
    """

    id: int
    paper_id: int
    by: Person
    author: str
    slug: str
    way: Way
    proof: str
    note: str
    state: State
    made_at: datetime
    decided_at: datetime | None
    decided_by: Person | None
    reason: str
    disputed: bool


@dataclass(frozen=True, slots=True)
class Link:
    """Something that an author linked to her paper."""

    id: int
    by: Person
    kind: LinkKind
    url: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What an author answers to a measurement; `html` is safe."""

    id: int
    by: Person
    measurement: str
    body: str
    html: str
    at: datetime


def authors_of(paper_ids: Collection[int]) -> dict[int, set[int]]:
    """For each shown paper the ids of the people who are confirmed as authors of it, or of a paper merged into it."""
    root_of = {member: root for root, members in papers.families(paper_ids).items() for member in members}
    confirmed = AuthorClaim.objects.filter(among("paper", root_of), state=State.CONFIRMED)
    result: dict[int, set[int]] = defaultdict(set)
    for paper_id, user_id in confirmed.values_list("paper_id", "user_id"):
        result[root_of[paper_id]].add(user_id)
    return dict(result)


def authors_within(family: Collection[int]) -> set[int]:
    """The ids of the people who are confirmed as authors of one of these papers, which are one work."""
    confirmed = AuthorClaim.objects.filter(among("paper", family), state=State.CONFIRMED)
    return set(confirmed.values_list("user_id", flat=True))


@dataclass(frozen=True, slots=True)
class Name:
    """A name that papers print for a person who is confirmed as their author, and its form in addresses."""

    person: int
    author: str
    slug: str


def names_of(people: Collection[int], *, limit: int = 200) -> list[Name]:
    """The names under which these people are confirmed as authors, each once, by name."""
    confirmed = AuthorClaim.objects.filter(among("user_id", people), state=State.CONFIRMED)
    rows = confirmed.order_by("-decided_at", "-id").values_list("user_id", "author", "slug")
    found: dict[tuple[int, str], Name] = {}
    for person, author, slug in rows:
        found.setdefault((person, slug), Name(person, author, slug))
    return sorted(found.values(), key=lambda name: (name.slug, name.person))[:limit]


def claims_of(paper_id: int) -> list[Claim]:
    """The claims to a shown paper that stand, the confirmed ones first."""
    family = papers.families([paper_id])[paper_id]
    rows = AuthorClaim.objects.filter(among("paper", family), state__in=OPEN).order_by("made_at", "id")
    return sorted(_told(rows), key=lambda claim: claim.state is not State.CONFIRMED)


def decisions_of(paper_id: int) -> list[Claim]:
    """The claims to a shown paper that were refused or undone, the last decision first: disputes are public."""
    family = papers.families([paper_id])[paper_id]
    decided = AuthorClaim.objects.filter(among("paper", family), state__in=(State.REFUSED, State.UNDONE))
    return _told(decided.order_by("-decided_at", "-id")[:20])


def pending(*, limit: int = 60) -> list[Claim]:
    """The claims that wait for a curator, the oldest first."""
    return _told(AuthorClaim.objects.filter(state=State.PENDING).order_by("made_at", "id")[:limit])


def by_person(person_id: int) -> list[Claim]:
    """What a person claimed, the newest first."""
    return _told(AuthorClaim.objects.filter(user=person_id).order_by("-made_at", "-id")[:200])


def links_of(paper_id: int) -> list[Link]:
    """What authors linked to a shown paper, the oldest first."""
    family = papers.families([paper_id])[paper_id]
    return _links(
        AuthorLink.objects.filter(among("paper", family), removed_at__isnull=True).order_by("linked_at", "id")
    )


def removed_links_of(paper_id: int, viewer: Person) -> list[Link]:
    """The links of a shown paper that the viewer can put back: her own, a curator all; the last removed first."""
    family = papers.families([paper_id])[paper_id]
    removed = AuthorLink.objects.filter(among("paper", family), removed_at__isnull=False).order_by("-removed_at", "-id")
    hers = removed if viewer.is_a(Role.CURATOR) else removed.filter(user=viewer.id)
    return _links(hers[: rules.MOST_LINKS])


def _links(wanted: QuerySet[AuthorLink]) -> list[Link]:
    rows = list(wanted)
    people = accounts.people({row.user_id for row in rows})
    return [Link(row.id, people[row.user_id], LinkKind(row.kind), row.url) for row in rows if row.user_id in people]


def answers_to(measurements: Collection[str]) -> dict[str, list[Answer]]:
    """What authors answer to these measurements, by the digests of their records."""
    rows = list(AuthorAnswer.objects.filter(among("measurement", measurements), removed_at__isnull=True).order_by("id"))
    people = accounts.people({row.user_id for row in rows})
    result: dict[str, list[Answer]] = defaultdict(list)
    for row in rows:
        if row.user_id in people:
            told = Answer(row.id, people[row.user_id], row.measurement, row.body, row.html, row.answered_at)
            result[row.measurement].append(told)
    return dict(result)


def orcid_of(person_id: int) -> list[OrcidRecord]:
    """What the person's ORCID records said when she last signed in with them; nothing when she never did."""
    return [rules.orcid_record(said) for said in accounts.orcid_records(person_id)]


def domains_of(person_id: int) -> list[str]:
    """The domains of the addresses that the person has verified."""
    return sorted({address.rpartition("@")[2].lower() for address in accounts.confirmed_addresses(person_id)})


def _told(rows: Iterable[AuthorClaim]) -> list[Claim]:
    found = list(rows)
    people = accounts.people({who for row in found for who in (row.user_id, row.decided_by_id) if who})
    roots = papers.canonical({row.paper_id for row in found})
    places = _places(roots.values())
    return [
        Claim(
            id=row.id,
            paper_id=roots[row.paper_id],
            by=people[row.user_id],
            author=row.author,
            slug=row.slug,
            way=Way(row.way),
            proof=row.proof,
            note=row.note,
            state=State(row.state),
            made_at=row.made_at,
            decided_at=row.decided_at,
            decided_by=people.get(row.decided_by_id) if row.decided_by_id else None,
            reason=row.reason,
            disputed=row.state in OPEN and len(places[roots[row.paper_id], row.slug]) > 1,
        )
        for row in found
        if row.user_id in people
    ]


def _places(roots: Iterable[int]) -> dict[tuple[int, str], set[int]]:
    """Who claims each author's place of these papers."""
    root_of = {member: root for root, members in papers.families(set(roots)).items() for member in members}
    result: dict[tuple[int, str], set[int]] = defaultdict(set)
    rows = AuthorClaim.objects.filter(among("paper", root_of), state__in=OPEN)
    for paper_id, slug, user_id in rows.values_list("paper_id", "slug", "user_id"):
        result[root_of[paper_id], slug].add(user_id)
    return result
