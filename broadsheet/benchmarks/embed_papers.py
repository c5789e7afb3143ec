"""Compute the vectors that other benchmarks take from a folder, ahead of them and beside other work.

`python embed_papers.py [COUNT] [--threads N]` embeds the first COUNT real papers (100,000 by default) in the order in
which the benchmarks index them, and keeps the vectors in the folder that VECTORS names, else in build. Each takes 30 ms
of a core. It can be stopped at any moment and goes on where it stopped; it yields to whatever else wants the cores.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from broadsheet.search.embedding.minilm import MiniLm

sys.path.insert(0, str(Path(__file__).parent))
import corpus
from remembered_vectors import Remembering
from search_data import CACHE
from search_papers import document, real

CHUNK = 256
NICE = 19


def main(count: int, threads: int) -> None:
    """Embed what is not known yet, chunk by chunk, each written before the next one begins."""
    corpus.require()
    os.nice(NICE)
    remembered = Remembering(MiniLm(CACHE / "models"), CACHE)
    if not remembered.keeps:
        sys.exit("Another process writes to the folder of vectors. Stop it, or wait until it is done.")
    texts = [document(paper).meaning for paper in real(count)]
    missing = [text for text in texts if text not in remembered]
    print(f"{len(texts):,} papers, {len(missing):,} without a vector", file=sys.stderr, flush=True)
    begun = time.monotonic()
    done = 0
    with ThreadPoolExecutor(threads) as pool:
        for begin in range(0, len(missing), CHUNK):
            chunk = missing[begin : begin + CHUNK]
            remembered.keep(chunk, pool.map(remembered.compute, chunk))
            done += len(chunk)
            rate = done / (time.monotonic() - begun)
            left = (len(missing) - done) / rate / 60
            progress = f"{done:,} of {len(missing):,}, {rate:.0f} a second, {left:.0f} min left"
            print(progress, file=sys.stderr, flush=True)
    remembered.close()
    print("done", file=sys.stderr)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description="Compute vectors ahead of the benchmarks that need them.")
    options.add_argument("count", nargs="?", type=int, default=100_000, help="how many papers")
    options.add_argument("--threads", type=int, default=1, help="how many cores to use")
    said = options.parse_args()
    try:
        main(said.count, said.threads)
    except KeyboardInterrupt:
        sys.exit("Stopped. What was computed is kept; the same command goes on from here.")
