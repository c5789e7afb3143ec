"""What can be followed and hidden, and what of it an edition has."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.accounts import queries as accounts
from broadsheet.accounts.actions import groups
from broadsheet.accounts.rules import Ground, Person, Refused
from broadsheet.bibliography.record import Record
from broadsheet.community.actions import commenting, picks
from broadsheet.editions import queries as editions
from broadsheet.editions.actions import publish_pending
from broadsheet.evidence.tasks import refresh_index
from broadsheet.following.actions import follows as actions
from broadsheet.following.actions import people as joining
from broadsheet.following.models import Follow, Hidden, Subscriber
from broadsheet.following.queries import follows
from broadsheet.following.rules import follows as rules
from broadsheet.following.rules.follows import Curtain, Hiding, Kind, Printed
from broadsheet.library import actions as keeping
from broadsheet.papers import queries as papers
from broadsheet.papers import tasks
from broadsheet.papers.actions import store_many
from broadsheet.search.index import IndexUnavailable
from broadsheet.testing import people
from broadsheet.testing.cast import ADA, HARBOUR, LANTERN, arxiv, said

NOON = datetime(2024, 1, 2, 17, tzinfo=UTC)
DAY = LANTERN.announced


def printed(*records: Record) -> editions.Edition:
    """The edition of a day with these papers, which the index holds too."""
    store_many(list(records))
    while publish_pending(now=NOON).more:
        pass
    index = tasks.open_index()
    try:
        while refresh_index(index).behind:
            pass
    finally:
        index.close()
    edition = editions.front()
    assert edition is not None
    return edition


def number(key: str) -> int:
    """The id of a paper of the cast."""
    row = papers.find(key)
    assert row is not None
    return row.id


@pytest.fixture
def edition(db: None) -> editions.Edition:
    """Lantern, by Ada in cs.LG, and Harbour, by Bela in stat.ML and cs.LG."""
    return printed(LANTERN, HARBOUR)


@pytest.fixture
def reader(db: None) -> Person:
    """Chloé, who follows."""
    return people.chloe()


def why(reader: Person, edition: editions.Edition, **asked: bool) -> dict[str, tuple[str, ...]]:
    """The reasons, by the keys of the papers."""
    found = follows.look(reader, edition, **asked).reasons
    rows = papers.by_ids(found)
    return {rows[each].key: reasons for each, reasons in found.items()}


LAMPS, HARBOURS = "2401.00001", "2401.00002"


class TestFollowing:
    @pytest.mark.parametrize(
        ("kind", "target", "expected"),
        [
            pytest.param(Kind.SECTION, "stat.ML", {HARBOURS: ("in stat.ML",)}, id="section"),
            pytest.param(Kind.AUTHOR, "ada-example", {LAMPS: (f"by {ADA}, whom you follow",)}, id="author"),
            pytest.param(
                Kind.SEARCH, '"gradient norms"', {LAMPS: ('matches your search “"gradient norms"”',)}, id="phrase"
            ),
            pytest.param(
                Kind.SEARCH, "author:beispiel", {HARBOURS: ("matches your search “author:beispiel”",)}, id="filter"
            ),
            pytest.param(Kind.SEARCH, "has:code bridges", {}, id="words and a filter that nothing passes"),
            pytest.param(Kind.SEARCH, "year:2023 gradient", {}, id="a year that is not the edition's"),
            pytest.param(Kind.SEARCH, "zeppelin", {}, id="words that no paper has"),
        ],
    )
    def test_a_paper_of_the_edition_is_followed_for_a_reason(
        self, edition: editions.Edition, reader: Person, kind: Kind, target: str, expected: dict[str, tuple[str, ...]]
    ) -> None:
        actions.follow(by=reader, kind=kind, target=target)
        assert why(reader, edition) == expected

    def test_a_search_has_the_name_that_the_reader_gave_it(self, edition: editions.Edition, reader: Person) -> None:
        first = actions.follow(by=reader, kind=Kind.SEARCH, target="  alternating   projections ", label="Bridges")
        again = actions.follow(by=reader, kind=Kind.SEARCH, target="alternating projections", label="Ways to meet")
        assert first == again
        assert why(reader, edition) == {HARBOURS: ("matches your search “Ways to meet”",)}

    def test_what_a_curator_picks_is_followed(self, edition: editions.Edition, reader: Person) -> None:
        actions.follow(by=reader, kind=Kind.PERSON, target=people.curator().name)
        assert why(reader, edition) == {}
        picks.pick_paper(by=people.curator(), paper_id=number(HARBOURS), day=edition.start, now=NOON)
        assert why(reader, edition) == {HARBOURS: ("picked by Đorđe Primer",)}

    def test_what_a_group_puts_on_its_shelves_is_followed(self, edition: editions.Edition, reader: Person) -> None:
        owner = people.ada()
        groups.make_group(by=owner, slug="lamp-lab", described=groups.Description("Lamp Lab", "organisation"))
        found = accounts.group("lamp-lab", owner)
        assert found is not None
        shelf = keeping.make_shelf(by=owner, name="Steps", group=found.id)
        keeping.place(by=owner, shelf=shelf, papers_=[number(LAMPS)])
        actions.follow(by=reader, kind=Kind.GROUP, target="lamp-lab")
        assert why(reader, edition) == {LAMPS: ("put on a shelf of Lamp Lab",)}

    def test_a_paper_has_all_its_reasons_in_the_order_of_the_edition(
        self, edition: editions.Edition, reader: Person
    ) -> None:
        for kind, target in (
            (Kind.SECTION, "cs.LG"),
            (Kind.SECTION, "math.OC"),
            (Kind.SEARCH, "has:code"),
            (Kind.AUTHOR, "ada-example"),
        ):
            actions.follow(by=reader, kind=kind, target=target)
        found = why(reader, edition)
        assert list(found) == [papers.by_ids([each])[each].key for each in editions.papers_of(edition)]
        assert found[LAMPS] == (
            f"by {ADA}, whom you follow",
            "matches your search “has:code”",
            "in cs.LG",
            "in math.OC",
        )

    def test_what_the_digest_leaves_out_stays_on_the_desk(self, edition: editions.Edition, reader: Person) -> None:
        made = actions.follow(by=reader, kind=Kind.SECTION, target="stat.ML")
        actions.set_in_digest(by=reader, follow_id=made, on=False)
        assert why(reader, edition, only_in_digest=True) == {}
        assert why(reader, edition) == {HARBOURS: ("in stat.ML",)}

    def test_without_an_index_the_rest_is_found_and_the_reader_is_told(
        self, edition: editions.Edition, reader: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        actions.follow(by=reader, kind=Kind.SECTION, target="stat.ML")
        actions.follow(by=reader, kind=Kind.SEARCH, target="gradient")

        def broken() -> None:
            raise IndexUnavailable("The index is being built.")

        monkeypatch.setattr(tasks, "reader", broken)
        found = follows.look(reader, edition)
        assert list(found.reasons) == [number(HARBOURS)]
        assert found.unsearched == "Your searches could not be asked. The index is being built."

    def test_a_search_is_asked_once_for_many_readers(
        self, edition: editions.Edition, reader: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for each in (reader, people.ada()):
            actions.follow(by=each, kind=Kind.SEARCH, target="gradient")
        inside = follows.contents(edition)
        first = follows.look(reader, edition, within=inside).reasons
        monkeypatch.setattr(tasks, "reader", lambda: pytest.fail("the index was asked again"))
        assert follows.look(people.ada(), edition, within=inside).reasons == first != {}

    def test_the_number_of_queries_does_not_grow(self, db: None, reader: Person) -> None:
        def fill(start: int, stop: int) -> editions.Edition:
            return printed(
                *(
                    said(
                        f"Gardens {n}",
                        key=str(n),
                        identifiers=(arxiv(f"2401.{n:05}"),),
                        authors=(f"Ada Number{n}",),
                        announced=DAY,
                        categories=("cs.LG", f"test.S{n}"),
                    )
                    for n in range(start, stop)
                )
            )

        asked = []
        for start in (10, 20):
            newest = fill(start, start + 10)
            for n in range(start, start + 10):
                actions.follow(by=reader, kind=Kind.SECTION, target=f"test.S{n}")
                actions.follow(by=reader, kind=Kind.AUTHOR, target=f"ada-number{n}")
                actions.follow(by=reader, kind=Kind.PERSON, target=people.reader(f"picker{n}").name)
            with CaptureQueriesContext(connection) as captured:
                assert len(follows.look(reader, newest).reasons) == start
            asked.append(len(captured))
        assert asked[0] == asked[1] <= 12

    def test_papers_that_are_followed_are_told_by_the_discussion(
        self, edition: editions.Edition, reader: Person
    ) -> None:
        commenting.follow(by=reader, paper_id=number(LAMPS), on=True)
        assert follows.followed_papers(reader) == [number(LAMPS)]
        commenting.follow(by=reader, paper_id=number(LAMPS), on=False)
        assert follows.followed_papers(reader) == []


class TestRefused:
    @pytest.mark.parametrize(
        ("kind", "target", "ground"),
        [
            pytest.param(Kind.SECTION, "cs.XX", Ground.NOT_THERE, id="section that is not here"),
            pytest.param(Kind.AUTHOR, "nobody", Ground.NOT_THERE, id="author who is not here"),
            pytest.param(Kind.GROUP, "nobody", Ground.NOT_THERE, id="group that is not here"),
            pytest.param(Kind.GROUP, "secret-lab", Ground.NOT_THERE, id="private group of others"),
            pytest.param(Kind.PERSON, "nobody", Ground.NOT_THERE, id="person who is not here"),
            pytest.param(Kind.PERSON, "chloe", Ground.NOT_THERE, id="oneself"),
            pytest.param(Kind.SEARCH, "  ", Ground.NOT_UNDERSTOOD, id="search for nothing"),
            pytest.param(Kind.SEARCH, "sort:newest", Ground.NOT_UNDERSTOOD, id="search that is only an order"),
            pytest.param(Kind.SEARCH, "lamp " * 90, Ground.NOT_UNDERSTOOD, id="search that is too long"),
            pytest.param(Kind.PAPER, LAMPS, Ground.NOT_UNDERSTOOD, id="paper, which the discussion follows"),
        ],
    )
    def test_what_cannot_be_followed_changes_nothing(
        self, edition: editions.Edition, reader: Person, kind: Kind, target: str, ground: Ground
    ) -> None:
        private = groups.Description("Secret Lab", "group", is_private=True)
        groups.make_group(by=people.ada(), slug="secret-lab", described=private)
        with pytest.raises(Refused) as refused:
            actions.follow(by=reader, kind=kind, target=target)
        assert refused.value.ground is ground
        assert not Follow.objects.exists()

    @pytest.mark.parametrize("most", ["MOST_FOLLOWED", "MOST_SEARCHES"])
    def test_one_too_many_is_refused_with_the_number(
        self, edition: editions.Edition, reader: Person, monkeypatch: pytest.MonkeyPatch, most: str
    ) -> None:
        monkeypatch.setattr(actions, most, 1)
        actions.follow(by=reader, kind=Kind.SEARCH, target="lamps")
        actions.follow(by=reader, kind=Kind.SEARCH, target="lamps")
        with pytest.raises(Refused, match="You follow 1 "):
            actions.follow(by=reader, kind=Kind.SEARCH, target="harbours")

    def test_nobody_changes_what_somebody_else_follows(self, edition: editions.Edition, reader: Person) -> None:
        made = actions.follow(by=people.ada(), kind=Kind.SECTION, target="cs.LG")
        assert not actions.unfollow(by=reader, follow_id=made)
        with pytest.raises(Refused):
            actions.set_in_digest(by=reader, follow_id=made, on=False)
        assert Follow.objects.get().in_digest


class TestGone:
    def test_a_person_who_leaves_and_a_group_that_shuts_are_told_as_gone(
        self, edition: editions.Edition, reader: Person
    ) -> None:
        groups.make_group(by=people.ada(), slug="lamp-lab", described=groups.Description("Lamp Lab", "group"))
        actions.follow(by=reader, kind=Kind.GROUP, target="lamp-lab")
        found = accounts.group("lamp-lab", people.ada())
        assert found is not None
        shut = groups.Description("Lamp Lab", "group", is_private=True)
        groups.change_group(by=people.ada(), group=found.id, described=shut)
        (row,) = follows.follows_of(reader)
        assert (row.gone, row.name, row.target) == (True, "A group that is not here any more", "")
        assert follows.by_key(row.key) == (reader, row)
        assert why(reader, edition) == {}

    def test_a_secret_that_nobody_has_finds_nothing(self, db: None) -> None:
        assert follows.by_key("") is None
        assert follows.by_key("x" * 43) is None


LANTERN_PRINTED = Printed(LANTERN.title, LANTERN.abstract, LANTERN.authors, LANTERN.categories)


class TestHiding:
    @pytest.mark.parametrize(
        ("kind", "value", "expected"),
        [
            pytest.param(Hiding.WORD, "Gradient", "the word “Gradient”", id="whatever the case"),
            pytest.param(Hiding.WORD, "grad", "", id="only whole words"),
            pytest.param(Hiding.WORD, "gradients", "", id="and not their other forms"),
            pytest.param(Hiding.WORD, "STEP  sizes", "the word “STEP sizes”", id="several words in a row"),
            pytest.param(Hiding.WORD, "sizes step", "", id="in this order"),
            pytest.param(Hiding.WORD, "norms we", "", id="not from the title into the abstract"),
            pytest.param(Hiding.WORD, "last gradient", "the word “last gradient”", id="in the abstract"),
            pytest.param(Hiding.WORD, "ℓ₂", "the word “l2”", id="a sign of mathematics as it is typed"),
            pytest.param(Hiding.WORD, "grädient", "the word “grädient”", id="accents folded"),
            pytest.param(Hiding.AUTHOR, "Chloé Exemple", "by Chloé Exemple", id="author by name"),
            pytest.param(Hiding.AUTHOR, "exemple, chloé", "by Chloé Exemple", id="author by catalogue"),
            pytest.param(Hiding.AUTHOR, "chloe-exemple", "by Chloé Exemple", id="author by slug"),
            pytest.param(Hiding.SECTION, "math.OC", "in math.OC", id="section"),
        ],
    )
    def test_a_paper_is_hidden_for_a_reason(
        self, edition: editions.Edition, reader: Person, kind: Hiding, value: str, expected: str
    ) -> None:
        actions.hide(by=reader, kind=kind, value=value)
        assert follows.hidden(reader, [number(LAMPS)]) == ({number(LAMPS): expected} if expected else {})

    def test_nothing_is_hidden_from_visitors_and_from_others(self, edition: editions.Edition, reader: Person) -> None:
        actions.hide(by=reader, kind=Hiding.WORD, value="gradient")
        assert follows.hidden(None, [number(LAMPS)]) == {}
        assert follows.hidden(people.ada(), [number(LAMPS)]) == {}

    @pytest.mark.parametrize(
        ("kind", "value", "ground"),
        [
            pytest.param(Hiding.WORD, "", Ground.NOT_UNDERSTOOD, id="nothing"),
            pytest.param(Hiding.WORD, "…!", Ground.NOT_UNDERSTOOD, id="no letters"),
            pytest.param(Hiding.WORD, "lamp " * 30, Ground.NOT_UNDERSTOOD, id="too long"),
            pytest.param(Hiding.AUTHOR, "Nobody", Ground.NOT_THERE, id="no such author"),
            pytest.param(Hiding.SECTION, "cs.XX", Ground.NOT_THERE, id="no such section"),
        ],
    )
    def test_what_cannot_be_hidden_changes_nothing(
        self, edition: editions.Edition, reader: Person, kind: Hiding, value: str, ground: Ground
    ) -> None:
        with pytest.raises(Refused) as refused:
            actions.hide(by=reader, kind=kind, value=value)
        assert (refused.value.ground, refused.value.field) == (ground, "value")
        assert not Hidden.objects.exists()

    def test_one_too_many_is_refused(self, db: None, reader: Person, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(actions, "MOST_HIDDEN", 1)
        first = actions.hide(by=reader, kind=Hiding.WORD, value="Lamp")
        assert actions.hide(by=reader, kind=Hiding.WORD, value="LAMP") == first
        with pytest.raises(Refused, match="You hide 1 things"):
            actions.hide(by=reader, kind=Hiding.WORD, value="Harbour")
        assert actions.show(by=reader, hidden_id=first)
        assert not actions.show(by=reader, hidden_id=first)

    def test_a_section_that_is_asked_for_is_not_hidden(self) -> None:
        curtain = Curtain(sections=("cs.LG", "math.OC"))
        assert curtain.why(LANTERN_PRINTED) == "in cs.LG"
        assert curtain.without_section("cs.LG").why(LANTERN_PRINTED) == "in math.OC"
        assert not curtain.without_section("cs.LG").without_section("math.OC")

    @given(
        words=st.lists(st.text(st.characters(categories=["Lu", "Ll", "Nd"]), min_size=1, max_size=8), min_size=1),
        place=st.integers(min_value=0),
    )
    def test_every_word_of_a_title_hides_its_paper(self, words: list[str], place: int) -> None:
        title, word = " ".join(words), words[place % len(words)]
        folded = rules.folded(word).strip()
        curtain = Curtain(words=((folded, word),))
        whole = f" {folded} " in rules.folded(title)
        assert bool(curtain.why(Printed(title, "", (), ()))) == whole
        # Marks that begin a word may join the one before it; in Latin letters there are none.
        if title.isascii():
            assert whole or not folded


class TestJoining:
    def test_two_accounts_that_become_one_follow_and_hide_everything_once(
        self, edition: editions.Edition, reader: Person
    ) -> None:
        kept, gone, third = reader, people.ada(), people.bela()
        for who in (kept, gone):
            actions.follow(by=who, kind=Kind.SECTION, target="cs.LG")
            actions.hide(by=who, kind=Hiding.WORD, value="lamp")
        actions.follow(by=gone, kind=Kind.SECTION, target="stat.ML")
        actions.hide(by=gone, kind=Hiding.WORD, value="harbour")
        actions.follow(by=gone, kind=Kind.PERSON, target=kept.name)
        actions.follow(by=kept, kind=Kind.PERSON, target=gone.name)
        actions.follow(by=third, kind=Kind.PERSON, target=kept.name)
        actions.follow(by=third, kind=Kind.PERSON, target=gone.name)
        joining.take_over(from_id=gone.id, to_id=kept.id)
        assert [each.target for each in follows.follows_of(kept)] == ["cs.LG", "stat.ML"]
        assert [each.name for each in follows.hidings(kept)] == ["lamp", "harbour"]
        assert [each.target for each in follows.follows_of(third)] == [kept.name]
        assert not Follow.objects.filter(user=gone.id).exists()
        assert not Hidden.objects.filter(user=gone.id).exists()

    @pytest.mark.parametrize(
        ("kept", "gone", "stays"),
        [
            pytest.param(None, True, "gone", id="only the other has one"),
            pytest.param(None, None, "", id="none has one"),
            pytest.param(True, None, "kept", id="only this one has one"),
            pytest.param(True, True, "kept", id="both confirmed"),
            pytest.param(False, True, "gone", id="the other is confirmed"),
            pytest.param(False, False, "kept", id="none is confirmed"),
        ],
    )
    def test_the_confirmed_address_gets_the_mail(
        self, db: None, kept: bool | None, gone: bool | None, stays: str
    ) -> None:
        who = {"kept": people.ada(), "gone": people.bela()}
        for name, confirmed in (("kept", kept), ("gone", gone)):
            if confirmed is not None:
                Subscriber.objects.create(
                    address=f"{name}@example.org",
                    user_id=who[name].id,
                    made_at=NOON,
                    confirmed_at=NOON if confirmed else None,
                )
        joining.take_over(from_id=who["gone"].id, to_id=who["kept"].id)
        left: Iterable[tuple[str, int | None]] = Subscriber.objects.values_list("address", "user")
        assert list(left) == ([(f"{stays}@example.org", who["kept"].id)] if stays else [])

    def test_who_leaves_is_followed_by_nobody(self, edition: editions.Edition, reader: Person) -> None:
        leaving = people.ada()
        actions.follow(by=reader, kind=Kind.PERSON, target=leaving.name)
        actions.follow(by=leaving, kind=Kind.SECTION, target="cs.LG")
        actions.hide(by=leaving, kind=Hiding.WORD, value="lamp")
        joining.forget(person_id=leaving.id)
        assert not Follow.objects.exists()
        assert not Hidden.objects.exists()

    def test_what_she_takes_away_has_the_rows_and_no_secret(self, edition: editions.Edition, reader: Person) -> None:
        actions.follow(by=reader, kind=Kind.SEARCH, target="lamps", label="Light")
        actions.hide(by=reader, kind=Hiding.WORD, value="harbour")
        told = accounts.everything_about(reader.id)
        (follow,) = told["following.Follow"]
        assert (follow["user"], follow["target"], follow["label"]) == ("you", "lamps", "Light")
        assert "key" not in follow
        assert told["following.Hidden"][0]["label"] == "harbour"
