"""The text of a saved Daily Papers page (huggingface.co/papers), as a browser copies it or saves it.

The page begins with a few lines of the site and the page's date. Then comes one item after another: a title, an
abstract, and on some pages a foot of up to three lines::

      • 6 authors          how many authors, or the organisation: its handle and its name, "examplelab ExampleLab"
    ·
    Sep 10, 2024 2         the day of submission, and how many comments there are

A day printed without a year lies in the page's own year. The site leaves the year out in the current year only, so that
year is taken as the one after the latest year printed on the page; with no year on the page, it stays unknown.
The number of comments is not read: it is a state of that site on one day, not a statement about the paper.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO, NamedTuple

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.record import Record, Rejected
from broadsheet.sources import fields, text
from broadsheet.sources.base import EXCERPT_BYTES, Unreadable, digest_key

# Such a page has about 100 kilobytes and 600 lines of 2,000 letters at most; what is beyond these is something else.
LARGEST_PAGE = 32 * 1024 * 1024
MOST_LINES = 400_000
LONGEST_LINE = 200_000
# The longest title of arXiv has fewer than 500 letters. What is longer is not a title, nor an organisation.
LONGEST_TITLE = 600
# A paragraph of this many letters is an abstract even without an end of sentence.
_PROSE = 300

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATE = re.compile(
    r"([A-Z][a-z]{2,8})\.? (0?[1-9]|[12][0-9]|3[01])(?:, ([0-9]{4}))?(?: [0-9][0-9.,]{0,9}k?)?", re.ASCII
)
_BYLINE = re.compile(r"(?:[•·] ?)?([0-9]{1,6}) authors?", re.ASCII)
_DOT = "·"
_SENTENCE_END = re.compile(r"(?:[.!?…][\"'”’»)\]}]{0,3}|[)\]}]|https?://\S{4,})\Z")
_LAST_WORD = re.compile(r"\S{1,300}\Z")

# The lines of the site itself, without blanks and capitals. One of the signs must be there.
_SIGNS = frozenset({"byakandtheresearchcommunity", "andtheresearchcommunity", "gettrendingpapersinyouremailinbox!"})
_CHROME = _SIGNS | {"new", "subscribe", "dailypapers", "by", "ak", "byak"}


class _Line(NamedTuple):
    """A line that is not blank, with single blanks; `number` counts from 1, `opens` is true after a blank line."""

    number: int
    words: str
    opens: bool


class _Foot(NamedTuple):
    """The last lines of an item. `day` is as printed: None without a dot, empty when nothing follows the dot."""

    author_count: int | None = None
    organization: str = ""
    day: str | None = None


@dataclass(frozen=True, slots=True)
class _Item:
    """One paper as it stands on the page, and, when it cannot be a record, the `fault` for which it is rejected."""

    line: int
    title: str
    abstract: str = ""
    foot: _Foot | None = None
    fault: str = ""


class SavedPage:
    """Reads the text of saved Daily Papers pages."""

    name = "saved-page"
    title = "Saved Daily Papers page"

    def recognises(self, head: bytes, filename: str) -> bool:
        """Whether one of the site's own lines stands at the top, be it in UTF-16, so that `read` can say so."""
        top = head[:4096].replace(b"\x00", b"").decode("utf-8", "replace")
        return any(_squeezed(line) in _SIGNS for line in top.splitlines()[:40])

    def read(self, stream: BinaryIO, *, filename: str) -> Iterator[Record | Rejected]:
        """Yield one Record or Rejected for each item. Holds the whole page, `LARGEST_PAGE` bytes at most.

        Raises Unreadable when the file is too large, not text, not such a page, without papers, or cut off.
        """
        head, body = _divided(_lines(_page(stream, filename), filename), filename)
        items = list(_items(body))
        if not items:
            raise Unreadable(
                f"{text.shown(filename)} has the head of a Daily Papers page but no papers under it. Nothing was "
                "stored. Save the page again when its list is shown."
            )
        if reason := _cut(items):
            raise Unreadable(
                f"{text.shown(filename)} ends in the middle: {text.printable(reason)}. {text.NOTHING_STORED} "
                "Save the page again.",
                f"last item on line {items[-1].line}: {items[-1]!r:.400}",
            )
        year = _page_year([*(line.words for line in head), *_days(items)])
        for number, item in enumerate(items, 1):
            yield _statement(item, number, year)


