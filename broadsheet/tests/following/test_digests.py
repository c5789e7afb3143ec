"""Which papers a subscription is sent of an edition, in which order, why each, and when it is sent nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from datetime import UTC, date, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from broadsheet.accounts.models import User
from broadsheet.accounts.queries import as_person
from broadsheet.bibliography.record import Record
from broadsheet.editions import queries as editions
from broadsheet.editions.actions import publish_pending
from broadsheet.editions.queries import Edition
from broadsheet.editions.rules import Kind
from broadsheet.following.actions.follows import follow, hide
from broadsheet.following.models import Subscriber, Subscription
from broadsheet.following.queries import digests, follows, profiles
from broadsheet.following.queries.digests import Chooser, Digest, Nothing
from broadsheet.following.queries.profiles import Near
from broadsheet.following.rules.follows import Hiding
from broadsheet.following.rules.follows import Kind as Followable
from broadsheet.ingest.models import DayCheck
from broadsheet.ingest.rules import Line, State
from broadsheet.papers import queries as papers
from broadsheet.papers.actions import store_many
from broadsheet.search.index import IndexUnavailable
from broadsheet.testing.cast import HARBOUR, LANTERN, arxiv

NOON = datetime(2024, 1, 2, 17, tzinfo=UTC)
DAY = "2024-01-02"

Subscribe = Callable[..., Subscription]


def press(records: Iterable[Record]) -> Edition:
    """Store the papers, print the editions, and give that of the day."""
    store_many(list(records))
    while publish_pending(now=NOON).more:
        pass
    return printed()


def printed(kind: Kind = Kind.DAY, label: str = DAY) -> Edition:
    """The edition that was printed."""
    found = editions.edition_of(kind, label)
    assert found is not None
    return found


def lanterns(count: int, *categories: str, since: int = 100) -> list[Record]:
    """Papers of one day with the identifiers from `since` on."""
    return [
        replace(
            LANTERN,
            title=f"Lantern {number}",
            source_key=f"l{number}",
            identifiers=(arxiv(f"2401.{number:05}"),),
            categories=categories,
        )
        for number in range(since, since + count)
    ]


@pytest.fixture
def subscribe(db: None) -> Subscribe:
    """A confirmed subscription: `subscribe(sections=["cs.LG"])`."""

    def make(address: str = "ada@example.org", user: User | None = None, **asked: object) -> Subscription:
        subscriber, _ = Subscriber.objects.get_or_create(
            address=address, defaults={"made_at": NOON, "confirmed_at": NOON, "user": user}
        )
        values = {"cadence": "day", "hour": 7, "zone": "UTC", "key": f"k{subscriber.pk}", "confirmed_at": NOON} | asked
        return Subscription.objects.create(subscriber=subscriber, made_at=NOON, **values)

    return make


@pytest.fixture
def reader(db: None) -> User:
    """Somebody with an account."""
    return User.objects.create(name="ada", shown="Ada Example", email="ada@example.org")


def digest_for(subscription_id: int, edition: Edition | None) -> Digest | Nothing:
    """What a subscription is sent of an edition, or why nothing."""
    wanted = digests.asked(subscription_id)
    return Chooser().digest(wanted, edition) if wanted else digests.LEFT


def digest(subscription: Subscription, edition: Edition | None = None) -> Digest:
    """Its digest, which must be one."""
    found = digest_for(subscription.pk, edition or printed())
    assert isinstance(found, Digest), found
    return found


def because(subscription: Subscription, edition: Edition | None) -> str:
    """Why it has none."""
    found = digest_for(subscription.pk, edition)
    assert isinstance(found, Nothing), found
    return found.because


def in_order(edition: Edition) -> list[int]:
    """The papers of the edition as its page has them."""
    return [entry.paper_id for entry in editions.entries(edition, limit=1000)]


class TestNothingChosen:
    def test_it_is_the_head_of_the_edition_in_its_order(self, subscribe: Subscribe) -> None:
        edition = press([HARBOUR, *lanterns(30, "cs.LG")])
        found = digest(subscribe())
        assert [each.paper_id for each in found.papers] == in_order(edition)[:10]
        assert [(part.kind, part.total) for part in found.parts] == [("front", 31)]

    def test_reasons_and_lateness_are_those_of_the_edition(self, subscribe: Subscribe) -> None:
        edition = press([HARBOUR, *lanterns(3, "cs.LG")])
        stored = {entry.paper_id: entry for entry in editions.entries(edition)}
        for each in digest(subscribe()).papers:
            assert list(each.reasons) == stored[each.paper_id].reasons[:3]
            assert each.late is stored[each.paper_id].late

    @pytest.mark.parametrize("kind", [Kind.WEEK, Kind.MONTH])
    def test_weeks_and_months_are_the_same(self, subscribe: Subscribe, kind: Kind) -> None:
        press(lanterns(3, "cs.LG"))
        edition = next(iter(editions.archive(kind)))
        found = digest(subscribe(cadence=str(kind)), edition)
        assert [each.paper_id for each in found.papers] == in_order(edition)

    def test_equal_wishes_give_equal_digests(self, subscribe: Subscribe) -> None:
        press(lanterns(3, "cs.LG"))
        assert digest(subscribe()) == digest(subscribe("bela@example.org"))

    def test_a_merged_paper_stands_there_once(self, subscribe: Subscribe) -> None:
        edition = press([LANTERN, replace(LANTERN, source="other"), HARBOUR])
        assert [each.paper_id for each in digest(subscribe()).papers] == in_order(edition)


class TestSections:
    def test_each_has_its_papers_in_the_edition_s_order(self, subscribe: Subscribe) -> None:
        edition = press([*lanterns(30, "cs.LG"), *lanterns(4, "cs.CR", "cs.AI", since=200)])
        found = digest(subscribe(sections=["cs.LG", "cs.CR"]))
        assert [(part.kind, part.target, part.total) for part in found.parts] == [
            ("section", "cs.LG", 30), ("section", "cs.CR", 4),
        ]  # fmt: skip
        order = in_order(edition)
        for part in found.parts:
            places = [order.index(each.paper_id) for each in part.papers]
            assert places == sorted(places)
        assert len(found.parts[0].papers) == 20
        assert len(found.parts[1].papers) == 4

    def test_a_paper_of_two_sections_stands_in_the_first(self, subscribe: Subscribe) -> None:
        press(lanterns(3, "cs.LG", "cs.AI"))
        found = digest(subscribe(sections=["cs.LG", "cs.AI"]))
        assert [len(part.papers) for part in found.parts] == [3, 0]
        assert found.parts[1].total == 3

    def test_many_sections_share_the_room(self, subscribe: Subscribe) -> None:
        slugs = [f"cs.{letters}" for letters in ("AI", "CL", "CR", "CV", "DB", "DS", "GT", "HC", "IR", "LG", "NE")]
        press([each for place, slug in enumerate(slugs) for each in lanterns(8, slug, since=100 * place + 100)])
        found = digest(subscribe(sections=slugs))
        assert len(found.papers) <= 40
        assert {len(part.papers) for part in found.parts} == {3}

    def test_an_empty_one_beside_others_is_told(self, subscribe: Subscribe) -> None:
        press(lanterns(3, "cs.LG"))
        found = digest(subscribe(sections=["cs.CR", "cs.LG"]))
        assert [(len(part.papers), part.total) for part in found.parts] == [(0, 0), (3, 3)]


class TestSearches:
    def test_a_search_has_what_it_finds_in_the_edition(
        self, subscribe: Subscribe, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        edition = press([HARBOUR, *lanterns(3, "cs.LG")])
        harbour = next(row.id for row in papers.by_ids(in_order(edition)).values() if row.title.startswith("Harbour"))
        monkeypatch.setattr(follows, "found", lambda _text, _inside: frozenset({harbour}))
        found = digest(subscribe(searches=["harbours"]))
        assert [(part.kind, part.target, part.total) for part in found.parts] == [("search", "harbours", 1)]
        assert [each.paper_id for each in found.papers] == [harbour]

    def test_without_an_index_the_rest_is_sent_and_it_is_said(
        self, subscribe: Subscribe, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        press(lanterns(3, "cs.LG"))

        def refuse(_text: str, _inside: object) -> frozenset[int]:
            raise IndexUnavailable("The index is being built.")

        monkeypatch.setattr(follows, "found", refuse)
        found = digest(subscribe(searches=["harbours"]))
        assert [part.kind for part in found.parts] == ["front"]
        assert "searches could not be asked" in " ".join(found.remarks)
        both = digest(subscribe("b@example.org", searches=["harbours"], sections=["cs.LG"]))
        assert [part.kind for part in both.parts] == ["section"]


class TestMine:
    @pytest.fixture
    def near(self, monkeypatch: pytest.MonkeyPatch) -> dict[int, Near]:
        """What is near her library; a test fills it."""
        known: dict[int, Near] = {}
        monkeypatch.setattr(profiles, "near", lambda _viewer, ids: {k: v for k, v in known.items() if k in ids})
        return known

    def test_what_she_follows_is_first_then_what_is_near_then_the_front_page(
        self, subscribe: Subscribe, reader: User, near: dict[int, Near], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        edition = press(lanterns(12, "cs.LG"))
        order = in_order(edition)
        monkeypatch.setattr(
            follows, "look", lambda *_a, **_k: follows.Look({order[5]: ("by Ada Example, whom you follow",)})
        )
        near |= {order[7]: Near(0.4, "near “Meadows”"), order[9]: Near(0.9, "near “Harbours”"), order[5]: Near(1, "x")}
        found = digest(subscribe(user=reader, mine=True))
        assert [(part.kind, [each.paper_id for each in part.papers]) for part in found.parts] == [
            ("followed", [order[5]]),
            ("near", [order[9], order[7]]),
            ("front", order[:5]),
        ]
        assert found.papers[0].reasons[0] == "by Ada Example, whom you follow"
        assert found.papers[1].reasons[0] == "near “Harbours”"

    def test_without_a_library_and_follows_it_is_the_front_page(
        self, subscribe: Subscribe, reader: User, near: dict[int, Near]
    ) -> None:
        assert near == {}
        edition = press(lanterns(12, "cs.LG"))
        found = digest(subscribe(user=reader, mine=True))
        assert [each.paper_id for each in found.papers] == in_order(edition)[:5]

    def test_a_reader_without_an_account_has_nothing_of_her_own(self, subscribe: Subscribe) -> None:
        press(lanterns(12, "cs.LG"))
        assert [part.kind for part in digest(subscribe(mine=True)).parts] == ["front"]

    def test_a_real_follow_of_an_author_is_told_with_its_reason(self, subscribe: Subscribe, reader: User) -> None:
        order = in_order(press([HARBOUR, *lanterns(12, "cs.LG")]))
        follow(by=as_person(reader), kind=Followable.AUTHOR, target="bela-beispiel")
        found = digest(subscribe(user=reader, mine=True))
        assert [(part.kind, len(part.papers)) for part in found.parts] == [("followed", 1), ("front", 5)]
        assert found.papers[0].reasons[0] == "by Bela Beispiel, whom you follow"
        assert found.papers[0].paper_id in order

    @pytest.mark.parametrize("mine", [False, True])
    def test_what_she_hides_is_left_out_and_counted(self, subscribe: Subscribe, reader: User, mine: bool) -> None:
        edition = press([HARBOUR, *lanterns(12, "cs.LG")])
        titles = {row.id: row.title for row in papers.by_ids(in_order(edition)).values()}
        hide(by=as_person(reader), kind=Hiding.WORD, value="Harbour")
        found = digest(subscribe(user=reader, mine=mine))
        shown = [paper_id for paper_id in in_order(edition) if not titles[paper_id].startswith("Harbour")]
        assert [each.paper_id for each in found.papers] == shown[: 5 if mine else 10]
        assert found.remarks == ("1 paper is left out by your settings.",)

    def test_where_all_is_hidden_nothing_is_sent(self, subscribe: Subscribe, reader: User) -> None:
        edition = press(lanterns(2, "cs.LG"))
        hide(by=as_person(reader), kind=Hiding.WORD, value="lantern")
        assert because(subscribe(user=reader), edition) == (
            "2 papers are left out by your settings, and nothing else that you asked for is in the edition of "
            "2 January 2024."
        )

    def test_an_account_that_hides_nothing_gets_what_everybody_gets(self, subscribe: Subscribe, reader: User) -> None:
        press(lanterns(12, "cs.LG"))
        assert digest(subscribe(user=reader)) == digest(subscribe("bela@example.org"))


class TestNothingToSay:
    def test_no_edition_was_printed(self, subscribe: Subscribe) -> None:
        said = because(subscribe(), None)
        assert said.startswith("No new edition of the day was printed.")

    def test_nothing_of_what_was_chosen_is_there(self, subscribe: Subscribe) -> None:
        edition = press(lanterns(2, "cs.LG"))
        said = because(subscribe(sections=["cs.CR", "cs.DB"], searches=["floods"]), edition)
        assert said.startswith("Nothing in cs.CR or cs.DB, or matching “floods” is in the edition of 2 January 2024.")

    @pytest.mark.parametrize(
        ("state", "told"),
        [
            pytest.param(State.COMPLETE, False, id="complete"),
            pytest.param(State.INCOMPLETE, True, id="incomplete"),
            pytest.param(State.DOWN, True, id="source down"),
        ],
    )
    def test_what_is_wrong_with_a_source_is_told_with_it(self, subscribe: Subscribe, state: State, told: bool) -> None:
        edition = press(lanterns(2, "cs.LG"))
        lines = [asdict(Line("arxiv", "cs.LG", 4 if told else 2, "listing total", 2, ()))]
        DayCheck.objects.create(
            day=date(2024, 1, 2), checked_at=NOON, state=state, lines=lines, failed=[], reason="So it is."
        )
        said = because(subscribe(sections=["cs.CR"]), edition)
        assert (editions.audit(edition).line in said) is told

    @pytest.mark.parametrize(
        "changed",
        [
            pytest.param({"left_at": NOON}, id="left"),
            pytest.param({"confirmed_at": None}, id="not confirmed"),
        ],
    )
    def test_who_is_not_to_be_written_to_is_not(self, subscribe: Subscribe, changed: dict[str, object]) -> None:
        edition = press(lanterns(2, "cs.LG"))
        assert because(subscribe(**changed), edition) == digests.LEFT.because

    @pytest.mark.parametrize("column", ["blocked_at", "confirmed_at"])
    def test_nor_whose_address_is_blocked_or_not_confirmed(self, subscribe: Subscribe, column: str) -> None:
        edition = press(lanterns(2, "cs.LG"))
        made = subscribe()
        Subscriber.objects.update(**{column: NOON if column == "blocked_at" else None})
        assert because(made, edition) == digests.LEFT.because

    def test_nor_who_is_gone(self, db: None) -> None:
        assert digest_for(4711, None) == digests.LEFT


def test_a_hundred_equal_readers_cost_one_query_each(subscribe: Subscribe) -> None:
    edition = press(lanterns(30, "cs.LG"))
    some = [subscribe(f"a{number}@example.org", sections=["cs.LG"]).pk for number in range(100)]

    def count(ids: list[int]) -> int:
        chooser = Chooser()
        with CaptureQueriesContext(connection) as asked:
            for each in ids:
                wanted = digests.asked(each)
                assert wanted is not None
                assert isinstance(chooser.digest(wanted, edition), Digest)
        return len(asked)

    assert count(some) - count(some[:1]) == 99
