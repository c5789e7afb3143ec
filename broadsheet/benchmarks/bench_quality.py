"""How well search answers questions whose answers people have judged, by words, by meaning and by both.

`python bench_quality.py DIR [...]` takes folders in the layout of BEIR (https://github.com/beir-cellar/beir):
corpus.jsonl or corpus.jsonl.zst, queries.jsonl, qrels/*.tsv. Of several judgments, one that is called after a split is
taken: test, else dev, else train. Everything goes the way of the product: documents into the index, typed text through
the parser, pages out. "words" is the index without vectors; "meaning" the order of the exact vectors alone; "both" is
what a reader gets. Measures: nDCG at 10 with gains 2**judgment - 1 (Burges and others, 2005), and with the judgments
themselves as gains, as trec_eval has it, which is the same for judgments of 0 and 1; recall at 100; the reciprocal rank
of the first relevant paper. Vectors are kept in the folder that VECTORS names, else in build.
"""

from __future__ import annotations

import csv
import json
import math
import os
import random
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from broadsheet.search.adapters.embedded import EmbeddedIndex
from broadsheet.search.document import Document
from broadsheet.search.embedding import Embedder
from broadsheet.search.embedding.minilm import MiniLm
from broadsheet.search.query import LONGEST, parse

sys.path.insert(0, str(Path(__file__).parent))
import recording
from remembered_vectors import Remembering

CACHE = Path(os.environ.get("VECTORS") or Path(__file__).resolve().parents[2] / "build" / "vectors")
BATCH = 500
DEPTH = 100
SPLITS = ("test", "dev", "train")

Judgments = dict[str, dict[str, int]]
Ranking = Callable[[str], list[int]]


@dataclass(frozen=True)
class Collection:
    """A judged collection: documents, the key in the index of each of its ids, questions, and judgments of them."""

    name: str
    documents: list[Document]
    keys: dict[str, int]
    queries: dict[str, str]
    judged: Judgments


def model() -> Embedder:
    """The product's default model, remembering what it computed."""
    return Remembering(MiniLm(CACHE / "models"), CACHE)


def main(folders: Sequence[Path]) -> None:
    """Measure each folder, print a line for each way of searching, and write the record."""
    figures: dict[str, Any] = {}
    for folder in folders:
        collection = read(folder)
        print(f"{collection.name}: {len(collection.documents)} papers, {len(collection.judged)} questions", flush=True)
        figures[collection.name] = measured(collection)
    recording.write("quality", figures)


def measured(collection: Collection) -> dict[str, Any]:
    """The measures of each way of searching, and how sure it is that both are better than words alone."""
    embedder = model()
    with tempfile.TemporaryDirectory() as folder:
        index = EmbeddedIndex(Path(folder), model=embedder.name, load=lambda _name: embedder)
        index.apply(collection.documents, [], cursor=len(collection.documents))
        ways: dict[str, Ranking] = {"words": lambda text: _found(index, text)}
        results = {way: scored(collection, ranking) for way, ranking in ways.items()}
        papers = {document.pk: document for document in collection.documents}
        while keys := index.unembedded(limit=BATCH):
            index.embed([papers[pk] for pk in keys])
        matrix = embedder.encode([document.meaning for document in collection.documents])
        ways = {"meaning": lambda text: _nearest(matrix, embedder, text), "both": lambda text: _found(index, text)}
        results |= {way: scored(collection, ranking) for way, ranking in ways.items()}
        index.close()
    figures: dict[str, Any] = {"papers": len(collection.documents), "questions": len(collection.judged)}
    for way, rows in results.items():
        figures[way] = {name: round(sum(row[name] for row in rows) / len(rows), 4) for name in rows[0]}
        print(f"  {way:8} {figures[way]}", flush=True)
    gains = [both["ndcg_10"] - words["ndcg_10"] for both, words in zip(results["both"], results["words"], strict=True)]
    figures["gain"] = {"ndcg_10": round(sum(gains) / len(gains), 4), "interval_95": _interval(gains)}
    return figures


def _found(index: EmbeddedIndex, text: str) -> list[int]:
    return [hit.pk for hit in index.search(parse(text[:LONGEST]), limit=DEPTH).hits]


