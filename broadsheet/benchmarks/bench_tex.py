"""How much of arXiv's mathematics becomes MathML, and what a title and an abstract cost, in microseconds.

Reads the 70,000 papers of all fields beside the repository; an argument takes fewer. A formula counts as typeset if it
became a ``<math>`` element; the others are shown as their source. "Cold" is the first rendering of every text, "warm"
renders texts whose formulas are in the cache, as on a page that many readers ask for.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import corpus
import recording
from broadsheet.bibliography.tex import to_html, to_text
from broadsheet.bibliography.tex_mathml import formula_to_mathml
from broadsheet.bibliography.tex_scan import scan

# So many texts of a kind are rendered twice for the warm figure.
WARM = 1_000


def main(count: int) -> None:
    """Render `count` papers and record the share of formulas typeset and the time per text."""
    corpus.require()
    papers = list(islice(_papers(), count))
    figures: dict[str, Any] = {"papers": len(papers), "formulas": _coverage(papers)}
    for field in ("title", "abstract"):
        texts = [paper[field] for paper in papers if paper[field]]
        with_mathematics = [text for text in texts if "$" in text]
        without = [text for text in texts if "$" not in text]
        figures[field] = {
            "texts": len(texts),
            "mathematics_share": round(len(with_mathematics) / len(texts), 3),
            "with_mathematics": _costs(with_mathematics),
            "without_mathematics": _costs(without),
        }
    recording.write("tex", figures)


def _papers() -> Iterator[dict[str, Any]]:
    command = ["zstd", "-dcq", str(corpus.CORPORA / "arxiv_all_fields.jsonl.zst")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for line in process.stdout:
            yield json.loads(line)
        process.stdout.close()
        process.wait()


def _coverage(papers: list[dict[str, Any]]) -> dict[str, Any]:
    found = typeset = 0
    for paper in papers:
        for piece in scan(paper["title"] or "") + scan(paper["abstract"] or ""):
            if piece.kind in ("math", "display"):
                found += 1
                typeset += formula_to_mathml(piece.text, display=piece.kind == "display") is not None
    return {"found": found, "typeset": typeset, "share": round(typeset / found, 5)}


def _costs(texts: list[str]) -> dict[str, float]:
    """Microseconds per text: the mean over all of them in turn, and the median of some that were rendered before."""
    costs: dict[str, float] = {}
    for name, render in (("to_text", to_text), ("to_html", to_html)):
        start = time.perf_counter()
        for text in texts:
            render(text)
        costs[f"{name}_us"] = round((time.perf_counter() - start) / len(texts) * 1e6, 2)
        costs[f"{name}_warm_us"] = round(statistics.median(_warm(render, text) for text in texts[:WARM]) * 1e6, 2)
    return costs


def _warm(render: Callable[[str], str], text: str) -> float:
    render(text)
    start = time.perf_counter()
    render(text)
    return time.perf_counter() - start


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 70_000)
