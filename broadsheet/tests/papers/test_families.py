"""A paper's family: itself and what was merged into it, asked once for one answer to a reader."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from broadsheet.papers import queries
from broadsheet.papers.models import Paper

pytestmark = pytest.mark.django_db


def paper(number: int, into: Paper | None = None) -> Paper:
    kept = {"title_key": number, "authors": [], "categories": [], "keywords": [], "versions": []}
    key = f"arxiv:2401.0000{number}"
    return Paper.objects.create(key=key, title="Lamps", sort_day=date(2024, 1, 2), merged_into=into, **kept)


def test_what_was_merged_by_way_of_another_belongs_to_it() -> None:
    lamp = paper(1)
    second = paper(2, into=lamp)
    third = paper(3, into=second)
    assert queries.families([lamp.id]) == {lamp.id: [lamp.id, second.id, third.id]}


def test_inside_one_answer_each_family_is_asked_once() -> None:
    lamp, harbour = paper(1), paper(2)
    paper(3, into=lamp)
    with queries.remembering_families():
        first = queries.families([lamp.id])
        with CaptureQueriesContext(connection) as again:
            assert queries.families([lamp.id]) == first
        assert len(again) == 0
        with CaptureQueriesContext(connection) as more:
            assert queries.families([lamp.id, harbour.id]) == {**first, harbour.id: [harbour.id]}
        assert len(more) == 1


def test_who_changes_what_was_told_changes_nothing_for_others() -> None:
    lamp = paper(1)
    with queries.remembering_families():
        queries.families([lamp.id])[lamp.id].clear()
        assert queries.families([lamp.id]) == {lamp.id: [lamp.id]}


def test_afterwards_a_merge_is_seen() -> None:
    lamp, other = paper(1), paper(2)
    with queries.remembering_families():
        queries.families([lamp.id])
    Paper.objects.filter(pk=other.id).update(merged_into=lamp)
    assert queries.families([lamp.id]) == {lamp.id: [lamp.id, other.id]}
