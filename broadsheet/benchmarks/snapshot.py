"""A pretended arXiv metadata snapshot of any length, in the format of the real one, resampled from real papers.

Each line is a real paper of the corpora under a new identifier; from the second round on with its title's words mixed
with another paper's, sentences of its abstract in another order, and authors put together from real names, so that
identifiers, titles and author lists are as many and as varied as in a snapshot of that length. It says nothing about
real papers and is never kept.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

import corpus

# Identifiers have five digits after the point since this month; so many months later it is 2026.
FIRST_YEAR = 2015
MONTHS = 143
SEED = 7


@dataclass(frozen=True, slots=True)
class _Real:
    """What one real paper lends to many pretended ones."""

    title: list[str]
    sentences: list[str]
    authors: list[tuple[str, str]]
    categories: str
    comments: str | None


def write(path: Path, count: int, *, seed: int = SEED) -> int:
    """Write a snapshot of `count` lines in the order of identifiers. Returns its size in bytes."""
    real = [_real(paper) for paper in corpus.papers(100_000)]
    with path.open("wb") as lines:
        for line in _lines(real, count, random.Random(seed)):  # noqa: S311  # resampling, not secrecy
            lines.write(line)
    return path.stat().st_size


def _lines(real: list[_Real], count: int, chance: random.Random) -> Iterator[bytes]:
    a_month = -(-count // MONTHS)
    for number in range(count):
        month, place = divmod(number, a_month)
        year, in_year = divmod(month, 12)
        day = datetime(FIRST_YEAR + year, in_year + 1, 1, tzinfo=UTC) + timedelta(minutes=place * 40_000 // a_month)
        identifier = f"{(FIRST_YEAR + year) % 100:02}{in_year + 1:02}.{place + 1:05}"
        paper, other = real[number % len(real)], chance.choice(real)
        lent = _mixed(paper, other, chance) if number >= len(real) else paper
        yield orjson.dumps(_line(identifier, lent, day, chance)) + b"\n"


def _mixed(paper: _Real, other: _Real, chance: random.Random) -> _Real:
    return replace(
        paper,
        title=_renamed([*paper.title[: len(paper.title) // 2 + 1], *other.title[len(other.title) // 2 :]], chance),
        sentences=chance.sample(paper.sentences, len(paper.sentences)),
        authors=[(mine[0], theirs[1]) for mine, theirs in zip(paper.authors, _cycled(other.authors), strict=False)],
    )


def _renamed(title: list[str], chance: random.Random) -> list[str]:
    """With another name before the colon: names of methods are what real titles hardly ever share."""
    return [
        f"{word[:-1]}{''.join(chance.choices('aeiklmnorstu', k=5))}:" if word.endswith(":") else word for word in title
    ]


def _line(identifier: str, paper: _Real, day: datetime, chance: random.Random) -> dict[str, Any]:
    authors = paper.authors
    versions = chance.choices((1, 2, 3), (60, 28, 12))[0]
    times = [day + timedelta(days=97 * n) for n in range(versions)]
    return {
        "id": identifier,
        "submitter": f"{authors[0][0]} {authors[0][1]}" if authors else None,
        "authors": ", ".join(" ".join(name).strip() for name in authors),
        "title": " ".join(paper.title),
        "comments": paper.comments,
        "journal-ref": None,
        "doi": f"10.5555/{identifier}" if chance.random() < 0.4 else None,
        "report-no": None,
        "categories": paper.categories,
        "license": "http://arxiv.org/licenses/nonexclusive-distrib/1.0/",
        "abstract": "  " + ". ".join(paper.sentences) + "\n",
        "versions": [
            {"version": f"v{n}", "created": at.strftime("%a, %-d %b %Y %H:%M:%S GMT")} for n, at in enumerate(times, 1)
        ],
        "update_date": times[-1].strftime("%Y-%m-%d"),
        "authors_parsed": [[family, given, ""] for given, family in authors],
    }


def _cycled(names: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    while True:
        yield from names or [("Ada", "Example")]


def _real(paper: dict[str, Any]) -> _Real:
    names = [name.rpartition(" ") for name in paper.get("authors", ())]
    return _Real(
        title=paper["title"].split(),
        sentences=paper["abstract"].split(". ") if paper.get("abstract") else [],
        authors=[(given, family) for given, _, family in names],
        categories=" ".join(paper.get("categories", ["cs.LG"])),
        comments=paper.get("comments"),
    )
