"""The back-test of the ranking on an invented history: what it reads, that it cannot cheat, what it writes."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from broadsheet.web.pages.about import BACKTEST

FIRST_DAY = date(2024, 3, 4)
DAYS = 40
NAMES = ["bench_ranking", "daily_history", "recording"]


@pytest.fixture
def bench(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The benchmark with a short time of learning, writing its record to a folder of its own."""
    monkeypatch.syspath_prepend(str(repository / "broadsheet" / "benchmarks"))
    module = importlib.import_module("bench_ranking")
    monkeypatch.setattr(module, "WARM_UP", 20)
    monkeypatch.setattr(module, "DRAWN", 50)
    monkeypatch.setattr(importlib.import_module("recording"), "RECORDS", tmp_path / "records")
    yield module
    for name in NAMES:
        sys.modules.pop(name, None)


def lines() -> Iterator[dict[str, Any]]:
    """Six papers a day; those about lamps are liked, and so is everything by Ada Example."""
    for n in range(DAYS):
        day = FIRST_DAY + timedelta(days=n)
        began = datetime(day.year, day.month, day.day, tzinfo=UTC)
        for place in range(6):
            subject = "lamps" if (place + n) % 3 == 0 else "meadows"
            liked = 10 * (subject == "lamps") + 5 * (place == n % 6)
            yield {
                "date": f"{day}",
                "arxiv_id": f"2403.{n * 10 + place:05}",
                "title": f"On {subject}, part {n}",
                "abstract": f"Something about {subject}." + " The code is public." * (place == 1),
                "authors": ["Ada Example"] if place == n % 6 else [f"Writer {n} {place}"],
                "published_at": f"{began - timedelta(hours=30 - place):%Y-%m-%dT%H:%M:%S.000Z}",
                "daily_at": f"{began + timedelta(hours=place):%Y-%m-%dT%H:%M:%S.000Z}",
                "upvotes": 1 + liked + place % 2,
                "snapshots": [{"at": f"{began + timedelta(hours=18):%Y-%m-%dT%H:%M:%SZ}", "upvotes": liked}],
                "submitter": "ak",
                "github_repo": None,
            }


@pytest.fixture
def history(tmp_path: Path) -> Path:
    path = tmp_path / "history.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines()), encoding="utf-8")
    return path


def test_the_record_tells_how_every_order_did(bench: ModuleType, history: Path, tmp_path: Path) -> None:
    bench.main(history)
    record = json.loads((tmp_path / "records" / "ranking.json").read_text(encoding="utf-8"))
    figures = record["figures"]
    assert figures["read"] == {"days": 40, "papers": 240, "first": "2024-03-04", "last": "2024-04-12"}
    assert figures["judged"]["days"] == 20
    orders = {name: order["ndcg_10"] for name, order in figures["orders"].items()}
    assert orders["text"] > orders["random"] + 0.1, "lamps are liked"
    assert orders["authors"] > orders["random"], "Ada Example is liked"
    assert orders["all"] > orders["text"], "and both together tell more"
    assert all(
        low <= order["ndcg_10"] <= high for order in figures["orders"].values() for low, high in [order["interval_95"]]
    )


def test_no_order_of_a_day_depends_on_the_votes_of_that_day_or_later(bench: ModuleType, history: Path) -> None:
    days = bench.history.read(history)
    turned = [
        replace(day, papers=tuple(replace(paper, votes=0 if paper.votes > 5 else 1_000) for paper in day.papers))
        for day in days
    ]
    other = [*days[:22], *turned[22:]]
    assert bench.ordered(other, other[20:23]) == bench.ordered(days, days[20:23])
    before, after = (bench.ordered(each, each[35:]) for each in (days, other))
    assert all(before[name] != after[name] for name in ("text", "authors")), "those of days before are known"


def test_votes_that_were_read_later_are_not_known_before(bench: ModuleType, history: Path) -> None:
    days = bench.history.read(history)
    late = [
        replace(day, papers=tuple(replace(paper, read=paper.read + timedelta(days=90)) for paper in day.papers))
        for day in days
    ]
    assert not any(day.tells for day in late)
    unknown = bench.ordered(late, late[20:])
    assert unknown["authors"] == unknown["newest"]


@pytest.mark.parametrize(
    ("order", "gains", "expected"),
    [
        pytest.param([0, 1, 2], [3, 2, 1], 1.0, id="the order of the evening"),
        pytest.param([1, 0], [0, 1], 1.0, id="the best first"),
        pytest.param([0, 1], [0, 1], 1 / np.log2(3), id="the best second"),
        pytest.param([*range(1, 11), 0], [1, *[0] * 10], 0.0, id="the best eleventh"),
    ],
)
def test_the_figure_of_a_day(bench: ModuleType, order: list[int], gains: list[int], expected: float) -> None:
    assert bench.ndcg(order, gains) == pytest.approx(expected)


def test_the_figure_of_a_random_order_is_the_mean_of_all_orders(bench: ModuleType) -> None:
    chance = np.random.default_rng(1)
    gains = [5, 3, 1, 0, 0, 2, 0, 0, 1, 9, 4, 0]
    drawn = [bench.ndcg(chance.permutation(len(gains)), gains) for _ in range(4000)]
    assert bench.expected_ndcg(gains) == pytest.approx(np.mean(drawn), abs=0.01)


def test_the_page_about_ranking_tells_what_was_measured(repository: Path) -> None:
    path = repository / "broadsheet" / "benchmarks" / "records" / "ranking.json"
    figures = json.loads(path.read_text(encoding="utf-8"))["figures"]
    judged, read = figures["judged"], figures["read"]
    assert (BACKTEST.days, BACKTEST.papers) == (judged["days"], judged["papers"])
    assert (f"{BACKTEST.first}", f"{BACKTEST.last}") == (judged["first"], read["last"])
    for order in BACKTEST.orders:
        assert order.ndcg == round(figures["orders"][order.record]["ndcg_10"], 2), order.name
