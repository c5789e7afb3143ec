"""How well a profile puts an edition in order for its reader, and how long that takes.

`python bench_profile.py` reads libraries of CiteULike and papers of arXiv (`profile_readers`). A reader has saved 5, 20
or 100 papers; an edition of 1,000 holds 10 to 50 others of hers. nDCG@10 and the share of hers among the first 50 tell
how well each way of ordering finds them. The penalty of the model and the share of its vectors are chosen on one half
of the readers; the figures are those of the other half, with intervals of 95 % by drawing readers with replacement.

The orders: `ours`; `words`, ours without vectors; `svm`, a linear support vector machine as arxiv-sanity-lite trains
one (balanced classes, C = 0.01), on our features and against our background; `svm_theirs`, on its own features, words
and pairs of words, where there is text; `svm_hard`, with C = 1; `words_mean` and `vectors_mean`, the mean of what was
saved; `newest`, the newest first; `random`. Times are of this process: `near` with a database that holds the papers, a
reader with 1,000 of them in her library and an edition of 1,000, in milliseconds of the processor. `--times` measures
only these anew.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

# One core, as in the other benchmarks: a server has one process for each core.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
import corpus
import profile_readers as readers
import profile_times
import recording
from broadsheet.following.rules import profiles as rules
from broadsheet.following.rules.profiles import Floats, Rows
from profile_readers import Case, Collection

SAVED = (5, 20, 100)
READERS = 240  # of each kind, in both halves together
TUNED = 60  # of the first half, at most, are those that settings are tried with
FIRST = 10
FOUND = 50
DRAWN = 2_000
PENALTIES = (0.02, 0.05, 0.1)
SHARES = (0.5, 0.75, 1.0)
SEED = 20261122

_DISCOUNTS = 1 / np.log2(np.arange(2, FIRST + 2))

Scores = dict[str, Floats]


def main() -> None:
    """Judge every order and write the record."""
    corpus.require()
    begun = time.monotonic()
    chance = np.random.default_rng(SEED)
    collections = [readers.citeulike(corpus.SHARED / "interest" / "citeulike_t"), readers.arxiv()]
    groups = [
        (collection, kind, saved, readers.cases(collection, kind, saved, READERS, chance))
        for collection in collections
        for kind in collection.readers
        for saved in SAVED
    ]
    groups = [group for group in groups if len(group[3]) >= 20]
    say("readers are drawn", begun)
    tried = chosen(groups)
    say(f"chosen: {tried['best']}", begun)
    judged = [judge(*group[:3], group[3][1::2]) for group in groups]
    say("judged", begun)
    figures: dict[str, Any] = {"papers": {each.name: len(each.packed) for each in collections}, "chosen": tried}
    names = [f"{kind}_{saved}" for _collection, kind, saved, _cases in groups]
    figures |= dict(zip(names, judged, strict=True))
    figures |= {"times": profile_times.measured(), "minutes": round((time.monotonic() - begun) / 60, 1)}
    recording.write("profile", figures)


def say(sentence: str, begun: float) -> None:
    """Tell whoever waits how far it is."""
    print(f"{time.monotonic() - begun:6.0f} s  {sentence}", file=sys.stderr, flush=True)


def chosen(groups: Sequence[tuple[Collection, str, int, list[Case]]]) -> dict[str, Any]:
    """The mean nDCG@10 of each setting over the first halves; every kind of reader counts alike, however many."""
    found: dict[tuple[float, float], list[float]] = defaultdict(list)
    for share in SHARES:
        rows = {id(collection): collection.rows(share) for collection, *_rest in groups}
        for collection, _kind, _saved, cases in groups:
            for penalty in PENALTIES:
                scored = [ndcg(ours(rows[id(collection)], case, penalty), case.gains) for case in cases[::2][:TUNED]]
                found[share, penalty].append(float(np.mean(scored)))
    means = {setting: float(np.mean(values)) for setting, values in found.items()}
    best = max(means, key=lambda setting: means[setting])
    return {
        "best": {"share": best[0], "penalty": best[1], "ndcg_10": round(means[best], 4)},
        "used": {"share": rules.SHARE_OF_VECTORS, "penalty": rules.PENALTY},
        "tried": {f"share {share}, penalty {penalty}": round(mean, 4) for (share, penalty), mean in means.items()},
    }


def ours(papers: Rows, case: Case, penalty: float = rules.PENALTY) -> Floats:
    """The scores of an edition by a profile of what was saved."""
    model = rules.learn(papers.of(case.saved), papers.of(case.background), penalty=penalty)
    return model.scores(papers.of(case.edition))


def judge(collection: Collection, kind: str, saved: int, cases: Sequence[Case]) -> dict[str, Any]:
    """How each order did with these readers."""
    chance = np.random.default_rng(SEED)
    orders = _orders(collection)
    values: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for case in cases:
        for name, order in orders.items():
            scores = order(case)
            values[name].append((ndcg(scores, case.gains), recall(scores, case.gains)))
    drawn = chance.integers(0, len(cases), (DRAWN, len(cases)))
    base = np.array(values["svm"])
    say_of: dict[str, Any] = {"readers": len(cases), "saved": saved, "of": f"{collection.name}, {kind}"}
    for name, pairs in values.items():
        held = np.array(pairs)
        say_of[name] = {
            "ndcg_10": round(float(held[:, 0].mean()), 4),
            "interval_95": _interval(held[:, 0], drawn),
            "recall_50": round(float(held[:, 1].mean()), 4),
            "above_svm": round(float((held - base)[:, 0].mean()), 4),
            "above_svm_interval_95": _interval((held - base)[:, 0], drawn),
        }
    return say_of


def _interval(values: Floats, drawn: Any) -> list[float]:
    return [round(float(bound), 4) for bound in np.percentile(values[drawn].mean(axis=1), [2.5, 97.5])]


def _orders(collection: Collection) -> dict[str, Callable[[Case], Floats]]:
    """Every way of ordering the editions of a collection."""
    both, words = collection.rows(rules.SHARE_OF_VECTORS), collection.rows(0.0)
    chance = np.random.default_rng(SEED + 1)
    sparse = _sparse(words)
    found: dict[str, Callable[[Case], Floats]] = {
        "ours": lambda case: ours(both, case),
        "svm": lambda case: _svm(sparse, case, 0.01),
        "svm_hard": lambda case: _svm(sparse, case, 1.0),
        "words_mean": lambda case: sparse[case.edition] @ np.asarray(sparse[case.saved].mean(axis=0)).ravel(),
        "random": lambda case: chance.random(len(case.edition)).astype(np.float32),
    }
    if collection.texts:
        vectors = np.stack([vector for vector in collection.vectors if vector is not None])
        theirs = _theirs(collection.texts)
        days = np.unique(collection.days, return_inverse=True)[1].astype(np.float32)
        found |= {
            "words": lambda case: ours(words, case),
            "svm_theirs": lambda case: _svm(theirs, case, 0.01),
            "vectors_mean": lambda case: vectors[case.edition] @ vectors[case.saved].mean(axis=0),
            "newest": lambda case: days[case.edition],
        }
    return found


def _sparse(papers: Rows) -> Any:
    from scipy import sparse

    ends = np.concatenate([[0], papers.ends])
    return sparse.csr_matrix((papers.values, papers.places, ends), shape=(len(papers), rules.PLACES))


def _theirs(texts: Sequence[str]) -> Any:
    """The features of arxiv-sanity-lite (its compute.py, of 2022)."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(
        strip_accents="unicode",
        stop_words="english",
        token_pattern=r"(?u)\b[a-zA-Z_][a-zA-Z0-9_]+\b",  # noqa: S106  # a pattern, no password
        ngram_range=(1, 2),
        max_features=20_000,
        sublinear_tf=True,
        max_df=0.1,
        min_df=5,
        dtype=np.float32,
    ).fit_transform(texts)


