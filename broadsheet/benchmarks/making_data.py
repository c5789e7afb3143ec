"""Makes the data of one run of `bench_search`: papers, vectors and questions, written once.

`python making_data.py FOLDER COUNT`: a process of its own, whose memory is gone before anything is measured.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

sys.path.insert(0, str(Path(__file__).parent))
import search_questions
from broadsheet.search.embedding.minilm import MiniLm
from enlarged import Maker, Moved
from remembered_vectors import Remembering
from search_data import CACHE, WIDTH, Data, Floats, Paper, as_json
from search_papers import document, real

# So many of the real papers give questions, and lend nothing to the made ones.
ASKING = 3_000
EACH = 300
SEED = 20261122
_CHUNK = 10_000


def make(folder: Path, count: int) -> None:
    """Write all of it: `count` papers, real ones as far as there are. Raises FileExistsError."""
    folder.mkdir(parents=True)
    of_texts = Remembering(MiniLm(CACHE / "models"), CACHE)
    # Makes the files of the model where they are missing: the engines of others share them.
    of_texts.compute("anything")
    papers = list(real(count))
    say(f"{len(papers):,} real papers are read")
    asking = search_questions.random_papers(papers, ASKING, SEED)
    questions = search_questions.made(asking, EACH, SEED)
    (folder / "questions.json").write_text(json.dumps(as_json(questions)))
    known = _known(papers, of_texts)
    moved = Moved(known[1], SEED)
    about: dict[str, Any] = {
        "seed": SEED,
        "papers": count,
        "real_papers": len(papers),
        "real_vectors": len(known[0]),
        "questions": len(questions),
    }
    say(f"{len(known[0]):,} real vectors, others moved by {moved.distance:.2f}")
    maker = Maker(papers, {paper["pk"] for paper in asking}, SEED)
    offsets = np.zeros(count, np.int64)
    with (folder / "papers.jsonl").open("wb") as lines, (folder / "vectors.f16").open("wb") as vectors:
        for batch, rows in _chunks(papers, known[0], maker, count):
            for paper in batch:
                offsets[paper["pk"] - 1] = lines.tell()
                lines.write(orjson.dumps(paper) + b"\n")
            made = _vectors(rows, known[1], moved)
            vectors.write(made.astype(np.float16).tobytes())
            if batch[-1]["pk"] % 200_000 == 0:
                say(f"{batch[-1]['pk']:,} papers are written")
    np.save(folder / "offsets.npy", offsets)
    sample = moved.of(np.random.default_rng(SEED).integers(0, len(known[1]), 500))
    about |= {"made_papers": count - len(papers), **maker.said(), "vectors": moved.said(sample)}
    about["mean_words"] = round(_mean_words(folder, count))
    (folder / "about.json").write_text(json.dumps(about))


def _known(papers: list[Paper], of_texts: Remembering) -> tuple[dict[int, int], Floats]:
    """The real vectors: the row of each paper's place that has one, and the rows."""
    texts = [document(paper).meaning for paper in papers]
    places = [place for place, text in enumerate(texts) if text in of_texts]
    if not places:
        sys.exit("No paper has a vector yet. Run embed_papers.py first, with the same folder in VECTORS.")
    return {place: row for row, place in enumerate(places)}, of_texts.encode([texts[place] for place in places])


def _chunks(
    papers: list[Paper], known: dict[int, int], maker: Maker, count: int
) -> Iterator[tuple[list[Paper], npt.NDArray[np.int64]]]:
    """Papers, each with the row of its own real vector, or -1 - row of the one that is to be moved."""
    chance = np.random.default_rng(SEED)
    for begin in range(0, len(papers), _CHUNK):
        places = range(begin, min(begin + _CHUNK, len(papers)))
        rows = [known.get(place, -1 - int(chance.integers(len(known)))) for place in places]
        yield papers[begin : begin + _CHUNK], np.array(rows)
    for begin in range(len(papers), count, _CHUNK):
        made = list(maker.papers(begin + 1, min(begin + _CHUNK, count)))
        rows = [-1 - known.get(place, int(chance.integers(len(known)))) for _paper, place in made]
        yield [paper for paper, _place in made], np.array(rows)


def _vectors(rows: npt.NDArray[np.int64], real_ones: Floats, moved: Moved) -> Floats:
    vectors = np.empty((len(rows), WIDTH), np.float32)
    own = rows >= 0
    vectors[own] = real_ones[rows[own]]
    vectors[~own] = moved.of(-1 - rows[~own])
    return vectors


def _mean_words(folder: Path, count: int) -> float:
    """The mean length of the last papers, title and abstract, in words."""
    texts = Data(folder).texts(range(max(1, count - 2_000), count + 1))
    return sum(len(f"{paper['title']} {paper['abstract']}".split()) for paper in texts) / len(texts)


def say(text: str) -> None:
    """A line of progress with the time."""
    print(f"{datetime.now(UTC):%H:%M:%S} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    make(Path(sys.argv[1]), int(sys.argv[2]))
