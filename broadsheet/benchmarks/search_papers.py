"""The papers that the benchmarks of search index: real ones, written down once as the index gets them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.tex import to_text
from broadsheet.search.document import Document

sys.path.insert(0, str(Path(__file__).parent))
import corpus
from search_data import Paper


def real(count: int) -> Iterator[Paper]:
    """The first `count` real papers as the index gets them, TeX converted. The key is the place, from 1."""
    for pk, paper in enumerate(corpus.papers(count), 1):
        said = paper.get("announced") or paper["submitted"]
        yield {
            "pk": pk,
            "title": to_text(paper["title"]),
            "abstract": to_text(paper.get("abstract", "")),
            "authors": [to_text(name) for name in paper.get("authors", [])],
            "identifier": f"arxiv:{paper['arxiv_id']}",
            "categories": paper.get("categories", []),
            "day": PartialDate.parse(said).first.isoformat(),
        }


def prepare(path: Path, count: int) -> int:
    """Write the first `count` real papers, one JSON object a line. Returns how many there are."""
    written = 0
    with path.open("w", encoding="utf-8") as lines:
        for paper in real(count):
            lines.write(json.dumps(paper, ensure_ascii=False) + "\n")
            written = paper["pk"]
    return written


def read(path: Path) -> Iterator[Paper]:
    """The papers of a file that was prepared."""
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def document(paper: Paper) -> Document:
    """A paper as the index takes it."""
    return Document(
        pk=paper["pk"],
        change=paper["pk"],
        title=paper["title"],
        abstract=paper["abstract"],
        authors=tuple(paper["authors"]),
        identifiers=(paper["identifier"],),
        categories=tuple(paper["categories"]),
        day=date.fromisoformat(paper["day"]),
        has_code=paper["pk"] % 3 == 0,
    )
