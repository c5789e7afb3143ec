"""Voting, proposing, picking and claiming as people meet them: pages, forms, fragments, and what is refused there."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from broadsheet.accounts.actions import only_reader
from broadsheet.accounts.rules import Person
from broadsheet.community.actions import authorship as authoring
from broadsheet.community.queries import authorship, submissions, votes
from broadsheet.community.rules.voting import State
from broadsheet.evidence.actions import store_measurement
from broadsheet.papers import queries as papers
from broadsheet.testing import people
from broadsheet.testing.cast import ADA, BELA, CHLOE, HARBOUR, LANTERN, MEADOW
from broadsheet.testing.hostile_texts import HOSTILE
from broadsheet.testing.measurements import content, measurement

pytestmark = pytest.mark.django_db


class Reader:
    """Somebody with a browser: asks, and sends forms."""

    def __init__(self, person: Person | None) -> None:
        self.person = person
        self.client = Client()
        if person:
            people.signed_in(self.client, person)

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(path, headers={"host": "localhost", **headers})

    def send(self, path: str, **form: Any) -> Any:
        """Send a form; where one of its fields is `hx`, as a script does."""
        scripted = {"HX-Request": "true"} if form.pop("hx", False) else {}
        return self.client.post(path, form, headers={"host": "localhost", **scripted})


@pytest.fixture
def ada() -> Reader:
    return Reader(people.ada())


@pytest.fixture
def curator() -> Reader:
    return Reader(people.curator())


@pytest.fixture(autouse=True)
def _printed(press: Any) -> None:
    press([LANTERN, HARBOUR, MEADOW])


def number(key: str = "2401.00001") -> int:
    row = papers.find(key)
    assert row is not None
    return row.id


def tally(key: str = "2401.00001", viewer: Person | None = None) -> votes.Counted:
    return votes.tallies([number(key)], viewer)[number(key)]


def vote(reader: Reader, what: str = "cast", **more: Any) -> Any:
    return reader.send("/vote", **{"paper": "2401.00001", "what": what, "next": "/sections?page=2", **more})


class TestVoting:
    def test_a_plain_form_goes_back_to_its_page(self, ada: Reader) -> None:
        answer = vote(ada)
        assert (answer.status_code, answer.headers["Location"], tally().votes) == (303, "/sections?page=2", 1)
        vote(ada, "withdraw")
        assert tally().votes == 0

    def test_the_paper_shows_the_count_and_the_form_to_take_it_back(self, ada: Reader) -> None:
        assert 'name="what" value="cast"' in ada.get("/papers/2401.00001").text
        vote(ada)
        page = ada.get("/papers/2401.00001").text
        assert 'name="what" value="withdraw"' in page
        assert 'aria-pressed="true"' in page

    def test_with_scripts_the_button_alone_comes_back(self, ada: Reader) -> None:
        answer = vote(ada, hx=True)
        assert answer.status_code == 200
        assert answer.text.strip().startswith('<form class="vote on" id="vote-')
        assert '<span class="count">1</span>' in answer.text
        assert 'value="/sections?page=2"' in answer.text
        assert answer.headers["Cache-Control"] == "private, no-cache"

    def test_visitors_see_the_count_and_the_way_to_sign_in_but_no_form(self, ada: Reader, get: Any) -> None:
        vote(ada)
        page = get("/papers/2401.00001")
        assert 'action="/vote"' not in page.text
        assert re.search(r'href="/account/sign-in\?next=/papers/2401\.00001[^"]*" data-vote', page.text)
        assert '<span class="count">1</span>' in page.text
        assert not page.cookies
        assert page.headers["Cache-Control"] == "public, no-cache"

    def test_a_visitor_who_sends_the_form_is_sent_to_sign_in(self) -> None:
        answer = vote(Reader(None))
        assert (answer.status_code, answer.headers["Location"]) == (303, "/account/sign-in?next=%2Fsections%3Fpage%3D2")
        assert tally().votes == 0

    @pytest.mark.parametrize(
        ("form", "status"),
        [
            pytest.param({"paper": "2499.99999"}, 404, id="a paper that is not here"),
            pytest.param({"paper": "\0"}, 404, id="a zero byte"),
            pytest.param({"paper": "x" * 5000}, 404, id="a long key"),
            pytest.param({"what": "double"}, 422, id="another deed"),
            pytest.param({"what": ""}, 422, id="no deed"),
        ],
    )
    def test_what_cannot_be_meant_is_refused_in_a_sentence(
        self, ada: Reader, form: dict[str, str], status: int
    ) -> None:
        answer = vote(ada, **form)
        assert answer.status_code == status
        assert "changed" in answer.text

    @pytest.mark.parametrize("address", ["https://example.org/", "//example.org", "/\\example.org", "javascript:x", ""])
    def test_nobody_is_sent_elsewhere(self, ada: Reader, address: str) -> None:
        assert vote(ada, next=address).headers["Location"] == "/"

    def test_a_look_changes_nothing(self, ada: Reader) -> None:
        assert ada.get("/vote?paper=2401.00001&what=cast").status_code == 405
        assert tally().votes == 0

    def test_a_forged_form_is_refused(self) -> None:
        client = people.signed_in(Client(enforce_csrf_checks=True), people.ada())
        answer = client.post("/vote", {"paper": "2401.00001", "what": "cast"}, headers={"host": "localhost"})
        assert (answer.status_code, tally().votes) == (403, 0)

    def test_who_is_barred_reads_why(self, ada: Reader) -> None:
        get_user_model().objects.update(barred_until=timezone.now() + timedelta(days=1))
        answer = vote(ada)
        assert (answer.status_code, tally().votes) == (403, 0)
        assert "Your votes were not changed." in answer.text

    def test_an_author_reads_that_her_vote_is_held_back_and_everybody_how_many_are(self, ada: Reader, get: Any) -> None:
        made = authoring.claim_authorship(by=people.ada(), paper_id=number(), author=ADA)
        authoring.confirm_claim(by=people.curator(), claim_id=made.id, reason="Her page says so.")
        assert "yours does not count" in vote(ada, hx=True).text
        assert "held back: 1" in get("/papers/2401.00001").text
        assert tally(viewer=people.ada()).mine is State.OWN

    def test_her_list_says_the_state_of_each_vote_and_is_hers_alone(self, ada: Reader, get: Any) -> None:
        vote(ada)
        page = ada.get("/votes").text
        assert "Lantern" in page
        assert 'value="withdraw"' in page
        assert "Lantern" not in Reader(people.bela()).get("/votes").text
        assert get("/votes").status_code == 303

    def test_a_list_asks_as_often_for_many_papers_as_for_few(self, ada: Reader) -> None:
        def asked() -> int:
            with CaptureQueriesContext(connection) as seen:
                ada.get("/votes")
            return len(seen)

        vote(ada)
        ada.get("/votes")
        few = asked()
        vote(ada, paper="2401.00002")
        vote(ada, paper="math/0611800")
        assert asked() == few

    def test_single_readers_vote_without_an_account(self, settings: Any) -> None:
        settings.BROADSHEET_ACCOUNTS = False
        only_reader()
        assert vote(Reader(None)).headers["Location"] == "/sections?page=2"
        assert tally().votes == 1


class TestProposing:
    def test_a_paper_that_is_here_leads_to_its_page(self, ada: Reader) -> None:
        answer = ada.send("/propose", paper="https://arxiv.org/abs/2401.00001v2", note="")
        assert (answer.status_code, answer.headers["Location"]) == (303, "/papers/2401.00001")

    def test_another_waits_in_her_list_with_its_state(self, ada: Reader) -> None:
        answer = ada.send("/propose", paper="2401.00009", note="Read the proof.")
        assert answer.headers["Location"] == "/proposals"
        page = ada.get("/proposals").text
        assert "waits" in page
        assert "Read the proof." in page
        assert "It has not been asked for yet." in page

    def test_what_somebody_else_proposed_is_said_so(self, ada: Reader) -> None:
        ada.send("/propose", paper="2401.00009")
        other = Reader(people.bela())
        where = other.send("/propose", paper="2401.00009").headers["Location"]
        assert where.startswith("/proposals?known=")
        assert "Ada Example has proposed arxiv:2401.00009 already" in other.get(where).text

    @pytest.mark.parametrize(
        ("form", "field"),
        [({"paper": "a paper", "note": "kept <b>"}, "paper"), ({"paper": "2401.00009", "note": "x" * 501}, "note")],
    )
    def test_what_is_refused_is_said_beside_its_field_and_nothing_typed_is_lost(
        self, ada: Reader, form: dict[str, str], field: str
    ) -> None:
        answer = ada.send("/propose", **form)
        assert answer.status_code == 422
        assert f'id="{field}-wrong" role="alert"' in answer.text
        assert form["note"].replace("<", "&lt;").replace(">", "&gt;") in answer.text
        assert form["paper"] in answer.text

    def test_she_withdraws_what_waits(self, ada: Reader) -> None:
        ada.send("/propose", paper="2401.00009")
        [waiting] = submissions.by_person(people.ada().id)
        assert Reader(people.bela()).send("/proposals", id=waiting.id).status_code == 404
        assert ada.send("/proposals", id=waiting.id).status_code == 303
        assert "withdrawn" in ada.get("/proposals").text
        assert ada.send("/proposals", id="x").status_code == 422

    def test_the_page_of_a_paper_that_is_not_here_leads_to_the_form(self, ada: Reader, get: Any) -> None:
        page = get("/papers/2401.00009")
        assert "/propose?paper=arxiv%3A2401.00009" in page.text or "/propose?paper=" in page.text
        assert 'value="2401.00009"' in ada.get("/propose?paper=2401.00009").text

    def test_visitors_are_sent_to_sign_in(self, get: Any) -> None:
        assert get("/propose").headers["Location"] == "/account/sign-in?next=%2Fpropose"


class TestPicking:
    def test_a_pick_stands_on_the_front_page_with_name_and_note_and_can_be_taken_back(
        self, curator: Reader, get: Any
    ) -> None:
        assert curator.send("/pick", paper="math/0611800", note="An old one.", next="/").headers["Location"] == "/"
        page = get("/").text
        assert 'Picked by <a href="/people/dorde">Đorđe Primer</a></b>: An old one.' in page
        assert "Meadow" in page
        assert 'action="/pick"' not in page
        [number] = re.findall(r'name="id" value="(\d+)"', curator.get("/").text)
        curator.send("/pick", what="undo", id=number, next="/")
        assert "Picked by" not in get("/").text

    def test_a_pick_among_the_first_papers_is_said_there_and_not_twice(self, curator: Reader, get: Any) -> None:
        curator.send("/pick", paper="2401.00001", note="", next="/")
        assert get("/").text.count("Picked by") == 1

    def test_readers_have_no_form_and_may_not(self, ada: Reader) -> None:
        assert "Pick it for the front page" not in ada.get("/papers/2401.00001").text
        assert ada.send("/pick", paper="2401.00001").status_code == 403

    def test_the_paper_says_who_picked_it(self, curator: Reader, get: Any) -> None:
        assert "Pick it for the front page" in curator.get("/papers/2401.00001").text
        curator.send("/pick", paper="2401.00001", note="Short.", next="/")
        assert "Picked by" in get("/papers/2401.00001").text


class TestClaiming:
    def test_from_the_paper_to_the_form_to_the_decision(self, ada: Reader, curator: Reader, get: Any) -> None:
        assert 'href="/claim?paper=2401.00001"' in ada.get("/papers/2401.00001").text
        form = ada.get("/claim?paper=2401.00001").text
        assert f'<option value="{ADA}">' in form
        answer = ada.send("/claim", paper="2401.00001", author=ADA, note="See my page.")
        assert answer.headers["Location"] == "/papers/2401.00001#authors"
        page = get("/papers/2401.00001").text
        assert "A curator has not decided yet." in page
        assert "See my page." not in page
        queue = curator.get("/claims").text
        assert "See my page." in queue
        [claim] = authorship.pending()
        curator.send("/claims", what="confirm", id=claim.id, reason="It does.")
        assert "is confirmed as author <b>Ada Example</b>" in get("/papers/2401.00001").text

    def test_what_is_refused_is_said_beside_its_field_and_nothing_typed_is_lost(self, ada: Reader) -> None:
        answer = ada.send("/claim", paper="2401.00001", author=BELA, note="kept")
        assert answer.status_code == 422
        assert 'id="author-wrong" role="alert"' in answer.text
        assert "kept</textarea>" in answer.text

    def test_a_dispute_is_public(self, ada: Reader, get: Any) -> None:
        ada.send("/claim", paper="2401.00001", author=ADA)
        Reader(people.bela()).send("/claim", paper="2401.00001", author=ADA)
        assert get("/papers/2401.00001").text.count("Disputed: a curator decides.") == 2

    def test_only_curators_see_the_queue(self, ada: Reader, get: Any) -> None:
        assert ada.get("/claims").status_code == 403
        assert get("/claims").status_code == 303

    def test_she_withdraws_hers(self, ada: Reader) -> None:
        ada.send("/claim", paper="2401.00001", author=ADA)
        [claim] = authorship.pending()
        assert Reader(people.bela()).send("/claim", what="withdraw", id=claim.id).status_code == 404
        ada.send("/claim", what="withdraw", id=claim.id)
        assert authorship.pending() == []

    def test_an_author_links_and_removes(self, ada: Reader, curator: Reader, get: Any) -> None:
        ada.send("/claim", paper="2401.00001", author=ADA)
        curator.send("/claims", what="confirm", id=authorship.pending()[0].id, reason="So it is.")
        ada.send(
            "/author-links", paper="2401.00001", kind="code", url="https://example.org/wick", next="/papers/2401.00001"
        )
        page = get("/papers/2401.00001").text
        assert "Linked by the authors" in page
        assert 'href="https://example.org/wick" rel="nofollow ugc noopener"' in page
        [link] = authorship.links_of(number())
        bela = Reader(people.bela())
        assert f'href="/flag?target=link&amp;id={link.id}"' in bela.get("/papers/2401.00001").text
        assert bela.get(f"/flag?target=link&id={link.id}").status_code == 200
        assert bela.send("/author-links", what="remove", id=link.id).status_code == 404
        ada.send("/author-links", what="remove", id=link.id)
        assert "https://example.org/wick" not in get("/papers/2401.00001").text
        assert 'name="what" value="undo"' not in bela.get("/papers/2401.00001").text
        assert 'name="what" value="undo"' in ada.get("/papers/2401.00001").text
        ada.send("/author-links", what="undo", id=link.id)
        assert "https://example.org/wick" in get("/papers/2401.00001").text

    def test_an_author_answers_a_measurement_beside_its_figures(self, ada: Reader, curator: Reader, get: Any) -> None:
        store_measurement(content(measurement(paper="arxiv:2401.00001")), origin="by hand")
        ada.send("/claim", paper="2401.00001", author=ADA)
        curator.send("/claims", what="confirm", id=authorship.pending()[0].id, reason="So it is.")
        page = ada.get("/papers/2401.00001").text
        [digest] = re.findall(r'name="measurement" value="([0-9a-f]{64})"', page)
        ada.send(
            "/answers", paper="2401.00001", measurement=digest, body="We tuned *longer*.", next="/papers/2401.00001"
        )
        page = get("/papers/2401.00001").text
        assert "<b>Ada Example</b>, author, answers" in page
        assert "We tuned <em>longer</em>." in page
        assert 'action="/answers"' not in page

    def test_a_measurement_that_is_none_of_the_paper_is_not_answered(self, ada: Reader) -> None:
        assert ada.send("/answers", paper="2401.00001", measurement="a" * 64, body="No.").status_code == 404

    def test_a_paper_that_is_not_here_is_not_claimed(self, ada: Reader) -> None:
        assert ada.get("/claim?paper=2499.99999").status_code == 404
        assert ada.get("/claim").status_code == 404


def test_a_paper_asks_as_often_for_many_claims_links_and_picks_as_for_one(curator: Reader, get: Any) -> None:
    def involve(person: Person, author: str) -> None:
        made = authoring.claim_authorship(by=person, paper_id=number(), author=author)
        authoring.confirm_claim(by=people.moderator(), claim_id=made.id, reason="So it is.")
        authoring.link(by=person, paper_id=number(), kind="code", url=f"https://example.org/{person.name}")
        vote(Reader(person))

    def asked() -> int:
        with CaptureQueriesContext(connection) as seen:
            get("/papers/2401.00001")
        return len(seen)

    involve(people.ada(), ADA)
    curator.send("/pick", paper="2401.00001", note="", next="/")
    get("/papers/2401.00001")
    few = asked()
    involve(people.chloe(), CHLOE)
    assert asked() == few


class TestHostileTexts:
    """No text that people can type becomes markup, an address that leads elsewhere, or an error of the server."""

    def test_in_notes_of_proposals_and_claims(self, ada: Reader, curator: Reader, settings: Any) -> None:
        settings.BROADSHEET_SUBMISSIONS_PER_DAY = 1000
        sent = 0
        for text in HOSTILE[::9]:
            for path, form in (
                ("/propose", {"paper": text, "note": text}),
                ("/claim", {"paper": "2401.00001", "author": text, "note": text}),
                ("/pick", {"paper": "2401.00001", "note": text, "next": text}),
                ("/vote", {"paper": text, "what": text, "next": text}),
            ):
                reader = curator if path == "/pick" else ada
                answer = reader.send(path, **form)
                assert answer.status_code < 500, (path, text)
                assert "<script>alert" not in answer.text
                if "Location" in answer.headers:
                    assert answer.headers["Location"].startswith("/"), (path, text)
                    assert not answer.headers["Location"].startswith(("//", "/\\")), (path, text)
                sent += 1
        assert sent > 150
