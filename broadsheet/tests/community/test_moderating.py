"""Flags, decisions, the public log, undoing and appeals: who may do what, and who is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.accounts import queries as accounts
from broadsheet.accounts.actions.groups import Description, make_group
from broadsheet.accounts.rules import Ground, Person, Refused
from broadsheet.community.actions import commenting, moderating, voting
from broadsheet.community.models.authorship import AuthorLink
from broadsheet.community.models.comments import Comment
from broadsheet.community.models.moderation import Act, Flag
from broadsheet.community.models.submissions import Submission
from broadsheet.community.queries import comments, moderation, notices, votes
from broadsheet.community.rules.commenting import Draft, Moderated, Shown
from broadsheet.community.rules.moderating import (
    DEEDS,
    EFFECTS,
    LEADS_TO,
    REASONS,
    TARGETS,
    Deed,
    Reason,
    Ruling,
    Subject,
    Target,
    deeds_for,
    reasons_for,
)
from broadsheet.community.rules.notices import Kind
from broadsheet.papers.actions import merge_papers
from broadsheet.testing.people import ada, bela, chloe, curator, moderator, operator, reader, signed_in
from broadsheet.web import joining

pytestmark = pytest.mark.django_db

Say = Callable[..., int]


@pytest.fixture
def comment(say: Say) -> Subject:
    """A comment of Ada's."""
    return Subject(Target.COMMENT, say(ada(), "Buy lamps"))


def shown(subject: Subject, viewer: Person | None = None) -> tuple[Shown, str]:
    found = comments.one(subject.id, viewer)
    assert found is not None
    return found.shown, found.body


def decided(by: Person, subject: Subject, deed: Deed, **more: object) -> int:
    reason = Reason.SPAM if Reason.SPAM in reasons_for(subject.target) else Reason.OTHER
    ruling = Ruling(deed, reason, "because so", more.pop("until", None))  # type: ignore[arg-type]  # a date of the test
    return moderating.moderate(by=by, subject=subject, ruling=ruling, **more)  # type: ignore[arg-type]  # `now` alone


def test_what_was_flagged_waits_until_somebody_decides(comment: Subject) -> None:
    moderating.flag(by=bela(), subject=comment, reason=Reason.SPAM, words="sells lamps")
    moderating.flag(by=chloe(), subject=comment, reason=Reason.OFF_TOPIC)
    [matter] = moderation.queue(moderator())
    assert [(flag.by.name if flag.by else "", flag.words) for flag in matter.flags] == [
        ("bela", "sells lamps"),
        ("chloe", ""),
    ]
    assert moderation.waiting() == moderation.Waiting(1, 0)
    act = decided(moderator(), comment, Deed.DISMISS)
    assert moderation.queue(moderator()) == []
    assert set(Flag.objects.values_list("answer", flat=True)) == {act}
    assert shown(comment) == (Shown.OPEN, "Buy lamps")


def test_flagging_twice_is_flagging_once_until_it_was_answered(comment: Subject) -> None:
    for _ in range(3):
        moderating.flag(by=bela(), subject=comment, reason=Reason.SPAM)
    assert Flag.objects.count() == 1
    decided(moderator(), comment, Deed.DISMISS)
    moderating.flag(by=bela(), subject=comment, reason=Reason.SPAM)
    assert moderation.waiting().flagged == 1


@pytest.mark.parametrize(
    ("by", "target", "reason", "words", "sentence"),
    [
        pytest.param(bela, Target.COMMENT, Reason.NO_PAPER, "", "one of the reasons", id="reason of another kind"),
        pytest.param(bela, Target.COMMENT, Reason.OTHER, " ", "Say in a few words", id="another reason needs words"),
        pytest.param(bela, Target.COMMENT, Reason.SPAM, "x" * 2001, "are the most here", id="too many words"),
        pytest.param(ada, Target.COMMENT, Reason.SPAM, "", "your own", id="one's own"),
        pytest.param(bela, Target.DISCUSSION, Reason.ABUSE, "", "not there", id="a discussion"),
        pytest.param(bela, Target.LINK, Reason.SPAM, "", "not there", id="what is not there"),
    ],
)
def test_what_cannot_be_flagged(
    comment: Subject, by: Callable[[], Person], target: Target, reason: Reason, words: str, sentence: str
) -> None:
    with pytest.raises(Refused, match=sentence):
        moderating.flag(by=by(), subject=Subject(target, comment.id), reason=reason, words=words)
    assert not Flag.objects.exists()


