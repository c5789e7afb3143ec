"""How well text alone tells "the same work" from another one: precision and recall by kind of pair, and speed.

Every identifier is hidden, so that titles, abstracts, authors and dates must decide. Positive pairs: the same work on
two of the five saved pages, on a page and in the catalogue, on arXiv and at a conference, and real records whose title
is spelled in another way. Negative pairs: different arXiv papers with equal or close titles, with a shared head of the
title, one naming the other (sequel, companion, part, ...), titles with one word or number exchanged, and all pairs of
works on the pages. Pairs are asked with all that is known, without authors, and with title and year only.

The points of `bibliography.matching` were set by hand while looking at such pairs, so no half of them is untouched; the
halves by a hash of the titles ("even", "odd") only show how far the figures depend on single pairs. Most of the links
to conferences were themselves found by title and authors; those that an arXiv identifier made are reported apart,
because only they say how often a title is reworded. Two arXiv papers whose texts are all but equal are one work posted
twice more often than not; no text can say, so they are counted apart ("posted twice") and in no total.
"""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
import time
import unicodedata
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import corpus
import recording
from broadsheet.bibliography import names
from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.folding import fold
from broadsheet.bibliography.matching import head_key, same_work, shared_vocabulary, title_key
from broadsheet.bibliography.record import Record
from broadsheet.sources.origins.catalogue import record_of
from broadsheet.sources.origins.saved_page import SavedPage

DATA = corpus.CORPORA.parent
Pair = tuple[Record, Record]


@dataclass
class Tally:
    """Pairs of one kind: how many, how many called the same, how many that the title keys bring together."""

    pairs: int = 0
    same: int = 0
    proposed: int = 0
    wrong: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, pair: Pair, *, expected: bool) -> bool:
        """Ask about one pair. Returns the answer."""
        verdict = same_work(*pair)
        self.pairs += 1
        self.same += verdict.same
        self.proposed += bool(_keys(pair[0]) & _keys(pair[1]))
        if verdict.same is not expected and len(self.wrong) < 200:
            self.wrong.append((pair[0].title, pair[1].title, verdict.reason))
        return verdict.same


def main(show: str) -> None:
    """Run the benchmark, print the mistakes of the kinds that `show` names, write the record."""
    corpus.require()
    papers = _arxiv()
    positive = {**_pages_and_catalogue(), **_links(), **_respelled(papers)}
    negative = {**_distinct_on_pages(), **_different_papers(papers), **_exchanged(papers)}
    figures: dict[str, Any] = {"recall": {}, "false_matches": {}}
    halves = {half: Counter[str]() for half in ("even", "odd")}
    for kind, pairs in positive.items():
        figures["recall"][kind] = _ask(kind, pairs, halves, show, expected=True)
    for kind, pairs in negative.items():
        figures["false_matches"][kind] = _ask(kind, pairs, halves, show, expected=False)
    figures["overall"] = {half: _rates(counts) for half, counts in halves.items()}
    figures["store"] = _as_a_store(papers)
    figures["speed"] = _speed(papers, negative["close titles, all known"])
    recording.write("matching", figures)


def _ask(
    kind: str, pairs: list[Pair], halves: dict[str, Counter[str]], show: str, *, expected: bool
) -> dict[str, float | int]:
    """Ask about all pairs of one kind; count them into the half that each belongs to."""
    tally = Tally()
    for pair in pairs:
        same = tally.add(pair, expected=expected)
        if "posted twice" in kind:
            continue
        even = zlib.crc32("|".join(sorted(record.title for record in pair)).encode()) % 2 == 0
        name = ("true" if expected else "false") + (" match" if same else " miss")
        halves["even" if even else "odd"][name] += 1
    if show and re.search(show, kind):
        for wrong in tally.wrong:
            print(kind, *wrong, sep="\n    ")
    share = round(tally.same / max(tally.pairs, 1), 4)
    keyed = round(tally.proposed / max(tally.pairs, 1), 4)
    result = {"pairs": tally.pairs, "called_same": tally.same, "share": share, "proposed_by_keys": keyed}
    print(f"{kind:60} {result}")
    return result


def _rates(counts: Counter[str]) -> dict[str, float | int]:
    true, false = counts["true match"], counts["false match"]
    return {
        "positive_pairs": true + counts["true miss"],
        "negative_pairs": false + counts["false miss"],
        "precision": round(true / (true + false), 4),
        "recall": round(true / (true + counts["true miss"]), 4),
    }


