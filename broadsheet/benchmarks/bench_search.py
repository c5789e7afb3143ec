"""How fast the embedded index is built and asked, what it costs in disk and memory, and whether it finds the paper.

`python bench_search.py [COUNT]` indexes COUNT real papers (100,000 by default) in one process and asks another, as the
worker and a web process do. Questions are made from titles, abstracts and authors of papers that are in the index, with
a fixed seed: 300 of each kind. Known items: the rank of the paper that a question was made from, as mean reciprocal
rank among the first ten; the kinds are those that the weights in `broadsheet.search.lexical` were set on.
"""

from __future__ import annotations

import contextlib
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.tex import to_text
from broadsheet.search.adapters.embedded import EmbeddedIndex
from broadsheet.search.document import Document
from broadsheet.search.highlight import marks
from broadsheet.search.index import Facet
from broadsheet.search.query import parse

sys.path.insert(0, str(Path(__file__).parent))
import corpus
import recording

BATCH = 2_000
ASKED = 300
LETTERS = "abcdefghijklmnopqrstuvwxyz"

Paper = dict[str, Any]


def main(count: int) -> None:
    """Run both processes in a temporary folder and write the record."""
    corpus.require()
    with tempfile.TemporaryDirectory() as folder:
        papers = Path(folder, "papers.jsonl")
        written = prepare(papers, count)
        figures = {"papers": written}
        for part in ("build", "ask", "find"):
            print(f"{part} ...", file=sys.stderr, flush=True)
            command = [sys.executable, __file__, part, str(papers), str(Path(folder, "index"))]
            figures[part] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        recording.write("search", figures)


def prepare(path: Path, count: int) -> int:
    """Write the papers as the index gets them, TeX converted, one JSON object a line. Returns how many."""
    written = 0
    with path.open("w", encoding="utf-8") as lines:
        for written, paper in enumerate(corpus.papers(count), 1):
            said = paper.get("announced") or paper["submitted"]
            plain = {
                "pk": written,
                "title": to_text(paper["title"]),
                "abstract": to_text(paper.get("abstract", "")),
                "authors": [to_text(name) for name in paper.get("authors", [])],
                "identifier": f"arxiv:{paper['arxiv_id']}",
                "categories": paper.get("categories", []),
                "day": PartialDate.parse(said).first.isoformat(),
            }
            lines.write(json.dumps(plain, ensure_ascii=False) + "\n")
    return written


def read(path: Path) -> Iterator[Paper]:
    """The papers that `prepare` wrote."""
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


def memory() -> dict[str, float]:
    """What this process holds in memory, in MB: alone (its own copy), and with the files that it has mapped."""
    said = dict(line.split(":") for line in Path("/proc/self/smaps_rollup").read_text().splitlines()[1:])
    kib = {name: int(value.split()[0]) for name, value in said.items()}
    return {"private_mb": round(kib["Private_Dirty"] / 1000, 1), "mapped_mb": round(kib["Rss"] / 1000, 1)}


# --- The writer -------------------------------------------------------------------------------------------------------


def build(papers: Path, folder: Path) -> dict[str, Any]:
    """Fill the index in batches as the worker does, then change single papers."""
    before = memory()["private_mb"]
    index = EmbeddedIndex(folder)
    wall = cpu = 0.0
    greatest, number = before, 0
    batch: list[Document] = []

    def write() -> None:
        nonlocal wall, cpu, greatest, number
        number += len(batch)
        wall_begun, cpu_begun = time.perf_counter(), time.process_time()
        index.apply(batch, [], cursor=number)
        wall += time.perf_counter() - wall_begun
        cpu += time.process_time() - cpu_begun
        greatest = max(greatest, memory()["private_mb"])
        batch.clear()

    for paper in read(papers):
        batch.append(document(paper))
        if len(batch) == BATCH:
            write()
    if batch:
        write()
    disk = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    changed = [document(paper) for paper, _number in zip(read(papers), range(1_000), strict=False)]
    commits = {
        f"commit_{size}_ms": recording.percentiles(
            [_timed(lambda: index.apply(changed[:size], [], cursor=number)) for _again in range(20)]  # noqa: B023  # called at once
        )
        for size in (1, 100)
    }
    index.close()
    return {
        "papers_per_s": round(number / wall),
        "papers_per_cpu_s": round(number / cpu),
        "disk_mb": round(disk / 1e6, 1),
        "bytes_per_paper": round(disk / number),
        "writer_private_mb": {"before": before, "greatest": greatest},
        **commits,
    }


