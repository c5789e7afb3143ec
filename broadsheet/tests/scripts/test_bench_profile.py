"""The benchmark of profiles on invented readers: what it measures, and that a profile finds what it should."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from broadsheet.following.rules import profiles as rules

NAMES = ["bench_profile", "profile_readers", "profile_times", "recording", "corpus", "search_papers", "search_data",
         "remembered_vectors"]  # fmt: skip
WORDS = ["harbour", "meadow", "lamp", "stone"]


@pytest.fixture
def bench(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The benchmark, with small editions."""
    monkeypatch.syspath_prepend(str(repository / "broadsheet" / "benchmarks"))
    module = importlib.import_module("bench_profile")
    readers = importlib.import_module("profile_readers")
    monkeypatch.setattr(readers, "EDITION", 100)
    monkeypatch.setattr(readers, "BACKGROUND", 60)
    monkeypatch.setattr(module, "DRAWN", 50)
    yield module
    for name in NAMES:
        sys.modules.pop(name, None)


def test_ndcg_and_recall(bench: ModuleType) -> None:
    gains = np.array([0, 1, 0, 1, *[0] * 96], np.float32)
    best = np.array([0, 3, 0, 2, *[0] * 96], np.float32)
    assert bench.ndcg(best, gains) == pytest.approx(1.0)
    assert bench.ndcg(-best, gains) == 0.0
    assert bench.recall(best, gains) == 1.0
    assert bench.recall(-best, gains) == 0.0


def test_a_profile_finds_what_is_like_what_was_saved(bench: ModuleType) -> None:
    readers = sys.modules["profile_readers"]
    titles = [f"{WORDS[at % 4]} of number{at}" for at in range(600)]
    packed = [rules.terms(title, "").packed() for title in titles]
    places = np.concatenate([rules.unpacked(content)[0] for content in packed]).astype(np.int64)
    nothing = np.zeros(0, np.float32)
    known = rules.scale(np.bincount(places, minlength=rules.PLACES), len(packed), nothing)
    groups = {"libraries": [np.arange(word, 600, 4) for word in range(4)]}
    invented = readers.Collection("invented", packed, [None] * 600, np.zeros(0), [], groups, known)
    cases = readers.cases(invented, "libraries", 5, 9, np.random.default_rng(1))
    assert len(cases) == 4
    for case in cases:
        assert len(case.saved) == 5
        assert len(case.edition) == 100
        assert case.gains.sum() == readers.MOST_HELD
        assert not set(case.saved) & set(case.edition)
        assert not set(case.saved) & set(case.background)
    found = bench.judge(invented, "libraries", 5, cases)
    assert found["ours"]["ndcg_10"] == pytest.approx(1.0)
    assert found["random"]["ndcg_10"] < 0.9
