"""Text into the units that are compared: words without case and accents, and their stems.

Documents, queries and highlights all pass through here, so what is alike for one is alike for all.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cached_property, lru_cache
from itertools import accumulate

from tantivy import Filter, TextAnalyzer, TextAnalyzerBuilder, Tokenizer

from broadsheet.bibliography.tex import to_text

# The 33 words that Lucene drops for English. They are dropped from queries only, never from the index: phrases and
# titles made of nothing else ("To Be or Not to Be") must be found.
STOP_WORDS = frozenset(
    (
        *("a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it", "no", "not"),
        *("of", "on", "or", "such", "that", "the", "their", "then", "there", "these", "they", "this", "to", "was"),
        *("will", "with"),
    )
)

_TEX = re.compile(r"[\\${}]")


def plain_analyzer() -> TextAnalyzer:
    """The engine's analyzer for words: runs of letters and digits, in lower case, accents dropped, under 64 bytes."""
    return _folding().build()


def english_analyzer() -> TextAnalyzer:
    """The same for stems: "optimizers" and "optimizer" become one."""
    return _folding().filter(Filter.stemmer("english")).build()


def _folding() -> TextAnalyzerBuilder:
    builder = TextAnalyzerBuilder(Tokenizer.simple())
    for step in (Filter.ascii_fold(), Filter.lowercase(), Filter.remove_long(64)):
        builder = builder.filter(step)
    return builder


_PLAIN = plain_analyzer()
_ENGLISH = english_analyzer()


def composed(text: str) -> str:
    """The text with letters and accents in one character, and compatibility forms resolved (NFKC)."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def without_tex(text: str) -> str:
    """What somebody typed, as plain text: TeX becomes Unicode."""
    return to_text(text) if _TEX.search(text) else text


STOP_STEMS = frozenset(_ENGLISH.analyze(" ".join(STOP_WORDS)))


def words(text: str) -> list[str]:
    """The words of plain text, folded."""
    return list(_PLAIN.analyze(composed(text)))


def stems(text: str) -> list[str]:
    """The stems of plain text; as many as there are `words`, in the same order."""
    return list(_ENGLISH.analyze(composed(text)))


# Words and what is between them, in a text of nothing but ASCII; and how long a word must be to be dropped.
_ASCII_WORDS = re.compile(r"([a-z0-9]+)")
_TOO_LONG = 64
# Words whose stems are remembered: abstracts use the same ones again and again.
_REMEMBERED = 16_384


@lru_cache(maxsize=_REMEMBERED)
def _stem(word: str) -> str:
    """The stem of one word in lower case."""
    return str(_ENGLISH.analyze(word)[0])


class Located:
    """The stems of a plain text, and where each stands in it."""

    def __init__(self, text: str) -> None:
        self._parts: list[str] = []
        self._changed: str | None = None
        if text.isascii():
            # What the analyzer does, in less than half of its time.
            parts = _ASCII_WORDS.split(text.lower())
            words = parts[1::2]
            if len(max(words, key=len, default="")) < _TOO_LONG:
                self._parts = parts
                self.stems: list[str] = list(map(_stem, words))
                return
        whole = composed(text)
        self._changed = None if whole == text else text
        self._tokens = _ENGLISH.pre_tokenize(whole).tokens
        self.stems = [token.text for token in self._tokens]

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Where the stems number `first` to `last` stand together: (start, end) in characters of the text."""
        if self._parts:
            return self._ends[2 * first], self._ends[2 * last + 1]
        start, end = self._tokens[first].char_offset_from, self._tokens[last].char_offset_to
        assert end is not None, "a token of text that was analysed has an end"
        if self._changed is None:
            return start, end
        return self._places[start][0], self._places[end - 1][1]

    @cached_property
    def _ends(self) -> list[int]:
        """Where each of the parts ends."""
        return list(accumulate(map(len, self._parts)))

    @cached_property
    def _places(self) -> list[tuple[int, int]]:
        """Made when a span is asked for, which is rarer than a text without any."""
        return _places(self._changed or "")


def _places(text: str) -> list[tuple[int, int]]:
    """For every character of ``composed(text)``, the start and end in `text` of what it is made of."""
    places: list[tuple[int, int]] = []
    start = 0
    for match in _APART.finditer(text):
        if match[0].isascii():
            places += zip(range(start, match.end()), range(start + 1, match.end() + 1), strict=True)
            start = match.end()
            continue
        for piece in _pieces(match[0]):
            end = start + len(piece)
            places += [(start, end)] * len(composed(piece))
            start = end
    return places


# ASCII never combines with what stands before it, so text falls apart before every ASCII character. Those that nothing
# but ASCII follows stay as they are.
_APART = re.compile(r"[\x00-\x7f]+(?![^\x00-\x7f])|[\x00-\x7f]?[^\x00-\x7f]+")
_WITH_MARKS = re.compile(r".[\u0300-\u036f]*", re.DOTALL)


def _pieces(text: str) -> list[str]:
    """Parts of the text, as small as can be, that compose one by one to what the whole composes to."""
    small: list[str] = _WITH_MARKS.findall(text)
    return small if "".join(map(composed, small)) == composed(text) else [text]
