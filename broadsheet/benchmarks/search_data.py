"""The papers, vectors and questions of one run of `bench_search`, on disk, so that every engine reads the same.

Engines of others read this too, in their own environment: nothing here needs more than numpy and orjson.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import orjson

# Where vectors of texts are kept, and the model's files: see `embed_papers`.
CACHE = Path(os.environ.get("VECTORS") or Path(__file__).resolve().parents[2] / "build" / "vectors")
WIDTH = 384

Paper = dict[str, Any]
Floats = npt.NDArray[np.float32]

KINDS = (
    "1 word",
    "2-4 words",
    "author and words",
    "phrase",
    "misspelt",
    "sentence",
    "category, newest",
    "words in a year",
    "words in a category",
    "suggestion",
    "related",
)
FILTERED = ("category, newest", "words in a year", "words in a category")


@dataclass(frozen=True, slots=True)
class Question:
    """One question. Every engine takes from it what it understands.

    `words` are searched for any of them; `phrase` is a row of words; `category` and `year` narrow the answer; `typed`
    is the unfinished beginning of a title; `pk` is the paper whose neighbours are wanted.
    """

    kind: str
    words: tuple[str, ...] = ()
    phrase: str = ""
    category: str = ""
    year: int = 0
    typed: str = ""
    pk: int = 0

    @property
    def plain(self) -> str:
        """What is asked, without filters."""
        return self.phrase or " ".join(self.words)

    @property
    def query(self) -> str:
        """The question in Broadsheet's query language."""
        said = [f'"{self.phrase}"'] if self.phrase else list(self.words)
        said += [f"category:{self.category}"] if self.category else []
        said += [f"year:{self.year}"] if self.year else []
        return " ".join(said)


def as_json(questions: Sequence[Question]) -> list[dict[str, Any]]:
    """For a file. `Question(**entry)` reads one."""
    return [asdict(question) for question in questions]


def from_json(entries: Sequence[dict[str, Any]]) -> list[Question]:
    """The questions that `as_json` wrote."""
    return [Question(**{**entry, "words": tuple(entry["words"])}) for entry in entries]


class Data:
    """The folder of a run: papers.jsonl, offsets.npy, vectors.f16 (16-bit floats), questions.json, about.json."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.spent = 0.0
        self.spent_cpu = 0.0
        self._offsets: npt.NDArray[np.int64] | None = None
        self._lines: BinaryIO | None = None

    @property
    def about(self) -> dict[str, Any]:
        """How it was made."""
        said: dict[str, Any] = json.loads((self._folder / "about.json").read_text())
        return said

    @property
    def papers(self) -> int:
        """How many papers there are."""
        return len(np.load(self._folder / "offsets.npy", mmap_mode="r"))

    def questions(self) -> list[Question]:
        """What is asked."""
        return from_json(json.loads((self._folder / "questions.json").read_text()))

    def batches(self, count: int, size: int) -> Iterator[list[Paper]]:
        """The first `count` papers. The time that reading takes is added to `spent` and `spent_cpu`, in seconds."""
        with (self._folder / "papers.jsonl").open("rb") as lines:
            left = islice(lines, count)
            while True:
                begun, cpu = time.perf_counter(), time.process_time()
                batch = [orjson.loads(line) for line in islice(left, size)]
                self.spent += time.perf_counter() - begun
                self.spent_cpu += time.process_time() - cpu
                if not batch:
                    return
                yield batch

    def texts(self, pks: Sequence[int]) -> list[Paper]:
        """Some papers, in their order, read from where they stand as from a table."""
        if self._offsets is None or self._lines is None:
            self._offsets = np.load(self._folder / "offsets.npy", mmap_mode="r")
            self._lines = (self._folder / "papers.jsonl").open("rb")
        found = []
        for pk in pks:
            self._lines.seek(int(self._offsets[pk - 1]))
            found.append(orjson.loads(self._lines.readline()))
        return found

    def vectors(self, first: int, last: int) -> Floats:
        """The vectors of the papers with the keys from `first` to `last`, of length one."""
        stored = np.memmap(self._folder / "vectors.f16", np.float16, "r").reshape(-1, WIDTH)
        vectors = stored[first - 1 : last].astype(np.float32)
        normal: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return normal
