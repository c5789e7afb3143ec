"""From rows to shapes. Of a paper only those fields are made that were asked for, since some of them cost something."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from broadsheet.bibliography import names
from broadsheet.bibliography.identifiers import Identifier
from broadsheet.editions import queries as editions
from broadsheet.evidence import queries as evidence
from broadsheet.papers import queries as papers
from broadsheet.web import addresses, cards, measured
from broadsheet.web.api import shapes
from broadsheet.web.pages.papers import source_title


@dataclass(frozen=True, slots=True)
class _Known:
    """What fields are made of: the row, the base of addresses; identifiers and evidence where they were asked for."""

    row: papers.Paper
    base: str
    identifiers: Sequence[Identifier]
    evidence: evidence.Known


@lru_cache(maxsize=8192)
def _author(name: str) -> shapes.Author:
    """Remembered, as the same people write all day; a shape cannot be changed."""
    return shapes.Author(name=names.printed(name), slug=names.slug(name) or None)


_PAPER: Mapping[str, Callable[[_Known], Any]] = {
    "id": lambda known: known.row.key,
    "url": lambda known: known.base + addresses.paper(known.row.key),
    "api_url": lambda known: known.base + addresses.api_paper(known.row.key),
    "title": lambda known: known.row.title,
    "title_text": lambda known: cards.Card(paper=known.row).title_text,
    "authors": lambda known: [_author(name) for name in known.row.authors],
    "author_count": lambda known: max(len(known.row.authors), known.row.author_count or 0),
    "abstract": lambda known: known.row.abstract or None,
    "summary": lambda known: known.row.summary or None,
    "announced": lambda known: known.row.announced,
    "submitted": lambda known: known.row.submitted or None,
    "updated": lambda known: known.row.updated or None,
    "section": lambda known: cards.Card(paper=known.row).section or None,
    "categories": lambda known: known.row.categories,
    "keywords": lambda known: known.row.keywords,
    "venue": lambda known: known.row.venue or None,
    "kind": lambda known: known.row.kind or None,
    "comments": lambda known: known.row.comments or None,
    "license": lambda known: known.row.license or None,
    "organization": lambda known: known.row.organization or None,
    "code_url": lambda known: addresses.outside(known.row.code_url) or None,
    "project_url": lambda known: addresses.outside(known.row.project_url) or None,
    "identifiers": lambda known: [str(identifier) for identifier in known.identifiers],
    "evidence": lambda known: _measured(known.evidence),
}
_NOTHING = evidence.Known()


def papers_by_id(ids: Iterable[int], fields: Collection[str], *, base: str) -> dict[int, shapes.Paper]:
    """The paper that stands for each id now, with these fields, or with all where none is named.

    Ids that the database does not know are absent. The number of queries does not depend on that of the ids.
    """
    rows = papers.by_ids(set(ids))
    return dict(zip(rows, papers_of(rows.values(), fields, base=base), strict=True))


def papers_of(rows: Iterable[papers.Paper], fields: Collection[str], *, base: str) -> list[shapes.Paper]:
    """The shape of each of these shown papers."""
    listed = list(rows)
    wanted = _wanted(fields)
    known = papers.identifiers_of(row.id for row in listed) if "identifiers" in wanted else {}
    claims = evidence.known([row.id for row in listed]) if "evidence" in wanted else {}
    return [
        shapes.Paper(**_values(_Known(row, base, known.get(row.id, ()), claims.get(row.id, _NOTHING)), wanted))
        for row in listed
    ]


def whole_paper(row: papers.Paper, fields: Collection[str], *, base: str) -> shapes.WholePaper:
    """Everything that is known of a shown paper, or these fields of it."""
    detail = papers.detail(row.id)
    wanted = _wanted(fields)
    claims = evidence.known([row.id]).get(row.id, _NOTHING) if "evidence" in wanted else _NOTHING
    values = _values(_Known(row, base, detail.identifiers, claims), wanted)
    more: dict[str, Callable[[], Any]] = {
        "versions": lambda: [
            shapes.Version(number=each.number, submitted=str(each.submitted) if each.submitted else None)
            for each in detail.versions
        ],
        "editions": lambda: [
            shapes.PlaceIn(edition=edition_name(edition, base=base), place=place(entry))
            for edition, entry in editions.places(row.id)
        ],
        "sources": lambda: _sources(detail.statements),
        "merged_from": lambda: [member.key for member in detail.merged_from],
    }
    values |= {name: make() for name, make in more.items() if not fields or name in fields}
    return shapes.WholePaper(**values)


def edition_name(edition: editions.Edition, *, base: str) -> shapes.EditionName:
    """Which edition it is, and where."""
    return shapes.EditionName(
        kind=edition.kind.value,
        label=edition.label,
        url=base + addresses.edition(edition.kind, edition.label),
        api_url=base + addresses.api_edition(edition.label),
    )


def place(entry: editions.Entry) -> shapes.Place:
    """A place in an edition, with what was stored when it was printed."""
    return shapes.Place(
        rank=entry.rank, score=entry.score, reasons=entry.reasons, basis=entry.basis.value, late=entry.late
    )


def _wanted(fields: Collection[str]) -> list[str]:
    return [name for name in _PAPER if not fields or name in fields or name == "id"]


def _values(known: _Known, wanted: Iterable[str]) -> dict[str, Any]:
    return {name: _PAPER[name](known) for name in wanted}


def _measured(known: evidence.Known) -> shapes.Measured | None:
    """The verdict in the words of the pages."""
    brief = measured.brief(known.findings)
    if brief is None:
        return None
    return shapes.Measured(verdict=brief.sentence, holds=known.holds, measured=len(known.findings))


def _sources(statements: Iterable[papers.Said]) -> list[shapes.Source]:
    """Each source once, in the order in which they were first heard."""
    grouped: dict[str, list[papers.Said]] = {}
    for said in statements:
        grouped.setdefault(said.source, []).append(said)
    return [
        shapes.Source(
            name=name, title=source_title(name), statements=len(said), heard=max(each.seen_at for each in said)
        )
        for name, said in grouped.items()
    ]