def _lines(path: Path) -> list[str]:
    """The lines of a text file, also of a packed one."""
    if path.suffix != ".zst":
        return path.read_text(encoding="utf-8").splitlines()
    unpacked = subprocess.run(["zstd", "-dcq", str(path)], stdout=subprocess.PIPE, check=True).stdout
    return unpacked.decode().split("\n")


def _objects(path: Path) -> Iterator[dict[str, Any]]:
    return (json.loads(line) for line in _lines(path) if line)


def _keys(record: Record) -> set[int | None]:
    return {title_key(record.title), head_key(record.title)} - {None}


# --- Records with what is known of them ------------------------------------------------------------------------------


def _arxiv() -> dict[str, Record]:
    """Every arXiv paper of the corpora by its identifier's string, the identifier itself hidden."""
    found: dict[str, Record] = {}
    for name in ("arxiv_all_fields", "arxiv_by_day", "same_paper_records"):
        for entry in _objects(DATA / "corpora" / f"{name}.jsonl.zst"):
            if entry["id"].startswith("arxiv:"):
                found.setdefault(entry["id"], _record(entry))
    return found


def _record(entry: dict[str, Any]) -> Record:
    return Record(
        source="corpus",
        source_key=entry["id"],
        title=entry["title"],
        abstract=entry["abstract"] or "",
        authors=tuple(entry["authors"] or ()),
        submitted=PartialDate.parse(entry["date"]) if entry["date"] else None,
    )


def _without_authors(record: Record) -> Record:
    return replace(record, authors=())


def _title_and_year(record: Record) -> Record:
    year = PartialDate(record.submitted.year) if record.submitted else None
    return replace(record, authors=(), abstract="", submitted=year)


VIEWS: dict[str, Callable[[Record], Record]] = {
    "all known": lambda record: record,
    "without authors": _without_authors,
    "title and year": _title_and_year,
}


def _in_all_views(kind: str, pairs: Iterable[Pair]) -> dict[str, list[Pair]]:
    listed = list(pairs)
    return {f"{kind}, {name}": [(view(a), view(b)) for a, b in listed] for name, view in VIEWS.items()}


# --- Positive pairs --------------------------------------------------------------------------------------------------


def _pages() -> dict[str, Record]:
    """The items of the saved pages by ``page:position``, the way the catalogue refers to them."""
    items: dict[str, Record] = {}
    for path in sorted((DATA / "seeds").glob("*.txt")):
        with path.open("rb") as stream:
            records = (item for item in SavedPage().read(stream, filename=path.name) if isinstance(item, Record))
            items |= {f"{path.name[:3]}:{position}": record for position, record in enumerate(records, 1)}
    return items


def _catalogue() -> list[tuple[Record, list[str]]]:
    """The catalogue's records without identifiers, each with its places on the pages."""
    entries = _objects(DATA / "catalogue.jsonl")
    return [(replace(record_of(entry), identifiers=()), entry["seed_pages"]) for entry in entries]


def _pages_and_catalogue() -> dict[str, list[Pair]]:
    items = _pages()
    twice, across = [], []
    for record, places in _catalogue():
        across += [(items[place], record) for place in places]
        twice += [(items[a], items[b]) for a in places for b in places if a < b]
    return {"two saved pages": twice, "saved page and catalogue": across}


def _links() -> dict[str, list[Pair]]:
    """The same work on arXiv and at a conference, by what happened to the title on the way."""
    folder = DATA / "corpora"
    records = {entry["id"]: _record(entry) for entry in _objects(folder / "same_paper_records.jsonl.zst")}
    kinds: dict[str, list[Pair]] = defaultdict(list)
    for link in _objects(folder / "same_paper_links.jsonl.zst"):
        a, b = records[link["a"]], records[link["b"]]
        if a.title == b.title:
            kind = "title unchanged"
        else:
            kind = "title respelled" if title_key(a.title) == title_key(b.title) else "title reworded"
        abstract = "abstract changed" if link["abstract_differs"] else "abstract unchanged"
        kinds[f"conference, {kind}, {abstract}"].append((a, b))
    return {name: pairs for kind, listed in kinds.items() for name, pairs in _in_all_views(kind, listed).items()}


DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d"
ACCENTED = {"é": r"\'e", "è": r"\`e", "ö": r"\"{o}", "ü": r"{\"u}", "ä": r"\"a", "ç": r"\c{c}", "ø": r"{\o}"}
GREEK = {"alpha": "α", "beta": "β", "gamma": "γ", "lambda": "λ", "sigma": "σ", "epsilon": "ε", "ell": "ℓ", "infty": "∞"}


def _tex_accents(title: str) -> str:
    return "".join(ACCENTED.get(letter, letter) for letter in unicodedata.normalize("NFC", title))


