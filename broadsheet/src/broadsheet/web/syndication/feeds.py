"""What a feed holds, whatever it is written as: a title, its entries, and where its other parts are.

The moments are those of the papers. A paper is published at the midnight that begins its day on the clock by which
arXiv announces, and updated when its newest version is of a later day: correcting a word here changes neither, so
nobody is shown a paper twice. An edition is updated when it changes after its close.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from django.conf import settings

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.identifiers import Identifier, Scheme
from broadsheet.papers import queries as papers
from broadsheet.web import addresses, cards, paging, wording
from broadsheet.web.syndication.bodies import Body, legal
from broadsheet.web.syndication.lists import Head, Part
from broadsheet.web.syndication.tags import tag

# The entries of papers in one document; what more there is stands in the next part (RFC 5005).
ENTRIES = paging.PER_PAGE

# How often a reader's program should ask, in minutes: arXiv announces once a day.
ASK_EVERY_MINUTES = 60

# The name of our extensions in XML. Nobody can own it, so it says nothing about where an instance is (RFC 2606).
EXTENSION = "https://broadsheet.invalid/feed/1"

# Authors that are named one by one, and those in the first line of the text.
_AUTHORS = 50
_BYLINE = 10
_TITLE = 1_000
_SUMMARY = 400
# What a feed without entries is dated by, as it needs a date (RFC 4287, section 4.1.1).
NEVER = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class State:
    """What is known of an edition: the fields of our extension, in a form that programs read.

    `state` is ``shipped``, ``complete``, ``incomplete``, ``unverified``, ``empty`` or ``source-down``; `line` is the
    sentence that the page prints.
    """

    kind: str
    label: str
    number: int
    state: str
    line: str
    size: int
    late: int
    open: bool
    checked: datetime | None
    changed: datetime | None


@dataclass(frozen=True, slots=True)
class Link:
    """A link of an entry: what it leads to (RFC 8288), the type of that, and the address."""

    rel: str
    type: str
    href: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A paper, or an edition, in a feed. Texts are plain and legal in XML; `body` is what a reader is shown.

    `place` is the rank in the edition, `late` that it came after the edition was closed.
    """

    id: str
    title: str
    url: str
    updated: datetime
    published: datetime | None
    body: Body
    summary: str = ""
    authors: tuple[tuple[str, str], ...] = ()
    categories: tuple[tuple[str, str], ...] = ()
    links: tuple[Link, ...] = ()
    doi: str = ""
    edition: State | None = None
    place: int | None = None
    late: bool = False


@dataclass(frozen=True, slots=True)
class Feed:
    """A part of a list as a feed. What the part knows are addresses of pages; `at` and `others` give those of feeds."""

    id: str
    title: str
    subtitle: str
    base: str
    part: Part
    updated: datetime
    entries: tuple[Entry, ...]
    edition: State | None

    @property
    def page(self) -> str:
        """The page of the list."""
        return self.base + self.part.page

    def at(self, form: str) -> str:
        """This part in a form."""
        return self.base + addresses.in_form(self.part.address, form)

    def others(self, form: str) -> Iterator[tuple[str, str]]:
        """The other parts in a form, by the relations of RFC 5005, section 3."""
        part = self.part
        for rel, path in (("first", part.first), ("previous", part.previous), ("next", part.next), ("last", part.last)):
            if path:
                yield rel, self.base + addresses.in_form(path, form)


def feed(part: Part, *, base: str) -> Feed:
    """The feed of a part of a list. `base` is the scheme and host before our own addresses."""
    shown = cards.load(part.ids)
    known = papers.identifiers_of([card.paper.id for card in shown])
    heads = part.heads if not part.previous else ()
    entries = (
        *(_of_edition(head, base) for head in heads),
        *(_of_paper(card, known[card.paper.id], part, base) for card in shown),
    )
    site = settings.BROADSHEET_SITE_NAME
    return Feed(
        id=tag(f"list/{part.name}"),
        title=_cut(legal(f"{part.title} – {site}"), _TITLE),
        subtitle=legal(_subtitle(part)),
        base=base,
        part=part,
        updated=max((entry.updated for entry in entries), default=NEVER),
        entries=entries,
        edition=_state(part.edition) if part.edition else None,
    )


def _subtitle(part: Part) -> str:
    """One line about the list: of an edition, what is known of how complete it is."""
    if part.edition:
        return part.edition.audit.line
    return f"{wording.count(part.total, 'paper')}, the newest first" if part.total else ""


# --- Editions --------------------------------------------------------------------------------------------------------


