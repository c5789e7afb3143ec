"""What somebody types who looks for a paper that they know: seven kinds, made from papers with a fixed seed."""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from search_data import Paper

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def known_items(paper: Paper, chance: random.Random) -> Iterator[tuple[str, str]]:
    """The questions that somebody might ask who knows this paper, each with its kind."""
    title = [word for word in paper["title"].replace('"', "").split() if word.strip("-")]
    head, colon, _rest = paper["title"].partition(": ")
    long = [word for word in title if word.isalpha() and len(word) > 4]
    if len(title) < 5 or len(long) < 3:
        return
    yield "title", " ".join(title)
    yield "title words shuffled", " ".join(chance.sample(title, len(title)))
    start = chance.randrange(len(title) - 2)
    yield "title fragment", " ".join(title[start : start + 3])
    wrong = set(chance.sample(long, 2))
    yield "title with 2 typos", " ".join(misspelt(word, chance) if word in wrong else word for word in title)
    if colon and len(head.split()) <= 3:
        yield "name before colon", head
    families = [name.split()[-1] for name in paper["authors"] if " " in name]
    if families:
        yield "author and words", " ".join([chance.choice(families), *chance.sample(long, 2)])
    sentences = [sentence for sentence in paper["abstract"].split(". ") if 8 <= len(sentence.split()) <= 40]
    with contextlib.suppress(IndexError):
        yield "sentence of abstract", chance.choice(sentences)


def misspelt(word: str, chance: random.Random) -> str:
    """The word with two neighbours swapped, or a letter replaced."""
    place = chance.randrange(len(word) - 1)
    if chance.random() < 0.5:
        return word[:place] + word[place + 1] + word[place] + word[place + 2 :]
    return word[:place] + chance.choice(_LETTERS) + word[place + 1 :]
