"""What a digest tells one reader alone: news of papers that she follows, and notices, once each."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from lxml import html as lxml_html

from broadsheet import links
from broadsheet.accounts.models import Group, Membership, User
from broadsheet.community.actions import authorship, commenting, moderating, notices
from broadsheet.community.actions.commenting import post_comment
from broadsheet.community.models.moderation import Appeal
from broadsheet.community.models.notices import Notice
from broadsheet.community.rules.commenting import Draft
from broadsheet.community.rules.moderating import Deed, Reason, Ruling, Subject, Target
from broadsheet.community.rules.notices import About, Kind
from broadsheet.following.models import Delivery, Subscriber, Subscription
from broadsheet.following.queries.digests import NOTHING_NEW, Asked, Nothing
from broadsheet.following.queries.news import Event, News
from broadsheet.following.rules.digests import MOST_NOTICES
from broadsheet.following.rules.news import MOST_PAPERS, What
from broadsheet.mailing.message import Outgoing, quoted
from broadsheet.papers import queries as papers
from broadsheet.testing import people
from broadsheet.testing.cast import HARBOUR, LANTERN
from broadsheet.testing.hostile_texts import HOSTILE
from broadsheet.testing.people import ada, bela
from broadsheet.web import digests
from broadsheet.web.digests import composing
from broadsheet.web.digests.briefs import Brief, Briefs, Line
from broadsheet.web.digests.sheet import Sheet
from broadsheet.web.digests.text import unflowed

Press = Callable[..., None]

DAY = "2024-01-02"
BASE = "https://papers.example.org"


@pytest.fixture(autouse=True)
def _at_home(settings: Any) -> None:
    settings.BROADSHEET_ADDRESS = BASE
    settings.DEFAULT_FROM_EMAIL = "broadsheet@papers.example.org"


@pytest.fixture
def lantern(press: Press) -> int:
    """A paper that Ada follows, in the edition of a day beside another."""
    press([LANTERN, HARBOUR])
    found = papers.find("2401.00001")
    assert found is not None
    commenting.follow(by=ada(), paper_id=found.id, on=True)
    return found.id


def subscribed(**asked: object) -> Subscription:
    """Ada's subscription, with what she follows unless it is asked otherwise."""
    at = timezone.now() - timedelta(days=30)
    subscriber = Subscriber.objects.create(
        address="ada@example.org", user=User.objects.get(id=ada().id), made_at=at, confirmed_at=at
    )
    values = {"cadence": "day", "hour": 7, "zone": "UTC", "key": "k" * 43, "mine": True} | asked
    return Subscription.objects.create(subscriber=subscriber, made_at=at, confirmed_at=at, **values)


def queued(subscription: Subscription, edition: str = "", **columns: object) -> Delivery:
    """A delivery that waits, as `queue_due` makes one."""
    now = timezone.now()
    slot = now.date() + timedelta(days=Delivery.objects.count())
    values = {"state": "waiting", "made_at": now, "due_at": now, "slot": slot, "domain": "example.org"} | columns
    return Delivery.objects.create(subscription=subscription, edition=edition, **values)


def ended(delivery: Delivery, state: str = "sent") -> None:
    """The delivery after it went, or did not."""
    Delivery.objects.filter(id=delivery.id).update(state=state, finished_at=timezone.now())


def made(subscription: Subscription, label: str = "") -> Outgoing | Nothing:
    """What the worker is given to send."""
    return digests.Composer().compose(subscription.pk, label)


def mail(subscription: Subscription, label: str = "") -> Outgoing:
    """The mail, which must be one."""
    found = made(subscription, label)
    assert isinstance(found, Outgoing), found
    return found


def parsed(html: str) -> Any:
    """A part of a mail, to look for elements in."""
    return lxml_html.fromstring(html)


def headlines(found: Outgoing) -> list[str]:
    """The headlines of the HTML, in their order."""
    return [" ".join(each.text_content().split()) for each in parsed(found.html).xpath("//h3")]


