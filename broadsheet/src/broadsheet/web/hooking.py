"""What is posted for a group: an edition as text for a program for talk, or as our interface gives it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape

from django.conf import settings

from broadsheet.editions import queries as editions
from broadsheet.editions.rules import Kind
from broadsheet.following.actions.hooks import Wanted
from broadsheet.following.queries.digests import Asked, Chooser, Digest, Nothing
from broadsheet.following.rules.hooks import Form
from broadsheet.web.api import editions as api
from broadsheet.web.api import making, shapes
from broadsheet.web.digests.sheet import Item, Sheet, sheet
from broadsheet.web.excerpts import shortened

# How many papers a message names; people scroll past more.
MOST = 10
_LONGEST_TITLE, _LONGEST_REASON = 200, 120


def compose(wanted: Wanted) -> bytes | Nothing:
    """The body of one message, or why there is nothing to post. Without an edition it is a test."""
    if not wanted.edition:
        return _body(wanted.form, _trial())
    edition = editions.edition_of(Kind(wanted.cadence.value), wanted.edition)
    digest = Chooser().digest(Asked(Kind(wanted.cadence.value), sections=wanted.sections), edition)
    if isinstance(digest, Nothing):
        return digest
    if wanted.form is Form.JSON and digest.edition is not None:
        return _as_json(digest.edition, digest)
    return _body(wanted.form, _message(sheet(digest).cut(MOST)))


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a message: words, a link behind them where `url` is set, and more words."""

    words: str
    url: str = ""
    more: str = ""
    before: str = ""


def _trial() -> list[Line]:
    said = "This is a test of Broadsheet. New editions will be posted here."
    return [Line(said), Line(settings.BROADSHEET_SITE_NAME, settings.BROADSHEET_ADDRESS)]


def _message(printed: Sheet) -> list[Line]:
    """The edition's name, its audit, and a line for each paper."""
    lines = [Line(printed.name, printed.url, f": {printed.whole}"), Line(printed.audit)]
    lines += [_paper(item) for column in printed.columns for item in column.items]
    return [*lines, Line("The whole edition", printed.url)]


def _paper(item: Item) -> Line:
    reason = f" ({shortened(item.reasons, _LONGEST_REASON)})" if item.reasons else ""
    return Line(shortened(item.title, _LONGEST_TITLE), item.url, reason, f"{item.number}. ")


def _body(form: Form, lines: Iterable[Line]) -> bytes:
    """The message in a form of its own. A test for the generic form has the words only."""
    said = list(lines)
    match form:
        case Form.SLACK:
            return _dumped({"text": _joined(said, _slack, lambda words, url: f"<{url}|{words}>")})
        case Form.MATTERMOST:
            text = _joined(said, _markdown, _linked)
            return _dumped({"text": text, "username": settings.BROADSHEET_SITE_NAME})
        case Form.MATRIX:
            return _dumped(_matrix(said))
        case Form.JSON:
            return _dumped({"test": _joined(said, str, _plainly)})


def _matrix(said: list[Line]) -> dict[str, str]:
    """Both bridges that are in use read this: matrix-hookshot (text, html, username), and matrix-appservice-webhooks
    (text, format, displayName).
    """
    html = _joined(said, escape, lambda words, url: f'<a href="{escape(url)}">{words}</a>').replace("\n", "<br>")
    name = settings.BROADSHEET_SITE_NAME
    return {
        "text": _joined(said, str, _plainly),
        "html": html,
        "format": "plain",
        "username": name,
        "displayName": name,
    }


def _plainly(words: str, url: str) -> str:
    return f"{words} {url}"


def _joined(lines: Iterable[Line], safe: Callable[[str], str], link: Callable[[str, str], str]) -> str:
    """The lines as text, each word of which is made safe for its form first."""
    return "\n".join(
        safe(line.before) + (link(safe(line.words), line.url) if line.url else safe(line.words)) + safe(line.more)
        for line in lines
    )


def _slack(text: str) -> str:
    """Only these three have a meaning that can harm; https://docs.slack.dev/messaging/formatting-message-text"""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|~<>-])")
_EMOJI = re.compile(r":(?=[\w+-]+:)")


def _markdown(text: str) -> str:
    """Every sign of Markdown as itself. Names behind an at sign would ring for people; a hidden sign prevents it."""
    return _EMOJI.sub(":\u200b", _MARKDOWN.sub(r"\\\1", text).replace("@", "@\u200b"))


def _linked(words: str, url: str) -> str:
    return f"[{words}]({url.replace('(', '%28').replace(')', '%29')})"


def _as_json(edition: editions.Edition, digest: Digest) -> bytes:
    """The edition as our interface gives it, with the papers of the digest as its items."""
    base = settings.BROADSHEET_ADDRESS
    entries = editions.entries_among(edition, [chosen.paper_id for chosen in digest.papers])
    known = making.papers_by_id(entries, (), base=base)
    ordered = sorted(entries.values(), key=lambda entry: entry.rank)
    whole = shapes.WholeEdition(
        edition=shapes.Edition(**api.fields_of(edition, base=base)),
        audit=api.audit(editions.audit(edition), base=base),
        before=None,
        after=None,
        total=edition.size,
        items=[
            shapes.EditionItem(**dict(making.place(entry)), paper=known[entry.paper_id])
            for entry in ordered
            if entry.paper_id in known
        ],
        next=None,
    )
    return whole.model_dump_json(exclude_none=True).encode()


def _dumped(message: dict[str, str]) -> bytes:
    return json.dumps(message, ensure_ascii=False).encode()