def _svm(features: Any, case: Case, softness: float) -> Floats:
    from scipy import sparse
    from sklearn.svm import LinearSVC

    wanted = np.concatenate([np.ones(len(case.saved)), np.zeros(len(case.background))])
    machine = LinearSVC(class_weight="balanced", C=softness, max_iter=10_000, tol=1e-6)
    machine.fit(sparse.vstack([features[case.saved], features[case.background]]), wanted)
    scores: Floats = machine.decision_function(features[case.edition])
    return scores


def ndcg(scores: Floats, gains: Floats) -> float:
    """nDCG@10 of the order by score (Järvelin and Kekäläinen 2002); gains are 0 or 1."""
    first = np.argsort(-scores, kind="stable")[:FIRST]
    best = _DISCOUNTS[: min(FIRST, int(gains.sum()))].sum()
    return float(gains[first] @ _DISCOUNTS / best)


def recall(scores: Floats, gains: Floats) -> float:
    """The share of the reader's papers that stand among the first FOUND."""
    return float(gains[np.argsort(-scores, kind="stable")[:FOUND]].sum() / gains.sum())


def times_only() -> None:
    """Measure only the times, and put them into the record in the place of those that it has."""
    path = recording.RECORDS / "profile.json"
    figures = json.loads(path.read_text(encoding="utf-8"))["figures"]
    recording.write("profile", {**figures, "times": profile_times.measured()})


if __name__ == "__main__":
    times_only() if sys.argv[1:] == ["--times"] else main()
