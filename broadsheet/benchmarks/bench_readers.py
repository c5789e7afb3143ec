"""Four processes that search all the time while one writes, and a writer that is killed in the middle of commits.

`python bench_readers.py [--minutes 10] [--readers 4] [--kills 10] [--papers 50000] [--folder FOLDER]`

Readers ask by words and by meaning, one question after another, and look for a new paper of every batch that was
committed: how long after the commit each reader sees it. The writer changes, adds and deletes papers and their vectors,
a batch every second and a half. Memory is that which a process has alone, every five seconds; growth is the difference
of the medians of the last minutes and the first, after a minute to warm up.

Then a writer is killed (signal 9) while it commits, again and again, and goes on from the index's cursor each time.
Every paper of an acknowledged batch must be there, and of the one that was not acknowledged all or none; vectors too.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import corpus
import recording
from broadsheet.search.adapters.embedded import EmbeddedIndex
from broadsheet.search.document import Document
from broadsheet.search.embedding.minilm import MiniLm
from broadsheet.search.index import IndexUnavailable
from broadsheet.search.query import parse
from engine_broadsheet import Handed
from making_data import say
from search_data import CACHE, Data, Paper
from search_papers import document
from timing import memory

BATCH = 60
CHANGED = 30
DELETED = 5
EVERY_SECONDS = 1.5
SEEN_WITHIN_SECONDS = 2.0
_LOAD = 4_000
_LOOK_AT_MEMORY_SECONDS = 5.0
_WARM_SECONDS = 60.0


def main(said: argparse.Namespace) -> None:
    """Both parts on one index, and the record."""
    corpus.require()
    with tempfile.TemporaryDirectory(prefix="bench-readers.", dir=said.folder) as name:
        folder = Path(name)
        batches = round(said.minutes * 60 / EVERY_SECONDS) + 20 * said.kills + 200
        making = [sys.executable, str(Path(__file__).with_name("making_data.py")), str(folder / "data")]
        subprocess.run([*making, str(said.papers + batches * BATCH)], check=True)
        data = Data(folder / "data")
        fill(folder / "index", data, said.papers)
        say(f"{said.papers:,} papers are in the index")
        figures: dict[str, Any] = {"papers": said.papers}
        figures["together"] = together(folder, said)
        say(json.dumps(figures["together"]))
        figures["kills"] = kills(folder, said)
        recording.write("readers", figures)


def fill(folder: Path, data: Data, count: int) -> None:
    """Words and vectors of the first papers."""
    handed = Handed()
    index = _index(folder, handed)
    for batch in data.batches(count, _LOAD):
        documents = [document(paper) for paper in batch]
        index.apply(documents, [], cursor=0)
        handed.next = data.vectors(batch[0]["pk"], batch[-1]["pk"])
        index.embed(documents)
    index.close()


def _index(folder: Path, embedder: Any) -> EmbeddedIndex:
    return EmbeddedIndex(folder, model=embedder.name, load=lambda _name: embedder)


# --- Readers and a writer ---------------------------------------------------------------------------------------------


def together(folder: Path, said: argparse.Namespace) -> dict[str, Any]:
    """Readers and one writer for some minutes."""
    end = str(time.monotonic() + said.minutes * 60)
    parts = [["write", str(said.papers)], *(["read", str(number)] for number in range(said.readers))]
    processes = [
        subprocess.Popen([sys.executable, __file__, *part, str(folder), end], stdout=subprocess.PIPE) for part in parts
    ]
    try:
        written, *readers = (json.loads(process.communicate()[0]) for process in processes)
    finally:
        for process in processes:
            process.kill()
    delays = [delay for reader in readers for delay in reader["delays"]]
    return {
        "minutes": said.minutes,
        "readers": said.readers,
        "searches": sum(reader["searches"] for reader in readers),
        "errors": written["errors"] + sum(reader["errors"] for reader in readers),
        "error": next((each["error"] for each in (written, *readers) if each["error"]), ""),
        "search_ms": {way: recording.percentiles(_joined(readers, way)) for way in ("words", "both")},
        "commits": written["commits"],
        "papers_written": written["papers"],
        "commit_ms": recording.percentiles(written["commit_ms"]),
        "vectors_ms": recording.percentiles(written["vectors_ms"]),
        "new_paper_seen": {
            "times": len(delays),
            "never": sum(reader["unseen"] for reader in readers),
            "within_2_s": sum(delay <= SEEN_WITHIN_SECONDS for delay in delays),
            "after_ms": recording.percentiles([1000 * delay for delay in delays]),
        },
        "private_mb": {"writer": _growth(written["memory"]), "readers": [_growth(each["memory"]) for each in readers]},
    }


def _joined(readers: Sequence[dict[str, Any]], way: str) -> list[float]:
    return [value for reader in readers for value in reader["ms"][way]]


def _growth(samples: Sequence[tuple[float, float]]) -> dict[str, float]:
    """Medians of the first and the last quarter of the time, in MB; `samples` are seconds and MB."""
    kept = [value for seconds, value in samples if seconds >= _WARM_SECONDS] or [value for _seconds, value in samples]
    quarter = max(1, len(kept) // 4)
    first, last = statistics.median(kept[:quarter]), statistics.median(kept[-quarter:])
    return {"first": first, "last": last, "growth": round(last - first, 1), "greatest": max(kept)}


class _Memory:
    """What this process holds alone, every few seconds."""

    def __init__(self) -> None:
        self._begun = self._looked = time.monotonic()
        self.samples: list[tuple[float, float]] = []

    def look(self) -> None:
        now = time.monotonic()
        if now - self._looked >= _LOOK_AT_MEMORY_SECONDS:
            self._looked = now
            self.samples.append((round(now - self._begun, 1), memory()["private_mb"]))


def write(first: int, folder: Path, end: float) -> dict[str, Any]:
    """Write batches until the end; each commit is told in a file, with its time, as soon as it is acknowledged."""
    handed = Handed()
    index = _index(folder / "index", handed)
    data, held, chance = Data(folder / "data"), _Memory(), random.Random(first)  # noqa: S311  # the same every time
    told = (folder / "told.jsonl").open("a", encoding="utf-8")
    figures: dict[str, Any] = {"commits": 0, "papers": 0, "errors": 0, "error": "", "commit_ms": [], "vectors_ms": []}
    pk = first
    for number in itertools.count(1):
        if time.monotonic() >= end:
            break
        begun = time.monotonic()
        new = [document(paper) for paper in data.texts(range(pk + 1, pk + BATCH + 1))]
        old = [document(paper) for paper in data.texts(chance.sample(range(1, first), CHANGED))]
        sentinel = word_of(number)
        new[0] = replace(new[0], title=f"{new[0].title} {sentinel}")
        # A paper that is changed has a greater number of change and another text, so that it needs another vector.
        old = [replace(each, change=pk + number, title=f"{each.title} again") for each in old]
        gone = chance.sample(range(first // 2, first), DELETED)
        try:
            at = time.monotonic()
            index.apply([*new, *old], gone, cursor=number)
            committed = time.monotonic()
            told.write(json.dumps({"word": sentinel, "at": committed}) + "\n")
            told.flush()
            handed.next = data.vectors(pk + 1, pk + len(new) + len(old))
            index.embed([*new, *old])
            figures["commit_ms"].append((committed - at) * 1000)
            figures["vectors_ms"].append((time.monotonic() - committed) * 1000)
        except IndexUnavailable as error:
            figures["errors"] += 1
            figures["error"] = repr(error)
        figures["commits"] += 1
        figures["papers"] += len(new) + len(old) + len(gone)
        pk += BATCH
        held.look()
        time.sleep(max(0.0, min(EVERY_SECONDS - (time.monotonic() - begun), end - time.monotonic())))
    index.close()
    return figures | {"memory": held.samples}


def read(number: int, folder: Path, end: float) -> dict[str, Any]:
    """Search until the end, and look for each new paper that was told of."""
    words = EmbeddedIndex(folder / "index")
    model = MiniLm(CACHE / "models")
    both = _index(folder / "index", model)
    questions = [question for question in Data(folder / "data").questions() if question.query]
    random.Random(number).shuffle(questions)  # noqa: S311  # the same every time
    # The first question loads the model.
    both.search(parse("graph networks"))
    told, held = _Told(folder / "told.jsonl"), _Memory()
    figures: dict[str, Any] = {"searches": 0, "errors": 0, "error": "", "ms": {"words": [], "both": []}, "delays": []}
    for question, (way, index) in zip(
        itertools.cycle(questions), itertools.cycle({"words": words, "both": both}.items())
    ):
        if time.monotonic() >= end:
            break
        try:
            begun = time.perf_counter()
            index.search(parse(question.query))
            figures["ms"][way].append((time.perf_counter() - begun) * 1000)
            figures["searches"] += 1
            for word, at in told.waiting():
                if index.search(parse(f'"{word}"'), limit=1).hits:
                    figures["delays"].append(time.monotonic() - at)
                    told.seen(word)
        except IndexUnavailable as error:
            figures["errors"] += 1
            figures["error"] = repr(error)
        held.look()
    unseen = sum(end - at > SEEN_WITHIN_SECONDS for _word, at in told.waiting())
    return figures | {"memory": held.samples, "unseen": unseen}


class _Told:
    """New papers that the writer told of since this reader began, and that it has not seen yet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = path.stat().st_size if path.exists() else 0
        self._waiting: dict[str, float] = {}

    def waiting(self) -> list[tuple[str, float]]:
        """Their words, and when they were committed."""
        if self._path.exists():
            with self._path.open("rb") as lines:
                lines.seek(self._at)
                for line in lines:
                    if not line.endswith(b"\n"):
                        break
                    self._at += len(line)
                    said = json.loads(line)
                    self._waiting[said["word"]] = said["at"]
        return list(self._waiting.items())

    def seen(self, word: str) -> None:
        """This one was found."""
        del self._waiting[word]


