"""Readers whose interest is known: libraries of CiteULike, and arXiv papers of one author or of one set of sections.

Of a library, `saved` papers are learned from and `held` ones are to be found again in an edition of EDITION papers, the
others of which are drawn from all papers. On arXiv the saved papers are older than those held out; CiteULike does not
say when anything was saved.
"""

from __future__ import annotations

import gzip
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).parent))
from broadsheet.following.rules import profiles as rules
from broadsheet.following.rules.profiles import Floats, Rows, Whole
from broadsheet.search.embedding.minilm import MiniLm
from remembered_vectors import Remembering
from search_data import CACHE
from search_papers import document, real

EDITION = 1_000
MOST_HELD = 50
FEWEST_HELD = 10
BACKGROUND = rules.BACKGROUND
# Of arXiv, the papers that were listed by day.
ARXIV = 30_000
# More papers under one name in five months are of several people of that name.
MOST_OF_A_NAME = 60

Chance = np.random.Generator


@dataclass(frozen=True)
class Collection:
    """Papers and who would read them together. `days` and `texts` are empty where nothing is known of them."""

    name: str
    packed: list[bytes]
    vectors: list[Floats | None]
    days: npt.NDArray[Any]
    texts: list[str]
    readers: dict[str, list[Whole]]
    known: rules.Scale

    def rows(self, share: float) -> Rows:
        """All papers as rows of a model."""
        return rules.rows(self.packed, self.vectors, self.known, share)


@dataclass(frozen=True)
class Case:
    """One reader: what she saved, the edition, which of its papers are hers, and the background."""

    saved: Whole
    edition: Whole
    gains: Floats
    background: Whole


def citeulike(folder: Path) -> Collection:
    """The libraries of citeulike-t (Wang, Chen and Li 2013) over bags of words."""
    with gzip.open(folder / "users.dat.gz", "rt") as lines:
        readers = [np.array(sorted({int(item) for item in line.split()[1:]}), np.int64) for line in lines]
    packed = []
    with gzip.open(folder / "mult.dat.gz", "rt") as lines:
        for line in lines:
            pairs = sorted((int(word), int(count)) for word, count in (item.split(":") for item in line.split()[1:]))
            places = np.array([word for word, _ in pairs], np.uint32)
            counts = np.array([min(255, count) for _, count in pairs], np.uint8)
            packed.append(rules.Terms(places, counts, ()).packed())
    vectors: list[Floats | None] = [None] * len(packed)
    nothing = np.zeros(0, np.float32)
    return Collection("citeulike", packed, vectors, np.zeros(0), [], {"libraries": readers}, _scale(packed, nothing))


def arxiv() -> Collection:
    """Papers of arXiv with their text and vectors; who shares an author or all sections stands for one reader."""
    embedder = Remembering(MiniLm(CACHE / "models"), CACHE)
    packed, texts, days, vectors = [], [], [], []
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for at, paper in enumerate(real(ARXIV)):
        packed.append(rules.terms(paper["title"], paper["abstract"]).packed())
        texts.append(f"{paper['title']} {paper['abstract']}")
        days.append(paper["day"])
        vectors.append(embedder.encode([document(paper).meaning])[0])
        for name in set(paper["authors"]):
            groups["authors", name].append(at)
        groups["sections", " ".join(sorted(paper["categories"]))].append(at)
    mean: Floats = np.stack(vectors).mean(axis=0, dtype=np.float64).astype(np.float32)
    readers: dict[str, list[Whole]] = {"authors": [], "sections": []}
    for (kind, _name), members in sorted(groups.items()):
        if kind == "sections" or len(members) <= MOST_OF_A_NAME:
            readers[kind].append(np.array(members, np.int64))
    return Collection("arxiv", packed, list(vectors), np.array(days), texts, readers, _scale(packed, mean))


def _scale(packed: Sequence[bytes], mean: Floats) -> rules.Scale:
    places = np.concatenate([rules.unpacked(content)[0] for content in packed]).astype(np.int64)
    return rules.scale(np.bincount(places, minlength=rules.PLACES), len(packed), mean)


def cases(collection: Collection, kind: str, saved: int, most: int, chance: Chance) -> list[Case]:
    """Readers with enough papers, `most` of them, in an order drawn by chance."""
    enough = [items for items in collection.readers[kind] if len(items) >= saved + FEWEST_HELD]
    return [_case(collection, enough[at], saved, chance) for at in chance.permutation(len(enough))[:most]]


def _case(collection: Collection, items: Whole, saved: int, chance: Chance) -> Case:
    chosen = chance.permutation(items)[: saved + MOST_HELD]
    if len(collection.days):
        chosen = chosen[np.argsort(collection.days[chosen], kind="stable")]
    held = chosen[saved:]
    count = len(collection.packed)
    others = np.setdiff1d(chance.choice(count, EDITION + len(items) + 200, replace=False), items)
    edition = chance.permutation(np.concatenate([held, chance.permutation(others)[: EDITION - len(held)]]))
    background = np.setdiff1d(chance.choice(count, BACKGROUND, replace=False), chosen[:saved])
    return Case(chosen[:saved], edition, np.isin(edition, held).astype(np.float32), background)
