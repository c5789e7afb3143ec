"""A reader's profile: what it learns from, how it puts papers in order, and how it is told to forget."""

from __future__ import annotations

import io
from datetime import timedelta

import orjson
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from broadsheet.accounts.rules import Person, Refused
from broadsheet.following import tasks
from broadsheet.following.actions import people
from broadsheet.following.actions import profiles as actions
from broadsheet.following.models import Background, PaperTerms, Profile
from broadsheet.following.queries import profiles as queries
from broadsheet.following.queries.profiles import LIBRARY
from broadsheet.following.rules import profiles as rules
from broadsheet.library import actions as library
from broadsheet.library.actions import Words
from broadsheet.papers import queries as papers
from broadsheet.papers.actions import merge_papers, store_many
from broadsheet.search.adapters.reference import ReferenceIndex
from broadsheet.search.document import Document
from broadsheet.storage import archive
from broadsheet.testing.cast import said
from broadsheet.testing.meaning_conformance import Concepts
from broadsheet.testing.people import ada, bela

pytestmark = pytest.mark.django_db

NOW = timezone.now()
HARBOURS = [f"Harbours without water, part {number}" for number in ("one", "two", "three", "four", "five")]
MEADOWS = [f"Meadows of {word} in spring" for word in ("clover", "thyme", "grass", "lilies", "moss", "fern")]
LAMPS = [f"A lamp for every {word}" for word in ("step", "street", "house", "tower", "bridge", "room", "door", "gate")]
STONES = [f"Stones and the {word} of them" for word in ("weight", "colour", "age", "sound", "shape", "dust", "price")]


@pytest.fixture(autouse=True)
def ids() -> dict[str, int]:
    store_many([said(title) for title in [*HARBOURS, *MEADOWS, *LAMPS, *STONES]])
    learn_all()
    return {row.title: row.id for row in papers.Paper.objects.order_by("id")}


@pytest.fixture
def reader() -> Person:
    return ada()


def learn_all(index: ReferenceIndex | None = None) -> None:
    while tasks.keep_papers(index or ReferenceIndex(), now=NOW):
        pass


def save(reader: Person, ids: dict[str, int], titles: list[str]) -> None:
    library.keep(by=reader, papers_=[ids[title] for title in titles])


def first(reader: Person, ids: dict[str, int], **asked: int) -> str:
    known = queries.near(reader, list(ids.values()), **asked)
    best = queries.ordered(list(ids.values()), known)[0]
    return next(title for title, paper_id in ids.items() if paper_id == best)


def test_a_library_puts_papers_in_order_and_says_why(ids: dict[str, int], reader: Person) -> None:
    save(reader, ids, HARBOURS[:3])
    known = queries.near(reader, list(ids.values()))
    order = queries.ordered(list(ids.values()), known)
    news = [ids[title] for title in HARBOURS[3:]]
    assert set(order[: len(news)]) == set(news)
    assert set(order[-3:]) == {ids[title] for title in HARBOURS[:3]}
    reason = known[ids[HARBOURS[4]]].reason
    assert reason.startswith("near “Harbours without water, part ")
    assert "which you saved; words: " in reason
    assert "harbours" in reason
    assert known[ids[HARBOURS[0]]].reason == "in your library"


def test_before_there_is_enough_nothing_is_put_in_order(ids: dict[str, int], reader: Person) -> None:
    save(reader, ids, HARBOURS[: rules.FEWEST - 1])
    assert queries.near(reader, list(ids.values())) == {}
    assert queries.near(None, list(ids.values())) == {}
    assert queries.usable(reader) == []
    assert queries.usable(None) == []
    assert queries.learned(reader) == queries.Learned(tuple(ids[title] for title in reversed(HARBOURS[:2])))
    assert orjson.loads(queries.export(reader))["words"] == []
    save(reader, ids, HARBOURS)
    assert [each.number for each in queries.usable(reader)] == [LIBRARY]


def test_before_the_worker_came_nothing_is_put_in_order(ids: dict[str, int], reader: Person) -> None:
    save(reader, ids, HARBOURS)
    Background.objects.all().delete()
    assert queries.near(reader, list(ids.values())) == {}
    assert queries.usable(reader) == []


