"""A prepared question answers as the queryset that it is made of, each time from the database."""

from __future__ import annotations

import threading
from copy import copy
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection, connections
from django.db.models import Count, QuerySet
from django.test.utils import CaptureQueriesContext

from broadsheet.papers.actions import store_many
from broadsheet.papers.models import Paper, PaperChange
from broadsheet.storage import among
from broadsheet.storage.prepared import Prepared
from broadsheet.testing.cast import said

pytestmark = pytest.mark.django_db

TITLES = ["Harbours without water", "Meadows of clover", "A lamp for every step"]
EARLY, LATE = datetime(2001, 2, 3, 4, 5, 6, 789, tzinfo=UTC), datetime(2400, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def ids() -> list[int]:
    store_many([said(title) for title in TITLES])
    return list(Paper.objects.order_by("id").values_list("id", flat=True))


def papers() -> QuerySet[Paper]:
    return Paper.objects.order_by("id")


QUESTIONS = {
    "a number": (lambda value: papers().filter(id__gt=value), [(0,), (10**12,)]),
    "a text": (lambda value: papers().filter(title=value), [(TITLES[1],), ("",), ("'; --",), ("100 %s",)]),
    "a day": (lambda value: papers().filter(sort_day__lte=value), [(date(2400, 1, 1),), (date(1900, 1, 1),)]),
    "a moment": (lambda value: PaperChange.objects.order_by("id").filter(at__gte=value), [(EARLY,), (LATE,)]),
    "a list": (lambda value: papers().filter(among("title", value)), [(TITLES[:2],), ([],), ({TITLES[0]},)]),
    "two values": (lambda a, b: papers().filter(among("title", b), title=a), [(TITLES[0], TITLES), (TITLES[0], [])]),
    "one that is there already": (lambda value: papers().filter(title=TITLES[0], id__gt=value), [(0,)]),
    "columns": (lambda value: papers().filter(id__gt=value).values_list("title", "authors", "sort_day"), [(0,)]),
    "a slice of nothing": (lambda value: papers().filter(id__gt=value)[2:2], [(0,)]),
    "nothing at all": (lambda value: papers().filter(id__gt=value).none(), [(0,)]),
    "one column": (lambda value: papers().filter(id__gt=value).values_list("title", flat=True), [(0,)]),
    "dictionaries": (lambda value: papers().filter(id__gt=value).values("id", "title"), [(0,)]),
    "numbers of groups": (
        lambda value: (
            PaperChange.objects.filter(id__gt=value).order_by("kind").values_list("kind").annotate(Count("id"))
        ),
        [(0,)],
    ),
    "another table's column": (
        lambda value: PaperChange.objects.filter(paper__title=value).select_related("paper").order_by("id"),
        [(TITLES[2],), ("nothing",)],
    ),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_it_answers_as_the_queryset(name: str) -> None:
    make, asked = QUESTIONS[name]
    prepared = Prepared(make)
    for values in [*asked, *asked]:
        assert prepared(*values) == list(make(*values))


def test_rows_are_whole_objects(ids: list[int]) -> None:
    prepared = Prepared(lambda value: papers().filter(id=value))
    (row,) = prepared(ids[0])
    (usual,) = papers().filter(id=ids[0])
    assert {**vars(row), "_state": None} == {**vars(usual), "_state": None}
    assert (row._state.db, row._state.adding) == (usual._state.db, usual._state.adding)


def test_each_call_is_one_question_and_sees_what_was_written_before() -> None:
    prepared = Prepared(lambda value: papers().filter(id__gt=value))
    assert len(prepared(0)) == len(TITLES)
    store_many([said("A fourth paper")])
    with CaptureQueriesContext(connection) as asked:
        assert len(prepared(0)) == len(TITLES) + 1
    assert len(asked) == 1


def test_a_question_is_made_once_and_once_more_for_each_shape() -> None:
    made: list[tuple[int, int]] = []

    def make(value: object, *, first: int, last: int) -> QuerySet[Paper]:
        made.append((first, last))
        return papers().filter(id__gt=value)[first:last]

    prepared = Prepared(make)
    for _again in range(3):
        assert [row.title for row in prepared(0, first=0, last=2)] == TITLES[:2]
        assert [row.title for row in prepared(0, first=1, last=3)] == TITLES[1:]
    assert made == [(0, 2), (1, 3)]


def test_of_many_shapes_old_ones_are_forgotten() -> None:
    made: list[int] = []

    def make(value: object, *, last: int) -> QuerySet[Paper]:
        made.append(last)
        return papers().filter(id__gt=value)[:last]

    prepared = Prepared(make)
    for last in range(1, 201):
        prepared(0, last=last)
    assert len(prepared(0, last=1)) == 1
    assert made.count(1) == 2


def test_another_connection_of_the_thread_gets_a_statement_of_its_own(ids: list[int]) -> None:
    made: list[object] = []

    def make(value: object) -> QuerySet[Paper]:
        made.append(value)
        return papers().filter(id__gt=value)

    prepared = Prepared(make)
    assert [row.id for row in prepared(0)] == ids
    before, other = connections["default"], copy(connections["default"])
    connections["default"] = other
    try:
        assert [row.id for row in prepared(0)] == ids
        assert len(made) == 2
    finally:
        connections["default"] = before


def test_none_is_refused_because_sql_finds_it_equal_to_nothing() -> None:
    with pytest.raises(TypeError, match="isnull"):
        Prepared(lambda value: papers().filter(merged_into=value))(None)


def test_an_error_of_the_database_is_told_and_harms_no_later_call(ids: list[int]) -> None:
    prepared = Prepared(lambda value: papers().filter(id__gt=value))
    with connection.execute_wrapper(_fail), pytest.raises(RuntimeError):
        prepared(0)
    assert [row.id for row in prepared(0)] == ids


def _fail(*_: object) -> None:
    raise RuntimeError


@pytest.mark.django_db(transaction=True)
def test_threads_with_connections_of_their_own_do_not_disturb_each_other(ids: list[int]) -> None:
    prepared = Prepared(lambda value: papers().filter(id=value).values_list("id", flat=True))
    wrong: list[object] = []
    begin = threading.Barrier(4)

    def ask(own: int) -> None:
        try:
            begin.wait()
            wrong.extend(found for _again in range(100) if (found := prepared(own)) != [own])
        except BaseException as error:
            wrong.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask, args=(number,)) for number in (*ids, ids[0])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_moments_lose_nothing() -> None:
    prepared = Prepared(lambda value: PaperChange.objects.filter(at=value))
    change = PaperChange.objects.order_by("id")[0]
    assert change in prepared(change.at)
    assert change not in prepared(change.at + timedelta(microseconds=1))
