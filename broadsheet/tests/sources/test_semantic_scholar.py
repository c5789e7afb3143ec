"""Semantic Scholar: batches with holes in them, identifiers that agree or do not, all shapes of its answers."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.identifiers import Identifier
from broadsheet.bibliography.record import Record, Rejected
from broadsheet.fetching.answers import Answer
from broadsheet.sources.base import Unreadable
from broadsheet.sources.origins.semantic_scholar import BATCH, PER_LOOKUP, SemanticScholar
from broadsheet.testing.harvest_conformance import FindConformance, Recorded
from broadsheet.testing.source_conformance import BUILT_IN_SAMPLES, SourceConformance, check_statements

LAMP = {
    "paperId": "1" * 40,
    "externalIds": {"ArXiv": "2601.00001", "CorpusId": 1},
    "title": "A Lamp for Every Step",
    "authors": [{"authorId": "1", "name": "Ada Example"}],
}
HARBOURS = LAMP | {"paperId": "2" * 40, "externalIds": {"ACL": "P19-1001"}, "title": "Harbours Without Water"}


def named(*texts: str) -> list[Identifier]:
    return [Identifier.from_str(text) for text in texts]


def statements(value: Any) -> list[Record | Rejected]:
    return list(SemanticScholar().read(io.BytesIO(orjson.dumps(value)), filename="x"))


class TestSemanticScholar(SourceConformance):
    source = SemanticScholar()
    sample = BUILT_IN_SAMPLES["semantic-scholar"]


class TestLookUp(FindConformance):
    source = SemanticScholar()
    identifiers = named("arxiv:2601.00001", "acl:P19-1001")
    absent = named("doi:10.1000/absent")
    posted = {BATCH: orjson.dumps([LAMP, HARBOURS, None])}  # noqa: RUF012  # the suite's own way of giving answers


def test_it_needs_a_key() -> None:
    assert SemanticScholar.needs_key == "api.semanticscholar.org"


class Batches(Recorded):
    """A client that answers each batch with nulls, and keeps what it was asked."""

    bodies: list[Any]

    def post(self, url: str, body: bytes, **how: Any) -> Answer:
        assert how["content_type"] == "application/json"
        self.bodies.append(orjson.loads(body)["ids"])
        self.posted = {url: orjson.dumps([None] * len(self.bodies[-1]))}
        return super().post(url, body, **how)


def test_five_hundred_identifiers_are_asked_for_at_once() -> None:
    client = Batches({})
    client.bodies = []
    many = named(*(f"doi:10.1000/{number}" for number in range(PER_LOOKUP)), "arxiv:math/0611800", "acl:P19-1001")
    pages = list(SemanticScholar().find(client, [*many, many[0], *named("pmlr:v97/example19a")]))
    assert [len(ids) for ids in client.bodies] == [PER_LOOKUP, 2]
    assert client.bodies[0][0] == "DOI:10.1000/0"
    assert client.bodies[1] == ["ARXIV:math/0611800", "ACL:P19-1001"]
    assert [page.items for page in pages] == [(), ()]


@pytest.mark.parametrize(
    ("asked", "said", "known"),
    [
        pytest.param("doi:10.1000/1", {"ArXiv": "2601.00001"}, ["arxiv:2601.00001", "doi:10.1000/1"], id="one more"),
        pytest.param("arxiv:2601.00001", {"ArXiv": "2601.00001"}, ["arxiv:2601.00001"], id="the same"),
        pytest.param("arxiv:2601.00001", {"ArXiv": "2601.00002"}, ["arxiv:2601.00002"], id="another one"),
        pytest.param("doi:10.1000/1", None, ["doi:10.1000/1"], id="none at all"),
    ],
)
def test_the_identifier_that_was_asked_for_is_kept(asked: str, said: Any, known: list[str]) -> None:
    client = Recorded({}, posted={BATCH: orjson.dumps([LAMP | {"externalIds": said}])})
    (page,) = SemanticScholar().find(client, named(asked))
    (item,) = page.items
    assert isinstance(item, Record)
    assert list(map(str, item.identifiers)) == known


def test_a_paper_under_two_identifiers_comes_once() -> None:
    client = Recorded({}, posted={BATCH: orjson.dumps([LAMP, LAMP])})
    (page,) = SemanticScholar().find(client, named("arxiv:2601.00001", "doi:10.1000/1"))
    (item,) = page.items
    assert isinstance(item, Record)
    assert list(map(str, item.identifiers)) == ["arxiv:2601.00001", "doi:10.1000/1"]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param([LAMP], id="fewer entries than asked for"),
        pytest.param([LAMP, None, None], id="more entries"),
        pytest.param({"error": "No valid paper ids given"}, id="error"),
        pytest.param({"data": [LAMP, HARBOURS]}, id="search"),
    ],
)
def test_an_answer_that_cannot_be_matched_is_refused(answer: Any) -> None:
    client = Recorded({}, posted={BATCH: orjson.dumps(answer)})
    with pytest.raises(Unreadable, match="an entry for each paper"):
        list(SemanticScholar().find(client, named("arxiv:2601.00001", "acl:P19-1001")))


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param([None, LAMP, None], id="batch"),
        pytest.param({"total": 1, "offset": 0, "data": [LAMP]}, id="search"),
        pytest.param({"recommendedPapers": [LAMP]}, id="recommendations"),
        pytest.param({"data": [{"contexts": [], "citingPaper": LAMP}]}, id="citations"),
        pytest.param({"data": [{"citedPaper": LAMP}]}, id="references"),
        pytest.param(LAMP, id="one paper"),
    ],
)
def test_every_shape_of_answer_is_read(answer: Any) -> None:
    (found,) = statements(answer)
    assert isinstance(found, Record)
    assert (found.title, found.source_key) == ("A Lamp for Every Step", "1" * 40)


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        pytest.param({"publicationDate": "2026-01-05", "year": 2025}, "submitted", PartialDate(2026, 1, 5), id="day"),
        pytest.param({"publicationDate": None, "year": 2025}, "submitted", PartialDate(2025), id="year"),
        pytest.param({"publicationDate": "soon", "year": 99}, "submitted", None, id="no date"),
        pytest.param({"venue": "arXiv.org"}, "venue", "", id="arXiv is no venue"),
        pytest.param(
            {"venue": "ICLR", "publicationVenue": {"name": "Lamp Letters"}}, "venue", "Lamp Letters", id="venue"
        ),
        pytest.param({"venue": "ICLR", "publicationVenue": None}, "venue", "ICLR", id="venue by its short name"),
        pytest.param({"authors": [{"name": "Ada Example"}, {"name": None}]}, "authors", ("Ada Example",), id="nobody"),
        pytest.param({"abstract": None}, "abstract", "", id="no abstract"),
        pytest.param(
            {"externalIds": {"ArXiv": "2601.00001", "DOI": "10.48550/arXiv.2601.00001"}},
            "identifiers",
            tuple(named("arxiv:2601.00001")),
            id="DOI of arXiv",
        ),
        pytest.param(
            {"externalIds": {"ArXiv": "2601.00001", "DOI": "10.48550/arXiv.2601.00002"}},
            "identifiers",
            tuple(named("arxiv:2601.00001")),
            id="DOI of another paper of arXiv",
        ),
        pytest.param({"externalIds": {"DOI": "lamp", "ACL": 7}}, "identifiers", (), id="identifiers that are none"),
    ],
)
def test_a_field(fields: dict[str, Any], name: str, value: Any) -> None:
    (found,) = statements([LAMP | fields])
    assert getattr(found, name) == value


def test_recorded_answers_are_read_or_refused(protocol: Path) -> None:
    """Most recorded answers name other fields than ours: papers without a title, authors, citations of nobody."""
    kinds: Counter[str] = Counter()
    for path in sorted((protocol / "extracted_bodies" / "semantic_scholar").glob("*.json")):
        body = orjson.loads(path.read_bytes())["body"]
        try:
            found = statements(body)
        except Unreadable:
            kinds["refused"] += 1
            continue
        check_statements(SemanticScholar(), found)
        kinds.update(type(item).__name__ for item in found)
    assert kinds == {"refused": 13, "Record": 10350, "Rejected": 9630}
