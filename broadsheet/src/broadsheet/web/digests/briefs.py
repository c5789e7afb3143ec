"""What a digest tells one reader alone, in a few words each: news of papers that she follows, as her desk has them too,
and her notices.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from markupsafe import Markup

from broadsheet import links
from broadsheet.community.queries.notices import Notice
from broadsheet.community.rules.notices import KINDS, Kind
from broadsheet.following.queries.digests import Own
from broadsheet.following.queries.news import Event, News
from broadsheet.following.rules.news import What
from broadsheet.papers import queries as papers
from broadsheet.web import addresses, cards, wording
from broadsheet.web.digests.raising import raised
from broadsheet.web.excerpts import shortened
from broadsheet.web.searching import plain

_TITLE, _SENTENCE, _CLAIM, _NAME = 120, 160, 120, 60


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence, where it leads, and what stands behind it."""

    said: str
    url: str
    text: str = ""

    @property
    def text_html(self) -> Markup:
        """What stands behind it with exponents and indices raised and lowered."""
        return raised(self.text)


@dataclass(frozen=True, slots=True)
class Brief:
    """A paper with news, or a notice: a headline, where it leads, and a line for each thing."""

    title: str
    url: str
    lines: tuple[Line, ...]

    @property
    def title_html(self) -> Markup:
        """The title with exponents and indices raised and lowered."""
        return raised(self.title)


@dataclass(frozen=True, slots=True)
class Briefs:
    """Those of one kind under a heading, of `total` that stand at `url`. `nouns` is what one and several more are."""

    heading: str
    url: str
    briefs: tuple[Brief, ...]
    total: int
    nouns: tuple[str, str]

    @property
    def more(self) -> str:
        """How many are not in it; empty for none."""
        left = self.total - len(self.briefs)
        return f"And {plain(wording.count(left, *self.nouns))}" if left > 0 else ""


def briefs(own: Own) -> tuple[Briefs, ...]:
    """What is the reader's own, notices first. The number of queries does not grow with it."""
    base = settings.BROADSHEET_ADDRESS
    ids = {each.paper_id for each in own.news} | {each.paper_id for each in own.notices if each.paper_id}
    rows = papers.by_ids(ids) if ids else {}
    return tuple(each for each in (_notices(own, rows, base), _news(own, rows, base)) if each.briefs)


def subject(told: Sequence[Briefs], room: int) -> str:
    """What is inside where there is nothing else, in so many characters."""
    title = next((brief.title for each in told for brief in each.briefs), "")
    if not title:
        return ""
    others = sum(each.total for each in told) - 1
    more = f", and {wording.count(others, 'more thing')}" if others else ""
    return f"News: {shortened(title, room - 6 - len(more))}{plain(more)}"


def happened(news: Iterable[News], rows: Mapping[int, papers.Paper], base: str) -> tuple[Brief, ...]:
    """What happened to these of the papers `rows`. `base` is the scheme and host before addresses, empty on a page."""
    known = [(rows[each.paper_id], each.events) for each in news if each.paper_id in rows]
    return tuple(
        Brief(_title(row), _page(row, base), tuple(_line(event, _page(row, base), base) for event in events))
        for row, events in known
    )


def _news(own: Own, rows: Mapping[int, papers.Paper], base: str) -> Briefs:
    told = happened(own.news, rows, base)
    nouns = ("more paper with news", "more papers with news")
    return Briefs("Papers you follow", f"{base}{links.DESK}#news", told, len(told) + own.more_news, nouns)


def _line(event: Event, page: str, base: str) -> Line:
    """What happened to the paper of that page."""
    if event.what is What.COMMENTS:
        return Line(shortened(event.said, _SENTENCE), base + links.COMMENT_ONE.format(number=event.comments[0]))
    if event.what is What.MEASURED:
        return Line(event.said, f"{page}#claims", shortened(cards.plain(event.text), _CLAIM))
    return Line(event.said, page)


def _notices(own: Own, rows: Mapping[int, papers.Paper], base: str) -> Briefs:
    told = tuple(_notice(each, rows.get(each.paper_id or 0), base) for each in own.notices)
    nouns = ("more notice that you have not read", "more notices that you have not read")
    return Briefs("For you", base + links.NOTICES, told, len(told) + own.more_notices, nouns)


def _notice(notice: Notice, row: papers.Paper | None, base: str) -> Brief:
    behind = (Line(_title(row), _page(row, base)),) if row else ()
    if notice.act is not None and notice.kind is not Kind.APPEAL:
        return Brief(f"{KINDS[Kind.MODERATION].words}.", base + links.NOTICES, behind)
    if notice.comment is not None:
        author = notice.comment.author
        who = shortened(author.shown, _NAME) if author else "Somebody whose account is gone"
        did = "answered you" if notice.kind is Kind.REPLY else "commented"
        return Brief(f"{who} {did}", base + links.COMMENT_ONE.format(number=notice.comment.id), behind)
    return Brief(shortened(notice.sentence, _SENTENCE), base + links.NOTICES, behind)


def _title(row: papers.Paper) -> str:
    return shortened(cards.plain(row.title) or row.key, _TITLE)


def _page(row: papers.Paper, base: str) -> str:
    return base + addresses.paper(row.key)
