"""Two requests at the same moment: a form sent twice is taken once, and no limit is passed."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction

from broadsheet.accounts.actions import groups
from broadsheet.accounts.actions.groups import Description
from broadsheet.accounts.rules import Person
from broadsheet.community.actions import authorship, commenting, moderating, picks, submissions
from broadsheet.community.models.authorship import AuthorLink
from broadsheet.community.models.comments import Comment
from broadsheet.community.models.picks import Pick
from broadsheet.community.models.submissions import Submission
from broadsheet.community.rules import authorship as authorship_rules
from broadsheet.community.rules.commenting import LIMITS, Draft
from broadsheet.community.rules.moderating import Reason, Subject, Target
from broadsheet.following.actions import follows, hooks, profiles, subscribing
from broadsheet.following.models import Follow, Hidden, Hook, HookMessage, Profile, Subscription
from broadsheet.following.queries.profiles import LIBRARY
from broadsheet.following.rules import hooks as hook_rules
from broadsheet.following.rules.follows import Hiding, Kind
from broadsheet.following.rules.hooks import Typed
from broadsheet.following.rules.subscribing import Cadence, LeftBy, Wish
from broadsheet.papers import queries as papers
from broadsheet.papers.actions import store_many
from broadsheet.storage import take_turns
from broadsheet.testing import people
from broadsheet.testing.cast import ADA, LANTERN, said

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

DAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 21, tzinfo=UTC)
ROUNDS = range(6)  # what goes wrong at times only is seen in some round

Made = Callable[[], object]


def at_once(*actions: Made) -> Counter[str]:
    """Each in a thread with a connection of its own, from the same moment; how each ended: done, or what it raised."""
    start = threading.Barrier(len(actions))
    ended: list[str] = []

    def act(action: Made) -> None:
        try:
            connection.ensure_connection()
            start.wait(60)
            action()
            ended.append("done")
        except Exception as error:
            ended.append(type(error).__name__)
        finally:
            connection.close()

    threads = [threading.Thread(target=act, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return Counter(ended)


def stored(*titles: str) -> list[int]:
    """The ids of invented papers."""
    store_many([said(title, key=f"turn{number}") for number, title in enumerate(titles)])
    return list(papers.Paper.objects.order_by("id").values_list("id", flat=True))


def wish(cadence: Cadence) -> Wish:
    return Wish(cadence=cadence, hour=7, zone="UTC")


def subscribe(by: Person, cadence: Cadence = Cadence.DAY) -> str:
    address = f"{by.name}@example.org"
    return subscribing.subscribe_reader(by=by, address=address, wish=wish(cadence), consent={}, now=NOW).key


class TestTurns:
    def test_the_second_waits_until_the_first_has_ended(self) -> None:
        seen: list[str] = []
        entered, leave = threading.Event(), threading.Event()

        def first() -> None:
            with transaction.atomic():
                take_turns("a thing", 1)
                entered.set()
                leave.wait(60)
                seen.append("first")

        def second() -> None:
            entered.wait(60)
            with transaction.atomic():
                take_turns("another thing", 1)
                take_turns("a thing", 2)
                seen.append("what is other waits for nobody")
                leave.set()
                take_turns("a thing", 1)
                seen.append("second")

        assert at_once(first, second) == {"done": 2}
        assert seen == ["what is other waits for nobody", "first", "second"]

    @pytest.mark.parametrize("number", [0, -1, 2**31 - 1, 2**31, 2**32 + 5, 2**63 - 1])
    def test_any_number_will_do(self, number: int) -> None:
        with transaction.atomic():
            take_turns("a thing", number)


class TestDigests:
    def test_a_form_sent_twice_begins_one_digest(self) -> None:
        for number in ROUNDS:
            reader = people.reader(f"reader{number}")
            begin = partial(subscribe, reader)
            assert at_once(begin, begin) == {"done": 1, "Refused": 1}
            assert Subscription.objects.filter(subscriber__user=reader.id).count() == 1

    def test_of_two_digests_that_become_daily_at_once_one_does(self) -> None:
        for number in ROUNDS:
            reader = people.reader(f"reader{number}")
            keys = [subscribe(reader, cadence) for cadence in (Cadence.WEEK, Cadence.MONTH)]
            daily = [partial(subscribing.change, key=key, wish=wish(Cadence.DAY), now=NOW) for key in keys]
            assert at_once(*daily) == {"done": 1, "Refused": 1}

    def test_a_digest_to_which_she_comes_back_is_no_second_one(self) -> None:
        for number in ROUNDS:
            reader = people.reader(f"reader{number}")
            left, weekly = subscribe(reader), subscribe(reader, Cadence.WEEK)
            subscribing.leave(key=left, by=LeftBy.PAGE, now=NOW)
            back = partial(subscribing.come_back, key=left, now=NOW)
            daily = partial(subscribing.change, key=weekly, wish=wish(Cadence.DAY), now=NOW)
            assert at_once(back, daily) == {"done": 1, "Refused": 1}


class TestComments:
    def test_a_form_sent_twice_is_one_comment(self) -> None:
        ada, draft = people.ada(), Draft(body="We read this twice.")
        for paper in stored("Meadows", "Harbours without water"):
            post = partial(commenting.post_comment, by=ada, paper_id=paper, draft=draft)
            assert at_once(post, post) == {"done": 2}
            assert Comment.objects.filter(paper=paper).count() == 1

    def test_the_limit_of_an_hour_holds(self) -> None:
        [paper] = stored("Meadows")
        for name in ("ada", "bela", "chloe"):
            reader = people.reader(name)
            posts = [
                partial(commenting.post_comment, by=reader, paper_id=paper, draft=Draft(body=f"Comment {number}."))
                for number in range(LIMITS.new_hourly + 1)
            ]
            for post in posts[:-2]:
                post()
            assert at_once(*posts[-2:]) == {"done": 1, "Refused": 1}


class TestDoubleClicks:
    def test_something_is_hidden_once(self) -> None:
        ada = people.ada()
        for number in ROUNDS:
            hide = partial(follows.hide, by=ada, kind=Hiding.WORD, value=f"meadow{number}")
            assert at_once(hide, hide) == {"done": 2}
        assert Hidden.objects.count() == len(ROUNDS)

    def test_somebody_is_followed_once(self) -> None:
        ada = people.ada()
        for number in ROUNDS:
            other = people.reader(f"reader{number}")
            follow = partial(follows.follow, by=ada, kind=Kind.PERSON, target=other.name)
            assert at_once(follow, follow) == {"done": 2}
        assert Follow.objects.count() == len(ROUNDS)

    def test_a_profile_is_switched_off_once(self) -> None:
        for number in ROUNDS:
            reader = people.reader(f"reader{number}")
            switch = partial(profiles.switch, by=reader, profile=LIBRARY, on=False)
            assert at_once(switch, switch) == {"done": 2}
        assert Profile.objects.count() == len(ROUNDS)


class TestLimits:
    """Of two requests for the last place one is refused."""

    def test_picks_of_a_day(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(picks, "MOST_OF_A_DAY", 1)
        curator, both = people.curator(), stored("Meadows", "Harbours without water")
        for number in ROUNDS:
            day = DAY.replace(day=1 + number)
            wanted = [partial(picks.pick_paper, by=curator, paper_id=paper, day=day) for paper in both]
            assert at_once(*wanted) == {"done": 1, "Refused": 1}
        assert Pick.objects.count() == len(ROUNDS)

    def test_hooks_of_a_group_and_their_tests(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(hook_rules, "MOST_HOOKS", 1)
        ada = people.ada()
        for number in ROUNDS:
            group = groups.make_group(by=ada, slug=f"lamps{number}", described=Description("Lamps", "group"))
            typed = [Typed(address=f"https://hooks.example.org/{n}", form="slack", cadence="day") for n in range(2)]
            added = [partial(hooks.add_hook, by=ada, group=group, typed=each, now=NOW) for each in typed]
            assert at_once(*added) == {"done": 1, "Refused": 1}
            [hook] = Hook.objects.filter(group=group)
            tested = partial(hooks.send_test, by=ada, group=group, hook_id=hook.id, now=NOW)
            assert at_once(tested, tested) == {"done": 1, "Refused": 1}
        assert HookMessage.objects.count() == len(ROUNDS)

    def test_what_somebody_follows(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(follows, "MOST_FOLLOWED", 1)
        others = (people.bela().name, people.chloe().name)
        for number in ROUNDS:
            reader = people.reader(f"reader{number}")
            wanted = [partial(follows.follow, by=reader, kind=Kind.PERSON, target=name) for name in others]
            assert at_once(*wanted) == {"done": 1, "Refused": 1}

    def test_what_somebody_hides(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(follows, "MOST_HIDDEN", 1)
        for number in ROUNDS:
            reader = people.reader(f"reader{number}")
            wanted = [partial(follows.hide, by=reader, kind=Hiding.WORD, value=word) for word in ("moss", "fern")]
            assert at_once(*wanted) == {"done": 1, "Refused": 1}

    def test_proposals_of_a_day(self, settings: Any) -> None:
        settings.BROADSHEET_SUBMISSIONS_PER_DAY = 1
        for number in ROUNDS:
            reader = people.reader(f"reader{number}")
            texts = [f"2611.0{number}00{n}" for n in range(2)]
            wanted = [partial(submissions.propose_paper, by=reader, text=text, now=NOW) for text in texts]
            assert at_once(*wanted) == {"done": 1, "Refused": 1}
        assert Submission.objects.count() == len(ROUNDS)

    def test_flags_of_a_day(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(moderating, "_FLAGS_A_DAY", 1)
        [paper], ada = stored("Meadows"), people.ada()
        said_by_ada = [
            commenting.post_comment(by=ada, paper_id=paper, draft=Draft(body=f"Comment {number}."))
            for number in range(2)
        ]
        for number in ROUNDS:
            reader = people.reader(f"reader{number}")
            flags = [
                partial(moderating.flag, by=reader, subject=Subject(Target.COMMENT, comment), reason=Reason.SPAM)
                for comment in said_by_ada
            ]
            assert at_once(*flags) == {"done": 1, "Refused": 1}

    def test_links_of_a_paper(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(authorship_rules, "MOST_LINKS", 1)
        store_many([LANTERN])
        ada, paper = people.ada(), papers.Paper.objects.values_list("id", flat=True).get()
        made = authorship.claim_authorship(by=ada, paper_id=paper, author=ADA)
        authorship.confirm_claim(by=people.curator(), claim_id=made.id, reason="Her page says so.")
        for _ in ROUNDS:
            urls = ("https://example.org/a", "https://example.org/b")
            wanted = [partial(authorship.link, by=ada, paper_id=paper, kind="code", url=url) for url in urls]
            assert at_once(*wanted) == {"done": 1, "Refused": 1}
            AuthorLink.objects.all().delete()