def _of_edition(head: Head, base: str) -> Entry:
    edition, audit = head.edition, head.audit
    size = wording.count(edition.size, "paper")
    changes = [f"{wording.eastern(change.at)}: {change.text}." for change in audit.changes]
    body = Body().say(audit.line).list(audit.failed)
    if changes:
        body.say("Changed after closing:").list(changes)
    body.link([(f"The edition: {size}", f"{base}{head.path}"), ("How complete it is", f"{base}{head.path}#audit")])
    return Entry(
        id=tag(f"edition/{edition.kind}/{edition.label}"),
        title=legal(f"{head.name}: {size}"),
        url=base + head.path,
        updated=max([edition.published_at, *(change.at for change in audit.changes)]).astimezone(UTC),
        published=edition.published_at.astimezone(UTC),
        body=body,
        summary=legal(audit.line),
        edition=_state(head),
    )


def _state(head: Head) -> State:
    edition, audit = head.edition, head.audit
    return State(
        kind=str(edition.kind),
        label=edition.label,
        number=edition.number,
        state=str(audit.state),
        line=legal(audit.line),
        size=edition.size,
        late=edition.late,
        open=edition.open,
        checked=audit.checked_at.astimezone(UTC) if audit.checked_at else None,
        changed=max((change.at for change in audit.changes), default=None),
    )


# --- Papers ----------------------------------------------------------------------------------------------------------


def _of_paper(card: cards.Card, known: Sequence[Identifier], part: Part, base: str) -> Entry:
    row, place = card.paper, part.places.get(card.paper.id)
    by_scheme = {found.scheme: found for found in reversed(known)}
    published = _published(row)
    return Entry(
        id=tag(f"paper/{row.key}"),
        title=_cut(legal(card.title_text), _TITLE),
        url=base + card.url,
        updated=max(filter(None, (published, midnight(day_of(row.updated)))), default=NEVER),
        published=published,
        body=_body(card, by_scheme, late=bool(place and place.late)),
        summary=_cut(legal(cards.plain(row.summary or row.abstract)), _SUMMARY),
        authors=tuple(_authors(row.authors[:_AUTHORS], base)),
        categories=tuple((legal(slug), legal(wording.section_name(slug))) for slug in _sections(row)),
        links=tuple(_links(row, by_scheme)),
        doi=by_scheme[Scheme.DOI].value if Scheme.DOI in by_scheme else "",
        place=place.rank if place else None,
        late=bool(place and place.late),
    )


def _body(card: cards.Card, known: dict[Scheme, Identifier], *, late: bool) -> Body:
    row = card.paper
    body = Body().say(_byline(row))
    if late:
        body.say("Came after the edition was closed.")
    if card.verdict:
        body.say(f"Measured: {card.verdict.sentence}")
    body.print(row.summary).print(row.abstract)
    named = [("Code", row.code_url), ("Project", row.project_url)]
    links = [(scheme.giver, known[scheme].url) for scheme in Scheme if scheme in known]
    if Scheme.ARXIV in known:
        links.append(("PDF", _pdf(known[Scheme.ARXIV])))
    return body.link([*links, *((name, url) for name, url in named if addresses.outside(url))])


def _byline(row: papers.Paper) -> str:
    named = ", ".join(filter(None, (cards.author(name).name for name in row.authors[:_BYLINE])))
    more = max(len(row.authors), row.author_count or 0) - len(row.authors[:_BYLINE])
    if not named:
        return row.organization
    return f"{named} and {wording.number(more)} more" if more > 0 else named


def _authors(listed: Sequence[str], base: str) -> Iterator[tuple[str, str]]:
    """Name and address of each author who has a name that is seen."""
    for author in map(cards.author, listed):
        name = legal(author.name).strip()
        if name:
            yield name, base + author.url if author.url else ""


def _sections(row: papers.Paper) -> list[str]:
    return list(dict.fromkeys(filter(None, (row.field, *row.categories))))


def _links(row: papers.Paper, known: dict[Scheme, Identifier]) -> Iterator[Link]:
    """Where the paper came from, what it is the work of, and its document at home."""
    home = next((known[scheme] for scheme in Scheme if scheme in known), None)
    if home:
        yield Link("via", "text/html", home.url)
    if Scheme.ARXIV in known:
        yield Link("related", "application/pdf", _pdf(known[Scheme.ARXIV]))
    if addresses.outside(row.code_url):
        yield Link("related", "text/html", legal(row.code_url))


def _pdf(identifier: Identifier) -> str:
    return f"https://arxiv.org/pdf/{identifier.value}"


def _published(row: papers.Paper) -> datetime | None:
    return midnight(row.announced or day_of(row.submitted))


def day_of(text: str) -> date | None:
    """The first day that a date stands for, however much of it is known; None for a blank one."""
    return PartialDate.parse(text).first if text else None


def midnight(day: date | None) -> datetime | None:
    """The midnight that begins the day on arXiv's clock, in Coordinated Universal Time."""
    return datetime.combine(day, time(), wording.EASTERN).astimezone(UTC) if day else None


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"
