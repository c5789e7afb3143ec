"""What can be followed, and what can be hidden."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from broadsheet.bibliography import names
from broadsheet.bibliography.folding import fold
from broadsheet.bibliography.taxonomy import CATEGORIES, section_name

# How much one reader can follow and hide. Each followed search costs a question to the index for each edition.
MOST_FOLLOWED = 200
MOST_SEARCHES = 30
MOST_HIDDEN = 200

LONGEST_LABEL = 100
LONGEST_HIDDEN = 100

# Papers of one edition that a followed search with words finds, the best match first: a search matches each paper that
# has one of its words, and that is no news. A search without words has no best, and finds as many as it can.
BEST_FOUND = 20
ALL_FOUND = 1_000


class Kind(StrEnum):
    """What is followed. An organisation is a group; a person is followed for what she picks."""

    SECTION = "section"
    AUTHOR = "author"
    GROUP = "group"
    SEARCH = "search"
    PERSON = "person"
    PAPER = "paper"


class Hiding(StrEnum):
    """What is hidden: papers with a word, of an author, or of a section."""

    WORD = "word"
    AUTHOR = "author"
    SECTION = "section"


def section_said(slug: str) -> str:
    """A section in a sentence: a category by its code, another one by its name."""
    return slug if slug in CATEGORIES else section_name(slug)


@dataclass(frozen=True, slots=True)
class Printed:
    """What of a paper decides whether it is hidden."""

    title: str
    abstract: str
    authors: tuple[str, ...]
    sections: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Curtain:
    """What one reader does not want to see. `words` are folded; each is told as the text that it is kept beside."""

    words: tuple[tuple[str, str], ...] = ()
    authors: tuple[tuple[str, str], ...] = ()
    sections: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.words or self.authors or self.sections)

    def without_section(self, slug: str) -> Curtain:
        """The same for who asks for that very section, which is not hidden from her then."""
        return Curtain(self.words, self.authors, tuple(each for each in self.sections if each != slug))

    def why(self, paper: Printed) -> str:
        """For what the paper is hidden, in words; empty when it is not."""
        return next(self._reasons(paper), "")

    def _reasons(self, paper: Printed) -> Iterator[str]:
        for slug in self.sections:
            if slug in paper.sections:
                yield f"in {section_said(slug)}"
        if self.authors:
            slugs = {names.slug(name) for name in paper.authors}
            for slug, name in self.authors:
                if slug in slugs:
                    yield f"by {name}"
        if self.words:
            text = f"{folded(paper.title)}. {folded(paper.abstract)}"
            known = frozenset(text.split())
            for word, typed in self.words:
                if word in known or (" " in word and f" {word} " in text):
                    yield f"the word “{typed}”"


def folded(text: str) -> str:
    """The words of a text, case and accents folded, with a blank before and behind each."""
    return f" {fold(text)} "


def said_of(reasons: Iterable[tuple[Kind, str]]) -> tuple[str, ...]:
    """Why a paper is among what a reader follows, in words, what she is likeliest to care for first."""
    order = (Kind.AUTHOR, Kind.SEARCH, Kind.PERSON, Kind.GROUP, Kind.SECTION)
    return tuple(_SAID[kind].format(name) for kind, name in sorted(reasons, key=lambda each: order.index(each[0])))


_SAID = {
    Kind.AUTHOR: "by {}, whom you follow",
    Kind.SEARCH: "matches your search “{}”",
    Kind.PERSON: "picked by {}",
    Kind.GROUP: "put on a shelf of {}",
    Kind.SECTION: "in {}",
}
