"""Where a text shows what was searched for. The text comes from the database, whatever engine found it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from broadsheet.search import analysis
from broadsheet.search.query import Query

Span = tuple[int, int]


def marks(text: str, query: Query, *, also: Iterable[str] = ()) -> list[Span]:
    """The places in plain text to mark, as (start, end) in characters: in order, apart from each other, never empty.

    Words are marked in every inflection ("optimizer" for "optimizers"), case and accent; phrases as a whole and only
    as a whole. `also` are further words: the corrections in `Results.corrections`. About 0.2 ms per abstract.
    """
    wanted = _runs(query, tuple(also))
    if not wanted:
        return []
    located = analysis.Located(text)
    stems = located.stems
    if wanted.keys().isdisjoint(stems):
        return []
    spans = [
        located.span(position, position + len(run) - 1)
        for position, stem in enumerate(stems)
        for run in wanted.get(stem, ())
        if stems[position : position + len(run)] == run
    ]
    return _joined(spans)


def excerpt(text: str, spans: Sequence[Span], *, length: int = 300) -> Span:
    """The part of the text to show, (start, end): at most `length` characters, whole words, with the most marks.

    Of equally good parts, the first; the beginning when there are no marks. `spans` are what `marks` returned.
    """
    if len(text) <= length:
        return 0, len(text)
    best_start, best_number, behind = 0, 0, 0
    for position, (start, _end) in enumerate(spans):
        while behind < len(spans) and spans[behind][1] <= start + length:
            behind += 1
        if behind - position > best_number:
            best_start, best_number = start, behind - position
    return _whole_words(text, best_start, spans, length)


def _whole_words(text: str, first: int, spans: Sequence[Span], length: int) -> Span:
    """A part of about `length` characters that has the mark at `first` and a little before it."""
    last = max((end for start, end in spans if start >= first and end <= first + length), default=first)
    room = length - (last - first)
    start = max(0, min(first - min(room, length // 5), len(text) - length))
    if start:
        start = text.find(" ", start, first) + 1 or first
    end = min(start + length, len(text))
    if end < len(text):
        blank = text.rfind(" ", max(last, start + 1), end + 1)
        end = blank if blank > 0 else end
    return start, end


@lru_cache(maxsize=16)
def _runs(query: Query, also: tuple[str, ...]) -> dict[str, list[list[str]]]:
    """What to look for, by its first stem: words one by one, without stop words unless there is nothing else.

    It is remembered, as the texts of a page are marked one after the other.
    """
    text = analysis.without_tex(query.text)
    words = [*zip(analysis.stems(text), analysis.words(text), strict=True)]
    kept = {stem for stem, word in words if word not in analysis.STOP_WORDS}
    kept |= {stem for word in also for stem in analysis.stems(word)}
    runs = [[stem] for stem in kept or {stem for stem, _word in words}]
    runs += [analysis.stems(analysis.without_tex(phrase)) for phrase in query.phrases]
    found: dict[str, list[list[str]]] = {}
    for run in runs:
        if run:
            found.setdefault(run[0], []).append(run)
    return found


def _joined(spans: list[Span]) -> list[Span]:
    """The same places in order, those that overlap as one."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
