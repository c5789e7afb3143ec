"""A part of a library as the database finds it: the same as reading the whole library would find, page by page."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broadsheet.accounts.rules import Person
from broadsheet.bibliography.folding import fold
from broadsheet.library import actions, queries
from broadsheet.library.models import LibraryEntry
from broadsheet.library.queries import Sort, Wanted
from broadsheet.library.rules import State
from broadsheet.papers import queries as papers
from broadsheet.papers.actions import merge_papers, store_many, unmerge_papers
from broadsheet.testing.cast import ADA, DORDE, arxiv, said
from broadsheet.testing.people import ada, bela

pytestmark = pytest.mark.django_db

NAMES = ("Lamps", "Café \\'Etoile", "Steps & stairs", "Don't walk", "Meadows", "$\\ell_2$ lamps", "lamps", "Zinc")
TAGS = ("good", 'say "so"', "été", "a\\b", "go")
KEYS = [f"2401.0010{number}" for number in range(len(NAMES))]
START = datetime.fromisoformat("2026-01-05T12:00:00+00:00")


@pytest.fixture
def ids() -> list[int]:
    """Eight papers, each announced on another day."""
    store_many(
        [
            said(
                name, by="arxiv", key=key, identifiers=(arxiv(key),), authors=(ADA, DORDE), announced=date(2024, 1, day)
            )
            for day, (name, key) in enumerate(zip(NAMES, KEYS, strict=True), 2)
        ]
    )
    return [row.id for row in papers.Paper.objects.order_by("key")]


def by_reading_all(viewer: Person, wanted: Wanted) -> list[int]:
    """What `find` finds, from the whole library: the rule without the database."""
    rows = papers.by_ids([entry.paper_id for entry in queries.everything(viewer)])
    here: set[int] | None = None
    if wanted.shelf is not None:
        here = {each.paper_id for each in queries.placed(wanted.shelf)}
    chosen = []
    for entry in queries.everything(viewer):
        row, kept = rows[entry.paper_id], entry.said
        text = f" {fold(' '.join((row.title, *row.authors, kept.note, *kept.tags)))}"
        if (
            (not wanted.tag or wanted.tag in kept.tags)
            and wanted.state in (None, kept.state)
            and (wanted.rating is None or (kept.rating or 0) >= wanted.rating)
            and (here is None or entry.paper_id in here)
            and all(f" {word}" in text for word in fold(wanted.words).split())
        ):
            chosen.append(entry)
    if wanted.sort is Sort.TITLE:
        chosen.sort(key=lambda entry: entry.paper_id, reverse=True)
        chosen.sort(key=lambda entry: fold(rows[entry.paper_id].title))
    elif wanted.sort is not Sort.ADDED:
        first = {
            Sort.CHANGED: lambda entry: entry.said.changed_at,
            Sort.RATING: lambda entry: entry.said.rating or 0,
            Sort.DAY: lambda entry: rows[entry.paper_id].sort_day,
        }[wanted.sort]
        chosen.sort(key=first, reverse=True)
    return [entry.paper_id for entry in chosen]


def page_by_page(viewer: Person, wanted: Wanted, size: int) -> list[int]:
    found = queries.find(viewer, wanted, limit=size)
    ids = list(found.ids)
    for offset in range(size, found.total + size, size):
        part = queries.find(viewer, wanted, offset=offset, limit=size)
        assert part.total == found.total
        ids += part.ids
    assert len(ids) == found.total
    return ids


entries = st.lists(
    st.tuples(
        st.integers(0, 9),  # minutes until it was saved
        st.integers(0, 3),  # and until it was changed
        st.sampled_from(State),
        st.sampled_from([None, 1, 3, 5]),
        st.lists(st.sampled_from(TAGS), unique=True, max_size=3),
        st.sampled_from(["", "Try the bound", "étoile"]),
    ),
    min_size=len(NAMES),
    max_size=len(NAMES),
)
merges = st.lists(st.integers(0, len(NAMES) - 2), unique=True, max_size=4)
parts = st.builds(
    Wanted,
    tag=st.sampled_from(["", *TAGS, "absent"]),
    state=st.sampled_from([None, *State]),
    rating=st.sampled_from([None, 1, 3, 4]),
    words=st.sampled_from(["", "lamp", "etoile", "exam prim", "dont", "b", "and", "ell 2", "ood"]),
    sort=st.sampled_from(Sort),
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    kept=entries, merged=merges, wanted=parts, saved=st.integers(1, 8), size=st.integers(1, 5), on_shelf=st.booleans()
)
def test_it_is_what_reading_the_whole_library_finds(
    ids: list[int], kept: list[tuple[int, int, State, int | None, list[str], str]], merged: list[int], wanted: Wanted,
    saved: int, size: int, on_shelf: bool,
) -> None:  # fmt: skip
    """Whatever is asked for, in each order, on pages of any size, with any papers merged, in chains too."""
    viewer, other = ada(), bela()
    LibraryEntry.objects.all().delete()
    LibraryEntry.objects.bulk_create(
        LibraryEntry(
            user_id=who.id, paper_id=paper, note=note, state=state, rating=rating, tags=sorted(tags),
            added_at=START + timedelta(minutes=added), changed_at=START + timedelta(minutes=changed),
        )
        for who, papers_ in ((viewer, ids[:saved]), (other, ids))
        for paper, (added, changed, state, rating, tags, note) in zip(papers_, kept, strict=False)
    )  # fmt: skip
    shelf = actions.make_shelf(by=viewer, name="Some")
    actions.place(by=viewer, shelf=shelf, papers_=[ids[0], ids[3], ids[-1]])
    for number in merged:
        merge_papers(winner_key=KEYS[number + 1], loser_key=KEYS[number], reason="one work")
    try:
        asked = Wanted(shelf if on_shelf else None, wanted.tag, wanted.state, wanted.rating, wanted.words, wanted.sort)
        assert page_by_page(viewer, asked, size) == by_reading_all(viewer, asked)
    finally:
        for number in reversed(merged):
            unmerge_papers(key=KEYS[number], reason="they were not")
        actions.remove_shelf(by=viewer, shelf=shelf)


@pytest.mark.parametrize("tag", TAGS)
def test_a_tag_is_found_whole(ids: list[int], tag: str) -> None:
    now = timezone.now()
    for paper, its in zip(ids, TAGS, strict=False):
        LibraryEntry.objects.create(
            user_id=ada().id, paper_id=paper, state="unread", tags=[its], added_at=now, changed_at=now
        )
    assert queries.find(ada(), Wanted(tag=tag)).ids == (ids[TAGS.index(tag)],)
    assert dict(queries.tags(ada())) == dict.fromkeys(TAGS, 1)


def test_a_paper_that_was_removed_is_not_found_and_not_counted(ids: list[int]) -> None:
    actions.keep(by=ada(), papers_=ids)
    actions.drop(by=ada(), papers_=ids[:2])
    found = queries.find(ada(), Wanted())
    assert set(found.ids) == set(ids[2:])
    assert found.total == len(ids) - 2


@pytest.mark.parametrize("wanted", [Wanted(sort=sort) for sort in Sort] + [Wanted(words="lamps", tag="good")])
def test_more_papers_cost_no_more_questions(ids: list[int], wanted: Wanted) -> None:
    asked = []
    for count in (1, 4, 8):
        actions.keep(by=ada(), papers_=ids[:count])
        with CaptureQueriesContext(connection) as seen:
            queries.find(ada(), wanted)
        asked.append(len(seen))
    assert all(one == other for one, other in pairwise(asked))
