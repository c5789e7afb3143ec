"""Merging two papers, and taking it back: nothing is lost either way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from broadsheet.papers import queries, rules
from broadsheet.papers.actions import MergeRefused, Stored, merge_papers, split_statement, store_many, unmerge_papers
from broadsheet.papers.models import Authorship, FormerKey, Paper, PaperIdentifier, Statement, Topic
from broadsheet.testing.cast import HARBOUR, LANTERN, MEADOW, arxiv, doi, said

pytestmark = pytest.mark.django_db

PUBLISHED = said(
    "Choosing Steps by Lantern Light",
    by="journal",
    key="lantern-published",
    identifiers=(doi("10.1000/lantern"),),
    authors=("Ada Example", "Chloé Exemple"),
    venue="Journal of Lamps",
    categories=("lamps",),
)


def everything() -> dict[str, list[Any]]:
    """All that the tables say of papers, without row numbers, times and the journal."""
    return {
        "papers": sorted(Paper.objects.values_list("key", "title", "venue", "merged_into", "authors", "sort_day")),
        "authorships": sorted(Authorship.objects.values_list("paper", "slug", "day")),
        "topics": sorted(Topic.objects.values_list("paper", "slug", "day")),
        "identifiers": sorted(PaperIdentifier.objects.values_list("scheme", "value", "paper")),
        "statements": sorted(Statement.objects.values_list("source", "source_key", "paper", "digest")),
    }


@pytest.fixture
def two_papers() -> None:
    store_many([LANTERN, PUBLISHED, HARBOUR])


@pytest.mark.usefixtures("two_papers")
def test_a_merged_paper_is_shown_once_with_what_both_said() -> None:
    merge_papers(winner_key="2401.00001", loser_key="doi:10.1000/lantern", reason="the published form")
    paper = queries.find("doi:10.1000/lantern")
    assert paper is not None
    assert (paper.key, paper.venue) == ("2401.00001", "Journal of Lamps")
    assert queries.by_author("ada-example").total == 1
    assert queries.in_section("lamps").ids == [paper.id]
    detail = queries.detail(paper.id)
    assert {said.source for said in detail.statements} == {"testimony", "journal"}
    assert [merged.key for merged in detail.merged_from] == ["doi:10.1000/lantern"]
    assert [change.kind for change in detail.history] == ["created", "created", "merged", "updated"]


@pytest.mark.usefixtures("two_papers")
def test_taking_a_merge_back_restores_every_table() -> None:
    before = everything()
    merge_papers(winner_key="2401.00001", loser_key="doi:10.1000/lantern", reason="the published form")
    assert everything() != before
    unmerge_papers(key="doi:10.1000/lantern", reason="it was not")
    assert everything() == before


@pytest.mark.usefixtures("two_papers")
def test_papers_that_were_taken_apart_are_not_merged_by_rule_again() -> None:
    merge_papers(winner_key="2401.00001", loser_key="doi:10.1000/lantern", reason="looked alike")
    unmerge_papers(key="doi:10.1000/lantern", reason="different works")
    store_many([replace(LANTERN, source="registry", identifiers=(*LANTERN.identifiers, doi("10.1000/lantern")))])
    assert Paper.objects.filter(merged_into=None).count() == 3


@pytest.mark.usefixtures("two_papers")
def test_merging_goes_through_papers_that_were_merged_themselves() -> None:
    merge_papers(winner_key="doi:10.1000/lantern", loser_key="2401.00002", reason="first")
    merge_papers(winner_key="2401.00001", loser_key="2401.00002", reason="names the merged one")
    assert {queries.find(key).key for key in ("2401.00001", "2401.00002", "doi:10.1000/lantern")} == {"2401.00001"}  # type: ignore[union-attr]  # all three exist
    assert Paper.objects.filter(merged_into=None).count() == 1


@pytest.mark.usefixtures("two_papers")
@pytest.mark.parametrize(
    ("winner", "loser"),
    [
        pytest.param("2401.00001", "2401.00001", id="with itself"),
        pytest.param("2401.00001", "nowhere", id="with nothing"),
        pytest.param("nowhere", "2401.00001", id="into nothing"),
    ],
)
def test_a_merge_that_makes_no_sense_is_refused_and_changes_nothing(winner: str, loser: str) -> None:
    before = everything()
    with pytest.raises(MergeRefused):
        merge_papers(winner_key=winner, loser_key=loser, reason="")
    assert everything() == before


@pytest.mark.usefixtures("two_papers")
def test_un_merging_what_was_never_merged_is_refused() -> None:
    with pytest.raises(MergeRefused, match="nothing to undo"):
        unmerge_papers(key="2401.00001", reason="")


def test_a_statement_attached_by_title_can_be_split_off_and_stays_off() -> None:
    other = said(MEADOW.title, by="elsewhere", key="m2", abstract=MEADOW.abstract)
    store_many([MEADOW])
    assert store_many([other]) == Stored(merged=1)
    key = split_statement(source="elsewhere", source_key="m2", reason="another survey of that name")
    assert {paper.key for paper in Paper.objects.all()} == {"math/0611800", key}
    assert store_many([other]) == Stored(unchanged=1)
    assert store_many([replace(other, venue="elsewhere")]) == Stored(changed=1)
    assert Paper.objects.filter(merged_into=None).count() == 2


def test_splitting_off_the_only_statement_is_refused() -> None:
    store_many([MEADOW])
    with pytest.raises(MergeRefused, match="all that the paper has"):
        split_statement(source="testimony", source_key="meadow", reason="")


def test_no_address_is_ever_given_to_two_papers() -> None:
    store_many([replace(LANTERN, identifiers=())])
    old = Paper.objects.get().key
    store_many([replace(LANTERN, source="registry")])
    twin = said(LANTERN.title, by="third", authors=("Bela Beispiel",), abstract="On lamps of the harbour, a history.")
    store_many([twin])
    keys = [*Paper.objects.values_list("key", flat=True), *FormerKey.objects.values_list("key", flat=True)]
    assert old in keys
    assert len(keys) == len(set(keys))


# The plain case of a preprint and its published form, which a third source joins.
JOURNAL = said("Journal words entirely", by="registry", key="j", identifiers=(doi("10.1000/j"),))
PREPRINT = said("Preprint with another title", by="archive", key="p", identifiers=(arxiv("2401.00009"),))
JOINT = said("Journal words entirely", by="index", key="w", identifiers=(doi("10.1000/j"), arxiv("2401.00009")))


def test_of_two_papers_that_a_rule_merges_the_better_address_stays() -> None:
    store_many([JOURNAL])
    store_many([PREPRINT])
    store_many([JOINT])
    found = queries.find("doi:10.1000/j")
    assert found is not None
    assert found.key == "2401.00009"


def test_an_address_does_not_move_when_sources_repeat_themselves() -> None:
    store_many([JOURNAL])
    store_many([PREPRINT])
    for comments in ("first", "second", "third"):
        store_many([replace(JOINT, comments=comments)])
        assert sorted(Paper.objects.values_list("key", flat=True)) == ["2401.00009", "doi:10.1000/j"]
    assert FormerKey.objects.count() == 0


def test_a_merge_by_hand_that_is_taken_back_restores_the_addresses() -> None:
    store_many([replace(LANTERN, identifiers=()), PREPRINT])
    before = everything()
    plain = Paper.objects.get(title=LANTERN.title).key
    merge_papers(winner_key=plain, loser_key="2401.00009", reason="an example")
    store_many([replace(LANTERN, identifiers=(), comments="again")])
    unmerge_papers(key="2401.00009", reason="it was not")
    store_many([replace(LANTERN, identifiers=())])
    assert everything() == before


def test_a_statement_that_is_split_off_takes_its_identifier_and_address_along() -> None:
    plain = replace(MEADOW, identifiers=())
    store_many([plain])
    wrong = said(MEADOW.title, by="elsewhere", key="w", abstract=MEADOW.abstract, identifiers=(arxiv("2401.00077"),))
    store_many([wrong])
    assert queries.find("2401.00077") == queries.find(Paper.objects.get().key)
    assert split_statement(source="elsewhere", source_key="w", reason="another work") == "2401.00077"
    assert {paper.key for paper in Paper.objects.all()} == {"2401.00077", rules.key_of(plain)}
    store_many([said("Newly said", by="third", identifiers=(arxiv("2401.00077"),))])
    found = queries.find("2401.00077")
    assert found is not None
    assert {each.source for each in queries.statements([found.id])[found.id]} == {"elsewhere", "third"}


def test_papers_that_were_taken_apart_are_not_merged_on_a_detour_either() -> None:
    one, two, three = (said(f"Work number {n} of three", key=n, identifiers=(doi(f"10.1000/{n}"),)) for n in "abc")
    store_many([three, one, two])
    merge_papers(winner_key="doi:10.1000/a", loser_key="doi:10.1000/b", reason="looked alike")
    unmerge_papers(key="doi:10.1000/b", reason="different works")
    store_many([said("Joins b to c", key="d", identifiers=(doi("10.1000/c"), doi("10.1000/b")))])
    store_many([said("Joins a to c", key="e", identifiers=(doi("10.1000/c"), doi("10.1000/a")))])
    assert queries.find("doi:10.1000/a") != queries.find("doi:10.1000/b")
    assert queries.find("doi:10.1000/c") == queries.find("doi:10.1000/b")


def test_what_is_said_of_a_merged_paper_goes_with_it_when_the_merge_is_taken_back() -> None:
    store_many([LANTERN, HARBOUR])
    assert merge_papers(winner_key="2401.00001", loser_key="2401.00002", reason="an example") == "2401.00002"
    later = said(
        "Harbour, as the registry has it", by="registry", key="h", identifiers=(arxiv("2401.00002"),), venue="Quays"
    )
    store_many([later])
    unmerge_papers(key="2401.00002", reason="they were two")
    lantern, harbour = queries.find("2401.00001"), queries.find("2401.00002")
    assert lantern is not None
    assert harbour is not None
    assert (lantern.venue, harbour.venue) == ("", "Quays")


def test_both_papers_remember_a_merge_that_was_taken_back() -> None:
    store_many([LANTERN, HARBOUR])
    merge_papers(winner_key="2401.00001", loser_key="2401.00002", reason="an example")
    unmerge_papers(key="2401.00002", reason="they were two")
    for key in ("2401.00001", "2401.00002"):
        paper = queries.find(key)
        assert paper is not None
        assert {"an example", "they were two"} <= {change.note for change in queries.detail(paper.id).history}


def test_an_identifier_that_its_source_corrects_is_free_for_its_real_owner() -> None:
    wrong = said("Woodwind acoustics", key="w", identifiers=(arxiv("2402.00009"),))
    store_many([wrong])
    store_many([replace(wrong, identifiers=(arxiv("2402.00010"),))])
    assert store_many([said("Sea ice thickness", key="s", identifiers=(arxiv("2402.00009"),))]) == Stored(new=1)
    assert {paper.key: paper.title for paper in Paper.objects.all()} == {
        "2402.00010": "Woodwind acoustics",
        "2402.00009": "Sea ice thickness",
    }
