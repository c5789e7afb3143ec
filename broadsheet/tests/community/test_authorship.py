"""Claims of authorship from the first word to the decision, disputes, links and answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth import get_user_model
from django.test import Client

from broadsheet import links
from broadsheet.accounts.rules import Person, Refused
from broadsheet.community.actions import authorship as authoring
from broadsheet.community.actions import moderating, voting
from broadsheet.community.models.notices import Notice
from broadsheet.community.queries import authorship, moderation, votes
from broadsheet.community.queries.authorship import Claim
from broadsheet.community.rules.authorship import State, Way
from broadsheet.community.rules.moderating import Deed, Reason, Ruling, Subject, Target
from broadsheet.papers import queries as papers
from broadsheet.papers.actions import merge_papers, store_many, unmerge_papers
from broadsheet.testing import people
from broadsheet.testing.cast import ADA, BELA, CHLOE, HARBOUR, LANTERN

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _papers() -> None:
    store_many([LANTERN, HARBOUR])


def number(key: str) -> int:
    row = papers.find(key)
    assert row is not None
    return row.id


def lantern() -> int:
    return number("2401.00001")


def harbour() -> int:
    return number("2401.00002")


def claim(by: Person, author: str = ADA, paper: int | None = None) -> Claim:
    return authoring.claim_authorship(
        by=by, paper_id=paper or lantern(), author=author, note="My page says so.", now=NOON
    )


def confirm(made: Claim, reason: str = "Her page says so.") -> None:
    authoring.confirm_claim(by=people.curator(), claim_id=made.id, reason=reason, now=NOON)


def with_orcid(person: Person, doi: str, given: str, family: str) -> None:
    """Have the person signed in with an ORCID record in which a publisher put the work."""
    said = {
        "orcid-identifier": {"path": "0000-0002-1825-0097"},
        "person": {"name": {"given-names": {"value": given}, "family-name": {"value": family}}},
        "activities-summary": {"works": {"group": [{"work-summary": [{
            "source": {"source-name": {"value": "Crossref"}},
            "external-ids": {"external-id": [{"external-id-type": "doi", "external-id-value": doi,
                                              "external-id-relationship": "self"}]},
        }]}]}},
    }  # fmt: skip
    SocialAccount.objects.create(user_id=person.id, provider="orcid", uid=f"orcid-of-{person.id}", extra_data=said)


class TestClaiming:
    def test_a_claim_waits_for_a_curator_and_says_what_speaks_for_it(self) -> None:
        EmailAddress.objects.create(user_id=people.ada().id, email="ada@lamps.example.org", verified=True)
        EmailAddress.objects.create(user_id=people.ada().id, email="ada@elsewhere.example.org", verified=False)
        made = claim(people.ada())
        assert (made.state, made.way, made.proof) == (
            State.PENDING,
            Way.MAIL,
            "Verified addresses at lamps.example.org.",
        )
        assert [each.id for each in authorship.pending()] == [made.id]
        assert authorship.authors_of([lantern()]) == {}

    def test_an_orcid_record_with_the_work_confirms_at_once(self) -> None:
        with_orcid(people.bela(), "10.1000/harbour.7", "Bela", "Beispiel")
        made = claim(people.bela(), BELA, harbour())
        assert (made.state, made.way) == (State.CONFIRMED, Way.ORCID)
        assert authorship.authors_of([harbour(), lantern()]) == {harbour(): {people.bela().id}}

    def test_but_not_where_somebody_stands_already(self) -> None:
        confirm(claim(people.ada(), BELA, harbour()))
        with_orcid(people.bela(), "10.1000/harbour.7", "Bela", "Beispiel")
        made = claim(people.bela(), BELA, harbour())
        assert (made.state, made.disputed) == (State.PENDING, True)
        assert authorship.authors_of([harbour()]) == {harbour(): {people.ada().id}}

    @pytest.mark.parametrize("author", ["", "Eva Beispiel", "ada example", "x" * 9999, "\0"])
    def test_a_name_that_the_paper_does_not_print_is_refused_beside_its_field(self, author: str) -> None:
        with pytest.raises(Refused, match="names that the paper prints") as refused:
            claim(people.ada(), author)
        assert refused.value.field == "author"

    def test_one_claim_of_a_person_stands_at_a_time(self) -> None:
        first = claim(people.ada())
        with pytest.raises(Refused, match="stands already"):
            claim(people.ada(), CHLOE)
        authoring.withdraw_claim(by=people.ada(), claim_id=first.id)
        assert claim(people.ada(), CHLOE).author == CHLOE

    def test_who_is_barred_claims_nothing(self) -> None:
        people.ada()
        get_user_model().objects.update(barred_until=NOON + timedelta(days=1))
        with pytest.raises(Refused, match="Nothing was claimed"):
            claim(people.ada())

    def test_a_note_that_is_too_long_is_refused(self) -> None:
        with pytest.raises(Refused, match="longer than 1,000"):
            authoring.claim_authorship(by=people.ada(), paper_id=lantern(), author=ADA, note="x" * 1001)


class TestDeciding:
    def test_confirmed_with_a_public_reason_and_she_is_told(self) -> None:
        confirm(claim(people.ada()))
        [found] = authorship.claims_of(lantern())
        assert (found.state, found.reason) == (State.CONFIRMED, "Her page says so.")
        assert found.decided_by == people.curator()
        assert [notice.sentence for notice in Notice.objects.filter(person=people.ada().id)] == [
            "You are confirmed as an author of this paper. Her page says so."
        ]

    def test_refused_and_public(self) -> None:
        made = claim(people.ada())
        authoring.refuse_claim(by=people.curator(), claim_id=made.id, reason="The page names somebody else.")
        assert authorship.claims_of(lantern()) == []
        assert [each.reason for each in authorship.decisions_of(lantern())] == ["The page names somebody else."]

    def test_a_dispute_ends_with_one_author_in_the_place(self) -> None:
        confirm(claim(people.ada()))
        second = claim(people.chloe())
        assert [each.disputed for each in authorship.claims_of(lantern())] == [True, True]
        confirm(second, "Chloé showed the proofs.")
        assert authorship.authors_of([lantern()]) == {lantern(): {people.chloe().id}}
        assert [(each.by.name, each.state) for each in authorship.decisions_of(lantern())] == [("ada", State.UNDONE)]

    def test_two_authors_of_one_paper_are_no_dispute(self) -> None:
        confirm(claim(people.ada(), ADA))
        confirm(claim(people.chloe(), CHLOE))
        assert [each.disputed for each in authorship.claims_of(lantern())] == [False, False]

    def test_a_confirmation_can_be_undone(self) -> None:
        made = claim(people.ada())
        confirm(made)
        authoring.undo_claim(by=people.curator(), claim_id=made.id, reason="The page was forged.")
        assert authorship.authors_of([lantern()]) == {}

    @pytest.mark.parametrize("act", [authoring.confirm_claim, authoring.refuse_claim, authoring.undo_claim])
    def test_readers_decide_nothing(self, act: Any) -> None:
        made = claim(people.ada())
        with pytest.raises(Refused, match="for curators"):
            act(by=people.bela(), claim_id=made.id, reason="So it is.")

    def test_a_curator_does_not_decide_about_herself(self) -> None:
        made = claim(people.curator())
        with pytest.raises(Refused, match="Another curator"):
            confirm(made)
        authoring.confirm_claim(by=people.moderator(), claim_id=made.id, reason="So it is.")

    def test_a_decision_needs_a_reason_and_a_claim_that_waits(self) -> None:
        made = claim(people.ada())
        with pytest.raises(Refused, match="Give a reason"):
            confirm(made, "  ")
        confirm(made)
        with pytest.raises(Refused, match="decided already"):
            confirm(made)

    def test_nobody_withdraws_the_claim_of_another(self) -> None:
        made = claim(people.ada())
        with pytest.raises(Refused, match="no such claim"):
            authoring.withdraw_claim(by=people.bela(), claim_id=made.id)


class TestVotesOfAuthors:
    def test_her_vote_is_held_back_from_the_confirmation_on_and_counts_again_when_it_is_undone(self) -> None:
        voting.cast_vote(by=people.ada(), paper_id=lantern())
        made = claim(people.ada())
        assert votes.tallies([lantern()], None)[lantern()].votes == 1
        confirm(made)
        assert (
            votes.tallies([lantern()], None)[lantern()].votes,
            votes.tallies([lantern()], None)[lantern()].held,
        ) == (0, 1)
        authoring.withdraw_claim(by=people.ada(), claim_id=made.id)
        assert votes.tallies([lantern()], None)[lantern()].votes == 1

    def test_a_merge_makes_her_an_author_of_the_work_and_taking_apart_undoes_that(self) -> None:
        confirm(claim(people.bela(), BELA, harbour()))
        key = merge_papers(winner_key="2401.00001", loser_key="2401.00002", reason="one work")
        assert authorship.authors_of([lantern()]) == {lantern(): {people.bela().id}}
        unmerge_papers(key=key, reason="two works")
        assert authorship.authors_of([lantern()]) == {}


class TestWhatAuthorsAdd:
    @pytest.fixture(autouse=True)
    def _author(self, _papers: None) -> None:
        confirm(claim(people.ada()))

    def test_links_stand_on_the_paper_until_they_are_removed_and_again_after_undo(self) -> None:
        made = authoring.link(by=people.ada(), paper_id=lantern(), kind="code", url=" https://example.org/lantern ")
        assert (
            authoring.link(by=people.ada(), paper_id=lantern(), kind="code", url="https://example.org/lantern") == made
        )
        assert [each.url for each in authorship.links_of(lantern())] == ["https://example.org/lantern"]
        authoring.unlink(by=people.ada(), link_id=made)
        assert authorship.links_of(lantern()) == []
        authoring.relink(by=people.ada(), link_id=made)
        assert len(authorship.links_of(lantern())) == 1

    def test_a_link_comes_back_only_where_the_paper_has_room_and_lacks_it(self) -> None:
        def link(place: str) -> int:
            return authoring.link(by=people.ada(), paper_id=lantern(), kind="data", url=f"https://example.org/{place}")

        first = link("first")
        authoring.unlink(by=people.ada(), link_id=first)
        again = link("first")
        with pytest.raises(Refused, match="has this link already"):
            authoring.relink(by=people.ada(), link_id=first)
        authoring.unlink(by=people.ada(), link_id=again)
        for place in range(6):
            link(str(place))
        for somebody in (people.ada(), people.curator(), people.moderator()):
            with pytest.raises(Refused, match="at most 6"):
                authoring.relink(by=somebody, link_id=first)
        assert len(authorship.links_of(lantern())) == 6

    def test_what_moderators_removed_moderators_alone_put_back(self) -> None:
        made = authoring.link(by=people.ada(), paper_id=lantern(), kind="code", url="https://example.org/")
        moderating.moderate(
            by=people.moderator(), subject=Subject(Target.LINK, made), ruling=Ruling(Deed.REMOVE, Reason.SPAM)
        )
        for somebody in (people.ada(), people.curator()):
            with pytest.raises(Refused, match="Moderators removed this link"):
                authoring.relink(by=somebody, link_id=made)
        assert authorship.links_of(lantern()) == []
        authoring.relink(by=people.moderator(), link_id=made)
        assert len(authorship.links_of(lantern())) == 1

    def test_a_curator_puts_back_what_its_author_removed(self) -> None:
        made = authoring.link(by=people.ada(), paper_id=lantern(), kind="code", url="https://example.org/")
        authoring.unlink(by=people.ada(), link_id=made)
        authoring.relink(by=people.curator(), link_id=made)
        assert len(authorship.links_of(lantern())) == 1

    @pytest.mark.parametrize(
        "url",
        ["", "example.org", "javascript:alert(1)", "data:text/html,x", "ftp://example.org/x", "https://", "http://localhost/",
         "https://ada:secret@example.org/", "https://example.org/\u202ex", "https://example.org/a b", "https://[::1",
         "//example.org", "https://example.org:99999/", "https://example.org/" + "x" * 500],
    )  # fmt: skip
    def test_only_addresses_of_the_web_are_linked(self, url: str) -> None:
        with pytest.raises(Refused, match="begins with https"):
            authoring.link(by=people.ada(), paper_id=lantern(), kind="code", url=url)

    def test_kinds_are_a_closed_list_and_links_have_an_end(self) -> None:
        with pytest.raises(Refused, match="code, a project's page or data"):
            authoring.link(by=people.ada(), paper_id=lantern(), kind="advert", url="https://example.org/")
        for n in range(6):
            authoring.link(by=people.ada(), paper_id=lantern(), kind="data", url=f"https://example.org/{n}")
        with pytest.raises(Refused, match="at most 6"):
            authoring.link(by=people.ada(), paper_id=lantern(), kind="data", url="https://example.org/7")

    def test_nobody_else_links_or_answers(self) -> None:
        with pytest.raises(Refused, match="confirmed as authors"):
            authoring.link(by=people.bela(), paper_id=lantern(), kind="code", url="https://example.org/")
        with pytest.raises(Refused, match="confirmed as authors"):
            authoring.answer(by=people.bela(), paper_id=lantern(), measurement="a" * 64, body="No.")
        made = authoring.link(by=people.ada(), paper_id=lantern(), kind="code", url="https://example.org/")
        for act in (authoring.unlink, authoring.relink):
            with pytest.raises(Refused, match="no such link of yours"):
                act(by=people.bela(), link_id=made)

    def test_an_answer_is_safe_markdown_and_is_changed_by_answering_again(self) -> None:
        first = authoring.answer(by=people.ada(), paper_id=lantern(), measurement="a" * 64, body="We tuned *longer*.")
        second = authoring.answer(
            by=people.ada(), paper_id=lantern(), measurement="a" * 64, body="<script>alert(1)</script> **No.**"
        )
        assert first == second
        [found] = authorship.answers_to(["a" * 64])["a" * 64]
        assert "<strong>No.</strong>" in found.html
        assert "<script" not in found.html

    @pytest.mark.parametrize("body", ["", "  \n ", "x" * 3001])
    def test_an_answer_has_a_text_of_some_length(self, body: str) -> None:
        with pytest.raises(Refused):
            authoring.answer(by=people.ada(), paper_id=lantern(), measurement="a" * 64, body=body)

    def test_she_or_a_moderator_removes_an_answer(self) -> None:
        made = authoring.answer(by=people.ada(), paper_id=lantern(), measurement="a" * 64, body="No.")
        with pytest.raises(Refused, match="no such answer of yours"):
            authoring.take_answer_back(by=people.bela(), answer_id=made)
        authoring.take_answer_back(by=people.moderator(), answer_id=made)
        assert authorship.answers_to(["a" * 64]) == {}


class TestTheLog:
    """What curators decide about claims stands in the public log, as what moderators decide does."""

    def lines(self) -> list[tuple[Deed, Person | None, Person | None, int | None, str, str]]:
        return [(act.deed, act.by, act.person, act.paper_id, act.reason, act.words) for act in moderation.log()[0]]

    def test_each_decision_is_a_line_with_its_public_reason(self) -> None:
        EmailAddress.objects.create(user_id=people.ada().id, email="ada@lamps.example.org", verified=True)
        first, second = claim(people.ada()), claim(people.bela(), paper=harbour(), author=BELA)
        confirm(first, "Her page says so.")
        authoring.refuse_claim(by=people.curator(), claim_id=second.id, reason="Another Bela.", now=NOON)
        authoring.undo_claim(by=people.curator(), claim_id=first.id, reason="It was not hers.", now=NOON)
        who = people.curator(), "Who wrote the paper"
        assert self.lines() == [
            (Deed.REVOKE, who[0], people.ada(), lantern(), who[1], "It was not hers."),
            (Deed.REFUSE, who[0], people.bela(), harbour(), who[1], "Another Bela."),
            (Deed.CONFIRM, who[0], people.ada(), lantern(), who[1], "Her page says so."),
        ]
        told = Client().get(links.MODERATION_LOG).content.decode()
        assert "confirmed the claim of Ada Example to be an author" in " ".join(told.split())
        assert "lamps.example.org" not in told
        assert "My page says so." not in told

    def test_a_dispute_that_is_decided_is_two_lines(self) -> None:
        confirm(claim(people.ada()))
        confirm(claim(people.bela()), "She is the other one.")
        assert [(line[0], line[2]) for line in self.lines()[:2]] == [
            (Deed.CONFIRM, people.bela()),
            (Deed.REVOKE, people.ada()),
        ]

    def test_what_she_withdraws_is_no_decision(self) -> None:
        authoring.withdraw_claim(by=people.ada(), claim_id=claim(people.ada()).id, now=NOON)
        assert self.lines() == []

    @pytest.mark.parametrize(
        "way",
        [
            pytest.param(lambda act, _: moderating.undo(by=people.moderator(), act_id=act), id="undone"),
            pytest.param(lambda act, _: moderating.appeal(by=people.ada(), act_id=act, words="No."), id="appealed"),
            pytest.param(
                lambda _, of: moderating.moderate(
                    by=people.moderator(), subject=of, ruling=Ruling(Deed.REVOKE, Reason.AUTHORSHIP)
                ),
                id="decided",
            ),
            pytest.param(
                lambda _, of: moderating.flag(by=people.bela(), subject=of, reason=Reason.AUTHORSHIP), id="flagged"
            ),
        ],
    )
    def test_moderators_pages_leave_claims_alone(self, way: Callable[[int, Subject], object]) -> None:
        made = claim(people.ada())
        confirm(made)
        act = moderation.log()[0][0].id
        with pytest.raises(Refused):
            way(act, Subject(Target.CLAIM, made.id))
        assert authorship.authors_of([lantern()]) == {lantern(): {people.ada().id}}
        assert len(self.lines()) == 1