class TestNews:
    def test_they_stand_before_the_edition_in_both_parts(self, lantern: int) -> None:
        post_comment(by=bela(), paper_id=lantern, draft=Draft("Does it hold?"))
        found = mail(subscribed(), DAY)
        assert headlines(found)[0] == "Lantern: Step Sizes from ℓ₂ Gradient Norms"
        assert "A comment by Bela Beispiel" in found.html
        assert found.html.index("Papers you follow") < found.html.index("The front page")
        text = unflowed(found.text)
        assert "PAPERS YOU FOLLOW" in text
        assert re.search(rf"- A comment by Bela Beispiel\n{BASE}/comments/\d+\n", text)
        assert found.subject.startswith("2 January: ")

    def test_news_alone_are_worth_a_mail(self, lantern: int) -> None:
        post_comment(by=bela(), paper_id=lantern, draft=Draft("Does it hold?"))
        one = subscribed()
        queued(one)
        found = mail(one)
        assert found.subject == "News: Lantern: Step Sizes from ℓ₂ Gradient Norms"
        assert "No new edition of the day was printed." in found.html
        assert "The whole edition" not in found.html + found.text
        assert found.papers == 0
        assert found.message_id == mail(one).message_id
        assert dict(found.headers)["List-Unsubscribe"] == f"<{BASE}/mail/{'k' * 43}/leave>"

    def test_where_the_edition_has_nothing_for_her_news_still_go(self, lantern: int) -> None:
        post_comment(by=bela(), paper_id=lantern, draft=Draft("Does it hold?"))
        commented = subscribed(sections=["cs.CR"])
        found = mail(commented, DAY)
        assert "A comment by Bela Beispiel" in found.html

    def test_without_news_nothing_is_sent(self, lantern: int) -> None:
        found = made(subscribed())
        assert isinstance(found, Nothing)
        assert found.because.startswith("No new edition of the day was printed.")

    def test_who_did_not_ask_for_what_she_follows_is_not_told(self, lantern: int) -> None:
        post_comment(by=bela(), paper_id=lantern, draft=Draft("Does it hold?"))
        assert isinstance(made(subscribed(mine=False)), Nothing)

    @pytest.mark.parametrize(
        ("state", "again"),
        [
            pytest.param("sent", False, id="sent"),
            pytest.param("doubtful", False, id="perhaps sent"),
            pytest.param("failed", True, id="not sent"),
            pytest.param("bounced", True, id="came back"),
            pytest.param("nothing", True, id="nothing to say"),
        ],
    )
    def test_each_thing_is_told_once(self, lantern: int, state: str, again: bool) -> None:
        one = subscribed()
        post_comment(by=bela(), paper_id=lantern, draft=Draft("Does it hold?"))
        first = queued(one)
        assert isinstance(made(one), Outgoing)
        ended(first, state)
        queued(one)
        assert isinstance(made(one), Outgoing) is again

    def test_what_happens_after_a_mail_was_due_is_told_in_the_next(self, lantern: int) -> None:
        one = subscribed()
        first = queued(one)
        post_comment(by=bela(), paper_id=lantern, draft=Draft("Too late."))
        assert isinstance(made(one), Nothing)
        ended(first)
        queued(one)
        assert "A comment by Bela Beispiel" in mail(one).html

    def test_many_are_cut_and_the_desk_has_the_rest(self, lantern: int, monkeypatch: pytest.MonkeyPatch) -> None:
        at = timezone.now()
        many = tuple(
            News(lantern, (Event(What.COMMENTS, at, f"A comment by {number}", comments=(number,)),))
            for number in range(MOST_PAPERS + 7)
        )
        monkeypatch.setattr("broadsheet.following.queries.news.of_followed", lambda *_a, **_k: many)
        found = mail(subscribed())
        assert len(headlines(found)) == MOST_PAPERS
        assert "And 7 more papers with news" in found.html
        assert f"{BASE}{links.DESK}#news" in found.html

    def test_who_only_looks_is_told_no_news(self, lantern: int) -> None:
        post_comment(by=bela(), paper_id=lantern, draft=Draft("Does it hold?"))
        looking = Asked("day", mine=True, person_id=ada().id)  # type: ignore[arg-type]  # the value of the kind
        assert isinstance(digests.Composer().made(looking, ""), Nothing)


