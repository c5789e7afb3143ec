"""The part of plain text: lines of 72 characters that a program may flow into its own width (RFC 3676)."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterator

from broadsheet.web.digests.briefs import Brief, Briefs
from broadsheet.web.digests.footing import Footing
from broadsheet.web.digests.sheet import Column, Item, Sheet

WIDTH = 72
_RULE = "-" * WIDTH
_WIDE = ("W", "F")


def text(sheet: Sheet, footing: Footing) -> str:
    """A digest as format=flowed: a line that ends with a blank goes on in the next one."""
    return "\n".join(_lines(sheet, footing)) + "\n"


def unflowed(flowed: str) -> str:
    """The text as it is printed where nobody flows it: without blanks at the ends of lines."""
    return "\n".join(line.rstrip(" ") for line in flowed.split("\n"))


def _lines(sheet: Sheet, footing: Footing) -> Iterator[str]:
    yield from _paragraph(sheet.site.upper())
    yield from _paragraph(" · ".join(filter(None, (sheet.dateline, sheet.whole))))
    yield from _paragraph(sheet.audit)
    for remark in sheet.remarks:
        yield from _paragraph(remark)
    yield ""
    for told in sheet.briefs:
        yield from _briefs(told)
    for column in sheet.columns:
        yield from _column(column)
    yield _RULE
    if sheet.url:
        yield from _paragraph(f"The whole edition, {sheet.whole}:")
        yield from _paragraph(sheet.url)
        yield ""
    yield from _paragraph(footing.why)
    yield ""
    yield "Change what you get:"
    yield footing.manage
    yield "Unsubscribe:"
    yield footing.leave
    yield ""
    yield from _paragraph(footing.imprint)


def _briefs(told: Briefs) -> Iterator[str]:
    yield from _opening(told.heading)
    for brief in told.briefs:
        yield from _brief(brief)
    yield from _rest(told.more, told.url)


def _opening(heading: str, count: str = "") -> Iterator[str]:
    yield _RULE
    yield from _paragraph(f"{heading.upper()}, {count}" if count else heading.upper())
    yield ""


def _rest(more: str, url: str) -> Iterator[str]:
    """How many are not in it, and where they are; nothing where all are."""
    if more:
        yield from _paragraph(f"{more}:")
        yield from _paragraph(url)
        yield ""


def _brief(brief: Brief) -> Iterator[str]:
    yield from _paragraph(brief.title)
    yield from _paragraph(brief.url)
    for line in brief.lines:
        yield from _paragraph(f"- {line.said}: {line.text}" if line.text else f"- {line.said}")
        if line.url != brief.url:
            yield from _paragraph(line.url)
    yield ""


def _column(column: Column) -> Iterator[str]:
    yield from _opening(column.heading, column.count)
    if column.nothing:
        yield from _paragraph(column.nothing)
        yield ""
    for item in column.items:
        yield from _item(item)
    yield from _rest(column.more, column.url)


def _item(item: Item) -> Iterator[str]:
    late = " (came late)" if item.late else ""
    yield from _paragraph(f"{item.number}. {item.title}{late}")
    yield from _paragraph(item.byline)
    yield from _paragraph(item.text)
    if item.measured:
        yield from _paragraph(f"Measured: {item.measured}")
    if item.reasons:
        yield from _paragraph(f"Here because: {item.reasons}.")
    yield from _paragraph(item.url)
    for name, url in item.links:
        yield from _paragraph(f"{name}: {url}")
    yield ""


def _paragraph(content: str) -> Iterator[str]:
    """The lines of a paragraph; all but the last end with a blank. None for an empty one.

    What others would read as a quotation or as the beginning of a mail gets a blank in front (RFC 3676, section 4.4).
    """
    if any(unicodedata.east_asian_width(each) in _WIDE for each in content):
        yield from map(_stuffed, _by_columns(content))
        return
    lines = textwrap.wrap(content, WIDTH, break_long_words=False, break_on_hyphens=False)
    for line in lines[:-1]:
        yield f"{_stuffed(line)} "
    for line in lines[-1:]:
        yield _stuffed(line)


def _by_columns(content: str) -> Iterator[str]:
    """Lines of a text with signs that are two columns wide. It is broken anywhere, and not flowed: where lines of it
    are joined again, no blank belongs.
    """
    line, width = "", 0
    for sign in content:
        wide = 2 if unicodedata.east_asian_width(sign) in _WIDE else 1
        if width + wide > WIDTH:
            yield line.strip()
            line, width = "", 0
        line, width = line + sign, width + wide
    yield line.strip()


def _stuffed(line: str) -> str:
    return f" {line}" if line.startswith((" ", ">", "From ")) else line
