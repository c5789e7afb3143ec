"""Fill an instance with invented people and what they do: votes, comments, shelves. `python crowd.py DATA SIZES…`

Papers get votes and comments as unevenly as people give them (Zipf's law); the paper with most of both is printed, so
that its page can be asked for, and so are the names and session keys of some people. Rows are written as the actions
would leave them, tallies included; what they mean is tested elsewhere.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

CHANCE = random.Random(20261122)  # noqa: S311  # invented people, no secret
NOW = datetime.now(UTC)
BATCH = 50_000

WORDS = (
    "the step bound holds on every seed",
    "we ran",
    "but not without the lamp",
    "and its $\\ell_2$ norm",
    "grows like",
)


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much there is of everything."""

    people: int = 10_000
    votes: int = 1_000_000
    comments: int = 100_000
    entries: int = 100_000
    shelved: int = 50_000


@dataclass(frozen=True, slots=True)
class Known:
    """What a benchmark asks for: the most discussed paper, people with their sessions, shelves that are public."""

    busiest: str
    people: list[str]
    sessions: list[str]
    shelves: list[str]
    counts: dict[str, int]


def fill(sizes: Sizes) -> Known:
    """Write everything and return what to ask for. Needs Django set up, and papers."""
    from broadsheet.papers.models import Paper  # Django is set up by now

    papers = list(Paper.objects.filter(merged_into=None).order_by("id").values_list("id", "key"))
    CHANCE.shuffle(papers)
    ids = [paper for paper, _ in papers]
    people = _people(sizes.people)
    counts = {
        "papers": len(ids),
        "people": len(people),
        "votes": _votes(ids, people, sizes.votes),
        "comments": _comments(ids, people, sizes.comments),
    }
    shelves = _library(ids, people, sizes)
    counts |= {"library entries": sizes.entries, "shelves": len(shelves), "papers on shelves": sizes.shelved}
    some = people[:50]
    return Known(papers[0][1], [f"reader-{person}" for person in range(50)], _sessions(some), shelves[:50], counts)


def _people(count: int) -> list[int]:
    from broadsheet.accounts.models import User  # as above

    rows = [
        User(name=f"reader-{number}", shown=f"Reader {number}", email=f"reader-{number}@example.org")
        for number in range(count)
    ]
    User.objects.bulk_create(rows, batch_size=1_000)
    return list(User.objects.filter(name__startswith="reader-").order_by("id").values_list("id", flat=True))


def _zipf(count: int, places: int) -> Iterator[int]:
    """`count` places from 0, the first ones most often."""
    weights = [1 / (rank + 5) ** 0.8 for rank in range(places)]
    while count > 0:
        part = min(count, BATCH)
        yield from CHANCE.choices(range(places), weights, k=part)
        count -= part


def _when() -> datetime:
    return NOW - timedelta(seconds=CHANCE.expovariate(1 / (40 * 86_400)))


def _store(model: Any, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    from django.db import transaction  # as above

    from broadsheet.storage import insert_rows  # as above

    for start in range(0, len(rows), BATCH):
        with transaction.atomic():
            insert_rows(model, columns, rows[start : start + BATCH])


def _votes(papers: list[int], people: list[int], count: int) -> int:
    from broadsheet.community.models.votes import Tally, Vote  # as above
    from broadsheet.storage import timestamp  # as above

    cast: set[tuple[int, int]] = set()
    while len(cast) < count:
        cast |= {(papers[place], CHANCE.choice(people)) for place in _zipf(count - len(cast), len(papers))}
    rows = [(person, paper, None, "counted", timestamp(_when())) for paper, person in cast]
    _store(Vote, ("user_id", "paper_id", "ring_id", "state", "cast_at"), rows)
    tallies = Counter(paper for paper, _ in cast)
    now = timestamp(NOW)
    _store(Tally, ("paper_id", "votes", "held", "changed_at"), [(paper, n, 0, now) for paper, n in tallies.items()])
    return len(rows)


def _comments(papers: list[int], people: list[int], count: int) -> int:
    from broadsheet.community.models.comments import Comment  # as above
    from broadsheet.community.rules.markup import to_html  # as above
    from broadsheet.storage import timestamp  # as above

    bodies = [" ".join(CHANCE.choices(WORDS, k=CHANCE.randint(2, 20))) for _ in range(200)]
    texts = [(body, to_html(body)) for body in bodies]
    first = (Comment.objects.order_by("-id").values_list("id", flat=True).first() or 0) + 1
    threads: dict[int, list[int]] = {}
    rows = []
    for number, place in enumerate(_zipf(count, len(papers)), first):
        paper, (body, html) = papers[place], CHANCE.choice(texts)
        begun = threads.setdefault(paper, [])
        thread = CHANCE.choice(begun) if begun and CHANCE.random() < 0.6 else None
        if thread is None:
            begun.append(number)
        at = timestamp(_when())
        rows.append((number, paper, CHANCE.choice(people), thread, thread, None, body, html, at, None, None, "", ""))
    columns = ("id", "paper_id", "author_id", "parent_id", "thread_id", "group_id", "body", "html", "made_at")
    _store(Comment, (*columns, "edited_at", "removed_at", "moderated", "because"), rows)
    return len(rows)


def _library(papers: list[int], people: list[int], sizes: Sizes) -> list[str]:
    from broadsheet.library.models import LibraryEntry, Placement, Shelf  # as above
    from broadsheet.storage import timestamp  # as above

    # The first fifty, who are asked for, have a library of some hundred papers each.
    readers = people[:50] + people
    kept = set()
    while len(kept) < sizes.entries:
        few = CHANCE.random() < 0.2
        kept.add((CHANCE.choice(readers[:50] if few else readers), CHANCE.choice(papers)))
    now = timestamp(NOW)
    rows = [(person, paper, "", "unread", None, "[]", now, now, None) for person, paper in kept]
    columns = ("user_id", "paper_id", "note", "state", "rating", "tags", "added_at", "changed_at", "removal_id")
    _store(LibraryEntry, columns, rows)
    owners = people[: max(1, len(people) // 5)]
    shelves = Shelf.objects.bulk_create(
        [Shelf(user_id=one, name="Lamps", slug="lamps", position=0, is_public=True, made_at=NOW) for one in owners],
        batch_size=1_000,
    )
    placed = set()
    while len(placed) < sizes.shelved:
        placed.add((CHANCE.choice(shelves).id, CHANCE.choice(papers)))
    rows = [(shelf, paper, place, now, None, None) for place, (shelf, paper) in enumerate(sorted(placed))]
    _store(Placement, ("shelf_id", "paper_id", "position", "added_at", "added_by_id", "removal_id"), rows)
    return [f"reader-{number}" for number in range(len(owners))]


def _sessions(people: list[int]) -> list[str]:
    from django.conf import settings  # as above
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
    from django.contrib.sessions.backends.db import SessionStore

    keys = []
    for user in get_user_model().objects.filter(id__in=people):
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.create()
        keys.append(str(session.session_key))
    return keys


def main() -> None:
    """Fill the data folder that is named, and print what to ask for as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    for name, usual in asdict(Sizes()).items():
        parser.add_argument(f"--{name}", type=int, default=usual)
    wanted = parser.parse_args()
    os.environ |= {"BROADSHEET_DATA": wanted.data, "DJANGO_SETTINGS_MODULE": "broadsheet.config.settings"}
    import django  # the folder has to be said first

    django.setup()
    known = fill(Sizes(wanted.people, wanted.votes, wanted.comments, wanted.entries, wanted.shelved))
    json.dump(asdict(known), sys.stdout)


if __name__ == "__main__":
    main()