def _page(stream: BinaryIO, filename: str) -> str:
    data = stream.read(LARGEST_PAGE + 1)
    if len(data) > LARGEST_PAGE:
        raise _no_page(filename, f"is larger than {LARGEST_PAGE // 2**20} MiB")
    text.refuse_markup(data, filename=filename)
    return text.utf8(data, filename=filename)


def _no_page(filename: str, what: str) -> Unreadable:
    return Unreadable(
        f"{text.shown(filename)} {what}, unlike any saved page. {text.NOTHING_STORED} Check that it is the right file."
    )


def _lines(page: str, filename: str) -> list[_Line]:
    page = page.replace("\r\n", "\n").replace("\r", "\n")
    if (count := page.count("\n")) > MOST_LINES:
        raise _no_page(filename, f"has {count:,} lines")
    lines = []
    opens = True
    for number, line in enumerate(page.split("\n"), 1):
        if len(line) > LONGEST_LINE:
            raise _no_page(filename, f"has a line of {len(line):,} letters")
        words = " ".join(line.split())
        if words:
            lines.append(_Line(number, words, opens))
        opens = not words
    return lines


def _divided(lines: list[_Line], filename: str) -> tuple[list[_Line], list[_Line]]:
    """The site's own lines and the page's date at the top, and the rest. Raises Unreadable when there is no sign."""
    end = 0
    while end < len(lines) and (_squeezed(lines[end].words) in _CHROME or _DATE.fullmatch(lines[end].words)):
        end += 1
    if not any(_squeezed(line.words) in _SIGNS for line in lines[:end]):
        raise Unreadable(
            f'{text.shown(filename)} does not begin like a Daily Papers page: the line "byAK and the research '
            'community" is missing. Nothing was stored. Save the page from its very top.'
        )
    return lines[:end], lines[end:]


def _squeezed(line: str) -> str:
    return "".join(letter for letter in line if letter.isascii() and (letter.isalnum() or letter == "!")).lower()


def _items(lines: Sequence[_Line]) -> Iterator[_Item]:
    paragraphs: list[_Line] = []
    at = 0
    while at < len(lines):
        foot, after = _foot(lines, at)
        if foot:
            yield from _grouped(paragraphs, foot, lines[at].number)
            paragraphs = []
            at = after
        else:
            at = _end_of_paragraph(lines, at)
            paragraphs.append(_Line(lines[after].number, " ".join(line.words for line in lines[after:at]), opens=True))
    yield from _grouped(paragraphs, None, 0)


def _foot(lines: Sequence[_Line], at: int) -> tuple[_Foot | None, int]:
    """The foot that begins at a line, and the place of the line after it; None and `at` when there is none."""
    start, count, organization = at, None, ""
    if byline := _BYLINE.fullmatch(lines[at].words):
        count = int(byline[1])
        at += 1
    elif lines[at].opens and _is_organization(lines, at):
        organization = _organization(lines[at].words)
        at += 1
    if at == len(lines) or lines[at].words != _DOT:
        return (_Foot(count), at) if count is not None else (None, start)
    at += 1
    if at < len(lines) and (not lines[at].opens or _DATE.fullmatch(lines[at].words)):
        return _Foot(count, organization, lines[at].words), at + 1
    return _Foot(count, organization, ""), at


def _is_organization(lines: Sequence[_Line], at: int) -> bool:
    dotted = at + 1 < len(lines) and lines[at + 1].words == _DOT and not lines[at + 1].opens
    return dotted and len(lines[at].words) <= LONGEST_TITLE


def _end_of_paragraph(lines: Sequence[_Line], at: int) -> int:
    at += 1
    while at < len(lines) and not lines[at].opens and not _foot(lines, at)[0]:
        at += 1
    return at


def _organization(printed: str) -> str:
    """The name without the handle before it, where the handle repeats the name: "examplelab ExampleLab"."""
    handle, _, name = printed.partition(" ")
    return name if _squeezed(handle) and _squeezed(handle) in _squeezed(name) else printed


