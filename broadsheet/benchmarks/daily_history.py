"""Daily lists with the votes of their evenings, and what could be known of their papers in the morning.

A line of the file is a paper of a day's list: `date`, `arxiv_id`, `title`, `abstract`, `authors`, `published_at`,
`daily_at` (when it entered the list), `upvotes`, `snapshots` (the last one's `at` is when the votes were read), and
where known `submitter` and `github_repo`.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from math import log1p
from pathlib import Path
from typing import Any

from broadsheet.editions.rules import Facts

# A list whose votes were read later than this after its day began tells no evening.
LATEST = timedelta(hours=36)

# An abstract that says where its code is, or will be.
_CODE = re.compile(r"(?:github|gitlab)\.(?:com|io)/|code (?:is|are|will be) |open[- ]sourced? ", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Listed:
    """A paper of a day's list, and the votes that it had when they were read."""

    key: str
    title: str
    abstract: str
    authors: tuple[str, ...]
    published: datetime
    listed: datetime
    submitter: str
    repository: bool
    votes: int
    read: datetime

    @property
    def names_code(self) -> bool:
        """Whether the abstract says where the code is."""
        return bool(_CODE.search(self.abstract))

    @property
    def text(self) -> str:
        """What a model of text reads: the title counts twice."""
        return f"{self.title}\n{self.title}\n{self.abstract}"


@dataclass(frozen=True, slots=True)
class Day:
    """A day's list."""

    day: date
    papers: tuple[Listed, ...]

    @property
    def morning(self) -> datetime:
        """The moment at which the list is ordered: the day's beginning in UTC."""
        return datetime.combine(self.day, time(), UTC)

    @property
    def votes(self) -> list[int]:
        """The votes of the evening, in the order of the papers."""
        return [paper.votes for paper in self.papers]

    @property
    def tells(self) -> bool:
        """Whether its votes can judge an order: read in time, with at least two papers and one vote."""
        in_time = all(paper.read - self.morning <= LATEST for paper in self.papers)
        return in_time and len(self.papers) > 1 and any(self.votes)


def read(path: Path) -> list[Day]:
    """The days of the file, the earliest first; plain lines, or packed by zstd. Exits with a sentence for no file."""
    if not path.is_file():
        sys.exit(f"There is no file {path}. HISTORY names daily lists with votes, one paper on each line.")
    days: dict[date, list[Listed]] = defaultdict(list)
    for line in _lines(path):
        entry = json.loads(line)
        days[date.fromisoformat(entry["date"])].append(_listed(entry))
    return [Day(day, tuple(sorted(papers, key=lambda paper: paper.key))) for day, papers in sorted(days.items())]


def _lines(path: Path) -> Iterator[bytes]:
    if path.suffix != ".zst":
        yield from path.read_bytes().splitlines()
        return
    with subprocess.Popen(["zstd", "-dcq", str(path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield from process.stdout


def _listed(entry: dict[str, Any]) -> Listed:
    return Listed(
        key=entry["arxiv_id"],
        title=entry["title"],
        abstract=entry["abstract"] or "",
        authors=tuple(entry["authors"] or ()),
        published=datetime.fromisoformat(entry["published_at"]),
        listed=datetime.fromisoformat(entry["daily_at"]),
        submitter=entry.get("submitter") or "",
        repository=bool(entry.get("github_repo")),
        votes=entry["upvotes"],
        read=datetime.fromisoformat(entry["snapshots"][-1]["at"]),
    )


def facts(day: Day, *, repositories: bool = False) -> list[Facts]:
    """What our ranking knows of the papers in the morning. `repositories`: also those that stand in the evening's list.

    All papers of a list count as announced on its day, and all are of one field, as the lists name none.
    """
    return [
        Facts(
            paper_id=number, key=paper.key, announced=day.day, submitted=None, section="",
            has_code=paper.names_code or (repositories and paper.repository), has_summary=False, sources=1,
            runnable="", shipped=False,
        )
        for number, paper in enumerate(day.papers)
    ]  # fmt: skip


def liked(day: Day) -> list[float]:
    """How much more each paper was liked than its day's mean, in logarithms of votes: days differ in their readers."""
    logs = [log1p(votes) for votes in day.votes]
    mean = sum(logs) / len(logs)
    return [value - mean for value in logs]


# So many papers without any liking are added to what is known of a name, so that one success is no rule.
PRIOR = 3


class Reputation:
    """What papers with a name on them were liked before; the name is an author's or a submitter's."""

    def __init__(self, names: Callable[[Listed], Sequence[str]]) -> None:
        self._names = names
        self._sum: defaultdict[str, float] = defaultdict(float)
        self._papers: Counter[str] = Counter()

    def learn(self, day: Day) -> None:
        """Take in a day whose votes are known."""
        for paper, value in zip(day.papers, liked(day), strict=True):
            for name in set(self._names(paper)):
                self._sum[name] += value
                self._papers[name] += 1

    def of(self, paper: Listed) -> float:
        """The liking of the name that differs most from the mean, in logarithms of votes; 0 for unknown names."""
        known = [self._sum[name] / (self._papers[name] + PRIOR) for name in self._names(paper) if self._papers[name]]
        return max(known, key=abs, default=0.0)
