"""What becomes of records that are stored: one paper for one work, every statement kept, every change journalled."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from broadsheet.bibliography import matching
from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.record import Version
from broadsheet.papers import queries
from broadsheet.papers.actions import Stored, store_many
from broadsheet.papers.models import FormerKey, Paper, PaperChange, Statement
from broadsheet.testing.cast import ADA, BELA, CHLOE, HARBOUR, LANTERN, MEADOW, arxiv, doi, said

pytestmark = pytest.mark.django_db


def kinds() -> list[str]:
    return [change.kind for change in queries.changes()]


def test_each_new_work_becomes_a_paper_and_one_line_of_the_journal() -> None:
    assert store_many([LANTERN, HARBOUR, MEADOW]) == Stored(new=3)
    assert {paper.key for paper in Paper.objects.all()} == {"2401.00001", "2401.00002", "math/0611800"}
    assert kinds() == ["created", "created", "created"]


def test_storing_the_same_again_changes_nothing() -> None:
    store_many([LANTERN, HARBOUR])
    before = list(Statement.objects.values_list("seen_at", "digest"))
    assert store_many([HARBOUR, LANTERN, LANTERN]) == Stored(unchanged=3)
    assert list(Statement.objects.values_list("seen_at", "digest")) == before
    assert len(kinds()) == 2


def test_a_belief_reads_back_as_it_was_said() -> None:
    record = replace(LANTERN, versions=(Version(1, PartialDate(2023, 12, 29)), Version(2)), keywords=("steps",))
    store_many([record])
    paper = queries.find("2401.00001")
    assert paper is not None
    assert queries.beliefs([paper.id])[paper.id] == replace(record, source="belief", source_key="2401.00001")


@pytest.mark.parametrize(
    "title",
    [
        pytest.param("LANTERN: STEP SIZES FROM $\\ell_2$ GRADIENT NORMS", id="another case"),
        pytest.param("Lantern – Step Sizes from ℓ₂ Gradient Norms", id="another dash, Unicode for TeX"),
        pytest.param("Lantern: Step Sizes from ell_2 Gradient Norms", id="as the saved pages print it"),
    ],
)
def test_the_same_work_under_another_spelling_of_its_title_is_one_paper(title: str) -> None:
    store_many([LANTERN])
    assert store_many([said(title, by="elsewhere", abstract=LANTERN.abstract)]) == Stored(merged=1)
    assert Paper.objects.count() == 1


def test_the_same_work_twice_in_one_batch_is_one_paper() -> None:
    again = said(LANTERN.title.upper(), by="elsewhere", abstract=LANTERN.abstract, keywords=("steps",))
    assert store_many([LANTERN, again]) == Stored(new=1, merged=1)
    paper = Paper.objects.get()
    assert paper.keywords == ["steps"]
    assert kinds() == ["created"]


def test_different_works_of_one_title_stay_two_papers_with_two_addresses() -> None:
    ours = said(
        "Introduction", authors=(ADA,), abstract="Gradients and how to follow them.", submitted=PartialDate(2001)
    )
    theirs = said(
        "Introduction", key="2", authors=(BELA,), abstract="A history of harbours.", submitted=PartialDate(2019)
    )
    assert store_many([ours, theirs]) == Stored(new=2)
    first, second = Paper.objects.order_by("id")
    assert second.key == f"{first.key}-2"


def test_a_source_that_says_something_new_replaces_what_it_said_before() -> None:
    store_many([LANTERN])
    assert store_many([replace(LANTERN, venue="Proceedings of Lamps")]) == Stored(changed=1)
    assert Paper.objects.get().venue == "Proceedings of Lamps"
    assert Statement.objects.count() == 1
    assert [(c.kind, c.fields) for c in queries.changes()] == [("created", ()), ("updated", ("venue",))]


def test_a_statement_that_moves_no_belief_is_journalled_as_stated() -> None:
    store_many([LANTERN])
    store_many([said(LANTERN.title, by="elsewhere", abstract=LANTERN.abstract)])
    assert kinds() == ["created", "stated"]


def test_a_paper_found_by_title_takes_its_identifier_and_keeps_its_old_address() -> None:
    store_many([replace(LANTERN, identifiers=())])
    old = Paper.objects.get().key
    assert old.startswith("t-")
    store_many([replace(LANTERN, source="elsewhere")])
    assert Paper.objects.get().key == "2401.00001"
    found = queries.find(old)
    assert found is not None
    assert found.key == "2401.00001"
    assert FormerKey.objects.count() == 1


def test_any_identifier_leads_to_the_paper() -> None:
    store_many([HARBOUR])
    for key in ("2401.00002", "doi:10.1000/harbour.7"):
        found = queries.find(key)
        assert found is not None
        assert found.key == "2401.00002"
    assert queries.find("2401.99999") is None


def test_a_record_with_identifiers_of_two_papers_merges_them() -> None:
    store_many([replace(LANTERN, identifiers=(arxiv("2401.00001"),))])
    store_many([said("An unlike title of the published form", identifiers=(doi("10.1000/lantern"),))])
    assert Paper.objects.filter(merged_into=None).count() == 2
    both = said(LANTERN.title, by="registry", identifiers=(arxiv("2401.00001"), doi("10.1000/lantern")))
    store_many([both])
    assert Paper.objects.filter(merged_into=None).count() == 1
    assert kinds() == ["created", "created", "stated", "merged"]


def test_a_title_learned_in_the_same_batch_is_looked_for_too() -> None:
    store_many([said("Old title", key="1", identifiers=(doi("10.1000/x"),))])
    new = said("A new title of the same work", by="b", key="1", identifiers=(doi("10.1000/x"),))
    assert store_many([new, said(new.title, by="c", key="1")]) == Stored(merged=2)


def test_two_sources_that_newly_name_one_identifier_in_one_batch_speak_of_one_paper() -> None:
    one, two = said("First of two unlike titles", key="1"), said("Second and quite other words", key="2")
    store_many([one, two])
    store_many([replace(each, identifiers=(doi("10.1000/x"),)) for each in (one, two)])
    assert Paper.objects.filter(merged_into=None).count() == 1


def test_a_title_that_everybody_uses_is_compared_with_a_bounded_number_of_papers(monkeypatch: Any) -> None:
    compared = []
    same_work = matching.same_work
    monkeypatch.setattr(matching, "same_work", lambda a, b: compared.append(1) or same_work(a, b))
    store_many([said("Introduction", key=str(n), authors=(f"Author Number{n}",)) for n in range(200)])
    assert Paper.objects.count() == 200
    assert len(compared) <= 200 * 40


@pytest.mark.parametrize("key", ["", "\0", "2401.00001\0", "x" * 10_000, "../..", "doi:"])
def test_a_key_of_no_paper_finds_nothing(key: str) -> None:
    assert queries.find(key) is None


def test_author_and_section_lists_show_a_paper_once_newest_first() -> None:
    store_many([MEADOW, LANTERN, HARBOUR])
    by_key = {paper.id: paper.key for paper in Paper.objects.all()}
    assert [by_key[i] for i in queries.by_author("ada-example").ids] == ["2401.00001", "math/0611800"]
    assert {by_key[i] for i in queries.in_section("cs.LG").ids} == {"2401.00001", "2401.00002"}
    assert queries.author_name("chloe-exemple") == CHLOE
    assert (queries.sections()[0].slug, queries.sections()[0].count) == ("cs.LG", 2)


def test_long_lists_are_read_page_by_page_without_gaps_or_repeats() -> None:
    store_many([said(f"Numbered work {n} of a long series", key=str(n), authors=(ADA,)) for n in range(23)])
    pages, after = [], None
    while True:
        page = queries.by_author("ada-example", after=after, limit=5)
        pages.append(page.ids)
        after = page.next
        if after is None:
            break
    assert [len(page) for page in pages] == [5, 5, 5, 5, 3]
    assert len({paper for page in pages for paper in page}) == 23


@pytest.mark.parametrize("cursor", ["", "x", "????", "MjAyNC0wMS0wMg", "x" * 500, "é"])
def test_a_cursor_that_is_none_is_a_value_error(cursor: str) -> None:
    with pytest.raises(ValueError):
        queries.in_section("cs.LG", after=cursor)


def test_the_number_of_queries_does_not_grow_with_the_batch() -> None:
    counts = []
    for size in (10, 20):
        records = [said(f"Work {size} {n} on its own subject", key=f"{size}-{n}", authors=(ADA,)) for n in range(size)]
        with CaptureQueriesContext(connection) as captured:
            store_many(records)
        counts.append(len(captured))
    assert counts[0] == counts[1]


class TheJournal(TestCase):
    """The journal alone tells which papers to look at again."""

    @given(st.lists(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2)), max_size=6), max_size=5))
    def test_every_paper_whose_row_moved_since_a_number_has_an_entry_above_it(
        self, batches: list[list[tuple[int, int]]]
    ) -> None:
        for batch in batches:
            mark = queries.last_change()
            before = dict(Paper.objects.values_list("id", "venue"))
            store_many([said(f"Work number {n} on its own subject", key=str(n), venue=f"Volume {v}") for n, v in batch])
            after = dict(Paper.objects.values_list("id", "venue"))
            moved = {paper for paper in after if before.get(paper) != after[paper]}
            journalled = {change.paper_id for change in queries.changes(after=mark)}
            assert moved <= journalled
            assert all(
                change.kind == PaperChange.Kind.CREATED
                for change in queries.changes()
                if change.paper_id in moved - set(before)
            )
