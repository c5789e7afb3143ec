"""What the engines are asked, the same for all of them: made from real papers with a fixed seed."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from known_items import misspelt
from search_data import KINDS, Paper, Question


def made(papers: Sequence[Paper], each: int, seed: int) -> list[Question]:
    """As many questions of each kind as `each` says, no two alike, as far as the papers give them."""
    chance = random.Random(seed)  # noqa: S311  # the same questions every time
    kept: dict[str, dict[Question, None]] = {kind: {} for kind in KINDS}
    for paper in chance.sample(list(papers), len(papers)):
        for question in _of(paper, chance):
            if len(kept[question.kind]) < each:
                kept[question.kind].setdefault(question)
    return [question for questions in kept.values() for question in questions]


def random_papers(papers: Sequence[Paper], number: int, seed: int) -> list[Paper]:
    """Some papers, the same ones every time."""
    chance = random.Random(seed)  # noqa: S311  # the same papers every time
    return chance.sample(list(papers), min(number, len(papers) // 3))


def _of(paper: Paper, chance: random.Random) -> Iterator[Question]:
    title = [word for word in paper["title"].split() if word.isalpha() and word.isascii() and len(word) > 3]
    families = [name.split()[-1] for name in paper["authors"] if " " in name and name.split()[-1].isalpha()]
    sentences = [text for text in paper["abstract"].split(". ") if 8 <= len(text.split()) <= 40]
    if len(title) < 4 or not families or not sentences or not paper["categories"]:
        return

    def some(number: int) -> tuple[str, ...]:
        return tuple(chance.sample(title, number))

    place = chance.randrange(len(title) - 1)
    yield Question("1 word", some(1))
    yield Question("2-4 words", some(chance.choice((2, 3, 4))))
    yield Question("author and words", (chance.choice(families), *some(2)))
    yield from _phrase(paper["title"], chance)
    yield Question("misspelt", tuple(misspelt(word, chance) for word in some(2)))
    yield Question("sentence", tuple(chance.choice(sentences).replace('"', " ").split()))
    yield Question("category, newest", category=paper["categories"][0])
    yield Question("words in a year", some(2), year=int(paper["day"][:4]))
    yield Question("words in a category", some(2), category=paper["categories"][0])
    typed = " ".join(title[place : place + 2])[: chance.choice((2, 3, 5, 8, 12, 16))]
    yield Question("suggestion", typed=typed.strip().lower())
    yield Question("related", pk=paper["pk"])


def _phrase(title: str, chance: random.Random) -> Iterator[Question]:
    """Two or three words as they stand in the title."""
    words = title.split()
    number = chance.choice((2, 3))
    places = [at for at in range(len(words) - number + 1) if all(word.isalpha() for word in words[at : at + number])]
    if places:
        at = chance.choice(places)
        yield Question("phrase", phrase=" ".join(words[at : at + number]))