@pytest.mark.parametrize(
    ("deeds", "expected"),
    [
        pytest.param([Deed.FOLD], (Shown.FOLDED, "Buy lamps"), id="folded: it opens by a click"),
        pytest.param([Deed.REMOVE], (Shown.REMOVED, ""), id="removed: nobody reads it"),
        pytest.param([Deed.FOLD, Deed.REMOVE], (Shown.REMOVED, ""), id="folded, then removed"),
        pytest.param([Deed.REMOVE, Deed.FOLD], (Shown.FOLDED, "Buy lamps"), id="removed, then folded"),
        pytest.param([Deed.REMOVE, Deed.RESTORE], (Shown.OPEN, "Buy lamps"), id="restored"),
    ],
)
def test_what_readers_see_after(comment: Subject, deeds: list[Deed], expected: tuple[Shown, str]) -> None:
    for deed in deeds:
        decided(moderator(), comment, deed)
    assert shown(comment, bela()) == expected


def test_what_a_group_writes_in_private_is_seen_by_moderators_once_it_is_flagged(say: Say, noon: datetime) -> None:
    make_group(by=ada(), slug="lamps", described=Description(name="Lamps", kind="group", is_private=True))
    group = accounts.group("lamps", ada())
    assert group is not None
    comment = Subject(Target.COMMENT, say(ada(), "Between us", group=group.id))
    assert moderation.matter(comment, ada()) is not None
    assert moderation.matter(comment, moderator()) is None
    Flag.objects.create(target=comment.target, target_id=comment.id, by_id=bela().id, reason=Reason.ABUSE, made_at=noon)
    found = moderation.matter(comment, moderator())
    assert found is not None
    assert found.comment is not None


def test_what_was_removed_is_read_by_its_author_and_moderators(comment: Subject, lantern: int) -> None:
    decided(moderator(), comment, Deed.REMOVE)
    assert shown(comment, ada()) == (Shown.REMOVED, "Buy lamps")
    assert shown(comment, moderator()) == (Shown.REMOVED, "Buy lamps")
    assert comments.counts([lantern], None) == {lantern: 0}
    assert comments.commenters([lantern]) == {lantern: 0}
    with pytest.raises(Refused, match="cannot be edited"):
        commenting.edit_comment(by=ada(), comment_id=comment.id, body="Buy more lamps")


@pytest.mark.parametrize("deed", [Deed.FOLD, Deed.REMOVE])
def test_undoing_restores_what_was_before(comment: Subject, deed: Deed) -> None:
    act = decided(moderator(), comment, deed)
    undone = moderating.undo(by=moderator(), act_id=act, words="too strict")
    assert shown(comment) == (Shown.OPEN, "Buy lamps")
    lines = {line.id: line for line in moderation.log()[0]}
    assert (lines[act].is_undone, lines[undone].undoes, lines[undone].words) == (True, act, "too strict")
    with pytest.raises(Refused, match="undone already"):
        moderating.undo(by=moderator(), act_id=act)


def test_undoing_goes_back_one_step_only(comment: Subject) -> None:
    folded = decided(moderator(), comment, Deed.FOLD)
    removed = decided(moderator(), comment, Deed.REMOVE)
    with pytest.raises(Refused, match="decided about this since"):
        moderating.undo(by=moderator(), act_id=folded)
    moderating.undo(by=moderator(), act_id=removed)
    assert shown(comment)[0] is Shown.FOLDED


@pytest.mark.parametrize(
    ("by", "subject", "deed", "ground"),
    [
        pytest.param(bela, None, Deed.FOLD, Ground.NOT_ALLOWED, id="a reader"),
        pytest.param(curator, None, Deed.FOLD, Ground.NOT_ALLOWED, id="a curator"),
        pytest.param(moderator, None, Deed.LOCK, Ground.NOT_UNDERSTOOD, id="a deed for other things"),
        pytest.param(moderator, None, Deed.RESTORE, Ground.TAKEN, id="what is so already"),
        pytest.param(moderator, Subject(Target.COMMENT, 10**9), Deed.FOLD, Ground.NOT_THERE, id="nothing"),
    ],
)
def test_what_is_refused_leaves_no_line(
    comment: Subject, by: Callable[[], Person], subject: Subject | None, deed: Deed, ground: Ground
) -> None:
    with pytest.raises(Refused) as refused:
        decided(by(), subject or comment, deed)
    assert refused.value.ground is ground
    assert not Act.objects.exists()


