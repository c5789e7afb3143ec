"""How well the order that we would have printed in the morning agrees with the votes of the evening.

`python bench_ranking.py HISTORY` reads daily lists with votes (`daily_history`). Each day from the 61st on is ordered
by what was known when it began: its papers' titles, abstracts and authors, and the votes of earlier days, never its
own. The figure of a day is nDCG@10 with votes as gains (Järvelin and Kekäläinen 2002): 1 is the order of the evening.
Those of all days are averaged; intervals are of 95 %, by drawing whole weeks with replacement. The figure of a random
order is its expected value, computed and not drawn. The text model is ridge regression on TF-IDF of title and abstract,
trained anew each Monday on all earlier days.

The orders: `newest` and `oldest` by submission; `first_listed`, which tells how much of the votes is time on the list;
`rule`, ours without votes; `rule_oldest`, ours with the lowest number first among equals; `rule_repositories`, knowing
repositories that may have been named during the day; `rule_authors` and `rule_text`, ours with one more reason; `team`,
the most authors first; `authors` and `submitter`, by what was liked of theirs before; `text`; `all` that was known.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
import daily_history as history
import recording
from broadsheet.editions import rules
from broadsheet.editions.rules import Facts
from daily_history import Day, Listed

FIRST = 10  # places
WARM_UP = 60  # days that are only learned from
DRAWN = 10_000  # samples of weeks
RIDGE = 10.0  # of the penalty; 1 to 30 differ by less than 0.02
OPTIONAL = 2.0  # points, at most, of a reason that is tried out

_DISCOUNTS = 1 / np.log2(np.arange(2, FIRST + 2))

Order = Sequence[int]
Values = Sequence[float]


def main(path: Path) -> None:
    """Order every day in every way, and write the record."""
    days = history.read(path)
    judged = [day for day in days[WARM_UP:] if day.tells]
    if not judged:
        sys.exit(f"{path} has {len(days)} days; the first {WARM_UP} are learned from, and no later one has votes.")
    orders = ordered(days, judged)
    recording.write("ranking", figures(days, judged, orders))


def ordered(days: Sequence[Day], judged: Sequence[Day]) -> dict[str, list[Order]]:
    """For each way of ordering the orders of the judged days."""
    authors, submitter = (
        _reputations(days, names) for names in (lambda paper: paper.authors, lambda paper: [paper.submitter])
    )
    text, all_known = (_predicted(days, extra) for extra in (None, (authors, submitter)))
    ways: dict[str, Callable[[Day], Order]] = {
        "newest": lambda day: _by([paper.published.timestamp() for paper in day.papers], day),
        "oldest": lambda day: _by([-paper.published.timestamp() for paper in day.papers], day),
        "first_listed": lambda day: _by([-paper.listed.timestamp() for paper in day.papers], day),
        "rule": lambda day: _ranked(history.facts(day)),
        "rule_oldest": lambda day: _oldest_first(history.facts(day)),
        "rule_repositories": lambda day: _ranked(history.facts(day, repositories=True)),
        "rule_authors": lambda day: _with(day, authors[day.day]),
        "rule_text": lambda day: _with(day, text[day.day]),
        "team": lambda day: _by([len(paper.authors) for paper in day.papers], day),
        "authors": lambda day: _by(authors[day.day], day),
        "submitter": lambda day: _by(submitter[day.day], day),
        "text": lambda day: _by(text[day.day], day),
        "all": lambda day: _by(all_known[day.day], day),
    }
    return {name: [way(day) for day in judged] for name, way in ways.items()}


def _by(values: Values, day: Day) -> Order:
    """The greatest first; of equal ones the newest."""
    papers = day.papers
    return sorted(range(len(papers)), key=lambda at: (-values[at], -papers[at].published.timestamp(), papers[at].key))


def _ranked(papers: Iterable[Facts]) -> Order:
    return [place.paper_id for place in rules.rank(papers)]


def _oldest_first(papers: Iterable[Facts]) -> Order:
    """Our rule as it was until it was judged here: equal papers by their numbers, the lowest first."""
    scores = {place.paper_id: place.score for place in rules.rank(papers)}
    return sorted(scores, key=lambda paper: (-scores[paper], paper))


def _with(day: Day, values: Values) -> Order:
    """Our rule and one more reason: at most OPTIONAL points, by the share of the day's papers that it puts below."""
    base = {place.paper_id: place.score for place in rules.rank(history.facts(day))}
    below = [sum(other < value for other in values) / len(values) for value in values]
    return _by([base[at] + OPTIONAL * share for at, share in enumerate(below)], day)


