"""Notices: who is told of what, what can be turned off, and what muting does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from broadsheet.accounts.models import Group, Membership
from broadsheet.accounts.rules import Person, Refused
from broadsheet.community.actions import commenting
from broadsheet.community.actions import notices as actions
from broadsheet.community.models.authorship import AuthorClaim
from broadsheet.community.models.comments import Comment
from broadsheet.community.models.notices import Notice
from broadsheet.community.queries import comments, moderation, notices
from broadsheet.community.rules.notices import KINDS, MOST_COUNTED, About, Kind, kinds_for
from broadsheet.papers.actions import merge_papers
from broadsheet.testing.people import ada, bela, chloe, moderator, operator

pytestmark = pytest.mark.django_db

Say = Callable[..., int]


def told(person: Person) -> list[tuple[Kind, str]]:
    found, _ = notices.listed(person)
    return [(each.kind, each.comment.body if each.comment else each.sentence) for each in found]


def test_a_reply_is_told_to_whom_it_answers_and_once(say: Say) -> None:
    first = say(ada(), "first")
    say(bela(), "answer", first)
    assert told(ada()) == [(Kind.REPLY, "answer")]
    assert told(bela()) == []


def test_who_commented_hears_of_other_comments_until_she_turns_it_off(say: Say, lantern: int) -> None:
    say(ada(), "first")
    say(bela(), "second")
    commenting.follow(by=ada(), paper_id=lantern, on=False)
    say(bela(), "third")
    say(ada(), "fourth")
    assert told(ada()) == [(Kind.COMMENT, "second")]
    assert told(bela()) == [(Kind.COMMENT, "fourth")]


def test_who_follows_or_wrote_the_paper_hears_of_comments(say: Say, lantern: int, noon: datetime) -> None:
    commenting.follow(by=chloe(), paper_id=lantern, on=True)
    AuthorClaim.objects.create(
        user_id=ada().id, paper_id=lantern, author="Ada Example", slug="ada-example", state="confirmed", made_at=noon
    )
    say(bela(), "a question")
    assert told(chloe()) == told(ada()) == [(Kind.COMMENT, "a question")]


def test_followers_of_merged_papers_hear_of_both(say: Say, harbour: int) -> None:
    commenting.follow(by=chloe(), paper_id=harbour, on=True)
    merge_papers(winner_key="2401.00001", loser_key="2401.00002", reason="one work")
    say(bela(), "on the work")
    assert told(chloe()) == [(Kind.COMMENT, "on the work")]


def test_comments_of_a_group_are_told_to_members_only(say: Say, lantern: int, noon: datetime) -> None:
    group = Group.objects.create(slug="lamps", name="Lamps", kind="group", is_private=True, made_at=noon)
    for person in (ada(), bela()):
        Membership.objects.create(group=group, user_id=person.id, role="member", joined_at=noon)
        commenting.follow(by=person, paper_id=lantern, on=True)
    commenting.follow(by=chloe(), paper_id=lantern, on=True)
    say(ada(), "between us", group=group.id)
    assert told(bela()) == [(Kind.COMMENT, "between us")]
    assert told(chloe()) == []


@pytest.mark.parametrize("what", ["person", "thread", "kind"])
def test_of_what_was_muted_or_turned_off_nothing_is_told(say: Say, what: str) -> None:
    first = say(ada(), "first")
    if what == "person":
        commenting.mute_person(by=ada(), person_id=bela().id, on=True)
    elif what == "thread":
        commenting.mute_thread(by=ada(), comment_id=first, on=True)
    else:
        actions.set_silence(by=ada(), kinds=[Kind.REPLY])
    say(bela(), "answer", first)
    assert told(ada()) == []


def test_a_kind_that_was_turned_off_can_be_turned_on_again(say: Say) -> None:
    actions.set_silence(by=ada(), kinds=[Kind.REPLY, Kind.CLAIM])
    actions.set_silence(by=ada(), kinds=[Kind.CLAIM])
    assert notices.silenced(ada()) == {Kind.CLAIM}
    say(bela(), "answer", say(ada(), "first"))
    assert told(ada()) == [(Kind.REPLY, "answer")]


@pytest.mark.parametrize("kind", [kind for kind, rule in KINDS.items() if not rule.may_be_off])
def test_what_is_always_told(db: None, kind: Kind) -> None:
    with pytest.raises(Refused, match="always told"):
        actions.set_silence(by=ada(), kinds=[kind])


def test_only_what_was_seen_is_marked_as_read(say: Say) -> None:
    first = say(ada(), "first")
    say(bela(), "one", first)
    seen = notices.listed(ada())[0][0].id
    say(bela(), "two", first)
    assert actions.mark_read(by=ada(), upto=seen) == 1
    assert [(each.is_read, each.comment.body if each.comment else "") for each in notices.listed(ada())[0]] == [
        (False, "two"),
        (True, "one"),
    ]
    assert notices.unread(ada()) == 1


def test_the_count_stops_after_the_most_that_is_counted(lantern: int, noon: datetime) -> None:
    Notice.objects.bulk_create(
        [Notice(person_id=ada().id, kind=Kind.CLAIM, paper_id=lantern, made_at=noon) for _ in range(150)]
    )
    assert notices.unread(ada()) == MOST_COUNTED + 1


def test_long_lists_have_pages(lantern: int, noon: datetime) -> None:
    for number in range(5):
        actions.tell([ada().id], Kind.CLAIM, About(paper=lantern, sentence=f"{number}"), now=noon)
    first, following = notices.listed(ada(), limit=3)
    second, end = notices.listed(ada(), before=following, limit=3)
    assert [each.sentence for each in [*first, *second]] == ["4", "3", "2", "1", "0"]
    assert end is None


def test_a_comment_that_was_taken_back_is_not_read_in_notices(say: Say) -> None:
    comment = say(bela(), "hasty", say(ada(), "first"))
    commenting.remove_comment(by=bela(), comment_id=comment)
    assert told(ada()) == [(Kind.REPLY, "")]


DOWN = "No mail has gone out since Monday."


def test_operators_are_told_of_a_matter_and_nobody_else(db: None) -> None:
    ada(), moderator()
    assert actions.tell_operators(Kind.MAIL, DOWN, matter="down") == 0
    assert actions.tell_operators(Kind.MAIL, DOWN, matter="other") == 0
    operator()
    assert actions.tell_operators(Kind.MAIL, DOWN, matter="down") == 1
    assert told(operator()) == [(Kind.MAIL, DOWN)]
    assert told(ada()) == told(moderator()) == []


@pytest.mark.parametrize(
    ("read", "later", "times"),
    [
        pytest.param(False, timedelta(0), 1, id="not read yet"),
        pytest.param(False, timedelta(days=9), 1, id="not read for days"),
        pytest.param(True, timedelta(hours=23), 1, id="read within the day"),
        pytest.param(True, timedelta(hours=25), 2, id="read, and it goes on the day after"),
    ],
)
def test_a_matter_is_told_once(noon: datetime, read: bool, later: timedelta, times: int) -> None:
    actions.tell_once([ada().id], Kind.HOOK, "It is off.", matter="hook 1", now=noon)
    if read:
        actions.mark_read(by=ada(), upto=notices.listed(ada())[0][0].id, now=noon)
    actions.tell_once([ada().id], Kind.HOOK, "It is off.", matter="hook 1", now=noon + later)
    assert len(told(ada())) == times


def test_other_matters_and_kinds_are_told_beside_it(noon: datetime) -> None:
    for kind, matter in ((Kind.HOOK, "1"), (Kind.HOOK, "2"), (Kind.MAIL, "1"), (Kind.HOOK, "1")):
        actions.tell_once([ada().id], kind, f"{kind} {matter}", matter=matter, now=noon)
    assert [sentence for _, sentence in told(ada())] == ["mail 1", "hook 2", "hook 1"]


def test_two_processes_that_tell_at_once_tell_once(noon: datetime) -> None:
    """Each saw that nobody was told."""
    about = About(sentence=DOWN, matter="down")
    for _ in range(2):
        actions.tell([ada().id], Kind.MAIL, about, now=noon)
    assert told(ada()) == [(Kind.MAIL, DOWN)]


def test_operators_can_turn_such_a_kind_off(db: None) -> None:
    actions.set_silence(by=operator(), kinds=[Kind.MAIL])
    assert actions.tell_operators(Kind.MAIL, DOWN, matter="down") == 0
    assert actions.tell_operators(Kind.INDEX, "It was made anew.", matter="1") == 1


@pytest.mark.parametrize(
    ("person", "offered"),
    [
        pytest.param(ada, False, id="reader"),
        pytest.param(moderator, False, id="moderator"),
        pytest.param(operator, True, id="operator"),
    ],
)
def test_kinds_of_operators_are_offered_to_operators(db: None, person: Callable[[], Person], offered: bool) -> None:
    assert ({Kind.MAIL, Kind.INDEX} <= set(kinds_for(person()))) is offered
    assert Kind.REPLY in kinds_for(person())


def test_a_matter_that_both_accounts_were_told_stays_once_when_they_merge(noon: datetime) -> None:
    for person in (ada(), bela()):
        actions.tell_once([person.id], Kind.HOOK, "It is off.", matter="hook 1", now=noon)
    actions.tell_once([bela().id], Kind.HOOK, "So is this.", matter="hook 2", now=noon)
    actions.take_over_notices(kept=ada().id, gone=bela().id)
    assert told(ada()) == [(Kind.HOOK, "So is this."), (Kind.HOOK, "It is off.")]
    assert told(bela()) == []


class TestNew:
    """What is mailed: of one time, not read, and still to be read."""

    @pytest.fixture
    def group(self, noon: datetime) -> int:
        made = Group.objects.create(slug="lamps", name="Lamps", kind="group", is_private=True, made_at=noon)
        for person in (ada(), bela()):
            Membership.objects.create(group=made, user_id=person.id, role="member", joined_at=noon)
        return made.pk

    @pytest.mark.parametrize(
        ("happens", "is_new"),
        [
            pytest.param("nothing", True, id="open"),
            pytest.param("restored", True, id="taken back and put back"),
            pytest.param("removed", False, id="taken back"),
            pytest.param("folded", False, id="folded by moderators"),
            pytest.param("person", False, id="its author is muted now"),
            pytest.param("thread", False, id="its thread is muted now"),
            pytest.param("left", False, id="she is not in the group any more"),
            pytest.param("read", False, id="read"),
        ],
    )
    def test_a_comment_that_she_would_not_read_now_is_not_told(
        self, say: Say, noon: datetime, group: int, happens: str, is_new: bool
    ) -> None:
        answer = say(bela(), "answer", say(ada(), "first", group=group))
        if happens in ("removed", "restored"):
            commenting.remove_comment(by=bela(), comment_id=answer)
        match happens:
            case "restored":
                commenting.restore_comment(by=bela(), comment_id=answer)
            case "folded":
                Comment.objects.filter(id=answer).update(moderated="folded")
            case "person":
                commenting.mute_person(by=ada(), person_id=bela().id, on=True)
            case "thread":
                commenting.mute_thread(by=ada(), comment_id=answer, on=True)
            case "left":
                Membership.objects.filter(group=group, user_id=ada().id).update(ended_at=noon)
            case "read":
                actions.mark_read(by=ada(), upto=10**6)
        found, more = notices.new(ada(), since=noon, until=noon + timedelta(days=1), limit=10)
        assert [each.comment.body for each in found if each.comment] == ["answer"] * is_new
        assert (len(found), more) == (is_new, 0)

    def test_times_follow_one_another(self, noon: datetime) -> None:
        actions.tell([ada().id], Kind.CLAIM, About(sentence="One."), now=noon)
        hour = timedelta(hours=1)
        before, _ = notices.new(ada(), since=noon - hour, until=noon, limit=10)
        after, _ = notices.new(ada(), since=noon, until=noon + hour, limit=10)
        assert (len(before), len(after)) == (1, 0)

    def test_the_newest_are_first_and_the_rest_is_counted(self, lantern: int, noon: datetime) -> None:
        for number in range(5):
            actions.tell([ada().id], Kind.CLAIM, About(paper=lantern, sentence=f"{number}"), now=noon)
            actions.tell([ada().id], Kind.CLAIM, About(paper=lantern), now=noon)
        found, more = notices.new(ada(), since=noon - timedelta(1), until=noon, limit=3)
        assert ([each.sentence for each in found], more) == (["4", "3", "2"], 2)

    def test_of_comments_that_are_known_only_answers_to_her_are_told(self, say: Say, noon: datetime) -> None:
        answer = say(bela(), "answer", say(ada(), "first"))
        known = {answer, say(bela(), "beside it")}
        found, _ = notices.new(ada(), since=noon, until=noon + timedelta(days=1), known=known, limit=10)
        assert [(each.kind, each.comment.body if each.comment else "") for each in found] == [(Kind.REPLY, "answer")]


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda: comments.by_ids([], ada()), id="comments"),
        pytest.param(lambda: moderation.acts([]), id="acts"),
    ],
)
def test_for_nothing_nothing_is_asked(db: None, ask: Callable[[], dict[int, object]]) -> None:
    ada()
    with CaptureQueriesContext(connection) as asked:
        assert ask() == {}
    assert [each["sql"] for each in asked if "community_" in each["sql"]] == []