def word_of(number: int) -> str:
    """A word that stands in no paper, another one for each number, and far from all others."""
    chance = random.Random(f"sentinel {number}")  # noqa: S311  # the same every time
    return "q" + "".join(chance.choice("bcdfghjklmnpqrstvwxz") for _letter in range(11))


# --- A writer that is killed ------------------------------------------------------------------------------------------


def kills(folder: Path, said: argparse.Namespace) -> dict[str, Any]:
    """Kill a writer in the middle of commits, look at the index, and let the next one go on."""
    chance = random.Random(1)  # noqa: S311  # the same every time
    reader = _index(folder / "index", MiniLm(CACHE / "models"))
    figures = dict.fromkeys(("kills", "in_mid_commit", "in_mid_vectors", "acknowledged_batches"), 0)
    figures |= {"papers_lost": 0, "vectors_lost": 0, "partial_batches": 0, "errors_of_a_reader": 0}
    for _round in range(said.kills):
        steps = _killed(folder, said.papers, chance)
        figures["kills"] += 1
        last = steps[-1]
        figures["in_mid_commit"] += last["step"] == "commit"
        figures["in_mid_vectors"] += last["step"] == "vectors"
        acknowledged = [step["number"] for step in steps if step["step"] == "vectors"]
        complete = [step["number"] for step in steps if step["step"] == "done"]
        figures["acknowledged_batches"] += len(acknowledged)
        fresh = _index(folder / "index", Handed())
        figures["papers_lost"] += sum(BATCH - _papers_of(fresh, number) for number in acknowledged)
        figures["partial_batches"] += _papers_of(fresh, max(step["number"] for step in steps)) not in (0, BATCH)
        figures["vectors_lost"] += sum(BATCH - _vectors_of(fresh, said.papers, number) for number in complete)
        try:
            reader.search(parse("graph networks"))
        except IndexUnavailable:
            figures["errors_of_a_reader"] += 1
        fresh.close()
        say(json.dumps(figures))
    return figures


