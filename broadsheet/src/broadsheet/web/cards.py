"""What a list shows of each paper: loaded for a whole page at once, in a number of queries that never grows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from markupsafe import Markup, escape

from broadsheet.accounts.rules import Person
from broadsheet.bibliography import names, tex
from broadsheet.community.queries import comments, votes
from broadsheet.evidence import queries as evidence
from broadsheet.library import queries as library
from broadsheet.papers import queries as papers
from broadsheet.web import addresses, excerpts, measured, wording

# Names printed before "and n more" on a card; the paper's own page prints all.
BYLINE = 3

# What is drawn of one text, in characters of its source. The longest abstracts of arXiv have a tenth of it; a text made
# to be slow would cost a second for each request.
LONGEST = 20_000


@dataclass(frozen=True, slots=True)
class Author:
    """A name as it is printed, and the address of the author's page; empty for a name that cannot stand in one."""

    name: str
    url: str


@dataclass(frozen=True)
class Card:
    """One paper in a list, ready to print. Texts ending in `_html` are safe HTML, the rest is plain Unicode.

    `claims` are those that nobody has measured, `findings` those that somebody has. `rank`, `reasons` and `late` are
    set for the entries of an edition; `heading` and `highlight`, the title and a part of the text with marks, for a hit
    of a search. `tally` and `comments` are what people did, None and 0 where a list does not tell of it; `kept` is what
    the viewer notes in her library, and `near` what it shares with that, where a list is in her own order.
    """

    paper: papers.Paper
    claims: Sequence[evidence.Claim] = ()
    findings: Sequence[evidence.Finding] = ()
    rank: int | None = None
    reasons: tuple[str, ...] = ()
    late: bool = False
    heading: Markup | None = None
    highlight: Markup | None = None
    tally: votes.Counted | None = None
    comments: int = 0
    kept: library.Kept | None = None
    near: str = ""

    @property
    def url(self) -> str:
        """Our page of the paper."""
        return addresses.paper(self.paper.key)

    @property
    def title_html(self) -> Markup:
        """The title with its mathematics, or with its marks; never blank."""
        return self.heading or _drawn_title(self.paper.title, self.paper.key)

    @property
    def title_text(self) -> str:
        """The title in plain Unicode, for windows and for the list of saved papers; never blank."""
        return _plain_title(self.paper.title, self.paper.key)

    @cached_property
    def authors(self) -> list[Author]:
        """The first authors, as many as a byline holds."""
        return [author(name) for name in self.paper.authors[:BYLINE]]

    @property
    def more_authors(self) -> int:
        """How many authors the byline leaves out; all of them when a source printed only how many there are."""
        known = len(self.paper.authors)
        return max(known, self.paper.author_count or 0) - min(known, BYLINE)

    @property
    def byline(self) -> Markup:
        """Who wrote it, in one line with the addresses of the authors; empty where no source says anything of it."""
        paper = self.paper
        return _byline(tuple(paper.authors[:BYLINE]), self.more_authors, paper.organization)

    @property
    def section(self) -> str:
        """The slug of the section that it belongs to first: its field, else its primary category, else empty."""
        return self.paper.field or (self.paper.categories[0] if self.paper.categories else "")

    @property
    def day(self) -> str:
        """The day to print beside it, as far as it is known: announced, else submitted."""
        return wording.day_text(self.paper.announced or self.paper.submitted)

    @property
    def revision(self) -> str:
        """The newest version and its day, ``v3 of 4 March 2026``, where there is more than one; else empty."""
        if len(self.paper.versions) < 2:
            return ""
        number, submitted = max(self.paper.versions, key=lambda version: version[0])
        day = wording.day_text(submitted or self.paper.updated)
        return f"v{number} of {day}" if day else f"v{number}"

    @cached_property
    def verdict(self) -> measured.Brief | None:
        """What came of its claims when they were run; None where nobody has."""
        return measured.brief(self.findings)

    @property
    def claim(self) -> evidence.Claim | None:
        """The first unmeasured claim that can be exercised: on a laptop if there is one, else in part; or None."""
        for runnable in ("yes", "partly"):
            for claim in self.claims:
                if claim.runnable == runnable:
                    return claim
        return None

    def text(self, limit: int) -> Markup:
        """What it says in about `limit` characters: our summary when there is one, else the abstract's beginning."""
        if self.highlight:
            return self.highlight
        return excerpt(self.paper.summary or self.paper.abstract, limit)

    def abstract(self, limit: int) -> Markup:
        """The abstract's first `limit` characters or so; empty when no source gave one."""
        return excerpt(self.paper.abstract, limit)