def _grouped(paragraphs: Sequence[_Line], foot: _Foot | None, line: int) -> Iterator[_Item]:
    """The items in the paragraphs between two feet. The foot, which begins on `line`, belongs to the last of them."""
    items = list(_paired(paragraphs))
    if foot is None:
        yield from (replace(item, fault=item.fault or _missing(item)) for item in items)
    elif not items:
        yield _Item(line, "", foot=foot, fault="these lines about authors and date stand under no paper")
    else:
        yield from (replace(item, fault=item.fault or _missing(item)) for item in items[:-1])
        yield replace(items[-1], foot=foot)


def _missing(item: _Item) -> str:
    return "" if item.abstract else "no abstract stands under this title"


def _paired(paragraphs: Sequence[_Line]) -> Iterator[_Item]:
    """Titles with the abstract under each. A lost paragraph costs its own item, not all that follow."""
    at = 0
    while at < len(paragraphs):
        left = len(paragraphs) - at
        line, title, _ = paragraphs[at]
        if len(title) > LONGEST_TITLE:
            yield _Item(line, title, fault="this paragraph stands under no title")
            at += 1
        elif left > 1 and (left % 2 == 0 or _is_prose(paragraphs[at + 1].words)):
            yield _Item(line, title, paragraphs[at + 1].words)
            at += 2
        else:
            yield _Item(line, title)
            at += 1


def _is_prose(paragraph: str) -> bool:
    return len(paragraph) >= _PROSE or paragraph.endswith(".")


def _cut(items: Sequence[_Item]) -> str | None:
    """What is missing at the end of a page that was cut off, or None. A cut at the end of a sentence can hide."""
    last = items[-1]
    if last.foot is None:
        if not last.abstract:
            return f"the last paper, on line {last.line}, has a title and nothing else"
        word = _LAST_WORD.search(last.abstract)
        if word is None or not _SENTENCE_END.search(word[0]):
            return f"the last abstract, on line {last.line + 2}, has no end"
    day = last.foot and last.foot.day
    if day is None and 2 * sum(True for _ in _days(items)) > len(items):
        return "the last paper has no date, while the others have one"
    if day is not None and not _DATE.fullmatch(day):
        return f'the last line has no whole date ("{day[:40]}")'
    return None


def _days(items: Iterable[_Item]) -> Iterator[str]:
    return (item.foot.day for item in items if item.foot and item.foot.day)


def _page_year(days: Iterable[str]) -> int | None:
    """The year in which the page was printed: the one after the latest year on it; None when there is no year.

    Years that no paper has do not count, so that one wrong date costs its own item only.
    """
    years = (int(match[3]) + 1 for day in days if (match := _DATE.fullmatch(day)) and match[3])
    return max((year for year in years if fields.EARLIEST_YEAR < year <= fields.latest_year()), default=None)


def _submitted(day: str, page_year: int | None) -> PartialDate | None:
    """The date that `day` prints, None when its year is unknown. Raises ValueError when no paper has such a date."""
    match = _DATE.fullmatch(day)
    if match is None or match[1][:3].lower() not in _MONTHS:
        raise ValueError("cannot be read: it is not a date")
    month = _MONTHS.index(match[1][:3].lower()) + 1
    year = int(match[3]) if match[3] else page_year
    if year is None:
        return None
    try:
        found = PartialDate(year, month, int(match[2]))
    except ValueError as error:
        raise ValueError(f"cannot be read: {error}") from error
    return fields.plausible(found)


def _statement(item: _Item, number: int, page_year: int | None) -> Record | Rejected:
    fault = item.fault
    foot = item.foot or _Foot()
    submitted = None
    if len(item.abstract) > fields.LONGEST_TEXT:
        fault = f"its abstract has more than {fields.LONGEST_TEXT:,} letters"
    if not fault and foot.day is not None:
        try:
            submitted = _submitted(foot.day, page_year)
        except ValueError as error:
            fault = f'its date "{foot.day[:40]}" {error}'
    if fault:
        excerpt = (item.title or str(foot.day or "")).encode()[:EXCERPT_BYTES]
        return Rejected(SavedPage.name, f"item {number}, line {item.line}", text.printable(fault), excerpt)
    count = foot.author_count
    return Record(
        source=SavedPage.name,
        source_key=digest_key(item.title, item.abstract, str(count or ""), foot.organization, str(submitted or "")),
        title=item.title,
        abstract=item.abstract,
        author_count=count,
        organization=foot.organization,
        submitted=submitted,
    )