def test_whom_it_concerns_is_told_and_cannot_turn_it_off(comment: Subject) -> None:
    act = decided(moderator(), comment, Deed.FOLD)
    [notice], _ = notices.listed(ada())
    assert (notice.kind, notice.act.id if notice.act else 0) == (Kind.MODERATION, act)
    assert notices.unread(moderator()) == 0


# --- Barring ---------------------------------------------------------------------------------------------------------


def test_a_person_is_barred_until_a_day_and_told_the_reason(say: Say, lantern: int, noon: datetime) -> None:
    voting.cast_vote(by=ada(), paper_id=lantern, now=noon)
    person = Subject(Target.PERSON, ada().id)
    act = decided(moderator(), person, Deed.BAR, until=noon + timedelta(days=7), now=noon)
    barred = accounts.people([ada().id])[ada().id]
    with pytest.raises(Refused, match=r"barred you .* \(because so\).*appeal"):
        commenting.post_comment(by=barred, paper_id=lantern, draft=Draft("x"), now=noon)
    with pytest.raises(Refused, match="barred"):
        moderating.flag(by=barred, subject=Subject(Target.PERSON, bela().id), reason=Reason.SPAM, now=noon)
    assert votes.tallies([lantern], None)[lantern].held == 1
    commenting.post_comment(by=barred, paper_id=lantern, draft=Draft("after"), now=noon + timedelta(days=8))
    moderating.undo(by=moderator(), act_id=act, now=noon)
    assert accounts.people([ada().id])[ada().id].barred_until is None
    assert votes.tallies([lantern], None)[lantern].votes == 1


def test_undoing_a_longer_bar_brings_the_shorter_one_back(lantern: int, noon: datetime) -> None:
    person = Subject(Target.PERSON, ada().id)
    decided(moderator(), person, Deed.BAR, until=noon + timedelta(days=7), now=noon)
    longer = decided(moderator(), person, Deed.BAR, until=noon + timedelta(days=70), now=noon)
    moderating.undo(by=moderator(), act_id=longer, now=noon)
    assert accounts.people([ada().id])[ada().id].barred_until == noon + timedelta(days=7)


@pytest.mark.parametrize(
    ("by", "whom", "days", "sentence"),
    [
        pytest.param(moderator, operator, 7, "by operators only", id="an operator by a moderator"),
        pytest.param(operator, operator, 7, "nobody by herself", id="herself"),
        pytest.param(moderator, ada, 0, "Say until when", id="until now"),
        pytest.param(moderator, ada, 367, "Say until when", id="for longer than a year"),
        pytest.param(moderator, ada, None, "Say until when", id="without an end"),
    ],
)
def test_who_cannot_be_barred(
    lantern: int, noon: datetime, by: Callable[[], Person], whom: Callable[[], Person], days: int | None, sentence: str
) -> None:
    until = None if days is None else noon + timedelta(days=days)
    with pytest.raises(Refused, match=sentence):
        decided(by(), Subject(Target.PERSON, whom().id), Deed.BAR, until=until, now=noon)
    assert accounts.people([whom().id])[whom().id].barred_until is None


# --- Discussions -----------------------------------------------------------------------------------------------------


def test_a_closed_discussion_takes_nothing_until_it_is_opened(say: Say, lantern: int) -> None:
    before = say(ada(), "before")
    closed = decided(moderator(), Subject(Target.DISCUSSION, lantern), Deed.LOCK)
    assert comments.discussion(lantern, None).is_closed
    with pytest.raises(Refused, match="closed this discussion"):
        say(bela(), "after")
    with pytest.raises(Refused, match="closed this discussion"):
        commenting.edit_comment(by=ada(), comment_id=before, body="changed")
    commenting.remove_comment(by=ada(), comment_id=before)
    with pytest.raises(Refused, match="so already"):
        decided(moderator(), Subject(Target.DISCUSSION, lantern), Deed.LOCK)
    moderating.undo(by=moderator(), act_id=closed)
    say(bela(), "after")


def test_a_discussion_stays_closed_when_its_paper_goes_into_another(say: Say, lantern: int, harbour: int) -> None:
    decided(moderator(), Subject(Target.DISCUSSION, harbour), Deed.LOCK)
    merge_papers(winner_key="2401.00001", loser_key="2401.00002", reason="one work")
    with pytest.raises(Refused, match="closed this discussion"):
        say(ada(), "on")


# --- Appeals ---------------------------------------------------------------------------------------------------------


def appealed(comment: Subject) -> int:
    act = decided(moderator(), comment, Deed.REMOVE)
    moderating.appeal(by=ada(), act_id=act, words="they are free")
    return moderation.appeals()[0].id


