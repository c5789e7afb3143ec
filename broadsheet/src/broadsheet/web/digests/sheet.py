"""What a digest prints, before it is text or HTML: headings, papers, and what is said of the edition.

Texts are plain Unicode, mathematics too: programs for mail take MathML apart and leave its letters in a row, so that
a square would be read as a number of two digits. Where a text has an exponent that Unicode has no letters for, as in
ℝ^(d×k), the HTML raises it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django.conf import settings
from markupsafe import Markup

from broadsheet import links
from broadsheet.bibliography.identifiers import Identifier, Scheme
from broadsheet.bibliography.taxonomy import CATEGORIES
from broadsheet.editions import queries as editions
from broadsheet.editions.rules import Kind
from broadsheet.following.queries.digests import Chosen, Digest, Part
from broadsheet.papers import queries as papers
from broadsheet.web import addresses, cards, excerpts, wording
from broadsheet.web.digests.briefs import Briefs, briefs
from broadsheet.web.digests.briefs import subject as subject_of_briefs
from broadsheet.web.digests.raising import raised
from broadsheet.web.excerpts import shortened
from broadsheet.web.searching import plain

# What is printed of a text, in characters of its source and of its print.
_LEAD, _EXCERPT = 420, 210
_TITLE = 240
_NAME = 60
_SENTENCE = 200
_SUBJECT = 78  # RFC 5322 advises lines no longer; most programs show less


@dataclass(frozen=True, slots=True)
class Item:
    """A paper: its number in the digest, what is printed of it, and where it leads."""

    number: int
    title: str
    byline: str
    text: str
    reasons: str
    measured: str
    late: bool
    url: str
    links: tuple[tuple[str, str], ...]

    @property
    def title_html(self) -> Markup:
        """The title with exponents and indices raised and lowered."""
        return raised(self.title)

    @property
    def text_html(self) -> Markup:
        """The same of the text."""
        return raised(self.text)


@dataclass(frozen=True, slots=True)
class Column:
    """The papers under a heading; `total` is how many belong there, 0 where that is not told."""

    heading: str
    code: str
    url: str
    items: tuple[Item, ...]
    total: int
    counted: bool

    @property
    def count(self) -> str:
        """What stands beside the heading: the code of a category, and how many papers belong there."""
        size = plain(wording.count(self.total, "paper")) if self.counted and self.total else ""
        return ", ".join(filter(None, (self.code, size)))

    @property
    def more(self) -> str:
        """How many of them are not in the mail, or stand above in it; empty for none."""
        left = self.total - len(self.items)
        return f"{plain(wording.number(left))} more" if left > 0 and self.items else ""

    @property
    def nothing(self) -> str:
        """What stands in the place of papers; empty where there are some."""
        if self.items:
            return ""
        return "All of them stand above." if self.total else "Nothing in this edition."


@dataclass(frozen=True, slots=True)
class Sheet:
    """A digest, ready to print. Addresses are whole ones.

    `audit`, `whole` and `url` are empty where it is of no edition. `papers` counts those of the edition; `briefs` are
    what is her own.
    """

    site: str
    home: str
    sender: str
    name: str
    subject: str
    dateline: str
    audit: str
    kind: str
    url: str
    audit_url: str
    whole: str
    columns: tuple[Column, ...]
    remarks: tuple[str, ...]
    papers: int
    briefs: tuple[Briefs, ...] = ()

    def cut(self, most: int) -> Sheet:
        """The same with so many papers, and of each kind of briefs, at most; headings without papers of theirs fall
        away.
        """
        columns, room = [], most
        for column in self.columns:
            kept = column.items[:room]
            room -= len(kept)
            if kept or not column.items:
                columns.append(replace(column, items=kept))
        told = tuple(replace(each, briefs=each.briefs[:most]) for each in self.briefs)
        return replace(self, columns=tuple(columns), papers=most - room, briefs=told)


def sheet(digest: Digest) -> Sheet:
    """What a digest prints. The number of queries does not grow with its papers."""
    told = briefs(digest.own) if digest.own else ()
    return _of_edition(digest, digest.edition, told) if digest.edition else _without_edition(digest, told)


def _without_edition(digest: Digest, told: tuple[Briefs, ...]) -> Sheet:
    return Sheet(
        site=settings.BROADSHEET_SITE_NAME,
        home=settings.BROADSHEET_ADDRESS + links.FRONT,
        sender=settings.DEFAULT_FROM_EMAIL,
        name=settings.BROADSHEET_SITE_NAME,
        subject=subject_of_briefs(told, _SUBJECT),
        dateline=wording.long_day(digest.day) if digest.day else "",
        audit="",
        kind=str(digest.kind),
        url="",
        audit_url="",
        whole="",
        columns=(),
        remarks=digest.remarks,
        papers=0,
        briefs=told,
    )


def _of_edition(digest: Digest, edition: editions.Edition, told: tuple[Briefs, ...]) -> Sheet:
    base = settings.BROADSHEET_ADDRESS
    shown = {card.paper.id: card for card in cards.load(chosen.paper_id for chosen in digest.papers)}
    known = papers.identifiers_of(list(shown))
    columns, number = [], 1
    for part in digest.parts:
        items = []
        for chosen in part.papers:
            if chosen.paper_id in shown:
                items.append(_item(number, chosen, shown[chosen.paper_id], known[chosen.paper_id], base))
                number += 1
        columns.append(_column(part, items, edition, base))
    first = next((item for column in columns for item in column.items), None)
    path = addresses.edition(edition.kind, edition.label)
    size = plain(wording.count(edition.size, "paper"))
    return Sheet(
        site=settings.BROADSHEET_SITE_NAME,
        home=base + links.FRONT,
        sender=settings.DEFAULT_FROM_EMAIL,
        name=wording.edition_name(edition.kind, edition.label),
        subject=subject(edition, first.title, number - 1) if first else subject_of_briefs(told, _SUBJECT),
        dateline=_dateline(edition),
        audit=plain(editions.audit(edition).line),
        kind=str(edition.kind),
        url=base + path,
        audit_url=f"{base}{path}#audit",
        whole=size,
        columns=tuple(columns),
        remarks=digest.remarks,
        papers=number - 1,
        briefs=told,
    )


def subject(edition: editions.Edition, title: str, shown: int) -> str:
    """What is inside, in 78 characters: ``20 November: A Lamp for Every Step, and 9 more of 612 papers``."""
    name = wording.edition_name(edition.kind, edition.label)
    when = name.removesuffix(f" {edition.start.year}") if edition.kind is Kind.DAY else name
    size = plain(wording.count(edition.size, "paper"))
    more = f", and {shown - 1} more of {size}" if shown > 1 else f", of {size}" if edition.size > 1 else ""
    room = _SUBJECT - len(when) - len(more) - 2
    return f"{when}: {shortened(title, room)}{more}"


def _dateline(edition: editions.Edition) -> str:
    if edition.kind is Kind.DAY:
        return wording.long_day(edition.start)
    name = wording.edition_name(edition.kind, edition.label)
    if edition.kind is not Kind.WEEK:
        return name
    return f"{name}, {wording.day_text(edition.start)} to {wording.day_text(edition.end)}"


def _item(number: int, chosen: Chosen, card: cards.Card, known: Sequence[Identifier], base: str) -> Item:
    row = card.paper
    source = row.summary or row.abstract
    return Item(
        number=number,
        title=shortened(card.title_text, _TITLE),
        byline=_byline(card),
        text=shortened(cards.plain(excerpts.cut(source, _LEAD if number == 1 else _EXCERPT)), 2 * _LEAD),
        reasons=shortened("; ".join(chosen.reasons), 2 * _SENTENCE),
        measured=shortened(plain(card.verdict.sentence), _SENTENCE) if card.verdict else "",
        late=chosen.late,
        url=base + card.url,
        links=tuple(_links(card, {each.scheme: each for each in reversed(known)})),
    )


def _byline(card: cards.Card) -> str:
    named = ", ".join(shortened(author.name, _NAME) for author in card.authors if author.name)
    if not named:
        named = shortened(card.paper.organization, _NAME)
    elif card.more_authors > 0:
        named += f" and {plain(wording.number(card.more_authors))} more"
    section = shortened(wording.section_name(card.section), _NAME) if card.section else ""
    return " · ".join(filter(None, (named, section)))


def _links(card: cards.Card, known: Mapping[Scheme, Identifier]) -> list[tuple[str, str]]:
    """Where else a paper leads: its document, and its code. Addresses too long for a line of mail are left out."""
    named = []
    if Scheme.ARXIV in known:
        named.append(("PDF", f"https://arxiv.org/pdf/{known[Scheme.ARXIV].value}"))
    named.append(("Code", addresses.outside(card.paper.code_url)))
    return [(name, url) for name, url in named if url and len(url) <= 300 and url.isascii() and url.isprintable()]


def _column(part: Part, items: Sequence[Item], edition: editions.Edition, base: str) -> Column:
    path = addresses.edition(edition.kind, edition.label)
    heading, url = {
        "front": ("The front page", path),
        "followed": ("What you follow", links.DESK),
        "near": ("Near your library", links.DESK),
        "section": (wording.section_name(part.target), addresses.section(part.target)),
        "search": (f"“{part.target}”", addresses.with_query(links.SEARCH, q=part.target)),
    }[part.kind]
    return Column(
        heading=shortened(heading, 120),
        code=part.target if part.kind == "section" and part.target in CATEGORIES else "",
        url=base + url,
        items=tuple(items),
        total=0 if part.kind == "near" else part.total,
        counted=part.kind in ("section", "search", "followed"),
    )