def test_unknown_papers_stay_behind_as_they_were(ids: dict[str, int], reader: Person) -> None:
    save(reader, ids, HARBOURS[:3])
    PaperTerms.objects.filter(paper__in=[ids[MEADOWS[0]], ids[MEADOWS[1]]]).delete()
    known = queries.near(reader, list(ids.values()))
    assert queries.ordered(list(ids.values()), known)[-2:] == [ids[MEADOWS[0]], ids[MEADOWS[1]]]


def test_a_profile_is_private(ids: dict[str, int], reader: Person) -> None:
    save(reader, ids, HARBOURS)
    assert queries.near(bela(), list(ids.values())) == {}


def test_what_is_saved_counts_at_once(ids: dict[str, int], reader: Person) -> None:
    save(reader, ids, HARBOURS[:3])
    assert first(reader, ids) in HARBOURS
    library.drop(by=reader, papers_=[ids[title] for title in HARBOURS[:3]])
    save(reader, ids, LAMPS[:4])
    assert first(reader, ids) in LAMPS[4:]


def test_disliked_papers_are_not_learned_from(ids: dict[str, int], reader: Person) -> None:
    save(reader, ids, HARBOURS[:4])
    for title in HARBOURS[:2]:
        library.say(by=reader, paper=ids[title], words=Words("read", "1", "", {}))
    assert queries.near(reader, list(ids.values())) == {}
    library.say(by=reader, paper=ids[HARBOURS[0]], words=Words("read", "4", "", {}))
    assert queries.near(reader, list(ids.values()))


def test_shelves_have_profiles_of_their_own(ids: dict[str, int], reader: Person) -> None:
    save(reader, ids, LAMPS)
    shelf = library.make_shelf(by=reader, name="Stones")
    library.place(by=reader, shelf=shelf, papers_=[ids[title] for title in STONES[:4]])
    actions.switch(by=reader, profile=shelf, on=True)
    assert first(reader, ids, profile=shelf) in STONES
    assert [(each.number, each.name) for each in queries.usable(reader)] == [(LIBRARY, "my library"), (shelf, "Stones")]
    actions.switch(by=reader, profile=LIBRARY, on=False)
    assert first(reader, ids) in STONES
    actions.switch(by=reader, profile=shelf, on=False)
    assert queries.near(reader, list(ids.values())) == {}
    actions.drop(by=reader, profile=shelf)
    actions.drop(by=reader, profile=LIBRARY)
    assert [each.number for each in queries.profiles(reader)] == [LIBRARY]
    library.remove_shelf(by=reader, shelf=shelf)


def test_a_shelf_of_somebody_else_gives_no_profile(ids: dict[str, int], reader: Person) -> None:
    shelf = library.make_shelf(by=bela(), name="Stones")
    with pytest.raises(Refused, match="no such shelf of yours"):
        actions.switch(by=reader, profile=shelf, on=True)
    assert not Profile.objects.exists()


def test_a_profile_of_a_removed_shelf_is_gone(ids: dict[str, int], reader: Person) -> None:
    shelf = library.make_shelf(by=reader, name="Stones")
    actions.switch(by=reader, profile=shelf, on=True)
    library.remove_shelf(by=reader, shelf=shelf)
    assert [each.number for each in queries.profiles(reader)] == [LIBRARY]


def test_profiles_are_bounded(ids: dict[str, int], reader: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "MOST_PROFILES", 1)
    shelves = [library.make_shelf(by=reader, name=name) for name in ("One", "Two")]
    actions.switch(by=reader, profile=shelves[0], on=True)
    with pytest.raises(Refused, match="1 profiles of shelves at most"):
        actions.switch(by=reader, profile=shelves[1], on=True)
    actions.switch(by=reader, profile=LIBRARY, on=False)