class TestNotices:
    def test_they_are_not_mailed_unless_she_asks(self, lantern: int) -> None:
        notices.tell([ada().id], Kind.CLAIM, About(sentence="Your claim was accepted."))
        assert isinstance(made(subscribed(mine=False)), Nothing)

    @pytest.mark.parametrize("how", ["with", "alone"])
    def test_what_she_has_not_read_is_mailed(self, lantern: int, how: str) -> None:
        notices.tell([ada().id], Kind.CLAIM, About(sentence="Your claim was accepted.", paper=lantern))
        found = mail(subscribed(mine=False, notices=how))
        assert headlines(found) == ["Your claim was accepted."]
        assert found.subject == "News: Your claim was accepted."
        assert f"{BASE}{links.NOTICES}" in found.text

    def test_alone_there_are_no_papers_of_the_edition(self, lantern: int) -> None:
        notices.tell([ada().id], Kind.CLAIM, About(sentence="Your claim was accepted."))
        found = mail(subscribed(mine=False, notices="alone"), DAY)
        assert headlines(found) == ["Your claim was accepted."]
        assert "The whole edition" not in found.text

    def test_with_the_digest_they_stand_before_the_papers(self, lantern: int) -> None:
        notices.tell([ada().id], Kind.CLAIM, About(sentence="Your claim was accepted."))
        found = mail(subscribed(mine=False, notices="with"), DAY)
        assert headlines(found)[0] == "Your claim was accepted."
        assert len(headlines(found)) == 3

    def test_what_she_has_read_is_not_mailed(self, lantern: int) -> None:
        notices.tell([ada().id], Kind.CLAIM, About(sentence="Your claim was accepted."))
        notices.mark_read(by=ada(), upto=10**6)
        assert made(subscribed(mine=False, notices="alone"), DAY) == NOTHING_NEW

    def test_each_is_mailed_once(self, lantern: int) -> None:
        one = subscribed(mine=False, notices="alone")
        notices.tell([ada().id], Kind.CLAIM, About(sentence="Your claim was accepted."))
        first = queued(one)
        assert isinstance(made(one), Outgoing)
        ended(first)
        queued(one)
        assert made(one) == NOTHING_NEW

    def test_an_answer_names_who_and_where(self, lantern: int) -> None:
        question = post_comment(by=ada(), paper_id=lantern, draft=Draft("Does it hold?"))
        reply = post_comment(by=bela(), paper_id=lantern, draft=Draft("It does.", question))
        found = mail(subscribed(mine=False, notices="alone"))
        assert headlines(found) == ["Bela Beispiel answered you"]
        assert f"{BASE}{links.COMMENT_ONE.format(number=reply)}" in found.text
        assert "Lantern: Step Sizes" in found.text

    def test_a_comment_that_was_taken_back_is_not_told(self, lantern: int) -> None:
        question = post_comment(by=ada(), paper_id=lantern, draft=Draft("Does it hold?"))
        reply = post_comment(by=bela(), paper_id=lantern, draft=Draft("It does.", question))
        commenting.remove_comment(by=bela(), comment_id=reply)
        assert made(subscribed(mine=False, notices="alone")) == NOTHING_NEW

    def test_a_comment_of_which_the_news_tell_is_told_once(self, lantern: int) -> None:
        post_comment(by=bela(), paper_id=lantern, draft=Draft("Does it hold?"))
        found = mail(subscribed(notices="with"))
        assert "A comment by Bela Beispiel" in found.text
        assert "commented" not in found.text

    def test_a_comment_of_which_no_news_tell_is_a_notice_beside_them(self, lantern: int) -> None:
        """What is for her group alone is in no news, though others of the same paper are."""
        group = Group.objects.create(slug="lamps", name="Lamps", kind="group", is_private=True, made_at=timezone.now())
        for person in (ada(), bela()):
            Membership.objects.create(group=group, user_id=person.id, role="member", joined_at=timezone.now())
        post_comment(by=bela(), paper_id=lantern, draft=Draft("Does it hold?"))
        between_us = post_comment(by=bela(), paper_id=lantern, draft=Draft("Between us.", group=group.id))
        found = mail(subscribed(notices="with"))
        assert "A comment by Bela Beispiel" in found.text
        assert found.text.count("Bela Beispiel commented") == 1
        assert f"{BASE}{links.COMMENT_ONE.format(number=between_us)}" in found.text

    def test_a_comment_on_a_paper_for_which_the_news_have_no_room_is_a_notice(
        self, lantern: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("broadsheet.following.queries.digests.MOST_PAPERS", 1)
        harbour = papers.find("2401.00002")
        assert harbour is not None
        commenting.follow(by=ada(), paper_id=harbour.id, on=True)
        for paper_id in (lantern, harbour.id):
            post_comment(by=bela(), paper_id=paper_id, draft=Draft("Does it hold?"))
        found = mail(subscribed(notices="with"))
        assert headlines(found) == ["Bela Beispiel commented", "Harbour: Optimal Transport between Schrödinger Bridges"]
        assert "Lantern: Step Sizes" in found.text

    def test_what_was_taken_back_and_what_she_has_read_take_no_room(self, lantern: int) -> None:
        notices.tell([ada().id], Kind.CLAIM, About(sentence="You are confirmed."))
        hasty = post_comment(by=bela(), paper_id=lantern, draft=Draft("Hasty."))
        commenting.remove_comment(by=bela(), comment_id=hasty)
        for _ in range(60):
            notices.tell([ada().id], Kind.COMMENT, About(comment=hasty, paper=lantern))
        Notice.objects.bulk_create(
            Notice(
                person_id=ada().id, kind=Kind.CLAIM, sentence="Read.", made_at=timezone.now(), read_at=timezone.now()
            )
            for _ in range(60)
        )
        found = mail(subscribed(mine=False, notices="alone"))
        assert headlines(found) == ["You are confirmed."]
        assert "more notice" not in found.text

    def test_the_rest_that_is_counted_is_of_the_same_turn(self, lantern: int) -> None:
        long_ago = timezone.now() - timedelta(days=20)
        for number in range(MOST_NOTICES + 7):
            notices.tell([ada().id], Kind.CLAIM, About(sentence=f"Old {number}."), now=long_ago)
            notices.tell([ada().id], Kind.CLAIM, About(sentence=f"New {number}."))
        found = mail(subscribed(mine=False, notices="alone"))
        assert len(headlines(found)) == MOST_NOTICES
        assert "And 7 more notices that you have not read" in found.text
        assert found.subject == f"News: New 16., and {MOST_NOTICES + 6} more things"

    def test_the_outcome_of_an_appeal_is_no_decision_about_her(self, lantern: int) -> None:
        comment = post_comment(by=ada(), paper_id=lantern, draft=Draft("A rude word."))
        wrong = Ruling(Deed.REMOVE, Reason.ABUSE)
        act = moderating.moderate(by=people.moderator(), subject=Subject(Target.COMMENT, comment), ruling=wrong)
        moderating.appeal(by=ada(), act_id=act, words="It was a quotation.")
        row = Appeal.objects.get()
        moderating.decide_appeal(by=people.moderator(), appeal_id=row.pk, grant=True, answer="It was.")
        found = headlines(mail(subscribed(mine=False, notices="alone")))
        assert "Your appeal was granted. It was." in found
        assert found.count("A moderator decided something about what you wrote, or about you.") == 2

    def test_another_s_are_not_hers(self, lantern: int) -> None:
        notices.tell([bela().id], Kind.CLAIM, About(sentence="Your claim was accepted."))
        assert made(subscribed(mine=False, notices="alone")) == NOTHING_NEW

    def test_an_address_without_an_account_gets_none(self, lantern: int) -> None:
        one = subscribed(mine=False, notices="alone")
        Subscriber.objects.update(user=None)
        assert "The front page" in mail(one, DAY).html


@pytest.mark.parametrize(
    ("asked", "most"),
    [
        pytest.param({"notices": "with"}, 29, id="news and notices"),
        pytest.param({"notices": "alone", "mine": False}, 14, id="notices"),
        pytest.param({}, 21, id="news"),
    ],
)
def test_how_many_questions_it_asks(lantern: int, asked: dict[str, object], most: int) -> None:
    notices.tell([ada().id], Kind.CLAIM, About(sentence="You are confirmed.", paper=lantern))
    question = post_comment(by=ada(), paper_id=lantern, draft=Draft("Does it hold?"))
    post_comment(by=bela(), paper_id=lantern, draft=Draft("It does.", question))
    one = subscribed(**asked)
    with CaptureQueriesContext(connection) as queries:
        mail(one)
    assert len(queries) <= most


def test_what_is_only_said_costs_no_questions_about_comments(lantern: int) -> None:
    notices.tell([ada().id], Kind.CLAIM, About(sentence="You are confirmed.", paper=lantern))
    one = subscribed(mine=False, notices="alone")
    with CaptureQueriesContext(connection) as queries:
        mail(one)
    asked = [each["sql"] for each in queries if "community_notice" not in each["sql"]]
    assert not [sql for sql in asked if re.search("community_(act|comment|mute)", sql)]


class TestPages:
    def test_she_chooses_it_on_her_page(self, client: Client, settings: Any, lantern: int) -> None:
        settings.BROADSHEET_MAIL = True
        one = subscribed()
        where = links.MANAGE.format(key=one.key)
        sent = {"do": "change", "cadence": "day", "hour": "7", "zone": "UTC", "notices": "alone"}
        assert "without the papers of the edition" in client.post(where, sent).content.decode()
        one.refresh_from_db()
        assert one.notices == "alone"
        wrong = client.post(where, sent | {"notices": "hourly"})
        assert (wrong.status_code, "from the list" in wrong.content.decode()) == (422, True)

    def test_without_an_account_it_cannot_be_asked_for(self, client: Client, settings: Any, lantern: int) -> None:
        settings.BROADSHEET_MAIL = True
        one = subscribed(mine=False)
        Subscriber.objects.update(user=None)
        sent = {"do": "change", "cadence": "day", "hour": "7", "zone": "UTC", "notices": "alone"}
        client.post(links.MANAGE.format(key=one.key), sent)
        one.refresh_from_db()
        assert one.notices == "never"

    def test_what_a_curator_decided_is_not_called_a_moderator_s(self, client: Client, lantern: int) -> None:
        row = authorship.claim_authorship(by=ada(), paper_id=lantern, author="Ada Example", note="It is mine.")
        authorship.refuse_claim(by=people.curator(), claim_id=row.id, reason="No page says so.")
        page = parsed(people.signed_in(client, ada()).get(links.NOTICES).content.decode())
        [section] = page.xpath("//section[@aria-labelledby='decisions']")
        text = " ".join(section.text_content().split())
        assert text.startswith("What was decided about you ")
        assert "No page says so." in text
        assert "moderator" not in text

    def test_the_desk_has_the_news_of_a_week(self, client: Client, lantern: int) -> None:
        signed = people.signed_in(client, ada())
        assert 'id="news"' not in signed.get(links.DESK).content.decode()
        number = post_comment(by=bela(), paper_id=lantern, draft=Draft("Does it hold?"))
        text = signed.get(links.DESK).content.decode()
        assert 'id="news"' in text
        assert f'href="{links.COMMENT_ONE.format(number=number)}">A comment by Bela Beispiel</a>' in text


def told(text: str) -> tuple[Briefs, ...]:
    """As much as there can be, of one text."""
    lines = tuple(Line(text[:60], f"{BASE}/papers/2401.00001", text[:120]) for _ in range(6))
    brief = Brief(text[:120], f"{BASE}/papers/2401.00001", lines)
    return (Briefs("For you", f"{BASE}/notices", (brief,) * 10, 12, ("more", "more")),) * 2


def only(text: str) -> Sheet:
    """A sheet with nothing else."""
    return Sheet(
        "Broadsheet", f"{BASE}/", "b@example.org", "Broadsheet", "News", "Friday", "", "day", "", "", "", (), (), 0,
        told(text),
    )  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE[::7])
def test_hostile_texts_stay_texts(text: str) -> None:
    whole = parsed(composing.body(only(text)).html)
    assert whole.xpath("//script|//img|//form|//iframe|//svg|//object") == []
    assert all(link.startswith(f"{BASE}/") for link in whole.xpath("//h3/a/@href|//p[@class='event']/a/@href"))


@pytest.mark.parametrize("sign", ["a", "é", "\U0001f600"])
def test_it_is_under_100_kilobytes_and_says_what_fell_away(sign: str) -> None:
    found = composing.body(only(sign * 400))
    shown = len(parsed(found.html).xpath("//h3")) // 2
    assert 1 <= shown <= 10
    assert f"And {12 - shown} more" in found.html
    assert len(quoted(found.html)) + len(quoted(found.text)) < composing.MOST_BYTES