def _killed(folder: Path, papers: int, chance: random.Random) -> list[dict[str, Any]]:
    """Start a writer, kill it while it does something, and return the steps that it told."""
    path = folder / "steps.jsonl"
    path.unlink(missing_ok=True)
    command = [sys.executable, __file__, "endless", str(papers), str(folder), "0"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    wanted = chance.randrange(4, 12)
    step = chance.choice(("commit", "commit", "vectors"))
    try:
        while sum(each["step"] == step for each in _steps(path)) < wanted:
            if process.poll() is not None:
                sys.exit(f"The writer ended by itself, with the status {process.returncode}.")
            time.sleep(0.001)
        time.sleep(chance.random() * 0.04)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    return list(_steps(path))


def _steps(path: Path) -> Iterator[dict[str, Any]]:
    if path.exists():
        for line in path.read_bytes().splitlines(keepends=True):
            if line.endswith(b"\n"):
                yield json.loads(line)


def endless(papers: int, folder: Path, _end: float) -> dict[str, Any]:
    """Apply one batch after another, from where the index's cursor stands, and tell each step before it is taken."""
    handed = Handed()
    index = _index(folder / "index", handed)
    data = Data(folder / "data")
    told = (folder / "steps.jsonl").open("a", encoding="utf-8")

    def tell(step: str) -> None:
        told.write(json.dumps({"number": number, "step": step}) + "\n")
        told.flush()

    for number in itertools.count(index.cursor() + 1):
        batch = batch_of(data, papers, number)
        tell("commit")
        index.apply(batch, [], cursor=number)
        # What is told now was acknowledged: the commit returned.
        tell("vectors")
        handed.next = data.vectors(batch[0].pk, batch[-1].pk)
        index.embed(batch)
        tell("done")
    raise AssertionError("it ends by being killed")


def batch_of(data: Data, papers: int, number: int) -> list[Document]:
    """The papers of a batch, all with its word in their titles."""
    some: list[Paper] = data.texts(_keys(papers, number))
    made = [document(paper) for paper in some]
    return [replace(each, title=f"{each.title} {word_of(number)}", change=10**9 + number) for each in made]


def _keys(papers: int, number: int) -> range:
    first = papers + number * BATCH + 1
    return range(first, first + BATCH)


def _papers_of(index: EmbeddedIndex, number: int) -> int:
    return index.search(parse(f'"{word_of(number)}"'), limit=BATCH).total


def _vectors_of(index: EmbeddedIndex, papers: int, number: int) -> int:
    """How many papers of a batch have a vector of their present text."""
    return sum(bool(index.related(pk, limit=1)) for pk in _keys(papers, number))


PARTS = {"write": write, "read": read, "endless": endless}


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(description="Readers beside a writer, and a writer that is killed.")
    options.add_argument("--minutes", type=float, default=10, help="how long they work together")
    options.add_argument("--readers", type=int, default=4, help="how many processes search")
    options.add_argument("--kills", type=int, default=10, help="how often the writer is killed")
    options.add_argument("--papers", type=int, default=50_000, help="how many papers are there at first")
    options.add_argument("--folder", help="where the temporary folder is made")
    return options.parse_args()


if __name__ == "__main__":
    if len(sys.argv) == 5 and sys.argv[1] in PARTS:
        print(json.dumps(PARTS[sys.argv[1]](int(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4]))))
    else:
        main(_options())