def test_a_profile_forgets_papers_and_the_library_does_not(ids: dict[str, int], reader: Person) -> None:
    save(reader, ids, HARBOURS[:4])
    actions.forget(by=reader, profile=LIBRARY, papers_=[ids[HARBOURS[0]], ids[HARBOURS[1]]])
    assert queries.learned(reader).papers == (ids[HARBOURS[3]], ids[HARBOURS[2]])
    assert queries.near(reader, list(ids.values())) == {}
    actions.remember(by=reader, profile=LIBRARY)
    assert len(queries.learned(reader).papers) == 4
    assert queries.near(reader, list(ids.values()))


def test_a_profile_forgets_what_was_before_a_day(ids: dict[str, int], reader: Person) -> None:
    save(reader, ids, HARBOURS[:4])
    actions.forget(by=reader, profile=LIBRARY, before=NOW.date() - timedelta(days=2))
    assert len(queries.learned(reader).papers) == 4
    with pytest.raises(Refused, match="has not come yet"):
        actions.forget(by=reader, profile=LIBRARY, before=NOW.date() + timedelta(days=5))
    actions.forget_everything(by=reader, profile=LIBRARY)
    assert queries.learned(reader).papers == ()
    save(reader, ids, LAMPS[:3])
    assert len(queries.learned(reader).papers) == 3


def test_what_is_forgotten_is_bounded(ids: dict[str, int], reader: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "MOST_FORGOTTEN", 2)
    with pytest.raises(Refused, match="leaves out 2 papers at most"):
        actions.forget(by=reader, profile=LIBRARY, papers_=[1, 2, 3])


def test_what_was_learned_can_be_taken_away(ids: dict[str, int], reader: Person) -> None:
    save(reader, ids, HARBOURS[:4])
    actions.forget(by=reader, profile=LIBRARY, papers_=[ids[HARBOURS[3]]])
    found = orjson.loads(queries.export(reader))
    assert found["format"] == "broadsheet-profile/1"
    assert len(found["learned_from"]) == 3
    assert len(found["forgotten"]) == 1
    assert found["words"][0]["word"] in ("harbours", "water")
    assert found["words"][0]["weight"] > 0
    assert [word for word, _weight in queries.learned(reader).words] == [
        each["word"] for each in found["words"] if each["weight"] > 0
    ][: queries.SHOWN_WORDS]
    with pytest.raises(KeyError):
        queries.export(reader, 77)
    with pytest.raises(KeyError):
        queries.learned(reader, 77)


def test_the_number_of_questions_does_not_grow(ids: dict[str, int], reader: Person) -> None:
    save(reader, ids, HARBOURS[:3])
    queries.near(reader, [ids[HARBOURS[0]]])
    with CaptureQueriesContext(connection) as few:
        queries.near(reader, [ids[HARBOURS[1]]])
    with CaptureQueriesContext(connection) as many:
        queries.near(reader, list(ids.values()))
    assert len(few) == len(many) <= 6


def test_of_a_large_library_the_last_papers_count(
    ids: dict[str, int], reader: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "MOST_SAVED", 4)
    save(reader, ids, HARBOURS)
    save(reader, ids, LAMPS[:4])
    assert set(queries.learned(reader).papers) == {ids[title] for title in LAMPS[:4]}


def test_a_merged_paper_is_learned_from_as_what_it_became(ids: dict[str, int], reader: Person) -> None:
    save(reader, ids, HARBOURS[:3])
    keys = {row.id: row.key for row in papers.Paper.objects.all()}
    merge_papers(winner_key=keys[ids[HARBOURS[4]]], loser_key=keys[ids[HARBOURS[0]]], reason="the same work")
    learn_all()
    [winner] = papers.by_ids([ids[HARBOURS[0]]]).values()
    assert winner.id == ids[HARBOURS[4]]
    assert winner.id in queries.learned(reader).papers
    assert queries.near(reader, list(ids.values()))


def test_changed_papers_are_kept_anew(ids: dict[str, int]) -> None:
    before = PaperTerms.objects.get(paper=ids[STONES[0]]).words
    store_many([said(STONES[0], abstract="Zeppelins over harbours.")])
    learn_all()
    after = PaperTerms.objects.get(paper=ids[STONES[0]]).words
    assert "zeppelins" in after
    assert "zeppelins" not in before