def load(ids: Iterable[int]) -> list[Card]:
    """The cards of these papers in this order; ids that the database does not know are dropped.

    A merged paper is shown as the one that it went into, once.
    """
    wanted = list(dict.fromkeys(ids))
    rows = papers.by_ids(wanted)
    shown = {rows[asked].id: rows[asked] for asked in wanted if asked in rows}
    known = evidence.known(list(shown))
    nothing = evidence.Known()
    return [
        Card(paper=row, claims=known.get(row.id, nothing).unmeasured, findings=known.get(row.id, nothing).findings)
        for row in shown.values()
    ]


def load_for(viewer: Person | None, ids: Iterable[int]) -> list[Card]:
    """Like `load`, with what people did and what the viewer, None for a visitor, notes beside them."""
    return attended(viewer, load(ids))


def attended(viewer: Person | None, shown: Sequence[Card]) -> list[Card]:
    """The cards with votes, comments and the viewer's own notes, in a number of queries that never grows."""
    ids = [card.paper.id for card in shown]
    tallies = votes.tallies(ids, viewer)
    talked = comments.counts(ids, viewer)
    kept = library.kept(ids, viewer)
    return [
        replace(card, tally=tallies[paper_id], comments=talked.get(paper_id, 0), kept=kept.get(paper_id))
        for paper_id, card in zip(ids, shown, strict=True)
    ]


def author(name: str) -> Author:
    """The author of that name, as printed by a source."""
    return Author(*_author(name))


@lru_cache(maxsize=8192)
def _author(name: str) -> tuple[str, str]:
    """The printed form of a name and the address of its page."""
    slug = names.slug(name)
    return names.printed(name), addresses.author(slug) if slug else ""


@lru_cache(maxsize=8192)
def _byline(first: tuple[str, ...], more: int, organization: str) -> Markup:
    """Remembered, as the same lists are printed all day."""
    if not first:
        return escape(organization) if organization or not more else escape(wording.count(more, "author"))
    named = ", ".join(map(_linked, map(author, first)))
    return Markup(f"{named} and {more}&nbsp;more" if more else named)  # noqa: S704 - `_linked` escapes


def _linked(author: Author) -> str:
    """A name as HTML, with its address where there is one. `Markup.format` would take several times as long."""
    name = escape(author.name)
    return f'<a href="{escape(author.url)}">{name}</a>' if author.url else str(name)


@lru_cache(maxsize=4096)
def _drawn_title(title: str, key: str) -> Markup:
    """A title as safe HTML. Remembered, as the same titles are printed all day."""
    drawn = html(title)
    return drawn if _shows(drawn) and _shows(plain(title)) else escape(_raw_title(title, key))


@lru_cache(maxsize=4096)
def _plain_title(title: str, key: str) -> str:
    """A title in plain Unicode. Remembered, as one card prints it several times."""
    text = plain(title)
    return text if _shows(text) else _raw_title(title, key)


def _raw_title(title: str, key: str) -> str:
    """What stands for a title of which nothing is seen once it is drawn: its source, else the key."""
    source = excerpts.cut(title, LONGEST)
    return source if _shows(source) else key


def _shows(text: str) -> bool:
    """Whether anything of the text is seen: a character that is neither white space nor a mark of control."""
    return any(character.isprintable() and not character.isspace() for character in text)


@lru_cache(maxsize=8192)
def html(text: str) -> Markup:
    """TeX as safe HTML with MathML. Remembered, as the same texts are printed all day."""
    return Markup(tex.to_html(excerpts.cut(text, LONGEST)))  # noqa: S704 - to_html escapes; that is its contract


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """TeX as one line of plain Unicode. Remembered: an abstract full of TeX takes milliseconds."""
    return tex.to_text(excerpts.cut(text, LONGEST))


def paragraphs(text: str) -> list[Markup]:
    """A TeX text, to its `LONGEST`, as paragraphs of safe HTML with MathML, addresses in it linked."""
    shown = excerpts.cut(text, LONGEST)
    return [Markup(part) for part in tex.paragraphs(shown, links=True)]  # noqa: S704 - escaped by `paragraphs`


def excerpt(text: str, limit: int) -> Markup:
    """The beginning of a TeX text, cut before it is converted, as safe HTML."""
    return _excerpt(excerpts.reach(text, limit), limit)


@lru_cache(maxsize=8192)
def _excerpt(beginning: str, limit: int) -> Markup:
    """Remembered under what it is made from, which is a third of an abstract."""
    return Markup(tex.to_html(excerpts.cut(beginning, limit)))  # noqa: S704 - to_html escapes; that is its contract