def test_another_moderator_grants_an_appeal_and_the_decision_is_undone(comment: Subject) -> None:
    appeal = appealed(comment)
    operator()
    with pytest.raises(Refused, match="another moderator decides"):
        moderating.decide_appeal(by=moderator(), appeal_id=appeal, grant=True, answer="so be it")
    moderating.decide_appeal(by=operator(), appeal_id=appeal, grant=True, answer="so be it")
    assert shown(comment) == (Shown.OPEN, "Buy lamps")
    assert moderation.waiting().appeals == 0
    told = {notice.kind: notice.sentence for notice in notices.listed(ada())[0]}
    assert told[Kind.APPEAL] == "Your appeal was granted. so be it"
    [_, (act, said)] = moderation.concerning(ada())
    assert (act.is_undone, said.granted if said else None) == (True, True)


def test_an_appeal_that_is_turned_down_leaves_the_decision(comment: Subject) -> None:
    moderating.decide_appeal(by=moderator(), appeal_id=appealed(comment), grant=False, answer="no")
    assert shown(comment)[0] is Shown.REMOVED
    with pytest.raises(Refused, match="decided already"):
        moderating.decide_appeal(by=moderator(), appeal_id=1, grant=True, answer="yes")


@pytest.mark.parametrize(
    ("by", "words", "sentence"),
    [
        pytest.param(bela, "why", "no such decision about you", id="somebody else"),
        pytest.param(ada, " ", "Say in a few words", id="without words"),
        pytest.param(ada, "x" * 2001, "are the most here", id="too many words"),
    ],
)
def test_who_cannot_appeal(comment: Subject, by: Callable[[], Person], words: str, sentence: str) -> None:
    act = decided(moderator(), comment, Deed.REMOVE)
    with pytest.raises(Refused, match=sentence):
        moderating.appeal(by=by(), act_id=act, words=words)


def test_one_appeals_once_and_only_against_what_stands(comment: Subject) -> None:
    appealed(comment)
    act = moderation.appeals()[0].act.id
    with pytest.raises(Refused, match="already"):
        moderating.appeal(by=ada(), act_id=act, words="again")
    moderating.undo(by=moderator(), act_id=act)
    with pytest.raises(Refused, match="does not stand"):
        moderating.appeal(by=ada(), act_id=act, words="again")


def test_nobody_decides_her_own_appeal(say: Say) -> None:
    subject = Subject(Target.COMMENT, say(moderator(), "mine"))
    act = decided(operator(), subject, Deed.FOLD)
    moderating.appeal(by=moderator(), act_id=act, words="please")
    with pytest.raises(Refused, match="her own appeal"):
        moderating.decide_appeal(by=moderator(), appeal_id=moderation.appeals()[0].id, grant=True, answer="yes")


# --- Rules and questions ---------------------------------------------------------------------------------------------


def test_every_thing_has_a_name_a_deed_and_a_reason() -> None:
    assert set(TARGETS) == set(Target)
    assert set(REASONS) == set(Reason)
    assert set(DEEDS) == set(Deed)
    for target in Target:
        assert deeds_for(target), target
        general = set() if target is Target.CLAIM else {Reason.OTHER, Reason.MISTAKE}
        assert reasons_for(target).keys() & {Reason.OTHER, Reason.MISTAKE} == general


@given(deeds=st.lists(st.sampled_from([Deed.FOLD, Deed.REMOVE, Deed.RESTORE]), max_size=8))
def test_every_step_of_a_comment_can_be_taken_back(deeds: list[Deed]) -> None:
    state = Moderated.NO
    for deed in deeds:
        after = EFFECTS.get((state, deed))
        if after is not None:
            assert EFFECTS[after, LEADS_TO[state]] is state
            state = after


def test_the_log_has_pages(say: Say) -> None:
    for number in range(5):
        decided(moderator(), Subject(Target.COMMENT, say(ada(), f"number {number}")), Deed.FOLD)
    first, following = moderation.log(limit=2)
    second, later = moderation.log(before=following, limit=2)
    third, end = moderation.log(before=later, limit=2)
    assert [act.id for act in [*first, *second, *third]] == sorted(
        Act.objects.values_list("id", flat=True), reverse=True
    )
    assert end is None


def test_the_queue_asks_as_many_questions_for_many_things_as_for_one(say: Say) -> None:
    her = moderator()
    asked = []
    for number in range(4):
        subject = Subject(Target.COMMENT, say(reader(f"p{number}"), f"number {number}"))
        moderating.flag(by=bela(), subject=subject, reason=Reason.SPAM)
        with CaptureQueriesContext(connection) as queries:
            assert len(moderation.queue(her)) == number + 1
        asked.append(len(queries))
    assert asked == [asked[0]] * 4