def test_old_papers_are_kept_only_when_somebody_saves_them(
    ids: dict[str, int], reader: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "FEW", 0)
    store_many([said("An Old Map"), said("An Older Map")])
    new = {row.title: row.id for row in papers.Paper.objects.filter(title__endswith="Map")}
    learn_all()
    assert not PaperTerms.objects.filter(paper__in=new.values()).exists()
    library.keep(by=reader, papers_=[new["An Old Map"]])
    learn_all()
    assert list(PaperTerms.objects.filter(paper__in=new.values()).values_list("paper", flat=True)) == [
        new["An Old Map"]
    ]


def test_room_is_made_for_newer_papers(ids: dict[str, int], reader: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    save(reader, ids, [min(ids, key=lambda title: ids[title])])
    monkeypatch.setattr(actions, "MOST_KEPT", len(ids) - 3)
    learn_all()
    left = set(PaperTerms.objects.values_list("paper", flat=True))
    assert set(ids.values()) - left == set(sorted(ids.values())[1:4])


def test_room_is_made_behind_old_papers_that_are_saved(
    ids: dict[str, int], reader: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    oldest = sorted(ids, key=lambda title: ids[title])[:2]
    save(reader, ids, oldest)
    monkeypatch.setattr(actions, "_LEFT_AT_ONCE", 2)
    monkeypatch.setattr(actions, "MOST_KEPT", len(ids) - 3)
    for gone in (2, 3, 3):
        learn_all()
        left = set(PaperTerms.objects.values_list("paper", flat=True))
        assert set(ids.values()) - left == set(sorted(ids.values())[2 : 2 + gone])


def test_papers_that_are_all_saved_are_all_kept(
    ids: dict[str, int], reader: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(reader, ids, list(ids))
    monkeypatch.setattr(actions, "MOST_KEPT", 1)
    learn_all()
    assert PaperTerms.objects.count() == len(ids)


def test_vectors_of_the_index_are_kept_and_count(ids: dict[str, int], reader: Person) -> None:
    index = ReferenceIndex(Concepts())
    documents = [Document(pk=paper_id, change=1, title=title) for title, paper_id in ids.items()]
    index.apply(documents, [], cursor=1)
    index.embed(documents)
    learn_all(index)
    assert not PaperTerms.objects.filter(vector=None).exists()
    row = Background.objects.get()
    assert (row.model, bool(row.mean)) == (Concepts().fingerprint, True)
    save(reader, ids, HARBOURS[:3])
    assert first(reader, ids) in HARBOURS
    assert orjson.loads(queries.export(reader))["vector"]


def test_vectors_of_another_model_are_made_anew(ids: dict[str, int]) -> None:
    PaperTerms.objects.all().update(vector=b"\0\0")
    PaperTerms.objects.filter(paper=ids[LAMPS[0]]).update(vector=None)
    index = ReferenceIndex(Concepts())
    documents = [Document(pk=paper_id, change=1, title=title) for title, paper_id in ids.items()]
    index.apply(documents, [], cursor=1)
    index.embed(documents)
    learn_all(index)
    kept = PaperTerms.objects.values_list("vector", flat=True)
    assert {len(bytes(vector or b"")) for vector in kept} == {2 * Concepts().dimensions}


def test_profiles_go_where_their_person_goes(ids: dict[str, int], reader: Person) -> None:
    actions.switch(by=reader, profile=LIBRARY, on=False)
    people.take_over(from_id=reader.id, to_id=bela().id)
    assert list(Profile.objects.values_list("user", "is_on")) == [(bela().id, False)]
    actions.switch(by=reader, profile=LIBRARY, on=True)
    people.take_over(from_id=reader.id, to_id=bela().id)
    assert list(Profile.objects.values_list("user", "is_on")) == [(bela().id, False)]
    people.forget(person_id=bela().id)
    assert not Profile.objects.exists()


def test_an_archive_holds_what_she_said_and_not_what_can_be_made_again(ids: dict[str, int], reader: Person) -> None:
    held = {table.name for table in archive.write(io.BytesIO(), made_by="a test").tables}
    assert "following.profile" in held
    assert not held & {"following.paperterms", "following.background"}