def _unicode_mathematics(title: str) -> str:
    r"""``$\ell_2$`` as ``ℓ2``."""
    title = re.sub(r"\\([a-z]+)[ ]*", lambda match: GREEK.get(match[1], match[0]), title)
    return re.sub(r"[{}$_]", "", title) if "\\" not in title else title


def _full_width(title: str) -> str:
    wide = (chr(ord(letter) + 0xFEE0) if letter.isascii() and letter.isalnum() else letter for letter in title)
    return title if "\\" in title else "".join(wide)


RESPELLINGS: dict[str, Callable[[str], str]] = {
    "capitals": lambda title: title if "\\" in title else title.upper(),
    "lower case": str.lower,
    "title case": lambda title: title if "\\" in title else title.title(),
    "every dash": lambda title: "".join(DASHES[n % len(DASHES)] if c == "-" else c for n, c in enumerate(title)),
    "hyphens left out": lambda title: re.sub(r"(?<=[a-z])-(?=[a-z])", "", title),
    "accents in TeX": _tex_accents,
    "accents decomposed": lambda title: unicodedata.normalize("NFD", title),
    "accents left out": lambda t: "".join(c for c in unicodedata.normalize("NFD", t) if not unicodedata.combining(c)),
    "dollars left out": lambda title: title.replace("$", ""),
    "TeX left out": lambda title: re.sub(r"[$\\{}]", "", title) if "$" in title else title,
    "mathematics in Unicode": _unicode_mathematics,
    "entities": lambda title: title.replace("&", "&amp;").replace("'", "&#39;"),
    "curly quotes": lambda title: title.replace("'", "’"),
    "full width": _full_width,
    "subtitle left out": lambda title: re.split(r": | -+ ", title)[0],
}


def _respelled(papers: dict[str, Record]) -> dict[str, list[Pair]]:
    """Up to 500 real records per respelling whose title it changes."""
    order = sorted(papers)
    random.Random(20261122).shuffle(order)  # noqa: S311  # a sample, not a secret
    found: dict[str, list[Pair]] = {}
    for kind, respell in RESPELLINGS.items():
        pairs: list[Pair] = []
        for identifier in order:
            paper = papers[identifier]
            other = respell(paper.title)
            if other != paper.title and len(pairs) < 500:
                pairs.append((paper, replace(paper, source="other", title=other)))
        found |= {f"respelled, {name}": listed for name, listed in _in_all_views(kind, pairs).items()}
    return found


# --- Negative pairs --------------------------------------------------------------------------------------------------


def _distinct_on_pages() -> dict[str, list[Pair]]:
    """All pairs of different works, page against catalogue."""
    items = _pages()
    catalogue = _catalogue()
    first = [(places, items[places[0]]) for _, places in catalogue]
    return {
        "different works of pages and catalogue": [
            (item, record) for places, item in first for record, own in catalogue if places != own
        ]
    }


def _different_papers(papers: dict[str, Record]) -> dict[str, list[Pair]]:
    kinds = {
        "close titles": _close(papers),
        "shared head of the title": _sharing_heads(papers),
        "one names the other": _naming(papers),
    }
    found: dict[str, list[Pair]] = {}
    for kind, listed in kinds.items():
        pairs = list(listed)
        apart = [pair for pair in pairs if not _posted_twice(*pair)]
        found |= _in_all_views(kind, apart)
        found[f"{kind}, posted twice"] = [pair for pair in pairs if _posted_twice(*pair)]
    return found


def _posted_twice(a: Record, b: Record) -> bool:
    """Whether two arXiv papers look like one work: the same people, and an equal title or nearly one abstract."""
    if (names.likeness(a.authors, b.authors) or 0) < 0.5:
        return False
    return title_key(a.title) == title_key(b.title) or (shared_vocabulary(a.abstract, b.abstract) or 0) > 0.85


def _close(papers: dict[str, Record]) -> Iterator[Pair]:
    """Papers whose titles have the same words of substance, or all but one."""
    near: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for identifier, paper in papers.items():
        words = sorted(word for word in fold(paper.title).split() if len(word) > 3 or word.isdigit())
        near[tuple(words)].append(identifier)
        if len(words) > 2:
            for at in range(len(words)):
                near[(*words[:at], *words[at + 1 :])].append(identifier)
    pairs = {(a, b) for group in near.values() if len(group) < 30 for a in group for b in group if a < b}
    yield from ((papers[a], papers[b]) for a, b in sorted(pairs))