def test_a_proposal_is_refused_and_taken_up_again(lantern: int, noon: datetime) -> None:
    row = Submission.objects.create(
        user_id=ada().id, scheme="arxiv", value="2401.00077", note="", state="pending", reason="", proposed_at=noon
    )
    act = decided(moderator(), Subject(Target.SUBMISSION, row.id), Deed.REMOVE)
    row.refresh_from_db()
    assert (row.state, row.reason) == (
        "refused",
        "Moderators refused it: Advertising, or the same thing again and again.",
    )
    moderating.undo(by=moderator(), act_id=act)
    row.refresh_from_db()
    assert (row.state, row.next_at is not None) == ("pending", True)


def test_a_proposal_that_arrived_by_itself_is_not_taken_up_again(lantern: int, noon: datetime) -> None:
    row = Submission.objects.create(
        user_id=ada().id, scheme="arxiv", value="2401.00077", note="", state="refused", reason="", proposed_at=noon
    )
    with pytest.raises(Refused, match="so already"):
        decided(moderator(), Subject(Target.SUBMISSION, row.id), Deed.RESTORE)


def test_a_link_is_taken_away_and_put_back(lantern: int, noon: datetime) -> None:
    row = AuthorLink.objects.create(
        user_id=ada().id, paper_id=lantern, kind="code", url="https://a.example/", linked_at=noon
    )
    act = decided(moderator(), Subject(Target.LINK, row.id), Deed.REMOVE)
    row.refresh_from_db()
    assert row.removed_at is not None
    moderating.undo(by=moderator(), act_id=act)
    row.refresh_from_db()
    assert row.removed_at is None


# --- Accounts that end -----------------------------------------------------------------------------------------------


def test_what_a_person_wrote_is_deleted_with_her_account(say: Say, lantern: int) -> None:
    answered, alone = say(ada(), "answered"), say(ada(), "alone")
    say(bela(), "the answer", answered)
    joining.delete(ada())
    assert [each.body for each in comments.discussion(lantern, None).comments] == ["", "the answer"]
    assert comments.one(alone, None) is None
    assert not Comment.objects.filter(body__in=["answered", "alone"]).exists()


def test_an_account_that_goes_into_another_takes_everything_with_it(comment: Subject, say: Say, lantern: int) -> None:
    act = decided(moderator(), comment, Deed.FOLD)
    moderating.flag(by=ada(), subject=Subject(Target.COMMENT, say(chloe(), "x")), reason=Reason.SPAM)
    joining.merge(kept=bela(), gone=ada())
    found = comments.one(comment.id, None)
    assert found is not None
    assert found.author == bela()
    assert [line.id for line, _ in moderation.concerning(bela())] == [act]
    assert notices.unread(bela()) == 2
    assert Flag.objects.get().by_id == bela().id


# --- Django's admin --------------------------------------------------------------------------------------------------


def admin_client() -> Client:
    return signed_in(Client(), operator())


def test_the_admin_does_what_moderators_do_and_writes_the_same_log(comment: Subject) -> None:
    form = {"action": "fold", "_selected_action": [comment.id], "reason": "spam", "words": "sells"}
    assert admin_client().post("/admin/community/comment/", form).status_code == 302
    assert shown(comment)[0] is Shown.FOLDED
    [line] = moderation.log()[0]
    assert (line.deed, line.by, line.words) == (Deed.FOLD, operator(), "sells")
    admin_client().post("/admin/community/act/", {"action": "undo", "_selected_action": [line.id]})
    assert shown(comment)[0] is Shown.OPEN


@pytest.mark.parametrize("table", ["comment", "act", "flag", "appeal"])
def test_the_admin_neither_adds_nor_changes_nor_deletes_rows(comment: Subject, table: str) -> None:
    client = admin_client()
    assert client.get(f"/admin/community/{table}/").status_code == 200
    assert client.get(f"/admin/community/{table}/add/").status_code == 403
    client.post(f"/admin/community/comment/{comment.id}/change/", {"body": "changed", "moderated": "removed"})
    assert client.post(f"/admin/community/comment/{comment.id}/delete/", {"post": "yes"}).status_code == 403
    assert shown(comment) == (Shown.OPEN, "Buy lamps")


def test_the_admin_is_for_operators(comment: Subject) -> None:
    client = signed_in(Client(), moderator())
    assert client.get("/admin/community/comment/").status_code in (302, 403)
