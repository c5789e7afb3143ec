"""Vectors of stored papers: which text they are made from, and that the work ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from broadsheet.evidence.tasks import refresh_index
from broadsheet.papers import queries, tasks
from broadsheet.papers.actions import store_many
from broadsheet.papers.tasks import Embedded
from broadsheet.search.adapters.reference import ReferenceIndex
from broadsheet.search.embedding import Floats
from broadsheet.search.query import parse
from broadsheet.testing.cast import HARBOUR, LANTERN, MEADOW
from broadsheet.testing.meaning_conformance import Concepts

pytestmark = pytest.mark.django_db


class Listening(Concepts):
    """A model that remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    def encode(self, texts: Sequence[str]) -> Floats:
        self.heard += texts
        return super().encode(texts)


@pytest.fixture
def model() -> Listening:
    """The model of the index."""
    return Listening()


@pytest.fixture
def index(model: Listening) -> ReferenceIndex:
    """An index that holds three papers, without vectors."""
    store_many([LANTERN, HARBOUR, MEADOW])
    made = ReferenceIndex(model)
    refresh_index(made)
    return made


def test_every_paper_gets_a_vector_then_there_is_nothing_to_do(index: ReferenceIndex) -> None:
    assert tasks.embed_pending(index, limit=2) == Embedded(2, more=True)
    assert tasks.embed_pending(index, limit=2) == Embedded(1, more=True)
    assert tasks.embed_pending(index, limit=2) == Embedded(0, more=False)
    assert index.embedding().papers == 3


def test_title_and_abstract_are_read_as_text(index: ReferenceIndex, model: Listening) -> None:
    """The title's TeX is no part of what it means."""
    tasks.embed_pending(index)
    (read,) = (text for text in model.heard if text.startswith("Lantern"))
    assert read.startswith("Lantern: Step Sizes from ℓ₂ Gradient Norms. We choose")
    assert "$" not in read


def test_changed_text_gets_a_new_vector_and_other_changes_do_not(index: ReferenceIndex, model: Listening) -> None:
    tasks.embed_pending(index)
    assert not tasks.embed_pending(index).more
    store_many([replace(MEADOW, abstract="Of zeppelins."), replace(HARBOUR, code_url="https://example.org/code")])
    refresh_index(index)
    model.heard.clear()
    assert tasks.embed_pending(index) == Embedded(1, more=True)
    assert model.heard[0].endswith("Of zeppelins.")
    assert tasks.embed_pending(index) == Embedded(0, more=False)


def test_paper_that_went_away_meanwhile_stops_nobody(index: ReferenceIndex) -> None:
    """Merged into another: the index learns of it from the journal, later."""
    gone = queries.find("2401.00002")
    assert gone is not None
    kept = queries.find("2401.00001")
    assert kept is not None
    type(gone).objects.filter(id=gone.id).update(merged_into=kept)
    assert tasks.embed_pending(index) == Embedded(2, more=True)
    assert tasks.embed_pending(index) == Embedded(0, more=False)


def test_without_a_model_there_is_nothing_to_do(index: ReferenceIndex, model: Listening) -> None:
    model.gone = "The model is not installed."
    assert tasks.embed_pending(index) == Embedded(0, more=False)
    assert index.search(parse("lantern")).total == 1
