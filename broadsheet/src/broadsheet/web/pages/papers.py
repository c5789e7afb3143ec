"""The page of a paper, and the ways to it from arXiv's addresses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_safe
from markupsafe import Markup, escape

from broadsheet import links
from broadsheet.bibliography import identifiers, tex
from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.identifiers import Scheme
from broadsheet.editions import queries as editions
from broadsheet.evidence import queries as evidence
from broadsheet.ingest import queries as ingest
from broadsheet.ingest.rules.dating import How
from broadsheet.papers import queries as papers
from broadsheet.sources import registry
from broadsheet.web import addresses, cards, excerpts, measured, viewing, wording
from broadsheet.web.metadata import highwire, schema, signposting, social
from broadsheet.web.metadata.work import work
from broadsheet.web.pages import library
from broadsheet.web.pages.authorship import involved
from broadsheet.web.pages.comments import talk
from broadsheet.web.pages.listing import refuse_zero_bytes
from broadsheet.web.pages.search import related
from broadsheet.web.rendering import page

# How fields are called on the page, in the order in which their origins are told.
_FIELDS = {
    "title": "Title",
    "authors": "Authors",
    "author_count": "Number of authors",
    "abstract": "Abstract",
    "summary": "Summary",
    "identifiers": "Identifiers",
    "versions": "Versions",
    "submitted": "First submitted",
    "announced": "Announced",
    "updated": "Newest version",
    "venue": "Venue",
    "categories": "Categories",
    "field": "Section",
    "kind": "Kind",
    "keywords": "Keywords",
    "comments": "Comments",
    "license": "Licence",
    "organization": "Organisation",
    "code_url": "Code",
    "project_url": "Project",
}
_CHANGES = {
    "created": "First stored",
    "updated": "Changed",
    "stated": "A source said more; what we believe stayed the same",
    "merged": "Another entry of the same work was merged into this one",
    "unmerged": "A merge was undone",
    "measured": "A claim was measured",
}
# An author list, a title or a text that is told as "also said" is cut to this many characters.
_OTHERWISE = 300
# Names printed before "and n more".
_AUTHORS = 200
_DESCRIPTION = 300


@dataclass(frozen=True, slots=True)
class Origin:
    """Which sources say what the page says of a field, and what others say instead, as (source, text)."""

    name: str
    sources: tuple[str, ...]
    otherwise: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Dated:
    """A date of the paper and what it means."""

    meaning: str
    day: str


@dataclass(frozen=True, slots=True)
class Version:
    """A version as it is called, the day on which it was submitted, and its address; empty where not known."""

    name: str
    day: str
    url: str


@require_safe
def paper(request: HttpRequest, key: str) -> HttpResponse:
    """Everything that is known of the paper. Another name of it, or of one merged into it, leads to its own address.

    An identifier that nothing here has is answered with 404 and its home; Http404 is raised for any other key.
    """
    refuse_zero_bytes(key)
    row = papers.find_in_any_spelling(key)
    if row is None:
        return _unknown(request, key)
    if row.key != key:
        return HttpResponseRedirect(addresses.paper(row.key))
    detail = papers.detail(row.id)
    found = evidence.known([row.id]).get(row.id, evidence.Known())
    person = viewing.viewer(request)
    [card] = cards.attended(person, [cards.Card(paper=row, claims=found.unmeasured, findings=found.findings)])
    known = work(row, detail.identifiers, base=addresses.base_of(request))
    values = {
        "card": card,
        "paper": row,
        "citation": highwire.elements(known),
        "social": social.elements(known, description=cards.plain(row.summary or row.abstract)),
        "json_ld": schema.inline(known),
        "title": card.title_text,
        "description": cards.plain(row.summary or row.abstract)[:_DESCRIPTION],
        "authors": [cards.author(name) for name in row.authors[:_AUTHORS]],
        "more_authors": max(len(row.authors), row.author_count or 0) - len(row.authors[:_AUTHORS]),
        "abstract": cards.paragraphs(row.abstract),
        "abstract_goes_on": excerpts.cut(row.abstract, cards.LONGEST) != row.abstract.strip(),
        "dates": _dates(detail),
        "identifiers": [(found.scheme.giver, found.value, found.url) for found in detail.identifiers],
        "measured": measured.told(found.findings),
        "more_measured": len(found.findings[measured.MOST_DRAWN :]),
        "claims": found.unmeasured,
        "origins": _origins(detail),
        "sources": _statements(detail),
        "history": _history(detail),
        "places": editions.places(row.id),
        "versions": _versions(detail),
        "related": related(row.id),
        "talk": talk(request, row),
        "involved": involved(row, found, person),
        **library.panel(person, row),
    }
    response = page(request, "pages/paper.html", values, canonical=card.url)
    response.headers["Link"] = signposting.header(known)
    return response


@require_safe
def from_arxiv(request: HttpRequest, arxiv_id: str) -> HttpResponse:
    """From an address of arXiv with our host to our page; to the search, which says so, when we do not have it.

    Raises Http404 when it is not an identifier of arXiv.
    """
    found = identifiers.parse(f"arxiv:{arxiv_id}")
    if found is None:
        raise Http404(f"“{arxiv_id[:80]}” is not an identifier of arXiv. They look like 2401.00001 or math/0611800.")
    row = papers.find(found.identifier.key)
    if row is None:
        return HttpResponseRedirect(addresses.with_query(links.SEARCH, q=str(found.identifier)))
    return HttpResponseRedirect(addresses.paper(row.key))


def _unknown(request: HttpRequest, key: str) -> HttpResponse:
    """That the paper of this identifier is not here, and where its home is. Raises Http404 when it is none."""
    found = identifiers.parse(key)
    identifier = identifiers.from_key(key) or (found.identifier if found else None)
    if identifier is None:
        raise Http404(f"There is no paper {key[:80]} here.")
    values = {"identifier": identifier, "noindex": True}
    return page(request, "pages/search_unknown.html", values, status=404)


def _dates(detail: papers.Detail) -> list[Dated]:
    row = detail.paper
    dates = [
        Dated(_announced(detail), wording.day_text(row.announced)),
        Dated("first version submitted", wording.day_text(row.submitted)),
        Dated("newest version", wording.day_text(row.updated)),
        Dated("fetched, the first time that this instance heard of it", _fetched(detail)),
    ]
    return [each for each in dates if each.day]


_ANNOUNCED = {
    How.LISTED: "announced, the first day a reader could see it listed (US Eastern)",
    How.ORDER: "announced, as its number tells between those of papers that were listed (US Eastern)",
    How.CALENDAR: "announced, as the calendar tells from the time of its submission (US Eastern)",
}


def _announced(detail: papers.Detail) -> str:
    day = detail.paper.announced
    return _ANNOUNCED[ingest.how_dated(day, detail.identifiers) if day else How.LISTED]


def _fetched(detail: papers.Detail) -> str:
    """The day of the first entry in the journal of the paper, and of those merged into it."""
    stored = [change.at for change in detail.history if change.kind == "created"]
    return wording.day_text(min(stored).astimezone(wording.EASTERN).date()) if stored else ""


def _versions(detail: papers.Detail) -> list[Version]:
    """The versions, each with its address at arXiv when it has one there."""
    arxiv = next((found for found in detail.identifiers if found.scheme is Scheme.ARXIV), None)
    return [
        Version(f"v{each.number}", wording.day_text(each.submitted), f"{arxiv.url}v{each.number}" if arxiv else "")
        for each in detail.versions
    ]


def source_title(name: str) -> str:
    """How people name a source; its own name when no installed source is called so."""
    source = registry.sources().get(name)
    return source.title if source else name


def _origins(detail: papers.Detail) -> list[Origin]:
    """For each field that something is known of: who says so, and who says otherwise."""
    merged = detail.merged
    result = []
    for field, name in _FIELDS.items():
        positions = merged.provenance.get(field)
        if not positions:
            continue
        said_by = dict.fromkeys(source_title(detail.statements[place].source) for place in positions)
        otherwise = dict.fromkeys(
            (source_title(detail.statements[conflict.other].source), _told(detail, conflict.other, field))
            for conflict in merged.conflicts
            if conflict.field == field
        )
        result.append(Origin(name, tuple(said_by), tuple(otherwise)))
    return result


def _told(detail: papers.Detail, place: int, field: str) -> str:
    """What one source says of a field, as a line of plain text."""
    value = getattr(detail.statements[place].record, field)
    if isinstance(value, tuple):
        text = ", ".join(map(str, value))
    elif isinstance(value, PartialDate):
        text = wording.day_text(value)
    else:
        text = cards.plain(str(value))
    return text if len(text) <= _OTHERWISE else text[:_OTHERWISE].rsplit(" ", 1)[0] + " …"


def _statements(detail: papers.Detail) -> list[tuple[str, int, str]]:
    """Each source with the number of its statements and the time it was last heard."""
    grouped: dict[str, list[papers.Said]] = {}
    for said in detail.statements:
        grouped.setdefault(source_title(said.source), []).append(said)
    return [(name, len(said), wording.utc(max(each.seen_at for each in said))) for name, said in grouped.items()]


def _history(detail: papers.Detail) -> list[tuple[str, str, Markup]]:
    """The journal of the paper in words: when, what, and more about it.

    Entries of merged papers name them; those of merges that were undone name and link the other paper.
    """
    here = detail.paper.id
    members = {member.id: member for member in detail.merged_from}
    sides = {side for change in detail.history for side in (change.paper_id, change.other) if side is not None}
    strangers = papers.by_ids(sides - {here, *members})
    result = []
    for change in detail.history:
        what = _CHANGES.get(change.kind, change.kind)
        if change.kind == "merged" and change.paper_id == here:
            what = "Merged into another paper"
        elif change.kind == "updated" and change.fields:
            what = f"Changed: {_names(change.fields)}"
        side = change.other if change.paper_id == here else change.paper_id
        about = [_stranger(strangers[side])] if side in strangers else []
        about += [_member(members[side])] if side in members else []
        about += [escape(change.note)] if change.note else []
        result.append((wording.utc(change.at), what, Markup(". ").join(about)))
    return result


def _member(row: papers.Paper) -> Markup:
    """A paper that was merged into this one: its key leads here, so it is not linked."""
    return Markup("“{}” ({})").format(tex.to_text(row.title), row.key)


def _stranger(row: papers.Paper) -> Markup:
    """A paper that stands for itself, with a link to its page."""
    return Markup('“{}” (<a href="{}">{}</a>)').format(tex.to_text(row.title), addresses.paper(row.key), row.key)


def _names(fields: Sequence[str]) -> str:
    return ", ".join(_FIELDS[field].lower() for field in fields if field in _FIELDS) or "how it is filed"