def _reputations(days: Sequence[Day], names: Callable[[Listed], Sequence[str]]) -> dict[date, list[float]]:
    """For each day what was known of its names when it began."""
    known = history.Reputation(names)
    waiting = list(days)
    result = {}
    for day in days:
        learned = [before for before in waiting if before.day < day.day and _is_read(before, day)]
        for before in learned:
            known.learn(before)
            waiting.remove(before)
        result[day.day] = [known.of(paper) for paper in day.papers]
    return result


def _is_read(before: Day, day: Day) -> bool:
    return all(paper.read < day.morning for paper in before.papers)


def _predicted(days: Sequence[Day], extra: Sequence[dict[date, list[float]]] | None) -> dict[date, list[float]]:
    """For each day what a model of earlier days expects of its papers; with `extra`, of all that is known of them."""
    result: dict[date, list[float]] = {}
    for monday in sorted({day.day - timedelta(days=day.day.weekday()) for day in days}):
        week = [day for day in days if monday <= day.day < monday + timedelta(days=7)]
        past = [day for day in days if day.day < monday and _is_read(day, week[0])]
        papers = sum(len(day.papers) for day in past)
        if papers < 100:
            result |= {day.day: [0.0] * len(day.papers) for day in week}
            continue
        model = _Model(past, extra)
        result |= {day.day: model.expects(day) for day in week}
    return result


class _Model:
    """Ridge regression on TF-IDF, and on the size of the team, code and reputations where those are given."""

    def __init__(self, past: Sequence[Day], extra: Sequence[dict[date, list[float]]] | None) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import Ridge

        self._extra = extra
        self._words = TfidfVectorizer(sublinear_tf=True, min_df=2, stop_words="english")
        self._words.fit([paper.text for day in past for paper in day.papers])
        self._ridge = Ridge(alpha=RIDGE, solver="sparse_cg", tol=1e-4)
        self._ridge.fit(self._seen(past), [value for day in past for value in history.liked(day)])

    def expects(self, day: Day) -> list[float]:
        """How much more each paper of the day will be liked than the mean, in logarithms of votes."""
        return [float(value) for value in self._ridge.predict(self._seen([day]))]

    def _seen(self, days: Sequence[Day]) -> Any:
        from scipy import sparse

        words = self._words.transform([paper.text for day in days for paper in day.papers])
        if self._extra is None:
            return words
        rows = [
            [np.log1p(len(paper.authors)), paper.names_code, *(known[day.day][at] for known in self._extra)]
            for day in days
            for at, paper in enumerate(day.papers)
        ]
        return sparse.hstack([words, sparse.csr_matrix(np.array(rows, dtype=float))]).tocsr()


def ndcg(order: Order, gains: Sequence[float]) -> float:
    """nDCG@10 of an order, from 0 to 1. Some gain must be above 0."""
    held = np.asarray(gains, dtype=float)
    first = min(FIRST, len(held))
    best = np.sort(held)[::-1][:first] @ _DISCOUNTS[:first]
    return float(held[list(order)[:first]] @ _DISCOUNTS[:first] / best)


def expected_ndcg(gains: Sequence[float]) -> float:
    """The mean nDCG@10 of all orders, from 0 to 1: every place holds the mean gain."""
    held = np.asarray(gains, dtype=float)
    first = min(FIRST, len(held))
    best = np.sort(held)[::-1][:first] @ _DISCOUNTS[:first]
    return float(held.mean() * _DISCOUNTS[:first].sum() / best)


