"""Discussions: who may say what, who sees it, what becomes of it when it is edited, taken back or its paper merged."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.accounts import actions
from broadsheet.accounts import queries as accounts
from broadsheet.accounts.models import Group, Membership
from broadsheet.accounts.rules import Ground, Person, Refused
from broadsheet.community.actions import commenting
from broadsheet.community.models.authorship import AuthorClaim
from broadsheet.community.models.comments import Comment
from broadsheet.community.queries import comments
from broadsheet.community.rules.commenting import LIMITS, Draft, Shown, allowance, objection
from broadsheet.papers.actions import merge_papers, unmerge_papers
from broadsheet.testing.people import ada, bela, chloe, moderator

pytestmark = pytest.mark.django_db

Say = Callable[..., int]


def bodies(paper_id: int, viewer: Person | None = None) -> list[tuple[int, str]]:
    return [(each.depth, each.body) for each in comments.discussion(paper_id, viewer).comments]


@pytest.fixture
def group(noon: datetime) -> int:
    """A private group of Ada and Bela."""
    made = Group.objects.create(slug="lamps", name="Lamps", kind="group", is_private=True, made_at=noon)
    for person in (ada(), bela()):
        Membership.objects.create(group=made, user_id=person.id, role="member", joined_at=noon)
    return made.id


def test_replies_stand_below_what_they_answer(say: Say, lantern: int) -> None:
    first = say(ada(), "first")
    second = say(bela(), "second")
    answer = say(bela(), "answer", first)
    say(ada(), "later answer", second)
    say(ada(), "answer to the answer", answer)
    assert bodies(lantern) == [
        (0, "first"),
        (1, "answer"),
        (2, "answer to the answer"),
        (0, "second"),
        (1, "later answer"),
    ]


def test_a_comment_is_stored_as_safe_html_without_deceiving_characters(say: Say) -> None:
    row = Comment.objects.get(id=say(ada(), "a\u202eb <script> $x$"))
    assert row.body == "ab <script> $x$"
    assert row.html == '<p>ab &lt;script&gt; <math alttext="x"><mi>x</mi></math></p>'


def test_a_form_that_was_sent_twice_is_one_comment(lantern: int, noon: datetime) -> None:
    draft = Draft("the same")
    first = commenting.post_comment(by=ada(), paper_id=lantern, draft=draft, now=noon)
    assert commenting.post_comment(by=ada(), paper_id=lantern, draft=draft, now=noon + timedelta(seconds=3)) == first
    assert commenting.post_comment(by=ada(), paper_id=lantern, draft=draft, now=noon + timedelta(hours=3)) != first


def test_an_edit_leaves_what_stood_there_before_in_a_public_history(say: Say) -> None:
    comment = say(ada(), "befor")
    commenting.edit_comment(by=ada(), comment_id=comment, body="before")
    commenting.edit_comment(by=ada(), comment_id=comment, body="after")
    now = comments.one(comment, None)
    assert now is not None
    assert (now.body, now.edited_at is not None) == ("after", True)
    assert [revision.html for revision in comments.history(comment)] == ["<p>befor</p>", "<p>before</p>"]


def test_what_was_taken_back_is_gone_and_comes_back(say: Say, lantern: int) -> None:
    comment = say(ada(), "hasty")
    commenting.remove_comment(by=ada(), comment_id=comment)
    assert bodies(lantern) == []
    assert comments.counts([lantern], None) == {lantern: 0}
    commenting.restore_comment(by=ada(), comment_id=comment)
    assert bodies(lantern) == [(0, "hasty")]


def test_an_answered_comment_leaves_an_empty_place(say: Say, lantern: int) -> None:
    comment = say(ada(), "hasty")
    say(bela(), "slow", comment)
    commenting.remove_comment(by=ada(), comment_id=comment)
    places = comments.discussion(lantern, None).comments
    assert [(each.shown, each.body) for each in places] == [(Shown.WITHDRAWN, ""), (Shown.OPEN, "slow")]


def test_after_thirty_days_what_was_taken_back_is_deleted_for_good(say: Say, lantern: int, noon: datetime) -> None:
    answered, alone, kept = say(ada(), "answered"), say(ada(), "alone"), say(bela(), "kept")
    say(bela(), "the answer", answered)
    commenting.edit_comment(by=ada(), comment_id=answered, body="answered, edited")
    for comment in (answered, alone):
        commenting.remove_comment(by=ada(), comment_id=comment, now=noon)
    assert commenting.purge_comments(now=noon + timedelta(days=29)) == 0
    assert commenting.purge_comments(now=noon + timedelta(days=31)) == 2
    assert set(Comment.objects.values_list("body", flat=True)) == {"", "the answer", "kept"}
    assert comments.history(answered) == []
    with pytest.raises(Refused, match="for good"):
        commenting.restore_comment(by=ada(), comment_id=answered)
    assert Comment.objects.filter(id=kept).exists()


def test_comments_of_merged_papers_stand_together_and_come_apart_again(say: Say, lantern: int, harbour: int) -> None:
    one = say(ada(), "on lantern")
    say(bela(), "on harbour", paper=harbour)
    merge_papers(winner_key="2401.00001", loser_key="2401.00002", reason="one work")
    assert bodies(lantern) == [(0, "on lantern"), (0, "on harbour")]
    other = next(each.id for each in comments.discussion(lantern, None).comments if each.body == "on harbour")
    say(ada(), "answered while merged", other)
    say(bela(), "also", one)
    assert comments.counts([lantern], None) == {lantern: 4}
    assert comments.commenters([lantern]) == {lantern: 2}
    unmerge_papers(key="2401.00002", reason="two works")
    assert bodies(lantern) == [(0, "on lantern"), (1, "also")]
    assert bodies(harbour) == [(0, "on harbour"), (1, "answered while merged")]


def test_a_private_comment_is_seen_by_members_only(say: Say, lantern: int, group: int) -> None:
    comment = say(ada(), "between us", group=group)
    say(bela(), "yes", comment)
    for viewer in (None, chloe(), moderator()):
        assert bodies(lantern, viewer) == []
        assert comments.one(comment, viewer) is None
        assert comments.counts([lantern], viewer) == {lantern: 0}
    assert bodies(lantern, bela()) == [(0, "between us"), (1, "yes")]
    assert comments.counts([lantern], bela()) == {lantern: 2}
    assert comments.commenters([lantern]) == {lantern: 0}
    with pytest.raises(Refused, match="not yours to see"):
        say(chloe(), "let me in", comment)
    with pytest.raises(Refused, match="not in that group"):
        say(chloe(), "let me in", group=group)


def test_an_author_of_the_paper_is_marked(say: Say, lantern: int, noon: datetime) -> None:
    AuthorClaim.objects.create(
        user_id=ada().id, paper_id=lantern, author="Ada Example", slug="ada-example", state="confirmed", made_at=noon
    )
    say(ada(), "I wrote it")
    say(bela(), "I did not")
    assert [each.is_of_author for each in comments.discussion(lantern, None).comments] == [True, False]


def test_what_muted_people_write_is_folded_for_who_muted_them(say: Say, lantern: int) -> None:
    first = say(ada(), "loud")
    say(bela(), "quiet")
    commenting.mute_person(by=bela(), person_id=ada().id, on=True)
    assert [each.shown for each in comments.discussion(lantern, bela()).comments] == [Shown.MUTED, Shown.OPEN]
    assert [each.shown for each in comments.discussion(lantern, None).comments] == [Shown.OPEN, Shown.OPEN]
    commenting.mute_person(by=bela(), person_id=ada().id, on=False)
    commenting.mute_thread(by=bela(), comment_id=first, on=True)
    assert [each.shown for each in comments.discussion(lantern, bela()).comments] == [Shown.MUTED, Shown.OPEN]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        pytest.param(
            lambda comment: commenting.edit_comment(by=bela(), comment_id=comment, body="x"), "not yours", id="edit"
        ),
        pytest.param(
            lambda comment: commenting.remove_comment(by=bela(), comment_id=comment), "not yours", id="remove"
        ),
        pytest.param(
            lambda comment: commenting.restore_comment(by=bela(), comment_id=comment), "not yours", id="restore"
        ),
        pytest.param(
            lambda _: commenting.mute_person(by=bela(), person_id=bela().id, on=True), "other people", id="mute"
        ),
        pytest.param(
            lambda _: commenting.mute_thread(by=bela(), comment_id=0, on=True), "no such comment", id="thread"
        ),
        pytest.param(lambda _: commenting.follow(by=bela(), paper_id=0, on=True), "no such paper", id="follow"),
    ],
)
def test_nobody_changes_what_is_not_hers(say: Say, change: Callable[[int], None], sentence: str) -> None:
    comment = say(ada(), "mine")
    with pytest.raises(Refused, match=sentence):
        change(comment)
    found = comments.one(comment, None)
    assert found is not None
    assert (found.body, found.shown) == ("mine", Shown.OPEN)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        pytest.param("", "nothing in the comment", id="empty"),
        pytest.param(" \n\u200b ", "nothing in the comment", id="nothing that is seen"),
        pytest.param("x" * 10_001, "1 characters too long", id="too long"),
        pytest.param("https://a.example " * 3, "3 links; 2 are the most in a comment from a new account", id="links"),
    ],
)
def test_what_cannot_be_a_comment(say: Say, body: str, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence) as refused:
        say(ada(), body)
    assert refused.value.ground is Ground.NOT_UNDERSTOOD
    assert not Comment.objects.exists()


def test_a_new_account_says_a_few_things_an_hour(lantern: int, noon: datetime) -> None:
    for number in range(LIMITS.new_hourly):
        commenting.post_comment(by=ada(), paper_id=lantern, draft=Draft(f"number {number}"), now=noon)
    with pytest.raises(Refused, match="comments an hour are the most from a new account") as refused:
        commenting.post_comment(by=ada(), paper_id=lantern, draft=Draft("one more"), now=noon)
    assert refused.value.ground is Ground.TOO_MUCH
    commenting.post_comment(by=ada(), paper_id=lantern, draft=Draft("later"), now=noon + timedelta(minutes=61))


def test_who_is_barred_is_told_until_when_and_may_still_take_back(say: Say, noon: datetime) -> None:
    comment = say(ada(), "before")
    barred = actions.bar(name="ada", until=noon + timedelta(days=30), because="so")
    with pytest.raises(Refused, match="barred you from writing until") as refused:
        say(barred, "after")
    assert refused.value.ground is Ground.NOT_ALLOWED
    commenting.remove_comment(by=barred, comment_id=comment)


def test_a_deleted_account_leaves_its_comments_without_a_name(say: Say, lantern: int) -> None:
    say(ada(), "said")
    get_user_model().objects.filter(id=ada().id).delete()
    assert [(each.author, each.body) for each in comments.discussion(lantern, None).comments] == [(None, "said")]


def test_long_discussions_have_pages_that_lose_nothing(say: Say, lantern: int, noon: datetime) -> None:
    for number in range(7):
        row = Comment.objects.create(paper_id=lantern, author_id=ada().id, body=f"{number}", html="", made_at=noon)
        Comment.objects.create(
            paper_id=lantern, author_id=ada().id, body=f"{number}r", html="", made_at=noon, parent=row, thread=row
        )
    seen: list[str] = []
    after: int | None = 0
    while after is not None:
        page = comments.discussion(lantern, None, after=after, limit=3)
        assert page.is_first is (after == 0)
        assert page.count == 14
        seen += [each.body for each in page.comments]
        after = page.following
    assert seen == [f"{number}{sign}" for number in range(7) for sign in ("", "r")]


def test_a_page_ends_before_it_has_too_many_comments(
    lantern: int, noon: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comments, "COMMENTS", 3)
    for size in (1, 1, 5, 1):
        row = Comment.objects.create(paper_id=lantern, body="start", html="", made_at=noon)
        for _ in range(size):
            Comment.objects.create(paper_id=lantern, body="reply", html="", made_at=noon, parent=row, thread=row)
    sizes = []
    after: int | None = 0
    while after is not None:
        page = comments.discussion(lantern, None, after=after)
        sizes.append(len(page.comments))
        after = page.following
    assert sizes == [2, 2, 6, 2]


def test_the_number_of_questions_is_that_of_a_small_discussion(say: Say, lantern: int) -> None:
    def asked(viewer: Person | None) -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            comments.discussion(lantern, viewer)
        return len(queries)

    first = say(ada(), "one")
    say(bela(), "two", first)
    before = [asked(viewer) for viewer in (None, bela())]
    for number in range(4):
        say(chloe(), f"more {number}", first)
        say(moderator(), f"and more {number}")
    assert [asked(viewer) for viewer in (None, bela())] == before
    assert max(before) < 20


@given(days=st.integers(0, 10), written=st.integers(0, 12), links=st.integers(0, 30))
def test_an_older_account_may_never_do_less(days: int, written: int, links: int) -> None:
    now = datetime.fromisoformat("2026-01-31T12:00:00+00:00")
    young = allowance(now - timedelta(days=days), written, now)
    old = allowance(now - timedelta(days=days + 1), written + 1, now)
    assert old.hourly >= young.hourly
    assert old.links >= young.links
    text = " ".join(f"https://a.example/{number}" for number in range(links)) + " so"
    assert bool(objection(text, old)) <= bool(objection(text, young))


def test_groups_are_named_beside_what_was_said_in_them(say: Say, lantern: int, group: int) -> None:
    say(ada(), "between us", group=group)
    assert [each.group for each in comments.discussion(lantern, bela()).comments] == ["Lamps"]
    assert group in accounts.groups_of(bela().id)
