"""Parts of long texts: cut where a reader would, never inside mathematics; and with what was searched for marked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from markupsafe import Markup, escape

from broadsheet.search.highlight import Span

ELLIPSIS = " …"

# How much longer than asked a text may be and still be printed whole: a cut that saves a word is worse than none.
_SLACK = 1.15
# How many times as long as asked a text may be cut, where no better place comes before.
_HARD = 2
# A sentence is preferred when it gives at least this share of the length.
_ENOUGH = 0.55

_TOKEN = re.compile(
    r"\\begin\{|\\end\{|\\[()\[\]]|\\.|\$\$|[${}]"  # what opens and closes mathematics and groups
    r"|[.!?][\"'”’)\]]{0,3}(?=\s)"  # the end of a sentence, perhaps
    r"|\s+",
    re.DOTALL,
)
_ABBREVIATION = re.compile(r"(?:^|[\s(])(?:e\.g|i\.e|et al|cf|vs|resp|approx|Fig|Figs|Eq|Eqs|Sec|No|St|[A-Z])$")
# An environment's name stands in braces of its own, so \begin{ opens two levels and the brace of \end{ closes the last.
_DEPTH = {r"\(": 1, r"\[": 1, "{": 1, r"\begin{": 2, r"\)": -1, r"\]": -1, "}": -1, r"\end{": 0}

_CLOSING = {"$": "$", "$$": "$$", r"\(": r"\)", r"\[": r"\]", r"\begin{": r"\end{"}
_UNFINISHED = re.compile(r"\\[A-Za-z]*\Z")


def cut(tex: str, limit: int) -> str:
    """`tex` itself when it has about `limit` characters or fewer, else its beginning with an ellipsis.

    The cut is after the last sentence that fits, else after the last word; where mathematics or a group in braces
    spans the limit, before it, and when nothing stands before it, after it. Where no such place comes within twice the
    limit, the text is cut there all the same: inside a word or a group, before mathematics. Linear in `limit`.
    """
    tex = tex.strip()
    if len(tex) <= limit * _SLACK:
        return tex
    reach = tex[: limit * _HARD]
    sentence = word = 0
    for position, ends_sentence in _places(reach):
        if position > limit and word:
            break
        word = position
        if ends_sentence:
            sentence = position
        if position > limit:
            break
    at = sentence if sentence >= limit * _ENOUGH else word
    return tex[:at].rstrip(" ,;:") + ELLIPSIS if at else _without_open_mathematics(reach) + ELLIPSIS.strip()


def reach(tex: str, limit: int) -> str:
    """What of `tex` decides how `cut` cuts it, with a letter for the rest: `cut` makes the same of both."""
    tex = tex.strip()
    return tex if len(tex) <= limit * _HARD else tex[: limit * _HARD] + "x"


def marked(text: str, spans: Sequence[Span], start: int = 0, end: int | None = None) -> Markup:
    """The part of a plain text from `start` to `end` as HTML, ``mark`` around the spans in it, with an ellipsis where
    it was cut. Spans are positions in `text`, in order and apart.
    """
    end = len(text) if end is None else end
    parts = ["… "] if start else []
    place = start
    for first, last in spans:
        if first < place or last > end:
            continue
        parts += [escape(text[place:first]), "<mark>", escape(text[first:last]), "</mark>"]
        place = last
    parts.append(escape(text[place:end]))
    return Markup("".join([*parts, *([ELLIPSIS] if end < len(text) else [])]))  # noqa: S704 - all texts are escaped above


def _without_open_mathematics(tex: str) -> str:
    """`tex` up to the mathematics that it leaves open, and without the half of a command at its end."""
    opened, closing = len(tex), ""
    for token in _TOKEN.finditer(tex):
        mark = token.group()
        if closing:
            if mark == closing:
                opened, closing = len(tex), ""
        elif mark in _CLOSING:
            opened, closing = token.start(), _CLOSING[mark]
    return _UNFINISHED.sub("", tex[:opened])


def _places(tex: str) -> Iterator[tuple[int, bool]]:
    """Every position where the text may be cut, and whether a sentence ends there."""
    depth = 0
    mathematics = ""
    ended = -1
    for token in _TOKEN.finditer(tex):
        mark = token.group()
        if mark in {"$", "$$"}:
            mathematics = "" if mathematics else mark
        elif mark in _DEPTH:
            depth = max(0, depth + _DEPTH[mark])
        elif mathematics or depth:
            continue
        elif mark[0] in ".!?":
            ended = token.end() if not _ABBREVIATION.search(tex, max(0, token.start() - 12), token.start()) else -1
        elif mark.isspace():
            yield token.start(), ended == token.start()


def shortened(text: str, length: int) -> str:
    """The text in so many characters, cut between words where there is a place, with an ellipsis."""
    if len(text) <= length:
        return text
    cut = text[: length - 1]
    head, blank, _ = cut.rpartition(" ")
    kept = head if blank and len(head) > length // 2 else cut
    return kept.rstrip(" ,;:.-–—(") + "…"