def figures(days: Sequence[Day], judged: Sequence[Day], orders: dict[str, list[Order]]) -> dict[str, Any]:
    """What goes into the record: what was read, and how each way of ordering did."""
    chance = [expected_ndcg(day.votes) for day in judged]
    scores = {
        name: [ndcg(order, day.votes) for order, day in zip(way, judged, strict=True)] for name, way in orders.items()
    }
    logs = {
        name: [ndcg(order, np.log2(1 + np.array(day.votes))) for order, day in zip(way, judged, strict=True)]
        for name, way in orders.items()
    }
    drawn = _weeks_drawn(judged)
    ways: dict[str, Any] = {
        "random": {"ndcg_10": round(float(np.mean(chance)), 4), "interval_95": _interval(chance, drawn)}
    }
    for name, values in scores.items():
        ways[name] = {
            "ndcg_10": round(float(np.mean(values)), 4),
            "interval_95": _interval(values, drawn),
            "above_newest": _difference(values, scores["newest"], drawn),
            "above_random": _difference(values, chance, drawn),
            "ndcg_10_of_logarithms": round(float(np.mean(logs[name])), 4),
            "best_among_first_three": _found(orders[name], judged),
            "by_year": _by_year(values, judged),
        }
    ways["random"]["by_year"] = _by_year(chance, judged)
    return {
        "read": {
            "days": len(days),
            "papers": sum(len(day.papers) for day in days),
            "first": str(days[0].day),
            "last": str(days[-1].day),
        },
        "judged": {
            "days": len(judged),
            "papers": sum(len(day.papers) for day in judged),
            "first": str(judged[0].day),
            "left_out": len(days) - WARM_UP - len(judged),
            "median_papers": float(np.median([len(day.papers) for day in judged])),
            "hours_on_the_list": _exposure(judged),
        },
        "orders": ways,
    }


def _weeks_drawn(judged: Sequence[Day]) -> list[Any]:
    """Samples of the judged days, by their places: whole weeks, as days beside each other are alike."""
    chance = np.random.default_rng(1)
    weeks: dict[tuple[int, int], list[int]] = {}
    for at, day in enumerate(judged):
        weeks.setdefault(day.day.isocalendar()[:2], []).append(at)
    groups = [np.array(group) for group in weeks.values()]
    return [
        np.concatenate([groups[at] for at in chance.integers(0, len(groups), len(groups))]) for _sample in range(DRAWN)
    ]


def _interval(values: Values, drawn: list[Any]) -> list[float]:
    held = np.asarray(values)
    means = [held[sample].mean() for sample in drawn]
    return [round(float(bound), 4) for bound in np.percentile(means, [2.5, 97.5])]


def _difference(values: Values, others: Values, drawn: list[Any]) -> dict[str, Any]:
    between = np.asarray(values) - np.asarray(others)
    return {"mean": round(float(between.mean()), 4), "interval_95": _interval(list(between), drawn)}


def _found(orders: Sequence[Order], judged: Sequence[Day]) -> float:
    """The share of days on which one of the most voted papers stands among the first three, from 0 to 1."""
    hits = [any(day.votes[at] == max(day.votes) for at in order[:3]) for order, day in zip(orders, judged, strict=True)]
    return round(sum(hits) / len(hits), 3)


def _by_year(values: Values, judged: Sequence[Day]) -> dict[str, float]:
    years = sorted({day.day.year for day in judged})
    return {
        str(year): round(
            float(np.mean([value for value, day in zip(values, judged, strict=True) if day.day.year == year])), 4
        )
        for year in years
    }


def _exposure(judged: Sequence[Day]) -> dict[str, float]:
    """How long papers had stood in their lists when votes were read, in hours."""
    hours = [(paper.read - paper.listed) / timedelta(hours=1) for day in judged for paper in day.papers]
    return {f"p{at}": round(float(np.percentile(hours, at)), 1) for at in (5, 50, 95)}


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Say which history: make bench-ranking HISTORY=FILE")
    main(Path(sys.argv[1]))