def _nearest(matrix: Any, embedder: Embedder, text: str) -> list[int]:
    """The keys of the nearest vectors, of all papers; keys are rows."""
    return [int(row) for row in np.argsort(-(matrix @ embedder.encode([text])[0]), kind="stable")[:DEPTH]]


def scored(collection: Collection, ranking: Ranking) -> list[dict[str, float]]:
    """The measures of each judged question."""
    rows = []
    for query, judged in collection.judged.items():
        gains = {collection.keys[paper]: gain for paper, gain in judged.items() if paper in collection.keys}
        rows.append(measures(ranking(collection.queries[query]), gains))
    return rows


def measures(ranked: Sequence[int], gains: dict[int, int]) -> dict[str, float]:
    """nDCG at 10, recall at 100 and the reciprocal rank for one question. A gain above 0 is relevant."""
    relevant = {pk for pk, gain in gains.items() if gain > 0}
    found = [gains.get(pk, 0) for pk in ranked[:10]]
    ideal = sorted(gains.values(), reverse=True)[:10]
    first = next((rank for rank, pk in enumerate(ranked, 1) if pk in relevant), math.inf)
    return {
        "ndcg_10": _discounted([2**gain - 1 for gain in found]) / _discounted([2**gain - 1 for gain in ideal]),
        "ndcg_10_linear": _discounted(found) / _discounted(ideal),
        "recall_100": len(relevant & set(ranked[:100])) / len(relevant),
        "mrr": 1 / first,
    }


def _discounted(gains: Sequence[int]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, 1))


def _interval(gains: list[float]) -> list[float]:
    """The 95 % interval of the mean, by drawing the questions again 2,000 times."""
    chance = random.Random(1)  # noqa: S311  # the same every time
    means = sorted(sum(chance.choices(gains, k=len(gains))) / len(gains) for _again in range(2_000))
    return [round(means[50], 4), round(means[1_949], 4)]


# --- Files ------------------------------------------------------------------------------------------------------------


def read(folder: Path) -> Collection:
    """A folder in the layout of BEIR. Ends the program with a sentence when it is none."""
    if not (folder / "queries.jsonl").is_file():
        sys.exit(f"{folder} is no folder in the layout of BEIR: there is no queries.jsonl.")
    corpus = next((path for name in ("", ".zst") if (path := folder / f"corpus.jsonl{name}").is_file()), None)
    if corpus is None:
        sys.exit(f"{folder} has neither corpus.jsonl nor corpus.jsonl.zst.")
    entries = list(_lines(corpus))
    documents = [
        Document(pk=row, change=row + 1, title=entry.get("title") or "", abstract=entry.get("text") or "")
        for row, entry in enumerate(entries)
    ]
    keys = {entry["_id"]: row for row, entry in enumerate(entries)}
    queries = {entry["_id"]: entry["text"] for entry in _lines(folder / "queries.jsonl")}
    judged = {query: said for query, said in _judgments(folder).items() if any(gain > 0 for gain in said.values())}
    return Collection(folder.name, documents, keys, queries, judged)


def _judgments(folder: Path) -> Judgments:
    files = {path.stem: path for path in sorted((folder / "qrels").glob("*.tsv"))}
    chosen = next((files[split] for split in SPLITS if split in files), None) or next(iter(files.values()), None)
    if chosen is None:
        sys.exit(f"{folder} has no qrels/*.tsv.")
    judged: Judgments = defaultdict(dict)
    with chosen.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            judged[row["query-id"]][row["corpus-id"]] = max(0, int(row["score"]))
    return judged


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if path.suffix == ".zst":
        unpacked = subprocess.run(["zstd", "-dcq", str(path)], check=True, stdout=subprocess.PIPE).stdout
        yield from map(json.loads, unpacked.splitlines())
    else:
        with path.open(encoding="utf-8") as lines:
            yield from map(json.loads, lines)


if __name__ == "__main__":
    asked = [Path(each) for each in sys.argv[1:]] or [Path(each) for each in os.environ.get("BEIR", "").split()]
    if not asked:
        sys.exit("Name a folder in the layout of BEIR: make bench-quality BEIR=DIR")
    main(asked)
