"""What happened to followed papers since a moment: the same that their feeds tell, once, and nothing of others."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from broadsheet.accounts import queries as accounts
from broadsheet.accounts.actions.groups import Description, make_group
from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.record import Record, Version
from broadsheet.community.actions import commenting
from broadsheet.community.actions.commenting import post_comment
from broadsheet.community.rules.commenting import Draft
from broadsheet.evidence.actions import store_measurement
from broadsheet.following.queries import news
from broadsheet.following.queries.news import News
from broadsheet.following.rules.news import What
from broadsheet.papers import queries as papers
from broadsheet.papers.actions import merge_papers, store_many
from broadsheet.testing.cast import HARBOUR, LANTERN
from broadsheet.testing.measurements import content, measurement
from broadsheet.testing.people import ada, bela, chloe

pytestmark = pytest.mark.django_db

TODAY = datetime.now(UTC).date()
FIRST = Version(1, PartialDate(2024, 1, 2))
SECOND = Version(2, PartialDate.of(TODAY))


def stored(record: Record) -> int:
    """Store what a source says, and give the paper."""
    store_many([record])
    found = papers.find(record.identifiers[0].value)
    assert found is not None
    return found.id


@pytest.fixture
def lantern() -> int:
    """A paper of one version, without code, that Ada follows."""
    paper_id = stored(replace(LANTERN, versions=(FIRST,), code_url=""))
    commenting.follow(by=ada(), paper_id=paper_id, on=True)
    return paper_id


def told(since: datetime, until: datetime | None = None) -> tuple[News, ...]:
    """What Ada is told."""
    return news.of_followed(ada(), since=since, until=until or timezone.now())


def said(found: tuple[News, ...]) -> list[tuple[What, str]]:
    """All of it in words."""
    return [(event.what, event.said) for each in found for event in each.events]


def test_versions_code_measurements_and_comments_are_told(lantern: int) -> None:
    since = timezone.now()
    stored(replace(LANTERN, versions=(FIRST, SECOND)))
    store_measurement(content(measurement()), origin="by hand", at=timezone.now())
    post_comment(by=bela(), paper_id=lantern, draft=Draft("Does it hold?"))
    post_comment(by=chloe(), paper_id=lantern, draft=Draft("It does."))
    assert said(told(since)) == [
        (What.VERSION, f"Version 2, of {TODAY.day} {TODAY:%B %Y}"),
        (What.CODE, "Code was found"),
        (What.MEASURED, "Measured: holds"),
        (What.COMMENTS, "2 comments, the last by Chloé Exemple"),
    ]


def test_what_was_told_is_not_told_again_and_nothing_is_left_out_between(lantern: int) -> None:
    start = timezone.now()
    post_comment(by=bela(), paper_id=lantern, draft=Draft("One."))
    middle = timezone.now()
    post_comment(by=bela(), paper_id=lantern, draft=Draft("Two."))
    end = timezone.now()
    assert [len(told(start, middle)), len(told(middle, end)), len(told(end))] == [1, 1, 0]
    assert told(start, middle)[0].events[0].comments != told(middle, end)[0].events[0].comments
    assert told(end, start) == ()


def test_what_others_do_elsewhere_is_not_told(lantern: int) -> None:
    since = timezone.now()
    other = stored(HARBOUR)
    post_comment(by=bela(), paper_id=other, draft=Draft("Not hers."))
    post_comment(by=ada(), paper_id=lantern, draft=Draft("Her own."))
    make_group(by=bela(), slug="lamps", described=Description(name="Lamps", kind="group", is_private=True))
    group = accounts.group("lamps", bela())
    assert group is not None
    post_comment(by=bela(), paper_id=lantern, draft=Draft("Between us", None, group.id))
    assert told(since) == ()


def test_whom_she_muted_she_is_not_told_of(lantern: int) -> None:
    since = timezone.now()
    commenting.mute_person(by=ada(), person_id=bela().id, on=True)
    post_comment(by=bela(), paper_id=lantern, draft=Draft("Loud."))
    assert told(since) == ()


def test_a_paper_that_she_follows_no_more_is_silent(lantern: int) -> None:
    since = timezone.now()
    post_comment(by=bela(), paper_id=lantern, draft=Draft("Anyone?"))
    commenting.follow(by=ada(), paper_id=lantern, on=False)
    assert told(since) == ()


@pytest.mark.parametrize(
    "versions",
    [
        pytest.param((FIRST, Version(2, PartialDate(2024, 3, 4))), id="an old one of which a source tells only now"),
        pytest.param((Version(1, PartialDate.of(TODAY)),), id="the first one"),
        pytest.param((FIRST, Version(2, None)), id="one without a day, as in the feed"),
    ],
)
def test_versions_that_are_no_news(lantern: int, versions: tuple[Version, ...]) -> None:
    since = timezone.now()
    stored(replace(LANTERN, versions=versions, code_url=""))
    assert told(since) == ()


def test_news_of_a_paper_that_was_merged_stand_at_the_one_that_is_shown(lantern: int) -> None:
    other = stored(HARBOUR)
    since = timezone.now()
    post_comment(by=bela(), paper_id=lantern, draft=Draft("Where am I?"))
    merge_papers(winner_key="2401.00002", loser_key="2401.00001", reason="the same")
    assert [each.paper_id for each in told(since) if What.COMMENTS in {event.what for event in each.events}] == [other]


def test_the_last_thing_that_happened_is_first(lantern: int) -> None:
    since = timezone.now()
    other = stored(HARBOUR)
    commenting.follow(by=ada(), paper_id=other, on=True)
    post_comment(by=bela(), paper_id=other, draft=Draft("First."))
    post_comment(by=bela(), paper_id=lantern, draft=Draft("Then."))
    assert [each.paper_id for each in told(since)] == [lantern, other]


def test_many_papers_cost_no_more_queries_than_one(lantern: int) -> None:
    since = timezone.now()
    post_comment(by=bela(), paper_id=lantern, draft=Draft("One."))
    with CaptureQueriesContext(connection) as one:
        assert len(told(since)) == 1
    other = stored(HARBOUR)
    commenting.follow(by=ada(), paper_id=other, on=True)
    post_comment(by=bela(), paper_id=other, draft=Draft("Two."))
    with CaptureQueriesContext(connection) as two:
        assert len(told(since)) == 2
    assert len(two) == len(one)


def test_who_follows_no_paper_costs_one_query() -> None:
    reader = bela()
    with CaptureQueriesContext(connection) as asked:
        assert news.of_followed(reader, since=timezone.now() - timedelta(days=1), until=timezone.now()) == ()
    assert len(asked) == 1
