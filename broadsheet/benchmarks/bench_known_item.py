"""Whether search finds the paper that somebody has in mind, by words and by both words and meaning.

`python bench_known_item.py [COUNT]` indexes COUNT real papers (100,000 by default; each takes 30 ms of a core to embed
the first time: `embed_papers.py` does that ahead, beside other work) and asks 300 questions of each of the seven kinds
of `known_items`, made from papers that are in the index. Figures are the mean reciprocal rank among the first ten, and
the share of papers among them.
"""

from __future__ import annotations

import random
import sys
import tempfile
from pathlib import Path
from typing import Any

from broadsheet.search.adapters.embedded import EmbeddedIndex
from broadsheet.search.query import parse

sys.path.insert(0, str(Path(__file__).parent))
import corpus
import recording
from bench_quality import BATCH, model
from known_items import known_items
from search_data import Paper
from search_papers import document, prepare, read

ASKED = 300


def main(count: int) -> None:
    """Build the index, ask by words, embed, ask again, and write the record."""
    corpus.require()
    embedder = model()
    with tempfile.TemporaryDirectory() as folder:
        papers = Path(folder, "papers.jsonl")
        written = prepare(papers, count)
        index = EmbeddedIndex(Path(folder, "index"), model=embedder.name, load=lambda _name: embedder)
        documents = {each.pk: each for each in map(document, read(papers))}
        index.apply(documents.values(), [], cursor=written)
        figures: dict[str, Any] = {"papers": written, "words": asked(index, papers)}
        print("words", figures["words"], flush=True)
        while keys := index.unembedded(limit=BATCH):
            index.embed([documents[pk] for pk in keys])
        figures["both"] = asked(index, papers)
        print("both", figures["both"], flush=True)
        index.close()
    recording.write("known_item", figures)


def asked(index: EmbeddedIndex, papers: Path) -> dict[str, dict[str, float]]:
    """The figures of each kind of question, and their means."""
    chance = random.Random(1)  # noqa: S311  # the same questions every time
    ranks: dict[str, list[float]] = {}
    for paper in drawn(papers, chance):
        for kind, text in known_items(paper, chance):
            if len(ranks.setdefault(kind, [])) < ASKED:
                found = [hit.pk for hit in index.search(parse(text), limit=10).hits]
                ranks[kind].append(1 / (found.index(paper["pk"]) + 1) if paper["pk"] in found else 0.0)
    figures = {
        kind: {"mrr": round(sum(values) / len(values), 3), "hit_10": round(sum(map(bool, values)) / len(values), 3)}
        for kind, values in sorted(ranks.items())
    }
    names = ("mrr", "hit_10")
    figures["mean"] = {name: round(sum(row[name] for row in figures.values()) / len(figures), 3) for name in names}
    return figures


def drawn(papers: Path, chance: random.Random) -> list[Paper]:
    """Some papers, more than are needed as not every paper gives every question; never all of them in memory."""
    with papers.open("rb") as lines:
        number = sum(1 for _line in lines)
    chosen = set(chance.sample(range(number), min(ASKED * 5, number)))
    return [paper for place, paper in enumerate(read(papers)) if place in chosen]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