def _sharing_heads(papers: dict[str, Record]) -> Iterator[Pair]:
    heads: dict[int, list[Record]] = defaultdict(list)
    for paper in papers.values():
        head = head_key(paper.title)
        if head is not None:
            heads[head].append(paper)
        heads[title_key(paper.title)].append(paper)
    yield from ((a, b) for group in heads.values() for n, a in enumerate(group) for b in group[:n] if a is not b)


def _naming(papers: dict[str, Record]) -> Iterator[Pair]:
    """Papers one of which names the other in its abstract or comments."""
    for line in _lines(DATA / "corpora" / "arxiv_mentions.tsv.zst"):
        a, b = (papers.get(f"arxiv:{identifier}") for identifier in (*line.split("\t"), "")[:2])
        if a and b:
            yield a, b


COUNTERPARTS = (
    *(("supervised", "unsupervised"), ("finite", "infinite"), ("linear", "nonlinear"), ("2D", "3D"), ("I", "II")),
    *(("local", "global"), ("bounded", "unbounded"), ("upper", "lower"), ("discrete", "continuous"), ("one", "two")),
    *(("online", "offline"), ("convex", "nonconvex"), ("symmetric", "asymmetric"), ("static", "dynamic")),
    *(("classical", "quantum"), ("homology", "cohomology"), ("positive", "negative"), ("weak", "strong")),
    *(("microscopic", "macroscopic"), ("deterministic", "stochastic"), ("forward", "backward"), ("maximum", "minimum")),
)


def _exchanged(papers: dict[str, Record]) -> dict[str, list[Pair]]:
    """The same authors and year, one word of substance or one number exchanged, nothing known of the abstract."""
    other = {a: b for pair in COUNTERPARTS for a, b in (pair, pair[::-1])}
    pairs = []
    for paper in papers.values():
        words = paper.title.split()
        at = next((at for at, word in enumerate(words) if word in other or word.isdigit()), None)
        if at is not None:
            words[at] = other[words[at]] if words[at] in other else str(int(words[at]) + 1)
            pairs.append((replace(paper, abstract=""), replace(paper, abstract="", title=" ".join(words))))
    return {"one word or number exchanged, same authors": pairs[:2000]}


# --- A store of a hundred thousand papers ----------------------------------------------------------------------------


def _as_a_store(papers: dict[str, Record]) -> dict[str, Any]:
    """What happens to the linked conference papers when they arrive in a store of all arXiv papers."""
    by_key: dict[int | None, list[Record]] = defaultdict(list)
    for paper in papers.values():
        for key in _keys(paper):
            by_key[key].append(paper)
    folder = DATA / "corpora"
    records = {entry["id"]: _record(entry) for entry in _objects(folder / "same_paper_records.jsonl.zst")}
    links = list(_objects(folder / "same_paper_links.jsonl.zst"))
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    candidates = 0
    for link in links:
        asked = records[link["b"]]
        near = {paper.source_key: paper for key in _keys(asked) for paper in by_key[key]}
        candidates += len(near)
        verdicts = {key: same_work(asked, paper) for key, paper in near.items()}
        matches = [(verdict.score, key) for key, verdict in verdicts.items() if verdict.same]
        answer = "found" if matches and max(matches)[1] == link["a"] else "mistaken" if matches else "missed"
        counts[link["how"]][answer] += 1
    return {
        "papers": len(papers),
        "asked": len(links),
        "all": _answers(sum(counts.values(), Counter())),
        "linked_by_arxiv_identifier": _answers(counts["arxiv_id"]),
        "candidates_per_record": round(candidates / len(links), 2),
        "most_papers_under_one_key": max(map(len, by_key.values())),
    }


def _answers(counts: Counter[str]) -> dict[str, float | int]:
    found, mistaken = counts["found"], counts["mistaken"]
    rates = {"precision": round(found / (found + mistaken), 4), "recall": round(found / counts.total(), 4)}
    return {**counts, **rates}


def _speed(papers: dict[str, Record], pairs: list[Pair]) -> dict[str, int]:
    titles = [paper.title for paper in papers.values()][:20_000]
    return {
        "folds_per_s": _rate(titles, fold),
        "title_keys_per_s": _rate(titles, title_key),
        "head_keys_per_s": _rate(titles, head_key),
        "close_pairs_per_s": _rate(pairs, lambda pair: same_work(*pair)),
    }


def _rate(items: list[Any], ask: Callable[[Any], object]) -> int:
    """Items per second of processor time, the best of three."""
    times = []
    for _ in range(3):
        start = time.process_time()
        for item in items:
            ask(item)
        times.append(time.process_time() - start)
    return round(len(items) / min(times))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