def _timed(call: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """How long the call takes, in milliseconds of the clock."""
    begun = clock()
    call()
    return (clock() - begun) * 1000


# --- A reader ---------------------------------------------------------------------------------------------------------


def ask(papers: Path, folder: Path) -> dict[str, Any]:
    """Ask every kind of question, 20 papers each: once to warm up, once for the wall's clock and once for the core's.

    On a machine that does other work too, only the second says what a question costs.
    """
    kinds = questions(papers)
    before = memory()["private_mb"]
    index = EmbeddedIndex(folder)
    first = _timed(lambda: index.search(parse("graph networks")))
    corrected = _timed(lambda: index.search(parse("nerural")))
    figures: dict[str, Any] = {"first_ms": round(first, 1), "first_correction_ms": round(corrected, 1)}
    for kind, texts in kinds.items():
        calls = [_call(index, kind, text) for text in texts]
        for call in calls:
            call()
        figures[kind] = {
            "wall_ms": recording.percentiles([_timed(call) for call in calls]),
            "cpu_ms": recording.percentiles([_timed(call, time.thread_time) for call in calls]),
        }
    figures["reader_private_mb"] = {"before": before, "after": memory()["private_mb"]}
    figures["highlight_20_ms"] = recording.percentiles(_highlighting(papers, kinds["2 words"]))
    return figures


def _call(index: EmbeddedIndex, kind: str, text: str) -> Callable[[], object]:
    """The call that a page makes for a question of this kind, the reading of the text included."""
    if kind.startswith("suggest"):
        return lambda: index.suggest(text)
    if kind.endswith("facets"):
        return lambda: index.search(parse(text), facets=Facet)
    if kind.endswith("page 50"):
        return lambda: index.search(parse(text), offset=980)
    return lambda: index.search(parse(text))


def _highlighting(papers: Path, texts: list[str]) -> list[float]:
    """Milliseconds to mark 20 titles and abstracts."""
    some = [paper for paper, _number in zip(read(papers), range(400), strict=False)]
    queries = [parse(text) for text in texts[: len(some) // 20]]
    times = []
    for number, query in enumerate(queries):
        page = some[number * 20 : number * 20 + 20]
        times.append(_timed(lambda: [marks(p[name], query) for p in page for name in ("title", "abstract")]))  # noqa: B023  # called at once
    return times


def questions(papers: Path) -> dict[str, list[str]]:
    """What is asked for its time: by kind, made from papers drawn with a fixed seed."""
    chance = random.Random(20261122)  # noqa: S311  # the same questions every time
    kinds: dict[str, list[str]] = {}

    def add(kind: str, text: str) -> None:
        kinds.setdefault(kind, []).append(text)

    for paper in drawn(papers, chance):
        title = [word for word in paper["title"].split() if word.isalpha() and len(word) > 3]
        if len(title) < 4:
            continue
        two = " ".join(chance.sample(title, 2))
        category = paper["categories"][0] if paper["categories"] else "cs.LG"
        year = int(paper["day"][:4])
        add("1 word", chance.choice(title))
        add("2 words", two)
        add("4 words", " ".join(chance.sample(title, 4)))
        add("title", paper["title"])
        add("phrase", f'"{title[0]} {title[1]}"')
        add("2 words, filtered", f"{two} category:{category} year:{year - 1}..{year + 1}")
        add("2 words, newest", f"{two} sort:newest")
        add("2 words, facets", two)
        add("2 words, page 50", two)
        add("1 category, newest", f"category:{category}")
        add("1 category, facets", f"category:{category}")
        add("identifier", paper["identifier"])
        add("misspelt", " ".join(misspelt(word, chance) for word in chance.sample(title, 2)))
        add("suggest, 2 letters", title[0][:2])
        add("suggest, word and 3 letters", f"{title[0]} {title[1][:3]}")
    return {kind: texts[:ASKED] for kind, texts in kinds.items()}


def drawn(papers: Path, chance: random.Random) -> list[Paper]:
    """Some papers, more than are needed as not every paper gives every question; never all of them in memory."""
    with papers.open("rb") as lines:
        number = sum(1 for _line in lines)
    chosen = set(chance.sample(range(number), min(ASKED * 5, number)))
    return [paper for place, paper in enumerate(read(papers)) if place in chosen]


def misspelt(word: str, chance: random.Random) -> str:
    """The word with two neighbours swapped, or a letter replaced."""
    place = chance.randrange(len(word) - 1)
    if chance.random() < 0.5:
        return word[:place] + word[place + 1] + word[place] + word[place + 2 :]
    return word[:place] + chance.choice(LETTERS) + word[place + 1 :]


# --- Known items ------------------------------------------------------------------------------------------------------


def find(papers: Path, folder: Path) -> dict[str, Any]:
    """The mean reciprocal rank, among the first ten, of the papers that questions were made from, by kind."""
    chance = random.Random(1)  # noqa: S311  # the same questions every time
    index = EmbeddedIndex(folder)
    ranks: dict[str, list[float]] = {}
    for paper in drawn(papers, chance):
        for kind, text in known_items(paper, chance):
            if len(ranks.setdefault(kind, [])) < ASKED:
                found = [hit.pk for hit in index.search(parse(text), limit=10).hits]
                ranks[kind].append(1 / (found.index(paper["pk"]) + 1) if paper["pk"] in found else 0.0)
    figures = {kind: round(sum(values) / len(values), 3) for kind, values in sorted(ranks.items())}
    figures["mean"] = round(sum(figures.values()) / len(figures), 3)
    return figures


def known_items(paper: Paper, chance: random.Random) -> Iterator[tuple[str, str]]:
    """The questions that somebody might ask who knows this paper."""
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


PARTS = {"build": build, "ask": ask, "find": find}

if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] in PARTS:
        print(json.dumps(PARTS[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
